"""Compiled work on parts of a range, in threads that sleep while they have none."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

LEAST = 2**14
"""Pixels of a part below which another thread costs more than it gains."""

PARTS = 4
"""Parts for each thread, so that none waits long for one that was held up."""


def in_parts(
    work: Callable[[int, int], None], size: int, threads: int, *, least: int = LEAST
) -> None:
    """Call work on parts of a range, several at once.

    Threads of compiled loops wait in a spin for the next loop, which on a shared
    machine takes as long from others as the work itself; those here sleep.

    Parameters
    ----------
    work : callable
        Takes the first element of a part and the one after its last; lets go of the
        interpreter while it runs.
    size : int
        Elements of the range.
    threads : int
        How many may run at once.
    least : int
        Fewest elements that are worth a thread.

    Examples
    --------
    >>> found = [0] * 5
    >>> def square(start: int, stop: int) -> None:
    ...     found[start:stop] = [k * k for k in range(start, stop)]
    >>> in_parts(square, 5, threads=2)
    >>> found
    [0, 1, 4, 9, 16]
    """
    part = max(-(-size // (PARTS * threads)), least)
    if threads == 1 or size <= part:
        work(0, size)
        return
    starts = range(0, size, part)
    with ThreadPoolExecutor(min(threads, len(starts))) as pool:
        stops = (min(start + part, size) for start in starts)
        for _ in pool.map(work, starts, stops):
            pass
