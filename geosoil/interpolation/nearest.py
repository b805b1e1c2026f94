"""Interpolation by the value of the nearest datum."""

from __future__ import annotations

from typing import Any

import numpy as np
from pyproj import CRS
from scipy.spatial import cKDTree

from geosoil.interpolation.base import ALBERS, FloatArray, Interpolator
from geosoil.interpolation.deterministic import answer_in_blocks, refuse_variance
from geosoil.interpolation.geodesic import Distance, GlobeTree
from geosoil.interpolation.neighbors import Neighborhood

BLOCK = 2**14
"""Targets at a time."""


class NearestNeighbor(Interpolator):
    """Take the value of the nearest datum, so that the map is one of polygons.

    Parameters
    ----------
    max_distance : float, optional
        Use data within this distance only [m]; NaN where there are none.
    distance : {"projected", "wgs84"}
        Whether distances are taken in the projection, or along the ellipsoid; bare
        arrays are then longitude and latitude [degrees].
    projection : str or CRS
        Projected CRS for points in degrees.

    Raises
    ------
    InputError
        If the distance is not above 0; from fit, if a variance is given.

    Notes
    -----
    The polygons are those of Thiessen (1911). A target at one distance from several
    data takes the first of them in the order of the points. There is no
    kriging_variance.

    References
    ----------
    Thiessen (1911), Precipitation averages for large areas, Monthly Weather Review 39,
    doi:10.1175/1520-0493(1911)39<1082b:PAFLA>2.0.CO;2.

    Examples
    --------
    >>> sites = [[0.0, 0.0], [300.0, 0.0]]
    >>> surface = NearestNeighbor(max_distance=200.0).fit(sites, [1.0, 4.0])
    >>> surface.predict([[100.0, 0.0], [150.0, 0.0], [501.0, 0.0]]).estimate.values
    array([ 1.,  1., nan])
    """

    method = "nearest neighbour"

    def __init__(
        self,
        *,
        max_distance: float | None = None,
        distance: Distance = "projected",
        projection: str | CRS = ALBERS,
    ) -> None:
        super().__init__(projection=projection, distance=distance)
        self.neighborhood = Neighborhood(1, max_distance)

    def _prepare(self) -> None:
        """Index the places."""
        refuse_variance(self.points_, type(self).__name__)
        plane = self.distance == "projected"
        self.tree_ = (cKDTree if plane else GlobeTree)(self.points_.xy)

    def _estimate(self, targets: FloatArray) -> dict[str, FloatArray]:
        """Estimate block by block."""
        (estimate,) = answer_in_blocks(targets, self._block, step=BLOCK)
        return {"estimate": estimate}

    def _block(self, targets: FloatArray) -> FloatArray:
        """Estimate at some targets; NaN where no datum is near enough."""
        index, distance = self.neighborhood.search(self.tree_, targets)
        nearest: FloatArray = self.points_.values[index[:, 0]]
        return np.where(np.isfinite(distance[:, 0]), nearest, np.nan)

    def _settings(self) -> dict[str, Any]:
        """Return the method with its reach."""
        reach = self.neighborhood.max_distance
        settings = {
            "method": self.method,
            "max_distance": reach,
            "distance": None if self.distance == "projected" else self.distance,
        }
        return {key: value for key, value in settings.items() if value is not None}
