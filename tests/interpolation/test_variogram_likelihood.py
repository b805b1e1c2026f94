"""Likelihoods against scipy's own density, and fits against a search of all."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats
from scipy.linalg import null_space
from scipy.spatial.distance import cdist

from geosoil.interpolation.base import merge_points
from geosoil.interpolation.variogram import Variogram, fit_variogram
from geosoil.interpolation.variogram_fit import FitSettings
from geosoil.interpolation.variogram_likelihood import (
    fit_likelihood,
    flat_likelihood,
    log_likelihood,
)
from geosoil.interpolation.variogram_models import VariogramError

TRUTH = Variogram("exponential", 0.2, 0.8, 120.0)


@pytest.fixture(scope="module")
def xy() -> np.ndarray:
    return np.random.default_rng(1).uniform(0, 1000, (60, 2))


def drawn(xy: np.ndarray, seed: int) -> np.ndarray:
    """Values of the truth."""
    lower = np.linalg.cholesky(TRUTH.covariance_between(xy, xy))
    return 5 + lower @ np.random.default_rng(seed).normal(size=len(xy))


def test_the_likelihood_is_the_density_at_the_generalised_mean(xy: np.ndarray) -> None:
    z, f = drawn(xy, 1), np.column_stack([np.ones(60), xy[:, 0] / 1000])
    covariance = TRUTH.covariance_between(xy, xy)
    inverse = np.linalg.inv(covariance)
    mean = f @ np.linalg.solve(f.T @ inverse @ f, f.T @ inverse @ z)
    expected = stats.multivariate_normal.logpdf(z, mean, covariance)
    assert log_likelihood(z, f, covariance) == pytest.approx(expected, rel=1e-10)


def test_the_restricted_likelihood_is_the_density_of_the_contrasts(
    xy: np.ndarray,
) -> None:
    z, f = drawn(xy, 2), np.column_stack([np.ones(60), xy / 1000])
    covariance = TRUTH.covariance_between(xy, xy)
    contrasts = null_space(f.T)
    expected = stats.multivariate_normal.logpdf(
        contrasts.T @ z, np.zeros(57), contrasts.T @ covariance @ contrasts
    )
    found = log_likelihood(z, f, covariance, method="reml")
    assert found == pytest.approx(expected, rel=1e-10)
    shifted = log_likelihood(z + f @ [3.0, -2.0, 9.0], f, covariance, method="reml")
    assert shifted == pytest.approx(found, rel=1e-9)


def test_a_matrix_that_is_no_covariance_has_no_likelihood() -> None:
    assert log_likelihood([1.0, 2.0], np.ones((2, 1)), -np.eye(2)) == -np.inf


@pytest.mark.parametrize("method", ["ml", "reml"])
def test_no_other_parameters_are_likelier(xy: np.ndarray, method: str) -> None:
    z, ones = drawn(xy, 3), np.ones((60, 1))
    distance = cdist(xy, xy)
    fitted = fit_variogram(xy, z, model="exponential", method=method)  # type: ignore[arg-type]

    def loss(theta: np.ndarray) -> float:
        nugget, sill, range_ = np.exp(theta)
        model = Variogram("exponential", nugget, sill, range_)
        return -log_likelihood(z, ones, model.covariance(distance), method=method)  # type: ignore[arg-type]

    best = min(
        (
            optimize.minimize(loss, np.log(start), method="Nelder-Mead")
            for start in ([0.2, 0.8, 120.0], [0.5, 0.5, 40.0], [0.1, 1.5, 400.0])
        ),
        key=lambda result: result.fun,
    )
    assert fitted.fit.log_likelihood >= -best.fun - 1e-5
    own = np.log([max(fitted.nugget, 1e-12), fitted.partial_sill, fitted.range_])
    assert fitted.fit.log_likelihood == pytest.approx(-loss(own), rel=1e-8)
    assert fitted.fit.converged
    assert fitted.fit.method == method
    assert fitted.fit.aic == pytest.approx(6 - 2 * fitted.fit.log_likelihood)


def test_reml_sills_exceed_those_of_ml(xy: np.ndarray) -> None:
    bounds = {"range_": (120.0, 120.0)}
    found = {
        method: fit_variogram(
            xy,
            drawn(xy, 3),
            model="exponential",
            method=method,
            bounds=bounds,  # type: ignore[arg-type]
        ).sill
        for method in ("ml", "reml")
    }
    assert found["reml"] > found["ml"]


def test_a_flat_field_has_the_sample_variance(xy: np.ndarray) -> None:
    places = merge_points(xy, np.random.default_rng(7).normal(size=60))
    ones = np.ones((60, 1))
    ml, likelihood = flat_likelihood(places, ones, "ml")
    reml, _ = flat_likelihood(places, ones, "reml")
    assert ml == pytest.approx(places.values.var())
    assert reml == pytest.approx(places.values.var(ddof=1))
    expected = stats.norm.logpdf(places.values, places.values.mean(), ml**0.5).sum()
    assert likelihood == pytest.approx(expected)
    fitted = fit_variogram(places.xy, places.values, method="reml")
    assert fitted.model == "nugget"
    assert fitted.nugget == pytest.approx(reml)


def test_the_smoothness_is_searched_within_its_bounds(xy: np.ndarray) -> None:
    settings = FitSettings(
        "matern", method="reml", smoothness="fit", bounds={"smoothness": (0.4, 0.9)}
    )
    found = fit_likelihood(
        merge_points(xy, drawn(xy, 3)), np.ones((60, 1)), settings, 450.0
    )
    assert 0.4 * (1 - 1e-9) <= found.smoothness <= 0.9 * (1 + 1e-9)
    half = fit_likelihood(
        merge_points(xy, drawn(xy, 3)),
        np.ones((60, 1)),
        FitSettings("matern", method="reml", smoothness=0.5),
        450.0,
    )
    assert found.loss <= half.loss + 1e-6


def test_too_many_places_and_models_without_covariance_are_refused() -> None:
    xy = np.random.default_rng(1).uniform(0, 1000, (501, 2))
    with pytest.raises(VariogramError, match=r"501 places, at most 500.*'wls'"):
        fit_variogram(xy, xy[:, 0], method="reml")
    with pytest.raises(VariogramError, match="power model has no covariance"):
        fit_variogram(xy[:50], xy[:50, 0], method="ml", model="power")
    with pytest.raises(VariogramError, match="linear model has no covariance"):
        fit_variogram(xy[:50], xy[:50, 0], method="ml", model="linear")


@pytest.mark.slow
def test_reml_finds_the_truth_on_average() -> None:
    xy = np.random.default_rng(5).uniform(0, 1000, (120, 2))
    fits = [
        fit_variogram(xy, drawn(xy, seed), model="exponential", method="reml")
        for seed in range(40)
    ]
    sills = [fit.sill for fit in fits]
    assert np.mean(sills) == pytest.approx(TRUTH.sill, abs=4 * np.std(sills) / 40**0.5)
    ranges = [fit.range_ for fit in fits if fit.model != "nugget"]
    assert np.median(ranges) == pytest.approx(TRUTH.range_, rel=0.4)
