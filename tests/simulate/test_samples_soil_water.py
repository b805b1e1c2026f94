"""The forward model of soil water, its equations and its gradients."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.simulate import soil_water
from geosoil.simulate.constraints import gaps, group_statistics, published_groups
from geosoil.simulate.design import layer_table, profile_design
from geosoil.simulate.soil_water import fit_soil_water, period_sources
from geosoil.simulate.targets import STRATA, read_targets
from geosoil.simulate.true_fractions import broken_rules, true_fractions
from geosoil.simulate.water_settings import SOURCES, SourceWater, WaterSettings
from geosoil.strata import PERIODS
from tests.simulate.samples_cases import OTHER, soil_with_truth, study

SETTINGS = WaterSettings()
TARGETS = read_targets(SETTINGS)


def layers_of(period: str, seed: int) -> tuple[pd.DataFrame, np.random.Generator]:
    rng = np.random.default_rng(seed)
    profiles = profile_design(TARGETS[period], rng=rng)
    profiles["site_id"] = np.arange(len(profiles))
    profiles["elevation"] = rng.uniform(3000.0, 5100.0, len(profiles))
    profiles["longitude"] = rng.uniform(93.0, 102.0, len(profiles))
    return layer_table(profiles), rng


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("seed", range(4))
def test_design_has_the_published_counts_and_closes_every_mean(
    period: str, seed: int
) -> None:
    target = TARGETS[period]
    layers, _ = layers_of(period, seed)
    profiles = {"June": 79, "August": 70, "September": 93}[period]
    samples = {"June": 226, "August": 252, "September": 263}[period]
    assert layers["site_id"].nunique() == profiles
    assert len(layers) == samples
    deepest = layers.groupby("site_id")["layer"].agg(["max", "count"])
    assert (deepest["max"] + 1 == deepest["count"]).all()
    assert deepest["count"].between(1, 4).all()
    for stratum in ("vegetation", "aspect", "soil_layer"):
        share = layers[stratum].value_counts(normalize=True)
        mean = sum(
            share[label] * np.array(target.group_means[stratum, label])
            for label in STRATA[stratum]
        )
        gap = np.abs(mean - np.array(target.mean))
        assert gap[0] < 0.05
        assert gap[1] < 0.15


def test_soil_layers_grow_fewer_with_depth() -> None:
    counts = layers_of("June", 0)[0]["soil_layer"].value_counts()
    ordered = [counts[label] for label in STRATA["soil_layer"]]
    assert ordered == sorted(ordered, reverse=True)


@given(
    st.floats(-17.0, -13.0), st.floats(0.0, 8.0), st.floats(2.6, 4.5), st.integers(0, 2)
)
def test_regional_balance_closes_for_any_ice_and_slope(
    ice: float, d_excess: float, slope: float, index: int
) -> None:
    period = PERIODS[index]
    settings = WaterSettings(
        ground_ice=dict.fromkeys(PERIODS, SourceWater(ice, d_excess)),
        evaporation_slope=dict.fromkeys(PERIODS, slope),
    )
    target = TARGETS[period]
    sources = period_sources(target, settings)
    f_rain, f_ice, f_snow = target.shares
    mixed = f_rain * sources.rain + f_ice * sources.ground_ice
    mixed = mixed + f_snow * sources.snowmelt
    evaporated = mixed + sources.mean_evaporation * np.array([1.0, slope])
    assert evaporated == pytest.approx(np.array(target.mean), abs=1e-9)
    assert sources.rain[1] == pytest.approx(7.90 * sources.rain[0] + 12.43)


def test_end_members_that_cannot_close_the_balance_are_refused() -> None:
    settings = WaterSettings(
        ground_ice=dict.fromkeys(PERIODS, SourceWater(-14.0, -60.0))
    )
    with pytest.raises(InputError, match="June need a mean evaporation of -"):
        period_sources(TARGETS["June"], settings)


def test_all_faults_of_settings_are_told_at_once() -> None:
    with pytest.raises(
        InputError, match=r"soil_samples lacks June.*slope of June is 9"
    ):
        WaterSettings(
            soil_samples={"August": 252, "September": 263},
            evaporation_slope={"June": 9.0, "August": 3.0, "September": 3.0},
        )
    with pytest.raises(InputError, match=r"snowmelt share of August is 0\.1"):
        WaterSettings(shares=dict.fromkeys(PERIODS, (0.8, 0.1, 0.1)))


def craig_gordon_slope(celsius: float, exponent: float, rain: np.ndarray) -> float:
    """Slope of evaporation at its start, vapour in equilibrium with the rain."""
    t = celsius + 273.15
    log_alpha = {
        "d18O": -7.685 + 6.7123e3 / t - 1.6664e6 / t**2 + 0.35041e9 / t**3,
        "d2H": 1158.8e-9 * t**3
        - 1620.1e-6 * t**2
        + 794.84e-3 * t
        - 161.04
        + 2.9992e9 / t**3,
    }
    humidity = 0.6
    change = {}
    for tracer, ratio, delta in (
        ("d18O", 0.9723, rain[0]),
        ("d2H", 0.9755, rain[1]),
    ):
        alpha = np.exp(log_alpha[tracer] / 1000.0)
        equilibrium = (alpha - 1.0) * 1000.0
        kinetic = exponent * (1.0 - humidity) * (1.0 - ratio) * 1000.0
        vapour = (delta - equilibrium) / (1.0 + equilibrium / 1000.0)
        gain = humidity * (vapour - delta)
        gain += (1.0 + delta / 1000.0) * (kinetic + equilibrium / alpha)
        change[tracer] = gain / (1.0 - humidity + kinetic / 1000.0)
    return change["d2H"] / change["d18O"]


@pytest.mark.parametrize("period", PERIODS)
def test_evaporation_slopes_lie_in_the_craig_gordon_range(period: str) -> None:
    sources = period_sources(TARGETS[period], SETTINGS)
    slopes = [
        craig_gordon_slope(celsius, exponent, sources.rain)
        for celsius in (2.0, 14.0)
        for exponent in (0.5, 1.0)
    ]
    assert min(slopes) < sources.evaporation_slope < max(slopes)


@pytest.mark.parametrize("period", PERIODS)
def test_gradients_of_the_equations_agree_with_differences(period: str) -> None:
    layers, rng = layers_of(period, 5)
    fractions = true_fractions(layers, TARGETS[period], rng=rng)
    groups = published_groups(layers, TARGETS[period])
    sources = period_sources(TARGETS[period], SETTINGS)
    state = soil_water._first_draw(layers, sources, rng=rng)
    noise = soil_water._balanced_noise(groups, rng=rng)
    context = (fractions, groups, sources, noise)
    _, jacobian = soil_water._equations(state, *context)
    for index in rng.integers(0, state.size, 12):
        step = np.zeros_like(state)
        step[index] = 1e-5
        above, _ = soil_water._equations(state + step, *context)
        below, _ = soil_water._equations(state - step, *context)
        numeric = (above - below) / 2e-5
        assert jacobian[:, index] == pytest.approx(numeric, rel=1e-5, abs=1e-7)


def test_measurement_noise_sums_to_zero_in_every_group() -> None:
    layers, rng = layers_of("August", 1)
    groups = published_groups(layers, TARGETS["August"])
    noise = soil_water._balanced_noise(groups, rng=rng)
    assert groups.masks @ noise.T == pytest.approx(0.0, abs=1e-10)
    assert noise.std(axis=1) == pytest.approx(np.array([0.2, 0.5]) / 3**0.5, rel=0.2)


def test_group_statistics_agree_with_polyfit() -> None:
    layers, rng = layers_of("June", 2)
    groups = published_groups(layers, TARGETS["June"])
    d18O = rng.normal(-12.0, 2.0, len(layers))
    d2H = 6.5 * d18O + rng.normal(0.0, 5.0, len(layers))
    statistics = group_statistics(d18O, d2H, groups)
    for mask, row in zip(groups.masks, statistics, strict=True):
        rows = mask > 0
        slope, intercept = np.polyfit(d18O[rows], d2H[rows], 1)
        r = np.corrcoef(d18O[rows], d2H[rows])[0, 1]
        expected = [d18O[rows].mean(), d2H[rows].mean(), slope, intercept, r**2]
        assert row == pytest.approx(expected)


def test_gap_of_each_published_number_is_counted_once() -> None:
    layers, _ = layers_of("June", 2)
    groups = published_groups(layers, TARGETS["June"])
    zeros = np.linspace(-14.0, -9.0, len(layers))
    moments = gaps(zeros, 8.0 * zeros, groups)
    # 12 means of two deltas, 11 slopes and R2, 4 intercepts of bands
    assert moments.gap.size == 12 * 2 + 11 * 2 + 4


def test_fit_changes_the_first_draw_only_as_far_as_needed() -> None:
    layers, rng = layers_of("June", 3)
    fractions = true_fractions(layers, TARGETS["June"], rng=rng)
    groups = published_groups(layers, TARGETS["June"])
    sources = period_sources(TARGETS["June"], SETTINGS)
    soil = fit_soil_water(layers, fractions, groups, sources, rng=rng)
    # drawn with 2.0 permil along and 3.5 permil off the line
    assert 1.5 < soil.rain_shift.std() < 4.0
    assert 2.5 < soil.rain_scatter.std() < 7.0
    assert ((soil.evaporation > 0.0) & (soil.evaporation < 6.0)).all()
    assert soil.evaporation.mean() == pytest.approx(sources.mean_evaporation, abs=0.05)


@pytest.mark.slow
@pytest.mark.parametrize("other", [False, True])
def test_written_deltas_are_the_forward_model_of_the_written_truth(
    other: bool,
) -> None:
    tables = study(3, other=True) if other else study(2020)
    settings = OTHER if other else SETTINGS
    soil = soil_with_truth(tables)
    for period, rows in soil.groupby("period"):
        ice, snow = settings.ground_ice[str(period)], settings.snowmelt
        for index, tracer in enumerate(("d18O", "d2H")):
            mixed = (
                rows["true_precipitation"] * rows[f"rain_{tracer}"]
                + rows["true_ground_ice"] * ice.deltas[index]
                + rows["true_snowmelt"] * snow.deltas[index]
            )
            slope = settings.evaporation_slope[str(period)] if index else 1.0
            noise = rows[tracer] - mixed - slope * rows["evaporation"]
            sd = (0.2, 0.5)[index] / 3**0.5
            assert abs(noise.mean()) < 1e-3
            assert noise.std() == pytest.approx(sd, rel=0.2)


@pytest.mark.parametrize("period", PERIODS)
def test_true_fractions_meet_their_shares_and_rules(period: str) -> None:
    layers, rng = layers_of(period, 0)
    fractions = true_fractions(layers, TARGETS[period], rng=rng)
    assert fractions.sum(axis=1) == pytest.approx(1.0, abs=1e-9)
    assert fractions.min() >= 0.0
    assert fractions.mean(axis=0) == pytest.approx(TARGETS[period].shares, abs=1e-6)
    named = layers.assign(
        **dict(zip([f"true_{name}" for name in SOURCES], fractions.T, strict=True))
    )
    assert broken_rules(named, period) == []
    mixed_up = named.assign(elevation_band=named["elevation_band"].to_numpy()[::-1])
    assert broken_rules(mixed_up, period)


def test_misprints_of_table_1_are_mended() -> None:
    assert TARGETS["September"].group_means["soil_layer", "0-20"][0] == -14.23
    assert TARGETS["June"].group_means["aspect", "W"] == (-12.62, -93.63)
