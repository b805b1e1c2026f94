"""Compare the files of a finished run with the digests of its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geosoil.config import PathNames
from geosoil.errors import GeosoilError, InputError
from geosoil.io.provenance import RECORD, file_digest, read_record
from geosoil.workflow.journal import FOLDER
from geosoil.workflow.stale_files import is_within

FLOORS = 4
"""Folders above a record that inputs are looked for from."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What became of the files of a run."""

    folder: Path
    """Folder of the results."""
    same: tuple[str, ...]
    """Outputs that are byte by byte what was written."""
    changed: tuple[str, ...]
    """Outputs with other bytes; the record itself where it was changed."""
    missing: tuple[str, ...]
    """Outputs that are gone."""
    unlisted: tuple[str, ...]
    """Files that the run did not write."""
    inputs: Mapping[str, str]
    """Inputs by name: "same", "changed" or "not found"; empty unless asked for."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed or lost."""
        wrong = "changed" in self.inputs.values()
        return not (self.changed or self.missing or wrong)

    @property
    def text(self) -> str:
        """Account for people."""
        total = len(self.same) + len(self.changed) + len(self.missing)
        lines = [f"{len(self.same)} of {total} files in '{self.folder}' are unchanged."]
        lines += [f"changed: {name}" for name in self.changed]
        lines += [f"missing: {name}" for name in self.missing]
        lines += [f"not of this run: {name}" for name in self.unlisted]
        if self.inputs:
            found = [state for state in self.inputs.values() if state != "not found"]
            lines.append(f"{len(found)} of {len(self.inputs)} inputs were found.")
            lines += [
                f"input {state}: {name}"
                for name, state in self.inputs.items()
                if state != "same"
            ]
        return "\n".join(lines)

    def plain(self) -> dict[str, object]:
        """Return the findings as plain values.

        Returns
        -------
        values : dict
            For ``--json``.
        """
        return {
            "whole": self.is_whole,
            "same": len(self.same),
            "changed": list(self.changed),
            "missing": list(self.missing),
            "unlisted": list(self.unlisted),
            "inputs": dict(self.inputs),
        }


def verify_folder(
    folder: str | Path,
    *,
    inputs: bool = False,
    base: str | Path | None = None,
    outside: Sequence[str | Path] = (),
) -> Verification:
    """Compare the files of a run with its record.

    Parameters
    ----------
    folder : str or Path
        Folder of the results, with a ``provenance.json``; or that file.
    inputs : bool
        Whether the inputs are looked for and compared too.
    base : str or Path, optional
        Folder of the settings file, which the names of inputs start at; without it the
        folders above the results are tried.
    outside : sequence of str or Path
        Where the folders ``<outside-1>`` and so on of the record lie.

    Returns
    -------
    found : Verification
        Unchanged, changed, missing and unlisted files.

    Raises
    ------
    MissingFileError
        If there is no record.
    FileFormatError
        If the record cannot be read.

    Notes
    -----
    The record holds the SHA-256 of each file and, in ``record_sha256``, of all its own
    other bytes. It tells damage and mistakes. Who means to forge results can write a
    new record; against that, keep its digest elsewhere.
    """
    record_file = record_path(folder)
    record, sealed = read_record(record_file)
    place = record_file.parent
    states = {name: _state(place, name, e) for name, e in _entries(record, "outputs")}
    found: dict[str, list[str]] = {"same": [], "changed": [], "missing": []}
    for name, state in {**states, RECORD: "same" if sealed else "changed"}.items():
        found[state].append(name)
    known = {*states, RECORD}
    present = (path for path in sorted(place.rglob("*")) if not path.is_dir())
    names = (path.relative_to(place).as_posix() for path in present)
    compared: dict[str, str] = {}
    if inputs:
        where = input_places(record, record_file, base=base, outside=outside)
        compared = compare_inputs(record, where)
    return Verification(
        place,
        same=tuple(found["same"]),
        changed=tuple(found["changed"]),
        missing=tuple(found["missing"]),
        unlisted=tuple(n for n in names if n not in known and not _is_own(n)),
        inputs=compared,
    )


def record_path(place: str | Path) -> Path:
    """Return the record of a folder of results.

    Parameters
    ----------
    place : str or Path
        The folder, or the record itself.

    Returns
    -------
    path : Path
        The record, which may be absent.
    """
    path = Path(place)
    return path if path.suffix == ".json" else path / RECORD


def input_places(
    record: Mapping[str, object],
    record_file: Path,
    *,
    base: str | Path | None,
    outside: Sequence[str | Path],
) -> PathNames:
    """Find the folder that the names of a record's inputs start at.

    Parameters
    ----------
    record : mapping
        Record of a run.
    record_file : Path
        Where it lies.
    base : str or Path, optional
        The folder, where it is known.
    outside : sequence of str or Path
        Where the folders ``<outside-1>`` and so on lie.

    Returns
    -------
    names : PathNames
        Of that folder; else of the one from which most inputs are found: the folder of
        work, those above the record, and those beside it with one floor below.
    """
    apart = tuple(Path(folder).absolute() for folder in outside)
    if base is not None:
        return PathNames(Path(base).absolute(), apart)
    here = record_file.absolute().parent
    tried = [Path.cwd(), here, *here.parents[:FLOORS]]
    tried += _folders(here.parent)
    names = [name for name, _ in _entries(record, "inputs")]
    found = [PathNames(folder, apart) for folder in tried]
    return max(found, key=lambda own: sum(_exists(own, name) for name in names))


def compare_inputs(record: Mapping[str, object], names: PathNames) -> dict[str, str]:
    """Compare the inputs of a run with its record.

    Parameters
    ----------
    record : mapping
        Record of a run.
    names : PathNames
        Where its inputs lie.

    Returns
    -------
    states : dict of str to str
        "same", "changed" or "not found" by name.
    """
    states = {}
    for name, entry in _entries(record, "inputs"):
        if not _exists(names, name):
            states[name] = "not found"
            continue
        same = file_digest(names.place(name)) == entry["sha256"]
        states[name] = "same" if same else "changed"
    return states


def _entries(record: Mapping[str, object], key: str) -> list[tuple[str, Any]]:
    """Names and entries of the files of a record."""
    files = record[key]
    return list(files.items()) if isinstance(files, dict) else []


def _state(folder: Path, name: str, entry: Mapping[str, object]) -> str:
    """Say what became of an output."""
    if not is_within(name):
        message = (
            f"The record names '{name}', which lies outside of '{folder}': it was not "
            "written by geosoil."
        )
        raise InputError(message)
    path = folder / name
    if not path.is_file():
        return "missing"
    if path.stat().st_size != entry["bytes"]:
        return "changed"
    return "same" if file_digest(path) == entry["sha256"] else "changed"


def _is_own(name: str) -> bool:
    """Whether a file is the journal of a run under way or interrupted."""
    return name.startswith(f"{FOLDER}/")


def _exists(names: PathNames, name: str) -> bool:
    """Whether an input lies where it is looked for."""
    try:
        return names.place(name).is_file()
    except GeosoilError:
        return False


def _folders(folder: Path) -> list[Path]:
    """Folders in a folder and one floor below, the first hundred."""
    found: list[Path] = []
    for pattern in ("*", "*/*"):
        found += [path for path in sorted(folder.glob(pattern)) if path.is_dir()]
    return found[:100]
