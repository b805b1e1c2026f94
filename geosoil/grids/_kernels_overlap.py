"""Exact areas that polygons share with the cells of a grid of unit squares."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

BATCH = 2_000_000
"""Corners of cells times edges that are held at once."""
SLIVER = 1e-12
"""Shared areas up to this come from rounding, and are dropped."""


def polygon_areas(
    vertices: FloatArray, shape: tuple[int, int]
) -> tuple[IntArray, IntArray, FloatArray]:
    r"""Compute the area that each polygon shares with each unit cell.

    Parameters
    ----------
    vertices : array, shape (n, m, 2)
        Vertices (column, row) of n simple polygons, in order around each, in units of
        cells. A polygon with a vertex that is not finite shares nothing.
    shape : tuple of int
        Rows and columns of the grid; what lies beyond is left out.

    Returns
    -------
    polygon : array of int, shape (k,)
        Number of the polygon of each shared area.
    cell : array of int, shape (k,)
        Number of its cell, row * columns + column.
    area : array, shape (k,)
        The area in units of cells, above zero.

    Notes
    -----
    By Green's theorem the part of a polygon in row :math:`j` and west of
    :math:`X` has the area

    .. math:: G_j(X) = \oint_{j \le y \le j+1} \min(x, X) \, dy

    which is a closed form for straight edges; a cell holds
    :math:`G_j(i+1) - G_j(i)`.
    """
    low = np.floor(vertices.min(axis=1))
    high = np.ceil(vertices.max(axis=1))
    limit = np.array([shape[1], shape[0]], dtype=np.float64)
    low, high = np.maximum(low, 0.0), np.minimum(high, limit)
    touching = (np.isfinite(low) & np.isfinite(high) & (high > low)).all(axis=1)
    known = np.flatnonzero(touching)
    size = (high[known] - low[known]).astype(np.int64)
    # Polygons of like extent share a batch, so that its arrays hold little of nothing.
    order = np.argsort(size.prod(axis=1), kind="stable")
    known, size = known[order], size[order]
    found = [
        _batch(vertices[known[part]], low[known[part]], size[part], known[part], shape)
        for part in _parts(size, vertices.shape[1])
    ]
    numbers = [
        np.concatenate([np.empty(0, np.int64), *(f[i] for f in found)]) for i in (0, 1)
    ]
    areas = np.concatenate([np.empty(0), *(f[2] for f in found)])
    return numbers[0], numbers[1], areas


def _parts(size: IntArray, edges: int) -> list[slice]:
    """Cut polygons into runs whose arrays stay within a batch."""
    parts = []
    first = 0
    while first < len(size):
        last = first + 1
        width, height = size[first]
        while last < len(size):
            width, height = max(width, size[last, 0]), max(height, size[last, 1])
            if (last + 1 - first) * edges * height * (width + 1) > BATCH:
                break
            last += 1
        parts.append(slice(first, last))
        first = last
    return parts


def _batch(
    vertices: FloatArray,
    low: FloatArray,
    size: IntArray,
    numbers: IntArray,
    shape: tuple[int, int],
) -> tuple[IntArray, IntArray, FloatArray]:
    """Compute the shared areas of polygons in boxes of cells around each."""
    place = vertices - low[:, np.newaxis, :]
    width, height = (int(side) for side in size.max(axis=0))
    south = np.arange(height, dtype=np.float64)
    bounds = np.arange(width + 1, dtype=np.float64)
    west = np.zeros((len(place), height, width + 1))
    for edge in range(place.shape[1]):
        _add_edge(west, place[:, edge - 1], place[:, edge], south, bounds)
    area = np.diff(west, axis=2) * np.sign(ring_area(place))[:, None, None]
    area *= np.arange(width) < size[:, 0, None, None]
    area *= np.arange(height)[:, None] < size[:, 1, None, None]
    polygon, row, column = np.nonzero(area > SLIVER)
    first = low.astype(np.int64)
    cell = (first[polygon, 1] + row) * shape[1] + first[polygon, 0] + column
    return numbers[polygon], cell, area[polygon, row, column]


def _add_edge(
    west: FloatArray,
    start: FloatArray,
    end: FloatArray,
    south: FloatArray,
    bounds: FloatArray,
) -> None:
    """Add one edge of each polygon to the areas west of bounds, row by row."""
    x, rise = start[:, 0, None], (end - start)[:, 1, None]
    y_first = np.clip(start[:, 1, None], south, south + 1)
    y_last = np.clip(end[:, 1, None], south, south + 1)
    slant = np.where(rise == 0, 1.0, rise)
    run = (end - start)[:, 0, None]
    x_first = x + run * np.clip((y_first - start[:, 1, None]) / slant, 0, 1)
    x_last = x + run * np.clip((y_last - start[:, 1, None]) / slant, 0, 1)
    nearest = np.minimum(x_first, x_last)[..., np.newaxis]
    farthest = np.maximum(x_first, x_last)[..., np.newaxis]
    across = np.maximum(farthest - nearest, np.finfo(np.float64).tiny)
    # The mean of max(X - x, 0) along the edge; min(x, X) = X - max(X - x, 0), and X
    # itself adds nothing around a ring.
    within = np.clip(bounds, nearest, farthest)
    excess = (within - nearest) ** 2 / (2 * across) + np.maximum(bounds - within, 0)
    west -= (y_last - y_first)[..., np.newaxis] * excess


def ring_area(vertices: FloatArray) -> FloatArray:
    """Compute the signed area of rings.

    Parameters
    ----------
    vertices : array, shape (n, m, 2)
        Vertices in order around each ring.

    Returns
    -------
    area : array, shape (n,)
        Area, positive where x turns towards y.
    """
    centred = vertices - vertices.mean(axis=1, keepdims=True)
    before = np.roll(centred, 1, axis=1)
    cross = before[..., 0] * centred[..., 1] - before[..., 1] * centred[..., 0]
    area: FloatArray = cross.sum(axis=1) / 2
    return area
