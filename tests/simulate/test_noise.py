"""Random fields have the variance and the correlation they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.simulate.noise import band_noise, persistent, smooth_noise


@pytest.mark.parametrize("length", [1.0, 3.0, 8.0])
def test_smooth_noise_correlates_as_a_gaussian(length):
    field = smooth_noise(np.random.default_rng(1), (60, 128, 128), length=length)
    assert field.var() == pytest.approx(1.0, abs=0.05)
    for lag in (1, 4, 10):
        expected = np.exp(-(lag**2) / (2 * length**2))
        along = np.mean(field[:, :, lag:] * field[:, :, :-lag])
        across = np.mean(field[:, lag:] * field[:, :-lag])
        assert along == pytest.approx(expected, abs=0.07)
        assert across == pytest.approx(expected, abs=0.07)


def test_opposite_edges_are_not_alike():
    field = smooth_noise(np.random.default_rng(2), (400, 30, 30), length=4)
    assert abs(np.mean(field[:, :, 0] * field[:, :, -1])) < 0.15


@pytest.mark.parametrize("wavelength", [4.0, 10.0, 16.0])
def test_band_noise_turns_over_after_half_a_wavelength(wavelength):
    field = band_noise(np.random.default_rng(3), (40, 96, 96), wavelength=wavelength)
    half = round(wavelength / 2)
    assert field.var() == pytest.approx(1.0, abs=0.05)
    assert np.mean(field[:, :, half:] * field[:, :, :-half]) < -0.1


@settings(max_examples=20, deadline=None)
@given(st.floats(0.0, 0.95), st.integers(0, 1000))
def test_persistence_keeps_the_variance(memory, seed):
    steps = np.random.default_rng(seed).standard_normal((300, 200))
    series = persistent(steps, memory=memory)
    assert series.var() == pytest.approx(1.0, abs=0.12)
    assert np.mean(series[1:] * series[:-1]) == pytest.approx(memory, abs=0.12)
    assert np.array_equal(
        steps, np.random.default_rng(seed).standard_normal((300, 200))
    )


def test_the_same_seed_draws_the_same_field():
    first, second = (
        smooth_noise(np.random.default_rng(9), (30, 50), length=2) for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_impossible_scales_are_refused():
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match="correlation length 0"):
        smooth_noise(rng, (4, 4), length=0)
    with pytest.raises(InputError, match="wavelength 1"):
        band_noise(rng, (4, 4), wavelength=1)
    with pytest.raises(InputError, match="memory 1"):
        persistent(np.zeros((2, 2)), memory=1)
