"""Series meet at the dates that they share, matched by their step."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import InputError
from geosoil.grids.common_times import common_times


def series(dates, name="a"):
    labels = pd.DatetimeIndex(dates)
    return xr.DataArray(
        np.arange(float(len(labels))), dims="time", coords={"time": labels}, name=name
    )


def test_months_meet_whatever_their_day():
    a = series(pd.date_range("2001-01-01", periods=24, freq="MS"))
    b = series(pd.date_range("2001-03-31", periods=24, freq="ME"), "b")
    common = common_times([a, b])
    first, second = common.series
    assert common.step == "month"
    assert first.sizes["time"] == 22
    np.testing.assert_array_equal(first["time"], second["time"])
    np.testing.assert_array_equal(second, np.arange(22.0))
    assert common.left_out == (("2001-01", "2001-02"), ("2003-01", "2003-02"))


def test_years_meet_whatever_their_month():
    a = series(["2001-01-01", "2002-01-01", "2003-01-01"])
    b = series(["2001-07-01", "2002-07-01", "2003-07-02"], "b")
    assert common_times([a, b]).step == "year"


def test_two_single_fields_of_other_months_do_not_meet():
    with pytest.raises(InputError, match=r"share no date: 'a' has 2020-06; 'b' has"):
        common_times([series(["2020-06-01"]), series(["2020-08-01"], "b")])


def test_days_and_hours_are_matched_as_they_are():
    days = pd.date_range("2001-06-01", periods=40)
    a, b = series(days + pd.Timedelta("6h")), series(days[3:], "b")
    assert common_times([a, b]).step == "day"
    assert common_times([a, b]).series[1].sizes["time"] == 37
    hours = pd.date_range("2001-06-01", periods=40, freq="6h")
    common = common_times([series(hours), series(hours[1:], "b")])
    assert common.step == "time"
    assert common.left_out[0] == ("2001-06-01T00:00:00",)


def test_a_monthly_and_a_daily_series_are_not_mixed():
    months = series(pd.date_range("2001-01-01", periods=12, freq="MS"))
    days = series(pd.date_range("2001-01-01", periods=300), "b")
    with pytest.raises(InputError, match="'a' holds at most one field a month"):
        common_times([months, days])


def test_what_cannot_be_matched_is_told_by_name():
    a = series(["2001-06-01", "2001-07-01", "2001-08-01"])
    with pytest.raises(InputError, match="no dates of the real calendar"):
        common_times([a, xr.DataArray([1.0], dims="time", name="b")])
    noleap = xr.date_range("2001-01-01", periods=3, freq="MS", calendar="noleap",
                           use_cftime=True)  # fmt: skip
    other = xr.DataArray(np.zeros(3), dims="time", coords={"time": noleap}, name="b")
    with pytest.raises(InputError, match="the calendar noleap"):
        common_times([a, other])
    twice = series(["2001-06-01"] * 2 + ["2001-06-03"], "b")
    with pytest.raises(InputError, match="'b' holds 2001-06-01"):
        common_times([series(pd.date_range("2001-06-01", periods=9)), twice])


@given(st.sets(st.integers(0, 60)), st.sets(st.integers(0, 60)))
def test_no_date_is_lost(first, second):
    start = np.datetime64("2001-01")
    a, b = (
        series(start + np.array(sorted(chosen | {61}), "m8[M]"), name)
        for chosen, name in ((first, "a"), (second, "b"))
    )
    common = common_times([a, b])
    for own, cut, left in zip((a, b), common.series, common.left_out, strict=True):
        assert cut.sizes["time"] + len(left) == own.sizes["time"]
