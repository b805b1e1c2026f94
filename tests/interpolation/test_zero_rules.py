"""Rules of absence: exact zeros, soft edges, and the sets of sources that are left."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.zero_rules import (
    ZeroRule,
    cell_heights,
    check_heights,
    possible_sources,
    source_sets,
    source_weights,
)

HEIGHTS = np.linspace(3000.0, 5000.0, 401)
SOURCES = ["rain", "ice", "snow"]


@pytest.mark.parametrize(
    "limits", [{"below": 4000.0}, {"above": 4000.0}, {"below": 3500.0, "above": 4500.0}]
)
@pytest.mark.parametrize("blend", [1.0, 100.0, 5000.0])
def test_a_blend_leaves_the_absence_exact_and_rises_away_from_it(
    limits: dict[str, float], blend: float
) -> None:
    rule = ZeroRule("snow", ("June",), **limits)
    weight = rule.weight(HEIGHTS, blend=blend)
    absent = rule.zero(HEIGHTS)
    assert (weight[absent] == 0.0).all()
    assert ((weight >= 0.0) & (weight <= 1.0)).all()
    edges = np.array(list(limits.values()))
    distance = np.abs(HEIGHTS[~absent, None] - edges).min(axis=1)
    order = np.argsort(distance)
    assert (np.diff(weight[~absent][order]) >= 0.0).all()
    assert weight[~absent][distance >= blend] == pytest.approx(1.0, abs=1e-15)
    # No step: the weight starts from 0 at the limit.
    near = weight[~absent][(distance > 0) & (distance < 0.1 * blend)]
    assert (near < 0.02).all()


def test_without_a_blend_the_weight_is_the_rule() -> None:
    rule = ZeroRule("snow", ("June",), below=4000.0)
    np.testing.assert_array_equal(rule.weight(HEIGHTS), ~rule.zero(HEIGHTS))
    everywhere = ZeroRule("snow", ("June",))
    assert (everywhere.weight(HEIGHTS, blend=100.0) == 0.0).all()


def test_the_logistic_is_scaled_to_its_ends_and_symmetric() -> None:
    rule = ZeroRule("snow", ("June",), below=4000.0)
    at = rule.weight(np.array([4000.0, 4025.0, 4050.0, 4075.0, 4100.0]), blend=100.0)
    assert at[[0, 2, 4]].tolist() == [0.0, pytest.approx(0.5), pytest.approx(1.0)]
    assert at[1] + at[3] == pytest.approx(1.0, abs=1e-14)
    slope = 1 / (1 + np.exp(2.5)) - 1 / (1 + np.exp(5.0))
    assert at[1] == pytest.approx(slope / (1 - 2 / (1 + np.exp(5.0))), abs=1e-14)


def test_places_at_the_limits_of_all_sources_keep_them() -> None:
    rules = [ZeroRule(s, ("June",), below=4000.0) for s in SOURCES[1:]]
    rules.append(ZeroRule("rain", ("June",), above=4000.0))
    height = np.array([3999.0, 4000.0, 4001.0])
    weights = source_weights(rules, SOURCES, height, (3,), blend=50.0)
    assert weights[1].tolist() == [0.0, 1.0, 1.0]
    assert (weights[0] > 0).tolist() == [True, False, False]
    assert (weights[2] > 0).tolist() == [False, True, True]


def test_missing_heights_leave_no_source_only_where_a_rule_asks() -> None:
    height = np.array([np.nan, 4100.0])
    limited = [ZeroRule("snow", ("June",), below=4000.0)]
    assert possible_sources(limited, SOURCES, height, (2,)).tolist() == [
        [False] * 3,
        [True] * 3,
    ]
    absent = [ZeroRule("snow", ("June",))]
    assert (
        possible_sources(absent, SOURCES, height, (2,)).tolist()
        == [[True, True, False]] * 2
    )


def test_rules_that_leave_nothing_are_counted() -> None:
    rules = [ZeroRule(source, ("June",), above=4000.0) for source in SOURCES]
    height = np.array([[3000.0, 4000.0, 5000.0]])
    with pytest.raises(InputError, match="leave no source in 2 cells: rain above"):
        source_weights(rules, SOURCES, height, (1, 3), blend=10.0)
    with pytest.raises(InputError, match="leave no source in 2 points"):
        possible_sources(rules, SOURCES, height[0], (3,))


@given(arrays(np.bool_, (30, 3), elements=st.booleans()))
@settings(max_examples=40, deadline=None)
def test_sets_of_sources_part_the_places(possible: np.ndarray) -> None:
    taken = np.zeros(30, dtype=int)
    for pattern, where in source_sets(possible):
        assert pattern.any()
        assert (possible[where] == pattern).all()
        taken += where
    np.testing.assert_array_equal(taken, possible.any(axis=1))


def test_heights_are_asked_for_by_name_and_on_the_grid() -> None:
    rules = [ZeroRule("snow", ("June",), below=4000.0)]
    given_heights = {"sites": None, "cells": HEIGHTS}
    with pytest.raises(InputError, match="the elevation of sites: snow below 4000 m"):
        check_heights(rules, given_heights)
    check_heights([ZeroRule("snow", ("June",))], given_heights)
    grid = Grid.from_bounds((0, 0, 3, 2), 1, "EPSG:32647")
    other = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:32647")
    height = grid.raster(np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(
        cell_heights(grid, height.transpose("x", "y")), height.to_numpy()
    )
    assert cell_heights(grid, None) is None
    with pytest.raises(GridMismatchError, match="elevation and fractions"):
        cell_heights(other, height)
