"""Fits by least squares: gstat's numbers, known truths, bounds and cautions."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.empirical import empirical_variogram
from geosoil.interpolation.variogram import (
    NestedVariogram,
    Variogram,
    fit_variogram,
)
from geosoil.interpolation.variogram_fit import FitSettings
from geosoil.interpolation.variogram_models import VariogramError
from geosoil.interpolation.variogram_notes import fit_notes
from geosoil.interpolation.variogram_search import search_box
from geosoil.interpolation.variogram_squares import (
    class_weights,
    fit_classes,
    fitted_gamma,
    least_squares,
)

H = np.linspace(40.0, 1500.0, 15)
WEIGHTS = {"m7": "n/h2", "m1": "n", "m6": "equal"}


def classes_of(variogram: Variogram | NestedVariogram) -> pd.DataFrame:
    """Classes of distance that lie on a variogram."""
    return pd.DataFrame({"n": 100, "distance": H, "gamma": variogram.gamma(H)})


@pytest.mark.parametrize("case", ["sph_m1", "sph_m6", "resid_sph_m7", "resid_exp_m7"])
def test_other_weights_and_residuals_fit_as_gstat_does(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path, case: str
) -> None:
    table = pd.read_csv(gstat / "fit.csv").query("case == @case")
    fitted = fit_variogram(
        sites,
        meuse["log_zinc"],
        model="exponential" if "exp" in case else "spherical",
        weights=WEIGHTS[case[-2:]],  # type: ignore[arg-type]
        drift=np.sqrt(meuse["dist"]) if "resid" in case else None,
    )
    expected = [*table["psill"], table["range"].iloc[1]]
    found = [fitted.nugget, fitted.partial_sill, fitted.range_]
    # gstat stops a little before the lowest point: parameters differ in the 4th digit.
    np.testing.assert_allclose(found, expected, rtol=5e-4)
    squares = table["SSErr"].iloc[0]
    assert squares * (1 - 1e-6) < fitted.fit.sse <= squares * (1 + 1e-9)


def test_weights_by_gamma_equal_gstat_when_taken_from_its_first_guess(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    # gstat keeps the weights of the first guess: nugget 0.1, sill 1, range 900.
    table = pd.read_csv(gstat / "fit.csv").query("case == 'sph_m2'")
    classes = empirical_variogram(sites, meuse["log_zinc"])
    guess = Variogram("spherical", 0.1, 1.0, 900.0).gamma(classes["distance"])
    weights = class_weights(classes, "n/gamma2", guess)
    found = least_squares(classes, weights, FitSettings(), 1543.0)
    assert found.loss == pytest.approx(table["SSErr"].iloc[0], rel=1e-7)
    expected = [*table["psill"], table["range"].iloc[1]]
    np.testing.assert_allclose(
        [found.nugget, *found.sills, *found.ranges], expected, rtol=1e-4
    )


def test_weights_by_gamma_come_from_the_fit_itself(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    fitted = fit_variogram(sites, meuse["log_zinc"], weights="n/gamma2")
    classes = fitted.fit.classes
    own = class_weights(classes, "n/gamma2", fitted.gamma(classes["distance"]))
    again = least_squares(classes, own, FitSettings(), fitted.cutoff)
    assert again.nugget == pytest.approx(fitted.nugget, rel=1e-5)
    assert again.ranges[0] == pytest.approx(fitted.range_, rel=1e-6)
    assert fitted.fit.converged


@pytest.mark.parametrize(
    "truth",
    [
        Variogram("circular", 0.1, 0.9, 700.0),
        Variogram("pentaspherical", 0.0, 0.9, 700.0),
        Variogram("bessel", 0.2, 0.5, 150.0),
        Variogram("hole", 0.1, 0.9, 120.0),
        Variogram("matern_stein", 0.1, 0.9, 300.0, smoothness=1.2),
        Variogram("exponential_class", 0.1, 0.9, 300.0, smoothness=1.7),
        Variogram("linear", 0.1, 0.9, 800.0),
        Variogram("power", 0.1, 0.02, 1.4),
        Variogram("logarithmic", 1.0, 0.2, 300.0),
    ],
    ids=lambda truth: truth.model,
)
def test_a_fit_to_a_models_own_classes_finds_its_parameters(truth: Variogram) -> None:
    settings = FitSettings(truth.model, smoothness=truth.smoothness)
    found = fit_classes(classes_of(truth), settings, 1500.0)
    assert found.ranges[0] == pytest.approx(truth.range_, rel=1e-4)
    assert found.sills[0] == pytest.approx(truth.partial_sill, rel=1e-4)
    assert found.nugget == pytest.approx(truth.nugget, abs=1e-3)


def test_the_smoothness_is_found_where_it_is_asked_for() -> None:
    truth = Variogram("matern", 0.1, 0.9, 200.0, smoothness=1.1)
    found = fit_classes(
        classes_of(truth), FitSettings("matern", smoothness="fit"), 1500.0
    )
    assert found.smoothness == pytest.approx(1.1, rel=1e-3)
    assert found.ranges[0] == pytest.approx(200.0, rel=1e-3)
    assert found.converged


def test_two_structures_are_found_where_there_are_two() -> None:
    truth = NestedVariogram(
        (
            Variogram("spherical", 0.1, 0.4, 200.0),
            Variogram("spherical", 0.0, 0.5, 1100.0),
        )
    )
    found = fit_classes(classes_of(truth), FitSettings(structures=2), 1500.0)
    np.testing.assert_allclose(found.ranges, [200.0, 1100.0], rtol=1e-3)
    np.testing.assert_allclose(found.sills, [0.4, 0.5], rtol=1e-3)
    assert found.nugget == pytest.approx(0.1, rel=1e-3)


def test_a_second_structure_never_makes_a_fit_worse(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    one = fit_variogram(sites, meuse["log_zinc"])
    two = fit_variogram(sites, meuse["log_zinc"], structures=2)
    assert isinstance(two, NestedVariogram)
    assert two.fit.sse < one.fit.sse
    classes = two.fit.classes
    weights = classes["n"] / classes["distance"] ** 2
    squares = weights @ (classes["gamma"] - two.gamma(classes["distance"])) ** 2
    assert two.fit.sse == pytest.approx(squares, rel=1e-10)
    assert two.range_ == max(part.range_ for part in two.structures)
    # Two more parameters cost 4, and lower 15 log(sse) by 1.2 only.
    assert two.flag == (
        "one structure is enough: the second is not worth its parameters (AIC)"
    )
    assert two.fit.aic > one.fit.aic


def test_a_second_structure_that_pays_is_not_flagged() -> None:
    rng = np.random.default_rng(12)
    truth = NestedVariogram(
        (
            Variogram("spherical", 0.1, 0.4, 200.0),
            Variogram("spherical", 0.0, 0.5, 1100.0),
        )
    )
    table = classes_of(truth)
    table["gamma"] *= 1 + 0.005 * rng.normal(size=len(table))
    settings = FitSettings(structures=2)
    found = fit_classes(table, settings, 1500.0)
    single = fit_classes(table, FitSettings(), 1500.0)
    assert fit_notes(table, settings, found, single=single) == []


def test_bounds_are_kept_and_the_best_within_them_is_found(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    bounds = {"nugget": (0.1, 0.2), "partial_sill": (0.0, 0.5), "range_": (100, 2000)}
    fitted = fit_variogram(sites, meuse["log_zinc"], bounds=bounds)
    classes = fitted.fit.classes
    weights = (classes["n"] / classes["distance"] ** 2).to_numpy()

    def loss(theta: np.ndarray) -> float:
        model = Variogram("spherical", theta[0], theta[1], 1000 * theta[2])
        gamma = model.gamma(classes["distance"])
        return 1e6 * float(weights @ (classes["gamma"] - gamma) ** 2)

    other = optimize.minimize(
        loss,
        [0.12, 0.4, 0.8],
        method="Nelder-Mead",
        bounds=[(0.1, 0.2), (0.0, 0.5), (0.1, 2.0)],
        options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 3000},
    )
    assert 1e6 * fitted.fit.sse <= other.fun * (1 + 1e-9)
    assert fitted.nugget == pytest.approx(0.1)
    assert "nugget ends at its bound 0.1" in fitted.flag


def test_equal_bounds_fix_a_parameter(meuse: pd.DataFrame, sites: np.ndarray) -> None:
    fixed = {"nugget": (0.07, 0.07), "range_": (800.0, 800.0)}
    fitted = fit_variogram(sites, meuse["log_zinc"], bounds=fixed)
    assert fitted.nugget == pytest.approx(0.07, rel=1e-12)
    assert fitted.range_ == pytest.approx(800.0, rel=1e-12)
    classes = fitted.fit.classes
    rises = Variogram("spherical", 0.0, 1.0, 800.0).gamma(classes["distance"])
    roots = np.sqrt(classes["n"]) / classes["distance"]
    best = np.linalg.lstsq(
        (rises * roots).to_numpy()[:, None], (classes["gamma"] - 0.07) * roots
    )[0]
    assert fitted.partial_sill == pytest.approx(best[0], rel=1e-10)
    assert fitted.flag == ""


def test_bounded_sills_are_kept_even_where_there_is_no_structure() -> None:
    rng = np.random.default_rng(11)
    xy, noise = rng.uniform(0, 100, (60, 2)), rng.normal(size=60)
    assert fit_variogram(xy, noise).model == "nugget"
    kept = fit_variogram(xy, noise, bounds={"nugget": (0.0, 0.2)})
    assert kept.model == "spherical"
    assert kept.nugget <= 0.2
    assert "no more alike than chance" in kept.flag


def test_an_anisotropic_fit_is_the_fit_to_the_reduced_places(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    anisotropy = Anisotropy(30.0, 0.5)
    fitted = fit_variogram(sites, meuse["log_zinc"], anisotropy=anisotropy)
    plain = fit_variogram(anisotropy.reduce(sites), meuse["log_zinc"])
    assert fitted == replace(plain, anisotropy=anisotropy)
    assert fitted.fit.sse < fit_variogram(sites, meuse["log_zinc"]).fit.sse


def test_the_report_says_what_was_fitted_and_how_well(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    report = fit_variogram(sites, meuse["log_zinc"]).fit
    row = report.row()
    assert row["method"] == "wls"
    assert row["n_points"] == 155
    assert row["n_pairs"] == 6883
    assert row["converged"] is True
    assert 0.98 < row["r_squared"] < 1
    assert row["n_parameters"] == 3
    assert row["aic"] == pytest.approx(15 * np.log(report.sse / 15) + 6)
    assert np.isnan(row["log_likelihood"])
    assert report.flags == ()
    pd.testing.assert_frame_equal(
        report.classes, empirical_variogram(sites, meuse["log_zinc"])
    )


def test_a_drift_that_explains_all_leaves_no_variance() -> None:
    xy = np.random.default_rng(3).uniform(0, 1e4, (30, 2))
    fitted = fit_variogram(xy, 3 + 0.002 * xy[:, 0], drift=xy)
    assert (fitted.sill, fitted.flag) == (0.0, "the drift explains every value")


def test_cautions_name_what_a_reader_must_know() -> None:
    short = classes_of(Variogram("periodic", 0.1, 0.9, 2000.0)).iloc[:3]
    settings = FitSettings("periodic")
    notes = "; ".join(fit_notes(short, settings, fit_classes(short, settings, 1500.0)))
    assert "only 3 classes of distance for 3 parameters" in notes
    assert "holds along a line only" in notes
    table = classes_of(Variogram("spherical", 0.1, 0.9, 600.0))
    two = FitSettings(structures=2)
    assert fit_notes(table, two, fit_classes(table, two, 1500.0)) == [
        "one structure is enough: the second adds nothing"
    ]
    found = replace(fit_classes(table, FitSettings(), 1500.0), converged=False)
    assert fit_notes(table, FitSettings(), found) == ["the search did not converge"]
    np.testing.assert_allclose(
        fitted_gamma(table, found, "spherical"), table["gamma"], rtol=1e-6
    )


def test_all_settings_that_cannot_be_are_named_at_once() -> None:
    with pytest.raises(
        VariogramError,
        match=r"weights 'h' is none.*method 'ols'.*is 3.*has none.*of 'sill'",
    ):
        FitSettings(
            weights="h",  # type: ignore[arg-type]
            method="ols",  # type: ignore[arg-type]
            structures=3,
            smoothness=1.0,
            bounds={"sill": (0, 1)},
        )
    bounds = {"nugget": (2, 1), "range_": (0, 5), "smoothness": (1, 2)}
    with pytest.raises(
        VariogramError,
        match=r"nugget are 2, 1.*range_ must be finite.*not fitted",
    ):
        FitSettings(bounds=bounds)
    with pytest.raises(VariogramError, match=r"needs a smoothness, a number or 'fit'"):
        FitSettings("matern")
    with pytest.raises(VariogramError, match=r"smoothness is 'best'"):
        FitSettings("matern", smoothness="best")  # type: ignore[arg-type]
    with pytest.raises(VariogramError, match=r"smoothness is 99.0, it must be"):
        FitSettings("matern", smoothness=99.0)
    with pytest.raises(VariogramError, match="by wls and with a given smoothness"):
        FitSettings("matern", smoothness="fit", structures=2)
    with pytest.raises(VariogramError, match="bounds of nugget hold for wls only"):
        FitSettings(method="ml", bounds={"nugget": (0, 1)})


def test_the_box_search_finds_the_deeper_of_two_valleys_and_stays_inside() -> None:
    def loss(place: np.ndarray) -> float:
        near = (place[0] + 2) ** 2 + place[1] ** 2
        far = (place[0] - 2) ** 2 + (place[1] - 5) ** 2 - 0.5
        return float(min(near, far))

    best, converged = search_box(loss, [(-4.0, 4.0), (-3.0, 3.0)])
    assert converged
    np.testing.assert_allclose(best, [-2.0, 0.0], atol=1e-5)
    held, _ = search_box(loss, [(1.0, 1.0), (-3.0, 3.0)])
    assert held[0] == 1.0
