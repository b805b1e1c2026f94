"""The words of a GeoTIFF without its cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from geosoil.errors import FileFormatError, MissingCRSError, MissingFileError
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import read_geotiff, write_geotiff
from geosoil.io.raster_header import read_header, read_thinned

GRID = Grid.from_bounds((500_000, 3_500_000, 500_600, 3_500_400), 100, "EPSG:32646")


def test_a_header_holds_what_was_written(tmp_path: Path) -> None:
    cells = np.arange(24.0).reshape(GRID.shape)
    raster = GRID.raster(cells, name="depth")
    raster.attrs = {"units": "m", "long_name": "depth of thaw"}
    path = write_geotiff(raster, tmp_path / "a.tif", tags={"method": "probe"})
    header = read_header(path)
    assert header.grid == GRID
    assert (header.dtype, header.nodata, header.units) == ("float32", -9999.0, "m")
    assert header.descriptions == ("depth of thaw",)
    assert header.tags["method"] == "probe"
    assert header.statistics == (0.0, 23.0)


def test_a_file_without_statistics_states_none(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    profile = {"driver": "GTiff", "width": 2, "height": 2, "count": 1}
    with rasterio.open(
        path,
        "w",
        **profile,
        dtype="uint8",
        crs="EPSG:4326",
        transform=Affine(1, 0, 0, 0, -1, 2),
    ) as file:
        file.write(np.array([[[1, 2], [3, 4]]], dtype=np.uint8))
        file.write_colormap(1, {1: (127, 184, 107, 255), 2: (0, 0, 0, 255)})
    header = read_header(path)
    assert header.statistics is None
    assert header.nodata is None
    assert header.colours == {1: "#7fb86b"}


def test_a_small_raster_is_read_whole_and_a_large_one_thinned(tmp_path: Path) -> None:
    cells = np.arange(24.0).reshape(GRID.shape)
    cells[1, 2] = np.nan
    path = write_geotiff(GRID.raster(cells), tmp_path / "a.tif")
    known = cells[np.isfinite(cells)]
    np.testing.assert_array_equal(read_thinned(path), known)
    few = read_thinned(path, most_cells=6)
    assert 4 <= few.size <= 6
    assert set(few) <= set(known)


def test_scale_and_offset_are_applied(tmp_path: Path) -> None:
    path = tmp_path / "packed.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=2,
        height=1,
        count=1,
        dtype="int16",
        nodata=-1,
        crs="EPSG:4326",
        transform=Affine(1, 0, 0, 0, -1, 1),
    ) as file:
        file.write(np.array([[[4, -1]]], dtype=np.int16))
        file.scales, file.offsets = (0.1,), (2.0,)
    assert read_thinned(path) == pytest.approx([2.4])
    assert float(read_geotiff(path).max()) == pytest.approx(2.4)


def test_what_is_no_georeferenced_geotiff_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="absent"):
        read_header(tmp_path / "absent.tif")
    page = tmp_path / "page.tif"
    page.write_text("<html>login</html>")
    with pytest.raises(FileFormatError, match=r"page\.tif"):
        read_header(page)
    bare = tmp_path / "bare.tif"
    with rasterio.open(
        bare,
        "w",
        driver="GTiff",
        width=1,
        height=1,
        count=1,
        dtype="uint8",
        transform=Affine(1, 0, 0, 0, -1, 1),
    ) as file:
        file.write(np.ones((1, 1, 1), dtype=np.uint8))
    with pytest.raises(MissingCRSError, match=r"bare\.tif"):
        read_header(bare)


def test_a_raster_whose_cells_are_damaged_is_an_error(tmp_path: Path) -> None:
    noise = np.random.default_rng(1).random((300, 300))
    grid = Grid.from_bounds((0, 0, 30, 30), 0.1, "EPSG:4326")
    path = write_geotiff(grid.raster(noise), tmp_path / "a.tif")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 20_000] = bytes(20_000)
    path.write_bytes(bytes(data))
    with pytest.raises(FileFormatError, match=r"a\.tif"):
        read_thinned(path)
