"""Where walkers start: about the mode, in coordinates that suit the fractions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil.errors import MixingError
from geosoil.tracers import _kernels_ensemble as ensemble
from geosoil.tracers._bayes_density import log_density
from geosoil.tracers._kernels_bayes import Batch, Layout, contrasts, log_shares
from geosoil.tracers._kernels_bayes_mode import find_mode
from geosoil.tracers.bayes_problem import Problem

FloatArray = npt.NDArray[np.float64]

STARTS = 256
"""Guesses of which the best is climbed from."""
DEEP = 20.0
"""Log density below the best at which no walker starts."""
EDGE = 1e-100
"""Least share inside the simplex."""


def posterior_mode(
    problem: Problem, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Find the mode of each group, its caps left out.

    Parameters
    ----------
    problem : Problem
        Groups.
    rng : Generator
        Source of the first guesses.

    Returns
    -------
    mode : array, shape (parameter, group)
        Modes of the unconstrained parameters.
    covariance : array, shape (group, parameter, parameter)
        Inverse curvature there.
    """
    layout = problem.layout
    free = _uncapped(problem)

    def density(states: FloatArray) -> FloatArray:
        return log_density(states, layout, free)

    return find_mode(density, best_guess(problem, rng))


def best_guess(problem: Problem, rng: np.random.Generator) -> FloatArray:
    """Return the best of many random guesses of each group, its caps left out.

    Parameters
    ----------
    problem : Problem
        Groups.
    rng : Generator
        Source of the guesses.

    Returns
    -------
    state : array, shape (parameter, group)
        States to climb from.
    """
    guesses = _guesses(problem, rng)
    best = log_density(guesses, problem.layout, _uncapped(problem)).argmax(axis=1)
    return guesses[:, np.arange(len(problem.names)), best]


def _uncapped(problem: Problem) -> Batch:
    return problem.batch._replace(caps=np.ones_like(problem.batch.caps))


def _guesses(problem: Problem, rng: np.random.Generator) -> FloatArray:
    """First guesses (parameter, group, guess): prior fractions, observed scatter."""
    layout, batch = problem.layout, problem.batch
    parts, groups = layout.parts, len(problem.names)
    out = np.zeros((layout.size, groups, STARTS))
    basis = contrasts(layout.n_sources)
    for group, names in enumerate(problem.names):
        shares = problem.model.prior.prior_draws(names, rng, STARTS)
        out[parts["ratios"], group] = basis.T @ np.log(np.maximum(shares, 1e-6)).T
    n = batch.n.sum(axis=0)
    scatter = batch.scatter.sum(axis=0)
    diagonal = np.arange(layout.n_tracers)
    spread = scatter[diagonal, diagonal] / np.maximum(n - 1.0, 1.0)
    sd = np.sqrt(np.where(spread > 0, spread, batch.residual_scale**2))
    if layout.residual == "product":
        out[parts["residual"]] = -3.0 + rng.normal(0, 1.5, out[parts["residual"]].shape)
    elif layout.residual != "none":
        out[parts["residual"]] = np.log(sd) + rng.normal(0, 0.7, (1, groups, STARTS))
    if layout.evaporated:
        score = rng.standard_normal((1, groups, STARTS))
        flat = not np.isfinite(batch.evaporation[1])
        out[parts["evaporation"]] = score + (np.log(sd[:1]) if flat else 0.0)
    return out


def start_walkers(
    problem: Problem, walkers: int, rng: np.random.Generator
) -> FloatArray:
    """Place the walkers about the mode, none above a cap.

    Parameters
    ----------
    problem : Problem
        Groups.
    walkers : int
        Walkers of each group.
    rng : Generator
        Source of randomness.

    Returns
    -------
    start : array, shape (parameter, group, walker)
        States of density above 0.

    Raises
    ------
    MixingError
        If the caps leave no such states.
    """
    mode, covariance = posterior_mode(problem, rng)
    student = ensemble.Student(
        mode, np.asarray(np.linalg.cholesky(covariance), dtype=float)
    )
    near = ensemble.student_draws(student, 40 * walkers, rng)
    basis = contrasts(problem.layout.n_sources)
    far = near[:, :, : 10 * walkers].copy()
    for group, names in enumerate(problem.names):
        shares = problem.model.prior.prior_draws(names, rng, 10 * walkers)
        logs = np.log(np.maximum(shares, 1e-9)).T
        far[problem.layout.parts["ratios"], group] = basis.T @ logs
    tried = np.concatenate([near, far], axis=2)
    value = problem.density(tried)
    start = np.empty((problem.layout.size, len(problem.names), walkers))
    for group in range(len(problem.names)):
        good = np.flatnonzero(value[group] > value[group].max() - DEEP)
        if len(good) < walkers:
            good = np.argsort(-value[group])[:walkers]
        chosen = rng.choice(good, walkers, replace=False)
        start[:, group] = tried[:, group, chosen]
    if not np.isfinite(problem.density(start)).all():
        message = (
            "No start with the caps kept for every walker: the mixtures need more of "
            "a capped source than is allowed. Raise the cap or check the end members."
        )
        raise MixingError(message)
    return start


def share_views(layout: Layout) -> tuple[ensemble.View, ensemble.View]:
    """Return the coordinates of moves: log-ratios, and shares.

    Parameters
    ----------
    layout : Layout
        Parameters.

    Returns
    -------
    views : tuple of View
        States as they are, and states with coordinates linear in the shares.

    Notes
    -----
    Shares that mix to the same tracers lie on a straight line, their log-ratios on a
    bow, along which differences of walkers miss.

    Examples
    --------
    >>> from geosoil.tracers.bayes_model import MixingModel
    >>> into, back = share_views(MixingModel().layout(3))[1]
    >>> place, log_volume = into(np.zeros((5, 1, 1)))
    >>> back(place)[0].ravel().tolist()
    [0.0, 0.0, 0.0, 0.0, 0.0]
    """
    n = layout.n_sources - 1
    linear = ensemble.View(lambda state: _into(state, n), lambda place: _back(place, n))
    return ensemble.View(ensemble.plain, ensemble.plain), linear


def _into(state: FloatArray, n_ratios: int) -> tuple[FloatArray, FloatArray]:
    """Coordinates linear in the shares, and log |d log-ratios / d coordinates|.

    Shares that mix to the same tracers lie on a straight line here; as log-ratios they
    lie on a bow.
    """
    logs = log_shares(state[:n_ratios])
    linear = np.tensordot(contrasts(n_ratios + 1).T, np.exp(logs), axes=1)
    return np.concatenate([linear, state[n_ratios:]]), -logs.sum(axis=0)


def _back(place: FloatArray, n_ratios: int) -> tuple[FloatArray, FloatArray]:
    """Turn coordinates of `_into` to states; minus infinity off the simplex."""
    basis = contrasts(n_ratios + 1)
    shares = 1.0 / (n_ratios + 1) + np.tensordot(basis, place[:n_ratios], axes=1)
    inside = (shares > EDGE).all(axis=0)
    logs = np.log(np.where(inside, shares, 1.0))
    state = np.concatenate([np.tensordot(basis.T, logs, axes=1), place[n_ratios:]])
    return state, np.where(inside, -logs.sum(axis=0), -np.inf)
