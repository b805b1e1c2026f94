"""Principal components of mixtures on plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

CHUNK = 4096
"""Random matrices worked on at a time."""


class Components(NamedTuple):
    """Standardisation and principal components of n mixtures by J tracers."""

    mean: FloatArray
    """Mean of each tracer, shape (J,)."""
    sd: FloatArray
    """Standard deviation of each tracer with n - 1, shape (J,)."""
    eigenvalues: FloatArray
    """Eigenvalues of the correlation matrix, largest first, shape (J,)."""
    loadings: FloatArray
    """Eigenvectors as columns, shape (J, J)."""


def principal_components(values: FloatArray) -> Components:
    """Components of the correlation matrix; the largest loading of each is positive."""
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    standard = (values - mean) / sd
    found, vectors = np.linalg.eigh(standard.T @ standard / (len(values) - 1))
    vectors = vectors[:, ::-1]
    largest = np.abs(vectors).argmax(axis=0)
    sign = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return Components(mean, sd, np.maximum(found[::-1], 0.0), vectors * sign)


def scores(values: FloatArray, parts: Components, rank: int) -> FloatArray:
    """Coordinates (n, rank) of waters (n, J), standardised as the mixtures."""
    turned: FloatArray = ((values - parts.mean) / parts.sd) @ parts.loadings[:, :rank]
    return turned


def restored(points: FloatArray, parts: Components) -> FloatArray:
    """Tracers (n, J) in their own units from coordinates (n, rank)."""
    rank = points.shape[1]
    back: FloatArray = points @ parts.loadings[:, :rank].T * parts.sd + parts.mean
    return back


def turned_covariances(
    covariances: FloatArray, parts: Components, rank: int
) -> FloatArray:
    """Covariances (n, rank, rank) of coordinates from those of tracers (n, J, J)."""
    turn = parts.loadings[:, :rank] / parts.sd[:, None]
    turned: FloatArray = turn.T @ covariances @ turn
    return turned


def broken_stick(size: int) -> FloatArray:
    """Mean lengths, longest first, of a stick of length J broken at random in J."""
    lengths: FloatArray = np.cumsum(1.0 / np.arange(size, 0, -1))[::-1].copy()
    return lengths


def random_eigenvalues(
    n: int, size: int, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """Eigenvalues (draw, J) of correlations of n rows of J independent normals.

    The scatter of such rows is drawn as a Wishart matrix by its triangular factor
    (Bartlett), so that the cost does not grow with n.
    """
    found = []
    lower = np.tril_indices(size, -1)
    freedom = n - 1 - np.arange(size)
    for start in range(0, n_draws, CHUNK):
        count = min(CHUNK, n_draws - start)
        factor = np.zeros((count, size, size))
        factor[:, np.arange(size), np.arange(size)] = np.sqrt(
            rng.chisquare(freedom, (count, size))
        )
        factor[:, lower[0], lower[1]] = rng.standard_normal((count, len(lower[0])))
        factor /= np.sqrt((factor**2).sum(axis=2, keepdims=True))
        found.append(np.linalg.eigvalsh(factor @ factor.swapaxes(1, 2))[:, ::-1])
    return np.concatenate(found)


def leading(kept: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Keep what stands before the first that is not kept."""
    return np.logical_and.accumulate(kept)
