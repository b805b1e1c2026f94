"""Messages between two processes: a JSON header, then raw bytes."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_SIZES = struct.Struct(">II")


def send(stream: BinaryIO, header: dict[str, Any], payload: bytes | memoryview) -> None:
    """Write one message: two lengths, a JSON header, raw bytes.

    Parameters
    ----------
    stream : binary file
        Pipe to write to.
    header : dict
        What JSON can hold.
    payload : bytes
        Raw bytes that follow the header.
    """
    text = json.dumps(header).encode("ascii")
    stream.write(_SIZES.pack(len(text), len(payload)))
    stream.write(text)
    stream.write(payload)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], bytearray]:
    """Read one message that :func:`send` wrote.

    Parameters
    ----------
    stream : binary file
        Pipe to read from.

    Returns
    -------
    header : dict
        The JSON header.
    payload : bytearray
        The raw bytes.

    Raises
    ------
    EOFError
        If the other side closed the pipe.
    """
    header_size, payload_size = _SIZES.unpack(_exactly(stream, _SIZES.size))
    header: dict[str, Any] = json.loads(_exactly(stream, header_size))
    return header, _exactly(stream, payload_size)


def _exactly(stream: BinaryIO, size: int) -> bytearray:
    """Read a known number of bytes."""
    data = bytearray(size)
    view, filled = memoryview(data), 0
    while filled < size:
        count = stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        filled += count
    return data
