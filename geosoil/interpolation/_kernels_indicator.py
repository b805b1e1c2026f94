"""Probabilities that keep their order and their sum: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def order_probabilities(raw: FloatArray) -> FloatArray:
    """Make probabilities not to exceed rising thresholds rise within 0 and 1.

    Parameters
    ----------
    raw : array, shape (k, ...)
        Estimates for k rising thresholds; NaN missing.

    Returns
    -------
    ordered : array, shape (k, ...)
        Cut to 0 to 1; then the mean of the running maximum from below and of the
        running minimum from above.

    References
    ----------
    Deutsch and Journel (1998), GSLIB: Geostatistical Software Library and User's Guide,
    second edition, Oxford University Press.

    Examples
    --------
    >>> order_probabilities(np.array([-0.1, 0.5, 0.4, 1.2])).round(6).tolist()
    [0.0, 0.45, 0.45, 1.0]
    """
    cut = np.clip(raw, 0.0, 1.0)
    upward = np.maximum.accumulate(cut, axis=0)
    downward = np.minimum.accumulate(cut[::-1], axis=0)[::-1]
    return (upward + downward) / 2


def close_probabilities(raw: FloatArray) -> FloatArray:
    """Make probabilities of categories lie within 0 and 1 and sum to 1.

    Parameters
    ----------
    raw : array, shape (k, ...)
        Estimates for k categories; NaN missing.

    Returns
    -------
    closed : array, shape (k, ...)
        Cut to 0 to 1 and divided by their sum; NaN where that is 0.

    Examples
    --------
    >>> close_probabilities(np.array([-0.25, 0.5, 0.75])).tolist()
    [0.0, 0.4, 0.6]
    """
    cut = np.clip(raw, 0.0, 1.0)
    total = cut.sum(axis=0)
    return cut / np.where(total > 0, total, np.nan)


def rank_value(knots: FloatArray, probabilities: FloatArray, rank: float) -> FloatArray:
    """Return the value below which a share of the probability lies.

    Parameters
    ----------
    knots : array, shape (k + 2,)
        Lowest value, thresholds, highest value; rising.
    probabilities : array, shape (k, ...)
        Rising probabilities not to exceed the thresholds; NaN missing.
    rank : float
        The share, 0 to 1.

    Returns
    -------
    value : array, shape (...)
        Linear between the knots.

    Examples
    --------
    >>> rank_value(np.array([0.0, 2.0, 6.0]), np.array([[0.5]]), 0.75)
    array([4.])
    """
    below = np.concatenate([np.zeros_like(probabilities[:1]), probabilities])
    above = np.concatenate([probabilities, np.ones_like(probabilities[:1])])
    mass = above - below
    # A class without probability is crossed at once, and only beyond its rank.
    reached = np.clip(rank - below, 0.0, mass)
    empty = mass <= 0
    share = np.where(empty, rank > below, reached / np.where(empty, 1.0, mass))
    widths = np.diff(knots).reshape(-1, *[1] * (probabilities.ndim - 1))
    value = knots[0] + (widths * share).sum(axis=0)
    return np.where(np.isnan(probabilities).any(axis=0), np.nan, value)


def mean_value(knots: FloatArray, probabilities: FloatArray) -> FloatArray:
    """Return the mean of a distribution that is linear between its knots.

    Parameters
    ----------
    knots : array, shape (k + 2,)
        Lowest value, thresholds, highest value; rising.
    probabilities : array, shape (k, ...)
        Rising probabilities not to exceed the thresholds; NaN missing.

    Returns
    -------
    mean : array, shape (...)
        Highest value less the area below the distribution.

    Examples
    --------
    >>> mean_value(np.array([0.0, 2.0, 6.0]), np.array([[0.5]]))
    array([2.5])
    """
    below = np.concatenate([np.zeros_like(probabilities[:1]), probabilities])
    above = np.concatenate([probabilities, np.ones_like(probabilities[:1])])
    widths = np.diff(knots).reshape(-1, *[1] * (probabilities.ndim - 1))
    area = (widths * (below + above) / 2).sum(axis=0)
    mean: FloatArray = knots[-1] - area
    return np.where(np.isnan(probabilities).any(axis=0), np.nan, mean)
