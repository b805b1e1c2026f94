"""Write tables and points to one GeoPackage, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyogrio

from geosoil.errors import GeosoilError, InputError
from geosoil.io._atomic import atomic_path


def write_geopackage(
    layers: Mapping[str, gpd.GeoDataFrame | pd.DataFrame], path: str | os.PathLike[str]
) -> Path:
    """Write layers to a GeoPackage.

    Parameters
    ----------
    layers : mapping of str to GeoDataFrame or DataFrame
        Layer name and its rows; a DataFrame becomes a table without geometry.
    path : path
        File to write, ending in ``.gpkg``.

    Returns
    -------
    path : Path
        The file written.

    Raises
    ------
    InputError
        If the name does not end in ``.gpkg``, or there is no layer.
    GeosoilError
        If the file cannot be written, or does not hold what was written.

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
    if target.suffix.lower() != ".gpkg" or not layers:
        message = (
            f"Cannot write '{target}': give a name that ends in .gpkg and at least one "
            f"layer (given: {', '.join(layers) or 'none'})."
        )
        raise InputError(message)
    with atomic_path(target) as part:
        for name, table in layers.items():
            _write_layer(table, part, name)
        _check(layers, part)
    return target


def _write_layer(table: gpd.GeoDataFrame | pd.DataFrame, part: Path, name: str) -> None:
    """Write one layer; columns of mixed kinds become text."""
    plain = table.reset_index(drop=True)
    for column in plain.columns:
        if column != "geometry" and plain[column].dtype == object:
            known = plain[column].notna()
            text = plain[column].astype(object)
            plain[column] = text.where(~known, text.map(str)).where(known, None)
        elif isinstance(plain[column].dtype, pd.CategoricalDtype):
            plain[column] = plain[column].astype(object)
    try:
        pyogrio.write_dataframe(plain, part, layer=name, driver="GPKG")
    except (OSError, ValueError, RuntimeError) as error:
        message = f"Cannot write layer '{name}': {error}."
        raise GeosoilError(message) from error


def _check(layers: Mapping[str, pd.DataFrame], part: Path) -> None:
    """Read the counts back; a full disk may have left less."""
    for name, table in layers.items():
        found = pyogrio.read_info(part, layer=name)["features"]
        if found != len(table):
            message = (
                f"Layer '{name}' holds {found} of {len(table)} rows after writing: is "
                "the disk full?"
            )
            raise GeosoilError(message)
