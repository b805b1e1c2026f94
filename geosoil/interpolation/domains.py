"""Fractions mapped domain by domain, where a domain is the set of possible sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.grids.grid import BoolArray, FloatArray, Grid
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.composition import CompositionInterpolator
from geosoil.interpolation.composition_log_ratio import FEWEST, log_ratio_maps
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.composition_sites import Maker, SiteFractions
from geosoil.interpolation.composition_surfaces import (
    LogRatioFields,
    fraction_maps,
    log_ratio_fields,
)
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import Model, fit_variogram
from geosoil.interpolation.zero_rules import (
    ZeroRule,
    cell_heights,
    check_heights,
    possible_sources,
    source_sets,
)

__all__ = ["DomainMap", "SiteFractions", "map_by_domain", "noise_filtered_kriging"]


@dataclass(frozen=True, slots=True, eq=False)
class DomainMap:
    """Surfaces of a period and what they rest on."""

    surfaces: xr.Dataset
    """One variable a source, and ``<source>_sd`` where the method has a variance."""
    domains: pd.DataFrame
    """One row a domain: sources, n_sites, n_cells, reason ("" where it has a map)."""
    interpolators: dict[tuple[str, str], Interpolator]
    """Fitted interpolator by (sources of the domain, source), or by log-ratios by
    (sources of the domain, source that leads the balance)."""


def map_by_domain(  # noqa: PLR0913  sites, rules and grid, and how they are mapped
    sites: SiteFractions,
    make: Maker,
    *,
    zero_rules: Sequence[ZeroRule],
    grid: Grid,
    period: str,
    elevation: xr.DataArray | None = None,
    log_ratios: LogRatioOptions | None = None,
) -> DomainMap:
    """Interpolate fractions separately wherever other sources are possible.

    Parameters
    ----------
    sites : SiteFractions
        Fractions of the period's sites: raw, or of 0 or more for log-ratios.
    make : callable
        Makes the interpolator of each source from the sites of a domain, and says what
        of their variance is noise; for log-ratios of each balance, from sites whose
        ``raw`` are the balances by the source that leads them.
    zero_rules : sequence of ZeroRule
        Where a source cannot be.
    grid : Grid
        Target grid.
    period : str
        Period, which chooses the rules.
    elevation : DataArray with dims y, x, optional
        Elevation [m] on the grid; needed by rules with a limit.
    log_ratios : LogRatioOptions, optional
        Map by isometric log-ratios with these settings; by default raw fractions are
        interpolated and their surfaces moved onto the simplex.

    Returns
    -------
    result : DomainMap
        Surfaces that sum to 1 in every cell with an answer, are exactly 0 under a rule
        and exactly 1 where one source is left; NaN in a domain with fewer than three
        sites, with its reason.

    Raises
    ------
    InputError
        If a rule needs an elevation that is not given, or the rules leave no source;
        by log-ratios also if fractions are below 0, or a zero is neither explained nor
        replaced.
    GridMismatchError
        If the elevation lies on another grid.

    Notes
    -----
    A site at which a source cannot be says nothing of that source elsewhere, so cells
    take their fractions from the sites of their own domain: the structural zeros are
    not interpolated (the sub-composition approach of Pawlowsky-Glahn and Olea 2004).
    Raw fractions may be below 0 and have no sub-composition: only sites with just the
    domain's sources speak. By log-ratios sites with more sources speak too, unless the
    settings say ``sites="own"``.

    References
    ----------
    Pawlowsky-Glahn and Olea (2004), Geostatistical Analysis of Compositional Data,
    Oxford University Press.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> grid = Grid.from_bounds((0, 0, 4000, 1000), 1000, "EPSG:32647")
    >>> places = gpd.GeoSeries.from_xy(range(500, 4000, 500), [500] * 7, crs=32647)
    >>> raw = pd.DataFrame({"rain": [1.0] * 4 + [0.8, 0.7, 0.6]})
    >>> raw["ice"] = 1.0 - raw["rain"]
    >>> height = np.array([3000.0] * 4 + [4500.0] * 3)
    >>> sites = SiteFractions(gpd.GeoDataFrame(geometry=places), raw, height)
    >>> answer = map_by_domain(
    ...     sites,
    ...     lambda part: (dict.fromkeys(part.raw, InverseDistance()), None),
    ...     zero_rules=[ZeroRule("ice", ("June",), below=4000.0)],
    ...     grid=grid, period="June",
    ...     elevation=grid.raster([[3000.0, 3000.0, 4500.0, 4500.0]]),
    ... )
    >>> answer.surfaces["ice"].values.round(2).tolist()
    [[0.0, 0.0, 0.2, 0.4]]
    """
    sources = [str(name) for name in sites.raw.columns]
    rules = [rule for rule in zero_rules if period in rule.period]
    rules = [rule for rule in rules if rule.source in sources]
    heights = cell_heights(grid, elevation)
    check_heights(rules, {"sites": sites.elevation, "cells": heights})
    if log_ratios is not None:
        maps = log_ratio_maps(
            sites, make, rules=rules, period=period, options=log_ratios
        )
        return _log_ratio_map(log_ratio_fields(maps, rules, grid, elevation))
    possible = (
        possible_sources(rules, sources, sites.elevation, (len(sites.raw),)),
        possible_sources(rules, sources, heights, grid.shape),
    )
    return _closure_map(sites, make, possible, grid, period)


def noise_filtered_kriging(
    sites: SiteFractions, *, model: Model, n_neighbors: int | None = None
) -> tuple[dict[str, Interpolator], pd.DataFrame]:
    """Make the kriging of each source that filters the mixing's own error.

    Parameters
    ----------
    sites : SiteFractions
        Raw fractions with their variances.
    model : str
        Variogram model to fit.
    n_neighbors : int, optional
        Nearest sites used.

    Returns
    -------
    interpolators : dict of str to Interpolator
        Unfitted kriging by source.
    noise : DataFrame
        Measurement variance of each fraction, one value a source.

    Notes
    -----
    The raw fractions scatter by what differs between sites and by the error of the
    mixing. The variogram's nugget holds both; the part that the mean variance of the
    mixing explains is taken out of it and treated as measurement variance, the same at
    each site: weights by the sites' own variances would favour small fractions.

    Examples
    --------
    >>> import geopandas as gpd
    >>> places = gpd.GeoSeries.from_xy([0, 1000, 3000], [0, 0, 0], crs=32647)
    >>> raw = pd.DataFrame({"rain": [0.2, 0.9, 0.7], "ice": [0.8, 0.1, 0.3]})
    >>> sites = SiteFractions(gpd.GeoDataFrame(geometry=places), raw, None, raw * 0 + 9)
    >>> kriging, noise = noise_filtered_kriging(sites, model="spherical")
    >>> kriging["rain"].variogram.nugget, bool(noise["rain"].iloc[0] > 0)
    (0.0, True)
    """
    interpolators: dict[str, Interpolator] = {}
    noise = pd.DataFrame(0.0, index=sites.raw.index, columns=sites.raw.columns)
    for source in map(str, sites.raw.columns):
        fitted = fit_variogram(sites.points, sites.raw[source].to_numpy(), model=model)
        error = 0.0
        if sites.variance is not None:
            error = float(np.nan_to_num(sites.variance[source]).mean())
        error = min(error, fitted.nugget)
        noise[source] = error
        interpolators[source] = Kriging(
            replace(fitted, nugget=fitted.nugget - error), n_neighbors=n_neighbors
        )
    return interpolators, noise


def _closure_map(
    sites: SiteFractions,
    make: Maker,
    possible: tuple[BoolArray, BoolArray],
    grid: Grid,
    period: str,
) -> DomainMap:
    """Make the surfaces of raw fractions, from what is possible at sites and cells."""
    of_sites, of_cells = possible
    sources = [str(name) for name in sites.raw.columns]
    arrays: dict[str, FloatArray] = {}
    rows: list[tuple[str, int, int, str]] = []
    interpolators: dict[tuple[str, str], Interpolator] = {}
    for pattern, cells in source_sets(of_cells):
        names = [name for name, there in zip(sources, pattern, strict=True) if there]
        part = sites.part((of_sites == pattern).all(axis=-1), names)
        label, reason = ", ".join(names), ""
        values = _certain(sources, names, grid)
        if len(names) > 1 and len(part.raw) < FEWEST:
            reason = f"{len(part.raw)} sites with these sources, {FEWEST} are needed"
            values = {}
        elif len(names) > 1:
            fitted, found = _domain_surface(part, make, grid, period)
            values |= found
            interpolators |= {(label, name): fitted[name] for name in names}
        for name, array in values.items():
            layer = arrays.setdefault(name, np.full(grid.shape, np.nan))
            layer[cells] = array[cells]
        rows.append((label, len(part.raw), int(cells.sum()), reason))
    columns = ["sources", "n_sites", "n_cells", "reason"]
    domains = pd.DataFrame(rows, columns=columns)
    return DomainMap(_surfaces(arrays, sources, grid), domains, interpolators)


def _domain_surface(
    part: SiteFractions, make: Maker, grid: Grid, period: str
) -> tuple[dict[str, Interpolator], dict[str, FloatArray]]:
    """Fit the sites of one domain and return its surfaces over the whole grid."""
    interpolators, noise = make(part)
    composition = CompositionInterpolator(interpolators)
    composition.fit(part.points, part.raw, variance=noise)
    answer = composition.grid(grid, period=period)
    values = {str(name): answer[name].to_numpy() for name in answer.data_vars}
    return composition.interpolators_, values


def _log_ratio_map(found: LogRatioFields) -> DomainMap:
    """Make the surfaces by log-ratios, with the interpolator of every balance."""
    interpolators = {
        (domain.label, name): own
        for domain in found.used
        for name, own in domain.interpolators.items()
    }
    return DomainMap(fraction_maps(found), found.domains, interpolators)


def _certain(
    sources: Sequence[str], names: Sequence[str], grid: Grid
) -> dict[str, FloatArray]:
    """Values of a domain that no site has to tell: 0 of the absent, 1 of a lone one."""
    values = {}
    for source in sources:
        if source not in names or len(names) == 1:
            values[source] = np.full(grid.shape, float(source in names))
            values[f"{source}_sd"] = np.zeros(grid.shape)
    return values


def _surfaces(
    arrays: Mapping[str, FloatArray], sources: Sequence[str], grid: Grid
) -> xr.Dataset:
    """Label the arrays; a spread is kept only where every source has one somewhere."""
    surfaces = xr.Dataset()
    spread = all(np.nanmax(arrays.get(f"{s}_sd", [0.0]), initial=0.0) for s in sources)
    nothing = np.full(grid.shape, np.nan)
    for source in sources:
        surfaces[source] = grid.raster(arrays.get(source, nothing))
        surfaces[source].attrs = {"units": "1", "long_name": f"fraction of {source}"}
        if spread:
            surfaces[f"{source}_sd"] = grid.raster(arrays[f"{source}_sd"])
            surfaces[f"{source}_sd"].attrs = {
                "units": "1",
                "long_name": f"standard deviation of the fraction of {source}",
            }
    return surfaces
