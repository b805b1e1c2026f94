"""Correlation in square windows by running sums, compiled: arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

ROWS, COLUMNS = 240, 480
"""Cells of a tile: small enough for the cache and for one local centre."""

TRUST = {np.dtype(np.float32): 1e-5, np.dtype(np.float64): 1e-4}
"""Share of the largest sum in the tile above which a running variance is trusted.

Each running sum is wrong by some hundred roundings of the largest value it ever held;
below this share a window is in doubt, to be summed again by itself in two passes.
"""

OK, FEW, ALL_MISSING = 0, 1, 4

# No "nnan" and "ninf": a missing value is a NaN, and must stay one.
_FAST = {"reassoc", "contract", "arcp", "nsz"}

Map = npt.NDArray[np.floating]
FloatArray = npt.NDArray[np.float64]
Bits = npt.NDArray[np.int64]
Counts = npt.NDArray[np.int32]
Codes = npt.NDArray[np.int8]


class Windows(NamedTuple):
    """What the kernels answer, each an array of the map's shape."""

    r: Map
    """Correlation; NaN unless the reason is OK, and where it is in doubt."""
    n: Counts
    """Pairs in the window."""
    reason: Codes
    """OK, FEW or ALL_MISSING."""


def unanswered(x: Map, y: Map) -> Windows:
    """Return arrays of the map's shape that are yet to be filled."""
    return Windows(
        np.empty(x.shape, np.result_type(x, y)),
        np.empty(x.shape, np.int32),
        np.empty(x.shape, np.int8),
    )


def tile_of(size: int, shape: tuple[int, int]) -> tuple[tuple[int, int], int]:
    """Return the shape of the tiles of a map, and their number."""
    tile = (max(ROWS, 4 * size), max(COLUMNS, 4 * size))
    return tile, -(-shape[0] // tile[0]) * -(-shape[1] // tile[1])


@njit(fastmath=_FAST)
def _slide_down(
    x: Map,
    y: Map,
    sign: float,
    centre: tuple[float, float],
    columns: tuple[FloatArray, ...],
) -> None:
    """Add or take one row to or from the six sums of each column."""
    count, sx, sy, xx, yy, xy = columns
    centre_x, centre_y = centre
    for j in range(x.size):
        u, v = np.float64(x[j]), np.float64(y[j])
        valid = (u - u == 0) & (v - v == 0)
        dx = u - centre_x if valid else 0.0
        dy = v - centre_y if valid else 0.0
        count[j] += sign if valid else 0.0
        sx[j] += sign * dx
        sy[j] += sign * dy
        xx[j] += sign * dx * dx
        yy[j] += sign * dy * dy
        xy[j] += sign * dx * dy


@njit(fastmath=_FAST)
def _slide_on(
    new: tuple[Map, Map],
    old: tuple[Map, Map],
    centre: tuple[float, float],
    columns: tuple[FloatArray, ...],
) -> None:
    """Add one row of x, y to the six sums of each column and take another away."""
    count, sx, sy, xx, yy, xy = columns
    centre_x, centre_y = centre
    new_x, new_y, old_x, old_y = new[0], new[1], old[0], old[1]
    for j in range(new_x.size):
        u, v = np.float64(new_x[j]), np.float64(new_y[j])
        a, b = np.float64(old_x[j]), np.float64(old_y[j])
        comes = (u - u == 0) & (v - v == 0)
        goes = (a - a == 0) & (b - b == 0)
        dx = u - centre_x if comes else 0.0
        dy = v - centre_y if comes else 0.0
        ex = a - centre_x if goes else 0.0
        ey = b - centre_y if goes else 0.0
        count[j] += (1.0 if comes else 0.0) - (1.0 if goes else 0.0)
        sx[j] += dx - ex
        sy[j] += dy - ey
        xx[j] += dx * dx - ex * ex
        yy[j] += dy * dy - ey * ey
        xy[j] += dx * dy - ex * ey


@njit(fastmath=_FAST)
def _slide_along(columns: FloatArray, size: int, sums: FloatArray) -> None:
    """Sum three rows of columns over each window of a row.

    ``columns`` begin one before those of the first window. What comes and what goes is
    differenced first, so that only one addition waits for the one before it. Three at
    once: of more the processor cannot hold the places.
    """
    a, b, c = columns[0], columns[1], columns[2]
    new_a, new_b, new_c = columns[0, size:], columns[1, size:], columns[2, size:]
    sum_a, sum_b, sum_c = sums[0], sums[1], sums[2]
    u, v, w = 0.0, 0.0, 0.0
    for j in range(size):
        u, v, w = u + a[j], v + b[j], w + c[j]
    for j in range(sum_a.size):
        u, v, w = u + (new_a[j] - a[j]), v + (new_b[j] - b[j]), w + (new_c[j] - c[j])
        sum_a[j], sum_b[j], sum_c[j] = u, v, w


@njit(fastmath=_FAST)
def _raise_peak(sums: Bits, peak: Bits) -> None:
    """Keep the largest of sums of squares, given as the bits of their numbers.

    Bits of positive numbers are ordered as the numbers are, and NaN lies above all.
    Integers, unlike numbers that may be NaN, are compared many at once.
    """
    top = peak[0]
    for j in range(sums.size):
        top = max(top, sums[j])
    peak[0] = top


@njit(fastmath=_FAST)
def _divide(
    sums: FloatArray,
    rules: tuple[float, float],
    floors: tuple[float, float],
    r: Map,
    n: Counts,
    reason: Codes,
) -> int:
    """Turn the sums of a row into r, n and reason; return how many are in doubt.

    Variances and covariance are n times those of the pairs, so that no division by n
    is needed. A doubtful r is NaN while its reason is OK.
    """
    pairs, sx, sy = sums[0], sums[1], sums[2]
    xx, yy, xy = sums[3], sums[4], sums[5]
    least, floor_x, floor_y = rules[1], floors[0], floors[1]
    doubtful = 0
    for j in range(r.size):
        count = pairs[j]
        vx = count * xx[j] - sx[j] * sx[j]
        vy = count * yy[j] - sy[j] * sy[j]
        spread = vx * vy
        enough = count >= least
        plain = (vx > count * floor_x) & (vy > count * floor_y) & enough
        plain &= (spread > 1e-280) & (spread < 1e280)
        value = (count * xy[j] - sx[j] * sy[j]) / np.sqrt(spread)
        value = 1.0 if value > 1.0 else value
        value = -1.0 if value < -1.0 else value
        r[j] = value if plain else np.nan
        n[j] = np.int32(count)
        code = FEW if count > 0 else ALL_MISSING
        reason[j] = OK if enough else code
        doubtful += 1 if enough & (not plain) else 0
    return doubtful


@njit()
def _centre(x: Map, y: Map, step: int) -> tuple[int, float, float]:
    """Return number and means of the valid pairs of every ``step``-th cell."""
    n, sum_x, sum_y = 0, 0.0, 0.0
    for i in range(0, x.shape[0], step):
        for j in range(0, x.shape[1], step):
            u, v = np.float64(x[i, j]), np.float64(y[i, j])
            if (u - u == 0) & (v - v == 0):
                n, sum_x, sum_y = n + 1, sum_x + u, sum_y + v
    return n, sum_x / max(n, 1), sum_y / max(n, 1)


@njit()
def _tile_centre(x: Map, y: Map) -> tuple[float, float]:
    """Return the means of a tile, from one in 64 of its cells if those have pairs."""
    n, centre_x, centre_y = _centre(x, y, 8)
    if n == 0:
        n, centre_x, centre_y = _centre(x, y, 1)
    return centre_x, centre_y


@njit()
def _row_slices(
    rows: FloatArray, first: int, width: int
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the same stretch of each of six rows."""
    last = first + width
    return (
        rows[0, first:last],
        rows[1, first:last],
        rows[2, first:last],
        rows[3, first:last],
        rows[4, first:last],
        rows[5, first:last],
    )


@njit()
def _answer_row(
    columns: FloatArray,
    size: int,
    sums: FloatArray,
    peaks: FloatArray,
    rules: tuple[float, float],
    found: tuple[Map, Counts, Codes],
) -> int:
    """Answer the windows of one row from sums of columns; return how many in doubt."""
    _slide_along(columns[:3], size, sums[:3])
    _slide_along(columns[3:], size, sums[3:])
    bits = peaks.view(np.int64)
    _raise_peak(sums[3].view(np.int64), bits[:1])
    _raise_peak(sums[4].view(np.int64), bits[1:])
    floors = rules[0] * peaks[0], rules[0] * peaks[1]
    return _divide(sums, rules, floors, found[0], found[1], found[2])


@njit()
def _square_tile(
    x: Map,
    y: Map,
    edges: tuple[int, int, int, int],
    size: int,
    rules: tuple[float, float],
    found: Windows,
) -> int:
    """Run sums down and along one tile; return how many windows are in doubt."""
    top, left, bottom, right = edges
    half, doubtful = size // 2, 0
    start, stop = max(0, left - half), min(x.shape[1], right + half)
    centre = _tile_centre(x[top:bottom, start:stop], y[top:bottom, start:stop])
    # Columns beyond the map stay 0.
    padded = np.zeros((6, right - left + size))
    columns = _row_slices(padded, start - left + half + 1, stop - start)
    for i in range(max(0, top - half), min(x.shape[0], top + half)):
        _slide_down(x[i, start:stop], y[i, start:stop], 1.0, centre, columns)
    sums, peaks = np.empty((6, right - left)), np.zeros(2)
    for i in range(top, bottom):
        new, old = i + half, i - half - 1 if i > top else -1
        # Rows are cut here, so that the loops know their values to lie side by side.
        if new < x.shape[0]:
            come = (x[new, start:stop], y[new, start:stop])
        if old >= 0:
            go = (x[old, start:stop], y[old, start:stop])
        if new < x.shape[0] and old >= 0:
            _slide_on(come, go, centre, columns)
        elif new < x.shape[0]:
            _slide_down(come[0], come[1], 1.0, centre, columns)
        elif old >= 0:
            _slide_down(go[0], go[1], -1.0, centre, columns)
        row = (
            found.r[i, left:right],
            found.n[i, left:right],
            found.reason[i, left:right],
        )
        doubtful += _answer_row(padded, size, sums, peaks, rules, row)
    return doubtful


@njit(nogil=True)
def square_windows(
    maps: tuple[Map, Map],
    tile: tuple[int, int],
    part: tuple[int, int],
    size: int,
    rules: tuple[float, float],
    found: Windows,
) -> int:
    """Correlate two maps in squares of ``size`` cells around each of some tiles' cells.

    The maps are (rows, columns), contiguous. Each tile has its own centre and fresh
    sums; a cell costs the same whatever the size of its window. ``rules`` are the
    share of :data:`TRUST` and the fewest pairs. Return how many windows are in doubt:
    their r is NaN and their reason OK.
    """
    x, y = maps
    doubtful = 0
    height, width = x.shape
    across = (width + tile[1] - 1) // tile[1]
    for k in range(part[0], part[1]):
        top, left = k // across * tile[0], k % across * tile[1]
        edges = (top, left, min(height, top + tile[0]), min(width, left + tile[1]))
        doubtful += _square_tile(x, y, edges, size, rules, found)
    return doubtful
