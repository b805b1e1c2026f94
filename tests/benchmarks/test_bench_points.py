"""How fast a million points are read from a tiled GeoTIFF; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from pytest_benchmark.fixture import BenchmarkFixture
from rasterio.transform import from_bounds

from geosoil.io.geotiff_points import MEMORY, values_from_geotiff

Goal = Callable[..., None]

SHAPE = (3600, 7200)
POINTS = 1_000_000


@pytest.fixture(scope="module")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A global field at 0.05 degrees, float32 in compressed tiles of 512 cells."""
    rng = np.random.default_rng(0)
    wave = np.add.outer(np.sin(np.arange(3600) / 200), np.cos(np.arange(7200) / 300))
    values = np.round(wave + rng.normal(0, 0.02, SHAPE), 4).astype(np.float32)
    path = tmp_path_factory.mktemp("points") / "field.tif"
    profile = {"width": 7200, "height": 3600, "count": 1, "dtype": "float32"}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "predictor": 3}
    transform = from_bounds(-180, -90, 180, 90, 7200, 3600)
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        crs=4326,
        transform=transform,
        compress="deflate",
        **profile,
        **layout,
    ) as file:
        file.write(values, 1)
    return path


def places(west: float, south: float, east: float, north: float) -> gpd.GeoSeries:
    """A million points within bounds."""
    rng = np.random.default_rng(1)
    x, y = rng.uniform(west, east, POINTS), rng.uniform(south, north, POINTS)
    return gpd.GeoSeries.from_xy(x, y, crs="EPSG:4326")


def read_all(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read(1)


def ratio_to_reading(path: Path, sites: gpd.GeoSeries, rounds: int = 7) -> float:
    """Median of warm rounds, each with both in turn, so that a busy machine is fair."""
    ratios = []
    for _ in range(rounds + 1):
        seconds = []
        for work in (lambda: values_from_geotiff(path, sites), lambda: read_all(path)):
            started = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - started)
        ratios.append(seconds[0] / seconds[1])
    return float(np.median(ratios[1:]))


@pytest.mark.benchmark(group="1e6 points from a tiled 3600 x 7200 GeoTIFF")
def test_bench_a_million_points_cost_little_more_than_reading(
    benchmark: BenchmarkFixture, goal: Goal, tiled: Path
) -> None:
    sites = places(-180, -90, 180, 90)
    table = benchmark.pedantic(
        values_from_geotiff, (tiled, sites), rounds=5, warmup_rounds=1
    )
    x, y = sites.x.to_numpy()[:20_000], sites.y.to_numpy()[:20_000]
    started = time.perf_counter()
    with rasterio.open(tiled) as file:
        peer = np.array([cell[0] for cell in file.sample(zip(x, y, strict=True))])
    sampling = (time.perf_counter() - started) * POINTS / 20_000
    np.testing.assert_array_equal(table["band_1"].to_numpy()[:20_000], peer)
    tracemalloc.start()
    values_from_geotiff(tiled, sites)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    own = benchmark.stats.stats.median
    to_reading = ratio_to_reading(tiled, sites)
    benchmark.extra_info["ratio to reading the file"] = round(to_reading, 2)
    benchmark.extra_info["times faster than rasterio.sample"] = round(sampling / own)
    benchmark.extra_info["peak MiB"] = round(peak / 2**20)
    goal("1e6 points from a GeoTIFF / reading it", to_reading, at_most=1.3)
    times = sampling / own
    goal("1e6 points: times faster than rasterio.sample", times, at_least=50)
    assert peak <= MEMORY


@pytest.mark.benchmark(group="1e6 points from a tiled 3600 x 7200 GeoTIFF")
def test_bench_points_of_one_region_read_its_blocks_alone(
    benchmark: BenchmarkFixture, goal: Goal, tiled: Path
) -> None:
    sites = places(89.40, 31.55, 102.30, 36.30)
    table = benchmark.pedantic(
        values_from_geotiff, (tiled, sites), rounds=5, warmup_rounds=1
    )
    assert table["band_1"].notna().all()
    ratio = ratio_to_reading(tiled, sites)
    benchmark.extra_info["ratio to reading the file"] = round(ratio, 2)
    goal("1e6 points of one region / reading the file", ratio, at_most=0.8)
