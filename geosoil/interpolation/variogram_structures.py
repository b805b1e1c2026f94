"""The variogram: how unlike values become with distance, and its covariance."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist

from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.variogram_fit import VariogramFit
from geosoil.interpolation.variogram_models import (
    MODELS,
    ModelName,
    VariogramError,
    likeness,
    parameter_faults,
    rise,
)


@dataclass(frozen=True, slots=True)
class Variogram:
    """Half the mean squared difference between two values, by their distance.

    Raises
    ------
    VariogramError
        If the model is unknown or a parameter cannot be; all faults at once.

    Notes
    -----
    For h > 0: gamma(h) = error + nugget + partial_sill rise(h), and gamma(0) = 0.
    "spherical": rise = 1.5 u - 0.5 u**3 up to u = h / range_ = 1; "exponential":
    1 - exp(-u), 95 % of the sill at 3 ranges; "gaussian": 1 - exp(-u**2), 95 % at
    sqrt(3) ranges (the parametrisation of gstat); "nugget": no structure. The others
    stand in :func:`geosoil.interpolation.variogram_models.likeness`. The nugget is
    part of the field and of its covariance at h = 0; the error is noise of the
    measurement, which belongs on the diagonal of the data alone.

    References
    ----------
    Cressie (1993), Statistics for Spatial Data, doi:10.1002/9781119115151.

    Examples
    --------
    >>> variogram = Variogram("spherical", 0.1, 0.9, 1000.0)
    >>> variogram.gamma([0.0, 500.0, 2000.0]).round(6).tolist()
    [0.0, 0.71875, 1.0]
    """

    model: ModelName
    """Kind of the rise: spherical, exponential, ..., or nugget alone."""
    nugget: float
    """Jump at the origin, in squared units of the values."""
    partial_sill: float
    """Rise above the nugget, in squared units of the values."""
    range_: float
    """Range parameter [m], along the major axis; the exponent of "power"."""
    cutoff: float | None = None
    """Largest distance used in the fit [m]; None where it was not fitted."""
    n_pairs: int | None = None
    """Pairs of points used in the fit."""
    sum_of_squares: float | None = None
    """Weighted sum of squared residuals of the fit."""
    flag: str = ""
    """What a reader must know about the fit; "" where it is sound."""
    smoothness: float | None = None
    """Smoothness of the Matern models and the exponential class."""
    anisotropy: Anisotropy | None = None
    """Direction of the longest range and ratio of the ranges; None where equal."""
    error: float = 0.0
    """Variance of the measurement, in squared units of the values: not in the sill."""
    fit: VariogramFit | None = field(default=None, compare=False, repr=False)
    """Report of the fit; None where it was not fitted."""

    def __post_init__(self) -> None:
        """Raise on parameters that cannot be."""
        faults = []
        for name in ("nugget", "partial_sill", "error"):
            number = getattr(self, name)
            if not (np.isfinite(number) and number >= 0):
                faults.append(f"{name} is {number}, it must be 0 or more")
        faults += parameter_faults(self.model, self.range_, self.smoothness)
        if self.model == "logarithmic" and not faults:
            start = self.nugget + self.partial_sill * np.log(self.range_)
            if start < 0:
                faults.append(
                    f"it starts at {start:g}, below 0: range_ must be 1 or more, or "
                    "the nugget larger"
                )
        if faults:
            message = f"Invalid variogram: {'; '.join(faults)}."
            raise VariogramError(message)

    @property
    def sill(self) -> float:
        """Height without the error: the variance of the field; inf without a sill."""
        if self.model == "nugget":
            return self.nugget
        if not MODELS[self.model].bounded:
            return float("inf")
        return self.nugget + self.partial_sill

    @property
    def is_isotropic(self) -> bool:
        """Whether it is the same in all directions."""
        return self.anisotropy is None or self.anisotropy.ratio == 1

    def covariance(self, h: npt.ArrayLike) -> FloatArray:
        """Return the covariance of values at a distance.

        Parameters
        ----------
        h : array
            Distances, reduced ones where there is anisotropy [m].

        Returns
        -------
        covariance : array
            The sill at h = 0, partial_sill times the likeness elsewhere. The error is
            in neither.

        Raises
        ------
        VariogramError
            If the model has no sill.
        """
        distance = np.asarray(h, dtype=np.float64)
        alike = likeness(self.model, distance, self.range_, smoothness=self.smoothness)
        return np.where(distance == 0, self.sill, self.partial_sill * alike)

    def covariance_of(self, dx: npt.ArrayLike, dy: npt.ArrayLike) -> FloatArray:
        """Return the covariance of values at an offset.

        Parameters
        ----------
        dx, dy : array
            Offsets to the east and to the north [m].

        Returns
        -------
        covariance : array
            As :meth:`covariance` at the reduced distances.
        """
        return self.covariance(self.distance(dx, dy))

    def covariance_between(
        self, first: npt.ArrayLike, second: npt.ArrayLike
    ) -> FloatArray:
        """Return the covariance of the values at places.

        Parameters
        ----------
        first : array, shape (n, 2)
            Places [m].
        second : array, shape (m, 2)
            Other places, or the same.

        Returns
        -------
        covariance : array, shape (n, m)
            As :meth:`covariance`, the anisotropy obeyed.
        """
        one, other = (np.asarray(xy, dtype=np.float64) for xy in (first, second))
        if self.anisotropy is not None:
            one, other = self.anisotropy.reduce(one), self.anisotropy.reduce(other)
        return self.covariance(cdist(one, other))

    def gamma(self, h: npt.ArrayLike) -> FloatArray:
        """Return the semivariance at a distance.

        Parameters
        ----------
        h : array
            Distances, reduced ones where there is anisotropy [m].

        Returns
        -------
        gamma : array
            Semivariance in squared units of the values, the error included; 0 at
            h = 0.
        """
        distance = np.asarray(h, dtype=np.float64)
        if MODELS[self.model].bounded:
            height = self.sill - self.covariance(distance)
        else:
            height = self.nugget + self.partial_sill * rise(
                self.model, distance, self.range_
            )
        return np.where(distance == 0, 0.0, height + self.error)

    def gamma_of(self, dx: npt.ArrayLike, dy: npt.ArrayLike) -> FloatArray:
        """Return the semivariance at an offset.

        Parameters
        ----------
        dx, dy : array
            Offsets to the east and to the north [m].

        Returns
        -------
        gamma : array
            As :meth:`gamma` at the reduced distances.
        """
        return self.gamma(self.distance(dx, dy))

    def distance(self, dx: npt.ArrayLike, dy: npt.ArrayLike) -> FloatArray:
        """Return the distance of offsets, reduced where there is anisotropy.

        Parameters
        ----------
        dx, dy : array
            Offsets to the east and to the north [m].

        Returns
        -------
        distance : array
            Distances [m].
        """
        if self.anisotropy is not None:
            return self.anisotropy.distance(dx, dy)
        return np.hypot(np.asarray(dx, dtype=np.float64), dy)

    def parameters(self) -> dict[str, float]:
        """Return the numbers of the variogram.

        Returns
        -------
        parameters : dict of str to float
            nugget, partial_sill, range_, sill, and smoothness where there is one.
        """
        numbers = {
            "nugget": self.nugget,
            "partial_sill": 0.0 if self.model == "nugget" else self.partial_sill,
            "range_": float("nan") if self.model == "nugget" else self.range_,
            "sill": self.sill,
        }
        if self.smoothness is not None:
            numbers["smoothness"] = self.smoothness
        return numbers
