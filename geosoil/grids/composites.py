"""Composites of several days to calendar months, weighted by days of overlap."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError


def month_weights(starts: pd.DatetimeIndex, *, length: int = 16) -> pd.DataFrame:
    """Return the share of each month's days that each composite covers.

    Parameters
    ----------
    starts : DatetimeIndex, length n
        First day of each composite, rising.
    length : int
        Days that a composite lasts.

    Returns
    -------
    weights : DataFrame, months x n
        Overlap in days / days of the month; rows are first days of months.

    Notes
    -----
    MODIS counts its composites anew each year. The last one of a year ends the day
    before the first one of the next year begins: on 31 December for those that start
    on day 1, 17, ... 353 (Terra), on 8 January for 9, 25, ... 361 (Aqua).

    Examples
    --------
    >>> starts = pd.DatetimeIndex(["2020-05-24", "2020-06-09", "2020-06-25"])
    >>> (month_weights(starts).loc["2020-06-01"] * 30).round().tolist()
    [8.0, 16.0, 6.0]
    """
    stops = _stops(starts, length)
    first, last = starts[0].to_period("M"), (stops[-1] - pd.Timedelta(days=1))
    months = pd.period_range(first, last.to_period("M"), freq="M")
    month_starts = months.to_timestamp()
    month_stops = (months + 1).to_timestamp()
    days = np.array([month.days_in_month for month in months], dtype=float)
    overlap = np.minimum.outer(month_stops.to_numpy(), stops.to_numpy())
    overlap = overlap - np.maximum.outer(month_starts.to_numpy(), starts.to_numpy())
    covered = np.maximum(overlap / np.timedelta64(1, "D"), 0.0)
    return pd.DataFrame(covered / days[:, None], index=month_starts, columns=starts)


def _stops(starts: pd.DatetimeIndex, length: int) -> pd.DatetimeIndex:
    """Return the day after each composite; a year's last one is cut short."""
    phase = (starts.day_of_year - 1) % length
    next_years = pd.to_datetime((starts.year + 1).astype(str) + "-01-01")
    restarts = next_years + pd.to_timedelta(phase, unit="D")
    planned = starts + pd.Timedelta(days=length)
    return pd.DatetimeIndex(np.minimum(planned.to_numpy(), restarts.to_numpy()))


_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class _Rule:
    """How composites of several days become calendar months."""

    length: int = 16
    """Days that a composite lasts: 16 for MOD13, 8 for MOD11A2 or MOD16A2."""
    min_coverage: float = 0.5
    """Share of a month's days, 0 to 1, that valid composites must cover."""
    months: tuple[str, ...] | None = None
    """Months that must come out, as "2020-06"; all that are covered by default."""

    def __post_init__(self) -> None:
        if not (self.length > 0 and 0 <= self.min_coverage <= 1):
            message = (
                f"Invalid length {self.length} or min_coverage {self.min_coverage}. "
                "Give a length in days above 0 and a share of the month between 0 "
                "and 1."
            )
            raise InputError(message)


def monthly_composite(
    da: xr.DataArray,
    *,
    length: int = 16,
    min_coverage: float = 0.5,
    months: Sequence[str] | None = None,
    day_of_year: xr.DataArray | None = None,
) -> xr.Dataset:
    """Average composites of several days over calendar months.

    Parameters
    ----------
    da : DataArray with dims (time, y, x)
        Composites; ``time`` is the first day of each; NaN missing. Where Terra and
        Aqua are mixed, the coordinate ``platform`` along time says which is which, as
        :func:`geosoil.io.modis.open_modis` writes it.
    length : int
        Days that a composite lasts: 16 for MOD13, 8 for MOD11A2 or MOD16A2.
    min_coverage : float
        Share of a month's days, 0 to 1, that valid composites must cover.
    months : sequence of str, optional
        Months that must come out, as "2020-06"; all that are covered by default.
    day_of_year : DataArray with dims (time, y, x), optional
        Day of the year on which each cell was observed (the layer "composite day of
        the year" of tiles). Each observation then counts in the month of its own day,
        with the same weight.

    Returns
    -------
    monthly : Dataset with dims (time, y, x)
        The mean, named as the input ("composite" if it has no name), NaN where the
        coverage is below the minimum, and ``coverage`` [1]. ``time`` is the first day
        of the month; months that the composites cannot cover enough are left out.

    Raises
    ------
    InputError
        If there is no time axis of dates, dates repeat or overlap, no month is
        covered enough, or a month that was asked for has no composites.

    Notes
    -----
    With w the share of the month's days that a composite covers and v = 1 where it is
    valid: mean = sum(w v value) / sum(w v). The coverage is the share of the month's
    days that at least one valid composite covers: sum(w v) for one satellite. By the
    day of the year the mean is sum(v value) / sum(v) over the observations of the
    month, and the coverage counts the days that each composite lasts, at most 1.

    Examples
    --------
    >>> starts = pd.DatetimeIndex(["2020-05-24", "2020-06-09", "2020-06-25"])
    >>> ndvi = xr.DataArray([[[0.3]], [[0.6]], [[0.9]]], dims=("time", "y", "x"),
    ...                     coords={"time": starts}, name="ndvi")
    >>> june = monthly_composite(ndvi).sel(time="2020-06").squeeze()
    >>> round(float(june.ndvi), 2), float(june.coverage)
    (0.58, 1.0)
    """
    rule = _Rule(length, min_coverage, None if months is None else tuple(months))
    da, order = _sorted_by_time(da, length)
    starts = pd.DatetimeIndex(da["time"].to_numpy())
    weights = month_weights(starts, length=length)
    if day_of_year is None:
        mean, coverage = _by_overlap(da, _asked(weights, rule), length)
    else:
        days = _checked_days(day_of_year, da, order)
        mean, coverage = _by_observation(da, days, _asked(weights, rule), length)
    return _monthly(da, mean, coverage, min_coverage)


def _asked(weights: pd.DataFrame, rule: _Rule) -> pd.DataFrame:
    """Return the weights of the months that come out; raise where there are none."""
    starts = pd.DatetimeIndex(weights.columns)
    shares = _days_covered(starts, weights.index, rule.length)
    enough = shares >= max(rule.min_coverage, 1e-9)
    told = (
        f"the {len(starts)} composites from {starts[0]:%Y-%m-%d} to "
        f"{starts[-1]:%Y-%m-%d}"
    )
    advice = "Add the neighbouring composites or lower min_coverage."
    if rule.months is not None:
        if not all(_MONTH.fullmatch(str(month)) for month in rule.months):
            message = f"Invalid months {list(rule.months)}. Give them as '2020-06'."
            raise InputError(message)
        wanted = pd.PeriodIndex(list(rule.months), freq="M").to_timestamp()
        lacking = [
            f"{month:%Y-%m} ({shares.get(month, 0.0):.0%})"
            for month in wanted
            if not enough.get(month, False)
        ]
        if lacking:
            message = (
                f"Months without enough composites: {', '.join(lacking)} of their days "
                f"covered, {rule.min_coverage:.0%} needed, by {told}. {advice}"
            )
            raise InputError(message)
        return weights.loc[wanted]
    if not enough.any():
        message = f"No month is covered to {rule.min_coverage:.0%} by {told}. {advice}"
        raise InputError(message)
    return weights[enough]


def _days_covered(starts: pd.DatetimeIndex, months: pd.Index, length: int) -> pd.Series:
    """Return the share of the days of each month that any composite covers."""
    stops = _stops(starts, length)
    covered = {
        day
        for start, stop in zip(starts, stops, strict=True)
        for day in pd.date_range(start.normalize(), stop, inclusive="left")
    }
    counts = pd.DatetimeIndex(sorted(covered)).to_period("M").value_counts()
    index = pd.DatetimeIndex(months)
    found = counts.reindex(index.to_period("M"), fill_value=0).to_numpy()
    return pd.Series(found / index.days_in_month.to_numpy(), index=index)


def _platforms(da: xr.DataArray) -> npt.NDArray[np.str_]:
    """Return the satellite of each date, "" where it is not told."""
    if "platform" in da.coords and da["platform"].dims == ("time",):
        return da["platform"].to_numpy().astype(str)
    return np.full(da.sizes["time"], "", dtype=str)


def _sorted_by_time(
    da: xr.DataArray, length: int
) -> tuple[xr.DataArray, npt.NDArray[np.intp]]:
    """Return the composites in order of time; raise where their days overlap."""
    is_dated = "time" in da.dims and np.issubdtype(da["time"].dtype, np.datetime64)
    if not is_dated:
        message = f"Composites '{da.name}' need a dim 'time' of dates (first days)."
        raise InputError(message)
    order = np.argsort(da["time"].to_numpy(), kind="stable")
    da = da.isel(time=order)
    every = pd.DatetimeIndex(da["time"].to_numpy())
    platforms = _platforms(da)
    bad: list[pd.Timestamp] = []
    for platform in np.unique(platforms):
        starts = every[platforms == platform]
        bad += list(starts[1:][starts[1:] < _stops(starts, length)[:-1]])
    if bad:
        message = (
            f"Composites '{da.name}' of {length} days overlap: "
            f"{', '.join(f'{day:%Y-%m-%d}' for day in bad)} begin before the one "
            "before ends. Give one platform at a time, or a coordinate 'platform' "
            "along time, and each composite once."
        )
        raise InputError(message)
    return da, order


def _by_overlap(
    da: xr.DataArray, weights: pd.DataFrame, length: int
) -> tuple[xr.DataArray, xr.DataArray]:
    """Average by the days that each composite shares with the month."""
    shares = xr.DataArray(
        weights.to_numpy(),
        dims=("month", "time"),
        coords={"month": weights.index.to_numpy()},
    )
    plain = da.drop_vars([name for name in da.coords if "time" in da[name].dims])
    valid = cast("xr.DataArray", np.isfinite(plain))
    counted = xr.dot(valid.astype(float), shares, dim="time")
    total = xr.dot(plain.where(valid, 0.0).astype(float), shares, dim="time")
    mean = total / counted.where(counted > 0)
    if np.unique(_platforms(da)).size == 1:
        return mean, counted
    return mean, _covered_by_any(valid, weights, length)


def _covered_by_any(
    valid: xr.DataArray, weights: pd.DataFrame, length: int
) -> xr.DataArray:
    """Return the share of the days of each month with a valid composite.

    First and last days of all composites cut time into pieces; a piece counts where
    any of its composites is valid.
    """
    starts = pd.DatetimeIndex(weights.columns)
    stops = _stops(starts, length)
    cuts = np.unique(np.concatenate([starts.to_numpy(), stops.to_numpy()]))
    months = pd.DatetimeIndex(weights.index)
    ends = months + pd.offsets.MonthBegin(1)
    result = (
        0.0
        * valid.isel(time=0, drop=True)
        * xr.DataArray(
            np.zeros(len(months)), dims="month", coords={"month": months.to_numpy()}
        )
    )
    for begin, end in pairwise(cuts):
        inside = (starts.to_numpy() <= begin) & (stops.to_numpy() >= end)
        overlap = np.minimum(ends.to_numpy(), end) - np.maximum(
            months.to_numpy(), begin
        )
        days = np.maximum(overlap / np.timedelta64(1, "D"), 0.0)
        if not inside.any() or not days.any():
            continue
        share = xr.DataArray(days / months.days_in_month.to_numpy(), dims="month")
        seen = valid.isel(time=np.flatnonzero(inside)).any("time")
        result = result + seen.astype(float) * share
    return result


def _checked_days(
    days: xr.DataArray, da: xr.DataArray, order: npt.NDArray[np.intp]
) -> xr.DataArray:
    """Return the days of the year in the order of the composites."""
    if days.sizes != da.sizes or not np.array_equal(
        days["time"].to_numpy()[order], da["time"].to_numpy()
    ):
        message = (
            f"day_of_year has the sizes {dict(days.sizes)}, the composites "
            f"{dict(da.sizes)}, or other dates. Open both from the same files."
        )
        raise InputError(message)
    return days.isel(time=order)


def _by_observation(
    da: xr.DataArray, days: xr.DataArray, weights: pd.DataFrame, length: int
) -> tuple[xr.DataArray, xr.DataArray]:
    """Average the observations whose own day lies in the month."""
    starts = pd.DatetimeIndex(da["time"].to_numpy())
    lasting = (_stops(starts, length) - starts).days.to_numpy(dtype=float)
    plain = da.drop_vars([name for name in da.coords if "time" in da[name].dims])
    day = days.drop_vars(list(days.coords)).transpose(*plain.dims)
    first = xr.DataArray(starts.day_of_year.to_numpy(dtype=float), dims="time")
    # Days since the composite began; a day before it belongs to the next year.
    after = day - first
    in_year = xr.DataArray(np.where(starts.is_leap_year, 366.0, 365.0), dims="time")
    after = after.where(after >= 0, after + in_year)
    lasts = xr.DataArray(lasting, dims="time")
    valid = cast("xr.DataArray", np.isfinite(plain) & np.isfinite(after))
    valid = valid & (after < length)
    means, shares = [], []
    for month in pd.DatetimeIndex(weights.index):
        begin = xr.DataArray((month - starts).days.to_numpy(dtype=float), dims="time")
        inside = valid & (after >= begin) & (after < begin + month.days_in_month)
        count = inside.sum("time")
        total = plain.where(inside, 0.0).astype(float).sum("time")
        means.append(total / count.where(count > 0))
        covered = (inside * lasts).sum("time") / month.days_in_month
        shares.append(covered.clip(max=1.0))
    index = pd.Index(weights.index.to_numpy(), name="month")
    return xr.concat(means, dim=index), xr.concat(shares, dim=index)


def _monthly(
    da: xr.DataArray,
    mean: xr.DataArray,
    coverage: xr.DataArray,
    min_coverage: float,
) -> xr.Dataset:
    """Label the months, masked where they are covered too little."""
    name = da.name or "composite"
    enough = (coverage > 0) & (coverage >= min_coverage - 1e-12)
    monthly = xr.Dataset({name: mean.where(enough), "coverage": coverage})
    monthly = monthly.rename(month="time").transpose("time", ...)
    monthly[name].attrs = {**da.attrs, "cell_methods": "time: mean (by days covered)"}
    monthly["coverage"].attrs = {
        "units": "1",
        "long_name": "share of the month's days with a valid composite",
    }
    scalars = {key: value for key, value in da.coords.items() if value.ndim == 0}
    return monthly.assign_coords(scalars)
