"""Tests of ellipses of uncertainty."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import stats

from geosoil.errors import InputError
from geosoil.plotting.ellipses import (
    ONE_SD,
    confidence_radius,
    d_excess_covariance,
    draw_ellipse,
    ellipse_shape,
    mean_covariance,
    row_covariance,
    row_units,
)

SPREAD = st.floats(0.1, 20.0)
CORRELATION = st.floats(-0.95, 0.95)


def matrix(first: float, second: float, r: float) -> np.ndarray:
    cross = r * first * second
    return np.array([[first**2, cross], [cross, second**2]])


@given(st.floats(0.01, 0.999))
def test_radius_is_that_of_chi_squared_with_two_degrees(confidence) -> None:
    wanted = np.sqrt(stats.chi2.ppf(confidence, 2))
    assert confidence_radius(confidence) == pytest.approx(wanted, rel=1e-9)


def test_one_standard_deviation_holds_39_percent_in_two_dimensions() -> None:
    assert pytest.approx(0.3935, abs=1e-4) == ONE_SD
    assert confidence_radius(ONE_SD) == pytest.approx(1.0)


def test_few_sites_widen_the_ellipse_and_many_do_not() -> None:
    known = confidence_radius(0.95)
    radii = [confidence_radius(0.95, n_units=n) for n in (4, 8, 30, 1e7)]
    assert radii == sorted(radii, reverse=True)
    assert radii[0] > 2 * known
    assert radii[-1] == pytest.approx(known, rel=1e-5)


def test_hotelling_ellipses_hold_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(8)
    root = np.linalg.cholesky(matrix(2.0, 5.0, -0.6))
    draws = rng.standard_normal((4000, 6, 2)) @ root.T
    mean = draws.mean(axis=1)
    away = draws - mean[:, None]
    covariance = np.einsum("dni,dnj->dij", away, away) / 5 / 6
    distance = np.einsum("di,dij,dj->d", mean, np.linalg.inv(covariance), mean)
    held = np.mean(distance < confidence_radius(0.9, n_units=6) ** 2)
    assert held == pytest.approx(0.9, abs=0.015)


@given(SPREAD, SPREAD, CORRELATION)
def test_half_axes_are_the_roots_of_the_analytic_eigenvalues(a, b, r) -> None:
    covariance = matrix(a, b, r)
    shape = ellipse_shape(covariance, radius=2.0)
    half, cross = (a**2 + b**2) / 2, r * a * b
    root = np.hypot((a**2 - b**2) / 2, cross)
    assert shape.major == pytest.approx(2.0 * np.sqrt(half + root), rel=1e-6)
    assert shape.minor == pytest.approx(2.0 * np.sqrt(half - root), rel=1e-5)
    assert -90.0 < shape.angle <= 90.0
    if root > 1e-3 * half:
        angle = 0.5 * np.degrees(np.arctan2(2.0 * cross, a**2 - b**2))
        turn = (shape.angle - angle + 90.0) % 180.0 - 90.0
        assert turn == pytest.approx(0.0, abs=1e-4)


@given(SPREAD, SPREAD, CORRELATION)
def test_the_edge_of_the_patch_lies_at_the_radius_everywhere(a, b, r) -> None:
    covariance = matrix(a, b, r)
    axes = Figure().subplots()
    patch = draw_ellipse(axes, (-12.0, 6.0), covariance, confidence=0.9)
    turn = np.linspace(0.0, 2.0 * np.pi, 20)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    edge = patch.get_patch_transform().transform(circle) - (-12.0, 6.0)
    distance = np.einsum("ni,ij,nj->n", edge, np.linalg.inv(covariance), edge)
    np.testing.assert_allclose(distance, stats.chi2.ppf(0.9, 2), rtol=1e-6)
    assert patch in axes.patches


def test_an_ellipse_without_width_is_a_line() -> None:
    shape = ellipse_shape([[1.0, -8.0], [-8.0, 64.0]])
    assert shape.minor == pytest.approx(0.0, abs=1e-6)
    assert shape.angle == pytest.approx(np.degrees(np.arctan(-8.0)))


@pytest.mark.parametrize(
    "wrong",
    [
        [[1.0, 2.0], [2.0, 1.0]],
        [[-1.0, 0.0], [0.0, -1.0]],
        [[1.0, 0.5], [0.1, 1.0]],
        [[np.nan, 0.0], [0.0, 1.0]],
        [1.0, 2.0],
    ],
)
def test_what_is_no_covariance_is_refused(wrong) -> None:
    with pytest.raises(InputError, match="is no covariance"):
        ellipse_shape(wrong)


def test_confidence_and_units_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="Invalid confidence 95"):
        confidence_radius(95)
    with pytest.raises(InputError, match="2 units give no ellipse"):
        confidence_radius(0.95, n_units=2)


def test_covariance_of_d_excess_is_that_of_its_draws() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(-12.0, 2.0, 300)
    y = 7.0 * x + rng.normal(0.0, 6.0, 300)
    found = np.cov(x, y)
    wanted = np.cov(x, y - 8.0 * x)
    ours = d_excess_covariance(found[0, 0], found[1, 1], found[0, 1])
    np.testing.assert_allclose(ours, wanted, rtol=1e-10)


def test_the_error_of_d_excess_tells_the_covariance() -> None:
    row = {"d18O_se": 0.5, "d2H_se": 4.0, "d18O_d2H_se_cov": 1.7}
    told = row_covariance(row, "mean")
    excess = np.sqrt(told[1, 1])
    del row["d18O_d2H_se_cov"]
    np.testing.assert_allclose(
        row_covariance({**row, "d_excess_se": excess}, "mean"), told
    )
    assert row_covariance(row, "mean") is None
    assert row_covariance({**row, "d_excess_se": 30.0}, "mean") is None


def test_the_mean_of_a_source_is_known_by_its_number_of_samples() -> None:
    row = {"d18O_sd": 2.0, "d2H_sd": 16.0, "d18O_d2H_cov": 30.0, "n": 100}
    wide = row_covariance(row, "samples")
    np.testing.assert_allclose(mean_covariance(row), wide / 100)
    weighted = {**row, "n_effective": 25.0}
    np.testing.assert_allclose(mean_covariance(weighted), wide / 25)
    del row["n"]
    assert mean_covariance(row) is None
    assert (row_units(row), row_units(weighted)) == (None, 25.0)
