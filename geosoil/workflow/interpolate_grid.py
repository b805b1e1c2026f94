"""The grid of an interpolation: asked for, or as wide as its points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
from affine import Affine
from pyproj import CRS, Transformer

from geosoil.errors import InputError
from geosoil.grids.grid import SNAP, Grid
from geosoil.interpolation.base import ALBERS
from geosoil.io.raster_grid import read_grid
from geosoil.workflow.interpolate_words import CellWords

Bounds = tuple[float, float, float, float]

USUAL_CELLS = 20_000
"""Cells of a grid that is not asked for, about."""

MOST_CELLS = 10**9
"""Cells beyond which a side is taken for a mistake."""

MOST_WIDE = 2 * 10**7
"""Cells up to which a grid is widened to hold all points."""


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Where the map shall lie."""

    points: gpd.GeoDataFrame
    """The points, with places."""
    bbox: Bounds | None = None
    """Box (W, S, E, N) in degrees."""
    region: gpd.GeoDataFrame | None = None
    """Polygons."""

    def bounds(self, crs: CRS) -> Bounds:
        """Return the bounds of the box, else of the region, else of the points.

        Parameters
        ----------
        crs : CRS
            System of the bounds.

        Returns
        -------
        bounds : tuple = (W, S, E, N)
            Bounds in units of the CRS.
        """
        if self.bbox is not None:
            there = Transformer.from_crs(4326, crs, always_xy=True)
            found: Sequence[float] = there.transform_bounds(*self.bbox)
        else:
            layer = self.points if self.region is None else self.region
            found = layer.geometry.to_crs(crs).total_bounds.tolist()
        west, south, east, north = (float(value) for value in found)
        if not np.isfinite([west, south, east, north]).all():
            message = (
                f"The bounds ({west:g}, {south:g}, {east:g}, {north:g}) have no place "
                f"in {crs.name}. Give --bbox, or another --grid."
            )
            raise InputError(message)
        return west, south, east, north


def target_grid(cells: CellWords | None, ground: Ground) -> Grid:
    """Return the grid of a map.

    Parameters
    ----------
    cells : CellWords or None
        Cells that are asked for. Degrees lie in EPSG:4326, metres in the system of the
        points, or in the Albers projection of China where that is in degrees; None
        takes about 20,000 cells in the system of the points.
    ground : Ground
        Where the map lies; its bounds are moved outward to whole multiples of a side.

    Returns
    -------
    grid : Grid
        The grid; of a raster the part that the box touches.

    Raises
    ------
    InputError
        If the bounds have no place in the system, or there would be too many cells.

    Examples
    --------
    >>> sites = gpd.GeoDataFrame(
    ...     geometry=gpd.points_from_xy([90.02, 90.31], [31.0, 31.04], crs=4326))
    >>> target_grid(CellWords(0.05), Ground(sites)).bounds
    (90.0, 31.0, 90.35, 31.05)
    """
    if cells is not None and cells.raster is not None:
        return _part(read_grid(cells.raster), ground)
    own = CRS.from_user_input(ground.points.crs)
    if cells is None:
        crs = own
    elif cells.in_metres:
        crs = own if own.is_projected else CRS.from_user_input(ALBERS)
    else:
        crs = own if own.is_geographic else CRS.from_epsg(4326)
    west, south, east, north = bounds = ground.bounds(crs)
    side = _usual_side(bounds) if cells is None else cells.side
    return _snapped((west, south, east, north), side, crs)


def _usual_side(bounds: Bounds) -> float:
    """Return a round side of about 20,000 cells."""
    width, height = bounds[2] - bounds[0], bounds[3] - bounds[1]
    least = max(width, height, 1e-9)
    side = math.sqrt(max(width, least / 50) * max(height, least / 50) / USUAL_CELLS)
    power = 10.0 ** math.floor(math.log10(side))
    return float(max(n for n in (1.0, 2.0, 5.0) if n * power <= side * (1 + 1e-9))
                 * power)  # fmt: skip


def _snapped(bounds: Bounds, side: float, crs: CRS) -> Grid:
    """Return the grid of whole multiples of a side that holds the bounds."""
    edges = [value / side for value in bounds]
    west, south = (math.floor(value + SNAP) for value in edges[:2])
    east, north = (math.ceil(value - SNAP) for value in edges[2:])
    east, north = max(east, west + 1), max(north, south + 1)
    count = (east - west) * (north - south)
    if count > MOST_CELLS:
        message = (
            f"--grid {side:g} makes {count:,} cells of {crs.name}. Give a larger side, "
            "a smaller --bbox, or a unit: 1km is not 1 (degree)."
        )
        raise InputError(message)
    corners = (
        round(west * side, 10),
        round(south * side, 10),
        round(east * side, 10),
        round(north * side, 10),
    )
    return Grid.from_bounds(corners, side, crs.to_wkt())


def _part(grid: Grid, ground: Ground) -> Grid:
    """Return the part of a grid that the box touches; all of it without a box."""
    if ground.bbox is None:
        return grid
    west, south, east, north = ground.bounds(grid.crs)
    a, e = grid.resolution
    left, top = grid.transform.c, grid.transform.f
    columns = _span((west - left) / a, (east - left) / a, grid.shape[1])
    rows = _span((top - north) / e, (top - south) / e, grid.shape[0])
    if columns is None or rows is None:
        message = f"--bbox {ground.bbox} lies outside of the raster of --grid: {grid}."
        raise InputError(message)
    shape = (rows[1] - rows[0], columns[1] - columns[0])
    return grid.part(rows[0], columns[0], shape)


def _span(first: float, last: float, count: int) -> tuple[int, int] | None:
    """Return the cells from and up to which an axis is touched; None for none."""
    start, end = max(math.floor(first + SNAP), 0), min(math.ceil(last - SNAP), count)
    return (start, end) if end > start else None


def wide_grid(grid: Grid, points: gpd.GeoDataFrame) -> tuple[Grid, tuple[int, int]]:
    """Return the cells of a grid and more of them, so that all points lie on one.

    Parameters
    ----------
    grid : Grid
        The grid of a map.
    points : GeoDataFrame
        Points with a CRS.

    Returns
    -------
    wide : Grid
        The same cells, and those around; the grid itself where too many would be
        needed.
    place : tuple = (row, column)
        Where the first cell of the grid lies in the wide one.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:32647")
    >>> far = gpd.GeoDataFrame(geometry=gpd.points_from_xy([4.5], [0.5], crs=32647))
    >>> wide_grid(grid, far)[0].bounds, wide_grid(grid, far)[1]
    ((0.0, 0.0, 5.0, 2.0), (0, 0))
    """
    west, south, east, north = points.geometry.to_crs(grid.crs).total_bounds
    a, e = grid.resolution
    before = max(math.ceil((grid.bounds[0] - west) / a), 0)
    after = max(math.floor((east - grid.bounds[2]) / a) + 1, 0)
    above = max(math.floor((north - grid.bounds[3]) / e) + 1, 0)
    below = max(math.ceil((grid.bounds[1] - south) / e), 0)
    rows, columns = grid.shape
    shape = (rows + above + below, columns + before + after)
    if shape[0] * shape[1] > max(MOST_WIDE, rows * columns):
        return grid, (0, 0)
    x, y = grid.transform.c - before * a, grid.transform.f + above * e
    if grid.crs.is_geographic:
        x, y = round(x, 10), round(y, 10)
    return Grid(grid.crs, Affine(a, 0.0, x, 0.0, -e, y), shape), (above, before)
