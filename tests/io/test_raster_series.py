"""A series is opened by where it lies, whatever its kind."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    InputError,
    MissingFileError,
)
from geosoil.grids.grid import Grid
from geosoil.io import zarr_store
from geosoil.io.geotiff import write_geotiff
from geosoil.io.netcdf import write_netcdf
from geosoil.io.raster_series import SeriesPlace, open_series

GRID = Grid.from_bounds((90.0, 32.0, 91.0, 33.0), 0.5, "EPSG:4326")


def cube(start="2001-01", months=12, name="precipitation"):
    days = pd.date_range(start, periods=months, freq="MS").as_unit("ns")
    values = np.arange(months * 4.0).reshape(months, 2, 2)
    return GRID.georeference(
        xr.DataArray(
            values,
            dims=("time", "y", "x"),
            coords={"time": days},
            name=name,
            attrs={"units": "mm"},
        )
    )


@pytest.mark.parametrize(
    ("place", "pattern", "variable"),
    [
        ("a/b.nc:tp", "a/b.nc", "tp"),
        ("C:/data/b.nc:tp", "C:/data/b.nc", "tp"),
        ("C:/data/b.nc", "C:/data/b.nc", ""),
        ("store.zarr:swvl1", "store.zarr", "swvl1"),
        ("MOD13C2*.hdf:ndvi", "MOD13C2*.hdf", "ndvi"),
        ("odd:name_2001.tif", "odd:name_2001.tif", ""),
        ("table.csv:rain", "table.csv:rain", ""),
    ],
)
def test_places_are_split_at_the_variable(place, pattern, variable):
    assert SeriesPlace.of(place) == SeriesPlace(pattern, variable)


def test_netcdf_needs_no_name_where_it_has_one_variable(tmp_path):
    content = cube()
    file = write_netcdf(content.to_dataset(), tmp_path / "p.nc")
    for place in (str(file), f"{file}:precipitation"):
        found = open_series(place)
        np.testing.assert_array_equal(found, content)
        assert found.name == "precipitation"


def test_a_pattern_of_netcdf_files_is_one_series(tmp_path):
    for start in ("2002-01", "2001-01"):
        write_netcdf(cube(start).to_dataset(), tmp_path / f"p{start[:4]}.nc")
    found = open_series(f"{tmp_path}/p*.nc:precipitation")
    assert found.sizes["time"] == 24
    assert found.indexes["time"].is_monotonic_increasing


def test_variables_that_are_not_there_have_their_nearest_names_told(tmp_path):
    both = xr.Dataset({"rain_sum": cube(), "soil_water": cube()})
    file = write_netcdf(both, tmp_path / "two.nc")
    with pytest.raises(FileFormatError, match=r"Nearest: rain_sum\."):
        open_series(f"{file}:rain_sun")
    with pytest.raises(FileFormatError, match=r"has several variables.*soil_water"):
        open_series(str(file))


def test_geotiffs_are_named_by_their_pattern(tmp_path):
    for year in (2001, 2002):
        write_geotiff(GRID.raster(np.eye(2)), tmp_path / f"ndvi_{year}.tif")
    found = open_series(f"{tmp_path}/ndvi_*.tif")
    assert found.name == "ndvi"
    assert found.sizes["time"] == 2
    with pytest.raises(InputError, match="a GeoTIFF has no variables"):
        open_series(f"{tmp_path}/ndvi_*.tif:ndvi")


def test_a_range_of_time_takes_whole_months_at_both_ends(tmp_path):
    file = write_netcdf(cube(months=24).to_dataset(), tmp_path / "p.nc")
    found = open_series(str(file), time=("2001-03", "2002-02"))
    assert found.sizes["time"] == 12
    with pytest.raises(InputError, match="no date from 2010 to 2011; it runs from"):
        open_series(str(file), time=("2010", "2011"))
    with pytest.raises(InputError, match="Invalid range of time 'June'"):
        open_series(str(file), time=("June", "2011"))


def test_a_box_cuts_the_cells_it_touches(tmp_path):
    file = write_netcdf(cube().to_dataset(), tmp_path / "p.nc")
    assert open_series(str(file), bbox=(90.1, 32.1, 90.2, 32.2)).shape == (12, 1, 1)


def test_zarr_stores_are_read_as_netcdf_files_are(tmp_path):
    pytest.importorskip("zarr")
    content = cube()
    file = write_netcdf(content.to_dataset(), tmp_path / "p.nc")
    with xr.open_dataset(file, engine="netcdf4", decode_coords="all") as opened:
        plain = opened.load()
    for name in (*plain.data_vars, *plain.coords):
        plain[name].encoding = {}
    plain.to_zarr(tmp_path / "p.zarr", consolidated=False, zarr_format=2)
    found = open_series(f"{tmp_path}/p.zarr:precipitation")
    np.testing.assert_array_equal(found, content)
    assert Grid.of(found) == GRID


def test_zarr_without_its_reader_is_refused_by_name(tmp_path, monkeypatch):
    (tmp_path / "p.zarr").mkdir()
    (tmp_path / "p.zarr" / "zarr.json").write_text("{}")
    monkeypatch.setattr(zarr_store, "find_spec", lambda _: None)
    with pytest.raises(GeosoilError, match=r"pip install 'geosoil\[zarr\]'"):
        open_series(f"{tmp_path}/p.zarr")


def test_what_is_no_series_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(FileFormatError, match="is no series that is read here"):
        open_series(str(tmp_path / "notes.txt"))
    with pytest.raises(MissingFileError, match="No file matches"):
        open_series(f"{tmp_path}/absent*.nc:t")
