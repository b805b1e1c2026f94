"""Fits of a variogram to values at points: the face of the variogram's modules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS

from geosoil.interpolation import variogram_nested, variogram_structures
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.base import ALBERS, FittedPoints, FloatArray, Points
from geosoil.interpolation.empirical import (
    N_BINS,
    DistanceClasses,
    Estimator,
    default_cutoff,
    distance_classes,
    structure_p_value,
)
from geosoil.interpolation.residuals import places_with_drift, residual_points
from geosoil.interpolation.variogram_fit import (
    Bounds,
    FitSettings,
    Method,
    Parameters,
    VariogramFit,
    Weights,
)
from geosoil.interpolation.variogram_likelihood import (
    SMALLEST_SHARE,
    check_likelihood,
    fit_likelihood,
    flat_likelihood,
)
from geosoil.interpolation.variogram_models import ModelName
from geosoil.interpolation.variogram_notes import fit_notes
from geosoil.interpolation.variogram_squares import (
    class_weights,
    fit_classes,
    fitted_gamma,
)

Model = Literal["spherical", "exponential", "gaussian", "nugget"]
"""Models that interpolators fit by their name alone; :func:`fit_variogram` has more."""
Variogram = variogram_structures.Variogram
NestedVariogram = variogram_nested.NestedVariogram
AnyVariogram: TypeAlias = variogram_nested.AnyVariogram

SIGNIFICANCE = 0.05
LEAST_SHARE = {"wls": 0.0, "ml": SMALLEST_SHARE, "reml": SMALLEST_SHARE}
"""Share of the structure in the sill at which there is none, by method."""


@overload
def fit_variogram(
    points: Points,
    values: npt.ArrayLike,
    *,
    model: ModelName = ...,
    cutoff: float | None = ...,
    n_bins: int = ...,
    estimator: Estimator = ...,
    weights: Weights = ...,
    method: Method = ...,
    bounds: Bounds | None = ...,
    structures: Literal[1] = ...,
    smoothness: float | Literal["fit"] | None = ...,
    anisotropy: Anisotropy | None = ...,
    drift: npt.ArrayLike | None = ...,
    projection: str | CRS = ...,
) -> Variogram: ...


@overload
def fit_variogram(
    points: Points,
    values: npt.ArrayLike,
    *,
    model: ModelName = ...,
    cutoff: float | None = ...,
    n_bins: int = ...,
    estimator: Estimator = ...,
    weights: Weights = ...,
    method: Method = ...,
    bounds: Bounds | None = ...,
    structures: Literal[2],
    smoothness: float | Literal["fit"] | None = ...,
    anisotropy: Anisotropy | None = ...,
    drift: npt.ArrayLike | None = ...,
    projection: str | CRS = ...,
) -> NestedVariogram: ...


def fit_variogram(  # noqa: PLR0913  the face of the room
    points: Points,
    values: npt.ArrayLike,
    *,
    model: ModelName = "spherical",
    cutoff: float | None = None,
    n_bins: int = N_BINS,
    estimator: Estimator = "matheron",
    weights: Weights = "n/h2",
    method: Method = "wls",
    bounds: Bounds | None = None,
    structures: Literal[1, 2] = 1,
    smoothness: float | Literal["fit"] | None = None,
    anisotropy: Anisotropy | None = None,
    drift: npt.ArrayLike | None = None,
    projection: str | CRS = ALBERS,
) -> AnyVariogram:
    """Fit a variogram model to values at points.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values; missing ones are left out, those at one place averaged.
    model : str
        Kind of the rise, one of
        :data:`geosoil.interpolation.variogram_models.MODELS`.
    cutoff : float, optional
        Largest distance [m]; a third of the diagonal of the points' box by default.
    n_bins : int
        Number of classes of distance.
    estimator : {"matheron", "cressie"}
        Estimator of the empirical variogram.
    weights : {"n/h2", "n", "n/gamma2", "equal"}
        Weights of the classes: pairs over squared distance, pairs, pairs over the
        squared semivariance of the fit, or none.
    method : {"wls", "ml", "reml"}
        Weighted least squares over the classes, or (restricted) likelihood of the
        values, for at most 500 places.
    bounds : mapping of str to (float, float), optional
        Lowest and highest nugget, partial_sill, range_ or smoothness; of nugget and
        partial_sill for wls only. A pair of equal numbers fixes the parameter.
    structures : {1, 2}
        Number of nested structures of the model.
    smoothness : float or "fit", optional
        Smoothness of the models that have one.
    anisotropy : Anisotropy, optional
        Direction of the longest range and ratio of the ranges: the fit is to the
        reduced distances, and so is the cutoff.
    drift : array, shape (n,) or (n, k), optional
        Quantities that the values follow: the variogram is that of the residuals.
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    variogram : Variogram or NestedVariogram
        The fit, with its report in ``fit``. Where near values are no more alike than
        chance makes them (Moran's I, 5 %), the model is "nugget" and ``flag`` says
        so: the map is then the mean, as it should be. Where nugget or partial sill
        are given bounds, the bounds are kept and ``flag`` alone says so.

    Raises
    ------
    VariogramError
        If a setting cannot be (all at once), or a likelihood is asked of too many
        places.
    InputError
        If fewer than 3 places are left, or the columns of the drift depend on each
        other.

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
    >>> variogram.fit.n_points, variogram.fit.converged
    (60, True)
    """
    settings = FitSettings(
        model=model,
        cutoff=cutoff,
        n_bins=n_bins,
        estimator=estimator,
        weights=weights,
        method=method,
        bounds=dict(bounds or {}),
        structures=structures,
        smoothness=smoothness,
        anisotropy=anisotropy,
    )
    places, columns = places_with_drift(points, values, drift, projection=projection)
    return fit_places(places, columns, settings)


def fit_places(
    places: FittedPoints, columns: FloatArray, settings: FitSettings
) -> AnyVariogram:
    """Fit a variogram to places in metres that are free of gaps and repeats.

    Parameters
    ----------
    places : FittedPoints
        Places with values.
    columns : array, shape (n, p)
        Ones, and what the values follow.
    settings : FitSettings
        How it is fitted.

    Returns
    -------
    variogram : Variogram or NestedVariogram
        As :func:`fit_variogram`.

    Raises
    ------
    VariogramError
        If a likelihood is asked of too many places.
    """
    if settings.anisotropy is not None:
        places = replace(places, xy=settings.anisotropy.reduce(places.xy))
    rest = residual_points(places, columns)
    reach = settings.cutoff
    reach = default_cutoff(rest.xy) if reach is None else reach
    gathered = DistanceClasses(reach, settings.n_bins, estimator=settings.estimator)
    if settings.method != "wls":
        check_likelihood(len(rest.xy), settings.model)
    job = _Job(places, rest, columns, distance_classes(rest, gathered), settings, reach)
    answer = _degenerate(job) or _fitted(job)
    if settings.structures > 1 and isinstance(answer, Variogram):
        return NestedVariogram((answer,), answer.flag, answer.fit)
    return answer


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What a fit works on."""

    places: FittedPoints
    residuals: FittedPoints
    columns: FloatArray
    classes: pd.DataFrame
    settings: FitSettings
    cutoff: float

    @property
    def insists(self) -> bool:
        """Whether the caller bounds the sills, so that a flat answer may break them."""
        return bool({"nugget", "partial_sill"} & set(self.settings.bounds))


def _degenerate(job: _Job) -> Variogram | None:
    """Return the answer where there is nothing to fit to; None where there is."""
    reach, rest = job.cutoff, job.residuals.values  # noqa: PD011  a plain array
    if np.ptp(rest) == 0:
        return Variogram("nugget", 0.0, 0.0, reach, reach, flag="all values are equal")
    spread = np.ptp(job.places.values)
    if job.columns.shape[1] > 1 and np.abs(rest).max() <= 1e-9 * spread:
        flag = "the drift explains every value"
        return Variogram("nugget", 0.0, 0.0, reach, reach, flag=flag)
    if job.classes.empty:
        variance = float(np.var(rest, ddof=1))
        flag = "pure nugget: no two points lie within the cutoff"
        return Variogram("nugget", variance, 0.0, reach, reach, 0, flag=flag)
    return None


def _fitted(job: _Job) -> AnyVariogram:
    """Fit; fall back on the constant where the model says no more than it."""
    settings, notes = job.settings, []
    if settings.model == "nugget":
        return _flat(job, "")
    chance = structure_p_value(job.residuals, job.cutoff)
    if chance > SIGNIFICANCE:
        words = (
            f"near values are no more alike than chance makes them (p = {chance:.2g})"
        )
        if not job.insists:
            return _flat(job, f"pure nugget: {words}")
        notes.append(words)
    if settings.method == "wls":
        found = fit_classes(job.classes, settings, job.cutoff)
    else:
        found = fit_likelihood(job.places, job.columns, settings, job.cutoff)
    total = found.nugget + sum(found.sills)
    if sum(found.sills) <= 1.01 * LEAST_SHARE[settings.method] * total:
        if not job.insists:
            return _flat(job, "pure nugget: the variance does not rise with distance")
        notes.append("the variance does not rise with distance")
    single = None
    if settings.structures > 1:
        single = fit_classes(job.classes, replace(settings, structures=1), job.cutoff)
    notes += fit_notes(job.classes, settings, found, single=single)
    report = _report(job, fitted_gamma(job.classes, found, settings.model), notes)
    if settings.method == "wls":
        report = replace(report, converged=found.converged, sse=found.loss)
    else:
        likelihood = -found.loss
        report = replace(report, converged=found.converged, log_likelihood=likelihood)
    return _built(job, found, report)


def _built(job: _Job, found: Parameters, report: VariogramFit) -> AnyVariogram:
    """Return the variogram of fitted parameters; empty structures are left out."""
    flag = "; ".join(report.flags)
    whole = Variogram(
        job.settings.model,
        found.nugget,
        found.sills[0],
        found.ranges[0],
        job.cutoff,
        report.n_pairs,
        report.sse,
        flag,
        found.smoothness,
        job.settings.anisotropy,
        fit=report,
    )
    if job.settings.structures == 1:
        return whole
    parts = [
        replace(whole, nugget=0.0, partial_sill=sill, range_=range_, flag="", fit=None)
        for sill, range_ in zip(found.sills, found.ranges, strict=True)
        if sill > 0
    ] or [replace(whole, nugget=0.0, flag="", fit=None)]
    parts[0] = replace(parts[0], nugget=found.nugget)
    return NestedVariogram(tuple(parts), flag, report)


def _flat(job: _Job, flag: str) -> Variogram:
    """Return the constant that fits best: no structure."""
    gamma, settings = job.classes["gamma"].to_numpy(), job.settings
    constant = np.full(len(gamma), gamma.mean())
    weights = class_weights(job.classes, settings.weights, constant)
    level = float(np.average(gamma, weights=weights))
    likelihood = float("nan")
    if settings.method != "wls":
        level, likelihood = flat_likelihood(job.places, job.columns, settings.method)
    report = _report(job, np.full(len(gamma), level), [flag] if flag else [])
    report = replace(report, log_likelihood=likelihood, n_parameters=1)
    return Variogram(
        "nugget",
        level,
        0.0,
        job.cutoff,
        job.cutoff,
        report.n_pairs,
        report.sse,
        flag,
        fit=report,
    )


def _report(job: _Job, model_gamma: FloatArray, notes: list[str]) -> VariogramFit:
    """Return the report of a fit, by the semivariances of its model."""
    gamma, settings = job.classes["gamma"].to_numpy(), job.settings
    weights = class_weights(job.classes, settings.weights, model_gamma)
    level = float(np.average(gamma, weights=weights))
    squares = float(np.sum(weights * (gamma - model_gamma) ** 2))
    flat = float(np.sum(weights * (gamma - level) ** 2))
    return VariogramFit(
        settings=settings,
        method=settings.method,
        cutoff=job.cutoff,
        n_points=len(job.residuals.xy),
        n_pairs=int(job.classes["n"].sum()),
        sse=squares,
        r_squared=1.0 - squares / flat if flat > 0 else float("nan"),
        log_likelihood=float("nan"),
        n_parameters=settings.n_parameters,
        converged=True,
        flags=tuple(notes),
        classes=job.classes,
    )
