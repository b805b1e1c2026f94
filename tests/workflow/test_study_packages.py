"""What the built-in study packs opens in QGIS, GDAL, CDO and xarray without a word."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from geosoil.config import read_config
from geosoil.workflow.catalogue import catalogue
from geosoil.workflow.correlation import correlate_study
from geosoil.workflow.cube import write_cube
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.fractions import solve_study
from geosoil.workflow.inputs import open_inputs
from geosoil.workflow.join import join_samples
from geosoil.workflow.mapping import map_fractions
from geosoil.workflow.results_package import DESCRIPTIONS, write_results_package
from geosoil.workflow.stac_files import write_stac
from geosoil.workflow.study_draws import study_draws
from tests.io.stac_validation import validate
from tests.workflow.test_cube import checked, faults

pytestmark = pytest.mark.slow

QGIS = Path("/usr/bin/python3")
SCRIPT = """
import json, sys
from qgis.core import Qgis, QgsApplication, QgsVectorLayer
words = []
app = QgsApplication([], False)
QgsApplication.messageLog().messageReceived.connect(
    lambda text, tag, level: words.append(text) if level != Qgis.Info else None)
app.initQgis()
told = {"words": words, "layers": {}}
for name in sys.argv[2:]:
    layer = QgsVectorLayer(f"{sys.argv[1]}|layername={name}", name, "ogr")
    about = {"valid": layer.isValid(), "rows": layer.featureCount(),
             "crs": layer.crs().authid(), "missing": 0}
    renderer = layer.renderer()
    about["renderer"] = renderer.type() if renderer else ""
    if about["renderer"] == "categorizedSymbol":
        about["column"] = renderer.classAttribute()
        about["classes"] = [
            [c.value(), c.label(), c.symbol().color().name(),
             c.symbol().symbolLayer(0).shape()] for c in renderer.categories()]
    if about["renderer"] == "graduatedSymbol":
        about["column"] = renderer.classAttribute()
        about["classes"] = [
            [r.lowerValue(), r.upperValue(), r.symbol().color().name()]
            for r in renderer.ranges()]
    if about["renderer"] == "singleSymbol":
        about["symbol"] = renderer.symbol().symbolLayer(0).layerType()
    told["layers"][name] = about
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def packed(built_study, tmp_path_factory) -> tuple[Any, Path, list[Path]]:
    """The results of the built-in study, packed; inputs, folder and STAC files."""

    def quiet(_: str) -> None:
        return None

    folder = tmp_path_factory.mktemp("packed")
    inputs = open_inputs(read_config(built_study.config))
    fractions = solve_study(inputs, quiet)
    draws = study_draws(inputs, fractions.samples)
    joined = join_samples(inputs, quiet)
    maps = map_fractions(inputs, fractions.sites, folder, quiet)
    correlation = correlate_study(inputs, folder, quiet)
    results = StudyResults(fractions, draws, maps, correlation)
    paths = [*maps.paths, *correlation.paths]
    paths.append(write_results_package(inputs, results, joined, folder))
    paths.append(write_cube(inputs, results, folder))
    written = write_stac(inputs, paths, folder)
    for name, write in (
        ("results.gpkg", lambda at: write_results_package(inputs, results, joined, at)),
        ("cube.nc", lambda at: write_cube(inputs, results, at)),
    ):
        again = write(tmp_path_factory.mktemp("again"))
        assert again.read_bytes() == (folder / name).read_bytes()
    return inputs, folder, written


def said(*command: str | Path) -> str:
    """What a program prints, its warnings too; skip where it is absent."""
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={k: v for k, v in os.environ.items() if not k.startswith(("PROJ", "GDAL"))},
    )
    return done.stdout + done.stderr


def test_qgis_opens_every_layer_with_our_symbols(packed) -> None:
    inputs, folder, _ = packed
    has_qgis = (
        QGIS.is_file()
        and not subprocess.run(
            [QGIS, "-c", "import qgis.core"], capture_output=True, check=False
        ).returncode
    )
    if not has_qgis:
        pytest.skip("QGIS for Python is not installed")
    done = subprocess.run(
        [QGIS, "-c", SCRIPT, folder / "results.gpkg", *DESCRIPTIONS],
        capture_output=True,
        text=True,
        check=True,
        env={"QT_QPA_PLATFORM": "offscreen", "HOME": str(folder)},
    )
    told = json.loads(done.stdout)
    assert told["words"] == []
    assert "arning" not in done.stderr.replace("QStandardPaths", "")
    layers = told["layers"]
    assert all(layer["valid"] and layer["rows"] > 0 for layer in layers.values())
    assert layers["samples"]["rows"] == len(inputs.samples)
    for name in ("samples", "joined"):
        assert layers[name]["renderer"] == "categorizedSymbol"
        assert layers[name]["column"] == "water"
        assert layers[name]["classes"][0][:3] == ["soil", "soil water", "#d55e00"]
        assert len(layers[name]["classes"]) == 6
    assert layers["fractions_sites"]["renderer"] == "graduatedSymbol"
    assert [one[:2] for one in layers["fractions_sites"]["classes"]] == [
        [0.0, 0.2],
        [0.2, 0.4],
        [0.4, 0.6],
        [0.6, 0.8],
        [0.8, 1.0],
    ]
    assert layers["basins"]["symbol"] == "SimpleFill"
    assert {layers[name]["crs"] for name in ("samples", "basins")} == {"EPSG:4326"}


def test_ogr_reads_every_value_without_a_warning(packed) -> None:
    _, folder, _ = packed
    told = said("ogrinfo", "-al", folder / "results.gpkg")
    assert "arning" not in told
    assert "ERROR" not in told


def test_the_cube_is_clean_and_opens_as_grids(packed, tmp_path: Path) -> None:
    inputs, folder, _ = packed
    cube = folder / "cube.nc"
    assert faults(checked([cube], tmp_path)[0]) == []
    with xr.open_dataset(cube, engine="netcdf4") as found:
        assert found["ndvi"].dims == ("time", "y", "x")
        assert found["ndvi"].notnull().any()
        total = sum(
            found[f"fraction_{source}"].fillna(0.0)
            for source in ("precipitation", "ground_ice", "snowmelt")
        ).where(found["fraction_precipitation"].notnull())
        np.testing.assert_allclose(float(total.min()), 1.0, atol=1e-6)
        np.testing.assert_allclose(float(total.max()), 1.0, atol=1e-6)
    for layer, corner in (
        ("fraction_precipitation", "Pixel Size = (0.05"),
        ("correlation_ndvi_soil_moisture_r", "Pixel Size = (0.1"),
    ):
        told = said("gdalinfo", f"NETCDF:{cube}:{layer}")
        assert corner in told
        assert 'ID["EPSG",4326]' in told
        assert "NoData Value=-9999" in told
    assert inputs.grid.shape == (95, 258)


def test_cdo_finds_time_and_grids(packed) -> None:
    _, folder, _ = packed
    told = said("cdo", "-s", "sinfo", folder / "cube.nc")
    assert "2020-06-16 00:00:00  2020-08-16 12:00:00  2020-09-16 00:00:00" in told
    assert "points=24510 (258x95)" in told
    assert "points=6192 (129x48)" in told
    assert "Warning" not in told


def test_the_catalogue_is_valid_and_names_every_raster(packed) -> None:
    _, folder, written = packed
    for path in written:
        validate(json.loads(path.read_text(encoding="utf-8")))
    entries = {entry.path.stem for entry in catalogue(sorted(folder.glob("*.tif")))}
    assert {path.stem for path in written[1:]} == entries
