"""Reading of workbooks: which sheet, several sheets joined, and cells in error."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import python_calamine

from geosoil.io.issues import name_rows
from geosoil.io.table_rows import (
    HEADER_SEARCH,
    SUPPORTED,
    Cell,
    Found,
    Request,
    Row,
    cell_text,
    find_header,
    refuse,
)

_MAX_UNPACKED = 1_000_000_000
_MARK = "!"
_SHEET = re.compile(rb"<(?:\w+:)?sheet\b[^>]*>")
_RELATION = re.compile(rb"<(?:\w+:)?Relationship\b[^>]*>")
_ERROR_CELL = re.compile(
    rb"<(?:\w+:)?c\b(?=[^>]*\bt=\"e\")[^>]*\br=\"([A-Z]{1,3})([0-9]+)\"[^>]*>"
    rb"(?:(?!</(?:\w+:)?c>).)*?<(?:\w+:)?v>([^<]*)<",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sheet with its header found, to be joined to others."""

    name: str
    header: tuple[str, ...]
    rows: list[Row]
    stated: tuple[str, ...]
    """Columns that the user named in this sheet."""


def read_workbook(request: Request, data: bytes) -> Found:
    """Read one sheet of a workbook, or several that the user named, side by side.

    Parameters
    ----------
    request : Request
        What is asked. Column names such as ``"Sheet 1!Value"`` name their sheet; where
        they name several, rows that agree in all columns the sheets share are joined.
    data : bytes
        The file.

    Returns
    -------
    found : Found
        Rows, number of known names in the header, position of the header.
    """
    sheets = _open_sheets(request, data)
    named: dict[str, list[str]] = {}
    for key in request.stated:
        sheet, mark, column = key.partition(_MARK)
        if mark and sheet in sheets:
            named.setdefault(sheet, []).append(column)
        elif mark and not _holds(sheets, key):
            why = (
                f"columns= names a sheet '{sheet}' that the workbook does not have. "
                f"Sheets: {', '.join(sheets)}."
            )
            refuse(request.kind, request.path, why)
    if named:
        return _join(request, [_sheet(request, sheets, s, c) for s, c in named.items()])
    return _best_sheet(request, sheets)


def _holds(sheets: Mapping[str, list[Row]], name: str) -> bool:
    """Whether some header could have a column of this very name."""
    tops = [cells for rows in sheets.values() for _, cells in rows[:HEADER_SEARCH]]
    return any(cell_text(cell) == name for cells in tops for cell in cells)


def _best_sheet(request: Request, sheets: Mapping[str, list[Row]]) -> Found:
    best, at, chosen = -1, 0, ""
    for name, rows in sheets.items():
        found, header = find_header(rows, request.score)
        if rows and found > best:
            best, at, chosen = found, header, name
    if not chosen:
        return Found([], 0, 0)
    others = [name for name, rows in sheets.items() if rows and name != chosen]
    if others:
        request.ledger.add(
            (0, ""),
            f"sheets {', '.join([chosen, *others])}",
            f"sheet {chosen}",
            "one sheet is read: the first whose header has most known columns; "
            'columns= with "sheet!column" chooses another or joins several',
            severity="warn",
        )
    return Found(sheets[chosen], best, at)


def _sheet(
    request: Request, sheets: Mapping[str, list[Row]], name: str, stated: Sequence[str]
) -> _Sheet:
    rows = sheets[name]

    def score(cells: Sequence[str]) -> int:
        return request.score(cells) + 100 * sum(cell in stated for cell in cells)

    found, at = find_header(rows, score)
    if not found:
        why = f"sheet '{name}' has no header row that is recognised."
        refuse(request.kind, request.path, why)
    header = tuple(cell_text(cell) for cell in rows[at][1])
    absent = [column for column in stated if column not in header]
    if absent:
        words = ", ".join(f"'{column}'" for column in absent)
        why = (
            f"sheet '{name}' has no column {words}, which columns= names. Found: "
            f"{', '.join(header)}."
        )
        refuse(request.kind, request.path, why)
    for number, cells in rows[:at]:
        text = " ".join(cell_text(c) for c in cells if cell_text(c))
        rule = f"row above the header of sheet '{name}'"
        request.ledger.add((number, ""), text, "dropped", rule)
    return _Sheet(name, header, rows[at + 1 :], tuple(stated))


def _join(request: Request, sheets: Sequence[_Sheet]) -> Found:
    """Put the stated columns of further sheets beside the rows of the first."""
    first = sheets[0]
    taken = {column for sheet in sheets for column in sheet.stated}
    shared = [
        name
        for name in first.header
        if name and name not in taken and all(name in s.header for s in sheets)
    ]
    header: list[Cell] = [
        f"{first.name}{_MARK}{name}" if name in first.stated else name
        for name in first.header
    ]
    width = len(header)
    rows = [(number, [*cells, *[None] * width][:width]) for number, cells in first.rows]
    for sheet in sheets[1:]:
        if not shared:
            why = (
                f"sheets '{first.name}' and '{sheet.name}' share no column by which "
                "their rows could be joined."
            )
            refuse(request.kind, request.path, why)
        header += [f"{sheet.name}{_MARK}{name}" for name in sheet.stated]
        rows = _beside(request, rows, (first, sheet), shared)
    names = ", ".join(sheet.name for sheet in sheets)
    rule = f"rows of the sheets that agree in {', '.join(shared)} stand side by side"
    if len(sheets) == 1:
        rule = "the sheet that columns= names"
    request.ledger.add((0, ""), f"sheets {names}", "one table", rule, severity="note")
    table: list[Row] = [(1, header), *rows]
    return Found(table, request.score([cell_text(cell) for cell in header]), 0)


def _beside(
    request: Request,
    rows: Sequence[Row],
    pair: tuple[_Sheet, _Sheet],
    shared: Sequence[str],
) -> list[Row]:
    first, sheet = pair
    keys = _keys(first, rows, shared)
    wanted = [sheet.header.index(name) for name in sheet.stated]
    values: dict[tuple[str, ...], list[Cell]] = {}
    seen = {key: number for key, (number, _) in zip(keys, rows, strict=True)}
    again = [n for k, (n, _) in zip(keys, rows, strict=True) if seen[k] != n]
    places: dict[tuple[str, ...], int] = {}
    for key, (number, cells) in zip(
        _keys(sheet, sheet.rows, shared), sheet.rows, strict=True
    ):
        if key in values:
            again.append(number)
        values[key] = [cells[p] if p < len(cells) else None for p in wanted]
        places[key] = number
    if again:
        why = (
            f"sheets '{first.name}' and '{sheet.name}' cannot be joined: several rows "
            f"agree in all shared columns ({name_rows(again)})."
        )
        refuse(request.kind, request.path, why)
    none: list[Cell] = [None] * len(wanted)
    for key, (number, _) in zip(keys, rows, strict=True):
        if key not in values:
            rule = f"sheet '{sheet.name}' has no such row"
            request.ledger.add((number, ""), "", "missing", rule, severity="warn")
    for key in values.keys() - set(keys):
        rule = f"row of sheet '{sheet.name}' without partner in '{first.name}'"
        place = (places[key], "")
        request.ledger.add(place, " ".join(key), "dropped", rule, severity="warn")
    return [
        (number, [*cells, *values.get(key, none)])
        for key, (number, cells) in zip(keys, rows, strict=True)
    ]


def _keys(
    sheet: _Sheet, rows: Sequence[Row], shared: Sequence[str]
) -> list[tuple[str, ...]]:
    places = [sheet.header.index(name) for name in shared]
    return [
        tuple(cell_text(cells[p]) if p < len(cells) else "" for p in places)
        for _, cells in rows
    ]


def _open_sheets(request: Request, data: bytes) -> dict[str, list[Row]]:
    path, kind = request.path, request.kind
    errors: dict[str, dict[tuple[int, int], str]] = {}
    try:
        if data.startswith(b"PK"):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                unpacked = sum(item.file_size for item in archive.infolist())
                if unpacked > _MAX_UNPACKED:
                    why = f"it unpacks to {unpacked / 1e9:.1f} GB: too large."
                    refuse(kind, path, why)
                errors = _error_cells(archive)
        book = python_calamine.load_workbook(io.BytesIO(data))
        return {n: _sheet_rows(book, n, errors.get(n, {})) for n in book.sheet_names}
    except (python_calamine.CalamineError, zipfile.BadZipFile) as error:
        refuse(
            kind,
            path,
            f"the workbook cannot be read ({error}). Open and save it again in a "
            f"spreadsheet program, or give {SUPPORTED}.",
        )


def _sheet_rows(
    book: object, name: str, errors: Mapping[tuple[int, int], str]
) -> list[Row]:
    sheet = cast("python_calamine.CalamineWorkbook", book).get_sheet_by_name(name)
    top, left = sheet.start or (0, 0)
    table = cast("list[list[Cell]]", sheet.to_python(skip_empty_area=True))
    for (row, column), text in errors.items():
        down, right = row - top, column - left
        if 0 <= down < len(table) and 0 <= right < len(table[down]):
            table[down][right] = table[down][right] or text
    return [
        (top + index, list(cells))
        for index, cells in enumerate(table, 1)
        if any(cell_text(cell) for cell in cells)
    ]


def _error_cells(archive: zipfile.ZipFile) -> dict[str, dict[tuple[int, int], str]]:
    """Cells such as #DIV/0! of each sheet by row and column from 0.

    The reader of workbooks gives them as empty cells, which would hide them.
    """
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return {}
    targets = {
        _attribute(tag, "Id"): _attribute(tag, "Target")
        for tag in _RELATION.findall(archive.read("xl/_rels/workbook.xml.rels"))
    }
    errors: dict[str, dict[tuple[int, int], str]] = {}
    for tag in _SHEET.findall(archive.read("xl/workbook.xml")):
        target = targets.get(_attribute(tag, "r:id"), "").removeprefix("/xl/")
        if f"xl/{target}" not in names:
            continue
        cells = _ERROR_CELL.findall(archive.read(f"xl/{target}"))
        errors[_attribute(tag, "name")] = {
            (int(row) - 1, _column_number(letters)): text.decode()
            for letters, row, text in cells
        }
    return errors


def _attribute(tag: bytes, name: str) -> str:
    match = re.search(rb"\s%s=\"([^\"]*)\"" % name.encode(), tag)
    return match[1].decode() if match else ""


def _column_number(letters: bytes) -> int:
    number = 0
    for code in letters:
        number = 26 * number + code - 64
    return number - 1
