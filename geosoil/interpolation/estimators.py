"""Estimators of scikit-learn and gridders of verde, used as interpolators."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    ALBERS,
    FloatArray,
    Interpolator,
    Points,
    merge_points,
)
from geosoil.interpolation.deterministic import answer_in_blocks
from geosoil.interpolation.drift_rasters import Rasters, named_rasters, rasters_at
from geosoil.interpolation.external_drift import without_drift

NUMBERS = 2**19
"""Pairs of target and datum that an estimator is handed at a time."""

Features = Literal["places and drift", "drift"]
Outputs = Literal["estimate", "estimate and variance"]


class ScikitLearn(Interpolator):
    """Use an estimator with the interface of scikit-learn as an interpolator.

    Parameters
    ----------
    estimator : object with fit(X, y) and predict(X)
        For instance ``KNeighborsRegressor()``. X has the columns x and y in metres of
        the fit. It is copied at each fit, and left as it is; the fitted copy is
        ``estimator_``.
    drift : DataArray, Dataset or mapping of str to DataArray, optional
        Rasters that are further columns of X, in their order: elevation, NDVI or any
        other quantity, each on a grid of its own. Points and cells without one of them
        are left out.
    features : {"places and drift", "drift"}
        Whether X has x and y, or the rasters alone.
    outputs : {"estimate", "estimate and variance"}
        "estimate and variance" asks ``predict(X, return_std=True)``, which a
        GaussianProcessRegressor knows, and gives the square as ``kriging_variance``.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    InputError
        If it is no such estimator, or X would have no columns; from fit, if it refuses
        the data, no point has a drift, or a variance is given and its fit has no
        ``sample_weight``.

    Notes
    -----
    The variance of the measurements is handed on as ``sample_weight`` = 1 / variance.
    A variance is what the estimator says of itself: that of a Gaussian process has the
    noise in it where its kernel has.

    Examples
    --------
    >>> class Mean:
    ...     def fit(self, X, y):
    ...         self.mean = y.mean()
    ...     def predict(self, X):
    ...         return np.full(len(X), self.mean)
    >>> surface = ScikitLearn(Mean()).fit([[0.0, 0.0], [9.0, 0.0]], [1.0, 3.0])
    >>> surface.predict([[5.0, 5.0]]).estimate.values.tolist()
    [2.0]
    """

    def __init__(
        self,
        estimator: Any,  # noqa: ANN401  of a package that is not needed here
        *,
        drift: Rasters | None = None,
        features: Features = "places and drift",
        outputs: Outputs = "estimate",
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        _check_estimator(estimator, "ScikitLearn")
        self.estimator = estimator
        self.rasters = {} if drift is None else named_rasters(drift)
        self.features, self.outputs = features, outputs
        self.method = f"scikit-learn ({type(estimator).__name__})"
        if faults := self._faults():
            raise InputError(" ".join(faults))

    def _faults(self) -> list[str]:
        """Say what of the settings cannot be."""
        faults, name = [], type(self.estimator).__name__
        if "coordinates" in _parameters(self.estimator.fit):
            faults.append(
                f"{name} takes coordinates, as verde's gridders do. Use Verde."
            )
        if self.features not in get_args(Features):
            known = get_args(Features)
            faults.append(f"Unknown features '{self.features}'. Give one of {known}.")
        elif self.features == "drift" and not self.rasters:
            faults.append("Features of the drift alone need one. Give drift=.")
        if self.outputs not in get_args(Outputs):
            known = get_args(Outputs)
            faults.append(f"Unknown outputs '{self.outputs}'. Give one of {known}.")
        elif self._with_variance and "return_std" not in _parameters(
            self.estimator.predict
        ):
            faults.append(
                f"{name} knows no variance: its predict has no return_std. Give "
                "outputs='estimate'."
            )
        return faults

    @property
    def needs_crs(self) -> bool:
        """Whether places mean nothing to it without their CRS."""
        return bool(self.rasters)

    @property
    def _with_variance(self) -> bool:
        """Whether a variance is asked for."""
        return self.outputs == "estimate and variance"

    def fit(
        self,
        points: Points,
        values: npt.ArrayLike,
        *,
        variance: npt.ArrayLike | None = None,
    ) -> ScikitLearn:
        """Fit a copy of the estimator to points and values.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        values : array, shape (n,)
            One value a place; as :meth:`Interpolator.fit` takes them. Places without a
            drift are left out with a warning, and counted in ``n_dropped_``.
        variance : array, shape (n,), optional
            Variance of each value's measurement, in squared units of the values.

        Returns
        -------
        self : ScikitLearn
            The fitted interpolator.

        Raises
        ------
        InputError
            If shapes differ, a variance is 0, negative or missing, no point is left,
            or the estimator refuses them.
        MissingCRSError
            If a GeoDataFrame has no CRS.
        """
        self.crs_ = self._place_crs(points)
        xy, z = self._places(points), np.asarray(values, dtype=np.float64)
        if z.shape == (len(xy),):
            drift = np.isfinite(rasters_at(self.rasters, xy, self.crs_))
            usable = np.asarray(np.isfinite(xy).all(axis=1) & np.isfinite(z))
            lost = without_drift(points, usable, np.asarray(drift.all(axis=1)))
            z = np.where(lost, np.nan, z)
        self._take(merge_points(xy, z, variance=variance))
        self._prepare()
        return self

    def _prepare(self) -> None:
        """Fit a copy of the estimator."""
        estimator = copy.deepcopy(self.estimator)
        options: dict[str, FloatArray] = {}
        if self.points_.variance is not None:
            name = "sample_weight"
            options[name] = _weights_for(estimator, name, self.points_.variance)
        columns, values = self._columns(self.points_.xy), self.points_.values
        _fit(estimator, lambda: estimator.fit(columns, values, **options))
        self.estimator_ = estimator

    def _columns(self, xy: FloatArray) -> FloatArray:
        """Return the columns of X at places."""
        drift = rasters_at(self.rasters, xy, self.crs_)
        return drift if self.features == "drift" else np.column_stack([xy, drift])

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block."""
        step = max(1, NUMBERS // len(self.points_.values))
        columns = self._columns(targets)
        if not self._with_variance:
            (estimate,) = answer_in_blocks(columns, self._predicted, step=step)
            return {"estimate": estimate}
        estimate, deviation = answer_in_blocks(
            columns, self._predicted_with_deviation, step=step, outputs=2
        )
        return {"estimate": estimate, "kriging_variance": np.square(deviation)}

    def _settings(self) -> dict[str, Any]:
        """Return the method with the names of the drift."""
        drift = {"drift": ", ".join(self.rasters)} if self.rasters else {}
        return {"method": self.method, **drift}

    def _predicted(self, targets: FloatArray) -> FloatArray:
        """Return what the estimator predicts."""
        return _one_each(self.estimator_.predict(targets), targets, self.estimator)

    def _predicted_with_deviation(self, targets: FloatArray) -> FloatArray:
        """Return what the estimator predicts, and its standard deviation."""
        found = self.estimator_.predict(targets, return_std=True)
        return np.stack([_one_each(part, targets, self.estimator) for part in found])


class Verde(Interpolator):
    """Use a gridder with the interface of verde as an interpolator.

    Parameters
    ----------
    gridder : object with fit((x, y), data, weights) and predict((x, y))
        For instance ``verde.Spline()`` or a ``verde.Chain``. Coordinates are metres of
        the fit. It is copied at each fit, and left as it is; the fitted copy is
        ``gridder_``.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    InputError
        If it is no such gridder; from fit, if it refuses the data, or a variance is
        given that is 0, or its fit has no ``weights``.

    Notes
    -----
    The variance of the measurements is handed on as ``weights`` = 1 / variance. There
    is no kriging_variance.

    Examples
    --------
    >>> class Mean:
    ...     def fit(self, coordinates, data, weights=None):
    ...         self.mean = np.average(data, weights=weights)
    ...     def predict(self, coordinates):
    ...         return np.full(np.shape(coordinates[0]), self.mean)
    >>> surface = Verde(Mean()).fit([[0.0, 0.0], [9.0, 0.0]], [1.0, 3.0])
    >>> surface.predict([[5.0, 5.0]]).estimate.values.tolist()
    [2.0]
    """

    def __init__(
        self,
        gridder: Any,  # noqa: ANN401  of a package that is not needed here
        *,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        _check_estimator(gridder, "Verde")
        name = type(gridder).__name__
        if "X" in _parameters(gridder.fit):
            message = (
                f"{name} takes X, as scikit-learn's estimators do. Use ScikitLearn."
            )
            raise InputError(message)
        self.gridder = gridder
        self.method = f"verde ({name})"

    def _prepare(self) -> None:
        """Fit a copy of the gridder."""
        gridder, variance = copy.deepcopy(self.gridder), self.points_.variance
        options: dict[str, FloatArray] = {}
        if variance is not None:
            options["weights"] = _weights_for(gridder, "weights", variance)
        x, y = self.points_.xy.T
        _fit(gridder, lambda: gridder.fit((x, y), self.points_.values, **options))
        self.gridder_ = gridder

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block."""
        step = max(1, NUMBERS // len(self.points_.values))
        (estimate,) = answer_in_blocks(targets, self._predicted, step=step)
        return {"estimate": estimate}

    def _predicted(self, targets: FloatArray) -> FloatArray:
        """Return what the gridder predicts."""
        found = self.gridder_.predict((targets[:, 0], targets[:, 1]))
        return _one_each(found, targets, self.gridder)


def _check_estimator(estimator: object, name: str) -> None:
    """Raise unless an object can fit and predict."""
    if isinstance(estimator, type):
        message = f"{name} needs an object, found a class. Give {estimator.__name__}()."
        raise InputError(message)
    missing = [
        word
        for word in ("fit", "predict")
        if not callable(getattr(estimator, word, None))
    ]
    if missing:
        message = (
            f"{name} needs an object with fit and predict, found "
            f"'{type(estimator).__name__}' without {' and '.join(missing)}."
        )
        raise InputError(message)


def _parameters(function: Callable[..., object]) -> tuple[str, ...]:
    """Return the names of what a function takes."""
    return tuple(inspect.signature(function).parameters)


def _weights_for(
    estimator: Any,  # noqa: ANN401  of a package that is not needed here
    name: str,
    variance: FloatArray,
) -> FloatArray:
    """Return 1 / variance; raise where it is endless, or an estimator takes none."""
    if name not in _parameters(estimator.fit):
        message = (
            f"{type(estimator).__name__} cannot use the variance of the measurements: "
            f"its fit has no {name}. Leave the variance out, or use Kriging."
        )
        raise InputError(message)
    if not (variance > 0).all():
        message = (
            f"{int((variance == 0).sum())} variances are 0, whose weight is endless. "
            "Give variances above 0, or leave them out."
        )
        raise InputError(message)
    return 1.0 / variance


def _fit(estimator: object, fit: Callable[[], object]) -> None:
    """Fit, and say which estimator it was that refused the data."""
    try:
        fit()
    except (ValueError, RuntimeError) as error:
        message = f"{type(estimator).__name__} cannot be fitted to the points: {error}"
        raise InputError(message) from error


def _one_each(found: object, targets: FloatArray, estimator: object) -> FloatArray:
    """Return predictions as one number a target; raise where they are not."""
    array = np.asarray(found, dtype=np.float64)
    if array.size != len(targets):
        message = (
            f"{type(estimator).__name__} predicts an array of shape {array.shape} for "
            f"{len(targets)} targets. One value a target is needed."
        )
        raise InputError(message)
    return array.reshape(-1)
