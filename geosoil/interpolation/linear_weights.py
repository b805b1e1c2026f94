"""The weights by which estimates hang on the data, and what such weights leave open."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_covariance import Covariances
from geosoil.interpolation.kriging_system import KrigingData, solve_system
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.validation_folds import place_numbers
from geosoil.interpolation.variogram import AnyVariogram, Variogram

BLOCK = 4096
"""Targets whose covariances are held at a time."""


def kriging_weights(
    variogram: AnyVariogram,
    xy: FloatArray,
    targets: FloatArray,
    *,
    noise: FloatArray | None = None,
    drift: tuple[FloatArray, FloatArray] | None = None,
) -> FloatArray:
    """Return the weights that kriging from all data gives to each datum.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram.
    xy : array, shape (n, 2)
        Different places of the data [m].
    targets : array, shape (m, 2)
        Places to estimate at [m].
    noise : array, shape (n,), optional
        Variance of the error of each datum.
    drift : tuple of array, optional
        The external drift at the data, shape (n, k), and at the targets, shape (m, k).

    Returns
    -------
    weights : array, shape (m, n)
        Estimates are ``weights @ values``; NaN where a target has no place or drift.

    Raises
    ------
    SingularKrigingError
        If the covariances have no unique inverse.
    InputError
        If the columns of the drift depend on each other at the data.

    Notes
    -----
    With C the covariances of the data, noise on the diagonal, c those with the target,
    F the drift and f that of the target:
    w = C^-1 (c + F (F'C^-1 F)^-1 (f - F'C^-1 c)). The weights do not depend on the
    values, so that any number of drawn data sets is kriged by one product.

    References
    ----------
    Matheron (1969), Le krigeage universel, Cahiers du Centre de Morphologie
    Mathématique 1, École des Mines de Paris.

    Examples
    --------
    >>> sites = np.array([[0.0, 0.0], [1000.0, 0.0]])
    >>> model = Variogram("spherical", 0.0, 1.0, 5000.0)
    >>> kriging_weights(model, sites, np.array([[500.0, 0.0]])).round(6).tolist()
    [[0.5, 0.5]]
    """
    own = np.zeros(len(xy)) if noise is None else noise
    model = variogram
    if variogram.sill == 0 and not (own + variogram.error > 0).any():
        model = Variogram("nugget", 1.0, 0.0, 1.0)
    columns, asked = _columns(len(xy), len(targets), drift)
    _check_rank(columns.T @ columns)
    covariances = Covariances(model, "projected")
    nothing = np.zeros(len(xy))
    system = solve_system(
        KrigingData(xy, nothing, own + model.error, columns, covariances)
    )
    _check_rank(system.upper.T @ system.upper)
    lower, along = system.lower, system.orthonormal
    weights = np.full((len(targets), len(xy)), np.nan)
    placed = np.flatnonzero(np.isfinite(np.column_stack([targets, asked])).all(axis=1))
    for start in range(0, len(placed), BLOCK):
        part = placed[start : start + BLOCK]
        near = covariances.between(xy, targets[part])
        white = solve_triangular(lower, near, lower=True, check_finite=False)
        gap = solve_triangular(system.upper, asked[part].T, trans="T") - along.T @ white
        weights[part] = solve_triangular(
            lower, white + along @ gap, lower=True, trans="T"
        ).T
    return weights


def _check_rank(products: FloatArray) -> None:
    """Raise where columns whose products these are depend on each other."""
    if np.linalg.matrix_rank(products, hermitian=True) < len(products):
        message = "The columns of the drift depend on each other at the data."
        raise InputError(message)


def inverse_distance_weights(
    xy: FloatArray,
    targets: FloatArray,
    *,
    power: float,
    n_neighbors: int | None = None,
) -> FloatArray:
    """Return the weights that inverse distances give to each datum.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Places of the data [m]; those at one place share its weight.
    targets : array, shape (m, 2)
        Places to estimate at [m].
    power : float
        Exponent of the distance.
    n_neighbors : int, optional
        Use the nearest places only.

    Returns
    -------
    weights : array, shape (m, n)
        d**-power, each row divided by its sum; at a datum that datum alone.

    References
    ----------
    Shepard (1968), A two-dimensional interpolation function for irregularly-spaced
    data, doi:10.1145/800186.810616.

    Examples
    --------
    >>> sites = np.array([[0.0, 0.0], [300.0, 0.0]])
    >>> asked = np.array([[100.0, 0.0]])
    >>> inverse_distance_weights(sites, asked, power=1.0).round(6).tolist()
    [[0.666667, 0.333333]]
    """
    numbers = place_numbers(xy)
    places = xy[np.unique(numbers, return_index=True)[1]]
    distance = cdist(targets, places)
    if n_neighbors is not None and n_neighbors < len(places):
        near, _ = Neighborhood(n_neighbors).search(cKDTree(places), targets)
        far = np.ones(distance.shape, dtype=bool)
        np.put_along_axis(far, near, values=False, axis=1)
        distance[far] = np.inf
    nearest = distance.min(axis=1, keepdims=True)
    # Relative to the nearest one, so that no power overflows.
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(nearest > 0, (nearest / distance) ** power, distance == 0)
    weights /= weights.sum(axis=1, keepdims=True)
    shared: FloatArray = weights[:, numbers] / np.bincount(numbers)[numbers]
    return shared


def field_variance(
    variogram: AnyVariogram, weights: FloatArray, xy: FloatArray, targets: FloatArray
) -> FloatArray:
    """Return the variance of the field less its weighted values at the data.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram of the field.
    weights : array, shape (m, n)
        Weights of any linear estimate; each row sums to 1.
    xy : array, shape (n, 2)
        Places of the data [m].
    targets : array, shape (m, 2)
        Places of the estimates [m].

    Returns
    -------
    variance : array, shape (m,)
        C(0) - 2 w'c + w'C w: what is open with data free of error. The error of data
        with variances q adds sum(w**2 q); with the weights of kriging both together
        are the kriging variance.

    Examples
    --------
    >>> sites, model = np.array([[0.0, 0.0], [9.0, 0.0]]), Variogram("nugget", 2, 0, 1)
    >>> halves = np.array([[0.5, 0.5]])
    >>> field_variance(model, halves, sites, np.array([[5.0, 5.0]])).tolist()
    [3.0]
    """
    between = variogram.covariance_between(xy, xy)
    variance = np.full(len(targets), np.nan)
    known = np.flatnonzero(np.isfinite(targets).all(axis=1))
    for start in range(0, len(known), BLOCK):
        part = known[start : start + BLOCK]
        near = variogram.covariance_between(targets[part], xy)
        own = weights[part]
        variance[part] = np.einsum("ij,ij->i", own, own @ between - 2.0 * near)
    return np.maximum(variogram.sill + variance, 0.0)


def mean_variance(
    variogram: AnyVariogram,
    weights: tuple[FloatArray, FloatArray],
    xy: FloatArray,
    targets: FloatArray,
) -> float:
    """Return the variance of the field's mean over an area less its estimate.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The variogram of the field.
    weights : tuple of array
        Weights of the data in the estimated mean, shape (n,), and of the places that
        stand for the area, shape (m,); each sums to 1.
    xy : array, shape (n, 2)
        Places of the data [m].
    targets : array, shape (m, 2)
        Places that stand for the area [m], some hundreds.

    Returns
    -------
    variance : float
        v'C v - 2 v'c w + w'C w, the nugget left out of v'C v: over an area it averages
        out.

    References
    ----------
    Journel and Huijbregts (1978), Mining Geostatistics, Academic Press, chapter V.

    Examples
    --------
    >>> sites, model = np.array([[0.0, 0.0], [9.0, 0.0]]), Variogram("nugget", 2, 0, 1)
    >>> halves = np.array([0.5, 0.5])
    >>> mean_variance(model, (halves, halves), sites, sites + 3.0)
    1.0
    """
    own, area = weights
    inside = variogram.covariance_between(targets, targets)
    inside[np.diag_indices(len(targets))] -= variogram.nugget
    between = variogram.covariance_between(xy, xy)
    near = variogram.covariance_between(targets, xy)
    total = area @ inside @ area + own @ between @ own - 2.0 * (area @ near @ own)
    return max(float(total), 0.0)


def _columns(
    count: int, asked: int, drift: tuple[FloatArray, FloatArray] | None
) -> tuple[FloatArray, FloatArray]:
    """Return ones and the drift, centred and scaled, at the data and the targets."""
    if drift is None:
        return np.ones((count, 1)), np.ones((asked, 1))
    own, other = (np.reshape(part, (len(part), -1)) for part in drift)
    middle, spread = own.mean(axis=0), np.ptp(own, axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    ones = np.ones((count, 1)), np.ones((asked, 1))
    return (
        np.column_stack([ones[0], (own - middle) / scale]),
        np.column_stack([ones[1], (other - middle) / scale]),
    )
