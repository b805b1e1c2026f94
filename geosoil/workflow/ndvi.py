"""Read a layer of MODIS files and write it as one GeoTIFF, a band a date."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import xarray as xr

from geosoil import __version__
from geosoil.errors import GeosoilWarning, InputError
from geosoil.grids.align import Method, align
from geosoil.grids.grid import SNAP, Grid
from geosoil.io.geotiff import write_geotiff
from geosoil.io.modis import open_modis
from geosoil.io.products import Quality


def ndvi_to_geotiff(  # noqa: PLR0913  one argument for each option of the command
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    layer: str = "ndvi",
    bbox: tuple[float, float, float, float] | None = None,
    quality: str = "good",
    resolution: float | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Read a layer of MODIS files and write it as one GeoTIFF, a band a date.

    Parameters
    ----------
    paths : sequence of paths
        HDF-EOS2 files or GeoTIFFs of one product and grid.
    output : path
        GeoTIFF to write.
    layer : str
        Layer, as in :func:`geosoil.io.modis.open_modis`.
    bbox : tuple = (W, S, E, N), optional
        Box in degrees.
    quality : {"good", "keep_snow", "all"}
        Cells of a vegetation index that are kept.
    resolution : float, optional
        Side of a target cell in units of the files' CRS. Quantities are averaged by
        area when cells get coarser; else the containing cell is taken. The target's
        edges are whole multiples of the side.
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    path : Path
        The file written, with the tags ``layer``, ``product``, ``quality``,
        ``source_files`` and ``geosoil_version``.

    Raises
    ------
    GeosoilError
        If a file cannot be used, an argument is wrong or the output cannot be
        written; nothing is written then.
    """
    report = progress or _silent
    checked = [known for known in get_args(Quality) if known == quality]
    if not checked:
        message = f"Unknown quality '{quality}'. Give good, keep_snow or all."
        raise InputError(message)
    report(f"reading {len(paths)} {'file' if len(paths) == 1 else 'files'}")
    values = open_modis(paths, layer, bbox=bbox, quality=checked[0])
    method = "native grid"
    if resolution is not None:
        report(f"resampling to cells of {resolution:g}")
        values, method = _resampled(values, resolution)
    if not bool(values.notnull().any()):
        words = (
            f"No cell of layer '{values.attrs['layer']}' has a valid value here: all "
            "are fill, outside the valid range or screened by quality "
            f"'{values.attrs['quality']}'. Try another --bbox or --quality all."
        )
        warnings.warn(words, GeosoilWarning, stacklevel=2)
    report(f"writing {output}")
    tags = {
        "layer": values.attrs["layer"],
        "product": values.attrs["product"],
        "quality": values.attrs["quality"],
        "source_files": ", ".join(values.attrs["source_files"]),
        "method": method,
        "software": f"geosoil {__version__}",
    }
    return write_geotiff(values, output, tags=tags)


def _silent(line: str) -> None:
    """Take a line of progress and say nothing."""
    del line


def _resampled(values: xr.DataArray, resolution: float) -> tuple[xr.DataArray, str]:
    """Bring a stack onto cells of another side; say how."""
    source = Grid.of(values)
    limit = max(
        source.bounds[2] - source.bounds[0], source.bounds[3] - source.bounds[1]
    )
    if not 0 < resolution <= limit:
        message = (
            f"Invalid resolution {resolution:g}. Give the side of a cell in units of "
            f"the files' CRS, above 0 and at most {limit:g}."
        )
        raise InputError(message)
    edges = [value / resolution for value in source.bounds]
    west, south = (math.floor(value + SNAP) for value in edges[:2])
    east, north = (math.ceil(value - SNAP) for value in edges[2:])
    bounds = (
        round(west * resolution, 10),
        round(south * resolution, 10),
        round(east * resolution, 10),
        round(north * resolution, 10),
    )
    target = Grid.from_bounds(bounds, resolution, source.crs.to_wkt())
    coarser = resolution > max(source.resolution) * (1 + SNAP)
    is_quantity = values.attrs["content"] == "quantity"
    method: Method = "average" if coarser and is_quantity else "nearest"
    return align(values, target, method=method).assign_attrs(values.attrs), method
