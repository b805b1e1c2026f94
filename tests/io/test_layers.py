"""Polygon layers, class tables and end-member tables."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point, Polygon, box

from geosoil.errors import (
    FileFormatError,
    InputError,
    MissingCRSError,
    MissingFileError,
    SampleTableError,
)
from geosoil.io.layers import (
    read_end_members,
    read_lines,
    read_points,
    read_polygons,
)

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


def chinese(folder, names, *, code=0, encoding="gbk", cpg=None):
    """A Shapefile as older tools write it: no .prj, no .cpg, names in GBK."""
    layer = gpd.GeoDataFrame(
        {"NAME": ["x" * 12] * len(names)},
        geometry=[box(i, 0, i + 1, 1) for i in range(len(names))],
        crs="EPSG:4326",
    )
    path = folder / "soil.shp"
    layer.to_file(path)
    (folder / "soil.prj").unlink()
    (folder / "soil.cpg").unlink(missing_ok=True)
    table = bytearray((folder / "soil.dbf").read_bytes())
    table[29] = code
    start = int.from_bytes(table[8:10], "little")
    length = int.from_bytes(table[10:12], "little")
    width = table[32 + 16]
    for row, name in enumerate(names):
        at = start + row * length + 1
        table[at : at + width] = name.encode(encoding)[:width].ljust(width)
    (folder / "soil.dbf").write_bytes(table)
    if cpg:
        (folder / "soil.cpg").write_text(cpg)
    return path


SOILS = ["高山草甸土", "高山草原土", "山地灰褐土", "栗钙土"]


@pytest.mark.parametrize(
    ("encoding", "code", "cpg", "said"),
    [
        ("gbk", 0x00, None, "GB18030, found in the text"),
        ("gbk", 0x57, None, "GB18030, found in the text"),
        ("gbk", 0x4D, None, "stated by the file"),
        ("gbk", 0x00, "GBK", "stated by the file"),
        ("utf-8", 0x00, None, "UTF-8, found in the text"),
        ("utf-8", 0x00, "UTF-8", "stated by the file"),
    ],
)
def test_chinese_names_are_read_however_the_encoding_is_stated(
    tmp_path, encoding, code, cpg, said
):
    names = [name[:4] for name in SOILS]
    path = chinese(tmp_path, names, code=code, encoding=encoding, cpg=cpg)
    read = read_polygons(path, assume_crs="EPSG:4326")
    assert read["NAME"].tolist() == names
    assert read.attrs == {"encoding": said, "crs": "stated by the user"}


def test_a_name_cut_within_a_sign_does_not_hide_the_encoding(tmp_path):
    # the field is 12 bytes wide: the seventh sign of the name is cut in two
    path = chinese(tmp_path, ["a高山草甸草原", *SOILS])
    read = read_polygons(path, assume_crs="EPSG:4326", encoding=None)
    assert read["NAME"].tolist()[1:] == SOILS
    assert read["NAME"][0].startswith("a高山草甸草")


def test_latin_names_are_not_taken_for_chinese(tmp_path):
    names = ["Gelände", "forêt", "Réunion"]
    read = read_polygons(chinese(tmp_path, names, encoding="cp1252"), assume_crs=4326)
    assert read["NAME"].tolist() == names
    assert read.attrs["encoding"].startswith("cp1252")


def test_a_stated_encoding_goes_before_a_wrong_cpg(tmp_path):
    path = chinese(tmp_path, SOILS, cpg="ISO-8859-1")
    read = read_polygons(path, assume_crs=4326, encoding="GBK")
    assert read["NAME"].tolist() == SOILS
    with pytest.raises(InputError, match=r"Unknown encoding 'klingon'.*GB18030"):
        read_polygons(path, assume_crs=4326, encoding="klingon")


def test_text_in_an_encoding_that_contradicts_it_is_refused(tmp_path):
    path = chinese(tmp_path, SOILS, cpg="UTF-8")
    with pytest.raises(FileFormatError, match=r"soil\.shp.*encoding="):
        read_polygons(path, assume_crs=4326)


def test_the_real_rivers_have_chinese_names_and_need_a_stated_crs(shared):
    path = shared / "data" / "boundary" / "hyd1_4l" / "hyd1_4l.shp"
    with pytest.raises(MissingCRSError, match=r"hyd1_4l\.shp.*\.prj.*assume_crs"):
        read_lines(path)
    rivers = read_lines(path, assume_crs="EPSG:4326")
    assert len(rivers) == 840
    assert {"黄河", "长江", "通天河", "澜沧江"} <= set(rivers["NAME"].dropna())
    assert rivers.attrs["encoding"] == "GB18030, found in the text"
    with pytest.raises(InputError, match=r"degrees, it seems.*UTM zone 47N"):
        read_lines(path, assume_crs="EPSG:32647")


def two_layers(folder):
    path = folder / "maps.gpkg"
    for name, east in (("soil", 1), ("vegetation", 2)):
        frame = gpd.GeoDataFrame({"code": [east]}, geometry=[box(0, 0, east, 1)])
        frame.set_crs("EPSG:4326").to_file(path, layer=name, driver="GPKG")
    return path


def test_a_layer_of_several_is_named_and_the_error_lists_them(tmp_path):
    path = two_layers(tmp_path)
    assert read_polygons(path, layer="vegetation")["code"].tolist() == [2]
    words = r"2 layers: 'soil' \(Polygon\), 'vegetation' \(Polygon\).*layer="
    with pytest.raises(FileFormatError, match=words):
        read_polygons(path)
    with pytest.raises(FileFormatError, match=r"no layer 'moss'.*'soil'"):
        read_polygons(path, layer="moss")


def test_coordinates_that_cannot_be_degrees_are_refused(tmp_path):
    metres = gpd.GeoDataFrame(geometry=[box(5e5, 38e5, 6e5, 39e5)], crs="EPSG:4326")
    metres.to_file(tmp_path / "r.gpkg")
    with pytest.raises(InputError, match=r"no degrees.*WGS 84.*stated by the file"):
        read_polygons(tmp_path / "r.gpkg")


def test_a_crs_that_contradicts_the_file_or_is_none_is_refused(tmp_path):
    layer = gpd.GeoDataFrame(geometry=[box(90, 32, 91, 33)], crs="EPSG:4326")
    layer.to_file(tmp_path / "r.gpkg")
    assert read_polygons(tmp_path / "r.gpkg", assume_crs=4326).crs == "EPSG:4326"
    with pytest.raises(InputError, match=r"'WGS 84', but assume_crs is 'WGS 84 / UTM"):
        read_polygons(tmp_path / "r.gpkg", assume_crs=32647)
    with pytest.raises(InputError, match=r"'EPSG:0' in assume_crs"):
        read_polygons(tmp_path / "r.gpkg", assume_crs="EPSG:0")


def test_a_shapefile_without_shx_is_refused_by_name(tmp_path):
    layer = gpd.GeoDataFrame({"a": [1]}, geometry=[box(0, 0, 1, 1)], crs="EPSG:4326")
    layer.to_file(tmp_path / "r.shp")
    (tmp_path / "r.shx").unlink()
    with pytest.raises(FileFormatError, match=r"no \.shx beside it.*copy them all"):
        read_polygons(tmp_path / "r.shp")


def test_points_are_read_and_polygons_are_no_points(tmp_path):
    sites = gpd.GeoDataFrame(
        {"a": [1, 2]}, geometry=[Point(0, 0), Point(1, 1)], crs=4326
    )
    sites.to_file(tmp_path / "p.geojson")
    assert read_points(tmp_path / "p.geojson")["a"].tolist() == [1, 2]
    with pytest.raises(FileFormatError, match=r"no polygons \(Point\)"):
        read_polygons(tmp_path / "p.geojson")


def test_the_real_basins_are_read(shared):
    basins = read_polygons(shared / "data" / "boundary" / "trhr_basins.geojson")
    assert len(basins) == 4


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
