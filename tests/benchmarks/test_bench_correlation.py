"""How fast pixelwise correlation is beside xarray's own; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.correlation.temporal import correlate

Pair = tuple[xr.DataArray, xr.DataArray]


@pytest.fixture(scope="module")
def cubes() -> Pair:
    """Two float32 cubes of 23 x 600 x 1300, a tenth missing in each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((23, 600, 1300), dtype=np.float32)
    y = 0.5 * x + rng.standard_normal(x.shape, dtype=np.float32)
    x = x * np.float32(8) + np.float32(280)
    for values in (x, y):
        values[rng.random(x.shape, dtype=np.float32) < 0.1] = np.nan
    dims = ("time", "y", "x")
    return xr.DataArray(x, dims=dims), xr.DataArray(y, dims=dims)


@pytest.mark.benchmark(group="reading both cubes once")
def test_bench_reading_both_cubes(benchmark: BenchmarkFixture, cubes: Pair) -> None:
    x, y = (cube.to_numpy().ravel() for cube in cubes)
    benchmark(lambda: (x.sum(), y.sum()))


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_correlate_with_p_and_n(benchmark: BenchmarkFixture, cubes: Pair) -> None:
    correlate(*cubes)
    found = benchmark(correlate, *cubes)
    assert np.isfinite(found["p_value"]).any()


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_xarray_r_only(benchmark: BenchmarkFixture, cubes: Pair) -> None:
    found = benchmark.pedantic(xr.corr, (*cubes, "time"), rounds=3, warmup_rounds=1)
    own = correlate(*cubes)["r"]
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-5)
