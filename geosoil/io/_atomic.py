"""Write files so that a name holds the old content or the new, never a half."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from geosoil.errors import GeosoilError


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
        Hidden name beside the target with the same suffix, to be written and closed
        inside the block.

    Raises
    ------
    GeosoilError
        If the disk is full, the folder cannot be written or nothing was written; the
        target keeps its old content.

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
    part = target.with_name(f".{target.name}.{os.getpid()}.part{target.suffix}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target)
        yield part
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
        _sync_folder(target.parent)
    except BaseException as error:
        _remove(part)
        if isinstance(error, OSError) and not isinstance(error, GeosoilError):
            message = (
                f"Cannot write '{target}': {error.strerror or error}. What was there "
                "before is unchanged. Check the free space and that the folder may be "
                "written."
            )
            raise GeosoilError(message) from error
        raise


def write_bytes(data: bytes, path: str | os.PathLike[str]) -> Path:
    """Write bytes to a file, whole or not at all.

    Parameters
    ----------
    data : bytes
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
    ...     write_bytes(b"abc", Path(folder) / "a.bin").read_bytes()
    b'abc'
    """
    with atomic_path(path) as part:
        part.write_bytes(data)
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


def _sweep(target: Path) -> None:
    """Remove what a killed process left of an earlier write to the target."""
    if os.name != "posix":
        return
    pattern = f".{glob.escape(target.name)}.*.part{glob.escape(target.suffix)}"
    for leftover in target.parent.glob(pattern):
        process = leftover.name.removeprefix(f".{target.name}.").partition(".")[0]
        if process.isdecimal() and not _is_alive(int(process)):
            _remove(leftover)


def _is_alive(process: int) -> bool:
    """Whether a process of this number runs."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove(part: Path) -> None:
    """Remove a temporary file where there is one."""
    try:
        part.unlink(missing_ok=True)
    except OSError:
        # The error that led here tells more than a failed removal would.
        return


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; systems without folder handles need no call."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
