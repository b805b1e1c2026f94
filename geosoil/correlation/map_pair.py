"""Two maps on one grid: the checks and the positions that spatial statistics share."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import SNAP, Grid, check_same_grid, has_crs

EARTH_RADIUS = 6371007.181
"""Radius of the sphere of equal area [m], on which degrees become distances."""

REASONS = ("ok", "few", "constant_x", "constant_y", "all_missing")
"""Meaning of the codes 0, 1, 2 ... in ``reason``."""

ONE_AT_A_TIME = threading.Lock()
"""Held while a parallel kernel runs: not every threading layer bears two at once."""

FloatArray = npt.NDArray[np.float64]


def check_same_map(x: xr.DataArray, y: xr.DataArray) -> None:
    """Raise unless two maps have the same dims, sizes, coordinates and CRS.

    Parameters
    ----------
    x, y : DataArray
        The maps.

    Raises
    ------
    GridMismatchError
        If they do not lie on the same cells.

    Examples
    --------
    >>> first = xr.DataArray(np.zeros((2, 3)), dims=("y", "x"))
    >>> check_same_map(first, first + 1)
    """
    what = f"maps '{x.name or 'x'}' and '{y.name or 'y'}'"
    mend = "Bring one onto the other's grid with geosoil.align."
    if dict(x.sizes) != dict(y.sizes):
        message = f"The {what} differ: {dict(x.sizes)} and {dict(y.sizes)}. {mend}"
        raise GridMismatchError(message)
    spatial = {"y", "x"} <= set(x.dims)
    if spatial and (has_crs(x) or has_crs(y)):
        check_same_grid(Grid.of(x), Grid.of(y), what=what)
    for name in dict.fromkeys((*x.dims, "x", "y")):
        if name in x.coords and name in y.coords and not _same(x[name], y[name]):
            message = f"The {what} have different coordinates '{name}'. {mend}"
            raise GridMismatchError(message)


def _same(first: xr.DataArray, second: xr.DataArray) -> bool:
    """Return whether coordinates agree, numbers within a millionth of a step."""
    a, b = first.to_numpy(), second.to_numpy()
    if a.shape != b.shape or a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return bool(np.array_equal(a, b))
    steps = np.abs(np.diff(a)) if a.ndim == 1 else np.zeros(0)
    step = float(steps[steps > 0].min()) if (steps > 0).any() else 1.0
    return bool(np.all(np.abs(a - b) <= SNAP * step))


def valid_pairs(
    x: xr.DataArray, y: xr.DataArray
) -> tuple[npt.NDArray[np.bool_], FloatArray, FloatArray]:
    """Return where both maps are finite, and their values there.

    Parameters
    ----------
    x, y : DataArray of the same sizes
        The maps; NaN and infinity are missing.

    Returns
    -------
    valid : array of bool, shape of x
        Where both are finite.
    first, second : array, shape (n,)
        Values of the valid cells in the order of the maps.

    Examples
    --------
    >>> x = xr.DataArray([1.0, np.nan, 3.0], dims="point")
    >>> valid, first, second = valid_pairs(x, x + 1)
    >>> first, second
    (array([1., 3.]), array([2., 4.]))
    """
    first = np.asarray(x.to_numpy(), dtype=np.float64)
    second = np.asarray(y.transpose(*x.dims).to_numpy(), dtype=np.float64)
    valid = np.isfinite(first) & np.isfinite(second)
    return valid, first[valid], second[valid]


def is_geographic(raster: xr.DataArray) -> bool:
    """Return whether positions are degrees of longitude and latitude.

    Parameters
    ----------
    raster : DataArray with coordinates x and y
        A map, or values at points.

    Returns
    -------
    geographic : bool
        By the CRS, or by the unit of the coordinate x where no CRS is set.

    Examples
    --------
    >>> is_geographic(xr.DataArray([1.0], dims="x", coords={"x": [95.0]}))
    False
    """
    if has_crs(raster):
        return bool(raster.rio.crs.is_geographic)
    return "degree" in str(raster["x"].attrs.get("units", ""))


def positions(raster: xr.DataArray) -> FloatArray:
    """Return the place of each value in space, so that distances are Euclidean.

    Parameters
    ----------
    raster : DataArray with dims (y, x), or with one dim and coordinates x, y along it
        A map, or values at points.

    Returns
    -------
    places : array, shape (n, 3)
        x, y, 0 in units of the coordinates; on longitude and latitude the point on
        the sphere of :data:`EARTH_RADIUS` [m].

    Raises
    ------
    InputError
        If there are no coordinates x and y along the dims.

    Examples
    --------
    >>> at = {"x": ("point", [0.0, 3.0]), "y": ("point", [0.0, 4.0])}
    >>> positions(xr.DataArray([1.0, 2.0], dims="point", coords=at))
    array([[0., 0., 0.],
           [3., 4., 0.]])
    """
    if not {"x", "y"} <= set(raster.coords) or {
        dim for name in ("x", "y") for dim in raster[name].dims
    } != set(raster.dims):
        message = (
            f"'{raster.name or 'map'}' has dims {raster.dims} and no coordinates x and "
            "y along them. Give a map (y, x), or one dim with coordinates x and y."
        )
        raise InputError(message)
    east = raster["x"].broadcast_like(raster).transpose(*raster.dims)
    north = raster["y"].broadcast_like(raster).transpose(*raster.dims)
    return places_of(
        east.to_numpy().ravel(), north.to_numpy().ravel(), is_geographic(raster)
    )


def places_of(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    geographic: bool,
) -> FloatArray:
    """Return points in space from x and y, or from longitude and latitude.

    Parameters
    ----------
    x, y : array, shape (n,)
        Coordinates; degrees where ``geographic``.
    geographic : bool
        Whether they are longitude and latitude.

    Returns
    -------
    places : array, shape (n, 3)
        As in :func:`positions`.

    Examples
    --------
    >>> places_of([90.0], [0.0], True).round(3)
    array([[      0.   , 6371007.181,       0.   ]])
    """
    east = np.asarray(x, dtype=np.float64)
    north = np.asarray(y, dtype=np.float64)
    if not geographic:
        return np.column_stack([east, north, np.zeros_like(east)])
    east, north = np.radians(east), np.radians(north)
    return EARTH_RADIUS * np.column_stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)]
    )


def describe_reason(reason: xr.DataArray, words: str) -> None:
    """Write what the codes of ``reason`` mean, as CF flag attributes.

    Parameters
    ----------
    reason : DataArray of int8
        Codes, indices of :data:`REASONS`.
    words : str
        What the answer is about.

    Examples
    --------
    >>> codes = xr.DataArray(np.zeros(2, np.int8))
    >>> describe_reason(codes, "x and y")
    >>> codes.attrs["flag_meanings"]
    'ok few constant_x constant_y all_missing'
    """
    reason.attrs = {
        "long_name": f"why there is no answer, {words}",
        "flag_values": np.arange(len(REASONS), dtype=np.int8),
        "flag_meanings": " ".join(REASONS),
    }


def as_float(values: npt.NDArray[Any]) -> npt.NDArray[np.floating[Any]]:
    """Return float32 and float64 as they are, all else as float64.

    Parameters
    ----------
    values : array
        Numbers.

    Returns
    -------
    values : array
        Numbers that the kernels are compiled for.

    Examples
    --------
    >>> as_float(np.array([1, 2])).dtype
    dtype('float64')
    """
    if values.dtype in (np.float32, np.float64):
        return values
    return values.astype(np.float64)
