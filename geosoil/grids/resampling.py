"""What resampling asks of a raster, and how it goes through it layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import dask.array
import numpy as np
import numpy.typing as npt
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr

from geosoil.errors import InputError
from geosoil.grids.grid import BoolArray, Grid

Method = Literal["nearest", "bilinear", "average", "area_average", "mode", "area_mode"]
METHODS: tuple[Method, ...] = (
    "nearest",
    "bilinear",
    "average",
    "area_average",
    "mode",
    "area_mode",
)
OF_QUANTITIES = ("bilinear", "average", "area_average")
"""Methods that compute with the values."""
OF_CLASSES = ("mode", "area_mode")
"""Methods that count equal values."""

Array = npt.NDArray[Any]
Raster = TypeVar("Raster", xr.DataArray, xr.Dataset)

_BLOCK = 64 * 2**20
"""Bytes of layers that are taken from a lazily read file at once."""


def north_up(raster: Raster) -> Raster:
    """Return a raster whose rows run north to south and columns west to east.

    Parameters
    ----------
    raster : DataArray or Dataset with dims y, x
        Raster in any order of rows and columns.

    Returns
    -------
    raster : same type
        The same values; a stale transform of the file is dropped where an axis turned.

    Examples
    --------
    >>> upside_down = xr.DataArray([[1.0], [2.0]], dims=("y", "x"),
    ...                            coords={"y": [30.0, 31.0], "x": [95.0]})
    >>> north_up(upside_down).y.values.tolist()
    [31.0, 30.0]
    """
    turned = {
        dim: slice(None, None, -1)
        for dim, sign in (("y", -1), ("x", 1))
        if dim in raster.coords
        and raster.sizes[dim] > 1
        and sign * float(raster[dim][-1] - raster[dim][0]) < 0
    }
    if not turned:
        return raster
    flipped = raster.isel(turned)
    mapping = flipped.rio.grid_mapping
    if mapping in flipped.coords:
        kept = flipped.coords[mapping].copy()
        kept.attrs = {k: v for k, v in kept.attrs.items() if k != "GeoTransform"}
        flipped = flipped.assign_coords({mapping: kept})
    return flipped


def check_method(da: xr.DataArray, method: str) -> None:
    """Raise unless a method exists and is fit for what a raster holds.

    Parameters
    ----------
    da : DataArray with dims (y, x) or (time, y, x)
        Integers, booleans, and floats with ``flag_values`` or ``content`` "code" in
        the attrs are classes; other floats are quantities. No value is read.
    method : str
        Name of the method.

    Raises
    ------
    InputError
        On an unknown method or odd dims, where classes would be averaged, or where
        values are neither whole nor floating numbers.

    Examples
    --------
    >>> soil = xr.DataArray(np.ones((1, 1), dtype=np.uint8), dims=("y", "x"))
    >>> check_method(soil, "mode")
    """
    if method not in METHODS:
        message = f"Unknown method '{method}'. Give one of: {', '.join(METHODS)}."
        raise InputError(message)
    if not {"y", "x"} <= set(da.dims) <= {"time", "y", "x"}:
        message = f"Raster '{da.name}' has dims {da.dims}. Give (y, x) or (time, y, x)."
        raise InputError(message)
    whole = da.dtype.kind in "biu"
    coded = "flag_values" in da.attrs or da.attrs.get("content") == "code"
    if (whole or coded) and method in OF_QUANTITIES:
        mend = (
            "or convert quantities with .astype(float)"
            if whole
            else "or take 'flag_values' and 'content' out of the attrs of quantities"
        )
        message = (
            f"Raster '{da.name}' holds classes ({da.dtype}), which '{method}' would "
            f"mix. Use 'nearest' or 'mode', {mend}."
        )
        raise InputError(message)
    if not whole and da.dtype.kind != "f":
        message = f"Raster '{da.name}' holds {da.dtype}. Give integers or floats."
        raise InputError(message)


def check_codes(values: Array, name: object) -> None:
    """Raise if floats that are taken for classes have values that are no codes.

    Parameters
    ----------
    values : array
        Values of the raster; NaN missing.
    name : str
        Name of the raster for the message.

    Raises
    ------
    InputError
        If some value is no whole number.

    Examples
    --------
    >>> check_codes(np.array([1.0, np.nan, 4.0]), "soil")
    """
    if values.dtype.kind != "f":
        return
    broken = np.isfinite(values) & (values != np.round(values))
    if broken.any():
        message = (
            f"Raster '{name}' holds quantities (for instance "
            f"{values[broken][0]:g}), which have no 'mode'. Use 'average' or "
            "'bilinear'."
        )
        raise InputError(message)


def missing_code(da: xr.DataArray) -> float | None:
    """Return what stands for missing in a raster.

    Parameters
    ----------
    da : DataArray
        Raster of quantities or classes.

    Returns
    -------
    code : float or None
        NaN for floats, 0 (False) for booleans; for integers the first whole number of
        ``attrs["nodata"]``, ``attrs["_FillValue"]`` and the encoding that their type
        can hold, None where there is none.

    Examples
    --------
    >>> soil = xr.DataArray(np.ones((1, 1), dtype=np.uint8), attrs={"nodata": 255})
    >>> missing_code(soil)
    255
    """
    if da.dtype.kind == "f":
        return np.nan
    if da.dtype.kind == "b":
        return 0
    limits = np.iinfo(da.dtype)
    for code in (da.attrs.get("nodata"), da.attrs.get("_FillValue"), da.rio.nodata):
        if code is not None and np.isfinite(code) and limits.min <= code <= limits.max:
            return int(code)
    return None


def is_valid(values: Array, missing: float | None) -> BoolArray:
    """Return which values are there.

    Parameters
    ----------
    values : array
        Quantities or classes.
    missing : float or None
        Code of missing values, NaN for quantities.

    Returns
    -------
    valid : array of bool
        Whether each value is none of infinity, NaN and the code.

    Examples
    --------
    >>> is_valid(np.array([1, 255], dtype=np.uint8), 255).tolist()
    [True, False]
    """
    if values.dtype.kind == "f":
        return np.asarray(np.isfinite(values))
    if values.dtype.kind == "b" or missing is None:
        return np.ones(values.shape, dtype=np.bool_)
    return np.asarray(values != missing)


def by_layer(
    da: xr.DataArray,
    function: Callable[[Array], Array],
    grid: Grid,
    *,
    dtype: np.dtype[Any],
) -> xr.DataArray:
    """Apply a function of one or more layers to a raster, without loading all of it.

    Parameters
    ----------
    da : DataArray with dims (..., y, x)
        Raster in memory, in a lazily read file, or chunked by dask.
    function : callable
        Turns values of shape (n, y, x) into (n, *grid.shape).
    grid : Grid
        Grid of the result.
    dtype : dtype
        Type of the result.

    Returns
    -------
    result : DataArray with the dims, name and attrs of the input
        On the grid. Chunked input gives a chunked result, made when it is asked for.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 1), 1, "EPSG:4326")
    >>> rain = grid.raster([[1.0, 2.0]])
    >>> by_layer(rain, lambda layers: layers + 1, grid, dtype=rain.dtype).values
    array([[2., 3.]])
    """

    def of_any(block: Array) -> Array:
        layers = np.ascontiguousarray(block).reshape(-1, *block.shape[-2:])
        return function(layers).reshape(*block.shape[:-2], *grid.shape)

    values: Array | dask.array.Array
    if da.chunks is not None:
        whole = da.chunk({"y": -1, "x": -1}).data
        sides = tuple((side,) for side in grid.shape)
        values = whole.map_blocks(
            of_any,
            dtype=dtype,
            chunks=whole.chunks[:-2] + sides,
            meta=np.empty((0,) * da.ndim, dtype=dtype),
        )
    elif da.ndim == 2:
        values = of_any(da.to_numpy())
    else:
        values = np.empty((*da.shape[:-2], *grid.shape), dtype=dtype)
        size = da.dtype.itemsize * da.sizes["y"] * da.sizes["x"]
        step = max(1, _BLOCK // max(size, 1))
        for first in range(0, len(values), step):
            part = slice(first, first + step)
            values[part] = of_any(da[part].to_numpy())
    result = xr.DataArray(
        values,
        dims=da.dims,
        coords={k: v for k, v in da.coords.items() if not {"y", "x"} & set(v.dims)},
        name=da.name,
        attrs=da.attrs,
    )
    return grid.georeference(result)
