"""Reading of GeoPackage and Parquet tables into rows of cells with coordinates."""

from __future__ import annotations

import warnings
from decimal import Decimal
from pathlib import Path
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pyogrio.errors
from pyproj import CRS

from geosoil.io.columns import plain_name, synonym_table
from geosoil.io.table_rows import Cell, Found, Request, Row, refuse
from geosoil.io.vocabulary import SAMPLE_COLUMNS

_FAR = 1e-4


def read_spatial_table(request: Request, magic: bytes) -> Found:
    """Read a layer of a GeoPackage, or a Parquet or GeoParquet file.

    Points become columns longitude and latitude in EPSG:4326; a layer in another
    coordinate reference system is transformed, which is listed.

    Parameters
    ----------
    request : Request
        What is asked.
    magic : bytes
        First bytes of the file.

    Returns
    -------
    found : Found
        Rows, number of known names in the header, position of the header. Rows count
        from 1 without the header.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        read = _read_parquet if magic[:4] == b"PAR1" else _read_layer
        frame = read(request)
    for words in dict.fromkeys(str(warning.message) for warning in caught):
        rule = "warning of the library that reads the file"
        request.ledger.add((0, ""), words, "read", rule, severity="warn")
    located = isinstance(frame, gpd.GeoDataFrame)
    if isinstance(frame, gpd.GeoDataFrame):
        frame = _with_coordinates(request, frame)
    header = [str(name) for name in frame.columns]
    columns = [[_cell(value) for value in frame[name]] for name in frame.columns]
    cells = [list(row) for row in zip(*columns, strict=True)]
    rows: list[Row] = [(0, list(header)), *enumerate(cells, 1)]
    return Found(rows, request.score(header), 0, located)


def _cell(value: object) -> Cell:
    if value is None or value is pd.NaT or value is pd.NA:
        return None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Decimal):
        value = float(value)
    return None if isinstance(value, float) and np.isnan(value) else value


def _read_layer(request: Request) -> pd.DataFrame:
    path = request.path
    try:
        layers = [str(name) for name, _ in pyogrio.list_layers(path)]
        if not layers:
            refuse(request.kind, path, "the GeoPackage holds no layer.")
        infos = {name: pyogrio.read_info(path, layer=name) for name in layers}
        driver = infos[layers[0]]["driver"]
        if driver != "GPKG":
            why = f"the GeoPackage cannot be read (it opens as {driver}): is it whole?"
            refuse(request.kind, path, why)
        fields = {name: [str(f) for f in infos[name]["fields"]] for name in layers}
        chosen = max(layers, key=lambda name: request.score(fields[name]))
        frame = pyogrio.read_dataframe(path, layer=chosen)
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
    ) as error:
        refuse(request.kind, path, f"the GeoPackage cannot be read ({error}).")
    if len(layers) > 1:
        request.ledger.add(
            (0, ""),
            f"layers {', '.join(layers)}",
            f"layer {chosen}",
            "one layer is read: the first with most known columns",
            severity="warn",
        )
    return cast("pd.DataFrame", frame)


def _read_parquet(request: Request) -> pd.DataFrame:
    """Read with geometry where the file has it, else as a plain table."""
    path = request.path
    try:
        try:
            frame = cast("pd.DataFrame", gpd.read_parquet(path))
        except ValueError as error:
            if "geo metadata" not in str(error):
                raise
            frame = pd.read_parquet(path)
    except ImportError:
        refuse(request.kind, path, "Parquet needs the package pyarrow; install it.")
    except (OSError, ValueError, KeyError, TypeError, NotImplementedError) as error:
        refuse(request.kind, path, f"the Parquet file cannot be read ({error}).")
    named = [str(name) for name in frame.index.names if name is not None]
    return frame.reset_index() if named else frame


def _with_coordinates(request: Request, frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Turn the points into two columns, where the table has none of its own."""
    points = frame.geometry
    table = pd.DataFrame(frame.drop(columns=points.name))
    if points.isna().all():
        return table
    kinds = sorted({str(kind) for kind in points.geom_type if isinstance(kind, str)})
    if kinds != ["Point"]:
        why = f"samples are points, and the layer holds {', '.join(kinds)}."
        refuse(request.kind, request.path, why)
    degrees = _degrees(request, points)
    known = synonym_table(SAMPLE_COLUMNS)
    own = {known.get(plain_name(str(name))[0], ""): name for name in table.columns}
    empty = points.isna() | points.is_empty
    for name, values in (("longitude", degrees.x), ("latitude", degrees.y)):
        if name not in own:
            table[name] = values.where(~empty)
            continue
        written = pd.to_numeric(table[own[name]], errors="coerce")
        far = (written - values).abs() > _FAR
        for row in np.flatnonzero(far.to_numpy()):
            rule = "the column differs from the point's own coordinate; column kept"
            place = (int(row) + 1, name)
            found = f"{values.iloc[row]:.6f}"
            read_as = f"{written.iloc[row]:.6f}"
            request.ledger.add(place, found, read_as, rule, severity="suspect")
    return table


def _degrees(request: Request, points: gpd.GeoSeries) -> gpd.GeoSeries:
    path: Path = request.path
    stated = request.crs
    if points.crs is None and stated is None:
        why = (
            "its points have no coordinate reference system. State it with crs=, for "
            'instance crs="EPSG:4326".'
        )
        refuse(request.kind, path, why)
    if points.crs is None and stated is not None:
        points = points.set_crs(stated)
        rule = "the file has no coordinate reference system: taken from crs="
        request.ledger.add((0, "geometry"), "", stated, rule)
    elif stated is not None and CRS.from_user_input(stated) != points.crs:
        why = (
            f"its points are in {_name(points.crs)}, and crs= says {stated}. "
            "Leave crs= out."
        )
        refuse(request.kind, path, why)
    target = CRS.from_epsg(4326)
    if CRS.from_user_input(points.crs) != target:
        rule = "coordinates transformed to longitude and latitude"
        name = _name(points.crs)
        request.ledger.add((0, "geometry"), name, "EPSG:4326", rule)
        points = points.to_crs(target)
    return points


def _name(crs: object) -> str:
    system = CRS.from_user_input(crs)
    return system.to_string() if system.to_epsg() else system.name
