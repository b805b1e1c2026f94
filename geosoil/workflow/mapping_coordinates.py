"""What is interpolated: raw fractions themselves, or log-ratios of closed ones."""

from __future__ import annotations

from geosoil.grids.grid import FloatArray
from geosoil.interpolation._kernels import close_to_simplex
from geosoil.interpolation.log_ratios import (
    balance_variances,
    ilr,
    inverse_ilr,
    multiplicative_replacement,
)

LOG_RATIOS = "ilr"
"""The method that interpolates log-ratios."""

LEAST = 0.01
"""What stands for a fraction of 0 of a source that can be there: no mixing of water
tells a smaller one from none."""


def coordinate_names(sources: tuple[str, ...], method: str) -> tuple[str, ...]:
    """Return the names of what a method interpolates.

    Parameters
    ----------
    sources : tuple of str
        Sources that can be there.
    method : str
        The method.

    Returns
    -------
    names : tuple of str
        The sources; of log-ratios one balance less than sources.

    Examples
    --------
    >>> coordinate_names(("rain", "ice"), "ilr")
    ('balance of rain',)
    """
    if method != LOG_RATIOS:
        return sources
    return tuple(f"balance of {source}" for source in sources[:-1])


def coordinates(raw: FloatArray, method: str) -> FloatArray:
    """Return what a method interpolates of raw fractions.

    Parameters
    ----------
    raw : array, shape (..., source)
        Raw fractions.
    method : str
        The method.

    Returns
    -------
    values : array, shape (..., coordinate)
        The raw fractions; of log-ratios the pivot balances of the nearest
        composition, its zeros replaced.

    Examples
    --------
    >>> import numpy as np
    >>> coordinates(np.array([0.5, 0.25, 0.25]), "ilr").round(6).tolist()
    [0.565952, 0.0]
    """
    if method != LOG_RATIOS:
        return raw
    return ilr(multiplicative_replacement(close_to_simplex(raw), LEAST))


def coordinate_variances(
    raw: FloatArray, variance: FloatArray, method: str
) -> FloatArray:
    """Return the variances of what a method interpolates.

    Parameters
    ----------
    raw, variance : array, shape (n, source)
        Raw fractions and their variances.
    method : str
        The method.

    Returns
    -------
    variances : array, shape (n, coordinate)
        Of log-ratios to first order.

    Examples
    --------
    >>> import numpy as np
    >>> half = np.array([[0.5, 0.5]])
    >>> coordinate_variances(half, half * 0.02, "ilr").round(6).tolist()
    [[0.08]]
    """
    if method != LOG_RATIOS:
        return variance
    closed = multiplicative_replacement(close_to_simplex(raw), LEAST)
    return balance_variances(closed, variance)


def fractions(values: FloatArray, method: str) -> FloatArray:
    """Return the compositions of what was interpolated.

    Parameters
    ----------
    values : array, shape (..., coordinate)
        Interpolated values.
    method : str
        The method.

    Returns
    -------
    fractions : array, shape (..., source)
        The nearest compositions; of log-ratios the centre.

    Examples
    --------
    >>> import numpy as np
    >>> fractions(np.array([1.2, -0.2]), "kriging").tolist()
    [1.0, 0.0]
    """
    if method != LOG_RATIOS:
        return close_to_simplex(values)
    return inverse_ilr(values)
