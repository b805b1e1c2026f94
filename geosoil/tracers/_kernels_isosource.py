"""All fractions on a grid that meet mixtures within a tolerance, counted exactly.

A prefix holds the grid steps of all sources but two; the last two share the rest R as
j and R - j. Residuals are linear in j, so that the j allowed are a run of integers,
and a prefix counts at once all combinations that begin with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

BLOCK = 2**17
"""Prefixes worked on at a time, so that memory stays bounded."""
ROUNDING = 1e-11
"""Share of the largest value by which a residual may pass the inclusive tolerance."""


class Grid(NamedTuple):
    """Mixtures, sources and the grid of fractions."""

    mixtures: FloatArray
    """Tracers of the mixtures, shape (n, J)."""
    sources: FloatArray
    """Tracers of K sources, shape (K, J)."""
    steps: int
    """Steps from 0 to 1."""
    tolerance: FloatArray
    """Tolerances with what rounding adds, shape (J,)."""


def rounded_tolerance(
    mixtures: FloatArray, sources: FloatArray, tolerance: FloatArray
) -> FloatArray:
    """Widen tolerances by the rounding of sums of the values."""
    largest = np.abs(np.concatenate([mixtures, sources])).max(axis=0)
    widened: FloatArray = tolerance + ROUNDING * np.maximum(largest, tolerance)
    return widened


def expand(rows: IntArray, rest: IntArray) -> tuple[IntArray, IntArray]:
    """Append to each row of steps every next step of what is left of the whole."""
    counts = rest + 1
    parents = np.repeat(np.arange(len(rows)), counts)
    first = np.repeat(np.cumsum(counts) - counts, counts)
    step = np.arange(len(parents)) - first
    return np.column_stack([rows[parents], step]), rest[parents] - step


def prefixes(steps: int, length: int) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield blocks of all rows of steps (P, length) and what each leaves (P,)."""
    rows, rest = np.zeros((1, 0), dtype=np.intp), np.array([steps], dtype=np.intp)
    for _ in range(max(length - 1, 0)):
        rows, rest = expand(rows, rest)
    if not length:
        yield rows, rest
        return
    ends = np.cumsum(rest + 1)
    start = 0
    while start < len(rows):
        done = ends[start - 1] if start else 0
        stop = max(int(np.searchsorted(ends, done + BLOCK, side="right")), start + 1)
        yield expand(rows[start:stop], rest[start:stop])
        start = stop


def residual_lines(
    grid: Grid, rows: IntArray, rest: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Residuals before the mixture is taken off at j = 0 (J, P), and per j (J,)."""
    fixed = grid.sources[:-2].T @ rows.T + grid.sources[-1][:, None] * rest
    return fixed / grid.steps, (grid.sources[-2] - grid.sources[-1]) / grid.steps


def run_of(
    start: FloatArray, slope: FloatArray, rest: IntArray, grid: Grid
) -> tuple[IntArray, IntArray]:
    """First and last j (P,) whose residuals start + slope j keep the tolerance."""
    low, high = np.zeros(len(rest)), rest.astype(float)
    for residual, step, limit in zip(start, slope, grid.tolerance, strict=True):
        if abs(step) * grid.steps <= limit * ROUNDING:
            high = np.where(np.abs(residual) <= limit, high, -1.0)
            continue
        ends = (-limit - residual) / step, (limit - residual) / step
        low = np.maximum(low, np.ceil(np.minimum(*ends)))
        high = np.minimum(high, np.floor(np.maximum(*ends)))
    low, high = np.minimum(low, rest + 1.0), np.maximum(high, -1.0)
    return low.astype(np.intp), high.astype(np.intp)


def count_runs(low: IntArray, high: IntArray, steps: int) -> IntArray:
    """How many runs low..high hold each step, shape (steps + 1,)."""
    opened = np.bincount(low, minlength=steps + 2)
    closed = np.bincount(high + 1, minlength=steps + 2)
    return np.asarray(np.cumsum(opened - closed)[: steps + 1], dtype=np.intp)


def feasible_counts(grid: Grid) -> IntArray:
    """Feasible combinations by source and step, shape (n, K, steps + 1)."""
    n, n_sources, steps = len(grid.mixtures), len(grid.sources), grid.steps
    counts = np.zeros((n, n_sources, steps + 1), dtype=np.intp)
    if n_sources == 1:
        away = np.abs(grid.sources[0] - grid.mixtures)
        counts[:, 0, steps] = (away <= grid.tolerance).all(axis=1)
        return counts
    for rows, rest in prefixes(steps, n_sources - 2):
        fixed, slope = residual_lines(grid, rows, rest)
        for place, mixture in enumerate(grid.mixtures):
            low, high = run_of(fixed - mixture[:, None], slope, rest, grid)
            good = np.flatnonzero(high >= low)
            low, high, left = low[good], high[good], rest[good]
            for source in range(n_sources - 2):
                held = np.bincount(
                    rows[good, source], weights=high - low + 1, minlength=steps + 1
                )
                counts[place, source] += held.astype(np.intp)
            counts[place, -2] += count_runs(low, high, steps)
            counts[place, -1] += count_runs(left - high, left - low, steps)
    return counts


def excess(
    grid: Grid, widening: FloatArray, lines: tuple[FloatArray, FloatArray], j: IntArray
) -> FloatArray:
    """Largest excess (P,) of residuals at j over the tolerance, in ``widening``."""
    away = np.abs(lines[0] + lines[1] * j) - grid.tolerance[:, None]
    return np.asarray((away / widening[:, None]).max(axis=0))


def least_excess(grid: Grid, widening: FloatArray) -> FloatArray:
    """How often ``widening`` (J,) must be added to the tolerance for an answer, (n,).

    The largest excess is convex in j, so that halving the run finds the best j.
    """
    least = np.full(len(grid.mixtures), np.inf)
    if len(grid.sources) == 1:
        away = np.abs(grid.sources[0] - grid.mixtures)
        return np.asarray(((away - grid.tolerance) / widening).max(axis=1))
    for rows, rest in prefixes(grid.steps, len(grid.sources) - 2):
        fixed, slope = residual_lines(grid, rows, rest)
        for place, mixture in enumerate(grid.mixtures):
            lines = fixed - mixture[:, None], slope[:, None]
            low, high = np.zeros_like(rest), rest.copy()
            while (low < high).any():
                middle = (low + high) // 2
                after = np.minimum(middle + 1, rest)
                falls = excess(grid, widening, lines, middle) > excess(
                    grid, widening, lines, after
                )
                low = np.where(falls & (low < high), middle + 1, low)
                high = np.where(falls, high, middle)
            found = excess(grid, widening, lines, low)
            least[place] = min(least[place], float(found.min()))
    return least
