"""Sample tables: a user's own file in, checked point samples out, and back."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd

from geosoil.io.issues import Issue
from geosoil.io.positions import located_table, sample_points
from geosoil.io.sample_checks import ISOTOPES, check_samples
from geosoil.io.table_dates import DateOrder
from geosoil.io.table_labels import (
    MONTH_NAMES,
    read_aspect,
    read_period,
    read_vegetation,
    read_water,
)
from geosoil.io.tables import ColumnTable, read_table
from geosoil.io.vocabulary import SAMPLE_COLUMNS, projected_columns
from geosoil.strata import WATERS, aspect_sector

SAMPLE_CRS = "EPSG:4326"
"""Coordinate reference system of all samples."""

_KIND = "Sample table"
_ISSUE_COLUMNS = ["row", "column", "found", "read_as", "rule", "severity"]


@dataclass(frozen=True, slots=True)
class SampleReading:
    """A sample table as it was understood, usable or not."""

    samples: gpd.GeoDataFrame | None
    """As :func:`read_samples` gives it; None where faults forbid its use."""
    issues: tuple[Issue, ...]
    """Every change and remark."""
    faults: tuple[str, ...]
    """Why the table cannot be used; empty when it can."""
    rows: tuple[int, ...]
    """Row in the file of each sample, counted from 1."""


def read_samples(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    dates: DateOrder | None = None,
    require: Sequence[str] = ISOTOPES,
) -> gpd.GeoDataFrame:
    r"""Read a table of water samples as a user keeps it.

    The file is a CSV, TSV or semicolon text in any usual encoding, a workbook, a
    GeoPackage or a Parquet file. Column names, units, decimal commas, typographic
    minus signs, degrees and minutes are understood; ids stay text; **whatever is read
    otherwise than it was written is listed** in ``attrs["issues"]`` (see
    :func:`sample_issues`), and nothing is corrected by guess.

    Parameters
    ----------
    path : path
        The table.
    columns : mapping, optional
        Own column name to geosoil name, where the name would not be understood, for
        instance ``{"isotope 1": "d18O"}``. In a workbook ``"sheet!name"`` chooses the
        sheet; where several sheets are named, their rows that agree in all shared
        columns are joined.
    crs : str, optional
        Coordinate reference system of the columns x and y (easting, northing), of
        longitude and latitude on another datum than WGS 84, or of points whose file
        does not say it: ``"EPSG:32719"``. All places come out in EPSG:4326.
    dates : {"dayfirst", "monthfirst"}, optional
        How to read dates such as 06/08/2020; without it they are refused, unless
        another date of the column shows the order.
    require : sequence of str
        Columns without which the table is refused. ``("d18O",)`` lets a table of one
        isotope through.

    Returns
    -------
    samples : GeoDataFrame, EPSG:4326
        One row a sample, with those of these columns that the table has: sample_id,
        water, period, date, site_id, longitude, latitude, elevation [m], depth_top,
        depth_bottom [cm], aspect, vegetation, d18O, d2H, d18O_sd, d2H_sd [permil],
        precipitation [mm], soil_temperature [degC], soil_moisture [m3 m-3]; then the
        user's other columns as text. Values below a limit of detection are missing,
        and true in a column ``<name>_censored``. ``sample_id`` is made up where absent,
        and ``period`` taken from the month of ``date``, both listed. Rows without
        coordinates have no geometry.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If the file is no table, or cannot be used as it stands; one message holds all
        faults.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "soil.csv"
    ...     text = "id;δ18O;δ2H;type\n001;\u221212,5;\u221290,0;rain\n"
    ...     _ = path.write_text(text, encoding="utf-8")
    ...     samples = read_samples(path)
    >>> samples[["sample_id", "water", "d18O", "d2H"]].to_dict("records")
    [{'sample_id': '001', 'water': 'precipitation', 'd18O': -12.5, 'd2H': -90.0}]
    """
    return _samples(_usable(path, _Options(columns, crs, dates, tuple(require))))


def read_numbered_samples(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    dates: DateOrder | None = None,
) -> tuple[gpd.GeoDataFrame, tuple[int, ...]]:
    r"""Read a table of water samples, and where in the file each stands.

    Parameters
    ----------
    path, columns, crs, dates
        As for :func:`read_samples`.

    Returns
    -------
    samples : GeoDataFrame, EPSG:4326
        As :func:`read_samples` gives it.
    rows : tuple of int
        Row in the file of each sample, counted from 1.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If the file is no table, or cannot be used as it stands.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "soil.csv"
    ...     _ = path.write_text("id,d18O,d2H\n1,-12,-86\n2,-13,-94\n")
    ...     samples, rows = read_numbered_samples(path)
    >>> rows
    (2, 3)
    """
    table = _usable(path, _Options(columns, crs, dates, ISOTOPES))
    return _samples(table), tuple(table.rows)


def inspect_samples(
    path: str | os.PathLike[str],
    *,
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    dates: DateOrder | None = None,
    require: Sequence[str] = ISOTOPES,
) -> SampleReading:
    r"""Read a sample table and tell its faults beside all changes.

    Parameters
    ----------
    path, columns, crs, dates, require
        As for :func:`read_samples`.

    Returns
    -------
    reading : SampleReading
        Samples, changes and faults.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If the file is no table at all.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "soil.csv"
    ...     _ = path.write_text("id,d18O\n1,-12\n")
    ...     reading = inspect_samples(path)
    >>> reading.samples is None, len(reading.faults)
    (True, 1)
    """
    options = _Options(columns, crs, dates, tuple(require))
    table = _opened(Path(path), options)
    faults = tuple(table.ledger.faults)
    samples = None if faults else _samples(table)
    return SampleReading(samples, tuple(table.ledger.issues), faults, tuple(table.rows))


@dataclass(frozen=True, slots=True)
class _Options:
    columns: Mapping[str, str] | None
    crs: str | None
    dates: DateOrder | None
    require: tuple[str, ...]


def _usable(path: str | os.PathLike[str], options: _Options) -> ColumnTable:
    """Columns and places of a table without faults."""
    source = Path(path)
    table = _opened(source, options)
    table.ledger.raise_faults(_KIND, source)
    return table


def _opened(source: Path, options: _Options) -> ColumnTable:
    """Columns, places and faults of a table."""
    projected = projected_columns(loose=options.crs is not None)
    table = read_table(
        source,
        kind=_KIND,
        vocabulary=(*SAMPLE_COLUMNS, *projected),
        columns=options.columns,
        crs=options.crs,
        dates=options.dates,
    )
    table = located_table(table, options.crs)
    check_samples(table, require=options.require)
    return table


def _samples(table: ColumnTable) -> gpd.GeoDataFrame:
    frame = table.frame.copy()
    _read_words(frame, table)
    _derive_period(frame, table)
    _complete_ids(frame, table)
    order = [c.name for c in SAMPLE_COLUMNS if c.name in frame.columns]
    frame = frame[[*order, *[c for c in frame.columns if c not in order]]]
    points = sample_points(frame, table.ledger, table.rows)
    samples = gpd.GeoDataFrame(frame, geometry=points).set_crs(SAMPLE_CRS)
    samples.attrs["issues"] = [dict(issue) for issue in table.ledger.issues]
    return samples


def sample_issues(samples: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return all that was changed or noticed while a sample table was read.

    Parameters
    ----------
    samples : GeoDataFrame
        As :func:`read_samples` gives it.

    Returns
    -------
    issues : DataFrame
        Columns row (in the file, counted from 1; 0 means the whole table), column,
        found, read_as, rule, severity: ``note`` (how the file was read), ``change``
        (a value read otherwise than written), ``warn`` (kept, look at it),
        ``suspect`` (probably a mistake, kept as written).

    Examples
    --------
    >>> sample_issues(gpd.GeoDataFrame()).empty
    True
    """
    issues = cast("list[Issue]", samples.attrs.get("issues", []))
    return pd.DataFrame(issues, columns=_ISSUE_COLUMNS)


def _read_words(frame: pd.DataFrame, table: ColumnTable) -> None:
    _translate(frame, table, "water", read_water)
    _translate(frame, table, "period", read_period)
    _translate(frame, table, "aspect", _aspect)
    _translate(frame, table, "vegetation", read_vegetation)


def _aspect(text: str) -> str | None:
    """Sector of an aspect given in words or in degrees."""
    word = read_aspect(text)
    try:
        degrees = float(text)
    except ValueError:
        return word
    if not 0 <= degrees <= 360:
        return word
    return str(aspect_sector([degrees], [90.0])[0])


def _translate(
    frame: pd.DataFrame,
    table: ColumnTable,
    name: str,
    read: Callable[[str], str | None],
) -> None:
    if name not in frame.columns:
        return
    words: list[str | None] = []
    for row, text in zip(table.rows, frame[name], strict=True):
        if not isinstance(text, str):
            words.append(None)
            continue
        word = read(text)
        if word is None:
            known = f"one of {', '.join(WATERS)}" if name == "water" else "known"
            rule = f"not {known}; kept as written, but the steps may not use it"
            table.ledger.add((row, name), text, text, rule, severity="warn")
        elif word != text:
            table.ledger.add((row, name), text, word, f"word for {name}")
        words.append(word or text)
    frame[name] = pd.Series(words, dtype="str", index=frame.index)


def _derive_period(frame: pd.DataFrame, table: ColumnTable) -> None:
    if "date" not in frame.columns:
        return
    month = frame["date"].dt.month
    names = [MONTH_NAMES[int(m) - 1] if np.isfinite(m) else None for m in month]
    derived = pd.Series(names, dtype="str", index=frame.index)
    if "period" not in frame.columns:
        count = int(derived.notna().sum())
        if count:
            rule = "period absent: taken from the month of the date"
            table.ledger.add((0, "period"), "", f"{count} rows", rule)
            frame["period"] = derived
        return
    empty = frame["period"].isna() & derived.notna()
    for row in np.flatnonzero(empty):
        rule = "period empty: taken from the month of the date"
        table.ledger.add((table.rows[row], "period"), "", derived.iloc[row], rule)
    months = frame["period"].isin(MONTH_NAMES) & derived.notna()
    for row in np.flatnonzero(months & (frame["period"] != derived)):
        found = f"{frame['period'].iloc[row]}, {frame['date'].iloc[row]:%Y-%m-%d}"
        rule = "period and date name different months; both kept as written"
        place = (table.rows[row], "period")
        table.ledger.add(place, found, found, rule, severity="suspect")
    frame["period"] = frame["period"].where(~empty, derived)


def _complete_ids(frame: pd.DataFrame, table: ColumnTable) -> None:
    made = pd.Series([f"row_{row}" for row in table.rows], dtype="str")
    if "sample_id" not in frame.columns:
        rule = "no column of sample ids: made from the rows of the file"
        span = f"{made.iloc[0]} to {made.iloc[-1]}"
        table.ledger.add((0, "sample_id"), "", span, rule)
        frame["sample_id"] = made
        return
    empty = frame["sample_id"].isna()
    for row in np.flatnonzero(empty):
        rule = "sample id empty: made from the row of the file"
        table.ledger.add((table.rows[row], "sample_id"), "", made.iloc[row], rule)
    frame["sample_id"] = frame["sample_id"].where(~empty, made)
