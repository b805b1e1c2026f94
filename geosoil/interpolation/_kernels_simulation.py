"""Weights of the earlier places on a path, and walks along it: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

REDUNDANT = 1e-6
"""Share of its variance below which a neighbour says nothing that nearer ones do not
say. With less, the weights of smooth models grow without bound along a path."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]


@njit(parallel=True)
def solve_nodes(
    own: FloatArray,
    near: FloatArray,
    between: FloatArray,
    diagonal: FloatArray,
    weights: FloatArray,
) -> FloatArray:
    """Solve the simple kriging system of each node for its neighbours.

    ``own`` (b,) is the variance of a node, ``near`` (b, k) its covariance with its
    neighbours by rising distance, ``diagonal`` (b, k) their variances (0 where there
    is no neighbour), ``between`` (b, k (k - 1) / 2) the covariances of neighbours 1
    and 0, 2 and 0, 2 and 1, ... Fills ``weights`` (b, k) and returns the standard
    deviation that is left, (b,). A neighbour that the nearer ones determine gets no
    weight.
    """
    count, width = near.shape
    left = np.empty(count)
    for node in prange(count):
        lower = np.zeros((width, width))
        white = np.zeros(width)
        known = 0.0
        place = 0
        for row in range(width):
            rest = diagonal[node, row]
            target = near[node, row]
            for column in range(row):
                value = between[node, place]
                place += 1
                if lower[column, column] > 0.0:
                    for inner in range(column):
                        value -= lower[row, inner] * lower[column, inner]
                    value /= lower[column, column]
                    lower[row, column] = value
                    rest -= value * value
                    target -= value * white[column]
            if rest > REDUNDANT * diagonal[node, row]:
                lower[row, row] = np.sqrt(rest)
                white[row] = target / lower[row, row]
                known += white[row] * white[row]
            else:
                for column in range(row):
                    lower[row, column] = 0.0
        for row in range(width - 1, -1, -1):
            weights[node, row] = 0.0
            if lower[row, row] > 0.0:
                value = white[row]
                for inner in range(row + 1, width):
                    value -= lower[inner, row] * weights[node, inner]
                weights[node, row] = value / lower[row, row]
        left[node] = np.sqrt(max(own[node] - known, 0.0))
    return left


@njit(parallel=True)
def walk(
    values: FloatArray, neighbors: IntArray, weights: FloatArray, left: FloatArray
) -> None:
    """Turn noise into values, node by node, in every realisation.

    ``values`` (realisations, given + nodes) holds the given values and then one
    standard normal number a node, in the order of the path; each becomes the weighted
    sum of its neighbours plus ``left`` times itself. ``neighbors`` (nodes, k) are
    columns of ``values``; where there is none its weight is 0.
    """
    nodes, width = neighbors.shape
    given = values.shape[1] - nodes
    for realization in prange(values.shape[0]):
        row = values[realization]
        for node in range(nodes):
            total = left[node] * row[given + node]
            for k in range(width):
                total += weights[node, k] * row[neighbors[node, k]]
            row[given + node] = total
