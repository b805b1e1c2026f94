"""Climate fields from CF NetCDF and GRIB files, in geosoil's units and orientation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError, GeosoilError, InputError
from geosoil.grids.grid import Grid
from geosoil.io._sniff import check_kind
from geosoil.io._window import Bounds, check_bbox, part_of, touched_window
from geosoil.io._window import Window as Cells
from geosoil.io.climate_account import (
    check_range,
    climate_attributes,
    preliminary_dates,
)
from geosoil.io.climate_amounts import whole_days
from geosoil.io.climate_axes import find_axes, lay_out
from geosoil.io.climate_names import find_variable
from geosoil.io.climate_read import Window, read_window
from geosoil.io.climate_time import (
    DateArray,
    Dates,
    TimeRange,
    read_dates,
    select_times,
)
from geosoil.io.climate_units import convert, needs_whole_days
from geosoil.io.grib import is_grib, open_grib
from geosoil.io.zarr_store import check_zarr_reader, is_zarr

FloatArray = npt.NDArray[np.float64]


def open_climate(
    path: str | os.PathLike[str],
    variable: str,
    *,
    bbox: tuple[float, float, float, float] | None = None,
    time: TimeRange | None = None,
    assume_crs: str | int | CRS | None = None,
    assume_start: str | None = None,
) -> xr.DataArray:
    """Open one variable of a climate file: CF NetCDF, GRIB or Zarr.

    Parameters
    ----------
    path : path
        NetCDF file, classic or NetCDF-4, GRIB file (with ``geosoil[grib]``) or folder
        of a Zarr store (with ``geosoil[zarr]``), on a regular grid.
    variable : str
        Name in geosoil (``air_temperature``, ``ground_temperature``,
        ``precipitation``, ``evapotranspiration``, ``soil_moisture``), looked for by
        name, standard name and long name; or the variable's own name in the file
        (``swvl3``).
    bbox : tuple = (W, S, E, N), optional
        Box in degrees; every cell that it touches is read, and no other.
    time : tuple = (first, last), optional
        First and last date, both included; ``"2020-08"`` means the whole month.
    assume_crs : str, int or CRS, optional
        What the coordinates are, for a file that does not say so.
    assume_start : str, optional
        First month, ``"1979-01"``, for a file that only counts its months.

    Returns
    -------
    raster : DataArray (time, y, x)
        Rows north to south, longitudes -180 to 180, CRS and exact transform set, NaN
        where missing, in degC, mm or m3 m-3. ``attrs["changes"]`` lists what was
        changed, ``attrs["step"]`` is "month" or "time step": what amounts of water
        are of, ``attrs["depth"]`` the layer of soil where the name tells it. A
        variable that is none of geosoil's keeps its unit.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FileFormatError
        If it is no NetCDF or GRIB file, damaged, without the variable, on an uneven
        grid, undated, in a unit that is not understood, or the window too large for
        the memory; the last is told from the header, before anything is read.
    MissingCRSError
        If nothing in it tells what its coordinates are and ``assume_crs`` is absent.
    InputError
        If a box or range lies outside, or an assumption contradicts the file.
    GeosoilError
        If GRIB or Zarr is asked for and its reader is not installed.

    Notes
    -----
    ERA5 and ERA5-Land: monthly means of water are metres a day and become mm a month;
    amounts several times a day that are sums since 00 UTC are taken apart; the water
    that evaporates is positive here, negative there; ``expver`` is merged, the final
    version first. Memory: 8 bytes a value of the window, and blocks of 32 MiB.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> field = xr.DataArray(
    ...     np.full((1, 2, 2), 273.15),
    ...     dims=("time", "lat", "lon"),
    ...     coords={
    ...         "time": np.array(["2020-06-01"], dtype="datetime64[ns]"),
    ...         "lat": ("lat", [34.05, 34.15], {"units": "degrees_north"}),
    ...         "lon": ("lon", [92.05, 92.15], {"units": "degrees_east"}),
    ...     },
    ...     attrs={"units": "K"},
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "t.nc"
    ...     _ = field.to_dataset(name="t2m").to_netcdf(file, engine="netcdf4")
    ...     air = open_climate(file, "air_temperature")
    >>> air.dims, air.attrs["units"], float(air.y[0]), float(air.mean())
    (('time', 'y', 'x'), 'degC', 34.15, 0.0)
    """
    box = None if bbox is None else check_bbox(bbox)
    asked = _Asked(variable, box, time, _assumed(assume_crs), assume_start)
    return _read(Path(path), asked)


def open_climate_cells(
    path: str | os.PathLike[str],
    variable: str,
    cells: Cells,
    *,
    bbox: tuple[float, float, float, float] | None = None,
    time: TimeRange | None = None,
) -> xr.DataArray:
    """Read some cells of what :func:`open_climate` reads.

    Parameters
    ----------
    path, variable, bbox, time
        As in :func:`open_climate`.
    cells : Window
        Rows and columns wanted, counted in the raster that it would return.

    Returns
    -------
    raster : DataArray (time, y, x)
        These cells alone, read alone.

    Raises
    ------
    GeosoilError
        As :func:`open_climate` does.
    """
    box = None if bbox is None else check_bbox(bbox)
    return _read(Path(path), _Asked(variable, box, time, None, None, cells))


def climate_layout(
    path: str | os.PathLike[str],
    variable: str,
    *,
    bbox: tuple[float, float, float, float] | None = None,
) -> tuple[Grid, tuple[int, int]]:
    """Return the grid of what :func:`open_climate` reads, from the header alone.

    Parameters
    ----------
    path, variable, bbox
        As in :func:`open_climate`.

    Returns
    -------
    grid : Grid
        Of the raster that it would return.
    chunk : tuple = (rows, columns)
        Cells that the file stores together; (1, columns) where it is not chunked.

    Raises
    ------
    GeosoilError
        As :func:`open_climate` does.
    """
    file = Path(path)
    box = None if bbox is None else check_bbox(bbox)
    with _dataset(file) as dataset:
        fields = _fields(dataset)
        name, _ = find_variable(fields, variable, file=str(file))
        found, where = fields[name], f"'{file}', variable '{name}'"
        axes = find_axes(found, where=where)
        layout = lay_out(found, dataset, axes, assume_crs=None, where=where)
        stored = found.encoding.get("chunksizes") or found.encoding.get("chunks")
        sizes = dict(zip(found.dims, stored or (), strict=False))
        chunk = sizes.get(axes.y, 1), sizes.get(axes.x, found.sizes[axes.x])
    asked = _Asked(variable, box, None, None, None)
    return _cells(layout.grid, asked, str(file))[1], (int(chunk[0]), int(chunk[1]))


def _fields(dataset: xr.Dataset) -> dict[str, xr.DataArray]:
    """Return the variables that may be fields: none that bounds the cells of axes."""
    bounds = {
        found.attrs.get("bounds") or found.encoding.get("bounds")
        for found in dataset.variables.values()
    }
    return {
        str(name): found
        for name, found in dataset.data_vars.items()
        if found.ndim >= 2 and name not in bounds
    }


def _read(file: Path, asked: _Asked) -> xr.DataArray:
    """Read what is asked by the kind of the file."""
    if is_grib(file):
        return _guarded(open_grib(file), xr.Dataset(), file, asked)
    with _dataset(file) as dataset:
        return _guarded(_fields(dataset), dataset, file, asked)


def _dataset(file: Path) -> xr.Dataset:
    """Open a NetCDF file or Zarr store, its times not decoded."""
    how: dict[str, Any] = {"engine": "netcdf4"}
    if is_zarr(file):
        check_zarr_reader(file)
        how = {"engine": "zarr", "consolidated": False}
    else:
        check_kind(file, "hdf5", "netcdf3", needed="a NetCDF, GRIB or Zarr file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xr.SerializationWarning)
            return xr.open_dataset(file, decode_times=False, cache=False, **how)
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _damaged(file, error) from error


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a user wants of a file, and what they state that it does not."""

    variable: str
    bbox: Bounds | None
    time: TimeRange | None
    crs: CRS | None
    start: str | None
    cells: Cells | None = None


def _assumed(crs: str | int | CRS | None) -> CRS | None:
    if crs is None:
        return None
    try:
        return CRS.from_user_input(crs)
    except CRSError as error:
        message = f"Invalid assume_crs '{crs}': {error}. Give for instance EPSG:4326."
        raise InputError(message) from error


def _damaged(file: Path, error: Exception) -> FileFormatError:
    message = (
        f"'{file}' cannot be read as NetCDF or Zarr: {error}. It may be damaged; "
        "download it again."
    )
    return FileFormatError(message)


def _guarded(
    fields: Mapping[str, xr.DataArray], dataset: xr.Dataset, file: Path, asked: _Asked
) -> xr.DataArray:
    """Read, with every error of the reader told by the name of the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xr.SerializationWarning)
            return _open(fields, dataset, file, asked)
    except GeosoilError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        raise _damaged(file, error) from error


def _open(
    fields: Mapping[str, xr.DataArray], dataset: xr.Dataset, file: Path, asked: _Asked
) -> xr.DataArray:
    name, canonical = find_variable(fields, asked.variable, file=str(file))
    where = f"'{file}', variable '{name}'"
    found = fields[name]
    axes = find_axes(found, where=where)
    layout = lay_out(found, dataset, axes, assume_crs=asked.crs, where=where)
    dates = _dates(found, axes.time, asked.start, where)
    chosen = select_times(dates, asked.time, where=where)
    if needs_whole_days(found, canonical, dates):
        asked_for, chosen = chosen, whole_days(dates.times, chosen)
    else:
        asked_for = chosen
    part, grid = _cells(layout.grid, asked, str(file))
    window = Window(
        dates.order[chosen],
        layout.rows[part.row : part.row + part.rows],
        layout.columns[part.column : part.column + part.columns],
    )
    values, notes = read_window(found, axes, window, where=where)
    dates = dates.part(chosen)
    converted = convert(values, found, canonical, dates=dates, where=where)
    meant = asked.variable or canonical or name
    changes = [] if name == meant else [_taken(name, meant)]
    changes += _reordered(found, (axes.time, axes.y, axes.x))
    changes += [*layout.changes, *dates.changes, *preliminary_dates(found, axes.time)]
    changes += [*notes.words(), *converted.changes]
    kept = slice(asked_for[0] - chosen[0], asked_for[-1] - chosen[0] + 1)
    values, times = values[kept], dates.times[kept]
    if canonical is not None:
        changes += check_range(values, canonical, where, step=converted.step)
    raster = _placed(values, times, grid).rename(canonical or name)
    raster.attrs = climate_attributes(found, name, canonical, converted) | {
        "changes": changes
    }
    return raster


def _cells(grid: Grid, asked: _Asked, source: str) -> tuple[Cells, Grid]:
    """Return the cells of the file that are read, and their grid."""
    part = touched_window(grid, asked.bbox, source=source)
    if asked.cells is not None:
        inner = asked.cells
        part = Cells(
            part.row + inner.row, part.column + inner.column, inner.rows, inner.columns
        )
    whole = asked.bbox is None and asked.cells is None
    return part, grid if whole else part_of(grid, part)


def _placed(values: FloatArray, times: DateArray, grid: Grid) -> xr.DataArray:
    """Label values; the CRS is written to a small stand-in, since that copies."""
    stand_in = xr.DataArray(np.zeros(grid.shape, dtype=np.int8), dims=("y", "x"))
    placed = grid.georeference(stand_in)
    coords = {"time": times, **placed.coords}
    raster = xr.DataArray(values, dims=("time", "y", "x"), coords=coords)
    raster.encoding = dict(placed.encoding)
    return raster


def _taken(name: str, variable: str) -> str:
    return f"variable '{name}' taken for {variable}"


def _reordered(found: xr.DataArray, order: tuple[str | None, str, str]) -> list[str]:
    dims = [str(name) for name in found.dims if name in order]
    if dims == [name for name in order if name in dims]:
        return []
    return [f"dimensions {', '.join(dims)} put in order time, y, x"]


def _dates(
    found: xr.DataArray, time: str | None, start: str | None, where: str
) -> Dates:
    """Dates of a variable; one without a time dimension has a single date."""
    axis = found[time] if time is not None and time in found.coords else None
    size = found.sizes[time] if time in found.dims else 1
    dates = read_dates(axis, size, assume_start=start, where=where)
    if time in found.dims:
        return dates
    added = "a time dimension of length 1 was added"
    return Dates(dates.times, dates.order, dates.days_in_month, (*dates.changes, added))
