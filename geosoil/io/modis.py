"""Open MODIS layers from HDF-EOS2 files and GeoTIFFs as one labelled stack."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    GridMismatchError,
    InputError,
    MissingFileError,
)
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io._composites import open_composite
from geosoil.io._granule import choose_layer, is_code, open_granule, read_layer
from geosoil.io._memory import memory_fault
from geosoil.io._sniff import check_kind
from geosoil.io._window import Bounds, check_bbox, part_of, touched_window
from geosoil.io.granule_names import short_name
from geosoil.io.products import Quality
from geosoil.variables import VARIABLES

logger = logging.getLogger(__name__)

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

_PURE_NUMBERS = ("", "ndvi", "evi", "reflectance", "ratio", "none", "n/a", "rank")
_UNITS = {
    "deg": "degree",
    "degrees": "degree",
    "kelvin": "K",
    "hrs": "h",
    "meters": "m",
    "bit field": "1",
}


@dataclass(frozen=True, slots=True)
class _Source:
    """One file whose layer was found, ready to be read."""

    path: Path
    product: str | None
    dates: tuple[np.datetime64 | None, ...]
    grid: Grid
    read: Callable[[], tuple[npt.NDArray[Any], str]]
    wide: bool
    attrs: dict[str, str]


def open_modis(
    paths: Paths,
    layer: str = "ndvi",
    *,
    bbox: tuple[float, float, float, float] | None = None,
    quality: Quality = "good",
) -> xr.DataArray:
    """Open a layer of one or many MODIS files.

    Parameters
    ----------
    paths : path or iterable of paths
        HDF-EOS2 files (.hdf), or GeoTIFFs made from them, of one product and grid.
        The date comes from the name (AYYYYDDD, YYYY_DDD, doyYYYYDDD) or from the
        file's own metadata.
    layer : str
        Short name ("ndvi", "evi", "vi_quality", "pixel_reliability", "lst_day_1km"),
        the name in the file, or GRID:LAYER where several grids have it.
    bbox : tuple = (W, S, E, N), optional
        Box in degrees; every cell that it touches is read. The native grid is kept:
        on a sinusoidal grid this is the window around the projected box.
    quality : {"good", "keep_snow", "all"}
        Cells kept by the layer "pixel reliability": good and marginal; snow and ice
        too; or all that are not fill and in the valid range. Without that layer
        "VI Quality" is used; without both nothing is screened.

    Returns
    -------
    values : DataArray, dims (time, y, x)
        Scaled values in order of time, NaN where missing, y from north to south, CRS
        set. attrs: ``units``, ``long_name``, ``layer``, ``grid``, ``product``,
        ``content`` ("quantity", or "code" for ranks and bit fields), ``quality`` (the
        preset applied, or "none"), ``source_files``. A single file
        without a date has the time NaT.

    Raises
    ------
    MissingFileError
        If a file is absent.
    FileFormatError
        If a file is damaged, of another format or product, or lacks the layer. All
        bad files are reported at once.
    GridMismatchError
        If the files lie on different grids; all are listed.
    InputError
        If an argument is wrong, the box lies outside, or dates repeat.

    Notes
    -----
    Order: fill and valid range on the stored numbers, then scaling. A ``scale_factor``
    above 1 divides, one below 1 multiplies. MOD13 and MYD13 are checked against the
    product's own scale [1]_, and NDVI outside -0.2 to 1 is refused.

    References
    ----------
    .. [1] Didan, K. and Barreto Munoz, A. (2019). MODIS Vegetation Index User's Guide
       (MOD13 series), version 3.10, Collection 6.1. University of Arizona.

    Examples
    --------
    >>> open_modis([])
    Traceback (most recent call last):
    ...
    geosoil.errors.InputError: No files were given. Give at least one MODIS file.
    """
    files = _files(paths)
    if quality not in get_args(Quality):
        message = f"Unknown quality '{quality}'. Give good, keep_snow or all."
        raise InputError(message)
    box = None if bbox is None else check_bbox(bbox)
    sources = _each(files, lambda path: _source(path, layer, box, quality))
    _check_together(sources)
    grid = sources[0].grid
    dates = [date for source in sources for date in source.dates]
    kind = np.float64 if any(source.wide for source in sources) else np.float32
    _check_memory((len(dates), *grid.shape), np.dtype(kind))
    stack = np.empty((len(dates), *grid.shape), dtype=kind)
    screened = _read_all(sources, stack)
    times = np.array(
        [np.datetime64("NaT") if date is None else date for date in dates],
        dtype="datetime64[ns]",
    )
    order = np.argsort(times, kind="stable")
    if (order != np.arange(order.size)).any():
        stack = stack[order]
    name = short_name(sources[0].attrs["layer"])
    values = xr.DataArray(
        stack,
        dims=("time", "y", "x"),
        coords={"time": pd.DatetimeIndex(times[order], name="time")},
        name=name,
        attrs=_attrs(sources, name, screened),
    )
    # Labelling the values themselves would copy them three times.
    labels = grid.georeference(cast("xr.DataArray", xr.Dataset()))
    values = values.assign_coords(labels.coords)
    values.encoding["grid_mapping"] = "spatial_ref"
    return values


def _files(paths: Paths) -> list[Path]:
    """Return the paths as a list without repetitions."""
    if isinstance(paths, str | os.PathLike):
        paths = [paths]
    files = list(dict.fromkeys(Path(path) for path in paths))
    if not files:
        message = "No files were given. Give at least one MODIS file."
        raise InputError(message)
    return files


def _each(files: list[Path], action: Callable[[Path], _Source]) -> list[_Source]:
    """Do something with each file; report all that fail in one error."""
    done, faults = [], []
    for file in files:
        try:
            done.append(action(file))
        except GeosoilError as error:
            faults.append(error)
    _raise_together(faults, len(files))
    return done


def _raise_together(faults: list[GeosoilError], count: int) -> None:
    """Raise one error for many: of their own kind where they share it."""
    if not faults:
        return
    if len(faults) == 1 and count == 1:
        raise faults[0]
    kinds = {type(fault) for fault in faults}
    kind: type[GeosoilError] = kinds.pop() if len(kinds) == 1 else FileFormatError
    if any(isinstance(fault, MissingFileError) for fault in faults):
        kind = MissingFileError
    lines = "\n".join(f"- {fault}" for fault in faults)
    message = f"{len(faults)} of {count} files cannot be used:\n{lines}"
    raise kind(message)


def _source(path: Path, layer: str, box: Bounds | None, quality: Quality) -> _Source:
    """Find the layer in one file and plan its reading."""
    kind = check_kind(path, "hdf4", "tiff", needed="an HDF4 file or a GeoTIFF")
    if kind == "tiff":
        return _tiff_source(path, layer, box)
    granule = open_granule(path, layer=layer)
    chosen = choose_layer(granule, layer)
    window = touched_window(chosen.grid.grid, box, source=str(path))
    attributes = chosen.dataset.attributes
    attrs = {
        "layer": chosen.dataset.name,
        "grid": chosen.grid.name,
        "units": str(attributes.get("units", "")),
        "long_name": str(attributes.get("long_name", "")),
        "content": "code" if is_code(chosen) else "quantity",
    }
    if chosen.grid.corners_assumed:
        attrs["corners"] = "absent in the file; the whole globe was assumed"

    def read() -> tuple[npt.NDArray[Any], str]:
        return read_layer(granule, chosen, window=window, quality=quality)

    return _Source(
        path=path,
        product=granule.product,
        dates=(granule.date,),
        grid=part_of(chosen.grid.grid, window),
        read=read,
        wide=np.dtype(chosen.dataset.dtype).itemsize > 2
        and chosen.dataset.dtype != "float32",
        attrs=attrs,
    )


def _tiff_source(path: Path, layer: str, box: Bounds | None) -> _Source:
    """Read one GeoTIFF; its window is kept until the stack is made."""
    composite = open_composite(path, layer=layer, bbox=box)
    return _Source(
        path=path,
        product=composite.product,
        dates=composite.dates,
        grid=composite.grid,
        read=lambda: (composite.stack, "none"),
        wide=composite.stack.dtype == np.float64,
        attrs={
            "layer": layer.rpartition(":")[2],
            "units": composite.units,
            "long_name": "",
        },
    )


def _check_together(sources: list[_Source]) -> None:
    """Raise unless the files can be stacked over time."""
    first = sources[0]
    products = {source.product[3:] for source in sources if source.product}
    if len(products) > 1:
        names = ", ".join(
            f"'{source.path.name}' {source.product}" for source in sources
        )
        message = f"The files are of different products: {names}. Open each by itself."
        raise InputError(message)
    faults = []
    for source in sources[1:]:
        try:
            check_same_grid(first.grid, source.grid, what="files")
        except GridMismatchError:
            faults.append(f"- '{source.path}': {_told(source.grid)}")
    if faults:
        lines = "\n".join(faults)
        message = (
            f"{len(faults)} of {len(sources)} files lie on another grid than "
            f"'{first.path}' ({_told(first.grid)}):\n{lines}\nOpen each grid by itself "
            "and bring one onto the other with geosoil.align."
        )
        raise GridMismatchError(message)
    _check_dates(sources)


def _check_dates(sources: list[_Source]) -> None:
    """Raise if files of a stack have no date or the same date."""
    dated: dict[np.datetime64 | None, list[str]] = {}
    for source in sources:
        for date in source.dates:
            dated.setdefault(date, []).append(f"'{source.path.name}'")
    if None in dated and len(sources) > 1:
        message = (
            f"No date is known of {', '.join(dated[None])}. Name the files like "
            "MOD13C1.A2020161.061.hdf (year and day of the year)."
        )
        raise InputError(message)
    repeated = {date: names for date, names in dated.items() if len(names) > 1}
    if repeated:
        lines = "; ".join(
            f"{date}: {', '.join(names)}" for date, names in repeated.items()
        )
        message = f"Several files have the same date: {lines}. Give one file a date."
        raise InputError(message)


def _told(grid: Grid) -> str:
    """Return a grid in few words."""
    west, south, east, north = grid.bounds
    unit = "degrees" if grid.crs.is_geographic else "m"
    return (
        f"{grid.shape[0]} x {grid.shape[1]} cells of {grid.resolution[0]:.9g} {unit}, "
        f"x {west:.10g} to {east:.10g}, y {south:.10g} to {north:.10g}"
    )


def _check_memory(shape: tuple[int, int, int], dtype: np.dtype[Any]) -> None:
    """Refuse a stack of more than half of the memory."""
    needed = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    fault = memory_fault(needed)
    if fault:
        message = (
            f"{shape[0]} dates of {shape[1]} x {shape[2]} cells need {fault}. Give a "
            "bbox or fewer files."
        )
        raise InputError(message)


def _read_all(sources: list[_Source], stack: npt.NDArray[Any]) -> set[str]:
    """Read every file into the stack; return the quality presets applied."""
    screened, faults, band = set(), [], 0
    for source in sources:
        count = len(source.dates)
        logger.info("reading %s", source.path)
        try:
            stack[band : band + count], applied = source.read()
            screened.add(applied)
        except GeosoilError as error:
            faults.append(error)
        band += count
    _raise_together(faults, len(sources))
    return screened


def _attrs(sources: list[_Source], name: str, screened: set[str]) -> dict[str, Any]:
    """Return the attributes of the stack."""
    first = sources[0]
    known = VARIABLES.get(name)
    units = first.attrs["units"].strip("\x00 ")
    plain = units.lower()
    attrs: dict[str, Any] = {
        "units": "1" if plain in _PURE_NUMBERS else _UNITS.get(plain, units),
        "long_name": first.attrs["long_name"].strip("\x00 ") or first.attrs["layer"],
    }
    if known:
        attrs = {"units": known.units, "long_name": known.long_name}
        if known.standard_name:
            attrs["standard_name"] = known.standard_name
    for key in ("layer", "grid", "corners", "content"):
        if key in first.attrs:
            attrs[key] = first.attrs[key]
    products = sorted({source.product for source in sources if source.product})
    attrs["product"] = ", ".join(products) or "unknown"
    attrs["quality"] = ", ".join(sorted(screened))
    attrs["source_files"] = [source.path.name for source in sources]
    return attrs
