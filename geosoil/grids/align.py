"""Bring a raster onto a study grid: containing cell, bilinear, average or mode."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
import numpy.typing as npt
import xarray as xr
from pyproj import Transformer
from rasterio.enums import Resampling
from rasterio.warp import reproject

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import BoolArray, FloatArray, Grid, IntArray

Method = Literal["nearest", "bilinear", "average", "mode"]
METHODS: tuple[Method, ...] = ("nearest", "bilinear", "average", "mode")

_WARPED = {
    "nearest": Resampling.nearest,
    "bilinear": Resampling.bilinear,
    "average": Resampling.average,
    "mode": Resampling.mode,
}

Raster = TypeVar("Raster", xr.DataArray, xr.Dataset)
Array = npt.NDArray[np.generic]


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


def align(da: xr.DataArray, grid: Grid, *, method: Method) -> xr.DataArray:
    """Bring a raster onto a grid.

    Parameters
    ----------
    da : DataArray with dims (y, x) or (time, y, x)
        Raster with a CRS. Integers are classes, floats are quantities, or classes
        of whole numbers for "mode"; NaN missing.
    grid : Grid
        Target grid.
    method : {"nearest", "bilinear", "average", "mode"}
        "nearest" takes the cell that contains the target centre (any raster);
        "bilinear" and "average" (area-weighted) are for quantities; "mode" is for
        classes.

    Returns
    -------
    aligned : DataArray with the dims, type, name and attrs of the input
        Values on the grid. Cells outside the raster are NaN, or the ``nodata`` of a
        raster of classes.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    InputError
        If the method is unknown or unfit for the type of the raster, or classes
        without ``attrs["nodata"]`` do not cover the grid.
    GridMismatchError
        If the raster does not overlap the grid.

    Notes
    -----
    Within one CRS, "nearest" uses the cell rule of
    :meth:`geosoil.grids.grid.Grid.cells`, so that centres on an edge between two
    source cells go the same way on every crop. All else is GDAL's warp with exact
    coordinates (``gdalwarp -et 0``): bilinear smooths over the target cell when it
    makes cells coarser, average leaves missing cells out.

    Examples
    --------
    >>> fine = Grid.from_bounds((95, 33, 97, 34), 0.5, "EPSG:4326")
    >>> coarse = Grid.from_bounds((95, 33, 97, 34), 1.0, "EPSG:4326")
    >>> rain = fine.raster([[1.0, 3.0, 5.0, 5.0], [1.0, 3.0, 5.0, 9.0]], name="rain")
    >>> align(rain, coarse, method="average").values.tolist()
    [[2.0, 6.0]]
    """
    _check_method(da, method)
    da = north_up(da).transpose(..., "y", "x")
    source = Grid.of(da)
    nodata = _nodata(da)
    same_crs = grid.crs.equals(source.crs, ignore_axis_order=True)
    inside, cells = _containing_cells(source, grid, same_crs=same_crs)
    if nodata is None and not inside.all():
        message = (
            f"Classes '{da.name}' do not cover the target grid ({(~inside).sum()} "
            'cells are outside) and have no attrs["nodata"] to fill those with.'
        )
        raise InputError(message)
    stack = da.to_numpy()
    if method == "nearest" and same_crs:
        picked = stack[..., *cells].reshape(*stack.shape[:-2], *grid.shape)
        fill = stack.dtype.type(0 if nodata is None else nodata)
        values = np.where(inside, picked, fill)
    else:
        values = _warp_stack(stack, (source, grid), method, nodata)
    result = xr.DataArray(
        values,
        dims=da.dims,
        coords={k: v for k, v in da.coords.items() if not {"y", "x"} & set(v.dims)},
        name=da.name,
        attrs=da.attrs,
    )
    return grid.georeference(result)


def _check_method(da: xr.DataArray, method: str) -> None:
    """Raise on an unknown method, odd dims, or a method unfit for the values."""
    if method not in METHODS:
        message = f"Unknown method '{method}'. Give one of: {', '.join(METHODS)}."
        raise InputError(message)
    if not {"y", "x"} <= set(da.dims) <= {"time", "y", "x"}:
        message = f"Raster '{da.name}' has dims {da.dims}. Give (y, x) or (time, y, x)."
        raise InputError(message)
    classes = da.dtype.kind in "biu"
    if classes and method in ("bilinear", "average"):
        message = (
            f"Raster '{da.name}' holds classes ({da.dtype}), which '{method}' would "
            "mix. Use 'nearest' or 'mode', or convert quantities with .astype(float)."
        )
        raise InputError(message)
    if not classes and da.dtype.kind != "f":
        message = f"Raster '{da.name}' holds {da.dtype}. Give integers or floats."
        raise InputError(message)
    if not classes and method == "mode":
        _check_whole(da)


def _check_whole(da: xr.DataArray) -> None:
    """Raise if a float raster, taken for classes, has values that are no codes."""
    values = da.to_numpy()
    broken = np.isfinite(values) & (values != np.round(values))
    if broken.any():
        message = (
            f"Raster '{da.name}' holds quantities (for instance "
            f"{values[broken][0]:g}), which have no 'mode'. Use 'average' or "
            "'bilinear'."
        )
        raise InputError(message)


def _containing_cells(
    source: Grid, grid: Grid, *, same_crs: bool
) -> tuple[BoolArray, tuple[IntArray, IntArray]]:
    """Return which target centres lie in the source, and in which of its cells.

    Shapes: the grid's; rows and columns of length cells (0 outside).
    """
    x, y = np.meshgrid(grid.x, grid.y)
    if not same_crs:
        transformer = Transformer.from_crs(grid.crs, source.crs, always_xy=True)
        x, y = transformer.transform(x, y)
        # Places that the source's projection does not know come back as infinity.
        x, y = (np.where(np.isfinite(part), part, np.nan) for part in (x, y))
    rows, columns, _ = source.cells(x.ravel(), y.ravel())
    inside = rows >= 0
    if not inside.any() and not _overlap(source, x, y):
        message = (
            f"The raster with bounds {source.bounds} does not overlap the grid with "
            f"bounds {grid.bounds}. Check the CRS and the region."
        )
        raise GridMismatchError(message)
    cells = np.maximum(rows, 0), np.maximum(columns, 0)
    return inside.reshape(grid.shape), cells


def _overlap(source: Grid, x: FloatArray, y: FloatArray) -> bool:
    """Return whether the source reaches into the hull of the target centres."""
    if not np.isfinite(x).any():
        return False
    west, south, east, north = source.bounds
    across = np.nanmin(x) < east and np.nanmax(x) > west
    return bool(across and np.nanmin(y) < north and np.nanmax(y) > south)


def _nodata(da: xr.DataArray) -> float | None:
    """Return what stands for missing: NaN, or the code of a raster of classes."""
    if da.dtype.kind == "f":
        return np.nan
    if da.dtype.kind == "b":
        return 0
    for code in (da.attrs.get("nodata"), da.attrs.get("_FillValue"), da.rio.nodata):
        if code is not None and np.isfinite(code):
            return int(code)
    return None


def _warp_stack(
    stack: Array, grids: tuple[Grid, Grid], method: str, nodata: float | None
) -> Array:
    """Warp each layer of a stack (..., y, x) by GDAL with exact coordinates."""
    is_mask = stack.dtype.kind == "b"
    if is_mask:
        # False is a value and not a gap, so outside needs a code of its own.
        stack, nodata = stack.astype(np.uint8), 255
    layers = stack.reshape(-1, *stack.shape[-2:])
    target = np.empty((len(layers), *grids[1].shape), dtype=stack.dtype)
    for layer, out in zip(layers, target, strict=True):
        _warp(np.ascontiguousarray(layer), out, grids, method, nodata)
    result: Array = target.reshape(*stack.shape[:-2], *grids[1].shape)
    return result == 1 if is_mask else result


def _warp(
    layer: Array,
    out: Array,
    grids: tuple[Grid, Grid],
    method: str,
    nodata: float | None,
) -> None:
    """Warp one layer into an array that is filled with nodata before."""
    source, target = grids
    reproject(
        layer,
        out,
        src_transform=source.transform,
        src_crs=source.crs.to_wkt(),
        src_nodata=nodata,
        dst_transform=target.transform,
        dst_crs=target.crs.to_wkt(),
        dst_nodata=nodata,
        resampling=_WARPED[method],
        init_dest_nodata=True,
        tolerance=0,
    )
