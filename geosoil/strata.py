"""Class edges and labels: period, elevation band, aspect, soil layer, vegetation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError

PERIODS: tuple[str, ...] = ("June", "August", "September")
"""Sampling months of the paper, in order."""

PHASES: dict[str, str] = {"June": "early", "August": "heavy", "September": "end"}
"""Ablation phase of each period."""

MONTHS: dict[str, int] = {"June": 6, "August": 8, "September": 9}
"""Calendar month of each period."""

WATERS: tuple[str, ...] = (
    "soil",
    "precipitation",
    "ground_ice",
    "snowmelt",
    "river",
    "supra_permafrost",
)
"""Kinds of water a sample may hold."""

ELEVATION_EDGES: tuple[float, ...] = (3000.0, 3500.0, 4000.0, 4500.0, 5100.0)
"""Edges of the paper's elevation bands [m]; bands are half-open, [lower, upper)."""

DEPTH_EDGES: tuple[float, ...] = (0.0, 20.0, 40.0, 60.0, 80.0)
"""Edges of the paper's soil layers [cm]; layers are half-open, [top, bottom)."""

VEGETATION: tuple[str, ...] = ("grassland", "meadow", "forest", "scrub", "desert")
"""Vegetation classes."""

ASPECTS: tuple[str, ...] = ("N", "E", "S", "W", "flat")
"""Four aspect sectors and flat ground."""

SHADED: tuple[str, ...] = ("N", "E")
"""Aspects of shaded slopes; sunny slopes are S and W, flat ground is neither."""

OUTSIDE = "outside"
"""Label of a value that lies in no class."""

FloatArray = npt.NDArray[np.float64]


def classify(
    values: npt.ArrayLike, edges: tuple[float, ...]
) -> npt.NDArray[np.object_]:
    """Label values by half-open classes [lower, upper).

    Parameters
    ----------
    values : array, shape (n,)
        Values to label; NaN gives ``"outside"``.
    edges : tuple of float
        Class edges, rising.

    Returns
    -------
    labels : array of str, shape (n,)
        ``"3000-3500"`` and so on, ``"outside"`` beyond the edges.

    Raises
    ------
    InputError
        If the edges do not rise.

    Examples
    --------
    >>> classify([3500.0, 5100.0], (3000.0, 3500.0, 5100.0)).tolist()
    ['3500-5100', 'outside']
    """
    bounds = np.asarray(edges, dtype=float)
    if bounds.size < 2 or not np.all(np.diff(bounds) > 0):
        message = f"Invalid class edges {edges}. Give two or more rising numbers."
        raise InputError(message)
    labels = np.array([*class_labels(edges), OUTSIDE], dtype=object)
    numbers = np.asarray(values, dtype=float)
    index = np.searchsorted(bounds, numbers, side="right") - 1
    index[(index < 0) | (index >= bounds.size - 1) | np.isnan(numbers)] = -1
    return labels[index]


def class_labels(edges: tuple[float, ...]) -> tuple[str, ...]:
    """Return the labels of the classes between edges.

    Parameters
    ----------
    edges : tuple of float
        Class edges, rising.

    Returns
    -------
    labels : tuple of str
        One label a class.

    Examples
    --------
    >>> class_labels((0.0, 20.0, 40.0))
    ('0-20', '20-40')
    """
    return tuple(f"{a:g}-{b:g}" for a, b in pairwise(edges))


def aspect_sector(
    aspect: npt.ArrayLike, slope: npt.ArrayLike, *, flat_below: float = 2.0
) -> npt.NDArray[np.object_]:
    """Label terrain aspect by four sectors and flat ground.

    Parameters
    ----------
    aspect : array, shape (n,)
        Aspect, clockwise from north [degree].
    slope : array, shape (n,)
        Slope [degree].
    flat_below : float
        Slope below which ground counts as flat [degree].

    Returns
    -------
    labels : array of str, shape (n,)
        N [315, 45), E [45, 135), S [135, 225), W [225, 315) or flat.

    Examples
    --------
    >>> aspect_sector([350.0, 45.0, 90.0], [10.0, 10.0, 0.5]).tolist()
    ['N', 'E', 'flat']
    """
    degrees = np.asarray(aspect, dtype=float)
    steepness = np.asarray(slope, dtype=float)
    known = np.isfinite(degrees)
    sector = np.zeros(degrees.shape, dtype=int)
    sector[known] = np.floor((degrees[known] + 45.0) % 360.0 / 90.0).astype(int)
    labels = np.array(ASPECTS, dtype=object)[sector]
    labels[~known | (steepness < flat_below)] = "flat"
    return labels


def exposure(aspect: pd.Series) -> pd.Series:
    """Group aspect labels into shaded (N, E), sunny (S, W) and flat.

    Parameters
    ----------
    aspect : Series of str
        Labels N, E, S, W or flat.

    Returns
    -------
    exposure : Series of str
        ``"shaded"``, ``"sunny"`` or ``"flat"``; other labels stay missing.

    Examples
    --------
    >>> exposure(pd.Series(["N", "S", "flat"])).tolist()
    ['shaded', 'sunny', 'flat']
    """
    table: dict[str, Literal["shaded", "sunny", "flat"]] = {
        "N": "shaded",
        "E": "shaded",
        "S": "sunny",
        "W": "sunny",
        "flat": "flat",
    }
    return aspect.map(table)


@dataclass(frozen=True, slots=True)
class StrataEdges:
    """Edges and labels of the classes that follow from elevation and depth."""

    elevation: tuple[float, ...] = ELEVATION_EDGES
    """Edges of the elevation bands [m]; half-open, [lower, upper)."""
    depth: tuple[float, ...] = DEPTH_EDGES
    """Edges of the soil layers [cm]; half-open, [top, bottom)."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Own names of classes, such as ``{"0-20": "topsoil"}``."""

    def __post_init__(self) -> None:
        """Check that names belong to classes and do not join two of them."""
        for edges in (self.elevation, self.depth):
            classify([], edges)
        known = [*class_labels(self.elevation), *class_labels(self.depth)]
        strange = [name for name in self.labels if name not in known]
        if strange:
            message = (
                f"Labels are given for {', '.join(strange)}, which no class is called. "
                f"Classes: {', '.join(known)}."
            )
            raise InputError(message)
        for edges in (self.elevation, self.depth):
            named = self.names(edges)
            if len(set(named)) < len(named):
                message = f"Two classes have one label: {', '.join(named)}."
                raise InputError(message)

    def names(self, edges: tuple[float, ...]) -> list[str]:
        """Return the names of the classes between edges.

        Parameters
        ----------
        edges : tuple of float
            ``elevation`` or ``depth``.

        Returns
        -------
        names : list of str
            Own names, or "lower-upper".

        Examples
        --------
        >>> StrataEdges(depth=(0.0, 20.0, 40.0), labels={"0-20": "top"}).names(
        ...     (0.0, 20.0, 40.0))
        ['top', '20-40']
        """
        return [self.labels.get(name, name) for name in class_labels(edges)]


PAPER_EDGES = StrataEdges()
"""Classes of the paper."""


def add_strata(
    samples: pd.DataFrame, *, edges: StrataEdges = PAPER_EDGES
) -> pd.DataFrame:
    """Add the elevation band and the soil layer of each sample.

    Parameters
    ----------
    samples : DataFrame
        One row a sample; ``elevation`` [m] and ``depth_top`` [cm] where known.
    edges : StrataEdges
        Edges and labels of the classes.

    Returns
    -------
    labelled : DataFrame
        Copy with the categorical columns ``elevation_band`` and ``soil_layer`` for
        the columns that are there. A value beyond the edges is "outside"; a class
        without samples remains a category.

    Examples
    --------
    >>> table = pd.DataFrame({"elevation": [4100.0, 3400.0, 9000.0]})
    >>> add_strata(table)["elevation_band"].tolist()
    ['4000-4500', '3000-3500', 'outside']
    """
    labelled = samples.copy()
    for source, column, limits in (
        ("elevation", "elevation_band", edges.elevation),
        ("depth_top", "soil_layer", edges.depth),
    ):
        if source in samples:
            found = classify(samples[source].to_numpy(dtype=float), limits)
            own = [edges.labels.get(str(label), str(label)) for label in found]
            names = edges.names(limits)
            names += [OUTSIDE] if OUTSIDE in own else []
            labelled[column] = pd.Categorical(own, categories=names)
    return labelled
