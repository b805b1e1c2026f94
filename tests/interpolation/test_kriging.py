"""Ordinary kriging against gstat, the textbook system and its own symmetries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation import kriging
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.variogram import Variogram, fit_variogram

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
