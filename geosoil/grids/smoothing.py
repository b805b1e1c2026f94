"""Smooth rasters over time by Savitzky-Golay or Whittaker, and flag each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids._kernels_series import gap_lengths, local_polynomials, whittaker
from geosoil.grids.gap_filling import (
    FILLED,
    MISSING,
    SMOOTHED,
    Flagged,
    TimeIs,
    check_gap,
    days_of,
    flagged,
)

FloatArray = npt.NDArray[np.float64]

_UNEVEN = 0.25
"""Share by which steps may differ from the usual one: the last composite of a MODIS
year is 13 or 14 days before the next, instead of 16."""


@dataclass(frozen=True, slots=True)
class SavitzkyGolay:
    """Local polynomials by least squares.

    Examples
    --------
    >>> SavitzkyGolay(window=7, degree=3).degree
    3
    """

    window: int = 5
    """Number of dates fitted at a time, odd, 3 to 51."""
    degree: int = 2
    """Degree of the polynomial, below the window."""

    def __post_init__(self) -> None:
        """Refuse windows that have no middle, or too few or too many dates."""
        if (
            not 3 <= self.window <= 51
            or self.window % 2 == 0
            or not 0 <= self.degree < self.window
        ):
            message = (
                f"Invalid window {self.window} or degree {self.degree}. Give an odd "
                "window from 3 to 51 and a degree from 0 to the window less 1."
            )
            raise InputError(message)


@dataclass(frozen=True, slots=True)
class Whittaker:
    """Penalised least squares over the whole series.

    Examples
    --------
    >>> Whittaker(smoothness=100.0).order
    2
    """

    smoothness: float = 10.0
    """Weight lambda of the squared differences against the squared residuals."""
    order: int = 2
    """Order of the differences, 1 to 3."""

    def __post_init__(self) -> None:
        """Refuse settings without a solution."""
        if not 0 < self.smoothness < np.inf or self.order not in (1, 2, 3):
            message = (
                f"Invalid smoothness {self.smoothness} or order {self.order}. Give a "
                "smoothness above 0 and an order of 1, 2 or 3."
            )
            raise InputError(message)


def smooth_series(
    da: xr.DataArray,
    method: SavitzkyGolay | Whittaker,
    *,
    max_gap: float,
    time_is: TimeIs = "start",
    length: int = 16,
) -> xr.Dataset:
    """Smooth a raster over time, and fill gaps that are short enough.

    Parameters
    ----------
    da : DataArray with dim time
        Values over time, NaN missing.
    method : SavitzkyGolay or Whittaker
        Way of smoothing and its settings.
    max_gap : float
        Longest time between the observations on either side of a gap that is filled
        [days].
    time_is : {"start", "middle"}
        Whether ``time`` is the first day of each composite or its middle.
    length : int
        Days that a composite lasts, for first days.

    Returns
    -------
    smooth : Dataset
        The values under their own name ("composite" if they have none) and ``flag``:
        1 filled, 2 smoothed, 3 missing. Every value is a smoothed one; those where
        nothing was observed are flagged as filled. Longer gaps, and the time before
        the first and after the last observation, stay missing.

    Raises
    ------
    InputError
        If there is no rising time axis, the window is longer than the series, or the
        dates are uneven where the method counts dates (Whittaker).

    Notes
    -----
    Savitzky-Golay: at each date a polynomial is fitted to the values observed in the
    window around it, over their true times, and its value at the date is taken; near
    the ends the outermost window is used [1]_. Whittaker: the z that minimises
    sum w (y - z)^2 + lambda sum (D z)^2, with w = 0 where y is missing and D the
    differences of the given order from date to date [2]_.

    References
    ----------
    .. [1] Savitzky, A. and Golay, M. J. E. (1964). Smoothing and differentiation of
       data by simplified least squares procedures. Analytical Chemistry 36, 1627-1639.
       doi:10.1021/ac60214a047
    .. [2] Eilers, P. H. C. (2003). A perfect smoother. Analytical Chemistry 75,
       3631-3636. doi:10.1021/ac034173t

    Examples
    --------
    >>> import pandas as pd
    >>> times = pd.date_range("2020-01-01", periods=5, freq="16D")
    >>> ndvi = xr.DataArray([0.2, 0.4, np.nan, 0.4, 0.2], dims="time",
    ...                     coords={"time": times}, name="ndvi")
    >>> found = smooth_series(ndvi, Whittaker(smoothness=1e-6), max_gap=32)
    >>> found["ndvi"].to_numpy().round(2), found["flag"].to_numpy()
    (array([0.2 , 0.4 , 0.47, 0.4 , 0.2 ]), array([2, 2, 1, 2, 2], dtype=uint8))
    """
    check_gap(max_gap)
    days = days_of(da, time_is=time_is, length=length)
    if isinstance(method, SavitzkyGolay):
        told = f"Savitzky-Golay, window {method.window} dates, degree {method.degree}"
        if method.window > days.size:
            message = (
                f"A window of {method.window} dates is longer than the series of "
                f"{days.size}."
            )
            raise InputError(message)
    else:
        told = f"Whittaker, smoothness {method.smoothness:g}, order {method.order}"
        _check_even(days, method)

    def smooth(values: FloatArray) -> Flagged:
        valid = np.isfinite(values)
        known = np.where(valid, values, 0.0)
        if isinstance(method, SavitzkyGolay):
            found = local_polynomials(known, valid, days, method.window, method.degree)
        else:
            weights = valid.astype(np.float64)
            found = whittaker(known, weights, method.smoothness, method.order)
        found = np.where(gap_lengths(valid, days) <= max_gap, found, np.nan)
        there = np.isfinite(found)
        flags = np.where(valid, SMOOTHED, FILLED)
        return found, np.where(there, flags, MISSING).astype(np.uint8)

    return flagged(da, smooth, told=f"{told}, gaps of up to {max_gap:g} days filled")


def _check_even(days: FloatArray, method: Whittaker) -> None:
    """Raise where dates are missing from a series that is counted in dates."""
    if days.size <= method.order:
        message = (
            f"{days.size} dates are too few for differences of order {method.order}."
        )
        raise InputError(message)
    steps = np.diff(days)
    usual = float(np.median(steps))
    wrong = np.flatnonzero(np.abs(steps / usual - 1) > _UNEVEN)
    if wrong.size:
        message = (
            f"The dates are {usual:g} days apart, but {steps[wrong[0]]:g} after date "
            f"number {wrong[0] + 1} ({wrong.size} such steps). Add the absent dates as "
            "missing values (.reindex), or use SavitzkyGolay, which knows the time."
        )
        raise InputError(message)
