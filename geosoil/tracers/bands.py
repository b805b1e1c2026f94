"""How sure a water line is along d18O: confidence bands and prediction intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.resampling import BootstrapLines

FloatArray = npt.NDArray[np.float64]

CLOSED: tuple[str, ...] = ("ols", "pwlsr", "york")
"""Methods whose bands have a closed form."""

NO_ERRORS = "no standard errors"
"""Reason: a line taken from the literature has no band."""
NO_SCATTER = "no samples"
"""Reason: a line without samples of its own predicts no interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """Interval of d2H along a water line."""

    d18O: FloatArray
    """Where the band is given [permil]."""
    d2H: FloatArray
    """d2H of the line [permil]."""
    lower: FloatArray
    """Lower bound of d2H [permil]; NaN where unknown."""
    upper: FloatArray
    """Upper bound of d2H [permil]; NaN where unknown."""
    confidence: float
    """Confidence of the interval at each d18O."""
    reason: str
    """Why there is no band; empty where there is one."""


def confidence_band(
    line: WaterLine | BootstrapLines,
    d18O: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> Band:
    """Return the interval in which the line itself lies.

    Parameters
    ----------
    line : WaterLine or BootstrapLines
        Line by ``"ols"``, ``"pwlsr"`` or ``"york"``, or the bootstrap of any line.
    d18O : array, shape (m,)
        Where the band is wanted [permil, VSMOW].
    confidence : float
        Confidence at each d18O, above 0 and below 1.

    Returns
    -------
    band : Band
        Bounds of d2H [permil]. A line from the literature gives NaN and the reason, a
        line by definition bounds that are the line.

    Raises
    ------
    InputError
        If the confidence is not one allowed, or the line's method needs a bootstrap.

    Notes
    -----
    Closed form: a x + b -+ t sqrt(Var(b) + x^2 Var(a) + 2 x cov(a, b)), with n - 2
    degrees of freedom. Bootstrap: percentiles of a x + b over the draws. The
    confidence holds at each d18O, not for the whole line at once.

    References
    ----------
    Draper and Smith (1998), Applied Regression Analysis, chapter 3,
    doi:10.1002/9781118625590.

    Examples
    --------
    >>> from geosoil.tracers.lines import fit_water_line
    >>> rain = fit_water_line([-6.0, -9.0, -12.0, -15.0], [-37.0, -64.0, -86.0, -109.0])
    >>> band = confidence_band(rain, [-10.5, -15.0])
    >>> (band.upper - band.lower).round(1).tolist()
    [7.3, 12.3]
    """
    x = _places(d18O, confidence)
    if isinstance(line, BootstrapLines):
        half = (1.0 - confidence) / 2.0
        good = np.isfinite(line.slopes)
        drawn = np.outer(line.slopes[good], x) + line.intercepts[good, np.newaxis]
        lower, upper = np.quantile(drawn, [half, 1.0 - half], axis=0)
        y = line.line.slope * x + line.line.intercept
        return Band(x, y, lower, upper, confidence, "")
    _check_closed(line)
    half_width = _half_width(_line_variance(line, x), line.n, confidence)
    reason = "" if np.isfinite(line.covariance) else NO_ERRORS
    return _band(line, x, half_width, confidence, reason)


def prediction_interval(
    line: WaterLine | BootstrapLines,
    d18O: npt.ArrayLike,
    *,
    confidence: float = 0.95,
) -> Band:
    """Return the interval in which one further sample lies.

    Parameters
    ----------
    line : WaterLine or BootstrapLines
        Line by ``"ols"``, ``"pwlsr"`` or ``"york"``, or the bootstrap of any line.
    d18O : array, shape (m,)
        d18O of the further samples [permil, VSMOW].
    confidence : float
        Confidence of each interval, above 0 and below 1.

    Returns
    -------
    interval : Band
        Bounds of d2H [permil]; NaN with the reason where the line has no samples.

    Raises
    ------
    InputError
        If the confidence is not one allowed, or the line's method needs a bootstrap.

    Notes
    -----
    a x + b -+ t sqrt(Var(b) + x^2 Var(a) + 2 x cov(a, b) + rmse^2) with n - 2 degrees
    of freedom (units - 2 of a bootstrap, which gives the variances of the line). The
    scatter is that of a sample of mean weight, taken as normal and the same along the
    line.

    References
    ----------
    Draper and Smith (1998), Applied Regression Analysis, chapter 3,
    doi:10.1002/9781118625590.

    Examples
    --------
    >>> from geosoil.tracers.lines import fit_water_line
    >>> rain = fit_water_line([-6.0, -9.0, -12.0, -15.0], [-37.0, -64.0, -86.0, -109.0])
    >>> interval = prediction_interval(rain, [-10.5])
    >>> (interval.upper - interval.lower).round(1).tolist()
    [16.4]
    """
    x = _places(d18O, confidence)
    if isinstance(line, BootstrapLines):
        fitted, size = line.line, line.n_units
    else:
        _check_closed(line)
        fitted, size = line, line.n
    variance = _line_variance(fitted, x) + fitted.rmse**2
    reason = "" if fitted.n else NO_SCATTER
    return _band(fitted, x, _half_width(variance, size, confidence), confidence, reason)


def _places(d18O: npt.ArrayLike, confidence: float) -> FloatArray:
    if not 0 < confidence < 1:
        message = f"Invalid confidence {confidence}. It lies above 0 and below 1."
        raise InputError(message)
    x = np.asarray(d18O, dtype=float)
    if x.ndim != 1:
        message = f"d18O has shape {x.shape}. Give a one-dimensional array."
        raise InputError(message)
    return x


def _check_closed(line: WaterLine) -> None:
    if line.n and line.method not in CLOSED:
        message = (
            f"No closed form for the band of a line by '{line.method}'. Give the "
            "result of bootstrap_line, or a line by ols, pwlsr or york."
        )
        raise InputError(message)


def _line_variance(line: WaterLine, x: FloatArray) -> FloatArray:
    slope, intercept = line.slope_standard_error, line.intercept_standard_error
    variance = intercept**2 + x**2 * slope**2 + 2.0 * x * line.covariance
    return np.maximum(variance, 0.0)


def _half_width(variance: FloatArray, size: int, confidence: float) -> FloatArray:
    probability = 0.5 + confidence / 2.0
    if size > 2:
        quantile = float(stats.t.ppf(probability, size - 2))
    else:
        quantile = float(stats.norm.ppf(probability))
    return quantile * np.sqrt(variance)


def _band(
    line: WaterLine, x: FloatArray, half: FloatArray, confidence: float, reason: str
) -> Band:
    y = line.slope * x + line.intercept
    return Band(x, y, y - half, y + half, confidence, reason)
