"""Hulls of end members on plain arrays: which points lie in which polygons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

ROUNDING = 1e-9
"""Share below zero that counts as zero."""
FLAT = 1e-12
"""Volume, as a share of the product of the edges, below which a simplex is flat."""
CHUNK = 2_000_000
"""Numbers worked on at a time."""


def in_simplices(points: FloatArray, corners: FloatArray) -> BoolArray:
    """Tell which points (n, J) lie in which simplices (D, J + 1, J), shape (D, n).

    Barycentric: the point is a mean of the corners with no weight below zero. A flat
    simplex holds no point.
    """
    edges = corners[:, 1:] - corners[:, :1]
    size = np.linalg.norm(edges, axis=2).prod(axis=1)
    sound = np.abs(np.linalg.det(edges)) > FLAT * np.maximum(size, 1e-300)
    flat = np.eye(points.shape[1])
    inverse = np.linalg.inv(np.where(sound[:, None, None], edges, flat))
    shares = (points[None] - corners[:, :1]) @ inverse
    inside = (shares >= -ROUNDING).all(axis=2) & (shares.sum(axis=2) <= 1 + ROUNDING)
    found: BoolArray = inside & sound[:, None]
    return found


def subsets(n: int, size: int) -> list[list[int]]:
    """List the sets of ``size`` of n things."""
    sets = ([k for k in range(n) if bits >> k & 1] for bits in range(2**n))
    return [chosen for chosen in sets if len(chosen) == size]


def in_hulls(points: FloatArray, corners: FloatArray) -> BoolArray:
    """Tell which points (n, J) lie in the hulls of corners (D, K, J), shape (D, n).

    A point lies in the hull of K > J corners where it lies in a simplex of J + 1 of
    them (Caratheodory).
    """
    found = np.zeros((len(corners), len(points)), dtype=bool)
    for chosen in subsets(corners.shape[1], points.shape[1] + 1):
        found |= in_simplices(points, corners[:, chosen])
    return found


def hull_counts(points: FloatArray, corners: FloatArray) -> IntArray:
    """Count the hulls of corners (D, K, J) that hold each point (n, J)."""
    counts = np.zeros(len(points), dtype=np.int64)
    step = max(1, CHUNK // max(points.size, 1))
    for start in range(0, len(corners), step):
        counts += in_hulls(points, corners[start : start + step]).sum(axis=0)
    return counts


def normal_draws(
    means: FloatArray, spread: FloatArray, noise: FloatArray
) -> FloatArray:
    """Turn unit normal noise (D, K, J) into draws of K sources with covariances."""
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :]
    draws: FloatArray = means + np.einsum("kij,dkj->dki", root, noise)
    return draws
