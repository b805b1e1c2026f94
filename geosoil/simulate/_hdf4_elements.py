"""Replace the compressed streams of an HDF4 file, element by element."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from geosoil.errors import FileFormatError

MAGIC = b"\x0e\x03\x13\x01"
"""First bytes of every HDF4 file."""
NULL, COMPRESSED, VGROUP = 1, 40, 1965
"""Tags of an empty entry, of a compressed stream and of a group."""
NO_DATA = 0xFFFFFFFF
"""Offset or length of an element without data."""


class Element(NamedTuple):
    """One entry of the list of data descriptors."""

    tag: int
    reference: int
    offset: int
    length: int


def rename_group(content: bytes, old: str, new: str) -> bytes:
    """Return an HDF4 file in which a group has another name.

    Parameters
    ----------
    content : bytes
        An HDF4 file.
    old, new : str
        Name of the group now and then.

    Returns
    -------
    content : bytes
        The file, packed anew.

    Raises
    ------
    FileFormatError
        If the file is no HDF4.

    Notes
    -----
    The library names the outermost group of a file after the path it was opened by.
    """
    before, after = (
        len(name.encode()).to_bytes(2, "big") + name.encode() for name in (old, new)
    )
    return _packed(
        [
            (element, data.replace(before, after) if element.tag == VGROUP else data)
            for element, data in _contents(content)
        ]
    )


def replace_streams(content: bytes, streams: list[bytes]) -> bytes:
    """Return an HDF4 file with other compressed streams.

    Parameters
    ----------
    content : bytes
        An HDF4 file whose compressed data sets each lie in one stream.
    streams : list of bytes
        New streams, in the order in which the data sets were written.

    Returns
    -------
    content : bytes
        The file, packed anew.

    Raises
    ------
    FileFormatError
        If the file is no HDF4 or has another number of streams.

    Notes
    -----
    The elements of an HDF4 file refer to each other by tag and reference, never by
    position, so all but the list of descriptors can be copied as it is.

    References
    ----------
    The HDF Group. HDF4 specification and developer's guide, chapter 2.
    """
    contents = _contents(content)
    ordered = sorted(e.reference for e, _ in contents if e.tag == COMPRESSED)
    if len(ordered) != len(streams):
        message = (
            f"The template has {len(ordered)} compressed streams where {len(streams)} "
            "are given. Write it anew with one compressed data set a stream."
        )
        raise FileFormatError(message)
    new = dict(zip(ordered, streams, strict=True))
    return _packed(
        [
            (element, new[element.reference] if element.tag == COMPRESSED else data)
            for element, data in contents
        ]
    )


def _contents(content: bytes) -> list[tuple[Element, bytes]]:
    """List the elements of a file with what they hold."""
    if content[:4] != MAGIC:
        message = "The template is no HDF4 file. Write it anew with pyhdf."
        raise FileFormatError(message)
    return [
        (element, content[element.offset : element.offset + element.length])
        if NO_DATA not in (element.offset, element.length)
        else (element, b"")
        for element in _elements(content)
    ]


def _packed(contents: list[tuple[Element, bytes]]) -> bytes:
    """Write elements one after the other behind one list of descriptors."""
    position = len(MAGIC) + 6 + 12 * len(contents)
    descriptors = [MAGIC, struct.pack(">HI", len(contents), 0)]
    for element, data in contents:
        place = (element.offset, element.length)
        if NO_DATA not in place:
            place = (position, len(data))
        descriptors.append(struct.pack(">HHII", *element[:2], *place))
        position += len(data)
    return b"".join([*descriptors, *(data for _, data in contents)])


def _elements(content: bytes) -> Iterator[Element]:
    """Walk the linked blocks of data descriptors."""
    block = len(MAGIC)
    while block:
        count, following = struct.unpack_from(">HI", content, block)
        for number in range(count):
            entry = Element(
                *struct.unpack_from(">HHII", content, block + 6 + 12 * number)
            )
            if entry.tag != NULL:
                yield entry
        block = following
