"""Words of the command on interpolation: distances, cells, columns, rasters."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from geosoil.errors import InputError
from geosoil.variables import VARIABLES

_DISTANCE = re.compile(r"\s*([0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?)\s*(km|m)\s*", re.I)
_NUMBER = re.compile(r"\s*[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?\s*", re.I)
_UNIT = re.compile(r"[\[(]([^\])]+)[\])]\s*$")
_AFFIXES = re.compile(r"^fraction_|_raw$")

SHOWN = 6
"""Remarks on a table that are told; the others are counted."""


def metres(words: str, option: str) -> float:
    """Read a distance above 0.

    Parameters
    ----------
    words : str
        Number and unit, km or m.
    option : str
        Option, for the message.

    Returns
    -------
    distance : float
        Distance [m].

    Raises
    ------
    InputError
        If it is no distance above 0.

    Examples
    --------
    >>> metres("50km", "--max-distance"), metres("500 m", "--block")
    (50000.0, 500.0)
    """
    match = _DISTANCE.fullmatch(words)
    distance = float(match[1]) if match else 0.0
    if match is None or not distance > 0:
        message = f"{option} is '{words}': give a distance above 0, as 50km or 500m"
        raise InputError(message)
    return distance * (1000.0 if match[2].casefold() == "km" else 1.0)


@dataclass(frozen=True, slots=True)
class CellWords:
    """What a grid is asked to be: cells of a size, or those of a raster."""

    side: float
    """Side of a cell, in degrees or metres; 0 where a raster says it."""
    in_metres: bool = False
    """Whether the side is in metres."""
    raster: Path | None = None
    """Raster whose grid is taken."""


def cell_words(words: str) -> CellWords:
    """Read what a grid is asked to be.

    Parameters
    ----------
    words : str
        Degrees (0.05), a distance (1km), or the path of a GeoTIFF.

    Returns
    -------
    cells : CellWords
        The cells.

    Raises
    ------
    InputError
        If it is none of these.

    Examples
    --------
    >>> cell_words("0.05").side, cell_words("1km").side, cell_words("dem.tif").raster
    (0.05, 1000.0, PosixPath('dem.tif'))
    """
    if _DISTANCE.fullmatch(words):
        return CellWords(metres(words, "--grid"), in_metres=True)
    if _NUMBER.fullmatch(words):
        if float(words) > 0:
            return CellWords(float(words))
    elif Path(words).suffix.lower() in (".tif", ".tiff"):
        return CellWords(0.0, raster=Path(words))
    message = (
        f"--grid is '{words}': give the side of a cell in degrees (0.05) or with a "
        "unit (1km, 500m), or a GeoTIFF whose grid is taken"
    )
    raise InputError(message)


@dataclass(frozen=True, slots=True)
class NamedColumn:
    """A column, and what the result is called."""

    name: str
    """Name of the result."""
    column: str
    """Column of the table."""
    units: str = ""
    """Unit, from the brackets of the column's name or the vocabulary; "" for none."""


def named_column(words: str, *, composition: bool) -> NamedColumn:
    """Read COLUMN or NAME=COLUMN.

    Parameters
    ----------
    words : str
        The words.
    composition : bool
        Whether it is a part of a composition: fraction_ice_raw is then called ice.

    Returns
    -------
    column : NamedColumn
        Column and name; in the name all but letters, digits and _ are left out, so
        that it can be part of a file's name.

    Examples
    --------
    >>> named_column("Zn [ppm]", composition=False)
    NamedColumn(name='Zn', column='Zn [ppm]', units='ppm')
    >>> named_column("d18O", composition=False).units
    'permil'
    >>> named_column("fraction_ice_raw", composition=True).name
    'ice'
    >>> named_column("ice=share 2", composition=True)
    NamedColumn(name='ice', column='share 2', units='1')
    """
    name, mark, column = words.partition("=")
    if not mark:
        name, column = words, words
        if composition:
            name = _AFFIXES.sub("", words)
    column, units = column.strip(), "1" if composition else ""
    bracket = _UNIT.search(column)
    if bracket and not composition:
        units, name = bracket[1].strip(), _UNIT.sub("", name)
    elif column in VARIABLES:
        units = VARIABLES[column].units
    plain = re.sub(r"\W+", "_", name).strip("_")
    return NamedColumn(plain or "value", column, units)


def named_path(words: str) -> tuple[str, Path]:
    """Read PATH or NAME=PATH.

    Parameters
    ----------
    words : str
        The words.

    Returns
    -------
    name, path : str, Path
        Name, that of the file without one, and path.

    Examples
    --------
    >>> named_path("elevation=layers/dem.tif")[0], named_path("layers/ndvi.tif")[0]
    ('elevation', 'ndvi')
    """
    name, mark, path = words.partition("=")
    file = Path(path if mark else words)
    return re.sub(r"\W+", "_", name if mark else file.stem).strip("_"), file


def few_words(remarks: tuple[str, ...]) -> tuple[str, ...]:
    """Return the first remarks on a table, and how many more there are.

    Parameters
    ----------
    remarks : tuple of str
        What was read otherwise than it was written.

    Returns
    -------
    words : tuple of str
        At most seven lines.

    Examples
    --------
    >>> few_words(("a",) * 8)[-1]
    'and 2 more changes in reading'
    """
    if len(remarks) <= SHOWN:
        return remarks
    return (*remarks[:SHOWN], f"and {len(remarks) - SHOWN} more changes in reading")
