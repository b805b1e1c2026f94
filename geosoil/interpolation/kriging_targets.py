"""What kriging estimates at: points, blocks around them, or the cells of a grid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
from pyproj import CRS, Transformer

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.drift import DriftBasis
from geosoil.interpolation.geodesic import Distance, offset_places

Block: TypeAlias = float | tuple[float, float] | Literal["cell"] | None
"""Side, width and height [m], or the cell of the grid; None for points."""

IntArray = npt.NDArray[np.int64]

PART = 4096
"""Blocks whose places are held together."""

ORDER = 4
"""Points of Gauss and Legendre along each side of a block."""


def _quadrature() -> tuple[FloatArray, FloatArray]:
    """Return points (q, 2) in a block of side 1 around 0, and their weights (q,)."""
    nodes, weights = np.polynomial.legendre.leggauss(ORDER)
    across, up = np.meshgrid(nodes / 2, nodes / 2)
    shares = np.outer(weights, weights) / 4
    return np.column_stack([across.ravel(), up.ravel()]), shares.ravel()


NODES, WEIGHTS = _quadrature()


class Support(Protocol):
    """The blocks over which values are averaged."""

    def nodes(self, places: FloatArray, numbers: IntArray) -> FloatArray:
        """Return the places (m, q, 2) whose weighted mean stands for each block."""


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Blocks of one width and height around their places.

    Examples
    --------
    >>> blocks = Rectangles((100.0, 100.0), "projected")
    >>> nodes = blocks.nodes(np.zeros((1, 2)), np.zeros(1, dtype=int))
    >>> nodes.shape, nodes.max().round(2).item()
    ((1, 16, 2), 43.06)
    """

    sides: tuple[float, float]
    """Width to the east and height to the north [m]."""
    distance: Distance
    """How distances are taken."""

    def nodes(self, places: FloatArray, numbers: IntArray) -> FloatArray:  # noqa: ARG002  as all supports
        """Return points of Gauss and Legendre in each block.

        Parameters
        ----------
        places : array, shape (m, 2)
            Middles of the blocks.
        numbers : array of int, shape (m,)
            Not needed.

        Returns
        -------
        nodes : array, shape (m, q, 2)
            Places in the blocks.
        """
        offsets = NODES * np.asarray(self.sides)
        if self.distance == "wgs84":
            return offset_places(places, offsets)
        moved: FloatArray = places[:, None, :] + offsets
        return moved


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a grid, as they lie in the CRS of the data.

    Examples
    --------
    >>> grid = Grid.from_bounds((0, 0, 200, 100), 100, "EPSG:32647")
    >>> nodes = Cells(grid, None).nodes(np.zeros((1, 2)), np.array([1]))
    >>> nodes.mean(axis=1).round(6).tolist()
    [[150.0, 50.0]]
    """

    grid: Grid
    """The grid."""
    crs: CRS | None
    """CRS of the data; None for the metres of the grid."""

    def nodes(self, places: FloatArray, numbers: IntArray) -> FloatArray:  # noqa: ARG002  as all supports
        """Return points of Gauss and Legendre in each cell.

        Parameters
        ----------
        places : array, shape (m, 2)
            Not needed.
        numbers : array of int, shape (m,)
            Number of each cell, row by row from the north.

        Returns
        -------
        nodes : array, shape (m, q, 2)
            Places in the cells.
        """
        rows, columns = np.divmod(numbers, self.grid.shape[1])
        width, height = self.grid.resolution
        x = self.grid.x[columns][:, None] + width * NODES[:, 0]
        y = self.grid.y[rows][:, None] + height * NODES[:, 1]
        if self.crs is not None and not self.grid.crs.equals(self.crs):
            transformer = Transformer.from_crs(self.grid.crs, self.crs, always_xy=True)
            x, y = transformer.transform(x, y)
        return np.stack([x, y], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Places to estimate at, with the blocks they stand for."""

    xy: FloatArray
    """Points, or middles of blocks, shape (m, 2)."""
    support: Support | None = None
    """The blocks; None for points."""
    numbers: IntArray | None = None
    """Number of each target among all that were asked for, shape (m,)."""

    def part(self, chosen: IntArray | slice) -> Targets:
        """Return some of the targets.

        Parameters
        ----------
        chosen : array of int or slice
            Which.

        Returns
        -------
        targets : Targets
            The part.
        """
        if self.support is None:
            return Targets(self.xy[chosen])
        numbers = np.arange(len(self.xy)) if self.numbers is None else self.numbers
        return Targets(self.xy[chosen], self.support, numbers[chosen])

    def nodes(self) -> FloatArray | None:
        """Return the places that stand for each block; None for points.

        Returns
        -------
        nodes : array, shape (m, q, 2), or None
            Their weights are :data:`WEIGHTS`.
        """
        if self.support is None:
            return None
        numbers = np.arange(len(self.xy)) if self.numbers is None else self.numbers
        return self.support.nodes(self.xy, numbers)


def target_columns(
    basis: DriftBasis | None, targets: Targets, external: FloatArray
) -> FloatArray:
    """Return the columns of a drift at targets.

    Parameters
    ----------
    basis : DriftBasis or None
        The drift; None where the mean is known.
    targets : Targets, m of them
        Points or blocks.
    external : array, shape (m, k)
        Its quantities beside the coordinates.

    Returns
    -------
    columns : array, shape (m, p)
        Coordinates are averaged over blocks, the rest is taken as given.

    Examples
    --------
    >>> target_columns(None, Targets(np.zeros((3, 2))), np.empty((3, 0))).shape
    (3, 0)
    """
    if basis is None:
        return np.empty((len(targets.xy), 0))
    columns = np.empty((len(targets.xy), len(basis.names) + 1))
    for start in range(0, len(columns), PART):
        part = slice(start, start + PART)
        some, own = targets.part(part), external[part]
        nodes = None if basis.coordinates is None else some.nodes()
        if nodes is None:
            columns[part] = basis.columns(some.xy, own)
        else:
            within = np.repeat(own[:, None, :], len(WEIGHTS), axis=1)
            columns[part] = np.einsum(
                "q,mqp->mp", WEIGHTS, basis.columns(nodes, within)
            )
    return columns


def block_sides(block: Block) -> tuple[float, float] | Literal["cell"] | None:
    """Return width and height of blocks after a check.

    Parameters
    ----------
    block : float, (float, float), "cell" or None
        As it was given.

    Returns
    -------
    sides : (float, float), "cell" or None
        Width and height [m].

    Raises
    ------
    InputError
        If a side is not above 0, or the word is another.

    Examples
    --------
    >>> block_sides(40)
    (40.0, 40.0)
    """
    if block is None or (isinstance(block, str) and block == "cell"):
        return block
    try:
        width, height = (float(side) for side in np.broadcast_to(block, 2))
    except ValueError:
        width, height = 0.0, 0.0
    if not (0 < width < np.inf and 0 < height < np.inf):
        message = (
            f"Invalid block {block!r}. Give a side or (width, height) in metres above "
            "0, or 'cell'."
        )
        raise InputError(message)
    return width, height
