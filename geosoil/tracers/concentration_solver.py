"""Mixing on plain arrays where sources hold their tracers in unlike concentrations.

The mixtures run along the last axis, as in the kernel of plain mixing, whose faces and
weights are used here; with equal concentrations every step is the plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from geosoil.tracers._kernels_mixing import (
    ROUNDS,
    Mixed,
    face_fractions,
    face_gain,
    in_chunks,
    mix_rows,
    nearest,
    products,
    times,
    whitener,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

PASSES = 100
"""Problems solved for one mixture before it counts as without answer."""
STRAIGHT = 6
"""Passes that take mixing as straight; later ones heed its bend (Newton)."""
HALVINGS = 40
"""Times a step is halved until the misfit falls."""
SETTLED = 1e-12
"""Change of the fractions below which they have settled."""
ROUGHLY = 1e-4
"""The same where fractions serve as weights or as a start alone."""
CLOSE = 1e-6
"""Last change with which fractions are still given when the passes run out."""
SHORTEST = 1e-3
"""Shortest step that a parabola may ask for, in the same measure."""
NOTHING = 1e-22
"""Misfit that is rounding alone: there is nothing left to lower."""
LONGEST = 4.0
"""Longest step, in the distance from the fractions to the aim of a pass."""


@dataclass(frozen=True, slots=True)
class Blend:
    """Sources and how much of each tracer they carry."""

    sources: FloatArray
    """Tracers of the sources, shape (K, J)."""
    spread: FloatArray
    """Covariances of the sources, shape (K, J, J)."""
    concentration: FloatArray
    """Concentrations of the tracers in the sources, shape (K, J)."""

    @property
    def plain(self) -> bool:
        """Whether every tracer is as concentrated in one source as in another."""
        amount = self.concentration
        return bool(np.ptp(amount, axis=0).max(initial=0.0) <= 1e-12 * amount.max())

    def shares(self, fractions: FloatArray) -> FloatArray:
        """Give the share of each tracer that comes from a source, shape (K, J, n)."""
        carried = fractions[:, None] * self.concentration[:, :, None]
        total = carried.sum(axis=0)
        # Negative fractions may add up to nothing or less: no water has such shares.
        shares: FloatArray = carried / np.where(total > 0, total, np.nan)
        return shares

    def mixture(self, fractions: FloatArray) -> FloatArray:
        """Give the tracers of mixtures by fractions (K, n), shape (J, n)."""
        total = self.concentration.T @ fractions
        total = np.where(total > 0, total, np.nan)
        mixed: FloatArray = (self.concentration * self.sources).T @ fractions / total
        return mixed

    def straight(self, fractions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Give mixtures (J, n) and their derivative by the fractions (K, J, n)."""
        total = self.concentration.T @ fractions
        total = np.where(total > 0, total, np.nan)
        mixed = (self.concentration * self.sources).T @ fractions / total
        slopes = self.sources[:, :, None] - mixed
        slopes *= self.concentration[:, :, None]
        slopes /= total
        return mixed, slopes

    def covariance(self, fractions: FloatArray, own: FloatArray) -> FloatArray:
        """Give the covariance of own (J, J, n) and the sources by their shares."""
        shares = self.shares(fractions)
        total = np.zeros((*own.shape[:2], fractions.shape[-1]))
        for share, spread in zip(shares, self.spread, strict=True):
            total += spread[:, :, None] * share[:, None] * share[None]
        return own + total


@dataclass(frozen=True, slots=True)
class View:
    """Mixtures as their weights see them."""

    mixtures: FloatArray
    """Tracers, shape (J, n)."""
    factor: FloatArray
    """Factor of the weights, shape (J, J, 1 or n)."""
    blend: Blend
    """Sources."""

    def misfit(self, fractions: FloatArray, factor: FloatArray) -> FloatArray:
        """Give the misfit (n,) by a factor; infinite where no water is so mixed."""
        away = self.mixtures - self.blend.mixture(fractions)
        misfit: FloatArray = (times(factor, away[None])[0] ** 2).sum(axis=0)
        return np.where(np.isfinite(misfit), misfit, np.inf)

    def straight(self, fractions: FloatArray) -> FloatArray:
        """Give the products (K, K, n) of the sources, mixing made straight there."""
        mixed, away = self.blend.straight(fractions)
        away += mixed - self.mixtures
        return products(times(self.factor, away))

    def bend(self, fractions: FloatArray) -> FloatArray:
        """Give what the bend of mixing adds to the products (K, K, n)."""
        mixed, slopes = self.blend.straight(fractions)
        away = times(self.factor, (self.mixtures - mixed)[None])
        pull = times(self.factor.swapaxes(0, 1), away)[0]
        amount = self.blend.concentration
        pull = pull / (amount.T @ fractions)
        half = np.einsum("kj,jn,ljn->kln", amount, pull, slopes)
        bend = half + half.swapaxes(0, 1)
        # Fractions sum to 1, so that (f - g)' B (f - g) is f' C f with this C.
        side = times(bend, fractions)
        shift = (side * fractions).sum(axis=0)
        bend = bend - side[:, None] - side[None] + shift
        # A constant keeps the misfit of the bent problem above 0.
        return np.asarray(bend + np.abs(bend).max(axis=(0, 1)), dtype=float)

    def take(self, rows: IntArray) -> View:
        """Return some of the mixtures."""
        single = self.factor.shape[-1] == 1
        factor = self.factor if single else self.factor[:, :, rows]
        return View(self.mixtures[:, rows], factor, self.blend)


def settle(
    view: View,
    start: FloatArray,
    solve: Callable[[FloatArray], FloatArray],
    lowest: float = -np.inf,
    *,
    settled: float = SETTLED,
) -> FloatArray:
    """Lower the misfit from a start (K, n) until fractions settle; NaN if never.

    Each pass solves the problem made straight at the fractions found so far (Gauss and
    Newton), or later with its bend where that leads down (Newton), and steps that way,
    see `_steps`; no fraction falls below ``lowest``.
    """
    fractions = start.copy()
    level = view.misfit(fractions, view.factor)
    change = np.zeros(level.shape)
    todo = np.flatnonzero(np.isfinite(level))
    for turn in range(PASSES):
        if not todo.size:
            break
        part, now = view.take(todo), fractions[:, todo]
        gram = part.straight(now)
        aim, slope = solve(gram), 2.0 * times(gram, now)
        if turn >= STRAIGHT:
            bent = solve(gram + part.bend(now))
            down = (slope * (bent - now)).sum(axis=0) < 0
            aim = np.where(down, bent, aim)
        fall = (slope * (aim - now)).sum(axis=0)
        step = _steps(part, (now, aim), (level[todo], fall), lowest)
        new = np.where(step == 1.0, aim, now + step * (aim - now))
        new = np.maximum(new, lowest)
        fractions[:, todo] = new
        level[todo] = part.misfit(new, part.factor)
        moved = np.abs(new - now).max(axis=0)
        change[todo] = np.where(level[todo] > NOTHING, moved, 0.0)
        todo = todo[change[todo] > settled]
    fractions[:, ~(change <= max(CLOSE, settled))] = np.nan
    return fractions


def _steps(
    view: View,
    way: tuple[FloatArray, FloatArray],
    misfit: tuple[FloatArray, FloatArray],
    lowest: float,
) -> FloatArray:
    """Find steps (n,) from fractions towards their aim that do not raise the misfit.

    ``misfit`` is its level at the fractions and how it changes along the way. The step
    is whole unless a parabola through these and the aim has its foot elsewhere.
    """
    (now, aim), (level, fall) = way, misfit
    move = aim - now
    value = view.misfit(aim, view.factor)
    bend = value - level - fall
    step = np.ones(level.shape)
    np.divide(-fall, 2.0 * bend, out=step, where=(bend > 0) & (value < np.inf))
    room = np.full(now.shape, LONGEST)
    np.divide(now - lowest, -move, out=room, where=move < 0)
    step = np.minimum(step, np.minimum(room.min(axis=0), LONGEST))
    step = np.where(np.abs(step - 1.0) < 0.1, 1.0, np.maximum(step, SHORTEST))
    high = np.arange(level.size)
    for _ in range(HALVINGS):
        part = view.take(high)
        tried = now[:, high] + step[high] * move[:, high]
        value = part.misfit(tried, part.factor)
        high = high[value > level[high] * (1.0 + 1e-12) + 1e-20]
        if not high.size:
            break
        step[high] /= 2.0
    step[high] = 0.0
    return step


def mix_by_concentration(
    mixtures: FloatArray, own: FloatArray, blend: Blend, *, weighted: bool
) -> Mixed:
    """Fractions of mixtures whose sources hold tracers in unlike concentrations.

    Parameters
    ----------
    mixtures : array, shape (n, J)
        Tracers of the mixtures.
    own : array, shape (1 or n, J, J)
        Covariances of the mixtures.
    blend : Blend
        Sources and concentrations.
    weighted : bool
        Whether tracers weigh by the inverse of the whole covariance, or one each.

    Returns
    -------
    mixed : Mixed
        Fractions, first-order variance, derivative and misfits.

    Notes
    -----
    m_j = sum_k f_k q_kj s_kj / sum_k f_k q_kj. With K = J + 1 sources the raw
    fractions solve sum_k f_k q_kj (s_kj - m_j) = 0, which is linear and exact; others
    are least squares of m - m(f). Within 0 and 1, waters beyond the curved edges may
    have several lowest misfits: the best from the middle and from every source is
    taken. The covariance holds each source by its share of the tracer,
    f_k q_kj / sum_i f_i q_ij; concentrations count as exact.

    References
    ----------
    Phillips and Koch (2002), Oecologia 130, 114-125, doi:10.1007/s004420100786.

    Examples
    --------
    >>> blend = Blend(np.array([[0.0], [1.0]]), np.zeros((2, 1, 1)),
    ...               np.array([[1.0], [3.0]]))
    >>> own = np.ones((1, 1, 1))
    >>> mixed = mix_by_concentration(np.array([[0.5]]), own, blend, weighted=True)
    >>> mixed.fractions.round(6).tolist()
    [[0.75, 0.25]]
    """
    if blend.plain:
        sources, spread = blend.sources, blend.spread
        return mix_rows(mixtures, own, sources, spread, weighted=weighted)
    solve = partial(mix_chunk, blend=blend, weighted=weighted)
    return in_chunks(mixtures, own, solve)


def mix_chunk(
    mixtures: FloatArray, own: FloatArray, blend: Blend, *, weighted: bool
) -> Mixed:
    """Fractions of mixtures (J, n), mixtures last; see `mix_by_concentration`."""
    n_sources, n_tracers = blend.sources.shape
    floor = 1e-9 * blend.spread.mean(axis=0)
    fractions = np.full((n_sources, mixtures.shape[-1]), 1.0 / n_sources)
    exact = None
    rounds = ROUNDS if weighted and blend.spread.any() else 1
    for turn in range(rounds):
        whiten = whitener(blend.covariance(fractions, own), floor)
        factor = whiten if weighted else np.eye(n_tracers)[:, :, None]
        view = View(mixtures, factor, blend)
        if exact is None and n_sources == n_tracers + 1:
            exact = _exact(view)
        settled = SETTLED if turn == rounds - 1 else ROUGHLY
        start = fractions if turn else None
        fractions = _within(view, start, exact, settled)
    raw = settle(view, fractions, _anywhere) if exact is None else exact
    gain = np.zeros((1, *mixtures.shape))
    if n_sources > 1:
        _, face = face_fractions(view.straight(raw), tuple(range(n_sources)))
        gain = face_gain(face, factor, blend.straight(raw)[1])
    total = blend.covariance(raw, own)
    variance = (times(total, gain) * gain).sum(axis=1)
    return Mixed(
        raw,
        fractions,
        np.maximum(variance, 0.0),
        gain,
        view.misfit(raw, whiten),
        view.misfit(fractions, whiten),
    )


def _anywhere(gram: FloatArray) -> FloatArray:
    """Fractions without the sign rule."""
    return face_fractions(gram, tuple(range(len(gram))))[0]


def _exact(view: View) -> FloatArray:
    """Raw fractions (K, n) of K = J + 1 sources by the linear equations."""
    amount = view.blend.concentration[:, :, None]
    away = amount * (view.blend.sources[:, :, None] - view.mixtures)
    size = np.sqrt((away**2).mean(axis=0))
    away = away / np.where(size > 0, size, 1.0)
    # One pass more takes away what squaring the equations cost in digits.
    return settle(view, _anywhere(products(away)), _anywhere)


def _within(
    view: View, start: FloatArray | None, exact: FloatArray | None, settled: float
) -> FloatArray:
    """Fractions within 0 and 1; ``exact`` ones that are so are the answer."""
    n_tracers, n = view.mixtures.shape
    if exact is None:
        found = np.empty((len(view.blend.sources), n))
        rows = np.arange(n)
    else:
        found = exact.copy()
        rows = np.flatnonzero(~(exact >= 0).all(axis=0))

    def solve(gram: FloatArray) -> FloatArray:
        return nearest(gram, n_tracers)

    part = view.take(rows)
    first = _best_start(part, solve) if start is None else start[:, rows]
    found[:, rows] = settle(part, first, solve, 0.0, settled=settled)
    return found


def _best_start(view: View, solve: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """Where the misfit is least of those found from the middle and from each source."""
    n_sources = len(view.blend.sources)
    middle = np.full((n_sources, view.mixtures.shape[1]), 1.0 / n_sources)
    best = settle(view, middle, solve, 0.0, settled=ROUGHLY)
    level = view.misfit(best, view.factor)
    for source in range(n_sources if n_sources > 1 else 0):
        start = np.zeros(best.shape)
        start[source] = 1.0
        other = settle(view, start, solve, 0.0, settled=ROUGHLY)
        value = view.misfit(other, view.factor)
        better = value < level * (1.0 - 1e-3)
        best = np.where(better, other, best)
        level = np.where(better, value, level)
    return best
