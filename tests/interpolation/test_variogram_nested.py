"""A sum of variograms is a variogram."""

from __future__ import annotations

import numpy as np
import pytest

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.variogram import NestedVariogram, Variogram
from geosoil.interpolation.variogram_models import VariogramError

NEAR = Variogram("spherical", 0.1, 0.4, 200.0, error=0.05)
FAR = Variogram("exponential", 0.0, 0.5, 900.0, anisotropy=Anisotropy(40.0, 0.3))


def test_every_quantity_is_the_sum_of_the_structures() -> None:
    nested = NestedVariogram((NEAR, FAR))
    h = np.linspace(0, 2000, 50)
    dx, dy = np.random.default_rng(1).uniform(-900, 900, (2, 50))
    np.testing.assert_array_equal(
        nested.covariance(h), NEAR.covariance(h) + FAR.covariance(h)
    )
    np.testing.assert_array_equal(nested.gamma(h), NEAR.gamma(h) + FAR.gamma(h))
    np.testing.assert_array_equal(
        nested.covariance_of(dx, dy),
        NEAR.covariance_of(dx, dy) + FAR.covariance_of(dx, dy),
    )
    np.testing.assert_array_equal(
        nested.gamma_of(dx, dy), NEAR.gamma_of(dx, dy) + FAR.gamma_of(dx, dy)
    )
    assert nested.sill == pytest.approx(1.0)
    assert nested.nugget == pytest.approx(0.1)
    assert nested.error == pytest.approx(0.05)
    assert nested.partial_sill == pytest.approx(0.9)
    assert nested.range_ == 900.0
    assert not nested.is_isotropic


def test_covariances_between_places_are_symmetric_with_the_sill_on_the_diagonal() -> (
    None
):
    nested = NestedVariogram((NEAR, FAR))
    xy = np.random.default_rng(2).uniform(0, 1000, (12, 2))
    covariance = nested.covariance_between(xy, xy)
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-12)
    np.testing.assert_allclose(np.diagonal(covariance), nested.sill)
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_parameters_are_numbered_by_structure() -> None:
    numbers = NestedVariogram((NEAR, FAR)).parameters()
    assert numbers == {
        "nugget": 0.1,
        "partial_sill_1": 0.4,
        "range_1": 200.0,
        "partial_sill_2": 0.5,
        "range_2": 900.0,
        "sill": 1.0,
    }


def test_nothing_cannot_be_nested() -> None:
    with pytest.raises(VariogramError, match="of no structure"):
        NestedVariogram(())
