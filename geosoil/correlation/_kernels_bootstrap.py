"""Correlations of resampled steps of time pixel by pixel, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

STRIP = 128
"""Pixels a strip: its series and its six sums stay in the cache."""

CANCELLED = 1e-3
"""Share of the squares below which the spread of a resample is summed anew."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def pearson_resampled(
    x: FloatArray, y: FloatArray, weights: FloatArray, found: FloatArray
) -> None:
    """Fill (pixels, resamples) with Pearson's r of (time, pixels); NaN where none.

    ``weights`` (resamples, time) says how often each step is drawn.
    """
    _pearson_strips(x, y, weights, found)


def spearman_resampled(
    x: FloatArray, y: FloatArray, weights: FloatArray, found: FloatArray
) -> None:
    """Fill as with Pearson's, of mid-ranks within each resample."""
    _spearman_pixels(x, y, weights, found)


@njit()
def _centre(x: FloatArray, y: FloatArray, valid: FloatArray, out: FloatArray) -> None:
    """Write departures (2, time, pixels) from the means of the pairs, 0 elsewhere."""
    steps, pixels = x.shape
    for j in range(pixels):
        n, mean_x, mean_y = 0.0, 0.0, 0.0
        for t in range(steps):
            both = (x[t, j] - x[t, j] == 0) & (y[t, j] - y[t, j] == 0)
            valid[t, j] = 1.0 if both else 0.0
            if both:
                n += 1.0
                mean_x += x[t, j]
                mean_y += y[t, j]
        for t in range(steps):
            both = valid[t, j] > 0
            out[0, t, j] = x[t, j] - mean_x / n if both else 0.0
            out[1, t, j] = y[t, j] - mean_y / n if both else 0.0


@njit()
def _add_step(
    weight: float, valid: FloatArray, dx: FloatArray, dy: FloatArray, sums: FloatArray
) -> None:
    """Add one step to count, sums, squares and products of a resample."""
    count, sum_x, sum_y = sums[0], sums[1], sums[2]
    xx, yy, xy = sums[3], sums[4], sums[5]
    for j in range(valid.size):
        u, v = dx[j], dy[j]
        a, b = weight * u, weight * v
        count[j] += weight * valid[j]
        sum_x[j] += a
        sum_y[j] += b
        xx[j] += a * u
        yy[j] += b * v
        xy[j] += a * v


@njit()
def _walked_r(x: FloatArray, y: FloatArray, weights: FloatArray) -> float:
    """Return r of one pixel in two passes; NaN of a constant or of no pairs."""
    n, mean_x, mean_y = 0.0, 0.0, 0.0
    low_x, high_x, low_y, high_y = np.inf, -np.inf, np.inf, -np.inf
    for t in range(weights.size):
        w, u, v = weights[t], x[t], y[t]
        if (w > 0) & (u - u == 0) & (v - v == 0):
            n, mean_x, mean_y = n + w, mean_x + w * u, mean_y + w * v
            low_x, high_x = min(low_x, u), max(high_x, u)
            low_y, high_y = min(low_y, v), max(high_y, v)
    if not ((low_x < high_x) & (low_y < high_y)):
        return np.nan
    mean_x, mean_y = mean_x / n, mean_y / n
    xx, yy, xy = 0.0, 0.0, 0.0
    for t in range(weights.size):
        w, du, dv = weights[t], x[t] - mean_x, y[t] - mean_y
        if (w > 0) & (du - du == 0) & (dv - dv == 0):
            xx, yy, xy = xx + w * du * du, yy + w * dv * dv, xy + w * du * dv
    return float(min(1.0, max(-1.0, xy / (np.sqrt(xx) * np.sqrt(yy)))))


@njit(parallel=True)
def _pearson_strips(
    x: FloatArray, y: FloatArray, weights: FloatArray, found: FloatArray
) -> None:
    """Write r of every resample, a strip of pixels at a time."""
    steps, pixels = x.shape
    for k in prange((pixels + STRIP - 1) // STRIP):
        first = k * STRIP
        last = min(first + STRIP, pixels)
        valid, centred = np.empty((steps, last - first)), np.empty((2, steps, STRIP))
        _centre(x[:, first:last], y[:, first:last], valid, centred)
        sums = np.empty((6, last - first))
        for i in range(len(weights)):
            sums[:] = 0.0
            for t in range(steps):
                if weights[i, t] > 0:
                    _add_step(
                        weights[i, t], valid[t], centred[0, t], centred[1, t], sums
                    )
            for j in range(last - first):
                n, sum_x, sum_y = sums[0, j], sums[1, j], sums[2, j]
                xx, yy = sums[3, j] - sum_x * sum_x / n, sums[4, j] - sum_y * sum_y / n
                if (xx > CANCELLED * sums[3, j]) & (yy > CANCELLED * sums[4, j]):
                    r = sums[5, j] - sum_x * sum_y / n
                    r = r / (np.sqrt(xx) * np.sqrt(yy))
                    found[first + j, i] = min(1.0, max(-1.0, r))
                else:
                    p = first + j
                    found[p, i] = _walked_r(x[:, p], y[:, p], weights[i])


@njit()
def _tied(values: FloatArray) -> tuple[IntArray, IntArray]:
    """Return the order of values, and where each run of equal ones ends."""
    order = np.argsort(values)
    ends = np.empty(values.size, np.int64)
    end = values.size
    for k in range(values.size - 1, -1, -1):
        if k + 1 < values.size and values[order[k]] != values[order[k + 1]]:
            end = k + 1
        ends[k] = end
    return order, ends


@njit()
def _doubled_ranks(
    order: IntArray, ends: IntArray, weights: FloatArray, ranks: FloatArray
) -> None:
    """Write twice the mid-ranks of a resample about their mean: whole numbers."""
    below, k = -weights.sum(), 0
    while k < order.size:
        end = ends[k]
        group = weights[order[k]]
        for m in range(k + 1, end):
            group += weights[order[m]]
        for m in range(k, end):
            ranks[order[m]] = below + group
        below, k = below + 2.0 * group, end


@njit(parallel=True)
def _spearman_pixels(
    x: FloatArray, y: FloatArray, weights: FloatArray, found: FloatArray
) -> None:
    """Write rho of every resample from orders that are found once a pixel."""
    for p in prange(x.shape[1]):
        steps = np.flatnonzero(np.isfinite(x[:, p]) & np.isfinite(y[:, p]))
        order_x, ends_x = _tied(x[steps, p])
        order_y, ends_y = _tied(y[steps, p])
        # In the order of x, only the ranks of y lie scattered.
        steps = steps[order_x]
        place = np.empty(steps.size, np.int64)
        place[order_x] = np.arange(steps.size)
        order_y = place[order_y]
        order_x = np.arange(steps.size)
        rank_x, rank_y = np.empty(steps.size), np.empty(steps.size)
        drawn = np.empty(steps.size)
        for i in range(len(weights)):
            for k in range(steps.size):
                drawn[k] = weights[i, steps[k]]
            _doubled_ranks(order_x, ends_x, drawn, rank_x)
            _doubled_ranks(order_y, ends_y, drawn, rank_y)
            xx, yy, xy = 0.0, 0.0, 0.0
            for k in range(steps.size):
                w, u, v = drawn[k], rank_x[k], rank_y[k]
                xx, yy, xy = xx + w * u * u, yy + w * v * v, xy + w * u * v
            some = (xx > 0) & (yy > 0)
            found[p, i] = xy / (np.sqrt(xx) * np.sqrt(yy)) if some else np.nan


def quantiles(draws: FloatArray, levels: FloatArray) -> FloatArray:
    """Return quantiles (2, pixels) at levels (2, pixels) of (pixels, draws).

    Draws that are NaN are left out; others are joined by straight lines, as numpy
    does. A level that is NaN has a quantile that is.
    """
    found = np.full(levels.shape, np.nan)
    _quantile_pixels(draws, levels, found)
    return found


@njit(parallel=True)
def _quantile_pixels(draws: FloatArray, levels: FloatArray, found: FloatArray) -> None:
    """Write the quantiles of each pixel that has draws and levels."""
    for p in prange(len(draws)):
        some = draws[p][~np.isnan(draws[p])]
        for k in range(2):
            level = levels[k, p]
            if some.size > 0 and level - level == 0:
                place = level * (some.size - 1)
                whole = min(int(place), some.size - 1)
                parted = np.partition(some, whole)
                value = parted[whole]
                if place > whole:
                    value += (place - whole) * (parted[whole + 1 :].min() - value)
                found[k, p] = value
