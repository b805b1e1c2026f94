"""Tests of draws of fractions: summaries, sums of sources, means and differences."""

# ruff: noqa: PD011 (values of draws, not of a table)

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError, MixingError
from geosoil.tracers.draws import NO_WEIGHT, QUANTILES, FractionDraws

SOURCES = ("precipitation", "ground_ice", "snowmelt")


def dirichlet(rows: int, *, n_draws: int = 40, seed: int = 1) -> FractionDraws:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "period": np.resize(["June", "August"], rows),
            "site": np.arange(rows),
            "n": np.arange(1, rows + 1),
        }
    )
    values = rng.dirichlet([2.0, 1.0, 0.5], (n_draws, rows))
    return FractionDraws(table, SOURCES, values, ("",) * rows, "monte_carlo")


def of_end_members(*, n_draws: int, shared: bool) -> FractionDraws:
    """Two sources, one tracer; six groups; error in the first end member alone."""
    rng = np.random.default_rng(4)
    mixtures = np.linspace(0.2, 0.7, 6)
    size = (n_draws, 1) if shared else (n_draws, 6)
    first = 1.0 + 0.1 * rng.standard_normal(size)
    ice = mixtures / first
    values = np.stack([ice, 1.0 - ice], axis=-1)
    table = pd.DataFrame({"group": list("abcdef")})
    return FractionDraws(table, ("ice", "rain"), values, ("",) * 6, "monte_carlo")


def test_shapes_that_do_not_fit_are_refused() -> None:
    table = pd.DataFrame({"period": ["June"]})
    with pytest.raises(InputError, match=r"shape \(2, 1\)"):
        FractionDraws(table, ("a",), np.ones((2, 1)), ("",), "bayes")
    with pytest.raises(InputError, match="0 reasons for 1 rows"):
        FractionDraws(table, ("a",), np.ones((2, 1, 1)), (), "bayes")


def test_a_summary_has_mean_spread_and_the_five_quantiles() -> None:
    draws = dirichlet(3)
    summary = draws.summary()
    assert QUANTILES == (0.05, 0.25, 0.5, 0.75, 0.95)
    assert {"q05", "q25", "q50", "q75", "q95"} <= set(summary)
    line = summary[(summary["site"] == 1) & (summary["source"] == "ground_ice")].iloc[0]
    own = draws.values[:, 1, 1]
    assert line["mean"] == pytest.approx(own.mean())
    assert line["sd"] == pytest.approx(own.std(ddof=1))
    assert line["q95"] == pytest.approx(np.quantile(own, 0.95))
    assert (line["n"], line["n_draws"], line["method"]) == (2, 40, "monte_carlo")
    assert "prob_above" not in summary
    above = draws.summary(above=0.25)["prob_above"]
    np.testing.assert_allclose(above, (draws.values > 0.25).mean(axis=0).reshape(-1))


def test_a_row_without_an_answer_stays_with_its_reason() -> None:
    whole = dirichlet(2)
    values = whole.values.copy()
    values[:, 1] = np.nan
    table = whole.table.assign(reason="old words")
    draws = FractionDraws(table, SOURCES, values, ("", "no sample"), "bayes")
    summary = draws.summary()
    assert summary["reason"].tolist() == [""] * 3 + ["no sample"] * 3
    assert summary.loc[3:, ["mean", "sd", "q50"]].isna().all(axis=None)
    assert summary["n_draws"].tolist() == [40] * 3 + [0] * 3


def test_chosen_rows_keep_their_draws() -> None:
    draws = dirichlet(5)
    for rows in (draws.table["period"] == "August", [1, 3]):
        part = draws.select(rows)
        np.testing.assert_array_equal(part.values, draws.values[:, [1, 3]])
        assert part.table["site"].tolist() == [1, 3]
        assert part.table.index.tolist() == [0, 1]
    assert draws.select([4, 0]).table["site"].tolist() == [4, 0]


@pytest.mark.parametrize("rows", [[True], [5], [-1]])
def test_rows_that_are_not_there_are_refused(rows) -> None:
    with pytest.raises(InputError, match="rows"):
        dirichlet(5).select(rows)


def test_combined_sources_are_summed_in_each_draw() -> None:
    draws = dirichlet(4)
    frozen = draws.combine_sources({"frozen": ["snowmelt", "ground_ice"]})
    assert frozen.sources == ("precipitation", "frozen")
    np.testing.assert_allclose(frozen.values[..., 1], draws.values[..., 1:].sum(axis=2))
    np.testing.assert_allclose(frozen.values.sum(axis=2), 1.0)
    liquid = draws.combine_sources({"liquid": ["precipitation", "snowmelt"]})
    assert liquid.sources == ("liquid", "ground_ice")
    renamed = draws.combine_sources({"ice": ["ground_ice"]})
    assert renamed.sources == ("precipitation", "ice", "snowmelt")
    np.testing.assert_array_equal(renamed.values, draws.values)


def test_the_sum_of_two_sources_that_are_alike_is_known_well() -> None:
    rng = np.random.default_rng(2)
    split = rng.uniform(0.0, 0.5, 500)
    values = np.stack([np.full(500, 0.5), split, 0.5 - split], axis=-1)[:, None]
    draws = FractionDraws(pd.DataFrame(index=[0]), SOURCES, values, ("",), "bayes")
    summary = draws.combine_sources({"frozen": ["ground_ice", "snowmelt"]}).summary()
    assert draws.summary()["sd"][1] > 0.1
    assert summary["sd"][1] == pytest.approx(0.0, abs=1e-12)


def test_sources_that_cannot_be_combined_are_all_named() -> None:
    parts = {"a": ["ice", "snowmelt"], "b": ["snowmelt"], "ground_ice": [], "c": []}
    with pytest.raises(MixingError, match="unknown: ice") as caught:
        dirichlet(1).combine_sources(parts)
    words = str(caught.value)
    assert "used more than once: snowmelt" in words
    assert "a source that stays has the name: ground_ice" in words
    assert "made of nothing: ground_ice, c" in words


@given(st.integers(1, 8), st.integers(0, 10_000))
def test_equal_weights_give_the_mean_of_each_draw(rows, seed) -> None:
    draws = dirichlet(rows, n_draws=5, seed=seed)
    mean = draws.aggregate([], weighting="rows")
    np.testing.assert_allclose(mean.values[:, 0], draws.values.mean(axis=1))
    same = draws.aggregate([], weights=np.full(rows, 3.0), weighting="rows")
    np.testing.assert_allclose(same.values, mean.values)


@given(st.lists(st.floats(0.01, 100.0), min_size=6, max_size=6))
def test_weighted_means_sum_to_one_and_stay_between_their_rows(weights) -> None:
    draws = dirichlet(6, n_draws=5)
    mean = draws.aggregate(["period"], weights=weights, weighting="w")
    np.testing.assert_allclose(mean.values.sum(axis=2), 1.0)
    for place, period in enumerate(mean.table["period"]):
        own = draws.select(draws.table["period"] == period).values
        assert np.all(mean.values[:, place] >= own.min(axis=1) - 1e-12)
        assert np.all(mean.values[:, place] <= own.max(axis=1) + 1e-12)


def test_groups_stand_in_the_order_of_the_season_and_count_their_rows() -> None:
    draws = dirichlet(5)
    mean = draws.aggregate(["period"], weights=draws.table["n"], weighting="samples")
    assert mean.table["period"].tolist() == ["June", "August"]
    assert mean.table["n"].tolist() == [1 + 3 + 5, 2 + 4]
    assert mean.table["n_rows"].tolist() == [3, 2]
    assert mean.table["weighting"].tolist() == ["samples"] * 2
    wanted = np.average(draws.values[:, [1, 3]], axis=1, weights=[2, 4])
    np.testing.assert_allclose(mean.values[:, 1], wanted)


def test_an_error_of_a_shared_end_member_is_not_averaged_away() -> None:
    mixtures = np.linspace(0.2, 0.7, 6)
    shared = of_end_members(n_draws=20_000, shared=True)
    sd = shared.aggregate([], weighting="rows").summary()["sd"][0]
    rows = shared.summary().query("source == 'ice'")["sd"].to_numpy()
    assert sd == pytest.approx(rows.mean(), rel=1e-9)
    assert sd == pytest.approx(0.1 * mixtures.mean(), rel=0.06)
    too_narrow = np.sqrt(np.sum(rows**2)) / 6
    assert too_narrow < 0.5 * sd
    apart = of_end_members(n_draws=20_000, shared=False)
    assert apart.aggregate([], weighting="rows").summary()["sd"][0] == pytest.approx(
        too_narrow, rel=0.03
    )


def test_a_shared_error_drops_out_of_a_difference() -> None:
    pair = [(1, 0)]
    shared = of_end_members(n_draws=4000, shared=True).compare(pairs=pair)
    apart = of_end_members(n_draws=4000, shared=False).compare(pairs=pair)
    assert shared["sd"][0] == pytest.approx(0.01, rel=0.1)
    assert apart["sd"][0] > 3 * shared["sd"][0]


def test_what_has_no_answer_or_no_weight_is_told_not_hidden() -> None:
    whole = dirichlet(6)
    values = whole.values.copy()
    values[:, 2] = np.nan
    reason = ("", "", "no sample", "", "one site", "")
    draws = FractionDraws(whole.table, SOURCES, values, reason, "bayes")
    weights = [1.0, 1.0, 2.0, np.nan, 3.0, 0.0]
    mean = draws.aggregate(["period"], weights=weights, weighting="storage")
    june, august = mean.table.to_dict("records")
    assert (june["n_rows"], june["n_unanswered"], june["n_unweighted"]) == (2, 1, 0)
    assert june["covered"] == pytest.approx(4 / 6)
    assert june["n"] == 1 + 5
    assert (august["n_rows"], august["n_unweighted"], august["covered"]) == (1, 1, 1.0)
    assert mean.reason == (
        "1 of 3 rows without an answer; 1 of 2 rows used doubtful",
        "1 without a known weight",
    )
    wanted = np.average(values[:, [0, 4]], axis=1, weights=[1, 3])
    np.testing.assert_allclose(mean.values[:, 0], wanted)


def test_a_group_with_nothing_to_average_has_no_number() -> None:
    draws = dirichlet(2)
    mean = draws.aggregate(["period"], weights=[0.0, 1.0], weighting="area")
    assert np.isnan(mean.values[:, 0]).all()
    assert mean.reason == (NO_WEIGHT, "")
    assert np.isnan(mean.table["covered"][0])
    assert mean.table["n_rows"].tolist() == [0, 1]


def test_a_draw_that_lacks_a_row_used_has_no_mean() -> None:
    values = dirichlet(2).values.copy()
    values[0, 0] = np.nan
    draws = FractionDraws(dirichlet(2).table, SOURCES, values, ("", ""), "bootstrap")
    mean = draws.aggregate([], weighting="rows")
    assert np.isnan(mean.values[0]).all()
    assert mean.summary()["n_draws"].tolist() == [39] * 3


def test_strata_without_a_row_count_as_not_covered() -> None:
    table = pd.DataFrame(
        {"period": ["June", "June", "August"], "band": ["low", "high", "low"]}
    )
    draws = FractionDraws(
        table, ("ice",), np.array([[[0.1], [0.4], [0.2]]]), ("",) * 3, "bayes"
    )
    area = pd.Series({"low": 1.0, "high": 2.0, "top": 3.0})
    mean = draws.aggregate(["period"], weights=area, weighting="area", on=["band"])
    np.testing.assert_allclose(mean.table["covered"], [3 / 6, 1 / 6])
    np.testing.assert_allclose(mean.values[0, :, 0], [0.3, 0.2])


def test_means_of_means_are_the_mean_over_all() -> None:
    draws = dirichlet(8)
    weights = draws.table["n"].to_numpy(float)
    once = draws.aggregate([], weights=weights, weighting="samples")
    first = draws.aggregate(["period"], weights=weights, weighting="samples")
    twice = first.aggregate([], weights=first.table["n"], weighting="samples")
    np.testing.assert_allclose(once.values, twice.values)


def test_weights_that_do_not_fit_are_refused() -> None:
    draws = dirichlet(2)
    with pytest.raises(InputError, match="0 or above"):
        draws.aggregate([], weights=[-1.0, 1.0], weighting="w")
    with pytest.raises(InputError, match="3 weights for 2 rows"):
        draws.aggregate([], weights=[1.0, 1.0, 1.0], weighting="w")
    with pytest.raises(InputError, match="missing column band"):
        draws.aggregate(["band"], weighting="w")


def test_every_pair_within_a_group_is_compared_in_each_draw() -> None:
    draws = dirichlet(6)
    pairs = draws.compare(["period"])
    assert len(pairs) == 2 * 3 * 3
    assert pairs["period"].tolist() == ["June"] * 9 + ["August"] * 9
    line = pairs.query("site_1 == 1 and site_2 == 5 and source == 'ground_ice'")
    away = draws.values[:, 1, 1] - draws.values[:, 5, 1]
    assert line["mean"].item() == pytest.approx(away.mean())
    assert line["q05"].item() == pytest.approx(np.quantile(away, 0.05))
    assert line["prob_above"].item() == np.mean(away > 0)
    means = pairs.groupby(["row_1", "row_2"])["mean"].sum()
    np.testing.assert_allclose(means, 0.0, atol=1e-12)
    assert (pairs["p_holm"] >= pairs["p_value"]).all()


def test_a_pair_turned_round_changes_its_sign_alone() -> None:
    draws = dirichlet(2)
    one, other = draws.compare(pairs=[(0, 1)]), draws.compare(pairs=[(1, 0)])
    np.testing.assert_allclose(one["mean"], -other["mean"])
    np.testing.assert_allclose(one["q05"], -other["q95"])
    np.testing.assert_allclose(one["p_value"], other["p_value"])


def test_a_pair_with_a_row_without_an_answer_has_its_reason() -> None:
    values = dirichlet(2).values.copy()
    values[:, 1] = np.nan
    draws = FractionDraws(dirichlet(2).table, SOURCES, values, ("", "none"), "bayes")
    pair = draws.compare()
    assert pair["reason"].tolist() == ["none"] * 3
    assert pair[["mean", "p_value", "p_holm"]].isna().all(axis=None)


def test_one_row_has_nothing_to_be_compared_with() -> None:
    assert len(dirichlet(1).compare()) == 0
