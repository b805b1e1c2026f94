"""Array arithmetic of R-hat, effective sizes and stuck chains."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import fft, stats

FloatArray = npt.NDArray[np.float64]


def split_chains(draws: FloatArray) -> FloatArray:
    """Cut each chain in two halves; the middle draw of an odd number is left out.

    Parameters
    ----------
    draws : array, shape (chain, draw)
        Draws of one parameter.

    Returns
    -------
    halves : array, shape (2 chain, draw // 2)
        First halves, then second halves.
    """
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def normal_scores(values: FloatArray) -> FloatArray:
    """Replace values by the normal quantiles of their pooled ranks.

    Parameters
    ----------
    values : array, any shape
        Values; equal ones get their mean rank.

    Returns
    -------
    scores : array, same shape
        Phi^-1((rank - 3/8) / (size + 1/4)).
    """
    ranks = stats.rankdata(values.ravel(), method="average")
    scores = stats.norm.ppf((ranks - 0.375) / (values.size + 0.25))
    return np.asarray(scores, dtype=float).reshape(values.shape)


def plain_r_hat(chains: FloatArray) -> float:
    """Return the potential scale reduction of chains taken as they are.

    Parameters
    ----------
    chains : array, shape (chain, draw)
        Draws, two chains and two draws or more.

    Returns
    -------
    r_hat : float
        sqrt(((n - 1) W + B) / (n W)); infinite where no chain moves.
    """
    n_draws = chains.shape[1]
    within = float(chains.var(axis=1, ddof=1).mean())
    between = n_draws * float(chains.mean(axis=1).var(ddof=1))
    if within <= 0.0:
        return np.inf
    return float(np.sqrt((between / within + n_draws - 1) / n_draws))


def autocovariance(chains: FloatArray) -> FloatArray:
    """Return the autocovariance of each chain at each lag.

    Parameters
    ----------
    chains : array, shape (chain, draw)
        Draws.

    Returns
    -------
    covariance : array, shape (chain, lag)
        Sums of products divided by the number of draws, whatever the lag.
    """
    n_draws = chains.shape[1]
    centred = chains - chains.mean(axis=1, keepdims=True)
    # Zeros behind the chain keep its end from meeting its start in the transform.
    size = int(fft.next_fast_len(2 * n_draws, real=True))
    power = np.abs(fft.rfft(centred, size, axis=1)) ** 2
    sums = np.asarray(fft.irfft(power, size, axis=1), dtype=float)
    covariance: FloatArray = sums[:, :n_draws] / n_draws
    return covariance


def plain_ess(chains: FloatArray) -> float:
    """Return the effective number of draws for the mean of chains as they are.

    Parameters
    ----------
    chains : array, shape (chain, draw)
        Draws, four or more a chain, not all equal.

    Returns
    -------
    ess : float
        M N / tau, tau by Geyer's initial monotone sequence of the autocorrelations
        that the chains have together; NaN where no draw moves.
    """
    n_chains, n_draws = chains.shape
    covariance = autocovariance(chains).mean(axis=0)
    within = covariance[0] * n_draws / (n_draws - 1.0)
    total = covariance[0]
    if n_chains > 1:
        total = total + chains.mean(axis=1).var(ddof=1)
    if total <= 0.0:
        return np.nan
    correlation = 1.0 - (within - covariance) / total
    correlation[0] = 1.0
    # Pairs (2 k, 2 k + 1) of lags; the two last lags are too noisy to be one.
    n_pairs = max((n_draws - 1) // 2, 1)
    pairs = correlation[: 2 * n_pairs].reshape(n_pairs, 2).sum(axis=1)
    ended = np.flatnonzero(pairs <= 0.0)
    stop = int(ended[0]) if len(ended) else n_pairs - 1
    kept = np.minimum.accumulate(pairs[:stop]) if stop else pairs[:0]
    # The even lag after the last pair makes antithetic chains less biased.
    tau = -1.0 + 2.0 * float(kept.sum()) + max(float(correlation[2 * stop]), 0.0)
    size = n_chains * n_draws
    return float(size / max(tau, 1.0 / np.log10(size)))


def longest_rest(chains: FloatArray) -> FloatArray:
    """Return the longest time that each chain stays at one value.

    Parameters
    ----------
    chains : array, shape (chain, draw)
        Draws.

    Returns
    -------
    share : array, shape (chain,)
        Longest run of equal draws as a share of the chain.
    """
    n_chains, n_draws = chains.shape
    moved = np.ones((n_chains, n_draws + 1), dtype=bool)
    moved[:, 1:-1] = np.diff(chains, axis=1) != 0.0
    longest = [np.diff(np.flatnonzero(row)).max() for row in moved]
    share: FloatArray = np.array(longest, dtype=float) / n_draws
    return share
