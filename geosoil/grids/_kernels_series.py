"""Fill and smooth many series at once; time comes first, series side by side."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


def neighbours(
    valid: BoolArray,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Return the last valid position up to each one and the first one from it on.

    Parameters
    ----------
    valid : array of bool, shape (n, series)
        Where there is a value.

    Returns
    -------
    before, after : array of int, shape (n, series)
        Positions; -1 and n where there is none.
    """
    n = valid.shape[0]
    position = np.arange(n)[:, None]
    before = np.maximum.accumulate(np.where(valid, position, -1), axis=0)
    after = np.minimum.accumulate(np.where(valid, position, n)[::-1], axis=0)[::-1]
    return before, after


def gap_lengths(valid: BoolArray, days: FloatArray) -> FloatArray:
    """Return the time between the values on either side of each position.

    Parameters
    ----------
    valid : array of bool, shape (n, series)
        Where there is a value.
    days : array, shape (n,)
        Time of each position, rising.

    Returns
    -------
    lengths : array, shape (n, series)
        In the unit of time; 0 where there is a value, infinite before the first and
        after the last.
    """
    before, after = neighbours(valid)
    padded = np.concatenate([days, [np.inf], [-np.inf]])
    lengths: FloatArray = padded[after] - padded[before]
    return lengths


def linear_between(
    values: FloatArray, valid: BoolArray, days: FloatArray
) -> FloatArray:
    """Return values on straight lines between their neighbours in time.

    Parameters
    ----------
    values : array, shape (n, series)
        Series; what stands where there is no value does not matter.
    valid : array of bool, shape (n, series)
        Where there is a value.
    days : array, shape (n,)
        Time of each position, rising.

    Returns
    -------
    filled : array, shape (n, series)
        The values, and between them the lines; NaN before the first and after the
        last.
    """
    n = values.shape[0]
    before, after = neighbours(valid)
    inside = (before >= 0) & (after < n)
    first, last = np.clip(before, 0, n - 1), np.clip(after, 0, n - 1)
    low = np.take_along_axis(values, first, axis=0)
    high = np.take_along_axis(values, last, axis=0)
    span = days[last] - days[first]
    share = (days[:, None] - days[first]) / np.where(span > 0, span, 1.0)
    return np.where(inside, low + share * (high - low), np.nan)


def whittaker(
    values: FloatArray, weights: FloatArray, smoothness: float, order: int
) -> FloatArray:
    """Solve (W + smoothness D'D) z = W y for many series.

    Parameters
    ----------
    values : array, shape (n, series)
        Series, finite everywhere.
    weights : array, shape (n, series)
        Weight of each value, 0 where it is missing.
    smoothness : float
        Above 0.
    order : int
        Order of the differences, 1 to 3.

    Returns
    -------
    smooth : array, shape (n, series)
        Smoothed series; NaN where a series has fewer values than ``order``.

    Notes
    -----
    The matrix is symmetric with ``order`` bands beside its diagonal; it is split into
    L D L' from the first row on, for all series at once.
    """
    n = values.shape[0]
    bands = _penalty_bands(n, order)
    pivots = np.empty_like(values)
    lower = np.zeros((order, *values.shape))
    smooth = weights * values
    enough = (weights > 0).sum(axis=0) >= order
    safe = np.where(enough, weights, 1.0)
    for i in range(n):
        pivots[i] = safe[i] + smoothness * bands[0, i]
        for k in range(1, min(order, i) + 1):
            pivots[i] -= lower[k - 1, i - k] ** 2 * pivots[i - k]
            smooth[i] -= lower[k - 1, i - k] * smooth[i - k]
        for k in range(1, min(order, n - 1 - i) + 1):
            entry = np.full(values.shape[1], smoothness * bands[k, i])
            for m in range(1, min(order - k, i) + 1):
                j = i - m
                entry -= lower[m - 1, j] * lower[m + k - 1, j] * pivots[j]
            lower[k - 1, i] = entry / pivots[i]
    smooth /= pivots
    for i in range(n - 2, -1, -1):
        for k in range(1, min(order, n - 1 - i) + 1):
            smooth[i] -= lower[k - 1, i] * smooth[i + k]
    return np.where(enough, smooth, np.nan)


def _penalty_bands(n: int, order: int) -> FloatArray:
    """Return diagonal and upper bands of D'D, shape (order + 1, n)."""
    row = np.array([1.0])
    for _ in range(order):
        row = np.convolve(row, [1.0, -1.0])
    bands = np.zeros((order + 1, n))
    for start in range(n - order):
        for k in range(order + 1):
            products = row[: order + 1 - k] * row[k:]
            bands[k, start : start + order + 1 - k] += products
    return bands


def local_polynomials(
    values: FloatArray, valid: BoolArray, days: FloatArray, window: int, degree: int
) -> FloatArray:
    """Fit a polynomial to the values around each position and take its value there.

    Parameters
    ----------
    values : array, shape (n, series)
        Series, finite everywhere; what stands where there is no value is not used.
    valid : array of bool, shape (n, series)
        Where there is a value.
    days : array, shape (n,)
        Time of each position, rising.
    window : int
        Number of positions fitted, odd, at most n and 51.
    degree : int
        Degree of the polynomial, below ``window``.

    Returns
    -------
    smooth : array, shape (n, series)
        Fitted values; NaN where the window holds too few values to fit.

    Notes
    -----
    Least squares (Savitzky-Golay). Near the ends the outermost full window is used.
    """
    n, half = values.shape[0], window // 2
    smooth = np.full(values.shape, np.nan)
    powers = 2.0 ** np.arange(window)
    for i in range(n):
        start = min(max(i - half, 0), n - window)
        part = slice(start, start + window)
        scale = max(days[part][-1] - days[part][0], 1.0) / 2.0
        design = np.vander((days[part] - days[i]) / scale, degree + 1, increasing=True)
        seen = valid[part]
        # Few patterns of missing values occur: each is factorised once.
        codes = powers @ seen
        _, first, which = np.unique(codes, return_index=True, return_inverse=True)
        there = seen[:, first].T
        # A missing value has a row of zeros in the design, and so no weight.
        rows = np.linalg.pinv(there[:, :, None] * design)[:, 0]
        rows[there.sum(axis=1) <= degree] = np.nan
        smooth[i] = np.einsum("si,is->s", rows[which], values[part])
    return smooth
