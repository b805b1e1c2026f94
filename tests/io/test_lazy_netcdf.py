"""NetCDF opened lazily: xarray's values, fewer bytes, the chunks of the file."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io import lazy_netcdf
from geosoil.io.lazy_netcdf import open_netcdf_lazily

SHAPE = (12, 8, 10)


def write(folder: Path, **encoding: object) -> Path:
    rng = np.random.default_rng(3)
    values = np.round(rng.uniform(-0.2, 1.0, SHAPE), 4)
    values[rng.random(SHAPE) < 0.2] = np.nan
    times = np.datetime64("2001-01-01", "ns") + np.arange(12) * np.timedelta64(16, "D")
    raster = xr.DataArray(
        values,
        dims=("time", "y", "x"),
        coords={"time": times, "y": np.arange(8.0), "x": np.arange(10.0)},
        attrs={"units": "1"},
        name="ndvi",
    )
    path = folder / "ndvi.nc"
    with_fill = {"_FillValue": -3000, **encoding}
    raster.to_netcdf(path, engine="netcdf4", encoding={"ndvi": with_fill})
    return path


def test_packed_values_are_those_of_xarray_to_a_hundredth_of_a_step(
    tmp_path: Path,
) -> None:
    path = write(tmp_path, dtype="int16", scale_factor=1e-4)
    with xr.open_dataset(path) as data, open_netcdf_lazily(path, "ndvi") as found:
        expected = data["ndvi"].load()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
        assert found.attrs == {"units": "1"}
        assert found.name == "ndvi"
        for name in ("time", "y", "x"):
            xr.testing.assert_equal(found[name], expected[name])


def test_an_offset_that_eats_the_digits_of_float32_makes_float64(
    tmp_path: Path,
) -> None:
    options = {"dtype": "int16", "scale_factor": 1e-4, "add_offset": 273.15}
    path = write(tmp_path, **options)
    with xr.open_dataset(path) as data, open_netcdf_lazily(path, "ndvi") as found:
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, data["ndvi"], rtol=1e-15)


def test_several_missing_codes_are_all_missing(tmp_path: Path) -> None:
    codes = np.array([[1, -1], [-2, 4]], dtype=np.int16)
    raster = xr.Dataset({"a": (("y", "x"), codes, {"missing_value": np.int16(-2)})})
    path = tmp_path / "codes.nc"
    raster.to_netcdf(path, engine="netcdf4", encoding={"a": {"_FillValue": -1}})
    with open_netcdf_lazily(path, "a") as found:
        np.testing.assert_array_equal(found, [[1, np.nan], [np.nan, 4]])


@pytest.mark.parametrize("dtype", ["float32", "int32", "uint16"])
def test_all_other_kinds_are_what_xarray_makes_of_them(
    tmp_path: Path, dtype: str
) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    path = tmp_path / "kinds.nc"
    xr.Dataset({"a": (("t", "y", "x"), values)}).to_netcdf(path, engine="netcdf4")
    with xr.open_dataset(path) as data, open_netcdf_lazily(path, "a") as found:
        assert found.dtype == data["a"].dtype
        np.testing.assert_array_equal(found, data["a"])
        assert found.chunks is not None


def test_small_chunks_of_the_file_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, dtype="int16", scale_factor=1e-4, chunksizes=(1, 4, 5))
    monkeypatch.setattr(lazy_netcdf, "CHUNK_BYTES", 5 * 4 * 5 * 4)
    with open_netcdf_lazily(path, "ndvi") as found:
        assert found.chunks == ((5, 5, 2), (4, 4), (5, 5))
    monkeypatch.setattr(lazy_netcdf, "CHUNK_BYTES", 1)
    with open_netcdf_lazily(path, "ndvi") as found:
        assert found.chunks == ((1,) * 12, (4, 4), (5, 5))


def test_a_variable_without_chunks_is_read_by_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, dtype="int16", scale_factor=1e-4)
    monkeypatch.setattr(lazy_netcdf, "CHUNK_BYTES", 1)
    with open_netcdf_lazily(path, "ndvi") as found:
        assert found.chunks == ((1,) * 12, (8,), (10,))


def test_a_lazy_raster_travels_to_another_process(tmp_path: Path) -> None:
    path = write(tmp_path, dtype="int16", scale_factor=1e-4, chunksizes=(1, 4, 5))
    with open_netcdf_lazily(path, "ndvi") as found:
        expected = found.to_numpy()
        bare = copy.copy(found)
        bare.set_close(None)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(bare)), expected)


def test_what_cannot_be_opened_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, dtype="int16", scale_factor=1e-4)
    with pytest.raises(FileFormatError, match=r"no variable 'evi'\. It has: ndvi"):
        open_netcdf_lazily(path, "evi")
    with pytest.raises(MissingFileError, match=r"no file '.*none\.nc'"):
        open_netcdf_lazily(tmp_path / "none.nc", "ndvi")
    damaged = tmp_path / "damaged.nc"
    damaged.write_bytes(b"\x89HDF\r\n\x1a\n no more")
    with pytest.raises(FileFormatError, match="cannot be read as NetCDF"):
        open_netcdf_lazily(damaged, "ndvi")
