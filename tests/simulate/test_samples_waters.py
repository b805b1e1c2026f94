"""Precipitation, ground ice, snowmelt, river and supra-permafrost water."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geosoil.simulate.rain_events import simulate_events
from geosoil.simulate.targets import Line
from tests.simulate.samples_cases import OTHER, SEEDS, study

PERIODS = ("June", "August", "September")


def waters(water: str, seed: int = 2020) -> pd.DataFrame:
    samples = study(seed).samples
    return samples[samples["water"] == water]


@pytest.mark.parametrize("seed", SEEDS)
def test_all_events_together_give_the_published_meteoric_line(seed: int) -> None:
    events = waters("precipitation", seed)
    slope, intercept = np.polyfit(events["d18O"], events["d2H"], 1)
    r = np.corrcoef(events["d18O"], events["d2H"])[0, 1]
    assert len(events) == 375
    assert slope == pytest.approx(7.90, abs=0.02)
    assert intercept == pytest.approx(12.43, abs=0.3)
    assert r**2 == pytest.approx(0.97, abs=0.005)


@pytest.mark.parametrize("seed", SEEDS)
def test_amount_weighted_rain_of_a_month_is_the_end_member(seed: int) -> None:
    events = waters("precipitation", seed)
    months = pd.to_datetime(events["date"]).dt.month
    members = study(seed).end_members
    for period, month in (("June", 6), ("August", 8), ("September", 9)):
        rows = events[months == month]
        assert (rows["period"] == period).all()
        member = members[
            (members["period"] == period)
            & (members["by"] == "all")
            & (members["state"] == "fallen")
        ].iloc[0]
        assert member["n"] == len(rows)
        for tracer in ("d18O", "d2H"):
            mean = np.average(rows[tracer], weights=rows["precipitation"])
            assert mean == pytest.approx(member[tracer], abs=0.01)
        line = 7.90 * member["d18O"] + 12.43
        assert member["d2H"] == pytest.approx(line, abs=0.05)


def test_june_rain_is_that_of_both_years_and_other_months_have_no_period() -> None:
    events = waters("precipitation")
    dates = pd.to_datetime(events["date"])
    june = dates[events["period"] == "June"]
    assert sorted(june.dt.year.unique().tolist()) == [2019, 2020]
    assert dates.min() >= pd.Timestamp(2019, 6, 1)
    assert dates.max() < pd.Timestamp(2020, 8, 1)
    assert dates.is_monotonic_increasing
    other = events[~dates.dt.month.isin([6, 8, 9])]
    assert other["period"].isna().all()
    assert len(other) > 100


def test_a_station_has_one_event_a_day_with_its_amount_and_temperature() -> None:
    events = waters("precipitation")
    assert not events.duplicated(["site_id", "date"]).any()
    assert (events["precipitation"] > 0.0).all()
    assert events["air_temperature"].notna().all()
    assert events["site_id"].nunique() == 5
    assert events["site_id"].value_counts().min() > 60


def test_winter_snowfall_is_lighter_and_colder_than_summer_rain() -> None:
    events = waters("precipitation")
    month = pd.to_datetime(events["date"]).dt.month
    winter, summer = events[month.isin([12, 1, 2])], events[month.isin([6, 7, 8])]
    assert winter["d18O"].mean() < summer["d18O"].mean() - 3.0
    assert winter["air_temperature"].mean() < summer["air_temperature"].mean() - 10.0


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.floats(7.0, 8.5), st.floats(0.9, 0.99))
def test_events_follow_any_line_asked_for(
    seed: int, slope: float, r_squared: float
) -> None:
    line = Line(slope, 10.0, r_squared)
    rain = {name: np.array([-13.0, slope * -13.0 + 10.0]) for name in PERIODS}
    events = simulate_events(rain, line, rng=np.random.default_rng(seed))
    fit = np.polyfit(events["d18O"], events["d2H"], 1)
    r = np.corrcoef(events["d18O"], events["d2H"])[0, 1]
    assert fit == pytest.approx([slope, 10.0], abs=0.01)
    assert r**2 == pytest.approx(r_squared, abs=1e-3)


@pytest.mark.parametrize("other", [False, True])
def test_means_of_ice_and_snow_samples_are_the_end_members(other: bool) -> None:
    tables = study(3, other=True) if other else study(2020)
    means = tables.samples.groupby(["water", "period"])[["d18O", "d2H"]].mean()
    members = tables.end_members[tables.end_members["state"] == "sampled"]
    for row in members.itertuples():
        mean = means.loc[(row.source, row.period)]
        assert mean["d18O"] == pytest.approx(row.d18O, abs=0.05)
        assert mean["d2H"] == pytest.approx(row.d2H, abs=0.05)
    if other:
        ice = members[members["source"] == "ground_ice"].set_index("period")
        assert ice["d18O"].to_dict() == pytest.approx(
            {period: OTHER.ground_ice[period].d18O for period in PERIODS}
        )


def test_ice_and_snow_scatter_along_a_line_near_the_meteoric() -> None:
    for water in ("ground_ice", "snowmelt"):
        for _, rows in waters(water).groupby("period"):
            slope, _ = np.polyfit(rows["d18O"], rows["d2H"], 1)
            assert 6.3 < slope < 9.0
            assert 0.6 < rows["d18O"].std() < 1.8


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("water", ["river", "supra_permafrost"])
def test_river_and_thawed_water_cluster_with_soil_water(water: str, seed: int) -> None:
    soil = waters("soil", seed).groupby("period")[["d18O", "d2H"]].mean()
    found = waters(water, seed).groupby("period")[["d18O", "d2H"]].mean()
    assert (found["d18O"] - soil["d18O"]).abs().max() < 2.0
    assert (found["d2H"] - soil["d2H"]).abs().max() < 12.0
    samples = waters(water, seed)
    lc_excess = samples["d2H"] - 7.90 * samples["d18O"] - 12.43
    assert -12.0 < lc_excess.mean() < 0.0


def test_rivers_are_visited_again_in_every_period() -> None:
    river = waters("river")
    assert river["site_id"].nunique() == 259
    visits = river.groupby("site_id")["period"].nunique()
    assert (visits == 3).sum() > 100
    assert river.groupby("site_id")["longitude"].nunique().max() == 1
