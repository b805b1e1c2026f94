"""What a secondary value at a target adds to kriging, under Markov model I."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.cokriging_system import Products

DETERMINED = 1e-10
"""Share of its variance left to the secondary value by the data, below which it says
nothing that they do not say."""


@dataclass(frozen=True, slots=True)
class SecondaryMoments:
    """What is known of the secondary variable."""

    mean: float
    """Its mean."""
    standard_deviation: float
    """Its standard deviation."""
    correlation: float
    """Its correlation with the primary variable at one place."""

    def __post_init__(self) -> None:
        """Raise on numbers that cannot be."""
        faults = []
        if not (np.isfinite(self.standard_deviation) and self.standard_deviation > 0):
            faults.append(
                f"its standard deviation is {self.standard_deviation:g}, a variable "
                "that is the same everywhere does not help"
            )
        if not -1 <= self.correlation <= 1:
            faults.append(
                f"its correlation is {self.correlation:g}, it must lie within -1 and 1"
            )
        if faults:
            message = f"Unfit as secondary variable: {'; '.join(faults)}."
            raise InputError(message)


def with_collocated(
    products: Products, standard: FloatArray, correlation: float
) -> Products:
    """Return the products with the secondary value at each target among the data.

    Parameters
    ----------
    products : Products
        Products of the primary data, of a field with variance 1.
    standard : array, shape (m,)
        Secondary value at each target, in standard deviations from its mean.
    correlation : float
        Correlation of both variables at one place.

    Returns
    -------
    products : Products
        Those of the data and one more. Where the data determine its value, as at a
        datum with a correlation of 1, nothing is added.

    Notes
    -----
    The inverse of a matrix with one more row is that without it, and what the new value
    adds that the others do not say, over its variance 1 - r**2 c'C^-1 c.
    """
    left = 1.0 - correlation**2 * products.known
    says = left > DETERMINED
    over = np.where(says, 1.0 / np.where(says, left, 1.0), 0.0)
    news = -correlation * products.near
    news[:, products.n_drift :] += standard[:, None]
    gain = correlation * (1.0 - products.known)
    added = np.einsum("ma,mb->mab", news, news) * over[:, None, None]
    return replace(
        products,
        known=products.known + gain**2 * over,
        near=products.near + news * (gain * over)[:, None],
        gram=products.gram + added,
    )
