"""Pearson's r over time in numpy, for maps too small to wait for a compiler."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil.correlation.significance import p_value

OK, FEW, CONSTANT_X, CONSTANT_Y, ALL_MISSING = range(5)

FloatArray = npt.NDArray[np.float64]
Answer = tuple[
    FloatArray,
    FloatArray,
    npt.NDArray[np.int32],
    npt.NDArray[np.int8],
    FloatArray,
]


def pearson(
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
    min_pairs: int,
    widths: FloatArray | None = None,
) -> Answer:
    """Correlate two arrays (time, pixels): r, p, n, reason and the line.

    Parameters
    ----------
    x, y : array, shape (time, pixels)
        The series; what is not finite is missing.
    min_pairs : int
        Fewest pairs that give an answer.
    widths : array, shape (time + 1,), optional
        Half widths of the interval by pairs, as from
        :func:`~geosoil.correlation.intervals.fisher_widths`.

    Returns
    -------
    r, p, n, reason : array, shape (pixels,)
        As the compiled kernel gives them, r within 1e-14.
    line : array, shape (4, pixels), or (0, pixels) without widths
        Slope, intercept, lower and upper end of r.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> r, p, n, reason, line = pearson(x, x**2, 4)
    >>> r.round(4), n, reason
    (array([0.9844]), array([4], dtype=int32), array([0], dtype=int8))
    """
    valid = np.isfinite(x) & np.isfinite(y)
    n = valid.sum(axis=0, dtype=np.int32)
    with np.errstate(all="ignore"):
        dx, mean_x, span_x = _standardised(x, valid, n)
        dy, mean_y, span_y = _standardised(y, valid, n)
        xx, yy, xy = (_sum_rows(a, b) for a, b in ((dx, dx), (dy, dy), (dx, dy)))
        r = np.clip(xy / (np.sqrt(xx) * np.sqrt(yy)), -1.0, 1.0)
        conditions = [n == 0, n < min_pairs, span_x == 0, span_y == 0]
        codes = [ALL_MISSING, FEW, CONSTANT_X, CONSTANT_Y]
        reason = np.select(conditions, codes, OK).astype(np.int8)
        r = np.where(reason == OK, r, np.nan)
        line = np.empty((0 if widths is None else 4, r.size))
        if widths is not None:
            width = widths[n]
            slope = np.where(reason == OK, xy / xx * (span_y / span_x), np.nan)
            line[0], line[1] = slope, mean_y - slope * mean_x
            line[2] = np.where(np.abs(r) == 1, r, (r - width) / (1 - r * width))
            line[3] = np.where(np.abs(r) == 1, r, (r + width) / (1 + r * width))
    return r, p_value(r, n), n, reason, line


def _standardised(
    values: npt.NDArray[np.floating],
    valid: npt.NDArray[np.bool_],
    n: npt.NDArray[np.int32],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return departures from the mean by the span, the mean, and the span.

    Values are scaled to 1 first, so that no square leaves the range of float64.
    """
    low = np.min(values, axis=0, where=valid, initial=np.inf).astype(np.float64)
    high = np.max(values, axis=0, where=valid, initial=-np.inf).astype(np.float64)
    # A power of two: scaling by it rounds nothing.
    scale = np.exp2(
        np.frexp(np.maximum(np.abs(low), np.abs(high)))[1].clip(-1021, 1022)
    )
    scaled = np.where(valid, values / scale, 0.0)
    mean = _sum_rows(scaled, np.ones((len(scaled), 1))) / n
    span = high / scale - low / scale
    departures = np.where(valid, (scaled - mean) / span, 0.0)
    return departures, mean * scale, np.where(low == high, 0.0, span * scale)


def _sum_rows(a: FloatArray, b: FloatArray) -> FloatArray:
    """Sum products over time one step after the other.

    numpy's own sums add in an order that depends on the number of pixels, and so the
    last digit of r would depend on the chunks.
    """
    total = np.zeros(a.shape[1])
    for row, other in zip(a, b, strict=True):
        total += row * other
    return total
