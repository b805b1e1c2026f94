"""Mode of many posteriors at once, by Newton steps with derivatives by differences."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Density = Callable[[FloatArray], FloatArray]

STEP = 1e-3
"""Step of the differences, in unconstrained parameters."""
TURNS = 40
"""Most Newton steps."""
LENGTHS = np.array([1.0, 0.5, 0.25, 0.1, 0.03, 0.01, 1e-3])
"""Shares of a Newton step that are tried."""
FARTHEST = 3.0
"""Longest step in any parameter."""
FLATTEST = 0.02
"""Least curvature, so that a flat direction gets a finite spread."""


def find_mode(density: Density, start: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Climb from ``start`` (parameter, group) to the modes.

    Returns the modes (parameter, group) and the inverse of minus the second
    derivatives there, shape (group, parameter, parameter).
    """
    state = start.copy()
    for _ in range(TURNS):
        value, gradient, covariance = _quadratic(density, state)
        step = (covariance @ gradient.T[:, :, None])[:, :, 0].T
        longest = np.maximum(np.abs(step).max(axis=0), FARTHEST)
        step = step * (FARTHEST / longest)
        tried = state[:, :, None] + step[:, :, None] * LENGTHS
        found = density(tried)
        best = found.argmax(axis=1)
        groups = np.arange(state.shape[1])
        gain = found[groups, best] - value
        state = np.where(gain > 0, tried[:, groups, best], state)
        if (gain < 1e-7).all():
            break
    return state, _quadratic(density, state)[2]


def _quadratic(
    density: Density, state: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Value (G,), gradient (d, G) and inverse curvature (G, d, d) at states."""
    size, groups = state.shape
    unit = np.eye(size)
    pairs = [(i, j) for i in range(size) for j in range(i)]
    both = [unit[i] + unit[j] for i, j in pairs]
    steps = np.concatenate(
        [np.zeros((1, size)), unit, -unit, both, -np.array(both)]
        if pairs
        else [np.zeros((1, size)), unit, -unit]
    )
    found = density(state[:, :, None] + STEP * steps.T[:, None, :])
    value = found[:, 0]
    up, down = found[:, 1 : size + 1], found[:, size + 1 : 2 * size + 1]
    gradient = (up - down) / (2.0 * STEP)
    curvature = np.zeros((groups, size, size))
    single = up + down - 2.0 * value[:, None]
    curvature[:, np.arange(size), np.arange(size)] = single
    rest = found[:, 2 * size + 1 :]
    for place, (i, j) in enumerate(pairs):
        cross = rest[:, place] + rest[:, place + len(pairs)] - 2.0 * value
        cross = 0.5 * (cross - single[:, i] - single[:, j])
        curvature[:, i, j] = curvature[:, j, i] = cross
    level, vectors = np.linalg.eigh(np.nan_to_num(-curvature / STEP**2))
    level = np.maximum(np.abs(level), FLATTEST)
    inverse = (vectors / level[:, None, :]) @ vectors.swapaxes(1, 2)
    return value, np.nan_to_num(gradient.T), inverse
