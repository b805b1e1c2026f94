"""Pearson's r over time for strips of pixels, compiled: arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

STRIP = 512
"""Pixels a strip, so that its sums and both its series stay in the cache."""

EPSILON = 2.0**-52
"""Distance from 1 to the next float64."""

OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(5)

# No "nnan" and "ninf": a missing value is a NaN, and must stay one.
_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]
Cube = npt.NDArray[np.floating]


class Correlations(NamedTuple):
    """What the kernel answers, each an array of the pixels' shape."""

    r: FloatArray
    """Pearson's r; NaN unless the reason is OK."""
    p_value: FloatArray
    """Two-sided p value to an absolute 1e-14; NaN unless the reason is OK."""
    n: Counts
    """Pairs used."""
    reason: Codes
    """OK, FEW, CONSTANT_X, CONSTANT_Y or ALL_MISSING."""


def pearson(x: Cube, y: Cube, lag: int, min_pairs: int) -> Correlations:
    """Correlate two arrays (..., time): r, p, n and reason per pixel.

    Time is the last axis at this edge and the first one in memory of a raster:
    moving it back is a view, and strips of pixels are read as they lie.
    """
    first = np.ascontiguousarray(np.moveaxis(x, -1, 0))
    second = np.ascontiguousarray(np.moveaxis(y, -1, 0))
    shape = first.shape[1:]
    steps = len(first) - abs(lag)
    start_x, start_y = max(-lag, 0), max(lag, 0)
    flat_x = first.reshape(len(first), -1)[start_x : start_x + steps]
    flat_y = second.reshape(len(second), -1)[start_y : start_y + steps]
    pixels = flat_x.shape[1]
    answers = np.full((2, pixels), np.nan)
    n, reason = np.empty(pixels, np.int32), np.empty(pixels, np.int8)
    _pearson_strips(flat_x, flat_y, min_pairs, answers, n, reason)
    return Correlations(
        answers[0].reshape(shape),
        answers[1].reshape(shape),
        n.reshape(shape),
        reason.reshape(shape),
    )


@njit(fastmath=_FAST)
def _count_and_sum(x: Cube, y: Cube, count: FloatArray, sums: FloatArray) -> None:
    """Add one step of time to counts and sums of the valid pairs."""
    sum_x, sum_y = sums[0], sums[1]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        count[j] += 1.0 if valid else 0.0
        sum_x[j] += u if valid else 0.0
        sum_y[j] += v if valid else 0.0


@njit(fastmath=_FAST)
def _sum_products(x: Cube, y: Cube, sums: FloatArray, squares: FloatArray) -> None:
    """Add one step of time to the sums of centred squares and products."""
    mean_x, mean_y = sums[0], sums[1]
    xx, yy, xy = squares[0], squares[1], squares[2]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        dx = u - mean_x[j] if valid else 0.0
        dy = v - mean_y[j] if valid else 0.0
        xx[j] += dx * dx
        yy[j] += dy * dy
        xy[j] += dx * dy


@njit()
def _extremes(x: Cube, y: Cube) -> tuple[float, float, float, float]:
    """Return smallest and largest x and y of one pixel's valid pairs."""
    low_x, high_x, low_y, high_y = np.inf, -np.inf, np.inf, -np.inf
    for t in range(x.size):
        u, v = np.float64(x[t]), np.float64(y[t])
        if (u - u == 0) & (v - v == 0):
            low_x, high_x = min(low_x, u), max(high_x, u)
            low_y, high_y = min(low_y, v), max(high_y, v)
    return low_x, high_x, low_y, high_y


@njit()
def _careful_r(x: Cube, y: Cube) -> tuple[int, float]:
    """Return reason and r of one pixel that may be constant, tiny or huge.

    The values are scaled to 1 first, so that no square leaves the range of float64.
    """
    low_x, high_x, low_y, high_y = _extremes(x, y)
    if low_x == high_x:
        return CONSTANT_X, np.nan
    if low_y == high_y:
        return CONSTANT_Y, np.nan
    scale_x, scale_y = max(abs(low_x), abs(high_x)), max(abs(low_y), abs(high_y))
    n, mean_x, mean_y = 0, 0.0, 0.0
    for t in range(x.size):
        u, v = x[t] / scale_x, y[t] / scale_y
        if (u - u == 0) & (v - v == 0):
            n += 1
            mean_x += (u - mean_x) / n
            mean_y += (v - mean_y) / n
    span_x = high_x / scale_x - low_x / scale_x
    span_y = high_y / scale_y - low_y / scale_y
    xx, yy, xy = 0.0, 0.0, 0.0
    for t in range(x.size):
        dx = (x[t] / scale_x - mean_x) / span_x
        dy = (y[t] / scale_y - mean_y) / span_y
        if (dx - dx == 0) & (dy - dy == 0):
            xx += dx * dx
            yy += dy * dy
            xy += dx * dy
    return OK, xy / (np.sqrt(xx) * np.sqrt(yy))


@njit()
def _is_plain(squares: float, mean: float, n: float) -> bool:
    """Return whether a sum of squares is safely above rounding and in range."""
    noise = 8 * n * EPSILON * abs(mean)
    return (squares > n * noise * noise) & (squares > 1e-200) & (squares < 1e200)


@njit()
def _series_p(r: float, degrees: int) -> float:
    """Return the two-sided p of r by the finite series of whole degrees of freedom.

    Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, with sin(theta) = |r|.
    """
    sine = abs(r)
    square = (1.0 - sine) * (1.0 + sine)
    if degrees % 2 == 1:
        cosine = np.sqrt(square)
        total, term = 0.0, cosine
        if degrees > 1:
            total = term
            for j in range(3, degrees - 1, 2):
                term *= square * (j - 1) / j
                total += term
        return float(2.0 / np.pi * (np.arctan2(cosine, sine) - sine * total))
    total, term = 1.0, 1.0
    for j in range(2, degrees - 1, 2):
        term *= square * (j - 1) / j
        total += term
    return 1.0 - sine * total


@njit(parallel=True)
def _pearson_strips(
    x: Cube, y: Cube, min_pairs: int, answers: FloatArray, n: Counts, reason: Codes
) -> None:
    """Correlate (time, pixels) arrays strip by strip into answers (r, p), n, reason.

    Rows are handed to the inner loops as slices: an index ``x[t, i + j]`` would keep
    the check for negative indices and stop the compiler from vectorising.
    """
    steps, pixels = x.shape
    for k in prange((pixels + STRIP - 1) // STRIP):
        start = k * STRIP
        stop = min(start + STRIP, pixels)
        width = stop - start
        count, sums = np.zeros(width), np.zeros((2, width))
        squares = np.zeros((3, width))
        for t in range(steps):
            _count_and_sum(x[t, start:stop], y[t, start:stop], count, sums)
        for j in range(width):
            sums[0, j] /= count[j]
            sums[1, j] /= count[j]
        for t in range(steps):
            _sum_products(x[t, start:stop], y[t, start:stop], sums, squares)
        for j in range(width):
            i = start + j
            n[i] = count[j]
            if n[i] < min_pairs:
                reason[i] = FEW if n[i] > 0 else ALL_MISSING
                continue
            xx, yy = squares[0, j], squares[1, j]
            why, value = OK, squares[2, j] / (np.sqrt(xx) * np.sqrt(yy))
            if not (
                _is_plain(xx, sums[0, j], count[j])
                and _is_plain(yy, sums[1, j], count[j])
            ):
                why, value = _careful_r(x[:, i], y[:, i])
            reason[i] = why
            if why == OK:
                answers[0, i] = min(1.0, max(-1.0, value))
                answers[1, i] = _series_p(answers[0, i], n[i] - 2)
