"""Places of samples: degrees from projected coordinates, and points for the map."""

from __future__ import annotations

import re
from dataclasses import replace

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from shapely import Point

from geosoil.io.issues import Ledger, name_rows
from geosoil.io.tables import ColumnTable

FloatArray = npt.NDArray[np.float64]

_DEGREES = CRS.from_epsg(4326)
_ZONE = re.compile(r"(?:utm)?\s*(?:zone)?\s*([0-9]{1,2})\s*([a-z]*)")
_BAND_S = (3_500_000.0, 4_450_000.0)
_FAR = 0.01
_PAIRS = (("longitude", "latitude"), ("easting", "northing"))


def located_table(table: ColumnTable, crs: str | None) -> ColumnTable:
    """Give a table longitude and latitude where it has projected coordinates.

    Parameters
    ----------
    table : ColumnTable
        The table as read; its ledger takes what was done and the faults.
    crs : str or None
        Coordinate reference system that the user states; a column ``utm_zone`` may say
        it instead (WGS 84).

    Returns
    -------
    table : ColumnTable
        With columns longitude and latitude in EPSG:4326; easting and northing stay.
    """
    degrees, metres = (set(p) <= set(table.frame.columns) for p in _PAIRS)
    if table.located or (crs is None and (degrees or not metres)):
        return table
    if crs is None:
        return _from_zones(table)
    try:
        system = CRS.from_user_input(crs)
    except CRSError:
        table.ledger.faults.append(
            f"crs= is '{crs}', which is no coordinate reference system. Give a code "
            "such as EPSG:32646."
        )
        return table
    if degrees and system.is_projected:
        return _compared(table, system) if metres else _refused(table, crs)
    if degrees or metres:
        names = _PAIRS[0] if degrees else _PAIRS[1]
        return _transformed(table, system, names)
    return _without_columns(table, crs)


def _without_columns(table: ColumnTable, crs: str) -> ColumnTable:
    table.ledger.faults.append(
        f"crs= is stated ({crs}), but the table has no columns of coordinates (looked "
        "for easting and northing, x and y, longitude and latitude). Columns found: "
        f"{', '.join(table.header)}. Say which they are with columns="
        '{"your x": "easting", "your y": "northing"}.'
    )
    return table


def _refused(table: ColumnTable, crs: str) -> ColumnTable:
    table.ledger.faults.append(
        f"crs= is {crs}, which is projected, but the table's columns are longitude and "
        "latitude. Leave crs= out, or name the projected columns with columns="
        '{"your x": "easting", "your y": "northing"}.'
    )
    return table


def _array(table: ColumnTable, name: str) -> FloatArray:
    return table.frame[name].to_numpy(dtype=float)


def _to_degrees(
    system: CRS, x: FloatArray, y: FloatArray
) -> tuple[FloatArray, FloatArray]:
    turn = Transformer.from_crs(system, _DEGREES, always_xy=True)
    longitude, latitude = (np.asarray(v, dtype=float) for v in turn.transform(x, y))
    known = np.isfinite(x) & np.isfinite(y)
    return np.where(known, longitude, np.nan), np.where(known, latitude, np.nan)


def _transformed(
    table: ColumnTable, system: CRS, names: tuple[str, str]
) -> ColumnTable:
    if system == _DEGREES and names[0] == "longitude":
        return table
    x, y = (_array(table, name) for name in names)
    longitude, latitude = _to_degrees(system, x, y)
    found = f"{', '.join(names)} in {system.to_string()} ({system.name})"
    _note(table.ledger, found, int(np.isfinite(longitude).sum()))
    _check_area(table, system, longitude, latitude)
    return _with_degrees(table, longitude, latitude)


def _note(ledger: Ledger, found: str, count: int) -> None:
    rule = f"{count} coordinate pairs transformed to longitude and latitude"
    ledger.add((0, "longitude, latitude"), found, "EPSG:4326", rule)


def _with_degrees(
    table: ColumnTable, longitude: FloatArray, latitude: FloatArray
) -> ColumnTable:
    bad = np.isinf(longitude) | np.isinf(latitude)
    if bad.any():
        rows = [table.rows[i] for i in np.flatnonzero(bad)]
        table.ledger.faults.append(
            f"coordinates lie outside the coordinate reference system "
            f"({name_rows(rows)}). Check crs= and the columns."
        )
        longitude, latitude = (np.where(bad, np.nan, v) for v in (longitude, latitude))
    frame = table.frame.assign(longitude=longitude, latitude=latitude)
    return replace(table, frame=frame)


def _check_area(
    table: ColumnTable, system: CRS, longitude: FloatArray, latitude: FloatArray
) -> None:
    area = system.area_of_use
    if area is None or area.west > area.east:
        return
    outside = (longitude < area.west - 1) | (longitude > area.east + 1)
    outside |= (latitude < area.south - 1) | (latitude > area.north + 1)
    for index in np.flatnonzero(outside & np.isfinite(longitude)):
        found = f"{longitude[index]:.4f}, {latitude[index]:.4f}"
        rule = f"outside the area of {system.to_string()}: is crs= right, x before y?"
        place = (table.rows[index], "longitude, latitude")
        table.ledger.add(place, found, found, rule, severity="suspect")


def _compared(table: ColumnTable, system: CRS) -> ColumnTable:
    """Keep the degrees, and suspect rows whose metres say something else."""
    longitude, latitude = _to_degrees(
        system, _array(table, "easting"), _array(table, "northing")
    )
    far = np.abs(longitude - _array(table, "longitude")) > _FAR
    far |= np.abs(latitude - _array(table, "latitude")) > _FAR
    for index in np.flatnonzero(far):
        found = f"{longitude[index]:.4f}, {latitude[index]:.4f}"
        rule = "easting and northing lie elsewhere; longitude and latitude are used"
        place = (table.rows[index], "longitude, latitude")
        table.ledger.add(place, found, "the degrees", rule, severity="suspect")
    return table


def _from_zones(table: ColumnTable) -> ColumnTable:
    if "utm_zone" not in table.frame.columns:
        rule = (
            "projected coordinates without their coordinate reference system: state "
            'it with crs=, for instance crs="EPSG:32646"'
        )
        place = (0, "easting, northing")
        table.ledger.add(place, "", "no place on a map", rule, severity="warn")
        return table
    x, y = _array(table, "easting"), _array(table, "northing")
    codes = _zone_codes(table, y)
    longitude, latitude = np.full(x.shape, np.nan), np.full(x.shape, np.nan)
    for code in sorted(set(codes) - {0}):
        here = np.array([c == code for c in codes])
        system = CRS.from_epsg(code)
        longitude[here], latitude[here] = _to_degrees(system, x[here], y[here])
        found = f"easting, northing in EPSG:{code} ({system.name}), from utm_zone"
        _note(table.ledger, found, int(np.isfinite(longitude[here]).sum()))
    return _with_degrees(table, longitude, latitude)


def _zone_codes(table: ColumnTable, northing: FloatArray) -> list[int]:
    codes: list[int] = []
    bad: dict[str, list[int]] = {}
    zones = zip(table.rows, table.frame["utm_zone"], northing, strict=True)
    for row, text, y in zones:
        code, why = _zone_code(text, float(y))
        codes.append(code)
        if why:
            bad.setdefault(why, []).append(row)
    for why, rows in bad.items():
        table.ledger.faults.append(f"column 'utm_zone' ({name_rows(rows)}): {why}.")
    return codes


def _zone_code(text: object, northing: float) -> tuple[int, str]:
    """EPSG code of a zone as written (0 where missing), and why it cannot be told."""
    if not isinstance(text, str):
        return 0, ""
    match = _ZONE.fullmatch(text.strip().casefold())
    if match is None or not 1 <= int(match[1]) <= 60:
        return 0, f"'{text}' is no UTM zone; write 46 north, or state crs="
    zone, letter = int(match[1]), match[2]
    if letter == "s" and _BAND_S[0] <= northing <= _BAND_S[1]:
        why = (
            f"in '{text}' the S may mean south, or the latitude band S (32 to 40 N); "
            "write north or south, or state crs="
        )
        return 0, why
    if letter in ("s", "south") or (len(letter) == 1 and letter in "cdefghjklm"):
        return 32700 + zone, ""
    if letter in ("n", "north") or (len(letter) == 1 and letter in "pqrtuvwx"):
        return 32600 + zone, ""
    return 0, f"'{text}' names no hemisphere; write 46 north, or state crs="


def sample_points(
    frame: pd.DataFrame, ledger: Ledger, rows: list[int]
) -> gpd.GeoSeries:
    """Make points of longitude and latitude; rows without them are listed.

    Parameters
    ----------
    frame : DataFrame
        Samples.
    ledger : Ledger
        Takes the rows without a place.
    rows : list of int
        Row in the file of each sample.

    Returns
    -------
    points : GeoSeries
        Points; None where a coordinate is missing.
    """
    if not {"longitude", "latitude"} <= set(frame.columns):
        rule = "no latitude and longitude: the samples have no place on a map"
        ledger.add((0, "geometry"), "", "empty", rule, severity="warn")
        return gpd.GeoSeries(np.full(len(frame), None), index=frame.index)
    pairs = zip(frame["longitude"], frame["latitude"], strict=True)
    points = [Point(x, y) if np.isfinite([x, y]).all() else None for x, y in pairs]
    for row, point in zip(rows, points, strict=True):
        if point is None:
            rule = "latitude or longitude missing: the sample has no place on a map"
            ledger.add((row, "geometry"), "", "empty", rule, severity="warn")
    return gpd.GeoSeries(np.array(points, dtype=object), index=frame.index)
