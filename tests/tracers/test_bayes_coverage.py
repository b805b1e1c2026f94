"""Do 90 % intervals hold the true fraction in 90 % of studies? Simulated studies."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from geosoil.tracers.bayes import bayes_fractions
from geosoil.tracers.bayes_model import MixingModel, SamplerSettings
from geosoil.tracers.bayes_prior import FractionPrior
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_prior import EvaporationPrior

SOURCES = ("rain", "ice", "snow")
MEANS = np.array([[-11.2, -80.0], [-14.9, -125.0], [-18.4, -128.0]])
SPREAD = np.array([[0.6, 4.0], [4.0, 32.0]])
RESIDUAL = np.array([[0.3, 2.0], [2.0, 18.0]])
N_SOURCE = np.array([24, 16, 20])
SITES, LAYERS = 14, 3
CONCENTRATION = 2.5


@dataclass(frozen=True)
class Truth:
    """How studies are made."""

    studies: int
    sources: int
    evaporation: tuple[float, float] = (0.0, 0.0)


def simulate(truth: Truth, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Soil, end members and true fractions; every study samples its sources anew."""
    rng = np.random.default_rng(seed)
    k = truth.sources
    shares = rng.dirichlet(np.full(k, CONCENTRATION), truth.studies)
    soil, ends = [], []
    for study in range(truth.studies):
        amount = max(rng.normal(*truth.evaporation), 0.0)
        centre = shares[study] @ MEANS[:k] + amount * np.array([1.0, 3.5])
        for site in range(SITES):
            at_site = rng.multivariate_normal(centre, 0.8 * RESIDUAL)
            layers = rng.multivariate_normal(at_site, 0.2 * RESIDUAL, size=LAYERS)
            soil += [
                {"study": study, "site_id": f"{study}.{site}", "d18O": x, "d2H": y}
                for x, y in layers
            ]
        for place in range(k):
            values = rng.multivariate_normal(MEANS[place], SPREAD, size=N_SOURCE[place])
            own = np.cov(values.T)
            ends.append(
                {
                    "study": study,
                    "source": SOURCES[place],
                    "d18O": values[:, 0].mean(),
                    "d2H": values[:, 1].mean(),
                    "d18O_sd": np.sqrt(own[0, 0]),
                    "d2H_sd": np.sqrt(own[1, 1]),
                    "d18O_d2H_cov": own[0, 1],
                    "n": N_SOURCE[place],
                }
            )
    return pd.DataFrame(soil), pd.DataFrame(ends), shares


def coverage(truth: Truth, model: MixingModel, seed: int = 1) -> float:
    """Share of true fractions inside the 90 % intervals, over studies and sources."""
    soil, ends, shares = simulate(truth, seed)
    answer = bayes_fractions(
        soil,
        EndMembers.from_table(ends, by=["study"]),
        by=["study"],
        model=model,
        sampler=SamplerSettings(n_draws=500, method="quadrature", ess=150.0),
        rng=np.random.default_rng(seed + 1),
    )
    shares_drawn = answer.draws.values  # noqa: PD011
    low, high = np.quantile(shares_drawn, [0.05, 0.95], axis=0)
    return float(((low <= shares) & (shares <= high)).mean())


# The model is right in its prior too: coverage is then exact over many studies.
MODEL = MixingModel(prior=FractionPrior(concentration=CONCENTRATION))
KNOWN = replace(MODEL, evaporation=EvaporationPrior(3.5, 0.0, 1.0, 0.3))
EVAPORATED = (1.0, 0.3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "truth", "model"),
    [
        ("three sources, profiles", Truth(220, 3), MODEL),
        ("two sources, profiles", Truth(200, 2), MODEL),
        ("two sources, evaporation", Truth(150, 2, EVAPORATED), KNOWN),
    ],
)
def test_intervals_of_the_right_model_cover_nine_in_ten(
    name: str, truth: Truth, model: MixingModel
) -> None:
    found = coverage(truth, model)
    print(f"{name}: {truth.studies} studies, 90 % intervals cover {100 * found:.1f} %")
    assert 0.87 <= found <= 0.93


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "truth", "model", "most"),
    [
        (
            "layers taken for mixtures, sources for known",
            Truth(60, 3),
            replace(MODEL, cluster=None, sources="fixed"),
            0.82,
        ),
        (
            "sources taken for known",
            Truth(60, 2),
            replace(MODEL, sources="fixed"),
            0.85,
        ),
        ("evaporation of 1 permil ignored", Truth(60, 3, EVAPORATED), MODEL, 0.5),
    ],
)
def test_intervals_of_a_wrong_model_cover_less(
    name: str, truth: Truth, model: MixingModel, most: float
) -> None:
    found = coverage(truth, model)
    print(f"{name}: {truth.studies} studies, 90 % intervals cover {100 * found:.1f} %")
    assert found < most
