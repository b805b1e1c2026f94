"""Draws of equal weight from candidates of unequal weight."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.errors import MixingError
from geosoil.tracers._kernels_bayes import Batch, Layout, mixture_terms

FloatArray = npt.NDArray[np.float64]

OVERSAMPLE = 4
"""Candidates for each draw."""
CHUNK = 8192
"""States worked on at a time."""


class WeightedDraws(NamedTuple):
    """Draws of equal weight, made from candidates of unequal weight."""

    states: FloatArray
    """Shape (draw, parameter)."""
    effective: float
    """Effective number of draws."""


def resample(
    states: FloatArray,
    log_weight: FloatArray,
    problem: tuple[Layout, Batch],
    n_draws: int,
    rng: np.random.Generator,
) -> WeightedDraws:
    """Choose states by weight, once the scales of the sources' means are drawn.

    Parameters
    ----------
    states : array, shape (parameter, candidate)
        Candidates without scales.
    log_weight : array, shape (candidate,)
        Log posterior without scales, over the density that made the candidates.
    problem : tuple
        Layout wanted, with or without scales, and the batch of the group.
    n_draws : int
        Draws.
    rng : Generator
        Source of randomness.

    Returns
    -------
    draws : WeightedDraws
        States of equal weight.

    Raises
    ------
    MixingError
        If no candidate has a weight.

    Notes
    -----
    A scale is drawn from its prior, scaled inverse chi-squared, and weighs the
    candidate by its likelihood with scales over that without.
    """
    layout, batch = problem
    if layout.scaled:
        freedom = batch.freedom[:, 0]
        chi = rng.chisquare(freedom, (freedom.shape[0], states.shape[1]))
        logs = np.log(freedom / np.maximum(chi, 1e-9) / batch.typical[:, 0])
        plain = layout._replace(scaled=False)
        below = _log_likelihood(states, plain, batch)
        states = np.concatenate([states, logs])
        log_weight = log_weight + _log_likelihood(states, layout, batch) - below
    sound = np.isfinite(log_weight)
    if not sound.any():
        message = (
            "The caps leave nothing of the posterior: the mixtures need more of a "
            "capped source than is allowed. Raise the cap or check the end members."
        )
        raise MixingError(message)
    share = np.where(sound, np.exp(log_weight - log_weight[sound].max()), 0.0)
    effective = float(share.sum() ** 2 / (share**2).sum())
    kept = rng.permutation(systematic(share, n_draws, rng))
    return WeightedDraws(states[:, kept].T, effective)


def _log_likelihood(states: FloatArray, layout: Layout, batch: Batch) -> FloatArray:
    return in_chunks(
        lambda part: mixture_terms(part[:, None], layout, batch).log_likelihood[0],
        states,
    )


def systematic(mass: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Choose places by their probability with the least possible noise.

    Parameters
    ----------
    mass : array, shape (n,)
        Probabilities.
    count : int
        Places to choose.
    rng : Generator
        Source of randomness.

    Returns
    -------
    places : array of int, shape (count,)
        Places in rising order; each is chosen count times its probability, up to 1.

    Examples
    --------
    >>> systematic(np.array([0.5, 0.5]), 4, np.random.default_rng(1)).tolist()
    [0, 0, 1, 1]
    """
    ladder = (np.arange(count) + rng.random()) / count
    total = np.cumsum(mass)
    return np.minimum(
        np.searchsorted(total / total[-1], ladder, side="right"), len(mass) - 1
    )


def in_chunks(
    density: Callable[[FloatArray], FloatArray], states: FloatArray
) -> FloatArray:
    """Evaluate a density of many states, a part at a time to stay in the cache.

    Parameters
    ----------
    density : callable
        From states (parameter, n) to values (n,).
    states : array, shape (parameter, n)
        States.

    Returns
    -------
    values : array, shape (n,)
        Values.

    Examples
    --------
    >>> in_chunks(lambda part: part[0], np.array([[1.0, 2.0]])).tolist()
    [1.0, 2.0]
    """
    parts = [
        density(states[:, first : first + CHUNK])
        for first in range(0, states.shape[1], CHUNK)
    ]
    return np.concatenate(parts)
