"""Interpolation of a file of points: its rasters are those of the Python API."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.errors import GeosoilError, GeosoilWarning, InputError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.base import metric_crs, positions
from geosoil.interpolation.composition import CompositionInterpolator
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import cross_validate
from geosoil.interpolation.variogram import Variogram, fit_variogram
from geosoil.io.geotiff import read_geotiff, write_geotiff
from geosoil.workflow.interpolate import interpolate_points
from geosoil.workflow.interpolate_checks import check_request
from geosoil.workflow.interpolate_inputs import open_inputs
from geosoil.workflow.interpolate_methods import makers
from geosoil.workflow.interpolate_request import InterpolateRequest
from geosoil.workflow.interpolate_surfaces import make_surfaces

GRID = Grid.from_bounds((92.0, 33.0, 95.0, 35.0), 0.1, "EPSG:4326")
ZERO_RULES = """
[[rule]]
source = "snow"
period = ["June"]
below = 4000
"""


def heights(x, y):
    """A slope that rises to the west, with hills."""
    return 4700.0 - 500.0 * (np.asarray(x) - 92.0) + 150.0 * np.sin(9 * np.asarray(y))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty sites with a value that falls with elevation, and fractions of three."""
    folder = tmp_path_factory.mktemp("points")
    rng = np.random.default_rng(3)
    x, y = rng.uniform(92.05, 94.95, 60), rng.uniform(33.05, 34.95, 60)
    height = heights(x, y)
    smooth = 1.5 * np.sin(2.5 * x) + np.cos(3.0 * y)
    value = 20.0 - 0.004 * height + smooth + rng.normal(0, 0.2, 60)
    snow = np.where(height < 4000, 0.0, 0.1 + 0.05 * rng.uniform(size=60))
    ice = 0.2 + 0.1 * np.sin(2.0 * x) + rng.normal(0, 0.02, 60)
    table = pd.DataFrame(
        {
            "site": [f"s{i:02d}" for i in range(60)],
            "period": ["June"] * 58 + ["August"] * 2,
            "longitude": x,
            "latitude": y,
            "elevation": height,
            "value": value,
            "fraction_rain": 1.0 - ice - snow,
            "fraction_ice": ice,
            "fraction_snow": snow,
        }
    )
    table.loc[3, "value"] = np.nan
    table.loc[4, "longitude"] = np.nan
    table.to_csv(folder / "sites.csv", index=False)
    fine = Grid.from_bounds((91.9, 32.9, 95.1, 35.1), 0.05, "EPSG:4326")
    relief = heights(*np.meshgrid(fine.x, fine.y))
    write_geotiff(fine.raster(relief, name="elevation"), folder / "dem.tif")
    (folder / "zero.toml").write_text(ZERO_RULES)
    return folder


DRAWING = "geosoil.workflow.interpolate_output.draw_figures"


@pytest.fixture(autouse=True)
def _without_figures(monkeypatch):
    """Leave the drawing out, which takes most of the time; the command's tests draw."""
    monkeypatch.setattr(DRAWING, lambda *_: [])


def request(folder, **options):
    given = {
        "points": str(folder / "sites.csv"),
        "columns": ("value",),
        "grid": "0.1",
        "bbox": GRID.bounds,
    }
    return InterpolateRequest(**{**given, **options})


def points_of(folder):
    table = pd.read_csv(folder / "sites.csv").drop(index=4)
    places = gpd.points_from_xy(table["longitude"], table["latitude"], crs=4326)
    return gpd.GeoDataFrame(table, geometry=places)


@pytest.fixture(scope="module")
def kriged(folder, tmp_path_factory):
    """Ordinary kriging with quantiles, and where it was written."""
    out = tmp_path_factory.mktemp("kriged")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DRAWING, lambda *_: [])
        asked = request(folder, method="ok", quantiles=True, cv="loo")
        return interpolate_points(asked, out), out


def test_rasters_of_kriging_are_those_of_the_api(folder, kriged):
    report, out = kriged
    points = points_of(folder)
    variogram = fit_variogram(points, points["value"])
    surface = Kriging(variogram).fit(points, points["value"]).grid(GRID)
    estimate = read_geotiff(out / "value_estimate.tif")
    sd = read_geotiff(out / "value_sd.tif")
    np.testing.assert_array_equal(estimate, surface["estimate"].astype(np.float32))
    np.testing.assert_array_equal(
        sd, np.sqrt(surface["kriging_variance"]).astype(np.float32)
    )
    upper = read_geotiff(out / "value_p95.tif")
    np.testing.assert_allclose(upper, estimate + 1.6448536 * sd, rtol=1e-5)
    assert Grid.of(estimate) == GRID
    row = report.summary.iloc[0]
    assert (row["rows"], row["rows_used"], row["places"]) == (60, 58, 58)
    assert (row["left_out_no_value"], row["left_out_no_place"]) == (1, 1)
    assert row["range_m"] == variogram.range_


def test_inverse_distances_are_those_of_the_api_and_have_no_sd(folder, tmp_path):
    interpolate_points(request(folder, method="idw", power=3.0), tmp_path)
    points = points_of(folder)
    surface = InverseDistance(3.0).fit(points, points["value"]).grid(GRID)
    estimate = read_geotiff(tmp_path / "value_estimate.tif")
    np.testing.assert_array_equal(estimate, surface["estimate"].astype(np.float32))
    assert not (tmp_path / "value_sd.tif").exists()
    assert not (tmp_path / "variogram.csv").exists()


def test_the_netcdf_holds_what_the_geotiffs_hold_and_is_cf(kriged):
    out = kriged[1]
    with xr.open_dataset(out / "interpolation.nc", decode_coords="all") as found:
        assert found.attrs["Conventions"] == "CF-1.11"
        for name, file in (("value", "value_estimate"), ("value_sd", "value_sd")):
            raster = read_geotiff(out / f"{file}.tif")
            np.testing.assert_array_equal(found[name].astype(np.float32), raster)
        assert found["x"].attrs["standard_name"] == "longitude"
        assert found["support"].attrs["flag_meanings"].startswith("far_from_data")


def test_every_raster_says_how_it_was_made(kriged):
    out = kriged[1]
    tags = read_geotiff(out / "value_estimate.tif").attrs["tags"]
    assert tags["method"] == "ordinary kriging"
    assert tags["variogram"] == "spherical"
    assert tags["inputs"] == "sites.csv"
    assert tags["software"].startswith("geosoil ")
    record = json.loads((out / "provenance.json").read_text())
    assert record["settings"]["method"] == "ok"
    assert set(record["outputs"]) == {
        path.name for path in out.iterdir() if path.name != "provenance.json"
    }


def test_simulated_points_are_called_so_in_every_output(folder, kriged, tmp_path):
    assert kriged[0].found.inputs.simulated is False
    assert "SIMULATED" not in kriged[0].text
    table = pd.read_csv(folder / "sites.csv").assign(simulated=True)
    table.to_csv(tmp_path / "marked.csv", index=False)
    asked = replace(request(folder, method="ok"), points=str(tmp_path / "marked.csv"))
    report = interpolate_points(asked, tmp_path / "out")
    assert report.text.startswith("SIMULATED points: no value below was measured.")
    raster = read_geotiff(tmp_path / "out" / "value_estimate.tif")
    assert raster.attrs["tags"]["simulated"] == "yes: no measured data"
    with xr.open_dataset(tmp_path / "out" / "interpolation.nc") as content:
        assert content.attrs["simulated"] == "yes: no measured data"


def test_cross_validation_is_that_of_the_api(folder, kriged):
    report, out = kriged
    points = points_of(folder).dropna(subset=["value"])
    direct = cross_validate(
        Kriging(fit_variogram(points, points["value"])), points, points["value"]
    )
    table = pd.read_csv(out / "cross_validation.csv")
    np.testing.assert_allclose(table["predicted"], direct.table["predicted"], rtol=1e-9)
    assert table["row"].tolist() == (points.index + 2).tolist()
    assert report.summary["cv_rmse"].iloc[0] == pytest.approx(direct.scores.rmse)


def test_auto_takes_the_candidate_of_least_error_where_it_beats_the_mean(
    folder, tmp_path
):
    options = {"drifts": (f"elevation={folder / 'dem.tif'}",)}
    report = interpolate_points(request(folder, **options), tmp_path)
    ranking = pd.read_csv(tmp_path / "cross_validation_scores.csv")
    assert set(ranking["candidate"]) == {
        "mean", "idw", "ok", "ked", "regression kriging"
    }  # fmt: skip
    best = ranking.sort_values("rmse", kind="stable")["candidate"].iloc[0]
    assert best in ("ked", "regression kriging")
    assert report.found.choice.method == "ked"
    twins = ranking.set_index("candidate")["rmse"]
    assert twins["ked"] == pytest.approx(twins["regression kriging"], rel=1e-9)
    assert "predicts best: RMSE" in report.text
    assert "% below that of the mean" in report.text


def test_auto_takes_the_mean_where_nothing_predicts_better(folder, tmp_path):
    rng = np.random.default_rng(8)
    table = pd.read_csv(folder / "sites.csv")
    table["value"] = rng.normal(size=60)
    table.to_csv(tmp_path / "noise.csv", index=False)
    asked = InterpolateRequest(str(tmp_path / "noise.csv"), ("value",), grid="0.1")
    report = interpolate_points(asked, tmp_path / "out")
    assert report.found.choice.method == "mean"
    estimate = read_geotiff(tmp_path / "out/value_estimate.tif")
    used = table["value"].drop(index=4).mean()
    np.testing.assert_allclose(estimate, used, rtol=1e-5)
    assert "nothing predicts better than mean of the places" in report.text


def test_external_drift_reads_its_raster_at_points_and_cells(folder, tmp_path):
    asked = request(folder, method="ked", drifts=(f"elevation={folder / 'dem.tif'}",))
    report = interpolate_points(asked, tmp_path)
    fitted = report.found.surfaces.interpolators["value"]
    slope = fitted.drift_coefficients_.loc["elevation", "coefficient"]
    assert slope == pytest.approx(-0.004, abs=0.0025)
    assert (
        "elevation_beyond_samples"
        in (report.found.judgement.support["reason"].attrs["rules_applied"])
    )
    assert bool(np.isfinite(report.found.surfaces.estimates["value"]).all())


def test_points_and_cells_without_a_drift_are_counted(folder, tmp_path):
    part = read_geotiff(folder / "dem.tif").isel(x=slice(0, 40))
    write_geotiff(part.drop_attrs(deep=False), tmp_path / "west.tif")
    asked = request(folder, method="ked", drifts=(f"height={tmp_path / 'west.tif'}",))
    report = interpolate_points(asked, tmp_path / "out")
    points = points_of(folder).dropna(subset=["value"])
    east = int((points["longitude"] >= 93.9).sum())
    row = report.summary.iloc[0]
    assert row["left_out_no_height"] == east
    estimate = report.found.surfaces.estimates["value"]
    assert row["cells_without_estimate"] == int(np.isnan(estimate).sum()) > 0
    assert f"{east} no height" in report.text


def test_support_is_by_distance_and_its_area_is_told(folder, tmp_path):
    asked = request(folder, method="idw", support_distance="15km", mask=True)
    report = interpolate_points(asked, tmp_path)
    points = points_of(folder).dropna(subset=["value"])
    crs = metric_crs(points, InverseDistance().projection)
    cells = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(
            *(part.ravel() for part in np.meshgrid(GRID.x, GRID.y)), crs=4326
        )
    )
    gaps = positions(cells, crs)[:, None, :] - positions(points, crs)[None, :, :]
    far = (np.hypot(gaps[..., 0], gaps[..., 1]).min(axis=1) > 15_000).reshape(
        GRID.shape
    )
    codes = read_geotiff(tmp_path / "value_support.tif")
    np.testing.assert_array_equal(codes, far.astype(np.uint8))
    area = float(cell_area(GRID).to_numpy()[far].sum())
    row = report.summary.iloc[0]
    assert row["unsupported_km2"] == pytest.approx(area)
    assert row["unsupported_km2_far_from_data"] == pytest.approx(area)
    estimate = read_geotiff(tmp_path / "value_estimate.tif")
    np.testing.assert_array_equal(np.isnan(estimate), far)
    assert row["cells_without_estimate"] == 0
    assert "left empty" in report.text


def test_cells_outside_of_the_region_are_empty(folder, tmp_path):
    west = gpd.GeoDataFrame(
        geometry=gpd.GeoSeries.from_wkt(
            ["POLYGON((92.2 33.2, 93.2 33.2, 93.2 34.2, 92.2 34.2, 92.2 33.2))"]
        ),
        crs=4326,
    )
    west.to_file(tmp_path / "west.gpkg")
    asked = request(
        folder, method="idw", bbox=None, region=str(tmp_path / "west.gpkg"), grid="10km"
    )
    report = interpolate_points(asked, tmp_path / "out")
    estimate = read_geotiff(tmp_path / "out/value_estimate.tif")
    grid = Grid.of(estimate)
    assert grid.resolution == (10_000.0, 10_000.0)
    assert grid.crs.is_projected
    inside = np.isfinite(estimate.to_numpy())
    np.testing.assert_array_equal(inside, report.found.inputs.mask.to_numpy())
    assert 0 < inside.sum() < inside.size
    support = read_geotiff(tmp_path / "out/value_support.tif")
    assert support.attrs["nodata"] == 255
    np.testing.assert_array_equal(support == 255, ~inside)


def test_the_grid_of_a_raster_is_taken(folder, tmp_path):
    asked = request(folder, method="nearest", grid=str(folder / "dem.tif"), bbox=None)
    interpolate_points(asked, tmp_path)
    estimate = read_geotiff(tmp_path / "value_estimate.tif")
    assert Grid.of(estimate) == Grid.of(read_geotiff(folder / "dem.tif"))


def test_without_a_grid_about_twenty_thousand_cells_hold_the_points(folder, tmp_path):
    asked = request(folder, method="idw", grid=None, bbox=None, cv="none")
    report = interpolate_points(asked, tmp_path)
    assert 10_000 < report.summary["cells"].iloc[0] < 80_000


GIVEN_MODEL = "spherical:0.1,0.5,90000"


def composition(folder, **options):
    columns = ("fraction_rain", "fraction_ice", "fraction_snow")
    given = {
        "columns": columns,
        "composition": True,
        "period": "June",
        "zero_rules": str(folder / "zero.toml"),
        "elevation": str(folder / "dem.tif"),
    }
    return request(folder, **{**given, **options})


@pytest.mark.parametrize("method", ["idw", "ok", "ilr"])
def test_parts_sum_to_one_and_are_zero_where_a_rule_says_so(folder, tmp_path, method):
    asked = composition(folder, method=method, grid="0.25", cv="kfold")
    if method == "ilr":
        asked = replace(asked, cv="none", quantiles=True)
    report = interpolate_points(asked, tmp_path)
    maps = report.found.surfaces.estimates
    assert set(maps.data_vars) == {"rain", "ice", "snow"}
    total = sum(maps[name] for name in maps.data_vars)
    np.testing.assert_allclose(total, 1.0, atol=1e-12)
    assert min(float(maps[name].min()) for name in maps.data_vars) >= 0.0
    low = report.found.inputs.rasters.elevation < 4000
    assert bool((maps["snow"].where(low, 0.0) == 0.0).all())
    assert float(maps["snow"].where(~low).max()) > 0.05
    assert (tmp_path / "snow_estimate.tif").is_file()
    assert (tmp_path / "support.tif").is_file()
    assert (report.summary["rows_used"] == 57).all()
    if method == "ilr":
        low, middle, high = (
            read_geotiff(tmp_path / f"ice_{name}.tif") for name in ("p05", "p50", "p95")
        )
        assert bool(((low >= 0) & (low <= middle) & (middle <= high)).all())
        assert bool((high <= 1).all())
    else:
        predicted = pd.read_csv(tmp_path / "cross_validation.csv").pivot_table(
            "predicted", "row", "quantity"
        )
        np.testing.assert_allclose(predicted.sum(axis=1), 1.0, atol=1e-9)


def test_log_ratios_are_validated_at_the_points_themselves(folder, tmp_path):
    drifts = (f"elevation={folder / 'dem.tif'}",)
    asked = composition(
        folder,
        method="ilr",
        grid="0.5",
        cv="kfold",
        variogram=GIVEN_MODEL,
        drifts=drifts,
    )
    report = interpolate_points(asked, tmp_path)
    inputs, found = report.found.inputs, report.found.choice.validations
    tables = {name: one.table for name, one in found.items()}
    total = sum(table["predicted"] for table in tables.values())
    np.testing.assert_allclose(total, 1.0, rtol=0, atol=1e-12)
    low = inputs.heights < 4000
    assert (tables["snow"]["predicted"][low] == 0.0).all()
    assert (tables["snow"]["predicted"][~low] > 0.0).all()
    test = (tables["rain"]["fold"] == 0).to_numpy()
    assert 3 <= test.sum() <= 8
    maps = CompositionInterpolator(
        Kriging(Variogram("spherical", 0.1, 0.5, 90_000.0), drift=inputs.rasters.wide),
        inputs.rules,
        method="ilr",
    ).fit(
        inputs.points[~test],
        pd.DataFrame({name: inputs.values(name)[~test] for name in tables}),
        elevation=inputs.heights[~test],
        period="June",
    )
    crs = metric_crs(inputs.points, Kriging("nugget").projection)
    for row, (x, y) in zip(
        np.flatnonzero(test), positions(inputs.points[test], crs), strict=True
    ):
        cell = Grid.from_bounds((x - 0.5, y - 0.5, x + 0.5, y + 0.5), 1.0, crs)
        height = cell.raster([[inputs.heights[row]]])
        told = maps.grid(cell, elevation=height)
        for name, table in tables.items():
            own = table.iloc[row]
            assert own["predicted"] == pytest.approx(told[name].item(), abs=1e-12)
            spread = told[f"{name}_sd"].item() ** 2
            assert own["variance"] == pytest.approx(spread, abs=1e-12)


def test_auto_compares_log_ratios_too_or_says_why_not(folder, tmp_path):
    table = pd.read_csv(folder / "sites.csv").iloc[5:19]
    table.to_csv(tmp_path / "few.csv", index=False)
    asked = composition(folder, points=str(tmp_path / "few.csv"), grid="0.5")
    report = interpolate_points(asked, tmp_path / "whole")
    assert "ilr" in set(report.found.choice.ranking["candidate"])
    table.loc[10, ["fraction_rain", "fraction_ice"]] += [0.6, -0.6]
    table.to_csv(tmp_path / "few.csv", index=False)
    with pytest.warns(GeosoilWarning, match="some fractions are below 0"):
        report = interpolate_points(asked, tmp_path / "raw")
    assert "ilr" not in set(report.found.choice.ranking["candidate"])


def test_simulations_give_quantiles_and_a_chance(folder, tmp_path):
    asked = request(
        folder, method="ok", grid="0.25", cv="none", simulations=200, threshold=4.0
    )
    interpolate_points(asked, tmp_path)
    names = ("estimate", "sd", "simulated_mean", "simulated_sd", "p05", "p95",
             "chance_above")  # fmt: skip
    maps = {name: read_geotiff(tmp_path / f"value_{name}.tif") for name in names}
    gap = np.abs(maps["simulated_mean"] - maps["estimate"])
    assert float((gap / maps["sd"]).max()) < 4.5 / np.sqrt(200)
    np.testing.assert_allclose(maps["simulated_sd"], maps["sd"], rtol=0.25)
    assert bool((maps["p05"] < maps["p95"]).all())
    high = maps["p05"] > 4.0
    assert bool((maps["chance_above"].where(high, 1.0) >= 0.95).all())


def test_a_measured_variance_is_filtered(folder, tmp_path):
    table = pd.read_csv(folder / "sites.csv").assign(sd=0.5, variance=0.25)
    table.to_csv(tmp_path / "noisy.csv", index=False)
    found = []
    for options in ({"sd_columns": ("sd",)}, {"variance_columns": ("variance",)}):
        asked = InterpolateRequest(
            str(tmp_path / "noisy.csv"), ("value",), method="ok", grid="0.2",
            cv="none", **options,
        )  # fmt: skip
        interpolate_points(asked, tmp_path / "out")
        found.append(read_geotiff(tmp_path / "out/value_estimate.tif"))
    np.testing.assert_array_equal(*found)
    points = points_of(folder)
    kriging = Kriging(fit_variogram(points, points["value"]))
    kriging.fit(points, points["value"], variance=np.full(len(points), 0.25))
    surface = kriging.grid(Grid.of(found[0]))["estimate"].astype(np.float32)
    np.testing.assert_array_equal(found[0], surface)


def test_sites_are_left_out_whole(folder, tmp_path):
    table = pd.read_csv(folder / "sites.csv").drop(index=4)
    deeper = table.assign(value=table["value"] + 0.3)
    pd.concat([table, deeper]).to_csv(tmp_path / "depths.csv", index=False)
    asked = InterpolateRequest(
        str(tmp_path / "depths.csv"), ("value",), method="ok", grid="0.2",
        cv="site", site_column="site",
    )  # fmt: skip
    report = interpolate_points(asked, tmp_path / "out")
    assert report.found.choice.validations["value"].n_folds == 58
    assert report.summary["merged"].iloc[0] == 58
    assert "averaged with others of their place" in report.text


def test_large_grids_are_made_in_blocks_of_the_same_numbers(
    folder, tmp_path, monkeypatch
):
    whole = interpolate_points(request(folder, method="ok", cv="none"), tmp_path / "a")
    monkeypatch.setattr("geosoil.workflow.interpolate_surfaces.LARGE", 10)
    part = interpolate_points(request(folder, method="ok", cv="none"), tmp_path / "b")
    np.testing.assert_allclose(
        part.found.surfaces.estimates["value"],
        whole.found.surfaces.estimates["value"],
        rtol=1e-12,
    )


def test_the_memory_is_told_before_the_work_and_a_budget_is_kept(folder, tmp_path):
    lines = []
    asked = request(folder, method="ok", cv="none")
    interpolate_points(asked, tmp_path, progress=lines.append)
    told = [i for i, line in enumerate(lines) if line.startswith("memory: 600 cells")]
    work = [i for i, line in enumerate(lines) if line.startswith("interpolating value")]
    assert told[0] < work[0]
    for one in (asked, composition(folder, method="idw", cv="none")):
        small = replace(one, memory_limit="10kB")
        with pytest.raises(InputError, match="more than the limit of"):
            interpolate_points(small, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_means_stand_side_by_side(folder, tmp_path):
    report = interpolate_points(request(folder, method="idw", cv="none"), tmp_path)
    values = points_of(folder)["value"].dropna()
    row = report.summary.iloc[0]
    assert row["sample_mean"] == pytest.approx(values.mean())
    estimate = report.found.surfaces.estimates["value"].to_numpy()
    area = cell_area(GRID).to_numpy()
    assert row["map_mean"] == pytest.approx(np.average(estimate, weights=area))
    assert row["declustered_mean_lowest"] <= row["declustered_mean_highest"]


def test_a_given_variogram_is_used_as_it_is(folder, tmp_path):
    asked = request(folder, method="ok", variogram="exponential:0.1,2,30000")
    report = interpolate_points(asked, tmp_path)
    fitted = report.found.surfaces.interpolators["value"].variogram_
    assert (fitted.model, fitted.nugget, fitted.sill) == ("exponential", 0.1, 2.1)
    with pytest.raises(InputError, match="nugget is -1"):
        interpolate_points(
            request(folder, method="ok", variogram="spherical:-1,2,30000"),
            tmp_path / "none",
        )


def test_auto_takes_the_variogram_of_the_lowest_aic(folder, tmp_path):
    report = interpolate_points(
        request(folder, method="ok", variogram="auto", cv="none"), tmp_path
    )
    points = points_of(folder)
    fits = [
        fit_variogram(points, points["value"], model=model)
        for model in ("spherical", "exponential", "gaussian")
    ]
    fits.append(fit_variogram(points, points["value"], model="matern",
                smoothness="fit"))  # fmt: skip
    best = min(fits, key=lambda one: one.fit.aic)
    assert report.summary["variogram"].iloc[0] == best.model


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.iloc[:2], "2 points at 2 places.*3 different places are needed"),
        (lambda t: t.assign(value=7.0), r"all 59 values of value are equal \(7\)"),
        (
            lambda t: t.assign(longitude=93.0, latitude=34.0),
            "one and the same place",
        ),
        (
            lambda t: t.assign(value=np.nan),
            "0 points at 0 places.*59 with no value, 1 with no place|no place, 59",
        ),
        (lambda t: t.assign(longitude=np.nan), "None of 60 rows has a place"),
        (lambda t: t.drop(columns="longitude"), "no columns of coordinates"),
    ],
)
def test_what_cannot_be_interpolated_is_named_and_nothing_written(
    folder, tmp_path, change, told
):
    change(pd.read_csv(folder / "sites.csv")).to_csv(tmp_path / "bad.csv", index=False)
    asked = InterpolateRequest(
        str(tmp_path / "bad.csv"), ("value",), grid="0.1", bbox=GRID.bounds
    )
    with pytest.raises(GeosoilError, match=told):
        interpolate_points(asked, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_rows_that_do_not_sum_to_one_are_named(folder, tmp_path):
    table = pd.read_csv(folder / "sites.csv")
    table.loc[[5, 9], "fraction_rain"] += 0.2
    table.to_csv(tmp_path / "bad.csv", index=False)
    asked = InterpolateRequest(
        str(tmp_path / "bad.csv"), ("fraction_rain", "fraction_ice", "fraction_snow"),
        composition=True,
    )  # fmt: skip
    with pytest.raises(InputError, match=r"2 rows do not sum to 1 \(rows 7 and 11"):
        interpolate_points(asked, tmp_path / "out")
    percent = table.assign(
        **{n: 100 * table[n] for n in table if n.startswith("fraction")}
    )
    percent.to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(InputError, match="percent, it seems"):
        interpolate_points(asked, tmp_path / "out")


def test_all_faults_of_a_request_are_told_at_once():
    asked = InterpolateRequest(
        "a.csv", ("a", "b"), method="kriging", grid="wide", max_distance="far",
        n_neighbors=0, cv="site", variogram="sperical", power=-1.0,
        zero_rules="z.toml", scheduler="here",
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        check_request(asked)
    for words in (
        "unknown --method 'kriging'", "nearest: spherical", "--grid is 'wide'",
        "--max-distance is 'far'", "--n-neighbors is 0", "--site-column", "--power",
        "--composition", "tcp://host:port",
    ):  # fmt: skip
        assert words in str(caught.value)


def test_faults_of_several_files_are_told_at_once(folder, tmp_path):
    asked = request(folder, columns=("valeu",), region=str(tmp_path / "no.gpkg"))
    with pytest.raises(InputError) as caught:
        interpolate_points(asked, tmp_path / "out")
    assert "Nearest: value" in str(caught.value)
    assert "no.gpkg" in str(caught.value)


def test_a_period_that_is_absent_is_told_with_those_present(folder, tmp_path):
    with pytest.raises(InputError, match=r"no row with period 'Juin'\. Nearest: June"):
        interpolate_points(request(folder, period="Juin"), tmp_path / "out")


def test_the_variance_of_a_drift_is_judged_beside_that_of_the_values(folder, tmp_path):
    asked = request(
        folder, method="ked", cv="none", drifts=(f"elevation={folder / 'dem.tif'}",)
    )
    report = interpolate_points(asked, tmp_path)
    spread = points_of(folder)["value"].var()
    variance = report.found.surfaces.sds["value"] ** 2
    codes = report.found.judgement.support["reason"].to_numpy()
    np.testing.assert_array_equal((codes & 2) > 0, variance > 0.9 * spread)
    residual = report.found.surfaces.interpolators["value"].variogram_.sill
    assert residual < spread


def test_what_takes_no_variance_is_given_none(folder, tmp_path):
    table = pd.read_csv(folder / "sites.csv").assign(sd=0.5)
    table.to_csv(tmp_path / "noisy.csv", index=False)
    asked = request(folder, points=str(tmp_path / "noisy.csv"), sd_columns=("sd",))
    inputs = open_inputs(asked, lambda _: None)
    surfaces = make_surfaces(makers(inputs, asked), "idw", asked, lambda _: None)
    points = points_of(folder)
    direct = InverseDistance().fit(points, points["value"]).grid(GRID)
    np.testing.assert_array_equal(surfaces.estimates["value"], direct["estimate"])


def test_zeros_of_a_rule_say_nothing_of_where_the_part_can_be(folder, tmp_path):
    report = interpolate_points(composition(folder, method="ok", cv="loo"), tmp_path)
    points = points_of(folder)
    points = points[points["period"] == "June"]
    high = points[points["elevation"] >= 4000]
    raw = []
    for name in ("rain", "ice", "snow"):
        values = high[f"fraction_{name}"]
        kriging = Kriging(fit_variogram(high, values)).fit(high, values)
        raw.append(kriging.grid(GRID)["estimate"].to_numpy())
    closed = close_to_simplex(np.stack(raw, axis=-1))
    can = (report.found.inputs.rasters.elevation >= 4000).to_numpy()
    snow = report.found.surfaces.estimates["snow"].to_numpy()
    np.testing.assert_allclose(snow[can], closed[..., 2][can], rtol=1e-9, atol=1e-12)
    direct = [
        cross_validate(
            Kriging(fit_variogram(high, high[f"fraction_{name}"])),
            high, high[f"fraction_{name}"],
        ).table["predicted"]
        for name in ("rain", "ice", "snow")
    ]  # fmt: skip
    expected = close_to_simplex(np.column_stack(direct))[:, 2]
    table = report.found.choice.validations["snow"].table
    predicted = table.loc[high.index + 2, "predicted"]
    np.testing.assert_allclose(predicted, expected, rtol=1e-9, atol=1e-12)
    low = table.drop(index=high.index + 2)
    assert (low["predicted"] == 0.0).all()
