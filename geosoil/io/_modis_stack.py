"""Plan a MODIS stack: dates, tiles of one date side by side, memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from affine import Affine

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import Grid, check_same_grid
from geosoil.io._memory import memory_fault
from geosoil.io._modis_source import Source
from geosoil.io._worker_pool import most_workers

WHOLE = 1e-3
"""Fraction of a cell by which the corners of tiles of one grid may be off: files
give them to a millionth of a metre."""

Date = np.datetime64 | None


@dataclass(frozen=True, slots=True)
class Block:
    """Where the fields of a file go in the stack."""

    source: Source
    """The file."""
    row: int
    """First row in the stack."""
    column: int
    """First column in the stack."""
    places: tuple[int, ...]
    """Position in time of each of its fields."""

    @property
    def part(self) -> tuple[slice, slice]:
        """Rows and columns in the stack."""
        rows, columns = self.source.grid.shape
        return (
            slice(self.row, self.row + rows),
            slice(self.column, self.column + columns),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A stack over time that is not read yet."""

    grid: Grid
    """Grid that holds every file."""
    dates: tuple[Date, ...]
    """Dates in rising order."""
    blocks: tuple[Block, ...]
    """Files and their places."""
    dtype: np.dtype[Any]
    """Type of the values."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Dates, rows and columns."""
        return len(self.dates), *self.grid.shape


def plan_stack(sources: list[Source]) -> Plan:
    """Place files in time, and tiles of one date side by side.

    Parameters
    ----------
    sources : list of Source
        Files of one product.

    Returns
    -------
    plan : Plan
        Where each goes.

    Raises
    ------
    InputError
        If products or collections differ, or dates are unknown or repeat.
    GridMismatchError
        If the files are no tiles of one grid, or a date lacks a tile.
    """
    _check_kinds(sources)
    _check_dated(sources)
    counts: dict[Date, int] = {}
    for source in sources:
        for date in source.dates:
            counts[date] = counts.get(date, 0) + 1
    tiled = max(counts.values()) > 1
    offsets = _offsets(sources) if tiled else None
    if offsets is None:
        _check_repeated(sources)
        _check_one_grid(sources)
        offsets = [(0, 0)] * len(sources)
    grid, corners = _union(sources, offsets)
    _check_tiles(sources, corners)
    # NaT sorts last; it is alone where it occurs.
    dates = tuple(
        sorted(counts, key=lambda d: np.datetime64("NaT") if d is None else d)
    )
    places = {date: place for place, date in enumerate(dates)}
    blocks = tuple(
        Block(source, row, column, tuple(places[date] for date in source.dates))
        for source, (row, column) in zip(sources, corners, strict=True)
    )
    kind = np.float64 if any(source.wide for source in sources) else np.float32
    return Plan(grid, dates, blocks, np.dtype(kind))


def check_budget(plan: Plan, budget: int | None, *, fields: int) -> None:
    """Refuse a stack whose headers ask for more memory than allowed.

    Parameters
    ----------
    plan : Plan
        Stack that is not allocated yet.
    budget : int or None
        Bytes; None for half of the memory of the machine.
    fields : int
        Number of fields that are held at a time.

    Raises
    ------
    InputError
        If it is too large; the message says what to do.
    """
    _, rows, columns = plan.shape
    kept = int(np.prod((fields, rows, columns), dtype=np.int64)) * plan.dtype.itemsize
    largest = max(
        source.grid.shape[0] * source.grid.shape[1]
        for source in (block.source for block in plan.blocks)
    )
    # A file being read holds stored numbers, quantities, a mask and its quality.
    working = min(len(plan.blocks), most_workers()) * largest * 16
    needed = kept + working
    fault = memory_fault(needed) if budget is None else ""
    if budget is not None and needed > budget:
        fault = f"{needed / 2**20:.0f} MiB, the budget is {budget / 2**20:.0f} MiB"
    if fault:
        message = (
            f"{fields} dates of {rows} x {columns} cells need {fault}. Give a bbox or "
            "fewer files, or read lazily."
        )
        raise InputError(message)


def _check_kinds(sources: list[Source]) -> None:
    """Raise if the files are of different products or collections."""
    products = {source.product[3:] for source in sources if source.product}
    if len(products) > 1:
        names = ", ".join(
            f"'{source.path.name}' {source.product}" for source in sources
        )
        message = f"The files are of different products: {names}. Open each by itself."
        raise InputError(message)
    collections = {source.collection for source in sources if source.collection}
    if len(collections) > 1:
        names = ", ".join(
            f"'{source.path.name}' {source.collection}" for source in sources
        )
        message = (
            f"The files are of different collections: {names}. A change of collection "
            "looks like a change of the land; give files of one."
        )
        raise InputError(message)


def _check_dated(sources: list[Source]) -> None:
    """Raise if a file of a stack has no date."""
    undated = [f"'{s.path.name}'" for s in sources if None in s.dates]
    if undated and len(sources) > 1:
        message = (
            f"No date is known of {', '.join(undated)}. Name the files like "
            "MOD13C1.A2020161.061.hdf (year and day of the year)."
        )
        raise InputError(message)


def _check_repeated(sources: list[Source]) -> None:
    """Raise if two files have the same date, where they are no tiles."""
    dated: dict[Date, list[str]] = {}
    for source in sources:
        for date in source.dates:
            dated.setdefault(date, []).append(f"'{source.path.name}'")
    repeated = {date: names for date, names in dated.items() if len(names) > 1}
    if repeated:
        lines = "; ".join(
            f"{date}: {', '.join(names)}" for date, names in repeated.items()
        )
        message = (
            f"Several files have the same date: {lines}. Give one file a date, or "
            "tiles that lie side by side; open Terra and Aqua by themselves."
        )
        raise InputError(message)


def _check_one_grid(sources: list[Source]) -> None:
    """Raise unless all files lie on the grid of the first."""
    first, faults = sources[0], []
    for source in sources[1:]:
        try:
            check_same_grid(first.grid, source.grid, what="files")
        except GridMismatchError:
            faults.append(f"- '{source.path}': {told(source.grid)}")
    if faults:
        lines = "\n".join(faults)
        message = (
            f"{len(faults)} of {len(sources)} files lie on another grid than "
            f"'{first.path}' ({told(first.grid)}):\n{lines}\nOpen each grid by itself "
            "and bring one onto the other with geosoil.align."
        )
        raise GridMismatchError(message)


def _offsets(sources: list[Source]) -> list[tuple[int, int]] | None:
    """Return rows and columns from the first file, None where they are not whole."""
    first, found = sources[0].grid, []
    width, height = first.resolution
    for source in sources:
        grid = source.grid
        column = (grid.transform.c - first.transform.c) / width
        row = (first.transform.f - grid.transform.f) / height
        # Over all its cells a tile must keep step with the first.
        drift = max(
            abs(own / side - 1) * count
            for own, side, count in zip(
                grid.resolution, (width, height), grid.shape[::-1], strict=True
            )
        )
        off = max(abs(column - round(column)), abs(row - round(row)), drift)
        if off > WHOLE or not grid.crs.equals(first.crs, ignore_axis_order=True):
            return None
        found.append((round(row), round(column)))
    places = [
        (date, offset)
        for source, offset in zip(sources, found, strict=True)
        for date in source.dates
    ]
    return found if len(set(places)) == len(places) else None


def _union(
    sources: list[Source], offsets: list[tuple[int, int]]
) -> tuple[Grid, list[tuple[int, int]]]:
    """Return the grid that holds all files, and where each lies in it."""
    top = min(row for row, _ in offsets)
    left = min(column for _, column in offsets)
    corners = [(row - top, column - left) for row, column in offsets]
    shapes = [source.grid.shape for source in sources]
    rows = max(r + n for (r, _), (n, _) in zip(corners, shapes, strict=True))
    columns = max(c + n for (_, c), (_, n) in zip(corners, shapes, strict=True))
    first = sources[0].grid
    north = sources[[row for row, _ in corners].index(0)].grid.transform.f
    west = sources[[column for _, column in corners].index(0)].grid.transform.c
    transform = Affine(first.transform.a, 0.0, west, 0.0, first.transform.e, north)
    return Grid(first.crs, transform, (rows, columns)), corners


def _check_tiles(sources: list[Source], corners: list[tuple[int, int]]) -> None:
    """Raise unless every date has the same tiles."""
    tiles: dict[Date, set[tuple[int, int]]] = {}
    names: dict[tuple[int, int], str] = {}
    for source, corner in zip(sources, corners, strict=True):
        names.setdefault(corner, source.path.name)
        for date in source.dates:
            tiles.setdefault(date, set()).add(corner)
    lacking = [
        f"{date} has none beside '{names[corner]}'"
        for date, have in tiles.items()
        for corner in sorted(set(names) - have)
    ]
    if lacking:
        message = (
            f"Tiles are missing: {'; '.join(lacking)}. Give every date the same tiles."
        )
        raise GridMismatchError(message)


def told(grid: Grid) -> str:
    """Return a grid in few words.

    Parameters
    ----------
    grid : Grid
        Any grid.

    Returns
    -------
    words : str
        Size, cells and bounds.
    """
    west, south, east, north = grid.bounds
    unit = "degrees" if grid.crs.is_geographic else "m"
    return (
        f"{grid.shape[0]} x {grid.shape[1]} cells of {grid.resolution[0]:.9g} {unit}, "
        f"x {west:.10g} to {east:.10g}, y {south:.10g} to {north:.10g}"
    )
