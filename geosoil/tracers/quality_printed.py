"""Printed numbers: the digits they show, what rounding allows, how misprints mend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

D_EXCESS_SLOPE = 8.0
MOST_DECIMALS = 6
"""More decimals than this come from a computer, and round nothing."""

_SLACK = 1e-9


def printed_decimals(column: pd.Series, *, digits: int | None = None) -> IntArray:
    """Return how many decimals each number of a column was printed with.

    Parameters
    ----------
    column : Series, shape (n,)
        Numbers, or the numbers as text.
    digits : int, optional
        Decimals of the whole column, where they are known.

    Returns
    -------
    decimals : array of int, shape (n,)
        Text is counted as it stands. Of a number the shortest form counts, which
        has lost its final zeros (-12.20 counts one decimal): too few decimals make
        the rounding too wide, never too narrow. A whole number counts one decimal
        beside numbers with decimals, and none in a column of whole numbers.

    Examples
    --------
    >>> printed_decimals(pd.Series([-12.0, -13.26])).tolist()
    [1, 2]
    >>> printed_decimals(pd.Series(["-12.00", "-13.26"])).tolist()
    [2, 2]
    """
    if digits is not None:
        return np.full(len(column), digits, dtype=np.int64)
    if pd.api.types.is_numeric_dtype(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        known = values[np.isfinite(values)]
        if not (known % 1).any():
            return np.zeros(len(column), dtype=np.int64)
    texts = [
        cell if isinstance(cell, str) else np.format_float_positional(cell, trim="0")
        for cell in column.astype(object).fillna(np.nan)
    ]
    counts = [len(text.strip().partition(".")[2]) for text in texts]
    return np.minimum(np.array(counts, dtype=np.int64), MOST_DECIMALS)


def half_units(decimals: IntArray) -> FloatArray:
    """Return half a unit of the last digit, the most that rounding can shift.

    Parameters
    ----------
    decimals : array of int, shape (n,)
        Decimals of each number.

    Returns
    -------
    half : array, shape (n,)
        Half units.

    Examples
    --------
    >>> half_units(np.array([0, 2])).tolist()
    [0.5, 0.005]
    """
    return 0.5 * 10.0 ** (-decimals.astype(float))


@dataclass(frozen=True, slots=True)
class PrintedWater:
    """One row of a table: three numbers that must agree, and their half units."""

    numbers: dict[str, float]
    """d18O, d2H and d_excess as printed [permil]."""
    half: dict[str, float]
    """Half a unit of the last digit of each [permil]."""

    @property
    def misfit(self) -> float:
        """How far the three disagree: d_excess - (d2H - 8 d18O) [permil]."""
        row = self.numbers
        return row["d_excess"] - row["d2H"] + D_EXCESS_SLOPE * row["d18O"]

    @property
    def tolerance(self) -> float:
        """Largest disagreement that rounding of the three can make [permil]."""
        scale = max(map(abs, self.numbers.values()))
        half = self.half
        rounding = half["d_excess"] + half["d2H"] + D_EXCESS_SLOPE * half["d18O"]
        return rounding + _SLACK * max(1.0, scale)

    @property
    def agrees(self) -> bool:
        """Whether the three agree within their rounding."""
        return abs(self.misfit) <= self.tolerance

    def changed(self, factors: dict[str, float]) -> PrintedWater:
        """Return the row with some of its numbers multiplied.

        Parameters
        ----------
        factors : dict of str to float
            Factor of each number to change.

        Returns
        -------
        row : PrintedWater
            The changed row; the half units grow or shrink with the numbers.
        """
        values, half = dict(self.numbers), dict(self.half)
        for name, factor in factors.items():
            values[name] *= factor
            half[name] *= abs(factor)
        return PrintedWater(values, half)


@dataclass(frozen=True, slots=True)
class Mend:
    """One change of a row after which its numbers agree."""

    rule: str
    """Kind of misprint it takes back."""
    column: str
    """Column or columns changed."""
    expected: str
    """What would stand there."""


_SIGNS: tuple[tuple[str, ...], ...] = (
    ("d18O",),
    ("d2H",),
    ("d_excess",),
    ("d18O", "d2H"),
)
_SHIFTS = (10.0, 0.1, 100.0, 0.01, 1000.0, 0.001)


def mends(row: PrintedWater) -> list[Mend]:
    """Return the changes of the likeliest kind that make a printed row agree.

    Parameters
    ----------
    row : PrintedWater
        Row whose numbers disagree.

    Returns
    -------
    mends : list of Mend
        All changes of the first kind that helps, of: a sign turned, d18O and d2H
        exchanged, fractions made permil, a decimal point shifted, two neighbouring
        digits exchanged. Empty where none helps.

    Examples
    --------
    >>> half = {"d18O": 0.005, "d2H": 0.005, "d_excess": 0.005}
    >>> values = {"d18O": 14.23, "d2H": -108.14, "d_excess": 5.71}
    >>> [(m.rule, m.column, m.expected) for m in mends(PrintedWater(values, half))]
    [('lost_sign', 'd18O', '-14.23')]
    """
    for kind in (_turned, _exchanged, _scaled, _shifted, _transposed):
        found = list(kind(row))
        if found:
            return found
    return []


def _mend(rule: str, row: PrintedWater, columns: tuple[str, ...]) -> Mend:
    expected = ", ".join(f"{row.numbers[name]:.6g}" for name in columns)
    return Mend(rule, ", ".join(columns), expected)


def _turned(row: PrintedWater) -> Iterator[Mend]:
    for columns in _SIGNS:
        other = row.changed(dict.fromkeys(columns, -1.0))
        if other.agrees:
            yield _mend("lost_sign", other, columns)


def _exchanged(row: PrintedWater) -> Iterator[Mend]:
    values = row.numbers | {"d18O": row.numbers["d2H"], "d2H": row.numbers["d18O"]}
    half = row.half | {"d18O": row.half["d2H"], "d2H": row.half["d18O"]}
    other = PrintedWater(values, half)
    if other.agrees:
        yield _mend("swapped", other, ("d18O", "d2H"))


def _scaled(row: PrintedWater) -> Iterator[Mend]:
    columns = ("d18O", "d2H")
    other = row.changed(dict.fromkeys(columns, 1000.0))
    if other.agrees and abs(row.numbers["d18O"]) < 0.1:
        yield _mend("units", other, columns)


def _shifted(row: PrintedWater) -> Iterator[Mend]:
    for factor in _SHIFTS:
        for name in row.numbers:
            other = row.changed({name: factor})
            if other.agrees and abs(row.misfit) > 5 * other.tolerance:
                yield _mend("decimal", other, (name,))


def _transposed(row: PrintedWater) -> Iterator[Mend]:
    for name, value in row.numbers.items():
        decimals = round(-np.log10(2 * row.half[name]))
        text = f"{value:.{max(decimals, 0)}f}"
        places = [i for i, character in enumerate(text) if character.isdigit()]
        for i, j in pairwise(places):
            characters = list(text)
            characters[i], characters[j] = characters[j], characters[i]
            number = float("".join(characters))
            other = PrintedWater(row.numbers | {name: number}, row.half)
            if number != value and other.agrees:
                yield _mend("transposed", other, (name,))
