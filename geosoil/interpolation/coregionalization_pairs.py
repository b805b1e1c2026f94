"""Empirical variograms and cross variograms of several variables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    FittedPoints,
    FloatArray,
    Points,
    metric_crs,
    positions,
)
from geosoil.interpolation.empirical import DistanceClasses, distance_classes

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class VariablePlaces:
    """Places in metres with values of several variables."""

    names: tuple[str, ...]
    """Names of the variables."""
    xy: FloatArray
    """Different places, shape (n, 2) [m]."""
    columns: FloatArray
    """Values, shape (n, p); NaN where a variable was not measured."""

    @property
    def spread(self) -> FloatArray:
        """Standard deviation of each variable, shape (p,)."""
        return np.asarray(np.nanstd(self.columns, axis=0, ddof=1))

    def counts(self) -> dict[str, int]:
        """Return the number of places with a value, by variable."""
        found = np.isfinite(self.columns).sum(axis=0)
        return dict(zip(self.names, found.tolist(), strict=True))


def variable_places(
    points: Points, values: pd.DataFrame, projection: str | CRS
) -> VariablePlaces:
    """Return the places of several variables; values at one place are averaged.

    Parameters
    ----------
    points : GeoDataFrame, GeoSeries, or array, shape (n, 2)
        Places with a CRS, or x and y in metres.
    values : DataFrame, n rows
        One column a variable; NaN where it was not measured.
    projection : str or CRS
        Projected CRS for points in degrees.

    Returns
    -------
    places : VariablePlaces
        Places with any value, in the order of their first appearance.

    Raises
    ------
    InputError
        If lengths differ, or a variable is there at fewer than 3 places, or has equal
        values everywhere; all faults at once.
    """
    xy = positions(points, metric_crs(points, CRS.from_user_input(projection)))
    names = tuple(str(name) for name in values.columns)
    if len(values) != len(xy) or not names or len(set(names)) < len(names):
        message = (
            f"{len(xy)} points, and values of {len(values)} rows with the columns "
            f"{list(names)}. Give a row for each point and different columns."
        )
        raise InputError(message)
    table = pd.DataFrame(values.to_numpy(dtype=np.float64))
    table = table.where(np.isfinite(table))
    table[["x", "y"]] = xy
    measured = table[list(range(len(names)))].notna().to_numpy().any(axis=1)
    used = np.isfinite(xy).all(axis=1) & measured
    merged = table[used].groupby(["x", "y"], sort=False).mean()
    places = VariablePlaces(
        names,
        merged.index.to_frame().to_numpy(dtype=np.float64),
        merged.to_numpy(dtype=np.float64),
    )
    _check_variables(places)
    return places


def _check_variables(places: VariablePlaces) -> None:
    """Raise on variables that have no variogram."""
    faults = []
    for name, column in zip(places.names, places.columns.T, strict=True):
        known = column[np.isfinite(column)]
        if len(known) < 3:
            faults.append(f"'{name}' has values at {len(known)} places, 3 are needed")
        elif np.ptp(known) == 0:
            faults.append(f"'{name}' has the same value everywhere, leave it out")
    if faults:
        message = f"No coregionalization can be fitted: {'; '.join(faults)}."
        raise InputError(message)


def pair_classes(places: VariablePlaces, classes: DistanceClasses) -> pd.DataFrame:
    """Average the products of differences of all pairs of variables by distance.

    Parameters
    ----------
    places : VariablePlaces
        Places with values.
    classes : DistanceClasses
        How pairs of places are gathered, with the estimator of Matheron.

    Returns
    -------
    table : DataFrame
        ``first`` and ``second`` variable, ``n`` pairs of places, mean ``distance`` [m]
        and ``gamma`` of each class with pairs.

    Notes
    -----
    gamma_ij = sum((z_i(x) - z_i(y)) (z_j(x) - z_j(y))) / (2 n) over the pairs of places
    with both variables. A product is a fourth of the square of a sum less that of a
    difference, so that the variograms of z_i + z_j and of z_i - z_j give it.

    Examples
    --------
    >>> xy = np.array([[0.0, 0.0], [100.0, 0.0]])
    >>> places = VariablePlaces(("a", "b"), xy, np.array([[1.0, 4.0], [3.0, 3.0]]))
    >>> pair_classes(places, DistanceClasses(200.0, 1)).gamma.tolist()
    [2.0, -1.0, 0.5]
    """
    tables = []
    values = (places.columns - np.nanmean(places.columns, axis=0)) / places.spread
    for i, first in enumerate(places.names):
        for j, second in enumerate(places.names[i:], start=i):
            both = np.isfinite(values[:, i]) & np.isfinite(values[:, j])
            if both.sum() < 2:
                continue
            one, other, xy = values[both, i], values[both, j], places.xy[both]
            total = _classes(xy, one + other, classes)
            less = _classes(xy, one - other, classes)
            units = places.spread[i] * places.spread[j]
            gamma = (total["gamma"] - less["gamma"]) / 4 * units
            tables.append(total.assign(first=first, second=second, gamma=gamma))
    columns = ["first", "second", "n", "distance", "gamma"]
    return pd.concat(tables, ignore_index=True)[columns]


def _classes(
    xy: FloatArray, values: FloatArray, classes: DistanceClasses
) -> pd.DataFrame:
    """Return the variogram of values at places."""
    return distance_classes(FittedPoints(xy, values, None, 0, 0), classes)


@dataclass(frozen=True, slots=True, eq=False)
class PairArrays:
    """The classes of all pairs of variables as arrays, in standard deviations.

    The arrays have the shape (p, p, m): m classes, the pairs of variables symmetric;
    a pair with fewer classes has weights of 0 at the end.
    """

    distance: FloatArray
    """Mean distance [m]; 1 where there is no class."""
    gamma: FloatArray
    """Semivariance in the product of both standard deviations."""
    weights: FloatArray
    """Pairs over squared distance; 0 where there is no class."""

    @classmethod
    def of(cls, table: pd.DataFrame, places: VariablePlaces) -> PairArrays:
        """Return the arrays of a table of classes.

        Parameters
        ----------
        table : DataFrame
            As :func:`pair_classes` returns.
        places : VariablePlaces
            Names and standard deviations.

        Returns
        -------
        arrays : PairArrays
            The same numbers.
        """
        groups = dict(list(table.groupby(["first", "second"])))
        most = max(len(part) for part in groups.values())
        shape = (len(places.names), len(places.names), most)
        distance, gamma, weights = np.ones(shape), np.zeros(shape), np.zeros(shape)
        for (first, second), part in groups.items():
            i, j = places.names.index(first), places.names.index(second)
            units, rows = places.spread[i] * places.spread[j], slice(len(part))
            h = part["distance"].to_numpy()
            for pair in ((i, j), (j, i)):
                distance[(*pair, rows)] = h
                gamma[(*pair, rows)] = part["gamma"].to_numpy() / units
                weights[(*pair, rows)] = part["n"].to_numpy() / h**2
        return cls(distance, gamma, weights)

    @property
    def known(self) -> BoolArray:
        """Whether a pair of variables has any class, shape (p, p)."""
        return np.asarray((self.weights > 0).any(axis=-1))
