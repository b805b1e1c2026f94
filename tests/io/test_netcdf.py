"""NetCDF results keep values, flags and CRS, and are written whole or not at all."""

import netCDF4
import numpy as np
import pytest
import xarray as xr

from geosoil.errors import GeosoilError, InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io.climate import open_climate
from geosoil.io.netcdf import write_netcdf, write_netcdf_grids

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


def test_cells_have_bounds_without_gaps(tmp_path):
    file = write_netcdf(rasters(GRIDS[1]), tmp_path / "out.nc")
    with netCDF4.Dataset(file) as found:
        for axis in ("y", "x"):
            bounds = found[found[axis].bounds][:]
            np.testing.assert_array_equal(bounds.mean(axis=1), found[axis][:])
            np.testing.assert_array_equal(bounds[1:, 0], bounds[:-1, 1])
            assert found[found[axis].bounds].ncattrs() == []


def test_the_same_rasters_give_the_same_bytes(tmp_path):
    first = write_netcdf(rasters(GRIDS[0]), tmp_path / "a.nc", attrs={"title": "a"})
    again = write_netcdf(rasters(GRIDS[0]), tmp_path / "b.nc", attrs={"title": "a"})
    assert first.read_bytes() == again.read_bytes()


def test_a_variable_may_ask_for_its_type_and_its_gap(tmp_path):
    content = rasters(GRIDS[0])[["r"]]
    codes = GRIDS[0].raster(np.where(np.isnan(content["r"]), np.nan, 7.0))
    codes.encoding = {"dtype": "uint8", "_FillValue": np.uint8(255)}
    content["codes"] = codes
    content["label"] = ("y", [f"row {n}" for n in range(GRIDS[0].shape[0])])
    file = write_netcdf(content.set_coords("label"), tmp_path / "out.nc")
    with netCDF4.Dataset(file) as found:
        assert found["codes"].dtype == np.uint8
        assert found["codes"][0].mask.tolist() == [False, True, False, False]
        assert found["label"].dtype == "S1"
        assert found["codes"].coordinates == "label"
    with xr.open_dataset(file, engine="netcdf4") as found:
        assert found["label"].values.tolist() == ["row 0", "row 1", "row 2", "row 3"]


def test_variables_off_the_grid_have_no_reference_system(tmp_path):
    content = rasters(GRIDS[0]).assign(p_star=("month", [0.1, 0.2]))
    file = write_netcdf(content, tmp_path / "out.nc")
    with netCDF4.Dataset(file) as found:
        assert "grid_mapping" not in found["p_star"].ncattrs()
        assert found["r"].grid_mapping == "spatial_ref"


def test_grids_of_one_file_keep_their_own_axes_and_reference_systems(tmp_path):
    parts = {"": rasters(GRIDS[0])[["r"]], "utm": rasters(GRIDS[1])[["reason"]]}
    file = write_netcdf_grids(parts, tmp_path / "out.nc")
    with netCDF4.Dataset(file) as found:
        assert found["reason"].dimensions == ("y_utm", "x_utm")
        assert found["reason"].grid_mapping == "spatial_ref_utm"
        assert found["spatial_ref_utm"].grid_mapping_name == "transverse_mercator"
        assert found["spatial_ref"].grid_mapping_name == "latitude_longitude"
        assert found["y_utm"].units == "m"
        named = [v.standard_name for v in found.variables.values() if _is_axis(v)]
        assert sorted(named) == ["latitude", "longitude"]


def _is_axis(variable):
    return "axis" in variable.ncattrs() and "standard_name" in variable.ncattrs()


def test_grids_with_different_things_of_one_name_are_refused(tmp_path):
    parts = {"": rasters(GRIDS[0])[["r"]], "utm": rasters(GRIDS[1])[["r"]]}
    with pytest.raises(InputError, match="different things of one name"):
        write_netcdf_grids(parts, tmp_path / "out.nc")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda f: f["r"].__setitem__((0, 0), 0.25), "variable 'r' differs"),
        (lambda f: f["y"].__setitem__(0, 0.25), "variable 'y' differs"),
        (lambda f: f["x_bnds"].__setitem__((0, 1), 0.0), "variable 'x_bnds' differs"),
        (lambda f: f["r"].setncattr("units", "m"), "attribute 'units' of 'r'"),
        (lambda f: f["y"].delncattr("bounds"), "attribute 'bounds' of 'y'"),
        (lambda f: f.setncattr("years", "2001"), "attribute 'years' of 'the file'"),
        (lambda f: f["r"].setncattr("grid_mapping", "x"), "lost its coordinate"),
        (
            lambda f: f["spatial_ref"].setncattr("crs_wkt", ""),
            "attribute 'crs_wkt' of 'spatial_ref'",
        ),
    ],
)
def test_a_file_that_holds_something_else_is_refused(
    damage, words, tmp_path, monkeypatch
):
    write = xr.Dataset.to_netcdf

    def damaged(self, path, **kwargs):
        write(self, path, **kwargs)
        with netCDF4.Dataset(path, "a") as file:
            damage(file)

    monkeypatch.setattr(xr.Dataset, "to_netcdf", damaged)
    with pytest.raises(GeosoilError, match=words):
        write_netcdf(rasters(GRIDS[0]), tmp_path / "out.nc")
    assert not list(tmp_path.iterdir())
