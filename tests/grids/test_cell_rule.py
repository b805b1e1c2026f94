"""The cell of every two-decimal point by whole numbers, on four grids and crops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS

from geosoil.grids.grid import Grid

UNITS = 600
"""Parts of a degree in which all edges and all points are whole numbers."""
LONGITUDES = np.arange(8800, 10401)
LATITUDES = np.arange(3050, 3801)
"""1.2 million points around the region, in hundredths of a degree."""


@dataclass(frozen=True)
class Exact:
    """A grid in whole numbers of 1/600 degree."""

    west: int
    north: int
    step: int
    shape: tuple[int, int]

    def grid(self) -> Grid:
        """The same grid in floating point."""
        side = self.step / UNITS
        transform = Affine(side, 0, self.west / UNITS, 0, -side, self.north / UNITS)
        return Grid(CRS(4326), transform, self.shape)

    def columns(self) -> tuple[np.ndarray, np.ndarray]:
        """Column of each longitude, and whether it lies on an edge."""
        return np.divmod(LONGITUDES * 6 - self.west, self.step)

    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Row of each latitude; a cell owns its northern edge."""
        return np.divmod(self.north - LATITUDES * 6, self.step)


GRIDS = {
    "global 0.05": Exact(-180 * UNITS, 90 * UNITS, 30, (3600, 7200)),
    "region 0.05": Exact(8940 * 6, 3630 * 6, 30, (95, 258)),
    "region 0.1": Exact(89 * UNITS, 37 * UNITS, 60, (60, 140)),
    "global 30 arc seconds": Exact(-180 * UNITS, 90 * UNITS, 5, (21600, 43200)),
}


@pytest.mark.parametrize("name", GRIDS)
def test_all_points_lie_in_the_cell_of_whole_numbers(name: str) -> None:
    exact = GRIDS[name]
    grid = exact.grid()
    x, y = np.meshgrid(LONGITUDES / 100, LATITUDES / 100)
    rows, columns, on_edge = grid.cells(x.ravel(), y.ravel())
    (column, right), (row, low) = exact.columns(), exact.rows()
    j, i = (part.ravel() for part in np.meshgrid(column, row))
    inside = (i >= 0) & (i < grid.shape[0]) & (j >= 0) & (j < grid.shape[1])
    assert inside.size > 1_200_000
    assert inside.sum() > 600_000
    np.testing.assert_array_equal(rows, np.where(inside, i, -1))
    np.testing.assert_array_equal(columns, np.where(inside, j, -1))
    edge_x, edge_y = np.meshgrid(right == 0, low == 0)
    np.testing.assert_array_equal(on_edge, (edge_x | edge_y).ravel() & inside)


def crop_of(grid: Grid, top: int, left: int) -> Grid:
    """The crop of a raster from a row and a column on, its origin from its centres."""
    (width, height), rest = grid.resolution, np.subtract(grid.shape, (top, left))
    transform = Affine(
        width, 0, grid.x[left] - width / 2, 0, -height, grid.y[top] + height / 2
    )
    return Grid(grid.crs, transform, (int(rest[0]), int(rest[1])))


def test_crops_are_those_that_xarray_makes() -> None:
    grid = GRIDS["region 0.05"].grid()
    raster = grid.raster(np.zeros(grid.shape))
    for top, left in ((0, 0), (3, 7), (50, 101), (94, 257)):
        crop = raster.isel(y=slice(top, None), x=slice(left, None))
        made = Grid.of(crop)
        np.testing.assert_allclose(
            tuple(made.transform), tuple(crop_of(grid, top, left).transform), atol=1e-12
        )
        assert made.shape == crop_of(grid, top, left).shape


@pytest.mark.slow
@pytest.mark.parametrize("name", GRIDS)
def test_every_crop_has_the_cells_of_the_whole(name: str) -> None:
    exact = GRIDS[name]
    grid = exact.grid()
    centres_x, centres_y = grid.x, grid.y
    (width, height), (n_rows, n_columns) = grid.resolution, grid.shape
    (column, right), (row, low) = exact.columns(), exact.rows()
    # columns depend on the western edge of a crop alone, rows on its northern edge
    last = min(int(column.max()) + 2, n_columns)
    for left in range(last):
        west = centres_x[left] - width / 2
        crop = Grid(grid.crs, Affine(width, 0, west, 0, -1, 1), (1, n_columns - left))
        _, found, edge = crop.cells(LONGITUDES / 100, np.full(LONGITUDES.size, 0.5))
        expected = np.where((column >= left) & (column < n_columns), column - left, -1)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(edge, (right == 0) & (expected >= 0))
    last = min(int(row.max()) + 2, n_rows)
    for top in range(last):
        north = centres_y[top] + height / 2
        crop = Grid(grid.crs, Affine(1, 0, 0, 0, -height, north), (n_rows - top, 1))
        found, _, edge = crop.cells(np.full(LATITUDES.size, 0.5), LATITUDES / 100)
        expected = np.where((row >= top) & (row < n_rows), row - top, -1)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(edge, (low == 0) & (expected >= 0))
