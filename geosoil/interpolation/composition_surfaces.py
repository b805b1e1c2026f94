"""Fractions of places with their names, and those of log-ratios with how they came."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray, Grid
from geosoil.interpolation.composition_log_ratio import Domain, LogRatioMaps
from geosoil.interpolation.composition_moments import (
    MOST_EXACT,
    Field,
    chances_above,
    mixed_moments,
    over_draws,
    quantiles_of,
)
from geosoil.interpolation.composition_places import Cells, Places
from geosoil.interpolation.zero_rules import (
    ZeroRule,
    check_heights,
    source_weights,
)

DESCRIPTION = (
    "pivot balances (isometric log-ratios) of the sub-composition of the possible "
    "sources, each balance interpolated by itself: the answer depends on the order of "
    "the sources unless all balances weigh the data alike"
)


@dataclass(frozen=True, slots=True, eq=False)
class LogRatioFields:
    """Balances at places, from which all that is told of fractions is made."""

    maps: LogRatioMaps
    """Fitted balances."""
    places: Places
    """Where."""
    fields: tuple[Field, ...]
    """Domains with their shares."""
    presence: dict[str, FloatArray]
    """Probability of presence of each source with an indicator, in the shape of the
    places."""
    domains: pd.DataFrame
    """One row a domain: sources, n_sites, n_cells or n_points, reason ("" where it has
    an answer)."""
    rules: tuple[ZeroRule, ...]
    """Rules in force."""

    @property
    def shape(self) -> tuple[int, int]:
        """Places and sources."""
        return math.prod(self.places.shape), len(self.maps.sites.sources)

    @property
    def used(self) -> list[Domain]:
        """Domains that have a share of some places."""
        every = np.arange(self.shape[1])
        return [self.maps.domain(np.isin(every, own.columns)) for own in self.fields]


def log_ratio_fields(
    maps: LogRatioMaps,
    rules: Sequence[ZeroRule],
    grid: Grid,
    elevation: xr.DataArray | None,
) -> LogRatioFields:
    """Interpolate the balances on a grid.

    Parameters
    ----------
    maps : LogRatioMaps
        Fitted balances.
    rules : sequence of ZeroRule
        Rules of the period.
    grid : Grid
        Target grid.
    elevation : DataArray with dims y, x, or None
        Elevation [m]; needed by rules with a limit.

    Returns
    -------
    fields : LogRatioFields
        Balances of every domain.

    Raises
    ------
    InputError
        If elevation is needed, or the rules leave no source.
    GridMismatchError
        If the elevation lies on another grid.
    """
    return place_fields(maps, rules, Cells.of(grid, elevation))


def place_fields(
    maps: LogRatioMaps, rules: Sequence[ZeroRule], places: Places
) -> LogRatioFields:
    """Interpolate the balances at places.

    Parameters
    ----------
    maps : LogRatioMaps
        Fitted balances.
    rules : sequence of ZeroRule
        Rules of the period.
    places : Cells or PointPlaces
        Where; their elevation is needed by rules with a limit.

    Returns
    -------
    fields : LogRatioFields
        Balances of every domain.

    Raises
    ------
    InputError
        If elevation is needed, or the rules leave no source.
    """
    check_heights(rules, {places.what: places.heights})
    weights = source_weights(
        rules,
        maps.sites.sources,
        places.heights,
        places.shape,
        blend=maps.options.blend,
    )
    presence = maps.presence(places)
    weights = maps.present_weights(weights, presence)
    fields = tuple(maps.fields(places, weights))
    domains = maps.table(weights, places.what)
    return LogRatioFields(maps, places, fields, presence, domains, tuple(rules))


def fraction_surfaces(
    places: Places,
    sources: Sequence[str],
    fractions: FloatArray,
    spread: FloatArray | None = None,
) -> xr.Dataset:
    """Label fractions.

    Parameters
    ----------
    places : Cells or PointPlaces
        Where.
    sources : sequence of str
        Names of the sources.
    fractions : array, shape (y, x, source) or (places, source)
        Fractions.
    spread : array of the same shape, optional
        Their standard deviations.

    Returns
    -------
    surfaces : Dataset with dims y, x or point
        One variable a source, and ``<source>_sd``.

    Examples
    --------
    >>> cells = Cells.of(Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:32647"), None)
    >>> list(fraction_surfaces(cells, ["rain", "ice"], np.array([[0.7, 0.3]])))
    ['rain', 'ice']
    """
    surfaces = xr.Dataset()
    for column, source in enumerate(sources):
        names = {source: (fractions, f"fraction of {source}")}
        if spread is not None:
            words = f"standard deviation of the fraction of {source}"
            names[f"{source}_sd"] = spread, words
        for name, (values, long_name) in names.items():
            surfaces[name] = places.labelled(values[..., column])
            surfaces[name].attrs = {"units": "1", "long_name": long_name}
    return surfaces


def fraction_maps(found: LogRatioFields) -> xr.Dataset:
    """Make the maps of fractions, or their table at points.

    Parameters
    ----------
    found : LogRatioFields
        Balances at places.

    Returns
    -------
    surfaces : Dataset with dims y, x or point
        One variable a source, ``<source>_sd`` unless the centre is mapped, and
        ``<source>_presence`` where an indicator says whether it is there.
    """
    sources = found.maps.sites.sources
    mean, spread = mixed_moments(found.fields, found.shape, found.maps.options)
    surfaces = fraction_surfaces(found.places, sources, mean, spread)
    for source, chance in found.presence.items():
        surfaces[f"{source}_presence"] = found.places.labelled(chance)
        surfaces[f"{source}_presence"].attrs = {
            "units": "1",
            "long_name": f"probability that {source} is present",
        }
    surfaces.attrs = _settings(found)
    return surfaces


def quantile_maps(
    found: LogRatioFields, levels: Sequence[float], *, n_draws: int, seed: int
) -> xr.Dataset:
    """Make the maps of quantiles of the fractions.

    Parameters
    ----------
    found : LogRatioFields
        Balances on a grid.
    levels : sequence of float
        Probabilities from 0 to 1.
    n_draws : int
        Draws of each cell.
    seed : int
        Seed of the draws.

    Returns
    -------
    maps : Dataset with dims quantile, y, x
        One variable a source. The quantiles of the sources need not sum to 1.
    """
    values = over_draws(
        found.fields, found.shape, quantiles_of(levels), n_draws=n_draws, seed=seed
    )
    maps = xr.Dataset()
    for column, source in enumerate(found.maps.sites.sources):
        layers = [found.places.labelled(layer) for layer in values[:, column]]
        index = xr.DataArray([float(q) for q in levels], dims="quantile")
        maps[source] = xr.concat(layers, dim=index.assign_coords(quantile=index))
        words = f"quantile of the fraction of {source}"
        maps[source].attrs = {"units": "1", "long_name": words}
    maps.attrs = {**_settings(found), "n_draws": n_draws, "seed": seed}
    return maps


def chance_maps(
    found: LogRatioFields, limits: Sequence[float], *, n_draws: int, seed: int
) -> xr.Dataset:
    """Make the maps of the chance that a fraction is above a limit.

    Parameters
    ----------
    found : LogRatioFields
        Balances on a grid.
    limits : sequence of float
        Limit of each source.
    n_draws : int
        Draws of each cell.
    seed : int
        Seed of the draws.

    Returns
    -------
    maps : Dataset with dims y, x
        One variable a source.
    """
    given = np.asarray(limits, dtype=np.float64)
    values = over_draws(
        found.fields, found.shape, chances_above(given), n_draws=n_draws, seed=seed
    )[0]
    sources = found.maps.sites.sources
    maps = fraction_surfaces(found.places, sources, values.T)
    for source, limit in zip(sources, given, strict=True):
        words = f"probability that the fraction of {source} is above {limit:g}"
        maps[source].attrs = {"units": "1", "long_name": words}
    maps.attrs = {**_settings(found), "n_draws": n_draws, "seed": seed}
    return maps


def limits_of(
    sources: Sequence[str], above: float | Mapping[str, float]
) -> list[float]:
    """Return the limit of each source; NaN, which nothing is above, where none is set.

    Parameters
    ----------
    sources : sequence of str
        Names of the sources.
    above : float or mapping of str to float
        One limit, or one a source.

    Returns
    -------
    limits : list of float
        Limits.

    Raises
    ------
    InputError
        If a name is unknown or a limit lies outside 0 to 1.

    Examples
    --------
    >>> limits_of(["rain", "ice"], 0.5)
    [0.5, 0.5]
    """
    given = above if isinstance(above, Mapping) else dict.fromkeys(sources, above)
    odd = {k: v for k, v in given.items() if k not in sources or not 0 <= v <= 1}
    absent = [source for source in sources if source not in given]
    if odd or absent:
        message = (
            f"Invalid limits {odd or given}. Give one from 0 to 1, or one for each of "
            f"{list(sources)}."
        )
        raise InputError(message)
    return [float(given[source]) for source in sources]


def _settings(found: LogRatioFields) -> dict[str, object]:
    """Return the attributes that say how the maps were made."""
    sites, options = found.maps.sites, found.maps.options
    fitted = [own for domain in found.used for own in domain.interpolators.values()]
    quadrature = len(sites.sources) - 1 <= MOST_EXACT
    drawn = f"arithmetic mean of {options.n_draws} draws, seed {options.seed}"
    ways = {
        "mean": "arithmetic mean by Gauss-Hermite quadrature"
        if quadrature
        else f"{drawn}, with more than four sources, else by Gauss-Hermite quadrature",
        "simulation": drawn,
        "centre": "geometric centre, not the arithmetic mean",
    }
    noise = (
        "none"
        if sites.covariance is None
        else ("first order, of each balance; covariances between balances left out")
    )
    return {
        "method": "ilr",
        "interpolation": ", ".join(sorted({own.method for own in fitted})) or "none",
        "description": DESCRIPTION,
        "back_transform": options.back_transform,
        "fractions": ways[options.back_transform],
        "balances": " | ".join(sites.sources),
        "sites": options.sites,
        "presence": options.presence,
        "blend": options.blend,
        "measurement_variance": noise,
        "n_points": len(sites.parts),
        "n_dropped": sites.n_dropped,
        "n_replaced": len(sites.replaced),
        "zero_rules": "; ".join(map(str, found.rules)) or "none",
    }
