"""Answers for dask arrays in several pieces of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.blocks import Request
from geosoil.correlation.intervals import fisher_interval
from geosoil.correlation.moments import MOMENT, merged_lag1, merged_moments
from geosoil.correlation.significance import student_p

FloatArray = npt.NDArray[np.float64]

OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(5)


def has_pieces(series: Sequence[xr.DataArray], dim: str) -> bool:
    """Return whether any series is a dask array in several chunks of a dimension.

    Parameters
    ----------
    series : sequence of DataArray
        The series.
    dim : str
        The dimension.

    Examples
    --------
    >>> has_pieces([xr.DataArray([1.0, 2.0], dims="time").chunk(time=1)], "time")
    True
    """
    return any(
        array.chunks is not None and len(array.chunksizes.get(dim, ())) > 1
        for array in series
    )


def answer_pieces(
    x: xr.DataArray, y: xr.DataArray, dim: str, request: Request
) -> xr.Dataset:
    """Answer Pearson's r from co-moments merged over the pieces of time, lazily.

    Parameters
    ----------
    x, y : DataArray without labels
        The series; one of them may lie in memory.
    dim : str
        Dimension of time.
    request : Request
        What to answer.

    Returns
    -------
    answers : Dataset of dask arrays
        The variables of ``request.outputs``.

    Examples
    --------
    >>> asked = Request("pearson", 0, 4, 0, False, (), ("slope",), "n", 0, 0.95)
    >>> x = xr.DataArray([1.0, 2.0, 3.0, 4.0], dims="time").chunk(time=2)
    >>> found = answer_pieces(x, 2 * x, "time", asked)
    >>> float(found.r), float(found.slope)
    (1.0, 2.0)
    """
    first = x if x.chunks is not None else x.chunk(y.chunksizes)
    second = y if y.chunks is not None else y.chunk(first.chunksizes)
    moments = merged_moments(first, second, dim=dim, lag=request.lag)
    names = [name for name in request.outputs if name != "n_effective"]
    answers = xr.apply_ufunc(
        _finish,
        moments,
        input_core_dims=[[MOMENT]],
        output_core_dims=[[] for _ in names],
        kwargs={"request": request, "names": tuple(names)},
        dask="parallelized",
        output_dtypes=[request.outputs[name] for name in names],
    )
    result = xr.Dataset(dict(zip(names, answers, strict=True)))
    if "n_effective" in request.outputs:
        result["n_effective"] = _lag1(first, second, result, (dim, request.lag))
    return result[list(request.outputs)]


def _lag1(
    x: xr.DataArray, y: xr.DataArray, result: xr.Dataset, axis: tuple[str, int]
) -> xr.DataArray:
    """Return n (1 - ab) / (1 + ab) from the merged lag-1 r of both series."""
    dim, lag = axis
    steps = x.sizes[dim] - abs(lag)
    first = x.isel({dim: slice(max(-lag, 0), max(-lag, 0) + steps)})
    second = y.isel({dim: slice(max(lag, 0), max(lag, 0) + steps)})
    product = merged_lag1(first, second, dim=dim) * merged_lag1(second, first, dim=dim)
    n = result["n"].astype(np.float64)
    found = n * (1 - product) / (1 + product)
    return found.clip(2.0, n).where(result["reason"] == OK)


def _finish(
    moments: FloatArray, *, request: Request, names: tuple[str, ...]
) -> tuple[npt.NDArray[Any], ...]:
    """Turn co-moments (..., 6) into the statistics."""
    count, mean_x, mean_y, xx, yy, xy = np.moveaxis(moments, -1, 0)
    n = count.astype(np.int32)
    conditions = [n == 0, n < request.min_pairs, xx == 0, yy == 0]
    codes = [ALL_MISSING, FEW, CONSTANT_X, CONSTANT_Y]
    reason = np.select(conditions, codes, OK).astype(np.int8)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = np.clip(xy / (np.sqrt(xx) * np.sqrt(yy)), -1.0, 1.0)
        r = np.where(reason == OK, r, np.nan)
    planes = {
        "r": r,
        "p_value": student_p(r, n, int(n.max(initial=0))),
        "n": n,
        "reason": reason,
    }
    if {"slope", "intercept"} & set(names):
        with np.errstate(divide="ignore", invalid="ignore"):
            slope = np.where(reason == OK, xy / xx, np.nan)
        planes.update(slope=slope, intercept=mean_y - slope * mean_x)
    if {"r_lower", "r_upper"} & set(names):
        lower, upper = fisher_interval(r, n, confidence=request.confidence)
        planes.update(r_lower=lower, r_upper=upper)
    return tuple(planes[name] for name in names)
