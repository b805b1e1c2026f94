"""Numbers in the cells of a run's tables."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import pandas as pd

from geosoil.report.document import NAN, Number, Text
from geosoil.report.record import in_words, number_of

UNITS = {
    "d18O": "permil",
    "d2H": "permil",
    "d_excess": "permil",
    "intercept": "permil",
    "area_km2": "km2",
    "block_km": "km",
}
"""Units of columns that are no shares or counts."""


@dataclass(frozen=True, slots=True, eq=False)
class RowNumbers:
    """The numbers of one row of a table."""

    row: pd.Series
    """Row."""
    file: str
    """File that it stands in, relative to the folder of the run."""
    group: str
    """Whose numbers they are."""

    def fixed(
        self, column: str, words: str = "", digits: int = 2, *, unit: str = ""
    ) -> Number:
        """Return a number printed with decimals.

        Parameters
        ----------
        column : str
            Column.
        words : str
            What it is; the column in words without it.
        digits : int
            Decimals.
        unit : str
            Unit; guessed from the column without it.

        Returns
        -------
        number : Number
            NaN where the table has no such column.
        """
        return Number(
            words or in_words(column),
            number_of(self.row.get(column, NAN)),
            unit or UNITS.get(column, "1"),
            self.group,
            f"{self.file} ({column})",
            digits=digits,
        )

    def count(self, column: str, words: str = "") -> Number:
        """Return a number printed as a whole one.

        Parameters
        ----------
        column, words : str
            As for :meth:`fixed`.

        Returns
        -------
        number : Number
            The number.
        """
        return self.fixed(column, words, 0)

    def short(self, column: str, words: str = "") -> Number:
        """Return a number printed with two digits, such as a p value.

        Parameters
        ----------
        column, words : str
            As for :meth:`fixed`.

        Returns
        -------
        number : Number
            The number.
        """
        source = f"{self.file} ({column})"
        value = number_of(self.row.get(column, NAN))
        words = words or in_words(column)
        return Number(words, value, "1", self.group, source, form="short", digits=2)

    def share(
        self,
        column: str,
        words: str = "",
        bounds: tuple[str, str] = ("", ""),
        *,
        digits: int = 0,
    ) -> Number:
        """Return a share printed in percent.

        Parameters
        ----------
        column, words : str
            As for :meth:`fixed`.
        bounds : tuple of str
            Columns of the ends of its interval.
        digits : int
            Decimals of the percentage.

        Returns
        -------
        number : Number
            The share; its value is not in percent.
        """
        return Number(
            words or in_words(column),
            number_of(self.row.get(column, NAN)),
            "1",
            self.group,
            f"{self.file} ({column})",
            number_of(self.row.get(bounds[0], NAN)),
            number_of(self.row.get(bounds[1], NAN)),
            "percent",
            digits,
        )

    def term(self, column: str, words: str = "", digits: int = 2) -> Number:
        """Return a number printed as a term of an equation, its sign apart.

        Parameters
        ----------
        column, words, digits
            As for :meth:`fixed`.

        Returns
        -------
        number : Number
            The number.
        """
        return replace(self.fixed(column, words, digits), form="term")

    def with_error(
        self, column: str, error: str, words: str = "", digits: int = 2
    ) -> Text:
        """Return a number with its error behind a plus-minus sign.

        Parameters
        ----------
        column, error : str
            Columns of the number and of its error.
        words : str
            What the number is.
        digits : int
            Decimals of both.

        Returns
        -------
        text : tuple of pieces
            Empty where there is no number.
        """
        unit = UNITS.get(column, "1")
        first = self.fixed(column, words, digits)
        if not math.isfinite(first.value):
            return ("",)
        second = self.fixed(error, f"error of {first.name}", digits, unit=unit)
        if not math.isfinite(second.value):
            return (first,)
        return (first, " ± ", second)


def known_columns(table: pd.DataFrame, *columns: str) -> list[str]:
    """Return the columns of a table that hold any number.

    Parameters
    ----------
    table : DataFrame
        Table.
    *columns : str
        Columns that are looked for.

    Returns
    -------
    known : list of str
        Those that are there.
    """
    return [name for name in columns if name in table and table[name].notna().any()]
