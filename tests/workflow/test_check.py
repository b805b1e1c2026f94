"""The check of a table: what would be read, what looks wrong, nothing computed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from geosoil.errors import InputError, MissingFileError, SampleTableError
from geosoil.io.samples import read_samples, sample_issues
from geosoil.workflow.check import check_table, write_fixes

ODD = Path(__file__).parents[1] / "data" / "odd_tables"
REFUSED = {"empty.csv", "frac.csv", "html.csv", "swap.csv"}


@pytest.mark.parametrize("name", sorted(p.name for p in ODD.iterdir()))
def test_check_and_reader_agree_on_every_odd_table(name):
    result = check_table(ODD / name)
    assert result.readable == (name not in REFUSED)
    if name in REFUSED:
        assert result.n_samples == 0
        with pytest.raises(SampleTableError, match=name):
            result.raise_faults()
        return
    result.raise_faults()
    samples = read_samples(ODD / name)
    assert result.n_samples == len(samples)
    told = sample_issues(samples)
    own = result.issues.iloc[: len(told)].reset_index(drop=True)
    pd.testing.assert_frame_equal(own, told, check_dtype=False)


def test_changes_stand_beside_the_faults(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id;lat;lon;d18O;d2H\n1;34,1;92,2;-12,5;abc\n2;95,0;92;-12;-90\n")
    result = check_table(path)
    assert len(result.faults) == 2
    assert "decimal comma" in set(result.issues.rule)
    with pytest.raises(SampleTableError, match=r"(?s)'mine\.csv' has 2 faults.*abc"):
        result.raise_faults()


def test_quality_rules_are_told_with_the_row_of_the_file(tmp_path):
    rows = [f"{i},{-10 - i / 10:.2f},{8 * (-10 - i / 10) + 10:.1f}" for i in range(30)]
    rows[7] = "7,-80.00,-10.5"
    path = tmp_path / "swapped.csv"
    path.write_text("remark\nid,d18O,d2H\n" + "\n".join(rows) + "\n")
    issues = check_table(path).issues
    suspects = issues[issues.severity == "suspect"]
    assert set(suspects.row) == {10}


def test_the_summary_counts_by_rule_the_most_serious_first(tmp_path):
    lines = "".join(f"{i};-12,{i:02d};-90,5\n" for i in range(10, 30))
    path = tmp_path / "many.csv"
    path.write_text("id;d18O;d2H\n" + lines)
    result = check_table(path)
    summary = result.summary()
    assert summary["count"].sum() == len(result.issues)
    oxygen = summary[(summary.rule == "decimal comma") & (summary.column == "d18O")]
    assert oxygen["count"].tolist() == [20]
    assert oxygen[["row", "found"]].to_numpy().tolist() == [[2, "-12,10"]]
    order = ["suspect", "warn", "change", "note"]
    ranks = [order.index(word) for word in summary.severity]
    assert ranks == sorted(ranks)


def test_options_reach_the_reader(tmp_path):
    path = tmp_path / "xy.csv"
    path.write_text("x,y,when,iso\n600429.7,7527110.7,06/08/2020,-57.6\n")
    result = check_table(
        path,
        columns={"iso": "d2H", "when": "date"},
        crs="EPSG:32719",
        dates="dayfirst",
        require=("d2H",),
    )
    assert result.readable
    assert {"longitude", "latitude", "date", "d2H"} <= set(result.columns)


def test_fixes_are_written_and_never_over_the_table(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,d18O,d2H\n=1+1,-12,-90\n2,<LOD,-91\n")
    before = path.read_bytes()
    result = check_table(path)
    with pytest.raises(InputError, match="never written to"):
        write_fixes(result, path)
    fixes = pd.read_csv(write_fixes(result, tmp_path / "t.fixes.csv"))
    assert path.read_bytes() == before
    assert list(fixes) == ["row", "column", "found", "read_as", "rule", "severity"]
    assert len(fixes) == len(result.issues)
    assert "'=1+1" in fixes.found.tolist()


def test_an_absent_file_is_told(tmp_path):
    with pytest.raises(MissingFileError, match="does not exist"):
        check_table(tmp_path / "no.csv")


def test_positions_in_degrees_and_minutes_are_suspected(tmp_path):
    path = tmp_path / "stations.csv"
    path.write_text(
        "sample_id,water,name,latitude,longitude,elevation,d18O,d2H\n"
        "a,precipitation,Zhimenda,34.14,92.26,3540,-10,-70\n"
        "b,precipitation,Tuotuohe,34.22,92.24,4533,-11,-78\n"
        "c,precipitation,Zaduo,32.53,95.17,4066.4,-12,-86\n"
        "d,precipitation,Dari,33.45,99.39,3967,-13,-95\n"
        "e,precipitation,Maduo,34.55,98.13,4272.3,-14,-103\n"
    )
    result = check_table(path)
    assert result.readable
    positions = result.issues[result.issues["rule"].str.startswith("position:")]
    assert positions["row"].tolist() == [2, 3, 4, 5, 6]
    assert positions["rule"].str.contains("degrees.minutes likely").all()
    assert positions["rule"].iloc[0].count("Tuotuohe") == 1


def test_decimal_positions_are_left_alone(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text(
        "sample_id,water,latitude,longitude,d18O,d2H\n"
        "a,soil,34.87,92.26,-10,-70\nb,soil,34.22,92.94,-11,-78\n"
        "c,soil,32.53,95.77,-12,-86\n"
    )
    rules = check_table(path).issues["rule"]
    assert not rules.str.startswith("position:").any()


def test_stated_elevations_are_held_against_a_model(tmp_path: Path) -> None:
    table = tmp_path / "sites.csv"
    table.write_text(
        "sample_id,site_id,longitude,latitude,elevation,d18O,d2H\n"
        "a,a,98.10,34.60,4300,-12,-90\nb,b,96.123,33.456,1200,-12,-91\n"
    )
    dem = Path(__file__).parents[2] / "data" / "elevation" / "etopo5_trhr.tif"
    plain = check_table(table)
    found = check_table(table, dem=dem)
    new = found.issues[~found.issues["rule"].isin(plain.issues["rule"])]
    assert new["row"].tolist() == [3]
    assert "stated elevation 1200 m is" in new["rule"].item()


def test_a_model_of_another_place_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "sites.csv"
    table.write_text("sample_id,longitude,latitude,d18O,d2H\na,10.5,50.5,-8,-55\n")
    dem = Path(__file__).parents[2] / "data" / "elevation" / "etopo5_trhr.tif"
    with pytest.raises(InputError, match="covers none of the 1 samples"):
        check_table(table, dem=dem)
