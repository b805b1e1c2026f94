"""Shares and evaporation solved together, against brute force and planted truth."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from geosoil.errors import InputError, MixingError
from geosoil.tracers.correction import corrected_mixtures, evaporation_sensitivity
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_mixing import evaporated_fractions
from geosoil.tracers.evaporation_patterns_mixing import evaporation_identifiability
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.mixing import source_fractions

NAMES = ["precipitation", "ground_ice", "snowmelt"]
TABLE = pd.DataFrame(
    {
        "source": NAMES,
        "d18O": [-12.26, -14.5, -17.5],
        "d2H": [7.9 * -12.26 + 12.43, 8 * -14.5 + 3.0, 8 * -17.5 + 12.0],
        "d18O_sd": [0.3, 0.4, 0.5],
        "d2H_sd": [2.5, 3.0, 4.0],
        "d18O_d2H_cov": [0.7, 1.1, 1.9],
    }
)
ENDS = EndMembers.from_table(TABLE)
PAIR = ENDS.keep(NAMES[:2])
MEANS = TABLE[["d18O", "d2H"]].to_numpy()
UNKNOWN = EvaporationPrior(3.4)
KNOWN = EvaporationPrior(3.4, 0.3, shift=1.1, shift_sd=0.4)


def columns(form: str, names=NAMES) -> list[str]:
    return [form.format(name) for name in names]


def mixed(shares, means, shift, slope) -> pd.DataFrame:
    shares = np.atleast_2d(shares)
    amount = np.broadcast_to(shift, len(shares))
    values = shares @ means + np.column_stack([amount, slope * amount])
    table = pd.DataFrame(values, columns=["d18O", "d2H"])
    return table.assign(d18O_sd=0.1, d2H_sd=0.6)


def random_soil(seed: int, n: int = 40) -> pd.DataFrame:
    """Mixtures within and beyond the triangle, on both sides of it."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.ones(3), n)
    soil = mixed(shares, MEANS, rng.uniform(-1.5, 3.5, n), 3.4)
    soil["d2H"] += rng.normal(0, 4.0, n)
    return soil


def test_planted_shares_and_evaporation_are_recovered() -> None:
    soil = mixed([0.72, 0.20, 0.08], MEANS, 1.1, 3.4)
    answer = evaporated_fractions(soil, ENDS, prior=KNOWN).iloc[0]
    np.testing.assert_allclose(
        answer[NAMES].astype(float), [0.72, 0.20, 0.08], atol=1e-10
    )
    assert answer["evaporation"] == pytest.approx(1.1, abs=1e-10)
    assert answer["evaporation_sd"] == pytest.approx(0.4, abs=1e-10)
    assert -0.5 < answer["ground_ice_per_permil"] < -0.4
    assert answer["reason"] == ""
    assert answer["identifiable"]
    assert np.isnan(answer["p_value"])


def test_three_sources_without_a_prior_get_bounds_and_the_words() -> None:
    soil = mixed([0.72, 0.20, 0.08], MEANS, 1.1, 3.4)
    answer = evaporated_fractions(soil, ENDS, prior=UNKNOWN).iloc[0]
    for form in ("{}", "{}_sd", "{}_raw"):
        assert answer[columns(form)].isna().all()
    assert answer[["evaporation", "evaporation_sd", "chi2"]].isna().all()
    assert answer["reason"].startswith("not identifiable")
    assert "3 sources and E against 2 tracers" in answer["reason"]
    assert not answer["identifiable"]
    one = evaporation_sensitivity(soil.iloc[0], ENDS, slope=3.4)
    ends = np.array([one.fractions_lower, one.fractions_upper])
    np.testing.assert_allclose(
        answer[columns("{}_lower")].astype(float), ends.min(axis=0), atol=1e-9
    )
    np.testing.assert_allclose(
        answer[columns("{}_upper")].astype(float), ends.max(axis=0), atol=1e-9
    )
    assert answer["evaporation_lower"] == pytest.approx(one.shift_lower, abs=1e-9)
    assert answer["evaporation_upper"] == pytest.approx(one.shift_upper, abs=1e-9)
    np.testing.assert_allclose(
        answer[columns("{}_per_permil")].astype(float), one.derivative, atol=1e-12
    )


@given(st.integers(0, 10_000), st.floats(0, 3), st.sampled_from([2, 3]))
@settings(max_examples=15)
def test_a_sharp_prior_is_mixing_of_corrected_mixtures(seed, shift, count) -> None:
    soil, ends = random_soil(seed), ENDS.keep(NAMES[:count])
    sharp = EvaporationPrior(3.4, shift=shift, shift_sd=1e-7)
    found = evaporated_fractions(soil, ends, prior=sharp)
    wanted = source_fractions(corrected_mixtures(soil, shift=shift, slope=3.4), ends)
    names = NAMES[:count]
    for form in ("{}", "{}_raw", "{}_sd"):
        np.testing.assert_allclose(
            found[columns(form, names)], wanted[columns(form, names)], atol=1e-6
        )
    np.testing.assert_allclose(found["evaporation"], shift, atol=1e-6)


@given(st.integers(0, 10_000), st.floats(0, 0.6))
@settings(max_examples=10)
def test_two_sources_without_a_prior_agree_with_the_single_solution(
    seed, slope_sd
) -> None:
    soil = random_soil(seed, 5)
    prior = EvaporationPrior(3.4, slope_sd)
    found = evaporated_fractions(soil, PAIR, prior=prior)
    for place in range(len(soil)):
        one = evaporation_sensitivity(
            soil.iloc[place], PAIR, slope=3.4, slope_sd=slope_sd
        )
        row = found.iloc[place]
        np.testing.assert_allclose(
            row[columns("{}_raw", NAMES[:2])].astype(float), one.solved, atol=1e-9
        )
        np.testing.assert_allclose(
            row[columns("{}_sd", NAMES[:2])].astype(float), one.solved_sd, atol=1e-9
        )
        assert row["evaporation_raw"] == pytest.approx(one.shift, abs=1e-9)
        assert row["evaporation_sd"] == pytest.approx(one.shift_sd, abs=1e-9)
        np.testing.assert_allclose(
            row[columns("{}_per_permil", NAMES[:2])].astype(float), one.derivative
        )


def cost(unknowns, point, means, weight, prior) -> float:
    """Posterior of fractions and E, the last unknown, up to a factor and a constant."""
    *shares, shift = unknowns
    direction = np.array([1.0, prior.slope])
    misfit = point - np.asarray(shares) @ means - shift * direction
    value = misfit @ weight @ misfit
    if prior.is_informative:
        value += ((shift - prior.shift) / prior.shift_sd) ** 2
    return float(value)


def brute_force(point, means, weight, prior) -> np.ndarray:
    """Best answer of SLSQP from several starts."""
    size = len(means)
    best, found = np.inf, None
    for start in (*np.eye(size), np.full(size, 1 / size)):
        for shift in (0.0, 1.0):
            result = optimize.minimize(
                cost,
                np.r_[start, shift],
                args=(point, means, weight, prior),
                bounds=[(0, 1)] * size + [(0, None)],
                constraints={"type": "eq", "fun": lambda u: u[:-1].sum() - 1},
                method="SLSQP",
                options={"ftol": 1e-14, "maxiter": 500},
            )
            if result.fun < best:
                best, found = result.fun, result.x
    return np.asarray(found)


@pytest.mark.parametrize(
    ("count", "prior"),
    [
        (2, UNKNOWN),
        (2, EvaporationPrior(3.4, shift=0.8, shift_sd=0.5)),
        (3, EvaporationPrior(3.4, shift=0.8, shift_sd=0.5)),
        (3, EvaporationPrior(3.4, shift=-0.3, shift_sd=0.6)),
    ],
)
def test_most_likely_answer_is_that_of_a_general_optimiser(count, prior) -> None:
    names = NAMES[:count]
    table = TABLE[["source", "d18O", "d2H"]].iloc[:count]
    ends, means = EndMembers.from_table(table), MEANS[:count]
    soil = random_soil(3, 12).assign(d18O_sd=0.4, d2H_sd=2.5, d18O_d2H_cov=0.6)
    weight = np.linalg.inv([[0.16, 0.6], [0.6, 6.25]])
    found = evaporated_fractions(soil, ends, prior=prior)
    edges = 0
    for place in range(len(soil)):
        point = soil[["d18O", "d2H"]].to_numpy()[place]
        ours = found[[*names, "evaporation"]].to_numpy(dtype=float)[place]
        theirs = brute_force(point, means, weight, prior)
        np.testing.assert_allclose(ours, theirs, atol=2e-4)
        # The exact answer is never beaten.
        args = (point, means, weight, prior)
        assert cost(ours, *args) <= cost(theirs, *args) + 1e-8
        assert ours.min() >= 0
        edges += bool(ours.min() == 0)
    assert edges >= 3


def test_the_answer_is_best_at_the_weights_that_it_settles_on() -> None:
    soil = random_soil(8, 10)
    prior = EvaporationPrior(3.4, 0.3, shift=0.8, shift_sd=0.5)
    found = evaporated_fractions(soil, PAIR, prior=prior)
    spread = PAIR.covariances(["d18O", "d2H"])
    for place in range(len(soil)):
        ours = found[[*NAMES[:2], "evaporation"]].to_numpy(dtype=float)[place]
        total = np.diag([0.01, 0.36]) + np.tensordot(ours[:2] ** 2, spread, axes=1)
        total[1, 1] += (ours[2] * 0.3) ** 2
        point = soil[["d18O", "d2H"]].to_numpy()[place]
        theirs = brute_force(point, MEANS[:2], np.linalg.inv(total), prior)
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("prior", [KNOWN, UNKNOWN])
def test_d_excess_holds_what_d2H_holds(count, prior) -> None:
    soil, ends = random_soil(5), ENDS.keep(NAMES[:count])
    first = evaporated_fractions(soil, ends, prior=prior)
    second = evaporated_fractions(soil, ends, prior=prior, tracers=("d18O", "d_excess"))
    numbers = first.select_dtypes("number").columns
    np.testing.assert_allclose(first[numbers], second[numbers], atol=1e-9)
    assert first["reason"].tolist() == second["reason"].tolist()


@pytest.mark.parametrize("prior", [KNOWN, UNKNOWN])
def test_change_per_permil_is_the_difference_quotient(prior) -> None:
    soil = random_soil(6)
    found = evaporated_fractions(soil, ENDS, prior=prior)
    raw = columns("{}_raw")
    less = source_fractions(corrected_mixtures(soil, shift=0.3, slope=3.4), ENDS)[raw]
    as_is = source_fractions(soil, ENDS)[raw]
    np.testing.assert_allclose(
        found[columns("{}_per_permil")], (less - as_is) / 0.3, atol=1e-9
    )


@pytest.mark.slow
def test_range_is_that_of_a_scan_over_evaporation() -> None:
    soil = random_soil(7, 25)
    found = evaporated_fractions(soil, ENDS, prior=UNKNOWN)
    shifts = np.linspace(0, 12, 2401)
    for place in range(len(soil)):
        water = pd.concat([soil.iloc[[place]]] * len(shifts))
        raw = source_fractions(
            corrected_mixtures(water, shift=shifts, slope=3.4), ENDS
        )[columns("{}_raw")].to_numpy()
        inside = raw[(raw >= 0).all(axis=1)]
        row = found.iloc[place]
        if not len(inside):
            assert row["evaporation_upper"] - row["evaporation_lower"] < 0.005 or (
                row["reason"].endswith("gives fractions within 0 and 1")
            )
            continue
        np.testing.assert_allclose(
            row[columns("{}_lower")].astype(float), inside.min(axis=0), atol=0.004
        )
        np.testing.assert_allclose(
            row[columns("{}_upper")].astype(float), inside.max(axis=0), atol=0.004
        )


@pytest.mark.slow
def test_first_order_errors_agree_with_draws_of_all_that_is_uncertain() -> None:
    rng = np.random.default_rng(4)
    n = 4000
    table = TABLE.iloc[:2].assign(
        d18O_sd=[0.03, 0.04], d2H_sd=[0.25, 0.3], d18O_d2H_cov=[0.004, 0.006]
    )
    prior = EvaporationPrior(3.4, 0.05, shift=1.0, shift_sd=0.1)
    soil = mixed([0.7, 0.3], MEANS[:2], 1.0, 3.4)
    ends = EndMembers.from_table(table)
    answer = evaporated_fractions(soil, ends, prior=prior).iloc[0]
    spread = ends.covariances(["d18O", "d2H"])
    weight_total = np.diag([0.01, 0.36])
    weight_total = weight_total + 0.49 * spread[0] + 0.09 * spread[1]
    weight_total[1, 1] += 0.05**2
    root = np.linalg.cholesky(np.linalg.inv(weight_total)).T
    draws = []
    for _ in range(n):
        first = rng.multivariate_normal(MEANS[0], spread[0])
        second = rng.multivariate_normal(MEANS[1], spread[1])
        slope, shift = rng.normal(3.4, 0.05), rng.normal(1.0, 0.1)
        point = soil[["d18O", "d2H"]].to_numpy()[0] + rng.normal(0, [0.1, 0.6])
        matrix = np.column_stack([first - second, [1.0, slope]])
        matrix = np.vstack([root @ matrix, [0.0, 10.0]])
        target = np.r_[root @ (point - second), 10.0 * shift]
        draws.append(np.linalg.lstsq(matrix, target, rcond=None)[0])
    share_sd, shift_sd = np.std(draws, axis=0)
    assert answer["precipitation_sd"] == pytest.approx(share_sd, rel=0.05)
    assert answer["evaporation_sd"] == pytest.approx(shift_sd, rel=0.05)


def test_a_wider_prior_makes_wider_errors_up_to_no_answer() -> None:
    soil = mixed([0.5, 0.3, 0.2], MEANS, 1.1, 3.4)
    widths = []
    for sd in (0.01, 0.3, 1.0, 3.0, 300.0):
        prior = replace(KNOWN, shift_sd=sd)
        row = evaporated_fractions(soil, ENDS, prior=prior).iloc[0]
        widths.append(row["ground_ice_sd"])
    assert widths == sorted(widths)
    change = abs(row["ground_ice_per_permil"])
    assert widths[-1] == pytest.approx(300 * change, rel=1e-3)
    wide = replace(KNOWN, shift_sd=1e12)
    row = evaporated_fractions(soil, ENDS, prior=wide).iloc[0]
    assert np.isnan(row["ground_ice"])
    assert row["reason"].startswith("not identifiable: the prior of E is too wide")


def test_misfit_of_two_sources_and_a_prior_has_one_degree_of_freedom() -> None:
    rng = np.random.default_rng(12)
    n = 4000
    table = TABLE[["source", "d18O", "d2H"]].iloc[:2]
    shift = rng.normal(2.0, 0.3, n)
    soil = mixed(np.tile([0.5, 0.5], (n, 1)), MEANS[:2], shift, 3.4)
    soil[["d18O", "d2H"]] += rng.normal(0, [0.1, 0.6], (n, 2))
    prior = EvaporationPrior(3.4, shift=2.0, shift_sd=0.3)
    answer = evaporated_fractions(soil, EndMembers.from_table(table), prior=prior)
    assert stats.kstest(answer["p_value"], "uniform").pvalue > 0.01
    assert 0.002 < (answer["reason"] == "misfit").mean() < 0.02


def test_mixture_beyond_its_sources_is_told_and_held_within() -> None:
    soil = mixed([[0.5, 0.5], [1.3, -0.3]], MEANS[:2], [-0.8, 1.0], 3.4)
    answer = evaporated_fractions(soil, PAIR, prior=UNKNOWN)
    assert answer["reason"].tolist() == [
        "evaporation below 0 fits best",
        "outside mixing space",
    ]
    assert answer["evaporation"].iloc[0] == 0
    assert answer["evaporation_raw"].iloc[0] == pytest.approx(-0.8)
    assert answer["precipitation"].iloc[1] == 1.0
    assert answer["precipitation_raw"].iloc[1] == pytest.approx(1.3)
    free = evaporated_fractions(soil, PAIR, prior=UNKNOWN, constraint="none")
    assert free["precipitation"].iloc[1] == pytest.approx(1.3)
    assert free["evaporation"].iloc[0] == pytest.approx(-0.8)


def test_each_month_has_its_own_prior_and_end_members() -> None:
    table = pd.concat(
        [TABLE.assign(period="June"), TABLE.iloc[:2].assign(period="August")]
    )
    ends = EndMembers.from_table(table)
    soil = pd.concat(
        [
            mixed([0.6, 0.3, 0.1], MEANS, 0.5, 3.0).assign(period="June"),
            mixed([0.8, 0.2], MEANS[:2], 1.7, 3.9).assign(period="August"),
            mixed([0.8, 0.2], MEANS[:2], 1.7, 3.9).assign(period="September"),
        ]
    ).set_index(pd.Index(["a", "b", "c"]))
    priors = {
        "June": EvaporationPrior(3.0, shift=0.5, shift_sd=0.2),
        "August": EvaporationPrior(3.9),
    }
    answer = evaporated_fractions(soil, ends, prior=priors)
    assert answer.index.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(answer.loc["a", NAMES].astype(float), [0.6, 0.3, 0.1])
    np.testing.assert_allclose(
        answer.loc["b", NAMES].astype(float), [0.8, 0.2, 0.0], atol=1e-9
    )
    assert answer.loc["b", "evaporation"] == pytest.approx(1.7)
    assert answer.loc["b", "words"].startswith("2 sources and E against 2 tracers")
    assert answer.loc["c", "reason"] == "No end members for period September."
    alone = {"August": priors["August"]}
    answer = evaporated_fractions(soil, ends, prior=alone)
    assert answer.loc["a", "reason"] == "no prior of evaporation for this label"
    assert answer.loc["a"].drop(["words", "reason", "identifiable"]).isna().all()


def test_a_source_ruled_out_makes_the_rest_identifiable() -> None:
    soil = mixed([0.8, 0.2, 0.0], MEANS, 1.2, 3.4)
    soil = pd.concat([soil, soil], ignore_index=True)
    soil["snowmelt_allowed"] = [True, False]
    answer = evaporated_fractions(soil, ENDS, prior=UNKNOWN)
    assert answer["identifiable"].tolist() == [False, True]
    np.testing.assert_allclose(
        answer.loc[1, NAMES].astype(float), [0.8, 0.2, 0.0], atol=1e-9
    )
    assert answer.loc[1, "snowmelt_upper"] == 0
    assert answer.loc[1, "snowmelt_sd"] == 0


def test_rows_without_a_tracer_stay_with_their_reason() -> None:
    soil = mixed([[0.5, 0.3, 0.2]] * 2, MEANS, 1.0, 3.4)
    soil.loc[0, "d2H"] = np.nan
    answer = evaporated_fractions(soil, ENDS, prior=KNOWN)
    assert answer["reason"].tolist() == ["missing tracer", ""]
    assert answer.loc[0, "ground_ice_upper"] != answer.loc[0, "ground_ice_upper"]


def test_a_third_tracer_makes_three_sources_identifiable() -> None:
    table = TABLE.drop(columns="d18O_d2H_cov").assign(Cl=[1.0, 6.0, 2.0], Cl_sd=0.3)
    ends = EndMembers.from_table(table)
    soil = mixed([0.5, 0.3, 0.2], MEANS, 1.4, 3.4).assign(Cl=2.7)
    tracers = ("d18O", "d2H", "Cl")
    prior = EvaporationPrior(3.4, gains={"Cl": 0.0})
    answer = evaporated_fractions(soil, ends, prior=prior, tracers=tracers).iloc[0]
    assert answer["identifiable"]
    np.testing.assert_allclose(answer[NAMES].astype(float), [0.5, 0.3, 0.2])
    assert answer["evaporation"] == pytest.approx(1.4)
    with pytest.raises(InputError, match="how evaporation changes Cl"):
        evaporated_fractions(soil, ends, prior=UNKNOWN, tracers=tracers)


def test_sources_along_the_slope_of_evaporation_are_not_identifiable() -> None:
    table = pd.DataFrame(
        {"source": ["a", "b"], "d18O": [-10.0, -14.0], "d2H": [-70.0, -84.0]}
    )
    ends = EndMembers.from_table(table.assign(d18O_sd=0.3, d2H_sd=2.0))
    soil = pd.DataFrame({"d18O": [-11.0], "d2H": [-73.5]})
    answer = evaporated_fractions(soil, ends, prior=EvaporationPrior(3.5)).iloc[0]
    assert "differ along the slope" in answer["reason"]
    assert answer["reason"].startswith("not identifiable")
    assert np.isnan(answer["a"])
    known = EvaporationPrior(3.5, shift=1.0, shift_sd=0.1)
    answer = evaporated_fractions(soil, ends, prior=known).iloc[0]
    assert answer["a"] == pytest.approx(0.5)


def test_without_any_spread_only_what_needs_no_weights_is_answered() -> None:
    ends = EndMembers.from_table(TABLE[["source", "d18O", "d2H"]].iloc[:2])
    soil = mixed([0.8, 0.2], MEANS[:2], 1.2, 3.4)[["d18O", "d2H"]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer = evaporated_fractions(soil, ends, prior=UNKNOWN).iloc[0]
        with pytest.raises(MixingError, match="nothing to be weighed against"):
            evaporated_fractions(soil, ends, prior=KNOWN)
    assert answer["precipitation"] == pytest.approx(0.8)
    assert answer[["precipitation_sd", "evaporation_sd", "chi2"]].isna().all()


def test_bad_requests_are_refused() -> None:
    soil = mixed([0.5, 0.5], MEANS[:2], 1.0, 3.4)
    with pytest.raises(InputError, match="Unknown constraint"):
        evaporated_fractions(soil, PAIR, prior=KNOWN, constraint="box")
    with pytest.raises(InputError, match="missing column period"):
        evaporated_fractions(soil, PAIR, prior={"June": KNOWN})
    with pytest.raises(InputError, match="No prior of evaporation for any month"):
        evaporated_fractions(soil.assign(month=6), PAIR, prior={}, prior_by="month")


@pytest.mark.parametrize(
    ("counts", "informative", "identifiable", "words"),
    [
        ((3, 2), False, False, "3 sources and E against 2 tracers leave a ridge"),
        ((3, 2), True, True, "E is its prior's"),
        ((2, 2), False, True, "just determined"),
        ((2, 2), True, True, "and its prior: 1 left to check"),
        ((2, 3), False, True, "1 left to check"),
        ((2, 1), False, False, "2 sources and E against 1 tracer leave"),
    ],
)
def test_counts_say_what_can_be_known(counts, informative, identifiable, words) -> None:
    found = evaporation_identifiability(*counts, informative=informative)
    assert found.identifiable is identifiable
    assert words in found.words


def test_every_permutation_of_rows_gives_the_same_rows() -> None:
    soil = random_soil(9)
    order = np.random.default_rng(1).permutation(len(soil))
    whole = evaporated_fractions(soil, PAIR, prior=KNOWN)
    mixed_up = evaporated_fractions(soil.iloc[order], PAIR, prior=KNOWN)
    pd.testing.assert_frame_equal(whole.iloc[order], mixed_up)


def campaign(count: int, *, offset: float, n: int, seed: int) -> tuple[float, float]:
    """Coverage and mean width of the 90 % interval, E's prior wrong by ``offset``."""
    rng = np.random.default_rng(seed)
    ends = ENDS.keep(NAMES[:count])
    means, spread = MEANS[:count], ends.covariances(["d18O", "d2H"])
    prior = EvaporationPrior(3.4, 0.3, shift=2.0, shift_sd=0.4)
    shares = 0.15 + (1 - 0.15 * count) * rng.dirichlet(np.ones(count), n)
    shift = rng.normal(2.0, 0.4, n) + offset
    slope = rng.normal(3.4, 0.3, n)
    soil = pd.DataFrame({"d18O": shift, "d2H": slope * shift})
    soil += rng.normal(0, [0.1, 0.6], (n, 2))
    for place in range(count):
        drawn = rng.multivariate_normal(means[place], spread[place], n)
        soil += shares[:, [place]] * drawn
    answer = evaporated_fractions(
        soil.assign(d18O_sd=0.1, d2H_sd=0.6), ends, prior=prior
    )
    half = stats.norm.ppf(0.95) * answer[columns("{}_sd", NAMES[:count])].to_numpy()
    away = np.abs(answer[columns("{}_raw", NAMES[:count])].to_numpy() - shares)
    return float((away <= half).mean()), float(2 * half.mean())


@pytest.mark.slow
@pytest.mark.parametrize(("count", "lost"), [(2, 0.02), (3, 0.4)])
def test_ninety_percent_intervals_hold_the_truth_with_a_right_prior(
    count, lost
) -> None:
    coverage, width = campaign(count, offset=0.0, n=4000, seed=21)
    wrong, wrong_width = campaign(count, offset=1.5, n=4000, seed=21)
    print(
        f"\n{count} sources: coverage {coverage:.3f}, width {width:.2f}; prior wrong "
        f"by 1.5 permil: coverage {wrong:.3f}, width {wrong_width:.2f}"
    )
    assert 0.87 <= coverage <= 0.93
    # Two sources leave the tracers a say; of three the prior alone decides.
    assert wrong < coverage - lost
