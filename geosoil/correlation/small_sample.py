"""Exact p values of rank correlations for few pairs."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import permutations

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

MOST_KENDALL = 33
"""Most untied pairs whose tau gets an exact p value; scipy draws the line here."""

MOST_SPEARMAN = 9
"""Most untied pairs whose rho gets an exact p value: 9! orders are counted."""


@lru_cache(maxsize=1)
def kendall_table() -> FloatArray:
    """Return the exact two-sided p of tau by number of pairs and of discordances.

    Returns
    -------
    p : array, shape (34, 529)
        ``p[n, c]`` for n untied pairs of which c, the smaller count, are discordant
        or concordant; NaN where c cannot be.

    Notes
    -----
    Orders of n with c inversions follow the recursion
    N(n, c) = N(n, c - 1) + N(n - 1, c) - N(n - 1, c - n).

    References
    ----------
    Kendall (1938), A new measure of rank correlation, Biometrika 30,
    doi:10.1093/biomet/30.1-2.81.

    Examples
    --------
    >>> kendall_table()[4, :3].round(4)
    array([0.0833, 0.3333, 0.75  ])
    """
    longest = MOST_KENDALL * (MOST_KENDALL - 1) // 2
    table = np.full((MOST_KENDALL + 1, longest + 1), np.nan)
    orders = [1]
    for n in range(1, MOST_KENDALL + 1):
        # Whole numbers of Python: 33! has no place in a float64.
        grown = [0] * (len(orders) + n - 1)
        for shift in range(n):
            for c, number in enumerate(orders):
                grown[c + shift] += number
        orders = grown
        total, below = math.factorial(n), 0
        for c in range((n * (n - 1) // 2) // 2 + 1):
            below += orders[c]
            table[n, c] = 1.0 if 4 * c == n * (n - 1) else min(1.0, 2 * below / total)
    return table


@lru_cache(maxsize=MOST_SPEARMAN)
def _spearman_counts(n: int) -> FloatArray:
    """Return how many orders of n ranks have each sum of squared differences."""
    orders = np.array(list(permutations(range(n))), dtype=np.int16)
    squares = np.square(orders - np.arange(n, dtype=np.int16), dtype=np.int32)
    return np.bincount(squares.sum(axis=1)).astype(np.float64)


def spearman_exact_p(rho: npt.ArrayLike, n: int) -> FloatArray:
    """Return the exact two-sided p of Spearman's rho of untied pairs.

    Parameters
    ----------
    rho : array
        Rank correlations.
    n : int
        Number of pairs, 2 to 9.

    Returns
    -------
    p : array
        Share of all n! orders with a |rho| at least as large.

    Raises
    ------
    InputError
        If n is below 2 or above 9.

    Notes
    -----
    rho = 1 - 6 D / (n (n**2 - 1)), D the sum of squared differences of ranks. With
    three pairs rho = 1 has p = 1/3; Student's t would give 0.

    Examples
    --------
    >>> spearman_exact_p([1.0, 0.5], 3).round(4)
    array([0.3333, 1.    ])
    """
    if not 2 <= n <= MOST_SPEARMAN:
        message = (
            f"Invalid n '{n}'. The exact p of Spearman's rho takes 2 to "
            f"{MOST_SPEARMAN} pairs; use Student's t above."
        )
        raise InputError(message)
    counts = _spearman_counts(n)
    scale = n * (n * n - 1)
    # 6 D - scale = -scale rho is a whole number, and so free of rounding.
    size = np.abs(6 * np.arange(counts.size) - scale)
    wanted = np.rint(np.abs(np.asarray(rho, dtype=np.float64)) * scale)
    order = np.argsort(size, kind="stable")
    reached = np.concatenate([[0.0], np.cumsum(counts[order])])
    below = np.searchsorted(size[order], np.nan_to_num(wanted), side="left")
    p = 1.0 - reached[below] / reached[-1]
    return np.where(np.isnan(wanted), np.nan, p)
