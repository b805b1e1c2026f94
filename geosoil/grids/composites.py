"""Composites of several days to calendar months, weighted by days of overlap."""

from __future__ import annotations

import numpy as np
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


def monthly_composite(
    da: xr.DataArray, *, length: int = 16, min_coverage: float = 0.5
) -> xr.Dataset:
    """Average composites of several days over calendar months.

    Parameters
    ----------
    da : DataArray with dims (time, y, x)
        Composites; ``time`` is the first day of each; NaN missing.
    length : int
        Days that a composite lasts: 16 for MOD13, 8 for MOD11A2 or MOD16A2.
    min_coverage : float
        Share of a month's days, 0 to 1, that valid composites must cover.

    Returns
    -------
    monthly : Dataset with dims (time, y, x)
        The mean, named as the input ("composite" if it has no name), NaN where the
        coverage is below the minimum, and ``coverage`` [1]. ``time`` is the first day
        of the month; months that the composites cannot cover enough are left out.

    Raises
    ------
    InputError
        If there is no time axis of dates, dates repeat or overlap, or no month is
        covered enough.

    Notes
    -----
    With w the share of the month's days that a composite covers and v = 1 where it is
    valid: mean = sum(w v value) / sum(w v), coverage = sum(w v).

    Examples
    --------
    >>> starts = pd.DatetimeIndex(["2020-05-24", "2020-06-09", "2020-06-25"])
    >>> ndvi = xr.DataArray([[[0.3]], [[0.6]], [[0.9]]], dims=("time", "y", "x"),
    ...                     coords={"time": starts}, name="ndvi")
    >>> june = monthly_composite(ndvi).sel(time="2020-06").squeeze()
    >>> round(float(june.ndvi), 2), float(june.coverage)
    (0.58, 1.0)
    """
    if not (length > 0 and 0 <= min_coverage <= 1):
        message = (
            f"Invalid length {length} or min_coverage {min_coverage}. Give a length "
            "in days above 0 and a share of the month between 0 and 1."
        )
        raise InputError(message)
    da = _sorted_by_time(da, length)
    starts = pd.DatetimeIndex(da["time"].to_numpy())
    weights = month_weights(starts, length=length)
    enough = weights.sum(axis=1) >= max(min_coverage, 1e-9)
    if not enough.any():
        message = (
            f"No month is covered to {min_coverage:.0%} by the {len(starts)} "
            f"composites from {starts[0]:%Y-%m-%d} to {starts[-1]:%Y-%m-%d}. Add the "
            "neighbouring composites or lower min_coverage."
        )
        raise InputError(message)
    return _weighted_mean(da, weights[enough], min_coverage)


def _sorted_by_time(da: xr.DataArray, length: int) -> xr.DataArray:
    """Return the composites in order of time; raise where their days overlap."""
    is_dated = "time" in da.dims and np.issubdtype(da["time"].dtype, np.datetime64)
    if not is_dated:
        message = f"Composites '{da.name}' need a dim 'time' of dates (first days)."
        raise InputError(message)
    da = da.sortby("time")
    starts = pd.DatetimeIndex(da["time"].to_numpy())
    bad = starts[1:][starts[1:] < _stops(starts, length)[:-1]]
    if len(bad):
        message = (
            f"Composites '{da.name}' of {length} days overlap: "
            f"{', '.join(f'{day:%Y-%m-%d}' for day in bad)} begin before the one "
            "before ends. Give one platform at a time, each composite once."
        )
        raise InputError(message)
    return da


def _weighted_mean(
    da: xr.DataArray, weights: pd.DataFrame, min_coverage: float
) -> xr.Dataset:
    """Average over time by the weights of each month, leaving missing values out."""
    name = da.name or "composite"
    shares = xr.DataArray(
        weights.to_numpy(),
        dims=("month", "time"),
        coords={"month": weights.index.to_numpy(), "time": da["time"].to_numpy()},
    )
    valid = np.isfinite(da)
    coverage = xr.dot(valid.astype(float), shares, dim="time")
    total = xr.dot(da.where(valid, 0.0).astype(float), shares, dim="time")
    enough = (coverage > 0) & (coverage >= min_coverage - 1e-12)
    mean = (total / coverage.where(coverage > 0)).where(enough)
    monthly = xr.Dataset({name: mean, "coverage": coverage}).rename(month="time")
    monthly = monthly.transpose("time", ...)
    monthly[name].attrs = {**da.attrs, "cell_methods": "time: mean (by days covered)"}
    monthly["coverage"].attrs = {
        "units": "1",
        "long_name": "share of the month's days with a valid composite",
    }
    scalars = {key: value for key, value in da.coords.items() if value.ndim == 0}
    return monthly.assign_coords(scalars)
