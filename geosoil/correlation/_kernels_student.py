"""Two-sided p of r for whole degrees of freedom, many at a time: arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geosoil._compiled import njit

STRIP = 1024
"""Values a strip, so that all that is made of them stays in the cache."""

TURN = 4
"""Terms of the series that are added each time a value is at hand."""

TAIL = 1e-8
"""Below this p, a difference from 1, has lost relative digits: it is made anew."""

DIGITS = 39.0
"""Natural logarithm of the part that may be left of a continued fraction, less one."""

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


def series(most: int) -> FloatArray:
    """Return the terms of the finite series for up to ``most`` pairs, (2, terms).

    The first row is for even degrees of freedom, the second for odd ones. The terms
    are the same for all of them: the degrees only say after which one a sum ends.
    """
    k = np.arange(1.0, (most // 2 // TURN + 1) * TURN)
    ratios = np.stack([(2 * k - 1) / (2 * k), 2 * k / (2 * k + 1)])
    return np.concatenate([np.ones((2, 1)), np.cumprod(ratios, axis=1)], axis=1)


@njit(fastmath=_FAST)
def _prepare(
    r: FloatArray, counts: Counts, held: int, sine: FloatArray, square: FloatArray
) -> None:
    """Write |r| = sin(theta) and cos(theta)**2; NaN without a degree of freedom."""
    for k in range(r.size):
        sine[k] = abs(r[k]) if counts[k] > held else np.nan
    for k in range(r.size):
        square[k] = (1.0 - sine[k]) * (1.0 + sine[k])


@njit(fastmath=_FAST)
def _lengths(counts: Counts, held: float, length: FloatArray, odd: FloatArray) -> int:
    """Write lengths of the sums, 1 for odd degrees; return the largest count."""
    most = np.int32(0)
    for k in range(counts.size):
        most = max(most, counts[k])
    for k in range(counts.size):
        degrees = np.float64(counts[k]) - held
        half = np.floor(0.5 * degrees)
        length[k] = half
        odd[k] = degrees - 2.0 * half
    return int(most)


@njit(fastmath=_FAST)
def _nest(
    terms: FloatArray, place: int, sums: tuple[FloatArray, FloatArray, FloatArray],
    total: FloatArray,
) -> None:  # fmt: skip
    """Put four more terms around the nested sums that reach so far."""
    length, odd, square = sums
    a0, a1, a2, a3 = (
        terms[0, place], terms[0, place + 1], terms[0, place + 2], terms[0, place + 3],
    )  # fmt: skip
    b0, b1, b2, b3 = (
        terms[1, place], terms[1, place + 1], terms[1, place + 2], terms[1, place + 3],
    )  # fmt: skip
    for k in range(total.size):
        left, other, q = length[k] - place, odd[k] > 0.0, square[k]
        value = (b3 if other else a3) + q * total[k] if left > 3.0 else 0.0
        value = (b2 if other else a2) + q * value if left > 2.0 else 0.0
        value = (b1 if other else a1) + q * value if left > 1.0 else 0.0
        total[k] = (b0 if other else a0) + q * value if left > 0.0 else 0.0


@njit(fastmath=_FAST)
def _even_p(sine: FloatArray, total: FloatArray, p: FloatArray) -> None:
    """Turn the sums of even degrees of freedom into p."""
    for k in range(total.size):
        p[k] = 1.0 - sine[k] * total[k]


@njit(fastmath=_FAST)
def _odd_p(
    sums: tuple[FloatArray, FloatArray, FloatArray],
    sine: FloatArray,
    total: FloatArray,
    p: FloatArray,
) -> None:
    """Turn the sums of odd degrees of freedom into p.

    theta is taken from the half angle where |r| > 1/2, so that the polynomial of the
    arcsine is asked for small arguments alone.
    """
    odd, square = sums[1], sums[2]
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
        value = 2.0 / np.pi * (angle - s * np.sqrt(square[k]) * total[k])
        p[k] = value if odd[k] > 0.0 else p[k]


@njit(fastmath=_FAST)
def _fractions(
    half: FloatArray, square: FloatArray, depth: int, value: FloatArray
) -> None:
    """Evaluate the continued fraction of the incomplete beta function, from its end."""
    for k in range(depth, -1, -1):
        even, odd = (k + 1.0) * (k + 0.5), 2.0 * k
        for j in range(value.size):
            a, q = half[j] + k, square[j]
            low = half[j] + odd
            inner = 1.0 - even * q / ((low + 1.0) * (low + 2.0) * value[j])
            value[j] = 1.0 - a * (a + 0.5) * q / (low * (low + 1.0) * inner)


@njit()
def _tail_p(
    sums: tuple[FloatArray, FloatArray, FloatArray],
    sine: FloatArray,
    terms: FloatArray,
    p: FloatArray,
) -> None:
    """Write the smallest p anew, by a continued fraction that keeps their digits.

    p = I(a, 1/2) at q = cos(theta)**2, with a half the degrees of freedom, is
    sin(theta) q**a / (a B(a, 1/2)) over 1 + d1 / (1 + d2 / (1 + ...)), and
    1 / (a B(a, 1/2)) is the first term that the finite series left out. Each step of
    the fraction brings it nearer by (1 - sin) / (1 + sin) or more.
    """
    length, odd, square = sums
    places = np.flatnonzero(p < TAIL)
    if places.size == 0:
        return
    half = length[places] + 0.5 * odd[places]
    value = np.ones(places.size)
    least = sine[places].min()
    shrinking = np.log((1.0 + least) / (1.0 - least)) if least < 1.0 else np.inf
    _fractions(half, square[places], int(DIGITS / shrinking) // 2 + 1, value)
    for k in range(places.size):
        j = places[k]
        is_odd = odd[j] > 0.0
        term = terms[1 if is_odd else 0, int(length[j])]
        term *= 2.0 / np.pi if is_odd else 1.0
        p[j] = sine[j] * term * square[j] ** half[k] / value[k]


@njit()
def _strip_p(
    r: FloatArray, counts: Counts, held: int, terms: FloatArray, p: FloatArray
) -> None:
    """Write the p of a strip of r."""
    work = np.empty((5, r.size))
    sine, total = work[3], work[4]
    sums = work[0], work[1], work[2]
    most = (_lengths(counts, float(held), sums[0], sums[1]) - held) // 2
    _prepare(r, counts, held, sine, sums[2])
    total[:] = 0.0
    for place in range((most - 1) // 4 * 4, -1, -4):
        _nest(terms, place, sums, total)
    _even_p(sine, total, p)
    _odd_p(sums, sine, total, p)
    _tail_p(sums, sine, terms, p)


@njit(nogil=True)
def student_p(
    r: FloatArray, counts: Counts, held: int, terms: FloatArray, p: FloatArray
) -> None:
    """Write the two-sided p of r, 1-D arrays, to 1e-14 and the small to 1e-12 of them.

    The degrees of freedom are the counts of pairs less what is held; NaN where there
    is no r or none is left. ``terms`` are those of :func:`series` for the largest
    count. The finite series of Abramowitz and Stegun (1964), 26.7.3 and 26.7.4, with
    sin(theta) = |r|, nested from its last term: every term is one operation on many
    values, whatever their degrees of freedom.
    """
    for start in range(0, r.size, STRIP):
        stop = min(start + STRIP, r.size)
        _strip_p(r[start:stop], counts[start:stop], held, terms, p[start:stop])
