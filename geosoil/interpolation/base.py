"""What every interpolator shares: fit to points, predict at points, fill a grid."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, get_args

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import CRS, Transformer

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.points import point_coordinates
from geosoil.interpolation.geodesic import WGS84, Distance, check_degrees
from geosoil.interpolation.labelled import FloatArray, Points, by_cell, by_point

__all__ = [
    "ALBERS",
    "FittedPoints",
    "FloatArray",
    "Interpolator",
    "Points",
    "in_degrees",
    "merge_points",
    "metric_crs",
    "positions",
]

ALBERS = "+proj=aea +lat_1=25 +lat_2=47 +lat_0=0 +lon_0=105 +datum=WGS84 +units=m"
"""Equal-area projection of China in which distances are taken by default."""


@dataclass(frozen=True, slots=True)
class FittedPoints:
    """Places in metres with one value each, after gaps and repeats are dealt with."""

    xy: FloatArray
    """Different places, shape (n, 2) [m]."""
    values: FloatArray
    """Value of each place, shape (n,): the mean where several lie on one spot."""
    variance: FloatArray | None
    """Variance of the measurement of each value, shape (n,)."""
    n_dropped: int
    """Points left out: no finite value, or no position."""
    n_merged: int
    """Points that shared their place with an earlier one."""
    counts: FloatArray | None = None
    """Number of points at each place, shape (n,); None where it is 1 for all."""


class Interpolator(ABC):
    """Make a surface from values at points.

    After :meth:`fit`: ``points_`` (:class:`FittedPoints`), ``crs_`` (the CRS in
    which distances are taken, None for bare coordinates), ``n_dropped_`` and
    ``n_merged_``.

    Parameters
    ----------
    projection : str or CRS
        Projected CRS in which distances are taken when the points come in degrees.
        Points in a projected CRS stay in it.
    distance : {"projected", "wgs84"}
        Whether distances are those of the projected plane, or along the ellipsoid;
        bare arrays are then longitude and latitude [degrees].
    """

    method: str
    """Name of the method, for attributes."""
    points_: FittedPoints
    crs_: CRS | None
    n_dropped_: int
    n_merged_: int

    def __init__(
        self, *, projection: str | CRS = ALBERS, distance: Distance = "projected"
    ) -> None:
        self.projection = CRS.from_user_input(projection)
        self.distance = distance
        if distance not in get_args(Distance):
            message = (
                f"Unknown distance '{distance}'. Give one of {get_args(Distance)}."
            )
            raise InputError(message)
        if not self.projection.is_projected:
            message = f"'{projection}' is no projected CRS, distances need metres."
            raise InputError(message)

    def fit(
        self,
        points: Points,
        values: npt.ArrayLike,
        *,
        variance: npt.ArrayLike | None = None,
    ) -> Interpolator:
        """Take the points and values from which surfaces are made.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
            Places with a CRS, or x and y in metres.
        values : array, shape (n,)
            One value a place. Places without a finite value are dropped and counted
            in ``n_dropped_``; values at one and the same place are averaged, the
            repeats counted in ``n_merged_``.
        variance : array, shape (n,), optional
            Variance of each value's measurement, in squared units of the values.

        Returns
        -------
        self : Interpolator
            The fitted interpolator.

        Raises
        ------
        InputError
            If shapes differ, a variance is negative or missing, or no point is left.
        MissingCRSError
            If a GeoDataFrame has no CRS.
        """
        self.crs_ = self._place_crs(points)
        self._take(merge_points(self._places(points), values, variance=variance))
        self._prepare()
        return self

    def predict(self, points: Points) -> xr.Dataset:
        """Estimate the value at points.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y in the metres of the fit.

        Returns
        -------
        estimates : Dataset with dim point
            ``estimate`` and, from kriging, ``kriging_variance``; NaN where no data
            are near enough. Coordinate ``point`` is the index of the points.

        Raises
        ------
        InputError
            If it is not fitted, or a place of the fit and of the call do not match.
        """
        self._check_fitted()
        return self._describe(by_point(self._estimate(self._places(points)), points))

    def grid(self, grid: Grid) -> xr.Dataset:
        """Estimate the value at the centre of every cell.

        Parameters
        ----------
        grid : Grid
            Target grid, in degrees or projected.

        Returns
        -------
        surface : Dataset with dims y, x
            ``estimate`` and, from kriging, ``kriging_variance``.

        Raises
        ------
        InputError
            If it is not fitted, or fitted to bare metres and the grid is in degrees.
        """
        self._check_fitted()
        return self._describe(by_cell(self._estimate(self._centres(grid)), grid))

    @abstractmethod
    def _prepare(self) -> None:
        """Do the work that depends on the points alone."""

    @abstractmethod
    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate at targets (m, 2); the first answer is named ``estimate``."""

    def _settings(self) -> dict[str, Any]:
        """Return the attributes that say how the surface was made."""
        return {"method": self.method}

    @property
    def needs_crs(self) -> bool:
        """Whether places mean nothing to it without their CRS."""
        return self.distance == "wgs84"

    def _place_crs(self, points: Points) -> CRS | None:
        """Return the CRS in which this interpolator takes places."""
        plane = metric_crs(points, self.projection)
        return plane if self.distance == "projected" else WGS84

    def _places(self, points: Points) -> FloatArray:
        """Return places in the CRS of the fit, shape (n, 2)."""
        if self.distance == "wgs84":
            return in_degrees(points)
        return positions(points, self.crs_)

    def _take(self, points: FittedPoints) -> None:
        """Keep the points of a fit."""
        self.points_ = points
        self.n_dropped_ = points.n_dropped
        self.n_merged_ = points.n_merged

    def _centres(self, grid: Grid) -> FloatArray:
        """Return the cell centres in the CRS of the fit, shape (cells, 2)."""
        x, y = np.meshgrid(grid.x, grid.y, copy=False)
        if self.crs_ is None and grid.crs.is_geographic:
            message = (
                "The interpolator was fitted to bare metres and the grid is in "
                "degrees. Fit it to a GeoDataFrame with a CRS."
            )
            raise InputError(message)
        if self.crs_ is not None and not grid.crs.equals(self.crs_):
            transformer = Transformer.from_crs(grid.crs, self.crs_, always_xy=True)
            x, y = transformer.transform(x, y)
        return np.column_stack([x.ravel(), y.ravel()])

    def _check_fitted(self) -> None:
        """Raise unless fit was called."""
        if not hasattr(self, "points_"):
            message = f"{type(self).__name__} is not fitted. Call .fit before."
            raise InputError(message)

    def _describe(self, dataset: xr.Dataset) -> xr.Dataset:
        """Write how the surface was made and from how many points."""
        settings = {
            **self._settings(),
            "n_points": len(self.points_.values),
            "n_dropped": self.n_dropped_,
            "n_merged": self.n_merged_,
        }
        dataset.attrs = settings
        dataset["estimate"].attrs["long_name"] = f"estimate by {self.method}"
        if "kriging_variance" in dataset:
            dataset["kriging_variance"].attrs["long_name"] = "kriging variance"
        return dataset


def metric_crs(points: Points, projection: CRS) -> CRS | None:
    """Return the CRS in which distances between points are taken.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries or array
        Places.
    projection : CRS
        Projected CRS for places in degrees.

    Returns
    -------
    crs : CRS or None
        The points' own if it is projected, else the projection; None for an array.

    Raises
    ------
    MissingCRSError
        If a GeoDataFrame has no CRS.
    """
    if not isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        return None
    if points.crs is None:
        message = "The points have no coordinate reference system. Use .set_crs."
        raise MissingCRSError(message)
    return points.crs if points.crs.is_projected else projection


def positions(points: Points, crs: CRS | None) -> FloatArray:
    """Return places as x and y in the metres of a CRS.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres, which are kept.
    crs : CRS or None
        Target CRS; None where the fit was to bare metres.

    Returns
    -------
    xy : array, shape (n, 2)
        Positions [m]; NaN for empty geometries.

    Raises
    ------
    InputError
        If an array has another shape, a geometry is no point, or places with a CRS
        are asked of a fit to bare metres.
    """
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        if crs is None:
            message = (
                "The fit was to bare metres, these points have a CRS. Give both as "
                "arrays or both as GeoDataFrames."
            )
            raise InputError(message)
        return np.column_stack(point_coordinates(points, crs))
    xy = np.asarray(points, dtype=np.float64)
    if xy.ndim != 2 or xy.shape[1] != 2:
        message = f"Points of shape {xy.shape}. Give an array (n, 2) of x and y."
        raise InputError(message)
    return xy


def in_degrees(points: Points) -> FloatArray:
    """Return places as longitude and latitude on WGS84.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or longitude and latitude, which are kept.

    Returns
    -------
    places : array, shape (n, 2)
        Longitude and latitude [degrees].

    Raises
    ------
    InputError
        If an array holds no degrees, or as :func:`positions`.
    MissingCRSError
        If a GeoDataFrame has no CRS.

    Examples
    --------
    >>> in_degrees([[95.0, 35.0]]).tolist()
    [[95.0, 35.0]]
    """
    places = positions(points, WGS84)
    check_degrees(places)
    return places


def merge_points(
    xy: FloatArray, values: npt.ArrayLike, *, variance: npt.ArrayLike | None = None
) -> FittedPoints:
    """Drop points without a value, and average those at one and the same place.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Places [m].
    values : array, shape (n,)
        Values; NaN missing.
    variance : array, shape (n,), optional
        Variance of each measurement; that of a mean of k is their sum / k**2.

    Returns
    -------
    points : FittedPoints
        Different places in the order of their first appearance.

    Raises
    ------
    InputError
        If lengths differ, a variance is negative or missing, or nothing is left.
    """
    array = np.asarray(values, dtype=np.float64)
    noise = None if variance is None else np.asarray(variance, dtype=np.float64)
    for name, given in (("values", array), ("variances", noise)):
        if given is not None and given.shape != (len(xy),):
            message = f"{len(xy)} points, but {name} of shape {given.shape}."
            raise InputError(message)
    keep = np.isfinite(array) & np.isfinite(xy).all(axis=1)
    if not keep.any():
        message = f"None of {len(xy)} points has a finite value and a position."
        raise InputError(message)
    if noise is not None and not (noise[keep] >= 0).all():
        rows = np.flatnonzero(keep & ~(noise >= 0)).tolist()
        message = f"Variances below 0 or missing at points {rows}. Give 0 or more."
        raise InputError(message)
    # Adding 0 makes one zero of -0.0 and 0.0, which are one place.
    used, first, place = np.unique(
        xy[keep] + 0.0, axis=0, return_index=True, return_inverse=True
    )
    order, place = np.argsort(first), place.ravel()
    counts = np.bincount(place)[order].astype(np.float64)
    values = np.bincount(place, array[keep])[order] / counts
    total = None if noise is None else np.bincount(place, noise[keep])[order]
    return FittedPoints(
        xy=used[order],
        values=values,
        variance=None if total is None else total / counts**2,
        n_dropped=int(len(xy) - keep.sum()),
        n_merged=int(keep.sum() - len(used)),
        counts=counts,
    )
