"""Layers agree with the land, with each other and with their tables."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from geosoil.grids.grid import Grid
from geosoil.grids.zones import rasterize_classes
from geosoil.io.geotiff import read_geotiff
from geosoil.simulate.landscape import STUDY_GRID, make_landscape
from geosoil.simulate.layers import frost_number, write_layers
from geosoil.simulate.relief import block_mean

LAYERS = ("permafrost", "soil", "vegetation")


@pytest.fixture(scope="module")
def land():
    return make_landscape(seed=2020)


@pytest.fixture(scope="module")
def folder(land, tmp_path_factory):
    folder = tmp_path_factory.mktemp("layers")
    write_layers(land, folder, seed=2020)
    return folder


def classes(folder, name):
    with rasterio.open(folder / f"{name}.tif") as file:
        assert file.nodata == 0
        assert file.dtypes == ("uint8",)
        assert file.tags()["simulated"] == "yes"
        return file.read(1)


def test_a_layer_is_a_raster_polygons_and_a_table(folder):
    expected = {f"{n}.{suffix}" for n in LAYERS for suffix in ("tif", "gpkg", "csv")}
    expected |= {f"{n}.tif.aux.xml" for n in LAYERS}
    expected |= {"elevation.tif", "elevation_fine.tif"}
    assert {path.name for path in folder.iterdir()} == expected


@pytest.mark.parametrize("name", LAYERS)
def test_polygons_burn_back_to_the_raster(folder, name):
    polygons = gpd.read_file(folder / f"{name}.gpkg")
    assert polygons.crs.to_epsg() == 4326
    assert polygons.is_valid.all()
    burnt = rasterize_classes(polygons, "code", STUDY_GRID)
    assert np.array_equal(burnt.values, classes(folder, name))


@pytest.mark.parametrize("name", LAYERS)
def test_the_table_names_every_class(folder, name):
    table = pd.read_csv(folder / f"{name}.csv")
    assert list(table.columns) == ["code", "label", "colour"]
    assert table.colour.str.fullmatch(r"#[0-9a-f]{6}").all()
    assert table.label.is_unique
    assert set(np.unique(classes(folder, name))) - {0} <= set(table.code)
    polygons = gpd.read_file(folder / f"{name}.gpkg")
    labels = dict(zip(table.code, table.label, strict=True))
    assert [labels[code] for code in polygons.code] == polygons.label.tolist()


@pytest.mark.parametrize("name", LAYERS)
def test_the_raster_carries_names_and_colours_of_the_table(folder, name):
    table = pd.read_csv(folder / f"{name}.csv").set_index("code")
    with rasterio.open(folder / f"{name}.tif") as file:
        for code, colour in table.colour.items():
            red, green, blue, _ = file.colormap(1)[code]
            assert f"#{red:02x}{green:02x}{blue:02x}" == colour
        assert file.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
    codes = read_geotiff(folder / f"{name}.tif")
    assert codes.attrs["flag_values"].tolist() == table.index.tolist()
    assert codes.attrs["flag_meanings"].replace("_", " ") == " ".join(table.label)
    sidecar = (folder / f"{name}.tif.aux.xml").read_text("utf-8")
    assert all(f"<Category>{label}</Category>" in sidecar for label in table.label)


# Machado, Oliveira and Fernandes (2009), doi:10.1109/TVCG.2009.113, severity 1.
EYES = {
    "all cones": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen(colour, eye):
    """CIE L*a*b* of a colour as an eye sees it."""
    code = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    light = np.clip(np.asarray(eye) @ light, 0, 1)
    to_xyz = [
        [0.4124, 0.3576, 0.1805],
        [0.2126, 0.7152, 0.0722],
        [0.0193, 0.1192, 0.9505],
    ]
    xyz = np.cbrt(to_xyz @ light / [0.9505, 1.0, 1.089])
    x, y, z = xyz
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("name", LAYERS)
def test_colours_of_classes_differ_for_every_eye(folder, name, eye):
    colours = pd.read_csv(folder / f"{name}.csv").colour
    places = np.array([seen(colour, EYES[eye]) for colour in colours])
    apart = np.linalg.norm(places[:, None] - places, axis=-1)
    assert apart[~np.eye(len(places), dtype=bool)].min() > 15


def test_layers_end_at_the_outline_of_the_region(folder, land):
    inside = block_mean(land.region.to_numpy().astype(float), factor=6) > 0.5
    assert np.array_equal(classes(folder, "permafrost") > 0, inside)
    for name in ("soil", "vegetation"):
        assert (classes(folder, name)[~inside] == 0).all()
        assert (classes(folder, name)[inside] > 0).mean() > 0.95


def test_permafrost_lies_above_seasonally_frozen_ground(folder, land):
    codes = classes(folder, "permafrost")
    elevation = block_mean(land.elevation.values, factor=6)
    assert 0.5 < (codes == 1).sum() / (codes > 0).sum() < 0.85
    assert np.quantile(elevation[codes == 1], 0.05) > 4000
    assert np.quantile(elevation[codes == 2], 0.95) < 4800


def test_alpine_meadow_soil_is_the_commonest_and_forest_soil_lies_low(folder, land):
    codes = classes(folder, "soil")
    counts = np.bincount(codes.ravel(), minlength=8)[1:]
    assert counts.argmax() == 1
    assert (counts > 0).all()
    elevation = block_mean(land.elevation.values, factor=6)
    medians = [np.median(elevation[codes == code]) for code in range(1, 8)]
    assert medians[0] == max(medians)
    assert max(medians[3:]) < min(medians[:3])


def test_elevation_is_the_mean_of_the_fine_cells(folder, land):
    coarse = read_geotiff(folder / "elevation.tif")
    assert Grid.of(coarse).shape == STUDY_GRID.shape
    assert coarse.attrs["units"] == "m"
    expected = block_mean(land.elevation.values, factor=6)
    np.testing.assert_allclose(coarse.values, expected, atol=0.001)
    with rasterio.open(folder / "elevation_fine.tif") as fine:
        assert fine.dtypes == ("int16",)
        assert "simulated" in fine.descriptions[0]
        np.testing.assert_allclose(fine.read(1), land.elevation.values, atol=0.5001)


@given(st.floats(-30, 30), st.floats(0.1, 25))
def test_the_frost_number_is_half_where_the_yearly_mean_is_zero(mean, swing):
    month = np.arange(12)
    days = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    wave = -swing * np.cos(2 * np.pi * (month + 0.5) / 12)
    wave = wave - (wave * days).sum() / days.sum()
    assert frost_number(wave) == pytest.approx(0.5, abs=1e-9)
    number = frost_number(wave + mean)
    assert 0.0 <= number <= 1.0
    if abs(mean) > 1e-6:
        assert (number > 0.5) == (mean < 0)


def test_the_seed_decides_the_layers(folder, land, tmp_path):
    write_layers(land, tmp_path, seed=2020)
    for name in LAYERS:
        assert np.array_equal(classes(tmp_path, name), classes(folder, name))
    write_layers(land, tmp_path, seed=8)
    assert not np.array_equal(
        classes(tmp_path, "permafrost"), classes(folder, "permafrost")
    )
