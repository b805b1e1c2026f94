"""Water lines: straight lines through samples in d18O-d2H space."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers import _kernels

FloatArray = npt.NDArray[np.float64]
LineMethod = Literal["ols", "rma", "ma", "pwlsr", "pwrma", "pwma", "york"]

WEIGHTED: dict[str, str] = {"pwlsr": "ols", "pwrma": "rma", "pwma": "ma"}
"""Amount-weighted methods and the plain method each one weights."""

FEWEST = 3
"""Fewest samples a line is fitted to."""

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


def fit_water_line(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    method: LineMethod = "ols",
    amount: npt.ArrayLike | None = None,
    d18O_sd: npt.ArrayLike | None = None,
    d2H_sd: npt.ArrayLike | None = None,
) -> WaterLine:
    """Fit a water line to samples.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values [permil, VSMOW]. Rows with a missing value are dropped.
    method : {"ols", "rma", "ma", "pwlsr", "pwrma", "pwma", "york"}
        Ordinary least squares, reduced major axis, major axis; the same three
        weighted by precipitation amount; York's fit with errors in both isotopes.
    amount : array, shape (n,), optional
        Precipitation amount of each sample [mm], for the weighted methods. Rows
        with amount zero or missing are dropped.
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
        Where the correlation is below 0.7.

    Notes
    -----
    With weights w that sum to 1 and moments S about the weighted means: OLS slope
    Sxy/Sxx; RMA slope sign(Sxy) sqrt(Syy/Sxx); MA slope (D + sqrt(D^2 + 4 Sxy^2)) /
    (2 Sxy), D = Syy - Sxx. The slope's variance is s^2 / (n Sxx), where s^2 is the
    residual variance about the line that was fitted; for RMA some texts take the
    residuals about the OLS line, which gives a value smaller by
    sqrt((1 + abs(r)) / 2). The major axis depends on the scales of the axes, and
    its error is approximate.

    References
    ----------
    Hughes and Crawford (2012), J. Hydrol. 464-465, 344-351,
    doi:10.1016/j.jhydrol.2012.07.029; Crawford et al. (2014), J. Hydrol. 519,
    2331-2340, doi:10.1016/j.jhydrol.2014.10.033; York et al. (2004), Am. J. Phys.
    72, 367-375, doi:10.1119/1.1632486.

    Examples
    --------
    >>> line = fit_water_line([-10.0, -15.0, -20.0], [-70.0, -109.0, -150.0])
    >>> round(line.slope, 2), round(line.intercept, 2), line.n
    (8.0, 10.33, 3)
    """
    data = _LineData.of(d18O, d2H, method=method, amount=amount)
    line = data.york(d18O_sd, d2H_sd) if method == "york" else data.fit()
    if line.r_squared < WEAK**2:
        message = (
            f"The {method} line through {line.n} samples is weak: r^2 = "
            f"{line.r_squared:.2f}, below {WEAK**2:.2f}. Look at the samples first."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=2)
    return line


@dataclass(frozen=True, slots=True)
class _LineData:
    """Usable rows of one fit."""

    x: FloatArray
    y: FloatArray
    weight: FloatArray
    kept: npt.NDArray[np.bool_]
    method: str

    @classmethod
    def of(
        cls,
        d18O: npt.ArrayLike,
        d2H: npt.ArrayLike,
        *,
        method: str,
        amount: npt.ArrayLike | None,
    ) -> _LineData:
        if method not in get_args(LineMethod):
            known = ", ".join(get_args(LineMethod))
            message = f"Unknown line method '{method}'. Choose one of {known}."
            raise InputError(message)
        x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
        if x.ndim != 1 or x.shape != y.shape:
            message = (
                f"d18O has shape {x.shape}, d2H {y.shape}. "
                "Give two one-dimensional arrays of one length."
            )
            raise InputError(message)
        weight = _amounts(amount, x.size, method)
        kept = np.isfinite(x) & np.isfinite(y) & (weight > 0)
        problem = _problem(x[kept])
        if problem:
            message = f"No {method} line: {problem}. Join groups or add samples."
            raise InputError(message)
        return cls(x[kept], y[kept], weight[kept], kept, method)

    def fit(self) -> WaterLine:
        family = WEIGHTED.get(self.method, self.method)
        share = self.weight / self.weight.sum()
        spread = _kernels.moments(self.x, self.y, share)
        if family != "ols" and abs(spread.xy) <= 1e-14 * (spread.xx + spread.yy):
            message = (
                f"No {self.method} line: d18O and d2H of the {self.x.size} samples do "
                "not vary together, so that the slope has no sign. Use 'ols'."
            )
            raise InputError(message)
        return self.result(_kernels.fit_line(self.x, self.y, share, family))

    def york(
        self, d18O_sd: npt.ArrayLike | None, d2H_sd: npt.ArrayLike | None
    ) -> WaterLine:
        if d18O_sd is None or d2H_sd is None:
            message = "Method 'york' needs d18O_sd and d2H_sd, one value a sample."
            raise InputError(message)
        sd = [
            np.broadcast_to(np.asarray(values, dtype=float), self.kept.shape)[self.kept]
            for values in (d18O_sd, d2H_sd)
        ]
        bad = int(np.sum(~((sd[0] > 0) & (sd[1] > 0))))
        if bad:
            message = (
                f"Method 'york': {bad} samples have a standard deviation that is "
                "missing or not above 0. Give the precision of each measurement."
            )
            raise InputError(message)
        return self.result(
            _kernels.york_line(self.x, self.y, sd[0] ** -2.0, sd[1] ** -2.0)
        )

    def result(self, line: _kernels.Line) -> WaterLine:
        return WaterLine(
            slope=line.slope,
            intercept=line.intercept,
            slope_standard_error=float(np.sqrt(line.slope_variance)),
            intercept_standard_error=float(np.sqrt(line.intercept_variance)),
            covariance=line.covariance,
            r_squared=line.r_squared,
            rmse=line.rmse,
            n=self.x.size,
            n_effective=float(self.weight.sum() ** 2 / (self.weight**2).sum()),
            method=self.method,
        )


def _problem(d18O: FloatArray) -> str:
    if d18O.size < FEWEST:
        return f"{d18O.size} samples found, {FEWEST} needed for a line"
    if np.ptp(d18O) <= 1e-12 * max(1.0, float(np.abs(d18O).max())):
        return f"all {d18O.size} samples have the same d18O ({d18O[0]:g} permil)"
    return ""


def _amounts(amount: npt.ArrayLike | None, size: int, method: str) -> FloatArray:
    if method not in WEIGHTED:
        if amount is not None:
            message = (
                f"Method '{method}' takes no amount. "
                f"For weighted lines use {', '.join(WEIGHTED)}."
            )
            raise InputError(message)
        return np.ones(size)
    if amount is None:
        message = f"Method '{method}' needs the precipitation amount of each sample."
        raise InputError(message)
    weight = np.asarray(amount, dtype=float)
    if weight.shape != (size,):
        message = f"{weight.size} amounts for {size} samples. Give one each."
        raise InputError(message)
    negative = np.flatnonzero(weight < 0)
    if negative.size:
        message = (
            f"{negative.size} negative precipitation amounts, the first in row "
            f"{negative[0]} ({weight[negative[0]]:g}). Amounts are 0 or above."
        )
        raise InputError(message)
    return np.where(np.isfinite(weight), weight, 0.0)
