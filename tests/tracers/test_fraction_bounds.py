"""Exact range of fractions within a tolerance."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geosoil.errors import InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_bounds import fraction_bounds
from geosoil.tracers.isosource import isosource

PAIR = ["a", "b"]


def ends_of(values: np.ndarray, **columns: object) -> EndMembers:
    table = pd.DataFrame(values, columns=PAIR[: values.shape[1]])
    sources = [f"s{k}" for k in range(len(values))]
    return EndMembers.from_table(table.assign(source=sources, **columns))


def waters(values: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(values, columns=PAIR[: values.shape[1]])


@settings(max_examples=12)
@given(st.integers(0, 10_000), st.integers(2, 6), st.sampled_from([0.0, 0.05, 0.4]))
def test_bounds_are_those_of_one_programme_each(seed, n_sources, tolerance) -> None:
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(n_sources, 2)) * 3
    mixtures = rng.dirichlet(np.ones(n_sources), 4) @ sources
    found = fraction_bounds(
        waters(mixtures), ends_of(sources), tracers=PAIR, tolerance=[tolerance, 0.1]
    )
    box = np.array([tolerance, 0.1])
    for place, mixture in enumerate(mixtures):
        for source in range(n_sources):
            row = found.iloc[place * n_sources + source]
            for column, sign in (("lower", 1.0), ("upper", -1.0)):
                one = linprog(
                    sign * np.eye(n_sources)[source],
                    A_ub=np.vstack([sources.T, -sources.T]),
                    b_ub=np.r_[mixture + box, box - mixture],
                    A_eq=np.ones((1, n_sources)),
                    b_eq=[1.0],
                )
                assert row[column] == pytest.approx(sign * one.fun, abs=1e-6)
    assert (found["lower"] <= found["upper"] + 1e-9).all()
    assert (found["reason"] == "").all()


@pytest.mark.slow
@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_grid_bounds_lie_inside_and_come_close(seed) -> None:
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(4, 2)) * 3
    mixtures = rng.dirichlet(np.ones(4), 3) @ sources
    options = {"tracers": PAIR, "tolerance": [0.3, 0.2]}
    exact = fraction_bounds(waters(mixtures), ends_of(sources), **options)
    grid = isosource(waters(mixtures), ends_of(sources), increment=0.05, **options)
    some = (grid["n_feasible"] > 0).to_numpy()
    assert (grid["min"] >= exact["lower"] - 1e-6)[some].all()
    assert (grid["max"] <= exact["upper"] + 1e-6)[some].all()


def test_a_finer_grid_reaches_the_bounds() -> None:
    sources = np.array([[-11.2, 9.5], [-14.9, -1.0], [-16.4, 12.8], [-12.6, 4.3]])
    water = waters(np.array([[-12.8, 6.4]]))
    options = {"tracers": PAIR, "tolerance": [0.1, 0.5]}
    exact = fraction_bounds(water, ends_of(sources), **options)
    gaps = []
    for increment in (0.05, 0.01, 0.0025):
        grid = isosource(water, ends_of(sources), increment=increment, **options)
        gaps.append(
            max(
                (grid["min"] - exact["lower"]).max(),
                (exact["upper"] - grid["max"]).max(),
            )
        )
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < 0.005


@settings(max_examples=25)
@given(st.integers(0, 10_000))
def test_without_tolerance_an_exact_mixture_has_one_answer(seed) -> None:
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(3, 2)) * 5
    matrix = np.vstack([sources.T, np.ones(3)])
    assume(np.linalg.cond(matrix) < 100)
    shares = rng.dirichlet(np.ones(3), 5)
    found = fraction_bounds(
        waters(shares @ sources), ends_of(sources), tracers=PAIR, tolerance=0.0
    )
    np.testing.assert_allclose(found["lower"], shares.ravel(), atol=1e-6)
    np.testing.assert_allclose(found["upper"], shares.ravel(), atol=1e-6)


def test_bounds_of_one_tracer_by_hand() -> None:
    # With one tracer the extremes lie on mixtures of two sources.
    sources = np.array([[1.0], [9.0], [5.0], [6.0]])
    mixture, expected = 4.0, []
    for source in range(4):
        shares = []
        for i, j in combinations(range(4), 2):
            share = (mixture - sources[j, 0]) / (sources[i, 0] - sources[j, 0])
            if 0 <= share <= 1:
                pair = np.zeros(4)
                pair[[i, j]] = share, 1 - share
                shares.append(pair[source])
        expected.append((min(shares), max(shares)))
    found = fraction_bounds(
        waters(np.array([[mixture]])), ends_of(sources), tracers=["a"], tolerance=0.0
    )
    np.testing.assert_allclose(found[["lower", "upper"]], expected, atol=1e-9)


@pytest.mark.slow
@settings(max_examples=12)
@given(st.integers(0, 10_000), st.booleans())
def test_the_smallest_tolerance_told_is_the_smallest(seed, exact) -> None:
    rng = np.random.default_rng(seed)
    sources = rng.normal(size=(4, 2))
    mixture = np.array([[8.0, -7.0]]) * rng.uniform(1, 2)
    limits = [0.0, 0.0] if exact else [0.1, 0.2]
    ends = ends_of(sources)
    found = fraction_bounds(waters(mixture), ends, tracers=PAIR, tolerance=limits)
    assert found[["lower", "upper"]].isna().all(axis=None)
    needed = [
        float(word) for word in re.findall(r"\b[ab] ([^\s,]+)", found["reason"][0])
    ]
    again = fraction_bounds(waters(mixture), ends, tracers=PAIR, tolerance=needed)
    assert (again["reason"] == "").all()
    narrow = [0.998 * value for value in needed]
    again = fraction_bounds(waters(mixture), ends, tracers=PAIR, tolerance=narrow)
    assert (again["reason"] != "").all()


def test_many_mixtures_pass_in_blocks(monkeypatch) -> None:
    rng = np.random.default_rng(5)
    sources = rng.normal(size=(4, 2))
    mixtures = rng.normal(size=(50, 2))
    options = {"tracers": PAIR, "tolerance": 0.1}
    whole = fraction_bounds(waters(mixtures), ends_of(sources), **options)
    assert 0 < (whole["reason"] == "").mean() < 1
    monkeypatch.setattr("geosoil.tracers.fraction_bounds.BLOCK", 7)
    parts = fraction_bounds(waters(mixtures), ends_of(sources), **options)
    pd.testing.assert_frame_equal(whole, parts, atol=1e-7)


def test_the_unit_of_a_tracer_does_not_matter() -> None:
    rng = np.random.default_rng(6)
    sources = rng.normal(size=(5, 2))
    mixtures = rng.dirichlet(np.ones(5), 6) @ sources
    first = fraction_bounds(
        waters(mixtures), ends_of(sources), tracers=PAIR, tolerance=[0.1, 0.1]
    )
    scale = np.array([1e6, 1e-6])
    second = fraction_bounds(
        waters(mixtures * scale),
        ends_of(sources * scale),
        tracers=PAIR,
        tolerance=(0.1 * scale).tolist(),
    )
    pd.testing.assert_frame_equal(first, second, atol=1e-6)


def test_a_wider_tolerance_never_narrows_the_range() -> None:
    rng = np.random.default_rng(8)
    sources = rng.normal(size=(5, 2))
    mixtures = rng.dirichlet(np.ones(5), 6) @ sources
    last = None
    for tolerance in (0.0, 0.05, 0.2, 5.0):
        found = fraction_bounds(
            waters(mixtures), ends_of(sources), tracers=PAIR, tolerance=tolerance
        )
        if last is not None:
            assert (found["lower"] <= last["lower"] + 1e-7).all()
            assert (found["upper"] >= last["upper"] - 1e-7).all()
        last = found
    assert last["lower"].max() < 1e-9
    assert last["upper"].min() > 1 - 1e-9


def test_rows_without_answer_and_forbidden_sources_are_told() -> None:
    sources = np.array([[1.0], [9.0], [5.0]])
    water = waters(np.array([[5.0], [np.nan], [5.0]]))
    water["s2_allowed"] = [True, True, False]
    found = fraction_bounds(
        water, ends_of(sources), tracers=["a"], tolerance=0.0
    ).set_index(["mixture", "source"])
    assert found.loc[(0, "s2"), "upper"] == pytest.approx(1.0)
    assert (found.loc[1, "reason"] == "missing tracer").all()
    assert found.loc[1, ["lower", "upper"]].isna().all(axis=None)
    assert found.loc[(2, "s2"), ["lower", "upper"]].tolist() == [0.0, 0.0]
    assert found.loc[(2, "s0"), ["lower", "upper"]].tolist() == pytest.approx([0.5] * 2)


def test_bad_requests_are_refused() -> None:
    ends, water = ends_of(np.array([[1.0], [9.0]])), waters(np.array([[5.0]]))
    with pytest.raises(InputError, match="Invalid tolerance"):
        fraction_bounds(water, ends, tracers=["a"], tolerance=np.inf)
    with pytest.raises(InputError, match="missing column c"):
        fraction_bounds(water, ends, tracers=["c"], tolerance=0.1)
    unlike = ends_of(np.array([[1.0], [9.0]]), a_concentration=[1.0, 2.0])
    with pytest.raises(MixingError, match="unlike concentrations"):
        fraction_bounds(water, unlike, tracers=["a"], tolerance=0.1)
