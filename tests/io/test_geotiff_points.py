"""Points straight from a GeoTIFF: the same cells as in memory, few blocks, bounds."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.errors import (
    FileFormatError,
    InputError,
    MissingCRSError,
    MissingFileError,
)
from geosoil.grids.grid import Grid
from geosoil.grids.points import values_at_points
from geosoil.io.geotiff import read_geotiff, write_geotiff
from geosoil.io.geotiff_points import values_from_geotiff

STUDY = Grid.from_bounds((89.40, 31.55, 102.30, 36.30), 0.05, "EPSG:4326")


def sites(n: int = 3000, seed: int = 0) -> gpd.GeoSeries:
    """Two-decimal points, of which many lie on edges and some outside."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(8930, 10240, n) / 100, rng.integers(3150, 3640, n) / 100
    return gpd.GeoSeries.from_xy(x, y, crs="EPSG:4326")


def write(path: Path, values: np.ndarray, **profile: object) -> Path:
    """Write bands (bands, y, x) on the study grid as they are."""
    bands, rows, columns = values.shape
    settings_ = {"crs": "EPSG:4326", "transform": STUDY.transform, **profile}
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=columns,
        height=rows,
        count=bands,
        dtype=values.dtype,
        **settings_,
    ) as file:
        file.write(values)
    return path


@pytest.fixture(scope="module")
def field() -> np.ndarray:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(2, *STUDY.shape)).astype(np.float32)
    values[rng.random(values.shape) < 0.1] = -9999
    return values


LAYOUTS = {
    "tiles": {"tiled": True, "blockxsize": 64, "blockysize": 32},
    "strips": {"blockysize": 1},
    "one block": {"tiled": True, "blockxsize": 272, "blockysize": 96},
    "pixel interleaved": {
        "tiled": True,
        "blockxsize": 16,
        "blockysize": 16,
        "interleave": "pixel",
        "compress": "deflate",
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("n", [3, 3000])
def test_values_are_those_of_the_whole_raster(
    field: np.ndarray, tmp_path: Path, layout: str, n: int
) -> None:
    file = write(tmp_path / "f.tif", field, nodata=-9999, **LAYOUTS[layout])
    table = values_from_geotiff(file, sites(n))
    raster = read_geotiff(file)
    for band in (1, 2):
        flat = raster.isel(band=band - 1, drop=True).rename("z")
        expected = values_at_points(flat, sites(n))
        np.testing.assert_array_equal(table[f"band_{band}"], expected["z"])
        np.testing.assert_array_equal(table["on_edge"], expected["on_edge"])
    np.testing.assert_array_equal(
        table["reason"] == "outside", expected["reason"] == "outside"
    )


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """File whose cells hold their own numbers."""
    values = np.arange(95 * 258, dtype=np.float32).reshape(1, 95, 258)
    path = tmp_path_factory.mktemp("numbered") / "f.tif"
    return write(path, values, tiled=True, blockxsize=32, blockysize=16)


@settings(max_examples=40)
@given(st.integers(0, 40), st.integers(16, 100), st.integers(0, 10**6))
def test_any_memory_gives_the_same_cells(
    numbered: Path, n: int, rows: int, seed: int
) -> None:
    points = sites(n, seed)
    table = values_from_geotiff(numbered, points, memory=rows * 258 * 4)
    i, j, _ = STUDY.cells(points.x, points.y)
    np.testing.assert_array_equal(
        table["band_1"], np.where(i >= 0, i * 258 + j, np.nan)
    )


def test_few_points_leave_the_other_blocks_unread(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=(1, *STUDY.shape)).astype(np.float32)
    file = write(
        tmp_path / "f.tif",
        values,
        tiled=True,
        blockxsize=64,
        blockysize=32,
        compress="deflate",
    )
    whole = read_geotiff(file)
    with rasterio.open(file) as dataset:
        offset = int(dataset.get_tag_item("BLOCK_OFFSET_4_2", "TIFF", bidx=1))
    with file.open("r+b") as stream:
        stream.seek(offset)
        stream.write(b"\xff" * 200)
    north_west = gpd.GeoSeries.from_xy([89.51, 99.81], [36.21, 35.01], crs="EPSG:4326")
    table = values_from_geotiff(file, north_west)
    expected = values_at_points(whole.rename("z"), north_west)["z"]
    np.testing.assert_array_equal(table["band_1"], expected)
    south_east = gpd.GeoSeries.from_xy([102.28], [33.01], crs="EPSG:4326")
    with pytest.raises(FileFormatError, match="damaged or cut short"):
        values_from_geotiff(file, south_east)


def test_packed_and_upside_down_files_read_right(tmp_path: Path) -> None:
    raw = np.arange(95 * 258, dtype=np.int16).reshape(1, 95, 258)
    raw[0, :, ::7] = -3000
    west, south, *_ = STUDY.bounds
    file = write(
        tmp_path / "f.tif",
        raw,
        nodata=-3000,
        transform=Affine(0.05, 0, west, 0, 0.05, south),
    )
    with rasterio.open(file, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.0001,), (0.5,)
    expected = values_at_points(read_geotiff(file).rename("z"), sites())["z"]
    found = values_from_geotiff(file, sites())["band_1"]
    # scaled numbers of two bytes are read whole in single precision
    np.testing.assert_allclose(found, expected, rtol=2e-7)
    assert found.isna().sum() > 100


def test_dates_name_the_columns_and_bands_can_be_chosen(tmp_path: Path) -> None:
    times = pd.DatetimeIndex(["2020-06-09", "2020-06-25", "2020-07-11"])
    stack = xr.concat(
        [STUDY.raster(np.full(STUDY.shape, float(k))) for k in range(3)],
        dim=pd.Index(times, name="time"),
    ).rename("ndvi")
    file = write_geotiff(stack, tmp_path / "f.tif")
    table = values_from_geotiff(file, sites(10))
    dates = ["2020-06-09", "2020-06-25", "2020-07-11"]
    assert table.columns.tolist() == [*dates, "on_edge", "reason"]
    two = values_from_geotiff(file, sites(10), bands=[3, 1])
    assert two.columns.tolist()[:2] == ["2020-07-11", "2020-06-09"]
    pd.testing.assert_frame_equal(two, table[two.columns])
    with pytest.raises(InputError, match=r"bands 1 to 3; asked for \[0, 4\]"):
        values_from_geotiff(file, sites(10), bands=[0, 2, 4])


def test_rows_keep_their_index_and_their_reason(tmp_path: Path) -> None:
    values = np.ones((2, *STUDY.shape), dtype=np.float32)
    values[:, 0, 0], values[1, 0, 1] = -9999, -9999
    file = write(tmp_path / "f.tif", values, nodata=-9999)
    places = [
        shapely.Point(89.42, 36.28),
        shapely.Point(89.47, 36.28),
        shapely.Point(95, 33),
        shapely.Point(80, 33),
        shapely.Point(),
        None,
    ]
    points = gpd.GeoSeries(places, crs="EPSG:4326").set_axis(list("fedcba"))
    table = values_from_geotiff(file, points)
    reasons = ["no data", "gaps", "", "outside", "no position", "no position"]
    assert table["reason"].tolist() == reasons
    assert table.index.tolist() == list("fedcba")
    far = values_from_geotiff(file, points.iloc[3:])
    assert far["band_1"].isna().all()


def test_points_are_brought_to_the_crs_of_the_file(
    field: np.ndarray, tmp_path: Path
) -> None:
    file = write(tmp_path / "f.tif", field, nodata=-9999)
    rng = np.random.default_rng(3)
    points = gpd.GeoSeries.from_xy(
        rng.uniform(90, 102, 200), rng.uniform(32, 36, 200), crs="EPSG:4326"
    )
    points.iloc[5] = None
    found = values_from_geotiff(file, points.to_crs("EPSG:32647"))
    pd.testing.assert_frame_equal(found, values_from_geotiff(file, points))


def test_blocks_beyond_the_memory_are_refused_by_their_header(tmp_path: Path) -> None:
    values = np.ones((1, *STUDY.shape), dtype=np.float32)
    file = write(tmp_path / "f.tif", values, **LAYOUTS["one block"])
    with pytest.raises(
        FileFormatError, match=r"blocks of 96 rows.*0\.1 MiB, more than"
    ):
        values_from_geotiff(file, sites(3), memory=50_000)
    assert len(values_from_geotiff(file, sites(3), memory=95 * 258 * 4)) == 3


def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    values = np.ones((1, *STUDY.shape), dtype=np.float32)
    file = write(tmp_path / "f.tif", values)
    with pytest.raises(MissingFileError, match=r"no file '.*nowhere\.tif'"):
        values_from_geotiff(tmp_path / "nowhere.tif", sites(3))
    with pytest.raises(MissingCRSError, match="points have no coordinate"):
        values_from_geotiff(file, sites(3).set_crs(None, allow_override=True))
    line = gpd.GeoSeries([shapely.LineString([(90, 33), (91, 33)])], crs="EPSG:4326")
    with pytest.raises(InputError, match="found LineString"):
        values_from_geotiff(file, line)
    bare = write(tmp_path / "bare.tif", values, crs=None)
    with pytest.raises(MissingCRSError, match=r"bare\.tif' has no coordinate"):
        values_from_geotiff(bare, sites(3))
    turned = write(
        tmp_path / "t.tif", values, transform=Affine(0.05, 0.01, 89, 0, -1, 9)
    )
    with pytest.raises(FileFormatError, match="rotated"):
        values_from_geotiff(turned, sites(3))
