"""The frozen study grid, and the one rule that says in which cell a point lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr
from affine import Affine

from geosoil.errors import GridMismatchError, InputError, MissingCRSError

if TYPE_CHECKING:
    from pyproj import CRS

TICKS = 1_000_000
"""Steps into which a cell is divided, so that the cell rule works on integers."""
SNAP = 1 / TICKS
"""Fraction of a cell within which two positions count as the same."""
FARTHEST = 2.0**40
"""Positions are cut to this many cells, so that they fit an integer of ticks."""

MAPPING = "spatial_ref"
"""Coordinate that carries the CRS and the transform."""

CRS_PLACES = ("crs", "grid_mapping", MAPPING)
"""Attributes and variables by which a raster says that it has a CRS."""

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular north-up grid of square or rectangular cells.

    Examples
    --------
    >>> grid = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")
    >>> grid.shape
    (95, 258)
    """

    crs: CRS
    """Coordinate reference system."""
    transform: Affine
    """Affine transform from (column, row) corners to (x, y)."""
    shape: tuple[int, int]
    """Number of rows and columns."""

    @classmethod
    def from_bounds(
        cls,
        bounds: tuple[float, float, float, float],
        resolution: float,
        crs: str | int | CRS,
    ) -> Grid:
        """Make the grid whose outer edges are the bounds.

        Parameters
        ----------
        bounds : tuple = (W, S, E, N)
            Outer edges in units of the CRS, whole multiples of the resolution apart.
        resolution : float
            Side of a cell in units of the CRS.
        crs : str, int or CRS
            Coordinate reference system.

        Returns
        -------
        grid : Grid
            North-up grid.

        Raises
        ------
        InputError
            If the bounds are empty or no whole number of cells fits them.
        """
        from pyproj import CRS  # noqa: PLC0415  not before a grid is asked for

        west, south, east, north = (float(value) for value in bounds)
        columns, rows = (east - west) / resolution, (north - south) / resolution
        whole = np.isclose([columns, rows], np.round([columns, rows]), atol=SNAP)
        empty = columns < 1 - SNAP or rows < 1 - SNAP
        if resolution <= 0 or empty or not whole.all():
            message = (
                f"Invalid bounds {bounds} for resolution {resolution}. Give "
                "(west, south, east, north) a whole number of cells apart."
            )
            raise InputError(message)
        transform = Affine(resolution, 0.0, west, 0.0, -resolution, north)
        return cls(CRS.from_user_input(crs), transform, (round(rows), round(columns)))

    @classmethod
    def of(cls, raster: xr.DataArray | xr.Dataset) -> Grid:
        """Return the grid on which a raster lies.

        Parameters
        ----------
        raster : DataArray or Dataset with dims y, x
            Raster whose CRS is set.

        Returns
        -------
        grid : Grid
            Its CRS, transform and shape.

        Raises
        ------
        MissingCRSError
            If the raster has no CRS.
        """
        from pyproj import CRS  # noqa: PLC0415  not before a grid is asked for

        if not has_crs(raster):
            name = getattr(raster, "name", None) or "raster"
            message = (
                f"'{name}' has no coordinate reference system. Set it with "
                ".rio.write_crs, for instance 'EPSG:4326'."
            )
            raise MissingCRSError(message)
        return cls(
            CRS.from_user_input(raster.rio.crs.to_wkt()),
            raster.rio.transform(),
            (raster.sizes["y"], raster.sizes["x"]),
        )

    def __str__(self) -> str:
        """Say in one line where the grid lies and how fine it is."""
        rows, columns = self.shape
        width, height = self.resolution
        west, south, east, north = self.bounds
        name = self.crs.to_string() if self.crs.to_epsg() else self.crs.name
        return (
            f"{rows} x {columns} cells of {width:.9g} x {height:.9g}, W {west:.10g} "
            f"S {south:.10g} E {east:.10g} N {north:.10g}, {name}"
        )

    @property
    def resolution(self) -> tuple[float, float]:
        """Width and height of a cell in units of the CRS."""
        return self.transform.a, -self.transform.e

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Outer edges (W, S, E, N)."""
        west, north = self.transform.c, self.transform.f
        east = west + self.transform.a * self.shape[1]
        south = north + self.transform.e * self.shape[0]
        return west, south, east, north

    @property
    def x(self) -> FloatArray:
        """Cell centres, west to east, shape (columns,)."""
        step, west = float(self.transform.a), float(self.transform.c)
        return west + step * (np.arange(self.shape[1], dtype=np.float64) + 0.5)

    @property
    def y(self) -> FloatArray:
        """Cell centres, north to south, shape (rows,)."""
        step, north = float(self.transform.e), float(self.transform.f)
        return north + step * (np.arange(self.shape[0], dtype=np.float64) + 0.5)

    def cells(
        self, x: npt.ArrayLike, y: npt.ArrayLike
    ) -> tuple[IntArray, IntArray, BoolArray]:
        """Return the cell that contains each point.

        A cell is half-open: it owns its western and its northern edge. Positions are
        rounded to millionths of a cell (:data:`TICKS`) and divided as integers, so that
        decimal coordinates fall in the same cell on every crop of a grid.

        Parameters
        ----------
        x, y : array, shape (n,)
            Points in the grid's CRS.

        Returns
        -------
        rows, columns : array of int, shape (n,)
            Cell of each point; -1 outside the grid.
        on_edge : array of bool, shape (n,)
            Whether the point lies on an edge between cells.

        Examples
        --------
        >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
        >>> rows, columns, on_edge = grid.cells([0.5, 0.1], [0.5, 0.9])
        >>> rows.tolist(), columns.tolist(), on_edge.tolist()
        ([1, 0], [1, 0], [True, False])
        """
        column, edge_x = _cell_index(
            (np.asarray(x, dtype=float) - self.transform.c) / self.transform.a
        )
        row, edge_y = _cell_index(
            (np.asarray(y, dtype=float) - self.transform.f) / self.transform.e
        )
        outside = (row < 0) | (row >= self.shape[0])
        outside |= (column < 0) | (column >= self.shape[1])
        return (
            np.where(outside, -1, row),
            np.where(outside, -1, column),
            (edge_x | edge_y) & ~outside,
        )

    def part(self, row: int, column: int, shape: tuple[int, int]) -> Grid:
        """Return some of the cells of this grid as a grid.

        Parameters
        ----------
        row, column : int
            First row from the north and first column from the west.
        shape : tuple = (rows, columns)
            How many of them.

        Returns
        -------
        grid : Grid
            The part, on the same cells; corners in degrees are rounded to 1e-10.

        Examples
        --------
        >>> Grid.from_bounds((0, 0, 4, 3), 1, "EPSG:4326").part(1, 2, (2, 1)).bounds
        (2.0, 0.0, 3.0, 2.0)
        """
        a, e = self.transform.a, self.transform.e
        x, y = self.transform.c + column * a, self.transform.f + row * e
        if self.crs.is_geographic:
            x, y = round(x, 10), round(y, 10)
        return Grid(self.crs, Affine(a, 0.0, x, 0.0, e, y), shape)

    def raster(self, values: npt.ArrayLike, *, name: str | None = None) -> xr.DataArray:
        """Label an array that lies on this grid.

        Parameters
        ----------
        values : array, shape (rows, columns)
            Values, north to south and west to east.
        name : str, optional
            Name of the result.

        Returns
        -------
        raster : DataArray with dims y, x
            The values, which are not copied, with coordinates and CRS.

        Raises
        ------
        GridMismatchError
            If the shape of the values is not the grid's.
        """
        array = np.asarray(values)
        if array.shape != self.shape:
            message = f"Values of shape {array.shape} on a grid of shape {self.shape}."
            raise GridMismatchError(message)
        # Copies, so that whoever writes attributes on a coordinate writes on his own.
        coords = _coordinates(self).copy()
        labelled = xr.DataArray(array, coords, dims=("y", "x"), name=name)
        labelled.encoding["grid_mapping"] = MAPPING
        return labelled

    def georeference(self, raster: xr.DataArray) -> xr.DataArray:
        """Give a raster this grid's coordinates, CRS and exact transform.

        Parameters
        ----------
        raster : DataArray with last dims y, x
            Raster of the grid's shape.

        Returns
        -------
        raster : DataArray
            The same values, which are not copied, with x, y, CRS and transform set.
        """
        import rioxarray  # noqa: F401, PLC0415  registers .rio; loads slowly

        placed = raster.assign_coords(y=self.y, x=self.x)
        # In place, as rioxarray copies all values otherwise; the labels are new here.
        placed.rio.write_crs(self.crs.to_wkt(), inplace=True)
        result: xr.DataArray = placed.rio.write_transform(self.transform, inplace=True)
        return result


@lru_cache(maxsize=16)
def _coordinates(grid: Grid) -> xr.Coordinates:
    """Return the coordinates of a grid, once made: they cost more than small maps."""
    blank = xr.DataArray(np.broadcast_to(np.int8(0), grid.shape), dims=("y", "x"))
    return grid.georeference(blank).coords.to_dataset().coords


def has_crs(raster: xr.DataArray | xr.Dataset) -> bool:
    """Return whether a raster has a coordinate reference system.

    Parameters
    ----------
    raster : DataArray or Dataset
        Any raster.

    Returns
    -------
    has : bool
        What rioxarray finds. It is asked, and loaded, only for a raster that names
        one of :data:`CRS_PLACES` or has a coordinate that is one value.

    Examples
    --------
    >>> has_crs(xr.DataArray([1.0, 2.0], dims="x"))
    False
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> has_crs(grid.raster(np.zeros((2, 2))))
    True
    """
    named = {*raster.coords, *raster.attrs, *raster.encoding}
    if isinstance(raster, xr.Dataset):
        named |= {*raster.data_vars}
        named |= {
            key for part in raster.values() for key in (*part.attrs, *part.encoding)
        }
    single = any(not coordinate.dims for coordinate in raster.coords.values())
    if not single and not named & set(CRS_PLACES):
        return False
    import rioxarray  # noqa: F401, PLC0415  registers .rio; loads slowly

    return raster.rio.crs is not None


def _cell_index(position: FloatArray) -> tuple[IntArray, BoolArray]:
    """Divide positions in units of cells by whole cells, as integers of ticks."""
    finite = np.isfinite(position)
    known = np.clip(np.where(finite, position, -1.0), -FARTHEST, FARTHEST)
    ticks = np.rint(known * TICKS).astype(np.int64)
    index = ticks // TICKS
    return index, (ticks == index * TICKS) & finite


def check_same_grid(first: Grid, second: Grid, *, what: str = "rasters") -> None:
    """Raise unless two grids are the same within a millionth of a cell.

    Parameters
    ----------
    first, second : Grid
        Grids to compare.
    what : str
        Words for the message.

    Raises
    ------
    GridMismatchError
        If CRS, transform or shape differ; the message shows both.
    """
    scale = np.abs([first.transform.a, first.transform.e])
    shift = np.abs(np.subtract(first.transform[:6], second.transform[:6])).max()
    same = first.shape == second.shape and shift < SNAP * scale.min()
    if not (same and first.crs.equals(second.crs, ignore_axis_order=True)):
        message = (
            f"The {what} lie on different grids: ({first}) and ({second}). Bring one "
            "onto the other with geosoil.align."
        )
        raise GridMismatchError(message)
