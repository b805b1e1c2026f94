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
from geosoil.tracers.resampling import BootstrapLines, Resampling, bootstrap_line


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


def drawn(golden: Path, seed: int = 0) -> tuple[BootstrapLines, BootstrapLines]:
    table = pd.read_csv(golden / "tracers" / "intersection_uncertainty.csv")
    rng = np.random.default_rng(seed)
    rain, soil = (table[table["line"] == name] for name in ("LMWL", "LEL"))
    return (
        bootstrap_line(rain["d18O"], rain["d2H"], rng=rng),
        bootstrap_line(soil["d18O"], soil["d2H"], rng=rng),
    )


def test_bootstrap_interval_is_the_percentiles_of_the_drawn_crossings(golden) -> None:
    lmwl, lel = drawn(golden)
    crossing = intersect(lmwl, lel, method="bootstrap")
    x = (lel.intercepts - lmwl.intercepts) / (lmwl.slopes - lel.slopes)
    assert (lmwl.slopes > lel.slopes).all()
    assert crossing.lower == pytest.approx(np.quantile(x, 0.025, method="lower"))
    assert crossing.upper == pytest.approx(np.quantile(x, 0.975, method="higher"))
    assert crossing.bounded
    assert crossing.flags == ()
    case = read(golden, "intersection_uncertainty")
    assert (crossing.d18O, crossing.d2H) == pytest.approx(
        tuple(case["intersection"]), abs=1e-8
    )
    # Skewed to the far side as Fieller's set is, unlike the symmetric interval.
    fieller = case["fieller_d18O"]
    delta = case["t"] * case["sd_delta_d18O"]
    assert crossing.d18O - crossing.lower > delta > crossing.upper - crossing.d18O
    assert crossing.upper == pytest.approx(fieller["hi"], abs=0.5)
    back = intersect(lel, lmwl, method="bootstrap")
    assert (back.lower, back.upper) == pytest.approx((crossing.lower, crossing.upper))


def test_fieller_takes_the_errors_of_drawn_lines(golden) -> None:
    lines = drawn(golden)
    found = intersect(*lines)
    plain = intersect(lines[0].line, lines[1].line)
    assert found == plain
    table = pd.read_csv(golden / "tracers" / "intersection_uncertainty.csv")
    table = table[table["line"] == "LEL"]
    clustered = bootstrap_line(
        table["d18O"],
        table["d2H"],
        rng=np.random.default_rng(1),
        resampling=Resampling(by=np.arange(30) % 6),
    )
    fewer = intersect(lines[0].line, clustered, method="delta")
    more = intersect(lines[0].line, clustered.line, method="delta")
    assert fewer.upper - fewer.d18O > more.upper - more.d18O


def test_bootstrap_of_alike_slopes_is_said_to_be_unbounded() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(-12, 2, 12)
    y = 7.8 * x + 5 + rng.normal(0, 6, 12)
    crossing = intersect(GMWL, bootstrap_line(x, y, rng=rng), method="bootstrap")
    assert not crossing.bounded
    assert (crossing.lower, crossing.upper) == (-np.inf, np.inf)
    assert crossing.flags == ("slopes do not differ", "unbounded interval")


def test_draws_that_cross_beyond_infinity_count_at_the_far_end() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(-12, 2, 40)
    lel = bootstrap_line(x, 6.5 * x - 10 + rng.normal(0, 6, 40), rng=rng)
    beyond = (lel.slopes >= 8).mean()
    assert 0.001 < beyond < 0.2
    wide = intersect(GMWL, lel, method="bootstrap", confidence=0.999)
    assert (wide.lower, wide.upper, wide.bounded) == (-np.inf, np.inf, False)
    assert "unbounded interval" in wide.flags
    narrow = intersect(GMWL, lel, method="bootstrap", confidence=0.5)
    assert narrow.bounded
    drawn_x = (lel.intercepts - 10) / (8 - lel.slopes)
    drawn_x[lel.slopes >= 8] = -np.inf
    assert narrow.lower == pytest.approx(np.quantile(drawn_x, 0.25, method="lower"))


def test_a_line_from_the_literature_is_said_to_be_taken_as_exact() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(-12, 2, 80)
    lel = bootstrap_line(x, 4 * x - 40 + rng.normal(0, 1, 80), rng=rng)
    stated = intersect(WaterLine.stated(8.0, 10.0), lel, method="bootstrap")
    exact = intersect(GMWL, lel, method="bootstrap")
    assert (stated.lower, stated.upper) == (exact.lower, exact.upper)
    assert exact.lower <= exact.d18O <= exact.upper
    assert exact.flags == ()
    assert stated.flags == ("line without errors taken as exact",)
    far = intersect(GMWL, lel, method="bootstrap", precipitation_range=(-9.0, -3.0))
    assert far.flags == ("outside the observed precipitation",)


@pytest.mark.slow
def test_site_bootstrap_of_the_crossing_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    site = np.repeat(np.arange(40), 3)
    hits, n = 0, 500
    for _ in range(n):
        x, z = rng.normal(-14, 4, 60), rng.normal(-11, 2, 40)[site]
        lmwl = bootstrap_line(x, 8 * x + 10 + rng.normal(0, 3, 60), rng=rng)
        y = 4 * z - 46 + rng.normal(0, 2, 40)[site] + rng.normal(0, 1, 120)
        lel = bootstrap_line(z, y, rng=rng, resampling=Resampling(by=site))
        found = intersect(lmwl, lel, confidence=0.9, method="bootstrap")
        hits += found.lower <= -14.0 <= found.upper
    assert 0.85 <= hits / n <= 0.94


def test_bad_interval_requests_are_refused(golden) -> None:
    with pytest.raises(InputError, match="Invalid confidence 95"):
        intersect(GMWL, GMWL, confidence=95)
    with pytest.raises(InputError, match="Unknown interval method 'exact'"):
        intersect(GMWL, GMWL, method="exact")
    lmwl, lel = drawn(golden)
    for pair in ((lmwl.line, lel), (GMWL, WaterLine.stated(4.0, -40.0))):
        with pytest.raises(InputError, match="needs lines from bootstrap_line"):
            intersect(*pair, method="bootstrap")
    rng = np.random.default_rng(1)
    x = rng.normal(-12, 2, 30)
    short = bootstrap_line(x, 4 * x, rng=rng, resampling=Resampling(n_draws=100))
    with pytest.raises(InputError, match=r"have \[100, 2000\] draws"):
        intersect(lmwl, short, method="bootstrap")


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
