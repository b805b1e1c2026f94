"""The parts of a linear model of coregionalisation, and the report of its fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.variogram import Variogram
from geosoil.interpolation.variogram_models import MODELS, ModelName, VariogramError


@dataclass(frozen=True, slots=True, eq=False)
class CoregionalStructure:
    """One structure that all variables share: a rise, and how much each pair has of it.

    Raises
    ------
    VariogramError
        If the model is unknown or has no sill, or a parameter cannot be.

    Examples
    --------
    >>> part = CoregionalStructure([[1.0, 0.5], [0.5, 2.0]], "spherical", 900.0)
    >>> part.shape.covariance([0.0, 900.0]).tolist()
    [1.0, 0.0]
    """

    sills: FloatArray
    """Partial sill of each pair of variables, shape (p, p), in products of units."""
    model: ModelName
    """Kind of the rise."""
    range_: float
    """Range parameter [m], along the major axis."""
    smoothness: float | None = None
    """Smoothness of the Matern models and the exponential class."""
    anisotropy: Anisotropy | None = None
    """Direction of the longest range and ratio of the ranges; None where equal."""

    def __post_init__(self) -> None:
        """Keep a copy that nobody changes; raise on a rise that cannot be."""
        object.__setattr__(self, "sills", frozen_array(self.sills))
        if self.model in MODELS and not MODELS[self.model].bounded:
            message = (
                f"The {self.model} model has no sill, so variables that share it have "
                "no covariance. Take a model with a sill."
            )
            raise VariogramError(message)
        _ = self.shape

    @property
    def shape(self) -> Variogram:
        """Variogram of this rise with a sill of 1."""
        return Variogram(
            self.model,
            0.0,
            1.0,
            self.range_,
            smoothness=self.smoothness,
            anisotropy=self.anisotropy,
        )


@dataclass(frozen=True, slots=True, eq=False)
class CoregionalizationFit:
    """What was fitted and how well: the report of a fit."""

    cutoff: float
    """Largest distance [m]."""
    n_points: dict[str, int]
    """Places with a value, by variable."""
    classes: pd.DataFrame
    """Empirical variograms: first, second, n, distance [m], gamma."""
    sse: float
    """Weighted squares of the classes, each variable in its standard deviations."""
    lowest_eigenvalues: tuple[float, ...]
    """Lowest eigenvalue of the nugget and of each structure as least squares alone
    would have them, each variable in its standard deviations; below 0 where the matrix
    was kept positive semi-definite."""
    rounds: int
    """Rounds over the matrices; 0 where least squares alone were fit."""
    converged: bool
    """Whether search and rounds ended by themselves."""
    flags: tuple[str, ...]
    """What a reader must know; empty where the fit is sound."""


def frozen_array(values: npt.ArrayLike) -> FloatArray:
    """Return a copy of numbers that nobody changes.

    Parameters
    ----------
    values : array
        Numbers.

    Returns
    -------
    frozen : array
        The same numbers, read-only.

    Examples
    --------
    >>> frozen_array([1, 2]).flags.writeable
    False
    """
    copy = np.array(values, dtype=np.float64)
    copy.setflags(write=False)
    return copy
