"""Read product, date and layer from the names that MODIS files and layers carry."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from geosoil.errors import FileFormatError

_PRODUCT = re.compile(
    r"(?<![A-Z0-9])(M[OYC]D\d{2}[A-Z][A-Z0-9]{1,4})(?![A-Z0-9])", re.IGNORECASE
)
_DATES = (
    re.compile(r"(?<![A-Za-z0-9])A(\d{4})(\d{3})(?!\d)", re.IGNORECASE),
    re.compile(r"(?<![A-Za-z])doy[_.-]?(\d{4})(\d{3})(?!\d)", re.IGNORECASE),
    re.compile(r"(?<!\d)(\d{4})[._-](\d{3})(?!\d)"),
)
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
_SHORT_NAME = re.compile(r'OBJECT\s*=\s*SHORTNAME\b.*?VALUE\s*=\s*"([^"]*)"', re.DOTALL)
_BEGINNING = re.compile(
    r'OBJECT\s*=\s*RANGEBEGINNINGDATE\b.*?VALUE\s*=\s*"(\d{4}-\d{2}-\d{2})"', re.DOTALL
)
_PERIOD = re.compile(r"^.*?(?:16_?days?|8_?days?|monthly)_")


def product_of(name: str) -> str | None:
    """Return the product that a file name begins with or holds.

    Parameters
    ----------
    name : str
        A file name or a short name.

    Returns
    -------
    product : str or None
        For instance "MOD13C1".

    Examples
    --------
    >>> product_of("MOD13C1.A2020161.061.2020999000000.hdf")
    'MOD13C1'
    """
    match = _PRODUCT.search(name)
    return match.group(1).upper() if match else None


def date_of(path: str | os.PathLike[str]) -> np.datetime64 | None:
    """Return the date that a file name holds.

    Parameters
    ----------
    path : path
        Name such as PRODUCT.AYYYYDDD..., ..._YYYY_DDD.tif or ..._doyYYYYDDD...;
        DDD is the day of the year counted from 1.

    Returns
    -------
    date : datetime64[D] or None
        First day of the composite.

    Raises
    ------
    FileFormatError
        If the name holds a day that its year does not have.

    Examples
    --------
    >>> str(date_of("MOD13C1.A2020161.061.2020999000000.hdf"))
    '2020-06-09'
    """
    name = Path(path).name
    for pattern in _DATES:
        match = pattern.search(name)
        if match:
            year, day = int(match.group(1)), int(match.group(2))
            leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
            if not (year >= 1970 and 1 <= day <= 365 + leap):
                message = (
                    f"'{path}': the name says day {day} of {year}. Days of the year "
                    f"run from 1 to {365 + leap}."
                )
                raise FileFormatError(message)
            return np.datetime64(f"{year:04d}-01-01") + np.timedelta64(day - 1, "D")
    match = _ISO_DATE.search(name)
    if match:
        return _iso_date(match.group(0))
    return None


def described_origin(
    attributes: Mapping[str, Any],
) -> tuple[str | None, np.datetime64 | None]:
    """Return product and first day as a file's own metadata give them.

    Parameters
    ----------
    attributes : mapping
        Global attributes of an HDF-EOS2 file.

    Returns
    -------
    product : str or None
        Short name of the product.
    date : datetime64[D] or None
        Beginning of the period.
    """
    texts = [
        text
        for key, text in attributes.items()
        if "CoreMetadata" in key and isinstance(text, str)
    ]
    core = "\n".join(texts)
    name, beginning = _SHORT_NAME.search(core), _BEGINNING.search(core)
    return (
        product_of(name.group(1)) if name else None,
        _iso_date(beginning.group(1)) if beginning else None,
    )


def short_name(layer: str) -> str:
    """Return the plain name of a layer, without resolution, period and case.

    Parameters
    ----------
    layer : str
        Name as in the file or as a user types it.

    Returns
    -------
    name : str
        Lower case, words joined by underscores.

    Examples
    --------
    >>> short_name("CMG 0.05 Deg 16 days NDVI"), short_name("1 km monthly VI Quality")
    ('ndvi', 'vi_quality')
    >>> short_name("LST_Day_1km")
    'lst_day_1km'
    """
    plain = plain_name(re.sub(r"\(band[^)]*\)", "", layer, flags=re.IGNORECASE))
    plain = _PERIOD.sub("", plain) or plain
    reliability = plain.startswith("pixel_reliability")
    return "pixel_reliability" if reliability else plain


def plain_name(layer: str) -> str:
    """Return a name in lower case with one underscore for all that is no letter.

    Parameters
    ----------
    layer : str
        Name of a layer or grid.

    Returns
    -------
    name : str
        The same name without case and spacing.

    Examples
    --------
    >>> plain_name("250m 16  days NDVI")
    '250m_16_days_ndvi'
    """
    return re.sub(r"[^a-z0-9]+", "_", layer.lower()).strip("_")


def _iso_date(text: str) -> np.datetime64 | None:
    """Return an ISO date, None where the calendar has no such day."""
    try:
        return np.datetime64(datetime.date.fromisoformat(text))
    except ValueError:
        return None
