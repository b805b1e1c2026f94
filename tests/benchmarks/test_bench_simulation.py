"""How fast and how large conditional simulation is; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``. GSTools, which is no dependency,
is measured where it can be imported.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.grids.grid import Grid
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.simulation import conditional_simulation
from geosoil.interpolation.simulation_composition import simulate_composition
from geosoil.interpolation.simulation_settings import Method, SimulationSettings
from geosoil.interpolation.variogram import Variogram

Goal = Callable[..., None]

COUNT = 250
FIELDS = 500
PEER_FIELDS = 5
MODEL = Variogram("exponential", 0.1, 0.9, 60_000.0)
GRID = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")


def fitted(row: int = 0) -> Kriging:
    rng = np.random.default_rng(0)
    x, y = rng.uniform(89.4, 102.3, COUNT), rng.uniform(31.55, 36.3, COUNT)
    points = gpd.GeoSeries.from_xy(x, y, crs="EPSG:4326")
    return Kriging(MODEL).fit(points, np.random.default_rng(row).normal(size=COUNT))


@pytest.mark.benchmark(group="500 fields of 95 x 258 cells, 250 data")
@pytest.mark.parametrize("method", ["residual", "sequential"])
def test_bench_conditional_simulation(
    benchmark: BenchmarkFixture, goal: Goal, method: Method
) -> None:
    kriging = fitted()

    def ours() -> xr.DataArray:
        return conditional_simulation(
            kriging, GRID, n_realizations=FIELDS, seed=1, method=method
        )

    fields = benchmark.pedantic(ours, rounds=3, iterations=1, warmup_rounds=1)
    answer = kriging.grid(GRID)
    spread = fields.std("realization", ddof=1) / np.sqrt(answer["kriging_variance"])
    assert float(spread.mean()) == pytest.approx(1.0, abs=0.01)
    del fields, spread
    tracemalloc.start()
    ours()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    kept = 8 * FIELDS * GRID.shape[0] * GRID.shape[1] / 2**20
    benchmark.extra_info["peak MiB"] = round(peak)
    benchmark.extra_info["of them the fields"] = round(kept)
    goal(f"500 fields, {method}: s", benchmark.stats.stats.median, at_most=10)
    goal(f"500 fields, {method}: peak over the fields", peak / kept, at_most=3)


@pytest.mark.benchmark(group="500 fields of 4 fractions on 95 x 258 cells")
def test_bench_simulated_composition(benchmark: BenchmarkFixture, goal: Goal) -> None:
    balances = {name: fitted(row) for row, name in enumerate("abc")}

    def ours() -> xr.DataArray:
        return simulate_composition(
            balances,
            GRID,
            last="d",
            n_realizations=FIELDS,
            settings=SimulationSettings(1),
        )

    fields = benchmark.pedantic(ours, rounds=1, iterations=1, warmup_rounds=1)
    assert float(abs(fields.sum("source") - 1).max()) < 1e-12
    goal("500 fields of 4 fractions: s", benchmark.stats.stats.median, at_most=30)


@pytest.mark.benchmark(group="500 fields of 95 x 258 cells, 250 data")
def test_bench_gstools(benchmark: BenchmarkFixture, goal: Goal) -> None:
    """GSTools makes a field a call: 5 of them, times 100."""
    gstools = pytest.importorskip("gstools")
    kriging = fitted()
    xy, _ = kriging.target_drift(GRID)
    model = gstools.Exponential(dim=2, var=0.9, len_scale=60_000.0, nugget=0.1)
    points = kriging.points_
    peer = gstools.CondSRF(
        gstools.krige.Ordinary(model, points.xy.T, points.values, exact=True)
    )
    peer.set_pos(xy.T, "unstructured")
    peer(seed=0)
    started = time.perf_counter()
    for seed in range(PEER_FIELDS):
        peer(seed=seed)
    theirs = (time.perf_counter() - started) / PEER_FIELDS * FIELDS

    def ours() -> xr.DataArray:
        return conditional_simulation(kriging, GRID, n_realizations=FIELDS, seed=1)

    benchmark.pedantic(ours, rounds=3, iterations=1, warmup_rounds=1)
    ratio = theirs / benchmark.stats.stats.median
    benchmark.extra_info["seconds of GSTools, extrapolated"] = round(theirs)
    goal("500 fields: times faster than GSTools", ratio, at_least=10)
