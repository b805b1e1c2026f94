"""Turn a raster into the bands, tags and grid that a GeoTIFF holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import xarray as xr
from affine import Affine

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import SNAP, Grid

NODATA = -9999.0
"""Value that stands for "no data" in the files written."""

_BLOCK = 256
LABELS = ("name", "long_name", "standard_name")
"""Attributes of a raster that are kept as dataset tags."""

_INTEGERS = {
    "bool": "uint8",
    "uint8": "uint8",
    "int8": "int16",
    "int16": "int16",
    "uint16": "int32",
    "int32": "int32",
}


@dataclass(frozen=True, slots=True)
class Content:
    """All that one GeoTIFF holds, ready to be written and to be compared."""

    bands: npt.NDArray[Any]
    grid: Grid
    nodata: float | None
    descriptions: tuple[str, ...]
    units: str
    tags: dict[str, str]

    @property
    def profile(self) -> dict[str, Any]:
        """Creation options."""
        count, height, width = self.bands.shape
        return {
            "driver": "GTiff",
            "count": count,
            "height": height,
            "width": width,
            "dtype": self.bands.dtype.name,
            "crs": rasterio.CRS.from_wkt(self.grid.crs.to_wkt()),
            "transform": self.grid.transform,
            "nodata": self.nodata,
            "compress": "deflate",
            "predictor": 3 if self.bands.dtype.kind == "f" else 2,
            "tiled": True,
            "blockxsize": _BLOCK,
            "blockysize": _BLOCK,
            "interleave": "band",
            "bigtiff": "if_safer",
        }


def content_of(
    raster: xr.DataArray,
    description: str | Sequence[str] | None,
    tags: dict[str, object],
) -> Content:
    """Gather what a raster becomes in the file.

    Parameters
    ----------
    raster : DataArray, dims (y, x) or one further dim before them
        Raster with a CRS, y from north to south.
    description : str or sequence of str, optional
        Band descriptions.
    tags : dict
        Dataset tags.

    Returns
    -------
    content : Content
        Bands, grid, nodata value, descriptions, unit and tags.

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
    nodata = raster.attrs.get("nodata")
    values = np.atleast_3d(raster.to_numpy().T).T
    bands, nodata = _stored(values, None if nodata is None else float(nodata))
    labels: dict[str, object] = {"name": raster.name}
    labels |= {key: raster.attrs.get(key) for key in LABELS[1:]}
    merged = labels | tags
    return Content(
        bands=bands,
        grid=grid,
        nodata=nodata,
        descriptions=_descriptions(raster, description),
        units=str(raster.attrs.get("units", "")),
        tags={key: str(value) for key, value in merged.items() if value is not None},
    )


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


def _stored(
    values: npt.NDArray[Any], nodata: float | None
) -> tuple[npt.NDArray[Any], float | None]:
    """Return the values as stored in the file, and the nodata value declared."""
    if values.dtype.name in _INTEGERS:
        stored = values.astype(_INTEGERS[values.dtype.name])
        limits = np.iinfo(stored.dtype)
        fits = nodata is None or limits.min <= nodata <= limits.max
        if nodata is not None and not (fits and nodata.is_integer()):
            message = f"nodata {nodata:g} does not fit into {stored.dtype} classes."
            raise InputError(message)
        return stored, nodata
    if values.dtype.kind not in "fiu":
        message = f"Values of type {values.dtype} cannot be written as a GeoTIFF."
        raise InputError(message)
    missing = np.isnan(values)
    kind = np.float32
    whole = values[~missing] if values.dtype != np.float32 else np.empty(0)
    large = np.abs(whole).max() if whole.size else 0
    if 2**24 < large <= 2**53 and (whole == np.rint(whole)).all():
        # Bit fields of 32 bits would lose their lowest bits in float32.
        kind = np.float64  # type: ignore[assignment]
    if bool((values == NODATA).any()):
        message = (
            f"The raster holds the value {NODATA:g}, which marks missing cells in the "
            "file. Replace it by NaN first."
        )
        raise InputError(message)
    with np.errstate(over="ignore"):
        bands = values.astype(kind)
    if (np.isinf(bands) & ~np.isinf(values)).any():
        message = "The raster holds values beyond the range of float32 (3.4e38)."
        raise InputError(message)
    bands[missing] = NODATA
    return bands, NODATA


def _descriptions(
    raster: xr.DataArray, description: str | Sequence[str] | None
) -> tuple[str, ...]:
    """Return one description for each band."""
    count = raster.shape[0] if raster.ndim == 3 else 1
    if description is not None and not isinstance(description, str):
        if len(description) != count:
            message = f"{len(description)} descriptions for {count} bands."
            raise InputError(message)
        return tuple(description)
    if raster.ndim == 3 and raster.dims[0] in raster.coords:
        labels = raster.coords[raster.dims[0]].to_numpy()
        if np.issubdtype(labels.dtype, np.datetime64):
            stamps = pd.DatetimeIndex(labels)
            if not stamps.hasnans:
                return tuple(_iso(stamp) for stamp in stamps)
        elif description is None:
            return tuple(str(label) for label in labels)
    text = description or raster.attrs.get("long_name") or raster.name or ""
    return (str(text),) * count


def _iso(stamp: pd.Timestamp) -> str:
    """Return the ISO date, with the hour only where there is one."""
    return str(stamp.date() if stamp == stamp.normalize() else stamp.isoformat())
