"""The variogram of a kriging: as given, or fitted to what its drift leaves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pyproj import CRS, Transformer

from geosoil.interpolation.base import FittedPoints, FloatArray
from geosoil.interpolation.geodesic import WGS84
from geosoil.interpolation.residuals import enough_places
from geosoil.interpolation.variogram import AnyVariogram, fit_places
from geosoil.interpolation.variogram_fit import FitSettings


def variogram_of(
    variogram: AnyVariogram | str,
    points: FittedPoints,
    columns: FloatArray,
    projection: CRS | None,
) -> AnyVariogram:
    """Return a variogram; one that is named is fitted to the residuals.

    Parameters
    ----------
    variogram : Variogram, NestedVariogram or str
        The variogram, or the name of its model.
    points : FittedPoints
        The data.
    columns : array, shape (n, p)
        The drift; p = 0 where the mean is known.
    projection : CRS or None
        Where distances are taken if the places are in degrees; None if in metres.

    Returns
    -------
    variogram : Variogram or NestedVariogram
        The variogram.

    Raises
    ------
    InputError
        If one is to be fitted to fewer than 3 places.

    Examples
    --------
    >>> flat = FittedPoints(np.eye(3)[:, :2], np.ones(3), None, 0, 0)
    >>> variogram_of("spherical", flat, np.ones((3, 1)), None).flag
    'all values are equal'
    """
    if not isinstance(variogram, str):
        return variogram
    places = enough_places(points)
    if projection is not None:
        transformer = Transformer.from_crs(WGS84, projection, always_xy=True)
        xy = np.column_stack(transformer.transform(*places.xy.T))
        places = replace(places, xy=xy)
    full = columns if columns.shape[1] else np.ones((len(places.xy), 1))
    return fit_places(places, full, FitSettings(model=variogram))  # type: ignore[arg-type]  # checked by who asks


def noise_of(points: FittedPoints, error: float) -> FloatArray:
    """Return the variance of the error of each value, which estimates filter.

    Parameters
    ----------
    points : FittedPoints
        The data; those that are means of several measurements have less error.
    error : float
        Variance of each measurement by the variogram.

    Returns
    -------
    noise : array, shape (n,)
        That of the variogram and that of the data.

    Examples
    --------
    >>> twice = FittedPoints(np.zeros((1, 2)), np.ones(1), None, 0, 1, np.array([2.0]))
    >>> noise_of(twice, 0.3).tolist()
    [0.15]
    """
    counts = np.ones(len(points.xy)) if points.counts is None else points.counts
    own = np.zeros(len(points.xy)) if points.variance is None else points.variance
    return error / counts + own


def has_no_variance(variogram: AnyVariogram, noise: FloatArray) -> bool:
    """Return whether neither the field nor the measurements have a variance.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram.
    noise : array, shape (n,)
        Variances of the errors.

    Returns
    -------
    nothing : bool
        Values are then equal, or follow their drift: any model gives the weights.
    """
    return bool(variogram.sill == 0 and not noise.any())
