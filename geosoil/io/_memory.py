"""Know how much memory the machine has, before an array is made."""

from __future__ import annotations

import os


def memory_fault(needed: int) -> str:
    """Say why an array is too large for this machine.

    Parameters
    ----------
    needed : int
        Bytes of the array.

    Returns
    -------
    fault : str
        Words for an error message; "" where the array takes at most half of the
        memory, or the memory is unknown.
    """
    half = half_of_memory()
    if needed <= half:
        return ""
    return (
        f"{needed / 2**30:.1f} GiB, more than half of the memory "
        f"({2 * half / 2**30:.1f} GiB)"
    )


def half_of_memory() -> int:
    """Return half of the machine's memory.

    Returns
    -------
    size : int
        Bytes; 1 EiB where the memory is unknown.
    """
    if not hasattr(os, "sysconf"):
        return 2**60
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
