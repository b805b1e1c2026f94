"""Write tables and points to one GeoPackage, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio
import shapely

from geosoil.errors import GeosoilError, InputError
from geosoil.io._atomic import atomic_path

STYLES = "layer_styles"
"""Table in which QGIS looks for the symbols of the layers."""

NO_CLOCK = "1970-01-01T00:00:00.000Z"
"""Time of change that every file states, so that the same content has the same
bytes."""

VERSION = "1.3"
"""Version of the format: what GIS of the last years read without a word."""

_KINDS = ("Point", "LineString", "Polygon")

Table = gpd.GeoDataFrame | pd.DataFrame


def write_geopackage(
    layers: Mapping[str, Table],
    path: str | os.PathLike[str],
    *,
    styles: Mapping[str, str] | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> Path:
    """Write layers to a GeoPackage.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame or DataFrame
        Layer name and its rows; a DataFrame becomes a table without geometry. Rows
        keep their order and are numbered from 1.
    path : path
        File to write, ending in ``.gpkg``.
    styles : mapping of str to str, optional
        Symbols of a layer as a QGIS style document (QML), by its name; QGIS draws
        the layer so when it opens it.
    descriptions : mapping of str to str, optional
        What a layer is, by its name.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    InputError
        If the name does not end in ``.gpkg``, there is no layer, a column has a name
        that a GeoPackage cannot hold, or a style or a description names no layer.
    GeosoilError
        If the file cannot be written, or does not hold what was written.

    Notes
    -----
    The same layers give the same bytes: the file tells no time of its making.
    Symbols stand in the table ``layer_styles`` as QGIS itself writes them.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> points = gpd.GeoDataFrame(
    ...     {"sample_id": ["a"]}, geometry=gpd.points_from_xy([95.2], [34.1]), crs=4326)
    >>> with TemporaryDirectory() as folder:
    ...     path = write_geopackage({"samples": points}, Path(folder) / "joined.gpkg")
    ...     pyogrio.read_info(path)["features"]
    1
    """
    target = Path(path)
    words = descriptions or {}
    _check_names(target, layers, (*(styles or {}), *words))
    content = {name: _plain(table) for name, table in layers.items()}
    with atomic_path(target) as part:
        for name, table in content.items():
            _write_layer(table, part, name, {"DESCRIPTION": words.get(name, "")})
        if styles:
            _write_layer(_style_table(content, styles), part, STYLES, {"FID": "id"})
        _settle(part)
        for name, table in content.items():
            _check(table, part, name)
    return target


def _check_names(
    target: Path, layers: Mapping[str, Table], named: tuple[str, ...]
) -> None:
    """Raise where the file, a layer or a column cannot be called so."""
    faults = []
    if target.suffix.lower() != ".gpkg" or not layers:
        faults.append(
            "give a name that ends in .gpkg and at least one layer (given: "
            f"{', '.join(layers) or 'none'})"
        )
    if STYLES in layers:
        faults.append(f"'{STYLES}' is the table of the symbols: give another name")
    unknown = sorted(set(named) - set(layers))
    if unknown:
        faults.append(f"styles or descriptions of no layer: {', '.join(unknown)}")
    for name, table in layers.items():
        columns = [str(column) for column in table.columns]
        counted = Counter(column.lower() for column in columns)
        shape = table.geometry.name if isinstance(table, gpd.GeoDataFrame) else None
        taken = {"fid", *(("geom",) if shape not in (None, "geom") else ())}
        bad = [c for c in columns if counted[c.lower()] > 1 or c.lower() in taken]
        if bad:
            faults.append(
                f"layer '{name}' has columns {', '.join(bad)}: rename those called "
                "fid or geom and those that differ in capitals alone"
            )
    if faults:
        message = f"Cannot write '{target}': {'; '.join(faults)}."
        raise InputError(message)


def _plain(table: Table) -> Table:
    """Return a table as it is written.

    Columns of mixed kinds become text, times of day 0 days, and times UTC, which is
    what the format takes times without a zone for.
    """
    plain = table.reset_index(drop=True)
    geometry = None
    if isinstance(plain, gpd.GeoDataFrame):
        geometry = plain.geometry.name
        plain[geometry] = _of_one_kind(plain.geometry)
    for column in plain.columns:
        if column != geometry:
            plain[column] = _plain_column(plain[column])
    return plain


def _plain_column(values: pd.Series) -> pd.Series:
    """Return a column as it is written."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    if values.dtype == object:
        known = values.notna()
        text = values.where(~known, values.map(str)).where(known, None)
        return text.astype("string")
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        return values
    if values.dt.tz is not None:
        return pd.Series(values.dt.tz_convert("UTC"))
    if (values.dropna() == values.dropna().dt.normalize()).all():
        return pd.Series(values.dt.date)
    return pd.Series(values.dt.tz_localize("UTC"))


def _of_one_kind(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return shapes as a layer holds them: all in several parts where any are."""
    kinds = set(shapes.geom_type.dropna())
    mixed = [kind for kind in _KINDS if {kind, f"Multi{kind}"} == kinds]
    if not mixed:
        return shapes
    single = (shapes.geom_type == mixed[0]).to_numpy()
    joined = shapes.to_numpy().copy()
    several = getattr(shapely, f"multi{mixed[0].lower()}s")
    joined[single] = several(joined[single][:, np.newaxis], axis=1)
    return gpd.GeoSeries(joined, index=shapes.index, crs=shapes.crs)


def _write_layer(table: Table, part: Path, name: str, options: dict[str, str]) -> None:
    """Write one layer."""
    try:
        pyogrio.write_dataframe(
            table,
            part,
            layer=name,
            driver="GPKG",
            # Columns of whole days stay days on this way alone.
            use_arrow=True,
            dataset_options={} if part.exists() else {"VERSION": VERSION},
            layer_options=options,
        )
    except (OSError, ValueError, RuntimeError) as error:
        message = f"Cannot write layer '{name}': {error}."
        raise GeosoilError(message) from error


def _style_table(layers: Mapping[str, Table], styles: Mapping[str, str]) -> Table:
    """Return the table of symbols, with the columns that QGIS gives it."""
    names = [name for name in layers if name in styles]
    shapes = [isinstance(layers[name], gpd.GeoDataFrame) for name in names]
    return pd.DataFrame(
        {
            "f_table_catalog": "",
            "f_table_schema": "",
            "f_table_name": names,
            "f_geometry_column": ["geom" if shape else "" for shape in shapes],
            "styleName": names,
            "styleQML": [styles[name] for name in names],
            "styleSLD": "",
            "useAsDefault": True,
            "description": "symbols by geosoil",
            "owner": "",
            "ui": pd.Series([None] * len(names), dtype=object),
            "update_time": pd.Timestamp(NO_CLOCK),
        }
    )


def _settle(part: Path) -> None:
    """Take the clock out of the file, and lay its pages in their plain order."""
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as base:
            base.execute("PRAGMA journal_mode = MEMORY")
            base.execute("UPDATE gpkg_contents SET last_change = ?", (NO_CLOCK,))
            base.execute("VACUUM")
    except sqlite3.Error as error:
        message = f"Cannot write '{part.name}': {error}. Is the disk full?"
        raise GeosoilError(message) from error


def _check(table: Table, part: Path, name: str) -> None:
    """Read a layer again and compare; a full disk may have left less."""
    found = pyogrio.read_dataframe(part, layer=name)
    fault = ""
    if len(found) != len(table):
        fault = f"holds {len(found)} of {len(table)} rows"
    elif isinstance(table, gpd.GeoDataFrame):
        if not _same_shapes(table.geometry, found.geometry):
            fault = "differs in its geometry"
        elif _count_indexed(part, name) != int(_are_known(table.geometry).sum()):
            # GDAL makes the index at the end, and tells of no failure then.
            fault = "has no whole spatial index"
        table = pd.DataFrame(table.drop(columns=table.geometry.name))
    for column in table.columns if not fault else ():
        if column not in found or not _same_values(table[column], found[column]):
            fault = f"differs in column '{column}'"
            break
    if fault:
        message = (
            f"Layer '{name}' {fault} after writing: is the disk full? What was there "
            "before is unchanged."
        )
        raise GeosoilError(message)


def _same_shapes(written: gpd.GeoSeries, found: gpd.GeoSeries) -> bool:
    """Whether geometries agree to the bit; an empty one may have become none."""
    known = [_are_known(one) for one in (written, found)]
    first, second = (
        shapely.to_wkb(one.to_numpy()[there])
        for one, there in zip((written, found), known, strict=True)
    )
    same = np.array_equal(known[0], known[1]) and np.array_equal(first, second)
    return bool(same and written.crs == found.crs)


def _are_known(shapes: gpd.GeoSeries) -> npt.NDArray[np.bool_]:
    """Say which geometries are there and not empty."""
    known: npt.NDArray[np.bool_] = ~(shapes.isna() | shapes.is_empty).to_numpy()
    return known


def _count_indexed(part: Path, name: str) -> int:
    """Count the rows in the spatial index of a layer; -1 where there is none."""
    table = f"rtree_{name}_geom_rowid".replace('"', '""')
    try:
        with closing(sqlite3.connect(part)) as base:
            found = base.execute(f'SELECT count(*) FROM "{table}"').fetchone()
    except sqlite3.Error:
        return -1
    return int(found[0])


def _same_values(written: pd.Series, found: pd.Series) -> bool:
    """Whether the values of a column agree to the bit, with the same gaps."""
    gaps = written.isna().to_numpy()
    if not np.array_equal(gaps, found.isna().to_numpy()):
        return False
    first, second = written[~gaps], found[~gaps]
    if pd.api.types.is_datetime64_any_dtype(found.dtype):
        # A GeoPackage knows milliseconds.
        steps = [pd.to_datetime(one).dt.floor("ms") for one in (first, second)]
        return steps[0].to_list() == steps[1].to_list()
    return first.to_list() == second.to_list()
