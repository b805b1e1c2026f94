"""Covariances of data, points and blocks, in the plane or on the ellipsoid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geosoil.errors import InputError
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.geodesic import Distance, geodesic_distances
from geosoil.interpolation.kriging_targets import WEIGHTS, Targets
from geosoil.interpolation.variogram_nested import AnyVariogram


@dataclass(frozen=True, slots=True)
class Covariances:
    """A variogram with the way in which its distances are taken.

    Raises
    ------
    InputError
        If a variogram with a direction is to take geodesic distances.

    Examples
    --------
    >>> from geosoil.interpolation.variogram import Variogram
    >>> model = Covariances(Variogram("spherical", 0.1, 0.9, 1000.0), "projected")
    >>> model.between(np.zeros((1, 2)), np.array([[0.0, 0.0], [500.0, 0.0]])).tolist()
    [[1.0, 0.28125]]
    """

    variogram: AnyVariogram
    """The variogram."""
    distance: Distance
    """How distances are taken."""

    def __post_init__(self) -> None:
        """Raise where a direction has no meaning."""
        if self.distance == "wgs84" and not self.variogram.is_isotropic:
            message = (
                "A variogram with a direction needs a plane. Give one that is the same "
                "in all directions, or distance 'projected'."
            )
            raise InputError(message)

    def between(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Return the covariances of places with others.

        Parameters
        ----------
        first : array, shape (n, 2)
            Places.
        second : array, shape (m, 2)
            Other places, or the same.

        Returns
        -------
        covariance : array, shape (n, m)
            The nugget only where places are equal, the error nowhere.
        """
        if self.distance == "projected":
            return self.variogram.covariance_between(first, second)
        return self.variogram.covariance(geodesic_distances(first[:, None], second))

    def pairs(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Return the covariances of pairs of places.

        Parameters
        ----------
        first : array, shape (..., 2)
            Places.
        second : array, shape (..., 2)
            Others, which are broadcast against the first.

        Returns
        -------
        covariance : array
            As :meth:`between`.
        """
        if self.distance == "projected":
            apart = first - second
            return self.variogram.covariance_of(apart[..., 0], apart[..., 1])
        return self.variogram.covariance(geodesic_distances(first, second))

    def with_targets(self, xy: FloatArray, targets: Targets) -> FloatArray:
        """Return the covariances of data with targets.

        Parameters
        ----------
        xy : array, shape (n, 2)
            Places of the data.
        targets : Targets, m of them
            Points or blocks.

        Returns
        -------
        covariance : array, shape (n, m)
            Means over the blocks; the nugget where a datum lies on one of the places
            that stand for the block.
        """
        nodes = targets.nodes()
        if nodes is None:
            return self.between(xy, targets.xy)
        flat = self.between(xy, nodes.reshape(-1, 2))
        return flat.reshape(len(xy), *nodes.shape[:2]) @ WEIGHTS

    def with_neighbors(self, xy: FloatArray, targets: Targets) -> FloatArray:
        """Return the covariances of each target with data of its own.

        Parameters
        ----------
        xy : array, shape (m, k, 2)
            Places of the data of each target.
        targets : Targets, m of them
            Points or blocks.

        Returns
        -------
        covariance : array, shape (m, k)
            As :meth:`with_targets`.
        """
        nodes = targets.nodes()
        if nodes is None:
            return self.pairs(targets.xy[:, None, :], xy)
        return self.pairs(nodes[:, None, :, :], xy[:, :, None, :]) @ WEIGHTS

    def of_targets(self, targets: Targets) -> FloatArray:
        """Return the variance of the field at each target.

        Parameters
        ----------
        targets : Targets, m of them
            Points or blocks.

        Returns
        -------
        variance : array, shape (m,)
            The sill of points; of blocks the mean covariance within, in which the
            nugget averages out.
        """
        nodes = targets.nodes()
        if nodes is None:
            return np.full(len(targets.xy), self.variogram.sill)
        within = self.pairs(nodes[:, :, None, :], nodes[:, None, :, :])
        own = self.variogram.nugget * (WEIGHTS @ WEIGHTS)
        return (within @ WEIGHTS) @ WEIGHTS - own
