"""Projected coordinates, stated dates, single isotopes and censored values."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geosoil.errors import SampleTableError
from geosoil.io.sample_writing import write_samples
from geosoil.io.samples import (
    inspect_samples,
    read_samples,
    sample_issues,
)


def write(folder: Path, text: str) -> Path:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return path


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(longitude=st.floats(90.0, 96.0), latitude=st.floats(-60.0, 60.0))
def test_metres_of_a_stated_system_come_out_as_their_degrees(
    tmp_path, longitude, latitude
):
    code = "EPSG:32646" if latitude >= 0 else "EPSG:32746"
    turn = Transformer.from_crs("EPSG:4326", code, always_xy=True)
    x, y = turn.transform(longitude, latitude)
    path = write(tmp_path, f"x,y,d18O,d2H\n{x:.6f},{y:.6f},-12,-90\n")
    samples = read_samples(path, crs=code)
    assert samples["longitude"].iloc[0] == pytest.approx(longitude, abs=1e-9)
    assert samples["latitude"].iloc[0] == pytest.approx(latitude, abs=1e-9)
    issues = sample_issues(samples)
    turned = issues[issues.column == "longitude, latitude"]
    assert turned.read_as.tolist() == ["EPSG:4326"]
    assert code in turned.found.iloc[0]


def test_places_come_back_unchanged_without_the_crs(tmp_path):
    path = write(tmp_path, "x,y,d18O,d2H\n600429.7,7527110.69,-8.77,-57.6\n")
    first = read_samples(path, crs="EPSG:32719")
    again = read_samples(write_samples(first, tmp_path / "out.csv"))
    assert again["longitude"].tolist() == first["longitude"].tolist()
    assert again["easting"].tolist() == [600429.7]


@pytest.mark.parametrize(
    ("zone", "north"),
    [("46N", True), ("46 north", True), ("46R", True), ("46K", False)],
)
def test_a_column_of_utm_zones_places_the_samples(tmp_path, zone, north):
    latitude = 31.0 if north else -20.0
    code = "EPSG:32646" if north else "EPSG:32746"
    turn = Transformer.from_crs("EPSG:4326", code, always_xy=True)
    x, y = turn.transform(92.0, latitude)
    text = f"easting,northing,UTM zone,d18O,d2H\n{x},{y},{zone},-12,-90\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["longitude"].iloc[0] == pytest.approx(92.0, abs=1e-9)
    assert samples["latitude"].iloc[0] == pytest.approx(latitude, abs=1e-9)
    assert code in " ".join(sample_issues(samples).found)


def test_zone_s_is_south_where_the_band_s_is_impossible(tmp_path):
    text = "easting,northing,zone,d18O,d2H\n600429.7,7527110.7,19S,-8.77,-57.6\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["latitude"].iloc[0] == pytest.approx(-22.359, abs=1e-3)
    text = "easting,northing,zone,d18O,d2H\n600429.7,3777110.7,46S,-8.77,-57.6\n"
    with pytest.raises(SampleTableError, match=r"'46S' the S may mean south"):
        read_samples(write(tmp_path, text))


@pytest.mark.parametrize("zone", ["46", "99N", "west", "46o"])
def test_a_zone_that_says_too_little_is_refused(tmp_path, zone):
    text = f"easting,northing,zone,d18O,d2H\n600429.7,3777110.7,{zone},-8,-57.6\n"
    with pytest.raises(SampleTableError, match=r"utm_zone' \(row 2\)"):
        read_samples(write(tmp_path, text))


def test_metres_without_a_system_give_no_place_and_a_warning(tmp_path):
    path = write(tmp_path, "easting,northing,d18O,d2H\n600429,3777110,-12,-90\n")
    samples = read_samples(path)
    assert samples.geometry.isna().all()
    assert "state it with crs=" in " ".join(sample_issues(samples).rule)


@pytest.mark.parametrize(
    ("text", "crs", "words"),
    [
        ("x,y,d18O,d2H\n600429,3777110,-12,-90\n", "nowhere", "'nowhere', which is no"),
        ("id,d18O,d2H\n1,-12,-90\n", "EPSG:32646", "no columns of coordinates"),
        ("lon,lat,d18O,d2H\n92,34,-12,-90\n", "EPSG:32646", "which is projected"),
        ("x,y,d18O,d2H\n9e7,9e7,-12,-90\n", "EPSG:32646", "lie outside the coord"),
    ],
)
def test_a_stated_system_that_does_not_fit_is_refused(tmp_path, text, crs, words):
    with pytest.raises(SampleTableError, match=words):
        read_samples(write(tmp_path, text), crs=crs)


def test_exchanged_x_and_y_are_suspected(tmp_path):
    path = write(tmp_path, "x,y,d18O,d2H\n3777110,600429,-12,-90\n")
    issues = sample_issues(read_samples(path, crs="EPSG:32646"))
    assert "is crs= right, x before y?" in " ".join(issues.rule)


def test_degrees_of_another_datum_are_transformed_and_listed(tmp_path):
    path = write(tmp_path, "lon,lat,d18O,d2H\n92.0,34.0,-12,-90\n")
    turn = Transformer.from_crs("EPSG:4214", "EPSG:4326", always_xy=True)
    expected = turn.transform(92.0, 34.0)
    samples = read_samples(path, crs="EPSG:4214")
    np.testing.assert_allclose(
        samples[["longitude", "latitude"]].to_numpy()[0], expected, atol=1e-12
    )
    assert "EPSG:4214" in " ".join(sample_issues(samples).found)
    assert read_samples(path, crs="EPSG:4326")["longitude"].tolist() == [92.0]


def test_degrees_win_over_metres_and_a_difference_is_suspected(tmp_path):
    text = "lon,lat,x,y,d18O,d2H\n92.0,34.0,500000,3777110,-12,-90\n"
    samples = read_samples(write(tmp_path, text), crs="EPSG:32646")
    assert samples["longitude"].tolist() == [92.0]
    assert "suspect" in sample_issues(samples).severity.tolist()


@pytest.mark.parametrize(
    ("dates", "day"),
    [("dayfirst", date(2020, 8, 6)), ("monthfirst", date(2020, 6, 8))],
)
def test_ambiguous_dates_are_read_as_stated_and_listed(tmp_path, dates, day):
    path = write(tmp_path, "date,d18O,d2H\n06/08/2020,-12,-90\n")
    samples = read_samples(path, dates=dates)
    assert samples["date"].dt.date.tolist() == [day]
    assert "06/08/2020" in sample_issues(samples).found.tolist()


def test_a_date_against_the_stated_order_is_refused(tmp_path):
    path = write(tmp_path, "date,d18O,d2H\n06/08/2020,-12,-90\n08/16/2020,-12,-91\n")
    with pytest.raises(SampleTableError, match=r"08/16/2020.*not day first"):
        read_samples(path, dates="dayfirst")


def test_a_table_of_one_isotope_is_read_only_when_asked(tmp_path):
    path = write(tmp_path, "id,d2H\n1,-90\n2,-97\n")
    with pytest.raises(SampleTableError, match=r'use require=\("d2H",\)'):
        read_samples(path)
    samples = read_samples(path, require=("d2H",))
    assert samples["d2H"].tolist() == [-90.0, -97.0]
    assert "d18O" not in samples
    with pytest.raises(SampleTableError, match="require= names 'dD'"):
        read_samples(path, require=("dD",))
    with pytest.raises(SampleTableError, match="column 'd2H' holds no number"):
        read_samples(write(tmp_path, "id,d2H\n1,NA\n"), require=("d2H",))


def test_censored_values_get_a_column_that_survives_writing(tmp_path):
    path = write(tmp_path, "id,d18O,d2H\n1,<LOD,-90\n2,-12,-91\n3,n.d.,-92\n")
    samples = read_samples(path)
    assert samples["d18O_censored"].tolist() == [True, False, False]
    assert samples["d18O"].isna().tolist() == [True, False, True]
    assert "d2H_censored" not in samples
    again = read_samples(write_samples(samples, tmp_path / "out.csv"))
    assert again["d18O_censored"].tolist() == [True, False, False]


def test_inspection_gives_changes_and_faults_together(tmp_path):
    path = write(tmp_path, "id;lat;lon;d18O\n1;34,1;92,2;-12,5\n2;95,0;92,2;abc\n")
    reading = inspect_samples(path)
    assert reading.samples is None
    assert len(reading.faults) == 3
    assert any(issue["rule"] == "decimal comma" for issue in reading.issues)
    assert reading.rows == (2, 3)
