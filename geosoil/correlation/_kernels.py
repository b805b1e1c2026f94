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
    """What a kernel answers, each an array of one value a pixel."""

    r: FloatArray
    """Correlation; NaN unless the reason is OK."""
    p_value: FloatArray
    """Two-sided p value to an absolute 1e-14; NaN unless the reason is OK."""
    n: Counts
    """Pairs used."""
    reason: Codes
    """OK, FEW, CONSTANT_X, CONSTANT_Y or ALL_MISSING."""
    line: FloatArray
    """Slope, intercept, lower and upper end of r, (4, pixels); (0, pixels) unasked."""


def pearson(
    x: Cube, y: Cube, min_pairs: int, widths: FloatArray | None = None
) -> Correlations:
    """Correlate two arrays (time, pixels): r, p, n and reason per pixel.

    ``widths[n]`` is the half width of the interval of n pairs on Fisher's z, as its
    hyperbolic tangent. Where it is given, ``line`` holds the least-squares line and
    the interval too.
    """
    pixels = x.shape[1]
    # Empty, not full: the strips write every value, each thread its own pages.
    found = Correlations(
        np.empty(pixels),
        np.empty(pixels),
        np.empty(pixels, np.int32),
        np.empty(pixels, np.int8),
        np.empty((0 if widths is None else 4, pixels)),
    )
    table = np.empty(0) if widths is None else widths
    _pearson_strips(x, y, min_pairs, table, found)
    return found


def student_p(r: FloatArray, freedom: Counts) -> FloatArray:
    """Return the two-sided p of r for whole degrees of freedom, 1-D arrays."""
    p = np.empty(r.size)
    _student_p(r, freedom, p)
    return p


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
def _student_p(r: FloatArray, freedom: Counts, p: FloatArray) -> None:
    """Write p of each r, NaN where there is no r or no degree of freedom."""
    for i in prange(r.size):
        p[i] = _series_p(r[i], freedom[i]) if freedom[i] > 0 else np.nan


@njit()
def _finish_strip(
    x: Cube,
    y: Cube,
    start: int,
    moments: FloatArray,
    min_pairs: int,
    found: Correlations,
) -> None:
    """Turn the moments of a strip into r, p and reason; suspicious pixels anew."""
    for j in range(moments.shape[1]):
        i = start + j
        found.r[i], found.p_value[i] = np.nan, np.nan
        n = found.n[i]
        if n < min_pairs:
            found.reason[i] = FEW if n > 0 else ALL_MISSING
            continue
        xx, yy = moments[2, j], moments[3, j]
        why, value = OK, moments[4, j] / (np.sqrt(xx) * np.sqrt(yy))
        if not (_is_plain(xx, moments[0, j], n) and _is_plain(yy, moments[1, j], n)):
            why, value = _careful_r(x[:, i], y[:, i])
        found.reason[i] = why
        if why == OK:
            found.r[i] = min(1.0, max(-1.0, value))
            found.p_value[i] = _series_p(found.r[i], n - 2)


@njit()
def _draw_lines(
    widths: FloatArray, start: int, moments: FloatArray, found: Correlations
) -> None:
    """Write slope, intercept and the ends of Fisher's interval of a strip.

    tanh(atanh(r) +- h) = (r +- tanh h) / (1 +- r tanh h): no logarithm a pixel.
    """
    for j in range(moments.shape[1]):
        i = start + j
        r, width = found.r[i], widths[found.n[i]]
        slope = moments[4, j] / moments[2, j] if r == r else np.nan  # noqa: PLR0124
        found.line[0, i] = slope
        found.line[1, i] = moments[1, j] - slope * moments[0, j]
        exact = abs(r) == 1.0
        found.line[2, i] = r if exact else (r - width) / (1.0 - r * width)
        found.line[3, i] = r if exact else (r + width) / (1.0 + r * width)


@njit()
def _pearson_strip(
    x: Cube,
    y: Cube,
    start: int,
    min_pairs: int,
    widths: FloatArray,
    found: Correlations,
) -> None:
    """Correlate one strip of (time, pixels) arrays into ``found``.

    Rows are handed to the inner loops as slices: an index ``x[t, i + j]`` would keep
    the check for negative indices and stop the compiler from vectorising.
    """
    steps, pixels = x.shape
    stop = min(start + STRIP, pixels)
    count, moments = np.zeros(stop - start), np.zeros((5, stop - start))
    for t in range(steps):
        _count_and_sum(x[t, start:stop], y[t, start:stop], count, moments[:2])
    for j in range(stop - start):
        moments[0, j] /= count[j]
        moments[1, j] /= count[j]
        found.n[start + j] = count[j]
    for t in range(steps):
        _sum_products(x[t, start:stop], y[t, start:stop], moments[:2], moments[2:])
    _finish_strip(x, y, start, moments, min_pairs, found)
    if widths.size > 0:
        _draw_lines(widths, start, moments, found)


@njit(parallel=True)
def _pearson_strips(
    x: Cube, y: Cube, min_pairs: int, widths: FloatArray, found: Correlations
) -> None:
    """Correlate strip by strip, each strip by one thread."""
    for k in prange((x.shape[1] + STRIP - 1) // STRIP):
        _pearson_strip(x, y, k * STRIP, min_pairs, widths, found)
