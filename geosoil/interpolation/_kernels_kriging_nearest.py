"""The nearest data of targets that follow one another, each found from the last."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geosoil._compiled import njit

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

RUNS = (64, 16)
"""Targets in a row that share one list of candidates, the longest that pays first."""

FEW_DATA = 400
"""Data that are all looked at for each target: no list of candidates is worth it."""

SLACK = 1e-9
"""Share by which the reach of candidates exceeds what exact arithmetic needs."""


class Candidates(NamedTuple):
    """The data that may be among the nearest of each run of targets."""

    run: int
    """Targets in a run."""
    indices: IntArray
    """Data by rising index, run after run."""
    starts: IntArray
    """Where the data of each run start, one more than there are runs."""


def candidates(tree: cKDTree, targets: FloatArray, wanted: int) -> Candidates | None:
    """Return the data that may be among the nearest ones of targets in their order.

    Parameters
    ----------
    tree : cKDTree
        Of the n data.
    targets : array, shape (m, 2)
        Targets; neighbours in the list should be neighbours on the map.
    wanted : int
        Number of neighbours, at most n.

    Returns
    -------
    candidates : Candidates or None
        None where targets lie so far apart that each is better sought on its own.

    Notes
    -----
    With d the distance from the middle of a run to its last neighbour and r that to
    its farthest target, the neighbours of each target of the run lie within d + 2 r
    of the middle.

    Examples
    --------
    >>> tree = cKDTree([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]])
    >>> candidates(tree, np.zeros((2, 2)), 2).indices.tolist()
    [0, 1, 2]
    """
    if tree.n <= FEW_DATA:
        everything = np.arange(tree.n, dtype=np.int64)
        return Candidates(len(targets), everything, np.array([0, tree.n]))
    for run in RUNS:
        starts = np.arange(0, len(targets), run)
        sizes = np.diff(np.append(starts, len(targets)))
        middles = np.add.reduceat(targets, starts, axis=0) / sizes[:, None]
        apart = np.hypot(*(targets - np.repeat(middles, sizes, axis=0)).T)
        radius = np.maximum.reduceat(apart, starts)
        reach = np.asarray(tree.query(middles, k=[wanted])[0])[:, 0]
        if np.median(radius) <= 0.5 * np.median(reach):
            within = (reach + 2.0 * radius) * (1.0 + SLACK)
            lists = tree.query_ball_point(middles, within, return_sorted=True)
            counts = np.array([len(row) for row in lists])
            flat = np.concatenate([np.array(row, dtype=np.int64) for row in lists])
            return Candidates(run, flat, np.append(0, np.cumsum(counts)))
    return None


@njit()
def _distances(x: FloatArray, y: FloatArray, here: FloatArray, out: FloatArray) -> None:
    """Write distances, rounded as a k-d tree rounds them."""
    for i in range(out.size):
        dx = x[i] - here[0]
        dy = y[i] - here[1]
        out[i] = np.sqrt(dx * dx + dy * dy)


# Minima may be taken in any order; distances are no NaN, but some are infinite.
@njit(fastmath={"nnan", "nsz", "reassoc"})
def _bounds(distance: FloatArray, barred: FloatArray) -> tuple[float, float]:
    """Return how far the farthest member is, and how far the nearest other."""
    farthest, nearest = -np.inf, np.inf
    for i in range(distance.size):
        farthest = max(farthest, min(distance[i], barred[i]))
        nearest = min(nearest, distance[i] + barred[i])
    return farthest, nearest


@njit()
def _settle(distance: FloatArray, barred: FloatArray) -> None:
    """Exchange the farthest member for the nearest other until none is nearer.

    Members are barred from being taken: inf, else 0. Where distances tie the lower
    index is nearer.
    """
    while True:
        far, near = _bounds(distance, barred)
        if near > far:
            return
        leaver, comer = -1, -1
        for i in range(distance.size):
            if barred[i] > 0.0 and distance[i] == far:
                leaver = i
            elif comer < 0 and barred[i] == 0.0 and distance[i] == near:
                comer = i
        if near == far and comer > leaver:
            return
        barred[leaver], barred[comer] = 0.0, np.inf


@njit(nogil=True)
def _nearest(
    places: FloatArray,
    targets: FloatArray,
    given: Candidates,
    max_distance: float,
    near: IntArray,
    counts: IntArray,
) -> None:
    """Write the nearest data of each target by rising index, and how many."""
    size = np.max(given.starts[1:] - given.starts[:-1])
    room = np.empty((4, size))
    for run in range(given.starts.size - 1):
        indices = given.indices[given.starts[run] : given.starts[run + 1]]
        x, y = room[0, : indices.size], room[1, : indices.size]
        distance, barred = room[2, : indices.size], room[3, : indices.size]
        for i in range(indices.size):
            x[i], y[i] = places[indices[i], 0], places[indices[i], 1]
        barred[:] = 0.0
        barred[: near.shape[1]] = np.inf
        last = min((run + 1) * given.run, targets.shape[0])
        for t in range(run * given.run, last):
            _distances(x, y, targets[t], distance)
            _settle(distance, barred)
            count = 0
            for i in range(indices.size):
                if barred[i] > 0.0 and distance[i] <= max_distance:
                    near[t, count] = indices[i]
                    count += 1
            counts[t] = count


def nearest(
    tree: cKDTree, targets: FloatArray, wanted: int, *, max_distance: float
) -> tuple[IntArray, IntArray]:
    """Return the nearest data of each target by rising index.

    Parameters
    ----------
    tree : cKDTree
        Of the n data.
    targets : array, shape (m, 2)
        Targets, best in the order of a map's rows.
    wanted : int
        Number of neighbours k, at most n.
    max_distance : float
        Distance beyond which a neighbour does not count; inf where all do.

    Returns
    -------
    near : array of int, shape (m, k)
        The data; n in places that are not filled.
    counts : array of int, shape (m,)
        How many there are.

    Notes
    -----
    Where the last neighbours tie, those of lower index are taken.

    Examples
    --------
    >>> tree = cKDTree([[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]])
    >>> near, counts = nearest(tree, np.array([[8.0, 0.0]]), 2, max_distance=5.0)
    >>> near.tolist(), counts.tolist()
    ([[2, 3]], [1])
    """
    near = np.full((len(targets), wanted), tree.n, dtype=np.int64)
    counts = np.zeros(len(targets), dtype=np.int64)
    given = candidates(tree, targets, wanted)
    if given is None:
        return _sought(tree, targets, near, max_distance)
    places = np.ascontiguousarray(tree.data)
    _nearest(places, targets, given, max_distance, near, counts)
    return near, counts


def _sought(
    tree: cKDTree, targets: FloatArray, near: IntArray, max_distance: float
) -> tuple[IntArray, IntArray]:
    """Return what the tree finds for each target on its own."""
    wanted = near.shape[1]
    more = min(wanted + 1, tree.n)
    distance, index = map(np.asarray, tree.query(targets, k=range(1, more + 1)))
    near[:] = index[:, :wanted]
    for t in np.flatnonzero(distance[:, wanted - 1] == distance[:, more - 1]):
        if more > wanted:
            near[t] = _tied(tree, targets[t], distance[t, wanted - 1], wanted)
    kept = distance[:, :wanted] <= max_distance
    near[~kept] = tree.n
    near.sort(axis=1)
    return near, kept.sum(axis=1)


def _tied(tree: cKDTree, target: FloatArray, reach: float, wanted: int) -> IntArray:
    """Return the nearest data of a target, lower indices first where they tie."""
    within = np.array(tree.query_ball_point(target, reach * (1.0 + SLACK)))
    apart = np.sqrt(np.square(tree.data[within] - target).sum(axis=1))
    return within[np.lexsort((within, apart))[:wanted]]
