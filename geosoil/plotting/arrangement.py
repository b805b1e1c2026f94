"""How two kinds of things stand in a table of panels: across it and down it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict


class Arranged(TypedDict):
    """Panels of a table, as :class:`geosoil.plotting.panel_layout.PanelTable` takes."""

    titles: tuple[str, ...]
    """Title of each panel, row by row."""
    columns: int
    """Number of columns."""
    rows: tuple[str, ...]
    """Words left of each row."""


def arranged(across: Sequence[str], along: Sequence[str]) -> Arranged:
    """Arrange panels in columns of one kind and rows of another.

    Parameters
    ----------
    across : sequence of str
        Titles of the columns; the first row of panels has them.
    along : sequence of str
        Words of the rows; where there are none, the columns are stacked instead.

    Returns
    -------
    arranged : Arranged
        Titles, columns and rows.

    Examples
    --------
    >>> arranged(["June", "May"], ["rain", "snow"])["titles"]
    ('June', 'May', '', '')
    >>> arranged(["June", "May"], [])["columns"]
    1
    """
    if not along:
        return {"titles": tuple(across), "columns": 1, "rows": ()}
    blank = [""] * (len(across) * (len(along) - 1))
    return {
        "titles": (*across, *blank),
        "columns": len(across),
        "rows": tuple(along),
    }
