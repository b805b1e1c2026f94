"""How fast fractions are drawn, redrawn and bounded; skipped unless asked for.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

# ruff: noqa: PD011 (values of draws, not of a table)

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_bootstrap import SourceSamples, bootstrap_fractions
from geosoil.tracers.fraction_bounds import fraction_bounds
from geosoil.tracers.isosource import isosource
from geosoil.tracers.monte_carlo import monte_carlo_fractions

Goal = Callable[..., None]

PAIR = ["d18O", "d2H"]
SOURCES = ("precipitation", "ground_ice", "snowmelt")
MEANS = np.array([[-11.2, -80.1], [-14.9, -120.2], [-16.4, -118.4]])
STUDY = 10.0
"""Longest wait for a whole study [s]."""


@pytest.fixture(scope="module")
def waters() -> pd.DataFrame:
    """Give samples of the sources, as many as a real study has."""
    rng = np.random.default_rng(0)
    counts = zip(SOURCES, MEANS, (375, 143, 100), strict=True)
    tables = [
        pd.DataFrame(mean + rng.normal(0, [1.0, 7.0], (n, 2)), columns=PAIR).assign(
            water=source
        )
        for source, mean, n in counts
    ]
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def soil() -> pd.DataFrame:
    """Give 741 samples of 242 profiles in 33 groups over three periods."""
    rng = np.random.default_rng(1)
    n, profile = 741, np.arange(741) * 242 // 741
    values = rng.dirichlet([6, 3, 3], n) @ MEANS + rng.normal(0, [0.3, 1.5], (n, 2))
    table = pd.DataFrame(values, columns=PAIR)
    table["site_id"], table["group"] = profile, profile * 33 // 242
    table["period"] = np.array(["June", "August", "September"])[table["group"] // 11]
    return table.assign(d18O_sd=0.1, d2H_sd=0.5)


@pytest.fixture(scope="module")
def ends(waters: pd.DataFrame) -> EndMembers:
    return EndMembers.from_samples(waters, sources=SOURCES)


def within(benchmark: BenchmarkFixture, goal: Goal, what: str) -> None:
    if benchmark.stats is not None:
        goal(f"{what} [s]", benchmark.stats.stats.median, at_most=STUDY)


@pytest.mark.benchmark(group="10,000 draws of a study")
@pytest.mark.parametrize("by", [["period", "group"], None])
def test_bench_monte_carlo(
    benchmark: BenchmarkFixture, goal: Goal, soil: pd.DataFrame, ends: EndMembers, by
) -> None:
    found = benchmark.pedantic(
        lambda: monte_carlo_fractions(soil, ends, by, rng=np.random.default_rng(2)),
        rounds=3,
    )
    assert found.values.shape == (10_000, 33 if by else 741, 3)
    within(benchmark, goal, "Monte Carlo, 10,000 draws of a study")


@pytest.mark.benchmark(group="2,000 redrawn studies")
def test_bench_bootstrap(
    benchmark: BenchmarkFixture, goal: Goal, soil: pd.DataFrame, waters: pd.DataFrame
) -> None:
    sources = SourceSamples(waters, SOURCES)
    found = benchmark.pedantic(
        lambda: bootstrap_fractions(
            soil, sources, ["period", "group"], rng=np.random.default_rng(3)
        ),
        rounds=3,
    )
    assert found.n_draws == 2000
    within(benchmark, goal, "bootstrap, 2,000 draws of a study")


@pytest.fixture(scope="module")
def four() -> EndMembers:
    table = pd.DataFrame([*MEANS, [-12.6, -96.5]], columns=PAIR)
    return EndMembers.from_table(table.assign(source=[*SOURCES, "river"]))


@pytest.mark.benchmark(group="range of 741 mixtures, four sources")
@pytest.mark.parametrize("method", [isosource, fraction_bounds])
def test_bench_range(
    benchmark: BenchmarkFixture,
    goal: Goal,
    soil: pd.DataFrame,
    four: EndMembers,
    method,
) -> None:
    found = benchmark.pedantic(
        lambda: method(soil, four, tolerance=[0.1, 0.5]), rounds=3
    )
    assert len(found) == 4 * 741
    within(benchmark, goal, "ranges of a study")


@pytest.mark.benchmark(group="one mixture, six sources, 97 million combinations")
def test_bench_isosource_of_six(benchmark: BenchmarkFixture, goal: Goal) -> None:
    rng = np.random.default_rng(4)
    table = pd.DataFrame(rng.normal(size=(6, 2)), columns=PAIR)
    ends = EndMembers.from_table(table.assign(source=list("abcdef")))
    water = pd.DataFrame([table.mean()])
    found = benchmark.pedantic(lambda: isosource(water, ends, tolerance=0.05), rounds=3)
    assert (found["n_combinations"] == 96_560_646).all()
    within(benchmark, goal, "IsoSource of six sources")
