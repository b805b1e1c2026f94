"""Names and colours of classes lie where GDAL, QGIS and ArcGIS look for them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.io.class_sidecar import (
    NO_BIT,
    Legend,
    flags_of,
    legend_of,
    sidecar_of,
    sidecar_text,
)
from geosoil.io.geotiff import read_geotiff, write_geotiff

GRID = Grid.from_bounds((90, 31, 91, 32), 0.1, "EPSG:4326")
COLOURS = {1: "#6a9fc4", 2: "#e3c77b", 4: "#000001"}


def classes(dtype: str = "uint8", **attrs: object) -> xr.DataArray:
    codes = np.zeros(GRID.shape, dtype=dtype)
    codes[2:4], codes[5:8], codes[9, 0] = 1, 2, 4
    named = {
        "nodata": 0,
        "flag_values": np.array([1, 2, 3, 4], dtype=dtype),
        "flag_meanings": "wet_soil ice&snow bog <rock>",
    }
    return GRID.raster(codes, name="soil").assign_attrs(named | attrs)


def table_of(file: Path) -> list[dict[str, str]]:
    """Return the rows of the attribute table of the first band."""
    found = ET.parse(sidecar_of(file)).getroot()
    table = found.find("PAMRasterBand/GDALRasterAttributeTable")
    assert table is not None
    names = [one.findtext("Name") for one in table.findall("FieldDefn")]
    return [
        dict(zip(names, (cell.text for cell in row), strict=True))
        for row in table.findall("Row")
    ]


def test_the_table_tells_value_count_name_and_colour(tmp_path):
    file = write_geotiff(classes(), tmp_path / "soil.tif", colours=COLOURS)
    rows = table_of(file)
    assert [row["Class"] for row in rows] == ["wet soil", "ice&snow", "bog", "<rock>"]
    assert [row["Value"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["Count"] for row in rows] == ["20", "30", "0", "1"]
    assert [rows[0][c] for c in ("Red", "Green", "Blue", "Alpha")] == [
        "106", "159", "196", "255",
    ]  # fmt: skip


@pytest.mark.skipif(shutil.which("gdalinfo") is None, reason="gdalinfo is not there")
def test_gdal_reads_names_and_table(tmp_path):
    file = write_geotiff(classes(), tmp_path / "soil.tif", colours=COLOURS)
    command = ["gdalinfo", "-json", str(file)]
    found = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert not found.stderr
    told = json.loads(found.stdout)
    names = ["", "wet soil", "ice&snow", "bog", "<rock>"]
    assert told["bands"][0]["categories"] == names
    assert told["bands"][0]["colorInterpretation"] == "Palette"
    fields = [one["name"] for one in told["rat"]["fieldDefn"]]
    assert fields[:3] == ["Value", "Count", "Class"]
    assert told["rat"]["row"][1]["f"] == [2, 30, "ice&snow", 227, 199, 123, 255]
    assert told["rat"]["tableType"] == "thematic"


def test_the_same_classes_give_the_same_sidecar(tmp_path):
    texts = set()
    for name, colours in (("a", COLOURS), ("b", dict(reversed(COLOURS.items())))):
        file = write_geotiff(classes(), tmp_path / f"{name}.tif", colours=colours)
        texts.add(sidecar_of(file).read_bytes())
    assert len(texts) == 1


def test_a_raster_written_again_without_classes_loses_the_sidecar(tmp_path):
    file = write_geotiff(classes(), tmp_path / "soil.tif")
    assert sidecar_of(file).is_file()
    write_geotiff(GRID.raster(np.ones(GRID.shape)), file)
    assert [path.name for path in tmp_path.iterdir()] == ["soil.tif"]


def test_names_without_colours_and_colours_without_names(tmp_path):
    file = write_geotiff(classes(), tmp_path / "a.tif")
    assert list(table_of(file)[0]) == ["Value", "Count", "Class"]
    with rasterio.open(file) as opened:
        assert opened.colorinterp[0].name == "gray"
    bare = classes().assign_attrs(nodata=0)
    bare.attrs = {"nodata": 0}
    file = write_geotiff(bare, tmp_path / "b.tif", colours=COLOURS)
    assert [row["Class"] for row in table_of(file)] == ["1", "2", "4"]
    assert legend_of(bare) is None
    assert legend_of(bare.astype(float)) is None


@pytest.mark.parametrize("dtype", ["int16", "int32"])
def test_wider_codes_have_a_table_but_no_colour_table(tmp_path, dtype):
    file = write_geotiff(classes(dtype), tmp_path / "a.tif", colours=COLOURS)
    assert len(table_of(file)) == 4
    with rasterio.open(file) as opened:
        assert opened.colorinterp[0].name == "gray"
    negative = Legend({-5: "a", 3: "b"}, {}, {}, None)
    assert "<Category>" not in sidecar_text(negative, bands=1)
    assert "<Category>" not in sidecar_text(Legend({256: "a"}, {}, {}, None), bands=1)


def test_sums_of_bits_are_named_by_their_bits(tmp_path):
    codes = GRID.raster(np.zeros(GRID.shape, dtype=np.uint8), name="support")
    codes[0, :5] = [1, 2, 3, 6, 255]
    codes.attrs = {
        "nodata": 255,
        "flag_masks": np.array([1, 2, 4], dtype=np.uint8),
        "flag_meanings": "far few beyond_samples",
    }
    file = write_geotiff(codes, tmp_path / "a.tif")
    assert {row["Value"]: row["Class"] for row in table_of(file)} == {
        "0": NO_BIT,
        "1": "far",
        "2": "few",
        "3": "far; few",
        "6": "few; beyond samples",
    }
    back = read_geotiff(file)
    np.testing.assert_array_equal(back.attrs["flag_masks"], [1, 2, 4])
    assert back.attrs["flag_meanings"] == "far few beyond_samples"
    again = write_geotiff(back, tmp_path / "b.tif")
    assert sidecar_of(again).read_bytes() == sidecar_of(file).read_bytes()


def test_every_band_has_the_names_and_no_count(tmp_path):
    both = xr.concat([classes(), classes()], dim="period", combine_attrs="override")
    file = write_geotiff(both, tmp_path / "a.tif", colours=COLOURS)
    bands = ET.parse(sidecar_of(file)).getroot().findall("PAMRasterBand")
    assert [one.get("band") for one in bands] == ["1", "2"]
    assert "Count" not in table_of(file)[0]


def test_values_and_meanings_that_do_not_match_are_refused(tmp_path):
    wrong = classes(flag_meanings="wet dry")
    with pytest.raises(InputError, match=r"4 flag_values \(1, 2, 3, 4\) but 2 flag_"):
        write_geotiff(wrong, tmp_path / "a.tif")
    assert list(tmp_path.iterdir()) == []


def test_tags_of_other_programs_are_no_flags():
    for tags in (
        {},
        {"flag_values": "1 2"},
        {"flag_values": "a b", "flag_meanings": "c d"},
        {"flag_values": "1 2", "flag_meanings": "one"},
        {"flag_values": "1 300", "flag_meanings": "one two"},
    ):
        assert flags_of(tags, np.dtype("uint8")) == {}


@given(
    names=st.dictionaries(
        st.integers(-300, 300),
        st.text(st.characters(exclude_categories=["C"]), min_size=1),
        min_size=1,
    )
)
def test_any_name_makes_sound_xml(names):
    legend = Legend(dict(sorted(names.items())), {}, {}, None)
    root = ET.fromstring(sidecar_text(legend, bands=1))
    rows = root.findall("PAMRasterBand/GDALRasterAttributeTable/Row")
    assert [(int(r[0].text), r[1].text) for r in rows] == sorted(names.items())
