"""How fast a moving window is beside box filters of scipy; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.ndimage import uniform_filter, zoom

from geosoil.correlation.window import window_correlation

Pair = tuple[xr.DataArray, xr.DataArray]
ROUNDS = 9


@pytest.fixture(scope="module")
def maps() -> Pair:
    """Two float32 maps of 1800 x 3600, smooth plus noise, holes and gaps in them."""
    rng = np.random.default_rng(0)
    shape = (1800, 3600)

    def smooth(scale: int) -> np.ndarray:
        coarse = rng.standard_normal((shape[0] // scale + 2, shape[1] // scale + 2))
        fine = zoom(coarse.astype(np.float32), scale, order=1)
        return fine[: shape[0], : shape[1]]

    def noise() -> np.ndarray:
        return 0.3 * rng.standard_normal(shape, dtype=np.float32)

    x = smooth(40) + noise()
    y = 0.6 * x + 0.5 * smooth(30) + noise()
    x[smooth(60) > 1.2] = np.nan
    y[rng.random(shape) < 0.05] = np.nan
    return xr.DataArray(x, dims=("y", "x")), xr.DataArray(y, dims=("y", "x"))


def box_filters(x: xr.DataArray, y: xr.DataArray, size: int) -> np.ndarray:
    """The usual formula: six box filters in float64."""
    valid = np.isfinite(x.to_numpy()) & np.isfinite(y.to_numpy())
    a, b = (np.where(valid, v.to_numpy(), 0).astype(np.float64) for v in (x, y))

    def mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, size, mode="constant")

    n = mean(valid.astype(np.float64))
    n[n < 0.5 / size**2] = np.nan
    u, v = mean(a) / n, mean(b) / n
    with np.errstate(all="ignore"):
        spread = (mean(a * a) / n - u * u) * (mean(b * b) / n - v * v)
        return (mean(a * b) / n - u * v) / np.sqrt(spread)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.benchmark(group="windows, 1800 x 3600")
@pytest.mark.parametrize("size", [5, 21])
def test_bench_window_correlation(
    benchmark: BenchmarkFixture, maps: Pair, size: int
) -> None:
    found = window_correlation(*maps, size=size)
    benchmark(window_correlation, *maps, size=size)
    expected = box_filters(*maps, size)
    sure = (found.n > size).to_numpy() & np.isfinite(expected)
    np.testing.assert_allclose(found.r.to_numpy()[sure], expected[sure], atol=1e-6)


@pytest.mark.benchmark(group="windows, 1800 x 3600")
def test_bench_box_filters_float64(benchmark: BenchmarkFixture, maps: Pair) -> None:
    benchmark.pedantic(box_filters, (*maps, 5), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="windows, 1800 x 3600")
def test_bench_goals_in_interleaved_rounds(
    benchmark: BenchmarkFixture, maps: Pair, goal: Callable[..., None]
) -> None:
    """Ten times below box filters, and the size of the window is free."""
    calls = {
        "small": lambda: window_correlation(*maps, size=5),
        "large": lambda: window_correlation(*maps, size=21),
        "filters": lambda: box_filters(*maps, 5),
    }
    spent: dict[str, list[float]] = {}

    def one_round() -> None:
        for name, call in calls.items():
            start, begun = cpu_seconds(), time.perf_counter()
            call()
            spent.setdefault(f"{name}, wall", []).append(time.perf_counter() - begun)
            spent.setdefault(name, []).append(cpu_seconds() - start)

    benchmark.pedantic(one_round, rounds=ROUNDS, warmup_rounds=1)
    median = {name: statistics.median(seconds) for name, seconds in spent.items()}
    benchmark.extra_info.update(median)
    for end, words in (("", "CPU"), (", wall", "wall")):
        goal(
            f"window 5 x 5, 1800 x 3600: float64 box filters over ours, {words}",
            median[f"filters{end}"] / median[f"small{end}"],
            at_least=10,
        )
    goal(
        "window 21 x 21 over 5 x 5, CPU",
        median["large"] / median["small"],
        at_most=1.3,
    )
