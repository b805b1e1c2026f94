"""Pivot balances of compositions, and what normal balances say of them: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

NODES = {1: 128, 2: 32, 3: 16}
"""Gauss-Hermite nodes of each balance, by the number of balances."""
NEGLIGIBLE = 1e-18
"""Weight of a node of the product rule that changes no digit of a fraction."""
NUMBERS = 2**17
"""Numbers of a part that are held at a time, so that they stay in the cache."""


def pivot_matrix(n_parts: int) -> FloatArray:
    """Return the orthonormal basis of the pivot balances, shape (parts, balances).

    Column i holds sqrt((D - i) / (D - i + 1)) for part i (from 1) and
    -1 / sqrt((D - i + 1) (D - i)) for those after it.
    """
    left = np.arange(n_parts - 1, 0, -1.0)
    below = np.tril(np.ones((n_parts, n_parts - 1)), -1)
    basis: FloatArray = -below / np.sqrt(left * (left + 1.0))
    np.fill_diagonal(basis, np.sqrt(left / (left + 1.0)))
    return basis


def parts_of(balances: FloatArray, basis: FloatArray) -> FloatArray:
    """Return the composition of balances (..., k) as parts (..., k + 1)."""
    logs = balances @ basis.T
    parts = np.exp(logs - logs.max(axis=-1, keepdims=True))
    return np.asarray(parts / parts.sum(axis=-1, keepdims=True))


def replace_zeros(
    parts: FloatArray, stand_in: FloatArray, zero: npt.NDArray[np.bool_]
) -> FloatArray:
    """Put stand-ins for the zeros (..., D) and shrink the other parts by their sum."""
    used = np.where(zero, stand_in, 0.0)
    return np.where(zero, used, parts * (1.0 - used.sum(axis=-1, keepdims=True)))


def closed_covariance(variance: FloatArray) -> FloatArray:
    """Return covariances (n, D, D) of parts with a sum of 1 from variances (n, D).

    A sum without variance fixes the covariances of two and of three parts:
    2 cov(a, b) = var(c) - var(a) - var(b), with var(c) = 0 for two. Those of more
    parts stay 0.
    """
    parts = variance.shape[1]
    covariance = np.zeros((*variance.shape, parts))
    diagonal = np.arange(parts)
    covariance[:, diagonal, diagonal] = variance
    if parts > 3:
        return covariance
    for first in range(parts):
        for second in range(first):
            pair = variance[:, first] + variance[:, second]
            most = np.sqrt(variance[:, first] * variance[:, second])
            value = (variance.sum(axis=1) - 2.0 * pair) / 2.0
            value = np.clip(value, -most, most)
            covariance[:, first, second] = covariance[:, second, first] = value
    return covariance


def balance_variance(
    parts: FloatArray, covariance: FloatArray, basis: FloatArray
) -> FloatArray:
    """Return the first-order variance (n, k) of the balances of parts (n, D)."""
    relative = covariance / (parts[:, :, None] * parts[:, None, :])
    spread = np.einsum("ji,njl,li->ni", basis, relative, basis)
    return np.asarray(np.maximum(spread, 0.0))


def normal_rule(n_balances: int) -> tuple[FloatArray, FloatArray]:
    """Return nodes (k, m) and weights (m,) of the mean over k standard normals."""
    points, weights = np.polynomial.hermite_e.hermegauss(NODES[n_balances])
    weights = weights / weights.sum()
    axes = np.meshgrid(*[points] * n_balances, indexing="ij")
    shares = np.meshgrid(*[weights] * n_balances, indexing="ij")
    nodes = np.array([axis.ravel() for axis in axes]).reshape(n_balances, -1)
    products = np.prod([share.ravel() for share in shares], axis=0).reshape(-1)
    kept = products > NEGLIGIBLE
    return nodes[:, kept], products[kept] / products[kept].sum()


def stratified_uniforms(n_draws: int, count: int, seed: int) -> FloatArray:
    """Return ``count`` rows of uniform draws, one in each n-th part of 0 to 1."""
    rng = np.random.default_rng(seed)
    cells = np.tile(np.arange(n_draws, dtype=np.float64), (count, 1))
    cells = rng.permuted(cells, axis=1)
    # Open at both ends, so that no normal draw is infinite.
    inside = np.clip(rng.random((count, n_draws)), 1e-12, 1.0)
    return (cells + inside * (1.0 - 1e-12)) / n_draws


def parts_at(
    mean: FloatArray, spread: FloatArray, nodes: FloatArray, basis: FloatArray
) -> FloatArray:
    """Return the parts (D, c, m) of balances mean + spread * node.

    ``mean`` and ``spread`` are (c, k), ``nodes`` (k, m), ``basis`` (D, k).
    """
    count = len(mean)
    parts = np.empty((len(basis), count, nodes.shape[1]))
    for part, row in zip(parts, basis, strict=True):
        np.matmul(spread * row, nodes, out=part)
    parts += (basis @ mean.T)[..., None]
    parts -= parts.max(axis=0)
    np.exp(parts, out=parts)
    parts /= parts.sum(axis=0)
    return parts


def part_moments(
    mean: FloatArray,
    spread: FloatArray,
    rule: tuple[FloatArray, FloatArray],
    basis: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance (c, D) of the parts by a rule of nodes and weights."""
    nodes, weights = rule
    first = np.full((len(mean), len(basis)), np.nan)
    second = np.full_like(first, np.nan)
    step = max(1, NUMBERS // nodes.shape[1])
    for start in range(0, len(mean), step):
        chunk = slice(start, start + step)
        parts = parts_at(mean[chunk], spread[chunk], nodes, basis)
        centre = parts @ weights
        first[chunk] = centre.T / centre.sum(axis=0)[:, None]
        parts -= centre[..., None]
        second[chunk] = (np.square(parts, out=parts) @ weights).T
    return first, second
