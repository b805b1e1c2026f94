"""A table file read into typed columns of a vocabulary, with its ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
from geosoil.io.issues import Ledger
from geosoil.io.table_columns import NUMERIC, Part, read_column, texts_of
from geosoil.io.table_dates import DateOrder
from geosoil.io.table_labels import plain_word
from geosoil.io.table_rows import Cell, Request, TextTable, cell_text
from geosoil.io.table_text import read_text_table
from geosoil.io.table_values import Mark, NumberFormat, decimal_mark, merge_marks
from geosoil.io.vocabulary import Column, words

_SUMMARIES = frozenset(
    words(
        "mean average avg sd std stdev min max total sum median 平均 平均值 均值 "
        "合计 最大值 最小值 标准差"
    )
)


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
    located: bool = False
    """Whether longitude and latitude come from points with a coordinate system."""


def read_table(
    path: Path,
    *,
    kind: str,
    vocabulary: Sequence[Column],
    columns: Mapping[str, str] | None = None,
    crs: str | None = None,
    dates: DateOrder | None = None,
) -> ColumnTable:
    """Read a table file into typed columns.

    Parameters
    ----------
    path : Path
        Text table, workbook, GeoPackage or Parquet file.
    kind : str
        What it should be, for messages.
    vocabulary : sequence of Column
        Columns that are known.
    columns : mapping, optional
        Name in the file to geosoil name, where the guess would fail; in a workbook
        also ``sheet!name``.
    crs : str, optional
        Coordinate reference system of points whose file has none.
    dates : {"dayfirst", "monthfirst"}, optional
        How to read dates such as 06/08/2020.

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
    stated = tuple(columns or {})

    def score(cells: Sequence[str]) -> int:
        names = {known.get(plain_name(cell)[0], "") for cell in cells} - {""}
        return len(names) + sum(cell in stated for cell in cells)

    request = Request(path, kind, score, ledger, stated, crs)
    sheet = read_text_table(request)
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
        part = Part(column, rows, form, factor, dates)
        data.update(read_column(part, cells[column.name], ledger))
    for own, position in match.own.items():
        data[own] = texts_of([row[position] for _, row in body])
    return ColumnTable(pd.DataFrame(data), rows, sheet.header, ledger, sheet.located)


def _drop_unit_row(
    sheet: TextTable, found: Sequence[Column], match: Match, ledger: Ledger
) -> tuple[TextTable, Match]:
    if not sheet.rows:
        return sheet, match
    number, cells = sheet.rows[0]
    texts = [cell_text(cell) for cell in cells]
    measured = [c for c in found if c.kind in (*NUMERIC, "depth")]
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
        if column.kind in NUMERIC
        else None
        for column in found
    }
    table = merge_marks(own.values())
    return {
        name: table if mark in (None, "mixed") else mark for name, mark in own.items()
    }
