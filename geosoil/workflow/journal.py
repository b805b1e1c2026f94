"""Results of finished stages, kept while a run is under way so that it can go on."""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from zipfile import BadZipFile

import numpy as np

from geosoil.errors import GeosoilWarning
from geosoil.io._atomic import atomic_path, write_text
from geosoil.io.provenance import file_digest
from geosoil.workflow.kept_values import build, pack
from geosoil.workflow.stages import Report
from geosoil.workflow.stale_files import is_within

Value = TypeVar("Value")

FOLDER = ".geosoil"
"""Folder of the journal within that of the results."""
INDEX = "journal.json"
FORMAT = 1
"""Number of the form of the journal; another one is not read."""


class _UnusableError(Exception):
    """A kept result that is not what was kept."""


class Keeper(Protocol):
    """Computes the results of stages, or takes those that were kept."""

    def value(self, name: str, compute: Callable[[], Value]) -> Value:
        """Return a result, computed or kept."""
        ...

    def files(self, name: str, write: Callable[[], list[Path]]) -> list[Path]:
        """Return files, written now or before."""
        ...


class KeepsNothing:
    """Computes and writes everything, for work that is not interrupted.

    Examples
    --------
    >>> KeepsNothing().value("sum", lambda: 1 + 1)
    2
    """

    def value(self, name: str, compute: Callable[[], Value]) -> Value:
        """Compute a result.

        Parameters
        ----------
        name : str
            Name of the result.
        compute : callable
            What computes it.

        Returns
        -------
        value : object
            The result.
        """
        del name
        return compute()

    def files(self, name: str, write: Callable[[], list[Path]]) -> list[Path]:
        """Write files.

        Parameters
        ----------
        name : str
            Name of the stage.
        write : callable
            What writes them.

        Returns
        -------
        paths : list of Path
            The files.
        """
        del name
        return write()


@dataclass(slots=True)
class Journal:
    """What a run has finished, on disk.

    Notes
    -----
    In ``OUT/.geosoil``: ``journal.json`` with the key of the run and, for each result,
    the SHA-256 of its file; and the files, arrays and a tree of plain values in the
    format of numpy, never pickled objects. A result enters the index when its file is
    whole on disk. What is taken from the journal is equal bit by bit to what was
    computed, and so are the files made of it. The key is the digest of settings, inputs
    and software together: when one of them changes, nothing of the journal is used.
    """

    folder: Path
    """Folder of the results."""
    key: str
    """Digest of all that the results rest on."""
    entries: dict[str, Any] = field(default_factory=dict)
    """What is kept, by name."""

    def value(self, name: str, compute: Callable[[], Value]) -> Value:
        """Return a result: the one that was kept, or computed now and kept.

        Parameters
        ----------
        name : str
            Name of the result.
        compute : callable
            What computes it. Its warnings are given again when the result is kept.

        Returns
        -------
        value : object
            The result, equal bit by bit either way.
        """
        entry = self.entries.get(name)
        if entry is not None:
            try:
                found: Value = _load(self._place / entry["file"], entry["sha256"])
            except _UnusableError as error:
                self._doubt(name, str(error))
            else:
                _warn_again(entry["warnings"])
                return found
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                value = compute()
        finally:
            told = _told(caught)
        return self._kept(name, value, told)

    def files(self, name: str, write: Callable[[], list[Path]]) -> list[Path]:
        """Return the files of a stage: those that are there already, or written now.

        Parameters
        ----------
        name : str
            Name of the stage.
        write : callable
            What writes them.

        Returns
        -------
        paths : list of Path
            The files. They are written again unless each still has its digest.
        """
        entry = self.entries.get(name)
        if entry is not None:
            known = {self.folder / path: d for path, d in entry["files"].items()}
            if all(p.is_file() and file_digest(p) == d for p, d in known.items()):
                return list(known)
        paths = write()
        digests = {p.relative_to(self.folder).as_posix(): file_digest(p) for p in paths}
        self._enter(name, {"files": digests})
        return paths

    def close(self) -> None:
        """Remove the journal: the run is complete."""
        for entry in self.entries.values():
            if "file" in entry:
                (self._place / entry["file"]).unlink(missing_ok=True)
        (self._place / INDEX).unlink(missing_ok=True)

    @property
    def _place(self) -> Path:
        return self.folder / FOLDER

    def _kept(self, name: str, value: Value, told: list[str]) -> Value:
        """Keep a result, and return it as a run that goes on would find it."""
        path = self._place / f"{_slug(name)}.npz"
        try:
            _dump(value, path)
        except TypeError:
            # Of a kind that is not kept; a run that goes on computes it again.
            return value
        digest = file_digest(path)
        found: Value = _load(path, digest)
        self._enter(name, {"file": path.name, "sha256": digest, "warnings": told})
        return found

    def _enter(self, name: str, entry: dict[str, Any]) -> None:
        """Put a result into the index."""
        self.entries[name] = entry
        content = {"format": FORMAT, "key": self.key, "results": self.entries}
        write_text(json.dumps(content, indent=1), self._place / INDEX)

    def _doubt(self, name: str, fault: str) -> None:
        """Say that a kept result is not used."""
        message = (
            f"The result '{name}' of an interrupted run is not used: {fault}. It is "
            "computed again."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=3)


def open_journal(folder: Path, key: str, report: Report) -> Journal:
    """Open the journal of a folder of results, and say what it is good for.

    Parameters
    ----------
    folder : Path
        Folder of the results.
    key : str
        Digest of all that the results rest on.
    report : callable
        Called with a line where there is a journal.

    Returns
    -------
    journal : Journal
        With what an interrupted run of the same key had finished.
    """
    path = folder / FOLDER / INDEX
    if not path.is_file():
        return Journal(folder, key)
    content = _index(path)
    if content is None:
        message = (
            f"'{path}' is damaged. What an interrupted run had finished is computed "
            "again."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=3)
        return Journal(folder, key)
    if content["key"] != key:
        report(
            "an interrupted run lies there, of other settings, inputs or software: "
            "computing everything"
        )
        Journal(folder, key, content["results"]).close()
        return Journal(folder, key)
    report(
        f"going on with the interrupted run: {len(content['results'])} of its steps "
        "are finished"
    )
    return Journal(folder, key, content["results"])


def _index(path: Path) -> dict[str, Any] | None:
    """Read the index of a journal; None where it is not what a run writes."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, OSError):
        return None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return None
    results = content.get("results")
    if not isinstance(results, dict) or not isinstance(content.get("key"), str):
        return None
    whole = all(
        isinstance(entry, dict) and _is_whole(entry) for entry in results.values()
    )
    return content if whole else None


def _is_whole(entry: dict[str, Any]) -> bool:
    """Whether an entry names a file within the journal, or files and their digests."""
    if "files" in entry:
        names = entry["files"]
        return isinstance(names, dict) and all(map(is_within, names))
    named = re.fullmatch(r"[a-z0-9-]+\.npz", str(entry.get("file")))
    return bool(named) and {"sha256", "warnings"} <= set(entry)


def _slug(name: str) -> str:
    """Return a file name for a result, whatever signs its name has."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _dump(value: object, path: Path) -> None:
    """Write a result to its file."""
    arrays: list[Any] = []
    tree = json.dumps(pack(value, arrays), separators=(",", ":")).encode("utf-8")
    named = {f"array_{number}": array for number, array in enumerate(arrays)}
    with atomic_path(path) as part:
        np.savez(part, allow_pickle=False, tree=np.frombuffer(tree, np.uint8), **named)


def _load(path: Path, digest: str) -> Any:  # noqa: ANN401  any kept value
    """Read a result that has a digest."""
    try:
        if file_digest(path) != digest:
            fault = "its file was changed"
            raise _UnusableError(fault)
        with np.load(path, allow_pickle=False) as stored:
            tree = json.loads(stored["tree"].tobytes())
            arrays = [stored[f"array_{i}"] for i in range(len(stored.files) - 1)]
        return build(tree, arrays)
    except (ValueError, KeyError, IndexError, TypeError, OSError, BadZipFile) as error:
        fault = f"it cannot be read ({error})"
        raise _UnusableError(fault) from error


def _told(caught: list[warnings.WarningMessage]) -> list[str]:
    """Give the warnings of a computation, and return those that stay with it."""
    told: dict[tuple[str, str, int], warnings.WarningMessage] = {}
    for found in caught:
        told.setdefault((str(found.message), found.filename, found.lineno), found)
    for found in told.values():
        warnings.warn_explicit(
            found.message, found.category, found.filename, found.lineno
        )
    own = [w for w in told.values() if issubclass(w.category, GeosoilWarning)]
    return [str(found.message) for found in own]


def _warn_again(told: list[str]) -> None:
    """Give the warnings of a computation whose result was kept."""
    for words in told:
        warnings.warn(words, GeosoilWarning, stacklevel=3)
