"""The artefact check: silent on true evaporation lines, loud on the paper's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.simulate.inputs import read_paper_table
from geosoil.tracers.artefact import evaporation_line_artefact, slope_artefact
from geosoil.tracers.evaporation import evaporation_slope, residual_water
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.presets import PRESETS, preset
from geosoil.tracers.slope_uncertainty import (
    ClimateSpread,
    draw_climates,
    evaporation_slope_uncertainty,
)

LMWL = WaterLine.stated(7.9, 12.43)
STATED = EvaporationClimate(8.0, 0.6)
SPREAD = ClimateSpread()
Columns = tuple[np.ndarray, np.ndarray]


def evaporated(rng: np.random.Generator, *, scatter: float, d2H_sd: float) -> Columns:
    """Return samples that do follow Craig-Gordon under a climate near the stated."""
    drawn = draw_climates(STATED, spread=SPREAD, rng=rng, n_draws=1)
    names = ("temperature", "humidity", "turbulence", "vapour")
    climate = EvaporationClimate(*(float(getattr(drawn, name)[0]) for name in names))
    n, start = int(rng.integers(10, 300)), rng.uniform(-20.0, -10.0)
    remaining = rng.uniform(rng.uniform(0.5, 0.95), 1.0, n)
    left = residual_water(
        np.full(n, start),
        np.full(n, LMWL.slope * start + LMWL.intercept),
        remaining=remaining,
        climate=climate,
    )
    noise = rng.standard_normal((2, n)) * [[0.2], [d2H_sd]]
    noise += rng.standard_normal((2, n)) * scatter
    return left.d18O + noise[0], left.d2H + noise[1]


def false_alarms(sets: int, rng: np.random.Generator) -> float:
    """Return the share of true evaporation lines that are warned of."""
    warned = 0
    for number in range(sets):
        waters = evaporated(
            rng,
            scatter=1.0 if number % 3 == 0 else 0.0,
            d2H_sd=(0.1, 0.5, 2.0)[number % 7 % 3],
        )
        warned += evaporation_line_artefact(
            *waters, lmwl=LMWL, climate=STATED, spread=SPREAD, rng=rng
        ).artefact
    return warned / sets


def test_true_evaporation_lines_are_seldom_warned_of() -> None:
    assert false_alarms(60, np.random.default_rng(11)) <= 0.05


@pytest.mark.slow
def test_true_evaporation_lines_are_warned_of_in_five_percent_at_most() -> None:
    assert false_alarms(1500, np.random.default_rng(12)) <= 0.05


def test_strong_evaporation_under_the_stated_climate_is_no_artefact() -> None:
    start = np.full(200, -15.0)
    rng = np.random.default_rng(2)
    left = residual_water(
        start,
        LMWL.slope * start + LMWL.intercept,
        remaining=rng.uniform(0.3, 1.0, 200),
        climate=STATED,
    )
    finding = evaporation_line_artefact(
        left.d18O,
        left.d2H + rng.normal(0, 0.2, 200),
        lmwl=LMWL,
        climate=STATED,
        spread=ClimateSpread(0.0, 0.0, 0.0, 0.0),
        rng=rng,
    )
    first_slope = evaporation_slope(-15.0, -106.07, climate=STATED)
    assert finding.theory_slope > first_slope + 0.1
    assert not finding.artefact
    assert finding.theory_slope == pytest.approx(finding.regression_slope, abs=0.05)


def test_seasonal_sources_that_evaporate_are_warned_of(golden: Path) -> None:
    table = pd.read_csv(golden / "tracers" / "benettin_artefact.csv")
    finding = evaporation_line_artefact(
        table["d18O"],
        table["d2H"],
        lmwl=LMWL,
        climate=STATED,
        spread=SPREAD,
        rng=np.random.default_rng(3),
    )
    assert finding.artefact
    assert finding.regression_slope == pytest.approx(7.12, abs=1e-9)
    assert "artefact" in finding.words


def soil_climates() -> list[EvaporationClimate]:
    return [
        EvaporationClimate(t, h, turbulence=n, scheme=scheme)
        for t in (2.0, 8.0, 14.0)
        for h in (0.45, 0.7)
        for n in (0.5, 1.0)
        for scheme in ("merlivat", "gibson")
    ]


@pytest.mark.parametrize("climate", soil_climates())
def test_every_row_of_the_papers_table_2_is_an_artefact(climate) -> None:
    means = read_paper_table("table1_means")
    means = means[means["group"] == "all"]
    theory = evaporation_slope_uncertainty(
        float(means["d18O"].mean()),
        float(means["d2H"].mean()),
        climate=climate,
        spread=SPREAD,
        rng=np.random.default_rng(1),
    )
    rows = read_paper_table("table2_lel")
    assert len(rows) == 33
    findings = [
        slope_artefact(
            WaterLine.stated(row.slope, row.intercept),
            theory.slope,
            theory_standard_error=theory.standard_deviation,
        )
        for row in rows.itertuples()
    ]
    assert all(finding.artefact for finding in findings)
    assert max(finding.p_value for finding in findings) < 0.01
    assert all("not the water before evaporation" in f.words for f in findings)


def test_an_uncertain_theory_counts_beside_an_unknown_line() -> None:
    close = WaterLine.stated(3.5, -40.0)
    assert slope_artefact(close, 3.2).artefact
    found = slope_artefact(close, 3.2, theory_standard_error=0.4)
    assert not found.artefact
    assert found.standard_error == found.theory_standard_error == 0.4
    with pytest.raises(InputError, match="finite numbers"):
        slope_artefact(close, np.nan)


def test_too_few_samples_for_a_line_are_refused() -> None:
    with pytest.raises(InputError, match="2 samples found"):
        evaporation_line_artefact(
            [-10.0, -11.0, np.nan],
            [-80.0, -85.0, -90.0],
            lmwl=LMWL,
            climate=STATED,
            spread=SPREAD,
            rng=np.random.default_rng(1),
        )


def test_slope_uncertainty_is_zero_for_a_known_climate() -> None:
    found = evaporation_slope_uncertainty(
        -14.0,
        -100.0,
        climate=STATED,
        spread=ClimateSpread(0.0, 0.0, 0.0, 0.0),
        rng=np.random.default_rng(1),
    )
    assert found.standard_deviation == pytest.approx(0.0, abs=1e-12)
    assert found.lower == pytest.approx(found.slope, abs=1e-12)


@pytest.mark.parametrize("name", ["temperature", "turbulence", "vapour"])
def test_slope_uncertainty_follows_first_order_for_small_spreads(name) -> None:
    climate = EvaporationClimate(10.0, 0.6, turbulence=0.7, vapour=0.8)
    zero = dict.fromkeys(("temperature", "humidity", "turbulence", "vapour"), 0.0)
    found = evaporation_slope_uncertainty(
        -14.0,
        -100.0,
        climate=climate,
        spread=ClimateSpread(**(zero | {name: 1e-3})),
        rng=np.random.default_rng(6),
    )
    sides = []
    for step in (-1e-3, 1e-3):
        values = {n: getattr(climate, n) for n in zero}
        moved = EvaporationClimate(**(values | {name: values[name] + step}))
        sides.append(float(evaporation_slope(-14.0, -100.0, climate=moved)))
    expected = abs(sides[1] - sides[0]) / 2
    assert found.standard_deviation == pytest.approx(expected, rel=0.06)


def test_drawn_climates_stay_within_their_ranges() -> None:
    edge = EvaporationClimate(0.5, 0.97, turbulence=0.99, vapour=1.0)
    wide = ClimateSpread(5.0, 0.5, 0.5, 0.5)
    drawn = draw_climates(edge, spread=wide, rng=np.random.default_rng(1))
    for name, high in (("temperature", 374), ("humidity", 0.99), ("vapour", 1.0)):
        values = np.asarray(getattr(drawn, name))
        assert values.min() >= 0
        assert values.max() <= high
    ice = EvaporationClimate(-5.0, 0.7, over="ice")
    cold = draw_climates(ice, spread=wide, rng=np.random.default_rng(1))
    assert np.max(cold.temperature) <= 0
    assert cold.over == "ice"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ClimateSpread(temperature=-1.0), "temperature is not 0 or above"),
        (
            lambda: draw_climates(
                EvaporationClimate([1.0, 2.0], 0.5),
                spread=SPREAD,
                rng=np.random.default_rng(1),
            ),
            "one number each",
        ),
        (lambda: preset("other"), "Choose one of paper, recommended"),
    ],
)
def test_wrong_settings_are_refused(call: Callable[[], object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        call()


def test_presets_name_their_methods_and_cannot_be_changed() -> None:
    assert list(PRESETS) == ["paper", "recommended"]
    paper, better = PRESETS["paper"], PRESETS["recommended"]
    assert (paper.lmwl_method, paper.evaporation_line) == ("ols", "regression")
    assert (better.lmwl_method, better.evaporation_line) == ("pwrma", "craig_gordon")
    assert better.meteoric_method(has_amounts=True) == "pwrma"
    assert better.meteoric_method(has_amounts=False) == "ols"
    with pytest.raises(AttributeError):
        paper.name = "other"  # type: ignore[misc]
