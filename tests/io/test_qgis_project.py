"""Projects of QGIS: relative, grouped, styled, the same again."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS
from shapely import LineString, Point, box

from geosoil.errors import FileFormatError, InputError
from geosoil.grids.grid import Grid
from geosoil.io.geopackage import write_geopackage
from geosoil.io.qgis_project import (
    Project,
    RasterLayer,
    project_document,
    write_project,
)
from geosoil.io.qgis_vectors import read_vector_layers
from geosoil.io.qgis_xml import xml_text
from geosoil.io.styles import ClassColour, ClassStyle

GRID = Grid.from_bounds((89.4, 31.55, 102.3, 36.3), 0.05, "EPSG:4326")
STYLE = ClassStyle((ClassColour(1, "meadow & <steppe>", "#7fb86b"),))
HOME = Path("/results")
WORDS = st.text(min_size=1, max_size=30)


def layer(name: str, *group: str, visible: bool = False) -> RasterLayer:
    path = HOME / f"{name}.tif"
    return RasterLayer(path, f"map of {name}", group, STYLE, GRID, "how", visible)


def document(project: Project, folder: Path = HOME) -> ET.Element:
    return ET.fromstring(project_document(project, folder))


def tree(group: ET.Element) -> list[object]:
    """Names of layers and (name, content) of groups."""
    return [
        child.get("name")
        if child.tag == "layer-tree-layer"
        else (child.get("name"), tree(child))
        for child in group
        if child.tag.startswith("layer-tree")
    ]


def test_layers_stand_in_their_groups_in_their_order() -> None:
    rasters = (
        layer("sd", "Fractions", "June", "Uncertainty"),
        layer("ice", "Fractions", "June"),
        layer("r", "Correlation"),
        layer("snow", "Fractions", "June"),
    )
    root = document(Project("TRHR", GRID, rasters))
    top = root.find("layer-tree-group")
    assert top is not None
    june = ("June", ["map of ice", "map of snow", ("Uncertainty", ["map of sd"])])
    assert tree(top) == [("Fractions", [june]), ("Correlation", ["map of r"])]


def test_only_what_is_visible_is_checked_and_unfolded() -> None:
    rasters = (layer("a", "A"), layer("b", "B", "C", visible=True), layer("d", "B"))
    root = document(Project("TRHR", GRID, rasters))
    entries = {one.get("name"): one for one in root.iter("layer-tree-layer")}
    checked = {name: one.get("checked") for name, one in entries.items()}
    assert checked == {
        "map of a": "Qt::Unchecked",
        "map of b": "Qt::Checked",
        "map of d": "Qt::Unchecked",
    }
    groups = {
        one.get("name"): (one.get("checked"), one.get("expanded"))
        for one in root.iter("layer-tree-group")
    }
    # A group is always checked, so that a layer shows as soon as it is ticked.
    assert groups["A"] == ("Qt::Checked", "0")
    assert groups["B"] == groups["C"] == ("Qt::Checked", "1")


def test_every_entry_of_the_tree_has_its_layer_and_its_own_style() -> None:
    rasters = tuple(layer(name) for name in ("a b", "a_b", "ä/b"))
    root = document(Project("TRHR", GRID, rasters))
    listed = [one.get("id") for one in root.iter("layer-tree-layer")]
    layers = root.findall("projectlayers/maplayer")
    assert [one.findtext("id") for one in layers] == listed
    assert len(set(listed)) == 3
    for one in layers:
        assert one.find("pipe/rasterrenderer/colorPalette/paletteEntry") is not None
        assert one.findtext("srs/spatialrefsys/authid") == "EPSG:4326"
        assert one.findtext("abstract") == "how"


def test_paths_are_relative_and_the_folder_is_nowhere_named() -> None:
    inner = replace(layer("a"), path=HOME / "maps" / "a.tif")
    text = project_document(Project("TRHR", GRID, (inner,)), HOME)
    assert ET.fromstring(text).findtext(".//datasource") == "./maps/a.tif"
    assert str(HOME) not in text


def test_a_layer_from_elsewhere_is_refused() -> None:
    outside = replace(layer("a"), path=Path("/elsewhere/a.tif"))
    with pytest.raises(InputError, match=r"/elsewhere/a\.tif"):
        document(Project("TRHR", GRID, (outside, layer("b"))))


@given(WORDS, WORDS, WORDS)
def test_any_words_are_written_as_they_are(title: str, group: str, words: str) -> None:
    raster = replace(layer("a"), title=title, group=(group,), abstract=words)
    root = document(Project(title, GRID, (raster,)))
    entry = root.find(".//layer-tree-layer")
    assert entry is not None
    assert entry.get("name") == xml_text(title)
    named = root.find("layer-tree-group/layer-tree-group")
    assert named is not None
    assert named.get("name") == xml_text(group)
    # Text of elements, unlike attributes, has its line ends made alike by XML.
    alike = xml_text(words).replace("\r\n", "\n").replace("\r", "\n")
    assert (root.findtext(".//maplayer/abstract") or "").strip() == alike.strip()


def test_the_map_opens_on_the_study_in_its_system() -> None:
    grid = Grid.from_bounds((500_000, 3_500_000, 501_000, 3_501_000), 50, "EPSG:32646")
    root = document(Project("TRHR", grid, ()))
    assert root.findtext("projectCrs/spatialrefsys/authid") == "EPSG:32646"
    assert root.findtext("properties/SpatialRefSys/ProjectionsEnabled") == "1"
    frame = root.find("ProjectViewSettings/DefaultViewExtent")
    assert frame is not None
    bounds = [float(frame.get(name, "")) for name in ("xmin", "ymin", "xmax", "ymax")]
    assert tuple(bounds) == grid.bounds


def test_a_system_without_a_code_is_known_by_its_wkt() -> None:
    albers = CRS.from_proj4("+proj=aea +lat_1=25 +lat_2=47 +lon_0=96 +datum=WGS84")
    grid = Grid.from_bounds((0, 0, 10_000, 10_000), 1000, albers.to_wkt())
    root = document(Project("TRHR", grid, ()))
    assert root.findtext("projectCrs/spatialrefsys/authid") is not None
    wkt = root.findtext("projectCrs/spatialrefsys/wkt") or ""
    assert CRS.from_wkt(wkt) == grid.crs


def test_a_project_is_one_file_with_the_same_bytes_again(tmp_path: Path) -> None:
    rasters = tuple(
        replace(layer(name, "G"), path=tmp_path / f"{name}.tif") for name in "abc"
    )
    path = write_project(Project("TRHR", GRID, rasters), tmp_path / "geosoil.qgz")
    data = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.infolist()
        assert archive.testzip() is None
    assert member.filename == "geosoil.qgs"
    assert member.date_time == (1980, 1, 1, 0, 0, 0)
    moved = tmp_path / "moved"
    moved.mkdir()
    there = tuple(replace(one, path=moved / one.path.name) for one in rasters)
    again = write_project(Project("TRHR", GRID, there), moved / "geosoil.qgz")
    assert again.read_bytes() == data


def test_a_project_has_its_own_ending(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.qgz"):
        write_project(Project("TRHR", GRID, ()), tmp_path / "geosoil.zip")


SHAPES = {
    "samples": [Point(92, 34), Point(93, 35)],
    "rivers": [LineString([(90, 33), (95, 35)])],
    "basins": [box(90, 32, 95, 36)],
}
QML = (
    "<!DOCTYPE qgis><qgis labelsEnabled='1'>"
    "<renderer-v2 type='singleSymbol'><symbols/></renderer-v2>"
    "<labeling type='simple'/></qgis>"
)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    layers: dict[str, gpd.GeoDataFrame | pd.DataFrame] = {
        name: gpd.GeoDataFrame({"n": range(len(rows))}, geometry=rows, crs=4326)
        for name, rows in SHAPES.items()
    }
    layers["about"] = pd.DataFrame({"what": ["simulated"]})
    return write_geopackage(
        layers,
        tmp_path / "results.gpkg",
        styles={"samples": QML},
        descriptions={"basins": "parts of the region"},
    )


def test_a_package_tells_its_layers(package: Path) -> None:
    found = {one.name: one for one in read_vector_layers(package)}
    kinds = {name: one.geometry for name, one in found.items()}
    assert kinds == {
        "samples": "Point",
        "rivers": "Line",
        "basins": "Polygon",
        "about": None,
    }
    assert found["basins"].bounds == (90.0, 32.0, 95.0, 36.0)
    assert found["basins"].crs == CRS.from_epsg(4326)
    assert found["basins"].abstract == "parts of the region"
    assert found["samples"].style == QML
    assert found["rivers"].style == ""


def test_vectors_bring_their_symbols_or_get_plain_ones(package: Path) -> None:
    vectors = read_vector_layers(package)
    root = document(Project("TRHR", GRID, (), vectors), package.parent)
    layers = {one.findtext("layername"): one for one in root.iter("maplayer")}
    samples = layers["Samples"]
    assert samples.find("labeling") is not None
    assert samples.get("labelsEnabled") == "1"
    assert samples.find("renderer-v2/symbols/symbol") is None
    assert samples.findtext("datasource") == "./results.gpkg|layername=samples"
    for title, kind in (("Rivers", "line"), ("Basins", "fill")):
        symbol = layers[title].find("renderer-v2/symbols/symbol")
        assert symbol is not None
        assert symbol.get("type") == kind
    assert layers["About"].get("geometry") == "No geometry"
    top = root.find("layer-tree-group")
    assert top is not None
    assert tree(top) == ["Samples", "Rivers", "Basins", ("Tables", ["About"])]


def test_symbols_that_are_no_xml_are_replaced_by_plain_ones(package: Path) -> None:
    vectors = [replace(one, style="<qgis") for one in read_vector_layers(package)]
    root = document(Project("TRHR", GRID, (), tuple(vectors)), package.parent)
    assert all(
        one.find("renderer-v2/symbols/symbol") is not None
        for one in root.iter("maplayer")
        if one.get("geometry") != "No geometry"
    )


def test_a_file_that_is_no_package_is_an_error(tmp_path: Path, package: Path) -> None:
    page = tmp_path / "page.gpkg"
    page.write_text("<html>login</html>")
    with pytest.raises(FileFormatError, match=r"page\.gpkg"):
        read_vector_layers(page)
    cut = tmp_path / "cut.gpkg"
    shutil.copyfile(package, cut)
    with cut.open("r+b") as file:
        file.truncate(3000)
    with pytest.raises(FileFormatError, match=r"cut\.gpkg"):
        read_vector_layers(cut)
