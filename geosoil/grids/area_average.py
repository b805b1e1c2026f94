"""Means and modes over the exact ground of each cell, whatever the two grids are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, vstack

from geosoil.grids._kernels_overlap import polygon_areas, ring_area
from geosoil.grids.common_ground import is_same_crs, to_source
from geosoil.grids.grid import BoolArray, FloatArray, Grid

Array = npt.NDArray[Any]

STRAIGHT = 1e-3
"""Cells of the source by which an edge drawn straight may be off."""
_MOST_PIECES = 32
"""Pieces into which an edge is cut at most."""
_PROBES = 33
"""Rows and columns of cells whose edges are probed for being straight."""
_CORNERS = 200_000
"""Vertices of target cells that are brought to the source's CRS at once."""
_FULL = 1e-9
"""Rounding by which the coverage of a full cell may miss one."""


@dataclass(frozen=True, slots=True)
class AreaWeights:
    """Shares of the cells of a grid that lie on the cells of a source.

    Examples
    --------
    >>> fine = Grid.from_bounds((0, 0, 3, 1), 1, "EPSG:3857")
    >>> coarse = Grid.from_bounds((0, 0, 3, 1.5), 1.5, "EPSG:3857")
    >>> weights = area_weights(fine, coarse)
    >>> weights.mean(np.array([[[1.0, 2.0, 4.0]]])).round(3).tolist()
    [[[1.333, 3.333]]]
    >>> weights.coverage(np.array([[[True, False, True]]])).round(3).tolist()
    [[[0.444, 0.444]]]
    """

    factors: tuple[csr_array] | tuple[csr_array, csr_array]
    """Shares of cells (target cells x source cells), where the axes of both mix; else
    those of rows (target x source rows) and those of columns."""
    size: FloatArray | None
    """True size of the source's cells by row, the largest 1; None where equal."""
    shape: tuple[int, int]
    """Rows and columns of the result."""

    def mean(self, layers: FloatArray) -> FloatArray:
        """Average each layer over the cells of the grid by area.

        Parameters
        ----------
        layers : array, shape (n, source rows, source columns)
            Quantities; NaN and infinity are missing.

        Returns
        -------
        means : array, shape (n, rows, columns)
            Means of what is there; NaN where nothing is.
        """
        result = np.empty((len(layers), *self.shape))
        for layer, out in zip(layers, result, strict=True):
            valid = np.isfinite(layer)
            total = self._sums(self._sized(np.where(valid, layer, 0.0)))
            weight = self._sums(self._sized(valid))
            out[:] = total / np.where(weight > 0, weight, np.nan)
        return result

    def coverage(self, valid: BoolArray) -> FloatArray:
        """Compute which share of each cell of the grid lies on valid cells.

        Parameters
        ----------
        valid : array of bool, shape (n, source rows, source columns)
            Which cells of the source have a value.

        Returns
        -------
        coverage : array, shape (n, rows, columns)
            Shares from 0 to 1, of the area in the plane of the source's CRS.
        """
        result = np.empty((len(valid), *self.shape))
        for layer, out in zip(valid, result, strict=True):
            share = self._sums(layer.astype(np.float64))
            out[:] = np.where(share > 1 - _FULL, 1.0, share)
        return result

    def mode(self, layers: Array, valid: BoolArray, missing: float) -> Array:
        """Find the class that covers most of each cell of the grid.

        Parameters
        ----------
        layers : array, shape (n, source rows, source columns)
            Class codes.
        valid : array of bool, shape (n, source rows, source columns)
            Which of them count.
        missing : float
            Code of cells of the grid without any class.

        Returns
        -------
        modes : array of the type of the layers, shape (n, rows, columns)
            Codes; the smaller one where two cover the same.
        """
        result = np.full((len(layers), *self.shape), missing, dtype=layers.dtype)
        for layer, known, out in zip(layers, valid, result, strict=True):
            most = np.zeros(self.shape)
            for code in np.unique(layer[known]):
                share = self._sums(self._sized(known & (layer == code)))
                # Equal shares differ by rounding, and then the smaller code stays.
                more = share > most + _FULL
                out[more], most[more] = code, share[more]
        return result

    def _sized(self, layer: Array) -> FloatArray:
        """Weigh a layer by the true size of the cells."""
        if self.size is None:
            return layer.astype(np.float64, copy=False)
        sized: FloatArray = layer * self.size[:, np.newaxis]
        return sized

    def _sums(self, layer: FloatArray) -> FloatArray:
        """Sum a layer with the shares as weights."""
        if len(self.factors) == 1:
            flat: FloatArray = self.factors[0] @ layer.ravel()
            return flat.reshape(self.shape)
        along, across = self.factors
        sums: FloatArray = (across @ (along @ layer).T).T
        return sums


def area_weights(source: Grid, grid: Grid) -> AreaWeights:
    """Compute the exact shares of the cells of a grid on the cells of a source.

    Parameters
    ----------
    source : Grid
        Grid of the values.
    grid : Grid
        Grid of the result, of any CRS.

    Returns
    -------
    weights : AreaWeights
        Shares of each cell's area in the plane of the source's CRS.

    Notes
    -----
    A cell of the grid becomes a polygon in the source's CRS, whose edges are cut into
    pieces until straight lines are off by less than :data:`STRAIGHT` of a cell. On a
    sinusoidal grid far from its meridian it is a sheared parallelogram. The areas
    that it shares with the cells are exact for that polygon. Where the source is in
    degrees, its cells weigh by their size on the sphere, the sine of latitude from
    edge to edge. Memory: 12 bytes for each pair of cells that meet, when the two CRS
    differ.

    Examples
    --------
    >>> fine = Grid.from_bounds((0, 0, 2, 2), 1, "EPSG:3857")
    >>> coarse = Grid.from_bounds((0, 0, 2, 2), 2, "EPSG:3857")
    >>> area_weights(fine, coarse).mean(np.array([[[1.0, 2.0], [3.0, np.nan]]]))
    array([[[2.]]])
    """
    size = _sizes(source)
    if is_same_crs(source, grid):
        along = _shares(
            (grid.transform.f, grid.transform.e, grid.shape[0]),
            (source.transform.f, source.transform.e, source.shape[0]),
        )
        across = _shares(
            (grid.transform.c, grid.transform.a, grid.shape[1]),
            (source.transform.c, source.transform.a, source.shape[1]),
        )
        return AreaWeights((along, across), size, grid.shape)
    return AreaWeights((_polygon_shares(source, grid),), size, grid.shape)


def _sizes(source: Grid) -> FloatArray | None:
    """Return the true size of the cells of each row, the largest 1."""
    rows = source.shape[0]
    if not source.crs.is_geographic:
        return None
    unit = float(source.crs.axis_info[0].unit_conversion_factor)
    edges = source.transform.f + source.transform.e * np.arange(rows + 1)
    sines = np.sin(np.clip(edges * unit, -np.pi / 2, np.pi / 2))
    size: FloatArray = np.abs(np.diff(sines))
    return size / float(size.max())


def _shares(
    target: tuple[float, float, int], source: tuple[float, float, int]
) -> csr_array:
    """Return the shares of target intervals on source intervals.

    Each axis is given by its origin, its step and its number of intervals.
    """
    step = abs(target[1] / source[1])
    first = (target[0] - source[0]) / source[1] + step * np.arange(target[2])
    nearest = np.round(np.stack([first, first + step]), 9)
    first, last = np.clip(nearest, 0, source[2])
    low = np.floor(first).astype(np.int64)
    counts = np.maximum(np.ceil(last).astype(np.int64) - low, 0)
    row = np.repeat(np.arange(target[2]), counts)
    begun = np.repeat(np.cumsum(counts) - counts, counts)
    column = low[row] + np.arange(counts.sum()) - begun
    share = np.minimum(last[row], column + 1) - np.maximum(first[row], column)
    return csr_array((share / step, (row, column)), shape=(target[2], source[2]))


def _polygon_shares(source: Grid, grid: Grid) -> csr_array:
    """Return the shares of target cells on source cells, of two different CRS."""
    pieces = _pieces(source, grid)
    columns = grid.shape[1]
    rows = max(1, _CORNERS // (4 * pieces * columns))
    parts = []
    for first in range(0, grid.shape[0], rows):
        last = min(first + rows, grid.shape[0])
        rings = _rings(source, grid, (first, last), pieces)
        polygon, cell, area = polygon_areas(rings, source.shape)
        share = area / np.abs(ring_area(rings))[polygon]
        pairs = csr_array(
            (share, (polygon, cell)),
            shape=(len(rings), source.shape[0] * source.shape[1]),
        )
        parts.append(pairs)
    return csr_array(vstack(parts, format="csr"))


def _pieces(source: Grid, grid: Grid) -> int:
    """Return into how many pieces edges must be cut to follow the source's CRS."""
    rows = np.unique(np.linspace(0, grid.shape[0] - 1, _PROBES).round())
    columns = np.unique(np.linspace(0, grid.shape[1] - 1, _PROBES).round())
    worst = 0.0
    for right, down in ((1, 0), (0, 1)):
        start, middle, end = (
            _places(source, grid, rows[:, None] + down * t, columns + right * t)
            for t in (0.0, 0.5, 1.0)
        )
        bent = np.abs(middle - (start + end) / 2)
        worst = max(worst, float(np.max(bent[np.isfinite(bent)], initial=0.0)))
    return int(np.clip(np.ceil(np.sqrt(worst / STRAIGHT)), 1, _MOST_PIECES))


def _places(
    source: Grid, grid: Grid, rows: FloatArray, columns: FloatArray
) -> FloatArray:
    """Return places of a grid as columns and rows of the source, shape (..., 2)."""
    rows, columns = np.broadcast_arrays(rows, columns)
    x = grid.transform.c + grid.transform.a * columns
    y = grid.transform.f + grid.transform.e * rows
    x, y = to_source(source, grid, x, y)
    column = (x - source.transform.c) / source.transform.a
    row = (y - source.transform.f) / source.transform.e
    return np.stack([column, row], axis=-1)


def _rings(source: Grid, grid: Grid, span: tuple[int, int], pieces: int) -> FloatArray:
    """Return the cells of some rows of a grid as rings, shape (cells, vertices, 2)."""
    first, last = span
    rows, columns = last - first, grid.shape[1]
    corners = np.arange(first, last + 1, dtype=np.float64)[:, None]
    level = _places(source, grid, corners, np.arange(columns * pieces + 1) / pieces)
    steps = first + np.arange(rows * pieces + 1)[:, None] / pieces
    upright = _places(source, grid, steps, np.arange(columns + 1.0))
    # Each edge gives its vertices but the last, which begins the next.
    below = upright[:-1].reshape(rows, pieces, columns + 1, 2).swapaxes(1, 2)
    above = upright[1:].reshape(rows, pieces, columns + 1, 2).swapaxes(1, 2)
    ahead = level[:, :-1].reshape(rows + 1, columns, pieces, 2)
    back = level[:, 1:].reshape(rows + 1, columns, pieces, 2)
    sides = (
        ahead[:-1],
        below[:, 1:],
        back[1:, :, ::-1],
        above[:, :-1, ::-1],
    )
    rings = np.concatenate(sides, axis=2).reshape(rows * columns, 4 * pieces, 2)
    if source.crs.is_geographic:
        # A cell across the antimeridian comes back torn, one half turn apart.
        unit = float(source.crs.axis_info[0].unit_conversion_factor)
        width = np.ptp(rings[..., 0], axis=1) * abs(source.transform.a) * unit
        rings[width > np.pi] = np.nan
    return rings
