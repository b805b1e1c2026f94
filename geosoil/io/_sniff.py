"""Tell by its first bytes what a file is, before a driver sees it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from geosoil.errors import FileFormatError, MissingFileError

Kind = Literal["hdf4", "hdf5", "netcdf3", "tiff", "html", "zip", "empty", "unknown"]

_MAGIC: tuple[tuple[bytes, Kind], ...] = (
    (b"\x0e\x03\x13\x01", "hdf4"),
    (b"\x89HDF\r\n\x1a\n", "hdf5"),
    (b"CDF\x01", "netcdf3"),
    (b"CDF\x02", "netcdf3"),
    (b"CDF\x05", "netcdf3"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"II+\x00", "tiff"),
    (b"MM\x00+", "tiff"),
    (b"PK\x03\x04", "zip"),
)

_LOOKS_LIKE: dict[Kind, str] = {
    "hdf4": "an HDF4 file",
    "hdf5": "an HDF5 file (NetCDF-4 and newer NASA products use it)",
    "netcdf3": "a classic NetCDF file",
    "tiff": "a TIFF image",
    "zip": "a ZIP archive; unpack it first",
    "unknown": "of an unknown format",
}


def sniff(path: str | os.PathLike[str]) -> Kind:
    """Return what kind of file a path holds.

    Parameters
    ----------
    path : path
        A local file.

    Returns
    -------
    kind : str
        One of hdf4, hdf5, netcdf3, tiff, html, zip, empty, unknown.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If the path is a folder or cannot be opened.
    """
    file = Path(path)
    if not file.exists():
        message = f"There is no file '{file}'. Check the path."
        raise MissingFileError(message)
    if file.is_dir():
        message = f"'{file}' is a folder. Give the files in it."
        raise FileFormatError(message)
    try:
        with file.open("rb") as stream:
            head = stream.read(1024)
    except OSError as error:
        message = f"'{file}' cannot be opened: {error.strerror}."
        raise FileFormatError(message) from error
    if not head:
        return "empty"
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    is_html = text.startswith((b"<!doctype html", b"<html", b"<head")) or (
        text.startswith((b"<?xml", b"<!--")) and b"<html" in text
    )
    return "html" if is_html else "unknown"


def check_kind(path: str | os.PathLike[str], *expected: Kind, needed: str) -> Kind:
    """Raise unless a file is of one of the kinds that a reader knows.

    Parameters
    ----------
    path : path
        A local file.
    *expected : str
        Kinds that are fine.
    needed : str
        Words for what was needed, for instance "an HDF4 file".

    Returns
    -------
    kind : str
        The kind found.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If the file is of another kind; the message says of which.
    """
    kind = sniff(path)
    if kind in expected:
        return kind
    if kind == "empty":
        message = f"'{path}' is empty (0 bytes). Download it again."
    elif kind == "html":
        message = (
            f"'{path}' is not {needed} but a web page (HTML), most often the Earthdata "
            "login page saved under the name of the data. Log in to Earthdata and "
            "download it again."
        )
    else:
        message = (
            f"'{path}' is not {needed}: by its first bytes it is {_LOOKS_LIKE[kind]}."
        )
    raise FileFormatError(message)
