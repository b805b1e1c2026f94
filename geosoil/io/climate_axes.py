"""Axes of climate files: which dimension is what, north up, and an exact grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from affine import Affine
from pyproj import CRS
from pyproj.exceptions import CRSError

from geosoil.errors import FileFormatError, MissingCRSError
from geosoil.grids.grid import Grid

FloatArray = npt.NDArray[np.float64]
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


@dataclass(frozen=True, slots=True)
class Placed:
    """A raster with its dims in order and its place on the earth."""

    raster: xr.DataArray
    """Dims (time, y, x), rows north to south, columns west to east."""
    grid: Grid
    """The exact grid of its cells."""
    changes: tuple[str, ...]
    """Words for each change."""


def place(raster: xr.DataArray, dataset: xr.Dataset, *, where: str) -> Placed:
    """Order the dims of a raster and find its grid.

    Parameters
    ----------
    raster : DataArray
        A variable of the file, dims in any order.
    dataset : Dataset
        The file, for its grid mapping.
    where : str
        File and variable, for messages.

    Returns
    -------
    placed : Placed
        The raster on its grid.

    Raises
    ------
    FileFormatError
        If a dimension is missing or one too many, or the grid is not regular.
    MissingCRSError
        If nothing in the file tells what the coordinates are.
    """
    changes: list[str] = []
    ordered, y, x = _ordered(raster, where, changes)
    crs = _crs(raster, dataset, (y, x), where, changes)
    if crs.is_geographic and float(ordered["x"].max()) > 180:
        turned = (ordered["x"].astype(float) + 180.0) % 360.0 - 180.0
        ordered = ordered.assign_coords(x=turned).sortby("x")
        changes.append("longitudes 0 to 360 turned to -180 to 180")
    if ordered.sizes["y"] > 1 and ordered["y"][0] < ordered["y"][-1]:
        ordered = ordered.isel(y=slice(None, None, -1))
        changes.append("rows turned: north first")
    if ordered.sizes["x"] > 1 and ordered["x"][0] > ordered["x"][-1]:
        ordered = ordered.isel(x=slice(None, None, -1))
        changes.append("columns turned: west first")
    grid = _grid(ordered, crs, where)
    return Placed(ordered, grid, tuple(changes))


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
        ):
            return name
    for name in dict.fromkeys(candidates):
        if name.casefold() in _NAMES[axis]:
            return name
    return None


def _ordered(
    raster: xr.DataArray, where: str, changes: list[str]
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    axes: tuple[Axis, ...] = ("time", "y", "x")
    names = {axis: find_axis(raster, axis) for axis in axes}
    absent = [axis for axis, name in names.items() if name is None]
    if absent:
        message = (
            f"{where} has dimensions {_sizes(raster)}; none of them is "
            f"{' nor '.join(absent)}. A variable with time, latitude and longitude is "
            "needed (curvilinear grids are not read)."
        )
        raise FileFormatError(message)
    time, row, column = (str(names[axis]) for axis in axes)
    for name in (row, column):
        if name not in raster.dims or name not in raster.coords:
            message = f"{where}: '{name}' is not a dimension with coordinates."
            raise FileFormatError(message)
    if time not in raster.dims:
        raster = raster.expand_dims(time)
        changes.append("a time dimension of length 1 was added")
    raster = _without_extra(raster, (time, row, column), where, changes)
    if raster.dims != (time, row, column):
        changes.append(f"dimensions {_join(raster.dims)} put in order time, y, x")
    y, x = raster[row], raster[column]
    ordered = raster.transpose(time, row, column)
    kept = {time, row, column}
    ordered = ordered.drop_vars([c for c in ordered.coords if c not in kept])
    renames = {time: "time", row: "y", column: "x"}
    return ordered.rename({k: v for k, v in renames.items() if k != v}), y, x


def _without_extra(
    raster: xr.DataArray, kept: Sequence[str], where: str, changes: list[str]
) -> xr.DataArray:
    extra = [name for name in raster.dims if name not in kept]
    long = [str(name) for name in extra if raster.sizes[name] > 1]
    if long:
        message = (
            f"{where} has more dimensions than time, latitude and longitude: "
            f"{', '.join(f'{name} ({raster.sizes[name]})' for name in long)}. Select "
            "one level first, for instance with xarray .isel, and write a new file."
        )
        raise FileFormatError(message)
    if extra:
        changes.append(f"dimension {_join(extra)} of length 1 dropped")
    return raster.squeeze(extra, drop=True)


def _join(names: Sequence[object]) -> str:
    return ", ".join(str(name) for name in names)


def _sizes(raster: xr.DataArray) -> str:
    return _join([f"{name} ({size})" for name, size in raster.sizes.items()])


def _crs(
    raster: xr.DataArray,
    dataset: xr.Dataset,
    axes: tuple[xr.DataArray, xr.DataArray],
    where: str,
    changes: list[str],
) -> CRS:
    mapping = raster.encoding.get("grid_mapping", raster.attrs.get("grid_mapping"))
    if mapping in dataset.variables:
        attrs = dataset[mapping].attrs
        try:
            crs = CRS.from_cf(dict(attrs))
        except (CRSError, KeyError, ValueError) as error:
            message = f"{where}: its grid mapping '{mapping}' is not readable: {error}."
            raise MissingCRSError(message) from error
        if not crs.is_geographic or crs.to_epsg() is not None:
            return crs
    units = [str(a.attrs.get("units", "")).replace(" ", "_").casefold() for a in axes]
    names = [a.attrs.get("standard_name") for a in axes]
    geographic = units[0] in _DEGREES["y"] and units[1] in _DEGREES["x"]
    if geographic or names == ["latitude", "longitude"]:
        changes.append("CRS EPSG:4326 taken from latitude and longitude in degrees")
        return CRS.from_epsg(4326)
    message = (
        f"{where}: nothing in the file tells what its coordinates '{axes[0].name}' and "
        f"'{axes[1].name}' are. Give them units degrees_north and degrees_east, or the "
        "variable a grid_mapping."
    )
    raise MissingCRSError(message)


def _grid(raster: xr.DataArray, crs: CRS, where: str) -> Grid:
    x0, dx = _regular(raster["x"], "x", where)
    y0, dy = _regular(-raster["y"], "y", where)
    transform = Affine(dx, 0.0, x0, 0.0, -dy, -y0)
    return Grid(crs, transform, (raster.sizes["y"], raster.sizes["x"]))


def _regular(axis: xr.DataArray, name: str, where: str) -> tuple[float, float]:
    """First edge and step of a rising axis of cell centres, free of rounding."""
    values = np.asarray(axis.values, dtype=float)
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
