"""Presets choose methods that belong together; both answers are told by a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.config import read_config
from geosoil.workflow.evaporation import MEAN
from geosoil.workflow.fractions import solve_study, study_meteoric_line
from geosoil.workflow.inputs import open_inputs
from geosoil.workflow.mixtures import end_members_as_fallen


def opened(built_study, lines: str):
    text = built_study.config.read_text()
    kept = text[: text.index("[ndvi]")]
    kept = kept.replace('method = "ols"', lines + " #")
    path = built_study.folder / "preset.toml"
    path.write_text(kept)
    inputs = open_inputs(read_config(path))
    path.unlink()
    return inputs


@pytest.mark.parametrize(
    ("lines", "method"),
    [
        ('preset = "paper"', "ols"),
        ('preset = "recommended"', "pwrma"),
        ('preset = "recommended"\nmethod = "rma"', "rma"),
        ("", "ols"),
    ],
)
def test_the_meteoric_line_follows_preset_and_method(
    built_study, lines: str, method: str
) -> None:
    inputs = opened(built_study, lines)
    assert study_meteoric_line(inputs).method == method


def test_the_paper_preset_does_not_weigh_rain_by_amount(built_study) -> None:
    paper = end_members_as_fallen(opened(built_study, 'preset = "paper"'), "June")
    best = end_members_as_fallen(opened(built_study, 'preset = "recommended"'), "June")
    inputs = opened(built_study, "")
    rain = inputs.samples
    rain = rain[(rain["water"] == "precipitation") & (rain["period"] == "June")]
    plain = float(rain["d18O"].mean())
    weighted = float(np.average(rain["d18O"], weights=rain["precipitation"]))
    assert paper.keep(["precipitation"]).means(["d18O"])[0, 0] == pytest.approx(plain)
    assert best.keep(["precipitation"]).means(["d18O"])[0, 0] == pytest.approx(weighted)
    assert abs(plain - weighted) > 0.05


def test_a_run_tells_the_regression_and_the_evaporation_source(built_study) -> None:
    table = pd.read_csv(built_study.result.folder / "tables" / "source_water.csv")
    means = table[table["sample_id"] == MEAN].set_index("period")
    stated = {
        "June": (-14.2, -13.0),
        "August": (-15.6, -14.6),
        "September": (-15.2, -14.2),
    }
    for period, (low, high) in stated.items():
        assert low < means.loc[period, "d18O"] < high
        assert means.loc[period, "d18O_lower"] < means.loc[period, "d18O_upper"]
    assert len(table) == 741 + 3
    assert "Led back along evaporation" in built_study.result.text


def test_a_run_tells_section_3_2_as_numbers(built_study) -> None:
    folder = built_study.result.folder / "tables"
    ranks = pd.read_csv(folder / "lc_excess_ranking.csv")
    assert set(ranks["by"]) == {"elevation_band", "vegetation", "aspect"}
    june = ranks[(ranks["period"] == "June") & (ranks["by"] == "elevation_band")]
    order = june.sort_values("rank")["lc_excess"].abs()
    assert order.is_monotonic_increasing
    connection = pd.read_csv(folder / "hydraulic_connection.csv")
    assert len(connection) == 9
    assert connection["overlap"].between(0, 1).all()
    tests = pd.read_csv(folder / "line_comparison.csv")
    assert set(tests["method"]) == {"ancova", "sma", "permutation"}


def solved(inputs):
    return solve_study(inputs, lambda _: None)


@pytest.mark.filterwarnings("ignore::geosoil.errors.GeosoilWarning")
def test_the_paper_preset_leads_back_along_the_regression(built_study) -> None:
    paper = solved(opened(built_study, 'preset = "paper"'))
    best = solved(opened(built_study, 'preset = "recommended"'))
    line = paper.lines[(paper.lines["by"] == "all")].set_index("period")
    for result, led_by in ((paper, "regression"), (best, "craig_gordon")):
        assert set(result.sources["led_by"]) == {led_by}
    june = paper.sources[paper.sources["period"] == "June"]
    assert june["evaporation_slope"].iloc[0] == pytest.approx(line.loc["June", "slope"])
    assert (best.sources["evaporation_slope"] < 4.5).all()


@pytest.mark.filterwarnings("ignore::geosoil.errors.GeosoilWarning")
def test_the_paper_preset_gives_no_interval_of_the_crossing(built_study) -> None:
    paper = solved(opened(built_study, 'preset = "paper"')).lines
    best = solved(opened(built_study, 'preset = "recommended"')).lines
    assert paper["initial_d18O"].notna().all()
    assert paper[["initial_lower", "initial_upper"]].isna().all(axis=None)
    assert best["initial_lower"].notna().any()


@pytest.mark.filterwarnings("ignore::geosoil.errors.GeosoilWarning")
def test_the_recommended_preset_averages_profiles_first(built_study) -> None:
    paper = solved(opened(built_study, 'preset = "paper"')).groups
    best = solved(opened(built_study, 'preset = "recommended"')).groups
    rows = paper["by"] == "all"
    assert paper.loc[rows, "n"].sum() == 741
    assert best.loc[best["by"] == "all", "n"].sum() == 242
    assert (best["n"] == best["n_sites"]).all()
