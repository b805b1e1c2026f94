"""Sample tables of real people: parsed right, refused, or the change is listed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geosoil.errors import MissingFileError, SampleTableError
from geosoil.io.sample_writing import write_samples
from geosoil.io.samples import read_samples, sample_issues

ODD = Path(__file__).parents[1] / "data" / "odd_tables"
TRUTH = pd.read_csv(ODD / "clean.csv", dtype={"sample_id": str, "date": str})
NUMBERS = {"lat": "latitude", "lon": "longitude", "elev_m": "elevation"}
NUMBERS |= {"d18O": "d18O", "d2H": "d2H"}
LISTED = ("change", "warn", "suspect")
ASSUMED = "period absent: taken from the month of the date"


def write(folder: Path, text: str, *, name: str = "t.csv", encoding="utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def listed(samples: gpd.GeoDataFrame) -> pd.DataFrame:
    """What the reader says it read otherwise, the derived period apart."""
    issues = sample_issues(samples)
    return issues[issues.severity.isin(LISTED) & (issues.rule != ASSUMED)]


def equals_truth(samples: gpd.GeoDataFrame) -> bool:
    if len(samples) != len(TRUTH):
        return False
    same = all(
        np.array_equal(samples[ours].to_numpy(), TRUTH[theirs].to_numpy(dtype=float))
        for theirs, ours in NUMBERS.items()
    )
    ids = samples["sample_id"].tolist() == TRUTH["sample_id"].tolist()
    days = samples["date"].dt.strftime("%Y-%m-%d").tolist() == TRUTH["date"].tolist()
    return same and ids and days


@pytest.mark.parametrize("name", sorted(p.name for p in ODD.iterdir()))
def test_an_odd_table_is_read_right_or_refused_or_its_changes_are_listed(name):
    try:
        samples = read_samples(ODD / name)
    except SampleTableError as error:
        assert name in str(error)  # noqa: PT017
        return
    ids = {"NA", "曲麻莱1"}
    differs = not equals_truth(samples)
    if differs and ids & set(samples["sample_id"]):
        raw = samples.assign(sample_id=TRUTH["sample_id"])
        differs = not equals_truth(raw)
    assert not differs or len(listed(samples))


@pytest.mark.parametrize(
    "name",
    [
        "clean.csv",
        "deg.csv",
        "footer.csv",
        "semicolon.csv",
        "semidec.csv",
        "title.csv",
        "u2212.csv",
        "units.csv",
        "utf8_bom.csv",
        "x.xlsx",
    ],
)
def test_an_odd_way_of_writing_gives_the_truth(name):
    assert equals_truth(read_samples(ODD / name))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("empty.csv", "is empty"),
        ("html.csv", "HTML or XML page"),
        ("swap.csv", r"rows 2, 3 and 4; the first is 92\.26.*were exchanged"),
        ("frac.csv", r"(?s)d18O.*looks like fractions.*d2H.*multiply by 1000"),
    ],
)
def test_an_unusable_table_is_refused_with_its_reason(name, words):
    with pytest.raises(SampleTableError, match=words):
        read_samples(ODD / name)


def test_clean_table_has_no_listed_change_but_the_derived_period():
    samples = read_samples(ODD / "clean.csv")
    assert listed(samples).empty
    assert samples["period"].tolist() == ["June", "August", "September"]
    assert (sample_issues(samples).rule == ASSUMED).sum() == 1


def test_missing_markers_and_censored_values_are_listed_apart():
    censored = listed(read_samples(ODD / "lod.csv"))
    assert censored.rule.tolist() == ["censored", "censored"]
    assert censored.row.tolist() == [4, 4]
    assert censored.found.tolist() == ["<LOD", "<0.05"]
    missing = read_samples(ODD / "m9999.csv")
    assert missing["d18O"].isna().tolist() == [False, False, True]
    assert set(listed(missing).rule) == {"missing marker"}


def test_a_lost_sign_is_suspected_and_kept():
    samples = read_samples(ODD / "postypo.csv")
    suspects = listed(samples)
    assert samples["d2H"].iloc[2] == 93.63
    assert suspects.severity.tolist() == ["suspect"]
    assert (suspects.row.iloc[0], suspects.column.iloc[0]) == (4, "d2H")


def test_the_two_lost_signs_of_the_paper_are_found(tmp_path):
    rows = ["-12.00,-89.78", "-13.26,-100.0", "14.23,-108.14", "-12.62,93.63"]
    rows += ["-13.04,-98.11", "-12.5,-95.0"]
    text = "d18O,d2H\n" + "\n".join(rows)
    suspects = listed(read_samples(write(tmp_path, text)))
    suspects = suspects[suspects.severity == "suspect"]
    assert suspects[["row", "column"]].to_numpy().tolist() == [[4, "d18O"], [5, "d2H"]]


def test_repeated_rows_are_kept_with_a_warning():
    samples = read_samples(ODD / "dups.csv")
    assert len(samples) == 4
    assert listed(samples).severity.tolist() == ["warn"]


@pytest.mark.parametrize("text", ["NA", "001", "1E5", "nan", "None", "-9999", "3-4"])
def test_ids_survive_exactly(tmp_path, text):
    path = write(tmp_path, f"sample_id,site,d18O,d2H\n{text},{text},-12,-90\n")
    samples = read_samples(path)
    assert samples["sample_id"].tolist() == [text]
    assert samples["site_id"].tolist() == [text]


@pytest.mark.parametrize("word", ["—", "n.d.", "无", "-", "#N/A", "NA", "no data"])
def test_words_for_missing_are_missing_and_listed(tmp_path, word):
    path = write(tmp_path, f"id,d18O,d2H\n1,{word},-90\n2,-12,-90.5\n")
    samples = read_samples(path)
    assert np.isnan(samples["d18O"].iloc[0])
    assert (2, "d18O", word) in listed(samples)[["row", "column", "found"]].itertuples(
        index=False, name=None
    )


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("δ18O (‰)", "d18O"),
        ("δ¹⁸O", "d18O"),
        ("delta18O", "d18O"),
        ("18O", "d18O"),
        ("d18O_VSMOW", "d18O"),
    ],
)
def test_names_of_oxygen_are_understood(tmp_path, name, ours):
    samples = read_samples(write(tmp_path, f"{name},dD\n-12,-90\n"))
    assert samples[ours].tolist() == [-12.0]
    assert samples["d2H"].tolist() == [-90.0]


@pytest.mark.parametrize("name", ["dD", "δD", "δ2H", "d2H", "δ²H", "2H", "Delta 2H"])
def test_names_of_deuterium_are_understood(tmp_path, name):
    samples = read_samples(write(tmp_path, f"d18O,{name}\n-12,-90\n"))
    assert samples["d2H"].tolist() == [-90.0]


def test_a_column_of_days_named_dd_is_not_deuterium(tmp_path):
    with pytest.raises(SampleTableError, match="no column 'd2H'"):
        read_samples(write(tmp_path, "id,d18O,DD\n1,-12,15\n"))


def test_chinese_names_and_waters_in_gb18030_are_read(tmp_path):
    text = "样品编号,水体类型,纬度,经度,海拔,采样日期,δ18O,δ2H\n"
    text += "甲1,土壤水,34.1,95.2,4200,2020年6月15日,-12.5,-92\n"
    text += "乙2,降水,34.1,95.2,4200,2020-06-16,-14.5,-102\n"
    samples = read_samples(write(tmp_path, text, encoding="gb18030"))
    assert samples["sample_id"].tolist() == ["甲1", "乙2"]
    assert samples["water"].tolist() == ["soil", "precipitation"]
    assert samples["date"].dt.day.tolist() == [15, 16]
    assert "gb18030" in sample_issues(samples).read_as.tolist()


def test_latin_1_degrees_are_not_taken_for_chinese(tmp_path):
    text = "id,lat,lon,d18O,d2H\nZoé,34.14°N,92.26°E,-12,-90\n"
    samples = read_samples(write(tmp_path, text, encoding="latin-1"))
    assert samples["latitude"].tolist() == [34.14]
    assert samples["sample_id"].tolist() == ["Zoé"]


def test_chinese_that_is_also_valid_utf_8_is_warned_of(tmp_path):
    text = "id,d18O,d2H\n纬,-12,-90\n"
    issues = listed(read_samples(write(tmp_path, text, encoding="gb18030")))
    assert "in GB18030 it would be 纬" in issues.rule.iloc[0]


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ("34°08'24\" N", "92°15'36\" E"),
        ("34°08\u203224″N", "92°15\u203236″E"),
        ("34 08 24 N", "92 15 36 E"),
        ("34:08:24", "92:15:36"),
        ("34°8.4'", "92°15.6'"),
        ("N34.14", "E92.26"),
        ("北纬34.14°", "东经92.26°"),
        ("34d08m24s", "92d15m36s"),
        ("\uff13\uff14\uff0e\uff11\uff14", "\uff19\uff12\uff0e\uff12\uff16"),
    ],
)
def test_angles_are_read_as_degrees_and_listed(tmp_path, lat, lon):
    text = "id\tlat\tlon\td18O\td2H\n"
    text += f"1\t{lat}\t{lon}\t-12\t-90\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["latitude"].iloc[0] == pytest.approx(34.14, abs=1e-12)
    assert samples["longitude"].iloc[0] == pytest.approx(92.26, abs=1e-12)
    assert set(listed(samples).column) == {"latitude", "longitude"}
    assert samples.geometry.iloc[0].coords[0] == pytest.approx((92.26, 34.14))


def test_southern_and_western_angles_are_negative(tmp_path):
    text = "id,lat,lon,d18O,d2H\n1,23.5 S,68.1 W,-12,-90\n"
    samples = read_samples(write(tmp_path, text))
    assert samples[["latitude", "longitude"]].to_numpy().tolist() == [[-23.5, -68.1]]


@pytest.mark.parametrize("lat", ["34°75' N", "34.14 E", "-34.14 S", "34.5°20'"])
def test_impossible_angles_are_refused(tmp_path, lat):
    with pytest.raises(SampleTableError, match=r"latitude.*row 2"):
        read_samples(write(tmp_path, f"lat,lon,d18O,d2H\n{lat},92,-12,-90\n"))


def test_ambiguous_dates_are_refused(tmp_path):
    text = "date,d18O,d2H\n06/08/2020,-12,-90\n07/08/2020,-12,-91\n"
    with pytest.raises(SampleTableError, match=r"day and month can be exchanged"):
        read_samples(write(tmp_path, text))


def test_a_date_that_shows_the_order_settles_the_column_and_is_listed(tmp_path):
    text = "date,d18O,d2H\n06/08/2020,-12,-90\n15/08/2020,-12,-91\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["date"].dt.date.tolist() == [date(2020, 8, 6), date(2020, 8, 15)]
    assert (listed(samples).rule == "day first").sum() == 2


def test_mixed_orders_of_dates_are_refused(tmp_path):
    text = "date,d18O,d2H\n15/08/2020,-12,-90\n08/16/2020,-12,-91\n"
    with pytest.raises(SampleTableError, match="day first in some rows"):
        read_samples(write(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "2020/6/15",
        "20200615",
        "43997",
        "15-Jun-2020",
        "June 15, 2020",
        "2020.06.15",
        "2020-06-15 08:30",
        "15/06/2020",
    ],
)
def test_dates_are_read_and_listed(tmp_path, text):
    path = write(tmp_path, f'date,d18O,d2H\n"{text}",-12,-90\n')
    samples = read_samples(path)
    assert samples["date"].dt.date.tolist() == [date(2020, 6, 15)]
    assert "date" in set(listed(samples).column)


@pytest.mark.parametrize("text", ["2020-02-30", "0202-06-15", "spring", "2020"])
def test_impossible_dates_are_refused(tmp_path, text):
    with pytest.raises(SampleTableError, match="date"):
        read_samples(write(tmp_path, f"date,d18O,d2H\n{text},-12,-90\n"))


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("rain", "precipitation"),
        ("Soil water", "soil"),
        ("snow", "snowmelt"),
        ("Ground ice", "ground_ice"),
        ("supra-permafrost water", "supra_permafrost"),
    ],
)
def test_words_for_waters_are_understood_and_listed(tmp_path, written, ours):
    samples = read_samples(write(tmp_path, f"type,d18O,d2H\n{written},-12,-90\n"))
    assert samples["water"].tolist() == [ours]
    assert written in listed(samples).found.tolist()


def test_an_unknown_water_stays_with_a_warning(tmp_path):
    samples = read_samples(write(tmp_path, "water,d18O,d2H\nstem,-12,-90\n"))
    assert samples["water"].tolist() == ["stem"]
    assert "warn" in listed(samples).severity.tolist()


def test_depth_ranges_are_split_into_centimetres(tmp_path):
    text = "d18O,d2H,depth (cm)\n-12,-90,0\u201320\n-12,-91,20-40 cm\n-12,-92,50\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["depth_top"].tolist() == [0.0, 20.0, 50.0]
    assert samples["depth_bottom"].tolist() == [20.0, 40.0, 50.0]


def test_units_in_the_header_are_converted_and_listed(tmp_path):
    text = (
        "d18O,d2H,Elevation (km),depth_top (m),soil moisture (%)\n-12,-90,4.2,0.2,35\n"
    )
    samples = read_samples(write(tmp_path, text))
    assert samples["elevation"].tolist() == [4200.0]
    assert samples["depth_top"].tolist() == [20.0]
    assert samples["soil_moisture"].iloc[0] == pytest.approx(0.35, rel=1e-15)
    assert {"times 1000", "times 100", "times 0.01"} <= set(listed(samples).read_as)


def test_a_unit_in_the_cell_wins_over_the_header(tmp_path):
    text = "d18O,d2H,depth_top (m)\n-12,-90,0.2 m\n-12,-91,20 cm\n-12,-92,0.2\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["depth_top"].tolist() == [20.0, 20.0, 20.0]


def test_minus_99_is_no_oxygen_value(tmp_path):
    samples = read_samples(write(tmp_path, "d18O,d2H\n-99,-90\n-12,-99\n"))
    assert np.isnan(samples["d18O"].iloc[0])
    assert samples["d2H"].tolist() == [-90.0, -99.0]
    assert "missing marker" in listed(samples).rule.tolist()


def test_a_unit_that_cannot_be_converted_is_refused(tmp_path):
    with pytest.raises(SampleTableError, match=r"soil_temperature.*'k'"):
        read_samples(write(tmp_path, "d18O,d2H,soil_temperature (K)\n-12,-90,280\n"))


def test_a_table_of_two_needed_columns_is_enough(tmp_path):
    samples = read_samples(write(tmp_path, "d18O,d2H\n-12,-90\n-13,-97\n"))
    assert list(samples.columns) == ["sample_id", "d18O", "d2H", "geometry"]
    assert samples["sample_id"].tolist() == ["row_2", "row_3"]
    assert samples.geometry.isna().all()
    assert samples.crs == "EPSG:4326"
    assert set(listed(samples).column) == {"sample_id", "geometry"}


def test_all_faults_stand_in_one_message(tmp_path):
    text = "id,lat,lon,elev,date,d18O\n1,34,92,high,06/08/2020,-12\n2,95,200,1,,abc\n"
    with pytest.raises(SampleTableError) as caught:
        read_samples(write(tmp_path, text, name="mine.csv"))
    message = str(caught.value)
    assert "'mine.csv' has 6 faults" in message
    for part in ("'high' (row 2)", "'abc' (row 3)", "no column 'd2H'", "latitude"):
        assert part in message
    assert "06/08/2020" in message
    assert "outside -180 to 180 (row 3" in message


def test_exchanged_isotopes_are_refused(tmp_path):
    text = "d18O,d2H\n-89.78,-12.00\n-98.0,-13.26\n"
    with pytest.raises(SampleTableError, match="look exchanged"):
        read_samples(write(tmp_path, text))


def test_two_columns_of_one_meaning_are_refused_unless_one_is_named(tmp_path):
    path = write(tmp_path, "18O,delta18O,d2H\n-12,-13,-90\n")
    with pytest.raises(SampleTableError, match=r"'18O'.*'delta18O'.*all mean d18O"):
        read_samples(path)
    samples = read_samples(path, columns={"delta18O": "d18O"})
    assert samples["d18O"].tolist() == [-13.0]
    assert samples["18O"].tolist() == ["-12"]


def test_own_column_names_are_taken_and_wrong_ones_refused(tmp_path):
    path = write(tmp_path, "bottle;iso one;iso two\nA;-12;-90\n")
    own = {"bottle": "sample_id", "iso one": "d18O", "iso two": "d2H"}
    assert read_samples(path, columns=own)["d2H"].tolist() == [-90.0]
    with pytest.raises(SampleTableError, match="Did you mean 'iso one'"):
        read_samples(path, columns={**own, "iso on": "elevation"})
    with pytest.raises(SampleTableError, match="Did you mean 'd18O'"):
        read_samples(path, columns={**own, "iso one": "d180"})


def test_other_columns_are_kept_as_text(tmp_path):
    samples = read_samples(write(tmp_path, "d18O,d2H,plot no\n-12,-90,007\n"))
    assert samples["plot no"].tolist() == ["007"]


def test_a_row_with_too_many_cells_is_refused(tmp_path):
    with pytest.raises(SampleTableError, match="row 2 has 4 cells, the header has 2"):
        read_samples(write(tmp_path, "d18O,d2H\n-12,5,-90,0\n"))


def test_thousands_and_decimals_are_told_apart_by_the_table(tmp_path):
    german = "elev;d18O;d2H\n3.540;-12,50;-90,1\n"
    assert read_samples(write(tmp_path, german))["elevation"].tolist() == [3540.0]
    english = 'elev,d18O,d2H\n"3,540",-12.50,-90.1\n'
    assert read_samples(write(tmp_path, english))["elevation"].tolist() == [3540.0]
    three = "lat;lon;d18O;d2H\n34,140;92,260;-12,504;-90,123\n"
    assert read_samples(write(tmp_path, three))["latitude"].tolist() == [34.14]


def test_a_number_that_may_be_thousands_or_decimals_is_refused(tmp_path):
    with pytest.raises(SampleTableError, match="thousands or decimals"):
        read_samples(write(tmp_path, "elev;d18O;d2H\n3,540;-12;-90\n"))


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"SQLite format 3\x00", "GeoPackage cannot be read"),
        (b"PAR1", "Parquet"),
        (b"\x89HDF\r\n\x1a\n", r"not a table\. Give CSV, TSV"),
    ],
)
@pytest.mark.parametrize("name", ["x.csv", "x.gpkg"])
def test_damaged_files_and_other_kinds_are_refused_by_name(tmp_path, code, words, name):
    path = tmp_path / name
    path.write_bytes(code + b"\x01" * 100)
    with pytest.raises(SampleTableError, match=words):
        read_samples(path)


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0broken"])
def test_damaged_workbooks_are_refused(tmp_path, content):
    path = tmp_path / "x.xlsx"
    path.write_bytes(content)
    with pytest.raises(SampleTableError, match="workbook cannot be read"):
        read_samples(path)


def test_nul_characters_and_open_quotes_are_refused(tmp_path):
    with pytest.raises(SampleTableError, match="line 2 holds a NUL"):
        read_samples(write(tmp_path, "sample_id,d18O,d2H\nabcd,-12\x00,-90\n"))
    with pytest.raises(SampleTableError, match="quotation marks"):
        read_samples(write(tmp_path, 'id,d18O,d2H\n1,-12,-90\n"2,-13,-98\n3,-14,-99\n'))


def test_an_absent_file_and_a_folder_are_told(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        read_samples(tmp_path / "no.csv")
    with pytest.raises(SampleTableError, match="folder"):
        read_samples(tmp_path)


def test_a_header_without_rows_is_refused(tmp_path):
    with pytest.raises(SampleTableError, match="no rows of samples"):
        read_samples(write(tmp_path, "id,d18O,d2H\n"))


def test_summary_rows_and_repeated_headers_are_dropped_and_listed(tmp_path):
    text = "id,d18O,d2H\nA,-12,-90\nid,d18O,d2H\nB,-13,-97\nMean,-12.5,-93.5\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["sample_id"].tolist() == ["A", "B"]
    assert (listed(samples).read_as == "dropped").sum() == 2


def test_months_and_dates_that_disagree_are_suspected(tmp_path):
    text = "month,date,d18O,d2H\n6,2020-08-15,-12,-90\n"
    samples = read_samples(write(tmp_path, text))
    assert samples["period"].tolist() == ["June"]
    assert "suspect" in listed(samples).severity.tolist()


def test_written_samples_come_back_unchanged(tmp_path):
    text = "id,type,date,lat,lon,d18O,d2H,simulated,note\n"
    text += "=1+1,soil,2020-06-15,34.123456789012345,92.1,-12.1,-90.5,True,@x\n"
    text += "NA,soil,,,,-13.333333333333334,,False,-y\n"
    first = read_samples(write(tmp_path, text))
    path = write_samples(first, tmp_path / "out.csv")
    assert "\n'=1+1," in path.read_text(encoding="utf-8")
    again = read_samples(path)
    assert list(again.columns) == list(first.columns)
    pd.testing.assert_frame_equal(
        pd.DataFrame(first.drop(columns="geometry")),
        pd.DataFrame(again.drop(columns="geometry")),
    )
    assert first.geometry.geom_equals(again.geometry).tolist() == [True, False]


SEPARATORS = st.sampled_from([",", ";", "\t", "|"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
MINUS = st.sampled_from(["-", "\u2212", "\u2013", "\uff0d"])
COLUMNS = ["sample_id", "lat", "lon", "elev_m", "date", "d18O", "d2H"]
IDS = st.text("abcXYZ019-_. 纬样é°", min_size=1, max_size=6).map(str.strip).filter(bool)
BOTTLES = st.tuples(
    IDS,
    st.decimals(-89, 89, places=3),
    st.decimals(-179, 179, places=2),
    st.integers(0, 8000),
    st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    st.decimals(-30, -1, places=2),
    st.decimals(-5, 20, places=1),
)


def cell(value: object, mark: str, minus: str) -> str:
    if isinstance(value, str):
        return value
    return (
        value.isoformat()
        if isinstance(value, date)
        else str(value).replace(".", mark).replace("-", minus)
    )


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    bottles=st.lists(BOTTLES, min_size=1, max_size=6, unique_by=lambda b: b[0]),
    style=st.tuples(SEPARATORS, ENCODINGS, st.sampled_from([".", ","]), MINUS),
    order=st.permutations(range(7)),
)
def test_any_way_of_writing_is_read_right_or_refused_or_listed(
    tmp_path, bottles, style, order
):
    separator, encoding, mark, minus = style
    truth = [(*b[:6], 8 * b[5] + b[6]) for b in bottles]
    lines = [separator.join(COLUMNS[i] for i in order)]
    for row in truth:
        cells = [cell(value, mark, minus) for value in row]
        quoted = [f'"{c}"' if separator in c else c for c in cells]
        lines.append(separator.join(quoted[i] for i in order))
    path = tmp_path / "generated.txt"
    path.write_bytes("\n".join(lines).encode(encoding))
    try:
        samples = read_samples(path)
    except SampleTableError:
        return
    right = (
        len(samples) == len(truth)
        and samples["sample_id"].tolist() == [row[0] for row in truth]
        and samples["date"].dt.date.tolist() == [row[4] for row in truth]
    )
    for position, name in ((1, "latitude"), (2, "longitude"), (3, "elevation")):
        right &= samples[name].tolist() == [float(row[position]) for row in truth]
    for position, name in ((5, "d18O"), (6, "d2H")):
        right &= samples[name].tolist() == [float(row[position]) for row in truth]
    assert right or len(listed(samples))
    if mark == "." and minus == "-" and separator != "," and "utf" in encoding:
        assert right
