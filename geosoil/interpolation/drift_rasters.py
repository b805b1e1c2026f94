"""Rasters that values follow, read at points and at the cells of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr
from pyproj import CRS, Transformer

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.footprints import footprints, read_cells
from geosoil.grids.grid import SNAP, Grid, check_same_grid
from geosoil.grids.points import raster_variables
from geosoil.interpolation.base import FloatArray

Rasters: TypeAlias = xr.DataArray | xr.Dataset | Mapping[str, xr.DataArray]
"""One raster, or several by their names."""

BLOCK = 2**16
"""Places that are read together."""


def named_rasters(rasters: Rasters) -> dict[str, xr.DataArray]:
    """Return rasters by name, north up, after checks that report all faults at once.

    Parameters
    ----------
    rasters : DataArray, Dataset, or mapping of str to DataArray
        Rasters of quantities with dims y, x and a CRS, each on a grid of its own. A
        DataArray without a name is called "drift".

    Returns
    -------
    named : dict of str to DataArray
        The rasters.

    Raises
    ------
    InputError
        If one has other dims, or holds integers, which are classes here.
    MissingCRSError
        If one has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((95, 33, 97, 34), 1, "EPSG:4326")
    >>> list(named_rasters(grid.raster([[4000.0, 4500.0]], name="elevation")))
    ['elevation']
    """
    if isinstance(rasters, xr.DataArray):
        rasters = {str(rasters.name or "drift"): rasters}
    parts = {str(name): raster for name, raster in dict(rasters).items()}
    faults = [
        fault for name, raster in parts.items() for fault in _faults(name, raster)
    ]
    if faults or not parts:
        message = f"Unfit as a drift: {'; '.join(faults) or 'no raster'}."
        raise InputError(message)
    bare = [name for name, raster in parts.items() if raster.rio.crs is None]
    if bare:
        message = (
            f"Drift without a coordinate reference system: {', '.join(bare)}. Set it "
            "with .rio.write_crs, for instance 'EPSG:4326'."
        )
        raise MissingCRSError(message)
    return {
        name: raster_variables(raster.rename(name))[name].transpose("y", "x")
        for name, raster in parts.items()
    }


def _faults(name: str, raster: Any) -> list[str]:  # noqa: ANN401  whatever was given
    """Return why something is no raster of a quantity."""
    if not isinstance(raster, xr.DataArray):
        return [f"'{name}' is {type(raster).__name__}, no DataArray"]
    if set(raster.dims) != {"y", "x"}:
        return [f"'{name}' has dims {raster.dims}, choose one layer (y, x) with .isel"]
    if raster.dtype.kind != "f":
        return [
            f"'{name}' holds {raster.dtype}, which are classes here: mask what is "
            "missing and convert quantities with .astype(float)"
        ]
    return []


def rasters_at(
    rasters: Mapping[str, xr.DataArray], xy: FloatArray, crs: CRS | None
) -> FloatArray:
    """Read rasters at places.

    Parameters
    ----------
    rasters : mapping of str to DataArray
        Rasters as :func:`named_rasters` returns them.
    xy : array, shape (n, 2)
        Places; NaN missing.
    crs : CRS or None
        Their CRS; None for bare metres, which are then those of the raster's CRS.

    Returns
    -------
    values : array, shape (n, k)
        One column a raster. Between cell centres a raster is bilinear, at a centre it
        is the cell's own value; NaN where the cell that contains the place has none,
        and outside. Neighbour cells without a value are left out.

    Raises
    ------
    InputError
        If places are bare metres and a raster is in degrees.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:32647")
    >>> drift = named_rasters(grid.raster([[4.0, 6.0]], name="elevation"))
    >>> rasters_at(drift, np.array([[0.5, 0.5], [1.0, 0.5], [3.0, 0.5]]), None).tolist()
    [[4.0], [5.0], [nan]]
    """
    values = np.full((len(xy), len(rasters)), np.nan)
    for column, (name, raster) in enumerate(rasters.items()):
        grid = Grid.of(raster)
        if crs is None and grid.crs.is_geographic:
            message = (
                f"The points are bare metres and the drift '{name}' is in degrees. "
                "Give a GeoDataFrame with a CRS."
            )
            raise InputError(message)
        x, y = xy.T
        if crs is not None and not grid.crs.equals(crs, ignore_axis_order=True):
            transformer = Transformer.from_crs(crs, grid.crs, always_xy=True)
            x, y = transformer.transform(x, y)
        x, y = (np.where(np.isfinite(part), part, np.nan) for part in (x, y))
        for start in range(0, len(xy), BLOCK):
            part = slice(start, start + BLOCK)
            values[part, column] = _surface_at(raster, grid, x[part], y[part])
    return values


def _surface_at(
    raster: xr.DataArray, grid: Grid, x: FloatArray, y: FloatArray
) -> FloatArray:
    """Read the bilinear surface; the cell itself at its centre."""
    own = read_cells(raster, footprints(grid, x, y, method="nearest")).values[0]
    smooth = read_cells(raster, footprints(grid, x, y, method="bilinear")).values[0]
    column = (x - grid.transform.c) / grid.transform.a - 0.5
    row = (y - grid.transform.f) / grid.transform.e - 0.5
    central = np.abs(column - np.rint(column)) < SNAP
    central &= np.abs(row - np.rint(row)) < SNAP
    chosen: FloatArray = np.where(central | np.isnan(own), own, smooth)
    return chosen


def rasters_on_grid(rasters: Mapping[str, xr.DataArray], grid: Grid) -> FloatArray:
    """Read rasters at the cells of a grid.

    Parameters
    ----------
    rasters : mapping of str to DataArray
        Rasters as :func:`named_rasters` returns them.
    grid : Grid
        Target grid.

    Returns
    -------
    values : array, shape (cells, k)
        One column a raster: as it is where it lies on the grid, else as
        :func:`rasters_at` reads it at the centres of the cells.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:32647")
    >>> drift = named_rasters(grid.raster([[4.0, 6.0]], name="elevation"))
    >>> rasters_on_grid(drift, grid).tolist()
    [[4.0], [6.0]]
    """
    if not rasters:
        return np.empty((grid.shape[0] * grid.shape[1], 0))
    x, y = np.meshgrid(grid.x, grid.y)
    centres = np.column_stack([x.ravel(), y.ravel()])
    columns = [
        raster.to_numpy().astype(np.float64).ravel()
        if _lies_on(raster, grid)
        else rasters_at({name: raster}, centres, grid.crs)[:, 0]
        for name, raster in rasters.items()
    ]
    return np.column_stack(columns)


def _lies_on(raster: xr.DataArray, grid: Grid) -> bool:
    """Return whether a raster has the cells of a grid."""
    try:
        check_same_grid(Grid.of(raster), grid)
    except GridMismatchError:
        return False
    return True


def matched(
    rasters: Mapping[str, xr.DataArray], names: Sequence[str]
) -> dict[str, xr.DataArray]:
    """Return rasters in the order of the names of a fit.

    Parameters
    ----------
    rasters : mapping of str to DataArray
        Rasters of a call.
    names : sequence of str
        Names of the fit.

    Returns
    -------
    ordered : dict of str to DataArray
        The rasters; a single one goes by any name.

    Raises
    ------
    InputError
        If names are absent or unknown.

    Examples
    --------
    >>> rasters = {"b": xr.DataArray(1.0), "a": xr.DataArray(2.0)}
    >>> list(matched(rasters, ["a", "b"]))
    ['a', 'b']
    """
    if len(names) == len(rasters) == 1:
        return {names[0]: next(iter(rasters.values()))}
    absent = [name for name in names if name not in rasters]
    odd = [name for name in rasters if name not in names]
    if absent or odd:
        faults = [f"absent: {', '.join(absent)}"] if absent else []
        faults += [f"unknown: {', '.join(odd)}"] if odd else []
        message = (
            f"The drift of the fit is {', '.join(names)}. Of the rasters given are "
            f"{'; '.join(faults)}."
        )
        raise InputError(message)
    return {name: rasters[name] for name in names}
