"""Leave-one-out against arviz and against a model whose answer is known."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from scipy.special import logsumexp

from geosoil.errors import InputError
from geosoil.tracers.loo import compare_loo, psis_loo


def normal_mean():
    rng = np.random.default_rng(40)
    samples = rng.normal(size=12)
    samples[0] = 3.5
    mean = rng.normal(samples.mean(), 12**-0.5, size=(1000, 1))
    return -0.5 * (samples - mean) ** 2 - 0.5 * np.log(2.0 * np.pi)


CASES = {
    "normal_mean": normal_mean,
    "heavy": lambda: (
        -np.random.default_rng(41).standard_exponential(size=(500, 6))
        * [0.1, 0.3, 0.5, 0.7, 0.9, 1.2]
    ),
    "few_draws": lambda: np.random.default_rng(42).normal(-2.0, 0.5, size=(80, 5)),
}


@pytest.mark.parametrize("case", CASES)
def test_parts_agree_with_arviz(case, golden) -> None:
    path = golden / "tracers" / "convergence.json"
    wanted = json.loads(path.read_text())["loo"][case]
    loo = psis_loo(CASES[case]())
    np.testing.assert_allclose(loo.pointwise, wanted["elpd"], rtol=1e-9)
    np.testing.assert_allclose(loo.pareto_k, wanted["pareto_k"], atol=1e-9)
    assert loo.elpd == pytest.approx(sum(wanted["elpd"]), rel=1e-9)
    assert loo.p_loo == pytest.approx(sum(wanted["p_loo"]), rel=1e-8)
    n = len(wanted["elpd"])
    assert loo.se == pytest.approx(np.std(wanted["elpd"], ddof=1) * n**0.5, rel=1e-9)


def test_a_conjugate_normal_model_gets_its_exact_answer() -> None:
    rng = np.random.default_rng(1)
    samples, prior_sd = rng.normal(0.5, 1.0, size=30), 2.0
    precision = 1.0 / prior_sd**2 + len(samples)
    draws = rng.normal(samples.sum() / precision, precision**-0.5, size=(40_000, 1))
    loo = psis_loo(stats.norm.logpdf(samples, draws, 1.0))
    others = precision - 1.0
    exact = stats.norm.logpdf(
        samples, (samples.sum() - samples) / others, np.sqrt(1.0 + 1.0 / others)
    )
    np.testing.assert_allclose(loo.pointwise, exact, atol=0.01)
    assert loo.elpd == pytest.approx(exact.sum(), abs=0.03)
    assert loo.reason == ""


def test_shape_of_known_pareto_tails_is_found() -> None:
    rng = np.random.default_rng(2)
    for shape in (0.2, 0.5, 0.9):
        ratios = stats.genpareto.rvs(shape, size=(20_000, 20), random_state=rng) + 1.0
        found = psis_loo(-np.log(ratios)).pareto_k
        assert found.mean() == pytest.approx(shape, abs=0.05)


@pytest.mark.slow
def test_smoothing_lowers_the_error_of_plain_weights() -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(size=10)
    samples[0] = 4.5
    exact = stats.norm.logpdf(4.5, samples[1:].mean(), np.sqrt(1.0 + 1.0 / 9.0))
    plain, smooth = [], []
    for _ in range(200):
        draws = rng.normal(samples.mean(), 10**-0.5, size=(200, 1))
        log_density = stats.norm.logpdf(samples, draws, 1.0)
        smooth.append(psis_loo(log_density).pointwise[0] - exact)
        plain.append(np.log(200) - logsumexp(-log_density[:, 0]) - exact)
    assert np.mean(np.square(smooth)) < np.mean(np.square(plain))


def test_an_influential_sample_is_named() -> None:
    rng = np.random.default_rng(4)
    draws = rng.normal(0.0, 0.3, size=(2000, 1))
    samples = np.array([0.1, -0.2, 25.0])
    loo = psis_loo(stats.norm.logpdf(samples, draws, 1.0))
    assert loo.pareto_k[2] > loo.k_limit > loo.pareto_k[:2].max()
    assert "1 of 3" in loo.reason
    assert "numbers 2;" in loo.reason


def test_equal_densities_need_no_weights() -> None:
    loo = psis_loo(np.full((100, 3), -1.5))
    assert loo.pointwise.tolist() == pytest.approx([-1.5] * 3)
    assert loo.pareto_k.tolist() == [-np.inf] * 3
    assert loo.reason == ""


def test_a_tail_of_equal_weights_is_no_good_tail() -> None:
    log_density = np.zeros((200, 1))
    log_density[:150] = np.random.default_rng(5).uniform(1.0, 2.0, (150, 1))
    loo = psis_loo(log_density)
    assert loo.pareto_k[0] == np.inf
    assert "Pareto k" in loo.reason


def test_a_sample_without_density_leaves_no_sum() -> None:
    log_density = np.random.default_rng(6).normal(size=(100, 4))
    log_density[3, 1] = -np.inf
    log_density[5, 2] = np.nan
    loo = psis_loo(log_density)
    assert np.isnan([loo.elpd, loo.se, loo.p_loo]).all()
    assert np.isfinite(loo.pointwise).tolist() == [True, False, False, True]
    assert "2 of 4 observations (numbers 1, 2)" in loo.reason


def test_limit_of_k_grows_with_the_draws() -> None:
    rng = np.random.default_rng(7)
    limits = [psis_loo(rng.normal(size=(n, 1))).k_limit for n in (100, 1000, 5000)]
    assert limits == pytest.approx([0.5, 2.0 / 3.0, 0.7])


def test_better_model_stands_first_and_shared_scatter_cancels() -> None:
    rng = np.random.default_rng(8)
    hard = rng.normal(-2.0, 3.0, size=150)
    worse = hard - rng.normal(0.2, 0.01, size=150)
    models = {
        "worse": psis_loo(worse + rng.normal(0.0, 0.01, size=(1000, 150))),
        "better": psis_loo(hard + rng.normal(0.0, 0.01, size=(1000, 150))),
    }
    table = compare_loo(models)
    assert table["model"].tolist() == ["better", "worse"]
    assert table.loc[0, ["difference", "difference_se"]].tolist() == [0.0, 0.0]
    assert table.loc[1, "difference"] == pytest.approx(-30.0, abs=0.5)
    by_hand = np.std(worse - hard, ddof=1) * 150**0.5
    assert table.loc[1, "difference_se"] == pytest.approx(by_hand, rel=0.05)
    assert table.loc[1, "se"] > 20.0
    assert table["reason"].tolist() == ["", ""]


def test_models_alike_and_few_samples_are_said() -> None:
    base = np.random.default_rng(9).normal(-1.0, 0.05, size=(1000, 20))
    models = {name: psis_loo(base - cut) for name, cut in [("a", 0), ("b", 0.1)]}
    assert "predicts alike" in compare_loo(models).loc[1, "reason"]
    models["c"] = psis_loo(base - 2.0)
    assert "fewer than 100" in compare_loo(models).loc[2, "reason"]


def test_a_model_without_an_answer_stays_last() -> None:
    base = np.random.default_rng(10).normal(-1.0, 0.05, size=(1000, 20))
    broken = base.copy()
    broken[0, 0] = np.nan
    table = compare_loo({"broken": psis_loo(broken), "fine": psis_loo(base)})
    assert table["model"].tolist() == ["fine", "broken"]
    assert np.isnan(table.loc[1, "difference"])
    assert "not finite" in table.loc[1, "reason"]


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(draw, observation\)"):
        psis_loo(np.zeros(100))
    with pytest.raises(InputError, match="24 draws"):
        psis_loo(np.zeros((24, 2)))
    with pytest.raises(InputError, match="efficiency"):
        psis_loo(np.zeros((100, 2)), relative_efficiency=0.0)
    with pytest.raises(InputError, match="No model"):
        compare_loo({})
    one, two = psis_loo(np.zeros((100, 2))), psis_loo(np.zeros((100, 3)))
    with pytest.raises(InputError, match="one 2, two 3"):
        compare_loo({"one": one, "two": two})
