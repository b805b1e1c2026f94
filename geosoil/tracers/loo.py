"""How well a Bayesian model predicts samples that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import logsumexp

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

FEWEST_DRAWS = 25
"""Draws below which the tail of the weights holds fewer than five."""
FEW_OBSERVATIONS = 100
"""Observations below which the standard error of a difference is not to be trusted."""
SMALL_DIFFERENCE = 4.0
"""Difference of elpd below which two models predict alike."""
_PRIOR_WEIGHT, _PRIOR_SHAPE = 10.0, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class LooResult:
    """Expected log density of unseen samples, by leaving each one out.

    Examples
    --------
    >>> log_likelihood = np.random.default_rng(1).normal(-1.0, 0.1, (1000, 8))
    >>> psis_loo(log_likelihood).reason
    ''
    """

    elpd: float
    """Expected log predictive density of all samples; NaN where one has none."""
    se: float
    """Standard error of ``elpd`` over the samples; NaN with one sample."""
    p_loo: float
    """Effective number of parameters: fit to seen less fit to unseen samples."""
    pointwise: FloatArray
    """Log predictive density of each sample by the others, shape (observation,)."""
    pareto_k: FloatArray
    """Shape of the weights' tail, shape (observation,): above ``k_limit`` the sample
    is too influential for weights; -inf where the weights are all equal."""
    k_limit: float
    """Largest shape that so many draws can bear, 0.7 at most."""
    reason: str
    """Why the answer is missing or doubtful; "" where fine."""


def psis_loo(
    log_likelihood: npt.ArrayLike, *, relative_efficiency: float = 1.0
) -> LooResult:
    """Estimate leave-one-out prediction by Pareto-smoothed importance weights.

    Parameters
    ----------
    log_likelihood : array, shape (draw, observation)
        Log density of each observed sample at each posterior draw. A sample with
        several tracers is one observation.
    relative_efficiency : float
        Effective number of draws over their number, for the length of the tail.

    Returns
    -------
    loo : LooResult
        Sum and parts of the log predictive density, with the reliability of each.

    Raises
    ------
    InputError
        If the array has not two dimensions, no observation or fewer than 25 draws,
        or if the efficiency is not positive.

    Notes
    -----
    elpd_i = log(sum_s w_is p(y_i | draw s) / sum_s w_is), w_is = 1 / p(y_i | draw s).
    The M = min(S / 5, 3 sqrt(S / efficiency)) largest weights of the S draws are
    replaced by the quantiles (j - 1/2) / M of a generalised Pareto distribution fitted
    to them, and cut at the largest weight. The fitted shape k is drawn to 0.5 as by
    ten further weights. Above min(1 - 1 / log10(S), 0.7) the estimate is too
    optimistic, for a sample that the model did not expect. The standard error is
    sqrt(n) times the SD (n - 1) of the parts.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), Statistics and Computing 27, 1413-1432,
    doi:10.1007/s11222-016-9696-4. Vehtari, Simpson, Gelman, Yao and Gabry (2024),
    Journal of Machine Learning Research 25(72), 1-58. Zhang and Stephens (2009),
    Technometrics 51, 316-325, doi:10.1198/tech.2009.08017.

    Examples
    --------
    Samples of N(mean, 1), where the mean is drawn from what eight samples leave open:

    >>> rng = np.random.default_rng(3)
    >>> samples = rng.normal(size=8)
    >>> mean = rng.normal(samples.mean(), 1.0 / np.sqrt(8.0), size=(4000, 1))
    >>> log_likelihood = -0.5 * (samples - mean) ** 2 - 0.5 * np.log(2.0 * np.pi)
    >>> loo = psis_loo(log_likelihood)
    >>> round(loo.p_loo, 1), loo.reason
    (1.8, '')
    """
    log_density = _log_density(log_likelihood)
    if not relative_efficiency > 0.0:
        message = f"Invalid efficiency {relative_efficiency}. Give a positive number."
        raise InputError(message)
    n_draws, n_observations = log_density.shape
    length = _tail_length(n_draws, relative_efficiency)
    pointwise, seen, shapes = np.full((3, n_observations), np.nan)
    for one in np.flatnonzero(np.isfinite(log_density).all(axis=0)):
        weights, shapes[one] = _smoothed_weights(-log_density[:, one], length)
        pointwise[one] = logsumexp(weights + log_density[:, one])
        seen[one] = logsumexp(log_density[:, one]) - np.log(n_draws)
    limit = min(1.0 - 1.0 / np.log10(n_draws), 0.7)
    return LooResult(
        elpd=float(pointwise.sum()),
        se=_sum_error(pointwise),
        p_loo=float((seen - pointwise).sum()),
        pointwise=pointwise,
        pareto_k=shapes,
        k_limit=float(limit),
        reason=_reason(pointwise, shapes, limit),
    )


def compare_loo(models: Mapping[str, LooResult]) -> pd.DataFrame:
    """Rank models by their prediction of unseen samples.

    Parameters
    ----------
    models : mapping of str to LooResult
        Results for the same samples in the same order, by name.

    Returns
    -------
    table : DataFrame
        One row a model, the best first and models without an answer last: ``model``;
        ``elpd``; ``se``; ``p_loo``; ``difference`` from the best (0 or less) and
        ``difference_se``, both 0 for the best; ``n_high_k`` samples with a high Pareto
        k; ``reason``.

    Raises
    ------
    InputError
        If there is no model, or the models do not have the same number of samples.

    Notes
    -----
    The difference is sum_i d_i with d_i the difference of the parts, its standard
    error sqrt(n) SD(d_i): what all models find hard cancels. A difference below 4 says
    that the models predict alike; with fewer than 100 samples the standard error may
    be too small.

    References
    ----------
    Vehtari, Gelman and Gabry (2017), Statistics and Computing 27, 1413-1432,
    doi:10.1007/s11222-016-9696-4. Sivula, Magnusson, Matamoros and Vehtari (2020),
    arXiv:2008.10296.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> good = rng.normal(-1.0, 0.1, (1000, 120))
    >>> models = {"two sources": psis_loo(good - 0.5), "three": psis_loo(good)}
    >>> compare_loo(models)[["model", "difference"]].round(3).values.tolist()
    [['three', 0.0], ['two sources', -60.0]]
    """
    _check_models(models)
    names = sorted(models, key=lambda name: _rank(models[name].elpd))
    best = models[names[0]]
    rows = []
    for name in names:
        loo = models[name]
        apart = loo.pointwise - best.pointwise
        row = {
            "model": name,
            "elpd": loo.elpd,
            "se": loo.se,
            "p_loo": loo.p_loo,
            "difference": float(apart.sum()),
            "difference_se": _sum_error(apart) if loo is not best else 0.0,
            "n_high_k": _count_high(loo.pareto_k, loo.k_limit),
            "reason": _words(loo, apart, is_best=loo is best),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _log_density(log_likelihood: npt.ArrayLike) -> FloatArray:
    log_density = np.asarray(log_likelihood, dtype=float)
    if log_density.ndim != 2 or not log_density.shape[1]:
        message = (
            f"The log likelihood has the shape {log_density.shape}. Give an array of "
            "shape (draw, observation) with one observation or more."
        )
        raise InputError(message)
    if len(log_density) < FEWEST_DRAWS:
        message = (
            f"{len(log_density)} draws. The tail of the weights needs {FEWEST_DRAWS} "
            "or more; thousands are usual."
        )
        raise InputError(message)
    return log_density


def _tail_length(n_draws: int, efficiency: float) -> int:
    most = 3.0 * np.sqrt(n_draws / efficiency)
    return max(int(min(n_draws / 5.0, most)), FEWEST_DRAWS // 5)


def _smoothed_weights(log_ratios: FloatArray, length: int) -> tuple[FloatArray, float]:
    """Return the log of normalised weights, and the shape of their tail."""
    weights = log_ratios - log_ratios.max()
    order = np.argsort(weights, kind="stable")
    tail = order[-length:]
    shape = -np.inf
    if weights[order[0]] < 0.0:
        cut = float(np.exp(weights[order[-length - 1]]))
        shape, scale = _fit_pareto(np.exp(weights[tail]) - cut)
        if np.isfinite(shape):
            level = (np.arange(length) + 0.5) / length
            smooth = cut + scale * _pareto_quantile(level, shape)
            weights[tail] = np.minimum(np.log(smooth), 0.0)
    return weights - logsumexp(weights), shape


def _fit_pareto(excess: FloatArray) -> tuple[float, float]:
    """Return shape and scale of a generalised Pareto; infinite shape where none fits.

    The likelihood has one free number, theta = -shape / scale, once the shape is
    profiled out; its posterior mean is a sum over a grid.
    """
    n = len(excess)
    quartile, largest = excess[int(n / 4 + 0.5) - 1], excess[-1]
    if not quartile > 0.0:
        return np.inf, np.nan
    size = 30 + int(np.sqrt(n))
    steps = np.sqrt(size / (np.arange(size) + 0.5))
    theta = 1.0 / largest + (1.0 - steps) / (3.0 * quartile)
    with np.errstate(all="ignore"):
        shapes = np.log1p(-np.outer(theta, excess)).mean(axis=1)
        profile = n * (np.log(-theta / shapes) - shapes - 1.0)
        good = np.isfinite(profile)
        if not good.any():
            return np.inf, np.nan
        mass = np.exp(profile[good] - logsumexp(profile[good]))
        middle = float((mass * theta[good]).sum())
        shape = float(np.log1p(-middle * excess).mean())
        scale = -shape / middle
    if not (np.isfinite(shape) and scale > 0.0):
        return np.inf, np.nan
    total = n + _PRIOR_WEIGHT
    return (n * shape + _PRIOR_WEIGHT * _PRIOR_SHAPE) / total, scale


def _pareto_quantile(level: FloatArray, shape: float) -> FloatArray:
    exponential = -np.log1p(-level)
    if abs(shape) < 1e-12:
        return exponential
    return np.asarray(np.expm1(shape * exponential) / shape)


def _sum_error(parts: FloatArray) -> float:
    """Return the standard error of a sum of parts."""
    if len(parts) < 2:
        return np.nan
    return float(np.sqrt(len(parts) * parts.var(ddof=1)))


def _count_high(shapes: FloatArray, limit: float) -> int:
    return int((shapes > limit).sum())


def _reason(pointwise: FloatArray, shapes: FloatArray, limit: float) -> str:
    reasons = []
    missing = np.flatnonzero(np.isnan(pointwise))
    if len(missing):
        where = ", ".join(map(str, missing[:10]))
        reasons.append(
            f"log likelihood not finite for {len(missing)} of {len(pointwise)} "
            f"observations (numbers {where})"
        )
    high = np.flatnonzero(shapes > limit)
    if len(high):
        where = ", ".join(map(str, high[:10]))
        reasons.append(
            f"Pareto k above {limit:.2f} for {len(high)} of {len(pointwise)} "
            f"observations (numbers {where}; largest {shapes[high].max():.2f}): "
            "elpd too high there, refit without them"
        )
    return "; ".join(reasons)


def _check_models(models: Mapping[str, LooResult]) -> None:
    if not models:
        message = "No model to compare. Give one or more results of psis_loo by name."
        raise InputError(message)
    sizes = {name: len(loo.pointwise) for name, loo in models.items()}
    if len(set(sizes.values())) > 1:
        found = ", ".join(f"{name} {size}" for name, size in sizes.items())
        message = (
            f"The models have different numbers of observations ({found}). Compare "
            "models of the same samples in the same order."
        )
        raise InputError(message)


def _rank(elpd: float) -> tuple[bool, float]:
    return bool(np.isnan(elpd)), -elpd


def _words(loo: LooResult, apart: FloatArray, *, is_best: bool) -> str:
    reasons = [loo.reason] if loo.reason else []
    if not is_best and np.isfinite(apart).all():
        if abs(float(apart.sum())) < SMALL_DIFFERENCE:
            reasons.append(f"differs by less than {SMALL_DIFFERENCE:g}: predicts alike")
        elif len(apart) < FEW_OBSERVATIONS:
            reasons.append(
                f"fewer than {FEW_OBSERVATIONS} observations: difference_se may be "
                "too small"
            )
    return "; ".join(reasons)
