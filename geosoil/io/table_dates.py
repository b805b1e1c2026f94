"""Reading of a column of dates; dates that can be read in two ways are refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from geosoil.io.table_values import MISSING, clean_text
from geosoil.io.vocabulary import words

DateOrder = Literal["dayfirst", "monthfirst"]
"""What a user may say of dates such as 06/08/2020."""

_EXCEL_START = date(1899, 12, 30)
_EXCEL_SERIALS = range(20_000, 80_000)
_YEARS = range(1900, 2101)
_MONTH_NAMES = words("jan feb mar apr may jun jul aug sep oct nov dec")
_SERIAL = re.compile(r"([0-9]{5})(?:\.[0-9]+)?")
_TIME = r"(?:[T\s]+[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?\s*(?:Z|[AP]M)?)?"
_YEAR_FIRST = re.compile(
    r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?" + _TIME, re.I
)
_COMPACT = re.compile(r"([12][0-9]{3})([0-9]{2})([0-9]{2})")
_YEAR_LAST = re.compile(
    r"([0-9]{1,2})\s*[-/.]\s*([0-9]{1,2})\s*[-/.]\s*([0-9]{4}|[0-9]{2})" + _TIME, re.I
)
_DAY_NAME = re.compile(
    r"([0-9]{1,2})(?:st|nd|rd|th)?[\s./-]*([a-z]{3,9})\.?[\s,./-]*([0-9]{4}|[0-9]{2})",
    re.I,
)
_NAME_DAY = re.compile(
    r"([a-z]{3,9})\.?[\s./-]*([0-9]{1,2})(?:st|nd|rd|th)?[\s,./-]+([0-9]{4})", re.I
)


@dataclass(frozen=True, slots=True)
class DateReading:
    """One cell, read as a day."""

    value: date | None
    """The day; None where missing."""
    rule: str = ""
    """What was done to read it; empty for a plain ISO date."""
    fault: str = ""
    """Why it could not be read."""


def read_dates(
    cells: Sequence[object], *, order: DateOrder | None = None
) -> list[DateReading]:
    """Read a column of dates.

    Parameters
    ----------
    cells : sequence of object
        Text, workbook dates or serial day numbers.
    order : {"dayfirst", "monthfirst"}, optional
        What the user says of dates such as 06/08/2020.

    Returns
    -------
    readings : list of DateReading
        One a cell. 06/08/2020 is refused unless another cell of the column, such as
        15/08/2020, shows whether the day or the month comes first, or ``order`` says
        so. A date that contradicts ``order`` is refused.

    Examples
    --------
    >>> [r.value.isoformat() for r in read_dates(["2020-06-15", "2020年6月15日"])]
    ['2020-06-15', '2020-06-15']
    >>> read_dates(["06/08/2020"])[0].value is None
    True
    >>> read_dates(["06/08/2020"], order="dayfirst")[0].value.isoformat()
    '2020-08-06'
    """
    texts = [clean_text(cell)[0] if isinstance(cell, str) else "" for cell in cells]
    day_first = _day_first(texts) if order is None else order == "dayfirst"
    return [
        _read_text(text, day_first) if isinstance(cell, str) else _read_native(cell)
        for cell, text in zip(cells, texts, strict=True)
    ]


def _day_first(texts: Sequence[str]) -> bool | None:
    """Whether the day comes first in a column; None where nothing tells."""
    orders = set()
    for text in texts:
        match = _YEAR_LAST.fullmatch(text)
        if match and int(match[1]) > 12 >= int(match[2]):
            orders.add(True)
        elif match and int(match[2]) > 12 >= int(match[1]):
            orders.add(False)
    return orders.pop() if len(orders) == 1 else None


def _read_native(cell: object) -> DateReading:
    if cell is None:
        return DateReading(None)
    if isinstance(cell, datetime):
        rule = "time of day dropped" if cell.time() != datetime.min.time() else ""
        return _day(cell.year, cell.month, cell.day, rule)
    if isinstance(cell, date):
        return _day(cell.year, cell.month, cell.day, "")
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _read_text(f"{cell:.10g}", None)
    return DateReading(None, fault="not a date")


def _read_text(text: str, day_first: bool | None) -> DateReading:
    if not text or text.casefold() in MISSING:
        return DateReading(None, "missing marker" if text else "")
    reading = _read_digits(text, day_first) or _read_named(text)
    return reading or DateReading(None, fault="not a date")


def _read_digits(text: str, day_first: bool | None) -> DateReading | None:
    if match := _YEAR_FIRST.fullmatch(text):
        plain = f"{match[1]}-{match[2]}-{match[3]}" == text and len(text) == 10
        rule = "time of day dropped" if ":" in text else "year first"
        return _day(int(match[1]), int(match[2]), int(match[3]), "" if plain else rule)
    if match := _COMPACT.fullmatch(text):
        return _day(int(match[1]), int(match[2]), int(match[3]), "digits yyyymmdd")
    if match := _YEAR_LAST.fullmatch(text):
        return _year_last(match, day_first)
    serial = _SERIAL.fullmatch(text)
    if serial and int(serial[1]) in _EXCEL_SERIALS:
        day = _EXCEL_START + timedelta(days=int(serial[1]))
        return DateReading(day, "day number of a spreadsheet")
    return None


def _read_named(text: str) -> DateReading | None:
    if match := _DAY_NAME.fullmatch(text):
        return _named(match[1], match[2], match[3])
    if match := _NAME_DAY.fullmatch(text):
        return _named(match[2], match[1], match[3])
    return None


def _year_last(match: re.Match[str], day_first: bool | None) -> DateReading:
    first, second = int(match[1]), int(match[2])
    year, note = _full_year(match[3])
    order = True if first == second else day_first
    if order is None:
        if first > 12 or second > 12:
            fault = "day first in some rows, month first in others"
        else:
            fault = (
                "day and month can be exchanged; write it as yyyy-mm-dd, or state "
                'dates="dayfirst" or dates="monthfirst"'
            )
        return DateReading(None, fault=fault)
    day, month = (first, second) if order else (second, first)
    rule = "day first" if order else "month first"
    if month > 12:
        return DateReading(None, fault=f"not {rule}, as the other dates or dates= say")
    return _day(year, month, day, rule + note)


def _named(day: str, name: str, year: str) -> DateReading:
    key = name[:3].casefold()
    if key not in _MONTH_NAMES:
        return DateReading(None, fault="not a date")
    full, note = _full_year(year)
    month = _MONTH_NAMES.index(key) + 1
    return _day(full, month, int(day), f"name of the month{note}")


def _full_year(year: str) -> tuple[int, str]:
    if len(year) == 4:
        return int(year), ""
    return 2000 + int(year), f", year {year} taken for 20{year}"


def _day(year: int, month: int, day: int, rule: str) -> DateReading:
    if year not in _YEARS:
        return DateReading(None, fault=f"year {year} is not within 1900-2100")
    try:
        return DateReading(date(year, month, day), rule)
    except ValueError:
        return DateReading(None, fault="no such day")
