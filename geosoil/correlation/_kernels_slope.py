"""Theil and Sen's median slope pixel by pixel, compiled: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating]


def theil_sen(x: Cube, y: Cube) -> FloatArray:
    """Return the median of the slopes of y on x of (time, pixels); NaN where none."""
    found = np.empty(x.shape[1])
    _theil_sen_pixels(x, y, found)
    return found


@njit(parallel=True)
def _theil_sen_pixels(x: Cube, y: Cube, found: FloatArray) -> None:
    """Write the median slope of each pixel over the pairs that differ in x."""
    steps, pixels = x.shape
    for i in prange(pixels):
        a, b = np.empty(steps), np.empty(steps)
        n = 0
        for t in range(steps):
            u, v = np.float64(x[t, i]), np.float64(y[t, i])
            if (u - u == 0) & (v - v == 0):
                a[n], b[n] = u, v
                n += 1
        slopes = np.empty(n * (n - 1) // 2)
        m = 0
        for t in range(1, n):
            for k in range(t):
                run = a[t] - a[k]
                if run != 0:
                    slopes[m] = (b[t] - b[k]) / run
                    m += 1
        found[i] = np.median(slopes[:m]) if m > 0 else np.nan
