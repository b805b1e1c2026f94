"""How fast a stack of a sinusoidal tile comes onto degrees beside rioxarray.

Run with ``pytest tests/benchmarks --benchmark-only``. Peak memory is that of a process
of its own, above what it takes once the modules are loaded.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from affine import Affine
from pyproj import CRS
from pytest_benchmark.fixture import BenchmarkFixture
from rasterio.enums import Resampling

from geosoil.grids.align import align
from geosoil.grids.grid import Grid

Goal = Callable[..., None]

DATES, CELLS = 23, 1200
SIDE = 1111950.5196666666
TARGET = Grid.from_bounds((94.0, 31.5, 98.0, 36.3), 0.05, "EPSG:4326")

PROGRAM = """
from pathlib import Path
import dask.array
import numpy as np
import xarray as xr
from test_bench_align import CELLS, DATES, TARGET, source_grid
from geosoil.grids.align import align

def layer(block_info=None):
    rng = np.random.default_rng(block_info[None]["chunk-location"][0])
    return rng.normal(size=(1, CELLS, CELLS)).astype("float32")

def peak():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if "VmHWM" in line)

chunks = ((1,) * DATES, (CELLS,), (CELLS,))
made = dask.array.map_blocks(layer, chunks=chunks, dtype="float32")
raster = xr.DataArray(made, dims=("time", "y", "x"))
raster = source_grid().georeference(raster)
align(TARGET.raster(np.zeros(TARGET.shape)), TARGET, method="area_average")
before = peak()
if not {lazy}:
    raster = raster.compute()
align(raster, TARGET, method="{method}").compute()
print(peak() - before)
"""


def source_grid() -> Grid:
    """Grid of the tile h25v05 at 1 km."""
    crs = CRS.from_user_input("+proj=sinu +R=6371007.181 +units=m +no_defs")
    step = SIDE / CELLS
    west, north = -20015109.354 + 25 * SIDE, 10007554.677 - 5 * SIDE
    return Grid(crs, Affine(step, 0, west, 0, -step, north), (CELLS, CELLS))


@pytest.fixture(scope="module")
def stack() -> xr.DataArray:
    """23 dates of a tile, a tenth of the cells missing."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(DATES, CELLS, CELLS)).astype("float32")
    values[rng.random(values.shape) < 0.1] = np.nan
    raster = xr.DataArray(values, dims=("time", "y", "x"), name="ndvi")
    return source_grid().georeference(raster).rio.write_nodata(np.nan)


def peer(stack: xr.DataArray, method: str) -> xr.DataArray:
    """Reproject by rioxarray with exact coordinates."""
    kind = "average" if method == "area_average" else method
    found: xr.DataArray = stack.rio.reproject(
        TARGET.crs,
        transform=TARGET.transform,
        shape=TARGET.shape,
        resampling=Resampling[kind],
        tolerance=0,
    )
    return found


@pytest.mark.benchmark(group="23 dates of 1200 x 1200 to 0.05 degrees")
@pytest.mark.parametrize("method", ["nearest", "bilinear", "average", "area_average"])
def test_bench_align(
    benchmark: BenchmarkFixture, goal: Goal, stack: xr.DataArray, method: str
) -> None:
    found = benchmark.pedantic(
        lambda: align(stack, TARGET, method=method), rounds=5, warmup_rounds=1
    )
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        dates = [peer(stack[date], method) for date in range(DATES)]
        seconds.append(time.perf_counter() - started)
    ratio = benchmark.stats.stats.min / min(seconds)
    benchmark.extra_info["time, rioxarray date by date = 1"] = round(ratio, 2)
    started = time.perf_counter()
    at_once = peer(stack, method)
    seconds.append(time.perf_counter() - started)
    ratio_at_once = benchmark.stats.stats.min / seconds[-1]
    benchmark.extra_info["time, rioxarray at once = 1"] = round(ratio_at_once, 2)
    # At once, a cell next to a gap is lost where another date has none there.
    lost = np.isnan(at_once.to_numpy()) & np.isfinite(found.to_numpy())
    benchmark.extra_info["share of cells lost at once"] = round(float(lost.mean()), 2)
    if method in ("bilinear", "average"):
        other = np.stack([date.to_numpy() for date in dates])
        np.testing.assert_allclose(found, other, rtol=0, atol=1e-6)
    goal(f"align {method}: seconds / rioxarray", ratio, at_most=1.5)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux")
@pytest.mark.benchmark(group="peak memory of 23 dates (132 MB)")
@pytest.mark.parametrize("method", ["average", "area_average"])
@pytest.mark.parametrize("lazy", [True, False])
def test_bench_memory(benchmark: BenchmarkFixture, method: str, lazy: bool) -> None:
    def peak() -> float:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(method=method, lazy=lazy)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).parent,
        )
        return float(done.stdout)

    megabytes = benchmark.pedantic(peak, rounds=1)
    benchmark.extra_info["MB"] = round(megabytes)
    # In memory, dask holds the stack twice while it joins the dates.
    assert megabytes < (120 if lazy else 350)
