"""From the bytes of a table file to its header and rows of cells."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from charset_normalizer import from_bytes

from geosoil.errors import MissingFileError
from geosoil.io.issues import Ledger
from geosoil.io.spatial_tables import read_spatial_table
from geosoil.io.table_rows import (
    HEADER_SEARCH,
    SUPPORTED,
    Found,
    Request,
    Row,
    Score,
    TextTable,
    cell_text,
    find_header,
    refuse,
)
from geosoil.io.workbooks import read_workbook

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_FOREIGN = (
    (b"\x89HDF", "an HDF5 or NetCDF4 file"),
    (b"CDF", "a NetCDF file"),
    (b"\x0e\x03\x13\x01", "an HDF4 file"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"Rar!", "a RAR archive"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_SYMBOLS = frozenset(
    "\u00b0\u00ba\u2032\u2033\u2030\u03b4\u0394\u2202\u00b5\u00d7\u00b7\u00b1"
    "\u00b2\u00b3\u00b9\u2070\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u2212"
    "\u2010\u2011\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u00a0\u202f\u2009"
)
"""Signs of science and typography that a right decoding may hold."""


def read_text_table(request: Request) -> TextTable:
    """Read the header and the rows of a table file of any kind.

    Parameters
    ----------
    request : Request
        The file and what to look for.

    Returns
    -------
    table : TextTable
        Header and rows.

    Raises
    ------
    MissingFileError
        If there is no such file.
    SampleTableError
        If the file is empty, no table, or has no header that can be recognised.
    """
    path, kind = request.path, request.kind
    rows, best, at, located = _read_rows(request)
    if not rows:
        refuse(kind, path, f"it holds no rows. Give {SUPPORTED}.")
    if best < 1:
        first = ", ".join(f"'{cell_text(c)}'" for c in rows[0][1][:20])
        refuse(
            kind,
            path,
            f"no header row was recognised. The first row that is not blank is "
            f"{first}. Give a row of column names such as sample_id, latitude, "
            "longitude, d18O, d2H, or say what your columns mean with columns=.",
        )
    for number, cells in rows[:at]:
        found = " ".join(cell_text(c) for c in cells if cell_text(c))
        place, rule = (number, ""), "row above the header"
        request.ledger.add(place, found, "dropped", rule)
    header_row, names = rows[at]
    header = tuple(cell_text(c) for c in names)
    return TextTable(header, header_row, rows[at + 1 :], located)


def _read_rows(request: Request) -> Found:
    path, kind, ledger = request.path, request.kind, request.ledger
    _check_file(path, kind)
    with path.open("rb") as file:
        magic = file.read(16)
    if magic.startswith((b"SQLite format 3", b"PAR1")):
        return read_spatial_table(request, magic)
    data = path.read_bytes()
    if not data.strip():
        refuse(kind, path, f"the file is empty. Give {SUPPORTED}.")
    if magic[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        return read_workbook(request, data)
    _refuse_foreign(path, data, kind)
    text = _decode(path, data, kind, ledger)
    return _split_text(path, text, kind, request.score, ledger)


def _check_file(path: Path, kind: str) -> None:
    if not path.exists():
        message = f"{kind} '{path}' does not exist. Check the name and the folder."
        raise MissingFileError(message)
    if path.is_dir():
        refuse(kind, path, f"this is a folder, not a file. Give {SUPPORTED}.")


def _refuse_foreign(path: Path, data: bytes, kind: str) -> None:
    for magic, what in _FOREIGN:
        if data.startswith(magic):
            refuse(kind, path, f"this is {what}, not a table. Give {SUPPORTED}.")
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:512].lower()
    if start.startswith(_MARKUP) or b"<html" in start:
        refuse(
            kind,
            path,
            "this is an HTML or XML page, not a table: a download often saves a "
            "login or error page instead of the file. Download it again.",
        )
    if start.startswith((b"{", b"[{")):
        refuse(kind, path, f"this is a JSON file, not a table. Give {SUPPORTED}.")


def _decode(path: Path, data: bytes, kind: str, ledger: Ledger) -> str:
    encoding, text = _decoded(data)
    if text is None:
        refuse(
            kind,
            path,
            f"the text is not valid {encoding}. Save it as UTF-8 and try again.",
        )
    if "\x00" in text:
        line = text[: text.index("\x00")].count("\n") + 1
        refuse(
            kind,
            path,
            f"line {line} holds a NUL character: the file is damaged or not a text "
            f"table. Give {SUPPORTED}.",
        )
    if encoding not in ("utf-8", "utf-8-sig"):
        rule = "encoding of the file"
        ledger.add((0, ""), "not UTF-8", encoding, rule, severity="note")
    elif encoding == "utf-8" and not text.isascii():
        _note_second_reading(data, text, ledger)
    return text


def _note_second_reading(data: bytes, text: str, ledger: Ledger) -> None:
    """Say so where UTF-8 text would also be sensible Chinese in GB18030."""
    other = _strict(data, "gb18030")
    if other is None or _implausible(other, "gb18030"):
        return
    written = {c for c in text if ord(c) > 127}
    usual = all(c in _SYMBOLS or "\u00c0" <= c <= "\u00ff" for c in written)
    found = "".join(sorted(written))[:20]
    second = "".join(sorted({c for c in other if ord(c) > 127}))[:20]
    rule = f"encoding: read as UTF-8; in GB18030 it would be {second}"
    ledger.add((0, ""), found, found, rule, severity="note" if usual else "warn")


def _decoded(data: bytes) -> tuple[str, str | None]:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return encoding, _strict(data, encoding)
    sample = data[:4000]
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        if len(sample) > 3 and sample[offset::2].count(0) > 0.3 * len(sample) / 2:
            return encoding, _strict(data, encoding)
    text = _strict(data, "utf-8")
    return ("utf-8", text) if text is not None else _guessed(data)


def _guessed(data: bytes) -> tuple[str, str | None]:
    """Decode text that is not Unicode: the first plausible of a few, else a vote."""
    candidates = [(e, _strict(data, e)) for e in ("gb18030", "cp1252")]
    for encoding, candidate in candidates:
        if candidate is not None and not _implausible(candidate, encoding):
            return encoding, candidate
    guess = from_bytes(data).best()
    if guess is not None:
        return guess.encoding, str(guess)
    readable = [pair for pair in candidates if pair[1] is not None]
    return readable[0] if readable else ("UTF-8, UTF-16 or GB18030", None)


def _strict(data: bytes, encoding: str) -> str | None:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def _implausible(text: str, encoding: str) -> bool:
    strange = {c for c in text if ord(c) > 127 and c not in _SYMBOLS}
    if encoding == "cp1252":
        return any(not "\u00c0" <= c <= "\u00ff" for c in strange)
    return any(_strict_encode(c) is None for c in strange)


def _strict_encode(character: str) -> bytes | None:
    try:
        return character.encode("gb2312")
    except UnicodeEncodeError:
        return None


def _split_text(
    path: Path, text: str, kind: str, score: Score, ledger: Ledger
) -> Found:
    best: tuple[int, int] = (-1, -1)
    chosen: tuple[list[Row], int, str] | None = None
    trouble = ""
    for separator in _SEPARATORS:
        try:
            rows = _rows(text, separator)
        except csv.Error as error:
            trouble = trouble or str(error)
            continue
        found, at = find_header(rows, score)
        width = max((len(cells) for _, cells in rows[:HEADER_SEARCH]), default=0)
        if (found, width) > best:
            best, chosen = (found, width), (rows, at, separator)
    if chosen is None:
        refuse(
            kind,
            path,
            f"the quotation marks do not pair ({trouble}). Save the table again "
            "from the program that made it.",
        )
    rows, at, separator = chosen
    if separator != ",":
        name = _SEPARATORS[separator]
        ledger.add((0, ""), name, "separator", "separator of columns", severity="note")
    return Found(rows, best[0], at)


def _rows(text: str, separator: str) -> list[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[Row] = []
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((line, list(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        message = f"line {line}: {error}"
        raise csv.Error(message) from error
    return rows
