"""Groups ranked by distance to the meteoric water line, with sites as the unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.lines import GMWL, WaterLine
from geosoil.tracers.ranking import rank_by_lc_excess

LINE = WaterLine.stated(7.89, 12.43)


def soil(seed: int, shifts: tuple[float, ...], layers: int = 1) -> pd.DataFrame:
    """Sites whose lc-excess about LINE is the shift of their group plus noise."""
    rng = np.random.default_rng(seed)
    sites = 15 * len(shifts)
    site = np.repeat(np.arange(sites), layers)
    x = rng.normal(-13, 2, site.size)
    excess = np.array(shifts)[site % len(shifts)] + rng.normal(0, 2, sites)[site]
    names = np.array(["forest", "meadow", "grassland", "desert"])
    return pd.DataFrame(
        {
            "site_id": site,
            "vegetation": names[site % len(shifts)],
            "d18O": x,
            "d2H": 7.89 * x + 12.43 + excess + rng.normal(0, 0.1, site.size),
        }
    )


def excess(samples: pd.DataFrame) -> pd.Series:
    return samples["d2H"] - 7.89 * samples["d18O"] - 12.43


def test_one_sample_a_site_gives_the_textbook_interval_and_welch_test() -> None:
    samples = soil(1, (-2.0, -6.0))
    found = rank_by_lc_excess(samples, "vegetation", lmwl=LINE)
    values = {name: excess(part) for name, part in samples.groupby("vegetation")}
    for _, row in found.groups.iterrows():
        own = values[row["vegetation"]]
        low, high = stats.t.interval(
            0.95, len(own) - 1, loc=own.mean(), scale=stats.sem(own)
        )
        assert (row["lower"], row["upper"]) == pytest.approx((low, high), rel=1e-9)
    pair = found.pairs.iloc[0]
    welch = stats.ttest_ind(values["forest"], values["meadow"], equal_var=False)
    assert pair["p_value"] == pytest.approx(welch.pvalue, rel=1e-8)
    assert pair["freedom"] == pytest.approx(welch.df, rel=1e-8)
    assert abs(pair["difference"]) == pytest.approx(
        abs(values["forest"].mean() - values["meadow"].mean()), rel=1e-10
    )


def test_copies_of_a_sample_in_its_profile_add_no_certainty() -> None:
    samples = soil(2, (-2.0, -6.0))
    copied = pd.concat([samples] * 4, ignore_index=True)
    once = rank_by_lc_excess(samples, "vegetation", lmwl=LINE)
    four = rank_by_lc_excess(copied, "vegetation", lmwl=LINE)
    names = ["lc_excess", "lower", "upper", "rank", "n_sites"]
    pd.testing.assert_frame_equal(once.groups[names], four.groups[names])
    pd.testing.assert_frame_equal(once.pairs, four.pairs)


def test_sites_that_groups_share_make_the_test_paired() -> None:
    rng = np.random.default_rng(3)
    own = rng.normal(0, 5, 30)
    x = rng.normal(-13, 2, 60)
    site = np.tile(np.arange(30), 2)
    period = np.repeat(["June", "August"], 30)
    value = -20 + own[site] + rng.normal(0, 0.5, 60) + 1.0 * (period == "August")
    samples = pd.DataFrame(
        {"site_id": site, "period": period, "d18O": x, "d2H": 8 * x + 10 + value}
    )
    pair = rank_by_lc_excess(samples, "period", lmwl=GMWL).pairs.iloc[0]
    paired = stats.ttest_rel(value[:30], value[30:])
    assert pair["p_value"] == pytest.approx(paired.pvalue, rel=1e-6)
    assert pair["freedom"] == 29
    assert pair["difference"] == pytest.approx(
        -(value[:30] - value[30:]).mean(), rel=1e-8
    )


def test_ranks_are_by_distance_also_above_the_line() -> None:
    samples = soil(4, (-8.0, 3.0, -0.5), layers=3)
    found = rank_by_lc_excess(samples, "vegetation", lmwl=LINE)
    ranks = found.groups.set_index("vegetation")["rank"].to_dict()
    assert ranks == {"grassland": 1, "meadow": 2, "forest": 3}


def test_equal_groups_are_not_told_apart_and_distant_ones_are() -> None:
    found = rank_by_lc_excess(soil(5, (-4.0, -4.0, -12.0)), ["vegetation"], lmwl=LINE)
    pairs = found.pairs
    told = {frozenset(row[:2]): row[2] for row in
            pairs[["first", "second", "distinguishable"]].to_numpy()}  # fmt: skip
    assert told == {
        frozenset({"forest", "meadow"}): False,
        frozenset({"forest", "grassland"}): True,
        frozenset({"meadow", "grassland"}): True,
    }
    p = np.sort(pairs["p_value"])
    np.testing.assert_allclose(
        np.sort(pairs["p_holm"]), np.maximum.accumulate(p * [3, 2, 1])
    )


@given(seed=st.integers(0, 10**6), order=st.randoms(use_true_random=False))
@settings(max_examples=20)
def test_order_of_rows_and_names_of_sites_do_not_matter(seed, order) -> None:
    samples = soil(seed, (-1.0, -3.0, -6.0), layers=3)
    rows = list(range(len(samples)))
    order.shuffle(rows)
    moved = samples.iloc[rows].assign(
        site_id=lambda t: "s" + (1000 - t["site_id"]).astype(str)
    )
    first = rank_by_lc_excess(samples, "vegetation", lmwl=LINE)
    second = rank_by_lc_excess(moved, "vegetation", lmwl=LINE)
    pd.testing.assert_frame_equal(first.groups, second.groups, rtol=1e-8)
    pd.testing.assert_frame_equal(first.pairs, second.pairs, rtol=1e-6, atol=1e-12)


def test_each_period_has_a_ranking_of_its_own() -> None:
    june = soil(6, (-1.0, -9.0)).assign(period="June")
    august = soil(7, (-9.0, -1.0)).assign(period="August")
    found = rank_by_lc_excess(
        pd.concat([august, june]), "vegetation", lmwl=LINE, within=["period"]
    )
    table = found.groups.set_index(["period", "vegetation"])["rank"]
    assert table.to_dict() == {
        ("June", "forest"): 1, ("June", "meadow"): 2,
        ("August", "forest"): 2, ("August", "meadow"): 1,
    }  # fmt: skip
    assert found.pairs["period"].tolist() == ["June", "August"]
    alone = rank_by_lc_excess(june, "vegetation", lmwl=LINE)
    assert found.pairs["p_holm"][0] == alone.pairs["p_holm"][0]


def test_groups_without_an_answer_keep_their_rows() -> None:
    samples = soil(8, (-1.0, -9.0))
    extra = pd.DataFrame(
        {
            "site_id": [90, 90, 91],
            "vegetation": ["desert", "desert", "scrub"],
            "d18O": [-12.0, -12.5, np.nan],
            "d2H": [-90.0, -95.0, -80.0],
        }
    )
    found = rank_by_lc_excess(pd.concat([samples, extra]), "vegetation", lmwl=LINE)
    table = found.groups.set_index("vegetation")
    assert table.loc["desert", "reason"] == "one site: no standard error"
    assert np.isnan(table.loc["desert", "lower"])
    assert table.loc["desert", "rank"] == 1 + sum(
        table["lc_excess"].abs() < abs(table.loc["desert", "lc_excess"])
    )
    assert table.loc["scrub", "reason"] == "no sample with both isotopes"
    assert np.isnan(table.loc["scrub", "rank"])
    told = found.pairs["reason"] != ""
    assert found.pairs["p_value"].isna().equals(told)
    assert len(found.pairs) == 6
    assert not found.pairs.loc[told, "distinguishable"].any()


def test_a_single_group_has_a_rank_and_no_pair() -> None:
    found = rank_by_lc_excess(soil(9, (-1.0,)), "vegetation", lmwl=LINE)
    assert found.groups["rank"].tolist() == [1.0]
    assert found.pairs.empty


@pytest.mark.slow
def test_the_interval_covers_the_truth_at_its_confidence() -> None:
    hits = 0
    for seed in range(300):
        table = rank_by_lc_excess(soil(seed, (-3.0,), 4), "vegetation", lmwl=LINE)
        row = table.groups.iloc[0]
        hits += row["lower"] <= -3.0 <= row["upper"]
    assert 0.91 <= hits / 300 <= 0.98


def test_faulty_input_is_refused() -> None:
    samples = soil(10, (-1.0,))
    with pytest.raises(InputError, match="missing column aspect"):
        rank_by_lc_excess(samples, "aspect", lmwl=LINE)
    with pytest.raises(InputError, match="the table is empty"):
        rank_by_lc_excess(samples.iloc[:0], "vegetation", lmwl=LINE)
    with pytest.raises(InputError, match=r"Invalid confidence '1\.5'"):
        rank_by_lc_excess(samples, "vegetation", lmwl=LINE, confidence=1.5)
