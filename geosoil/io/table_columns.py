"""Reading of one column of a table: numbers, dates, depths, flags, ids, labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from geosoil.io.issues import Ledger, name_rows
from geosoil.io.spreadsheets import FORMULA
from geosoil.io.table_coordinates import read_coordinate
from geosoil.io.table_dates import DateOrder, read_dates
from geosoil.io.table_labels import read_depth
from geosoil.io.table_rows import Cell, cell_text
from geosoil.io.table_values import MISSING, NumberFormat, Reading, read_number
from geosoil.io.vocabulary import Column

NUMERIC = ("number", "latitude", "longitude")
"""Kinds of column that hold numbers."""


@dataclass(frozen=True, slots=True)
class Part:
    """One column while it is read."""

    column: Column
    """Which column."""
    rows: list[int]
    """Rows in the file, counted from 1."""
    form: NumberFormat
    """How its numbers are written."""
    factor: float
    """From the written unit to geosoil's."""
    dates: DateOrder | None = None
    """What the user says of dates such as 06/08/2020."""


def read_column(part: Part, cells: Sequence[Cell], ledger: Ledger) -> dict[str, object]:
    """Read the cells of one column.

    Parameters
    ----------
    part : Part
        The column, and how it is written.
    cells : sequence of Cell
        Its cells.
    ledger : Ledger
        Takes changes and faults.

    Returns
    -------
    series : dict of Series
        The column; two for a depth; a flag ``<name>_censored`` beside a number column
        that holds values below a limit of detection.
    """
    column = part.column
    if column.kind in NUMERIC:
        return _read_numbers(part, cells, ledger)
    if column.kind == "date":
        return {column.name: _read_days(part, cells, ledger)}
    if column.kind == "depth":
        return _read_layers(part, cells, ledger)
    if column.kind == "flag":
        return {column.name: _read_flags(part, cells, ledger)}
    if column.kind == "id":
        return {column.name: _read_ids(part, cells, ledger)}
    return {column.name: _read_labels(part, cells, ledger)}


def _read_numbers(
    part: Part, cells: Sequence[Cell], ledger: Ledger
) -> dict[str, object]:
    column, kind = part.column, part.column.kind
    values: list[float] = []
    censored: list[bool] = []
    bad: dict[str, list[tuple[int, str]]] = {}
    for row, cell in zip(part.rows, cells, strict=True):
        if kind in ("latitude", "longitude"):
            reading: Reading = read_coordinate(cell, kind, part.form)
        else:
            reading = read_number(cell, part.form)
        if reading.fault:
            bad.setdefault(reading.fault, []).append((row, cell_text(cell)))
        elif reading.rules:
            rule = "; ".join(reading.rules)
            ledger.add((row, column.name), cell_text(cell), _read_as(reading), rule)
        censored.append("censored" in reading.rules)
        own_unit = any(rule.startswith("unit ") for rule in reading.rules)
        values.append(reading.value * (1.0 if own_unit else part.factor))
    _fault_numbers(column.name, bad, ledger)
    data: dict[str, object] = {column.name: pd.Series(values, dtype=float)}
    if any(censored):
        data[f"{column.name}_censored"] = pd.Series(censored, dtype=bool)
    return data


def _read_as(reading: Reading) -> str:
    if not np.isnan(reading.value):
        return f"{reading.value:.12g}"
    return "missing (censored)" if "censored" in reading.rules else "missing"


def _fault_numbers(
    name: str, bad: Mapping[str, Sequence[tuple[int, str]]], ledger: Ledger
) -> None:
    for why, places in bad.items():
        shown = ", ".join(f"'{text}' (row {row})" for row, text in places[:5])
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        ledger.faults.append(
            f"column '{name}' has {len(places)} cell(s) that cannot be read as "
            f"numbers: {shown}{more}: {why}. Correct them, or leave them empty."
        )


def _read_days(
    part: Part, cells: Sequence[Cell], ledger: Ledger
) -> pd.Series[pd.Timestamp]:
    bad: dict[str, list[tuple[int, str]]] = {}
    values: list[date | None] = []
    days = read_dates(cells, order=part.dates)
    for row, cell, day in zip(part.rows, cells, days, strict=True):
        if day.fault:
            bad.setdefault(day.fault, []).append((row, cell_text(cell)))
        elif day.rule:
            read_as = day.value.isoformat() if day.value else "missing"
            ledger.add((row, part.column.name), cell_text(cell), read_as, day.rule)
        values.append(day.value)
    for why, places in bad.items():
        text = places[0][1]
        rows = name_rows([row for row, _ in places])
        ledger.faults.append(
            f"column '{part.column.name}' has {len(places)} date(s) that cannot be "
            f"read, the first is '{text}' ({rows}): {why}."
        )
    stamps = [np.datetime64(day or "NaT", "D") for day in values]
    return pd.Series(np.array(stamps, "datetime64[s]"))


def _read_layers(
    part: Part, cells: Sequence[Cell], ledger: Ledger
) -> dict[str, object]:
    tops: list[float] = []
    bottoms: list[float] = []
    bad: list[int] = []
    for row, cell in zip(part.rows, cells, strict=True):
        text = cell_text(cell)
        layer = read_depth(text.replace(",", "."), part.factor) if text else None
        if layer is None:
            if text.casefold() in MISSING:
                ledger.add((row, "depth"), text, "missing", "missing marker")
            elif text:
                bad.append(row)
            layer = (np.nan, np.nan)
        else:
            read_as = f"{layer[0]:g} to {layer[1]:g} cm"
            ledger.add((row, "depth"), text, read_as, "depth split into top and bottom")
        tops.append(layer[0])
        bottoms.append(layer[1])
    if bad:
        ledger.faults.append(
            f"column 'depth' has cells that are no depth ({name_rows(bad)}). "
            "Write 0-20 or 20, in centimetres."
        )
    return {"depth_top": pd.Series(tops), "depth_bottom": pd.Series(bottoms)}


def _read_flags(part: Part, cells: Sequence[Cell], ledger: Ledger) -> pd.Series[bool]:
    words = [cell_text(cell).casefold() for cell in cells]
    bad = [
        row
        for row, word in zip(part.rows, words, strict=True)
        if word not in ("true", "false", "1", "0", "yes", "no", "")
    ]
    if bad:
        ledger.faults.append(
            f"column '{part.column.name}' must be true or false ({name_rows(bad)})."
        )
    return pd.Series([word in ("true", "1", "yes") for word in words], dtype=bool)


def _read_ids(part: Part, cells: Sequence[Cell], ledger: Ledger) -> pd.Series[str]:
    for row, cell in zip(part.rows, cells, strict=True):
        text = cell_text(cell)
        if isinstance(cell, date | datetime):
            rule = "the workbook holds a date where an id is expected"
            ledger.add((row, part.column.name), text, text, rule, severity="suspect")
        elif text.startswith("'") and text[1:].startswith(FORMULA):
            ledger.add(
                (row, part.column.name), text, text[1:], "leading apostrophe removed"
            )
        elif text.startswith(("=", "@")):
            rule = "text that a spreadsheet would run as a formula; kept as text"
            ledger.add((row, part.column.name), text, text, rule, severity="warn")
    return texts_of(cells)


def _read_labels(part: Part, cells: Sequence[Cell], ledger: Ledger) -> pd.Series[str]:
    kept: list[Cell] = []
    for row, cell in zip(part.rows, cells, strict=True):
        text = cell_text(cell)
        if text and text.casefold() in MISSING:
            ledger.add((row, part.column.name), text, "missing", "missing marker")
            text = ""
        kept.append(text)
    return texts_of(kept)


def texts_of(cells: Sequence[Cell]) -> pd.Series[str]:
    """Return cells as text, blank ones missing, without the guards of formulas.

    Parameters
    ----------
    cells : sequence of Cell
        Cells of a column.

    Returns
    -------
    texts : Series of str
        Their texts.
    """
    texts = [cell_text(cell) for cell in cells]
    plain = [t[1:] if t[:1] == "'" and t[1:].startswith(FORMULA) else t for t in texts]
    return pd.Series([text or None for text in plain], dtype="str")
