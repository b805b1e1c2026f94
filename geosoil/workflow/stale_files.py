"""Files of an earlier run that the new one does not write."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from geosoil.errors import GeosoilError, GeosoilWarning
from geosoil.io.provenance import RECORD, file_digest, read_record
from geosoil.workflow.stages import Report


def is_within(name: str) -> bool:
    """Return whether a name of a record stays within the folder of the results.

    Parameters
    ----------
    name : str
        Name of an output.

    Returns
    -------
    within : bool
        False for absolute names and those that climb.

    Examples
    --------
    >>> is_within("tables/a.csv"), is_within("../a.csv"), is_within("/etc/passwd")
    (True, False, False)
    """
    path = Path(name)
    return not path.is_absolute() and not path.drive and ".." not in path.parts


def written_before(folder: Path) -> dict[str, str]:
    """Return what an earlier run wrote to a folder.

    Parameters
    ----------
    folder : Path
        Folder of results.

    Returns
    -------
    digests : dict of str to str
        SHA-256 of each file by its name; empty without a whole record.
    """
    try:
        record, sealed = read_record(folder / RECORD)
    except GeosoilError:
        return {}
    outputs = record["outputs"]
    if not sealed or not isinstance(outputs, dict):
        return {}
    names = filter(is_within, outputs)
    return {name: str(outputs[name]["sha256"]) for name in names}


def remove_stale(folder: Path, written: Iterable[Path], report: Report) -> list[Path]:
    """Remove what an earlier run wrote and this one did not, but nobody's own file.

    Parameters
    ----------
    folder : Path
        Folder of results, still with the record of the earlier run.
    written : iterable of Path
        Files of this run.
    report : callable
        Called with a line where there are any.

    Returns
    -------
    removed : list of Path
        Files that were, byte by byte, those of the earlier record.

    Warns
    -----
    GeosoilWarning
        If such a file was changed since; it stays.
    """
    own = {path.relative_to(folder).as_posix() for path in written}
    removed, changed = [], []
    for name, digest in written_before(folder).items():
        path = folder / name
        if name in own or not path.is_file() or path.is_symlink():
            continue
        if file_digest(path) != digest:
            changed.append(name)
            continue
        path.unlink()
        removed.append(path)
        with suppress(OSError):
            path.parent.rmdir()
    if removed:
        names = _some([path.relative_to(folder).as_posix() for path in removed])
        report(f"removed {len(removed)} files of an earlier run: {names}")
    if changed:
        message = (
            f"{len(changed)} files in '{folder}' are of an earlier run and were "
            f"changed since; they stay, but are none of this run: {_some(changed)}."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=2)
    return removed


def _some(names: list[str]) -> str:
    """Return the first of many names."""
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
