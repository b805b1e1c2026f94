"""Three ways to draw a field at places given its data, each a linear map of noise."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_solve, solve_triangular
from scipy.linalg.lapack import dpstrf

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_system import (
    NEGATIVE,
    KrigingData,
    KrigingSystem,
    SingularKrigingError,
)
from geosoil.interpolation.simulation_path import multigrid_path
from geosoil.interpolation.simulation_walk import Walk, without_nugget

IntArray = npt.NDArray[np.int64]

BLOCK = 2048
"""Targets whose covariances with the data are reckoned at a time."""


class Sampler(Protocol):
    """Draws a field of mean 0 at places, given the residuals of its data."""

    n_numbers: int
    """Standard normal numbers that a realisation takes."""

    def draw(self, residuals: FloatArray, noise: FloatArray) -> FloatArray:
        """Return realisations (r, u) from residuals (r, n) and noise (r, n_numbers)."""


class ExactSampler:
    """Draw from the joint distribution of all targets, by one Cholesky factor.

    Parameters
    ----------
    system : KrigingSystem
        Model and data.
    targets : array, shape (u, 2)
        Different places without a noise-free datum.

    Notes
    -----
    With L L' = C the covariance of the data and V = L**-1 C_dt, the realisations are
    V' L**-1 r + R e with R R' = C_tt - V'V; R from a Cholesky decomposition with
    pivots, since places close together may have no regular covariance.

    References
    ----------
    Davis (1987), Production of conditional simulations via the LU triangular
    decomposition of the covariance matrix, Mathematical Geology 19,
    doi:10.1007/BF00898189.
    """

    def __init__(self, system: KrigingSystem, targets: FloatArray) -> None:
        self.n_numbers = len(targets)
        between = system.data.covariances.between
        near = between(system.data.xy, targets)
        white = solve_triangular(system.lower, near, lower=True)
        self._weights = solve_triangular(system.lower, white, lower=True, trans="T")
        self._root = semidefinite_root(between(targets, targets) - white.T @ white)

    def draw(self, residuals: FloatArray, noise: FloatArray) -> FloatArray:
        """Return realisations (r, u) from residuals (r, n) and noise (r, u)."""
        return residuals @ self._weights + noise @ self._root.T


class SequentialSampler:
    """Draw target after target, each given its nearest data and earlier targets.

    Parameters
    ----------
    data : KrigingData
        Model and data.
    targets : array, shape (u, 2)
        Different places without a noise-free datum [m].
    rng : Generator
        Source of the path, which all realisations share.
    n_neighbors : int
        Data and earlier targets that each one heeds.

    Notes
    -----
    The nugget tells nothing of other places: the path is walked without it, the data
    being noisy by it, and each target gets its own afterwards. A target at the place
    of a noisy datum shares the nugget of the datum, of which the datum tells.

    References
    ----------
    Gomez-Hernandez and Journel (1993), Joint sequential simulation of multi-Gaussian
    fields, doi:10.1007/978-94-011-1739-5_8.
    """

    def __init__(
        self,
        data: KrigingData,
        targets: FloatArray,
        *,
        rng: np.random.Generator,
        n_neighbors: int,
    ) -> None:
        count, nugget = len(targets), data.covariances.variogram.nugget
        self.n_numbers = 2 * count
        self._path = multigrid_path(targets, rng)
        self._walk = Walk.of(
            without_nugget(data.covariances.variogram),
            data.xy,
            targets[self._path],
            noise=np.concatenate([data.noise + nugget, np.zeros(count)]),
            n_neighbors=n_neighbors,
        )
        _, row = distinct_places(data.xy, targets)
        owner = np.full(len(row), -1)
        owner[row[: len(data.xy)]] = np.arange(len(data.xy))
        owner = owner[row[len(data.xy) :]]
        self._shared = np.flatnonzero(owner >= 0)
        self._datum = owner[self._shared]
        total = data.noise[self._datum] + nugget
        self._shrink = np.divide(
            nugget, total, out=np.zeros_like(total), where=total > 0
        )
        spread = np.full(count, nugget)
        spread[self._shared] = self._shrink * data.noise[self._datum]
        self._spread = np.sqrt(spread)

    def draw(self, residuals: FloatArray, noise: FloatArray) -> FloatArray:
        """Return realisations (r, u) from residuals (r, n) and noise (r, 2 u)."""
        count = len(self._path)
        drawn = np.empty((len(noise), count))
        drawn[:, self._path] = self._walk.go(np.hstack([residuals, noise[:, :count]]))
        misfit = residuals[:, self._datum] - drawn[:, self._shared]
        drawn[:, self._shared] += self._shrink * misfit
        drawn += self._spread * noise[:, count:]
        return drawn


class ResidualSampler:
    """Draw a field without data, and krige the misfit that it has at the data.

    Parameters
    ----------
    system : KrigingSystem
        Model and data.
    targets : array, shape (u, 2)
        Different places without a noise-free datum [m].
    rng : Generator
        Source of the path, which all realisations share.
    n_neighbors : int
        Earlier places that each one heeds in the field without data.

    Notes
    -----
    y is drawn along a path at data and targets (its nugget apart), e is the error of
    the data: then y_t + C_td C**-1 (r - y_d - e) has the right distribution if y has.
    All data are used at once, so that the expected realisation is the kriging
    estimate to rounding.

    References
    ----------
    Journel (1974), Geostatistics for conditional simulation of ore bodies, Economic
    Geology 69, doi:10.2113/gsecongeo.69.5.673.
    """

    def __init__(
        self,
        system: KrigingSystem,
        targets: FloatArray,
        *,
        rng: np.random.Generator,
        n_neighbors: int,
    ) -> None:
        data = system.data
        self._system, self._targets = system, targets
        places, row = distinct_places(data.xy, targets)
        path = multigrid_path(places, rng)
        position = np.empty(len(path), dtype=np.int64)
        position[path] = np.arange(len(path))
        self._at_data, self._at_targets = np.split(position[row], [len(data.xy)])
        structure = without_nugget(data.covariances.variogram)
        self._walk = Walk.of(
            structure, np.empty((0, 2)), places[path], n_neighbors=n_neighbors
        )
        self.n_numbers = len(data.xy) + 2 * len(places)

    def draw(self, residuals: FloatArray, noise: FloatArray) -> FloatArray:
        """Return realisations (r, u) from residuals (r, n) and noise."""
        data, count = self._system.data, residuals.shape[1]
        error, smooth, rough = np.split(
            noise, [count, count + len(self._walk.left)], axis=1
        )
        free = self._walk.go(smooth.copy())
        free += np.sqrt(data.covariances.variogram.nugget) * rough
        misfit = residuals - free[:, self._at_data] - error * np.sqrt(data.noise)
        dual = cho_solve((self._system.lower, True), misfit.T).T
        drawn = free[:, self._at_targets]
        for start in range(0, len(self._targets), BLOCK):
            part = slice(start, start + BLOCK)
            near = data.covariances.between(data.xy, self._targets[part])
            drawn[:, part] += dual @ near
        return drawn


def distinct_places(
    first: FloatArray, second: FloatArray
) -> tuple[FloatArray, IntArray]:
    """Return the different places of two sets, and where each place stands in them.

    Parameters
    ----------
    first : array, shape (n, 2)
        Places.
    second : array, shape (m, 2)
        Other places.

    Returns
    -------
    places : array, shape (k, 2)
        Different places in rising order.
    row : array of int, shape (n + m,)
        Row of each place of the first and then the second set.

    Examples
    --------
    >>> places, row = distinct_places(np.eye(2), np.array([[1.0, 0.0]]))
    >>> places.tolist(), row.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [1, 0, 1])
    """
    both = np.concatenate([first, second])
    places, row = np.unique(both, axis=0, return_inverse=True)
    return places, row.ravel()


def semidefinite_root(matrix: FloatArray) -> FloatArray:
    """Return a root of a covariance that may be singular.

    Parameters
    ----------
    matrix : array, shape (u, u)
        Covariance, which may be overwritten.

    Returns
    -------
    root : array, shape (u, u)
        root @ root.T is the matrix, to rounding.

    Raises
    ------
    SingularKrigingError
        If it is the covariance of no field.

    Examples
    --------
    >>> semidefinite_root(np.array([[4.0, 2.0], [2.0, 1.0]])).tolist()
    [[2.0, 0.0], [1.0, 0.0]]
    """
    if len(matrix) == 0:
        return matrix
    largest = max(float(np.diagonal(matrix).max()), np.finfo(float).tiny)
    factor, pivot, rank, _ = dpstrf(matrix, lower=1, overwrite_a=1)
    if np.diagonal(factor)[rank:].min(initial=0.0) < -NEGATIVE * largest:
        message = (
            "The variogram is the covariance of no field at these places: the variance "
            "that the data leave is negative. Use distance 'projected', or another "
            "model."
        )
        raise SingularKrigingError(message)
    factor = np.tril(factor)
    factor[:, rank:] = 0.0
    root = np.empty(matrix.shape)
    root[pivot - 1] = factor
    return root
