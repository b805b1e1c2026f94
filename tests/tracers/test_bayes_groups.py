"""Groups that share end members, and groups that lend each other strength."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.tracers.bayes import bayes_fractions
from geosoil.tracers.bayes_model import MixingModel, SamplerSettings
from geosoil.tracers.bayes_posterior import FractionPosterior
from geosoil.tracers.endmembers import EndMembers

SD = 0.3


def shares_of(posterior: FractionPosterior) -> np.ndarray:
    return posterior.draws.values  # noqa: PD011


VAGUE = pd.DataFrame(
    {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [10.0, 6.0], "n": [200, 150]}
)


def test_joint_draws_of_two_groups_are_those_of_a_grid() -> None:
    seen = np.array([3.0, 4.0])
    soil = pd.DataFrame({"Cl": seen, "Cl_sd": [SD, SD], "period": ["June", "August"]})
    model = MixingModel(tracers=("Cl",), residual="none")
    found = bayes_fractions(
        soil,
        EndMembers.from_table(VAGUE),
        by=["period"],
        model=model,
        sampler=SamplerSettings(n_draws=4000),
        rng=np.random.default_rng(1),
    )
    # Both means are jointly normal once the sources' means are integrated out.
    f = (np.arange(300) + 0.5) / 300
    first, second = np.meshgrid(f, f, indexing="ij")
    shares = np.stack([first, 1 - first]), np.stack([second, 1 - second])
    variance = VAGUE["Cl_sd"].to_numpy() ** 2 / VAGUE["n"].to_numpy()
    variance = variance * (VAGUE["n"].to_numpy() - 1) / (VAGUE["n"].to_numpy() - 3)
    means = VAGUE["Cl"].to_numpy()
    own = [np.tensordot(variance, p**2, axes=1) + SD**2 for p in shares]
    both = np.tensordot(variance, shares[0] * shares[1], axes=1)
    away = [seen[g] - np.tensordot(means, shares[g], axes=1) for g in (0, 1)]
    determinant = own[0] * own[1] - both**2
    square = (
        own[1] * away[0] ** 2 + own[0] * away[1] ** 2 - 2 * both * away[0] * away[1]
    )
    density = np.exp(-0.5 * square / determinant) / np.sqrt(determinant)
    density /= density.sum()

    def moment(values: np.ndarray) -> float:
        return float((density * values).sum())

    # Groups are sorted: June first.
    rain = shares_of(found)[:, :, 0]
    mean = [moment(first), moment(second)]
    sd = [np.sqrt(moment(first**2) - mean[0] ** 2)]
    sd.append(np.sqrt(moment(second**2) - mean[1] ** 2))
    r = (moment(first * second) - mean[0] * mean[1]) / (sd[0] * sd[1])
    assert r > 0.5
    np.testing.assert_allclose(rain.mean(axis=0), mean, atol=0.008)
    np.testing.assert_allclose(rain.std(axis=0), sd, rtol=0.05)
    assert np.corrcoef(rain.T)[0, 1] == pytest.approx(r, abs=0.05)
    assert found.shared_effective > 1000


def test_groups_with_end_members_of_their_own_are_independent() -> None:
    soil = pd.DataFrame({"Cl": [3.0, 4.0], "Cl_sd": SD, "period": ["June", "August"]})
    shifted = VAGUE.assign(Cl=[1.01, 9.01], period="August")
    ends = EndMembers.from_table(pd.concat([VAGUE.assign(period="June"), shifted]))
    model = MixingModel(tracers=("Cl",), residual="none")
    rng = np.random.default_rng(1)
    found = bayes_fractions(soil, ends, by=["period"], model=model, rng=rng)
    rain = shares_of(found)[:, :, 0]
    assert abs(np.corrcoef(rain.T)[0, 1]) < 0.08
    assert np.isinf(found.shared_effective)


def scattered_groups(seed: int, sizes: list[int]) -> tuple[pd.DataFrame, np.ndarray]:
    """Groups whose ice fractions scatter about 0.4, and the truth."""
    rng = np.random.default_rng(seed)
    logit = np.log(0.4 / 0.6) + rng.normal(0, 0.4, len(sizes))
    ice = 1.0 / (1.0 + np.exp(-logit))
    rows = [
        {"band": group, "Cl": value}
        for group, n in enumerate(sizes)
        for value in rng.normal(1.0 + 8.0 * ice[group], 2.0, n)
    ]
    return pd.DataFrame(rows), ice


CERTAIN = EndMembers.from_table(
    pd.DataFrame({"source": ["rain", "ice"], "Cl": [1.0, 9.0]})
)


def drawn(soil: pd.DataFrame, pooling: str, by: list[str], seed: int = 2) -> np.ndarray:
    model = MixingModel(tracers=("Cl",), sources="fixed", pooling=pooling)
    rng, sampler = np.random.default_rng(seed), SamplerSettings(n_draws=600)
    found = bayes_fractions(soil, CERTAIN, by=by, model=model, sampler=sampler, rng=rng)
    return shares_of(found)[:, :, 1]


def test_pooling_lies_between_groups_alone_and_all_in_one() -> None:
    soil, _ = scattered_groups(1, [3, 3, 3, 3, 3, 3, 3, 40])
    alone = drawn(soil, "none", ["band"])
    pooled = drawn(soil, "partial", ["band"])
    together = drawn(soil, "none", []).mean()
    apart = np.abs(alone.mean(axis=0) - together)
    shrunk = np.abs(pooled.mean(axis=0) - together)
    small = np.arange(7)
    assert shrunk[small].mean() < 0.8 * apart[small].mean()
    assert shrunk[small].mean() > 0.05 * apart[small].mean()
    assert pooled[:, small].std(axis=0).mean() < alone[:, small].std(axis=0).mean()
    # A group that knows enough is left alone.
    assert pooled[:, 7].mean() == pytest.approx(alone[:, 7].mean(), abs=0.02)


def test_a_single_group_has_nothing_to_pool_with() -> None:
    soil, _ = scattered_groups(1, [5])
    model = MixingModel(tracers=("Cl",), sources="fixed", pooling="partial")
    rng = np.random.default_rng(2)
    found = bayes_fractions(soil, CERTAIN, by=["band"], model=model, rng=rng)
    assert np.isnan(found.parameters["pooling_sd"]).all()
    assert np.isfinite(shares_of(found)).all()


@pytest.mark.slow
def test_pooled_intervals_cover_and_err_less() -> None:
    inside, errors = [], {"none": [], "partial": []}
    for seed in range(40):
        soil, ice = scattered_groups(seed, [4] * 10)
        for pooling, found in errors.items():
            draws = drawn(soil, pooling, ["band"], seed)
            found.append(((draws.mean(axis=0) - ice) ** 2).mean())
            if pooling == "partial":
                low, high = np.quantile(draws, [0.05, 0.95], axis=0)
                inside.append(((low <= ice) & (ice <= high)).mean())
    coverage = float(np.mean(inside))
    error = {name: float(np.sqrt(np.mean(found))) for name, found in errors.items()}
    print(f"pooled 90 % intervals cover {coverage:.3f}; errors {error}")
    # 400 intervals: three standard errors are 0.05.
    assert 0.85 <= coverage <= 0.95
    assert error["partial"] < 0.9 * error["none"]
