"""Messages between two processes: a JSON header, then raw bytes."""

from __future__ import annotations

import json
import struct
from typing import Any, BinaryIO

_SIZES = struct.Struct(">II")
_LARGEST_HEADER = 2**28


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
    header, size = receive_header(stream)
    data = bytearray(size)
    receive_into(stream, memoryview(data))
    return header, data


def receive_header(stream: BinaryIO) -> tuple[dict[str, Any], int]:
    """Read the header of a message and leave its raw bytes in the pipe.

    Parameters
    ----------
    stream : binary file
        Pipe to read from.

    Returns
    -------
    header : dict
        The JSON header.
    size : int
        Number of raw bytes that follow.

    Raises
    ------
    EOFError
        If the other side closed the pipe.
    ValueError
        If the bytes are no message.
    """
    sizes = bytearray(_SIZES.size)
    receive_into(stream, memoryview(sizes))
    header_size, payload_size = _SIZES.unpack(sizes)
    if header_size > _LARGEST_HEADER:
        message = "the answer is no message"
        raise ValueError(message)
    text = bytearray(header_size)
    receive_into(stream, memoryview(text))
    header: dict[str, Any] = json.loads(text)
    return header, payload_size


def receive_into(stream: BinaryIO, view: memoryview) -> None:
    """Fill a buffer with the next raw bytes of the pipe.

    Parameters
    ----------
    stream : binary file
        Pipe to read from.
    view : memoryview
        Buffer of bytes; filled to its end.

    Raises
    ------
    EOFError
        If the other side closed the pipe.
    """
    filled = 0
    while filled < len(view):
        count = stream.readinto(view[filled:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError
        filled += count
