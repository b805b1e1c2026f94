"""NetCDF results keep values, flags and CRS, and are written whole or not at all."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from geosoil.errors import GeosoilError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io.climate import open_climate
from geosoil.io.netcdf import write_netcdf

GRIDS = [
    Grid.from_bounds((90.0, 32.0, 91.0, 33.0), 0.25, "EPSG:4326"),
    Grid.from_bounds((0.0, 0.0, 4000.0, 3000.0), 1000.0, "EPSG:32646"),
]


def rasters(grid):
    r = np.linspace(-1, 1, grid.shape[0] * grid.shape[1]).reshape(grid.shape)
    r[0, 1] = np.nan
    reason = grid.raster(np.isnan(r).astype(np.int8), name="reason")
    reason.attrs |= {
        "flag_values": np.arange(2, dtype=np.int8),
        "flag_meanings": "ok few",
    }
    found = grid.raster(r, name="r")
    found.attrs |= {"units": "1", "long_name": "r of a and b", "verified": True}
    return xr.Dataset(
        {"r": found, "reason": reason, "significant": found > 0.5},
        attrs={"years": ["2001", "2002"], "nothing": None},
    )


@pytest.mark.parametrize("grid", GRIDS, ids=["degrees", "metres"])
def test_values_flags_and_crs_come_back(tmp_path, grid):
    content = rasters(grid)
    file = write_netcdf(content, tmp_path / "out.nc", attrs={"title": "test"})
    with xr.open_dataset(file, engine="netcdf4", decode_coords="all") as found:
        np.testing.assert_array_equal(found["r"], content["r"])
        assert found["reason"].dtype == np.int8
        assert found["reason"].attrs["flag_meanings"] == "ok few"
        assert Grid.of(found) == grid
        assert found.attrs["years"] == "2001; 2002"
        assert "nothing" not in found.attrs
        assert found["r"].attrs["verified"] == "yes"


def test_the_file_follows_cf(tmp_path):
    file = write_netcdf(rasters(GRIDS[0]), tmp_path / "out.nc")
    with netCDF4.Dataset(file) as found:
        assert found.Conventions == "CF-1.11"
        assert found["y"].standard_name == "latitude"
        assert found["x"].units == "degrees_east"
        assert found["r"].grid_mapping in found.variables
        assert found["r"].filters()["fletcher32"]
        assert not hasattr(found["x"], "_FillValue")
    with netCDF4.Dataset(write_netcdf(rasters(GRIDS[1]), file)) as found:
        assert found["y"].standard_name == "projection_y_coordinate"
        assert found["y"].units == "m"


def test_what_is_written_is_read_by_the_climate_reader(tmp_path):
    grid = GRIDS[0]
    days = np.array(["2020-06-01", "2020-07-01"], dtype="datetime64[ns]")
    cube = grid.georeference(
        xr.DataArray(
            np.arange(2.0 * grid.shape[0] * grid.shape[1]).reshape(2, *grid.shape),
            dims=("time", "y", "x"),
            coords={"time": days},
            name="rain",
            attrs={"units": "mm"},
        )
    )
    file = write_netcdf(cube.to_dataset(), tmp_path / "rain.nc")
    found = open_climate(file, "rain")
    np.testing.assert_array_equal(found, cube)
    assert Grid.of(found) == grid


def test_rasters_without_a_crs_are_refused(tmp_path):
    bare = xr.Dataset({"r": (("y", "x"), np.eye(2))})
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        write_netcdf(bare, tmp_path / "out.nc")


def test_the_old_file_stays_where_writing_fails(tmp_path, monkeypatch):
    file = write_netcdf(rasters(GRIDS[0]), tmp_path / "out.nc")
    before = file.read_bytes()

    def full(*args, **kwargs):
        message = "NetCDF: HDF error"
        raise RuntimeError(message)

    monkeypatch.setattr(xr.Dataset, "to_netcdf", full)
    with pytest.raises(GeosoilError, match=r"HDF error\. What was there before"):
        write_netcdf(rasters(GRIDS[0]), file)
    assert file.read_bytes() == before
    assert [found.name for found in tmp_path.iterdir()] == ["out.nc"]
