"""One table of samples with what rasters and layers hold at their place and date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.align import north_up
from geosoil.grids.classes_at_points import class_raster_at_points, classes_at_points
from geosoil.grids.footprints import footprints, gather
from geosoil.grids.grid import FloatArray, Grid
from geosoil.grids.point_cells import cell_columns, coordinate_precision
from geosoil.grids.points import point_coordinates, values_at_points
from geosoil.grids.time_match import Span, time_matched

Columns = dict[str, npt.NDArray[np.generic]]
JoinMethod = Literal["nearest", "bilinear", "mean_touching", "footprint", "mode"]


@dataclass(frozen=True, slots=True)
class JoinedRaster:
    """A raster to join, and how it is read.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> JoinedRaster(grid.raster([[1.0, 2.0]]), method="bilinear").footprint
    3
    """

    raster: xr.DataArray
    """Raster (y, x), or fields (time, y, x) of which each sample reads that of its
    date. Integers are classes."""
    method: JoinMethod = "nearest"
    """How its cells are read; "mode" is for classes."""
    footprint: int = 3
    """Side of the footprint in cells, for "footprint" and "mode"."""
    span: Span = "16D"
    """Days of a field, as of :func:`geosoil.grids.time_match.time_matched`."""
    labels: Mapping[int, str] | None = None
    """Labels of class codes; with them the raster is one of classes."""
    source: str = ""
    """Where it comes from; by default ``attrs["source"]``."""


@dataclass(frozen=True, slots=True)
class JoinedLayer:
    """A layer of polygons to join.

    Examples
    --------
    >>> from shapely.geometry import box
    >>> soils = gpd.GeoDataFrame({"soil": ["felty"]}, geometry=[box(0, 0, 1, 1)],
    ...                          crs="EPSG:4326")
    >>> JoinedLayer(soils, "soil").column
    'soil'
    """

    polygons: gpd.GeoDataFrame
    """Polygons with a CRS."""
    column: str
    """Column of the classes."""
    source: str = ""
    """Where it comes from."""


@dataclass(frozen=True, slots=True)
class JoinResult:
    """Samples joined to rasters and layers.

    Examples
    --------
    >>> grid = Grid.from_bounds((95, 33, 97, 34), 1, "EPSG:4326")
    >>> sites = gpd.GeoDataFrame(
    ...     {"site_id": ["a"]}, geometry=gpd.points_from_xy([95.5], [33.5]), crs=4326
    ... )
    >>> joined = join_samples_to(sites, {"ndvi": grid.raster([[0.25, 0.5]])})
    >>> joined.provenance["n_missing"].tolist()
    [0]
    """

    table: gpd.GeoDataFrame
    """One row a sample, in their order and with their index and columns. Then
    ``coordinate_precision`` and, where a study grid was given, ``row``, ``column`` and
    ``on_edge`` of it. Then for each raster and layer ``<name>``, ``<name>_time`` (first
    day of the field, for fields over time), ``<name>_on_edge``, ``<name>_edge_range``
    (how far the values of the cells that touch the point differ; for quantities read
    by "nearest") and ``<name>_reason`` ("" where fine)."""
    provenance: pd.DataFrame
    """One row a raster or layer: column, source, method, unit, grid, n, n_missing,
    n_distinct_cells (of samples with a value; NaN for polygons) and reasons with their
    counts."""
    grids: Mapping[str, Grid]
    """Grid of each raster, by the name of its column: tells which samples share one of
    its cells."""


def join_samples_to(
    samples: gpd.GeoDataFrame,
    rasters: Mapping[str, xr.DataArray | JoinedRaster],
    layers: Mapping[str, tuple[gpd.GeoDataFrame, str] | JoinedLayer] | None = None,
    *,
    method: JoinMethod = "nearest",
    dates: str = "date",
    grid: Grid | None = None,
) -> JoinResult:
    """Give every sample the value of each raster and layer at its place and date.

    Parameters
    ----------
    samples : GeoDataFrame, length n
        Samples as points with a CRS. All are kept: those without position or date have
        no value and the reason.
    rasters : mapping of str to DataArray or JoinedRaster
        Rasters by the name of their column, each on its own grid.
    layers : mapping of str to (GeoDataFrame, column) or JoinedLayer, optional
        Layers of polygons by the name of their column.
    method : {"nearest", "bilinear", "mean_touching", "footprint", "mode"}
        How rasters given as they are are read; of classes always "nearest".
    dates : str
        Column of the samples' dates; where it is absent, no sample has a date.
    grid : Grid, optional
        Study grid, whose cell of each sample is added.

    Returns
    -------
    joined : JoinResult
        The table and the provenance of its columns.

    Raises
    ------
    MissingCRSError
        If the samples, a raster or a layer have no CRS.
    InputError
        If a new column is called as another, or a raster, a layer or a method cannot
        be used.

    Notes
    -----
    The cell is the same for every raster of one grid and each crop of it
    (:meth:`geosoil.grids.grid.Grid.cells`). Samples that share a cell are no
    independent pairs: ``n_distinct_cells`` is what a test of a correlation counts.

    Examples
    --------
    >>> grid = Grid.from_bounds((95, 33, 97, 34), 1, "EPSG:4326")
    >>> sites = gpd.GeoDataFrame(
    ...     {"site_id": ["a", "b"]},
    ...     geometry=gpd.points_from_xy([95.5, 80.0], [33.5, 33.5]), crs="EPSG:4326"
    ... )
    >>> joined = join_samples_to(sites, {"ndvi": grid.raster([[0.25, 0.5]])})
    >>> joined.table[["site_id", "ndvi", "ndvi_reason"]].values.tolist()
    [['a', 0.25, ''], ['b', nan, 'outside']]
    >>> joined.provenance[["column", "method", "reasons"]].values.tolist()
    [['ndvi', 'nearest', 'outside: 1']]
    """
    columns: dict[str, object] = {"coordinate_precision": coordinate_precision(samples)}
    if grid is not None:
        cells = cell_columns(grid, *point_coordinates(samples, grid.crs))
        columns |= {name: cells[name] for name in ("row", "column", "on_edge")}
    _check_names(samples, columns, (*rasters, *(layers or {})))
    days = samples[dates] if dates in samples else pd.Series([None] * len(samples))
    records = []
    grids = {}
    for name, given in rasters.items():
        request = given if isinstance(given, JoinedRaster) else _request(given, method)
        found = _raster_columns(request, samples, days)
        columns |= {f"{name}{end}": values for end, values in found.items()}
        grids[name] = Grid.of(_named(request.raster))
        records.append(_raster_record(name, request, found, samples))
    for name, part in (layers or {}).items():
        layer = part if isinstance(part, JoinedLayer) else JoinedLayer(*part)
        found = _layer_columns(layer, samples)
        columns |= {f"{name}{end}": values for end, values in found.items()}
        records.append(_layer_record(name, layer, found))
    added = pd.DataFrame(columns, index=samples.index)
    table = gpd.GeoDataFrame(pd.concat([samples, added], axis=1))
    table.attrs = dict(samples.attrs)
    fields = ("column", "source", "method", "unit", "grid", "n", "n_missing")
    order = [*fields, "n_distinct_cells", "reasons"]
    return JoinResult(table, pd.DataFrame(records, columns=order), grids)


def _request(raster: xr.DataArray, method: JoinMethod) -> JoinedRaster:
    """Read a raster by the method that holds for all; classes by their cell."""
    is_class = raster.dtype.kind in "biu"
    return JoinedRaster(raster, "nearest" if is_class else method)


def _check_names(
    samples: gpd.GeoDataFrame, columns: dict[str, object], names: tuple[str, ...]
) -> None:
    """Raise where a new column is called as another."""
    ends = ("", "_time", "_on_edge", "_edge_range", "_reason")
    new = [*columns, *(f"{name}{end}" for name in names for end in ends)]
    twice = {name for name in new if new.count(name) > 1}
    clashes = sorted(twice | (set(new) & {str(name) for name in samples.columns}))
    if clashes:
        message = (
            "The join would make columns that are there already: "
            f"{', '.join(clashes)}. Give the rasters and layers other names, or drop "
            "the columns of the samples."
        )
        raise InputError(message)


def _raster_columns(
    request: JoinedRaster, samples: gpd.GeoDataFrame, days: pd.Series
) -> Columns:
    """Return the columns of a raster, by the end of their names."""
    raster = _named(request.raster)
    points = gpd.GeoSeries(samples.geometry.reset_index(drop=True))
    if "time" not in raster.dims:
        return _field_columns(raster, request, points)
    match = time_matched(raster, days, span=request.span)
    # all fields have the columns of the first, here read at no point
    columns = _field_columns(
        raster.isel(time=0, drop=True), request, gpd.GeoSeries(points.iloc[:0])
    )
    for end, values in columns.items():
        kind = values.dtype if values.dtype == object else np.dtype(float)
        columns[end] = np.full(len(points), np.nan, dtype=kind)
    columns["_reason"] = match.reason.copy()
    for step in np.unique(match.index[match.index >= 0]):
        mine = np.flatnonzero(match.index == step)
        field = raster.isel(time=int(step), drop=True)
        for end, values in _field_columns(
            field, request, gpd.GeoSeries(points.iloc[mine])
        ).items():
            columns[end][mine] = values
    columns["_on_edge"] = _cells(raster, points)["on_edge"]
    value = columns.pop("")
    return {"": value, "_time": match.start.astype("datetime64[ns]"), **columns}


def _named(raster: xr.DataArray) -> xr.DataArray:
    """Return a raster north up, called "value"."""
    return north_up(raster.to_dataset(name="value"))["value"]


def _cells(raster: xr.DataArray, points: gpd.GeoSeries) -> Columns:
    """Return the cell of each point on the grid of a raster."""
    grid = Grid.of(raster)
    return cell_columns(grid, *point_coordinates(points, grid.crs))


def _field_columns(
    field: xr.DataArray, request: JoinedRaster, points: gpd.GeoSeries
) -> Columns:
    """Return the columns of one field."""
    is_class = request.labels is not None or field.dtype.kind in "biu"
    if is_class or request.method == "mode":
        if request.method not in ("nearest", "mode"):
            message = (
                f"A raster of classes cannot be read by '{request.method}', which "
                "would mix them. Use 'nearest' or 'mode'."
            )
            raise InputError(message)
        table = class_raster_at_points(
            field,
            points,
            labels=request.labels,
            method=request.method,
            footprint=request.footprint,
        )
    else:
        table = values_at_points(
            field, points, method=request.method, footprint=request.footprint
        )
    columns = {
        "": table["value"].to_numpy(dtype=object if request.labels else float),
        "_on_edge": table["on_edge"].to_numpy(),
    }
    if not is_class and request.method == "nearest":
        columns["_edge_range"] = _edge_range(field, points)
    columns["_reason"] = table["reason"].to_numpy(dtype=object)
    return columns


def _edge_range(field: xr.DataArray, points: gpd.GeoSeries) -> FloatArray:
    """Return how far the values of the cells that touch each point differ."""
    grid = Grid.of(field)
    x, y = point_coordinates(points, grid.crs)
    feet = footprints(grid, x, y, method="mean_touching")
    cells = gather(field, feet.rows, feet.columns)[0]
    used = (feet.shares > 0) & np.isfinite(cells)
    high = np.where(used, cells, -np.inf).max(axis=1)
    low = np.where(used, cells, np.inf).min(axis=1)
    known = used.any(axis=1)
    return np.where(
        known, np.where(known, high, 0.0) - np.where(known, low, 0.0), np.nan
    )


def _layer_columns(layer: JoinedLayer, samples: gpd.GeoDataFrame) -> Columns:
    """Return the columns of a layer, by the end of their names."""
    table = classes_at_points(layer.polygons, layer.column, samples)
    return {
        "": table[layer.column].to_numpy(),
        "_on_edge": table["on_edge"].to_numpy(),
        "_reason": table["reason"].to_numpy(dtype=object),
    }


def _raster_record(
    name: str, request: JoinedRaster, found: Columns, samples: gpd.GeoDataFrame
) -> dict[str, object]:
    """Say where the values of a raster come from."""
    raster = _named(request.raster)
    method: str = request.method
    if method in ("footprint", "mode"):
        what = "mean" if method == "footprint" else "mode"
        method = f"{what} of {request.footprint} x {request.footprint} cells"
    if "time" in raster.dims:
        span = request.span if isinstance(request.span, str) else "stated last days"
        method = f"{method}, of the field that contains the date ({span})"
    cells = _cells(raster, samples.geometry)
    known = ~pd.isna(found[""])
    pairs = {*zip(cells["row"][known], cells["column"][known], strict=True)}
    return {
        "column": name,
        "source": request.source or str(raster.attrs.get("source", "")),
        "method": method,
        "unit": str(raster.attrs.get("units", "")),
        "grid": str(Grid.of(raster)),
        **_counts(found),
        "n_distinct_cells": len(pairs),
    }


def _layer_record(name: str, layer: JoinedLayer, found: Columns) -> dict[str, object]:
    """Say where the classes of a layer come from."""
    crs = layer.polygons.crs
    return {
        "column": name,
        "source": layer.source,
        "method": f"'{layer.column}' of the polygon that contains the point",
        "unit": "",
        "grid": f"{len(layer.polygons)} polygons, {'' if crs is None else crs.name}",
        **_counts(found),
        "n_distinct_cells": np.nan,
    }


def _counts(found: Columns) -> dict[str, object]:
    """Count the samples, those without a value, and the reasons."""
    reasons = pd.Series(found["_reason"], dtype=object)
    counts = reasons[reasons != ""].value_counts()
    missing = pd.isna(found[""])
    return {
        "n": int((~missing).sum()),
        "n_missing": int(missing.sum()),
        "reasons": "; ".join(f"{reason}: {n}" for reason, n in counts.items()),
    }
