"""One kriging system of all data: factored once, then answered for any target."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular

from geosoil.errors import InputError
from geosoil.interpolation._kernels_kriging_global import Whitener, whiten, whitener
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_covariance import Covariances
from geosoil.interpolation.kriging_scaled import covariances_with
from geosoil.interpolation.kriging_targets import WEIGHTS, Targets
from geosoil.interpolation.variogram_nested import AnyVariogram

StatusArray = npt.NDArray[np.int8]

BLOCK = 1024
"""Targets a block, so that its covariances stay in the cache."""

DENSE_LIMIT = 5000
"""Data above which one system for all is refused: its matrix alone is 200 MB."""

RANK = 1e-10
"""Share of its length below which a column of the drift depends on those before it."""

NEGATIVE = 1e-6
"""Share of the sill below 0 from which a variance is no rounding."""

OK, FEW, SINGULAR, DRIFT = range(4)
"""Status of a target: answered; too few data; covariances without a unique inverse;
a drift that the data at hand cannot tell."""


class SingularKrigingError(InputError):
    """The kriging system has no unique answer (places too close for the model)."""


@dataclass(frozen=True, slots=True, eq=False)
class KrigingData:
    """What is known at the data."""

    xy: FloatArray
    """Places, shape (n, 2)."""
    values: FloatArray
    """Values, counted from the level of the kriging, shape (n,)."""
    noise: FloatArray
    """Variance of the error of each value, shape (n,)."""
    drift: FloatArray
    """Columns F of the drift, shape (n, p); none where the mean is known."""
    covariances: Covariances
    """The variogram with its distances."""


@dataclass(frozen=True, eq=False)
class KrigingSystem:
    """What the data fix, whatever the target."""

    data: KrigingData
    """The data."""
    lower: FloatArray
    """Cholesky factor L of the covariances C, errors on the diagonal, shape (n, n)."""
    orthonormal: FloatArray
    """Q of the whitened drift, L^-1 F = Q R, shape (n, p)."""
    upper: FloatArray
    """R of the whitened drift, shape (p, p)."""
    coefficients: FloatArray
    """Generalised least squares b = R^-1 Q'L^-1 z, shape (p,)."""
    dual: FloatArray
    """C^-1 (z - F b), shape (n,)."""

    @cached_property
    def whitener(self) -> Whitener:
        """What multiplies by L^-1; made with the first variance that is asked for."""
        return whitener(self.lower)

    def coefficient_covariance(self) -> FloatArray:
        """Return the covariance of the coefficients, (F'C^-1 F)^-1.

        Returns
        -------
        covariance : array, shape (p, p)
            In squared units of the scaled columns.
        """
        inverse = solve_triangular(self.upper, np.eye(len(self.upper)))
        return np.asarray(inverse @ inverse.T, dtype=np.float64)


def solve_system(data: KrigingData) -> KrigingSystem:
    """Factor the covariances and estimate the drift by generalised least squares.

    Parameters
    ----------
    data : KrigingData
        The data.

    Returns
    -------
    system : KrigingSystem
        The factors and solutions.

    Raises
    ------
    SingularKrigingError
        If the covariances have no unique inverse, or are those of no field.
    InputError
        If there are more data than :data:`DENSE_LIMIT`.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> model = Covariances(Variogram("nugget", 1.0, 0.0, 1.0), "projected")
    >>> sites, ones = np.array([[0.0, 0.0], [9.0, 0.0]]), np.ones((2, 1))
    >>> data = KrigingData(sites, np.array([1.0, 3.0]), np.zeros(2), ones, model)
    >>> system = solve_system(data)
    >>> system.coefficients.round(9).tolist(), system.dual.round(9).tolist()
    ([2.0], [-1.0, 1.0])
    """
    check_size(len(data.xy))
    model = data.covariances.variogram
    covariance = data.covariances.between(data.xy, data.xy)
    if data.covariances.distance == "wgs84":
        check_definite(covariance, model)
    covariance[np.diag_indices(len(data.xy))] += data.noise
    try:
        lower = cholesky(covariance, lower=True, check_finite=False)
    except LinAlgError:
        lower = np.zeros_like(covariance)
    check_regular(np.diagonal(lower), model)
    orthonormal, upper = np.linalg.qr(solve_triangular(lower, data.drift, lower=True))
    along = orthonormal.T @ solve_triangular(lower, data.values, lower=True)
    coefficients = np.asarray(solve_triangular(upper, along), dtype=np.float64)
    dual = cho_solve((lower, True), data.values - data.drift @ coefficients)
    return KrigingSystem(data, lower, orthonormal, upper, coefficients, dual)


def answer_system(
    system: KrigingSystem, targets: Targets, target_drift: FloatArray, outputs: int
) -> FloatArray:
    """Estimate targets from a system of all data, a block of them at a time.

    Parameters
    ----------
    system : KrigingSystem
        The data.
    targets : Targets, m of them
        Points or blocks.
    target_drift : array, shape (m, p)
        Columns of the drift at the targets.
    outputs : int
        How many answers, 1 to 3.

    Returns
    -------
    answers : array, shape (outputs, m)
        Estimates; kriging variances; the part of them that is due to the drift.

    Notes
    -----
    The estimate is f'b + c'C^-1 (z - F b); its variance that of the kriged residual,
    C(0) - c'C^-1 c, and that of the drift, d'(F'C^-1 F)^-1 d with d = f - F'C^-1 c.
    """
    answers = np.empty((outputs, len(targets.xy)))
    with_part = covariances_with(system.data.covariances, system.data.xy, targets)
    step = BLOCK if targets.support is None else BLOCK // len(WEIGHTS)
    for start in range(0, len(targets.xy), step):
        part = slice(start, start + step)
        some, drift = targets.part(part), target_drift[part]
        near = with_part(some)
        answers[0, part] = drift @ system.coefficients + system.dual @ near
        if outputs > 1:
            own = system.data.covariances.of_targets(some)
            answers[1:, part] = _variances(system, near, drift, own)[: outputs - 1]
    return answers


def _variances(
    system: KrigingSystem, near: FloatArray, drift: FloatArray, own: FloatArray
) -> FloatArray:
    """Return kriging variances and those of the drift, shape (2, m)."""
    white = whiten(system.whitener, near)
    trend = np.linalg.solve(system.upper.T, drift.T)
    gap = trend - system.orthonormal.T @ white
    excess = np.einsum("ij,ij->j", gap, gap)
    residual = rounded_up(own - np.einsum("ij,ij->j", white, white), own)
    return np.stack([residual + excess, excess])


def rounded_up(variance: FloatArray, own: FloatArray) -> FloatArray:
    """Return variances in which what rounding took below 0 is 0.

    Parameters
    ----------
    variance : array, shape (m,)
        Variances of residuals.
    own : array, shape (m,)
        Variances of the field.

    Returns
    -------
    variance : array, shape (m,)
        Those far below 0 stay: the model is then no covariance of any field.

    Examples
    --------
    >>> rounded_up(np.array([-1e-17, -0.5]), np.ones(2)).tolist()
    [0.0, -0.5]
    """
    return np.where(variance < -NEGATIVE * own, variance, np.maximum(variance, 0.0))


def check_size(count: int) -> None:
    """Raise where one system for all data would be too large.

    Parameters
    ----------
    count : int
        Number of data.

    Raises
    ------
    InputError
        If there are more than :data:`DENSE_LIMIT`.

    Examples
    --------
    >>> check_size(100)
    """
    if count > DENSE_LIMIT:
        message = (
            f"One system of {count} data needs {8 * count**2 / 1e9:.1f} GB. "
            "Give n_neighbors, for instance 32."
        )
        raise InputError(message)


def check_regular(diagonal: FloatArray, variogram: AnyVariogram) -> None:
    """Raise if a Cholesky factor shows that its matrix has no unique inverse.

    Parameters
    ----------
    diagonal : array, shape (..., n)
        Diagonal of the factor; zeros where it failed.
    variogram : Variogram
        Model, for the message.

    Raises
    ------
    SingularKrigingError
        If the smallest square is lost in the rounding of the largest.
    """
    squares = np.square(diagonal)
    limit = 10 * np.finfo(float).eps * diagonal.shape[-1]
    if not (squares.min(axis=-1) > limit * squares.max(axis=-1)).all():
        raise singular_error(variogram)


def singular_error(variogram: AnyVariogram) -> SingularKrigingError:
    """Return the error that names what makes a system singular.

    Parameters
    ----------
    variogram : Variogram
        Model of the covariances.

    Returns
    -------
    error : SingularKrigingError
        To be raised.
    """
    message = (
        f"The kriging system is singular: a {variogram.model} variogram with "
        f"nugget {variogram.nugget:g} and range {variogram.range_:g} m cannot tell "
        "the closest places apart. Give it a nugget, give the variance of the "
        "measurements, or merge the closest places."
    )
    return SingularKrigingError(message)


def check_definite(covariance: FloatArray, variogram: AnyVariogram) -> None:
    """Raise if covariances of geodesic distances are none of any field.

    Parameters
    ----------
    covariance : array, shape (..., n, n)
        Covariances of the data, without the variance of their errors.
    variogram : Variogram
        Model, for the message.

    Raises
    ------
    SingularKrigingError
        If an eigenvalue is negative beyond rounding.

    Notes
    -----
    Models are positive definite in the plane; on the globe they need not be, least of
    all smooth ones of a long range.

    References
    ----------
    Gneiting (2013), Strictly and non-strictly positive definite functions on spheres,
    Bernoulli 19, doi:10.3150/12-BEJSP06.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> check_definite(np.eye(2), Variogram("nugget", 1.0, 0.0, 1.0))
    """
    values = np.linalg.eigvalsh(covariance)
    smallest, largest = values[..., 0], values[..., -1]
    share = float((smallest / np.maximum(largest, np.finfo(float).tiny)).min())
    if share < -10 * np.finfo(float).eps * covariance.shape[-1]:
        message = (
            f"A {variogram.model} variogram of range {variogram.range_:g} m is not "
            "positive definite on these geodesic distances: the smallest eigenvalue of "
            f"the covariances is {share:.2g} of the largest. Use distance 'projected', "
            "another model, or a shorter range."
        )
        raise SingularKrigingError(message)
