"""Classes of cells: covered areas by brute force, overlaps, ties, centres."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, Polygon, box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.class_grid import classes_on_grid, values_by_class
from geosoil.grids.grid import Grid
from geosoil.grids.zones import rasterize_classes

GRID = Grid.from_bounds((0, 0, 10, 8), 1, "EPSG:32647")
EMPTY = -9999


def layer(codes, shapes, crs="EPSG:32647"):
    return gpd.GeoDataFrame({"code": codes}, geometry=list(shapes), crs=crs)


def cells(grid):
    """Boxes of all cells, row by row from the north."""
    x, y = np.meshgrid(grid.x, grid.y)
    w, h = np.array(grid.resolution) / 2
    return shapely.box(x - w, y - h, x + w, y + h)


def brute_shares(polygons, grid):
    """Share of each cell that each class covers, by cutting every cell."""
    boxes = cells(grid)
    area = np.prod(grid.resolution)
    return {
        int(code): shapely.area(
            shapely.intersection(boxes, shapely.union_all(part.geometry.to_numpy()))
        )
        / area
        for code, part in polygons.groupby("code")
    }


def voronoi(seed, count):
    """Polygons that tile the grid's bounds without an overlap."""
    rng = np.random.default_rng(seed)
    points = shapely.multipoints(rng.uniform((0, 0), (10, 8), (count, 2)))
    frame = box(*GRID.bounds)
    parts = shapely.get_parts(shapely.voronoi_polygons(points, extend_to=frame))
    return shapely.intersection(parts, frame), rng


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(3, 25))
def test_the_class_with_most_ground_wins_as_by_cutting_every_cell(seed, count):
    shapes, rng = voronoi(seed, count)
    polygons = layer(rng.integers(1, 5, len(shapes)), shapes)
    found = classes_on_grid(polygons, GRID)
    shares = brute_shares(polygons, GRID)
    stack = np.stack(list(shares.values()))
    np.testing.assert_allclose(found["share"], stack.max(axis=0), atol=1e-6)
    np.testing.assert_allclose(found["covered"], 1.0, atol=1e-6)
    ranked = np.sort(stack, axis=0)
    clear = np.ones(GRID.shape, bool)
    if len(stack) > 1:
        clear = ranked[-1] - ranked[-2] > 1e-5
    winner = np.array(list(shares))[stack.argmax(axis=0)]
    assert np.array_equal(found["code"].values[clear], winner[clear])


def test_parts_of_one_class_count_together():
    thirds = [box(0, 0, 0.3, 1), box(0.3, 0, 0.7, 1), box(0.7, 0, 1, 1)]
    grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:32647")
    found = classes_on_grid(layer([5, 2, 5], thirds), grid)
    assert found["code"].item() == 5
    assert found["share"].item() == pytest.approx(0.6, abs=1e-7)


def test_the_smaller_code_wins_a_tie():
    halves = [box(0, 0, 0.5, 1), box(0.5, 0, 1, 1)]
    grid = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:32647")
    for codes in ([7, 3], [3, 7]):
        assert classes_on_grid(layer(codes, halves), grid)["code"].item() == 3


def test_a_cell_that_is_hardly_covered_has_no_class():
    grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:32647")
    polygons = layer([4], [box(0, 0, 1.4, 1)])
    assert classes_on_grid(polygons, grid)["code"].values.tolist() == [[4, EMPTY]]
    generous = classes_on_grid(polygons, grid, min_covered=0.4)
    assert generous["code"].values.tolist() == [[4, 4]]
    assert generous["code"].attrs["nodata"] == EMPTY
    far = layer([4], [box(50, 50, 51, 51)])
    found = classes_on_grid(far, grid, min_covered=0.0)
    assert (found["code"].values == EMPTY).all()


OVERLAPPING = layer([1, 2, 3], [box(0, 0, 6, 8), box(4, 0, 8, 8), box(5, 0, 10, 8)])


@pytest.mark.parametrize(
    ("rule", "row"),
    [
        ("first", [1, 1, 1, 1, 1, 1, 2, 2, 3, 3]),
        ("last", [1, 1, 1, 1, 2, 3, 3, 3, 3, 3]),
    ],
)
@pytest.mark.parametrize("method", ["largest", "centre"])
def test_shared_ground_belongs_to_the_first_or_the_last(rule, row, method):
    found = classes_on_grid(OVERLAPPING, GRID, method=method, overlap=rule)
    assert found["code"].values.tolist() == [row] * 8
    assert found.attrs == {"overlaps": 3, "overlap_rule": rule, "method": method}


def test_overlaps_are_refused_by_name_unless_a_rule_is_given():
    named = OVERLAPPING.set_index(np.array(["a", "b", "c"]))
    words = r"3 pairs.*a \(class 1\) and b \(class 2\).*overlap='first'"
    with pytest.raises(InputError, match=words):
        classes_on_grid(named, GRID)


def test_shared_ground_of_one_class_and_slivers_are_no_overlap():
    same = layer([1, 1], [box(0, 0, 6, 8), box(4, 0, 10, 8)])
    found = classes_on_grid(same, GRID)
    assert found.attrs["overlaps"] == 0
    assert float(found["share"].max()) == pytest.approx(1.0)
    sliver = layer([1, 2], [box(0, 0, 5 + 1e-8, 8), box(5, 0, 10, 8)])
    assert classes_on_grid(sliver, GRID).attrs["overlaps"] == 0


def test_centres_give_the_classes_of_the_older_rule():
    shapes, rng = voronoi(11, 12)
    polygons = layer(rng.integers(1, 9, len(shapes)), shapes)
    ours = classes_on_grid(polygons, GRID, method="centre")["code"].values
    theirs = rasterize_classes(polygons, "code", GRID).values
    assert np.array_equal(np.where(ours == EMPTY, 0, ours), theirs)


def test_polygons_of_another_crs_are_brought_to_the_grid():
    grid = Grid.from_bounds((499_000, 3_800_000, 501_000, 3_802_000), 1000, 32647)
    west = gpd.GeoSeries([box(499_000, 3_800_000, 500_000, 3_802_000)], crs=32647)
    polygons = layer([9], west.to_crs(4326), "EPSG:4326")
    assert classes_on_grid(polygons, grid)["code"].values.tolist() == [[9, EMPTY]] * 2


def test_geometries_and_codes_that_cannot_be_are_named():
    bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(InputError, match=r"invalid.*polygon 1, 2, 3"):
        classes_on_grid(layer([1] * 4, [box(0, 0, 1, 1), bow, None, Point(0, 0)]), GRID)
    square = [box(0, 0, 1, 1)] * 3
    with pytest.raises(InputError, match=r"2 codes.*polygon 1, 2"):
        classes_on_grid(layer([1, 2.5, None], square), GRID)
    with pytest.raises(InputError, match=r"no column 'soil'.*code, geometry"):
        classes_on_grid(layer([1] * 3, square), GRID, column="soil")
    with pytest.raises(MissingCRSError):
        classes_on_grid(layer([1] * 3, square, None), GRID)
    with pytest.raises(InputError, match="no polygons"):
        classes_on_grid(layer([], []), GRID)


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ({"method": "mode"}, "largest, centre"),
        ({"overlap": "any"}, "error, first, last"),
        ({"min_covered": 1.5}, "0 to 1"),
    ],
)
def test_unknown_choices_are_refused(choice, words):
    with pytest.raises(InputError, match=words):
        classes_on_grid(layer([1], [box(0, 0, 1, 1)]), GRID, **choice)


def test_each_class_takes_its_number_and_missing_cells_none():
    codes = GRID.raster(np.full(GRID.shape, 3)).assign_attrs(nodata=7)
    codes[0, 0], codes[1, 1] = 7, 4
    numbers = values_by_class(codes, {3: 0.5, 4: 2.0, 5: 9.0}, name="factor")
    assert np.isnan(numbers[0, 0])
    assert float(numbers[1, 1]) == 2.0
    assert float(numbers[2, 2]) == 0.5
    assert Grid.of(numbers) == GRID
    assert np.isnan(values_by_class(xr.DataArray([np.nan]), {1: 1.0})).all()


def test_codes_without_a_number_are_all_named():
    codes = xr.DataArray([1, 2, 3, 15], attrs={"nodata": 15})
    with pytest.raises(InputError, match="codes 2, 3, which"):
        values_by_class(codes, {1: 0.5})
