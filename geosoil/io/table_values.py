"""Reading of one cell as a number, a coordinate or a date, each change named."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from geosoil.io.vocabulary import words

Mark = Literal[".", ",", "mixed"] | None
"""Decimal mark of a table; None where no cell decides, mixed where cells disagree."""

MISSING = frozenset(
    words(
        "na n/a n.a. #n/a nan null none nil - -- --- ? n.d. nd n.d nodata "
        "missing . .. * / \\ 无 缺 缺测 缺失 无数据 #value! #ref! #div/0! "
        "#null! #name? #num! #spill! #calc!"
    )
)
"""Words that stand for a missing value in a number, date or label column."""

CENSORED = frozenset(("lod", "bdl", "b.d.", "bd", "loq", "blq", "b.d.l.", "udl"))
"""Words for a value below the limit of detection."""

_SENTINELS = frozenset(
    float(number)
    for number in words(
        "-9999 -999 -99999 9999 99999 -32768 32766 32767 999999 -999.9 -9999.9 999 "
        "999.9 -99 -99.9 -99.99 -999.99 9999.9"
    )
)
_WIDE = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_MINUS = dict.fromkeys((0x2212, 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0xFE63), "-")
_SPACES = dict.fromkeys((0xA0, 0x202F, 0x2009, 0x2007, 0x3000, 0x200A), " ")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?")
_GROUP_OR_DECIMAL = re.compile(r"[+-]?[1-9][0-9]{0,2}[.,][0-9]{3}")
_GROUPED_COMMA = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+\.[0-9]+|(?:,[0-9]{3}){2,})"
)
_GROUPED_POINT = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+,[0-9]+|(?:\.[0-9]{3}){2,})"
)
_GROUPED_SPACE = re.compile(
    r"[+-]?[1-9][0-9]{0,2}(?:[ '\u2019][0-9]{3})+(?:[.,][0-9]+)?"
)
_WITH_UNIT = re.compile(r"([+-]?[0-9.,][0-9.,eE+-]*?)\s*([^\W\d_]+|[‰°%℃]+\w*|\w+%)\.?")


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell, read."""

    value: float
    """The number; NaN where missing."""
    rules: tuple[str, ...] = ()
    """What was done to read it; empty when it was plain."""
    fault: str = ""
    """Why it could not be read; empty when it could."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How the numbers of one column are written."""

    mark: Mark = "."
    """Decimal mark of the table."""
    units: Mapping[str, float] | None = None
    """Units that may follow the number, and their factors."""
    valid: tuple[float, float] = (-math.inf, math.inf)
    """Range outside of which -9999 and its like mean missing."""


def clean_text(text: str) -> tuple[str, tuple[str, ...]]:
    r"""Turn typographic signs of a cell into plain ones.

    Parameters
    ----------
    text : str
        Cell as written.

    Returns
    -------
    plain : str
        The text with ASCII digits, minus signs and blanks.
    rules : tuple of str
        What was turned.

    Examples
    --------
    >>> clean_text("\u2212\uff11\uff12\uff0e\uff15")
    ('-12.5', ('full-width characters', 'minus sign that is not ASCII'))
    """
    rules: list[str] = []
    if text.isascii():
        return text.strip(), ()
    for rule, table in (
        ("full-width characters", _WIDE),
        ("minus sign that is not ASCII", _MINUS),
        ("special blanks", _SPACES),
    ):
        turned = text.translate(table)
        if turned != text:
            rules.append(rule)
            text = turned
    return text.strip(), tuple(rules)


def read_number(cell: object, form: NumberFormat) -> Reading:
    r"""Read a cell as a number.

    Parameters
    ----------
    cell : object
        Text or a number of a workbook.
    form : NumberFormat
        Decimal mark, units and range of the column.

    Returns
    -------
    reading : Reading
        Value, what was done, or the fault.

    Examples
    --------
    >>> read_number("\u221212,5", NumberFormat(mark=",")).value
    -12.5
    >>> read_number("<LOD", NumberFormat()).rules
    ('censored',)
    """
    if isinstance(cell, bool):
        return Reading(math.nan, fault="a truth value, not a number")
    if isinstance(cell, int | float):
        return _unless_sentinel(float(cell), (), form)
    if cell is None:
        return Reading(math.nan)
    if not isinstance(cell, str):
        return Reading(math.nan, fault="a date, not a number")
    return _read_text(cell, form)


def _read_text(cell: str, form: NumberFormat) -> Reading:
    text, rules = clean_text(cell)
    if _NUMBER.fullmatch(text) and not _may_be_grouped(text, form.mark):
        return _unless_sentinel(float(text), rules, form)
    word = text.casefold().replace(" ", "")
    if not word or word in MISSING:
        return Reading(math.nan, ("missing marker",) if word else ())
    if word in CENSORED or word.startswith(("<", ">", "≤", "≥")):
        return Reading(math.nan, ("censored",))
    if text.startswith("'") and len(text) > 1:
        return read_number_again(text[1:], (*rules, "leading apostrophe"), form)
    return _read_marked(text, rules, form)


def read_number_again(text: str, rules: tuple[str, ...], form: NumberFormat) -> Reading:
    """Read the rest of a cell and keep the rules applied so far.

    Parameters
    ----------
    text : str
        What is left of the cell.
    rules : tuple of str
        What was done before.
    form : NumberFormat
        As for :func:`read_number`.

    Returns
    -------
    reading : Reading
        As from :func:`read_number`.
    """
    inner = read_number(text, form)
    return Reading(inner.value, (*rules, *inner.rules), inner.fault)


def _read_marked(text: str, rules: tuple[str, ...], form: NumberFormat) -> Reading:
    value, rule = _decimal(text, form.mark)
    if value is not None:
        return _unless_sentinel(value, (*rules, rule), form)
    if rule:
        return Reading(math.nan, rules, rule)
    with_unit = _WITH_UNIT.fullmatch(text)
    if with_unit and form.units:
        unit = with_unit[2].casefold()
        if unit in form.units:
            factor = form.units[unit]
            inner = read_number_again(with_unit[1], (*rules, f"unit {unit}"), form)
            if factor == 1.0:
                return inner
            return Reading(
                inner.value * factor, (*inner.rules, f"times {factor:g}"), inner.fault
            )
    return Reading(math.nan, rules, "not a number")


def _may_be_grouped(text: str, mark: Mark) -> bool:
    return mark in (",", "mixed") and bool(_GROUP_OR_DECIMAL.fullmatch(text))


def _decimal(text: str, mark: Mark) -> tuple[float | None, str]:
    """Value of a number with commas, points or blanks in it, and the rule."""
    if _GROUPED_COMMA.fullmatch(text):
        return float(text.replace(",", "")), "comma between thousands"
    if _GROUPED_POINT.fullmatch(text):
        plain = text.replace(".", "").replace(",", ".")
        return float(plain), "point between thousands, decimal comma"
    if _GROUPED_SPACE.fullmatch(text):
        plain = re.sub(r"[ '\u2019]", "", text).replace(",", ".")
        return float(plain), "blank between thousands"
    if _GROUP_OR_DECIMAL.fullmatch(text):
        return _three_digits(text, mark)
    if _COMMA.fullmatch(text):
        return float(text.replace(",", ".")), "decimal comma"
    return None, ""


def _three_digits(text: str, mark: Mark) -> tuple[float | None, str]:
    if mark not in (".", ","):
        return None, "either thousands or decimals; the table does not say which"
    if mark in text:
        return float(text.replace(",", ".")), "decimal comma"
    return float(re.sub("[.,]", "", text)), "point or comma between thousands"


def _unless_sentinel(
    value: float, rules: tuple[str, ...], form: NumberFormat
) -> Reading:
    if math.isnan(value):
        return Reading(math.nan, (*rules, "missing marker"))
    if math.isinf(value):
        return Reading(math.nan, rules, "not finite")
    low, high = form.valid
    if value in _SENTINELS and not low <= value <= high:
        return Reading(math.nan, (*rules, "missing marker"))
    return Reading(value, rules)


def decimal_mark(cells: Iterable[object], valid: tuple[float, float]) -> Mark:
    """Find the decimal mark that the cells of one column show.

    Parameters
    ----------
    cells : iterable of object
        Cells of a number column.
    valid : tuple = (low, high)
        Possible values: 34,140 is no latitude as thousands, so it shows a decimal
        comma.

    Returns
    -------
    mark : {".", ",", "mixed"} or None
        None when no cell decides.

    Examples
    --------
    >>> decimal_mark(["34,14", "92"], (-90, 90)), decimal_mark(["3,540"], (0, 9000))
    (',', None)
    """
    marks: set[str] = set()
    for cell in cells:
        if not isinstance(cell, str):
            continue
        text = clean_text(cell)[0].rstrip(" °‰NSEWm")
        if _GROUP_OR_DECIMAL.fullmatch(text):
            whole = float(re.sub("[.,]", "", text))
            if not valid[0] <= whole <= valid[1]:
                marks.add("," if "," in text else ".")
        elif _GROUPED_COMMA.fullmatch(text):
            marks.add(".")
        elif _GROUPED_POINT.fullmatch(text) or _COMMA.fullmatch(text):
            marks.add(",")
        elif "." in text and _NUMBER.fullmatch(text):
            marks.add(".")
    return merge_marks(marks)


def merge_marks(marks: Iterable[Mark | str]) -> Mark:
    """Join what several columns show.

    Parameters
    ----------
    marks : iterable
        Answers of :func:`decimal_mark`.

    Returns
    -------
    mark : {".", ",", "mixed"} or None
        The mark of all, if they agree.
    """
    shown = {mark for mark in marks if mark is not None}
    if not shown:
        return None
    if shown == {"."}:
        return "."
    return "," if shown == {","} else "mixed"
