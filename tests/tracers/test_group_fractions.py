"""Fractions of group means, their errors by site, and means over a region."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.tracers.aggregate import weighted_fractions
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.group_fractions import clustered_mean, fractions_of_means
from geosoil.tracers.mixing import source_fractions

ENDS = EndMembers.from_table(
    pd.DataFrame(
        {
            "source": ["precipitation", "ground_ice", "snowmelt"],
            "d18O": [-11.2, -14.9, -16.4],
            "d2H": [-80.1, -120.2, -118.4],
            "d18O_sd": [0.9, 0.7, 1.2],
            "d2H_sd": [7.0, 5.5, 9.5],
            "d18O_d2H_cov": [6.0, 3.5, 11.0],
            "n": [30, 12, 9],
        }
    )
)


def with_moments(mean: float, sd: float, n: int) -> np.ndarray:
    raw = np.random.default_rng(0).normal(size=n)
    return mean + sd * (raw - raw.mean()) / raw.std(ddof=1)


@pytest.mark.parametrize("number", [0, 1])
def test_isoerror_standard_error_and_interval(golden: Path, number) -> None:
    text = (golden / "tracers" / "isoerror_two_source.json").read_text()
    case = json.loads(text)["cases"][number]
    table = pd.DataFrame(
        [case["source1"], case["source2"]], columns=["d13C", "d13C_sd", "n"]
    )
    ends = EndMembers.from_table(table.assign(source=["a", "b"]))
    mean, sd, n = case["mix"]
    soil = pd.DataFrame({"d13C": with_moments(mean, sd, n), "site_id": np.arange(n)})
    row = fractions_of_means(soil, ends, [], tracers=["d13C"]).iloc[0]
    expected = case["expected"]
    assert row["a"] == pytest.approx(expected["f1"], abs=1e-10)
    assert row["a_sd"] == pytest.approx(expected["se"], abs=1e-10)
    bounds = np.clip(expected["ci95"], 0, 1)
    assert (row["a_lower"], row["a_upper"]) == pytest.approx(tuple(bounds), abs=1e-9)


def test_one_sample_a_site_gives_the_plain_standard_error() -> None:
    values = np.random.default_rng(1).normal(size=(25, 2))
    mean = clustered_mean(values, np.arange(25))
    np.testing.assert_allclose(
        mean.covariance, np.cov(values, rowvar=False) / 25, rtol=1e-12
    )
    assert (mean.n, mean.n_clusters) == (25, 25)


@given(st.integers(2, 6), st.integers(0, 100))
def test_copies_of_a_sample_add_no_certainty(copies, seed) -> None:
    values = np.random.default_rng(seed).normal(size=(8, 2))
    single = clustered_mean(values, np.arange(8))
    parallel = clustered_mean(
        np.repeat(values, copies, axis=0), np.repeat(np.arange(8), copies)
    )
    np.testing.assert_allclose(parallel.mean, single.mean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parallel.covariance, single.covariance, rtol=1e-9)


def test_samples_without_site_stand_alone_and_missing_ones_are_left_out() -> None:
    values = np.array([[1.0], [2.0], [4.0], [np.nan]])
    mean = clustered_mean(values, ["a", None, None, "b"])
    assert (mean.n, mean.n_clusters) == (3, 3)
    assert mean.covariance[0, 0] == pytest.approx(np.var([1, 2, 4], ddof=1) / 3)


def study(seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    truth = pd.DataFrame(
        [[0.7, 0.2, 0.1], [0.5, 0.2, 0.3]],
        index=pd.Index(["N", "S"], name="aspect"),
        columns=list(ENDS.sources),
    )
    rows = []
    for aspect, shares in truth.iterrows():
        water = shares.to_numpy() @ ENDS.means(["d18O", "d2H"])
        for site in range(20):
            layers = water + rng.normal(0, [0.3, 1.5]) + rng.normal(0, 0.1, (3, 2))
            rows += [(aspect, f"{aspect}{site}", *layer) for layer in layers]
    columns = ["aspect", "site_id", "d18O", "d2H"]
    return pd.DataFrame(rows, columns=columns), truth


def test_planted_group_shares_lie_in_the_interval() -> None:
    samples, truth = study()
    table = fractions_of_means(samples, ENDS, ["aspect"])
    assert table["aspect"].tolist() == ["N", "S"]
    assert table["n"].tolist() == [60, 60]
    assert table["n_sites"].tolist() == [20, 20]
    for source in ENDS.sources:
        assert (table[f"{source}_lower"] <= truth[source].to_numpy()).all()
        assert (table[f"{source}_upper"] >= truth[source].to_numpy()).all()
        assert (table[f"{source}_sd"] > 0).all()
    total = table[list(ENDS.sources)].sum(axis=1)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)


def test_group_fractions_are_those_of_the_mean_water() -> None:
    samples, _ = study(3)
    table = fractions_of_means(samples, ENDS, ["aspect"])
    means = samples.groupby("aspect")[["d18O", "d2H"]].mean()
    alone = source_fractions(means, ENDS)
    for source in ENDS.sources:
        np.testing.assert_allclose(table[source], alone[source], atol=1e-10)
        assert (table[f"{source}_sd"] < alone[f"{source}_sd"].to_numpy()).all()


def test_groups_without_answer_keep_their_row() -> None:
    samples, _ = study()
    samples.loc[samples["aspect"] == "N", "site_id"] = "one"
    samples.loc[samples["aspect"] == "S", "d2H"] = np.nan
    table = fractions_of_means(samples, ENDS, ["aspect"])
    assert table["reason"].tolist() == [
        "one site: no standard error",
        "missing tracer",
    ]
    assert table["n"].tolist() == [60, 0]
    assert table["precipitation"].notna().tolist() == [True, False]
    assert table["precipitation_sd"].isna().all()


def test_groups_across_strata_are_told() -> None:
    samples, _ = study()
    june = ENDS.table.assign(period="June")
    both = pd.concat([june, ENDS.table.assign(period="August")])
    ends = EndMembers.from_table(both)
    samples["period"] = np.where(samples["aspect"] == "N", "June", "August")
    fine = fractions_of_means(samples, ends, ["aspect"])
    assert fine["reason"].tolist() == ["", ""]
    mixed = fractions_of_means(samples, ends, [])
    assert mixed["reason"].tolist() == ["group spans several period"]
    assert mixed["precipitation"].isna().all()


def test_a_source_forbidden_to_all_samples_of_a_group_is_zero() -> None:
    samples, _ = study()
    samples["snowmelt_allowed"] = samples["aspect"] == "S"
    table = fractions_of_means(samples, ENDS, ["aspect"])
    columns = ["snowmelt", "snowmelt_sd", "snowmelt_lower", "snowmelt_upper"]
    assert (table.loc[0, columns] == 0).all()
    assert table["snowmelt"][1] > 0


def test_concentrations_share_the_degrees_of_freedom_by_tracer() -> None:
    table = pd.DataFrame(
        {
            "source": ["a", "b"],
            "Sr": [0.0, 1.0],
            "Sr_sd": [0.1, 0.1],
            "Sr_concentration": [1.0, 3.0],
            "n": [5, 5],
        }
    )
    soil = pd.DataFrame({"Sr": [0.5] * 3, "site_id": [1, 2, 3]})
    ends = EndMembers.from_table(table)
    row = fractions_of_means(soil, ends, [], tracers=["Sr"]).iloc[0]
    # The mean is exact, and each source gives half of the strontium: df = 4 + 4.
    t = (row["a_upper"] - row["a_raw"]) / row["a_sd"]
    assert row["a"] == pytest.approx(0.75)
    assert t == pytest.approx(2.306004, rel=1e-5)


def test_bad_requests_for_groups_are_refused() -> None:
    samples, _ = study()
    with pytest.raises(InputError, match="missing column profile"):
        fractions_of_means(samples, ENDS, ["aspect"], cluster="profile")
    with pytest.raises(InputError, match="the table is empty"):
        fractions_of_means(samples.iloc[:0], ENDS, ["aspect"])


def test_sample_mean_and_area_mean_are_two_things() -> None:
    samples, _ = study()
    table = fractions_of_means(samples, ENDS, ["aspect"])
    plain = weighted_fractions(table).set_index("source")
    area = pd.Series({"N": 10.0, "S": 30.0})
    mean = weighted_fractions(table, area, on=["aspect"]).set_index("source")
    for source in ENDS.sources:
        first, second = table[source]
        assert plain.loc[source, "fraction"] == pytest.approx((first + second) / 2)
        assert mean.loc[source, "fraction"] == pytest.approx(
            0.25 * first + 0.75 * second
        )
        sd = table[f"{source}_sd"].to_numpy()
        shared = mean.loc[source, "sd_shared"]
        assert shared == pytest.approx(0.25 * sd[0] + 0.75 * sd[1])
        assert mean.loc[source, "sd_independent"] < shared
    assert mean["fraction"].sum() == pytest.approx(1.0, abs=1e-12)
    assert (mean["covered"] == 1).all()
    given_rows = weighted_fractions(table, [10.0, 30.0])
    np.testing.assert_allclose(given_rows["fraction"], mean["fraction"])


def test_area_without_samples_lowers_what_is_covered() -> None:
    samples, _ = study()
    table = fractions_of_means(samples, ENDS, ["aspect"])
    area = pd.Series({"N": 10.0, "S": 30.0, "W": 60.0})
    mean = weighted_fractions(table, area, on=["aspect"])
    assert mean["covered"].tolist() == pytest.approx([0.4] * 3)
    table.loc[0, list(ENDS.sources)] = np.nan
    mean = weighted_fractions(table, area, on=["aspect"])
    assert mean["covered"].tolist() == pytest.approx([0.3] * 3)
    assert mean["n"].tolist() == [1] * 3


@pytest.mark.parametrize(
    ("weights", "on", "words"),
    [
        ([1.0, -1.0], (), "Invalid weights"),
        ([1.0, 1.0, 1.0], (), "3 weights for 2 rows"),
        ([0.0, 0.0], (), "No row with a fraction of precipitation"),
        ([1.0, 1.0], ("aspect",), "Series indexed by these labels"),
        (pd.Series({"N": 1.0}), ("aspect", "period"), "Series indexed by these"),
        (pd.Series([1.0, 2.0], index=["N", "N"]), ("aspect",), "stands twice"),
    ],
)
def test_bad_weights_are_refused(weights, on, words) -> None:
    samples, _ = study()
    table = fractions_of_means(samples, ENDS, ["aspect"])
    with pytest.raises(InputError, match=words):
        weighted_fractions(table, weights, on=on)
    with pytest.raises(InputError, match="No fractions in the table"):
        weighted_fractions(samples)
