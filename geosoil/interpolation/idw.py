"""Interpolation by weights that fall with a power of the distance."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyproj import CRS
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from geosoil.errors import InputError
from geosoil.interpolation.base import ALBERS, FloatArray, Interpolator
from geosoil.interpolation.geodesic import Distance, GlobeTree, geodesic_distances
from geosoil.interpolation.neighbors import Neighborhood

BLOCK = 2**18
"""Distances held at a time."""


class InverseDistance(Interpolator):
    """Average the data, each weighted by 1 / distance**power.

    Parameters
    ----------
    power : float
        Exponent of the distance, above 0.
    n_neighbors : int, optional
        Use the nearest ones only.
    max_distance : float, optional
        Use data within this distance only [m]; NaN where there are none.
    min_neighbors : int
        Number of data within reach below which the answer is NaN.
    distance : {"projected", "wgs84"}
        Whether distances are taken in the projection, or along the ellipsoid; bare
        arrays are then longitude and latitude [degrees].
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    InputError
        If a parameter cannot be.

    Notes
    -----
    estimate = sum(w z) / sum(w), w = d**-power. At a datum the estimate is that
    datum. The method knows no uncertainty: there is no kriging_variance, and a
    variance at fit is refused.

    References
    ----------
    Shepard (1968), A two-dimensional interpolation function for irregularly-spaced
    data, doi:10.1145/800186.810616.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [300.0, 0.0]]
    >>> surface = InverseDistance(power=1).fit(sites, [1.0, 4.0])
    >>> surface.predict([[100.0, 0.0], [300.0, 0.0]]).estimate.values.tolist()
    [2.0, 4.0]
    """

    method = "inverse distance weighting"

    def __init__(
        self,
        power: float = 2.0,
        *,
        n_neighbors: int | None = None,
        max_distance: float | None = None,
        min_neighbors: int = 1,
        distance: Distance = "projected",
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection, distance=distance)
        if not power > 0:
            message = f"Invalid power '{power}'. Give an exponent above 0."
            raise InputError(message)
        self.power = float(power)
        self.neighborhood = Neighborhood(n_neighbors, max_distance, min_neighbors)

    def _prepare(self) -> None:
        """Index the places."""
        if self.points_.variance is not None:
            message = (
                "InverseDistance cannot use the variance of the measurements. Leave "
                "it out, or use Kriging."
            )
            raise InputError(message)
        plane = self.distance == "projected"
        self.tree_ = (cKDTree if plane else GlobeTree)(self.points_.xy)

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block."""
        step = max(1, BLOCK // len(self.points_.values))
        estimate = np.full(len(targets), np.nan)
        placed = np.flatnonzero(np.isfinite(targets).all(axis=1))
        for start in range(0, len(placed), step):
            part = placed[start : start + step]
            estimate[part] = self._block(targets[part])
        return {"estimate": estimate}

    def _block(self, targets: FloatArray) -> FloatArray:
        """Estimate at some targets; NaN where no data are near enough."""
        values = self.points_.values
        if self.neighborhood.is_global(len(values)):
            distances = self._distances(targets)
            used = np.broadcast_to(values, distances.shape)
        else:
            indices, distances = self.neighborhood.search(self.tree_, targets)
            used = values[indices]
        nearest = distances.min(axis=1, keepdims=True)
        lonely = ~np.isfinite(nearest)
        # Relative to the nearest one, so that no power overflows.
        ratio = np.where(lonely, 1.0, nearest) / np.where(
            (distances > 0) & ~lonely, distances, 1.0
        )
        weights = np.where(nearest > 0, ratio**self.power, distances == 0)
        estimate = (weights * used).sum(axis=1) / weights.sum(axis=1)
        return np.where(lonely[:, 0], np.nan, estimate)

    def _distances(self, targets: FloatArray) -> FloatArray:
        """Return the distances of targets from all data."""
        if self.distance == "projected":
            return cdist(targets, self.points_.xy)
        return geodesic_distances(targets[:, None, :], self.points_.xy)

    def _settings(self) -> dict[str, Any]:
        """Return the method with its parameters."""
        settings = {
            "method": self.method,
            "power": self.power,
            **self.neighborhood.settings(),
        }
        plane = self.distance == "projected"
        return settings if plane else {**settings, "distance": self.distance}
