"""Which cells of a grid a point reads, and how much of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import TICKS, BoolArray, FloatArray, Grid, IntArray

Method = Literal["nearest", "bilinear", "mean_touching", "footprint"]
METHODS: tuple[Method, ...] = ("nearest", "bilinear", "mean_touching", "footprint")
BLOCK = 2_000_000
"""Values gathered at once, which bounds the memory of a join."""


@dataclass(frozen=True, slots=True)
class Footprints:
    """Cells that each of n points reads; those with share 0 are not read.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> feet = footprints(grid, np.array([1.0]), np.array([0.5]),
    ...                   method="mean_touching")
    >>> feet.columns[feet.shares > 0].tolist(), feet.within.tolist()
    ([1, 0], [1.0])
    """

    rows: IntArray
    """Row of each cell, shape (n, cells)."""
    columns: IntArray
    """Column of each cell, shape (n, cells)."""
    shares: FloatArray
    """Weight of each cell, shape (n, cells); 0 beyond the grid."""
    within: FloatArray
    """Weight that lies on the grid, shape (n,); 1 where all of it does."""


@dataclass(frozen=True, slots=True)
class CellValues:
    """Values of a raster by footprint.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> raster = grid.raster([[1.0, np.nan]], name="z")
    >>> feet = footprints(grid, np.array([1.0]), np.array([0.5]), method="bilinear")
    >>> found = read_cells(raster, feet)
    >>> found.values.tolist(), found.shares.tolist()
    ([[1.0]], [[0.5]])
    """

    values: FloatArray
    """Weighted values, shape (times, n); NaN where no cell has a value."""
    shares: FloatArray
    """Share of the weight that rests on cells with a value, shape (times, n)."""


def footprints(
    grid: Grid,
    x: FloatArray,
    y: FloatArray,
    *,
    method: Method,
    footprint: int = 3,
) -> Footprints:
    """Return the cells that points read by a method.

    Parameters
    ----------
    grid : Grid
        Grid of the raster.
    x, y : array, shape (n,)
        Points in the grid's CRS; NaN where there is no position.
    method : {"nearest", "bilinear", "mean_touching", "footprint"}
        The cell that contains the point; the four nearest centres by distance along
        the axes; all cells that touch the point, alike; the k x k cells around the
        cell that contains the point, alike.
    footprint : int
        k of the footprint, odd.

    Returns
    -------
    footprints : Footprints
        Cells and weights; no weight for points outside the grid.

    Raises
    ------
    InputError
        If the method is unknown or the footprint is no odd number of cells.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 3, 3), 1, "EPSG:4326")
    >>> feet = footprints(grid, np.array([0.5]), np.array([1.5]), method="footprint")
    >>> round(float(feet.within[0]), 3)
    0.667
    """
    check_method(method, METHODS)
    check_footprint(footprint)
    rows, columns, _ = grid.cells(x, y)
    inside = rows >= 0
    if method == "bilinear":
        return _bilinear(grid, x, y, inside)
    if method == "mean_touching":
        return _touching(grid, x, y, inside)
    reach = footprint // 2 if method == "footprint" else 0
    steps = np.arange(-reach, reach + 1)
    down, across = (part.ravel() for part in np.meshgrid(steps, steps, indexing="ij"))
    shares = np.full((len(rows), len(down)), 1 / len(down))
    return _clipped(
        grid, rows[:, None] + down, columns[:, None] + across, shares, inside
    )


def check_method(method: str, known: tuple[str, ...]) -> None:
    """Raise on a method that does not exist.

    Parameters
    ----------
    method : str
        Name given.
    known : tuple of str
        Names that are fine.

    Raises
    ------
    InputError
        If the name is not among them.

    Examples
    --------
    >>> check_method("nearest", ("nearest", "mode"))
    """
    if method not in known:
        message = f"Unknown method '{method}'. Give one of: {', '.join(known)}."
        raise InputError(message)


def check_footprint(footprint: int) -> None:
    """Raise unless a footprint is an odd number of cells.

    Parameters
    ----------
    footprint : int
        Side of the footprint in cells.

    Raises
    ------
    InputError
        If it is not 1, 3, 5, ...

    Examples
    --------
    >>> check_footprint(3)
    """
    if footprint < 1 or footprint % 2 != 1:
        message = (
            f"Invalid footprint {footprint}. Give an odd number of cells (1, 3, 5, "
            "...), so that the cell of the point is its middle."
        )
        raise InputError(message)


def _clipped(
    grid: Grid, rows: IntArray, columns: IntArray, shares: FloatArray, inside: BoolArray
) -> Footprints:
    """Take the weight from cells beyond the grid and from points outside it."""
    within = (rows >= 0) & (rows < grid.shape[0]) & (columns >= 0)
    within &= (columns < grid.shape[1]) & inside[:, None]
    kept = np.where(within, shares, 0.0)
    return Footprints(
        np.clip(rows, 0, grid.shape[0] - 1),
        np.clip(columns, 0, grid.shape[1] - 1),
        kept,
        kept.sum(axis=1),
    )


def _in_cells(
    grid: Grid, x: FloatArray, y: FloatArray, inside: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return rows and columns as fractions, rounded as the cell rule rounds them."""
    row = np.where(inside, (y - grid.transform.f) / grid.transform.e, 0.0)
    column = np.where(inside, (x - grid.transform.c) / grid.transform.a, 0.0)
    return np.rint(row * TICKS) / TICKS, np.rint(column * TICKS) / TICKS


def _bilinear(
    grid: Grid, x: FloatArray, y: FloatArray, inside: BoolArray
) -> Footprints:
    """Weigh the four nearest cell centres."""
    row = np.where(inside, (y - grid.transform.f) / grid.transform.e - 0.5, 0.0)
    column = np.where(inside, (x - grid.transform.c) / grid.transform.a - 0.5, 0.0)
    top, left = np.floor(row), np.floor(column)
    low, right = row - top, column - left
    # in the order upper left, upper right, lower left, lower right
    down, across = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    shares = np.where(down, low[:, None], 1 - low[:, None])
    shares = shares * np.where(across, right[:, None], 1 - right[:, None])
    rows = top.astype(np.int64)[:, None] + down
    columns = left.astype(np.int64)[:, None] + across
    return _clipped(grid, rows, columns, shares, inside)


def _touching(
    grid: Grid, x: FloatArray, y: FloatArray, inside: BoolArray
) -> Footprints:
    """Weigh the one, two or four cells whose closed area holds the point alike."""
    row, column = _in_cells(grid, x, y, inside)
    rows, columns = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    edge_row, edge_column = row == rows, column == columns
    down, across = np.array([0, 0, -1, -1]), np.array([0, -1, 0, -1])
    used = (down == 0) | edge_row[:, None]
    used &= (across == 0) | edge_column[:, None]
    shares = used / used.sum(axis=1, keepdims=True)
    return _clipped(
        grid, rows[:, None] + down, columns[:, None] + across, shares, inside
    )


def read_cells(array: xr.DataArray, feet: Footprints) -> CellValues:
    """Average the cells with a value, by their weights made to sum to 1 again.

    Parameters
    ----------
    array : DataArray with dims (y, x) or (time, y, x)
        North-up raster; missing is NaN, or ``nodata`` or ``_FillValue`` of the attrs.
    feet : Footprints, n points
        Cells of its grid.

    Returns
    -------
    found : CellValues
        Values and the share of the weight they rest on; one time without a time dim.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> feet = footprints(grid, np.array([0.5]), np.array([0.5]), method="nearest")
    >>> read_cells(grid.raster([[7.0, 8.0]]), feet).values.tolist()
    [[7.0]]
    """
    times = array.sizes.get("time", 1)
    n, cells = feet.rows.shape
    values, shares = np.empty((2, times, n))
    step = max(BLOCK // (times * cells), 1)
    for first in range(0, n, step):
        part = slice(first, first + step)
        values[:, part], shares[:, part] = _average(
            gather(array, feet.rows[part], feet.columns[part]), feet.shares[part]
        )
    return CellValues(values, shares)


def gather(array: xr.DataArray, rows: IntArray, columns: IntArray) -> FloatArray:
    """Pick cells of a raster as floating point.

    Parameters
    ----------
    array : DataArray with dims (y, x) or (time, y, x)
        North-up raster.
    rows, columns : array of int, shape (n, cells)
        Cells to pick.

    Returns
    -------
    values : array, shape (times, n, cells)
        Values; NaN missing, also where ``attrs`` declares a number for no data.

    Examples
    --------
    >>> raster = xr.DataArray([[1, 2]], dims=("y", "x"), attrs={"nodata": 2})
    >>> gather(raster, np.array([[0, 0]]), np.array([[0, 1]])).tolist()
    [[[1.0, nan]]]
    """
    dims = ("point", "cell")
    picked = array.isel(
        y=xr.DataArray(rows, dims=dims), x=xr.DataArray(columns, dims=dims)
    )
    stack: npt.NDArray[np.generic] = picked.transpose(..., *dims).to_numpy()
    values = stack.astype(float).reshape(array.sizes.get("time", 1), *rows.shape)
    for key in ("nodata", "_FillValue"):
        if array.attrs.get(key) is not None:
            values[values == float(array.attrs[key])] = np.nan
    return values


def _average(stack: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average (times, n, cells) over cells with a value; also their weight."""
    used = np.isfinite(stack) & (weights > 0)
    total = np.where(used, weights, 0.0).sum(axis=-1)
    sums = np.where(used, np.where(used, stack, 0.0) * weights, 0.0).sum(axis=-1)
    empty = total == 0
    return np.where(empty, np.nan, sums / np.where(empty, 1.0, total)), total
