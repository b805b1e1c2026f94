"""End members by rules: levels, months, windows, amounts, absences and notes."""

from __future__ import annotations

import tomllib
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.endmember_rule import EndMemberRule
from geosoil.tracers.endmember_rules import end_members_by_rules
from geosoil.tracers.group_fractions import fractions_of_means
from geosoil.tracers.mixing import source_fractions

BANDS = ("3000-3500", "4000-4500")


def rain(dates, bands=None, seed=1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    d18O = rng.normal(-13, 2, len(dates))
    return pd.DataFrame(
        {
            "water": "precipitation",
            "date": pd.to_datetime(list(dates)),
            "period": None,
            "elevation_band": bands or [None] * len(dates),
            "d18O": d18O,
            "d2H": 8 * d18O + rng.normal(12, 2, len(dates)),
        }
    )


def ice(periods, seed=2) -> pd.DataFrame:
    table = rain(["2020-06-01"] * len(periods), seed=seed)
    return table.assign(water="ground_ice", date=pd.NaT, period=periods)


def targets(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def august(band="4000-4500") -> pd.DataFrame:
    return targets(period=["August"], elevation_band=[band], date=["2020-08-12"])


def test_the_finest_level_with_enough_samples_is_used() -> None:
    days = [f"2020-08-{day:02d}" for day in range(1, 8)]
    bands = [BANDS[0]] * 4 + [BANDS[1]] * 3
    table = rain(days, bands)
    rule = EndMemberRule("precipitation")
    for band, rows in ((BANDS[0], slice(0, 4)), (BANDS[1], slice(4, 7))):
        row = end_members_by_rules(table, august(band), [rule]).table.iloc[0]
        own = table.iloc[rows]
        assert row["level"] == "period, elevation_band"
        assert row["note"] == ""
        assert row["years"] == "2020"
        assert row["n"] == len(own)
        assert row["d18O"] == pytest.approx(own["d18O"].mean(), rel=1e-12)
        assert row["d18O_sd"] == pytest.approx(own["d18O"].std(), rel=1e-12)
        assert row["d18O_d2H_cov"] == pytest.approx(
            own[["d18O", "d2H"]].cov().iloc[0, 1], rel=1e-12
        )
        assert row["d18O_se"] == pytest.approx(own["d18O"].sem(), rel=1e-12)
        assert row["spread_of"] == "sample"


def test_a_thin_level_falls_back_and_says_so() -> None:
    days = [f"2020-08-{day:02d}" for day in range(1, 17)]
    table = rain(days, [BANDS[1]] * 2 + [BANDS[0]] * 14)
    row = end_members_by_rules(
        table, august(), [EndMemberRule("precipitation")]
    ).table.iloc[0]
    assert row["level"] == "period"
    assert row["note"] == (
        "fell back from period x elevation_band (2 samples) to period (16)"
    )
    assert row["d2H"] == pytest.approx(table["d2H"].mean(), rel=1e-12)
    june = targets(period=["June"], elevation_band=[BANDS[1]])
    row = end_members_by_rules(
        table, june, [EndMemberRule("precipitation")]
    ).table.iloc[0]
    assert row["level"] == "all samples"
    assert row["matched_by"] == ""
    assert row["note"] == (
        "fell back from period x elevation_band (0 samples) and period (0) "
        "to all samples (16)"
    )


def test_a_month_of_another_year_stands_for_the_month_and_says_so() -> None:
    days = ["2019-06-10", "2019-07-31", "2019-08-01", "2019-08-31", "2020-06-05"]
    table = rain([*days, "2019-08-15"])
    rule = EndMemberRule("precipitation", levels=[["period"]], min_samples=2)
    wanted = targets(
        period=["June", "August"], date=pd.to_datetime(["2020-06-20", "2020-08-15"])
    )
    rows = end_members_by_rules(table, wanted, [rule]).table.set_index("period")
    assert rows["n"].to_dict() == {"June": 2, "August": 3}
    assert rows["years"].to_dict() == {"June": "2019, 2020", "August": "2019"}
    assert rows.loc["August", "note"] == (
        "precipitation of August 2019 stands for August 2020"
    )
    assert rows.loc["June", "note"] == (
        "precipitation of June 2019 and June 2020 stands for June 2020"
    )
    assert set(rows["matched_by"]) == {"calendar month of date"}
    own = table.loc[[2, 3, 5], "d18O"]
    assert rows.loc["August", "d18O"] == pytest.approx(own.mean(), rel=1e-12)


def test_months_before_reach_back_over_new_year() -> None:
    table = rain(["2019-11-05", "2019-12-05", "2020-01-05", "2020-02-05"])
    wanted = targets(period=["January"], date=["2020-01-20"])
    for back, n in ((0, 1), (1, 2), (2, 3)):
        rule = EndMemberRule(
            "precipitation", levels=[["period"]], min_samples=n, months_before=back
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", GeosoilWarning)
            row = end_members_by_rules(table, wanted, [rule]).table.iloc[0]
        assert row["n"] == n
    assert row["note"] == (
        "precipitation of November 2019, December 2019 and January 2020 "
        "stands for January 2020"
    )


def test_labels_match_where_there_is_no_date() -> None:
    table = pd.concat(
        [
            rain(["2019-08-01", "2019-08-02"]),
            rain(["2020-06-01"] * 2).assign(date=pd.NaT, period="August"),
            rain(["2019-08-09"]).assign(date=pd.NaT, period="late"),
        ],
        ignore_index=True,
    )
    rule = EndMemberRule("precipitation", levels=[["period"]])
    row = end_members_by_rules(table, targets(period=["August"]), [rule]).table.iloc[0]
    assert row["n"] == 4
    assert row["matched_by"] == "calendar month of date (2), period label (2)"
    assert row["note"] == ""
    late = EndMemberRule("precipitation", levels=[["period"]], min_samples=1)
    with pytest.warns(GeosoilWarning, match="One sample only"):
        row = end_members_by_rules(table, targets(period=["late"]), [late]).table.iloc[
            0
        ]
    assert (row["n"], row["matched_by"]) == (1, "period label")


def test_the_period_label_alone_counts_where_the_rule_says_so() -> None:
    table = rain(["2020-07-31", "2020-08-01", "2020-08-02"]).assign(
        period=["August", "August", "September"]
    )
    rule = EndMemberRule(
        "precipitation", levels=[["period"]], min_samples=2, match="period"
    )
    row = end_members_by_rules(table, targets(period=["August"]), [rule]).table.iloc[0]
    assert row["d18O"] == pytest.approx(table["d18O"][:2].mean(), rel=1e-12)
    assert row["matched_by"] == "period label"
    with pytest.raises(InputError, match="missing column period"):
        end_members_by_rules(
            table.drop(columns="period"), targets(period=["August"]), [rule]
        )


def test_a_window_of_days_ends_with_the_mixtures_last_date() -> None:
    days = ["2020-07-14", "2020-07-15", "2020-08-20", "2020-08-20 23:10", "2020-08-21"]
    table = rain(["2020-01-01"] * 5).assign(date=days)
    rule = EndMemberRule(
        "precipitation", levels=[["period"]], match="date_window", window_days=30
    )
    wanted = targets(period=["August"] * 2, date=["2020-08-14", "2020-08-20"])
    row = end_members_by_rules(table, wanted, [rule]).table.iloc[0]
    assert row["d18O"] == pytest.approx(table["d18O"][1:4].mean(), rel=1e-12)
    assert row["matched_by"] == "dates 2020-07-15 to 2020-08-20"
    coarse = EndMemberRule(
        "precipitation", levels=[["period"], []], match="date_window"
    )
    row = end_members_by_rules(table, targets(period=["August"]), [coarse]).table.iloc[
        0
    ]
    assert row["level"] == "all samples"


def test_mixtures_themselves_may_be_the_targets() -> None:
    soil = pd.DataFrame(
        {
            "period": ["August", "June", "August"],
            "date": ["2020-08-01", "2020-06-03", "2020-08-09"],
            "d18O": [-14.0, -13.0, -14.5],
            "d2H": [-104.0, -95.0, -110.0],
            "d18O_sd": 0.1,
            "d2H_sd": 0.5,
            "site_id": ["a", "b", "c"],
        }
    )
    samples = pd.concat(
        [
            rain(
                [
                    f"2019-{month:02d}-{day:02d}"
                    for month in (6, 8)
                    for day in (1, 9, 20)
                ]
            ),
            ice(["June", "August", "August"]).assign(
                d18O=[-17.0, -18.0, -19.0], d2H=[-140.0, -150.0, -151.0]
            ),
        ],
        ignore_index=True,
    )
    rules = [
        EndMemberRule("precipitation", levels=[["period"]]),
        EndMemberRule("ground_ice", levels=[["period"], []]),
    ]
    ends = end_members_by_rules(samples, soil, rules)
    assert ends.by == ("period",)
    assert ends.table[["period", "source", "level"]].to_numpy().tolist() == [
        ["June", "precipitation", "period"],
        ["June", "ground_ice", "all samples"],
        ["August", "precipitation", "period"],
        ["August", "ground_ice", "all samples"],
    ]
    answer = source_fractions(soil, ends)
    assert answer[["precipitation", "ground_ice"]].sum(axis=1).tolist() == [1.0] * 3
    groups = fractions_of_means(soil, ends, ["period"])
    assert groups["precipitation"].between(0, 1).all()
    np.testing.assert_allclose(
        ends.standard_errors(["d18O"])[:, 0], ends.table["d18O_se"], rtol=1e-12
    )


def test_an_absent_source_takes_no_part_in_its_strata() -> None:
    samples = pd.concat(
        [
            rain([f"2020-{m:02d}-01" for m in (6, 6, 6, 8, 8, 8)]),
            ice(["June"] * 3).assign(water="snowmelt"),
            ice(["June"] * 3, seed=5).assign(d18O=[-19.0, -18.0, -17.0]),
        ],
        ignore_index=True,
    )
    absent = [{"period": "August"}, {"period": ["June"], "elevation_band": [BANDS[0]]}]
    rules = [
        EndMemberRule("precipitation", levels=[["period"]]),
        EndMemberRule("ground_ice", levels=[[]]),
        EndMemberRule("snowmelt", levels=[[]], absent=absent),
    ]
    wanted = targets(
        period=["June", "June", "August"],
        elevation_band=[BANDS[0], BANDS[1], BANDS[1]],
    )
    ends = end_members_by_rules(samples, wanted, rules)
    assert ends.by == ("period", "elevation_band")
    snow = ends.table[ends.table["source"] == "snowmelt"]
    assert snow[["period", "elevation_band"]].to_numpy().tolist() == [
        ["June", BANDS[1]]
    ]
    soil = wanted.assign(d18O=-15.0, d2H=-110.0)
    answer = source_fractions(soil, ends)
    assert answer["snowmelt"].tolist()[0] == 0.0
    assert answer["snowmelt"].tolist()[2] == 0.0


def test_a_missing_label_that_decides_an_absence_leaves_its_stratum_out() -> None:
    samples = pd.concat(
        [rain(["2020-06-01"] * 3), ice(["June"] * 3)], ignore_index=True
    )
    rules = [
        EndMemberRule("precipitation", levels=[[]]),
        EndMemberRule(
            "ground_ice",
            levels=[[]],
            absent=[{"period": ["June"], "elevation_band": [BANDS[0]]}],
        ),
    ]
    wanted = targets(
        period=["June", "June", "August"], elevation_band=[None, BANDS[1], None]
    )
    with pytest.warns(GeosoilWarning, match=r"period June, .*ground_ice \(elevation_b"):
        ends = end_members_by_rules(samples, wanted, rules)
    assert ends.table["period"].tolist() == ["June", "June", "August", "August"]
    soil = wanted.assign(d18O=-15.0, d2H=-110.0)
    reasons = source_fractions(soil, ends)["reason"].tolist()
    assert reasons[0].startswith("No end members for period June")
    assert not reasons[1].startswith("No end members")
    assert not reasons[2].startswith("No end members")


def test_sources_without_samples_are_all_named_with_their_strata() -> None:
    samples = pd.concat(
        [rain(["2020-06-01"] * 3), ice(["June"] * 3)], ignore_index=True
    )
    rules = [
        EndMemberRule("precipitation", levels=[["period"]]),
        EndMemberRule("ground_ice", levels=[["period"]]),
        EndMemberRule("snowmelt", levels=[[]]),
    ]
    with pytest.raises(MixingError) as error:
        end_members_by_rules(samples, targets(period=["June", "August"]), rules)
    words = str(error.value)
    for name in (
        "snowmelt (period June)",
        "snowmelt (period August)",
        "precipitation (period August)",
        "ground_ice (period August)",
        "Waters found: ground_ice, precipitation",
    ):
        assert name in words
    assert "precipitation (period June)" not in words


def test_a_sample_without_all_tracers_does_not_count_and_is_told() -> None:
    table = rain(["2020-08-01"] * 4)
    table.loc[0, "d2H"] = np.nan
    rule = EndMemberRule("precipitation", levels=[["period"]])
    row = end_members_by_rules(table, targets(period=["August"]), [rule]).table.iloc[0]
    assert row["n"] == 3
    assert row["d18O"] == pytest.approx(table["d18O"][1:].mean(), rel=1e-12)
    assert row["note"] == "1 sample without d18O or d2H left out"


def test_one_sample_has_no_spread_unless_it_is_pooled() -> None:
    table = pd.concat(
        [
            rain(["2020-06-01"] * 5),
            rain(["2020-08-01"] * 4, seed=4),
            rain(["2020-09-01"]),
        ],
        ignore_index=True,
    )
    wanted = targets(period=["June", "August", "September"])
    own = EndMemberRule("precipitation", levels=[["period"]], min_samples=1)
    with pytest.warns(GeosoilWarning, match=r"precipitation \(period September\)"):
        rows = end_members_by_rules(table, wanted, [own]).table.set_index("period")
    assert np.isnan(rows.loc["September", "d18O_sd"])
    assert np.isnan(rows.loc["September", "d18O_se"])
    assert rows.loc["September", "note"] == "one sample: spread unknown"
    pooled = EndMemberRule(
        "precipitation", levels=[["period"]], min_samples=1, spread="pooled"
    )
    shared = end_members_by_rules(table, wanted, [pooled])
    cov = [
        table.iloc[rows][["d18O", "d2H"]].cov() for rows in (slice(0, 5), slice(5, 9))
    ]
    expected = (4 * cov[0] + 3 * cov[1]) / 7
    september = shared.select(period="September")
    np.testing.assert_allclose(
        september.covariances(["d18O", "d2H"])[0], expected, rtol=1e-10
    )
    note = september.table["note"].item()
    assert note == (
        "spread pooled within 2 strata of the source (7 degrees of freedom)"
    )
    # Strata with samples enough keep their own spread.
    pd.testing.assert_series_equal(
        shared.table.set_index("period").loc["June"], rows.loc["June"]
    )


def test_nothing_to_pool_is_told() -> None:
    rule = EndMemberRule(
        "precipitation", levels=[["period"]], min_samples=1, spread="pooled"
    )
    with pytest.warns(GeosoilWarning, match="spread is unknown"):
        ends = end_members_by_rules(
            rain(["2020-08-01"]), targets(period=["August"]), [rule]
        )
    assert ends.table["note"].item().endswith("no stratum has two samples to pool")


def test_too_few_samples_at_every_level_are_used_with_a_warning() -> None:
    table = rain(["2020-08-01", "2020-08-02"], [BANDS[0], BANDS[0]])
    with pytest.warns(GeosoilWarning, match=r"Fewer samples.*has 2"):
        row = end_members_by_rules(
            table, august(), [EndMemberRule("precipitation")]
        ).table.iloc[0]
    assert row["note"] == "2 of 3 samples at the best level, period"


def test_amounts_weight_and_filters_choose() -> None:
    table = rain(["2020-08-01"] * 6).assign(
        precipitation=[1.0, 2.0, 5.0, np.nan, 3.0, 4.0],
        state=["rain"] * 4 + ["snow"] * 2,
    )
    rule = EndMemberRule(
        "summer_rain",
        levels=[["period"]],
        amount="precipitation",
        water="precipitation",
        where={"state": ["rain"]},
    )
    row = end_members_by_rules(table, targets(period=["August"]), [rule]).table.iloc[0]
    assert row["source"] == "summer_rain"
    weights = [1.0, 2.0, 5.0]
    assert row["d18O"] == pytest.approx(
        np.average(table["d18O"][:3], weights=weights), rel=1e-12
    )
    assert row["n_effective"] == pytest.approx(64 / 30, rel=1e-12)
    assert row["d18O_se"] == pytest.approx(row["d18O_sd"] / np.sqrt(64 / 30))
    assert row["note"] == "1 sample without d18O or d2H or amount left out"


def test_a_toml_table_makes_a_rule() -> None:
    text = """
    [[end_member]]
    source = "precipitation"
    levels = [["period", "elevation_band"], ["period"], []]
    min_samples = 3
    match = "month_of_year"
    months_before = 1
    amount = "precipitation"
    absent = [{ period = ["September"], elevation_band = ["3000-3500"] }]
    """
    rule = EndMemberRule(**tomllib.loads(text)["end_member"][0])
    assert rule.levels == (("period", "elevation_band"), ("period",), ())
    assert rule.absent == (
        {"period": ("September",), "elevation_band": ("3000-3500",)},
    )
    assert rule.columns == ("period", "elevation_band")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"levels": []}, "levels is empty"),
        ({"levels": [["period"], ["period"]]}, "a level is given twice"),
        ({"min_samples": 0}, "min_samples is 0"),
        ({"match": "year"}, "match is 'year'; choose month_of_year"),
        ({"months_before": 12}, "months_before is 12; 0 to 11"),
        ({"months_before": 1, "match": "period"}, "months_before goes with match"),
        ({"window_days": 5.0}, "window_days goes with match date_window"),
        ({"window_days": -1.0, "match": "date_window"}, "window_days is -1"),
        ({"window_days": np.nan, "match": "date_window"}, "window_days is nan"),
        ({"spread": "none"}, "spread is 'none'"),
        ({"absent": [{}]}, "absent has a stratum without columns"),
        ({"min_samples": 0, "spread": "x"}, r"min_samples is 0.*spread is 'x'"),
    ],
)
def test_rules_out_of_range_are_refused(fields, words) -> None:
    with pytest.raises(InputError, match=words):
        EndMemberRule("rain", **fields)


def test_rules_that_do_not_fit_the_tables_are_refused() -> None:
    table, wanted = rain(["2020-08-01"] * 3), targets(period=["August"])
    rule = EndMemberRule("precipitation", levels=[["period"]])
    with pytest.raises(InputError, match="two for precipitation"):
        end_members_by_rules(table, wanted, [rule, rule])
    with pytest.raises(InputError, match="rules: none"):
        end_members_by_rules(table, wanted, [])
    by_aspect = EndMemberRule("precipitation", levels=[["aspect"]], where={"kind": "x"})
    with pytest.raises(InputError, match="Samples: missing column aspect, kind"):
        end_members_by_rules(table, wanted, [by_aspect])
    with pytest.raises(InputError, match="Targets: missing column aspect"):
        end_members_by_rules(table.assign(aspect="N", kind="x"), wanted, [by_aspect])
    window = EndMemberRule("precipitation", levels=[["period"]], match="date_window")
    with pytest.raises(InputError, match="missing column date"):
        end_members_by_rules(table.drop(columns="date"), wanted, [window])
    with pytest.raises(InputError, match=r"1 values of 'date' are no date.*'soon'"):
        end_members_by_rules(
            table.assign(date=["2020-08-01", "soon", None]), wanted, [rule]
        )
    with pytest.raises(MixingError, match="no stratum is wanted"):
        end_members_by_rules(table, wanted[:0], [rule])


@settings(max_examples=40)
@given(
    months=st.lists(st.integers(1, 12), min_size=1, max_size=12),
    bands=st.lists(st.sampled_from(BANDS), min_size=12, max_size=12),
    least=st.integers(1, 5),
    month=st.sampled_from([6, 8, 9]),
    band=st.sampled_from(BANDS),
)
def test_every_row_is_the_mean_of_the_level_it_names(
    months, bands, least, month, band
) -> None:
    table = rain([f"2019-{m:02d}-10" for m in months], bands[: len(months)])
    name = {6: "June", 8: "August", 9: "September"}[month]
    wanted = targets(period=[name], elevation_band=[band])
    rule = EndMemberRule("precipitation", min_samples=least)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        row = end_members_by_rules(table, wanted, [rule]).table.iloc[0]
    in_month = table["date"].dt.month == month
    sets = [in_month & (table["elevation_band"] == band), in_month, in_month | True]
    names = ["period, elevation_band", "period", "all samples"]
    enough = [place for place, rows in enumerate(sets) if rows.sum() >= least]
    used = enough[0] if enough else int(np.argmax([rows.sum() for rows in sets]))
    assert row["level"] == names[used]
    assert row["n"] == sets[used].sum()
    assert row["d18O"] == pytest.approx(table["d18O"][sets[used]].mean(), rel=1e-12)
