"""Walks along a path of places, each value drawn given the nearest earlier ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.simulation_path import earlier_neighbors
from geosoil.interpolation.variogram import AnyVariogram, NestedVariogram, Variogram

IntArray = npt.NDArray[np.int32]

COVARIANCES = 2**18
"""Covariances among neighbours that are reckoned at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """Each node of a path as the weighted sum of its neighbours and a new number.

    Notes
    -----
    The value of node i given all before it is taken as that given its k nearest
    ones: w'z + s e, with C w = c the simple kriging system of the neighbours,
    s**2 = C(0) - w'c, and e a standard normal number.

    References
    ----------
    Vecchia (1988), Estimation and model identification for continuous spatial
    processes, Journal of the Royal Statistical Society B 50,
    doi:10.1111/j.2517-6161.1988.tb01729.x.

    Examples
    --------
    >>> line = np.array([[0.0, 0.0], [500.0, 0.0]])
    >>> model = Variogram("exponential", 0.0, 1.0, 500.0)
    >>> walk = Walk.of(model, line[:1], line[1:])
    >>> walk.go(np.array([[1.0, 0.0]])).round(6).tolist()
    [[0.367879]]
    """

    neighbors: IntArray
    """Indices among the given places and the nodes, shape (nodes, k)."""
    weights: FloatArray
    """Weight of each neighbour, shape (nodes, k); 0 where there is none."""
    left: FloatArray
    """Standard deviation that the neighbours leave, shape (nodes,)."""

    @classmethod
    def of(
        cls,
        variogram: AnyVariogram,
        given: FloatArray,
        nodes: FloatArray,
        *,
        noise: FloatArray | None = None,
        n_neighbors: int = 32,
    ) -> Walk:
        """Find the neighbours of the nodes and solve for their weights.

        Parameters
        ----------
        variogram : Variogram or NestedVariogram
            Covariance of the field. The nearest neighbours are those by the reduced
            distance of its anisotropy (of its largest structure where it is nested).
        given : array, shape (g, 2)
            Places with a value from the start [m].
        nodes : array, shape (m, 2)
            Places in the order of the path [m].
        noise : array, shape (g + m,), optional
            Variance of the error of the value at each place; none by default.
        n_neighbors : int
            Number of neighbours at most.

        Returns
        -------
        walk : Walk
            Neighbours and weights.
        """
        from geosoil.interpolation import _kernels_simulation  # noqa: PLC0415

        places = np.concatenate([given, nodes])
        extra = np.zeros(len(places)) if noise is None else noise
        found = earlier_neighbors(_reduced(variogram, places), len(given), n_neighbors)
        weights, left = np.empty(found.shape), np.empty(len(nodes))
        one, other = np.tril_indices(found.shape[1], -1)
        step = max(1, COVARIANCES // max(len(one), 1))
        for start in range(0, len(nodes), step):
            part = slice(start, start + step)
            index = found[part]
            there, xy = index >= 0, places[index]
            away = nodes[part, None] - xy
            apart = xy[:, one] - xy[:, other]
            near = variogram.covariance_of(away[..., 0], away[..., 1])
            between = variogram.covariance_of(apart[..., 0], apart[..., 1])
            left[part] = _kernels_simulation.solve_nodes(
                variogram.sill + extra[len(given) :][part],
                near * there,
                between * (there[:, one] & there[:, other]),
                (variogram.sill + extra[index]) * there,
                weights[part],
            )
        return cls(np.maximum(found, 0), weights, left)

    def go(self, values: FloatArray) -> FloatArray:
        """Draw the values at the nodes.

        Parameters
        ----------
        values : array, shape (realisations, g + nodes)
            The given values, and then one standard normal number a node, which are
            overwritten.

        Returns
        -------
        drawn : array, shape (realisations, nodes)
            Values in the order of the path, a view of the argument.
        """
        from geosoil.interpolation import _kernels_simulation  # noqa: PLC0415

        _kernels_simulation.walk(values, self.neighbors, self.weights, self.left)
        return values[:, values.shape[1] - len(self.left) :]

    def whiten(self, columns: FloatArray) -> FloatArray:
        """Return values at the nodes made independent of each other: the walk undone.

        Parameters
        ----------
        columns : array, shape (nodes, q)
            Values in the order of a path without given places.

        Returns
        -------
        white : array, shape (nodes, q)
            Numbers that the walk turns into the values.
        """
        expected = np.einsum("nk,nkq->nq", self.weights, columns[self.neighbors])
        return np.asarray((columns - expected) / self.left[:, None])


def without_nugget(variogram: AnyVariogram) -> AnyVariogram:
    """Return a variogram without its nugget and its error.

    Parameters
    ----------
    variogram : Variogram or NestedVariogram
        The model.

    Returns
    -------
    structure : Variogram or NestedVariogram
        What is left: the part of the field that neighbours tell of.

    Examples
    --------
    >>> without_nugget(Variogram("spherical", 0.2, 0.8, 1000.0)).sill
    0.8
    """
    if isinstance(variogram, NestedVariogram):
        parts = [replace(p, nugget=0.0, error=0.0) for p in variogram.structures]
        return replace(variogram, structures=tuple(parts))
    return replace(variogram, nugget=0.0, error=0.0)


def _reduced(variogram: AnyVariogram, xy: FloatArray) -> FloatArray:
    """Return places whose plain distances are those of the largest structure."""
    structures: tuple[Variogram, ...] = (
        variogram.structures if isinstance(variogram, NestedVariogram) else (variogram,)
    )
    anisotropy = max(structures, key=lambda part: part.partial_sill).anisotropy
    return xy if anisotropy is None else anisotropy.reduce(xy)
