"""Crossings of lines against golden cases and their own definition."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.tracers.artefact import slope_artefact
from geosoil.tracers.intersection import intersect
from geosoil.tracers.lines import GMWL, WaterLine, fit_water_line


def read(golden: Path, name: str) -> dict:
    return json.loads((golden / "tracers" / f"{name}.json").read_text())


def golden_lines(golden: Path) -> tuple[WaterLine, WaterLine]:
    table = pd.read_csv(golden / "tracers" / "intersection_uncertainty.csv")
    rain, soil = (table[table["line"] == name] for name in ("LMWL", "LEL"))
    return (
        fit_water_line(rain["d18O"], rain["d2H"]),
        fit_water_line(soil["d18O"], soil["d2H"]),
    )


def test_fieller_and_delta_agree_with_the_golden_case(golden: Path) -> None:
    case = read(golden, "intersection_uncertainty")
    lmwl, lel = golden_lines(golden)
    crossing = intersect(lmwl, lel)
    assert (crossing.d18O, crossing.d2H) == pytest.approx(
        tuple(case["intersection"]), abs=1e-8
    )
    fieller = case["fieller_d18O"]
    assert crossing.lower == pytest.approx(fieller["lo"], abs=1e-8)
    assert crossing.upper == pytest.approx(fieller["hi"], abs=1e-8)
    assert crossing.bounded
    assert crossing.standard_error == pytest.approx(case["sd_delta_d18O"], abs=1e-8)
    delta = intersect(lmwl, lel, method="delta")
    half = case["t"] * case["sd_delta_d18O"]
    assert delta.upper - delta.d18O == pytest.approx(half, abs=1e-8)
    assert delta.d18O - delta.lower == pytest.approx(half, abs=1e-8)


def test_all_33_rows_of_the_paper_are_crossed(golden: Path) -> None:
    case = read(golden, "paper_intersections")
    lmwl = WaterLine.stated(*case["lmwl"])
    assert len(case["rows"]) == 33
    for row in case["rows"]:
        lel = WaterLine.stated(row["slope"], row["intercept"])
        crossing = intersect(lmwl, lel)
        assert crossing.d18O == pytest.approx(row["d18O"], abs=1e-9)
        assert crossing.d2H == pytest.approx(row["d2H"], abs=1e-9)
        assert not crossing.bounded
        assert np.isnan(crossing.lower)


def test_parallel_lines_do_not_cross(golden: Path) -> None:
    cases = {case["name"]: case for case in read(golden, "degenerate_inputs")["cases"]}
    first, second = (
        WaterLine.stated(*line) for line in cases["parallel LMWL and LEL"]["lines"]
    )
    crossing = intersect(first, second)
    assert np.isnan(crossing.d18O)
    assert crossing.flags == ("parallel lines",)
    near = cases["nearly parallel"]
    lines = [WaterLine.stated(*line) for line in near["lines"]]
    crossing = intersect(*lines, precipitation_range=(-30.0, -2.0))
    assert (crossing.d18O, crossing.d2H) == pytest.approx(
        tuple(near["expect_intersection"]), abs=1e-9
    )
    assert "outside the observed precipitation" in crossing.flags


def test_unbounded_set_is_said_to_be_unbounded() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(-12, 2, 12)
    lel = fit_water_line(x, 7.8 * x + 5 + rng.normal(0, 6, 12))
    crossing = intersect(GMWL, lel)
    assert not crossing.bounded
    assert (crossing.lower, crossing.upper) == (-np.inf, np.inf)
    assert crossing.flags == ("slopes do not differ", "unbounded interval")


@given(st.floats(2, 9), st.floats(-30, 20), st.floats(2, 9), st.floats(-30, 20))
def test_crossing_lies_on_both_lines(a, b, c, d) -> None:
    assume(abs(a - c) > 1e-3)
    crossing = intersect(WaterLine.stated(a, b), WaterLine.stated(c, d))
    scale = max(1.0, abs(crossing.d18O) * 10)
    assert abs(a * crossing.d18O + b - crossing.d2H) <= 1e-12 * scale
    assert abs(c * crossing.d18O + d - crossing.d2H) <= 1e-9 * scale


@given(st.integers(0, 500))
def test_fieller_holds_the_crossing_and_does_not_know_the_order(seed) -> None:
    rng = np.random.default_rng(seed)
    x = rng.normal(-12, 3, 20)
    lmwl = fit_water_line(x, 8 * x + 10 + rng.normal(0, 2, 20))
    lel = fit_water_line(x, 5 * x - 20 + rng.normal(0, 2, 20))
    crossing, back = intersect(lmwl, lel), intersect(lel, lmwl)
    assert crossing.lower <= crossing.d18O <= crossing.upper
    assert back.lower == pytest.approx(crossing.lower, rel=1e-9)
    assert back.upper == pytest.approx(crossing.upper, rel=1e-9)


def test_fieller_covers_the_truth_at_its_confidence() -> None:
    rng = np.random.default_rng(11)
    hits, n = 0, 600
    for _ in range(n):
        x, z = rng.normal(-14, 4, 25), rng.normal(-11, 2, 25)
        lmwl = fit_water_line(x, 8 * x + 10 + rng.normal(0, 3, 25))
        lel = fit_water_line(z, 4 * z - 46 + rng.normal(0, 3, 25))
        crossing = intersect(lmwl, lel, confidence=0.9)
        hits += crossing.lower <= -14.0 <= crossing.upper
    assert 0.87 <= hits / n <= 0.93


def test_bad_interval_requests_are_refused() -> None:
    with pytest.raises(InputError, match="Invalid confidence 95"):
        intersect(GMWL, GMWL, confidence=95)
    with pytest.raises(InputError, match="Unknown interval method 'exact'"):
        intersect(GMWL, GMWL, method="exact")


def test_the_papers_slopes_are_called_an_artefact(golden: Path) -> None:
    case = read(golden, "benettin_artefact")
    table = pd.read_csv(golden / "tracers" / "benettin_artefact.csv")
    lmwl = WaterLine.stated(*case["lmwl"])
    line = fit_water_line(table["d18O"], table["d2H"])
    assert line.slope == pytest.approx(case["regression"]["slope"], abs=1e-9)
    crossing = intersect(lmwl, line)
    assert (crossing.d18O, crossing.d2H) == pytest.approx(
        tuple(case["regression_source"]), abs=1e-9
    )
    finding = slope_artefact(line, case["evaporation_slope"])
    assert finding.artefact
    assert "artefact" in finding.words


def test_true_evaporation_lines_are_rarely_called_artefacts() -> None:
    rng = np.random.default_rng(8)
    called = 0
    for _ in range(1000):
        shift = rng.gamma(2, 1.0, 30)
        x = -14 + shift + rng.normal(0, 0.0, 30)
        line = fit_water_line(x, -98 + 3.5 * shift + rng.normal(0, 1.0, 30))
        called += slope_artefact(line, 3.5).artefact
    assert called / 1000 <= 0.07
    with pytest.raises(InputError, match="Invalid slopes"):
        slope_artefact(line, np.nan)
