"""Co-moments of pairs over a piece of time, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

STRIP = 512
"""Pixels a strip, so that its sums and both its series stay in the cache."""

_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating]


def co_moments(x: Cube, y: Cube) -> FloatArray:
    """Return n, both means, sums of squares xx, yy and of products xy, (6, pixels).

    The series are (time, pixels). A constant has a sum of squares of exactly 0: its
    values are taken from the first valid one.
    """
    found = np.zeros((6, x.shape[1]))
    _strips(x, y, found)
    return found


@njit(fastmath=_FAST)
def _first(x: Cube, y: Cube, seen: FloatArray, start: FloatArray) -> None:
    """Note the values of pixels whose first valid pair this step has."""
    start_x, start_y = start[0], start[1]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        new = (u - u == 0) & (v - v == 0) & (seen[j] == 0)
        start_x[j] = u if new else start_x[j]
        start_y[j] = v if new else start_y[j]
        seen[j] = 1.0 if new else seen[j]


@njit(fastmath=_FAST)
def _add(x: Cube, y: Cube, start: FloatArray, sums: FloatArray) -> None:
    """Add one step to count and sums of departures from the start."""
    start_x, start_y = start[0], start[1]
    count, sum_x, sum_y = sums[0], sums[1], sums[2]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        count[j] += 1.0 if valid else 0.0
        sum_x[j] += u - start_x[j] if valid else 0.0
        sum_y[j] += v - start_y[j] if valid else 0.0


@njit(fastmath=_FAST)
def _add_products(
    x: Cube, y: Cube, start: FloatArray, means: FloatArray, sums: FloatArray
) -> None:
    """Add one step to the centred squares and products."""
    start_x, start_y = start[0], start[1]
    mean_x, mean_y = means[1], means[2]
    xx, yy, xy = sums[3], sums[4], sums[5]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        dx = (u - start_x[j]) - mean_x[j] if valid else 0.0
        dy = (v - start_y[j]) - mean_y[j] if valid else 0.0
        xx[j] += dx * dx
        yy[j] += dy * dy
        xy[j] += dx * dy


@njit()
def _strip(x: Cube, y: Cube, start: int, found: FloatArray) -> None:
    """Fill one strip."""
    stop = min(start + STRIP, x.shape[1])
    seen, first = np.zeros(stop - start), np.zeros((2, stop - start))
    sums = np.zeros((6, stop - start))
    for t in range(x.shape[0]):
        _first(x[t, start:stop], y[t, start:stop], seen, first)
        _add(x[t, start:stop], y[t, start:stop], first, sums)
    for j in range(stop - start):
        pairs = max(sums[0, j], 1.0)
        sums[1, j] /= pairs
        sums[2, j] /= pairs
    for t in range(x.shape[0]):
        _add_products(x[t, start:stop], y[t, start:stop], first, sums, sums)
    for j in range(stop - start):
        sums[1, j] += first[0, j]
        sums[2, j] += first[1, j]
    found[:, start:stop] = sums


@njit(parallel=True)
def _strips(x: Cube, y: Cube, found: FloatArray) -> None:
    """Fill strip by strip, each by one thread."""
    for k in prange((x.shape[1] + STRIP - 1) // STRIP):
        _strip(x, y, k * STRIP, found)
