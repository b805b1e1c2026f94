"""Months become times of CF, with the years that the samples tell."""

from __future__ import annotations

import calendar

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.workflow.cube_time import (
    PeriodTimes,
    month_axis,
    month_number,
    period_times,
    time_axis,
)

MONTHS = calendar.month_name[1:]


@given(
    month=st.sampled_from(MONTHS),
    year=st.integers(1900, 2100),
    more=st.integers(0, 5),
)
def test_bounds_are_the_months_ends_and_the_time_lies_between(
    month, year, more
) -> None:
    axis = time_axis(PeriodTimes((month,), ((year, year + more),)))
    name = "climatology_bnds" if more else "time_bnds"
    low, high = axis[name].to_numpy()[0]
    number = MONTHS.index(month) + 1
    assert pd.Timestamp(low) == pd.Timestamp(year, number, 1)
    last = calendar.monthrange(year + more, number)[1]
    end = pd.Timestamp(year + more, number, last) + pd.Timedelta(days=1)
    assert pd.Timestamp(high) == end
    middle = pd.Timestamp(axis["time"].to_numpy()[0])
    assert (middle.year, middle.month) == (year, number)
    assert abs(middle.day - 15) <= 1


def test_years_are_those_of_soil_water() -> None:
    samples = pd.DataFrame(
        {
            "water": ["soil", "soil", "precipitation"],
            "period": ["June", "January", "June"],
            "date": pd.to_datetime(["2020-06-03", "2021-01-05", "2015-06-01"]),
        }
    )
    times = period_times(samples, ("January", "June"))
    assert times == PeriodTimes(("June", "January"), ((2020, 2020), (2021, 2021)))
    assert period_times(samples, ("June", "August")) is None
    assert period_times(samples, ("wet season",)) is None
    assert period_times(samples.drop(columns="date"), ("June",)) is None
    undated = samples.assign(date=pd.NaT)
    assert period_times(undated, ("June",)) is None


@pytest.mark.parametrize("name", MONTHS)
def test_months_are_numbered_as_in_the_calendar(name: str) -> None:
    assert calendar.month_name[month_number(name)] == name
    axis = month_axis((name,))
    np.testing.assert_array_equal(axis["month"], [month_number(name)])
    assert axis["month"].attrs["long_name"].endswith(f" {name}")
