"""Values at points straight from a GeoTIFF, of which only touched blocks are read."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import shapely
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from geosoil.errors import FileFormatError, InputError, MissingCRSError
from geosoil.grids.grid import BoolArray, FloatArray, IntArray
from geosoil.io._sniff import check_kind
from geosoil.io.geotiff import grid_of_file

MEMORY = 256 * 2**20
"""Bytes of cells that are read at once, at most."""
STRIP = 64
"""Fewest rows read at once; files in strips of one row would take too many calls."""
THREADS = 2
"""Threads that unpack blocks."""


_REASONS = ("", "gaps", "no data", "outside", "no position")


@dataclass(frozen=True, slots=True)
class _Points:
    """The points that lie in a raster, by row of the file."""

    order: IntArray
    """Where each stands in the result."""
    rows: IntArray
    """Row of the file, rising by strips."""
    columns: IntArray
    """Column of the file."""


def values_from_geotiff(
    path: str | os.PathLike[str],
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    bands: Sequence[int] | None = None,
    memory: int = MEMORY,
) -> pd.DataFrame:
    """Read the cells of a GeoTIFF that contain points.

    Parameters
    ----------
    path : path
        A GeoTIFF, best a tiled one.
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS; they are brought to the file's.
    bands : sequence of int, optional
        Bands to read, counted from 1; by default all.
    memory : int
        Bytes of cells that may be read at once. The header tells before anything is
        read whether a strip of blocks of one band fits.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the points
        One float column a band, called by its description (the ISO date where it has
        one), else ``band_<number>``, with nodata as NaN and scale and offset applied;
        ``on_edge``: the point lies on an edge between cells; ``reason``: "" where
        fine, "outside" the raster, "no position" for an empty geometry, "no data"
        where no band has a value, "gaps" where only some have none.

    Raises
    ------
    MissingFileError
        If there is no such file.
    MissingCRSError
        If the file or the points have no coordinate reference system.
    FileFormatError
        If the file is damaged, no GeoTIFF, rotated, or its blocks exceed the memory.
    InputError
        If a geometry is no point or a band does not exist.

    Notes
    -----
    The cell is that of :meth:`geosoil.grids.grid.Grid.cells`: it owns its western and
    its northern edge. Points are grouped by rows of blocks; of each row the touched
    blocks are read, adjacent ones in one call that unpacks them in two threads. Few
    points so read few blocks, and many read the file once.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((100.0, 33.0, 100.2, 33.1), 0.1, "EPSG:4326")
    >>> sites = gpd.GeoSeries.from_xy([100.05, 100.1], [33.02, 33.05], crs="EPSG:4326")
    >>> with TemporaryDirectory() as folder:
    ...     file = write_geotiff(grid.raster([[0.25, 0.5]], name="ndvi"),
    ...                          Path(folder) / "ndvi.tif")
    ...     values_from_geotiff(file, sites)["ndvi"].tolist()
    [0.25, 0.5]
    """
    check_kind(path, "tiff", needed="a GeoTIFF")
    shapes = _shapes(points)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff", num_threads=THREADS) as file:
                return _table(file, Path(path), points, shapes, bands, memory)
    except (RasterioError, MemoryError) as error:
        message = (
            f"'{path}' cannot be read as a GeoTIFF: {error}. The file is damaged or "
            "cut short; make or download it again."
        )
        raise FileFormatError(message) from error


def _shapes(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
) -> npt.NDArray[np.object_]:
    """Return checked geometries."""
    geometry = points.geometry
    if geometry.crs is None:
        message = (
            "The points have no coordinate reference system. Set it with "
            ".set_crs, for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    shapes: npt.NDArray[np.object_] = np.asarray(geometry.array, dtype=object)
    # missing geometries have the number -1, points 0
    other = shapely.get_type_id(shapes) > 0
    if other.any():
        kinds = ", ".join(sorted({shape.geom_type for shape in shapes[other]}))
        message = f"Points are needed, found {kinds}. Take zonal statistics of areas."
        raise InputError(message)
    return shapes


def _table(
    file: Any,  # noqa: ANN401
    path: Path,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    shapes: npt.NDArray[np.object_],
    bands: Sequence[int] | None,
    memory: int,
) -> pd.DataFrame:
    """Read the values of an open file."""
    chosen = list(bands) if bands is not None else list(range(1, file.count + 1))
    absent = [band for band in chosen if not 1 <= band <= file.count]
    if absent or not chosen:
        message = f"'{path}' has bands 1 to {file.count}; asked for {absent or 'none'}."
        raise InputError(message)
    grid, _ = grid_of_file(file, path)
    x, y, placed = _coordinates(points, shapes, grid.crs)
    rows, columns, on_edge = grid.cells(x, y)
    height = _strip_height(file, path, memory)
    found = _located(rows, columns, height, file)
    values = np.full((len(chosen), len(rows)), np.nan)
    at_once = max(int(memory // _strip_bytes(file, height)), 1)
    for first in range(0, len(chosen), at_once):
        part = chosen[first : first + at_once]
        for mask, cells in _cells(file, part, found, height):
            values[first : first + at_once, mask] = _quantities(file, part, cells)
    table = dict(zip(_names(file, chosen), values, strict=True))
    missing = np.isnan(values)
    state = missing.any(axis=0).astype(np.int64)
    state[missing.all(axis=0)] = 2
    state[rows < 0] = 3
    state[~placed] = 4
    # picked from five words: a million texts would take longer than the cells
    reason = pd.Series(_REASONS).array.take(state)
    return pd.DataFrame(
        {**table, "on_edge": on_edge, "reason": reason}, index=points.index
    )


def _coordinates(
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    shapes: npt.NDArray[np.object_],
    crs: CRS,
) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return x and y in the CRS of the file, NaN where there is none, and which are."""
    if not crs.equals(points.crs, ignore_axis_order=True):
        shapes = np.asarray(points.geometry.to_crs(crs).array, dtype=object)
    empty = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    x, y = np.full((2, len(shapes)), np.nan)
    x[~empty], y[~empty] = shapely.get_x(shapes[~empty]), shapely.get_y(shapes[~empty])
    return x, y, np.isfinite(x) & np.isfinite(y)


def _strip_height(file: Any, path: Path, memory: int) -> int:  # noqa: ANN401
    """Return how many rows are read at once; raise where they exceed the memory."""
    block = max(int(height) for height, _ in file.block_shapes)
    blocks: int = file.height // block
    height = block * max(min(STRIP // block, blocks), 1)
    needed = _strip_bytes(file, block)
    if needed > memory:
        message = (
            f"'{path}' has blocks of {block} rows; a strip of them takes "
            f"{needed / 2**20:.1f} MiB, more than the {memory / 2**20:.1f} MiB that "
            "may be used. Tile the file, for instance with 'gdal_translate -co "
            "TILED=YES', or allow more memory."
        )
        raise FileFormatError(message)
    while height > block and _strip_bytes(file, height) > memory:
        height -= block
    return height


def _strip_bytes(file: Any, height: int) -> int:  # noqa: ANN401
    """Return the bytes of a strip of one band."""
    size: int = max(np.dtype(name).itemsize for name in file.dtypes)
    rows: int = min(height, file.height)
    columns: int = file.width
    return rows * columns * size


def _located(
    rows: IntArray,
    columns: IntArray,
    height: int,
    file: Any,  # noqa: ANN401
) -> _Points:
    """Bring the points inside in the order of strips of the file."""
    inside = np.flatnonzero(rows >= 0)
    lines = rows[inside]
    if file.transform.e > 0:
        lines = file.height - 1 - lines
    strips = lines // height
    # small integers are sorted by counting, which takes a tenth of the time
    kind = np.uint16 if file.height // height < 2**16 else np.int64
    order = np.argsort(strips.astype(kind), kind="stable")
    return _Points(inside[order], lines[order], columns[inside][order])


def _cells(
    file: Any,  # noqa: ANN401
    bands: list[int],
    found: _Points,
    height: int,
) -> Iterator[tuple[IntArray, npt.NDArray[Any]]]:
    """Read cells of all bands, strip by strip and run by run of touched blocks."""
    width = max(width for _, width in file.block_shapes)
    strips = found.rows // height
    starts = np.flatnonzero(np.diff(strips, prepend=-1))
    ends = np.append(starts, len(strips))[1:]
    for first, last in zip(starts, ends, strict=True):
        rows, columns = found.rows[first:last], found.columns[first:last]
        order = found.order[first:last]
        top = int(strips[first]) * height
        touched = np.zeros(-(-file.width // width), dtype=bool)
        touched[columns // width] = True
        for begin, end in _runs(touched):
            left, right = begin * width, min(end * width, file.width)
            whole = begin == 0 and end == len(touched)
            here = slice(None) if whole else (columns >= left) & (columns < right)
            window = Window(left, top, right - left, min(height, file.height - top))
            block = file.read(bands, window=window)
            cells = (rows[here] - top) * (right - left) + columns[here] - left
            yield order[here], block.reshape(len(bands), -1).take(cells, axis=1)


def _runs(touched: BoolArray) -> list[tuple[int, int]]:
    """Return begin and end of the runs of True."""
    edges = np.flatnonzero(np.diff(touched, prepend=False, append=False))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _quantities(file: Any, bands: list[int], cells: npt.NDArray[Any]) -> FloatArray:  # noqa: ANN401
    """Return raw cells (bands, n) as quantities: nodata as NaN, scaled."""
    values: FloatArray = cells.astype(np.float64)
    for raw, row, band in zip(cells, values, bands, strict=True):
        scale, offset = file.scales[band - 1], file.offsets[band - 1]
        nodata = file.nodatavals[band - 1]
        if scale != 1 or offset != 0:
            row[:] = row * scale + offset
        if nodata is not None and not np.isnan(nodata):
            exact = raw.dtype.type(nodata) if raw.dtype.kind == "f" else nodata
            row[raw == exact] = np.nan
    return values


def _names(file: Any, bands: list[int]) -> list[str]:  # noqa: ANN401
    """Name the columns of bands, each differently."""
    tags = cast("dict[str, str]", file.tags())
    name = tags.get("name")
    if file.count == 1 and name:
        return [name]
    texts = [file.descriptions[band - 1] or f"band_{band}" for band in bands]
    return [
        f"{text}_{band}" if texts.count(text) > 1 else text
        for text, band in zip(texts, bands, strict=True)
    ]
