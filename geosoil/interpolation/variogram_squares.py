"""Fits of a variogram to classes of distance, by weighted least squares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import optimize

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.variogram_fit import FitSettings, Parameters, Weights
from geosoil.interpolation.variogram_models import rise
from geosoil.interpolation.variogram_search import (
    search_box,
    search_line,
    search_spans,
)

ROUNDS = 200
"""Most rounds of weights that depend on the fitted variogram."""

Sills = tuple[float, tuple[float, ...], float]
"""Nugget, partial sills and weighted squares."""


def class_weights(
    classes: pd.DataFrame, weights: Weights, model_gamma: FloatArray
) -> FloatArray:
    """Return the weight of each class of distance.

    Parameters
    ----------
    classes : DataFrame
        n, distance, gamma.
    weights : {"n/h2", "n", "n/gamma2", "equal"}
        Pairs over squared distance, pairs, pairs over the squared semivariance of the
        variogram (Cressie 1985), or 1.
    model_gamma : array
        Semivariance of the variogram at the distances.

    Returns
    -------
    weights : array
        One a class.
    """
    n, distance = classes["n"].to_numpy(), classes["distance"].to_numpy()
    if weights == "n/h2":
        return np.asarray(n / distance**2)
    if weights == "n":
        return n.astype(np.float64)
    if weights == "equal":
        return np.ones(len(n))
    floor = max(1e-6 * float(np.max(model_gamma)), np.finfo(float).tiny)
    return np.asarray(n / np.maximum(model_gamma, floor) ** 2)


def fit_classes(
    classes: pd.DataFrame, settings: FitSettings, cutoff: float
) -> Parameters:
    """Fit a variogram to classes of distance.

    Parameters
    ----------
    classes : DataFrame
        n, distance [m] and gamma, rising distances, one row or more.
    settings : FitSettings
        Model, weights, bounds, structures and smoothness.
    cutoff : float
        Ranges are searched up to three times this distance [m].

    Returns
    -------
    parameters : Parameters
        The numbers with the least weighted squares.

    Notes
    -----
    Minimised is sum(w (gamma - nugget - sum(partial_sill rise(h)))**2). For each
    range (and smoothness) the best nugget and partial sills, none below 0, are exact;
    only ranges and smoothness are searched, all over their span first, so that the
    answer does not hang on a first guess. Weights N / gamma**2 take gamma from the
    fit before, until it no longer changes.

    References
    ----------
    Cressie (1985), Fitting variogram models by weighted least squares, Mathematical
    Geology 17, doi:10.1007/BF01032109.

    Examples
    --------
    >>> h = np.arange(1.0, 11.0)
    >>> table = pd.DataFrame({"n": 9, "distance": h, "gamma": 1 - np.exp(-h / 3)})
    >>> found = fit_classes(table, FitSettings("exponential"), 10.0)
    >>> round(found.nugget, 6), round(found.sills[0], 6), round(found.ranges[0], 4)
    (0.0, 1.0, 3.0)
    """
    first = "n/h2" if settings.weights == "n/gamma2" else settings.weights
    weights = class_weights(classes, first, np.empty(0))
    found = least_squares(classes, weights, settings, cutoff)
    if settings.weights != "n/gamma2":
        return found
    for _ in range(ROUNDS):
        before = fitted_gamma(classes, found, settings.model)
        weights = class_weights(classes, "n/gamma2", before)
        found = least_squares(classes, weights, settings, cutoff)
        after = fitted_gamma(classes, found, settings.model)
        if np.allclose(after, before, rtol=1e-8, atol=0):
            return found
    return replace(found, converged=False)


def fitted_gamma(classes: pd.DataFrame, found: Parameters, model: str) -> FloatArray:
    """Return the semivariance of fitted parameters at the distances of classes.

    Parameters
    ----------
    classes : DataFrame
        With ``distance`` [m].
    found : Parameters
        Fitted numbers.
    model : str
        Kind of the rise.

    Returns
    -------
    gamma : array
        One a class.
    """
    distance = classes["distance"].to_numpy()
    gamma = np.full(len(distance), found.nugget)
    for sill, range_ in zip(found.sills, found.ranges, strict=True):
        gamma += sill * rise(model, distance, range_, smoothness=found.smoothness)
    return gamma


def least_squares(
    classes: pd.DataFrame, weights: FloatArray, settings: FitSettings, cutoff: float
) -> Parameters:
    """Return the parameters with the least squares for given weights.

    Parameters
    ----------
    classes : DataFrame
        n, distance [m] and gamma.
    weights : array
        One a class.
    settings : FitSettings
        Model, bounds, structures and smoothness.
    cutoff : float
        Ranges are searched up to three times this distance [m].

    Returns
    -------
    parameters : Parameters
        The best numbers.
    """
    distance, gamma = classes["distance"].to_numpy(), classes["gamma"].to_numpy()
    spans = search_spans(settings, distance.min(), cutoff)
    fit_sills = _sills_solver(gamma, weights, settings)

    def unpack(theta: FloatArray) -> tuple[FloatArray, float | None]:
        numbers = np.exp(theta)
        if settings.smoothness == "fit":
            return numbers[:1], float(numbers[1])
        return np.sort(numbers), settings.given_smoothness

    def solve(theta: FloatArray) -> Sills:
        ranges, smoothness = unpack(theta)
        return fit_sills(
            [rise(settings.model, distance, a, smoothness=smoothness) for a in ranges]
        )

    def loss(theta: FloatArray) -> float:
        return solve(theta)[2]

    best, converged = _search(loss, spans)
    nugget, sills, squares = solve(best)
    ranges, smoothness = unpack(best)
    return Parameters(
        nugget, sills, tuple(map(float, ranges)), smoothness, squares, converged
    )


def _search(
    loss: Callable[[FloatArray], float], spans: list[tuple[float, float]]
) -> tuple[FloatArray, bool]:
    """Search one number finely, several in a box."""
    return search_line(loss, spans) if len(spans) == 1 else search_box(loss, spans)


def _sills_solver(
    gamma: FloatArray, weights: FloatArray, settings: FitSettings
) -> Callable[[Sequence[FloatArray]], Sills]:
    """Return what finds the best nugget and partial sills for given rises."""
    roots = np.sqrt(weights)
    limits = [settings.bounds.get(name) for name in ("nugget", "partial_sill")]
    if settings.structures == 1 and limits == [None, None]:
        return lambda rises: _best_sills(rises[0], gamma, weights)
    low, high = np.array([(0.0, np.inf) if span is None else span for span in limits]).T
    every = [0, *[1] * settings.structures]
    unit = float(gamma.max()) or 1.0
    low, high = low[every] / unit, high[every] / unit

    def solve(rises: Sequence[FloatArray]) -> Sills:
        columns = np.column_stack([np.ones_like(gamma), *rises])
        heights = unit * _boxed(
            columns * roots[:, None], gamma * roots / unit, low, high
        )
        squares = float(weights @ (gamma - columns @ heights) ** 2)
        return float(heights[0]), tuple(map(float, heights[1:])), squares

    return solve


def _boxed(
    columns: FloatArray, target: FloatArray, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return the least-squares coefficients that lie between bounds."""
    if not np.isfinite(high).any() and not low.any():
        return np.asarray(optimize.nnls(columns, target)[0])
    free = low < high
    heights = low.copy()
    if free.any():
        rest = target - columns[:, ~free] @ low[~free]
        found = optimize.lsq_linear(
            columns[:, free], rest, bounds=(low[free], high[free]), method="bvls"
        )
        heights[free] = found.x
    return heights


def _best_sills(rises: FloatArray, gamma: FloatArray, weights: FloatArray) -> Sills:
    """Return nugget and partial sill, neither below 0, and the weighted squares."""
    total = weights.sum()
    mean_rise, mean_gamma = (weights @ rises) / total, (weights @ gamma) / total
    spread = weights @ (rises - mean_rise) ** 2
    slope = weights @ ((rises - mean_rise) * (gamma - mean_gamma))
    partial_sill = max(slope / spread, 0.0) if spread > 1e-12 * total else 0.0
    nugget = mean_gamma - partial_sill * mean_rise
    if nugget < 0:
        nugget = 0.0
        partial_sill = max((weights @ (rises * gamma)) / (weights @ rises**2), 0.0)
    squares = weights @ (gamma - nugget - partial_sill * rises) ** 2
    return float(nugget), (float(partial_sill),), float(squares)
