"""Compare input files with the checksums that their makers published beside them."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol
from xml.etree import ElementTree as ET

import pandas as pd

from geosoil.errors import FileFormatError, InputError
from geosoil.io._sniff import sniff

Method = Literal["xml", "cksum", "md5", "sha256", "none"]

BLOCK = 2**20
LARGEST_SIDECAR = 2**22
"""Bytes above which a file beside the data is no list of checksums."""

_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_LENGTHS = {"md5": 32, "sha1": 40, "sha256": 64}
_LISTS = ("SHA256SUMS", "SHA256SUMS.txt", "MD5SUMS", "checksums.txt")
_LISTED = re.compile(r"^\\?([0-9a-fA-F]{32,64})[ \t]+\*?(.+?)\s*$", re.MULTILINE)
_CKSUM_LINE = re.compile(r"^\s*(\d{1,10})[ \t]+(\d+)(?:[ \t]+(.+?))?\s*$", re.MULTILINE)


class _Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Published:
    """A checksum that a sidecar gives."""

    method: Method
    algorithm: str
    value: str
    size: int | None
    source: Path


class PosixCrc:
    """The checksum of the POSIX command ``cksum``, built up block by block.

    Notes
    -----
    The CRC of polynomial 0x04C11DB7 takes the highest bit first and starts at zero;
    zlib has the same polynomial with the lowest bit first and starts at all ones.
    With the bits of each byte turned round, zlib's fast code gives the turned answer.
    The length of the data follows it, lowest byte first [1]_.

    References
    ----------
    .. [1] IEEE Std 1003.1-2017 (POSIX), Shell and Utilities, cksum.

    Examples
    --------
    >>> crc = PosixCrc()
    >>> crc.update(b"123456789")
    >>> crc.hexdigest()
    '930766865'
    """

    def __init__(self) -> None:
        self._crc = 0xFFFFFFFF
        self._size = 0

    def update(self, data: bytes, /) -> None:
        """Add a block.

        Parameters
        ----------
        data : bytes
            Next bytes of the data.
        """
        self._crc = zlib.crc32(data.translate(_REVERSED), self._crc)
        self._size += len(data)

    def hexdigest(self) -> str:
        """Return the checksum as cksum prints it: decimal digits.

        Returns
        -------
        digits : str
            The sum of all blocks so far.
        """
        count = (self._size.bit_length() + 7) // 8
        length = self._size.to_bytes(count, "little").translate(_REVERSED)
        crc = zlib.crc32(length, self._crc)
        return str(int(f"{crc:032b}"[::-1], 2))


def posix_cksum(path: str | os.PathLike[str]) -> int:
    """Return the checksum that the command ``cksum`` prints for a file.

    Parameters
    ----------
    path : path
        A file.

    Returns
    -------
    checksum : int
        32-bit number.

    Raises
    ------
    FileFormatError
        If the file cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "nine.txt"
    ...     _ = file.write_bytes(b"123456789")
    ...     posix_cksum(file)
    930766865
    """
    return int(_digest(Path(path), "cksum"))


def verify_inputs(paths: Iterable[str | os.PathLike[str]]) -> pd.DataFrame:
    """Compare files with the checksums that lie beside them.

    Parameters
    ----------
    paths : iterable of path
        Data files. Looked for beside FILE: FILE.xml and FILE.cmr.xml (NASA's
        metadata), FILE.cksum, FILE.md5, FILE.sha256, and lists SHA256SUMS, MD5SUMS
        and checksums.txt in its folder.

    Returns
    -------
    table : DataFrame, one row a file
        ``file``; ``method``: "xml", "cksum", "md5", "sha256" or "none"; ``verified``:
        True, False, or None where nothing could be compared; ``reason`` in words.

    Raises
    ------
    MissingFileError
        If a data file is absent.
    InputError
        If no files are given.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.hdf"
    ...     _ = file.write_bytes(b"123456789")
    ...     _ = Path(folder, "a.hdf.cksum").write_text("930766865 9 a.hdf")
    ...     table = verify_inputs([file])
    >>> table.loc[0, ["method", "verified"]].tolist()
    ['cksum', True]
    """
    files = [Path(path) for path in paths]
    if not files:
        message = "No files were given. Give at least one file to verify."
        raise InputError(message)
    rows = [(file.name, *_verified(file)) for file in files]
    table = pd.DataFrame(rows, columns=["file", "method", "verified", "reason"])
    return table.astype({"verified": object})


def check_inputs(paths: Iterable[str | os.PathLike[str]]) -> bool:
    """Raise if a file is not what the checksum beside it says.

    Parameters
    ----------
    paths : iterable of path
        Data files.

    Returns
    -------
    verified : bool
        Whether every file has a checksum and agrees with it; what a provenance
        record calls ``input_verified``.

    Raises
    ------
    FileFormatError
        If a file differs from its checksum; all are listed.
    MissingFileError
        If a file is absent.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "a.hdf"
    ...     _ = file.write_bytes(b"123456789")
    ...     check_inputs([file])
    False
    """
    found = [(path, *_verified(path)) for path in (Path(path) for path in paths)]
    wrong = [(path, reason) for path, _, verified, reason in found if verified is False]
    if wrong:
        lines = "\n".join(f"- '{path}': {reason}" for path, reason in wrong)
        message = (
            f"Checksum mismatch, {len(wrong)} of {len(found)} files:\n{lines}\n"
            "Download them again, with their checksum files."
        )
        raise FileFormatError(message)
    return all(verified is True for _, _, verified, _ in found)


def _verified(file: Path) -> tuple[Method, bool | None, str]:
    """Return method, result and reason of one file."""
    sniff(file)
    found, faults = _published(file)
    if found is None:
        reason = "; ".join(faults) or (
            "no checksum lies beside it (looked for FILE.xml, .cmr.xml, .cksum, .md5, "
            ".sha256, SHA256SUMS, MD5SUMS)"
        )
        return "none", None, reason
    where = f"'{found.source.name}'"
    size = file.stat().st_size
    if found.size is not None and found.size != size:
        reason = f"it has {size} bytes, {where} says {found.size}: it was cut short"
        return found.method, False, reason
    digest = _digest(file, found.algorithm)
    if digest != found.value:
        reason = (
            f"its {found.algorithm} is {digest}, {where} says {found.value}: it was "
            "damaged or changed"
        )
        return found.method, False, reason
    return found.method, True, f"{found.algorithm} agrees with {where}"


def _digest(file: Path, algorithm: str) -> str:
    """Return a checksum of a file as digits."""
    digest: _Hash = (
        PosixCrc()
        if algorithm == "cksum"
        else hashlib.new(algorithm, usedforsecurity=False)
    )
    try:
        with file.open("rb") as stream:
            while block := stream.read(BLOCK):
                digest.update(block)
    except OSError as error:
        message = f"'{file}' cannot be read: {error.strerror}."
        raise FileFormatError(message) from error
    return digest.hexdigest()


def _published(file: Path) -> tuple[_Published | None, list[str]]:
    """Return the first usable checksum beside a file, and what was unusable."""
    faults: list[str] = []
    candidates = [
        *(file.with_name(file.name + suffix) for suffix in (".xml", ".cmr.xml")),
        file.with_suffix(".xml"),
        file.with_suffix(".cmr.xml"),
        *(file.with_name(f"{file.name}.{kind}") for kind in ("sha256", "md5", "cksum")),
        *(file.with_name(name) for name in _LISTS),
    ]
    for sidecar in dict.fromkeys(candidates):
        if sidecar == file or not sidecar.is_file():
            continue
        text, fault = _text(sidecar)
        if not fault:
            found = (
                _from_xml(file, sidecar, text)
                if sidecar.suffix == ".xml"
                else _from_list(file, sidecar, text)
            )
            if isinstance(found, _Published):
                return found, faults
            fault = found
        if fault and sidecar.name not in _LISTS:
            faults.append(f"'{sidecar.name}': {fault}")
    return None, faults


def _text(sidecar: Path) -> tuple[str, str]:
    """Return the text of a sidecar, and why it cannot be used."""
    if sidecar.stat().st_size > LARGEST_SIDECAR:
        return "", "too large for a checksum file"
    if sniff(sidecar) == "html":
        return "", "a web page, most often the Earthdata login page"
    return sidecar.read_bytes().decode("utf-8", errors="replace"), ""


def _from_xml(file: Path, sidecar: Path, text: str) -> _Published | str:
    """Return the checksum of NASA's metadata, or why there is none."""
    if "<!ENTITY" in text:
        return "it declares entities, as no metadata of NASA do"
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        return f"damaged XML ({error})"
    parts = root.findall(".//{*}DataFileContainer") or [root]
    names = [_content(part, "DistributedFileName") for part in parts]
    if any(names) and file.name not in names:
        return f"it describes '{next(filter(None, names))}'"
    part = parts[names.index(file.name)] if file.name in names else parts[0]
    node = part.find(".//{*}Checksum")
    if node is None:
        return "it holds no checksum"
    if len(node):
        value, kind = _content(node, "Value"), _content(node, "Algorithm")
    else:
        value, kind = (node.text or "").strip(), _content(part, "ChecksumType")
    algorithm = re.sub(r"[^a-z0-9]", "", kind.lower()) or "cksum"
    if algorithm == "cksum" and value.isdecimal():
        value = str(int(value))
    elif len(value) == _LENGTHS.get(algorithm, -1):
        value = value.lower()
    else:
        return f"a checksum of unknown kind ('{kind}' {value[:70]})"
    size = _content(part, "FileSize") or _content(part, "SizeInBytes")
    return _Published(
        "xml", algorithm, value, int(size) if size.isdecimal() else None, sidecar
    )


def _content(node: ET.Element, name: str) -> str:
    """Return the text of an element, "" where it is absent."""
    return (node.findtext(f".//{{*}}{name}") or "").strip()


def _from_list(file: Path, sidecar: Path, text: str) -> _Published | str:
    """Return the checksum of a line "digits  name", or why there is none."""
    if sidecar.suffix == ".cksum":
        for match in _CKSUM_LINE.finditer(text):
            if match.group(3) in (None, file.name) or match.group(3).endswith(
                f"/{file.name}"
            ):
                value, size = str(int(match.group(1))), int(match.group(2))
                return _Published("cksum", "cksum", value, size, sidecar)
        return "no line with checksum, size and this name"
    lines = {Path(name).name: value.lower() for value, name in _LISTED.findall(text)}
    value = lines.get(file.name, "")
    if not value and sidecar.name.startswith(file.name) and not lines:
        value = text.strip().lower()
    kinds: dict[int, Method] = {64: "sha256", 32: "md5"}
    kind = kinds.get(len(value))
    if kind is None or not re.fullmatch("[0-9a-f]+", value):
        return "no checksum of this name"
    return _Published(kind, kind, value, None, sidecar)
