"""Fill gaps of a raster over time, never beyond a stated length, and flag each cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids._kernels_series import gap_lengths, linear_between

FloatArray = npt.NDArray[np.float64]

TimeIs = Literal["start", "middle"]
"""What the times of a raster are: first days of composites, or their middles."""

OBSERVED, FILLED, SMOOTHED, MISSING = 0, 1, 2, 3
FLAGS = ("observed", "filled", "smoothed", "missing")
"""Meaning of the flags 0 to 3."""

SERIES = 16384
"""Number of series that are worked on at a time."""

Flagged = tuple[FloatArray, npt.NDArray[np.uint8]]


def fill_gaps(
    da: xr.DataArray, *, max_gap: float, time_is: TimeIs = "start", length: int = 16
) -> xr.Dataset:
    """Fill gaps by straight lines in time, where they are short enough.

    Parameters
    ----------
    da : DataArray with dim time
        Values over time, NaN missing.
    max_gap : float
        Longest time between the observations on either side of a gap that is filled
        [days]: a missing 16-day composite makes a gap of 32 days.
    time_is : {"start", "middle"}
        Whether ``time`` is the first day of each composite or its middle. A composite
        stands for its middle; the last one of a MODIS year is shorter, so that its
        middle lies closer to its first day.
    length : int
        Days that a composite lasts, for first days.

    Returns
    -------
    filled : Dataset
        The values under their own name ("composite" if they have none) and ``flag``:
        0 observed, 1 filled, 3 missing. Nothing is filled before the first and after
        the last observation.

    Raises
    ------
    InputError
        If there is no rising time axis, or the gap is not above 0.

    Examples
    --------
    >>> times = pd.date_range("2020-01-01", periods=4, freq="16D")
    >>> ndvi = xr.DataArray([0.2, np.nan, 0.4, np.nan], dims="time",
    ...                     coords={"time": times}, name="ndvi")
    >>> found = fill_gaps(ndvi, max_gap=32)
    >>> found["ndvi"].to_numpy().round(3), found["flag"].to_numpy()
    (array([0.2, 0.3, 0.4, nan]), array([0, 1, 0, 3], dtype=uint8))
    """
    check_gap(max_gap)
    days = days_of(da, time_is=time_is, length=length)

    def fill(values: FloatArray) -> Flagged:
        valid = np.isfinite(values)
        lines = linear_between(np.where(valid, values, 0.0), valid, days)
        bridged = ~valid & (gap_lengths(valid, days) <= max_gap)
        found = np.where(bridged, lines, values)
        flags = np.where(valid, OBSERVED, np.where(bridged, FILLED, MISSING))
        return found, flags.astype(np.uint8)

    told = f"linear in time across gaps of up to {max_gap:g} days"
    return flagged(da, fill, told=told)


def check_gap(max_gap: float) -> None:
    """Raise unless a longest gap is a number of days above 0.

    Parameters
    ----------
    max_gap : float
        Days.

    Raises
    ------
    InputError
        If it is not.

    Examples
    --------
    >>> check_gap(32)
    """
    if not 0 < max_gap < np.inf:
        message = (
            f"Invalid max_gap {max_gap}. State the longest gap that may be filled, in "
            "days above 0, for instance 32 for one missing composite of 16 days."
        )
        raise InputError(message)


def days_of(da: xr.DataArray, *, time_is: TimeIs, length: int) -> FloatArray:
    """Return the time that each field of a raster stands for.

    Parameters
    ----------
    da : DataArray with dim time
        Values over time.
    time_is : {"start", "middle"}
        What its times are.
    length : int
        Days that a composite lasts, for first days.

    Returns
    -------
    days : array, shape (n,)
        Days since the first one.

    Raises
    ------
    InputError
        If there is no time axis of rising dates or an argument is wrong.

    Examples
    --------
    >>> times = pd.to_datetime(["2020-12-02", "2020-12-18", "2021-01-01"])
    >>> days_of(xr.DataArray([1, 2, 3], dims="time", coords={"time": times}),
    ...         time_is="start", length=16)
    array([ 0., 15., 30.])
    """
    dated = "time" in da.dims and np.issubdtype(da["time"].dtype, np.datetime64)
    times = pd.DatetimeIndex(da["time"].to_numpy()) if dated else pd.DatetimeIndex([])
    if not dated or times.hasnans or not (times.is_monotonic_increasing and len(times)):
        message = (
            f"'{da.name or 'raster'}' needs a dim 'time' of rising dates. Sort it with "
            ".sortby('time')."
        )
        raise InputError(message)
    if not times.is_unique:
        message = (
            f"'{da.name or 'raster'}' has dates twice: "
            f"{', '.join(f'{t:%Y-%m-%d}' for t in times[times.duplicated()])}. Average "
            "Terra and Aqua of one date first."
        )
        raise InputError(message)
    if time_is not in ("start", "middle") or not length > 0:
        message = f"Invalid time_is '{time_is}' or length {length}."
        raise InputError(message)
    middle = times.to_numpy().astype("datetime64[s]").astype(np.float64) / 86400.0
    if time_is == "start":
        # Composites are counted anew each year: the last one ends before the next.
        phase = (times.day_of_year.to_numpy() - 1) % length
        year_days = np.where(times.is_leap_year, 366, 365)
        left = year_days - times.day_of_year.to_numpy() + 1 + phase
        middle = middle + np.minimum(left, length) / 2.0
    result: FloatArray = middle - middle[0]
    return result


def flagged(
    da: xr.DataArray, action: Callable[[FloatArray], Flagged], *, told: str
) -> xr.Dataset:
    """Apply an action to all series of a raster and label what it gives.

    Parameters
    ----------
    da : DataArray with dim time
        Values over time.
    action : callable
        From an array of shape (n, series) to values and flags of that shape.
    told : str
        Words on the method, kept as the attribute ``processing``.

    Returns
    -------
    result : Dataset
        Values under their own name and ``flag``, in the order of dims of the raster.

    Examples
    --------
    >>> da = xr.DataArray([[1.0]], dims=("x", "time"), name="ndvi")
    >>> kept = flagged(da, lambda v: (v, np.zeros(v.shape, np.uint8)), told="kept")
    >>> kept["flag"].attrs["flag_meanings"]
    'observed filled smoothed missing'
    """

    def apply(
        values: npt.NDArray[np.floating],
    ) -> tuple[npt.NDArray[np.floating], npt.NDArray[np.uint8]]:
        series = values.reshape(-1, values.shape[-1])
        found = np.empty(series.shape, np.result_type(values.dtype, np.float32))
        flags = np.empty(series.shape, np.uint8)
        # In blocks: the working arrays stay in the cache, whatever the raster's size.
        for start in range(0, len(series), SERIES):
            part = slice(start, start + SERIES)
            block = np.ascontiguousarray(series[part].T, dtype=np.float64)
            block, marks = action(block)
            found[part], flags[part] = block.T, marks.T
        return found.reshape(values.shape), flags.reshape(values.shape)

    if da.chunks is not None:
        da = da.chunk({"time": -1})
    kind = np.result_type(da.dtype, np.float32)
    values, flags = xr.apply_ufunc(
        apply,
        da,
        input_core_dims=[["time"]],
        output_core_dims=[["time"], ["time"]],
        dask="parallelized",
        output_dtypes=[kind, np.uint8],
    )
    name = da.name or "composite"
    result = xr.Dataset({name: values, "flag": flags}).transpose(*da.dims)
    result[name].attrs = {**da.attrs, "processing": told}
    result["flag"].attrs = {
        "long_name": "where each value comes from",
        "flag_values": list(range(len(FLAGS))),
        "flag_meanings": " ".join(FLAGS),
    }
    return result
