"""Write rasters as GeoTIFF that opens right in any GIS, and read them back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import xarray as xr
from affine import Affine
from pyproj import CRS
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    MissingCRSError,
)
from geosoil.grids.grid import Grid
from geosoil.io._atomic import atomic_path
from geosoil.io._bands import LABELS, NODATA, Content, content_of
from geosoil.io._memory import memory_fault
from geosoil.io._sniff import check_kind
from geosoil.io._window import Bounds, check_bbox, part_of, touched_window


def write_geotiff(
    raster: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    description: str | Sequence[str] | None = None,
    tags: Mapping[str, object] | None = None,
) -> Path:
    """Write a raster as a tiled, compressed GeoTIFF, whole or not at all.

    Quantities are written as float32 with -9999 for NaN; classes (integers, booleans)
    keep their integers, and ``attrs["nodata"]`` is declared where it is set. What was
    written is read again and compared before it takes the place of the target.

    Parameters
    ----------
    raster : DataArray, dims (y, x) or one further dim before them
        Raster with a CRS, y from north to south. With a time dimension each date is
        one band whose description is the ISO date.
    path : path
        File to write.
    description : str or sequence of str, optional
        Band description; by default the raster's ``long_name`` or name. One for all
        bands, or one for each.
    tags : mapping, optional
        Dataset tags, for instance version, inputs and method.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    InputError
        If the dims, the spacing or the values cannot be written.
    GeosoilError
        If the file cannot be written, or differs when read again.

    Examples
    --------
    >>> import tempfile
    >>> grid = Grid.from_bounds((89.4, 31.5, 89.5, 31.6), 0.05, "EPSG:4326")
    >>> raster = grid.raster([[0.1, 0.2], [np.nan, 0.4]], name="ndvi")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_geotiff(raster, Path(folder) / "ndvi.tif")
    ...     read_geotiff(file).values.round(3).tolist()
    [[0.1..., 0.2...], [nan, 0.4...]]
    """
    content = content_of(raster, description, dict(tags or {}))
    with atomic_path(path) as part, rasterio.Env(GDAL_PAM_ENABLED="NO"):
        try:
            with rasterio.open(part, "w", **content.profile) as file:
                file.write(content.bands)
                file.update_tags(**content.tags)
                for band, text in enumerate(content.descriptions, start=1):
                    file.set_band_description(band, text)
                    file.set_band_unit(band, content.units)
            fault = _difference(content, part)
        except RasterioError as error:
            fault = str(error)
        if fault:
            message = (
                f"Cannot write '{path}': {fault}. What was there before is unchanged. "
                "Check the free space on the disk."
            )
            raise GeosoilError(message)
    return Path(path)


def read_geotiff(
    path: str | os.PathLike[str],
    *,
    classes: bool | None = None,
    bbox: tuple[float, float, float, float] | None = None,
    memory_budget: int | None = None,
) -> xr.DataArray:
    """Read a GeoTIFF, or the part of it around a box, as a labelled raster.

    Parameters
    ----------
    path : path
        A GeoTIFF; other formats under that suffix are refused.
    classes : bool, optional
        Whether the numbers are codes of classes, which stay integers with the code of
        missing cells in ``attrs["nodata"]``, or quantities, which become floating
        point with NaN. By default bytes are classes and all else is a quantity.
    bbox : tuple = (W, S, E, N), optional
        Box in degrees; every cell that it touches is read, and no other. On a
        projected grid this is the window around the projected box.
    memory_budget : int, optional
        Bytes that the reading may take; half of the machine's memory by default. It
        is compared with what the header declares, before anything is allocated.

    Returns
    -------
    raster : DataArray, dims (y, x), (time, y, x) or (band, y, x)
        Values with nodata as NaN and scale and offset applied, y from north to south,
        CRS set; attrs ``units``, ``long_name``, ``standard_name`` where known and
        ``tags``. Bands whose descriptions are ISO dates become the time dimension.

    Raises
    ------
    MissingFileError
        If there is no such file.
    MissingCRSError
        If the file has no coordinate reference system.
    FileFormatError
        If the file is damaged, no GeoTIFF, rotated or larger than the budget.
    InputError
        If the box is no box on Earth or lies outside the raster; the message names
        the bounds of both.

    Examples
    --------
    >>> import tempfile
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = write_geotiff(grid.raster(np.eye(2)), Path(folder) / "a.tif")
    ...     read_geotiff(file).sizes["x"]
    2
    """
    check_kind(path, "tiff", needed="a GeoTIFF")
    box = None if bbox is None else check_bbox(bbox)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as file:
                part = _part(file, Path(path), box)
                if classes is None:
                    classes = file.dtypes[0] == "uint8" and not _is_packed(file)
                _check_size(part, classes, memory_budget)
                return _labelled(part, classes)
    except (RasterioError, MemoryError) as error:
        message = (
            f"'{path}' cannot be read as a GeoTIFF: {error}. The file is damaged or "
            "cut short; make or download it again."
        )
        raise FileFormatError(message) from error


def _difference(content: Content, part: Path) -> str:
    """Say in what a written file differs from what it should hold, "" if nothing."""
    with rasterio.open(part, driver="GTiff") as file:
        found = {
            "size": (file.count, file.height, file.width),
            "transform": tuple(file.transform),
            "nodata": file.nodata,
            "band descriptions": tuple(text or "" for text in file.descriptions),
            "CRS": file.crs is not None,
        }
        wanted = {
            "size": content.bands.shape,
            "transform": tuple(content.grid.transform),
            "nodata": content.nodata,
            "band descriptions": content.descriptions,
            "CRS": True,
        }
        wrong = [key for key, value in wanted.items() if found[key] != value]
        if not wrong and not all(
            np.array_equal(file.read(band), values)
            for band, values in enumerate(content.bands, start=1)
        ):
            wrong = ["values"]
    return f"read again, it differs in {', '.join(wrong)}" if wrong else ""


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of an open dataset, in the order of its grid."""

    file: Any
    """The open dataset."""
    path: Path
    """Where it lies."""
    grid: Grid
    """Grid of the part, north up."""
    window: Window
    """Place of the part in the file."""
    turned: bool
    """Whether the rows of the file run from south to north."""

    def read(self) -> npt.NDArray[Any]:
        """Read the stored numbers of all bands, north up."""
        values = cast("npt.NDArray[Any]", self.file.read(window=self.window))
        return values[:, ::-1] if self.turned else values


def grid_of_file(file: Any, path: Path) -> tuple[Grid, bool]:  # noqa: ANN401
    """Return the grid of an open dataset, north up.

    Parameters
    ----------
    file : DatasetReader
        Open dataset of rasterio.
    path : Path
        Where it lies, for messages.

    Returns
    -------
    grid : Grid
        Rows from north to south.
    turned : bool
        Whether the rows of the file run from south to north.

    Raises
    ------
    MissingCRSError
        If the file has no coordinate reference system.
    FileFormatError
        If the raster is rotated or mirrored.
    """
    if file.crs is None:
        message = (
            f"'{path}' has no coordinate reference system. Assign the right one, for "
            "instance with 'gdal_edit.py -a_srs EPSG:4326'."
        )
        raise MissingCRSError(message)
    transform = file.transform
    if transform.b or transform.d or transform.a <= 0:
        message = f"'{path}' is rotated or mirrored. Bring it north up with gdalwarp."
        raise FileFormatError(message)
    turned = transform.e > 0
    if turned:
        north = transform.f + transform.e * file.height
        transform = Affine(transform.a, 0, transform.c, 0, -transform.e, north)
    return Grid(CRS.from_wkt(file.crs.to_wkt()), transform, file.shape), turned


def _part(file: Any, path: Path, bbox: Bounds | None) -> _Part:  # noqa: ANN401
    """Find the part of an open dataset that a box touches."""
    grid, turned = grid_of_file(file, path)
    if bbox is None:
        return _Part(file, path, grid, Window(0, 0, file.width, file.height), turned)
    touched = touched_window(grid, bbox, source=str(path))
    last = touched.row + touched.rows
    row = file.height - last if turned else touched.row
    window = Window(touched.column, row, touched.columns, touched.rows)
    return _Part(file, path, part_of(grid, touched), window, turned)


def _labelled(part: _Part, classes: bool) -> xr.DataArray:
    """Turn a part of an open dataset into a labelled raster."""
    file, grid = part.file, part.grid
    values, nodata = _codes(part) if classes else (_quantities(part), None)
    descriptions = [text or "" for text in file.descriptions]
    tags = cast("dict[str, str]", file.tags())
    attrs: dict[str, Any] = {key: tags[key] for key in LABELS[1:] if key in tags}
    if file.units[0]:
        attrs["units"] = file.units[0]
    dates = _dates(descriptions)
    if dates is None and len(descriptions) == 1 and descriptions[0]:
        attrs.setdefault("long_name", descriptions[0])
    attrs["tags"] = tags
    if nodata is not None:
        attrs["nodata"] = nodata
    if dates is not None:
        raster = xr.DataArray(values, dims=("time", "y", "x"), coords={"time": dates})
    elif file.count == 1:
        raster = xr.DataArray(values[0], dims=("y", "x"))
    else:
        labels = [text or str(i) for i, text in enumerate(descriptions, start=1)]
        raster = xr.DataArray(values, dims=("band", "y", "x"), coords={"band": labels})
    return grid.georeference(raster.assign_attrs(attrs).rename(tags.get("name")))


def _check_size(part: _Part, classes: bool, budget: int | None) -> None:
    """Refuse a raster whose header asks for more memory than allowed."""
    file, (rows, columns) = part.file, part.grid.shape
    stored = np.dtype(file.dtypes[0])
    # Numbers that are not kept as stored are held twice while they are turned.
    turned = stored.kind == "f" if classes else True
    needed = file.count * rows * columns * stored.itemsize * (2 if turned else 1)
    fault = memory_fault(needed) if budget is None else ""
    if budget is not None and needed > budget:
        fault = f"{needed / 2**20:.0f} MiB, the budget is {budget / 2**20:.0f} MiB"
    if fault:
        message = (
            f"'{part.path}' declares {file.count} bands of {rows} x {columns} cells, "
            f"{fault}. Give a smaller bbox, or clip it, for instance with gdalwarp."
        )
        raise FileFormatError(message)


def _is_packed(file: Any) -> bool:  # noqa: ANN401
    """Whether bands declare a scale or an offset."""
    return any(s != 1 for s in file.scales) or any(o != 0 for o in file.offsets)


def _quantities(part: _Part) -> npt.NDArray[Any]:
    """Read all bands as floating point: nodata as NaN, scale and offset applied."""
    file, values = part.file, part.read()
    wide = values.dtype.itemsize > 2 and values.dtype != np.float32
    result = values.astype(np.float64 if wide else np.float32)
    if _is_packed(file):
        scales, offsets = np.array(file.scales), np.array(file.offsets)
        scaled = values * scales[:, None, None] + offsets[:, None, None]
        result = scaled.astype(result.dtype)
    for band, nodata in enumerate(file.nodatavals):
        if nodata is not None and not np.isnan(nodata):
            missing = values[band] == values.dtype.type(nodata)
            result[band][missing] = np.nan
    return result


def _codes(part: _Part) -> tuple[npt.NDArray[Any], int | None]:
    """Read all bands as integers, with the code that stands for no data."""
    values, nodata = part.read(), part.file.nodata
    if values.dtype.kind != "f":
        return values, None if nodata is None else int(nodata)
    missing = np.isnan(values)
    if nodata is not None:
        missing |= values == nodata
    codes = np.where(missing, NODATA, values)
    if not (codes == np.rint(codes)).all() or np.abs(codes).max(initial=0) >= 2**31:
        message = (
            f"'{part.path}' holds fractions; a raster of classes has whole numbers."
        )
        raise FileFormatError(message)
    return codes.astype(np.int32), int(NODATA)


def _dates(descriptions: Sequence[str]) -> pd.DatetimeIndex | None:
    """Return the dates that band descriptions hold, None where they hold others."""
    try:
        stamps = [np.datetime64(text) for text in descriptions]
        if not all(text[:1].isdigit() and len(text) >= 10 for text in descriptions):
            return None
        return pd.DatetimeIndex(np.array(stamps, dtype="datetime64[ns]"), name="time")
    except ValueError:
        return None
