"""How often 90 % intervals hold the true fractions, over many simulated studies.

Run with ``pytest -s -m slow tests/tracers/test_fraction_coverage.py`` to see the table.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_bootstrap import SourceSamples, bootstrap_fractions
from geosoil.tracers.fraction_drawing import Drawing
from geosoil.tracers.group_fractions import fractions_of_means
from geosoil.tracers.monte_carlo import monte_carlo_fractions

PAIR = ["d18O", "d2H"]
SOURCES = ("precipitation", "ground_ice", "snowmelt")
MEANS = np.array([[-11.2, -80.1], [-14.9, -120.2], [-17.4, -126.4]])
SPREAD = np.array(
    [
        [[0.64, 4.8], [4.8, 40.0]],
        [[0.25, 1.6], [1.6, 16.0]],
        [[0.64, 4.6], [4.6, 40.0]],
    ]
)
COUNTS = (30, 20, 20)
STUDIES = 500
"""With 500 studies 90 % is known to 1.3 % (binomial); 87 to 93 % is 2.2 times that."""
SITES, LAYERS = 20, 3
EVAPORATION = np.array([0.8, 0.8 * 3.5])
"""Enrichment of the soil water that no method is told of [permil]."""
LEVEL = 0.90


class Studies(NamedTuple):
    """Simulated studies, told apart by the column ``study``."""

    truth: np.ndarray
    soil: pd.DataFrame
    sources: SourceSamples
    end_members: EndMembers


def stack(values: np.ndarray) -> pd.DataFrame:
    """Lay (study, ..., tracer) out with one row a sample."""
    table = pd.DataFrame(values.reshape(-1, 2), columns=PAIR)
    return table.assign(study=np.repeat(np.arange(len(values)), values[0].size // 2))


def simulate(seed: int, shift: np.ndarray) -> Studies:
    """Make studies whose end members are known from samples alone.

    All sites of a study mix the true means of its sources in the same true shares,
    each with an error of its own that its layers share.
    """
    rng = np.random.default_rng(seed)
    truth = 0.15 + 0.55 * rng.dirichlet([2.0, 2.0, 2.0], STUDIES)
    water = (truth @ MEANS + shift)[:, None, None]
    site = rng.multivariate_normal([0, 0], [[0.2, 1.2], [1.2, 9.0]], (STUDIES, SITES))
    layer = rng.normal(0, [0.25, 1.2], (STUDIES, SITES, LAYERS, 2))
    soil = stack(water + site[:, :, None] + layer)
    soil["site_id"] = np.repeat(np.arange(STUDIES * SITES), LAYERS)
    tables = []
    for source, mean, spread, n in zip(SOURCES, MEANS, SPREAD, COUNTS, strict=True):
        values = rng.multivariate_normal(mean, spread, (STUDIES, n))
        tables.append(stack(values).assign(water=source))
    sources = SourceSamples(pd.concat(tables), SOURCES, by=("study",))
    return Studies(truth, soil, sources, sources.end_members(PAIR))


@pytest.fixture(scope="module")
def right() -> Studies:
    return simulate(1, np.zeros(2))


@pytest.fixture(scope="module")
def evaporated() -> Studies:
    return simulate(2, EVAPORATION)


def first_order(studies: Studies, cluster: str = "site_id") -> np.ndarray:
    table = fractions_of_means(
        studies.soil,
        studies.end_members,
        ["study"],
        cluster=cluster,
        confidence=LEVEL,
    )
    assert table["study"].tolist() == list(range(STUDIES))
    ends = ("lower", "upper")
    return np.array([[table[f"{s}_{end}"] for s in SOURCES] for end in ends])


def quantiles(values: np.ndarray) -> np.ndarray:
    half = (1 - LEVEL) / 2
    return np.quantile(values, [half, 1 - half], axis=0).swapaxes(1, 2)


def monte_carlo(studies: Studies) -> np.ndarray:
    draws = monte_carlo_fractions(
        studies.soil,
        studies.end_members,
        ["study"],
        drawing=Drawing(n_draws=1000),
        rng=np.random.default_rng(3),
    )
    return quantiles(draws.values)


def bootstrap(studies: Studies) -> np.ndarray:
    draws = bootstrap_fractions(
        studies.soil,
        studies.sources,
        ["study"],
        drawing=Drawing(n_draws=1000),
        rng=np.random.default_rng(4),
    )
    return quantiles(draws.values)


METHODS = {
    "first order": first_order,
    "Monte Carlo": monte_carlo,
    "bootstrap": bootstrap,
}


@pytest.fixture(scope="module")
def right_width(right) -> float:
    lower, upper = first_order(right)
    return float((upper - lower).mean())


def told(name: str, scenario: str, studies: Studies, bounds: np.ndarray) -> np.ndarray:
    """Print the coverage of every source with the mean width; return the coverage."""
    lower, upper = bounds
    covered = ((lower <= studies.truth.T) & (upper >= studies.truth.T)).mean(axis=1)
    widths = (upper - lower).mean(axis=1)
    cells = [
        f"{100 * c:5.1f} % ({w:.3f})" for c, w in zip(covered, widths, strict=True)
    ]
    print(
        f"\n{name:12} {scenario:22} {100 * covered.mean():5.1f} % "
        f"({widths.mean():.3f}) | {'  '.join(cells)}",
        end="",
    )
    return covered


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_ninety_percent_hold_the_truth_where_the_model_is_right(name, right) -> None:
    covered = told(name, "right model", right, METHODS[name](right))
    assert 0.87 <= covered.mean() <= 0.93
    # One source alone has the binomial noise of its studies on top.
    assert (np.abs(covered - 0.9) <= 0.03 + 2 * np.sqrt(0.09 / STUDIES)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_unmodelled_evaporation_breaks_the_coverage(
    name, evaporated, right_width
) -> None:
    bounds = METHODS[name](evaporated)
    covered = told(name, "evaporated by 0.8", evaporated, bounds)
    assert covered.mean() < 0.8
    # The intervals do not tell: they are hardly wider than those of the right model.
    assert (bounds[1] - bounds[0]).mean() < 1.1 * right_width


@pytest.mark.slow
def test_layers_counted_as_sites_make_intervals_too_narrow(right, right_width) -> None:
    studies = right._replace(soil=right.soil.assign(layer=range(len(right.soil))))
    bounds = first_order(studies, "layer")
    covered = told("first order", "layers taken for sites", right, bounds)
    assert covered.mean() < 0.87
    assert (bounds[1] - bounds[0]).mean() < 0.9 * right_width
