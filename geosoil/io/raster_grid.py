"""The grid of a raster, from its header alone."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geosoil.errors import FileFormatError
from geosoil.grids.grid import Grid
from geosoil.io._sniff import check_kind
from geosoil.io.geotiff import grid_of_file


def read_grid(path: str | os.PathLike[str]) -> Grid:
    """Read on which grid a GeoTIFF lies; no value is read.

    Parameters
    ----------
    path : path
        A GeoTIFF.

    Returns
    -------
    grid : Grid
        Its grid, north up.

    Raises
    ------
    MissingFileError
        If there is no such file.
    MissingCRSError
        If it has no coordinate reference system.
    FileFormatError
        If it is no GeoTIFF, damaged, or rotated.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((90, 31, 91, 32), 0.5, "EPSG:4326")
    >>> with TemporaryDirectory() as folder:
    ...     file = write_geotiff(grid.raster([[1.0, 2], [3, 4]]), Path(folder, "a.tif"))
    ...     read_grid(file).shape
    (2, 2)
    """
    check_kind(path, "tiff", needed="a GeoTIFF")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as file:
                return grid_of_file(file, Path(path))[0]
    except RasterioError as error:
        message = f"'{path}' cannot be read as a GeoTIFF: {error}. Get it again."
        raise FileFormatError(message) from error
