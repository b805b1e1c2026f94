"""Spearman's rho and Kendall's tau-b for strips of pixels, compiled: arrays only."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(5)

LONG = 256
"""Steps from which a series is sorted: counting costs their square."""

STRIP_VALUES = 2**14
"""Values of one variable in a strip, so that both lie in the second cache."""

EXACT_PAIRS = 33
"""Most untied pairs whose tau has an exact p value, as in scipy."""

# No "nnan" and "ninf": a missing value is a NaN, and compares false.
_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]
Cube = npt.NDArray[np.floating]
Value = np.floating


class Ranked(NamedTuple):
    """What a rank correlation answers, each an array of one value a pixel."""

    r: FloatArray
    """rho or tau-b; NaN unless the reason is OK."""
    p_value: FloatArray
    """Two-sided p value of tau; rho's is left empty."""
    n: Counts
    """Pairs used."""
    reason: Codes
    """OK, FEW, CONSTANT_X, CONSTANT_Y or ALL_MISSING."""


def spearman(x: Cube, y: Cube, min_pairs: int) -> Ranked:
    """Correlate the mid-ranks of two arrays (time, pixels) of one dtype."""
    found = _empty(x.shape[1])
    if len(x) < LONG:
        one = x.dtype.type(1)
        _spearman_strips(x, y, one, min_pairs, found)
    else:
        _spearman_sorted(x, y, min_pairs, found)
    return found


def kendall(x: Cube, y: Cube, min_pairs: int, exact: FloatArray) -> Ranked:
    """Compute tau-b of two arrays (time, pixels) of one dtype.

    ``exact[n, c]`` is the two-sided p of n untied pairs with c discordant, c the
    smaller of both counts.
    """
    found = _empty(x.shape[1])
    one = x.dtype.type(1)
    _kendall_strips(x, y, one, min_pairs, exact, found)
    return found


def ranks(x: Cube, valid: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the mid-ranks over time of (time, pixels), NaN where not valid."""
    answer = np.empty(x.shape)
    _rank_pixels(x, valid, answer)
    return answer


def _empty(pixels: int) -> Ranked:
    """Make room for the answers."""
    return Ranked(
        np.empty(pixels),
        np.empty(pixels),
        np.empty(pixels, np.int32),
        np.empty(pixels, np.int8),
    )


@njit(fastmath=_FAST)
def _mask(x: Cube, y: Cube, one: Value, a: Cube, b: Cube, count: Cube) -> None:
    """Copy one step of time with NaN wherever either value is missing."""
    zero = one - one
    for j in range(x.size):
        u = x[j]
        v = y[j]
        valid = (u - u == 0) & (v - v == 0)
        a[j] = u if valid else np.nan
        b[j] = v if valid else np.nan
        count[j] += one if valid else zero


@njit(fastmath=_FAST)
def _count_below(four: Cube, own: Cube, one: Value, rank: Cube) -> None:
    """Add what four other steps give to twice the rank of this step, less one."""
    zero = one - one
    first, second, third, fourth = four[0], four[1], four[2], four[3]
    for j in range(rank.size):
        own_value = own[j]
        a, b, c, d = first[j], second[j], third[j], fourth[j]
        rank[j] += (
            ((one if a < own_value else zero) + (one if a <= own_value else zero))
            + ((one if b < own_value else zero) + (one if b <= own_value else zero))
            + ((one if c < own_value else zero) + (one if c <= own_value else zero))
            + ((one if d < own_value else zero) + (one if d <= own_value else zero))
        )


@njit(fastmath=_FAST)
def _sum_ranks(
    a: Cube, rank_x: Cube, rank_y: Cube, count: Cube, squares: FloatArray
) -> None:
    """Add squares and products of doubled ranks about their mean: whole numbers."""
    xx, yy, xy = squares[0], squares[1], squares[2]
    for j in range(a.size):
        valid = a[j] == a[j]
        dx = np.float64(rank_x[j] - count[j]) if valid else 0.0
        dy = np.float64(rank_y[j] - count[j]) if valid else 0.0
        xx[j] += dx * dx
        yy[j] += dy * dy
        xy[j] += dx * dy


@njit()
def _reason_of(n: int, min_pairs: int, spread_x: float, spread_y: float) -> int:
    """Return the code of a pixel from its pairs and spreads."""
    if n < min_pairs:
        return FEW if n > 0 else ALL_MISSING
    if spread_x == 0:
        return CONSTANT_X
    return CONSTANT_Y if spread_y == 0 else OK


@njit(parallel=True)
def _spearman_strips(
    x: Cube,
    y: Cube,
    one: Value,
    min_pairs: int,
    found: Ranked,
) -> None:
    """Rank by counting, every inner loop over the pixels of a strip."""
    r, n, reason = found.r, found.n, found.reason
    steps, pixels = x.shape
    strip = max(32, min(512, STRIP_VALUES // steps))
    for k in prange((pixels + strip - 1) // strip):
        start = k * strip
        stop = min(start + strip, pixels)
        width = stop - start
        kind = np.full(1, one).dtype
        # Rows of NaN fill up the last four: they compare false with everything.
        rows = (steps + 3) // 4 * 4
        a, b = (
            np.full((rows, width), np.nan, kind),
            np.full((rows, width), np.nan, kind),
        )
        count = np.zeros(width, kind)
        for t in range(steps):
            _mask(x[t, start:stop], y[t, start:stop], one, a[t], b[t], count)
        squares = np.zeros((3, width))
        rank_x, rank_y = np.empty(width, kind), np.empty(width, kind)
        for t in range(steps):
            rank_x[:] = 0
            rank_y[:] = 0
            for u in range(0, steps, 4):
                _count_below(a[u : u + 4], a[t], one, rank_x)
                _count_below(b[u : u + 4], b[t], one, rank_y)
            _sum_ranks(a[t], rank_x, rank_y, count, squares)
        for j in range(width):
            i = start + j
            n[i] = count[j]
            xx, yy = squares[0, j], squares[1, j]
            reason[i] = _reason_of(n[i], min_pairs, xx, yy)
            # One root of the product: where all ranks agree, r is 1 to the digit.
            value = squares[2, j] / np.sqrt(xx * yy)
            r[i] = min(1.0, max(-1.0, value)) if reason[i] == OK else np.nan


@njit()
def _mid_ranks(values: Cube, answer: FloatArray) -> None:
    """Write the mid-ranks of finite values."""
    order = np.argsort(values)
    n = values.size
    first = 0
    while first < n:
        last = first
        while last + 1 < n and values[order[last + 1]] == values[order[first]]:
            last += 1
        for k in range(first, last + 1):
            answer[order[k]] = 0.5 * (first + last) + 1.0
        first = last + 1


@njit(parallel=True)
def _spearman_sorted(
    x: Cube,
    y: Cube,
    min_pairs: int,
    found: Ranked,
) -> None:
    """Rank by sorting, pixel by pixel, for long series."""
    r, n, reason = found.r, found.n, found.reason
    steps, pixels = x.shape
    for i in prange(pixels):
        a, b = np.empty(steps), np.empty(steps)
        m = 0
        for t in range(steps):
            u, v = np.float64(x[t, i]), np.float64(y[t, i])
            if (u - u == 0) & (v - v == 0):
                a[m], b[m] = u, v
                m += 1
        rank_x, rank_y = np.empty(m), np.empty(m)
        _mid_ranks(a[:m], rank_x)
        _mid_ranks(b[:m], rank_y)
        xx, yy, xy = 0.0, 0.0, 0.0
        for t in range(m):
            dx, dy = 2.0 * rank_x[t] - 1.0 - m, 2.0 * rank_y[t] - 1.0 - m
            xx += dx * dx
            yy += dy * dy
            xy += dx * dy
        n[i] = m
        reason[i] = _reason_of(m, min_pairs, xx, yy)
        value = xy / np.sqrt(xx * yy)
        r[i] = min(1.0, max(-1.0, value)) if reason[i] == OK else np.nan


@njit(parallel=True)
def _rank_pixels(x: Cube, valid: npt.NDArray[np.bool_], answer: FloatArray) -> None:
    """Write the mid-ranks of each pixel's valid values."""
    steps, pixels = x.shape
    for i in prange(pixels):
        values, rank = np.empty(steps), np.empty(steps)
        m = 0
        for t in range(steps):
            answer[t, i] = np.nan
            if valid[t, i]:
                values[m] = x[t, i]
                m += 1
        _mid_ranks(values[:m], rank[:m])
        m = 0
        for t in range(steps):
            if valid[t, i]:
                answer[t, i] = rank[m]
                m += 1


@njit(fastmath=_FAST)
def _compare(
    x: Cube, other_x: Cube, y: Cube, other_y: Cube, one: Value, score: Cube
) -> None:
    """Add the sign of a pair of steps: concordant, discordant, or 0 where tied."""
    zero = one - one
    for j in range(score.size):
        a, b, c, d = x[j], other_x[j], y[j], other_y[j]
        sign_x = (one if b < a else zero) - (one if b > a else zero)
        sign_y = (one if d < c else zero) - (one if d > c else zero)
        score[j] += sign_x * sign_y


@njit(fastmath=_FAST)
def _compare_four(
    x: Cube, four_x: Cube, y: Cube, four_y: Cube, one: Value, score: Cube
) -> None:
    """Add the signs of the pairs of a step with four others."""
    zero = one - one
    x1, x2, x3, x4 = four_x[0], four_x[1], four_x[2], four_x[3]
    y1, y2, y3, y4 = four_y[0], four_y[1], four_y[2], four_y[3]
    for j in range(score.size):
        a, c = x[j], y[j]
        p1 = (one if x1[j] < a else zero) - (one if x1[j] > a else zero)
        p2 = (one if x2[j] < a else zero) - (one if x2[j] > a else zero)
        p3 = (one if x3[j] < a else zero) - (one if x3[j] > a else zero)
        p4 = (one if x4[j] < a else zero) - (one if x4[j] > a else zero)
        q1 = (one if y1[j] < c else zero) - (one if y1[j] > c else zero)
        q2 = (one if y2[j] < c else zero) - (one if y2[j] > c else zero)
        q3 = (one if y3[j] < c else zero) - (one if y3[j] > c else zero)
        q4 = (one if y4[j] < c else zero) - (one if y4[j] > c else zero)
        score[j] += p1 * q1 + p2 * q2 + p3 * q3 + p4 * q4


@njit(fastmath=_FAST)
def _count_equal(four: Cube, own: Cube, one: Value, equal: Cube) -> None:
    """Add how many of four other steps have the same value as this one."""
    zero = one - one
    first, second, third, fourth = four[0], four[1], four[2], four[3]
    for j in range(equal.size):
        value = own[j]
        equal[j] += (
            (one if first[j] == value else zero)
            + (one if second[j] == value else zero)
            + (one if third[j] == value else zero)
            + (one if fourth[j] == value else zero)
        )


@njit(fastmath=_FAST)
def _count_one_equal(other: Cube, own: Cube, one: Value, equal: Cube) -> None:
    """Add whether another step has the same value as this one."""
    zero = one - one
    for j in range(equal.size):
        equal[j] += one if other[j] == own[j] else zero


@njit(fastmath=_FAST)
def _sum_ties(equal: Cube, sums: FloatArray) -> None:
    """Add to the sums over ties of t(t-1) and t(t-1)(t-2).

    The k-th of t equal values meets k - 1 earlier ones, and the sum of k - 1 is
    t(t-1)/2, that of (k-1)(k-2) is t(t-1)(t-2)/3.
    """
    pairs, triples = sums[0], sums[1]
    for j in range(equal.size):
        earlier = np.float64(equal[j])
        pairs[j] += 2.0 * earlier
        triples[j] += 3.0 * earlier * (earlier - 1.0)


@njit()
def _ties_of(a: Cube, one: Value) -> FloatArray:
    """Return the two sums over ties of each pixel of a strip (time, pixels)."""
    steps, width = a.shape
    sums = np.zeros((2, width))
    equal = np.empty(width, a.dtype)
    for t in range(1, steps):
        equal[:] = 0
        whole = t // 4 * 4
        for u in range(0, whole, 4):
            _count_equal(a[u : u + 4], a[t], one, equal)
        for u in range(whole, t):
            _count_one_equal(a[u], a[t], one, equal)
        _sum_ties(equal, sums)
    return sums


@njit()
def _tau_p(
    score: float, n: int, ties_x: FloatArray, ties_y: FloatArray, exact: FloatArray
) -> float:
    """Return the p of one pixel's tau: exact without ties, else by the normal."""
    pairs = 0.5 * n * (n - 1.0)
    fewer = int(0.5 * (pairs - abs(score)))
    if ties_x[0] == 0 and ties_y[0] == 0 and (n < exact.shape[0] or fewer <= 1):
        if n < exact.shape[0]:
            return float(exact[n, fewer])
        return 2.0 * (1.0 if fewer == 0 else n) / math.gamma(n + 1.0)
    m = n * (n - 1.0)
    # t(t-1)(2t+5) = 2 t(t-1)(t-2) + 9 t(t-1)
    spread = 2.0 * (ties_x[1] + ties_y[1]) + 9.0 * (ties_x[0] + ties_y[0])
    variance = (m * (2.0 * n + 5.0) - spread) / 18.0
    variance += ties_x[0] * ties_y[0] / (2.0 * m)
    if n > 2:
        variance += ties_x[1] * ties_y[1] / (9.0 * m * (n - 2.0))
    return math.erfc(abs(score) / np.sqrt(2.0 * variance))


@njit(parallel=True)
def _kendall_strips(
    x: Cube,
    y: Cube,
    one: Value,
    min_pairs: int,
    exact: FloatArray,
    found: Ranked,
) -> None:
    """Compare all pairs of steps, every inner loop over the pixels of a strip."""
    r, p, n, reason = found.r, found.p_value, found.n, found.reason
    steps, pixels = x.shape
    strip = max(32, min(512, STRIP_VALUES // steps))
    for k in prange((pixels + strip - 1) // strip):
        start = k * strip
        stop = min(start + strip, pixels)
        width, kind = stop - start, np.full(1, one).dtype
        a, b = np.empty((steps, width), kind), np.empty((steps, width), kind)
        count, score = np.zeros(width, kind), np.zeros(width, kind)
        for t in range(steps):
            _mask(x[t, start:stop], y[t, start:stop], one, a[t], b[t], count)
        for t in range(1, steps):
            whole = t // 4 * 4
            for u in range(0, whole, 4):
                _compare_four(a[t], a[u : u + 4], b[t], b[u : u + 4], one, score)
            for u in range(whole, t):
                _compare(a[t], a[u], b[t], b[u], one, score)
        ties_x, ties_y = _ties_of(a, one), _ties_of(b, one)
        for j in range(width):
            i = start + j
            n[i] = count[j]
            r[i], p[i] = np.nan, np.nan
            pairs = 0.5 * count[j] * (count[j] - 1.0)
            in_x, in_y = pairs - 0.5 * ties_x[0, j], pairs - 0.5 * ties_y[0, j]
            reason[i] = _reason_of(n[i], min_pairs, in_x, in_y)
            if reason[i] == OK:
                r[i] = min(1.0, max(-1.0, score[j] / np.sqrt(in_x * in_y)))
                p[i] = _tau_p(score[j], n[i], ties_x[:, j], ties_y[:, j], exact)
