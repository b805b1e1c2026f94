"""Climate files as agencies write them: windows, dates, ERA5, packed and undated."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import FileFormatError, InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io import climate_read
from geosoil.io.climate import open_climate

LAT = np.array([34.25, 34.15, 34.05])
LON = np.array([92.05, 92.15, 92.25, 92.35])
MONTHS = pd.date_range("2020-01-01", periods=4, freq="MS")
DAYS = np.array([31.0, 29.0, 31.0, 30.0])


def cube(times: int = 4, *, low: float = 250.0, step: float = 0.25) -> np.ndarray:
    return low + step * np.arange(times * 12, dtype=float).reshape(times, 3, 4)


def write(
    folder: Path,
    values: np.ndarray,
    *,
    name: str = "t2m",
    units: str = "K",
    time: object = MONTHS,
    dims: tuple[str, ...] = ("time", "latitude", "longitude"),
    **attrs: object,
) -> Path:
    """Write a field as the Climate Data Store does, dims in any order."""
    field = xr.DataArray(
        values,
        dims=("time", "latitude", "longitude"),
        coords={
            "time": time,
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
        },
        attrs={"units": units, **attrs},
        name=name,
    )
    path = folder / "c.nc"
    field.transpose(*dims).to_netcdf(path, engine="netcdf4")
    return path


def bare(
    folder: Path,
    raw: np.ndarray,
    *,
    dims: tuple[str, ...] = ("lon", "lat", "time"),
    time: tuple[np.ndarray, str | None] | None = (np.arange(4.0), None),
    degrees: bool = False,
    attrs: dict[str, object] | None = None,
    name: str = "pre",
) -> Path:
    """Write raw numbers (time, lat, lon) with plain netCDF4, latitudes rising."""
    path = folder / "tpdc.nc"
    with netCDF4.Dataset(path, "w") as file:
        file.set_auto_maskandscale(False)
        sizes = dict(zip(("time", "lat", "lon"), raw.shape, strict=True))
        for dim in dims:
            file.createDimension(dim, sizes[dim])
        for key, axis, unit in (("lat", LAT[::-1], "north"), ("lon", LON, "east")):
            made = file.createVariable(key, "f4", (key,))
            made[:] = axis
            if degrees:
                made.units = f"degrees_{unit}"
        if time is not None:
            made = file.createVariable("time", time[0].dtype, ("time",))
            made[:] = time[0]
            if time[1] is not None:
                made.units = time[1]
        order = [("time", "lat", "lon").index(dim) for dim in dims]
        made = file.createVariable(name, raw.dtype, dims)
        made.set_auto_maskandscale(False)
        made.setncatts(attrs or {})
        made[:] = raw.transpose(order)
    return path


# Windows


def test_a_box_reads_the_cells_it_touches_as_the_whole_has_them(tmp_path: Path) -> None:
    path = write(tmp_path, cube())
    whole = open_climate(path, "air_temperature")
    part = open_climate(path, "air_temperature", bbox=(92.12, 34.02, 92.2, 34.12))
    assert part.shape == (4, 2, 1)
    assert Grid.of(part).bounds == pytest.approx((92.1, 34.0, 92.2, 34.2))
    np.testing.assert_array_equal(part, whole[:, 1:, 1:2])


@settings(max_examples=40)
@given(
    dims=st.permutations(["time", "latitude", "longitude"]),
    chunks=st.one_of(st.none(), st.tuples(*[st.integers(1, 4)] * 3)),
    turned=st.booleans(),
    block=st.sampled_from([8, 64, 200, 10_000]),
    window=st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 2)),
)
def test_windows_are_slices_whatever_the_order_and_the_chunks(
    tmp_path_factory: pytest.TempPathFactory,
    dims: list[str],
    chunks: tuple[int, int, int] | None,
    turned: bool,
    block: int,
    window: tuple[int, int, int],
) -> None:
    values = cube()
    field = xr.DataArray(
        values,
        dims=("time", "latitude", "longitude"),
        coords={
            "time": MONTHS,
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
        },
        attrs={"units": "K"},
        name="t2m",
    ).transpose(*dims)
    if turned:
        field = field.isel(latitude=slice(None, None, -1))
    encoding = {}
    if chunks is not None:
        sizes = [min(c, n) for c, n in zip(chunks, field.shape, strict=True)]
        encoding = {"t2m": {"chunksizes": sizes}}
    path = tmp_path_factory.mktemp("w") / "c.nc"
    field.to_netcdf(path, engine="netcdf4", encoding=encoding)
    t, x, y = window
    box = (LON[x] - 0.01, LAT[-1] - 0.01, LON[-1] + 0.01, LAT[y] + 0.01)
    span = (MONTHS[0], MONTHS[t])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(climate_read, "BLOCK_BYTES", block)
        found = open_climate(path, "t2m", bbox=box, time=span)
    np.testing.assert_allclose(
        found, values[: t + 1, y:, x:] - 273.15, rtol=0, atol=1e-12
    )
    assert pd.DatetimeIndex(found["time"].to_numpy()).equals(MONTHS[: t + 1])


def test_a_time_range_takes_whole_months_and_both_ends(tmp_path: Path) -> None:
    days = pd.date_range("2020-01-30", periods=40, freq="D")
    path = write(tmp_path, cube(40, step=0.01), time=days)
    found = open_climate(path, "t2m", time=("2020-01-31", "2020-02"))
    read = pd.DatetimeIndex(found["time"].to_numpy())
    assert (read[0], read[-1], len(read)) == (
        pd.Timestamp("2020-01-31"),
        pd.Timestamp("2020-02-29"),
        30,
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"time": ("2021", "2022")},
            "no date from 2021 to 2022; it has 4, from 2020-01",
        ),
        ({"time": ("spring", "2022")}, "Invalid time"),
        ({"time": "2020"}, "Invalid time"),
        ({"bbox": (10, 10, 20, 20)}, "lies outside"),
        ({"bbox": (10, 10, 5, 20)}, "Invalid bbox"),
        ({"assume_crs": "EPSG:32647"}, "coordinates are in degrees"),
        ({"assume_crs": "nonsense"}, "Invalid assume_crs"),
        ({"assume_start": "1979-01"}, r"dates its fields itself \(2020-01-01"),
    ],
)
def test_wrong_windows_and_assumptions_are_refused(
    tmp_path: Path, options: dict[str, object], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        open_climate(write(tmp_path, cube()), "t2m", **options)  # type: ignore[arg-type]


def huge(folder: Path) -> Path:
    """A file of 12,000 global fields that were never written: 2.3 TiB, few bytes."""
    path = folder / "huge.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("time", 12000), ("lat", 3600), ("lon", 7200)):
            file.createDimension(name, size)
        time = file.createVariable("time", "i4", ("time",))
        time.units = "hours since 2020-01-01"
        time[:] = np.arange(12000)
        lat = file.createVariable("lat", "f8", ("lat",))
        lat.units, lat[:] = "degrees_north", 89.975 - 0.05 * np.arange(3600)
        lon = file.createVariable("lon", "f8", ("lon",))
        lon.units, lon[:] = "degrees_east", -179.975 + 0.05 * np.arange(7200)
        t2m = file.createVariable(
            "t2m", "f4", ("time", "lat", "lon"), chunksizes=(1, 90, 90)
        )
        t2m.units = "K"
    return path


def test_too_much_is_told_from_the_header_and_a_part_is_read(tmp_path: Path) -> None:
    path = huge(tmp_path)
    with pytest.raises(
        FileFormatError, match=r"12000 fields of 3600 x 7200.*GiB.*bbox"
    ):
        open_climate(path, "t2m")
    tracemalloc.start()
    part = open_climate(
        path, "t2m", bbox=(90, 32, 93, 34), time=("2020-01-02", "2020-01-02")
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert part.shape == (24, 40, 60)
    assert part.attrs["changes"][-1] == "no value that is not missing"
    assert peak < 20e6


@pytest.mark.parametrize("dims", [("time", "lat", "lon"), ("lon", "lat", "time")])
def test_memory_is_the_result_and_some_blocks(
    tmp_path: Path, dims: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(climate_read, "BLOCK_BYTES", 2**20)
    path = tmp_path / "c.nc"
    sizes = {"time": 120, "lat": 300, "lon": 200}
    field = xr.DataArray(
        np.full([sizes[d] for d in dims], 280.0, np.float32),
        dims=dims,
        coords={
            "time": pd.date_range("2010-01-01", periods=120, freq="MS"),
            "lat": ("lat", 20 + 0.1 * np.arange(300), {"units": "degrees_north"}),
            "lon": ("lon", 80 + 0.1 * np.arange(200), {"units": "degrees_east"}),
        },
        attrs={"units": "K"},
        name="t2m",
    )
    field.to_netcdf(path, engine="netcdf4")
    open_climate(path, "t2m", time=("2010", "2010"))
    tracemalloc.start()
    found = open_climate(path, "t2m")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < found.nbytes + 8 * 2**20


# ERA5 and ERA5-Land


def test_monthly_rain_is_metres_a_day(tmp_path: Path) -> None:
    path = write(tmp_path, cube(low=1e-4, step=1e-5), name="tp", units="m")
    rain = open_climate(path, "precipitation")
    expected = cube(low=1e-4, step=1e-5) * 1000 * DAYS[:, None, None]
    np.testing.assert_allclose(rain, expected, rtol=1e-12)
    assert rain.attrs["step"] == "month"


@pytest.mark.parametrize("units", ["m of water equivalent", "m"])
def test_water_that_evaporates_is_positive_and_dew_negative(
    tmp_path: Path, units: str
) -> None:
    values = np.full((4, 3, 4), -1e-3)
    values[0] = 5e-5
    path = write(tmp_path, values, name="e", units=units)
    found = open_climate(path, "evapotranspiration")
    np.testing.assert_allclose(found[1:, 0, 0], DAYS[1:], rtol=1e-12)
    np.testing.assert_allclose(found[0], -0.05 * 31, rtol=1e-12)
    assert any("sign turned" in change for change in found.attrs["changes"])


def test_many_dewy_nights_do_not_turn_the_sign(tmp_path: Path) -> None:
    values = np.full((4, 3, 4), -1e-5)
    values[2:] = 2e-3
    path = write(tmp_path, values, name="e", units="m")
    found = open_climate(path, "evapotranspiration")
    assert float(found[3].mean()) == pytest.approx(60.0)


HOURS = pd.date_range("2020-06-01T00:00", periods=73, freq="h")


def hourly(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Amounts of each hour [m] and what the file has: sums since 00 UTC, or them."""
    rng = np.random.default_rng(2)
    if kind == "tp":
        amounts = rng.gamma(0.3, 1e-3, (73, 3, 4))
    else:
        sun = np.clip(np.sin((HOURS.hour + 0.5) / 24 * 2 * np.pi), 0, None)
        amounts = (
            -4e-4 * sun.to_numpy()[:, None, None] * rng.uniform(0.5, 1, (73, 3, 4))
        )
        amounts += 1e-6
    day = (HOURS - pd.Timedelta("1h")).day.to_numpy()
    sums = np.stack(
        [amounts[: i + 1][day[: i + 1] == day[i]].sum(axis=0) for i in range(73)]
    )
    return amounts, sums


@pytest.mark.parametrize(
    ("name", "variable", "sign"),
    [("tp", "precipitation", 1), ("e", "evapotranspiration", -1)],
)
def test_sums_since_midnight_become_the_amount_of_each_hour(
    tmp_path: Path, name: str, variable: str, sign: int
) -> None:
    amounts, sums = hourly(name)
    path = write(tmp_path, sums, name=name, units="m", time=HOURS)
    found = open_climate(path, variable)
    np.testing.assert_allclose(found[1:], sign * 1000 * amounts[1:], atol=1e-9)
    assert np.isnan(found[0]).all()
    assert found.attrs["step"] == "time step"
    assert "monthly" not in found.attrs["long_name"]
    assert any("sums since 00 UTC" in change for change in found.attrs["changes"])
    part = open_climate(path, variable, time=("2020-06-02T05", "2020-06-03T12"))
    np.testing.assert_allclose(part, sign * 1000 * amounts[29:61], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "variable", "sign"),
    [("tp", "precipitation", 1), ("e", "evapotranspiration", -1)],
)
def test_amounts_of_each_hour_stay(
    tmp_path: Path, name: str, variable: str, sign: int
) -> None:
    amounts, _ = hourly(name)
    path = write(tmp_path, amounts, name=name, units="m", time=HOURS)
    found = open_climate(path, variable)
    np.testing.assert_allclose(found, sign * 1000 * amounts, atol=1e-9)
    assert any("each time step, not sums" in c for c in found.attrs["changes"])


def test_without_a_whole_day_nothing_tells_sums_from_amounts(tmp_path: Path) -> None:
    _, sums = hourly("tp")
    path = write(tmp_path, sums[1:9], name="tp", units="m", time=HOURS[1:9])
    with pytest.raises(FileFormatError, match=r"no whole day.*Read at least one"):
        open_climate(path, "precipitation")


def test_a_lone_hour_is_no_monthly_mean(tmp_path: Path) -> None:
    time = pd.DatetimeIndex(["2020-06-14T12:00"])
    path = write(tmp_path, np.full((1, 3, 4), 1e-3), name="tp", units="m", time=time)
    assert float(open_climate(path, "precipitation").mean()) == pytest.approx(1.0)


@pytest.mark.parametrize("order", [[1, 5], [5, 1]])
def test_versions_are_merged_the_final_one_first(
    tmp_path: Path, order: list[int]
) -> None:
    final, late = cube(), cube() + 1
    final[3], late[:3] = np.nan, np.nan
    final[2, 0, 0] = late[2, 1, 1] = 299.0
    layers = {1: final, 5: late}
    field = xr.DataArray(
        np.stack([layers[key] for key in order], axis=1),
        dims=("time", "expver", "latitude", "longitude"),
        coords={
            "time": MONTHS,
            "expver": order,
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
        },
        attrs={"units": "K"},
        name="t2m",
    )
    path = tmp_path / "e.nc"
    field.to_netcdf(path, engine="netcdf4")
    found = open_climate(path, "air_temperature")
    expected = np.where(np.isfinite(final), final, late) - 273.15
    np.testing.assert_allclose(found, expected, atol=1e-12)
    words = "expver merged: 12 values are preliminary (ERA5T)"
    assert any(change.startswith(words) for change in found.attrs["changes"])


def test_the_new_store_names_and_versions_are_understood(tmp_path: Path) -> None:
    field = xr.DataArray(
        cube(low=0.1, step=0.005),
        dims=("valid_time", "latitude", "longitude"),
        coords={
            "valid_time": MONTHS,
            "number": 0,
            "expver": ("valid_time", ["0001", "0001", "0001", "0005"]),
            "latitude": ("latitude", LAT, {"units": "degrees_north"}),
            "longitude": ("longitude", LON, {"units": "degrees_east"}),
        },
        attrs={"units": "m**3 m**-3", "long_name": "Volumetric soil water layer 1"},
        name="swvl1",
    )
    more = {"swvl1": field, "swvl3": field * 2}
    more["swvl3"].attrs = field.attrs
    path = tmp_path / "s.nc"
    xr.Dataset(more).to_netcdf(path, engine="netcdf4")
    top = open_climate(path, "soil_moisture")
    np.testing.assert_allclose(top, cube(low=0.1, step=0.005), rtol=1e-12)
    assert top.attrs["depth"] == "0-7 cm"
    assert "1 of 4 dates are preliminary (ERA5T)" in top.attrs["changes"]
    deep = open_climate(path, "swvl3")
    assert (deep.name, deep.attrs["depth"]) == ("soil_moisture", "28-100 cm")
    assert deep.attrs["units"] == "m3 m-3"


def test_packed_integers_are_unpacked_by_cf(tmp_path: Path) -> None:
    raw = np.arange(48, dtype=np.int16).reshape(4, 3, 4)
    raw[0, 0, 0] = -32767
    attrs = {
        "units": "K",
        "scale_factor": 0.01,
        "add_offset": 280.0,
        "_FillValue": np.int16(-32767),
    }
    path = tmp_path / "p.nc"
    made = bare(
        tmp_path,
        raw,
        dims=("time", "lat", "lon"),
        time=(np.arange(4.0), "days since 2020-01-01"),
        degrees=True,
        name="t2m",
        attrs={k: v for k, v in attrs.items() if k != "_FillValue"}
        | {"missing_value": np.int16(-32767)},
    )
    made.rename(path)
    found = open_climate(path, "t2m")
    expected = np.where(raw == -32767, np.nan, 280.0 + 0.01 * raw - 273.15)[:, ::-1]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("first", [170.25, 350.25])
def test_longitudes_across_180_or_0_stay_together(tmp_path: Path, first: float) -> None:
    lon = first + 0.5 * np.arange(40)
    field = xr.DataArray(
        np.broadcast_to(280 + lon / 100, (1, 2, 40)),
        dims=("time", "lat", "lon"),
        coords={
            "time": MONTHS[:1],
            "lat": ("lat", [34.0, 34.5], {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
        attrs={"units": "K"},
        name="t2m",
    )
    path = tmp_path / "l.nc"
    field.to_netcdf(path, engine="netcdf4")
    found = open_climate(path, "t2m")
    start = first if first < 180 else first - 360
    assert Grid.of(found).bounds == pytest.approx(
        (start - 0.25, 33.75, start + 19.75, 34.75)
    )
    np.testing.assert_allclose(found[0, 0], 280 + lon / 100 - 273.15)


def test_a_column_given_at_0_and_360_is_read_once(tmp_path: Path) -> None:
    lon = np.arange(0.0, 361.0, 10.0)
    field = xr.DataArray(
        np.full((1, 2, 37), 280.0),
        dims=("time", "lat", "lon"),
        coords={
            "time": MONTHS[:1],
            "lat": ("lat", [30.0, 40.0], {"units": "degrees_north"}),
            "lon": ("lon", lon, {"units": "degrees_east"}),
        },
        attrs={"units": "K"},
        name="t2m",
    )
    path = tmp_path / "l.nc"
    field.to_netcdf(path, engine="netcdf4")
    assert Grid.of(open_climate(path, "t2m")).bounds == (-185.0, 25.0, 175.0, 45.0)


# TPDC and CMFD


def rain_raw() -> np.ndarray:
    raw = np.arange(48, dtype=np.int16).reshape(4, 3, 4) * 10
    raw[1, 2, 3], raw[2, 0, 0] = -32768, -9999
    return raw


def rain_of(raw: np.ndarray) -> np.ndarray:
    return np.where(raw < 0, np.nan, raw * 0.1)[:, ::-1]


@pytest.mark.parametrize(
    "attrs",
    [
        {"units": "0.1mm"},
        {"units": "0.1 mm"},
        {"units": "mm", "scale_factor": 0.1},
        {"units": "mm/month", "scale_factor": 0.1},
    ],
)
@pytest.mark.parametrize("dims", [("lon", "lat", "time"), ("time", "lat", "lon")])
def test_tenths_transposed_undated_and_without_crs_are_read_once_stated(
    tmp_path: Path, attrs: dict[str, object], dims: tuple[str, ...]
) -> None:
    path = bare(tmp_path, rain_raw(), attrs=attrs, dims=dims)
    rain = open_climate(
        path, "precipitation", assume_crs="EPSG:4326", assume_start="1979-01"
    )
    np.testing.assert_allclose(rain, rain_of(rain_raw()), atol=1e-9)
    assert Grid.of(rain).bounds == pytest.approx((92.0, 34.0, 92.4, 34.3))
    months = pd.DatetimeIndex(rain["time"].to_numpy())
    assert months.tolist() == pd.date_range("1979-01", periods=4, freq="MS").tolist()
    changes = rain.attrs["changes"]
    assert "CRS EPSG:4326 assumed, as stated" in changes
    assert "time counted in months from 1979-01, as stated" in changes
    assert sum("taken for missing" in change for change in changes) == 2


def test_what_the_file_does_not_say_must_be_stated(tmp_path: Path) -> None:
    path = bare(tmp_path, rain_raw(), attrs={"units": "0.1mm"})
    with pytest.raises(MissingCRSError, match="assume_crs='EPSG:4326'"):
        open_climate(path, "precipitation", assume_start="1979-01")
    with pytest.raises(FileFormatError, match=r"bare count \(0 to 3\).*assume_start"):
        open_climate(path, "precipitation", assume_crs=4326)
    with pytest.raises(InputError, match="Invalid assume_start 'soon'"):
        open_climate(path, "pre", assume_crs=4326, assume_start="soon")


def test_metres_are_not_taken_for_degrees(tmp_path: Path) -> None:
    path = bare(tmp_path, rain_raw(), attrs={"units": "mm"})
    with netCDF4.Dataset(path, "a") as file:
        file["lat"][:] = 3.8e6 + 1000.0 * np.arange(3)
    with pytest.raises(InputError, match="no degrees"):
        open_climate(path, "pre", assume_crs=4326, assume_start="1979-01")


@pytest.mark.parametrize(
    ("axis", "units", "months"),
    [
        (np.array([948.0, 949, 950, 951]), "months since 1901-01-01", "1980-01"),
        (np.array([0.5, 1.5, 2.5, 3.5]), "months since 1980-1-1", "1980-01"),
        (np.array([198001.0, 198002, 198003, 198004]), None, "1980-01"),
        (np.array([19800101, 19800201, 19800301, 19800401]), None, "1980-01"),
        (np.array([0.0, 31, 60, 91]), "days since 1980-01-01", "1980-01"),
    ],
)
def test_dates_are_read_however_they_are_written(
    tmp_path: Path, axis: np.ndarray, units: str | None, months: str
) -> None:
    path = bare(
        tmp_path, rain_raw(), time=(axis, units), degrees=True, attrs={"units": "0.1mm"}
    )
    rain = open_climate(path, "precipitation")
    found = pd.DatetimeIndex(rain["time"].to_numpy())
    assert found.tolist() == pd.date_range(months, periods=4, freq="MS").tolist()


def test_fields_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    time = (np.array([2.0, 0, 3, 1]), "months since 1980-01-01")
    path = bare(tmp_path, rain_raw(), time=time, degrees=True, attrs={"units": "0.1mm"})
    rain = open_climate(path, "precipitation")
    np.testing.assert_allclose(rain, rain_of(rain_raw())[[1, 3, 0, 2]], atol=1e-9)
    assert "fields put in order of time" in rain.attrs["changes"]


def test_a_time_dimension_without_numbers_can_be_stated(tmp_path: Path) -> None:
    path = bare(tmp_path, rain_raw(), time=None, degrees=True, attrs={"units": "mm"})
    rain = open_climate(path, "pre", assume_start="2000-11")
    assert str(rain["time"].to_numpy()[-1])[:7] == "2001-02"


def test_a_count_with_gaps_is_no_date(tmp_path: Path) -> None:
    time = (np.array([0.0, 1, 3, 4]), None)
    path = bare(tmp_path, rain_raw(), time=time, degrees=True, attrs={"units": "mm"})
    with pytest.raises(FileFormatError, match="does not rise by 1"):
        open_climate(path, "pre", assume_start="2000-01")


def test_months_of_a_model_calendar_have_its_days(tmp_path: Path) -> None:
    values = np.full((4, 3, 4), 2.0)
    path = bare(
        tmp_path,
        values,
        time=(np.array([15.0, 45, 75, 105]), "days since 2020-01-01"),
        degrees=True,
        attrs={"units": "mm d-1"},
    )
    with netCDF4.Dataset(path, "a") as file:
        file["time"].calendar = "360_day"
    rain = open_climate(path, "precipitation")
    np.testing.assert_allclose(rain, 60.0)
    assert str(rain["time"].to_numpy()[1])[:10] == "2020-02-01"


def test_days_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    path = bare(
        tmp_path,
        np.full((40, 3, 4), 2.0),
        time=(np.arange(20.0, 60.0), "days since 2021-01-01"),
        degrees=True,
        attrs={"units": "mm"},
    )
    with netCDF4.Dataset(path, "a") as file:
        file["time"].calendar = "360_day"
    with pytest.raises(FileFormatError, match=r"2 days.*360_day.*convert_calendar"):
        open_climate(path, "pre")


@pytest.mark.parametrize(
    ("units", "factor"),
    [
        ("mm hr-1", 24 * DAYS),
        ("mm/h", 24 * DAYS),
        ("kg m-2 d-1", DAYS),
        ("kg m-2 month-1", np.ones(4)),
    ],
)
def test_rates_become_months(tmp_path: Path, units: str, factor: np.ndarray) -> None:
    path = write(tmp_path, np.full((4, 3, 4), 0.1), name="prec", units=units)
    rain = open_climate(path, "precipitation")
    np.testing.assert_allclose(rain[:, 0, 0], 0.1 * factor, rtol=1e-12)


@pytest.mark.parametrize(
    ("units", "scale"),
    [("0.1℃", 0.1), ("0.1 degC", 0.1), ("℃", 1.0), ("degrees Celsius", 1.0)],
)
def test_celsius_is_known_in_its_spellings(
    tmp_path: Path, units: str, scale: float
) -> None:
    path = write(tmp_path, np.full((4, 3, 4), 12.0), name="tmp", units=units)
    found = open_climate(path, "air_temperature")
    np.testing.assert_allclose(found, 12 * scale, rtol=1e-12)


def test_a_packed_value_that_can_be_is_not_taken_for_missing(tmp_path: Path) -> None:
    raw = np.full((4, 3, 4), -999, np.int16)
    raw[0] = 1200
    path = bare(
        tmp_path,
        raw,
        time=(np.arange(4.0), "months since 2000-01-01"),
        degrees=True,
        attrs={"units": "degC", "scale_factor": 0.01},
        name="tmp",
    )
    found = open_climate(path, "air_temperature")
    np.testing.assert_allclose(found[1:], -9.99, rtol=1e-6)


def test_kilometres_of_a_projection_become_metres(tmp_path: Path) -> None:
    field = xr.DataArray(
        np.full((1, 2, 3), 280.0),
        dims=("time", "y", "x"),
        coords={
            "time": MONTHS[:1],
            "y": ("y", [3701.0, 3700.0], {"units": "km"}),
            "x": ("x", [500.0, 501.0, 502.0], {"units": "km"}),
        },
        attrs={"units": "K"},
        name="t2m",
    )
    path = tmp_path / "k.nc"
    field.to_netcdf(path, engine="netcdf4")
    found = open_climate(path, "t2m", assume_crs="EPSG:32647")
    assert Grid.of(found).bounds == (499500.0, 3699500.0, 502500.0, 3701500.0)


# Real files


def test_a_window_of_a_real_file_is_the_part_of_the_whole(shared: Path) -> None:
    path = shared / "data" / "climate" / "bcsd_obs_1999.nc"
    whole = open_climate(path, "air_temperature")
    part = open_climate(
        path,
        "air_temperature",
        bbox=(-80.0, 34.0, -78.0, 36.0),
        time=("1999-03", "1999-05"),
    )
    inside = whole.sel(time=slice("1999-03", "1999-05"), y=slice(36, 34))
    inside = inside.sel(x=slice(-80, -78))
    np.testing.assert_array_equal(part, inside)
    assert part.shape == (3, 16, 16)


@pytest.mark.parametrize(
    ("file", "variable", "outcome"),
    [
        ("bcsd_obs_1999.nc", "pr", "mm"),
        ("bcsd_obs_1999.nc", "tas", "degC"),
        ("era5_1995-07-14T12.nc", "t2m", "degC"),
        ("era5_1995-07-14T12.nc", "d2m", "K"),
        ("era5_1995-07-14T12.nc", "u10", "m s**-1"),
        ("era5_1995-07-14T12.nc", "sp", "Pa"),
        ("tas_rectilinear_grid_2D.nc", "tas", "Gaussian"),
        ("TREFHT.B06.66.atm.1890-1999ANN.nc", "TREFHT", "Gaussian"),
        ("TREFHT.B06.67.atm.1890-1999ANN.nc", "TREFHT", "Gaussian"),
    ],
)
def test_each_real_file_opens_or_is_refused_with_the_reason(
    shared: Path, file: str, variable: str, outcome: str
) -> None:
    path = shared / "data" / "climate" / file
    if outcome == "Gaussian":
        with pytest.raises(FileFormatError, match=outcome):
            open_climate(path, variable)
        return
    assert open_climate(path, variable).attrs["units"] == outcome
