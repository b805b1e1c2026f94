"""What is known of evaporation beforehand: from climate, and from the lc-excess."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from geosoil.errors import InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation import evaporation_slope, residual_water
from geosoil.tracers.evaporation_prior import (
    REMAINING,
    EvaporationPrior,
    evaporation_prior,
    evaporation_prior_from_lc_excess,
)
from geosoil.tracers.fractionation import EvaporationClimate
from geosoil.tracers.lines import WaterLine
from geosoil.tracers.slope_uncertainty import (
    ClimateSpread,
    evaporation_slope_uncertainty,
)

JUNE = EvaporationClimate(8.0, 0.55)
RAIN = {"d18O": -12.5, "d2H": -90.0}
EXACT = ClimateSpread(0.0, 0.0, 0.0, 0.0)
LMWL = WaterLine.stated(8.0, 10.0)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(st.floats(-3, 3), st.floats(0.05, 3))
def test_moments_of_cut_evaporation_are_those_of_its_density(shift, sd) -> None:
    prior = EvaporationPrior(3.5, shift=shift * sd, shift_sd=sd)
    density = stats.norm(prior.shift, sd).pdf
    end = max(prior.shift, 0.0) + 12 * sd
    total, first, second = (
        integrate.quad(lambda e, p=power: e**p * density(e), 0.0, end, limit=200)[0]
        for power in range(3)
    )
    mean = first / total
    assert prior.moments[0] == pytest.approx(mean, rel=1e-6)
    assert prior.moments[1] ** 2 == pytest.approx(second / total - mean**2, rel=1e-5)


def test_direction_of_d_excess_is_that_of_both_isotopes() -> None:
    prior = EvaporationPrior(3.5, gains={"Cl": 0.2})
    tracers = ["d18O", "d2H", "d_excess", "Cl"]
    d18O, d2H, excess, chloride = prior.direction(tracers)
    assert (d18O, d2H, chloride) == (1.0, 3.5, 0.2)
    assert excess == d2H - 8 * d18O
    steeper = EvaporationPrior(3.6, gains={"Cl": 0.2}).direction(tracers)
    np.testing.assert_allclose(
        (steeper - prior.direction(tracers)) / 0.1, prior.bend(tracers), atol=1e-9
    )


def test_bad_priors_are_refused() -> None:
    with pytest.raises(InputError, match="are finite numbers"):
        EvaporationPrior(3.5, shift=np.nan)
    with pytest.raises(InputError, match="are finite numbers"):
        EvaporationPrior(3.5, gains={"Cl": np.nan})
    with pytest.raises(InputError, match="slope_sd is 0 or above"):
        EvaporationPrior(3.5, shift_sd=0.0)
    with pytest.raises(InputError, match="nothing is said of the amount"):
        _ = EvaporationPrior(3.5).moments
    with pytest.raises(InputError, match="how evaporation changes Cl, Na"):
        EvaporationPrior(3.5).direction(["Cl", "Na"])
    with pytest.raises(InputError, match="changes none of the tracers d_excess"):
        EvaporationPrior(8.0).direction(["d_excess"])


def test_amount_under_an_exact_climate_is_that_of_the_drying_curve() -> None:
    prior = evaporation_prior(
        JUNE, **RAIN, rng=rng(), spread=EXACT, remaining=(0.85, 0.95)
    )
    shares = np.linspace(0.85, 0.95, 20_001)
    left = residual_water(-12.5, -90.0, remaining=shares, climate=JUNE)
    shift = left.d18O + 12.5
    # 2,000 draws: a standard error of sd / 45.
    assert prior.shift == pytest.approx(shift.mean(), abs=4 * shift.std() / 45)
    assert prior.shift_sd == pytest.approx(shift.std(), rel=0.06)
    slope = (left.d2H + 90.0) / shift
    assert slope.min() <= prior.slope <= slope.max()


def test_slope_of_first_evaporation_is_that_of_the_slope_machinery() -> None:
    prior = evaporation_prior(JUNE, **RAIN, rng=rng(3), remaining=(0.9999, 1.0))
    wanted = evaporation_slope_uncertainty(
        -12.5, -90.0, climate=JUNE, spread=ClimateSpread(), rng=rng(3)
    )
    assert prior.slope == pytest.approx(wanted.draws.mean(), abs=1e-3)
    assert prior.slope_sd == pytest.approx(wanted.standard_deviation, abs=1e-3)
    sure = evaporation_prior(
        JUNE, **RAIN, rng=rng(3), spread=EXACT, remaining=(0.9999, 1.0)
    )
    exact = float(evaporation_slope(-12.5, -90.0, climate=JUNE))
    assert sure.slope == pytest.approx(exact, abs=1e-4)


def test_drier_air_and_less_water_left_mean_more_evaporation() -> None:
    dry, moist = EvaporationClimate(8.0, 0.35), EvaporationClimate(8.0, 0.8)
    amounts = [
        evaporation_prior(climate, **RAIN, rng=rng(), remaining=remaining).shift
        for climate, remaining in (
            (moist, (0.95, 0.99)),
            (moist, REMAINING),
            (dry, REMAINING),
            (dry, (0.5, 0.8)),
        )
    ]
    assert amounts == sorted(amounts)
    assert amounts[0] > 0


def test_same_seed_gives_the_same_prior() -> None:
    assert evaporation_prior(JUNE, **RAIN, rng=rng(7)) == evaporation_prior(
        JUNE, **RAIN, rng=rng(7)
    )


def test_bad_climate_requests_are_refused() -> None:
    for remaining in ((0.9, 0.8), (0.0, 0.9), (0.9, 1.1), (0.9, 0.9)):
        with pytest.raises(InputError, match="0 < lower < upper <= 1"):
            evaporation_prior(JUNE, **RAIN, rng=rng(), remaining=remaining)
    with pytest.raises(InputError, match="is not known"):
        evaporation_prior(JUNE, d18O=np.nan, d2H=-90.0, rng=rng())
    climates = EvaporationClimate(np.array([8.0, 9.0]), 0.5)
    with pytest.raises(InputError, match="one number each"):
        evaporation_prior(climates, **RAIN, rng=rng())


def ends_on_the_line(**more) -> EndMembers:
    d18O = np.array([-11.0, -15.0, -18.0])
    table = pd.DataFrame(
        {"source": ["a", "b", "c"], "d18O": d18O, "d2H": 8 * d18O + 10}
    )
    return EndMembers.from_table(table.assign(**more))


def test_sources_on_the_line_give_the_planted_evaporation() -> None:
    shift = np.array([0.6, 1.0, 1.4, 1.8])
    d18O = np.array([-12.0, -13.0, -14.0, -12.5])
    soil = pd.DataFrame({"d18O": d18O + shift, "d2H": 8 * d18O + 10 + 3.5 * shift})
    prior = evaporation_prior_from_lc_excess(
        soil, ends_on_the_line(), line=LMWL, slope=3.5
    )
    assert prior.shift == pytest.approx(shift.mean(), abs=1e-12)
    assert prior.shift_sd == pytest.approx(shift.std(ddof=1), abs=1e-12)
    assert (prior.slope, prior.slope_sd) == (3.5, 0.0)


def test_sources_off_the_line_shift_and_widen_the_amount() -> None:
    table = pd.DataFrame(
        {
            "source": ["a", "b", "c"],
            "d18O": [-11.0, -15.0, -18.0],
            "d2H": [-80.0, -117.0, -132.0],
            "d18O_sd": [0.3, 0.4, 0.5],
            "d2H_sd": [2.0, 3.0, 4.0],
        }
    )
    ends = EndMembers.from_table(table)
    soil = pd.DataFrame(
        {"d18O": [-12.0], "d2H": [-95.0], "d18O_sd": 0.1, "d2H_sd": 0.5}
    )
    line = WaterLine(8.0, 10.0, 0.1, 1.5, 1.4 * 0.1, 0.9, 2.0, 30, 30.0, "ols")
    prior = evaporation_prior_from_lc_excess(
        soil, ends, line=line, slope=3.5, slope_sd=0.4
    )
    draws = rng(2)
    n = 400_000
    shares = draws.dirichlet(np.ones(3), n)
    across = np.array([-8.0, 1.0])
    excess = table[["d18O", "d2H"]].to_numpy() @ across - 10.0
    own = np.hypot(table["d2H_sd"], 8 * table["d18O_sd"]).to_numpy()
    sources = (shares * (excess + own * draws.standard_normal((n, 3)))).sum(axis=1)
    slope, intercept = draws.multivariate_normal(
        [0.0, 0.0], [[0.01, 0.14], [0.14, 2.25]], n
    ).T
    mixture = (-95.0 - 8 * -12.0 - 10.0) + draws.normal(0, np.hypot(0.5, 0.8), n)
    mixture = mixture + slope * -12.0 + intercept
    shift = (sources - mixture) / 4.5
    assert prior.shift == pytest.approx(shift.mean(), abs=0.01)
    slope_part = prior.shift * 0.4 / 4.5
    assert prior.shift_sd == pytest.approx(np.hypot(shift.std(), slope_part), rel=0.01)


def test_scatter_of_mixtures_counts_at_least_as_their_measurement() -> None:
    soil = pd.DataFrame({"d18O": [-12.0] * 3, "d2H": [-95.0] * 3})
    ends = ends_on_the_line()
    with pytest.raises(InputError, match="Nothing makes the amount uncertain"):
        evaporation_prior_from_lc_excess(soil, ends, line=LMWL, slope=3.5)
    prior = evaporation_prior_from_lc_excess(
        soil.assign(d18O_sd=0.1, d2H_sd=0.6), ends, line=LMWL, slope=3.5
    )
    assert prior.shift_sd == pytest.approx(np.hypot(0.6, 0.8) / 4.5)


def test_bad_lc_excess_requests_are_refused() -> None:
    soil = pd.DataFrame({"d18O": [-12.0, np.nan], "d2H": [np.nan, -95.0]})
    with pytest.raises(InputError, match="None of 2 mixtures"):
        evaporation_prior_from_lc_excess(soil, ends_on_the_line(), line=LMWL, slope=3.5)
    with pytest.raises(InputError, match="is not below the line's 8"):
        evaporation_prior_from_lc_excess(soil, ends_on_the_line(), line=LMWL, slope=8.0)
    with pytest.raises(MixingError, match="Select one stratum of period"):
        evaporation_prior_from_lc_excess(
            soil, ends_on_the_line(period="June"), line=LMWL, slope=3.5
        )
