"""The grid of an interpolation holds what it is asked to hold, on whole cells."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.interpolate_grid import Ground, target_grid, wide_grid
from geosoil.workflow.interpolate_words import CellWords


def points(x, y, crs=4326):
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y, crs=crs))


@given(
    x=st.lists(st.floats(90, 102), min_size=2, max_size=5),
    y=st.floats(31, 36),
    side=st.sampled_from([0.05, 0.1, 0.25, 1.0]),
)
def test_cells_in_degrees_hold_all_points_on_whole_multiples_of_their_side(x, y, side):
    sites = points(x, [y] * len(x))
    grid = target_grid(CellWords(side), Ground(sites))
    west, south, east, north = grid.bounds
    tiny = 1e-6 * side
    assert west <= min(x) + tiny
    assert east >= max(x) - tiny
    assert south <= y + tiny
    assert north >= y - tiny
    np.testing.assert_allclose(np.round(np.array(grid.bounds) / side) * side,
                               grid.bounds, atol=1e-9)  # fmt: skip


def test_cells_in_metres_lie_in_the_system_of_projected_points():
    grid = target_grid(
        CellWords(500.0, in_metres=True),
        Ground(points([5e5, 5.1e5], [4e6, 4e6], 32647)),
    )
    assert grid.crs.to_epsg() == 32647
    assert grid.resolution == (500.0, 500.0)


def test_a_box_in_degrees_is_held_by_a_projected_grid():
    ground = Ground(points([95.0, 96.0], [33.0, 34.0]), (94.0, 32.0, 97.0, 35.0))
    grid = target_grid(CellWords(10_000.0, in_metres=True), ground)
    there = Transformer.from_crs(4326, grid.crs, always_xy=True)
    x, y = there.transform([94.0, 94.0, 97.0, 97.0], [32.0, 35.0, 32.0, 35.0])
    west, south, east, north = grid.bounds
    assert west <= min(x) <= max(x) <= east
    assert south <= min(y) <= max(y) <= north


def test_of_a_raster_the_part_that_the_box_touches_is_taken(tmp_path):
    whole = Grid.from_bounds((90, 31, 95, 35), 0.5, "EPSG:4326")
    path = write_geotiff(whole.raster(np.ones(whole.shape)), Path(tmp_path, "a.tif"))
    ground = Ground(points([91.0], [32.0]), (91.1, 32.0, 92.5, 33.2))
    grid = target_grid(CellWords(0.0, raster=path), ground)
    assert grid.bounds == (91.0, 32.0, 92.5, 33.5)
    everything = target_grid(CellWords(0.0, raster=path), Ground(points([0.0], [0.0])))
    assert everything == whole


def test_one_place_has_one_cell():
    grid = target_grid(CellWords(0.5), Ground(points([91.2], [32.7])))
    assert grid.shape == (1, 1)
    assert grid.bounds == (91.0, 32.5, 91.5, 33.0)


def test_too_many_cells_are_taken_for_a_mistake():
    with pytest.raises(InputError, match="1km is not 1"):
        target_grid(CellWords(1e-6), Ground(points([90.0, 91.0], [31.0, 32.0])))


def test_a_grid_is_widened_to_hold_its_points_but_not_without_end():
    grid = Grid.from_bounds((0, 0, 4, 4), 1, "EPSG:32647")
    near = points([-0.5, 5.5], [-1.5, 4.5], 32647)
    wide, (row, column) = wide_grid(grid, near)
    assert wide.bounds == (-1.0, -2.0, 6.0, 5.0)
    assert (row, column) == (1, 1)
    rows, columns, _ = wide.cells([-0.5, 5.5], [-1.5, 4.5])
    assert (rows >= 0).all()
    assert (columns >= 0).all()
    far = points([1e6], [1e6], 32647)
    assert wide_grid(grid, far) == (grid, (0, 0))
