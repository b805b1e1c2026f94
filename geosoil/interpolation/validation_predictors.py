"""How each kind of interpolator predicts data left out, in one step or fold by fold."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation._kernels_validation import leave_out
from geosoil.interpolation.base import Interpolator, Points
from geosoil.interpolation.elevation_kriging import (
    FEWEST,
    LEAST_SPREAD,
    ElevationKriging,
)
from geosoil.interpolation.kriging import DENSE_LIMIT, Kriging
from geosoil.interpolation.kriging_variogram import has_no_variance
from geosoil.interpolation.validation_folds import place_numbers

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Answer: TypeAlias = tuple[FloatArray, FloatArray]

NO_DATA_NEAR = "no data near enough"
NONE_TELLS = "no data near enough, or none that tell the drift"
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
    drift: pd.DataFrame | None = None
    """External drift of kriging, n rows; None where it reads rasters or has none."""
    crs: CRS | None = None
    """CRS of the positions; None for bare metres."""

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
            None if self.drift is None else self.drift[chosen],
            self.crs,
        )

    def places(self, interpolator: Interpolator) -> Points:
        """Return the places as an interpolator needs them.

        Parameters
        ----------
        interpolator : Interpolator
            What is to be fitted, or asked.

        Returns
        -------
        places : array, shape (n, 2), or GeoSeries
            With the CRS where rasters are read or distances are geodesic.
        """
        if self.crs is None or not interpolator.needs_crs:
            return self.xy
        return gpd.GeoSeries.from_xy(self.xy[:, 0], self.xy[:, 1], crs=self.crs)


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
        Global kriging of points with a given variogram is solved in closed form, with
        whatever drift; all else is fitted anew for each fold.

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
    reason[np.isnan(predicted) & (reason == "")] = _silence(candidate)
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
    places = data.places(own)
    if isinstance(own, Kriging):
        return own.fit(places, data.values, variance=noise, drift=data.drift)
    if data.drift is not None:
        message = f"{type(own).__name__} takes no drift. Leave it out, or use Kriging."
        raise InputError(message)
    return own.fit(places, data.values, variance=noise)


def _silence(candidate: Candidate) -> str:
    """Return why a candidate gives no prediction where it was fitted."""
    if isinstance(candidate, SampleMean):
        return NO_MATE
    return NONE_TELLS if isinstance(candidate, Kriging) else NO_DATA_NEAR


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
    elif isinstance(fitted, Kriging):
        found = fitted.predict(targets.places(fitted), drift=targets.drift)
    else:
        found = fitted.predict(targets.places(fitted))
    predicted = found["estimate"].to_numpy()
    if "kriging_variance" not in found:
        return predicted, np.full(len(predicted), np.nan)
    own = _own_noise(fitted, targets)
    return predicted, found["kriging_variance"].to_numpy() + own


def _own_noise(fitted: Kriging | ElevationKriging, data: ValidationData) -> FloatArray:
    """Return the variance of the error of each measurement itself."""
    noise = np.full(len(data.values), fitted.variogram_.error)
    given = data.measurement_variance
    return noise if given is None else noise + given


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

    Only for what is known to be kriged as here: a class derived from these is fitted
    anew.
    """
    if type(candidate) not in (Kriging, ElevationKriging):
        return False
    variogram = getattr(candidate, "variogram", "")
    count = int(place_numbers(data.xy).max()) + 1
    if isinstance(variogram, str) or count > DENSE_LIMIT:
        return False
    if isinstance(candidate, Kriging):
        around = candidate.neighborhood
        points = candidate.block is None and around.min_neighbors == 1
        return points and around.is_global(count)
    return data.measurement_variance is None and data.elevation is not None


def _closed_form(
    candidate: Any,  # noqa: ANN401  one of two kinds
    data: ValidationData,
    labels: IntArray,
) -> Answer:
    """Predict all points from one inverse; NaN in folds it cannot answer for."""
    fitted = _fitted(candidate, data)
    kriging: Kriging = getattr(fitted, "kriging_", fitted)
    system = kriging.whole_system()
    places = place_numbers(data.xy)
    folds = labels[np.unique(places, return_index=True)[1]]
    known = system.data
    residual, variance = leave_out(system.lower, known.drift, known.values, folds)
    wanting = _without_drift(kriging, folds)
    if isinstance(fitted, ElevationKriging):
        heights = pd.Series(np.asarray(data.elevation)).groupby(places).mean()
        wanting |= _without_lapse_rate(heights.to_numpy(), folds)
    residual[wanting] = np.nan
    predicted = kriging.points_.values - residual  # noqa: PD011  a plain array
    if has_no_variance(kriging.variogram_, known.noise):
        variance = np.zeros(len(folds))
    if kriging.outputs == "estimate":
        variance = np.full(len(folds), np.nan)
    variance = np.maximum(variance - known.noise, 0.0)[places]
    return predicted[places], variance + _own_noise(kriging, data)


def _without_drift(kriging: Kriging, folds: IntArray) -> BoolArray:
    """Say for which places the other folds hold too few to tell the drift."""
    names = kriging.drift_names_
    others = len(folds) - np.bincount(folds)[folds]
    return others < len(names) + 3 if names else others < 1


def _without_lapse_rate(heights: FloatArray, folds: IntArray) -> BoolArray:
    """Say for which places the other folds hold too few stations, or of one height."""
    wanting = np.zeros(len(folds), dtype=bool)
    for fold in np.unique(folds):
        own = folds == fold
        others = heights[~own]
        few = len(others) < FEWEST
        wanting[own] = few or np.ptp(others) < LEAST_SPREAD
    return wanting
