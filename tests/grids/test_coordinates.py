"""Positions of sites: what is suspected, with what sureness, and what is left alone."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import box

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.coordinates import CoordinateTolerance, check_coordinates
from geosoil.grids.grid import Grid
from geosoil.grids.readings import from_degrees_minutes
from geosoil.simulate.inputs import read_basins, read_elevation, read_paper_table

RENAMED = {"lat_printed": "latitude", "lon_printed": "longitude", "elev_m": "elevation"}


@pytest.fixture(scope="module")
def printed() -> pd.DataFrame:
    return read_paper_table("stations").rename(columns=RENAMED)


@pytest.fixture(scope="module")
def report(printed) -> pd.DataFrame:
    return check_coordinates(
        printed, elevation=read_elevation(), region=read_basins()
    ).set_index("site")


STATIONS = ["Zhimenda", "Tuotuohe", "Zaduo", "Dari", "Maduo"]


def test_the_papers_stations_are_suspected_of_degrees_minutes(report) -> None:
    stations = report.loc[STATIONS]
    assert stations["flags"].str.contains("degrees_minutes").all()
    assert stations["chance"].tolist() == pytest.approx([0.6**10] * 5)
    assert stations["reason"].str.contains("degrees.minutes likely: all 10").all()


def test_the_degrees_minutes_reading_fits_the_ground_no_worse(report, printed) -> None:
    stations = report.loc[STATIONS]
    judged = printed.set_index("name").loc[STATIONS]
    for axis, column in (
        ("latitude", "lat_if_deg_min"),
        ("longitude", "lon_if_deg_min"),
    ):
        read = stations[f"{axis}_degrees_minutes"].to_numpy()
        np.testing.assert_allclose(read, judged[column], atol=6e-5)
    assert (stations["off_degrees_minutes"] <= stations["off"]).all()
    assert (stations["off_degrees_minutes"] < stations["off"]).sum() == 3
    assert stations["off_degrees_minutes"].mean() < stations["off"].mean() - 40
    assert (stations["outside_degrees_minutes"] == 0).all()


def test_the_glaciers_are_not_suspected(report) -> None:
    glaciers = report[report["set"] == "glacier meltwater"]
    assert len(glaciers) == 5
    assert not glaciers["flags"].str.contains("degrees_minutes").any()
    assert (glaciers["chance"] > 0.5).all()
    assert glaciers["latitude_degrees_minutes"].isna().sum() == 3
    assert report.loc["Halong glacier", "flags"] == "elevation"


def test_one_set_of_all_sites_says_how_unsure_it_is(printed) -> None:
    table = check_coordinates(printed.drop(columns="kind")).set_index("site")
    assert (table["set"] == "all").all()
    assert 0.05 < table["chance"].iloc[0] < 0.2
    assert not table["flags"].str.contains("degrees_minutes").any()
    assert "possible, not proven" in table.loc["Dari", "reason"]


def test_zhimenda_is_noticed_to_carry_the_position_of_tuotuohe(report) -> None:
    flagged = report.index[report["flags"].str.contains("same_place")]
    assert flagged.tolist() == ["Zhimenda", "Tuotuohe"]
    assert "9.1 km from Tuotuohe" in report.loc["Zhimenda", "reason"]
    assert "elevation" in report.loc["Zhimenda", "flags"].split(",")


def test_zhimenda_is_noticed_without_an_elevation_model(printed) -> None:
    alone = check_coordinates(printed)
    flagged = alone["site"][alone["flags"].str.contains("same_place")]
    assert flagged.tolist() == ["Zhimenda", "Tuotuohe"]


def test_neighbours_in_mountains_are_left_alone() -> None:
    grid = Grid.from_bounds((90, 30, 91, 31), 0.1, "EPSG:4326")
    ground = grid.raster(np.tile(np.linspace(3000, 5000, 10), (10, 1)))
    table = sites(
        latitude=[30.555, 30.556], longitude=[90.511, 90.622], elevation=[4100, 4400]
    )
    assert check_coordinates(table, elevation=ground)["flags"].tolist() == ["", ""]


def sites(**columns) -> pd.DataFrame:
    return pd.DataFrame(
        {"name": list("abcdefgh")[: len(columns["latitude"])], **columns}
    )


@given(st.integers(0, 10_000))
def test_minutes_are_read_back_as_they_were_written(seed) -> None:
    rng = np.random.default_rng(seed)
    degrees, minutes = rng.integers(-80, 80, 12), rng.integers(0, 60, 12)
    sign = np.where(degrees < 0, -1, 1)
    written = degrees + sign * minutes / 100
    x, y = from_degrees_minutes(written, written)
    np.testing.assert_allclose(x, degrees + sign * minutes / 60, atol=1e-9)
    np.testing.assert_allclose(y, x)


def test_decimal_positions_are_seldom_suspected() -> None:
    suspected = 0
    for seed in range(150):
        rng = np.random.default_rng(seed)
        table = sites(
            latitude=rng.uniform(31, 36, 8).round(2),
            longitude=rng.uniform(90, 102, 8).round(2),
        )
        found = check_coordinates(table)["flags"].str.contains("degrees_minutes")
        suspected += bool(found.any())
    assert suspected / 150 <= 0.05


def test_written_minutes_are_always_suspected_from_six_fractions_on() -> None:
    for seed in range(100):
        rng = np.random.default_rng(seed)
        table = sites(
            latitude=32 + rng.choice(np.arange(1, 60), 4, replace=False) / 100,
            longitude=95 + rng.choice(np.arange(1, 60), 4, replace=False) / 100,
        )
        report = check_coordinates(table)
        assert report["flags"].str.contains("degrees_minutes").all()
        assert report["chance"].iloc[0] == pytest.approx(0.6**8)


def test_finer_decimals_are_not_minutes() -> None:
    table = sites(latitude=[32.5312, 33.4501, 34.1111], longitude=[95.1, 99.3, 98.2])
    assert check_coordinates(table)["flags"].tolist() == ["", "", ""]


def test_exchanged_axes_are_told_by_range_and_by_region() -> None:
    table = sites(latitude=[95.171, 34.571, 0.51], longitude=[32.531, 98.131, 5.51])
    report = check_coordinates(table)
    assert report["flags"].tolist() == ["swapped", "", ""]
    region = gpd.GeoSeries([box(0, 5, 1, 6), box(98, 34, 99, 35)], crs="EPSG:4326")
    report = check_coordinates(table, region=region)
    assert report["flags"].tolist() == ["swapped", "", "swapped,outside_region"]
    ground = Grid.from_bounds((0, 5, 1, 6), 0.5, "EPSG:4326").raster(np.ones((2, 2)))
    report = check_coordinates(table.iloc[2:], elevation=ground)
    assert report["flags"].tolist() == ["swapped"]


def test_distance_outside_the_region_is_in_kilometres() -> None:
    region = gpd.GeoDataFrame(geometry=[box(95, 33, 96, 34)], crs="EPSG:4326")
    table = sites(latitude=[33.5127, 33.5127], longitude=[95.511, 96.111])
    report = check_coordinates(table, region=region)
    east_west = 0.111 * 111.32 * np.cos(np.radians(33.5127))
    assert report["outside"].tolist() == pytest.approx([0, east_west], rel=5e-3)
    assert report["flags"].tolist() == ["", "outside_region"]
    wide = CoordinateTolerance(region=15)
    calm = check_coordinates(table, region=region, tolerance=wide)
    assert calm["flags"].tolist() == ["", ""]


def test_an_elevation_off_the_ground_is_told_for_either_reading() -> None:
    grid = Grid.from_bounds((90, 30, 91, 31), 0.1, "EPSG:4326")
    heights = np.full((10, 10), 4000.0)
    heights[:2] = 5000.0
    table = sites(latitude=[30.55], longitude=[90.51], elevation=[5000.0])
    report = check_coordinates(table, elevation=grid.raster(heights))
    assert report["off"].tolist() == [1000.0]
    assert report["off_degrees_minutes"].tolist() == [0.0]
    assert report["flags"].tolist() == ["degrees_minutes,elevation"]
    assert "by elevation alone" in report["reason"].iloc[0]


def test_sites_that_share_a_position_are_told() -> None:
    table = sites(latitude=[33.111, 33.111, 34.721], longitude=[95.211, 95.211, 96.811])
    report = check_coordinates(table)
    assert report["flags"].tolist() == ["same_place", "same_place", ""]
    assert report["reason"].iloc[0] == "0.0 km from b, under another name"
    renamed = table.assign(name=["a", "b", "b"])
    assert check_coordinates(renamed)["flags"].tolist()[2] == "several_places"


def test_rows_of_one_site_are_reported_once_and_nothing_is_changed() -> None:
    table = sites(latitude=[33.11, 33.11, 34.72], longitude=[95.21, 95.21, 96.81])
    table["name"] = ["a", "a", "b"]
    before = table.copy(deep=True)
    assert check_coordinates(table).index.tolist() == [0, 2]
    pd.testing.assert_frame_equal(table, before)


def test_points_in_another_crs_give_the_same_report(printed) -> None:
    points = gpd.GeoDataFrame(
        printed.drop(columns=["longitude", "latitude"]),
        geometry=gpd.points_from_xy(printed["longitude"], printed["latitude"]),
        crs="EPSG:4326",
    )
    pd.testing.assert_frame_equal(check_coordinates(points), check_coordinates(printed))


def test_missing_positions_stay_in_the_report() -> None:
    report = check_coordinates(sites(latitude=[33.115, np.nan], longitude=[95.1, 95.2]))
    assert report["flags"].tolist() == ["", "no_position"]


def test_points_without_positions_or_crs_are_refused() -> None:
    with pytest.raises(InputError, match=r"no positions.*columns found: name"):
        check_coordinates(pd.DataFrame({"name": ["a"]}))
    with pytest.raises(InputError, match="no column 'basin'"):
        check_coordinates(sites(latitude=[33.0], longitude=[95.0]), by="basin")
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        check_coordinates(gpd.GeoDataFrame(geometry=gpd.points_from_xy([95], [33])))
