"""Where things lie on a map: the projection, cells in it, and the frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, cast

import cartopy.crs as ccrs
import geopandas as gpd
import numpy as np
import numpy.typing as npt
import xarray as xr
from affine import Affine
from cartopy.mpl.geoaxes import GeoAxes
from matplotlib.axes import Axes
from pyproj import Transformer

from geosoil.errors import InputError
from geosoil.grids.grid import Grid

FloatArray = npt.NDArray[np.float64]
Extent = tuple[float, float, float, float]

CHINA = (70.0, 140.0, 15.0, 55.0)
"""Longitudes and latitudes (W, E, S, N) where the Albers projection serves."""


@lru_cache(maxsize=32)
def transformer(source: Any, target: Any) -> Transformer:  # noqa: ANN401
    """Return the transformation between two reference systems, made once.

    Parameters
    ----------
    source, target : CRS, cartopy projection or str
        Reference systems; coordinates are given and taken as x, y.

    Returns
    -------
    transformer : pyproj.Transformer
        The transformation.

    Examples
    --------
    >>> transformer("EPSG:4326", "EPSG:4326").transform(96.0, 34.0)
    (96.0, 34.0)
    """
    return Transformer.from_crs(source, target, always_xy=True)


def map_projection(axes: Axes) -> Any:  # noqa: ANN401  cartopy has no types
    """Return the projection of a map panel.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.

    Returns
    -------
    projection : cartopy.crs.Projection
        Its projection.

    Raises
    ------
    InputError
        If the axes are no map panel.

    Examples
    --------
    >>> import cartopy.crs
    >>> from matplotlib.figure import Figure
    >>> panel = Figure().add_subplot(projection=cartopy.crs.Mercator())
    >>> type(map_projection(panel)).__name__
    'Mercator'
    """
    if not isinstance(axes, GeoAxes):
        message = (
            f"Axes of type {type(axes).__name__} are no map panel. Make them with "
            "projection=, as geosoil.plotting.panels.map_panels does."
        )
        raise InputError(message)
    return axes.projection


@lru_cache(maxsize=16)
def cell_corners(
    grid: Grid,
    projection: Any,  # noqa: ANN401  cartopy has no types
) -> tuple[FloatArray, FloatArray]:
    """Return the corners of a grid's cells on a map.

    Parameters
    ----------
    grid : Grid
        Grid in any coordinate reference system.
    projection : cartopy.crs.Projection
        Projection of the map.

    Returns
    -------
    x, y : array, shape (rows + 1, columns + 1)
        Projected corners [m], north to south and west to east; shared, read only.

    Examples
    --------
    >>> import cartopy.crs
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> x, y = cell_corners(grid, cartopy.crs.Mercator())
    >>> x.shape
    (2, 3)
    """
    rows, columns = grid.shape
    west, _, _, north = grid.bounds
    width, height = grid.resolution
    x = west + width * np.arange(columns + 1)
    y = north - height * np.arange(rows + 1)
    corners = transformer(grid.crs, projection).transform(*np.meshgrid(x, y))
    for along in corners:
        along.flags.writeable = False
    return cast("tuple[FloatArray, FloatArray]", corners)


def plain_raster(raster: xr.DataArray) -> xr.DataArray:
    """Return a raster with the dims y, x alone.

    Parameters
    ----------
    raster : DataArray
        Raster; other dims must have the length 1.

    Returns
    -------
    raster : DataArray with dims y, x
        The same values.

    Raises
    ------
    InputError
        If a dim other than y, x is longer, or y or x is missing.

    Examples
    --------
    >>> plain_raster(xr.DataArray([[[1.0, 2.0]]], dims=("time", "y", "x"))).shape
    (1, 2)
    """
    longer = [d for d in raster.dims if d not in ("y", "x") and raster.sizes[d] != 1]
    if longer or not {"y", "x"} <= set(raster.dims):
        message = (
            f"Raster '{raster.name}' has the dims {dict(raster.sizes)}. A map panel "
            "shows one field with the dims y, x: select one of the others first."
        )
        raise InputError(message)
    others = [d for d in raster.dims if d not in ("y", "x")]
    return raster.squeeze(others, drop=True).transpose("y", "x")


def drawable(plane: xr.DataArray, *, most_cells: int) -> tuple[FloatArray, Grid]:
    """Return a raster in block means that are not finer than a picture can show.

    Parameters
    ----------
    plane : DataArray with dims y, x
        Raster with a CRS.
    most_cells : int
        Largest number of rows or columns to draw.

    Returns
    -------
    values : array, shape (rows, columns)
        The values, or means of the known values of square blocks.
    grid : Grid
        Their grid; blocks at the southern and eastern edge may reach beyond it.

    Examples
    --------
    >>> fine = Grid.from_bounds((0, 0, 3, 2), 1, "EPSG:4326")
    >>> raster = fine.raster([[1.0, 3.0, 7.0], [1.0, 3.0, 9.0]])
    >>> values, grid = drawable(raster, most_cells=2)
    >>> values.tolist(), grid.bounds
    ([[2.0, 8.0]], (0.0, 0.0, 4.0, 2.0))
    """
    grid = Grid.of(plane)
    values = plane.to_numpy().astype(float)
    step = -(-max(values.shape) // most_cells)
    if step <= 1:
        return values, grid
    padding = [(0, -size % step) for size in values.shape]
    padded = np.pad(values, padding, constant_values=np.nan)
    rows, columns = (size // step for size in padded.shape)
    blocks = padded.reshape(rows, step, columns, step)
    known = np.isfinite(blocks).sum(axis=(1, 3))
    total = np.nansum(blocks, axis=(1, 3))
    means = np.full(known.shape, np.nan)
    np.divide(total, known, out=means, where=known > 0)
    coarse = Grid(grid.crs, grid.transform * Affine.scale(step), (rows, columns))
    return means, coarse


def finite_points(
    rasters: Sequence[xr.DataArray],
    projection: Any,  # noqa: ANN401  cartopy has no types
) -> FloatArray:
    """Return where on the map the cells with a value lie.

    Parameters
    ----------
    rasters : sequence of DataArray with dims y, x
        Rasters with a CRS.
    projection : cartopy.crs.Projection
        Projection of the map.

    Returns
    -------
    points : array, shape (n, 2)
        Corners of the cells that have a value in any raster [m].

    Examples
    --------
    >>> import cartopy.crs
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> raster = grid.raster([[1.0, float("nan")]])
    >>> finite_points([raster], cartopy.crs.Mercator()).shape
    (4, 2)
    """
    found = []
    for raster in rasters:
        plane = plain_raster(raster)
        x, y = cell_corners(Grid.of(plane), projection)
        full = np.isfinite(plane.to_numpy())
        touched = np.zeros(x.shape, dtype=bool)
        for rows in (slice(None, -1), slice(1, None)):
            for columns in (slice(None, -1), slice(1, None)):
                touched[rows, columns] |= full
        found.append(np.column_stack([x[touched], y[touched]]))
    return np.concatenate(found) if found else np.empty((0, 2))


def projection_for(bounds: Extent) -> Any:  # noqa: ANN401  cartopy has no types
    """Return the equal-area projection for a region.

    Parameters
    ----------
    bounds : tuple = (W, S, E, N)
        Region [degree].

    Returns
    -------
    projection : cartopy.crs.Projection
        Albers with the parallels 25 and 47 and the meridian 96 over China's west
        (the region's whole central degree elsewhere in China), Lambert's azimuthal
        projection about the region's centre outside of China.

    Examples
    --------
    >>> projection_for((89.4, 31.55, 102.3, 36.3)).proj4_params["lat_1"]
    25
    >>> projection_for((-70.0, -30.0, -68.0, -27.0)).proj4_params["lat_0"]
    -28.5
    """
    west, south, east, north = bounds
    middle = (west + east) / 2.0, (south + north) / 2.0
    if (
        CHINA[0] <= west
        and east <= CHINA[1]
        and CHINA[2] <= south
        and north <= CHINA[3]
    ):
        return ccrs.AlbersEqualArea(
            central_longitude=round(middle[0]), standard_parallels=(25, 47)
        )
    return ccrs.LambertAzimuthalEqualArea(*middle)


def lonlat_bounds(
    bounds: Extent,
    crs: Any,  # noqa: ANN401  pyproj takes anything here
) -> Extent:
    """Return bounds of any coordinate reference system in degrees.

    Parameters
    ----------
    bounds : tuple = (W, S, E, N)
        Bounds in units of the CRS.
    crs : CRS or what makes one
        Their coordinate reference system.

    Returns
    -------
    bounds : tuple = (W, S, E, N)
        The box in longitude and latitude that holds them [degree].

    Examples
    --------
    >>> lonlat_bounds((0.0, 0.0, 1.0, 2.0), "EPSG:4326")
    (0.0, 0.0, 1.0, 2.0)
    """
    degrees = transformer(crs, "EPSG:4326")
    west, south, east, north = degrees.transform_bounds(*bounds)
    return float(west), float(south), float(east), float(north)


def map_extent(
    points: FloatArray,
    frame: gpd.GeoDataFrame | None,
    projection: Any,  # noqa: ANN401  cartopy has no types
) -> Extent:
    """Return the frame that holds the region, or the data where there is none.

    Parameters
    ----------
    points : array, shape (n, 2)
        Places with data in map coordinates [m].
    frame : GeoDataFrame or None
        Polygons to hold; without them the points are held.
    projection : cartopy.crs.Projection
        Projection of the map.

    Returns
    -------
    extent : tuple = (left, right, bottom, top)
        Frame in map coordinates, 2.5 % wider than what it holds [m].

    Raises
    ------
    InputError
        If there is neither a region nor a cell with a value.

    Examples
    --------
    >>> corners = np.array([[0.0, 0.0], [100.0, 40.0]])
    >>> map_extent(corners, None, projection_for((90.0, 30.0, 100.0, 36.0)))
    (-2.5, 102.5, -2.5, 42.5)
    """
    if frame is not None and not frame.empty:
        left, bottom, right, top = frame.to_crs(projection).total_bounds
    elif len(points):
        (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    else:
        message = (
            "Nothing to map: no raster has a value, and no region is given. Check "
            "that the rasters overlap the region."
        )
        raise InputError(message)
    margin = 0.025 * max(right - left, top - bottom)
    return (
        float(left - margin),
        float(right + margin),
        float(bottom - margin),
        float(top + margin),
    )


def panel_width(axes: Axes) -> float:
    """Return the width of a panel on paper.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.

    Returns
    -------
    width : float
        Width [inch].

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> panel = Figure(figsize=(8.0, 4.0)).add_axes((0.0, 0.0, 0.5, 1.0))
    >>> panel_width(panel)
    4.0
    """
    return panel_size(axes)[0]


def panel_size(axes: Axes) -> tuple[float, float]:
    """Return the width and the height of a panel on paper.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        The panel.

    Returns
    -------
    size : tuple = (width, height)
        Size [inch].

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> panel = Figure(figsize=(8.0, 4.0)).add_axes((0.0, 0.0, 0.5, 0.5))
    >>> panel_size(panel)
    (4.0, 2.0)
    """
    figure = axes.get_figure(root=True)
    inches = figure.get_size_inches() if figure is not None else (0.0, 0.0)
    box = axes.get_position(original=True)
    return float(box.width * inches[0]), float(box.height * inches[1])
