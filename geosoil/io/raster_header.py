"""What a GeoTIFF says of itself, read from its header without its cells."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from geosoil.errors import FileFormatError
from geosoil.grids.grid import Grid
from geosoil.io._sniff import check_kind
from geosoil.io.geotiff import grid_of_file

MOST_CELLS = 2_000_000
"""Cells of a band that are read; larger bands are thinned."""

_LOW, _HIGH = "STATISTICS_MINIMUM", "STATISTICS_MAXIMUM"


@dataclass(frozen=True, slots=True)
class RasterHeader:
    """The words of a GeoTIFF."""

    path: Path
    """The file."""
    grid: Grid
    """Its grid, north up."""
    dtype: str
    """Type of the stored numbers, such as "float32"."""
    nodata: float | None
    """Number that stands for missing cells."""
    descriptions: tuple[str, ...]
    """Description of each band, "" where it has none."""
    units: str
    """Unit of the first band."""
    tags: Mapping[str, str]
    """Tags of the file."""
    colours: Mapping[int, str]
    """Colour table as #rrggbb by code; empty where there is none."""
    statistics: tuple[float, float] | None
    """Smallest and largest value of all bands, where the file states them."""


def read_header(path: str | os.PathLike[str]) -> RasterHeader:
    """Read what a GeoTIFF says of itself.

    Parameters
    ----------
    path : path
        A GeoTIFF.

    Returns
    -------
    header : RasterHeader
        Grid, bands, unit, tags and colours.

    Raises
    ------
    MissingFileError
        If there is no such file.
    MissingCRSError
        If the file has no coordinate reference system.
    FileFormatError
        If the file is damaged, no GeoTIFF or rotated.

    Examples
    --------
    >>> import tempfile
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     r = grid.raster(np.eye(2), name="r")
    ...     file = write_geotiff(r, Path(folder) / "r.tif", tags={"method": "none"})
    ...     read_header(file).tags["method"]
    'none'
    """
    with _opened(path) as file:
        return RasterHeader(
            path=Path(path),
            grid=grid_of_file(file, Path(path))[0],
            dtype=str(file.dtypes[0]),
            nodata=None if file.nodata is None else float(file.nodata),
            descriptions=tuple(text or "" for text in file.descriptions),
            units=file.units[0] or "",
            tags={str(key): str(text) for key, text in file.tags().items()},
            colours=_colours(file),
            statistics=_statistics(file),
        )


def read_thinned(
    path: str | os.PathLike[str], *, most_cells: int = MOST_CELLS
) -> npt.NDArray[np.float64]:
    """Read the known values of a GeoTIFF, every second, third and so on of many.

    Parameters
    ----------
    path : path
        A GeoTIFF.
    most_cells : int
        Cells of a band beyond which rows and columns are left out.

    Returns
    -------
    values : array, shape (n,)
        Values of all bands without missing cells, scale and offset applied; in the
        order of the file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If the file is damaged or no GeoTIFF.

    Examples
    --------
    >>> import tempfile
    >>> from geosoil.io.geotiff import write_geotiff
    >>> raster = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326").raster(np.eye(2))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_geotiff(raster.where(raster > 0), Path(folder) / "a.tif")
    ...     read_thinned(file)
    array([1., 1.])
    """
    with _opened(path) as file:
        step = max(math.ceil(math.sqrt(file.height * file.width / most_cells)), 1)
        shape = (math.ceil(file.height / step), math.ceil(file.width / step))
        bands = [
            file.read(
                band, out_shape=shape, masked=True, resampling=Resampling.nearest
            ).compressed()
            * file.scales[band - 1]
            + file.offsets[band - 1]
            for band in range(1, file.count + 1)
        ]
    values = np.concatenate(bands).astype(np.float64)
    known: npt.NDArray[np.float64] = values[np.isfinite(values)]
    return known


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Open a GeoTIFF, and say in the words of the house what is wrong with it."""
    check_kind(path, "tiff", needed="a GeoTIFF")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as file:
                yield file
    except RasterioError as error:
        message = (
            f"'{path}' cannot be read as a GeoTIFF: {error}. The file is damaged or "
            "cut short; make or download it again."
        )
        raise FileFormatError(message) from error


def _statistics(file: Any) -> tuple[float, float] | None:  # noqa: ANN401
    """Smallest and largest value that the bands state; None unless all do."""
    stated = [file.tags(band) for band in range(1, file.count + 1)]
    if not all(_LOW in tags and _HIGH in tags for tags in stated):
        return None
    low = min(float(tags[_LOW]) for tags in stated)
    high = max(float(tags[_HIGH]) for tags in stated)
    return (low, high) if math.isfinite(low) and math.isfinite(high) else None


def _colours(file: Any) -> dict[int, str]:  # noqa: ANN401
    """Colour table of a file; black without a use fills tables up and is left out."""
    try:
        table = file.colormap(1)
    except ValueError:
        return {}
    return {
        int(code): f"#{red:02x}{green:02x}{blue:02x}"
        for code, (red, green, blue, alpha) in table.items()
        if alpha and (red or green or blue)
    }
