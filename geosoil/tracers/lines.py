"""Water lines: straight lines through samples in d18O-d2H space."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers import _kernels
from geosoil.tracers.line_samples import WEIGHTED, LineSamples

__all__ = [
    "GMWL",
    "LONGEST",
    "WEAK",
    "WEIGHTED",
    "LineMethod",
    "WaterLine",
    "York",
    "check_method",
    "fit_water_line",
]

FloatArray = npt.NDArray[np.float64]
LineMethod = Literal["ols", "rma", "ma", "pwlsr", "pwrma", "pwma", "york", "theil_sen"]

LONGEST = 10_000
"""Most samples of a Theil-Sen line, which looks at every pair of them."""

WEAK = 0.7
"""Correlation below which a line is called weak."""


@dataclass(frozen=True, slots=True)
class WaterLine:
    """A line d2H = slope d18O + intercept, with what is known of its errors."""

    slope: float
    """Slope [permil per permil]."""
    intercept: float
    """Intercept [permil]."""
    slope_standard_error: float
    """Standard error of the slope; NaN where unknown, 0 for a line by definition."""
    intercept_standard_error: float
    """Standard error of the intercept [permil]."""
    covariance: float
    """Covariance of slope and intercept [permil]."""
    r_squared: float
    """Squared correlation of the samples, weighted where the fit is."""
    rmse: float
    """Scatter of d2H about the line, with n - 2 degrees of freedom [permil]."""
    n: int
    """Samples used after rows with a missing value were dropped; 0 if not fitted."""
    n_effective: float
    """Samples that count after weighting (Kish): (sum w)^2 / sum w^2."""
    method: str
    """Method of the fit, ``"definition"`` or ``"stated"``."""
    n_missing: int = field(default=0, compare=False)
    """Rows dropped because d18O or d2H is missing."""
    n_unweighted: int = field(default=0, compare=False)
    """Complete rows dropped because their precipitation is zero or missing."""

    @classmethod
    def stated(cls, slope: float, intercept: float) -> WaterLine:
        """Return a line taken from the literature, with unknown errors.

        Parameters
        ----------
        slope : float
            Slope [permil per permil].
        intercept : float
            Intercept [permil].

        Returns
        -------
        line : WaterLine
            Line whose standard errors are NaN.

        Examples
        --------
        >>> WaterLine.stated(7.9, 12.43).method
        'stated'
        """
        nan = float("nan")
        return cls(slope, intercept, nan, nan, nan, nan, nan, 0, 0.0, "stated")


GMWL = WaterLine(
    8.0, 10.0, 0.0, 0.0, 0.0, float("nan"), float("nan"), 0, 0.0, "definition"
)
"""Global meteoric water line of Craig (1961), exact by definition."""


@dataclass(frozen=True, slots=True)
class York:
    """York's fit with errors in both isotopes that go together.

    Parameters
    ----------
    correlation : float or array, shape (n,)
        Correlation of the errors of d18O and d2H of one sample, above -1 and
        below 1.

    Examples
    --------
    >>> line = fit_water_line(
    ...     [-10.0, -12.0, -15.0, -20.0], [-70.0, -86.0, -109.0, -150.0],
    ...     method=York(correlation=0.6), d18O_sd=0.1, d2H_sd=0.8,
    ... )
    >>> line.method, round(line.slope, 2)
    ('york', 7.98)
    """

    correlation: npt.ArrayLike = 0.0


def fit_water_line(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    method: LineMethod | York = "ols",
    amount: npt.ArrayLike | None = None,
    d18O_sd: npt.ArrayLike | None = None,
    d2H_sd: npt.ArrayLike | None = None,
) -> WaterLine:
    """Fit a water line to samples.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values [permil, VSMOW]. Rows with a missing value are dropped.
    method : {"ols", "rma", "ma", "pwlsr", "pwrma", "pwma", "york", "theil_sen"}
        Ordinary least squares, reduced major axis, major axis; the same three
        weighted by precipitation amount; York's fit with errors in both isotopes
        (``York(correlation=...)`` where the errors go together); the median slope
        of all pairs.
    amount : array, shape (n,), optional
        Precipitation amount of each sample [mm], for the weighted methods. Rows
        with amount zero or missing are dropped and counted in ``n_unweighted``.
    d18O_sd, d2H_sd : array, shape (n,), or float, optional
        Standard deviations of the measurements [permil], for ``"york"``.

    Returns
    -------
    line : WaterLine
        Fitted line.

    Raises
    ------
    InputError
        With fewer than 3 usable samples, equal d18O, negative amounts, standard
        deviations that are not positive, or data the method does not go with.

    Warns
    -----
    GeosoilWarning
        Where the correlation is below 0.7 in size, or undefined.

    Notes
    -----
    With weights w that sum to 1 and moments S about the weighted means: OLS slope
    Sxy/Sxx; RMA slope sign(Sxy) sqrt(Syy/Sxx); MA slope (D + sqrt(D^2 + 4 Sxy^2)) /
    (2 Sxy), D = Syy - Sxx. The slope's variance is s^2 / (n Sxx), where s^2 is the
    residual variance about the line that was fitted; for RMA some texts take the
    residuals about the OLS line, which gives a value smaller by
    sqrt((1 + abs(r)) / 2). The major axis depends on the scales of the axes, and
    its error is approximate; `geosoil.tracers.resampling.bootstrap_line` gives a
    better one. The Theil-Sen intercept is median(d2H) - slope median(d18O); the
    standard error of its slope is the width of Sen's 95 % interval over 2 x 1.96,
    that of its intercept is unknown (NaN).

    References
    ----------
    Hughes and Crawford (2012), J. Hydrol. 464-465, 344-351,
    doi:10.1016/j.jhydrol.2012.07.029; Crawford et al. (2014), J. Hydrol. 519,
    2331-2340, doi:10.1016/j.jhydrol.2014.10.033; York et al. (2004), Am. J. Phys.
    72, 367-375, doi:10.1119/1.1632486; Sen (1968), J. Am. Stat. Assoc. 63,
    1379-1389, doi:10.1080/01621459.1968.10480934.

    Examples
    --------
    >>> line = fit_water_line([-10.0, -15.0, -20.0], [-70.0, -109.0, -150.0])
    >>> round(line.slope, 2), round(line.intercept, 2), line.n
    (8.0, 10.33, 3)
    """
    name = "york" if isinstance(method, York) else method
    check_method(name, get_args(LineMethod))
    errors_given = d18O_sd is not None or d2H_sd is not None
    if errors_given and name != "york":
        message = f"Method '{name}' takes no standard deviations. Use 'york'."
        raise InputError(message)
    samples = LineSamples.of(d18O, d2H, method=name, amount=amount)
    if name == "york":
        correlation = method.correlation if isinstance(method, York) else 0.0
        found = _york(samples, d18O_sd, d2H_sd, correlation)
    elif name == "theil_sen":
        found = _theil_sen(samples)
    else:
        found = _moment_line(samples, name)
    line = _result(found, samples, name)
    if not line.r_squared >= WEAK**2:
        message = (
            f"The {name} line through {line.n} samples is weak: r^2 = "
            f"{line.r_squared:.2f}, below {WEAK**2:.2f}. Look at the samples first."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=2)
    return line


def check_method(method: str, known: tuple[str, ...]) -> None:
    """Raise where a method is not one of those known.

    Parameters
    ----------
    method : str
        Method asked for.
    known : tuple of str
        Methods there are.

    Raises
    ------
    InputError
        If the method is not among them.

    Examples
    --------
    >>> check_method("rma", ("ols", "rma"))
    """
    if method not in known:
        message = f"Unknown line method '{method}'. Choose one of {', '.join(known)}."
        raise InputError(message)


def _moment_line(samples: LineSamples, method: str) -> _kernels.Line:
    family = WEIGHTED.get(method, method)
    share = samples.weight / samples.weight.sum()
    spread = _kernels.moments(samples.x, samples.y, share)
    if family != "ols" and abs(spread.xy) <= 1e-14 * (spread.xx + spread.yy):
        message = (
            f"No {method} line: d18O and d2H of the {samples.x.size} samples do "
            "not vary together, so that the slope has no sign. Use 'ols'."
        )
        raise InputError(message)
    return _kernels.fit_line(samples.x, samples.y, share, family)


def _theil_sen(samples: LineSamples) -> _kernels.Line:
    if samples.x.size > LONGEST:
        message = (
            f"Method 'theil_sen' looks at every pair of samples: {samples.x.size} "
            f"samples given, {LONGEST} at most. Fit groups, or use 'ols'."
        )
        raise InputError(message)
    return _kernels.theil_sen_line(samples.x, samples.y)


def _york(
    samples: LineSamples,
    d18O_sd: npt.ArrayLike | None,
    d2H_sd: npt.ArrayLike | None,
    correlation: npt.ArrayLike,
) -> _kernels.Line:
    if d18O_sd is None or d2H_sd is None:
        message = "Method 'york' needs d18O_sd and d2H_sd, one value a sample."
        raise InputError(message)
    x_sd, y_sd, r = (
        _per_sample(values, samples, name)
        for values, name in (
            (d18O_sd, "d18O_sd"),
            (d2H_sd, "d2H_sd"),
            (correlation, "correlation"),
        )
    )
    bad = int(np.sum(~((x_sd > 0) & (y_sd > 0))))
    if bad:
        message = (
            f"Method 'york': {bad} samples have a standard deviation that is "
            "missing or not above 0. Give the precision of each measurement."
        )
        raise InputError(message)
    bad = int(np.sum(~(np.abs(r) < 1)))
    if bad:
        message = (
            f"Method 'york': {bad} samples have an error correlation that is missing "
            "or not above -1 and below 1."
        )
        raise InputError(message)
    line = _kernels.york_line(samples.x, samples.y, (x_sd**-2.0, y_sd**-2.0), r)
    if not np.isfinite(line.slope):
        message = (
            f"Method 'york' did not settle on a slope through {samples.x.size} "
            "samples. Check the standard deviations, or use 'rma'."
        )
        raise InputError(message)
    return line


def _per_sample(values: npt.ArrayLike, samples: LineSamples, name: str) -> FloatArray:
    array = np.asarray(values, dtype=float)
    if array.shape not in ((), samples.kept.shape):
        message = (
            f"{name} has shape {array.shape} for {samples.kept.size} samples. "
            "Give one number, or one each."
        )
        raise InputError(message)
    return np.broadcast_to(array, samples.kept.shape)[samples.kept]


def _result(line: _kernels.Line, samples: LineSamples, method: str) -> WaterLine:
    weight = samples.weight
    return WaterLine(
        slope=line.slope,
        intercept=line.intercept,
        slope_standard_error=float(np.sqrt(line.slope_variance)),
        intercept_standard_error=float(np.sqrt(line.intercept_variance)),
        covariance=line.covariance,
        r_squared=line.r_squared,
        rmse=line.rmse,
        n=samples.x.size,
        n_effective=float(weight.sum() ** 2 / (weight**2).sum()),
        method=method,
        n_missing=samples.n_missing,
        n_unweighted=samples.n_unweighted,
    )
