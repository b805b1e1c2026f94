"""Lazy climate fields are what the plain reader gives, block by block."""

import pickle

import dask
import netCDF4
import numpy as np
import pytest
import xarray as xr

from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io.climate import climate_layout, open_climate
from geosoil.io.lazy_climate import open_climate_lazily


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """South to north, 0 to 360 degrees, kelvin, packed, chunked in time."""
    path = tmp_path_factory.mktemp("lazy") / "t.nc"
    rng = np.random.default_rng(4)
    with netCDF4.Dataset(path, "w") as out:
        for name, size in (("time", 30), ("lat", 24), ("lon", 40)):
            out.createDimension(name, size)
        axes = {
            "time": (np.arange(30), "days since 2001-01-01"),
            "lat": (25.0 + 0.5 * np.arange(24), "degrees_north"),
            "lon": (355.0 + 0.5 * np.arange(40), "degrees_east"),
        }
        for name, (values, units) in axes.items():
            axis = out.createVariable(name, "f8", (name,))
            axis.units = units
            axis[:] = values % 360 if name == "lon" else values
        lon = out["lon"][:]
        out["lon"][:] = np.sort(lon)
        data = out.createVariable(
            "t2m",
            "i2",
            ("time", "lat", "lon"),
            zlib=True,
            chunksizes=(1, 8, 16),
            fill_value=-32767,
        )
        data.set_auto_maskandscale(False)
        data.scale_factor, data.add_offset, data.units = 0.01, 270.0, "K"
        values = rng.integers(-2000, 2000, (30, 24, 40)).astype("i2")
        values[rng.random(values.shape) < 0.1] = -32767
        data[:] = values
    return path


@pytest.fixture(scope="module")
def regular(file, tmp_path_factory):
    """The same with longitudes that do not wrap."""
    path = tmp_path_factory.mktemp("lazy") / "r.nc"
    path.write_bytes(file.read_bytes())
    with netCDF4.Dataset(path, "a") as out:
        out["lon"][:] = 80.0 + 0.5 * np.arange(40)
    return path


@pytest.mark.parametrize("bbox", [None, (82.2, 27.3, 95.1, 33.0)])
@pytest.mark.parametrize("time", [None, ("2001-01-05", "2001-01-20")])
@pytest.mark.parametrize("size", [1, 40_000, 10**9])
def test_blocks_give_what_the_plain_reader_gives(regular, bbox, time, size):
    plain = open_climate(regular, "air_temperature", bbox=bbox, time=time)
    lazy = open_climate_lazily(
        regular, "air_temperature", bbox=bbox, time=time, block_bytes=size
    )
    assert lazy.chunks is not None
    xr.testing.assert_identical(
        lazy.compute().drop_attrs(deep=False), plain.drop_attrs(deep=False)
    )
    assert lazy.rio.crs == plain.rio.crs
    assert lazy.attrs["units"] == "degC"


def test_blocks_are_whole_chunks_of_the_file(regular):
    grid, chunk = climate_layout(regular, "t2m")
    assert (grid.shape, chunk) == ((24, 40), (8, 16))
    lazy = open_climate_lazily(regular, "t2m", block_bytes=1)
    assert lazy.chunks[0] == (30,)
    assert lazy.chunks[1:] == ((8, 8, 8), (16, 16, 8))
    larger = open_climate_lazily(regular, "t2m", block_bytes=8 * 30 * 8 * 48)
    assert larger.chunks[1:] == ((8, 8, 8), (40,))


def test_nothing_is_read_before_it_is_asked_for(regular, tmp_path):
    copy = tmp_path / "gone.nc"
    copy.write_bytes(regular.read_bytes())
    lazy = open_climate_lazily(copy, "t2m")
    copy.unlink()
    with pytest.raises(MissingFileError):
        lazy.compute()


def test_the_graph_goes_to_other_processes(regular):
    lazy = open_climate_lazily(regular, "t2m", block_bytes=1)
    graph = pickle.loads(pickle.dumps(dict(lazy.__dask_graph__())))
    assert len(graph) >= 9
    with dask.config.set(scheduler="synchronous"):
        xr.testing.assert_equal(lazy.compute(), open_climate(regular, "t2m"))


def test_faults_are_those_of_the_plain_reader(file, tmp_path):
    with pytest.raises(FileFormatError, match="no variable 'rain'"):
        open_climate_lazily(file, "rain")
    with pytest.raises(MissingFileError):
        open_climate_lazily(tmp_path / "absent.nc", "rain")
