"""How each kind of interpolator predicts data left out, in one step or fold by fold."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.linalg import LinAlgError, cholesky
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation._kernels_validation import leave_out
from geosoil.interpolation.base import Interpolator, merge_points
from geosoil.interpolation.elevation_kriging import (
    FEWEST,
    LEAST_SPREAD,
    ElevationKriging,
)
from geosoil.interpolation.kriging import DENSE_LIMIT, Kriging, check_regular
from geosoil.interpolation.validation_folds import place_numbers
from geosoil.interpolation.variogram import Variogram

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Answer: TypeAlias = tuple[FloatArray, FloatArray]

NO_DATA_NEAR = "no data near enough"
NO_MATE = "no other fold has two values of this stratum"


@dataclass(frozen=True, slots=True, eq=False)
class SampleMean:
    """The mean of the data, or of those in the same stratum: what a map must beat.

    Notes
    -----
    The variance of a prediction from n values with variance s**2 is s**2 (1 + 1 / n).
    """

    strata: npt.ArrayLike | None = None
    """Stratum of each point, shape (n,); None takes all as one."""

    def part(self, chosen: BoolArray) -> SampleMean:
        """Return the mean of some of the points.

        Parameters
        ----------
        chosen : array of bool, shape (n,)
            Points to keep.

        Returns
        -------
        mean : SampleMean
            With the strata of these points.

        Raises
        ------
        InputError
            If there is not one stratum a point.
        """
        if self.strata is None:
            return self
        strata = np.asarray(self.strata, dtype=object)
        if strata.shape != chosen.shape:
            message = f"{len(chosen)} points, but strata of shape {strata.shape}."
            raise InputError(message)
        return SampleMean(strata[chosen])


Maker: TypeAlias = Callable[[FloatArray, FloatArray], Interpolator]
"""Makes an unfitted interpolator from places (n, 2) in metres and their values."""
Candidate: TypeAlias = Interpolator | ElevationKriging | SampleMean | Maker


@dataclass(frozen=True, slots=True, eq=False)
class ValidationData:
    """Points with all that the interpolators need of them, nothing missing."""

    xy: FloatArray
    """Positions [m], shape (n, 2)."""
    values: FloatArray
    """Values, shape (n,)."""
    measurement_variance: FloatArray | None = None
    """Variance of each measurement, shape (n,)."""
    elevation: FloatArray | None = None
    """Elevation of each point [m], shape (n,)."""

    def part(self, chosen: BoolArray) -> ValidationData:
        """Return some of the points.

        Parameters
        ----------
        chosen : array of bool, shape (n,)
            Points to keep.

        Returns
        -------
        data : ValidationData
            The part.
        """
        noise, height = self.measurement_variance, self.elevation
        return ValidationData(
            self.xy[chosen],
            self.values[chosen],
            None if noise is None else noise[chosen],
            None if height is None else height[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """What was predicted for each point from the other folds."""

    predicted: FloatArray
    """Predictions, shape (n,); NaN where there is none."""
    variance: FloatArray
    """Variance of observed - predicted, shape (n,); NaN where the method has none."""
    reason: npt.NDArray[np.object_]
    """Why there is no prediction, shape (n,); "" where there is one."""
    closed_form: bool
    """Whether one factorisation answered for all folds."""


def keep_variogram(candidate: Candidate, data: ValidationData) -> Candidate:
    """Fit the variogram that a kriging names by its model to all data, and keep it.

    Parameters
    ----------
    candidate : Interpolator, ElevationKriging, SampleMean or callable
        The interpolator; it is not changed.
    data : ValidationData
        All points.

    Returns
    -------
    kept : as candidate
        A copy with the fitted variogram; the candidate itself where it names none.

    Raises
    ------
    InputError
        If the variogram cannot be fitted.

    Examples
    --------
    >>> x = np.arange(40.0) * 100.0
    >>> data = ValidationData(np.column_stack([x, 0 * x]), np.sin(x / 500.0))
    >>> keep_variogram(Kriging("spherical"), data).variogram.model
    'spherical'
    """
    if not isinstance(candidate, Kriging | ElevationKriging):
        return candidate
    if not isinstance(candidate.variogram, str):
        return candidate
    fitted = _fitted(candidate, data)
    kept = copy.copy(candidate)
    kept.variogram = fitted.variogram_
    return kept


def predict_folds(
    candidate: Candidate, data: ValidationData, labels: IntArray
) -> Predictions:
    """Predict each point from the points of the other folds.

    Parameters
    ----------
    candidate : Interpolator, ElevationKriging, SampleMean or callable
        The interpolator; it is copied, never fitted itself.
    data : ValidationData
        The points.
    labels : array of int, shape (n,)
        Fold of each point; points at one place carry one label.

    Returns
    -------
    predictions : Predictions
        Global kriging with a given variogram is solved in closed form; all else is
        fitted anew for each fold.

    Raises
    ------
    InputError
        If the interpolator cannot be fitted to all the data.

    Examples
    --------
    >>> data = ValidationData(np.array([[0.0, 0], [1, 0], [2, 0]]), np.arange(3.0))
    >>> answer = predict_folds(SampleMean(), data, np.arange(3))
    >>> answer.predicted.tolist(), answer.closed_form
    ([1.5, 1.0, 0.5], False)
    """
    predicted = np.full(len(labels), np.nan)
    variance = np.full(len(labels), np.nan)
    reason = np.full(len(labels), "", dtype=object)
    closed = _has_closed_form(candidate, data)
    if closed:
        predicted, variance = _closed_form(candidate, data, labels)
    else:
        _fitted(candidate, data)
    for fold in np.unique(labels[np.isnan(predicted)]):
        test = labels == fold
        try:
            predicted[test], variance[test] = _train_and_predict(candidate, data, test)
        except InputError as error:
            reason[test] = f"not fitted: {error}"
    silent = np.isnan(predicted) & (reason == "")
    reason[silent] = NO_MATE if isinstance(candidate, SampleMean) else NO_DATA_NEAR
    return Predictions(predicted, np.maximum(variance, 0.0), reason, closed)


def _fitted(candidate: Candidate, data: ValidationData) -> Any:  # noqa: ANN401  any kind
    """Return a copy of the interpolator that is fitted to the data."""
    noise, height = data.measurement_variance, data.elevation
    if isinstance(candidate, SampleMean):
        return candidate
    if isinstance(candidate, ElevationKriging):
        if noise is not None:
            message = (
                "ElevationKriging cannot use the variance of the measurements. Leave "
                "it out, or use Kriging."
            )
            raise InputError(message)
        if height is None:
            message = "ElevationKriging needs the elevation of each point. Give it."
            raise InputError(message)
        return copy.copy(candidate).fit(data.xy, data.values, height)
    if isinstance(candidate, Interpolator):
        own = copy.copy(candidate)
    else:
        own = _made(candidate, data)
    return own.fit(data.xy, data.values, variance=noise)


def _made(make: Callable[..., object], data: ValidationData) -> Interpolator:
    """Return what a callable makes from the data; raise where it is no interpolator."""
    own = make(data.xy, data.values)
    if not isinstance(own, Interpolator):
        message = (
            f"The callable made {type(own).__name__}, no Interpolator. Return one that "
            "is not fitted, for instance Kriging."
        )
        raise InputError(message)
    return own


def _train_and_predict(
    candidate: Candidate, data: ValidationData, test: BoolArray
) -> Answer:
    """Predict some points from the others, with the variance of the residuals."""
    if isinstance(candidate, SampleMean):
        return _means(candidate, data.values, test)
    fitted, targets = _fitted(candidate, data.part(~test)), data.part(test)
    if isinstance(fitted, ElevationKriging):
        found = fitted.predict(targets.xy, np.asarray(targets.elevation))
    else:
        found = fitted.predict(targets.xy)
    predicted = found["estimate"].to_numpy()
    if "kriging_variance" not in found:
        return predicted, np.full(len(predicted), np.nan)
    noise = targets.measurement_variance
    variance = found["kriging_variance"].to_numpy()
    return predicted, variance if noise is None else variance + noise


def _means(mean: SampleMean, values: FloatArray, test: BoolArray) -> Answer:
    """Predict by the mean of the other folds' values of the same stratum."""
    strata = pd.Series(0, index=range(len(values)), dtype=object)
    if mean.strata is not None:
        strata = pd.Series(np.asarray(mean.strata, dtype=object))
    others = pd.Series(values)[~test].groupby(strata[~test])
    counts = others.size()
    enough = counts.index[counts > 1]
    spread = others.var() * (1.0 + 1.0 / counts)
    asked = strata[test]
    predicted = asked.map(others.mean().reindex(enough))
    variance = asked.map(spread.reindex(enough))
    return np.asarray(predicted, np.float64), np.asarray(variance, np.float64)


def _has_closed_form(candidate: Candidate, data: ValidationData) -> bool:
    """Return whether one inverse answers for all folds.

    Only for what is known to be kriged as here: a class derived from these, or a
    variogram with a direction or an error of its own, is fitted anew.
    """
    if type(candidate) not in (Kriging, ElevationKriging):
        return False
    variogram = getattr(candidate, "variogram", "")
    count = int(place_numbers(data.xy).max()) + 1
    if isinstance(variogram, str) or count > DENSE_LIMIT:
        return False
    if not variogram.is_isotropic or variogram.error > 0:
        return False
    if isinstance(candidate, Kriging):
        return candidate.neighborhood.is_global(count)
    return data.measurement_variance is None and data.elevation is not None


def _closed_form(
    candidate: Any,  # noqa: ANN401  one of two kinds
    data: ValidationData,
    labels: IntArray,
) -> Answer:
    """Predict all points from one inverse; NaN in folds it cannot answer for."""
    places = place_numbers(data.xy)
    merged = merge_points(data.xy, data.values, variance=data.measurement_variance)
    model, unit = _positive_model(candidate.variogram, merged.variance)
    covariance = model.covariance(cdist(merged.xy, merged.xy))
    noise = np.zeros(len(merged.xy)) if merged.variance is None else merged.variance
    covariance[np.diag_indices(len(noise))] += noise
    try:
        lower = cholesky(covariance, lower=True, overwrite_a=True, check_finite=False)
    except LinAlgError:
        lower = np.zeros_like(covariance)
    check_regular(np.diagonal(lower), model)
    drift, heights = np.ones((len(noise), 1)), np.zeros(len(noise))
    if isinstance(candidate, ElevationKriging):
        heights = merge_points(data.xy, np.asarray(data.elevation)).values  # noqa: PD011  a plain array
        scaled = (heights - heights.mean()) / max(float(np.ptp(heights)), 1e-300)
        drift = np.column_stack([drift, scaled])
    folds = labels[np.unique(places, return_index=True)[1]]
    observed = merged.values  # noqa: PD011  a plain array
    residual, variance = leave_out(lower, drift, observed, folds)
    if isinstance(candidate, ElevationKriging):
        residual[_without_lapse_rate(heights, folds)] = np.nan
    predicted = (observed - residual)[places]
    own = 0.0 if data.measurement_variance is None else data.measurement_variance
    return predicted, np.maximum(variance * unit - noise, 0.0)[places] + own


def _positive_model(
    variogram: Variogram, noise: FloatArray | None
) -> tuple[Variogram, float]:
    """Return a model with an inverse, and 0 where the field itself has no variance.

    Equal values have no variance: any model then gives the weights.
    """
    if variogram.sill > 0 or noise is not None:
        return variogram, 1.0
    return Variogram("nugget", 1.0, 0.0, variogram.range_), 0.0


def _without_lapse_rate(heights: FloatArray, folds: IntArray) -> BoolArray:
    """Say for which places the other folds hold too few stations, or of one height."""
    wanting = np.zeros(len(folds), dtype=bool)
    for fold in np.unique(folds):
        own = folds == fold
        others = heights[~own]
        few = len(others) < FEWEST
        wanting[own] = few or np.ptp(others) < LEAST_SPREAD
    return wanting
