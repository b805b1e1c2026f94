"""Fractions and evaporation solved together, exactly, over all faces of the simplex."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.tracers._kernels_evaporation_mixing import without_evaporation
from geosoil.tracers._kernels_mixing import (
    CHUNK,
    ROUNDS,
    face_fractions,
    face_gain,
    faces,
    nearest,
    products,
    quadratic,
    times,
    total_covariance,
    whitener,
)

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class EvaporationRows:
    """What is known beforehand of the evaporation of n mixtures, J tracers.

    Examples
    --------
    >>> rows = EvaporationRows(
    ...     direction=np.array([[1.0, 3.5]]), bend=np.array([0.0, 1.0]),
    ...     slope_sd=np.array([0.4]), shift=np.array([1.2]), weight=np.array([4.0]))
    >>> rows.take(np.array([0, 0])).shift.tolist()
    [1.2, 1.2]
    """

    direction: FloatArray
    """g: change of the tracers per permil of E, shape (n, J)."""
    bend: FloatArray
    """Change of g per unit of the slope, shape (J,)."""
    slope_sd: FloatArray
    """Standard deviation of the slope, shape (n,)."""
    shift: FloatArray
    """Mean of E beforehand, shape (n,); 0 where nothing is known."""
    weight: FloatArray
    """1 / variance of E beforehand, shape (n,); 0 where nothing is known."""

    def take(self, rows: npt.NDArray[np.intp] | slice) -> EvaporationRows:
        """Return some of the rows.

        Parameters
        ----------
        rows : array of int or slice
            Rows wanted.

        Returns
        -------
        taken : EvaporationRows
            The same of these rows alone.

        Examples
        --------
        >>> one = np.array([1.0])
        >>> known = EvaporationRows(np.ones((1, 1)), np.zeros(1), one, one, one)
        >>> known.take(slice(0, 0)).weight.size
        0
        """
        parts = (
            getattr(self, field.name)
            if field.name == "bend"
            else getattr(self, field.name)[rows]
            for field in fields(self)
        )
        return EvaporationRows(*parts)


@dataclass(frozen=True, slots=True, eq=False)
class SourceArrays:
    """Sources of one stratum as arrays.

    Examples
    --------
    >>> SourceArrays(np.zeros((2, 1)), np.ones((2, 1, 1))).means.shape
    (2, 1)
    """

    means: FloatArray
    """Means, shape (K, J)."""
    spread: FloatArray
    """Covariances, shape (K, J, J)."""


class Evaporated(NamedTuple):
    """Fractions of n mixtures from K sources, with their evaporation."""

    raw: FloatArray
    """Fractions without the sign rules, shape (n, K)."""
    fractions: FloatArray
    """Fractions within 0 and 1, with E of 0 or above, shape (n, K)."""
    variance: FloatArray
    """First-order variance of the raw fractions, shape (n, K)."""
    shift_raw: FloatArray
    """E without the sign rules, shape (n,)."""
    shift: FloatArray
    """E of 0 or above, shape (n,)."""
    shift_variance: FloatArray
    """First-order variance of the raw E, shape (n,)."""
    chi2: FloatArray
    """Misfit of the raw answer, that to the prior included, shape (n,)."""


class _Chunk(NamedTuple):
    """Arrays of a chunk of mixtures, mixtures last."""

    point: FloatArray
    own: FloatArray
    sources: SourceArrays
    direction: FloatArray
    known: EvaporationRows

    def total(self, fractions: FloatArray, shift: FloatArray) -> FloatArray:
        """Whole covariance, shape (J, J, n)."""
        bend = np.outer(self.known.bend, self.known.bend)[:, :, None]
        spread = (shift * self.known.slope_sd) ** 2
        mixed = total_covariance(fractions, self.own, self.sources.spread)
        return mixed + bend * spread


def mix_evaporated(
    mixtures: FloatArray,
    own: FloatArray,
    sources: SourceArrays,
    known: EvaporationRows,
    *,
    weighted: bool,
) -> Evaporated:
    """Solve fractions and evaporation of mixtures that have the same sources.

    Parameters
    ----------
    mixtures : array, shape (n, J)
        Tracers of the mixtures.
    own : array, shape (1 or n, J, J)
        Their covariances.
    sources : SourceArrays
        K sources. K is at most J where a row has no prior, else at most J + 1.
    known : EvaporationRows
        Evaporation beforehand.
    weighted : bool
        Whether covariances weigh the tracers; if not, each weighs one.

    Returns
    -------
    answer : Evaporated
        Fractions and E; NaN where they cannot be told apart.

    Notes
    -----
    With u = E - shift, the best u for given fractions is linear in them and leaves a
    quadratic form in f alone, whose weights are W - W g g'W / (g'W g + 1 / sd^2). Every
    face of the simplex is solved with E free and with E = 0; the best answer that keeps
    all signs is the optimum, for the problem is convex.

    Examples
    --------
    >>> pair = SourceArrays(np.array([[-12.0, -84.0], [-16.0, -128.0]]),
    ...                     np.zeros((2, 2, 2)))
    >>> free = EvaporationRows(np.array([[1.0, 4.0]]), np.array([0.0, 1.0]),
    ...                        np.zeros(1), np.zeros(1), np.zeros(1))
    >>> water = np.array([[-12.0, -91.0]])
    >>> found = mix_evaporated(water, np.eye(2)[None], pair, free, weighted=True)
    >>> found.raw.round(2).tolist(), found.shift.round(2).tolist()
    ([[0.75, 0.25]], [1.0])
    """
    turned = np.moveaxis(own, 0, -1)
    parts = []
    for start in range(0, max(len(mixtures), 1), CHUNK):
        rows = slice(start, start + CHUNK)
        part = known.take(rows)
        chunk = _Chunk(
            np.ascontiguousarray(mixtures[rows].T),
            turned if len(own) == 1 else turned[:, :, rows],
            sources,
            np.ascontiguousarray(part.direction.T),
            part,
        )
        parts.append(_solve(chunk, weighted))
    whole = [np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True)]
    return Evaporated(*(np.moveaxis(array, -1, 0) for array in whole))


def _solve(chunk: _Chunk, weighted: bool) -> Evaporated:
    """Solve a chunk, its weights renewed with the answer found."""
    known, means = chunk.known, chunk.sources.means
    n_sources, n_tracers = means.shape
    floor = 1e-9 * chunk.sources.spread.mean(axis=0)
    fractions = np.full((n_sources, chunk.point.shape[-1]), 1.0 / n_sources)
    shift = np.maximum(known.shift, 0.0)
    renewed = chunk.sources.spread.any() or known.slope_sd.any()
    for _ in range(ROUNDS if weighted and renewed else 1):
        factor = np.broadcast_to(np.eye(n_tracers)[:, :, None], (n_tracers,) * 2 + (1,))
        if weighted:
            factor = whitener(chunk.total(fractions, shift), floor)
        past, lever = without_evaporation(factor, chunk.direction, known.weight)
        away = means[:, :, None] - chunk.point + chunk.direction * known.shift
        gram = products(times(past, away))
        raw, face = face_fractions(gram, tuple(range(n_sources)))
        shift_raw = _best_shift(raw, away, lever, known)
        fractions, shift = raw.copy(), shift_raw.copy()
        breaking = np.flatnonzero(~((raw >= 0).all(axis=0) & (shift >= 0)))
        if breaking.size:
            found = _best_face(chunk, (gram, factor, away, lever), breaking)
            fractions[:, breaking], shift[breaking] = found
    gain = np.zeros((1, *chunk.point.shape))
    if n_sources > 1:
        gain = face_gain(face, past, means)
    variance = _variances(chunk, (raw, shift_raw), gain, lever)
    return Evaporated(
        raw, fractions, variance[0], shift_raw, shift, variance[1], quadratic(gram, raw)
    )


def _best_shift(
    fractions: FloatArray, away: FloatArray, lever: FloatArray, known: EvaporationRows
) -> FloatArray:
    """E that fits best with given fractions (K, n)."""
    misfit = (fractions[:, None] * away).sum(axis=0)
    best: FloatArray = known.shift - (lever * misfit).sum(axis=0)
    return best


def _best_face(
    chunk: _Chunk,
    arrays: tuple[FloatArray, FloatArray, FloatArray, FloatArray],
    rows: npt.NDArray[np.intp],
) -> tuple[FloatArray, FloatArray]:
    """Fractions and E that keep all signs, by comparing the faces."""
    gram, factor, away, lever = (
        array[..., rows] if array.shape[-1] > 1 else array for array in arrays
    )
    known = chunk.known.take(rows)
    n_sources, n_tracers = chunk.sources.means.shape
    from_point = chunk.sources.means[:, :, None] - chunk.point[:, rows]
    dry = products(times(factor, from_point))
    # E = 0 first: mixing without evaporation, at the prior's cost of E = 0.
    chosen = nearest(dry, n_tracers)
    best = quadratic(dry, chosen) + known.weight * known.shift**2
    shift = np.zeros(len(rows))
    for face in faces(n_sources, n_tracers + 1):
        found, _ = face_fractions(gram, face)
        whole = np.zeros_like(chosen)
        whole[list(face)] = found
        amount = _best_shift(whole, away, lever, known)
        value = quadratic(gram[np.ix_(face, face)], found)
        better = (found >= 0).all(axis=0) & (amount >= 0) & (value < best)
        best = np.where(better, value, best)
        chosen = np.where(better, whole, chosen)
        shift = np.where(better, amount, shift)
    return chosen, shift


def _variances(
    chunk: _Chunk,
    answer: tuple[FloatArray, FloatArray],
    gain: FloatArray,
    lever: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """First-order variances of fractions (K, n) and of E (n,)."""
    total = chunk.total(*answer)
    prior = np.zeros(chunk.known.weight.shape)
    np.divide(1.0, chunk.known.weight, out=prior, where=chunk.known.weight > 0)
    moved = (gain * chunk.direction).sum(axis=1)
    variance = (times(total, gain) * gain).sum(axis=1) + moved**2 * prior
    mixed = np.einsum("kj,jn->kn", chunk.sources.means, lever)
    shift_gain = lever - (mixed[:, None] * gain).sum(axis=0)
    left = 1.0 - (shift_gain * chunk.direction).sum(axis=0)
    shift_variance = (times(total, shift_gain) * shift_gain).sum(axis=0)
    shift_variance += left**2 * prior
    return np.maximum(variance, 0.0), np.maximum(shift_variance, 0.0)
