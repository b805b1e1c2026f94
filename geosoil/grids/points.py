"""Raster values at points, by one exact rule that says which cell holds a point."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
import xarray as xr
from pyproj import CRS, Transformer

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.align import north_up
from geosoil.grids.footprints import (
    METHODS,
    Method,
    check_footprint,
    check_method,
    footprints,
    read_cells,
)
from geosoil.grids.grid import BoolArray, FloatArray, Grid
from geosoil.grids.point_cells import cell_columns, coordinate_precision


def values_at_points(
    raster: xr.DataArray | xr.Dataset,
    points: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    method: Method = "nearest",
    footprint: int = 3,
    min_valid: float = 0.0,
) -> pd.DataFrame:
    """Read the value of a raster at each point.

    Parameters
    ----------
    raster : DataArray or Dataset with dims (y, x) or (time, y, x)
        Raster with a CRS. Integers are classes, which only "nearest" reads; see also
        :func:`geosoil.grids.classes_at_points.class_raster_at_points`.
    points : GeoDataFrame or GeoSeries of Points, length n
        Points with a CRS; they are brought to the raster's.
    method : {"nearest", "bilinear", "mean_touching", "footprint"}
        "nearest" reads the cell that contains the point; "bilinear" weighs the four
        nearest cell centres; "mean_touching" averages the cells that touch the point
        (two on an edge, four on a corner, else one); "footprint" averages the k x k
        cells around the one that contains the point. Cells without a value are left
        out, and the weights of the others made to sum to 1.
    footprint : int
        k of "footprint": an odd number of cells.
    min_valid : float
        Share of the weight, 0 to 1, that cells with a value must bear; below it the
        value is NaN. 0 asks for one cell with a value.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the points
        One float column a variable, or ``<variable>_<ISO date>`` for each time;
        ``row`` and ``column`` of the cell that contains the point, -1 outside;
        ``on_edge``: the point lies on an edge between cells; ``coordinate_precision``:
        last decimal place of the coordinates as given [units of the points' CRS];
        ``distance``: from the point to the centre of its cell [km]; ``reason``: ""
        where fine, "outside" the raster, "no position" for an empty geometry, "no data"
        where no cell read has a value, "few cells" where those with a value bear less
        than ``min_valid``, "gaps" where only some of the columns have no value,
        "partial" where a value rests on fewer cells than the method asks for.
        ``attrs["n_distinct_cells"]``: number of cells that contain the points.

    Raises
    ------
    MissingCRSError
        If the raster or the points have no CRS.
    InputError
        If the method or its settings are invalid, classes would be averaged, a
        geometry is no point, a dim is not time, y, x, or a variable has the name of
        another column.

    Notes
    -----
    A cell is half-open: it owns its western and its northern edge. Positions are
    rounded to millionths of a cell and divided as integers, so that a decimal
    coordinate falls in the same cell on every crop of a grid
    (:meth:`geosoil.grids.grid.Grid.cells`). Samples that share a cell are no
    independent pairs: tests of a correlation count the distinct cells.

    Examples
    --------
    >>> grid = Grid.from_bounds((100.0, 33.0, 100.2, 33.1), 0.1, "EPSG:4326")
    >>> ndvi = grid.raster([[0.2, 0.6]], name="ndvi")
    >>> sites = gpd.GeoSeries.from_xy([100.05, 100.1], [33.02, 33.05], crs="EPSG:4326")
    >>> table = values_at_points(ndvi, sites)
    >>> table.ndvi.tolist(), table.on_edge.tolist(), table.coordinate_precision.tolist()
    ([0.2, 0.6], [False, True], [0.01, 0.01])
    >>> values_at_points(ndvi, sites, method="mean_touching").ndvi.tolist()
    [0.2, 0.4]
    """
    check_method(method, METHODS)
    check_footprint(footprint)
    if not 0 <= min_valid <= 1:
        message = f"Invalid min_valid {min_valid}. Give a share between 0 and 1."
        raise InputError(message)
    dataset = raster_variables(raster)
    _check_no_averaged_classes(dataset, method)
    grid = Grid.of(dataset)
    x, y = point_coordinates(points, grid.crs)
    feet = footprints(grid, x, y, method=method, footprint=footprint)
    table: dict[str, npt.NDArray[np.generic]] = {}
    states = _States.of(len(x))
    for name in dataset.data_vars:
        found = read_cells(dataset[name], feet)
        few = (found.shares > 0) & (found.shares < min_valid - 1e-9)
        values = np.where(few, np.nan, found.values)
        states.add(values, found.shares, few)
        columns = column_names(str(name), dataset[name])
        table.update(zip(columns, values, strict=True))
    place = cell_columns(grid, x, y)
    place["coordinate_precision"] = coordinate_precision(points)
    place["reason"] = states.reasons(x, y, place["row"])
    _check_names(table, place)
    result = pd.DataFrame({**table, **place}, index=points.index)
    cells = result.loc[result["row"] >= 0, ["row", "column"]]
    result.attrs["n_distinct_cells"] = len(cells.drop_duplicates())
    return result


@dataclass(slots=True)
class _States:
    """What became of the values of each point, over all columns."""

    all_missing: BoolArray
    some_missing: BoolArray
    few: BoolArray
    partial: BoolArray

    @classmethod
    def of(cls, n: int) -> _States:
        """Begin with n points of no column."""
        return cls(np.ones(n, dtype=bool), *np.zeros((3, n), dtype=bool))

    def add(self, values: FloatArray, shares: FloatArray, few: BoolArray) -> None:
        """Take in the columns of one variable, each array of shape (times, n)."""
        missing = np.isnan(values)
        self.all_missing &= missing.all(axis=0)
        self.some_missing |= missing.any(axis=0)
        self.few |= few.any(axis=0)
        self.partial |= ((shares < 1 - 1e-9) & ~missing).any(axis=0)

    def reasons(
        self, x: FloatArray, y: FloatArray, rows: npt.NDArray[np.generic]
    ) -> npt.NDArray[np.object_]:
        """Say for each point why a value lacks or what it rests on."""
        cases = {
            "no position": ~(np.isfinite(x) & np.isfinite(y)),
            "outside": rows.astype(np.int64) < 0,
            "few cells": self.all_missing & self.few,
            "no data": self.all_missing,
            "gaps": self.some_missing,
            "partial": self.partial,
        }
        found = np.select(list(cases.values()), list(cases), default="")
        return found.astype(object)


def _check_names(
    table: dict[str, npt.NDArray[np.generic]], place: dict[str, npt.NDArray[np.generic]]
) -> None:
    """Raise where a variable is called as a column that every table has."""
    clashes = sorted(set(table) & set(place))
    if clashes:
        message = (
            f"Variables are called {', '.join(clashes)}, as columns of the result are. "
            "Rename them with .rename."
        )
        raise InputError(message)


def _check_no_averaged_classes(dataset: xr.Dataset, method: Method) -> None:
    """Raise where a method would mix the codes of classes."""
    classes = [
        f"'{name}' ({array.dtype})"
        for name, array in dataset.items()
        if array.dtype.kind in "biu"
    ]
    if classes and method != "nearest":
        message = (
            f"Raster {', '.join(classes)} holds classes, which '{method}' would mix. "
            "Use 'nearest', class_raster_at_points, or convert quantities with "
            ".astype(float)."
        )
        raise InputError(message)


def raster_variables(raster: xr.DataArray | xr.Dataset) -> xr.Dataset:
    """Return the raster variables as a north-up Dataset with checked dims.

    Parameters
    ----------
    raster : DataArray or Dataset
        Variables with dims (y, x) or (time, y, x); others of a Dataset are left out.

    Returns
    -------
    dataset : Dataset
        The variables; one without a name is called "value".

    Raises
    ------
    InputError
        If no variable is a raster, or one has other dims.

    Examples
    --------
    >>> flat = xr.DataArray([[1.0]], dims=("y", "x"), coords={"y": [33.0], "x": [95.0]})
    >>> list(raster_variables(flat))
    ['value']
    """
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


def column_names(name: str, array: xr.DataArray) -> list[str]:
    """Name a variable's columns: its name, with the ISO date where it has times.

    Parameters
    ----------
    name : str
        Name of the variable.
    array : DataArray
        The variable.

    Returns
    -------
    names : list of str
        The name itself without a time dim, else ``<name>_<date>`` for each time.

    Examples
    --------
    >>> times = pd.DatetimeIndex(["2020-06-09"])
    >>> column_names("ndvi", xr.DataArray([0.4], dims="time", coords={"time": times}))
    ['ndvi_2020-06-09']
    """
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
