"""Rasters brought onto a grid, against gdalwarp and exact block means."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from affine import Affine
from pyproj import CRS

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.align import align, north_up
from geosoil.grids.grid import Grid

COARSE = Grid.from_bounds((95, 33, 97, 34), 0.2, "EPSG:4326")
FINE = Grid.from_bounds((95, 33, 97, 34), 0.05, "EPSG:4326")


@pytest.fixture(scope="module")
def sinusoidal() -> xr.DataArray:
    """The MODIS tile h25v05 from which gdalwarp made the golden rasters."""
    radius, side, cells = 6371007.181, 1111950.5196666666, 1200
    west = round(-20015109.354 + 25 * side, 6)
    north = round(10007554.677 - 5 * side, 6)
    step = (round(west + side, 6) - west) / cells
    i, j = np.mgrid[0:cells, 0:cells]
    values = np.trunc(4000 + 2500 * np.sin(i / 60) * np.cos(j / 80))
    values[:, :5] = np.nan
    crs = CRS.from_user_input(f"+proj=sinu +R={radius} +units=m +no_defs")
    grid = Grid(crs, Affine(step, 0, west, 0, -step, north), (cells, cells))
    return grid.raster(values, name="ndvi")


@pytest.mark.parametrize(
    ("method", "file"),
    [("nearest", "near"), ("bilinear", "bilinear"), ("average", "average")],
)
def test_reprojection_equals_gdalwarp(
    sinusoidal: xr.DataArray, golden: Path, method: str, file: str
) -> None:
    target = Grid.from_bounds((94, 33, 96, 35), 0.05, "EPSG:4326")
    with rasterio.open(golden / "geo" / "modis" / f"warp_{file}_005deg.tif") as source:
        expected = source.read(1)
    expected = np.where(expected == -3000, np.nan, expected)
    found = align(sinusoidal, target, method=method)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def test_average_is_the_block_mean_without_missing_cells() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=FINE.shape)
    values[rng.random(FINE.shape) < 0.2] = np.nan
    values[:4, :4] = np.nan
    blocks = values.reshape(5, 4, 10, 4)
    valid = np.isfinite(blocks)
    n = valid.sum(axis=(1, 3))
    expected = np.where(valid, blocks, 0).sum(axis=(1, 3)) / np.where(n, n, np.nan)
    found = align(FINE.raster(values), COARSE, method="average")
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9)
    assert np.isnan(found[0, 0])


def test_mode_is_the_commonest_class() -> None:
    codes = np.ones(FINE.shape, dtype=np.uint8)
    codes[:, 3::4] = 7
    codes[:3, :4] = 9
    found = align(FINE.raster(codes, name="soil"), COARSE, method="mode")
    assert found.dtype == np.uint8
    assert int(found[0, 0]) == 9
    assert (found.to_numpy()[1:] == 1).all()


def test_mode_takes_classes_that_were_read_as_floats() -> None:
    codes = np.full(FINE.shape, 3.0)
    codes[:4, :4] = np.nan
    found = align(FINE.raster(codes), COARSE, method="mode")
    assert np.isnan(found[0, 0])
    assert float(found[1, 1]) == 3.0


def test_a_mask_stays_a_mask() -> None:
    mask = np.zeros(FINE.shape, dtype=bool)
    mask[:, :3] = True
    found = align(FINE.raster(mask), COARSE, method="mode")
    assert found.dtype == bool
    assert found[:, 0].all()
    assert not found[:, 1:].any()


def test_nearest_takes_the_cell_that_contains_the_centre_on_every_crop() -> None:
    # Centres of the 0.2 degree grid lie on corners of the 0.05 degree cells.
    numbers = np.arange(FINE.shape[0] * FINE.shape[1]).reshape(FINE.shape)
    raster = FINE.raster(numbers.astype(float))
    found = align(raster, COARSE, method="nearest")
    np.testing.assert_array_equal(found, numbers[2::4, 2::4])
    part = Grid.from_bounds((95.4, 33.2, 96.2, 33.8), 0.2, "EPSG:4326")
    cropped = align(raster.isel(x=slice(3, 30), y=slice(1, 19)), part, method="nearest")
    np.testing.assert_array_equal(cropped, found.to_numpy()[1:4, 2:6])


@pytest.mark.parametrize("method", ["nearest", "bilinear", "average"])
def test_the_own_grid_changes_nothing(method: str) -> None:
    values = np.random.default_rng(1).normal(size=FINE.shape).astype("float32")
    found = align(FINE.raster(values, name="rain"), FINE, method=method)
    np.testing.assert_allclose(found, values, rtol=1e-6)
    assert found.dtype == np.float32
    assert Grid.of(found) == FINE


def test_times_names_and_attributes_stay() -> None:
    times = pd.date_range("2020-06-01", periods=3, freq="MS")
    values = np.random.default_rng(2).normal(size=(3, *FINE.shape))
    raster = xr.DataArray(
        values, dims=("time", "y", "x"), coords={"time": times}, name="rain"
    )
    raster = FINE.georeference(raster).assign_attrs(units="mm")
    found = align(raster, COARSE, method="average")
    assert found.dims == ("time", "y", "x")
    assert found.name == "rain"
    assert found.attrs["units"] == "mm"
    np.testing.assert_array_equal(found["time"], times)
    for step in range(3):
        layer = align(raster.isel(time=step), COARSE, method="average")
        np.testing.assert_array_equal(found[step], layer)


def test_an_upside_down_raster_is_turned() -> None:
    raster = FINE.raster(np.random.default_rng(3).normal(size=FINE.shape))
    turned = raster.isel(y=slice(None, None, -1))
    for method in ("nearest", "average"):
        xr.testing.assert_allclose(
            align(turned, COARSE, method=method), align(raster, COARSE, method=method)
        )
    np.testing.assert_array_equal(north_up(turned), raster)
    assert north_up(raster) is raster


def test_cells_outside_are_missing() -> None:
    wide = Grid.from_bounds((94, 32, 98, 35), 0.2, "EPSG:4326")
    raster = FINE.raster(np.ones(FINE.shape))
    for method in ("nearest", "bilinear", "average"):
        found = align(raster, wide, method=method)
        assert np.isfinite(found).sum() >= COARSE.shape[0] * COARSE.shape[1]
        assert np.isnan(found[0, 0])
    codes = FINE.raster(np.ones(FINE.shape, dtype=np.int16), name="soil")
    for method in ("nearest", "mode"):
        found = align(codes.assign_attrs(nodata=-1), wide, method=method)
        assert found.dtype == np.int16
        assert int(found[0, 0]) == -1
        with pytest.raises(InputError, match=r'cells are outside.*attrs\["nodata"\]'):
            align(codes, wide, method=method)


def test_what_cannot_be_aligned_is_refused() -> None:
    raster = FINE.raster(np.full(FINE.shape, 0.5), name="ndvi")
    codes = FINE.raster(np.ones(FINE.shape, dtype=np.uint8), name="soil")
    with pytest.raises(InputError, match="'soil' holds classes"):
        align(codes, COARSE, method="average")
    with pytest.raises(InputError, match=r"quantities \(for instance 0\.5"):
        align(raster, COARSE, method="mode")
    with pytest.raises(InputError, match="Unknown method 'cubic'"):
        align(raster, COARSE, method="cubic")  # type: ignore[arg-type]
    with pytest.raises(MissingCRSError, match="'ndvi' has no coordinate reference"):
        align(raster.drop_vars("spatial_ref"), COARSE, method="nearest")
    far = Grid.from_bounds((0, 0, 1, 1), 0.2, "EPSG:4326")
    with pytest.raises(GridMismatchError, match="does not overlap"):
        align(raster, far, method="nearest")
    with pytest.raises(InputError, match="has dims"):
        align(raster.expand_dims("band"), COARSE, method="nearest")
