"""Tell in which encoding the attributes of a Shapefile are written."""

from __future__ import annotations

import codecs
import struct
from pathlib import Path

from charset_normalizer import from_bytes

from geosoil.errors import FileFormatError

_UNSTATED = (0x00, 0x57)
"""Language codes that name no encoding: none, and "that of the system"."""
_RECORDS = 20_000
"""Records that are looked at; the rest of a table is written alike."""
_SHARE = 0.8
"""Least share of signs of the older GB2312 in a text that is Chinese."""


def dbf_encoding(file: Path) -> str | None:
    r"""Guess the encoding of a Shapefile whose files do not state it.

    Parameters
    ----------
    file : Path
        The .dbf beside the .shp.

    Returns
    -------
    encoding : str or None
        "UTF-8", "GB18030" or "cp1252", else what a vote over all encodings finds;
        None where the file states its encoding in its header, holds nothing but
        ASCII, or is damaged.

    Raises
    ------
    FileFormatError
        If no encoding fits.

    Notes
    -----
    Values are cut to the width of their field by the byte, so that the last sign of
    a value may be half a sign: that is forgiven. GB18030 (which holds GBK) is taken
    where at least 80 % of the signs that are not ASCII are in GB2312, the signs in
    use; Latin text read as Chinese gives rare signs.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> field = b"NAME".ljust(11, b"\0") + b"C" + bytes(4) + bytes([8]) + bytes(15)
    >>> head = b"\x03" + bytes(3) + struct.pack("<IHH", 1, 65, 9) + bytes(20)
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "rivers.dbf"
    ...     body = b" " + "通天河".encode("gbk").ljust(8)
    ...     _ = file.write_bytes(head + field + b"\r" + body)
    ...     dbf_encoding(file)
    'GB18030'
    """
    stated, texts = _dbf_texts(file)
    foreign = sorted({text for text in texts if not text.isascii()})
    if stated or not foreign:
        return None
    if _decoded(foreign, "utf-8") is not None:
        return "UTF-8"
    chinese = _decoded(foreign, "gb18030")
    if chinese is not None and _share_in_gb2312(chinese) >= _SHARE:
        return "GB18030"
    latin = _decoded(foreign, "cp1252")
    if latin is not None and all(c < "\x80" or "\xc0" <= c <= "\xff" for c in latin):
        return "cp1252"
    vote = from_bytes(b"\n".join(foreign)).best()
    if vote is not None and _decoded(foreign, vote.encoding) is not None:
        return str(vote.encoding)
    message = (
        f"The encoding of '{file}' cannot be told from its text. Say it with "
        "encoding=, or write it into a file of the same name that ends in .cpg."
    )
    raise FileFormatError(message)


def _dbf_texts(file: Path) -> tuple[bool, set[bytes]]:
    """Return whether a dBase table states its encoding, and its names and texts."""
    with file.open("rb") as stream:
        head = stream.read(32)
        if len(head) < 32:
            return False, set()
        count, header_length, record_length = struct.unpack("<IHH", head[4:12])
        fields = stream.read(max(header_length - 32, 0))
        body = stream.read(min(count, _RECORDS) * record_length)
    texts: set[bytes] = set()
    places = []
    start = 1
    for at in range(0, len(fields) - 31, 32):
        if fields[at] == 0x0D:
            break
        texts.add(fields[at : at + 11].partition(b"\0")[0])
        if fields[at + 11 : at + 12] == b"C":
            places.append((start, start + fields[at + 16]))
        start += fields[at + 16]
    if record_length:
        for at in range(0, len(body) - record_length + 1, record_length):
            texts.update(body[at + a : at + b].rstrip(b" \0") for a, b in places)
    return head[29] not in _UNSTATED, texts


def _decoded(texts: list[bytes], encoding: str) -> str | None:
    """Return all texts decoded, None where one is not in the encoding."""
    maker = codecs.getincrementaldecoder(encoding)
    try:
        return "\n".join(maker("strict").decode(text, final=False) for text in texts)
    except UnicodeDecodeError:
        return None


def _share_in_gb2312(text: str) -> float:
    """Return the share of signs beyond ASCII that GB2312 has."""
    signs = [sign for sign in text if sign > "\x7f"]
    known = sum(sign.encode("gb2312", "ignore") != b"" for sign in signs)
    return known / len(signs) if signs else 0.0
