"""Run a study: open, compute, write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from geosoil.config import StudyConfig, read_config
from geosoil.grids.sample_join import JoinResult
from geosoil.io._atomic import write_csv, write_text
from geosoil.io.provenance import run_provenance
from geosoil.io.samples import sample_issues
from geosoil.workflow.contrasts import contrast_tables
from geosoil.workflow.correlation import correlate_study
from geosoil.workflow.figures import StudyResults, write_figures
from geosoil.workflow.fractions import solve_study
from geosoil.workflow.inputs import (
    StudyInputs,
    climate_files,
    matching_files,
    open_inputs,
)
from geosoil.workflow.join import join_samples
from geosoil.workflow.mapping import map_fractions
from geosoil.workflow.mapping_truth import check_truth, truth_files
from geosoil.workflow.plain_json import strict_json
from geosoil.workflow.point_correlation import correlate_points
from geosoil.workflow.study_draws import study_draws
from geosoil.workflow.summary import read_reference, summarise, with_reference
from geosoil.workflow.words import account


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run found and wrote."""

    text: str
    """Account for people."""
    summary: dict[str, object]
    """Plain values, as in summary.json."""
    folder: Path
    """Folder of the results."""
    paths: tuple[Path, ...]
    """Files written."""


def run(
    config: str | Path | StudyConfig,
    *,
    output: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> RunResult:
    """Run a study from its settings to maps, tables and figures.

    Parameters
    ----------
    config : str, Path or StudyConfig
        Settings file or settings.
    output : str or Path, optional
        Folder of the results; that of the settings without it.
    progress : callable, optional
        Called with one line of words a stage.

    Returns
    -------
    result : RunResult
        Account, values and files.

    Raises
    ------
    GeosoilError
        If settings or inputs cannot be used; nothing is then half-written.
    """
    settings = config if isinstance(config, StudyConfig) else read_config(config)
    report = progress or (lambda _: None)
    folder = Path(output) if output is not None else settings.output.folder
    report("opening and checking the inputs")
    reference = read_reference(settings.output.reference)
    inputs = open_inputs(settings)
    fractions = solve_study(inputs, report)
    report("drawing the shares of strata")
    draws = study_draws(inputs, fractions.samples)
    joined = join_samples(inputs, report)
    maps = map_fractions(inputs, fractions.sites, folder, report)
    correlation = correlate_study(inputs, folder, report)
    truth = check_truth(inputs, maps)
    results = StudyResults(fractions, draws, maps, correlation, truth)
    paths = [*maps.paths, *(correlation.paths if correlation else ())]
    paths += _write_tables(inputs, results, joined, folder, reference)
    paths += write_figures(inputs, results, folder / "figures", report)
    summary = summarise(inputs, results, reference)
    paths.append(write_text(strict_json(summary), folder / "summary.json"))
    record = run_provenance(
        settings=settings.model_dump(mode="json"),
        inputs=_input_files(settings),
        outputs=paths,
        folder=folder,
    )
    paths.append(write_text(strict_json(record), folder / "provenance.json"))
    text = account(inputs, results, reference, folder)
    return RunResult(text, summary, folder, tuple(paths))


def _write_tables(
    inputs: StudyInputs,
    results: StudyResults,
    joined: JoinResult,
    folder: Path,
    reference: pd.DataFrame | None,
) -> list[Path]:
    """Write every table of the run."""
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
    }
    if results.truth is not None:
        tables["maps_against_truth"] = results.truth.scores
        tables["maps_coverage"] = results.truth.coverage
    if results.correlation is not None:
        tables["correlation_summary"] = results.correlation.summary
        tables["correlation_space"] = results.correlation.space
        tables["correlation_zones"] = results.correlation.zones
    return [
        write_csv(table, folder / "tables" / f"{name}.csv")
        for name, table in tables.items()
    ]


def _without_geometry(joined: JoinResult) -> pd.DataFrame:
    """Return the joined table as CSV takes it."""
    return pd.DataFrame(joined.table.drop(columns=joined.table.geometry.name))


def _input_files(config: StudyConfig) -> Iterator[Path]:
    """Every file that the settings name."""
    study, tracers = config.study, config.tracers
    named = [config.samples.path, config.elevation, config.output.reference]
    named += [study.region, study.rivers, study.lakes, tracers.end_members]
    for layer in config.layers.values():
        named += [layer.path, layer.table]
    named += [*config.interpolation.covariates.values(), *truth_files(config)]
    yield from (path for path in named if path is not None)
    for climate in config.climate.values():
        yield from climate_files(climate)
    for pattern, key in (
        (config.ndvi.monthly, "ndvi.monthly"),
        (config.ndvi.composites, "ndvi.composites"),
    ):
        if pattern is not None:
            yield from matching_files(pattern, key)
