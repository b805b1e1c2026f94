"""Cells that points read: shares, borders of the grid, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.footprints import METHODS, footprints, gather, read_cells
from geosoil.grids.grid import Grid

GRID = Grid.from_bounds((0, 0, 6, 5), 0.5, "EPSG:4326")


@given(
    st.sampled_from(METHODS),
    st.lists(st.tuples(st.floats(-1, 7), st.floats(-1, 6)), min_size=1, max_size=9),
    st.sampled_from([1, 3, 5]),
)
def test_shares_sum_to_the_part_on_the_grid(method, places, footprint) -> None:
    x, y = np.array(places).T
    feet = footprints(GRID, x, y, method=method, footprint=footprint)
    assert (feet.shares >= 0).all()
    np.testing.assert_allclose(feet.shares.sum(axis=1), feet.within, atol=1e-12)
    assert (feet.within <= 1 + 1e-12).all()
    rows, _, _ = GRID.cells(x, y)
    assert ((feet.within > 0) == (rows >= 0)).all()
    assert feet.rows.min() >= 0
    assert feet.rows.max() < GRID.shape[0]
    assert feet.columns.min() >= 0
    assert feet.columns.max() < GRID.shape[1]


@given(st.sampled_from(METHODS), st.floats(0, 5.99), st.floats(0.01, 5))
def test_every_method_reads_a_constant_as_it_is(method, x, y) -> None:
    feet = footprints(GRID, np.array([x]), np.array([y]), method=method)
    found = read_cells(GRID.raster(np.full(GRID.shape, 0.3)), feet)
    assert found.values[0, 0] == pytest.approx(0.3, abs=1e-14)
    assert found.shares[0, 0] == pytest.approx(feet.within[0], abs=1e-12)


def test_the_containing_cell_is_always_read() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 6, 200), rng.uniform(0.001, 5, 200)
    rows, columns, _ = GRID.cells(x, y)
    for method in METHODS:
        feet = footprints(GRID, x, y, method=method)
        own = (feet.rows == rows[:, None]) & (feet.columns == columns[:, None])
        assert ((feet.shares * own).sum(axis=1) > 0).all()


def test_cells_are_picked_for_each_time() -> None:
    stack = xr.DataArray(np.arange(24.0).reshape(2, 3, 4), dims=("time", "y", "x"))
    found = gather(stack, np.array([[0], [2]]), np.array([[1], [3]]))
    assert found.tolist() == [[[1.0], [11.0]], [[13.0], [23.0]]]
    assert gather(stack, *np.empty((2, 0, 4), dtype=int)).shape == (2, 0, 4)


def test_unknown_methods_and_even_footprints_are_refused() -> None:
    place = np.array([1.0])
    with pytest.raises(InputError, match="Unknown method 'cubic'"):
        footprints(GRID, place, place, method="cubic")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Invalid footprint 4"):
        footprints(GRID, place, place, method="footprint", footprint=4)
