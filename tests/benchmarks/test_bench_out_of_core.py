"""Correlation of two variables larger than memory is meant to be, against the read."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

Goal = Callable[..., None]
Measured = dict[str, float]

ROWS, COLUMNS = 1800, 3600
CHUNKS = (1, 450, 900)
FILL = -3000
ROUNDS = 2

READ = """
import netCDF4
with netCDF4.Dataset(path) as data:
    for name in ("a", "b"):
        data[name].set_auto_maskandscale(False)
        for k in range(data[name].shape[0]):
            data[name][k]
answer = 0.0
"""
LAZY = """
from geosoil.correlation.temporal import correlate
from geosoil.io.lazy_netcdf import open_netcdf_lazily
a, b = (open_netcdf_lazily(path, name) for name in ("a", "b"))
found = correlate(a, b, statistics=()).compute()
answer = float(found["r"].mean())
"""
XARRAY = """
import xarray as xr
from geosoil.correlation.temporal import correlate
with xr.open_dataset(path, chunks={}) as data:
    found = correlate(data["a"], data["b"], statistics=()).compute()
answer = float(found["r"].mean())
"""
PEER = """
import xarray as xr
with xr.open_dataset(path, chunks={}) as data:
    whole = [data[name].chunk(time=-1) for name in ("a", "b")]
    answer = float(xr.corr(*whole, "time").compute().mean())
"""
END = """
import json, resource
spent = resource.getrusage(resource.RUSAGE_SELF)
# The peak that getrusage tells is inherited from the process that started this one.
lines = open("/proc/self/status").read().splitlines()
peak = next(int(line.split()[1]) / 1024 for line in lines if "VmHWM" in line)
print(json.dumps({"wall": time.perf_counter() - begun, "peak": peak,
                  "cpu": spent.ru_utime + spent.ru_stime, "answer": answer}))
"""


def write_pair(path: Path, steps: int) -> Path:
    """Write two packed variables whose seasons and noise correlate moderately."""
    rng = np.random.default_rng(0)
    place = rng.normal(3000, 800, (ROWS // 10, COLUMNS // 10))
    place = place.repeat(10, 0).repeat(10, 1)
    with netCDF4.Dataset(path, "w") as data:
        for name, size in (("time", steps), ("y", ROWS), ("x", COLUMNS)):
            data.createDimension(name, size)
        pair = [
            data.createVariable(
                name,
                "i2",
                ("time", "y", "x"),
                zlib=True,
                complevel=1,
                chunksizes=CHUNKS,
                fill_value=FILL,
            )
            for name in ("a", "b")
        ]
        for variable in pair:
            variable.scale_factor = 1e-4
            variable.set_auto_maskandscale(False)
        for k in range(steps):
            common = rng.integers(-200, 200, (ROWS, COLUMNS), dtype=np.int16)
            for which, variable in enumerate(pair):
                field = place + 300 * np.sin(k / 6 + 1.5 * which) + common
                field += rng.integers(-200, 200, field.shape)
                gaps = rng.random((ROWS // 20, COLUMNS // 20)) < 0.1
                field[gaps.repeat(20, 0).repeat(20, 1)] = FILL
                variable[k] = field.astype(np.int16)
    return path


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("pair") / "pair.nc", 46)


@pytest.fixture(scope="module")
def longer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("longer") / "longer.nc", 92)


def alone(code: str, path: Path) -> Measured:
    """Run code in its own process: seconds with its start, CPU seconds, peak MiB."""
    whole = f"import time\nbegun = time.perf_counter()\npath = {str(path)!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", whole + code + END],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    found: Measured = json.loads(done.stdout)
    return found


def best(codes: list[str], path: Path) -> list[Measured]:
    """Measure in interleaved rounds; take the shortest and the leanest of each."""
    rounds = [[alone(code, path) for code in codes] for _ in range(ROUNDS)]
    return [
        {key: min(turn[key] for turn in turns) for key in turns[0]}
        for turns in zip(*rounds, strict=True)
    ]


@pytest.mark.slow
@pytest.mark.benchmark(group="out of core, 46 x 1800 x 3600 twice")
def test_bench_out_of_core(
    benchmark: BenchmarkFixture, goal: Goal, pair: Path, longer: Path
) -> None:
    alone(LAZY, pair)  # compiles what is not yet on the disk
    read, lazy, plain, peer = best([READ, LAZY, XARRAY, PEER], pair)
    np.testing.assert_allclose(lazy["answer"], peer["answer"], rtol=0, atol=1e-6)
    benchmark.pedantic(alone, (LAZY, pair), rounds=1)
    twice = alone(LAZY, longer)
    for name, found in (("read", read), ("lazy", lazy), ("xarray", plain),
                        ("peer", peer), ("92 steps", twice)):  # fmt: skip
        benchmark.extra_info[name] = {key: round(v, 2) for key, v in found.items()}
    start = "out of core: "
    goal(f"{start}lazy opener / plain read", lazy["wall"] / read["wall"], at_most=1.4)
    goal(f"{start}xarray opener / read", plain["wall"] / read["wall"], at_most=1.4)
    goal(f"{start}CPU seconds / plain read", lazy["cpu"] / read["cpu"], at_most=2.0)
    goal(f"{start}xr.corr / lazy opener", peer["wall"] / lazy["wall"], at_least=2.5)
    limit = 500 + 60 * ROWS * COLUMNS / 2**20
    goal(f"{start}peak MiB, 46 steps", lazy["peak"], at_most=limit)
    goal(f"{start}peak MiB, 92 steps", twice["peak"], at_most=limit)
