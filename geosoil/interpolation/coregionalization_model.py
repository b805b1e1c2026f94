"""How several variables vary together: a sill matrix for each structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.coregionalization_parts import (
    CoregionalizationFit,
    CoregionalStructure,
    frozen_array,
)
from geosoil.interpolation.variogram import AnyVariogram, NestedVariogram, Variogram
from geosoil.interpolation.variogram_models import VariogramError

IntArray = npt.NDArray[np.int64]

ROUNDING = 1e-10
"""Share of the largest eigenvalue below 0 that is put down to rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Coregionalization:
    """Linear model of coregionalisation: the (cross) variograms of several variables.

    Raises
    ------
    VariogramError
        If names repeat, a matrix has another shape, a number is missing, it is not
        symmetric, or it has an eigenvalue below 0; all faults at once.

    Notes
    -----
    gamma_ij(h) = B0_ij + sum_k Bk_ij rise_k(h) for h > 0, and 0 at h = 0. With every
    matrix B positive semi-definite, every combination of the variables has a variance
    of 0 or more, at any places.

    References
    ----------
    Goulard and Voltz (1992), Linear coregionalization model: Tools for estimation and
    choice of cross-variogram matrix, Mathematical Geology 24, doi:10.1007/BF00893750.

    Examples
    --------
    >>> model = Coregionalization(
    ...     ("zinc", "lead"),
    ...     [[0.1, 0.0], [0.0, 0.2]],
    ...     (CoregionalStructure([[1.0, 0.5], [0.5, 0.8]], "spherical", 900.0),),
    ... )
    >>> model.gamma("zinc", "lead", [0.0, 900.0]).tolist()
    [0.0, 0.5]
    >>> model.variogram("lead").sill, model.correlation.round(3).tolist()
    (1.0, [[1.0, 0.477], [0.477, 1.0]])
    """

    names: tuple[str, ...]
    """Names of the p variables."""
    nugget: FloatArray
    """Jump at the origin of each pair of variables, shape (p, p)."""
    structures: tuple[CoregionalStructure, ...] = ()
    """What is added to the nugget."""
    flag: str = ""
    """What a reader must know about the fit; "" where it is sound."""
    fit: CoregionalizationFit | None = field(default=None, repr=False)
    """Report of the fit; None where it was not fitted."""

    def __post_init__(self) -> None:
        """Keep copies that nobody changes; raise on matrices that cannot be."""
        object.__setattr__(self, "names", tuple(self.names))
        object.__setattr__(self, "structures", tuple(self.structures))
        object.__setattr__(self, "nugget", frozen_array(self.nugget))
        faults = []
        if not self.names or len(set(self.names)) < len(self.names):
            faults.append(f"names {list(self.names)} (give one or more, none twice)")
        for words, matrix in self._matrices():
            faults += _matrix_faults(words, matrix, len(self.names))
        if faults:
            message = f"Invalid coregionalization: {'; '.join(faults)}."
            raise VariogramError(message)

    def _matrices(self) -> list[tuple[str, FloatArray]]:
        """Return the matrices with words for each."""
        parts = [
            (f"structure {order} ({part.model})", part.sills)
            for order, part in enumerate(self.structures, start=1)
        ]
        return [("nugget", self.nugget), *parts]

    @property
    def sills(self) -> FloatArray:
        """Covariance of the variables at one place, shape (p, p)."""
        return self.nugget + sum(part.sills for part in self.structures)

    @property
    def correlation(self) -> FloatArray:
        """Correlation of the variables at one place, shape (p, p); NaN without sill."""
        spread = np.sqrt(np.diagonal(self.sills))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.sills / np.outer(spread, spread))

    def index(self, name: str) -> int:
        """Return the number of a variable.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        index : int
            Row of the matrices.

        Raises
        ------
        VariogramError
            If there is no such variable.
        """
        if name not in self.names:
            message = (
                f"'{name}' is no variable of the coregionalization of "
                f"{', '.join(self.names)}."
            )
            raise VariogramError(message)
        return self.names.index(name)

    def variogram(self, name: str) -> AnyVariogram:
        """Return the variogram of one variable.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        variogram : Variogram or NestedVariogram
            Its share of nugget and structures.

        Raises
        ------
        VariogramError
            If there is no such variable.
        """
        row = self.index(name)
        nugget = float(self.nugget[row, row])
        parts = [
            Variogram(
                part.model,
                0.0,
                float(part.sills[row, row]),
                part.range_,
                smoothness=part.smoothness,
                anisotropy=part.anisotropy,
            )
            for part in self.structures
        ]
        jump = Variogram("nugget", nugget, 0.0, 1.0)
        return NestedVariogram((jump, *parts)) if parts else jump

    def gamma(self, first: str, second: str, h: npt.ArrayLike) -> FloatArray:
        """Return the (cross) semivariance of two variables at a distance.

        Parameters
        ----------
        first, second : str
            Names of the variables; the same one twice for its own variogram.
        h : array
            Distances, reduced ones where there is anisotropy [m].

        Returns
        -------
        gamma : array
            In the product of both units; 0 at h = 0.

        Raises
        ------
        VariogramError
            If there is no such variable.
        """
        i, j = self.index(first), self.index(second)
        distance = np.asarray(h, dtype=np.float64)
        parts = [
            part.sills[i, j] * part.shape.gamma(distance) for part in self.structures
        ]
        jump = np.where(distance == 0, 0.0, self.nugget[i, j])
        return np.asarray(np.sum([jump, *parts], axis=0))

    def covariance_between(
        self,
        first: FloatArray,
        first_variables: IntArray,
        second: FloatArray,
        second_variables: IntArray,
    ) -> FloatArray:
        """Return the covariance of values of variables at places.

        Parameters
        ----------
        first : array, shape (n, 2)
            Places [m].
        first_variables : array of int, shape (n,)
            Number of the variable at each.
        second : array, shape (m, 2)
            Other places, or the same.
        second_variables : array of int, shape (m,)
            Number of the variable at each.

        Returns
        -------
        covariance : array, shape (n, m)
            The nugget counts between values at one and the same place.
        """
        pairs = np.ix_(first_variables, second_variables)
        total = np.where(cdist(first, second) == 0, self.nugget[pairs], 0.0)
        for part in self.structures:
            total += part.sills[pairs] * part.shape.covariance_between(first, second)
        return total

    def covariance_of(
        self, dx: FloatArray, dy: FloatArray, pairs: tuple[IntArray, IntArray]
    ) -> FloatArray:
        """Return the covariance of values of variables at offsets.

        Parameters
        ----------
        dx, dy : array, shape (..., n, m)
            Offsets to the east and to the north [m].
        pairs : (array of int, array of int)
            Numbers of the variables, broadcast against each other to (n, m).

        Returns
        -------
        covariance : array, shape (..., n, m)
            The nugget counts at no offset.
        """
        total = np.where((dx == 0) & (dy == 0), self.nugget[pairs], 0.0)
        for part in self.structures:
            total += part.sills[pairs] * part.shape.covariance_of(dx, dy)
        return total

    def scaled(self, factors: npt.ArrayLike) -> Coregionalization:
        """Return the model of the variables times factors.

        Parameters
        ----------
        factors : array, shape (p,)
            Factor of each variable.

        Returns
        -------
        model : Coregionalization
            Every matrix times the products of the factors.
        """
        one = np.asarray(factors, dtype=np.float64)
        both = np.outer(one, one)
        parts = tuple(
            CoregionalStructure(
                part.sills * both,
                part.model,
                part.range_,
                part.smoothness,
                part.anisotropy,
            )
            for part in self.structures
        )
        return Coregionalization(self.names, self.nugget * both, parts)

    def __str__(self) -> str:
        """Say the structures in words."""
        parts = [f"{part.model} {part.range_:g} m" for part in self.structures]
        return " + ".join(["nugget", *parts])


def single_coregionalization(variogram: AnyVariogram, name: str) -> Coregionalization:
    """Return a variogram as the model of one variable; its error is not in it.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        Variogram with a sill.
    name : str
        Name of the variable.

    Returns
    -------
    model : Coregionalization
        Matrices of shape (1, 1).

    Raises
    ------
    VariogramError
        If the variogram has no sill.

    Examples
    --------
    >>> variogram = Variogram("spherical", 0.1, 0.9, 900.0)
    >>> model = single_coregionalization(variogram, "zinc")
    >>> str(model), model.sills.tolist()
    ('nugget + spherical 900 m', [[1.0]])
    """
    parts: Sequence[Variogram] = (
        variogram.structures if isinstance(variogram, NestedVariogram) else (variogram,)
    )
    structures = tuple(
        CoregionalStructure(
            np.array([[part.partial_sill]]),
            part.model,
            part.range_,
            part.smoothness,
            part.anisotropy,
        )
        for part in parts
        if part.model != "nugget"
    )
    return Coregionalization((name,), np.array([[variogram.nugget]]), structures)


def _matrix_faults(words: str, matrix: FloatArray, count: int) -> list[str]:
    """Say what keeps a matrix from being one of variances and covariances."""
    if matrix.shape != (count, count):
        return [f"{words} has shape {matrix.shape} for {count} variables"]
    if not np.isfinite(matrix).all():
        return [f"{words} has numbers missing"]
    largest = float(np.abs(matrix).max())
    if not np.abs(matrix - matrix.T).max() <= ROUNDING * largest:
        return [f"{words} is not symmetric"]
    # Units must not decide: a variable in small numbers is as good as any other.
    heights = np.abs(np.diagonal(matrix))
    spread = np.sqrt(np.where(heights > 0, heights, 1.0))
    values = np.linalg.eigvalsh(matrix / np.outer(spread, spread))
    if values[0] < -ROUNDING * max(float(values[-1]), 1.0):
        return [
            f"{words} is not positive semi-definite: scaled to a diagonal of 1 its "
            f"eigenvalues are {', '.join(f'{value:.3g}' for value in values)}, and "
            "none may be below 0; fit_coregionalization finds matrices that are"
        ]
    return []
