"""Bring a raster onto a study grid: containing cell, bilinear, average or mode."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from rasterio.enums import Resampling
from rasterio.warp import reproject

from geosoil.errors import InputError
from geosoil.grids.area_average import AreaWeights, area_weights
from geosoil.grids.common_ground import check_overlap, containing_cells
from geosoil.grids.grid import Grid
from geosoil.grids.resampling import (
    METHODS,
    Method,
    by_layer,
    check_codes,
    check_method,
    is_valid,
    missing_code,
    north_up,
)

__all__ = ["METHODS", "Method", "align", "aligned_coverage", "north_up"]

_WARPED = {
    "bilinear": Resampling.bilinear,
    "average": Resampling.average,
    "mode": Resampling.mode,
}
_ONE_WARP = threading.Lock()
"""Held during a warp: rasterio silences a warning of its own, for all threads."""
_ROUNDING = 1e-9
"""Share of a cell by which its coverage may miss the least one by rounding."""

Array = npt.NDArray[Any]
Layers = Callable[[Array], Array]


def align(
    da: xr.DataArray, grid: Grid, *, method: Method, min_coverage: float = 0.0
) -> xr.DataArray:
    r"""Bring a raster onto a grid.

    Parameters
    ----------
    da : DataArray with dims (y, x) or (time, y, x)
        Raster with a CRS. Integers are classes, floats are quantities, or classes
        of whole numbers for the modes; NaN missing. Floats with ``flag_values`` or
        ``content`` "code" in the attrs are classes too.
    grid : Grid
        Target grid.
    method : {"nearest", "bilinear", "average", "area_average", "mode", "area_mode"}
        "nearest" takes the cell that contains the target centre (any raster);
        "bilinear", "average" and "area_average" are for quantities; "mode" and
        "area_mode" for classes.
    min_coverage : float
        Least share of a target cell, 0 to 1, that valid cells of the raster must
        cover (:func:`aligned_coverage`) for an average or a mode to be given.

    Returns
    -------
    aligned : DataArray with the dims, type, name and attrs of the input
        Values on the grid. Cells outside the raster are NaN, or the ``nodata`` of a
        raster of classes. A raster chunked by dask gives a chunked one; only the
        layers of a chunk are in memory at a time.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    InputError
        If the method is unknown or unfit for what the raster holds, the least coverage
        is no share, or classes without ``attrs["nodata"]`` do not cover the grid.
    GridMismatchError
        If the raster does not overlap the grid; the message names both extents.

    Notes
    -----
    "nearest" uses the cell rule of :meth:`geosoil.grids.grid.Grid.cells`, so that
    centres on an edge between two source cells go the same way on every crop.

    "bilinear", "average" and "mode" are GDAL's warp with exact coordinates
    (``gdalwarp -et 0``). Its bilinear smooths when it makes cells coarser. Its average
    and mode take the cells in the upright box between the images of the two corners
    of a target cell, north-west and south-east, in the source's CRS. That is the
    target cell only where both CRS have their axes in parallel. The sinusoidal grid is
    sheared by :math:`\arctan(\lambda \sin\varphi)`, about 43 degrees at 95 E 34 N: the
    box there is more than twice as wide as the cell's row, and what is smaller than
    some cells is lost.

    "area_average" and "area_mode" weigh each source cell by the exact area that the
    target cell shares with it, whatever the shear
    (:func:`geosoil.grids.area_average.area_weights`). Use them from 1 km sinusoidal
    tiles to degrees; within one CRS they and GDAL's agree but for the size of the
    cells by latitude.

    Examples
    --------
    >>> fine = Grid.from_bounds((95, 33, 97, 34), 0.5, "EPSG:4326")
    >>> coarse = Grid.from_bounds((95, 33, 97, 34), 1.0, "EPSG:4326")
    >>> rain = fine.raster([[1.0, 3.0, 5.0, 5.0], [1.0, 3.0, 5.0, 9.0]], name="rain")
    >>> align(rain, coarse, method="average").values.tolist()
    [[2.0, 6.0]]
    """
    check_method(da, method)
    _check_coverage(da, method, min_coverage)
    da = north_up(da).transpose(..., "y", "x")
    source = Grid.of(da)
    missing = missing_code(da)
    check_overlap(source, grid, name=da.name)
    _check_filled(da, source, grid, missing)
    least = min_coverage - _ROUNDING
    weighs = method in ("area_average", "area_mode")
    weights = area_weights(source, grid) if weighs or least > 0 else None
    whole = _resampler(source, grid, method, missing, weights)

    def layers_on_grid(layers: Array) -> Array:
        if method in ("mode", "area_mode"):
            check_codes(layers, da.name)
        result = whole(layers)
        if least > 0 and weights is not None:
            covered = weights.coverage(is_valid(layers, missing))
            result[covered < least] = missing
        return result

    return by_layer(da, layers_on_grid, grid, dtype=da.dtype)


def aligned_coverage(da: xr.DataArray, grid: Grid) -> xr.DataArray:
    """Compute which share of each cell of a grid a raster has values for.

    Parameters
    ----------
    da : DataArray with dims (y, x) or (time, y, x)
        Raster with a CRS; NaN, or ``attrs["nodata"]`` of classes, is missing.
    grid : Grid
        Target grid.

    Returns
    -------
    coverage : DataArray with the dims of the input
        Shares from 0 to 1 of the area of each target cell, exact in the plane of the
        raster's CRS. Chunked as :func:`align` does.

    Raises
    ------
    MissingCRSError
        If the raster has no CRS.
    InputError
        If the dims are odd or the values are no numbers.
    GridMismatchError
        If the raster does not overlap the grid.

    Examples
    --------
    >>> fine = Grid.from_bounds((95, 33, 97, 34), 0.5, "EPSG:4326")
    >>> coarse = Grid.from_bounds((95, 33, 98, 34), 1.0, "EPSG:4326")
    >>> rain = fine.raster([[1.0, np.nan, 5.0, 5.0], [1.0, 3.0, 5.0, 9.0]])
    >>> aligned_coverage(rain, coarse).values.tolist()
    [[0.75, 1.0, 0.0]]
    """
    check_method(da, "nearest")
    da = north_up(da).transpose(..., "y", "x")
    source = Grid.of(da)
    missing = missing_code(da)
    check_overlap(source, grid, name=da.name)
    weights = area_weights(source, grid)

    def covered(layers: Array) -> Array:
        return weights.coverage(is_valid(layers, missing))

    result = by_layer(da, covered, grid, dtype=np.dtype(np.float64))
    result.attrs = {"long_name": "share of the cell with values", "units": "1"}
    return result.rename("coverage")


def _check_coverage(da: xr.DataArray, method: str, min_coverage: float) -> None:
    """Raise unless a least coverage makes sense for a raster and a method."""
    if not 0 <= min_coverage <= 1:
        message = (
            f"Invalid min_coverage {min_coverage!r}. Give the least share of a cell "
            "that must be covered, 0 to 1."
        )
        raise InputError(message)
    if min_coverage == 0:
        return
    if method in ("nearest", "bilinear"):
        message = (
            f"Method '{method}' reads single places, so that min_coverage "
            f"{min_coverage:g} means nothing. Use an average or a mode."
        )
        raise InputError(message)
    if da.dtype.kind == "b" or missing_code(da) is None:
        message = (
            f"Raster '{da.name}' has no code for cells with too little coverage. Set "
            'attrs["nodata"]; make integers of a mask first.'
        )
        raise InputError(message)


def _check_filled(
    da: xr.DataArray, source: Grid, grid: Grid, missing: float | None
) -> None:
    """Raise where cells outside the raster would need a code that it has not."""
    if missing is not None:
        return
    inside, _ = containing_cells(source, grid)
    if not inside.all():
        message = (
            f"Classes '{da.name}' do not cover the target grid ({(~inside).sum()} "
            'cells are outside) and have no attrs["nodata"] to fill those with.'
        )
        raise InputError(message)


def _resampler(
    source: Grid,
    grid: Grid,
    method: Method,
    missing: float | None,
    weights: AreaWeights | None,
) -> Layers:
    """Return the function that brings layers (n, y, x) of a source onto a grid."""
    if method == "nearest":
        inside, cells = containing_cells(source, grid)

        def containing(layers: Array) -> Array:
            fill = layers.dtype.type(0 if missing is None else missing)
            return np.where(inside, layers[:, *cells], fill)

        return containing
    if weights is not None and method in ("area_average", "area_mode"):
        return _by_area(weights, method, missing)
    return lambda layers: _warp_layers(layers, (source, grid), method, missing)


def _by_area(weights: AreaWeights, method: Method, missing: float | None) -> Layers:
    """Return the function that averages or counts layers by area."""

    def mean(layers: Array) -> Array:
        return weights.mean(layers).astype(layers.dtype)

    def mode(layers: Array) -> Array:
        fill = 0 if missing is None else missing
        return weights.mode(layers, is_valid(layers, missing), fill)

    return mean if method == "area_average" else mode


def _warp_layers(
    layers: Array, grids: tuple[Grid, Grid], method: str, missing: float | None
) -> Array:
    """Warp layers (n, y, x) one by one, each with its own gaps."""
    is_mask = layers.dtype.kind == "b"
    if is_mask:
        # False is a value and not a gap, so outside needs a code of its own.
        layers, missing = layers.astype(np.uint8), 255
    target = np.empty((len(layers), *grids[1].shape), dtype=layers.dtype)
    for layer, out in zip(layers, target, strict=True):
        _warp(layer, out, grids, method, missing)
    return target == 1 if is_mask else target


def _warp(
    layer: Array,
    out: Array,
    grids: tuple[Grid, Grid],
    method: str,
    missing: float | None,
) -> None:
    """Warp one layer by GDAL into an array that is filled with nodata before."""
    source, target = grids
    with _ONE_WARP:
        reproject(
            layer,
            out,
            src_transform=source.transform,
            src_crs=source.crs.to_wkt(),
            src_nodata=missing,
            dst_transform=target.transform,
            dst_crs=target.crs.to_wkt(),
            dst_nodata=missing,
            resampling=_WARPED[method],
            init_dest_nodata=True,
            tolerance=0,
        )
