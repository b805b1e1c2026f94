"""Polygon layers, class tables and end-member tables."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, Polygon, box

from geosoil.errors import (
    FileFormatError,
    MissingCRSError,
    MissingFileError,
    SampleTableError,
)
from geosoil.io.layers import read_class_table, read_end_members, read_polygons

BOW_TIE = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])


@pytest.mark.parametrize("name", ["r.geojson", "r.gpkg", "r.shp"])
def test_polygons_come_back_with_crs_and_attributes(tmp_path, name):
    shapes = [box(90, 32, 91, 33), box(92, 33, 93, 34)]
    layer = gpd.GeoDataFrame({"name": ["a", "b"]}, geometry=shapes, crs="EPSG:4326")
    layer.to_file(tmp_path / name)
    read = read_polygons(tmp_path / name)
    assert read.crs == "EPSG:4326"
    assert read["name"].tolist() == ["a", "b"]
    assert all(a.equals(b) for a, b in zip(read.geometry, shapes, strict=True))


def test_a_shapefile_without_prj_is_refused(tmp_path):
    layer = gpd.GeoDataFrame({"a": [1]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:4326")
    layer.to_file(tmp_path / "r.shp")
    (tmp_path / "r.prj").unlink()
    with pytest.raises(MissingCRSError, match=r"r\.shp.*\.prj"):
        read_polygons(tmp_path / "r.shp")


def test_bad_geometries_are_named_together(tmp_path):
    shapes = [box(0, 0, 1, 1), BOW_TIE, Point(0, 0), None]
    layer = gpd.GeoDataFrame({"a": range(4)}, geometry=shapes, crs="EPSG:4326")
    layer.to_file(tmp_path / "r.gpkg")
    with pytest.raises(FileFormatError, match=r"row 4\).*Point\) \(row 3\).*row 2\)"):
        read_polygons(tmp_path / "r.gpkg")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("r.geojson", b"", "empty"),
        ("r.gpkg", b"<html></html>", "HTML"),
        ("r.gpkg", b"nonsense", "cannot be read"),
        ("r.kml", b"nonsense", "Give GeoJSON"),
    ],
)
def test_files_that_are_no_layers_are_refused(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        read_polygons(tmp_path / name)


def test_a_real_layer_without_crs_is_refused(shared):
    path = next((shared / "data" / "boundary" / "hyd1_4l").glob("*.shp"))
    with pytest.raises((MissingCRSError, FileFormatError)):
        read_polygons(path)


def test_the_real_basins_are_read(shared):
    basins = read_polygons(shared / "data" / "boundary" / "trhr_basins.geojson")
    assert len(basins) == 4


def test_class_table_keeps_codes_and_labels(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("code;label;colour\n3;forest;#006400\n1;meadow;#00ff00\n")
    assert read_class_table(path) == {3: "forest", 1: "meadow"}


def test_faults_of_a_class_table_stand_in_one_message(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("code,label\n1,a\n1,b\n2.5,c\n,d\n4,\n")
    with pytest.raises(SampleTableError) as caught:
        read_class_table(path)
    for part in (
        "rows 2 and 3",
        "not whole (row 4)",
        "row 5 ('d') has no values",
        "empty (row 6",
    ):
        assert part in str(caught.value)


def test_a_simple_end_member_table_works(tmp_path):
    path = tmp_path / "em.csv"
    path.write_text("source,d18O,d2H\nrain,-17.6,-127\nground ice,-12.3,-92\n")
    read = read_end_members(path)
    assert read["source"].tolist() == ["precipitation", "ground_ice"]
    assert read["d18O"].tolist() == [-17.6, -12.3]
    assert [i["found"] for i in read.attrs["issues"] if i["severity"] == "change"] == [
        "rain",
        "ground ice",
    ]


def test_a_full_end_member_table_keeps_its_columns(tmp_path):
    path = tmp_path / "em.csv"
    path.write_text(
        "period,by,stratum,source,state,d18O,d2H,d18O_sd,d2H_sd,d18O_d2H_cov,n\n"
        "June,all,all,precipitation,fallen,-17,-122,1.0,8.0,7.5,30\n"
        "June,all,all,precipitation,evaporated,-12,-97,1.0,8.0,7.5,30\n"
    )
    read = read_end_members(path)
    assert read["state"].tolist() == ["fallen", "evaporated"]
    np.testing.assert_array_equal(read["d18O_d2H_cov"], [7.5, 7.5])


def test_faults_of_an_end_member_table_stand_in_one_message(tmp_path):
    path = tmp_path / "em.csv"
    path.write_text(
        "source,d18O,d2H,d18O_sd,d2H_sd,d18O_d2H_cov\n"
        "rain,-17,-122,1,8,9\nrain,-17,-122,1,8,7\nice,,-90,-1,8,0\n,-200,-90,1,8,0\n"
    )
    with pytest.raises(SampleTableError) as caught:
        read_end_members(path)
    message = str(caught.value)
    for part in (
        "larger than d18O_sd times d2H_sd (rows 2 and 4)",
        "source stands more than once (rows 2 and 3)",
        "d18O is missing (row 4)",
        "source is missing (row 5)",
        "d18O_sd is outside 0 to 50 (row 4)",
        "d18O is outside -100 to 50 (row 5)",
    ):
        assert part in message


def test_a_missing_end_member_column_names_those_found(tmp_path):
    path = tmp_path / "em.csv"
    path.write_text("source,d18O\nrain,-17\n")
    with pytest.raises(SampleTableError, match=r"d2H not found.*source, d18O"):
        read_end_members(path)


def test_an_absent_table_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        read_end_members(tmp_path / "no.csv")
