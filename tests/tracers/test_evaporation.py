"""Craig-Gordon evaporation against worked cases, and there and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.tracers.evaporation import (
    craig_gordon,
    evaporation_slope,
    residual_water,
    source_water,
)
from geosoil.tracers.fractionation import (
    EvaporationClimate,
    equilibrium_fractionation,
    kinetic_enrichment,
)
from geosoil.tracers.lines import WaterLine

LMWL = WaterLine.stated(7.9, 12.43)


def read(golden: Path, name: str) -> dict:
    return json.loads((golden / "tracers" / f"{name}.json").read_text())


def test_equilibrium_fractionation_at_20_and_25_degrees(golden: Path) -> None:
    case = read(golden, "evaporation_slope_craig_gordon")
    for celsius in (20, 25):
        alpha = equilibrium_fractionation(float(celsius))
        expected = case[f"alpha_{celsius}C"]
        assert alpha.d2H == pytest.approx(expected["H"], abs=1e-9)
        assert alpha.d18O == pytest.approx(expected["O"], abs=1e-9)


@pytest.mark.parametrize("number", range(5))
def test_terms_slope_and_residue_of_the_golden_cases(golden: Path, number) -> None:
    case = read(golden, "evaporation_slope_craig_gordon")["cases"][number]
    climate = EvaporationClimate(
        case["t_c"],
        case["rh"],
        turbulence=case["n"],
        scheme="merlivat" if case["kinetic"] == "benettin" else "gibson",
    )
    start = case["d18O_p"], case["d2H_p"]
    slope = evaporation_slope(*start, climate=climate)
    assert slope == pytest.approx(case["slope"], abs=1e-9)
    terms = craig_gordon(*start, climate=climate)
    for found, isotope in zip(terms, "OH", strict=True):
        expected = case["terms"][isotope]
        assert found.equilibrium == pytest.approx(expected["eps_eq"], rel=1e-11)
        assert found.kinetic == pytest.approx(expected["eps_k"], rel=1e-11)
        assert found.vapour == pytest.approx(expected["delta_A"], rel=1e-11)
        assert found.exponent == pytest.approx(expected["m"], rel=1e-11)
        assert found.limit == pytest.approx(expected["delta_star"], rel=1e-9)
        assert -found.rate == pytest.approx(expected["num_over_den"], rel=1e-9)
    left = residual_water(*start, remaining=0.8, climate=climate)
    assert left.d18O == pytest.approx(case["residual_f_0_8"]["d18O"], abs=1e-9)
    assert left.d2H == pytest.approx(case["residual_f_0_8"]["d2H"], abs=1e-9)


@given(st.floats(0, 0.97), st.floats(0, 40), st.floats(0.5, 1))
def test_slope_ignores_humidity_when_vapour_is_in_equilibrium(h, t, n) -> None:
    dry = EvaporationClimate(t, 0.0, turbulence=n)
    moist = EvaporationClimate(t, h, turbulence=n)
    assert evaporation_slope(-14.0, -100.0, climate=moist) == pytest.approx(
        evaporation_slope(-14.0, -100.0, climate=dry), rel=1e-7
    )


@given(st.floats(0, 0.9), st.floats(0, 40), st.floats(0.5, 1), st.floats(0, 1))
def test_slope_is_that_of_the_first_water_lost(h, t, n, k) -> None:
    climate = EvaporationClimate(t, h, turbulence=n, vapour=k)
    left = residual_water(-14.0, -100.0, remaining=1 - 1e-6, climate=climate)
    chord = (left.d2H + 100.0) / (left.d18O + 14.0)
    assert evaporation_slope(-14.0, -100.0, climate=climate) == pytest.approx(
        chord, rel=1e-4
    )


def test_climate_may_be_arrays() -> None:
    climate = EvaporationClimate([2.0, 8.0, 14.0], 0.6)
    slopes = evaporation_slope(-14.0, -100.0, climate=climate)
    assert slopes.shape == (3,)
    single = [
        float(evaporation_slope(-14.0, -100.0, climate=EvaporationClimate(t, 0.6)))
        for t in (2.0, 8.0, 14.0)
    ]
    np.testing.assert_allclose(slopes, single, rtol=1e-12)
    assert kinetic_enrichment(climate).d18O.shape == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((-3.0, 0.5), "temperature is 0 to 374"),
        ((8.0, 55.0), r"humidity is a share.*55 % is 0.55"),
        ((8.0, 1.0), "humidity is a share"),
        ((8.0, 0.5, 1.5), "turbulence n is 0 to 1"),
        ((8.0, 0.5, 0.5, 2.0), "vapour k is 0 to 1"),
        ((8.0, 0.5, 0.5, 1.0, "other"), "scheme is one of merlivat, gibson"),
        ((-8.0, 50.0), "temperature is .*; humidity is"),
    ],
)
def test_impossible_climates_are_refused_with_every_fault(arguments, words) -> None:
    with pytest.raises(InputError, match=words):
        EvaporationClimate(*arguments)


def test_ice_and_total_loss_are_refused() -> None:
    with pytest.raises(InputError, match="1 temperatures outside 0 to 374"):
        equilibrium_fractionation([-1.0, np.nan, 5.0])
    with pytest.raises(InputError, match="remaining"):
        residual_water(-10, -70, remaining=0.0, climate=EvaporationClimate(8.0, 0.5))


def test_back_projection_of_the_papers_means(golden: Path) -> None:
    case = read(golden, "lcexcess_and_backprojection")
    table = pd.DataFrame(case["samples"])
    line = WaterLine.stated(*case["lmwl"])
    for slope in (4.0, 5.0):
        source = source_water(table["d18O"], table["d2H"], line=line, slope=slope)
        expected = np.array(table[f"source_slope_{slope:.0f}"].tolist())
        np.testing.assert_allclose(source["d18O"], expected[:, 0], atol=1e-10)
        np.testing.assert_allclose(source["d2H"], expected[:, 1], atol=1e-10)
        assert (source["reason"] == "").all()


def test_back_projection_finds_what_the_regression_misses(golden: Path) -> None:
    case = read(golden, "benettin_artefact")
    table = pd.read_csv(golden / "tracers" / "benettin_artefact.csv")
    line = WaterLine.stated(*case["lmwl"])
    source = source_water(
        table["d18O"], table["d2H"], line=line, slope=case["evaporation_slope"]
    )
    np.testing.assert_allclose(source["d18O"], table["true_source_d18O"], atol=1e-9)
    np.testing.assert_allclose(source["d2H"], table["true_source_d2H"], atol=1e-9)
    np.testing.assert_allclose(source["shift"], table["true_shift"], atol=1e-9)


def test_sample_above_the_line_is_kept_and_flagged(golden: Path) -> None:
    cases = {case["name"]: case for case in read(golden, "degenerate_inputs")["cases"]}
    case = cases["sample above LMWL"]
    x, y = case["sample"]
    source = source_water([x], [y], line=LMWL, slope=case["el_slope"]).iloc[0]
    assert (source["d18O"], source["d2H"], source["shift"]) == (x, y, 0.0)
    assert source["reason"] == "above the line"


def test_rows_without_answer_keep_their_place_and_reason() -> None:
    d18O = pd.Series([-12.0, np.nan, -12.0], index=["a", "b", "c"])
    d2H = pd.Series([-90.0, -90.0, -90.0], index=["a", "b", "c"])
    source = source_water(d18O, d2H, line=LMWL, slope=[4.0, 4.0, 7.9])
    assert source.index.tolist() == ["a", "b", "c"]
    assert source["reason"].tolist() == [
        "",
        "missing tracer",
        "slope of evaporation not below the line's",
    ]
    assert source["d18O"].isna().tolist() == [False, True, True]


@given(st.floats(-30, -2), st.floats(0, 8), st.floats(2, 6))
def test_projection_undoes_evaporation(x, shift, slope) -> None:
    y = LMWL.slope * x + LMWL.intercept
    evaporated = x + shift, y + slope * shift
    source = source_water([evaporated[0]], [evaporated[1]], line=LMWL, slope=slope)
    assert source["d18O"].iloc[0] == pytest.approx(x, abs=1e-9)
    assert source["d2H"].iloc[0] == pytest.approx(y, abs=1e-8)
    back = source.iloc[0]
    assert back["d2H"] + slope * back["shift"] == pytest.approx(evaporated[1], abs=1e-9)
