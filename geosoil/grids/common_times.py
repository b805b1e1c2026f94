"""The dates that several series share, matched by their step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import InputError

Step = Literal["year", "month", "day", "time"]

UNITS: dict[Step, str] = {"year": "Y", "month": "M", "day": "D", "time": "s"}
"""numpy's unit of each step, the longest first."""

DateArray = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True, eq=False)
class CommonTimes:
    """Series cut to the dates that they share.

    Examples
    --------
    >>> CommonTimes((), "month", ()).step
    'month'
    """

    series: tuple[xr.DataArray, ...]
    """The series, each with the same labels in ``time``: starts of years, months or
    days, or the times themselves."""
    step: Step
    """How dates were matched."""
    left_out: tuple[tuple[str, ...], ...]
    """For each series, the dates that some other one has not."""

    @property
    def labels(self) -> DateArray:
        """Dates that the series share, in units of the step, shape (n,)."""
        times = self.series[0]["time"].to_numpy()
        return np.asarray(times.astype(f"datetime64[{UNITS[self.step]}]"))


def common_times(series: Sequence[xr.DataArray]) -> CommonTimes:
    """Cut series to the dates that all of them have.

    Parameters
    ----------
    series : sequence of DataArray with dim time
        Series whose labels are dates, rising.

    Returns
    -------
    common : CommonTimes
        The series on one axis, and what was left out of each.

    Raises
    ------
    InputError
        If labels are no dates of the real calendar, a date comes twice, one series
        holds months or years and another several fields of them, or no date is shared;
        the message says which dates are missing on which side.

    Notes
    -----
    Series of one field a year, of three years or more, are matched by the year, and of
    one field a month by the month: a product stamped at mid-month meets one stamped at
    the first day. Others are matched by the day, or by the time where a day has
    several fields.

    Examples
    --------
    >>> days = ["2001-06-01", "2001-07-01"], ["2001-07-16", "2001-08-16"]
    >>> rain, soil = (
    ...     xr.DataArray([1.0, 2.0], dims="time",
    ...                  coords={"time": np.array(labels, dtype="datetime64[ns]")})
    ...     for labels in days
    ... )
    >>> common = common_times([rain, soil])
    >>> common.step, common.left_out
    ('month', (('2001-06',), ('2001-08',)))
    """
    axes = [_dates(one) for one in series]
    step = _step(axes, series)
    unit = UNITS[step]
    labels = [axis.astype(f"datetime64[{unit}]") for axis in axes]
    _check_unique(labels, series)
    shared = labels[0]
    for other in labels[1:]:
        shared = np.intersect1d(shared, other)
    left_out = tuple(
        tuple(str(label) for label in np.setdiff1d(own, shared)) for own in labels
    )
    if shared.size == 0:
        raise InputError(_no_meeting(series, labels))
    cut = tuple(
        one.isel(time=np.flatnonzero(np.isin(own, shared))).assign_coords(
            time=shared.astype("datetime64[ns]")
        )
        for one, own in zip(series, labels, strict=True)
    )
    return CommonTimes(cut, step, left_out)


def _dates(series: xr.DataArray) -> DateArray:
    """Return the dates of a series, or raise."""
    if "time" not in series.coords or series["time"].dtype.kind != "M":
        kind = "no labels"
        if "time" in series.coords:
            first = series["time"].to_numpy()[:1]
            calendar = getattr(first[0], "calendar", "") if first.size else ""
            kind = f"the calendar {calendar}" if calendar else f"labels {first}"
        message = (
            f"Series '{series.name}' has no dates of the real calendar along 'time' "
            f"but {kind}. Convert it, for instance with "
            ".convert_calendar('standard', use_cftime=False)."
        )
        raise InputError(message)
    return np.asarray(series["time"].to_numpy())


def _step(axes: list[DateArray], series: Sequence[xr.DataArray]) -> Step:
    """Return the longest step of which every series has one field."""
    single = {
        step: [_is_unique(axis.astype(f"datetime64[{unit}]")) for axis in axes]
        for step, unit in UNITS.items()
    }
    if all(single["year"]) and min(axis.size for axis in axes) > 2:
        return "year"
    if all(single["month"]):
        return "month"
    if any(single["month"]):
        fine = [one.name for one, alone in zip(series, single["month"], strict=True)
                if not alone]  # fmt: skip
        coarse = [one for one, alone in zip(series, single["month"], strict=True)
                  if alone and one.sizes["time"] > 2]  # fmt: skip
        if coarse:
            message = (
                f"'{coarse[0].name}' holds at most one field a month and {fine} "
                "several. Average the finer series to months first, for instance with "
                "monthly_composite."
            )
            raise InputError(message)
    return "day" if all(single["day"]) else "time"


def _is_unique(labels: DateArray) -> bool:
    """Return whether no label comes twice."""
    return np.unique(labels).size == labels.size


def _check_unique(labels: list[DateArray], series: Sequence[xr.DataArray]) -> None:
    """Raise where a date comes twice."""
    faults = []
    for one, own in zip(series, labels, strict=True):
        found, count = np.unique(own, return_counts=True)
        if (count > 1).any():
            faults.append(f"'{one.name}' holds {found[count > 1][0]} twice")
    if faults:
        message = f"Dates repeat: {'; '.join(faults)}. Leave out the fields that do."
        raise InputError(message)


def _no_meeting(series: Sequence[xr.DataArray], labels: list[DateArray]) -> str:
    """Say that axes do not meet, and what each of them has."""
    sides = [
        f"'{one.name}' has {_some(own)}"
        for one, own in zip(series, labels, strict=True)
    ]
    return (
        f"The series share no date: {'; '.join(sides)}. Give series that overlap in "
        "time, or a range that both cover."
    )


def _some(labels: DateArray) -> str:
    """Name the first dates, the last one and how many there are."""
    if labels.size <= 4:
        return ", ".join(map(str, labels)) or "none"
    first = ", ".join(map(str, labels[:3]))
    return f"{labels.size} dates, {first} ... {labels[-1]}"
