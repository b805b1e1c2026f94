"""Put tiles of one grid together into one raster, by whole cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from affine import Affine

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.common_ground import is_same_crs
from geosoil.grids.grid import BoolArray, Grid
from geosoil.grids.resampling import is_valid, missing_code, north_up

Overlap = Literal["equal", "first", "last", "mean"]
OVERLAPS: tuple[Overlap, ...] = ("equal", "first", "last", "mean")

TOLERANCE = 1e-3
"""Share of a cell by which corners may be off: files write them to six decimals."""

_SHOWN = 5

Array = npt.NDArray[Any]
Place = tuple[slice, slice]


def mosaic(
    rasters: Sequence[xr.DataArray], *, overlap: Overlap = "equal"
) -> xr.DataArray:
    """Put rasters of one grid side by side, without resampling.

    Parameters
    ----------
    rasters : sequence of DataArray with dims (y, x) or (time, y, x)
        Tiles or crops with one CRS and one size of cells, a whole number of cells
        apart, with the same dates; all quantities (floats, NaN missing) or all classes
        (one integer type and ``attrs["nodata"]``). They may be chunked by dask.
    overlap : {"equal", "first", "last", "mean"}
        What cells hold that several rasters have values for: the value on which they
        agree, else the mosaic is refused; that of the first or the last raster in
        order; or the mean of quantities. A missing value never hides another.

    Returns
    -------
    raster : DataArray with the dims of the rasters
        Over the box around all of them, on the cells of the first; NaN, or the
        ``nodata`` of classes, where none has a value. Attributes that differ are
        left out. Chunked, by date, where some raster is chunked; then "equal" is
        checked when the values are asked for.

    Raises
    ------
    MissingCRSError
        If a raster has no CRS.
    GridMismatchError
        If CRS, size of cells or offsets do not fit; the message names both grids.
    InputError
        If there are no rasters, or dims, types, units, codes or dates differ, classes
        without ``nodata`` leave gaps, or rasters contradict each other.

    Examples
    --------
    >>> west = Grid.from_bounds((95, 33, 96, 34), 0.5, "EPSG:4326")
    >>> east = Grid.from_bounds((96, 33, 96.5, 34), 0.5, "EPSG:4326")
    >>> tiles = [west.raster([[1.0, 2.0], [3.0, np.nan]]), east.raster([[5.0], [6.0]])]
    >>> mosaic(tiles).values.tolist()
    [[1.0, 2.0, 5.0], [3.0, nan, 6.0]]
    """
    if overlap not in OVERLAPS:
        message = f"Unknown overlap '{overlap}'. Give one of: {', '.join(OVERLAPS)}."
        raise InputError(message)
    _check_alike(rasters, overlap)
    tiles = [north_up(tile).transpose(..., "y", "x") for tile in rasters]
    grids = [Grid.of(tile) for tile in tiles]
    union, places = _union(grids, _corners(grids))
    missing = _missing(tiles)
    if missing is None:
        _check_filled(union, places)

    def put(*blocks: Array) -> Array:
        return _put(blocks, places, union.shape, overlap, missing)

    sides = [(f"y{i}", f"x{i}") for i in range(len(tiles))]
    # Sides of different length need dimensions of their own; dates are compared before.
    bare = [
        _whole(tile).drop_vars(list(tile.coords)).rename(y=y, x=x)
        for tile, (y, x) in zip(tiles, sides, strict=True)
    ]
    result: xr.DataArray = xr.apply_ufunc(
        put,
        *bare,
        input_core_dims=sides,
        output_core_dims=[("y", "x")],
        keep_attrs=False,
        dask="parallelized",
        output_dtypes=[np.result_type(*(tile.dtype for tile in tiles))],
        dask_gufunc_kwargs={
            "output_sizes": dict(zip(("y", "x"), union.shape, strict=True))
        },
    )
    times = {"time": tiles[0]["time"]} if "time" in tiles[0].coords else {}
    result = result.assign_coords(times).rename(_shared_name(tiles))
    return union.georeference(result.assign_attrs(_shared_attrs(tiles)))


def _check_alike(tiles: Sequence[xr.DataArray], overlap: str) -> None:
    """Raise unless rasters hold the same kind of values for the same dates."""
    if not tiles:
        message = "There are no rasters. Give at least one."
        raise InputError(message)
    first = tiles[0]
    faults = [
        f"raster {number} {fault}"
        for number, tile in enumerate(tiles, start=1)
        if (fault := _difference(tile, first))
    ]
    if faults:
        message = f"Rasters differ from the first: {'; '.join(faults)}."
        raise InputError(message)
    if overlap == "mean" and first.dtype.kind != "f":
        message = (
            f"Raster 1 holds classes ({first.dtype}), which have no mean. Use the "
            "overlap 'equal', 'first' or 'last'."
        )
        raise InputError(message)


def _difference(tile: xr.DataArray, first: xr.DataArray) -> str:
    """Say in what a raster does not go with the first, "" where it does."""
    floats = tile.dtype.kind == first.dtype.kind == "f"
    units = tile.attrs.get("units"), first.attrs.get("units")
    codes = missing_code(tile), missing_code(first)
    fault = ""
    if not {"y", "x"} <= set(tile.dims) <= {"time", "y", "x"}:
        fault = f"has dims {tile.dims}, not (y, x) or (time, y, x)"
    elif set(tile.dims) != set(first.dims):
        fault = f"has dims {tile.dims}, not {first.dims}"
    elif tile.dtype.kind not in "biuf" or (tile.dtype != first.dtype and not floats):
        fault = f"holds {tile.dtype}, not {first.dtype}"
    elif units[0] != units[1]:
        fault = f"is in {units[0]}, not {units[1]}"
    elif codes[0] != codes[1] and not floats:
        fault = f"has the nodata {codes[0]}, not {codes[1]}"
    elif "time" in first.dims:
        fault = _other_dates(tile, first)
    return fault


def _other_dates(tile: xr.DataArray, first: xr.DataArray) -> str:
    """Say in what the dates of a raster differ from those of the first."""
    here, there = (pd.Index(np.asarray(part["time"])) for part in (tile, first))
    if here.equals(there):
        return ""
    odd = [f"{date:%Y-%m-%d}" for date in here.symmetric_difference(there)[:_SHOWN]]
    which = f"only one has {', '.join(odd)}" if odd else "in another order"
    return f"has {len(here)} dates, not the same {len(there)} ({which})"


def _missing(tiles: Sequence[xr.DataArray]) -> float | None:
    """Return what stands for missing in the mosaic; a mask has nothing for it."""
    return None if tiles[0].dtype.kind == "b" else missing_code(tiles[0])


def _whole(tile: xr.DataArray) -> xr.DataArray:
    """Return a raster whose chunks, if any, hold whole layers."""
    return tile if tile.chunks is None else tile.chunk({"y": -1, "x": -1})


def _shared_name(tiles: Sequence[xr.DataArray]) -> object:
    """Return the name that all rasters have, None where they differ."""
    names = {tile.name for tile in tiles}
    return names.pop() if len(names) == 1 else None


def _shared_attrs(tiles: Sequence[xr.DataArray]) -> dict[Any, Any]:
    """Return the attributes that all rasters have."""
    return {
        key: value
        for key, value in tiles[0].attrs.items()
        if all(key in tile.attrs for tile in tiles)
        and all(np.array_equal(tile.attrs[key], value) for tile in tiles)
    }


def _corners(grids: Sequence[Grid]) -> list[tuple[int, int]]:
    """Return rows and columns of the north-west corners from that of the first."""
    first = grids[0]
    width, height = first.resolution
    found, faults = [], []
    for number, grid in enumerate(grids, start=1):
        column = (grid.transform.c - first.transform.c) / width
        row = (first.transform.f - grid.transform.f) / height
        # Over all its cells a raster must keep step with the first.
        drift = max(
            abs(own / side - 1) * count
            for own, side, count in zip(
                grid.resolution, first.resolution, grid.shape[::-1], strict=True
            )
        )
        off = max(abs(column - round(column)), abs(row - round(row)))
        if not is_same_crs(first, grid):
            faults.append(f"raster {number} has another CRS ({grid})")
        elif drift > TOLERANCE:
            faults.append(f"raster {number} has cells of another size ({grid})")
        elif off > TOLERANCE:
            faults.append(f"raster {number} lies {off:.2g} of a cell off ({grid})")
        found.append((round(row), round(column)))
    if faults:
        message = (
            f"The rasters lie on different grids. The first: ({first}); "
            f"{'; '.join(faults)}. Bring them onto one with geosoil.align."
        )
        raise GridMismatchError(message)
    return found


def _union(
    grids: Sequence[Grid], corners: Sequence[tuple[int, int]]
) -> tuple[Grid, list[Place]]:
    """Return the grid around all rasters, and rows and columns of each on it."""
    north, west = (min(corner[i] for corner in corners) for i in (0, 1))
    places = [
        (
            slice(row - north, row - north + grid.shape[0]),
            slice(column - west, column - west + grid.shape[1]),
        )
        for grid, (row, column) in zip(grids, corners, strict=True)
    ]
    shape = max(part.stop for part, _ in places), max(part.stop for _, part in places)
    # The corner of a raster is more exact than one counted from another raster.
    rows, columns = zip(*corners, strict=True)
    x = grids[columns.index(west)].transform.c
    y = grids[rows.index(north)].transform.f
    step = grids[0].transform
    return Grid(grids[0].crs, Affine(step.a, 0.0, x, 0.0, step.e, y), shape), places


def _check_filled(union: Grid, places: Sequence[Place]) -> None:
    """Raise where some cells lie in no raster and nothing stands for missing."""
    filled = np.zeros(union.shape, dtype=np.bool_)
    for place in places:
        filled[place] = True
    if not filled.all():
        message = (
            f"The rasters leave {(~filled).sum()} cells of the box around them empty, "
            'and have no attrs["nodata"] to fill those with. Set it; make integers of '
            "masks first."
        )
        raise InputError(message)


def _put(
    blocks: Sequence[Array],
    places: Sequence[Place],
    shape: tuple[int, int],
    overlap: Overlap,
    missing: float | None,
) -> Array:
    """Put arrays (..., y, x) in their places."""
    size = (*blocks[0].shape[:-2], *shape)
    dtype = np.result_type(*blocks)
    result = np.full(size, 0 if missing is None else missing, dtype=dtype)
    filled = np.zeros(size, dtype=np.bool_)
    pairs = list(zip(blocks, places, strict=True))
    if overlap == "mean":
        return _mean(pairs, size, dtype)
    for block, (rows, columns) in reversed(pairs) if overlap == "first" else pairs:
        valid = is_valid(block, missing)
        there, had = result[..., rows, columns], filled[..., rows, columns]
        if overlap == "equal":
            _check_equal(block, there, valid & had)
        there[valid] = block[valid]
        had |= valid
    return result


def _mean(
    pairs: Sequence[tuple[Array, Place]], size: tuple[int, ...], dtype: np.dtype[Any]
) -> Array:
    """Average quantities where several arrays have a value."""
    total, count = np.zeros(size), np.zeros(size)
    for block, (rows, columns) in pairs:
        valid = is_valid(block, np.nan)
        total[..., rows, columns] += np.where(valid, block, 0.0)
        count[..., rows, columns] += valid
    return (total / np.where(count > 0, count, np.nan)).astype(dtype)


def _check_equal(block: Array, there: Array, both: BoolArray) -> None:
    """Raise where an array contradicts what others gave."""
    differ = both & (block != there)
    if differ.any():
        message = (
            f"Rasters contradict each other in {differ.sum()} of the {both.sum()} "
            f"cells that they share, for instance {block[differ][0]:g} and "
            f"{there[differ][0]:g}. Say with overlap='first', 'last' or 'mean' which "
            "value counts."
        )
        raise InputError(message)
