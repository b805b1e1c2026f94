"""Co-moments of pairs over a piece of time, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

STRIP = 256
"""Pixels a strip, so that its sums and both its series stay in the cache."""

_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating]
Row = npt.NDArray[np.floating]


def co_moments(x: Cube, y: Cube, before: FloatArray) -> FloatArray:
    """Return n, both means, sums of squares xx, yy and of products xy, (6, pixels).

    The series are (time, pixels), ``before`` the co-moments of what came before them,
    or (6, 0) for none. A constant has a sum of squares of exactly 0: its values are
    taken from the first valid one. One thread: blocks are what runs at once.
    """
    found = np.empty((6, x.shape[1]))
    _strips(x, y, before, found)
    return found


# Each loop writes one array, or two: with more, the compiler cannot prove that they lie
# apart and gives up on vectors.


@njit(fastmath=_FAST)
def _valid(x: Row, y: Row, valid: FloatArray) -> None:
    """Note with 1 where both are finite, else 0."""
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid[j] = 1.0 if (u - u == 0) & (v - v == 0) else 0.0


@njit(fastmath=_FAST)
def _begin(
    values: Row, valid: FloatArray, count: FloatArray, start: FloatArray
) -> None:
    """Keep the first valid value of pixels that have had none."""
    for j in range(values.size):
        new = (valid[j] > 0) & (count[j] == 0)
        start[j] = np.float64(values[j]) if new else start[j]


@njit(fastmath=_FAST)
def _add(values: Row, valid: FloatArray, start: FloatArray, total: FloatArray) -> None:
    """Add one step to the sums of departures from the start."""
    for j in range(values.size):
        total[j] += np.float64(values[j]) - start[j] if valid[j] > 0 else 0.0


@njit(fastmath=_FAST)
def _count(valid: FloatArray, count: FloatArray) -> float:
    """Add one step to the counts; return the smallest."""
    least = np.inf
    for j in range(valid.size):
        count[j] += valid[j]
        least = min(least, count[j])
    return least


@njit(fastmath=_FAST)
def _add_products(
    x: Row, y: Row, valid: FloatArray, centres: FloatArray, total: FloatArray
) -> None:
    """Add one step to the sums of products of departures from the centres."""
    centre_x, centre_y = centres[0], centres[1]
    for j in range(x.size):
        u = np.float64(x[j]) - centre_x[j] if valid[j] > 0 else 0.0
        v = np.float64(y[j]) - centre_y[j] if valid[j] > 0 else 0.0
        total[j] += u * v


@njit(fastmath=_FAST)
def _add_squares(
    values: Row, valid: FloatArray, centre: FloatArray, total: FloatArray
) -> None:
    """Add one step to the sums of squares of departures from the centre."""
    for j in range(values.size):
        u = np.float64(values[j]) - centre[j] if valid[j] > 0 else 0.0
        total[j] += u * u


@njit()
def _strip(x: Cube, y: Cube, span: tuple[int, int], sums: FloatArray) -> None:
    """Sum one strip of pixels; the sums begin with zeros."""
    a, b = span
    valid, first = np.empty(b - a), np.zeros((2, b - a))
    count, sum_x, sum_y = sums[0], sums[1], sums[2]
    xx, yy, xy = sums[3], sums[4], sums[5]
    least = 0.0
    for t in range(x.shape[0]):
        u, v = x[t, a:b], y[t, a:b]
        _valid(u, v, valid)
        if least == 0:
            _begin(u, valid, count, first[0])
            _begin(v, valid, count, first[1])
        least = _count(valid, count)
        _add(u, valid, first[0], sum_x)
        _add(v, valid, first[1], sum_y)
    for j in range(b - a):
        sum_x[j] = first[0, j] + sum_x[j] / max(count[j], 1.0)
        sum_y[j] = first[1, j] + sum_y[j] / max(count[j], 1.0)
    for t in range(x.shape[0]):
        u, v = x[t, a:b], y[t, a:b]
        _valid(u, v, valid)
        _add_squares(u, valid, sum_x, xx)
        _add_squares(v, valid, sum_y, yy)
        _add_products(u, v, valid, sums[1:3], xy)


@njit(fastmath=_FAST)
def _merge(a: FloatArray, b: FloatArray) -> None:
    """Merge a into b, pixel by pixel; an empty one leaves the other to the digit."""
    for j in range(b.shape[1]):
        n_a, n_b = a[0, j], b[0, j]
        n = n_a + n_b
        share = n_b / max(n, 1.0)
        both = (n_a > 0) & (n_b > 0)
        d_x = b[1, j] - a[1, j] if both else 0.0
        d_y = b[2, j] - a[2, j] if both else 0.0
        common = n_a * share
        b[0, j] = n
        b[1, j] = a[1, j] + d_x * share if n_a > 0 else b[1, j]
        b[2, j] = a[2, j] + d_y * share if n_a > 0 else b[2, j]
        b[3, j] += a[3, j] + d_x * d_x * common
        b[4, j] += a[4, j] + d_y * d_y * common
        b[5, j] += a[5, j] + d_x * d_y * common


@njit(nogil=True)
def _strips(x: Cube, y: Cube, before: FloatArray, found: FloatArray) -> None:
    """Fill strip by strip; other threads may run meanwhile."""
    for start in range(0, x.shape[1], STRIP):
        stop = min(start + STRIP, x.shape[1])
        sums = np.zeros((6, stop - start))
        _strip(x, y, (start, stop), sums)
        if before.shape[1]:
            _merge(before[:, start:stop], sums)
        found[:, start:stop] = sums
