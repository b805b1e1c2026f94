"""Masks, class rasters and true areas against shapely and geodesics."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely.geometry import Point, box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.zones import cell_area, polygon_mask, rasterize_classes
from geosoil.simulate.inputs import read_basins

GRID = Grid.from_bounds((0, 0, 12, 9), 0.5, "EPSG:4326")


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.7, 11.3), st.floats(0.7, 8.3), st.floats(0.4, 5.0), st.integers(3, 9)
)
def test_a_cell_is_inside_when_its_centre_is(x, y, radius, corners):
    angle = np.linspace(0, 2 * np.pi, corners, endpoint=False) + 0.1234
    ring = np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)])
    polygon = shapely.Polygon(ring)
    frame = gpd.GeoDataFrame(geometry=[polygon], crs="EPSG:4326")
    centres = shapely.points(*np.meshgrid(GRID.x, GRID.y))
    expected = shapely.contains(polygon, centres)
    # a centre on the outline may fall on either side
    clear = shapely.distance(polygon.boundary, centres) > 1e-9
    mask = polygon_mask(frame, GRID).values
    assert np.array_equal(mask[clear], expected[clear])


def test_polygons_are_brought_to_the_crs_of_the_grid():
    circle = gpd.GeoDataFrame(geometry=[Point(6, 4).buffer(2)], crs="EPSG:4326")
    far = circle.to_crs("EPSG:3857")
    assert np.array_equal(
        polygon_mask(far, GRID).values, polygon_mask(circle, GRID).values
    )


def test_polygons_beyond_the_grid_mark_nothing():
    away = gpd.GeoDataFrame(geometry=[box(50, 50, 51, 51)], crs="EPSG:4326")
    assert not polygon_mask(away, GRID).values.any()


def test_missing_crs_and_no_polygons_are_refused():
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        polygon_mask(gpd.GeoDataFrame(geometry=[box(0, 0, 1, 1)]), GRID)
    with pytest.raises(InputError, match="no polygons"):
        polygon_mask(gpd.GeoDataFrame(geometry=[], crs="EPSG:4326"), GRID)


def test_later_polygons_win_where_classes_overlap():
    frame = gpd.GeoDataFrame(
        {"code": [2, 9]}, geometry=[box(0, 0, 8, 9), box(4, 0, 12, 9)], crs="EPSG:4326"
    )
    classes = rasterize_classes(frame, "code", GRID)
    assert classes.dtype == np.uint8
    assert set(np.unique(classes[:, :8])) == {2}
    assert set(np.unique(classes[:, 8:])) == {9}


@pytest.mark.parametrize("code", [0, 256, -1, 1.5, None])
def test_codes_that_fit_no_class_are_refused(code):
    frame = gpd.GeoDataFrame(
        {"code": [1, code]}, geometry=[box(0, 0, 1, 1)] * 2, crs=4326
    )
    with pytest.raises(InputError, match=r"1 codes that are no whole numbers"):
        rasterize_classes(frame, "code", GRID)


def test_an_absent_column_is_named_with_those_present():
    frame = gpd.GeoDataFrame({"kind": [1]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    with pytest.raises(InputError, match=r"no column 'code'.*kind, geometry"):
        rasterize_classes(frame, "code", GRID)


@pytest.mark.parametrize("south", [-90.0, -0.5, 34.0, 89.0])
def test_cell_area_is_the_geodesic_area(south):
    grid = Grid.from_bounds((95, south, 96, south + 1), 0.5, "EPSG:4326")
    geod = Geod(ellps="WGS84")
    for row in range(2):
        north = grid.bounds[3] - 0.5 * row
        # parallels are no geodesics: follow them in short steps
        x = np.linspace(95, 95.5, 400)
        ring = ([*x, *x[::-1]], [*np.full(400, north - 0.5), *np.full(400, north)])
        area = abs(geod.polygon_area_perimeter(*ring)[0]) * 1e-6
        assert float(cell_area(grid)[row, 0]) == pytest.approx(area, rel=2e-6)


def test_the_region_has_its_published_area():
    grid = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")
    inside = polygon_mask(read_basins(), grid)
    area = float(cell_area(grid).where(inside).sum())
    assert area == pytest.approx(357_292, rel=0.005)


def test_projected_cells_have_the_area_of_the_map():
    grid = Grid.from_bounds((0, 0, 1000, 1000), 250, "EPSG:32647")
    np.testing.assert_allclose(cell_area(grid).values, 0.0625, rtol=1e-12)
