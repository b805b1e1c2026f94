"""Surfaces of source fractions that sum to one and are zero where a rule says so."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray, Grid, check_same_grid
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.base import Interpolator, Points

METHOD = "closure"
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class ZeroRule:
    """Where and when a source cannot be: its fraction is exactly 0 there.

    With neither ``below`` nor ``above`` the source is absent everywhere.

    Raises
    ------
    InputError
        If no period is named, or a limit is no finite number.

    Examples
    --------
    >>> rule = ZeroRule("snowmelt", ("June",), below=4000.0)
    >>> rule.zero(np.array([3900.0, 4000.0])).tolist()
    [True, False]
    """

    source: str
    """Name of the source."""
    period: tuple[str, ...]
    """Periods in which the rule holds."""
    below: float | None = None
    """Zero where the elevation is below this [m]."""
    above: float | None = None
    """Zero where the elevation is at or above this [m]: limits are half-open."""

    def __post_init__(self) -> None:
        """Take one period for a tuple of one; raise on what cannot be a rule."""
        given: str | Iterable[str] = self.period
        names = (given,) if isinstance(given, str) else tuple(given)
        object.__setattr__(self, "period", names)
        limits = [limit for limit in (self.below, self.above) if limit is not None]
        if not names or not np.isfinite(limits).all():
            message = (
                f"Invalid zero rule for '{self.source}': period {names}, below "
                f"{self.below}, above {self.above}. Name a period; limits are metres."
            )
            raise InputError(message)

    @property
    def needs_elevation(self) -> bool:
        """Whether the rule has a limit of elevation."""
        return self.below is not None or self.above is not None

    def zero(self, elevation: FloatArray) -> BoolArray:
        """Return where the rule makes the source zero.

        Parameters
        ----------
        elevation : array
            Elevation [m]; only its shape counts for a rule without limits.

        Returns
        -------
        zero : array of bool
            True where the source is absent.
        """
        if not self.needs_elevation:
            return np.ones(np.shape(elevation), dtype=bool)
        low = -np.inf if self.below is None else self.below
        high = np.inf if self.above is None else self.above
        return (elevation < low) | (elevation >= high)

    def __str__(self) -> str:
        """Say the rule in words."""
        limits = [
            f"{word} {limit:g} m"
            for word, limit in (("below", self.below), ("above", self.above))
            if limit is not None
        ]
        where = " or ".join(limits) or "everywhere"
        return f"{self.source} {where} in {', '.join(self.period)}"


class CompositionInterpolator:
    """Interpolate fractions of sources, then close them to 1 in every cell.

    After :meth:`fit`: ``sources_``, ``interpolators_`` (one fitted copy a source) and
    ``n_dropped_``.

    Parameters
    ----------
    interpolator : Interpolator or mapping of source to Interpolator
        How each source is interpolated. ``Kriging("spherical")`` fits each source its
        own variogram.
    zero_rules : sequence of ZeroRule
        Where a source is exactly 0.

    Notes
    -----
    Method "closure": every source is interpolated by itself from its raw fractions,
    which are unbiased and may lie outside 0 to 1. The surfaces are then moved to the
    nearest possible composition: the Euclidean projection onto the simplex of the
    sources that no rule excludes. The standard deviation is that of the surface
    before the projection, 0 where a rule holds.

    References
    ----------
    Held, Wolfe and Crowder (1974), Validation of subgradient optimization,
    Mathematical Programming 6, doi:10.1007/BF01580223.

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
    """

    sources_: tuple[str, ...]
    interpolators_: dict[str, Interpolator]
    n_dropped_: int

    def __init__(
        self,
        interpolator: Interpolator | Mapping[str, Interpolator],
        zero_rules: Sequence[ZeroRule] = (),
    ) -> None:
        self.interpolator = interpolator
        self.zero_rules = tuple(zero_rules)

    def fit(
        self,
        points: Points,
        fractions: pd.DataFrame,
        *,
        variance: pd.DataFrame | None = None,
    ) -> CompositionInterpolator:
        """Take the fractions at points.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        fractions : DataFrame, n rows
            One column a source. Raw fractions, which sum to 1 but may lie outside 0
            to 1. Rows with a missing fraction are dropped and counted.
        variance : DataFrame, n rows, optional
            Variance of each fraction, for kriging; same columns.

        Returns
        -------
        self : CompositionInterpolator
            The fitted interpolator.

        Raises
        ------
        InputError
            If rows do not sum to 1, a rule or an interpolator names another source,
            or lengths differ.
        """
        sources = tuple(str(name) for name in fractions.columns)
        values = fractions.to_numpy(dtype=np.float64)
        self._check(sources, values, fractions.index)
        gaps = ~np.isfinite(values).all(axis=1)
        values = np.where(gaps[:, None], np.nan, values)
        self.interpolators_ = {}
        for column, source in enumerate(sources):
            own = copy.copy(self._interpolator(source))
            noise = None if variance is None else variance[source].to_numpy()
            self.interpolators_[source] = own.fit(
                points, values[:, column], variance=noise
            )
        self.sources_ = sources
        self.n_dropped_ = self.interpolators_[sources[0]].n_dropped_
        return self

    def grid(
        self, grid: Grid, *, period: str, elevation: xr.DataArray | None = None
    ) -> xr.Dataset:
        """Make the surfaces of a period.

        Parameters
        ----------
        grid : Grid
            Target grid.
        period : str
            Period, which chooses the zero rules.
        elevation : DataArray with dims y, x, optional
            Elevation [m] on the grid; needed by rules with a limit. Where it is
            missing, and such a rule holds, there is no answer.

        Returns
        -------
        surfaces : Dataset with dims y, x
            One variable a source, in 0 to 1, that sum to 1 in every cell, and
            ``<source>_sd`` where the interpolator has a variance. NaN where no data
            are near enough.

        Raises
        ------
        InputError
            If it is not fitted, elevation is needed, or the rules leave no source.
        GridMismatchError
            If the elevation lies on another grid.
        """
        if not hasattr(self, "sources_"):
            message = "CompositionInterpolator is not fitted. Call .fit before."
            raise InputError(message)
        zero, unknown = self._zeros(grid, period, elevation)
        answers = [self.interpolators_[source].grid(grid) for source in self.sources_]
        raw = np.stack([answer["estimate"].to_numpy() for answer in answers], axis=-1)
        raw[unknown] = np.nan
        closed = close_to_simplex(raw, allowed=~zero)
        surfaces = xr.Dataset()
        for i, (source, answer) in enumerate(zip(self.sources_, answers, strict=True)):
            surfaces[source] = grid.raster(closed[..., i])
            surfaces[source].attrs = {
                "units": "1",
                "long_name": f"fraction of {source}",
            }
            if "kriging_variance" in answer:
                spread = np.sqrt(answer["kriging_variance"].to_numpy())
                spread = np.where(zero[..., i], 0.0, spread)
                spread = np.where(np.isnan(closed[..., i]), np.nan, spread)
                surfaces[f"{source}_sd"] = grid.raster(spread)
                surfaces[f"{source}_sd"].attrs = {
                    "units": "1",
                    "long_name": f"standard deviation of the fraction of {source}",
                }
        surfaces.attrs = self._settings(period, answers[0])
        return surfaces

    def _settings(self, period: str, answer: xr.Dataset) -> dict[str, object]:
        """Return the attributes that say how the surfaces were made."""
        rules = [str(rule) for rule in self.zero_rules if period in rule.period]
        return {
            **{k: v for k, v in answer.attrs.items() if k.startswith("n_")},
            "interpolation": answer.attrs["method"],
            "method": METHOD,
            "description": (
                "raw fractions interpolated source by source, zero rules applied, "
                "then projected onto the simplex (Euclidean)"
            ),
            "period": period,
            "zero_rules": "; ".join(rules) or "none",
        }

    def _interpolator(self, source: str) -> Interpolator:
        """Return the unfitted interpolator of a source."""
        if isinstance(self.interpolator, Interpolator):
            return self.interpolator
        return self.interpolator[source]

    def _check(
        self, sources: tuple[str, ...], values: FloatArray, index: pd.Index
    ) -> None:
        """Raise on sums other than 1, and on names that are no source."""
        faults = []
        off = np.abs(values.sum(axis=1) - 1.0) > SUM_TOLERANCE
        if off.any():
            labels = ", ".join(str(label) for label in index[off][:10])
            faults.append(f"{off.sum()} rows do not sum to 1 (rows {labels})")
        named = {rule.source for rule in self.zero_rules} - set(sources)
        if named:
            faults.append(f"zero rules name unknown sources {sorted(named)}")
        if isinstance(self.interpolator, Mapping):
            absent = sorted(set(sources) - set(self.interpolator))
            faults += [f"no interpolator for {absent}"] if absent else []
        if faults or not sources:
            message = (
                f"Cannot interpolate the fractions of {list(sources)}: "
                f"{'; '.join(faults) or 'no column'}."
            )
            raise InputError(message)

    def _zeros(
        self, grid: Grid, period: str, elevation: xr.DataArray | None
    ) -> tuple[BoolArray, BoolArray]:
        """Return which source is zero where (y, x, source), and where none can say."""
        active = [rule for rule in self.zero_rules if period in rule.period]
        limited = [str(rule) for rule in active if rule.needs_elevation]
        height = np.full(grid.shape, np.nan)
        if elevation is not None:
            check_same_grid(Grid.of(elevation), grid, what="elevation and fractions")
            height = elevation.transpose("y", "x").to_numpy().astype(np.float64)
        elif limited:
            message = f"The zero rules need elevation: {'; '.join(limited)}."
            raise InputError(message)
        zero = np.zeros((*grid.shape, len(self.sources_)), dtype=bool)
        for rule in active:
            zero[..., self.sources_.index(rule.source)] |= rule.zero(height)
        unknown = np.isnan(height) & bool(limited)
        empty = int((zero.all(axis=-1) & ~unknown).sum())
        if empty:
            rules = "; ".join(str(rule) for rule in active)
            message = f"The zero rules leave no source in {empty} cells: {rules}."
            raise InputError(message)
        return zero, unknown
