"""Draws from the posterior of groups, with the proof that they have converged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers import _kernels_ensemble as ensemble
from geosoil.tracers.bayes_model import SamplerSettings
from geosoil.tracers.bayes_problem import Problem, shown_parameters, take_groups
from geosoil.tracers.bayes_quadrature import grid_draws, posterior_grid
from geosoil.tracers.bayes_start import best_guess, share_views, start_walkers
from geosoil.tracers.bayes_weights import OVERSAMPLE, WeightedDraws, resample
from geosoil.tracers.convergence import convergence_table

FloatArray = npt.NDArray[np.float64]

WALKERS = 32
"""Fewest walkers of a group."""
RELIABLE = 0.5
"""Effective draws for each draw wanted, below which weights are not trusted."""
FEW_WEIGHTS = "few draws carry the weight"
"""Reason: importance weights are too uneven."""


class Pool(NamedTuple):
    """Draws of groups that have as many sources."""

    states: FloatArray
    """Unconstrained parameters, shape (draw, parameter, group)."""
    diagnostics: list[pd.DataFrame]
    """Convergence of each group."""


def sample_groups_by_quadrature(
    problem: Problem, settings: SamplerSettings, rng: np.random.Generator
) -> Pool:
    """Draw from each group's grid.

    Parameters
    ----------
    problem : Problem
        Groups.
    settings : SamplerSettings
        Number of draws.
    rng : Generator
        Source of randomness.

    Returns
    -------
    pool : Pool
        Draws.

    Raises
    ------
    MixingError
        If a grid is too large or few of its draws carry the weight.
    """
    plain = problem.layout._replace(scaled=False)
    start = best_guess(problem._replace(layout=plain), rng)
    found, tables = [], []
    for group, names in enumerate(problem.names):
        own = take_groups(problem.batch, [group])
        grid = posterior_grid(plain, own, start[:, group])
        draws = grid_draws(grid, problem.layout, own, settings.n_draws, rng)
        found.append(draws)
        table = pd.DataFrame(
            {"parameter": [*names, *problem.model.parameter_names(problem.layout)]}
        )
        table["r_hat"] = np.nan
        table["ess_bulk"] = table["ess_tail"] = draws.effective
        table["stuck_chains"] = [()] * len(table)
        tables.append(table.assign(converged=True, reason="", method="quadrature"))
    return _finish(problem, settings, (found, tables), rng)


def sample_groups_by_ensemble(
    problem: Problem, settings: SamplerSettings, rng: np.random.Generator
) -> Pool:
    """Walk an ensemble of each group until it has converged.

    Parameters
    ----------
    problem : Problem
        Groups.
    settings : SamplerSettings
        Walkers, iterations and limits.
    rng : Generator
        Source of randomness.

    Returns
    -------
    pool : Pool
        Draws, evenly taken from all walkers.

    Raises
    ------
    MixingError
        If a group has not converged within the limit of iterations.

    Notes
    -----
    Walkers start about the mode. Moves are differences of two walkers, snooker moves,
    and, after the warm-up, draws from a Student distribution fitted to it. Every
    walker is a chain of the convergence test.

    References
    ----------
    ter Braak (2006), Statistics and Computing 16, 239-249,
    doi:10.1007/s11222-006-8769-1; ter Braak and Vrugt (2008), Statistics and
    Computing 18, 435-446, doi:10.1007/s11222-008-9104-9.
    """
    if problem.layout.process and problem.layout.scaled:
        # The scatter of mixtures speaks of the scales: weights would be uneven.
        flat, tables = _walk(problem, settings, rng)
        return Pool(_evenly(flat, settings.n_draws, rng), tables)
    plain = problem._replace(layout=problem.layout._replace(scaled=False))
    flat, tables = _walk(plain, settings, rng)
    count = min(len(flat), OVERSAMPLE * settings.n_draws)
    chosen = np.linspace(0, len(flat) - 1, count).astype(int)
    found = []
    for group in range(len(problem.names)):
        own = (problem.layout, take_groups(problem.batch, [group]))
        states = flat[chosen, :, group].T
        found.append(resample(states, np.zeros(count), own, settings.n_draws, rng))
    return _finish(problem, settings, (found, tables), rng)


def _walk(
    problem: Problem, settings: SamplerSettings, rng: np.random.Generator
) -> tuple[FloatArray, list[pd.DataFrame]]:
    """States (draw, parameter, group) of an ensemble that has converged."""
    walkers = settings.walkers or max(WALKERS, 2 * problem.layout.size + 4)
    start = start_walkers(problem, walkers + walkers % 2, rng)
    views = share_views(problem.layout)
    length = (settings.warm_up, 2)
    first = ensemble.walk(problem.density, start, length, rng, (views, ()))
    half = first.states[len(first.states) // 2 :]
    students = ensemble.fit_views(half, views)
    kept: list[FloatArray] = []
    last, done, tables = first.last, 0, [pd.DataFrame()]
    while done + settings.block <= settings.limit:
        length = (settings.block, settings.thin)
        moves = (views, students)
        part = ensemble.walk(problem.density, last, length, rng, moves)
        kept.append(part.states)
        last, done = part.last, done + settings.block
        tables = _diagnose(problem, np.concatenate(kept), settings)
        if all(table["converged"].all() for table in tables):
            break
        if done == settings.block and done < settings.limit - settings.block:
            # A better fit from the first block; what it saw is thrown away.
            students = ensemble.fit_views(kept.pop(), views)
    _refuse(problem, tables)
    walked = np.moveaxis(np.concatenate(kept), 3, 1)
    flat = walked.reshape(-1, *walked.shape[2:])
    return flat, [table.assign(method="ensemble") for table in tables]


def _finish(
    problem: Problem,
    settings: SamplerSettings,
    drawn: tuple[Sequence[WeightedDraws], list[pd.DataFrame]],
    rng: np.random.Generator,
) -> Pool:
    """Put the groups' draws together; walk anew where few of them carry the weight.

    Mixtures far from what the sources can explain need source means far off, which
    draws made at the typical scale of their errors do not reach: then the scales are
    parameters of an ensemble.
    """
    found, tables = drawn
    states = np.stack([draws.states for draws in found], axis=2)
    least = max(settings.ess, RELIABLE * settings.n_draws)
    few = [group for group, draws in enumerate(found) if draws.effective < least]
    if few and problem.layout.scaled:
        names = [problem.names[group] for group in few]
        labels = [problem.labels[group] for group in few]
        part = problem._replace(
            batch=take_groups(problem.batch, few), names=names, labels=labels
        )
        flat, walked = _walk(part, settings, rng)
        states[:, :, few] = _evenly(flat, settings.n_draws, rng)
        for place, group in enumerate(few):
            tables[group] = walked[place]
    elif few:
        for group in few:
            tables[group] = tables[group].assign(converged=False, reason=FEW_WEIGHTS)
        _refuse(problem, tables)
    return Pool(states, tables)


def _evenly(states: FloatArray, count: int, rng: np.random.Generator) -> FloatArray:
    """Take ``count`` states from all of the walk, in random order."""
    chosen = np.linspace(0, len(states) - 1, count).astype(int)
    return np.asarray(states[rng.permutation(chosen)])


def _diagnose(
    problem: Problem, states: FloatArray, settings: SamplerSettings
) -> list[pd.DataFrame]:
    """Convergence of each group's states (draw, parameter, group, walker)."""
    shown = shown_parameters(
        np.moveaxis(states, 1, 0), problem.layout, problem.batch.evaporation
    )
    extra = problem.model.parameter_names(problem.layout)
    return [
        convergence_table(
            shown[:, :, group].transpose(2, 1, 0),
            [*names, *extra],
            r_hat_limit=settings.r_hat,
            ess_limit=settings.ess,
        )
        for group, names in enumerate(problem.names)
    ]


def _refuse(problem: Problem, tables: Sequence[pd.DataFrame]) -> None:
    """Raise where a group has not converged: such an answer is not reported."""
    faults = [
        f"{label}: {row['parameter']} ({row['reason']})"
        for label, table in zip(problem.labels, tables, strict=True)
        for _, row in table[~table["converged"].astype(bool)].iterrows()
    ]
    if faults:
        more = f"; and {len(faults) - 8} more" if len(faults) > 8 else ""
        message = (
            f"The posterior has not converged, so no fractions are reported. "
            f"{'; '.join(faults[:8])}{more}. Raise SamplerSettings.limit, drop or join "
            "sources that the tracers cannot tell apart, or give a narrower prior."
        )
        raise MixingError(message)
