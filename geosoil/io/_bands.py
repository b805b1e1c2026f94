"""Turn a raster into the bands, tags and grid that a GeoTIFF holds."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr
from affine import Affine

from geosoil import __version__
from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import SNAP, Grid

NODATA = -9999.0
"""Value that stands for "no data" in the files written."""

BLOCK = 256
"""Side of a block of the file [cells]."""
_STRIP = 1 << 22
"""Cells of one band that are turned at a time."""

LABELS = ("name", "long_name", "standard_name")
"""Attributes of a raster that are kept as dataset tags."""
FLAGS = ("flag_values", "flag_masks", "flag_meanings")
"""CF attributes that name classes and bits, kept as dataset tags too."""
OverviewKind = Literal["average", "mode", "nearest"]
"""How cells are joined in overviews: quantities, classes, p values."""

_INTEGERS = {
    "bool": "uint8",
    "uint8": "uint8",
    "int8": "int16",
    "int16": "int16",
    "uint16": "int32",
    "int32": "int32",
}


class Strip(NamedTuple):
    """Some rows of one band, as stored in the file."""

    band: int
    """Number of the band, counted from 1."""
    rows: slice
    """Rows of the raster."""
    numbers: npt.NDArray[Any]
    """Stored numbers, shape (rows, columns)."""


class Words(NamedTuple):
    """What a caller says of a raster beside its own attributes."""

    description: str | Sequence[str] | None
    """Band descriptions."""
    tags: Mapping[str, object]
    """Dataset tags."""
    overviews: OverviewKind | None
    """How overviews join cells; None for what suits the raster."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that one GeoTIFF holds, ready to be written and to be compared."""

    values: npt.NDArray[Any] = field(repr=False)
    """Values as given, shape (bands, rows, columns)."""
    dtype: np.dtype[Any]
    """Type of the stored numbers."""
    grid: Grid
    """Where the cells lie."""
    nodata: float | None
    """Stored number that stands for no data."""
    descriptions: tuple[str, ...]
    """One a band."""
    units: str
    """Unit of all bands."""
    tags: dict[str, str]
    """Dataset tags."""
    overviews: OverviewKind
    """How overviews join cells."""

    @property
    def profile(self) -> dict[str, Any]:
        """What rasterio needs to make a dataset of this shape."""
        count, height, width = self.values.shape
        return {
            "count": count,
            "height": height,
            "width": width,
            "dtype": self.dtype.name,
            "crs": rasterio.CRS.from_wkt(self.grid.crs.to_wkt()),
            "transform": self.grid.transform,
            "nodata": self.nodata,
        }

    def strips(self) -> Iterator[Strip]:
        """Yield the stored numbers strip by strip, all bands of one strip in turn."""
        for rows in strip_rows(self.values.shape):
            for band, values in enumerate(self.values, start=1):
                numbers = _turned(values[rows], self.dtype, self.nodata)
                yield Strip(band, rows, numbers)


def strip_rows(shape: Sequence[int]) -> Iterator[slice]:
    """Cut rows into strips of whole blocks.

    Parameters
    ----------
    shape : sequence of int
        Shape whose last two numbers are rows and columns.

    Yields
    ------
    rows : slice
        Rows of a strip, from north to south.

    Examples
    --------
    >>> [(rows.start, rows.stop) for rows in strip_rows((1, 300, 2**14))]
    [(0, 256), (256, 300)]
    """
    height, width = shape[-2:]
    step = BLOCK * max(1, _STRIP // (BLOCK * max(1, width)))
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))


def content_of(raster: xr.DataArray, words: Words) -> Content:
    """Gather what a raster becomes in the file.

    Parameters
    ----------
    raster : DataArray, dims (y, x) or one further dim before them
        Raster with a CRS, y from north to south.
    words : Words
        Descriptions, tags and kind of overviews.

    Returns
    -------
    content : Content
        Numbers, grid, nodata value, descriptions, unit and tags.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    InputError
        If the dims, the spacing or the values cannot be written.
    """
    if raster.ndim not in (2, 3) or raster.dims[-2:] != ("y", "x"):
        message = (
            f"A raster with dims {raster.dims} cannot become a GeoTIFF. Give dims "
            "('y', 'x') or one more before them, for instance 'time'."
        )
        raise InputError(message)
    grid = _grid(raster)
    values = np.atleast_3d(raster.to_numpy().T).T
    dtype, nodata = _storage(values, raster.attrs.get("nodata"))
    return Content(
        values=values,
        dtype=dtype,
        grid=grid,
        nodata=nodata,
        descriptions=_descriptions(raster, words.description),
        units=_plain(raster.attrs.get("units", "")),
        tags=_tags(raster, words.tags),
        overviews=words.overviews or _overviews(raster, dtype),
    )


def _tags(raster: xr.DataArray, given: Mapping[str, object]) -> dict[str, str]:
    """Return the dataset tags: what the raster is called, what is given, flags."""
    merged: dict[str, object] = {"name": raster.name}
    merged |= {key: raster.attrs.get(key) for key in LABELS[1:]}
    merged |= given
    for key in FLAGS:
        value = raster.attrs.get(key)
        if value is not None and not isinstance(value, str):
            value = " ".join(str(number) for number in np.ravel(value).tolist())
        if value is not None:
            merged[key] = value
    merged.setdefault("software", f"geosoil {__version__}")
    return {key: _plain(text) for key, text in merged.items() if text is not None}


def _plain(value: object) -> str:
    """Return words without control characters, which no XML can hold."""
    return "".join(
        " "
        if unicodedata.category(letter)[0] == "C" and letter not in "\n\t"
        else letter
        for letter in str(value)
    )


def _overviews(raster: xr.DataArray, stored: np.dtype[Any]) -> OverviewKind:
    """Return how overviews of a raster join cells, by what it says of itself."""
    if any(key in raster.attrs for key in FLAGS[:2]):
        return "mode"
    if stored.kind != "f":
        measured = str(raster.attrs.get("units", "")) not in ("", "1")
        return "average" if measured else "mode"
    tested = str(raster.name or "").endswith(("p_value", "q_value"))
    return "nearest" if tested else "average"


def _grid(raster: xr.DataArray) -> Grid:
    """Return the raster's grid after a check against its coordinates."""
    grid = Grid.of(raster)
    stored = raster.coords[raster.rio.grid_mapping].attrs.get("GeoTransform")
    if stored is not None:
        exact = Affine.from_gdal(*(float(value) for value in str(stored).split()))
        if np.allclose(exact, grid.transform, rtol=0, atol=SNAP * abs(exact.a)):
            grid = Grid(grid.crs, exact, grid.shape)
    runs = (raster.x.to_numpy(), raster.y.to_numpy()[::-1])
    if any(centres[-1] < centres[0] for centres in runs) or grid.transform.e > 0:
        message = (
            "The raster's y must run from north to south and x from west to east. "
            "Sort it: raster.sortby('y', ascending=False).sortby('x')."
        )
        raise InputError(message)
    width, height = grid.resolution
    for name, centres, step in (("x", grid.x, width), ("y", grid.y, height)):
        if not np.allclose(raster[name].values, centres, rtol=0, atol=1e-3 * step):
            message = (
                f"The raster's {name} coordinates are not evenly {step:g} apart, as "
                "its transform says. Put it on a regular grid with geosoil.align."
            )
            raise GridMismatchError(message)
    return grid


def _storage(
    values: npt.NDArray[Any], declared: float | None
) -> tuple[np.dtype[Any], float | None]:
    """Return the type of the stored numbers and the number that stands for no data."""
    if values.dtype.name in _INTEGERS:
        stored = np.dtype(_INTEGERS[values.dtype.name])
        nodata = None if declared is None else float(declared)
        limits = np.iinfo(stored)
        fits = nodata is None or limits.min <= nodata <= limits.max
        if nodata is not None and not (fits and nodata.is_integer()):
            message = f"nodata {nodata:g} does not fit into {stored} classes."
            raise InputError(message)
        return stored, nodata
    if values.dtype.kind not in "fiu":
        message = f"Values of type {values.dtype} cannot be written as a GeoTIFF."
        raise InputError(message)
    strips = [_Strip.of(values[:, rows]) for rows in strip_rows(values.shape)]
    if any(strip.holds_nodata for strip in strips):
        message = (
            f"The raster holds the value {NODATA:g}, which marks missing cells in the "
            "file. Replace it by NaN first."
        )
        raise InputError(message)
    if any(strip.overflows for strip in strips):
        message = "The raster holds values beyond the range of float32 (3.4e38)."
        raise InputError(message)
    large = max((strip.largest for strip in strips), default=0.0)
    # Bit fields of 32 bits would lose their lowest bits in float32.
    exact = 2**24 < large <= 2**53 and all(strip.whole for strip in strips)
    return np.dtype(np.float64 if exact else np.float32), NODATA


class _Strip(NamedTuple):
    """What the values of some rows ask of the type they are stored in."""

    holds_nodata: bool
    overflows: bool
    largest: float
    whole: bool

    @classmethod
    def of(cls, values: npt.NDArray[Any]) -> _Strip:
        """Look at the values of all bands of a strip."""
        holds = bool((values == NODATA).any())
        if values.dtype == np.float32:
            return cls(holds, overflows=False, largest=0.0, whole=False)
        with np.errstate(over="ignore"):
            narrow = np.isinf(values.astype(np.float32))
        known = values[~np.isnan(values)]
        return cls(
            holds,
            overflows=bool((narrow & ~np.isinf(values)).any()),
            largest=float(np.abs(known).max(initial=0)),
            whole=bool((known == np.rint(known)).all()),
        )


def _turned(
    values: npt.NDArray[Any], dtype: np.dtype[Any], nodata: float | None
) -> npt.NDArray[Any]:
    """Return values as they are stored: NaN becomes nodata."""
    stored = values.astype(dtype)
    if dtype.kind == "f":
        stored[np.isnan(values)] = nodata
    return stored


def _descriptions(
    raster: xr.DataArray, description: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Return one description for each band."""
    count = raster.shape[0] if raster.ndim == 3 else 1
    if description is not None and not isinstance(description, str):
        if len(description) != count:
            message = f"{len(description)} descriptions for {count} bands."
            raise InputError(message)
        return tuple(map(_plain, description))
    if raster.ndim == 3 and raster.dims[0] in raster.coords:
        labels = raster.coords[raster.dims[0]].to_numpy()
        if np.issubdtype(labels.dtype, np.datetime64):
            stamps = pd.DatetimeIndex(labels)
            if not stamps.hasnans:
                return tuple(_iso(stamp) for stamp in stamps)
        elif description is None:
            return tuple(_plain(label) for label in labels)
    text = description or raster.attrs.get("long_name") or raster.name or ""
    return (_plain(text),) * count


def _iso(stamp: pd.Timestamp) -> str:
    """Return the ISO date, with the hour only where there is one."""
    return str(stamp.date() if stamp == stamp.normalize() else stamp.isoformat())
