"""Read the grids of an HDF-EOS2 file from its StructMetadata text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError
from geosoil.grids.grid import Grid

EARTH_RADIUS = 6371007.181
"""Radius of the sphere of the MODIS sinusoidal grid [m]."""

_CORNERS = {"HDFE_GD_UL", "HDFE_GD_UR", "HDFE_GD_LL", "HDFE_GD_LR"}
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_STATEMENT = re.compile(r"\s*([A-Za-z_]\w*)\s*=\s*(.*?)\s*$", re.DOTALL)
_GROUPS = ("GROUP", "OBJECT")
_ENDS = ("END_GROUP", "END_OBJECT")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class EosGrid:
    """One grid of an HDF-EOS2 file and the arrays that lie on it."""

    name: str
    """GridName."""
    grid: Grid
    """Where its cells lie, north up and west to east."""
    columns_reversed: bool
    """Whether the file stores columns from east to west."""
    rows_reversed: bool
    """Whether the file stores rows from south to north."""
    fields: dict[str, tuple[str, ...]]
    """Arrays on the grid and the names of their dimensions."""
    corners_assumed: bool = False
    """Whether the file gives no corners and the whole globe was assumed."""


def parse_structmetadata(text: str) -> tuple[EosGrid, ...]:
    """Read all grids of a StructMetadata text.

    Parameters
    ----------
    text : str
        Content of the global attributes ``StructMetadata.0``, ``.1``, ... joined.

    Returns
    -------
    grids : tuple of EosGrid
        In the order of the file; empty where it describes swaths or points only.

    Raises
    ------
    FileFormatError
        If a grid lacks its size or corners, has an unknown projection, or its corners
        make no sense; the message says what was found.

    Notes
    -----
    Corners of geographic grids are packed degrees, minutes and seconds
    (DDDMMMSSS.SS: 89045000.00 is 89 degrees 45 minutes). Plain degrees, and degrees
    times a million where the digits cannot be minutes and seconds, are understood too.

    Examples
    --------
    >>> grid, = parse_structmetadata('''
    ... GROUP=GridStructure
    ...   GROUP=GRID_1
    ...     GridName="MODIS_Grid_16Day_VI_CMG"
    ...     XDim=7200
    ...     YDim=3600
    ...     UpperLeftPointMtrs=(-180000000.000000,90000000.000000)
    ...     LowerRightMtrs=(180000000.000000,-90000000.000000)
    ...     Projection=GCTP_GEO
    ...   END_GROUP=GRID_1
    ... END_GROUP=GridStructure
    ... ''')
    >>> grid.name, grid.grid.shape, grid.grid.resolution
    ('MODIS_Grid_16Day_VI_CMG', (3600, 7200), (0.05, 0.05))
    """
    tree = _tree(text)
    structure = tree.get("GridStructure", {})
    groups = [value for value in structure.values() if isinstance(value, dict)]
    return tuple(_eos_grid(group) for group in groups if "GridName" in group)


def _statements(text: str) -> Iterator[tuple[str, str]]:
    """Yield key and value of each statement; values in brackets may span lines."""
    pending = ""
    for line in text.replace("\x00", "\n").splitlines():
        pending = f"{pending} {line.strip()}" if pending else line
        if pending.count("(") > pending.count(")") and len(pending) < 10_000:
            continue
        match = _STATEMENT.match(pending)
        pending = ""
        if match:
            yield match.group(1), match.group(2)


def _tree(text: str) -> dict[str, Any]:
    """Return groups and objects as nested mappings of their raw values."""
    root: dict[str, Any] = {}
    stack = [root]
    for key, value in _statements(text):
        if key in _GROUPS:
            child: dict[str, Any] = {}
            stack[-1][value] = child
            stack.append(child)
        elif key in _ENDS:
            if len(stack) > 1:
                stack.pop()
        else:
            stack[-1][key] = value
    return root


def _eos_grid(group: Mapping[str, Any]) -> EosGrid:
    """Turn one grid group into a grid."""
    name = str(group["GridName"]).strip('"')
    shape = (_size(group, "YDim", name), _size(group, "XDim", name))
    projection = str(group.get("Projection", "")).strip('"')
    if projection not in ("GCTP_GEO", "GCTP_SNSOID"):
        message = (
            f"Grid '{name}' has the projection '{projection or 'none'}'. Only "
            "geographic (GCTP_GEO) and sinusoidal (GCTP_SNSOID) grids can be read."
        )
        raise FileFormatError(message)
    upper_left, lower_right = (
        _point(group, key) for key in ("UpperLeftPointMtrs", "LowerRightMtrs")
    )
    assumed = False
    if projection == "GCTP_GEO":
        crs = CRS.from_epsg(4326)
        corners, assumed = _degrees(name, shape, upper_left, lower_right)
    else:
        crs = _crs(_sinusoidal(group), name)
        if upper_left is None or lower_right is None:
            message = (
                f"Grid '{name}' gives no corners (UpperLeftPointMtrs, LowerRightMtrs), "
                "and a sinusoidal grid cannot be placed without them: a subset keeps "
                "the name of its tile. Download the file again, or ask for a GeoTIFF."
            )
            raise FileFormatError(message)
        corners = (*upper_left, *lower_right)
    origin = str(group.get("GridOrigin", "HDFE_GD_UL")).strip('"')
    if origin not in _CORNERS:
        message = f"Grid '{name}' has the unknown GridOrigin '{origin}'."
        raise FileFormatError(message)
    return EosGrid(
        name=name,
        grid=Grid(crs, _transform(name, shape, corners), shape),
        columns_reversed=origin.endswith("R"),
        rows_reversed=origin[-2] == "L",
        fields=_fields(group),
        corners_assumed=assumed,
    )


def _size(group: Mapping[str, Any], key: str, name: str) -> int:
    """Return a dimension of the grid."""
    text = str(group.get(key, ""))
    if not re.fullmatch("[0-9]{1,7}", text) or int(text) == 0:
        message = f"Grid '{name}' has no usable {key} (found '{text}')."
        raise FileFormatError(message)
    return int(text)


def _point(group: Mapping[str, Any], key: str) -> Point | None:
    """Return a corner, None where it is absent, DEFAULT or -1."""
    numbers = [float(text) for text in _NUMBER.findall(str(group.get(key, "")))]
    if len(numbers) != 2 or numbers == [-1.0, -1.0]:
        return None
    return numbers[0], numbers[1]


def _degrees(
    name: str,
    shape: tuple[int, int],
    upper_left: Point | None,
    lower_right: Point | None,
) -> tuple[tuple[float, float, float, float], bool]:
    """Return the corners in degrees, and whether they had to be assumed."""
    if upper_left is None or lower_right is None:
        if shape[1] != 2 * shape[0]:
            message = (
                f"Grid '{name}' gives no corners, and its {shape[0]} x {shape[1]} "
                "cells cannot cover the globe."
            )
            raise FileFormatError(message)
        return (-180.0, 90.0, 180.0, -90.0), True
    packed = (*upper_left, *lower_right)
    if max(abs(value) for value in packed) <= 360:
        degrees = packed
    elif all(_is_packed(value) for value in packed):
        degrees = tuple(_unpacked(value) for value in packed)  # type: ignore[assignment]
    else:
        degrees = tuple(value / 1e6 for value in packed)  # type: ignore[assignment]
    west, north, east, south = (round(value, 10) for value in degrees)
    if max(abs(west), abs(east)) > 360 or max(abs(north), abs(south)) > 90:
        message = (
            f"Grid '{name}' has the corners {packed}, which are no degrees on Earth."
        )
        raise FileFormatError(message)
    return (west, north, east, south), False


def _is_packed(value: float) -> bool:
    """Whether a number can be DDDMMMSSS.SS, with minutes and seconds up to 60."""
    minutes, seconds = divmod(abs(value) % 1e6, 1e3)
    return minutes <= 60 and seconds <= 60


def _unpacked(value: float) -> float:
    """Turn DDDMMMSSS.SS into degrees."""
    degrees, rest = divmod(abs(value), 1e6)
    minutes, seconds = divmod(rest, 1e3)
    return math.copysign(degrees + minutes / 60 + seconds / 3600, value)


def _sinusoidal(group: Mapping[str, Any]) -> str:
    """Return the proj string of a sinusoidal grid."""
    found = [float(text) for text in _NUMBER.findall(str(group.get("ProjParams", "")))]
    parameters = (found + [0.0] * 13)[:13]
    # Without a radius GCTP takes its own; every MODIS product means this sphere.
    radius = parameters[0] if parameters[0] > 0 else EARTH_RADIUS
    longitude = _unpacked(parameters[4])
    return (
        f"+proj=sinu +lon_0={longitude:.12g} +x_0={parameters[6]:.12g} "
        f"+y_0={parameters[7]:.12g} +R={radius:.12g} +units=m +no_defs"
    )


def _crs(definition: str, name: str) -> CRS:
    """Return the CRS of a proj string made from the parameters of a grid."""
    try:
        crs = CRS.from_user_input(definition)
        radius = crs.ellipsoid.semi_major_metre if crs.ellipsoid else 0.0
    except CRSError:
        radius = 0.0
    if not 6.3e6 < radius < 6.4e6:
        message = (
            f"Grid '{name}' has projection parameters that mean nothing on Earth: "
            f"'{definition}'."
        )
        raise FileFormatError(message)
    return crs


def _transform(
    name: str, shape: tuple[int, int], corners: tuple[float, float, float, float]
) -> Affine:
    """Return the transform from outer corners."""
    west, north, east, south = corners
    if not (all(math.isfinite(value) for value in corners)) or (
        east <= west or north <= south
    ):
        message = (
            f"Grid '{name}' has the corners upper left ({west:g}, {north:g}) and lower "
            f"right ({east:g}, {south:g}), which enclose nothing."
        )
        raise FileFormatError(message)
    width, height = (east - west) / shape[1], (north - south) / shape[0]
    return Affine(width, 0.0, west, 0.0, -height, north)


def _fields(group: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the arrays that a grid lists, with their dimensions."""
    listed = group.get("DataField", {})
    objects = [value for value in listed.values() if isinstance(value, dict)]
    return {
        str(item["DataFieldName"]).strip('"'): tuple(
            re.findall(r'"([^"]*)"', str(item.get("DimList", "")))
        )
        for item in objects
        if "DataFieldName" in item
    }
