"""Readings of printed positions, held against the ground and a region."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import xarray as xr
from pyproj import CRS

from geosoil.grids.align import north_up
from geosoil.grids.grid import FloatArray, Grid
from geosoil.grids.points import point_coordinates

LONLAT = CRS.from_epsg(4326)
MOST_MINUTES = 0.5995
"""Fractions of a degree below this can be minutes (.59, rounded)."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read the positions, held against the ground and the region."""

    longitude: FloatArray
    latitude: FloatArray
    ground: FloatArray
    """Elevation of the cell that holds the site [m]."""
    off: FloatArray
    """Distance of the stated elevation from the range of the 3 x 3 cells [m]."""
    outside: FloatArray
    """Distance outside the region [km]; 0 inside, NaN without a region."""


def from_degrees_minutes(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Read positions written as degrees.minutes, such as 34.55 for 34 degrees 55'.

    Parameters
    ----------
    x, y : array, shape (n,)
        Longitude and latitude as printed.

    Returns
    -------
    x, y : array, shape (n,)
        Decimal degrees; both NaN where a fraction is .60 or more.

    Examples
    --------
    >>> x, y = from_degrees_minutes(np.array([98.13, 99.78]), np.array([34.55, 34.62]))
    >>> x.round(3).tolist(), y.round(3).tolist()
    ([98.217, nan], [34.917, nan])
    """
    read = []
    for values in (x, y):
        size = np.abs(values)
        fraction = np.round(size - np.floor(size), 9)
        minutes = np.sign(values) * (np.floor(size) + fraction / 0.6)
        read.append(np.where(fraction < MOST_MINUTES, minutes, np.nan))
    lost = np.isnan(read[0]) | np.isnan(read[1])
    return np.where(lost, np.nan, read[0]), np.where(lost, np.nan, read[1])


def flat_north_up(elevation: xr.DataArray) -> xr.DataArray:
    """Return an elevation model as (y, x), north to south."""
    flat = elevation.squeeze(drop=False)
    return north_up((flat if "y" in flat.dims else elevation).to_dataset(name="z"))["z"]


def read_as(
    x: FloatArray,
    y: FloatArray,
    stated: FloatArray,
    elevation: xr.DataArray | None,
    region: gpd.GeoDataFrame | gpd.GeoSeries | None,
) -> Reading:
    """Hold positions against the ground and the region."""
    ground, low, high = ground_range(x, y, elevation)
    off = np.maximum(np.maximum(low - stated, stated - high), 0.0)
    return Reading(x, y, ground, off, distance_outside(x, y, region))


def _places(x: FloatArray, y: FloatArray) -> gpd.GeoSeries:
    """Return positions as points; empty where there is none on the globe."""
    lost = ~(np.isfinite(x) & np.isfinite(y) & (np.abs(y) <= 90))
    points = gpd.GeoSeries.from_xy(
        np.where(lost, 0.0, x), np.where(lost, 0.0, y), crs=LONLAT
    )
    return points.where(~lost)


def ground_range(
    x: FloatArray, y: FloatArray, elevation: xr.DataArray | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the elevation at each site, and the range of the 3 x 3 cells there."""
    ground, low, high = np.full((3, len(x)), np.nan)
    if elevation is None:
        return ground, low, high
    grid = Grid.of(elevation)
    rows, columns, _ = grid.cells(*point_coordinates(_places(x, y), grid.crs))
    cells = elevation.to_numpy().astype(float)
    for site in np.flatnonzero(rows >= 0):
        row, column = int(rows[site]), int(columns[site])
        around = cells[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        known = around[np.isfinite(around)]
        ground[site] = cells[row, column]
        if known.size:
            low[site], high[site] = known.min(), known.max()
    return ground, low, high


def distance_outside(
    x: FloatArray, y: FloatArray, region: gpd.GeoDataFrame | gpd.GeoSeries | None
) -> FloatArray:
    """Return the distance from the region [km], 0 inside it."""
    if region is None:
        return np.full(len(x), np.nan)
    west, south, east, north = region.to_crs(LONLAT).total_bounds
    plane = CRS.from_proj4(
        f"+proj=aeqd +lon_0={(west + east) / 2} +lat_0={(south + north) / 2} "
        "+datum=WGS84 +units=m"
    )
    whole = region.to_crs(plane).geometry.union_all()
    placed = _places(x, y).to_crs(plane)
    distance = placed.distance(whole).to_numpy(dtype=float) / 1000
    return np.where(placed.isna(), np.nan, distance)
