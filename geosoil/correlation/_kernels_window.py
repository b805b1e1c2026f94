"""Correlation in square windows by running sums, compiled: arrays only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

ROWS, COLUMNS = 120, 960
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


def square_windows(x: Map, y: Map, size: int, min_pairs: int) -> tuple[Windows, int]:
    """Correlate two maps (rows, columns) in squares of ``size`` cells around each.

    Also return how many windows are in doubt: their r is NaN and their reason OK.
    """
    first, second = np.ascontiguousarray(x), np.ascontiguousarray(y)
    dtype = np.result_type(first, second)
    found = Windows(
        np.empty(first.shape, dtype),
        np.empty(first.shape, np.int32),
        np.empty(first.shape, np.int8),
    )
    tile = (max(ROWS, 4 * size), max(COLUMNS, 4 * size))
    rules = np.array([TRUST[dtype], min_pairs])
    doubtful = _square_tiles(first, second, tile, size, rules, found)
    return found, doubtful


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
def _slide_along(
    columns: FloatArray, size: int, moments: FloatArray, peaks: FloatArray
) -> None:
    """Write pairs, variances and covariance of each window of a row.

    Variances and covariance are n times those of the pairs, so that no division by n
    is needed. ``columns`` begin one before those of the first window. What comes and
    what goes is differenced first, so that only one addition waits for the one before
    it. ``peaks`` keeps the largest sums of squares.
    """
    c, a, b = columns[0], columns[1], columns[2]
    d, e, f = columns[3], columns[4], columns[5]
    pairs, vx, vy, vxy = moments[0], moments[1], moments[2], moments[3]
    wc, wx, wy, wxx, wyy, wxy = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for j in range(size):
        wc, wx, wy = wc + c[j], wx + a[j], wy + b[j]
        wxx, wyy, wxy = wxx + d[j], wyy + e[j], wxy + f[j]
    peak_x, peak_y = peaks[0], peaks[1]
    for j in range(pairs.size):
        wc, wx, wy = (
            wc + (c[j + size] - c[j]),
            wx + (a[j + size] - a[j]),
            wy + (b[j + size] - b[j]),
        )
        wxx, wyy, wxy = (
            wxx + (d[j + size] - d[j]),
            wyy + (e[j + size] - e[j]),
            wxy + (f[j + size] - f[j]),
        )
        peak_x = wxx if wxx > peak_x else peak_x
        peak_y = wyy if wyy > peak_y else peak_y
        pairs[j], vxy[j] = wc, wc * wxy - wx * wy
        vx[j], vy[j] = wc * wxx - wx * wx, wc * wyy - wy * wy
    peaks[0], peaks[1] = peak_x, peak_y


@njit(fastmath=_FAST)
def _divide(
    moments: FloatArray,
    rules: FloatArray,
    peaks: FloatArray,
    r: Map,
    n: Counts,
    reason: Codes,
) -> int:
    """Turn the moments of a row into r, n and reason; return how many are in doubt.

    A doubtful r is NaN while its reason is OK.
    """
    pairs, vx, vy, vxy = moments[0], moments[1], moments[2], moments[3]
    least = rules[1]
    floor_x, floor_y = rules[0] * peaks[0], rules[0] * peaks[1]
    doubtful = 0
    for j in range(r.size):
        count = pairs[j]
        spread = vx[j] * vy[j]
        enough = count >= least
        plain = (vx[j] > count * floor_x) & (vy[j] > count * floor_y) & enough
        plain &= (spread > 1e-280) & (spread < 1e280)
        value = vxy[j] / np.sqrt(spread)
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
def _square_tile(
    x: Map,
    y: Map,
    edges: tuple[int, int, int, int],
    size: int,
    rules: FloatArray,
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
    moments, peaks = np.empty((4, right - left)), np.zeros(2)
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
        _slide_along(padded, size, moments, peaks)
        doubtful += _divide(
            moments,
            rules,
            peaks,
            found.r[i, left:right],
            found.n[i, left:right],
            found.reason[i, left:right],
        )
    return doubtful


# The loops of parallel functions call others to write into a named tuple: written
# there directly, the writes are lost.
@njit(parallel=True)
def _square_tiles(
    x: Map,
    y: Map,
    tile: tuple[int, int],
    size: int,
    rules: FloatArray,
    found: Windows,
) -> int:
    """Answer tiles of cells, each with its own centre and fresh sums.

    A cell costs the same whatever the size of its window. Return how many windows are
    in doubt.
    """
    doubtful = 0
    height, width = x.shape
    across = (width + tile[1] - 1) // tile[1]
    for k in prange(across * ((height + tile[0] - 1) // tile[0])):
        top, left = k // across * tile[0], k % across * tile[1]
        edges = (top, left, min(height, top + tile[0]), min(width, left + tile[1]))
        doubtful += _square_tile(x, y, edges, size, rules, found)
    return doubtful
