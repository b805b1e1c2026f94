"""The cell of a point: which, how far from its centre, and how sure it is."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely

from geosoil.grids.grid import FloatArray, Grid, IntArray

DECIMALS = 8
"""Decimals beyond which the precision of a coordinate is not looked for."""


def cell_columns(
    grid: Grid, x: FloatArray, y: FloatArray
) -> dict[str, npt.NDArray[np.generic]]:
    r"""Return the cell of each point as columns of a table.

    Parameters
    ----------
    grid : Grid
        A grid.
    x, y : array, shape (n,)
        Points in its CRS.

    Returns
    -------
    columns : dict of arrays, shape (n,)
        ``row`` and ``column`` of the cell that contains the point, -1 outside;
        ``on_edge``, on an edge between cells; ``distance`` to the centre of the cell
        [km], NaN outside.

    Notes
    -----
    Over the distances within a cell the ellipsoid is flat: with the differences
    :math:`\Delta\lambda`, :math:`\Delta\varphi` from the centre at latitude
    :math:`\varphi`,

    .. math:: d^2 = (N \cos\varphi\,\Delta\lambda)^2 + (M \Delta\varphi)^2,
              \quad N = \frac{a}{\sqrt{1 - e^2\sin^2\varphi}},
              \quad M = \frac{N^3 (1 - e^2)}{a^2}

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> cell_columns(grid, np.array([0.5]), np.array([0.9]))["column"].tolist()
    [1]
    """
    rows, columns, on_edge = grid.cells(x, y)
    distance = _distance_to_centre(grid, (x, y), (rows, columns))
    return {"row": rows, "column": columns, "on_edge": on_edge, "distance": distance}


def coordinate_precision(points: gpd.GeoDataFrame | gpd.GeoSeries) -> FloatArray:
    """Return the last decimal place that the coordinates of each point use.

    Parameters
    ----------
    points : GeoDataFrame or GeoSeries of Points, length n
        Points, in the CRS in which their coordinates were written.

    Returns
    -------
    precision : array, shape (n,)
        1, 0.1, ... in units of the CRS; NaN without a position. 1e-8 stands for
        coordinates that were computed, as after a change of CRS.

    Notes
    -----
    A last zero is not seen: 89.50 counts as 0.1. The finer of x and y counts.

    Examples
    --------
    >>> sites = gpd.GeoSeries.from_xy([89.5, 95.0], [33.25, 34.0], crs="EPSG:4326")
    >>> coordinate_precision(sites).tolist()
    [0.01, 1.0]
    """
    shapes = np.asarray(points.geometry.array, dtype=object)
    lost = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    pair = np.zeros((2, len(shapes)))
    pair[:, ~lost] = shapely.get_x(shapes[~lost]), shapely.get_y(shapes[~lost])
    lost |= ~np.isfinite(pair).all(axis=0)
    pair[:, lost] = 0.0
    precision = np.full(len(shapes), 10.0**-DECIMALS)
    for decimals in reversed(range(DECIMALS)):
        scaled = pair * 10.0**decimals
        error = np.abs(scaled - np.rint(scaled))
        whole = (error <= 4 * np.spacing(np.abs(scaled))).all(axis=0)
        precision[whole] = 10.0**-decimals
    return np.where(lost, np.nan, precision)


def _distance_to_centre(
    grid: Grid, points: tuple[FloatArray, FloatArray], cells: tuple[IntArray, IntArray]
) -> FloatArray:
    """Return the distance from points to the centres of their cells [km]."""
    (x, y), (rows, columns) = points, cells
    inside = rows >= 0
    east = np.where(inside, x - grid.x[columns], np.nan)
    north = np.where(inside, y - grid.y[rows], np.nan)
    axes = grid.crs.axis_info
    unit = float(axes[0].unit_conversion_factor) if axes else 1.0
    if not grid.crs.is_geographic:
        flat: FloatArray = np.hypot(east, north) * unit / 1000
        return flat
    ellipsoid = grid.crs.ellipsoid
    a = 6378137.0 if ellipsoid is None else float(ellipsoid.semi_major_metre)
    b = a if ellipsoid is None else float(ellipsoid.semi_minor_metre)
    e2 = 1 - (b / a) ** 2
    latitude = np.where(inside, y, np.nan) * unit
    across = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    along = across**3 * (1 - e2) / a**2
    metres = np.hypot(across * np.cos(latitude) * east * unit, along * north * unit)
    distance: FloatArray = metres / 1000
    return distance
