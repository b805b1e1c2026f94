"""Collect a report from what a run left behind: every number once, then frozen."""

from __future__ import annotations

from geosoil.report.correlations import correlations_section
from geosoil.report.document import Report
from geosoil.report.isotopes import isotopes_section
from geosoil.report.maps import figures_section, validation_section
from geosoil.report.methods import methods_section
from geosoil.report.mixing import mixing_section
from geosoil.report.numbers import numbered
from geosoil.report.provenance import provenance_section
from geosoil.report.quality import quality_section
from geosoil.report.record import RunRecord, text_of
from geosoil.report.region import region_section
from geosoil.report.results import results_section


def collect_report(record: RunRecord) -> Report:
    """Collect the report of a run.

    Parameters
    ----------
    record : RunRecord
        Tables, settings and pictures of the run.

    Returns
    -------
    report : Report
        Its sections, numbers with their anchors; what the run did not do is left out.

    Examples
    --------
    >>> record = RunRecord({}, {"study": {"name": "a study"}}, {}, {}, False, "")
    >>> report = collect_report(record)
    >>> report.title, [section.anchor for section in report.sections]
    ('a study', ['quality', 'methods', 'provenance'])
    """
    found = (
        results_section(record),
        region_section(record),
        isotopes_section(record),
        mixing_section(record),
        figures_section(record),
        validation_section(record),
        correlations_section(record),
        quality_section(record),
        methods_section(record),
        provenance_section(record),
    )
    sections = tuple(section for section in found if section is not None)
    version = text_of(record.software.get("geosoil", ""))
    software = f"geosoil {version}".strip()
    return numbered(Report(record.name, record.banner, software, sections))
