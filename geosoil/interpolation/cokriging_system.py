"""Systems of covariances of several variables, solved for blocks of targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.spatial import cKDTree

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.coregionalization_model import Coregionalization, IntArray
from geosoil.interpolation.kriging_system import SingularKrigingError, check_size
from geosoil.interpolation.neighbors import Neighborhood

BLOCK = 512
"""Targets a block, so that its covariances stay in the cache."""

LOCAL_NUMBERS = 2**22
"""Numbers in the local systems that are solved together."""

TOGETHER = 1e-9
"""Correlation short of 1 or -1 at which two variables are one."""


@dataclass(frozen=True, slots=True, eq=False)
class VariableData:
    """Data of several variables, one row a datum."""

    xy: FloatArray
    """Places, shape (n, 2) [m]."""
    variable: IntArray
    """Number of the variable of each datum, shape (n,)."""
    columns: FloatArray
    """Values, shape (n, c): c columns that share their weights."""
    noise: FloatArray
    """Variance of the measurement of each datum, shape (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """All that an estimate needs of the data near m targets.

    With C the covariances of the data, c those with a target, F the columns of the
    drift and z the values, every product is one through the inverse of C.
    """

    known: FloatArray
    """c'C^-1 c, shape (m,)."""
    near: FloatArray
    """c'C^-1 [F z], shape (m, p + c)."""
    gram: FloatArray
    """[F z]'C^-1 [F z], shape (m or 1, p + c, p + c)."""
    n_drift: int
    """Number p of columns of the drift."""
    there: npt.NDArray[np.bool_]
    """Whether a variable has data near the target, shape (m or 1, variables)."""

    def best(self, wanted: FloatArray, sill: float) -> tuple[FloatArray, FloatArray]:
        """Return the best linear unbiased estimates and their variance.

        Parameters
        ----------
        wanted : array, shape (p,)
            Drift at the targets.
        sill : float
            Variance of the field at the targets.

        Returns
        -------
        estimate : array, shape (m, c)
            Estimate of each column of values.
        variance : array, shape (m,)
            Kriging variance.
        """
        p = self.n_drift
        inner = self.gram[:, :p, :p]
        # A drift without data near the target has no coefficient and no weight.
        inner = inner + (np.einsum("mii->mi", inner) == 0)[:, :, None] * np.eye(p)
        gap = wanted - self.near[:, :p]
        coefficients = np.linalg.solve(inner, self.gram[:, :p, p:])
        count = len(gap)
        drift = np.broadcast_to(coefficients, (count, *coefficients.shape[1:]))
        estimate = self.near[:, p:] + np.einsum("mp,mpc->mc", gap, drift)
        shares = np.linalg.solve(np.broadcast_to(inner, (count, p, p)), gap[..., None])
        added = np.einsum("mp,mp->m", gap, shares[..., 0])
        return estimate, sill - self.known + added


class CokrigingSystem:
    """Covariances of the data of several variables, factored where all are used.

    Parameters
    ----------
    model : Coregionalization
        Covariances, each variable with a sill of about 1, so that no unit decides what
        is singular.
    data : VariableData
        The data, in the units of the model.
    drift : array, shape (n, p)
        Columns of the drift.
    neighborhood : Neighborhood
        Data of each variable that a target uses.

    Raises
    ------
    SingularKrigingError
        If the covariances of the data have no unique inverse; local systems raise it
        when they are solved.
    InputError
        If more than 5000 data are to be used at once.
    """

    def __init__(
        self,
        model: Coregionalization,
        data: VariableData,
        *,
        drift: FloatArray,
        neighborhood: Neighborhood,
    ) -> None:
        self.model, self.data, self.drift = model, data, drift
        self.neighborhood = neighborhood
        self._rows = [
            np.flatnonzero(data.variable == k) for k in range(len(model.names))
        ]
        largest = max(len(rows) for rows in self._rows)
        self._all_data = neighborhood.is_global(largest)
        if self._all_data:
            self._factor()
        else:
            self._trees = [cKDTree(data.xy[rows]) for rows in self._rows]

    def blocks(
        self, targets: FloatArray, variable: int
    ) -> Iterator[tuple[IntArray, Products]]:
        """Solve for some targets at a time.

        Parameters
        ----------
        targets : array, shape (m, 2)
            Places [m]; those without a position are left out.
        variable : int
            Number of the variable that is estimated.

        Yields
        ------
        part : array of int, shape (k,)
            Which targets.
        products : Products
            What their estimates need.
        """
        placed = np.flatnonzero(np.isfinite(targets).all(axis=1))
        solve, step = (self._global, BLOCK) if self._all_data else (self._local, 0)
        step = step or self._local_step()
        for start in range(0, len(placed), step):
            part = placed[start : start + step]
            yield part, solve(targets[part], variable)

    def _factor(self) -> None:
        """Factor the covariances of all data once; targets then cost O(n**2) each."""
        data = self.data
        count = len(data.xy)
        check_size(count)
        covariance = self.model.covariance_between(
            data.xy, data.variable, data.xy, data.variable
        )
        covariance[np.diag_indices(count)] += data.noise
        try:
            lower = cholesky(covariance, lower=True, check_finite=False)
        except LinAlgError:
            lower = np.zeros_like(covariance)
        self._check_regular(np.diagonal(lower))
        self._lower = lower
        right = np.hstack([self.drift, data.columns])
        self._white = solve_triangular(lower, right, lower=True)
        self._gram = (self._white.T @ self._white)[None]

    def _global(self, targets: FloatArray, variable: int) -> Products:
        """Return the products with all data."""
        data = self.data
        kind = np.full(len(targets), variable)
        near = self.model.covariance_between(data.xy, data.variable, targets, kind)
        white = solve_triangular(
            self._lower, near, lower=True, overwrite_b=True, check_finite=False
        )
        return Products(
            known=np.einsum("ij,ij->j", white, white),
            near=white.T @ self._white,
            gram=self._gram,
            n_drift=self.drift.shape[1],
            there=np.array([[len(rows) > 0 for rows in self._rows]]),
        )

    def _local_step(self) -> int:
        """Return how many local systems are solved together."""
        wanted = self.neighborhood.n_neighbors
        used = sum(min(wanted or len(rows), len(rows)) for rows in self._rows)
        return max(1, LOCAL_NUMBERS // used**2)

    def _neighbors(
        self, targets: FloatArray
    ) -> tuple[IntArray, npt.NDArray[np.bool_], IntArray]:
        """Return data near each target, whether they are there, and their variable."""
        found, there, kinds = [], [], []
        for kind, (rows, tree) in enumerate(zip(self._rows, self._trees, strict=True)):
            if not len(rows):
                continue
            indices, distances = self.neighborhood.search(tree, targets)
            found.append(rows[indices])
            there.append(np.isfinite(distances))
            kinds.append(np.full(indices.shape[1], kind))
        return np.hstack(found), np.hstack(there), np.concatenate(kinds)

    def _local(self, targets: FloatArray, variable: int) -> Products:
        """Return the products, each target with its neighbours.

        A neighbour that is not there gets a row of the identity and no weight.
        """
        indices, there, kinds = self._neighbors(targets)
        xy, diagonal = self.data.xy[indices], np.arange(indices.shape[1])
        offsets = xy[:, :, None, :] - xy[:, None, :, :]
        covariance = self.model.covariance_of(
            offsets[..., 0], offsets[..., 1], (kinds[:, None], kinds[None, :])
        )
        covariance[:, diagonal, diagonal] += self.data.noise[indices]
        covariance *= there[:, :, None] & there[:, None, :]
        covariance[:, diagonal, diagonal] += ~there
        try:
            lower = np.linalg.cholesky(covariance)
        except np.linalg.LinAlgError:
            lower = np.zeros_like(covariance)
        self._check_regular(np.diagonal(lower, axis1=1, axis2=2))
        away = targets[:, None, :] - xy
        near = self.model.covariance_of(
            away[..., 0], away[..., 1], (kinds, np.full_like(kinds, variable))
        )
        right = np.concatenate(
            [near[..., None], self.drift[indices], self.data.columns[indices]], axis=-1
        )
        right *= there[..., None]
        inner = np.einsum("mka,mkb->mab", right, np.linalg.solve(covariance, right))
        return Products(
            known=inner[:, 0, 0],
            near=inner[:, 0, 1:],
            gram=inner[:, 1:, 1:],
            n_drift=self.drift.shape[1],
            there=np.stack(
                [
                    there[:, kinds == k].any(axis=1)
                    for k in range(len(self.model.names))
                ],
                axis=1,
            ),
        )

    def _check_regular(self, diagonal: FloatArray) -> None:
        """Raise if a Cholesky factor shows that its matrix has no unique inverse."""
        squares = np.square(diagonal)
        limit = 10 * np.finfo(float).eps * diagonal.shape[-1]
        if (squares.min(axis=-1) > limit * squares.max(axis=-1)).all():
            return
        names, correlation = self.model.names, np.abs(self.model.correlation)
        one = [
            f"'{names[i]}' and '{names[j]}'"
            for i, j in np.argwhere(np.triu(correlation > 1 - TOGETHER, k=1))
        ]
        why = (
            f"{', '.join(one)} are one variable at one place (correlation 1), leave "
            "one of them out"
            if one
            else "give it a nugget, or merge the closest places"
        )
        message = (
            f"The cokriging system of {', '.join(names)} ({self.model}) is singular: "
            f"{why}, or give the variance of the measurements."
        )
        raise SingularKrigingError(message)
