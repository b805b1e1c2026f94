"""Write rasters as GeoTIFF that opens right in any GIS, and read them back."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
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
from geosoil.io._atomic import atomic_path, bring_to_disk, store_bytes
from geosoil.io._bands import LABELS, NODATA, Content, OverviewKind, Words, content_of
from geosoil.io._cog import write_cog
from geosoil.io._memory import memory_fault
from geosoil.io._sniff import check_kind
from geosoil.io._window import Bounds, check_bbox, part_of, touched_window
from geosoil.io.class_sidecar import (
    STALE,
    flags_of,
    legend_of,
    sidecar_of,
    sidecar_text,
)


def write_geotiff(
    raster: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    description: str | Sequence[str] | None = None,
    tags: Mapping[str, object] | None = None,
    colours: Mapping[int, str] | None = None,
    overviews: OverviewKind | None = None,
) -> Path:
    """Write a raster as a cloud-optimised GeoTIFF, whole or not at all.

    Quantities are written as float32 with -9999 for NaN; classes (integers, booleans)
    keep their integers, and ``attrs["nodata"]`` is declared where it is set. The exact
    statistics of each band are in the file, so that programs stretch it right. What
    was written is read again and compared before it takes the place of the target.

    Parameters
    ----------
    raster : DataArray, dims (y, x) or one further dim before them
        Raster with a CRS, y from north to south. With a time dimension each date is
        one band whose description is the ISO date. The CF attributes
        ``flag_meanings`` and ``flag_values`` or ``flag_masks`` name classes: their
        names go to ``<path>.aux.xml``, which is removed where there are none.
    path : path
        File to write.
    description : str or sequence of str, optional
        Band description; by default the raster's ``long_name`` or name. One for all
        bands, or one for each.
    tags : mapping, optional
        Dataset tags, for instance inputs, method and ``config_hash``; ``software`` is
        added where it is not given.
    colours : mapping of int to str, optional
        ``"#rrggbb"`` of each class, as a colour table (of bytes) and beside the names.
    overviews : {"average", "mode", "nearest"}, optional
        How cells are joined in the overviews. By default quantities by the average,
        classes and bits by the mode, and what is named p_value or q_value by the
        nearest cell. Integers with a unit other than 1 count as quantities.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    InputError
        If the dims, the spacing, the values, classes or colours cannot be written.
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
    content = content_of(raster, Words(description, tags or {}, overviews))
    legend = legend_of(raster, colours)
    table = legend.table if legend and _takes_colours(content) else {}
    with ExitStack() as parts:
        if legend is not None:
            text = sidecar_text(legend, bands=len(content.descriptions))
            # Outermost, so that the names of the classes follow the file itself.
            beside = parts.enter_context(atomic_path(sidecar_of(path)))
            store_bytes(text.encode("utf-8"), beside)
        part = parts.enter_context(atomic_path(path))
        fault = write_cog(content, part, colours=table)
        if fault:
            message = (
                f"Cannot write '{path}': {fault}. What was there before is unchanged. "
                "Check the free space on the disk."
            )
            raise GeosoilError(message)
        bring_to_disk(part)
        for ending in STALE:
            Path(f"{path}{ending}").unlink(missing_ok=True)
    return Path(path)


def _takes_colours(content: Content) -> bool:
    """Whether a GeoTIFF of this content can hold a colour table."""
    return content.dtype == np.uint8 and len(content.descriptions) == 1


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
    if classes:
        attrs |= flags_of(tags, values.dtype)
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
