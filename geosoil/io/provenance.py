"""What a run read, wrote and used: digests of files, versions, settings."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Iterable
from pathlib import Path

from geosoil import __version__
from geosoil.io.checksums import check_inputs

PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "rasterio",
    "geopandas",
    "pyhdf",
    "numba",
    "matplotlib",
    "cartopy",
)
"""Packages whose versions a run records."""

BLOCK = 1 << 20


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    digest : str
        64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def run_provenance(
    *,
    settings: dict[str, object],
    inputs: Iterable[Path],
    outputs: Iterable[Path],
    folder: Path,
) -> dict[str, object]:
    """Describe a run so that every number can be traced.

    Parameters
    ----------
    settings : dict
        The settings of the run, as plain values.
    inputs, outputs : iterable of Path
        Files read and written.
    folder : Path
        Folder of the results; outputs are named relative to it.

    Returns
    -------
    record : dict
        Versions, settings and the SHA-256 of every file. ``input_verified`` tells
        whether every input agrees with a checksum that lay beside it.

    Raises
    ------
    FileFormatError
        If an input differs from the checksum beside it.
    """
    read = sorted(set(inputs))
    return {
        "software": {"geosoil": __version__, "python": platform.python_version()}
        | {name: importlib.metadata.version(name) for name in PACKAGES},
        "settings": settings,
        "input_verified": check_inputs(read) if read else False,
        "inputs": {path.name: file_digest(path) for path in read},
        "outputs": {
            path.relative_to(folder).as_posix(): file_digest(path)
            for path in sorted(set(outputs))
        },
    }
