"""Walks solve the simple kriging system of each node's neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.simulation_walk import Walk, without_nugget
from geosoil.interpolation.variogram import NestedVariogram, Variogram

MODEL = Variogram("spherical", 0.1, 0.9, 600.0, anisotropy=Anisotropy(20.0, 0.5))


@pytest.mark.parametrize("model", [MODEL, NestedVariogram((MODEL, MODEL))])
def test_each_node_solves_its_simple_kriging_system(model: NestedVariogram) -> None:
    rng = np.random.default_rng(0)
    places, noise = rng.uniform(0, 1000, (50, 2)), rng.uniform(0, 0.3, 50)
    walk = Walk.of(model, places[:8], places[8:], noise=noise, n_neighbors=6)
    for node in range(42):
        own, near = 8 + node, walk.neighbors[node]
        reduced = MODEL.anisotropy.reduce(places[:own] - places[own])
        nearest = np.argsort(np.hypot(*reduced.T))[:6]
        assert near.tolist() == nearest.tolist()
        covariance = model.covariance_between(places[near], places[near])
        covariance += np.diag(noise[near])
        with_own = model.covariance_between(places[near], places[own : own + 1])[:, 0]
        weights = np.linalg.solve(covariance, with_own)
        np.testing.assert_allclose(walk.weights[node], weights, rtol=0, atol=1e-10)
        left = model.sill + noise[own] - weights @ with_own
        assert walk.left[node] == pytest.approx(left**0.5, abs=1e-10)


def test_a_walk_is_undone_by_whitening() -> None:
    rng = np.random.default_rng(1)
    places, noise = rng.uniform(0, 1000, (40, 2)), rng.normal(size=(3, 40))
    walk = Walk.of(MODEL, np.empty((0, 2)), places, n_neighbors=5)
    values = walk.go(noise.copy())
    np.testing.assert_allclose(walk.whiten(values.T), noise.T, rtol=0, atol=1e-12)


def test_a_neighbour_that_says_nothing_new_has_no_weight() -> None:
    model = Variogram("gaussian", 0.0, 1.0, 500.0)
    given = np.array([[0.0, 0.0], [0.0, 1e-7], [400.0, 0.0]])
    walk = Walk.of(model, given, np.array([[100.0, 0.0]]))
    plain = Walk.of(model, given[[0, 2]], np.array([[100.0, 0.0]]))
    ranked = dict(zip(walk.neighbors[0], walk.weights[0], strict=True))
    assert sorted(abs(weight) for weight in walk.weights[0])[0] == 0.0
    assert ranked[0] + ranked[1] == pytest.approx(plain.weights[0, 0], abs=1e-6)
    assert walk.left[0] == pytest.approx(plain.left[0], abs=1e-6)


def test_a_variogram_loses_its_nugget_and_error_alone() -> None:
    nested = NestedVariogram((MODEL, Variogram("nugget", 0.3, 0.0, 1.0, error=0.2)))
    bare = without_nugget(nested)
    assert (bare.nugget, bare.error) == (0.0, 0.0)
    assert bare.sill == pytest.approx(0.9)
    assert bare.structures[0].anisotropy == MODEL.anisotropy
