"""Draws of fractions from the errors of mixtures and end members."""

# ruff: noqa: PD011 (values of draws, not of a table)

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_drawing import NO_SPREAD, SINGULAR, Drawing, mixing_rows
from geosoil.tracers.group_fractions import clustered_mean, fractions_of_means
from geosoil.tracers.groups import Group
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.mixing_solver import MixingTask, solve_mixtures
from geosoil.tracers.monte_carlo import monte_carlo_fractions

PAIR = ["d18O", "d2H"]
SOURCES = ["precipitation", "ground_ice", "snowmelt"]
TABLE = pd.DataFrame(
    {
        "source": SOURCES,
        "d18O": [-11.2, -14.9, -16.4],
        "d2H": [-80.1, -120.2, -118.4],
        "d18O_sd": [0.09, 0.07, 0.12],
        "d2H_sd": [0.7, 0.55, 0.95],
        "d18O_d2H_cov": [0.06, 0.035, 0.11],
        "n": [400, 300, 200],
    }
)
ENDS = EndMembers.from_table(TABLE)
FEW = Drawing(n_draws=500)


def soil(seed: int = 0, sites: int = 40, spread: float = 0.1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truth = {"N": [0.6, 0.25, 0.15], "S": [0.5, 0.2, 0.3]}
    rows = []
    for aspect, shares in truth.items():
        water = np.array(shares) @ ENDS.means(PAIR)
        for site in range(sites):
            own = water + rng.normal(0, [spread, 5 * spread])
            layers = own + rng.normal(0, spread, (3, 2))
            rows += [(aspect, f"{aspect}{site}", *layer) for layer in layers]
    return pd.DataFrame(rows, columns=["aspect", "site_id", *PAIR])


def seeded(number: int = 7) -> np.random.Generator:
    return np.random.default_rng(number)


def test_small_errors_agree_with_first_order_by_group() -> None:
    samples = soil()
    draws = monte_carlo_fractions(samples, ENDS, ["aspect"], rng=seeded())
    table = fractions_of_means(samples, ENDS, ["aspect"])
    assert draws.table["n_sites"].tolist() == [40, 40]
    assert draws.method == "monte_carlo"
    assert draws.reason == ("", "")
    for place, source in enumerate(SOURCES):
        values = draws.values[:, :, place]
        sd = table[f"{source}_sd"].to_numpy()
        np.testing.assert_allclose(
            values.mean(axis=0), table[f"{source}_raw"], atol=0.05 * sd.max()
        )
        # t with 39 degrees of freedom is wider than the normal by 2.7 %.
        np.testing.assert_allclose(values.std(axis=0), sd, rtol=0.05)


def test_small_errors_agree_with_first_order_by_mixture() -> None:
    samples = soil(sites=3, spread=0.01).assign(d18O_sd=0.05, d2H_sd=0.3)
    draws = monte_carlo_fractions(samples, ENDS, None, rng=seeded())
    table = source_fractions(samples, ENDS)
    assert draws.table["site_id"].tolist() == samples["site_id"].tolist()
    for place, source in enumerate(SOURCES):
        values = draws.values[:, :, place]
        sd = table[f"{source}_sd"].to_numpy()
        np.testing.assert_allclose(values.std(axis=0), sd, rtol=0.05)
        middle = np.median(values, axis=0) - table[source].to_numpy()
        assert np.abs(middle / sd).max() < 0.06


def test_draws_are_the_solver_applied_to_drawn_waters() -> None:
    samples = soil(spread=0.6)
    fixed = EndMembers.from_table(TABLE[["source", *PAIR]])
    values = samples.loc[samples["aspect"] == "N", PAIR].to_numpy()
    inside = samples[samples["aspect"] == "N"]
    mean = clustered_mean(values, inside["site_id"])
    wide = inside.assign(
        d18O=mean.mean[0] - 4.0 * (values[:, 0] - mean.mean[0]),
        d2H=mean.mean[1] + 4.0 * (values[:, 1] - mean.mean[1]),
    )
    draws = monte_carlo_fractions(wide, fixed, [], rng=seeded(), drawing=FEW)
    # Sources are exact here, so that each draw's water can be read off its raw
    # fractions, and its constrained ones must be those of the public solver.
    raw = monte_carlo_fractions(
        wide, fixed, [], rng=seeded(), drawing=Drawing(500, constraint="none")
    )
    waters = pd.DataFrame(raw.values[:, 0] @ fixed.means(PAIR), columns=PAIR)
    spread = clustered_mean(wide[PAIR].to_numpy(), wide["site_id"]).covariance
    solved = source_fractions(waters, fixed, covariance=spread)
    assert (raw.values[:, 0] < -0.01).any()
    np.testing.assert_allclose(draws.values[:, 0], solved[SOURCES], atol=1e-9)


def test_drawn_means_have_the_clustered_covariance_and_the_tails_of_t() -> None:
    samples = soil(sites=8, spread=0.3)
    inside = samples[samples["aspect"] == "N"]
    fixed = EndMembers.from_table(TABLE[["source", *PAIR]])
    raw = monte_carlo_fractions(
        inside, fixed, [], rng=seeded(), drawing=Drawing(60_000, constraint="none")
    )
    waters = raw.values[:, 0] @ fixed.means(PAIR)
    mean = clustered_mean(inside[PAIR].to_numpy(), inside["site_id"])
    df = mean.n_clusters - 1
    found = np.cov(waters, rowvar=False) * (df - 2) / df
    np.testing.assert_allclose(found, mean.covariance, rtol=0.06)
    away = waters - mean.mean
    squares = np.einsum("ij,jk,ik->i", away, np.linalg.inv(mean.covariance), away)
    # Hotelling's T2 / 2 of a bivariate t is F with 2 and df degrees of freedom.
    assert np.mean(squares / 2 > 4.7374) == pytest.approx(0.05, abs=0.004)


def test_groups_share_the_error_of_their_end_members() -> None:
    vague = EndMembers.from_table(TABLE.assign(n=3, d18O_sd=0.9, d2H_sd=5.0))
    samples = soil(spread=0.02)
    draws = monte_carlo_fractions(samples, vague, ["aspect"], rng=seeded())
    north, south = draws.values[:, 0, 0], draws.values[:, 1, 0]
    rank = pd.DataFrame({"N": north, "S": south}).corr(method="spearman")
    assert rank.loc["N", "S"] > 0.8
    both = pd.concat([vague.table.assign(aspect=aspect) for aspect in "NS"])
    apart = EndMembers.from_table(both, by=["aspect"])
    draws = monte_carlo_fractions(samples, apart, ["aspect"], rng=seeded())
    north, south = draws.values[:, 0, 0], draws.values[:, 1, 0]
    rank = pd.DataFrame({"N": north, "S": south}).corr(method="spearman")
    assert abs(rank.loc["N", "S"]) < 0.05


def test_a_source_given_for_any_stratum_is_drawn_once() -> None:
    rain = TABLE.iloc[[0]]
    table = pd.concat(
        [
            rain.assign(aspect="N", d18O_sd=0.0, d2H_sd=0.0, d18O_d2H_cov=0.0),
            rain.assign(aspect="S", d18O_sd=0.0, d2H_sd=0.0, d18O_d2H_cov=0.0),
            TABLE.iloc[[1]].assign(aspect=None, d18O_sd=2.0, d2H_sd=15.0, n=20),
        ]
    )
    ends = EndMembers.from_table(table, by=["aspect"])
    samples = soil(spread=0.001)
    draws = monte_carlo_fractions(samples, ends, ["aspect"], rng=seeded())
    ice = draws.values[:, :, draws.sources.index("ground_ice")]
    assert np.corrcoef(ice.T)[0, 1] > 0.9


def test_mixtures_alone_share_only_the_error_of_the_means() -> None:
    waters = soil(sites=1, spread=0.0).iloc[[0, 3]].assign(d18O_sd=0.001, d2H_sd=0.01)
    linked = {}
    for n in (2, 10, 10_000):
        ends = EndMembers.from_table(TABLE.assign(n=n))
        draws = monte_carlo_fractions(waters, ends, None, rng=seeded())
        ranks = pd.DataFrame(draws.values[:, :, 0]).corr(method="spearman")
        linked[n] = ranks.loc[0, 1]
    assert linked[2] > linked[10] + 0.2
    assert linked[10] > 0.03
    assert abs(linked[10_000]) < 0.04


@settings(max_examples=12)
@given(st.integers(0, 10_000))
def test_draws_lie_in_the_simplex_and_a_seed_gives_them_again(seed) -> None:
    samples = soil(seed, sites=4, spread=1.5)
    ends = EndMembers.from_table(TABLE.assign(d18O_sd=1.0, d2H_sd=8.0, n=5))
    first, again = (
        monte_carlo_fractions(
            samples, ends, ["aspect"], rng=seeded(seed), drawing=Drawing(100)
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(first.values, again.values)
    assert (first.values >= 0).all()
    np.testing.assert_allclose(first.values.sum(axis=2), 1.0, atol=1e-12)


def test_the_answer_does_not_hang_on_the_size_of_chunks(monkeypatch) -> None:
    samples = soil()
    whole = monte_carlo_fractions(samples, ENDS, ["aspect"], rng=seeded(), drawing=FEW)
    monkeypatch.setattr("geosoil.tracers._kernels_mixing.CHUNK", 37)
    parts = monte_carlo_fractions(samples, ENDS, ["aspect"], rng=seeded(), drawing=FEW)
    np.testing.assert_array_equal(whole.values, parts.values)


def test_both_pairs_of_tracers_give_the_same_draws_in_distribution() -> None:
    samples = soil(spread=0.8)
    other = monte_carlo_fractions(
        samples, ENDS, ["aspect"], tracers=("d18O", "d_excess"), rng=seeded(3)
    )
    plain = monte_carlo_fractions(samples, ENDS, ["aspect"], rng=seeded(4))
    quantiles = [0.05, 0.5, 0.95]
    np.testing.assert_allclose(
        np.quantile(other.values, quantiles, axis=0),
        np.quantile(plain.values, quantiles, axis=0),
        atol=0.02,
    )


def test_concentrations_enter_every_draw() -> None:
    table = pd.DataFrame({"source": ["a", "b"], "Sr": [0.0, 1.0], "Sr_sd": 0.001})
    ends = EndMembers.from_table(table.assign(Sr_concentration=[1.0, 3.0]))
    water = pd.DataFrame({"Sr": [0.5], "Sr_sd": [0.001]})
    draws = monte_carlo_fractions(
        water, ends, None, tracers=["Sr"], rng=seeded(), drawing=FEW
    )
    solved = source_fractions(water, ends, tracers=["Sr"])
    values = draws.values[:, 0, 0]
    assert np.median(values) == pytest.approx(0.75, abs=5e-4)
    assert values.std() == pytest.approx(solved["a_sd"][0], rel=0.1)


def test_rows_that_cannot_be_drawn_stay_with_their_reason() -> None:
    samples = soil()
    samples.loc[samples["aspect"] == "N", "site_id"] = "one"
    draws = monte_carlo_fractions(samples, ENDS, ["aspect"], rng=seeded(), drawing=FEW)
    assert draws.reason == ("one site: no standard error", "")
    assert np.isnan(draws.values[:, 0]).all()
    assert np.isfinite(draws.values[:, 1]).all()
    june = EndMembers.from_table(TABLE.assign(period="June"))
    samples["period"] = np.where(samples["aspect"] == "N", "June", "August")
    draws = monte_carlo_fractions(samples, june, ["period"], rng=seeded(), drawing=FEW)
    assert draws.reason == (
        "one site: no standard error",
        "No end members for period August.",
    )
    mixed = monte_carlo_fractions(samples, june, [], rng=seeded(), drawing=FEW)
    assert mixed.reason == ("group spans several period",)
    assert np.isnan(mixed.values).all()


def test_without_spread_there_is_nothing_to_draw() -> None:
    bare = EndMembers.from_table(TABLE[["source", *PAIR]])
    with pytest.warns(GeosoilWarning, match="No spread is given"):
        draws = monte_carlo_fractions(soil(), bare, None, rng=seeded(), drawing=FEW)
    assert all(NO_SPREAD in reason for reason in draws.reason)
    assert np.isnan(draws.values).all()


def test_two_sites_and_exact_sources_leave_no_answer() -> None:
    bare = EndMembers.from_table(TABLE[["source", *PAIR]].iloc[:2])
    draws = monte_carlo_fractions(
        soil(sites=2), bare, ["aspect"], rng=seeded(), drawing=FEW
    )
    assert np.isnan(draws.values).all()
    assert all(draws.reason)


def test_a_covariance_of_one_direction_has_no_weights() -> None:
    bare = EndMembers.from_table(TABLE[["source", *PAIR]].iloc[:2])
    line = np.array([[[1.0, 2.0], [2.0, 4.0]]])
    water = bare.means(PAIR).mean(axis=0, keepdims=True)
    task = MixingTask(PAIR, water, np.eye(2)[None], np.ones((1, 2), bool), "gls")
    strata = [Group({}, np.array([0]))]
    answer = solve_mixtures(task, bare, strata)
    rows, reasons = mixing_rows(replace(task, covariances=line), bare, strata, answer)
    assert rows == []
    assert reasons == [SINGULAR]


def test_a_forbidden_source_is_zero_in_every_draw() -> None:
    samples = soil()
    samples["snowmelt_allowed"] = samples["aspect"] == "S"
    draws = monte_carlo_fractions(samples, ENDS, ["aspect"], rng=seeded(), drawing=FEW)
    assert (draws.values[:, 0, 2] == 0).all()
    assert (draws.values[:, 1, 2] > 0).all()


def test_shared_draws_hold_one_drawing_of_the_end_members_for_all_rows() -> None:
    samples = pd.concat([soil(sites=3)] * 2, ignore_index=True)
    plan = Drawing(n_draws=4000, constraint="none", error="shared")
    shared = monte_carlo_fractions(samples, ENDS, None, drawing=plan, rng=seeded())
    half = len(samples) // 2
    # Equal waters are unmixed with the same end members: equal in every draw.
    np.testing.assert_allclose(
        shared.values[:, :half], shared.values[:, half:], atol=1e-9
    )
    every = replace(plan, error="all")
    whole = monte_carlo_fractions(samples, ENDS, None, drawing=every, rng=seeded())
    assert (shared.values.std(axis=0) < 0.2 * whole.values.std(axis=0)).all()
    raw = source_fractions(samples, ENDS, tracers=PAIR)
    raw = raw[[f"{source}_raw" for source in SOURCES]].to_numpy()
    np.testing.assert_allclose(shared.values.mean(axis=0), raw, atol=0.005)
    # What is common does not average out over the rows.
    mean = shared.values.mean(axis=1).std(axis=0)
    np.testing.assert_allclose(mean, shared.values.std(axis=0)[0], rtol=0.3)


def test_bad_requests_are_refused() -> None:
    with pytest.raises(InputError, match="Unknown error 'own'"):
        Drawing(error="own")
    with pytest.raises(InputError, match=r"99 draws asked for.*Unknown constraint 'x'"):
        Drawing(99, constraint="x")
    with pytest.raises(InputError, match="missing column profile"):
        monte_carlo_fractions(
            soil(), ENDS, [], drawing=Drawing(cluster="profile"), rng=seeded()
        )
    with pytest.raises(MixingError, match="need 2 tracers"):
        monte_carlo_fractions(soil(), ENDS, [], tracers=["d18O"], rng=seeded())
