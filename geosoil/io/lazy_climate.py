"""Climate fields as lazy arrays: each block reads its own cells when it is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.io._window import Window
from geosoil.io.climate import climate_layout, open_climate_cells
from geosoil.io.climate_time import TimeRange

BLOCK_BYTES = 64 * 2**20
"""Bytes of a block, where the file's own chunks allow it."""

Box = tuple[float, float, float, float]


def open_climate_lazily(
    path: str | os.PathLike[str],
    variable: str,
    *,
    bbox: Box | None = None,
    time: TimeRange | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> xr.DataArray:
    """Open a variable of a NetCDF file or Zarr store without reading it.

    Parameters
    ----------
    path, variable, bbox, time
        As in :func:`~geosoil.io.climate.open_climate`.
    block_bytes : int
        Bytes of a block in memory. Blocks are whole chunks of the file in space and
        all dates; a file whose chunks are larger has larger blocks.

    Returns
    -------
    raster : DataArray (time, y, x) of a dask array
        What :func:`~geosoil.io.climate.open_climate` gives, as float64, read block by
        block by whoever computes it: on a cluster each worker must see the path.
        ``attrs["changes"]`` tells of the first cell alone.

    Raises
    ------
    GeosoilError
        As :func:`~geosoil.io.climate.open_climate` does; faults of values are told
        when their block is read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from geosoil.grids.grid import Grid
    >>> from geosoil.io.netcdf import write_netcdf
    >>> grid = Grid.from_bounds((0, 0, 1, 1), 0.5, "EPSG:4326")
    >>> year = np.array(["2001-01-01"], dtype="datetime64[ns]")
    >>> rain = grid.raster(np.eye(2), name="cover").expand_dims(time=year)
    >>> with TemporaryDirectory() as folder:
    ...     file = write_netcdf(rain.to_dataset(), Path(folder) / "rain.nc")
    ...     lazy = open_climate_lazily(file, "cover")
    ...     lazy.chunks is not None, float(lazy.sum().compute())
    (True, 2.0)
    """
    file = Path(path).absolute()
    grid, chunk = climate_layout(file, variable, bbox=bbox)
    first = open_climate_cells(file, variable, Window(0, 0, 1, 1), bbox=bbox, time=time)
    steps = first.sizes["time"]
    cells = max(block_bytes // (8 * max(steps, 1)), 1)
    rows, columns = _block(grid.shape, chunk, cells)
    blocks = da.map_blocks(  # type: ignore[no-untyped-call]
        _read_block,
        chunks=((steps,), _parts(grid.shape[0], rows), _parts(grid.shape[1], columns)),
        dtype=np.float64,
        meta=np.empty((0, 0, 0)),
        asked={"path": file, "variable": variable, "bbox": bbox, "time": time},
    )
    coords = {"time": first["time"].to_numpy()}
    raster = xr.DataArray(
        blocks, dims=("time", "y", "x"), coords=coords, name=first.name
    )
    return grid.georeference(raster).assign_attrs(first.attrs)


def _block(
    shape: tuple[int, int], chunk: tuple[int, int], cells: int
) -> tuple[int, int]:
    """Return rows and columns of a block: whole chunks, rows of them first."""
    columns = min(chunk[1] * max(cells // (chunk[0] * chunk[1]), 1), shape[1])
    rows = min(chunk[0] * max(cells // (columns * chunk[0]), 1), shape[0])
    return rows, columns


def _parts(size: int, part: int) -> tuple[int, ...]:
    """Return the sizes of the parts of a dimension."""
    whole, rest = divmod(size, part)
    return (part,) * whole + ((rest,) if rest else ())


def _read_block(
    *,
    asked: dict[str, Any],
    block_info: Any = None,  # noqa: ANN401  dask tells where the block lies
) -> npt.NDArray[np.float64]:
    """Read the cells of one block."""
    (_, rows, columns) = block_info[None]["array-location"]
    window = Window(rows[0], columns[0], rows[1] - rows[0], columns[1] - columns[0])
    values = open_climate_cells(
        asked["path"],
        asked["variable"],
        window,
        bbox=asked["bbox"],
        time=asked["time"],
    )
    return np.asarray(values.to_numpy(), dtype=np.float64)
