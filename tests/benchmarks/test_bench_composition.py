"""How long quantile maps of four sources take by log-ratios; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.grids.grid import Grid
from geosoil.interpolation.composition import CompositionInterpolator
from geosoil.interpolation.composition_options import LogRatioOptions
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.log_ratios import inverse_ilr
from geosoil.interpolation.variogram import Variogram

Goal = Callable[..., None]

SOURCES = ["precipitation", "ground_ice", "snow", "river"]
GRID = Grid.from_bounds((0, 0, 1_290_000, 475_000), 5_000, "EPSG:32647")
MODEL = Variogram("spherical", 0.05, 0.5, 200_000.0)


def fitted() -> CompositionInterpolator:
    """Balances of 250 sites, kriged."""
    rng = np.random.default_rng(0)
    sites = rng.uniform(0, 1, (250, 2)) * [1_290_000, 475_000]
    trend = np.sin(sites[:, :1] / 200_000 + np.arange(3))
    parts = inverse_ilr(trend + rng.normal(0, 0.3, (250, 3)))
    maps = CompositionInterpolator(
        Kriging(MODEL), method="ilr", log_ratios=LogRatioOptions(n_draws=500)
    )
    return maps.fit(sites, pd.DataFrame(parts, columns=SOURCES))


@pytest.mark.benchmark(group="composition of four sources on 95 x 258 cells")
def test_bench_quantiles_of_500_draws(benchmark: BenchmarkFixture, goal: Goal) -> None:
    """Kriging of three balances and three quantiles of 500 draws in every cell."""

    def ours() -> xr.Dataset:
        return fitted().quantiles(GRID, q=[0.05, 0.5, 0.95])

    found = benchmark.pedantic(ours, rounds=3, iterations=1, warmup_rounds=1)
    assert GRID.shape == (95, 258)
    for source in SOURCES:
        assert (found[source].diff("quantile") >= 0).all()
    seconds = benchmark.stats.stats.median
    goal("composition, 500 draws, 95 x 258 cells: s", seconds, at_most=30)


@pytest.mark.benchmark(group="composition of four sources on 95 x 258 cells")
def test_bench_mean_fractions(benchmark: BenchmarkFixture, goal: Goal) -> None:
    """Kriging of three balances and their mean fractions by quadrature."""

    def ours() -> xr.Dataset:
        return fitted().grid(GRID)

    found = benchmark.pedantic(ours, rounds=3, iterations=1, warmup_rounds=1)
    total = sum(found[source] for source in SOURCES)
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-12)
    seconds = benchmark.stats.stats.median
    goal("composition, mean fractions, 95 x 258 cells: s", seconds, at_most=30)
