"""Rain by stratum from stations, against closed forms and planted lapse rates."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from geosoil.errors import InputError, MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing import source_fractions
from geosoil.tracers.rain_isoscape import (
    fit_rain_isoscape,
    rain_by_stratum,
    station_means,
)

PAIR = ["d18O", "d2H"]


def stations(n: int = 6, seed: int = 1, scatter: float = 0.5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    elevation = np.linspace(3100, 4600, n)
    d18O = -9.0 - 0.0025 * (elevation - 3000) + rng.normal(0, scatter, n)
    d2H = 8 * d18O + 11 + rng.normal(0, 4 * scatter, n)
    return pd.DataFrame(
        {
            "elevation": elevation,
            "latitude": rng.uniform(32, 36, n),
            "d18O": d18O,
            "d2H": d2H,
            "n": rng.integers(4, 40, n),
        }
    )


def test_equal_weights_give_the_line_of_scipy() -> None:
    table = stations().drop(columns="n")
    found = fit_rain_isoscape(table)
    for place, tracer in enumerate(PAIR):
        line = stats.linregress(table["elevation"], table[tracer])
        assert found.coefficients[1, place] == pytest.approx(line.slope, rel=1e-10)
        assert found.standard_errors[1, place] == pytest.approx(line.stderr, rel=1e-10)
        at_zero = found.predict(pd.DataFrame({"elevation": [0.0]}))[tracer][0]
        assert at_zero == pytest.approx(line.intercept, rel=1e-10)
    assert found.degrees_of_freedom == 4


@pytest.mark.parametrize(
    "covariates", [["elevation"], ["elevation", "latitude"], ["latitude"]]
)
def test_weighted_fit_and_prediction_are_the_normal_equations(covariates) -> None:
    table = stations(7)
    found = fit_rain_isoscape(table, covariates=covariates)
    weight = table["n"].to_numpy() / table["n"].mean()
    design = np.column_stack([np.ones(len(table)), table[covariates]])
    normal = np.linalg.inv(design.T @ (weight[:, None] * design))
    values = table[PAIR].to_numpy()
    beta = normal @ design.T @ (weight[:, None] * values)
    residuals = values - design @ beta
    sigma = residuals.T @ (weight[:, None] * residuals)
    sigma = sigma / (len(table) - design.shape[1])
    np.testing.assert_allclose(found.coefficients[1:], beta[1:], rtol=1e-8)
    np.testing.assert_allclose(
        found.standard_errors[1:],
        np.sqrt(np.outer(np.diag(normal), np.diag(sigma)))[1:],
        rtol=1e-8,
    )
    place = pd.DataFrame({"elevation": [3777.0], "latitude": [34.2]}, index=["here"])
    rain = found.predict(place)
    point = np.r_[1.0, place.loc["here", covariates].astype(float)]
    np.testing.assert_allclose(rain[PAIR].to_numpy()[0], point @ beta, rtol=1e-9)
    factor = 1 + point @ normal @ point
    np.testing.assert_allclose(
        rain[["d18O_sd", "d2H_sd"]].to_numpy()[0],
        np.sqrt(np.diag(sigma) * factor),
        rtol=1e-8,
    )
    assert rain.loc["here", "d18O_d2H_cov"] == pytest.approx(sigma[0, 1] * factor)


def test_d_excess_of_the_prediction_is_that_of_both_isotopes() -> None:
    both = fit_rain_isoscape(stations(), tracers=["d18O", "d_excess"])
    single = fit_rain_isoscape(stations())
    place = pd.DataFrame({"elevation": [4000.0]})
    first, second = both.predict(place).iloc[0], single.predict(place).iloc[0]
    excess = second["d2H"] - 8 * second["d18O"]
    assert first["d_excess"] == pytest.approx(excess, rel=1e-10)
    variance = (
        second["d2H_sd"] ** 2
        + 64 * second["d18O_sd"] ** 2
        - 16 * second["d18O_d2H_cov"]
    )
    assert first["d_excess_sd"] == pytest.approx(np.sqrt(variance), rel=1e-10)


def test_planted_lapse_rate_lies_within_its_error() -> None:
    inside = 0
    for seed in range(200):
        table = stations(8, seed=seed).drop(columns="n")
        found = fit_rain_isoscape(table)
        half = stats.t.ppf(0.95, found.degrees_of_freedom) * found.standard_errors[1, 0]
        inside += abs(found.coefficients[1, 0] + 0.0025) <= half
    assert 0.83 <= inside / 200 <= 0.96


@pytest.mark.slow
def test_prediction_spread_is_that_of_new_stations() -> None:
    rng = np.random.default_rng(3)
    misses = []
    for seed in range(400):
        table = stations(8, seed=seed).drop(columns="n")
        rain = fit_rain_isoscape(table).predict(pd.DataFrame({"elevation": [4200.0]}))
        truth = -9.0 - 0.0025 * 1200 + rng.normal(0, 0.5)
        misses.append((rain["d18O"][0] - truth) / rain["d18O_sd"][0])
    # t with 6 degrees of freedom has the variance 1.5.
    assert np.var(misses) == pytest.approx(1.5, rel=0.2)


def test_strata_get_the_rain_of_their_mean_elevation() -> None:
    soil = pd.DataFrame(
        {
            "elevation_band": ["3500-4000", "3500-4000", "4500-5100", "3000-3500"],
            "elevation": [3600.0, 3800.0, 4900.0, np.nan],
        }
    )
    table = stations()
    rain = rain_by_stratum(table, soil)
    assert rain["elevation_band"].tolist() == ["3000-3500", "3500-4000", "4500-5100"]
    assert rain["elevation"].tolist()[1:] == [3700.0, 4900.0]
    assert rain["extrapolated"].tolist() == [False, False, True]
    assert rain["reason"].tolist() == [
        "missing elevation",
        "",
        "elevation 4900 outside stations' 3100 to 4600",
    ]
    assert rain.loc[0, PAIR].isna().all()
    wanted = fit_rain_isoscape(table).predict(pd.DataFrame({"elevation": [3700.0]}))
    numbers = [*PAIR, "d18O_sd", "d2H_sd", "d18O_d2H_cov"]
    np.testing.assert_allclose(
        rain.loc[1, numbers].astype(float), wanted.loc[0, numbers].astype(float)
    )


def test_rain_of_strata_goes_straight_into_mixing() -> None:
    soil = pd.DataFrame(
        {
            "elevation_band": ["3500-4000", "4000-4500"],
            "elevation": [3700.0, 4300.0],
        }
    )
    rain = rain_by_stratum(stations(), soil)
    ice = pd.DataFrame({"source": ["ground_ice"], "d18O": [-16.5], "d2H": [-128.0]})
    table = pd.concat([rain, ice.assign(d18O_sd=0.5, d2H_sd=4.0)])
    ends = EndMembers.from_table(table)
    assert ends.by == ("elevation_band",)
    ice_water = ice[PAIR].to_numpy()
    soil[PAIR] = 0.75 * rain[PAIR].to_numpy() + 0.25 * ice_water
    found = source_fractions(soil, ends)
    np.testing.assert_allclose(found["precipitation"], 0.75, atol=1e-9)
    assert ends.of_means().table["d18O_sd"][0] == rain["d18O_sd"][0]


def test_station_means_join_samples_and_elevation() -> None:
    samples = pd.DataFrame(
        {
            "water": ["precipitation"] * 4 + ["soil"],
            "site_id": ["a", "a", "b", "b", "a"],
            "elevation": [3200.0, 3200.0, 4000.0, 4000.0, 9000.0],
            "d18O": [-10.0, -12.0, -13.0, -15.0, 0.0],
            "d2H": [-70.0, -84.0, -92.0, -108.0, 0.0],
            "precipitation": [3.0, 1.0, 1.0, 1.0, np.nan],
        }
    )
    plain = station_means(samples)
    assert plain["d18O"].tolist() == [-11.0, -14.0]
    assert plain["elevation"].tolist() == [3200.0, 4000.0]
    weighted = station_means(samples, amount="precipitation")
    assert weighted["d18O"].tolist() == [-10.5, -14.0]
    nameless = samples.assign(site_id=["a", "a", "b", None, "a"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert station_means(nameless)["n"].tolist() == [2, 1]
    with pytest.raises(InputError, match="missing column site_id"):
        station_means(samples.drop(columns="site_id"))


def test_stations_that_cannot_carry_a_regression_are_refused() -> None:
    table = stations()
    with pytest.raises(MixingError, match=r"3 stations .* needs 4 or more"):
        fit_rain_isoscape(table.iloc[:3])
    with pytest.raises(MixingError, match=r"4 stations .* needs 5 or more"):
        fit_rain_isoscape(table.iloc[:4], covariates=["elevation", "latitude"])
    with pytest.raises(MixingError, match="3 stations"):
        fit_rain_isoscape(table.iloc[:4].assign(d2H=[-80.0, -85.0, np.nan, -90.0]))
    with pytest.raises(MixingError, match="the same elevation"):
        fit_rain_isoscape(table.assign(elevation=3500.0))
    with pytest.raises(MixingError, match=r"elevation and latitude .* go together"):
        fit_rain_isoscape(
            table.assign(latitude=table["elevation"] / 100),
            covariates=["elevation", "latitude"],
        )
    with pytest.raises(MixingError, match="1 stations have a weight not above 0"):
        fit_rain_isoscape(table.assign(n=[0, 1, 1, 1, 1, 1]))
    with pytest.raises(InputError, match="missing column elevation"):
        fit_rain_isoscape(table.drop(columns="elevation"))
