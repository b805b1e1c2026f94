"""Group tables: every stratum a row, errors by site, parallels averaged first."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.strata import StrataEdges, add_strata
from geosoil.tracers.group_table import (
    NO_SAMPLE,
    TABLE_1,
    LineChoice,
    crossed_groups,
    group_table,
    paper_layout,
)
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.parallels import average_parallels

CHOICE = LineChoice(WaterLine.stated(7.9, 12.43))


def soil(seed: int = 1, sites: int = 12) -> pd.DataFrame:
    """Two layers at each site, a site's layers sharing its rain."""
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(sites), 2)
    d18O = np.repeat(rng.normal(-12.0, 2.0, sites), 2) + rng.normal(0, 0.3, 2 * sites)
    return pd.DataFrame(
        {
            "water": "soil",
            "period": np.where(site % 2 == 0, "June", "August"),
            "site_id": site,
            "vegetation": np.where(site % 3 == 0, "forest", "meadow"),
            "elevation": np.where(site % 3 == 0, 3200.0, 4200.0),
            "depth_top": np.tile([0.0, 20.0], sites),
            "d18O": d18O,
            "d2H": 6.5 * d18O - 10.0 + rng.normal(0.0, 2.0, 2 * sites),
        }
    )


def test_means_and_lines_are_those_of_numpy() -> None:
    table = group_table(soil(), ["all", "vegetation"], line=CHOICE)
    for _, row in table.iterrows():
        own = soil()
        own = own[own["period"] == row["period"]]
        if row["by"] != "all":
            own = own[own["vegetation"] == row["stratum"]]
        slope, intercept = np.polyfit(own["d18O"], own["d2H"], 1)
        assert row["n"] == len(own)
        assert row["n_sites"] == own["site_id"].nunique()
        np.testing.assert_allclose(row["d18O"], own["d18O"].mean())
        np.testing.assert_allclose(row["d_excess"], (own.d2H - 8 * own.d18O).mean())
        np.testing.assert_allclose([row["slope"], row["intercept"]], [slope, intercept])


def test_the_error_of_a_mean_counts_sites_and_not_layers() -> None:
    own = soil()
    row = crossed_groups(own, [], line=CHOICE).iloc[0]
    means = own.groupby("site_id")["d18O"].mean()
    np.testing.assert_allclose(row["d18O_se"], means.std(ddof=1) / np.sqrt(len(means)))
    assert row["d18O_se"] > 1.3 * row["d18O_sd"] / np.sqrt(row["n"])


def test_the_site_error_of_a_slope_is_the_sandwich_written_out() -> None:
    own = soil()
    row = crossed_groups(own, [], line=CHOICE).iloc[0]
    design = np.column_stack([np.ones(len(own)), own["d18O"]])
    bread = np.linalg.inv(design.T @ design)
    residual = own["d2H"] - design @ [row["intercept"], row["slope"]]
    scores = design * residual.to_numpy()[:, None]
    meat = np.zeros((2, 2))
    for site in own["site_id"].unique():
        score = scores[(own["site_id"] == site).to_numpy()].sum(axis=0)
        meat += np.outer(score, score)
    expected = np.sqrt((bread @ meat @ bread)[1, 1] * 12 / 11)
    np.testing.assert_allclose(row["slope_site_error"], expected)


def test_copies_of_a_site_do_not_make_errors_smaller() -> None:
    once = crossed_groups(soil(), [], line=CHOICE).iloc[0]
    thrice = crossed_groups(pd.concat([soil()] * 3), [], line=CHOICE).iloc[0]
    for name in ("d18O_se", "d2H_se", "d_excess_se", "slope_site_error"):
        np.testing.assert_allclose(thrice[name], once[name])
    assert thrice["slope_standard_error"] < 0.7 * once["slope_standard_error"]


def test_three_parallels_count_as_one_sample() -> None:
    rng = np.random.default_rng(4)
    bottles = pd.concat([soil().assign(parallel=k) for k in (1, 2, 3)])
    bottles["d18O"] += rng.normal(0.0, 0.2, len(bottles))
    averaged = group_table(bottles, ["all"], line=CHOICE)
    assert averaged["n"].sum() == len(soil())
    naive = group_table(bottles.drop(columns="parallel"), ["all"], line=CHOICE)
    assert naive["n"].sum() == 3 * len(soil())
    np.testing.assert_allclose(averaged["d18O"], naive["d18O"])
    np.testing.assert_allclose(averaged["d18O_se"], naive["d18O_se"])
    ratio = averaged["slope_standard_error"] / naive["slope_standard_error"]
    assert (ratio > 1.5).all()


def test_parallels_without_both_isotopes_are_left_out_of_the_mean() -> None:
    bottles = pd.DataFrame(
        {
            "site_id": ["a", "a", "a", "b", "c", "c"],
            "parallel": [1, 2, 3, None, 1, 2],
            "d18O": [-12.0, -12.4, -99.0, -10.0, np.nan, np.nan],
            "d2H": [-90.0, -94.0, np.nan, -80.0, -70.0, -72.0],
            "d18O_sd": 0.2,
        }
    )
    mean = average_parallels(bottles).set_index("site_id")
    assert mean["n_parallels"].to_dict() == {"a": 2, "b": 1, "c": 0}
    np.testing.assert_allclose(
        mean.loc["a", ["d18O", "d2H"]].astype(float), [-12.2, -92]
    )
    np.testing.assert_allclose(mean.loc["a", "d18O_sd"], 0.2 / np.sqrt(2))
    assert np.isnan(mean.loc["c", "d18O"])


def test_a_parallel_number_given_twice_is_refused() -> None:
    bottles = soil().assign(parallel=1)
    with pytest.raises(InputError, match=r"share their water and parallel number"):
        average_parallels(pd.concat([bottles, bottles]))
    with pytest.raises(InputError, match="tell one water from another"):
        average_parallels(bottles[["parallel", "d18O", "d2H"]])


def test_a_combination_without_samples_keeps_a_row_with_its_reason() -> None:
    own = soil()
    own = own[(own["period"] != "August") | (own["vegetation"] != "forest")]
    table = group_table(own, ["vegetation"], line=CHOICE)
    assert len(table) == 4
    empty = table[(table["period"] == "August") & (table["stratum"] == "forest")]
    assert empty[["n", "n_sites"]].to_numpy().tolist() == [[0, 0]]
    assert empty["reason"].tolist() == [NO_SAMPLE]
    assert empty["slope"].isna().all()


def test_a_group_whose_values_are_all_missing_keeps_a_row() -> None:
    own = soil()
    own.loc[own["vegetation"] == "forest", "d18O"] = np.nan
    table = group_table(own, ["vegetation"], line=CHOICE)
    gone = table[table["stratum"] == "forest"]
    assert gone["n"].tolist() == [0, 0]
    assert gone["reason"].str.contains("0 samples found, 3 needed").all()


def test_own_edges_and_labels_make_the_strata_and_keep_their_order() -> None:
    edges = StrataEdges(
        (3000.0, 4000.0, 5000.0, 6000.0),
        (0.0, 10.0, 40.0),
        {"3000-4000": "montane", "4000-5000": "alpine", "5000-6000": "nival"},
    )
    own = add_strata(soil(), edges=edges)
    table = group_table(own, ["elevation_band", "soil_layer"], line=CHOICE)
    june = table[table["period"] == "June"]["stratum"].tolist()
    assert june == ["montane", "alpine", "nival", "0-10", "10-40"]
    assert table.loc[table["stratum"] == "nival", "reason"].tolist() == [NO_SAMPLE] * 2


def test_labels_of_no_class_and_labels_given_twice_are_refused() -> None:
    with pytest.raises(InputError, match=r"Labels are given for 0-30"):
        StrataEdges(labels={"0-30": "topsoil"})
    with pytest.raises(InputError, match="Two classes have one label"):
        StrataEdges(labels={"0-20": "soil", "20-40": "soil"})
    with pytest.raises(InputError, match="Invalid class edges"):
        StrataEdges(depth=(20.0, 0.0))


def test_the_layout_has_strata_down_and_periods_across() -> None:
    table = group_table(soil(), ["all", "vegetation"], line=CHOICE)
    wide = paper_layout(table, TABLE_1, digits=6)
    assert list(wide.index) == [
        ("all", "all"),
        ("vegetation", "meadow"),
        ("vegetation", "forest"),
    ]
    assert wide.columns.get_level_values(0).unique().tolist() == ["June", "August"]
    row = table[(table["period"] == "August") & (table["stratum"] == "forest")].iloc[0]
    found = wide.loc[("vegetation", "forest"), "August"]
    np.testing.assert_allclose(found, row[list(TABLE_1)].astype(float), atol=1e-6)


def test_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="missing column aspect"):
        group_table(soil(), ["aspect"], line=CHOICE)


@given(st.permutations(range(24)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    first = group_table(soil(), ["all", "vegetation"], line=CHOICE)
    again = group_table(soil().iloc[order], ["all", "vegetation"], line=CHOICE)
    pd.testing.assert_frame_equal(first, again)
