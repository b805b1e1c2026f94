"""Rasters brought onto a grid, against gdalwarp and exact block means."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import dask
import dask.array
import numpy as np
import pandas as pd
import pytest
import rasterio
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from xarray.backends import BackendArray
from xarray.core.indexing import (
    ExplicitIndexer,
    IndexingSupport,
    LazilyIndexedArray,
    explicit_indexing_adapter,
)

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.align import align, aligned_coverage, north_up
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


@pytest.mark.parametrize("method", ["nearest", "bilinear", "average", "area_average"])
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


def stack(n: int = 5) -> xr.DataArray:
    values = np.random.default_rng(4).normal(size=(n, *FINE.shape)).astype("float32")
    values[np.random.default_rng(5).random(values.shape) < 0.3] = np.nan
    times = pd.date_range("2020-06-01", periods=n, freq="MS")
    raster = xr.DataArray(
        values, dims=("time", "y", "x"), coords={"time": times}, name="rain"
    )
    return FINE.georeference(raster)


@pytest.mark.parametrize("method", ["nearest", "bilinear", "average", "area_average"])
@pytest.mark.parametrize("chunks", [{"time": 2}, {"time": 1, "y": 7, "x": 9}])
def test_a_chunked_raster_gives_the_same_when_it_is_asked_for(
    method: str, chunks: dict[str, int]
) -> None:
    raster = stack()
    found = align(raster.chunk(chunks), COARSE, method=method)
    assert found.chunks[0] == raster.chunk(chunks).chunks[0]
    assert found.dtype == np.float32
    xr.testing.assert_identical(found.compute(), align(raster, COARSE, method=method))


def test_only_the_layers_of_a_chunk_are_in_memory() -> None:
    # 300 dates of 1000 x 1000 in float64 are 2.4 GB; one date is 8 MB.
    grid = Grid.from_bounds((95, 33, 96, 34), 0.001, "EPSG:4326")
    target = Grid.from_bounds((95, 33, 96, 34), 0.05, "EPSG:4326")
    made = dask.array.ones((300, *grid.shape), chunks=(1, *grid.shape))
    raster = grid.georeference(xr.DataArray(made, dims=("time", "y", "x")))
    lazy = align(raster, target, method="area_average")
    # Memory of arrays is traced, that of other libraries is not.
    tracemalloc.start()
    with dask.config.set(scheduler="synchronous"):
        lazy.isel(time=slice(40)).compute()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64e6


def test_a_lazily_read_file_is_read_some_layers_at_a_time() -> None:
    raster = stack(4)
    asked = []

    class File(BackendArray):
        shape, dtype = raster.shape, raster.dtype

        def __getitem__(self, key: ExplicitIndexer) -> np.ndarray:
            return explicit_indexing_adapter(
                key, self.shape, IndexingSupport.BASIC, self._read
            )

        def _read(self, key: tuple[slice, ...]) -> np.ndarray:
            asked.append(raster.to_numpy()[key].shape[0])
            return raster.to_numpy()[key]

    lazy = xr.DataArray(
        xr.Variable(raster.dims, LazilyIndexedArray(File())), coords=raster.coords
    )
    size = FINE.shape[0] * FINE.shape[1] * 4
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geosoil.grids.resampling._BLOCK", 3 * size)
        found = align(lazy, COARSE, method="average")
    assert asked == [3, 1]
    np.testing.assert_array_equal(found, align(raster, COARSE, method="average"))


def test_codes_of_a_chunked_raster_are_checked_when_it_is_asked_for() -> None:
    lazy = align(stack().chunk(time=1), COARSE, method="mode")
    with pytest.raises(InputError, match="'rain' holds quantities"):
        lazy.compute()


def test_cells_with_too_little_coverage_are_missing() -> None:
    values = np.ones(FINE.shape)
    values[:, :2] = np.nan
    values[:3, 4:8] = np.nan
    raster = FINE.raster(values)
    covered = aligned_coverage(raster, COARSE)
    assert covered.name == "coverage"
    assert float(covered[0, 0]) == pytest.approx(0.5)
    assert float(covered[0, 1]) == pytest.approx(0.25)
    assert float(covered[1, 1]) == 1
    for method in ("average", "area_average"):
        found = align(raster, COARSE, method=method, min_coverage=0.5)
        np.testing.assert_array_equal(np.isfinite(found), covered > 0.4)
        everything = align(raster, COARSE, method=method)
        np.testing.assert_array_equal(np.isfinite(everything), covered > 0)
    codes = FINE.raster(np.where(np.isnan(values), 255, 3).astype(np.uint8))
    codes = codes.assign_attrs(nodata=255)
    for method in ("mode", "area_mode"):
        found = align(codes, COARSE, method=method, min_coverage=0.5)
        np.testing.assert_array_equal(found == 3, covered > 0.4)
        np.testing.assert_array_equal(found == 255, covered < 0.4)
    xr.testing.assert_identical(aligned_coverage(codes, COARSE), covered)


def test_coverage_of_cells_half_outside_is_half() -> None:
    shifted = Grid.from_bounds((94.9, 33, 97.1, 34), 0.2, "EPSG:4326")
    covered = aligned_coverage(FINE.raster(np.ones(FINE.shape)), shifted)
    np.testing.assert_allclose(covered[:, [0, -1]], 0.5, rtol=1e-9)
    assert (covered[:, 1:-1] == 1).all()


def test_area_mode_takes_the_smaller_of_equal_codes_and_masks_stay_masks() -> None:
    codes = np.full(FINE.shape, 9, dtype=np.int16)
    codes[:, ::2] = 4
    found = align(FINE.raster(codes), COARSE, method="area_mode")
    assert found.dtype == np.int16
    assert (found == 4).all()
    mask = FINE.raster(codes == 9)
    mask[:, :3] = True
    found = align(mask, COARSE, method="area_mode")
    assert found.dtype == bool
    assert found[:, 0].all()
    assert not found[:, 1:].any()


def test_means_in_degrees_weigh_by_the_size_of_cells_on_the_sphere() -> None:
    tall = Grid.from_bounds((0, 0, 10, 60), 10, "EPSG:4326")
    one = Grid(tall.crs, Affine(10, 0, 0, 0, -60, 60), (1, 1))
    values = np.arange(6.0)[:, None]
    bands = np.diff(np.sin(np.radians(np.arange(0, 61, 10.0))))[::-1]
    found = align(tall.raster(values), one, method="area_average")
    assert float(found[0, 0]) == pytest.approx(
        (bands * values[:, 0]).sum() / sum(bands)
    )


@settings(max_examples=40)
@given(
    shift=st.floats(-3, 3),
    side=st.floats(0.03, 0.4),
    seed=st.integers(0, 99),
)
def test_averages_by_area_stay_within_the_values_and_keep_a_constant(
    shift: float, side: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=FINE.shape)
    values[rng.random(FINE.shape) < 0.2] = np.nan
    transform = Affine(side, 0, 95.3 + shift * side, 0, -side, 33.9 - shift * side / 2)
    target = Grid(FINE.crs, transform, (3, 4))
    found = align(FINE.raster(values), target, method="area_average").to_numpy()
    known = found[np.isfinite(found)]
    assert (known >= np.nanmin(values) - 1e-12).all()
    assert (known <= np.nanmax(values) + 1e-12).all()
    constant = FINE.raster(np.where(np.isnan(values), np.nan, 7.25))
    flat = align(constant, target, method="area_average").to_numpy()
    np.testing.assert_array_equal(np.isfinite(flat), np.isfinite(found))
    np.testing.assert_allclose(flat[np.isfinite(flat)], 7.25, rtol=1e-12)


def test_codes_in_floats_are_not_averaged() -> None:
    ranks = FINE.raster(np.ones(FINE.shape), name="reliability")
    for attrs in ({"content": "code"}, {"flag_values": [0, 1]}):
        with pytest.raises(InputError, match="'reliability' holds classes"):
            align(ranks.assign_attrs(attrs), COARSE, method="area_average")
        found = align(ranks.assign_attrs(attrs), COARSE, method="area_mode")
        assert (found == 1).all()


def test_least_coverage_without_a_meaning_is_refused() -> None:
    raster = FINE.raster(np.ones(FINE.shape))
    codes = FINE.raster(np.ones(FINE.shape, dtype=np.uint8), name="soil")
    with pytest.raises(InputError, match=r"Invalid min_coverage 1\.5"):
        align(raster, COARSE, method="average", min_coverage=1.5)
    with pytest.raises(InputError, match="'bilinear' reads single places"):
        align(raster, COARSE, method="bilinear", min_coverage=0.5)
    with pytest.raises(InputError, match=r"'soil' has no code.*attrs\[\"nodata\"\]"):
        align(codes, COARSE, method="mode", min_coverage=0.5)
    with pytest.raises(InputError, match="integers of a mask"):
        align(codes > 0, COARSE, method="mode", min_coverage=0.5)


def test_no_overlap_names_both_extents(sinusoidal: xr.DataArray) -> None:
    far = Grid.from_bounds((80, 33, 82, 35), 0.05, "EPSG:4326")
    with pytest.raises(GridMismatchError) as caught:
        align(sinusoidal, far, method="average")
    message = str(caught.value)
    for part in ("'ndvi'", "926.625", "W 80 S 33 E 82 N 35", "EPSG:4326"):
        assert part in message
    assert "in the CRS of the grid W 80.829" in message
    # The hull of the tile reaches 104.4 E in the north, the sheared tile does not here.
    beside = Grid.from_bounds((101.5, 31, 103.5, 32), 0.05, "EPSG:4326")
    with pytest.raises(GridMismatchError, match="does not overlap"):
        align(sinusoidal, beside, method="area_average")


def test_a_target_within_one_cell_and_a_source_within_one_cell_overlap() -> None:
    tiny = Grid(FINE.crs, Affine(0.01, 0, 95.11, 0, -0.01, 33.12), (1, 1))
    raster = FINE.raster(
        np.arange(FINE.shape[0] * FINE.shape[1] * 1.0).reshape(FINE.shape)
    )
    row, column = 17, 2
    for method in ("nearest", "area_average"):
        found = align(raster, tiny, method=method)
        assert float(found[0, 0]) == pytest.approx(row * FINE.shape[1] + column)
    wide = Grid.from_bounds((80, 20, 120, 60), 20, "EPSG:4326")
    covered = aligned_coverage(raster, wide).to_numpy()
    assert covered.sum() == pytest.approx(2 / 400)
