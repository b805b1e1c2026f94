"""GeoPackages: layers come back as they were written, or nothing is left."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio
import pytest
from shapely import Point

from geosoil.errors import GeosoilError, InputError
from geosoil.io.geopackage import write_geopackage


@pytest.fixture
def points() -> gpd.GeoDataFrame:
    table = {
        "sample_id": ["a", "b", "c"],
        "d18O": [-12.5, None, -9.0],
        "vegetation": pd.Categorical(["meadow", None, "forest"]),
        "date": pd.to_datetime(["2020-06-03", None, "2020-08-01"]),
        "on_edge": [True, False, True],
        "mixed": ["x", 3, None],
    }
    shapes = [Point(95.2, 34.1), Point(), Point(96.0, 33.0)]
    return gpd.GeoDataFrame(table, geometry=shapes, crs=4326)


def test_layers_come_back(points, tmp_path: Path) -> None:
    sources = pd.DataFrame({"column": ["ndvi"], "file": ["a.tif"]})
    path = write_geopackage(
        {"samples": points, "sources": sources}, tmp_path / "o.gpkg"
    )
    assert {name for name, _ in pyogrio.list_layers(path)} == {"samples", "sources"}
    back = pyogrio.read_dataframe(path, layer="samples")
    assert back.crs == points.crs
    assert back["sample_id"].tolist() == ["a", "b", "c"]
    assert back["d18O"].isna().tolist() == [False, True, False]
    assert back["vegetation"].fillna("-").tolist() == ["meadow", "-", "forest"]
    assert back["date"].dt.strftime("%Y-%m-%d").iloc[0] == "2020-06-03"
    assert back["mixed"].tolist()[:2] == ["x", "3"]
    assert back.geometry.iloc[0].equals(points.geometry.iloc[0])
    assert back.geometry.isna().iloc[1] or back.geometry.iloc[1].is_empty
    assert pyogrio.read_dataframe(path, layer="sources")["file"].tolist() == ["a.tif"]


def test_an_old_file_is_replaced_whole(points, tmp_path: Path) -> None:
    path = tmp_path / "o.gpkg"
    write_geopackage({"first": points}, path)
    write_geopackage({"second": points[:1]}, path)
    assert [name for name, _ in pyogrio.list_layers(path)] == ["second"]
    assert [file.name for file in tmp_path.iterdir()] == ["o.gpkg"]


def test_a_failed_write_leaves_the_old_file(points, tmp_path: Path) -> None:
    path = write_geopackage({"first": points}, tmp_path / "o.gpkg")
    before = path.read_bytes()
    bad = pd.DataFrame({"a": [1 + 2j]})
    with pytest.raises((GeosoilError, TypeError)):
        write_geopackage({"first": points, "second": bad}, path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["o.gpkg"]


@pytest.mark.parametrize("name", ["o.shp", "o"])
def test_other_names_are_refused(points, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"ends in \.gpkg"):
        write_geopackage({"samples": points}, tmp_path / name)
    with pytest.raises(InputError, match="given: none"):
        write_geopackage({}, tmp_path / "o.gpkg")
