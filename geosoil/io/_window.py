"""Find the cells of a grid that a box in degrees touches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyproj import Proj

from geosoil.errors import InputError
from geosoil.grids.grid import SNAP, Grid

Bounds = tuple[float, float, float, float]


class NoOverlapError(InputError):
    """A box touches no cell of a grid."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns of a part of a grid."""

    row: int
    """First row, counted from the north."""
    column: int
    """First column, counted from the west."""
    rows: int
    """Number of rows."""
    columns: int
    """Number of columns."""


def check_bbox(bbox: tuple[float, float, float, float]) -> Bounds:
    """Return a box as four numbers, or raise.

    Parameters
    ----------
    bbox : tuple = (W, S, E, N)
        Box in degrees.

    Returns
    -------
    bbox : tuple of float
        The same box.

    Raises
    ------
    InputError
        If it is no box on Earth.
    """
    try:
        west, south, east, north = (float(value) for value in bbox)
    except (TypeError, ValueError):
        message = f"Invalid bbox {bbox!r}. Give four numbers: west south east north."
        raise InputError(message) from None
    if not (-360 <= west <= east <= 360 and -90 <= south <= north <= 90):
        message = (
            f"Invalid bbox (west {west:g}, south {south:g}, east {east:g}, north "
            f"{north:g}). Give degrees with west <= east and south <= north; a box "
            "across the antimeridian needs two calls."
        )
        raise InputError(message)
    return west, south, east, north


def touched_window(grid: Grid, bbox: Bounds | None, *, source: str) -> Window:
    """Return the smallest window that holds every cell a box touches.

    Parameters
    ----------
    grid : Grid
        North-up grid, geographic or projected.
    bbox : tuple = (W, S, E, N) or None
        Box in degrees; None for the whole grid.
    source : str
        Name of the file for the message.

    Returns
    -------
    window : Window
        Part of the grid. A box whose edge lies on an edge of cells does not touch
        the cells beyond.

    Raises
    ------
    NoOverlapError
        If the box touches no cell; the message names the bounds of both.
    """
    if bbox is None:
        return Window(0, 0, *grid.shape)
    for west, south, east, north in _in_grid_units(grid, bbox):
        columns = _span(west, east, grid.transform.c, grid.transform.a, grid.shape[1])
        rows = _span(north, south, grid.transform.f, grid.transform.e, grid.shape[0])
        if columns and rows:
            return Window(rows[0], columns[0], rows[1], columns[1])
    west, south, east, north = bounds_in_degrees(grid)
    message = (
        f"'{source}' covers {west:.4g} to {east:.4g} E, {south:.4g} to {north:.4g} N; "
        f"the bbox {bbox[0]:g} to {bbox[2]:g} E, {bbox[1]:g} to {bbox[3]:g} N lies "
        "outside. Give (west, south, east, north) in degrees, or another file."
    )
    raise NoOverlapError(message)


def part_of(grid: Grid, window: Window) -> Grid:
    """Return the grid of a window.

    Parameters
    ----------
    grid : Grid
        Whole grid.
    window : Window
        Part of it.

    Returns
    -------
    grid : Grid
        The part, on the same cells.
    """
    return grid.part(window.row, window.column, (window.rows, window.columns))


def bounds_in_degrees(grid: Grid) -> Bounds:
    """Return the outer bounds of a grid in degrees.

    Parameters
    ----------
    grid : Grid
        Any grid.

    Returns
    -------
    bounds : tuple = (W, S, E, N)
        Bounds on the globe; cells beyond the edge of the map are left out.
    """
    if grid.crs.is_geographic:
        return grid.bounds
    west, south, east, north = grid.bounds
    x, y = _edges((west, south, east, north))
    longitude, latitude = Proj(grid.crs)(x, y, inverse=True, errcheck=False)
    on_globe = np.isfinite(longitude) & np.isfinite(latitude)
    on_globe &= (np.abs(longitude) <= 360) & (np.abs(latitude) <= 90)
    if not on_globe.any():
        return -180.0, -90.0, 180.0, 90.0
    longitude, latitude = longitude[on_globe], latitude[on_globe]
    return (
        max(float(longitude.min()), -180.0),
        float(latitude.min()),
        min(float(longitude.max()), 180.0),
        float(latitude.max()),
    )


def _in_grid_units(grid: Grid, bbox: Bounds) -> list[Bounds]:
    """Return the box in units of the grid; several where longitudes may wrap."""
    west, south, east, north = bbox
    if grid.crs.is_geographic:
        turns = (0.0, 360.0, -360.0)
        return [(west + turn, south, east + turn, north) for turn in turns]
    longitude, latitude = _edges(bbox)
    # The projection's own sphere, as the makers of the grid do: no datum shift.
    x, y = Proj(grid.crs)(longitude, latitude)
    return [(float(x.min()), float(y.min()), float(x.max()), float(y.max()))]


def _edges(box: Bounds) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return dense points along the edges of a box, the equator's among them."""
    west, south, east, north = box
    x = np.linspace(west, east, 201)
    y = np.linspace(south, north, 201)
    if south < 0 < north:
        y = np.append(y, 0.0)
    side_x = np.concatenate([x, x, np.full(y.size, west), np.full(y.size, east)])
    side_y = np.concatenate([np.full(x.size, south), np.full(x.size, north), y, y])
    return side_x, side_y


def _span(
    first: float, last: float, origin: float, step: float, size: int
) -> tuple[int, int] | None:
    """Return first cell and number of cells between two positions, None outside."""
    low, high = (first - origin) / step, (last - origin) / step
    start = math.floor(low + SNAP)
    stop = max(math.ceil(high - SNAP), start + 1)
    if stop <= 0 or start >= size:
        return None
    start, stop = max(start, 0), min(stop, size)
    return start, stop - start
