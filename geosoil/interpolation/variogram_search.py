"""Where a loss is least: searches of the whole span, then of the deepest valley."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
from scipy import optimize

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.variogram_fit import FitSettings
from geosoil.interpolation.variogram_models import MODELS

USUAL_SMOOTHNESS = 0.2, 5.0
"""Where a smoothness is searched unless it is given bounds."""

STEPS = 200
"""Numbers tried before the search is refined, where one is searched."""

COARSE = 36
"""Numbers tried of each, where two are searched."""

TOLERANCES = {"xatol": 1e-8, "fatol": 1e-13, "maxiter": 2000}
"""When a walk downhill ends."""

VALLEYS = 3
"""Best places of the coarse search that are refined."""


def search_spans(
    settings: FitSettings, nearest: float, cutoff: float
) -> list[tuple[float, float]]:
    """Return the spans of the logarithms of what is searched: ranges, smoothness.

    Parameters
    ----------
    settings : FitSettings
        Model and bounds.
    nearest : float
        Least distance [m].
    cutoff : float
        Largest distance [m].

    Returns
    -------
    spans : list of (float, float)
        One span a structure, and one of the smoothness where it is fitted.
    """
    usual = nearest / 10, 3 * cutoff
    if settings.model == "power":
        usual = 0.01, 1.99
    elif settings.model == "logarithmic":
        usual = max(usual[0], 1.0), max(usual[1], 1.0)
    spans = [settings.bounds.get("range_", usual)] * settings.structures
    if settings.smoothness == "fit":
        allowed = MODELS[settings.model].smoothness or USUAL_SMOOTHNESS
        low, high = settings.bounds.get("smoothness", USUAL_SMOOTHNESS)
        spans.append((max(low, allowed[0]), min(high, allowed[1])))
    return [(float(np.log(low)), float(np.log(high))) for low, high in spans]


def search_line(
    loss: Callable[[FloatArray], float], spans: list[tuple[float, float]]
) -> tuple[FloatArray, bool]:
    """Return where a function of one number is least, and whether the search ended.

    Parameters
    ----------
    loss : callable
        Function of an array of one number.
    spans : list of one (float, float)
        Where to search.

    Returns
    -------
    best : array, shape (1,)
        The number.
    converged : bool
        Whether the search ended by itself.
    """
    if spans[0][0] == spans[0][1]:
        return np.array([spans[0][0]]), True
    # A search of the whole span first: the squares may have several valleys.
    steps = np.linspace(*spans[0], STEPS)
    best = int(np.argmin([loss(np.array([step])) for step in steps]))
    bounds = steps[max(best - 1, 0)], steps[min(best + 1, len(steps) - 1)]
    found = optimize.minimize_scalar(
        lambda number: loss(np.array([number])),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-12},
    )
    return np.array([float(found.x)]), bool(found.success)


def search_box(
    loss: Callable[[FloatArray], float],
    spans: list[tuple[float, float]],
    *,
    coarse: int = COARSE,
) -> tuple[FloatArray, bool]:
    """Return where a function of several numbers is least in a box.

    Parameters
    ----------
    loss : callable
        Function of an array of k numbers; may be inf.
    spans : list of k (float, float)
        Where to search each number.
    coarse : int
        Numbers tried of each before the search is refined.

    Returns
    -------
    best : array, shape (k,)
        The numbers.
    converged : bool
        Whether the search ended by itself.

    Examples
    --------
    >>> def valley(place):
    ...     return float((place[0] - 1.0) ** 2 + (place[1] + 0.5) ** 2)
    >>> best, converged = search_box(valley, [(-3.0, 3.0), (-2.0, 2.0)])
    >>> best.round(4).tolist(), converged
    ([1.0, -0.5], True)
    """
    steps = [np.linspace(*span, coarse if span[0] < span[1] else 1) for span in spans]
    starts = np.array(list(product(*steps)))
    losses = np.array([loss(start) for start in starts])
    order = np.argsort(losses, kind="stable")
    depth = abs(float(losses[order[0]]))
    unit = depth if 0 < depth < np.inf else 1.0
    width = np.array([high - low for low, high in spans])
    found = []
    for start in starts[order[:VALLEYS]]:
        corners = [start]
        for column, span in enumerate(width / coarse):
            corner = start.copy()
            inward = start[column] > spans[column][0] + span
            corner[column] += -span if inward else span
            corners.append(corner)
        found.append(_refined(lambda x: loss(x) / unit, np.array(corners), spans))
    best, _, converged = min(found, key=lambda result: result[1])
    return best, converged


def _refined(
    loss: Callable[[FloatArray], float],
    corners: FloatArray,
    spans: list[tuple[float, float]],
) -> tuple[FloatArray, float, bool]:
    """Walk a simplex downhill from its corners, inside the box."""
    middle = corners[0]
    free = np.ptp(corners, axis=0) > 0
    if not free.any():
        return middle, loss(middle), True

    def place(moved: FloatArray) -> FloatArray:
        full: FloatArray = np.array(middle)
        full[free] = moved
        return full

    def moved_loss(moved: FloatArray) -> float:
        return loss(place(moved))

    simplex = np.vstack([corners[:1, free], corners[1:][free][:, free]])
    options: Any = {"initial_simplex": simplex, **TOLERANCES}
    best: optimize.OptimizeResult = optimize.minimize(
        moved_loss,
        list(middle[free]),
        method="Nelder-Mead",
        bounds=[span for span, moves in zip(spans, free, strict=True) if moves],
        options=options,
    )
    return place(np.asarray(best.x)), float(best.fun), bool(best.success)
