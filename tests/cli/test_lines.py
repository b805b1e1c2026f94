"""The command `geosoil lines`: words, JSON, files and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from geosoil.cli.main import main

HEADER = "sample_id,water,period,site_id,vegetation,elevation,d18O,d2H,precipitation\n"
ROWS = [
    ("s", "soil", "June", "meadow", -12.0, -90.1),
    ("s", "soil", "June", "meadow", -11.4, -84.8),
    ("s", "soil", "June", "meadow", -12.6, -95.2),
    ("s", "soil", "June", "forest", -10.6, -79.2),
    ("s", "soil", "August", "meadow", -13.6, -99.9),
    ("s", "soil", "August", "meadow", -14.6, -107.1),
    ("s", "soil", "August", "meadow", -12.6, -94.6),
    ("p", "precipitation", "June", "", -10.1, -67.0),
    ("p", "precipitation", "June", "", -12.3, -85.2),
    ("p", "precipitation", "August", "", -14.0, -98.4),
    ("p", "precipitation", "August", "", -18.0, -129.7),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    lines = [
        f"{kind}{i},{water},{period},{kind}{i // 2},{vegetation},4100,{x},{y},5\n"
        for i, (kind, water, period, vegetation, x, y) in enumerate(ROWS)
    ]
    (tmp_path / "samples.csv").write_text(HEADER + "".join(lines))
    return tmp_path / "samples.csv"


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["-q", "lines", *words])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.out, captured.err


def test_the_meteoric_line_and_each_group_are_told(path: Path, capsys) -> None:
    code, out, _ = run([str(path), "--by", "period,vegetation"], capsys)
    assert code == 0
    assert "Meteoric water line (precipitation, ols)" in out
    assert "June, meadow" in out
    assert "June, forest" in out
    assert "1 samples found, 3 needed" in out
    assert "August, forest" in out
    assert "no sample in this group" in out


def test_the_artefact_is_told_when_the_climate_is_given(path: Path, capsys) -> None:
    climate = ["--temperature", "8", "--humidity", "0.55"]
    code, out, _ = run([str(path), *climate], capsys)
    assert code == 0
    assert "Are these lines of evaporation?" in out
    assert "steeper than evaporation (3." in out


def test_json_is_one_strict_object(path: Path, capsys) -> None:
    code, out, _ = run([str(path), "--by", "period,vegetation", "--json"], capsys)
    assert code == 0
    answer = json.loads(out, parse_constant=pytest.fail)
    assert answer["command"] == "lines"
    first, *groups = answer["results"]
    assert first["kind"] == "meteoric line"
    assert first["n"] == 4
    assert [(g["period"], g["vegetation"], g["n"]) for g in groups] == [
        ("June", "meadow", 3),
        ("June", "forest", 1),
        ("August", "meadow", 3),
        ("August", "forest", 0),
    ]
    assert groups[1]["slope"] is None
    assert groups[1]["reason"]


def test_weights_are_for_precipitation_alone(path: Path, capsys) -> None:
    code, out, _ = run([str(path), "--method", "pwrma"], capsys)
    assert code == 0
    assert "(precipitation, pwrma)" in out
    assert "Lines of soil water (rma)" in out


def test_files_are_written_where_asked(path: Path, tmp_path: Path, capsys) -> None:
    folder = tmp_path / "out"
    climate = ["--temperature", "8", "--humidity", "0.55"]
    code, _, _ = run([str(path), "-o", str(folder), *climate], capsys)
    assert code == 0
    names = {file.name for file in folder.iterdir()}
    tables = {"lines.csv", "group_table.csv", "table_1.csv", "table_2.csv"}
    figures = {"dual_isotope.png", "lines_by_group.png", "trajectories.png"}
    assert tables | figures <= names
    table = pd.read_csv(folder / "table_2.csv")
    assert {"by", "stratum", "slope_June", "r_squared_August"} <= set(table)


def test_edges_of_the_settings_make_the_bands(path: Path, capsys) -> None:
    (path.parent / "geosoil.toml").write_text(
        '[samples]\npath = "samples.csv"\n[strata]\nelevation_edges = [4000, 4200]\n'
        'labels = { "4000-4200" = "alpine" }\n'
    )
    settings = ["--config", str(path.parent / "geosoil.toml")]
    code, out, _ = run([str(path), "--by", "elevation_band", *settings], capsys)
    assert code == 0
    assert "alpine" in out


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--water", "river"], 1, "Waters found: soil, precipitation"),
        (["--by", "geology"], 1, "missing column geology"),
        (["--temperature", "8"], 1, "both --temperature and --humidity"),
        (["--temperature", "8", "--humidity", "55"], 1, "humidity is a share"),
        (["--temperature", "-3", "--humidity", "0.5"], 1, "temperature is 0 to 374"),
        (["--method", "cubic"], 2, "cubic"),
        (["--method", "york"], 1, "d18O_sd"),
    ],
)
def test_bad_words_are_told(path: Path, capsys, words, code, told) -> None:
    found, out, err = run([str(path), *words], capsys)
    assert found == code
    assert told in err
    assert not out


def test_an_absent_file_has_its_own_exit_code(tmp_path: Path, capsys) -> None:
    code, _, err = run([str(tmp_path / "none.csv")], capsys)
    assert code == 3
    assert "none.csv" in err


@pytest.mark.filterwarnings("default")
def test_the_global_line_stands_in_where_rain_is_scarce(path: Path, capsys) -> None:
    code, out, err = run([str(path), "--lmwl-from", "snowmelt"], capsys)
    assert code == 0
    assert "Meteoric water line (Craig 1961)" in out
    assert "The global line (Craig 1961) stands in" in err


def test_a_preset_says_what_it_does_and_does_it(path: Path, capsys) -> None:
    climate = ["--temperature", "8", "--humidity", "0.55", "--json"]
    words = [str(path), "--preset", "recommended"]
    code, out, _ = run(words, capsys)
    assert code == 0
    assert out.startswith("Preset recommended: Each sample led back")
    assert "(precipitation, ols)" in out or "(precipitation, pwrma)" in out
    assert "led back along evaporation" in out
    answers = {}
    for name in ("paper", "recommended"):
        code, out, _ = run([str(path), "--preset", name, *climate], capsys)
        answers[name] = json.loads(out)["results"]
    paper, best = answers["paper"], answers["recommended"]
    assert [paper[0]["method"], best[0]["method"]] == ["ols", "pwrma"]
    assert paper[1]["source_d18O"] == paper[1]["initial_d18O"]
    assert paper[1]["initial_lower"] is None
    assert best[1]["source_led_by"] == "craig_gordon"
    assert best[1]["source_lower"] < best[1]["source_d18O"] < best[1]["source_upper"]


def test_means_of_profiles_weigh_profiles_alike(tmp_path: Path, capsys) -> None:
    rows = [("a", -10.0), ("a", -11.0), ("a", -12.0), ("b", -14.0), ("c", -13.0)]
    table = "sample_id,water,period,site_id,d18O,d2H\n" + "".join(
        f"{i},soil,June,{site},{x},{6 * x - 15 + i % 2}\n"
        for i, (site, x) in enumerate(rows)
    )
    (tmp_path / "s.csv").write_text(table)
    words = [str(tmp_path / "s.csv"), "--lmwl-from", "soil", "--json"]
    means = {}
    for name in ("paper", "recommended"):
        code, out, _ = run([*words, "--preset", name], capsys)
        assert code == 0
        row = json.loads(out)["results"][1]
        means[name] = (row["d18O"], row["d18O_se"])
    assert means["paper"][0] == pytest.approx(-12.0)
    assert means["recommended"][0] == pytest.approx((-11.0 - 14.0 - 13.0) / 3)
    spread = pd.Series([-11.0, -14.0, -13.0]).std()
    assert means["recommended"][1] == pytest.approx(spread / 3**0.5)


def test_each_period_has_the_climate_of_the_settings(path: Path, capsys) -> None:
    (path.parent / "geosoil.toml").write_text(
        '[samples]\npath = "samples.csv"\n[tracers.climate.June]\n'
        "temperature = 8.0\nhumidity = 0.55\n"
        "[tracers.climate.August]\ntemperature = 8.0\nhumidity = 0.55\nvapour = 0.5\n"
    )
    settings = ["--config", str(path.parent / "geosoil.toml"), "--json"]
    code, out, _ = run([str(path), *settings], capsys)
    assert code == 0
    june, august = json.loads(out)["results"][1:]
    assert "not stated" not in june["artefact_words"] + august["artefact_words"]
    assert june["evaporation_slope"] != pytest.approx(
        august["evaporation_slope"], rel=0.02
    )
