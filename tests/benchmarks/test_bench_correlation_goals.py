"""Correlation over time beside its peers in interleaved rounds, with the goals.

Peers that are not installed (xskillscore, cdo) are left out of the table.
"""

from __future__ import annotations

import importlib.util
import resource
import shutil
import statistics
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numba import njit
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import stats

from geosoil.correlation.temporal import correlate

Pair = tuple[xr.DataArray, xr.DataArray]
Calls = dict[str, Callable[[], object]]

SHAPE = (23, 600, 1300)
ROUNDS = 5
LOOPED = 400
"""Pixels of the scipy loop, whose time is extrapolated to the map."""


@njit
def numba_sum(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += value
    return total


def cubes(*, rounded: bool = False, shape: tuple[int, int, int] = SHAPE) -> Pair:
    """Two float32 cubes, a tenth missing in each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape, dtype=np.float32)
    y = 0.5 * x + rng.standard_normal(shape, dtype=np.float32)
    x = x * np.float32(8) + np.float32(280)
    if rounded:
        x, y = np.round(x), np.round(y * 2) / 2
    for values in (x, y):
        values[rng.random(shape, dtype=np.float32) < 0.1] = np.nan
    dims = ("time", "y", "x")
    return xr.DataArray(x, dims=dims), xr.DataArray(y, dims=dims)


def cpu_seconds() -> float:
    usage = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, usage))


def medians(benchmark: BenchmarkFixture, calls: Calls) -> dict[str, float]:
    """CPU seconds of each call, and seconds by the clock under "<name>, wall".

    The median of interleaved rounds, all warm.
    """
    spent: dict[str, list[float]] = {}

    def one_round() -> None:
        for name, call in calls.items():
            start, begun = cpu_seconds(), time.perf_counter()
            call()
            spent.setdefault(f"{name}, wall", []).append(time.perf_counter() - begun)
            spent.setdefault(name, []).append(cpu_seconds() - start)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=1)
    found = {name: statistics.median(seconds) for name, seconds in spent.items()}
    benchmark.extra_info.update(found)
    return found


def skill(kind: str, pair: Pair) -> Calls:
    """Calls of xskillscore, r and p, where it is installed."""
    if importlib.util.find_spec("xskillscore") is None:
        return {}
    import xskillscore

    functions = [getattr(xskillscore, f"{kind}_{end}") for end in ("r", "r_p_value")]
    return {"xskillscore": lambda: [f(*pair, "time", skipna=True) for f in functions]}


def cdo(pair: Pair, folder: Path) -> Calls:
    """The call of cdo's correlation, reading float32 files, where it is installed."""
    if shutil.which("cdo") is None:
        return {}
    files = []
    for name, cube in zip("xy", pair, strict=True):
        dated = cube.assign_coords(time=np.arange(cube.sizes["time"]))
        dated["time"].attrs["units"] = "days since 2001-01-01"
        files.append(str(folder / f"{name}.nc"))
        dated.to_dataset(name=name).to_netcdf(files[-1])
    command = ["cdo", "-s", "timcor", *files, str(folder / "out.nc")]
    return {"cdo timcor": lambda: subprocess.run(command, check=True)}


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300, interleaved")
@pytest.mark.filterwarnings("ignore")
def test_bench_pearson_goals(
    benchmark: BenchmarkFixture, goal: Callable[..., None], tmp_path: Path
) -> None:
    pair = cubes()
    flat = [cube.to_numpy().ravel() for cube in pair]
    half_map = tuple(cube[:, :300].copy() for cube in pair)
    half_time = tuple(cube[:11].copy() for cube in pair)
    calls: Calls = {
        "read": lambda: [numba_sum(values) for values in flat],
        "ours": lambda: correlate(*pair, statistics=()),
        "half the pixels": lambda: correlate(*half_map, statistics=()),
        "11 of 23 steps": lambda: correlate(*half_time, statistics=()),
        "all statistics": lambda: correlate(*pair),
        "xarray.corr": lambda: xr.corr(*pair, "time"),
        **skill("pearson", pair),
        **cdo(pair, tmp_path),
    }
    found = medians(benchmark, calls)
    ours = found["ours"]
    goal("Pearson r + p + n over reading both cubes", ours / found["read"], at_most=7)
    limits = {"xarray.corr": 10, "xskillscore": 40, "cdo timcor": 8}
    for peer in found.keys() & limits.keys():
        share = found[peer] / ours
        goal(f"Pearson r + p + n: {peer} over ours, CPU", share, at_least=limits[peer])
        share = found[f"{peer}, wall"] / found["ours, wall"]
        goal(f"Pearson r + p + n: {peer} over ours, wall", share, at_least=limits[peer])
    goal("all statistics over r + p + n", found["all statistics"] / ours, at_most=4)
    goal("half the pixels", found["half the pixels"] / ours, at_most=0.6)
    # p is made once a pixel, whatever the number of steps.
    goal("11 of 23 steps", found["11 of 23 steps"] / ours, at_most=0.75)


@pytest.mark.benchmark(group="ranks with ties 23 x 600 x 1300, interleaved")
@pytest.mark.filterwarnings("ignore")
def test_bench_rank_goals(
    benchmark: BenchmarkFixture, goal: Callable[..., None]
) -> None:
    pair = cubes(rounded=True)
    a, b = (cube.to_numpy().reshape(SHAPE[0], -1)[:, :LOOPED] for cube in pair)
    valid = np.isfinite(a) & np.isfinite(b)

    def loop(function: Callable[..., object]) -> Callable[[], object]:
        return lambda: [function(a[ok, j], b[ok, j]) for j, ok in enumerate(valid.T)]

    def ranked() -> xr.DataArray:
        """The formula of xarray: ranks of the complete pairs, then their r; no p."""
        whole = np.isfinite(pair[0]) & np.isfinite(pair[1])
        return xr.corr(*(cube.where(whole).rank("time") for cube in pair), "time")

    has_ranks = importlib.util.find_spec("bottleneck") is not None
    calls: Calls = {
        "spearman": lambda: correlate(*pair, method="spearman", statistics=()),
        "kendall": lambda: correlate(*pair, method="kendall", statistics=()),
        "scipy.spearmanr": loop(stats.spearmanr),
        "scipy.kendalltau": loop(stats.kendalltau),
        **({"xarray rank + corr": ranked} if has_ranks else {}),
        **skill("spearman", pair),
    }
    found = medians(benchmark, calls)
    whole = SHAPE[1] * SHAPE[2] / LOOPED
    for name, peer in (("spearman", "spearmanr"), ("kendall", "kendalltau")):
        share = whole * found[f"scipy.{peer}"] / found[name]
        goal(f"{name}: loop of scipy.{peer} over ours (extrapolated)", share,
             at_least=800)  # fmt: skip
    for peer, least in {"xarray rank + corr": 12, "xskillscore": 40}.items():
        for ours in ("spearman", "kendall") if peer in found else ():
            for clock, words in (("", "CPU"), (", wall", "wall")):
                share = found[f"{peer}{clock}"] / found[f"{ours}{clock}"]
                goal(f"{ours} r + p + n: {peer} over ours, {words}", share,
                     at_least=least)  # fmt: skip


@pytest.mark.benchmark(group="peak memory of pearson 23 x 600 x 1300")
def test_bench_peak_memory(
    benchmark: BenchmarkFixture, goal: Callable[..., None]
) -> None:
    """What is held beside the outputs, 25 bytes a pixel."""
    pair = cubes()
    correlate(*pair, statistics=())
    tracemalloc.start()
    found = correlate(*pair, statistics=())
    peak = tracemalloc.get_traced_memory()[1] - found.nbytes
    tracemalloc.stop()
    benchmark.pedantic(lambda: None)
    goal("peak beside the outputs [MiB]", peak / 2**20, at_most=32)
