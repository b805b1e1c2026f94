"""What the prior says, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geosoil.errors import MixingError
from geosoil.tracers.bayes_prior import FractionPrior

NAMES = ("rain", "ice", "snow")


@pytest.mark.parametrize("alpha", [0.05, 1.0, 4.0])
def test_dirichlet_draws_have_beta_margins(alpha: float) -> None:
    prior = FractionPrior(concentration={"rain": alpha})
    draws = prior.prior_draws(NAMES, np.random.default_rng(1))
    assert stats.kstest(draws[:, 0], stats.beta(alpha, 2.0).cdf).pvalue > 0.01
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, atol=1e-12)


def test_softmax_draws_are_logistic_normal() -> None:
    prior = FractionPrior("softmax", mean={"ice": 1.0}, sd={"snow": 0.5})
    draws = prior.prior_draws(NAMES, np.random.default_rng(1))
    gap = np.log(draws[:, 1] / draws[:, 2])
    wanted = stats.norm(1.0, np.hypot(1.0, 0.5))
    assert stats.kstest(gap, wanted.cdf).pvalue > 0.01


def test_the_shown_prior_of_a_softmax_is_not_flat() -> None:
    rng = np.random.default_rng(1)
    tight = FractionPrior("softmax").describe(NAMES, rng).set_index("source")
    flat = FractionPrior().describe(NAMES, rng).set_index("source")
    wide = FractionPrior("softmax", sd=20.0).describe(NAMES, rng).set_index("source")
    assert tight.loc["ice", "q05"] > 1.5 * flat.loc["ice", "q05"]
    assert wide.loc["ice", "sd"] >= 1.5 * flat.loc["ice", "sd"]
    assert list(flat.columns) == ["mean", "sd", "q05", "q25", "q50", "q75", "q95"]


@given(
    caps=st.lists(st.floats(0.4, 1.0), min_size=3, max_size=3),
    kind=st.sampled_from(["dirichlet", "softmax"]),
)
@settings(max_examples=25)
def test_no_draw_is_above_its_cap(caps: list[float], kind: str) -> None:
    prior = FractionPrior(kind, caps=dict(zip(NAMES, caps, strict=True)))
    draws = prior.prior_draws(NAMES, np.random.default_rng(0), 300)
    assert draws.shape == (300, 3)
    assert (draws <= np.array(caps)).all()
    assert (draws >= 0).all()


def test_caps_that_leave_no_room_are_named() -> None:
    prior = FractionPrior(caps={"rain": 0.6, "ice": 0.3})
    with pytest.raises(MixingError, match=r"rain 0.6, ice 0.3 sum to 0.9"):
        prior.numbers(("rain", "ice"))
    assert prior.numbers(NAMES)["cap"].tolist() == [0.6, 0.3, 1.0]
    narrow = FractionPrior(caps=dict.fromkeys(NAMES, 0.3334))
    with pytest.raises(MixingError, match="hardly any room"):
        narrow.prior_draws(NAMES, np.random.default_rng(1), 100)


def test_all_faults_of_a_prior_are_told_at_once() -> None:
    with pytest.raises(MixingError, match=r"kind.*concentration.*cap 1.5 of ice"):
        FractionPrior("flat", concentration=0.0, caps={"ice": 1.5})
    with pytest.raises(MixingError, match="mean nan is not finite"):
        FractionPrior("softmax", mean=float("nan"))
