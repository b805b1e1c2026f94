"""Where two water lines cross, and how surely: the water before evaporation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers import _kernels
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.resampling import BootstrapLines

FloatArray = npt.NDArray[np.float64]
IntervalMethod = Literal["fieller", "delta", "bootstrap"]

PARALLEL = "parallel lines"
"""Flag: the slopes are equal and the lines do not cross."""
SAME_SLOPES = "slopes do not differ"
"""Flag: the slopes differ by less than two standard errors."""
UNBOUNDED = "unbounded interval"
"""Flag: at this confidence the lines may cross anywhere."""
NO_ERRORS = "no standard errors"
"""Flag: a line without known errors gives a point and no interval."""
TAKEN_AS_EXACT = "line without errors taken as exact"
"""Flag: of a line from the literature the bootstrap knows no spread."""
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
    first: WaterLine | BootstrapLines,
    second: WaterLine | BootstrapLines,
    *,
    confidence: float = 0.95,
    method: IntervalMethod = "fieller",
    precipitation_range: tuple[float, float] | None = None,
) -> Intersection:
    """Cross two water lines, with an interval of d18O.

    Parameters
    ----------
    first, second : WaterLine or BootstrapLines
        Lines, such as the local meteoric water line and an evaporation line. The
        standard errors of bootstrapped lines are those of their draws.
    confidence : float
        Confidence of the interval, above 0 and below 1.
    method : {"fieller", "delta", "bootstrap"}
        Fieller's set, which may be unbounded and then says so; the symmetric
        first-order interval; or percentiles of the crossings of the draws of
        `geosoil.tracers.resampling.bootstrap_line`, by sample, site or block.
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
        If the confidence or the method is not one of those allowed, or a bootstrap is
        asked for of lines that were not drawn, or drawn a different number of times.

    Notes
    -----
    x = (b2 - b1) / (a1 - a2). With V(x) = Var(b) + x^2 Var(a) + 2 x cov(a, b), the
    first-order variance is (V1(x) + V2(x)) / (a1 - a2)^2; Fieller's set is every x
    with ((b2 - b1) + x (a2 - a1))^2 <= t^2 (V1(x) + V2(x)), t with n1 + n2 - 4
    degrees of freedom (n - 2 where one line is exact; units, not samples, of a
    bootstrapped line). The two lines must come from different samples, drawn by one
    generator. In the bootstrap a draw whose slopes differ the other way crosses beyond
    infinity; where such draws reach a bound, the interval is called unbounded.

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
    if method not in get_args(IntervalMethod):
        known = ", ".join(get_args(IntervalMethod))
        message = f"Unknown interval method '{method}'. Choose one of {known}."
        raise InputError(message)
    pair = _Pair.of(first, second)
    if abs(pair.slope) < 1e-9:
        nan = float("nan")
        return Intersection(nan, nan, nan, nan, False, (PARALLEL,), nan)
    x = -pair.intercept / pair.slope
    error = pair.standard_error(x)
    flags: tuple[str, ...] = ()
    if method == "bootstrap":
        lower, upper = _drawn_bounds(first, second, pair, confidence)
        exact = any(line.method == "stated" for line in (pair.first, pair.second))
        flags = (TAKEN_AS_EXACT,) if exact else ()
    else:
        lower, upper = pair.bounds(x, confidence, method)
    flags = pair.flags((lower, upper)) + flags
    if precipitation_range is not None:
        lowest, highest = precipitation_range
        flags += () if lowest <= x <= highest else (IMPLAUSIBLE,)
    bounded = bool(np.isfinite(lower) and np.isfinite(upper))
    y = pair.first.slope * x + pair.first.intercept
    return Intersection(x, y, lower, upper, bounded, flags, error)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two lines to cross and their degrees of freedom."""

    first: WaterLine
    second: WaterLine
    freedom: int

    @classmethod
    def of(
        cls, first: WaterLine | BootstrapLines, second: WaterLine | BootstrapLines
    ) -> _Pair:
        lines, freedom = [], 0
        for line in (first, second):
            lines.append(line.line if isinstance(line, BootstrapLines) else line)
            size = line.n_units if isinstance(line, BootstrapLines) else line.n
            freedom += max(size - 2, 0)
        return cls(lines[0], lines[1], freedom)

    @property
    def slope(self) -> float:
        return self.second.slope - self.first.slope

    @property
    def intercept(self) -> float:
        return self.second.intercept - self.first.intercept

    def variances(self) -> tuple[float, float, float]:
        """Variances of slope and intercept and their covariance, of both lines."""
        first, second = self.first, self.second
        return (
            first.slope_standard_error**2 + second.slope_standard_error**2,
            first.intercept_standard_error**2 + second.intercept_standard_error**2,
            first.covariance + second.covariance,
        )

    def standard_error(self, x: float) -> float:
        slope, intercept, covariance = self.variances()
        variance = max(intercept + x**2 * slope + 2.0 * x * covariance, 0.0)
        if not np.isfinite(slope + intercept + covariance):
            return float("nan")
        return float(np.sqrt(variance)) / abs(self.slope)

    def bounds(self, x: float, confidence: float, method: str) -> tuple[float, float]:
        half = 0.5 + confidence / 2.0
        free = self.freedom
        t = float(stats.t.ppf(half, free) if free else stats.norm.ppf(half))
        error = self.standard_error(x)
        if method == "fieller" and np.isfinite(error):
            difference = (self.slope, self.intercept)
            return _kernels.fieller_bounds(difference, self.variances(), t)
        return x - t * error, x + t * error

    def flags(self, interval: tuple[float, float]) -> tuple[str, ...]:
        if np.isnan(interval[0]):
            return (NO_ERRORS,)
        flags: tuple[str, ...] = ()
        errors = [
            0.0 if line.method == "stated" else line.slope_standard_error
            for line in (self.first, self.second)
        ]
        if abs(self.slope) < 2.0 * float(np.hypot(errors[0], errors[1])):
            flags += (SAME_SLOPES,)
        if np.isinf(interval[0]):
            flags += (UNBOUNDED,)
        return flags


def _drawn_bounds(
    first: WaterLine | BootstrapLines,
    second: WaterLine | BootstrapLines,
    pair: _Pair,
    confidence: float,
) -> tuple[float, float]:
    """Percentiles of the crossings of two sets of draws."""
    drawn = [line for line in (first, second) if isinstance(line, BootstrapLines)]
    fitted = [
        line for line in (first, second) if isinstance(line, WaterLine) and line.n
    ]
    if fitted or not drawn:
        message = (
            "Method 'bootstrap' needs lines from bootstrap_line; a line by definition "
            "or from the literature may stand beside one. Draw the fitted lines, or "
            "use 'fieller'."
        )
        raise InputError(message)
    sizes = {line.slopes.size for line in drawn}
    if len(sizes) > 1:
        message = f"The lines have {sorted(sizes)} draws. Draw both equally often."
        raise InputError(message)
    slopes, intercepts = zip(*map(_draws, (first, second)), strict=True)
    difference = (slopes[1] - slopes[0], intercepts[1] - intercepts[0])
    known = np.isfinite(difference[0])
    difference = (difference[0][known], difference[1][known])
    spread = float(np.var(difference[0]))
    middle = [float(np.mean(values)) for values in difference]
    products = (difference[0] - middle[0]) * (difference[1] - middle[1])
    # The distance of the lines is best known where their draws are closest.
    centre = -float(np.mean(products)) / spread if spread > 0 else 0.0
    x = _kernels.crossings(difference, float(np.sign(pair.slope)), centre)
    half = (1.0 - confidence) / 2.0
    lower = float(np.quantile(x, half, method="lower"))
    upper = float(np.quantile(x, 1.0 - half, method="higher"))
    if np.isinf(lower) or np.isinf(upper):
        return -np.inf, np.inf
    return lower, upper


def _draws(line: WaterLine | BootstrapLines) -> tuple[FloatArray, FloatArray]:
    if isinstance(line, BootstrapLines):
        return line.slopes, line.intercepts
    return np.array([line.slope]), np.array([line.intercept])
