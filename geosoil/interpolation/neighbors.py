"""Which data each target uses: the nearest ones, or those within a distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

TIES = 8
"""Neighbours beyond the last one that are looked at, so that ties go by index."""


@dataclass(frozen=True, slots=True)
class Neighborhood:
    """How many data a target uses, and how far away at most."""

    n_neighbors: int | None = None
    """Number of nearest data; None for all."""
    max_distance: float | None = None
    """Farthest distance [m]; None for any."""

    def __post_init__(self) -> None:
        """Raise on numbers that leave no data."""
        if self.n_neighbors is not None and self.n_neighbors < 1:
            message = f"Invalid n_neighbors '{self.n_neighbors}'. Give 1 or more."
            raise InputError(message)
        if self.max_distance is not None and not self.max_distance > 0:
            message = (
                f"Invalid max_distance '{self.max_distance}'. Give metres above 0."
            )
            raise InputError(message)

    def is_global(self, count: int) -> bool:
        """Return whether every target uses all of a number of data."""
        enough = self.n_neighbors is None or self.n_neighbors >= count
        return enough and self.max_distance is None

    def search(
        self, tree: cKDTree, targets: FloatArray
    ) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Return the data that each target uses.

        Parameters
        ----------
        tree : cKDTree of the n data
            Places of the data.
        targets : array, shape (m, 2)
            Places to be estimated.

        Returns
        -------
        indices : array of int, shape (m, k)
            Data by rising distance, ties by index; 0 where there is none.
        distances : array, shape (m, k)
            Distances; inf where there is none.
        """
        reach = np.inf if self.max_distance is None else self.max_distance
        wanted = tree.n if self.n_neighbors is None else min(self.n_neighbors, tree.n)
        if self.n_neighbors is None:
            counts = tree.query_ball_point(targets, reach, return_length=True)
            wanted = max(int(np.max(counts)), 1)
        near, index = tree.query(targets, k=range(1, min(wanted + TIES, tree.n) + 1))
        near, index = np.asarray(near), np.asarray(index)
        order = np.lexsort((index, near), axis=1)[:, :wanted]
        distances = np.take_along_axis(near, order, axis=1)
        indices = np.take_along_axis(index, order, axis=1)
        beyond = ~(distances <= reach)
        return np.where(beyond, 0, indices), np.where(beyond, np.inf, distances)
