"""How fast a time stack is summarised in polygons; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from exactextract import exact_extract
from exactextract.feature import GeoPandasFeatureSource
from exactextract.raster import NumPyRasterSource
from pytest_benchmark.fixture import BenchmarkFixture
from rasterio.features import rasterize
from rasterio.windows import Window
from rasterio.windows import from_bounds as window_of
from rasterio.windows import transform as transform_of

from geosoil.grids.grid import Grid
from geosoil.grids.zonal import zonal_statistics

Goal = Callable[..., None]

GRID = Grid.from_bounds((70.0, 20.0, 130.0, 50.0), 0.05, "EPSG:4326")
TIMES = 23


@pytest.fixture(scope="module")
def stack() -> xr.DataArray:
    """A year of composites, 23 x 600 x 1200 float32, a tenth missing."""
    rng = np.random.default_rng(0)
    values = rng.standard_normal((TIMES, *GRID.shape), dtype=np.float32)
    values[rng.random(values.shape, dtype=np.float32) < 0.1] = np.nan
    times = pd.date_range("2020-01-01", periods=TIMES, freq="16D")
    flat = xr.DataArray(values, dims=("time", "y", "x"), coords={"time": times})
    return GRID.georeference(flat)


@pytest.fixture(scope="module")
def zones() -> gpd.GeoDataFrame:
    """500 polygons, many of which overlap."""
    rng = np.random.default_rng(1)
    centres = shapely.points(rng.uniform(72, 128, 500), rng.uniform(22, 48, 500))
    shapes = shapely.buffer(centres, rng.uniform(0.2, 1.2, 500), quad_segs=20)
    return gpd.GeoDataFrame(geometry=shapes, crs="EPSG:4326")


def by_windows(field: np.ndarray, zones: gpd.GeoDataFrame) -> np.ndarray:
    """Mean of cell centres, one polygon after another."""
    means = []
    for shape in zones.geometry:
        window = window_of(*shape.bounds, transform=GRID.transform)
        top, left = int(window.row_off), int(window.col_off)
        window = Window(left, top, int(window.width) + 2, int(window.height) + 2)
        part = field[top : top + window.height, left : left + window.width]
        inside = rasterize(
            [(shape, 1)],
            out_shape=part.shape,
            transform=transform_of(window, GRID.transform),
            dtype="uint8",
        )
        means.append(np.nanmean(part[inside == 1]))
    return np.array(means)


def by_exactextract(field: np.ndarray, zones: gpd.GeoDataFrame) -> np.ndarray:
    """Mean by exact coverage, the geometry anew for each field."""
    source = NumPyRasterSource(
        np.ma.masked_invalid(field), *GRID.bounds, srs_wkt=zones.crs.to_wkt()
    )
    features = GeoPandasFeatureSource(zones)
    return exact_extract(source, features, ["mean"], output="pandas")["mean"].to_numpy()


@pytest.mark.benchmark(group="500 polygons, 23 x 600 x 1200")
def test_bench_a_stack_is_summarised_in_one_pass_of_the_geometry(
    benchmark: BenchmarkFixture,
    goal: Goal,
    stack: xr.DataArray,
    zones: gpd.GeoDataFrame,
) -> None:
    def ours() -> pd.DataFrame:
        return zonal_statistics(stack, zones, stats=("mean", "count"))

    table = benchmark.pedantic(ours, rounds=5, warmup_rounds=1)
    own = benchmark.stats.stats.median
    fields = stack.to_numpy()
    started = time.perf_counter()
    exact = [by_exactextract(field, zones) for field in fields[:3]]
    field_by_field = (time.perf_counter() - started) * TIMES / 3
    started = time.perf_counter()
    loop = by_windows(fields[0], zones)
    windows = (time.perf_counter() - started) * TIMES
    means = table.filter(like="mean_").to_numpy().T
    np.testing.assert_allclose(means[:3], exact, rtol=0, atol=1e-6)
    assert np.corrcoef(means[0], loop)[0, 1] > 0.98
    tracemalloc.start()
    ours()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    benchmark.extra_info["times faster than exactextract by field"] = round(
        field_by_field / own, 1
    )
    benchmark.extra_info["ratio to a loop of windows"] = round(own / windows, 2)
    benchmark.extra_info["peak MiB"] = round(peak / 2**20)
    times = field_by_field / own
    goal("zones of a stack: times faster than by field", times, at_least=4)
    goal("zones of a stack / a loop of windows", own / windows, at_most=0.7)
    assert peak < 64 * 2**20
