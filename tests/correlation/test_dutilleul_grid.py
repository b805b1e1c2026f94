"""Dutilleul's test of whole maps against the same cells as points."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from scipy import ndimage

from geosoil.correlation import dutilleul_grid
from geosoil.correlation.dutilleul import DutilleulTest, dutilleul_test
from geosoil.correlation.dutilleul_grid import cells_of
from geosoil.errors import InputError
from geosoil.grids.grid import Grid

METRES = CRS.from_epsg(32647)
DEGREES = CRS.from_epsg(4326)


def grid_of(crs: CRS, shape: tuple[int, int], cell: tuple[float, float]) -> Grid:
    west, north = (95.0, 36.0) if crs.is_geographic else (412_000.0, 3_812_000.0)
    return Grid(crs, Affine(cell[0], 0, west, 0, -cell[1], north), shape)


def as_points(
    x: np.ndarray, y: np.ndarray, grid: Grid, n_classes: int
) -> DutilleulTest:
    east, north = (c.ravel() for c in np.meshgrid(grid.x, grid.y))
    at = gpd.GeoSeries(gpd.points_from_xy(east, north), crs=grid.crs)
    return dutilleul_test(x.ravel(), y.ravel(), at, n_classes=n_classes)


def assert_same(
    found: DutilleulTest, expected: DutilleulTest, *, rel: float = 1e-9
) -> None:
    assert (found.n, found.reason) == (expected.n, expected.reason)
    np.testing.assert_array_equal(found.class_pairs, expected.class_pairs)
    np.testing.assert_allclose(found.class_upper, expected.class_upper, rtol=1e-10)
    for name in ("moran_x", "moran_y"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=0, atol=1e-11
        )
    assert found.r == expected.r
    assert found.n_effective == pytest.approx(expected.n_effective, rel=rel)
    assert found.p_value == pytest.approx(expected.p_value, rel=rel, nan_ok=True)


def smooth_maps(
    rng: np.random.Generator, shape: tuple[int, int], share: float
) -> list[np.ndarray]:
    """Two smooth fields with gaps of their own."""
    maps = []
    for noise in rng.normal(280, 1, size=(2, *shape)):
        field = ndimage.gaussian_filter(noise, 1.0) + 0.1 * noise
        maps.append(np.where(rng.random(shape) < share, np.nan, field))
    return maps


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(1, 14), st.integers(1, 14)).filter(
        lambda s: s[0] * s[1] >= 12
    ),
    cell=st.sampled_from([(1.0, 1.0), (30.0, 30.0), (250.0, 100.0), (1.1, 0.7)]),
    share=st.sampled_from([0.0, 0.2, 0.5]),
    number=st.integers(1, 20),
)
@pytest.mark.parametrize("crs", [METRES, DEGREES], ids=["metres", "degrees"])
def test_a_grid_says_what_its_cells_as_points_say(
    crs: CRS,
    seed: int,
    shape: tuple[int, int],
    cell: tuple[float, float],
    share: float,
    number: int,
) -> None:
    if crs.is_geographic:
        cell = (cell[0] / 1000, cell[1] / 1000)
    x, y = smooth_maps(np.random.default_rng(seed), shape, share)
    if (np.isfinite(x) & np.isfinite(y)).sum() < 4:
        x, y = np.nan_to_num(x, nan=279.5), np.nan_to_num(y, nan=280.5)
    grid = grid_of(crs, shape, cell)
    found = dutilleul_test(x, y, grid, n_classes=number)
    expected = as_points(x, y, grid, number)
    np.testing.assert_array_equal(found.class_pairs, expected.class_pairs)
    # A denominator that all but vanishes makes any number out of rounding.
    if abs(expected.n_effective) < 1e4:
        assert_same(found, expected)


def test_distances_on_a_bound_belong_to_the_class_below() -> None:
    # The largest distance in a row of 27 cells is 26 steps: each of 13 bounds is two
    # more, and 0.1 m is no number of the machine.
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 1, 27))
    grid = grid_of(METRES, (1, 27), (0.1, 0.1))
    found = dutilleul_test(x, y, grid)
    by_steps = 27 - np.arange(1, 27)
    np.testing.assert_array_equal(
        found.class_pairs, by_steps.reshape(13, 2).sum(axis=1)
    )
    assert_same(found, as_points(x, y, grid, 13))


def test_the_whole_globe_is_measured_through_the_sphere() -> None:
    rng = np.random.default_rng(2)
    grid = Grid.from_bounds((-180, -90, 180, 90), 10.0, DEGREES)
    x, y = smooth_maps(rng, grid.shape, 0.4)
    found = dutilleul_test(x, y, grid)
    assert_same(found, as_points(x, y, grid, 13))
    assert found.class_upper[-1] <= 2 * 6371007.181


def test_missing_margins_shorten_the_largest_distance() -> None:
    rng = np.random.default_rng(3)
    for crs, cell in ((METRES, 500.0), (DEGREES, 0.05)):
        grid = grid_of(crs, (20, 30), (cell, cell))
        x, y = rng.normal(size=(2, *grid.shape))
        x[:, 12:] = np.nan
        y[7:] = np.nan
        cells = cells_of(np.isfinite(x) & np.isfinite(y), grid)
        found = dutilleul_test(x, y, grid)
        assert found.class_upper[-1] == pytest.approx(cells.longest(), rel=1e-14)
        assert_same(found, as_points(x, y, grid, 13))
        if not crs.is_geographic:
            assert cells.longest() == pytest.approx(500 * np.hypot(6, 11))


def test_rows_in_batches_add_up_to_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = smooth_maps(np.random.default_rng(4), (13, 17), 0.2)
    grid = grid_of(DEGREES, (13, 17), (0.05, 0.05))
    whole = dutilleul_test(x, y, grid)
    for batch in (1, 17 * 3, 17 * 5):
        monkeypatch.setattr(dutilleul_grid, "BATCH", batch)
        assert_same(dutilleul_test(x, y, grid), whole, rel=1e-11)


def test_labelled_rasters_are_maps() -> None:
    rng = np.random.default_rng(5)
    grid = grid_of(DEGREES, (8, 9), (0.05, 0.05))
    x, y = (grid.raster(values) for values in rng.normal(size=(2, 8, 9)))
    found = dutilleul_test(x, y, Grid.of(x), n_classes="sturges")
    assert len(found.class_upper) == int(1.5 + 3.3 * np.log10(72 * 71 / 2))
    assert found.r == pytest.approx(float(xr.corr(x, y)), abs=1e-14)


def test_a_constant_map_has_no_r() -> None:
    grid = grid_of(METRES, (5, 5), (1.0, 1.0))
    rising = np.arange(25.0).reshape(5, 5)
    found = dutilleul_test(np.full((5, 5), 0.3), rising, grid)
    assert found.reason == "constant_x"
    assert np.isnan(found.p_value)


def test_maps_that_cannot_be_are_refused() -> None:
    grid = grid_of(METRES, (3, 4), (1.0, 1.0))
    x = np.arange(12.0).reshape(3, 4)
    with pytest.raises(InputError, match=r"shapes \(3, 4\), \(12,\) and \(3, 4\)"):
        dutilleul_test(x, x.ravel(), grid)
    with pytest.raises(InputError, match="at every cell of the grid"):
        dutilleul_test(x[:2], x[:2], grid)
    with pytest.raises(InputError, match="3 valid pairs, at least 4"):
        dutilleul_test(np.where(x < 3, x, np.nan), x, grid)


def test_400_by_500_cells_have_the_pairs_and_products_of_closed_form() -> None:
    # x differs by column and y by row alone: their products at an offset factorise.
    rows, columns = 400, 500
    rng = np.random.default_rng(6)
    by_column, by_row = rng.normal(size=columns), rng.normal(size=rows)
    x, y = np.broadcast_arrays(by_column, by_row[:, None])
    found = dutilleul_test(x, y, grid_of(METRES, x.shape, (30.0, 30.0)))
    down, right = np.mgrid[0:rows, 0:columns]
    sides = np.where((down > 0) & (right > 0), 2, 1) * ((down > 0) | (right > 0))
    bounds = found.class_upper * (1 + 1e-9)
    which = np.searchsorted(bounds, 30 * np.hypot(down, right)).ravel()

    def by_class(along_rows: np.ndarray, along_columns: np.ndarray) -> np.ndarray:
        products = sides * along_rows[:, None] * along_columns
        return np.bincount(which, products.ravel(), minlength=13)

    pairs_down, pairs_right = rows - np.arange(rows), columns - np.arange(columns)
    pairs = by_class(pairs_down, pairs_right)
    np.testing.assert_array_equal(found.class_pairs, pairs)
    z = (by_column - by_column.mean()) / by_column.std()
    products = by_class(pairs_down, np.correlate(z, z, "full")[columns - 1 :])
    np.testing.assert_allclose(found.moran_x, products / pairs, rtol=0, atol=1e-12)
    z = (by_row - by_row.mean()) / by_row.std()
    products = by_class(np.correlate(z, z, "full")[rows - 1 :], pairs_right)
    np.testing.assert_allclose(found.moran_y, products / pairs, rtol=0, atol=1e-12)
    assert found.n == 200_000
    assert found.r == pytest.approx(0, abs=1e-12)
    assert 2 < found.n_effective < found.n


@pytest.mark.slow
def test_a_regional_map_of_degrees_equals_its_points() -> None:
    x, y = smooth_maps(np.random.default_rng(7), (95, 258), 0.3)
    grid = grid_of(DEGREES, (95, 258), (0.05, 0.05))
    assert_same(dutilleul_test(x, y, grid), as_points(x, y, grid, 13))
