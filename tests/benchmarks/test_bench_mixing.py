"""How fast a million mixtures are solved beside two common ways; skipped by default.

Run with ``pytest tests/benchmarks --benchmark-only``. The peers solve the same problem,
weights included, on part of the rows; their time is scaled up to all rows.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy import optimize

from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions

Goal = Callable[..., None]

ROWS = 1_000_000
SLSQP_ROWS = 300
NNLS_ROWS = 5000
NAMES = ["precipitation", "ground_ice", "snowmelt"]
TRACERS = ["d18O", "d2H"]
OWN = np.diag([0.04, 0.36])

Solver = Callable[[np.ndarray], np.ndarray]
Prepare = Callable[[np.ndarray, np.ndarray], Solver]


def sources(spread: float) -> EndMembers:
    """Three end members; ``spread`` scales their covariances."""
    table = pd.DataFrame(
        {
            "source": NAMES,
            "d18O": [-11.2, -14.9, -16.4],
            "d2H": [-80.1, -120.2, -118.4],
            "d18O_sd": np.multiply(spread, [0.9, 0.7, 1.2]),
            "d2H_sd": np.multiply(spread, [7.0, 5.5, 9.5]),
            "d18O_d2H_cov": np.multiply(spread**2, [6.0, 3.5, 11.0]),
        }
    )
    return EndMembers.from_table(table)


@pytest.fixture(scope="module")
def mixtures() -> pd.DataFrame:
    """A million waters, half of them outside the triangle of the sources."""
    rng = np.random.default_rng(1)
    means = sources(1.0).means(TRACERS)
    share = rng.dirichlet(np.ones(3), ROWS)
    waters = share @ means + rng.normal(0, [0.4, 3.0], (ROWS, 2))
    return pd.DataFrame(waters, columns=TRACERS)


def slsqp(means: np.ndarray, weights: np.ndarray) -> Solver:
    """Make ready to solve one mixture by sequential quadratic programming."""
    size = len(means)
    closure = {
        "type": "eq",
        "fun": lambda fraction: fraction.sum() - 1.0,
        "jac": np.ones_like,
    }

    def solve(mixture: np.ndarray) -> np.ndarray:
        def misfit(fraction: np.ndarray) -> tuple[float, np.ndarray]:
            away = mixture - fraction @ means
            pull = weights @ away
            return float(pull @ away), -2.0 * means @ pull

        return optimize.minimize(
            misfit,
            np.full(size, 1.0 / size),
            jac=True,
            bounds=[(0.0, 1.0)] * size,
            constraints=closure,
            method="SLSQP",
            options={"ftol": 1e-10},
        ).x

    return solve


def nnls(means: np.ndarray, weights: np.ndarray) -> Solver:
    """Make ready for non-negative least squares with a heavy row for the sum."""
    root = np.linalg.cholesky(weights).T
    matrix = np.vstack([root @ means.T, np.full(len(means), 1e4)])

    def solve(mixture: np.ndarray) -> np.ndarray:
        return optimize.nnls(matrix, np.append(root @ mixture, 1e4))[0]

    return solve


def loop(waters: np.ndarray, ends: EndMembers, prepare: Prepare) -> np.ndarray:
    """Solve waters one by one, weights renewed as `source_fractions` does."""
    means, spread = ends.means(TRACERS), ends.covariances(TRACERS)
    if not spread.any():
        solve = prepare(means, np.linalg.inv(OWN))
        return np.array([solve(water) for water in waters])
    found = np.empty((len(waters), len(means)))
    for place, water in enumerate(waters):
        fraction = np.full(len(means), 1.0 / len(means))
        for _ in range(4):
            total = OWN + np.tensordot(fraction**2, spread, axes=1)
            fraction = prepare(means, np.linalg.inv(total))(water)
        found[place] = fraction
    return found


def timed_loop(
    waters: np.ndarray, ends: EndMembers, prepare: Prepare
) -> tuple[float, np.ndarray]:
    """Seconds that all rows would take, the better of two runs, and the fractions."""
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        found = loop(waters, ends, prepare)
        seconds.append((time.perf_counter() - started) * ROWS / len(waters))
    return min(seconds), found


@pytest.mark.benchmark(group="1,000,000 mixtures of three sources by two tracers")
@pytest.mark.parametrize("weights", ["fixed", "renewed"])
def test_bench_a_million_mixtures_beside_slsqp_and_nnls(
    benchmark: BenchmarkFixture, goal: Goal, mixtures: pd.DataFrame, weights: str
) -> None:
    ends = sources(1.0 if weights == "renewed" else 0.0)

    def ours() -> pd.DataFrame:
        return source_fractions(mixtures, ends, covariance=OWN)

    answer = benchmark.pedantic(ours, rounds=3, warmup_rounds=1)
    assert 0.3 < (answer["reason"] != "").mean() < 0.7
    tracemalloc.start()
    ours()
    benchmark.extra_info["peak MB"] = round(tracemalloc.get_traced_memory()[1] / 1e6)
    tracemalloc.stop()
    waters = mixtures.to_numpy()
    peers = {"slsqp": (slsqp, SLSQP_ROWS, 50), "nnls": (nnls, NNLS_ROWS, 5)}
    for name, (prepare, rows, least) in peers.items():
        seconds, found = timed_loop(waters[:rows], ends, prepare)
        ratio = seconds / benchmark.stats.stats.median
        benchmark.extra_info[f"times faster than {name}"] = round(ratio, 1)
        np.testing.assert_allclose(answer[NAMES][:rows], found, atol=1e-3)
        what = f"1e6 mixtures, {weights} weights: times faster than {name}"
        goal(what, ratio, at_least=least)
