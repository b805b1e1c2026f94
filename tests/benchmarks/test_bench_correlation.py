"""How fast pixelwise correlation is beside its peers; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import stats

from geosoil.correlation.temporal import STANDARD, Significance, correlate

Pair = tuple[xr.DataArray, xr.DataArray]


def gappy(*, rounded: bool) -> Pair:
    """Two float32 cubes of 23 x 600 x 1300, a tenth missing in each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((23, 600, 1300), dtype=np.float32)
    y = 0.5 * x + rng.standard_normal(x.shape, dtype=np.float32)
    x = x * np.float32(8) + np.float32(280)
    if rounded:
        x, y = np.round(x), np.round(y * 2) / 2
    for values in (x, y):
        values[rng.random(x.shape, dtype=np.float32) < 0.1] = np.nan
    dims = ("time", "y", "x")
    return xr.DataArray(x, dims=dims), xr.DataArray(y, dims=dims)


@pytest.fixture(scope="module")
def cubes() -> Pair:
    return gappy(rounded=False)


@pytest.fixture(scope="module")
def tied() -> Pair:
    return gappy(rounded=True)


@pytest.mark.benchmark(group="reading both cubes once")
def test_bench_reading_both_cubes(benchmark: BenchmarkFixture, cubes: Pair) -> None:
    x, y = (cube.to_numpy().ravel() for cube in cubes)
    benchmark(lambda: (x.sum(), y.sum()))


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_correlate_with_p_and_n(benchmark: BenchmarkFixture, cubes: Pair) -> None:
    correlate(*cubes, statistics=())
    found = benchmark(correlate, *cubes, statistics=())
    assert np.isfinite(found["p_value"]).any()


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_correlate_with_all_standard_statistics(
    benchmark: BenchmarkFixture, cubes: Pair
) -> None:
    correlate(*cubes)
    found = benchmark(correlate, *cubes)
    assert set(STANDARD) < set(found)


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_correlate_with_p_of_effective_pairs(
    benchmark: BenchmarkFixture, cubes: Pair
) -> None:
    options = {"significance": Significance("n_effective"), "statistics": ()}
    correlate(*cubes, **options)  # type: ignore[arg-type]
    found = benchmark(correlate, *cubes, **options)
    assert np.isfinite(found["p_value"]).any()


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_partial_with_one_control(
    benchmark: BenchmarkFixture, cubes: Pair
) -> None:
    control = cubes[0][::-1]
    found = benchmark.pedantic(
        correlate,
        cubes,
        {"controls": control, "statistics": ()},
        rounds=3,
        warmup_rounds=1,
    )
    assert np.isfinite(found["p_value"]).any()


@pytest.mark.benchmark(group="pearson 23 x 600 x 1300")
def test_bench_xarray_r_only(benchmark: BenchmarkFixture, cubes: Pair) -> None:
    found = benchmark.pedantic(xr.corr, (*cubes, "time"), rounds=3, warmup_rounds=1)
    own = correlate(*cubes, statistics=())["r"]
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-5)


@pytest.mark.benchmark(group="ranks with ties 23 x 600 x 1300")
@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_bench_ranks_with_p_and_n(
    benchmark: BenchmarkFixture, tied: Pair, method: str
) -> None:
    correlate(*tied, method=method, statistics=())  # type: ignore[arg-type]
    found = benchmark(correlate, *tied, method=method, statistics=())
    assert np.isfinite(found["p_value"]).any()


@pytest.mark.benchmark(group="ranks with ties 23 x 600 x 1300")
def test_bench_xarray_rank_and_corr(benchmark: BenchmarkFixture, tied: Pair) -> None:
    pytest.importorskip("bottleneck")
    valid = np.isfinite(tied[0]) & np.isfinite(tied[1])

    def ranked() -> xr.DataArray:
        return xr.corr(*(cube.where(valid).rank("time") for cube in tied), "time")

    found = benchmark.pedantic(ranked, rounds=1)
    own = correlate(*tied, method="spearman", statistics=())["r"]
    np.testing.assert_allclose(found, own, rtol=0, atol=1e-12)


@pytest.mark.benchmark(group="ranks, 400 pixels by a loop of scipy")
@pytest.mark.parametrize("method", ["spearmanr", "kendalltau"])
def test_bench_scipy_loop(benchmark: BenchmarkFixture, tied: Pair, method: str) -> None:
    a, b = (cube.to_numpy().reshape(23, -1)[:, :400] for cube in tied)
    valid = np.isfinite(a) & np.isfinite(b)
    function = getattr(stats, method)

    def loop() -> list[float]:
        return [
            function(a[ok, j], b[ok, j])[0] for j, ok in enumerate(valid.T) if ok.any()
        ]

    assert len(benchmark.pedantic(loop, rounds=3)) == 400
