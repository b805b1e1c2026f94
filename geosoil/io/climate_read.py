"""Read the window of a climate variable in blocks, so that memory stays bounded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.io._memory import memory_fault
from geosoil.io.climate_axes import Axes

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BLOCK_BYTES = 32 * 2**20
"""Bytes of decoded values that are read at a time, beside the result."""

_FILLS = (-9999.0, -999.0, -32768.0, -99999.0, 1e20, 9.96921e36)
_PACKED_FILLS = (-32768, -9999)
_IMPOSSIBLE = -300.0
"""No variable of geosoil can be as low, whatever its unit."""


@dataclass(frozen=True, slots=True)
class Window:
    """Which fields, rows and columns of a variable are wanted, in which order."""

    times: IntArray
    """Place in the file of each field of the result."""
    rows: IntArray
    """Row in the file of each row of the result."""
    columns: IntArray
    """Column in the file of each column of the result."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (time, y, x) of the result."""
        return self.times.size, self.rows.size, self.columns.size


@dataclass(slots=True)
class Notes:
    """What was found while reading."""

    fills: Counter[float] = field(default_factory=Counter)
    """How often each undeclared fill value was taken for missing."""
    preliminary: int = 0
    """Values taken from a later version of ERA5, where the first has none."""

    def words(self) -> list[str]:
        """Return the notes as words for the list of changes.

        Returns
        -------
        changes : list of str
            One entry a kind.
        """
        found = [
            f"{count} values of {fill:g} taken for missing"
            for fill, count in self.fills.items()
        ]
        if self.preliminary:
            found.append(
                f"expver merged: {self.preliminary} values are preliminary (ERA5T), "
                "where the final version has none"
            )
        return found


@dataclass(frozen=True, slots=True)
class _Run:
    """Neighbouring cells of a dimension of the file, and where they go."""

    start: int
    stop: int
    target: int
    turned: bool


def read_window(
    raster: xr.DataArray, axes: Axes, window: Window, *, where: str
) -> tuple[FloatArray, Notes]:
    """Read a window of a variable, north up, missing values as NaN.

    Parameters
    ----------
    raster : DataArray
        Variable of an open file, not loaded, dims in any order.
    axes : Axes
        Its dimensions.
    window : Window
        What to read.
    where : str
        File and variable, for messages.

    Returns
    -------
    values : array, shape (time, y, x)
        Values as the file means them.
    notes : Notes
        What was found.

    Raises
    ------
    FileFormatError
        If the result would take more than half of the memory of the machine.

    Examples
    --------
    >>> raster = xr.DataArray([[[1.0, -9999.0]], [[3.0, 4.0]]],
    ...                       dims=("lat", "time", "lon"))
    >>> whole = Window(np.array([0]), np.array([1, 0]), np.array([0, 1]))
    >>> values, notes = read_window(raster, Axes("time", "lat", "lon", None), whole,
    ...                             where="pre.nc")
    >>> values.tolist(), notes.words()
    ([[[3.0, 4.0], [1.0, nan]]], ['1 values of -9999 taken for missing'])
    """
    check_memory(window, where)
    notes = Notes()
    fills = (*_FILLS, *_packed_fills(raster))
    result = np.empty(window.shape)
    names = (axes.time, axes.y, axes.x)
    orders = (window.times, window.rows, window.columns)
    runs = {str(n): _runs(o) for n, o in zip(names, orders, strict=True)}
    block_dim, step = _blocks(raster, runs, window)
    for block in _combinations(runs, block_dim, step):
        source = {n: slice(r.start, r.stop) for n, r in block.items()}
        part = _version_merged(raster, source, axes, fills, notes)
        target = []
        for place, name in enumerate(block):
            run = block[name]
            target.append(slice(run.target, run.target + run.stop - run.start))
            if run.turned:
                part = np.flip(part, axis=place)
        result[tuple(target)] = part
    return result, notes


def check_memory(window: Window, where: str) -> None:
    """Raise if a window is too large for this machine.

    Parameters
    ----------
    window : Window
        What is to be read.
    where : str
        File and variable, for the message.

    Raises
    ------
    FileFormatError
        If it would take more than half of the memory; the message says how much, and
        what to do.
    """
    times, rows, columns = window.shape
    fault = memory_fault(8 * times * rows * columns + 2 * BLOCK_BYTES)
    if fault:
        message = (
            f"{where}: {times} fields of {rows} x {columns} cells need {fault}. Read "
            "a part: bbox=(west, south, east, north) in degrees, or "
            "time=(first, last)."
        )
        raise FileFormatError(message)


def _runs(order: IntArray) -> list[_Run]:
    """Split an order of cells into runs of neighbours, rising or falling."""
    steps = np.diff(order)
    found: list[_Run] = []
    first = 0
    while first < order.size:
        last = first
        step = steps[first] if first < steps.size else 1
        while abs(step) == 1 and last < steps.size and steps[last] == step:
            last += 1
        low, high = sorted((int(order[first]), int(order[last])))
        found.append(_Run(low, high + 1, first, bool(step == -1 and last > first)))
        first = last + 1
    return found


def _blocks(
    raster: xr.DataArray, runs: Mapping[str, list[_Run]], window: Window
) -> tuple[str, int]:
    """Return the dimension along which blocks are read, and cells a block.

    Blocks are whole chunks: a chunk is decompressed once. An unchunked variable is
    read along its slowest dimension, in the order of the file.
    """
    sizes = dict(zip(runs, window.shape, strict=True))
    dims = [str(name) for name in raster.dims if str(name) in runs]
    chunks = raster.encoding.get("chunksizes") or ()
    whole = dict(zip(map(str, raster.dims), chunks, strict=False))
    name = dims[0]
    if whole:
        name = max(dims, key=lambda key: sizes[key] / whole.get(key, 1))
    others = int(np.prod([size for key, size in sizes.items() if key != name]))
    chunk = int(whole.get(name, 1))
    cells = max(BLOCK_BYTES // (8 * max(others, 1)), 1)
    return name, max(cells // chunk, 1) * chunk


def _combinations(
    runs: Mapping[str, list[_Run]], block_dim: str, step: int
) -> Iterator[dict[str, _Run]]:
    """Yield every block as one run a dimension, in the order time, y, x."""
    first, second, third = runs
    cut = {
        name: list(_cut(found, step)) if name == block_dim else found
        for name, found in runs.items()
    }
    for a in cut[first]:
        for b in cut[second]:
            for c in cut[third]:
                yield {first: a, second: b, third: c}


def _cut(runs: list[_Run], step: int) -> Iterator[_Run]:
    """Cut runs where chunks of the file begin."""
    for run in runs:
        start = run.start
        while start < run.stop:
            stop = min((start // step + 1) * step, run.stop)
            offset = run.stop - stop if run.turned else start - run.start
            yield _Run(start, stop, run.target + offset, run.turned)
            start = stop


def _version_merged(
    raster: xr.DataArray,
    source: Mapping[str, slice],
    axes: Axes,
    fills: tuple[float, ...],
    notes: Notes,
) -> FloatArray:
    """Read one block; where there are versions, the first that has a value."""
    if axes.versions is None:
        return _block(raster, source, fills, notes)
    labels = np.arange(raster.sizes[axes.versions])
    if axes.versions in raster.coords:
        labels = np.argsort(raster[axes.versions].to_numpy().astype(int))
    merged: FloatArray | None = None
    for label in labels:
        part = _block(raster.isel({axes.versions: label}), source, fills, notes)
        if merged is None:
            merged = part
            continue
        better = np.isnan(merged) & np.isfinite(part)
        merged[better] = part[better]
        notes.preliminary += int(better.sum())
    return np.empty((0, 0, 0)) if merged is None else merged


def _block(
    raster: xr.DataArray,
    source: Mapping[str, slice],
    fills: tuple[float, ...],
    notes: Notes,
) -> FloatArray:
    """Read one block with dims (time, y, x), undeclared fill values as NaN."""
    there = {name: part for name, part in source.items() if name in raster.dims}
    part = raster.isel(there)
    part = part.squeeze([name for name in part.dims if name not in there], drop=True)
    part = part.expand_dims([name for name in source if name not in there])
    values = part.transpose(*source).to_numpy().astype(np.float64)
    values[np.isinf(values)] = np.nan
    lowest, highest = (
        np.fmin.reduce(values, axis=None),
        np.fmax.reduce(values, axis=None),
    )
    for fill in fills:
        near = 1e-6 * abs(fill)
        if not (lowest <= fill + near and highest >= fill - near):
            continue
        hit = np.isclose(values, fill, rtol=1e-6, atol=0)
        if hit.any():
            values[hit] = np.nan
            notes.fills[fill] += int(hit.sum())
    return values


def _packed_fills(raster: xr.DataArray) -> tuple[float, ...]:
    """Fill values of packed integers that the file does not declare, unpacked."""
    encoding = raster.encoding
    packed = np.dtype(encoding.get("dtype", float)).kind == "i"
    declared = encoding.keys() & {"_FillValue", "missing_value"}
    if declared or not packed:
        return ()
    scale = float(encoding.get("scale_factor", 1.0))
    offset = float(encoding.get("add_offset", 0.0))
    unpacked = [fill * scale + offset for fill in _PACKED_FILLS]
    return tuple(value for value in unpacked if value < _IMPOSSIBLE)
