"""Results of any kind as plain trees and arrays, and back, bit by bit."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from affine import Affine
from pyproj import CRS

from geosoil.workflow.kept_tables import (
    column_of,
    is_kept_dtype,
    pack_column,
)

Array = npt.NDArray[Any]
Tree = Any
"""Values that JSON knows; arrays stand in it by their number."""

PACKAGE = "geosoil."
"""Only records of this package's own classes are built again."""


PLAIN = frozenset({"tuple", "list", "dict"})
"""Kinds whose subclasses, such as named tuples, hold more than they tell."""


class NotKeptError(TypeError):
    """A value of a kind that is not kept, or a tree that tells of no known value."""


class Kind(NamedTuple):
    """How the values of some classes are packed and built again."""

    classes: tuple[type, ...]
    pack: Callable[[Any, list[Array]], dict[str, Tree]]
    build: Callable[[dict[str, Tree], list[Array]], object]


def pack(value: object, arrays: list[Array]) -> Tree:
    """Return a value as a tree, its arrays put on a list.

    Parameters
    ----------
    value : object
        Plain value, array, table, raster, or frozen record of these.
    arrays : list of array
        Arrays so far; those of the value are added.

    Returns
    -------
    tree : object
        What JSON holds exactly, as it writes every digit of a double.

    Raises
    ------
    NotKeptError
        If a part of the value is of another kind.

    Examples
    --------
    >>> arrays = []
    >>> pack(("a", np.arange(2)), arrays), len(arrays)
    ({'is': 'tuple', 'of': ['a', {'is': 'array', 'at': 0, 'axes': [0]}]}, 1)
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    for name, kind in KINDS.items():
        exact = name not in PLAIN or type(value) in kind.classes
        if isinstance(value, kind.classes) and exact:
            return {"is": name, **kind.pack(value, arrays)}
    raise NotKeptError  # pragma: no cover  the last kind takes every object


def build(tree: Tree, arrays: list[Array]) -> Any:  # noqa: ANN401  any kept value
    """Build a value again.

    Parameters
    ----------
    tree : object
        As :func:`pack` gave it.
    arrays : list of array
        Its arrays.

    Returns
    -------
    value : object
        Equal to what was packed, bit by bit and in the order of memory.

    Raises
    ------
    NotKeptError
        If the tree tells of no known value.

    Examples
    --------
    >>> arrays = []
    >>> tree = pack({"r": np.array([0.1, np.nan])}, arrays)
    >>> build(tree, arrays)
    {'r': array([0.1, nan])}
    """
    if not isinstance(tree, dict):
        return tree
    kind = KINDS.get(str(tree.get("is")))
    if kind is None:
        message = f"'{tree.get('is')}' is no kind of value that is kept"
        raise NotKeptError(message)
    return kind.build(tree, arrays)


def _pack_array(value: Array, arrays: list[Array]) -> dict[str, Tree]:
    """Put an array on the list, as its axes lie in memory: sums depend on that."""
    if value.dtype.kind == "O":
        items = [pack(item, arrays) for item in value.ravel().tolist()]
        return {"items": items, "shape": list(value.shape)}
    if not is_kept_dtype(value.dtype):
        message = f"an array of {value.dtype} is not kept"
        raise NotKeptError(message)
    axes = np.argsort([-abs(step) for step in value.strides], kind="stable").tolist()
    arrays.append(np.ascontiguousarray(value.transpose(axes)))
    return {"at": len(arrays) - 1, "axes": axes}


def _build_array(tree: dict[str, Tree], arrays: list[Array]) -> Array:
    if "items" in tree:
        found = np.empty(len(tree["items"]), dtype=object)
        for place, item in enumerate(tree["items"]):
            found[place] = build(item, arrays)
        return found.reshape(tree["shape"])
    stored = arrays[int(tree["at"])]
    axes = tree["axes"]
    return stored.transpose(np.argsort(axes)) if axes else stored.reshape(())


def _pack_scalar(value: np.generic, arrays: list[Array]) -> dict[str, Tree]:
    arrays.append(np.array([value]))
    return {"at": len(arrays) - 1}


def _pack_items(value: Any, arrays: list[Array]) -> dict[str, Tree]:  # noqa: ANN401
    return {"of": [pack(item, arrays) for item in value]}


def _items(tree: dict[str, Tree], arrays: list[Array]) -> list[Any]:
    return [build(item, arrays) for item in tree["of"]]


def _pack_mapping(value: Mapping[Any, Any], arrays: list[Array]) -> dict[str, Tree]:
    return {"of": [[pack(k, arrays), pack(v, arrays)] for k, v in value.items()]}


def _build_mapping(tree: dict[str, Tree], arrays: list[Array]) -> dict[Any, Any]:
    return {build(key, arrays): build(value, arrays) for key, value in tree["of"]}


def _pack_record(value: Any, arrays: list[Array]) -> dict[str, Tree]:  # noqa: ANN401
    """Return a frozen record of this package, field by field."""
    cls = type(value)
    if not dataclasses.is_dataclass(cls):
        message = f"a value of class {cls.__qualname__} is not kept"
        raise NotKeptError(message)
    if not cls.__module__.startswith(PACKAGE) or "." in cls.__qualname__:
        message = f"a record of class {cls.__module__}.{cls.__qualname__} is not kept"
        raise NotKeptError(message)
    names = [field.name for field in dataclasses.fields(value)]
    fields = {name: pack(getattr(value, name), arrays) for name in names}
    return {"of": f"{cls.__module__}:{cls.__qualname__}", "fields": fields}


def _build_record(tree: dict[str, Tree], arrays: list[Array]) -> object:
    module, _, name = str(tree["of"]).partition(":")
    if not module.startswith(PACKAGE):
        message = f"'{module}' is no module of this package"
        raise NotKeptError(message)
    cls = vars(importlib.import_module(module)).get(name)
    if not (isinstance(cls, type) and dataclasses.is_dataclass(cls)):
        message = f"'{name}' is no record of {module}"
        raise NotKeptError(message)
    if [field.name for field in dataclasses.fields(cls)] != list(tree["fields"]):
        message = f"the record {name} has other fields now"
        raise NotKeptError(message)
    # Checks in the class have passed already, and must not round anything again.
    found: object = object.__new__(cls)
    for key, field in tree["fields"].items():
        object.__setattr__(found, key, build(field, arrays))
    return found


def _pack_index(value: pd.Index, arrays: list[Array]) -> dict[str, Tree]:
    if isinstance(value, pd.MultiIndex):
        message = "an index of several levels is not kept"
        raise NotKeptError(message)
    name = pack(value.name, arrays)
    if isinstance(value, pd.RangeIndex):
        return {"range": [value.start, value.stop, value.step], "name": name}
    values = pack_column(value.array)
    return {"values": pack(values, arrays), "name": name}


def _build_index(tree: dict[str, Tree], arrays: list[Array]) -> pd.Index:
    name = build(tree["name"], arrays)
    if "range" in tree:
        start, stop, step = tree["range"]
        return pd.RangeIndex(start, stop, step, name=name)
    index: pd.Index = pd.Index(column_of(build(tree["values"], arrays)), name=name)
    return index


def _pack_table(value: pd.DataFrame, arrays: list[Array]) -> dict[str, Tree]:
    """Return a table by columns, with its index, its attributes and its geometry."""
    places = range(value.shape[1])
    columns = [pack_column(value.iloc[:, place].array) for place in places]
    tree = {
        "columns": pack(value.columns, arrays),
        "index": pack(value.index, arrays),
        "data": [pack(column, arrays) for column in columns],
        "attrs": pack(dict(value.attrs), arrays),
    }
    if isinstance(value, gpd.GeoDataFrame):
        tree["geometry"] = value.active_geometry_name
    return tree


def _build_table(tree: dict[str, Tree], arrays: list[Array]) -> pd.DataFrame:
    columns = [column_of(build(column, arrays)) for column in tree["data"]]
    index = build(tree["index"], arrays)
    table = pd.DataFrame(dict(enumerate(columns)), index=index)
    table.columns = build(tree["columns"], arrays)
    if "geometry" in tree:
        table = gpd.GeoDataFrame(table, geometry=tree["geometry"])
    table.attrs = build(tree["attrs"], arrays)
    return table


def _pack_series(value: pd.Series[Any], arrays: list[Array]) -> dict[str, Tree]:
    index, name = pack(value.index, arrays), pack(value.name, arrays)
    data = pack(pack_column(value.array), arrays)
    attrs = pack(dict(value.attrs), arrays)
    return {"index": index, "name": name, "data": data, "attrs": attrs}


def _build_series(tree: dict[str, Tree], arrays: list[Array]) -> pd.Series[Any]:
    name, index = build(tree["name"], arrays), build(tree["index"], arrays)
    data = column_of(build(tree["data"], arrays))
    series = pd.Series(data, index=index, name=name)
    series.attrs = build(tree["attrs"], arrays)
    return series


def _pack_variable(value: xr.Variable, arrays: list[Array]) -> list[Tree]:
    """One variable: dims, data, attributes, and how it was stored."""
    stored = {}
    for key, item in value.encoding.items():
        try:
            stored[str(key)] = pack(item, arrays)
        except NotKeptError:
            continue  # how a file stored it, which no result depends on
    parts = [tuple(value.dims), np.asarray(value.to_numpy()), dict(value.attrs)]
    return [*(pack(part, arrays) for part in parts), stored]


def _variable(tree: list[Tree], arrays: list[Array]) -> xr.Variable:
    dims, data, attrs = (build(part, arrays) for part in tree[:3])
    stored = {key: build(item, arrays) for key, item in tree[3].items()}
    return xr.Variable(dims, data, attrs, stored)


def _pack_raster(value: xr.DataArray, arrays: list[Array]) -> dict[str, Tree]:
    names = map(str, value.coords)
    return {
        "name": pack(value.name, arrays),
        "data": _pack_variable(value.variable, arrays),
        "coords": {n: _pack_variable(value.coords[n].variable, arrays) for n in names},
    }


def _build_raster(tree: dict[str, Tree], arrays: list[Array]) -> xr.DataArray:
    main = _variable(tree["data"], arrays)
    coords = {n: _variable(part, arrays) for n, part in tree["coords"].items()}
    raster = xr.DataArray(main, coords=coords, name=build(tree["name"], arrays))
    raster.encoding = main.encoding
    return raster


def _pack_rasters(value: xr.Dataset, arrays: list[Array]) -> dict[str, Tree]:
    data, coords = map(str, value.data_vars), map(str, value.coords)
    return {
        "data": {name: _pack_variable(value[name].variable, arrays) for name in data},
        "coords": {n: _pack_variable(value.coords[n].variable, arrays) for n in coords},
        "attrs": pack(dict(value.attrs), arrays),
    }


def _build_rasters(tree: dict[str, Tree], arrays: list[Array]) -> xr.Dataset:
    data, coords = (
        {name: _variable(part, arrays) for name, part in tree[key].items()}
        for key in ("data", "coords")
    )
    return xr.Dataset(data, coords=coords, attrs=build(tree["attrs"], arrays))


KINDS: dict[str, Kind] = {
    "array": Kind((np.ndarray,), _pack_array, _build_array),
    "scalar": Kind((np.generic,), _pack_scalar, lambda t, a: a[int(t["at"])][0]),
    "affine": Kind(
        (Affine,), lambda v, _: {"of": v[:6]}, lambda t, _: Affine(*t["of"])
    ),
    "tuple": Kind((tuple,), _pack_items, lambda t, a: tuple(_items(t, a))),
    "list": Kind((list,), _pack_items, _items),
    "dict": Kind((dict,), _pack_mapping, _build_mapping),
    "crs": Kind((CRS,), lambda v, _: {"of": v.srs}, lambda t, _: CRS(t["of"])),
    "na": Kind((type(pd.NA),), lambda *_: {}, lambda *_: pd.NA),
    "nat": Kind((type(pd.NaT),), lambda *_: {}, lambda *_: pd.NaT),
    "dtype": Kind(
        (np.dtype,), lambda v, _: {"of": v.str}, lambda t, _: np.dtype(t["of"])
    ),
    "index": Kind((pd.Index,), _pack_index, _build_index),
    "table": Kind((pd.DataFrame,), _pack_table, _build_table),
    "series": Kind((pd.Series,), _pack_series, _build_series),
    "raster": Kind((xr.DataArray,), _pack_raster, _build_raster),
    "rasters": Kind((xr.Dataset,), _pack_rasters, _build_rasters),
    "record": Kind((object,), _pack_record, _build_record),
}
"""Every kind of value that is kept, in the order in which they are tried."""
