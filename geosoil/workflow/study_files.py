"""The files of a run that are made once everything is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geosoil.grids.sample_join import JoinResult
from geosoil.io._atomic import write_text
from geosoil.workflow.cube import write_cube
from geosoil.workflow.figures import StudyResults, write_figures
from geosoil.workflow.gis_files import write_gis_files
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.plain_json import strict_json
from geosoil.workflow.records import ReadFiles, begun_record
from geosoil.workflow.results_package import write_results_package
from geosoil.workflow.stac_files import write_stac
from geosoil.workflow.stages import Report
from geosoil.workflow.study_report import write_report
from geosoil.workflow.study_tables import write_tables
from geosoil.workflow.summary import summarise


@dataclass(frozen=True, slots=True)
class Finished:
    """All that the files of a run are made of."""

    inputs: StudyInputs
    """Opened study."""
    files: ReadFiles
    """Files that it reads."""
    results: StudyResults
    """What was computed."""
    joined: JoinResult
    """Samples with what the rasters hold at their place."""
    tables: dict[str, pd.DataFrame]
    """Every table, by its name."""
    reference: pd.DataFrame | None
    """Published and true shares."""
    folder: Path
    """Folder of the results."""


Write = Callable[[Finished, Sequence[Path], Report], list[Path]]
"""Writes files of a run; it gets those written so far, and tells its steps."""


def _tables(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write the tables."""
    del paths, report
    return write_tables(done.tables, done.folder)


def _figures(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Draw and write the figures."""
    del paths
    return write_figures(done.inputs, done.results, done.folder / "figures", report)


def _package(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write points, polygons and their tables to one GeoPackage."""
    del paths, report
    return [write_results_package(done.inputs, done.results, done.joined, done.folder)]


def _cube(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write every gridded result to one NetCDF."""
    del paths, report
    return [write_cube(done.inputs, done.results, done.folder)]


def _gis_files(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write the styles of the rasters and the QGIS project."""
    del report
    return write_gis_files(done.inputs, paths, done.folder)


def _catalogue(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write the STAC collection of all files so far."""
    del report
    return write_stac(done.inputs, paths, done.folder)


def _summary(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write the summary for machines."""
    del paths, report
    summary = summarise(done.inputs, done.results, done.reference)
    return [write_text(strict_json(summary), done.folder / "summary.json")]


def _page(done: Finished, paths: Sequence[Path], report: Report) -> list[Path]:
    """Write the report."""
    del report
    record = begun_record(done.inputs.config, done.files)
    return write_report(done.folder, record, written=paths)


WRITERS: tuple[tuple[str, Write], ...] = (
    ("writing the tables", _tables),
    ("drawing the figures", _figures),
    ("writing results.gpkg", _package),
    ("writing cube.nc", _cube),
    ("styling the rasters and writing the QGIS project", _gis_files),
    ("writing the STAC collection", _catalogue),
    ("writing the summary", _summary),
    ("writing the report", _page),
)
"""What is written after the rasters, in this order; each sees what is there already."""
