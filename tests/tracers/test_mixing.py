"""Source fractions against golden cases, other solvers and planted mixtures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions

NAMES = ["precipitation", "ground_ice", "snowmelt"]
PAIR = ("d18O", "d_excess")


def read(golden: Path, name: str) -> dict:
    return json.loads((golden / "tracers" / f"{name}.json").read_text())


def ends_of(means, sd=None, tracers=PAIR, names=NAMES) -> EndMembers:
    table = pd.DataFrame(means, columns=list(tracers))
    if sd is not None:
        for place, tracer in enumerate(tracers):
            table[f"{tracer}_sd"] = np.asarray(sd)[:, place]
    return EndMembers.from_table(table.assign(source=names[: len(table)]))


def water_ends(rng=None) -> EndMembers:
    table = pd.DataFrame(
        {
            "source": NAMES,
            "d18O": [-11.2, -14.9, -16.4],
            "d2H": [-80.1, -120.2, -118.4],
            "d18O_sd": [0.9, 0.7, 1.2],
            "d2H_sd": [7.0, 5.5, 9.5],
            "d18O_d2H_cov": [6.0, 3.5, 11.0],
        }
    )
    return EndMembers.from_table(table)


def test_golden_three_sources_within_and_beyond_the_triangle(golden: Path) -> None:
    case = read(golden, "three_source_constrained")
    mixtures = pd.DataFrame([one["mix"] for one in case["cases"]], columns=list(PAIR))
    covariance = np.diag(1.0 / np.array(case["weights_diag"]))
    answer = source_fractions(
        mixtures, ends_of(case["sources"]), tracers=PAIR, covariance=covariance
    )
    for row, one in zip(answer.to_dict("records"), case["cases"], strict=True):
        found = [row[name] for name in NAMES]
        np.testing.assert_allclose(found, one["constrained"], atol=1e-10)
        raw = [row[f"{name}_raw"] for name in NAMES]
        np.testing.assert_allclose(raw, one["unconstrained"], atol=1e-10)
        assert row["distance"] ** 2 == pytest.approx(one["objective"], abs=1e-10)
        assert row["reason"] == ("" if one["inside"] else "outside mixing space")
        assert row["chi2"] == 0.0


def test_golden_two_sources_by_two_tracers(golden: Path) -> None:
    case = read(golden, "two_source_two_tracer")
    ends = ends_of([case["source1"], case["source2"]])
    other = ends.table.assign(d2H=lambda t: t["d_excess"] + 8 * t["d18O"])
    both = EndMembers.from_table(other.drop(columns="d_excess"))
    for one in case["cases"]:
        mixture = pd.DataFrame([one["mix"]], columns=list(PAIR))
        mixture["d2H"] = mixture["d_excess"] + 8 * mixture["d18O"]
        sigma = np.array(one["cov_d18O_dexcess"])
        turn = np.array([[1.0, 0.0], [8.0, 1.0]])
        first = source_fractions(mixture, ends, tracers=PAIR, covariance=sigma).iloc[0]
        second = source_fractions(mixture, both, covariance=turn @ sigma @ turn.T).iloc[
            0
        ]
        for row in (first, second):
            assert row["precipitation"] == pytest.approx(
                one["f1_constrained"], abs=1e-10
            )
            assert row["precipitation_raw"] == pytest.approx(one["f1_gls"], abs=1e-10)
            assert row["precipitation_sd"] == pytest.approx(one["se_gls"], abs=1e-10)
            assert row["chi2"] == pytest.approx(one["chi2_gls"], abs=1e-10)
        for tracers, sources in ((PAIR, ends), (("d18O", "d2H"), both)):
            plain = source_fractions(
                mixture,
                sources,
                tracers=tracers,
                covariance=np.eye(2),
                weighting="unweighted",
            )
            key = "f1_unweighted_" + "_".join(t.replace("_", "") for t in tracers)
            assert plain["precipitation_raw"].iloc[0] == pytest.approx(
                one[key], abs=1e-10
            )
        for tracer in PAIR:
            single = source_fractions(
                mixture, ends, tracers=(tracer,), covariance=[[1.0]]
            )
            key = f"f1_{tracer.replace('_', '')}_only"
            assert single["precipitation_raw"].iloc[0] == pytest.approx(
                one[key], abs=1e-10
            )


def test_golden_genereux_two_components(golden: Path) -> None:
    case = read(golden, "genereux_two_component")
    for one in case["cases"]:
        ends = ends_of(
            [[one["c1"]], [one["c2"]]],
            sd=[[one["sd1"]], [one["sd2"]]],
            tracers=("Cl",),
        )
        mixture = pd.DataFrame({"Cl": [one["c_mix"]], "Cl_sd": [one["sd_mix"]]})
        row = source_fractions(mixture, ends, tracers=("Cl",)).iloc[0]
        assert row["precipitation_raw"] == pytest.approx(one["f1"], abs=1e-12)
        assert row["precipitation_sd"] == pytest.approx(one["sd_f1"], abs=1e-12)
        assert row["ground_ice_sd"] == pytest.approx(one["sd_f2"], abs=1e-12)
    edge = case["edge"][0]
    ends = ends_of([[edge["c1"]], [edge["c2"]]], tracers=("Cl",))
    with pytest.raises(
        MixingError, match=r"Equal end members in Cl: precip.*ground_ice"
    ):
        source_fractions(mixture, ends, tracers=("Cl",))


def test_golden_genereux_three_components(golden: Path) -> None:
    case = read(golden, "genereux_three_component")
    ends = ends_of(case["sources"], sd=case["sd_sources"])
    mixture = pd.DataFrame([case["mix"]], columns=list(PAIR))
    mixture["d18O_sd"], mixture["d_excess_sd"] = case["sd_mix"]
    row = source_fractions(mixture, ends, tracers=PAIR).iloc[0]
    for place, name in enumerate(NAMES):
        assert row[name] == pytest.approx(case["fractions"][place], abs=1e-10)
        assert row[f"{name}_sd"] == pytest.approx(case["sd"][place], abs=1e-10)


def degenerate(golden: Path, name: str) -> dict:
    cases = read(golden, "degenerate_inputs")["cases"]
    return next(case for case in cases if case["name"] == name)


@pytest.mark.parametrize("name", ["mixture equals an end member", "mixture on an edge"])
def test_mixture_on_the_border_is_within(golden: Path, name) -> None:
    case = degenerate(golden, name)
    mixture = pd.DataFrame([case["mix"]], columns=list(PAIR))
    answer = source_fractions(
        mixture, ends_of(case["sources"]), tracers=PAIR, covariance=np.eye(2)
    )
    found = answer[NAMES].to_numpy()[0]
    np.testing.assert_allclose(found, case["expect_fractions"], atol=1e-12)
    assert answer["reason"].iloc[0] == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("collinear end members", r"rank 1, 2 needed.*\+1 .* -2 ground_ice \+1 snow"),
        ("nearly collinear", "condition number 1.39e"),
        ("identical end members", "precipitation and ground_ice"),
    ],
)
def test_sources_that_cannot_be_told_apart_are_refused(golden, name, words) -> None:
    case = degenerate(golden, name)
    mixture = pd.DataFrame([case["mix"]], columns=list(PAIR))
    with pytest.raises(MixingError, match=words):
        source_fractions(mixture, ends_of(case["sources"]), tracers=PAIR)


def test_missing_tracer_keeps_its_row_and_says_so(golden: Path) -> None:
    case = degenerate(golden, "missing tracer")
    mixture = pd.DataFrame(
        [case["mix"], [-12.33, 7.6]], columns=list(PAIR), dtype=float
    )
    mixture.index = ["x", "y"]
    answer = source_fractions(
        mixture, ends_of(case["sources"]), tracers=PAIR, covariance=np.eye(2)
    )
    assert answer.index.tolist() == ["x", "y"]
    assert answer["reason"].tolist() == ["missing tracer", ""]
    assert answer.loc["x", NAMES].isna().all()
    assert answer.loc["y", NAMES].sum() == pytest.approx(1.0)


def twin(mixture, own, means, spread, rounds=4) -> np.ndarray:
    """Fractions by a general solver, weights renewed as the kernel does."""
    size = len(means)
    fraction = np.full(size, 1.0 / size)
    for _ in range(rounds):
        total = own + np.einsum("k,kij->ij", fraction**2, spread)
        root = np.linalg.cholesky(np.linalg.inv(total)).T
        matrix = np.vstack([root @ means.T, 1e6 * np.ones(size)])
        fraction = optimize.nnls(matrix, np.r_[root @ mixture, 1e6])[0]
    return fraction


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4))
def test_kernel_agrees_with_nonnegative_least_squares(seed, size) -> None:
    rng = np.random.default_rng(seed)
    n_tracers = int(rng.integers(size - 1, size + 1))
    names = [f"t{j}" for j in range(n_tracers)]
    means = rng.normal(0, 3, (size, n_tracers))
    sd = rng.uniform(0.3, 1.0, (size, n_tracers))
    sources = [f"s{k}" for k in range(size)]
    ends = ends_of(means, sd=sd, tracers=names, names=sources)
    mixtures = pd.DataFrame(rng.normal(0, 3, (5, n_tracers)), columns=names)
    own = 0.04 * np.eye(n_tracers)
    spread = np.array([np.diag(row**2) for row in sd])
    try:
        answer = source_fractions(mixtures, ends, tracers=names, covariance=own)
    except (MixingError, GeosoilWarning):
        return
    for place in range(5):
        expected = twin(mixtures.to_numpy()[place], own, means, spread)
        found = answer[sources].to_numpy()[place]
        np.testing.assert_allclose(found, expected, atol=2e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_fractions_sum_to_one_and_stay_within_bounds(seed) -> None:
    rng = np.random.default_rng(seed)
    mixtures = pd.DataFrame(
        {"d18O": rng.normal(-14, 4, 30), "d2H": rng.normal(-100, 30, 30)}
    )
    answer = source_fractions(mixtures, water_ends(), covariance=np.diag([0.04, 0.25]))
    shares = answer[NAMES].to_numpy()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
    assert (shares >= 0).all()
    assert (shares <= 1 + 1e-15).all()
    raw = answer[[f"{name}_raw" for name in NAMES]].to_numpy()
    np.testing.assert_allclose(raw.sum(axis=1), 1.0, atol=1e-12)
    inside = (raw >= 0).all(axis=1)
    np.testing.assert_allclose(shares[inside], raw[inside], atol=1e-12)
    np.testing.assert_array_equal(answer["reason"] == "", inside)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_planted_fractions_are_recovered(seed) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.dirichlet(np.ones(3), 20)
    truth[rng.random(20) < 0.3, 2] = 0.0
    truth /= truth.sum(axis=1, keepdims=True)
    ends = water_ends()
    means = ends.means(["d18O", "d2H"])
    mixtures = pd.DataFrame(truth @ means, columns=["d18O", "d2H"])
    answer = source_fractions(mixtures, ends)
    np.testing.assert_allclose(answer[NAMES], truth, atol=1e-9)


@pytest.mark.parametrize("sources", [NAMES, NAMES[:2]])
def test_gls_does_not_know_which_pair_of_tracers_it_was_given(sources) -> None:
    rng = np.random.default_rng(0)
    mixtures = pd.DataFrame(
        {
            "d18O": rng.normal(-14, 3, 200),
            "d2H": rng.normal(-105, 20, 200),
            "d18O_sd": 0.2,
            "d2H_sd": 0.6,
        }
    )
    ends = water_ends().keep(sources)
    pairs = [("d18O", "d2H"), ("d18O", "d_excess"), ("d_excess", "d2H")]
    first, *others = (source_fractions(mixtures, ends, tracers=pair) for pair in pairs)
    own = ["reason", "condition_number"]
    for other in others:
        np.testing.assert_allclose(
            other.drop(columns=own), first.drop(columns=own), atol=1e-10
        )
        assert (other["reason"] == first["reason"]).all()


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.01, 100), st.floats(-50, 50))
def test_order_of_rows_and_sources_and_units_are_irrelevant(seed, scale, zero) -> None:
    rng = np.random.default_rng(seed)
    mixtures = pd.DataFrame(
        {"d18O": rng.normal(-14, 3, 12), "d2H": rng.normal(-105, 20, 12)}
    )
    ends = water_ends()
    first = source_fractions(mixtures, ends)
    order = rng.permutation(12)
    shuffled = source_fractions(mixtures.iloc[order], ends.keep(NAMES[::-1]))
    np.testing.assert_allclose(
        shuffled[NAMES].loc[mixtures.index], first[NAMES], atol=1e-9
    )
    names = {"d18O": "a", "d2H": "b"}
    other = ends.table.rename(columns=names).assign(
        a=lambda t: scale * t["a"] + zero,
        a_sd=scale * ends.table["d18O_sd"],
        b_sd=ends.table["d2H_sd"],
        a_b_cov=scale * ends.table["d18O_d2H_cov"],
    )
    water = mixtures.rename(columns=names).assign(a=lambda t: scale * t["a"] + zero)
    second = source_fractions(water, EndMembers.from_table(other), tracers=("a", "b"))
    np.testing.assert_allclose(second[NAMES], first[NAMES], atol=1e-8)
    np.testing.assert_allclose(second["distance"], first["distance"], atol=1e-6)


def test_first_order_sd_agrees_with_monte_carlo() -> None:
    rng = np.random.default_rng(7)
    ends = water_ends()
    small = ends.table.assign(
        d18O_sd=0.03 * ends.table["d18O_sd"],
        d2H_sd=0.03 * ends.table["d2H_sd"],
        d18O_d2H_cov=0.03**2 * ends.table["d18O_d2H_cov"],
    )
    ends = EndMembers.from_table(small)
    means, spread = ends.means(["d18O", "d2H"]), ends.covariances(["d18O", "d2H"])
    share = np.array([0.6, 0.3, 0.1])
    row = source_fractions(
        pd.DataFrame([share @ means], columns=["d18O", "d2H"]), ends
    ).iloc[0]
    draws = []
    for _ in range(4000):
        one = np.array(
            [rng.multivariate_normal(m, s) for m, s in zip(means, spread, strict=True)]
        )
        matrix = np.vstack([one.T, np.ones(3)])
        draws.append(np.linalg.solve(matrix, np.r_[share @ means, 1.0]))
    np.testing.assert_allclose(
        np.std(draws, axis=0), [row[f"{name}_sd"] for name in NAMES], rtol=0.04
    )


def test_structural_zero_is_exact() -> None:
    rng = np.random.default_rng(1)
    mixtures = pd.DataFrame(
        {"d18O": rng.normal(-13, 2, 6), "d2H": rng.normal(-100, 10, 6)}
    )
    mixtures["snowmelt_allowed"] = [True, False, True, False, None, False]
    mixtures["ground_ice_allowed"] = [True, True, True, True, True, False]
    answer = source_fractions(mixtures, water_ends())
    gone = [1, 3, 5]
    columns = ["snowmelt", "snowmelt_sd", "snowmelt_raw"]
    assert (answer.loc[gone, columns] == 0).all(axis=None)
    assert answer.loc[5, "precipitation"] == 1.0
    assert answer.loc[5, "precipitation_sd"] == 0.0
    two = source_fractions(mixtures[["d18O", "d2H"]], water_ends().keep(NAMES[:2]))
    columns = ["precipitation", "precipitation_sd", "precipitation_raw", "chi2"]
    pd.testing.assert_frame_equal(answer.loc[[1, 3], columns], two.loc[[1, 3], columns])
    free = source_fractions(mixtures[["d18O", "d2H"]], water_ends())
    pd.testing.assert_frame_equal(answer.loc[[0, 2, 4]], free.loc[[0, 2, 4]])
    mixtures.loc[0, NAMES_ALLOWED] = False
    assert source_fractions(mixtures, water_ends())["reason"][0] == "no source allowed"
    mixtures["snowmelt_allowed"] = "maybe"
    with pytest.raises(InputError, match="'snowmelt_allowed' holds other than true"):
        source_fractions(mixtures, water_ends())


NAMES_ALLOWED = [f"{name}_allowed" for name in NAMES]


def test_strata_are_joined_and_absent_sources_take_no_part() -> None:
    june = water_ends().table.assign(period="June")
    august = june.iloc[:2].assign(period="August", d18O=lambda t: t["d18O"] - 3)
    ends = EndMembers.from_table(pd.concat([june, august]))
    mixtures = pd.DataFrame(
        {
            "period": ["August", "June", "September", "August"],
            "d18O": [-16.0, -13.0, -13.0, -17.5],
            "d2H": [-100.0, -95.0, -95.0, -118.0],
        }
    )
    answer = source_fractions(mixtures, ends)
    assert answer["snowmelt"].tolist()[0] == 0.0
    alone = source_fractions(mixtures.iloc[[1]], water_ends())
    pd.testing.assert_frame_equal(answer.iloc[[1]], alone)
    assert answer["reason"][2] == "No end members for period September."
    assert answer.loc[2, NAMES].isna().all()
    single = EndMembers.from_table(august.iloc[:1])
    assert (
        source_fractions(mixtures, single)["reason"][0] == "fewer than two end members"
    )


def test_misfit_off_the_mixing_line_is_told() -> None:
    ends = ends_of([[-10.0, 5.0], [-16.0, 5.0]], sd=np.ones((2, 2)))
    mixtures = pd.DataFrame([[-13.0, 5.0], [-13.0, 10.0]], columns=list(PAIR))
    answer = source_fractions(mixtures, ends, tracers=PAIR)
    assert answer["reason"].tolist() == ["", "misfit"]
    np.testing.assert_allclose(answer["precipitation"], 0.5, atol=1e-12)
    # Sources of variance 1 at half each leave 0.5: 5^2 / 0.5.
    np.testing.assert_allclose(answer["chi2"], [0.0, 50.0], atol=1e-9)
    np.testing.assert_allclose(answer["distance"] ** 2, [0.0, 50.0], atol=1e-9)


def test_no_mixtures_give_an_empty_table() -> None:
    mixtures = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0], "period": ["June"]})
    answer = source_fractions(mixtures.iloc[:0], water_ends())
    assert answer.empty
    assert list(answer) == list(source_fractions(mixtures, water_ends()))
    strata = EndMembers.from_table(water_ends().table.assign(period="June"))
    assert source_fractions(mixtures.iloc[:0], strata).empty


def test_unconstrained_answer_is_the_raw_one() -> None:
    mixtures = pd.DataFrame({"d18O": [-5.0], "d2H": [-30.0]})
    free = source_fractions(mixtures, water_ends(), constraint="none")
    held = source_fractions(mixtures, water_ends())
    for name in NAMES:
        assert free[name][0] == free[f"{name}_raw"][0] == held[f"{name}_raw"][0]
    assert free["distance"][0] == held["distance"][0] > 0


def test_no_spread_at_all_is_told_and_gives_no_sd() -> None:
    ends = EndMembers.from_table(water_ends().table[["source", "d18O", "d2H"]])
    mixtures = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0]})
    with pytest.warns(GeosoilWarning, match="No spread is given"):
        answer = source_fractions(mixtures, ends)
    expected = source_fractions(mixtures, water_ends())
    np.testing.assert_allclose(answer[NAMES], expected[NAMES], atol=1e-12)
    assert answer[["precipitation_sd", "chi2", "distance"]].isna().all(axis=None)
    with pytest.raises(MixingError, match="No spread for tracer d2H"):
        source_fractions(mixtures.assign(d18O_sd=0.2), ends)


def test_one_source_without_spread_does_not_stop_the_others() -> None:
    table = water_ends().table
    table.loc[1, ["d18O_sd", "d2H_sd", "d18O_d2H_cov"]] = np.nan
    mixtures = pd.DataFrame({"d18O": [-14.9, -20.0], "d2H": [-120.2, -180.0]})
    answer = source_fractions(mixtures, EndMembers.from_table(table))
    np.testing.assert_allclose(answer["ground_ice"], [1.0, 1.0], atol=1e-6)
    assert answer["reason"].tolist() == ["", "outside mixing space"]


def test_nearly_collinear_sources_are_told() -> None:
    ends = ends_of([[-10, 12], [-12, 8.1], [-14, 4]], sd=np.ones((3, 2)))
    mixture = pd.DataFrame([[-11.5, 9.0]], columns=list(PAIR))
    with pytest.warns(GeosoilWarning, match=r"nearly collinear \(condition number 139"):
        source_fractions(mixture, ends, tracers=PAIR)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"constraint": "box"}, "Unknown constraint 'box'"),
        ({"weighting": "wls"}, "Unknown weighting 'wls'"),
        ({"tracers": ("d18O",)}, r"3 sources .* need 2 tracers; 1 given \(d18O\)"),
        ({"tracers": ("d18O", "d2H", "d_excess")}, "not independent"),
        (
            {"tracers": ("d18O", "Cl")},
            "Mixtures: missing column Cl. Columns found: d18O",
        ),
        ({"covariance": np.eye(3)}, r"shape \(3, 3\); \(2, 2\)"),
        ({"covariance": [[1.0, 2.0], [2.0, 1.0]]}, "not symmetric and positive"),
        ({"covariance": [[1.0, 0.5], [0.2, 1.0]]}, "not symmetric and positive"),
    ],
)
def test_bad_requests_are_refused(arguments, words) -> None:
    mixtures = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0]})
    with pytest.raises(InputError, match=words):
        source_fractions(mixtures, water_ends(), **arguments)


def test_bad_mixture_columns_are_refused() -> None:
    mixtures = pd.DataFrame({"d18O": ["-13", "wet"], "d2H": [-98.0, -97.0]})
    with pytest.raises(InputError, match="not a number in column 'd18O' holds 'wet'"):
        source_fractions(mixtures, water_ends())
    mixtures = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0], "d2H_sd": [-1.0]})
    with pytest.raises(InputError, match="d2H_sd has 1 negative"):
        source_fractions(mixtures, water_ends())


@pytest.mark.benchmark
def test_a_million_mixtures(benchmark) -> None:
    rng = np.random.default_rng(1)
    mixtures = pd.DataFrame(
        rng.normal([-14, -100], [3, 25], (1_000_000, 2)), columns=["d18O", "d2H"]
    )
    answer = benchmark.pedantic(
        source_fractions, (mixtures, water_ends()), rounds=1, iterations=1
    )
    assert len(answer) == 1_000_000
