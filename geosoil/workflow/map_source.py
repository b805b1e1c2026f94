"""Open what a single map shows: a band of a GeoTIFF or a field of a NetCDF file."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from geosoil.errors import FileFormatError, GeosoilError, GeosoilWarning, InputError
from geosoil.grids.grid import Grid
from geosoil.io.class_layers import read_class_raster
from geosoil.io.class_tables import ClassTable, read_classes
from geosoil.io.climate_axes import find_axes, lay_out
from geosoil.io.geotiff import read_geotiff
from geosoil.io.lazy_netcdf import open_netcdf_lazily
from geosoil.plotting.raster_map import MOST_CLASSES, MapClass
from geosoil.workflow.class_words import class_names
from geosoil.workflow.map_style import CLASSES, Described
from geosoil.workflow.simulated import is_simulated

_NETCDF = re.compile(r"(.+\.(?:nc|nc4|cdf))(?::([^:/\\]+))?", re.IGNORECASE)
_MARGIN = 0.2
_SHOWN = 12
_MOST_CODES = 4096

Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class MapSource:
    """What a map shows."""

    raster: xr.DataArray
    """Values or class codes, dims y, x, NaN where missing, CRS set."""
    described: Described
    """Names, words and unit."""
    classes: dict[int, MapClass] | None
    """What the codes mean; None for a quantity."""
    simulated: bool
    """Whether the file says that no value was measured."""


def split_name(raster: str) -> tuple[Path, str | None]:
    """Return the file of a raster, and its variable where it is NetCDF.

    Parameters
    ----------
    raster : str
        ``FILE.tif`` or ``FILE.nc:VARIABLE``.

    Returns
    -------
    file : Path
        The file.
    variable : str or None
        None for a GeoTIFF, "" for NetCDF without a variable.

    Examples
    --------
    >>> split_name("era5.nc:t2m")[1], split_name("dem.tif")[1], split_name("a.nc")[1]
    ('t2m', None, '')
    """
    match = _NETCDF.fullmatch(raster)
    if match is None:
        return Path(raster), None
    return Path(match[1]), match[2] or ""


def open_source(
    raster: str, band: str | None, style: str | None, region: gpd.GeoDataFrame | None
) -> MapSource:
    """Open what a map shows.

    Parameters
    ----------
    raster : str
        ``FILE.tif`` or ``FILE.nc:VARIABLE``.
    band : str or None
        Number, description or date of the band.
    style : str or None
        Style asked for: "classes" reads codes, another one quantities, None guesses.
    region : GeoDataFrame or None
        Polygons; of a GeoTIFF of a quantity only what lies around them is read.

    Returns
    -------
    source : MapSource
        Values and what they are.

    Raises
    ------
    GeosoilError
        If the file cannot be used, no band or none of that name is there, or no cell
        has a value.
    """
    file, variable = split_name(raster)
    if variable is not None:
        return _netcdf(file, variable, band, style)
    if style == CLASSES:
        return _classes(file, band)
    found = read_geotiff(file, bbox=_box(region))
    plane, words = _band(found, band, file)
    if style is None and found.dims == ("y", "x") and found.dtype.kind in "ui":
        source = _few_classes(file, band)
        if source is not None:
            return source
    return _quantity(plane, words, file, found.attrs.get("tags", {}))


def _few_classes(file: Path, band: str | None) -> MapSource | None:
    """Open a raster of bytes as classes where something says that they are ones."""
    source = _classes(file, band)
    named = source.classes or {}
    told = any(one.colour or one.label != str(code) for code, one in named.items())
    return source if told or len(named) <= MOST_CLASSES else None


def _classes(file: Path, band: str | None) -> MapSource:
    """Open a raster of classes with the table of the same name beside it."""
    table = _table(file)
    try:
        found = read_class_raster(file, classes=table)
    except InputError as error:
        if table is None:
            raise
        warnings.warn(f"{error} Drawn by codes.", GeosoilWarning, stacklevel=2)
        found = read_class_raster(file)
    codes, tags = found.codes, found.codes.attrs.get("tags", {})
    names = class_names(tags, [one.code for one in found.classes.classes])
    classes = {
        one.code: MapClass(names.get(one.code, one.label), one.colour)
        for one in found.classes.classes
    }
    plane, words = _band(codes, band, file)
    source = _quantity(plane, words, file, tags)
    return MapSource(source.raster, source.described, classes, source.simulated)


def _table(file: Path) -> ClassTable | None:
    """Read the class table of the same name beside a raster, if there is one."""
    for suffix in (".csv", ".toml"):
        beside = file.with_suffix(suffix)
        if beside.is_file():
            try:
                return read_classes(beside)
            except InputError as error:
                message = f"'{beside}' is not used as class table: {error}"
                warnings.warn(message, GeosoilWarning, stacklevel=2)
    return None


def _quantity(
    plane: xr.DataArray, words: str, file: Path, tags: dict[str, Any]
) -> MapSource:
    """Return a plane as numbers with NaN, and what it says of itself."""
    values = plane.astype(np.float64 if plane.dtype.kind in "ui" else plane.dtype)
    if plane.attrs.get("nodata") is not None:
        values = values.where(plane != plane.attrs["nodata"])
    values = values.where(np.isfinite(values))
    if not bool(np.isfinite(values).any()):
        message = (
            f"'{file}' has no value to map: every cell is missing. Choose another "
            "file, band or region."
        )
        raise InputError(message)
    period = str(tags.get("period", ""))
    if period.lower() not in words.lower():
        words = f"{words}, {period}"
    described = Described(
        str(plane.name or tags.get("name") or file.stem),
        words,
        str(plane.attrs.get("standard_name", "")),
        str(plane.attrs.get("units", "")),
    )
    return MapSource(values, described, None, is_simulated(tags))


def _band(
    found: xr.DataArray, band: str | None, where: Path
) -> tuple[xr.DataArray, str]:
    """Take one band by number, description or date, and say what it is."""
    words = str(found.attrs.get("long_name", ""))
    other = next((str(dim) for dim in found.dims if dim not in ("y", "x")), None)
    if other is None:
        labels = [words or "1"]
        _place(labels, band or "1", where)
        return found, words
    labels = [_label(value) for value in found[other].to_numpy()]
    if band is None and len(labels) > 1:
        message = f"'{where}' has {_listed(labels)}. Choose one with --band."
        raise InputError(message)
    place = _place(labels, band or "1", where)
    own = labels[place]
    joined = f"{words}, {own}" if words and other == "time" else own
    plane = found.isel({other: place}, drop=True)
    return plane, joined if words or other != "time" else f"{found.name or ''} {own}"


def _label(value: object) -> str:
    """Write the label of a band: a date without its hour, or its description."""
    if isinstance(value, np.datetime64):
        stamp = pd.Timestamp(value)
        return f"{stamp:%Y-%m-%d}" if stamp == stamp.normalize() else f"{stamp}"
    return str(value)


def _place(labels: list[str], band: str, where: Path) -> int:
    """Find a band by its description, date or number."""
    alike = [i for i, label in enumerate(labels) if label.lower() == band.lower()]
    begin = [i for i, label in enumerate(labels) if label.startswith(f"{band}-")]
    for found in (alike, begin):
        if len(found) == 1:
            return found[0]
    if band.isdecimal() and 1 <= int(band) <= len(labels):
        return int(band) - 1
    what = "more than one band" if len(alike) > 1 or len(begin) > 1 else "no band"
    message = (
        f"'{where}' has {what} '{band}'; it has {_listed(labels)}. Give --band one of "
        "these names, or a number from 1."
    )
    raise InputError(message)


def _listed(labels: list[str]) -> str:
    """Name the bands of a file, the first of them."""
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    shown = ", ".join(f"{i} '{text}'" for i, text in enumerate(labels[:_SHOWN], 1))
    return f"{len(labels)} band{'s' if len(labels) > 1 else ''}: {shown}{more}"


def _box(region: gpd.GeoDataFrame | None) -> Bounds | None:
    """Return the box around a region that is read, wider than the map's frame."""
    if region is None or region.empty:
        return None
    west, south, east, north = region.to_crs(4326).total_bounds
    margin = _MARGIN * max(east - west, north - south)
    return (
        max(float(west - margin), -180.0),
        max(float(south - margin), -90.0),
        min(float(east + margin), 180.0),
        min(float(north + margin), 90.0),
    )


def _netcdf(
    file: Path, variable: str, band: str | None, style: str | None
) -> MapSource:
    """Open one field of a variable of a NetCDF file."""
    if not variable:
        message = f"Name the variable of '{file}', as {file}:VARIABLE."
        raise InputError(message)
    where = f"'{file}', variable '{variable}'"
    try:
        plane, words, grid, tags = _field(file, variable, band, where)
    except GeosoilError:
        raise
    except (OSError, RuntimeError, ValueError) as error:
        message = f"'{file}' cannot be read as NetCDF: {error}. Download it again."
        raise FileFormatError(message) from error
    cells = plane.to_numpy()
    # The grid mapping of the file has another name than that of the raster here.
    kept = {key: text for key, text in plane.attrs.items() if key != "grid_mapping"}
    values = grid.raster(cells, name=variable).assign_attrs(kept)
    source = _quantity(values, words, file, tags)
    if style != CLASSES:
        return source
    codes = np.unique(cells[np.isfinite(cells)])
    if (codes % 1 != 0).any() or len(codes) > _MOST_CODES:
        message = f"{where} holds a quantity, no classes. Take another --style."
        raise InputError(message)
    classes = {int(code): MapClass(f"{code:g}") for code in codes}
    return MapSource(source.raster, source.described, classes, source.simulated)


def _field(
    file: Path, variable: str, band: str | None, where: str
) -> tuple[xr.DataArray, str, Grid, dict[str, Any]]:
    """Read one field, north up, with its words, grid and the file's attributes."""
    with open_netcdf_lazily(file, variable) as found:
        axes = find_axes(found, where=where)
        if axes.versions is not None:
            message = f"{where} has two versions (expver). Write one to a new file."
            raise InputError(message)
        with xr.open_dataset(file, engine="netcdf4", decode_times=False) as dataset:
            tags = {str(key): text for key, text in dataset.attrs.items()}
            layout = lay_out(
                dataset[variable], dataset, axes, assume_crs=None, where=where
            )
        names = {axes.y: "y", axes.x: "x"}
        if axes.time in found.dims:
            names[str(axes.time)] = "time"
        field = found.reset_coords(drop=True)
        field = field.squeeze([d for d in field.dims if d not in names], drop=True)
        field = field.rename({old: new for old, new in names.items() if old != new})
        plane, words = _band(field, band, file)
        placed = plane.transpose("y", "x").isel(y=layout.rows, x=layout.columns)
        return placed.load(), words, layout.grid, tags
