"""Remaining water and E/I: there and back, their limits, and where they end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.tracers.evaporated import evaporation_over_inflow, remaining_fraction
from geosoil.tracers.evaporation import craig_gordon, evaporation_slope, residual_water
from geosoil.tracers.fractionation import (
    EvaporationClimate,
    IsotopePair,
    equilibrium_fractionation,
)

START = IsotopePair(np.array([-14.0]), np.array([-100.0]))


def climates() -> st.SearchStrategy[EvaporationClimate]:
    return st.builds(
        EvaporationClimate,
        st.floats(0, 40),
        st.floats(0.3, 0.9),
        turbulence=st.floats(0.5, 1),
        vapour=st.floats(0, 1),
        scheme=st.sampled_from(["merlivat", "gibson"]),
    )


@given(climates(), st.floats(0.2, 0.999))
def test_both_isotopes_return_the_share_that_was_left(climate, remaining) -> None:
    left = residual_water(*START, remaining=[remaining], climate=climate)
    found = remaining_fraction(*left, source=START, climate=climate).iloc[0]
    assert found["reason"] == ""
    assert found["remaining_d18O"] == pytest.approx(remaining, abs=1e-8)
    assert found["remaining_d2H"] == pytest.approx(remaining, abs=1e-8)
    assert found["disagreement"] == pytest.approx(0.0, abs=1e-8)


@given(climates(), st.floats(0.01, 0.95))
def test_steady_state_balances_inflow_evaporation_and_outflow(climate, ratio) -> None:
    lake = []
    for start, term in zip(
        START, craig_gordon(-14.0, -100.0, climate=climate), strict=True
    ):
        pull = ratio * term.exponent
        lake.append((start + pull * term.limit) / (1.0 + pull))
    found = evaporation_over_inflow(*lake, source=START, climate=climate).iloc[0]
    assert found["reason"] == ""
    assert found["ratio_d18O"] == pytest.approx(ratio, abs=1e-7)
    assert found["ratio_d2H"] == pytest.approx(ratio, abs=1e-7)


def test_steady_state_is_the_mass_balance_of_the_evaporating_flux() -> None:
    climate, ratio = EvaporationClimate(15.0, 0.6, turbulence=0.5), 0.3
    terms = craig_gordon(-14.0, -100.0, climate=climate)
    lake, flux = [], []
    alphas = equilibrium_fractionation(15.0)
    for start, term, alpha in zip(START, terms, alphas, strict=True):
        pull = ratio * term.exponent
        water = (start[0] + pull * term.limit) / (1.0 + pull)
        enrichment = term.equilibrium / alpha + term.kinetic
        vapour = water / alpha - 0.6 * term.vapour - enrichment
        flux.append(vapour / (1.0 - 0.6 + term.kinetic / 1e3))
        lake.append(water)
    for start, water, vapour in zip(START, lake, flux, strict=True):
        assert start[0] == pytest.approx(ratio * vapour + (1 - ratio) * water, abs=1e-6)


def test_a_source_that_was_not_the_source_makes_the_isotopes_disagree() -> None:
    climate = EvaporationClimate(8.0, 0.6)
    left = residual_water(*START, remaining=[0.8], climate=climate)
    wrong = IsotopePair(START.d18O - 6.0, START.d2H - 5.0)
    found = remaining_fraction(*left, source=wrong, climate=climate).iloc[0]
    assert found["reason"].startswith("the isotopes disagree by")
    assert np.isfinite([found["remaining_d18O"], found["remaining_d2H"]]).all()


@pytest.mark.parametrize("law", [remaining_fraction, evaporation_over_inflow])
def test_rows_without_an_answer_are_missing_with_a_reason(law) -> None:
    climate = EvaporationClimate(8.0, 0.6)
    d18O = pd.Series([-14.0, np.nan, -15.0, 60.0, -13.5], index=list("abcde"))
    d2H = pd.Series([-100.0, -90.0, -105.0, 400.0, -110.0], index=list("abcde"))
    found = law(d18O, d2H, source=START, climate=climate)
    assert found.index.tolist() == list("abcde")
    assert found["reason"].tolist() == [
        "",
        "missing tracer",
        "lighter than its source",
        "beyond the limiting composition",
        "d2H: lighter than its source",
    ]
    assert found.iloc[:, 0].isna().tolist() == [False, True, True, True, False]
    assert found["disagreement"].isna().tolist() == [False, True, True, True, True]


@pytest.mark.parametrize("law", [remaining_fraction, evaporation_over_inflow])
def test_dry_and_saturated_air_have_no_answer(law) -> None:
    water = [-13.0], [-95.0]
    dry = law(*water, source=START, climate=EvaporationClimate(8.0, 0.005))
    assert dry["reason"].tolist() == ["air too dry for the model (m <= 0)"]
    moist = law(*water, source=START, climate=EvaporationClimate(8.0, 0.98))
    assert moist["reason"].str.contains(r"humidity above 0.95").all()
    for found in (dry, moist):
        assert found.iloc[:, :3].isna().all(axis=None)


def test_climate_and_source_may_be_one_a_sample() -> None:
    humidity = np.array([0.5, 0.6, 0.97])
    climate = EvaporationClimate(np.array([2.0, 8.0, 14.0]), humidity)
    source = IsotopePair(np.array([-14.0, -13, -12]), np.array([-100.0, -92, -84]))
    left = residual_water(*source, remaining=0.9, climate=climate)
    found = remaining_fraction(*left, source=source, climate=climate)
    np.testing.assert_allclose(found["remaining_d18O"], [0.9, 0.9, np.nan], rtol=1e-9)


def test_ice_fractionates_more_than_water_at_the_melting_point() -> None:
    ice = equilibrium_fractionation(0.0, over="ice")
    water = equilibrium_fractionation(0.0)
    assert ice.d18O > water.d18O
    assert ice.d2H > water.d2H
    assert np.log(ice.d18O) == pytest.approx(11.839 / 273.15 - 0.028224, rel=1e-12)
    assert np.log(ice.d2H) == pytest.approx(16289 / 273.15**2 - 0.0945, rel=1e-12)
    # Melting enriches ice by about 3 and 20 permil against the water beside it.
    assert float(ice.d18O / water.d18O - 1) * 1e3 == pytest.approx(3.0, abs=1.0)
    assert float(ice.d2H / water.d2H - 1) * 1e3 == pytest.approx(20.0, abs=4.0)


def test_frost_is_answered_only_when_asked_for() -> None:
    frozen = EvaporationClimate(-5.0, 0.7, over="ice")
    assert 1.0 < float(evaporation_slope(-14.0, -100.0, climate=frozen)) < 5.0
    with pytest.raises(InputError, match="over='ice' below 0"):
        equilibrium_fractionation(-5.0)
    with pytest.raises(InputError, match="-40 to 0 degC over ice"):
        EvaporationClimate(5.0, 0.7, over="ice")
    with pytest.raises(InputError, match="over is one of water, ice"):
        EvaporationClimate(5.0, 0.7, over="snow")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Unknown surface 'snow'"):
        equilibrium_fractionation(5.0, over="snow")  # type: ignore[arg-type]


def test_kinetic_schools_differ_and_the_drier_soil_has_the_flatter_slope() -> None:
    slopes = {
        (scheme, n): float(
            evaporation_slope(
                -14.0,
                -100.0,
                climate=EvaporationClimate(8.0, 0.6, turbulence=n, scheme=scheme),
            )
        )
        for scheme in ("merlivat", "gibson")
        for n in (0.5, 1.0)
    }
    assert slopes["merlivat", 1.0] < slopes["merlivat", 0.5]
    assert slopes["gibson", 1.0] < slopes["gibson", 0.5]
    assert slopes["gibson", 1.0] != pytest.approx(slopes["merlivat", 1.0], abs=1e-3)
    assert all(2.3 < slope < 4.5 for slope in slopes.values())
