"""Reading of one cell as a latitude or longitude: decimal degrees or sexagesimal."""

from __future__ import annotations

import math
import re
from typing import Literal

from geosoil.io.table_values import NumberFormat, Reading, clean_text, read_number

Axis = Literal["latitude", "longitude"]

_LETTERS = {"latitude": "NS", "longitude": "EW"}
_NAMES = {"北纬": "N", "南纬": "S", "东经": "E", "西经": "W", "北": "N", "东": "E"}
_NAMES |= {"南": "S", "西": "W", "度": "°", "分": "'", "秒": '"'}
_NAMES |= dict.fromkeys(("\u2032", "\u2019", "\u2018", "\u00b4"), "'")
_NAMES |= dict.fromkeys(("\u2033", "\u201d", "\u201c", "''"), '"')
_NAMES |= dict.fromkeys(("\u00ba", "\u02da", "deg"), "\u00b0")
_PART = r"[0-9]+(?:[.,][0-9]+)?"
_DMS_LETTERS = re.compile(
    rf"({_PART})\s*d\s*({_PART})\s*m(?:\s*({_PART})\s*s)?", re.IGNORECASE
)
_ANGLE = re.compile(
    rf"(?P<before>[NSEW]?)\s*(?P<sign>[+-]?)\s*(?P<d>{_PART})\s*"
    rf"(?:(?:[°:]\s*|\s+)(?P<m>{_PART})\s*"
    rf"(?:(?:[':]\s*|\s+)(?P<s>{_PART})\s*\"?|'?)|°?)"
    rf"\s*(?P<after>[NSEW]?)"
)


def read_coordinate(cell: object, axis: Axis, form: NumberFormat) -> Reading:
    r"""Read a cell as degrees north or east.

    Parameters
    ----------
    cell : object
        Number or text: decimal degrees, with degree signs or letters, or degrees,
        minutes and seconds.
    axis : {"latitude", "longitude"}
        Which coordinate the column holds.
    form : NumberFormat
        Decimal mark and range.

    Returns
    -------
    reading : Reading
        Degrees, what was done, or the fault.

    Examples
    --------
    >>> read_coordinate("34°08'24\"N", "latitude", NumberFormat()).value
    34.14
    >>> read_coordinate("92.26 W", "longitude", NumberFormat()).value
    -92.26
    >>> read_coordinate("34°75' N", "latitude", NumberFormat()).fault
    'minutes and seconds must be below 60'
    """
    plain = read_number(cell, form)
    if not plain.fault or not isinstance(cell, str):
        return plain
    text, rules = clean_text(cell)
    for written, sign in _NAMES.items():
        text = text.replace(written, sign)
    text = _DMS_LETTERS.sub(lambda m: f"{m[1]}°{m[2]}'{m[3] or ''}", text, count=1)
    match = _ANGLE.fullmatch(text.upper())
    if match is None:
        return plain
    return _angle(match, axis, rules)


def _angle(match: re.Match[str], axis: Axis, rules: tuple[str, ...]) -> Reading:
    letters = [c for c in (match["before"], match["after"]) if c]
    if len(letters) > 1 or (letters and letters[0] not in _LETTERS[axis]):
        return Reading(math.nan, rules, f"'{''.join(letters)}' is no {axis}")
    if letters and match["sign"]:
        return Reading(math.nan, rules, "both a sign and a letter")
    written = [match["d"], match["m"], match["s"]]
    parts = [float(p.replace(",", ".")) for p in written if p is not None]
    if any(not part.is_integer() for part in parts[:-1]):
        return Reading(math.nan, rules, "decimals before the last part of an angle")
    if any(part >= 60 for part in parts[1:]):
        return Reading(math.nan, rules, "minutes and seconds must be below 60")
    degrees = round(sum(part / 60.0**k for k, part in enumerate(parts)), 10)
    negative = match["sign"] == "-" or bool(letters and letters[0] in "SW")
    rule = "degrees, minutes, seconds" if len(parts) > 1 else "degree sign or letter"
    return Reading(-degrees if negative else degrees, (*rules, rule))
