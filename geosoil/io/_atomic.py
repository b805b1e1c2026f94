"""Write files so that a name holds the old content or the new, never a half."""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from geosoil.errors import GeosoilError
from geosoil.io._leftovers import ACTIVE, own_token, remove_room, sweep_folder

_CHUNK = 1 << 22
_LONGEST = 255
_EXCLUSIVE = os.O_CREAT | os.O_EXCL | os.O_WRONLY
# Flags that some systems lack: bytes as they are, and no symbolic link followed.
_PLAIN = getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
_NO_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS}
_NO_HANDLE = _NO_SYNC | {errno.EACCES, errno.EPERM}

_FULL = "Free space on the disk or write to another one."
_FORBIDDEN = "Write to a folder that you may change."
_IN_THE_WAY = "Move away what is in the way or give another name."
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _FORBIDDEN,
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EIO: "The disk reports an error: check it and write to another one.",
    errno.ENAMETOOLONG: "Give a shorter name.",
    errno.EISDIR: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTEMPTY: _IN_THE_WAY,
}
_numbers = itertools.count()


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path whose file replaces the target when the block ends.

    Parameters
    ----------
    path : path
        File to write. Its folder is made when absent. A symbolic link is replaced
        itself; the file it points to stays as it is.

    Yields
    ------
    part : Path
        Name to be written and closed inside the block, with the suffix of the target,
        in a hidden folder of its own beside the target: what libraries leave beside
        their files (journals, sidecars, temporary overviews) goes with that folder.

    Raises
    ------
    GeosoilError
        If the disk is full, the folder cannot be written or nothing was written; the
        target keeps its old content. If only the last confirmation of the disk fails,
        the new content is in place, and the message says so.

    Notes
    -----
    The file is brought to the disk before it takes the place of the target, and so is
    the new name. What killed processes left in the folder is removed first; see
    :func:`sweep_leftovers`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "note.txt") as part:
    ...         _ = part.write_text("done")
    ...     [file.name for file in Path(folder).iterdir()]
    ['note.txt']
    """
    target = Path(path)
    token = f"{own_token()}-{next(_numbers)}"
    room = _make_room(target, token)
    try:
        part = room / _inner_name(target)
        yield part
        _check_closed(part)
        bring_to_disk(part)
        part.replace(target)
    except OSError as error:
        if isinstance(error, GeosoilError):
            raise
        raise GeosoilError(_words(target, error)) from error
    finally:
        remove_room(room)
        ACTIVE.discard(token)
    _bring_name_to_disk(target)


def write_bytes(data: bytes, path: str | os.PathLike[str]) -> Path:
    """Write bytes to a file, whole or not at all.

    Parameters
    ----------
    data : bytes
        Content. It is read again and compared before it replaces the target.
    path : path
        File to write.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    GeosoilError
        If the file cannot be written, or differs when read again.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(b"abc", Path(folder) / "a.bin").read_bytes()
    b'abc'
    """
    with atomic_path(path) as part:
        store_bytes(data, part)
    return Path(path)


def write_text(text: str, path: str | os.PathLike[str]) -> Path:
    r"""Write text as UTF-8 with ``\n`` line ends, whole or not at all.

    Parameters
    ----------
    text : str
        Content.
    path : path
        File to write.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    GeosoilError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text("δ18O", Path(folder) / "a.txt").read_text("utf-8")
    'δ18O'
    """
    return write_bytes(text.encode("utf-8"), path)


def write_csv(frame: pd.DataFrame, path: str | os.PathLike[str]) -> Path:
    r"""Write a table as CSV (UTF-8, ``\n``, full precision), whole or not at all.

    Parameters
    ----------
    frame : DataFrame
        Table; its index is written only where it has a name.
    path : path
        File to write.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    GeosoilError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table = pd.DataFrame({"d18O": [-12.5, None]})
    ...     write_csv(table, Path(folder) / "a.csv").read_text()
    'd18O\n-12.5\n""\n'
    """
    named = any(name is not None for name in frame.index.names)
    return write_text(frame.to_csv(index=named, lineterminator="\n"), path)


def sweep_leftovers(folder: str | os.PathLike[str]) -> list[Path]:
    """Remove what killed processes left of writes in a folder and its subfolders.

    Parameters
    ----------
    folder : path
        Folder of results; two floors of folders below it are looked through as well.
        Symbolic links are not followed.

    Returns
    -------
    removed : list of Path
        The leftovers removed. What a living process is writing stays; what another
        machine left goes after a day without a change.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sweep_leftovers(folder)
    []
    """
    removed, floor = [], [Path(folder)]
    for _ in range(3):
        below: list[Path] = []
        for place in floor:
            found, folders = sweep_folder(place)
            removed += found
            below += folders
        floor = below
    return removed


def _make_room(target: Path, token: str) -> Path:
    """Make the hidden folder in which the part is written, for this process alone."""
    ending = f".{token}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep_folder(target.parent)
        name = os.fsencode(f".{target.name}")[: _LONGEST - len(ending)]
        room = target.with_name(name.decode("utf-8", "ignore") + ending)
        ACTIVE.add(token)
        room.mkdir(mode=0o700)
    except (OSError, ValueError) as error:
        ACTIVE.discard(token)
        raise GeosoilError(_words(target, error)) from error
    return room


def _inner_name(target: Path) -> str:
    """Return the target's own name, shorter where sidecars would find no room."""
    name = target.name
    return name if len(os.fsencode(name)) <= 200 else f"part{target.suffix[:50]}"


def _words(target: Path, error: OSError | ValueError) -> str:
    """Say that a target could not be written, why, and what to do."""
    number = error.errno if isinstance(error, OSError) else None
    advice = "Check the free space and that the folder may be written."
    cause = error.strerror if isinstance(error, OSError) else None
    return (
        f"Cannot write '{target}': {cause or error}. What was there before is "
        f"unchanged. {_ADVICE.get(number or 0, advice)}"
    )


def store_bytes(data: bytes, part: Path) -> None:
    """Write bytes to a file that does not exist yet, and compare what it holds.

    Parameters
    ----------
    data : bytes
        Content.
    part : Path
        Name that :func:`atomic_path` gave.

    Raises
    ------
    OSError
        If the file cannot be written, or differs when read again.
    """
    handle = os.open(part, _EXCLUSIVE | _PLAIN, 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest[:_CHUNK]) :]
    finally:
        os.close(handle)
    if not _holds(data, part):
        message = "read again, it differs from what was written"
        raise OSError(errno.EIO, message)


def _holds(data: bytes, part: Path) -> bool:
    """Whether a file holds these bytes and no more."""
    handle = os.open(part, os.O_RDONLY | _PLAIN)
    try:
        rest = memoryview(data)
        while block := os.read(handle, _CHUNK):
            if rest[: len(block)] != block:
                return False
            rest = rest[len(block) :]
        return not rest
    finally:
        os.close(handle)


def _check_closed(part: Path) -> None:
    """Raise if a database still keeps rows outside of its file."""
    for ending in ("-wal", "-journal"):
        beside = part.with_name(part.name + ending)
        if beside.exists() and beside.stat().st_size:
            message = f"'{part.name}' was not closed: '{beside.name}' is left"
            raise OSError(message)


def bring_to_disk(part: Path) -> None:
    """Wait until the content of a file is on the disk.

    Parameters
    ----------
    part : Path
        File written and closed.

    Raises
    ------
    OSError
        If the disk refuses, or this is no plain file.
    """
    handle = os.open(part, os.O_RDWR | _PLAIN)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            message = "what was written is no plain file"
            raise OSError(message)
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC:
            raise
    finally:
        os.close(handle)


def _bring_name_to_disk(target: Path) -> None:
    """Make the new name durable, where folders can be opened and brought to disk."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    try:
        handle = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in _NO_HANDLE:
            return
        message = (
            f"'{target}' holds its new content, but the disk did not confirm it: "
            f"{error.strerror or error}. Check the disk and write the file again."
        )
        raise GeosoilError(message) from error
