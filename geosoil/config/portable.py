"""Settings and files by names that hold no machine's folders, and their short hash."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from geosoil.config.base import Settings
from geosoil.config.study import StudyConfig
from geosoil.errors import InputError

HASH_DIGITS = 12
"""Hexadecimal digits of a short hash: chance makes two alike once in 10**14."""

OUTSIDE = re.compile(r"<outside-(\d+)>/(.+)")
WILD = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class PathNames:
    """How files are named: relative to a folder, those far from it by a number.

    Examples
    --------
    >>> names = PathNames(Path("/home/a/study"), (Path("/store/modis"),))
    >>> names.name(Path("/home/a/rain.nc")), names.name(Path("/store/modis/x.hdf"))
    ('../rain.nc', '<outside-1>/x.hdf')
    """

    base: Path
    """Folder that names start at, absolute."""
    outside: tuple[Path, ...] = ()
    """Folders that share nothing with it but the root."""

    def name(self, path: Path) -> str:
        """Return the name of a file.

        Parameters
        ----------
        path : Path
            File or pattern, absolute.

        Returns
        -------
        name : str
            Relative to the base, with ``/``; ``<outside-1>/...`` for the first folder
            outside.
        """
        for number, folder in enumerate(self.outside, start=1):
            if path.is_relative_to(folder) and not _is_near(path, self.base):
                return f"<outside-{number}>/{path.relative_to(folder).as_posix()}"
        return Path(os.path.relpath(path, self.base)).as_posix()

    def place(self, name: str) -> Path:
        """Return where a named file lies.

        Parameters
        ----------
        name : str
            As :meth:`name` gives it.

        Returns
        -------
        path : Path
            Absolute.

        Raises
        ------
        InputError
            If it lies in a folder outside that is not given.
        """
        found = OUTSIDE.fullmatch(name)
        if found is None:
            return Path(os.path.normpath(self.base / name))
        number = int(found.group(1))
        if not 1 <= number <= len(self.outside):
            message = (
                f"'{name}' lay in a folder apart from the study's. Say where it is "
                f"with --outside DIR, once for each of <outside-1> to "
                f"<outside-{number}>."
            )
            raise InputError(message)
        return Path(os.path.normpath(self.outside[number - 1] / found.group(2)))


def path_names(config: StudyConfig) -> PathNames:
    """Return how the files of a study are named.

    Parameters
    ----------
    config : StudyConfig
        Settings with absolute paths.

    Returns
    -------
    names : PathNames
        Relative to the folder of the settings file; without one, to that of the
        samples.
    """
    file = config.file or config.samples.path
    return names_of(_paths(config.model_dump()), file.absolute().parent)


def names_of(paths: Iterable[Path], base: Path) -> PathNames:
    """Return how files are named from a folder.

    Parameters
    ----------
    paths : iterable of Path
        Files and patterns, in a fixed order.
    base : Path
        Folder that names start at, absolute.

    Returns
    -------
    names : PathNames
        With the folders of the files that lie apart, in their order.
    """
    outside: list[Path] = []
    for path in (path.absolute() for path in paths):
        apart = not _is_near(path, base)
        if apart and not any(path.is_relative_to(folder) for folder in outside):
            fixed = _fixed(path)
            at_root = str(fixed.parent) == fixed.anchor
            outside.append(fixed if at_root else fixed.parent)
    return PathNames(base, tuple(outside))


def portable(value: object, names: PathNames) -> object:
    """Return a copy of plain values in which every path is a name.

    Parameters
    ----------
    value : object
        Plain value, or mapping or sequence of these.
    names : PathNames
        How files are named.

    Returns
    -------
    copy : object
        Lists for tuples.
    """
    if isinstance(value, Path):
        return names.name(value.absolute())
    if isinstance(value, Mapping):
        return {str(key): portable(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [portable(item, names) for item in value]
    if isinstance(value, Settings):
        return portable(value.model_dump(), names)
    return value


def portable_settings(config: StudyConfig) -> dict[str, object]:
    """Return the settings as plain values, the same on every machine.

    Parameters
    ----------
    config : StudyConfig
        Settings.

    Returns
    -------
    settings : dict
        What :func:`geosoil.config.read_record` takes.
    """
    names = path_names(config)
    return {key: portable(value, names) for key, value in config.model_dump().items()}


def config_hash(config: StudyConfig) -> str:
    """Return the short hash that all files of a study carry.

    Parameters
    ----------
    config : StudyConfig
        Settings. Where the results go does not count.

    Returns
    -------
    digits : str
        12 hexadecimal digits of the SHA-256 of the settings.

    Examples
    --------
    >>> config = StudyConfig(samples={"path": "/home/a/waters.csv"})
    >>> elsewhere = StudyConfig(samples={"path": "/data/b/waters.csv"})
    >>> config_hash(config) == config_hash(elsewhere), len(config_hash(config))
    (True, 12)
    """
    settings = portable_settings(config)
    output = settings["output"]
    if isinstance(output, dict):
        settings["output"] = {k: v for k, v in output.items() if k != "folder"}
    return canonical_digest(settings)[:HASH_DIGITS]


def canonical_digest(values: object) -> str:
    """Return the SHA-256 of plain values, whatever the order of their keys.

    Parameters
    ----------
    values : object
        Values that JSON knows.

    Returns
    -------
    digest : str
        64 hexadecimal digits.

    Examples
    --------
    >>> canonical_digest({"a": 1, "b": 2}) == canonical_digest({"b": 2, "a": 1})
    True
    """
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _paths(value: object) -> Iterator[Path]:
    """Every path in plain values, in their order."""
    if isinstance(value, Path):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _paths(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _paths(item)


def _is_near(path: Path, base: Path) -> bool:
    """Whether two places share more than the root of the file system."""
    if path.anchor != base.anchor:
        return False
    common = os.path.commonpath([path, base])
    return common != base.anchor or str(base) == base.anchor


def _fixed(path: Path) -> Path:
    """Return the path up to the first part with a wild card."""
    parts: list[str] = []
    for part in path.parts:
        parts.append(part)
        if WILD & set(part):
            break
    return Path(*parts)
