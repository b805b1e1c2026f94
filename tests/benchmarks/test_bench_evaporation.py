"""How fast samples are led back to their source; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.tracers.evaporation import source_water
from geosoil.tracers.lines import WaterLine, fit_water_line
from geosoil.tracers.source_draws import Projection, source_water_draws
from geosoil.tracers.source_posterior import source_posterior

Goal = Callable[..., None]

Columns = tuple[np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def lmwl() -> WaterLine:
    rng = np.random.default_rng(0)
    rain = rng.uniform(-25.0, -5.0, 375)
    return fit_water_line(rain, 7.9 * rain + 12.43 + rng.normal(0, 3.0, 375))


def waters(n: int) -> Columns:
    """Return n samples below the line, a few above."""
    rng = np.random.default_rng(1)
    d18O = rng.normal(-12.0, 2.0, n)
    return d18O, 7.9 * d18O + 4.0 + rng.normal(0, 3.0, n)


def test_bench_a_million_samples_exactly_below_a_second(
    benchmark: BenchmarkFixture, goal: Goal, lmwl: WaterLine
) -> None:
    d18O, d2H = waters(1_000_000)
    slope = np.random.default_rng(2).uniform(2.5, 4.0, d18O.size)
    found = benchmark(source_water, d18O, d2H, line=lmwl, slope=slope)
    assert len(found) == d18O.size
    if benchmark.stats is not None:
        seconds = benchmark.stats.stats.median
        goal("1e6 samples led back exactly [s]", seconds, at_most=1.0)


def test_bench_three_thousand_samples_by_draws(
    benchmark: BenchmarkFixture, lmwl: WaterLine
) -> None:
    projection = Projection(lmwl, slope=3.2, slope_sd=0.4)
    found = benchmark.pedantic(
        lambda: source_water_draws(
            *waters(3000), projection=projection, rng=np.random.default_rng(3)
        ),
        rounds=3,
    )
    assert found["d18O_sd"].notna().all()


def test_bench_three_thousand_posteriors(
    benchmark: BenchmarkFixture, lmwl: WaterLine
) -> None:
    projection = Projection(lmwl, slope=3.2, slope_sd=0.4)
    found = benchmark.pedantic(
        lambda: source_posterior(*waters(3000), projection=projection), rounds=2
    )
    assert found["d18O_sd"].notna().all()
