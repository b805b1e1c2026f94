"""Pearson's r of series that dask holds in pieces of time: co-moments are merged."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.map_pair import as_float

FloatArray = npt.NDArray[np.float64]

MOMENT = "co_moment"
"""Name of the dimension that holds n, two means and three sums."""

PIECE_BYTES = 16 * 2**20
"""Neighbouring chunks of time are taken together up to this size of one series."""


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
    first = first.transpose(dim, ...)
    second = second.transpose(*first.dims)
    moments = _chained(first.data, second.data, _pieces(first, dim))
    return xr.DataArray(moments, dims=(MOMENT, *first.dims[1:])).transpose(..., MOMENT)


def _pieces(series: xr.DataArray, dim: str) -> tuple[int, ...]:
    """Return the chunks of each piece: as many neighbours as are small together."""
    block = math.prod(max(n) for d, n in series.chunksizes.items() if d != dim)
    most = PIECE_BYTES // max(block * series.dtype.itemsize, 1)
    counts: list[int] = []
    steps = most + 1
    for width in series.chunksizes[dim]:
        if steps + width <= most:
            counts[-1] += 1
            steps += width
        else:
            counts.append(1)
            steps = width
    return tuple(counts)


def _chained(x: Any, y: Any, counts: tuple[int, ...]) -> Any:  # noqa: ANN401  dask
    """Return co-moments (6, ...) as a chain of tasks for each block of pixels.

    Each task takes a piece of both series and what came before. A graph made by hand
    has no task beside these: thousands of slices and joins cost more than the sums.
    """
    from dask.base import tokenize  # noqa: PLC0415  numpy users need no dask
    from dask.highlevelgraph import HighLevelGraph  # noqa: PLC0415

    y = y.rechunk(x.chunks)
    name = f"co-moments-{tokenize(x, y, counts)}"
    tasks: dict[Any, Any] = {}
    for place in np.ndindex(*x.numblocks[1:]):
        total: tuple[tuple[str | int, ...], ...] = ()
        start = 0
        for k, count in enumerate(counts):
            steps = range(start, start + count)
            start += count
            last = start == x.numblocks[0]
            key = (name, 0, *place) if last else (f"{name}-part", k, *place)
            blocks = ([(a.name, t, *place) for t in steps] for a in (x, y))
            tasks[key] = (_piece, *blocks, *total)
            total = (key,)
    graph = HighLevelGraph.from_collections(name, tasks, dependencies=[x, y])
    return type(x)(graph, name, ((6,), *x.chunks[1:]), dtype=np.float64)


def _piece(
    x: list[npt.NDArray[np.generic]],
    y: list[npt.NDArray[np.generic]],
    total: FloatArray | None = None,
) -> FloatArray:
    """Return the co-moments (6, ...) of blocks (time, ...) and of all before them."""
    from geosoil.correlation import _kernels_moments  # noqa: PLC0415  numba is slow

    first, second = (a[0] if len(a) == 1 else np.concatenate(a) for a in (x, y))
    flat = [
        np.ascontiguousarray(as_float(a)).reshape(len(a), -1) for a in (first, second)
    ]
    before = np.empty((6, 0)) if total is None else total.reshape(6, -1)
    found = _kernels_moments.co_moments(flat[0], flat[1], before)
    return found.reshape(6, *first.shape[1:])


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
