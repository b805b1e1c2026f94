"""Regression kriging with elevation: a lapse rate, and what it leaves, kriged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS, Transformer
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import (
    ALBERS,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)
from geosoil.interpolation.kriging import DENSE_LIMIT, check_plain, check_regular
from geosoil.interpolation.variogram import Model, Variogram, fit_variogram

METHOD = "regression kriging with elevation"
FEWEST = 5
"""Stations below which a lapse rate and its errors are not to be had."""
LEAST_SPREAD = 1.0
"""Range of the stations' elevations below which there is no lapse rate [m]."""
BLOCK = 4096
"""Cells that are estimated together."""


class FewStationsError(InputError):
    """Too few stations, or stations of one elevation: no drift can be estimated."""


@dataclass(frozen=True, slots=True)
class _System:
    """What the stations fix, whatever the target."""

    xy: FloatArray
    """Places [m], shape (n, 2)."""
    values: FloatArray
    """Values, shape (n,)."""
    drift: FloatArray
    """1 and the scaled elevation of each station, shape (n, 2)."""
    lower: FloatArray
    """Cholesky factor of the covariances, shape (n, n)."""
    whitened: FloatArray
    """The drift divided by the factor, shape (n, 2)."""
    information: FloatArray
    """Inverse of the covariance of the coefficients, shape (2, 2)."""
    coefficients: FloatArray
    """Generalised least squares, shape (2,)."""
    dual: FloatArray
    """Inverse covariances times residuals, shape (n,)."""


class ElevationKriging:
    """Krige values that change with elevation: regression kriging with elevation.

    Parameters
    ----------
    variogram : Variogram or str
        Variogram of the residuals, or the name of a model that is fitted to the
        residuals of ordinary least squares.
    projection : str or CRS
        Projected CRS in which distances of points in degrees are taken.

    Notes
    -----
    z = b0 + b1 elevation + residual. The coefficients are generalised least squares
    with the covariance of the residuals, b = (F'C^-1 F)^-1 F'C^-1 z; the estimate is
    f'b + c'C^-1 (z - F b), its variance that of the kriged residual, C(0) - c'C^-1 c,
    and that of the drift, d'(F'C^-1 F)^-1 d with d = f - F'C^-1 c. So made it equals
    kriging with external drift; with ordinary least squares it would not.

    References
    ----------
    Hengl, Heuvelink and Rossiter (2007), About regression-kriging: From equations to
    case studies, Computers & Geosciences 33, doi:10.1016/j.cageo.2007.05.001.

    Examples
    --------
    >>> sites = np.array([[0, 0], [9e3, 0], [0, 9e3], [9e3, 9e3], [4e3, 5e3]])
    >>> height = np.array([3000.0, 3500.0, 4000.0, 4500.0, 5000.0])
    >>> model = Variogram("exponential", 0.0, 1.0, 2e4)
    >>> kriging = ElevationKriging(model).fit(sites, 30 - 0.006 * height, height)
    >>> round(kriging.lapse_rate_, 6)
    -0.006
    >>> kriging.predict([[2e3, 2e3]], [4200.0])["estimate"].values.round(6).tolist()
    [4.8]
    """

    lapse_rate_: float
    """Change of the value with elevation [units a metre]."""
    lapse_rate_error_: float
    """Standard error of the lapse rate."""
    elevation_range_: tuple[float, float]
    """Lowest and highest station [m]."""
    variogram_: Variogram
    """Variogram of the residuals."""

    def __init__(
        self,
        variogram: Variogram | Model = "spherical",
        *,
        projection: str | CRS = ALBERS,
    ) -> None:
        check_plain(variogram)
        self.variogram = variogram
        self.projection = CRS.from_user_input(projection)

    def fit(
        self, points: Points, values: npt.ArrayLike, elevation: npt.ArrayLike
    ) -> ElevationKriging:
        """Take the stations.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        values : array, shape (n,)
            One value a station. Stations without a value, a place or an elevation are
            left out; those at one place are averaged.
        elevation : array, shape (n,)
            Elevation of each station [m].

        Returns
        -------
        self : ElevationKriging
            The fitted interpolator.

        Raises
        ------
        FewStationsError
            If fewer than 5 stations are left, or all lie at one elevation.
        InputError
            If shapes differ.
        """
        self.crs_ = metric_crs(points, self.projection)
        xy = positions(points, self.crs_)
        z = np.asarray(values, dtype=np.float64)
        height = np.asarray(elevation, dtype=np.float64)
        if not len(xy) == len(z) == len(height):
            message = (
                f"{len(xy)} points, {len(z)} values and {len(height)} elevations. "
                "Give one of each a station."
            )
            raise InputError(message)
        usable = np.isfinite(z) & np.isfinite(height) & np.isfinite(xy).all(axis=1)
        if not usable.any():
            message = (
                f"None of {len(z)} stations has a value, a place and an elevation."
            )
            raise FewStationsError(message)
        merged = merge_points(xy[usable], z[usable])
        heights = merge_points(xy[usable], height[usable]).values  # noqa: PD011  a plain array
        _check_stations(len(merged.xy), heights)
        self.n_dropped_ = int((~usable).sum())
        self.n_merged_ = merged.n_merged
        self.elevation_range_ = float(heights.min()), float(heights.max())
        self._prepare(merged.xy, merged.values, heights)
        return self

    def _prepare(self, xy: FloatArray, z: FloatArray, height: FloatArray) -> None:
        """Fit the residual variogram where asked to, and solve for the drift."""
        self._middle, self._scale = float(height.mean()), float(np.ptp(height))
        drift = self._drift(height)
        residuals = z - drift @ np.linalg.lstsq(drift, z, rcond=None)[0]
        # Values on one line leave rounding alone, which has no variogram.
        exact = np.abs(residuals).max() <= 1e-9 * max(float(np.ptp(z)), 1e-300)
        fitted = self.variogram
        if isinstance(fitted, str):
            given = np.zeros_like(z) if exact else residuals
            fitted = fit_variogram(xy, given, model=fitted)
        self.variogram_ = fitted
        self._unit = 0.0 if fitted.sill == 0 else 1.0
        self._model = fitted
        if fitted.sill == 0:
            self._model = Variogram("nugget", 1.0, 0.0, fitted.range_)
        self._system = _solve(xy, z, drift, self._model)
        self.lapse_rate_ = float(self._system.coefficients[1]) / self._scale
        spread = np.linalg.inv(self._system.information)[1, 1] * self._unit
        self.lapse_rate_error_ = float(np.sqrt(spread)) / self._scale

    def _drift(self, height: FloatArray) -> FloatArray:
        """1 and elevation, centred and scaled to keep the system well conditioned."""
        scaled = (height - self._middle) / self._scale
        return np.column_stack([np.ones_like(scaled), scaled])

    def predict(self, points: Points, elevation: npt.ArrayLike) -> xr.Dataset:
        """Estimate the value at points of known elevation.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y in the metres of the fit.
        elevation : array, shape (m,)
            Elevation of each [m].

        Returns
        -------
        estimates : Dataset with dim point
            As :meth:`grid`.
        """
        self._check_fitted()
        height = np.asarray(elevation, dtype=np.float64)
        xy = positions(points, self.crs_)
        if len(xy) != len(height):
            message = f"{len(xy)} points, but {len(height)} elevations. Give one each."
            raise InputError(message)
        answers = self._estimate(xy, height)
        return self._described({k: ("point", v) for k, v in answers.items()}, height)

    def grid(self, elevation: xr.DataArray) -> xr.Dataset:
        """Estimate the value at the centres of the cells of an elevation raster.

        Parameters
        ----------
        elevation : DataArray with dims y, x
            Elevation [m] with a CRS; cells without one get no value.

        Returns
        -------
        surface : Dataset with dims y, x
            ``estimate``; ``kriging_variance``, that of residual and drift together;
            ``drift_variance``, the part of the drift. ``attrs``: method, variogram,
            lapse rate and its standard error, stations, and the share of cells above
            or below all stations, where the drift is extrapolated.

        Raises
        ------
        InputError
            If it is not fitted, or fitted to bare metres and the grid is in degrees.
        MissingCRSError
            If the raster has no CRS.
        """
        self._check_fitted()
        grid = Grid.of(elevation)
        x, y = np.meshgrid(grid.x, grid.y)
        if self.crs_ is None and grid.crs.is_geographic:
            message = (
                "The stations were given in bare metres and the grid is in degrees. "
                "Fit to a GeoDataFrame with a CRS."
            )
            raise InputError(message)
        if self.crs_ is not None and not grid.crs.equals(self.crs_):
            transformer = Transformer.from_crs(grid.crs, self.crs_, always_xy=True)
            x, y = transformer.transform(x, y)
        height = elevation.transpose("y", "x").to_numpy().astype(np.float64).ravel()
        answers = self._estimate(np.column_stack([x.ravel(), y.ravel()]), height)
        rasters = {k: grid.raster(v.reshape(grid.shape)) for k, v in answers.items()}
        return self._described(rasters, height)

    def leave_one_out(self) -> pd.DataFrame:
        """Estimate each station from the others, the variogram kept.

        Returns
        -------
        check : DataFrame, one row a station
            ``observed``, ``estimate``, ``residual`` (observed - estimate),
            ``kriging_variance``, ``z_score`` (NaN without variance).

        Raises
        ------
        InputError
            If it is not fitted.

        Notes
        -----
        With B = C^-1 - C^-1 F (F'C^-1 F)^-1 F'C^-1 the residuals are (B z)_i / B_ii
        and their variances 1 / B_ii: no system is solved anew.

        References
        ----------
        Dubrule (1983), Cross validation of kriging in a unique neighborhood, Journal
        of the International Association for Mathematical Geology 15,
        doi:10.1007/BF01033232.
        """
        self._check_fitted()
        system = self._system
        inverse = cho_solve((system.lower, True), np.eye(len(system.values)))
        through = inverse @ system.drift
        kept = inverse - through @ np.linalg.solve(system.information, through.T)
        diagonal = np.diagonal(kept)
        residual = kept @ system.values / diagonal  # noqa: PD011  a plain array
        variance = self._unit / diagonal
        known = np.where(variance > 0, variance, np.nan)
        observed = system.values  # noqa: PD011  a plain array
        return pd.DataFrame(
            {
                "observed": observed,
                "estimate": observed - residual,
                "residual": residual,
                "kriging_variance": variance,
                "z_score": residual / np.sqrt(known),
            }
        )

    def _estimate(self, xy: FloatArray, height: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block; NaN without a place or an elevation."""
        answers = np.full((3, len(xy)), np.nan)
        placed = np.flatnonzero(np.isfinite(xy).all(axis=1) & np.isfinite(height))
        system = self._system
        for start in range(0, len(placed), BLOCK):
            part = placed[start : start + BLOCK]
            near = self._model.covariance(cdist(system.xy, xy[part]))
            drift = self._drift(height[part])
            estimate = drift @ system.coefficients + system.dual @ near
            white = solve_triangular(system.lower, near, lower=True, check_finite=False)
            known = np.einsum("ij,ij->j", white, white)
            gap = drift - white.T @ system.whitened
            error = np.einsum(
                "ij,ji->i", gap, np.linalg.solve(system.information, gap.T)
            )
            residual = np.maximum(self._model.sill - known, 0.0)
            answers[:, part] = estimate, residual + error, error
        answers[1:] *= self._unit
        names = ("estimate", "kriging_variance", "drift_variance")
        return dict(zip(names, answers, strict=True))

    def _check_fitted(self) -> None:
        if not hasattr(self, "_system"):
            message = "ElevationKriging is not fitted. Call .fit before."
            raise InputError(message)

    def _described(
        self, answers: Mapping[str, object], height: FloatArray
    ) -> xr.Dataset:
        """Write how the surface was made and how far it is extrapolated."""
        dataset = xr.Dataset(answers)
        low, high = self.elevation_range_
        known = height[np.isfinite(height)]
        beyond = float(((known < low) | (known > high)).mean()) if known.size else 0.0
        variogram = self.variogram_
        dataset.attrs = {
            "method": METHOD,
            "variogram": variogram.model,
            "nugget": variogram.nugget,
            "partial_sill": variogram.partial_sill,
            "range": variogram.range_,
            "lapse_rate": self.lapse_rate_,
            "lapse_rate_error": self.lapse_rate_error_,
            "n_points": len(self._system.values),
            "n_dropped": self.n_dropped_,
            "n_merged": self.n_merged_,
            "elevation_range": list(self.elevation_range_),
            "share_extrapolated": beyond,
        }
        if variogram.flag:
            dataset.attrs["variogram_flag"] = variogram.flag
        for name, words in (
            ("estimate", f"estimate by {METHOD}"),
            ("kriging_variance", "kriging variance, residual and drift"),
            ("drift_variance", "variance of the drift"),
        ):
            dataset[name].attrs["long_name"] = words
        return dataset


def _check_stations(count: int, height: FloatArray) -> None:
    fault = ""
    if count < FEWEST:
        fault = f"{count} stations with a value and an elevation, {FEWEST} are needed"
    elif np.ptp(height) < LEAST_SPREAD:
        fault = f"all {count} stations lie at {height.mean():.0f} m, no lapse rate"
    if fault:
        message = f"No {METHOD}: {fault}. Add stations, or use Kriging without drift."
        raise FewStationsError(message)
    if count > DENSE_LIMIT:
        message = f"{count} stations are more than {DENSE_LIMIT}. Give fewer."
        raise InputError(message)


def _solve(
    xy: FloatArray, z: FloatArray, drift: FloatArray, model: Variogram
) -> _System:
    """Factor the covariances and estimate the drift by generalised least squares."""
    covariance = model.covariance(cdist(xy, xy))
    try:
        lower = cholesky(covariance, lower=True, check_finite=False)
    except LinAlgError:
        lower = np.zeros_like(covariance)
    check_regular(np.diagonal(lower), model)
    whitened = solve_triangular(lower, drift, lower=True)
    information: FloatArray = np.asarray(whitened.T @ whitened, dtype=np.float64)
    right = whitened.T @ solve_triangular(lower, z, lower=True)
    coefficients: FloatArray = np.asarray(np.linalg.solve(information, right), float)
    dual = cho_solve((lower, True), z - drift @ coefficients)
    return _System(xy, z, drift, lower, whitened, information, coefficients, dual)
