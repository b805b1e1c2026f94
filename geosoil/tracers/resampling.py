"""Bootstrap of water lines by sample, by site or by block of land."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import GeosoilWarning, InputError
from geosoil.tracers import _kernels
from geosoil.tracers.line_samples import WEIGHTED, LineSamples
from geosoil.tracers.lines import LineMethod, WaterLine, check_method, fit_water_line

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

METHODS: tuple[str, ...] = ("ols", "rma", "ma", *WEIGHTED)
"""Line methods that can be resampled."""

FEWEST_UNITS = 5
"""Fewest samples, sites or blocks to draw from."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """What is drawn with replacement, and how often."""

    by: npt.ArrayLike | None = None
    """Label of the unit of each row, such as its site or its block of land; rows of
    one unit are drawn together. None draws single samples."""
    n_draws: int = 2000
    """Number of draws."""
    confidence: float = 0.95
    """Confidence of the intervals, above 0 and below 1."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.n_draws < 100:
            message = f"{self.n_draws} draws asked for. Give 100 or more."
            raise InputError(message)
        if not 0 < self.confidence < 1:
            message = (
                f"Invalid confidence {self.confidence}. It lies above 0 and below 1."
            )
            raise InputError(message)


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapLines:
    """Lines through samples drawn with replacement."""

    line: WaterLine
    """Line of the data, with standard errors and covariance of the draws."""
    slopes: FloatArray
    """Slope of each draw, shape (n_draws,); NaN where a draw gave no line."""
    intercepts: FloatArray
    """Intercept of each draw, shape (n_draws,) [permil]."""
    covariance: FloatArray
    """Covariance of slope and intercept over the draws, shape (2, 2)."""
    slope_interval: tuple[float, float]
    """Percentile interval of the slope."""
    intercept_interval: tuple[float, float]
    """Percentile interval of the intercept [permil]."""
    confidence: float
    """Confidence of both intervals."""
    n_units: int
    """Samples, sites or blocks that were drawn from."""
    n_failed: int
    """Draws through which there is no line."""


def bootstrap_line(
    d18O: npt.ArrayLike,
    d2H: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    method: LineMethod = "ols",
    amount: npt.ArrayLike | None = None,
    resampling: Resampling | None = None,
) -> BootstrapLines:
    """Fit a water line to many resamples of the samples.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values [permil, VSMOW]. Rows with a missing value are dropped.
    rng : Generator
        Source of chance.
    method : {"ols", "rma", "ma", "pwlsr", "pwrma", "pwma"}
        Method of the fit, see `geosoil.tracers.lines.fit_water_line`.
    amount : array, shape (n,), optional
        Precipitation amount of each sample [mm], for the weighted methods.
    resampling : Resampling, optional
        Units (by default single samples), number of draws and confidence.

    Returns
    -------
    lines : BootstrapLines
        Draws, covariance and percentile intervals.

    Raises
    ------
    InputError
        If no line can be fitted, a unit label is missing, there are fewer than 5
        units, or the method cannot be resampled.

    Notes
    -----
    Samples of one site are no independent pieces of news: with ``by`` the sites are
    drawn, each with all its samples. A draw needs only the sums of 1, x, y, xx, yy
    and xy of each unit times how often the unit was drawn, so that all draws are one
    product of matrices. Percentile intervals of few units are somewhat too narrow.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13,
    doi:10.1201/9780429246593; Cameron, Gelbach and Miller (2008), Rev. Econ. Stat.
    90, 414-427, doi:10.1162/rest.90.3.414.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> d18O = rng.normal(-13.0, 3.0, 200)
    >>> d2H = 8.0 * d18O + 10.0 + rng.normal(0.0, 3.0, 200)
    >>> lines = bootstrap_line(d18O, d2H, rng=rng)
    >>> lines.slopes.shape, lines.slope_interval[0] < 8.0 < lines.slope_interval[1]
    ((2000,), True)
    """
    check_method(method, METHODS)
    plan = Resampling() if resampling is None else resampling
    rows = LineSamples.of(d18O, d2H, method=method, amount=amount)
    with warnings.catch_warnings():
        # A weak line shows in its wide intervals.
        warnings.simplefilter("ignore", GeosoilWarning)
        line = fit_water_line(d18O, d2H, method=method, amount=amount)
    unit = _units(plan.by, rows)
    return _bootstrap(line, rows, unit, plan, rng)


def unit_labels(by: npt.ArrayLike | None, size: int) -> npt.NDArray[np.object_] | None:
    """Check the labels of the units of rows.

    Parameters
    ----------
    by : array, shape (n,), optional
        Labels, or None for single samples.
    size : int
        Number of rows.

    Returns
    -------
    labels : array of object, shape (n,), or None
        The labels as they are.

    Raises
    ------
    InputError
        If there is not one label a row.

    Examples
    --------
    >>> unit_labels(["A", "B"], 2).tolist()
    ['A', 'B']
    """
    if by is None:
        return None
    labels = np.asarray(by, dtype=object)
    if labels.shape != (size,):
        message = (
            f"Labels to resample by have shape {labels.shape} for {size} samples. "
            "Give one label each."
        )
        raise InputError(message)
    return labels


def _units(by: npt.ArrayLike | None, rows: LineSamples) -> IntArray:
    labels = unit_labels(by, rows.kept.size)
    if labels is None:
        return np.arange(rows.x.size)
    codes, _ = pd.factorize(labels[rows.kept])
    missing = np.flatnonzero(codes < 0)
    if missing.size:
        message = (
            f"{missing.size} samples lack the label to resample by, the first in row "
            f"{np.flatnonzero(rows.kept)[missing[0]]}. Name the site of each sample."
        )
        raise InputError(message)
    return np.asarray(codes, dtype=np.intp)


def _bootstrap(
    line: WaterLine,
    rows: LineSamples,
    unit: IntArray,
    plan: Resampling,
    rng: np.random.Generator,
) -> BootstrapLines:
    n_units = int(unit.max()) + 1
    if n_units < FEWEST_UNITS:
        message = (
            f"{n_units} units to draw from, {FEWEST_UNITS} needed for a bootstrap. "
            "Draw single samples, smaller blocks or a larger group."
        )
        raise InputError(message)
    slopes, intercepts = _draw(rows, unit, line.method, plan.n_draws, rng)
    good = np.isfinite(slopes)
    failed = int(plan.n_draws - good.sum())
    if failed > plan.n_draws // 2:
        message = (
            f"{failed} of {plan.n_draws} draws gave no line: the samples lie in too "
            "few places. Use a larger group."
        )
        raise InputError(message)
    covariance = np.cov(slopes[good], intercepts[good])
    half = (1.0 - plan.confidence) / 2.0
    bounds = np.quantile(
        [slopes[good], intercepts[good]], [half, 1.0 - half], axis=1
    ).T.tolist()
    return BootstrapLines(
        line=replace(
            line,
            slope_standard_error=float(np.sqrt(covariance[0, 0])),
            intercept_standard_error=float(np.sqrt(covariance[1, 1])),
            covariance=float(covariance[0, 1]),
        ),
        slopes=slopes,
        intercepts=intercepts,
        covariance=covariance,
        slope_interval=tuple(bounds[0]),
        intercept_interval=tuple(bounds[1]),
        confidence=plan.confidence,
        n_units=n_units,
        n_failed=failed,
    )


def _draw(
    rows: LineSamples,
    unit: IntArray,
    method: str,
    n_draws: int,
    rng: np.random.Generator,
) -> tuple[FloatArray, FloatArray]:
    """Slopes and intercepts of the draws, reckoned about the means of the rows."""
    x, y = float(rows.x.mean()), float(rows.y.mean())
    share = rows.weight / rows.weight.sum()
    sums = _kernels.unit_sums(rows.x - x, rows.y - y, share, unit)
    family = WEIGHTED.get(method, method)
    slopes, offsets = _kernels.resampled_lines(sums, family, n_draws, rng)
    return slopes, offsets + y - slopes * x
