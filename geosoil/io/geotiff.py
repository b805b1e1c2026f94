"""Write rasters as GeoTIFF that opens right in any GIS, and read them back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
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
    path: str | os.PathLike[str], *, classes: bool | None = None
) -> xr.DataArray:
    """Read a GeoTIFF as a labelled raster.

    Parameters
    ----------
    path : path
        A GeoTIFF; other formats under that suffix are refused.
    classes : bool, optional
        Whether the numbers are codes of classes, which stay integers with the code of
        missing cells in ``attrs["nodata"]``, or quantities, which become floating
        point with NaN. By default bytes are classes and all else is a quantity.

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
        If the file is damaged, no GeoTIFF, rotated or larger than memory.

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
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with rasterio.open(path, driver="GTiff") as file:
                return _labelled(file, Path(path), classes)
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


def _labelled(file: Any, path: Path, classes: bool | None) -> xr.DataArray:  # noqa: ANN401
    """Turn an open dataset into a labelled raster."""
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
    _check_size(file, path)
    if classes is None:
        classes = file.dtypes[0] == "uint8" and not _is_packed(file)
    values, nodata = _codes(file, path) if classes else (_quantities(file), None)
    if transform.e > 0:
        values = values[:, ::-1]
        north = transform.f + transform.e * file.height
        transform = Affine(transform.a, 0, transform.c, 0, -transform.e, north)
    grid = Grid(CRS.from_wkt(file.crs.to_wkt()), transform, file.shape)
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


def _check_size(file: Any, path: Path) -> None:  # noqa: ANN401
    """Refuse a raster whose header asks for more than half of the memory."""
    needed = file.count * file.height * file.width * np.dtype(file.dtypes[0]).itemsize
    fault = memory_fault(needed)
    if fault:
        message = (
            f"'{path}' declares {file.count} bands of {file.height} x {file.width} "
            f"cells, {fault}. Clip it first, for instance with gdalwarp."
        )
        raise FileFormatError(message)


def _is_packed(file: Any) -> bool:  # noqa: ANN401
    """Whether bands declare a scale or an offset."""
    return any(s != 1 for s in file.scales) or any(o != 0 for o in file.offsets)


def _quantities(file: Any) -> npt.NDArray[Any]:  # noqa: ANN401
    """Read all bands as floating point: nodata as NaN, scale and offset applied."""
    values = cast("npt.NDArray[Any]", file.read())
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


def _codes(file: Any, path: Path) -> tuple[npt.NDArray[Any], int | None]:  # noqa: ANN401
    """Read all bands as integers, with the code that stands for no data."""
    values = cast("npt.NDArray[Any]", file.read())
    nodata = file.nodata
    if values.dtype.kind != "f":
        return values, None if nodata is None else int(nodata)
    missing = np.isnan(values)
    if nodata is not None:
        missing |= values == nodata
    codes = np.where(missing, NODATA, values)
    if not (codes == np.rint(codes)).all() or np.abs(codes).max(initial=0) >= 2**31:
        message = f"'{path}' holds fractions; a raster of classes has whole numbers."
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
