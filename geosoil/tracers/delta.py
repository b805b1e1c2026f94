"""Excess values: how far waters lie from the meteoric water lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

EVAPORATED_BELOW = -1.0
"""lc-excess* below which a sample is called evaporated."""


class Line(Protocol):
    """Anything with a slope and an intercept in d18O-d2H space."""

    @property
    def slope(self) -> float:
        """Slope [permil per permil]."""

    @property
    def intercept(self) -> float:
        """Intercept [permil]."""


class FittedLine(Line, Protocol):
    """A line whose slope and intercept have errors; NaN where unknown."""

    @property
    def slope_standard_error(self) -> float:
        """Standard error of the slope."""

    @property
    def intercept_standard_error(self) -> float:
        """Standard error of the intercept [permil]."""

    @property
    def covariance(self) -> float:
        """Covariance of slope and intercept [permil]."""


@dataclass(frozen=True, slots=True)
class Precision:
    """Standard deviations of one measurement; numbers, or an array each.

    Raises
    ------
    InputError
        If a deviation is negative or the correlation lies outside -1 to 1.

    Examples
    --------
    >>> Precision(0.2, 0.5).correlation
    0.0
    """

    d18O: npt.ArrayLike
    """Standard deviation of d18O [permil]."""
    d2H: npt.ArrayLike
    """Standard deviation of d2H [permil]."""
    correlation: float = 0.0
    """Correlation of the two errors."""

    def __post_init__(self) -> None:
        """Check the signs."""
        faults = [
            f"standard deviation of {name} is negative"
            for name, value in (("d18O", self.d18O), ("d2H", self.d2H))
            if np.any(np.asarray(value, dtype=float) < 0)
        ]
        if not -1 <= self.correlation <= 1:
            faults.append(f"correlation {self.correlation:g} is not within -1 to 1")
        if faults:
            message = f"Invalid precision: {'; '.join(faults)}."
            raise InputError(message)

    def of_excess(self, slope: float) -> FloatArray:
        """Return the standard deviation of d2H - slope d18O.

        Parameters
        ----------
        slope : float
            Factor of d18O.

        Returns
        -------
        sd : array, shape (n,) or ()
            sqrt(sy^2 + slope^2 sx^2 - 2 slope r sx sy) [permil].

        Examples
        --------
        >>> round(float(Precision(0.2, 0.5).of_excess(8.0)), 3)
        1.676
        """
        x = np.asarray(self.d18O, dtype=float)
        y = np.asarray(self.d2H, dtype=float)
        cross = 2.0 * slope * self.correlation * x * y
        variance: FloatArray = np.maximum(y**2 + slope**2 * x**2 - cross, 0.0)
        return np.asarray(np.sqrt(variance))


def d_excess(d18O: npt.ArrayLike, d2H: npt.ArrayLike) -> FloatArray:
    """Return the deuterium excess.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values of the samples [permil, VSMOW].

    Returns
    -------
    d_excess : array, shape (n,)
        Deuterium excess [permil]; NaN where a value is missing.

    Notes
    -----
    d = d2H - 8 d18O.

    References
    ----------
    Dansgaard (1964), Stable isotopes in precipitation, Tellus 16, 436-468,
    doi:10.3402/tellusa.v16i4.8993.

    Examples
    --------
    >>> d_excess([-12.0], [-89.78]).round(2).tolist()
    [6.22]
    """
    oxygen, hydrogen = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    return hydrogen - 8.0 * oxygen


def lc_excess(d18O: npt.ArrayLike, d2H: npt.ArrayLike, line: Line) -> FloatArray:
    """Return the line-conditioned excess.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values of the samples [permil, VSMOW].
    line : WaterLine
        Local meteoric water line.

    Returns
    -------
    lc_excess : array, shape (n,)
        Offset in d2H from the line [permil]; negative below it (evaporated).

    Notes
    -----
    lc = d2H - slope d18O - intercept.

    References
    ----------
    Landwehr and Coplen (2006), Line-conditioned excess, IAEA-CN-118/56.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> lc_excess([-12.0], [-89.78], GMWL).round(2).tolist()
    [-3.78]
    """
    oxygen, hydrogen = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    return hydrogen - line.slope * oxygen - line.intercept


def lc_excess_star(
    d18O: npt.ArrayLike, d2H: npt.ArrayLike, line: Line, *, precision: Precision
) -> FloatArray:
    """Return the line-conditioned excess in units of its measurement error.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values of the samples [permil, VSMOW].
    line : WaterLine
        Local meteoric water line.
    precision : Precision
        Errors of the measurements.

    Returns
    -------
    lc_excess_star : array, shape (n,)
        lc-excess*, unitless; NaN where the measurement has no error. Values below
        -1 (`EVAPORATED_BELOW`) are commonly called evaporated.

    Notes
    -----
    lc* = (d2H - a d18O - b) / sqrt(sy^2 + a^2 sx^2), sx and sy the standard
    deviations of d18O and d2H (less the covariance term where they correlate).

    References
    ----------
    Landwehr and Coplen (2006), Line-conditioned excess, IAEA-CN-118/56.

    Examples
    --------
    >>> from geosoil.tracers.lines import WaterLine
    >>> lmwl, precision = WaterLine.stated(7.9, 12.43), Precision(0.2, 0.5)
    >>> lc_excess_star([-12.0], [-89.78], lmwl, precision=precision).round(3).tolist()
    [-4.471]
    """
    excess = lc_excess(d18O, d2H, line)
    sd = np.broadcast_to(precision.of_excess(line.slope), excess.shape)
    star = np.full(excess.shape, np.nan)
    np.divide(excess, sd, out=star, where=sd > 0)
    return star


def sw_excess(d18O: npt.ArrayLike, d2H: npt.ArrayLike, line: Line) -> FloatArray:
    """Return the soil-water excess: the offset from the line of soil water.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values of the samples [permil, VSMOW], of plant water or of single
        layers of soil.
    line : WaterLine
        Line of the soil water (the evaporation line EL of the period).

    Returns
    -------
    sw_excess : array, shape (n,)
        Offset in d2H from the soil's line [permil]; about 0 on average for the
        samples that the line was fitted to, negative for water depleted in 2H
        against the soil.

    Notes
    -----
    SW-excess = d2H - a_s d18O - b_s: the line-conditioned excess of Landwehr and
    Coplen (2006) with the soil-water line in the place of the meteoric one.

    References
    ----------
    Barbeta et al. (2019), HESS 23, 2129-2146, doi:10.5194/hess-23-2129-2019;
    Landwehr and Coplen (2006), Line-conditioned excess, IAEA-CN-118/56.

    Examples
    --------
    >>> from geosoil.tracers.lines import WaterLine
    >>> soil = WaterLine.stated(6.4, -11.07)
    >>> sw_excess([-10.39], [-80.0], soil).round(2).tolist()
    [-2.43]
    """
    return lc_excess(d18O, d2H, line)


def line_excess_sd(
    d18O: npt.ArrayLike, line: FittedLine, *, precision: Precision
) -> FloatArray:
    """Return the standard deviation of the offset from a fitted line.

    Parameters
    ----------
    d18O : array, shape (n,)
        Isotope values of the samples [permil, VSMOW].
    line : WaterLine
        Line of the excess; errors that are unknown (NaN) count as 0.
    precision : Precision
        Errors of the measurements.

    Returns
    -------
    sd : array, shape (n,)
        Standard deviation of lc-excess or SW-excess [permil].

    Notes
    -----
    Var = sy^2 + a^2 sx^2 - 2 a r sx sy + Var(b) + x^2 Var(a) + 2 x cov(a, b). The
    line's part is shared by all samples: it does not average out over them.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> line_excess_sd([-12.0], GMWL, precision=Precision(0.2, 0.5)).round(3).tolist()
    [1.676]
    """
    x = np.asarray(d18O, dtype=float)
    slope, intercept, cross = np.nan_to_num(
        [
            line.slope_standard_error**2,
            line.intercept_standard_error**2,
            line.covariance,
        ]
    )
    of_line = np.maximum(intercept + x**2 * slope + 2.0 * x * cross, 0.0)
    sd: FloatArray = np.sqrt(precision.of_excess(line.slope) ** 2 + of_line)
    return sd


def excess_table(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    precision: Precision,
    lmwl: FittedLine,
    soil_line: FittedLine | None = None,
) -> pd.DataFrame:
    """Return every excess of every sample with its standard deviation.

    Parameters
    ----------
    d18O, d2H : array or Series, shape (n,)
        Isotope values of the samples [permil, VSMOW].
    precision : Precision
        Errors of the measurements.
    lmwl : WaterLine
        Local meteoric water line.
    soil_line : WaterLine, optional
        Line of the soil water, for SW-excess.

    Returns
    -------
    table : DataFrame
        ``d_excess``, ``lc_excess`` and, with a soil line, ``sw_excess``, each with
        ``_sd`` [permil]; ``lc_excess_star`` and ``lc_excess_star_sd`` (1 plus what the
        line's error adds); ``evaporated``: lc-excess* below -1; ``reason``. The index
        of a Series is kept.

    Examples
    --------
    >>> from geosoil.tracers.lines import WaterLine
    >>> lmwl = WaterLine.stated(7.9, 12.43)
    >>> precision = Precision(0.2, 0.5)
    >>> table = excess_table([-12.0], [-89.78], precision=precision, lmwl=lmwl)
    >>> table[["lc_excess", "lc_excess_sd", "evaporated"]].round(2).values.tolist()
    [[-7.41, 1.66, True]]
    """
    index = d18O.index if isinstance(d18O, pd.Series) else None
    x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    whole = np.isfinite(x) & np.isfinite(y)
    star = lc_excess_star(x, y, lmwl, precision=precision)
    sd = line_excess_sd(x, lmwl, precision=precision)
    measured = np.broadcast_to(precision.of_excess(lmwl.slope), x.shape)
    star_sd = np.full(x.shape, np.nan)
    np.divide(sd, measured, out=star_sd, where=measured > 0)
    columns: dict[str, npt.NDArray[np.generic]] = {
        "d_excess": d_excess(x, y),
        "d_excess_sd": np.where(whole, precision.of_excess(8.0), np.nan),
        "lc_excess": lc_excess(x, y, lmwl),
        "lc_excess_sd": np.where(whole, sd, np.nan),
        "lc_excess_star": star,
        "lc_excess_star_sd": np.where(whole, star_sd, np.nan),
    }
    if soil_line is not None:
        columns["sw_excess"] = sw_excess(x, y, soil_line)
        spread = line_excess_sd(x, soil_line, precision=precision)
        columns["sw_excess_sd"] = np.where(whole, spread, np.nan)
    columns["evaporated"] = star < EVAPORATED_BELOW
    columns["reason"] = np.where(whole, "", "missing tracer").astype(object)
    return pd.DataFrame(columns, index=index)
