"""Realisations as a linear map of noise: its covariance must be the closed form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.interpolation import simulation_draws
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.kriging_system import SingularKrigingError, solve_system
from geosoil.interpolation.simulation_draws import ConditionalDraws
from geosoil.interpolation.simulation_samplers import semidefinite_root
from geosoil.interpolation.simulation_settings import SimulationSettings
from geosoil.interpolation.simulation_trend import Trend
from geosoil.interpolation.variogram import NestedVariogram, Variogram

METHODS = ("exact", "residual", "sequential")
NUGGET = Variogram("spherical", 0.2, 0.8, 700.0)
DIRECTED = NestedVariogram(
    (
        Variogram("exponential", 0.1, 0.5, 200.0, anisotropy=Anisotropy(30.0, 0.4)),
        Variogram("spherical", 0.0, 0.6, 900.0),
    )
)
COUNT = 25


def sites() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    xy = rng.uniform(0, 1000, (COUNT, 2))
    return xy, rng.normal(5, 1, COUNT), rng.uniform(0.05, 0.4, COUNT)


def targets() -> np.ndarray:
    """Places, of which three are data and two are one and the same."""
    rng = np.random.default_rng(4)
    places = rng.uniform(-100, 1100, (20, 2))
    return np.vstack([places, sites()[0][[2, 9, 11]], places[:1]])


def settings(method: str, n_neighbors: int = 100) -> SimulationSettings:
    return SimulationSettings(7, n_neighbors, method)  # type: ignore[arg-type]


def moments(draws: ConditionalDraws) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance that a linear map gives to independent noise."""
    mean = draws.from_noise(np.zeros((1, draws.n_numbers)))[0]
    root = draws.from_noise(np.eye(draws.n_numbers)) - mean
    return mean, root.T @ root


def closed_form(
    model: Any,
    noise: np.ndarray,
    drift: tuple[np.ndarray, np.ndarray],
    values: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of universal kriging, by plain inverses."""
    xy, to = sites()[0], targets()
    at_data, at_targets = drift
    inverse = np.linalg.inv(model.covariance_between(xy, xy) + np.diag(noise))
    near = model.covariance_between(xy, to)
    covariance = model.covariance_between(to, to) - near.T @ inverse @ near
    if not at_data.shape[1]:
        return near.T @ inverse @ values, covariance
    spread = np.linalg.inv(at_data.T @ inverse @ at_data)
    coefficients = spread @ at_data.T @ inverse @ values
    gap = at_targets - near.T @ inverse @ at_data
    mean = at_targets @ coefficients
    mean += near.T @ inverse @ (values - at_data @ coefficients)
    return mean, covariance + gap @ spread @ gap.T


def ones_and(*columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Columns of a drift at the data and at the targets."""
    both = np.column_stack([np.ones(COUNT + len(targets())), *columns])
    return both[:COUNT], both[COUNT:]


def elevation() -> np.ndarray:
    both = np.vstack([sites()[0], targets()])
    return np.sin(both[:, 0] / 150) + both[:, 1] / 500


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("kind", ["ordinary", "simple", "universal", "external"])
@pytest.mark.parametrize("model", [NUGGET, DIRECTED], ids=["nugget", "nested"])
def test_with_all_neighbours_realisations_have_the_moments_of_the_closed_form(
    method: str, noisy: bool, kind: str, model: Any
) -> None:
    xy, z, variance = sites()
    both, height = np.vstack([xy, targets()]), elevation()
    options: dict[str, Any] = {"mean": 4.0} if kind == "simple" else {}
    options |= {"drift": "linear"} if kind == "universal" else {}
    fit: dict[str, Any] = {"variance": variance} if noisy else {}
    at: dict[str, Any] = {}
    if kind == "external":
        fit |= {"drift": height[:COUNT]}
        at = {"drift": height[COUNT:]}
    kriging = Kriging(model, **options).fit(xy, z, **fit)
    drift = {
        "ordinary": ones_and(),
        "simple": (np.empty((COUNT, 0)), np.empty((len(targets()), 0))),
        "universal": ones_and(*both.T),
        "external": ones_and(height),
    }[kind]
    mean = 4.0 if kind == "simple" else 0.0
    noise = variance if noisy else np.zeros(COUNT)
    expected, covariance = closed_form(model, noise, drift, z - mean)
    found = moments(ConditionalDraws(kriging, targets(), settings(method), **at))
    np.testing.assert_allclose(found[0], expected + mean, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found[1], covariance, rtol=0, atol=1e-8)
    answer = kriging.predict(targets(), **at)
    np.testing.assert_allclose(found[0], answer["estimate"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        np.diagonal(found[1]), answer["kriging_variance"], rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("method", METHODS)
def test_the_error_of_a_variogram_is_filtered(method: str) -> None:
    xy, z, _ = sites()
    kriging = Kriging(replace(NUGGET, error=0.3)).fit(xy, z)
    mean, covariance = moments(ConditionalDraws(kriging, targets(), settings(method)))
    answer = kriging.predict(targets())
    np.testing.assert_allclose(mean, answer["estimate"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        np.diagonal(covariance), answer["kriging_variance"], rtol=0, atol=1e-8
    )


def test_the_residual_method_has_the_kriging_estimate_with_any_neighbours() -> None:
    xy, z, variance = sites()
    kriging = Kriging(NUGGET, drift="linear").fit(xy, z, variance=variance)
    draws = ConditionalDraws(kriging, targets(), settings("residual", 3))
    mean = draws.from_noise(np.zeros((1, draws.n_numbers)))[0]
    np.testing.assert_allclose(
        mean, kriging.predict(targets())["estimate"], rtol=0, atol=1e-9
    )


def fine_grid() -> np.ndarray:
    x, y = np.meshgrid(np.arange(20) * 50.0, np.arange(20) * 50.0)
    return np.column_stack([x.ravel(), y.ravel()])


@pytest.mark.parametrize(
    ("model", "within", "block"),
    [
        (Variogram("exponential", 0.1, 0.9, 300.0), 0.01, 0.02),
        (Variogram("spherical", 0.3, 0.7, 600.0), 0.03, 0.02),
        (Variogram("matern", 0.0, 1.0, 150.0, smoothness=1.5), 0.03, 0.02),
        (Variogram("gaussian", 0.2, 0.8, 300.0), 0.05, 0.02),
    ],
    ids=lambda value: getattr(value, "model", ""),
)
def test_32_neighbours_are_nearly_all(
    model: Variogram, within: float, block: float
) -> None:
    xy, z, _ = sites()
    kriging = Kriging(model).fit(xy, z)
    _, exact = moments(ConditionalDraws(kriging, fine_grid(), settings("exact")))
    draws = ConditionalDraws(kriging, fine_grid(), settings("residual", 32))
    _, found = moments(draws)
    spread = np.sqrt(np.diagonal(found) / np.diagonal(exact))
    np.testing.assert_allclose(spread, 1.0, rtol=0, atol=within)
    assert np.sqrt(found.mean() / exact.mean()) == pytest.approx(1.0, abs=block)


@pytest.mark.parametrize("n_neighbors", [32, 64])
def test_the_weights_of_a_smooth_model_stay_bounded(n_neighbors: int) -> None:
    xy, z, _ = sites()
    model = Variogram("gaussian", 0.0, 1.0, 400.0)
    kriging = Kriging(model).fit(xy, z, variance=np.full(COUNT, 0.1))
    draws = ConditionalDraws(kriging, fine_grid(), settings("residual", n_neighbors))
    _, covariance = moments(draws)
    variance = kriging.predict(fine_grid())["kriging_variance"].to_numpy()
    np.testing.assert_allclose(np.diagonal(covariance), variance, rtol=0, atol=0.02)


def test_a_path_over_the_data_finds_the_trend_of_the_whole_system() -> None:
    xy, z, variance = sites()
    kriging = Kriging(DIRECTED, drift="linear").fit(xy, z, variance=variance)
    whole = Trend.of_system(solve_system(kriging.data_))
    along = Trend.along_path(kriging.data_, n_neighbors=COUNT)
    np.testing.assert_allclose(along.coefficients, whole.coefficients, atol=1e-9)
    np.testing.assert_allclose(
        along.root @ along.root.T, whole.root @ whole.root.T, atol=1e-9
    )


def test_more_data_than_one_system_takes_are_simulated_along_a_path(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    xy, z, _ = sites()
    kriging = Kriging(NUGGET).fit(xy, z)
    monkeypatch.setattr(simulation_draws, "DENSE_LIMIT", COUNT - 1)
    draws = ConditionalDraws(kriging, targets(), settings("sequential"))
    mean, covariance = moments(draws)
    answer = kriging.predict(targets())
    np.testing.assert_allclose(mean, answer["estimate"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        np.diagonal(covariance), answer["kriging_variance"], rtol=0, atol=1e-8
    )


@pytest.mark.parametrize("method", METHODS)
def test_equal_values_make_fields_without_variance(method: str) -> None:
    xy, _, _ = sites()
    kriging = Kriging("spherical").fit(xy, np.full(COUNT, 3.0))
    draws = ConditionalDraws(kriging, targets(), settings(method))
    np.testing.assert_allclose(draws.realizations(0, 4), 3.0, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_noise_without_a_field_leaves_the_uncertain_mean(method: str) -> None:
    xy, z, variance = sites()
    flat = Variogram("nugget", 0.0, 0.0, 1.0)
    kriging = Kriging(flat).fit(xy, z, variance=variance)
    mean, covariance = moments(ConditionalDraws(kriging, targets(), settings(method)))
    weights = 1 / variance
    np.testing.assert_allclose(mean, np.average(z, weights=weights), atol=1e-9)
    np.testing.assert_allclose(covariance, 1 / weights.sum(), atol=1e-9)


def test_geodesic_distances_are_simulated_exactly() -> None:
    xy, z, _ = sites()
    degrees = np.array([95.0, 34.0])
    kriging = Kriging(Variogram("exponential", 0.1, 0.9, 50_000.0), distance="wgs84")
    kriging.fit(degrees + xy / 1000, z)
    places = degrees + targets() / 1000
    mean, covariance = moments(ConditionalDraws(kriging, places, settings("exact")))
    answer = kriging.predict(places)
    np.testing.assert_allclose(mean, answer["estimate"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(
        np.diagonal(covariance), answer["kriging_variance"], rtol=0, atol=1e-8
    )


@given(
    rank=st.integers(1, 6),
    size=st.integers(1, 8),
    seed=st.integers(0, 10**6),
)
def test_the_root_of_a_singular_covariance_gives_it_back(
    rank: int, size: int, seed: int
) -> None:
    root = np.random.default_rng(seed).normal(size=(size, rank))
    matrix = root @ root.T
    found = semidefinite_root(matrix.copy())
    np.testing.assert_allclose(found @ found.T, matrix, rtol=0, atol=1e-9)


def test_what_is_no_covariance_has_no_root() -> None:
    with pytest.raises(SingularKrigingError, match="covariance of no field"):
        semidefinite_root(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_nothing_to_draw_is_no_fault() -> None:
    xy, z, _ = sites()
    kriging = Kriging(NUGGET).fit(xy, z)
    for method in METHODS:
        draws = ConditionalDraws(kriging, xy[:4], settings(method))
        np.testing.assert_array_equal(draws.realizations(0, 2), [z[:4], z[:4]])
