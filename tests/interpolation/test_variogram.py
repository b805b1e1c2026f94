"""Variograms against gstat, and the honest answer where there is no structure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist, pdist

from geosoil.errors import InputError
from geosoil.interpolation.empirical import empirical_variogram
from geosoil.interpolation.variogram import Variogram, fit_variogram

NAMES = {"Sph": "spherical", "Exp": "exponential", "Gau": "gaussian"}


def field(count: int, *, likeness: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places in a square of 1 km, and a field of range 150 m with noise on it."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 1000, (count, 2))
    covariance = np.exp(-cdist(xy, xy) / 150) + 1e-10 * np.eye(count)
    smooth = np.linalg.cholesky(covariance) @ rng.normal(size=count)
    noise = rng.normal(size=count)
    return xy, np.sqrt(likeness) * smooth + np.sqrt(1 - likeness) * noise


@pytest.mark.parametrize(("code", "range_"), [("Sph", 900), ("Exp", 300), ("Gau", 500)])
def test_models_equal_gstat(gstat: Path, code: str, range_: float) -> None:
    table = pd.read_csv(gstat / "model_gamma.csv").query("model == @code")
    variogram = Variogram(NAMES[code], 0.05, 0.59, range_)  # type: ignore[arg-type]
    np.testing.assert_allclose(variogram.gamma(table["h"]), table["gamma"], rtol=1e-13)


def test_gamma_is_zero_at_zero_and_the_covariance_is_its_mirror() -> None:
    variogram = Variogram("exponential", 0.3, 0.7, 100.0)
    assert variogram.gamma([0.0]) == 0
    assert variogram.covariance([0.0]) == variogram.sill == 1.0
    h = np.linspace(1, 500, 20)
    np.testing.assert_allclose(variogram.gamma(h) + variogram.covariance(h), 1.0)
    np.testing.assert_array_equal(Variogram("nugget", 0.3, 0.0, 1.0).gamma(h), 0.3)


def test_the_empirical_variogram_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "ev_logzinc_default.csv")
    found = empirical_variogram(sites, meuse["log_zinc"])
    np.testing.assert_array_equal(found["n"], table["np"])
    np.testing.assert_allclose(found["distance"], table["dist"], rtol=1e-13)
    np.testing.assert_allclose(found["gamma"], table["gamma"], rtol=1e-13)


def test_blocks_of_points_count_every_pair_once() -> None:
    xy, values = field(1100, likeness=0.5, seed=3)
    found = empirical_variogram(xy, values, cutoff=2000.0, n_bins=1)
    assert found["n"].tolist() == [1100 * 1099 // 2]
    expected = np.mean(pdist(values[:, None]) ** 2) / 2
    assert found["gamma"][0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("case", "code"), [("sph_m7", "Sph"), ("exp_m7", "Exp")])
def test_the_fit_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path, case: str, code: str
) -> None:
    table = pd.read_csv(gstat / "fit.csv").query("case == @case").set_index("model")
    fitted = fit_variogram(sites, meuse["log_zinc"], model=NAMES[code])  # type: ignore[arg-type]
    assert fitted.nugget == pytest.approx(table["psill"]["Nug"], rel=1e-4)
    assert fitted.partial_sill == pytest.approx(table["psill"][code], rel=1e-4)
    assert fitted.range_ == pytest.approx(table["range"][code], rel=1e-4)
    assert fitted.sum_of_squares == pytest.approx(table["SSErr"][code], rel=1e-7)
    assert fitted.flag == ""
    assert fitted.n_pairs == 6883


def test_the_gaussian_fit_is_no_worse_than_gstats(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    # gstat stops in a valley beside the deepest one.
    table = pd.read_csv(gstat / "fit.csv").query("case == 'gau_m7'")
    fitted = fit_variogram(sites, meuse["log_zinc"], model="gaussian")
    assert fitted.sum_of_squares is not None
    assert fitted.sum_of_squares < table["SSErr"].iloc[0]


def test_noise_is_called_noise_as_often_as_promised() -> None:
    fits = [fit_variogram(*field(80, likeness=0.0, seed=seed)) for seed in range(60)]
    flat = [fit for fit in fits if fit.model == "nugget"]
    assert len(flat) >= 51
    assert all("pure nugget" in fit.flag for fit in flat)
    assert all(0.5 < fit.sill < 2 for fit in flat)


def test_structure_is_found_where_there_is_some() -> None:
    fits = [fit_variogram(*field(80, likeness=0.9, seed=seed)) for seed in range(40)]
    assert sum(fit.model == "spherical" for fit in fits) >= 36


def test_equal_values_have_no_variance() -> None:
    xy, _ = field(20, likeness=0.0, seed=1)
    fitted = fit_variogram(xy, np.full(20, 0.3))
    assert (fitted.model, fitted.sill) == ("nugget", 0.0)
    assert fitted.flag == "all values are equal"


def test_a_trend_is_flagged_as_still_rising() -> None:
    xy, _ = field(60, likeness=0.0, seed=2)
    fitted = fit_variogram(xy, xy[:, 0])
    assert "still rises at the cutoff" in fitted.flag


def test_scaling_places_and_values_scales_the_fit() -> None:
    xy, values = field(70, likeness=0.9, seed=6)
    plain, scaled = fit_variogram(xy, values), fit_variogram(100 * xy, 10 * values)
    assert scaled.range_ == pytest.approx(100 * plain.range_, rel=1e-5)
    assert scaled.sill == pytest.approx(100 * plain.sill, rel=1e-5)
    assert scaled.nugget == pytest.approx(100 * plain.nugget, rel=1e-4, abs=1e-6)


def test_what_cannot_be_fitted_is_refused() -> None:
    with pytest.raises(InputError, match=r"3 places.*found 2 \(1 without a value, 1"):
        fit_variogram([[0, 0], [0, 0], [1, 1], [2, 2]], [1, 2, 3, np.nan])
    with pytest.raises(InputError, match="Unknown model 'cubic'"):
        fit_variogram(np.zeros((5, 2)), np.zeros(5), model="cubic")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Invalid cutoff -1"):
        empirical_variogram([[0, 0], [1, 0], [2, 0]], [1, 2, 3], cutoff=-1)
    with pytest.raises(
        InputError, match=r"nugget is -1.*partial_sill is nan.*range_ is 0"
    ):
        Variogram("spherical", -1, np.nan, 0)
    with pytest.raises(InputError, match="model 'Sph' is none of"):
        Variogram("Sph", 0, 1, 1)  # type: ignore[arg-type]
