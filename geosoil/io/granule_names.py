"""Read product, date and layer from the names that MODIS files and layers carry."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
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
_VERSION = re.compile(r"OBJECT\s*=\s*VERSIONID\b.*?VALUE\s*=\s*\"?(\d+)", re.DOTALL)
_COLLECTION = re.compile(r"\.(0\d{2})(?=[._])")
_TILE = re.compile(r"(?<![A-Za-z0-9])h(\d{2})v(\d{2})(?![0-9])", re.IGNORECASE)
COLLECTIONS = ("005", "006", "061")
"""Collections whose layers and scales are known."""
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


def collection_of(name: str) -> str | None:
    """Return the collection that a file name holds.

    Parameters
    ----------
    name : str
        A file name.

    Returns
    -------
    collection : str or None
        Three digits, for instance "061".

    Examples
    --------
    >>> collection_of("MOD13C1.A2020161.061.2020999000000.hdf")
    '061'
    """
    match = _COLLECTION.search(name)
    return match.group(1) if match else None


def tile_of(name: str) -> tuple[int, int] | None:
    """Return the tile of the sinusoidal grid that a file name holds.

    Parameters
    ----------
    name : str
        A file name. A subset keeps the name of its tile: trust its corners instead.

    Returns
    -------
    tile : tuple of int or None
        Horizontal and vertical number.

    Examples
    --------
    >>> tile_of("MOD13A3.A2020153.h25v05.061.2020999000000.hdf")
    (25, 5)
    """
    match = _TILE.search(name)
    return (int(match.group(1)), int(match.group(2))) if match else None


def platform_of(product: str | None) -> str:
    """Return the satellite of a product.

    Parameters
    ----------
    product : str or None
        Product, for instance "MYD13A1".

    Returns
    -------
    platform : str
        "Terra", "Aqua", "combined" or "unknown".

    Examples
    --------
    >>> platform_of("MYD13A1")
    'Aqua'
    """
    known = {"MOD": "Terra", "MYD": "Aqua", "MCD": "combined"}
    return known.get((product or "")[:3], "unknown")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file says it comes from."""

    product: str | None
    """Short name of the product."""
    date: np.datetime64 | None
    """First day of the period."""
    collection: str | None
    """Collection, three digits."""


def described_origin(attributes: Mapping[str, Any]) -> Origin:
    """Return product, first day and collection as a file's own metadata give them.

    Parameters
    ----------
    attributes : mapping
        Global attributes of an HDF-EOS2 file.

    Returns
    -------
    origin : Origin
        None for what it does not say.

    Examples
    --------
    >>> described_origin({"CoreMetadata.0": 'OBJECT = SHORTNAME VALUE = "MOD13C1"'})
    Origin(product='MOD13C1', date=None, collection=None)
    """
    texts = [
        text
        for key, text in attributes.items()
        if "CoreMetadata" in key and isinstance(text, str)
    ]
    core = "\n".join(texts)
    name, beginning = _SHORT_NAME.search(core), _BEGINNING.search(core)
    version = _VERSION.search(core)
    return Origin(
        product=product_of(name.group(1)) if name else None,
        date=_iso_date(beginning.group(1)) if beginning else None,
        collection=_three_digits(version.group(1)) if version else None,
    )


def checked_origin(path: Path, attributes: Mapping[str, Any]) -> Origin:
    """Return product, first day and collection from a file's name and metadata.

    Parameters
    ----------
    path : Path
        The file.
    attributes : mapping
        Its global attributes.

    Returns
    -------
    origin : Origin
        The name goes before the metadata.

    Raises
    ------
    FileFormatError
        If name and metadata contradict each other, or the collection is not known.

    Examples
    --------
    >>> checked_origin(Path("MOD13C1.A2020161.061.hdf"), {}).collection
    '061'
    """
    told = described_origin(attributes)
    product, collection = product_of(path.name), collection_of(path.name)
    if product and told.product and product != told.product:
        message = (
            f"'{path}': the name says product {product}, its metadata say "
            f"{told.product}. The file was renamed or is the wrong one; give it the "
            f"name of its product or download {product}."
        )
        raise FileFormatError(message)
    if collection and told.collection and collection != told.collection:
        message = (
            f"'{path}': the name says collection {collection}, its metadata say "
            f"{told.collection}. The file was renamed or is the wrong one; download it "
            "again."
        )
        raise FileFormatError(message)
    collection = collection or told.collection
    if collection and collection not in COLLECTIONS:
        message = (
            f"'{path}' is of collection {collection}; known are "
            f"{', '.join(COLLECTIONS)}, others have other layers and scales. Download "
            "collection 061."
        )
        raise FileFormatError(message)
    return Origin(product or told.product, date_of(path) or told.date, collection)


def _three_digits(version: str) -> str:
    """Return a version as the three digits of file names: 6 is 006, 61 is 061."""
    return f"{int(version):03d}"


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
