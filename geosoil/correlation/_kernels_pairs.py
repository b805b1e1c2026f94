"""Correlation in windows of any weights, one by one, compiled: arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

COUNTED = 256
"""Pairs up to which ranks are counted; beyond, sorting is faster."""

OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(5)

Map = npt.NDArray[np.floating]
FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]


class WeightedWindows(NamedTuple):
    """What the weighted kernel answers, each an array of the map's shape."""

    r: Map
    """Correlation; NaN unless the reason is OK."""
    n: Counts
    """Pairs of a weight above 0."""
    reason: Codes
    """OK, FEW, CONSTANT_X, CONSTANT_Y or ALL_MISSING."""
    n_effective: Map
    """Square of the sum of the weights over the sum of their squares."""


def weighted_windows(
    x: Map, y: Map, weights: FloatArray, min_pairs: int, ranked: bool
) -> WeightedWindows:
    """Correlate two maps (rows, columns) in windows of weights (size, size)."""
    first, second = np.ascontiguousarray(x), np.ascontiguousarray(y)
    dtype = np.result_type(first, second)
    found = WeightedWindows(
        np.empty(first.shape, dtype),
        np.empty(first.shape, np.int32),
        np.empty(first.shape, np.int8),
        np.empty(first.shape, dtype),
    )
    _weighted_rows(first, second, weights, (min_pairs, ranked), found)
    return found


def mend_windows(x: Map, y: Map, size: int, r: Map, reason: Codes) -> None:
    """Answer the square windows whose r is NaN and whose reason is OK, in place."""
    first, second = np.ascontiguousarray(x), np.ascontiguousarray(y)
    _mend_rows(first, second, np.ones((size, size)), r, reason)


@njit()
def _gather(
    x: Map, y: Map, weights: FloatArray, at: tuple[int, int], pairs: FloatArray
) -> int:
    """Copy the valid pairs of one window and their weights; return how many."""
    half = weights.shape[0] // 2
    row, column = at
    n = 0
    for i in range(max(0, row - half), min(x.shape[0], row + half + 1)):
        for j in range(max(0, column - half), min(x.shape[1], column + half + 1)):
            u, v = np.float64(x[i, j]), np.float64(y[i, j])
            weight = weights[i - row + half, j - column + half]
            if (u - u == 0) & (v - v == 0) & (weight > 0):
                pairs[0, n], pairs[1, n], pairs[2, n] = u, v, weight
                n += 1
    return n


@njit()
def _unit(values: FloatArray) -> bool:
    """Stretch values onto 0 to 1 in place; return whether they are constant."""
    low, high = values[0], values[0]
    for value in values:
        low, high = min(low, value), max(high, value)
    if low == high:
        return True
    # A quarter is exact, and the span of two float64 of any size is then finite.
    factor = 1.0 if high - low < np.inf else 0.25
    span = high * factor - low * factor
    for j in range(values.size):
        values[j] = (values[j] * factor - low * factor) / span
    return False


@njit()
def pair_r(x: FloatArray, y: FloatArray, weights: FloatArray) -> tuple[int, float]:
    """Return reason and weighted r of pairs in two passes; x and y are overwritten."""
    if _unit(x):
        return CONSTANT_X, np.nan
    if _unit(y):
        return CONSTANT_Y, np.nan
    total, mean_x, mean_y = 0.0, 0.0, 0.0
    for j in range(x.size):
        total += weights[j]
        mean_x += weights[j] * x[j]
        mean_y += weights[j] * y[j]
    mean_x, mean_y = mean_x / total, mean_y / total
    xx, yy, xy = 0.0, 0.0, 0.0
    for j in range(x.size):
        dx, dy = x[j] - mean_x, y[j] - mean_y
        xx += weights[j] * dx * dx
        yy += weights[j] * dy * dy
        xy += weights[j] * dx * dy
    return OK, min(1.0, max(-1.0, xy / (np.sqrt(xx) * np.sqrt(yy))))


@njit()
def rank_in_place(values: FloatArray) -> None:
    """Replace values by twice their mid-ranks, which are whole numbers."""
    n = values.size
    ranks = np.empty(n)
    if n <= COUNTED:
        for i in range(n):
            below, upto = 0, 0
            for j in range(n):
                below += 1 if values[j] < values[i] else 0
                upto += 1 if values[j] <= values[i] else 0
            ranks[i] = below + upto + 1
    else:
        order = np.argsort(values)
        start = 0
        while start < n:
            stop = start + 1
            while stop < n and values[order[stop]] == values[order[start]]:
                stop += 1
            for k in range(start, stop):
                ranks[order[k]] = start + stop + 1
            start = stop
    values[:] = ranks


@njit(parallel=True)
def _mend_rows(x: Map, y: Map, weights: FloatArray, r: Map, reason: Codes) -> None:
    """Answer the doubtful windows of each row."""
    for i in prange(x.shape[0]):
        _mend_row(x, y, weights, i, (r[i], reason[i]))


@njit()
def _column_extremes(x: Map, y: Map, rows: tuple[int, int]) -> FloatArray:
    """Return low x, high x, low y and high y of the pairs of each column of rows."""
    extremes = np.empty((4, x.shape[1]))
    extremes[0], extremes[2] = np.inf, np.inf
    extremes[1], extremes[3] = -np.inf, -np.inf
    for i in range(rows[0], rows[1]):
        for j in range(x.shape[1]):
            u, v = np.float64(x[i, j]), np.float64(y[i, j])
            if (u - u == 0) & (v - v == 0):
                extremes[0, j] = min(extremes[0, j], u)
                extremes[1, j] = max(extremes[1, j], u)
                extremes[2, j] = min(extremes[2, j], v)
                extremes[3, j] = max(extremes[3, j], v)
    return extremes


@njit()
def _constant(extremes: FloatArray) -> int:
    """Return which variable is constant over columns of these extremes, or OK."""
    if extremes[0].min() == extremes[1].max():
        return CONSTANT_X
    if extremes[2].min() == extremes[3].max():
        return CONSTANT_Y
    return OK


@njit()
def _mend_row(
    x: Map, y: Map, weights: FloatArray, i: int, found: tuple[Map, Codes]
) -> None:
    """Answer the doubtful windows of one row.

    Most are constant, and their columns say so without a look at every cell.
    """
    r, reason = found
    if not ((reason == OK) & np.isnan(r)).any():
        return
    half = weights.shape[0] // 2
    rows = max(0, i - half), min(x.shape[0], i + half + 1)
    extremes = _column_extremes(x, y, rows)
    pairs = np.empty((3, weights.size))
    for j in range(r.size):
        if reason[j] == OK and np.isnan(r[j]):
            reason[j] = _constant(extremes[:, max(0, j - half) : j + half + 1])
            if reason[j] == OK:
                n = _gather(x, y, weights, (i, j), pairs)
                reason[j], r[j] = pair_r(pairs[0, :n], pairs[1, :n], pairs[2, :n])


@njit()
def _weighted_row(
    x: Map,
    y: Map,
    i: int,
    weights: FloatArray,
    rules: tuple[int, bool],
    found: WeightedWindows,
) -> None:
    """Gather, rank when asked, and correlate the pairs of each window of one row."""
    min_pairs, ranked = rules
    pairs = np.empty((3, weights.size))
    for j in range(x.shape[1]):
        n = _gather(x, y, weights, (i, j), pairs)
        found.n[i, j] = n
        found.r[i, j] = found.n_effective[i, j] = np.nan
        found.reason[i, j] = FEW if n > 0 else ALL_MISSING
        if n < min_pairs:
            continue
        first, second, weight = pairs[0, :n], pairs[1, :n], pairs[2, :n]
        if ranked:
            rank_in_place(first)
            rank_in_place(second)
        reason, value = pair_r(first, second, weight)
        found.reason[i, j], found.r[i, j] = reason, value
        found.n_effective[i, j] = weight.sum() ** 2 / np.square(weight).sum()


@njit(parallel=True)
def _weighted_rows(
    x: Map,
    y: Map,
    weights: FloatArray,
    rules: tuple[int, bool],
    found: WeightedWindows,
) -> None:
    """Answer every window by itself, row by row."""
    for i in prange(x.shape[0]):
        _weighted_row(x, y, i, weights, rules, found)
