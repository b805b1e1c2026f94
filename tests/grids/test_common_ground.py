"""What a raster and a grid share is counted, and refusals name both."""

from __future__ import annotations

import numpy as np
import pytest
from affine import Affine
from pyproj import CRS, Transformer

from geosoil.errors import GridMismatchError, MissingCRSError
from geosoil.grids.common_ground import check_covers, check_overlap, containing_cells
from geosoil.grids.grid import Grid

GRID = Grid.from_bounds((95, 33, 97, 34), 0.05, "EPSG:4326")


def test_a_dem_that_does_not_cover_the_grid_is_refused_with_both_extents() -> None:
    dem = Grid.from_bounds((94, 33.5, 98, 36), 0.1, "EPSG:4326")
    raster = dem.raster(np.ones(dem.shape), name="elevation")
    with pytest.raises(GridMismatchError) as caught:
        check_covers(raster, GRID, what="DEM")
    message = str(caught.value)
    assert message.startswith("The DEM covers 400 of the 800 cells of the grid.")
    assert str(dem) in message
    assert str(GRID) in message
    assert "Give a larger DEM or a smaller region." in message


def test_gaps_and_upside_down_rows_are_no_lack_of_cover() -> None:
    dem = Grid.from_bounds((94, 32, 98, 36), 0.1, "EPSG:4326")
    raster = dem.raster(np.full(dem.shape, np.nan))
    check_covers(raster, GRID)
    check_covers(raster.isel(y=slice(None, None, -1)), GRID)


def test_a_raster_far_away_or_without_crs_is_refused() -> None:
    far = Grid.from_bounds((10, 33, 11, 34), 0.1, "EPSG:4326")
    raster = far.raster(np.ones(far.shape), name="elevation")
    with pytest.raises(GridMismatchError, match="'elevation' does not overlap"):
        check_covers(raster, GRID)
    with pytest.raises(MissingCRSError):
        check_covers(raster.drop_vars("spatial_ref"), GRID)


def test_grids_that_only_touch_do_not_overlap() -> None:
    beside = Grid.from_bounds((97, 33, 98, 34), 0.05, "EPSG:4326")
    with pytest.raises(GridMismatchError, match="does not overlap"):
        check_overlap(beside, GRID)
    shifted = Grid(GRID.crs, Affine(0.05, 0, 96.99, 0, -0.05, 34), GRID.shape)
    check_overlap(shifted, GRID)
    check_overlap(GRID, shifted)


def test_a_grid_that_the_projection_does_not_know_does_not_overlap() -> None:
    crs = CRS.from_user_input("+proj=ortho +lat_0=34 +lon_0=96")
    disc = Grid(crs, Affine(1e4, 0, -1e5, 0, -1e4, 1e5), (20, 20))
    behind = Grid.from_bounds((-90, -40, -80, -30), 1, "EPSG:4326")
    with pytest.raises(GridMismatchError, match="does not overlap"):
        check_overlap(disc, behind)


def test_projected_centres_fall_to_the_cell_that_they_are_in() -> None:
    utm = Grid(CRS.from_epsg(32647), Affine(900, 0, 2e5, 0, -700, 3.8e6), (250, 300))
    inside, (rows, columns) = containing_cells(utm, GRID)
    move = Transformer.from_crs(GRID.crs, utm.crs, always_xy=True)
    x, y = move.transform(*np.meshgrid(GRID.x, GRID.y))
    column, row = (x - 2e5) // 900, (3.8e6 - y) // 700
    known = (column >= 0) & (column < 300) & (row >= 0) & (row < 250)
    np.testing.assert_array_equal(inside, known)
    assert 0.1 < known.mean() < 1
    np.testing.assert_array_equal(rows, np.where(known, row, 0))
    np.testing.assert_array_equal(columns, np.where(known, column, 0))
