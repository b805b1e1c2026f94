"""Effective number of pairs of autocorrelated series, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

STRIP = 256
"""Pixels a strip: its series and its fifteen sums stay in the cache."""

_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating]


def effective_pairs(x: Cube, y: Cube, longest_lag: int) -> FloatArray:
    """Return the effective number of pairs of (time, pixels) series.

    ``longest_lag`` 0 stands for the lag-1 formula; else autocorrelations up to a
    fifth of the steps, and no longer than ``longest_lag``, are summed. NaN where
    fewer than three pairs or a constant series leave it open.
    """
    found = np.empty(x.shape[1])
    if longest_lag == 0:
        _lag1_strips(x, y, found)
    else:
        _full_strips(x, y, longest_lag, found)
    return found


@njit(fastmath=_FAST)
def _sum_valid(x: Cube, y: Cube, sums: FloatArray) -> None:
    """Add one step of time to count and sums of the valid pairs."""
    count, sum_x, sum_y = sums[0], sums[1], sums[2]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        count[j] += 1.0 if valid else 0.0
        sum_x[j] += u if valid else 0.0
        sum_y[j] += v if valid else 0.0


@njit(fastmath=_FAST)
def _centre(x: Cube, y: Cube, means: FloatArray, row: FloatArray) -> None:
    """Write 1 or 0 for a valid pair and both departures, 0 where it is missing."""
    mean_x, mean_y = means[1], means[2]
    valid_row, row_x, row_y = row[0], row[1], row[2]
    for j in range(x.size):
        u = np.float64(x[j])
        v = np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        valid_row[j] = 1.0 if valid else 0.0
        row_x[j] = u - mean_x[j] if valid else 0.0
        row_y[j] = v - mean_y[j] if valid else 0.0


@njit(fastmath=_FAST)
def _sum_lagged(
    d: FloatArray,
    e: FloatArray,
    valid_d: FloatArray,
    valid_e: FloatArray,
    sums: FloatArray,
) -> None:
    """Add one step of one series: sums, squares and product of d[t] and e = d[t+1]."""
    first, second, dd, ee, de = sums[0], sums[1], sums[2], sums[3], sums[4]
    for j in range(d.size):
        a = d[j] * valid_e[j]
        b = e[j] * valid_d[j]
        first[j] += a
        second[j] += b
        dd[j] += a * a
        ee[j] += b * b
        de[j] += a * b


@njit(fastmath=_FAST)
def _add_product(a: FloatArray, b: FloatArray, total: FloatArray) -> None:
    """Add the products of two rows."""
    for j in range(a.size):
        total[j] += a[j] * b[j]


@njit()
def _lag1_r(sums: FloatArray, m: float, j: int) -> float:
    """Return Pearson's r of the m pairs one step apart of one series and pixel."""
    dd = sums[2, j] - sums[0, j] * sums[0, j] / m
    ee = sums[3, j] - sums[1, j] * sums[1, j] / m
    de = sums[4, j] - sums[0, j] * sums[1, j] / m
    floor = 1e-14 * max(sums[2, j], sums[3, j])
    if m < 3 or not (dd > floor and ee > floor):
        return np.nan
    return float(min(1.0, max(-1.0, de / np.sqrt(dd * ee))))


@njit()
def _centred_strip(x: Cube, y: Cube, rows: FloatArray) -> FloatArray:
    """Fill rows (time, 3, pixels) with valid and departures; return the counts."""
    sums = np.zeros((3, x.shape[1]))
    for t in range(x.shape[0]):
        _sum_valid(x[t], y[t], sums)
    for j in range(x.shape[1]):
        sums[1, j] /= sums[0, j]
        sums[2, j] /= sums[0, j]
    for t in range(x.shape[0]):
        _centre(x[t], y[t], sums, rows[t])
    count: FloatArray = sums[0]
    return count


@njit(parallel=True)
def _lag1_strips(x: Cube, y: Cube, found: FloatArray) -> None:
    """Write n (1 - ab) / (1 + ab), a and b the lag-1 r of both series, clipped."""
    steps, pixels = x.shape
    for k in prange((pixels + STRIP - 1) // STRIP):
        start = k * STRIP
        stop = min(start + STRIP, pixels)
        rows = np.empty((2, 3, stop - start))
        means = np.zeros((3, stop - start))
        for t in range(steps):
            _sum_valid(x[t, start:stop], y[t, start:stop], means)
        for j in range(stop - start):
            means[1, j] /= means[0, j]
            means[2, j] /= means[0, j]
        m = np.zeros(stop - start)
        of_x, of_y = np.zeros((5, stop - start)), np.zeros((5, stop - start))
        _centre(x[0, start:stop], y[0, start:stop], means, rows[0])
        for t in range(1, steps):
            old, new = rows[(t - 1) % 2], rows[t % 2]
            _centre(x[t, start:stop], y[t, start:stop], means, new)
            _add_product(old[0], new[0], m)
            _sum_lagged(old[1], new[1], old[0], new[0], of_x)
            _sum_lagged(old[2], new[2], old[0], new[0], of_y)
        for j in range(stop - start):
            n = means[0, j]
            product = _lag1_r(of_x, m[j], j) * _lag1_r(of_y, m[j], j)
            value = n * (1.0 - product) / (1.0 + product)
            found[start + j] = np.nan if np.isnan(value) else min(n, max(2.0, value))


@njit(parallel=True)
def _full_strips(x: Cube, y: Cube, longest_lag: int, found: FloatArray) -> None:
    """Write 1 / (1/n + 2/n sum over lags of (n - j)/n a_j b_j), clipped."""
    steps, pixels = x.shape
    for k in prange((pixels + STRIP - 1) // STRIP):
        start = k * STRIP
        stop = min(start + STRIP, pixels)
        width = stop - start
        rows = np.empty((steps, 3, width))
        count = _centred_strip(x[:, start:stop], y[:, start:stop], rows)
        squares, total = np.zeros((2, width)), np.zeros(width)
        for t in range(steps):
            _add_product(rows[t, 1], rows[t, 1], squares[0])
            _add_product(rows[t, 2], rows[t, 2], squares[1])
        for lag in range(1, longest_lag + 1):
            m, lagged = np.zeros(width), np.zeros((2, width))
            for t in range(steps - lag):
                _add_product(rows[t, 0], rows[t + lag, 0], m)
                _add_product(rows[t, 1], rows[t + lag, 1], lagged[0])
                _add_product(rows[t, 2], rows[t + lag, 2], lagged[1])
            for j in range(width):
                n = count[j]
                if m[j] > 0 and lag <= n // 5:
                    scale = n / m[j]
                    a = lagged[0, j] * scale / squares[0, j]
                    b = lagged[1, j] * scale / squares[1, j]
                    total[j] += (n - lag) / n * a * b
        for j in range(width):
            n = count[j]
            share = 1.0 + 2.0 * total[j]
            value = n / share if share > 1.0 / n else n
            few = n < 3 or not (squares[0, j] > 0 and squares[1, j] > 0)
            found[start + j] = np.nan if few else min(n, max(2.0, value))
