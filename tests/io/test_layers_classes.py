"""Class tables, and polygons and rasters joined with them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely import box

from geosoil.errors import FileFormatError, InputError, SampleTableError
from geosoil.io.class_layers import read_class_polygons, read_class_raster
from geosoil.io.class_tables import ClassTable, LayerClass, read_classes
from geosoil.io.layers import read_class_table

SOIL = ClassTable(
    (
        LayerClass(1, "meadow", "grass", "#00ff00"),
        LayerClass(2, "steppe", "grass"),
        LayerClass(7, "rock"),
    )
)


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


def test_a_csv_and_a_toml_table_say_the_same(tmp_path):
    csv, toml = tmp_path / "c.csv", tmp_path / "c.toml"
    csv.write_text("code,label,group,colour\n1,meadow,grass,#00FF00\n7,rock,,\n")
    toml.write_text(
        '[[class]]\ncode = 1\nlabel = "meadow"\ngroup = "grass"\ncolour = "#00FF00"\n'
        '[[class]]\ncode = 7\nlabel = "rock"\n'
    )
    table = read_classes(csv)
    assert table == read_classes(toml)
    assert table.labels == {1: "meadow", 7: "rock"}
    assert table.groups == {1: "grass"}
    assert table.colours == {1: "#00ff00"}
    assert read_class_table(toml) == table.labels


def test_a_table_in_chinese_is_read(tmp_path):
    path = tmp_path / "c.csv"
    path.write_bytes("代码,名称,颜色\n1,高山草甸土,#8fb573\n".encode("gbk"))
    assert read_classes(path)[1] == LayerClass(1, "高山草甸土", None, "#8fb573")


@pytest.mark.parametrize("colour", ["red", "#12345", "#1234567", "8fb573", "#gg0000"])
def test_colours_that_are_none_are_named(tmp_path, colour):
    path = tmp_path / "c.csv"
    path.write_text(f"code,label,colour\n1,a,#ffffff\n2,b,{colour}\n")
    with pytest.raises(SampleTableError, match=r"six hexadecimal digits.*\(row 3\)"):
        read_classes(path)
    with pytest.raises(InputError, match="six hexadecimal digits"):
        LayerClass(2, "b", colour=colour)


def test_faults_of_a_toml_table_stand_in_one_message(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(
        '[[class]]\ncode = true\nlabel = "a"\n'
        '[[class]]\ncode = 2\nlabel = " "\ncolor = "#ffffff"\n'
        '[[class]]\ncode = 2\ncolour = "red"\n'
    )
    with pytest.raises(SampleTableError) as caught:
        read_classes(path)
    for part in (
        "class 1: code must be a whole number, found True",
        "class 2: unknown key color (known: code, label, group, colour)",
        "class 2: label must be a text that is not empty",
        "class 3: label is missing",
        "class 3: colour 'red' is not",
        "codes [2] stand more than once",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code = ", "no valid TOML"),
        ("", "found none"),
        ("class = 3", "found none"),
        ('[[classes]]\ncode = 1\nlabel = "a"', "found classes"),
        ("class = [3]", "no table of keys"),
    ],
)
def test_toml_that_is_no_class_table_is_refused(tmp_path, text, words):
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(SampleTableError, match=words):
        read_classes(path)


def test_a_table_answers_only_for_its_codes():
    assert SOIL[7].label == "rock"
    with pytest.raises(InputError, match=r"Code 3 is not.*1 \(meadow\)"):
        SOIL[3]
    with pytest.raises(InputError, match=r"codes \[1\] more than once"):
        ClassTable((LayerClass(1, "a"), LayerClass(1, "b")))
    with pytest.raises(InputError, match="no classes"):
        ClassTable(())
    with pytest.raises(InputError, match="Class 1 has no label"):
        LayerClass(1, " ")


def polygons(path, column, values):
    shapes = [box(i, 0, i + 1, 1) for i in range(len(values))]
    frame = gpd.GeoDataFrame({column: values}, geometry=shapes, crs="EPSG:4326")
    frame.to_file(path)
    return path


@pytest.mark.parametrize("name", ["s.gpkg", "s.shp", "s.geojson"])
@pytest.mark.parametrize(
    "values",
    [[1, 7, 1], [1.0, 7.0, 1.0], ["1", "7", "1"], ["meadow", "rock ", "meadow"]],
)
def test_polygons_get_class_group_and_colour_by_code_or_label(tmp_path, name, values):
    path = polygons(tmp_path / name, "soil", values)
    read = read_class_polygons(path, "soil", classes=SOIL)
    assert read.polygons["code"].tolist() == [1, 7, 1]
    assert read.polygons["label"].tolist() == ["meadow", "rock", "meadow"]
    assert read.polygons["group"].tolist() == ["grass", None, "grass"]
    assert read.polygons["colour"].tolist() == ["#00ff00", None, "#00ff00"]
    assert read.polygons.crs == "EPSG:4326"
    assert read.classes is SOIL


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1, 3, 9, 3], r"class codes \[3, 9\].*1 \(meadow\), 2 \(steppe\)"),
        (["rock", "moss", "lichen"], r"not name: 'lichen', 'moss'"),
        ([1.0, 2.5, 3.5], r"2 codes.*2\.5, 3\.5"),
        ([1.0, None, 2.0, None], r"2 polygons without a class.*rows 2 and 4"),
        (["rock", None], r"1 polygons without a class.*row 2"),
    ],
)
def test_classes_not_in_the_table_are_all_named(tmp_path, values, words):
    path = polygons(tmp_path / "s.gpkg", "soil", values)
    with pytest.raises(InputError, match=words):
        read_class_polygons(path, "soil", classes=SOIL)


def test_labels_shared_by_two_codes_cannot_name_a_class(tmp_path):
    twice = ClassTable((LayerClass(1, "rock"), LayerClass(2, "rock")))
    path = polygons(tmp_path / "s.gpkg", "soil", ["rock"])
    with pytest.raises(InputError, match="several codes have one label"):
        read_class_polygons(path, "soil", classes=twice)


def test_an_absent_column_is_refused_with_those_present(tmp_path):
    path = polygons(tmp_path / "s.gpkg", "soil", [1])
    with pytest.raises(InputError, match=r"no column 'code'.*present: soil\."):
        read_class_polygons(path, "code")


def test_without_a_table_codes_are_their_labels_and_texts_are_numbered(tmp_path):
    codes = read_class_polygons(polygons(tmp_path / "a.gpkg", "c", [4, 2]), "c")
    assert codes.classes.labels == {2: "2", 4: "4"}
    texts = read_class_polygons(polygons(tmp_path / "b.gpkg", "c", ["b", "a"]), "c")
    assert texts.polygons["code"].tolist() == [2, 1]


def test_the_real_rivers_are_no_polygons(shared):
    path = shared / "data" / "boundary" / "hyd1_4l" / "hyd1_4l.shp"
    with pytest.raises(FileFormatError, match=r"no polygons \(LineString\)"):
        read_class_polygons(path, "NAME", assume_crs=4326)


def raster(path, values, nodata=None, palette=None):
    values = np.atleast_3d(np.asarray(values).T).T
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=values.shape[0],
        height=values.shape[1],
        width=values.shape[2],
        dtype=values.dtype,
        crs="EPSG:4326",
        transform=from_origin(95, 36, 0.5, 0.5),
        nodata=nodata,
    ) as file:
        file.write(values)
        if palette:
            file.write_colormap(1, palette)
    return path


def test_the_palette_colours_the_classes_that_the_table_leaves_without(tmp_path):
    palette = {1: (9, 9, 9, 255), 2: (160, 82, 45, 255)}
    cells = np.array([[1, 2], [7, 255]], dtype=np.uint8)
    path = raster(tmp_path / "c.tif", cells, 255, palette)
    read = read_class_raster(path, classes=SOIL)
    assert read.classes.colours[1] == "#00ff00"
    assert read.classes.colours[2] == "#a0522d"
    assert 7 not in read.classes.colours
    assert read.codes.attrs["nodata"] == 255
    assert read.codes.values.tolist() == cells.tolist()


def test_floats_that_hold_codes_are_read_and_fractions_are_refused(tmp_path):
    cells = np.array([[1, 2], [7, -3.4028235e38]], dtype=np.float32)
    read = read_class_raster(
        raster(tmp_path / "c.tif", cells, cells[1, 1]), classes=SOIL
    )
    assert read.codes.dtype.kind == "i"
    missing = read.codes.attrs["nodata"]
    assert read.codes.values.tolist() == [[1, 2], [7, missing]]
    cells[0, 0] = 1.5
    with pytest.raises(FileFormatError, match="holds fractions"):
        read_class_raster(raster(tmp_path / "d.tif", cells, cells[1, 1]))


def test_codes_not_in_the_table_are_all_named(tmp_path):
    cells = np.array([[1, 4], [9, 15]], dtype=np.uint8)
    path = raster(tmp_path / "c.tif", cells, 15)
    with pytest.raises(InputError, match=r"c\.tif' holds class codes \[4, 9\]"):
        read_class_raster(path, classes=SOIL)
    assert read_class_raster(path).classes.labels == {1: "1", 4: "4", 9: "9"}


def test_rasters_of_several_bands_or_of_no_class_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="2 bands"):
        read_class_raster(raster(tmp_path / "a.tif", np.ones((2, 2, 2), np.uint8)))
    with pytest.raises(FileFormatError, match="no class"):
        read_class_raster(raster(tmp_path / "b.tif", np.full((2, 2), 3, np.uint8), 3))
    many = np.arange(10_000, dtype=np.int32).reshape(100, 100)
    with pytest.raises(FileFormatError, match="10000 different numbers"):
        read_class_raster(raster(tmp_path / "c.tif", many))


def test_the_real_soil_clusters_have_seven_classes(shared):
    path = shared / "data" / "permafrost" / "frostnumcop_soil_cluster.tif"
    read = read_class_raster(path)
    assert read.classes.codes == (1, 2, 3, 4, 6, 7, 8)
    assert read.codes.attrs["nodata"] == 15
