"""Monthly means and sums of stations, their days counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.stations import PARTS, monthly_station_table


def daily(
    values: np.ndarray, variable: str = "air_temperature", **columns: object
) -> pd.DataFrame:
    dates = pd.date_range("2020-06-01", periods=len(values))
    return pd.DataFrame(
        {"station": "56004", "date": dates, "variable": variable, "value": values}
    ).assign(**columns)


def test_means_and_sums_are_those_of_a_plain_groupby() -> None:
    rng = np.random.default_rng(1)
    table = pd.concat(
        [
            daily(rng.normal(5, 3, 61)),
            daily(rng.gamma(1, 2, 61), "precipitation"),
            daily(rng.gamma(1, 2, 61), "pan_evaporation_small", station="56018"),
        ],
        ignore_index=True,
    ).sample(frac=1, random_state=1)
    monthly = monthly_station_table(table)
    assert len(monthly) == 6
    for row in monthly.itertuples():
        part = table[
            (table["station"] == row.station)
            & (table["variable"] == row.variable)
            & (table["date"].dt.month == row.month.month)
        ]["value"]
        summed = row.variable != "air_temperature"
        assert row.statistic == ("sum" if summed else "mean")
        expected = part.sum() if summed else part.mean()
        assert row.value == pytest.approx(expected, rel=1e-12)
        assert row.n_days == row.n_month == len(part)
        assert row.reason == ""


@pytest.mark.parametrize(("days", "reason"), [(25, ""), (24, "24 days with a value")])
def test_a_mean_needs_its_days(days: int, reason: str) -> None:
    row = monthly_station_table(daily(np.ones(days))).iloc[0]
    assert row["reason"].startswith(reason)
    assert np.isnan(row["value"]) == bool(reason)
    assert row["n_days"] == days


def test_a_sum_needs_every_day_unless_scaled() -> None:
    values = np.full(30, 2.0)
    values[3] = np.nan
    table = daily(values, "precipitation")
    complete = monthly_station_table(table).iloc[0]
    assert np.isnan(complete["value"])
    assert complete["reason"] == "a sum of 29 of 30 days"
    scaled = monthly_station_table(table, sums="scaled").iloc[0]
    assert scaled["value"] == pytest.approx(60.0)
    assert (scaled["n_days"], scaled["n_month"], scaled["reason"]) == (29, 30, "")


def test_values_of_refused_quality_are_missing_and_counted() -> None:
    values = np.ones(30)
    values[:3] = 100.0
    quality = np.zeros(30, dtype=int)
    quality[:3] = [1, 2, 2]
    quality[3:5] = 9
    row = monthly_station_table(daily(values, quality=quality)).iloc[0]
    assert (row["value"], row["n_days"], row["n_rejected"]) == (1.0, 27, 3)
    all_used = monthly_station_table(
        daily(values, quality=quality), accepted=(0, 1, 2, 9)
    )
    assert all_used["value"].iloc[0] == pytest.approx(327 / 30)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 50), st.sampled_from(["rain", "snow", "mixed", "dew_frost"])
        ),
        min_size=30,
        max_size=30,
    )
)
def test_the_phases_make_the_precipitation(days: list[tuple[float, str]]) -> None:
    table = daily(
        np.array([value for value, _ in days]),
        "precipitation",
        phase=[phase for _, phase in days],
    )
    monthly = monthly_station_table(table).set_index("variable")["value"]
    parts = monthly[list(PARTS.values())]
    assert parts.sum() == pytest.approx(monthly["precipitation"], abs=1e-9)
    snow = sum(value for value, phase in days if phase == "snow")
    assert monthly["precipitation_snow"] == pytest.approx(snow, abs=1e-9)


def test_the_parts_are_missing_where_the_sum_is() -> None:
    values = np.full(30, 2.0)
    values[3] = np.nan
    phases = ["snow"] * 3 + [""] + ["rain"] * 26
    monthly = monthly_station_table(daily(values, "precipitation", phase=phases))
    assert len(monthly) == 5
    assert monthly["value"].isna().all()


def test_the_place_is_that_of_the_last_day() -> None:
    table = daily(np.ones(30), latitude=34.0, longitude=92.0, elevation=4500.0)
    table.loc[20:, "elevation"] = 4510.0
    row = monthly_station_table(table).iloc[0]
    assert (row["elevation"], row["latitude"]) == (4510.0, 34.0)


def test_directions_have_no_mean_and_undated_rows_no_month() -> None:
    table = pd.concat(
        [daily(np.ones(30)), daily(np.ones(30), "wind_direction_max")],
        ignore_index=True,
    )
    table.loc[0, "date"] = pd.NaT
    monthly = monthly_station_table(table)
    assert monthly["variable"].tolist() == ["air_temperature"]
    assert monthly["n_days"].tolist() == [29]


def test_every_fault_of_a_call_is_told_at_once() -> None:
    table = daily(np.ones(3)).drop(columns="station")
    with pytest.raises(InputError, match=r"'station'.*min_days is 0.*sums is 'all'"):
        monthly_station_table(table, min_days=0, sums="all")  # type: ignore[arg-type]


def test_a_day_given_twice_is_refused() -> None:
    table = pd.concat([daily(np.ones(3)), daily(np.ones(1))], ignore_index=True)
    with pytest.raises(InputError, match=r"1 days are given twice.*56004, 2020-06-01"):
        monthly_station_table(table)
