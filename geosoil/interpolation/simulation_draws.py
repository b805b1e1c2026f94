"""Realisations of a kriged field at targets, any of them by its number."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geosoil.grids.grid import Grid
from geosoil.interpolation.base import FloatArray, Points
from geosoil.interpolation.external_drift import GivenDrift
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.kriging_system import (
    DENSE_LIMIT,
    KrigingData,
    solve_system,
)
from geosoil.interpolation.kriging_variogram import has_no_variance
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.simulation_samplers import (
    ExactSampler,
    ResidualSampler,
    Sampler,
    SequentialSampler,
    distinct_places,
)
from geosoil.interpolation.simulation_settings import (
    BATCH,
    Method,
    SimulationSettings,
    check_kriging,
    chosen_method,
)
from geosoil.interpolation.simulation_trend import Trend

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Places:
    """Targets, sorted into those that are known, drawn and not to be answered."""

    columns: FloatArray
    """Columns of the trend, shape (m, p)."""
    n_answered: int
    """Number of targets with a place, a drift and data in reach."""
    known: IntArray
    """Targets at a datum without error."""
    datum: IntArray
    """Row of that datum."""
    drawn: IntArray
    """The other usable targets."""
    place: IntArray
    """Row of each of them in ``different``."""
    different: FloatArray
    """Different places that are drawn, in rising order, shape (u, 2)."""


class ConditionalDraws:
    """Realisations of the field that a kriging was fitted to, given its data.

    A realisation depends on the seed, its number, the kriging and the places alone.

    Parameters
    ----------
    kriging : Kriging
        Fitted.
    target : Grid, GeoDataFrame, GeoSeries, or array, shape (m, 2)
        Cells or places.
    settings : SimulationSettings
        Seed and method.
    drift : array, DataFrame or rasters, optional
        External drift at the targets, as ``kriging.predict`` and ``grid`` take it.

    Raises
    ------
    InputError
        If it is no fitted kriging of points, a method cannot take so many data or
        targets, or drift and target do not match the fit.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> kriging = Kriging(Variogram("spherical", 0.0, 1.0, 5000.0))
    >>> kriging = kriging.fit([[0.0, 0.0], [1000.0, 0.0]], [1.0, 3.0])
    >>> draws = ConditionalDraws(
    ...     kriging, [[0.0, 0.0], [500.0, 0.0]], SimulationSettings(seed=1)
    ... )
    >>> draws.realizations(0, 3)[:, 0].tolist()
    [1.0, 1.0, 1.0]
    """

    method: Method
    """The method that was taken."""
    n_targets: int
    """Number of targets."""
    n_numbers: int
    """Standard normal numbers that a realisation takes."""

    def __init__(
        self,
        kriging: Kriging,
        target: Grid | Points,
        settings: SimulationSettings,
        *,
        drift: GivenDrift | None = None,
    ) -> None:
        check_kriging(kriging)
        self.settings = settings
        xy, columns = kriging.target_drift(target, drift=drift)
        order = np.lexsort(kriging.data_.xy.T[::-1])
        self._data = _in_order(kriging.data_, order)
        self._known = kriging.points_.values[order]
        self._level, self.n_targets = kriging.level_, len(xy)
        self._places = _sorted_out(kriging, self._data, xy, columns)
        self.method = chosen_method(
            kriging, settings.method, len(self._places.different)
        )
        self._sampler, self._trend = self._prepare()
        self.n_numbers = len(self._trend.coefficients) + self._sampler.n_numbers
        self._varies = not has_no_variance(kriging.variogram_, self._data.noise)

    @property
    def n_answered(self) -> int:
        """Number of targets that have values."""
        return self._places.n_answered

    def _prepare(self) -> tuple[Sampler, Trend]:
        """Solve what all realisations share."""
        settings, targets, data = self.settings, self._places.different, self._data
        rng, count = settings.generator(), settings.n_neighbors
        if len(data.xy) > DENSE_LIMIT:
            trend = Trend.along_path(data, n_neighbors=count)
        else:
            system = solve_system(data)
            trend = Trend.of_system(system)
            if self.method == "exact":
                return ExactSampler(system, targets), trend
            if self.method == "residual":
                residual = ResidualSampler(system, targets, rng=rng, n_neighbors=count)
                return residual, trend
        return SequentialSampler(data, targets, rng=rng, n_neighbors=count), trend

    def realizations(self, first: int, last: int) -> FloatArray:
        """Return some realisations by their numbers.

        Parameters
        ----------
        first : int
            Number of the first, 0 or more.
        last : int
            Number after the last.

        Returns
        -------
        values : array, shape (last - first, m)
            NaN where there is no answer.
        """
        noise = np.empty((last - first, self.n_numbers))
        for row in range(first, last):
            self.settings.generator(row).standard_normal(out=noise[row - first])
        return self.from_noise(noise)

    def batches(self, n_realizations: int) -> list[tuple[int, int]]:
        """Return how a number of realisations is drawn in turns.

        Parameters
        ----------
        n_realizations : int
            Number of them.

        Returns
        -------
        batches : list of (int, int)
            First, and after the last, of each turn.
        """
        step = max(1, BATCH // max(self.n_numbers, 1))
        starts = range(0, n_realizations, step)
        return [(start, min(start + step, n_realizations)) for start in starts]

    def from_noise(self, noise: FloatArray) -> FloatArray:
        """Return the realisations that standard normal numbers make.

        Parameters
        ----------
        noise : array, shape (r, n_numbers)
            Independent standard normal numbers.

        Returns
        -------
        values : array, shape (r, m)
            A linear map of the numbers, beside a constant.
        """
        noise = noise if self._varies else np.zeros_like(noise)
        places, count = self._places, len(self._trend.coefficients)
        trend = self._trend.coefficients + noise[:, :count] @ self._trend.root.T
        residuals = self._data.values - trend @ self._data.drift.T
        field = self._sampler.draw(residuals, noise[:, count:])
        values = np.full((len(noise), self.n_targets), np.nan)
        drawn = trend @ places.columns[places.drawn].T
        drawn += self._level
        drawn += field[:, places.place]
        values[:, places.drawn] = drawn
        values[:, places.known] = self._known[places.datum]
        return values


def _in_order(data: KrigingData, order: IntArray) -> KrigingData:
    """Return data sorted by their places, so that their rows play no part."""
    return replace(
        data,
        xy=data.xy[order],
        values=data.values[order],
        noise=data.noise[order],
        drift=data.drift[order],
    )


def _sorted_out(
    kriging: Kriging, data: KrigingData, xy: FloatArray, columns: FloatArray
) -> _Places:
    """Tell targets that are known from those that are drawn."""
    rows = np.flatnonzero(np.isfinite(np.column_stack([xy, columns])).all(axis=1))
    rows = rows[_in_reach(kriging, xy[rows])]
    places, place = distinct_places(data.xy, xy[rows])
    owner = np.full(len(places), -1)
    owner[place[: len(data.xy)]] = np.arange(len(data.xy))
    place = place[len(data.xy) :]
    datum = owner[place]
    exact = (datum >= 0) & (data.noise[datum] == 0)
    free, place = np.unique(place[~exact], return_inverse=True)
    return _Places(
        columns=columns,
        n_answered=len(rows),
        known=rows[exact],
        datum=datum[exact],
        drawn=rows[~exact],
        place=place.ravel(),
        different=places[free],
    )


def _in_reach(kriging: Kriging, xy: FloatArray) -> BoolArray:
    """Return which places have as many data in reach as the kriging asks for."""
    needed, farthest = (
        kriging.neighborhood.min_neighbors,
        kriging.neighborhood.max_distance,
    )
    if needed > kriging.tree_.n or len(xy) == 0:
        return np.full(len(xy), needed <= kriging.tree_.n)
    if farthest is None:
        return np.ones(len(xy), dtype=bool)
    _, distances = Neighborhood(needed, farthest).search(kriging.tree_, xy)
    return np.isfinite(distances[:, needed - 1])
