"""How fast kriging is cross-validated beside refitting; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import CrossValidation, cross_validate
from geosoil.interpolation.variogram import Variogram

Goal = Callable[..., None]

COUNT = 2500
REFITS = 4
MODEL = Variogram("spherical", 0.1, 0.9, 60_000.0)


@pytest.mark.benchmark(group="leave-one-out of 2,500 data")
def test_bench_leave_one_out(benchmark: BenchmarkFixture, goal: Goal) -> None:
    """Beside 2,500 refits, whose time is that of four of them times 625."""
    rng = np.random.default_rng(0)
    sites = rng.uniform(0, 500_000, (COUNT, 2))
    values = np.sin(sites[:, 0] / 40_000) + rng.normal(0, 0.3, COUNT)

    def ours() -> CrossValidation:
        return cross_validate(Kriging(MODEL), sites, values)

    found = benchmark.pedantic(ours, rounds=3, iterations=1, warmup_rounds=1)
    assert found.closed_form
    started = time.perf_counter()
    for row in range(REFITS):
        others = np.arange(COUNT) != row
        alone = Kriging(MODEL).fit(sites[others], values[others])
        answer = alone.predict(sites[row : row + 1])
        assert found.table["predicted"].iloc[row] == pytest.approx(
            answer["estimate"].item(), abs=1e-9
        )
        assert found.table["variance"].iloc[row] == pytest.approx(
            answer["kriging_variance"].item(), abs=1e-9
        )
    seconds = (time.perf_counter() - started) / REFITS * COUNT
    ratio = seconds / benchmark.stats.stats.median
    benchmark.extra_info["times faster than refitting"] = round(ratio)
    benchmark.extra_info["seconds of refitting, extrapolated"] = round(seconds)
    goal("leave-one-out, n = 2,500: times faster than refitting", ratio, at_least=100)
    goal("leave-one-out, n = 2,500: s", benchmark.stats.stats.median, at_most=10)
