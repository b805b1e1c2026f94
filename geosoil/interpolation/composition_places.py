"""Where fractions are told: in the cells of a grid, or at points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import FloatArray, Grid
from geosoil.interpolation.base import Interpolator, Points, positions
from geosoil.interpolation.labelled import by_point
from geosoil.interpolation.zero_rules import cell_heights


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The cells of a grid."""

    what: ClassVar[str] = "cells"
    """What the places are, in words."""
    grid: Grid
    """The grid."""
    heights: FloatArray | None
    """Elevation of the cells [m], shape (y, x)."""

    @classmethod
    def of(cls, grid: Grid, elevation: xr.DataArray | None) -> Cells:
        """Return the cells of a grid with their elevation.

        Parameters
        ----------
        grid : Grid
            Grid.
        elevation : DataArray with dims y, x, or None
            Elevation [m] on the grid.

        Returns
        -------
        cells : Cells
            The cells.

        Raises
        ------
        GridMismatchError
            If the elevation lies on another grid.
        """
        return cls(grid, cell_heights(grid, elevation))

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return self.grid.shape

    def ask(self, interpolator: Interpolator) -> xr.Dataset:
        """Return what a fitted interpolator tells of the cells.

        Parameters
        ----------
        interpolator : Interpolator
            Fitted.

        Returns
        -------
        answer : Dataset with dims y, x
            Its answer.
        """
        return interpolator.grid(self.grid)

    def labelled(self, values: FloatArray) -> xr.DataArray:
        """Lay values on the grid.

        Parameters
        ----------
        values : array, shape (y, x) or (cells,)
            Values.

        Returns
        -------
        raster : DataArray with dims y, x
            The values.
        """
        return self.grid.raster(values.reshape(self.grid.shape))


@dataclass(frozen=True, slots=True, eq=False)
class PointPlaces:
    """Points."""

    what: ClassVar[str] = "points"
    """What the places are, in words."""
    points: Points
    """Places with a CRS, or x and y in metres."""
    shape: tuple[int, ...]
    """Number of the points."""
    heights: FloatArray | None
    """Elevation of the points [m], shape (m,)."""

    @classmethod
    def of(cls, points: Points, elevation: npt.ArrayLike | None) -> PointPlaces:
        """Return points with their elevation.

        Parameters
        ----------
        points : GeoDataFrame, GeoSeries, or array, shape (m, 2)
            Places with a CRS, or x and y in metres.
        elevation : array, shape (m,), or None
            Elevation of each [m].

        Returns
        -------
        places : PointPlaces
            The points.

        Raises
        ------
        InputError
            If an array of points has another shape, or there is not one elevation a
            point.

        Examples
        --------
        >>> PointPlaces.of([[0.0, 0.0], [9.0, 5.0]], [3900, 4100]).heights.tolist()
        [3900.0, 4100.0]
        """
        geo = isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries)
        count = len(points if geo else positions(points, None))  # type: ignore[arg-type]  # has a length
        if elevation is None:
            return cls(points, (count,), None)
        heights = np.asarray(elevation, dtype=np.float64)
        if heights.shape != (count,):
            message = (
                f"{count} points, but elevations of shape {heights.shape}. Give one "
                "elevation a point [m], NaN where it is unknown."
            )
            raise InputError(message)
        return cls(points, (count,), heights)

    def ask(self, interpolator: Interpolator) -> xr.Dataset:
        """Return what a fitted interpolator tells of the points.

        Parameters
        ----------
        interpolator : Interpolator
            Fitted.

        Returns
        -------
        answer : Dataset with dim point
            Its answer.
        """
        return interpolator.predict(self.points)

    def labelled(self, values: FloatArray) -> xr.DataArray:
        """Label values by the index of the points.

        Parameters
        ----------
        values : array, shape (m,)
            Values.

        Returns
        -------
        labelled : DataArray with dim point
            The values.
        """
        return by_point({"values": values}, self.points)["values"]


Places: TypeAlias = Cells | PointPlaces
"""Where fractions are told."""
