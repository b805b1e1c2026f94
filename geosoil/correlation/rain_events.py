"""How much soil moisture rises with the rain of an event."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.daily import (
    USUAL_RULES,
    BoolArray,
    IndexArray,
    ResponseRules,
    answer_daily,
    runs_of,
)
from geosoil.correlation.map_pair import describe_reason
from geosoil.correlation.plain import ALL_MISSING, CONSTANT_X, FEW, OK

FloatArray = npt.NDArray[np.float64]

LEFT_OUT = ("gap", "overlap", "frozen", "not_positive")
"""Why an event is left out, in the order in which the reasons are looked for."""

SAME = 1e-9
"""Share of the rain by which events may differ and have brought the same: the sum of
several days is rounded."""

_ANSWERS = {
    "rain_response": ("% mm-1", "rise of soil moisture with the rain of an event"),
    "rain_response_standard_error": ("% mm-1", "standard error of the rise"),
    "rain_response_intercept": ("%", "change of soil moisture of an event of 0 mm"),
    "rain_response_median": ("% mm-1", "median of change by rain of the events"),
}


@dataclass(frozen=True, slots=True)
class RainEvents:
    """The rain events of one series.

    Examples
    --------
    >>> rain = np.array([0.0, 5, 0, 0])
    >>> found = rain_events(np.array([0.2, 0.25, 0.24, 0.2]), rain, rain >= 0)
    >>> found.amount, found.response.round(1), found.left_out
    (array([5.]), array([20.]), array([''], dtype=object))
    """

    amount: FloatArray
    """Rain of each event [mm]."""
    response: FloatArray
    """Change of moisture by that of the day before [%]; NaN where left out."""
    left_out: npt.NDArray[np.object_]
    """"" or why the event is left out, one of :data:`LEFT_OUT`."""


def rain_event_response(
    soil_moisture: xr.DataArray,
    precipitation: xr.DataArray,
    *,
    dim: str = "time",
    ground_temperature: xr.DataArray | None = None,
    rules: ResponseRules = USUAL_RULES,
) -> xr.Dataset:
    """Find how much soil moisture rises with each millimetre of an event's rain.

    Parameters
    ----------
    soil_moisture : DataArray with the dims ``dim`` and any others
        Daily soil moisture in any unit that is 0 for dry soil; NaN missing.
    precipitation : DataArray with the dims ``dim`` and any of soil_moisture
        Daily precipitation [mm].
    dim : str
        Dimension of time. Days left out are gaps.
    ground_temperature : DataArray, optional
        Daily temperature of the ground [degC], with dims as precipitation may have.
        Events with a day not above 0, or unknown, are left out.
    rules : ResponseRules
        ``wet_day``, ``settle`` and ``min_events``.

    Returns
    -------
    response : Dataset without ``dim``
        ``rain_response`` [% per mm], its ``rain_response_standard_error``,
        ``rain_response_intercept`` [%], ``rain_response_median`` [% per mm],
        ``n_events``, ``n_events_left_out`` (dimension ``left_out``, each event
        counted under its first reason) and ``rain_reason``: 0 ok, 1 few,
        2 constant_x (all events brought the same rain), 4 all_missing (no day has
        both moisture and rain). What has a reason is NaN.

    Raises
    ------
    InputError
        If the series are not daily, their times differ or dims are missing.
    GridMismatchError
        If they lie on different grids.

    Notes
    -----
    Event k is a run of consecutive days s ... e with precipitation of wet_day or
    more; its rain is A = P_s + ... + P_e. Its response is the change of moisture
    from the day before it to ``settle`` days after its last wet day,
    R = 100 (theta[e + settle] / theta[s - 1] - 1). Through the n events goes the
    line of least squares R = a + b A; b is the rain response, with the standard
    error sqrt(sum of squared residuals / (n - 2) / sum (A - mean A)**2). The median
    of R / A is its robust twin; where a is not 0 the two differ by design.

    Left out: events whose moisture before or after, or the rain between their end and
    the reading or on the day before, is missing ("gap"); events with another event
    before the reading, or whose day before is no ``settle`` days after the last event
    ("overlap"); events on frozen ground ("frozen"); and those that start from no
    moisture ("not_positive").

    Examples
    --------
    >>> rain = xr.DataArray(np.tile([0.0, 2, 0, 0, 4, 0, 0, 8, 0], 2), dims="time")
    >>> before = xr.full_like(rain, 0.2)
    >>> soil = before * (1 + 0.005 * rain.shift(time=1, fill_value=0))
    >>> found = rain_event_response(soil, rain)
    >>> round(float(found.rain_response), 3), int(found.n_events)
    (0.5, 6)
    """
    answers = answer_daily(
        _answer,
        [soil_moisture, precipitation, ground_temperature],
        dim=dim,
        width=len(_ANSWERS) + 1 + len(LEFT_OUT) + 1,
        rules=rules,
    )
    return _labelled(answers, rules)


def _labelled(answers: xr.DataArray, rules: ResponseRules) -> xr.Dataset:
    """Name the answers and say what they are."""
    number = len(_ANSWERS)
    result = xr.Dataset(
        {name: answers.isel(answer=k) for k, name in enumerate(_ANSWERS)}
    )
    result["n_events"] = answers.isel(answer=number).astype(np.int32)
    lost = answers.isel(answer=slice(number + 1, -1)).rename(answer="left_out")
    lost = lost.assign_coords(left_out=list(LEFT_OUT)).astype(np.int32)
    result["n_events_left_out"] = lost
    result["rain_reason"] = answers.isel(answer=-1).astype(np.int8)
    for name, (units, words) in _ANSWERS.items():
        result[name].attrs = {"units": units, "long_name": words}
    result["n_events"].attrs = {"units": "1", "long_name": "rain events used"}
    words = "rain events left out, by their first reason"
    result["n_events_left_out"].attrs = {"units": "1", "long_name": words}
    describe_reason(result["rain_reason"], "rain and response of events")
    result.attrs = {"wet_day": rules.wet_day, "settle": rules.settle}
    return result


def _answer(
    moisture: FloatArray,
    rain: FloatArray,
    ground: FloatArray | None = None,
    *,
    rules: ResponseRules,
) -> FloatArray:
    """Answer one series: line, median, events used and left out, reason."""
    thawed = np.ones(rain.shape, dtype=bool) if ground is None else ground > 0
    found = rain_events(moisture, rain, thawed, rules=rules)
    used = found.left_out == ""
    amount, response = found.amount[used], found.response[used]
    reason = OK
    if not (np.isfinite(moisture) & np.isfinite(rain)).any():
        reason = ALL_MISSING
    elif amount.size < rules.min_events:
        reason = FEW
    elif np.ptp(amount) <= SAME * amount.max():
        reason = CONSTANT_X
    line = np.full(len(_ANSWERS), np.nan)
    if reason == OK:
        line[:] = *_line(amount, response), np.median(response / amount)
    lost = [np.count_nonzero(found.left_out == name) for name in LEFT_OUT]
    return np.array([*line, amount.size, *lost, reason], dtype=np.float64)


def _line(x: FloatArray, y: FloatArray) -> tuple[float, float, float]:
    """Return slope, its standard error and intercept of the least-squares line."""
    dx, dy = x - x.mean(), y - y.mean()
    spread = float(dx @ dx)
    slope = float(dx @ dy) / spread
    rest = dy - slope * dx
    error = np.sqrt(float(rest @ rest) / (x.size - 2) / spread)
    return slope, float(error), float(y.mean() - slope * x.mean())


def rain_events(
    moisture: FloatArray,
    rain: FloatArray,
    thawed: BoolArray,
    *,
    rules: ResponseRules = USUAL_RULES,
) -> RainEvents:
    """Find the rain events of one daily series.

    Parameters
    ----------
    moisture : array, shape (days,)
        Soil moisture; NaN missing.
    rain : array, shape (days,)
        Precipitation [mm]; NaN missing.
    thawed : array of bool, shape (days,)
        Whether the ground is known to be thawed.
    rules : ResponseRules
        ``wet_day`` and ``settle``.

    Returns
    -------
    events : RainEvents
        Rain, response and reason of every event, in order of time.

    Notes
    -----
    As in :func:`rain_event_response`.

    Examples
    --------
    >>> rain = np.array([0.0, 5, 2, 0, 0, 3])
    >>> soil = np.array([0.20, 0.25, 0.26, 0.25, 0.24, 0.25])
    >>> rain_events(soil, rain, rain >= 0).left_out.tolist()
    ['', 'gap']
    """
    first, last = runs_of(rain >= rules.wet_day)
    before, after = first - 1, last + rules.settle
    within = (before >= 0) & (after < rain.size)
    a, b = np.where(within, before, 0), np.where(within, after, 0)
    start, end = moisture[a], moisture[b]
    unknown = _counted(~np.isfinite(rain))
    gap = ~within | ~np.isfinite(start) | ~np.isfinite(end)
    # The rain of the event itself is known, or its days would not be wet.
    gap |= unknown[b + 1] > unknown[a]
    nearest = np.append(first[1:], rain.size + rules.settle)
    earlier = np.append(-rules.settle - 1, last[:-1])
    overlap = (nearest <= after) | (before - earlier < rules.settle)
    frozen = _counted(~thawed)
    conditions = [gap, overlap, frozen[b + 1] > frozen[a], ~(start > 0)]
    left_out = np.select(conditions, LEFT_OUT, "").astype(object)
    response = np.full(first.shape, np.nan)
    used = left_out == ""
    response[used] = 100 * (end[used] / start[used] - 1)
    return RainEvents(_sums(rain, first, last), response, left_out)


def _sums(values: FloatArray, first: IndexArray, last: IndexArray) -> FloatArray:
    """Return the sum of each run, in which all values are known."""
    if not first.size:
        return np.zeros(0)
    ends = np.column_stack([first, last + 1]).ravel()
    sums = np.add.reduceat(np.append(values, 0.0), ends)[::2]
    return np.asarray(sums, dtype=np.float64)


def _counted(days: BoolArray) -> IndexArray:
    """Return how many of the days lie before each day, and in all."""
    return np.concatenate([[0], np.cumsum(days, dtype=np.intp)])
