"""How fast grouped lines are resampled beside a loop of pandas; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.tracers.resampling import Resampling
from geosoil.tracers.resampling_table import bootstrap_lines

Goal = Callable[..., None]

GROUPS = ["period", "band"]
DRAWS = 2000


@pytest.fixture(scope="module")
def samples() -> pd.DataFrame:
    """A table of 2,451 samples at 242 sites, in 12 groups."""
    rng = np.random.default_rng(0)
    n = 2451
    table = pd.DataFrame(
        {
            "site_id": rng.integers(0, 242, n),
            "period": rng.choice(["June", "August", "September"], n),
            "band": rng.choice(["3000", "3500", "4000", "4500"], n),
            "d18O": rng.normal(-13, 3, n),
        }
    )
    table["d2H"] = 7 * table["d18O"] - 3 + rng.normal(0, 5, n)
    return table


def naive(samples: pd.DataFrame, n_draws: int) -> pd.DataFrame:
    """Resample with pandas and fit with numpy, one draw after another."""
    found = []
    for draw in range(n_draws):
        drawn = samples.groupby(GROUPS).sample(frac=1, replace=True, random_state=draw)
        for key, group in drawn.groupby(GROUPS):
            found.append((*key, *np.polyfit(group["d18O"], group["d2H"], 1)))
    return pd.DataFrame(found, columns=[*GROUPS, "slope", "intercept"])


@pytest.mark.benchmark(group="2,000 resamples of 2,451 grouped rows")
@pytest.mark.parametrize("unit", ["sample", "site"])
def test_bench_bootstrap_lines(
    benchmark: BenchmarkFixture, goal: Goal, samples: pd.DataFrame, unit: str
) -> None:
    by = samples["site_id"] if unit == "site" else None
    plan = Resampling(by=by, n_draws=DRAWS)

    def ours() -> pd.DataFrame:
        rng = np.random.default_rng(1)
        return bootstrap_lines(samples, GROUPS, rng=rng, resampling=plan).table

    table = benchmark(ours)
    assert len(table) == 12
    started = time.perf_counter()
    loop = naive(samples, 40)
    seconds = (time.perf_counter() - started) * DRAWS / 40
    ratio = seconds / benchmark.stats.stats.median
    benchmark.extra_info["times faster than pandas"] = round(ratio, 1)
    what = f"2,000 resamples by {unit}: times faster than pandas"
    goal(what, ratio, at_least=20)
    if unit == "sample":
        spread = loop.groupby(GROUPS)["slope"].std().to_numpy()
        own = table.sort_values(GROUPS)["slope_standard_error"].to_numpy()
        np.testing.assert_allclose(own.mean(), spread.mean(), rtol=0.1)
