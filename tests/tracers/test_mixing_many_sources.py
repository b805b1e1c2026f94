"""Constrained fractions of two to twelve sources against general solvers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from geosoil.errors import GeosoilWarning, MixingError
from geosoil.tracers import _kernels_mixing
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.mixing_space import check_mixing_space

SEEDS = st.integers(0, 100_000)


def ends_of(means, sd=None) -> EndMembers:
    size, n_tracers = means.shape
    table = pd.DataFrame(means, columns=[f"t{j}" for j in range(n_tracers)])
    if sd is not None:
        for place in range(n_tracers):
            table[f"t{place}_sd"] = sd[:, place]
    return EndMembers.from_table(table.assign(source=[f"s{k}" for k in range(size)]))


def random_covariance(rng, size) -> np.ndarray:
    half = rng.normal(0, 1, (size, size))
    return half @ half.T + 0.3 * np.eye(size)


def by_slsqp(mixture, means, weights) -> np.ndarray:
    """Fractions by sequential quadratic programming."""
    size = len(means)

    def misfit(fraction):
        away = mixture - fraction @ means
        return away @ weights @ away, -2 * means @ weights @ away

    found = optimize.minimize(
        misfit,
        np.full(size, 1.0 / size),
        jac=True,
        bounds=[(0, 1)] * size,
        constraints={
            "type": "eq",
            "fun": lambda f: f.sum() - 1,
            "jac": np.ones_like,
        },
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 500},
    )
    return found.x


def by_nnls(mixture, means, weights, closure=1e5) -> np.ndarray:
    """Fractions by non-negative least squares with a heavy row for the sum."""
    root = np.linalg.cholesky(weights).T
    matrix = np.vstack([root @ means.T, closure * np.ones(len(means))])
    return optimize.nnls(matrix, np.r_[root @ mixture, closure])[0]


@settings(max_examples=30, deadline=None)
@given(SEEDS, st.integers(2, 6), st.integers(0, 4))
def test_constrained_fractions_agree_with_slsqp_and_nnls(seed, size, more) -> None:
    rng = np.random.default_rng(seed)
    n_tracers = min(size - 1 + more, 5)
    means = rng.normal(0, 3, (size, n_tracers))
    ends, own = ends_of(means), random_covariance(rng, n_tracers)
    tracers = [f"t{j}" for j in range(n_tracers)]
    assume(np.linalg.cond(np.c_[means, np.ones(size)]) < 50)
    mixtures = rng.normal(0, 3, (4, n_tracers))
    answer = source_fractions(
        pd.DataFrame(mixtures, columns=tracers), ends, tracers=tracers, covariance=own
    )
    weights = np.linalg.inv(own)
    for place, mixture in enumerate(mixtures):
        found = answer[list(ends.sources)].to_numpy()[place]
        away = mixture - found @ means
        misfit = away @ weights @ away
        for other in (
            by_slsqp(mixture, means, weights),
            by_nnls(mixture, means, weights),
        ):
            np.testing.assert_allclose(found, other, atol=2e-5)
            away = mixture - other @ means
            # No solver finds a lower misfit; its sum may be 1e-9 off.
            assert misfit <= away @ weights @ away + 1e-7 * (1 + misfit)
        assert answer["distance"][place] ** 2 == pytest.approx(misfit, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(2, 8), st.integers(0, 2))
def test_active_set_finds_the_best_of_all_faces(seed, size, more) -> None:
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 2, (size, size - 1 + more))
    mixtures = rng.normal(0, 2, (size - 1 + more, 40))
    # A corner, and the middle of an edge.
    mixtures[:, 0], mixtures[:, 1] = means[0], 0.5 * (means[0] + means[-1])
    assume(np.linalg.cond(np.c_[means, np.ones(size)]) < 30)
    gram = _kernels_mixing.products(means[:, :, None] - mixtures)
    found = _kernels_mixing.active_set(gram)
    inside, _ = _kernels_mixing.face_fractions(gram, tuple(range(size)))
    faces = _kernels_mixing.best_face(gram, size + more)
    expected = np.where((inside >= 0).all(axis=0), inside, faces)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert (found >= 0).all()


def test_active_set_gives_nothing_for_a_mixture_that_is_nothing() -> None:
    gram = np.full((7, 7, 2), np.nan)
    gram[:, :, 1] = np.diag(np.arange(1.0, 8.0))
    found = _kernels_mixing.active_set(gram)
    assert np.isnan(found[:, 0]).all()
    inverse = 1.0 / np.arange(1.0, 8.0)
    np.testing.assert_allclose(found[:, 1], inverse / inverse.sum(), atol=1e-14)


@pytest.mark.parametrize("size", [7, 10, 12])
def test_many_sources_meet_the_conditions_of_a_minimum(size) -> None:
    rng = np.random.default_rng(size)
    means, n = rng.normal(0, 3, (size, size)), 400
    tracers = [f"t{j}" for j in range(size)]
    own = random_covariance(rng, size)
    mixtures = rng.normal(0, 2, (n, size))
    ends = ends_of(means)
    answer = source_fractions(
        pd.DataFrame(mixtures, columns=tracers), ends, tracers=tracers, covariance=own
    )
    found = answer[list(ends.sources)].to_numpy()
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    assert (found >= 0).all()
    slope = (found @ means - mixtures) @ np.linalg.inv(own) @ means.T
    slope -= (slope * found).sum(axis=1, keepdims=True)
    scale = 1.0 + np.abs(slope).max()
    assert np.abs(slope[found > 1e-9]).max() < 1e-9 * scale
    assert slope.min() > -1e-9 * scale
    assert (found == 0).mean() > 0.2
    for place in range(0, n, 100):
        other = by_nnls(mixtures[place], means, np.linalg.inv(own))
        np.testing.assert_allclose(found[place], other, atol=2e-6)


def test_nine_planted_sources_are_recovered_with_their_zeros() -> None:
    rng = np.random.default_rng(3)
    truth = rng.dirichlet(np.ones(9), 200)
    truth[rng.random(truth.shape) < 0.3] = 0.0
    truth /= truth.sum(axis=1, keepdims=True)
    means = rng.normal(0, 3, (9, 8))
    tracers = [f"t{j}" for j in range(8)]
    ends = ends_of(means, np.full((9, 8), 0.2))
    mixtures = pd.DataFrame(truth @ means, columns=tracers)
    answer = source_fractions(mixtures, ends, tracers=tracers)
    np.testing.assert_allclose(answer[list(ends.sources)], truth, atol=1e-9)


def test_order_of_many_sources_is_irrelevant() -> None:
    rng = np.random.default_rng(4)
    ends = ends_of(rng.normal(0, 3, (8, 7)), rng.uniform(0.3, 1.0, (8, 7)))
    tracers = [f"t{j}" for j in range(7)]
    mixtures = pd.DataFrame(rng.normal(0, 3, (50, 7)), columns=tracers)
    first = source_fractions(mixtures, ends, tracers=tracers)
    names = list(ends.sources)
    second = source_fractions(mixtures, ends.keep(names[::-1]), tracers=tracers)
    np.testing.assert_allclose(second[names], first[names], atol=1e-9)
    np.testing.assert_allclose(second["distance"], first["distance"], atol=1e-8)


def test_p_value_is_that_of_chi2_and_missing_where_nothing_is_left() -> None:
    rng = np.random.default_rng(5)
    means = rng.normal(0, 3, (3, 4))
    tracers = [f"t{j}" for j in range(4)]
    ends = ends_of(means, np.full((3, 4), 0.5))
    mixtures = pd.DataFrame(rng.normal(0, 1, (30, 4)), columns=tracers)
    mixtures.loc[3, "t0"] = np.nan
    mixtures["s2_allowed"] = np.arange(30) % 2 == 0
    answer = source_fractions(mixtures, ends, tracers=tracers)
    freedom = np.where(mixtures["s2_allowed"], 2, 3)
    expected = stats.chi2.sf(answer["chi2"], freedom)
    np.testing.assert_allclose(answer["p_value"], expected, rtol=1e-12)
    assert answer["p_value"].isna().tolist() == [row == 3 for row in range(30)]
    exact = source_fractions(mixtures[tracers], ends, tracers=tracers[:2])
    assert exact["p_value"].isna().all()
    bare = EndMembers.from_table(ends.table[["source", *tracers]])
    with pytest.warns(GeosoilWarning, match="p_value and distance are missing"):
        answer = source_fractions(mixtures, bare, tracers=tracers)
    assert answer["p_value"].isna().all()
    assert answer["condition_number"].notna().tolist() == [
        row != 3 for row in range(30)
    ]


def test_p_value_is_uniform_where_waters_only_mix() -> None:
    rng = np.random.default_rng(6)
    means, own = np.array([[-12.6, 9.0], [-16.2, -3.0]]), [[0.09, -0.1], [-0.1, 0.4]]
    share = rng.uniform(0, 1, (3000, 1))
    noise = rng.multivariate_normal([0, 0], own, 3000)
    mixtures = share * means[0] + (1 - share) * means[1] + noise
    answer = source_fractions(
        pd.DataFrame(mixtures, columns=["t0", "t1"]),
        ends_of(means),
        tracers=["t0", "t1"],
        covariance=own,
    )
    assert stats.kstest(answer["p_value"], "uniform").pvalue > 0.01


def test_condition_number_is_that_of_the_sources_that_took_part() -> None:
    rng = np.random.default_rng(7)
    june, august = (ends_of(rng.normal(0, 3, (3, 2)), np.ones((3, 2))) for _ in "ab")
    tables = [june.table.assign(period="June"), august.table.assign(period="August")]
    ends = EndMembers.from_table(pd.concat(tables))
    mixtures = pd.DataFrame(
        {"t0": 0.0, "t1": 0.0, "period": ["June", "August", "August", "May"]}
    ).assign(s1_allowed=[True, True, False, True])
    found = source_fractions(mixtures, ends, tracers=["t0", "t1"])["condition_number"]
    expected = [
        check_mixing_space(stratum, tracers=["t0", "t1"]).condition_number
        for stratum in (june, august, august.keep(["s0", "s2"]))
    ]
    np.testing.assert_allclose(found, [*expected, np.nan], rtol=1e-12)


def test_faults_of_all_strata_are_told_at_once() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "ice", "snow"] * 3,
            "period": np.repeat(["June", "August", "September"], 3),
            "t0": [-10.0, -12, -14, -10, -10, -14, -10, -12, -14],
            "t1": [12.0, 8, 4, 12, 12, 4, 12, 8, 9],
        }
    )
    ends = EndMembers.from_table(table)
    mixtures = pd.DataFrame({"t0": -11.0, "t1": 9.0, "period": table["period"]})
    with pytest.raises(MixingError) as caught:
        source_fractions(mixtures, ends, tracers=["t0", "t1"], covariance=np.eye(2))
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("period June: Collinear end members rain, ice, snow")
    assert lines[1].startswith("period August: Equal end members in t0, t1: rain and")


def test_more_sources_than_tracers_can_tell_are_led_elsewhere() -> None:
    rng = np.random.default_rng(8)
    ends = ends_of(rng.normal(0, 3, (4, 2)), np.ones((4, 2)))
    mixtures = pd.DataFrame({"t0": [0.0], "t1": [0.0]})
    words = r"4 sources \(s0, s1, s2, s3\) need 3 tracers; 2 given.*fraction_bounds"
    with pytest.raises(MixingError, match=words) as caught:
        source_fractions(mixtures, ends, tracers=["t0", "t1"])
    assert "isosource" in str(caught.value)
    assert "bayes_fractions" in str(caught.value)


def test_impossible_spread_names_every_source_and_stratum() -> None:
    table = pd.DataFrame(
        {
            "source": ["rain", "ice", "rain", "ice"],
            "period": ["June", "June", "August", "August"],
            "d18O": [-10.0, -15, -11, -16],
            "d2H": [-70.0, -110, -78, -118],
            "d18O_sd": [1.0, 1.0, -1.0, 1.0],
            "d2H_sd": 8.0,
            "d18O_d2H_cov": [7.0, 9.0, 0.0, 7.0],
        }
    )
    mixtures = pd.DataFrame({"d18O": [-12.0], "d2H": [-85.0], "period": ["June"]})
    with pytest.raises(MixingError) as caught:
        source_fractions(mixtures, EndMembers.from_table(table))
    words = str(caught.value)
    assert "ice (period June)" in words
    assert "rain (period August)" in words
    assert "rain (period June)" not in words


def test_covariance_of_three_tracers_that_no_water_has_is_refused() -> None:
    # Each pair is possible; the three together are not.
    ends = ends_of(np.array([[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]]), np.ones((2, 3)))
    table = ends.table.assign(
        t0_t1_cov=[0.9, 0.0], t0_t2_cov=[0.9, 0.0], t1_t2_cov=[-0.9, 0.0]
    )
    mixtures = pd.DataFrame({"t0": [0.5], "t1": [1.0], "t2": [1.5]})
    with pytest.raises(MixingError, match=r"t0, t1, t2 are not positive.* s0"):
        source_fractions(
            mixtures, EndMembers.from_table(table), tracers=["t0", "t1", "t2"]
        )
