"""Names and colours of classes beside a GeoTIFF, where GIS programs look for them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import numpy as np
import xarray as xr

from geosoil.errors import InputError
from geosoil.io._bands import FLAGS, strip_rows

Colour = tuple[int, int, int, int]

STALE = (".aux.xml", ".ovr", ".msk")
"""Endings of files beside a GeoTIFF that tell of its old content."""

NO_BIT = "none of these"
"""Name of the code 0 where codes are sums of bits."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_MOST = 4096
# Name, type (0 integer, 2 text) and usage of the columns of GDAL's attribute tables.
_COLUMNS = (("Value", 0, 5), ("Count", 0, 1), ("Class", 2, 2))
_COLOURED = (("Red", 0, 6), ("Green", 0, 7), ("Blue", 0, 8), ("Alpha", 0, 9))


@dataclass(frozen=True, slots=True)
class Legend:
    """The classes of a raster."""

    names: dict[int, str]
    """Name of each code, in the order of the codes."""
    counts: dict[int, int]
    """Cells of each code in the raster; none where the raster has several bands."""
    colours: dict[int, Colour]
    """Red, green, blue and alpha (0 to 255) of the codes that have a colour."""
    nodata: int | None
    """Code of missing cells, if there is one."""

    @property
    def table(self) -> dict[int, Colour]:
        """Colour table of a raster of bytes; missing cells are clear."""
        if not self.colours:
            return {}
        table = dict.fromkeys(range(256), (0, 0, 0, 255)) | self.colours
        return table | ({} if self.nodata is None else {self.nodata: (0, 0, 0, 0)})


def sidecar_of(path: str | os.PathLike[str]) -> Path:
    """Return the name of the file that holds the classes of a raster.

    Parameters
    ----------
    path : path
        A GeoTIFF.

    Returns
    -------
    sidecar : Path
        ``<name>.aux.xml`` beside it. Only rasters of classes have one.

    Examples
    --------
    >>> sidecar_of("soil.tif").name
    'soil.tif.aux.xml'
    """
    return Path(f"{os.fspath(path)}.aux.xml")


def with_sidecars(paths: Iterable[Path]) -> list[Path]:
    """Return rasters that were just written, with the files beside them.

    Parameters
    ----------
    paths : iterable of Path
        Files written.

    Returns
    -------
    paths : list of Path
        The same; after a GeoTIFF its sidecar, where it has one.
    """
    found = []
    for path in paths:
        found.append(path)
        if path.suffix == ".tif" and sidecar_of(path).is_file():
            found.append(sidecar_of(path))
    return found


def legend_of(
    raster: xr.DataArray, colours: Mapping[int, str] | None = None
) -> Legend | None:
    """Gather the classes that a raster tells of.

    Parameters
    ----------
    raster : DataArray
        Codes, with the CF attributes ``flag_meanings`` and ``flag_values`` or, for
        bits, ``flag_masks``; underscores of the meanings stand for spaces.
    colours : mapping of int to str, optional
        ``"#rrggbb"`` of each code.

    Returns
    -------
    legend : Legend or None
        None for a raster that is none of classes. Codes of bits are those that occur,
        each named by its bits.

    Raises
    ------
    InputError
        If colours are given for numbers that are no integers, a colour is no
        ``"#rrggbb"``, or values and meanings are not as many.

    Examples
    --------
    >>> raster = xr.DataArray(np.array([[1, 2]], dtype=np.uint8))
    >>> raster.attrs = {"flag_values": [1, 2], "flag_meanings": "wet_soil dry_soil"}
    >>> legend_of(raster, {1: "#0000ff"}).names
    {1: 'wet soil', 2: 'dry soil'}
    """
    masks = "flag_masks" in raster.attrs
    if raster.dtype.kind not in "iub":
        if colours:
            message = f"Colours of classes need integer codes, not {raster.dtype}."
            raise InputError(message)
        return None
    if not colours and not masks and "flag_values" not in raster.attrs:
        return None
    painted = _painted(colours or {})
    counts = _counts(raster)
    named = _named_bits(raster.attrs, counts) if masks else _named(raster.attrs)
    nodata = raster.attrs.get("nodata")
    codes = sorted((set(named) | set(painted)) - {nodata})
    return Legend(
        names={code: named.get(code, str(code)) for code in codes},
        counts=counts if raster.ndim == 2 else {},
        colours=painted,
        nodata=None if nodata is None else int(nodata),
    )


def flags_of(tags: Mapping[str, str], dtype: np.dtype[Any]) -> dict[str, object]:
    """Return the CF attributes of classes that the tags of a file hold.

    Parameters
    ----------
    tags : mapping of str to str
        Tags of the file.
    dtype : dtype
        Type of the codes.

    Returns
    -------
    attrs : dict
        ``flag_values`` or ``flag_masks`` as an array of that type and
        ``flag_meanings``; empty unless the tags tell as many names as numbers.

    Examples
    --------
    >>> flags_of({"flag_values": "0 1", "flag_meanings": "ok few"}, np.dtype("u1"))
    {'flag_values': array([0, 1], dtype=uint8), 'flag_meanings': 'ok few'}
    """
    meanings = tags.get("flag_meanings", "")
    for key in FLAGS[:2]:
        numbers = tags.get(key, "").split()
        try:
            values = np.array([int(number) for number in numbers], dtype=dtype)
        except (ValueError, OverflowError):
            # Words of another program.
            continue
        if numbers and len(numbers) == len(meanings.split()):
            return {key: values, "flag_meanings": meanings}
    return {}


def sidecar_text(legend: Legend, *, bands: int) -> str:
    """Return the sidecar of a raster of classes.

    Parameters
    ----------
    legend : Legend
        The classes.
    bands : int
        Bands of the raster; all have the same classes.

    Returns
    -------
    text : str
        XML as GDAL's persistent auxiliary metadata has it: category names for codes
        from 0 to 255, and a table with value, count, name and colour.

    Examples
    --------
    >>> text = sidecar_text(Legend({1: "a & b"}, {1: 3}, {}, None), bands=1)
    >>> "<Category>a &amp; b</Category>" in text, "<F>3</F>" in text
    (True, True)
    """
    lines = ["<PAMDataset>"]
    for band in range(1, bands + 1):
        lines.append(f'  <PAMRasterBand band="{band}">')
        lines += _categories(legend)
        lines += _table(legend)
        lines.append("  </PAMRasterBand>")
    return "\n".join([*lines, "</PAMDataset>", ""])


def _categories(legend: Legend) -> list[str]:
    """Return the names in the order of codes that start at 0."""
    if not legend.names or min(legend.names) < 0 or max(legend.names) > 255:
        return []
    names = [legend.names.get(code, "") for code in range(max(legend.names) + 1)]
    lines = [f"      <Category>{escape(name)}</Category>" for name in names]
    return ["    <CategoryNames>", *lines, "    </CategoryNames>"]


def _table(legend: Legend) -> list[str]:
    """Return the attribute table, one row a class."""
    columns = [c for c in _COLUMNS if legend.counts or c[0] != "Count"]
    columns += _COLOURED if legend.colours else ()
    lines = ['    <GDALRasterAttributeTable tableType="thematic">']
    for index, (name, kind, usage) in enumerate(columns):
        lines += [
            f'      <FieldDefn index="{index}">',
            f"        <Name>{name}</Name>",
            f"        <Type>{kind}</Type>",
            f"        <Usage>{usage}</Usage>",
            "      </FieldDefn>",
        ]
    for row, (code, name) in enumerate(legend.names.items()):
        cells: dict[str, object] = {"Value": code, "Class": escape(name)}
        cells["Count"] = legend.counts.get(code, 0)
        colour = legend.colours.get(code, (0, 0, 0, 0))
        cells |= {column[0]: c for column, c in zip(_COLOURED, colour, strict=True)}
        fields = "".join(f"<F>{cells[column[0]]}</F>" for column in columns)
        lines.append(f'      <Row index="{row}">{fields}</Row>')
    return [*lines, "    </GDALRasterAttributeTable>"]


def _painted(colours: Mapping[int, str]) -> dict[int, Colour]:
    """Return colours as numbers."""
    wrong = {code: c for code, c in colours.items() if not _HEX.fullmatch(str(c))}
    if wrong:
        found = ", ".join(f"{code}: {colour!r}" for code, colour in wrong.items())
        message = f"Colours of classes are written '#rrggbb'; found {found}."
        raise InputError(message)
    return {
        int(code): (int(c[1:3], 16), int(c[3:5], 16), int(c[5:7], 16), 255)
        for code, c in sorted(colours.items())
    }


def _counts(raster: xr.DataArray) -> dict[int, int]:
    """Count the cells of each code, strip by strip."""
    counts: dict[int, int] = {}
    values = raster.to_numpy()
    for rows in strip_rows(values.shape):
        codes, cells = np.unique(values[..., rows, :], return_counts=True)
        for code, number in zip(codes.tolist(), cells.tolist(), strict=True):
            counts[int(code)] = counts.get(int(code), 0) + number
    return counts


def _named(attrs: Mapping[str, object]) -> dict[int, str]:
    """Return the name of each code by the CF attributes."""
    if "flag_values" not in attrs:
        return {}
    return _pairs(attrs, "flag_values")


def _named_bits(
    attrs: Mapping[str, object], counts: Mapping[int, int]
) -> dict[int, str]:
    """Return the names of the codes that occur, each by the bits that are set."""
    bits = _pairs(attrs, "flag_masks")
    if len(counts) > _MOST:
        return bits
    return {code: bit_words(code, bits) for code in sorted(counts)}


def bit_words(code: int, bits: Mapping[int, str]) -> str:
    """Name the bits that are set in a code.

    Parameters
    ----------
    code : int
        Sum of bits.
    bits : mapping of int to str
        Name of each.

    Returns
    -------
    words : str
        All that are set; :data:`NO_BIT` where none is.

    Examples
    --------
    >>> bit_words(3, {1: "far", 2: "few"}), bit_words(0, {1: "far"})
    ('far; few', 'none of these')
    """
    return "; ".join(name for bit, name in bits.items() if code & bit) or NO_BIT


def _pairs(attrs: Mapping[str, object], key: str) -> dict[int, str]:
    """Return numbers and meanings of a CF attribute."""
    given: object = attrs[key]
    if isinstance(given, str):
        given = given.replace(",", " ").split()
    numbers = [int(number) for number in np.ravel(np.asarray(given)).tolist()]
    words = str(attrs.get("flag_meanings", "")).split()
    if len(numbers) != len(words):
        message = (
            f"A raster has {len(numbers)} {key} ({', '.join(map(str, numbers))}) but "
            f"{len(words)} flag_meanings. Give one word a value."
        )
        raise InputError(message)
    return {
        number: word.replace("_", " ")
        for number, word in sorted(zip(numbers, words, strict=True))
    }
