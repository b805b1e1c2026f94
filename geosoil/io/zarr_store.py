"""Know a folder that is a Zarr store, and whether it can be read here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from geosoil.errors import GeosoilError

MARKS = ("zarr.json", ".zgroup", ".zmetadata")
"""Files of which a Zarr store has one at its root."""


def is_zarr(path: Path) -> bool:
    """Return whether a path is the folder of a Zarr store, of format 2 or 3.

    Parameters
    ----------
    path : Path
        Any path.

    Returns
    -------
    is_store : bool
        False for files, for other folders and where there is nothing.

    Examples
    --------
    >>> is_zarr(Path("era5.nc"))
    False
    """
    return path.is_dir() and any((path / name).is_file() for name in MARKS)


def check_zarr_reader(path: Path) -> None:
    """Raise unless Zarr stores can be read here.

    Parameters
    ----------
    path : Path
        Store, for the message.

    Raises
    ------
    GeosoilError
        If the package zarr is not installed.
    """
    if find_spec("zarr") is None:
        message = (
            f"'{path}' is a Zarr store, and its reader is not installed. Install it "
            "with: pip install 'geosoil[zarr]'."
        )
        raise GeosoilError(message)
