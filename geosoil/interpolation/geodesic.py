"""Distances on the ellipsoid of the Earth, and the nearest data by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Geod
from scipy.spatial import cKDTree

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Distance = Literal["projected", "wgs84"]
"""How distances are taken: in the plane of a projection, or along the ellipsoid."""

WGS84 = CRS.from_epsg(4326)
"""CRS of places whose distances are taken along the ellipsoid."""

_ELLIPSOID = Geod(ellps="WGS84")


def geodesic_distances(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Return the lengths of the shortest lines between places on WGS84.

    Parameters
    ----------
    first : array, shape (..., 2)
        Longitude and latitude [degrees].
    second : array, shape (..., 2)
        Others, which are broadcast against the first.

    Returns
    -------
    distances : array
        Distances [m]; exactly 0 where places are equal.

    References
    ----------
    Karney (2013), Algorithms for geodesics, Journal of Geodesy 87,
    doi:10.1007/s00190-012-0578-z.

    Examples
    --------
    >>> geodesic_distances([95.0, 35.0], [[96.0, 35.0], [95.0, 36.0]]).round().tolist()
    [91288.0, 110950.0]
    """
    one, other = np.broadcast_arrays(
        np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    )
    _, _, distances = _ELLIPSOID.inv(
        one[..., 0].ravel(),
        one[..., 1].ravel(),
        other[..., 0].ravel(),
        other[..., 1].ravel(),
    )
    return np.asarray(distances, dtype=np.float64).reshape(one.shape[:-1])


def offset_places(places: FloatArray, offsets: FloatArray) -> FloatArray:
    """Return places that lie some metres to the east and north of others.

    Parameters
    ----------
    places : array, shape (m, 2)
        Longitude and latitude [degrees].
    offsets : array, shape (q, 2)
        Metres to the east and to the north.

    Returns
    -------
    moved : array, shape (m, q, 2)
        Longitude and latitude [degrees].

    Examples
    --------
    >>> offset_places(np.array([[95.0, 35.0]]), np.array([[0.0, 110950.4]])).round(3)
    array([[[95., 36.]]])
    """
    azimuth = np.degrees(np.arctan2(offsets[:, 0], offsets[:, 1]))
    shape = (len(places), len(offsets))
    lon, lat, _ = _ELLIPSOID.fwd(
        np.repeat(places[:, 0], len(offsets)),
        np.repeat(places[:, 1], len(offsets)),
        np.tile(azimuth, len(places)),
        np.tile(np.hypot(offsets[:, 0], offsets[:, 1]), len(places)),
    )
    return np.stack([np.reshape(lon, shape), np.reshape(lat, shape)], axis=-1)


def check_degrees(places: FloatArray) -> None:
    """Raise unless places are longitude and latitude.

    Parameters
    ----------
    places : array, shape (n, 2)
        Places; NaN missing.

    Raises
    ------
    InputError
        If a latitude lies beyond the poles or a longitude beyond a full turn.

    Examples
    --------
    >>> check_degrees(np.array([[95.0, 35.0]]))
    """
    odd = (np.abs(places[:, 0]) > 360) | (np.abs(places[:, 1]) > 90)
    if odd.any():
        rows = np.flatnonzero(odd)
        x, y = places[rows[0]]
        message = (
            f"distance 'wgs84' takes longitude and latitude in degrees; {len(rows)} "
            f"places are none, the first ({x:g}, {y:g}) in row {rows[0]}. Give a "
            "GeoDataFrame with a CRS, or degrees."
        )
        raise InputError(message)


class GlobeTree:
    """Finds the nearest of places on the ellipsoid.

    Parameters
    ----------
    places : array, shape (n, 2)
        Longitude and latitude [degrees].

    Notes
    -----
    The tree ranks by the straight line through the Earth, which is never longer than
    the geodesic. Within 1000 km it ranks as the geodesic does, but for places whose
    distances differ by less than two parts in 100,000; whoever asks for some more
    candidates than needed can rank those by their geodesics.

    Examples
    --------
    >>> tree = GlobeTree(np.array([[95.0, 35.0], [96.0, 35.0]]))
    >>> distances, indices = tree.query(np.array([[95.9, 35.0]]), k=[1])
    >>> distances.round().tolist(), indices.tolist()
    ([[9129.0]], [[1]])
    """

    def __init__(self, places: FloatArray) -> None:
        self.places = places
        self.n = len(places)
        self._chords = cKDTree(_cartesian(places))

    def query(self, x: FloatArray, k: Sequence[int]) -> tuple[FloatArray, IntArray]:
        """Return the geodesic distances and indices of the nearest places.

        Parameters
        ----------
        x : array, shape (m, 2)
            Longitude and latitude [degrees].
        k : sequence of int
            Ranks by the chord, from 1.

        Returns
        -------
        distances : array, shape (m, k)
            Geodesic distances [m], not sorted.
        indices : array of int, shape (m, k)
            The places.
        """
        _, found = self._chords.query(_cartesian(x), k=k)
        indices = np.asarray(found, dtype=np.int64)
        return geodesic_distances(x[:, None, :], self.places[indices]), indices

    def query_ball_point(
        self,
        x: FloatArray,
        r: float,
        *,
        return_length: Literal[True],  # noqa: ARG002  as cKDTree has it
    ) -> IntArray:
        """Return how many places a chord of a length reaches.

        Parameters
        ----------
        x : array, shape (m, 2)
            Longitude and latitude [degrees].
        r : float
            Length [m].
        return_length : True
            Numbers alone are returned.

        Returns
        -------
        counts : array of int, shape (m,)
            At least as many as lie within the distance along the ellipsoid.
        """
        counts = self._chords.query_ball_point(_cartesian(x), r, return_length=True)
        return np.asarray(counts, dtype=np.int64)


def _cartesian(places: FloatArray) -> FloatArray:
    """Return places on the ellipsoid as X, Y, Z from the middle of the Earth [m]."""
    lon, lat = np.radians(places[:, 0]), np.radians(places[:, 1])
    squash = 1.0 - _ELLIPSOID.es
    normal = _ELLIPSOID.a / np.sqrt(1.0 - _ELLIPSOID.es * np.sin(lat) ** 2)
    flat = normal * np.cos(lat)
    return np.column_stack(
        [flat * np.cos(lon), flat * np.sin(lon), squash * normal * np.sin(lat)]
    )
