"""Partial pooling: groups with the same sources lend each other strength."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.tracers._bayes_density import ratio_prior
from geosoil.tracers._kernels_bayes import contrasts
from geosoil.tracers.bayes_groups import GroupPool, Joint
from geosoil.tracers.bayes_prior import FractionPrior

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

SWEEPS = 150
"""Sweeps of each chain; its last state is kept."""
TRIES = 6
"""Proposals for each group in a sweep."""
CANDIDATES = 100
"""Draws of a group that are proposed at one state of the end members."""
SPREADS = np.geomspace(0.02, 5.0, 60)
"""Standard deviations between groups that are told apart."""
SPREAD_SCALE = 1.0
"""Scale of their half-normal prior, in log-ratios."""


class Pooled(NamedTuple):
    """Joint draws after pooling."""

    chosen: IntArray
    """Draw of each group's pool, shape (draw, group)."""
    spread: FloatArray
    """Mean standard deviation between groups [log-ratio], shape (draw, group); NaN
    where a group has nothing to pool with."""


def pool_groups(
    pools: Sequence[GroupPool],
    joint: Joint,
    prior: FractionPrior,
    rng: np.random.Generator,
) -> Pooled:
    """Draw groups whose log-ratios scatter about a common mean.

    Parameters
    ----------
    pools : sequence of GroupPool
        Draws of each group's own posterior.
    joint : Joint
        Joint draws without pooling.
    prior : FractionPrior
        Prior of the fractions, which the common mean takes on.
    rng : Generator
        Source of randomness.

    Returns
    -------
    pooled : Pooled
        Draws of each pool.

    Notes
    -----
    Groups with the same sources have log-ratios z ~ N(mean, spread^2), one spread a
    coordinate with a half-normal prior of scale 1; the mean is normal with the mean
    and spread that the prior's draws have. Two stages: a group's own draws are the
    proposals, accepted by the ratio of N(z; mean, spread^2) to the prior under which
    they were made, so that no likelihood is computed again. Each joint draw is a chain
    of its own of 150 sweeps at its state of the end members.

    References
    ----------
    Lunn, Barrett, Sweeting and Thompson (2013), J. R. Stat. Soc. C 62, 551-572,
    doi:10.1111/rssc.12007.
    """
    index = joint.local[:, :, 0].copy()
    spread = np.full(index.shape, np.nan)
    kinds: dict[tuple[str, ...], list[int]] = {}
    for place, pool in enumerate(pools):
        kinds.setdefault(pool.task.names, []).append(place)
    for names, members in kinds.items():
        if len(members) < 2:
            continue
        own = [pools[place] for place in members]
        hyper = _hyper_prior(prior, names, rng)
        found, between = _sweep(own, joint.local[:, members], hyper, rng)
        index[:, members] = found
        spread[:, members] = between[:, None]
    return Pooled(index, spread)


def _hyper_prior(
    prior: FractionPrior, names: tuple[str, ...], rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation of the common mean, shape (coordinate,)."""
    shares = np.maximum(prior.prior_draws(names, rng), 1e-9)
    ratios = np.log(shares) @ contrasts(len(names))
    return ratios.mean(axis=0), ratios.std(axis=0)


def _sweep(
    pools: Sequence[GroupPool],
    local: IntArray,
    hyper: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
) -> tuple[IntArray, FloatArray]:
    """Run the chains; draws (chain, group) and mean spread (chain,)."""
    size = pools[0].layout.n_sources - 1
    ratios = np.stack([pool.states[:, :size] for pool in pools])
    below = np.stack(
        [ratio_prior(pool.states[:, :size].T[:, None], pool.batch)[0] for pool in pools]
    )
    chains, groups, candidates = local.shape
    rows = np.arange(groups)
    index = local[:, :, 0]
    z = ratios[rows, index]
    weight = below[rows, index]
    spread = np.full((chains, size), SPREAD_SCALE)
    for _ in range(SWEEPS):
        mean = _draw_mean(z, spread, hyper, rng)
        spread = _draw_spread(z, mean, rng)
        for _ in range(TRIES):
            pick = rng.integers(candidates, size=(chains, groups))
            tried = np.take_along_axis(local, pick[:, :, None], axis=2)[:, :, 0]
            new, new_weight = ratios[rows, tried], below[rows, tried]
            scale = spread[:, None]
            gap = ((z - mean[:, None]) / scale) ** 2
            gap = gap - ((new - mean[:, None]) / scale) ** 2
            accept = 0.5 * gap.sum(axis=2) + weight - new_weight
            taken = np.log(rng.random(accept.shape)) < accept
            index = np.where(taken, tried, index)
            z = np.where(taken[:, :, None], new, z)
            weight = np.where(taken, new_weight, weight)
    return index, spread.mean(axis=1)


def _draw_mean(
    z: FloatArray,
    spread: FloatArray,
    hyper: tuple[FloatArray, FloatArray],
    rng: np.random.Generator,
) -> FloatArray:
    """Draw the common mean given the groups, shape (chain, coordinate)."""
    precision = z.shape[1] / spread**2 + 1.0 / hyper[1] ** 2
    pull = z.sum(axis=1) / spread**2 + hyper[0] / hyper[1] ** 2
    return np.asarray(
        pull / precision + rng.standard_normal(pull.shape) / np.sqrt(precision)
    )


def _draw_spread(
    z: FloatArray, mean: FloatArray, rng: np.random.Generator
) -> FloatArray:
    """Draw the spread between groups given the rest, shape (chain, coordinate)."""
    square = ((z - mean[:, None]) ** 2).sum(axis=1)[:, :, None]
    # Even steps of the logarithm: one power of the spread is the Jacobian.
    logs = (1.0 - z.shape[1]) * np.log(SPREADS) - 0.5 * square / SPREADS**2
    logs = logs - 0.5 * (SPREADS / SPREAD_SCALE) ** 2
    total = np.cumsum(np.exp(logs - logs.max(axis=2, keepdims=True)), axis=2)
    level = rng.random(total.shape[:2])[:, :, None] * total[:, :, -1:]
    place = (total < level).sum(axis=2)
    return np.asarray(SPREADS[np.minimum(place, len(SPREADS) - 1)])
