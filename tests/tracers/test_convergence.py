"""R-hat and effective sizes against arviz; stuck chains both ways."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import signal

from geosoil.errors import InputError
from geosoil.tracers.convergence import (
    CONSTANT,
    FEW_DRAWS,
    NOT_FINITE,
    ONE_CHAIN,
    bulk_ess,
    convergence_table,
    rank_r_hat,
    stuck_chains,
    tail_ess,
)


def autoregressive(rng, shape, memory):
    steps = rng.normal(size=shape)
    return signal.lfilter([1.0], [1.0, -memory], steps, axis=1)


CASES = {
    "iid": lambda: np.random.default_rng(20).normal(size=(4, 500)),
    "odd": lambda: np.random.default_rng(21).normal(size=(3, 251)),
    "slow": lambda: autoregressive(np.random.default_rng(22), (4, 400), 0.95),
    "antithetic": lambda: autoregressive(np.random.default_rng(23), (4, 400), -0.7),
    "shifted": lambda: (
        np.random.default_rng(24).normal(size=(4, 300)) + np.eye(4)[:, 3:]
    ),
    "spread": lambda: (
        np.random.default_rng(25).normal(size=(4, 300)) * (1.0 + 2.0 * np.eye(4)[:, 3:])
    ),
    "cauchy": lambda: np.random.default_rng(26).standard_cauchy(size=(4, 200)),
    "ties": lambda: np.round(np.random.default_rng(27).beta(0.5, 2.0, (4, 200)), 1),
    "short": lambda: np.random.default_rng(28).normal(size=(2, 9)),
    "one": lambda: autoregressive(np.random.default_rng(29), (1, 1000), 0.5),
}


@pytest.fixture(scope="module")
def expected(golden):
    path = golden / "tracers" / "convergence.json"
    return json.loads(path.read_text())["convergence"]


@pytest.mark.parametrize("case", CASES)
def test_numbers_agree_with_arviz(case, expected) -> None:
    draws, wanted = CASES[case](), expected[case]
    assert bulk_ess(draws) == pytest.approx(wanted["ess_bulk"], rel=1e-8)
    assert tail_ess(draws) == pytest.approx(wanted["ess_tail"], rel=1e-8)
    if wanted["r_hat"] is not None:
        assert rank_r_hat(draws) == pytest.approx(wanted["r_hat"], rel=1e-10)


def test_effective_number_of_slow_chains_is_that_of_theory() -> None:
    draws = autoregressive(np.random.default_rng(1), (8, 20_000), 0.8)
    theory = draws.size * (1.0 - 0.8) / (1.0 + 0.8)
    assert bulk_ess(draws) == pytest.approx(theory, rel=0.05)


def test_effective_number_of_alternating_chains_stays_below_its_bound() -> None:
    draws = np.tile([1.0, -1.0], (4, 100)) + np.random.default_rng(2).normal(
        scale=1e-3, size=(4, 200)
    )
    assert bulk_ess(draws) == pytest.approx(800.0 * np.log10(800.0))


@given(st.integers(0, 2**32 - 1), st.permutations(range(4)))
def test_unit_sign_and_order_of_chains_change_nothing(seed, order) -> None:
    draws = np.random.default_rng(seed).normal(size=(4, 40))
    # A power of two is exact, so that ties of folded draws stay ties.
    other = -4.0 * draws[order]
    assert rank_r_hat(other) == pytest.approx(rank_r_hat(draws), rel=1e-9)
    assert bulk_ess(other) == pytest.approx(bulk_ess(draws), rel=1e-6)
    assert bulk_ess(np.exp(draws)) == pytest.approx(bulk_ess(draws), rel=1e-9)
    assert stuck_chains(other) == []


@pytest.mark.parametrize(
    ("draws", "reason"),
    [
        (np.full((4, 50), 0.3), CONSTANT),
        (0.1 + 1e-16 * np.arange(200.0).reshape(4, 50), CONSTANT),
        (np.zeros((4, 50)), CONSTANT),
        (np.where(np.arange(200).reshape(4, 50) == 7, np.nan, 1.0), NOT_FINITE),
        (np.arange(12.0).reshape(4, 3), FEW_DRAWS),
        (np.zeros((0, 50)), FEW_DRAWS),
    ],
)
def test_no_number_where_none_is_honest(draws, reason) -> None:
    assert np.isnan([rank_r_hat(draws), bulk_ess(draws), tail_ess(draws)]).all()
    table = convergence_table(draws[:, :, np.newaxis], ["share"])
    assert table.loc[0, "reason"] == reason
    assert not table.loc[0, "converged"]
    assert table.loc[0, "stuck_chains"] == ()


def test_one_chain_has_no_r_hat_and_says_so() -> None:
    draws = np.random.default_rng(3).normal(size=(1, 2000))
    row = convergence_table(draws[:, :, np.newaxis], ["share"]).loc[0]
    assert np.isnan(row["r_hat"])
    assert row["ess_bulk"] > 1500.0
    assert (row["converged"], row["reason"]) == (False, ONE_CHAIN)


def test_chains_frozen_at_different_places_have_infinite_r_hat() -> None:
    draws = np.repeat(np.arange(4.0)[:, np.newaxis], 50, axis=1)
    assert rank_r_hat(draws) == np.inf
    assert stuck_chains(draws) == [0, 1, 2, 3]
    row = convergence_table(draws[:, :, np.newaxis], ["share"]).loc[0]
    assert "R-hat inf above 1.01" in row["reason"]


DISTRIBUTIONS = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape),
    "heavy": lambda rng, shape: rng.standard_cauchy(size=shape),
    "at the edge": lambda rng, shape: rng.beta(0.3, 2.0, size=shape),
    "two humps": lambda rng, shape: (
        rng.normal(size=shape) + 6.0 * rng.integers(2, size=shape)
    ),
}


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_independent_chains_are_called_stuck_in_less_than_one_of_a_hundred(
    distribution,
) -> None:
    rng, make = np.random.default_rng(4), DISTRIBUTIONS[distribution]
    shapes = [(2, 50), (3, 60), (4, 100), (8, 200)]
    alarms = [bool(stuck_chains(make(rng, s))) for s in shapes for _ in range(100)]
    assert np.mean(alarms) < 0.01


@pytest.mark.parametrize("n_chains", [4, 8, 48])
def test_a_chain_that_stands_still_is_found(n_chains) -> None:
    rng = np.random.default_rng(5)
    for start in (0, 80):
        draws = rng.normal(size=(n_chains, 200))
        draws[1, start:] = draws[1, start]
        assert stuck_chains(draws) == [1]


@pytest.mark.parametrize("n_chains", [3, 4, 8, 48])
def test_a_chain_in_another_mode_is_found(n_chains) -> None:
    for seed in range(20):
        draws = np.random.default_rng(seed).normal(size=(n_chains, 200))
        draws[2] += 4.0
        assert stuck_chains(draws) == [2]


def test_a_chain_that_hardly_moves_is_found() -> None:
    for seed in range(20):
        draws = np.random.default_rng(seed).normal(size=(5, 200))
        draws[0] *= 0.1
        assert stuck_chains(draws) == [0]


def test_a_third_of_the_chains_in_another_mode_is_found() -> None:
    draws = np.random.default_rng(6).normal(size=(9, 300))
    draws[[1, 4, 7]] -= 5.0
    assert stuck_chains(draws) == [1, 4, 7]


def test_two_equal_camps_are_left_to_r_hat() -> None:
    draws = np.random.default_rng(7).normal(size=(4, 300))
    draws[2:] += 6.0
    assert stuck_chains(draws) == []
    assert rank_r_hat(draws) > 1.5


def test_slow_chains_are_rarely_called_stuck() -> None:
    rng = np.random.default_rng(8)
    alarms = [
        bool(stuck_chains(autoregressive(rng, (8, 300), 0.95))) for _ in range(100)
    ]
    assert np.mean(alarms) <= 0.02


def test_table_says_what_failed_and_where() -> None:
    rng = np.random.default_rng(9)
    cube = rng.normal(size=(4, 1000, 3))
    cube[3, :, 1] += 5.0
    cube[:, :, 2] = autoregressive(rng, (4, 1000), 0.98)
    table = convergence_table(cube, ["rain", "ice", "snow"]).set_index("parameter")
    assert table["converged"].tolist() == [True, False, False]
    assert table.loc["rain", "reason"] == ""
    assert table.loc["ice", "stuck_chains"] == (3,)
    assert "stuck chains 3" in table.loc["ice", "reason"]
    assert "R-hat" in table.loc["ice", "reason"]
    assert "bulk ESS" in table.loc["snow", "reason"]


def test_limits_decide() -> None:
    cube = np.random.default_rng(10).normal(size=(4, 200, 1))
    assert convergence_table(cube, ["share"], ess_limit=300.0).loc[0, "converged"]
    strict = convergence_table(cube, ["share"], ess_limit=5000.0).loc[0]
    assert "below 5000" in strict["reason"]


def test_a_heap_of_equal_draws_at_the_edge_has_no_tail() -> None:
    draws = np.minimum(np.random.default_rng(11).normal(size=(4, 500)), 1.0)
    row = convergence_table(draws[:, :, np.newaxis], ["share"]).loc[0]
    assert np.isnan(row["ess_tail"])
    assert row["ess_bulk"] > 1500.0
    assert row["reason"] == "no tail ESS: too many equal draws"


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(chain, draw\)"):
        rank_r_hat(np.zeros(5))
    with pytest.raises(InputError, match="2 names"):
        convergence_table(np.zeros((4, 10, 3)), ["a", "b"])
