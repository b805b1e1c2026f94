"""GeoPackages: layers come back as they were written, or nothing is left."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path

import geopandas as gpd
import hypothesis
import numpy as np
import pandas as pd
import pyogrio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, box

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


def test_the_same_layers_give_the_same_bytes(points, tmp_path: Path) -> None:
    basins = gpd.GeoDataFrame(
        {"name": ["west", "east"]},
        geometry=[box(0, 0, 1, 1), MultiPolygon([box(2, 0, 3, 1), box(4, 0, 5, 1)])],
        crs=4326,
    )
    layers = {"samples": points, "basins": basins, "words": pd.DataFrame({"a": ["b"]})}
    written = []
    for name in ("first", "second"):
        path = write_geopackage(
            layers,
            tmp_path / f"{name}.gpkg",
            styles={"samples": "<qgis/>"},
            descriptions={"basins": "parts of the region"},
        )
        written.append(path.read_bytes())
        time.sleep(1.1)  # a clock of seconds would show
    assert written[0] == written[1]


def test_the_file_tells_no_time_and_wastes_no_page(points, tmp_path: Path) -> None:
    path = write_geopackage(
        {"samples": points}, tmp_path / "o.gpkg", styles={"samples": "<qgis/>"}
    )
    with closing(sqlite3.connect(path)) as base:
        told = base.execute("SELECT table_name, last_change FROM gpkg_contents")
        assert set(told) == {
            ("samples", "1970-01-01T00:00:00.000Z"),
            ("layer_styles", "1970-01-01T00:00:00.000Z"),
        }
        assert base.execute("SELECT update_time FROM layer_styles").fetchall() == [
            ("1970-01-01T00:00:00.000Z",)
        ]
        assert base.execute("PRAGMA freelist_count").fetchone() == (0,)
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert base.execute("PRAGMA user_version").fetchone() == (10300,)
        fids = base.execute("SELECT fid, sample_id FROM samples").fetchall()
    assert fids == [(1, "a"), (2, "b"), (3, "c")]


def test_qgis_finds_the_symbols_where_it_looks_for_them(points, tmp_path: Path) -> None:
    words = pd.DataFrame({"a": ["b"]})
    path = write_geopackage(
        {"words": words, "samples": points},
        tmp_path / "o.gpkg",
        styles={"samples": "<qgis/>", "words": "<qgis version='3'/>"},
        descriptions={"samples": "water samples"},
    )
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute(
            "SELECT f_table_catalog, f_table_schema, f_table_name, f_geometry_column, "
            "styleQML, useAsDefault FROM layer_styles ORDER BY id"
        ).fetchall()
        told = base.execute(
            "SELECT description FROM gpkg_contents WHERE table_name = 'samples'"
        ).fetchone()
    assert rows == [
        ("", "", "words", "", "<qgis version='3'/>", 1),
        ("", "", "samples", "geom", "<qgis/>", 1),
    ]
    assert told == ("water samples",)


def test_days_stay_days_and_times_are_utc(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=8))
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(["2020-06-03", None]),
            "instant": pd.to_datetime(["2020-06-03 07:30:15.25", None]),
            "local": [datetime(2020, 6, 3, 8, 0, tzinfo=zone), pd.NaT],
        }
    )
    path = write_geopackage({"days": table}, tmp_path / "o.gpkg")
    with closing(sqlite3.connect(path)) as base:
        rows = base.execute("SELECT day, instant, local FROM days").fetchall()
    assert rows == [
        ("2020-06-03", "2020-06-03T07:30:15.250Z", "2020-06-03T00:00:00.000Z"),
        (None, None, None),
    ]


def test_polygons_of_one_and_of_several_parts_share_a_layer(tmp_path: Path) -> None:
    shapes = [box(0, 0, 1, 1), MultiPolygon([box(2, 0, 3, 1)]), None]
    basins = gpd.GeoDataFrame({"n": [1, 2, 3]}, geometry=shapes, crs=32646)
    path = write_geopackage({"basins": basins}, tmp_path / "o.gpkg")
    back = pyogrio.read_dataframe(path)
    assert back.geom_type.tolist()[:2] == ["MultiPolygon"] * 2
    assert back.geometry.isna().tolist() == [False, False, True]
    assert back.crs == basins.crs
    assert back.geometry.iloc[0].equals(shapes[0])


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        (["fid", "a"], "columns fid"),
        (["n", "N"], "columns n, N"),
        (["Geom"], "columns Geom"),
    ],
)
def test_columns_that_cannot_be_are_all_told(columns, words, tmp_path: Path) -> None:
    table = pd.DataFrame([[1] * len(columns)], columns=columns)
    places = gpd.GeoDataFrame(table, geometry=[Point(1, 2)], crs=4326)
    with pytest.raises(InputError, match=words) as told:
        write_geopackage(
            {"places": places, "layer_styles": pd.DataFrame({"a": [1]})},
            tmp_path / "o.gpkg",
            styles={"absent": "<qgis/>"},
        )
    assert "table of the symbols" in str(told.value)
    assert "no layer: absent" in str(told.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["rows", "values", "gaps", "shapes"])
def test_a_file_that_holds_something_else_is_refused(
    part: str, points, tmp_path: Path, monkeypatch
) -> None:
    path = write_geopackage({"samples": points}, tmp_path / "o.gpkg")
    before = path.read_bytes()
    read = pyogrio.read_dataframe

    def changed(*args, **kwargs):
        found = read(*args, **kwargs)
        if part == "rows":
            return found.iloc[:-1]
        if part == "shapes":
            found.loc[0, "geometry"] = Point(0, 0)
        else:
            found.loc[0, "d18O"] = None if part == "gaps" else -12.500000001
        return found

    monkeypatch.setattr(pyogrio, "read_dataframe", changed)
    with pytest.raises(GeosoilError, match=r"'samples' (holds 2 of 3|differs in)"):
        write_geopackage({"samples": points}, path)
    assert path.read_bytes() == before


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.tuples(
            st.none() | st.floats(allow_nan=False, allow_infinity=False),
            st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
            st.booleans(),
            st.integers(-(2**62), 2**62),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_every_table_comes_back_to_the_bit(rows, tmp_path: Path) -> None:
    hypothesis.assume(all("\x00" not in (row[1] or "") for row in rows))
    table = pd.DataFrame(rows, columns=["number", "text", "flag", "whole"])
    table["number"] = table["number"].astype(float)
    path = write_geopackage({"table": table}, tmp_path / "o.gpkg")
    back = pyogrio.read_dataframe(path)
    for name in ("number", "flag", "whole"):
        np.testing.assert_array_equal(back[name], table[name])
    assert [None if pd.isna(one) else one for one in back["text"]] == [
        row[1] for row in rows
    ]
