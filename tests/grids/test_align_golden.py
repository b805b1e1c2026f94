"""Alignment equals gdalwarp, and by area it equals the exact ground of each cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
import shapely
import xarray as xr
from affine import Affine
from pyproj import CRS, Transformer

from geosoil.grids.align import align, aligned_coverage
from geosoil.grids.grid import Grid
from geosoil.grids.mosaic import mosaic

QUANTITIES = ("nearest", "bilinear", "average")
CASES = [
    *[("sinusoidal", "sinusoidal", method) for method in QUANTITIES],
    ("sinusoidal", "sinusoidal_beyond", "average"),
    *[("cmg", "cmg_crop", method) for method in QUANTITIES],
    *[("cmg", "cmg_coarse", method) for method in QUANTITIES],
    *[("etopo5", "etopo5", method) for method in QUANTITIES],
    ("sinusoidal_classes", "sinusoidal_classes", "nearest"),
    ("sinusoidal_classes", "sinusoidal_classes", "mode"),
    ("landcover", "landcover", "mode"),
    ("landcover", "landcover_beyond", "mode"),
]


def read(path: Path, *, classes: bool = False) -> xr.DataArray:
    with rasterio.open(path) as file:
        values, nodata = file.read(1), file.nodata
        grid = Grid(CRS.from_wkt(file.crs.to_wkt()), file.transform, file.shape)
    if classes:
        return grid.raster(values, name=path.stem).assign_attrs(nodata=nodata)
    gaps = np.isnan(values) if nodata is None or np.isnan(nodata) else values == nodata
    return grid.raster(np.where(gaps, np.nan, values), name=path.stem)


@pytest.fixture(scope="module")
def folder(golden: Path) -> Path:
    return golden / "geo" / "align"


@pytest.fixture(scope="module")
def ndvi(folder: Path) -> xr.DataArray:
    return read(folder / "sinusoidal.tif")


@pytest.fixture(scope="module")
def target(folder: Path) -> Grid:
    return Grid.of(read(folder / "sinusoidal_average.tif"))


@pytest.mark.parametrize(("source", "name", "method"), CASES)
def test_align_equals_gdalwarp_with_exact_coordinates(
    folder: Path, source: str, name: str, method: str
) -> None:
    classes = source in ("sinusoidal_classes", "landcover")
    raster = read(folder / f"{source}.tif", classes=classes)
    file = folder / f"{name}_{'near' if method == 'nearest' else method}.tif"
    expected = read(file, classes=classes)
    found = align(raster, Grid.of(expected), method=method)
    assert found.dtype == raster.dtype
    if classes:
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        assert np.isfinite(expected).mean() > 0.4


@pytest.mark.parametrize("method", QUANTITIES)
def test_tiles_put_together_align_as_one_raster(
    ndvi: xr.DataArray, target: Grid, method: str
) -> None:
    # The seam of the tiles h25 and h26 lies before the 65th column.
    tiles = [ndvi.isel(x=slice(65, None)), ndvi.isel(x=slice(0, 65))]
    joined = align(mosaic(tiles), target, method=method)
    whole = align(ndvi, target, method=method)
    np.testing.assert_allclose(joined, whole, rtol=0, atol=1e-6)


def cells_by_shapely(source: Grid, grid: Grid, row: int, column: int) -> np.ndarray:
    """Area that one target cell shares with each source cell, found by clipping."""
    rows = np.array([row, row, row + 1, row + 1])
    columns = np.array([column, column + 1, column + 1, column])
    x = grid.transform.c + grid.transform.a * columns
    y = grid.transform.f + grid.transform.e * rows
    move = Transformer.from_crs(grid.crs, source.crs, always_xy=True)
    cell = shapely.Polygon(np.column_stack(move.transform(x, y)))
    j, i = np.meshgrid(np.arange(source.shape[1]), np.arange(source.shape[0]))
    t = source.transform
    boxes = shapely.box(
        t.c + t.a * j, t.f + t.e * (i + 1), t.c + t.a * (j + 1), t.f + t.e * i
    )
    return shapely.area(shapely.intersection(boxes, cell)) / cell.area


def test_area_average_and_coverage_equal_clipped_polygons(
    ndvi: xr.DataArray, target: Grid
) -> None:
    means = align(ndvi, target, method="area_average").to_numpy()
    coverage = aligned_coverage(ndvi, target).to_numpy()
    values, source = ndvi.to_numpy(), Grid.of(ndvi)
    valid = np.isfinite(values)
    for row, column in [(0, 0), (3, 5), (6, 11), (12, 4), (13, 17)]:
        weights = cells_by_shapely(source, target, row, column)
        weight = (weights * valid).sum()
        assert coverage[row, column] == pytest.approx(weight, abs=1e-8)
        expected = (weights[valid] * values[valid]).sum() / weight
        assert means[row, column] == pytest.approx(expected, rel=1e-8)


def test_area_mode_equals_clipped_polygons(folder: Path, target: Grid) -> None:
    raster = read(folder / "sinusoidal_classes.tif", classes=True)
    found = align(raster, target, method="area_mode").to_numpy()
    codes, source = raster.to_numpy(), Grid.of(raster)
    for row, column in [(0, 0), (3, 5), (6, 11), (9, 2)]:
        weights = cells_by_shapely(source, target, row, column)
        shares = [weights[codes == code].sum() for code in range(1, 6)]
        assert found[row, column] == 1 + np.argmax(shares)


def test_average_by_area_keeps_what_the_box_of_gdal_smooths_away(
    ndvi: xr.DataArray, target: Grid
) -> None:
    # The truth is the mean of the wave at 40 x 40 places in each target cell.
    source = Grid.of(ndvi)
    part = (np.arange(40) + 0.5) / 40
    x, y = (
        (first + step * (np.arange(n)[:, None] + part)).ravel()
        for first, step, n in (
            (target.transform.c, target.transform.a, target.shape[1]),
            (target.transform.f, target.transform.e, target.shape[0]),
        )
    )
    move = Transformer.from_crs(target.crs, source.crs, always_xy=True)
    places = move.transform(*np.meshgrid(x, y))
    errors = {}
    for wavelength in (50e3, 20e3):
        turn = 2 * np.pi / wavelength

        def wave(x: np.ndarray, y: np.ndarray, turn: float = turn) -> np.ndarray:
            return np.sin(turn * x) * np.cos(turn * y)

        fine = wave(*places).reshape(target.shape[0], 40, target.shape[1], 40)
        truth = fine.mean(axis=(1, 3))
        raster = source.raster(wave(*np.meshgrid(source.x, source.y)))
        for method in ("average", "area_average"):
            off = align(raster, target, method=method) - truth
            errors[method, wavelength] = float(np.sqrt((off**2).mean()) / truth.std())
    assert errors["area_average", 50e3] < 0.002
    assert errors["average", 50e3] > 0.04
    assert errors["area_average", 20e3] < 0.01
    assert errors["average", 20e3] > 0.3


def test_every_source_cell_is_shared_out_whole() -> None:
    # Large cells, whose edges are bent in the sinusoidal CRS, tile the plane.
    crs = CRS.from_user_input("+proj=sinu +R=6371007.181 +units=m +no_defs")
    source = Grid(crs, Affine(5e4, 0, 8.2e6, 0, -5e4, 4.0e6), (20, 24))
    rng = np.random.default_rng(5)
    values = rng.normal(10, 1, size=source.shape)
    target = Grid.from_bounds((70, 10, 130, 50), 2.5, "EPSG:4326")
    raster = source.raster(values)
    coverage = aligned_coverage(raster, target).to_numpy()
    means = align(raster, target, method="area_average").to_numpy()
    # Areas of the target cells on the plane, which keeps the areas of the sphere.
    band = np.sin(np.radians(target.y + 1.25)) - np.sin(np.radians(target.y - 1.25))
    area = 6371007.181**2 * np.radians(2.5) * band[:, None]
    covered = coverage * area
    assert covered.sum() == pytest.approx(5e4**2 * values.size, rel=1e-5)
    total = np.nansum(covered * means)
    assert total == pytest.approx(5e4**2 * values.sum(), rel=1e-4)
    assert (coverage > 0.999).any()
    assert coverage.max() <= 1


@pytest.mark.parametrize("method", ["average", "area_average"])
def test_a_gappy_date_takes_no_cell_from_another(
    ndvi: xr.DataArray, target: Grid, method: str
) -> None:
    full = ndvi.fillna(0.0)
    stack = xr.concat([ndvi, full], dim="time")
    found = align(stack, target, method=method)
    np.testing.assert_array_equal(found[0], align(ndvi, target, method=method))
    np.testing.assert_array_equal(found[1], align(full, target, method=method))


def test_a_cell_torn_by_the_antimeridian_is_missing_and_its_neighbours_are_not() -> (
    None
):
    world = Grid.from_bounds((-180, -60, 180, 60), 2, "EPSG:4326")
    raster = world.raster(np.full(world.shape, 3.5))
    # Mercator around 150 E: the cells of the sixth column lie across 180 E.
    crs = CRS.from_epsg(3832)
    side = 0.98e6
    pacific = Grid(crs, Affine(side, 0, -2e6, 0, -side, 2e6), (4, 9))
    found = align(raster, pacific, method="area_average").to_numpy()
    torn = np.zeros(found.shape, dtype=bool)
    torn[:, 5] = True
    np.testing.assert_array_equal(np.isnan(found), torn)
    np.testing.assert_allclose(found[~torn], 3.5, rtol=1e-12)
    covered = aligned_coverage(raster, pacific).to_numpy()
    np.testing.assert_allclose(covered[~torn], 1, rtol=1e-9)
