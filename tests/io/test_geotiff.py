"""GeoTIFFs hold exactly what was computed, with CRS, units, dates and tags."""

from __future__ import annotations

import resource

import numpy as np
import pandas as pd
import pytest
import rasterio
import rioxarray  # noqa: F401
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.transform import from_origin

from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    GridMismatchError,
    InputError,
    MissingCRSError,
    MissingFileError,
)
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io.geotiff import read_geotiff, write_geotiff

GRID = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")


def stack(dates=("2020-06-09", "2020-06-25")):
    rng = np.random.default_rng(7)
    values = rng.uniform(-0.2, 1.0, (len(dates), *GRID.shape)).astype("float32")
    values[0, 3, 4] = np.nan
    raster = xr.DataArray(
        values,
        dims=("time", "y", "x"),
        coords={"time": pd.DatetimeIndex(dates)},
        name="ndvi",
        attrs={"units": "1", "long_name": "NDVI", "standard_name": "ndvi_name"},
    )
    return GRID.georeference(raster)


def test_a_time_stack_comes_back_bit_by_bit(tmp_path):
    raster = stack()
    file = write_geotiff(raster, tmp_path / "n.tif", tags={"version": "0.1", "k": 3})
    back = read_geotiff(file)
    xr.testing.assert_equal(
        back.drop_vars("spatial_ref"), raster.drop_vars("spatial_ref")
    )
    assert back.dtype == np.float32
    assert back.name == "ndvi"
    assert back.attrs["units"] == "1"
    assert back.attrs["long_name"] == "NDVI"
    assert back.attrs["tags"]["version"] == "0.1"
    assert back.attrs["tags"]["k"] == "3"
    check_same_grid(Grid.of(back), GRID)
    assert [path.name for path in tmp_path.iterdir()] == ["n.tif"]


def test_the_file_says_all_that_a_gis_needs(tmp_path):
    file = write_geotiff(stack(), tmp_path / "n.tif", tags={"layer": "NDVI"})
    with rasterio.open(file) as opened:
        assert opened.driver == "GTiff"
        assert opened.crs.to_epsg() == 4326
        assert tuple(opened.transform) == tuple(GRID.transform)
        assert opened.nodata == -9999
        assert opened.dtypes == ("float32", "float32")
        assert opened.descriptions == ("2020-06-09", "2020-06-25")
        assert opened.units == ("1", "1")
        assert opened.profile["tiled"]
        assert opened.compression.name == "deflate"
        assert opened.tags()["layer"] == "NDVI"
        assert opened.read(1)[3, 4] == -9999


def test_the_same_raster_gives_the_same_bytes(tmp_path):
    first = write_geotiff(stack(), tmp_path / "a.tif").read_bytes()
    assert write_geotiff(stack(), tmp_path / "b.tif").read_bytes() == first


def test_one_date_keeps_its_time_dimension(tmp_path):
    back = read_geotiff(write_geotiff(stack(["2020-06-09"]), tmp_path / "n.tif"))
    assert back.dims == ("time", "y", "x")
    assert back.time.to_numpy()[0] == np.datetime64("2020-06-09")


def test_description_is_given_or_long_name_or_name(tmp_path):
    raster = GRID.raster(np.zeros(GRID.shape), name="r")

    def description(raster, **options):
        with rasterio.open(write_geotiff(raster, tmp_path / "a.tif", **options)) as f:
            return f.descriptions[0]

    assert description(raster) == "r"
    assert description(raster.assign_attrs(long_name="correlation")) == "correlation"
    assert description(raster, description="June") == "June"


def test_bands_of_another_dimension_are_described_by_their_labels(tmp_path):
    raster = stack().rename(time="period").assign_coords(period=["June", "August"])
    back = read_geotiff(write_geotiff(raster, tmp_path / "a.tif"))
    assert back.band.to_numpy().tolist() == ["June", "August"]
    back = read_geotiff(
        write_geotiff(raster, tmp_path / "a.tif", description=["a", "b"])
    )
    assert back.band.to_numpy().tolist() == ["a", "b"]
    with pytest.raises(InputError, match="3 descriptions for 2 bands"):
        write_geotiff(raster, tmp_path / "a.tif", description=["a", "b", "c"])


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("uint8", "uint8"), ("int16", "int16"), ("bool", "uint8"), ("uint16", "int32")],
)
def test_classes_stay_integers(tmp_path, dtype, stored):
    codes = (np.arange(GRID.shape[0] * GRID.shape[1]) % 2).reshape(GRID.shape)
    raster = GRID.raster(codes.astype(dtype), name="vegetation")
    file = write_geotiff(raster, tmp_path / "v.tif")
    with rasterio.open(file) as opened:
        assert opened.dtypes[0] == stored
        assert opened.nodata is None
    assert (read_geotiff(file).to_numpy() == codes).all()


def test_declared_nodata_of_classes_is_kept(tmp_path):
    codes = np.arange(GRID.shape[0] * GRID.shape[1]).reshape(GRID.shape) % 6
    raster = GRID.raster(codes.astype("uint8")).assign_attrs(nodata=0)
    file = write_geotiff(raster, tmp_path / "v.tif")
    with rasterio.open(file) as opened:
        assert (opened.nodata, opened.dtypes[0]) == (0, "uint8")
    back = read_geotiff(file)
    assert (back.dtype, back.attrs["nodata"]) == (np.uint8, 0)
    assert (back.to_numpy() == codes).all()
    quantities = read_geotiff(file, classes=False).to_numpy()
    np.testing.assert_array_equal(quantities, np.where(codes == 0, np.nan, codes))
    with pytest.raises(InputError, match="nodata -1 does not fit into uint8"):
        write_geotiff(raster.assign_attrs(nodata=-1), tmp_path / "w.tif")


def test_codes_of_any_type_are_read_as_classes_when_asked(tmp_path):
    codes = GRID.raster(np.full(GRID.shape, 7.0)).astype("float32")
    codes[0, 0] = np.nan
    file = write_geotiff(codes, tmp_path / "f.tif")
    back = read_geotiff(file, classes=True)
    assert (back.dtype, back.attrs["nodata"]) == (np.int32, -9999)
    assert back.to_numpy()[0, :2].tolist() == [-9999, 7]
    wide = write_geotiff(back.astype("int16"), tmp_path / "w.tif")
    assert read_geotiff(wide, classes=True).dtype == np.int16
    assert np.isnan(read_geotiff(wide).to_numpy()[0, 0])
    with pytest.raises(FileFormatError, match=r"h\.tif.*fractions"):
        read_geotiff(write_geotiff(codes / 2, tmp_path / "h.tif"), classes=True)


def test_bit_fields_of_32_bits_survive(tmp_path):
    raster = GRID.raster(np.full(GRID.shape, 2.0**30 + 1))
    assert read_geotiff(write_geotiff(raster, tmp_path / "q.tif")).max() == 2**30 + 1


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    values=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=40),
        elements=st.one_of(
            st.just(np.nan), st.integers(-(2**24), 2**24).map(lambda n: n / 2**12)
        ),
    ),
    west=st.floats(-170, 100),
    step=st.sampled_from([0.05, 1 / 120, 0.1, 0.25]),
)
def test_any_float32_raster_comes_back(tmp_path, values, west, step):
    grid = Grid(GRID.crs, from_origin(west, 40.0, step, step), values.shape)
    back = read_geotiff(write_geotiff(grid.raster(values), tmp_path / "p.tif"))
    np.testing.assert_array_equal(back.to_numpy(), values)
    assert tuple(back.rio.transform(recalc=False))[:6] == pytest.approx(
        tuple(grid.transform)[:6], abs=1e-12
    )


def test_a_sinusoidal_grid_comes_back(tmp_path):
    crs = "+proj=sinu +lon_0=0 +x_0=0 +y_0=0 +R=6371007.181 +units=m +no_defs"
    grid = Grid.from_bounds((0, 0, 4000, 6000), 500, crs)
    back = read_geotiff(write_geotiff(grid.raster(np.eye(12, 8)), tmp_path / "s.tif"))
    check_same_grid(Grid.of(back), grid)


def test_a_cropped_raster_is_written_where_it_lies(tmp_path):
    crop = stack().isel(time=0, y=slice(10, 40), x=slice(20, 90)).drop_vars("time")
    back = read_geotiff(write_geotiff(crop, tmp_path / "c.tif"))
    np.testing.assert_array_equal(back.to_numpy(), crop.to_numpy())
    np.testing.assert_allclose(back.x, crop.x, atol=1e-9)
    np.testing.assert_allclose(back.y, crop.y, atol=1e-9)


def test_rasters_that_cannot_be_written_say_why_and_leave_nothing(tmp_path):
    file = tmp_path / "a.tif"
    raster = GRID.raster(np.zeros(GRID.shape))
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        write_geotiff(xr.DataArray(np.zeros((2, 2)), dims=("y", "x")), file)
    with pytest.raises(InputError, match=r"dims \('x', 'y'\)"):
        write_geotiff(raster.transpose("x", "y"), file)
    with pytest.raises(InputError, match="-9999"):
        write_geotiff(raster - 9999, file)
    with pytest.raises(InputError, match="float32"):
        write_geotiff(raster + 1e300, file)
    with pytest.raises(InputError, match="north to south"):
        write_geotiff(raster.sortby("y"), file)
    with pytest.raises(GridMismatchError, match="evenly"):
        write_geotiff(raster.isel(x=[0, 1, 3, 7]), file)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path):
    file = write_geotiff(stack(), tmp_path / "a.tif")
    before = file.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    try:
        with pytest.raises(GeosoilError, match=r"Cannot write.*a\.tif"):
            write_geotiff(stack(), file)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert file.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_scale_and_offset_of_a_band_are_applied(tmp_path):
    file = tmp_path / "packed.tif"
    with rasterio.open(
        file, "w", driver="GTiff", width=2, height=1, count=1, dtype="int16",
        crs="EPSG:4326", transform=from_origin(0, 1, 1, 1), nodata=32767,
    ) as opened:  # fmt: skip
        opened.write(np.array([[5000, 32767]], dtype="int16"), 1)
        opened.scales, opened.offsets = (0.0001,), (1.0,)
    values = read_geotiff(file).to_numpy()
    np.testing.assert_allclose(values, [[1.5, np.nan]], rtol=1e-6)


def test_a_south_up_file_is_turned_north_up(tmp_path):
    file = tmp_path / "south.tif"
    with rasterio.open(
        file, "w", driver="GTiff", width=2, height=2, count=1, dtype="uint8",
        crs="EPSG:4326", transform=rasterio.Affine(1, 0, 0, 0, 1, 30),
    ) as opened:  # fmt: skip
        opened.write(np.array([[1, 2], [3, 4]], dtype="uint8"), 1)
    raster = read_geotiff(file)
    assert raster.to_numpy().tolist() == [[3, 4], [1, 2]]
    assert raster.y.to_numpy().tolist() == [31.5, 30.5]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"<!DOCTYPE html><html>Earthdata Login</html>", "login page"),
        (b"\x89HDF\r\n\x1a\n123", "HDF5"),
        (b"<VRTDataset rasterXSize='1'>", "unknown format"),
        (b"II*\x00" + b"\x00" * 40, "cannot be read as a GeoTIFF"),
    ],
)
def test_files_that_are_no_geotiff_are_refused(tmp_path, content, words):
    file = tmp_path / "x.tif"
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        read_geotiff(file)


def test_absent_folder_truncated_and_unplaced_files_are_refused(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.tif"):
        read_geotiff(tmp_path / "none.tif")
    with pytest.raises(MissingFileError, match="vsicurl"):
        read_geotiff("/vsicurl/http://127.0.0.1/a.tif")
    with pytest.raises(FileFormatError, match="is a folder"):
        read_geotiff(tmp_path)
    file = write_geotiff(stack(), tmp_path / "a.tif")
    file.write_bytes(file.read_bytes()[:30_000])
    with pytest.raises(FileFormatError, match=r"a\.tif.*damaged"):
        read_geotiff(file)
    bare = tmp_path / "bare.tif"
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(
            bare, "w", driver="GTiff", width=2, height=2, count=1, dtype="uint8"
        ) as opened,
    ):
        opened.write(np.zeros((1, 2, 2), dtype="uint8"))
    with pytest.raises(MissingCRSError, match=r"bare\.tif.*gdal_edit"):
        read_geotiff(bare)


def test_a_header_that_asks_for_all_memory_is_refused_unread(tmp_path):
    file = tmp_path / "bomb.tif"
    with rasterio.open(
        file, "w", driver="GTiff", width=400_000, height=400_000, count=1,
        dtype="float64", crs="EPSG:4326", transform=from_origin(0, 1, 1e-5, 1e-5),
        sparse_ok=True, tiled=True, blockxsize=4096, blockysize=4096, bigtiff="yes",
    ):  # fmt: skip
        pass
    with pytest.raises(FileFormatError, match="more than half of the memory"):
        read_geotiff(file)
