"""Excess values: how far waters lie from the meteoric water lines."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


class Line(Protocol):
    """Anything with a slope and an intercept in d18O-d2H space."""

    @property
    def slope(self) -> float:
        """Slope [permil per permil]."""

    @property
    def intercept(self) -> float:
        """Intercept [permil]."""


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
