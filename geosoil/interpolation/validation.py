"""Cross-validation: what an interpolator says of data that it was not given."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    ALBERS,
    Interpolator,
    Points,
    metric_crs,
    positions,
)
from geosoil.interpolation.drift import drift_values
from geosoil.interpolation.elevation_kriging import ElevationKriging
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation_folds import (
    FoldKind,
    Folds,
    default_block_size,
    fold_labels,
)
from geosoil.interpolation.validation_predictors import (
    Candidate,
    Predictions,
    SampleMean,
    ValidationData,
    keep_variogram,
    predict_folds,
)
from geosoil.interpolation.validation_scores import Scores, score_predictions

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FITTED = (
    "the variogram was fitted to all data, those left out among them, and kept: the "
    "scores are a little too good"
)
GIVEN = (
    "the variogram was given and kept: if it was fitted to these data, the scores are "
    "a little too good"
)
ANEW = "the interpolator was made anew from the data of each fold"


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """Predictions of data left out, and their scores."""

    table: pd.DataFrame
    """One row a point, with the index of the points: ``observed``, ``predicted``,
    ``residual`` (observed - predicted), ``variance`` of the residual, ``z`` (residual
    over its standard deviation), ``fold`` (-1 where the point was not used) and
    ``reason`` ("" where it was predicted)."""
    scores: Scores
    """Scores of the rows that were predicted."""
    method: str
    """Name of the method."""
    folds: FoldKind
    """How data were left out."""
    n_folds: int
    """Number of folds."""
    block_size: float | None
    """Side of the blocks [m]; None without blocks."""
    closed_form: bool
    """Whether one factorisation answered for all folds."""
    note: str
    """What a reader must know of the variogram; "" where there is none."""


def cross_validate(  # noqa: PLR0913  the face of the room
    interpolator: Candidate,
    points: Points,
    values: npt.ArrayLike,
    *,
    folds: FoldKind | Folds = "loo",
    measurement_variance: npt.ArrayLike | None = None,
    elevation: npt.ArrayLike | None = None,
    drift: npt.ArrayLike | pd.DataFrame | None = None,
) -> CrossValidation:
    """Predict each value from the data of the other folds, and score the predictions.

    Parameters
    ----------
    interpolator : Interpolator, ElevationKriging, SampleMean or callable
        What predicts; it is copied, its own fit is left as it is. A variogram, given
        or named by its model, is the same in every fold. A callable takes places
        (n, 2) [m] and values and returns an unfitted Interpolator: it is called for
        each fold with the data of the others, so that the variogram is fitted anew.
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values. Rows without value or place are not used, and say so. Rows at one
        place are left out together, and each is compared with its own value.
    folds : {"loo", "kfold", "block", "site"} or Folds
        What is left out together; "kfold" and "site" need :class:`Folds`.
    measurement_variance : array, shape (n,), optional
        Variance of each measurement, for kriging.
    elevation : array, shape (n,), optional
        Elevation of the points [m], for ElevationKriging.
    drift : array, shape (n,) or (n, k), or DataFrame, optional
        External drift at the points, for Kriging; rasters that it was made with are
        read by itself. Rows without a drift are not used, and say so.

    Returns
    -------
    validation : CrossValidation
        Table and scores. The variance is that of observed - predicted: the kriging
        variance and the variance of the measurement itself, the error of the variogram
        included.

    Raises
    ------
    InputError
        If shapes differ, the folds cannot be made, or the interpolator cannot be
        fitted to all of the data.
    MissingCRSError
        If a GeoDataFrame has no CRS.

    Notes
    -----
    Kriging of points from all data with a kept variogram is solved by one
    factorisation for all folds: with B the upper left part of the inverse of the
    kriging matrix, the residuals of a fold G are (B_GG)^-1 (B z)_G with covariance
    (B_GG)^-1 (Dubrule 1983); all else is fitted anew fold by fold. Leaving out one by
    one is too kind where samples lie in clusters: near mates predict them. Blocks and
    sites tell how good a map is away from its data.

    References
    ----------
    Dubrule (1983), Cross validation of kriging in a unique neighborhood, Journal of
    the International Association for Mathematical Geology 15,
    doi:10.1007/BF01033232.
    Roberts et al. (2017), Cross-validation strategies for data with temporal, spatial,
    hierarchical, or phylogenetic structure, Ecography 40, doi:10.1111/ecog.02881.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> sites = [[0.0, 0.0], [100.0, 0.0], [200.0, 0.0]]
    >>> found = cross_validate(InverseDistance(), sites, [1.0, 2.0, 4.0])
    >>> found.table["predicted"].round(2).tolist(), round(found.scores.mean_error, 2)
    ([2.4, 2.5, 1.8], 0.1)
    """
    rule = Folds(folds) if isinstance(folds, str) else folds
    others = (measurement_variance, elevation, drift)
    data, missing = _gather(interpolator, points, values, others)
    used = missing == ""
    rule, chosen = rule.part(used), data.part(used)
    labels, block_size = _labels(rule, chosen)
    candidate = interpolator
    if isinstance(interpolator, SampleMean):
        candidate = interpolator.part(used)
    found = predict_folds(keep_variogram(candidate, chosen), chosen, labels)
    table = _table(data.values, missing, labels, found)
    table.index = _index(points, len(table))
    return CrossValidation(
        table,
        score_predictions(table["observed"], table["predicted"], table["variance"]),
        _method(candidate, chosen),
        rule.kind,
        int(labels.max()) + 1,
        block_size,
        found.closed_form,
        _note(candidate),
    )


def common_folds(
    points: Points, values: npt.ArrayLike, folds: FoldKind | Folds
) -> tuple[Folds, float | None]:
    """Draw folds once, so that several interpolators are judged by the same ones.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places.
    values : array, shape (n,)
        Values.
    folds : {"loo", "kfold", "block", "site"} or Folds
        The rule.

    Returns
    -------
    drawn : Folds
        Folds of kind "site" whose groups are the numbers of the folds.
    block_size : float or None
        Side of the blocks [m].

    Raises
    ------
    InputError
        If the folds cannot be made.

    Examples
    --------
    >>> drawn, size = common_folds([[0.0, 0.0], [9.0, 0.0]], [1.0, 2.0], "loo")
    >>> drawn.kind, drawn.groups.tolist(), size
    ('site', [0, 1], None)
    """
    rule = Folds(folds) if isinstance(folds, str) else folds
    data, missing = _gather(SampleMean(), points, values, (None, None, None))
    used = missing == ""
    labels, block_size = _labels(rule.part(used), data.part(used))
    return Folds("site", groups=_spread(labels, used, -1)), block_size


def _gather(
    interpolator: Candidate,
    points: Points,
    values: npt.ArrayLike,
    others: tuple[npt.ArrayLike | pd.DataFrame | None, ...],
) -> tuple[ValidationData, npt.NDArray[np.object_]]:
    """Return all rows as arrays in metres, and why a row cannot be used.

    The others are measurement variance, elevation and drift.
    """
    crs = metric_crs(
        points, getattr(interpolator, "projection", CRS.from_user_input(ALBERS))
    )
    xy = positions(points, crs)
    noise, height = (
        None if given is None else np.asarray(given, dtype=np.float64)
        for given in others[:2]
    )
    z = np.asarray(values, dtype=np.float64)
    named = {"values": z, "measurement variances": noise, "elevations": height}
    for name, array in named.items():
        if array is not None and array.shape != (len(xy),):
            message = f"{len(xy)} points, but {name} of shape {array.shape}."
            raise InputError(message)
    table = None
    if others[2] is not None:
        columns, names = drift_values(others[2], len(xy))
        table = pd.DataFrame(columns, columns=list(names))
    reason = np.full(len(xy), "", dtype=object)
    reason[~_has_drift(interpolator, points, table, len(xy))] = "no drift"
    if isinstance(interpolator, ElevationKriging) and height is not None:
        reason[~np.isfinite(height)] = "no elevation"
    reason[~np.isfinite(xy).all(axis=1)] = "no place"
    reason[~np.isfinite(z)] = "no value"
    if (reason != "").all():
        found = ", ".join(sorted(set(reason)))
        message = f"None of {len(xy)} points can be used: {found}."
        raise InputError(message)
    return ValidationData(xy, z, noise, height, table, crs), reason


def _has_drift(
    interpolator: Candidate, points: Points, table: pd.DataFrame | None, count: int
) -> BoolArray:
    """Say which rows have all that kriging with external drift needs."""
    if table is None and isinstance(interpolator, Kriging):
        table = interpolator.drift_at(points)
    if table is None:
        return np.ones(count, dtype=bool)
    return np.asarray(np.isfinite(table.to_numpy()).all(axis=1))


def _labels(rule: Folds, data: ValidationData) -> tuple[IntArray, float | None]:
    """Give each point in use its fold, and say how large a block is."""
    size = None
    if rule.kind == "block":
        size = rule.block_size or default_block_size(data.xy, data.values)
    return fold_labels(rule, data.xy, block_size=size), size


def _table(
    observed: FloatArray,
    missing: npt.NDArray[np.object_],
    labels: IntArray,
    found: Predictions,
) -> pd.DataFrame:
    """Lay the predictions beside all the rows, those not used among them."""
    used = missing == ""
    reason = missing.copy()
    reason[used] = found.reason
    table = pd.DataFrame(
        {
            "observed": observed,
            "predicted": _spread(found.predicted, used, np.nan),
            "variance": _spread(found.variance, used, np.nan),
        }
    )
    residual = table["observed"] - table["predicted"]
    table.insert(2, "residual", residual)
    sure = table["variance"] > 0
    table["z"] = residual / np.sqrt(table["variance"].where(sure))
    table["fold"] = _spread(labels, used, -1)
    table["reason"] = reason
    return table


def _spread(array: npt.NDArray, used: BoolArray, empty: float) -> npt.NDArray:  # type: ignore[type-arg]  # floats or folds
    """Put what is known of the rows in use among all rows."""
    whole = np.full(len(used), empty, dtype=array.dtype)
    whole[used] = array
    return whole


def _index(points: Points, count: int) -> pd.Index:
    """Return the index of the points, or their numbers."""
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries | pd.DataFrame):
        return points.index
    return pd.RangeIndex(count)


def _method(candidate: Candidate, data: ValidationData) -> str:
    """Return the name of the method."""
    if isinstance(candidate, SampleMean):
        return "mean" if candidate.strata is None else "mean of the stratum"
    if isinstance(candidate, ElevationKriging):
        return "regression kriging with elevation"
    if isinstance(candidate, Kriging) and data.drift is not None:
        return candidate.title(tuple(data.drift.columns))
    if isinstance(candidate, Interpolator):
        return candidate.method
    return candidate(data.xy, data.values).method


def _note(candidate: Candidate) -> str:
    """Return what a reader must know of the variogram."""
    if isinstance(candidate, SampleMean):
        return ""
    if not isinstance(candidate, Interpolator | ElevationKriging):
        return ANEW
    variogram = getattr(candidate, "variogram", None)
    if variogram is None:
        return ""
    return FITTED if isinstance(variogram, str) else GIVEN
