"""Presets choose methods that belong together; both answers are told by a run."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geosoil.config import EndMemberSettings, read_config
from geosoil.errors import GeosoilWarning
from geosoil.workflow.evaporation import MEAN
from geosoil.workflow.fractions import FractionResult, solve_study, study_meteoric_line
from geosoil.workflow.inputs import open_inputs
from geosoil.workflow.mixtures import end_members_as_fallen
from geosoil.workflow.study_answers import FALLEN, GIVEN, MODELLED, study_answer


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


def solved(inputs) -> FractionResult:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GeosoilWarning)
        return solve_study(inputs, lambda _: None)


@pytest.fixture(scope="module")
def paper(built_study) -> FractionResult:
    """Answers of the paper's preset."""
    return solved(opened(built_study, 'preset = "paper"'))


@pytest.fixture(scope="module")
def best(built_study) -> FractionResult:
    """Answers of the recommended preset."""
    return solved(opened(built_study, 'preset = "recommended"'))


@pytest.mark.slow
def test_the_paper_preset_leads_back_along_the_regression(paper, best) -> None:
    line = paper.lines[(paper.lines["by"] == "all")].set_index("period")
    for result, led_by in ((paper, "regression"), (best, "craig_gordon")):
        assert set(result.sources["led_by"]) == {led_by}
    june = paper.sources[paper.sources["period"] == "June"]
    assert june["evaporation_slope"].iloc[0] == pytest.approx(line.loc["June", "slope"])
    assert (best.sources["evaporation_slope"] < 4.5).all()


@pytest.mark.slow
def test_the_paper_preset_gives_no_interval_of_the_crossing(paper, best) -> None:
    assert paper.lines["initial_d18O"].notna().all()
    assert paper.lines[["initial_lower", "initial_upper"]].isna().all(axis=None)
    assert best.lines["initial_lower"].notna().any()


@pytest.mark.slow
def test_the_recommended_preset_averages_profiles_first(paper, best) -> None:
    plain, averaged = paper.groups, best.groups
    assert plain.loc[plain["by"] == "all", "n"].sum() == 741
    assert averaged.loc[averaged["by"] == "all", "n"].sum() == 242
    assert (averaged["n"] == averaged["n_sites"]).all()


@pytest.mark.filterwarnings("ignore::geosoil.errors.GeosoilWarning")
@pytest.mark.slow
def test_mixing_of_a_preset_decides_what_groups_rest_on(built_study) -> None:
    without = 'end_members = "end_members.csv"'
    for lines, has_table, wanted in (
        ('preset = "paper"', True, FALLEN),
        ('preset = "recommended"', True, GIVEN),
        ('preset = "recommended"', False, MODELLED),
        ('method = "ols"', False, FALLEN),
        ('method = "ols"', True, GIVEN),
    ):
        inputs = opened(built_study, lines)
        if not has_table:
            assert without in built_study.config.read_text()
            inputs = replace(inputs, end_members=None)
        fallen = end_members_as_fallen(inputs, "June")
        answer = study_answer(inputs, "June", fallen, "all")
        assert answer.name == wanted
        assert (answer.prior is not None) == (wanted == MODELLED)


@pytest.mark.filterwarnings("ignore::geosoil.errors.GeosoilWarning")
@pytest.mark.slow
def test_modelled_groups_tell_evaporation_and_intervals(built_study) -> None:
    inputs = replace(opened(built_study, 'preset = "recommended"'), end_members=None)
    result = solved(inputs)
    assert set(result.groups["answer"]) == {MODELLED}
    whole = result.groups[result.groups["by"] == "all"].set_index("period")
    truth = {"June": 1.12, "August": 1.59, "September": 1.51}
    for period, evaporation in truth.items():
        row = whole.loc[period]
        away = abs(row["evaporation"] - evaporation)
        assert away < 2.0 * row["evaporation_sd"]
        assert row["precipitation_lower"] <= row["precipitation"]
        assert row["precipitation"] <= row["precipitation_upper"]
    shares = whole[["precipitation", "ground_ice"]].sum(axis=1)
    shares += whole["snowmelt"].fillna(0.0)
    np.testing.assert_allclose(shares, 1.0, atol=1e-9)
    assert result.sites["fraction_precipitation"].notna().mean() > 0.9


@pytest.mark.filterwarnings("ignore::geosoil.errors.GeosoilWarning")
def test_rules_of_the_settings_make_the_end_members(built_study) -> None:
    inputs = opened(built_study, 'method = "ols"')
    plain = end_members_as_fallen(inputs, "August")
    rule = EndMemberSettings(source="precipitation", months_before=1)
    config = inputs.config.model_copy(update={"end_member": (rule,)})
    ruled = end_members_as_fallen(replace(inputs, config=config), "August")
    rain = inputs.samples[inputs.samples["water"] == "precipitation"]
    months = pd.to_datetime(rain["date"]).dt.month
    wanted = rain.loc[months.isin([7, 8]), "d18O"].mean()
    row = ruled.table[ruled.table["source"] == "precipitation"].iloc[0]
    assert row["d18O"] == pytest.approx(wanted)
    assert row["n"] == months.isin([7, 8]).sum()
    ice = [
        t[t["source"] == "ground_ice"]["d18O"].item()
        for t in (plain.table, ruled.table)
    ]
    assert ice[0] == pytest.approx(ice[1])


def test_a_run_sets_samples_area_and_water_side_by_side(built_study) -> None:
    folder = built_study.result.folder / "tables"
    means = pd.read_csv(folder / "fractions_weighted.csv")
    assert set(means["words"]) == {
        *("share of samples", "share of area", "share of stored water"),
    }
    bands = means[(means["over"] == "elevation_band") & (means["period"] == "June")]
    ice = bands[bands["source"] == "ground_ice"].set_index("weighting")
    assert ice.loc["area", "covered"] == pytest.approx(0.69, abs=0.01)
    assert ice.loc["samples", "covered"] == 1.0
    sums = bands.groupby("weighting")["mean"].sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-9)
    draws = pd.read_csv(folder / "fractions_draws.csv")
    groups = pd.read_csv(folder / "fractions_groups.csv")
    both = draws[draws["source"] == "precipitation"].merge(
        groups, on=["period", "by", "stratum"]
    )
    assert set(both["by"]) == {"all", "elevation_band", "vegetation", "aspect"}
    assert len(both) == 36
    inside = (both["q05"] <= both["precipitation"] + 1e-9) & (
        both["precipitation"] <= both["q95"] + 1e-9
    )
    assert inside.all()
    region = pd.read_csv(folder / "mixing_region.csv")
    assert (region["n_inside"] + region["n_outside"] == region["n_tested"]).all()
    assert "share of stored water" in built_study.result.text


def test_layers_and_basins_are_drawn_beside_the_strata_of_the_paper(
    built_study,
) -> None:
    folder = built_study.result.folder / "tables"
    draws = pd.read_csv(folder / "fractions_draws.csv")
    assert set(draws["by"]) == {
        *("all", "elevation_band", "vegetation", "aspect", "soil_layer", "basin"),
    }
    basins = draws[draws["by"] == "basin"]["stratum"].unique()
    assert "Yangtze headwaters" in basins
    means = pd.read_csv(folder / "fractions_weighted.csv")
    june = means[(means["over"] == "basin") & (means["period"] == "June")]
    area = june[(june["weighting"] == "area") & (june["source"] == "ground_ice")]
    assert 0.5 < area["covered"].item() <= 1.0
