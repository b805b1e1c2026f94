"""A variogram of more than one structure: likeness that fades over two distances."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.variogram_fit import VariogramFit
from geosoil.interpolation.variogram_models import VariogramError
from geosoil.interpolation.variogram_structures import Variogram


@dataclass(frozen=True, slots=True)
class NestedVariogram:
    """Sum of variograms: likeness that fades over more than one distance.

    Raises
    ------
    VariogramError
        If there is no structure.

    Examples
    --------
    >>> near = Variogram("spherical", 0.1, 0.4, 1000.0)
    >>> far = Variogram("exponential", 0.0, 0.5, 20000.0)
    >>> nested = NestedVariogram((near, far))
    >>> nested.model, round(nested.sill, 6), nested.covariance([0.0, 0.0]).tolist()
    ('spherical + exponential', 1.0, [1.0, 1.0])
    """

    structures: tuple[Variogram, ...]
    """The variograms that are added up; each may have its own anisotropy."""
    flag: str = ""
    """What a reader must know about the fit; "" where it is sound."""
    fit: VariogramFit | None = field(default=None, compare=False, repr=False)
    """Report of the fit; None where it was not fitted."""

    def __post_init__(self) -> None:
        """Raise where there is nothing to add up."""
        if not self.structures:
            message = "A nested variogram of no structure. Give one Variogram or more."
            raise VariogramError(message)

    @property
    def model(self) -> str:
        """Names of the models, joined by " + "."""
        return " + ".join(part.model for part in self.structures)

    @property
    def nugget(self) -> float:
        """Sum of the nuggets."""
        return sum(part.nugget for part in self.structures)

    @property
    def error(self) -> float:
        """Sum of the variances of the measurement."""
        return sum(part.error for part in self.structures)

    @property
    def sill(self) -> float:
        """Sum of the sills."""
        return sum(part.sill for part in self.structures)

    @property
    def partial_sill(self) -> float:
        """Sum of the sills above the nuggets."""
        return self.sill - self.nugget

    @property
    def range_(self) -> float:
        """Longest range parameter [m]."""
        return max(part.range_ for part in self.structures)

    @property
    def is_isotropic(self) -> bool:
        """Whether it is the same in all directions."""
        return all(part.is_isotropic for part in self.structures)

    def covariance(self, h: npt.ArrayLike) -> FloatArray:
        """Return the sum of the covariances at distances; see :class:`Variogram`.

        Parameters
        ----------
        h : array
            Distances [m], the same for every structure.

        Returns
        -------
        covariance : array
            In squared units of the values.
        """
        return _sum_of([part.covariance(h) for part in self.structures])

    def covariance_of(self, dx: npt.ArrayLike, dy: npt.ArrayLike) -> FloatArray:
        """Return the sum of the covariances at offsets; see :class:`Variogram`.

        Parameters
        ----------
        dx, dy : array
            Offsets to the east and to the north [m].

        Returns
        -------
        covariance : array
            Each structure takes its own reduced distance.
        """
        return _sum_of([part.covariance_of(dx, dy) for part in self.structures])

    def covariance_between(
        self, first: npt.ArrayLike, second: npt.ArrayLike
    ) -> FloatArray:
        """Return the sum of the covariances at places; see :class:`Variogram`.

        Parameters
        ----------
        first : array, shape (n, 2)
            Places [m].
        second : array, shape (m, 2)
            Other places, or the same.

        Returns
        -------
        covariance : array, shape (n, m)
            Each structure takes its own reduced distance.
        """
        parts = [part.covariance_between(first, second) for part in self.structures]
        return _sum_of(parts)

    def gamma(self, h: npt.ArrayLike) -> FloatArray:
        """Return the sum of the semivariances at distances; see :class:`Variogram`.

        Parameters
        ----------
        h : array
            Distances [m], the same for every structure.

        Returns
        -------
        gamma : array
            In squared units of the values.
        """
        return _sum_of([part.gamma(h) for part in self.structures])

    def gamma_of(self, dx: npt.ArrayLike, dy: npt.ArrayLike) -> FloatArray:
        """Return the sum of the semivariances at offsets; see :class:`Variogram`.

        Parameters
        ----------
        dx, dy : array
            Offsets to the east and to the north [m].

        Returns
        -------
        gamma : array
            Each structure takes its own reduced distance.
        """
        return _sum_of([part.gamma_of(dx, dy) for part in self.structures])

    def parameters(self) -> dict[str, float]:
        """Return the numbers of the variogram.

        Returns
        -------
        parameters : dict of str to float
            nugget, partial_sill_1, range_1, ... of each structure, sill.
        """
        numbers = {"nugget": self.nugget}
        for order, part in enumerate(self.structures, start=1):
            own = part.parameters()
            numbers[f"partial_sill_{order}"] = own["partial_sill"]
            numbers[f"range_{order}"] = own["range_"]
        return {**numbers, "sill": self.sill}


AnyVariogram: TypeAlias = Variogram | NestedVariogram


def _sum_of(parts: list[FloatArray]) -> FloatArray:
    """Return the sum of arrays of one shape."""
    return np.asarray(np.sum(parts, axis=0), dtype=np.float64)
