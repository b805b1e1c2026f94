"""Balances of a composition, all by one interpolator or each by its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.composition_log_ratio import LogRatioMaps, log_ratio_maps
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.composition_sites import SiteFractions
from geosoil.interpolation.zero_rules import ZeroRule


def site_fractions(
    points: Points,
    fractions: pd.DataFrame,
    variance: pd.DataFrame | FloatArray | None,
    elevation: npt.ArrayLike | None,
) -> SiteFractions:
    """Put what is known of sites together.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places.
    fractions : DataFrame, n rows
        One column a source.
    variance : DataFrame, n rows, or array, shape (n, D, D), or None
        Variance of each fraction, or the covariances of the fractions of each site.
    elevation : array, shape (n,), or None
        Elevation [m].

    Returns
    -------
    sites : SiteFractions
        The sites.
    """
    heights = None if elevation is None else np.asarray(elevation, dtype=np.float64)
    if isinstance(variance, pd.DataFrame):
        return SiteFractions(points, fractions, heights, variance)
    return SiteFractions(points, fractions, heights, covariance=variance)


def fit_balances(
    sites: SiteFractions,
    interpolator: Interpolator | Mapping[str, Interpolator],
    *,
    rules: Sequence[ZeroRule],
    period: str | None,
    options: LogRatioOptions,
) -> LogRatioMaps:
    """Fit the balances of the sets of sources that sites have.

    Parameters
    ----------
    sites : SiteFractions
        Fractions of 0 or more that sum to 1.
    interpolator : Interpolator or mapping of source to Interpolator
        How each balance is interpolated, by the source that leads it; the first also
        interpolates the presence of sources where the settings name none.
    rules : sequence of ZeroRule
        Where a source cannot be.
    period : str or None
        Period of the fractions, which chooses the rules.
    options : LogRatioOptions
        Settings.

    Returns
    -------
    maps : LogRatioMaps
        Fitted balances.

    Raises
    ------
    InputError
        If a balance has no interpolator, or fractions and rules do not fit.
    """
    names = [str(name) for name in sites.raw.columns]
    if isinstance(interpolator, Interpolator):
        given: Mapping[str, Interpolator] = dict.fromkeys(names, interpolator)
    else:
        given = interpolator
    absent = sorted(set(names[:-1]) - set(given))
    if absent:
        message = f"No interpolator for the balances led by {absent}."
        raise InputError(message)
    if options.presence_interpolator is None and given:
        options = replace(options, presence_interpolator=next(iter(given.values())))
    return log_ratio_maps(
        sites,
        lambda part: (given, part.variance),
        rules=rules,
        period=period,
        options=options,
    )
