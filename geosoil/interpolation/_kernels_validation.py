"""What kriging would say of data left out, from one inverse: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.linalg.lapack import dpotri

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SINGULAR = 1e-12
"""Share of a precision below which the data left behind cannot tell the drift."""


def leave_out(
    lower: FloatArray, drift: FloatArray, values: FloatArray, folds: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Krige each datum from the data of the other folds, all from one inverse.

    Parameters
    ----------
    lower : array, shape (n, n)
        Cholesky factor of the covariances C of the data, measurement variance in it.
    drift : array, shape (n, k)
        Columns F of the drift; one of ones for ordinary kriging.
    values : array, shape (n,)
        Data z.
    folds : array of int, shape (n,)
        Fold of each datum, 0 or more.

    Returns
    -------
    residual : array, shape (n,)
        Datum minus its estimate; NaN where the other folds cannot tell the drift.
    variance : array, shape (n,)
        Variance of that residual.

    Notes
    -----
    B = C^-1 - C^-1 F (F'C^-1 F)^-1 F'C^-1 is the upper left part of the inverse of the
    kriging matrix. For the data G of a fold the residuals are (B_GG)^-1 (B z)_G and
    their covariance is (B_GG)^-1; for a single datum (B z)_i / B_ii and 1 / B_ii.

    References
    ----------
    Dubrule (1983), Cross validation of kriging in a unique neighborhood, Journal of
    the International Association for Mathematical Geology 15,
    doi:10.1007/BF01033232.

    Examples
    --------
    >>> residual, variance = leave_out(
    ...     np.eye(3), np.ones((3, 1)), np.array([0.0, 0.0, 3.0]), np.arange(3)
    ... )
    >>> residual.round(6).tolist(), variance.round(6).tolist()
    ([-1.5, -1.5, 3.0], [1.5, 1.5, 1.5])
    """
    inverse, _ = dpotri(lower, lower=1)
    inverse = np.tril(inverse) + np.tril(inverse, -1).T
    precision = np.diagonal(inverse).copy()
    through = inverse @ drift
    inverse -= through @ np.linalg.solve(drift.T @ through, through.T)
    # B F = 0: what the drift explains can be taken away beforehand, for its digits.
    rest = values - drift @ np.linalg.lstsq(drift, values, rcond=None)[0]
    scaled = inverse @ rest
    residual = np.full(len(values), np.nan)
    variance = np.full(len(values), np.nan)
    kept = np.diagonal(inverse)
    single = (np.bincount(folds)[folds] == 1) & (kept > SINGULAR * precision)
    residual[single] = scaled[single] / kept[single]
    variance[single] = 1.0 / kept[single]
    for members in _groups(folds):
        block = inverse[np.ix_(members, members)]
        answer = _solve_group(block, scaled[members], precision[members])
        residual[members], variance[members] = answer
    return residual, variance


def _groups(folds: IntArray) -> list[IntArray]:
    """Return the members of each fold of two or more."""
    order = np.argsort(folds, kind="stable")
    cuts = np.flatnonzero(np.diff(folds[order])) + 1
    return [members for members in np.split(order, cuts) if len(members) > 1]


def _solve_group(
    block: FloatArray, right: FloatArray, precision: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return residuals and variances of one fold; NaN where its block is singular."""
    scale = 1.0 / np.sqrt(precision)
    nothing = np.full(len(right), np.nan)
    try:
        lower = cholesky(block * scale[:, None] * scale, lower=True)
    except LinAlgError:
        return nothing, nothing
    if not (np.square(np.diagonal(lower)) > SINGULAR).all():
        return nothing, nothing
    covariance = cho_solve((lower, True), np.eye(len(right)))
    residual: FloatArray = (covariance @ (right * scale)) * scale
    return residual, np.diagonal(covariance) * scale**2
