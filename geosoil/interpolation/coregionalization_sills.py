"""The sill matrices that fit best of all that can be, after Goulard and Voltz."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.coregionalization_pairs import PairArrays

ROUNDS = 20000
"""Most rounds over the matrices."""

TOLERANCE = 1e-12
"""Change of the matrices, in standard deviations, at which the rounds end."""

ROUNDING = 1e-12
"""Eigenvalue below 0 that is put down to rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class SillMatrices:
    """Sill matrices of given rises, each variable in its standard deviations."""

    matrices: FloatArray
    """Nugget and structures, shape (k, p, p), positive semi-definite."""
    squares: float
    """Weighted sum of squared residuals."""
    lowest: tuple[float, ...]
    """Lowest eigenvalue of each matrix that least squares alone would give."""
    rounds: int
    """Rounds over the matrices; 0 where least squares alone were fit."""
    converged: bool
    """Whether the rounds ended by themselves."""


def fit_sills(
    arrays: PairArrays, rises: FloatArray, *, tolerance: float = TOLERANCE
) -> SillMatrices:
    """Fit positive semi-definite sill matrices to classes of distance.

    Parameters
    ----------
    arrays : PairArrays
        Empirical variograms of p variables.
    rises : array, shape (k, p, p, m)
        Rise of each structure at the distances; ones for the nugget.
    tolerance : float
        Change of the matrices at which the rounds end.

    Returns
    -------
    sills : SillMatrices
        The matrices with the least weighted squares of all that can be.

    Notes
    -----
    Minimised is sum(w_ij (gamma_ij - sum_k Bk_ij rise_k)**2) over matrices Bk without
    a negative eigenvalue, the criterion of Goulard and Voltz (1992): a convex problem.
    Least squares come first; where one of their matrices cannot be, all matrices walk
    downhill together and after each step their negative eigenvalues are set to 0. The
    steps gather momentum, which is dropped whenever it leads uphill (Beck and Teboulle
    2009, O'Donoghue and Candes 2015): the answer is that of Goulard and Voltz, who fit
    one matrix after the other, in a tenth of the rounds, and it stays the best one
    where the pairs of variables have different weights (not all measured at all
    places).

    References
    ----------
    Goulard and Voltz (1992), Linear coregionalization model: Tools for estimation and
    choice of cross-variogram matrix, Mathematical Geology 24, doi:10.1007/BF00893750.
    Beck and Teboulle (2009), A fast iterative shrinkage-thresholding algorithm for
    linear inverse problems, SIAM Journal on Imaging Sciences 2, doi:10.1137/080716542.
    O'Donoghue and Candes (2015), Adaptive restart for accelerated gradient schemes,
    Foundations of Computational Mathematics 15, doi:10.1007/s10208-013-9150-3.
    """
    gram = np.einsum("aijm,bijm,ijm->abij", rises, rises, arrays.weights)
    right = np.einsum("aijm,ijm->aij", rises, arrays.weights * arrays.gamma)
    free = _least_squares(gram, right)
    lowest = np.linalg.eigvalsh(free)[:, 0]
    matrices, rounds, converged = nearest_matrices(free), 0, True
    if lowest.min() < -ROUNDING:
        matrices, rounds, converged = _improve(matrices, gram, right, tolerance)
    model = np.einsum("aij,aijm->ijm", matrices, rises)
    squares = float(np.sum(arrays.weights * (arrays.gamma - model) ** 2))
    return SillMatrices(matrices, squares, tuple(lowest.tolist()), rounds, converged)


def _least_squares(gram: FloatArray, right: FloatArray) -> FloatArray:
    """Return the best matrices, whatever their eigenvalues, shape (k, p, p)."""
    systems = np.moveaxis(gram, (0, 1), (-2, -1))
    inverse = np.linalg.pinv(systems, rcond=1e-13, hermitian=True)
    return np.asarray(np.einsum("ijab,bij->aij", inverse, right))


def _improve(
    start: FloatArray, gram: FloatArray, right: FloatArray, tolerance: float
) -> tuple[FloatArray, int, bool]:
    """Walk to the best matrices; return them, the rounds and whether they ended."""
    unit = np.sqrt(np.einsum("aaij->aij", gram).max(axis=(1, 2)))[:, None, None]
    gram = gram / (unit[:, None] * unit[None, :])
    right = right / unit
    steep = np.linalg.eigvalsh(np.moveaxis(gram, (0, 1), (-2, -1))).max()
    here = start * unit
    ahead, momentum = here, 1.0
    for rounds in range(1, ROUNDS + 1):
        slope = np.einsum("abij,bij->aij", gram, ahead) - right
        better = nearest_matrices(ahead - slope / steep)
        change = np.maximum(np.abs(better - here), np.abs(better - ahead)) / unit
        if change.max() <= tolerance:
            return better / unit, rounds, True
        if np.sum((ahead - better) * (better - here)) > 0:
            ahead, momentum = better, 1.0
        else:
            longer = (1.0 + np.sqrt(1.0 + 4.0 * momentum**2)) / 2.0
            ahead = better + (momentum - 1.0) / longer * (better - here)
            momentum = longer
        here = better
    return here / unit, ROUNDS, False


def nearest_matrices(matrices: FloatArray) -> FloatArray:
    """Return the nearest symmetric matrices without a negative eigenvalue.

    Parameters
    ----------
    matrices : array, shape (..., p, p)
        Symmetric matrices.

    Returns
    -------
    nearest : array, shape (..., p, p)
        Those without a negative eigenvalue as they are; of the others the negative
        eigenvalues are 0.

    Examples
    --------
    >>> nearest_matrices(np.array([[0.0, 1.0], [1.0, 0.0]])).tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    values, vectors = np.linalg.eigh(matrices)
    turned = np.swapaxes(vectors, -1, -2)
    positive = (vectors * np.maximum(values, 0.0)[..., None, :]) @ turned
    positive = (positive + np.swapaxes(positive, -1, -2)) / 2
    return np.where(values[..., :1, None] < 0, positive, matrices)
