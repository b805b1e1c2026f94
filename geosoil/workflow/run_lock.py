"""One run at a time in a folder of results."""

from __future__ import annotations

import os
import platform
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geosoil.errors import GeosoilError, GeosoilWarning

if sys.platform == "win32":
    import msvcrt

    def _seize(handle: int) -> None:
        """Lock a file for this process; the system lets go when the process ends."""
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def _release(handle: int, path: Path) -> None:
        """Let go of the lock, then remove its file: an open one cannot be removed."""
        os.close(handle)
        with suppress(OSError):
            path.unlink()
else:
    import fcntl

    def _seize(handle: int) -> None:
        """Lock a file for this process; the system lets go when the process ends."""
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _release(handle: int, path: Path) -> None:
        """Remove the file while it is held, for it may be another's afterwards."""
        with suppress(OSError):
            path.unlink()
        os.close(handle)


_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)

LOCK = "lock"
"""Name of the file that is locked, in the folder of the journal."""

ATTEMPTS = 100
"""How often the folder is made while others, who let go, remove it."""

LONGEST = 200
"""Bytes of a lock file that are read."""


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold the right to work in a folder; let go at the end.

    Parameters
    ----------
    folder : Path
        Folder of the journal; made when absent.

    Yields
    ------
    None
        While nobody else holds it.

    Raises
    ------
    GeosoilError
        If another process holds it, or the folder cannot be written.

    Warns
    -----
    GeosoilWarning
        If the file system knows no locks.

    Notes
    -----
    The lock is one of the operating system on a file that names the process and its
    machine for people. The system itself drops the lock of a process that dies, by
    whatever cause: none is ever stale, and no number of a dead process is mistaken for
    that of a living one.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place, run_lock(Path(place)):
    ...     [file.name for file in Path(place).iterdir()]
    ['lock']
    """
    path = folder / LOCK
    try:
        handle = _held(path)
    except OSError as error:
        message = (
            f"Cannot write '{path}': {error.strerror}. Give a folder for the results "
            "that may be written, with -o."
        )
        raise GeosoilError(message) from error
    try:
        yield
    finally:
        _release(handle, path)
        with suppress(OSError):
            # Empty when the run is complete.
            folder.rmdir()


def _held(path: Path) -> int:
    """Open and lock the file; the one that has the name, not one that was removed."""
    while True:
        handle = _opened(path)
        try:
            _lock(handle, path)
            if _is_named(handle, path):
                _sign(handle)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _opened(path: Path) -> int:
    """Open the file, made with its folder, which others may remove in between."""
    for _ in range(ATTEMPTS - 1):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, _FLAGS, 0o644)
        except (FileNotFoundError, FileExistsError):
            continue
    path.parent.mkdir(parents=True, exist_ok=True)
    return os.open(path, _FLAGS, 0o644)


def _lock(handle: int, path: Path) -> None:
    """Lock an open file, or say who holds it."""
    try:
        _seize(handle)
    except (BlockingIOError, PermissionError) as error:
        owner = os.pread(handle, LONGEST, 0) if hasattr(os, "pread") else b""
        words = owner.decode("utf-8", "replace").strip() or "another process"
        message = (
            f"A run is under way in '{path.parents[1]}' ({words}). Wait for its end, "
            "or write this one to another folder with -o."
        )
        raise GeosoilError(message) from error
    except OSError as error:
        message = (
            f"The file system of '{path.parents[1]}' knows no locks "
            f"({error.strerror}). Start no second run that writes there."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=4)


def _is_named(handle: int, path: Path) -> bool:
    """Whether the name still stands for the open file."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _sign(handle: int) -> None:
    """Say in the file who holds it."""
    os.ftruncate(handle, 0)
    os.write(handle, f"process {os.getpid()} on {platform.node()}\n".encode())
