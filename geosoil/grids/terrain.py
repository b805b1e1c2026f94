"""Terrain from elevation: slope and aspect in true metres."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import CRS, Proj

from geosoil.errors import InputError
from geosoil.grids._kernels_terrain import horn_gradient, slope_and_aspect
from geosoil.grids.align import north_up
from geosoil.grids.grid import Grid
from geosoil.variables import variable

Geometry = Literal["map", "ellipsoid"]
GEOMETRIES: tuple[Geometry, ...] = ("map", "ellipsoid")
FloatArray = npt.NDArray[np.float64]


def slope_aspect(elevation: xr.DataArray, *, geometry: Geometry = "map") -> xr.Dataset:
    r"""Compute slope and aspect of a digital elevation model.

    Parameters
    ----------
    elevation : DataArray with dims y, x
        Elevation [m], CRS set. On longitude and latitude the size of a cell in metres
        follows from its latitude.
    geometry : {"map", "ellipsoid"}
        On a projected grid, "map" measures in the plane of the map and counts aspect
        from the map's top; "ellipsoid" takes out the map's scale and the convergence
        of its meridians, so that aspect counts from true north (the two differ by up
        to 9 degrees in an Albers map of China). On longitude and latitude both are
        the ellipsoid.

    Returns
    -------
    terrain : Dataset with dims y, x
        ``slope`` [degree] and ``aspect`` [degree, clockwise from north, the
        direction a drop of water runs]. Both are NaN in the outermost cells and
        beside missing elevation; aspect is NaN on flat ground.

    Raises
    ------
    InputError
        If the raster is not two-dimensional (y, x) or smaller than 3 x 3, or the
        geometry is unknown.
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
    if geometry not in GEOMETRIES:
        message = (
            f"Unknown geometry '{geometry}'. Give one of: {', '.join(GEOMETRIES)}."
        )
        raise InputError(message)
    eastward, northward, grid = gradient(elevation)
    if geometry == "ellipsoid" and not grid.crs.is_geographic:
        eastward, northward = _on_ellipsoid(eastward, northward, grid)
    slope, aspect = slope_and_aspect(eastward, northward)
    return xr.Dataset(
        {
            "slope": _labelled(slope, "slope", grid),
            "aspect": _labelled(aspect, "aspect", grid),
        }
    )


def gradient(elevation: xr.DataArray) -> tuple[FloatArray, FloatArray, Grid]:
    """Compute the eastward and northward gradient of elevation.

    Parameters
    ----------
    elevation : DataArray with dims y, x
        Elevation [m], CRS set; NaN, and the ``attrs["nodata"]`` of integers, missing.

    Returns
    -------
    eastward, northward : array, shape (rows, columns)
        Gradient by Horn's differences [m/m], rows north to south; NaN in the
        outermost cells and beside missing elevation.
    grid : Grid
        Where the rows and columns lie.

    Raises
    ------
    InputError
        If the raster is not two-dimensional (y, x) or smaller than 3 x 3.
    MissingCRSError
        If the raster has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 300, 300), 100, "EPSG:32647")
    >>> plane = grid.raster(np.array([[0.0, 5.0, 10.0]] * 3))
    >>> float(gradient(plane)[0][1, 1])
    0.05
    """
    if elevation.dims != ("y", "x") or min(elevation.shape) < 3:
        message = (
            f"Invalid elevation with dims {elevation.dims} and shape "
            f"{elevation.shape}. Give one raster (y, x) of at least 3 x 3 cells."
        )
        raise InputError(message)
    placed = north_up(elevation)
    grid = Grid.of(placed)
    width, height = cell_size(grid)
    values = np.asarray(placed.values, dtype=np.float64)
    nodata = elevation.attrs.get("nodata")
    if nodata is not None and elevation.dtype.kind in "iu":
        values = np.where(values == nodata, np.nan, values)
    eastward, northward = horn_gradient(
        values, width[:, np.newaxis], height[:, np.newaxis]
    )
    return eastward, northward, grid


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
    along_parallel, along_meridian = _radii(np.radians(grid.y), grid.crs)
    return np.radians(step_x) * along_parallel, np.radians(step_y) * along_meridian


def _radii(latitude: FloatArray, crs: CRS) -> tuple[FloatArray, FloatArray]:
    """Return metres a radian of longitude and of latitude, at latitudes [radian]."""
    ellipsoid = crs.ellipsoid
    flattening = (
        0.0
        if ellipsoid is None or not ellipsoid.inverse_flattening
        else 1.0 / ellipsoid.inverse_flattening
    )
    eccentricity = flattening * (2.0 - flattening)
    squeeze = 1.0 - eccentricity * np.sin(latitude) ** 2
    major = _semi_major(crs)
    along_parallel = major * np.cos(latitude) / np.sqrt(squeeze)
    return along_parallel, major * (1.0 - eccentricity) / squeeze**1.5


def _semi_major(crs: CRS) -> float:
    """Return the semi-major axis of a CRS's ellipsoid, else that of WGS84 [m]."""
    ellipsoid = crs.ellipsoid
    return 6378137.0 if ellipsoid is None else float(ellipsoid.semi_major_metre)


def _on_ellipsoid(
    eastward: FloatArray, northward: FloatArray, grid: Grid
) -> tuple[FloatArray, FloatArray]:
    """Turn a gradient along the axes of a map into one along east and north.

    By the chain rule with the derivatives of the map's x and y by longitude and
    latitude, and the metres that a radian of these measures.
    """
    place = Proj(grid.crs)
    longitude, latitude = place(*np.meshgrid(grid.x, grid.y), inverse=True)
    factors = place.get_factors(longitude, latitude)
    # The derivatives are those of a globe whose semi-major axis measures 1.
    parallel, meridian = _radii(np.radians(latitude), grid.crs)
    major = _semi_major(grid.crs)
    east = eastward * factors.dx_dlam + northward * factors.dy_dlam
    north = eastward * factors.dx_dphi + northward * factors.dy_dphi
    return east * major / parallel, north * major / meridian


def _labelled(values: FloatArray, name: str, grid: Grid) -> xr.DataArray:
    """Label an array with its name, unit and place."""
    entry = variable(name)
    attrs = {"units": entry.units, "long_name": entry.long_name}
    return grid.raster(values, name=name).assign_attrs(attrs)
