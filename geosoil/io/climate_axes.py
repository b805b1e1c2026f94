"""Axes of climate files: which dimension is what, north up, and an exact grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError, InputError, MissingCRSError
from geosoil.grids.grid import Grid

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Axis = Literal["time", "y", "x"]

_TOLERANCE = 1e-3
"""Share of a cell by which a coordinate may miss its place on a regular grid."""

_NAMES: dict[Axis, tuple[str, ...]] = {
    "time": ("time", "valid_time", "t", "date", "month"),
    "y": ("lat", "latitude", "y", "nav_lat", "rlat", "south_north", "northing"),
    "x": ("lon", "longitude", "long", "x", "nav_lon", "rlon", "west_east", "easting"),
}
_STANDARD: dict[Axis, tuple[str, ...]] = {
    "time": ("time",),
    "y": ("latitude", "projection_y_coordinate"),
    "x": ("longitude", "projection_x_coordinate"),
}
_LETTERS: dict[Axis, str] = {"time": "T", "y": "Y", "x": "X"}
_DEGREES: dict[Axis, tuple[str, ...]] = {
    "time": (),
    "y": ("degrees_north", "degree_north", "degrees_n", "degree_n", "degreesn"),
    "x": ("degrees_east", "degree_east", "degrees_e", "degree_e", "degreese"),
}


_METRES = {"km": 1000.0, "kilometre": 1000.0, "kilometer": 1000.0}
"""Factors of units of projected coordinates that are not the metre."""


@dataclass(frozen=True, slots=True)
class Axes:
    """Which dimensions of a variable are time, rows and columns."""

    time: str | None
    """Name of the dimension or scalar coordinate; None where there is none."""
    y: str
    """Name of the dimension of rows."""
    x: str
    """Name of the dimension of columns."""
    versions: str | None
    """Dimension of the versions of ERA5 (expver), None where there is none."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the cells of a file lie on a north-up grid."""

    grid: Grid
    """The exact grid of its cells, north up."""
    rows: IntArray
    """Row in the file of each row of the grid."""
    columns: IntArray
    """Column in the file of each column of the grid."""
    changes: tuple[str, ...]
    """Words for each change."""


def find_axes(raster: xr.DataArray, *, where: str) -> Axes:
    """Tell time, rows and columns of a variable apart.

    Parameters
    ----------
    raster : DataArray
        A variable of the file, dims in any order.
    where : str
        File and variable, for messages.

    Returns
    -------
    axes : Axes
        Names of the dimensions.

    Raises
    ------
    FileFormatError
        If a dimension is missing or one too many.

    Examples
    --------
    >>> raster = xr.DataArray(np.zeros((2, 2)), dims=("lon", "lat"),
    ...                       coords={"lon": [0.0, 1.0], "lat": [0.0, 1.0]})
    >>> find_axes(raster, where="pre.nc").y
    'lat'
    """
    y, x = find_axis(raster, "y"), find_axis(raster, "x")
    absent = [axis for axis, name in (("y", y), ("x", x)) if name is None]
    if absent:
        message = (
            f"{where} has dimensions {_sizes(raster)}; none of them is "
            f"{' nor '.join(absent)}. A variable with time, latitude and longitude is "
            "needed (curvilinear grids are not read)."
        )
        raise FileFormatError(message)
    row, column = str(y), str(x)
    for name in (row, column):
        if name not in raster.dims or name not in raster.coords:
            message = f"{where}: '{name}' is not a dimension with coordinates."
            raise FileFormatError(message)
    time = find_axis(raster, "time")
    extra = [str(name) for name in raster.dims if name not in (time, row, column)]
    long = [name for name in extra if raster.sizes[name] > 1]
    versions = "expver" if "expver" in long else None
    more = [name for name in long if name != versions]
    if more:
        message = (
            f"{where} has more dimensions than time, latitude and longitude: "
            f"{', '.join(f'{name} ({raster.sizes[name]})' for name in more)}. Select "
            "one level first, for instance with xarray .isel, and write a new file."
        )
        raise FileFormatError(message)
    return Axes(time, row, column, versions)


def lay_out(
    raster: xr.DataArray,
    dataset: xr.Dataset,
    axes: Axes,
    *,
    assume_crs: CRS | None,
    where: str,
) -> Layout:
    """Find the grid of a variable from its coordinates alone.

    Parameters
    ----------
    raster : DataArray
        A variable of the file; its values are not read.
    dataset : Dataset
        The file, for its grid mapping.
    axes : Axes
        Its dimensions.
    assume_crs : CRS or None
        What the coordinates are where the file does not say so.
    where : str
        File and variable, for messages.

    Returns
    -------
    layout : Layout
        The grid, and which cell of the file each of its cells is.

    Raises
    ------
    FileFormatError
        If the grid is not regular.
    MissingCRSError
        If nothing in the file tells what the coordinates are and none is assumed.
    InputError
        If the assumed CRS contradicts the file.
    """
    changes: list[str] = []
    ends = raster[axes.y], raster[axes.x]
    crs = _crs(raster, dataset, ends, assume_crs=assume_crs, where=where)
    changes += crs.changes
    y, x = (_numbers(end, crs.crs, where, changes) for end in ends)
    columns = np.argsort(x, kind="stable")
    if crs.crs.is_geographic and x.max() > 180 + 1e-6:
        x, columns = _turned(x, changes)
    elif (np.diff(columns) < 0).any():
        changes.append("columns turned: west first")
    rows = np.argsort(-y, kind="stable")
    if y.size > 1 and y[0] < y[-1]:
        changes.append("rows turned: north first")
    grid = _grid(x[columns], y[rows], crs.crs, where)
    return Layout(grid, rows, columns, tuple(changes))


def _numbers(
    axis: xr.DataArray, crs: CRS, where: str, changes: list[str]
) -> FloatArray:
    """Coordinates as numbers in units of the CRS."""
    values = np.asarray(axis.to_numpy(), dtype=float)
    if not np.isfinite(values).all():
        message = f"{where}: coordinate '{axis.name}' has missing values."
        raise FileFormatError(message)
    factor = _METRES.get(str(axis.attrs.get("units", "")).casefold())
    if factor is not None and crs.is_projected:
        changes.append(f"coordinate {axis.name} in km turned to metres")
        return values * factor
    return values


def _turned(x: FloatArray, changes: list[str]) -> tuple[FloatArray, IntArray]:
    """Turn longitudes 0 to 360 to -180 to 180, unless that tears the grid apart."""
    turned = (x + 180.0) % 360.0 - 180.0
    columns = np.argsort(turned, kind="stable")
    steps = np.diff(turned[columns])
    twice = np.flatnonzero(steps < 1e-6)
    if twice.size:
        changes.append(f"{twice.size} columns given twice, at 0 and 360, read once")
        columns = np.delete(columns, twice + 1)
        steps = np.diff(turned[columns])
    if steps.size and steps.max() > 1.5 * np.median(steps):
        changes.append("longitudes beyond 180 kept: the grid lies across 180")
        return x, np.argsort(x, kind="stable")
    changes.append("longitudes 0 to 360 turned to -180 to 180")
    return turned, columns


def find_axis(raster: xr.DataArray, axis: Axis) -> str | None:
    """Return the name of the dimension that is time, y or x.

    Parameters
    ----------
    raster : DataArray
        Variable with coordinates.
    axis : {"time", "y", "x"}
        What to look for.

    Returns
    -------
    name : str or None
        Name of the dimension or scalar coordinate, None if there is none.
    """
    candidates = [str(name) for name in (*raster.dims, *raster.coords)]
    for name in dict.fromkeys(candidates):
        if name not in raster.coords or raster[name].ndim > 1:
            continue
        attrs = raster[name].attrs
        units = str(attrs.get("units", "")).replace(" ", "_").casefold()
        if (
            attrs.get("standard_name") in _STANDARD[axis]
            or attrs.get("axis") == _LETTERS[axis]
            or units in _DEGREES[axis]
            or (axis == "time" and np.issubdtype(raster[name].dtype, np.datetime64))
            or (axis == "time" and "_since_" in units)
        ):
            return name
    for name in dict.fromkeys(candidates):
        one = name not in raster.coords or raster[name].ndim <= 1
        if one and name.casefold() in _NAMES[axis]:
            return name
    return None


def _sizes(raster: xr.DataArray) -> str:
    return ", ".join(f"{name} ({size})" for name, size in raster.sizes.items())


@dataclass(frozen=True, slots=True)
class _Told:
    """A CRS and words for where it is from."""

    crs: CRS
    changes: tuple[str, ...] = ()


def _crs(
    raster: xr.DataArray,
    dataset: xr.Dataset,
    axes: tuple[xr.DataArray, xr.DataArray],
    *,
    assume_crs: CRS | None,
    where: str,
) -> _Told:
    """CRS that the file tells, or the assumed one where it tells none."""
    mapped = _mapped_crs(raster, dataset, where)
    degrees = _in_degrees(axes)
    if assume_crs is not None:
        _check_assumed(assume_crs, mapped, axes, degrees=degrees, where=where)
        if mapped is None:
            words = assume_crs.to_string()[:60]
            return _Told(assume_crs, (f"CRS {words} assumed, as stated",))
    if mapped is not None:
        return _Told(mapped)
    if degrees:
        words = "CRS EPSG:4326 taken from latitude and longitude in degrees"
        return _Told(CRS.from_epsg(4326), (words,))
    message = (
        f"{where}: nothing in the file tells what its coordinates '{axes[0].name}' and "
        f"'{axes[1].name}' are. Give them units degrees_north and degrees_east, or the "
        "variable a grid_mapping, or state it: assume_crs='EPSG:4326'."
    )
    raise MissingCRSError(message)


def _mapped_crs(raster: xr.DataArray, dataset: xr.Dataset, where: str) -> CRS | None:
    """CRS of the grid mapping; None without one, or where it says only degrees."""
    mapping = raster.encoding.get("grid_mapping", raster.attrs.get("grid_mapping"))
    if mapping not in dataset.variables:
        return None
    try:
        crs = CRS.from_cf(dict(dataset[mapping].attrs))
    except (CRSError, KeyError, ValueError) as error:
        message = f"{where}: its grid mapping '{mapping}' is not readable: {error}."
        raise MissingCRSError(message) from error
    return crs if not crs.is_geographic or crs.to_epsg() is not None else None


def _in_degrees(axes: tuple[xr.DataArray, xr.DataArray]) -> bool:
    units = [str(a.attrs.get("units", "")).replace(" ", "_").casefold() for a in axes]
    names = [a.attrs.get("standard_name") for a in axes]
    geographic = units[0] in _DEGREES["y"] and units[1] in _DEGREES["x"]
    return geographic or names == ["latitude", "longitude"]


def _check_assumed(
    assumed: CRS,
    mapped: CRS | None,
    axes: tuple[xr.DataArray, xr.DataArray],
    *,
    degrees: bool,
    where: str,
) -> None:
    """Raise where the file contradicts the assumed CRS."""
    fault = ""
    if mapped is not None and not mapped.equals(assumed, ignore_axis_order=True):
        fault = f"the file says {mapped.to_string()[:60]}"
    elif degrees and not assumed.is_geographic:
        fault = "its coordinates are in degrees"
    elif assumed.is_geographic:
        reach = [float(np.abs(axis.to_numpy()).max()) for axis in axes]
        if reach[0] > 90.001 or reach[1] > 360.001:
            fault = f"its coordinates reach {reach[0]:g} and {reach[1]:g}, no degrees"
    if fault:
        message = (
            f"{where}: assume_crs {assumed.to_string()[:60]} cannot be, {fault}. "
            "Leave it out or give the right one."
        )
        raise InputError(message)


def _grid(x: FloatArray, y: FloatArray, crs: CRS, where: str) -> Grid:
    x0, dx = _regular(x, "x", where)
    y0, dy = _regular(-y, "y", where)
    transform = Affine(dx, 0.0, x0, 0.0, -dy, -y0)
    return Grid(crs, transform, (y.size, x.size))


def _regular(values: FloatArray, name: str, where: str) -> tuple[float, float]:
    """First edge and step of a rising axis of cell centres, free of rounding."""
    if values.size < 2:
        message = f"{where} has fewer than two cells along {name}: no cell size."
        raise FileFormatError(message)
    step = (values[-1] - values[0]) / (values.size - 1)
    miss = np.abs(values - (values[0] + step * np.arange(values.size)))
    if not step > 0 or miss.max() > _TOLERANCE * step:
        steps = np.diff(values)
        message = (
            f"{where}: the cells along {name} are not evenly spaced (steps from "
            f"{steps.min():.6g} to {steps.max():.6g}): a Gaussian or irregular grid. "
            "Bring it onto a regular grid first, for instance with cdo remapbil."
        )
        raise FileFormatError(message)
    step = _round_step(step)
    edge = float(values[0]) - step / 2
    halves = round(edge / (step / 2))
    snapped = halves * step / 2
    return (snapped if abs(snapped - edge) < _TOLERANCE * step else edge), step


def _round_step(step: float) -> float:
    """Return the simple number that a step read from rounded coordinates stands for."""
    for exact in (1.0 / max(round(1.0 / step), 1), round(step, 4), round(step, 6)):
        if exact > 0 and abs(exact - step) < 1e-5 * step:
            return exact
    return step
