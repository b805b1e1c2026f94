"""Join a table of samples to raster files and layers of polygons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import xarray as xr

from geosoil.errors import GeosoilError, InputError, MissingFileError
from geosoil.grids.sample_join import (
    JoinedLayer,
    JoinedRaster,
    JoinMethod,
    JoinResult,
    join_samples_to,
)
from geosoil.io._atomic import write_csv
from geosoil.io.class_tables import read_class_table
from geosoil.io.climate import open_climate
from geosoil.io.geopackage import write_geopackage
from geosoil.io.geotiff import read_geotiff
from geosoil.io.layers import read_polygons
from geosoil.io.modis import open_modis
from geosoil.io.raster_series import CLIMATE, MODIS, SeriesPlace
from geosoil.io.samples import read_samples, sample_issues

MARGIN = 1.0
"""Degrees around the samples that are read of large files."""


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What is joined to a table of samples.

    Examples
    --------
    >>> JoinRequest(Path("s.csv"), rasters={"ndvi": "ndvi.tif"}).method
    'nearest'
    """

    samples: Path
    """Table of samples."""
    rasters: Mapping[str, str] = field(default_factory=dict)
    """Column and file: a GeoTIFF, a file of climate or a pattern of MODIS HDF files,
    the latter as ``path:variable`` where the column has another name than these."""
    layers: Mapping[str, str] = field(default_factory=dict)
    """Column and ``path:column`` of a vector layer of polygons."""
    classes: Mapping[str, Path] = field(default_factory=dict)
    """Class table of a raster, by the name of its column."""
    method: JoinMethod = "nearest"
    """How rasters of quantities are read."""
    footprint: int = 3
    """Side of the footprint in cells."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The user's column names to geosoil's."""
    crs: str | None = None
    """Coordinate reference system of columns x and y."""


@dataclass(frozen=True, slots=True, eq=False)
class JoinReport:
    """What a join gave and wrote."""

    result: JoinResult
    """Table and provenance."""
    text: str
    """What the command prints."""
    results: list[object]
    """One plain record a column joined."""
    paths: tuple[Path, ...]
    """Files written."""


def join_table(
    request: JoinRequest,
    output: str | Path,
    *,
    progress: Callable[[str], None] | None = None,
) -> JoinReport:
    """Give every sample the value of each raster and layer at its place and date.

    Parameters
    ----------
    request : JoinRequest
        Samples, rasters, layers and how they are read.
    output : str or Path
        GeoPackage (layers ``samples``, ``provenance`` and ``sample_issues``) or CSV
        (with ``<name>_provenance.csv`` beside it).
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    report : JoinReport
        Table, words and the files written.

    Raises
    ------
    GeosoilError
        If an input cannot be used, several faults in one message, or the output
        cannot be written; nothing is written then.
    """
    report = progress or (lambda _: None)
    target = _checked_target(output, request)
    report(f"reading {request.samples}")
    samples = read_samples(
        request.samples,
        columns=dict(request.columns) or None,
        crs=request.crs,
        require=(),
    )
    located = samples[~(samples.geometry.isna() | samples.geometry.is_empty)]
    if located.empty:
        message = (
            f"None of the {len(samples)} samples of '{request.samples}' has a "
            "position. Add longitude and latitude, or x and y with --crs."
        )
        raise InputError(message)
    box = _box(located)
    rasters, layers = _opened(request, box, report)
    report("joining")
    result = join_samples_to(samples, rasters, layers)
    paths = _write(result, samples, target)
    return JoinReport(result, _text(result, paths), _records(result), paths)


def _checked_target(output: str | Path, request: JoinRequest) -> Path:
    """Check what can be checked before anything is read."""
    target = Path(output)
    faults = []
    if target.suffix.lower() not in (".gpkg", ".csv"):
        faults.append(f"output '{target}' ends neither in .gpkg nor in .csv")
    if not (request.rasters or request.layers):
        faults.append("nothing to join: give --raster or --layer")
    lacking = sorted(set(request.classes) - set(request.rasters))
    if lacking:
        faults.append(f"--classes names {', '.join(lacking)}, which is no --raster")
    for name, place in request.layers.items():
        if ":" not in place:
            faults.append(f"--layer {name}={place} lacks the column: NAME=PATH:COLUMN")
    if faults:
        message = "Cannot join: " + "; ".join(faults) + "."
        raise InputError(message)
    return target


def _box(samples: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Box around the samples in degrees, with a margin."""
    west, south, east, north = samples.to_crs(4326).total_bounds
    return (
        max(west - MARGIN, -180.0),
        max(south - MARGIN, -90.0),
        min(east + MARGIN, 180.0),
        min(north + MARGIN, 90.0),
    )


def _opened(
    request: JoinRequest,
    box: tuple[float, float, float, float],
    report: Callable[[str], None],
) -> tuple[dict[str, JoinedRaster], dict[str, JoinedLayer]]:
    """Open every raster and layer; tell all faults at once."""
    rasters: dict[str, JoinedRaster] = {}
    layers: dict[str, JoinedLayer] = {}
    faults: list[GeosoilError] = []
    for name, place in request.rasters.items():
        report(f"opening {place}")
        try:
            rasters[name] = _raster(name, place, request, box)
        except GeosoilError as error:
            faults.append(error)
    for name, place in request.layers.items():
        report(f"opening {place}")
        path, _, column = place.rpartition(":")
        try:
            layers[name] = _layer(Path(path), column)
        except GeosoilError as error:
            faults.append(error)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        message = f"{len(faults)} inputs cannot be used:\n" + "\n".join(
            f"  - {fault}" for fault in faults
        )
        absent = all(isinstance(fault, MissingFileError) for fault in faults)
        raise (MissingFileError if absent else InputError)(message)
    return rasters, layers


def _raster(
    name: str,
    place: str,
    request: JoinRequest,
    box: tuple[float, float, float, float],
) -> JoinedRaster:
    """Open one raster by the kind of its file."""
    path, variable = _place(place, name)
    suffix = path.suffix.lower()
    labels = None
    if name in request.classes:
        labels = read_class_table(request.classes[name])
    how = (request.method, request.footprint)
    if suffix in MODIS:
        values = open_modis(SeriesPlace(str(path), "").files(), variable, bbox=box)
        if values.attrs["content"] == "code":
            how = ("nearest", request.footprint)
        return JoinedRaster(values, *how, source=place)
    if suffix in CLIMATE:
        values = open_climate(path, variable, bbox=box)
        span = "month" if values.attrs.get("step") == "month" else "1D"
        return JoinedRaster(values, *how, span=span, source=place)
    values = read_geotiff(path, classes=True if labels else None)
    if "band" in values.dims:
        message = (
            f"Raster '{place}' has {values.sizes['band']} bands without dates. Join a "
            "file of one band, or describe each band by its ISO date."
        )
        raise InputError(message)
    return _geotiff(values, request, labels, place)


def _place(place: str, name: str) -> tuple[Path, str]:
    """Split a file from the variable that is read of it, by default the column's."""
    found = SeriesPlace.of(place)
    path = Path(found.pattern)
    if path.suffix.lower() in (*MODIS, *CLIMATE):
        return path, found.variable or name
    return Path(place), name


def _geotiff(
    values: xr.DataArray,
    request: JoinRequest,
    labels: dict[int, str] | None,
    place: str,
) -> JoinedRaster:
    """How a GeoTIFF is read: classes by their cell, quantities as asked."""
    is_class = labels is not None or values.dtype.kind in "biu"
    method: JoinMethod = "nearest" if is_class else request.method
    return JoinedRaster(values, method, request.footprint, labels=labels, source=place)


def _layer(path: Path, column: str) -> JoinedLayer:
    """Open a layer of polygons and check that it has the column."""
    polygons = read_polygons(path)
    if column not in polygons:
        found = ", ".join(str(c) for c in polygons.columns if c != "geometry")
        message = f"Layer '{path}' has no column '{column}'. Columns found: {found}."
        raise InputError(message)
    return JoinedLayer(polygons, column, source=str(path))


def _write(
    result: JoinResult, samples: gpd.GeoDataFrame, target: Path
) -> tuple[Path, ...]:
    """Write the joined table with where its columns come from."""
    if target.suffix.lower() == ".gpkg":
        issues = sample_issues(samples)
        tables: dict[str, gpd.GeoDataFrame | pd.DataFrame] = {
            "samples": result.table,
            "provenance": result.provenance,
        }
        if len(issues):
            tables["sample_issues"] = issues
        return (write_geopackage(tables, target),)
    plain = pd.DataFrame(result.table.drop(columns=result.table.geometry.name))
    beside = target.with_name(f"{target.stem}_provenance.csv")
    return write_csv(plain, target), write_csv(result.provenance, beside)


def _text(result: JoinResult, paths: tuple[Path, ...]) -> str:
    """Tell each column joined, what is missing and why."""
    width = max(map(len, [*result.provenance["column"], "column"])) + 2
    lines = [f"{'column':<{width}}{'values':>8}{'missing':>9}{'cells':>7}  method; why"]
    for _, row in result.provenance.iterrows():
        cells = row["n_distinct_cells"]
        distinct = f"{int(cells)}" if pd.notna(cells) else "-"
        why = f"; {row['reasons']}" if row["reasons"] else ""
        lines.append(
            f"{row['column']:<{width}}{row['n']:>8}{row['n_missing']:>9}"
            f"{distinct:>7}  {row['method']}{why}"
        )
    edges = []
    for name in result.provenance["column"]:
        on_edge = result.table[f"{name}_on_edge"]
        edges.append(f"{name} {int((on_edge == True).sum())}")  # noqa: E712  NaN too
    lines.append(f"Samples on the edge between cells: {', '.join(edges) or 'none'}.")
    lines.append(f"Wrote {', '.join(map(str, paths))}.")
    return "\n".join(lines)


def _records(result: JoinResult) -> list[object]:
    """One plain record a column joined."""
    table = result.provenance.astype(object)
    table = table.where(table.notna(), None)
    return list(table.to_dict(orient="records"))
