"""Classes at points: by point in polygon, or from a raster of class codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import xarray as xr
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.grids.coverage import Shapes, check_polygons
from geosoil.grids.footprints import (
    BLOCK,
    check_footprint,
    check_method,
    footprints,
    gather,
)
from geosoil.grids.grid import BoolArray, FloatArray, Grid, IntArray
from geosoil.grids.point_cells import cell_columns, coordinate_precision
from geosoil.grids.points import point_coordinates, raster_variables

ClassMethod = Literal["nearest", "mode"]
CLASS_METHODS: tuple[ClassMethod, ...] = ("nearest", "mode")
TOUCH = 1e-11
"""Distance to a border, as part of the largest coordinate, that counts as on it."""


def classes_at_points(
    polygons: gpd.GeoDataFrame,
    column: str,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
) -> pd.DataFrame:
    """Read the class of the polygon that contains each point.

    Parameters
    ----------
    polygons : GeoDataFrame
        Polygons with a CRS.
    column : str
        Column of the classes.
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS; they are brought to that of the polygons, whose edges so
        stay as they are.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the points
        The column of the classes, missing where there is none; ``on_edge``: the point
        lies on a border; ``n_polygons`` that hold it; ``reason``: "" where fine,
        "outside" all polygons, "no position" for an empty geometry, "no class" where
        the polygon has none, or "overlap: " and the classes where polygons of several
        hold the point.

    Raises
    ------
    MissingCRSError
        If the polygons or the points have no CRS.
    InputError
        If the column is absent, there are no polygons, some are no polygons or cross
        themselves, or a geometry is no point.

    Notes
    -----
    As a cell owns its western and northern edge, a point on a border belongs to the
    polygon at its south-eastern side; where there is none, as on the outer border of a
    layer, to the polygon that it touches.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> soils = gpd.GeoDataFrame({"soil": ["felty", "frozen"]}, crs="EPSG:4326",
    ...                          geometry=[box(95, 33, 96, 34), box(96, 33, 97, 34)])
    >>> sites = gpd.GeoSeries.from_xy([95.5, 96.0], [33.5, 33.5], crs="EPSG:4326")
    >>> classes_at_points(soils, "soil", sites)[["soil", "on_edge"]].values.tolist()
    [['felty', False], ['frozen', True]]
    """
    if column not in polygons.columns or column == polygons.geometry.name:
        names = [
            str(name) for name in polygons.columns if name != polygons.geometry.name
        ]
        message = (
            f"The polygons have no column '{column}'. Columns present: "
            f"{', '.join(names) or 'none'}."
        )
        raise InputError(message)
    shapes = check_polygons(polygons)
    x, y = point_coordinates(points, CRS.from_user_input(polygons.crs))
    placed = np.isfinite(x) & np.isfinite(y)
    places = np.full(len(x), None, dtype=object)
    places[placed] = shapely.points(x[placed], y[placed])
    pairs, on_edge = _owners(shapes, places)
    classes = polygons[column].reset_index(drop=True)
    chosen, reason = _decided(classes, pairs, len(x))
    return pd.DataFrame(
        {
            column: chosen.array,
            "on_edge": on_edge,
            "n_polygons": np.bincount(pairs[0], minlength=len(x)),
            "reason": np.where(placed, reason, "no position").astype(object),
        },
        index=points.index,
    )


def _owners(
    shapes: Shapes, places: npt.NDArray[np.object_]
) -> tuple[tuple[IntArray, IntArray], BoolArray]:
    """Return pairs of point and polygon that owns it, and which points touch a border.

    A point near a border is judged a little to the south-east of itself.
    """
    extent = shapely.total_bounds(shapes)
    touch = TOUCH * float(np.nanmax(np.abs(np.append(extent, 1.0))))
    tree = shapely.STRtree(shapes)
    point, polygon = tree.query(places, predicate="dwithin", distance=touch)
    outlines = shapely.boundary(shapes)
    shapely.prepare(outlines)
    near = shapely.dwithin(outlines[polygon], places[point], touch)
    # not along the diagonal, which the edges of cells turned by 45 degrees follow
    moved = shapely.points(
        shapely.get_x(places[point[near]]) + 4 * touch,
        shapely.get_y(places[point[near]]) - 3 * touch,
    )
    owned = np.ones(len(point), dtype=bool)
    owned[near] = shapely.intersects(shapes[polygon[near]], moved)
    on_edge, has_owner = np.zeros((2, len(places)), dtype=bool)
    on_edge[point[near]] = True
    has_owner[point[owned]] = True
    owned |= ~has_owner[point]
    return (point[owned], polygon[owned]), on_edge


def _decided(
    classes: pd.Series, pairs: tuple[IntArray, IntArray], n: int
) -> tuple[pd.Series, npt.NDArray[np.object_]]:
    """Return the one class of each point, and why there is none."""
    point, polygon = pairs
    reason = np.full(n, "outside", dtype=object)
    reason[point] = "no class"
    table = pd.DataFrame({"point": point, "polygon": polygon})
    table["class"] = classes.take(polygon).array
    table = table.dropna(subset="class").drop_duplicates(["point", "class"])
    several = table["point"].duplicated(keep=False)
    one = table[~several]
    owner = np.full(n, -1)
    owner[one["point"]] = one["polygon"]
    reason[one["point"]] = ""
    for _, group in table[several].groupby("point"):
        names = ", ".join(sorted(str(name) for name in group["class"]))
        reason[group["point"]] = f"overlap: {names}"
    return classes.reindex(owner), reason


def class_raster_at_points(
    codes: xr.DataArray,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    labels: Mapping[int, str] | None = None,
    method: ClassMethod = "nearest",
    footprint: int = 3,
) -> pd.DataFrame:
    """Read the class of a raster at each point.

    Parameters
    ----------
    codes : DataArray with dims (y, x)
        Raster of class codes with a CRS: integers whose ``attrs["nodata"]`` is missing,
        or whole numbers as floats with NaN.
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS; they are brought to the raster's.
    labels : mapping, optional
        Label of each code; without it the codes themselves are given.
    method : {"nearest", "mode"}
        The class of the cell that contains the point, or the most frequent one of the
        k x k cells around it; of several the class of the middle cell, else the
        smallest code.
    footprint : int
        k of "mode": an odd number of cells.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the points
        A column called as the raster ("class" without a name), missing where there is
        no class; ``agreement``: share of the cells with a class that have this one;
        ``row``, ``column``, ``on_edge``, ``distance`` and ``coordinate_precision`` as
        of :func:`geosoil.grids.points.values_at_points`; ``reason``: "" where fine,
        "outside", "no position", "no data" or "tie" of several classes.

    Raises
    ------
    MissingCRSError
        If the raster or the points have no CRS.
    InputError
        If the raster holds fractions or other dims, a code is not among the labels, or
        the method or footprint is invalid.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:4326")
    >>> frozen = grid.raster([[1, 2, 2]], name="permafrost")
    >>> site = gpd.GeoSeries.from_xy([0.5], [0.5], crs="EPSG:4326")
    >>> kinds = {1: "permafrost", 2: "seasonally frozen"}
    >>> class_raster_at_points(frozen, site, labels=kinds)["permafrost"].tolist()
    ['permafrost']
    """
    check_method(method, CLASS_METHODS)
    check_footprint(footprint)
    name = str(codes.name or "class")
    if set(codes.dims) != {"y", "x"}:
        message = f"Classes '{name}' have dims {codes.dims}. Give (y, x)."
        raise InputError(message)
    raster = raster_variables(codes.rename(name))[name]
    grid = Grid.of(raster)
    x, y = point_coordinates(points, grid.crs)
    side = footprint if method == "mode" else 1
    feet = footprints(grid, x, y, method="footprint", footprint=side)
    values = np.full((3, len(x)), np.nan)
    step = max(BLOCK // side**2, 1)
    for first in range(0, len(x), step):
        part = slice(first, first + step)
        cells = gather(raster, feet.rows[part], feet.columns[part])[0]
        values[:, part] = _mode(np.where(feet.shares[part] > 0, cells, np.nan))
    mode, agreement, tie = values
    _check_codes(name, mode, labels)
    place = cell_columns(grid, x, y)
    cases = {
        "no position": ~(np.isfinite(x) & np.isfinite(y)),
        "outside": feet.within == 0,
        "no data": np.isnan(mode),
        "tie": tie > 0,
    }
    reason = np.select(list(cases.values()), list(cases), default="")
    table = {
        name: _labelled(mode, labels).array,
        "agreement": agreement,
        **place,
        "coordinate_precision": coordinate_precision(points),
        "reason": reason.astype(object),
    }
    return pd.DataFrame(table, index=points.index)


def _mode(cells: FloatArray) -> FloatArray:
    """Return the most frequent code of (n, cells), its share, and whether it ties."""
    n = len(cells)
    middle = cells[:, cells.shape[1] // 2]
    best, code, ties = np.zeros(n), np.full(n, np.nan), np.zeros(n)
    for value in np.unique(cells[np.isfinite(cells)]):
        count = (cells == value).sum(axis=1).astype(float)
        equal = (count == best) & (count > 0)
        ahead = (count > best) | (equal & (middle == value))
        ties = np.where(count > best, 0.0, np.where(equal, 1.0, ties))
        code, best = np.where(ahead, value, code), np.maximum(best, count)
    known = np.isfinite(cells).sum(axis=1)
    share = best / np.where(known > 0, known, np.nan)
    return np.stack([code, share, ties])


def _check_codes(
    name: str, codes: FloatArray, labels: Mapping[int, str] | None
) -> None:
    """Raise on fractions and on codes without a label."""
    found = np.unique(codes[np.isfinite(codes)])
    broken = found[found != np.round(found)]
    if broken.size:
        message = (
            f"Raster '{name}' holds quantities (for instance {broken[0]:g}), not codes "
            "of classes. Use values_at_points."
        )
        raise InputError(message)
    if labels is None:
        return
    unknown = [int(code) for code in found if int(code) not in labels]
    if unknown:
        message = (
            f"Raster '{name}' has class codes that are not in the table: "
            f"{', '.join(str(code) for code in unknown[:8])}. Codes in the table: "
            f"{', '.join(str(code) for code in sorted(labels)[:20])}. Add them, or "
            "declare the code of missing cells as nodata."
        )
        raise InputError(message)


def _labelled(codes: FloatArray, labels: Mapping[int, str] | None) -> pd.Series:
    """Return codes, or their labels, missing where there is no class."""
    series = pd.Series(codes)
    if labels is None:
        return series
    known = {float(code): label for code, label in labels.items()}
    named: pd.Series = series.map(known)
    return named.astype(object).where(series.notna(), None)
