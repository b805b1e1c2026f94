"""Which field of a time series belongs to the date of a sample."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import IntArray

Span = str | pd.DatetimeIndex
DAY = np.timedelta64(1, "D")
YEARLY = (8, 16)
"""Lengths of MODIS composites [days], which begin anew each year."""


@dataclass(frozen=True, slots=True)
class TimeMatch:
    """The field of a time series that belongs to each of n dates.

    Examples
    --------
    >>> times = pd.DatetimeIndex(["2020-06-09", "2020-06-25"])
    >>> stack = xr.DataArray([0.3, 0.5], dims="time", coords={"time": times})
    >>> match = time_matched(stack, ["2020-06-24", "2020-08-01"])
    >>> match.index.tolist(), match.reason.tolist()
    ([0, -1], ['', 'no composite'])
    """

    index: IntArray
    """Position of the field on the time axis, shape (n,); -1 for none."""
    start: npt.NDArray[np.datetime64]
    """First day of that field, shape (n,); NaT for none."""
    reason: npt.NDArray[np.object_]
    """"" where fine, "no date", or "no composite" whose days hold the date."""


def time_matched(
    raster: xr.DataArray | xr.Dataset,
    dates: pd.Series | pd.DatetimeIndex | Sequence[object],
    *,
    span: Span = "16D",
) -> TimeMatch:
    """Find for each date the field whose days contain it.

    Parameters
    ----------
    raster : DataArray or Dataset with dim time
        Fields; ``time`` is the first day of each, or any day of the month for
        ``span="month"``.
    dates : Series, DatetimeIndex or sequence, length n
        Dates of the samples; NaT, None and what is no date have no field.
    span : str or DatetimeIndex
        Days of a field: "16D" or another number of days, "month" for calendar months,
        or the last day of each field.

    Returns
    -------
    match : TimeMatch
        Field of each date.

    Raises
    ------
    InputError
        If there is no time axis of dates, times repeat, or the span is invalid or ends
        before its field begins.

    Notes
    -----
    MODIS counts composites of 8 and 16 days anew each year: the last one of a year ends
    where the first one of the next begins. Where fields overlap, as those of Terra and
    Aqua do, the one whose middle is nearest to the date counts, of two alike the
    earlier. The hour of a date does not matter.

    Examples
    --------
    >>> times = pd.DatetimeIndex(["2020-06-01", "2020-08-01"])
    >>> rain = xr.DataArray([80.0, 95.0], dims="time", coords={"time": times})
    >>> time_matched(rain, ["2020-06-24", None], span="month").reason.tolist()
    ['', 'no date']
    """
    starts = _starts(raster)
    wanted = _days(dates)
    if isinstance(span, str) and span == "month":
        firsts = starts.astype("datetime64[M]")
        _check_unique(firsts, "months")
        begins = firsts.astype("datetime64[D]")
        stops = (firsts + 1).astype("datetime64[D]")
    else:
        begins, stops = starts, _stops(starts, span)
    index = _nearest_middle(begins, stops, wanted)
    start = np.where(index >= 0, starts[index], np.datetime64("NaT"))
    reason = np.where(np.isnat(wanted), "no date", "no composite")
    reason = np.where(index >= 0, "", reason)
    return TimeMatch(index, start.astype("datetime64[D]"), reason.astype(object))


def _days(
    dates: pd.Series | pd.DatetimeIndex | Sequence[object],
) -> npt.NDArray[np.datetime64]:
    """Return dates as days, NaT where there is none."""
    series = pd.Series(list(dates), dtype=object)
    known = pd.to_datetime(series, errors="coerce", format="ISO8601", utc=True)
    local = known.dt.tz_localize(None)
    days: npt.NDArray[np.datetime64] = local.to_numpy(dtype="datetime64[ns]")
    return days.astype("datetime64[D]")


def _starts(raster: xr.DataArray | xr.Dataset) -> npt.NDArray[np.datetime64]:
    """Return the days of a time axis, in its own order."""
    is_dated = "time" in raster.dims and raster["time"].dtype.kind == "M"
    if not is_dated or raster.sizes["time"] == 0:
        name = getattr(raster, "name", None) or "raster"
        message = f"'{name}' needs a dim 'time' of dates (first days) to match dates."
        raise InputError(message)
    starts: npt.NDArray[np.datetime64] = raster["time"].to_numpy()
    starts = starts.astype("datetime64[D]")
    _check_unique(starts, "days")
    return starts


def _check_unique(times: npt.NDArray[np.datetime64], what: str) -> None:
    """Raise where two fields begin alike."""
    values, counts = np.unique(times, return_counts=True)
    if (counts > 1).any():
        twice = ", ".join(str(value) for value in values[counts > 1][:5])
        message = (
            f"The time axis has {what} more than once: {twice}. Keep one field of each."
        )
        raise InputError(message)


def _stops(
    starts: npt.NDArray[np.datetime64], span: Span
) -> npt.NDArray[np.datetime64]:
    """Return the day after each field."""
    if isinstance(span, pd.DatetimeIndex):
        ends: npt.NDArray[np.datetime64] = span.to_numpy().astype("datetime64[D]")
        if len(ends) != len(starts) or not (ends >= starts).all():
            message = (
                f"{len(ends)} last days for {len(starts)} fields, or a last day before "
                "its first. Give one for each field, in the order of its time axis."
            )
            raise InputError(message)
        return ends + DAY
    found = re.fullmatch(r"([1-9]\d*)D", span)
    if found is None:
        message = (
            f"Invalid span '{span}'. Give a number of days such as '16D', 'month', or "
            "the last day of each field."
        )
        raise InputError(message)
    length = int(found[1])
    stops = starts + length * DAY
    if length not in YEARLY:
        return stops
    new_year = starts.astype("datetime64[Y]")
    phase = (starts - new_year.astype("datetime64[D]")) % (length * DAY)
    restarts = (new_year + 1).astype("datetime64[D]") + phase
    cut: npt.NDArray[np.datetime64] = np.minimum(stops, restarts)
    return cut


def _nearest_middle(
    begins: npt.NDArray[np.datetime64],
    stops: npt.NDArray[np.datetime64],
    wanted: npt.NDArray[np.datetime64],
) -> IntArray:
    """Return for each date the containing field with the nearest middle, -1 if none."""
    unique, back = np.unique(wanted, return_inverse=True)
    order = np.argsort(begins, kind="stable")
    low, high = _whole_days(begins[order, None]), _whole_days(stops[order, None])
    day = _whole_days(unique)
    holds = (low <= day) & (day < high) & ~np.isnat(unique)
    # twice the distance between the middles of the field and of the day
    off = np.abs(low + high - 2 * day - 1)
    off = np.where(holds, off, np.iinfo(np.int64).max)
    best = np.where(holds.any(axis=0), order[off.argmin(axis=0)], -1)
    return best[back.reshape(-1)].astype(np.int64)


def _whole_days(days: npt.NDArray[np.datetime64]) -> IntArray:
    """Return days as integers; NaT as 0."""
    return np.where(np.isnat(days), np.datetime64(0, "D"), days).astype(np.int64)
