"""One GeoPackage of samples, sites, stations, basins and tables, drawn as we draw."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import Point

from geosoil.plotting.style import WATER_STYLES
from geosoil.workflow.named_places import named_places, on_the_map
from geosoil.workflow.results_package import (
    DESCRIPTIONS,
    flagged_samples,
    sites_with_intervals,
    write_results_package,
)
from tests.workflow.outputs_cases import (
    small_inputs,
    small_joined,
    small_results,
    small_samples,
)


def package(folder: Path, **changes) -> Path:
    samples = small_samples()
    inputs = replace(small_inputs(samples), **changes)
    joined = small_joined(inputs.samples)
    return write_results_package(inputs, small_results(), joined, folder)


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    return package(tmp_path_factory.mktemp("package"))


def words(path: Path) -> dict[str, str]:
    table = pyogrio.read_dataframe(path, layer="about")
    return dict(zip(table["subject"], table["words"], strict=True))


def test_every_layer_is_there_described_and_in_degrees(written) -> None:
    names = {str(name): kind for name, kind in pyogrio.list_layers(written)}
    assert set(names) == {*DESCRIPTIONS, "layer_styles"}
    for name, kind in names.items():
        if kind is not None:
            assert pyogrio.read_info(written, layer=name)["crs"] == "EPSG:4326"
    with closing(sqlite3.connect(written)) as base:
        told = dict(base.execute("SELECT table_name, description FROM gpkg_contents"))
    for name, description in DESCRIPTIONS.items():
        assert told[name] == f"{description}; simulated: yes: no measured data"


def test_all_samples_are_there_as_they_were_read(written) -> None:
    samples = small_samples()
    back = pyogrio.read_dataframe(written, layer="samples")
    assert len(back) == len(samples)
    for name in samples.columns.drop(["geometry", "date"]):
        pd.testing.assert_series_equal(
            back[name].astype(object).where(back[name].notna(), None),
            samples[name].astype(object).where(samples[name].notna(), None),
            check_dtype=False,
        )
    assert back["note"].iloc[1] == "=1+1"
    assert back.geometry.isna().tolist() == samples.geometry.isna().tolist()
    joined = pyogrio.read_dataframe(written, layer="joined")
    assert joined["ndvi"].notna().sum() == len(samples) - 1


def test_qgis_draws_waters_as_the_figures_do(written) -> None:
    styles = pyogrio.read_dataframe(written, layer="layer_styles")
    assert styles["f_table_name"].tolist() == [
        "samples",
        "joined",
        "fractions_sites",
        "stations",
        "basins",
    ]
    assert styles["useAsDefault"].all()
    root = ET.fromstring(styles["styleQML"].iloc[0])
    classes = [one.attrib["value"] for one in root.iterfind(".//category")]
    assert classes == ["soil", "precipitation", "river", "deep_groundwater"]
    soil = root.find(".//symbol[@name='0']//Option[@name='color']").attrib["value"]
    red, green, blue, _ = (int(part) for part in soil.split(","))
    assert f"#{red:02x}{green:02x}{blue:02x}" == WATER_STYLES["soil"].colour
    root = ET.fromstring(styles["styleQML"].iloc[2])
    assert root.find("renderer-v2").attrib["attr"] == "fraction_precipitation"
    assert len(root.findall(".//range")) == 5


def test_basins_have_the_area_of_all_their_parts(written) -> None:
    basins = pyogrio.read_dataframe(written, layer="basins")
    geod = Geod(ellps="WGS84")
    expected = []
    for shape in small_inputs(small_samples()).region.geometry:
        parts = getattr(shape, "geoms", [shape])
        each = [abs(geod.geometry_area_perimeter(part)[0]) / 1e6 for part in parts]
        expected.append(sum(each))
    np.testing.assert_allclose(basins["area_km2"], expected, rtol=1e-12)


def test_rings_that_turn_differently_do_not_take_area_away(tmp_path: Path) -> None:
    region = small_inputs(small_samples()).region
    parts = list(region.geometry.iloc[0].geoms)
    turned = type(region.geometry.iloc[0])([parts[0].reverse(), parts[1]])
    changed = region.set_geometry([turned, region.geometry.iloc[1]])
    one = pyogrio.read_dataframe(package(tmp_path / "a"), layer="basins")
    two = pyogrio.read_dataframe(
        package(tmp_path / "b", region=changed), layer="basins"
    )
    np.testing.assert_allclose(two["area_km2"], one["area_km2"], rtol=1e-12)


def test_sites_have_intervals_that_hold_their_fraction(written) -> None:
    sites = pyogrio.read_dataframe(written, layer="fractions_sites")
    low, high = (sites[f"fraction_precipitation_{end}"] for end in ("lower", "upper"))
    np.testing.assert_allclose(low, [0.054, 1.0, np.nan])
    np.testing.assert_allclose(high, [0.446, 1.0, np.nan])


@given(raw=st.floats(-3.0, 3.0), sd=st.floats(0.0, 5.0), given_=st.floats(0.0, 1.0))
def test_intervals_lie_within_0_and_1_around_the_fraction(raw, sd, given_) -> None:
    sites = pd.DataFrame(
        {
            "longitude": [95.0],
            "latitude": [33.0],
            "fraction_rain": [given_],
            "fraction_rain_raw": [raw],
            "fraction_rain_sd": [sd],
        }
    )
    row = sites_with_intervals(sites, ["rain"]).iloc[0]
    low, high = row["fraction_rain_lower"], row["fraction_rain_upper"]
    assert 0.0 <= low <= given_ <= high <= 1.0


def test_quality_rules_say_what_they_flag() -> None:
    samples = small_samples()
    samples.loc[3, "d18O"] = 15.0
    flagged = flagged_samples(samples)
    assert flagged.loc[3, "quality_rules"] != ""
    assert flagged.loc[3, "quality_reasons"] != ""
    assert flagged.columns[:-2].tolist() == samples.columns.tolist()
    pd.testing.assert_frame_equal(flagged[samples.columns], samples)
    bare = samples.drop(columns=["d18O", "d2H"])
    assert (flagged_samples(bare)["quality_rules"] == "").all()


def test_stations_are_the_places_of_rain(written) -> None:
    stations = pyogrio.read_dataframe(written, layer="stations")
    assert stations[["site_id", "n"]].to_numpy().tolist() == [["precipitation-2", 2]]
    samples = small_samples()
    assert (
        named_places(samples[samples["water"] != "precipitation"], "precipitation")
        is None
    )
    assert named_places(samples.drop(columns="site_id"), "precipitation") is None
    many = gpd.GeoDataFrame(
        {"water": "precipitation", "site_id": [f"s{n}" for n in range(41)]},
        geometry=gpd.points_from_xy(range(41), [0] * 41),
        crs=4326,
    )
    assert named_places(many, "precipitation") is None
    assert len(named_places(many[:40], "precipitation")) == 40


def test_a_place_without_position_is_counted_but_not_on_the_map() -> None:
    samples = gpd.GeoDataFrame(
        {
            "water": "precipitation",
            "site_id": ["b", "a", "b", "a"],
            "elevation": [None, 4000.0, 4100.0, 4200.0],
        },
        geometry=[None, None, Point(97, 34), None],
        crs=4326,
    )
    places = named_places(samples, "precipitation")
    assert places[["site_id", "elevation", "n"]].to_numpy().tolist() == [
        ["b", 4100.0, 2],
        ["a", 4000.0, 2],
    ]
    located = on_the_map(places)
    assert located["site_id"].tolist() == ["b"]
    assert located.geometry.iloc[0].equals(Point(97, 34))
    assert on_the_map(places[1:]) is None


def test_what_the_study_lacks_is_left_out_and_told(tmp_path: Path) -> None:
    samples = small_samples()
    path = package(
        tmp_path,
        region=None,
        samples=samples[samples["water"] != "precipitation"],
    )
    names = {str(name) for name, _ in pyogrio.list_layers(path)}
    assert not names & {"basins", "stations"}
    told = words(path)
    assert "no region" in told["no layer basins"]
    assert "no sample of precipitation" in told["no layer stations"]
    assert told["no map of June"] == "too few sites"
    assert told["simulated"] == "yes: no measured data"


def test_a_projected_study_is_written_in_degrees(tmp_path: Path) -> None:
    samples = small_samples()
    moved = samples.to_crs(32647)
    moved.attrs = samples.attrs
    path = package(tmp_path, samples=moved)
    back = pyogrio.read_dataframe(path, layer="samples")
    np.testing.assert_allclose(
        back.total_bounds, samples.total_bounds, rtol=0, atol=1e-9
    )


def test_the_same_results_give_the_same_bytes(written, tmp_path: Path) -> None:
    assert package(tmp_path).read_bytes() == written.read_bytes()
