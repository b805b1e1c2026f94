"""Tables and layers of points: places, numbers as written, faults all at once."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest

from geosoil.errors import FileFormatError, InputError, MissingCRSError
from geosoil.io.point_table import PointColumns, read_point_table

TEXT = "name;lon;lat;Zn [ppm];period\na;92,5;34,1;113,5;June\nb;92,75;34,2;;August\n"


@pytest.fixture
def table(tmp_path):
    file = tmp_path / "sites.csv"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_a_table_with_semicolons_and_decimal_commas_is_read(table):
    points, remarks = read_point_table(
        table, PointColumns(("Zn [ppm]",), ("period", "name"))
    )
    assert points.geometry.x.tolist() == [92.5, 92.75]
    assert points["Zn [ppm]"].iloc[0] == 113.5
    assert np.isnan(points["Zn [ppm]"].iloc[1])
    assert points["period"].tolist() == ["June", "August"]
    assert points["name"].tolist() == ["a", "b"]
    assert points.index.tolist() == [2, 3]
    assert points.crs.to_epsg() == 4326
    told = "Zn [ppm]: decimal comma: '113,5' read as 113.5 (row 2)"
    assert told in remarks
    assert len(remarks) == 3


def test_marks_are_read_where_the_file_has_them(table, tmp_path):
    bare, _ = read_point_table(table, PointColumns(("Zn [ppm]",), marks=("simulated",)))
    assert "simulated" not in bare
    file = tmp_path / "marked.csv"
    file.write_text("lon,lat,zinc,simulated\n92,34,1,True\n93,34,2,\n")
    points, _ = read_point_table(file, PointColumns(("zinc",), marks=("simulated",)))
    assert points["simulated"].iloc[0] == "True"
    points.to_file(tmp_path / "marked.gpkg")
    layer, _ = read_point_table(
        tmp_path / "marked.gpkg", PointColumns(("zinc",), marks=("simulated",))
    )
    assert layer["simulated"].iloc[0] == "True"


def test_x_and_y_stay_in_the_system_that_is_stated(tmp_path):
    file = tmp_path / "meuse.csv"
    file.write_text("x,y,zinc\n181072,333611,1022\n181025,333558,1141\n")
    points, _ = read_point_table(file, PointColumns(("zinc",), crs="EPSG:28992"))
    assert points.geometry.x.tolist() == [181072.0, 181025.0]
    assert points.crs.to_epsg() == 28992


def test_all_faults_of_a_table_are_told_at_once_with_the_nearest_name(tmp_path):
    file = tmp_path / "meuse.csv"
    file.write_text("x,y,zinc,soil\n1,2,1022,loam\n3,4,5,clay\n")
    with pytest.raises(InputError) as caught:
        read_point_table(file, PointColumns(("zink", "soil")))
    words = str(caught.value)
    assert "3 faults" in words
    assert "Nearest: zinc" in words
    assert "'loam' (row 2)" in words
    assert "--crs EPSG" in words


def test_numbers_with_a_unit_in_the_cell_are_refused(tmp_path):
    file = tmp_path / "depths.csv"
    file.write_text("lon,lat,depth_of_ice\n92,34,1.2 m\n93,34,40 cm\n")
    with pytest.raises(InputError, match=r"numbers with a unit \(rows 2 and 3\)"):
        read_point_table(file, PointColumns(("depth_of_ice",)))


def test_a_unit_in_the_header_changes_no_number(tmp_path):
    file = tmp_path / "depths.csv"
    file.write_text("lon,lat,ice [km]\n92,34,1.2\n93,34,40\n")
    points, _ = read_point_table(file, PointColumns(("ice [km]",)))
    assert points["ice [km]"].tolist() == [1.2, 40.0]


def test_places_off_the_earth_are_named(tmp_path):
    file = tmp_path / "sites.csv"
    file.write_text("x,y,v\n1e7,1e8,3\n181025,333558,4\n")
    with pytest.raises(InputError, match=r"has no place for \(row 2\)"):
        read_point_table(file, PointColumns(("v",), crs="EPSG:32647"))


def test_a_table_without_coordinates_says_so(tmp_path):
    file = tmp_path / "sites.csv"
    file.write_text("name,v\na,3\nb,4\n")
    with pytest.raises(InputError, match="no columns of coordinates"):
        read_point_table(file, PointColumns(("v",)))


def test_layers_of_points_keep_their_system(tmp_path):
    layer = gpd.GeoDataFrame(
        {"zinc": [3, 4], "period": ["June", None]},
        geometry=gpd.points_from_xy([5e5, 6e5], [4e6, 4e6]),
        crs=32647,
    )
    for name in ("sites.gpkg", "sites.geojson", "sites.shp"):
        layer.to_file(tmp_path / name)
        points, _ = read_point_table(
            tmp_path / name, PointColumns(("zinc",), ("period",))
        )
        assert points["zinc"].tolist() == [3.0, 4.0]
        assert points["period"].iloc[0] == "June"
        assert points.index.tolist() == [1, 2]
        assert points.crs.to_epsg() == 32647


def test_a_layer_without_system_or_of_text_is_refused(tmp_path):
    layer = gpd.GeoDataFrame(
        {"zinc": ["3", "many"]}, geometry=gpd.points_from_xy([92, 93], [34, 34])
    )
    layer.set_crs(4326).to_file(tmp_path / "bare.shp")
    (tmp_path / "bare.prj").unlink()
    with pytest.raises(MissingCRSError, match="does not state"):
        read_point_table(tmp_path / "bare.shp", PointColumns(("zinc",)))
    with pytest.raises(InputError, match=r"no numbers \(row 2\), the first is 'many'"):
        read_point_table(
            tmp_path / "bare.shp", PointColumns(("zinc",), crs="EPSG:4326")
        )


def test_of_several_layers_one_has_to_be_named(tmp_path):
    layer = gpd.GeoDataFrame(
        {"v": [3.0]}, geometry=gpd.points_from_xy([92], [34]), crs=4326
    )
    layer.to_file(tmp_path / "two.gpkg", layer="june")
    layer.assign(v=5.0).to_file(tmp_path / "two.gpkg", layer="august")
    with pytest.raises(FileFormatError, match="2 layers"):
        read_point_table(tmp_path / "two.gpkg", PointColumns(("v",)))
    columns = PointColumns(("v",), layer="august")
    points, _ = read_point_table(tmp_path / "two.gpkg", columns)
    assert points["v"].tolist() == [5.0]


def test_places_outside_the_area_of_their_system_are_remarked(tmp_path):
    file = tmp_path / "swapped.csv"
    file.write_text("x,y,v\n333611,181072,3\n333558,181025,4\n")
    _, remarks = read_point_table(file, PointColumns(("v",), crs="EPSG:28992"))
    assert any("x before y" in words for words in remarks)
