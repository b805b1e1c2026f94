"""Ordinary kriging against gstat, the textbook system and its own symmetries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation import kriging
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.variogram import NestedVariogram, Variogram, fit_variogram

MODEL = Variogram("spherical", 0.05, 0.59, 897.0)


def compare(surface: Kriging, table: pd.DataFrame) -> None:
    found = surface.predict(table[["x", "y"]].to_numpy(dtype=float))
    np.testing.assert_allclose(
        found["estimate"], table["var1.pred"], rtol=0, atol=1e-10
    )
    np.testing.assert_allclose(
        found["kriging_variance"], table["var1.var"], rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("file", ["ok_sph_logzinc.csv", "ok_at_data_exact.csv"])
def test_global_kriging_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path, file: str
) -> None:
    compare(Kriging(MODEL).fit(sites, meuse["log_zinc"]), pd.read_csv(gstat / file))


def test_the_error_of_a_variogram_equals_gstats(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    model = Variogram("spherical", 0.0, 0.59, 897.0, error=0.05)
    table = pd.read_csv(gstat / "ok_err_nugget_logzinc.csv")
    compare(Kriging(model).fit(sites, meuse["log_zinc"]), table)


def test_kriging_of_20_neighbours_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "ok_sph_nmax20_logzinc.csv")
    tied = np.loadtxt(gstat / "ok_sph_nmax20_tie_rows.csv", dtype=int)
    surface = Kriging(MODEL, n_neighbors=20).fit(sites, meuse["log_zinc"])
    compare(surface, table.drop(index=tied))


def test_measurement_variance_equals_the_error_nugget_of_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "ok_err_nugget_logzinc.csv")
    variance = np.full(len(sites), 0.05)
    smooth = Variogram("spherical", 0.0, 0.59, 897.0)
    for options in ({}, {"n_neighbors": 154, "max_distance": 1e6}):
        surface = Kriging(smooth, **options)  # type: ignore[arg-type]
        surface.fit(sites, meuse["log_zinc"], variance=variance)
        if not options:
            compare(surface, table)
        at_data = surface.predict(sites)
        assert (np.abs(at_data["estimate"] - meuse["log_zinc"]) > 1e-3).any()
        assert (at_data["kriging_variance"] > 0.001).all()


def textbook(
    xy: np.ndarray, z: np.ndarray, noise: np.ndarray, target: np.ndarray
) -> tuple[float, float]:
    """Solve the bordered system with semivariances as covariances."""
    n = len(z)
    system = np.ones((n + 1, n + 1))
    system[:n, :n] = MODEL.covariance(cdist(xy, xy)) + np.diag(noise)
    system[n, n] = 0
    right = np.append(MODEL.covariance(cdist(xy, target[None])[:, 0]), 1)
    weights = np.linalg.solve(system, right)
    return weights[:n] @ z, MODEL.sill - weights @ right


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"n_neighbors": 7},
        {"max_distance": 500.0},
        {"n_neighbors": 7, "max_distance": 400.0},
    ],
)
def test_each_target_solves_the_textbook_system(options: dict[str, float]) -> None:
    rng = np.random.default_rng(5)
    xy, z, noise = rng.uniform(0, 1000, (40, 2)), rng.normal(size=40), rng.random(40)
    targets = rng.uniform(0, 1000, (15, 2))
    surface = Kriging(MODEL, **options).fit(xy, z, variance=noise)  # type: ignore[arg-type]
    found = surface.predict(targets)
    for i, target in enumerate(targets):
        distance = cdist(xy, target[None])[:, 0]
        near = np.argsort(distance)[: int(options.get("n_neighbors", 40))]
        near = near[distance[near] <= options.get("max_distance", np.inf)]
        estimate, variance = textbook(xy[near], z[near], noise[near], target)
        assert float(found["estimate"][i]) == pytest.approx(estimate, abs=1e-10)
        assert float(found["kriging_variance"][i]) == pytest.approx(variance, abs=1e-10)


def test_there_is_no_answer_far_from_all_data() -> None:
    surface = Kriging(MODEL, max_distance=100.0).fit([[0.0, 0.0], [50.0, 0.0]], [1, 3])
    found = surface.predict([[25.0, 0.0], [500.0, 0.0]])
    assert np.isnan(found["estimate"]).to_numpy().tolist() == [False, True]
    assert np.isnan(found["kriging_variance"]).to_numpy().tolist() == [False, True]


def test_repeated_measurements_share_their_variance() -> None:
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [300.0, 0.0]])
    twice = Kriging(MODEL).fit(xy, [1.0, 3.0, 5.0], variance=[0.2, 0.4, 0.1])
    once = Kriging(MODEL).fit(xy[1:], [2.0, 5.0], variance=[0.15, 0.1])
    for name in ("estimate", "kriging_variance"):
        np.testing.assert_allclose(
            twice.predict([[100.0, 50.0]])[name], once.predict([[100.0, 50.0]])[name]
        )


def test_a_model_name_is_fitted_to_the_data(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    fitted = fit_variogram(sites, meuse["log_zinc"])
    surface = Kriging("spherical").fit(sites, meuse["log_zinc"])
    assert surface.variogram_ == fitted
    given = Kriging(fitted).fit(sites, meuse["log_zinc"])
    targets = sites + 37.0
    np.testing.assert_array_equal(
        surface.predict(targets)["estimate"], given.predict(targets)["estimate"]
    )
    attrs = surface.predict(targets).attrs
    assert attrs["variogram"] == "spherical"
    assert attrs["range"] == fitted.range_


def test_pure_nugget_gives_the_mean_away_from_the_data() -> None:
    rng = np.random.default_rng(1)
    xy, z = rng.uniform(0, 1000, (50, 2)), rng.normal(size=50)
    surface = Kriging(Variogram("nugget", 0.5, 0.0, 1.0)).fit(xy, z)
    found = surface.predict(xy + 3.0)
    np.testing.assert_allclose(found["estimate"], z.mean(), atol=1e-12)
    np.testing.assert_allclose(found["kriging_variance"], 0.5 * (1 + 1 / 50))


def test_equal_values_have_no_kriging_variance() -> None:
    xy = np.random.default_rng(2).uniform(0, 1000, (20, 2))
    found = Kriging("spherical").fit(xy, np.full(20, 0.4)).predict(xy + 5)
    np.testing.assert_allclose(found["estimate"], 0.4, atol=1e-13)
    np.testing.assert_array_equal(found["kriging_variance"], 0.0)


@pytest.mark.parametrize("n_neighbors", [None, 10])
def test_a_singular_system_is_named(n_neighbors: int | None) -> None:
    xy = np.column_stack([np.arange(30) * 0.01, np.zeros(30)])
    smooth = Variogram("gaussian", 0.0, 1.0, 5000.0)
    with pytest.raises(SingularKrigingError, match="gaussian variogram with nugget 0"):
        Kriging(smooth, n_neighbors=n_neighbors).fit(xy, np.arange(30)).predict(xy + 1)


def test_a_dense_system_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kriging, "DENSE_LIMIT", 10)
    xy = np.random.default_rng(2).uniform(0, 1000, (20, 2))
    with pytest.raises(InputError, match="One system of 20 data needs"):
        Kriging(MODEL).fit(xy, xy[:, 0])
    local = Kriging(MODEL, n_neighbors=8).fit(xy, xy[:, 0]).predict(xy + 3)
    assert np.isfinite(local["estimate"]).all()


def test_block_size_does_not_change_the_answer(
    meuse: pd.DataFrame, sites: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = sites + 11.0
    for options in ({}, {"n_neighbors": 9}):
        surface = Kriging(MODEL, **options).fit(sites, meuse["log_zinc"])  # type: ignore[arg-type]
        whole = surface.predict(targets)
        with monkeypatch.context() as patch:
            patch.setattr(kriging, "BLOCK", 7)
            patch.setattr(kriging, "LOCAL_NUMBERS", 200)
            parts = surface.predict(targets)
        for name in ("estimate", "kriging_variance"):
            np.testing.assert_allclose(parts[name], whole[name], rtol=1e-12)


def test_a_direction_is_kriging_on_stretched_ground():
    rng = np.random.default_rng(5)
    sites, targets = rng.uniform(0, 1e4, (40, 2)), rng.uniform(0, 1e4, (30, 2))
    values = rng.standard_normal(40)
    turned = Variogram(
        "exponential", 0.1, 1.0, 4000.0, anisotropy=Anisotropy(30.0, 0.4)
    )
    plain = Variogram("exponential", 0.1, 1.0, 4000.0)
    angle = np.radians(30.0)
    along = np.array([np.sin(angle), np.cos(angle)])
    across = np.array([np.cos(angle), -np.sin(angle)]) / 0.4
    stretched = [np.column_stack([xy @ along, xy @ across]) for xy in (sites, targets)]
    for count in (None, 40):
        found = Kriging(turned, n_neighbors=count).fit(sites, values).predict(targets)
        wanted = Kriging(plain).fit(stretched[0], values).predict(stretched[1])
        for name in ("estimate", "kriging_variance"):
            np.testing.assert_allclose(found[name], wanted[name], atol=1e-10)
    near = Kriging(turned, n_neighbors=40, max_distance=1e9).fit(sites, values)
    np.testing.assert_allclose(
        near.predict(targets)["estimate"], wanted["estimate"], atol=1e-10
    )


def test_the_error_of_a_variogram_is_a_variance_of_each_measurement():
    rng = np.random.default_rng(6)
    sites, targets = rng.uniform(0, 1e4, (40, 2)), rng.uniform(0, 1e4, (30, 2))
    values = rng.standard_normal(40)
    model = {"model": "spherical", "nugget": 0.1, "partial_sill": 1.0, "range_": 4e3}
    with_error = Kriging(Variogram(**model, error=0.3)).fit(sites, values)
    plain = Kriging(Variogram(**model))
    plain.fit(sites, values, variance=np.full(40, 0.3))
    for name in ("estimate", "kriging_variance"):
        np.testing.assert_allclose(
            with_error.predict(targets)[name], plain.predict(targets)[name], atol=1e-12
        )


def test_nested_structures_add_their_covariances():
    rng = np.random.default_rng(7)
    sites, targets = rng.uniform(0, 1e4, (30, 2)), rng.uniform(0, 1e4, (10, 2))
    values = rng.standard_normal(30)
    parts = (
        Variogram("spherical", 0.1, 0.5, 2e3),
        Variogram("spherical", 0.0, 0.8, 8e3),
    )
    nested = NestedVariogram(parts)
    found = Kriging(nested).fit(sites, values).predict(targets)
    c = sum(part.covariance(cdist(sites, sites)) for part in parts)
    c0 = sum(part.covariance(cdist(sites, targets)) for part in parts)
    system = np.block([[c, np.ones((30, 1))], [np.ones((1, 30)), np.zeros((1, 1))]])
    weights = np.linalg.solve(system, np.vstack([c0, np.ones((1, 10))]))
    np.testing.assert_allclose(found["estimate"], weights[:30].T @ values, atol=1e-10)
    variance = 1.4 - (weights[:30] * c0).sum(axis=0) - weights[30]
    np.testing.assert_allclose(found["kriging_variance"], variance, atol=1e-10)


def test_kriging_with_elevation_refuses_what_it_would_ignore():
    for odd in (
        Variogram("spherical", 0.1, 1.0, 4e3, error=0.3),
        Variogram("spherical", 0.1, 1.0, 4e3, anisotropy=Anisotropy(30.0, 0.4)),
    ):
        with pytest.raises(InputError, match="the same in all directions"):
            ElevationKriging(odd)
