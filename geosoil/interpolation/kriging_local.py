"""Kriging of each target from its own neighbours, many small systems at a time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_covariance import Covariances
from geosoil.interpolation.kriging_system import (
    DRIFT,
    FEW,
    OK,
    RANK,
    KrigingData,
    StatusArray,
    check_definite,
    check_regular,
    rounded_up,
)
from geosoil.interpolation.kriging_targets import WEIGHTS, Targets
from geosoil.interpolation.neighbors import Neighborhood, Tree

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


LOCAL_NUMBERS = 2**22
"""Numbers in the systems that are solved together."""


@dataclass(frozen=True, slots=True, eq=False)
class _Systems:
    """The whitened systems of m targets with k neighbours each."""

    drift: FloatArray
    """L^-1 F, shape (m, k, p)."""
    values: FloatArray
    """L^-1 (z - level), shape (m, k)."""
    near: FloatArray
    """L^-1 c, shape (m, k)."""
    level: FloatArray
    """Mean of the neighbours, where the drift has a constant, shape (m,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Nearby:
    """Where each target finds its data."""

    neighborhood: Neighborhood
    """Which data a target uses."""
    tree: Tree
    """Finds the nearest data."""


def answer_nearby(
    data: KrigingData, nearby: Nearby, targets: Targets, target_drift: FloatArray
) -> tuple[FloatArray, StatusArray]:
    """Estimate targets, each from its neighbours, many at a time.

    Parameters
    ----------
    data : KrigingData
        The data.
    nearby : Nearby
        Which of them a target uses.
    targets : Targets, m of them
        Points or blocks.
    target_drift : array, shape (m, p)
        Columns of the drift at the targets.

    Returns
    -------
    answers : array, shape (3, m)
        As :func:`answer_local`.
    status : array of int, shape (m,)
        As :func:`answer_local`.

    Raises
    ------
    SingularKrigingError
        If the covariances of the neighbours of a target have no unique inverse.
    """
    answers = np.empty((3, len(targets.xy)))
    status = np.full(len(targets.xy), FEW, dtype=np.int8)
    used = min(nearby.neighborhood.n_neighbors or nearby.tree.n, nearby.tree.n)
    nodes = 1 if targets.support is None else len(WEIGHTS)
    step = max(1, LOCAL_NUMBERS // (used * max(used, nodes)))
    for start in range(0, len(targets.xy), step):
        part = slice(start, start + step)
        some = targets.part(part)
        indices, distances = nearby.neighborhood.search(nearby.tree, some.xy)
        neighbors = indices, np.isfinite(distances)
        answers[:, part], status[part] = answer_local(
            data, neighbors, some, target_drift[part]
        )
    return answers, status


def answer_local(
    data: KrigingData,
    neighbors: tuple[IntArray, BoolArray],
    targets: Targets,
    target_drift: FloatArray,
) -> tuple[FloatArray, StatusArray]:
    """Estimate targets, each from its neighbours.

    Parameters
    ----------
    data : KrigingData
        The data.
    neighbors : tuple of array, shape (m, k)
        Indices of the data of each target, and which of them are there.
    targets : Targets, m of them
        Points or blocks.
    target_drift : array, shape (m, p)
        Columns of the drift at the targets.

    Returns
    -------
    answers : array, shape (3, m)
        Estimates; kriging variances; the part of them that is due to the drift. NaN
        unless the status is OK.
    status : array of int, shape (m,)
        OK, FEW or DRIFT.

    Raises
    ------
    SingularKrigingError
        If the covariances of the neighbours of a target have no unique inverse.

    Notes
    -----
    The equations of :func:`geosoil.interpolation.kriging_system.answer_system`, for
    each target by itself.
    """
    there = neighbors[1]
    if there.shape[1] < target_drift.shape[1]:
        status = np.where(there.any(axis=1), DRIFT, FEW).astype(np.int8)
        return np.full((3, len(there)), np.nan), status
    systems = _whitened(data, neighbors, targets)
    orthonormal, upper = np.linalg.qr(systems.drift)
    status = _status(systems.drift, upper, there)
    told = status == OK
    upper = np.where(told[:, None, None], upper, np.eye(upper.shape[1]))
    along = np.einsum("mkp,mk->mp", orthonormal, systems.values)
    across = np.einsum("mkp,mk->mp", orthonormal, systems.near)
    trend = np.linalg.solve(upper.transpose(0, 2, 1), target_drift[:, :, None])[:, :, 0]
    gap = trend - across
    estimate = systems.level + np.einsum("mk,mk->m", systems.near, systems.values)
    estimate += np.einsum("mp,mp->m", gap, along)
    drift = np.einsum("mp,mp->m", gap, gap)
    own = data.covariances.of_targets(targets)
    known = np.einsum("mk,mk->m", systems.near, systems.near)
    answers = np.stack([estimate, rounded_up(own - known, own) + drift, drift])
    return np.where(told, answers, np.nan), status


def _whitened(
    data: KrigingData, neighbors: tuple[IntArray, BoolArray], targets: Targets
) -> _Systems:
    """Factor the covariances of neighbours, and divide all else by the factor.

    A neighbour that is not there gets a row of a diagonal matrix and no weight.
    """
    indices, there = neighbors
    spare = data.covariances.variogram.sill + data.noise.mean()
    xy = data.xy[indices]
    covariance = data.covariances.pairs(xy[:, :, None, :], xy[:, None, :, :])
    diagonal = np.arange(indices.shape[1])
    covariance *= there[:, :, None] & there[:, None, :]
    if data.covariances.distance == "wgs84":
        check_definite(covariance, data.covariances.variogram)
    covariance[:, diagonal, diagonal] += np.where(there, data.noise[indices], spare)
    lower = _factored(covariance, data.covariances)
    near = data.covariances.with_neighbors(xy, targets) * there
    level = np.zeros(len(indices))
    if data.drift.shape[1]:
        total = np.sum(data.values[indices], axis=1, where=there)
        level = total / np.maximum(there.sum(axis=1), 1)
    values = (data.values[indices] - level[:, None]) * there
    drift = data.drift[indices] * there[:, :, None]
    right = np.concatenate([drift, values[:, :, None], near[:, :, None]], axis=2)
    white = np.linalg.solve(lower, right)
    return _Systems(white[:, :, :-2], white[:, :, -2], white[:, :, -1], level)


def _factored(covariance: FloatArray, covariances: Covariances) -> FloatArray:
    """Return the Cholesky factors; raise if a matrix has no unique inverse."""
    lower = np.zeros_like(covariance)
    with suppress(np.linalg.LinAlgError):
        lower[:] = np.linalg.cholesky(covariance)
    check_regular(np.diagonal(lower, axis1=1, axis2=2), covariances.variogram)
    return lower


def _status(drift: FloatArray, upper: FloatArray, there: BoolArray) -> StatusArray:
    """Say which targets have data, and a drift that these can tell."""
    left = np.abs(np.diagonal(upper, axis1=1, axis2=2))
    told = (left > RANK * np.linalg.norm(drift, axis=1)).all(axis=1)
    told &= there.sum(axis=1) >= drift.shape[2]
    status = np.where(told, OK, DRIFT).astype(np.int8)
    status[~there.any(axis=1)] = FEW
    return status
