"""Layers of classes: polygons or a raster, joined with their class table."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import rasterio
import xarray as xr
from pyproj import CRS

from geosoil.errors import FileFormatError, InputError
from geosoil.io.class_tables import ClassTable, LayerClass
from geosoil.io.geotiff import read_geotiff
from geosoil.io.issues import name_rows
from geosoil.io.layers import read_polygons

IntArray = npt.NDArray[np.int64]
_MOST_CODES = 4096
"""More different numbers than this are no classes."""


@dataclass(frozen=True, slots=True)
class ClassPolygons:
    """Polygons with the class of each, and the classes' table.

    Examples
    --------
    >>> from shapely import box
    >>> frame = gpd.GeoDataFrame({"code": [1]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    >>> ClassPolygons(frame, ClassTable((LayerClass(1, "meadow"),))).classes.labels
    {1: 'meadow'}
    """

    polygons: gpd.GeoDataFrame
    """One row a polygon with ``code``, ``label``, ``group``, ``colour`` (None where
    the table gives none) and geometry; CRS set."""
    classes: ClassTable
    """The classes, those without a polygon too."""


@dataclass(frozen=True, slots=True)
class ClassRaster:
    """A raster of class codes, and the classes' table.

    Examples
    --------
    >>> codes = xr.DataArray(np.array([[1]]), dims=("y", "x"))
    >>> ClassRaster(codes, ClassTable((LayerClass(1, "meadow"),))).classes.labels
    {1: 'meadow'}
    """

    codes: xr.DataArray
    """Whole numbers, dims y, x; the code of missing cells in ``attrs["nodata"]``."""
    classes: ClassTable
    """The classes, those without a cell too."""


def read_class_polygons(
    path: str | os.PathLike[str],
    column: str,
    *,
    classes: ClassTable | None = None,
    layer: str | None = None,
    encoding: str | None = None,
    assume_crs: str | int | CRS | None = None,
) -> ClassPolygons:
    """Read polygons that each hold the class of their ground.

    Parameters
    ----------
    path : path
        GeoJSON, GeoPackage or Shapefile (.shp).
    column : str
        Attribute that holds the class: a code, or the label of a class.
    classes : ClassTable, optional
        What the codes mean. Without it codes are their own labels, and texts become
        the classes 1, 2, ... in alphabetical order.
    layer, encoding, assume_crs
        As for :func:`geosoil.io.layers.read_polygons`.

    Returns
    -------
    layer : ClassPolygons
        Polygons and classes.

    Raises
    ------
    MissingFileError, FileFormatError, MissingCRSError
        As for :func:`geosoil.io.layers.read_polygons`.
    InputError
        If the column is absent, polygons have no class, codes are no whole numbers,
        or classes are not in the table; the message names them all.

    Notes
    -----
    A column of numbers, or of texts that all are whole numbers, holds codes. Other
    texts are compared with the labels of the table, blanks at the ends left out.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shapely import box
    >>> soil = gpd.GeoDataFrame(
    ...     {"soil": ["steppe", "meadow"]}, geometry=[box(0, 0, 1, 1), box(1, 0, 2, 1)]
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "soil.gpkg"
    ...     soil.set_crs("EPSG:4326").to_file(file)
    ...     read_class_polygons(file, "soil").polygons["code"].tolist()
    [2, 1]
    """
    frame = read_polygons(path, layer=layer, encoding=encoding, assume_crs=assume_crs)
    what = f"Layer '{path}'"
    if column not in frame.columns or column == frame.geometry.name:
        present = [str(name) for name in frame.columns if name != frame.geometry.name]
        message = (
            f"{what} has no column '{column}'. Columns present: {', '.join(present)}."
        )
        raise InputError(message)
    texts = [_plain(value) for value in frame[column]]
    empty = [i + 1 for i, text in enumerate(texts) if not text]
    if empty:
        message = (
            f"{what} has {len(empty)} polygons without a class in column '{column}' "
            f"({name_rows(empty)}). Give each a class, or take it out."
        )
        raise InputError(message)
    codes, table = _joined(texts, f"{what}, column '{column}',", classes)
    rows = [table[int(code)] for code in codes]
    joined = gpd.GeoDataFrame(
        {
            "code": codes,
            "label": [row.label for row in rows],
            "group": pd.Series([row.group for row in rows], dtype=object),
            "colour": pd.Series([row.colour for row in rows], dtype=object),
        },
        geometry=frame.geometry.to_numpy(),
        crs=frame.crs,
    )
    joined.attrs = frame.attrs
    return ClassPolygons(joined, table)


def read_class_raster(
    path: str | os.PathLike[str], *, classes: ClassTable | None = None
) -> ClassRaster:
    """Read a raster whose cells hold class codes.

    Parameters
    ----------
    path : path
        GeoTIFF of one band: integers, or floating point that holds whole numbers.
    classes : ClassTable, optional
        What the codes mean. Without it codes are their own labels. Classes without a
        colour take that of the file's palette, where it has one.

    Returns
    -------
    layer : ClassRaster
        Codes and classes.

    Raises
    ------
    MissingFileError, MissingCRSError
        As for :func:`geosoil.io.geotiff.read_geotiff`.
    FileFormatError
        If the file is damaged, or holds fractions, several bands or no class at all.
    InputError
        If the raster holds codes that are not in the table; the message names them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.geotiff import write_geotiff
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> cells = grid.raster(np.array([[3, 15]], dtype=np.uint8))
    >>> cells.attrs["nodata"] = 15
    >>> with TemporaryDirectory() as folder:
    ...     file = write_geotiff(cells, Path(folder) / "soil.tif")
    ...     read_class_raster(file).classes.labels
    {3: '3'}
    """
    file = Path(path)
    codes = read_geotiff(file, classes=True)
    if codes.dims != ("y", "x"):
        message = (
            f"'{file}' has {codes.shape[0]} bands. A raster of classes has one; take "
            "it out with gdal_translate -b."
        )
        raise FileFormatError(message)
    present = _present(codes, file)
    table = classes or ClassTable(tuple(LayerClass(int(c), str(c)) for c in present))
    table.check_codes((int(code) for code in present), what=f"Raster '{file}'")
    return ClassRaster(codes, table.with_colours(_palette(file)))


def _plain(value: object) -> str:
    """Return the text of an attribute, "" for a missing one, 3 for 3.0."""
    if value is None or value is pd.NA or value != value:  # noqa: PLR0124  NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _joined(
    texts: list[str], what: str, classes: ClassTable | None
) -> tuple[IntArray, ClassTable]:
    """Return the code of each text, and the table; refuse classes not in it."""
    numbers = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(dtype=float)
    labels = {text for text in texts if text}
    if np.isfinite(numbers).all():
        _check_whole(numbers, what)
        codes = numbers.astype(np.int64)
        found = sorted({int(code) for code in codes})
        table = classes or ClassTable(tuple(LayerClass(c, str(c)) for c in found))
        table.check_codes(found, what=what)
        return codes, table
    if classes is None:
        own = enumerate(sorted(labels), start=1)
        classes = ClassTable(tuple(LayerClass(code, text) for code, text in own))
    known = {label: code for code, label in classes.labels.items()}
    if len(known) < len(classes.labels):
        message = (
            f"{what} holds labels, but in its class table several codes have one "
            f"label: {classes.shown}. Name a column of codes, or tell the labels apart."
        )
        raise InputError(message)
    unknown = sorted(labels - set(known))
    if unknown:
        names = ", ".join(f"'{name}'" for name in unknown)
        message = (
            f"{what} holds classes that its class table does not name: {names}. The "
            f"table names {classes.shown}. Add a row for each."
        )
        raise InputError(message)
    return np.array([known[text] for text in texts], dtype=np.int64), classes


def _check_whole(numbers: npt.NDArray[np.float64], what: str) -> None:
    wrong = (numbers % 1 != 0) | (np.abs(numbers) >= 2**31)
    if wrong.any():
        found = ", ".join(f"{number:g}" for number in np.unique(numbers[wrong])[:10])
        message = (
            f"{what} holds {int(wrong.sum())} codes that are no whole numbers of 32 "
            f"bits: {found}. Name a column of class codes or labels."
        )
        raise InputError(message)


def _present(codes: xr.DataArray, file: Path) -> IntArray:
    """Return the codes that a raster holds, missing cells left out."""
    present: IntArray = np.unique(codes.to_numpy()).astype(np.int64)
    present = present[present != codes.attrs.get("nodata")]
    if not 0 < len(present) <= _MOST_CODES:
        what = f"{len(present)} different numbers" if len(present) else "no class"
        message = (
            f"'{file}' holds {what}; a raster of classes holds 1 to {_MOST_CODES}. Is "
            "it a raster of a quantity, or all missing?"
        )
        raise FileFormatError(message)
    return present


def _palette(file: Path) -> dict[int, str]:
    """Return the colours of a file's palette, none where it has no palette.

    TIFF fills a palette up with black: black may be a colour that was never set.
    """
    with rasterio.open(file, driver="GTiff") as source:
        try:
            colours = source.colormap(1)
        except ValueError:
            return {}
    return {
        int(code): f"#{red:02x}{green:02x}{blue:02x}"
        for code, (red, green, blue, alpha) in colours.items()
        if alpha and (red or green or blue)
    }
