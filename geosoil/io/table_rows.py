"""Rows of cells as a table file holds them, before anything is interpreted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, NoReturn

from geosoil.errors import SampleTableError
from geosoil.io.issues import Ledger

Cell = object
"""A text, or a number, boolean or date of a workbook."""
Row = tuple[int, list[Cell]]
"""A row's number in the file, counted from 1, and its cells."""
Score = Callable[[Sequence[str]], int]
"""How many cells of a row are known column names."""

SUPPORTED = (
    "CSV, TSV, semicolon-separated text, a workbook (.xlsx, .xls, .ods), a GeoPackage "
    "or Parquet"
)
"""Kinds of file that are read, for messages."""

HEADER_SEARCH = 60
"""Rows at the top among which the header is looked for."""


class Found(NamedTuple):
    """Rows of a file, and where its header is."""

    rows: list[Row]
    """All rows that are not blank, the header among them."""
    known: int
    """How many known names the header has."""
    header: int
    """Position of the header in the rows."""
    located: bool = False
    """Whether the file itself says in which coordinate system its points are."""


@dataclass(frozen=True, slots=True)
class Request:
    """A file to read, and what to look for in it."""

    path: Path
    """The file; its contents, not its name, say what it is."""
    kind: str
    """What the file should be, for messages."""
    score: Score
    """Tells how many cells of a row are known column names; it finds the separator,
    the sheet or layer and the header row."""
    ledger: Ledger
    """Takes what was decided or dropped."""
    stated: tuple[str, ...] = ()
    """Column names that the user stated; ``sheet!column`` names a sheet."""
    crs: str | None = None
    """Coordinate reference system that the user stated."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A header and the rows below it, nothing interpreted yet."""

    header: tuple[str, ...]
    """Column names as written."""
    header_row: int
    """Row of the header in the file, counted from 1."""
    rows: list[Row]
    """Rows below the header that are not blank."""
    located: bool = False
    """Whether longitude and latitude come from points with a coordinate system."""


def cell_text(cell: Cell) -> str:
    """Return a cell as trimmed text, whole numbers without a decimal point.

    Parameters
    ----------
    cell : object
        Cell of a text table or workbook.

    Returns
    -------
    text : str
        Its text; "" when blank.

    Examples
    --------
    >>> cell_text(" 001 "), cell_text(12.0), cell_text(None)
    ('001', '12', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip().strip("\ufeff\u00a0\u3000")


def refuse(kind: str, path: Path, why: str) -> NoReturn:
    """Raise the error that a file is no usable table.

    Parameters
    ----------
    kind : str
        What the file should be.
    path : Path
        The file.
    why : str
        Reason, and what to do.

    Raises
    ------
    SampleTableError
        Always.
    """
    message = f"{kind} '{path.name}': {why}"
    raise SampleTableError(message)


def find_header(rows: Sequence[Row], score: Score) -> tuple[int, int]:
    """Find the row that holds most known column names.

    Parameters
    ----------
    rows : sequence of Row
        Rows of a file.
    score : callable
        Tells how many cells of a row are known column names.

    Returns
    -------
    found, at : int
        Names found, and the position of the row.
    """
    best, at = 0, 0
    for index, (_, cells) in enumerate(rows[:HEADER_SEARCH]):
        found = score([cell_text(cell) for cell in cells])
        if found > best:
            best, at = found, index
    return best, at
