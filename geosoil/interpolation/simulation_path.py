"""The order in which places are simulated, and the earlier places each one heeds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geosoil.interpolation.base import FloatArray

IntArray = npt.NDArray[np.int32]

GROWTH = 1.5
"""How many times as many places a tree of the search holds as the one before."""

SPARE = 8
"""Neighbours looked at beyond the number that are likely to do."""


def multigrid_path(xy: FloatArray, rng: np.random.Generator) -> IntArray:
    """Return a random order that visits wide grids before fine ones.

    Parameters
    ----------
    xy : array, shape (m, 2)
        Different places.
    rng : Generator
        Source of the order within a grid.

    Returns
    -------
    path : array of int, shape (m,)
        Indices of the places. Each grid has half the mesh of the one before and
        takes one place from each mesh that holds none yet.

    References
    ----------
    Tran (1994), Improving variogram reproduction on dense simulation grids, Computers
    & Geosciences 20, doi:10.1016/0098-3004(94)90069-8.

    Examples
    --------
    >>> x, y = np.meshgrid(np.arange(8.0), np.arange(8.0))
    >>> places = np.column_stack([x.ravel(), y.ravel()])
    >>> path = multigrid_path(places, np.random.default_rng(0))
    >>> sorted(tuple(corner) for corner in (places[path[:4]] // 4).astype(int).tolist())
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    shuffled = rng.permutation(len(xy)).astype(np.int32)
    if len(xy) == 0:
        return shuffled
    side = max(float(np.ptp(xy, axis=0).max()), np.finfo(float).tiny)
    relative = (xy[shuffled] - xy.min(axis=0)) / (side * (1 + 1e-9))
    left = np.arange(len(xy))
    visited, parts = 1, []
    taken = np.zeros(len(xy), dtype=bool)
    while len(left):
        visited *= 2
        mesh = (relative * visited).astype(np.int64)
        cell = mesh[:, 0] * visited + mesh[:, 1]
        full = np.unique(cell[taken])
        _, first = np.unique(cell[left], return_index=True)
        chosen = left[np.sort(first)]
        chosen = chosen[~np.isin(cell[chosen], full)]
        # Places closer than any mesh: the last ones come as they are.
        chosen = left if visited > 2**30 else chosen
        parts.append(chosen)
        taken[chosen] = True
        left = left[~taken[left]]
    return shuffled[np.concatenate(parts)]


def earlier_neighbors(places: FloatArray, given: int, n_neighbors: int) -> IntArray:
    """Return the nearest places that come before each place of a path.

    Parameters
    ----------
    places : array, shape (given + m, 2)
        Places with a value from the start, and then those of the path in its order.
    given : int
        Number of places with a value.
    n_neighbors : int
        Number of neighbours at most.

    Returns
    -------
    neighbors : array of int, shape (m, k)
        Indices of earlier places by rising distance; -1 where there are no more.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [10.0, 0.0], [4.0, 0.0], [8.0, 0.0]])
    >>> earlier_neighbors(line, 1, 2).tolist()
    [[0, -1], [0, 1], [1, 2]]
    """
    total = len(places)
    width = min(n_neighbors, max(total - 1, 0))
    found = np.full((total - given, width), -1, dtype=np.int32)
    start = given
    while start < total and width:
        stop = min(total, max(int(GROWTH * start), start + 2 * width))
        tree = cKDTree(places[:stop])
        rows = np.arange(start, stop, dtype=np.int64)
        seen = int(width * GROWTH) + SPARE
        while len(rows):
            near, short = _earlier(tree, places, rows, seen, width)
            found[rows - given, : near.shape[1]] = near
            rows, seen = rows[short], 2 * seen
        start = stop
    return found


def _earlier(
    tree: cKDTree,
    places: FloatArray,
    rows: npt.NDArray[np.int64],
    seen: int,
    width: int,
) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """Return earlier ones among the nearest places, and which rows lack some."""
    count = min(seen, tree.n)
    _, index = tree.query(places[rows], k=range(1, count + 1))
    before = np.asarray(index) < rows[:, None]
    first = np.argsort(~before, axis=1, kind="stable")[:, :width]
    nearest = np.where(
        np.take_along_axis(before, first, axis=1),
        np.take_along_axis(np.asarray(index), first, axis=1),
        -1,
    )
    short = before.sum(axis=1) < np.minimum(width, rows)
    return nearest.astype(np.int32), short & (count < tree.n)
