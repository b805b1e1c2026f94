"""Vector layers, class tables and end-member tables."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyogrio

from geosoil.errors import FileFormatError, MissingCRSError
from geosoil.io._sniff import sniff
from geosoil.io.issues import name_rows
from geosoil.io.table_labels import read_period, read_water
from geosoil.io.tables import ColumnTable, read_table
from geosoil.io.vocabulary import Column, words

_VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp")
_CLASS_COLUMNS = (
    Column("code", "number", words("value class classcode id gridcode 编码 代码")),
    Column("label", "id", words("name classname description 名称 类型")),
    Column("group", "id", words("classgroup 分组")),
    Column("colour", "id", words("color rgb hex 颜色")),
)
_PERMIL = {"‰": 1.0, "permil": 1.0, "vsmow": 1.0, "‰vsmow": 1.0}
END_MEMBER_COLUMNS: tuple[Column, ...] = (
    Column("period", "label", words("month season 月份 时期")),
    Column("by", "id", words("groupkind stratumkind")),
    Column("stratum", "id", words("group")),
    Column("source", "id", words("endmember water watertype 端元 水源")),
    Column("state", "id"),
    Column("d18O", "number", words("18o delta18o d18omean"), _PERMIL, (-100.0, 50.0)),
    Column("d2H", "number", words("2h dd deltad d2hmean"), _PERMIL, (-600.0, 300.0)),
    Column("d18O_sd", "number", words("sdd18o d18ostd"), _PERMIL, (0.0, 50.0)),
    Column("d2H_sd", "number", words("sdd2h d2hstd"), _PERMIL, (0.0, 300.0)),
    Column("d18O_d2H_cov", "number", words("cov covariance")),
    Column("n", "number", words("count number samples"), valid=(0.0, 1e9)),
)
"""Columns of an end-member table; source, d18O and d2H are needed."""

_NO_VALUES = ("remark", "footer", "summary row (mean, sum and the like), not a sample")


class _Shapes(NamedTuple):
    """Kinds of geometry that a layer may hold, and their name."""

    name: str
    kinds: tuple[str, ...]


_POLYGONS = _Shapes("polygons", ("Polygon", "MultiPolygon"))
_LINES = _Shapes("lines", ("LineString", "MultiLineString"))


def read_polygons(path: str | os.PathLike[str]) -> gpd.GeoDataFrame:
    """Read a layer of polygons.

    Parameters
    ----------
    path : path
        GeoJSON, GeoPackage (its first layer) or Shapefile (.shp).

    Returns
    -------
    polygons : GeoDataFrame
        Polygons and their attributes, CRS set.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FileFormatError
        If it cannot be read, is empty, or holds geometries that are missing, no
        polygons, or invalid; the message names the features.
    MissingCRSError
        If the file does not state its coordinate reference system.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shapely import box
    >>> square = gpd.GeoDataFrame(geometry=[box(90, 32, 91, 33)], crs="EPSG:4326")
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "region.gpkg"
    ...     square.to_file(file)
    ...     read_polygons(file).total_bounds.tolist()
    [90.0, 32.0, 91.0, 33.0]
    """
    return _read_shapes(Path(path), _POLYGONS)


def read_lines(path: str | os.PathLike[str]) -> gpd.GeoDataFrame:
    """Read a layer of lines, such as rivers.

    Parameters
    ----------
    path : path
        GeoJSON, GeoPackage (its first layer) or Shapefile (.shp).

    Returns
    -------
    lines : GeoDataFrame
        Lines and their attributes, CRS set.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FileFormatError
        If it cannot be read, is empty, or holds geometries that are missing or no
        lines; the message names the features.
    MissingCRSError
        If the file does not state its coordinate reference system.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from shapely import LineString
    >>> river = gpd.GeoDataFrame(geometry=[LineString([(90, 32), (91, 33)])], crs=4326)
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rivers.gpkg"
    ...     river.to_file(file)
    ...     len(read_lines(file))
    1
    """
    return _read_shapes(Path(path), _LINES)


def _read_shapes(file: Path, shapes: _Shapes) -> gpd.GeoDataFrame:
    kind = sniff(file)
    if kind in ("html", "empty"):
        what = "a web page (HTML)" if kind == "html" else "empty"
        message = f"'{file}' is {what}, not a layer of {shapes.name}. Get it again."
        raise FileFormatError(message)
    if file.suffix.lower() not in _VECTOR_SUFFIXES:
        message = (
            f"'{file}' is not a kind of vector layer that geosoil reads. Give GeoJSON "
            "(.geojson), GeoPackage (.gpkg) or Shapefile (.shp)."
        )
        raise FileFormatError(message)
    try:
        layer: object = gpd.read_file(file, engine="pyogrio")
    except (pyogrio.errors.DataSourceError, OSError, ValueError, RuntimeError) as error:
        message = f"'{file}' cannot be read as a vector layer: {error}"
        raise FileFormatError(message) from error
    if not isinstance(layer, gpd.GeoDataFrame):
        message = (
            f"'{file}' is a table without geometries, not a layer of {shapes.name}."
        )
        raise FileFormatError(message)
    _check_shapes(layer, file, shapes)
    if layer.crs is None:
        message = (
            f"'{file}' does not state its coordinate reference system. Write it into "
            "the file (a .prj beside a Shapefile), for instance with GeoDataFrame."
            "set_crs('EPSG:4326').to_file(...)."
        )
        raise MissingCRSError(message)
    return layer


def _check_shapes(layer: gpd.GeoDataFrame, file: Path, wanted: _Shapes) -> None:
    if layer.empty:
        message = f"'{file}' holds no features."
        raise FileFormatError(message)
    shapes = layer.geometry
    absent = (shapes.isna() | shapes.is_empty).to_numpy()
    other = ~shapes.geom_type.isin(wanted.kinds).to_numpy() & ~absent
    invalid = ~shapes.is_valid.to_numpy() & ~absent & ~other
    faults = []
    for mask, what in (
        (absent, "without a geometry"),
        (other, f"that are no {wanted.name} ({', '.join(_kinds(shapes, other))})"),
        (invalid, "whose rings cross themselves; repair them with shapely.make_valid"),
    ):
        if mask.any():
            rows = name_rows([int(i) + 1 for i in np.flatnonzero(mask)])
            faults.append(f"{int(mask.sum())} features {what} ({rows})")
    if faults:
        message = f"'{file}' has {'; '.join(faults)}."
        raise FileFormatError(message)


def _kinds(shapes: gpd.GeoSeries, mask: npt.NDArray[np.bool_]) -> list[str]:
    return sorted({str(kind) for kind in shapes.geom_type[mask]})


def read_class_table(path: str | os.PathLike[str]) -> dict[int, str]:
    r"""Read the meaning of the codes of a class raster or layer.

    Parameters
    ----------
    path : path
        Table with columns ``code`` and ``label`` (``group`` and ``colour`` may follow).

    Returns
    -------
    labels : dict
        Code to label, in the order of the file.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If a column is missing, a code is no whole number or occurs twice, or a label
        is empty; one message holds all faults.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "classes.csv"
    ...     _ = file.write_text("code,label\n1,permafrost\n2,seasonally frozen\n")
    ...     read_class_table(file)
    {1: 'permafrost', 2: 'seasonally frozen'}
    """
    file = Path(path)
    table = read_table(file, kind="Class table", vocabulary=_CLASS_COLUMNS)
    faults = table.ledger.faults
    _check_present(table, ("code", "label"))
    _refuse_remarks(table)
    frame = table.frame
    if {"code", "label"} <= set(frame.columns):
        codes = frame["code"].to_numpy(dtype=float)
        _fault_rows(table, ~np.isfinite(codes), "code is missing")
        _fault_rows(table, np.isfinite(codes) & (codes % 1 != 0), "code is not whole")
        again = frame["code"].duplicated(keep=False).to_numpy() & np.isfinite(codes)
        _fault_rows(table, again, "the same code stands more than once")
        _fault_rows(table, frame["label"].isna().to_numpy(), "label is empty")
    if not faults and frame.empty:
        faults.append("the table has no rows.")
    table.ledger.raise_faults("Class table", file)
    pairs = zip(frame["code"], frame["label"], strict=True)
    return {int(code): str(label) for code, label in pairs}


def read_end_members(path: str | os.PathLike[str]) -> pd.DataFrame:
    r"""Read a table of end members: the mean composition of each source.

    Parameters
    ----------
    path : path
        Text table or workbook; columns source, d18O, d2H [permil] are needed; period,
        by, stratum, state, d18O_sd, d2H_sd, d18O_d2H_cov [permil2] and n may be given.

    Returns
    -------
    end_members : DataFrame
        The columns found, in the order above; ``attrs["issues"]`` as of
        :func:`geosoil.io.samples.read_samples`.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    SampleTableError
        If a needed column or value is missing, a number cannot be, a spread is
        negative, a covariance larger than its spreads allow, or a source stands twice
        in the same group; one message holds all faults.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "em.csv"
    ...     _ = file.write_text("source,d18O,d2H\nrain,-17,-122\nice,-12,-90\n")
    ...     read_end_members(file)["source"].tolist()
    ['precipitation', 'ground_ice']
    """
    file = Path(path)
    kind = "End-member table"
    table = read_table(file, kind=kind, vocabulary=END_MEMBER_COLUMNS)
    _check_present(table, ("source", "d18O", "d2H"))
    _refuse_remarks(table)
    frame = table.frame
    for name in ("source", "d18O", "d2H"):
        if name in frame.columns:
            _fault_rows(table, frame[name].isna().to_numpy(), f"{name} is missing")
    for column in END_MEMBER_COLUMNS:
        if column.kind == "number" and column.name in frame.columns:
            low, high = column.valid
            values = frame[column.name].to_numpy(dtype=float)
            bad = (values < low) | (values > high)
            _fault_rows(table, bad, f"{column.name} is outside {low:g} to {high:g}")
    _check_covariance(table)
    _check_unique(table)
    if frame.empty and not table.ledger.faults:
        table.ledger.faults.append("the table has no rows.")
    table.ledger.raise_faults(kind, file)
    frame = frame.copy()
    _translate(table, frame, "source", read_water)
    _translate(table, frame, "period", read_period)
    frame.attrs["issues"] = [dict(issue) for issue in table.ledger.issues]
    return frame


def _translate(
    table: ColumnTable,
    frame: pd.DataFrame,
    name: str,
    read: Callable[[str], str | None],
) -> None:
    """Put geosoil's words for the user's; words it does not know stay."""
    if name not in frame.columns:
        return
    written = [text if isinstance(text, str) else None for text in frame[name]]
    words_read = [(read(text) or text) if text else None for text in written]
    for row, text, word in zip(table.rows, written, words_read, strict=True):
        if text != word:
            table.ledger.add((row, name), text, word, f"word for {name}")
    frame[name] = pd.Series(words_read, dtype="str", index=frame.index)


def _check_present(table: ColumnTable, names: tuple[str, ...]) -> None:
    absent = [name for name in names if name not in table.frame.columns]
    if absent:
        table.ledger.faults.append(
            f"needed column(s) {', '.join(absent)} not found. Columns found: "
            f"{', '.join(table.header)}."
        )


def _refuse_remarks(table: ColumnTable) -> None:
    """Every row of these short tables counts: one without values is a fault."""
    for issue in table.ledger.issues:
        rule = issue["rule"].partition(":")[0]
        if issue["read_as"] == "dropped" and rule in _NO_VALUES:
            table.ledger.faults.append(
                f"row {issue['row']} ('{issue['found']}') has no values. Complete or "
                "remove it."
            )


def _fault_rows(table: ColumnTable, mask: npt.NDArray[np.bool_], why: str) -> None:
    if mask.any():
        rows = [table.rows[i] for i in np.flatnonzero(mask)]
        table.ledger.faults.append(f"{why} ({name_rows(rows)}).")


def _check_covariance(table: ColumnTable) -> None:
    """Check that a covariance does not exceed the product of the spreads."""
    if not {"d18O_sd", "d2H_sd", "d18O_d2H_cov"} <= set(table.frame.columns):
        return
    frame = table.frame
    limit = (frame["d18O_sd"] * frame["d2H_sd"]).to_numpy(dtype=float)
    covariance = np.abs(frame["d18O_d2H_cov"].to_numpy(dtype=float))
    bad = covariance > limit * (1 + 1e-6) + 1e-9
    _fault_rows(table, bad, "d18O_d2H_cov is larger than d18O_sd times d2H_sd")


def _check_unique(table: ColumnTable) -> None:
    names = ("period", "by", "stratum", "source", "state")
    keys = [name for name in names if name in table.frame.columns]
    if "source" not in keys or table.frame.empty:
        return
    again = table.frame.duplicated(keys, keep=False).to_numpy()
    _fault_rows(table, again, f"the same {', '.join(keys)} stands more than once")
