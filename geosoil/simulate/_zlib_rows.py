"""Compressed arrays of which only a band of rows differs from file to file."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LEVEL = 6
"""Effort of the compression."""
RAW = -15
"""Window size of a stream without header and checksum."""
MODULUS = 65521
"""Prime of the Adler-32 checksum."""


@dataclass(frozen=True, slots=True)
class ConstantRows:
    """A zlib stream of equal rows, open in its middle."""

    dtype: np.dtype[Any]
    """Type of the rows, with its byte order."""
    head: bytes
    """Compressed rows before the opening."""
    tail: bytes
    """Compressed rows after it."""
    head_sum: int
    """Checksum of the rows before."""
    tail_sum: int
    """Checksum of the rows after."""
    tail_size: int
    """Bytes of the rows after, before compression."""


def constant_rows(row: npt.NDArray[Any], *, before: int, after: int) -> ConstantRows:
    """Compress rows that are equal, once for many streams.

    Parameters
    ----------
    row : array, shape (columns,)
        The row that repeats, in the byte order of the stream.
    before, after : int
        How often it stands before and after the rows that differ.

    Returns
    -------
    rows : ConstantRows
        Stream for :func:`stream_around`.

    Notes
    -----
    A deflate stream may be cut where a full flush ends a block at a byte and forgets
    what came before. The equal rows are compressed into such pieces (RFC 1951), and
    the Adler-32 checksums of the pieces are combined (RFC 1950).
    """
    head, tail = row.tobytes() * before, row.tobytes() * after
    return ConstantRows(
        dtype=row.dtype,
        head=_piece(head, zlib.Z_FULL_FLUSH),
        tail=_piece(tail, zlib.Z_FINISH),
        head_sum=zlib.adler32(head),
        tail_sum=zlib.adler32(tail),
        tail_size=len(tail),
    )


def stream_around(rows: ConstantRows, values: npt.NDArray[Any]) -> bytes:
    """Return the stream with other rows in its middle.

    Parameters
    ----------
    rows : ConstantRows
        The rows around.
    values : array, shape (rows, columns)
        The rows that differ, with the type of the others.

    Returns
    -------
    stream : bytes
        A complete zlib stream.

    Examples
    --------
    >>> rows = constant_rows(np.zeros(3, np.uint8), before=2, after=1)
    >>> zlib.decompress(stream_around(rows, np.ones((1, 3), np.uint8))).hex()
    '000000000000010101000000'
    """
    middle = values.tobytes()
    checksum = _combined(rows.head_sum, zlib.adler32(middle), len(middle))
    checksum = _combined(checksum, rows.tail_sum, rows.tail_size)
    body = rows.head + _piece(middle, zlib.Z_FULL_FLUSH) + rows.tail
    return b"\x78\x9c" + body + checksum.to_bytes(4, "big")


def _piece(data: bytes, flush: int) -> bytes:
    """Compress a piece that neither looks back nor is looked back at."""
    deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, RAW)
    return deflate.compress(data) + deflate.flush(flush)


def _combined(first: int, second: int, size: int) -> int:
    """Return the Adler-32 of two pieces from theirs and the second's size.

    The low half is 1 + the sum of the bytes, the high half the sum of all low halves
    on the way: each byte of the second piece adds the first piece's sum once more.
    """
    low, high = first & 0xFFFF, first >> 16
    total = (low + (second & 0xFFFF) - 1) % MODULUS
    running = (high + (second >> 16) + size * (low - 1)) % MODULUS
    return int(running << 16 | total)
