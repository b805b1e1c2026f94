"""Answers of single tracers and their difference, the signal of evaporation."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from geosoil.errors import InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.single_tracer import single_tracer_fractions

PAIR = ("d18O", "d_excess")
DIFFERENCE = "precipitation_d18O_minus_d_excess"


def two_sources(**columns) -> EndMembers:
    table = {
        "source": ["precipitation", "ground_ice"],
        "d18O": [-12.6, -16.2],
        "d2H": [-91.8, -132.6],
        "d18O_sd": [0.6, 0.5],
        "d2H_sd": [5.0, 4.5],
        "d18O_d2H_cov": [2.4, 1.9],
    }
    return EndMembers.from_table(pd.DataFrame({**table, **columns}))


def three_sources(rng=None) -> EndMembers:
    table = {
        "source": ["rain", "ice", "snow"],
        "d18O": [-11.2, -14.9, -16.4],
        "d2H": [-80.1, -120.2, -118.4],
        "Cl": [1.0, 8.0, 0.5],
        "d18O_sd": [0.5, 0.4, 0.6],
        "d2H_sd": [3.0, 2.5, 4.5],
        "Cl_sd": [0.2, 0.5, 0.1],
        "d18O_d2H_cov": [1.2, 0.7, 2.2],
    }
    return EndMembers.from_table(pd.DataFrame(table))


def test_golden_answers_of_each_tracer_and_their_difference(golden: Path) -> None:
    path = golden / "tracers" / "two_source_two_tracer.json"
    case = json.loads(path.read_text())
    ends = pd.DataFrame([case["source1"], case["source2"]], columns=list(PAIR))
    ends = EndMembers.from_table(ends.assign(source=["precipitation", "ground_ice"]))
    for one in case["cases"]:
        sigma = np.array(one["cov_d18O_dexcess"])
        soil = pd.DataFrame([one["mix"]], columns=list(PAIR)).assign(
            d18O_sd=np.sqrt(sigma[0, 0]),
            d_excess_sd=np.sqrt(sigma[1, 1]),
            d18O_d_excess_cov=sigma[0, 1],
        )
        row = single_tracer_fractions(soil, ends, tracers=PAIR).iloc[0]
        by_d18O, by_excess = one["f1_d18O_only"], one["f1_dexcess_only"]
        assert row["precipitation_by_d18O"] == pytest.approx(by_d18O, abs=1e-12)
        assert row["precipitation_by_d_excess"] == pytest.approx(by_excess, abs=1e-12)
        assert row[DIFFERENCE] == pytest.approx(by_d18O - by_excess, abs=1e-12)
        gain = np.array([1 / 3.6, -1 / 12.0])
        assert row[f"{DIFFERENCE}_sd"] ** 2 == pytest.approx(gain @ sigma @ gain)
        assert row["ground_ice_by_d18O"] == pytest.approx(1 - by_d18O, abs=1e-12)
        # With one tracer to spare the misfit is this difference, squared.
        assert row[f"{DIFFERENCE}_z"] ** 2 == pytest.approx(one["chi2_gls"], abs=1e-12)
        whole = source_fractions(soil, ends, tracers=PAIR).iloc[0]
        assert row[f"{DIFFERENCE}_p_value"] == pytest.approx(whole["p_value"])
        assert row["reason"] == ""


def test_each_answer_is_that_of_source_fractions_with_the_tracer_alone() -> None:
    rng = np.random.default_rng(0)
    soil = pd.DataFrame(
        {
            "d18O": rng.normal(-14, 1, 50),
            "d2H": rng.normal(-110, 8, 50),
            "d18O_sd": rng.uniform(0.1, 0.3, 50),
            "d2H_sd": 0.8,
        }
    )
    found = single_tracer_fractions(soil, two_sources())
    for tracer in ("d18O", "d2H"):
        alone = source_fractions(soil, two_sources(), tracers=[tracer])
        for source in ("precipitation", "ground_ice"):
            name = f"{source}_by_{tracer}"
            np.testing.assert_allclose(found[name], alone[f"{source}_raw"], atol=1e-12)
            np.testing.assert_allclose(found[f"{name}_sd"], alone[f"{source}_sd"])


def test_three_sources_are_solved_by_every_pair_of_three_tracers() -> None:
    rng = np.random.default_rng(1)
    soil = pd.DataFrame(
        rng.normal([-14, -106, 3], [1, 8, 1], (30, 3)), columns=["d18O", "d2H", "Cl"]
    ).assign(d18O_sd=0.2, d2H_sd=0.7, Cl_sd=0.1)
    ends = three_sources()
    found = single_tracer_fractions(soil, ends, tracers=["d18O", "d2H", "Cl"])
    for pair in (["d18O", "d2H"], ["d18O", "Cl"], ["d2H", "Cl"]):
        alone = source_fractions(soil, ends, tracers=pair)
        for source in ends.sources:
            name = f"{source}_by_{'+'.join(pair)}"
            np.testing.assert_allclose(found[name], alone[f"{source}_raw"], atol=1e-10)
            np.testing.assert_allclose(found[f"{name}_sd"], alone[f"{source}_sd"])
    names = [name for name in found if name.endswith("_z")]
    assert len(names) == 9
    assert "ice_d18O+d2H_minus_d18O+Cl_z" in names
    assert (found["reason"] == "").all()


def test_sd_of_the_difference_agrees_with_monte_carlo() -> None:
    rng = np.random.default_rng(2)
    ends = two_sources()
    small = ends.table.assign(
        d18O_sd=[0.06, 0.05], d2H_sd=[0.5, 0.45], d18O_d2H_cov=[0.024, 0.019]
    )
    ends = EndMembers.from_table(small)
    soil = pd.DataFrame({"d18O": [-13.0], "d2H": [-100.0]})
    row = single_tracer_fractions(
        soil.assign(d18O_sd=0.05, d2H_sd=0.4), ends, tracers=PAIR
    ).iloc[0]
    waters = [
        rng.multivariate_normal(mean, covariance, 40_000)
        for mean, covariance in zip(
            ends.means(PAIR), ends.covariances(PAIR), strict=True
        )
    ]
    own = rng.normal([-13.0, -100.0], [0.05, 0.4], (40_000, 2))
    own[:, 1] -= 8 * own[:, 0]
    first, second = waters
    drawn = (own - second) / (first - second)
    assert row["precipitation_by_d18O_sd"] == pytest.approx(drawn[:, 0].std(), rel=0.03)
    assert row[f"{DIFFERENCE}_sd"] == pytest.approx(
        (drawn[:, 0] - drawn[:, 1]).std(), rel=0.03
    )


def mixed_waters(rng, n, shift=0.0) -> pd.DataFrame:
    """Mixtures of drawn waters of both sources, then evaporated."""
    ends = two_sources()
    names = ["d18O", "d2H"]
    share = rng.uniform(0.2, 0.8, n)
    first, second = (
        rng.multivariate_normal(mean, covariance, n)
        for mean, covariance in zip(
            ends.means(names), ends.covariances(names), strict=True
        )
    )
    water = share[:, None] * first + (1 - share[:, None]) * second
    return pd.DataFrame(water + shift * np.array([1.0, 3.5]), columns=names)


def test_p_value_is_uniform_where_waters_only_mix() -> None:
    soil = mixed_waters(np.random.default_rng(3), 2000)
    found = single_tracer_fractions(soil, two_sources(), tracers=PAIR)
    p_value = found[f"{DIFFERENCE}_p_value"]
    assert (p_value < 0.05).mean() == pytest.approx(0.05, abs=0.02)
    assert stats.kstest(p_value, "uniform").statistic < 0.06


def test_evaporation_parts_the_answers_by_its_size() -> None:
    rng = np.random.default_rng(4)
    soil = mixed_waters(rng, 2000, shift=2.0)
    found = single_tracer_fractions(soil, two_sources(), tracers=PAIR)
    # 2 permil raise the fraction by d18O, and lower it by d_excess.
    expected = 2.0 / 3.6 - 2.0 * (3.5 - 8.0) / 12.0
    assert found[DIFFERENCE].mean() == pytest.approx(expected, abs=0.02)
    assert (found[f"{DIFFERENCE}_p_value"] < 0.05).mean() > 0.9


def test_sources_alike_in_a_tracer_are_not_told_apart_by_it() -> None:
    ends = two_sources(d18O=[-12.6, -13.0])
    soil = pd.DataFrame({"d18O": [-12.8], "d2H": [-110.0]})
    row = single_tracer_fractions(soil, ends).iloc[0]
    words = "d18O does not tell precipitation and ground_ice apart"
    assert row["reason"] == words
    assert np.isnan(row["precipitation_by_d18O"])
    assert np.isnan(row["precipitation_d18O_minus_d2H"])
    alone = source_fractions(soil, ends, tracers=["d2H"]).iloc[0]
    assert row["precipitation_by_d2H"] == pytest.approx(alone["precipitation_raw"])
    # One pooled standard deviation is the border.
    pooled = np.sqrt((0.6**2 + 0.5**2) / 2)
    for factor, fine in ((0.99, False), (1.01, True)):
        near = two_sources(d18O=[-12.6, -12.6 - factor * pooled])
        reason = single_tracer_fractions(soil, near)["reason"][0]
        assert (reason == "") is fine
    bare = two_sources(d18O=[-12.6, -12.6], d18O_sd=0.0, d2H_sd=0.0, d18O_d2H_cov=0.0)
    row = single_tracer_fractions(soil, bare).iloc[0]
    assert row["reason"] == words
    assert np.isfinite(row["precipitation_by_d2H"])


def test_just_determined_sources_leave_no_tracer_out() -> None:
    soil = pd.DataFrame({"d18O": [-13.0, -13.0], "d2H": [-98.0, -98.0]})
    soil["snow_allowed"] = [True, False]
    found = single_tracer_fractions(soil, three_sources())
    just = "just determined: no tracer can be left out"
    assert found["reason"].tolist() == [just, ""]
    columns = [name for name in found if name != "reason"]
    assert found.loc[0, columns].isna().all()
    assert found.loc[1, "snow_by_d18O"] == 0.0
    assert found.loc[1, "snow_by_d18O_sd"] == 0.0
    two = single_tracer_fractions(soil[["d18O", "d2H"]], three_sources().keep(["rain"]))
    assert two["reason"].tolist() == ["fewer than two end members"] * 2
    four = pd.concat(
        [three_sources().table, pd.DataFrame([{"source": "lake", "d18O": -9.0}])]
    ).assign(d2H=lambda t: t["d2H"].fillna(-75.0))
    found = single_tracer_fractions(soil[:1], EndMembers.from_table(four))
    assert found["reason"].tolist() == ["fewer tracers than the sources need"]


def test_rows_without_answer_stay_and_a_lone_tracer_still_speaks() -> None:
    soil = pd.DataFrame(
        {"d18O": [-13.0, np.nan, -13.0], "d2H": [-98.0, -98.0, -98.0]},
        index=["a", "b", "c"],
    )
    soil["precipitation_allowed"] = [True, True, False]
    soil["ground_ice_allowed"] = [True, True, False]
    found = single_tracer_fractions(soil, two_sources())
    assert found.index.tolist() == ["a", "b", "c"]
    assert found["reason"].tolist() == ["", "missing tracer", "no source allowed"]
    assert np.isnan(found.loc["b", "precipitation_by_d18O"])
    assert found.loc["b", "precipitation_by_d2H"] == found.loc["a", _BY_D2H]
    assert np.isnan(found.loc["b", "precipitation_d18O_minus_d2H"])
    assert single_tracer_fractions(soil[:0], two_sources()).empty


_BY_D2H = "precipitation_by_d2H"


def test_strata_are_joined() -> None:
    june = two_sources().table.assign(period="June")
    august = june.assign(period="August", d18O=lambda t: t["d18O"] - 1)
    ends = EndMembers.from_table(pd.concat([june, august]))
    soil = pd.DataFrame(
        {"d18O": -13.0, "d2H": -98.0, "period": ["August", "May", "June"]}
    )
    found = single_tracer_fractions(soil, ends)
    assert found["reason"].tolist() == ["", "No end members for period May.", ""]
    alone = single_tracer_fractions(soil, two_sources())
    pd.testing.assert_frame_equal(found.iloc[[2]], alone.iloc[[2]])
    assert found[_BY_D2H][0] == alone[_BY_D2H][0]
    assert found["precipitation_by_d18O"][0] == pytest.approx(
        alone["precipitation_by_d18O"][0] + 1 / 3.6
    )


def test_without_spread_there_are_differences_but_no_sd() -> None:
    bare = EndMembers.from_table(two_sources().table[["source", "d18O", "d2H"]])
    soil = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0]})
    row = single_tracer_fractions(soil, bare).iloc[0]
    assert row["precipitation_d18O_minus_d2H"] == pytest.approx(3.2 / 3.6 - 34.6 / 40.8)
    tails = ["_sd", "_z", "_p_value"]
    assert row[[f"precipitation_d18O_minus_d2H{tail}" for tail in tails]].isna().all()


def test_concentrations_reach_the_answers_of_single_tracers() -> None:
    ends = EndMembers.from_table(
        pd.DataFrame(
            {
                "source": ["rain", "ice"],
                "Sr": [0.709, 0.713],
                "Sr_sd": [0.0002, 0.0003],
                "Sr_concentration": [1.0, 4.0],
                "d18O": [-12.0, -16.0],
                "d18O_sd": [0.4, 0.4],
            }
        )
    )
    share = 0.7
    ratio = (share * 0.709 + 0.3 * 4 * 0.713) / (share + 0.3 * 4)
    soil = pd.DataFrame({"Sr": [ratio], "d18O": [share * -12.0 + 0.3 * -16.0]})
    row = single_tracer_fractions(soil, ends, tracers=["Sr", "d18O"]).iloc[0]
    assert row["rain_by_Sr"] == pytest.approx(share, abs=1e-9)
    assert row["rain_by_d18O"] == pytest.approx(share, abs=1e-9)
    assert row["rain_Sr_minus_d18O"] == pytest.approx(0.0, abs=1e-9)
    alone = source_fractions(soil, ends, tracers=["Sr"]).iloc[0]
    assert row["rain_by_Sr_sd"] == pytest.approx(alone["rain_sd"])


def test_bad_requests_are_refused() -> None:
    soil = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0]})
    with pytest.raises(InputError, match="1 tracer given; comparing tracers takes"):
        single_tracer_fractions(soil, two_sources(), tracers=["d18O"])
    with pytest.raises(InputError, match="missing column Cl"):
        single_tracer_fractions(soil, two_sources(), tracers=["d18O", "Cl"])
    with pytest.raises(MixingError, match=r"d18O_sd.*ground_ice|ground_ice.*d18O_sd"):
        single_tracer_fractions(soil, two_sources(d18O_sd=[0.5, -0.5]))
