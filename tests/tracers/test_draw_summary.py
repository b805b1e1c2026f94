"""Tests of the numbers that tell of draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.draw_summary import (
    adjusted_p_values,
    describe_draws,
    draw_p_value,
    pair_labels,
    quantile_names,
    tidy_draws,
)

NUMBERS = st.floats(-1.0, 2.0)


@given(arrays(float, (7, 3), elements=NUMBERS))
def test_numbers_are_those_of_numpy_column_by_column(values) -> None:
    numbers = describe_draws(values, quantiles=[0.05, 0.5], above=0.2)
    for j in range(3):
        column = values[:, j]
        assert numbers["mean"][j] == pytest.approx(np.mean(column))
        assert numbers["sd"][j] == pytest.approx(np.std(column, ddof=1), abs=1e-12)
        assert numbers["q05"][j] == pytest.approx(np.quantile(column, 0.05))
        assert numbers["q50"][j] == pytest.approx(np.median(column))
        assert numbers["prob_above"][j] == np.mean(column > 0.2)
        assert numbers["n_draws"][j] == 7


def test_missing_draws_are_left_out_and_counted() -> None:
    nan = np.nan
    values = np.array([[0.1, nan, nan], [0.3, 0.4, nan], [0.8, 0.6, nan]])
    numbers = describe_draws(values, quantiles=[0.25])
    np.testing.assert_array_equal(numbers["n_draws"], [3, 2, 0])
    np.testing.assert_allclose(numbers["mean"], [0.4, 0.5, nan])
    np.testing.assert_allclose(numbers["sd"][1], np.sqrt(0.02))
    np.testing.assert_allclose(numbers["q25"], [0.2, 0.45, nan])


def test_one_draw_has_a_mean_but_no_spread() -> None:
    numbers = describe_draws(np.array([[0.4]]), quantiles=[])
    assert numbers["mean"][0] == 0.4
    assert np.isnan(numbers["sd"][0])


def test_no_draw_at_all_gives_missing_numbers() -> None:
    numbers = describe_draws(np.empty((0, 2)))
    assert np.isnan(numbers["q95"]).all()
    assert numbers["n_draws"].tolist() == [0, 0]


def test_names_of_quantiles_sort_as_the_quantiles_do() -> None:
    quantiles = [0.0, 0.025, 0.05, 0.1, 0.5, 0.975, 0.999]
    names = quantile_names(quantiles)
    assert names == ["q00", "q02.5", "q05", "q10", "q50", "q97.5", "q99.9"]
    assert names == sorted(names)


def test_quantiles_beyond_their_range_are_refused() -> None:
    with pytest.raises(InputError, match=r"Invalid quantiles -0.1, 5"):
        quantile_names([-0.1, 0.5, 5])


def test_a_tidy_table_keeps_labels_beside_their_numbers() -> None:
    rows = pd.DataFrame({"aspect": ["N", "S"]}, index=[7, 9])
    numbers = {
        "mean": np.array([[0.1, 0.9], [0.3, 0.7]]),
        "n_draws": np.full((2, 2), 5.0),
    }
    tidy = tidy_draws(rows, ["ice", "rain"], numbers)
    assert tidy.set_index(["aspect", "source"])["mean"].to_dict() == {
        ("N", "ice"): 0.1,
        ("N", "rain"): 0.9,
        ("S", "ice"): 0.3,
        ("S", "rain"): 0.7,
    }
    assert tidy["n_draws"].tolist() == [5] * 4
    assert tidy["n_draws"].dtype == int


def test_p_value_of_normal_draws_is_that_of_z() -> None:
    rng = np.random.default_rng(1)
    draws = rng.normal(1.5, 1.0, 200_000)
    assert draw_p_value(draws) == pytest.approx(2 * stats.norm.sf(1.5), rel=0.02)


@given(arrays(float, 9, elements=NUMBERS))
def test_p_value_does_not_hang_on_the_side(values) -> None:
    assert draw_p_value(values) == draw_p_value(-values)
    assert 2 / 10 <= draw_p_value(values) <= 1.0


def test_shares_that_are_always_equal_do_not_differ() -> None:
    assert draw_p_value(np.zeros(50)) == 1.0
    assert np.isnan(draw_p_value(np.full(3, np.nan)))


def test_holm_is_the_rule_of_its_paper() -> None:
    p = np.array([0.01, 0.02, 0.03, 0.5])
    np.testing.assert_allclose(adjusted_p_values(p), [0.04, 0.06, 0.06, 0.5])


def test_labels_of_pairs_keep_what_they_share_once() -> None:
    rows = pd.DataFrame(
        {"period": ["June", "June"], "aspect": ["N", "S"], "reason": ["", "?"]}
    )
    pair = pair_labels(rows, np.array([[1, 0]]), ["period"])
    assert pair.to_dict("records") == [
        {"period": "June", "aspect_1": "S", "aspect_2": "N", "row_1": 1, "row_2": 0}
    ]
