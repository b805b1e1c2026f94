"""Pearson's r of series that dask holds in pieces of time: co-moments are merged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.map_pair import ONE_AT_A_TIME, as_float

FloatArray = npt.NDArray[np.float64]

MOMENT = "co_moment"
"""Name of the dimension that holds n, two means and three sums."""


def merged_moments(
    x: xr.DataArray, y: xr.DataArray, *, dim: str = "time", lag: int = 0
) -> xr.DataArray:
    """Return the co-moments of x[t] and y[t + lag], whole series never in one place.

    Parameters
    ----------
    x, y : DataArray, dask arrays without labels
        Series chunked in time as they are on disk.
    dim : str
        Dimension of time.
    lag : int
        Steps by which y follows x.

    Returns
    -------
    moments : DataArray, last dimension ``co_moment`` of size 6
        n, mean of x, mean of y, sums of squares of x and of y, and of products.

    Notes
    -----
    Pieces a and b with means apart by d merge exactly:
    M = M_a + M_b + d_x d_y n_a n_b / (n_a + n_b).

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for computing the sample variance,
    The American Statistician 37, doi:10.1080/00031305.1983.10483115.

    Examples
    --------
    >>> x = xr.DataArray([1.0, 2.0, 3.0, 6.0], dims="time").chunk(time=3)
    >>> merged_moments(x, x).values.round(6)
    array([ 4.,  3.,  3., 14., 14., 14.])
    """
    steps = x.sizes[dim] - abs(lag)
    first = x.isel({dim: slice(max(-lag, 0), max(-lag, 0) + steps)})
    second = y.isel({dim: slice(max(lag, 0), max(lag, 0) + steps)})
    total: xr.DataArray | None = None
    start = 0
    for width in first.chunksizes[dim]:
        piece = {dim: slice(start, start + width)}
        found: xr.DataArray = xr.apply_ufunc(
            _piece,
            first.isel(piece).chunk({dim: -1}),
            second.isel(piece).chunk({dim: -1}),
            input_core_dims=[[dim], [dim]],
            output_core_dims=[[MOMENT]],
            dask="parallelized",
            output_dtypes=[np.float64],
            dask_gufunc_kwargs={"output_sizes": {MOMENT: 6}},
        )
        total = found if total is None else _merged(total, found)
        start += width
    return first if total is None else total


def _merged(total: xr.DataArray, found: xr.DataArray) -> xr.DataArray:
    """Add the co-moments of one more piece, lazily."""
    merged: xr.DataArray = xr.apply_ufunc(
        merge,
        total,
        found,
        input_core_dims=[[MOMENT], [MOMENT]],
        output_core_dims=[[MOMENT]],
        dask="parallelized",
        output_dtypes=[np.float64],
    )
    return merged


def _piece(x: npt.NDArray[np.generic], y: npt.NDArray[np.generic]) -> FloatArray:
    """Call the compiled kernel on arrays (..., time)."""
    from geosoil.correlation import _kernels_moments  # noqa: PLC0415  numba is slow

    shape = x.shape[:-1]
    flat = [
        np.ascontiguousarray(np.moveaxis(as_float(a), -1, 0)).reshape(a.shape[-1], -1)
        for a in (x, y)
    ]
    with ONE_AT_A_TIME:
        found = _kernels_moments.co_moments(flat[0], flat[1])
    return np.moveaxis(found, 0, -1).reshape(*shape, 6)


def merge(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the co-moments of two pieces together.

    Parameters
    ----------
    a, b : array, shape (..., 6)
        n, two means, sums of squares of x and of y, and of products.

    Returns
    -------
    moments : array, shape (..., 6)
        Of all pairs of both.

    Examples
    --------
    >>> one, other = np.array([1.0, 2, 5, 0, 0, 0]), np.array([1.0, 4, 9, 0, 0, 0])
    >>> merge(one, other)
    array([2., 3., 7., 2., 8., 4.])
    """
    n = a[..., 0] + b[..., 0]
    share = b[..., 0] / np.maximum(n, 1)
    # A piece without pairs has no mean: the other one's is kept to the digit.
    d_x, d_y = (
        np.where((a[..., 0] > 0) & (b[..., 0] > 0), b[..., k] - a[..., k], 0.0)
        for k in (1, 2)
    )
    empty = a[..., 0] == 0
    common = a[..., 0] * share
    return np.stack(
        [
            n,
            np.where(empty, b[..., 1], a[..., 1] + d_x * share),
            np.where(empty, b[..., 2], a[..., 2] + d_y * share),
            a[..., 3] + b[..., 3] + d_x * d_x * common,
            a[..., 4] + b[..., 4] + d_y * d_y * common,
            a[..., 5] + b[..., 5] + d_x * d_y * common,
        ],
        axis=-1,
    )


def merged_lag1(x: xr.DataArray, y: xr.DataArray, *, dim: str = "time") -> xr.DataArray:
    """Return Pearson's r of x with itself one step on, where y is finite too.

    Parameters
    ----------
    x, y : DataArray, dask arrays without labels
        The series and its partner.
    dim : str
        Dimension of time.

    Returns
    -------
    r : DataArray without ``dim``
        NaN where fewer than three neighbours, or a constant.

    Examples
    --------
    >>> x = xr.DataArray([1.0, 2.0, 1.0, 2.0, 1.0], dims="time").chunk(time=2)
    >>> float(merged_lag1(x, x))
    -1.0
    """
    paired = x.where(np.isfinite(x) & np.isfinite(y))
    moments = merged_moments(paired, paired, dim=dim, lag=1)
    n, xx, yy, xy = (moments.isel({MOMENT: k}) for k in (0, 3, 4, 5))
    r = (xy / np.sqrt(xx.where(xx > 0) * yy.where(yy > 0))).clip(-1.0, 1.0)
    return r.where(n >= 3)
