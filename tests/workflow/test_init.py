"""geosoil init: a user's table becomes settings that geosoil itself accepts."""

from __future__ import annotations

import tomllib

import pytest

from geosoil.config import read_config
from geosoil.errors import ConfigError, SampleTableError
from geosoil.io.samples import read_samples
from geosoil.workflow.init import describe, guess_study, study_toml, write_study

TABLE = """bottle;Type;date;lat;lon;elev (m);δ18O (‰);δ2H (‰);plants
001;soil water;2021-05-10;34,14;92,26;3540;-12,0;-92,1;meadow
002;rain;2021-05-12;34,14;92,26;3540;-14,0;-102,2;
003;soil water;2021-07-10;34,22;92,24;4533;-13,3;-101,9;forest
004;rain;2021-07-12;34,22;92,24;4533;-15,1;-110,1;
005;Ground ice;2021-07-13;34,22;92,24;4533;-11,2;-88,8;
006;river;2021-10-13;34,22;92,24;4533;-11,2;-88,8;
"""


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "input" / "my samples.csv"
    path.parent.mkdir()
    path.write_text(TABLE.replace(";-", ";\u2212"), encoding="utf-8")
    return path


OWN = {"bottle": "sample_id", "plants": "vegetation"}


def test_periods_and_sources_come_from_the_table(table):
    guess = guess_study(table, columns=OWN)
    assert guess.periods == ("May", "July")
    assert guess.months == (5, 7)
    assert guess.sources == {
        "May": ("precipitation",),
        "July": ("precipitation", "ground_ice"),
    }
    assert guess.waters["soil"] == 2
    assert guess.groups == ("elevation band", "vegetation")


def test_bounds_hold_every_sample_on_whole_cells(table):
    west, south, east, north = guess_study(table).bounds
    assert west < 92.24
    assert east > 92.26
    assert south < 34.14
    assert north > 34.22
    for edge in (west, south, east, north):
        assert edge / 0.05 == pytest.approx(round(edge / 0.05), abs=1e-9)


def test_the_written_settings_are_accepted_and_read_the_same_samples(table, tmp_path):
    target = tmp_path / "study" / "geosoil.toml"
    guess = write_study(table, target, columns=OWN)
    config = read_config(target)
    assert config.samples.path == table
    assert config.tracers.sources == guess.sources
    assert config.grid.bounds == guess.bounds
    again = read_samples(config.samples.path, columns=config.samples.columns)
    assert again["sample_id"].tolist() == [f"00{i}" for i in range(1, 7)]
    assert again["vegetation"].tolist()[0] == "meadow"


def test_every_comment_is_valid_toml_when_uncommented(table):
    text = study_toml(guess_study(table))
    lines = text.splitlines()
    settings = [
        line.removeprefix("# ")
        for line in lines[2:]
        if not line.startswith("# ")
        or line.startswith("# [")
        or (" = " in line and not line.startswith("# W"))
    ]
    data = tomllib.loads("\n".join(settings))
    assert {"ndvi", "climate", "layers", "correlation", "rule"} <= set(data)
    assert data["correlation"]["months"] == [5, 7]


def test_an_existing_file_is_never_overwritten(table, tmp_path):
    target = tmp_path / "geosoil.toml"
    target.write_text("mine")
    with pytest.raises(ConfigError, match="not overwritten"):
        write_study(table, target)
    assert target.read_text() == "mine"


def test_a_bad_table_writes_nothing(tmp_path):
    (tmp_path / "bad.csv").write_text("id,d18O\n1,-12\n")
    with pytest.raises(SampleTableError, match="d2H"):
        write_study(tmp_path / "bad.csv", tmp_path / "geosoil.toml")
    assert not (tmp_path / "geosoil.toml").exists()


def test_names_with_quotes_survive_in_toml(tmp_path):
    path = tmp_path / 'a "b" \\c.csv'
    path.write_text('"d18O ""x""",d2H\n-12,-90\n')
    guess = guess_study(path, columns={'d18O "x"': "d18O"})
    data = tomllib.loads(study_toml(guess))
    assert data["samples"]["columns"] == {'d18O "x"': "d18O"}
    assert data["study"]["name"] == 'a "b" \\c'


def test_a_table_of_isotopes_alone_says_what_it_lacks(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("d18O,d2H\n-12,-90\n")
    guess = guess_study(path)
    assert guess.bounds is None
    text = describe(guess)
    for words in ("periods: none", "sources: none", "grid: none", "waters: not said"):
        assert words in text
    tomllib.loads(study_toml(guess))


def test_the_summary_shows_columns_sources_and_changes(table):
    text = describe(guess_study(table, columns=OWN))
    assert "column 'Type' is water" in text
    assert "sources in July: precipitation, ground_ice" in text
    assert "read otherwise than written" in text


def test_a_column_with_the_exact_name_wins_over_a_likely_one(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "sample_id,water,period,d18O,d2H,aspect_degrees,aspect,simulated\n"
        "a,soil,June,-12,-92,10,N,True\nb,soil,June,-11,-84,190,S,True\n"
    )
    guess = guess_study(path)
    assert dict(guess.columns) == {}
    assert guess.simulated
    assert "simulated = true" in study_toml(guess)
