"""How many independent pairs two autocorrelated series are worth."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import scipy
import xarray as xr

from geosoil.correlation.map_pair import ONE_AT_A_TIME, as_float
from geosoil.correlation.series import (
    check_same_place,
    check_same_times,
    on_regular_axis,
    regular_steps,
    time_values,
)
from geosoil.correlation.threads import in_parts
from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]
Formula = Literal["lag1", "full"]
FORMULAS: tuple[Formula, ...] = ("lag1", "full")


def effective_pairs(
    x: xr.DataArray, y: xr.DataArray, *, dim: str = "time", formula: Formula = "lag1"
) -> xr.DataArray:
    """Return the effective number of pairs of two autocorrelated series.

    Parameters
    ----------
    x, y : DataArray with the dims ``dim`` and any others
        Series of the same times and places; NaN missing.
    dim : str
        Dimension of time.
    formula : {"lag1", "full"}
        Autocorrelation of one step, or of all steps up to a fifth of the pairs.

    Returns
    -------
    n_effective : DataArray without ``dim``
        2 to the number of pairs; NaN where fewer than three pairs, or a constant.

    Raises
    ------
    InputError
        If the formula is unknown or the times differ.
    GridMismatchError
        If the places differ.

    Notes
    -----
    lag1: n (1 - a b) / (1 + a b), a and b Pearson's r of the pairs one step apart of
    x and of y. full: 1 / n_effective = 1/n + 2/n sum_j (n - j)/n a_j b_j,
    j = 1 ... n/5. Steps lie on the regular axis of time: a gap is kept, never closed,
    and two values on both its sides are no neighbours. Only steps where x and y are
    both finite count. The number is not rounded, and not above n.

    References
    ----------
    Bretherton et al. (1999), The effective number of spatial degrees of freedom of a
    time-varying field, Journal of Climate 12,
    doi:10.1175/1520-0442(1999)012<1990:TENOSD>2.0.CO;2.
    Pyper and Peterman (1998), Comparison of methods to account for autocorrelation
    in correlation analyses of fish data, Canadian Journal of Fisheries and Aquatic
    Sciences 55, doi:10.1139/f98-104.

    Examples
    --------
    >>> trend = xr.DataArray(np.arange(20.0) + [0, 1] * 10, dims="time")
    >>> float(effective_pairs(trend, trend)).__round__(2)
    2.0
    """
    if formula not in FORMULAS:
        message = f"Unknown formula '{formula}'. Known are: {', '.join(FORMULAS)}."
        raise InputError(message)
    check_same_times(x, y, dim)
    check_same_place(x, y, dim)
    kept = {key: c for key, c in x.coords.items() if dim not in c.dims}
    places = regular_steps(time_values(x, dim), longest_lag(x.sizes[dim], formula) or 1)
    first, second = (
        on_regular_axis(array, dim, places).chunk({dim: -1})
        if array.chunks is not None
        else on_regular_axis(array, dim, places)
        for array in (x, y)
    )
    found: xr.DataArray = xr.apply_ufunc(
        _effective,
        first,
        second,
        input_core_dims=[[dim], [dim]],
        kwargs={"longest": longest_lag(x.sizes[dim], formula)},
        dask="parallelized",
        output_dtypes=[np.float64],
    ).assign_coords(kept)
    found.attrs = {
        "units": "1",
        "long_name": f"effective number of pairs, {x.name or 'x'} and {y.name or 'y'}",
        "formula": formula,
    }
    return found.rename("n_effective")


def _effective(
    x: npt.NDArray[np.generic], y: npt.NDArray[np.generic], *, longest: int
) -> FloatArray:
    """Answer arrays (..., time)."""
    shape = x.shape[:-1]
    flat = [
        np.ascontiguousarray(np.moveaxis(as_float(a), -1, 0)).reshape(a.shape[-1], -1)
        for a in (x, y)
    ]
    return effective_of_pixels(flat[0], flat[1], longest_lag=longest).reshape(shape)


def effective_of_pixels(
    x: npt.NDArray[np.floating], y: npt.NDArray[np.floating], *, longest_lag: int
) -> FloatArray:
    """Return the effective number of pairs of many pixels by compiled kernels.

    Parameters
    ----------
    x, y : array, shape (time, pixels)
        The series on a regular axis, float32 or float64.
    longest_lag : int
        As from :func:`longest_lag`.

    Returns
    -------
    n_effective : array, shape (pixels,)
        NaN where fewer than three pairs or a constant series leave it open.

    Examples
    --------
    >>> trend = np.arange(9.0)[:, None]
    >>> effective_of_pixels(trend, trend, longest_lag=0)
    array([2.])
    """
    from geosoil._compiled import THREADS  # noqa: PLC0415  numba is slow
    from geosoil.correlation import _kernels_effective as kernels  # noqa: PLC0415

    found = np.empty(x.shape[1])

    def answer(start: int, stop: int) -> None:
        if longest_lag == 0:
            kernels.lag1_pairs(x, y, (start, stop), found)
        else:
            kernels.full_pairs(x, y, (start, stop), longest_lag, found)

    with ONE_AT_A_TIME:
        in_parts(answer, found.size, THREADS)
    return found


def longest_lag(steps: int, formula: Formula) -> int:
    """Return the longest lag that the formula sums; 0 stands for lag-1.

    Parameters
    ----------
    steps : int
        Steps of time.
    formula : {"lag1", "full"}
        As in :func:`effective_pairs`.

    Examples
    --------
    >>> longest_lag(36, "full"), longest_lag(36, "lag1")
    (7, 0)
    """
    return max(steps // 5, 1) if formula == "full" else 0


def effective_p(r: npt.ArrayLike, n_effective: npt.ArrayLike) -> FloatArray:
    """Return the two-sided p of r for a number of pairs that need not be whole.

    Parameters
    ----------
    r : array
        Correlations, -1 to 1.
    n_effective : array that broadcasts with r
        Effective pairs, less the number of controls.

    Returns
    -------
    p : array
        0 where abs(r) = 1; 1 where no degree of freedom is left; NaN where r or
        n_effective is.

    Notes
    -----
    Student's t with n_effective - 2 degrees of freedom, as for whole numbers.

    Examples
    --------
    >>> effective_p([0.95, 0.95, 1.0], [4.0, 2.0, 2.5]).round(3)
    array([0.05, 1.  , 0.  ])
    """
    value = np.abs(np.asarray(r, dtype=np.float64))
    freedom = np.asarray(n_effective, dtype=np.float64) - 2
    some = np.where(freedom > 0, freedom, 1.0)
    p = scipy.special.betainc(some / 2, 0.5, (1 - value) * (1 + value))
    p = np.where(freedom > 0, p, np.where(np.isnan(freedom), np.nan, 1.0))
    return np.asarray(np.where(value == 1, 0.0, np.where(np.isnan(value), value, p)))
