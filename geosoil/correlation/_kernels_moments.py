"""Co-moments of pairs over a piece of time, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

STRIP = 2048
"""Pixels a strip, so that its sums and both its series stay in the cache."""

_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating]
Row = npt.NDArray[np.floating]
Six = tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]
"""Rows of n, both means, xx, yy and xy. Rows lie side by side in memory, as a part of
several rows in one array does not."""


def co_moments(x: Cube, y: Cube, before: FloatArray) -> FloatArray:
    """Return n, both means, sums of squares xx, yy and of products xy, (6, pixels).

    The series are (time, pixels), ``before`` the co-moments of what came before them,
    or (6, 0) for none. A constant has a sum of squares of exactly 0: its values are
    taken from the first valid one. One thread: blocks are what runs at once.
    """
    found = np.empty((6, x.shape[1]))
    _strips(x, y, before, found)
    return found


@njit(fastmath=_FAST)
def _begin(x: Row, y: Row, first: FloatArray) -> int:
    """Keep the first valid values of pixels that have had none; count those left."""
    first_x, first_y = first[0], first[1]
    left = 0
    for j in range(x.size):
        u, v = np.float64(x[j]), np.float64(y[j])
        none = first_x[j] != first_x[j]
        new = none & (u - u == 0) & (v - v == 0)
        first_x[j] = u if new else first_x[j]
        first_y[j] = v if new else first_y[j]
        left += 1 if none & (not new) else 0
    return left


@njit(fastmath=_FAST)
def _count_and_sum(x: Row, y: Row, first: FloatArray, sums: Six) -> None:
    """Add one step to the counts and to the sums of departures from the first."""
    first_x, first_y = first[0], first[1]
    count, sum_x, sum_y = sums[0], sums[1], sums[2]
    for j in range(x.size):
        u, v = np.float64(x[j]), np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        count[j] += 1.0 if valid else 0.0
        sum_x[j] += u - first_x[j] if valid else 0.0
        sum_y[j] += v - first_y[j] if valid else 0.0


@njit(fastmath=_FAST)
def _add_products(x: Row, y: Row, sums: Six) -> None:
    """Add one step to the sums of squares and products of departures from the means."""
    mean_x, mean_y = sums[1], sums[2]
    xx, yy, xy = sums[3], sums[4], sums[5]
    for j in range(x.size):
        u, v = np.float64(x[j]), np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        dx = u - mean_x[j] if valid else 0.0
        dy = v - mean_y[j] if valid else 0.0
        xx[j] += dx * dx
        yy[j] += dy * dy
        xy[j] += dx * dy


@njit(fastmath=_FAST)
def _mean(first: FloatArray, count: FloatArray, total: FloatArray) -> None:
    """Turn the sum of departures into the mean, 0 where nothing is valid."""
    for j in range(count.size):
        n = count[j]
        total[j] = first[j] + total[j] / n if n > 0 else 0.0


@njit()
def _strip(x: Cube, y: Cube, part: tuple[int, int], sums: Six) -> None:
    """Sum one strip of pixels."""
    a, b = part
    first = np.full((2, b - a), np.nan)
    for t in range(x.shape[0]):
        if _begin(x[t, a:b], y[t, a:b], first) == 0:
            break
    for row in sums:
        row[:] = 0.0
    for t in range(x.shape[0]):
        _count_and_sum(x[t, a:b], y[t, a:b], first, sums)
    _mean(first[0], sums[0], sums[1])
    _mean(first[1], sums[0], sums[2])
    for t in range(x.shape[0]):
        _add_products(x[t, a:b], y[t, a:b], sums)


# Each loop writes few arrays: with more, the compiler cannot prove that they lie apart
# and gives up on vectors.


@njit(fastmath=_FAST)
def _merge_means(a: Six, b: Six, work: FloatArray) -> None:
    """Merge the means of a into b; note how far apart they were, and the weight."""
    n_a, x_a, y_a = a[0], a[1], a[2]
    n_b, x_b, y_b = b[0], b[1], b[2]
    d_x, d_y, weight = work[0], work[1], work[2]
    for j in range(n_b.size):
        share = n_b[j] / max(n_a[j] + n_b[j], 1.0)
        both = (n_a[j] > 0) & (n_b[j] > 0)
        d_x[j] = x_b[j] - x_a[j] if both else 0.0
        d_y[j] = y_b[j] - y_a[j] if both else 0.0
        weight[j] = share
    for j in range(n_b.size):
        x_b[j] = x_a[j] + d_x[j] * weight[j] if n_a[j] > 0 else x_b[j]
        y_b[j] = y_a[j] + d_y[j] * weight[j] if n_a[j] > 0 else y_b[j]


@njit(fastmath=_FAST)
def _merge_sums(a: Six, b: Six, work: FloatArray) -> None:
    """Merge the counts and sums of products of a into b."""
    n_a, xx_a, yy_a, xy_a = a[0], a[3], a[4], a[5]
    n_b, xx_b, yy_b, xy_b = b[0], b[3], b[4], b[5]
    d_x, d_y, weight = work[0], work[1], work[2]
    for j in range(n_b.size):
        weight[j] *= n_a[j]
        n_b[j] += n_a[j]
    for j in range(n_b.size):
        xx_b[j] += xx_a[j] + d_x[j] * d_x[j] * weight[j]
        yy_b[j] += yy_a[j] + d_y[j] * d_y[j] * weight[j]
        xy_b[j] += xy_a[j] + d_x[j] * d_y[j] * weight[j]


@njit()
def _rows(planes: FloatArray, a: int, b: int) -> Six:
    """Return the same part of six rows."""
    return (
        planes[0, a:b],
        planes[1, a:b],
        planes[2, a:b],
        planes[3, a:b],
        planes[4, a:b],
        planes[5, a:b],
    )


@njit(nogil=True)
def _strips(x: Cube, y: Cube, before: FloatArray, found: FloatArray) -> None:
    """Fill strip by strip; other threads may run meanwhile.

    Merging pixel by pixel, an empty piece leaves the other to the digit.
    """
    work = np.empty((3, STRIP))
    for start in range(0, x.shape[1], STRIP):
        stop = min(start + STRIP, x.shape[1])
        sums = _rows(found, start, stop)
        _strip(x, y, (start, stop), sums)
        if before.shape[1]:
            earlier = _rows(before, start, stop)
            _merge_means(earlier, sums, work)
            _merge_sums(earlier, sums, work)
