"""Water lines of a table: the same numbers as the rooms below give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import geosoil as gs
from geosoil.config import read_config
from geosoil.errors import ConfigError, GeosoilWarning, InputError
from geosoil.workflow.lines import LineRequest, known_method, water_lines


def test_lines_of_the_built_in_study_are_its_fits(built_study) -> None:
    path = built_study.folder / "samples.csv"
    report = water_lines(path, LineRequest())
    samples = gs.read_samples(path)
    rain = samples[samples["water"] == "precipitation"]
    assert report.lmwl == gs.fit_water_line(rain["d18O"], rain["d2H"])
    soil = samples[(samples["water"] == "soil") & (samples["period"] == "August")]
    line = gs.fit_water_line(soil["d18O"], soil["d2H"])
    row = report.groups[report.groups["period"] == "August"].iloc[0]
    np.testing.assert_allclose(row["slope"], line.slope)
    crossing = gs.intersect(report.lmwl, line)
    np.testing.assert_allclose(row["initial_d18O"], crossing.d18O)
    assert report.paths == ()
    assert len(report.strata) == 48


def test_every_period_of_the_study_is_warned_of(built_study) -> None:
    climate = gs.EvaporationClimate(temperature=8.0, humidity=0.55)
    request = LineRequest(climate=climate)
    report = water_lines(built_study.folder / "samples.csv", request)
    assert report.groups["artefact"].tolist() == [True, True, True]
    assert report.text.count("it is a trend of mixed sources") == 3


def test_samples_without_sites_are_warned_of(tmp_path: Path) -> None:
    rows = [f"s{i},soil,June,{-10 - i},{-80 - 7 * i}" for i in range(4)]
    rows += [f"p{i},precipitation,June,{-10 - i},{-70 - 8 * i}" for i in range(4)]
    path = tmp_path / "samples.csv"
    path.write_text("sample_id,water,period,d18O,d2H\n" + "\n".join(rows) + "\n")
    with pytest.warns(GeosoilWarning, match="no column site_id"):
        report = water_lines(path, LineRequest())
    assert report.groups["n_sites"].tolist() == [4]


def test_unknown_methods_are_refused() -> None:
    with pytest.raises(InputError, match="Unknown line method 'cubic'"):
        known_method("cubic")


def test_edges_that_do_not_rise_are_a_fault_of_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "geosoil.toml"
    path.write_text('[samples]\npath = "a.csv"\n[strata]\ndepth_edges = [20, 0]\n')
    with pytest.raises(ConfigError, match="Invalid class edges"):
        read_config(path)
    path.write_text('[samples]\npath = "a.csv"\n[strata]\nlabels = {"5-9" = "top"}\n')
    with pytest.raises(ConfigError, match="Labels are given for 5-9"):
        read_config(path)


def test_the_artefact_is_told_without_a_stated_climate(built_study):
    report = water_lines(built_study.folder / "samples.csv", LineRequest())
    assert report.groups["artefact"].all()
    assert report.groups["artefact_words"].str.contains("climate not stated").all()
    assert "10 +- 5 degC" in report.text
