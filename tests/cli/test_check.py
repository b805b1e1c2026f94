"""The command that checks a table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geosoil.cli.main import main

ODD = Path(__file__).parents[1] / "data" / "odd_tables"


def test_a_readable_table_prints_its_changes_and_exits_0(capsys):
    assert main(["check", str(ODD / "semidec.csv")]) == 0
    shown = capsys.readouterr().out
    assert "92,26" in shown
    assert "92.26" in shown
    assert "decimal comma" in shown
    assert "semidec.csv: 3 samples can be read" in shown


def test_faults_exit_1_with_every_reason(capsys):
    assert main(["check", str(ODD / "frac.csv")]) == 1
    told = capsys.readouterr()
    assert "'frac.csv' has 2 faults" in told.err
    assert told.err.count("looks like fractions") == 2
    assert "can be read" not in told.out


def test_an_absent_table_exits_3_and_a_wrong_pair_2(tmp_path, capsys):
    assert main(["check", str(tmp_path / "no.csv")]) == 3
    assert main(["check", str(ODD / "clean.csv"), "--columns", "d18O"]) == 2
    assert "is no own=name" in capsys.readouterr().err


def test_a_long_list_is_counted_by_rule_unless_all_is_asked(tmp_path, capsys):
    path = tmp_path / "many.csv"
    rows = "".join(f"{i};-12,{i};-90,{i}\n" for i in range(10, 60))
    path.write_text("id;d18O;d2H\n" + rows)
    assert main(["check", str(path)]) == 0
    short = capsys.readouterr().out
    assert "first row" in short
    assert "-12,37" not in short
    assert main(["check", str(path), "--all"]) == 0
    assert "-12,37" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["clean.csv", "swap.csv"])
def test_json_is_one_object_also_with_faults(name, capsys):
    code = main(["check", str(ODD / name), "--json"])
    answer = json.loads(capsys.readouterr().out)
    assert answer["command"] == "check"
    (result,) = answer["results"]
    assert result["readable"] == (code == 0) == (name == "clean.csv")
    assert bool(result["faults"]) == (code == 1)
    assert {"row", "column", "found", "read_as", "rule", "severity"} == set(
        result["issues"][0]
    )


def test_fixes_are_written_only_when_asked(tmp_path, capsys):
    path = tmp_path / "xy.csv"
    path.write_text("x;y;when;iso\n600429.7;7527110.7;06/08/2020;-57.6\n")
    own = ["--columns", "iso=d2H", "--columns", "when=date"]
    options = ["--crs", "EPSG:32719", "--dates", "dayfirst", "--require", "d2H"]
    assert main(["check", str(path), *own, *options]) == 0
    assert [p.name for p in tmp_path.iterdir()] == ["xy.csv"]
    target = tmp_path / "xy.fixes.csv"
    assert main(["check", str(path), *own, *options, "-o", str(target)]) == 0
    assert "06/08/2020,2020-08-06" in target.read_text(encoding="utf-8")
    assert "Wrote" in capsys.readouterr().out
