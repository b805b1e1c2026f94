"""Regression kriging with elevation: a lapse rate, and what it leaves, kriged."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation._kernels_validation import leave_out
from geosoil.interpolation.base import (
    ALBERS,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.kriging_variogram import has_no_variance
from geosoil.interpolation.variogram import AnyVariogram

METHOD = "regression kriging with elevation"
FEWEST = 5
"""Stations below which a lapse rate and its errors are not to be had."""
LEAST_SPREAD = 1.0
"""Range of the stations' elevations below which there is no lapse rate [m]."""


class FewStationsError(InputError):
    """Too few stations, or stations of one elevation: no drift can be estimated."""


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
    >>> from geosoil.interpolation.variogram import Variogram
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
    variogram_: AnyVariogram
    """Variogram of the residuals."""
    kriging_: Kriging
    """The kriging with external drift that this is."""

    def __init__(
        self,
        variogram: AnyVariogram | str = "spherical",
        *,
        projection: str | CRS = ALBERS,
    ) -> None:
        self.variogram = variogram
        self.projection = CRS.from_user_input(projection)
        self._kriging()

    def _kriging(self) -> Kriging:
        """Return a kriging of these settings; raise where they cannot be."""
        return Kriging(
            self.variogram,
            outputs="estimate, variance and drift variance",
            projection=self.projection,
        )

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
        heights = merge_points(xy[usable], height[usable]).values  # noqa: PD011  a plain array
        _check_stations(heights)
        known = pd.Series(np.where(usable, height, 0.0), name="elevation")
        self.kriging_ = self._kriging().fit(
            points, np.where(usable, z, np.nan), drift=known
        )
        self.n_dropped_ = self.kriging_.n_dropped_
        self.n_merged_ = self.kriging_.n_merged_
        self.variogram_ = self.kriging_.variogram_
        self.elevation_range_ = float(heights.min()), float(heights.max())
        table = self.kriging_.drift_coefficients_
        self.lapse_rate_ = float(table["coefficient"].to_numpy()[1])
        self.lapse_rate_error_ = float(table["standard_error"].to_numpy()[1])
        return self

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
        return self._described(self.kriging_.predict(points, drift=height), height)

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
        floats = elevation.astype(np.float64)
        surface = self.kriging_.grid(Grid.of(elevation), drift=floats)
        return self._described(surface, floats.to_numpy().ravel())

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
        system = self.kriging_.whole_system()
        data, count = system.data, len(system.data.xy)
        residual, variance = leave_out(
            system.lower, data.drift, data.values, np.arange(count)
        )
        if has_no_variance(self.variogram_, data.noise):
            variance = np.zeros(count)
        known = np.where(variance > 0, variance, np.nan)
        observed = self.kriging_.points_.values  # noqa: PD011  a plain array
        return pd.DataFrame(
            {
                "observed": observed,
                "estimate": observed - residual,
                "residual": residual,
                "kriging_variance": variance,
                "z_score": residual / np.sqrt(known),
            }
        )

    def _check_fitted(self) -> None:
        if not hasattr(self, "kriging_"):
            message = "ElevationKriging is not fitted. Call .fit before."
            raise InputError(message)

    def _described(self, dataset: xr.Dataset, height: FloatArray) -> xr.Dataset:
        """Write how the surface was made and how far it is extrapolated."""
        low, high = self.elevation_range_
        known = height[np.isfinite(height)]
        beyond = float(((known < low) | (known > high)).mean()) if known.size else 0.0
        dataset.attrs |= {
            "method": METHOD,
            "lapse_rate": self.lapse_rate_,
            "lapse_rate_error": self.lapse_rate_error_,
            "elevation_range": list(self.elevation_range_),
            "share_extrapolated": beyond,
        }
        dataset["estimate"].attrs["long_name"] = f"estimate by {METHOD}"
        return dataset


def _check_stations(height: FloatArray) -> None:
    """Raise on stations that tell no lapse rate."""
    fault = ""
    if len(height) < FEWEST:
        fault = (
            f"{len(height)} stations with a value and an elevation, {FEWEST} are needed"
        )
    elif np.ptp(height) < LEAST_SPREAD:
        fault = (
            f"all {len(height)} stations lie at {height.mean():.0f} m, no lapse rate"
        )
    if fault:
        message = f"No {METHOD}: {fault}. Add stations, or use Kriging without drift."
        raise FewStationsError(message)
