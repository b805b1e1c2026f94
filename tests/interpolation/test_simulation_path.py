"""Paths visit every place once, wide grids first; neighbours come before."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from geosoil.interpolation.simulation_path import earlier_neighbors, multigrid_path


@given(count=st.integers(0, 60), seed=st.integers(0, 10**6))
def test_a_path_visits_each_place_once(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1, (count, 2))
    path = multigrid_path(places, rng)
    assert sorted(path.tolist()) == list(range(count))


def test_the_first_places_of_a_path_cover_the_region() -> None:
    x, y = np.meshgrid(np.arange(32.0), np.arange(32.0))
    places = np.column_stack([x.ravel(), y.ravel()])
    path = multigrid_path(places, np.random.default_rng(1))
    # In one mesh of 8 x 8 after another, places up to the 16th; 4 x 4 up to the 64th.
    for count, mesh in ((4, 16), (16, 8), (64, 4)):
        cells = {tuple(cell) for cell in (places[path[:count]] // mesh).tolist()}
        assert len(cells) == count
    assert not np.array_equal(path, multigrid_path(places, np.random.default_rng(2)))


def test_a_path_takes_places_that_no_mesh_tells_apart() -> None:
    places = np.array([[0.0, 0.0], [1e-14, 0.0], [2e-14, 0.0], [1.0, 1.0]])
    path = multigrid_path(places, np.random.default_rng(0))
    assert sorted(path.tolist()) == [0, 1, 2, 3]


@given(
    given_places=st.integers(0, 20),
    nodes=st.integers(0, 120),
    wanted=st.integers(1, 12),
    seed=st.integers(0, 10**6),
)
def test_neighbours_are_the_nearest_earlier_places(
    given_places: int, nodes: int, wanted: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 1, (given_places + nodes, 2))
    found = earlier_neighbors(places, given_places, wanted)
    distances = cdist(places, places)
    for node, row in enumerate(found):
        place = given_places + node
        nearest = np.argsort(distances[place, :place])[:wanted].tolist()
        assert row[row >= 0].tolist() == nearest
        assert (row[len(nearest) :] == -1).all()


@pytest.mark.parametrize("clustered", [1e-6, 1.0])
def test_neighbours_are_found_where_later_places_crowd_around(
    clustered: float,
) -> None:
    rng = np.random.default_rng(3)
    first = rng.uniform(0, 1, (5, 2))
    crowd = 0.5 + clustered * rng.uniform(-0.5, 0.5, (400, 2))
    found = earlier_neighbors(np.vstack([first, crowd]), 5, 5)
    assert set(found[0].tolist()) == {0, 1, 2, 3, 4}
    assert (found >= 0).all()
