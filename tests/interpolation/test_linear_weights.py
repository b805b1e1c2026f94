"""Weights give the estimates of their interpolators, and what they leave open."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.linear_weights import (
    field_variance,
    inverse_distance_weights,
    kriging_weights,
    mean_variance,
)
from geosoil.interpolation.variogram import Variogram

MODELS = [
    Variogram("exponential", 0.2, 1.0, 3000.0),
    Variogram("spherical", 0.0, 2.0, 5000.0),
    Variogram("nugget", 1.5, 0.0, 1000.0),
]


def places(seed: int, n: int = 25, m: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 10_000, (n, 2)), rng.uniform(-2000, 12_000, (m, 2))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_weights_give_the_estimates_and_variances_of_kriging(model, noise) -> None:
    xy, targets = places(1)
    values = np.random.default_rng(2).normal(size=len(xy))
    error = np.full(len(xy), noise)
    kriging = Kriging(model).fit(xy, values, variance=error)
    answer = kriging.predict(targets)
    weights = kriging_weights(model, xy, targets, noise=error)
    np.testing.assert_allclose(weights @ values, answer["estimate"], atol=1e-10)
    variance = field_variance(model, weights, xy, targets)
    variance = variance + np.sum(weights**2 * error, axis=1)
    np.testing.assert_allclose(variance, answer["kriging_variance"], atol=1e-10)


def test_weights_with_a_drift_are_those_of_regression_kriging() -> None:
    xy, targets = places(3)
    rng = np.random.default_rng(4)
    height, asked = rng.uniform(3000, 5000, len(xy)), rng.uniform(2500, 6000, 40)
    values = 20 - 0.005 * height + rng.normal(size=len(xy))
    kriging = ElevationKriging(MODELS[0]).fit(xy, values, height)
    weights = kriging_weights(MODELS[0], xy, targets, drift=(height, asked))
    answer = kriging.predict(targets, asked)
    np.testing.assert_allclose(weights @ values, answer["estimate"], atol=1e-9)
    # The drift itself is given back, whatever the targets' elevations are.
    np.testing.assert_allclose(weights @ height, asked, rtol=1e-10)


@pytest.mark.parametrize("n_neighbors", [None, 5])
@pytest.mark.parametrize("power", [1.0, 2.0, 3.5])
def test_weights_give_the_estimates_of_inverse_distances(power, n_neighbors) -> None:
    xy, targets = places(5)
    xy = np.vstack([xy, xy[:3]])
    targets[0] = xy[4]
    values = np.random.default_rng(6).normal(size=len(xy))
    inverse = InverseDistance(power, n_neighbors=n_neighbors).fit(xy, values)
    weights = inverse_distance_weights(
        xy, targets, power=power, n_neighbors=n_neighbors
    )
    np.testing.assert_allclose(
        weights @ values, inverse.predict(targets)["estimate"], atol=1e-12
    )


@given(seed=st.integers(0, 10_000), nugget=st.floats(0.01, 2.0))
def test_weights_sum_to_one(seed: int, nugget: float) -> None:
    xy, targets = places(seed)
    model = Variogram("exponential", nugget, 1.0, 4000.0)
    drift = np.random.default_rng(seed).normal(size=len(xy) + len(targets))
    for given_drift in (None, (drift[: len(xy)], drift[len(xy) :])):
        weights = kriging_weights(model, xy, targets, drift=given_drift)
        np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-9)
    weights = inverse_distance_weights(xy, targets, power=2.0)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-12)


@given(seed=st.integers(0, 10_000))
def test_the_field_variance_is_that_of_any_weights(seed: int) -> None:
    xy, targets = places(seed, n=6, m=4)
    model = MODELS[0]
    weights = inverse_distance_weights(xy, targets, power=2.0)
    found = field_variance(model, weights, xy, targets)
    for row, target in enumerate(targets):
        both = np.vstack([target, xy])
        contrast = np.r_[1.0, -weights[row]]
        wanted = contrast @ model.covariance_between(both, both) @ contrast
        assert found[row] == pytest.approx(wanted, abs=1e-10)


def test_the_variance_of_a_mean_is_that_of_its_parts() -> None:
    xy, targets = places(8, n=9, m=30)
    model = Variogram("exponential", 0.0, 1.0, 3000.0)
    own, area = np.full(9, 1 / 9), np.full(30, 1 / 30)
    contrast = np.r_[area, -own]
    both = np.vstack([targets, xy])
    wanted = contrast @ model.covariance_between(both, both) @ contrast
    assert mean_variance(model, (own, area), xy, targets) == pytest.approx(wanted)
    alone = Variogram("nugget", 2.0, 0.0, 1.0)
    # A nugget averages out over the area, not over the nine data.
    assert mean_variance(alone, (own, area), xy, targets) == pytest.approx(2.0 / 9)


def test_equal_places_and_equal_drifts_are_refused() -> None:
    xy, targets = places(9)
    twice = np.vstack([xy, xy[:1]])
    with pytest.raises(SingularKrigingError):
        kriging_weights(MODELS[1], twice, targets)
    level = (np.full(len(xy), 4000.0), np.full(len(targets), 4100.0))
    with pytest.raises(InputError, match="depend on each other"):
        kriging_weights(MODELS[0], xy, targets, drift=level)


def test_a_target_without_place_or_drift_has_no_weights() -> None:
    xy, targets = places(10)
    targets[3] = np.nan
    weights = kriging_weights(MODELS[0], xy, targets)
    assert np.isnan(weights[3]).all()
    assert np.isfinite(np.delete(weights, 3, axis=0)).all()
