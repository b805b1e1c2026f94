"""The frozen grid and its one rule for the cell of a point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.grid import Grid, check_same_grid, has_crs

STUDY = Grid.from_bounds((89.40, 31.55, 102.30, 36.30), 0.05, "EPSG:4326")


def test_the_study_grid_has_95_rows_and_258_columns() -> None:
    assert STUDY.shape == (95, 258)
    np.testing.assert_allclose(STUDY.bounds, (89.40, 31.55, 102.30, 36.30), atol=1e-12)
    np.testing.assert_allclose(STUDY.x[[0, -1]], [89.425, 102.275], atol=1e-12)
    np.testing.assert_allclose(STUDY.y[[0, -1]], [36.275, 31.575], atol=1e-12)


def test_a_raster_knows_its_grid() -> None:
    raster = STUDY.raster(np.zeros(STUDY.shape), name="zero")
    assert Grid.of(raster) == STUDY
    crop = raster.isel(y=slice(5, 9), x=slice(10, 30))
    bounds = (89.90, 35.85, 90.90, 36.05)
    np.testing.assert_allclose(Grid.of(crop).bounds, bounds, atol=1e-9)


def test_georeferencing_leaves_the_raster_that_was_given_as_it_was() -> None:
    grid = Grid.from_bounds((0, 0, 3, 2), 1, "EPSG:32647")
    given = xr.DataArray(np.ones((2, 3)), dims=("y", "x"), attrs={"units": "1"})
    placed = grid.georeference(given)
    assert Grid.of(placed) == grid
    assert given.attrs == {"units": "1"}
    assert not given.encoding
    assert not given.coords
    assert np.shares_memory(placed.to_numpy(), given.to_numpy())


def test_a_raster_without_crs_is_refused() -> None:
    raster = STUDY.raster(np.zeros(STUDY.shape), name="zero").drop_vars("spatial_ref")
    with pytest.raises(MissingCRSError, match="'zero' has no coordinate reference"):
        Grid.of(raster)


@pytest.mark.parametrize("bounds", [(0, 0, 1, 0.93), (1, 0, 0, 1), (0, 0, 0, 1)])
def test_bounds_that_hold_no_whole_cells_are_refused(
    bounds: tuple[float, float, float, float],
) -> None:
    with pytest.raises(InputError, match="Invalid bounds"):
        Grid.from_bounds(bounds, 0.1, "EPSG:4326")


def test_values_of_another_shape_are_refused() -> None:
    with pytest.raises(GridMismatchError, match="shape"):
        STUDY.raster(np.zeros((2, 2)))


@given(
    st.integers(8900, 10260),
    st.integers(3120, 3660),
    st.sampled_from(
        [Fraction(1, 20), Fraction(1, 10), Fraction(1, 40), Fraction(1, 4)]
    ),
)
def test_cells_equal_exact_rational_arithmetic(
    longitude: int, latitude: int, resolution: Fraction
) -> None:
    west, north = Fraction(89), Fraction(37)
    transform = Affine(float(resolution), 0, 89, 0, -float(resolution), 37)
    grid = Grid(CRS(4326), transform, (int(6 / resolution), int(14 / resolution)))
    x, y = Fraction(longitude, 100), Fraction(latitude, 100)
    columns, lines = (x - west) / resolution, (north - y) / resolution
    row, column, on_edge = grid.cells([float(x)], [float(y)])
    assert (row[0], column[0]) == (lines // 1, columns // 1)
    assert on_edge[0] == (columns.denominator == 1 or lines.denominator == 1)


def test_a_cell_owns_its_western_and_northern_edge() -> None:
    west, south, east, north = STUDY.bounds
    rows, columns, _ = STUDY.cells([west, east, west, west], [north, north, south, 32])
    assert (rows[0], columns[0]) == (0, 0)
    assert (rows[1:3] == -1).all()
    assert (columns[1:3] == -1).all()
    assert columns[3] == 0


def test_a_point_without_position_lies_outside() -> None:
    rows, columns, on_edge = STUDY.cells([np.nan, 95.0], [33.0, np.nan])
    assert rows.tolist() == columns.tolist() == [-1, -1]
    assert not on_edge.any()


def test_grids_that_differ_are_named() -> None:
    shifted = Grid.from_bounds((89.45, 31.55, 102.35, 36.30), 0.05, "EPSG:4326")
    check_same_grid(STUDY, STUDY)
    with pytest.raises(GridMismatchError, match=r"elevation.*W 89\.4 .*W 89\.45 "):
        check_same_grid(STUDY, shifted, what="elevation and ndvi")
    other = Grid(CRS("EPSG:32647"), STUDY.transform, STUDY.shape)
    with pytest.raises(GridMismatchError, match="32647"):
        check_same_grid(STUDY, other)


def test_a_place_without_numbers_lies_outside() -> None:
    grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    rows, columns, on_edge = grid.cells([np.inf, np.nan, -np.inf], [0.2, 0.2, 0.2])
    assert rows.tolist() == [-1, -1, -1]
    assert columns.tolist() == [-1, -1, -1]
    assert not on_edge.any()


def test_a_grid_of_one_cell_is_not_lost_to_rounding() -> None:
    grid = Grid.from_bounds((95.11, 33.11, 95.12, 33.12), 0.01, "EPSG:4326")
    assert grid.shape == (1, 1)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32647"])
def test_a_raster_is_labelled_as_rioxarray_would(crs: str) -> None:
    grid = Grid.from_bounds((80, 30, 82, 33), 0.5, crs)
    values = np.arange(24.0).reshape(grid.shape)
    plain = xr.DataArray(values, dims=("y", "x"), name="v")
    expected = grid.georeference(plain)
    for _ in range(2):
        found = grid.raster(values, name="v")
        xr.testing.assert_identical(found, expected)
        assert found.encoding == expected.encoding
        assert np.shares_memory(found.to_numpy(), values)
        assert Grid.of(found) == grid
        # Nothing that a user writes on one raster is seen on the next.
        found["x"].attrs["units"] = "m"
        found["spatial_ref"].attrs["note"] = "mine"
        found.encoding["dtype"] = "int16"


def test_a_raster_without_a_word_of_it_has_no_crs() -> None:
    bare = xr.DataArray(np.zeros((2, 2)), dims=("y", "x"))
    assert not has_crs(bare)
    assert not has_crs(bare.assign_coords(time=3))
    assert has_crs(bare.rio.write_crs(4326))
    assert has_crs(bare.rio.write_crs(4326, grid_mapping_name="mercator"))
    assert has_crs(bare.to_dataset(name="v").rio.write_crs(4326))
