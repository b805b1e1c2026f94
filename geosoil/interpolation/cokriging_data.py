"""Values of several variables, each at its own places or all in one table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from pyproj import CRS

from geosoil.errors import InputError
from geosoil.interpolation.base import (
    FittedPoints,
    FloatArray,
    Points,
    merge_points,
    metric_crs,
    positions,
)
from geosoil.interpolation.cokriging_system import VariableData

Columns: TypeAlias = pd.DataFrame | Mapping[str, npt.ArrayLike]
"""One array a variable, by name."""


def named_columns(columns: object, what: str) -> dict[str, FloatArray]:
    """Return the columns of a table or mapping as arrays by name.

    Parameters
    ----------
    columns : DataFrame or Mapping of str to array
        One column a variable.
    what : str
        Words for the message.

    Returns
    -------
    arrays : dict of str to array, shape (n,)
        The numbers.

    Raises
    ------
    InputError
        If it is neither a table nor a mapping.

    Examples
    --------
    >>> named_columns({"zinc": [1, 2]}, "values")
    {'zinc': array([1., 2.])}
    """
    if not isinstance(columns, pd.DataFrame | Mapping):
        message = (
            f"The {what} of cokriging belong to several variables: give a DataFrame "
            f"with a column for each, or a mapping of names to arrays, not "
            f"{type(columns).__name__}."
        )
        raise InputError(message)
    return {
        str(name): np.asarray(column, dtype=np.float64)
        for name, column in columns.items()
    }


def common_crs(
    points: Points | Mapping[str, Points], projection: CRS
) -> tuple[CRS | None, Mapping[str, Points] | Points]:
    """Return the CRS of distances between the places of all variables.

    Parameters
    ----------
    points : Points, or Mapping of str to Points
        Places of all variables, or of each.
    projection : CRS
        Projected CRS for places in degrees.

    Returns
    -------
    crs : CRS or None
        Of the first places; None for arrays.
    points : as given
        The same.

    Raises
    ------
    InputError
        If some places have a CRS and others are bare metres, or there are none.
    MissingCRSError
        If a GeoDataFrame has no CRS.
    """
    if not isinstance(points, Mapping):
        return metric_crs(points, projection), points
    placed = {
        name: isinstance(one, gpd.GeoDataFrame | gpd.GeoSeries)
        for name, one in points.items()
    }
    if len(set(placed.values())) != 1:
        bare = [name for name, has in placed.items() if not has]
        message = (
            f"The places of {bare or 'no variable'} are bare metres and the others "
            "have a CRS. Give all as arrays or all as GeoDataFrames."
        )
        raise InputError(message)
    every = [metric_crs(one, projection) for one in points.values()]
    return every[0], points


def variable_points(
    points: Points | Mapping[str, Points],
    values: Mapping[str, FloatArray],
    variance: Mapping[str, FloatArray],
    crs: CRS | None,
) -> dict[str, FittedPoints]:
    """Return the places of each variable, free of gaps and repeats.

    Parameters
    ----------
    points : Points, or Mapping of str to Points
        Places of all variables, or of each.
    values : mapping of str to array
        Values by variable; NaN where it was not measured.
    variance : mapping of str to array
        Variance of the measurements, of the variables that have one.
    crs : CRS or None
        CRS of the distances.

    Returns
    -------
    fitted : dict of str to FittedPoints
        By variable, in the order of the values.

    Raises
    ------
    InputError
        If a variable has no places, or as in
        :func:`geosoil.interpolation.base.merge_points`; the variable is named.
    """
    fitted = {}
    for name, column in values.items():
        if isinstance(points, Mapping) and name not in points:
            message = f"No points for '{name}'. Give points for each variable."
            raise InputError(message)
        own = points[name] if isinstance(points, Mapping) else points
        try:
            fitted[name] = merge_points(
                positions(own, crs), column, variance=variance.get(name)
            )
        except InputError as error:
            message = f"Variable '{name}': {error}"
            raise InputError(message) from error
    return fitted


def check_names(
    names: Sequence[str], given: Mapping[str, Collection[str]], target: str
) -> None:
    """Raise unless what is given belongs to the variables.

    Parameters
    ----------
    names : sequence of str
        The variables.
    given : mapping of str to names
        What is given by variable, with words for each: "values" must be there for all.
    target : str
        The variable to be estimated.

    Raises
    ------
    InputError
        If a name is unknown, or values are missing; all faults at once.

    Examples
    --------
    >>> check_names(["zinc"], {"values": ["zinc"]}, "zinc")
    """
    faults = []
    if target not in names:
        faults.append(f"the target '{target}' is none of them")
    absent = [name for name in names if name not in given["values"]]
    if absent:
        faults.append(f"there are no values of {', '.join(absent)}")
    for what, columns in given.items():
        unknown = [name for name in columns if name not in names]
        if unknown:
            faults.append(f"there are {what} of {', '.join(unknown)}")
    if faults:
        message = f"Variables {', '.join(names)}: {'; '.join(faults)}."
        raise InputError(message)


def stacked(fitted: Mapping[str, FittedPoints], centres: FloatArray) -> VariableData:
    """Return the data of all variables one below the other.

    Parameters
    ----------
    fitted : mapping of str to FittedPoints
        Data by variable.
    centres : array, shape (p,)
        What is taken from the values of each variable.

    Returns
    -------
    data : VariableData
        One column of values; no noise where a variable has no variance.
    """
    parts = list(fitted.values())
    noise = [
        np.zeros(len(part.values)) if part.variance is None else part.variance
        for part in parts
    ]
    kinds = [np.full(len(part.values), k) for k, part in enumerate(parts)]
    values = [
        part.values - centre  # noqa: PD011  a plain array
        for part, centre in zip(parts, centres, strict=True)
    ]
    return VariableData(
        np.vstack([part.xy for part in parts]),
        np.concatenate(kinds),
        np.concatenate(values)[:, None],
        np.concatenate(noise),
    )


def one_table(fitted: Mapping[str, FittedPoints]) -> tuple[FloatArray, pd.DataFrame]:
    """Return places and values of all variables as one table.

    Parameters
    ----------
    fitted : mapping of str to FittedPoints
        Data by variable.

    Returns
    -------
    xy : array, shape (n, 2)
        Places, one row a datum [m].
    values : DataFrame, n rows
        One column a variable, NaN for the data of the others.
    """
    parts = [
        pd.DataFrame({name: part.values})  # noqa: PD011  a plain array
        for name, part in fitted.items()
    ]
    xy = np.vstack([part.xy for part in fitted.values()])
    return xy, pd.concat(parts, ignore_index=True)
