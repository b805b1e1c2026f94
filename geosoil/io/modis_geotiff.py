"""One GeoTIFF with dated bands or a date in its name, as exports of MODIS come."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import rasterio
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io._granule import check_index
from geosoil.io._screening import (
    QUALITY_LAYERS,
    Screening,
    applied_quality,
    kept_cells,
    needed_quality,
)
from geosoil.io._window import Bounds, Window, part_of, touched_window
from geosoil.io.geotiff import read_geotiff
from geosoil.io.granule_names import (
    collection_of,
    date_of,
    plain_name,
    product_of,
    short_name,
)
from geosoil.io.products import ProductLayer, layer_of, packing_of

_INDICES = ("ndvi", "evi")
_COMPANIONS = {
    "pixel_reliability": "pixel_reliability",
    "vi_quality": "VI_Quality",
}
_APPEEARS_COLLECTION = re.compile(r"M[OYC]D\w{2,5}\.(0\d{2})_", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Copy:
    """A window of a copy of a product in another format."""

    product: str | None
    """Product, for instance "MOD13A1"."""
    collection: str | None
    """Collection, for instance "061"."""
    dates: tuple[np.datetime64 | None, ...]
    """One date a field."""
    grid: Grid
    """Grid of the window."""
    stack: npt.NDArray[Any]
    """Quantities, shape (dates, rows, columns), NaN where missing."""
    units: str
    """Unit of the fields, "" where the file gives none."""
    quality: str
    """Screening applied, "none" where no quality layer is at hand."""
    layer: str = ""
    """Name of the layer in the file, "" where it has none."""
    content: str = "quantity"
    """"quantity", or "code" for ranks, classes and bits."""


def open_geotiff_copy(
    path: Path, *, layer: str, bbox: Bounds | None, screening: Screening
) -> Copy:
    """Read a window of a GeoTIFF that holds one layer.

    Parameters
    ----------
    path : Path
        A GeoTIFF, for instance from AppEEARS. Its quality layers are found beside it
        under the name that it has itself with the layer's name exchanged.
    layer : str
        Layer that it should hold.
    bbox : tuple = (W, S, E, N) or None
        Box in degrees.
    screening : Screening
        Which cells are kept.

    Returns
    -------
    copy : Copy
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
    product = product_of(path.name)
    dtype, scale = _stored_as(path)
    known = layer_of(product, name, dtype=dtype)
    values = _part(raster, len(dates), window)
    if known is not None:
        values = _unpacked(path, values, known, scale=scale, name=name)
    if name in _INDICES:
        check_index(values, place=f"'{path}'")
    grid = part_of(whole, window)
    quality, kept = _screened(path, name, grid, window, screening)
    if kept is not None:
        values = np.where(kept, values, np.nan)
    units = str(raster.attrs.get("units", ""))
    is_code = "int" in dtype and (known.divisor == 1 if known else scale is None)
    match = _APPEEARS_COLLECTION.search(path.name)
    return Copy(
        product=product,
        collection=collection_of(path.name) or (match.group(1) if match else None),
        dates=dates,
        grid=grid,
        stack=np.array(values, dtype=np.result_type(values.dtype, np.float32)),
        units=units or (known.units if known else ""),
        quality=quality,
        content="code" if is_code else "quantity",
    )


def _part(raster: xr.DataArray, count: int, window: Window) -> npt.NDArray[Any]:
    """Return the window of all bands."""
    rows = slice(window.row, window.row + window.rows)
    columns = slice(window.column, window.column + window.columns)
    values = raster.to_numpy().reshape(count, raster.sizes["y"], raster.sizes["x"])
    return values[:, rows, columns]


def _check_layer(path: Path, raster: xr.DataArray, name: str) -> None:
    """Raise if the names in and of a file speak of another layer."""
    tags = raster.attrs.get("tags", {})
    told = " ".join(
        [path.stem, *(str(tags.get(key, "")) for key in ("layer", "name", "long_name"))]
    )
    words = f"_{plain_name(told)}_"
    others = (*_INDICES, *_COMPANIONS, "lst_day", "lst_night")
    found = [other for other in others if f"_{other}_" in words]
    if found and not any(name.startswith(other) for other in found):
        message = (
            f"'{path}' has no layer '{name}'. By its name it holds: "
            f"{', '.join(repr(other) for other in found)}."
        )
        if f"_{name}_" not in words:
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


def _stored_as(path: Path) -> tuple[str, float | None]:
    """Return the type of the stored numbers and the scale that the file declares."""
    with rasterio.open(path, driver="GTiff") as file:
        scale = float(file.scales[0])
        return str(file.dtypes[0]), None if scale == 1 else scale


def _unpacked(
    path: Path,
    values: npt.NDArray[Any],
    known: ProductLayer,
    *,
    scale: float | None,
    name: str,
) -> npt.NDArray[Any]:
    """Bring integers of a known layer to quantities, masked by its valid range.

    The reader applied the scale that the file declares, where it declares one.
    """
    attributes = {} if scale is None else {"scale_factor": scale}
    try:
        packing = packing_of(
            attributes, layer=name, product=product_of(path.name), dtype=known.dtype
        )
    except FileFormatError as error:
        message = f"'{path}': {error}"
        raise FileFormatError(message) from error
    low, high = known.valid_range
    if scale is not None:
        margin = 1e-6 * max(abs(low), abs(high))
        low, high = ((low - margin) * scale, (high + margin) * scale)
    wide = values.dtype == np.float64
    numbers: npt.NDArray[Any] = values.astype(np.float64 if wide else np.float32)
    with np.errstate(invalid="ignore"):
        missing = (numbers < low) | (numbers > high)
    if known.fill is not None and scale is None:
        missing |= numbers == known.fill
    numbers[missing] = np.nan
    if scale is None:
        kind = np.float64 if wide else np.float32
        numbers = (numbers / kind(packing.divisor) + kind(known.offset)).astype(kind)
    return numbers


def _screened(
    path: Path, name: str, grid: Grid, window: Window, screening: Screening
) -> tuple[str, npt.NDArray[np.bool_] | None]:
    """Find the quality layers beside a file and return what they keep."""
    if name not in _INDICES:
        return "none", None
    beside = {
        companion: file
        for companion in QUALITY_LAYERS
        if (file := _companion(path, name, companion)) is not None
    }
    applied = applied_quality(beside, screening, layer=name)
    if not beside:
        return applied, None
    stored = {}
    for companion in needed_quality(beside, screening):
        raster = read_geotiff(beside[companion], classes=True)
        codes = raster.to_numpy().reshape(-1, raster.sizes["y"], raster.sizes["x"])
        rows = slice(window.row, window.row + window.rows)
        columns = slice(window.column, window.column + window.columns)
        check_same_grid(
            grid,
            part_of(Grid.of(raster), window),
            what=f"files '{path.name}' and '{beside[companion].name}'",
        )
        stored[companion] = codes[:, rows, columns]
    return applied, kept_cells(stored, screening, place=f"'{path}'")


def _companion(path: Path, name: str, companion: str) -> Path | None:
    """Return the file of the same name that holds a quality layer."""
    pattern = re.compile(rf"(?<![A-Za-z]){name}(?![A-Za-z])", re.IGNORECASE)
    other = pattern.sub(_COMPANIONS[companion], path.name)
    if other == path.name:
        return None
    wanted = other.lower()
    return next(
        (file for file in path.parent.iterdir() if file.name.lower() == wanted), None
    )
