"""Interpolate the source fractions of sites to maps, and average them by area."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from geosoil import __version__
from geosoil.config import StudyConfig
from geosoil.grids.zones import cell_area
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.composition import ZeroRule
from geosoil.interpolation.domains import (
    DomainMap,
    SiteFractions,
    map_by_domain,
    noise_filtered_kriging,
)
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mixtures import zero_rules

FEWEST_SITES = 10
"""Fewest sites of a period that are interpolated."""


@dataclass(frozen=True, slots=True)
class FractionMaps:
    """Maps of source fractions of a study."""

    maps: dict[tuple[str, str], xr.Dataset]
    """Surfaces by (period, interpolation method), masked to the region."""
    means: pd.DataFrame
    """Area-weighted means: period, method, area (whole region, sampled elevations),
    source, fraction."""
    variograms: pd.DataFrame
    """Variogram fitted to each period and source, with what a reader must know."""
    skipped: dict[str, str]
    """Why a period has no map."""
    paths: tuple[Path, ...]
    """Rasters written."""


def map_fractions(
    inputs: StudyInputs,
    sites: pd.DataFrame,
    folder: Path,
    report: Callable[[str], None],
) -> FractionMaps:
    """Interpolate the raw fractions of sites and write the maps.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sites : DataFrame
        One row a site and period: period, longitude, latitude, elevation and
        ``fraction_<source>_raw``.
    folder : Path
        Where rasters go.
    report : callable
        Called with a line a period.

    Returns
    -------
    result : FractionMaps
        Maps, their area-weighted means and the written files.

    Notes
    -----
    The last method of the settings writes ``fraction_<source>_<period>.tif``; earlier
    ones add their name. A fraction that no zero rule excludes is interpolated raw,
    which keeps it unbiased, and only the surface is moved onto the simplex.
    """
    config = inputs.config
    methods = config.interpolation.methods
    maps: dict[tuple[str, str], xr.Dataset] = {}
    paths: list[Path] = []
    variograms: list[dict[str, object]] = []
    skipped: dict[str, str] = {}
    for period, chosen in sites.groupby("period", sort=False):
        name = str(period)
        sources = config.tracers.sources[name]
        points = _usable(chosen, sources)
        if len(points) < FEWEST_SITES:
            skipped[name] = (
                f"{len(points)} sites with coordinates and fractions; "
                f"{FEWEST_SITES} are needed for a map"
            )
            continue
        report(f"interpolating source fractions of {name} at {len(points)} sites")
        for method in methods:
            result = map_by_domain(
                _site_fractions(points, sources),
                partial(_interpolators, config, method),
                zero_rules=_rules(inputs, name),
                grid=inputs.grid,
                period=name,
                elevation=inputs.elevation,
            )
            variograms += _variogram_rows(result, name)
            surface = result.surfaces.where(inputs.mask)
            surface.attrs = _described(result, name, method, inputs)
            maps[name, method] = surface
            suffix = "" if method == methods[-1] else f"_{method}"
            paths += _write(surface, folder, suffix, config)
    limits = _sampled_elevations(sites)
    means = _means(maps, inputs, limits)
    return FractionMaps(maps, means, pd.DataFrame(variograms), skipped, tuple(paths))


def _usable(sites: pd.DataFrame, sources: tuple[str, ...]) -> gpd.GeoDataFrame:
    """Sites that have a place and all fractions, as points."""
    needed = [
        "longitude",
        "latitude",
        *(f"fraction_{source}_raw" for source in sources),
    ]
    if not set(needed) <= set(sites.columns):
        return gpd.GeoDataFrame(geometry=[], crs=4326)
    whole = sites[np.isfinite(sites[needed].to_numpy(dtype=float)).all(axis=1)]
    points = gpd.points_from_xy(whole["longitude"], whole["latitude"], crs=4326)
    return gpd.GeoDataFrame(whole.reset_index(drop=True), geometry=points)


def _site_fractions(points: gpd.GeoDataFrame, sources: Sequence[str]) -> SiteFractions:
    """Raw fractions of a period's sites with their first-order variances."""
    raw = points[[f"fraction_{source}_raw" for source in sources]]
    sd = points[[f"fraction_{source}_sd" for source in sources]]
    elevation = None
    if "elevation" in points:
        elevation = points["elevation"].to_numpy(dtype=float)
    return SiteFractions(
        points,
        pd.DataFrame(raw.to_numpy(dtype=float), columns=list(sources)),
        elevation,
        pd.DataFrame(sd.to_numpy(dtype=float) ** 2, columns=list(sources)),
    )


def _rules(inputs: StudyInputs, period: str) -> list[ZeroRule]:
    """Zero rules of a period; none where there is no elevation to apply them to."""
    if inputs.elevation is None or "elevation" not in inputs.samples:
        return []
    return [rule for rule in zero_rules(inputs.config) if period in rule.period]


def _interpolators(
    config: StudyConfig, method: str, sites: SiteFractions
) -> tuple[Mapping[str, Interpolator], pd.DataFrame | None]:
    """Interpolator of each source named in the settings."""
    settings = config.interpolation
    if method == "kriging":
        return noise_filtered_kriging(
            sites, model=settings.variogram, n_neighbors=settings.n_neighbors
        )
    inverse = InverseDistance(settings.power, n_neighbors=settings.n_neighbors)
    return dict.fromkeys(map(str, sites.raw.columns), inverse), None


METHODS = {
    "idw": "inverse-distance weighting",
    "kriging": "ordinary kriging that filters the error of the mixing",
}
"""Words for the methods of the settings."""


def _described(
    result: DomainMap, period: str, method: str, inputs: StudyInputs
) -> dict[str, object]:
    """Attributes that say how the surfaces of a period were made."""
    rules = "; ".join(str(rule) for rule in _rules(inputs, period))
    empty = result.domains[result.domains["reason"] != ""]
    return {
        "period": period,
        "method": f"{METHODS[method]} of raw site fractions, domain by domain, then "
        "projected onto the simplex",
        "zero_rules": rules or "none",
        "n_sites": int(result.domains["n_sites"].sum()),
        "without_answer": "; ".join(empty["sources"] + ": " + empty["reason"]) or "",
    }


def _variogram_rows(result: DomainMap, period: str) -> list[dict[str, object]]:
    """Parameters of the variograms that kriging used, a row a domain and source."""
    rows = []
    for (domain, source), interpolator in result.interpolators.items():
        if not isinstance(interpolator, Kriging):
            continue
        fitted = interpolator.variogram_
        noise = interpolator.points_.variance
        rows.append(
            {
                "period": period,
                "domain": domain,
                "source": source,
                "model": fitted.model,
                "nugget": fitted.nugget,
                "partial_sill": fitted.partial_sill,
                "range_m": fitted.range_,
                "noise_variance": np.nan if noise is None else float(noise[0]),
                "n_sites": len(interpolator.points_.values),
                "flag": fitted.flag,
            }
        )
    return rows


def _write(
    surface: xr.Dataset, folder: Path, suffix: str, config: StudyConfig
) -> list[Path]:
    """Write each source's fraction and its standard deviation."""
    period = surface.attrs["period"]
    tags = {
        "method": surface.attrs["method"],
        "zero_rules": surface.attrs["zero_rules"],
        "period": period,
        "source": f"{surface.attrs['n_sites']} sites of {config.samples.path.name}",
        "simulated": "yes: no measured data" if config.study.simulated else "no",
        "software": f"geosoil {__version__}",
    }
    paths = []
    for name, layer in surface.data_vars.items():
        described = f"{layer.attrs['long_name']} in soil water, {period}"
        paths.append(
            write_geotiff(
                layer.astype("float32"),
                folder / f"fraction_{name}_{period}{suffix}.tif",
                description=described,
                tags=tags,
            )
        )
    return paths


def _sampled_elevations(sites: pd.DataFrame) -> tuple[float, float] | None:
    """Lowest and highest elevation of the sites [m]."""
    if "elevation" not in sites or sites["elevation"].isna().all():
        return None
    return float(sites["elevation"].min()), float(sites["elevation"].max())


def _means(
    maps: dict[tuple[str, str], xr.Dataset],
    inputs: StudyInputs,
    limits: tuple[float, float] | None,
) -> pd.DataFrame:
    """Area-weighted means of the maps over the region and the sampled elevations."""
    area = cell_area(inputs.grid).to_numpy()
    places = {"whole region": np.ones(inputs.grid.shape, dtype=bool)}
    if limits is not None and inputs.elevation is not None:
        height = inputs.elevation.to_numpy()
        places["sampled elevations"] = (height >= limits[0]) & (height <= limits[1])
    rows = []
    for (period, method), surface in maps.items():
        for source in inputs.config.tracers.sources[period]:
            values = surface[source].to_numpy()
            for place, inside in places.items():
                chosen = inside & np.isfinite(values)
                weights = area[chosen]
                mean = np.nan
                if weights.sum() > 0:
                    mean = float(np.average(values[chosen], weights=weights))
                rows.append(
                    {
                        "period": period,
                        "method": method,
                        "area": place,
                        "area_km2": float(weights.sum()),
                        "source": source,
                        "fraction": mean,
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
