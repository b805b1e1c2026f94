"""Sums of water since midnight turned into the amount of each time step."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]

SINCE_MIDNIGHT = 1.6
"""Ways up and down over the amount at the end of the day; 1 for a rising sum."""
DAY = np.timedelta64(24, "h")


def is_sub_daily(times: DateArray) -> bool:
    """Tell whether there are at least three fields a day.

    Parameters
    ----------
    times : array of datetime64, shape (n,)
        Rising.

    Returns
    -------
    sub_daily : bool
        True for steps of eight hours or less.

    Examples
    --------
    >>> hours = np.arange("2020-06-01T00", "2020-06-02T00", dtype="datetime64[h]")
    >>> is_sub_daily(hours)
    True
    """
    if times.size < 2:
        return False
    return bool(np.median(np.diff(times)) <= DAY / 3)


def whole_days(times: DateArray, chosen: IntArray) -> IntArray:
    """Widen a choice of fields to whole days from 00 UTC.

    Parameters
    ----------
    times : array of datetime64, shape (n,)
        End of each step, rising.
    chosen : array of int
        Neighbouring positions.

    Returns
    -------
    widened : array of int
        All positions of the days of the chosen ones.

    Examples
    --------
    >>> times = np.arange("2020-06-01T06", "2020-06-02T13", 6, dtype="datetime64[h]")
    >>> whole_days(times, np.array([4]))
    array([4, 5])
    """
    day, _ = _days(times)
    within = (day >= day[chosen[0]]) & (day <= day[chosen[-1]])
    return np.flatnonzero(within)


def is_since_midnight(values: FloatArray, times: DateArray, *, where: str) -> bool:
    """Tell whether amounts are sums since 00 UTC (ERA5-Land) or of each step (ERA5).

    Parameters
    ----------
    values : array, shape (time, y, x)
        Amounts of water, of either sign.
    times : array of datetime64, shape (time,)
        End of each step, rising; 00 UTC ends the day before.
    where : str
        File and variable, for messages.

    Returns
    -------
    accumulated : bool
        True for sums since midnight.

    Raises
    ------
    FileFormatError
        If there is no whole day to tell by.

    Notes
    -----
    Over the whole days, a sum goes up once and ends at its top: the ways up and down
    through the day, from 0, are as long as the last value is large. Amounts of each
    step go up and down again, and those ways are at least twice the last value or so.
    Where nothing falls at all, both are the same.
    """
    day, within = _days(times)
    steps = np.unique(within)
    count = np.unique(day, return_counts=True)
    full = count[0][count[1] == round(DAY / np.median(np.diff(times)))]
    chosen = np.isin(day, full)
    if full.size == 0:
        message = (
            f"{where}: amounts several times a day, but no whole day from 00 UTC to "
            "tell whether they are sums since 00 UTC (ERA5-Land) or of each step "
            "(ERA5). Read at least one whole day."
        )
        raise FileFormatError(message)
    totals = [
        float(np.nansum(values[chosen & (within == step)])) for step in steps.tolist()
    ]
    ways = float(np.abs(np.diff([0.0, *totals])).sum())
    return ways < SINCE_MIDNIGHT * abs(totals[-1])


def amounts_of_steps(values: FloatArray, times: DateArray) -> list[str]:
    """Turn sums since 00 UTC into the amount of each step, in place.

    Parameters
    ----------
    values : array, shape (time, y, x)
        Sums since 00 UTC [m]; changed to amounts [m].
    times : array of datetime64, shape (time,)
        End of each step, rising.

    Returns
    -------
    changes : list of str
        Words for what was done.

    Notes
    -----
    The value at 00 UTC is the sum of the day before. The first field of a day is kept;
    each other one loses the field before it. The first field of all, when it is not
    the first of its day, cannot be told and becomes NaN.

    Examples
    --------
    >>> hours = np.arange("2020-06-01T01", "2020-06-01T05", dtype="datetime64[h]")
    >>> sums = np.array([1.0, 3.0, 3.0, 4.0]).reshape(4, 1, 1)
    >>> _ = amounts_of_steps(sums, hours)
    >>> sums.ravel().tolist()
    [1.0, 2.0, 0.0, 1.0]
    """
    day, within = _days(times)
    step = np.median(np.diff(times))
    changes = ["sums since 00 UTC turned into amounts of each time step"]
    for i in range(times.size - 1, 0, -1):
        if day[i] == day[i - 1]:
            values[i] -= values[i - 1]
    if within[0] > step:
        values[0] = np.nan
        changes.append("the first field, in the middle of a day, is missing")
    if np.ptp(np.diff(times).astype(np.int64)) > 0:
        changes.append("the time steps differ in length")
    return changes


def _days(times: DateArray) -> tuple[DateArray, npt.NDArray[np.timedelta64]]:
    """Day of each field, 00 UTC counted to the day before, and time since its start."""
    day = (times - np.timedelta64(1, "ns")).astype("datetime64[D]")
    return day, times - day.astype("datetime64[ns]")
