"""Two-sided p of r for whole degrees of freedom, many at a time: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit, prange

STRIP = 2048
"""Values a strip: many of the same degrees of freedom, all still in the cache."""

_FAST = {"reassoc", "contract", "arcp", "nsz"}

FloatArray = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int32]


def _arcsine_series() -> FloatArray:
    """Return the polynomial in u = x**2 of asin(x) / x for x up to 1/2, from u**0 on.

    The Chebyshev interpolant of degree 14 is within a rounding of the function.
    """
    interpolant = np.polynomial.Chebyshev.interpolate(
        lambda u: np.arcsin(np.sqrt(u)) / np.sqrt(u), 14, domain=[0.0, 0.25]
    )
    return np.asarray(interpolant.convert(kind=np.polynomial.Polynomial).coef)


ARCSINE = tuple(float(c) for c in _arcsine_series())
"""Coefficients of the polynomial."""


def student_p(r: FloatArray, counts: Counts, held: int) -> FloatArray:
    """Return the two-sided p of r to an absolute 1e-14, 1-D arrays.

    The degrees of freedom are the counts of pairs less what is held; NaN where there
    is no r or none is left.
    """
    p = np.empty(r.size)
    _student_strips(r, counts, held, p)
    return p


@njit(fastmath=_FAST)
def _sines(r: FloatArray, order: Counts, sine: FloatArray, square: FloatArray) -> None:
    """Gather |r| = sin(theta) and cos(theta)**2 in order of the degrees of freedom."""
    for k in range(order.size):
        sine[k] = abs(r[order[k]])
    for k in range(order.size):
        square[k] = (1.0 - sine[k]) * (1.0 + sine[k])


@njit(fastmath=_FAST)
def _nest(square: FloatArray, ratio: float, total: FloatArray) -> None:
    """Put one more term around the nested sum."""
    for k in range(total.size):
        total[k] = 1.0 + ratio * square[k] * total[k]


@njit(fastmath=_FAST)
def _even_p(sine: FloatArray, total: FloatArray) -> None:
    """Turn the nested sums of even degrees of freedom into p."""
    for k in range(total.size):
        total[k] = 1.0 - sine[k] * total[k]


@njit(fastmath=_FAST)
def _odd_p(sine: FloatArray, square: FloatArray, total: FloatArray) -> None:
    """Turn the nested sums of odd degrees of freedom into p.

    theta is taken from the half angle where |r| > 1/2, so that the polynomial of the
    arcsine is asked for small arguments alone.
    """
    for k in range(total.size):
        s = sine[k]
        large = s > 0.5
        u = 0.5 * (1.0 - s) if large else s * s
        x = np.sqrt(u)
        value = ARCSINE[13] + u * ARCSINE[14]
        value = ARCSINE[12] + u * value
        value = ARCSINE[11] + u * value
        value = ARCSINE[10] + u * value
        value = ARCSINE[9] + u * value
        value = ARCSINE[8] + u * value
        value = ARCSINE[7] + u * value
        value = ARCSINE[6] + u * value
        value = ARCSINE[5] + u * value
        value = ARCSINE[4] + u * value
        value = ARCSINE[3] + u * value
        value = ARCSINE[2] + u * value
        value = ARCSINE[1] + u * value
        value = ARCSINE[0] + u * value
        angle = x * value
        angle = 2.0 * angle if large else 0.5 * np.pi - angle
        total[k] = 2.0 / np.pi * (angle - s * np.sqrt(square[k]) * total[k])


@njit()
def _ordered(counts: Counts, order: Counts) -> Counts:
    """Write the order of rising counts; return where each begins, from the lowest.

    The first element is the lowest count itself.
    """
    low, high = counts.min(), counts.max()
    starts = np.zeros(high - low + 3, np.int32)
    for value in counts:
        starts[value - low + 2] += 1
    for k in range(2, starts.size):
        starts[k] += starts[k - 1]
    place = starts[1:].copy()
    for i in range(counts.size):
        order[place[counts[i] - low]] = i
        place[counts[i] - low] += 1
    starts[0] = low
    return starts


@njit()
def _strip_p(r: FloatArray, counts: Counts, held: int, p: FloatArray) -> None:
    """Write the p of a strip of r, NaN where there is no r or no degree of freedom.

    The finite series of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, with
    sin(theta) = |r|, nested from its last term. Values of the same degrees of freedom
    lie side by side, so that every term is one operation on many of them.
    """
    order = np.empty(r.size, np.int32)
    starts = _ordered(counts, order)
    work = np.empty((3, r.size))
    _sines(r, order, work[0], work[1])
    for k in range(1, starts.size - 1):
        degrees = starts[0] + k - 1 - held
        low, high = starts[k], starts[k + 1]
        if low == high:
            continue
        sine, square, total = work[0, low:high], work[1, low:high], work[2, low:high]
        total[:] = np.nan if degrees < 1 else (0.0 if degrees == 1 else 1.0)
        for j in range(degrees - 2, 1, -2):
            _nest(square, (j - 1) / j, total)
        if degrees % 2 == 1:
            _odd_p(sine, square, total)
        else:
            _even_p(sine, total)
    for k in range(r.size):
        p[order[k]] = work[2, k]


@njit(parallel=True)
def _student_strips(r: FloatArray, counts: Counts, held: int, p: FloatArray) -> None:
    """Write p strip by strip."""
    for k in prange((r.size + STRIP - 1) // STRIP):
        start, stop = k * STRIP, min((k + 1) * STRIP, r.size)
        _strip_p(r[start:stop], counts[start:stop], held, p[start:stop])
