"""Numbers of a report: their anchors, how they are printed, and the table of all."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar, cast

import pandas as pd

from geosoil.report.document import Cite, Code, Form, Number, Report, Text
from geosoil.report.references import reference

MINUS, THIN = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"

PERCENT = f"{THIN}%"

SET_APART = 9999.5
"""From here on thousands are set apart: years and small counts are not."""

NOTHING = "\N{EN DASH}"
"""What is printed where there is no number."""

COLUMNS = (
    *("number", "section", "name", "group", "value", "unit", "lower", "upper"),
    *("printed", "source"),
)
"""Columns of the table of numbers."""

Node = TypeVar("Node")


def print_value(value: float, form: Form, digits: int, sign: str = PERCENT) -> str:
    r"""Write a number for readers.

    Parameters
    ----------
    value : float
        Number.
    form : {"fixed", "percent", "short", "term"}
        With decimals, in percent, with significant digits, or with decimals and its
        sign apart.
    digits : int
        Decimals or significant digits.
    sign : str
        What follows a percentage.

    Returns
    -------
    text : str
        Thousands are set apart from 10 000 on, the minus sign is a true one; a dash
        for NaN.

    Examples
    --------
    >>> print_value(0.7231, "percent", 0), print_value(16700, "fixed", 0)
    ('72\u202f%', '16\u202f700')
    >>> print_value(-12.256, "fixed", 2), print_value(0.00002, "short", 2)
    ('\u221212.26', '2e\u221205')
    """
    if not math.isfinite(value):
        return NOTHING
    if form == "percent":
        return f"{_fixed(100.0 * value, digits)}{sign}"
    if form == "short":
        return f"{value:.{digits}g}".replace("-", MINUS)
    if form == "term":
        return f"{MINUS if value < 0 else '+'} {_fixed(abs(value), digits)}"
    return _fixed(value, digits)


def _fixed(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}" if abs(value) >= SET_APART else f"{value:.{digits}f}"
    if not text.strip("-0.,"):
        text = text.removeprefix("-")
    return text.replace("-", MINUS).replace(",", THIN)


def has_interval(number: Number) -> bool:
    """Return whether a number has both bounds.

    Parameters
    ----------
    number : Number
        Number.

    Returns
    -------
    bounded : bool
        Whether lower and upper are known.

    Examples
    --------
    >>> has_interval(Number("r", 0.5, lower=0.1, upper=0.8))
    True
    """
    return math.isfinite(number.lower) and math.isfinite(number.upper)


def print_number(number: Number) -> str:
    """Write a number with its interval, as plain text.

    Parameters
    ----------
    number : Number
        Number.

    Returns
    -------
    text : str
        As it stands in the report.

    Examples
    --------
    >>> print_number(Number("r", 0.5, lower=0.1, upper=0.8, digits=1))
    '0.5 (0.1 to 0.8)'
    """
    form, digits = number.form, number.digits
    value = print_value(number.value, form, digits)
    if not has_interval(number):
        return value
    lower = print_value(number.lower, form, digits, "")
    if not math.isfinite(number.value):
        return f"{lower} to {print_value(number.upper, form, digits)}"
    return f"{value} ({lower} to {print_value(number.upper, form, digits, '')})"


def plain_text(text: Text) -> str:
    """Return pieces of text as one string.

    Parameters
    ----------
    text : tuple of pieces
        Text.

    Returns
    -------
    plain : str
        Numbers as printed, citations as author and year.

    Examples
    --------
    >>> plain_text(("d-excess (", Cite("dansgaard1964"), ")"))
    'd-excess (Dansgaard, 1964)'
    """
    words = []
    for piece in text:
        if isinstance(piece, Number):
            words.append(print_number(piece))
        elif isinstance(piece, Cite):
            words.append(reference(piece.key).short)
        else:
            words.append(piece.text if isinstance(piece, Code) else piece)
    return "".join(words)


def numbered(report: Report) -> Report:
    """Give every number of a report its anchor and its section.

    Parameters
    ----------
    report : Report
        Report.

    Returns
    -------
    report : Report
        The same with keys n1, n2, ... in the order of reading.

    Examples
    --------
    >>> from geosoil.report.document import Paragraph, Section
    >>> section = Section("a", "A", (Paragraph((Number("n", 3.0),)),))
    >>> found = numbered(Report("study", "", "geosoil", (section,)))
    >>> [(number.key, number.section) for number in all_numbers(found)]
    [('n1', 'A')]
    """
    count = itertools.count(1)
    sections = tuple(
        _keyed(section, section.title, count) for section in report.sections
    )
    return replace(report, sections=sections)


def _keyed(node: Node, section: str, count: Iterator[int]) -> Node:
    """Copy of a part of a report in which every number has a key."""
    if isinstance(node, Number):
        key = f"n{next(count)}"
        return cast("Node", replace(node, key=key, section=section))
    if isinstance(node, tuple):
        return cast("Node", tuple(_keyed(item, section, count) for item in node))
    if is_dataclass(node) and not isinstance(node, type):
        parts = {
            field.name: _keyed(getattr(node, field.name), section, count)
            for field in fields(node)
        }
        return cast("Node", replace(node, **parts))
    return node


def all_numbers(report: Report) -> list[Number]:
    """Return every number of a report.

    Parameters
    ----------
    report : Report
        Report.

    Returns
    -------
    numbers : list of Number
        In the order of reading.

    Examples
    --------
    >>> all_numbers(Report("study", "", "geosoil", ()))
    []
    """
    return [node for node in walk(report) if isinstance(node, Number)]


def walk(node: object) -> Iterator[object]:
    """Yield a part of a report and all parts in it.

    Parameters
    ----------
    node : object
        Report or part of one.

    Yields
    ------
    part : object
        The part itself, then what it holds, in the order of reading.

    Examples
    --------
    >>> [part for part in walk((Cite("craig1961"), "text")) if isinstance(part, Cite)]
    [Cite(key='craig1961')]
    """
    yield node
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif is_dataclass(node) and not isinstance(node, type):
        for field in fields(node):
            yield from walk(getattr(node, field.name))


def number_table(report: Report) -> pd.DataFrame:
    """Return every number of a report as a table.

    Parameters
    ----------
    report : Report
        Numbered report.

    Returns
    -------
    table : DataFrame
        Columns :data:`COLUMNS`; ``number`` is the anchor in the page, so that
        ``report.html#n12`` shows it.

    Examples
    --------
    >>> number_table(Report("study", "", "geosoil", ())).columns.tolist()[:3]
    ['number', 'section', 'name']
    """
    rows = [
        {
            "number": number.key,
            **{
                name: getattr(number, name)
                for name in COLUMNS
                if name not in ("number", "printed")
            },
            "printed": print_number(number),
        }
        for number in all_numbers(report)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
