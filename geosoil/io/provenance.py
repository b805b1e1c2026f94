"""What a run read, wrote and used: digests of files, versions, settings."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from geosoil import __version__
from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io.checksums import check_inputs

PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "xarray",
    "rioxarray",
    "rasterio",
    "pyproj",
    "shapely",
    "geopandas",
    "pyogrio",
    "exactextract",
    "pyhdf",
    "netCDF4",
    "numba",
    "dask",
    "matplotlib",
    "cartopy",
    "cmcrameri",
)
"""Packages whose versions a run records."""

RECORD = "provenance.json"
"""Name of the record of a run."""

CODE = (".py", ".j2", ".css")
"""Endings of the files that make results: code and templates."""
LARGEST_RECORD = 1 << 28
"""Bytes above which a file is no record of a run."""

UNSEALED = "0" * 64
_SEAL = re.compile(rb'"record_sha256": "([0-9a-f]{64})"')


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

    Raises
    ------
    FileFormatError
        If it cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        message = f"'{path}' cannot be read: {error.strerror}."
        raise FileFormatError(message) from error


def file_entry(path: Path) -> dict[str, object]:
    """Return what a record tells of a file.

    Parameters
    ----------
    path : Path
        File.

    Returns
    -------
    entry : dict
        ``sha256`` and ``bytes``.
    """
    return {"sha256": file_digest(path), "bytes": path.stat().st_size}


def software_versions() -> dict[str, str]:
    """Return the versions of all that a run's numbers and pictures rest on.

    Returns
    -------
    versions : dict
        geosoil, the digest of its own code, Python, the packages, and the libraries in
        them: GDAL, PROJ (of rasterio and of pyproj), GEOS, HDF4 and HDF5.

    Examples
    --------
    >>> {"geosoil", "geosoil_code", "gdal", "proj", "hdf4"} <= set(software_versions())
    True
    """
    import netCDF4  # noqa: PLC0415  a library of seconds, for its number alone
    import pyproj  # noqa: PLC0415
    import rasterio  # noqa: PLC0415
    import shapely  # noqa: PLC0415

    from geosoil.io._hdf4_worker import library_version  # noqa: PLC0415

    return {
        "geosoil": __version__,
        "geosoil_code": code_digest()[:12],
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in PACKAGES},
        "gdal": str(rasterio.__gdal_version__),
        "proj": str(rasterio.__proj_version__),
        "proj_of_pyproj": str(pyproj.proj_version_str),
        "geos": str(shapely.geos_version_string),
        "hdf4": library_version(),
        "hdf5": str(netCDF4.__hdf5libversion__),
    }


def code_digest() -> str:
    """Return the SHA-256 of geosoil's own source code.

    Returns
    -------
    digest : str
        64 hexadecimal digits; the kind of line ends does not count.
    """
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    files = [
        (path.relative_to(package), path)
        for path in package.rglob("*")
        if path.suffix in CODE
    ]
    for name, path in sorted((name.as_posix(), path) for name, path in files):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{name} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()


def run_provenance(
    *,
    settings: Mapping[str, object],
    inputs: Mapping[str, Path],
    outputs: Iterable[Path],
    folder: Path,
    more: Mapping[str, object] | None = None,
    known: Mapping[str, Mapping[str, object]] | None = None,
) -> dict[str, object]:
    """Describe a run so that every number can be traced.

    Parameters
    ----------
    settings : mapping
        The settings of the run, as plain values.
    inputs : mapping of str to Path
        Files read, by the names that the record has for them.
    outputs : iterable of Path
        Files written.
    folder : Path
        Folder of the results; outputs are named relative to it.
    more : mapping, optional
        What else the record tells, such as the command and the seeds.
    known : mapping, optional
        Digests and sizes of the inputs, where they were taken before.

    Returns
    -------
    record : dict
        Versions, settings and the SHA-256 and size of every file, to be written by
        :func:`seal`. ``input_verified`` tells whether every input agrees with a
        checksum that lay beside it. There is no time and no name of the machine: the
        same run gives the same record.

    Raises
    ------
    FileFormatError
        If an input differs from the checksum beside it.
    """
    read = [inputs[name] for name in sorted(inputs)]
    known = known or {name: file_entry(path) for name, path in inputs.items()}
    written = sorted((path.relative_to(folder).as_posix(), path) for path in outputs)
    return {
        **(more or {}),
        "software": software_versions(),
        "settings": settings,
        "input_verified": check_inputs(read) if read else False,
        "inputs": {name: dict(known[name]) for name in sorted(inputs)},
        "outputs": {name: file_entry(path) for name, path in written},
        "record_sha256": UNSEALED,
    }


def seal(text: str) -> str:
    """Put the digest of a record into the record.

    Parameters
    ----------
    text : str
        JSON with ``"record_sha256"`` of 64 zeros.

    Returns
    -------
    sealed : str
        The same with the SHA-256 of the text as given, so of every other byte. It
        tells damage; who means to forge a record can seal it again.

    Examples
    --------
    >>> sealed = seal('{"seed": 1, "record_sha256": "' + "0" * 64 + '"}')
    >>> is_sealed(sealed.encode()), is_sealed(sealed.replace("1", "2", 1).encode())
    (True, False)
    """
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    field = '"record_sha256": "{}"'
    return text.replace(field.format(UNSEALED), field.format(digest))


def is_sealed(data: bytes) -> bool:
    """Return whether a record is byte by byte what was written.

    Parameters
    ----------
    data : bytes
        Content of a record.

    Returns
    -------
    sealed : bool
        False also where it carries no digest of itself.
    """
    found = _SEAL.findall(data)
    if len(found) != 1:
        return False
    plain = _SEAL.sub(f'"record_sha256": "{UNSEALED}"'.encode(), data)
    own: str = found[0].decode()
    return hashlib.sha256(plain).hexdigest() == own


def read_record(path: Path) -> tuple[dict[str, object], bool]:
    """Read the record of a run.

    Parameters
    ----------
    path : Path
        A ``provenance.json``.

    Returns
    -------
    record : dict
        Its content.
    sealed : bool
        Whether it is byte by byte what was written.

    Raises
    ------
    MissingFileError
        If there is none.
    FileFormatError
        If it is no record of a run.
    """
    if not path.is_file():
        message = (
            f"There is no record '{path}'. Name the folder of a finished run; it holds "
            f"a {RECORD}."
        )
        raise MissingFileError(message)
    fault = "it is too large"
    if path.stat().st_size <= LARGEST_RECORD:
        data = path.read_bytes()
        try:
            record = json.loads(data)
        except ValueError as error:
            fault = f"it is no JSON ({error})"
        else:
            fault = _fault(record)
            if not fault:
                return record, is_sealed(data)
    message = (
        f"'{path}' is no whole record of a run: {fault}. It was damaged or written by "
        "another program; without it the files of the folder cannot be verified."
    )
    raise FileFormatError(message)


def _fault(record: object) -> str:
    """Say what a record lacks; nothing where it has all."""
    if not isinstance(record, dict):
        return "it is no table"
    for key in ("software", "settings", "inputs", "outputs"):
        if not isinstance(record.get(key), dict):
            return f"'{key}' is missing"
    for key in ("inputs", "outputs"):
        for name, entry in record[key].items():
            whole = isinstance(entry, dict) and {"sha256", "bytes"} <= set(entry)
            if not whole:
                return f"'{name}' has no digest and size"
    return ""
