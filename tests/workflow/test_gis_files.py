"""The project of a run; in QGIS itself where it is installed."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from geosoil.config import SampleSettings, StudyConfig, read_config
from geosoil.config.study import StudySettings
from geosoil.io.geopackage import write_geopackage
from geosoil.io.styles import ClassStyle, ScaleStyle
from geosoil.workflow.gis_files import write_gis_files
from geosoil.workflow.gis_styles import Styled, styled_rasters
from geosoil.workflow.inputs import StudyInputs, open_inputs
from tests.workflow.gis_cases import GRID, write_all

QGIS_PYTHON = "/usr/bin/python3"
CHECK = Path(__file__).parents[1] / "io" / "qgis_check.py"


def inputs_of(folder: Path, *, simulated: bool = True) -> StudyInputs:
    """Inputs of a study that has nothing but a name and a grid."""
    config = StudyConfig(
        study=StudySettings(name="Small & <wet>", simulated=simulated),
        samples=SampleSettings(path=folder / "samples.csv"),
    )
    mask = GRID.raster(np.ones(GRID.shape, dtype=bool))
    return StudyInputs(
        config,
        gpd.GeoDataFrame(geometry=[], crs=4326),
        None,
        GRID,
        None,
        mask,
        None,
        {},
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a raster of each kind and a package, to be copied."""
    folder = tmp_path_factory.mktemp("written")
    write_all(folder)
    write_package(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """Results that a test may write to."""
    return shutil.copytree(written, tmp_path / "results")


def rasters_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.tif"))


def write_package(folder: Path) -> None:
    """Write a package with the outline of the region."""
    basins = gpd.GeoDataFrame({"name": ["one"]}, geometry=[box(90, 31, 93, 33)])
    write_geopackage({"basins": basins.set_crs(4326)}, folder / "results.gpkg")


def project_of(path: Path) -> ET.Element:
    with zipfile.ZipFile(path) as archive:
        return ET.fromstring(archive.read(f"{path.stem}.qgs"))


def checked(root: ET.Element) -> list[str | None]:
    return [
        one.get("name")
        for one in root.iter("layer-tree-layer")
        if one.get("checked") == "Qt::Checked"
    ]


def test_a_run_gets_a_style_a_raster_and_one_project(folder: Path) -> None:
    paths = rasters_in(folder)
    written = write_gis_files(inputs_of(folder), [*paths, Path("a.csv")], folder)
    assert written == [
        *(path.with_suffix(".qml") for path in paths),
        folder / "geosoil.qgz",
    ]
    root = project_of(written[-1])
    places = {one.text for one in root.iter("datasource")}
    assert places == {
        "./results.gpkg|layername=basins",
        *(f"./{path.name}" for path in paths),
    }


def test_the_first_fraction_map_and_the_outlines_are_drawn(folder: Path) -> None:
    paths = rasters_in(folder)[::-1]
    *_, project = write_gis_files(inputs_of(folder), paths, folder)
    shown = ["Basins", "Source fraction of ground ice, June"]
    assert checked(project_of(project)) == shown
    (folder / "results.gpkg").unlink()
    *_, project = write_gis_files(inputs_of(folder), paths, folder)
    assert checked(project_of(project)) == shown[1:]


def test_a_project_of_simulated_data_says_so(folder: Path) -> None:
    paths = rasters_in(folder)
    *_, project = write_gis_files(inputs_of(folder), paths, folder)
    root = project_of(project)
    title = "Small & <wet> (SIMULATED data: no value was measured)"
    assert root.findtext("title") == root.get("projectname") == title
    maps = {one.findtext("title"): one for one in root.iter("maplayer")}
    words = maps["Source fraction of ground ice, June"].findtext("abstract") or ""
    *told, made = words.splitlines()
    assert told == [
        "SIMULATED data: no value was measured.",
        "Method: the mean of the sites.",
        "Period: June.",
    ]
    assert made.startswith("Made by geosoil")
    *_, project = write_gis_files(inputs_of(folder, simulated=False), paths, folder)
    assert project_of(project).findtext("title") == "Small & <wet>"


def test_the_same_run_gives_the_same_files_wherever_it_lies(
    written: Path, tmp_path: Path
) -> None:
    content = []
    for name in ("first", "second"):
        folder = shutil.copytree(written, tmp_path / name)
        files = write_gis_files(inputs_of(folder), rasters_in(folder), folder)
        content.append({path.name: path.read_bytes() for path in files})
    assert content[0] == content[1]
    assert not any(str(tmp_path).encode() in data for data in content[0].values())


def test_a_run_without_rasters_has_a_project(tmp_path: Path) -> None:
    (project,) = write_gis_files(inputs_of(tmp_path), [], tmp_path)
    assert checked(project_of(project)) == []


def seen_by_qgis(project: Path, rasters: list[Path]) -> dict[str, Any]:
    """Open a project and rasters in QGIS; skip where it is absent."""
    here = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    # QGIS's own Python is not to see the packages of this one.
    for name in ("PYTHONPATH", "PYTHONHOME", "PROJ_DATA", "PROJ_LIB", "GDAL_DATA"):
        here.pop(name, None)
    there = [QGIS_PYTHON, "-c", "import qgis.core"]
    if (
        not Path(QGIS_PYTHON).exists()
        or subprocess.run(there, env=here, capture_output=True, check=False).returncode
    ):
        pytest.skip("QGIS's Python is absent")
    done = subprocess.run(
        [QGIS_PYTHON, str(CHECK), str(project), *map(str, rasters)],
        env=here,
        capture_output=True,
        check=False,
        timeout=300,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def check_raster(seen: dict[str, Any], one: Styled) -> None:
    """Hold what QGIS sees in a raster against the catalogue and the style."""
    header, style = one.header, one.style
    assert seen["valid"]
    first = header.descriptions[0]
    assert seen["band"] == f"Band 1: {first}"
    assert seen["legend"][0].startswith(seen["band"])
    assert seen["bands"] == len(header.descriptions)
    assert seen["crs"] == "EPSG:4326"
    assert seen["nodata"] == header.nodata
    assert seen["uses_nodata"] or header.nodata is None
    if isinstance(style, ClassStyle):
        assert seen["renderer"] == "paletted"
        wanted = [[each.code, each.label, each.colour] for each in style.classes]
        assert seen["items"] == wanted
        assert seen["legend"][1:] == [each.label for each in style.classes]
        return
    assert seen["renderer"] == "singlebandpseudocolor"
    assert seen["limits"] == seen["shader_limits"] == list(style.limits)
    assert seen["suffix"].strip() == style.unit
    check_stops(seen["items"], style)


def check_stops(items: list[Any], style: ScaleStyle) -> None:
    """Hold colours and labels against those of a style."""
    values = [stop.value for stop in style.stops]
    if style.kind == "discrete":
        values[-1] = math.inf
    wanted = [min(value, 1e300) for value in values]
    assert [item[0] for item in items] == pytest.approx(wanted, rel=1e-12, abs=1e-12)
    assert [item[1:] for item in items] == [
        [stop.label, stop.colour] for stop in style.stops
    ]


def check_in_qgis(inputs: StudyInputs, paths: list[Path], folder: Path) -> None:
    """Open all that a run wrote in QGIS: no warning, and everything as told."""
    *_, project = write_gis_files(inputs, paths, folder)
    styled = styled_rasters(paths)
    seen = seen_by_qgis(project, [one.entry.path for one in styled])
    assert seen["read"]
    assert seen["messages"] == []
    told = seen["project"]
    assert "SIMULATED" in told["title"]
    assert told["crs"] == "EPSG:4326"
    assert told["extent"] == pytest.approx(inputs.grid.bounds, abs=1e-9)
    assert len(told["rasters"]) == len(styled)
    for one in styled:
        name = one.entry.path.name
        check_raster(seen["rasters"][name], one)
        within = told["rasters"][name]
        check_raster(within, one)
        assert within["name"] == within["title"] == one.entry.title
        assert one.entry.method in within["abstract"]
    assert all(layer["valid"] for layer in told["vectors"].values())


@pytest.mark.slow
def test_qgis_sees_every_kind_of_raster_as_it_is_told(folder: Path) -> None:
    check_in_qgis(inputs_of(folder), rasters_in(folder), folder)


@pytest.mark.slow
def test_qgis_sees_the_results_of_the_built_in_study_as_they_are_told(
    built_study, tmp_path: Path
) -> None:
    home = built_study.result.folder
    folder = shutil.copytree(home, tmp_path / "results")
    paths = [folder / path.relative_to(home) for path in built_study.result.paths]
    inputs = open_inputs(read_config(built_study.config))
    assert sum(path.suffix == ".tif" for path in paths) > 60
    check_in_qgis(inputs, paths, folder)
