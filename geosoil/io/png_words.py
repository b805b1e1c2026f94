"""The words that a PNG file carries, and its size in dots."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from geosoil.errors import FileFormatError, MissingFileError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
LONGEST = 1 << 20
"""Bytes of a packed text above which it is left unread."""


@dataclass(frozen=True, slots=True)
class PngFile:
    """A PNG file with what it says of itself."""

    data: bytes
    """The whole file."""
    width: int
    """Width in dots."""
    height: int
    """Height in dots."""
    words: dict[str, str]
    """Texts by keyword, such as Title and Description."""


def read_png(path: str | os.PathLike[str]) -> PngFile:
    r"""Read a PNG file, its size and its texts.

    Parameters
    ----------
    path : path
        File.

    Returns
    -------
    picture : PngFile
        Bytes, size and texts.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If it is no whole PNG file.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> def chunk(kind, body):
    ...     sum_ = struct.pack(">I", zlib.crc32(kind + body))
    ...     return struct.pack(">I", len(body)) + kind + body + sum_
    >>> head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    >>> dot = chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    >>> file = SIGNATURE + head + chunk(b"tEXt", b"Title\x00Dot") + dot
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "dot.png"
    ...     _ = path.write_bytes(file + chunk(b"IEND", b""))
    ...     read_png(path).words
    {'Title': 'Dot'}
    """
    file = Path(path)
    if not file.is_file():
        message = f"File '{file}' does not exist."
        raise MissingFileError(message)
    data = file.read_bytes()
    chunks = list(_chunks(data))
    if not chunks or chunks[0][0] != b"IHDR" or chunks[-1][0] != b"IEND":
        message = f"'{file}' is no whole PNG file. Draw it again."
        raise FileFormatError(message)
    width, height = struct.unpack(">II", chunks[0][1][:8])
    words: dict[str, str] = {}
    for kind, body in chunks:
        found = _text(kind, body)
        if found is not None:
            words[found[0]] = found[1]
    return PngFile(data, width, height, words)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and body of each part whose check sum holds, up to the end."""
    if not data.startswith(SIGNATURE):
        return
    place = len(SIGNATURE)
    while place + 12 <= len(data):
        (size,) = struct.unpack(">I", data[place : place + 4])
        end = place + 12 + size
        kind, body = data[place + 4 : place + 8], data[place + 8 : end - 4]
        if end > len(data) or zlib.crc32(kind + body) != _sum(data[end - 4 : end]):
            return
        yield kind, body
        place = end


def _sum(part: bytes) -> int:
    return int.from_bytes(part, "big")


def _text(kind: bytes, body: bytes) -> tuple[str, str] | None:
    """Keyword and text of a part; None where it is no text."""
    keyword, _, rest = body.partition(b"\x00")
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return name, rest.decode("latin-1")
    if kind == b"zTXt":
        return name, _unpacked(rest[1:]).decode("latin-1")
    if kind == b"iTXt" and len(rest) >= 2:
        text = rest[2:].partition(b"\x00")[2].partition(b"\x00")[2]
        whole = _unpacked(text) if rest[0] else text
        return name, whole.decode("utf-8", errors="replace")
    return None


def _unpacked(packed: bytes) -> bytes:
    """Text of a packed part, "" where it is damaged; no more than is sensible."""
    try:
        return zlib.decompressobj().decompress(packed, LONGEST)
    except zlib.error:
        return b""
