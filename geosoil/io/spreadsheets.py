"""Text that spreadsheets would run as a formula, and how it is kept from that."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Signs that a formula begins with."""


def spreadsheet_text(text: str) -> str:
    """Return text that no spreadsheet takes for a formula.

    Parameters
    ----------
    text : str
        Text of a cell.

    Returns
    -------
    safe : str
        With an apostrophe before it where it begins with =, +, -, @ or a control sign
        and is no number, be its decimals after a point or a comma.

    Examples
    --------
    >>> spreadsheet_text("=cmd|' /C calc'!A0"), spreadsheet_text("-12.5")
    ("'=cmd|' /C calc'!A0", '-12.5')
    >>> spreadsheet_text("-12,5"), spreadsheet_text("-2+3+cmd|' /C calc'!A0")
    ('-12,5', "'-2+3+cmd|' /C calc'!A0")
    """
    if not text.startswith(FORMULA):
        return text
    try:
        float(text.replace(",", ".", 1))
    except ValueError:
        return f"'{text}"
    return text


def guarded_table(table: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return a table whose texts no spreadsheet takes for formulas.

    Parameters
    ----------
    table : DataFrame
        Table.
    columns : iterable of str
        Columns that hold texts; what is no text in them stays.

    Returns
    -------
    guarded : DataFrame
        A copy.

    Examples
    --------
    >>> table = pd.DataFrame({"found": ["=1+1", "-3"], "n": [1, 2]})
    >>> guarded_table(table, ["found"])["found"].tolist()
    ["'=1+1", '-3']
    """
    guarded = table.copy()
    for name in columns:
        guarded[name] = [
            spreadsheet_text(value) if isinstance(value, str) else value
            for value in table[name]
        ]
    return guarded
