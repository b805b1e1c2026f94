"""Surfaces on grids too large for one piece: lazy blocks on threads or a cluster."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any
from uuid import uuid4

import dask
import dask.array as da
import numpy as np
import xarray as xr

from geosoil.grids.grid import FloatArray, Grid
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.grid_memory import (
    MemoryNeed,
    Result,
    check_memory,
    predicted_memory,
)

COUNTED = ("n_points", "n_dropped", "n_merged")
"""Attributes that count data, which are the same for all blocks."""


def interpolate_blocks(
    interpolator: Interpolator,
    grid: Grid,
    *,
    chunks: tuple[int, int] | None = None,
    workers: int | None = None,
    memory_limit: int | str = "4 GiB",
    result: Result = "in memory",
) -> xr.Dataset:
    """Return the surface of an interpolator as dask arrays, made block by block.

    Parameters
    ----------
    interpolator : Interpolator
        Fitted.
    grid : Grid
        Target grid, in degrees or projected.
    chunks : tuple = (rows, columns), optional
        Cells of a block; 256 x 256 by default.
    workers : int, optional
        Blocks at a time; as many as dask has threads by default.
    memory_limit : int or str
        Bytes, or words as "4 GiB".
    result : {"in memory", "by block"}
        Whether the whole surface will be kept, or each block written and let go.

    Returns
    -------
    surface : Dataset of dask arrays with dims y, x
        That of ``interpolator.grid(grid)``, within the rounding of the cell centres.
        Threads share the interpolator; a cluster gets it once a process.

    Raises
    ------
    InputError
        If it is not fitted, a setting is not possible, or the memory is not enough.

    Notes
    -----
    Each block is ``interpolator.grid`` of its own part of the grid, so that rasters of
    a drift are cut to the block. Attributes that tell of cells, as counts of those
    without an answer, are left out.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> fitted = InverseDistance().fit([[0.0, 0.0], [800.0, 0.0]], [1.0, 3.0])
    >>> grid = Grid.from_bounds((-200, -200, 1000, 200), 200, "EPSG:32647")
    >>> surface = interpolate_blocks(fitted, grid, chunks=(1, 4))
    >>> surface.chunksizes["x"], surface.estimate.shape
    ((4, 2), (2, 6))
    >>> bool((surface.compute() == fitted.grid(grid)).estimate.all())
    True
    """
    need = predicted_memory(
        interpolator, grid, chunks=chunks, workers=workers, result=result
    )
    check_memory(need, grid, limit=memory_limit)
    # One cell tells the variables and how they were made.
    first = interpolator.grid(grid.part(0, 0, (1, 1)))
    held = dask.delayed(interpolator, name=f"interpolator-{uuid4().hex}")  # type: ignore[attr-defined]  # dask has no hints
    planes = da.map_blocks(  # type: ignore[no-untyped-call]
        _block,
        held,
        grid=grid,
        names=tuple(first.data_vars),
        chunks=((need.planes,), *_sides(need)),
        dtype=np.float64,
        meta=np.empty((0, 0, 0)),
    )
    surface, start = {}, 0
    for name, cell in first.data_vars.items():
        stop = start + cell.size
        values = planes[start:stop].reshape(*cell.shape[:-2], *grid.shape)
        surface[name] = grid.georeference(
            xr.DataArray(values, _leading(cell), cell.dims, attrs=cell.attrs)
        )
        start = stop
    # What else a surface says of itself holds for its own cells.
    everywhere = {*interpolator._settings(), *COUNTED}
    made_how = {k: v for k, v in first.attrs.items() if k in everywhere}
    return xr.Dataset(surface, attrs=made_how)


def _leading(cell: xr.DataArray) -> dict[Any, xr.DataArray]:
    """Return the coordinates that do not lie in space."""
    return {k: v for k, v in cell.coords.items() if not {"y", "x"} & set(v.dims)}


def _sides(need: MemoryNeed) -> Iterator[tuple[int, ...]]:
    """Yield the sides of the blocks, rows then columns."""
    for size, side in zip(need.shape, need.chunks, strict=True):
        whole, rest = divmod(size, side)
        yield (side,) * whole + ((rest,) if rest else ())


def _block(
    interpolator: Interpolator,
    grid: Grid,
    names: tuple[Hashable, ...],
    block_info: Mapping[Any, Any],
) -> FloatArray:
    """Return the surface of one block, shape (planes, rows, columns)."""
    _, (top, bottom), (left, right) = block_info[None]["array-location"]
    part = grid.part(top, left, (bottom - top, right - left))
    surface = interpolator.grid(part)
    return np.concatenate(
        [surface[name].to_numpy().reshape(-1, *part.shape) for name in names]
    )
