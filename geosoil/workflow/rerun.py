"""Run a study again from its record, and compare what comes out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosoil.config import PathNames, StudyConfig, read_record
from geosoil.errors import FileFormatError, GeosoilWarning, InputError, MissingFileError
from geosoil.io.provenance import (
    RECORD,
    file_digest,
    software_versions,
)
from geosoil.io.provenance import read_record as read_record_file
from geosoil.workflow.run import run
from geosoil.workflow.stages import unwatched
from geosoil.workflow.verify import compare_inputs, input_places, record_path

RASTERS = (".tif", ".nc")
"""Files that hold the numbers of maps; they must come out byte by byte the same."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run made again beside its record."""

    folder: Path
    """Folder of the new results."""
    same: tuple[str, ...]
    """Outputs that came out byte by byte the same."""
    different: tuple[str, ...]
    """Outputs with other bytes."""
    absent: tuple[str, ...]
    """Outputs of the record that the new run does not write."""
    added: tuple[str, ...]
    """Outputs that the record does not name."""
    software: tuple[str, ...]
    """What differs in software, in words."""

    @property
    def rasters_differ(self) -> tuple[str, ...]:
        """Rasters that are not byte by byte the same."""
        wrong = (*self.different, *self.absent)
        return tuple(name for name in wrong if Path(name).suffix in RASTERS)

    @property
    def text(self) -> str:
        """Account for people."""
        total = len(self.same) + len(self.different) + len(self.absent)
        rasters = sum(Path(name).suffix in RASTERS for name in self.same)
        lines = [
            f"{len(self.same)} of {total} files came out byte by byte the same, "
            f"{rasters} rasters among them."
        ]
        lines += [f"different: {name}" for name in self.different]
        lines += [f"not written any more: {name}" for name in self.absent]
        lines += [f"written in addition: {name}" for name in self.added]
        lines += [f"software: {words}" for words in self.software]
        return "\n".join([*lines, f"New results in {self.folder}"])

    def plain(self) -> dict[str, object]:
        """Return the findings as plain values.

        Returns
        -------
        values : dict
            For ``--json``.
        """
        return {
            "folder": str(self.folder),
            "rasters_same": not self.rasters_differ,
            "same": list(self.same),
            "different": list(self.different),
            "absent": list(self.absent),
            "added": list(self.added),
            "software": list(self.software),
        }


def rerun(
    record: str | Path,
    *,
    output: str | Path | None = None,
    base: str | Path | None = None,
    outside: Sequence[str | Path] = (),
    progress: Callable[[str], None] | None = None,
) -> Rerun:
    """Run a study again from its record, and compare the files.

    Parameters
    ----------
    record : str or Path
        A ``provenance.json``, or the folder it lies in.
    output : str or Path, optional
        Folder of the new results; without it the old folder's name with ``_rerun``.
    base : str or Path, optional
        Folder of the settings file, which the names of inputs start at; looked for
        without it.
    outside : sequence of str or Path
        Where the folders ``<outside-1>`` and so on of the record lie.
    progress : callable, optional
        Called with one line of words a stage and step.

    Returns
    -------
    result : Rerun
        Which files came out byte by byte the same.

    Raises
    ------
    MissingFileError
        If the record or inputs are absent; all are listed.
    FileFormatError
        If the record is damaged, or inputs have changed; all are listed.
    InputError
        If the new results would overwrite those of the record.

    Warns
    -----
    GeosoilWarning
        If versions of software differ from those of the record.
    """
    file = record_path(record)
    found, sealed = read_record_file(file)
    if not sealed:
        message = (
            f"'{file}' was changed after it was written: its own digest does not "
            "agree. Take an unchanged copy."
        )
        raise FileFormatError(message)
    old = file.absolute().parent
    folder = Path(output) if output else old.with_name(f"{old.name}_rerun")
    if folder.resolve() == old.resolve():
        message = (
            f"Give another folder with -o: '{folder}' holds the results to compare."
        )
        raise InputError(message)
    names = input_places(found, file, base=base, outside=outside)
    settings = _settings(found, file, names)
    _check_inputs(found, names)
    software = _software(found)
    if software:
        message = "The software differs from the record's: " + "; ".join(software) + "."
        warnings.warn(message, GeosoilWarning, stacklevel=2)
    run(settings, output=folder, progress=progress or unwatched)
    return _compared(_files(found, "outputs"), folder, software)


def _settings(record: Mapping[str, Any], file: Path, names: PathNames) -> StudyConfig:
    """Build the settings of a record, which must be one of a study."""
    if "config_hash" not in record:
        message = (
            f"'{file}' is the record of another command than 'run'. Give that command "
            "again with its settings, which stand in the record."
        )
        raise InputError(message)
    settings = dict(record["settings"])
    output = settings.get("output")
    if isinstance(output, dict):
        # Results go elsewhere now, and the old folder need not be there.
        settings["output"] = {k: v for k, v in output.items() if k != "folder"}
    return read_record(settings, file, names.place)


def _check_inputs(record: Mapping[str, object], names: PathNames) -> None:
    """Raise unless every input is there and has its digest; tell all faults."""
    states = compare_inputs(record, names)
    wrong = {name: state for name, state in states.items() if state != "same"}
    if not wrong:
        return
    listed = "\n".join(f"- {state}: {name}" for name, state in wrong.items())
    message = (
        f"{len(wrong)} of {len(states)} inputs are not those of the record (names "
        f"start at '{names.base}'):\n{listed}\n"
        "Say where the settings file lay with --base DIR, or bring the files back."
    )
    absent = all(state == "not found" for state in wrong.values())
    raise (MissingFileError if absent else FileFormatError)(message)


def _software(record: Mapping[str, object]) -> tuple[str, ...]:
    """Say which software differs from a record's."""
    then, now = _files(record, "software"), software_versions()
    return tuple(
        f"{name} {then.get(name, 'absent')} then, {now.get(name, 'absent')} now"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    )


def _compared(
    outputs: Mapping[str, Any], folder: Path, software: tuple[str, ...]
) -> Rerun:
    """Compare new files with the digests of a record."""
    new, _ = read_record_file(folder / RECORD)
    written = _files(new, "outputs")
    same: list[str] = []
    different: list[str] = []
    for name in sorted({*outputs} & {*written}):
        equal = file_digest(folder / name) == outputs[name]["sha256"]
        (same if equal else different).append(name)
    return Rerun(
        folder,
        tuple(same),
        tuple(different),
        absent=tuple(sorted({*outputs} - {*written})),
        added=tuple(sorted({*written} - {*outputs})),
        software=software,
    )


def _files(record: Mapping[str, object], key: str) -> dict[str, Any]:
    """One of the tables of a record."""
    found = record[key]
    return dict(found) if isinstance(found, dict) else {}
