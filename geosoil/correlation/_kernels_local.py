"""Geographic weights, distance classes and local permutations, compiled: arrays only.

Places are points in space; their last coordinate is 0 on a plane.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

OK, FEW, CONSTANT_X, CONSTANT_Y = range(4)

BISQUARE, GAUSSIAN = range(2)

REACH = 8.6
"""Standard deviations beyond which a Gaussian weight is below one rounding of 1."""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class LocalCorrelations(NamedTuple):
    """What the weighted kernel answers, each of shape (n,)."""

    r: FloatArray
    """Weighted correlation around each place; NaN unless the reason is OK."""
    n: IntArray
    """Pairs of a weight above 0."""
    n_effective: FloatArray
    """Square of the sum of the weights over the sum of their squares."""
    reason: IntArray
    """OK, FEW, CONSTANT_X or CONSTANT_Y."""


class DistanceClasses(NamedTuple):
    """Sums over the pairs of each class of distance, each of shape (n, classes)."""

    pairs: FloatArray
    """How many places lie in the class around each place."""
    x: FloatArray
    """Sum of their x."""
    y: FloatArray
    """Sum of their y."""


def local_correlations(
    places: FloatArray, pairs: FloatArray, bandwidth: FloatArray, shape: int, least: int
) -> LocalCorrelations:
    """Correlate pairs (2, n) around each place (n, 3), near ones weighing more.

    ``bandwidth`` has one value a place; ``shape`` is BISQUARE or GAUSSIAN.
    """
    # Sorted by the widest coordinate, the places in reach are one stretch of the list.
    axis = int(np.argmax(np.ptp(places, axis=0)))
    order = np.argsort(places[:, axis], kind="stable")
    sorted_places = np.ascontiguousarray(places[order].T)
    found = np.empty((4, len(places)))
    _around_each(
        sorted_places,
        axis,
        np.ascontiguousarray(pairs[:, order]),
        bandwidth[order],
        (shape, least),
        found,
    )
    back = np.empty_like(found)
    back[:, order] = found
    return LocalCorrelations(
        back[0], back[1].astype(np.int64), back[2], back[3].astype(np.int64)
    )


@njit()
def _weights(
    places: FloatArray,
    i: int,
    span: tuple[int, int],
    width: float,
    shape: int,
    weights: FloatArray,
) -> None:
    """Fill the weights of the places ``span`` around place i."""
    first, last = span
    x, y, z = places[0], places[1], places[2]
    for j in range(first, last):
        square = (x[j] - x[i]) ** 2 + (y[j] - y[i]) ** 2 + (z[j] - z[i]) ** 2
        share = square / (width * width)
        if shape == BISQUARE:
            weights[j - first] = (1.0 - share) ** 2 if share < 1.0 else 0.0
        else:
            weights[j - first] = np.exp(-0.5 * share) if share < REACH**2 else 0.0


@njit()
def _weighted_r(
    x: FloatArray, y: FloatArray, weights: FloatArray, least: int, answer: FloatArray
) -> None:
    """Write r, n, effective n and reason of weighted pairs, in two passes."""
    n, total, squares = 0, 0.0, 0.0
    low_x, high_x, low_y, high_y = np.inf, -np.inf, np.inf, -np.inf
    mean_x, mean_y = 0.0, 0.0
    for j in range(weights.size):
        w = weights[j]
        if w > 0:
            n, total, squares = n + 1, total + w, squares + w * w
            low_x, high_x = min(low_x, x[j]), max(high_x, x[j])
            low_y, high_y = min(low_y, y[j]), max(high_y, y[j])
            mean_x, mean_y = mean_x + w * x[j], mean_y + w * y[j]
    answer[0], answer[1], answer[2], answer[3] = np.nan, n, np.nan, FEW
    if n < least:
        return
    answer[2] = total * total / squares
    answer[3] = CONSTANT_X if low_x == high_x else OK
    answer[3] = CONSTANT_Y if answer[3] == OK and low_y == high_y else answer[3]
    if answer[3] != OK:
        return
    mean_x, mean_y = mean_x / total, mean_y / total
    xx, yy, xy = 0.0, 0.0, 0.0
    for j in range(weights.size):
        w, dx, dy = weights[j], x[j] - mean_x, y[j] - mean_y
        xx, yy, xy = xx + w * dx * dx, yy + w * dy * dy, xy + w * dx * dy
    answer[0] = min(1.0, max(-1.0, xy / (np.sqrt(xx) * np.sqrt(yy))))


@njit(parallel=True)
def _around_each(
    places: FloatArray,
    axis: int,
    pairs: FloatArray,
    bandwidth: FloatArray,
    rules: tuple[int, int],
    found: FloatArray,
) -> None:
    """Answer every place from the stretch of sorted places that its weights reach."""
    shape, least = rules
    along = places[axis]
    for i in prange(along.size):
        reach = bandwidth[i] * (1.0 if shape == BISQUARE else REACH)
        first = np.searchsorted(along, along[i] - reach)
        last = np.searchsorted(along, along[i] + reach, side="right")
        weights, answer = np.empty(last - first), np.empty(4)
        _weights(places, i, (first, last), bandwidth[i], shape, weights)
        _weighted_r(pairs[0, first:last], pairs[1, first:last], weights, least, answer)
        found[:, i] = answer


# Places are finite, so that the compiler may reorder freely.
@njit(fastmath=True)
def _squares_from(places: FloatArray, i: int, squares: FloatArray) -> float:
    """Fill the squared distances from place i to the first ones; return the largest."""
    x, y, z = places[0], places[1], places[2]
    largest = 0.0
    for j in range(squares.size):
        dx, dy, dz = x[j] - x[i], y[j] - y[i], z[j] - z[i]
        square = dx * dx + dy * dy + dz * dz
        squares[j] = square
        largest = square if square > largest else largest
    return largest


@njit(parallel=True)
def greatest_distance(places: FloatArray) -> float:
    """Return the longest straight line between two of the places (3, n)."""
    longest = np.zeros(places.shape[1])
    for i in prange(places.shape[1]):
        longest[i] = _squares_from(places, i, np.empty(i))
    return float(np.sqrt(longest.max()))


def class_sums(
    places: FloatArray, pairs: FloatArray, upper: FloatArray
) -> DistanceClasses:
    """Count and sum pairs (2, n) by class of distance around each place (3, n).

    Class k holds distances above ``upper[k - 1]`` and up to ``upper[k]``, the first
    one also 0.
    """
    sums = np.zeros((places.shape[1], 3, len(upper)))
    _sum_classes(places, pairs, upper, sums)
    return DistanceClasses(sums[:, 0], sums[:, 1], sums[:, 2])


@njit()
def _sum_around(
    places: FloatArray,
    pairs: FloatArray,
    upper: FloatArray,
    i: int,
    sums: FloatArray,
) -> None:
    """Fill the sums (3, classes) of place i; its own pair is left out."""
    last = upper.size - 1
    guess = upper.size / upper[last]
    distances = np.empty(places.shape[1])
    _squares_from(places, i, distances)
    distances[:] = np.sqrt(distances)
    x, y = pairs[0], pairs[1]
    for j in range(x.size):
        distance = distances[j]
        k = min(last, int(distance * guess))
        if k > 0 and distance <= upper[k - 1]:
            k -= 1
        elif k < last and distance > upper[k]:
            k += 1
        sums[0, k] += 1.0
        sums[1, k] += x[j]
        sums[2, k] += y[j]
    sums[0, 0] -= 1.0
    sums[1, 0] -= x[i]
    sums[2, 0] -= y[i]


@njit(parallel=True)
def _sum_classes(
    places: FloatArray, pairs: FloatArray, upper: FloatArray, sums: FloatArray
) -> None:
    """Fill the sums (n, 3, classes), one place after the other."""
    for i in prange(places.shape[1]):
        _sum_around(places, pairs, upper, i, sums[i])


@njit(parallel=True)
def permuted_extremes(
    pairs: FloatArray,
    neighbours: IntArray,
    draws: IntArray,
    local: FloatArray,
    beyond: IntArray,
) -> None:
    """Count the draws whose product of means is at least, and at most, the local one.

    ``pairs`` (2, n) are the values, ``neighbours`` (n,) how many each place has,
    ``draws`` (n_draws, most) are others' numbers among the n - 1 without the place
    itself, ``local`` (n,) the products found and ``beyond`` (2, n) the counts.
    """
    for i in prange(pairs.shape[1]):
        m = neighbours[i]
        if m == 0:
            continue
        for k in range(len(draws)):
            sum_x, sum_y = 0.0, 0.0
            for j in range(m):
                other = draws[k, j] + (1 if draws[k, j] >= i else 0)
                sum_x += pairs[0, other]
                sum_y += pairs[1, other]
            product = sum_x / m * (sum_y / m)
            slack = 1e-12 * abs(local[i])
            beyond[0, i] += 1 if product >= local[i] - slack else 0
            beyond[1, i] += 1 if product <= local[i] + slack else 0
