"""Which data are left out together: one by one, at random, in blocks, by site."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.interpolation.variogram import fit_variogram

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

FoldKind = Literal["loo", "kfold", "block", "site"]

WIDEST_BLOCK = 3
"""A block by default spans at most one part in this many of the longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """How data are put into folds; those at one and the same place stay together.

    Raises
    ------
    InputError
        If the kind is unknown, a number cannot be, "kfold" has no rng or "site" no
        groups.

    Examples
    --------
    >>> Folds("site", groups=["a", "a", "b"]).kind
    'site'
    """

    kind: FoldKind = "loo"
    """"loo": each place by itself; "kfold": places at random; "block": squares;
    "site": by label."""
    n_folds: int = 10
    """Number of folds of "kfold"."""
    block_size: float | None = None
    """Side of the squares of "block" [m]; None takes the range of a spherical
    variogram of the values, but at most a third of the longer side of the points'
    box."""
    groups: npt.ArrayLike | None = None
    """Label of each point for "site", shape (n,): parallel samples and the depths of a
    profile carry one label."""
    rng: np.random.Generator | None = None
    """Generator that draws the folds of "kfold"."""

    def __post_init__(self) -> None:
        """Raise on settings that make no folds."""
        faults = []
        if self.kind not in get_args(FoldKind):
            faults.append(f"kind '{self.kind}' is none of {get_args(FoldKind)}")
        if self.n_folds < 2:
            faults.append(f"n_folds is {self.n_folds}, it must be 2 or more")
        if self.block_size is not None and not self.block_size > 0:
            faults.append(f"block_size is {self.block_size}, it must be above 0 m")
        if self.kind == "kfold" and self.rng is None:
            faults.append("'kfold' needs rng, for instance numpy.random.default_rng(1)")
        if self.kind == "site" and self.groups is None:
            faults.append("'site' needs groups, one label a point")
        if faults:
            message = f"Invalid folds: {'; '.join(faults)}."
            raise InputError(message)

    def part(self, chosen: BoolArray) -> Folds:
        """Return the folds of some of the points.

        Parameters
        ----------
        chosen : array of bool, shape (n,)
            Points to keep.

        Returns
        -------
        folds : Folds
            The same rule, with the labels of these points.

        Raises
        ------
        InputError
            If there is not one label a point, or one is missing.
        """
        if self.groups is None:
            return self
        groups = np.asarray(self.groups, dtype=object)
        if groups.shape != chosen.shape:
            message = f"{len(chosen)} points, but groups of shape {groups.shape}."
            raise InputError(message)
        missing = np.flatnonzero(chosen & np.asarray(pd.isna(groups), dtype=bool))
        if missing.size:
            message = f"Points {missing.tolist()} have no group. Give each one a label."
            raise InputError(message)
        return replace(self, groups=groups[chosen])


def place_numbers(xy: FloatArray) -> IntArray:
    """Give each different place a number, by their first appearance.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Positions.

    Returns
    -------
    places : array of int, shape (n,)
        Number of each point's place, from 0.

    Examples
    --------
    >>> place_numbers(np.array([[5.0, 1.0], [2.0, 1.0], [5.0, 1.0]])).tolist()
    [0, 1, 0]
    """
    groups = pd.DataFrame({"x": xy[:, 0], "y": xy[:, 1]}).groupby(
        ["x", "y"], sort=False
    )
    return np.asarray(groups.ngroup(), dtype=np.int64)


def default_block_size(xy: FloatArray, values: FloatArray) -> float:
    """Return the side of a block by the distance over which values are alike.

    Parameters
    ----------
    xy : array, shape (n, 2)
        Positions [m].
    values : array, shape (n,)
        Values.

    Returns
    -------
    size : float
        Range of a spherical variogram [m], or the cutoff of its fit where it is pure
        nugget; at most a third of the longer side of the points' box.

    Raises
    ------
    InputError
        If fewer than 3 different places are given.

    Notes
    -----
    Blocks narrower than the range leave data behind that still resemble those left
    out (Roberts et al. 2017).

    References
    ----------
    Roberts et al. (2017), Cross-validation strategies for data with temporal, spatial,
    hierarchical, or phylogenetic structure, Ecography 40, doi:10.1111/ecog.02881.

    Examples
    --------
    >>> x = np.arange(30.0) * 100.0
    >>> sites = np.column_stack([x, np.zeros(30)])
    >>> round(default_block_size(sites, np.sin(x / 500.0)))
    967
    """
    reach = fit_variogram(xy, values).range_
    return min(reach, float(np.ptp(xy, axis=0).max()) / WIDEST_BLOCK)


def fold_labels(
    folds: Folds, xy: FloatArray, *, block_size: float | None = None
) -> IntArray:
    """Give each point the number of its fold.

    Parameters
    ----------
    folds : Folds
        The rule.
    xy : array, shape (n, 2)
        Positions [m], all finite.
    block_size : float, optional
        Side of a block [m]; needed by "block".

    Returns
    -------
    labels : array of int, shape (n,)
        Fold of each point, 0 to k - 1, each of them taken.

    Raises
    ------
    InputError
        If points of one place carry several labels, there are more folds than places,
        all points fall in one fold, or the size of a block is not given.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [90.0, 0.0], [110.0, 0.0], [300.0, 0.0]])
    >>> fold_labels(Folds("block"), xy, block_size=100.0).tolist()
    [0, 0, 1, 2]
    """
    places = place_numbers(xy)
    if folds.kind == "loo":
        labels = places
    elif folds.kind == "kfold":
        labels = _drawn(folds, int(places.max()) + 1)[places]
    elif folds.kind == "block":
        labels = _squares(xy, block_size)
    else:
        groups = np.asarray(folds.groups, dtype=object)
        labels = np.asarray(pd.factorize(groups)[0], dtype=np.int64)
        _check_one_group(labels, places)
    count = int(labels.max()) + 1
    if count < 2:
        message = (
            f"All {len(xy)} points fall in one fold of '{folds.kind}': nothing is left "
            "to predict them from. Give smaller blocks or more groups."
        )
        raise InputError(message)
    return labels


def _drawn(folds: Folds, n_places: int) -> IntArray:
    """Draw a fold of nearly equal size for each place."""
    if folds.n_folds > n_places:
        message = f"{folds.n_folds} folds of {n_places} places. Give fewer folds."
        raise InputError(message)
    rng = folds.rng or np.random.default_rng()
    return rng.permutation(np.arange(n_places) % folds.n_folds).astype(np.int64)


def _squares(xy: FloatArray, block_size: float | None) -> IntArray:
    """Give each point its square, counted from the lower left corner of their box."""
    if block_size is None:
        message = "Blocks need a size. Give block_size in metres."
        raise InputError(message)
    start = xy.min(axis=0)
    # A point on the far edge belongs to the last square, it makes none of its own.
    last = np.maximum(np.ceil(np.ptp(xy, axis=0) / block_size - 1e-9) - 1, 0)
    cells = np.minimum(np.floor((xy - start) / block_size), last)
    return place_numbers(cells)


def _check_one_group(labels: IntArray, places: IntArray) -> None:
    """Raise where points at one place carry different labels."""
    kinds = pd.Series(labels).groupby(places).transform("nunique").to_numpy()
    rows = np.flatnonzero(kinds > 1).tolist()
    if rows:
        message = (
            f"Points {rows} share their place with a point of another group, which "
            "would give their value away. Give the points of one place one group."
        )
        raise InputError(message)
