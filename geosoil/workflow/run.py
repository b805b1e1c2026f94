"""Run a study: open, compute, write."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from geosoil.config import StudyConfig, read_config
from geosoil.correlation import blocks as correlation_blocks
from geosoil.errors import ConfigError, InputError
from geosoil.interpolation import kriging_scaled
from geosoil.io._atomic import sweep_leftovers
from geosoil.workflow.correlation import correlate_study, correlated_names
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.fractions import solve_study
from geosoil.workflow.inputs import StudyInputs, open_inputs
from geosoil.workflow.join import join_samples
from geosoil.workflow.journal import FOLDER, Journal, open_journal
from geosoil.workflow.mapping import map_fractions
from geosoil.workflow.mapping_truth import check_truth
from geosoil.workflow.records import (
    ReadFiles,
    check_unchanged,
    run_key,
    take_digests,
    write_study_record,
)
from geosoil.workflow.run_lock import run_lock
from geosoil.workflow.stages import Stages, unwatched
from geosoil.workflow.stale_files import remove_stale
from geosoil.workflow.study_draws import study_draws
from geosoil.workflow.study_files import WRITERS, Finished
from geosoil.workflow.study_tables import study_tables
from geosoil.workflow.summary import read_reference, summarise
from geosoil.workflow.words import account

OPENING = (
    "opening and checking the inputs",
    "taking the digests of the inputs",
)
"""Stages before anything is computed."""

COMPUTING = (
    "fitting water lines and solving source fractions",
    "drawing the shares of strata",
    "joining samples to rasters",
    "interpolating source fractions",
    "correlating over time and space",
    "holding the maps against the truth",
    "comparing groups and correlating at points",
)
"""Stages that compute, and write the rasters."""

RECORDING = "recording what was read and written"
"""The last stage."""


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
    removed: tuple[Path, ...] = ()
    """Files of an earlier run that this one does not write, removed."""


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
        Called with one line of words a stage and step. The lines are
        `geosoil.workflow.stages.ProgressLine`: text that also tells its place.

    Returns
    -------
    result : RunResult
        Account, values and files.

    Raises
    ------
    GeosoilError
        If settings or inputs cannot be used, nothing is then half-written; or if
        another run is under way in the folder.

    Notes
    -----
    What is finished is kept in ``OUT/.geosoil`` until the run is complete. A run that
    was interrupted, by whatever cause, goes on from there when it is started again, and
    gives the same files byte by byte; if settings, inputs or software have changed it
    begins anew.
    """
    settings = config if isinstance(config, StudyConfig) else read_config(config)
    folder = Path(output) if output is not None else settings.output.folder
    stages = Stages(stage_names(), progress or unwatched)
    stages.begin()
    reference = read_reference(settings.output.reference)
    inputs = open_inputs(settings)
    with _unspoilt(folder), run_lock(folder / FOLDER):
        sweep_leftovers(folder)
        report = stages.begin()
        files = take_digests(settings)
        journal = open_journal(folder, run_key(settings, files), report)
        read = _Read(inputs, files, reference)
        done = _compute(read, folder, stages, journal)
        paths = _rasters(done.results)
        for name, write in WRITERS:
            make = partial(write, done, tuple(paths), stages.begin())
            paths += journal.files(name, make)
        report = stages.begin()
        check_unchanged(files)
        removed = remove_stale(folder, paths, report)
        paths.append(write_study_record(settings, files, paths, folder))
        journal.close()
    text = account(inputs, done.results, reference, folder)
    summary = summarise(inputs, done.results, reference)
    return RunResult(text, summary, folder, tuple(paths), tuple(removed))


def stage_names() -> tuple[str, ...]:
    """Return words for the stages of a run.

    Returns
    -------
    names : tuple of str
        In their order.
    """
    return (*OPENING, *COMPUTING, *(words for words, _ in WRITERS), RECORDING)


@contextmanager
def _unspoilt(folder: Path) -> Iterator[None]:
    """Leave nothing behind where the study is at fault before anything is written."""
    stood = folder.exists()
    try:
        yield
    except (ConfigError, InputError):
        if folder.is_dir() and {path.name for path in folder.iterdir()} <= {FOLDER}:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
            if not stood:
                with suppress(OSError):
                    folder.rmdir()
        raise


@dataclass(frozen=True, slots=True)
class _Read:
    """All that a run reads."""

    inputs: StudyInputs
    files: ReadFiles
    reference: pd.DataFrame | None


def _compute(read: _Read, folder: Path, stages: Stages, journal: Journal) -> Finished:
    """Compute every result of a study, or take what an interrupted run had finished."""
    # A run that goes on must compute as a whole one does, whatever it has loaded.
    correlation_blocks.load_kernels()
    kriging_scaled.load_kernels()
    inputs, reference = read.inputs, read.reference
    config = inputs.config
    report = stages.begin(steps=1 + len(config.tracers.sources))
    fractions = journal.value("fractions", lambda: solve_study(inputs, report))
    stages.begin()
    draws = journal.value("draws", lambda: study_draws(inputs, fractions.samples))
    joined = join_samples(inputs, stages.begin(), journal)
    report = stages.begin(steps=len(config.tracers.sources))
    maps = map_fractions(inputs, fractions.sites, folder, report, journal)
    report = stages.begin(steps=len(correlated_names(config)))
    correlation = correlate_study(inputs, folder, report, journal)
    stages.begin()
    truth = journal.value("truth", lambda: check_truth(inputs, maps))
    results = StudyResults(fractions, draws, maps, correlation, truth)
    stages.begin()
    tables = journal.value(
        "tables", lambda: study_tables(inputs, results, joined, reference)
    )
    return Finished(inputs, read.files, results, joined, tables, reference, folder)


def _rasters(results: StudyResults) -> list[Path]:
    """Return the rasters that were written as they were computed."""
    correlation = results.correlation
    return [*results.maps.paths, *(correlation.paths if correlation else ())]
