"""A box of a GeoTIFF is read alone, and budgets are compared before anything is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from rasterio.transform import Affine, from_origin

from geosoil.errors import FileFormatError, InputError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io.geotiff import read_geotiff, write_geotiff

GRID = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")
BOX = (95.02, 33.0, 96.01, 34.12)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=GRID.shape).astype("float32")
    values[40:60, 110:120] = np.nan
    return write_geotiff(GRID.raster(values, name="ndvi"), tmp_path / "n.tif")


def test_a_box_holds_every_cell_that_it_touches_and_no_other(file: Path) -> None:
    part, whole = read_geotiff(file, bbox=BOX), read_geotiff(file)
    west, south, east, north = Grid.of(part).bounds
    assert (west, south) == pytest.approx((95.0, 33.0))
    assert (east, north) == pytest.approx((96.05, 34.15))
    cut = whole.sel(x=slice(west, east), y=slice(north, south))
    np.testing.assert_array_equal(part, cut)
    assert part.attrs == whole.attrs
    assert np.isnan(part).any()
    xr.testing.assert_identical(read_geotiff(file, bbox=GRID.bounds), whole)
    check_same_grid(Grid.of(read_geotiff(file, bbox=(0, 0, 180, 90))), GRID)


def test_a_box_of_a_file_with_rows_from_the_south_is_the_same(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(4, 3)
    for name, data, transform in (
        ("down", values, from_origin(95, 34, 0.5, 0.5)),
        ("up", values[::-1], Affine(0.5, 0, 95, 0, 0.5, 32)),
    ):
        with rasterio.open(
            tmp_path / f"{name}.tif", "w", driver="GTiff", width=3, height=4, count=1,
            dtype="float64", crs="EPSG:4326", transform=transform,
        ) as opened:  # fmt: skip
            opened.write(data, 1)
    box = (95.6, 33.1, 96.4, 33.9)
    down, up = (read_geotiff(tmp_path / f"{n}.tif", bbox=box) for n in ("down", "up"))
    np.testing.assert_array_equal(down, values[:2, 1:])
    xr.testing.assert_identical(down, up)


def test_classes_are_read_by_a_box(tmp_path: Path) -> None:
    codes = np.arange(24, dtype="uint8").reshape(4, 6)
    grid = Grid.from_bounds((95, 33, 98, 35), 0.5, "EPSG:4326")
    file = write_geotiff(
        grid.raster(codes).assign_attrs(nodata=255), tmp_path / "c.tif"
    )
    part = read_geotiff(file, bbox=(96.1, 33.6, 96.9, 34.4))
    assert part.dtype == np.uint8
    assert part.attrs["nodata"] == 255
    np.testing.assert_array_equal(part, codes[1:3, 2:4])


def test_a_box_outside_or_no_box_is_refused(file: Path) -> None:
    with pytest.raises(
        InputError, match=r"n\.tif' covers 89\.4 to 102\.3 E.*the bbox 10"
    ):
        read_geotiff(file, bbox=(10, 33, 11, 34))
    with pytest.raises(InputError, match="Invalid bbox"):
        read_geotiff(file, bbox=(96, 33, 95, 34))


def test_a_budget_is_compared_with_what_the_box_takes(file: Path) -> None:
    cells = GRID.shape[0] * GRID.shape[1]
    with pytest.raises(
        FileFormatError, match=r"n\.tif' declares 1 bands.*the budget is"
    ):
        read_geotiff(file, memory_budget=4 * cells)
    read_geotiff(file, memory_budget=8 * cells)
    part = read_geotiff(file, bbox=BOX, memory_budget=4 * cells)
    assert part.shape == (23, 21)


def test_a_box_of_a_file_larger_than_memory_is_read(tmp_path: Path) -> None:
    file = tmp_path / "world.tif"
    with rasterio.open(
        file, "w", driver="GTiff", width=400_000, height=200_000, count=1,
        dtype="float64", crs="EPSG:4326", transform=from_origin(-180, 90, 9e-4, 9e-4),
        sparse_ok=True, tiled=True, blockxsize=4096, blockysize=4096, bigtiff="yes",
    ):  # fmt: skip
        pass
    with pytest.raises(FileFormatError, match="Give a smaller bbox"):
        read_geotiff(file)
    part = read_geotiff(file, bbox=(95, 33, 95.09, 33.09))
    assert part.shape[0] in (100, 101)
