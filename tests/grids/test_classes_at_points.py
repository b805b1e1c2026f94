"""Classes at points: polygons, their borders and overlaps, and rasters of codes."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from shapely.geometry import box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.classes_at_points import class_raster_at_points, classes_at_points
from geosoil.grids.grid import Grid

STUDY = Grid.from_bounds((89.40, 31.55, 102.30, 36.30), 0.05, "EPSG:4326")


def points(x: object, y: object, crs: object = "EPSG:4326") -> gpd.GeoSeries:
    return gpd.GeoSeries.from_xy(x, y, crs=crs)


def test_points_fall_in_the_polygons_that_hold_them() -> None:
    rng = np.random.default_rng(0)
    seeds = shapely.MultiPoint(rng.uniform(0, 10, (40, 2)))
    tiles = list(shapely.get_parts(shapely.voronoi_polygons(seeds)))
    soils = gpd.GeoDataFrame(
        {"soil": [f"s{k}" for k in range(40)]}, geometry=tiles, crs="EPSG:4326"
    )
    x, y = rng.uniform(0, 10, (2, 500))
    table = classes_at_points(soils, "soil", points(x, y))
    for k in range(500):
        inside = shapely.contains_xy(tiles, x[k], y[k])
        assert table["soil"][k] == f"s{np.flatnonzero(inside)[0]}"
    assert (table["reason"] == "").all()
    assert (table["n_polygons"] == 1).all()


def test_cells_as_polygons_give_the_cell_rule_on_edges_and_corners() -> None:
    crop = Grid.from_bounds((89.40, 31.55, 89.90, 31.95), 0.05, "EPSG:4326")
    west, south = np.meshgrid(np.arange(10), np.arange(8))
    cells = [
        box(
            8940 / 100 + i / 20,
            31.55 + j / 20,
            89.40 + (i + 1) / 20,
            31.55 + (j + 1) / 20,
        )
        for i, j in zip(west.ravel(), south.ravel(), strict=True)
    ]
    frame = gpd.GeoDataFrame(
        {"cell": (7 - south.ravel()) * 10 + west.ravel()}, geometry=cells, crs=4326
    )
    x, y = np.meshgrid(np.arange(8940, 8990) / 100, np.arange(3156, 3196) / 100)
    table = classes_at_points(frame, "cell", points(x.ravel(), y.ravel()))
    rows, columns, on_edge = crop.cells(x.ravel(), y.ravel())
    np.testing.assert_array_equal(table["cell"], rows * 10 + columns)
    np.testing.assert_array_equal(table["on_edge"], on_edge)
    assert (table["n_polygons"] == 1).all()


@settings(max_examples=20)
@given(st.floats(0.01, 89.0), st.floats(0, 1))
def test_a_point_on_a_slanted_border_has_one_owner(angle: float, along: float) -> None:
    turn = np.radians(angle)
    away = np.array([np.cos(turn), np.sin(turn)]) * 3
    left = shapely.Polygon([(0, 0), away, (away[0] - 5, away[1] + 5), (-5, 5)])
    right = shapely.Polygon([(0, 0), away, (away[0] + 5, away[1] - 5), (5, -5)])
    pair = gpd.GeoDataFrame(
        {"side": ["left", "right"]}, geometry=[left, right], crs=4326
    )
    x, y = away * (0.05 + 0.9 * along)
    table = classes_at_points(pair, "side", points([x], [y]))
    assert table["side"].tolist() == ["right"]
    assert table["on_edge"].tolist() == [True]


def test_an_outer_border_belongs_to_the_polygon_that_it_bounds() -> None:
    square = gpd.GeoDataFrame({"k": [4]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:4326")
    table = classes_at_points(square, "k", points([1, 0.5, 1, 1.001], [0.5, 0, 0, 0.5]))
    np.testing.assert_array_equal(table["k"], [4, 4, 4, np.nan])
    assert table["on_edge"].tolist() == [True, True, True, False]


def test_overlaps_of_several_classes_are_no_answer() -> None:
    frame = gpd.GeoDataFrame(
        {"kind": ["wet", "dry", "dry", None]},
        geometry=[box(0, 0, 2, 2), box(1, 0, 3, 2), box(2, 0, 4, 2), box(5, 0, 6, 2)],
        crs="EPSG:4326",
    )
    places = points([0.5, 1.5, 2.5, 5.5, 9.0], [1.0] * 5).set_axis(list("abcde"))
    table = classes_at_points(frame, "kind", places)
    assert table["reason"].tolist() == [
        "",
        "overlap: dry, wet",
        "",
        "no class",
        "outside",
    ]
    assert table["kind"].isna().tolist() == [False, True, False, True, True]
    assert table["kind"].dropna().tolist() == ["wet", "dry"]
    assert table["n_polygons"].tolist() == [1, 2, 2, 1, 0]
    assert table.index.tolist() == list("abcde")


def test_points_without_position_and_other_crs() -> None:
    frame = gpd.GeoDataFrame({"k": ["a"]}, geometry=[box(95, 33, 96, 34)], crs=4326)
    places = gpd.GeoSeries(
        [shapely.Point(95.5, 33.5), shapely.Point(), None], crs="EPSG:4326"
    )
    table = classes_at_points(frame, "k", places)
    assert table["reason"].tolist() == ["", "no position", "no position"]
    moved = classes_at_points(frame, "k", places.iloc[:1].to_crs("EPSG:32647"))
    assert moved["k"].tolist() == ["a"]


def test_metric_polygons_have_the_same_rule() -> None:
    frame = gpd.GeoDataFrame(
        {"k": ["west", "east"]},
        geometry=[box(5e5, 3.7e6, 5.1e5, 3.8e6), box(5.1e5, 3.7e6, 5.2e5, 3.8e6)],
        crs="EPSG:32647",
    )
    site = points([5.1e5], [3.75e6], crs="EPSG:32647")
    assert classes_at_points(frame, "k", site)["k"].tolist() == ["east"]


def test_layers_that_cannot_be_asked_are_refused() -> None:
    frame = gpd.GeoDataFrame({"k": ["a"]}, geometry=[box(95, 33, 96, 34)], crs=4326)
    site = points([95.5], [33.5])
    with pytest.raises(InputError, match=r"no column 'soil'. Columns present: k\."):
        classes_at_points(frame, "soil", site)
    with pytest.raises(InputError, match="no column 'geometry'"):
        classes_at_points(frame, "geometry", site)
    with pytest.raises(MissingCRSError, match="polygons have no coordinate"):
        classes_at_points(frame.set_crs(None, allow_override=True), "k", site)
    with pytest.raises(MissingCRSError, match="points have no coordinate"):
        classes_at_points(frame, "k", points([95.5], [33.5], crs=None))
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    crossed = gpd.GeoDataFrame({"k": ["a"]}, geometry=[bow], crs=4326)
    with pytest.raises(InputError, match=r"1 cross themselves.*rows 1"):
        classes_at_points(crossed, "k", site)


def test_the_mode_is_that_of_scipy_where_nothing_ties() -> None:
    rng = np.random.default_rng(2)
    codes = STUDY.raster(rng.choice([1, 2, 5], STUDY.shape, p=[0.6, 0.3, 0.1]))
    x, y = rng.uniform(89.6, 102.1, 200), rng.uniform(31.75, 36.1, 200)
    table = class_raster_at_points(codes, points(x, y), method="mode", footprint=5)
    rows, columns, _ = STUDY.cells(x, y)
    for k, (i, j) in enumerate(zip(rows, columns, strict=True)):
        around = codes.to_numpy()[i - 2 : i + 3, j - 2 : j + 3]
        mode, count = stats.mode(around, axis=None)
        if table["reason"][k] == "":
            assert table["class"][k] == mode
        assert table["agreement"][k] == pytest.approx(count / 25)


def test_ties_go_to_the_middle_and_gaps_are_left_out() -> None:
    grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:4326")
    codes = grid.raster(np.array([[2, 1, 0]], dtype=np.uint8), name="k")
    codes = codes.assign_attrs(nodata=0)
    places = points([0.5, 1.5, 2.5, 9.0], [0.5] * 4)
    table = class_raster_at_points(codes, places, method="mode")
    np.testing.assert_array_equal(table["k"], [2, 1, 1, np.nan])
    assert table["reason"].tolist() == ["tie", "tie", "", "outside"]
    np.testing.assert_array_equal(table["agreement"], [0.5, 0.5, 1.0, np.nan])
    near = class_raster_at_points(codes, places)
    np.testing.assert_array_equal(near["k"], [2, 1, np.nan, np.nan])
    assert near["reason"].tolist() == ["", "", "no data", "outside"]


def test_codes_get_their_labels_or_are_refused() -> None:
    grid = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:4326")
    codes = grid.raster([[1.0, 2.0, np.nan]], name="kind")
    places = points([0.5, 1.5, 2.5], [0.5] * 3).set_axis(list("abc"))
    table = class_raster_at_points(codes, places, labels={1: "wet", 2: "dry"})
    expected = pd.Series(["wet", "dry", None], name="kind")
    assert table["kind"].isna().tolist() == expected.isna().tolist()
    assert table["kind"].tolist()[:2] == ["wet", "dry"]
    with pytest.raises(
        InputError, match=r"not in the table: 2\. Codes in the table: 1"
    ):
        class_raster_at_points(codes, places, labels={1: "wet"})
    with pytest.raises(InputError, match=r"quantities \(for instance 0\.5\)"):
        class_raster_at_points(grid.raster([[0.5] * 3]), places)
    with pytest.raises(InputError, match="Unknown method 'bilinear'"):
        class_raster_at_points(codes, places, method="bilinear")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Invalid footprint 2"):
        class_raster_at_points(codes, places, method="mode", footprint=2)
    with pytest.raises(InputError, match=r"Give \(y, x\)"):
        class_raster_at_points(codes.expand_dims("time"), places)
