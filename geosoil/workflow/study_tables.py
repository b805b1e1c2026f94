"""The tables of a run, and what only they tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from geosoil.grids.sample_join import JoinResult
from geosoil.io._atomic import write_csv
from geosoil.io.samples import sample_issues
from geosoil.workflow.contrasts import contrast_tables
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.point_correlation import correlate_points
from geosoil.workflow.region_numbers import region_numbers
from geosoil.workflow.summary import with_reference


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write the tables of a run.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Tables by name.
    folder : Path
        Folder of the results.

    Returns
    -------
    paths : list of Path
        ``tables/<name>.csv``.
    """
    return [
        write_csv(table, folder / "tables" / f"{name}.csv")
        for name, table in tables.items()
    ]


def study_tables(
    inputs: StudyInputs,
    results: StudyResults,
    joined: JoinResult,
    reference: pd.DataFrame | None,
) -> dict[str, pd.DataFrame]:
    """Return every table of a run by its name.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    results : StudyResults
        What the run computed.
    joined : JoinResult
        Samples with what the rasters hold at their place.
    reference : DataFrame, optional
        Published and true shares.

    Returns
    -------
    tables : dict of str to DataFrame
        Every number of the run.
    """
    fractions = results.fractions
    tables = {
        "water_lines": fractions.lines,
        "fractions_regional": with_reference(fractions.regional, reference),
        "fractions_groups": fractions.groups,
        "fractions_samples": fractions.samples,
        "fractions_sites": fractions.sites,
        "fractions_draws": results.draws.summary,
        "fractions_weighted": results.draws.weighted,
        "mixing_region": results.draws.region,
        "source_water": fractions.sources,
        "end_members_used": fractions.end_members,
        "interpolation_comparison": results.maps.table("scores"),
        "interpolation_predictions": results.maps.table("predictions"),
        "fraction_means": results.maps.table("means"),
        "fraction_support": results.maps.table("support"),
        "fraction_variants": results.maps.table("variants"),
        "variograms": results.maps.table("variograms"),
        "joined_samples": _without_geometry(joined),
        "joined_provenance": joined.provenance,
        "correlation_points": correlate_points(
            joined, edges=inputs.config.strata.edges()
        ),
        "sample_issues": sample_issues(inputs.samples),
        **contrast_tables(inputs, fractions),
        **region_numbers(inputs),
    }
    if results.truth is not None:
        tables["maps_against_truth"] = results.truth.scores
        tables["maps_coverage"] = results.truth.coverage
    if results.correlation is not None:
        tables["correlation_summary"] = results.correlation.summary
        tables["correlation_space"] = results.correlation.space
        tables["correlation_zones"] = results.correlation.zones
    return tables


def _without_geometry(joined: JoinResult) -> pd.DataFrame:
    """Return the joined table as CSV takes it."""
    return pd.DataFrame(joined.table.drop(columns=joined.table.geometry.name))
