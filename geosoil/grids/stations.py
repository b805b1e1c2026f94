"""Daily values of stations to monthly means and sums, with their days counted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
import pandas as pd

from geosoil.errors import InputError

Sums = Literal["complete", "scaled"]

ACCEPTED = (0, 4, 9)
"""Quality codes used by default: right, custom, unchecked."""

PARTS = {
    "rain": "precipitation_rain",
    "snow": "precipitation_snow",
    "mixed": "precipitation_mixed",
    "dew_frost": "precipitation_dew_frost",
}
"""Parts of the monthly precipitation by the phase of its days."""

_NEEDED = ("station", "date", "variable", "value")
_PLACE = ("latitude", "longitude", "elevation", "elevation_estimated")
_SUMMED = ("precipitation", "pan_evaporation", "sunshine_duration")
_HIGHEST_MONTH = 28


def monthly_station_table(
    daily: pd.DataFrame,
    *,
    min_days: int = 25,
    sums: Sums = "complete",
    accepted: Collection[int] = ACCEPTED,
) -> pd.DataFrame:
    """Average or add up the days of each station, month and variable.

    Parameters
    ----------
    daily : DataFrame
        One row a station, day and variable: ``station, date, variable, value``, and
        where there are ``latitude, longitude, elevation, elevation_estimated, units,
        quality, phase`` (as ``read_cma`` gives).
    min_days : int
        Days with an accepted value that a mean needs, 1 to 28.
    sums : {"complete", "scaled"}
        Sums (precipitation, pan evaporation, sunshine) need every day of the month;
        or ``min_days`` of them, times days of the month / days with a value.
    accepted : collection of int
        Quality codes that are used; values of others count as missing.

    Returns
    -------
    monthly : DataFrame
        One row a station, month (its first day) and variable: the place on the last
        day of the month, ``value``, ``units``, ``statistic`` ("mean" or "sum"),
        ``n_days`` used, ``n_month`` days of the month, ``n_rejected`` values by their
        quality, ``reason`` ("" where there is a value). Precipitation with phases has
        its parts beside it: rain, snow, mixed, dew and frost, which make its sum.
        Wind directions have no mean and are left out.

    Raises
    ------
    InputError
        If columns are absent, an argument is out of range, or a day is given twice.

    Examples
    --------
    >>> june = pd.DataFrame({
    ...     "station": "56004", "date": pd.date_range("2020-06-01", "2020-06-30"),
    ...     "variable": "precipitation", "value": 2.0,
    ...     "phase": ["snow"] * 10 + ["rain"] * 20})
    >>> monthly = monthly_station_table(june).set_index("variable")
    >>> monthly.value[["precipitation", "precipitation_snow"]].tolist()
    [60.0, 20.0]
    >>> monthly_station_table(june[1:])["reason"].iloc[0]
    'a sum of 29 of 30 days'
    """
    _check(daily, min_days, sums)
    table = _usable(daily, accepted)
    parts = [table, *_parts(table)]
    groups = pd.concat(parts, ignore_index=True).groupby(
        ["station", "month", "variable"], sort=True, observed=True
    )
    monthly = groups.agg(
        **{name: (name, "last") for name in (*_PLACE, "units") if name in table},
        total=("value", "sum"),
        n_days=("value", "count"),
        n_rejected=("rejected", "sum"),
    ).reset_index()
    monthly["n_month"] = monthly["month"].dt.days_in_month
    return _answered(monthly, min_days, sums)


def _check(daily: pd.DataFrame, min_days: int, sums: str) -> None:
    faults = [f"no column '{name}'" for name in _NEEDED if name not in daily]
    if not 1 <= min_days <= _HIGHEST_MONTH:
        faults.append(f"min_days is {min_days}, it must be 1 to {_HIGHEST_MONTH}")
    if sums not in ("complete", "scaled"):
        faults.append(f"sums is '{sums}', it must be 'complete' or 'scaled'")
    if not faults:
        key = ["station", "date", "variable"]
        twice = daily.duplicated(key) & daily["date"].notna()
        if twice.any():
            first = daily.loc[twice, key].iloc[0].tolist()
            faults.append(
                f"{int(twice.sum())} days are given twice, the first is station "
                f"{first[0]}, {first[1]:%Y-%m-%d}, {first[2]}"
            )
    if faults:
        message = f"Cannot make a monthly table: {'; '.join(faults)}."
        raise InputError(message)


def _usable(daily: pd.DataFrame, accepted: Collection[int]) -> pd.DataFrame:
    """Return dated rows with their month; values of refused quality missing."""
    table = daily[daily["date"].notna()].copy()
    table["variable"] = table["variable"].astype(str)
    table = table[~table["variable"].str.startswith("wind_direction")]
    table = table.sort_values(["station", "date"], kind="stable")
    table["month"] = table["date"].dt.to_period("M").dt.to_timestamp()
    table["rejected"] = False
    if "quality" in table:
        refused = ~table["quality"].isin(list(accepted))
        table["rejected"] = refused & table["value"].notna()
        table.loc[refused, "value"] = np.nan
    return table


def _parts(table: pd.DataFrame) -> list[pd.DataFrame]:
    """Daily precipitation of each phase: 0 on the days of other phases."""
    if "phase" not in table:
        return []
    rain = table[table["variable"] == "precipitation"]
    phase = rain["phase"].astype(str)
    if not phase.isin(list(PARTS)).any():
        return []
    return [
        rain.assign(
            variable=name,
            value=rain["value"].where((phase == key) | rain["value"].isna(), 0.0),
        )
        for key, name in PARTS.items()
    ]


def _answered(monthly: pd.DataFrame, min_days: int, sums: str) -> pd.DataFrame:
    """Write means and sums, or why there is none."""
    summed = monthly["variable"].str.startswith(_SUMMED)
    days, whole = monthly["n_days"], monthly["n_month"]
    complete = summed & (sums == "complete")
    needed = whole.where(complete, min_days)
    enough = days >= needed
    mean = monthly["total"] / days.where(days > 0)
    scaled = mean * whole
    exact = days == whole
    value = mean.where(~summed, monthly["total"].where(exact, scaled))
    monthly["value"] = value.where(enough)
    monthly["statistic"] = np.where(summed, "sum", "mean")
    short = "a sum of " + days.astype(str) + " of " + whole.astype(str) + " days"
    few = days.astype(str) + f" days with a value, {min_days} are needed"
    monthly["reason"] = np.where(enough, "", np.where(complete, short, few))
    order = ["station", *_PLACE, "month", "variable", "value", "units"]
    order += ["statistic", "n_days", "n_month", "n_rejected", "reason"]
    return monthly[[name for name in order if name in monthly]]
