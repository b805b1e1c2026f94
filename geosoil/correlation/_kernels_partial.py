"""Weighted and partial correlation for strips of pixels, compiled: arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(5)

STRIP = 256
"""Pixels a strip, so that its co-moments and one step of all series stay cached."""

EPSILON = 2.0**-52
"""Distance from 1 to the next float64."""

# No "nnan" and "ninf": a missing value is a NaN, and must stay one.
_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]
Cube = npt.NDArray[np.floating]


class Partial(NamedTuple):
    """What the kernel answers, each an array of one value a pixel."""

    r: FloatArray
    """Partial correlation; NaN unless the reason is OK."""
    n: Counts
    """Pairs used."""
    reason: Codes
    """OK, FEW, CONSTANT_X, CONSTANT_Y or ALL_MISSING."""
    line: FloatArray
    """Slope of y on x beside the controls, and intercept, (2, pixels)."""


def partial(series: Cube, weights: Cube, times: FloatArray, fewest: int) -> Partial:
    """Correlate the last two of (variable, time, pixels), the others held fixed.

    ``weights`` is (time, pixels), or (0, 0) for equal ones; ``times`` is a control
    that all pixels share, (time,), or (0,). A step counts where all is finite and
    its weight is above 0.
    """
    pixels = series.shape[2]
    found = Partial(
        np.empty(pixels),
        np.empty(pixels, np.int32),
        np.empty(pixels, np.int8),
        np.empty((2, pixels)),
    )
    _partial_strips(series, weights, times, fewest, found)
    return found


@njit(fastmath=_FAST)
def _mark(values: Cube, share: FloatArray) -> None:
    """Set to 0 the weight of what is missing."""
    for j in range(values.size):
        u = np.float64(values[j])
        share[j] = share[j] if u - u == 0 else 0.0


@njit(fastmath=_FAST)
def _offset(values: Cube, start: FloatArray, share: FloatArray, d: FloatArray) -> None:
    """Write departures from the start, 0 where the weight is 0."""
    for j in range(values.size):
        u = np.float64(values[j]) - start[j]
        d[j] = u if share[j] > 0 else 0.0


@njit(fastmath=_FAST)
def _add_weighted(a: FloatArray, share: FloatArray, total: FloatArray) -> None:
    """Add a weighted row."""
    for j in range(a.size):
        total[j] += a[j] * share[j]


@njit(fastmath=_FAST)
def _add_product(
    a: FloatArray, b: FloatArray, share: FloatArray, total: FloatArray
) -> None:
    """Add the weighted products of two rows."""
    for j in range(a.size):
        total[j] += a[j] * b[j] * share[j]


@njit()
def _shares(series: Cube, weights: Cube, t: int, share: FloatArray) -> None:
    """Write the weights of one step of a strip, 0 where any value is missing."""
    for j in range(share.size):
        share[j] = 1.0
        if weights.shape[0] > 0:
            w = np.float64(weights[t, j])
            share[j] = w if (w - w == 0) & (w > 0) else 0.0
    for v in range(series.shape[0]):
        _mark(series[v, t], share)


@njit()
def _departures(
    series: Cube,
    times: FloatArray,
    t: int,
    start: FloatArray,
    share: FloatArray,
    d: FloatArray,
) -> None:
    """Write one step of all variables as departures from their starts."""
    shared = d.shape[0] - series.shape[0]
    for j in range(share.size):
        if shared:
            d[0, j] = times[t] - start[0, j] if share[j] > 0 else 0.0
    for v in range(series.shape[0]):
        _offset(series[v, t], start[v + shared], share, d[v + shared])


@njit()
def _starts(
    series: Cube,
    weights: Cube,
    times: FloatArray,
    count: FloatArray,
    total: FloatArray,
    start: FloatArray,
) -> None:
    """Count the steps, sum the weights and note each pixel's first valid values.

    Departures from the first value of a constant are 0 to the digit.
    """
    steps = series.shape[1]
    shared = start.shape[0] - series.shape[0]
    share = np.empty(count.size)
    for t in range(steps):
        _shares(series, weights, t, share)
        for j in range(count.size):
            if share[j] > 0:
                if count[j] == 0:
                    if shared:
                        start[0, j] = times[t]
                    for v in range(series.shape[0]):
                        start[v + shared, j] = series[v, t, j]
                count[j] += 1
                total[j] += share[j]


@njit()
def _strip_moments(
    series: Cube,
    weights: Cube,
    times: FloatArray,
    means: FloatArray,
    moments: FloatArray,
) -> FloatArray:
    """Fill means (variable, pixels) and co-moments of a strip; return the counts."""
    variables, width = means.shape
    steps = series.shape[1]
    count, total = np.zeros(width), np.zeros(width)
    start, d = np.zeros((variables, width)), np.empty((variables, width))
    share = np.empty(width)
    _starts(series, weights, times, count, total, start)
    for t in range(steps):
        _shares(series, weights, t, share)
        _departures(series, times, t, start, share, d)
        for v in range(variables):
            _add_weighted(d[v], share, means[v])
    for v in range(variables):
        for j in range(width):
            means[v, j] /= total[j]
    for t in range(steps):
        _shares(series, weights, t, share)
        _departures(series, times, t, start, share, d)
        for v in range(variables):
            for j in range(width):
                d[v, j] -= means[v, j]
            for u in range(v + 1):
                _add_product(d[u], d[v], share, moments[u, v])
    for v in range(variables):
        for j in range(width):
            means[v, j] += start[v, j]
    return count


@njit()
def _eliminate(a: FloatArray, noise: float) -> None:
    """Sweep all but the last two variables out of co-moments (upper half).

    A control that the earlier ones explain has no pivot and is left out.
    """
    last = a.shape[0]
    raw = np.empty(last)
    for v in range(last):
        raw[v] = a[v, v]
    for c in range(last - 2):
        if not a[c, c] > noise * raw[c]:
            a[c, c:] = 0.0
            continue
        for u in range(c + 1, last):
            factor = a[c, u] / a[c, c]
            for v in range(u, last):
                a[u, v] -= factor * a[c, v]
    for v in range(last - 2, last):
        if a[v, v] <= noise * raw[v]:
            a[v, v] = 0.0


@njit()
def _coefficients(a: FloatArray, found: FloatArray) -> None:
    """Solve the swept co-moments for the coefficients of controls and x."""
    last = a.shape[0] - 1
    for c in range(last - 1, -1, -1):
        value = a[c, last]
        for v in range(c + 1, last):
            value -= a[c, v] * found[v]
        found[c] = value / a[c, c] if a[c, c] > 0 else 0.0


@njit(parallel=True)
def _partial_strips(
    series: Cube,
    weights: Cube,
    times: FloatArray,
    fewest: int,
    found: Partial,
) -> None:
    """Correlate strip by strip into ``found``."""
    r, n, reason, line = found.r, found.n, found.reason, found.line
    pixels = series.shape[2]
    variables = series.shape[0] + (1 if times.size > 0 else 0)
    for k in prange((pixels + STRIP - 1) // STRIP):
        start = k * STRIP
        stop = min(start + STRIP, pixels)
        means = np.zeros((variables, stop - start))
        moments = np.zeros((variables, variables, stop - start))
        heavy = weights[:, start:stop] if weights.shape[0] > 0 else weights
        count = _strip_moments(series[:, :, start:stop], heavy, times, means, moments)
        for j in range(stop - start):
            i = start + j
            n[i] = count[j]
            r[i], line[0, i], line[1, i] = np.nan, np.nan, np.nan
            if n[i] < fewest:
                reason[i] = FEW if n[i] > 0 else ALL_MISSING
                continue
            a = moments[:, :, j].copy()
            _eliminate(a, 4 * n[i] * EPSILON)
            xx, yy = a[variables - 2, variables - 2], a[variables - 1, variables - 1]
            reason[i] = CONSTANT_X if xx == 0 else CONSTANT_Y if yy == 0 else OK
            if reason[i] != OK:
                continue
            value = a[variables - 2, variables - 1] / (np.sqrt(xx) * np.sqrt(yy))
            r[i] = min(1.0, max(-1.0, value))
            slopes = np.zeros(variables - 1)
            _coefficients(a, slopes)
            line[0, i] = slopes[variables - 2]
            line[1, i] = means[variables - 1, j]
            for v in range(variables - 1):
                line[1, i] -= slopes[v] * means[v, j]
