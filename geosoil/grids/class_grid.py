"""Classes of polygons as classes of grid cells, by covered area or by cell centre."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import xarray as xr
from rasterio.features import rasterize

from geosoil.errors import InputError
from geosoil.grids.coverage import coverage
from geosoil.grids.grid import FloatArray, Grid, IntArray
from geosoil.grids.zones import placed_polygons

Method = Literal["largest", "centre"]
METHODS: tuple[Method, ...] = ("largest", "centre")
Overlap = Literal["error", "first", "last"]
OVERLAPS: tuple[Overlap, ...] = ("error", "first", "last")

NO_CLASS = -9999
"""Code of cells without a class."""

_SLIVER = 1e-6
"""Overlaps smaller than this share of a cell are slivers of the drawing."""
_TIE = 1e-6
"""Shares of a cell that differ by less are equal: coverage is known in float32."""
_SHOWN = 10


def classes_on_grid(
    polygons: gpd.GeoDataFrame,
    grid: Grid,
    *,
    column: str = "code",
    method: Method = "largest",
    overlap: Overlap = "error",
    min_covered: float = 0.5,
) -> xr.Dataset:
    """Give each cell of a grid the class of the polygons that cover it.

    Parameters
    ----------
    polygons : GeoDataFrame
        Valid polygons in any CRS; their corners are brought to the grid's.
    grid : Grid
        Grid of the result.
    column : str
        Column with the class codes, whole numbers.
    method : {"largest", "centre"}
        "largest" gives a cell the class that covers most of it, the smaller code
        where two cover the same; "centre" the class at the cell's centre.
    overlap : {"error", "first", "last"}
        To which polygon ground belongs that polygons of different classes share: to
        none (refused), or to the first or the last of them in the order of the rows.
    min_covered : float
        Least share of a cell, 0 to 1, that polygons of any class must cover for
        "largest" to give it a class.

    Returns
    -------
    classes : Dataset with dims y, x
        ``code`` (int32; -9999, also in its ``attrs["nodata"]``, where there is none)
        and, for "largest", ``share`` of the cell that its class covers and
        ``covered``, the share that all do. ``attrs["overlaps"]`` counts the pairs of
        polygons of different classes that overlap, ``attrs["overlap_rule"]`` says
        what was done with them.

    Raises
    ------
    InputError
        If the method or a limit is unknown, a geometry is missing, invalid or no
        polygon, a code is no whole number, or polygons of different classes overlap
        and the rule is "error"; the message names them.
    MissingCRSError
        If the polygons have no CRS.

    Notes
    -----
    Shares are exact for straight edges in the plane of the grid's CRS. Overlaps of
    less than a millionth of a cell, as drawing leaves them, are not counted.

    Examples
    --------
    >>> from shapely import box
    >>> shapes = [box(0, 0, 1.4, 1), box(1.4, 0, 2.4, 1)]
    >>> soil = gpd.GeoDataFrame({"code": [3, 7]}, geometry=shapes, crs="EPSG:4326")
    >>> grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:4326")
    >>> classes = classes_on_grid(soil, grid)
    >>> classes.code.values.tolist(), classes.share.values.round(3).tolist()
    ([[3, 7, -9999]], [[1.0, 0.6, 0.0]])
    """
    _check_choices(method, overlap, min_covered)
    codes = _codes(polygons, column)
    shapes = _shapes(polygons, grid)
    pairs = _overlapping(shapes, codes, grid)
    if len(pairs) and overlap == "error":
        _refuse_overlaps(pairs, codes, polygons.index)
    attrs = {"overlaps": len(pairs), "overlap_rule": overlap, "method": method}
    if method == "centre":
        burnt = _burn(shapes, codes, grid, overlap)
        return xr.Dataset({"code": _labelled(burnt, grid)}, attrs=attrs)
    code, share, covered = _largest(_apart(shapes, pairs, overlap), codes, grid)
    some = (covered >= min_covered - _TIE) & (share > 0)
    return xr.Dataset(
        {
            "code": _labelled(np.where(some, code, NO_CLASS), grid),
            "share": _share(np.where(some, share, 0.0), "share", grid),
            "covered": _share(covered, "covered", grid),
        },
        attrs=attrs,
    )


def values_by_class(
    codes: xr.DataArray, values: Mapping[int, float], *, name: str | None = None
) -> xr.DataArray:
    """Replace class codes by a number of each class.

    Parameters
    ----------
    codes : DataArray
        Class codes; NaN and ``attrs["nodata"]`` are missing.
    values : mapping of int to float
        Number of each class.
    name : str, optional
        Name of the result.

    Returns
    -------
    numbers : DataArray
        The number of each cell's class, NaN where the code is missing.

    Raises
    ------
    InputError
        If cells hold codes without a number; the message names them all.

    Examples
    --------
    >>> soil = xr.DataArray([[1, 2, 15]], dims=("y", "x"), attrs={"nodata": 15})
    >>> values_by_class(soil, {1: 0.9, 2: 1.1}).values.tolist()
    [[0.9, 1.1, nan]]
    """
    cells = np.asarray(codes.values, dtype=float)
    missing = ~np.isfinite(cells) | (cells == codes.attrs.get("nodata", np.nan))
    present = np.unique(cells[~missing])
    unknown = [f"{code:g}" for code in present if code not in values]
    if unknown:
        message = (
            f"The raster holds the codes {', '.join(unknown)}, which have no value. "
            f"Values are given for {', '.join(str(code) for code in sorted(values))}."
        )
        raise InputError(message)
    numbers = np.full(cells.shape, np.nan)
    if len(present):
        table = np.array([float(values[int(code)]) for code in present])
        numbers[~missing] = table[np.searchsorted(present, cells[~missing])]
    numbered = codes.copy(data=numbers).rename(name)
    numbered.attrs = {}
    return numbered


def _check_choices(method: str, overlap: str, min_covered: float) -> None:
    for name, value, choices in (
        ("method", method, METHODS),
        ("overlap rule", overlap, OVERLAPS),
    ):
        if value not in choices:
            message = f"Unknown {name} '{value}'. Give one of: {', '.join(choices)}."
            raise InputError(message)
    if not 0.0 <= min_covered <= 1.0:
        message = f"Invalid min_covered {min_covered}. Give a share from 0 to 1."
        raise InputError(message)


def _codes(polygons: gpd.GeoDataFrame, column: str) -> IntArray:
    """Return the class code of each polygon."""
    if column not in polygons.columns:
        present = ", ".join(str(name) for name in polygons.columns)
        message = f"The polygons have no column '{column}'. Columns present: {present}."
        raise InputError(message)
    numbers = pd.to_numeric(polygons[column], errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    wrong = ~(np.abs(numbers) < 2**31) | (numbers % 1 != 0) | (numbers == NO_CLASS)
    if wrong.any():
        rows = _named(polygons.index[wrong])
        message = (
            f"Column '{column}' holds {int(wrong.sum())} codes that are no whole "
            f"numbers of 32 bits or are {NO_CLASS}, which marks missing cells (polygon "
            f"{rows}). Number the classes."
        )
        raise InputError(message)
    return numbers.astype(np.int64)


def _shapes(polygons: gpd.GeoDataFrame, grid: Grid) -> npt.NDArray[np.object_]:
    """Return the polygons in the grid's CRS after a check."""
    placed = placed_polygons(polygons, grid)
    shapes = np.asarray(placed.to_numpy(), dtype=object)
    kinds = shapely.get_type_id(shapes)
    bounds = shapely.bounds(shapes)
    wrong = ~np.isin(kinds, (3, 6)) | ~shapely.is_valid(shapes)
    wrong |= ~np.isfinite(bounds).all(axis=1)
    if wrong.any():
        message = (
            f"{int(wrong.sum())} geometries are missing, empty, no polygons, invalid, "
            f"or have no place in the grid's CRS (polygon "
            f"{_named(polygons.index[wrong])}). Repair them with shapely.make_valid, "
            "or take them out."
        )
        raise InputError(message)
    return shapes


def _overlapping(
    shapes: npt.NDArray[np.object_], codes: IntArray, grid: Grid
) -> IntArray:
    """Return pairs (lower, higher row) of different class that share ground."""
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    kept = (first < second) & (codes[first] != codes[second])
    first, second = first[kept], second[kept]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    width, height = grid.resolution
    real = shared > _SLIVER * abs(width * height)
    pairs: IntArray = np.stack([first[real], second[real]], axis=1).astype(np.int64)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _refuse_overlaps(pairs: IntArray, codes: IntArray, names: pd.Index) -> None:
    shown = "; ".join(
        f"{names[i]} (class {codes[i]}) and {names[j]} (class {codes[j]})"
        for i, j in pairs[:_SHOWN]
    )
    more = f"; and {len(pairs) - _SHOWN} more pairs" if len(pairs) > _SHOWN else ""
    message = (
        f"{len(pairs)} pairs of polygons of different classes overlap: {shown}{more}. "
        "Say with overlap='first' or 'last' to which the shared ground belongs, or "
        "mend the layer."
    )
    raise InputError(message)


def _apart(
    shapes: npt.NDArray[np.object_], pairs: IntArray, overlap: Overlap
) -> npt.NDArray[np.object_]:
    """Cut from each polygon the ground that belongs to another."""
    apart = shapes.copy()
    order = (1, 0) if overlap == "first" else (0, 1)
    losers, winners = pairs[:, order[0]], pairs[:, order[1]]
    for loser in np.unique(losers):
        rivals = shapely.union_all(shapes[winners[losers == loser]])
        apart[loser] = shapely.difference(shapes[loser], rivals)
    return apart


def _largest(
    shapes: npt.NDArray[np.object_], codes: IntArray, grid: Grid
) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return each cell's largest class, its share, and the share of all classes.

    Polygons of one class are united first: ground that two of them share counts once.
    """
    present = np.unique(codes)
    united = [shapely.union_all(shapes[codes == code]) for code in present]
    found = coverage(gpd.GeoSeries(united, crs=grid.crs), grid)
    code = np.full(len(found.rows), NO_CLASS, dtype=np.int64)
    share, covered = np.zeros(len(found.rows)), np.zeros(len(found.rows))
    starts = found.matrix.indptr
    for rank, number in enumerate(present):
        part = slice(starts[rank], starts[rank + 1])
        cells, cover = found.matrix.indices[part], found.matrix.data[part]
        more = cover > share[cells] + _TIE
        code[cells[more]], share[cells[more]] = number, cover[more]
        covered[cells] += cover
    place = (found.rows, found.columns)
    results = (
        np.full(grid.shape, NO_CLASS, dtype=np.int64),
        np.zeros(grid.shape),
        np.zeros(grid.shape),
    )
    for result, values in zip(results, (code, share, covered), strict=True):
        result[place] = np.minimum(values, 1.0) if result.dtype.kind == "f" else values
    return results


def _burn(
    shapes: npt.NDArray[np.object_], codes: IntArray, grid: Grid, overlap: Overlap
) -> IntArray:
    """Return the class at the centre of each cell; the last drawn polygon holds."""
    pairs = list(zip(shapes, (int(code) for code in codes), strict=True))
    burnt = rasterize(
        pairs[::-1] if overlap == "first" else pairs,
        out_shape=grid.shape,
        transform=grid.transform,
        fill=NO_CLASS,
        dtype="int32",
    )
    return np.asarray(burnt, dtype=np.int64)


def _labelled(codes: IntArray, grid: Grid) -> xr.DataArray:
    raster = grid.raster(codes.astype(np.int32), name="code")
    return raster.assign_attrs(units="1", long_name="class code", nodata=NO_CLASS)


def _share(values: FloatArray, name: str, grid: Grid) -> xr.DataArray:
    words = {"share": "its class", "covered": "all classes"}[name]
    return grid.raster(values, name=name).assign_attrs(
        units="1", long_name=f"share of the cell that {words} cover"
    )


def _named(index: Sequence[object] | pd.Index) -> str:
    shown = ", ".join(str(name) for name in index[:_SHOWN])
    more = len(index) - _SHOWN
    return shown + (f" and {more} more" if more > 0 else "")
