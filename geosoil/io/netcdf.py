"""Write results as CF NetCDF, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import numpy.typing as npt
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr

from geosoil.errors import GeosoilError, InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.io._atomic import atomic_path

CONVENTIONS = "CF-1.11"

CHUNK = 512
"""Longest side of a block of cells that is compressed together."""

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
_STORED = ("_FillValue", "dtype", "units", "calendar")
"""What a variable may ask for by its ``encoding``."""

_TEXT = "OUT"
"""Kinds of arrays that are text."""


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

    Notes
    -----
    The same rasters give the same bytes under the same versions of the libraries.
    Cells have bounds. A variable may ask by its ``encoding`` for the type and the
    number of missing cells in the file.

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
    return write_netcdf_grids({"": dataset}, path, attrs=attrs)


def write_netcdf_grids(
    datasets: Mapping[str, xr.Dataset],
    path: str | os.PathLike[str],
    *,
    attrs: Mapping[str, object] | None = None,
) -> Path:
    """Write rasters of several grids as one NetCDF-4 file, whole or not at all.

    Parameters
    ----------
    datasets : mapping of str to Dataset with dims (y, x) and any others
        Rasters of each grid, by a name that its axes get behind their own: those of
        "coarse" are ``y_coarse`` and ``x_coarse``, those of "" y and x. Variables have
        names of their own; other axes of one name are the same.
    path : path
        File to write.
    attrs : mapping, optional
        Global attributes, beside those of the datasets.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    MissingCRSError
        If a dataset has no CRS.
    InputError
        If two grids hold variables or axes of one name that differ.
    GeosoilError
        If the file cannot be written, or differs when read again.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> fine = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326").raster(np.eye(2))
    >>> coarse = Grid.from_bounds((0, 0, 1, 1), 1, "EPSG:4326").raster([[0.5]])
    >>> parts = {"": xr.Dataset({"r": fine}), "coarse": xr.Dataset({"mean": coarse})}
    >>> with TemporaryDirectory() as folder:
    ...     file = write_netcdf_grids(parts, Path(folder) / "r.nc")
    ...     with xr.open_dataset(file, engine="netcdf4") as found:
    ...         found["mean"].dims
    ('y_coarse', 'x_coarse')
    """
    content, encoding = _merged(datasets, dict(attrs or {}))
    with atomic_path(path) as part:
        try:
            content.to_netcdf(part, engine="netcdf4", encoding=encoding)
            fault = _difference(content, encoding, part)
        except RuntimeError as error:
            fault = str(error)
        if fault:
            message = (
                f"Cannot write '{path}': {fault}. What was there before is unchanged. "
                "Check the free space on the disk."
            )
            raise GeosoilError(message)
    return Path(path)


Encoding = dict[str, dict[str, Any]]


def _merged(
    datasets: Mapping[str, xr.Dataset], attrs: dict[str, object]
) -> tuple[xr.Dataset, Encoding]:
    """Return what is written, and how each variable is stored."""
    parts = []
    encoding: Encoding = {}
    for name, dataset in datasets.items():
        part, mapping = _content(dataset, f"_{name}" if name else "")
        # A mapping is no place: as a coordinate it would be named by all variables.
        parts.append(part.reset_coords(mapping))
        encoding |= _encodings(part, mapping)
        attrs = {**dataset.attrs, **attrs}
    try:
        content = xr.merge(
            parts, join="exact", compat="identical", combine_attrs="override"
        )
    except ValueError as error:
        message = f"Grids of one file hold different things of one name: {error}."
        raise InputError(message) from error
    for _, end in _ends(content):
        content[end].encoding["coordinates"] = None
    content.attrs = _plain({**attrs, "Conventions": CONVENTIONS})
    return content, encoding


def _encodings(part: xr.Dataset, mapping: str) -> Encoding:
    """How each variable of a grid's part is stored."""
    found = {str(name): _encoding(part[name]) for name in part.variables}
    axes = {mapping.replace("spatial_ref", axis) for axis in ("y", "x")}
    for name, stored in found.items():
        if axes <= set(part[name].dims):
            stored["grid_mapping"] = mapping
        elif name in part.coords:
            stored["_FillValue"] = None
    for parent, end in _ends(part):
        # Ends of cells are stored as their middles.
        found[end] |= {**_asked(part[parent]), "_FillValue": None}
    return found


def _ends(part: xr.Dataset) -> list[tuple[str, str]]:
    """Return each axis with bounds and their name."""
    named = [
        (str(name), str(variable.attrs[key]))
        for name, variable in part.variables.items()
        for key in ("bounds", "climatology")
        if key in variable.attrs
    ]
    return [(parent, end) for parent, end in named if end in part.variables]


def _content(dataset: xr.Dataset, suffix: str) -> tuple[xr.Dataset, str]:
    """Return a grid's part and the name of its mapping.

    It has CF axes with bounds, the CRS and plain attributes.
    """
    if dataset.rio.crs is None:
        message = "The rasters have no coordinate reference system. Set it first."
        raise MissingCRSError(message)
    grid = Grid.of(dataset)
    placed: xr.Dataset = dataset.rio.write_crs(grid.crs)
    old, mapping = placed.rio.grid_mapping, f"spatial_ref{suffix}"
    names = {"y": f"y{suffix}", "x": f"x{suffix}", old: mapping}
    content = placed.rename({key: name for key, name in names.items() if key != name})
    for name in content.variables:
        content[name].attrs = _plain(content[name].attrs)
        content[name].attrs.pop("grid_mapping", None)
    axes = _AXES[grid.crs.is_geographic]
    unit = grid.crs.axis_info[0].unit_name
    content[mapping].attrs["long_name"] = "coordinate reference system"
    for axis, values in (("y", grid.y), ("x", grid.x)):
        name = names[axis]
        said = {**axes[axis], "axis": axis.upper(), "bounds": f"{name}_bnds"}
        said.setdefault("units", {"metre": "m"}.get(unit, unit))
        if suffix:
            # A file has one latitude by name; the axes of others say it by units.
            said["long_name"] = f"{said.pop('standard_name')} of {suffix[1:]}"
        content[name] = (name, values, said)
        content[f"{name}_bnds"] = ((name, "bnds"), _bounds(grid, axis))
    return content, mapping


def _bounds(grid: Grid, axis: str) -> npt.NDArray[np.float64]:
    """Return the edges of the cells along an axis, in the order of the axis."""
    start = grid.transform.f if axis == "y" else grid.transform.c
    step = grid.transform.e if axis == "y" else grid.transform.a
    count = grid.shape[0] if axis == "y" else grid.shape[1]
    edges = start + step * np.arange(count + 1)
    return np.column_stack([edges[:-1], edges[1:]])


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


def _asked(raster: xr.DataArray) -> dict[str, Any]:
    """Return what a variable asks for itself."""
    asked = {key: raster.encoding[key] for key in _STORED if key in raster.encoding}
    if raster.dtype.kind in _TEXT:
        # Fixed text, which every reader of NetCDF knows.
        asked["dtype"] = "S1"
    return asked


def _encoding(raster: xr.DataArray) -> dict[str, Any]:
    """How a variable is stored."""
    stored: dict[str, Any] = {"zlib": True, "complevel": 4, "shuffle": True}
    stored["fletcher32"] = True
    if raster.dtype.kind == "f":
        stored["_FillValue"] = raster.dtype.type(np.nan)
    elif raster.dtype.kind == "b":
        stored["dtype"] = "int8"
    stored |= _asked(raster)
    if raster.dtype.kind not in _TEXT:
        sides = [min(size, CHUNK) for size in raster.shape[-2:]]
        stored["chunksizes"] = (*(1 for _ in raster.shape[:-2]), *sides)
    return stored if raster.ndim else {}


def _difference(content: xr.Dataset, encoding: Encoding, part: Path) -> str:
    """Say in what a written file differs from what it should hold, "" if nothing."""
    with netCDF4.Dataset(part) as stored:
        places = {"": (stored, content.attrs)}
        for name, raster in content.variables.items():
            places[str(name)] = (stored[str(name)], raster.attrs)
        for name, (place, attrs) in places.items():
            for key, value in attrs.items():
                if key not in place.ncattrs() or not _same(
                    np.asarray(place.getncattr(key)), np.asarray(value)
                ):
                    return f"attribute '{key}' of '{name or 'the file'}' differs"
            mapping = encoding.get(name, {}).get("grid_mapping")
            if mapping is not None and place.getncattr("grid_mapping") != mapping:
                return f"'{name}' has lost its coordinate reference system"
    with xr.open_dataset(part, engine="netcdf4") as found:
        for name, raster in content.variables.items():
            if not _same(found[str(name)].to_numpy(), raster.to_numpy()):
                return f"variable '{name}' differs when it is read again"
    return ""


def _same(found: npt.NDArray[Any], written: npt.NDArray[Any]) -> bool:
    """Whether values agree, with the same gaps."""
    if written.dtype.kind in "fiub" and found.dtype.kind in "fiub":
        found, written = (np.asarray(one, dtype=np.float64) for one in (found, written))
        return np.array_equal(found, written, equal_nan=True)
    return np.array_equal(found, written)
