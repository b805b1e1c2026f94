"""Dates of climate files: CF times, months since, written months and bare counts."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import FileFormatError, InputError

IntArray = npt.NDArray[np.int64]
DateArray = npt.NDArray[np.datetime64]
TimeRange = tuple[str | pd.Timestamp, str | pd.Timestamp]

_SINCE = re.compile(r"^\s*(\w+)\s+since\s+(-?\d+)-(\d+)")
_MONTHS = {"month": 1, "months": 1, "mon": 1, "mons": 1, "year": 12, "years": 12}


@dataclass(frozen=True, slots=True)
class Dates:
    """When each field of a file is, in rising order."""

    times: DateArray
    """Rising, shape (n,)."""
    order: IntArray
    """Place in the file of each of them."""
    days_in_month: npt.NDArray[np.float64]
    """Days of the month of each, by the calendar of the file."""
    changes: tuple[str, ...]
    """Words for each change."""

    @property
    def is_monthly(self) -> bool:
        """True where no two dates lie in the same month; one date is a month."""
        months = self.times.astype("datetime64[M]").astype(np.int64)
        return bool((np.diff(months) >= 1).all())

    def part(self, chosen: IntArray) -> Dates:
        """Return some of the dates.

        Parameters
        ----------
        chosen : array of int
            Positions in the rising order.

        Returns
        -------
        dates : Dates
            Those alone.
        """
        return Dates(
            self.times[chosen],
            self.order[chosen],
            self.days_in_month[chosen],
            self.changes,
        )


def read_dates(
    axis: xr.DataArray | None, size: int, *, assume_start: str | None, where: str
) -> Dates:
    """Read the dates of a file, not decoded before.

    Parameters
    ----------
    axis : DataArray or None
        The time coordinate as it stands in the file; None where there is none.
    size : int
        Length of the time dimension.
    assume_start : str or None
        First month, "2000-01", for a file that counts its months from 0 or 1.
    where : str
        File and variable, for messages.

    Returns
    -------
    dates : Dates
        In rising order.

    Raises
    ------
    FileFormatError
        If the file does not date its fields and no start is given, or its dates are
        not readable.
    InputError
        If a start is given and the file dates itself, or the start is no month.

    Examples
    --------
    >>> axis = xr.DataArray([1.0, 0.0], attrs={"units": "months since 1901-01-01"})
    >>> dates = read_dates(axis, 2, assume_start=None, where="pre.nc")
    >>> dates.times.astype("datetime64[D]").astype(str).tolist(), dates.order.tolist()
    (['1901-01-01', '1901-02-01'], [1, 0])
    """
    changes: list[str] = []
    values = np.arange(size) if axis is None else np.atleast_1d(axis.to_numpy())
    units = "" if axis is None else str(axis.attrs.get("units", ""))
    days: npt.NDArray[np.float64] | None = None
    if np.issubdtype(values.dtype, np.datetime64):
        times = values.astype("datetime64[ns]")
    elif " since " in units:
        times, days = _since(axis, values, units, where, changes)
    else:
        found = _written(values, changes)
        times = found if found is not None else _counted(values, assume_start, where)
        if found is None:
            changes.append(f"time counted in months from {assume_start}, as stated")
            assume_start = None
    if assume_start is not None:
        message = (
            f"{where} dates its fields itself ({pd.Timestamp(times.min()):%Y-%m-%d} "
            f"to {pd.Timestamp(times.max()):%Y-%m-%d}). Leave out assume_start."
        )
        raise InputError(message)
    if np.isnat(times).any():
        message = f"{where}: {int(np.isnat(times).sum())} of its dates are missing."
        raise FileFormatError(message)
    order = np.argsort(times, kind="stable").astype(np.int64)
    if (np.diff(order) != 1).any():
        changes.append("fields put in order of time")
    if days is None:
        days = pd.DatetimeIndex(times).days_in_month.to_numpy().astype(float)
    return Dates(times[order], order, days[order], tuple(changes))


def select_times(dates: Dates, time: TimeRange | None, *, where: str) -> IntArray:
    """Return the positions of the dates in a range.

    Parameters
    ----------
    dates : Dates
        Dates of the file.
    time : tuple = (first, last) or None
        Both included; "2020-08" means the whole month. None for all.
    where : str
        File and variable, for messages.

    Returns
    -------
    chosen : array of int
        Positions in the rising order.

    Raises
    ------
    InputError
        If the range is none, or holds no date of the file.
    """
    everything = np.arange(dates.times.size, dtype=np.int64)
    if time is None:
        return everything
    index = pd.Series(everything, index=pd.DatetimeIndex(dates.times))
    try:
        first, last = time
        chosen = index.loc[first:last]  # slices by date
    except (TypeError, ValueError, KeyError) as error:
        message = (
            f"Invalid time {time!r}. Give first and last date, for instance "
            "('2000-06', '2020-09')."
        )
        raise InputError(message) from error
    if chosen.empty:
        message = (
            f"{where} has no date from {first} to {last}; it has {dates.times.size}, "
            f"from {index.index[0]:%Y-%m-%d} to {index.index[-1]:%Y-%m-%d}."
        )
        raise InputError(message)
    return chosen.to_numpy(dtype=np.int64)


def _since(
    axis: xr.DataArray | None,
    values: npt.NDArray[np.generic],
    units: str,
    where: str,
    changes: list[str],
) -> tuple[DateArray, npt.NDArray[np.float64] | None]:
    """Decode "<unit> since <date>"; months and years are counted, not days."""
    match = _SINCE.match(units)
    if match and match[1].casefold() in _MONTHS:
        steps = np.asarray(values, dtype=float) * _MONTHS[match[1].casefold()]
        if not np.isfinite(steps).all():
            return np.full(steps.shape, "NaT", dtype="datetime64[ns]"), None
        if (steps != np.floor(steps)).any():
            changes.append("times within a month put at its first day")
        months = np.floor(steps).astype(np.int64)
        months += (int(match[2]) - 1970) * 12 + int(match[3]) - 1
        changes.append(f"time in {units} counted in calendar months")
        return months.astype("datetime64[M]").astype("datetime64[ns]"), None
    try:
        named = xr.Dataset({"when": ("when", values, dict(axis.attrs))})  # type: ignore[union-attr]  # units came from it
        decoded = xr.decode_cf(named)["when"]
    except (ValueError, OverflowError, TypeError) as error:
        message = f"{where}: its dates in '{units}' are not readable: {error}."
        raise FileFormatError(message) from error
    if np.issubdtype(decoded.dtype, np.datetime64):
        return decoded.to_numpy().astype("datetime64[ns]"), None
    return _other_calendar(decoded, where, changes)


def _other_calendar(
    decoded: xr.DataArray, where: str, changes: list[str]
) -> tuple[DateArray, npt.NDArray[np.float64]]:
    """Put dates of a model's calendar into the real one, monthly ones by month."""
    calendar = decoded.dt.calendar
    days = decoded.dt.days_in_month.to_numpy().astype(float)
    years, months = decoded.dt.year.to_numpy(), decoded.dt.month.to_numpy()
    stamps = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
    starts = stamps.astype("datetime64[ns]")
    if len(np.unique(stamps)) == len(stamps):
        changes.append(f"months of the calendar {calendar}, put at their first day")
        return starts, days
    hours = decoded.dt.hour.to_numpy() + (decoded.dt.day.to_numpy() - 1) * 24
    times = starts + hours.astype("timedelta64[h]")
    lost = times.astype("datetime64[M]") != stamps
    if lost.any():
        message = (
            f"{where} has {int(lost.sum())} days of the calendar {calendar} that do "
            "not exist, such as 30 February. Convert it first, for instance with "
            "xarray .convert_calendar, or take monthly data."
        )
        raise FileFormatError(message)
    changes.append(f"dates of the calendar {calendar} read as real ones")
    return times, days


def _written(values: npt.NDArray[np.generic], changes: list[str]) -> DateArray | None:
    """Read dates written as numbers (202006, 20200601) or as words."""
    if values.dtype.kind in "SUO":
        words = [
            v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()
        ]
        read = pd.to_datetime(pd.Series(words), errors="coerce", format="ISO8601")
        changes.append("dates read from words")
        return read.to_numpy().astype("datetime64[ns]")
    numbers = np.asarray(values, dtype=float)
    if not np.isfinite(numbers).all():
        return None
    whole = np.floor(numbers).astype(np.int64)
    for layout, low, high in (("%Y%m", 1e5, 1e6), ("%Y%m%d", 1e7, 1e8)):
        if ((whole >= low) & (whole < high)).all():
            text = pd.Series(whole.astype(str))
            read = pd.to_datetime(text, format=layout, errors="coerce")
            if read.notna().all():
                changes.append(f"dates read from numbers written as {layout}")
                return read.to_numpy().astype("datetime64[ns]")
    return None


def _counted(
    values: npt.NDArray[np.generic], assume_start: str | None, where: str
) -> DateArray:
    """Count months from a stated start; raise where the file has gaps or no start."""
    numbers = np.asarray(values, dtype=float)
    shown = f"{numbers[0]:g} to {numbers[-1]:g}" if numbers.size > 1 else "one field"
    if assume_start is None:
        message = (
            f"{where} does not date its fields: its time is a bare count ({shown}). "
            "State the first month, for instance assume_start='1979-01'."
        )
        raise FileFormatError(message)
    try:
        first = pd.Period(assume_start, freq="M")
    except ValueError as error:
        message = f"Invalid assume_start '{assume_start}'. Give a month, '1979-01'."
        raise InputError(message) from error
    if (np.diff(numbers) != 1).any():
        message = (
            f"{where}: its time, a bare count ({shown}), does not rise by 1: the "
            "months cannot be told. Give the file a time axis."
        )
        raise FileFormatError(message)
    months = np.arange(numbers.size, dtype=np.int64)
    months += (first.year - 1970) * 12 + first.month - 1
    return months.astype("datetime64[M]").astype("datetime64[ns]")
