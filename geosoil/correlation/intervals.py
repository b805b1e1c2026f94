"""Intervals of correlation coefficients on Fisher's z."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

FloatArray = npt.NDArray[np.float64]


def fisher_interval(
    r: npt.ArrayLike,
    n: npt.ArrayLike,
    *,
    method: str = "pearson",
    controls: int = 0,
    confidence: float = 0.95,
) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the confidence interval of a correlation.

    Parameters
    ----------
    r : array
        Correlations, -1 to 1.
    n : array that broadcasts with r
        Pairs, or the effective number.
    method : {"pearson", "spearman", "kendall"}
        What r is: the variance of z differs.
    controls : int
        Variables held fixed.
    confidence : float
        Above 0 and below 1.

    Returns
    -------
    lower, upper : array
        Ends of the interval. From -1 to 1 where too few pairs leave all open; r
        itself where abs(r) = 1; NaN where r is.

    Notes
    -----
    tanh(atanh(r) -+ z s), with s**2 = 1 / (n - 3 - k) for Pearson's r,
    (1 + r**2 / 2) / (n - 3 - k) for Spearman's and 0.437 / (n - 4) for Kendall's.

    References
    ----------
    Fisher (1921), On the probable error of a coefficient of correlation, Metron 1.
    Fieller, Hartley and Pearson (1957), Tests for rank correlation coefficients,
    Biometrika 44, doi:10.1093/biomet/44.3-4.470.
    Bonett and Wright (2000), Sample size requirements for estimating Pearson,
    Kendall and Spearman correlations, Psychometrika 65, doi:10.1007/BF02294183.

    Examples
    --------
    >>> lower, upper = fisher_interval(0.5, 30)
    >>> print(lower.round(3), upper.round(3))
    0.17 0.729
    """
    value = np.asarray(r, dtype=np.float64)
    freedom = np.asarray(n, dtype=np.float64) - controls - 3
    inflation: FloatArray | float = 1.0
    if method == "spearman":
        inflation = 1 + np.square(value) / 2
    if method == "kendall":
        freedom, inflation = np.asarray(n, dtype=np.float64) - 4, 0.437
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.where(freedom > 0, np.sqrt(inflation / freedom), np.inf)
        reach = float(scipy.special.ndtri((1 + confidence) / 2)) * deviation
        centre = np.arctanh(value)
        exact = np.abs(value) == 1
        lower = np.where(exact, value, np.tanh(centre - reach))
        upper = np.where(exact, value, np.tanh(centre + reach))
    return lower, upper


def fisher_widths(longest: int, *, confidence: float = 0.95) -> FloatArray:
    """Return the half width of Pearson's interval by number of pairs.

    Parameters
    ----------
    longest : int
        Most pairs.
    confidence : float
        Above 0 and below 1.

    Returns
    -------
    widths : array, shape (longest + 1,)
        tanh of the half width on Fisher's z; 1 where three pairs or fewer leave all
        open.

    Examples
    --------
    >>> fisher_widths(4).round(3)
    array([1.   , 1.   , 1.   , 1.   , 0.961])
    """
    pairs = np.arange(longest + 1, dtype=np.float64)
    reach = float(scipy.special.ndtri((1 + confidence) / 2))
    return np.tanh(reach / np.sqrt(np.maximum(pairs - 3, 1e-9)))
