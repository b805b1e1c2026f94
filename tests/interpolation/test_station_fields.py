"""Regression kriging with elevation against gstat, its equations and known truth."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.interpolation.elevation_kriging import ElevationKriging, FewStationsError
from geosoil.interpolation.kriging import SingularKrigingError
from geosoil.interpolation.station_fields import station_fields
from geosoil.interpolation.variogram import Variogram

LAPSE = -0.0061
MODEL = Variogram("exponential", 0.05, 1.0, 120e3)


# The golden files do not say their model. Its three round numbers are those that
# leave-one-out needs; the 3103 cells of the grid then confirm them to 1e-10.
GSTAT_MODEL = Variogram("spherical", 0.07, 0.15, 700.0)


def fitted_model(folder: Path) -> Variogram:
    fit = pd.read_csv(folder / "fit.csv").query("case == 'resid_sph_m7'")
    nugget, rise = fit["psill"]
    return Variogram("spherical", float(nugget), float(rise), float(fit["range"].max()))


def meuse_of(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, log zinc and root distance; times 1000 it spans as elevations do."""
    table = pd.read_csv(folder / "meuse.csv")
    xy = table[["x", "y"]].to_numpy(dtype=float)
    return (
        xy,
        np.log(table["zinc"]).to_numpy(),
        1000 * np.sqrt(table["dist"]).to_numpy(),
    )


def test_it_equals_kriging_with_external_drift_of_gstat(gstat: Path) -> None:
    xy, z, drift = meuse_of(gstat)
    cells = pd.read_csv(gstat / "meuse_grid.csv")
    expected = pd.read_csv(gstat / "ked_sqrtdist_logzinc.csv")
    kriging = ElevationKriging(GSTAT_MODEL).fit(xy, z, drift)
    found = kriging.predict(
        cells[["x", "y"]].to_numpy(dtype=float), 1000 * np.sqrt(cells["dist"])
    )
    for ours, theirs in (
        ("estimate", "var1.pred"),
        ("kriging_variance", "var1.var"),
    ):
        np.testing.assert_allclose(found[ours], expected[theirs], rtol=0, atol=1e-10)


def test_leaving_one_out_equals_gstat_and_refitting(gstat: Path) -> None:
    xy, z, drift = meuse_of(gstat)
    model = GSTAT_MODEL
    check = ElevationKriging(model).fit(xy, z, drift).leave_one_out()
    expected = pd.read_csv(gstat / "loo_ked.csv")
    for ours, theirs in (
        ("estimate", "var1.pred"),
        ("kriging_variance", "var1.var"),
        ("observed", "observed"),
        ("residual", "residual"),
        ("z_score", "zscore"),
    ):
        np.testing.assert_allclose(check[ours], expected[theirs], rtol=0, atol=1e-10)
    for i in (0, 70):
        kept = np.arange(len(z)) != i
        other = ElevationKriging(model).fit(xy[kept], z[kept], drift[kept])
        found = other.predict(xy[i : i + 1], drift[i : i + 1])
        assert found["estimate"].item() == pytest.approx(check.loc[i, "estimate"])


def test_a_model_is_fitted_to_the_residuals_as_gstat_does(gstat: Path) -> None:
    xy, z, drift = meuse_of(gstat)
    fitted = ElevationKriging("spherical").fit(xy, z, drift).variogram_
    expected = fitted_model(gstat)
    assert fitted.nugget == pytest.approx(expected.nugget, rel=1e-3)
    assert fitted.partial_sill == pytest.approx(expected.partial_sill, rel=1e-3)
    assert fitted.range_ == pytest.approx(expected.range_, rel=1e-3)


def stations_of(
    count: int, *, seed: int = 3, noise: bool = True
) -> tuple[gpd.GeoSeries, np.ndarray, np.ndarray]:
    """Stations in the headwater region, with values of a known lapse rate."""
    rng = np.random.default_rng(seed)
    places = gpd.GeoSeries.from_xy(
        rng.uniform(90, 102, count), rng.uniform(32, 36, count), crs="EPSG:4326"
    )
    height = rng.uniform(3200, 5200, count)
    xy = places.to_crs("EPSG:32647").get_coordinates().to_numpy()
    covariance = MODEL.covariance(cdist(xy, xy))
    residual = np.linalg.cholesky(covariance) @ rng.normal(size=count)
    return places, 31.0 + LAPSE * height + noise * residual, height


def test_the_textbook_system_gives_the_same(gstat: Path) -> None:
    rng = np.random.default_rng(8)
    xy, height = rng.uniform(0, 1e5, (12, 2)), rng.uniform(3000, 5000, 12)
    z = 20 + LAPSE * height + rng.normal(size=12)
    target, target_height = rng.uniform(0, 1e5, (4, 2)), rng.uniform(3000, 5500, 4)
    system = np.zeros((14, 14))
    system[:12, :12] = MODEL.covariance(cdist(xy, xy))
    system[12, :12] = system[:12, 12] = 1
    system[13, :12] = system[:12, 13] = height / 1000
    found = ElevationKriging(MODEL).fit(xy, z, height).predict(target, target_height)
    for i in range(4):
        near = MODEL.covariance(cdist(xy, target[i : i + 1])[:, 0])
        right = np.append(near, [1, target_height[i] / 1000])
        weights = np.linalg.solve(system, right)
        estimate, variance = weights[:12] @ z, MODEL.sill - weights @ right
        assert found["estimate"][i].item() == pytest.approx(estimate, abs=1e-9)
        assert found["kriging_variance"][i].item() == pytest.approx(variance, abs=1e-9)


def test_it_is_exact_at_the_stations_and_never_surer_than_its_drift() -> None:
    places, values, height = stations_of(30)
    kriging = ElevationKriging(MODEL).fit(places, values, height)
    at_stations = kriging.predict(places, height)
    np.testing.assert_allclose(at_stations["estimate"], values, atol=1e-9)
    np.testing.assert_allclose(at_stations["kriging_variance"], 0, atol=1e-9)
    aside = kriging.predict(places, height + 300)
    assert (aside["kriging_variance"] >= aside["drift_variance"]).all()


def test_a_perfect_lapse_rate_is_found_to_the_last_digits() -> None:
    places, values, height = stations_of(20, noise=False)
    for variogram in (MODEL, "spherical"):
        kriging = ElevationKriging(variogram).fit(places, values, height)  # type: ignore[arg-type]
        assert kriging.lapse_rate_ == pytest.approx(LAPSE, rel=1e-9)
        far = gpd.GeoSeries.from_xy([95.0], [34.0], crs="EPSG:4326")
        found = kriging.predict(far, [6000.0])["estimate"].item()
        assert found == pytest.approx(31.0 + LAPSE * 6000, abs=1e-7)


def test_elevation_halves_the_error_of_ordinary_kriging() -> None:
    from geosoil.interpolation.kriging import Kriging

    places, values, height = stations_of(80)
    train, test = np.arange(80) < 50, np.arange(80) >= 50
    with_height = ElevationKriging(MODEL).fit(
        places[train], values[train], height[train]
    )
    ordinary = Kriging(MODEL).fit(places[train], values[train])
    errors = [
        np.sqrt(np.mean((found["estimate"].to_numpy() - values[test]) ** 2))
        for found in (
            with_height.predict(places[test], height[test]),
            ordinary.predict(places[test]),
        )
    ]
    assert errors[0] < 0.5 * errors[1]
    assert errors[0] < 1.1


@pytest.mark.slow
def test_lapse_rate_and_variance_are_as_wide_as_their_errors() -> None:
    """Over 300 fields the 95 % intervals hold the truth about as often."""
    inside, scores = 0, []
    for seed in range(300):
        places, values, height = stations_of(41, seed=seed)
        xy = places.to_crs("EPSG:32647").get_coordinates().to_numpy()
        kriging = ElevationKriging(MODEL).fit(xy[1:], values[1:], height[1:])
        gap = abs(kriging.lapse_rate_ - LAPSE)
        inside += gap < 1.96 * kriging.lapse_rate_error_
        found = kriging.predict(xy[:1], height[:1])
        error = found["estimate"].item() - values[0]
        scores.append(error**2 / found["kriging_variance"].item())
    assert 0.91 < inside / 300 < 0.985
    assert 0.8 < np.mean(scores) < 1.2


@pytest.mark.parametrize(
    ("count", "height", "words"),
    [
        (4, None, "4 stations with a value and an elevation, 5 are needed"),
        (9, 4200.0, "all 9 stations lie at 4200 m"),
    ],
)
def test_too_few_stations_or_one_elevation_are_refused(
    count: int, height: float | None, words: str
) -> None:
    places, values, heights = stations_of(count)
    heights = heights if height is None else np.full(count, height)
    with pytest.raises(FewStationsError, match=words):
        ElevationKriging(MODEL).fit(places, values, heights)


def test_stations_without_value_or_elevation_do_not_count() -> None:
    places, values, height = stations_of(8)
    values[0], height[1] = np.nan, np.nan
    kriging = ElevationKriging(MODEL).fit(places, values, height)
    assert kriging.n_dropped_ == 2
    values[2:4] = np.nan
    with pytest.raises(FewStationsError, match="4 stations"):
        ElevationKriging(MODEL).fit(places, values, height)
    with pytest.raises(FewStationsError, match="None of 8"):
        ElevationKriging(MODEL).fit(places, np.full(8, np.nan), height)


def test_wrong_calls_are_refused() -> None:
    places, values, height = stations_of(8)
    with pytest.raises(InputError, match="Unknown model 'linear'"):
        ElevationKriging("linear")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not fitted"):
        ElevationKriging(MODEL).leave_one_out()
    with pytest.raises(InputError, match="8 points, 8 values and 7 elevations"):
        ElevationKriging(MODEL).fit(places, values, height[1:])
    kriging = ElevationKriging(MODEL).fit(places, values, height)
    with pytest.raises(InputError, match="8 points, but 7 elevations"):
        kriging.predict(places, height[1:])
    close = Variogram("gaussian", 0.0, 1.0, 1e9)
    with pytest.raises(SingularKrigingError, match="singular"):
        ElevationKriging(close).fit(places, values, height)


def dem() -> object:
    grid = Grid.from_bounds((92.0, 33.0, 94.0, 34.0), 0.25, "EPSG:4326")
    rng = np.random.default_rng(4)
    heights = rng.uniform(3500, 6000, grid.shape)
    heights[0, 0] = np.nan
    return grid.raster(heights, name="elevation")


def test_the_grid_is_the_points_of_its_centres() -> None:
    places, values, height = stations_of(25)
    kriging = ElevationKriging(MODEL).fit(places, values, height)
    elevation = dem()
    surface = kriging.grid(elevation)
    x, y = np.meshgrid(elevation["x"], elevation["y"])
    centres = gpd.GeoSeries.from_xy(x.ravel(), y.ravel(), crs="EPSG:4326")
    points = kriging.predict(centres, elevation.to_numpy().ravel())
    for name in ("estimate", "kriging_variance", "drift_variance"):
        np.testing.assert_array_equal(
            surface[name].to_numpy().ravel(), points[name].to_numpy()
        )
    assert Grid.of(surface) == Grid.of(elevation)
    assert np.isnan(surface["estimate"][0, 0])
    assert int(np.isnan(surface["estimate"]).sum()) == 1
    assert surface.attrs["method"] == "regression kriging with elevation"
    low, high = surface.attrs["elevation_range"]
    known = elevation.to_numpy()[np.isfinite(elevation.to_numpy())]
    beyond = ((known < low) | (known > high)).mean()
    assert surface.attrs["share_extrapolated"] == pytest.approx(beyond)


def test_bare_metres_do_not_fit_a_grid_in_degrees() -> None:
    places, values, height = stations_of(8)
    xy = places.to_crs("EPSG:32647").get_coordinates().to_numpy()
    kriging = ElevationKriging(MODEL).fit(xy, values, height)
    with pytest.raises(InputError, match="bare metres"):
        kriging.grid(dem())


def monthly(count: int = 20) -> pd.DataFrame:
    places, values, height = stations_of(count)
    june = pd.DataFrame(
        {
            "station": [str(i) for i in range(count)],
            "longitude": places.x,
            "latitude": places.y,
            "elevation": height,
            "month": pd.Timestamp("2020-06-01"),
            "variable": "air_temperature",
            "value": values,
            "units": "degC",
        }
    )
    july = june.assign(month=pd.Timestamp("2020-07-01"), value=values + 2)
    july.loc[4:, "value"] = np.nan
    august = june.assign(month=pd.Timestamp("2020-08-01"), value=values + 1)
    return pd.concat([august, june, july], ignore_index=True)


def test_a_month_with_few_stations_stays_with_its_reason() -> None:
    fields = station_fields(
        monthly(), dem(), variable="air_temperature", variogram=MODEL
    )
    assert fields["estimate"].dims == ("time", "y", "x")
    months = pd.DatetimeIndex(fields["time"].to_numpy()).month.tolist()
    assert months == [6, 7, 8]
    assert np.isnan(fields["estimate"][1]).all()
    assert "4 stations" in fields["reason"][1].item()
    assert fields["reason"][[0, 2]].to_numpy().tolist() == ["", ""]
    np.testing.assert_allclose(fields["estimate"][2], fields["estimate"][0] + 1)
    assert fields["estimate"].attrs["units"] == "degC"
    assert (fields["leave_one_out_rmse"][[0, 2]] > 0).all()
    assert Grid.of(fields) == Grid.of(dem())


def test_a_table_without_columns_or_variable_is_refused() -> None:
    table = monthly()
    with pytest.raises(InputError, match="no column elevation, month"):
        station_fields(
            table.drop(columns=["elevation", "month"]), dem(), variable="rain"
        )
    with pytest.raises(InputError, match=r"'rain'\. It has: air_temperature"):
        station_fields(table, dem(), variable="rain")
    with pytest.raises(MissingCRSError):
        station_fields(
            table, dem().drop_vars("spatial_ref"), variable="air_temperature"
        )
