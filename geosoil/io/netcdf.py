"""Write results as CF NetCDF, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from geosoil.errors import GeosoilError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io._atomic import atomic_path

CONVENTIONS = "CF-1.11"

_AXES = {
    True: {
        "y": {"standard_name": "latitude", "units": "degrees_north"},
        "x": {"standard_name": "longitude", "units": "degrees_east"},
    },
    False: {
        "y": {"standard_name": "projection_y_coordinate"},
        "x": {"standard_name": "projection_x_coordinate"},
    },
}


def write_netcdf(
    dataset: xr.Dataset,
    path: str | os.PathLike[str],
    *,
    attrs: Mapping[str, object] | None = None,
) -> Path:
    """Write rasters of one grid as a NetCDF-4 file, whole or not at all.

    Parameters
    ----------
    dataset : Dataset with dims (y, x) and any others
        Rasters with a CRS. Floating point is compressed with checksums; flags keep
        their integers. What was written is read again and compared before it takes
        the place of the target.
    path : path
        File to write.
    attrs : mapping, optional
        Global attributes, beside those of the dataset.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    MissingCRSError
        If the dataset has no CRS.
    GeosoilError
        If the file cannot be written, or differs when read again.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> with TemporaryDirectory() as folder:
    ...     rasters = grid.raster(np.eye(2), name="r").to_dataset()
    ...     file = write_netcdf(rasters, Path(folder) / "r.nc", attrs={"title": "r"})
    ...     with xr.open_dataset(file, engine="netcdf4") as found:
    ...         found.attrs["Conventions"], float(found["r"].sum())
    ('CF-1.11', 2.0)
    """
    content = _content(dataset, dict(attrs or {}))
    mapping = content.rio.grid_mapping
    encoding = {
        str(name): {**_encoding(content[name]), "grid_mapping": mapping}
        for name in content.data_vars
    }
    encoding |= {str(name): {"_FillValue": None} for name in content.coords}
    with atomic_path(path) as part:
        try:
            content.to_netcdf(part, engine="netcdf4", encoding=encoding)
            fault = _difference(content, part)
        except RuntimeError as error:
            fault = str(error)
        if fault:
            message = (
                f"Cannot write '{path}': {fault}. What was there before is unchanged. "
                "Check the free space on the disk."
            )
            raise GeosoilError(message)
    return Path(path)


def _content(dataset: xr.Dataset, attrs: dict[str, object]) -> xr.Dataset:
    """Return what is written: with CF axes, the CRS and plain attributes."""
    if dataset.rio.crs is None:
        message = "The rasters have no coordinate reference system. Set it first."
        raise MissingCRSError(message)
    grid = Grid.of(dataset)
    axes = _AXES[grid.crs.is_geographic]
    coords = {
        "y": ("y", grid.y, {**axes["y"], "axis": "Y"}),
        "x": ("x", grid.x, {**axes["x"], "axis": "X"}),
    }
    if not grid.crs.is_geographic:
        unit = grid.crs.axis_info[0].unit_name
        for values in coords.values():
            values[2]["units"] = {"metre": "m"}.get(unit, unit)
    content: xr.Dataset = dataset.assign_coords(coords).rio.write_crs(grid.crs)
    for name in content.data_vars:
        content[name].attrs = _plain(content[name].attrs)
        content[name].attrs.pop("grid_mapping", None)
    content.attrs = _plain({**dataset.attrs, **attrs, "Conventions": CONVENTIONS})
    return content


def _plain(attrs: Mapping[Any, object]) -> dict[str, object]:
    """Return attributes that NetCDF can hold; others as words, none as left out."""
    kept: dict[str, object] = {}
    for key, value in attrs.items():
        if value is None:
            continue
        if isinstance(value, bool):
            kept[str(key)] = "yes" if value else "no"
        elif isinstance(value, str | int | float | np.ndarray | np.generic):
            kept[str(key)] = value
        elif isinstance(value, list | tuple):
            kept[str(key)] = "; ".join(map(str, value))
        else:
            kept[str(key)] = str(value)
    return kept


def _encoding(raster: xr.DataArray) -> dict[str, Any]:
    """How a variable is stored."""
    stored: dict[str, Any] = {"zlib": True, "complevel": 4, "shuffle": True}
    stored["fletcher32"] = True
    if raster.dtype.kind == "f":
        stored["_FillValue"] = raster.dtype.type(np.nan)
    elif raster.dtype.kind == "b":
        stored["dtype"] = "int8"
    return stored if raster.ndim else {}


def _difference(content: xr.Dataset, part: Path) -> str:
    """Say in what a written file differs from what it should hold, "" if nothing."""
    with xr.open_dataset(part, engine="netcdf4") as found:
        for name, raster in content.data_vars.items():
            if not np.array_equal(
                np.asarray(found[name], dtype=np.float64),
                np.asarray(raster, dtype=np.float64),
                equal_nan=True,
            ):
                return f"variable '{name}' differs when it is read again"
    return ""
