"""Evaporation of water: the Craig-Gordon model, its slope, and the way back."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.delta import lc_excess
from geosoil.tracers.fractionation import (
    EvaporationClimate,
    IsotopePair,
    equilibrium_fractionation,
    kinetic_enrichment,
)
from geosoil.tracers.lines import WaterLine

FloatArray = npt.NDArray[np.float64]


class CraigGordon(NamedTuple):
    """Terms of the Craig-Gordon model for one isotope; deltas in permil."""

    equilibrium: FloatArray
    """Equilibrium enrichment eps+ = (alpha - 1) 1000 [permil]."""
    kinetic: FloatArray
    """Kinetic enrichment eps_k [permil]."""
    vapour: FloatArray
    """Composition of the air's vapour [permil]."""
    exponent: FloatArray
    """m: enrichment exponent."""
    limit: FloatArray
    """Limiting composition that a drying water tends to [permil]."""
    rate: FloatArray
    """m (limit - start): first change per share evaporated [permil]."""


def craig_gordon(
    d18O: npt.ArrayLike, d2H: npt.ArrayLike, *, climate: EvaporationClimate
) -> tuple[CraigGordon, CraigGordon]:
    """Return the terms of the Craig-Gordon model for both isotopes.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Water before evaporation, also the precipitation that the air's vapour is in
        equilibrium with [permil].
    climate : EvaporationClimate
        Conditions of evaporation.

    Returns
    -------
    terms : tuple = (oxygen, hydrogen)
        Terms of each isotope.

    Notes
    -----
    dA = (dP - k eps+) / (1 + k eps+ / 1000);
    q = eps_k + eps+ / alpha;
    m = (h - q / 1000) / (1 - h + eps_k / 1000);
    limit = (h dA + q) / (h - q / 1000).

    References
    ----------
    Gonfiantini (1986), Handbook of Environmental Isotope Geochemistry 2, 113-168;
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> climate = EvaporationClimate(8.0, 0.55, turbulence=1.0)
    >>> oxygen, hydrogen = craig_gordon(-12.5, -90.0, climate=climate)
    >>> round(float(oxygen.limit), 2), round(float(hydrogen.limit), 2)
    (20.0, 15.23)
    """
    alpha = equilibrium_fractionation(climate.temperature, over=climate.over)
    kinetic = kinetic_enrichment(climate)
    humidity = np.asarray(climate.humidity, dtype=float)
    share = np.asarray(climate.vapour, dtype=float)

    def terms(
        start: npt.ArrayLike, alpha: FloatArray, kinetic: FloatArray
    ) -> CraigGordon:
        delta = np.asarray(start, dtype=float)
        equilibrium = (alpha - 1.0) * 1e3
        air = (delta - share * equilibrium) / (1.0 + share * equilibrium / 1e3)
        enrichment = kinetic + equilibrium / alpha
        loss = 1.0 - humidity + kinetic / 1e3
        exponent = (humidity - enrichment / 1e3) / loss
        limit = (humidity * air + enrichment) / (humidity - enrichment / 1e3)
        rate = humidity * (air - delta) + (1.0 + delta / 1e3) * enrichment
        return CraigGordon(equilibrium, kinetic, air, exponent, limit, rate / loss)

    return (
        terms(d18O, alpha.d18O, kinetic.d18O),
        terms(d2H, alpha.d2H, kinetic.d2H),
    )


def evaporation_slope(
    d18O: npt.ArrayLike, d2H: npt.ArrayLike, *, climate: EvaporationClimate
) -> FloatArray:
    """Return the slope along which water starts to evaporate.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Water before evaporation [permil].
    climate : EvaporationClimate
        Conditions of evaporation.

    Returns
    -------
    slope : array, shape (n,)
        Initial slope in d18O-d2H space [permil per permil].

    Notes
    -----
    S = N(2H) / N(18O), N = (h (dA - d) + (1 + d / 1000) (eps_k + eps+ / alpha)) /
    (1 - h + eps_k / 1000). With k = 1 and vapour from the same water, S does not
    depend on humidity.

    References
    ----------
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> climate = EvaporationClimate(temperature=8.0, humidity=0.55)
    >>> round(float(evaporation_slope(-12.5, -90.0, climate=climate)), 2)
    3.19
    """
    oxygen, hydrogen = craig_gordon(d18O, d2H, climate=climate)
    return hydrogen.rate / oxygen.rate


def residual_water(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    remaining: npt.ArrayLike,
    climate: EvaporationClimate,
) -> IsotopePair:
    """Return the water left when part of it has evaporated without inflow.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Water before evaporation [permil].
    remaining : array, shape (n,)
        Share of the water that is left, above 0 to 1.
    climate : EvaporationClimate
        Conditions of evaporation.

    Returns
    -------
    water : IsotopePair
        Water that is left [permil].

    Raises
    ------
    InputError
        If a share lies outside its range.

    Notes
    -----
    d(f) = (d0 - limit) f^m + limit.

    Examples
    --------
    >>> climate = EvaporationClimate(8.0, 0.55, turbulence=1.0)
    >>> left = residual_water(-12.5, -90.0, remaining=0.8, climate=climate)
    >>> round(float(left.d18O), 2), round(float(left.d2H), 2)
    (-5.21, -69.47)
    """
    share = np.asarray(remaining, dtype=float)
    if np.any((share <= 0) | (share > 1)):
        message = "Invalid remaining share: every value lies above 0 and up to 1."
        raise InputError(message)
    oxygen, hydrogen = craig_gordon(d18O, d2H, climate=climate)
    return IsotopePair(
        (np.asarray(d18O) - oxygen.limit) * share**oxygen.exponent + oxygen.limit,
        (np.asarray(d2H) - hydrogen.limit) * share**hydrogen.exponent + hydrogen.limit,
    )


def source_water(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    line: WaterLine,
    slope: npt.ArrayLike,
) -> pd.DataFrame:
    """Project samples back along an evaporation slope to the meteoric water line.

    Parameters
    ----------
    d18O, d2H : array or Series, shape (n,)
        Samples [permil].
    line : WaterLine
        Local meteoric water line.
    slope : array, shape (n,), or float
        Slope of evaporation, below the line's.

    Returns
    -------
    source : DataFrame
        Columns ``d18O``, ``d2H`` [permil]; ``shift``, the evaporation in d18O
        [permil]; ``reason``: "" where the sample was projected. A sample above the
        line is kept as it is with shift 0 and the reason "above the line". The index
        of a Series is kept.

    Notes
    -----
    x0 = x + lc / (a - S), shift E = -lc / (a - S); lc is the line-conditioned excess,
    a the slope of the line, S that of evaporation.

    References
    ----------
    Benettin et al. (2018), HESS 22, 2881-2890, doi:10.5194/hess-22-2881-2018.

    Examples
    --------
    >>> lmwl = WaterLine.stated(7.9, 12.43)
    >>> source = source_water([-12.0, -12.0], [-89.78, -80.0], line=lmwl, slope=4.0)
    >>> source.round(2).values.tolist()
    [[-13.9, -97.38, 1.9, ''], [-12.0, -80.0, 0.0, 'above the line']]
    """
    index = d18O.index if isinstance(d18O, pd.Series) else None
    x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    steepness = np.broadcast_to(np.asarray(slope, dtype=float), x.shape)
    gap = line.slope - steepness
    usable = gap > 1e-9
    shift = np.full(x.shape, np.nan)
    np.divide(-lc_excess(x, y, line), gap, out=shift, where=usable)
    above = shift < 0
    shift[above] = 0.0
    reason = np.full(x.shape, "", dtype=object)
    reason[above] = "above the line"
    reason[~usable] = "slope of evaporation not below the line's"
    reason[~(np.isfinite(x) & np.isfinite(y))] = "missing tracer"
    return pd.DataFrame(
        {
            "d18O": x - shift,
            "d2H": y - steepness * shift,
            "shift": shift,
            "reason": reason,
        },
        index=index,
    )
