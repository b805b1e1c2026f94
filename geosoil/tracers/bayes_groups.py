"""Groups joined: errors of end members that they share, and partial pooling."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.errors import GeosoilWarning
from geosoil.tracers import _kernels_ensemble as ensemble
from geosoil.tracers._kernels_bayes import (
    Batch,
    Layout,
    MixtureTerms,
    apply,
    cholesky,
    evaporation_of,
    lower_inverse,
    mixture_terms,
    product,
)
from geosoil.tracers.bayes_data import GroupTask
from geosoil.tracers.bayes_weights import systematic

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

ROUNDS = 5
"""Most rounds of fitting the proposal of shared errors."""
ENOUGH = 0.3
"""Share of effective draws at which the proposal is good enough."""
FEW = 100.0
"""Effective states of shared errors below which a warning is given."""
CHUNK = 512
"""States of shared errors worked on at a time."""
TRIAL = 250
"""Draws of a group by which states of the shared errors are weighed at first."""


class GroupPool(NamedTuple):
    """Draws of one group's own posterior."""

    task: GroupTask
    """The group."""
    layout: Layout
    """Parameters."""
    batch: Batch
    """Its data."""
    states: FloatArray
    """Draws, shape (draw, parameter)."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Joint draws of several groups."""

    local: IntArray
    """Draws of each group's pool that fit the draw's state of the shared errors, shape
    (draw, group, candidate); the first makes up the joint draw."""
    shift: FloatArray
    """Error common to the mixtures of a group, shape (draw, group, tracer)."""
    effective: float
    """Effective number of states of the shared errors."""


def join_groups(
    pools: Sequence[GroupPool],
    n_draws: int,
    rng: np.random.Generator,
    *,
    candidates: int = 1,
) -> Joint:
    """Draw all groups together, each draw with one state of the end members.

    Parameters
    ----------
    pools : sequence of GroupPool
        Draws of each group's own posterior, errors of end members integrated out.
    n_draws : int
        Joint draws.
    rng : Generator
        Source of randomness.
    candidates : int
        Draws of each group to name for each state of the end members.

    Returns
    -------
    joint : Joint
        Which draw of each pool makes up a joint draw.

    Warns
    -----
    GeosoilWarning
        If few states of the shared errors carry the weight.

    Notes
    -----
    For an error e of the end members, the mean over a group's own draws of
    L(draw; e) / L(draw; e integrated out) is its evidence at e, over that at no known
    e. States e are drawn from their prior, and later from a fitted distribution, and
    weighed by the product of all groups' evidences; then each group's draw is chosen
    by that ratio. Up to the number of draws this is the joint posterior. Groups that
    share no end member stay apart, and keep their draws.
    """
    groups = len(pools)
    size = pools[0].layout.n_tracers
    shift = np.zeros((n_draws, groups, size))
    local = np.empty((n_draws, groups, candidates), dtype=np.intp)
    effective = np.inf
    for members in _components(pools):
        own = [pools[place] for place in members]
        if len(own) == 1:
            place = members[0]
            count = len(own[0].states)
            local[:, place] = rng.integers(count, size=(n_draws, candidates))
            local[:, place, 0] = np.resize(rng.permutation(count), n_draws)
            shift[:, place] = _own_shift(own[0], local[:, place, 0], rng)
            continue
        errors = _SharedErrors.of(own)
        found, weight = _weighted_states(errors, n_draws, rng)
        effective = min(effective, weight)
        for place, part in zip(members, errors.parts, strict=True):
            chosen = _choose(part, errors.values(found), candidates, rng)
            local[:, place], shift[:, place] = chosen
    if effective < FEW:
        message = (
            f"Only about {effective:.0f} states of the end members' shared errors "
            "carry the joint draws of the groups: comparisons between groups are "
            "rough. Give fewer groups at once."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=3)
    return Joint(local, shift, float(effective))


def _components(pools: Sequence[GroupPool]) -> list[list[int]]:
    """Find sets of groups that share an error, directly or through others."""
    label = list(range(len(pools)))
    owner: dict[bytes, int] = {}
    for place, pool in enumerate(pools):
        keys = list(pool.task.keys) if pool.layout.uncertain else []
        keys = [
            key
            for key, spread in zip(keys, pool.task.mean_spread, strict=False)
            if spread.any()
        ]
        if pool.layout.evaporated and pool.batch.slope_error.any():
            keys.append(b"slope of evaporation")
        for key in keys:
            other = owner.setdefault(key, place)
            old, new = label[place], label[other]
            label = [new if value == old else value for value in label]
    return [
        [place for place, value in enumerate(label) if value == name]
        for name in dict.fromkeys(label)
    ]


def _terms(pool: GroupPool) -> MixtureTerms:
    """Terms of all draws of a pool, the axis of one group left out."""
    terms = mixture_terms(pool.states.T[:, None], pool.layout, pool.batch)
    return MixtureTerms(*(array[..., 0, :] for array in terms))


def _own_shift(
    pool: GroupPool, index: IntArray, rng: np.random.Generator
) -> FloatArray:
    """Draw the common error of one group given its draws, shape (draw, tracer)."""
    terms = _terms(pool)
    turned = terms.factor.swapaxes(0, 1)
    inner = product(product(turned, terms.precision), terms.factor)
    inner[np.arange(len(inner)), np.arange(len(inner))] += 1.0
    inverse = lower_inverse(cholesky(inner))
    normal = rng.standard_normal(terms.pull.shape)
    mean = apply(inverse, apply(turned, terms.pull))
    score = apply(inverse.swapaxes(0, 1), mean + normal)
    return apply(terms.factor, score).T[index]


class _Part(NamedTuple):
    """One group, ready for states of the shared errors."""

    rows: IntArray
    """Rows of the errors of its sources, and that of the slope if there is one."""
    weight: FloatArray
    """Weights of these errors, shape (tracer, draw, row)."""
    pull: FloatArray
    precision: FloatArray
    gain: FloatArray


class _SharedErrors(NamedTuple):
    """Errors that groups share, as standard scores of many rows."""

    factor: FloatArray
    """Factor of each row's covariance, shape (row, tracer, tracer)."""
    freedom: FloatArray
    """Degrees of freedom of each row."""
    parts: list[_Part]
    """Groups."""

    @classmethod
    def of(cls, pools: Sequence[GroupPool]) -> _SharedErrors:
        rows: dict[bytes, int] = {}
        factors: list[FloatArray] = []
        freedoms: list[float] = []
        parts = []
        for pool in pools:
            terms = _terms(pool)
            weight = [np.moveaxis(terms.weight, 0, -1)]
            keys = list(zip(pool.task.keys, pool.task.freedom, strict=True))
            spread = list(pool.task.mean_spread * pool.layout.uncertain)
            if pool.layout.evaporated and pool.batch.slope_error.any():
                amount = evaporation_of(
                    pool.states.T, pool.layout, pool.batch.evaporation
                )
                weight.append(np.ones((terms.pull.shape[0], 1, 1)) * amount[:, None])
                keys.append((b"slope of evaporation", 1e4))
                error = pool.batch.slope_error
                spread.append(error[:, None] * error)
            for (key, freedom), own in zip(keys, spread, strict=True):
                if key not in rows:
                    rows[key] = len(rows)
                    factors.append(cholesky(own))
                    freedoms.append(float(freedom))
            places = np.array([rows[key] for key, _ in keys])
            full = np.concatenate(weight, axis=2)
            parts.append(_Part(places, full, terms.pull, terms.precision, terms.gain))
        return cls(np.array(factors), np.array(freedoms), parts)

    def values(self, scores: FloatArray) -> FloatArray:
        """Errors (state, row, tracer) of standard scores (state, row, tracer)."""
        return np.asarray(np.einsum("rij,srj->sri", self.factor, scores))

    def draw_scores(self, count: int, rng: np.random.Generator) -> FloatArray:
        """Scores from their prior: Student with the freedom of each row."""
        shape = (count, *self.factor.shape[:2])
        chi = rng.chisquare(self.freedom, shape[:2]) / self.freedom
        normal = rng.standard_normal(shape)
        return np.asarray(normal / np.sqrt(np.maximum(chi, 1e-9))[:, :, None])

    def log_prior(self, scores: FloatArray) -> FloatArray:
        """Log prior (state,) of scores, up to a constant."""
        size = scores.shape[2]
        square = (scores**2).sum(axis=2)
        terms = (self.freedom + size) * np.log1p(square / self.freedom)
        return np.asarray(-0.5 * terms.sum(axis=1))


def _log_ratio(part: _Part, errors: FloatArray) -> FloatArray:
    """Log likelihood at errors over that without them, shape (draw, state).

    pull'd - d'Ad / 2 - gain with the shift d linear in the errors: a product of what
    the draws know with the errors and their products, which is one of matrices.
    """
    draws = len(part.gain)
    load = np.moveaxis(part.weight, 1, 0)
    first = load * part.pull.T[:, :, None]
    inner = np.moveaxis(part.precision, 2, 0)
    second = -0.5 * load[:, :, :, None, None] * load[:, None, None]
    second = second * inner[:, :, None, :, None]
    known = [first.reshape(draws, -1), second.reshape(draws, -1), -part.gain[:, None]]
    own = np.moveaxis(errors[:, part.rows], 2, 1).reshape(len(errors), -1)
    pairs = (own[:, :, None] * own[:, None]).reshape(len(errors), -1)
    given = np.concatenate([own, pairs, np.ones((len(errors), 1))], axis=1)
    return np.asarray(np.concatenate(known, axis=1) @ given.T)


def _weighted_states(
    errors: _SharedErrors, count: int, rng: np.random.Generator
) -> tuple[FloatArray, float]:
    """States of the shared errors by the groups' evidences, and how many count."""
    student = None
    trial = [_thinned(part) for part in errors.parts]
    best: tuple[float, FloatArray, FloatArray] = (0.0, np.empty(0), np.empty(0))
    for _ in range(ROUNDS):
        if student is None:
            scores = errors.draw_scores(count, rng)
            log_weight = np.zeros(count)
        else:
            flat = ensemble.student_draws(student, count, rng)
            scores = flat[:, 0].T.reshape(count, *errors.factor.shape[:2])
            log_weight = errors.log_prior(scores)
            log_weight = log_weight - ensemble.student_density(student, flat)[0]
        values = errors.values(scores)
        for part in trial:
            log_weight = log_weight + _evidence(part, values)
        share = np.exp(log_weight - log_weight.max())
        share /= share.sum()
        effective = float(1.0 / (share**2).sum())
        if effective > best[0]:
            best = (effective, scores, share)
        if effective > ENOUGH * count:
            break
        flat_scores = scores.reshape(count, -1)
        student = _fit(flat_scores, share)
    chosen = rng.permutation(systematic(best[2], count, rng))
    return best[1][chosen], best[0]


def _fit(scores: FloatArray, share: FloatArray) -> ensemble.Student:
    """Student distribution of weighted scores; a little too wide on purpose."""
    centre = share @ scores
    away = scores - centre
    covariance = (share[:, None] * away).T @ away
    # Few effective states see too little spread: mix in some of the prior's.
    held = 1.0 / (1.0 + 0.02 / (share**2).sum())
    covariance = 1.2 * covariance + held * np.eye(len(centre))
    factor = np.linalg.cholesky(covariance)
    return ensemble.Student(centre[:, None], factor[None])


def _thinned(part: _Part) -> _Part:
    """Fewer draws of a group: enough for a mean over them."""
    kept = slice(None, None, max(1, len(part.gain) // TRIAL))
    return part._replace(
        weight=part.weight[:, kept],
        pull=part.pull[:, kept],
        precision=part.precision[:, :, kept],
        gain=part.gain[kept],
    )


def _evidence(part: _Part, values: FloatArray) -> FloatArray:
    """Log evidence of a group at errors over that without, shape (state,)."""
    out = np.empty(len(values))
    for first in range(0, len(values), CHUNK):
        ratio = _log_ratio(part, values[first : first + CHUNK])
        top = ratio.max(axis=0)
        out[first : first + CHUNK] = top + np.log(np.exp(ratio - top).mean(axis=0))
    return out


def _choose(
    part: _Part, values: FloatArray, candidates: int, rng: np.random.Generator
) -> tuple[IntArray, FloatArray]:
    """Draws of the group that fit each state, and the shift of the first of them."""
    local = np.empty((len(values), candidates), dtype=np.intp)
    for first in range(0, len(values), CHUNK):
        ratio = _log_ratio(part, values[first : first + CHUNK]).T
        total = np.cumsum(np.exp(ratio - ratio.max(axis=1, keepdims=True)), axis=1)
        level = rng.random((len(total), candidates)) * total[:, -1:]
        for row, ladder in enumerate(total):
            local[first + row] = np.searchsorted(ladder, level[row])
    local = np.minimum(local, len(part.gain) - 1)
    own = values[:, part.rows]
    shift = np.einsum("jsr,srj->sj", part.weight[:, local[:, 0]], own)
    return local, shift
