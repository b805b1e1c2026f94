"""Ground that a raster and a grid share, in the coordinates of either."""

from __future__ import annotations

import numpy as np
import xarray as xr
from pyproj import Transformer

from geosoil.errors import GridMismatchError
from geosoil.grids.grid import SNAP, BoolArray, FloatArray, Grid, IntArray
from geosoil.grids.resampling import north_up

_LATTICE = 33
"""Points along each side of a box that is brought to another CRS."""
_PROJECTED = 1e-10
"""Share of a cell by which a projected position may fall short of an edge."""


def containing_cells(
    source: Grid, grid: Grid
) -> tuple[BoolArray, tuple[IntArray, IntArray]]:
    """Return in which cells of a source the centres of a grid lie.

    Parameters
    ----------
    source, grid : Grid
        Grid of the raster, and grid of the result.

    Returns
    -------
    inside : array of bool, shape of the grid
        Which centres lie in the source.
    cells : rows and columns, arrays of int, shape of the grid
        Their cells; 0 outside. Within one CRS by
        :meth:`geosoil.grids.grid.Grid.cells`. Positions that were projected are not
        rounded to its ticks: as gdalwarp does, they fall to the cell that they are
        in, also where that hangs on the digits of the projection.

    Examples
    --------
    >>> fine = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> inside, (rows, columns) = containing_cells(
    ...     fine, Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326"))
    >>> inside.tolist(), rows.tolist(), columns.tolist()
    ([[True, False]], [[1, 0]], [[1, 0]])
    """
    x, y = np.meshgrid(grid.x, grid.y)
    if is_same_crs(source, grid):
        rows, columns, _ = source.cells(x.ravel(), y.ravel())
        rows, columns = rows.reshape(grid.shape), columns.reshape(grid.shape)
        inside = rows >= 0
    else:
        x, y = to_source(source, grid, x, y)
        column = (x - source.transform.c) / source.transform.a + _PROJECTED
        row = (y - source.transform.f) / source.transform.e + _PROJECTED
        inside = (column >= 0) & (column < source.shape[1])
        inside &= (row >= 0) & (row < source.shape[0])
        rows = np.where(inside, row, 0.0).astype(np.int64)
        columns = np.where(inside, column, 0.0).astype(np.int64)
    return inside, (np.maximum(rows, 0), np.maximum(columns, 0))


def is_same_crs(first: Grid, second: Grid) -> bool:
    """Return whether two grids have one CRS, whatever the order of its axes.

    Parameters
    ----------
    first, second : Grid
        Grids.

    Returns
    -------
    same : bool
        Whether positions of one are positions of the other.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326")
    >>> is_same_crs(grid, Grid.from_bounds((0, 0, 1, 1), 1, "OGC:CRS84"))
    True
    """
    return bool(first.crs.equals(second.crs, ignore_axis_order=True))


def to_source(
    source: Grid, grid: Grid, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Bring positions from the CRS of a grid to that of a source.

    Parameters
    ----------
    source, grid : Grid
        Where the positions go, and where they come from.
    x, y : array
        Positions in the grid's CRS.

    Returns
    -------
    x, y : array
        Positions in the source's CRS; NaN where its projection knows no place.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326")
    >>> to_source(grid, grid, np.array([0.5]), np.array([0.5]))
    (array([0.5]), array([0.5]))
    """
    if is_same_crs(source, grid):
        return x, y
    transformer = Transformer.from_crs(grid.crs, source.crs, always_xy=True)
    moved = transformer.transform(x, y)
    # Places that the source's projection does not know come back as infinity.
    lost = ~(np.isfinite(moved[0]) & np.isfinite(moved[1]))
    return np.where(lost, np.nan, moved[0]), np.where(lost, np.nan, moved[1])


def check_overlap(source: Grid, grid: Grid, *, name: object = None) -> None:
    """Raise unless a raster shares ground with a grid.

    Parameters
    ----------
    source : Grid
        Grid of the raster.
    grid : Grid
        Grid of the result.
    name : str, optional
        Name of the raster for the message.

    Raises
    ------
    GridMismatchError
        If they share none; the message names the extents of both, in both CRS.

    Examples
    --------
    >>> first = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326")
    >>> check_overlap(first, first)
    """
    inside, _ = containing_cells(source, grid)
    # Centres may all miss a raster that is small, or that the grid only grazes.
    if inside.any() or _reaches(grid, source) or _reaches(source, grid):
        return
    raster = f"The raster '{name}'" if name else "The raster"
    place = f"{source}{_elsewhere(source, grid)}"
    message = (
        f"{raster} does not overlap the grid. Raster: {place}. Grid: {grid}. Check the "
        "CRS and the region."
    )
    raise GridMismatchError(message)


def check_covers(da: xr.DataArray, grid: Grid, *, what: str = "raster") -> None:
    """Raise unless a raster covers every cell of a grid.

    Only the extents are compared: missing values inside the raster are no concern.

    Parameters
    ----------
    da : DataArray with dims y, x
        Raster with a CRS, for instance a DEM.
    grid : Grid
        Grid that it must cover.
    what : str
        Word for the raster in the message.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    GridMismatchError
        If the centre of some cell lies outside; the message counts them and names the
        extents of both.

    Examples
    --------
    >>> grid = Grid.from_bounds((95, 33, 97, 34), 0.5, "EPSG:4326")
    >>> dem = grid.raster(np.ones(grid.shape))
    >>> check_covers(dem, grid, what="DEM")
    >>> check_covers(dem.isel(x=slice(2)), grid, what="DEM")
    Traceback (most recent call last):
        ...
    geosoil.errors.GridMismatchError: The DEM covers 4 of the 8 cells of the grid...
    """
    source = Grid.of(north_up(da))
    check_overlap(source, grid, name=da.name)
    inside, _ = containing_cells(source, grid)
    if not inside.all():
        message = (
            f"The {what} covers {inside.sum()} of the {inside.size} cells of the grid. "
            f"It reaches over: {source}{_elsewhere(source, grid)}. Grid: {grid}. Give "
            f"a larger {what} or a smaller region."
        )
        raise GridMismatchError(message)


def _reaches(first: Grid, second: Grid) -> bool:
    """Return whether some of a lattice of points over one grid lie in the other."""
    x, y = to_source(second, first, *_lattice(first))
    west, south, east, north = second.bounds
    slack = SNAP * min(second.resolution)
    across = (x > west + slack) & (x < east - slack)
    return bool((across & (y > south + slack) & (y < north - slack)).any())


def _lattice(grid: Grid) -> tuple[FloatArray, FloatArray]:
    """Return a lattice of points over a grid, its corners and edges among them."""
    west, south, east, north = grid.bounds
    x, y = np.meshgrid(
        np.linspace(west, east, _LATTICE), np.linspace(north, south, _LATTICE)
    )
    return x.ravel(), y.ravel()


def _elsewhere(source: Grid, grid: Grid) -> str:
    """Say where a source lies in the CRS of a grid, "" where that is its own."""
    if is_same_crs(source, grid):
        return ""
    x, y = to_source(grid, source, *_lattice(source))
    if not np.isfinite(x).any():
        return ""
    return (
        f" (in the CRS of the grid W {np.nanmin(x):.6g} S {np.nanmin(y):.6g} "
        f"E {np.nanmax(x):.6g} N {np.nanmax(y):.6g})"
    )
