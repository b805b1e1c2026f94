"""Mixing on plain arrays: source fractions in the simplex by exact enumeration.

The mixtures run along the last axis, so that every step works on whole rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

ROUNDS = 4
"""Rounds of reweighting by the covariance at the fractions found so far."""
CHUNK = 16384
"""Mixtures worked on at a time, so that the arrays stay in the cache."""
SINGULAR = 1e-13
"""Share of a variance below which what is left of it counts as none."""
MANY = 5
"""Sources above which steps along faces are fewer than all the faces there are."""


class Mixed(NamedTuple):
    """Fractions of n mixtures from K sources by J tracers."""

    raw: FloatArray
    """Fractions without the sign rule, shape (n, K)."""
    fractions: FloatArray
    """Fractions within 0 and 1, shape (n, K)."""
    variance: FloatArray
    """First-order variance of the raw fractions, shape (n, K)."""
    gain: FloatArray
    """Derivative of the raw fractions by the mixture's tracers, shape (n, K, J)."""
    chi2: FloatArray
    """Misfit of the raw fractions, shape (n,)."""
    distance2: FloatArray
    """Misfit of the fractions within 0 and 1, shape (n,)."""


def inverse_factor(matrix: FloatArray) -> FloatArray:
    """Inverse of the Cholesky factor of matrices (J, J, n); NaN where singular."""
    size = matrix.shape[0]
    factor = np.zeros_like(matrix)
    inverse = np.zeros_like(matrix)
    for j in range(size):
        pivot = matrix[j, j] - (factor[j, :j] ** 2).sum(axis=0)
        root = np.sqrt(np.where(pivot > SINGULAR * matrix[j, j], pivot, np.nan))
        for i in range(j, size):
            done = (factor[i, :j] * factor[j, :j]).sum(axis=0)
            factor[i, j] = (matrix[i, j] - done) / root
        inverse[j, j] = 1.0 / root
        for i in range(j):
            inverse[j, i] = -(factor[j, i:j] * inverse[i:j, i]).sum(axis=0) / root
    return inverse


def total_covariance(
    fractions: FloatArray, own: FloatArray, spread: FloatArray
) -> FloatArray:
    """Own covariance (J, J, n) plus that of the sources by fractions (K, n) squared."""
    return own + np.tensordot(spread, fractions**2, axes=([0], [0]))


def whitener(total: FloatArray, floor: FloatArray) -> FloatArray:
    """Factor that makes covariances (J, J, n) one, a floor added where singular."""
    inverse = inverse_factor(total)
    bad = np.isnan(inverse[-1, -1])
    if bad.any():
        inverse[:, :, bad] = inverse_factor(total[:, :, bad] + floor[:, :, None])
    return inverse


def times(matrix: FloatArray, vectors: FloatArray) -> FloatArray:
    """Products of matrices (J, J, n) and vectors (..., J, n)."""
    columns = [matrix[:, j] * vectors[..., j : j + 1, :] for j in range(len(matrix))]
    product: FloatArray = sum(columns[1:], columns[0])
    return product


def face_fractions(
    gram: FloatArray, face: tuple[int, ...]
) -> tuple[FloatArray, FloatArray]:
    """Fractions (m, n) that make f' gram f least on a face, and the factor used.

    ``gram`` (K, K, n) holds the products of the sources, seen from the mixture.
    """
    *free, last = face
    if not free:
        return np.ones((1, gram.shape[-1])), np.empty((0, 0, gram.shape[-1]))
    edge = gram[free, last]
    normal = gram[np.ix_(free, free)] - edge[:, None] - edge[None] + gram[last, last]
    factor = inverse_factor(normal)
    half = times(factor, gram[last, last] - edge)
    part = times(factor.swapaxes(0, 1), half)
    return np.concatenate([part, 1.0 - part.sum(axis=0, keepdims=True)]), factor


def quadratic(gram: FloatArray, fractions: FloatArray) -> FloatArray:
    """Misfit f' gram f, not below zero."""
    product: FloatArray = (times(gram, fractions) * fractions).sum(axis=0)
    return np.maximum(product, 0.0)


def faces(n_sources: int, largest: int) -> list[tuple[int, ...]]:
    """List the sets of up to ``largest`` sources, but not the set of all."""
    sets = (
        tuple(k for k in range(n_sources) if bits >> k & 1)
        for bits in range(1, 2**n_sources - 1)
    )
    return [face for face in sets if len(face) <= largest]


def nearest(gram: FloatArray, n_tracers: int) -> FloatArray:
    """Fractions (K, n) within 0 and 1 that make f' gram f least.

    Few sources: the best of all faces. Many: from face to face, see `active_set`.
    """
    n_sources = len(gram)
    fractions, _ = face_fractions(gram, tuple(range(n_sources)))
    outside = np.flatnonzero(~(fractions >= 0).all(axis=0))
    if outside.size:
        part = gram[:, :, outside]
        many = n_sources > MANY
        fractions[:, outside] = active_set(part) if many else best_face(part, n_tracers)
    return fractions


def best_face(gram: FloatArray, n_tracers: int) -> FloatArray:
    """Fractions (K, n) that make f' gram f least, by comparing all faces but one."""
    n_sources = len(gram)
    best = np.full(gram.shape[-1], np.inf)
    chosen = np.full((n_sources, gram.shape[-1]), np.nan)
    for face in faces(n_sources, n_tracers + 1):
        found, _ = face_fractions(gram, face)
        value = quadratic(gram[np.ix_(face, face)], found)
        better = (found >= 0).all(axis=0) & (value < best)
        best = np.where(better, value, best)
        whole = np.zeros_like(chosen)
        whole[list(face)] = found
        chosen = np.where(better, whole, chosen)
    return chosen


def active_set(gram: FloatArray) -> FloatArray:
    """Fractions (K, n) that make f' gram f least, taking sources in and out.

    From the nearest source on, the one that lowers the misfit fastest comes in, and
    those that would turn negative go out, until none is left that lowers it: the
    conditions of Karush, Kuhn and Tucker, as in Lawson and Hanson (1974), chapter 23.
    Every pass works on all rows that are not done.
    """
    size = len(gram)
    matrix = np.moveaxis(gram, -1, 0)
    matrix = matrix / np.maximum(np.trace(gram), 1e-300)[:, None, None]
    first = np.diagonal(matrix, axis1=1, axis2=2).argmin(axis=1)
    free = np.arange(size) == first[:, None]
    fractions = free.astype(float)
    newest = first
    sound = np.isfinite(matrix).all(axis=(1, 2))
    todo = np.flatnonzero(sound)
    for _ in range(20 * size):
        if not todo.size:
            break
        part, held, now = matrix[todo], free[todo], fractions[todo]
        aim = least_on(part, held)
        step, held = step_within(now, aim, held)
        now = now + step[:, None] * (aim - now)
        now = np.where(held, now, 0.0)
        whole = step >= 1.0
        # A source that is thrown out at once came in by rounding alone.
        done = ~held[np.arange(todo.size), newest[todo]] & ~(step > 0)
        slope = np.einsum("nkl,nl->nk", part, now)
        slope -= (slope * now).sum(axis=1, keepdims=True)
        slope = np.where(held, 0.0, slope)
        entering = slope.argmin(axis=1)
        done |= whole & (slope.min(axis=1) > -1e-14)
        held[np.flatnonzero(whole), entering[whole]] = True
        newest[todo[whole]] = entering[whole]
        fractions[todo], free[todo] = now, held
        todo = todo[~done]
    fractions[todo] = np.nan
    fractions[~sound] = np.nan
    return np.ascontiguousarray(fractions.T)


def least_on(matrix: FloatArray, free: npt.NDArray[np.bool_]) -> FloatArray:
    """Fractions (n, K) with sum 1, 0 where not free, that make f' matrix f least."""
    n, size = free.shape
    system = np.zeros((n, size + 1, size + 1))
    both = free[:, :, None] & free[:, None, :]
    system[:, :size, :size] = np.where(both, matrix, 0.0)
    every = np.arange(size)
    system[:, every, every] += ~free
    system[:, :size, size] = system[:, size, :size] = free
    right = np.zeros((n, size + 1, 1))
    right[:, size] = 1.0
    solved: FloatArray = np.linalg.solve(system, right)[:, :size, 0]
    return np.where(free, solved, 0.0)


def step_within(
    now: FloatArray, aim: FloatArray, free: npt.NDArray[np.bool_]
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Longest step (n,) from fractions towards an aim, and what stays free then."""
    falling = free & (aim < 0)
    ratio = np.full(now.shape, np.inf)
    np.divide(now, now - aim, out=ratio, where=falling)
    step = np.minimum(ratio.min(axis=1), 1.0)
    return step, free & ~(falling & (ratio <= step[:, None]))


def mix_chunk(
    mixtures: FloatArray,
    own: FloatArray,
    sources: FloatArray,
    spread: FloatArray,
    weighted: bool,
) -> Mixed:
    """Fractions of mixtures (J, n), mixtures last; see `mix_rows`."""
    n_sources, n_tracers = sources.shape
    away = sources[:, :, None] - mixtures
    floor = 1e-9 * spread.mean(axis=0)
    fractions = np.full((n_sources, mixtures.shape[-1]), 1.0 / n_sources)
    for _ in range(ROUNDS if weighted and spread.any() else 1):
        whiten = whitener(total_covariance(fractions, own, spread), floor)
        factor = whiten if weighted else np.eye(n_tracers)[:, :, None]
        gram = products(times(factor, away))
        fractions = nearest(gram, n_tracers)
    raw, face = face_fractions(gram, tuple(range(n_sources)))
    gain = np.zeros((1, *mixtures.shape))
    if n_sources > 1:
        gain = face_gain(face, factor, sources)
    variance = (times(total_covariance(raw, own, spread), gain) * gain).sum(axis=1)
    if not weighted:
        gram = products(times(whiten, away))
    return Mixed(
        raw,
        fractions,
        np.maximum(variance, 0.0),
        gain,
        quadratic(gram, raw),
        quadratic(gram, fractions),
    )


def products(vectors: FloatArray) -> FloatArray:
    """Products (K, K, n) of vectors (K, J, n) with each other."""
    gram: FloatArray = (vectors[:, None] * vectors[None]).sum(axis=2)
    return gram


def face_gain(face: FloatArray, factor: FloatArray, sources: FloatArray) -> FloatArray:
    """Give the derivative (K, J, n) of the raw fractions by the mixture's tracers.

    ``sources`` is (K, J), or (K, J, n) where a mixture sees its sources its own way.
    """
    places = sources if sources.ndim == 3 else sources[:, :, None]
    edges = times(factor, places[:-1] - places[-1:]).swapaxes(0, 1)
    lever = times(face.swapaxes(0, 1), times(face, edges)).swapaxes(0, 1)
    lever = times(factor.swapaxes(0, 1), lever)
    return np.concatenate([lever, -lever.sum(axis=0, keepdims=True)])


def mix_rows(
    mixtures: FloatArray,
    own: FloatArray,
    sources: FloatArray,
    spread: FloatArray,
    *,
    weighted: bool,
) -> Mixed:
    """Fractions of mixtures (n, J) with covariances (1 or n, J, J).

    ``sources`` (K, J) have the covariances ``spread`` (K, J, J). Weighted fits use the
    inverse of the whole covariance, renewed with the fractions found; others weight
    every tracer by one. The variance is first order in every water's covariance.
    """

    def solve(part: FloatArray, covariance: FloatArray) -> Mixed:
        return mix_chunk(part, covariance, sources, spread, weighted)

    return in_chunks(mixtures, own, solve)


def in_chunks(
    mixtures: FloatArray,
    own: FloatArray,
    solve: Callable[[FloatArray, FloatArray], Mixed],
) -> Mixed:
    """Solve mixtures (n, J) by parts (J, m), whose work stays in the cache."""
    turned = np.moveaxis(own, 0, -1)
    parts = []
    for start in range(0, max(len(mixtures), 1), CHUNK):
        rows = slice(start, start + CHUNK)
        part = np.ascontiguousarray(mixtures[rows].T)
        covariance = turned if len(own) == 1 else turned[:, :, rows]
        parts.append(solve(part, covariance))
    whole = [np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)]
    return Mixed(*(np.moveaxis(array, -1, 0) for array in whole))
