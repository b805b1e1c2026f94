"""How fast MODIS files are read beside plain pyhdf; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import itertools
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pyhdf.SD import SD
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter

from geosoil.grids.smoothing import Whittaker, smooth_series
from geosoil.io._hdf4 import describe, read_window
from geosoil.io._worker_pool import POOL, most_workers
from geosoil.io.modis import open_modis
from geosoil.io.modis_options import ModisOptions
from tests.io.test_modis import NDVI, write_granule

Goal = Callable[..., None]

ROUNDS = 5
REGION = (89.7, 31.6, 102.45, 36.25)
ROWS, COLUMNS = slice(1075, 1168), slice(5394, 5649)
NAME = "CMG 0.05 Deg 16 days"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six global files of 3600 x 7200 cells, compressed in one stream a layer."""
    rng = np.random.default_rng(0)
    smooth = gaussian_filter(rng.normal(size=(900, 1800)), 6).repeat(4, 0).repeat(4, 1)
    ndvi = 3000 + 2000 * smooth / smooth.std() + rng.normal(0, 40, smooth.shape)
    ndvi[gaussian_filter(rng.normal(size=(900, 1800)), 40).repeat(4, 0).repeat(4, 1)
         > 0] = -3000  # fmt: skip
    stored = np.clip(ndvi, -3000, 10000).astype("int16")
    ranks = rng.choice(np.array([0, 0, 0, 1, 2, 3], "int8"), stored.shape)
    folder = tmp_path_factory.mktemp("modis")
    first = write_granule(
        folder / "MOD13C1.A2020001.061.hdf",
        {f"{NAME} NDVI": (stored, NDVI),
         f"{NAME} pixel reliability": (ranks, {"_FillValue": -1})},
        corners=(-180e6, 90e6, 180e6, -90e6), deflate=True,
    )  # fmt: skip
    copies = [folder / f"MOD13C1.A2020{1 + 16 * n:03d}.061.hdf" for n in range(1, 6)]
    return [first, *(Path(shutil.copy(first, copy)) for copy in copies)]


@dataclass(frozen=True, slots=True)
class Spent:
    """Least seconds of an action over some rounds."""

    wall: float
    cpu: float
    """Of this process and of the workers together."""

    def __truediv__(self, other: Spent) -> tuple[float, float]:
        return self.wall / other.wall, self.cpu / other.cpu


def cpu_seconds() -> float:
    """Return the processor time of this process and of the idle workers."""
    total, tick = time.process_time(), os.sysconf("SC_CLK_TCK")
    for worker in POOL.idle:
        status = Path(f"/proc/{worker.process.pid}/stat")
        if status.exists():
            fields = status.read_text().rsplit(") ", 1)[1].split()
            total += (int(fields[11]) + int(fields[12])) / tick
    return total


def interleaved(*actions: Callable[[], object]) -> list[Spent]:
    """Run actions in turn; the least counts, as a busy machine only ever adds.

    Others may use the machine meanwhile: then processor time says what wall time
    would be on an idle one.
    """
    rounds: list[list[tuple[float, float]]] = [[] for _ in actions]
    for _ in range(ROUNDS):
        for action, spent in zip(actions, rounds, strict=True):
            wall, cpu = time.perf_counter(), cpu_seconds()
            action()
            spent.append((time.perf_counter() - wall, cpu_seconds() - cpu))
    return [Spent(*map(min, zip(*spent, strict=True))) for spent in rounds]


@pytest.mark.benchmark(group="the region's window from six global files")
def test_bench_windows(
    benchmark: BenchmarkFixture, goal: Goal, files: list[Path]
) -> None:
    start = (ROWS.start, COLUMNS.start)
    count = (ROWS.stop - ROWS.start, COLUMNS.stop - COLUMNS.start)

    def plain() -> list[np.ndarray]:
        found = []
        for path in files:
            file = SD(str(path))
            for layer in ("NDVI", "pixel reliability"):
                dataset = file.select(f"{NAME} {layer}")
                found.append(dataset.get(start=start, count=count))
                dataset.endaccess()
            file.end()
        return found

    def ours() -> np.ndarray:
        return open_modis(files, bbox=REGION).to_numpy()

    stored = plain()
    kept = [
        (ndvi != -3000) & (rank <= 1)
        for ndvi, rank in zip(stored[::2], stored[1::2], strict=True)
    ]
    np.testing.assert_array_equal(np.isfinite(ours()), kept)
    benchmark(ours)
    naive, found = interleaved(plain, ours)
    wall, cpu = found / naive
    benchmark.extra_info["seconds / plain pyhdf"] = round(wall, 2)
    benchmark.extra_info["CPU seconds / plain pyhdf"] = round(cpu, 2)
    workers = min(most_workers(), len(files))
    share = min(wall, cpu / workers)
    goal("windows of 6 HDF files: 2 workers / plain pyhdf", share, at_most=0.65)


@pytest.mark.benchmark(group="a full layer through the worker")
def test_bench_full_layer(
    benchmark: BenchmarkFixture, goal: Goal, files: list[Path]
) -> None:
    dataset = describe(files[0]).datasets[0]

    def plain() -> np.ndarray:
        file = SD(str(files[0]))
        values = file.select(0).get()
        file.end()
        return values

    def ours() -> np.ndarray:
        return read_window(files[0], dataset)

    np.testing.assert_array_equal(ours(), plain())
    benchmark(ours)
    naive, found = interleaved(plain, ours)
    wall, cpu = found / naive
    benchmark.extra_info["seconds / pyhdf in process"] = round(wall, 2)
    benchmark.extra_info["CPU seconds / pyhdf in process"] = round(cpu, 2)
    goal("a full HDF layer: worker / in process", min(wall, cpu), at_most=1.3)


@pytest.mark.benchmark(group="a layer tile by tile")
def test_bench_lazy_tiles(
    benchmark: BenchmarkFixture, goal: Goal, files: list[Path]
) -> None:
    lazily = ModisOptions(reading="lazy", checksums="ignore")
    tiles = list(itertools.product(range(0, 3600, 1200), range(0, 7200, 1200)))

    def whole() -> np.ndarray:
        return open_modis(files[0], quality="all").to_numpy()

    def tiled() -> int:
        values = open_modis(files[0], quality="all", options=lazily)
        # From the end to the beginning: the worst order for a compressed layer.
        return sum(
            values[0, row : row + 1200, column : column + 1200].to_numpy().size
            for row, column in tiles[::-1]
        )

    def naive() -> None:
        dataset = describe(files[0]).datasets[0]
        for start in tiles:
            read_window(files[0], dataset, start=start, count=(1200, 1200))

    assert tiled() == whole().size
    benchmark(tiled)
    full, found = interleaved(whole, tiled)
    wall, cpu = found / full
    benchmark.extra_info["seconds / one full read"] = round(wall, 2)
    benchmark.extra_info["CPU seconds / one full read"] = round(cpu, 2)
    started = cpu_seconds()
    naive()
    ratio = (cpu_seconds() - started) / full.cpu
    benchmark.extra_info["naive tiles, CPU / one full read"] = round(ratio, 1)
    goal("a layer by lazy tiles / one full read", min(wall, cpu), at_most=1.1)


@pytest.mark.benchmark(group="smoothing 100,000 series of 23 dates with gaps")
def test_bench_smoothing(benchmark: BenchmarkFixture, goal: Goal) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(23, 100_000))
    values[rng.random(values.shape) < 0.15] = np.nan
    times = pd.date_range("2020-01-01", periods=23, freq="16D")
    raster = xr.DataArray(values, dims=("time", "x"), coords={"time": times})
    method = Whittaker(10.0)

    def ours() -> np.ndarray:
        return smooth_series(raster, method, max_gap=1000)["composite"].to_numpy()

    def loop(count: int) -> np.ndarray:
        differences = np.diff(np.eye(23), n=2, axis=0)
        full = 10.0 * differences.T @ differences
        penalty = np.array([np.append(np.diag(full, -k), [0.0] * k) for k in range(3)])
        found = np.empty((23, count))
        for column in range(count):
            weights = np.isfinite(values[:, column]).astype(float)
            bands = penalty.copy()
            bands[0] += weights
            right = weights * np.nan_to_num(values[:, column])
            found[:, column] = solveh_banded(bands, right, lower=True)
        return found

    expected, found = loop(2000), ours()[:, :2000]
    there = np.isfinite(found)
    np.testing.assert_allclose(found[there], expected[there], atol=1e-10)
    benchmark(ours)
    whole, part = interleaved(ours, lambda: loop(2000))
    times_faster = part.cpu * 50 / whole.cpu
    benchmark.extra_info["times faster than a loop"] = round(times_faster, 1)
    goal("Whittaker: times faster than a loop", times_faster, at_least=8)
