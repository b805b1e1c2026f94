"""How much of each cell each polygon covers, exactly, found in one pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import csr_array

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import BoolArray, FloatArray, Grid, IntArray

Shapes = npt.NDArray[np.object_]

BATCH = 4_000_000
"""Cells of bounding boxes whose coverage is held at once."""
SLIVER = 1e-9
"""Shares up to this come from the rounding of edges that coincide, and are dropped."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """Cells that polygons cover, as a sparse matrix of polygons x cells.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> half = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1.5, 1)], crs="EPSG:4326")
    >>> found = coverage(half, grid)
    >>> found.columns.tolist(), found.matrix.toarray().tolist(), found.outside.tolist()
    ([0, 1], [[1.0, 0.5]], [0.0])
    """

    matrix: csr_array
    """Covered share of each cell, shape (polygons, cells that are covered at all)."""
    rows: IntArray
    """Row of each of those cells on the grid."""
    columns: IntArray
    """Column of each of those cells on the grid."""
    outside: FloatArray
    """Part of each polygon that lies beyond the grid, 0 to 1; NaN without area."""


def coverage(polygons: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> Coverage:
    """Compute the exact share of each cell that each polygon covers.

    Parameters
    ----------
    polygons : GeoDataFrame or GeoSeries, length n
        Polygons with a CRS; their vertices are brought to the grid's, and edges are
        straight there. They may overlap; empty ones cover nothing.
    grid : Grid
        Grid of the cells.

    Returns
    -------
    coverage : Coverage
        The shares, in the order of the polygons.

    Raises
    ------
    MissingCRSError
        If the polygons have no CRS.
    InputError
        If there are none, or some are no polygons, invalid or lost in the grid's CRS.

    References
    ----------
    Baston, D. exactextract: fast and accurate raster zonal statistics.
    https://github.com/isciences/exactextract

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326")
    >>> corner = shapely.Polygon([(0, 0), (1, 0), (0, 1)])
    >>> triangle = gpd.GeoSeries([corner], crs="EPSG:4326")
    >>> coverage(triangle, grid).matrix.toarray().tolist()
    [[0.5]]
    """
    return _matrix(_placed(polygons, grid), grid)


def coverage_batches(
    polygons: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid
) -> Iterator[tuple[slice, Coverage]]:
    """Compute coverage for some polygons after the others, to bound the memory.

    Parameters
    ----------
    polygons : GeoDataFrame or GeoSeries, length n
        As of :func:`coverage`; all are checked before the first are given.
    grid : Grid
        Grid of the cells.

    Yields
    ------
    part : slice
        Which of the polygons.
    coverage : Coverage
        Their coverage. Together the boxes around them hold at most :data:`BATCH`
        cells, or it is one polygon.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326")
    >>> squares = gpd.GeoSeries([shapely.box(0, 0, 1, 1)] * 2, crs="EPSG:4326")
    >>> [part for part, _ in coverage_batches(squares, grid)]
    [slice(0, 2, None)]
    """
    shapes = _placed(polygons, grid)
    boxes = shapely.bounds(shapes)
    west, south, east, north = grid.bounds
    across = np.minimum(boxes[:, 2], east) - np.maximum(boxes[:, 0], west)
    along = np.minimum(boxes[:, 3], north) - np.maximum(boxes[:, 1], south)
    width, height = grid.resolution
    cells = np.maximum(across / width + 2, 0) * np.maximum(along / height + 2, 0)
    total = np.cumsum(np.nan_to_num(cells))
    first = 0
    while first < len(shapes):
        begun = total[first - 1] if first else 0.0
        last = int(np.searchsorted(total, begun + BATCH, side="right"))
        part = slice(first, max(last, first + 1))
        yield part, _matrix(shapes[part], grid)
        first = part.stop


def check_polygons(polygons: gpd.GeoDataFrame | gpd.GeoSeries) -> Shapes:
    """Return polygons as an array after checking that they can be used.

    Parameters
    ----------
    polygons : GeoDataFrame or GeoSeries, length n
        Polygons with a CRS.

    Returns
    -------
    shapes : array of Polygon, MultiPolygon or None, shape (n,)
        The polygons; None for empty ones.

    Raises
    ------
    MissingCRSError
        If they have no CRS.
    InputError
        If there are none, or some are no polygons or cross themselves; rows counted
        from 1.

    Examples
    --------
    >>> square = gpd.GeoSeries([shapely.box(0, 0, 1, 1), None], crs="EPSG:4326")
    >>> [shape is None for shape in check_polygons(square)]
    [False, True]
    """
    geometry = polygons.geometry
    if geometry.crs is None:
        message = (
            "The polygons have no coordinate reference system. Set it with "
            ".set_crs, for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    shapes: Shapes = np.asarray(geometry.array, dtype=object).copy()
    if len(shapes) == 0:
        message = "There are no polygons. Give at least one."
        raise InputError(message)
    shapes[shapely.is_missing(shapes) | shapely.is_empty(shapes)] = None
    other = ~np.isin(shapely.get_type_id(shapes), (-1, 3, 6))
    invalid = ~shapely.is_valid(shapes) & ~other & ~shapely.is_missing(shapes)
    _raise_faults(
        len(shapes),
        (other, "are no polygons"),
        (invalid, "cross themselves; repair them with shapely.make_valid"),
    )
    return shapes


def _raise_faults(n: int, *faults: tuple[BoolArray, str]) -> None:
    """Raise one error that names all the polygons that cannot be used."""
    found = [
        f"{int(mask.sum())} {what} ({_rows(mask)})"
        for mask, what in faults
        if mask.any()
    ]
    if found:
        message = f"Of {n} polygons {'; '.join(found)}."
        raise InputError(message)


def _placed(polygons: gpd.GeoDataFrame | gpd.GeoSeries, grid: Grid) -> Shapes:
    """Return checked polygons in the CRS of the grid; None for empty ones."""
    shapes = check_polygons(polygons)
    if grid.crs.equals(polygons.crs, ignore_axis_order=True):
        return shapes
    moved: Shapes = np.asarray(polygons.geometry.to_crs(grid.crs).array, dtype=object)
    missing = shapely.is_missing(shapes)
    lost = ~np.isfinite(shapely.bounds(moved)).all(axis=1) & ~missing
    _raise_faults(len(shapes), (lost, f"have no place in {grid.crs.name}"))
    moved = moved.copy()
    moved[missing] = None
    return moved


def _rows(mask: BoolArray) -> str:
    """Name the first of the rows that are marked, counted from 1."""
    rows = np.flatnonzero(mask) + 1
    more = ", ..." if len(rows) > 5 else ""
    return "rows " + ", ".join(str(row) for row in rows[:5]) + more


def _matrix(shapes: Shapes, grid: Grid) -> Coverage:
    """Return the coverage of polygons in the CRS of the grid."""
    there = np.flatnonzero(~shapely.is_missing(shapes))
    cells, shares = _exact(shapes[there], grid)
    counts = np.zeros(len(shapes), dtype=np.int64)
    counts[there] = [len(part) for part in cells]
    numbers = np.concatenate([*cells, np.empty(0, dtype=np.int64)])
    unique, back = np.unique(numbers, return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(counts)])
    data = np.concatenate([*shares, np.empty(0)])
    matrix = csr_array(
        (data, back.reshape(-1), starts), shape=(len(shapes), len(unique))
    )
    width, height = grid.resolution
    area = shapely.area(shapes) / (width * height)
    known = np.where(area > 0, area, np.nan)
    outside = np.clip(1 - matrix.sum(axis=1) / known, 0.0, 1.0)
    # shares are of single precision, so that the areas differ by rounding
    outside = np.where(outside < 1e-6, 0.0, outside)
    return Coverage(matrix, unique // grid.shape[1], unique % grid.shape[1], outside)


def _exact(shapes: Shapes, grid: Grid) -> tuple[list[IntArray], list[FloatArray]]:
    """Return the number of each covered cell and its share, for each polygon."""
    if len(shapes) == 0:
        return [], []
    # loaded here, so that what needs no polygons starts without it
    from exactextract import exact_extract  # noqa: PLC0415
    from exactextract.feature import GeoPandasFeatureSource  # noqa: PLC0415
    from exactextract.raster import NumPyRasterSource  # noqa: PLC0415

    wkt = grid.crs.to_wkt()
    # one zero seen as a raster of any size: the geometry alone is asked for
    blank = np.broadcast_to(np.uint8(0), grid.shape)
    raster = NumPyRasterSource(blank, *grid.bounds, srs_wkt=wkt)
    frame = gpd.GeoDataFrame(geometry=list(shapes), crs=wkt)
    found = exact_extract(
        raster, GeoPandasFeatureSource(frame), ["cell_id", "coverage"], output="pandas"
    )
    kept = [np.asarray(part) > SLIVER for part in found["coverage"]]
    pairs = zip(found["cell_id"], found["coverage"], kept, strict=True)
    parts = [
        (np.asarray(cell)[keep], np.asarray(share)[keep]) for cell, share, keep in pairs
    ]
    return (
        [cell.astype(np.int64) for cell, _ in parts],
        [share.astype(np.float64) for _, share in parts],
    )
