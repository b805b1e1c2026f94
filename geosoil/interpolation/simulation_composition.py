"""Realisations of fractions that sum to one, from those of their balances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import Points
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.log_ratios import inverse_ilr
from geosoil.interpolation.simulation import (
    check_count,
    label_realizations,
    n_targets,
)
from geosoil.interpolation.simulation_draws import ConditionalDraws
from geosoil.interpolation.simulation_memory import (
    MEMORY_LIMIT,
    check_memory,
    working_bytes,
)
from geosoil.interpolation.simulation_settings import SimulationSettings, check_kriging


def simulate_composition(
    balances: Mapping[str, Kriging],
    target: Grid | Points,
    *,
    last: str,
    n_realizations: int,
    settings: SimulationSettings,
    memory_limit: int | str = MEMORY_LIMIT,
) -> xr.DataArray:
    """Draw fractions of sources that agree with the data, above 0, summing to 1.

    Parameters
    ----------
    balances : mapping of str to Kriging
        Fitted kriging of each pivot balance, by the source that leads it, in the order
        of :func:`geosoil.interpolation.log_ratios.ilr`.
    target : Grid, GeoDataFrame, GeoSeries, or array, shape (m, 2)
        Cells or places.
    last : str
        The last source, which leads no balance.
    n_realizations : int
        Number of fields.
    settings : SimulationSettings
        Seed and method; each balance takes a stream of random numbers of its own.
    memory_limit : int or str
        Bytes that it may take, or words as "4 GiB".

    Returns
    -------
    fractions : DataArray with dims realization, source, y, x or ..., point
        NaN where a balance has no answer.

    Raises
    ------
    InputError
        If there is no balance, a source is named twice, or as
        :func:`geosoil.interpolation.simulation.conditional_simulation`.

    Notes
    -----
    Balances are drawn independently of each other: where they are correlated beyond
    what their common places make, the answer depends on the order of the sources.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> kriging = Kriging(Variogram("spherical", 0.0, 1.0, 5000.0))
    >>> fractions = simulate_composition(
    ...     {"rain": kriging.fit(sites, [0.0, 1.0])},
    ...     sites,
    ...     last="ice",
    ...     n_realizations=3,
    ...     settings=SimulationSettings(seed=1),
    ... )
    >>> fractions.dims, fractions[2, :, 0].values.round(6).tolist()
    (('realization', 'source', 'point'), [0.5, 0.5])
    """
    sources = (*balances, last)
    check_count(n_realizations)
    _check(sources)
    count = n_targets(target)
    work = 0
    for kriging in balances.values():
        check_kriging(kriging)
        work += working_bytes(kriging, count, n_realizations, settings)
    kept = 8 * n_realizations * len(sources) * count
    check_memory(work, kept, limit=memory_limit)
    drawn = [
        ConditionalDraws(kriging, target, replace(settings, stream=stream))
        for stream, kriging in enumerate(balances.values())
    ]
    values = np.empty((n_realizations, len(sources), count))
    widest = max(drawn, key=lambda draws: draws.n_numbers)
    for first, after in widest.batches(n_realizations):
        fields = np.stack([one.realizations(first, after) for one in drawn], axis=-1)
        values[first:after] = np.moveaxis(inverse_ilr(fields), -1, 1)
    fractions = label_realizations(values, target, ("realization", "source"))
    fractions = fractions.assign_coords(source=list(sources))
    methods = ", ".join(sorted({draws.method for draws in drawn}))
    fractions.attrs = {
        "long_name": "conditional simulation of fractions",
        "units": "1",
        "method": f"conditional simulation ({methods}) of pivot balances",
        "seed": settings.seed,
        "n_realizations": n_realizations,
    }
    return fractions


def _check(sources: tuple[str, ...]) -> None:
    """Raise unless there are two different sources or more."""
    if len(sources) < 2 or len(set(sources)) < len(sources):
        message = (
            f"Sources {sources}. Give a kriging for each balance, and a last source "
            "that leads none."
        )
        raise InputError(message)
