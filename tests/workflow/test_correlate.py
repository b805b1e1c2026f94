"""Two files are correlated over time and over space as the library does it."""

import json

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr

import geosoil
from geosoil.correlation.temporal import correlate
from geosoil.correlation.window import window_correlation
from geosoil.errors import (
    GeosoilWarning,
    GridMismatchError,
    InputError,
    MissingFileError,
)
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf
from geosoil.workflow.correlate import correlate_files
from geosoil.workflow.correlate_request import CorrelateRequest

FINE = Grid.from_bounds((90.0, 32.0, 91.0, 33.0), 0.05, "EPSG:4326")
COARSE = Grid.from_bounds((90.0, 32.0, 91.0, 33.0), 0.1, "EPSG:4326")
MONTHS = pd.date_range("2001-01-01", periods=120, freq="MS").as_unit("ns")


def cube(grid, seed, name, days=MONTHS, like=None):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((len(days), *grid.shape))
    if like is not None:
        values = 0.8 * like + 0.6 * values
    values[:, 0, 0] = np.nan
    return grid.georeference(
        xr.DataArray(
            values,
            dims=("time", "y", "x"),
            coords={"time": days},
            name=name,
            attrs={"units": "mm"},
        )
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("series")
    soil = cube(COARSE, 1, "soil")
    rain = cube(COARSE, 2, "cover", like=soil.to_numpy())
    green = cube(FINE, 3, "green")
    for one in (soil, rain, green):
        write_netcdf(one.to_dataset(), folder / f"{one.name}.nc")
    return folder, soil, rain, green


def place(files, name):
    return f"{files[0] / name}.nc:{name}"


def request(files, x="soil", y="cover", **options):
    return CorrelateRequest(place(files, x), place(files, y), **options)


def test_a_correlation_over_time_is_the_librarys_own(files, tmp_path):
    answer = correlate_files(request(files), tmp_path)
    own = correlate(files[1], files[2])
    for name in ("r", "p_value", "n", "n_effective", "slope", "r_lower", "reason"):
        np.testing.assert_array_equal(answer.maps[""][name], own[name], err_msg=name)
        found = geosoil.read_geotiff(
            tmp_path / f"correlation_soil_cover_{name}.tif", classes=False
        )
        np.testing.assert_allclose(found, own[name], rtol=2e-7, err_msg=name)
    with xr.open_dataset(tmp_path / "correlation.nc", engine="netcdf4") as stored:
        np.testing.assert_array_equal(stored["r"], own["r"])
        np.testing.assert_array_equal(stored["reason"], own["reason"])
    assert {path.name for path in answer.paths} == {
        file.name for file in tmp_path.iterdir()
    }
    assert {"correlation.png", "correlation_summary.csv", "provenance.json"} <= {
        path.name for path in answer.paths
    }


def test_each_raster_says_how_it_was_made(files, tmp_path):
    correlate_files(request(files, method="spearman", fdr=0.05), tmp_path)
    with rasterio.open(tmp_path / "correlation_soil_cover_r.tif") as file:
        tags = file.tags()
        assert tags["method"].startswith("spearman over time, 120 dates")
        assert tags["dates"] == "2001-01 to 2010-12"
        assert "0.1" in tags["support_x"]
        assert file.crs.to_epsg() == 4326
    record = json.loads((tmp_path / "provenance.json").read_text())
    assert set(record["inputs"]) == {"soil.nc", "cover.nc"}


def test_months_are_correlated_each_by_itself(files, tmp_path):
    answer = correlate_files(request(files, months=(6, 8)), tmp_path)
    assert list(answer.maps) == ["June", "August"]
    for month, label in ((6, "June"), (8, "August")):
        x, y = (one.sel(time=one["time"].dt.month == month) for one in files[1:3])
        np.testing.assert_array_equal(answer.maps[label]["r"], correlate(x, y)["r"])
        assert (tmp_path / f"correlation_soil_cover_{label}_r.tif").is_file()
    assert answer.summary["month"].tolist() == ["June", "August"]
    with xr.open_dataset(tmp_path / "correlation.nc", engine="netcdf4") as stored:
        assert stored["month"].to_numpy().tolist() == [6, 8]


def test_a_lag_of_a_month_leads_into_the_next_month(files, tmp_path):
    answer = correlate_files(request(files, months=(6,), lags=(1,)), tmp_path)
    june = files[1].sel(time=files[1]["time"].dt.month == 6).to_numpy()
    july = files[2].sel(time=files[2]["time"].dt.month == 7).to_numpy()
    expected = np.corrcoef(june[:, 3, 4], july[:, 3, 4])[0, 1]
    found = answer.maps["June"]
    assert float(found["r"][3, 4]) == pytest.approx(expected, abs=1e-14)
    assert int(found["n"][3, 4]) == 10


def test_the_best_of_several_lags_is_mapped(files, tmp_path):
    answer = correlate_files(request(files, lags=tuple(range(4))), tmp_path)
    assert float(answer.maps[""]["lag"].median()) == 0.0
    assert (tmp_path / "correlation_soil_cover_lag.tif").is_file()


def test_the_finer_series_is_averaged_onto_the_coarser_grid(files, tmp_path):
    answer = correlate_files(request(files, y="green"), tmp_path)
    blocks = files[3].to_numpy().reshape(120, 10, 2, 10, 2).mean(axis=(2, 4))
    x = files[1].to_numpy()
    expected = np.corrcoef(x[:, 5, 5], blocks[:, 5, 5])[0, 1]
    assert Grid.of(answer.maps[""]) == COARSE
    # Rows of the north are narrower by less than a thousandth, and count less.
    assert float(answer.maps[""]["r"][5, 5]) == pytest.approx(expected, abs=1e-4)
    assert "averaged" in answer.text
    with pytest.raises(GridMismatchError, match=r"0\.05"):
        correlate_files(request(files, y="green", align="same"), tmp_path)


def test_partial_correlation_holds_the_control_fixed(files, tmp_path):
    answer = correlate_files(
        request(files, method="partial", controls=(place(files, "green"),)), tmp_path
    )
    assert int(answer.maps[""].attrs.get("controls", 0)) == 1
    assert not np.allclose(
        answer.maps[""]["r"], correlate(files[1], files[2])["r"], equal_nan=True
    )


def test_windows_and_weights_correlate_over_space(files, tmp_path):
    answer = correlate_files(request(files, window=5, months=(6,)), tmp_path / "w")
    x, y = (one.sel(time=one["time"].dt.month == 6).mean("time") for one in files[1:3])
    own = window_correlation(x, y, size=5)
    np.testing.assert_allclose(answer.maps["June"]["r"], own["r"], atol=1e-12)
    assert (tmp_path / "w/correlation_soil_cover_June_window_r.tif").is_file()
    row = answer.summary.iloc[0]
    assert row["region_r"] == pytest.approx(
        np.corrcoef(*(a.to_numpy()[np.isfinite(a.to_numpy())] for a in (x, y)))[0, 1]
    )
    assert 0 < row["region_p_value"] <= 1
    weighted = correlate_files(request(files, weighted="40"), tmp_path / "g")
    assert (tmp_path / "g/correlation_soil_cover_gw_bandwidth.tif").is_file()
    assert "40 nearest cells" in weighted.text


@pytest.mark.slow
def test_bootstrap_intervals_take_the_place_of_fishers(files, tmp_path):
    small = request(files, months=(7,), bootstrap=200)
    answer = correlate_files(small, tmp_path)
    found = answer.maps["July"]
    inside = (found["r_lower"] <= found["r"]) & (found["r"] <= found["r_upper"])
    assert float(inside.where(np.isfinite(found["r"])).mean()) > 0.98


def test_dates_that_one_series_lacks_are_told(files, tmp_path):
    short = files[2].isel(time=slice(24, None)).rename("cover")
    file = write_netcdf(short.to_dataset(), tmp_path / "short.nc")
    asked = CorrelateRequest(place(files, "soil"), f"{file}:cover")
    with pytest.warns(GeosoilWarning, match="'soil' has 24 dates.*2001-01, 2001-02"):
        answer = correlate_files(asked, tmp_path / "out")
    assert int(answer.maps[""]["n"].max()) == 96


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"months": (6, 6)}, "give each month once"),
        ({"months": (13,)}, "numbers from 1 to 12"),
        ({"window": 4}, "odd"),
        ({"window": 21}, "larger than the map"),
        ({"window": 5, "weighted": "40"}, "exclude each other"),
        ({"window": 5, "detrend": True}, "--detrend is over time"),
        ({"weighted": "far"}, "Bandwidth 'far' is not understood"),
        ({"method": "partial"}, "--control"),
        ({"fdr": 2.0}, "--fdr is 2.0"),
        ({"min_pairs": 200}, "leave 120 pairs"),
        ({"time": ("2001-01", "2001-03")}, "not testable"),
        ({"lags": (0, 200)}, "leave 0 pairs"),
        ({"bootstrap": 10}, "100 draws or more"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_nothing_written(
    files, tmp_path, options, words
):
    with pytest.raises(InputError, match=words):
        correlate_files(request(files, **options), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_all_inputs_that_cannot_be_used_are_told_at_once(files, tmp_path):
    asked = CorrelateRequest("absent.nc:a", f"{place(files, 'soil')}x")
    with pytest.raises(InputError, match=r"2 inputs(.|\n)*absent(.|\n)*Nearest: soil"):
        correlate_files(asked, tmp_path / "out")
    with pytest.raises(MissingFileError):
        correlate_files(CorrelateRequest("a.nc", "b.nc"), tmp_path / "out")


def test_cells_without_pairs_and_maps_without_dates_are_refused(files, tmp_path):
    empty = files[2].where(False).rename("cover")
    file = write_netcdf(empty.to_dataset(), tmp_path / "empty.nc")
    asked = CorrelateRequest(place(files, "soil"), f"{file}:cover")
    with pytest.raises(InputError, match="all_missing in 100 cells"):
        correlate_files(asked, tmp_path / "out")
    flat = write_geotiff(files[1].isel(time=0, drop=True), tmp_path / "map.tif")
    asked = CorrelateRequest(place(files, "soil"), str(flat))
    with pytest.raises(InputError, match="soil_2: a single map without dates"):
        correlate_files(asked, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_series_of_one_name_are_told_apart(files, tmp_path):
    asked = CorrelateRequest(place(files, "soil"), place(files, "soil"))
    answer = correlate_files(asked, tmp_path)
    assert (tmp_path / "correlation_soil_1_soil_2_r.tif").is_file()
    assert float(answer.maps[""]["p_value"].max()) == 0.0


def test_daily_moisture_answers_rain_as_planted(tmp_path):
    grid = Grid.from_bounds((90.0, 32.0, 90.3, 32.2), 0.1, "EPSG:4326")
    days = pd.date_range("2001-01-01", "2012-12-31").as_unit("ns")
    step = np.arange(len(days))
    rain = 4.0 * (step % 9 == 1) + 6.0 * (step % 18 == 1)
    moisture = 0.3 * 0.97 ** ((step - 1) % 9)  # 3 % lost each dry day
    for name, values in (("wetness", moisture), ("precipitation", rain)):
        cube = grid.georeference(
            xr.DataArray(
                np.broadcast_to(values[:, None, None], (len(days), *grid.shape)).copy(),
                dims=("time", "y", "x"),
                coords={"time": days},
                name=name,
                attrs={"units": "mm" if name == "precipitation" else "1"},
            )
        )
        write_netcdf(cube.to_dataset(), tmp_path / f"{name}.nc")
    asked = CorrelateRequest(
        f"{tmp_path}/wetness.nc", f"{tmp_path}/precipitation.nc", rain=True
    )
    answer = correlate_files(asked, tmp_path / "out")
    row = answer.summary.iloc[0]
    found = answer.maps[""]
    assert float(found["dry_response"].median()) == pytest.approx(-3.0, abs=1e-6)
    assert row["median_dry_response"] == pytest.approx(-3.0, abs=1e-6)
    assert "a day without rain" in answer.text
    assert (tmp_path / "out/response_wetness_precipitation_dry_response.tif").is_file()
    assert (tmp_path / "out/correlation.nc").is_file()


@pytest.mark.slow
def test_a_cluster_gives_the_answer_of_the_threads(files, tmp_path):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=1,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
    ) as cluster:
        there = correlate_files(
            request(files, scheduler=cluster.scheduler_address), tmp_path / "a"
        )
    here = correlate_files(request(files), tmp_path / "b")
    # A process that has not loaded the compiled kernels takes small maps by numpy.
    np.testing.assert_allclose(there.maps[""]["r"], here.maps[""]["r"], atol=1e-14)
