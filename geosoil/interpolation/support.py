"""Where a map may speak: near its data, and within what was sampled."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS, Transformer
from scipy.spatial import Delaunay, QhullError, cKDTree

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, FloatArray, Grid, check_same_grid
from geosoil.grids.points import values_at_points
from geosoil.grids.zones import cell_area
from geosoil.interpolation.base import ALBERS, metric_crs, positions

REASONS = {
    "far_from_data": 1,
    "variance_near_sill": 2,
    "elevation_beyond_samples": 4,
    "covariates_outside_hull": 8,
    "not_judged": 16,
}
"""Bit of each reason; a cell may have several, 0 is none."""

MOST_COVARIATES = 4
"""Covariates above which nearly every cell lies outside of the samples' hull."""

TOLERANCE = 1e-9
"""How far outside of the hull a cell still counts as on it, in parts of its size."""


@dataclass(frozen=True, slots=True)
class SupportRules:
    """When a cell lies too far from what was sampled.

    Raises
    ------
    InputError
        If a number cannot be.

    Examples
    --------
    >>> SupportRules(max_distance=50_000.0).max_variance_share
    0.9
    """

    max_distance: float | None = None
    """Farthest distance to a datum [m]; None asks for none."""
    max_variance_share: float = 0.9
    """Largest share of the sill that the kriging variance may take."""
    sill: float | None = None
    """Sill of the variogram, in squared units of the values."""

    def __post_init__(self) -> None:
        """Raise on numbers that cannot be."""
        faults = [
            f"{name} is {number}, it must be above 0"
            for name, number in (
                ("max_distance", self.max_distance),
                ("max_variance_share", self.max_variance_share),
                ("sill", self.sill),
            )
            if number is not None and not number > 0
        ]
        if faults:
            message = f"Invalid rules of support: {'; '.join(faults)}."
            raise InputError(message)


def map_support(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    grid: Grid,
    *,
    elevation: xr.DataArray | None = None,
    covariates: xr.Dataset | None = None,
    kriging_variance: xr.DataArray | None = None,
    rules: SupportRules | None = None,
) -> xr.Dataset:
    """Say for each cell whether the samples support a value there, and why not.

    Parameters
    ----------
    points : GeoDataFrame or GeoSeries
        Places of the data, CRS set.
    grid : Grid
        Grid of the map.
    elevation : DataArray with dims y, x, optional
        Elevation [m] on the grid.
    covariates : Dataset with dims y, x, optional
        One to four covariates on the grid, numbers and no classes.
    kriging_variance : DataArray with dims y, x, optional
        Kriging variance on the grid; needs the sill in the rules.
    rules : SupportRules, optional
        Limits; by default no limit of distance, and 0.9 of the sill.

    Returns
    -------
    support : Dataset with dims y, x
        ``reason``: 0 where the map may speak, else a sum of 1 far_from_data,
        2 variance_near_sill, 4 elevation_beyond_samples, 8 covariates_outside_hull,
        16 not_judged (a rule was asked for, and the cell has no elevation, covariate
        or variance), as CF ``flag_masks``, with the names of the rules that were
        asked for in ``rules_applied``; ``distance``: to the nearest datum [km].

    Raises
    ------
    InputError
        If there are no places, no sill for the variance, more than four covariates,
        or the covariates of the samples span no hull.
    GridMismatchError
        If a raster lies on another grid.
    MissingCRSError
        If the points or a raster have no CRS.

    Notes
    -----
    What was sampled is read from the rasters at the points, so that samples and cells
    are measured alike: a site on a slope has the elevation of its cell. A cell is
    beyond the sampled elevations below the lowest or above the highest of these. The
    hull is the smallest convex body around the samples in the space of the
    covariates, each divided by its range (Delaunay triangulation); with one covariate
    it is its range. Within the hull there may still be gaps, which it does not see.

    References
    ----------
    Meyer and Pebesma (2021), Predicting into unknown space? Estimating the area of
    applicability of spatial prediction models, Methods in Ecology and Evolution 12,
    doi:10.1111/2041-210X.13650.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 4000, 1000), 1000, "EPSG:32647")
    >>> sites = gpd.GeoSeries.from_xy([500, 1500], [500, 500], crs=32647)
    >>> height = grid.raster([[3000.0, 3500.0, 3200.0, 5200.0]])
    >>> support = map_support(
    ...     sites, grid, elevation=height, rules=SupportRules(max_distance=1500.0)
    ... )
    >>> support["reason"].values.tolist()
    [[0, 0, 0, 5]]
    """
    limits = rules or SupportRules()
    asked = {
        "far_from_data": limits.max_distance is not None,
        "variance_near_sill": kriging_variance is not None,
        "elevation_beyond_samples": elevation is not None,
        "covariates_outside_hull": covariates is not None,
    }
    distance = _distance(points, grid)
    reason = np.zeros(grid.shape, dtype=np.uint8)
    unknown = np.zeros(grid.shape, dtype=bool)
    if limits.max_distance is not None:
        far = distance > limits.max_distance
        reason[far] |= REASONS["far_from_data"]
    if kriging_variance is not None:
        spread = _layer(kriging_variance, grid, "kriging variance")
        unknown |= np.isnan(spread)
        near = spread > limits.max_variance_share * _sill(limits)
        reason[near] |= REASONS["variance_near_sill"]
    if elevation is not None:
        height = _layer(elevation, grid, "elevation")[..., None]
        unknown |= np.isnan(height[..., 0])
        sampled = _sampled(xr.Dataset({"elevation": elevation}), points)
        reason[_outside(height, sampled)] |= REASONS["elevation_beyond_samples"]
    if covariates is not None:
        names = _covariate_names(covariates)
        layers = [_layer(covariates[name], grid, name) for name in names]
        space = np.stack(layers, axis=-1)
        unknown |= np.isnan(space).any(axis=-1)
        sampled = _sampled(covariates[names], points)
        reason[_outside(space, sampled)] |= REASONS["covariates_outside_hull"]
    reason[unknown] |= REASONS["not_judged"]
    support = _described(reason, distance, grid)
    applied = [name for name, given in asked.items() if given]
    support["reason"].attrs["rules_applied"] = " ".join(applied)
    return support


def support_area(
    support: xr.Dataset, *, mask: xr.DataArray | None = None
) -> pd.DataFrame:
    """Add up the area in which a map may speak, and that lost to each reason.

    Parameters
    ----------
    support : Dataset
        What :func:`map_support` gave.
    mask : DataArray of bool with dims y, x, optional
        Cells of the region; all by default.

    Returns
    -------
    areas : DataFrame
        Rows "ok", each reason, "any" (all cells with one) and "all"; ``area_km2`` and
        ``share`` of all. A cell with two reasons counts in both; a rule that was not
        asked for has NaN.

    Raises
    ------
    GridMismatchError
        If the mask lies on another grid.
    InputError
        If the mask holds no cell.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 4000, 1000), 1000, "EPSG:32647")
    >>> sites = gpd.GeoSeries.from_xy([500], [500], crs=32647)
    >>> rules = SupportRules(max_distance=1200.0)
    >>> areas = support_area(map_support(sites, grid, rules=rules))
    >>> areas.loc[["ok", "far_from_data", "all"], "area_km2"].tolist()
    [2.0, 2.0, 4.0]
    """
    reason = support["reason"]
    grid = Grid.of(reason)
    inside = np.ones(grid.shape, dtype=bool)
    if mask is not None:
        check_same_grid(Grid.of(mask), grid, what="mask and support")
        inside = mask.transpose("y", "x").to_numpy().astype(bool)
    if not inside.any():
        message = "The mask holds no cell. Give the cells of the region as True."
        raise InputError(message)
    area = cell_area(grid).to_numpy()
    codes = reason.transpose("y", "x").to_numpy()
    chosen = {"ok": codes == 0}
    chosen |= {name: (codes & bit) > 0 for name, bit in REASONS.items()}
    chosen |= {"any": codes > 0, "all": np.ones(grid.shape, dtype=bool)}
    sums = {name: float(area[inside & cells].sum()) for name, cells in chosen.items()}
    applied = {*str(reason.attrs["rules_applied"]).split(), "not_judged"}
    sums |= dict.fromkeys(set(REASONS) - applied, float("nan"))
    table = pd.DataFrame({"area_km2": sums})
    return table.assign(share=table["area_km2"] / sums["all"])


def _distance(points: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> FloatArray:
    """Return the distance of each cell's centre to the nearest datum [m]."""
    crs = metric_crs(points, CRS.from_user_input(ALBERS))
    xy = positions(points, crs)
    placed = xy[np.isfinite(xy).all(axis=1)]
    if not len(placed):
        message = f"None of {len(xy)} points has a place. Give points with coordinates."
        raise InputError(message)
    x, y = np.meshgrid(grid.x, grid.y)
    transformer = Transformer.from_crs(grid.crs, crs, always_xy=True)
    centres = np.column_stack(transformer.transform(x.ravel(), y.ravel()))
    nearest, _ = cKDTree(placed).query(centres)
    return np.asarray(nearest, dtype=np.float64).reshape(grid.shape)


def _layer(raster: xr.DataArray, grid: Grid, name: str) -> FloatArray:
    """Return the values of a raster that lies on the grid."""
    check_same_grid(Grid.of(raster), grid, what=f"{name} and support")
    values: FloatArray = raster.transpose("y", "x").to_numpy().astype(np.float64)
    return values


def _sill(limits: SupportRules) -> float:
    """Return the sill; raise where it is not given."""
    if limits.sill is None:
        message = (
            "The kriging variance can be judged only beside the sill. Give it in the "
            "rules, for instance SupportRules(sill=variogram.sill)."
        )
        raise InputError(message)
    return limits.sill


def _covariate_names(covariates: xr.Dataset) -> list[str]:
    """Return the names of one to four covariates."""
    names = [str(name) for name in covariates.data_vars]
    if not 1 <= len(names) <= MOST_COVARIATES:
        message = (
            f"{len(names)} covariates: {', '.join(names)}. Give 1 to "
            f"{MOST_COVARIATES}: with more of them nearly every cell lies outside."
        )
        raise InputError(message)
    return names


def _sampled(
    layers: xr.Dataset, points: gpd.GeoDataFrame | gpd.GeoSeries
) -> FloatArray:
    """Return what the rasters hold at the points, shape (n, layers), without gaps."""
    names = [str(name) for name in layers.data_vars]
    table = values_at_points(layers.astype(float), points.geometry)
    values = table[names].to_numpy(dtype=np.float64)
    whole: FloatArray = values[np.isfinite(values).all(axis=1)]
    if not len(whole):
        message = f"No point lies on a cell with {' and '.join(names)}."
        raise InputError(message)
    return whole


def _outside(space: FloatArray, sampled: FloatArray) -> BoolArray:
    """Say which cells lie outside of the samples' hull; never where one is missing."""
    low, high = sampled.min(axis=0), sampled.max(axis=0)
    known = np.isfinite(space).all(axis=-1)
    beyond: BoolArray = ((space < low) | (space > high)).any(axis=-1)
    if sampled.shape[1] > 1:
        try:
            size = np.where(high > low, high - low, 1.0)
            hull = Delaunay((np.unique(sampled, axis=0) - low) / size)
        except QhullError:
            message = (
                f"The {len(sampled)} samples span no hull in {sampled.shape[1]} "
                "covariates: they are too few, or one follows from the others. Leave "
                "a covariate out."
            )
            raise InputError(message) from None
        inner = known & ~beyond
        found = hull.find_simplex((space[inner] - low) / size, tol=TOLERANCE)
        beyond[inner] = found < 0
    outside: BoolArray = beyond & known
    return outside


def _described(
    reason: npt.NDArray[np.uint8], distance: FloatArray, grid: Grid
) -> xr.Dataset:
    """Label reasons and distances."""
    codes = grid.raster(reason, name="reason")
    codes.attrs = {
        "long_name": "why the samples do not support a value",
        "flag_masks": np.array(list(REASONS.values()), dtype=np.uint8),
        "flag_meanings": " ".join(REASONS),
    }
    kilometres = grid.raster(distance * 1e-3, name="distance")
    kilometres.attrs = {"units": "km", "long_name": "distance to the nearest datum"}
    return xr.Dataset({"reason": codes, "distance": kilometres})
