"""The value of the nearest datum, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation.nearest import NearestNeighbor

seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=20)
@given(seeds, st.integers(1, 40))
def test_the_nearest_datum_is_that_of_brute_force(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    xy, targets = rng.uniform(0, 1e5, (count, 2)), rng.uniform(-1e5, 2e5, (60, 2))
    values = rng.normal(size=count)
    found = NearestNeighbor().fit(xy, values).predict(targets)["estimate"]
    np.testing.assert_array_equal(found, values[cdist(targets, xy).argmin(axis=1)])


@settings(max_examples=20)
@given(seeds, st.integers(1, 30))
def test_of_several_at_one_distance_the_first_is_taken(seed: int, count: int) -> None:
    # Places and targets on a lattice: ties everywhere, and all distances exact.
    rng = np.random.default_rng(seed)
    xy = np.unique(rng.integers(0, 6, (count, 2)), axis=0)
    xy = rng.permutation(xy).astype(float)
    targets = rng.integers(-2, 8, (50, 2)).astype(float)
    square = np.square(targets[:, None] - xy[None]).sum(axis=2)
    found = NearestNeighbor().fit(xy, np.arange(len(xy))).predict(targets)["estimate"]
    np.testing.assert_array_equal(found, square.argmin(axis=1))


def test_ties_of_more_data_than_are_looked_at_first_go_to_the_first() -> None:
    corners = [(3, 4), (4, 3), (5, 0), (0, 5)]
    ring = {(i * a, j * b) for a, b in corners for i in (-1, 1) for j in (-1, 1)}
    xy = np.array(sorted(ring), dtype=float)
    assert len(xy) == 12
    for shift in range(12):
        surface = NearestNeighbor().fit(np.roll(xy, shift, axis=0), np.arange(12))
        found = surface.predict(np.zeros((3, 2)))["estimate"]
        assert found.to_numpy().tolist() == [0.0, 0.0, 0.0]


def test_distances_may_be_taken_along_the_ellipsoid() -> None:
    # At 60 N a degree east is half a degree north.
    sites = [[10.0, 60.0], [10.0, 61.6]]
    surface = NearestNeighbor(distance="wgs84").fit(sites, [1.0, 2.0])
    found = surface.predict([[12.0, 60.0], [10.0, 60.79], [10.0, 60.81]])["estimate"]
    assert found.to_numpy().tolist() == [1.0, 1.0, 2.0]


def test_there_is_no_value_beyond_the_distance() -> None:
    surface = NearestNeighbor(max_distance=10.0).fit([[0.0, 0.0], [30.0, 0.0]], [1, 3])
    answer = surface.predict([[10.0, 0.0], [10.1, 0.0], [29.0, 0.0], [np.nan, 0.0]])
    np.testing.assert_array_equal(answer["estimate"], [1.0, np.nan, 3.0, np.nan])
    assert answer.attrs["max_distance"] == 10.0
    assert answer.attrs["method"] == "nearest neighbour"


@settings(max_examples=20)
@given(seeds)
def test_every_value_is_one_of_the_data(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=9)
    surface = NearestNeighbor().fit(rng.uniform(0, 1e5, (9, 2)), values)
    found = surface.predict(rng.uniform(-1e6, 1e6, (40, 2)))["estimate"]
    assert np.isin(found, values).all()


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match=r"Invalid max_distance '0\.0'"):
        NearestNeighbor(max_distance=0.0)
    with pytest.raises(InputError, match="NearestNeighbor cannot use the variance"):
        NearestNeighbor().fit([[0, 0], [1, 1]], [1, 2], variance=[1, 1])
