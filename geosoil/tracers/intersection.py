"""Where two water lines cross, and how surely: the water before evaporation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers import _kernels
from geosoil.tracers.lines import WaterLine

IntervalMethod = Literal["fieller", "delta"]

PARALLEL = "parallel lines"
"""Flag: the slopes are equal and the lines do not cross."""
SAME_SLOPES = "slopes do not differ"
"""Flag: the slopes differ by less than two standard errors."""
UNBOUNDED = "unbounded interval"
"""Flag: at this confidence the lines may cross anywhere."""
NO_ERRORS = "no standard errors"
"""Flag: a line without known errors gives a point and no interval."""
IMPLAUSIBLE = "outside the observed precipitation"
"""Flag: the crossing lies where no precipitation was sampled."""


@dataclass(frozen=True, slots=True)
class Intersection:
    """Crossing of two water lines; NaN where they are parallel."""

    d18O: float
    """d18O of the crossing [permil]."""
    d2H: float
    """d2H of the crossing [permil]."""
    lower: float
    """Lower bound of d18O [permil]; minus infinity where unbounded."""
    upper: float
    """Upper bound of d18O [permil]; infinity where unbounded."""
    bounded: bool
    """Whether the interval is known and finite."""
    flags: tuple[str, ...]
    """Cautions in words; empty where there is none."""
    standard_error: float
    """First-order standard error of d18O [permil]."""


def intersect(
    first: WaterLine,
    second: WaterLine,
    *,
    confidence: float = 0.95,
    method: IntervalMethod = "fieller",
    precipitation_range: tuple[float, float] | None = None,
) -> Intersection:
    """Cross two water lines, with an interval of d18O.

    Parameters
    ----------
    first, second : WaterLine
        Lines, such as the local meteoric water line and an evaporation line.
    confidence : float
        Confidence of the interval, above 0 and below 1.
    method : {"fieller", "delta"}
        Fieller's set, which may be unbounded and then says so, or the symmetric
        first-order interval.
    precipitation_range : tuple = (lowest, highest), optional
        d18O range of the observed precipitation [permil]; a crossing outside it
        is flagged.

    Returns
    -------
    crossing : Intersection
        Point, interval and flags.

    Raises
    ------
    InputError
        If the confidence or the method is not one of those allowed.

    Notes
    -----
    x = (b2 - b1) / (a1 - a2). With V(x) = Var(b) + x^2 Var(a) + 2 x cov(a, b), the
    first-order variance is (V1(x) + V2(x)) / (a1 - a2)^2; Fieller's set is every x
    with ((b2 - b1) + x (a2 - a1))^2 <= t^2 (V1(x) + V2(x)), t with n1 + n2 - 4
    degrees of freedom (n - 2 where one line is exact).

    References
    ----------
    Fieller (1954), J. R. Stat. Soc. B 16, 175-185,
    doi:10.1111/j.2517-6161.1954.tb00159.x.

    Examples
    --------
    >>> lmwl, meadow = WaterLine.stated(7.9, 12.43), WaterLine.stated(6.4, -15.83)
    >>> crossing = intersect(lmwl, meadow)
    >>> round(crossing.d18O, 2), round(crossing.d2H, 2), crossing.flags
    (-18.84, -136.41, ('no standard errors',))
    """
    if not 0 < confidence < 1:
        message = f"Invalid confidence {confidence}. It lies above 0 and below 1."
        raise InputError(message)
    if method not in ("fieller", "delta"):
        message = f"Unknown interval method '{method}'. Choose fieller or delta."
        raise InputError(message)
    slope = second.slope - first.slope
    nan = float("nan")
    if abs(slope) < 1e-9:
        return Intersection(nan, nan, nan, nan, False, (PARALLEL,), nan)
    x = (second.intercept - first.intercept) / -slope
    error = _standard_error(first, second, x)
    t = _student_t(first, second, confidence)
    lower, upper = x - t * error, x + t * error
    if method == "fieller" and np.isfinite(error):
        difference = (slope, second.intercept - first.intercept)
        lower, upper = _kernels.fieller_bounds(difference, _sums(first, second), t)
    flags = _flags(first, second, (lower, upper))
    if precipitation_range is not None:
        lowest, highest = precipitation_range
        flags += () if lowest <= x <= highest else (IMPLAUSIBLE,)
    bounded = bool(np.isfinite(lower) and np.isfinite(upper))
    y = first.slope * x + first.intercept
    return Intersection(x, y, lower, upper, bounded, flags, error)


def _sums(first: WaterLine, second: WaterLine) -> tuple[float, float, float]:
    return (
        first.slope_standard_error**2 + second.slope_standard_error**2,
        first.intercept_standard_error**2 + second.intercept_standard_error**2,
        first.covariance + second.covariance,
    )


def _standard_error(first: WaterLine, second: WaterLine, x: float) -> float:
    slope, intercept, covariance = _sums(first, second)
    variance = max(intercept + x**2 * slope + 2.0 * x * covariance, 0.0)
    if not np.isfinite(slope + intercept + covariance):
        return float("nan")
    return float(np.sqrt(variance)) / abs(first.slope - second.slope)


def _student_t(first: WaterLine, second: WaterLine, confidence: float) -> float:
    freedom = sum(line.n - 2 for line in (first, second) if line.n > 2)
    half = 0.5 + confidence / 2.0
    return float(stats.t.ppf(half, freedom) if freedom else stats.norm.ppf(half))


def _flags(
    first: WaterLine, second: WaterLine, interval: tuple[float, float]
) -> tuple[str, ...]:
    if np.isnan(interval[0]):
        return (NO_ERRORS,)
    flags: tuple[str, ...] = ()
    error = float(np.hypot(first.slope_standard_error, second.slope_standard_error))
    if abs(first.slope - second.slope) < 2.0 * error:
        flags += (SAME_SLOPES,)
    if np.isinf(interval[0]):
        flags += (UNBOUNDED,)
    return flags
