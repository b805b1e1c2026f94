"""Effective number of pairs of autocorrelated series, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

STRIP = 512
"""Pixels a strip: its series and its sums stay in the cache."""

_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating]
Three = tuple[Cube, Cube, Cube]


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
def _sum_neighbours(
    own: Three, other: Three, mean: FloatArray, sums: FloatArray
) -> None:
    """Add two pairs of steps of one series: number, sums, squares and product.

    A pair counts where both series are valid at both of its steps.
    """
    u0, u1, u2, v0, v1, v2 = own[0], own[1], own[2], other[0], other[1], other[2]
    number, first, second = sums[0], sums[1], sums[2]
    dd, ee, de = sums[3], sums[4], sums[5]
    for j in range(mean.size):
        p, q, r = np.float64(u0[j]), np.float64(u1[j]), np.float64(u2[j])
        s, t, w = np.float64(v0[j]), np.float64(v1[j]), np.float64(v2[j])
        now = (q - q == 0) & (t - t == 0)
        before = now & (p - p == 0) & (s - s == 0)
        after = now & (r - r == 0) & (w - w == 0)
        a = p - mean[j] if before else 0.0
        b = q - mean[j] if before else 0.0
        c = q - mean[j] if after else 0.0
        d = r - mean[j] if after else 0.0
        number[j] += (1.0 if before else 0.0) + (1.0 if after else 0.0)
        first[j] += a + c
        second[j] += b + d
        dd[j] += a * a + c * c
        ee[j] += b * b + d * d
        de[j] += a * b + c * d


@njit(fastmath=_FAST)
def _add_product(a: FloatArray, b: FloatArray, total: FloatArray) -> None:
    """Add the products of two rows."""
    for j in range(a.size):
        total[j] += a[j] * b[j]


@njit(fastmath=_FAST)
def _lag1_r(sums: FloatArray, r: FloatArray) -> None:
    """Write Pearson's r of the pairs one step apart of one series, NaN below three."""
    number, first, second = sums[0], sums[1], sums[2]
    dd, ee, de = sums[3], sums[4], sums[5]
    for j in range(r.size):
        share = 1.0 / number[j]
        before = dd[j] - first[j] * first[j] * share
        after = ee[j] - second[j] * second[j] * share
        value = (de[j] - first[j] * second[j] * share) / np.sqrt(before * after)
        value = 1.0 if value > 1.0 else value
        value = -1.0 if value < -1.0 else value
        floor = 1e-14 * (dd[j] if dd[j] > ee[j] else ee[j])
        sound = (number[j] >= 3.0) & (before > floor) & (after > floor)
        r[j] = value if sound else np.nan


@njit(fastmath=_FAST)
def _shrink(n: FloatArray, a: FloatArray, b: FloatArray, found: FloatArray) -> None:
    """Write n (1 - ab) / (1 + ab), no less than 2 and no more than n."""
    for j in range(found.size):
        product = a[j] * b[j]
        value = n[j] * (1.0 - product) / (1.0 + product)
        value = 2.0 if value < 2.0 else value
        found[j] = n[j] if value > n[j] else value


@njit(fastmath=_FAST)
def _mean(count: FloatArray, total: FloatArray) -> None:
    """Turn a sum into a mean."""
    for j in range(count.size):
        total[j] /= count[j]


@njit()
def _centred_strip(x: Cube, y: Cube, rows: FloatArray) -> FloatArray:
    """Fill rows (time, 3, pixels) with valid and departures; return the counts."""
    sums = np.zeros((3, x.shape[1]))
    for t in range(x.shape[0]):
        _sum_valid(x[t], y[t], sums)
    _mean(sums[0], sums[1])
    _mean(sums[0], sums[2])
    for t in range(x.shape[0]):
        _centre(x[t], y[t], sums, rows[t])
    count: FloatArray = sums[0]
    return count


@njit()
def _three(series: Cube, t: int, part: tuple[int, int], none: Cube) -> Three:
    """Return three steps of part of a series; nothing after the last step."""
    start, stop = part
    last = series[t + 2, start:stop] if t + 2 < series.shape[0] else none
    return series[t, start:stop], series[t + 1, start:stop], last


@njit()
def _lag1_strip(x: Cube, y: Cube, part: tuple[int, int], found: FloatArray) -> None:
    """Write the effective pairs of one strip."""
    start, stop = part
    width = stop - start
    means = np.zeros((3, width))
    for t in range(x.shape[0]):
        _sum_valid(x[t, start:stop], y[t, start:stop], means)
    _mean(means[0], means[1])
    _mean(means[0], means[2])
    of_x, of_y = np.zeros((6, width)), np.zeros((6, width))
    no_x, no_y = np.full(width, np.nan, x.dtype), np.full(width, np.nan, y.dtype)
    for t in range(0, x.shape[0] - 1, 2):
        own, other = _three(x, t, part, no_x), _three(y, t, part, no_y)
        _sum_neighbours(own, other, means[1], of_x)
        _sum_neighbours(other, own, means[2], of_y)
    _lag1_r(of_x, means[1])
    _lag1_r(of_y, means[2])
    _shrink(means[0], means[1], means[2], found[start:stop])


@njit(nogil=True)
def lag1_pairs(x: Cube, y: Cube, part: tuple[int, int], found: FloatArray) -> None:
    """Write the effective pairs n (1 - ab) / (1 + ab) of part of (time, pixels) series.

    a and b are the lag-1 r of both series; NaN where fewer than three pairs or a
    constant series leave it open.
    """
    for start in range(part[0], part[1], STRIP):
        _lag1_strip(x, y, (start, min(start + STRIP, part[1])), found)


@njit(nogil=True)
def full_pairs(
    x: Cube, y: Cube, part: tuple[int, int], longest_lag: int, found: FloatArray
) -> None:
    """Write 1 / (1/n + 2/n sum over lags of (n - j)/n a_j b_j) of part of the series.

    Autocorrelations up to a fifth of the steps, and no longer than ``longest_lag``,
    are summed; no less than 2 and no more than n.
    """
    steps = x.shape[0]
    for start in range(part[0], part[1], STRIP):
        stop = min(start + STRIP, part[1])
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
