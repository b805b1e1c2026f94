"""Scores against their definitions, quadrature and what they should be."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from geosoil.errors import InputError
from geosoil.interpolation.validation_scores import normal_crps, score_predictions


@given(st.floats(-4, 4), st.floats(0.2, 3))
def test_the_crps_is_the_integral_of_the_squared_distance(
    error: float, sd: float
) -> None:
    def below(x: float) -> float:
        return stats.norm.cdf(x, scale=sd) ** 2

    def above(x: float) -> float:
        return stats.norm.sf(x, scale=sd) ** 2

    integral = integrate.quad(below, -40, error, points=[0.0])[0]
    integral += integrate.quad(above, error, 40, points=[0.0])[0]
    found = normal_crps(np.array([error]), np.array([sd]))
    np.testing.assert_allclose(found, integral, rtol=1e-6)


def test_scores_are_their_definitions() -> None:
    rng = np.random.default_rng(1)
    observed, predicted = rng.normal(size=(2, 50))
    variance = rng.uniform(0.5, 2, 50)
    scores = score_predictions(observed, predicted, variance)
    error, z2 = observed - predicted, (observed - predicted) ** 2 / variance
    expected = {
        "mean_error": error.mean(),
        "rmse": np.sqrt((error**2).mean()),
        "mae": np.abs(error).mean(),
        "nse": 1 - (error**2).mean() / observed.var(),
        "r_observed_predicted": stats.pearsonr(observed, predicted)[0],
        "r_predicted_residual": stats.pearsonr(predicted, error)[0],
        "msdr": z2.mean(),
        "median_z2": np.median(z2),
        "picp90": (z2 <= stats.norm.ppf(0.95) ** 2).mean(),
        "picp95": (z2 <= stats.norm.ppf(0.975) ** 2).mean(),
    }
    found = asdict(scores)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-12), name
    assert scores.reasons == {}


def test_a_true_variance_scores_as_it_should() -> None:
    rng = np.random.default_rng(7)
    variance = rng.uniform(0.5, 4, 40_000)
    observed = rng.normal(scale=np.sqrt(variance))
    scores = score_predictions(observed, np.zeros(40_000), variance)
    assert scores.msdr == pytest.approx(1.0, abs=0.03)
    assert scores.median_z2 == pytest.approx(0.455, abs=0.02)
    assert scores.picp90 == pytest.approx(0.90, abs=0.006)
    assert scores.picp95 == pytest.approx(0.95, abs=0.005)
    ideal = (np.sqrt(variance) / np.sqrt(np.pi)).mean()
    assert scores.crps == pytest.approx(ideal, rel=0.02)
    assert scores.reasons == {
        "r_observed_predicted": "the values of one side are equal",
        "r_predicted_residual": "the values of one side are equal",
    }


@given(st.floats(0.01, 100), st.floats(-1000, 1000))
def test_scores_follow_the_units_of_the_values(scale: float, shift: float) -> None:
    rng = np.random.default_rng(3)
    observed, predicted = rng.normal(size=(2, 20))
    variance = rng.uniform(1, 2, 20)
    plain = score_predictions(observed, predicted, variance)
    moved = score_predictions(
        scale * observed + shift, scale * predicted + shift, scale**2 * variance
    )
    for name in ("rmse", "mae", "crps", "mean_error"):
        assert getattr(moved, name) == pytest.approx(
            scale * getattr(plain, name), rel=1e-6, abs=1e-9
        )
    for name in ("nse", "msdr", "picp90", "r_observed_predicted"):
        assert getattr(moved, name) == pytest.approx(getattr(plain, name), rel=1e-6)


def test_rows_with_a_gap_are_left_out() -> None:
    scores = score_predictions(
        [1.0, np.nan, 3.0, 4.0], [1.0, 2.0, np.nan, 5.0], [1.0, 1.0, 1.0, 0.0]
    )
    assert (scores.n, scores.n_variance) == (2, 1)
    assert scores.rmse == pytest.approx(np.sqrt(0.5))
    assert scores.reasons["r_observed_predicted"] == "2 predictions, 3 are needed"


def test_nothing_predicted_is_all_nan_with_reasons() -> None:
    scores = score_predictions([1.0], [np.nan])
    numbers = {k: v for k, v in asdict(scores).items() if k not in ("n", "n_variance")}
    reasons = numbers.pop("reasons")
    assert np.isnan(list(numbers.values())).all()
    assert set(reasons) == set(numbers)
    assert reasons["rmse"] == "nothing was predicted"


def test_bad_shapes_and_variances_are_refused() -> None:
    with pytest.raises(InputError, match=r"must be of one shape \(n,\)"):
        score_predictions([1.0, 2.0], [1.0])
    with pytest.raises(InputError, match=r"below 0 in rows \[1\]"):
        score_predictions([1.0, 2.0], [1.0, 2.0], [0.0, -1.0])
