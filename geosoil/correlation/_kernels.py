"""Sums of pairs over time: Pearson's r, co-moments of pieces, compiled: arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

STRIP = 1024
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
Two = tuple[Cube, Cube]


class Correlations(NamedTuple):
    """What a kernel answers, each an array of one value a pixel."""

    r: FloatArray
    """Correlation; NaN unless the reason is OK."""
    p: FloatArray
    """Its p value, which is left to others."""
    n: Counts
    """Pairs used."""
    reason: Codes
    """OK, FEW, CONSTANT_X, CONSTANT_Y or ALL_MISSING."""
    line: FloatArray
    """Slope, intercept, lower and upper end of r, (4, pixels); (0, pixels) unasked."""


def unanswered(pixels: int, *, lined: bool) -> Correlations:
    """Return arrays that are yet to be filled, parts of one block of memory.

    Large pages are given to large blocks: one block costs a third of the page faults of
    one block an array. Empty, not full: whoever answers a part writes every value, and
    so touches its own pages first.
    """
    planes = 6 if lined else 2
    ends = np.cumsum([8 * planes * pixels, 4 * pixels, pixels])
    block = np.empty(ends[-1], np.uint8)
    numbers = block[: ends[0]].view(np.float64).reshape(planes, pixels)
    return Correlations(
        numbers[0],
        numbers[1],
        block[ends[0] : ends[1]].view(np.int32),
        block[ends[1] :].view(np.int8),
        numbers[2:],
    )


@njit(fastmath=_FAST)
def _count_and_sum(x: Two, y: Two, count: FloatArray, sums: FloatArray) -> None:
    """Add two steps of time to counts and sums of the valid pairs.

    Two at once, so that the sums are loaded and stored half as often.
    """
    x0, x1, y0, y1 = x[0], x[1], y[0], y[1]
    sum_x, sum_y = sums[0], sums[1]
    for j in range(x0.size):
        u, v = np.float64(x0[j]), np.float64(y0[j])
        s, t = np.float64(x1[j]), np.float64(y1[j])
        valid = (u - u == 0) & (v - v == 0)
        later = (s - s == 0) & (t - t == 0)
        count[j] += (1.0 if valid else 0.0) + (1.0 if later else 0.0)
        sum_x[j] += (u if valid else 0.0) + (s if later else 0.0)
        sum_y[j] += (v if valid else 0.0) + (t if later else 0.0)


@njit()
def _two(x: Cube, y: Cube, t: int, part: tuple[int, int], none: Two) -> tuple[Two, Two]:
    """Return two steps of part of x and of y; nothing after the last step.

    Rows are handed to the inner loops as slices: an index ``x[t, i + j]`` would keep
    the check for negative indices and stop the compiler from vectorising.
    """
    start, stop = part
    if t + 1 == x.shape[0]:
        return (x[t, start:stop], none[0]), (y[t, start:stop], none[1])
    return (
        (x[t, start:stop], x[t + 1, start:stop]),
        (y[t, start:stop], y[t + 1, start:stop]),
    )


@njit(fastmath=_FAST)
def _sum_products(x: Two, y: Two, sums: FloatArray, squares: FloatArray) -> None:
    """Add two steps of time to the sums of centred squares and products."""
    x0, x1, y0, y1 = x[0], x[1], y[0], y[1]
    mean_x, mean_y = sums[0], sums[1]
    xx, yy, xy = squares[0], squares[1], squares[2]
    for j in range(x0.size):
        u, v = np.float64(x0[j]), np.float64(y0[j])
        s, t = np.float64(x1[j]), np.float64(y1[j])
        valid = (u - u == 0) & (v - v == 0)
        later = (s - s == 0) & (t - t == 0)
        dx = u - mean_x[j] if valid else 0.0
        dy = v - mean_y[j] if valid else 0.0
        ex = s - mean_x[j] if later else 0.0
        ey = t - mean_y[j] if later else 0.0
        xx[j] += dx * dx + ex * ex
        yy[j] += dy * dy + ey * ey
        xy[j] += dx * dy + ex * ey


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


@njit(fastmath=_FAST)
def _ratios(
    moments: FloatArray, count: FloatArray, least: float, r: FloatArray, reason: Codes
) -> int:
    """Turn the moments of a strip into r and reason; return how many are in doubt.

    A doubtful r is NaN while its reason is OK: its sum of squares is not safely above
    the rounding of its values, or near the ends of the range of float64.
    """
    mean_x, mean_y, xx, yy, xy = (
        moments[0], moments[1], moments[2], moments[3], moments[4],
    )  # fmt: skip
    doubtful = 0
    for j in range(r.size):
        n = count[j]
        noise = (8 * EPSILON) ** 2 * n * n * n
        plain = (xx[j] > noise * mean_x[j] * mean_x[j]) & (xx[j] > 1e-150)
        plain &= (yy[j] > noise * mean_y[j] * mean_y[j]) & (yy[j] > 1e-150)
        plain &= (xx[j] < 1e150) & (yy[j] < 1e150)
        enough = n >= least
        value = xy[j] / np.sqrt(xx[j] * yy[j])
        value = 1.0 if value > 1.0 else value
        value = -1.0 if value < -1.0 else value
        r[j] = value if plain & enough else np.nan
        reason[j] = OK if enough else (FEW if n > 0 else ALL_MISSING)
        doubtful += 1 if enough & (not plain) else 0
    return doubtful


@njit()
def _mend_strip(x: Cube, y: Cube, start: int, r: FloatArray, reason: Codes) -> None:
    """Answer the doubtful pixels of a strip with care."""
    for j in range(r.size):
        if (reason[j] == OK) & np.isnan(r[j]):
            reason[j], value = _careful_r(x[:, start + j], y[:, start + j])
            r[j] = min(1.0, max(-1.0, value)) if reason[j] == OK else np.nan


@njit(fastmath=_FAST)
def _draw_lines(
    r: FloatArray, moments: FloatArray, slope: FloatArray, intercept: FloatArray
) -> None:
    """Write the least-squares line of a strip."""
    mean_x, mean_y, xx, xy = moments[0], moments[1], moments[2], moments[4]
    for j in range(r.size):
        slope[j] = xy[j] / xx[j] if r[j] - r[j] == 0 else np.nan
        intercept[j] = mean_y[j] - slope[j] * mean_x[j]


@njit(fastmath=_FAST)
def _draw_intervals(
    r: FloatArray, width: FloatArray, lower: FloatArray, upper: FloatArray
) -> None:
    """Write the ends of Fisher's interval of a strip.

    tanh(atanh(r) +- h) = (r +- tanh h) / (1 +- r tanh h): no logarithm a pixel.
    """
    for j in range(r.size):
        value, half = r[j], width[j]
        exact = abs(value) == 1.0
        lower[j] = value if exact else (value - half) / (1.0 - value * half)
        upper[j] = value if exact else (value + half) / (1.0 + value * half)


@njit()
def _pearson_strip(
    x: Cube,
    y: Cube,
    part: tuple[int, int],
    min_pairs: int,
    widths: FloatArray,
    found: Correlations,
) -> None:
    """Correlate one strip of (time, pixels) arrays into ``found``."""
    steps = x.shape[0]
    start, stop = part
    count, moments = np.zeros(stop - start), np.zeros((5, stop - start))
    none = (
        np.full(stop - start, np.nan, x.dtype),
        np.full(stop - start, np.nan, y.dtype),
    )
    for t in range(0, steps, 2):
        first, second = _two(x, y, t, part, none)
        _count_and_sum(first, second, count, moments[:2])
    for j in range(stop - start):
        moments[0, j] /= count[j]
        moments[1, j] /= count[j]
        found.n[start + j] = count[j]
    for t in range(0, steps, 2):
        first, second = _two(x, y, t, part, none)
        _sum_products(first, second, moments[:2], moments[2:])
    r, reason = found.r[start:stop], found.reason[start:stop]
    if _ratios(moments, count, min_pairs, r, reason) > 0:
        _mend_strip(x, y, start, r, reason)
    if widths.size > 0:
        line = found.line
        _draw_lines(r, moments, line[0, start:stop], line[1, start:stop])
        for j in range(stop - start):
            count[j] = widths[found.n[start + j]]
        _draw_intervals(r, count, line[2, start:stop], line[3, start:stop])


@njit(nogil=True)
def pearson(
    x: Cube,
    y: Cube,
    part: tuple[int, int],
    min_pairs: int,
    widths: FloatArray,
    found: Correlations,
) -> None:
    """Correlate part of two arrays (time, pixels): r, n and reason per pixel.

    ``widths[n]`` is the half width of the interval of n pairs on Fisher's z, as its
    hyperbolic tangent. Where there are any, ``line`` gets the least-squares line and
    the interval too.
    """
    for start in range(part[0], part[1], STRIP):
        stop = min(start + STRIP, part[1])
        _pearson_strip(x, y, (start, stop), min_pairs, widths, found)
