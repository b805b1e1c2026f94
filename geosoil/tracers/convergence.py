"""Whether Markov chains have reached one and the same distribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers import _kernels_convergence as kernels

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

LEAST_DRAWS = 4
"""Draws a chain below which nothing can be said."""
REST_LIMIT = 0.5
"""A chain that stays at one value for more than this share of its draws is stuck."""
FAR_LOCATION = 1.0
"""Distance from the other chains [their usual SD] that is far."""
FAR_SPREAD = 4.0
"""Factor between a chain's spread and the usual one that is far."""
SURE = 4.0
"""Standard errors that a distance must exceed as well."""
NORMAL_IQR = 1.3489795003921634
"""Interquartile range of the standard normal distribution."""
MEDIAN_ERROR = 1.2533
"""Standard error of a median of normal draws [SD / sqrt(n)]."""
RANGE_ERROR = 1.166
"""Standard error of the log of an interquartile range of them [1 / sqrt(n)]."""
FEWEST_CHAINS = 3
"""Chains below which none can be told from the others."""

CONSTANT = "constant: nothing to diagnose"
"""Reason: all draws of all chains are equal."""
NOT_FINITE = "draws that are not finite"
"""Reason: a draw is NaN or infinite."""
FEW_DRAWS = f"fewer than {LEAST_DRAWS} draws a chain"
"""Reason: too few draws."""
ONE_CHAIN = "one chain: it cannot be compared"
"""Reason: R-hat between chains needs two."""


def rank_r_hat(draws: npt.ArrayLike) -> float:
    """Return the rank-normalised split R-hat, the larger of bulk and folded.

    Parameters
    ----------
    draws : array, shape (chain, draw)
        Draws of one parameter, after warm-up.

    Returns
    -------
    r_hat : float
        Near 1 where the chains agree in place and in spread; infinite where no half
        of a chain moves; NaN for a constant parameter, one chain, fewer than four
        draws a chain or draws that are not finite.

    Raises
    ------
    InputError
        If the array has not two dimensions.

    Notes
    -----
    Each chain is cut in halves, which makes 2 M chains of N draws. With z the normal
    scores of the pooled ranks, W the mean variance within the chains and B N times
    the variance of their means, R = sqrt(((N - 1) / N W + B / N) / W). The folded one
    is R of the scores of |draw - median|, and sees chains of different spread.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian Analysis 16,
    667-718, doi:10.1214/20-BA1221.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> round(rank_r_hat(draws), 2)
    1.0
    >>> round(rank_r_hat(draws + [[0.0], [0.0], [0.0], [2.0]]), 1)
    1.3
    """
    chains = _chains(draws)
    if _no_answer(chains) or len(chains) < 2:
        return np.nan
    return _r_hat(kernels.split_chains(chains))


def bulk_ess(draws: npt.ArrayLike) -> float:
    """Return the effective number of draws for the middle of the distribution.

    Parameters
    ----------
    draws : array, shape (chain, draw)
        Draws of one parameter, after warm-up.

    Returns
    -------
    ess : float
        Independent draws that would be worth as much; NaN for a constant parameter,
        fewer than four draws a chain or draws that are not finite.

    Raises
    ------
    InputError
        If the array has not two dimensions.

    Notes
    -----
    S / tau of the normal scores of the split chains, S draws in all, with tau =
    1 + 2 sum rho_t cut by Geyer's initial monotone sequence, and not below
    1 / log10(S). Chains of an ensemble sampler lean on each other, which the number
    does not know of.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian Analysis 16,
    667-718, doi:10.1214/20-BA1221.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> 3000 < bulk_ess(draws) < 5000
    True
    >>> bulk_ess(np.repeat(draws, 10, axis=1)) < 5000
    True
    """
    chains = _chains(draws)
    if _no_answer(chains):
        return np.nan
    return kernels.plain_ess(kernels.normal_scores(kernels.split_chains(chains)))


def tail_ess(draws: npt.ArrayLike) -> float:
    """Return the effective number of draws for the 5 % and 95 % quantiles.

    Parameters
    ----------
    draws : array, shape (chain, draw)
        Draws of one parameter, after warm-up.

    Returns
    -------
    ess : float
        The smaller of the two; NaN as in `bulk_ess`.

    Raises
    ------
    InputError
        If the array has not two dimensions.

    Notes
    -----
    Effective number of draws of the indicators I(draw <= q), q the pooled quantile.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian Analysis 16,
    667-718, doi:10.1214/20-BA1221.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000))
    >>> 3000 < tail_ess(draws) < 5000
    True
    """
    chains = _chains(draws)
    if _no_answer(chains):
        return np.nan
    sizes = [
        kernels.plain_ess(kernels.split_chains((chains <= limit).astype(float)))
        for limit in np.quantile(chains, [0.05, 0.95])
    ]
    return float(np.min(sizes))


def stuck_chains(draws: npt.ArrayLike) -> list[int]:
    """Name the chains that stand still or live elsewhere than the others.

    Parameters
    ----------
    draws : array, shape (chain, draw)
        Draws of one parameter, after warm-up.

    Returns
    -------
    chains : list of int
        Numbers of the stuck chains, from 0; empty where nothing can be said.

    Raises
    ------
    InputError
        If the array has not two dimensions.

    Notes
    -----
    A chain is stuck where one of these holds:

    * it stays at one value for more than half of its draws;
    * its median lies more than 1 usual SD from the median of the chains' medians;
    * its interquartile range is more than 4 times wider or narrower than usual.

    Usual is the median over the chains, with SD = IQR / 1.349. The last two need three
    chains, and must also exceed 4 standard errors, the larger of two: 1.253 SD /
    sqrt(e) of a median and 1.166 / sqrt(e) of the log of a range, e the usual
    effective number of draws of one chain; and the scatter of the chains themselves,
    their median distance / 0.674. So chains that are merely short or slow, and two
    camps of equal size of which nobody knows the right one, are left to R-hat.

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 500))
    >>> stuck_chains(draws)
    []
    >>> draws[2] = 0.3
    >>> stuck_chains(draws)
    [2]
    """
    chains = _chains(draws)
    if _no_answer(chains):
        return []
    stuck = kernels.longest_rest(chains) > REST_LIMIT
    if len(chains) >= FEWEST_CHAINS:
        stuck |= _far(chains)
    return [int(chain) for chain in np.flatnonzero(stuck)]


def convergence_table(
    draws: npt.ArrayLike,
    names: Sequence[str],
    *,
    r_hat_limit: float = 1.01,
    ess_limit: float = 400.0,
) -> pd.DataFrame:
    """Judge each parameter of a set of chains.

    Parameters
    ----------
    draws : array, shape (chain, draw, parameter)
        Draws after warm-up.
    names : sequence of str
        Names of the parameters. Leave out those that are constant by construction,
        such as the fraction of a source that a group cannot have.
    r_hat_limit : float
        R-hat above which a parameter has not converged.
    ess_limit : float
        Effective number of draws, bulk and tail, below which it has not.

    Returns
    -------
    table : DataFrame
        One row a parameter: ``parameter``; ``r_hat``; ``ess_bulk``; ``ess_tail``;
        ``stuck_chains``, a tuple of chain numbers from 0; ``converged``; ``reason``,
        "" where converged. A parameter without an answer has NaN, is not converged,
        and says why.

    Raises
    ------
    InputError
        If the array has not three dimensions or the names do not fit.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter and Buerkner (2021), Bayesian Analysis 16,
    667-718, doi:10.1214/20-BA1221 (the limits 1.01 and 400).

    Examples
    --------
    >>> draws = np.random.default_rng(1).normal(size=(4, 1000, 2))
    >>> draws[3, :, 1] += 5.0
    >>> table = convergence_table(draws, ["rain", "ice"])
    >>> table["converged"].tolist()
    [True, False]
    >>> table.loc[1, "stuck_chains"]
    (3,)
    """
    cube = np.asarray(draws, dtype=float)
    if cube.ndim != 3 or cube.shape[2] != len(names):
        message = (
            f"Draws of shape {cube.shape} for {len(names)} names. Give draws of shape "
            "(chain, draw, parameter) and a name for each parameter."
        )
        raise InputError(message)
    limits = _Limits(r_hat_limit, ess_limit)
    rows = [
        {"parameter": name, **_judge(cube[:, :, order], limits)}
        for order, name in enumerate(names)
    ]
    columns = ["parameter", "r_hat", "ess_bulk", "ess_tail", "stuck_chains"]
    return pd.DataFrame(rows, columns=[*columns, "converged", "reason"])


class _Limits(NamedTuple):
    r_hat: float
    ess: float


def _judge(chains: FloatArray, limits: _Limits) -> dict[str, object]:
    r_hat, bulk, tail = rank_r_hat(chains), bulk_ess(chains), tail_ess(chains)
    stuck = stuck_chains(chains)
    reasons = [_no_answer(chains)]
    if not reasons[0]:
        if len(chains) < 2:
            reasons.append(ONE_CHAIN)
        if r_hat > limits.r_hat:
            reasons.append(f"R-hat {r_hat:.3f} above {limits.r_hat:g}")
        for where, ess in (("bulk", bulk), ("tail", tail)):
            if np.isnan(ess):
                reasons.append(f"no {where} ESS: too many equal draws")
            elif ess < limits.ess:
                reasons.append(f"{where} ESS {ess:.0f} below {limits.ess:g}")
        if stuck:
            reasons.append(f"stuck chains {', '.join(map(str, stuck))}")
    reason = "; ".join(words for words in reasons if words)
    return {
        "r_hat": r_hat,
        "ess_bulk": bulk,
        "ess_tail": tail,
        "stuck_chains": tuple(stuck),
        "converged": not reason,
        "reason": reason,
    }


def _chains(draws: npt.ArrayLike) -> FloatArray:
    chains = np.asarray(draws, dtype=float)
    if chains.ndim != 2:
        message = (
            f"Draws have the shape {chains.shape}. Give one parameter as an array of "
            "shape (chain, draw)."
        )
        raise InputError(message)
    return chains


def _no_answer(chains: FloatArray) -> str:
    if chains.shape[0] < 1 or chains.shape[1] < LEAST_DRAWS:
        return FEW_DRAWS
    if not np.isfinite(chains).all():
        return NOT_FINITE
    # Rounding in a sum of fractions is no movement.
    if np.ptp(chains) <= 1e-12 * np.abs(chains).max():
        return CONSTANT
    return ""


def _r_hat(halves: FloatArray) -> float:
    folded = np.abs(halves - np.median(halves))
    each = [
        kernels.plain_r_hat(kernels.normal_scores(values))
        for values in (halves, folded)
    ]
    return max(each)


def _far(chains: FloatArray) -> BoolArray:
    lower, middle, upper = np.quantile(chains, [0.25, 0.5, 0.75], axis=1)
    ranges = upper - lower
    usual_range = float(np.median(ranges))
    effective = _usual_effective(chains)
    if usual_range <= 0.0 or np.isnan(effective):
        return np.zeros(len(chains), dtype=bool)
    place = middle / (usual_range / NORMAL_IQR)
    width = np.log(np.maximum(ranges / usual_range, np.finfo(float).tiny))
    error = 1.0 / np.sqrt(effective)
    odd_place = _apart(place, FAR_LOCATION, MEDIAN_ERROR * error)
    return odd_place | _apart(width, np.log(FAR_SPREAD), RANGE_ERROR * error)


def _apart(values: FloatArray, least: float, error: float) -> BoolArray:
    distance = np.abs(values - np.median(values))
    # Slow chains scatter more than their own short history lets them believe.
    scatter = float(np.median(distance)) / (NORMAL_IQR / 2.0)
    return np.asarray(distance > max(least, SURE * error, SURE * scatter))


def _usual_effective(chains: FloatArray) -> float:
    moving = chains[np.ptp(chains, axis=1) > 0.0]
    sizes = [kernels.plain_ess(chain[np.newaxis]) for chain in moving]
    return float(np.median(sizes)) if sizes else np.nan
