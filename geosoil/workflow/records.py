"""The record that lies beside the results of a command, and the files it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geosoil.config import (
    StudyConfig,
    canonical_digest,
    config_hash,
    names_of,
    path_names,
    portable,
    portable_settings,
)
from geosoil.errors import FileFormatError
from geosoil.io._atomic import write_text
from geosoil.io.provenance import (
    RECORD,
    file_entry,
    run_provenance,
    seal,
    software_versions,
)
from geosoil.workflow.inputs import climate_files, matching_files
from geosoil.workflow.mapping_truth import truth_files
from geosoil.workflow.plain_json import strict_json


def input_files(config: StudyConfig) -> dict[str, Path]:
    """Return every file that a study reads, by its name in the record.

    Parameters
    ----------
    config : StudyConfig
        Settings with absolute paths.

    Returns
    -------
    files : dict of str to Path
        Names are relative to the folder of the settings file.

    Raises
    ------
    MissingFileError
        If a pattern of the settings matches no file.
    """
    names = path_names(config)
    return {names.name(path): path for path in sorted(set(_named_files(config)))}


def _named_files(config: StudyConfig) -> Iterator[Path]:
    """Every file that the settings name."""
    study, tracers = config.study, config.tracers
    named = [config.samples.path, config.elevation, config.output.reference]
    named += [study.region, study.rivers, study.lakes, tracers.end_members]
    for layer in config.layers.values():
        named += [layer.path, layer.table]
    named += [*config.interpolation.covariates.values(), *truth_files(config)]
    yield from (path.absolute() for path in named if path is not None)
    for climate in config.climate.values():
        yield from climate_files(climate)
    for pattern, key in (
        (config.ndvi.monthly, "ndvi.monthly"),
        (config.ndvi.composites, "ndvi.composites"),
    ):
        if pattern is not None:
            yield from matching_files(pattern, key)


@dataclass(frozen=True, slots=True)
class ReadFiles:
    """The files that a run reads, as they were when it began."""

    paths: dict[str, Path]
    """Where they lie, by their names in the record."""
    entries: dict[str, dict[str, object]]
    """Their digests and sizes."""
    changed: dict[str, int]
    """When they were changed last [ns]."""


def take_digests(config: StudyConfig) -> ReadFiles:
    """Take the digests of all inputs of a study.

    Parameters
    ----------
    config : StudyConfig
        Settings.

    Returns
    -------
    files : ReadFiles
        Digests, sizes and times.
    """
    paths = input_files(config)
    times = {name: path.stat().st_mtime_ns for name, path in paths.items()}
    entries = {name: file_entry(path) for name, path in paths.items()}
    return ReadFiles(paths, entries, times)


def check_unchanged(files: ReadFiles) -> None:
    """Raise if an input is not what it was when the run began.

    Parameters
    ----------
    files : ReadFiles
        Inputs as they were.

    Raises
    ------
    FileFormatError
        If any has changed; all are listed.
    """
    faults = []
    for name, path in files.paths.items():
        if not path.is_file():
            faults.append(f"- {name} is gone")
        elif path.stat().st_mtime_ns != files.changed[name]:
            entry = file_entry(path)
            if entry != files.entries[name]:
                faults.append(f"- {name} has other bytes now")
    if faults:
        listed = "\n".join(faults)
        message = (
            f"{len(faults)} inputs were changed while the run was reading them:\n"
            f"{listed}\nRun again; nothing of this run is used."
        )
        raise FileFormatError(message)


def run_key(config: StudyConfig, files: ReadFiles) -> str:
    """Return the digest of all that a run's results rest on.

    Parameters
    ----------
    config : StudyConfig
        Settings.
    files : ReadFiles
        Inputs.

    Returns
    -------
    key : str
        64 hexadecimal digits: settings without the folder of the results, inputs, and
        software with geosoil's own code.
    """
    rest = (config_hash(config), files.entries, software_versions())
    return canonical_digest(rest)


def begun_record(config: StudyConfig, files: ReadFiles) -> dict[str, object]:
    """Return what the record of a run says before its files are written.

    Parameters
    ----------
    config : StudyConfig
        Settings.
    files : ReadFiles
        Inputs.

    Returns
    -------
    record : dict
        As ``provenance.json`` will be, without a file written.
    """
    return _study_record(config, files, (), Path())


def write_study_record(
    config: StudyConfig, files: ReadFiles, paths: Iterable[Path], folder: Path
) -> Path:
    """Write the record of a study's run.

    Parameters
    ----------
    config : StudyConfig
        Settings.
    files : ReadFiles
        Inputs.
    paths : iterable of Path
        Files written.
    folder : Path
        Folder of the results.

    Returns
    -------
    path : Path
        ``provenance.json``.
    """
    record = _study_record(config, files, paths, folder)
    return write_text(seal(strict_json(record)), folder / RECORD)


def _study_record(
    config: StudyConfig, files: ReadFiles, paths: Iterable[Path], folder: Path
) -> dict[str, object]:
    """Describe the run of a study that has written some files."""
    file = config.file
    return run_provenance(
        settings=portable_settings(config),
        inputs=files.paths,
        outputs=paths,
        folder=folder,
        more={
            "command": f"geosoil run {file.name}" if file else "geosoil.run(settings)",
            "config_hash": config_hash(config),
            "seeds": {"study": config.study.seed},
        },
        known=files.entries,
    )


def write_command_record(
    settings: Mapping[str, object],
    files: Sequence[Path],
    paths: Iterable[Path],
    folder: Path,
) -> Path:
    """Write the record of a command that works on files named on the command line.

    Parameters
    ----------
    settings : mapping
        What was asked, as plain values.
    files : sequence of Path
        Files read; names start at the folder of the first.
    paths : iterable of Path
        Files written.
    folder : Path
        Folder of the results.

    Returns
    -------
    path : Path
        ``provenance.json``.
    """
    read = [path.absolute() for path in files]
    plain = {key: _with_paths(value) for key, value in settings.items()}
    base = read[0].parent if read else Path.cwd()
    names = names_of([*read, *_paths_in(plain)], base)
    record = run_provenance(
        settings={key: portable(value, names) for key, value in plain.items()},
        inputs={names.name(path): path for path in read},
        outputs=paths,
        folder=folder,
    )
    return write_text(seal(strict_json(record)), folder / RECORD)


def _with_paths(value: object) -> object:
    """Copy of plain values in which absolute paths given as words are paths."""
    if isinstance(value, str):
        return Path(value) if Path(value).is_absolute() else value
    if isinstance(value, Mapping):
        return {key: _with_paths(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_paths(item) for item in value]
    return value


def _paths_in(value: object) -> Iterator[Path]:
    """Every path in plain values."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, Mapping):
        yield from _paths_in(list(value.values()))
    elif isinstance(value, list):
        for item in value:
            yield from _paths_in(item)
