"""A table file read into typed columns of a vocabulary, with its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from geosoil.io.columns import (
    Match,
    is_unit_or_format,
    match_columns,
    plain_name,
    plain_unit,
    synonym_table,
    unit_factor,
)
from geosoil.io.issues import Ledger, name_rows
from geosoil.io.table_coordinates import read_coordinate
from geosoil.io.table_dates import read_dates
from geosoil.io.table_labels import plain_word, read_depth
from geosoil.io.table_text import Cell, TextTable, cell_text, read_text_table
from geosoil.io.table_values import (
    MISSING,
    Mark,
    NumberFormat,
    Reading,
    decimal_mark,
    merge_marks,
    read_number,
)
from geosoil.io.vocabulary import Column, words

_SUMMARIES = frozenset(
    words(
        "mean average avg sd std stdev min max total sum median 平均 平均值 均值 "
        "合计 最大值 最小值 标准差"
    )
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMERIC = ("number", "latitude", "longitude")


@dataclass(frozen=True, slots=True)
class ColumnTable:
    """Typed columns of a file; the ledger holds changes and faults."""

    frame: pd.DataFrame
    """Known columns in the order of the vocabulary, then the user's own as text."""
    rows: list[int]
    """Row in the file of each row of the frame, counted from 1."""
    header: tuple[str, ...]
    """Column names as written."""
    ledger: Ledger
    """Changes, remarks and faults so far."""


def read_table(
    path: Path,
    *,
    kind: str,
    vocabulary: Sequence[Column],
    columns: Mapping[str, str] | None = None,
) -> ColumnTable:
    """Read a table file into typed columns.

    Parameters
    ----------
    path : Path
        Text table or workbook.
    kind : str
        What it should be, for messages.
    vocabulary : sequence of Column
        Columns that are known.
    columns : mapping, optional
        Name in the file to geosoil name, where the guess would fail.

    Returns
    -------
    table : ColumnTable
        Columns and ledger. Faults are noted, not raised, so that the caller can add
        its own before one error names them all.

    Raises
    ------
    MissingFileError, SampleTableError
        If the file is absent or no table.
    """
    ledger = Ledger()
    known = synonym_table(vocabulary)
    stated = set(columns or {})

    def score(cells: Sequence[str]) -> int:
        names = {known.get(plain_name(cell)[0], "") for cell in cells} - {""}
        return len(names) + sum(cell in stated for cell in cells)

    sheet = read_text_table(path, kind=kind, score=score, ledger=ledger)
    match = match_columns(sheet.header, vocabulary, columns, ledger)
    found = [column for column in vocabulary if column.name in match.index]
    sheet, match = _drop_unit_row(sheet, found, match, ledger)
    body = _drop_remarks(sheet, found, match, ledger)
    cells = {c.name: [row[match.index[c.name]] for _, row in body] for c in found}
    rows = [number for number, _ in body]
    marks = _marks(found, cells)
    data: dict[str, object] = {}
    for column in found:
        factor = unit_factor(column, match.units.get(column.name, ""), ledger)
        form = NumberFormat(marks[column.name], column.units, column.valid)
        part = _Part(column, rows, form, factor)
        data.update(_read_column(part, cells[column.name], ledger))
    for own, position in match.own.items():
        data[own] = _texts([row[position] for _, row in body])
    return ColumnTable(pd.DataFrame(data), rows, sheet.header, ledger)


@dataclass(frozen=True, slots=True)
class _Part:
    """One column while it is read."""

    column: Column
    rows: list[int]
    form: NumberFormat
    factor: float


def _drop_unit_row(
    sheet: TextTable, found: Sequence[Column], match: Match, ledger: Ledger
) -> tuple[TextTable, Match]:
    if not sheet.rows:
        return sheet, match
    number, cells = sheet.rows[0]
    texts = [cell_text(cell) for cell in cells]
    measured = [c for c in found if c.kind in (*_NUMERIC, "depth")]
    written = {
        c.name: texts[match.index[c.name]] for c in measured if _has(c, match, texts)
    }
    if not all(is_unit_or_format(text) for text in texts) or not any(
        is_unit_or_format(text) and text not in ("", "-") for text in written.values()
    ):
        return sheet, match
    ledger.add((number, ""), " ".join(t for t in texts if t), "dropped", "row of units")
    units = {name: plain_unit(text) for name, text in written.items()}
    merged = {name: units.get(name) or unit for name, unit in match.units.items()}
    return replace(sheet, rows=sheet.rows[1:]), replace(match, units=merged)


def _has(column: Column, match: Match, texts: Sequence[str]) -> bool:
    return match.index[column.name] < len(texts)


def _drop_remarks(
    sheet: TextTable, found: Sequence[Column], match: Match, ledger: Ledger
) -> list[tuple[int, list[Cell]]]:
    """Keep the rows of data; list remarks, summaries, repeated headers, short rows."""
    width = len(sheet.header)
    places = [match.index[c.name] for c in found if c.kind not in ("id", "label")]
    body: list[tuple[int, list[Cell]]] = []
    for number, cells in sheet.rows:
        texts = [cell_text(cell) for cell in cells]
        if any(texts[width:]):
            ledger.faults.append(
                f"row {number} has {len(texts)} cells, the header has {width}. A "
                "separator or decimal comma inside a cell needs quotation marks."
            )
            continue
        why = _why_no_data(texts, sheet.header, places)
        if why:
            ledger.add((number, ""), " ".join(t for t in texts if t), "dropped", why)
            continue
        if len(cells) < width:
            rule = f"short row: {len(cells)} cells where the header has {width}"
            ledger.add((number, ""), rule, "missing at the end", rule, severity="warn")
        padded = [*cells, *[None] * (width - len(cells))]
        body.append((number, padded[:width]))
    while body and not any(cell_text(body[-1][1][p]) for p in places):
        number, cells = body.pop()
        text = " ".join(cell_text(c) for c in cells if cell_text(c))
        ledger.add((number, ""), text, "dropped", "footer: a last row without values")
    return body


def _why_no_data(
    texts: Sequence[str], header: Sequence[str], places: Sequence[int]
) -> str:
    filled = [text for text in texts if text]
    if tuple(texts) == tuple(header):
        return "header repeated"
    if len(filled) == 1 and not any(p < len(texts) and texts[p] for p in places):
        return "remark: a row with one cell of text"
    if plain_word(filled[0]) in _SUMMARIES:
        return "summary row (mean, sum and the like), not a sample"
    return ""


def _marks(
    found: Sequence[Column], cells: Mapping[str, Sequence[Cell]]
) -> dict[str, Mark]:
    own = {
        column.name: decimal_mark(cells[column.name], column.valid)
        if column.kind in _NUMERIC
        else None
        for column in found
    }
    table = merge_marks(own.values())
    return {
        name: table if mark in (None, "mixed") else mark for name, mark in own.items()
    }


def _read_column(
    part: _Part, cells: Sequence[Cell], ledger: Ledger
) -> dict[str, object]:
    column = part.column
    if column.kind in _NUMERIC:
        return {column.name: _read_numbers(part, cells, ledger)}
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
    part: _Part, cells: Sequence[Cell], ledger: Ledger
) -> pd.Series[float]:
    column, kind = part.column, part.column.kind
    values: list[float] = []
    bad: dict[str, list[tuple[int, str]]] = {}
    for row, cell in zip(part.rows, cells, strict=True):
        if kind in ("latitude", "longitude"):
            reading: Reading = read_coordinate(cell, kind, part.form)
        else:
            reading = read_number(cell, part.form)
        if reading.fault:
            bad.setdefault(reading.fault, []).append((row, cell_text(cell)))
        elif reading.rules:
            missing = np.isnan(reading.value)
            censored = "censored" in reading.rules
            word = "missing (censored)" if censored else "missing"
            read_as = word if missing else f"{reading.value:.12g}"
            rule = "; ".join(reading.rules)
            ledger.add((row, column.name), cell_text(cell), read_as, rule)
        own_unit = any(rule.startswith("unit ") for rule in reading.rules)
        values.append(reading.value * (1.0 if own_unit else part.factor))
    for why, places in bad.items():
        shown = ", ".join(f"'{text}' (row {row})" for row, text in places[:5])
        more = f" and {len(places) - 5} more" if len(places) > 5 else ""
        ledger.faults.append(
            f"column '{column.name}' has {len(places)} cell(s) that cannot be read as "
            f"numbers: {shown}{more}: {why}. Correct them, or leave them empty."
        )
    return pd.Series(values, dtype=float)


def _read_days(
    part: _Part, cells: Sequence[Cell], ledger: Ledger
) -> pd.Series[pd.Timestamp]:
    bad: dict[str, list[tuple[int, str]]] = {}
    values: list[date | None] = []
    for row, cell, day in zip(part.rows, cells, read_dates(cells), strict=True):
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
    days = np.array([np.datetime64(d or "NaT", "D") for d in values], "datetime64[s]")
    return pd.Series(days)


def _read_layers(
    part: _Part, cells: Sequence[Cell], ledger: Ledger
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


def _read_flags(part: _Part, cells: Sequence[Cell], ledger: Ledger) -> pd.Series[bool]:
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


def _read_ids(part: _Part, cells: Sequence[Cell], ledger: Ledger) -> pd.Series[str]:
    for row, cell in zip(part.rows, cells, strict=True):
        text = cell_text(cell)
        if isinstance(cell, date | datetime):
            rule = "the workbook holds a date where an id is expected"
            ledger.add((row, part.column.name), text, text, rule, severity="suspect")
        elif text.startswith("'") and text[1:].startswith(_FORMULA):
            ledger.add(
                (row, part.column.name), text, text[1:], "leading apostrophe removed"
            )
        elif text.startswith(("=", "@")):
            rule = "text that a spreadsheet would run as a formula; kept as text"
            ledger.add((row, part.column.name), text, text, rule, severity="warn")
    return _texts(cells)


def _read_labels(part: _Part, cells: Sequence[Cell], ledger: Ledger) -> pd.Series[str]:
    kept: list[Cell] = []
    for row, cell in zip(part.rows, cells, strict=True):
        text = cell_text(cell)
        if text and text.casefold() in MISSING:
            ledger.add((row, part.column.name), text, "missing", "missing marker")
            text = ""
        kept.append(text)
    return _texts(kept)


def _texts(cells: Sequence[Cell]) -> pd.Series[str]:
    """Cells as text, blank ones missing; the apostrophe that guards formulas goes."""
    texts = [cell_text(cell) for cell in cells]
    plain = [t[1:] if t[:1] == "'" and t[1:].startswith(_FORMULA) else t for t in texts]
    return pd.Series([text or None for text in plain], dtype="str")
