"""Daily station text: every code of the format, places, dates, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import (
    FileFormatError,
    GeosoilWarning,
    InputError,
    MissingFileError,
)
from geosoil.io.cma import COLUMNS, read_cma

CODES = {
    "TEM": "12001",
    "PRE": "13011",
    "RHU": "13003",
    "WIN": "11002",
    "SSD": "14032",
    "EVP": "13240",
    "PRS": "10004",
    "GST": "12030-0cm",
}


def station_file(
    folder: Path, element: str, *lines: str, month: str = "202006"
) -> Path:
    name = f"SURF_CLI_CHN_MUL_DAY-{element}-{CODES[element]}-{month}.TXT"
    path = folder / name
    path.write_text("\n".join(lines))
    return path


def line(values: str, quality: str, *, place: str = "3413 9226 45331") -> str:
    return f"56004 {place} 2020 6 1 {values} {quality}"


def only(table: pd.DataFrame, variable: str) -> pd.Series:
    rows = table[table["variable"] == variable]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("file", "expected", "columns"),
    [
        (
            "SURF_CLI_CHN_MUL_DAY-PRE-13011-202006.TXT",
            "expected_PRE.csv",
            {
                "precipitation_20_08": ("p_20_08_mm", "f1", "q1"),
                "precipitation_08_20": ("p_08_20_mm", "f2", "q2"),
                "precipitation": ("p_20_20_mm", "f3", "q3"),
            },
        ),
        (
            "SURF_CLI_CHN_MUL_DAY-TEM-12001-202006.TXT",
            "expected_TEM.csv",
            {
                "air_temperature": ("tmean_C", "tmean_flag", "tmean_qc"),
                "air_temperature_max": ("tmax_C", "tmax_flag", "tmax_qc"),
                "air_temperature_min": ("tmin_C", "tmin_flag", "tmin_qc"),
            },
        ),
    ],
)
def test_the_fixtures_decode_as_the_notes_on_the_format_say(
    golden: Path, file: str, expected: str, columns: dict[str, tuple[str, str, str]]
) -> None:
    folder = golden / "geo" / "cma"
    table = read_cma(folder / file)
    answer = pd.read_csv(folder / expected, keep_default_na=False, dtype=str)
    assert tuple(table.columns) == COLUMNS
    assert len(table) == 3 * len(answer)
    for variable, (value, flag, quality) in columns.items():
        rows = table[table["variable"] == variable].reset_index(drop=True)
        assert rows["station"].tolist() == answer["station"].tolist()
        assert rows["flag"].astype(str).tolist() == answer[flag].tolist()
        assert rows["quality"].tolist() == answer[quality].astype(int).tolist()
        dates = rows["date"].dt.strftime("%Y-%m-%d").tolist()
        assert dates == answer["date"].tolist()
        estimated = rows["elevation_estimated"].map({True: "True", False: "False"})
        assert estimated.tolist() == answer["elev_estimated"].tolist()
        for ours, theirs, exact in (
            ("latitude", "lat", 5e-9),
            ("longitude", "lon", 5e-9),
            ("elevation", "elev_m", 1e-9),
            ("value", value, 1e-9),
        ):
            wanted = pd.to_numeric(answer[theirs], errors="coerce")
            np.testing.assert_allclose(rows[ours], wanted, rtol=0, atol=exact)


def test_rain_and_snow_stay_apart(golden: Path) -> None:
    folder = golden / "geo" / "cma"
    table = read_cma(folder / "SURF_CLI_CHN_MUL_DAY-PRE-13011-202006.TXT")
    daily = table[table["variable"] == "precipitation"]
    assert daily["phase"].astype(str).tolist() == [
        "rain",
        "trace",
        "mixed",
        "dew_frost",
        "",
        "",
        "snow",
    ]
    assert daily["reason"].tolist()[4:6] == ["missing in the file", "blank in the file"]


@pytest.mark.parametrize(
    ("element", "values", "quality", "expected"),
    [
        ("TEM", "52 121 -18", "0 0 0", ("air_temperature_min", -1.8, "degC", "")),
        (
            "GST",
            "1 10801 -10305",
            "0 0 0",
            ("ground_temperature_max", 80.1, "degC", "above_limit"),
        ),
        (
            "GST",
            "1 801 -10305",
            "0 0 0",
            ("ground_temperature_min", -30.5, "degC", "below_limit"),
        ),
        ("RHU", "55 20", "0 0", ("relative_humidity", 55.0, "%", "")),
        ("RHU", "355 20", "0 0", ("relative_humidity", 55.0, "%", "from_fixed_hours")),
        ("WIN", "23 1305 4 151 5", "0 0 0 0 0", ("wind_speed", 2.3, "m s-1", "")),
        (
            "WIN",
            "23 1305 4 151 5",
            "0 0 0 0 0",
            ("wind_speed_max", 30.5, "m s-1", "above_limit"),
        ),
        (
            "WIN",
            "23 30 17 151 5",
            "0 0 0 0 0",
            ("wind_direction_max", 17.0, "1", "calm"),
        ),
        (
            "WIN",
            "23 30 902 151 5",
            "0 0 0 0 0",
            ("wind_direction_max", np.nan, "1", "several"),
        ),
        (
            "WIN",
            "23 30 2 151 953",
            "0 0 0 0 0",
            ("wind_direction_gust", np.nan, "1", "several"),
        ),
        ("SSD", "118", "0", ("sunshine_duration", 11.8, "h", "")),
        ("EVP", "41 32700", "0 0", ("pan_evaporation_small", 4.1, "mm", "")),
        ("EVP", "41 32700", "0 0", ("pan_evaporation_large", np.nan, "mm", "frozen")),
        (
            "EVP",
            "1073 32766",
            "0 8",
            ("pan_evaporation_small", 7.3, "mm", "all_evaporated"),
        ),
        (
            "PRS",
            "5862 25885 5840",
            "0 0 0",
            ("air_pressure_max", 588.5, "hPa", "from_fixed_hours"),
        ),
        (
            "PRS",
            "5862 5885 32744",
            "0 0 9",
            ("air_pressure_min", np.nan, "hPa", "blank"),
        ),
    ],
)
def test_each_element_has_its_codes(
    tmp_path: Path,
    element: str,
    values: str,
    quality: str,
    expected: tuple[str, float, str, str],
) -> None:
    variable, value, units, flag = expected
    row = only(
        read_cma(station_file(tmp_path, element, line(values, quality))), variable
    )
    assert row["value"] == pytest.approx(value, abs=1e-12, nan_ok=True)
    assert (row["units"], row["flag"]) == (units, flag)
    assert bool(row["reason"]) == bool(np.isnan(value))


@pytest.mark.parametrize(
    ("element", "values", "quality", "variable"),
    [
        ("TEM", "4000 121 -18", "0 0 0", "air_temperature"),
        ("PRE", "0 25000 25000", "0 0 0", "precipitation"),
        ("RHU", "150 20", "0 0", "relative_humidity"),
        ("SSD", "900", "0", "sunshine_duration"),
        ("PRS", "100 5885 5840", "0 0 0", "air_pressure"),
        ("WIN", "23 30 40 151 5", "0 0 0 0 0", "wind_direction_max"),
    ],
)
def test_a_number_that_no_rule_explains_is_missing_and_told(
    tmp_path: Path, element: str, values: str, quality: str, variable: str
) -> None:
    path = station_file(tmp_path, element, line(values, quality))
    with pytest.warns(GeosoilWarning, match="neither values nor codes"):
        row = only(read_cma(path), variable)
    assert np.isnan(row["value"])
    assert row["flag"] == "unknown_code"
    assert "no value and no code" in row["reason"]


@given(
    kind=st.sampled_from([("", 0), ("snow", 30000), ("rain_and_snow", 31000)]),
    tenths=st.integers(0, 999),
)
def test_the_code_never_changes_the_amount(
    tmp_path_factory: pytest.TempPathFactory, kind: tuple[str, int], tenths: int
) -> None:
    folder = tmp_path_factory.mktemp("cma")
    number = kind[1] + tenths
    path = station_file(folder, "PRE", line(f"{number} 0 {number}", "0 0 0"))
    row = only(read_cma(path), "precipitation")
    assert row["value"] == tenths / 10
    assert row["flag"] == kind[0]


def test_halves_that_do_not_make_the_day_are_told(tmp_path: Path) -> None:
    path = station_file(tmp_path, "PRE", line("12 30 45", "0 0 0"))
    with pytest.warns(GeosoilWarning, match=r"halves.*1 rows.*56004 2020-06-01"):
        table = read_cma(path)
    row = only(table, "precipitation")
    assert row["value"] == 4.5
    assert row["reason"] == "halves 1.2 + 3 mm are not 4.5 mm"


@pytest.mark.parametrize(
    ("place", "latitude", "elevation", "estimated"),
    [
        ("3413 9226 45331", 34 + 13 / 60, 4533.1, False),
        ("3413 9226 52000", 34 + 13 / 60, 5200.0, False),
        ("3413 9226 145331", 34 + 13 / 60, 4533.1, True),
        ("4256 8912 98460", 42 + 56 / 60, -154.0, True),
        ("4256 8912 -1540", 42 + 56 / 60, -154.0, False),
    ],
)
def test_places_are_degrees_and_minutes_and_metres(
    tmp_path: Path, place: str, latitude: float, elevation: float, estimated: bool
) -> None:
    row = read_cma(station_file(tmp_path, "SSD", line("50", "0", place=place))).iloc[0]
    assert row["latitude"] == pytest.approx(latitude, abs=1e-12)
    assert row["elevation"] == pytest.approx(elevation)
    assert bool(row["elevation_estimated"]) is estimated


def test_decimal_degrees_are_not_taken_for_minutes(tmp_path: Path) -> None:
    path = station_file(tmp_path, "SSD", line("50", "0", place="3475 9226 45331"))
    with pytest.warns(GeosoilWarning, match="not in degrees and minutes"):
        row = read_cma(path).iloc[0]
    assert np.isnan(row["latitude"])
    assert row["longitude"] == pytest.approx(92 + 26 / 60)
    assert row["value"] == 5.0
    assert row["reason"] == "latitude 3475 is not in degrees and minutes"


def test_a_day_that_is_none_stays_without_a_date(tmp_path: Path) -> None:
    text = "56004 3413 9226 45331 2020 6 31 50 0"
    with pytest.warns(GeosoilWarning, match="Dates do not exist"):
        row = read_cma(station_file(tmp_path, "SSD", text)).iloc[0]
    assert pd.isna(row["date"])
    assert row["reason"] == "no such date"


def test_files_join_and_repeats_count_once(tmp_path: Path) -> None:
    first = station_file(tmp_path, "SSD", line("50", "0"))
    other = station_file(tmp_path, "RHU", line("55 20", "0 0"))
    again = station_file(tmp_path, "SSD", line("50", "0"), month="202007")
    assert len(read_cma([first, other, again])) == 3


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    first = station_file(tmp_path, "SSD", line("50", "0"))
    again = station_file(tmp_path, "SSD", line("51", "0"), month="202007")
    with pytest.raises(InputError, match=r"1 values.*56004 on 2020-06-01 \(sunshine"):
        read_cma([first, again])


def test_every_bad_line_of_every_file_is_told(tmp_path: Path) -> None:
    short = station_file(
        tmp_path, "SSD", line("50", "0"), "56004 3413", line("5x", "0")
    )
    swapped = station_file(tmp_path, "PRE", line("50", "0"))
    with pytest.raises(FileFormatError) as caught:
        read_cma([short, swapped])
    text = str(caught.value)
    for words in ("line 2: 2 numbers", "line 3: '5x'", "13 whole numbers", "line 1: 9"):
        assert words in text


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("june.txt", b"1 2 3", "does not tell the element"),
        ("SURF_CLI_CHN_MUL_DAY-XYZ-10000-202006.TXT", b"1 2", "TEM, GST, PRE"),
        ("SURF_CLI_CHN_MUL_DAY-SSD-14032-202006.TXT", b"", "empty"),
        ("SURF_CLI_CHN_MUL_DAY-SSD-14032-202006.TXT", b"\n\n", "no lines"),
        ("SURF_CLI_CHN_MUL_DAY-SSD-14032-202006.TXT", b"<html>", "web page"),
        ("SURF_CLI_CHN_MUL_DAY-SSD-14032-202006.TXT", b"\xff\xfe1 2", "whole number"),
    ],
)
def test_other_files_are_refused(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        read_cma(path)


def test_an_absent_file_and_no_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no file"):
        read_cma(tmp_path / "SURF_CLI_CHN_MUL_DAY-SSD-14032-202006.TXT")
    with pytest.raises(InputError, match="No file"):
        read_cma([])
