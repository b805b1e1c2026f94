"""GeoTIFFs that hold a series: bands with dates, or one dated file a field."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from geosoil.errors import GeosoilError, InputError
from geosoil.io.dated_names import date_in_name
from geosoil.io.geotiff import read_geotiff
from geosoil.io.series_parts import join_parts

Box = tuple[float, float, float, float]


def open_dated_geotiffs(
    paths: Sequence[str | os.PathLike[str]], *, bbox: Box | None = None
) -> xr.DataArray:
    """Read GeoTIFFs as one series in order of time.

    Parameters
    ----------
    paths : sequence of paths
        Files on one grid: each with a band a date, the ISO date its description (as
        ``geosoil ndvi`` writes them), or with one band and the date in its name. A
        single file of one band without a date is a map.
    bbox : tuple = (W, S, E, N), optional
        Box in degrees; every cell that it touches is read.

    Returns
    -------
    series : DataArray with dims (time, y, x), or (y, x) for a map
        Quantities, NaN where missing.

    Raises
    ------
    MissingFileError
        If a file is absent.
    FileFormatError
        If a file is damaged or no GeoTIFF.
    GridMismatchError
        If files lie on different grids.
    InputError
        If a file has no date or several bands without dates, or a date comes twice.
        All faults are reported at once.

    Examples
    --------
    >>> import numpy as np
    >>> from tempfile import TemporaryDirectory
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> with TemporaryDirectory() as folder:
    ...     files = [
    ...         write_geotiff(grid.raster(np.eye(2)), Path(folder) / f"rain_{year}.tif")
    ...         for year in (2002, 2001)
    ...     ]
    ...     series = open_dated_geotiffs(files)
    >>> series["time"].dt.year.values
    array([2001, 2002])
    """
    files = [Path(path) for path in paths]
    if not files:
        message = "No GeoTIFF to read. Give one or more files."
        raise InputError(message)
    parts: list[xr.DataArray] = []
    faults: list[str] = []
    for file in files:
        try:
            parts.append(_part(file, bbox, alone=len(files) == 1))
        except GeosoilError as error:
            if len(files) == 1:
                raise
            faults.append(str(error))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        message = f"{len(faults)} of {len(files)} GeoTIFFs cannot be used:\n{listed}"
        raise InputError(message)
    if len(parts) == 1:
        return parts[0].sortby("time") if "time" in parts[0].dims else parts[0]
    return join_parts(files, parts, "GeoTIFFs")


def _part(file: Path, bbox: Box | None, *, alone: bool) -> xr.DataArray:
    """Read one file with its dates."""
    raster = read_geotiff(file, classes=False, bbox=bbox)
    if "time" in raster.dims:
        return raster
    if "band" in raster.dims:
        message = (
            f"'{file}' has {raster.sizes['band']} bands without dates. Describe each "
            "band by its ISO date, or give one dated file a field."
        )
        raise InputError(message)
    date = date_in_name(file)
    if date is not None:
        return raster.expand_dims(time=[date.astype("datetime64[ns]")])
    if alone:
        return raster
    message = (
        f"'{file}' has no date in its name. Put it there, for instance "
        f"'{file.stem}_2020-06.tif'."
    )
    raise InputError(message)
