"""Each raster of a run is found by its title and its time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import GeosoilWarning
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.stac_files import times_of, write_stac
from tests.io.stac_validation import validate
from tests.workflow.outputs_cases import GRID, small_inputs, small_samples

RASTERS = {
    "fraction_snowmelt_June": (
        "fraction of snowmelt in soil water, June",
        {"period": "June", "method": "kriging"},
    ),
    "correlation_ndvi_soil_moisture_June_r": (
        "r of ndvi and soil_moisture over time, June 2001-2020",
        {"method": "pearson r over time", "support_x": "cell"},
    ),
}


def rasters(folder: Path) -> list[Path]:
    share = np.linspace(0.0, 1.0, int(np.prod(GRID.shape))).reshape(GRID.shape)
    paths = []
    for name, (words, tags) in RASTERS.items():
        layer = GRID.raster(share.astype("float32"))
        layer.attrs = {"units": "1", "long_name": words}
        path = folder / f"{name}.tif"
        paths.append(write_geotiff(layer, path, description=words, tags=tags))
    style = folder / "fraction_snowmelt_June.qml"
    style.write_text("<qgis/>")
    table = folder / "tables" / "a.csv"
    package = folder / "results.gpkg"
    package.write_bytes(b"gpkg")
    return [*paths, style, table, package]


def told(path: Path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def test_rasters_become_valid_items_with_titles_times_and_styles(
    tmp_path: Path,
) -> None:
    inputs = small_inputs(small_samples())
    paths = write_stac(inputs, rasters(tmp_path), tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "stac/collection.json",
        *(f"stac/items/{name}.json" for name in RASTERS),
    ]
    for path in paths:
        validate(told(path))
    snow, r = (told(path) for path in paths[1:])
    assert snow["properties"]["title"] == "Source fraction of snowmelt, June"
    assert snow["properties"]["start_datetime"] == "2020-06-01T00:00:00Z"
    assert snow["properties"]["end_datetime"] == "2020-06-30T23:59:59Z"
    assert snow["properties"]["processing:lineage"] == "kriging"
    assert snow["assets"]["style"]["href"] == "../../fraction_snowmelt_June.qml"
    assert r["properties"]["start_datetime"] == "2001-06-01T00:00:00Z"
    assert r["properties"]["end_datetime"] == "2020-06-30T23:59:59Z"
    assert "style" not in r["assets"]
    for item in (snow, r):
        assert item["properties"]["description"].startswith("SIMULATED")
    collection = told(paths[0])
    assert list(collection["assets"]) == ["results"]
    assert collection["description"].startswith("SIMULATED")
    assert collection["id"] == "small-study"


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    inputs = small_inputs(small_samples())
    written = rasters(tmp_path)
    first = [path.read_bytes() for path in write_stac(inputs, written, tmp_path)]
    again = [path.read_bytes() for path in write_stac(inputs, written, tmp_path)]
    assert first == again


def test_what_was_measured_is_not_called_simulated(tmp_path: Path) -> None:
    inputs = small_inputs(small_samples(), simulated=False)
    for path in write_stac(inputs, rasters(tmp_path), tmp_path):
        assert "SIMULATED" not in path.read_text()


def test_rasters_without_any_date_are_left_out_and_told(tmp_path: Path) -> None:
    inputs = small_inputs(small_samples().drop(columns="date"))
    with pytest.warns(GeosoilWarning, match=r"1 rasters are not .*fraction_snowmelt"):
        paths = write_stac(inputs, rasters(tmp_path), tmp_path)
    assert [path.name for path in paths[1:]] == [
        "correlation_ndvi_soil_moisture_June_r.json"
    ]
    with pytest.warns(GeosoilWarning, match="1 rasters"):
        assert write_stac(inputs, rasters(tmp_path)[:1], tmp_path) == []


@pytest.mark.parametrize(
    ("period", "start", "end"),
    [
        ("June 2001-2020", "2001-06-01T00:00:00", "2020-06-30T23:59:59"),
        ("June 2001\N{EN DASH}2020", "2001-06-01T00:00:00", "2020-06-30T23:59:59"),
        ("February 2020", "2020-02-01T00:00:00", "2020-02-29T23:59:59"),
        ("2020", "2020-01-01T00:00:00", "2020-12-31T23:59:59"),
        ("2020-05", "2020-05-01T00:00:00", "2020-05-31T23:59:59"),
        ("2020-06-03 to 2020-07-04", "2020-06-03T00:00:00", "2020-07-04T23:59:59"),
        ("June", "2019-06-01T00:00:00", "2021-06-30T23:59:59"),
        ("", "2019-01-01T00:00:00", "2021-12-31T23:59:59"),
    ],
)
def test_words_for_a_time_give_its_ends(period: str, start: str, end: str) -> None:
    found = times_of(period, small_samples((2019, 2021)))
    assert [time.replace(tzinfo=None).isoformat() for time in found] == [start, end]


def test_no_year_is_invented() -> None:
    assert times_of("June", pd.DataFrame({"water": [], "period": []})) is None
    assert times_of("", pd.DataFrame()) is None
    assert times_of("May", small_samples()) is None
