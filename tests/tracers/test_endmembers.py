"""End members from tables and samples, and the strata they belong to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing_space import check_mixing_space
from geosoil.tracers.periods import match_period


def samples() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    n = 60
    table = pd.DataFrame(
        {
            "water": np.repeat(["precipitation", "ground_ice", "soil"], 20),
            "period": np.tile(["June", "August"], 30),
            "d18O": rng.normal(-14, 2, n),
            "precipitation": np.where(np.arange(n) < 20, rng.gamma(2, 5, n), np.nan),
        }
    )
    return table.assign(d2H=8 * table["d18O"] + rng.normal(10, 3, n))


def test_samples_give_means_and_covariances_by_stratum() -> None:
    table = samples()
    ends = EndMembers.from_samples(
        table, sources=["precipitation", "ground_ice"], by=["period"]
    )
    assert ends.sources == ("precipitation", "ground_ice")
    own = table[(table["water"] == "ground_ice") & (table["period"] == "August")]
    august = ends.select(period="August").keep(["ground_ice"])
    np.testing.assert_allclose(
        august.means(["d18O", "d2H"])[0], own[["d18O", "d2H"]].mean(), rtol=1e-12
    )
    np.testing.assert_allclose(
        august.covariances(["d18O", "d2H"])[0], own[["d18O", "d2H"]].cov(), rtol=1e-10
    )
    assert august.counts().tolist() == [10.0]


def test_precipitation_is_weighted_by_its_amounts_and_ice_is_not() -> None:
    table = samples()
    table.loc[0, "precipitation"] = np.nan
    table.loc[1, "d2H"] = np.nan
    ends = EndMembers.from_samples(
        table, sources=["precipitation", "ground_ice"], amount="precipitation"
    )
    rain = table.iloc[2:20]
    amount = rain["precipitation"]
    row = ends.table.set_index("source")
    assert row.loc["precipitation", "d18O"] == pytest.approx(
        np.average(rain["d18O"], weights=amount), rel=1e-12
    )
    assert row.loc["precipitation", "n"] == 18
    assert row.loc["precipitation", "n_effective"] == pytest.approx(
        amount.sum() ** 2 / (amount**2).sum()
    )
    ice = table[table["water"] == "ground_ice"]
    assert row.loc["ground_ice", "d18O"] == pytest.approx(ice["d18O"].mean(), rel=1e-12)
    assert row.loc["ground_ice", "d18O_sd"] == pytest.approx(ice["d18O"].std())


def test_weighted_covariance_of_equal_amounts_is_the_plain_one() -> None:
    table = samples().assign(precipitation=3.0)
    plain = EndMembers.from_samples(table, sources=["ground_ice"]).table
    weighted = EndMembers.from_samples(
        table, sources=["ground_ice"], amount="precipitation"
    ).table
    pd.testing.assert_frame_equal(plain, weighted)


def test_absent_sources_are_named_with_what_was_found() -> None:
    with pytest.raises(MixingError, match=r"snowmelt, fog.*found: ground_ice, precip"):
        EndMembers.from_samples(samples(), sources=["precipitation", "snowmelt", "fog"])
    table = samples().assign(precipitation=-1.0)
    with pytest.raises(MixingError, match="negative values in 'precipitation'"):
        EndMembers.from_samples(table, sources=["soil"], amount="precipitation")


def test_one_sample_of_a_source_is_told() -> None:
    table = samples().iloc[[0, 1, 20, 22]]
    with pytest.warns(GeosoilWarning, match=r"precipitation \(period June\)"):
        ends = EndMembers.from_samples(
            table, sources=["precipitation", "ground_ice"], by=["period"]
        )
    june = ends.select(period="June").keep(["precipitation"])
    assert june.covariances(["d18O", "d2H"]).tolist() == [[[0.0, 0.0], [0.0, 0.0]]]


def test_the_most_detailed_stratum_wins_and_blanks_mean_any() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "rain", "rain", "ice"],
            "period": ["June", "June", "August", ""],
            "elevation_band": [None, "4000-4500", None, None],
            "d18O": [1.0, 2.0, 3.0, 9.0],
        }
    )
    ends = EndMembers.from_table(table)
    assert ends.by == ("period", "elevation_band")
    picks = {
        ("June", "4000-4500"): 2.0,
        ("June", "3000-3500"): 1.0,
        ("August", "4000-4500"): 3.0,
    }
    for (period, band), value in picks.items():
        found = ends.select(period=period, elevation_band=band)
        assert found.means(["d18O"]).ravel().tolist() == [value, 9.0]
        assert found.sources == ("rain", "ice")
    with pytest.raises(
        MixingError, match=r"given by period, elevation_band; sel.* period"
    ):
        ends.select(period="June")


def test_two_rows_that_fit_equally_are_refused() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "rain"],
            "period": ["June", None],
            "aspect": [None, "N"],
            "d18O": [1.0, 2.0],
        }
    )
    with pytest.raises(MixingError, match="two rows fit equally well for rain"):
        EndMembers.from_table(table).select(period="June", aspect="N")


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"source": ["a", "a"], "d18O": [1.0, 2.0]}, "given more than once: a; a"),
        ({"source": ["a", None], "d18O": [1.0, 2.0]}, "1 of 2 rows have no source"),
        ({"name": ["a"], "d18O": [1.0]}, "End members: missing column source"),
    ],
)
def test_bad_tables_are_refused(table, words) -> None:
    with pytest.raises(InputError, match=words):
        EndMembers.from_table(pd.DataFrame(table))


def test_missing_means_and_impossible_spreads_are_named() -> None:
    table = pd.DataFrame(
        {"source": ["rain", "ice"], "d18O": [1.0, np.nan], "period": ["June", "June"]}
    )
    ends = EndMembers.from_table(table)
    with pytest.raises(MixingError, match=r"no d18O for ice \(period June\)"):
        ends.means(["d18O"])
    with pytest.raises(MixingError, match=r"Unknown source fog\. End members are rain"):
        ends.keep(["fog"])
    table = pd.DataFrame(
        {
            "source": ["rain"],
            "d18O": [-10.0],
            "d2H": [-70.0],
            "d18O_sd": [1.0],
            "d2H_sd": [1.0],
            "d18O_d2H_cov": [2.0],
        }
    )
    with pytest.raises(InputError, match="covariance of d2H and d18O is larger than"):
        EndMembers.from_table(table).covariances(["d18O", "d2H"])


def test_impossible_spreads_are_named_with_source_and_stratum_all_at_once() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "rain", "ice", "snow"],
            "period": ["June", "August", "June", "June"],
            "d18O": -10.0,
            "d2H": -70.0,
            "d18O_sd": [1.0, 1.0, -0.5, 1.0],
            "d2H_sd": [8.0, 8.0, 8.0, 8.0],
            "d18O_d2H_cov": [7.9, 8.1, 0.0, -9.0],
        }
    )
    with pytest.raises(MixingError) as error:
        EndMembers.from_table(table).covariances(["d18O", "d_excess"])
    words = str(error.value)
    assert "d18O_sd of ice (period June) is -0.5" in words
    assert "for rain (period August): 8.1, at most 8" in words
    assert "for snow (period June): -9, at most 8" in words
    assert "rain (period June)" not in words
    fine = EndMembers.from_table(table[:1]).covariances(["d18O", "d2H"])
    assert fine.tolist() == [[[1.0, 7.9], [7.9, 64.0]]]


def test_covariances_that_fit_in_pairs_but_not_together_are_named() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "ice"],
            **{name: [1.0, 2.0] for name in ("a", "b", "c")},
            **{f"{name}_sd": [1.0, 1.0] for name in ("a", "b", "c")},
            "a_b_cov": [0.9, 0.9],
            "b_c_cov": [0.9, 0.9],
            "a_c_cov": [0.9, -0.9],
        }
    )
    ends = EndMembers.from_table(table)
    with pytest.raises(MixingError, match=r"of a, b, c are not positive.* for ice\."):
        ends.covariances(["a", "b", "c"])
    assert ends.keep(["rain"]).covariances(["a", "b", "c"])[0, 0, 2] == 0.9


def test_text_in_a_spread_is_no_fault_of_its_size() -> None:
    table = pd.DataFrame({"source": ["rain"], "Cl": [1.0], "Cl_sd": ["wide"]})
    with pytest.raises(InputError, match="not a number in column 'Cl_sd' holds 'wide'"):
        EndMembers.from_table(table).covariances(["Cl"])


def test_standard_errors_are_those_of_scipy_and_told_apart_from_sd() -> None:
    table = samples().query("water == 'precipitation'")
    ends = EndMembers.from_samples(table, sources=["precipitation"], by=["period"])
    told = ends.describe(["d18O", "d_excess"])
    assert told.columns.tolist() == [
        *("period", "source", "tracer", "mean", "sd", "se", "n", "n_effective", "words")
    ]
    table = table.assign(d_excess=table["d2H"] - 8 * table["d18O"])
    for _, row in told.iterrows():
        own = table.loc[table["period"] == row["period"], row["tracer"]]
        assert row["mean"] == pytest.approx(own.mean(), rel=1e-9)
        assert row["sd"] == pytest.approx(own.std(), rel=1e-9)
        assert row["se"] == pytest.approx(own.sem(), rel=1e-9)
        assert row["words"].startswith("mean of 10 samples; SD ")
    weighted = EndMembers.from_samples(
        table, sources=["precipitation"], amount="precipitation"
    )
    row = weighted.describe().iloc[0]
    assert row["se"] == pytest.approx(row["sd"] / np.sqrt(row["n_effective"]))
    assert "(as good as " in row["words"]


@pytest.mark.parametrize(
    ("columns", "sd", "se", "words"),
    [
        ({"n": [1]}, np.nan, np.nan, "one sample; SD and SE unknown"),
        ({"Cl_sd": [0.5]}, 0.5, 0.5, "n not given; SD 0.5 counts in full"),
        ({"Cl_sd": [0.5], "n": [25]}, 0.5, 0.1, "SE 0.1 that of the mean"),
        (
            {"Cl_sd": [0.5], "n": [25], "spread_of": ["mean"]},
            0.5,
            0.5,
            "0.5 is the spread of the mean",
        ),
    ],
)
def test_what_is_known_of_a_spread_is_said(columns, sd, se, words) -> None:
    table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], **columns})
    row = EndMembers.from_table(table).describe(["Cl"]).iloc[0]
    np.testing.assert_equal([row["sd"], row["se"]], [sd, se])
    assert words in row["words"]


def test_the_spread_of_a_mean_is_not_divided_twice() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain"],
            "Cl": [2.0],
            "Cl_sd": [0.5],
            "n": [25],
            "spread_of": ["sample"],
        }
    )
    once = EndMembers.from_table(table).of_means()
    assert once.table["spread_of"].tolist() == ["mean"]
    assert once.of_means().table["Cl_sd"].tolist() == [0.1]
    assert once.counts().tolist() == [1.0]
    with pytest.raises(MixingError, match="sample or mean: rain has 'range'"):
        EndMembers.from_table(table.assign(spread_of="range"))


def test_d_excess_spread_comes_from_both_isotopes() -> None:
    table = samples().query("water == 'soil'")
    table = table.assign(d_excess=table["d2H"] - 8 * table["d18O"])
    ends = EndMembers.from_samples(table, sources=["soil"])
    np.testing.assert_allclose(
        ends.covariances(["d18O", "d_excess"])[0],
        table[["d18O", "d_excess"]].cov(),
        rtol=1e-9,
    )


def test_condition_number_does_not_know_units() -> None:
    table = pd.DataFrame(
        {
            "source": ["a", "b", "c"],
            "d18O": [-11.2, -14.9, -16.4],
            "d2H": [-80.1, -120.2, -118.4],
        }
    )
    first = check_mixing_space(EndMembers.from_table(table))
    other = table.assign(d18O=1000 * table["d18O"] + 7, d2H=table["d2H"] / 50)
    second = check_mixing_space(EndMembers.from_table(other))
    assert second.condition_number == pytest.approx(first.condition_number, rel=1e-9)
    assert not first.ill_conditioned


def test_force_lets_a_bad_condition_pass_but_not_a_singular_one() -> None:
    table = pd.DataFrame(
        {"source": list("abc"), "d18O": [-10, -12, -14], "d2H": [12, 8.001, 4]}
    )
    ends = EndMembers.from_table(table)
    with pytest.raises(MixingError, match="Collinear end members a, b, c"):
        check_mixing_space(ends)
    assert check_mixing_space(ends, force=True).condition_number > 1e4
    exact = EndMembers.from_table(table.assign(d2H=[12, 8, 4]))
    with pytest.raises(MixingError, match="Collinear"):
        check_mixing_space(exact, force=True)


def test_periods_are_matched_by_month_and_the_years_are_told() -> None:
    dates = pd.Series(
        ["2019-06-30", "2019-08-01", "2020-06-02", "2019-09-30", None, "2020-01-05"],
        index=list("abcdef"),
    )
    match = match_period(dates, year=2020)
    assert match.period.tolist() == ["June", "August", "June", "September", None, None]
    assert match.period.index.tolist() == list("abcdef")
    assert match.years == {
        "June": (2019, 2020),
        "August": (2019,),
        "September": (2019,),
    }
    assert "June from 2019 and 2020 (not only 2020" in match.words
    assert "August from 2019 (not 2020: matched by calendar month)" in match.words
    assert match_period(dates[:1], year=2019).words == "June from 2019."
    assert match_period(dates[5:]).words == "No date lies in a period."
    with pytest.raises(InputError, match=r"1 values are no date.*'soon'"):
        match_period(pd.Series(["2020-06-01", "soon"]))
