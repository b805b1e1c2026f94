"""Blocks of a grid, on threads and on a cluster, are the surface in one piece."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import dask
import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.estimators import ScikitLearn
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.indicator import IndicatorKriging
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.large_grids import interpolate_blocks
from geosoil.interpolation.nearest import NearestNeighbor
from geosoil.interpolation.radial_basis import RadialBasis
from geosoil.interpolation.triangulation import Triangulation
from geosoil.interpolation.variogram import Variogram

RNG = np.random.default_rng(4)
LONGITUDE, LATITUDE = RNG.uniform(90, 102, 60), RNG.uniform(32, 36, 60)
VALUES = np.sin(LONGITUDE) + RNG.normal(0, 0.2, 60)
POINTS = gpd.GeoSeries.from_xy(LONGITUDE, LATITUDE, crs="EPSG:4326")
GRID = Grid.from_bounds((89.4, 31.5, 102.4, 36.5), 0.25, "EPSG:4326")
MODEL = Variogram("exponential", 0.05, 1.0, 150_000.0)
DRIFT = GRID.raster(np.hypot(*np.meshgrid(GRID.x - 95, GRID.y - 34)) * 1000)


class Linear:
    """Least squares on all columns, with the interface of scikit-learn."""

    def fit(self, X: np.ndarray, y: np.ndarray) -> None:
        self.slopes = np.linalg.lstsq(X, y, rcond=None)[0]

    def predict(self, X: np.ndarray) -> np.ndarray:
        return X @ self.slopes


MAKERS: dict[str, Callable[[], Interpolator]] = {
    "idw": InverseDistance,
    "idw-local": lambda: InverseDistance(n_neighbors=8),
    "nearest": NearestNeighbor,
    "linear": Triangulation,
    "spline": RadialBasis,
    "spline-local": lambda: RadialBasis(n_neighbors=12),
    "estimator-drift": lambda: ScikitLearn(Linear(), drift=DRIFT),
    "kriging": lambda: Kriging(MODEL),
    "kriging-local": lambda: Kriging(MODEL, n_neighbors=12),
    "kriging-within": lambda: Kriging(MODEL, max_distance=80_000.0),
    "kriging-drift": lambda: Kriging(MODEL, drift=DRIFT),
    "kriging-block": lambda: Kriging(MODEL, block="cell"),
}
ALL = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


class Counting(NearestNeighbor):
    """Notes the shape of each surface it makes."""

    made: ClassVar[list[tuple[int, int]]] = []

    def grid(self, grid: Grid) -> xr.Dataset:
        self.made.append(grid.shape)
        return super().grid(grid)


def on_threads(lazy: xr.Dataset) -> xr.Dataset:
    with dask.config.set(scheduler="threads", num_workers=2):
        return lazy.compute()


def assert_same_surface(found: xr.Dataset, expected: xr.Dataset) -> None:
    """Within the rounding of cell centres that are counted from another corner."""
    assert set(found.data_vars) == set(expected.data_vars)
    xr.testing.assert_allclose(found, expected, rtol=0, atol=1e-11)
    for name in expected.data_vars:
        assert found[name].attrs == expected[name].attrs
    assert Grid.of(found) == Grid.of(expected)


@ALL
def test_blocks_are_the_surface_in_one_piece(make: Callable[[], Interpolator]) -> None:
    fitted = make().fit(POINTS, VALUES)
    lazy = interpolate_blocks(fitted, GRID, chunks=(7, 20))
    assert lazy["estimate"].chunks == ((7, 7, 6), (20, 20, 12))
    expected = fitted.grid(GRID)
    assert np.isfinite(expected["estimate"]).any()
    found = on_threads(lazy)
    assert_same_surface(found, expected)
    of_cells = {k: v for k, v in expected.attrs.items() if k not in found.attrs}
    assert {**found.attrs, **of_cells} == expected.attrs
    assert all(key.startswith("n_") for key in of_cells)
    assert {"method", "n_points", "n_dropped", "n_merged"} <= found.attrs.keys()


@ALL
def test_what_was_fitted_travels_between_processes(
    make: Callable[[], Interpolator],
) -> None:
    fitted = make().fit(POINTS, VALUES)
    part = GRID.part(3, 5, (4, 6))
    before = pickle.loads(pickle.dumps(fitted)).grid(part)
    xr.testing.assert_identical(before, fitted.grid(part))
    xr.testing.assert_identical(pickle.loads(pickle.dumps(fitted)).grid(part), before)


def test_layers_of_a_variable_are_kept() -> None:
    kriging = IndicatorKriging(MODEL, thresholds=[-0.5, 0.0, 0.5]).fit(POINTS, VALUES)
    lazy = interpolate_blocks(kriging, GRID, chunks=(9, 30))
    assert lazy["probability"].dims == ("threshold", "y", "x")
    expected = kriging.grid(GRID)
    assert_same_surface(on_threads(lazy), expected)
    assert lazy.attrs["method"] == expected.attrs["method"]
    assert expected.attrs["largest_correction"] > 0
    assert "largest_correction" not in lazy.attrs


@given(rows=st.integers(4, 25), columns=st.integers(5, 30))
@settings(max_examples=6)
def test_the_size_of_the_blocks_changes_nothing(rows: int, columns: int) -> None:
    projected = POINTS.to_crs("EPSG:32647")
    fitted = InverseDistance().fit(projected, VALUES)
    grid = Grid.from_bounds((0, 3_500_000, 500_000, 3_900_000), 20_000, "EPSG:32647")
    found = interpolate_blocks(fitted, grid, chunks=(rows, columns))
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_identical(found.compute(), fitted.grid(grid))


def test_only_the_blocks_that_are_asked_for_are_made() -> None:
    fitted = Counting().fit(POINTS, VALUES)
    lazy = interpolate_blocks(fitted, GRID, chunks=(5, 13))
    assert set(Counting.made) == {(1, 1)}
    Counting.made.clear()
    lazy["estimate"][2:4, 27:30].compute(scheduler="synchronous")
    assert Counting.made == [(5, 13)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2,
            processes=True,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as made,
        distributed.Client(made.scheduler_address, set_as_default=False) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [make for name, make in MAKERS.items() if name != "estimator-drift"],
    ids=[name for name in MAKERS if name != "estimator-drift"],
)
def test_a_cluster_gives_the_surface_of_threads(
    cluster: Any, make: Callable[[], Interpolator]
) -> None:
    lazy = interpolate_blocks(make().fit(POINTS, VALUES), GRID, chunks=(5, 20))
    found = cluster.compute(lazy).result()
    assert_same_surface(found, on_threads(lazy))


def test_a_grid_beyond_the_budget_is_refused_before_any_work() -> None:
    fitted = InverseDistance().fit(POINTS, VALUES)
    wide = Grid.from_bounds((80, 30, 110, 40), 0.0005, "EPSG:4326")
    with pytest.raises(
        InputError,
        match=r"1,200,000,000 cells.* more than the limit of 4\.00 GiB\. Give a grid "
        r"of cells of 0\.00\d+ or wider or write it block by block",
    ):
        interpolate_blocks(fitted, wide)
    lazy = interpolate_blocks(fitted, wide, result="by block")
    assert lazy["estimate"].shape == (20_000, 60_000)
    corner = lazy["estimate"][-3:, -2:].compute(scheduler="synchronous")
    expected = fitted.grid(wide.part(19_997, 59_998, (3, 2)))["estimate"]
    np.testing.assert_allclose(corner, expected, rtol=1e-11)


def test_an_interpolator_that_is_not_fitted_is_refused() -> None:
    with pytest.raises(InputError, match="InverseDistance is not fitted"):
        interpolate_blocks(InverseDistance(), GRID)
