"""Interpolate the source fractions of sites to maps that say what they rest on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.grids.grid import FloatArray
from geosoil.grids.zones import cell_area
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.journal import Keeper, KeepsNothing
from geosoil.workflow.mapping_choice import Choice, choose_method
from geosoil.workflow.mapping_draws import draw_surfaces
from geosoil.workflow.mapping_means import map_areas, mean_draws, period_means
from geosoil.workflow.mapping_methods import Models
from geosoil.workflow.mapping_output import describe, labelled_maps, write_maps
from geosoil.workflow.mapping_sites import (
    PeriodSites,
    domains_of,
    drawn_fractions_of_sites,
    period_sites,
)
from geosoil.workflow.mapping_support import period_support, support_table
from geosoil.workflow.mapping_surfaces import (
    Target,
    certain_values,
    estimate,
    patches_of,
)
from geosoil.workflow.mapping_variants import compare_variants


@dataclass(frozen=True, slots=True, eq=False)
class PeriodMap:
    """The map of a period and what it rests on."""

    sites: PeriodSites
    """Its sites."""
    choice: Choice
    """Its method."""
    maps: xr.Dataset
    """Layers: each source, its standard deviations and quantiles, ``support``."""
    means: pd.DataFrame
    """Means of samples, declustered and by area."""
    support: pd.DataFrame
    """Area by what the sites say of it."""
    variants: pd.DataFrame
    """Means by elevation band, with and without rules and drift."""


@dataclass(frozen=True, slots=True, eq=False)
class FractionMaps:
    """Maps of source fractions of a study."""

    periods: dict[str, PeriodMap]
    """Map of each period that has one."""
    skipped: dict[str, str]
    """Why a period has no map."""
    paths: tuple[Path, ...]
    """Rasters written."""

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the tables of all periods.

        Parameters
        ----------
        name : str
            "means", "support", "variants", "scores", "predictions" or "variograms".

        Returns
        -------
        table : DataFrame
            Rows of all periods; empty where no period has a map.
        """
        parts = []
        for period, one in self.periods.items():
            if name in ("scores", "predictions"):
                parts.append(getattr(one.choice, name))
            elif name == "variograms":
                parts.append(variogram_table(period, one.choice))
            else:
                own: pd.DataFrame = getattr(one, name)
                parts.append(own if "period" in own else own.assign(period=period))
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def map_fractions(
    inputs: StudyInputs,
    sites: pd.DataFrame,
    folder: Path,
    report: Callable[[str], None],
    keeper: Keeper | None = None,
) -> FractionMaps:
    """Interpolate the raw fractions of sites and write the maps.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : DataFrame
        One row a site and period: period, longitude, latitude, elevation,
        ``fraction_<source>_raw`` and ``fraction_<source>_sd``.
    folder : Path
        Where rasters go.
    report : callable
        Called with a line a period.
    keeper : Keeper, optional
        Keeps the map of each period for a run that goes on.

    Returns
    -------
    result : FractionMaps
        Maps, their means and the written files.

    Notes
    -----
    A fraction that no zero rule excludes is interpolated raw, which keeps it unbiased,
    and only the surface is moved onto the simplex. Wherever other sources are
    possible the sites of that domain alone speak.
    """
    keeper = keeper or KeepsNothing()
    found: dict[str, PeriodMap] = {}
    skipped: dict[str, str] = {}
    paths: list[Path] = []
    for order, (name, solved) in enumerate(sites.groupby("period", sort=False)):
        period = str(name)
        own = period_sites(inputs, period, solved)
        if isinstance(own, str):
            skipped[period] = own
            continue
        report(f"interpolating source fractions of {period} at {len(own.xy)} sites")
        rng = np.random.default_rng([inputs.config.study.seed, order])
        make = partial(map_period, inputs, own, rng)
        found[period] = keeper.value(f"map of {period}", make)
        write = partial(write_maps, found[period].maps, own.sources, folder)
        paths += keeper.files(f"rasters of {period}", write)
    return FractionMaps(found, skipped, tuple(paths))


def map_period(
    inputs: StudyInputs, sites: PeriodSites, rng: np.random.Generator
) -> PeriodMap:
    """Choose a method for a period, and make its map with what it leaves open.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : PeriodSites
        Sites of the period.
    rng : Generator
        Source of chance.

    Returns
    -------
    result : PeriodMap
        Map, means, support and variants.
    """
    settings = inputs.config.interpolation
    domains = domains_of(sites, inputs.grid, inputs.elevation)
    choice = choose_method(sites, domains, settings)
    target = study_target(inputs)
    how = (choice.method, settings)
    patches = patches_of(sites, domains, choice.models, how, target)
    values = estimate(sites, domains, patches, target)
    reason = period_support(inputs, sites, patches, choice.method)
    answered = np.isfinite(values[sites.sources[0]])
    areas = map_areas(inputs, answered, reason.to_numpy())
    drawn = drawn_fractions_of_sites(inputs, sites, rng)
    spread = draw_surfaces(sites, patches, drawn, target, areas=areas.weights, rng=rng)
    certain = certain_values(sites.sources, domains, target)
    means = mean_draws(sites, spread, certain, areas)
    maps = labelled_maps(inputs, sites, values, spread, reason)
    maps.attrs = describe(inputs, sites, choice)
    return PeriodMap(
        sites,
        choice,
        maps,
        period_means(inputs, sites, values, areas, means),
        support_table(reason, inputs),
        compare_variants(inputs, sites, choice, values, target),
    )


def study_target(inputs: StudyInputs) -> Target:
    """Return the cells of the region with their elevations.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.

    Returns
    -------
    target : Target
        Cells to be mapped.
    """
    ground: FloatArray = np.full(inputs.grid.shape, np.nan)
    if inputs.elevation is not None:
        ground = inputs.elevation.to_numpy().astype(np.float64)
    return Target(inputs.grid, inputs.mask.to_numpy(), ground)


def variogram_table(period: str, choice: Choice) -> pd.DataFrame:
    """Return the parameters of a period's variograms.

    Parameters
    ----------
    period : str
        Period.
    choice : Choice
        Its method and models.

    Returns
    -------
    table : DataFrame
        One row a domain and source: model, nugget (without the error of the mixing),
        noise_variance, partial_sill, range_m, flag.
    """
    rows = []
    kinds: dict[str, dict[str, Models]] = {"kriging": choice.variograms}
    if choice.method == "kriging_drift":
        kinds["kriging_drift"] = choice.models
    for method, domains in kinds.items():
        for label, models in domains.items():
            for source, model in models.items():
                fitted = model.variogram
                rows.append(
                    {
                        "period": period,
                        "method": method,
                        "domain": label,
                        "source": source,
                        "model": fitted.model,
                        "nugget": fitted.nugget,
                        "noise_variance": model.noise,
                        "partial_sill": fitted.sill - fitted.nugget,
                        "range_m": fitted.range_,
                        "n_sites": fitted.fit.n_points if fitted.fit else np.nan,
                        "flag": fitted.flag,
                    }
                )
    return pd.DataFrame(rows)


def share_above(inputs: StudyInputs, limit: float) -> float:
    """Return the share of the region's area that lies above an elevation.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study with an elevation.
    limit : float
        Elevation [m].

    Returns
    -------
    share : float
        0 to 1; NaN without an elevation raster.
    """
    if inputs.elevation is None:
        return float("nan")
    area = cell_area(inputs.grid).where(inputs.mask, 0.0).to_numpy()
    above = inputs.elevation.to_numpy() > limit
    return float(area[above].sum() / area.sum())
