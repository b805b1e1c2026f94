"""A table or layer of points with numbers of any kind: places, values and labels."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geosoil.errors import InputError
from geosoil.io._sniff import sniff
from geosoil.io.issues import Issue, Ledger, name_rows
from geosoil.io.layers import read_points
from geosoil.io.tables import ColumnTable, read_table
from geosoil.io.vocabulary import SAMPLE_COLUMNS, Column, projected_columns

FloatArray = npt.NDArray[np.float64]

KIND = "Table of points"
VECTOR = (".gpkg", ".geojson", ".json", ".shp")
"""Suffixes that are read as vector layers; all else is a table."""

LOST = 10.0
"""Distance by which a place that its system cannot show misses itself [m]."""

WIDE = (-1e30, 1e30)
DEGREES = CRS.from_epsg(4326)
_AS_WRITTEN: Mapping[str, float] = dict.fromkeys(
    [unit for column in SAMPLE_COLUMNS for unit in column.units]
    + ["k", "kelvin", "f", "°f", "inch", "in", "yd", "hm", "dm"],
    1.0,
)
"""Units in the header of a column of unknown meaning: the numbers stay."""


@dataclass(frozen=True, slots=True)
class PointColumns:
    """Which columns of points are read, and where the points lie.

    Examples
    --------
    >>> PointColumns(("zinc",)).labels
    ()
    """

    numbers: tuple[str, ...]
    """Columns of numbers."""
    labels: tuple[str, ...] = ()
    """Columns of text, such as the period or the site."""
    crs: str | None = None
    """Coordinate reference system of x and y, or of a layer that states none."""
    layer: str | None = None
    """Layer of a file with several."""
    optional: tuple[str, ...] = ()
    """Columns of numbers that are read where the file has them."""
    marks: tuple[str, ...] = ()
    """Columns of text that are read where the file has them."""


def read_point_table(
    path: str | Path, columns: PointColumns
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    r"""Read places with values from a table or a vector layer.

    Parameters
    ----------
    path : path
        CSV or other text, workbook or Parquet file with columns longitude and
        latitude, or x and y with their coordinate reference system stated; or points
        as GeoPackage, GeoJSON or Shapefile.
    columns : PointColumns
        What is read of it.

    Returns
    -------
    points : GeoDataFrame
        The asked columns, numbers as float with NaN where missing, labels as text;
        geometry empty where a coordinate is missing; CRS as stated, else EPSG:4326.
        The index is the row of the file.
    remarks : tuple of str
        What was read otherwise than it was written.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If columns are absent or hold no numbers, or the places cannot be known; one
        message names all faults of the table.
    FileFormatError
        If a layer cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "sites.csv"
    ...     _ = file.write_text("lon;lat;zinc [ppm]\n92,5;34,1;113,5\n")
    ...     points, remarks = read_point_table(file, PointColumns(("zinc [ppm]",)))
    >>> points["zinc [ppm]"].tolist(), points.crs.to_epsg(), points.index.tolist()
    ([113.5], 4326, [2])
    """
    file = Path(path)
    crs = None if columns.crs is None else _stated_crs(columns.crs)
    sniff(file)
    if file.suffix.lower() in VECTOR:
        return _from_layer(file, columns, crs)
    return _from_table(file, columns, crs)


def _stated_crs(words: str) -> CRS:
    """Return the CRS that the user states."""
    try:
        return CRS.from_user_input(words)
    except CRSError as error:
        message = (
            f"Unknown coordinate reference system '{words}'. Give a code such as "
            "EPSG:32646."
        )
        raise InputError(message) from error


def nearest_names(name: str, known: Sequence[str]) -> str:
    """Return the end of a message that a name is unknown.

    Parameters
    ----------
    name : str
        What was asked for.
    known : sequence of str
        What there is.

    Returns
    -------
    words : str
        The nearest names, and all of them.

    Examples
    --------
    >>> nearest_names("zink", ["zinc", "lead"])
    'Nearest: zinc. There are: zinc, lead.'
    """
    near = difflib.get_close_matches(name, known, 3, 0.5)
    hint = f"Nearest: {', '.join(near)}. " if near else ""
    return f"{hint}There are: {', '.join(known)}."


def _from_table(
    file: Path, columns: PointColumns, crs: CRS | None
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Read a table of text, a workbook or a Parquet file."""
    table = read_table(
        file, kind=KIND, vocabulary=_vocabulary(columns), crs=columns.crs
    )
    ledger, frame = table.ledger, table.frame
    for name in (*columns.numbers, *columns.labels):
        if name not in frame.columns:
            words = nearest_names(name, [head for head in table.header if head])
            ledger.faults.append(f"there is no column '{name}'. {words}")
    _fault_units(ledger, columns.numbers)
    places = _places(table, crs)
    ledger.raise_faults(KIND, file)
    kept = list(dict.fromkeys((*columns.numbers, *columns.labels)))
    extra = (*columns.optional, *columns.marks)
    kept += [n for n in extra if n in frame.columns and n not in kept]
    points = gpd.GeoDataFrame(frame[kept], geometry=places)
    points.index = pd.Index(table.rows, name="row")
    return points, _remarks(ledger)


def _remarks(ledger: Ledger) -> tuple[str, ...]:
    """Return what was read otherwise than written, one line a column and rule."""
    groups: dict[tuple[str, str], list[Issue]] = {}
    for issue in ledger.issues:
        if issue["severity"] != "note":
            groups.setdefault((issue["column"], issue["rule"]), []).append(issue)
    told = []
    for (column, rule), issues in groups.items():
        first = issues[0]
        words = f"'{first['found']}'"
        if first["read_as"] != first["found"]:
            words += f" read as {first['read_as']}"
        words += f" (row {first['row']})" if first["row"] else ""
        words += f" and {len(issues) - 1} more" if len(issues) > 1 else ""
        told.append(f"{column or 'table'}: {rule}: {words}")
    return tuple(told)


def _vocabulary(columns: PointColumns) -> tuple[Column, ...]:
    """Return the columns to look for: those asked for, and those of places."""
    known = {column.name: column for column in SAMPLE_COLUMNS}
    asked = {
        name: known[name]
        if name in known and known[name].kind == "number"
        else Column(name, "number", units=_AS_WRITTEN, valid=WIDE)
        for name in (*columns.numbers, *columns.optional)
    }
    for name in (*columns.labels, *columns.marks):
        labelled = name in known and known[name].kind in ("label", "id")
        asked.setdefault(name, known[name] if labelled else Column(name, "id"))
    places = [known["longitude"], known["latitude"], *projected_columns(loose=True)]
    return (*asked.values(), *(one for one in places if one.name not in asked))


def _fault_units(ledger: Ledger, names: Sequence[str]) -> None:
    """Refuse units within cells: those of a column of unknown meaning may differ."""
    for name in names:
        rows = [
            issue["row"]
            for issue in ledger.issues
            if issue["column"] == name and issue["row"] and "unit " in issue["rule"]
        ]
        if rows:
            ledger.faults.append(
                f"column '{name}' holds numbers with a unit ({name_rows(rows)}). Write "
                "plain numbers, and the unit into the header."
            )


def _places(table: ColumnTable, crs: CRS | None) -> gpd.GeoSeries:
    """Return the points of a table; faults go to its ledger."""
    frame, faults = table.frame, table.ledger.faults
    degrees = {"longitude", "latitude"} <= set(frame.columns)
    metres = {"easting", "northing"} <= set(frame.columns)
    nowhere = gpd.GeoSeries(np.full(len(frame), None), index=frame.index, crs=DEGREES)
    if table.located or (degrees and (crs is None or crs.is_geographic)):
        names, system = ("longitude", "latitude"), DEGREES
        system = DEGREES if table.located or crs is None else crs
    elif metres and crs is not None:
        names, system = ("easting", "northing"), crs
    elif metres:
        faults.append(
            "its columns of x and y say nothing of their coordinate reference system. "
            "State it, for instance --crs EPSG:32646 (EPSG:4326 for degrees)."
        )
        return nowhere
    else:
        faults.append(
            "it has no columns of coordinates: longitude and latitude, or x and y with "
            f"--crs. Columns found: {', '.join(table.header)}."
        )
        return nowhere
    x, y = (frame[name].to_numpy(dtype=float) for name in names)
    faults += _off_earth(table, (x, y), system)
    points = gpd.points_from_xy(x, y, crs=system)
    there = np.isfinite(x) & np.isfinite(y)
    return gpd.GeoSeries(points, index=frame.index).where(there)


def _off_earth(
    table: ColumnTable, xy: tuple[FloatArray, FloatArray], system: CRS
) -> list[str]:
    """Say which rows have coordinates that their system has no place for."""
    x, y = xy
    longitude, latitude = x, y
    wrong = (np.abs(x) > 360.0) | (np.abs(y) > 90.0)
    if not system.is_geographic:
        there = Transformer.from_crs(system, DEGREES, always_xy=True)
        longitude, latitude = there.transform(x, y)
        back = there.transform(longitude, latitude, direction="INVERSE")
        # What does not come back lies beyond what the projection can show.
        gap = np.hypot(back[0] - x, back[1] - y)
        wrong = np.isfinite(x) & np.isfinite(y) & ~(gap < LOST)
    _suspect_area(table, system, np.where(wrong, np.nan, longitude), latitude)
    if not wrong.any():
        return []
    rows = name_rows([table.rows[i] for i in np.flatnonzero(wrong)])
    return [
        f"coordinates that {system.name} has no place for ({rows}). Check --crs, and "
        "that x stands before y."
    ]


def _suspect_area(
    table: ColumnTable, system: CRS, longitude: FloatArray, latitude: FloatArray
) -> None:
    """Note places outside of the area that a system is made for."""
    area = system.area_of_use
    if area is None or area.west > area.east:
        return
    outside = (longitude < area.west - 1) | (longitude > area.east + 1)
    outside |= (latitude < area.south - 1) | (latitude > area.north + 1)
    for index in np.flatnonzero(outside):
        found = f"{longitude[index]:.4f}, {latitude[index]:.4f}"
        rule = f"outside the area of {system.name}: is --crs right, x before y?"
        place = (table.rows[index], "place")
        table.ledger.add(place, found, found, rule, severity="suspect")


def _from_layer(
    file: Path, columns: PointColumns, crs: CRS | None
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Read a layer of points."""
    layer = read_points(file, layer=columns.layer, assume_crs=crs)
    known = [str(name) for name in layer.columns if name != "geometry"]
    faults, remarks = [], []
    data: dict[str, object] = {}
    optional = [name for name in columns.optional if name in known]
    marks = [name for name in columns.marks if name in known]
    for name in dict.fromkeys((*columns.numbers, *optional, *columns.labels, *marks)):
        if name not in known:
            faults.append(f"there is no column '{name}'. {nearest_names(name, known)}")
        elif name in (*columns.numbers, *optional):
            numbers = pd.to_numeric(layer[name], errors="coerce")
            bad = (numbers.isna() & layer[name].notna()).to_numpy()
            if bad.any():
                rows = name_rows([int(i) + 1 for i in np.flatnonzero(bad)])
                found = layer[name][bad].iloc[0]
                faults.append(
                    f"column '{name}' holds cells that are no numbers ({rows}), the "
                    f"first is '{found}'. Correct them, or leave them empty."
                )
            data[name] = numbers.astype(float).to_numpy()
        else:
            text = layer[name].astype(object)
            data[name] = text.where(text.isna(), text.map(str)).to_numpy()
    if faults:
        Ledger(faults=faults).raise_faults(KIND, file)
    if layer.attrs["crs"] != "stated by the file":
        remarks.append(f"coordinate reference system {layer.attrs['crs']}")
    index = pd.RangeIndex(1, len(layer) + 1, name="row")
    geometry = layer.geometry.set_axis(index)
    return gpd.GeoDataFrame(data, index=index, geometry=geometry), tuple(remarks)
