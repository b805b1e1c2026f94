"""Kriging: the best linear unbiased estimate, with its variance."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import ALBERS, Points, merge_points, positions
from geosoil.interpolation.drift import Drift, DriftSettings
from geosoil.interpolation.drift_rasters import Rasters, rasters_at
from geosoil.interpolation.external_drift import (
    ExternalDrift,
    GivenDrift,
    merged_columns,
    without_drift,
)
from geosoil.interpolation.geodesic import Distance
from geosoil.interpolation.kriging_settings import Outputs, check_settings
from geosoil.interpolation.kriging_solver import KrigingSolver
from geosoil.interpolation.kriging_system import (
    DENSE_LIMIT,
    SingularKrigingError,
    check_regular,
)
from geosoil.interpolation.kriging_targets import (
    Block,
    Targets,
    block_sides,
    target_columns,
)
from geosoil.interpolation.labelled import FloatArray, by_cell, by_point
from geosoil.interpolation.neighbors import Neighborhood
from geosoil.interpolation.variogram import AnyVariogram

__all__ = ["DENSE_LIMIT", "Kriging", "SingularKrigingError", "check_regular"]


class Kriging(KrigingSolver):
    """Krige values at points: simple, ordinary, universal or with external drift.

    After :meth:`fit`, beside what every interpolator has: ``variogram_``,
    ``drift_names_``, ``n_without_drift_`` (points left out for want of it) and, where
    all data are used at once, ``system_`` and ``drift_coefficients_`` (a DataFrame:
    coefficient and standard_error of the constant and each column, in the units of
    the values a unit of the covariate; coordinates count from ``drift_origin_``).

    Parameters
    ----------
    variogram : Variogram, NestedVariogram or str
        The variogram, or the name of a model to be fitted to each set of points: to
        the residuals of least squares where there is a drift, and to distances in the
        projection also where kriging takes others.
    drift : optional
        What the values follow: None, an unknown constant (ordinary kriging);
        "linear" or "quadratic", in the coordinates (universal kriging); a DataArray, or
        a Dataset or mapping of several by name (external drift); or a sequence of
        coordinates and rasters. A raster has dims y, x, a CRS and a grid of its own.
        Its value at a place is bilinear between the centres of its cells, and missing
        where the cell that contains the place is; on its own grid it is taken as it
        is. With blocks it should hold means of blocks.
    mean : float, optional
        Known mean (simple kriging).
    block : float, (float, float) or "cell", optional
        Estimate means over blocks of this side, or width and height [m], or over the
        cells of the grid; points by default.
    n_neighbors : int, optional
        Use the nearest ones only; all by default. They are the nearest on the map,
        also where the variogram has a direction; ties go by the order of the data.
    max_distance : float, optional
        Use data within this distance only [m]; NaN where there are none.
    min_neighbors : int
        Number of data within reach below which the answer is NaN.
    distance : {"projected", "wgs84"}
        Whether distances are taken in the projection, or along the ellipsoid. Then the
        covariances are checked by their eigenvalues, and bare arrays are longitude and
        latitude [degrees].
    outputs : str
        "estimate and variance"; "estimate" alone, which is much faster; or "estimate,
        variance and drift variance", the last being the part of the variance that the
        drift has.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    SingularKrigingError
        From fit or estimate, if the covariances of the data have no unique inverse, or
        are not positive definite on the ellipsoid.
    InputError
        If a setting cannot be, the drift cannot be told from the data, or more than
        5000 data are to be used at once.

    Notes
    -----
    With C the covariances of the data (the variance of their errors added to the
    diagonal), F the columns of the drift (one of ones in ordinary, none in simple
    kriging), c and f those of the target: b = (F'C^-1 F)^-1 F'C^-1 z, the estimate is
    f'b + c'C^-1 (z - F b), and the variance C(0) - c'C^-1 c + d'(F'C^-1 F)^-1 d with
    d = f - F'C^-1 c. The nugget is part of the field: at a datum without error the
    estimate is the datum and the variance 0. The variance of a measurement, and the
    error of a variogram, is noise that the estimate filters out. Means over a block
    are taken at 4 x 4 points of Gauss and Legendre; C(0) is then the mean covariance
    within the block, without the nugget. Columns are centred and scaled inside, so that
    no answer depends on their units.

    A target has no answer (NaN) without a drift, with fewer data in reach than
    ``min_neighbors``, or where its neighbours cannot tell the drift; the attributes
    count them as ``n_targets_without_drift``, ``n_few_neighbors`` and
    ``n_singular_drift``. ``n_negative_variance`` counts variances that are NaN because
    the model is no covariance of any field there.

    References
    ----------
    Matheron (1963), Principles of geostatistics, Economic Geology 58,
    doi:10.2113/gsecongeo.58.8.1246.
    Chiles and Delfiner (2012), Geostatistics, chapter 3, doi:10.1002/9781118136188.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> sites = [[0.0, 0.0], [1000.0, 0.0]]
    >>> kriging = Kriging(Variogram("spherical", 0.0, 1.0, 5000.0)).fit(sites, [1, 3])
    >>> answer = kriging.predict([[500.0, 0.0], [1000.0, 0.0]])
    >>> answer.estimate.values.round(6).tolist()
    [2.0, 3.0]
    >>> answer.kriging_variance.values.round(6).tolist()
    [0.151, 0.0]

    Values that follow elevation:

    >>> grid = Grid.from_bounds((0, 0, 4000, 1000), 1000, "EPSG:32647")
    >>> dem = grid.raster([[3000.0, 3600.0, 4500.0, 5000.0]], name="elevation")
    >>> x = np.array([500.0, 1500.0, 2500.0, 3500.0])
    >>> sites = np.column_stack([x, np.full(4, 500.0)])
    >>> rain = 0.1 * dem.values[0] + [0.0, 2.0, 0.0, 1.0]
    >>> model = Variogram("spherical", 0.0, 1.0, 3000.0)
    >>> kriging = Kriging(model, drift=dem).fit(sites, rain)
    >>> kriging.method, kriging.drift_names_
    ('kriging with external drift (elevation)', ('elevation',))
    >>> kriging.grid(grid).estimate.values.round(6).tolist()
    [[300.0, 362.0, 450.0, 501.0]]
    """

    def __init__(  # noqa: PLR0913  the settings of kriging
        self,
        variogram: AnyVariogram | str,
        *,
        drift: Drift = None,
        mean: float | None = None,
        block: Block = None,
        n_neighbors: int | None = None,
        max_distance: float | None = None,
        min_neighbors: int = 1,
        distance: Distance = "projected",
        outputs: Outputs = "estimate and variance",
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection, distance=distance)
        self._asked = DriftSettings.of(drift)
        check_settings(
            variogram,
            mean=mean,
            has_drift=bool(self._asked.names),
            outputs=outputs,
            distance=distance,
        )
        self.variogram, self.drift, self.mean = variogram, drift, mean
        self.block, self._sides = block, block_sides(block)
        self.outputs = outputs
        self.neighborhood = Neighborhood(n_neighbors, max_distance, min_neighbors)
        self.method = self.title(tuple(self._asked.rasters))

    def fit(
        self,
        points: Points,
        values: npt.ArrayLike,
        *,
        variance: npt.ArrayLike | None = None,
        drift: GivenDrift | None = None,
    ) -> Kriging:
        """Take the points and values from which surfaces are made.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        values : array, shape (n,)
            One value a place; as :meth:`Interpolator.fit` takes them. Places without a
            drift are left out with a warning, and counted in ``n_without_drift_``.
        variance : array, shape (n,), optional
            Variance of each value's measurement, in squared units of the values.
        drift : array, shape (n,) or (n, k), DataFrame or rasters, optional
            Values of the external drift at the points, or rasters, in the place of
            those the kriging was made with.

        Returns
        -------
        self : Kriging
            The fitted kriging.

        Raises
        ------
        InputError
            If shapes differ, a variance is negative or missing, no point is left, or
            the drift cannot be told from the data (all faults at once).
        MissingCRSError
            If a GeoDataFrame has no CRS.
        """
        self.crs_ = self._place_crs(points)
        xy, z = self._places(points), np.asarray(values, dtype=np.float64)
        self._external, columns = ExternalDrift.at_data(
            self._asked, drift, xy, self.crs_
        )
        if self.mean is not None and columns.shape[1]:
            message = "Simple kriging has a known mean and takes no drift."
            raise InputError(message)
        placed, told = (np.all(np.isfinite(part), axis=1) for part in (xy, columns))
        lost = np.zeros(len(xy), dtype=bool)
        if z.shape == placed.shape:
            lost = without_drift(points, placed & np.isfinite(z), told)
            z = np.where(lost, np.nan, z)
        self._take(merge_points(xy, z, variance=variance))
        self.n_without_drift_ = int(lost.sum())
        used = placed & np.isfinite(z)
        self._drift_values = merged_columns(xy[used], columns[used])
        self._prepare()
        return self

    def drift_at(self, points: Points) -> pd.DataFrame:
        """Read the rasters of the drift at points.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y in metres.

        Returns
        -------
        drift : DataFrame, m rows
            One column a raster, with the index of the points; NaN missing.
        """
        rasters, crs = self._asked.rasters, self._place_crs(points)
        values = rasters_at(rasters, positions(points, crs), crs)
        table = pd.DataFrame(values, columns=list(rasters))
        if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
            table.index = points.index
        return table

    def predict(self, points: Points, *, drift: GivenDrift | None = None) -> xr.Dataset:
        """Estimate the value at points, or the mean over blocks around them.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y as in the fit.
        drift : array, shape (m,) or (m, k), DataFrame or rasters, optional
            External drift at the points; needed where the fit was given its values.

        Returns
        -------
        estimates : Dataset with dim point
            ``estimate`` and, as asked for, ``kriging_variance`` and
            ``drift_variance``. Coordinate ``point`` is the index of the points.

        Raises
        ------
        InputError
            If it is not fitted, places or drift do not match the fit, or blocks are
            the cells of a grid.
        """
        self._check_fitted()
        xy = self._places(points)
        external = self._external.at(drift, xy, self.crs_)
        found = self._estimate(xy, external, self._support(None))
        return self._noted(by_point(found, points), found.notes)

    def grid(self, grid: Grid, *, drift: Rasters | None = None) -> xr.Dataset:
        """Estimate the value at the centre of every cell, or the mean over blocks.

        Parameters
        ----------
        grid : Grid
            Target grid, in degrees or projected.
        drift : DataArray, Dataset or mapping, optional
            Rasters of the external drift; needed where the fit was given its values.

        Returns
        -------
        surface : Dataset with dims y, x
            As :meth:`predict`.

        Raises
        ------
        InputError
            If it is not fitted, or fitted to bare metres and the grid is in degrees.
        """
        self._check_fitted()
        centres = self._centres(grid)
        external = self._external.on_grid(drift, grid)
        found = self._estimate(centres, external, self._support(grid))
        return self._noted(by_cell(found, grid), found.notes)

    def target_drift(
        self, target: Grid | Points, *, drift: GivenDrift | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return targets and the columns of the drift there, as systems take them.

        Parameters
        ----------
        target : Grid, GeoDataFrame, GeoSeries, or array, shape (m, 2)
            A grid, of which the centres of the cells are taken, or places.
        drift : array, shape (m,) or (m, k), DataFrame or rasters, optional
            As :meth:`predict` takes it, and :meth:`grid` for a grid.

        Returns
        -------
        xy : array, shape (m, 2)
            Places in the CRS of the fit; NaN missing.
        columns : array, shape (m, p)
            Ones and the drift; NaN missing. None where the mean is known.

        Raises
        ------
        InputError
            If it is not fitted, or places or drift do not match the fit.
        """
        self._check_fitted()
        if isinstance(target, Grid):
            xy = self._centres(target)
            external = self._external.on_grid(drift, target)  # type: ignore[arg-type]  # checked there
        else:
            xy = self._places(target)
            external = self._external.at(drift, xy, self.crs_)
        return xy, target_columns(self._basis, Targets(xy), external)

    def trend(self, points: Points, *, drift: GivenDrift | None = None) -> xr.Dataset:
        """Estimate the drift itself at points: f'b, with the variance of f'b.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y as in the fit.
        drift : array, shape (m,) or (m, k), DataFrame or rasters, optional
            As :meth:`predict` takes it.

        Returns
        -------
        trend : Dataset with dim point
            ``trend`` and ``trend_variance``.

        Raises
        ------
        InputError
            If it is not fitted, the mean is known, or each target has its own data.
        """
        self._check_fitted()
        system = self.whole_system()
        if self._basis is None:
            message = "Simple kriging has a known mean and no trend."
            raise InputError(message)
        xy = self._places(points)
        columns = self._basis.columns(xy, self._external.at(drift, xy, self.crs_))
        spread = system.coefficient_covariance() * self._unit
        found = {
            "trend": self._level + columns @ system.coefficients,
            "trend_variance": np.einsum("mp,pq,mq->m", columns, spread, columns),
        }
        return by_point(found, points).assign_attrs(self._settings())
