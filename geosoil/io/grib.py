"""GRIB files through cfgrib, an optional extra."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import xarray as xr

from geosoil.errors import FileFormatError, GeosoilError

INSTALL = 'pip install "geosoil[grib]"'
"""What a user types to get the reader."""


def is_grib(path: Path) -> bool:
    """Tell by its first bytes whether a file is GRIB.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    grib : bool
        True for GRIB 1 and 2; False for other files, folders and absent ones.

    Examples
    --------
    >>> is_grib(Path("no such file"))
    False
    """
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(4) == b"GRIB"


def open_grib(path: Path) -> dict[str, xr.DataArray]:
    """Open every field of a GRIB file, without reading its values.

    Parameters
    ----------
    path : Path
        GRIB 1 or 2 file on a latitude-longitude grid.

    Returns
    -------
    fields : dict of name to DataArray
        Fields by their short name in cfgrib; base times and steps of forecasts are
        one dimension of valid times.
        A name that stands for several kinds of field (levels, steps) is numbered:
        ``t``, ``t:2``.

    Raises
    ------
    GeosoilError
        If cfgrib or the ecCodes library is not installed.
    FileFormatError
        If the file is damaged or holds no field.

    Notes
    -----
    No index file is written beside the data.
    """
    cfgrib = _cfgrib()
    try:
        datasets = cfgrib.open_datasets(
            str(path), backend_kwargs={"indexpath": "", "time_dims": ("valid_time",)}
        )
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, TypeError) as error:
        message = (
            f"'{path}' cannot be read as GRIB: {error}. The file may be damaged; "
            "download it again."
        )
        raise FileFormatError(message) from error
    fields: dict[str, xr.DataArray] = {}
    for dataset in datasets:
        for key, found in dataset.data_vars.items():
            name, number = str(key), 1
            while name in fields:
                number += 1
                name = f"{key}:{number}"
            fields[name] = found.rename(name)
    if not fields:
        message = f"'{path}' holds no GRIB field that cfgrib can place."
        raise FileFormatError(message)
    return fields


def _cfgrib() -> Any:  # noqa: ANN401  an optional module without types
    """Return cfgrib, or raise with what to install."""
    try:
        return importlib.import_module("cfgrib")
    except (ImportError, RuntimeError, OSError) as error:
        message = (
            f"GRIB files need cfgrib and the ecCodes library ({error}). Install them "
            f"with {INSTALL}, or download the data as NetCDF."
        )
        raise GeosoilError(message) from error
