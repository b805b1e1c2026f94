"""One file of a MODIS stack: what it holds, and how its window is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geosoil.grids.grid import Grid
from geosoil.io._granule import (
    choose_layer,
    companions_of,
    is_code,
    open_granule,
    read_layer,
)
from geosoil.io._screening import Screening, applied_quality
from geosoil.io._sniff import check_kind
from geosoil.io._window import Bounds, part_of, touched_window
from geosoil.io.granule_names import short_name
from geosoil.io.modis_geotiff import Copy, open_geotiff_copy
from geosoil.io.opendap import open_opendap_copy
from geosoil.io.products import layer_of


@dataclass(frozen=True, slots=True)
class Source:
    """One file whose layer was found, ready to be read."""

    path: Path
    """The file."""
    product: str | None
    """Product, for instance "MOD13C1"."""
    collection: str | None
    """Collection, for instance "061"."""
    dates: tuple[np.datetime64 | None, ...]
    """First day of each field in the file."""
    grid: Grid
    """Grid of the window."""
    read: Callable[[], npt.NDArray[Any]]
    """Read the window: array, shape (dates, rows, columns), NaN where missing."""
    wide: bool
    """Whether the values need double precision."""
    applied: str
    """Screening by quality that the file allows."""
    attrs: dict[str, str]
    """layer, grid, units, long_name, content, corners."""
    verified: bool = False
    """Whether the file agrees with a checksum beside it."""


def open_source(
    path: Path, layer: str, *, box: Bounds | None, screening: Screening
) -> Source:
    """Find the layer in one file and plan its reading.

    Parameters
    ----------
    path : Path
        An HDF-EOS2 file, a GeoTIFF, or a NetCDF copy.
    layer : str
        Layer as a user names it.
    box : tuple = (W, S, E, N) or None
        Box in degrees.
    screening : Screening
        Which cells are kept.

    Returns
    -------
    source : Source
        The plan.

    Raises
    ------
    GeosoilError
        If the file cannot be used; the message names it.
    """
    kind = check_kind(
        path, "hdf4", "tiff", "netcdf3", "hdf5", needed="an HDF4 file or a GeoTIFF"
    )
    if kind == "hdf4":
        return _granule_source(path, layer, box, screening)
    opener = open_geotiff_copy if kind == "tiff" else open_opendap_copy
    copy = opener(path, layer=layer, bbox=box, screening=screening)
    return _copy_source(path, layer, copy)


def _granule_source(
    path: Path, layer: str, box: Bounds | None, screening: Screening
) -> Source:
    """Plan the reading of an HDF-EOS2 file."""
    granule = open_granule(path, layer=layer)
    chosen = choose_layer(granule, layer)
    window = touched_window(chosen.grid.grid, box, source=str(path))
    dataset = chosen.dataset
    known = layer_of(granule.product, dataset.name, dtype=dataset.dtype)
    attrs = {
        "layer": dataset.name,
        "grid": chosen.grid.name,
        "units": str(dataset.attributes.get("units", known.units if known else "")),
        "long_name": str(dataset.attributes.get("long_name", "")),
        "content": "code" if is_code(chosen, product=granule.product) else "quantity",
    }
    if chosen.grid.corners_assumed:
        attrs["corners"] = "absent in the file; the whole globe was assumed"

    def read() -> npt.NDArray[Any]:
        return read_layer(granule, chosen, window=window, screening=screening)[None]

    return Source(
        path=path,
        product=granule.product,
        collection=granule.collection,
        dates=(granule.date,),
        grid=part_of(chosen.grid.grid, window),
        read=read,
        wide=np.dtype(dataset.dtype).itemsize > 2 and dataset.dtype != "float32",
        applied=applied_quality(
            companions_of(granule, chosen), screening, layer=short_name(dataset.name)
        ),
        attrs=attrs,
    )


def _copy_source(path: Path, layer: str, copy: Copy) -> Source:
    """Turn a copy in another format, read at once, into a source."""
    return Source(
        path=path,
        product=copy.product,
        collection=copy.collection,
        dates=copy.dates,
        grid=copy.grid,
        read=lambda: copy.stack,
        wide=copy.stack.dtype == np.float64,
        applied=copy.quality,
        attrs={
            "layer": copy.layer or layer.rpartition(":")[2],
            "units": copy.units,
            "long_name": "",
            "content": copy.content,
        },
    )
