"""Two rasters meet on one grid by a stated rule, and never silently on a finer one."""

import dask.array
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.common_grid import common_grid
from geosoil.grids.grid import Grid

FINE = Grid.from_bounds((90.0, 32.0, 92.0, 33.0), 0.05, "EPSG:4326")
COARSE = Grid.from_bounds((90.0, 32.0, 92.0, 33.0), 0.1, "EPSG:4326")


def field(grid, seed=1, name="a", gaps=0.0):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal(grid.shape)
    values[rng.random(grid.shape) < gaps] = np.nan
    return grid.raster(values, name=name)


def test_the_finer_raster_is_averaged_over_the_coarser_cells():
    x, y = field(FINE), field(COARSE, 2, "b")
    for pair in ((x, y), (y, x)):
        common = common_grid(*pair)
        fine = common.first if pair[0] is x else common.second
        assert common.grid == COARSE
        blocks = x.to_numpy().reshape(10, 2, 20, 2)
        # Rows of the north are narrower by less than a thousandth.
        np.testing.assert_allclose(fine, blocks.mean(axis=(1, 3)), atol=2e-3)
        assert fine.attrs["support"] == "cells of 0.05 degree averaged to 0.1 degree"
        assert len(common.words) == 1


@given(st.integers(0, 10_000))
def test_a_cell_covered_by_less_than_half_is_missing(seed):
    x, y = field(FINE, seed, gaps=0.5), field(COARSE, 2, "b")
    found = common_grid(x, y).first
    counts = np.isfinite(x.to_numpy()).reshape(10, 2, 20, 2).sum(axis=(1, 3))
    np.testing.assert_array_equal(np.isfinite(found), counts >= 2)


def test_equal_grids_are_left_as_they_are_and_not_read():
    lazy = COARSE.georeference(
        xr.DataArray(dask.array.zeros((3, 10, 20)), dims=("time", "y", "x"), name="z")
    )
    common = common_grid(lazy, field(COARSE))
    assert common.first.chunks is not None
    assert common.words == ()
    assert common.first.attrs["support"] == "cell of 0.1 degree"


def test_coordinates_that_differ_in_the_last_digit_are_made_one():
    y = field(COARSE, 2, "b")
    y = y.assign_coords(x=y["x"].to_numpy() + 1e-12)
    common = common_grid(field(COARSE), y)
    assert (common.first + common.second).shape == COARSE.shape


def test_parts_of_one_grid_are_cut_to_what_they_share():
    part = Grid.from_bounds((90.5, 32.3, 92.5, 32.8), 0.1, "EPSG:4326")
    x, y = field(COARSE), field(part, 2, "b")
    common = common_grid(x, y)
    assert common.grid.bounds == pytest.approx((90.5, 32.3, 92.0, 32.8))
    np.testing.assert_array_equal(common.first, x[2:7, 5:])
    np.testing.assert_array_equal(common.second, y[:, :15])
    assert "both cut" in common.words[0]


def test_the_coarse_grid_is_cut_to_the_ground_of_the_finer_raster():
    small = Grid.from_bounds((90.5, 32.3, 91.0, 32.8), 0.05, "EPSG:4326")
    common = common_grid(field(COARSE), field(small, 2, "b"))
    assert common.grid.bounds == pytest.approx((90.5, 32.3, 91.0, 32.8))
    assert common.grid.resolution == pytest.approx((0.1, 0.1))


def test_cells_of_one_size_that_lie_askew_need_a_rule():
    askew = Grid.from_bounds((90.05, 32.05, 92.05, 33.05), 0.1, "EPSG:4326")
    x, y = field(COARSE), field(askew, 2, "b")
    with pytest.raises(GridMismatchError, match=r"lie askew.*'first' or 'second'"):
        common_grid(x, y)
    common = common_grid(x, y, rule="first")
    assert common.grid == COARSE
    assert "holds the centre of a cell of 0.1 degree" in common.second.attrs["support"]


def test_a_coarse_raster_on_the_finer_grid_is_told_to_repeat():
    x, y = field(FINE), field(COARSE, 2, "b")
    common = common_grid(x, y, rule="first")
    np.testing.assert_array_equal(
        common.second, np.repeat(np.repeat(y.to_numpy(), 2, 0), 2, 1)
    )
    assert "holds the centre of a cell of 0.05 degree" in common.words[0]


def test_other_projections_are_compared_by_the_size_of_their_cells():
    metres = Grid.from_bounds((500_000, 3_545_000, 600_000, 3_645_000), 1000.0, 32646)
    degrees = Grid.from_bounds((93.0, 32.0, 94.0, 33.0), 0.1, "EPSG:4326")
    common = common_grid(field(metres), field(degrees, 2, "b"))
    assert common.grid == degrees
    assert "metre averaged to 0.1 degree" in common.first.attrs["support"]


def test_what_cannot_be_brought_together_is_refused():
    x = field(COARSE)
    with pytest.raises(GridMismatchError, match="different grids"):
        common_grid(field(FINE), x, rule="same")
    with pytest.raises(InputError, match="Unknown rule 'best'"):
        common_grid(x, x, rule="best")
    far = Grid.from_bounds((10.0, 2.0, 11.0, 3.0), 0.05, "EPSG:4326")
    with pytest.raises(GridMismatchError, match="do not overlap"):
        common_grid(x, field(far, 2, "b"))
    with pytest.raises(MissingCRSError):
        common_grid(x, xr.DataArray(np.eye(2), dims=("y", "x")))
