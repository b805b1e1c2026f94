"""What is left of values when the quantities that they follow are taken away."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    ALBERS,
    FittedPoints,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)


def places_with_drift(
    points: Points,
    values: npt.ArrayLike,
    drift: npt.ArrayLike | None,
    *,
    projection: str | CRS = ALBERS,
) -> tuple[FittedPoints, FloatArray]:
    """Return places with a value, and the columns of what the values follow.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values.
    drift : array, shape (n,) or (n, k), or None
        Quantities that the values follow.
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    places : FittedPoints
        The m places with a value and a drift; repeats averaged.
    columns : array, shape (m, k + 1)
        Ones, and each quantity centred and scaled.

    Raises
    ------
    InputError
        If shapes differ, fewer than 3 places (or k + 3) are left, or the columns
        depend on each other.
    """
    xy = positions(points, metric_crs(points, CRS.from_user_input(projection)))
    if drift is None:
        fitted = enough_places(merge_points(xy, values))
        return fitted, np.ones((len(fitted.xy), 1))
    given = np.asarray(drift, dtype=np.float64)
    given = given[:, None] if given.ndim == 1 else given
    known = np.asarray(values, dtype=np.float64)
    if given.ndim != 2 or not len(given) == len(known) == len(xy):
        message = (
            f"{len(xy)} points, values of shape {known.shape} and a drift of shape "
            f"{np.shape(drift)}. Give a value and a row of the drift for each point."
        )
        raise InputError(message)
    usable = np.isfinite(given).all(axis=1)
    fitted = enough_places(merge_points(xy, np.where(usable, known, np.nan)))
    used = usable & np.isfinite(known) & np.isfinite(xy).all(axis=1)
    columns = np.column_stack(
        [merge_points(xy[used], column[used]).values for column in given.T]
    )
    return fitted, _scaled(columns)


def _scaled(columns: FloatArray) -> FloatArray:
    """Return ones and the columns, centred and scaled; raise if they are not free."""
    spread = np.ptp(columns, axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    full = np.column_stack([np.ones(len(columns)), scaled])
    rank = int(np.linalg.matrix_rank(full))
    if rank < full.shape[1] or len(full) < full.shape[1] + 2:
        message = (
            f"A constant and {columns.shape[1]} columns of drift at {len(full)} places "
            f"leave no residuals: {rank} of the {full.shape[1]} are independent, and 2 "
            "places more than columns are needed. Leave columns out."
        )
        raise InputError(message)
    return full


def residual_points(points: FittedPoints, columns: FloatArray) -> FittedPoints:
    """Return places with the residuals of ordinary least squares.

    Parameters
    ----------
    points : FittedPoints
        Places with values.
    columns : array, shape (n, k + 1)
        Ones, and what the values follow; ones alone leave the values as they are.

    Returns
    -------
    residuals : FittedPoints
        The same places.
    """
    if columns.shape[1] == 1:
        return points
    z = points.values
    return replace(points, values=z - columns @ np.linalg.lstsq(columns, z)[0])


def enough_places(points: FittedPoints) -> FittedPoints:
    """Return points that are enough for a variogram.

    Parameters
    ----------
    points : FittedPoints
        Places with values.

    Returns
    -------
    points : FittedPoints
        The same.

    Raises
    ------
    InputError
        If there are fewer than 3 places.
    """
    if len(points.values) < 3:
        message = (
            f"A variogram needs 3 places with values, found {len(points.values)} "
            f"({points.n_dropped} without a value, {points.n_merged} repeats)."
        )
        raise InputError(message)
    return points
