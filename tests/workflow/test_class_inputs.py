"""Layers of a study: polygons and cells give the same classes; bad ones are refused."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from geosoil.config import LayerSettings, read_config
from geosoil.errors import InputError, MissingCRSError
from geosoil.io.geotiff import read_geotiff, write_geotiff
from geosoil.workflow.class_inputs import open_class_layer
from geosoil.workflow.inputs import open_inputs


@pytest.fixture(scope="module")
def layers(built_study) -> Path:
    return built_study.folder / "layers"


@pytest.fixture(scope="module")
def grid(built_study):
    config = read_config(built_study.config)
    return open_inputs(config).grid


BOX = (89.40, 31.55, 102.30, 36.30)


def test_polygons_and_cells_give_the_same_classes(layers: Path, grid) -> None:
    table = layers / "permafrost.csv"
    cells = open_class_layer(
        LayerSettings(path=layers / "permafrost.tif", table=table), grid, BOX
    )
    drawn = open_class_layer(
        LayerSettings(path=layers / "permafrost.gpkg", table=table, column="code"),
        grid,
        BOX,
    )
    assert cells.labels == drawn.labels
    both = np.isfinite(cells.codes.to_numpy()) & np.isfinite(drawn.codes.to_numpy())
    assert both.mean() > 0.5
    same = cells.codes.to_numpy()[both] == drawn.codes.to_numpy()[both]
    assert same.mean() > 0.99


def test_a_table_may_be_toml(layers: Path, grid, tmp_path: Path) -> None:
    found = open_class_layer(
        LayerSettings(path=layers / "permafrost.tif", table=layers / "permafrost.csv"),
        grid,
        BOX,
    )
    rows = [
        f'[[class]]\ncode = {code}\nlabel = "{label}"\n'
        for code, label in found.labels.items()
    ]
    (tmp_path / "classes.toml").write_text("\n".join(rows))
    again = open_class_layer(
        LayerSettings(path=layers / "permafrost.tif", table=tmp_path / "classes.toml"),
        grid,
        BOX,
    )
    assert again.labels == found.labels


def test_polygons_need_their_column(layers: Path, grid) -> None:
    with pytest.raises(InputError, match="say which column"):
        open_class_layer(LayerSettings(path=layers / "permafrost.gpkg"), grid, BOX)
    with pytest.raises(InputError, match="has no column 'zone'"):
        open_class_layer(
            LayerSettings(path=layers / "permafrost.gpkg", column="zone"), grid, BOX
        )


def test_a_shapefile_without_a_system_must_be_told_one(
    layers: Path, grid, tmp_path: Path
) -> None:
    drawn = gpd.read_file(layers / "permafrost.gpkg")
    file = tmp_path / "permafrost.shp"
    drawn.to_file(file)
    file.with_suffix(".prj").unlink()
    with pytest.raises(MissingCRSError, match="permafrost"):
        open_class_layer(LayerSettings(path=file, column="code"), grid, BOX)
    told = LayerSettings(path=file, column="code", crs="EPSG:4326")
    known = LayerSettings(path=layers / "permafrost.gpkg", column="code")
    np.testing.assert_array_equal(
        open_class_layer(told, grid, BOX).codes,
        open_class_layer(known, grid, BOX).codes,
    )


def test_a_model_that_lacks_ground_under_samples_is_refused(
    built_study, tmp_path: Path
) -> None:
    text = built_study.config.read_text()
    dem = read_geotiff(built_study.folder / "layers" / "elevation.tif", classes=False)
    holed = dem.where(dem["x"] < 100.0)
    write_geotiff(holed, built_study.folder / "holed.tif")
    broken = built_study.folder / "holed.toml"
    broken.write_text(text.replace("layers/elevation.tif", "holed.tif"))
    with pytest.raises(InputError, match=r"does not cover \d+ samples within the"):
        open_inputs(read_config(broken))
    broken.unlink()
    (built_study.folder / "holed.tif").unlink()
