"""Universal kriging and kriging with external drift."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial.distance import cdist

from geosoil.errors import GeosoilWarning, InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.variogram import (
    NestedVariogram,
    Variogram,
    fit_variogram,
)

# The golden files do not say their model; its round numbers are those of loo_ked.csv.
RESIDUAL = Variogram("spherical", 0.07, 0.15, 700.0)
MODEL = Variogram("exponential", 0.05, 1.0, 400.0)
GRID = Grid.from_bounds((0, 0, 2000, 1600), 100, "EPSG:32647")


def hill(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return an elevation that no plane has."""
    return 4000 + 300 * np.sin(x / 250) * np.cos(y / 190) + 0.1 * x


def dem(grid: Grid = GRID, name: str = "elevation") -> xr.DataArray:
    return grid.raster(hill(*np.meshgrid(grid.x, grid.y)), name=name)


def places_of(count: int, seed: int = 3) -> tuple[gpd.GeoSeries, np.ndarray]:
    """Points on the grid, and values that follow the hill."""
    rng = np.random.default_rng(seed)
    xy = rng.uniform((150, 150), (1850, 1450), (count, 2))
    z = 30 - 0.006 * hill(*xy.T) + rng.normal(size=count) / 3
    return gpd.GeoSeries.from_xy(*xy.T, crs="EPSG:32647"), z


def bordered(
    covariance: np.ndarray, near: np.ndarray, drift: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Solve the textbook system; weights and multipliers of one target."""
    p = drift.shape[1]
    system = np.block([[covariance, drift], [drift.T, np.zeros((p, p))]])
    return np.linalg.solve(system, np.append(near, target))


def compare(found: xr.Dataset, table: pd.DataFrame, atol: float) -> None:
    for ours, theirs in (
        ("estimate", "var1.pred"),
        ("kriging_variance", "var1.var"),
    ):
        np.testing.assert_allclose(found[ours], table[theirs], rtol=0, atol=atol)


def test_universal_kriging_equals_gstat_on_raw_metres(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "uk_xy_logzinc.csv")
    surface = Kriging(RESIDUAL, drift="linear").fit(sites, meuse["log_zinc"])
    found = surface.predict(table[["x", "y"]].to_numpy(dtype=float))
    # gstat solves with coordinates of 2e5 m, which costs it digits.
    compare(found, table, 1e-10)
    assert found.attrs["method"] == "universal kriging (linear)"
    assert found.attrs["drift"] == "x, y"


def test_external_drift_equals_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    cells = pd.read_csv(gstat / "meuse_grid.csv")
    table = pd.read_csv(gstat / "ked_sqrtdist_logzinc.csv")
    drift = pd.DataFrame({"sqrtdist": np.sqrt(meuse["dist"])})
    surface = Kriging(RESIDUAL).fit(sites, meuse["log_zinc"], drift=drift)
    found = surface.predict(cells[["x", "y"]], drift=np.sqrt(cells["dist"]))
    compare(found, table, 1e-12)
    assert found.attrs["method"] == "kriging with external drift (sqrtdist)"
    assert surface.drift_names_ == ("sqrtdist",)


def test_the_trend_is_the_best_linear_unbiased_estimate_of_gstat(
    meuse: pd.DataFrame, sites: np.ndarray, gstat: Path
) -> None:
    table = pd.read_csv(gstat / "ked_BLUE_trend_two_cells.csv")
    cells = pd.read_csv(gstat / "meuse_grid.csv").iloc[:2]
    surface = Kriging(RESIDUAL).fit(
        sites, meuse["log_zinc"], drift=np.sqrt(meuse["dist"])
    )
    found = surface.trend(table[["x", "y"]], drift=np.sqrt(cells["dist"]))
    np.testing.assert_allclose(found["trend"], table["z.pred"], rtol=1e-12)
    np.testing.assert_allclose(found["trend_variance"], table["z.var"], rtol=1e-11)


def test_the_coefficients_are_generalised_least_squares_in_their_own_units(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    z = meuse["log_zinc"].to_numpy()
    distance = 1000 * meuse["dist"].to_numpy()
    columns = np.column_stack([np.ones(len(z)), sites - sites.mean(axis=0), distance])
    covariance = MODEL.covariance(cdist(sites, sites))
    inverse = np.linalg.inv(covariance)
    spread = np.linalg.inv(columns.T @ inverse @ columns)
    surface = Kriging(MODEL, drift="linear")
    surface.fit(sites, z, drift=pd.Series(distance, name="distance"))
    table = surface.drift_coefficients_
    assert table.index.tolist() == ["constant", "x", "y", "distance"]
    np.testing.assert_allclose(
        table["coefficient"], spread @ columns.T @ inverse @ z, rtol=1e-8
    )
    np.testing.assert_allclose(
        table["standard_error"], np.sqrt(np.diag(spread)), rtol=1e-8
    )
    np.testing.assert_allclose(surface.drift_origin_, sites.mean(axis=0))
    attrs = surface.predict(sites[:1], drift=distance[:1]).attrs
    assert attrs["drift"] == "x, y, distance"
    assert attrs["drift_coefficients"] == table["coefficient"].tolist()


def quadratic(xy: np.ndarray) -> np.ndarray:
    x, y = xy.T
    return np.column_stack([np.ones(len(x)), x, y, x * x, x * y, y * y])


TURNED = Variogram("exponential", 0.05, 1.0, 4.0, anisotropy=Anisotropy(30.0, 0.4))
NESTED = NestedVariogram(
    (Variogram("spherical", 0.1, 0.5, 2.0), Variogram("gaussian", 0.0, 0.5, 3.0))
)


@pytest.mark.parametrize("model", [TURNED, NESTED], ids=["direction", "nested"])
@pytest.mark.parametrize("n_neighbors", [None, 14])
def test_each_target_solves_the_textbook_system_with_its_drift(
    model: Any, n_neighbors: int | None
) -> None:
    rng = np.random.default_rng(5)
    xy, z, noise = rng.uniform(0, 9, (40, 2)), rng.normal(size=40), rng.random(40) / 4
    heat, targets = rng.normal(size=40), rng.uniform(0, 9, (12, 2))
    surface = Kriging(model, drift="quadratic", n_neighbors=n_neighbors)
    surface.fit(xy, z, variance=noise, drift=heat)
    found = surface.predict(targets, drift=np.linspace(-1, 1, 12))
    for i, target in enumerate(targets):
        near = np.argsort(cdist(xy, target[None])[:, 0])[: n_neighbors or 40]
        c = model.covariance_between(xy[near], xy[near]) + np.diag(noise[near])
        c0 = model.covariance_between(xy[near], target[None])[:, 0]
        drift = np.column_stack([quadratic(xy[near]), heat[near]])
        f0 = np.append(quadratic(target[None])[0], np.linspace(-1, 1, 12)[i])
        weights = bordered(c, c0, drift, f0)
        estimate = weights[: len(near)] @ z[near]
        variance = model.sill - weights @ np.append(c0, f0)
        assert float(found["estimate"][i]) == pytest.approx(estimate, abs=1e-8)
        assert float(found["kriging_variance"][i]) == pytest.approx(variance, abs=1e-8)


def test_a_model_is_fitted_to_the_residuals(
    meuse: pd.DataFrame, sites: np.ndarray
) -> None:
    drift = np.sqrt(meuse["dist"])
    surface = Kriging("spherical").fit(sites, meuse["log_zinc"], drift=drift)
    fitted = fit_variogram(sites, meuse["log_zinc"], drift=drift)
    assert surface.variogram_ == fitted
    plain = Kriging("spherical", drift="linear").fit(sites, meuse["log_zinc"])
    assert plain.variogram_.sill == pytest.approx(
        fit_variogram(sites, meuse["log_zinc"], drift=sites).sill, rel=1e-6
    )


def test_rasters_are_read_by_fit_and_grid_themselves() -> None:
    places, z = places_of(40)
    surface = Kriging(MODEL, drift=dem()).fit(places, z)
    mapped = surface.grid(GRID)
    x, y = np.meshgrid(GRID.x, GRID.y)
    centres = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs="EPSG:32647")
    heights = dem().to_numpy().ravel()
    given = Kriging(MODEL).fit(places, z, drift=surface.drift_at(places))
    points = given.predict(centres, drift=heights)
    for name in ("estimate", "kriging_variance"):
        np.testing.assert_array_equal(
            mapped[name].to_numpy().ravel(), points[name].to_numpy()
        )
    assert mapped.attrs["method"] == "kriging with external drift (elevation)"
    assert mapped.attrs["n_targets_without_drift"] == 0
    np.testing.assert_array_equal(
        surface.predict(centres)["estimate"], points["estimate"]
    )
    at_data = surface.predict(places)
    np.testing.assert_allclose(at_data["estimate"], z, atol=1e-10)
    by_raster = given.grid(GRID, drift=dem())
    np.testing.assert_array_equal(by_raster["estimate"], mapped["estimate"])
    late = Kriging(MODEL).fit(places, z, drift=dem())
    np.testing.assert_array_equal(late.grid(GRID)["estimate"], mapped["estimate"])


def test_a_part_of_the_grid_is_answered_as_in_the_whole() -> None:
    places, z = places_of(40)
    surface = Kriging(MODEL, drift={"elevation": dem()}, n_neighbors=12).fit(places, z)
    whole, part = surface.grid(GRID), surface.grid(GRID.part(3, 5, (6, 7)))
    for name in ("estimate", "kriging_variance"):
        np.testing.assert_allclose(
            part[name], whole[name][3:9, 5:12], rtol=1e-12, atol=1e-12
        )


def test_a_raster_of_another_crs_is_bilinear_at_the_centres() -> None:
    places, z = places_of(40)
    degrees = dem(Grid.from_bounds((-200, -200, 2200, 1800), 50, "EPSG:32647"))
    degrees = degrees.rio.reproject("EPSG:4326")
    surface = Kriging(MODEL, drift=degrees).fit(places, z)
    same = Kriging(MODEL, drift=dem()).fit(places, z)
    # Two roads to one hill: they differ by the curvature within a cell.
    gap = np.abs(surface.grid(GRID)["estimate"] - same.grid(GRID)["estimate"])
    assert float(gap.max()) < 0.35
    assert float(gap.mean()) < 0.05


def test_targets_without_a_drift_have_no_answer_and_are_counted() -> None:
    places, z = places_of(40)
    holed = dem()
    holed[0, :4], holed[5, 5] = np.nan, np.nan
    surface = Kriging(MODEL).fit(places, z, drift=hill(places.x, places.y))
    mapped = surface.grid(GRID, drift=holed)
    np.testing.assert_array_equal(np.isnan(mapped["estimate"]), np.isnan(holed))
    assert mapped.attrs["n_targets_without_drift"] == 5
    wide = Grid.from_bounds((-100, 0, 2000, 1600), 100, "EPSG:32647")
    beyond = Kriging(MODEL, drift=dem()).fit(places, z).grid(wide)
    assert np.isnan(beyond["estimate"][:, 0]).all()
    assert beyond.attrs["n_targets_without_drift"] == 16


def test_points_without_a_drift_are_left_out_and_named() -> None:
    places, z = places_of(30)
    places.index = [f"s{i}" for i in range(30)]
    height = np.array(hill(places.x, places.y))
    height[[4, 9]] = np.nan
    z[9] = np.nan
    with pytest.warns(GeosoilWarning, match=r"1 of 29 points.*no drift.*: s4\."):
        surface = Kriging(MODEL).fit(places, z, drift=height)
    assert (surface.n_without_drift_, surface.n_dropped_) == (1, 2)
    assert surface.predict(places[:1], drift=[4e3]).attrs["n_points_without_drift"] == 1
    kept = np.isfinite(height)
    other = Kriging(MODEL).fit(places[kept], z[kept], drift=height[kept])
    np.testing.assert_array_equal(
        surface.grid(GRID, drift=dem())["estimate"],
        other.grid(GRID, drift=dem())["estimate"],
    )
    with pytest.raises(InputError, match=r"None is left[.] Give a drift that covers"):
        Kriging(MODEL).fit(places, z, drift=np.full(30, np.nan))


def test_repeats_average_their_drift() -> None:
    places, z = places_of(20)
    height = np.array(hill(places.x, places.y))
    twice = pd.concat([places, places[:1]], ignore_index=True)
    both = Kriging(MODEL).fit(
        twice, np.append(z, z[0] + 2), drift=np.append(height, height[0] + 10)
    )
    z[0], height[0] = z[0] + 1, height[0] + 5
    once = Kriging(MODEL).fit(places, z, drift=height)
    np.testing.assert_allclose(
        both.grid(GRID, drift=dem())["estimate"],
        once.grid(GRID, drift=dem())["estimate"],
        rtol=1e-10,
    )


def test_a_drift_that_cannot_be_told_names_all_its_faults() -> None:
    rng = np.random.default_rng(3)
    xy, z = rng.uniform(0, 9, (12, 2)), rng.normal(size=12)
    heat = rng.normal(size=12)
    table = pd.DataFrame(
        {"heat": heat, "flat": 3.0, "twice": 2 * heat + 1, "sum": heat + xy[:, 0]}
    )
    with pytest.raises(InputError, match="flat is constant") as caught:
        Kriging(MODEL, drift="linear").fit(xy, z, drift=table)
    for words in ("twice depends on x, y, heat", "sum depends on x, y, heat, twice"):
        assert words in str(caught.value)
    with pytest.raises(InputError, match="4 places for a constant and 2 columns, 5"):
        Kriging(MODEL, drift="linear").fit(xy[:4], z[:4])
    with pytest.raises(InputError, match="y depends on x"):
        Kriging(MODEL, drift="linear").fit(np.column_stack([z, 2 * z]), z)
    with pytest.raises(InputError, match="y is constant"):
        Kriging(MODEL, drift="linear").fit(np.column_stack([z, 0 * z]), z)


def test_neighbours_that_cannot_tell_the_drift_give_no_answer() -> None:
    rng = np.random.default_rng(3)
    xy, z = rng.uniform(0, 1000, (60, 2)), rng.normal(size=60)
    shelf = np.where(xy[:, 0] < 500, 0.0, xy[:, 0])
    surface = Kriging(MODEL, n_neighbors=6).fit(xy, z, drift=shelf)
    targets = np.column_stack([np.linspace(20, 980, 49), np.full(49, 500.0)])
    found = surface.predict(
        targets, drift=np.where(targets[:, 0] < 500, 0, targets[:, 0])
    )
    near = np.argsort(cdist(targets, xy), axis=1)[:, :6]
    flat = np.ptp(shelf[near], axis=1) == 0
    assert 5 < flat.sum() < 40
    np.testing.assert_array_equal(np.isnan(found["estimate"]), flat)
    np.testing.assert_array_equal(np.isnan(found["kriging_variance"]), flat)
    assert found.attrs["n_singular_drift"] == flat.sum()
    assert not hasattr(surface, "drift_coefficients_")
    few = Kriging(MODEL, n_neighbors=1).fit(xy, z, drift=shelf)
    assert np.isnan(few.predict(targets[:3], drift=shelf[:3])["estimate"]).all()


def test_wrong_calls_are_refused() -> None:
    places, z = places_of(20)
    fitted = Kriging(MODEL).fit(places, z, drift=hill(places.x, places.y))
    with pytest.raises(InputError, match=r"given values of its drift \(drift\)"):
        fitted.grid(GRID)
    with pytest.raises(InputError, match="given values of its drift"):
        fitted.predict(places)
    with pytest.raises(InputError, match="given by rasters"):
        fitted.grid(GRID, drift=np.ones(GRID.shape))  # type: ignore[arg-type]
    with pytest.raises(InputError, match="A drift of 2 columns, but the fit had 1"):
        fitted.predict(places, drift=np.ones((20, 2)))
    with pytest.raises(InputError, match=r"20 points, but a drift of shape \(3,\)"):
        fitted.predict(places, drift=[1, 2, 3])
    two = Kriging(MODEL, drift={"a": dem(), "b": dem() ** 2}).fit(places, z)
    with pytest.raises(InputError, match=r"absent: a, b.*unknown: c"):
        two.grid(GRID, drift={"c": dem(), "d": dem()})
    with pytest.raises(InputError, match="takes no drift"):
        Kriging(MODEL, mean=1.0).fit(places, z, drift=z)
    with pytest.raises(InputError, match="known mean and no trend"):
        Kriging(MODEL, mean=1.0).fit(places, z).trend(places)
    with pytest.raises(InputError, match="A drift of 1 columns, but the fit had 0"):
        Kriging(MODEL).fit(places, z).predict(places, drift=z)


def test_rasters_that_cannot_be_a_drift_are_refused_all_at_once() -> None:
    layers = xr.concat([dem(), dem()], dim="time")
    classes = dem().astype(int)
    with pytest.raises(InputError, match=r"'a' has dims .*choose one layer") as caught:
        Kriging(MODEL, drift={"a": layers, "b": classes, "c": 3})  # type: ignore[dict-item]
    assert "'b' holds int64, which are classes here" in str(caught.value)
    assert "'c' is int, no DataArray" in str(caught.value)
    with pytest.raises(MissingCRSError, match="without a coordinate reference system"):
        Kriging(MODEL, drift=dem().drop_vars("spatial_ref"))
    with pytest.raises(InputError, match="no raster"):
        Kriging(MODEL, drift={})
    bare = Kriging(MODEL, drift=dem().rio.reproject("EPSG:4326"))
    with pytest.raises(InputError, match="bare metres and the drift 'elevation' is in"):
        bare.fit(np.eye(9)[:, :2], np.arange(9))


def test_elevation_kriging_is_kriging_with_external_drift() -> None:
    places, z = places_of(40)
    height = hill(places.x, places.y)
    for model in (
        TURNED,
        Variogram("spherical", 0.1, 1.0, 4e2, error=0.3),
        "spherical",
    ):
        old = ElevationKriging(model).fit(places, z, height)
        new = Kriging(model).fit(places, z, drift=height)
        one, other = old.grid(dem()), new.grid(GRID, drift=dem())
        for name in ("estimate", "kriging_variance"):
            np.testing.assert_array_equal(one[name], other[name])
        assert old.lapse_rate_ == new.drift_coefficients_["coefficient"].iloc[1]
    whole = ElevationKriging("spherical").fit(places, z, height)
    classes = whole.grid(dem().round().astype(int))
    np.testing.assert_array_equal(
        classes["estimate"], whole.grid(dem().round())["estimate"]
    )
