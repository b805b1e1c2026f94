"""Climate fields from CF NetCDF and GRIB files, in geosoil's units and orientation."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError, GeosoilError, InputError
from geosoil.grids.grid import Grid
from geosoil.io._sniff import check_kind
from geosoil.io._window import Bounds, check_bbox, part_of, touched_window
from geosoil.io.climate_amounts import whole_days
from geosoil.io.climate_axes import find_axes, lay_out
from geosoil.io.climate_names import find_variable, soil_depth
from geosoil.io.climate_read import Window, read_window
from geosoil.io.climate_time import (
    DateArray,
    Dates,
    TimeRange,
    read_dates,
    select_times,
)
from geosoil.io.climate_units import Converted, convert, needs_whole_days
from geosoil.io.grib import is_grib, open_grib
from geosoil.io.zarr_store import check_zarr_reader, is_zarr
from geosoil.variables import VARIABLES

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
    file = Path(path)
    box = None if bbox is None else check_bbox(bbox)
    asked = _Asked(variable, box, time, _assumed(assume_crs), assume_start)
    if is_grib(file):
        fields = open_grib(file)
        return _guarded(fields, xr.Dataset(), file, asked)
    with _dataset(file) as dataset:
        named = {str(name): found for name, found in dataset.data_vars.items()}
        fields = {name: found for name, found in named.items() if found.ndim >= 2}
        return _guarded(fields, dataset, file, asked)


def _dataset(file: Path) -> xr.Dataset:
    """Open a NetCDF file or Zarr store, its times not decoded."""
    stored = is_zarr(file)
    if stored:
        check_zarr_reader(file)
    else:
        check_kind(file, "hdf5", "netcdf3", needed="a NetCDF, GRIB or Zarr file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xr.SerializationWarning)
            return xr.open_dataset(
                file,
                engine="zarr" if stored else "netcdf4",
                decode_times=False,
                cache=False,
            )
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
    part = touched_window(layout.grid, asked.bbox, source=str(file))
    window = Window(
        dates.order[chosen],
        layout.rows[part.row : part.row + part.rows],
        layout.columns[part.column : part.column + part.columns],
    )
    grid = part_of(layout.grid, part) if asked.bbox is not None else layout.grid
    values, notes = read_window(found, axes, window, where=where)
    dates = dates.part(chosen)
    converted = convert(values, found, canonical, dates=dates, where=where)
    changes = [] if name == asked.variable else [_taken(name, asked.variable)]
    changes += _reordered(found, (axes.time, axes.y, axes.x))
    changes += [*layout.changes, *dates.changes, *_preliminary(found, axes.time)]
    changes += [*notes.words(), *converted.changes]
    kept = slice(asked_for[0] - chosen[0], asked_for[-1] - chosen[0] + 1)
    values, times = values[kept], dates.times[kept]
    if canonical is not None:
        changes += _check_range(values, canonical, where, step=converted.step)
    raster = _placed(values, times, grid).rename(canonical or name)
    raster.attrs = _attributes(found, name, canonical, converted) | {"changes": changes}
    return raster


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


def _preliminary(found: xr.DataArray, time: str | None) -> list[str]:
    """Say how many dates of ERA5 are of its preliminary version, ERA5T."""
    if "expver" not in found.coords or found["expver"].dims != (time,):
        return []
    versions = found["expver"].to_numpy().astype(str).astype(int)
    count = int((versions == 5).sum())
    return (
        [f"{count} of {versions.size} dates are preliminary (ERA5T)"] if count else []
    )


def _attributes(
    found: xr.DataArray, name: str, canonical: str | None, converted: Converted
) -> dict[str, object]:
    """Attributes of the result."""
    long_name = str(found.attrs.get("long_name", name))
    attrs: dict[str, object] = {"units": converted.units, "source_variable": name}
    depth = soil_depth(name)
    if depth is not None:
        attrs["depth"] = depth
    if canonical is None:
        return attrs | {"long_name": long_name}
    entry = VARIABLES[canonical]
    attrs["long_name"] = entry.long_name
    attrs["step"] = converted.step
    if converted.step != "month":
        attrs["long_name"] = entry.long_name.replace("monthly ", "")
    if entry.standard_name:
        attrs["standard_name"] = entry.standard_name
    return attrs


def _check_range(
    values: FloatArray, canonical: str, where: str, *, step: str
) -> list[str]:
    """Count values that cannot be; raise where most of them cannot."""
    entry = VARIABLES[canonical]
    low, high = entry.valid_range
    outside = known = 0
    for layer in values:
        there = np.isfinite(layer)
        known += int(there.sum())
        outside += int((there & ((layer < low) | (layer > high))).sum())
    if known == 0:
        return ["no value that is not missing"]
    if outside > 0.5 * known:
        message = (
            f"{where}: most values lie outside {low:g} to {high:g} {entry.units} "
            f"(median {np.nanmedian(values):g}) once read as {canonical} a {step}. The "
            "attribute 'units' of the variable is probably wrong."
        )
        raise FileFormatError(message)
    if outside == 0:
        return []
    return [f"{outside} values outside {low:g} to {high:g} {entry.units} kept"]
