"""Raster values at points, by one exact rule that says which cell holds a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import xarray as xr
from pyproj import CRS, Transformer

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.align import north_up
from geosoil.grids.grid import BoolArray, FloatArray, Grid, IntArray

Method = Literal["nearest", "bilinear"]
METHODS: tuple[Method, ...] = ("nearest", "bilinear")


@dataclass(frozen=True, slots=True)
class _Weights:
    """Which cells a point reads, and how much of each."""

    rows: IntArray
    """Row of each cell, shape (points, cells)."""
    columns: IntArray
    """Column of each cell, shape (points, cells)."""
    shares: FloatArray
    """Weight of each cell, shape (points, cells); all 0 outside the grid."""


def values_at_points(
    raster: xr.DataArray | xr.Dataset,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    method: Method = "nearest",
) -> pd.DataFrame:
    """Read the value of a raster at each point.

    Parameters
    ----------
    raster : DataArray or Dataset with dims (y, x) or (time, y, x)
        Raster with a CRS.
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS; they are brought to the raster's.
    method : {"nearest", "bilinear"}
        "nearest" reads the cell that contains the point; "bilinear" weighs the four
        nearest cell centres, leaving out those without a value.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the points
        One float column a variable, or ``<variable>_<ISO date>`` for each time;
        ``on_edge``: the point lies on an edge between cells; ``reason``: "" where
        fine, "outside" the raster, "no position" for an empty geometry, "partial"
        where a bilinear value rests on fewer than four cells.

    Raises
    ------
    MissingCRSError
        If the raster or the points have no CRS.
    InputError
        If the method is unknown, a geometry is no point, or a dim is not time, y, x.

    Notes
    -----
    A cell is half-open: it owns its western and its northern edge. Positions within a
    millionth of a cell of an edge count as on it, so that a decimal coordinate falls
    in the same cell on every crop of a grid (:meth:`geosoil.grids.grid.Grid.cells`).

    Examples
    --------
    >>> grid = Grid.from_bounds((100.0, 33.0, 100.2, 33.1), 0.1, "EPSG:4326")
    >>> ndvi = grid.raster([[0.2, 0.6]], name="ndvi")
    >>> sites = gpd.GeoSeries.from_xy([100.05, 100.1], [33.02, 33.05], crs="EPSG:4326")
    >>> table = values_at_points(ndvi, sites)
    >>> table.ndvi.tolist(), table.on_edge.tolist()
    ([0.2, 0.6], [False, True])
    """
    if method not in METHODS:
        message = f"Unknown method '{method}'. Give one of: {', '.join(METHODS)}."
        raise InputError(message)
    dataset = _as_dataset(raster)
    grid = Grid.of(dataset)
    x, y = point_coordinates(points, grid.crs)
    rows, columns, on_edge = grid.cells(x, y)
    inside = rows >= 0
    weights = _nearest(rows, columns)
    if method == "bilinear":
        weights = _bilinear(grid, x, y, inside)
    table: dict[str, npt.NDArray[np.generic]] = {}
    partial = np.zeros(len(x), dtype=bool)
    for name in dataset.data_vars:
        array = dataset[name]
        values, short = _read(array, weights)
        partial |= short
        table.update(zip(_column_names(str(name), array), values, strict=True))
    reason = np.where(inside, np.where(partial, "partial", ""), "outside")
    reason = np.where(np.isfinite(x) & np.isfinite(y), reason, "no position")
    table["on_edge"] = on_edge
    table["reason"] = reason.astype(object)
    return pd.DataFrame(table, index=points.index)


def _as_dataset(raster: xr.DataArray | xr.Dataset) -> xr.Dataset:
    """Return the raster variables as a north-up Dataset with checked dims."""
    if isinstance(raster, xr.DataArray):
        raster = raster.to_dataset(name=raster.name or "value")
    spatial = [name for name, array in raster.items() if {"y", "x"} <= set(array.dims)]
    faults = [
        f"'{name}' has dims {raster[name].dims}"
        for name in spatial
        if not set(raster[name].dims) <= {"time", "y", "x"}
    ]
    if faults or not spatial:
        message = (
            f"Cannot read values at points: {'; '.join(faults) or 'no raster'}. Give "
            "variables with dims (y, x) or (time, y, x)."
        )
        raise InputError(message)
    return north_up(raster[spatial])


def point_coordinates(
    points: gpd.GeoDataFrame | gpd.GeoSeries, crs: CRS
) -> tuple[FloatArray, FloatArray]:
    """Return x and y of points in a coordinate reference system.

    Parameters
    ----------
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS.
    crs : CRS
        Target system; coordinates that are in it already stay as they are.

    Returns
    -------
    x, y : array, shape (n,)
        Coordinates; NaN for missing and empty geometries, and where the target system
        has no place for a point.

    Raises
    ------
    MissingCRSError
        If the points have no CRS.
    InputError
        If a geometry is no point.

    Examples
    --------
    >>> sites = gpd.GeoSeries([shapely.Point(95, 33), None], crs="EPSG:4326")
    >>> point_coordinates(sites, CRS("EPSG:4326"))
    (array([95., nan]), array([33., nan]))
    """
    geometry = points.geometry
    if geometry.crs is None:
        message = (
            "The points have no coordinate reference system. Set it with "
            ".set_crs, for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    kinds = set(geometry.geom_type.dropna().unique()) - {"Point"}
    if kinds:
        message = (
            f"Points are needed, found {', '.join(sorted(kinds))}. Take centroids in a "
            "projected CRS, or use zonal statistics."
        )
        raise InputError(message)
    shapes = np.asarray(geometry.array, dtype=object)
    placed = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    x, y = np.full((2, len(shapes)), np.nan)
    x[placed], y[placed] = shapely.get_x(shapes[placed]), shapely.get_y(shapes[placed])
    if not crs.equals(geometry.crs, ignore_axis_order=True):
        transformer = Transformer.from_crs(geometry.crs, crs, always_xy=True)
        x, y = transformer.transform(x, y)
    lost = ~(np.isfinite(x) & np.isfinite(y))
    return np.where(lost, np.nan, x), np.where(lost, np.nan, y)


def _nearest(rows: IntArray, columns: IntArray) -> _Weights:
    """Give the whole weight to the containing cell."""
    inside = (rows >= 0).astype(float)
    return _Weights(
        np.maximum(rows, 0)[:, None], np.maximum(columns, 0)[:, None], inside[:, None]
    )


def _bilinear(grid: Grid, x: FloatArray, y: FloatArray, inside: BoolArray) -> _Weights:
    """Weigh the four nearest cell centres; those beyond the grid get nothing."""
    column = np.where(inside, (x - grid.transform.c) / grid.transform.a - 0.5, 0.0)
    row = np.where(inside, (y - grid.transform.f) / grid.transform.e - 0.5, 0.0)
    left, top = np.floor(column), np.floor(row)
    right_share, low_share = column - left, row - top
    rows, columns, shares = [], [], []
    for down in (0, 1):
        for across in (0, 1):
            i, j = (top + down).astype(np.int64), (left + across).astype(np.int64)
            share = np.where(down, low_share, 1 - low_share)
            share = share * np.where(across, right_share, 1 - right_share)
            within = (i >= 0) & (i < grid.shape[0]) & (j >= 0) & (j < grid.shape[1])
            shares.append(np.where(within & inside, share, 0.0))
            rows.append(np.clip(i, 0, grid.shape[0] - 1))
            columns.append(np.clip(j, 0, grid.shape[1] - 1))
    return _Weights(np.stack(rows, 1), np.stack(columns, 1), np.stack(shares, 1))


def _read(array: xr.DataArray, weights: _Weights) -> tuple[FloatArray, BoolArray]:
    """Return weighted values (times, points), and where cells with weight lacked.

    The weights of the cells that have a value are made to sum to 1 again.
    """
    dims = ("point", "cell")
    picked = array.isel(
        y=xr.DataArray(weights.rows, dims=dims),
        x=xr.DataArray(weights.columns, dims=dims),
    )
    stack = picked.transpose(..., *dims).to_numpy().astype(float)
    stack = stack.reshape(-1, *weights.shares.shape)
    used = np.isfinite(stack) & (weights.shares > 0)
    shares = np.where(used, weights.shares, 0.0)
    total = shares.sum(axis=-1)
    sums = np.where(used, stack * weights.shares, 0.0).sum(axis=-1)
    empty = total == 0
    values = np.where(empty, np.nan, sums / np.where(empty, 1.0, total))
    short = ((total < 1 - 1e-9) & ~empty).any(axis=0)
    return values, short


def _column_names(name: str, array: xr.DataArray) -> list[str]:
    """Name a variable's columns: its name, with the ISO date where it has times."""
    if "time" not in array.dims:
        return [name]
    times = array["time"].to_numpy()
    if np.issubdtype(times.dtype, np.datetime64):
        labels = np.datetime_as_string(times, unit="D")
        if len(set(labels)) < len(labels):
            labels = np.datetime_as_string(times, unit="s")
    else:
        labels = times.astype(str)
    return [f"{name}_{label}" for label in labels]
