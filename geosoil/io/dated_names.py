"""Dates in the names of files that hold one field each."""

from __future__ import annotations

import datetime
import os
import re
from pathlib import Path

import numpy as np

from geosoil.errors import FileFormatError
from geosoil.io.granule_names import date_of

_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d{2})[._-]?(0[1-9]|1[0-2])[._-]?(0[1-9]|[12]\d|3[01])(?!\d)"
)
_MONTH = re.compile(r"(?<!\d)((?:19|20)\d{2})[._-]?(0[1-9]|1[0-2])(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")


def date_in_name(path: str | os.PathLike[str]) -> np.datetime64 | None:
    """Return the date that the name of a file holds.

    Parameters
    ----------
    path : path
        Name with a day (``ndvi_2020-06-09.tif``, ``20200609``, ``A2020161``), a month
        (``2020-06``, ``202006``) or a year.

    Returns
    -------
    date : datetime64[D] or None
        That day, or the first day of the month or year; None where there is none.

    Raises
    ------
    FileFormatError
        If the name holds several dates, or a day that its month does not have.

    Examples
    --------
    >>> [str(date_in_name(name)) for name in ("t_202006.tif", "rain-2020.06.09.tif")]
    ['2020-06-01', '2020-06-09']
    """
    name = Path(path).stem
    for pattern in (_DAY, _MONTH):
        found = {match.groups() for match in pattern.finditer(name)}
        if found:
            return _only(found, path)
    of_granule = date_of(name)
    if of_granule is not None:
        return of_granule
    years = {match.groups() for match in _YEAR.finditer(name)}
    return _only(years, path) if years else None


def _only(found: set[tuple[str, ...]], path: str | os.PathLike[str]) -> np.datetime64:
    """Return the one date found."""
    if len(found) > 1:
        listed = ", ".join(sorted("-".join(parts) for parts in found))
        message = f"'{path}': the name holds several dates ({listed}). Leave one."
        raise FileFormatError(message)
    parts = [int(part) for part in next(iter(found))] + [1, 1]
    try:
        return np.datetime64(datetime.date(*parts[:3]))
    except ValueError as error:
        message = f"'{path}': the name holds no day of the calendar ({error})."
        raise FileFormatError(message) from error
