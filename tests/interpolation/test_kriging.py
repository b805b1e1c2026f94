"""Simple and ordinary kriging against gstat and the textbook system."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation import kriging_local, kriging_system
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging, SingularKrigingError
from geosoil.interpolation.neighbors import Neighborhood
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
    monkeypatch.setattr(kriging_system, "DENSE_LIMIT", 10)
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
            patch.setattr(kriging_system, "BLOCK", 7)
            patch.setattr(kriging_local, "LOCAL_NUMBERS", 200)
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


def test_simple_kriging_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    surface = Kriging(MODEL, mean=5.9).fit(sites, meuse["log_zinc"])
    compare(surface, pd.read_csv(gstat / "sk_beta5.9_logzinc.csv"))
    attrs = surface.predict(sites[:2]).attrs
    assert (attrs["method"], attrs["mean"]) == ("simple kriging", 5.9)


def test_ties_of_the_last_neighbour_go_by_the_order_of_the_data(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    tied = np.loadtxt(gstat / "ok_sph_nmax20_tie_rows.csv", dtype=int)
    table = pd.read_csv(gstat / "ok_sph_nmax20_logzinc.csv")
    targets = table[["x", "y"]].to_numpy(dtype=float)[tied]
    z = meuse["log_zinc"].to_numpy()
    found = Kriging(MODEL, n_neighbors=20).fit(sites, z).predict(targets)
    for i, target in enumerate(targets):
        distance = cdist(sites, target[None])[:, 0]
        near = np.lexsort((np.arange(len(z)), distance))[:20]
        assert distance[near[-1]] == np.sort(distance)[20]
        estimate, variance = textbook(sites[near], z[near], np.zeros(20), target)
        assert float(found["estimate"][i]) == pytest.approx(estimate, abs=1e-10)
        assert float(found["kriging_variance"][i]) == pytest.approx(variance, abs=1e-10)


def test_a_ring_of_ties_is_cut_by_the_order_of_the_data() -> None:
    # Points of integer coordinates on one circle around the origin: 65**2 =
    # 16**2 + 63**2 = 25**2 + 60**2 = 33**2 + 56**2 = 39**2 + 52**2.
    legs = [(16, 63), (25, 60), (33, 56), (39, 52)]
    ring = [
        (sx * a, sy * b)
        for p, q in legs
        for a, b in ((p, q), (q, p))
        for sx in (1, -1)
        for sy in (1, -1)
    ]
    ring = np.array(ring, dtype=float)[np.random.default_rng(2).permutation(32)]
    hood = Neighborhood(n_neighbors=3)
    indices, distances = hood.search(cKDTree(ring), np.zeros((1, 2)))
    assert indices.tolist() == [[0, 1, 2]]
    assert distances.tolist() == [[65.0, 65.0, 65.0]]


def test_fewer_data_in_reach_than_asked_for_give_no_answer() -> None:
    rng = np.random.default_rng(8)
    xy, z = rng.uniform(0, 1000, (40, 2)), rng.normal(size=40)
    targets = rng.uniform(0, 1000, (60, 2))
    options = {"max_distance": 180.0, "n_neighbors": 6}
    strict = Kriging(MODEL, min_neighbors=4, **options).fit(xy, z)
    found = strict.predict(targets)
    counts = (cdist(targets, xy) <= 180.0).sum(axis=1)
    assert 0 < (counts < 4).sum() < 60
    plain = Kriging(MODEL, **options).fit(xy, z).predict(targets)
    for name in ("estimate", "kriging_variance"):
        expected = np.where(counts < 4, np.nan, plain[name])
        np.testing.assert_array_equal(found[name], expected)
    assert found.attrs["n_few_neighbors"] == (counts < 4).sum()
    assert found.attrs["min_neighbors"] == 4
    alone = Kriging(MODEL, min_neighbors=50).fit(xy, z).predict(targets)
    assert np.isnan(alone["estimate"]).all()
    inverse = InverseDistance(min_neighbors=4, **options).fit(xy, z).predict(targets)
    np.testing.assert_array_equal(np.isnan(inverse["estimate"]), counts < 4)


@pytest.mark.parametrize("options", [{}, {"n_neighbors": 9}, {"drift": "linear"}])
def test_an_estimate_alone_is_the_same_estimate(
    meuse: pd.DataFrame, sites: np.ndarray, options: dict[str, Any]
) -> None:
    targets = sites + 13.0
    whole = Kriging(MODEL, **options).fit(sites, meuse["log_zinc"]).predict(targets)
    alone = Kriging(MODEL, outputs="estimate", **options)
    found = alone.fit(sites, meuse["log_zinc"]).predict(targets)
    assert list(found) == ["estimate"]
    np.testing.assert_allclose(found["estimate"], whole["estimate"], rtol=1e-13)


def test_the_drift_has_a_part_of_the_variance(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    targets = np.vstack([sites + 13.0, sites.mean(axis=0) + 1e6])
    kind = "estimate, variance and drift variance"
    for options in ({}, {"n_neighbors": 155}, {"mean": 5.9}):
        parts = Kriging(MODEL, outputs=kind, **options)  # type: ignore[arg-type]
        found = parts.fit(sites, meuse["log_zinc"]).predict(targets)
        total, drift = found["kriging_variance"], found["drift_variance"]
        assert (drift <= total).all()
        # Far from all data the residual has the whole sill.
        far = 0.0 if options == {"mean": 5.9} else float(total[-1]) - MODEL.sill
        assert float(drift[-1]) == pytest.approx(far, abs=1e-12)


@pytest.mark.parametrize("n_neighbors", [None, 2])
def test_a_variance_below_zero_is_no_answer(n_neighbors: int | None) -> None:
    """The periodic model is a covariance along a line, and none in the plane."""
    periodic = Variogram("periodic", 0.0, 1.0, 2.0)
    xy = [[0.0, 0.0], [0.5, 0.0], [8000.0, 0.0]][: 2 if n_neighbors is None else 3]
    surface = Kriging(periodic, mean=0.0, n_neighbors=n_neighbors)
    surface.fit(xy, [1.0, 2.0, 5.0][: len(xy)])
    # At distance 1 from both the covariances are -1, those of the data 0.
    away = [0.25, np.sqrt(1 - 0.25**2)]
    found = surface.predict([away, [1.0, 0.0], [0.5, 0.0]])
    np.testing.assert_allclose(found["estimate"], [-3.0, -1.0, 2.0], atol=1e-12)
    np.testing.assert_allclose(found["kriging_variance"], [np.nan, 0, 0], atol=1e-12)
    assert found.attrs["n_negative_variance"] == 1


def test_repeats_share_the_error_of_the_variogram() -> None:
    xy = np.array([[0.0, 0.0], [0.0, 0.0], [300.0, 0.0]])
    model = Variogram("spherical", 0.05, 0.59, 897.0, error=0.3)
    by_model = Kriging(model).fit(xy, [1.0, 3.0, 5.0])
    by_data = Kriging(MODEL).fit(xy, [1.0, 3.0, 5.0], variance=np.full(3, 0.3))
    for name in ("estimate", "kriging_variance"):
        np.testing.assert_allclose(
            by_model.predict([[100.0, 50.0]])[name],
            by_data.predict([[100.0, 50.0]])[name],
        )


def test_equal_values_are_flagged_and_simple_kriging_keeps_its_mean() -> None:
    xy = np.random.default_rng(2).uniform(0, 1000, (20, 2))
    found = Kriging("spherical").fit(xy, np.full(20, 0.4)).predict(xy + 5)
    assert found.attrs["variogram_flag"] == "all values are equal"
    simple = Kriging(MODEL, mean=1.0).fit(xy, np.full(20, 0.4)).predict([[1e6, 0.0]])
    assert float(simple["estimate"][0]) == pytest.approx(1.0)
    assert float(simple["kriging_variance"][0]) == pytest.approx(MODEL.sill)


def test_too_few_places_for_a_variogram_are_named() -> None:
    with pytest.raises(InputError, match="needs 3 places with values, found 2"):
        Kriging("spherical").fit([[0, 0], [1, 1]], [1, 2])
    with pytest.raises(InputError, match=r"found 1 \(0 without a value, 3 repeats"):
        Kriging("spherical").fit(np.zeros((4, 2)), [1, 2, 3, 4])
    one = Kriging(MODEL).fit(np.zeros((4, 2)), [1, 2, 3, 4]).predict([[1e5, 0.0]])
    assert float(one["estimate"][0]) == pytest.approx(2.5)


def test_settings_that_cannot_be_are_refused_all_at_once() -> None:
    with pytest.raises(InputError, match="Unknown model 'sferical'") as caught:
        Kriging("sferical", mean=np.nan, drift="linear", outputs="all")  # type: ignore[arg-type]
    for words in ("Invalid mean", "leaves no drift", "Unknown outputs 'all'"):
        assert words in str(caught.value)
    for odd in ("linear", "power", "matern"):
        with pytest.raises(InputError, match=f"Unknown model '{odd}'"):
            Kriging(odd)
    with pytest.raises(InputError, match="The variogram is int"):
        Kriging(3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Unknown drift 'cubic'"):
        Kriging(MODEL, drift="cubic")  # type: ignore[arg-type]
    with pytest.raises(
        InputError, match=r"Invalid n_neighbors '0'.*min_neighbors '-1'"
    ):
        Kriging(MODEL, n_neighbors=0, min_neighbors=-1)
    with pytest.raises(InputError, match="min_neighbors 5 is more than n_neighbors 3"):
        Kriging(MODEL, n_neighbors=3, min_neighbors=5)
    with pytest.raises(InputError, match="Unknown distance 'miles'"):
        Kriging(MODEL, distance="miles")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="no system of all data"):
        Kriging(MODEL, n_neighbors=1).fit(np.eye(2), [1, 2]).whole_system()
    with pytest.raises(InputError, match="not fitted"):
        Kriging(MODEL).predict([[0, 0]])


def test_neighbours_of_a_tiny_sill_are_not_called_singular() -> None:
    rng = np.random.default_rng(3)
    xy, z = rng.uniform(0, 1000, (30, 2)), rng.normal(size=30)
    options = {"max_distance": 300.0, "n_neighbors": 8}
    small = Variogram("spherical", 5e-22, 59e-22, 897.0)
    found = Kriging(small, **options).fit(xy, z).predict(xy + 3)  # type: ignore[arg-type]
    plain = Kriging(MODEL, **options).fit(xy, z).predict(xy + 3)  # type: ignore[arg-type]
    np.testing.assert_allclose(found["estimate"], plain["estimate"], rtol=1e-9)


@pytest.mark.parametrize("n_neighbors", [None, 8])
def test_large_values_keep_their_digits(n_neighbors: int | None) -> None:
    rng = np.random.default_rng(3)
    xy, z = rng.uniform(0, 1000, (30, 2)), rng.integers(0, 64, 30) / 64
    plain = Kriging(MODEL, n_neighbors=n_neighbors).fit(xy, z).predict(xy + 3)
    moved = Kriging(MODEL, n_neighbors=n_neighbors).fit(xy, z + 2.0**40)
    found = moved.predict(xy + 3)["estimate"] - 2.0**40
    # A number near 2**40 has steps of 2.44e-4: half of one is rounding.
    np.testing.assert_allclose(found, plain["estimate"], rtol=0, atol=1.25e-4)
