"""Series of a study: one file or several that follow each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xarray as xr

import geosoil as gs
from geosoil.config import ClimateFile
from geosoil.workflow.inputs import climate_files
from geosoil.workflow.series import open_climate_file

BOX = (89.0, 31.0, 103.0, 37.0)
NAME = "precipitation"


@pytest.fixture
def whole(built_study) -> Path:
    return built_study.folder / "climate" / "precipitation.nc"


@pytest.fixture
def split(whole: Path, tmp_path: Path) -> Callable[..., ClimateFile]:
    def write(**years: slice) -> ClimateFile:
        with xr.open_dataset(whole) as data:
            for name, years_of in years.items():
                data.sel(time=years_of).to_netcdf(tmp_path / f"rain_{name}.nc")
        return ClimateFile(path=tmp_path / "rain_*.nc")

    return write


def test_files_that_follow_each_other_are_the_one_file(whole, split) -> None:
    one = open_climate_file(ClimateFile(path=whole), NAME, BOX)
    middle = str(one.indexes["time"].year[one.sizes["time"] // 2])
    after = str(int(middle) + 1)
    # the later part sorts first by name: the order is that of time
    parts = split(a=slice(after, None), b=slice(None, middle))
    assert [path.name for path in climate_files(parts)] == ["rain_a.nc", "rain_b.nc"]
    joined = open_climate_file(parts, NAME, BOX)
    xr.testing.assert_identical(joined.drop_attrs(), one.drop_attrs())
    assert joined.attrs["units"] == one.attrs["units"]
    assert set(one.attrs["changes"]) <= set(joined.attrs["changes"])


def test_dates_held_twice_are_refused(split) -> None:
    parts = split(a=slice(None, "2015"), b=slice("2015", "2016"), c=slice("2017", None))
    with pytest.raises(gs.InputError, match=r"12 dates twice, first 2015-01") as caught:
        open_climate_file(parts, NAME, BOX)
    assert "rain_a.nc" in str(caught.value)
    assert "rain_b.nc" in str(caught.value)
    assert "rain_c.nc" not in str(caught.value)


def test_files_on_other_grids_are_refused(split, tmp_path: Path) -> None:
    parts = split(a=slice(None, "2015"), b=slice("2016", None))
    with xr.open_dataset(tmp_path / "rain_b.nc") as data:
        moved = data.load()
    y = next(name for name in moved.dims if str(name) in {"y", "lat", "latitude"})
    moved[y] = moved[y] + 0.01
    moved.to_netcdf(tmp_path / "rain_b.nc")
    with pytest.raises(gs.GridMismatchError, match=r"rain_a\.nc.*rain_b\.nc"):
        open_climate_file(parts, NAME, BOX)


def test_files_of_other_steps_are_refused(split, tmp_path: Path) -> None:
    parts = split(a=slice(None, "2015"), b=slice("2016", "2016"))
    with xr.open_dataset(tmp_path / "rain_b.nc") as data:
        months = data[["precipitation"]].load()
    months["time"] = pd.date_range("2016-01-01", periods=12, freq="D")
    days = months.drop_attrs().assign_coords(lat=months.lat, lon=months.lon)
    days["precipitation"].attrs = {"units": "mm"}
    days.to_netcdf(tmp_path / "rain_b.nc")
    with pytest.raises(gs.InputError, match=r"differ in their step.*one kind"):
        open_climate_file(parts, NAME, BOX)


def test_a_pattern_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(gs.MissingFileError, match="No file matches"):
        climate_files(ClimateFile(path=tmp_path / "none_*.nc"))
