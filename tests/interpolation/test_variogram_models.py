"""Every model against gstat's own numbers, and what each of them promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import gamma, kv

from geosoil.errors import InputError
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.variogram import Variogram
from geosoil.interpolation.variogram_models import (
    MODELS,
    VariogramError,
    likeness,
    parameter_faults,
    rise,
)

GSTAT = {
    "Sph": ("spherical", 900.0, None),
    "Exp": ("exponential", 300.0, None),
    "Gau": ("gaussian", 500.0, None),
    "Mat05": ("matern", 300.0, 0.5),
    "Mat15": ("matern", 300.0, 1.5),
    "Mat25": ("matern", 300.0, 2.5),
    "Ste15": ("matern_stein", 300.0, 1.5),
    "Exc": ("exponential_class", 300.0, 1.3),
    "Cir": ("circular", 900.0, None),
    "Pen": ("pentaspherical", 900.0, None),
    "Lin": ("linear", 900.0, None),
    "Bes": ("bessel", 300.0, None),
    "Hol": ("hole", 300.0, None),
    "Per": ("periodic", 300.0, None),
    "Pow": ("power", 0.7, None),
    "Log": ("logarithmic", 300.0, None),
}
SMOOTHNESS = {"matern", "matern_stein", "matern_gstools", "exponential_class"}


def usual(model: str) -> tuple[float, float | None]:
    """Range parameter and smoothness that suit a model."""
    return (1.2 if model == "power" else 300.0), (1.3 if model in SMOOTHNESS else None)


@pytest.mark.parametrize("code", GSTAT)
def test_every_model_equals_gstat(gstat: Path, code: str) -> None:
    table = pd.read_csv(gstat / "model_gamma.csv").query("model == @code")
    assert len(table) == 11
    model, range_, smoothness = GSTAT[code]
    variogram = Variogram(model, 0.05, 0.59, range_, smoothness=smoothness)  # type: ignore[arg-type]
    np.testing.assert_allclose(variogram.gamma(table["h"]), table["gamma"], rtol=1e-11)


def test_the_golden_table_holds_no_model_that_is_not_compared(gstat: Path) -> None:
    assert set(pd.read_csv(gstat / "model_gamma.csv")["model"]) == set(GSTAT)


def test_the_three_matern_parametrisations_are_told_apart() -> None:
    # Numbers of gstat (Mat, Ste) and GSTools at h = 100, a = 300, k = 1.5.
    found = [
        float(likeness(name, 100.0, 300.0, smoothness=1.5))
        for name in ("matern", "matern_stein", "matern_gstools")
    ]
    np.testing.assert_allclose(found, [0.9554, 0.8029, 0.9362], atol=5e-5)


@pytest.mark.parametrize("smoothness", [0.5, 1.5, 2.5])
def test_the_closed_forms_of_matern_equal_the_bessel_function(
    smoothness: float,
) -> None:
    u = np.geomspace(1e-3, 20, 50)
    front = 2 ** (1 - smoothness) / gamma(smoothness)
    expected = front * u**smoothness * kv(smoothness, u)
    found = likeness("matern", u, 1.0, smoothness=smoothness)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize("smoothness", [0.05, 3.0, 12.3, 30.0])
def test_matern_is_finite_and_falls_at_every_distance(smoothness: float) -> None:
    h = np.concatenate([[0.0], np.geomspace(1e-300, 1e6, 400)])
    found = likeness("matern", h, 1.0, smoothness=smoothness)
    assert found[0] == 1
    assert (np.diff(found) <= 1e-12).all()
    assert found[-1] == 0


@pytest.mark.parametrize("model", [name for name in MODELS if MODELS[name].bounded])
def test_a_model_with_a_sill_starts_at_one_and_its_flags_tell_the_truth(
    model: str,
) -> None:
    range_, smoothness = usual(model)
    h = np.linspace(0.0, 1500.0, 301)
    found = likeness(model, h, range_, smoothness=smoothness)
    assert found[0] == (0.0 if model == "nugget" else 1.0)
    assert (np.diff(found) <= 1e-12).all() == MODELS[model].monotone


@pytest.mark.parametrize("model", [name for name in MODELS if MODELS[name].bounded])
def test_what_is_called_valid_in_the_plane_is_positive_definite_there(
    model: str,
) -> None:
    range_, smoothness = usual(model)
    x, y = np.meshgrid(np.arange(14.0), np.arange(14.0))
    xy = 60.0 * np.column_stack([x.ravel(), y.ravel()])
    variogram = Variogram(model, 0.0, 1.0, range_, smoothness=smoothness)  # type: ignore[arg-type]
    lowest = np.linalg.eigvalsh(variogram.covariance_between(xy, xy)).min()
    assert (lowest > -1e-9) == MODELS[model].in_plane


@pytest.mark.parametrize("model", ["power", "logarithmic"])
def test_a_model_without_sill_has_a_rise_and_no_covariance(model: str) -> None:
    range_, _ = usual(model)
    variogram = Variogram(model, 0.1, 2.0, range_)  # type: ignore[arg-type]
    assert variogram.sill == np.inf
    h = np.array([0.0, 10.0, 100.0])
    expected = 0.1 + 2.0 * rise(model, h[1:], range_)
    np.testing.assert_allclose(variogram.gamma(h), [0.0, *expected])
    with pytest.raises(VariogramError, match=f"{model} variogram has no sill"):
        variogram.covariance(h)


def test_all_faults_of_a_variogram_are_named_at_once() -> None:
    with pytest.raises(
        VariogramError,
        match=r"nugget is -1.*partial_sill is nan.*error is -2.*range_ is 0.*needs a",
    ):
        Variogram("matern", -1.0, np.nan, 0.0, error=-2.0)
    with pytest.raises(InputError, match=r"spherical model has none"):
        Variogram("spherical", 0, 1, 1, smoothness=1.0)
    with pytest.raises(InputError, match=r"smoothness is 2.5, it must be 0.05 to 2"):
        Variogram("exponential_class", 0, 1, 1, smoothness=2.5)
    with pytest.raises(InputError, match=r"exponent of power must be below 2"):
        Variogram("power", 0, 1, 2.0)
    with pytest.raises(InputError, match=r"starts at -0.69.*range_ must be 1 or more"):
        Variogram("logarithmic", 0.0, 1.0, 0.5)
    with pytest.raises(InputError, match="Unknown model 'cubic'"):
        rise("cubic", 1.0, 1.0)
    assert parameter_faults("cubic", 1.0, None)[0].startswith("model 'cubic' is none")


def test_all_faults_of_an_anisotropy_are_named_at_once() -> None:
    with pytest.raises(VariogramError, match=r"angle is nan.*ratio is 1.5"):
        Anisotropy(np.nan, 1.5)
    with pytest.raises(VariogramError, match="ratio is 0"):
        Anisotropy(0.0, 0.0)


@given(
    angle=st.floats(-400, 400),
    ratio=st.floats(0.05, 1.0),
    dx=st.floats(-1e5, 1e5),
    dy=st.floats(-1e5, 1e5),
)
def test_the_reduced_distance_lies_between_the_plain_and_the_stretched_one(
    angle: float, ratio: float, dx: float, dy: float
) -> None:
    anisotropy = Anisotropy(angle, ratio)
    plain = np.hypot(dx, dy)
    found = float(anisotropy.distance(dx, dy))
    assert plain * (1 - 1e-9) <= found <= plain / ratio * (1 + 1e-9)
    assert float(anisotropy.distance(-dx, -dy)) == pytest.approx(found)


def test_anisotropy_is_clockwise_from_north() -> None:
    variogram = Variogram(
        "exponential", 0.0, 1.0, 100.0, anisotropy=Anisotropy(30.0, 0.25)
    )
    along = np.array([np.sin(np.radians(30)), np.cos(np.radians(30))])
    across = np.array([along[1], -along[0]])
    assert float(variogram.covariance_of(*(100 * along))) == pytest.approx(np.exp(-1))
    assert float(variogram.covariance_of(*(25 * across))) == pytest.approx(np.exp(-1))
    assert float(variogram.gamma_of(*(25 * across))) == pytest.approx(1 - np.exp(-1))
    assert not variogram.is_isotropic


def test_covariance_between_places_equals_that_of_their_offsets() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.uniform(0, 500, (7, 2)), rng.uniform(0, 500, (5, 2))
    second[0] = first[3]
    for anisotropy in (None, Anisotropy(70.0, 0.4)):
        variogram = Variogram("spherical", 0.2, 0.8, 300.0, anisotropy=anisotropy)
        offsets = first[:, None] - second[None]
        expected = variogram.covariance_of(offsets[..., 0], offsets[..., 1])
        found = variogram.covariance_between(first, second)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
        assert found[3, 0] == variogram.sill


def test_the_error_of_measurement_is_in_gamma_but_not_in_the_covariance() -> None:
    plain = Variogram("spherical", 0.1, 0.9, 100.0)
    noisy = Variogram("spherical", 0.1, 0.9, 100.0, error=0.3)
    h = np.array([0.0, 10.0, 200.0])
    assert noisy.sill == plain.sill
    np.testing.assert_array_equal(noisy.covariance(h), plain.covariance(h))
    np.testing.assert_allclose(noisy.gamma(h) - plain.gamma(h), [0.0, 0.3, 0.3])
