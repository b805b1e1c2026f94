"""GeoTIFFs are one series by the dates in their bands or names."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.errors import (
    FileFormatError,
    GridMismatchError,
    InputError,
    MissingFileError,
)
from geosoil.grids.grid import Grid
from geosoil.io.dated_geotiffs import open_dated_geotiffs
from geosoil.io.dated_names import date_in_name
from geosoil.io.geotiff import write_geotiff

GRID = Grid.from_bounds((90.0, 32.0, 91.0, 33.0), 0.5, "EPSG:4326")


@pytest.mark.parametrize(
    ("name", "date"),
    [
        ("ndvi_2020-06-09.tif", "2020-06-09"),
        ("ndvi_20200609_v2.tif", "2020-06-09"),
        ("t2m.2020.06.09.tif", "2020-06-09"),
        ("rain_2020-06.tif", "2020-06-01"),
        ("rain202006.tif", "2020-06-01"),
        ("MOD13C1.A2020161.061.tif", "2020-06-09"),
        ("p_2020_161_x.tif", "2020-06-09"),
        ("yearly_1999.tif", "1999-01-01"),
        ("cell_30m_7.tif", None),
        ("b12345678.tif", None),
    ],
)
def test_names_give_the_date_they_hold(name, date):
    found = date_in_name(name)
    assert found == (None if date is None else np.datetime64(date))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a_2020-06_2021-07.tif", r"several dates \(2020-06, 2021-07\)"),
        ("a_2020-02-30.tif", "no day of the calendar"),
        ("MOD13C1.A2019366.061.tif", "1 to 365"),
    ],
)
def test_names_of_no_single_date_are_refused(name, words):
    with pytest.raises(FileFormatError, match=words):
        date_in_name(name)


def one_a_year(folder, years, grid=GRID):
    return [
        write_geotiff(
            grid.raster(np.full(grid.shape, float(year))), folder / f"t_{year}.tif"
        )
        for year in years
    ]


def test_files_come_in_order_of_time_and_keep_their_values(tmp_path):
    files = one_a_year(tmp_path, (2003, 2001, 2002))
    series = open_dated_geotiffs(files)
    assert series["time"].dt.year.to_numpy().tolist() == [2001, 2002, 2003]
    np.testing.assert_array_equal(series[:, 0, 0], [2001.0, 2002.0, 2003.0])
    assert Grid.of(series) == GRID


def test_bands_with_dates_are_read_as_they_stand(tmp_path):
    days = pd.to_datetime(["2020-06-01", "2020-07-01"])
    values = np.arange(8.0).reshape(2, 2, 2)
    cube = GRID.georeference(
        xr.DataArray(values, dims=("time", "y", "x"), coords={"time": days})
    )
    found = open_dated_geotiffs([write_geotiff(cube, tmp_path / "cube.tif")])
    np.testing.assert_array_equal(found, values)
    assert found.indexes["time"].equals(days)


def test_a_single_file_without_a_date_is_a_map(tmp_path):
    file = write_geotiff(GRID.raster(np.eye(2)), tmp_path / "dem.tif")
    assert open_dated_geotiffs([file]).dims == ("y", "x")


def test_every_file_that_cannot_be_used_is_named(tmp_path):
    files = one_a_year(tmp_path, (2001,))
    files.append(write_geotiff(GRID.raster(np.eye(2)), tmp_path / "nodate.tif"))
    (tmp_path / "bad_2002.tif").write_bytes(b"II*\0broken")
    files.append(tmp_path / "bad_2002.tif")
    with pytest.raises(InputError, match=r"2 of 3.*(\n.*){2}") as error:
        open_dated_geotiffs(files)
    assert "no date in its name" in str(error.value)
    assert "bad_2002.tif" in str(error.value)


def test_other_grids_and_repeated_dates_are_refused(tmp_path):
    files = one_a_year(tmp_path, (2001, 2002))
    other = Grid.from_bounds((90.0, 32.0, 92.0, 34.0), 1.0, "EPSG:4326")
    (tmp_path / "b").mkdir()
    strange = one_a_year(tmp_path / "b", (2003, 2004), other)
    with pytest.raises(GridMismatchError, match=r"t_2003(.|\n)*t_2004"):
        open_dated_geotiffs([*files, *strange])
    twice = one_a_year(tmp_path / "b", (2001,))
    with pytest.raises(InputError, match=r"1 dates twice, first 2001-01-01"):
        open_dated_geotiffs([*files, *twice])


def test_bands_without_dates_are_refused(tmp_path):
    bands = xr.DataArray(
        np.zeros((2, 2, 2)), dims=("band", "y", "x"), coords={"band": ["a", "b"]}
    )
    file = write_geotiff(GRID.georeference(bands), tmp_path / "two.tif")
    with pytest.raises(InputError, match="2 bands without dates"):
        open_dated_geotiffs([file])


def test_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="No GeoTIFF"):
        open_dated_geotiffs([])
    with pytest.raises(MissingFileError):
        open_dated_geotiffs([tmp_path / "absent_2001.tif"])
