"""Time series made ready for correlation: without trend, without season, whole axis."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import xarray as xr

from geosoil.correlation.series import regular_steps, time_values
from geosoil.errors import InputError

Season = Literal["month", "season", "dayofyear", "none"]


def detrend(series: xr.DataArray, *, dim: str = "time") -> xr.DataArray:
    """Take the least-squares line over time out of each series.

    Parameters
    ----------
    series : DataArray with the dim ``dim`` and any others
        NaN missing.
    dim : str
        Dimension of time; its labels are the abscissa, dates in days.

    Returns
    -------
    departures : DataArray like series
        Departures from each series' own line; NaN stays.

    Raises
    ------
    InputError
        If the dimension is absent.

    Notes
    -----
    ``correlate(..., detrend=True)`` takes the line over the pairs' times instead,
    and counts its degree of freedom; without gaps both give the same r.

    Examples
    --------
    >>> series = xr.DataArray([1.0, 2.0, 3.0, np.nan, 6.0], dims="time")
    >>> detrend(series).round(3).values
    array([ 0.2  , -0.057, -0.314,    nan,  0.171])
    """
    _check_dim(series, dim)
    times = xr.DataArray(time_values(series, dim), dims=dim)
    bare = series.astype(np.float64).drop_vars([d for d in [dim] if d in series.coords])
    valid = np.isfinite(bare)
    bare = bare.where(valid)
    t = times.where(valid)
    t = t - t.mean(dim)
    centred = bare - bare.mean(dim)
    slope = (centred * t).sum(dim) / (t**2).sum(dim)
    left = (centred - slope * t).transpose(*series.dims)
    return left.assign_coords(series.coords).assign_attrs(series.attrs)


def anomalies(
    series: xr.DataArray,
    *,
    dim: str = "time",
    season: Season = "month",
    baseline: slice | None = None,
    spread: Literal["none", "standard_deviation"] = "none",
) -> xr.DataArray:
    """Take the mean of each season of the year out of each series.

    Parameters
    ----------
    series : DataArray with the dim ``dim`` and any others
        NaN missing.
    dim : str
        Dimension of time; its labels are dates, except for season "none".
    season : {"month", "season", "dayofyear", "none"}
        What has a mean of its own; "none": the whole series.
    baseline : slice of labels, optional
        Times whose mean is taken, such as ``slice("2001", "2020")``.
    spread : {"none", "standard_deviation"}
        What the departures are divided by (n - 1 in the standard deviation).

    Returns
    -------
    departures : DataArray like series
        NaN where the series is, or its season has no value in the baseline.

    Raises
    ------
    InputError
        If a setting is unknown, or the axis has no dates.

    Notes
    -----
    Each mean takes a degree of freedom: p values of deseasonalised series of few
    years are too small.

    Examples
    --------
    >>> dates = np.array(["2001-06-01", "2001-07-01", "2002-06-01", "2002-07-01"])
    >>> series = xr.DataArray([1.0, 5.0, 3.0, 9.0], dims="time",
    ...                       coords={"time": dates.astype("datetime64[ns]")})
    >>> anomalies(series).values
    array([-1., -2.,  1.,  2.])
    """
    _check_dim(series, dim)
    if season not in get_args(Season) or spread not in ("none", "standard_deviation"):
        message = (
            f"Unknown season '{season}' or spread '{spread}'. Seasons: "
            f"{', '.join(get_args(Season))}; spreads: none, standard_deviation."
        )
        raise InputError(message)
    labels = series[dim].dtype.kind if dim in series.coords else "-"
    if season != "none" and labels != "M":
        message = (
            f"Series '{series.name}' has no dates along '{dim}', and season "
            f"'{season}' needs them. Give dates, or season='none'."
        )
        raise InputError(message)
    base = series if baseline is None else series.sel({dim: baseline})
    if season == "none":
        found = series - base.mean(dim)
        found = found if spread == "none" else found / base.std(dim, ddof=1)
    else:
        key = f"{dim}.{season}"
        means = base.groupby(key).mean(dim)
        found = series.groupby(key) - means
        if spread != "none":
            deviation = base.groupby(key).std(dim, ddof=1)
            found = found.groupby(key) / deviation
        found = found.drop_vars(season)
    return (
        found.transpose(*series.dims)
        .assign_coords(series.coords)
        .assign_attrs(series.attrs)
    )


def regular_axis(series: xr.DataArray, *, dim: str = "time") -> xr.DataArray:
    """Put left-out steps back as NaN, so that neighbours in the array are in time.

    Parameters
    ----------
    series : DataArray with the dim ``dim`` and any others
        Labels along ``dim`` rise.
    dim : str
        Dimension of time.

    Returns
    -------
    series : DataArray
        Longer by the steps left out, whose labels lie evenly in the gaps.

    Raises
    ------
    InputError
        If the dimension is absent.

    Examples
    --------
    >>> series = xr.DataArray([1.0, 2.0, 4.0], dims="time",
    ...                       coords={"time": [2001, 2002, 2004]})
    >>> regular_axis(series).values
    array([ 1.,  2., nan,  4.])
    """
    _check_dim(series, dim)
    values = time_values(series, dim)
    places = regular_steps(values, values.size * 1000)
    if not places.size or places[-1] == values.size - 1:
        return series
    whole = np.arange(places[-1] + 1)
    labels = series[dim].to_numpy()
    if labels.dtype.kind == "M":
        days = np.interp(whole, places, values)
        steps = (days * 86_400_000_000_000).round().astype("timedelta64[ns]")
        filled = labels[0].astype("datetime64[ns]") + steps
    else:
        filled = np.interp(whole, places, labels)
    bare = series.assign_coords({dim: places}).reindex({dim: whole})
    return bare.assign_coords({dim: filled})


def _check_dim(series: xr.DataArray, dim: str) -> None:
    """Raise unless the series has the dimension."""
    if dim not in series.dims:
        message = f"Series '{series.name}' has dims {series.dims}, no '{dim}'."
        raise InputError(message)
