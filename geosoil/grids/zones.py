"""Polygons and grids: masks, class rasters, true areas of cells."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import CRS
from rasterio.features import rasterize

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid

FloatArray = npt.NDArray[np.float64]


def polygon_mask(polygons: gpd.GeoDataFrame, grid: Grid) -> xr.DataArray:
    """Mark the cells whose centre lies in any of the polygons.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in any CRS; they are brought to the grid's.
    grid : Grid
        Grid of the mask.

    Returns
    -------
    mask : DataArray of bool with dims y, x
        True inside.

    Raises
    ------
    MissingCRSError
        If the polygons have no CRS.
    InputError
        If there are no polygons.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> square = gpd.GeoDataFrame(geometry=[box(0, 0, 2, 1)], crs="EPSG:4326")
    >>> grid = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:4326")
    >>> polygon_mask(square, grid).values.tolist()
    [[False, False], [True, True]]
    """
    burnt = _burn(polygons, np.ones(len(polygons), dtype=np.uint8), grid)
    mask = grid.raster(burnt.astype(bool), name="mask")
    return mask.assign_attrs(long_name="cell centre inside the polygons")


def rasterize_classes(
    polygons: gpd.GeoDataFrame, column_codes: str, grid: Grid
) -> xr.DataArray:
    """Burn the class codes of polygons into the cells whose centre they hold.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons in any CRS; where they overlap the later one wins.
    column_codes : str
        Column with the class codes, whole numbers from 1 to 255.
    grid : Grid
        Grid of the result.

    Returns
    -------
    classes : DataArray of uint8 with dims y, x
        Class of each cell; 0 in none, also in ``attrs["nodata"]``.

    Raises
    ------
    InputError
        If the column is absent, there are no polygons, or a code is no whole
        number from 1 to 255.
    MissingCRSError
        If the polygons have no CRS.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> squares = gpd.GeoDataFrame(
    ...     {"code": [3, 7]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)], crs=4326
    ... )
    >>> grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:4326")
    >>> rasterize_classes(squares, "code", grid).values.tolist()
    [[3, 7, 0]]
    """
    if column_codes not in polygons.columns:
        present = ", ".join(str(name) for name in polygons.columns)
        message = (
            f"The polygons have no column '{column_codes}'. Columns present: {present}."
        )
        raise InputError(message)
    codes = np.asarray(polygons[column_codes].to_numpy(dtype=float, na_value=np.nan))
    wrong = ~((codes >= 1) & (codes <= 255) & (codes == np.floor(codes)))
    if wrong.any():
        found = ", ".join(str(code) for code in np.unique(codes[wrong])[:5])
        message = (
            f"Column '{column_codes}' has {int(wrong.sum())} codes that are no whole "
            f"numbers from 1 to 255 (found {found}). Number the classes from 1."
        )
        raise InputError(message)
    burnt = _burn(polygons, codes.astype(np.uint8), grid)
    classes = grid.raster(burnt, name=column_codes)
    return classes.assign_attrs(units="1", nodata=0)


def cell_area(grid: Grid) -> xr.DataArray:
    r"""Compute the true area of every cell of a grid.

    Parameters
    ----------
    grid : Grid
        Grid in degrees, or in a projected CRS, where the area is that of the map
        plane (true only in equal-area projections).

    Returns
    -------
    area : DataArray with dims y, x
        Area [km2].

    Notes
    -----
    Between the parallels :math:`\varphi_1` and :math:`\varphi_2` the ellipsoid has,
    per radian of longitude, the area :math:`q(\varphi_2) - q(\varphi_1)` with

    .. math:: q(\varphi) = \frac{b^2}{2}\left[\frac{\sin\varphi}
              {1 - e^2\sin^2\varphi} + \frac{\operatorname{artanh}(e\sin\varphi)}
              {e}\right]

    References
    ----------
    Snyder, J. P. (1987). Map projections: a working manual. US Geological Survey
    Professional Paper 1395, eq. 3-12. doi:10.3133/pp1395

    Examples
    --------
    >>> world = Grid.from_bounds((-180, -90, 180, 90), 1, "EPSG:4326")
    >>> float(cell_area(world).sum()).__round__()
    510065622
    """
    step_x, step_y = grid.resolution
    if grid.crs.is_geographic:
        edges = grid.bounds[3] - step_y * np.arange(grid.shape[0] + 1)
        zone = _authalic(np.clip(edges, -90.0, 90.0), grid.crs)
        row = np.radians(step_x) * (zone[:-1] - zone[1:]) * 1e-6
    else:
        metre = float(grid.crs.axis_info[0].unit_conversion_factor)
        row = np.full(grid.shape[0], step_x * step_y * metre**2 * 1e-6)
    area = np.broadcast_to(row[:, np.newaxis], grid.shape).copy()
    attrs = {"units": "km2", "long_name": "cell area", "standard_name": "cell_area"}
    return grid.raster(area, name="cell_area").assign_attrs(attrs)


def _authalic(latitude: FloatArray, crs: CRS) -> FloatArray:
    """Return the area from the equator to a latitude per radian of longitude [m2]."""
    ellipsoid = crs.ellipsoid
    major = 6378137.0 if ellipsoid is None else float(ellipsoid.semi_major_metre)
    minor = major if ellipsoid is None else float(ellipsoid.semi_minor_metre)
    sine = np.sin(np.radians(latitude))
    e2 = 1.0 - (minor / major) ** 2
    if e2 < 1e-12:
        sphere: FloatArray = major**2 * sine
        return sphere
    e = np.sqrt(e2)
    bracket = sine / (1.0 - e2 * sine**2) + np.arctanh(e * sine) / e
    area: FloatArray = 0.5 * minor**2 * bracket
    return area


def placed_polygons(polygons: gpd.GeoDataFrame, grid: Grid) -> gpd.GeoSeries:
    """Bring polygons into the CRS of a grid.

    Parameters
    ----------
    polygons : GeoDataFrame
        At least one polygon, CRS set.
    grid : Grid
        Grid to come to.

    Returns
    -------
    placed : GeoSeries
        The same geometries in the grid's CRS.

    Raises
    ------
    InputError
        If there are no polygons.
    MissingCRSError
        If they have no coordinate reference system.
    """
    if len(polygons) == 0:
        message = "There are no polygons. Give at least one."
        raise InputError(message)
    if polygons.crs is None:
        message = (
            "The polygons have no coordinate reference system. Set it with "
            ".set_crs, for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    return polygons.geometry.to_crs(grid.crs)


def _burn(
    polygons: gpd.GeoDataFrame, codes: npt.NDArray[np.uint8], grid: Grid
) -> npt.NDArray[np.uint8]:
    """Rasterize polygons in the grid's CRS by the rule of cell centres."""
    placed = placed_polygons(polygons, grid)
    shapes = [
        (shape, int(code))
        for shape, code in zip(placed, codes, strict=True)
        if shape is not None and not shape.is_empty
    ]
    if not shapes:
        return np.zeros(grid.shape, dtype=np.uint8)
    burnt = rasterize(
        shapes, out_shape=grid.shape, transform=grid.transform, fill=0, dtype="uint8"
    )
    return np.asarray(burnt, dtype=np.uint8)
