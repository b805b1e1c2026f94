"""Collocated cokriging: a sparse variable with the help of one known everywhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import (
    ALBERS,
    FloatArray,
    Interpolator,
    Points,
    merge_points,
)
from geosoil.interpolation.cokriging_markov import SecondaryMoments, with_collocated
from geosoil.interpolation.cokriging_system import CokrigingSystem, VariableData
from geosoil.interpolation.coregionalization_model import single_coregionalization
from geosoil.interpolation.coregionalization_pairs import variable_places
from geosoil.interpolation.drift_rasters import (
    named_rasters,
    rasters_at,
    rasters_on_grid,
)
from geosoil.interpolation.labelled import by_cell, by_point
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.variogram import AnyVariogram, fit_variogram
from geosoil.interpolation.variogram_models import MODELS


class CollocatedCokriging(Interpolator):
    """Krige a variable with the help of one that is known at every target.

    After :meth:`fit`: ``variogram_`` and ``secondary_`` (:class:`SecondaryMoments`).

    Parameters
    ----------
    variogram : Variogram, NestedVariogram or str
        Variogram of the primary variable, or the name of a model to be fitted.
    secondary : DataArray with dims y, x, optional
        Secondary variable with a CRS, read at the data and at the targets as the
        drift of kriging is (bilinear between cell centres). Without it give its values
        to ``fit``, ``predict`` and ``grid``.
    correlation : float, optional
        Correlation of both variables at one place; that of the data by default.
    mean : float, optional
        Known mean of the primary variable: simple cokriging. Unknown by default:
        ordinary, the weights of the primary data sum to 1.
    n_neighbors : int, optional
        Use the nearest data only; all by default.
    max_distance : float, optional
        Use data within this distance only [m]; NaN where there are none.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    SingularKrigingError
        From fit or estimate, if the covariances of the data have no unique inverse.
    InputError
        If a number cannot be, or more than 5000 data are to be used at once.

    Notes
    -----
    Of the secondary variable only the value y at the target is used, in its standard
    deviations from its mean (over the cells of the raster; over the data where there is
    no raster). Markov model I, that the primary value hides all others from y, makes
    the cross covariance r / s C(h), with r the correlation, C the covariance of the
    primary variable and s**2 = C(0). With e and v the estimate and variance of kriging
    with a known mean m, the estimate is e + k (y - r (e - m) / s) and the variance
    v - k r v / s, where k = r v / s / (1 - r**2 (1 - v / s**2)).
    Of an unknown mean the generalised least squares with y among the data are taken.
    With r = 0 it is kriging; with r = 1 or -1 nothing is left uncertain.

    Where the secondary variable has no value there is no answer, so that a map never
    mixes two methods: ``n_without_secondary`` counts those targets. Use Kriging there.

    References
    ----------
    Xu, Tran, Srivastava and Journel (1992), Integrating seismic data in reservoir
    modeling: the collocated cokriging alternative, SPE 24742, doi:10.2118/24742-MS.
    Almeida and Journel (1994), Joint simulation of multiple variables with a
    Markov-type coregionalization model, Mathematical Geology 26,
    doi:10.1007/BF02089242.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> grid = Grid.from_bounds((0, 0, 3000, 1000), 1000, "EPSG:32647")
    >>> elevation = grid.raster([[4000.0, 4400.0, 4200.0]], name="elevation")
    >>> model = Variogram("spherical", 0.0, 1.0, 5000.0)
    >>> cokriging = CollocatedCokriging(model, secondary=elevation, correlation=0.8)
    >>> sites = [[500.0, 500.0], [2500.0, 500.0], [500.0, 900.0]]
    >>> surface = cokriging.fit(sites, [1.0, 2.0, 1.2]).grid(grid)
    >>> surface.estimate.values.round(2).tolist()
    [[1.0, 1.76, 2.0]]
    """

    variogram_: AnyVariogram
    secondary_: SecondaryMoments

    def __init__(  # noqa: PLR0913  the face of the room
        self,
        variogram: AnyVariogram | str,
        *,
        secondary: xr.DataArray | None = None,
        correlation: float | None = None,
        mean: float | None = None,
        n_neighbors: int | None = None,
        max_distance: float | None = None,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        if isinstance(variogram, str) and variogram not in MODELS:
            message = f"Unknown model '{variogram}'. Give one of: {', '.join(MODELS)}."
            raise InputError(message)
        if not isinstance(variogram, str):
            single_coregionalization(variogram, "primary")
        if correlation is not None:
            SecondaryMoments(0.0, 1.0, correlation)
        self.variogram = variogram
        self.secondary = None if secondary is None else _raster(secondary)
        self.correlation = correlation
        self.mean = mean
        kind = "ordinary" if mean is None else "simple"
        self.method = f"{kind} collocated cokriging"
        self.neighborhood = Neighborhood(n_neighbors, max_distance)

    def fit(
        self,
        points: Points,
        values: npt.ArrayLike,
        *,
        variance: npt.ArrayLike | None = None,
        secondary: npt.ArrayLike | None = None,
    ) -> CollocatedCokriging:
        """Take the places and values of the primary variable.

        Parameters
        ----------
        points, values, variance
            As in :meth:`geosoil.interpolation.base.Interpolator.fit`.
        secondary : array, shape (n,), optional
            Secondary variable at the points, in place of the raster's; NaN missing.

        Returns
        -------
        self : CollocatedCokriging
            The fitted interpolator.

        Raises
        ------
        InputError
            If nothing tells the secondary variable or its correlation, and as in
            :meth:`geosoil.interpolation.base.Interpolator.fit`.
        """
        self.crs_ = self._place_crs(points)
        xy = self._places(points)
        self._take(merge_points(xy, values, variance=variance))
        at_data = self._secondary_at(xy, secondary)
        self.secondary_ = self._moments(xy, np.asarray(values, dtype=float), at_data)
        self._prepare()
        return self

    def predict(
        self, points: Points, *, secondary: npt.ArrayLike | None = None
    ) -> xr.Dataset:
        """Estimate the primary variable at points.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y in the metres of the fit.
        secondary : array, shape (m,), optional
            Secondary variable at the points, in place of the raster's; NaN missing.

        Returns
        -------
        estimates : Dataset with dim point
            ``estimate``, ``kriging_variance`` and the ``secondary`` value that was
            used; NaN where no data are near enough or the secondary is missing.

        Raises
        ------
        InputError
            If it is not fitted, or nothing tells the secondary variable.
        """
        self._check_fitted()
        xy = self._places(points)
        answers = self._answers(xy, self._secondary_at(xy, secondary))
        return self._describe(by_point(answers, points))

    def grid(self, grid: Grid, *, secondary: xr.DataArray | None = None) -> xr.Dataset:
        """Estimate the primary variable at the centre of every cell.

        Parameters
        ----------
        grid : Grid
            Target grid, in degrees or projected.
        secondary : DataArray with dims y, x, optional
            Secondary variable, in place of the raster of the constructor.

        Returns
        -------
        surface : Dataset with dims y, x
            As :meth:`predict`.

        Raises
        ------
        InputError
            If it is not fitted, or nothing tells the secondary variable.
        """
        self._check_fitted()
        raster = self.secondary if secondary is None else _raster(secondary)
        if raster is None:
            raise _unknown_secondary()
        at_cells = rasters_on_grid({"secondary": raster}, grid)[:, 0]
        return self._describe(
            by_cell(self._answers(self._centres(grid), at_cells), grid)
        )

    def _secondary_at(
        self, xy: FloatArray, secondary: npt.ArrayLike | None
    ) -> FloatArray:
        """Return the secondary variable at places, as given or from the raster."""
        if secondary is None:
            if self.secondary is None:
                raise _unknown_secondary()
            return rasters_at({"secondary": self.secondary}, xy, self.crs_)[:, 0]
        given = np.asarray(secondary, dtype=np.float64)
        if given.shape != (len(xy),):
            message = f"{len(xy)} points, but a secondary of shape {given.shape}."
            raise InputError(message)
        return np.where(np.isfinite(given), given, np.nan)

    def _moments(
        self, xy: FloatArray, values: FloatArray, at_data: FloatArray
    ) -> SecondaryMoments:
        """Return moments and correlation of the secondary variable."""
        if self.secondary is None:
            known = at_data[np.isfinite(at_data)]
        else:
            cells = self.secondary.to_numpy().astype(np.float64)
            known = cells[np.isfinite(cells)]
        if len(known) < 2:
            message = f"The secondary variable has {len(known)} values, 2 are needed."
            raise InputError(message)
        r = self.correlation
        if r is None:
            pairs = np.isfinite(values) & np.isfinite(at_data)
            table = pd.DataFrame({"primary": values, "secondary": at_data})
            places = variable_places(xy[pairs], table[pairs], self.projection)
            # A rounding beyond 1 is none of the correlation's.
            r = float(np.clip(np.asarray(np.corrcoef(places.columns.T))[0, 1], -1, 1))
        return SecondaryMoments(float(known.mean()), float(known.std(ddof=1)), r)

    def _prepare(self) -> None:
        """Fit the variogram if asked to, and factor the global system."""
        fitted, places = self.variogram, self.points_
        if isinstance(fitted, str):
            fitted = fit_variogram(places.xy, places.values, model=fitted)  # type: ignore[call-overload]  # checked there
        self.variogram_ = fitted
        if not fitted.sill > 0:
            message = (
                "The values have no variance, there is nothing that a secondary "
                "variable could explain."
            )
            raise InputError(message)
        self._scale = float(np.sqrt(fitted.sill))
        values, count = places.values, len(places.xy)  # noqa: PD011  a plain array
        self._centre = float(values.mean()) if self.mean is None else self.mean
        noise = np.zeros(count) if places.variance is None else places.variance
        data = VariableData(
            places.xy,
            np.zeros(count, dtype=np.int64),
            (values - self._centre)[:, None] / self._scale,
            (noise + fitted.error) / fitted.sill,
        )
        self._system = CokrigingSystem(
            single_coregionalization(fitted, "primary").scaled([1.0 / self._scale]),
            data,
            drift=np.ones((count, 1 if self.mean is None else 0)),
            neighborhood=self.neighborhood,
        )

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate with the secondary variable of the raster."""
        return self._answers(targets, self._secondary_at(targets, None))

    def _answers(
        self, targets: FloatArray, secondary: FloatArray
    ) -> dict[str, FloatArray]:
        """Estimate block by block; NaN without position, data or secondary value."""
        estimates, variances = np.full((2, len(targets)), np.nan)
        moments = self.secondary_
        standard = (secondary - moments.mean) / moments.standard_deviation
        wanted = np.ones(1 if self.mean is None else 0)
        for part, products in self._system.blocks(targets, 0):
            helped = with_collocated(products, standard[part], moments.correlation)
            estimate, variance = helped.best(wanted, 1.0)
            near = products.there[:, 0] & np.isfinite(standard[part])
            filled = estimate[:, 0] * self._scale + self._centre
            estimates[part] = np.where(near, filled, np.nan)
            spread = np.maximum(variance, 0.0) * self._scale**2
            variances[part] = np.where(near, spread, np.nan)
        return {
            "estimate": estimates,
            "kriging_variance": variances,
            "secondary": secondary,
        }

    def _settings(self) -> dict[str, Any]:
        """Return the method with variogram, secondary variable and neighbourhood."""
        variogram, moments = self.variogram_, self.secondary_
        settings: dict[str, Any] = {
            "method": self.method,
            "variogram": variogram.model,
            **variogram.parameters(),
            "variogram_flag": variogram.flag or None,
            "cross_covariance": "Markov model I",
            "correlation": moments.correlation,
            "secondary_mean": moments.mean,
            "secondary_standard_deviation": moments.standard_deviation,
            "mean": self.mean,
            "n_neighbors": self.neighborhood.n_neighbors,
            "max_distance": self.neighborhood.max_distance,
        }
        return {key: value for key, value in settings.items() if value is not None}

    def _describe(self, dataset: xr.Dataset) -> xr.Dataset:
        """Write how the surface was made, and where the secondary was missing."""
        described = super()._describe(dataset)
        missing = ~np.isfinite(described["secondary"])
        described.attrs["n_without_secondary"] = int(missing.sum())
        described["secondary"].attrs["long_name"] = "secondary variable"
        return described


def _raster(secondary: xr.DataArray) -> xr.DataArray:
    """Return a raster north up, after checks."""
    named = named_rasters(secondary.rename(secondary.name or "secondary"))
    return next(iter(named.values()))


def _unknown_secondary() -> InputError:
    """Return the error of a secondary variable that nobody gave."""
    message = (
        "The secondary variable is not known. Give its raster to CollocatedCokriging, "
        "or its values as secondary=."
    )
    return InputError(message)
