"""Summaries of realisations that are drawn, counted and let go."""

from __future__ import annotations

import numpy as np
import xarray as xr

from geosoil.grids.grid import Grid
from geosoil.interpolation.base import FloatArray, Points
from geosoil.interpolation.external_drift import GivenDrift
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.simulation import (
    check_count,
    label_realizations,
    n_targets,
    simulation_attributes,
)
from geosoil.interpolation.simulation_draws import ConditionalDraws
from geosoil.interpolation.simulation_memory import (
    MEMORY_LIMIT,
    check_memory,
    working_bytes,
)
from geosoil.interpolation.simulation_settings import SimulationSettings, check_kriging
from geosoil.interpolation.simulation_summary import (
    RealizationSummary,
    describe_summary,
    quantile_name,
    threshold_name,
)


def simulate_summary(  # noqa: PLR0913  what is drawn, how, and what is kept
    kriging: Kriging,
    target: Grid | Points,
    *,
    n_realizations: int,
    settings: SimulationSettings,
    summary: RealizationSummary | None = None,
    drift: GivenDrift | None = None,
    memory_limit: int | str = MEMORY_LIMIT,
) -> xr.Dataset:
    """Summarise realisations without keeping them.

    Parameters
    ----------
    kriging : Kriging
        Fitted.
    target : Grid, GeoDataFrame, GeoSeries, or array, shape (m, 2)
        Cells or places.
    n_realizations : int
        Number of fields.
    settings : SimulationSettings
        Seed and method.
    summary : RealizationSummary, optional
        Quantiles and thresholds.
    drift : array, DataFrame or rasters, optional
        External drift at the targets.
    memory_limit : int or str
        Bytes that it may take, or words as "4 GiB".

    Returns
    -------
    summary : Dataset with dims y, x or point
        What :func:`geosoil.interpolation.simulation_summary.summarise_realizations`
        says of the fields of
        :func:`geosoil.interpolation.simulation.conditional_simulation`, to rounding.

    Raises
    ------
    InputError
        As :func:`geosoil.interpolation.simulation.conditional_simulation`.

    Notes
    -----
    Quantiles are exact: of each place only as many of the lowest and highest values
    are kept as the quantiles need, 52 of 500 for p05 and p95.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> kriging = Kriging(Variogram("spherical", 0.0, 1.0, 5000.0)).fit(sites, [1, 3])
    >>> found = simulate_summary(
    ...     kriging, sites, n_realizations=20, settings=SimulationSettings(seed=1)
    ... )
    >>> found["mean"].values.tolist(), found["p95"].values.tolist()
    ([1.0, 3.0], [1.0, 3.0])
    """
    wanted = summary or RealizationSummary()
    check_count(n_realizations)
    check_kriging(kriging)
    count = n_targets(target)
    running = RunningSummary(wanted, n_realizations, count)
    work = working_bytes(kriging, count, n_realizations, settings)
    check_memory(
        work,
        8 * count * (running.n_kept + len(wanted.names)),
        limit=memory_limit,
        what="summaries",
    )
    draws = ConditionalDraws(kriging, target, settings, drift=drift)
    for first, last in draws.batches(n_realizations):
        running.add(draws.realizations(first, last))
    answers = running.answers()
    labelled = {
        name: label_realizations(answers[name], target, ()) for name in wanted.names
    }
    return describe_summary(
        xr.Dataset(labelled), simulation_attributes(draws, kriging, n_realizations)
    )


class RunningSummary:
    """RealizationSummary of realisations that come a few at a time.

    Parameters
    ----------
    wanted : RealizationSummary
        Quantiles and thresholds.
    n_realizations : int
        How many will come.
    n_places : int
        Places of each.

    Examples
    --------
    >>> running = RunningSummary(RealizationSummary((0.5,)), 3, 1)
    >>> running.add(np.array([[1.0], [5.0]]))
    >>> running.add(np.array([[3.0]]))
    >>> {name: value.tolist() for name, value in running.answers().items()}
    {'mean': [3.0], 'sd': [2.0], 'n': [3], 'p50': [3.0]}
    """

    def __init__(
        self, wanted: RealizationSummary, n_realizations: int, n_places: int
    ) -> None:
        self.wanted, self._count = wanted, n_realizations
        self._n = np.zeros(n_places, dtype=np.int64)
        self._seen = 0
        self._mean, self._squares = np.zeros(n_places), np.zeros(n_places)
        self._above = np.zeros((len(wanted.thresholds), n_places), dtype=np.int64)
        ranks = [q * (n_realizations - 1) for q in wanted.quantiles]
        low = [rank for rank in ranks if rank <= (n_realizations - 1) / 2]
        high = [rank for rank in ranks if rank > (n_realizations - 1) / 2]
        self._n_low = max((int(np.ceil(rank)) + 1 for rank in low), default=0)
        self._n_high = max((n_realizations - int(rank) for rank in high), default=0)
        self._low = self._high = np.empty((0, n_places))

    @property
    def n_kept(self) -> int:
        """Values that are held of each place, while some are added too."""
        return 2 * (self._n_low + self._n_high)

    def add(self, values: FloatArray) -> None:
        """Take some realisations.

        Parameters
        ----------
        values : array, shape (r, n_places)
            Values; NaN missing.
        """
        self._n += np.isfinite(values).sum(axis=0)
        before, self._seen = self._seen, self._seen + len(values)
        mean = values.mean(axis=0)
        apart = mean - self._mean
        self._squares += np.square(values - mean).sum(axis=0)
        self._squares += apart**2 * (before * len(values) / self._seen)
        self._mean += apart * (len(values) / self._seen)
        for row, threshold in enumerate(self.wanted.thresholds):
            self._above[row] += (values > threshold).sum(axis=0)
        self._low = _lowest(self._low, values, self._n_low)
        self._high = -_lowest(-self._high, -values, self._n_high)

    def answers(self) -> dict[str, FloatArray]:
        """Return the summary of all that came.

        Returns
        -------
        answers : dict of str to array, shape (n_places,)
            By the names of the summary.
        """
        gap = self._n < self._seen
        spread = np.full(len(gap), np.nan)
        if self._seen > 1:
            spread = np.sqrt(self._squares / (self._seen - 1))
        found = {"mean": self._mean, "sd": spread, "n": self._n}
        low, high = np.sort(self._low, axis=0), np.sort(self._high, axis=0)
        for quantile in self.wanted.quantiles:
            rank = quantile * (self._count - 1)
            kept, start = (low, 0)
            if rank > (self._count - 1) / 2:
                kept, start = high, self._count - len(high)
            below, share = int(rank), rank - int(rank)
            lower = kept[below - start]
            upper = kept[min(below + 1 - start, len(kept) - 1)]
            level = lower + share * (upper - lower)
            found[quantile_name(quantile)] = np.where(gap, np.nan, level)
        for threshold, above in zip(self.wanted.thresholds, self._above, strict=True):
            found[threshold_name(threshold)] = np.where(gap, np.nan, above / self._seen)
        return found


def _lowest(kept: FloatArray, values: FloatArray, count: int) -> FloatArray:
    """Return the lowest values of each place among those kept and new ones."""
    if count == 0:
        return kept
    both = np.concatenate([kept, values])
    if len(both) <= count:
        return both
    return np.partition(both, count - 1, axis=0)[:count]
