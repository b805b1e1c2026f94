"""Columns of a drift, and the rasters that they are read from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.drift import (
    DriftBasis,
    DriftSettings,
    drift_values,
    is_rasters,
)
from geosoil.interpolation.drift_rasters import (
    named_rasters,
    rasters_at,
    rasters_on_grid,
)

GRID = Grid.from_bounds((0, 0, 500, 400), 100, "EPSG:32647")
VALUES = np.random.default_rng(3).normal(4000, 300, (4, 5))


def raster(values: np.ndarray = VALUES, name: str = "elevation") -> xr.DataArray:
    return GRID.raster(values, name=name)


def read(values: np.ndarray, xy: list[list[float]]) -> list[float]:
    return rasters_at(named_rasters(raster(values)), np.array(xy), None)[:, 0].tolist()


def test_between_centres_a_raster_is_bilinear() -> None:
    rng = np.random.default_rng(4)
    xy = rng.uniform((50, 50), (450, 350), (50, 2))
    expected = raster().interp(
        x=xr.DataArray(xy[:, 0], dims="p"), y=xr.DataArray(xy[:, 1], dims="p")
    )
    np.testing.assert_allclose(read(VALUES, xy.tolist()), expected, rtol=1e-12)


def test_a_centre_is_its_cell_and_an_edge_the_nearest_cells() -> None:
    x, y = np.meshgrid(GRID.x, GRID.y)
    centres = np.column_stack([x.ravel(), y.ravel()]).tolist()
    assert read(VALUES, centres) == VALUES.ravel().tolist()
    corner = read(VALUES, [[1.0, 399.0], [250.0, 399.0], [600.0, 100.0], [np.nan, 1.0]])
    assert corner[:2] == pytest.approx([VALUES[0, 0], VALUES[0, 2]])
    assert np.isnan(corner[2:]).all()


def test_a_cell_without_a_value_lends_none_from_its_neighbours() -> None:
    holed = VALUES.copy()
    holed[1, 2] = np.nan
    found = read(holed, [[250.0, 250.0], [250.0 + 1e-9, 250.0], [210.0, 290.0]])
    assert np.isnan(found).all()
    # Beside the hole the neighbours that have a value are averaged.
    (beside,) = read(holed, [[190.0, 250.0]])
    assert beside == pytest.approx(VALUES[1, 1])


@given(st.integers(0, 3), st.integers(0, 4), st.integers(1, 3), st.integers(1, 3))
def test_part_of_the_grid_reads_its_own_cells(row, column, rows, columns) -> None:
    rows, columns = min(rows, 4 - row), min(columns, 5 - column)
    part = GRID.part(row, column, (rows, columns))
    found = rasters_on_grid(named_rasters(raster()), part)
    expected = VALUES[row : row + rows, column : column + columns]
    np.testing.assert_array_equal(found[:, 0], expected.ravel())


def test_rasters_of_one_grid_come_as_they_are_and_others_are_read_at_centres() -> None:
    fine = Grid.from_bounds((100, 100, 300, 300), 50, "EPSG:32647")
    both = named_rasters({"a": raster(), "b": fine.raster(np.ones((4, 4)))})
    found = rasters_on_grid(both, fine)
    assert found.shape == (16, 2)
    x, y = np.meshgrid(fine.x, fine.y)
    centres = np.column_stack([x.ravel(), y.ravel()])
    np.testing.assert_array_equal(found[:, 0], rasters_at(both, centres, None)[:, 0])
    assert (found[:, 1] == 1).all()
    flipped = raster().isel(y=slice(None, None, -1)).transpose("x", "y")
    np.testing.assert_array_equal(
        rasters_on_grid(named_rasters(flipped), GRID), VALUES.reshape(-1, 1)
    )


def test_a_drift_may_be_coordinates_and_rasters() -> None:
    both = DriftSettings.of(["quadratic", raster(), {"ndvi": raster(name="x")}])
    assert both.names == ("x", "y", "x2", "xy", "y2", "elevation", "ndvi")
    assert DriftSettings.of(raster().rename(None)).names == ("drift",)
    assert DriftSettings.of(raster().to_dataset()).names == ("elevation",)
    assert DriftSettings.of(None).title([]) == "ordinary kriging"
    assert DriftSettings.of("linear").title([]) == "universal kriging (linear)"
    assert both.title(["elevation", "ndvi"]) == (
        "kriging with external drift (quadratic, elevation, ndvi)"
    )
    with pytest.raises(InputError, match="Unknown drift 'linear', 'quadratic'"):
        DriftSettings.of(["linear", "quadratic"])


def test_values_of_a_drift_keep_their_names() -> None:
    heights = pd.Series([1.0, 2.0], name="elevation")
    assert drift_values(heights, 2)[1] == ("elevation",)
    assert drift_values(np.ones((2, 2)), 2)[1] == ("drift 1", "drift 2")
    assert drift_values(pd.DataFrame({"a": [1], "b": [2]}), 1)[1] == ("a", "b")
    assert not is_rasters(xr.DataArray([1.0], dims="point"))
    for odd in (np.ones((2, 2, 2)), np.ones((2, 0)), 3.0):
        with pytest.raises(InputError, match="2 points, but a drift of shape"):
            drift_values(odd, 2)


def test_columns_are_centred_and_scaled_and_turned_back() -> None:
    rng = np.random.default_rng(1)
    xy, heat = rng.uniform(2e5, 3e5, (9, 2)), rng.normal(size=(9, 1)) * 1e6
    basis = DriftBasis.of("linear", xy, heat, ("heat",))
    columns = basis.columns(xy, heat)
    np.testing.assert_allclose(columns[:, 1:].mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(np.ptp(columns[:, 1:], axis=0), 1)
    b, spread = rng.normal(size=4), np.cov(rng.normal(size=(4, 99)))
    table = basis.in_units(b, spread, level=7.0)
    raw = np.column_stack([np.ones(9), xy - xy.mean(axis=0), heat])
    np.testing.assert_allclose(raw @ table["coefficient"], 7.0 + columns @ b)
    back = np.linalg.lstsq(raw, columns)[0]
    np.testing.assert_allclose(
        table["standard_error"], np.sqrt(np.diag(back @ spread @ back.T)), rtol=1e-9
    )
