"""Climate files: found, turned north up, on an exact grid, in geosoil's units."""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.errors import FileFormatError, MissingCRSError, MissingFileError
from geosoil.grids.grid import Grid
from geosoil.io.climate import open_climate

MONTHS = pd.date_range("2020-01-01", periods=3, freq="MS")
DAYS = np.array([31.0, 29.0, 31.0])


def field(
    folder: Path,
    *,
    name: str = "t2m",
    units: str | None = "K",
    values: np.ndarray | None = None,
    lat=(34.05, 34.15),
    lon=(92.05, 92.15, 92.25),
    time=MONTHS,
    degrees: bool = True,
    dims=("time", "lat", "lon"),
    dtype: type = float,
) -> Path:
    shape = (len(time), len(lat), len(lon))
    data = np.arange(np.prod(shape), dtype=float).reshape(shape) + 250.0
    data = data if values is None else values
    north = {"units": "degrees_north"} if degrees else {}
    east = {"units": "degrees_east"} if degrees else {}
    array = xr.DataArray(
        data,
        dims=("time", "lat", "lon"),
        coords={
            "time": time,
            "lat": ("lat", np.array(lat, dtype), north),
            "lon": ("lon", np.array(lon, dtype), east),
        },
        attrs={} if units is None else {"units": units},
        name=name,
    ).transpose(*dims)
    path = folder / "c.nc"
    array.to_netcdf(path, engine="netcdf4")
    return path


def test_values_stay_at_their_place_when_rows_are_turned(tmp_path):
    path = field(tmp_path, dims=("lon", "lat", "time"))
    air = open_climate(path, "air_temperature")
    with xr.open_dataset(path, engine="netcdf4") as raw:
        for y in (34.05, 34.15):
            for x in (92.05, 92.15, 92.25):
                ours = air.sel(y=y, x=x, method="nearest").to_numpy()
                theirs = raw["t2m"].sel(lat=y, lon=x).to_numpy() - 273.15
                np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert air.dims == ("time", "y", "x")
    assert air.y[0] > air.y[-1]
    assert air.attrs["units"] == "degC"
    assert air.attrs["standard_name"] == "air_temperature"
    for words in ("rows turned", "in order time, y, x", "273.15 subtracted", "'t2m'"):
        assert any(words in change for change in air.attrs["changes"])


@pytest.mark.parametrize(
    ("units", "factor"),
    [
        ("mm", 1.0),
        ("kg m-2", 1.0),
        ("m", 1000.0),
        ("mm d-1", DAYS),
        ("m day**-1", 1000.0 * DAYS),
        ("kg m-2 s-1", 86400.0 * DAYS),
        ("mm month-1", 1.0),
    ],
)
def test_water_depths_become_millimetres_a_month(tmp_path, units, factor):
    values = np.full((3, 2, 3), 2e-4)
    rain = open_climate(
        field(tmp_path, name="pr", units=units, values=values), "precipitation"
    )
    np.testing.assert_allclose(
        rain.mean(("y", "x")), np.broadcast_to(2e-4 * factor, 3), rtol=1e-12
    )
    assert rain.attrs["units"] == "mm"


def test_era5_totals_are_metres_a_day_and_evaporation_is_upward(tmp_path):
    values = np.full((3, 2, 3), -0.001)
    path = field(tmp_path, name="e", units="m", values=values)
    evaporation = open_climate(path, "evapotranspiration")
    np.testing.assert_allclose(evaporation[:, 0, 0], DAYS, rtol=1e-12)
    assert any("sign turned" in change for change in evaporation.attrs["changes"])


def test_soil_moisture_in_percent_becomes_a_fraction(tmp_path):
    values = np.full((3, 2, 3), 35.0)
    path = field(tmp_path, name="sm", units="%", values=values)
    moist = open_climate(path, "soil_moisture")
    assert float(moist.max()) == pytest.approx(0.35)
    assert moist.attrs["units"] == "m3 m-3"


def test_a_rate_without_monthly_dates_is_refused(tmp_path):
    days = pd.date_range("2020-01-01", periods=3, freq="D")
    path = field(tmp_path, name="pr", units="mm d-1", time=days)
    with pytest.raises(FileFormatError, match="need monthly dates"):
        open_climate(path, "precipitation")


def test_longitudes_to_360_are_turned(tmp_path):
    lon = np.arange(0.5, 360.0, 1.0)
    values = np.broadcast_to(280.0 + lon / 100.0, (3, 2, 360)).copy()
    path = field(tmp_path, lon=lon, lat=(10.5, 11.5), values=values)
    air = open_climate(path, "t2m")
    assert Grid.of(air).bounds == (-180.0, 10.0, 180.0, 12.0)
    west = float(air.sel(x=-89.5, method="nearest")[0, 0])
    assert west == pytest.approx(280.0 + 270.5 / 100.0 - 273.15)


@pytest.mark.parametrize(
    ("first", "step", "count"),
    [(89.45, 0.1, 129), (89.5, 1 / 12, 150), (0.0, 0.25, 100), (33.0625, 0.125, 33)],
)
def test_the_transform_is_exact_though_coordinates_are_float32(
    tmp_path, first, step, count
):
    lon = first + step * np.arange(count)
    values = np.full((3, 2, count), 280.0)
    path = field(tmp_path, lon=lon, dtype=np.float32, values=values)
    transform = open_climate(path, "t2m").rio.transform()
    assert transform.a == pytest.approx(step, abs=1e-14)
    assert transform.c == pytest.approx(first - step / 2, abs=1e-12)


def test_a_gaussian_grid_is_refused(tmp_path):
    path = field(tmp_path, lat=(34.0, 34.1, 34.21))
    with pytest.raises(FileFormatError, match=r"steps from 0\.1 to 0\.11.*Gaussian"):
        open_climate(path, "t2m")


def test_coordinates_without_units_are_refused(tmp_path):
    path = field(tmp_path, degrees=False)
    with pytest.raises(MissingCRSError, match="degrees_north and degrees_east"):
        open_climate(path, "t2m")


def test_a_missing_variable_names_those_there_are(tmp_path):
    path = field(tmp_path)
    with pytest.raises(FileFormatError, match=r"c\.nc.*'soil_moisture'.*t2m \(-, K\)"):
        open_climate(path, "soil_moisture")


@pytest.mark.parametrize("units", [None, "furlong", "degF"])
def test_an_unknown_unit_is_refused(tmp_path, units):
    path = field(tmp_path, units=units)
    with pytest.raises(FileFormatError, match="cannot be turned into degC"):
        open_climate(path, "t2m")


def test_values_that_cannot_be_show_a_wrong_unit(tmp_path):
    path = field(tmp_path, units="degC", values=np.full((3, 2, 3), 280.0))
    with pytest.raises(FileFormatError, match=r"median 280.*'units'"):
        open_climate(path, "t2m")


def test_undeclared_fill_values_are_missing_and_counted(tmp_path):
    values = np.full((3, 2, 3), 280.0)
    values[0, 0, 0] = -9999.0
    air = open_climate(field(tmp_path, values=values), "t2m")
    assert int(np.isnan(air).sum()) == 1
    assert "1 values of -9999 taken for missing" in air.attrs["changes"]


def test_an_extra_dimension_is_refused(tmp_path):
    path = field(tmp_path)
    with xr.open_dataset(path, engine="netcdf4") as raw:
        more = xr.concat([raw, raw], dim="level").load()
    more.to_netcdf(tmp_path / "more.nc", engine="netcdf4")
    with pytest.raises(FileFormatError, match=r"level \(2\)"):
        open_climate(tmp_path / "more.nc", "t2m")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>login</html>", "HTML"),
        (b"hello", "not a NetCDF, GRIB or Zarr file"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "cannot be read as NetCDF"),
    ],
)
def test_files_that_are_no_netcdf_are_refused(tmp_path, content, words):
    path = tmp_path / "c.nc"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        open_climate(path, "t2m")


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="no file"):
        open_climate(tmp_path / "no.nc", "t2m")


def test_a_real_monthly_file_is_read_as_its_raw_values_say(shared):
    path = shared / "data" / "climate" / "bcsd_obs_1999.nc"
    rain = open_climate(path, "precipitation")
    with netCDF4.Dataset(path) as raw:
        pr = np.ma.filled(raw["pr"][:].astype(float), np.nan)[:, ::-1]
    np.testing.assert_array_equal(rain.to_numpy(), pr)
    assert Grid.of(rain).bounds == (-85.0, 33.0, -74.875, 37.125)


def test_a_real_packed_file_with_one_date_is_read(shared):
    path = shared / "data" / "climate" / "era5_1995-07-14T12.nc"
    air = open_climate(path, "air_temperature")
    assert air.shape == (1, 105, 237)
    with netCDF4.Dataset(path) as raw:
        celsius = np.asarray(raw["t2m_C"][:], dtype=float)
    np.testing.assert_allclose(air[0].to_numpy(), celsius, atol=2e-4)


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("tas_rectilinear_grid_2D.nc", "air_temperature"),
        ("TREFHT.B06.66.atm.1890-1999ANN.nc", "TREFHT"),
    ],
)
def test_real_gaussian_grids_are_refused(shared, name, variable):
    with pytest.raises(FileFormatError, match="not evenly spaced"):
        open_climate(shared / "data" / "climate" / name, variable)
