"""Ordinary kriging: the best linear unbiased estimate, with its variance."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
from pyproj import CRS
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.spatial import cKDTree

from geosoil.errors import InputError
from geosoil.interpolation.base import ALBERS, FloatArray, Interpolator
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.variogram import (
    AnyVariogram,
    Model,
    Variogram,
    fit_variogram,
)

BLOCK = 512
"""Targets a block, so that its covariances stay in the cache."""

LOCAL_NUMBERS = 2**22
"""Numbers in the local systems that are solved together."""

DENSE_LIMIT = 5000
"""Data above which one system for all is refused: its matrix alone is 200 MB."""


class SingularKrigingError(InputError):
    """The kriging system has no unique answer (places too close for the model)."""


class Kriging(Interpolator):
    """Krige values at points with an unknown constant mean.

    Parameters
    ----------
    variogram : Variogram, NestedVariogram or str
        The variogram, or the name of a model to be fitted to each set of points.
        Neighbours are the nearest ones on the map, also where it has a direction.
    n_neighbors : int, optional
        Use the nearest ones only; all by default.
    max_distance : float, optional
        Use data within this distance only [m]; NaN where there are none.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    SingularKrigingError
        From fit or estimate, if the covariances of the data have no unique inverse.
    InputError
        If more than 5000 data are to be used at once.

    Notes
    -----
    With C the covariances of the data (their measurement variance added to the
    diagonal) and c those with the target: the generalised mean is
    m = 1'C^-1 z / 1'C^-1 1, the estimate m + c'C^-1 (z - m), and the variance
    C(0) - c'C^-1 c + (1 - 1'C^-1 c)**2 / 1'C^-1 1. The nugget is part of the field:
    at a datum without measurement variance the estimate is the datum and the variance
    0. A measurement variance, and the error of a variogram, is noise that the estimate
    filters out.

    References
    ----------
    Matheron (1963), Principles of geostatistics, Economic Geology 58,
    doi:10.2113/gsecongeo.58.8.1246.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> kriging = Kriging(Variogram("spherical", 0.0, 1.0, 5000.0)).fit(sites, [1, 3])
    >>> answer = kriging.predict([[500.0, 0.0], [1000.0, 0.0]])
    >>> answer.estimate.values.round(6).tolist()
    [2.0, 3.0]
    >>> answer.kriging_variance.values.round(6).tolist()
    [0.151, 0.0]
    """

    method = "ordinary kriging"

    def __init__(
        self,
        variogram: AnyVariogram | str,
        *,
        n_neighbors: int | None = None,
        max_distance: float | None = None,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        self.variogram = variogram
        self.neighborhood = Neighborhood(n_neighbors, max_distance)

    def _prepare(self) -> None:
        """Fit the variogram if asked to, and factor the global system."""
        xy, count = self.points_.xy, len(self.points_.xy)
        fitted = self.variogram
        if isinstance(fitted, str):
            fitted = fit_variogram(xy, self.points_.values, model=fitted)  # type: ignore[call-overload]  # checked there
        self.variogram_ = fitted
        # Equal values have no variance: any model then gives the weights.
        equal = fitted.sill == 0 and self.points_.variance is None
        self._model = Variogram("nugget", 1.0, 0.0, fitted.range_) if equal else fitted
        self._unit = 0.0 if equal else 1.0
        self.tree_ = cKDTree(xy)
        if self.neighborhood.is_global(count):
            self._factor()

    def _factor(self) -> None:
        """Factor the covariances of all data once; estimates then cost O(n) each."""
        xy, values = self.points_.xy, self.points_.values
        if len(xy) > DENSE_LIMIT:
            message = (
                f"One system of {len(xy)} data needs {8 * len(xy) ** 2 / 1e9:.1f} GB. "
                "Give n_neighbors, for instance 32."
            )
            raise InputError(message)
        covariance = self._model.covariance_between(xy, xy)
        covariance[np.diag_indices(len(xy))] += self._noise()
        try:
            lower = cholesky(covariance, lower=True, check_finite=False)
        except LinAlgError:
            lower = np.zeros_like(covariance)
        check_regular(np.diagonal(lower), self._model)
        self._lower = lower
        self._ones = solve_triangular(lower, np.ones(len(xy)), lower=True)
        self._precision = float(self._ones @ self._ones)
        whitened = solve_triangular(lower, values, lower=True)
        self.mean_ = float(self._ones @ whitened) / self._precision
        self._dual = cho_solve((lower, True), values - self.mean_)

    def _noise(self) -> FloatArray:
        """Return the variance of the error of each value, which estimates filter."""
        known = self.points_.variance
        own = np.zeros(len(self.points_.values)) if known is None else known
        return own + self._model.error

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block; NaN where a target has no position or no data."""
        answers = np.full((2, len(targets)), np.nan)
        placed = np.flatnonzero(np.isfinite(targets).all(axis=1))
        all_data = self.neighborhood.is_global(len(self.points_.values))
        solve, step = (self._global, BLOCK) if all_data else (self._local, self._step())
        for start in range(0, len(placed), step):
            part = placed[start : start + step]
            answers[:, part] = solve(targets[part])
        estimate, variance = answers
        variance = np.maximum(variance, 0.0) * self._unit
        return {"estimate": estimate, "kriging_variance": variance}

    def _global(self, targets: FloatArray) -> FloatArray:
        """Return estimate and variance, shape (2, m), from all data."""
        covariance = self._model.covariance_between(self.points_.xy, targets)
        estimate = self.mean_ + self._dual @ covariance
        whitened = solve_triangular(
            self._lower, covariance, lower=True, overwrite_b=True, check_finite=False
        )
        gap = 1.0 - self._ones @ whitened
        known = np.einsum("ij,ij->j", whitened, whitened)
        return np.stack([estimate, self._model.sill - known + gap**2 / self._precision])

    def _step(self) -> int:
        """Return how many local systems are solved together."""
        count = len(self.points_.values)
        used = min(self.neighborhood.n_neighbors or count, count)
        return max(1, LOCAL_NUMBERS // used**2)

    def _local(self, targets: FloatArray) -> FloatArray:
        """Return estimate and variance, shape (2, m), each from its neighbours.

        A neighbour that is not there gets a row of the identity and no weight.
        """
        indices, distances = self.neighborhood.search(self.tree_, targets)
        there = np.isfinite(distances)
        xy = self.points_.xy[indices]
        offsets = xy[:, :, None, :] - xy[:, None, :, :]
        covariance = self._model.covariance_of(offsets[..., 0], offsets[..., 1])
        diagonal = np.arange(indices.shape[1])
        covariance[:, diagonal, diagonal] += self._noise()[indices]
        covariance *= there[:, :, None] & there[:, None, :]
        covariance[:, diagonal, diagonal] += ~there
        away = np.where(there[..., None], targets[:, None, :] - xy, 1.0)
        near = self._model.covariance_of(away[..., 0], away[..., 1]) * there
        values = self.points_.values[indices] * there
        right = np.stack([near, there.astype(float), values], axis=-1)
        answer = np.linalg.solve(self._regular(covariance), right)
        ones, precision = there.astype(float), (answer[:, :, 1] * there).sum(axis=1)
        lonely = precision == 0
        precision = np.where(lonely, np.nan, precision)
        mean = (answer[:, :, 2] * ones).sum(axis=1) / precision
        residual = answer[:, :, 2] - mean[:, None] * answer[:, :, 1]
        estimate = mean + (near * residual).sum(axis=1)
        gap = 1.0 - (near * answer[:, :, 1]).sum(axis=1)
        known = (near * answer[:, :, 0]).sum(axis=1)
        return np.stack([estimate, self._model.sill - known + gap**2 / precision])

    def _regular(self, covariance: FloatArray) -> FloatArray:
        """Return the local matrices; raise if one has no unique inverse."""
        try:
            lower = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            lower = np.zeros_like(covariance)
        check_regular(np.diagonal(lower, axis1=1, axis2=2), self._model)
        return covariance

    def _settings(self) -> dict[str, Any]:
        """Return the method with variogram and neighbourhood."""
        variogram = self.variogram_
        settings = {
            "method": self.method,
            "variogram": variogram.model,
            "nugget": variogram.nugget,
            "partial_sill": variogram.partial_sill,
            "range": variogram.range_,
            "variogram_flag": variogram.flag or None,
            "n_neighbors": self.neighborhood.n_neighbors,
            "max_distance": self.neighborhood.max_distance,
        }
        return {key: value for key, value in settings.items() if value is not None}


def check_plain(variogram: Variogram | str) -> None:
    """Raise on a variogram that kriging with elevation does not take.

    Parameters
    ----------
    variogram : Variogram or str
        Variogram, or the name of a model to be fitted.

    Raises
    ------
    InputError
        If the model is unknown, or the variogram has a direction or an error.

    Examples
    --------
    >>> check_plain("spherical")
    """
    if isinstance(variogram, str):
        if variogram not in get_args(Model):
            message = f"Unknown model '{variogram}'. Give one of {get_args(Model)}."
            raise InputError(message)
    elif variogram.error > 0 or not variogram.is_isotropic:
        message = (
            "Kriging with elevation takes a variogram that is the same in all "
            "directions and has no error of measurement. Give one, or use Kriging."
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
        message = (
            f"The kriging system is singular: a {variogram.model} variogram with "
            f"nugget {variogram.nugget:g} and range {variogram.range_:g} m cannot tell "
            "the closest places apart. Give it a nugget, give the variance of the "
            "measurements, or merge the closest places."
        )
        raise SingularKrigingError(message)
