"""External drift of a fit: where its values come from, at points and on grids."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from pyproj import CRS

from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import FloatArray, Points, merge_points
from geosoil.interpolation.drift import DriftSettings, drift_values, is_rasters
from geosoil.interpolation.drift_rasters import (
    Rasters,
    matched,
    named_rasters,
    rasters_at,
    rasters_on_grid,
)

GivenDrift: TypeAlias = npt.ArrayLike | pd.DataFrame | Rasters
"""Drift of a call: one row a point, or rasters."""

SHOWN = 10
"""Points that a message names."""


@dataclass(frozen=True, slots=True, eq=False)
class ExternalDrift:
    """The columns of a drift that are no coordinates."""

    names: tuple[str, ...]
    """Names of the k columns."""
    rasters: dict[str, xr.DataArray] | None
    """Where they are read; None where values are given with each call."""

    @classmethod
    def at_data(
        cls,
        settings: DriftSettings,
        given: GivenDrift | None,
        xy: FloatArray,
        crs: CRS | None,
    ) -> tuple[ExternalDrift, FloatArray]:
        """Return the drift of a fit with its values at the data.

        Parameters
        ----------
        settings : DriftSettings
            What the interpolator was made with.
        given : array, DataFrame or rasters, or None
            What the fit was given, in the place of the rasters of the settings.
        xy : array, shape (n, 2)
            Places of the data.
        crs : CRS or None
            Their CRS.

        Returns
        -------
        drift : ExternalDrift
            Names and rasters.
        values : array, shape (n, k)
            NaN missing.

        Raises
        ------
        InputError
            If there is not one row a point, or a raster cannot be a drift.
        """
        if given is None or is_rasters(given):
            rasters = settings.rasters if given is None else named_rasters(given)  # type: ignore[arg-type]  # just asked
            return cls(tuple(rasters), rasters), rasters_at(rasters, xy, crs)
        values, names = drift_values(given, len(xy))  # type: ignore[arg-type]  # no rasters
        if len(names) == len(settings.rasters):
            names = tuple(settings.rasters)
        return cls(names, None), values

    def at(
        self, given: GivenDrift | None, xy: FloatArray, crs: CRS | None
    ) -> FloatArray:
        """Return the drift at places.

        Parameters
        ----------
        given : array, DataFrame or rasters, or None
            Of this call; None takes the rasters of the fit.
        xy : array, shape (m, 2)
            Places.
        crs : CRS or None
            Their CRS.

        Returns
        -------
        values : array, shape (m, k)
            NaN missing.

        Raises
        ------
        InputError
            If it is needed and not given, or has another number of columns.
        """
        if given is None:
            return rasters_at(self._own(), xy, crs)
        if is_rasters(given):
            own = matched(named_rasters(given), self.names)  # type: ignore[arg-type]  # just asked
            return rasters_at(own, xy, crs)
        values, _ = drift_values(given, len(xy))  # type: ignore[arg-type]  # no rasters
        if values.shape[1] != len(self.names):
            message = (
                f"A drift of {values.shape[1]} columns, but the fit had "
                f"{len(self.names)} ({', '.join(self.names) or 'none'}). Give the same."
            )
            raise InputError(message)
        return values

    def on_grid(self, given: Rasters | None, grid: Grid) -> FloatArray:
        """Return the drift at the cells of a grid.

        Parameters
        ----------
        given : rasters or None
            Of this call; None takes the rasters of the fit.
        grid : Grid
            Target grid.

        Returns
        -------
        values : array, shape (cells, k)
            NaN missing.

        Raises
        ------
        InputError
            If it is needed and not given, or is no raster.
        """
        if given is None:
            return rasters_on_grid(self._own(), grid)
        if not is_rasters(given):
            message = "The drift of a grid is given by rasters with dims y, x."
            raise InputError(message)
        return rasters_on_grid(matched(named_rasters(given), self.names), grid)

    def _own(self) -> dict[str, xr.DataArray]:
        """Return the rasters of the fit; raise where values were given instead."""
        if self.rasters is None:
            message = (
                f"The fit was given values of its drift ({', '.join(self.names)}). "
                "Give drift= here too."
            )
            raise InputError(message)
        return self.rasters


def without_drift(
    points: Points, usable: npt.NDArray[np.bool_], told: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Say which data have no drift, and warn that they are left out.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries or array
        The data, for their index.
    usable : array of bool, shape (n,)
        Whether a datum has a value and a place.
    told : array of bool, shape (n,)
        Whether it has all columns of the drift.

    Returns
    -------
    lost : array of bool, shape (n,)
        Data that have all but a drift.

    Raises
    ------
    InputError
        If all of them are lost.

    Warns
    -----
    GeosoilWarning
        If some are lost; it names them.
    """
    lost: npt.NDArray[np.bool_] = usable & ~told
    if not lost.any():
        return lost
    rows: Sequence[object] = np.flatnonzero(lost).tolist()
    if isinstance(points, gpd.GeoDataFrame | gpd.GeoSeries):
        rows = points.index[lost].tolist()
    shown = ", ".join(str(row) for row in rows[:SHOWN])
    more = f" and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    message = (
        f"{len(rows)} of {usable.sum()} points with a value have no drift and are left "
        f"out: {shown}{more}."
    )
    if (usable & told).sum() == 0:
        message += " None is left. Give a drift that covers the points."
        raise InputError(message)
    warnings.warn(message, GeosoilWarning, stacklevel=3)
    return lost


def merged_columns(xy: FloatArray, columns: FloatArray) -> FloatArray:
    """Average the columns of a drift at places that are one and the same.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Places that are used.
    columns : array, shape (n, k)
        The drift there.

    Returns
    -------
    merged : array, shape (places, k)
        In the order of :func:`geosoil.interpolation.base.merge_points`.

    Examples
    --------
    >>> merged_columns(np.zeros((2, 2)), np.array([[1.0], [3.0]])).tolist()
    [[2.0]]
    """
    places = len(np.unique(xy, axis=0))
    merged = [merge_points(xy, column).values for column in columns.T]  # noqa: PD011
    return np.column_stack([np.empty((places, 0)), *merged])
