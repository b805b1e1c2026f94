"""What a user sees of bad input: exit code 1, every fault, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from geosoil.cli.main import main

HEADER = "sample_id,water,period,site_id,longitude,latitude,elevation,d18O,d2H"
GOOD = [
    "s1,soil,June,a,98.1,34.2,4100,-12.0,-90.1",
    "s2,soil,June,b,98.3,34.3,4200,-11.4,-84.8",
    "s3,soil,June,c,98.6,34.1,4300,-12.6,-95.2",
    "p1,precipitation,June,st,98.2,34.9,4270,-10.1,-67.0",
    "p2,precipitation,June,st,98.2,34.9,4270,-12.3,-85.2",
    "p3,precipitation,June,st,98.2,34.9,4270,-14.0,-98.4",
    "i1,ground_ice,June,d,98.4,34.3,4500,-15.0,-117.0",
    "i2,ground_ice,June,e,98.5,34.4,4510,-14.2,-110.4",
]
CONFIG = """
[samples]
path = "samples.csv"
[tracers.sources]
June = ["precipitation", "ground_ice"]
[grid]
bounds = [98.0, 34.0, 99.0, 35.0]
"""


def study(folder: Path, rows: list[str], *, header: str = HEADER, extra: str = ""):
    (folder / "samples.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "geosoil.toml").write_text(CONFIG + extra)
    return ["-q", "run", str(folder / "geosoil.toml"), "-o", str(folder / "out")]


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(words)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.err


def test_a_small_good_study_runs(tmp_path: Path, capsys) -> None:
    code = main(study(tmp_path, GOOD))
    text = capsys.readouterr().out
    assert code == 0
    assert "rain as fallen" in text
    assert "No source-fraction map" in text
    assert (tmp_path / "out" / "tables" / "fractions_samples.csv").is_file()


def test_every_fault_of_a_table_is_told_in_one_message(tmp_path: Path, capsys) -> None:
    rows = [*GOOD]
    rows[0] = rows[0].replace("-12.0", "minus twelve")
    rows[1] = rows[1].replace("34.3", "94.3")
    code, words = run(study(tmp_path, rows), capsys)
    assert code == 1
    assert "minus twelve" in words
    assert "94.3" in words
    assert "samples.csv" in words
    assert not (tmp_path / "out").exists()


def test_a_missing_column_is_named_with_those_found(tmp_path: Path, capsys) -> None:
    code, words = run(
        study(tmp_path, GOOD, header=HEADER.replace("d2H", "deuterio")), capsys
    )
    assert code == 1
    assert "d2H" in words
    assert "deuterio" in words


def test_collinear_end_members_are_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / "ends.csv").write_text(
        "source,d18O,d2H,n\nprecipitation,-10,-70,5\nground_ice,-12,-86,5\n"
        "snowmelt,-14,-102,5\n"
    )
    extra = '[[rule]]\nsource = "snowmelt"\nperiod = ["June"]\nbelow = 100\n'
    words = study(tmp_path, GOOD, extra=extra)
    text = (tmp_path / "geosoil.toml").read_text()
    text = text.replace(
        "[tracers.sources]", '[tracers]\nend_members = "ends.csv"\n[tracers.sources]'
    )
    text = text.replace('"ground_ice"]', '"ground_ice", "snowmelt"]')
    (tmp_path / "geosoil.toml").write_text(text)
    rows = [
        *GOOD,
        "n1,snowmelt,June,g,98.1,34.2,5000,-17.5,-128.0",
        "n2,snowmelt,June,g,98.1,34.2,5000,-17.9,-131.0",
    ]
    (tmp_path / "samples.csv").write_text("\n".join([HEADER, *rows]))
    code, message = run(words, capsys)
    assert code == 1
    assert "collinear" in message or "condition" in message
    assert not (tmp_path / "out").exists()


def test_periods_without_soil_are_told(tmp_path: Path, capsys) -> None:
    rows = [row.replace("soil,June", "soil,July") for row in GOOD]
    code, words = run(study(tmp_path, rows), capsys)
    assert code == 1
    assert "No soil sample lies in the periods June" in words
    assert "July" in words


def test_init_does_not_overwrite(tmp_path: Path, capsys) -> None:
    study(tmp_path, GOOD)
    target = tmp_path / "geosoil.toml"
    before = target.read_text()
    code, words = run(
        ["init", str(tmp_path / "samples.csv"), "-o", str(target)], capsys
    )
    assert code == 1
    assert "geosoil.toml" in words
    assert target.read_text() == before


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html>Earthdata Login</html>", "login"),
        (b"\x89HDF\r\n\x1a\n" + b"\x00" * 64, "HDF5"),
        (b"\x0e\x03\x13\x01" + b"\x00" * 64, "damaged"),
    ],
)
def test_a_file_that_is_no_granule_gets_its_own_words(
    tmp_path: Path, capsys, content: bytes, words: str
) -> None:
    path = tmp_path / "MOD13C1.A2020161.061.hdf"
    path.write_bytes(content)
    target = tmp_path / "out.tif"
    code, message = run(["ndvi", str(path), "-o", str(target)], capsys)
    assert code == 1
    assert words in message
    assert path.name in message
    assert not target.exists()


def test_one_bad_file_among_many_names_only_itself(tmp_path: Path, capsys) -> None:
    path = tmp_path / "MOD13C1.A2020161.061.hdf"
    code, message = run(["ndvi", str(path), "-o", str(tmp_path / "o.tif")], capsys)
    assert code == 3
    assert path.name in message
