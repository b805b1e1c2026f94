"""Which water makes a fraction uncertain, by first order."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.uncertainty import (
    BEYOND,
    fraction_variance_shares,
    satterthwaite_df,
)

SOURCES = ["precipitation", "ground_ice", "snowmelt"]
ENDS = EndMembers.from_table(
    pd.DataFrame(
        {
            "source": SOURCES,
            "d18O": [-11.2, -14.9, -16.4],
            "d2H": [-80.1, -120.2, -118.4],
            "d18O_sd": [0.9, 0.7, 1.2],
            "d2H_sd": [7.0, 5.5, 9.5],
            "d18O_d2H_cov": [6.0, 3.5, 11.0],
            "n": [30, 12, 9],
        }
    )
)
SHARES = ["share_mixture", *(f"share_{source}" for source in SOURCES)]


def load(golden: Path, name: str) -> dict:
    return json.loads((golden / "tracers" / f"{name}.json").read_text())


@pytest.mark.parametrize("number", range(5))
def test_two_components_of_genereux(golden: Path, number) -> None:
    record = load(golden, "genereux_two_component")
    case, near = record["cases"][number], {"abs": record["tolerance"], "rel": 1e-12}
    ends = EndMembers.from_table(
        pd.DataFrame(
            {
                "source": ["a", "b"],
                "c": [case["c1"], case["c2"]],
                "c_sd": [case["sd1"], case["sd2"]],
            }
        )
    )
    mixture = pd.DataFrame({"c": [case["c_mix"]], "c_sd": [case["sd_mix"]]})
    table = fraction_variance_shares(mixture, ends, tracers=["c"])
    assert table["source"].tolist() == ["a", "b"]
    assert table["fraction"].tolist() == pytest.approx([case["f1"], case["f2"]], **near)
    assert table["sd"].tolist() == pytest.approx([case["sd_f1"], case["sd_f2"]], **near)
    for row in range(2):
        shares = table.loc[row, ["share_mixture", "share_a", "share_b"]].tolist()
        expected = [case["share_mix"], case["share_1"], case["share_2"]]
        assert shares == pytest.approx(expected, **near)
    assert np.isinf(table["df"]).all()
    z = stats.norm.ppf(0.975)
    assert table["upper"][0] == pytest.approx(case["f1"] + z * case["sd_f1"], rel=1e-12)
    assert (table["spread_of"] == "SD").all()


def test_equal_end_members_are_refused(golden: Path) -> None:
    edge = load(golden, "genereux_two_component")["edge"][0]
    table = pd.DataFrame({"source": ["a", "b"], "c": [edge["c1"], edge["c2"]]})
    ends = EndMembers.from_table(table.assign(c_sd=1.0))
    mixture = pd.DataFrame({"c": [edge["c_mix"]]})
    with pytest.raises(MixingError, match="Equal end members in c: a and b"):
        fraction_variance_shares(mixture, ends, tracers=["c"])


def test_three_components_of_genereux(golden: Path) -> None:
    case = load(golden, "genereux_three_component")
    pair = ["d18O", "d_excess"]
    deviations = ["d18O_sd", "d_excess_sd"]
    table = pd.DataFrame(case["sources"], columns=pair).assign(source=list("012"))
    table[deviations] = case["sd_sources"]
    mixture = pd.DataFrame([case["mix"]], columns=pair)
    mixture[deviations] = [case["sd_mix"]]
    found = fraction_variance_shares(
        mixture, EndMembers.from_table(table), tracers=pair
    )
    near = {"abs": case["tolerance"]}
    assert found["fraction"].tolist() == pytest.approx(case["fractions"], **near)
    assert found["sd"].tolist() == pytest.approx(case["sd"], **near)
    parts = case["variance_contributions"]
    for water, column in [("mix", "mixture"), ("s0", "0"), ("s1", "1"), ("s2", "2")]:
        variance = np.add(parts[f"{water}_t0"], parts[f"{water}_t1"])
        share = found[f"share_{column}"].to_numpy()
        np.testing.assert_allclose(
            share * found["sd"].to_numpy() ** 2, variance, rtol=0, atol=1e-10
        )


@pytest.mark.parametrize("number", [0, 1])
def test_isoerror_by_standard_errors(golden: Path, number) -> None:
    record = load(golden, "isoerror_two_source")
    case, near = record["cases"][number], {"rel": record["tolerance"]}
    columns = ["d13C", "d13C_sd", "n"]
    table = pd.DataFrame([case["source1"], case["source2"]], columns=columns)
    ends = EndMembers.from_table(table.assign(source=["a", "b"]))
    mixture = pd.DataFrame([case["mix"]], columns=columns, index=["food web"])
    row = fraction_variance_shares(mixture, ends, tracers=["d13C"], of="mean").iloc[0]
    expected = case["expected"]
    assert row["mixture"] == "food web"
    assert row["fraction"] == pytest.approx(expected["f1"], **near)
    assert row["sd"] == pytest.approx(expected["se"], **near)
    assert row["df"] == pytest.approx(expected["df"], **near)
    assert [row["lower"], row["upper"]] == pytest.approx(expected["ci95"], **near)
    assert row["spread_of"] == "SE"
    assert row["reason"] == (BEYOND if expected["ci95"][1] > 1 else "")


@settings(max_examples=20)
@given(st.integers(0, 500), st.integers(2, 4), st.integers(0, 1))
def test_shares_are_those_of_plain_matrix_algebra(seed, n_sources, extra) -> None:
    rng = np.random.default_rng(seed)
    names = [f"t{j}" for j in range(n_sources - 1 + extra)]
    size = len(names)
    roots = rng.normal(size=(n_sources + 1, size, size))
    spread = roots @ roots.swapaxes(1, 2) + 0.3 * np.eye(size)
    means = 8.0 * rng.normal(size=(n_sources, size))
    gap = np.linalg.svd(means[:-1] - means[-1], compute_uv=False)
    assume(gap[-1] > 2.0)
    mixture = rng.dirichlet(np.full(n_sources, 5.0)) @ means

    def labelled(values: np.ndarray, parts: np.ndarray) -> pd.DataFrame:
        table = pd.DataFrame(values, columns=names)
        for i, first in enumerate(names):
            table[f"{first}_sd"] = np.sqrt(parts[:, i, i])
            for j, second in enumerate(names[:i]):
                table[f"{second}_{first}_cov"] = parts[:, i, j]
        return table

    sources = [f"s{k}" for k in range(n_sources)]
    ends = EndMembers.from_table(labelled(means, spread[1:]).assign(source=sources))
    waters = labelled(mixture[None], spread[:1])
    found = fraction_variance_shares(waters, ends, tracers=names)
    # The weights are kept while a water is moved, so that the solution is linear in m
    # and each source counts as - f_k times the mixture.
    raw = source_fractions(waters, ends, tracers=names)
    shares = raw[[f"{source}_raw" for source in sources]].to_numpy()[0]
    total = spread[0] + np.tensordot(
        raw[sources].to_numpy()[0] ** 2, spread[1:], axes=1
    )
    weight = np.linalg.inv(total)
    edges = (means[:-1] - means[-1]).T
    lever = np.linalg.solve(edges.T @ weight @ edges, edges.T @ weight)
    gain = np.vstack([lever, -lever.sum(axis=0)])
    scale = np.r_[1.0, shares**2]
    parts = np.array([np.diag(gain @ v @ gain.T) for v in spread]) * scale[:, None]
    columns = ["share_mixture", *(f"share_{source}" for source in sources)]
    tolerance = 1e-8 if not extra else 1e-5
    np.testing.assert_allclose(
        found[columns].to_numpy(), (parts / parts.sum(axis=0)).T, atol=tolerance
    )
    np.testing.assert_allclose(found["sd"] ** 2, parts.sum(axis=0), rtol=1e-4)


def test_first_order_agrees_with_the_solver_and_adds_up() -> None:
    rng = np.random.default_rng(4)
    waters = rng.dirichlet([6, 3, 3], 20) @ ENDS.means(["d18O", "d2H"])
    soil = pd.DataFrame(waters, columns=["d18O", "d2H"], index=np.arange(20) + 100)
    soil = soil.assign(d18O_sd=0.2, d2H_sd=0.9)
    table = fraction_variance_shares(soil, ENDS)
    solved = source_fractions(soil, ENDS)
    for source, part in table.groupby("source"):
        np.testing.assert_allclose(part["sd"], solved[f"{source}_sd"], rtol=1e-12)
        assert part["mixture"].tolist() == soil.index.tolist()
    np.testing.assert_allclose(table[SHARES].sum(axis=1), 1.0, rtol=1e-12)
    assert (table[SHARES] >= 0).all(axis=None)


def test_covariance_inside_a_water_counts() -> None:
    soil = pd.DataFrame(
        {"d18O": [-13.0], "d2H": [-97.0], "d18O_sd": 0.5, "d2H_sd": 4.0}
    )
    plain = fraction_variance_shares(soil, ENDS)
    linked = fraction_variance_shares(soil.assign(d18O_d2H_cov=1.9), ENDS)
    change = (linked["sd"] ** 2 - plain["sd"] ** 2).to_numpy()
    gain = np.linalg.inv(np.c_[ENDS.means(["d18O", "d2H"]), np.ones(3)].T)
    np.testing.assert_allclose(change, 2 * gain[:, 0] * gain[:, 1] * 1.9, rtol=1e-9)


def test_means_are_known_better_than_samples_and_use_t() -> None:
    soil = pd.DataFrame(
        {"d18O": [-13.0], "d2H": [-97.0], "d18O_sd": 0.5, "d2H_sd": 4.0, "n": 16}
    )
    sample = fraction_variance_shares(soil, ENDS)
    mean = fraction_variance_shares(soil, ENDS, of="mean")
    assert (mean["sd"] < sample["sd"] / 2).all()
    assert (mean["df"] >= 8).all()
    assert (mean["df"] <= 15 + 29 + 11 + 8).all()
    t = (mean["upper"] - mean["fraction"]) / mean["sd"]
    np.testing.assert_allclose(t, stats.t.ppf(0.975, mean["df"]), rtol=1e-12)


def test_rows_and_sources_without_part_are_told() -> None:
    soil = pd.DataFrame(
        {
            "d18O": [-13.0, np.nan, -13.0],
            "d2H": [-97.0, -97.0, -97.0],
            "d2H_sd": 0.5,
            "d18O_sd": 0.1,
            "snowmelt_allowed": [True, True, False],
        }
    )
    table = fraction_variance_shares(soil, ENDS).set_index(["mixture", "source"])
    assert table.loc[1, "fraction"].isna().all()
    assert (table.loc[1, "reason"] == "missing tracer").all()
    absent = table.loc[(2, "snowmelt")]
    assert absent[["fraction", "sd", "lower", "upper"]].tolist() == [0.0] * 4
    assert absent[[*SHARES, "df"]].isna().all()
    taking = table.loc[(2, "precipitation")]
    assert taking["share_snowmelt"] == 0.0
    assert taking[SHARES].sum() == pytest.approx(1.0)


def test_without_any_spread_nothing_is_claimed() -> None:
    table = pd.DataFrame({"source": ["a", "b"], "Cl": [1.0, 9.0]})
    ends = EndMembers.from_table(table)
    with pytest.warns(GeosoilWarning, match="No spread is given"):
        found = fraction_variance_shares(
            pd.DataFrame({"Cl": [3.0]}), ends, tracers=["Cl"]
        )
    assert found["fraction"].tolist() == [0.75, 0.25]
    numbers = ["sd", "lower", "upper", "df", "share_mixture", "share_a"]
    assert found[numbers].isna().all(axis=None)


def test_concentrations_move_the_shares_of_the_sources() -> None:
    table = pd.DataFrame(
        {
            "source": ["a", "b"],
            "Sr": [0.0, 1.0],
            "Sr_sd": [0.1, 0.1],
            "Sr_concentration": [1.0, 3.0],
        }
    )
    found = fraction_variance_shares(
        pd.DataFrame({"Sr": [0.5]}), EndMembers.from_table(table), tracers=["Sr"]
    )
    assert found["fraction"].tolist() == pytest.approx([0.75, 0.25])
    # Each source gives half of the strontium, and its error counts by that.
    assert found["share_a"].tolist() == pytest.approx([0.5, 0.5])


def test_degrees_of_freedom_by_hand() -> None:
    parts = np.array([[1.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    found = satterthwaite_df(parts, np.array([4.0, np.inf]))
    assert found.tolist() == [16.0, 4.0, np.inf]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"of": "median"}, "Unknown of='median'"),
        ({"confidence": 1.0}, "Invalid confidence 1.0"),
        ({"tracers": ["Cl"]}, "missing column Cl"),
    ],
)
def test_bad_requests_are_refused(options, words) -> None:
    soil = pd.DataFrame({"d18O": [-13.0], "d2H": [-97.0]})
    with pytest.raises(InputError, match=words):
        fraction_variance_shares(soil, ENDS, **options)
    with pytest.raises(InputError, match="1 values of 'n' below 1"):
        fraction_variance_shares(soil.assign(n=0), ENDS)
