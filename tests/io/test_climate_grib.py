"""GRIB files: read through cfgrib where it is installed, refused with a recipe else."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.errors import FileFormatError, GeosoilError
from geosoil.grids.grid import Grid
from geosoil.io.climate import open_climate
from geosoil.io.grib import is_grib

LAT, LON = 34.2 - 0.1 * np.arange(3), 92.0 + 0.1 * np.arange(4)
NEEDS_CFGRIB = pytest.mark.skipif(
    importlib.util.find_spec("cfgrib") is None, reason="cfgrib is not installed"
)


def field(
    values: np.ndarray, times: object, units: str, long_name: str
) -> xr.DataArray:
    return xr.DataArray(
        values,
        dims=("valid_time", "latitude", "longitude"),
        coords={
            "number": 0,
            "valid_time": pd.DatetimeIndex(times),
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
        },
        attrs={"units": units, "long_name": long_name},
    )


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Play cfgrib with fields of its own making; gives the options of each call."""
    calls: list[dict[str, object]] = []
    months = pd.date_range("2020-06-01", periods=2, freq="MS")

    def open_datasets(path: str, **options: object) -> list[xr.Dataset]:
        calls.append(options)
        if "bad" in path:
            message = "End of resource reached when reading message"
            raise EOFError(message)
        air = field(np.full((2, 3, 4), 280.0), months, "K", "2 metre temperature")
        rain = field(np.full((2, 3, 4), 1e-3), months, "m", "Total precipitation")
        return [xr.Dataset({"t2m": air}), xr.Dataset({"tp": rain, "t2m": air + 1})]

    module = types.ModuleType("cfgrib")
    module.open_datasets = open_datasets  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cfgrib", module)
    return calls


def grib_file(folder: Path, name: str = "era5.grib") -> Path:
    path = folder / name
    path.write_bytes(b"GRIB\x00\x00\x00\x01")
    return path


def test_fields_of_cfgrib_are_converted_as_netcdf_is(
    tmp_path: Path, stand_in: list[dict[str, object]]
) -> None:
    path = grib_file(tmp_path)
    rain = open_climate(path, "precipitation", bbox=(92.0, 34.1, 92.1, 34.2))
    assert rain.shape == (2, 2, 2)
    np.testing.assert_allclose(rain[:, 0, 0], [30.0, 31.0])
    air = open_climate(path, "t2m")
    assert float(air.mean()) == pytest.approx(6.85)
    assert Grid.of(air).bounds == pytest.approx((91.95, 33.95, 92.35, 34.25))
    keys = stand_in[0]["backend_kwargs"]
    assert keys == {"indexpath": "", "time_dims": ("valid_time",)}


def test_a_name_of_two_kinds_of_field_is_numbered(
    tmp_path: Path, stand_in: list[dict[str, object]]
) -> None:
    found = open_climate(grib_file(tmp_path), "t2m:2")
    assert found.name == "air_temperature"
    np.testing.assert_allclose(found, 7.85)
    with pytest.raises(FileFormatError, match=r"several variables.*t2m, t2m:2"):
        open_climate(grib_file(tmp_path), "air_temperature")
    with pytest.raises(FileFormatError, match=r"t2m .*, tp .*, t2m:2 "):
        open_climate(grib_file(tmp_path), "swvl1")


def test_a_damaged_grib_is_told(
    tmp_path: Path, stand_in: list[dict[str, object]]
) -> None:
    with pytest.raises(FileFormatError, match=r"bad.*cannot be read as GRIB: End of"):
        open_climate(grib_file(tmp_path, "bad.grib"), "t2m")


def test_without_cfgrib_the_recipe_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cfgrib", None)
    with pytest.raises(GeosoilError, match=r'pip install "geosoil\[grib\]"'):
        open_climate(grib_file(tmp_path), "t2m")


def test_other_files_are_no_grib(tmp_path: Path) -> None:
    other = tmp_path / "c.nc"
    other.write_bytes(b"CDF\x01")
    assert not is_grib(other)
    assert not is_grib(tmp_path)
    assert is_grib(grib_file(tmp_path))


def write_grib(path: Path, messages: list[dict[str, object]]) -> None:
    """Write GRIB 1 messages of the test's grid with ecCodes."""
    import eccodes

    corner = {
        "Ni": 4,
        "Nj": 3,
        "latitudeOfFirstGridPointInDegrees": 34.2,
        "latitudeOfLastGridPointInDegrees": 34.0,
        "longitudeOfFirstGridPointInDegrees": 92.0,
        "longitudeOfLastGridPointInDegrees": 92.3,
        "iDirectionIncrementInDegrees": 0.1,
        "jDirectionIncrementInDegrees": 0.1,
    }
    with path.open("wb") as file:
        for message in messages:
            handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib1")
            values = np.asarray(message["values"], dtype=float)
            for key, value in (corner | message).items():
                if key != "values":
                    eccodes.codes_set(handle, key, value)
            eccodes.codes_set_values(handle, values.ravel())
            eccodes.codes_write(handle, file)
            eccodes.codes_release(handle)


@NEEDS_CFGRIB
def test_a_real_grib_is_read_with_its_dates(tmp_path: Path) -> None:
    path = tmp_path / "t2m.grib"
    values = 270 + 0.5 * np.arange(12).reshape(3, 4)
    common = {"paramId": 167, "dataTime": 0}
    write_grib(
        path,
        [
            {**common, "dataDate": 20200601, "values": values},
            {**common, "dataDate": 20200701, "values": values + 1},
        ],
    )
    air = open_climate(path, "air_temperature")
    np.testing.assert_allclose(air[0], values - 273.15, atol=1e-3)
    np.testing.assert_allclose(air[1], values - 272.15, atol=1e-3)
    assert pd.DatetimeIndex(air["time"].to_numpy()).month.tolist() == [6, 7]
    assert Grid.of(air).bounds == pytest.approx((91.95, 33.95, 92.35, 34.25))
    assert [entry.name for entry in tmp_path.iterdir()] == ["t2m.grib"]


@NEEDS_CFGRIB
def test_sums_of_a_real_grib_become_hours(tmp_path: Path) -> None:
    path = tmp_path / "tp.grib"
    hours = 1e-4 * np.random.default_rng(7).gamma(0.5, 1, (2, 24))
    write_grib(
        path,
        [
            {
                "paramId": 228,
                "dataDate": 20200601 + day,
                "dataTime": 0,
                "stepType": "accum",
                "stepRange": f"0-{hour + 1}",
                "values": np.full((3, 4), hours[day, : hour + 1].sum()),
            }
            for day in range(2)
            for hour in range(24)
        ],
    )
    rain = open_climate(path, "precipitation")
    assert rain.shape == (48, 3, 4)
    np.testing.assert_allclose(rain[:, 1, 1], 1000 * hours.ravel(), atol=1e-4)
    assert str(rain["time"].to_numpy()[0])[:13] == "2020-06-01T01"
