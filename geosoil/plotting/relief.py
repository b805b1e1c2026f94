"""The ground in relief: elevation in greys or colours under the light of a hill."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, LightSource, Normalize

from geosoil.plotting.projection import (
    FloatArray,
    cell_corners,
    drawable,
    map_projection,
    plain_raster,
)
from geosoil.plotting.style import MISSING
from geosoil.strata import ELEVATION_EDGES

BAND_GREYS = (1.0, 0.96, 0.91, 0.85, 0.78, 0.69)
"""Grey of the ground below, between and above the edges of the elevation bands."""

MOST_CELLS = 400
"""Rows or columns beyond which a relief is drawn coarser."""


def draw_terrain(axes: Axes, elevation: xr.DataArray) -> Axes:
    """Draw elevation bands in grey, with the shading of the relief.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    elevation : DataArray with dims y, x
        Elevation [m], CRS set; rasters of many cells are drawn coarser.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.plotting.projection import projection_for
    >>> from matplotlib.figure import Figure
    >>> projection = projection_for((90.0, 31.0, 102.0, 36.0))
    >>> panel = Figure().add_subplot(projection=projection)
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> panel = draw_terrain(panel, grid.raster(np.full(grid.shape, 4200.0)))
    >>> len(panel.collections)
    1
    """
    values, x, y = _corners(axes, elevation)
    known = np.isfinite(values)
    filled, light = _light(values, x, y)
    bands = np.searchsorted(ELEVATION_EDGES, filled, side="right")
    grey = np.asarray(BAND_GREYS)[bands] * light
    shown = np.where(known, np.clip(grey, 0.0, 1.0), np.nan)
    axes.pcolormesh(
        x,
        y,
        np.ma.masked_invalid(shown),
        cmap="gray",
        vmin=0.0,
        vmax=1.0,
        shading="flat",
        rasterized=True,
        zorder=1,
    )
    return axes


def draw_relief(
    axes: Axes,
    elevation: xr.DataArray,
    *,
    colours: Colormap,
    limits: tuple[float, float],
) -> Axes:
    """Draw elevation in colours, with the shading of the relief.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    elevation : DataArray with dims y, x
        Elevation [m], CRS set; rasters of many cells are drawn coarser.
    colours : matplotlib.colors.Colormap
        Colours of the ground in even light.
    limits : tuple = (smallest, largest)
        Ends of the colour scale [m].

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.plotting.projection import projection_for
    >>> from geosoil.plotting.scales import colour_map
    >>> from matplotlib.figure import Figure
    >>> projection = projection_for((90.0, 31.0, 102.0, 36.0))
    >>> panel = Figure().add_subplot(projection=projection)
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> ground = grid.raster(np.full(grid.shape, 4200.0))
    >>> panel = draw_relief(
    ...     panel, ground, colours=colour_map("batlow"), limits=(3000.0, 5000.0)
    ... )
    >>> panel.collections[0].get_array().shape
    (5, 12, 4)
    """
    values, x, y = _corners(axes, elevation)
    filled, light = _light(values, x, y)
    lit = np.array(colours(Normalize(*limits, clip=True)(filled)))
    lit[..., :3] = np.clip(lit[..., :3] * light[..., None], 0.0, 1.0)
    lit[~np.isfinite(values)] = (*[int(MISSING[1:3], 16) / 255.0] * 3, 1.0)
    axes.pcolormesh(x, y, lit, shading="flat", rasterized=True, zorder=1)
    return axes


def _corners(
    axes: Axes, elevation: xr.DataArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return elevations that are not too fine, and the corners of their cells."""
    values, grid = drawable(plain_raster(elevation), most_cells=MOST_CELLS)
    return values, *cell_corners(grid, map_projection(axes))


def _light(
    values: FloatArray, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return elevations without gaps, and the light on each cell, about 1."""
    known = np.isfinite(values)
    filled = np.where(known, values, np.mean(values[known]) if known.any() else 0.0)
    width = float(np.hypot(np.diff(x, axis=1), np.diff(y, axis=1)).mean())
    height = float(np.hypot(np.diff(x, axis=0), np.diff(y, axis=0)).mean())
    shade = LightSource(315, 45).hillshade(filled, vert_exag=12, dx=width, dy=height)
    return filled, 0.7 + 0.42 * shade
