"""One GeoTIFF with dated bands or a date in its name, as exports of MODIS come."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.grids.grid import Grid
from geosoil.io._granule import check_index
from geosoil.io._window import Bounds, part_of, touched_window
from geosoil.io.geotiff import read_geotiff
from geosoil.io.granule_names import date_of, plain_name, product_of, short_name
from geosoil.io.products import VEGETATION_LAYERS

_INDICES = ("ndvi", "evi")


@dataclass(frozen=True, slots=True)
class Composite:
    """A window of a GeoTIFF."""

    path: Path
    """The file."""
    product: str | None
    """Product, for instance "MOD13A1"."""
    dates: tuple[np.datetime64 | None, ...]
    """One date a band."""
    grid: Grid
    """Grid of the window."""
    stack: npt.NDArray[Any]
    """Quantities, shape (dates, rows, columns), NaN where missing."""
    units: str
    """Unit of the bands, "" where the file gives none."""


def open_composite(path: Path, *, layer: str, bbox: Bounds | None) -> Composite:
    """Read a window of a GeoTIFF that holds one layer.

    Parameters
    ----------
    path : Path
        A GeoTIFF.
    layer : str
        Layer that it should hold.
    bbox : tuple = (W, S, E, N) or None
        Box in degrees.

    Returns
    -------
    composite : Composite
        Dates, grid and values.

    Raises
    ------
    FileFormatError
        If the file holds another layer, several undated bands or wrong numbers.
    InputError
        If the box lies outside.
    """
    raster = read_geotiff(path, classes=False)
    name = short_name(layer.rpartition(":")[2])
    _check_layer(path, raster, name)
    dates = _dates(path, raster)
    whole = Grid.of(raster)
    window = touched_window(whole, bbox, source=str(path))
    values = raster.to_numpy().reshape(len(dates), *whole.shape)[
        :,
        window.row : window.row + window.rows,
        window.column : window.column + window.columns,
    ]
    if name in _INDICES:
        values = _index(path, values)
    return Composite(
        path=path,
        product=product_of(path.name),
        dates=dates,
        grid=part_of(whole, window),
        stack=np.array(values, dtype=np.result_type(values.dtype, np.float32)),
        units=str(raster.attrs.get("units", "")),
    )


def _check_layer(path: Path, raster: xr.DataArray, name: str) -> None:
    """Raise if the names in and of a file speak of another layer."""
    tags = raster.attrs.get("tags", {})
    told = " ".join(
        [path.stem, *(str(tags.get(key, "")) for key in ("layer", "name", "long_name"))]
    )
    words = f"_{plain_name(told)}_"
    other = [index for index in _INDICES if f"_{index}_" in words]
    if other and name not in other and f"_{name}_" not in words:
        message = (
            f"'{path}' has no layer '{name}'. By its name it holds: "
            f"{', '.join(repr(index) for index in other)}."
        )
        raise FileFormatError(message)


def _dates(path: Path, raster: xr.DataArray) -> tuple[np.datetime64 | None, ...]:
    """Return the dates of the bands."""
    if "time" in raster.dims:
        return tuple(raster["time"].to_numpy().astype("datetime64[D]"))
    if raster.ndim == 3:
        message = (
            f"'{path}' has {raster.shape[0]} bands without dates. Give files with one "
            "band and the date in the name, or with an ISO date as the description of "
            "each band."
        )
        raise FileFormatError(message)
    return (date_of(path),)


def _index(path: Path, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Scale a vegetation index that is stored as integers."""
    with rasterio.open(path, driver="GTiff") as file:
        stored = np.dtype(file.dtypes[0]).kind in "iu" and file.scales[0] == 1
    if stored:
        known = VEGETATION_LAYERS["ndvi"]
        low, high = known.valid_range
        numbers = values.astype(np.float32)
        numbers[(numbers < low) | (numbers > high)] = np.nan
        values = numbers / np.float32(known.divisor)
    check_index(values, place=f"'{path}'")
    return values
