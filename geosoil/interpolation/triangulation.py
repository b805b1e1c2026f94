"""Interpolation within the triangles that the data span."""

from __future__ import annotations

import warnings
from typing import Any, Literal, get_args

import numpy as np
import xarray as xr
from pyproj import CRS
from scipy.interpolate import CloughTocher2DInterpolator, LinearNDInterpolator
from scipy.spatial import Delaunay

from geosoil.errors import GeosoilWarning, InputError
from geosoil.interpolation.base import ALBERS, FloatArray, Interpolator
from geosoil.interpolation.deterministic import (
    FLAT,
    PlaceUnit,
    answer_in_blocks,
    refuse_variance,
)

BLOCK = 2**16
"""Targets at a time."""

GRADIENT_TOLERANCE = 1e-12
"""Change of the slopes at which their search ends, in units of the data's spread."""

GRADIENT_STEPS = 10_000
"""Steps of that search at most."""

TriangulationMethod = Literal["linear", "cubic"]


class Triangulation(Interpolator):
    """Interpolate within each triangle of the data; NaN outside their convex hull.

    Parameters
    ----------
    method : {"linear", "cubic"}
        "linear" lays a plane through the corners of each triangle and stays within the
        range of the data. "cubic" joins smooth pieces, whose slopes it finds from all
        data, and may pass beyond the range.
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    InputError
        If the method is unknown; from fit, if there are fewer than 3 places, all lie
        on one line, or a variance is given.

    Notes
    -----
    The triangles are those of Delaunay in the metres of the fit. Where four data lie
    on one circle, as on a lattice, either diagonal is right and which one is taken is
    not fixed. "linear": estimate = sum of the corners' values, weighted by the
    barycentric coordinates. "cubic": the piecewise cubic of Clough and Tocher with the
    slopes of least curvature (Nielson 1983). The attribute ``n_outside_hull`` counts
    the targets without estimate.

    References
    ----------
    Farin (1986), Triangular Bernstein-Bezier patches, Computer Aided Geometric Design
    3, doi:10.1016/0167-8396(86)90016-6.
    Nielson (1983), A method for interpolating scattered data based upon a minimum norm
    network, Mathematics of Computation 40, doi:10.1090/S0025-5718-1983-0679444-7.

    Examples
    --------
    >>> corners = [[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]]
    >>> surface = Triangulation().fit(corners, [1.0, 2.0, 3.0])
    >>> surface.predict([[25.0, 25.0], [100.0, 100.0]]).estimate.values
    array([1.75,  nan])
    """

    def __init__(
        self,
        method: TriangulationMethod = "linear",
        *,
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection)
        if method not in get_args(TriangulationMethod):
            known = get_args(TriangulationMethod)
            message = f"Unknown method '{method}'. Give one of {known}."
            raise InputError(message)
        self.kind = method
        self.method = f"{method} interpolation in Delaunay triangles"

    def _prepare(self) -> None:
        """Draw the triangles, and find the slopes of the cubic pieces."""
        refuse_variance(self.points_, type(self).__name__)
        self._check_spread()
        self._unit = PlaceUnit.of(self.points_.xy)
        triangles = Delaunay(self._unit.scaled(self.points_.xy))
        self._tell_lost(triangles.coplanar[:, 0].tolist())
        values, self._level, self._spread = self.points_.values, 0.0, 1.0
        self._surface: LinearNDInterpolator | CloughTocher2DInterpolator
        if self.kind == "linear":
            self._surface = LinearNDInterpolator(triangles, values)
            return
        # The search for slopes ends at an absolute change: units must not matter.
        self._level, self._spread = float(values.mean()), float(np.ptp(values)) or 1.0
        self._surface = CloughTocher2DInterpolator(
            triangles,
            (values - self._level) / self._spread,
            tol=GRADIENT_TOLERANCE,
            maxiter=GRADIENT_STEPS,
        )

    def _check_spread(self) -> None:
        """Raise unless the places span an area."""
        xy = self.points_.xy
        if len(xy) < 3:
            fault = f"3 different places, found {len(xy)}"
        else:
            along, across = np.linalg.svd(xy - xy.mean(axis=0), compute_uv=False)
            if across > FLAT * along:
                return
            fault = f"an area, all {len(xy)} places lie on one line"
        message = (
            f"{type(self).__name__} needs {fault}. Give places that span an area, or "
            "use NearestNeighbor or InverseDistance."
        )
        raise InputError(message)

    def _tell_lost(self, numbers: list[int]) -> None:
        """Warn of data that coincide with another in the arithmetic of triangles."""
        if numbers:
            places = self.points_.xy[numbers].tolist()
            message = (
                f"{len(numbers)} data lie too close to another to be a corner of "
                f"triangles and are not used: at {places[:5]}. Merge them before."
            )
            warnings.warn(message, GeosoilWarning, stacklevel=4)

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block."""
        (estimate,) = answer_in_blocks(targets, self._block, step=BLOCK)
        return {"estimate": self._level + self._spread * estimate}

    def _block(self, targets: FloatArray) -> FloatArray:
        """Estimate at some targets in units of the data's spread."""
        found: FloatArray = self._surface(self._unit.scaled(targets))
        return found

    def _describe(self, dataset: xr.Dataset) -> xr.Dataset:
        """Count the targets outside the hull."""
        described = super()._describe(dataset)
        outside = int(np.isnan(described["estimate"].to_numpy()).sum())
        described.attrs["n_outside_hull"] = outside
        described["estimate"].attrs["comment"] = "NaN outside the hull of the data"
        return described

    def _settings(self) -> dict[str, Any]:
        """Return the method."""
        return {"method": self.method}
