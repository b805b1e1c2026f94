"""How unlike values become with distance: the variogram, its models and their fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS
from scipy import optimize

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    ALBERS,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)
from geosoil.interpolation.empirical import (
    N_BINS,
    default_cutoff,
    distance_classes,
    enough_places,
    structure_p_value,
)

Model = Literal["spherical", "exponential", "gaussian", "nugget"]

SIGNIFICANCE = 0.05
FEWEST_CLASSES = 4


def _spherical(ratio: FloatArray) -> FloatArray:
    """Return 1 - 1.5 h/a + 0.5 (h/a)**3 within the range, 0 beyond."""
    near = np.minimum(ratio, 1.0)
    return 1.0 - near * (1.5 - 0.5 * near * near)


def _exponential(ratio: FloatArray) -> FloatArray:
    """Return exp(-h/a)."""
    return np.exp(-ratio)


def _gaussian(ratio: FloatArray) -> FloatArray:
    """Return exp(-(h/a)**2)."""
    return np.exp(-ratio * ratio)


def _nothing(ratio: FloatArray) -> FloatArray:
    """Return 0: no likeness at any distance."""
    return np.zeros_like(ratio)


MODELS: dict[str, Callable[[FloatArray], FloatArray]] = {
    "spherical": _spherical,
    "exponential": _exponential,
    "gaussian": _gaussian,
    "nugget": _nothing,
}
"""Likeness, 1 to 0, as a function of distance / range, of each model."""


@dataclass(frozen=True, slots=True)
class Variogram:
    """Half the mean squared difference between two values, by their distance.

    Raises
    ------
    InputError
        If the model is unknown, or nugget, partial sill or range cannot be.

    Notes
    -----
    For h > 0: gamma(h) = nugget + partial_sill (1 - likeness(h / range_)), and
    gamma(0) = 0. "spherical": 1 - 1.5 u + 0.5 u**3 up to u = 1; "exponential":
    exp(-u), 95 % of the sill at 3 ranges; "gaussian": exp(-u**2), 95 % at
    sqrt(3) ranges (the parametrisation of gstat); "nugget": no structure.

    References
    ----------
    Cressie (1993), Statistics for Spatial Data, doi:10.1002/9781119115151.

    Examples
    --------
    >>> variogram = Variogram("spherical", 0.1, 0.9, 1000.0)
    >>> variogram.gamma([0.0, 500.0, 2000.0]).round(6).tolist()
    [0.0, 0.71875, 1.0]
    """

    model: Model
    """Kind of the rise: spherical, exponential, gaussian, or nugget alone."""
    nugget: float
    """Jump at the origin, in squared units of the values."""
    partial_sill: float
    """Rise above the nugget, in squared units of the values."""
    range_: float
    """Range parameter [m]."""
    cutoff: float | None = None
    """Largest distance used in the fit [m]; None where it was not fitted."""
    n_pairs: int | None = None
    """Pairs of points used in the fit."""
    sum_of_squares: float | None = None
    """Weighted sum of squared residuals of the fit."""
    flag: str = ""
    """What a reader must know about the fit; "" where it is sound."""

    def __post_init__(self) -> None:
        """Raise on parameters that cannot be."""
        faults = []
        if self.model not in MODELS:
            faults.append(f"model '{self.model}' is none of {', '.join(MODELS)}")
        for name in ("nugget", "partial_sill"):
            number = getattr(self, name)
            if not (np.isfinite(number) and number >= 0):
                faults.append(f"{name} is {number}, it must be 0 or more")
        if not (np.isfinite(self.range_) and self.range_ > 0):
            faults.append(f"range_ is {self.range_}, it must be above 0")
        if faults:
            message = f"Invalid variogram: {'; '.join(faults)}."
            raise InputError(message)

    @property
    def sill(self) -> float:
        """Height that the variogram reaches: the variance of the field."""
        if self.model == "nugget":
            return self.nugget
        return self.nugget + self.partial_sill

    def covariance(self, h: npt.ArrayLike) -> FloatArray:
        """Return the covariance of values at a distance.

        Parameters
        ----------
        h : array
            Distances [m].

        Returns
        -------
        covariance : array
            The sill at h = 0, partial_sill times the likeness elsewhere.
        """
        distance = np.asarray(h, dtype=np.float64)
        likeness = MODELS[self.model](distance / self.range_)
        return np.where(distance == 0, self.sill, self.partial_sill * likeness)

    def gamma(self, h: npt.ArrayLike) -> FloatArray:
        """Return the semivariance at a distance.

        Parameters
        ----------
        h : array
            Distances [m].

        Returns
        -------
        gamma : array
            Semivariance in squared units of the values; 0 at h = 0.
        """
        return self.sill - self.covariance(h)


def fit_variogram(
    points: Points,
    values: npt.ArrayLike,
    *,
    model: Model = "spherical",
    cutoff: float | None = None,
    n_bins: int = N_BINS,
    projection: str | CRS = ALBERS,
) -> Variogram:
    """Fit a variogram model to values at points.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values; missing ones are left out, those at one place averaged.
    model : {"spherical", "exponential", "gaussian", "nugget"}
        Kind of the rise.
    cutoff : float, optional
        Largest distance [m]; a third of the diagonal of the points' box by default.
    n_bins : int
        Number of classes of distance.
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    variogram : Variogram
        The fit. Where near values are no more alike than chance makes them (Moran's
        I, 5 %), the model is "nugget" and ``flag`` says so: the map is then the mean,
        as it should be.

    Raises
    ------
    InputError
        If the model is unknown or fewer than 3 places are left.

    Notes
    -----
    Least squares over the classes with weights N / h**2 (the defaults of gstat). For
    each range the best nugget and partial sill, neither below 0, are exact; the range
    is searched.

    References
    ----------
    Pebesma (2004), Multivariable geostatistics in S: the gstat package, Computers &
    Geosciences 30, doi:10.1016/j.cageo.2004.03.012.

    Examples
    --------
    >>> x = np.arange(60.0) * 100.0
    >>> sites = np.column_stack([x, np.zeros(60)])
    >>> variogram = fit_variogram(sites, np.sin(x / 1000.0))
    >>> variogram.model, variogram.flag
    ('spherical', 'the variance still rises at the cutoff')
    """
    if model not in MODELS:
        message = f"Unknown model '{model}'. Give one of: {', '.join(MODELS)}."
        raise InputError(message)
    crs = metric_crs(points, CRS.from_user_input(projection))
    fitted = enough_places(merge_points(positions(points, crs), values))
    reach = cutoff or default_cutoff(fitted.xy)
    classes = distance_classes(fitted, reach, n_bins)
    if np.ptp(fitted.values) == 0:
        return Variogram("nugget", 0.0, 0.0, reach, reach, flag="all values are equal")
    if classes.empty:
        variance = float(np.var(fitted.values, ddof=1))
        flag = "pure nugget: no two points lie within the cutoff"
        return Variogram("nugget", variance, 0.0, reach, reach, 0, flag=flag)
    chance = structure_p_value(fitted, reach)
    if model != "nugget" and chance > SIGNIFICANCE:
        flag = (
            "pure nugget: near values are no more alike than chance makes them "
            f"(p = {chance:.2g})"
        )
        return replace(_fit_classes(classes, "nugget", reach), flag=flag)
    return _fit_classes(classes, model, reach)


def _fit_classes(classes: pd.DataFrame, model: Model, cutoff: float) -> Variogram:
    """Fit a model to the classes; fall back on the constant where it says no more."""
    distance, gamma = classes["distance"].to_numpy(), classes["gamma"].to_numpy()
    weights = classes["n"].to_numpy() / distance**2
    pairs = int(classes["n"].sum())
    level = float(np.average(gamma, weights=weights))
    flat = float(np.sum(weights * (gamma - level) ** 2))

    def flat_variogram(flag: str) -> Variogram:
        return Variogram("nugget", level, 0.0, cutoff, cutoff, pairs, flat, flag)

    if model == "nugget":
        return flat_variogram("")

    range_ = _best_range(classes, model, 3 * cutoff)
    rise = 1.0 - MODELS[model](distance / range_)
    nugget, partial_sill, squares = _best_sills(rise, gamma, weights)
    if partial_sill <= 0:
        return flat_variogram("pure nugget: the variance does not rise with distance")
    notes = []
    if rise[-1] < 0.95:
        notes.append("the variance still rises at the cutoff")
    if len(gamma) < FEWEST_CLASSES:
        notes.append(f"only {len(gamma)} classes of distance for 3 parameters")
    return Variogram(
        model, nugget, partial_sill, range_, cutoff, pairs, squares, "; ".join(notes)
    )


def _best_range(classes: pd.DataFrame, model: Model, longest: float) -> float:
    """Return the range whose best nugget and partial sill leave the least squares."""
    distance, gamma = classes["distance"].to_numpy(), classes["gamma"].to_numpy()
    weights = classes["n"].to_numpy() / distance**2

    def loss(log_range: float) -> float:
        rise = 1.0 - MODELS[model](distance / np.exp(log_range))
        return _best_sills(rise, gamma, weights)[2]

    # A search of the whole span first: the squares may have several valleys.
    steps = np.linspace(np.log(distance.min() / 10), np.log(longest), 200)
    best = int(np.argmin([loss(step) for step in steps]))
    bounds = steps[max(best - 1, 0)], steps[min(best + 1, len(steps) - 1)]
    found = optimize.minimize_scalar(
        loss, bounds=bounds, method="bounded", options={"xatol": 1e-12}
    )
    return float(np.exp(found.x))


def _best_sills(
    rise: FloatArray, gamma: FloatArray, weights: FloatArray
) -> tuple[float, float, float]:
    """Return nugget and partial sill, neither below 0, and the weighted squares."""
    total = weights.sum()
    mean_rise, mean_gamma = (weights @ rise) / total, (weights @ gamma) / total
    spread = weights @ (rise - mean_rise) ** 2
    slope = weights @ ((rise - mean_rise) * (gamma - mean_gamma))
    partial_sill = max(slope / spread, 0.0) if spread > 1e-12 * total else 0.0
    nugget = mean_gamma - partial_sill * mean_rise
    if nugget < 0:
        nugget = 0.0
        partial_sill = max((weights @ (rise * gamma)) / (weights @ rise**2), 0.0)
    squares = weights @ (gamma - nugget - partial_sill * rise) ** 2
    return float(nugget), float(partial_sill), float(squares)
