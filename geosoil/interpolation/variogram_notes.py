"""What a reader must know about a fitted variogram."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geosoil.interpolation.variogram_fit import FitSettings, Parameters
from geosoil.interpolation.variogram_models import MODELS, rise
from geosoil.interpolation.variogram_search import USUAL_SMOOTHNESS

REACHED = 0.95
"""Share of the sill at the cutoff below which the variance is said to rise still."""

LEAST_PART = 0.01
"""Part of the structures' sill below which a structure adds nothing."""

ONE_RANGE = 1.05
"""Ratio of two ranges below which they are one."""


def fit_notes(
    classes: pd.DataFrame,
    settings: FitSettings,
    found: Parameters,
    *,
    single: Parameters | None = None,
) -> list[str]:
    """Return the cautions of a fit.

    Parameters
    ----------
    classes : DataFrame
        Empirical variogram: n, distance [m], gamma.
    settings : FitSettings
        How it was fitted.
    found : Parameters
        The fitted numbers.
    single : Parameters, optional
        Those of one structure, where two were fitted.

    Returns
    -------
    notes : list of str
        One a caution; empty where the fit is sound.

    Examples
    --------
    >>> table = pd.DataFrame({"n": 9, "distance": [1.0, 2.0], "gamma": [1.0, 1.5]})
    >>> found = Parameters(0.5, (1.0,), (2.0,), None, 0.0, True)
    >>> fit_notes(table, FitSettings(), found)
    ['only 2 classes of distance for 3 parameters']
    """
    notes = _shape_notes(classes, settings, found)
    unknown = settings.n_parameters
    if settings.method == "wls" and len(classes) <= unknown:
        notes.append(
            f"only {len(classes)} classes of distance for {unknown} parameters"
        )
    notes += _bound_notes(settings, found)
    if settings.structures > 1:
        notes += _nested_notes(classes, settings, found, single)
    if not found.converged:
        notes.append("the search did not converge")
    return notes


def _nested_notes(
    classes: pd.DataFrame,
    settings: FitSettings,
    found: Parameters,
    single: Parameters | None,
) -> list[str]:
    """Cautions about a second structure, empty or not worth its two parameters."""
    least = LEAST_PART * sum(found.sills)
    pairs = zip(found.sills, found.ranges, strict=True)
    filled = [range_ for sill, range_ in pairs if sill > least]
    if len(filled) < settings.structures or filled[-1] < ONE_RANGE * filled[0]:
        return ["one structure is enough: the second adds nothing"]
    if single is None or not min(single.loss, found.loss) > 0:
        return []
    gain = len(classes) * np.log(single.loss / found.loss)
    more = settings.n_parameters - replace(settings, structures=1).n_parameters
    if gain > 2 * more:
        return []
    return ["one structure is enough: the second is not worth its parameters (AIC)"]


def _shape_notes(
    classes: pd.DataFrame, settings: FitSettings, found: Parameters
) -> list[str]:
    """Cautions about the kind of the rise."""
    shape, notes = MODELS[settings.model], []
    last = float(classes["distance"].iloc[-1])
    if not shape.bounded:
        notes.append(f"the {settings.model} model has no sill, so no covariance")
    elif shape.monotone and sum(found.sills) > 0:
        risen = [
            float(rise(settings.model, last, a, smoothness=found.smoothness))
            for a in found.ranges
        ]
        if np.average(risen, weights=found.sills) < REACHED:
            notes.append("the variance still rises at the cutoff")
    if not shape.in_plane:
        notes.append(
            f"the {settings.model} model holds along a line only, kriging in the "
            "plane may fail"
        )
    return notes


def _bound_notes(settings: FitSettings, found: Parameters) -> list[str]:
    """Cautions about parameters that end at a bound which was not meant to fix them."""
    spans = dict(settings.bounds)
    if settings.smoothness == "fit":
        spans.setdefault("smoothness", USUAL_SMOOTHNESS)
    numbers = {
        "nugget": [found.nugget],
        "partial_sill": list(found.sills),
        "range_": list(found.ranges),
        "smoothness": [float(found.smoothness or np.nan)],
    }
    notes = []
    for name, (low, high) in spans.items():
        at = [b for b in (low, high) for x in numbers[name] if np.isclose(x, b, 1e-6)]
        if low < high and at and at[0] > 0:
            notes.append(f"{name} ends at its bound {at[0]:g}")
    return notes
