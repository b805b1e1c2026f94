"""How a variogram is fitted, and the report of what was fitted and how well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import pandas as pd

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.empirical import N_BINS, Estimator
from geosoil.interpolation.variogram_models import MODELS, ModelName, VariogramError

Weights = Literal["n/h2", "n", "n/gamma2", "equal"]
Method = Literal["wls", "ml", "reml"]
Bounds = Mapping[str, tuple[float, float]]

BOUNDED = ("nugget", "partial_sill", "range_", "smoothness")
"""Parameters that may be given bounds."""


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How a variogram is fitted."""

    model: ModelName = "spherical"
    """Kind of the rise."""
    cutoff: float | None = None
    """Largest distance [m]; None for a third of the diagonal of the points' box."""
    n_bins: int = N_BINS
    """Classes of distance."""
    estimator: Estimator = "matheron"
    """Estimator of the empirical variogram."""
    weights: Weights = "n/h2"
    """Weights of the classes."""
    method: Method = "wls"
    """Least squares over the classes, or likelihood of the values."""
    bounds: Bounds = field(default_factory=dict)
    """Lowest and highest value by parameter."""
    structures: int = 1
    """Number of nested structures."""
    smoothness: float | Literal["fit"] | None = None
    """Smoothness, or "fit"."""
    anisotropy: Anisotropy | None = None
    """Anisotropy of every structure."""

    def __post_init__(self) -> None:
        """Raise on settings that cannot be, all at once."""
        faults = []
        known = {"weights": Weights, "method": Method}
        for name, choices in known.items():
            if getattr(self, name) not in get_args(choices):
                faults.append(
                    f"{name} '{getattr(self, name)}' is none of "
                    f"{', '.join(get_args(choices))}"
                )
        if self.structures not in (1, 2):
            faults.append(f"structures is {self.structures}, it must be 1 or 2")
        faults += _smoothness_faults(self) + _bound_faults(self)
        if self.structures == 2 and (self.smoothness == "fit" or self.method != "wls"):
            faults.append(
                "two structures are fitted by wls and with a given smoothness only"
            )
        if faults:
            message = f"Invalid fit: {'; '.join(faults)}."
            raise VariogramError(message)

    @property
    def n_parameters(self) -> int:
        """Number of parameters that are fitted; those with equal bounds are not."""
        if self.model == "nugget":
            return 1
        fixed = {name for name, (low, high) in self.bounds.items() if low == high}
        free = {"nugget": 1, "partial_sill": self.structures, "range_": self.structures}
        free["smoothness"] = int(self.smoothness == "fit")
        return sum(count for name, count in free.items() if name not in fixed)

    @property
    def given_smoothness(self) -> float | None:
        """Smoothness where it is given."""
        return None if isinstance(self.smoothness, str) else self.smoothness


def _smoothness_faults(settings: FitSettings) -> list[str]:
    """Say what is wrong with model and smoothness."""
    model, smoothness = settings.model, settings.smoothness
    if model not in MODELS:
        return [f"Unknown model '{model}', give one of {', '.join(MODELS)}"]
    allowed = MODELS[model].smoothness
    if allowed is None:
        words = f"smoothness is {smoothness}, the {model} model has none"
        return [] if smoothness is None else [words]
    if smoothness is None:
        return [f"the {model} model needs a smoothness, a number or 'fit'"]
    if isinstance(smoothness, str):
        words = f"smoothness is '{smoothness}', give a number or 'fit'"
        return [] if smoothness == "fit" else [words]
    words = f"smoothness is {smoothness}, it must be {allowed[0]:g} to {allowed[1]:g}"
    return [] if allowed[0] <= smoothness <= allowed[1] else [words]


def _bound_faults(settings: FitSettings) -> list[str]:
    """Say what is wrong with the bounds."""
    faults = []
    for name, (low, high) in settings.bounds.items():
        if name not in BOUNDED:
            faults.append(f"bounds of '{name}', give them of {', '.join(BOUNDED)}")
        elif not 0 <= low <= high:
            faults.append(f"bounds of {name} are {low}, {high}: give 0 <= low <= high")
        elif name in ("range_", "smoothness") and not (low > 0 and np.isfinite(high)):
            faults.append(f"bounds of {name} must be finite and above 0")
        elif settings.method != "wls" and name in ("nugget", "partial_sill"):
            faults.append(f"bounds of {name} hold for wls only")
        elif name == "smoothness" and settings.smoothness != "fit":
            faults.append("bounds of smoothness, which is not fitted")
    return faults


@dataclass(frozen=True, slots=True, eq=False)
class VariogramFit:
    """What was fitted and how well: the report of a fit."""

    settings: FitSettings
    """How it was fitted."""
    method: Method
    """wls, ml or reml."""
    cutoff: float
    """Largest distance [m]."""
    n_points: int
    """Places with a value."""
    n_pairs: int
    """Pairs of places in the classes."""
    sse: float
    """Sum of squared residuals of the classes, weighted as in the settings."""
    r_squared: float
    """1 - sse / that of a constant; NaN where the constant leaves nothing."""
    log_likelihood: float
    """Of ml, or restricted of reml; NaN from wls."""
    n_parameters: int
    """Parameters fitted."""
    converged: bool
    """Whether the search ended by itself."""
    flags: tuple[str, ...]
    """What a reader must know; empty where the fit is sound."""
    classes: pd.DataFrame
    """Empirical variogram: n, distance [m], gamma."""

    @property
    def aic(self) -> float:
        """Akaike's criterion, lower is better, among fits to the same data.

        m log(sse / m) + 2 p with m classes and p parameters (Webster and McBratney
        1989, doi:10.1111/j.1365-2389.1989.tb01291.x); 2 p - 2 log_likelihood of ml
        and reml. NaN where the classes are fitted without residuals.
        """
        if self.method != "wls":
            return 2 * self.n_parameters - 2 * self.log_likelihood
        if self.sse <= 0:
            return float("nan")
        count = len(self.classes)
        return float(count * np.log(self.sse / count) + 2 * self.n_parameters)

    def row(self) -> dict[str, str | float | int | bool]:
        """Return the report as a row of a table.

        Returns
        -------
        row : dict
            Plain values by name; flags joined by "; ".
        """
        return {
            "method": self.method,
            "weights": self.settings.weights,
            "estimator": self.settings.estimator,
            "cutoff": self.cutoff,
            "n_points": self.n_points,
            "n_pairs": self.n_pairs,
            "sse": self.sse,
            "r_squared": self.r_squared,
            "log_likelihood": self.log_likelihood,
            "n_parameters": self.n_parameters,
            "aic": self.aic,
            "converged": self.converged,
            "flags": "; ".join(self.flags),
        }


@dataclass(frozen=True, slots=True)
class Parameters:
    """Numbers of a fitted variogram."""

    nugget: float
    """Jump at the origin."""
    sills: tuple[float, ...]
    """Partial sill of each structure."""
    ranges: tuple[float, ...]
    """Range parameter of each structure, rising."""
    smoothness: float | None
    """Smoothness, of the models that have one."""
    loss: float
    """What was made least: weighted squares, or minus the log likelihood."""
    converged: bool
    """Whether the search ended by itself."""
