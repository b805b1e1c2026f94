"""Daily series of soil moisture and rain: rules, axis and runs of days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.series import (
    check_same_place,
    check_same_times,
    on_regular_axis,
    time_values,
)
from geosoil.errors import InputError

FEWEST = 3
"""A line through two points says nothing of its own error."""

BoolArray = npt.NDArray[np.bool_]
IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class ResponseRules:
    """What counts as rain, as a dry spell and as a year.

    Raises
    ------
    InputError
        If a rule cannot be; all faults at once.

    Examples
    --------
    >>> ResponseRules(wet_day=0.1).settle
    1
    """

    wet_day: float = 1.0
    """Precipitation from which a day is wet [mm]."""
    settle: int = 1
    """Days from the last wet day of an event to the day its response is read."""
    min_events: int = 5
    """Fewest events, and fewest dry spells, that give an answer; at least 3."""
    min_dry_days: int = 3
    """Fewest days of a dry spell, and fewest of its days that can be used; at
    least 2."""
    months: tuple[int, ...] = ()
    """Months whose mean stands for a year in the trend; none stands for all."""
    coverage: float = 0.8
    """Share of the days of a year, or of its months, below which it does not count."""
    min_years: int = 10
    """Fewest years that give a trend; at least 4."""

    def __post_init__(self) -> None:
        """Raise on rules that cannot be."""
        bounds = (
            ("wet_day", self.wet_day, "above 0 mm", self.wet_day > 0),
            ("settle", self.settle, "0 or more", self.settle >= 0),
            ("min_events", self.min_events, "3 or more", self.min_events >= FEWEST),
            ("min_dry_days", self.min_dry_days, "2 or more", self.min_dry_days >= 2),
            ("min_years", self.min_years, "4 or more", self.min_years >= 4),
            ("coverage", self.coverage, "above 0, at most 1", 0 < self.coverage <= 1),
            (
                "months",
                self.months,
                "of 1 to 12, each once",
                set(self.months) <= set(range(1, 13))
                and len(set(self.months)) == len(self.months),
            ),
        )
        faults = [
            f"{name} is {found}, it must be {rule}"
            for name, found, rule, holds in bounds
            if not holds
        ]
        if faults:
            message = f"Invalid rules of the response to rain: {'; '.join(faults)}."
            raise InputError(message)


USUAL_RULES = ResponseRules()
"""Rules unless others are given."""


def daily_series(
    moisture: xr.DataArray, others: dict[str, xr.DataArray], dim: str
) -> list[xr.DataArray]:
    """Put daily series on one axis without gaps, NaN where a day was left out.

    Parameters
    ----------
    moisture : DataArray with the dimension ``dim`` and any others
        Leading series.
    others : dict of str to DataArray
        Series by their role, with ``dim`` and any dims of the moisture.
    dim : str
        Dimension of time.

    Returns
    -------
    series : list of DataArray
        Moisture and the others without coordinates, one step a day, one chunk of
        time.

    Raises
    ------
    InputError
        If a series lacks the dimension or has one of its own, the times differ, or
        the steps are not days.
    GridMismatchError
        If the places differ.

    Examples
    --------
    >>> days = np.array(["2001-06-01", "2001-06-02", "2001-06-04"], "datetime64[ns]")
    >>> soil = xr.DataArray([0.2, 0.3, 0.1], dims="time", coords={"time": days})
    >>> daily_series(soil, {}, "time")[0].values
    array([0.2, 0.3, nan, 0.1])
    """
    series = {"soil moisture": moisture, **others}
    faults = [
        f"the {role} has dims {array.dims}, no '{dim}'"
        for role, array in series.items()
        if dim not in array.dims
    ]
    faults += [
        f"the {role} has dims {sorted(extra)} that the soil moisture has not"
        for role, array in others.items()
        if (extra := {str(d) for d in array.dims} - {str(d) for d in moisture.dims})
    ]
    if faults:
        message = f"Cannot follow the soil moisture by days: {'; '.join(faults)}."
        raise InputError(message)
    for array in others.values():
        check_same_times(moisture, array, dim)
        here = {d: 0 for d in moisture.dims if d not in array.dims}
        check_same_place(moisture.isel(here, drop=True), array, dim)
    places = _days(moisture, dim)
    placed = [on_regular_axis(array, dim, places) for array in series.values()]
    return [
        array if array.chunks is None else array.chunk({dim: -1}) for array in placed
    ]


def answer_daily(
    answer: Callable[..., npt.NDArray[np.float64]],
    series: Sequence[xr.DataArray | None],
    *,
    dim: str,
    width: int,
    rules: ResponseRules,
) -> xr.DataArray:
    """Answer each daily series of soil moisture by itself.

    Parameters
    ----------
    answer : callable
        Of arrays of one series each and ``rules``; gives an array of shape (width,).
    series : sequence of three DataArrays
        Soil moisture, precipitation, and ground temperature or None.
    dim : str
        Dimension of time.
    width : int
        Numbers of an answer.
    rules : ResponseRules
        Handed on.

    Returns
    -------
    answers : DataArray without ``dim``, with ``answer`` last
        Numbers with the other coordinates of the soil moisture.

    Raises
    ------
    InputError
        As :func:`daily_series` does.
    GridMismatchError
        If the places differ.

    Examples
    --------
    >>> def wettest(moisture, rain, *, rules):
    ...     return np.array([moisture.max(), rain.max()])
    >>> soil = xr.DataArray([0.2, 0.3], dims="time")
    >>> given = [soil, 10 * soil, None]
    >>> answer_daily(wettest, given, dim="time", width=2, rules=USUAL_RULES).values
    array([0.3, 3. ])
    """
    moisture, *others = series
    if moisture is None:
        message = "There is no soil moisture to follow. Give its daily series."
        raise InputError(message)
    roles = ("precipitation", "ground temperature")
    named = {
        role: array
        for role, array in zip(roles, others, strict=True)
        if array is not None
    }
    placed = daily_series(moisture, named, dim)
    answers: xr.DataArray = xr.apply_ufunc(
        answer,
        *placed,
        input_core_dims=[[dim]] * len(placed),
        output_core_dims=[["answer"]],
        kwargs={"rules": rules},
        vectorize=True,
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"answer": width}},
    )
    kept = {key: c for key, c in moisture.coords.items() if dim not in c.dims}
    return answers.assign_coords(kept)


def _days(series: xr.DataArray, dim: str) -> IndexArray:
    """Return each step's day, counted from the first; raise where steps are no days."""
    values = time_values(series, dim)
    days = np.rint(values).astype(np.intp)
    steps = np.diff(values)
    usual = float(np.sort(steps)[(steps.size - 1) // 2]) if steps.size else 1.0
    if (np.diff(days) < 1).any() or abs(usual - 1) > 0.01:
        message = (
            f"The soil moisture '{series.name}' is no daily series: its usual step is "
            f"{usual:g} days and its shortest {float(steps.min()):g}. Give one value a "
            "day in order of time; average hours to days before."
        )
        raise InputError(message)
    return days


def runs_of(days: BoolArray) -> tuple[IndexArray, IndexArray]:
    """Return the first and the last day of each run of days.

    Parameters
    ----------
    days : array of bool, shape (time,)
        Whether a day belongs to a run.

    Returns
    -------
    first, last : array of int, shape (runs,)
        Both inclusive, in rising order.

    Examples
    --------
    >>> runs_of(np.array([True, True, False, True]))
    (array([0, 3]), array([1, 3]))
    """
    edges = np.diff(np.concatenate([[False], days, [False]]).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
