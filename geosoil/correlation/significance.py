"""How likely chance alone makes a correlation as strong as the one found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]


def p_value(r: npt.ArrayLike, n: npt.ArrayLike) -> FloatArray:
    """Return the two-sided p value of Pearson's r.

    Parameters
    ----------
    r : array
        Correlation coefficients, -1 to 1.
    n : array that broadcasts with r
        Number of pairs, or the effective number.

    Returns
    -------
    p : array
        Probability of a |r| at least as large without any relation; 0 where
        |r| = 1, NaN where n < 3.

    Raises
    ------
    InputError
        If a coefficient lies outside -1 to 1.

    Notes
    -----
    t = r sqrt((n - 2) / ((1 - r)(1 + r))) follows Student's t with n - 2 degrees of
    freedom; its two tails are the regularised incomplete beta function
    I((n - 2) / 2, 1 / 2) at (1 - r)(1 + r).

    References
    ----------
    Student (1908), Probable error of a correlation coefficient, Biometrika 6,
    doi:10.2307/2331474.

    Examples
    --------
    >>> p_value([0.95, 1.0], [4, 30]).round(3)
    array([0.05, 0.  ])
    """
    values = np.asarray(r, dtype=np.float64)
    bad = int(np.count_nonzero(np.abs(values) > 1))
    if bad:
        message = (
            f"{bad} correlation coefficients lie outside -1 to 1, the largest is "
            f"{np.nanmax(np.abs(values))}. Give r, not t or a slope."
        )
        raise InputError(message)
    freedom = np.asarray(n, dtype=np.float64) - 2
    freedom = np.where(freedom >= 1, freedom, np.nan)
    size = np.abs(values)
    # Two forms of one integral: each keeps the digits that the other one loses, the
    # first near r = 0 and the second near |r| = 1.
    weak = scipy.special.betaincc(0.5, freedom / 2, np.square(size))
    strong = scipy.special.betainc(freedom / 2, 0.5, (1 - size) * (1 + size))
    return np.asarray(np.where(size < 0.5, weak, strong), dtype=np.float64)


def student_p(
    r: FloatArray, n: npt.NDArray[np.int32], most: int, held: int = 0
) -> FloatArray:
    """Return the p value of many r for whole numbers of pairs, by compiled kernels.

    Parameters
    ----------
    r : array
        Correlations, float64.
    n : array of int32, same shape
        Pairs of each.
    most : int
        At least the largest of them.
    held : int
        Degrees of freedom that controls and trend take.

    Returns
    -------
    p : array
        As :func:`p_value` of n - held pairs.

    Examples
    --------
    >>> student_p(np.array([0.95, 1.0]), np.array([4, 30], np.int32), 30).round(3)
    array([0.05, 0.  ])
    """
    from geosoil.correlation import _kernels_student  # noqa: PLC0415  numba is slow

    p = np.empty(r.size)
    terms = _kernels_student.series(most)
    _kernels_student.student_p(r.ravel(), n.ravel(), 2 + held, terms, p)
    return p.reshape(r.shape)


def critical_r(n: npt.ArrayLike, *, alpha: float = 0.05) -> FloatArray:
    """Return the smallest |r| that is significant for a number of pairs.

    Parameters
    ----------
    n : array
        Number of pairs, or the effective number.
    alpha : float
        Two-sided level of significance, above 0 and below 1.

    Returns
    -------
    r : array
        Critical |r|; NaN where n < 3.

    Raises
    ------
    InputError
        If alpha is not between 0 and 1.

    Notes
    -----
    The inverse of :func:`p_value`: 1 - r**2 is the beta quantile of alpha.

    Examples
    --------
    >>> critical_r([3, 4, 10, 30]).round(3)
    array([0.997, 0.95 , 0.632, 0.361])
    """
    if not 0 < alpha < 1:
        message = f"Invalid alpha '{alpha}'. Give a level above 0 and below 1."
        raise InputError(message)
    freedom = np.asarray(n, dtype=np.float64) - 2
    freedom = np.where(freedom >= 1, freedom, np.nan)
    # The complement keeps its digits where r is near 0.
    square = scipy.special.betaincinv(0.5, freedom / 2, 1 - alpha)
    return np.asarray(np.sqrt(square), dtype=np.float64)
