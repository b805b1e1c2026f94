"""Mixing of sources with unlike concentrations against general solvers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import optimize

from geosoil.errors import GeosoilWarning, MixingError
from geosoil.tracers.concentration import tracer_concentrations
from geosoil.tracers.concentration_solver import Blend, mix_by_concentration
from geosoil.tracers.correction import evaporation_sensitivity
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_mixing import evaporated_fractions
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.group_fractions import fractions_of_means
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.mixing_region import mixing_region

SEEDS = st.integers(0, 100_000)


class Curved(Blend):
    """Sources that go the way of unlike concentrations even where these are equal."""

    plain = False


def mixed(fractions, sources, concentration) -> np.ndarray:
    """Tracers of mixtures, shape (n, J)."""
    carried = fractions[:, :, None] * concentration
    return (carried * sources).sum(axis=1) / carried.sum(axis=1)


def ends_of(sources, concentration, sd=None) -> EndMembers:
    table = pd.DataFrame({"source": [f"s{k}" for k in range(len(sources))]})
    for place in range(sources.shape[1]):
        table[f"t{place}"] = sources[:, place]
        table[f"t{place}_concentration"] = concentration[:, place]
        if sd is not None:
            table[f"t{place}_sd"] = sd[:, place]
    return EndMembers.from_table(table)


def table_of(values) -> pd.DataFrame:
    return pd.DataFrame(values, columns=[f"t{j}" for j in range(values.shape[1])])


def planted(rng, size, n_tracers, spread=0.8):
    sources = rng.normal(0, 3, (size, n_tracers))
    concentration = np.exp(rng.normal(0, spread, (size, n_tracers)))
    return sources, concentration


def slsqp(mixture, weights, sources, concentration, starts, bounds=(0, 1)):
    """Lowest misfit of several starts and its fractions."""

    def misfit(f):
        away = mixture - mixed(f[None], sources, concentration)[0]
        return away @ weights @ away

    found = [
        optimize.minimize(
            misfit,
            start,
            bounds=[bounds] * len(sources),
            constraints={"type": "eq", "fun": lambda f: f.sum() - 1},
            method="SLSQP",
            options={"ftol": 1e-15, "maxiter": 500},
        )
        for start in starts
    ]
    best = min(found, key=lambda one: one.fun)
    return best.fun, best.x


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_two_sources_follow_the_closed_form(seed) -> None:
    rng = np.random.default_rng(seed)
    s1, s2 = rng.normal(-12, 1), rng.normal(-18, 1)
    q1, q2 = np.exp(rng.normal(0, 1, 2))
    m = rng.uniform(s2, s1, 10)
    expected = q2 * (m - s2) / (q2 * (m - s2) + q1 * (s1 - m))
    ends = ends_of(np.array([[s1], [s2]]), np.array([[q1], [q2]]))
    answer = source_fractions(
        table_of(m[:, None]), ends, tracers=["t0"], covariance=[[1]]
    )
    np.testing.assert_allclose(answer["s0"], expected, atol=1e-10)
    np.testing.assert_allclose(answer["s0_raw"], expected, atol=1e-10)


def test_a_source_three_times_as_concentrated_needs_a_third_of_the_water() -> None:
    ends = ends_of(np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]]))
    answer = source_fractions(
        table_of(np.array([[0.5], [0.0], [1.0], [0.9]])),
        ends,
        tracers=["t0"],
        covariance=[[0.01]],
    )
    # At 0.9: (1 - f) 3 / (f + 3 (1 - f)) = 0.9 gives f = 0.25.
    np.testing.assert_allclose(answer["s0"], [0.75, 1.0, 0.0, 0.25], atol=1e-12)
    # dm/df = -3 / (f + 3 (1 - f))^2 = -3 / 1.5^2 at 0.75.
    assert answer["s0_sd"][0] == pytest.approx(0.1 * 1.5**2 / 3)


@settings(max_examples=20, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(0, 1))
def test_planted_fractions_are_recovered(seed, size, more) -> None:
    rng = np.random.default_rng(seed)
    sources, concentration = planted(rng, size, size - 1 + more)
    assume(np.linalg.cond(np.c_[sources, np.ones(size)]) < 30)
    truth = rng.dirichlet(np.ones(size), 8)
    truth[0] = np.eye(size)[0]
    water = table_of(mixed(truth, sources, concentration))
    ends = ends_of(sources, concentration, np.full(sources.shape, 0.3))
    answer = source_fractions(water, ends, tracers=list(water))
    np.testing.assert_allclose(answer[list(ends.sources)], truth, atol=1e-6)
    np.testing.assert_allclose(answer["distance"], 0.0, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 4))
def test_raw_fractions_agree_with_fsolve(seed, size) -> None:
    rng = np.random.default_rng(seed)
    sources, concentration = planted(rng, size, size - 1, spread=0.4)
    assume(np.linalg.cond(np.c_[sources, np.ones(size)]) < 20)
    truth = rng.dirichlet(np.ones(size)) * 1.2 - 0.2 / size
    assume(((truth[:, None] * concentration).sum(axis=0) > 0.2).all())
    mixture = mixed(truth[None], sources, concentration)[0]

    def equations(f):
        return np.r_[mixed(f[None], sources, concentration)[0] - mixture, f.sum() - 1]

    expected, _, fine, _ = optimize.fsolve(
        equations, truth + 0.01, full_output=True, xtol=1e-13
    )
    assume(fine == 1)
    blend = Blend(sources, np.zeros((size, size - 1, size - 1)), concentration)
    own = np.eye(size - 1)[None]
    found = mix_by_concentration(mixture[None], own, blend, weighted=True)
    np.testing.assert_allclose(found.raw[0], expected, atol=1e-7)


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(2, 4), st.integers(0, 2))
@example(304, 4, 0)  # The lowest of two minima is a corner.
@example(1104, 4, 0)  # Straight steps overshoot far.
@example(1132, 4, 1)  # The bent problem has no minimum within.
def test_constrained_fractions_agree_with_slsqp(seed, size, more) -> None:
    rng = np.random.default_rng(seed)
    n_tracers = size - 1 + more
    sources, concentration = planted(rng, size, n_tracers)
    assume(np.linalg.cond(np.c_[sources, np.ones(size)]) < 30)
    half = rng.normal(0, 1, (n_tracers, n_tracers))
    own = half @ half.T + 0.3 * np.eye(n_tracers)
    mixtures = rng.normal(0, 3, (3, n_tracers))
    blend = Blend(sources, np.zeros((size, n_tracers, n_tracers)), concentration)
    found = mix_by_concentration(mixtures, own[None], blend, weighted=True)
    starts = [*(0.9 * np.eye(size) + 0.1 / size), *rng.dirichlet(np.ones(size), 4)]
    for place, mixture in enumerate(mixtures):
        misfit, other = slsqp(
            mixture, np.linalg.inv(own), sources, concentration, starts
        )
        assert found.distance2[place] <= misfit * (1 + 1e-6) + 1e-8
        if found.distance2[place] >= misfit * (1 - 1e-6):
            np.testing.assert_allclose(found.fractions[place], other, atol=3e-3)
    np.testing.assert_allclose(found.fractions.sum(axis=1), 1.0, atol=1e-12)
    assert (found.fractions >= 0).all()


def test_reweighted_fractions_agree_with_slsqp_in_rounds() -> None:
    rng = np.random.default_rng(11)
    sources = np.array([[-10.0, 5.0, 1.0], [-15.0, -1.0, 4.0], [-18.0, 9.0, 2.0]])
    concentration = np.array([[1.0, 2.0, 1.0], [1.5, 0.5, 3.0], [1.0, 1.0, 0.4]])
    spread = np.array([np.diag(row) for row in rng.uniform(0.3, 1.5, (3, 3))])
    own = np.diag([0.1, 0.2, 0.1])
    mixtures = mixed(rng.dirichlet(np.ones(3), 5), sources, concentration)
    mixtures += rng.normal(0, 0.5, mixtures.shape)
    blend = Blend(sources, spread, concentration)
    found = mix_by_concentration(mixtures, own[None], blend, weighted=True)
    for place, mixture in enumerate(mixtures):
        fraction = np.full(3, 1 / 3)
        for _ in range(8):
            carried = fraction[:, None] * concentration
            share = carried / carried.sum(axis=0)
            total = own + np.einsum("kij,ki,kj->ij", spread, share, share)
            misfit, fraction = slsqp(
                mixture, np.linalg.inv(total), sources, concentration, [fraction]
            )
        np.testing.assert_allclose(found.fractions[place], fraction, atol=2e-3)
        assert found.distance2[place] == pytest.approx(misfit, rel=1e-2)


@settings(max_examples=15, deadline=None)
@given(SEEDS, st.integers(2, 5), st.integers(0, 2), st.floats(0.01, 100))
def test_equal_concentrations_are_plain_mixing(seed, size, more, unit) -> None:
    rng = np.random.default_rng(seed)
    n_tracers = size - 1 + more
    sources = rng.normal(0, 3, (size, n_tracers))
    assume(np.linalg.cond(np.c_[sources, np.ones(size)]) < 20)
    spread = np.array([np.diag(row) for row in rng.uniform(0.2, 1, sources.shape)])
    own = 0.1 * np.eye(n_tracers)[None]
    mixtures = rng.normal(0, 3, (10, n_tracers))
    amount = np.full(sources.shape, unit)
    plain = mix_by_concentration(
        mixtures, own, Blend(sources, spread, amount), weighted=True
    )
    curved = mix_by_concentration(
        mixtures, own, Curved(sources, spread, amount), weighted=True
    )
    for first, second in zip(plain, curved, strict=True):
        np.testing.assert_allclose(second, first, rtol=1e-6, atol=1e-8)
    ends = ends_of(sources, amount, np.sqrt(np.einsum("kjj->kj", spread)))
    bare = ends.table[[name for name in ends.table if "concentration" not in name]]
    tracers = [f"t{j}" for j in range(n_tracers)]
    one, two = (
        source_fractions(table_of(mixtures), one, tracers=tracers, covariance=own[0])
        for one in (ends, EndMembers.from_table(bare))
    )
    pd.testing.assert_frame_equal(one, two)


def test_units_of_concentrations_are_irrelevant() -> None:
    rng = np.random.default_rng(12)
    sources, concentration = planted(rng, 3, 3)
    sd = np.full((3, 3), 0.5)
    water = table_of(rng.normal(0, 2, (20, 3)))
    first = source_fractions(
        water, ends_of(sources, concentration, sd), tracers=list(water)
    )
    other = ends_of(sources, concentration * [1e3, 1.0, 1e-3], sd)
    second = source_fractions(water, other, tracers=list(water))
    pd.testing.assert_frame_equal(second, first, rtol=1e-5, atol=1e-6)


def test_gain_is_the_derivative_and_sd_that_of_monte_carlo() -> None:
    rng = np.random.default_rng(13)
    sources = np.array([[-10.0, 5.0], [-15.0, -1.0], [-18.0, 9.0]])
    concentration = np.array([[1.0, 2.0], [3.0, 0.5], [1.0, 1.0]])
    truth = np.array([[0.5, 0.3, 0.2]])
    mixture = mixed(truth, sources, concentration)
    spread = np.array([np.diag(row**2) for row in rng.uniform(0.01, 0.05, (3, 2))])
    own = np.array([[[4e-4, 2e-4], [2e-4, 9e-4]]])
    blend = Blend(sources, spread, concentration)
    found = mix_by_concentration(mixture, own, blend, weighted=True)
    step = 1e-5
    for tracer in range(2):
        moved = mixture + step * np.eye(2)[tracer]
        other = mix_by_concentration(moved, own, blend, weighted=True).raw
        np.testing.assert_allclose(
            found.gain[0, :, tracer], (other - found.raw)[0] / step, rtol=1e-4
        )
    drawn = []
    for _ in range(4000):
        now = np.array(
            [
                rng.multivariate_normal(mean, one)
                for mean, one in zip(sources, spread, strict=True)
            ]
        )
        water = rng.multivariate_normal(mixture[0], own[0])
        system = np.vstack([(concentration * (now - water)).T, np.ones(3)])
        drawn.append(np.linalg.solve(system, [0.0, 0.0, 1.0]))
    sd = np.sqrt(found.variance[0])
    np.testing.assert_allclose(sd, np.std(drawn, axis=0), rtol=0.05)


def isotopes(**columns) -> EndMembers:
    table = {
        "source": ["rain", "ice", "snow"],
        "d18O": [-11.2, -14.9, -16.4],
        "d2H": [-80.1, -120.2, -118.4],
        "d18O_sd": [0.9, 0.7, 1.2],
        "d2H_sd": [7.0, 5.5, 9.5],
    }
    return EndMembers.from_table(pd.DataFrame({**table, **columns}))


def test_d_excess_has_the_concentration_of_its_parts() -> None:
    amount = [1.0, 2.0, 0.5]
    ends = isotopes(d18O_concentration=amount, d2H_concentration=np.multiply(amount, 7))
    found = tracer_concentrations(ends, ["d18O", "d_excess"])
    np.testing.assert_allclose(found[:, 1] / found[:, 0], np.ptp(found[:, 1]) / 1.5)
    water = pd.DataFrame({"d18O": [-13.0, -20.0], "d2H": [-98.0, -120.0]})
    first = source_fractions(water, ends)
    second = source_fractions(water, ends, tracers=("d18O", "d_excess"))
    names = [*ends.sources, "rain_raw", "rain_sd", "distance"]
    np.testing.assert_allclose(second[names], first[names], atol=1e-6)
    unlike = isotopes(d18O_concentration=amount)
    with pytest.raises(MixingError, match="d_excess is made of d2H and d18O, whose"):
        source_fractions(water, unlike, tracers=("d18O", "d_excess"))


def test_faults_of_concentrations_are_told_together() -> None:
    ends = isotopes(
        period="June",
        d18O_concentration=[1.0, np.nan, 0.0],
        d2H_concentration=[1.0, 1.0, -2.0],
        d180_concentration=1.0,
    )
    water = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0], "period": ["June"]})
    with pytest.raises(MixingError) as caught:
        source_fractions(water, ends)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert "'d180_concentration' belongs to no tracer" in lines[0]
    assert "ice (period June): nan; snow (period June): 0.0" in lines[1]
    assert "'d2H_concentration' must be a number above 0" in lines[2]


def test_concentrations_of_tracers_that_are_not_used_are_left_alone() -> None:
    water = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0]})
    first = source_fractions(water, isotopes())
    ends = isotopes(Cl=[1.0, 2.0, 3.0], Cl_concentration=[1.0, 5.0, 9.0])
    pd.testing.assert_frame_equal(source_fractions(water, ends), first)


def test_spread_of_concentrations_is_told_to_be_left_out() -> None:
    amount = [1.0, 2.0, 0.5]
    ends = isotopes(
        d18O_concentration=amount,
        d2H_concentration=amount,
        d18O_concentration_sd=0.1,
    )
    water = pd.DataFrame({"d18O": [-13.0], "d2H": [-98.0]})
    with pytest.warns(GeosoilWarning, match="d18O_concentration_sd is not used"):
        source_fractions(water, ends)


def test_means_of_groups_heed_concentrations() -> None:
    rng = np.random.default_rng(14)
    ends = ends_of(
        np.array([[0.0], [1.0]]), np.array([[1.0], [3.0]]), np.full((2, 1), 0.05)
    )
    water = table_of(rng.normal(0.5, 0.02, (12, 1))).assign(site_id=np.arange(12))
    water["t0"] += 0.5 - water["t0"].mean()
    answer = fractions_of_means(water, ends, [], tracers=["t0"])
    assert answer["s0"][0] == pytest.approx(0.75, abs=1e-10)


def test_missing_and_many_rows_are_solved_as_one_by_one() -> None:
    rng = np.random.default_rng(15)
    sources, concentration = planted(rng, 3, 2)
    ends = ends_of(sources, concentration, np.full((3, 2), 0.4))
    water = table_of(rng.normal(0, 2, (40, 2)))
    water.loc[5, "t1"] = np.nan
    whole = source_fractions(water, ends, tracers=["t0", "t1"])
    assert whole["reason"][5] == "missing tracer"
    parts = [
        source_fractions(water.iloc[[row]], ends, tracers=["t0", "t1"])
        for row in range(40)
    ]
    pd.testing.assert_frame_equal(pd.concat(parts), whole, atol=1e-8)
    assert whole.drop(index=5)[list(ends.sources)].notna().all(axis=None)


def test_methods_without_concentrations_say_so() -> None:
    ends = EndMembers.from_table(
        pd.DataFrame(
            {
                "source": ["rain", "ice"],
                "d18O": [-11.0, -16.0],
                "d2H": [-78.0, -125.0],
                "d18O_concentration": [1.0, 2.0],
            }
        )
    )
    soil = pd.DataFrame({"d18O": [-12.0], "d2H": [-90.0]})
    with pytest.raises(MixingError, match="takes no concentrations"):
        evaporated_fractions(soil, ends, prior=EvaporationPrior(3.5))
    with pytest.raises(MixingError, match="takes no concentrations"):
        evaporation_sensitivity(soil.iloc[0], ends, slope=3.5)
    with pytest.raises(MixingError, match="takes no concentrations"):
        mixing_region(soil, ends, rng=np.random.default_rng(1))
