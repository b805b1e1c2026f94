"""How fast soil moisture falls with each day without rain."""

from __future__ import annotations

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
from geosoil.correlation.plain import ALL_MISSING, FEW, OK

FloatArray = npt.NDArray[np.float64]

_WIDTH = 5
"""Answers of a series: response, standard error, spells, days, reason."""


def dry_spell_response(
    soil_moisture: xr.DataArray,
    precipitation: xr.DataArray,
    *,
    dim: str = "time",
    ground_temperature: xr.DataArray | None = None,
    rules: ResponseRules = USUAL_RULES,
) -> xr.Dataset:
    """Find by how many per cent soil moisture falls with each dry day.

    Parameters
    ----------
    soil_moisture, precipitation, dim
        As in :func:`~geosoil.correlation.rain_events.rain_event_response`.
    ground_temperature : DataArray, optional
        Daily temperature of the ground [degC]; days not above 0, or unknown, are
        left out.
    rules : ResponseRules
        ``wet_day``, ``settle``, ``min_dry_days`` and ``min_events``, here of spells.

    Returns
    -------
    response : Dataset without ``dim``
        ``dry_response`` [% per day], negative where the soil dries, its
        ``dry_response_standard_error``, ``n_dry_spells``, ``n_dry_days`` and
        ``dry_reason``: 0 ok, 1 few spells, 4 all_missing (no day has both moisture
        and rain). What has a reason is NaN.

    Raises
    ------
    InputError
        If the series are not daily, their times differ or dims are missing.
    GridMismatchError
        If they lie on different grids.

    Notes
    -----
    A dry spell is a run of min_dry_days or more consecutive days with precipitation
    below wet_day; a day whose precipitation is missing ends it. From its day number
    ``settle`` on, when the rain before it has sunk in, its days with moisture above 0
    and thawed ground are used, if there are min_dry_days of them.
    With t the day and j the spell, ln theta = a_j + b t: each spell has its own
    start and all share the rate. Departures from the means of the spell give
    b = sum(dt dl) / sum(dt**2), with l = ln theta; the response is
    100 (exp(b) - 1). Days of a spell are not independent, so the variance of b is
    clustered by spell, G / (G - 1) sum_j (sum_t dt e)**2 / (sum dt**2)**2 with G
    spells and residuals e; the standard error of the response is
    100 exp(b) times its root. A spell of L days weighs as L**3.

    References
    ----------
    Liang and Zeger (1986), Longitudinal data analysis using generalized linear
    models, Biometrika 73, doi:10.1093/biomet/73.1.13.

    Examples
    --------
    >>> day = np.arange(30)
    >>> rain = xr.DataArray(np.where(day % 6 == 0, 9.0, 0.0), dims="time")
    >>> soil = xr.DataArray(0.3 * 0.97 ** (day % 6), dims="time")
    >>> found = dry_spell_response(soil, rain)
    >>> round(float(found.dry_response), 3), int(found.n_dry_spells)
    (-3.0, 5)
    """
    answers = answer_daily(
        _answer,
        [soil_moisture, precipitation, ground_temperature],
        dim=dim,
        width=_WIDTH,
        rules=rules,
    )
    return _labelled(answers, rules)


def _labelled(answers: xr.DataArray, rules: ResponseRules) -> xr.Dataset:
    """Name the answers and say what they are."""
    names = {
        "dry_response": ("% d-1", "change of soil moisture with each dry day"),
        "dry_response_standard_error": ("% d-1", "standard error, clustered by spell"),
        "n_dry_spells": ("1", "dry spells used"),
        "n_dry_days": ("1", "days of the dry spells used"),
    }
    result = xr.Dataset()
    for k, (name, (units, words)) in enumerate(names.items()):
        values = answers.isel(answer=k)
        result[name] = values.astype(np.int32) if units == "1" else values
        result[name].attrs = {"units": units, "long_name": words}
    result["dry_reason"] = answers.isel(answer=-1).astype(np.int8)
    describe_reason(result["dry_reason"], "day and soil moisture of dry spells")
    result.attrs = {"wet_day": rules.wet_day, "settle": rules.settle}
    result.attrs["min_dry_days"] = rules.min_dry_days
    return result


def _answer(
    moisture: FloatArray,
    rain: FloatArray,
    ground: FloatArray | None = None,
    *,
    rules: ResponseRules,
) -> FloatArray:
    """Answer one series: response, standard error, spells, days, reason."""
    usable = np.isfinite(moisture) & (moisture > 0)
    if ground is not None:
        usable &= ground > 0
    spell, day = _spell_days(rain < rules.wet_day, usable, rules)
    number = int(spell.max()) + 1 if spell.size else 0
    rate = error = np.nan
    reason = OK
    if not (np.isfinite(moisture) & np.isfinite(rain)).any():
        reason = ALL_MISSING
    elif number < rules.min_events:
        reason = FEW
    else:
        rate, error = _recession(spell, day, np.log(moisture[day]))
    return np.array(
        [100 * np.expm1(rate), 100 * np.exp(rate) * error, number, day.size, reason],
        dtype=np.float64,
    )


def _spell_days(
    dry: BoolArray, usable: BoolArray, rules: ResponseRules
) -> tuple[IndexArray, IndexArray]:
    """Return the spell, counted from 0, and the day of each day that is used."""
    first, last = runs_of(dry)
    run = np.full(dry.size, -1)
    days = np.flatnonzero(dry)
    run[days] = np.searchsorted(last, days)
    day = np.flatnonzero(dry & usable)
    day = day[day - first[run[day]] + 1 >= rules.settle]
    kept = np.bincount(run[day], minlength=first.size) >= rules.min_dry_days
    label = np.cumsum(kept) - 1
    day = day[kept[run[day]]]
    return label[run[day]], day


def _recession(
    spell: IndexArray, day: IndexArray, level: FloatArray
) -> tuple[float, float]:
    """Return the common slope over the spells and its error clustered by spell."""
    counts = np.bincount(spell)
    dt, dl = (
        values - (np.bincount(spell, weights=values) / counts)[spell]
        for values in (day.astype(np.float64), level)
    )
    spread = float(dt @ dt)
    slope = float(dt @ dl) / spread
    scores = np.bincount(spell, weights=dt * (dl - slope * dt))
    share = counts.size / (counts.size - 1)
    return slope, float(np.sqrt(share * (scores @ scores)) / spread)
