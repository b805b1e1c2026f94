"""The field of a date: composites, their year's end, months, overlaps and gaps."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.time_match import time_matched


def series(times: list[str] | pd.DatetimeIndex) -> xr.DataArray:
    index = pd.DatetimeIndex(times)
    return xr.DataArray(np.arange(len(index)), dims="time", coords={"time": index})


TERRA = pd.DatetimeIndex(
    [
        pd.Timestamp(f"{year}-01-01") + pd.Timedelta(days=day)
        for year in (2019, 2020)
        for day in range(0, 366, 16)
        if day < 353
    ]
)


@given(st.dates(dt.date(2019, 1, 1), dt.date(2020, 12, 31)))
def test_each_day_of_a_modis_year_has_the_composite_that_counts_it(day) -> None:
    match = time_matched(series(TERRA), [day])
    year_day = day.timetuple().tm_yday
    expected = dt.date(day.year, 1, 1) + dt.timedelta(days=(year_day - 1) // 16 * 16)
    assert match.start.tolist() == [expected]
    assert TERRA[match.index[0]].date() == expected


def test_the_last_composite_of_aquas_year_ends_on_8_january() -> None:
    aqua = series(["2019-12-27", "2020-01-09"])
    match = time_matched(aqua, ["2019-12-31", "2020-01-08", "2020-01-09"])
    assert match.index.tolist() == [0, 0, 1]
    alone = time_matched(aqua.isel(time=[0]), ["2020-01-08", "2020-01-09"])
    assert alone.index.tolist() == [0, -1]


def test_where_platforms_overlap_the_nearest_middle_counts() -> None:
    both = series(["2020-06-17", "2020-06-09"])
    days = pd.date_range("2020-06-09", "2020-07-03")
    match = time_matched(both, days)
    middles = np.array(["2020-06-24T12", "2020-06-16T12"], "datetime64[h]")
    noon = days.to_numpy().astype("datetime64[h]") + 0
    for k, day in enumerate(noon):
        holds = [
            start <= day < start + np.timedelta64(16 * 24, "h")
            for start in both["time"].to_numpy().astype("datetime64[h]")
        ]
        off = np.where(holds, np.abs((middles - day).astype(int)), 10**6)
        if not any(holds):
            assert match.index[k] == -1
        elif off[0] != off[1]:
            assert match.index[k] == off.argmin()


def test_a_date_without_field_keeps_its_reason() -> None:
    stack = series(["2020-06-09", "2020-08-12"])
    dates = pd.Series(["2020-06-08", "2020-06-24T23:59", "2020-06-25", None, "unknown"])
    match = time_matched(stack, dates)
    assert match.index.tolist() == [-1, 0, -1, -1, -1]
    none = "no composite"
    assert match.reason.tolist() == [none, "", none, "no date", "no date"]
    assert np.isnat(match.start).tolist() == [True, False, True, True, True]


def test_dates_of_any_kind_are_the_same() -> None:
    stack = series(["2020-06-09"])
    for dates in (
        [dt.date(2020, 6, 10)],
        [pd.Timestamp("2020-06-10")],
        pd.DatetimeIndex(["2020-06-10"]),
        pd.Series([pd.Timestamp("2020-06-10 13:00", tz="UTC")]),
    ):
        assert time_matched(stack, dates).index.tolist() == [0]
    assert time_matched(stack, []).index.tolist() == []


def test_months_match_whatever_their_day() -> None:
    for times in (["2020-06-01", "2020-08-01"], ["2020-06-15", "2020-08-31"]):
        match = time_matched(
            series(times), ["2020-06-30", "2020-08-01", "2021-06-30"], span="month"
        )
        assert match.index.tolist() == [0, 1, -1]


def test_stated_last_days_are_part_of_their_field() -> None:
    stack = series(["2020-06-01", "2020-06-11"])
    ends = pd.DatetimeIndex(["2020-06-10", "2020-06-20"])
    match = time_matched(stack, ["2020-06-10", "2020-06-20", "2020-06-21"], span=ends)
    assert match.index.tolist() == [0, 1, -1]


def test_what_is_no_time_axis_is_refused() -> None:
    with pytest.raises(InputError, match="needs a dim 'time' of dates"):
        time_matched(xr.DataArray([1.0], dims="time"), ["2020-06-01"])
    with pytest.raises(InputError, match="days more than once: 2020-06-09"):
        time_matched(series(["2020-06-09", "2020-06-09T12"]), [])
    with pytest.raises(InputError, match="months more than once: 2020-06"):
        time_matched(series(["2020-06-01", "2020-06-15"]), [], span="month")
    for span in ("16", "0D", "-1D", "fortnight"):
        with pytest.raises(InputError, match=f"Invalid span '{span}'"):
            time_matched(series(["2020-06-09"]), [], span=span)
    with pytest.raises(InputError, match="a last day before its first"):
        time_matched(series(["2020-06-09"]), [], span=pd.DatetimeIndex(["2020-06-08"]))
