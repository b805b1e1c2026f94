"""Open layers of classes of a study, drawn as polygons or as cells, on its grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from geosoil.config import LayerSettings
from geosoil.errors import InputError
from geosoil.grids.align import align
from geosoil.grids.class_grid import classes_on_grid
from geosoil.grids.grid import Grid
from geosoil.io.class_layers import read_class_polygons
from geosoil.io.class_tables import ClassTable, read_classes
from geosoil.io.geotiff import read_geotiff

VECTOR = (".gpkg", ".geojson", ".json", ".shp")
"""Endings of files whose classes are polygons."""


@dataclass(frozen=True, slots=True)
class ClassLayer:
    """A layer of classes on the study grid."""

    codes: xr.DataArray
    """Class code of each cell; NaN where there is none."""
    labels: dict[int, str]
    """Label of each code."""


def open_class_layer(
    layer: LayerSettings, grid: Grid, box: tuple[float, float, float, float]
) -> ClassLayer:
    """Open a layer of classes on the study grid.

    Parameters
    ----------
    layer : LayerSettings
        File, class table and, of polygons, their column.
    grid : Grid
        Study grid; each cell gets the class that covers most of it.
    box : tuple = (W, S, E, N)
        Bounds of the grid in degrees.

    Returns
    -------
    layer : ClassLayer
        Codes and labels.

    Raises
    ------
    GeosoilError
        If the file cannot be used, or holds a class that its table does not name.
    """
    classes = read_classes(layer.table) if layer.table is not None else None
    if layer.path.suffix.lower() in VECTOR:
        return _polygons(layer, classes, grid)
    found = read_geotiff(layer.path, classes=True, bbox=box)
    codes = align(found, grid, method="area_mode")
    if "nodata" in codes.attrs:
        codes = codes.where(codes != codes.attrs["nodata"])
    numbers = codes.to_numpy()
    present = np.unique(numbers[np.isfinite(numbers)])
    labels = {int(code): str(int(code)) for code in present}
    if classes is not None:
        labels = dict(classes.labels)
    unknown = [int(code) for code in present if int(code) not in labels]
    if unknown:
        message = (
            f"Raster '{layer.path}' holds class codes {unknown} that its table "
            f"'{layer.table}' does not name. Add a row for each."
        )
        raise InputError(message)
    return ClassLayer(codes, labels)


def _polygons(
    layer: LayerSettings, classes: ClassTable | None, grid: Grid
) -> ClassLayer:
    """Put the polygons of a vector file onto the grid."""
    if layer.column is None:
        message = (
            f"Layer '{layer.path}' holds polygons: say which column has the class, for "
            'instance column = "code".'
        )
        raise InputError(message)
    found = read_class_polygons(
        layer.path,
        layer.column,
        classes=classes,
        layer=layer.layer,
        encoding=layer.encoding,
        assume_crs=layer.crs,
    )
    codes = classes_on_grid(found.polygons, grid, overlap=layer.overlap)["code"]
    known = codes.where(codes != codes.attrs["nodata"])
    return ClassLayer(known, dict(found.classes.labels))


def layer_files(layer: LayerSettings) -> list[Path]:
    """Return the files of a layer.

    Parameters
    ----------
    layer : LayerSettings
        File and class table.

    Returns
    -------
    files : list of Path
        Those that the settings name.
    """
    return [layer.path, *([layer.table] if layer.table is not None else [])]
