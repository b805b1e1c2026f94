"""How far the parameters of a variogram can be trusted: fits to simulated values."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS
from scipy.linalg import LinAlgError, cholesky

from geosoil.interpolation.base import ALBERS, FloatArray, Points
from geosoil.interpolation.residuals import places_with_drift
from geosoil.interpolation.variogram import AnyVariogram, Variogram, fit_places
from geosoil.interpolation.variogram_fit import FitSettings
from geosoil.interpolation.variogram_models import VariogramError

FEWEST_DRAWS = 20
"""Draws below which there are no quantiles."""

JITTER = 1e-10
"""Share of the sill added to the diagonal, so that smooth models have a factor."""


def bootstrap_variogram(  # noqa: PLR0913  draws, their source and the drift
    points: Points,
    values: npt.ArrayLike,
    variogram: AnyVariogram,
    *,
    n_draws: int = 200,
    rng: np.random.Generator,
    drift: npt.ArrayLike | None = None,
    projection: str | CRS = ALBERS,
) -> pd.DataFrame:
    """Simulate values with a variogram and fit them again, to see how far fits stray.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : array, shape (n,)
        Values; they say which places count, no more.
    variogram : Variogram or NestedVariogram
        The truth of the simulation, as :func:`fit_variogram` fitted it.
    n_draws : int
        Number of simulated sets of values, 20 or more.
    rng : numpy.random.Generator
        Source of the draws.
    drift : array, shape (n,) or (n, k), optional
        The drift of the fit: its residuals lose variance, in the draws too.
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    table : DataFrame
        A row a parameter (nugget, partial_sill, range_, sill, ...): ``estimate``,
        ``mean``, ``sd``, ``q05``, ``q50``, ``q95`` and ``n`` draws that have it; a
        draw without structure has no range. NaN where fewer than 20 draws have it.
        ``attrs``: ``n_draws`` and ``n_flat``, the draws without structure.

    Raises
    ------
    VariogramError
        If there are fewer than 20 draws, or the variogram has no sill, or its
        covariance at the places is not positive definite.
    InputError
        If fewer than 3 places are left, or the columns of the drift depend on each
        other.

    Notes
    -----
    Each draw is L e with L L' the covariance of the places, error included, and e
    standard normal; it is fitted as the variogram was (its ``fit.settings``; the
    defaults and its model where it was not fitted). The spread is that of the
    method under Gaussian values with this variogram; it knows nothing of a wrong
    model.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap,
    doi:10.1201/9780429246593.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> sites = rng.uniform(0, 1000, (60, 2))
    >>> truth = Variogram("exponential", 0.1, 0.9, 150.0)
    >>> table = bootstrap_variogram(sites, np.zeros(60), truth, n_draws=20, rng=rng)
    >>> list(table.index), list(table.columns)
    (['nugget', 'partial_sill', 'range_', 'sill'],
     ['estimate', 'mean', 'sd', 'q05', 'q50', 'q95', 'n'])
    """
    if n_draws < FEWEST_DRAWS:
        message = f"{n_draws} draws give no quantiles. Take {FEWEST_DRAWS} or more."
        raise VariogramError(message)
    places, columns = places_with_drift(points, values, drift, projection=projection)
    lower = _factor(variogram, places.xy)
    settings = _settings(variogram)
    rows, n_flat = [], 0
    for _ in range(n_draws):
        drawn = replace(places, values=lower @ rng.standard_normal(len(lower)))
        fitted = fit_places(drawn, columns, settings)
        n_flat += fitted.model == "nugget"
        rows.append(fitted.parameters())
    table = _summary(pd.DataFrame(rows), variogram.parameters())
    table.attrs = {"n_draws": n_draws, "n_flat": int(n_flat)}
    return table


def _settings(variogram: AnyVariogram) -> FitSettings:
    """Return how the variogram was fitted, or the defaults with its model."""
    if variogram.fit is not None:
        return variogram.fit.settings
    parts = (variogram,) if isinstance(variogram, Variogram) else variogram.structures
    if len({part.model for part in parts}) > 1 or len(parts) > 2:
        message = (
            f"A variogram of {variogram.model} cannot be fitted again. Give one that "
            "was fitted, or one or two structures of one model."
        )
        raise VariogramError(message)
    return FitSettings(
        model=parts[0].model,
        structures=len(parts),
        smoothness=parts[0].smoothness,
        anisotropy=parts[0].anisotropy,
    )


def _factor(variogram: AnyVariogram, xy: FloatArray) -> FloatArray:
    """Return the lower factor of the covariance of values at places."""
    covariance = variogram.covariance_between(xy, xy)
    covariance[np.diag_indices(len(xy))] += variogram.error + JITTER * variogram.sill
    if not covariance.any():
        return covariance
    try:
        return np.asarray(cholesky(covariance, lower=True), dtype=np.float64)
    except LinAlgError as error:
        message = (
            f"The {variogram.model} variogram is no covariance at these places: its "
            "matrix is not positive definite. Take another model, or add a nugget."
        )
        raise VariogramError(message) from error


def _summary(draws: pd.DataFrame, estimate: dict[str, float]) -> pd.DataFrame:
    """Return a row a parameter; NaN where too few draws have it."""
    rows = {}
    for name, value in estimate.items():
        column = draws[name] if name in draws else pd.Series(dtype=float)
        known = column[np.isfinite(column)].to_numpy(dtype=np.float64)
        row = {"estimate": value, "n": len(known)}
        if len(known) >= FEWEST_DRAWS:
            low, middle, high = np.quantile(known, [0.05, 0.5, 0.95])
            row |= {"mean": known.mean(), "sd": known.std(ddof=1)}
            row |= {"q05": low, "q50": middle, "q95": high}
        rows[name] = row
    columns = ["estimate", "mean", "sd", "q05", "q50", "q95", "n"]
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=columns)
