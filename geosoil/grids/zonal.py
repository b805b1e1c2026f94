"""Statistics of rasters within polygons, weighted by exact coverage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.coverage import Coverage, coverage_batches
from geosoil.grids.footprints import check_method, gather
from geosoil.grids.grid import FloatArray, Grid, IntArray
from geosoil.grids.points import column_names, raster_variables
from geosoil.grids.zones import cell_area

Statistic = Literal[
    "mean", "sum", "count", "valid_share", "min", "max", "std", "majority"
]
Weights = Literal["coverage", "area"]
STATISTICS: tuple[Statistic, ...] = (
    "mean",
    "sum",
    "count",
    "valid_share",
    "min",
    "max",
    "std",
    "majority",
)
FOR_CLASSES: tuple[Statistic, ...] = ("count", "valid_share", "majority")
"""Statistics that codes of classes have."""
WEIGHTS: tuple[Weights, ...] = ("coverage", "area")


def zonal_statistics(
    raster: xr.DataArray | xr.Dataset,
    polygons: gpd.GeoDataFrame | gpd.GeoSeries,
    *,
    stats: Sequence[Statistic] = ("mean", "count"),
    weights: Weights = "coverage",
) -> pd.DataFrame:
    r"""Summarise the cells that each polygon covers.

    Parameters
    ----------
    raster : DataArray or Dataset with dims (y, x) or (time, y, x)
        Raster with a CRS; NaN missing. Integers are classes, which have the statistics
        "count", "valid_share" and "majority" only.
    polygons : GeoDataFrame or GeoSeries, length n
        Polygons with a CRS, whose vertices are brought to the raster's. They may
        overlap: each one is summarised by itself.
    stats : sequence of str
        Of "mean", "sum", "count", "valid_share", "min", "max", "std", "majority".
    weights : {"coverage", "area"}
        The covered share of a cell, or the covered area [km2], which on a grid in
        degrees gives the cells of the north less weight.

    Returns
    -------
    table : DataFrame, n rows in the order and with the index of the polygons
        A column for each statistic: ``<stat>``, ``<stat>_<ISO date>`` for each time,
        with ``<variable>_`` before it for a Dataset; ``outside``: part of the polygon
        beyond the raster [1]; ``reason``: "" where fine, "empty" for a polygon without
        area, "outside" the raster, "no data" where no covered cell has a value, "gaps"
        where only some columns have none, "partial" where part of the polygon lies
        outside or on cells without a value.

    Raises
    ------
    MissingCRSError
        If the raster or the polygons have no CRS.
    InputError
        If a statistic or the weights are unknown or unfit for classes, a dim is not
        time, y, x, or the polygons cannot be used.

    Notes
    -----
    With :math:`w_i` the weight of cell i, 0 where it has no value,

    .. math:: \bar v = \frac{\sum w_i v_i}{\sum w_i}, \quad
              s = \sqrt{\frac{\sum w_i (v_i - \bar v)^2}{\sum w_i}}

    ``sum`` is :math:`\sum w_i v_i`, ``count`` is :math:`\sum w_i` (in cells, or in km2
    for "area"), ``valid_share`` is ``count`` over the weight of all covered cells, and
    ``majority`` is the value with the most weight, the smallest of several. The
    geometry is worked out once for all times and variables.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> rain = grid.raster([[10.0, 40.0]], name="rain")
    >>> zones = gpd.GeoSeries([box(0, 0, 1.5, 1), box(0.5, 0, 2, 1)], crs="EPSG:4326")
    >>> zonal_statistics(rain, zones).round(3)[["mean", "count"]].values.tolist()
    [[20.0, 1.5], [30.0, 1.5]]
    """
    dataset = raster_variables(raster)
    _check_statistics(dataset, stats, weights)
    grid = Grid.of(dataset)
    prefix = isinstance(raster, xr.Dataset)
    names = _names(dataset, stats, prefix=prefix)
    table = np.full((len(names), len(polygons)), np.nan)
    outside = np.full(len(polygons), np.nan)
    short = np.zeros(len(polygons), dtype=bool)
    for part, covered in coverage_batches(polygons, grid):
        outside[part] = covered.outside
        zones = _Zones(covered, grid, weights)
        rows = [
            row
            for array in dataset.values()
            for row in _of_variable(array, zones, stats)
        ]
        table[:, part] = np.stack(rows)
        short[part] = zones.short
    result = pd.DataFrame(dict(zip(names, table, strict=True)), index=polygons.index)
    result["outside"] = outside
    counted = [name not in ("count", "valid_share") for name in _kinds(dataset, stats)]
    values = table[counted] if any(counted) else np.where(table > 0, table, np.nan)
    result["reason"] = _reasons(values, outside, short | (outside > 0))
    return result


class _Zones:
    """Coverage of polygons with its weights, and where cells without value lay."""

    def __init__(self, covered: Coverage, grid: Grid, weights: Weights) -> None:
        """Weigh the covered shares."""
        self.rows, self.columns = covered.rows, covered.columns
        matrix = covered.matrix
        if weights == "area":
            area = cell_area(grid).to_numpy()[self.rows, self.columns]
            matrix = matrix.multiply(area).tocsr()
        self.matrix = matrix
        self.total: FloatArray = np.asarray(matrix.sum(axis=1), dtype=np.float64)
        self.short = np.zeros(matrix.shape[0], dtype=bool)
        self.starts: IntArray = matrix.indptr.astype(np.int64)
        self.full: IntArray = np.flatnonzero(np.diff(self.starts) > 0).astype(np.int64)

    def fold(self, ufunc: np.ufunc, values: FloatArray, empty: float) -> FloatArray:
        """Reduce values of the covered cells, polygon by polygon."""
        found = np.full(len(self.total), empty)
        if len(self.full):
            spread = values[self.matrix.indices]
            found[self.full] = ufunc.reduceat(spread, self.starts[self.full])
        return found


def _of_variable(
    array: xr.DataArray, zones: _Zones, stats: Sequence[Statistic]
) -> list[FloatArray]:
    """Return the statistics of a variable, one row for each statistic and time."""
    fields = [array] if "time" not in array.dims else list(array.transpose("time", ...))
    found = [_of_field(field, zones, stats) for field in fields]
    return [found[k][stat] for stat in stats for k in range(len(fields))]


def _of_field(
    field: xr.DataArray, zones: _Zones, stats: Sequence[Statistic]
) -> dict[Statistic, FloatArray]:
    """Return the statistics of one field within each polygon."""
    cells = gather(field, zones.rows[:, None], zones.columns[:, None]).reshape(-1)
    valid = np.isfinite(cells)
    values = np.where(valid, cells, 0.0)
    count: FloatArray = zones.matrix @ valid.astype(float)
    zones.short |= (zones.total - count) > 1e-7 * zones.total
    known = np.where(count > 0, count, np.nan)
    total: FloatArray = zones.matrix @ values
    ways: dict[Statistic, Callable[[], FloatArray]] = {
        "mean": lambda: total / known,
        "sum": lambda: np.where(count > 0, total, np.nan),
        "count": lambda: count,
        "valid_share": lambda: count / np.where(zones.total > 0, zones.total, np.nan),
        "min": lambda: _finite(
            zones.fold(np.minimum, np.where(valid, cells, np.inf), np.inf)
        ),
        "max": lambda: _finite(
            zones.fold(np.maximum, np.where(valid, cells, -np.inf), -np.inf)
        ),
        "std": lambda: _spread(zones, values, valid, total / known),
        "majority": lambda: _majority(zones, values, valid),
    }
    return {stat: ways[stat]() for stat in stats}


def _finite(values: FloatArray) -> FloatArray:
    """Turn the infinities of polygons without a value into NaN."""
    return np.where(np.isfinite(values), values, np.nan)


def _spread(
    zones: _Zones,
    values: FloatArray,
    valid: npt.NDArray[np.bool_],
    mean: FloatArray,
) -> FloatArray:
    """Return the weighted standard deviation about the mean of each polygon."""
    indices, weights = zones.matrix.indices, zones.matrix.data
    zone = np.repeat(np.arange(len(mean)), np.diff(zones.starts))
    used = weights * valid[indices]
    off = np.where(used > 0, values[indices] - mean[zone], 0.0)
    n = len(mean)
    squares = np.bincount(zone, used * off**2, minlength=n)
    count = np.bincount(zone, used, minlength=n)
    variance = squares / np.where(count > 0, count, np.nan)
    spread: FloatArray = np.sqrt(variance)
    return spread


def _majority(
    zones: _Zones, values: FloatArray, valid: npt.NDArray[np.bool_]
) -> FloatArray:
    """Return the value with the most weight in each polygon."""
    best, result = np.zeros(len(zones.total)), np.full(len(zones.total), np.nan)
    for code in np.unique(values[valid]):
        weight: FloatArray = zones.matrix @ (valid & (values == code)).astype(float)
        ahead = weight > best * (1 + 1e-12)
        result[ahead], best[ahead] = code, weight[ahead]
    return result


def _check_statistics(
    dataset: xr.Dataset, stats: Sequence[Statistic], weights: Weights
) -> None:
    """Raise on statistics that do not exist or that classes do not have."""
    check_method(weights, WEIGHTS)
    given = [stats] if isinstance(stats, str) else list(stats)
    unknown = [stat for stat in given if stat not in STATISTICS]
    if unknown or not stats or isinstance(stats, str):
        message = (
            f"Unknown statistics {unknown or stats!r}. Give a list of: "
            f"{', '.join(STATISTICS)}."
        )
        raise InputError(message)
    unfit = [stat for stat in stats if stat not in FOR_CLASSES]
    classes = [
        f"'{name}' ({array.dtype})"
        for name, array in dataset.items()
        if array.dtype.kind in "biu"
    ]
    if classes and unfit:
        message = (
            f"Raster {', '.join(classes)} holds classes, which have no "
            f"{', '.join(unfit)}. Use {', '.join(FOR_CLASSES)}, or convert quantities "
            "with .astype(float)."
        )
        raise InputError(message)


def _kinds(dataset: xr.Dataset, stats: Sequence[Statistic]) -> list[Statistic]:
    """Return the statistic of each column."""
    return [
        stat
        for array in dataset.values()
        for stat in stats
        for _ in range(array.sizes.get("time", 1))
    ]


def _names(
    dataset: xr.Dataset, stats: Sequence[Statistic], *, prefix: bool
) -> list[str]:
    """Name the columns: variable, statistic and time."""
    return [
        column
        for name, array in dataset.items()
        for stat in stats
        for column in column_names(f"{name}_{stat}" if prefix else stat, array)
    ]


def _reasons(
    values: FloatArray, outside: FloatArray, short: npt.NDArray[np.bool_]
) -> npt.NDArray[np.object_]:
    """Say why polygons have no value or what the values rest on."""
    missing = np.isnan(values)
    cases = {
        "empty": np.isnan(outside),
        "outside": outside >= 1,
        "no data": missing.all(axis=0),
        "gaps": missing.any(axis=0),
        "partial": short,
    }
    found = np.select(list(cases.values()), list(cases), default="")
    return found.astype(object)
