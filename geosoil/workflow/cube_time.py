"""The months of a study as axes of CF: times with bounds, or months of many years."""

from __future__ import annotations

import calendar
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

EPOCH = "days since 1970-01-01"
"""Unit of times in files."""


@dataclass(frozen=True, slots=True)
class PeriodTimes:
    """When the periods of a study were.

    Examples
    --------
    >>> PeriodTimes(("June",), ((2020, 2020),)).is_climatology
    False
    """

    periods: tuple[str, ...]
    """Names of months."""
    years: tuple[tuple[int, int], ...]
    """First and last year in which each was sampled."""

    @property
    def is_climatology(self) -> bool:
        """Whether a period was sampled in several years."""
        return any(first != last for first, last in self.years)


def period_times(samples: pd.DataFrame, periods: tuple[str, ...]) -> PeriodTimes | None:
    """Find in which years the periods of a study were sampled.

    Parameters
    ----------
    samples : DataFrame
        Samples with the columns water, period and, where they are dated, date.
    periods : tuple of str
        Names of calendar months.

    Returns
    -------
    times : PeriodTimes or None
        By time; None where a period is no month or none of its samples of soil water
        has a date.

    Examples
    --------
    >>> samples = pd.DataFrame({
    ...     "water": "soil", "period": ["August", "June"],
    ...     "date": pd.to_datetime(["2020-08-03", "2020-06-05"])})
    >>> period_times(samples, ("August", "June")).periods
    ('June', 'August')
    """
    if "date" not in samples or not set(periods) <= set(calendar.month_name[1:]):
        return None
    mixed = samples[samples["water"] == "soil"]
    years = pd.to_datetime(mixed["date"]).dt.year.groupby(mixed["period"])
    ends = years.agg(["min", "max"]).reindex(list(periods))
    if ends.isna().any(axis=None) or ends.empty:
        return None
    found = [
        (name, (int(low), int(high)))
        for name, low, high in zip(periods, ends["min"], ends["max"], strict=True)
    ]
    found.sort(key=lambda one: (one[1][0], month_number(one[0])))
    return PeriodTimes(*(tuple(part) for part in zip(*found, strict=True)))


def month_number(name: str) -> int:
    """Return the number of a month, 1 to 12.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    number : int
        Its place in the year.

    Examples
    --------
    >>> month_number("June")
    6
    """
    return list(calendar.month_name).index(name)


def time_axis(times: PeriodTimes) -> xr.Dataset:
    """Return the periods of a study as a time axis of CF.

    Parameters
    ----------
    times : PeriodTimes
        Periods and years.

    Returns
    -------
    axis : Dataset with dim time
        Coordinate ``time``, the middle of each month (of its first year), and the
        variable ``time_bnds`` of its first and last instant. Where a period was
        sampled in several years the bounds reach from the first to the last and are
        ``climatology_bnds``.

    Examples
    --------
    >>> axis = time_axis(PeriodTimes(("June",), ((2020, 2020),)))
    >>> str(axis["time"].to_numpy()[0])[:10], axis["time_bnds"].to_numpy()[0, 1]
    ('2020-06-16', np.datetime64('2020-07-01T00:00:00.000000000'))
    """
    months = [month_number(name) for name in times.periods]
    starts = [
        pd.Period(year=years[0], month=month, freq="M")
        for years, month in zip(times.years, months, strict=True)
    ]
    stops = [
        pd.Period(year=years[1], month=month, freq="M") + 1
        for years, month in zip(times.years, months, strict=True)
    ]
    low = np.array([start.to_timestamp() for start in starts], "datetime64[ns]")
    high = np.array([stop.to_timestamp() for stop in stops], "datetime64[ns]")
    first = np.array([(one + 1).to_timestamp() for one in starts], "datetime64[ns]")
    name = "climatology_bnds" if times.is_climatology else "time_bnds"
    kind = "climatology" if times.is_climatology else "bounds"
    said = {
        "standard_name": "time",
        "long_name": "month in which soil water was sampled",
        "axis": "T",
        kind: name,
    }
    said["units_metadata"] = "leap_seconds: none"
    axis = xr.Dataset(
        {name: (("time", "bnds"), np.column_stack([low, high]))},
        coords={
            "time": ("time", low + (first - low) // 2, said),
        },
    )
    for variable in ("time", name):
        axis[variable].encoding = {
            "units": EPOCH,
            "calendar": "proleptic_gregorian",
            "dtype": "float64",
        }
    return axis


def month_axis(months: tuple[str, ...]) -> xr.Dataset:
    """Return calendar months, of many years each, as an axis.

    Parameters
    ----------
    months : tuple of str
        Names of months.

    Returns
    -------
    axis : Dataset with dim month
        Coordinate ``month``: its number; the names stand in its words, as text on an
        axis of this kind confuses readers such as CDO.

    Examples
    --------
    >>> axis = month_axis(("June", "August"))
    >>> axis["month"].to_numpy().tolist(), axis["month"].attrs["long_name"]
    ([6, 8], 'calendar month: 6 June, 8 August')
    """
    numbers = np.array([month_number(name) for name in months], dtype=np.int32)
    named = ", ".join(f"{n} {name}" for n, name in zip(numbers, months, strict=True))
    said = {"long_name": f"calendar month: {named}", "units": "1"}
    return xr.Dataset(coords={"month": ("month", numbers, said)})
