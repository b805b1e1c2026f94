"""Which data each target uses: the nearest ones, or those within a distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from geosoil.errors import InputError
from geosoil.interpolation.geodesic import GlobeTree

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

Tree: TypeAlias = cKDTree | GlobeTree
"""What finds the nearest data: a k-d tree of the plane, or one of the globe."""

TIES = 8
"""Neighbours beyond the last one that are looked at, so that ties go by index."""


@dataclass(frozen=True, slots=True)
class Neighborhood:
    """How many data a target uses, and how far away at most.

    Raises
    ------
    InputError
        If a number leaves no data, or more are asked for than are allowed.

    Notes
    -----
    Data are ranked by their distance; those at exactly the same distance go by their
    index, the order in which they were given. A target with fewer than
    ``min_neighbors`` of them gets none.

    Examples
    --------
    >>> Neighborhood(n_neighbors=4).is_global(4), Neighborhood(3).is_global(4)
    (True, False)
    """

    n_neighbors: int | None = None
    """Number of nearest data; None for all."""
    max_distance: float | None = None
    """Farthest distance [m]; None for any."""
    min_neighbors: int = 1
    """Number of data within reach below which there is no answer."""

    def __post_init__(self) -> None:
        """Raise on numbers that leave no data, all at once."""
        faults = []
        if self.n_neighbors is not None and self.n_neighbors < 1:
            faults.append(f"Invalid n_neighbors '{self.n_neighbors}'. Give 1 or more.")
        if self.max_distance is not None and not self.max_distance > 0:
            faults.append(
                f"Invalid max_distance '{self.max_distance}'. Give metres above 0."
            )
        if self.min_neighbors < 1:
            faults.append(
                f"Invalid min_neighbors '{self.min_neighbors}'. Give 1 or more."
            )
        elif self.n_neighbors is not None and self.min_neighbors > self.n_neighbors > 0:
            faults.append(
                f"min_neighbors {self.min_neighbors} is more than n_neighbors "
                f"{self.n_neighbors}: no target would be answered. Give fewer."
            )
        if faults:
            message = " ".join(faults)
            raise InputError(message)

    def is_global(self, count: int) -> bool:
        """Return whether every target uses all of a number of data.

        Parameters
        ----------
        count : int
            Number of data.

        Returns
        -------
        is_global : bool
            False also where there are too few data for any target.
        """
        enough = self.n_neighbors is None or self.n_neighbors >= count
        return enough and self.max_distance is None and self.min_neighbors <= count

    def settings(self) -> dict[str, float]:
        """Return what a surface should say of its neighbourhood.

        Returns
        -------
        settings : dict of str to number
            The limits that are set.
        """
        limits = {
            "n_neighbors": self.n_neighbors,
            "max_distance": self.max_distance,
            "min_neighbors": self.min_neighbors if self.min_neighbors > 1 else None,
        }
        return {name: limit for name, limit in limits.items() if limit is not None}

    def search(self, tree: Tree, targets: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the data that each target uses.

        Parameters
        ----------
        tree : cKDTree or GlobeTree of the n data
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
        indices, distances = _nearest(tree, targets, wanted)
        beyond = ~(distances <= reach)
        few = (~beyond).sum(axis=1) < self.min_neighbors
        beyond |= few[:, None]
        return np.where(beyond, 0, indices), np.where(beyond, np.inf, distances)


def _nearest(
    tree: Tree, targets: FloatArray, wanted: int
) -> tuple[IntArray, FloatArray]:
    """Return the nearest data by distance, then index.

    Where the last of the candidates ties with the last one wanted, others that tie may
    not be among the candidates: more are asked for.
    """
    more = TIES
    while True:
        ranks: Sequence[int] = range(1, min(wanted + more, tree.n) + 1)
        near, index = (np.asarray(part) for part in tree.query(targets, k=ranks))
        order = np.lexsort((index, near), axis=1)
        distances = np.take_along_axis(near, order, axis=1)
        tied = distances[:, wanted - 1] == distances[:, -1]
        if len(ranks) == tree.n or not tied.any():
            indices = np.take_along_axis(index, order[:, :wanted], axis=1)
            return indices.astype(np.int64), distances[:, :wanted]
        more *= 4
