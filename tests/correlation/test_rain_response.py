"""Rain events, dry spells and decades: worked cases, references and a bucket."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geosoil.correlation.daily import ResponseRules, daily_series, runs_of
from geosoil.correlation.decadal_trend import decadal_trend
from geosoil.correlation.dry_spells import dry_spell_response
from geosoil.correlation.effective import effective_pairs
from geosoil.correlation.rain_events import (
    LEFT_OUT,
    rain_event_response,
    rain_events,
)
from geosoil.correlation.rain_response import rain_response
from geosoil.errors import GridMismatchError, InputError

nan = np.nan


def daily(values: object, name: str = "soil") -> xr.DataArray:
    numbers = np.asarray(values, dtype=float)
    days = pd.date_range("2003-01-01", periods=numbers.shape[0])
    dims = ("time", "y", "x")[: numbers.ndim]
    return xr.DataArray(numbers, dims=dims, coords={"time": days}, name=name)


def bucket(
    seed: int, years: int, *, per_mm: float, per_day: float, noise: float = 0.0
) -> tuple[xr.DataArray, xr.DataArray]:
    """Moisture that rises at once with each event and else falls by a daily share."""
    rng = np.random.default_rng(seed)
    days = int(365.25 * years)
    rain = np.where(rng.random(days) < 0.15, rng.gamma(1.0, 6.0, days) + 1.0, 0.0)
    level, soil = 0.25, np.empty(days)
    wet = rain >= 1.0
    pending = 0.0
    for t in range(days):
        if wet[t]:
            pending += rain[t]
        elif pending:
            level *= 1 + per_mm * pending / 100
            pending = 0.0
        else:
            level *= 1 + per_day / 100
        soil[t] = level
    return daily(soil * np.exp(rng.normal(0, noise, days))), daily(rain, name="rain")


def reference_events(
    soil: np.ndarray, rain: np.ndarray, wet_day: float, settle: int
) -> list[tuple[float, float]]:
    """Rain and response of the events, day by day in a loop."""
    found, t, end = [], 0, -(10**6)
    while t < rain.size:
        if not rain[t] >= wet_day:
            t += 1
            continue
        s = t
        while t + 1 < rain.size and rain[t + 1] >= wet_day:
            t += 1
        before, after = s - 1, t + settle
        whole = before >= 0 and after < rain.size
        if whole and np.isfinite(rain[before : after + 1]).all():
            dry = not (rain[t + 1 : after + 1] >= wet_day).any()
            if dry and before - end >= settle and soil[before] > 0:
                change = 100 * (soil[after] / soil[before] - 1)
                if np.isfinite(change):
                    found.append((rain[s : t + 1].sum(), change))
        end, t = t, t + 1
    return found


# ------------------------------------------------------------------ rain events


def test_a_worked_event_is_read_from_the_day_before_to_the_day_after() -> None:
    rain = np.array([0.0, 0.9, 5.0, 3.0, 0.0, 0.0, 1.0, 0.0])
    soil = np.array([0.3, 0.20, 0.22, 0.25, 0.24, 0.23, 0.23, 0.253])
    found = rain_events(soil, rain, rain >= 0)
    # 8 mm: 0.20 to 0.24 is +20 %; 1 mm: 0.23 to 0.253 is +10 %
    assert found.amount.tolist() == [8.0, 1.0]
    np.testing.assert_allclose(found.response, [20.0, 10.0], rtol=1e-12)
    assert found.left_out.tolist() == ["", ""]
    settled = rain_events(soil, rain, rain >= 0, rules=ResponseRules(settle=0))
    np.testing.assert_allclose(settled.response, [25.0, 0.0], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("rain", "soil", "frozen", "settle", "reasons"),
    [
        ([5, 0, 0], [1, 1, 1], [], 1, ["gap"]),
        ([0, 0, 5], [1, 1, 1], [], 1, ["gap"]),
        ([nan, 5, 0], [1, 1, 1], [], 1, ["gap"]),
        ([0, 5, nan], [1, 1, 1], [], 1, ["gap"]),
        ([0, 5, nan], [1, 1, 1], [], 0, [""]),
        ([0, 5, nan, 5, 0], [1] * 5, [], 1, ["gap", "gap"]),
        ([0, 5, 0], [nan, 1, 1], [], 1, ["gap"]),
        ([0, 5, 0], [1, nan, 1], [], 1, [""]),
        ([0, 5, 0, 5, 0], [1] * 5, [], 1, ["", ""]),
        ([0, 5, 0, 5, 0, 0], [1] * 6, [], 2, ["overlap", "overlap"]),
        ([0, 5, 0, 0, 5, 0, 0], [1] * 7, [], 2, ["", ""]),
        ([0, 5, 0], [1, 1, 1], [0], 1, ["frozen"]),
        ([0, 5, 0, 0], [1] * 4, [3], 1, [""]),
        ([0, 5, 0], [0, 1, 1], [], 1, ["not_positive"]),
        ([0, 0, 0], [1, 1, 1], [], 1, []),
    ],
)
def test_events_are_left_out_by_their_first_reason(
    rain: list[float],
    soil: list[float],
    frozen: list[int],
    settle: int,
    reasons: list[str],
) -> None:
    thawed = np.ones(len(rain), dtype=bool)
    thawed[frozen] = False
    rules = ResponseRules(settle=settle)
    series = (np.array(soil, float), np.array(rain, float))
    found = rain_events(*series, thawed, rules=rules)
    assert found.left_out.tolist() == reasons
    np.testing.assert_array_equal(np.isfinite(found.response), found.left_out == "")


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(0, 3), st.floats(0.5, 4.0))
def test_the_line_through_events_equals_scipy(
    seed: int, settle: int, wet_day: float
) -> None:
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random(400) < 0.2, rng.gamma(1.0, 6.0, 400), 0.0)
    soil = rng.uniform(0.1, 0.4, 400)
    rain[rng.random(400) < 0.02] = nan
    soil[rng.random(400) < 0.05] = nan
    events = reference_events(soil, rain, wet_day, settle)
    rules = ResponseRules(wet_day=wet_day, settle=settle)
    found = rain_event_response(daily(soil), daily(rain), rules=rules)
    assert int(found.n_events) == len(events)
    if len(events) < 5:
        assert int(found.rain_reason) == 1
        assert np.isnan(float(found.rain_response))
        return
    amount, change = np.array(events).T
    line = stats.linregress(amount, change)
    names = ("", "_standard_error", "_intercept", "_median")
    answers = [float(found[f"rain_response{name}"]) for name in names]
    expected = [line.slope, line.stderr, line.intercept, np.median(change / amount)]
    np.testing.assert_allclose(answers, expected, rtol=1e-9)
    total = int(found.n_events) + int(found.n_events_left_out.sum())
    assert total == runs_of(rain >= wet_day)[0].size


def test_frozen_ground_and_its_unknown_days_leave_events_out() -> None:
    rain = daily(np.tile([0.0, 4, 0, 0, 8, 0], 10))
    soil = daily(np.full(60, 0.2))
    ground = daily(np.r_[np.full(30, -1.0), [nan] * 6, np.full(24, 0.1)])
    found = rain_event_response(soil, rain, ground_temperature=ground)
    lost = found.n_events_left_out.to_series().to_dict()
    assert lost == {"gap": 0, "overlap": 0, "frozen": 12, "not_positive": 0}
    assert int(found.n_events) == 8
    assert tuple(found["left_out"].values) == LEFT_OUT


def test_events_of_the_same_rain_have_no_slope() -> None:
    # 1.1 + 2.2 is not 3.3 to the last digit, but it is the same rain
    rain = daily(np.tile([0, 1.1, 2.2, 0, 0, 3.3, 0], 6))
    soil = daily(np.random.default_rng(4).uniform(0.1, 0.3, 42))
    found = rain_event_response(soil, rain)
    assert (int(found.rain_reason), int(found.n_events)) == (2, 12)
    assert np.isnan(found.rain_response)
    assert np.isnan(found.rain_response_median)


# -------------------------------------------------------------------- dry spells


def reference_spells(
    soil: np.ndarray, rain: np.ndarray, usable: np.ndarray, rules: ResponseRules
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Spell, day and log of moisture, day by day in a loop."""
    rows, spell, t = [], 0, 0
    while t < rain.size:
        s = t
        while t < rain.size and rain[t] < 1.0:
            t += 1
        days = [d for d in range(s, t) if usable[d] and d - s + 1 >= rules.settle]
        if len(days) >= rules.min_dry_days:
            rows += [(spell, d, np.log(soil[d])) for d in days]
            spell += 1
        t = max(t, s + 1)
    table = np.array(rows).reshape(-1, 3)
    return table[:, 0].astype(int), table[:, 1], table[:, 2]


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(0, 3), st.booleans())
def test_recession_equals_least_squares_with_a_dummy_a_spell(
    seed: int, fewest: int, settle: int, with_ground: bool
) -> None:
    rules = ResponseRules(min_dry_days=fewest, settle=settle)
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random(300) < 0.15, 5.0, 0.0)
    soil = rng.uniform(0.1, 0.4, 300)
    rain[rng.random(300) < 0.02] = nan
    soil[rng.random(300) < 0.05] = nan
    soil[rng.random(300) < 0.02] = 0.0
    ground = rng.normal(3, 2, 300)
    usable = (soil > 0) & ((ground > 0) | (not with_ground))
    spell, day, level = reference_spells(soil, rain, usable, rules)
    found = dry_spell_response(
        daily(soil),
        daily(rain),
        ground_temperature=daily(ground) if with_ground else None,
        rules=rules,
    )
    number = np.unique(spell).size
    assert (int(found.n_dry_spells), int(found.n_dry_days)) == (number, day.size)
    if number < 5:
        assert int(found.dry_reason) == 1
        assert np.isnan(float(found.dry_response))
        return
    design = np.column_stack([day, spell[:, None] == np.arange(number)])
    solution = np.linalg.lstsq(design, level, rcond=None)[0]
    rate = solution[0]
    fall = 100 * (np.exp(rate) - 1)
    assert float(found.dry_response) == pytest.approx(fall, rel=1e-8)
    rest = level - design @ solution
    bread = np.linalg.inv(design.T @ design)
    meat = np.zeros_like(bread)
    for j in range(number):
        score = design[spell == j].T @ rest[spell == j]
        meat += np.outer(score, score)
    error = np.sqrt((bread @ meat @ bread)[0, 0] * number / (number - 1))
    answer = float(found.dry_response_standard_error)
    assert answer == pytest.approx(100 * np.exp(rate) * error, rel=1e-6)


def test_a_worked_spell_falls_by_a_tenth_a_day() -> None:
    rain = np.tile([9.0, 0, 0, 0], 5)
    soil = np.tile([9.9, 1.0, 0.9, 0.81], 5) * np.repeat([1, 2, 3, 4, 5], 4)
    found = dry_spell_response(daily(soil), daily(rain))
    assert float(found.dry_response) == pytest.approx(-10.0, rel=1e-12)
    assert float(found.dry_response_standard_error) == pytest.approx(0.0, abs=1e-12)
    assert (int(found.n_dry_spells), int(found.n_dry_days)) == (5, 15)
    four = dry_spell_response(daily(soil[:16]), daily(rain[:16]))
    assert (int(four.dry_reason), int(four.n_dry_spells)) == (1, 4)
    assert np.isnan(four.dry_response)
    # read from the second dry day on, two days a spell are left, fewer than three
    late = dry_spell_response(daily(soil), daily(rain), rules=ResponseRules(settle=2))
    assert int(late.n_dry_spells) == 0


def test_a_day_left_out_of_the_record_is_no_day_of_the_spell() -> None:
    rain = daily(np.tile([9.0, 0, 0, 0, 0], 7))
    soil = daily(np.tile([1.0, *0.96 ** np.arange(4)], 7))
    keep = np.ones(35, dtype=bool)
    keep[[12, 23]] = False
    # without the rain of days 12 and 23 their spells fall into 1 and 2 days
    found = dry_spell_response(soil[keep], rain[keep])
    assert float(found.dry_response) == pytest.approx(-4.0, rel=1e-12)
    assert (int(found.n_dry_spells), int(found.n_dry_days)) == (5, 20)
    # without their moisture alone the spells go on, and the days count
    found = dry_spell_response(soil.where(keep), rain)
    assert float(found.dry_response) == pytest.approx(-4.0, rel=1e-12)
    assert (int(found.n_dry_spells), int(found.n_dry_days)) == (7, 26)


# ------------------------------------------------------------------------ decades


def reference_trend(values: np.ndarray, years: np.ndarray) -> tuple[float, ...]:
    """Slope by decade, p of independent years, and p that knows of persistence."""
    known = np.isfinite(values)
    slope = stats.theilslopes(values[known], years[known]).slope
    tau = stats.kendalltau(years[known], values[known])
    axis = xr.DataArray(years.astype(float), dims="time")
    rest = xr.DataArray(values - slope * years, dims="time")
    worth = float(effective_pairs(axis, rest))
    z = stats.norm.isf(tau.pvalue / 2) * np.sqrt(worth / known.sum())
    return 10 * slope, tau.pvalue, 2 * stats.norm.sf(z), worth


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("months", [(), (5, 6, 7, 8, 9)])
def test_trend_equals_theil_sen_and_kendall_of_the_yearly_means(
    seed: int, months: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(seed)
    days = pd.date_range("2001-03-01", "2020-10-15")
    values = 20 + np.cumsum(rng.normal(0, 0.02, len(days)))
    values[rng.random(len(days)) < 0.1] = nan
    values[days.year == 2010] = nan
    soil = xr.DataArray(values, dims="time", coords={"time": days})
    found = decadal_trend(soil, rules=ResponseRules(months=months))
    table = pd.DataFrame({"value": values, "year": days.year, "month": days.month})
    table = table[table["month"].isin(months or range(1, 13))]
    years = np.arange(2001, 2021)
    means = np.full(20, nan)
    for k, year in enumerate(years):
        mine = table[table["year"] == year]["value"]
        whole = pd.date_range(f"{year}-01-01", f"{year}-12-31")
        needed = 0.8 * np.isin(whole.month, months or range(1, 13)).sum()
        if mine.notna().sum() >= needed:
            means[k] = mine.mean()
    expected = reference_trend(means, years)
    names = ("trend", "trend_p_value_independent", "trend_p_value", "n_effective_years")
    np.testing.assert_allclose([float(found[n]) for n in names], expected, rtol=1e-8)
    assert int(found.n_years) == np.isfinite(means).sum()
    assert float(found["mean"]) == pytest.approx(np.nanmean(means), rel=1e-12)
    percent = 100 * expected[0] / np.nanmean(means)
    assert float(found.trend_percent) == pytest.approx(percent, rel=1e-10)


def test_persistence_makes_p_larger_and_never_smaller() -> None:
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(25, 40))
    walk = np.cumsum(noise, axis=0)
    days = pd.date_range("1990-01-01", "2014-12-31")
    for values, persistent in ((walk, True), (noise, False)):
        soil = xr.DataArray(
            values[days.year - 1990],
            dims=("time", "x"),
            coords={"time": days},
        )
        found = decadal_trend(soil)
        p, single = found.trend_p_value, found.trend_p_value_independent
        assert bool((p >= single * (1 - 1e-9)).all())
        share = float((found.n_effective_years / found.n_years).median())
        assert (share < 0.6) is persistent


def test_a_year_counts_from_the_share_of_its_days() -> None:
    values = np.ones(365 * 12 + 3)
    soil = daily(values + np.arange(values.size) * 1e-4)
    rules = ResponseRules(coverage=0.8)
    assert int(decadal_trend(soil, rules=rules).n_years) == 12
    soil[: int(0.2 * 365)] = nan
    assert int(decadal_trend(soil, rules=rules).n_years) == 12
    soil[int(0.2 * 365)] = nan
    assert int(decadal_trend(soil, rules=rules).n_years) == 11


def test_few_years_and_constants_have_a_mean_but_no_trend() -> None:
    soil = daily(np.full(365 * 5 + 1, 0.2))
    found = decadal_trend(soil)
    assert (int(found.trend_reason), int(found.n_years)) == (1, 5)
    assert float(found["mean"]) == pytest.approx(0.2)
    constant = decadal_trend(soil, rules=ResponseRules(min_years=4))
    assert int(constant.trend_reason) == 3
    empty = decadal_trend(daily(np.full(4000, nan)))
    assert (int(empty.trend_reason), int(empty.n_years)) == (4, 0)
    for answer in (found, constant, empty):
        names = ("trend", "trend_percent", "trend_p_value", "n_effective_years")
        assert np.isnan([float(answer[name]) for name in names]).all()
    assert np.isnan(empty["mean"])


# -------------------------------------------------------------------- all together


def test_a_planted_bucket_is_recovered() -> None:
    soil, rain = bucket(5, 18, per_mm=0.47, per_day=-3.8)
    found = rain_response(soil, rain)
    assert float(found.rain_response) == pytest.approx(0.47, abs=1e-9)
    assert float(found.rain_response_median) == pytest.approx(0.47, abs=1e-9)
    assert int(found.n_events) > 500
    assert float(found.dry_response) == pytest.approx(-3.8, abs=1e-9)
    assert int(found.n_dry_spells) > 500


def test_noise_leaves_the_planted_answer_within_three_errors() -> None:
    soil, rain = bucket(6, 18, per_mm=0.46, per_day=-3.3, noise=0.02)
    found = rain_response(soil, rain)
    error = float(found.rain_response_standard_error)
    assert 0 < error < 0.05
    assert abs(float(found.rain_response) - 0.46) < 3 * error
    error = float(found.dry_response_standard_error)
    assert 0 < error < 0.1
    assert abs(float(found.dry_response) + 3.3) < 3 * error


def test_the_planted_trend_is_recovered_beside_seasons() -> None:
    days = pd.date_range("2003-01-01", "2020-12-31")
    season = 5 * np.sin(2 * np.pi * days.day_of_year / 365.25)
    middle = days.year + 0.5 - 2003
    soil = xr.DataArray(
        20 + 0.05 * middle + season + np.random.default_rng(1).normal(0, 1, len(days)),
        dims="time",
        coords={"time": days},
        attrs={"units": "%"},
    )
    found = decadal_trend(soil)
    assert float(found.trend) == pytest.approx(0.5, abs=0.1)
    assert float(found.trend_p_value) < 0.01
    assert found.trend.attrs["units"] == "(%) / (10 years)"
    grown = decadal_trend(soil, rules=ResponseRules(months=(6, 7, 8)))
    assert float(grown.trend) == pytest.approx(0.5, abs=0.2)


PER_CENT = (
    "rain_response",
    "rain_response_standard_error",
    "rain_response_intercept",
    "rain_response_median",
    "dry_response",
    "dry_response_standard_error",
    "trend_percent",
    "trend_p_value",
)


@settings(max_examples=5)
@given(st.floats(0.01, 100.0), st.integers(0, 10**6))
def test_the_unit_of_moisture_changes_no_per_cent(scale: float, seed: int) -> None:
    soil, rain = bucket(seed, 11, per_mm=0.4, per_day=-2.0, noise=0.05)
    first, second = rain_response(soil, rain), rain_response(scale * soil, rain)
    for name in PER_CENT:
        np.testing.assert_allclose(first[name], second[name], rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(scale * first["trend"], second["trend"], rtol=1e-6)


@settings(max_examples=5)
@given(st.integers(1, 900), st.integers(1, 900), st.integers(0, 10**6))
def test_missing_days_around_the_record_change_nothing(
    before: int, after: int, seed: int
) -> None:
    soil, rain = bucket(seed, 11, per_mm=0.4, per_day=-2.0, noise=0.05)
    first, last = (soil.time.to_index()[k] for k in (0, -1))
    longer = pd.date_range(
        first - pd.Timedelta(days=before), last + pd.Timedelta(days=after)
    )
    plain = rain_response(soil, rain)
    padded = rain_response(soil.reindex(time=longer), rain.reindex(time=longer))
    xr.testing.assert_allclose(plain, padded, rtol=1e-12)


def test_every_pixel_and_depth_is_answered_as_alone() -> None:
    cubes = [bucket(k, 11, per_mm=0.3, per_day=-2.0, noise=0.05) for k in range(4)]
    soil = [moisture.to_numpy() for moisture, _ in cubes]
    rain = cubes[0][1]
    soil = daily(np.stack(soil).reshape(2, 2, -1).transpose(2, 0, 1))
    soil = soil.assign_coords(y=[0, 1], x=[10, 20])
    soil[:, 0, 0] = nan
    ground = xr.zeros_like(rain) + 1.0
    found = rain_response(soil, rain, ground_temperature=ground)
    lazy = rain_response(
        soil.chunk(time=1000, x=1), rain.chunk(), ground_temperature=ground.chunk()
    )
    assert lazy.chunks
    xr.testing.assert_allclose(found, lazy.compute(), rtol=1e-12)
    assert found["x"].to_numpy().tolist() == [10, 20]
    for reason in ("rain_reason", "dry_reason", "trend_reason"):
        assert found[reason].to_numpy().tolist() == [[4, 0], [0, 0]]
        assert found[reason].dtype == np.int8
    one = rain_response(soil[:, 1, 0], rain, ground_temperature=ground)
    xr.testing.assert_allclose(found.isel(y=1, x=0), one, rtol=1e-12)


def test_inputs_that_cannot_be_are_refused() -> None:
    soil, rain = daily(np.ones(20)), daily(np.ones(20), name="rain")
    with pytest.raises(InputError, match="only in x 'soil': 2003-01-20"):
        rain_event_response(soil, rain[:-1])
    others = {"rain": rain.rename(time="day"), "ground": rain.expand_dims("x")}
    with pytest.raises(InputError, match=r"no 'time'; .*dims \['x'\]"):
        daily_series(soil, others, "time")
    monthly = daily(np.ones(12)).assign_coords(
        time=pd.date_range("2003-01-01", periods=12, freq="MS")
    )
    with pytest.raises(InputError, match="usual step is 31 days"):
        dry_spell_response(monthly, monthly)
    twice = soil.assign_coords(time=soil.time.to_index()[[0, 0, *range(1, 19)]])
    with pytest.raises(InputError, match="its shortest 0"):
        decadal_trend(twice)
    with pytest.raises(InputError, match="no dates along 'time'"):
        decadal_trend(soil.drop_vars("time"))
    field = soil.expand_dims(x=[1.0, 2.0])
    with pytest.raises(GridMismatchError, match="different coordinates 'x'"):
        rain_event_response(field, field.assign_coords(x=[1.0, 3.0]))


def test_rules_that_cannot_be_are_named_together() -> None:
    with pytest.raises(InputError, match=r"wet_day is 0.*settle is -1.*coverage is 2"):
        ResponseRules(wet_day=0, settle=-1, coverage=2)
    with pytest.raises(InputError, match=r"min_events is 2.*min_dry.*min_years"):
        ResponseRules(min_events=2, min_dry_days=1, min_years=3)
    with pytest.raises(InputError, match=r"months is \(6, 6\)"):
        ResponseRules(months=(6, 6))
