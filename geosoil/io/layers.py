"""Vector layers: polygons, lines and points with their attributes and their CRS."""

from __future__ import annotations

import codecs
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError, InputError, MissingCRSError
from geosoil.io._sniff import sniff
from geosoil.io.class_tables import read_class_table
from geosoil.io.dbf_encoding import dbf_encoding
from geosoil.io.end_member_tables import END_MEMBER_COLUMNS, read_end_members
from geosoil.io.issues import name_rows

__all__ = [
    "END_MEMBER_COLUMNS",
    "read_class_table",
    "read_end_members",
    "read_lines",
    "read_points",
    "read_polygons",
]

_VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp")


class _Shapes(NamedTuple):
    """Kinds of geometry that a layer may hold, and their name."""

    name: str
    kinds: tuple[str, ...]


_POLYGONS = _Shapes("polygons", ("Polygon", "MultiPolygon"))
_LINES = _Shapes("lines", ("LineString", "MultiLineString"))
_POINTS = _Shapes("points", ("Point",))


@dataclass(frozen=True, slots=True)
class _Request:
    """A vector layer to read, and what the user states of it."""

    file: Path
    """The file."""
    shapes: _Shapes
    """What it should hold."""
    layer: str | None
    """Layer of a file with several."""
    encoding: str | None
    """Encoding of the attributes, where the user states it."""
    assume_crs: str | int | CRS | None
    """Coordinate reference system where the file has none."""


def read_polygons(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    assume_crs: str | int | CRS | None = None,
) -> gpd.GeoDataFrame:
    """Read a layer of polygons.

    Parameters
    ----------
    path : path
        GeoJSON, GeoPackage or Shapefile (.shp).
    layer : str, optional
        Layer of a GeoPackage; needed where it holds several.
    encoding : str, optional
        Encoding of the attributes, where the file does not tell or tells wrong. Of a
        Shapefile the .cpg beside it and the header of its table tell, and where these
        say nothing the text itself: UTF-8, GB18030 (GBK), Latin.
    assume_crs : str, int or CRS, optional
        Coordinate reference system of a file that does not state one.

    Returns
    -------
    polygons : GeoDataFrame
        Polygons and their attributes, CRS set. ``attrs["encoding"]`` and
        ``attrs["crs"]`` say "stated by the file", "stated by the user" or, for an
        encoding, which one was "found in the text".

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FileFormatError
        If it cannot be read, is empty, holds several layers and none is named, or
        holds geometries that are missing, no polygons, or invalid; the message names
        the layers or the features.
    MissingCRSError
        If neither the file nor ``assume_crs`` states the coordinate reference system.
    InputError
        If ``assume_crs`` or ``encoding`` is unknown, contradicts the file, or does not
        fit the coordinates.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shapely import box
    >>> square = gpd.GeoDataFrame(geometry=[box(90, 32, 91, 33)], crs="EPSG:4326")
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "region.gpkg"
    ...     square.to_file(file)
    ...     read_polygons(file).total_bounds.tolist()
    [90.0, 32.0, 91.0, 33.0]
    """
    return _read(_Request(Path(path), _POLYGONS, layer, encoding, assume_crs))


def read_lines(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    assume_crs: str | int | CRS | None = None,
) -> gpd.GeoDataFrame:
    """Read a layer of lines, such as rivers.

    Parameters
    ----------
    path, layer, encoding, assume_crs
        As for :func:`read_polygons`.

    Returns
    -------
    lines : GeoDataFrame
        Lines and their attributes, CRS set; attrs as of :func:`read_polygons`.

    Raises
    ------
    MissingFileError, FileFormatError, MissingCRSError, InputError
        As for :func:`read_polygons`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shapely import LineString
    >>> river = gpd.GeoDataFrame(geometry=[LineString([(90, 32), (91, 33)])], crs=4326)
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rivers.gpkg"
    ...     river.to_file(file)
    ...     len(read_lines(file))
    1
    """
    return _read(_Request(Path(path), _LINES, layer, encoding, assume_crs))


def read_points(
    path: str | os.PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    assume_crs: str | int | CRS | None = None,
) -> gpd.GeoDataFrame:
    """Read a layer of single points, such as stations.

    Parameters
    ----------
    path, layer, encoding, assume_crs
        As for :func:`read_polygons`.

    Returns
    -------
    points : GeoDataFrame
        Points and their attributes, CRS set; attrs as of :func:`read_polygons`.

    Raises
    ------
    MissingFileError, FileFormatError, MissingCRSError, InputError
        As for :func:`read_polygons`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shapely import Point
    >>> sites = gpd.GeoDataFrame({"name": ["Maduo"]}, geometry=[Point(98.2, 34.9)])
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sites.geojson"
    ...     sites.set_crs(4326).to_file(file)
    ...     read_points(file)["name"].tolist()
    ['Maduo']
    """
    return _read(_Request(Path(path), _POINTS, layer, encoding, assume_crs))


def _read(request: _Request) -> gpd.GeoDataFrame:
    _check_file(request)
    encoding, found_how = _encoding(request)
    layer = _layer_name(request)
    file = request.file
    try:
        with warnings.catch_warnings():
            # Driver notes on fields and dates; what matters is checked below.
            warnings.simplefilter("ignore", RuntimeWarning)
            frame: object = gpd.read_file(
                file, engine="pyogrio", layer=layer, encoding=encoding
            )
    except (pyogrio.errors.DataSourceError, OSError, ValueError, RuntimeError) as error:
        message = f"'{file}' cannot be read as a vector layer: {error}"
        if isinstance(error, UnicodeDecodeError):
            message += f" ({found_how}). State the right one with encoding=."
        raise FileFormatError(message) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        message = (
            f"'{file}' is a table without geometries, not a layer of "
            f"{request.shapes.name}."
        )
        raise FileFormatError(message)
    _check_shapes(frame, file, request.shapes)
    placed, placed_how = _with_crs(frame, request)
    placed.attrs = {"encoding": found_how, "crs": placed_how}
    return placed


def _check_file(request: _Request) -> None:
    """Refuse what is no vector file, or lacks a part."""
    file, what = request.file, f"a layer of {request.shapes.name}"
    kind = sniff(file)
    if kind in ("html", "empty"):
        found = "a web page (HTML)" if kind == "html" else "empty"
        message = f"'{file}' is {found}, not {what}. Get it again."
        raise FileFormatError(message)
    if file.suffix.lower() not in _VECTOR_SUFFIXES:
        unpack = " Unpack the archive first." if kind == "zip" else ""
        message = (
            f"'{file}' is not a kind of vector layer that geosoil reads. Give GeoJSON "
            f"(.geojson), GeoPackage (.gpkg) or Shapefile (.shp).{unpack}"
        )
        raise FileFormatError(message)
    if file.suffix.lower() == ".shp" and _beside(file, ".shx") is None:
        message = (
            f"'{file}' has no .shx beside it. A Shapefile is at least three files "
            "(.shp, .shx, .dbf; the .prj states its coordinate system): copy them all."
        )
        raise FileFormatError(message)


def _beside(file: Path, suffix: str) -> Path | None:
    """Return the part of a Shapefile with a suffix in small or capital letters."""
    parts = (file.with_suffix(suffix), file.with_suffix(suffix.upper()))
    return next((part for part in parts if part.is_file()), None)


def _encoding(request: _Request) -> tuple[str | None, str]:
    """Return the encoding to read with, None for the file's own, and who said so."""
    if request.encoding is not None:
        try:
            codecs.lookup(request.encoding)
        except LookupError:
            message = (
                f"Unknown encoding '{request.encoding}'. Give for instance 'UTF-8', "
                "'GB18030' or 'cp1252'."
            )
            raise InputError(message) from None
        return request.encoding, f"{request.encoding}, stated by the user"
    file = request.file
    table = _beside(file, ".dbf")
    if file.suffix.lower() != ".shp" or table is None or _beside(file, ".cpg"):
        return None, "stated by the file"
    found = dbf_encoding(table)
    return found, f"{found}, found in the text" if found else "stated by the file"


def _layer_name(request: _Request) -> str | None:
    """Return the layer to read, after a check against those present."""
    file, asked = request.file, request.layer
    try:
        listed = pyogrio.list_layers(file)
    except (pyogrio.errors.DataSourceError, OSError, RuntimeError) as error:
        message = f"'{file}' cannot be read as a vector layer: {error}"
        raise FileFormatError(message) from error
    present = {str(name): kind for name, kind in listed}
    shown = ", ".join(f"'{name}' ({kind or 'table'})" for name, kind in present.items())
    if asked is not None and asked not in present:
        message = f"'{file}' has no layer '{asked}'. Layers present: {shown}."
        raise FileFormatError(message)
    spatial = [name for name, kind in present.items() if kind is not None]
    if asked is None and len(spatial) > 1:
        message = (
            f"'{file}' holds {len(spatial)} layers: {shown}. Name the one to read with "
            "layer=."
        )
        raise FileFormatError(message)
    return asked if asked is not None else next(iter(spatial or present), None)


def _with_crs(
    frame: gpd.GeoDataFrame, request: _Request
) -> tuple[gpd.GeoDataFrame, str]:
    """Return the layer with its CRS set and checked, and who stated it."""
    file, assumed = request.file, _parsed(request.assume_crs)
    stated, how = frame.crs, "stated by the file"
    if stated is None and assumed is None:
        message = (
            f"'{file}' does not state its coordinate reference system (a Shapefile "
            "does so in a .prj beside it). Its coordinates run from "
            f"{_box(frame)}. State the system with assume_crs=, for instance "
            "assume_crs='EPSG:4326', or write it into the file."
        )
        raise MissingCRSError(message)
    if assumed is not None and stated is None:
        frame, how = frame.set_crs(assumed), "stated by the user"
    elif assumed and stated and not stated.equals(assumed, ignore_axis_order=True):
        message = (
            f"'{file}' states the coordinate reference system '{stated.name}', but "
            f"assume_crs is '{assumed.name}'. Leave assume_crs away, or mend the file."
        )
        raise InputError(message)
    _check_fit(frame, file, how)
    return frame, how


def _parsed(crs: str | int | CRS | None) -> CRS | None:
    try:
        return None if crs is None else CRS.from_user_input(crs)
    except CRSError as error:
        message = (
            f"Unknown coordinate reference system '{crs}' in assume_crs. Give a code "
            "such as 'EPSG:4326' or a WKT text."
        )
        raise InputError(message) from error


def _check_fit(frame: gpd.GeoDataFrame, file: Path, how: str) -> None:
    """Refuse a CRS that the coordinates cannot be in."""
    crs = frame.crs
    west, south, east, north = (float(value) for value in frame.total_bounds)
    in_degrees = max(abs(west), abs(east)) <= 360.0 and max(-south, north) <= 90.0
    if crs is None or crs.is_geographic == in_degrees:
        return
    if not crs.is_geographic and how == "stated by the file":
        return
    nature = "no degrees" if crs.is_geographic else "degrees, it seems"
    message = (
        f"'{file}' has coordinates from {_box(frame)}, {nature}; they cannot be in "
        f"'{crs.name}', {how}. State the system that they are in."
    )
    raise InputError(message)


def _box(frame: gpd.GeoDataFrame) -> str:
    west, south, east, north = frame.total_bounds
    return f"x {west:.8g} to {east:.8g} and y {south:.8g} to {north:.8g}"


def _check_shapes(frame: gpd.GeoDataFrame, file: Path, wanted: _Shapes) -> None:
    if frame.empty:
        message = f"'{file}' holds no features."
        raise FileFormatError(message)
    shapes = frame.geometry
    absent = (shapes.isna() | shapes.is_empty).to_numpy()
    other = ~shapes.geom_type.isin(wanted.kinds).to_numpy() & ~absent
    invalid = ~shapes.is_valid.to_numpy() & ~absent & ~other
    faults = []
    for mask, what in (
        (absent, "without a geometry"),
        (other, f"that are no {wanted.name} ({', '.join(_kinds(shapes, other))})"),
        (invalid, "whose rings cross themselves; repair them with shapely.make_valid"),
    ):
        if mask.any():
            rows = name_rows([int(i) + 1 for i in np.flatnonzero(mask)])
            faults.append(f"{int(mask.sum())} features {what} ({rows})")
    if faults:
        message = f"'{file}' has {'; '.join(faults)}."
        raise FileFormatError(message)


def _kinds(shapes: gpd.GeoSeries, mask: npt.NDArray[np.bool_]) -> Sequence[str]:
    return sorted({str(kind) for kind in shapes.geom_type[mask]})
