"""Columns of tables as plain values and arrays, and back, with their exact type."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pandas.api.extensions import ExtensionArray
from pandas.arrays import NumpyExtensionArray

KEPT_KINDS = "biufcSUmM"
"""Kinds of arrays that a file holds as plain numbers."""

MASKED = ("boolean", "Int", "UInt", "Float")
"""Types of pandas that hold a mask beside their values, by how their names begin."""


def is_kept_dtype(dtype: np.dtype[Any]) -> bool:
    """Return whether an array of a type can be kept.

    Parameters
    ----------
    dtype : dtype
        Type.

    Returns
    -------
    kept : bool
        False for objects and records.
    """
    return dtype.kind in KEPT_KINDS


def pack_column(values: ExtensionArray | np.ndarray[Any, Any]) -> tuple[Any, ...]:
    """Return the values of a column by parts that are kept.

    Parameters
    ----------
    values : array
        Column of any type of numpy, pandas or geopandas, but times with a zone.

    Returns
    -------
    parts : tuple
        Name of the type, then its parts.

    Raises
    ------
    TypeError
        If the type is not known.

    Examples
    --------
    >>> pack_column(pd.array(["a", None], dtype="str"))[1]
    ['a', None]
    """
    dtype = values.dtype
    if isinstance(dtype, np.dtype) or isinstance(values, NumpyExtensionArray):
        return "plain", np.asarray(values)
    if isinstance(dtype, pd.StringDtype):
        missing = "NA" if dtype.na_value is pd.NA else "nan"
        words = [None if pd.isna(word) else str(word) for word in values]
        return "words", words, str(dtype.storage), missing
    if isinstance(dtype, pd.CategoricalDtype):
        column = pd.Categorical(values)
        return "classes", column.codes, column.categories, bool(column.ordered)
    if isinstance(values, gpd.array.GeometryArray):
        shapes = shapely.to_wkb(np.asarray(values), hex=True)
        return "shapes", [None if s is None else str(s) for s in shapes], values.crs
    if str(dtype).startswith(MASKED):
        items = [None if pd.isna(item) else item for item in values]
        return "masked", items, str(dtype)
    message = f"a column of {dtype} is not kept"
    raise TypeError(message)


def column_of(parts: tuple[Any, ...]) -> Any:  # noqa: ANN401  array of any type
    """Build a column again.

    Parameters
    ----------
    parts : tuple
        As :func:`pack_column` gave them.

    Returns
    -------
    values : array
        Equal to what was packed, of the same type.

    Examples
    --------
    >>> column_of(pack_column(pd.array([1, None], dtype="Int64")))
    <IntegerArray>
    [1, <NA>]
    Length: 2, dtype: Int64
    """
    kind, values, *more = parts
    if kind == "plain":
        # Pandas takes bare arrays of words for its own type of words.
        return pd.Index(values, dtype=object) if values.dtype == object else values
    if kind == "words":
        missing = pd.NA if more[1] == "NA" else np.nan
        return pd.array(values, dtype=pd.StringDtype(more[0], na_value=missing))
    if kind == "classes":
        return pd.Categorical.from_codes(values, more[0], ordered=more[1])
    if kind == "shapes":
        shapes = np.array([None if s is None else shapely.from_wkb(s) for s in values])
        return gpd.array.from_shapely(shapes, crs=more[0])
    if kind == "masked":
        return pd.array(values, dtype=more[0])
    message = f"'{kind}' is no type of column that is kept"
    raise TypeError(message)
