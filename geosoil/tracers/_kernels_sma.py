"""Tests of a common slope and elevation of standardised major axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import optimize

FloatArray = npt.NDArray[np.float64]

TRIALS = 65
"""Slopes tried before the best is refined; the sum may have several minima."""


class AxisTest(NamedTuple):
    """Chi-squared statistics with groups less one degrees of freedom."""

    slope: float
    """Common slope."""
    likelihood_ratio: float
    """Statistic of equal slopes."""
    elevation: float
    """Wald statistic of equal elevations given the common slope."""


def common_axis(n: FloatArray, means: FloatArray, spread: FloatArray) -> AxisTest:
    """Fit one slope to groups; ``means`` is (group, 2), ``spread`` xx, xy, yy."""
    xx, xy, yy = spread.T
    slopes = np.sqrt(yy / xx)
    loose = np.maximum(1.0 - xy**2 / (xx * yy), 1e-12)
    logs = np.log(slopes)

    def misfit(log_slope: float, weight: FloatArray) -> float:
        return float(weight @ np.log1p(np.sinh(log_slope - logs) ** 2 / loose))

    best = _minimum(lambda value: misfit(value, n), logs)
    slope = float(np.exp(best))
    residual = (yy - 2.0 * slope * xy + slope**2 * xx) / (n - 2.0)
    slope_variance = slope**2 / float(((n - 2.0) / loose).sum())
    elevation = means[:, 1] - slope * means[:, 0]
    variance = np.diag(np.maximum(residual, 1e-300) / n)
    contrast = np.column_stack([-np.ones(n.size - 1), np.eye(n.size - 1)])
    # A shift of all x by one value must not matter: contrasts remove it.
    lever = contrast @ means[:, 0]
    spread_of = contrast @ variance @ contrast.T + slope_variance * np.outer(
        lever, lever
    )
    shift = contrast @ elevation
    wald = float(shift @ np.linalg.solve(spread_of, shift))
    return AxisTest(slope, misfit(best, n - 2.5), wald)


def _minimum(function: Callable[[float], float], logs: FloatArray) -> float:
    low, high = float(logs.min()), float(logs.max())
    if high - low < 1e-12:
        return 0.5 * (low + high)
    trials = np.linspace(low, high, TRIALS)
    place = int(np.argmin([function(value) for value in trials]))
    bounds = (trials[max(place - 1, 0)], trials[min(place + 1, TRIALS - 1)])
    found = optimize.minimize_scalar(
        function, bounds=bounds, method="bounded", options={"xatol": 1e-12}
    )
    return float(found.x)
