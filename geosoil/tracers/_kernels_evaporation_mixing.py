"""Evaporation in mixing on plain arrays: the ridge of equal fits and its projection.

The mixtures run along the last axis where arrays are solved, and first in tables.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

STEADY = 1e-12
"""Change per permil below which a share counts as not moved by evaporation."""


class Ridge(NamedTuple):
    """Shares of n mixtures along all E of 0 or above that keep them within 0 and 1."""

    shift_lower: FloatArray
    """Least such E, shape (n,); NaN where there is none."""
    shift_upper: FloatArray
    """Largest such E, shape (n,); infinite where nothing bounds it."""
    lower: FloatArray
    """Least share of each source, shape (n, K)."""
    upper: FloatArray
    """Largest share of each source, shape (n, K)."""


def share_ranges(raw: FloatArray, change: FloatArray) -> Ridge:
    """Find the ranges of shares ``raw`` + ``change`` E, both of shape (n, K)."""
    falling, rising = change < -STEADY, change > STEADY
    zero = np.full(raw.shape, np.inf)
    np.divide(raw, -change, out=zero, where=falling | rising)
    first = np.max(np.where(rising, zero, 0.0), axis=1, initial=0.0)
    last = np.min(np.where(falling, zero, np.inf), axis=1, initial=np.inf)
    outside = (~(falling | rising) & (raw < -STEADY)).any(axis=1)
    none = outside | (first > last + STEADY) | ~np.isfinite(raw).all(axis=1)
    first = np.where(none, np.nan, first)
    last = np.where(none, np.nan, last)
    start = raw + change * first[:, None]
    end = raw + change * np.where(np.isinf(last), first, last)[:, None]
    return Ridge(
        first,
        last,
        np.clip(np.minimum(start, end), 0.0, 1.0),
        np.clip(np.maximum(start, end), 0.0, 1.0),
    )


def without_evaporation(
    factor: FloatArray, direction: FloatArray, weight: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Turn a whitening factor into one that looks past evaporation.

    With W = F'F, g the ``direction`` (J, n) and t the ``weight`` (n,) of the prior,
    1 / variance of E, the first answer F2 (J, J, n) holds F2'F2 = W - W g g'W / (g'W g
    + t): the weights left once the best E is taken. The second, l = W g / (g'W g + t)
    of shape (J, n), gives that E from a misfit.
    """
    seen: FloatArray = (factor * direction[None]).sum(axis=1)
    strength = (seen**2).sum(axis=0)
    total = strength + weight
    back: FloatArray = (factor * seen[:, None]).sum(axis=0)
    share = (1.0 - np.sqrt(weight / total)) / strength
    return factor - share * seen[:, None] * back[None], back / total
