"""Monthly values of stations to grids, by regression kriging with elevation."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import ALBERS
from geosoil.interpolation.elevation_kriging import (
    METHOD,
    ElevationKriging,
    FewStationsError,
)
from geosoil.interpolation.variogram import Model, Variogram


def station_fields(
    table: pd.DataFrame,
    elevation: xr.DataArray,
    *,
    variable: str,
    variogram: Variogram | Model = "spherical",
    projection: str | CRS = ALBERS,
) -> xr.Dataset:
    """Krige the monthly values of stations to the grid of an elevation raster.

    Parameters
    ----------
    table : DataFrame
        One row a station, month and variable: ``station, latitude, longitude,
        elevation, month, variable, value`` (as ``monthly_station_table`` gives).
    elevation : DataArray with dims y, x
        Elevation [m] of the target grid, with a CRS.
    variable : str
        Which variable of the table.
    variogram : Variogram or str
        Variogram of the residuals from the elevation, for all months; or a model to
        be fitted to each month.
    projection : str or CRS
        Projected CRS in which distances are taken.

    Returns
    -------
    fields : Dataset with dims (time, y, x)
        ``estimate``, ``kriging_variance``, ``drift_variance``; over time ``n_points``,
        ``lapse_rate``, ``leave_one_out_rmse`` and ``reason``: a month with fewer than
        5 stations stays, empty, with the reason.

    Raises
    ------
    InputError
        If columns or the variable are absent.
    MissingCRSError
        If the raster has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((92, 33, 94, 34), 1, "EPSG:4326")
    >>> dem = grid.raster([[4000.0, 4500.0]])
    >>> table = pd.DataFrame({
    ...     "station": list("abcde"), "latitude": [33.1, 33.9, 33.2, 33.8, 33.5],
    ...     "longitude": [92.1, 92.4, 93.7, 93.2, 92.9],
    ...     "elevation": [3900.0, 4100.0, 4300.0, 4600.0, 4800.0],
    ...     "month": pd.Timestamp("2020-06-01"), "variable": "air_temperature"})
    >>> table["value"] = 32 - 0.006 * table["elevation"]
    >>> fields = station_fields(table, dem, variable="air_temperature")
    >>> fields["estimate"].round(6).values.tolist(), fields["reason"].item()
    ([[[8.0, 5.0]]], '')
    """
    rows = _rows_of(table, variable)
    grid = Grid.of(elevation)
    interpolator = ElevationKriging(variogram, projection=projection)
    months, layers = [], []
    for month, part in rows.groupby("month", sort=True):
        points = gpd.GeoSeries.from_xy(
            part["longitude"], part["latitude"], crs="EPSG:4326"
        )
        months.append(month)
        try:
            interpolator.fit(points, part["value"], part["elevation"])
        except FewStationsError as error:
            layers.append(_empty(grid, len(part), str(error)))
            continue
        layers.append(_summarised(interpolator, elevation))
    fields = xr.concat(layers, dim="time", combine_attrs="drop")
    fields = fields.assign_coords(time=np.asarray(months, dtype="datetime64[ns]"))
    if "units" in rows:
        fields["estimate"].attrs["units"] = str(rows["units"].iloc[0])
    fields.attrs = {"method": METHOD, "variable": variable}
    return fields


def _rows_of(table: pd.DataFrame, variable: str) -> pd.DataFrame:
    needed = ("latitude", "longitude", "elevation", "month", "variable", "value")
    absent = [name for name in needed if name not in table]
    if absent:
        message = f"The table of stations has no column {', '.join(absent)}."
        raise InputError(message)
    rows = table[table["variable"] == variable]
    if rows.empty:
        listed = ", ".join(map(str, table["variable"].unique()))
        message = f"The table has no variable '{variable}'. It has: {listed}."
        raise InputError(message)
    return rows


def _summarised(interpolator: ElevationKriging, elevation: xr.DataArray) -> xr.Dataset:
    """One month's surface with what tells its worth."""
    surface = interpolator.grid(elevation)
    residual = interpolator.leave_one_out()["residual"].to_numpy()
    return surface.assign(
        n_points=surface.attrs["n_points"],
        lapse_rate=interpolator.lapse_rate_,
        leave_one_out_rmse=float(np.sqrt(np.mean(residual**2))),
        reason="",
    )


def _empty(grid: Grid, count: int, reason: str) -> xr.Dataset:
    """One month without an answer."""
    nothing = grid.raster(np.full(grid.shape, np.nan))
    names = ("estimate", "kriging_variance", "drift_variance")
    return xr.Dataset(dict.fromkeys(names, nothing)).assign(
        n_points=count, lapse_rate=np.nan, leave_one_out_rmse=np.nan, reason=reason
    )
