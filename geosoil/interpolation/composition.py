"""Surfaces of source fractions that sum to one and are zero where a rule says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray, Grid
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.composition_balances import fit_balances, site_fractions
from geosoil.interpolation.composition_closure import ClosureMaps
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.composition_places import Cells, Places, PointPlaces
from geosoil.interpolation.composition_surfaces import (
    LogRatioFields,
    chance_maps,
    fraction_maps,
    limits_of,
    place_fields,
    quantile_maps,
)
from geosoil.interpolation.zero_rules import ZeroRule, checked_period

Method = Literal["closure", "ilr"]

__all__ = ["CompositionInterpolator", "ZeroRule"]


class CompositionInterpolator:
    """Interpolate fractions of sources so that every place has a composition.

    After :meth:`fit`: ``sources_``, ``n_dropped_``, and by "closure" ``interpolators_``
    (one fitted copy a source); by "ilr" ``replaced_`` (one row a replaced zero: row,
    source, delta). By "ilr" the last :meth:`grid` or :meth:`predict` leaves
    ``domains_`` (one row a set of possible sources: sources, n_sites, n_cells or
    n_points, reason) and ``interpolators_`` (one fitted copy a balance, named "<sources
    of the domain>: <source that leads the balance>").

    Parameters
    ----------
    interpolator : Interpolator or mapping of source to Interpolator
        How each source is interpolated; by "ilr" each balance, by the source that it
        sets against all after it, so that the last needs none.
        ``Kriging("spherical")`` fits each its own variogram.
    zero_rules : sequence of ZeroRule
        Where a source is exactly 0.
    method : {"closure", "ilr"}
        Raw fractions moved to the nearest composition, or log-ratios.
    log_ratios : LogRatioOptions, optional
        Settings of "ilr".

    Raises
    ------
    InputError
        If the method is unknown, or "closure" is given settings of "ilr".

    Notes
    -----
    Method "closure": every source is interpolated by itself from its raw fractions,
    which are unbiased and may lie outside 0 to 1. The surfaces are then moved to the
    nearest possible composition: the Euclidean projection onto the simplex of the
    sources that no rule excludes. The standard deviation is that of the surface
    before the projection, 0 where a rule holds.

    Method "ilr": the possible sources of a cell form a sub-composition. Its pivot
    balances are interpolated one by one, from the sites that have all its sources
    (ratios within a sub-composition are those within the whole; a site speaks of no
    source that it cannot have), and turned back into fractions: 0 to 1, exactly 0 where
    a rule holds. The mean fraction is the integral over the kriged balances, taken for
    independent normals; its standard deviation comes from the same integral. Balances
    kriged one by one depend on the order of the sources, unless all use the same
    weights (inverse distances, or proportional variograms without noise). Measurement
    variances are carried to each balance to first order; covariances between balances
    are left out.

    References
    ----------
    Held, Wolfe and Crowder (1974), Validation of subgradient optimization,
    Mathematical Programming 6, doi:10.1007/BF01580223.
    Pawlowsky-Glahn and Olea (2004), Geostatistical Analysis of Compositional Data,
    Oxford University Press.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> fractions = pd.DataFrame({"precipitation": [0.7, 1.2], "ice": [0.3, -0.2]})
    >>> maps = CompositionInterpolator(InverseDistance()).fit(sites, fractions)
    >>> grid = Grid.from_bounds((-500, -500, 1500, 500), 1000, "EPSG:32647")
    >>> surface = maps.grid(grid, period="August")
    >>> surface.precipitation.values.round(6).tolist()
    [[0.7, 1.0]]

    >>> from geosoil.interpolation.kriging import Kriging
    >>> from geosoil.interpolation.variogram import Variogram
    >>> model = Variogram("exponential", 0.0, 1.0, 1000.0)
    >>> sites = [[0.0, 0.0], [1000.0, 0.0], [2000.0, 0.0]]
    >>> fractions = pd.DataFrame({"rain": [0.7, 0.9, 0.8], "ice": [0.3, 0.1, 0.2]})
    >>> maps = CompositionInterpolator(Kriging(model), method="ilr")
    >>> surface = maps.fit(sites, fractions).grid(grid)
    >>> surface.rain.values.round(6).tolist(), surface.rain_sd.values.round(6).tolist()
    ([[0.7, 0.9]], [[0.0, 0.0]])
    """

    sources_: tuple[str, ...]
    interpolators_: dict[str, Interpolator]
    n_dropped_: int
    replaced_: pd.DataFrame
    domains_: pd.DataFrame

    def __init__(
        self,
        interpolator: Interpolator | Mapping[str, Interpolator],
        zero_rules: Sequence[ZeroRule] = (),
        *,
        method: Method = "closure",
        log_ratios: LogRatioOptions | None = None,
    ) -> None:
        if method not in get_args(Method):
            message = f"Unknown method '{method}'. Give one of {get_args(Method)}."
            raise InputError(message)
        if method == "closure" and log_ratios is not None:
            message = "Settings of log-ratios are for method='ilr'. Leave them out."
            raise InputError(message)
        self.interpolator = interpolator
        self.zero_rules = tuple(zero_rules)
        self.method = method
        self.log_ratios = log_ratios or LogRatioOptions()

    def fit(
        self,
        points: Points,
        fractions: pd.DataFrame,
        *,
        variance: pd.DataFrame | FloatArray | None = None,
        elevation: npt.ArrayLike | None = None,
        period: str | None = None,
    ) -> CompositionInterpolator:
        """Take the fractions at points.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        fractions : DataFrame, n rows
            One column a source. By "closure" raw fractions, which sum to 1 but may lie
            outside 0 to 1; by "ilr" fractions of 0 or more. Rows with a missing
            fraction are dropped and counted.
        variance : DataFrame, n rows, or array, shape (n, D, D), optional
            Variance of each fraction, for kriging, same columns; by "ilr" also the
            covariances of the fractions of each point.
        elevation : array, shape (n,), optional
            Elevation of the points [m]; needed by "ilr" for rules with a limit.
        period : str, optional
            Period of the fractions; needed by "ilr" if there are rules.

        Returns
        -------
        self : CompositionInterpolator
            The fitted interpolator.

        Raises
        ------
        InputError
            If rows do not sum to 1, a rule or an interpolator names another source,
            or lengths differ; by "ilr" also if fractions are below 0, a zero is neither
            explained nor replaced, or a mean is wanted without a variance.
        """
        self.sources_ = tuple(str(name) for name in fractions.columns)
        self.period_ = period
        if self.method == "closure":
            self._closed = ClosureMaps(self.interpolator, self.zero_rules)
            self._closed.fit(points, fractions, variance)
            self.interpolators_ = self._closed.interpolators
            self.n_dropped_ = self.interpolators_[self.sources_[0]].n_dropped_
            return self
        self._maps = fit_balances(
            site_fractions(points, fractions, variance, elevation),
            self.interpolator,
            rules=self.zero_rules,
            period=period,
            options=self.log_ratios,
        )
        self.n_dropped_ = self._maps.sites.n_dropped
        self.replaced_ = self._maps.sites.replaced
        return self

    def grid(
        self,
        grid: Grid,
        *,
        period: str | None = None,
        elevation: xr.DataArray | None = None,
    ) -> xr.Dataset:
        """Make the surfaces of a period.

        Parameters
        ----------
        grid : Grid
            Target grid.
        period : str, optional
            Period, which chooses the zero rules; that of the fit by default.
        elevation : DataArray with dims y, x, optional
            Elevation [m] on the grid; needed by rules with a limit. Where it is
            missing, and such a rule holds, there is no answer.

        Returns
        -------
        surfaces : Dataset with dims y, x
            One variable a source, in 0 to 1, that sum to 1 in every cell, and
            ``<source>_sd`` where the interpolator has a variance. NaN where no data
            are near enough, and by "ilr" where fewer than three places tell of the
            possible sources.

        Raises
        ------
        InputError
            If it is not fitted, elevation or the period is needed, the rules leave no
            source, or by "ilr" the period is not that of the fit.
        GridMismatchError
            If the elevation lies on another grid.
        """
        chosen = self._period(period)
        return self._at(Cells.of(grid, elevation), chosen)

    def predict(
        self,
        points: Points,
        *,
        period: str | None = None,
        elevation: npt.ArrayLike | None = None,
    ) -> xr.Dataset:
        """Tell the fractions of a period at points.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y in the metres of the fit.
        period : str, optional
            As of :meth:`grid`.
        elevation : array, shape (m,), optional
            Elevation of the points [m], in their order; needed by rules with a limit.
            Where it is NaN, and such a rule holds, there is no answer.

        Returns
        -------
        fractions : Dataset with dim point
            The variables and attributes of :meth:`grid`; coordinate ``point`` is the
            index of the points.

        Raises
        ------
        InputError
            As of :meth:`grid`, or if there is not one elevation a point, the places do
            not match the fit, or an interpolator tells of the cells of a grid alone.

        Examples
        --------
        >>> from geosoil.interpolation.idw import InverseDistance
        >>> fractions = pd.DataFrame({"rain": [1.0, 0.8], "ice": [0.0, 0.2]})
        >>> rule = ZeroRule("ice", ("June",), below=4000.0)
        >>> maps = CompositionInterpolator(InverseDistance(), [rule])
        >>> maps = maps.fit([[0.0, 0.0], [1000.0, 0.0]], fractions)
        >>> sites = [[1000.0, 0.0], [500.0, 0.0], [500.0, 0.0]]
        >>> found = maps.predict(sites, period="June", elevation=[4100, 4100, 3900])
        >>> found.ice.values.round(6).tolist()
        [0.2, 0.1, 0.0]
        """
        chosen = self._period(period)
        return self._at(PointPlaces.of(points, elevation), chosen)

    def _at(self, places: Places, period: str | None) -> xr.Dataset:
        """Return the fractions of places."""
        if self.method == "closure":
            return self._closed.at(places, period)
        fractions = fraction_maps(self._fields(places, period))
        fractions.attrs["period"] = period or "none"
        return fractions

    def quantiles(
        self,
        grid: Grid,
        *,
        period: str | None = None,
        elevation: xr.DataArray | None = None,
        q: Sequence[float] = (0.05, 0.5, 0.95),
        n_draws: int | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Make maps of quantiles of the fractions, by method "ilr".

        Parameters
        ----------
        grid, period, elevation
            As of :meth:`grid`.
        q : sequence of float
            Probabilities from 0 to 1.
        n_draws : int, optional
            Draws of each cell; those of the settings by default.
        seed : int, optional
            Seed of the draws; that of the settings by default.

        Returns
        -------
        maps : Dataset with dims quantile, y, x
            One variable a source. Quantiles of the sources need not sum to 1.

        Raises
        ------
        InputError
            As of :meth:`grid`, or if there is no variance to draw from.
        """
        self._needs_log_ratios("quantiles")
        chosen = self._period(period)
        found = self._fields(Cells.of(grid, elevation), chosen)
        return quantile_maps(found, q, **self._draws(n_draws, seed))

    def exceedance(
        self,
        grid: Grid,
        *,
        above: float | Mapping[str, float],
        period: str | None = None,
        elevation: xr.DataArray | None = None,
        n_draws: int | None = None,
        seed: int | None = None,
    ) -> xr.Dataset:
        """Make maps of the probability that a fraction is above a limit, by "ilr".

        Parameters
        ----------
        grid, period, elevation
            As of :meth:`grid`.
        above : float or mapping of source to float
            Limit, 0 to 1: one for all, or one for each source.
        n_draws, seed : int, optional
            As of :meth:`quantiles`.

        Returns
        -------
        maps : Dataset with dims y, x
            One variable a source.

        Raises
        ------
        InputError
            As of :meth:`quantiles`.
        """
        self._needs_log_ratios("probabilities")
        chosen = self._period(period)
        found = self._fields(Cells.of(grid, elevation), chosen)
        limits = limits_of(self.sources_, above)
        return chance_maps(found, limits, **self._draws(n_draws, seed))

    def _draws(self, n_draws: int | None, seed: int | None) -> dict[str, int]:
        """Return number and seed of the draws."""
        options = self.log_ratios
        return {
            "n_draws": options.n_draws if n_draws is None else n_draws,
            "seed": options.seed if seed is None else seed,
        }

    def _needs_log_ratios(self, what: str) -> None:
        """Raise unless the fractions are distributed over the simplex."""
        if self.method != "ilr":
            message = (
                f"There are no {what} of fractions by '{self.method}': its errors "
                "leave the simplex. Use method='ilr'."
            )
            raise InputError(message)

    def _fields(self, places: Places, period: str | None) -> LogRatioFields:
        """Interpolate the balances, and keep what they rest on."""
        rules = [rule for rule in self.zero_rules if period in rule.period]
        found = place_fields(self._maps, rules, places)
        self.domains_ = found.domains
        self.interpolators_ = {
            f"{domain.label}: {name}": own
            for domain in found.used
            for name, own in domain.interpolators.items()
        }
        return found

    def _period(self, period: str | None) -> str | None:
        """Return the period of a map, checked."""
        if not hasattr(self, "sources_"):
            message = "CompositionInterpolator is not fitted. Call .fit before."
            raise InputError(message)
        return checked_period(
            self.zero_rules, period, fitted=self.period_, fixed=self.method == "ilr"
        )
