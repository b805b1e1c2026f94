"""Interpolation by radial basis functions, thin-plate splines among them."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from pyproj import CRS
from scipy.interpolate import RBFInterpolator
from scipy.linalg import LinAlgError
from scipy.spatial import cKDTree

from geosoil.errors import InputError
from geosoil.interpolation.base import ALBERS, FloatArray, Interpolator
from geosoil.interpolation.deterministic import (
    FLAT,
    PlaceUnit,
    answer_in_blocks,
)
from geosoil.interpolation.neighbors import Neighborhood

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

BLOCK = 2**14
"""Targets at a time."""

EXACT = 1e-6
"""How far a surface without smoothing may miss a datum, in ranges of the data."""

DENSE_LIMIT = 5000
"""Data above which one system for all is refused: its matrix alone is 200 MB."""

RadialKernel = Literal[
    "thin_plate_spline",
    "linear",
    "cubic",
    "quintic",
    "multiquadric",
    "inverse_multiquadric",
    "inverse_quadratic",
    "gaussian",
]

LEAST_DEGREE: dict[RadialKernel, int] = {
    "thin_plate_spline": 1,
    "linear": 0,
    "cubic": 1,
    "quintic": 2,
    "multiquadric": 0,
}
"""Degree of the polynomial below which a kernel may have no unique answer."""

SHAPED = ("multiquadric", "inverse_multiquadric", "inverse_quadratic", "gaussian")
"""Kernels with a length of their own."""


class RadialBasis(Interpolator):
    """Interpolate by a sum of radial functions and a polynomial in x and y.

    Parameters
    ----------
    kernel : str
        "thin_plate_spline" (r**2 log r), "linear" (-r), "cubic" (r**3), "quintic"
        (-r**5); with e the shape parameter: "multiquadric" (-sqrt(1 + (e r)**2)),
        "inverse_multiquadric" (1 / sqrt(1 + (e r)**2)), "inverse_quadratic"
        (1 / (1 + (e r)**2)), "gaussian" (exp(-(e r)**2)).
    smoothing : float
        0 passes through the data; the more, the nearer to the polynomial alone. It has
        no unit in the places: it is added to the kernel's matrix of places divided by
        their root mean square distance from their centre.
    epsilon : float, optional
        Shape parameter [1/m] of the last four kernels, which need it.
    degree : int, optional
        Degree of the polynomial, -1 for none; by default the least that the kernel
        allows, and at least 0.
    n_neighbors : int, optional
        Use the nearest ones only; all by default. The surface then has small steps.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    InputError
        If a setting is not possible; from fit, if there are fewer data than the
        polynomial has terms, they lie on one line, some are too close, more than 5000
        are to be used at once, or a variance is given without smoothing; from an
        estimate, if the neighbours of a target lie on one line or too close.

    Notes
    -----
    The estimate at x is sum(a_i phi(|x - x_i|)) + p(x), where
    (K + smoothing W) a + P b = z and P'a = 0. W is the identity or, where fit is given
    the variance of the measurements, their variances over the mean of them: the
    variance tells how the smoothing is shared, ``smoothing`` how much there is. There
    is no kriging_variance. Outside the data it goes on as its polynomial and kernel
    do, often far beyond their range.

    References
    ----------
    Duchon (1977), Splines minimizing rotation-invariant semi-norms in Sobolev spaces,
    doi:10.1007/BFb0086566.
    Wahba (1990), Spline models for observational data, doi:10.1137/1.9781611970128.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [100.0, 0.0], [0.0, 100.0], [100.0, 100.0]]
    >>> surface = RadialBasis().fit(sites, [1.0, 2.0, 3.0, 4.0])
    >>> surface.predict([[50.0, 50.0], [100.0, 0.0]]).estimate.values.round(9).tolist()
    [2.5, 2.0]
    """

    def __init__(
        self,
        kernel: RadialKernel = "thin_plate_spline",
        *,
        smoothing: float = 0.0,
        epsilon: float | None = None,
        degree: int | None = None,
        n_neighbors: int | None = None,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        if kernel not in get_args(RadialKernel):
            known = get_args(RadialKernel)
            message = f"Unknown kernel '{kernel}'. Give one of {known}."
            raise InputError(message)
        least = LEAST_DEGREE.get(kernel, -1)
        self.kernel, self.epsilon = kernel, epsilon
        self.smoothing = float(smoothing)
        self.degree = max(least, 0) if degree is None else degree
        self.neighborhood = Neighborhood(n_neighbors)
        self.method = f"radial basis functions ({kernel})"
        faults = [*self._kernel_faults(least), *self._number_faults()]
        if faults:
            raise InputError(" ".join(faults))

    def _kernel_faults(self, least: int) -> list[str]:
        """Say what of shape parameter and degree does not suit the kernel."""
        faults, epsilon = [], self.epsilon
        if self.kernel in SHAPED and epsilon is None:
            faults.append(
                f"The kernel '{self.kernel}' needs epsilon [1/m]. Give 1 over a "
                "distance, for instance 1 / 50000."
            )
        elif self.kernel not in SHAPED and epsilon is not None:
            faults.append(
                f"The kernel '{self.kernel}' has no length of its own, found epsilon "
                f"'{epsilon}'. Leave epsilon out."
            )
        elif epsilon is not None and not 0 < epsilon < np.inf:
            faults.append(f"Invalid epsilon '{epsilon}'. Give 1/m above 0.")
        if self.degree < least:
            faults.append(
                f"Invalid degree '{self.degree}' for the kernel '{self.kernel}'. Give "
                f"{least} or more."
            )
        return faults

    def _number_faults(self) -> list[str]:
        """Say what is wrong with smoothing and neighbours."""
        faults, wanted = [], self.neighborhood.n_neighbors
        if not 0 <= self.smoothing < np.inf:
            faults.append(f"Invalid smoothing '{self.smoothing}'. Give 0 or more.")
        if wanted is not None and wanted < self._terms():
            faults.append(
                f"Invalid n_neighbors '{wanted}'. A polynomial of degree {self.degree} "
                f"needs {self._terms()} or more."
            )
        return faults

    def _terms(self) -> int:
        """Return the number of terms of the polynomial."""
        return (self.degree + 1) * (self.degree + 2) // 2

    def _prepare(self) -> None:
        """Solve the system of all data, or index them for those of neighbours."""
        xy, values = self.points_.xy, self.points_.values
        self._check_count()
        self._unit = PlaceUnit.of(xy)
        self._xy = self._unit.scaled(xy)
        self._smoothings = self._shared_smoothing()
        # A constant term takes any level up: without it more digits are left.
        self._level = float(values.mean()) if self.degree >= 0 else 0.0
        self._tolerance = EXACT * (float(np.ptp(values)) or abs(float(values[0])))
        if self.neighborhood.is_global(len(xy)):
            everything = np.arange(len(xy))
            self._check_determined(everything[None])
            self._surface = self._solved(everything)
        else:
            self.tree_ = cKDTree(self._xy)

    def _check_count(self) -> None:
        """Raise on too few data, and on too many for one system."""
        count = len(self.points_.xy)
        if count < self._terms():
            message = (
                f"{type(self).__name__} with a polynomial of degree {self.degree} "
                f"needs {self._terms()} different places, found {count}. Give a lower "
                "degree, another kernel, or use InverseDistance."
            )
            raise InputError(message)
        if self.neighborhood.is_global(count) and count > DENSE_LIMIT:
            message = (
                f"One system of {count} data needs {8 * count**2 / 1e9:.1f} GB. Give "
                "n_neighbors, for instance 64."
            )
            raise InputError(message)

    def _shared_smoothing(self) -> FloatArray:
        """Return the smoothing of each datum."""
        variance = self.points_.variance
        if variance is None:
            return np.full(len(self._xy), self.smoothing)
        if self.smoothing == 0:
            message = (
                "A surface with smoothing 0 passes through the data and cannot use the "
                "variance of the measurements. Give smoothing above 0, leave the "
                "variance out, or use Kriging."
            )
            raise InputError(message)
        mean = float(variance.mean())
        return self.smoothing * variance / (mean if mean > 0 else 1.0)

    def _check_determined(self, rows: IntArray) -> None:
        """Raise where a set of data (sets, k) cannot tell the polynomial."""
        if self.degree < 1 or _determined(self._xy[rows], self.degree).all():
            return
        message = (
            f"A polynomial of degree {self.degree} cannot be told from "
            f"{self._which(rows.shape[1])}: they lie on one line or curve. Give more "
            "neighbours, a lower degree or another kernel, or use InverseDistance."
        )
        raise InputError(message)

    def _solved(self, rows: IntArray) -> RBFInterpolator:
        """Solve for some data; raise where the answer is lost in rounding."""
        values = self.points_.values[rows] - self._level
        smoothing = self._smoothings[rows]
        scale = 1.0 if self.epsilon is None else self.epsilon * self._unit.length
        try:
            surface = RBFInterpolator(
                self._xy[rows],
                values,
                smoothing=smoothing,
                kernel=self.kernel,
                epsilon=scale,
                degree=self.degree,
            )
            gap = np.abs(surface(self._xy[rows]) - values)
        except LinAlgError:
            gap = np.array([np.inf])
        # A datum that is smoothed need not be met.
        if (gap[smoothing == 0] > self._tolerance).any():
            message = (
                f"The system of {self._which(len(rows))} is singular in the rounding: "
                f"places are too close for the kernel '{self.kernel}'. Merge them, "
                "give smoothing above 0, a larger epsilon, or another kernel."
            )
            raise InputError(message)
        return surface

    def _which(self, count: int) -> str:
        """Name the data of a system."""
        everything = count == len(self._xy)
        return f"all {count} data" if everything else f"the {count} data near a target"

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block."""
        everything = self.neighborhood.is_global(len(self._xy))
        block = self._global if everything else self._local
        (estimate,) = answer_in_blocks(targets, block, step=BLOCK)
        return {"estimate": estimate}

    def _global(self, targets: FloatArray) -> FloatArray:
        """Estimate from all data."""
        found: FloatArray = self._surface(self._unit.scaled(targets))
        return self._level + found

    def _local(self, targets: FloatArray) -> FloatArray:
        """Estimate from the neighbours; targets with the same ones share a system."""
        scaled = self._unit.scaled(targets)
        rows, _ = self.neighborhood.search(self.tree_, scaled)
        sets, which = np.unique(np.sort(rows, axis=1), axis=0, return_inverse=True)
        self._check_determined(sets)
        estimate = np.empty(len(targets))
        order = np.argsort(which, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(which[order])) + 1)
        for own, group in zip(sets, groups, strict=True):
            estimate[group] = self._solved(own)(scaled[group])
        return self._level + estimate

    def _settings(self) -> dict[str, Any]:
        """Return the method with its parameters."""
        settings = {
            "method": self.method,
            "kernel": self.kernel,
            "epsilon": self.epsilon,
            "degree": self.degree,
            "smoothing": self.smoothing,
            "n_neighbors": self.neighborhood.n_neighbors,
        }
        return {key: value for key, value in settings.items() if value is not None}


def _determined(sets: FloatArray, degree: int) -> BoolArray:
    """Say which sets of places (sets, k, 2) determine a polynomial of a degree."""
    offsets = sets - sets.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(offsets).sum(axis=2).mean(axis=1))
    x, y = np.moveaxis(offsets / np.where(length > 0, length, 1.0)[:, None, None], 2, 0)
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    terms = np.stack([x**i * y**j for i, j in powers], axis=2)
    sizes = np.linalg.svd(terms, compute_uv=False)
    determined: BoolArray = sizes[:, -1] > FLAT * sizes[:, 0]
    return determined
