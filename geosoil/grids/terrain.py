"""Terrain from elevation: slope and aspect in true metres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids._kernels_terrain import horn_gradient, slope_and_aspect
from geosoil.grids.grid import Grid
from geosoil.variables import variable

FloatArray = npt.NDArray[np.float64]


def slope_aspect(elevation: xr.DataArray) -> xr.Dataset:
    r"""Compute slope and aspect of a digital elevation model.

    Parameters
    ----------
    elevation : DataArray with dims y, x
        Elevation [m], y north to south, CRS set. On longitude and latitude the
        size of a cell in metres follows from its latitude.

    Returns
    -------
    terrain : Dataset with dims y, x
        ``slope`` [degree] and ``aspect`` [degree, clockwise from north, the
        direction a drop of water runs]. Both are NaN in the outermost cells and
        beside missing elevation; aspect is NaN on flat ground.

    Raises
    ------
    InputError
        If the raster is not two-dimensional (y, x) or smaller than 3 x 3.
    MissingCRSError
        If the raster has no CRS.

    Notes
    -----
    With the elevations a ... i of a 3 x 3 neighbourhood, a in the north-west,

    .. math:: p = \frac{(c + 2f + i) - (a + 2d + g)}{8\,\Delta x},\quad
              q = \frac{(a + 2b + c) - (g + 2h + i)}{8\,\Delta y}

    slope is :math:`\arctan\sqrt{p^2 + q^2}` and aspect
    :math:`\operatorname{atan2}(-p, -q)`.

    References
    ----------
    Horn, B. K. P. (1981). Hill shading and the reflectance map. Proceedings of the
    IEEE 69(1), 14-47. doi:10.1109/PROC.1981.11918

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 300, 300), 100, "EPSG:32647")
    >>> plane = grid.raster(np.array([[300.0, 300, 300], [200] * 3, [100] * 3]))
    >>> terrain = slope_aspect(plane)
    >>> float(terrain.slope[1, 1]), float(terrain.aspect[1, 1])
    (45.0, 180.0)
    """
    if elevation.dims != ("y", "x") or min(elevation.shape) < 3:
        message = (
            f"Invalid elevation with dims {elevation.dims} and shape "
            f"{elevation.shape}. Give one raster (y, x) of at least 3 x 3 cells."
        )
        raise InputError(message)
    grid = Grid.of(elevation)
    width, height = cell_size(grid)
    values = np.asarray(elevation.values, dtype=np.float64)
    slope, aspect = slope_and_aspect(
        *horn_gradient(values, width[:, np.newaxis], height[:, np.newaxis])
    )
    return xr.Dataset(
        {
            "slope": _labelled(slope, "slope", grid),
            "aspect": _labelled(aspect, "aspect", grid),
        }
    )


def cell_size(grid: Grid) -> tuple[FloatArray, FloatArray]:
    """Return the width and height of the cells of each row.

    Parameters
    ----------
    grid : Grid
        Grid in degrees or in a projected CRS.

    Returns
    -------
    width, height : array, shape (rows,)
        Size through the cell's centre [m]; on longitude and latitude along the
        parallel and the meridian of the CRS's ellipsoid.

    Examples
    --------
    >>> width, height = cell_size(Grid.from_bounds((0, -1, 2, 1), 2, "EPSG:4326"))
    >>> float(width[0]).__round__(), float(height[0]).__round__()
    (222639, 221149)
    """
    step_x, step_y = grid.resolution
    ones = np.ones(grid.shape[0])
    if not grid.crs.is_geographic:
        metre = float(grid.crs.axis_info[0].unit_conversion_factor)
        return ones * step_x * metre, ones * step_y * metre
    ellipsoid = grid.crs.ellipsoid
    major = 6378137.0 if ellipsoid is None else ellipsoid.semi_major_metre
    flattening = (
        0.0
        if ellipsoid is None or not ellipsoid.inverse_flattening
        else 1.0 / ellipsoid.inverse_flattening
    )
    eccentricity = flattening * (2.0 - flattening)
    latitude = np.radians(grid.y)
    squeeze = 1.0 - eccentricity * np.sin(latitude) ** 2
    width = np.radians(step_x) * major * np.cos(latitude) / np.sqrt(squeeze)
    height = np.radians(step_y) * major * (1.0 - eccentricity) / squeeze**1.5
    return width, height


def _labelled(values: FloatArray, name: str, grid: Grid) -> xr.DataArray:
    """Label an array with its name, unit and place."""
    entry = variable(name)
    attrs = {"units": entry.units, "long_name": entry.long_name}
    return grid.raster(values, name=name).assign_attrs(attrs)
