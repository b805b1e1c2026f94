"""Elevation of sites from a digital elevation model that must cover them."""

from __future__ import annotations

from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.footprints import Method
from geosoil.grids.grid import Grid
from geosoil.grids.points import point_coordinates, values_at_points

Outside = Literal["refuse", "keep"]
OUTSIDE: tuple[Outside, ...] = ("refuse", "keep")
_SHOWN = 10


def elevation_at_points(
    dem: xr.DataArray,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    method: Method = "bilinear",
    outside: Outside = "refuse",
) -> pd.DataFrame:
    """Read the elevation of points from a digital elevation model.

    Parameters
    ----------
    dem : DataArray with dims y, x
        Elevation [m] with a CRS; NaN, and the ``attrs["nodata"]`` of integers,
        missing.
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS; a column ``sample_id`` names them in messages, else the
        index does.
    method : str
        As for :func:`geosoil.grids.points.values_at_points`.
    outside : {"refuse", "keep"}
        Whether points that the model does not cover are an error, or stay with NaN
        and their reason.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the points
        ``elevation`` [m], and the other columns of
        :func:`geosoil.grids.points.values_at_points`. Points on missing cells and
        points without a position stay, with NaN and their reason.

    Raises
    ------
    InputError
        If the model does not cover all points; the message names them, their
        positions and the model's bounds.
    MissingCRSError
        If the model or the points have no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((100.0, 33.0, 100.2, 33.1), 0.1, "EPSG:4326")
    >>> dem = grid.raster([[4000.0, 4200.0]])
    >>> sites = gpd.GeoSeries.from_xy([100.1], [33.05], crs="EPSG:4326")
    >>> elevation_at_points(dem, sites).elevation.tolist()
    [4100.0]
    """
    if outside not in OUTSIDE:
        message = f"Unknown rule '{outside}'. Give one of: {', '.join(OUTSIDE)}."
        raise InputError(message)
    nodata = dem.attrs.get("nodata")
    ground = dem.rename("elevation").astype(float)
    if nodata is not None and dem.dtype.kind in "iu":
        ground = ground.where(dem != nodata)
    table = values_at_points(ground, points, method=method)
    lost = np.flatnonzero(table["reason"].astype(str).str.startswith("outside"))
    if len(lost) and outside == "refuse":
        _refuse(Grid.of(dem), points, lost.tolist())
    return table


def _refuse(
    grid: Grid, points: gpd.GeoDataFrame | gpd.GeoSeries, lost: list[int]
) -> None:
    """Raise an error that names the points outside the model."""
    x, y = point_coordinates(points, grid.crs)
    frame = pd.DataFrame(points)
    names = list(frame.get("sample_id", points.index))
    shown = ", ".join(f"{names[i]} ({x[i]:.6g}, {y[i]:.6g})" for i in lost[:_SHOWN])
    more = f" and {len(lost) - _SHOWN} more" if len(lost) > _SHOWN else ""
    west, south, east, north = (round(value, 6) for value in grid.bounds)
    message = (
        f"The elevation model does not cover {len(lost)} of {len(names)} samples: "
        f"{shown}{more}. It reaches from x {west} to {east} and y {south} to {north} "
        f"in '{grid.crs.name}'. Give a model of the whole region, or check the "
        "positions."
    )
    raise InputError(message)
