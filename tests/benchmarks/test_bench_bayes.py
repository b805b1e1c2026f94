"""How fast eight groups of four sources converge; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from geosoil.tracers.bayes import bayes_fractions
from geosoil.tracers.bayes_model import MixingModel, SamplerSettings
from geosoil.tracers.bayes_posterior import FractionPosterior
from geosoil.tracers.endmembers import EndMembers

Goal = Callable[..., None]

TRACERS = ("d15N", "d13C")


def geese(folder: Path) -> tuple[pd.DataFrame, EndMembers]:
    """251 birds in 8 groups, 4 sources with concentrations."""
    birds = pd.read_csv(folder / "MixSIAR_geese_consumer.csv")
    means = pd.read_csv(folder / "MixSIAR_geese_sources.csv")
    steps = pd.read_csv(folder / "MixSIAR_geese_discrimination.csv")
    table = pd.DataFrame({"source": means["Sources"], "n": means["n"]})
    for tracer in TRACERS:
        table[tracer] = means[f"Mean{tracer}"]
        table[f"{tracer}_sd"] = means[f"SD{tracer}"]
        table[f"{tracer}_concentration"] = means[f"Conc{tracer}"]
        table[f"{tracer}_correction"] = steps[f"Mean{tracer}"]
        table[f"{tracer}_correction_sd"] = steps[f"SD{tracer}"]
    return birds, EndMembers.from_table(table)


@pytest.mark.benchmark(group="251 mixtures, 8 groups, 4 sources")
def test_bench_ensemble(benchmark: BenchmarkFixture, goal: Goal, shared: Path) -> None:
    birds, ends = geese(shared / "data" / "mixing")
    model = MixingModel(tracers=TRACERS, covariance="diagonal")
    sampler = SamplerSettings(method="ensemble")

    def ours() -> FractionPosterior:
        rng = np.random.default_rng(1)
        return bayes_fractions(
            birds, ends, by=["Group"], model=model, sampler=sampler, rng=rng
        )

    found = benchmark.pedantic(ours, rounds=3, warmup_rounds=0)
    r_hat = float(found.diagnostics["r_hat"].max())
    ess = float(found.diagnostics["ess_bulk"].min())
    seconds = benchmark.stats.stats.median
    benchmark.extra_info.update({"r_hat": round(r_hat, 4), "ess": round(ess)})
    print(f"{seconds:.1f} s, largest R-hat {r_hat:.4f}, least bulk ESS {ess:.0f}")
    assert r_hat < 1.01
    goal("Bayes, 251 geese in 8 groups [s]", seconds, at_most=5.0)
