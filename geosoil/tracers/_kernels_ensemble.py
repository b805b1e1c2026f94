"""Differential-evolution ensemble for many posteriors at once, on plain arrays.

States are (parameter, group, walker): every step moves half of the walkers of all
groups together. Other half's walkers make the proposals, so the move of one half never
looks at itself and keeps the posterior exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Density = Callable[[FloatArray], FloatArray]
Change = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

JUMP = 0.1
"""Share of difference moves with factor 1, which go from mode to mode."""
SNOOKER = 0.1
"""Share of moves along the line through another walker."""
GLOBAL = 0.7
"""Share of moves to a draw of the fitted Student distribution, once there is one."""
FREEDOM = 6.0
"""Degrees of freedom of that distribution: its tails must be wide."""
NOISE = 1e-5
"""Small normal step that keeps walkers off a common plane."""


class View(NamedTuple):
    """Coordinates that moves are made in: what bends in one is straight in another."""

    into: Change
    """From states to coordinates; with the log of |d state / d coordinate|."""
    back: Change
    """From coordinates to states; with the same, minus infinity outside."""


class Student(NamedTuple):
    """Multivariate Student distribution of each group."""

    centre: FloatArray
    """Centres, shape (parameter, group)."""
    factor: FloatArray
    """Lower factors of the scale, shape (group, parameter, parameter)."""


class Walk(NamedTuple):
    """Kept states of a walk."""

    states: FloatArray
    """Shape (draw, parameter, group, walker)."""
    last: FloatArray
    """Last state, shape (parameter, group, walker)."""
    density: FloatArray
    """Log density of the last state, shape (group, walker)."""


def fit_student(states: FloatArray) -> Student:
    """Fit the distribution to states (draw, parameter, group, walker)."""
    moved = np.moveaxis(states, (2, 1), (0, 1))
    flat = moved.reshape(*moved.shape[:2], -1)
    centre = flat.mean(axis=2)
    away = flat - centre[..., None]
    covariance = away @ away.swapaxes(1, 2) / flat.shape[2]
    size = covariance.shape[1]
    ridge = 1e-10 + 1e-6 * np.trace(covariance, axis1=1, axis2=2) / size
    covariance = covariance + ridge[:, None, None] * np.eye(size)
    return Student(centre.T, np.linalg.cholesky(covariance))


def student_draws(
    student: Student, walkers: int, rng: np.random.Generator
) -> FloatArray:
    """Draw states (parameter, group, walker)."""
    size, groups = student.centre.shape
    normal = rng.standard_normal((groups, size, walkers))
    scale = np.sqrt(FREEDOM / rng.chisquare(FREEDOM, (groups, 1, walkers)))
    step = (student.factor @ normal) * scale
    return student.centre[:, :, None] + step.swapaxes(0, 1)


def student_density(student: Student, states: FloatArray) -> FloatArray:
    """Log density (group, walker) of states, up to a constant of the group."""
    away = (states - student.centre[:, :, None]).swapaxes(0, 1)
    scaled = np.linalg.solve(student.factor, away)
    size = states.shape[0]
    square = (scaled**2).sum(axis=1)
    return np.asarray(-0.5 * (FREEDOM + size) * np.log1p(square / FREEDOM))


def plain(states: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Change nothing."""
    return states, np.zeros(states.shape[1:])


def fit_views(states: FloatArray, views: Sequence[View]) -> list[Student]:
    """Fit a Student distribution in each view to states (draw, d, G, W)."""
    turned = np.moveaxis(states, 1, 0)
    return [fit_student(np.moveaxis(view.into(turned)[0], 0, 1)) for view in views]


def walk(
    density: Density,
    start: FloatArray,
    length: tuple[int, int],
    rng: np.random.Generator,
    proposals: tuple[Sequence[View], Sequence[Student]] = ((View(plain, plain),), ()),
) -> Walk:
    """Walk ``length`` = (iterations, thinning) from ``start`` (parameter, G, W).

    Each move is made in one of the views, drawn at random; there is one fitted
    distribution a view, or none.
    """
    state = start.copy()
    value = density(state)
    iterations, thin = length
    views, students = proposals
    half = state.shape[2] // 2
    halves = (slice(0, half), slice(half, None))
    kept = np.empty((iterations // thin, *state.shape))
    for turn in range(iterations):
        for own, other in (halves, halves[::-1]):
            chosen = int(rng.integers(len(views)))
            student = students[chosen] if students else None
            move = (views[chosen], student)
            _move(density, (state, value), (own, other), rng, move)
        if (turn + 1) % thin == 0:
            kept[(turn + 1) // thin - 1] = state
    return Walk(kept, state, value)


def _move(
    density: Density,
    where: tuple[FloatArray, FloatArray],
    halves: tuple[slice, slice],
    rng: np.random.Generator,
    move: tuple[View, Student | None],
) -> None:
    """Move one half of the walkers in place."""
    state, value = where
    own, other = halves
    view, student = move
    current, before = view.into(state[:, :, own])
    kind = rng.random()
    extra: FloatArray | float = 0.0
    if student is not None and kind < GLOBAL:
        proposed = student_draws(student, current.shape[2], rng)
        extra = student_density(student, current) - student_density(student, proposed)
    else:
        pool = view.into(state[:, :, other])[0]
        if kind > 1.0 - SNOOKER:
            proposed, extra = _snooker(current, pool, rng)
        else:
            proposed = _difference(current, pool, rng)
    moved, after = view.back(proposed)
    found = density(moved)
    with np.errstate(invalid="ignore"):
        gap = found + after - value[:, own] - before + extra
    taken = np.log(rng.random(gap.shape)) < gap
    state[:, :, own] = np.where(taken, moved, state[:, :, own])
    value[:, own] = np.where(taken, found, value[:, own])


def _pick(
    pool: FloatArray, count: int, walkers: int, rng: np.random.Generator
) -> list[FloatArray]:
    """Draw ``count`` different walkers of the pool for each of ``walkers``."""
    groups, size = pool.shape[1:]
    order = rng.random((groups, walkers, size)).argpartition(count, axis=2)
    places = order[:, :, :count]
    rows = np.arange(groups)[:, None]
    return [pool[:, rows, places[:, :, i]] for i in range(count)]


def _difference(
    current: FloatArray, pool: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Add the difference of two walkers of the other half (ter Braak 2006)."""
    size, groups, walkers = current.shape
    first, second = _pick(pool, 2, walkers, rng)
    factor = 2.38 / np.sqrt(2.0 * size) * rng.uniform(0.5, 1.1, (groups, walkers))
    factor = np.where(rng.random((groups, walkers)) < JUMP, 1.0, factor)
    step = factor * (first - second)
    return np.asarray(current + step + NOISE * rng.standard_normal(current.shape))


def _snooker(
    current: FloatArray, pool: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Move on the line through another walker (ter Braak and Vrugt 2008)."""
    size, _, walkers = current.shape
    anchor, first, second = _pick(pool, 3, walkers, rng)
    line = current - anchor
    length = np.maximum((line**2).sum(axis=0), 1e-300)
    along = ((first - second) * line).sum(axis=0) / length
    factor = rng.uniform(1.2, 2.2, along.shape)
    proposed = current + factor * along * line
    after = np.maximum(((proposed - anchor) ** 2).sum(axis=0), 1e-300)
    return proposed, 0.5 * (size - 1) * (np.log(after) - np.log(length))
