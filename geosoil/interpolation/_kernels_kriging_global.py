"""One factor of the covariances of all data, for block after block of targets."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dtrmm, dtrsm
from scipy.linalg.lapack import dtrcon, dtrtri

FloatArray = npt.NDArray[np.float64]

WELL_POSED = 1e-6
"""Reciprocal condition of L above which its inverse loses no digit that counts."""


class Whitener(NamedTuple):
    """How covariances are multiplied by L^-1."""

    triangle: npt.NDArray[Any]
    """L^-1 where it is safe to invert, else L, shape (n, n), column by column."""
    inverted: bool
    """Whether it is L^-1."""


def whitener(lower: FloatArray) -> Whitener:
    """Return what multiplies by the inverse of a Cholesky factor.

    Parameters
    ----------
    lower : array, shape (n, n)
        Cholesky factor L; what lies above its diagonal is not looked at.

    Returns
    -------
    whitener : Whitener
        L^-1 itself, which takes half the time of a solution, unless the condition of
        L would cost digits.

    Notes
    -----
    The error of L^-1 c is about the condition of L times the rounding of one number,
    whichever way; that of a product with the inverse also grows with the inverse.

    References
    ----------
    Higham (2002), Accuracy and Stability of Numerical Algorithms, chapter 14,
    doi:10.1137/1.9780898718027.

    Examples
    --------
    >>> whitener(np.diag([1.0, 2.0])).triangle.tolist()
    [[1.0, 0.0], [0.0, 0.5]]
    >>> whitener(np.diag([1.0, 1e-9])).inverted
    False
    """
    triangle = np.array(lower, order="F")
    share, _ = dtrcon(triangle, norm="1", uplo="L", diag="N")
    if not share > WELL_POSED:
        return Whitener(triangle, inverted=False)
    inverse, _ = dtrtri(triangle, lower=1, overwrite_c=1)
    return Whitener(inverse, inverted=True)


def whiten(triangle: Whitener, covariance: FloatArray) -> FloatArray:
    """Return L^-1 C.

    Parameters
    ----------
    triangle : Whitener
        Of the data.
    covariance : array, shape (n, m)
        Covariances of data and targets; overwritten where they lie row by row.

    Returns
    -------
    whitened : array, shape (n, m)
        In the place of the covariances where they are overwritten.

    Examples
    --------
    >>> whiten(whitener(np.diag([1.0, 2.0])), np.ones((2, 1))).tolist()
    [[1.0], [0.5]]
    """
    # Row by row is column by column of the transpose, which BLAS can take in place.
    multiply = dtrmm if triangle.inverted else dtrsm
    turned = multiply(
        1.0,
        triangle.triangle,
        covariance.T,
        side=1,
        lower=1,
        trans_a=1,
        overwrite_b=1,
    )
    return np.asarray(turned.T, dtype=np.float64)
