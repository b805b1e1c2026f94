"""Exact coverage against shapely's own intersections and terra's fractions."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids import coverage as coverage_module
from geosoil.grids.coverage import Coverage, coverage, coverage_batches
from geosoil.grids.grid import Grid

GRID = Grid.from_bounds((0, 0, 12, 9), 0.5, "EPSG:4326")


def dense(found: Coverage, grid: Grid) -> np.ndarray:
    """Coverage as an array of polygons x rows x columns."""
    whole = np.zeros((found.matrix.shape[0], *grid.shape))
    whole[:, found.rows, found.columns] = found.matrix.toarray()
    return whole


def brute_force(shapes: list[shapely.Geometry], grid: Grid) -> np.ndarray:
    """Intersect every polygon with every cell."""
    x, y = np.meshgrid(grid.x, grid.y)
    width, height = (side / 2 for side in grid.resolution)
    cells = shapely.box(x - width, y - height, x + width, y + height)
    parts = [shapely.area(shapely.intersection(shape, cells)) for shape in shapes]
    return np.stack(parts) / (4 * width * height)


def star(x: float, y: float, radius: float, corners: int) -> shapely.Polygon:
    """A star, whose outline goes in and out."""
    angle = np.linspace(0, 2 * np.pi, 2 * corners, endpoint=False) + 0.1234
    reach = np.where(np.arange(2 * corners) % 2, 0.4 * radius, radius)
    return shapely.Polygon(
        np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])
    )


stars = st.builds(
    star, st.floats(-1, 13), st.floats(-1, 10), st.floats(0.05, 5), st.integers(3, 9)
)


@settings(max_examples=30)
@given(st.lists(stars, min_size=1, max_size=4))
def test_coverage_is_the_area_of_the_intersections(shapes) -> None:
    found = coverage(gpd.GeoSeries(shapes, crs="EPSG:4326"), GRID)
    expected = brute_force(shapes, GRID)
    np.testing.assert_allclose(dense(found, GRID), expected, rtol=0, atol=1e-7)
    areas = shapely.area(shapes) / 0.25
    within = expected.sum(axis=(1, 2)) / areas
    np.testing.assert_allclose(found.outside, 1 - within, rtol=0, atol=1e-6)


def test_holes_and_parts_count(tmp_path: Path) -> None:
    ring = box(1, 1, 7, 7).difference(box(2.2, 2.2, 4.7, 5.1))
    parts = shapely.MultiPolygon([box(0.1, 0.2, 0.3, 0.4), box(9.1, 3.2, 11, 8.8)])
    shapes = [ring, parts]
    found = coverage(gpd.GeoSeries(shapes, crs="EPSG:4326"), GRID)
    np.testing.assert_allclose(
        dense(found, GRID), brute_force(shapes, GRID), rtol=0, atol=1e-7
    )


def test_coverage_has_the_cells_and_the_mean_of_terra(golden: Path) -> None:
    folder = golden / "geo" / "raster_corr"
    with xr.open_dataset(folder / "input.nc") as dataset:
        raster = dataset["ndvi"].load().rename(lat="y", lon="x")
    grid = Grid.of(raster.rio.write_crs("EPSG:4326"))
    shape = shapely.from_wkt((folder / "polygon.wkt").read_text())
    found = coverage(gpd.GeoSeries([shape], crs="EPSG:4326"), grid)
    table = pd.read_csv(folder / "terra_extract_polygon_exact.csv")
    cells = found.rows * grid.shape[1] + found.columns + 1
    assert cells.tolist() == table["cell"].tolist()
    shares = found.matrix.toarray()[0]
    # terra divides areas on the ellipsoid, which widen to the south within a cell
    np.testing.assert_allclose(shares, table["fraction"], rtol=0, atol=2e-4)
    for layer in ("layer.1", "layer.2"):
        terra = np.average(table[layer], weights=table["fraction"])
        assert np.average(table[layer], weights=shares) == pytest.approx(
            terra, abs=5e-8
        )


def test_edges_that_coincide_with_cells_leave_no_slivers() -> None:
    study = Grid.from_bounds((89.40, 31.55, 102.30, 36.30), 0.05, "EPSG:4326")
    square = gpd.GeoSeries([box(89.45, 31.60, 89.60, 31.70)], crs="EPSG:4326")
    found = coverage(square, study)
    assert found.matrix.shape == (1, 6)
    np.testing.assert_allclose(found.matrix.data, 1.0, rtol=0, atol=1e-9)


def test_polygons_are_brought_to_the_crs_of_the_grid() -> None:
    here = gpd.GeoSeries([star(6, 4, 3, 5)], crs="EPSG:4326")
    there = here.to_crs("EPSG:3857")
    np.testing.assert_allclose(
        dense(coverage(there, GRID), GRID),
        dense(coverage(here, GRID), GRID),
        rtol=0,
        atol=1e-7,
    )


def test_empty_and_far_polygons_keep_their_row() -> None:
    shapes = [box(50, 50, 51, 51), None, shapely.Polygon(), box(11.75, 0, 12.25, 1)]
    found = coverage(gpd.GeoSeries(shapes, crs="EPSG:4326"), GRID)
    assert found.matrix.sum(axis=1).tolist() == [0.0, 0.0, 0.0, 1.0]
    np.testing.assert_array_equal(found.outside, [1.0, np.nan, np.nan, 0.5])
    nothing = coverage(gpd.GeoSeries([None], crs="EPSG:4326"), GRID)
    assert nothing.matrix.shape == (1, 0)


def test_batches_hold_the_same_coverage(monkeypatch: pytest.MonkeyPatch) -> None:
    shapes = [star(x, 4, 2.5, 5) for x in np.linspace(0, 12, 9)] + [box(50, 50, 51, 51)]
    frame = gpd.GeoSeries(shapes, crs="EPSG:4326")
    whole = dense(coverage(frame, GRID), GRID)
    monkeypatch.setattr(coverage_module, "BATCH", 250)
    batches = list(coverage_batches(frame, GRID))
    assert len(batches) > 3
    assert [part.start for part, _ in batches[1:]] == [p.stop for p, _ in batches[:-1]]
    found = np.concatenate([dense(part, GRID) for _, part in batches])
    np.testing.assert_array_equal(found, whole)


def test_polygons_that_cannot_be_used_are_all_named() -> None:
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    shapes = [box(0, 0, 1, 1), bow, shapely.Point(0, 0), bow]
    with pytest.raises(
        InputError, match=r"1 are no polygons \(rows 3\); 2 cross them.* \(rows 2, 4\)"
    ):
        coverage(gpd.GeoSeries(shapes, crs="EPSG:4326"), GRID)
    with pytest.raises(MissingCRSError, match="polygons have no coordinate"):
        coverage(gpd.GeoSeries([box(0, 0, 1, 1)]), GRID)
    with pytest.raises(InputError, match="There are no polygons"):
        coverage(gpd.GeoSeries([], crs="EPSG:4326"), GRID)
    pole = gpd.GeoSeries([box(0, 80, 1, 95)], crs="EPSG:4326")
    mercator = Grid.from_bounds((0, 0, 1000, 1000), 100, "EPSG:3857")
    with pytest.raises(InputError, match="1 have no place in WGS 84 / Pseudo"):
        coverage(pole, mercator)
