"""The nearest possible composition to a vector: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def close_to_simplex(
    values: npt.ArrayLike, *, allowed: npt.ArrayLike | None = None
) -> FloatArray:
    """Move each vector to the nearest one with parts of 0 or more that sum to 1.

    Parameters
    ----------
    values : array, shape (..., k)
        Vectors; those with a NaN give NaN.
    allowed : array of bool, shape (..., k), optional
        Parts that may differ from 0; all by default.

    Returns
    -------
    closed : array, shape (..., k)
        The nearest compositions; 0 in the parts not allowed, NaN where none is.

    Notes
    -----
    x = max(v - t, 0) with the one t that makes the sum 1. With the parts sorted from
    large to small, t = (v_1 + ... + v_j - 1) / j for the largest j with v_j > t.

    References
    ----------
    Held, Wolfe and Crowder (1974), Validation of subgradient optimization,
    Mathematical Programming 6, doi:10.1007/BF01580223.

    Examples
    --------
    >>> close_to_simplex([1.2, 0.1, -0.3]).round(6).tolist()
    [1.0, 0.0, 0.0]
    >>> close_to_simplex([0.5, 0.4, 0.3], allowed=[True, True, False]).round(6).tolist()
    [0.55, 0.45, 0.0]
    """
    given = np.asarray(values, dtype=np.float64)
    free = np.broadcast_to(True if allowed is None else allowed, given.shape)
    whole = np.isfinite(given).all(axis=-1, keepdims=True) & free.any(-1, keepdims=True)
    ranked = -np.sort(np.where(free & whole, -given, np.inf), axis=-1)
    counts = np.arange(1, given.shape[-1] + 1)
    there = np.isfinite(ranked)
    sums = np.cumsum(np.where(there, ranked, 0.0), axis=-1)
    levels = (sums - 1.0) / counts
    support = np.maximum((there & (ranked > levels)).sum(axis=-1, keepdims=True), 1)
    level = np.take_along_axis(levels, support - 1, axis=-1)
    closed = np.where(free, np.maximum(np.where(whole, given, 0.0) - level, 0.0), 0.0)
    total = closed.sum(axis=-1, keepdims=True)
    closed = closed / np.where(total > 0, total, 1.0)
    return np.where(whole, closed, np.nan)
