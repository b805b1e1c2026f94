"""A PNG file tells its size and words; a damaged one is refused."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io.png_words import LONGEST, read_png
from tests.report.report_cases import png


def chunk(kind: bytes, body: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def with_chunk(kind: bytes, body: bytes) -> bytes:
    whole = png()
    return whole[:33] + chunk(kind, body) + whole[33:]


def test_size_and_bytes_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png("Title", width=640, height=480))
    found = read_png(path)
    assert (found.width, found.height) == (640, 480)
    assert found.data == path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "body", "words"),
    [
        (b"tEXt", b"Title\x00plain \xe9", {"Title": "plain é"}),
        (b"zTXt", b"Title\x00\x00" + zlib.compress(b"packed"), {"Title": "packed"}),
        (b"iTXt", b"A\x00\x00\x00en\x00\x00" + "δ¹⁸O".encode(), {"A": "δ¹⁸O"}),
        (
            b"iTXt",
            b"A\x00\x01\x00\x00\x00" + zlib.compress("冻土".encode()),
            {"A": "冻土"},
        ),
        (b"zTXt", b"Title\x00\x00damaged", {"Title": ""}),
        (b"iTXt", b"A\x00", {}),
    ],
)
def test_texts_of_every_kind_are_read(
    tmp_path: Path, kind: bytes, body: bytes, words: dict[str, str]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(with_chunk(kind, body))
    assert read_png(path).words == words


def test_a_text_that_unpacks_to_a_bomb_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    bomb = zlib.compress(b"\x20" * (20 * LONGEST), 9)
    path.write_bytes(with_chunk(b"zTXt", b"Title\x00\x00" + bomb))
    assert len(read_png(path).words["Title"]) == LONGEST


def test_words_written_by_matplotlib_are_read(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    path = tmp_path / "a.png"
    words = {"Title": "Soil water", "Description": "δ²H in ‰"}
    Figure((1.0, 1.0)).savefig(path, metadata=words, dpi=50)
    found = read_png(path)
    assert (found.width, found.height) == (50, 50)
    assert words.items() <= found.words.items()


def test_every_cut_and_every_flipped_byte_is_refused(tmp_path: Path) -> None:
    path, whole = tmp_path / "a.png", png("Title")
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 0x10
        for data in (whole[:place], bytes(flipped)):
            path.write_bytes(data)
            with pytest.raises(FileFormatError, match=r"a\.png' is no whole PNG"):
                read_png(path)


def test_an_absent_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match=r"none\.png' does not exist"):
        read_png(tmp_path / "none.png")
