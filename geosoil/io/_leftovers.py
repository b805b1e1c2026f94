"""Tell what killed processes left of their writes from what is being written."""

from __future__ import annotations

import functools
import hashlib
import os
import platform
import re
import shutil
import time
from pathlib import Path

ACTIVE: set[str] = set()
"""Tokens of the writes under way in this process."""

_NAME = re.compile(r"\..*\.(([0-9a-f]{8})-(\d+)-(\d+)-\d+)\.part", re.DOTALL)
_DAY = 86_400.0


def own_token() -> str:
    """Return words that name this process among those of all machines.

    Returns
    -------
    token : str
        ``<place>-<process number>-<start>``: processes that see each other's numbers
        share a place, and the start tells a number from its later reuse.

    Examples
    --------
    >>> own_token().split("-")[1] == str(os.getpid())
    True
    """
    process = os.getpid()
    state = _state(process)
    return f"{_place()}-{process}-{state[1] if state else 0}"


def sweep_folder(folder: Path) -> tuple[list[Path], list[Path]]:
    """Remove what killed processes left in one folder.

    Parameters
    ----------
    folder : Path
        Folder to look through; an absent or unreadable one holds nothing.

    Returns
    -------
    removed : list of Path
        Leftovers removed.
    folders : list of Path
        Other folders found in it, without symbolic links.
    """
    removed, folders = [], []
    try:
        with os.scandir(folder) as entries:
            found = sorted(e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        # Nothing can be swept here; writing will tell what is wrong, if it is.
        return [], []
    for name in found:
        place = folder / name
        match = _NAME.fullmatch(name)
        if match is None:
            folders.append(place)
        elif _is_abandoned(place, match):
            remove_room(place)
            removed.append(place)
    return removed, folders


def remove_room(room: Path) -> None:
    """Remove a folder of parts where that can be done; the next sweep tries again.

    Parameters
    ----------
    room : Path
        Folder, with all in it.
    """
    try:
        shutil.rmtree(room, ignore_errors=True)
    except OSError:
        # Not all errors are ignored by that; what led here tells more than they do.
        return


def _is_abandoned(place: Path, match: re.Match[str]) -> bool:
    """Whether nobody will finish the write that a folder belongs to."""
    token, home, process, start = match.groups()
    if token in ACTIVE:
        return False
    if home == _place() and os.name == "posix":
        return not _is_running(int(process), int(start))
    return _age(place) > _DAY


def _is_running(process: int, start: int) -> bool:
    """Whether the process of this number that started then still runs."""
    if process == os.getpid():
        # Its write is not among the active ones: cleaning up had failed.
        return False
    state = _state(process)
    if state is not None:
        return state[0] not in "ZX" and start in (0, state[1])
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _state(process: int) -> tuple[str, int] | None:
    """Return state and start of a process, None where the system does not tell."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    fields = text.rpartition(")")[2].split()
    return fields[0], int(fields[19])


@functools.cache
def _place() -> str:
    """Return a short digest of the machine, its boot and its room of processes."""
    words = [platform.node()]
    try:
        words.append(Path("/proc/sys/kernel/random/boot_id").read_text("utf-8"))
        words.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    except OSError:
        # Without these the name of the machine has to do.
        words.append("")
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:8]


def _age(place: Path) -> float:
    """Return the seconds since anything in a folder was changed."""
    try:
        changes = [file.lstat().st_mtime for file in (place, *place.iterdir())]
    except OSError:
        return 0.0
    return time.time() - max(changes)
