"""Fits of a variogram to the values themselves, by (restricted) likelihood."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.spatial.distance import pdist, squareform

from geosoil.interpolation.base import FittedPoints, FloatArray
from geosoil.interpolation.variogram_fit import FitSettings, Parameters
from geosoil.interpolation.variogram_models import MODELS, VariogramError, likeness
from geosoil.interpolation.variogram_search import search_box, search_spans

MOST_PLACES = 500
"""Places above which a likelihood is refused: each of its steps costs n**3."""

COARSE = {2: 12, 3: 8}
"""Numbers tried of each before the search is refined, by how many are searched."""

SMALLEST_SHARE = 1e-4
"""Least share of the structure in the sill that is tried."""


def log_likelihood(
    values: npt.ArrayLike,
    columns: npt.ArrayLike,
    covariance: npt.ArrayLike,
    *,
    method: Literal["ml", "reml"] = "ml",
) -> float:
    """Return the log likelihood of Gaussian values whose mean is not known.

    Parameters
    ----------
    values : array, shape (n,)
        Values z.
    columns : array, shape (n, p)
        Columns F of the mean F b; ones for a constant mean.
    covariance : array, shape (n, n)
        Covariance C of the values.
    method : {"ml", "reml"}
        With the generalised least-squares mean b, or the likelihood of what is left
        when the mean is taken away.

    Returns
    -------
    log_likelihood : float
        -inf where the covariance has no Cholesky factor.

    Notes
    -----
    With r = z - F b: -(n log(2 pi) + log|C| + r'C^-1 r) / 2; "reml":
    -((n - p) log(2 pi) + log|C| + log|F'C^-1 F| - log|F'F| + r'C^-1 r) / 2.

    References
    ----------
    Harville (1974), Bayesian inference for variance components using only error
    contrasts, Biometrika 61, doi:10.1093/biomet/61.2.383.

    Examples
    --------
    >>> round(log_likelihood([1.0, -1.0], [[1.0], [1.0]], np.eye(2)), 6)
    -2.837877
    """
    z, f = np.asarray(values, dtype=np.float64), np.asarray(columns, dtype=np.float64)
    parts = _whitened(z, f, np.asarray(covariance, dtype=np.float64))
    if parts is None:
        return float("-inf")
    squares, log_determinant, information = parts
    count = len(z)
    if method == "reml":
        count -= f.shape[1]
        log_determinant += information
    return float(-(count * np.log(2 * np.pi) + log_determinant + squares) / 2)


def fit_likelihood(
    points: FittedPoints, columns: FloatArray, settings: FitSettings, cutoff: float
) -> Parameters:
    """Fit a variogram to values by their likelihood.

    Parameters
    ----------
    points : FittedPoints
        Places (already reduced where there is anisotropy) and values.
    columns : array, shape (n, p)
        Columns of the mean.
    settings : FitSettings
        Model, method ("ml" or "reml"), smoothness, bounds of range and smoothness.
    cutoff : float
        Ranges are searched up to three times this distance [m].

    Returns
    -------
    parameters : Parameters
        The numbers of greatest likelihood; ``loss`` is minus its logarithm.

    Raises
    ------
    VariogramError
        If there are more than 500 places, or the model has no covariance in the
        plane.

    Notes
    -----
    Searched are the range (and smoothness) and the share of the structure in the
    sill; the sill itself is r'C^-1 r / n, or / (n - p) of REML. ML takes the mean for
    known and gives sills that are too small; REML does not.

    References
    ----------
    Mardia and Marshall (1984), Maximum likelihood estimation of models for residual
    covariance in spatial regression, Biometrika 71, doi:10.1093/biomet/71.1.135.

    Examples
    --------
    >>> from geosoil.interpolation.base import merge_points
    >>> rng = np.random.default_rng(1)
    >>> x = np.arange(40.0)
    >>> likeness = np.exp(-np.abs(x[:, None] - x) / 5.0)
    >>> values = np.linalg.cholesky(likeness) @ rng.normal(size=40)
    >>> places = merge_points(np.column_stack([x, 0 * x]), values)
    >>> settings = FitSettings("exponential", method="reml")
    >>> found = fit_likelihood(places, np.ones((40, 1)), settings, 13.0)
    >>> found.converged, 1 < found.ranges[0] < 39
    (True, True)
    """
    check_likelihood(len(points.xy), settings.model)
    z = points.values
    distance = pdist(points.xy)
    spans = search_spans(settings, float(distance.min()), cutoff)
    spans.insert(0, (SMALLEST_SHARE, 1.0))
    freedom = len(z) - (columns.shape[1] if settings.method == "reml" else 0)
    restricted = settings.method == "reml"

    def correlation(theta: FloatArray) -> FloatArray:
        smoothness = settings.given_smoothness
        if settings.smoothness == "fit":
            smoothness = float(np.exp(theta[2]))
        alike = likeness(
            settings.model, distance, float(np.exp(theta[1])), smoothness=smoothness
        )
        matrix = squareform(theta[0] * alike)
        np.fill_diagonal(matrix, 1.0)
        return matrix

    def sill_and_loss(theta: FloatArray) -> tuple[float, float]:
        parts = _whitened(z, columns, correlation(theta))
        if parts is None or not parts[0] > 0:
            return np.nan, np.inf
        squares, log_determinant, information = parts
        sill = squares / freedom
        log_determinant += information if restricted else 0.0
        level = freedom * (np.log(2 * np.pi * sill) + 1.0) + log_determinant
        return sill, level / 2

    best, converged = search_box(
        lambda theta: sill_and_loss(theta)[1], spans, coarse=COARSE[len(spans)]
    )
    sill, loss = sill_and_loss(best)
    smoothness = settings.given_smoothness
    if settings.smoothness == "fit":
        smoothness = float(np.exp(best[2]))
    share, range_ = float(best[0]), float(np.exp(best[1]))
    return Parameters(
        (1.0 - share) * sill, (share * sill,), (range_,), smoothness, loss, converged
    )


def flat_likelihood(
    points: FittedPoints, columns: FloatArray, method: Literal["ml", "reml"]
) -> tuple[float, float]:
    """Return the variance of values without structure, and its log likelihood.

    Parameters
    ----------
    points : FittedPoints
        Places with values.
    columns : array, shape (n, p)
        Columns of the mean.
    method : {"ml", "reml"}
        Kind of the likelihood.

    Returns
    -------
    variance : float
        r'r / n, or / (n - p) of REML.
    log_likelihood : float
        At this variance.
    """
    z = points.values
    residual = z - columns @ np.linalg.lstsq(columns, z)[0]
    freedom = len(z) - (columns.shape[1] if method == "reml" else 0)
    variance = float(residual @ residual) / freedom
    covariance = variance * np.eye(len(z))
    return variance, log_likelihood(z, columns, covariance, method=method)


def check_likelihood(count: int, model: str) -> None:
    """Raise unless a likelihood can be reckoned.

    Parameters
    ----------
    count : int
        Number of places.
    model : str
        Name of the model.

    Raises
    ------
    VariogramError
        If there are more than 500 places, or the model has no covariance in the
        plane.
    """
    faults = []
    if count > MOST_PLACES:
        faults.append(
            f"{count} places, at most {MOST_PLACES} can be fitted by likelihood: take "
            "method 'wls', or a random part of the places"
        )
    if not (MODELS[model].bounded and MODELS[model].in_plane):
        faults.append(f"the {model} model has no covariance in the plane")
    if faults:
        message = f"No likelihood: {'; '.join(faults)}."
        raise VariogramError(message)


def _whitened(
    z: FloatArray, columns: FloatArray, covariance: FloatArray
) -> tuple[float, float, float] | None:
    """Return r'C^-1 r, log|C| and log|F'C^-1 F| - log|F'F|; None without a factor."""
    try:
        lower = cholesky(covariance, lower=True, check_finite=False)
    except LinAlgError:
        return None
    both = solve_triangular(
        lower, np.column_stack([columns, z]), lower=True, check_finite=False
    )
    drift, white = both[:, :-1], both[:, -1]
    basis, upper = np.linalg.qr(drift)
    residual = white - basis @ (basis.T @ white)
    plain = np.linalg.qr(columns, mode="r")
    information = 2 * np.log(np.abs(np.diagonal(upper) / np.diagonal(plain))).sum()
    log_determinant = 2 * np.log(np.diagonal(lower)).sum()
    return float(residual @ residual), float(log_determinant), float(information)
