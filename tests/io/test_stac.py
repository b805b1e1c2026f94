"""A STAC collection is valid, whole and the same again, and moves with its files."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pystac
import pytest
from pystac.errors import STACValidationError

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.io.stac import (
    EXTENSIONS,
    CollectionWords,
    RasterItem,
    file_fields,
    write_collection,
)
from tests.io.stac_validation import SCHEMAS, validate

GRID = Grid.from_bounds((95.0, 33.0, 96.0, 34.0), 0.25, "EPSG:4326")
METRES = Grid.from_bounds((300000.0, 3700000.0, 304000.0, 3703000.0), 1000.0, 32647)
START, END = datetime(2020, 6, 1, tzinfo=UTC), datetime(2020, 6, 30, tzinfo=UTC)
WORDS = CollectionWords("study", "A study", "SIMULATED: none", ("soil water",))


def values(grid: Grid) -> np.ndarray:
    found = np.linspace(0.0, 1.0, int(np.prod(grid.shape))).reshape(grid.shape)
    found[0, :2] = np.nan
    return found


def raster(path: Path, grid: Grid = GRID) -> RasterItem:
    layer = grid.raster(values(grid).astype("float32"), name=path.stem)
    layer.attrs = {"units": "1", "long_name": "fraction of rain"}
    write_geotiff(layer, path, description="fraction of rain, June")
    return RasterItem(
        path,
        f"Fraction {path.stem}",
        "SIMULATED: fraction of rain",
        START,
        END,
        keywords=("rain",),
        lineage="kriging",
        software={"geosoil": "0.1.0"},
    )


@pytest.fixture
def written(tmp_path: Path) -> list[Path]:
    results = tmp_path / "out"
    items = [
        raster(results / "rain.tif"),
        replace(
            raster(results / "ice.tif", METRES), end=datetime(2021, 1, 1, tzinfo=UTC)
        ),
    ]
    style = results / "rain.qml"
    style.write_text("<qgis/>")
    items[0] = replace(items[0], style=style)
    other = results / "results.gpkg"
    other.write_bytes(b"not read")
    return write_collection(WORDS, items, results / "stac", files=[other])


def told(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_file_is_valid_against_core_and_extensions(written) -> None:
    held = [validate(told(path)) for path in written]
    for schemas in held[1:]:
        assert set(EXTENSIONS.values()) <= set(schemas)
    assert EXTENSIONS["file"] in held[0]
    assert [path.name for path in written] == [
        "collection.json",
        "rain.json",
        "ice.json",
    ]


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("properties", "proj:transform"), [1.0]),
        (("properties", "processing:software"), "geosoil"),
        (("assets", "data", "file:checksum"), "XYZ"),
        (("assets", "data", "raster:sampling"), "everywhere"),
        (("assets", "data", "bands"), [{"data_type": "float99"}]),
        (("properties", "start_datetime"), None),
    ],
)
def test_the_schemas_refuse_what_is_wrong(written, place, value) -> None:
    item = told(written[1])
    part = item
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(STACValidationError):
        validate(item)


def test_checksums_and_sizes_are_those_of_the_files(written) -> None:
    found = 0
    for path in written:
        for asset in told(path)["assets"].values():
            file = (path.parent / asset["href"]).resolve()
            data = file.read_bytes()
            assert asset["file:checksum"] == "1220" + hashlib.sha256(data).hexdigest()
            assert asset["file:size"] == len(data)
            found += 1
    assert found == 4


def test_all_links_are_relative_and_lead_to_files_wherever_they_lie(
    written, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(tmp_path / "out", moved)
    for path in moved.glob("stac/**/*.json"):
        content = told(path)
        things = [*content["links"], *content["assets"].values()]
        for thing in things:
            assert not Path(thing["href"]).is_absolute()
            assert (path.parent / thing["href"]).is_file()
        assert str(tmp_path) not in path.read_text()
    collection = pystac.Collection.from_file(str(moved / "stac" / "collection.json"))
    items = list(collection.get_items())
    assert [item.id for item in items] == ["rain", "ice"]
    assert items[0].get_parent() is collection
    assert collection.catalog_type == pystac.CatalogType.SELF_CONTAINED


def test_an_item_tells_grid_time_unit_and_statistics(written) -> None:
    item = told(written[1])
    properties = item["properties"]
    assert properties["proj:code"] == "EPSG:4326"
    assert properties["proj:shape"] == [4, 4]
    assert properties["proj:transform"] == [0.25, 0.0, 95.0, 0.0, -0.25, 34.0]
    assert properties["start_datetime"] == "2020-06-01T00:00:00Z"
    assert properties["datetime"] is None
    assert properties["processing:lineage"] == "kriging"
    assert item["bbox"] == [95.0, 33.0, 96.0, 34.0]
    band = item["assets"]["data"]["bands"][0]
    known = values(GRID).astype("float32").astype(float)
    known = known[np.isfinite(known)]
    assert band["unit"] == "1"
    assert band["nodata"] == -9999.0
    assert band["data_type"] == "float32"
    assert band["statistics"] == {
        "valid_percent": 87.5,
        "minimum": known.min(),
        "maximum": known.max(),
        "mean": pytest.approx(known.mean(), rel=1e-14),
        "stddev": pytest.approx(known.std(), rel=1e-14),
    }


def test_a_grid_in_metres_has_its_box_in_degrees(written) -> None:
    item = told(written[2])
    west, south, east, north = item["bbox"]
    assert 96.8 < west < east < 96.95
    assert 33.40 < south < north < 33.46
    assert item["properties"]["proj:code"] == "EPSG:32647"
    assert item["properties"]["proj:bbox"] == [3e5, 3.7e6, 3.04e5, 3.703e6]


def test_the_collection_spans_its_items(written) -> None:
    collection = told(written[0])
    boxes = np.array([told(path)["bbox"] for path in written[1:]])
    extent = collection["extent"]
    assert extent["spatial"]["bbox"][0][:2] == boxes[:, :2].min(axis=0).tolist()
    assert extent["spatial"]["bbox"][0][2:] == boxes[:, 2:].max(axis=0).tolist()
    assert extent["temporal"]["interval"] == [
        ["2020-06-01T00:00:00Z", "2021-01-01T00:00:00Z"]
    ]
    assert collection["license"] == "other"
    assert "SIMULATED" in collection["description"]


def test_a_crs_without_a_code_is_written_out(tmp_path: Path) -> None:
    own = "+proj=aea +lat_1=25 +lat_2=47 +lon_0=105 +datum=WGS84 +units=m"
    grid = Grid.from_bounds((0.0, 4e6, 2000.0, 4.002e6), 1000.0, own)
    item = raster(tmp_path / "rain.tif", grid)
    path = write_collection(WORDS, [item], tmp_path / "stac")[1]
    properties = told(path)["properties"]
    assert properties["proj:code"] is None
    assert "Albers" in properties["proj:wkt2"]
    validate(told(path))


def test_codes_have_no_mean(tmp_path: Path) -> None:
    item = replace(raster(tmp_path / "rain.tif"), is_classes=True)
    path = write_collection(WORDS, [item], tmp_path / "stac")[1]
    band = told(path)["assets"]["data"]["bands"][0]
    assert band["statistics"] == {"valid_percent": 87.5}


def test_the_same_rasters_give_the_same_bytes(tmp_path: Path) -> None:
    item = raster(tmp_path / "rain.tif")
    first = [p.read_bytes() for p in write_collection(WORDS, [item], tmp_path / "stac")]
    again = [p.read_bytes() for p in write_collection(WORDS, [item], tmp_path / "stac")]
    assert first == again


def test_rasters_of_one_name_and_empty_collections_are_refused(tmp_path: Path) -> None:
    items = [raster(tmp_path / "a" / "rain.tif"), raster(tmp_path / "b" / "rain.tif")]
    with pytest.raises(InputError, match="same name rain"):
        write_collection(WORDS, items, tmp_path / "stac")
    with pytest.raises(InputError, match="no item"):
        write_collection(WORDS, [], tmp_path / "stac")
    assert not (tmp_path / "stac").exists()


def test_the_kept_schemas_are_those_that_the_note_names() -> None:
    note = (SCHEMAS / "README.md").read_text(encoding="utf-8")
    files = sorted(SCHEMAS.glob("*.json"))
    assert len(files) == len(EXTENSIONS)
    for file in files:
        assert hashlib.sha256(file.read_bytes()).hexdigest() in note
        address = json.loads(file.read_text(encoding="utf-8"))["$id"].rstrip("#")
        assert address in EXTENSIONS.values()


def test_a_checksum_is_a_multihash_of_sha256(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert file_fields(file) == {"file:size": 0, "file:checksum": "1220" + empty}
