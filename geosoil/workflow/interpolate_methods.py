"""The interpolator of each method that the command knows, with its variogram."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError
from geosoil.grids.points import values_at_points
from geosoil.interpolation.base import Interpolator, metric_crs, positions
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import DENSE_LIMIT, Kriging
from geosoil.interpolation.nearest import NearestNeighbor
from geosoil.interpolation.radial_basis import RadialBasis
from geosoil.interpolation.triangulation import Triangulation
from geosoil.interpolation.variogram import Variogram, fit_variogram
from geosoil.interpolation.variogram_models import MODELS
from geosoil.workflow.interpolate_inputs import InterpolateInputs
from geosoil.workflow.interpolate_request import AUTO, KRIGING, InterpolateRequest

FloatArray = npt.NDArray[np.float64]

TRIED = ("spherical", "exponential", "gaussian", "matern")
"""Models among which "auto" takes the one that fits best by AIC."""

USUAL_NEIGHBORS = 32
"""Nearest data of a cell where there are too many for one system."""

IN_WORDS = {
    "idw": "inverse distance weighting",
    "ok": "ordinary kriging",
    "ked": "kriging with external drift",
    "sk": "simple kriging",
    "uk": "universal kriging in x and y",
    "nearest": "nearest neighbour",
    "linear": "linear in triangles",
    "tps": "thin-plate spline",
    "ilr": "kriging of log-ratios",
    "mean": "mean of the places",
}
"""Methods in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Maker:
    """Makes the interpolators of one quantity."""

    inputs: InterpolateInputs
    """Points, grid and drift."""
    request: InterpolateRequest
    """What is asked."""
    name: str
    """Name of the quantity."""

    @property
    def values(self) -> FloatArray:
        """Values of the points."""
        return self.inputs.values(self.name)

    @property
    def n_neighbors(self) -> int | None:
        """Nearest data that a cell uses; None for all."""
        many = len(self.values) > DENSE_LIMIT and self.request.reach is None
        asked = self.request.n_neighbors
        return USUAL_NEIGHBORS if asked is None and many else asked

    def make(self, method: str) -> Interpolator:
        """Return the unfitted interpolator of a method.

        Parameters
        ----------
        method : str
            One of :data:`IN_WORDS`.

        Returns
        -------
        interpolator : Interpolator
            With a fitted or given variogram where it is kriging.

        Raises
        ------
        InputError
            If a variogram cannot be fitted or made.
        """
        request, reach = self.request, self.request.reach
        if method == "idw":
            return InverseDistance(
                request.power, n_neighbors=self.n_neighbors, max_distance=reach
            )
        if method == "nearest":
            return NearestNeighbor(max_distance=reach)
        if method == "linear":
            return Triangulation()
        if method == "tps":
            return RadialBasis(n_neighbors=request.n_neighbors)
        return self._kriging(method)

    def _kriging(self, method: str) -> Interpolator:
        """Return the kriging of a kind."""
        request = self.request
        options = self.options(method) | {"block": request.block_side}
        if method == "sk":
            known = request.mean
            options["mean"] = float(self.values.mean()) if known is None else known
        given = {key: value for key, value in options.items() if value is not None}
        return Kriging(self.variogram(method), **given)

    def options(self, method: str) -> dict[str, Any]:
        """Return neighbourhood and drift of a kriging.

        Parameters
        ----------
        method : str
            Kind of kriging.

        Returns
        -------
        options : dict
            As `Kriging` takes them.
        """
        options: dict[str, Any] = {
            "n_neighbors": self.n_neighbors,
            "max_distance": self.request.reach,
        }
        if method in ("ked", "ilr"):
            options["drift"] = self.inputs.rasters.wide
        if method == "uk":
            options["drift"] = "linear"
        return options

    def for_validation(self, method: str) -> Interpolator:
        """Return the interpolator that cross-validation takes: of points, not blocks.

        Parameters
        ----------
        method : str
            Method.

        Returns
        -------
        interpolator : Interpolator
            Unfitted.
        """
        return replace(self, request=replace(self.request, block=None)).make(method)

    def variogram(self, method: str) -> Variogram:
        """Return the variogram that is given, or fit it.

        Parameters
        ----------
        method : str
            Kind of kriging; that of "ked" and "uk" is the variogram of residuals, that
            of "mean" has no structure.

        Returns
        -------
        variogram : Variogram
            The variogram.

        Raises
        ------
        InputError
            If it cannot be.
        """
        words = self.request.variogram
        if method == "mean":
            return self._fit("nugget", None)
        if ":" in words:
            return given_variogram(words)
        drift = self.drift(method)
        if words != AUTO:
            return self._fit(words, drift)
        tried = [self._fit(model, drift) for model in TRIED]
        structured = [one for one in tried if one.model != "nugget"] or tried
        return min(structured, key=_criterion)

    def drift(self, method: str) -> FloatArray | None:
        """Return what the values follow at the points.

        Parameters
        ----------
        method : str
            Kind of kriging.

        Returns
        -------
        drift : array, shape (n, k), or None
            Rasters of "ked" at the points, x and y [m] of "uk".
        """
        points = self.inputs.points
        if method == "ked" and self.inputs.rasters.wide is not None:
            wide = self.inputs.rasters.wide
            table = values_at_points(wide, points.geometry, method="bilinear")
            return table[[*wide.data_vars]].to_numpy(dtype=np.float64)
        if method == "uk":
            return positions(points, metric_crs(points, Kriging("nugget").projection))
        return None

    def _fit(self, model: str, drift: FloatArray | None) -> Variogram:
        """Fit one model."""
        smooth = "fit" if MODELS[model].smoothness is not None else None
        fitted: Variogram = fit_variogram(
            self.inputs.points,
            self.values,
            model=model,  # type: ignore[call-overload]  # checked with the request
            smoothness=smooth,
            drift=drift,
        )
        return fitted


def _criterion(variogram: Variogram) -> float:
    """Return Akaike's criterion of a fit; the lowest where nothing is left over."""
    fit = variogram.fit
    found = float("nan") if fit is None else fit.aic
    return -np.inf if np.isnan(found) else found


def given_variogram(words: str) -> Variogram:
    """Read a variogram that is given in words.

    Parameters
    ----------
    words : str
        MODEL:NUGGET,PARTIAL_SILL,RANGE with the range in metres.

    Returns
    -------
    variogram : Variogram
        The variogram.

    Raises
    ------
    InputError
        If the numbers cannot be read, or are none of a variogram.

    Examples
    --------
    >>> given_variogram("spherical:0.05,0.6,900").sill
    0.65
    """
    model, _, numbers = words.partition(":")
    try:
        nugget, partial_sill, range_ = (float(word) for word in numbers.split(","))
    except ValueError:
        message = (
            f"--variogram is '{words}': give MODEL:NUGGET,PARTIAL_SILL,RANGE, as "
            "spherical:0.05,0.6,900."
        )
        raise InputError(message) from None
    if model in MODELS and MODELS[model].smoothness is not None:
        message = f"--variogram is '{words}': the {model} model needs a smoothness too."
        raise InputError(message)
    return Variogram(model, nugget, partial_sill, range_)  # type: ignore[arg-type]  # refused there


def makers(
    inputs: InterpolateInputs, request: InterpolateRequest
) -> Mapping[str, Maker]:
    """Return the maker of each quantity.

    Parameters
    ----------
    inputs : InterpolateInputs
        The inputs.
    request : InterpolateRequest
        What is asked.

    Returns
    -------
    makers : mapping of str to Maker
        By the name of the quantity.
    """
    return {name: Maker(inputs, request, name) for name in inputs.names}


def is_kriging(method: str) -> bool:
    """Say whether a method has a kriging variance.

    Parameters
    ----------
    method : str
        Method.

    Returns
    -------
    is_kriging : bool
        Whether it does.

    Examples
    --------
    >>> is_kriging("ok"), is_kriging("idw")
    (True, False)
    """
    return method in (*KRIGING, "mean")
