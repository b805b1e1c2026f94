"""Mean fractions of normal balances against adaptive quadrature and large draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit, ndtri
from scipy.stats import norm

from geosoil.interpolation._kernels_log_ratio import (
    normal_rule,
    part_moments,
    parts_of,
    pivot_matrix,
    stratified_uniforms,
)


@pytest.mark.parametrize("spread", [0.0, 0.3, 1.0, 2.0])
@pytest.mark.parametrize("mean", [-2.0, 0.0, 0.7])
def test_two_parts_equal_the_logistic_normal_by_quadrature(
    mean: float, spread: float
) -> None:
    def part(z: float) -> float:
        return float(expit(np.sqrt(2.0) * (mean + spread * z)))

    def moment(power: int) -> float:
        return quad(
            lambda z: part(z) ** power * norm.pdf(z), -12, 12, epsabs=1e-13, limit=200
        )[0]

    first, second = part_moments(
        np.array([[mean]]), np.array([[spread]]), normal_rule(1), pivot_matrix(2)
    )
    assert first[0, 0] == pytest.approx(moment(1), abs=1e-8)
    assert first[0].sum() == pytest.approx(1.0, abs=1e-14)
    assert second[0, 0] == pytest.approx(moment(2) - moment(1) ** 2, abs=1e-8)
    assert second[0, 0] == pytest.approx(second[0, 1], abs=1e-14)


@pytest.mark.parametrize("spread", [(0.8, 0.5), (1.2, 1.2)])
def test_three_parts_equal_a_fine_sum_over_the_plane(spread: tuple[float, ...]) -> None:
    mean, basis = np.array([0.4, -0.3]), pivot_matrix(3)
    first, second = part_moments(mean[None], np.array([spread]), normal_rule(2), basis)
    # The trapezoid rule is exact to rounding for such smooth bells.
    line = np.linspace(-9.0, 9.0, 361)
    plane = np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1)
    weights = norm.pdf(plane).prod(axis=-1) * (line[1] - line[0]) ** 2
    parts = parts_of(mean + np.array(spread) * plane, basis)
    expected = (parts * weights[..., None]).sum(axis=(0, 1))
    np.testing.assert_allclose(first[0], expected, rtol=0, atol=1e-8)
    squares = (parts**2 * weights[..., None]).sum(axis=(0, 1)) - expected**2
    np.testing.assert_allclose(second[0], squares, rtol=0, atol=1e-7)


@pytest.mark.parametrize("count", [2, 3])
def test_the_product_rule_equals_many_draws(count: int) -> None:
    rng = np.random.default_rng(count)
    mean, spread = rng.normal(size=(6, count)), rng.uniform(0.1, 1.2, (6, count))
    basis = pivot_matrix(count + 1)
    first, second = part_moments(mean, spread, normal_rule(count), basis)
    normals = rng.standard_normal((50_000, count))
    for row in range(6):
        parts = parts_of(mean[row] + spread[row] * normals, basis)
        error = 5.0 * parts.std(axis=0) / np.sqrt(len(parts))
        assert (np.abs(parts.mean(axis=0) - first[row]) < error).all()
        np.testing.assert_allclose(parts.var(axis=0), second[row], rtol=0.03)


def test_without_spread_the_mean_is_the_centre() -> None:
    mean = np.random.default_rng(0).normal(size=(9, 3)) * 3
    first, second = part_moments(
        mean, np.zeros((9, 3)), normal_rule(3), pivot_matrix(4)
    )
    np.testing.assert_allclose(first, parts_of(mean, pivot_matrix(4)), atol=1e-14)
    assert second.max() < 1e-25


def test_extreme_balances_stay_compositions() -> None:
    mean = np.array([[160.0, -1000.0, 3.0], [-700.0, 700.0, 0.0]])
    spread = np.array([[5.0, 20.0, 40.0], [0.0, 300.0, 1.0]])
    first, second = part_moments(mean, spread, normal_rule(3), pivot_matrix(4))
    np.testing.assert_allclose(first.sum(axis=1), 1.0, atol=1e-14)
    assert np.isfinite(second).all()
    # Balance 2 pulls its part down and those after it up, past the first part.
    assert first[0, 2] + first[0, 3] == pytest.approx(1.0, abs=1e-12)


def test_the_rule_integrates_polynomials_exactly() -> None:
    for count in (1, 2, 3):
        nodes, weights = normal_rule(count)
        assert weights.sum() == pytest.approx(1.0, abs=1e-14)
        np.testing.assert_allclose(nodes @ weights, 0.0, atol=1e-13)
        np.testing.assert_allclose(
            (nodes * weights) @ nodes.T, np.eye(count), atol=1e-12
        )
        np.testing.assert_allclose(nodes**6 @ weights, 15.0, rtol=1e-11)


def test_each_stratum_of_the_draws_holds_one() -> None:
    draws = stratified_uniforms(500, 3, seed=1)
    for row in draws:
        np.testing.assert_array_equal(np.sort((row * 500).astype(int)), np.arange(500))
    assert np.isfinite(ndtri(draws)).all()
    assert np.abs(np.corrcoef(draws) - np.eye(3)).max() < 0.15
    np.testing.assert_array_equal(draws, stratified_uniforms(500, 3, seed=1))
    assert (draws != stratified_uniforms(500, 3, seed=2)).any()
