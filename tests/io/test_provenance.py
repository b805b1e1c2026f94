"""The record of a run: what it names, and that no byte of it changes unseen."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io.provenance import (
    RECORD,
    UNSEALED,
    code_digest,
    file_digest,
    file_entry,
    is_sealed,
    read_record,
    run_provenance,
    seal,
    software_versions,
)


def record_text(folder: Path) -> str:
    """Return the sealed record of two inputs of one name and one output."""
    for name in ("a/soil.csv", "b/soil.csv", "out/r.tif"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    record = run_provenance(
        settings={"seed": 1, "words": "δ18O"},
        inputs={name: folder / name for name in ("b/soil.csv", "a/soil.csv")},
        outputs=[folder / "out/r.tif"],
        folder=folder / "out",
        more={"command": "geosoil run geosoil.toml"},
    )
    return seal(json.dumps(record, indent=1, ensure_ascii=False))


def test_a_digest_is_that_of_the_standard_library(tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    data = bytes(range(256)) * 9000
    file.write_bytes(data)
    assert file_digest(file) == hashlib.sha256(data).hexdigest()
    assert file_entry(file) == {"sha256": file_digest(file), "bytes": len(data)}


def test_inputs_of_one_name_do_not_collide(tmp_path: Path) -> None:
    record = json.loads(record_text(tmp_path))
    assert list(record["inputs"]) == ["a/soil.csv", "b/soil.csv"]
    digests = {entry["sha256"] for entry in record["inputs"].values()}
    assert len(digests) == 2
    assert record["outputs"]["r.tif"] == file_entry(tmp_path / "out/r.tif")
    assert record["input_verified"] is False


def test_a_record_holds_neither_place_nor_time(tmp_path: Path) -> None:
    texts = []
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        texts.append(record_text(tmp_path / name))
    assert texts[0] == texts[1]
    assert str(tmp_path) not in texts[0]


def test_inputs_are_verified_by_the_checksums_beside_them(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("1")
    (tmp_path / "a.csv.sha256").write_text(f"{file_digest(file)}  a.csv\n")
    record = run_provenance(
        settings={}, inputs={"a.csv": file}, outputs=[], folder=tmp_path
    )
    assert record["input_verified"] is True
    file.write_text("2")
    with pytest.raises(FileFormatError, match="Checksum mismatch"):
        run_provenance(settings={}, inputs={"a.csv": file}, outputs=[], folder=tmp_path)


def test_the_versions_name_libraries_within_packages() -> None:
    versions = software_versions()
    assert {"geosoil", "geosoil_code", "python", "gdal", "proj", "geos", "hdf4"} <= set(
        versions
    )
    assert versions["geosoil_code"] == code_digest()[:12]
    assert all(isinstance(value, str) and value for value in versions.values())


def test_every_flipped_bit_of_a_record_is_found(tmp_path: Path) -> None:
    data = record_text(tmp_path).encode()
    assert is_sealed(data)
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 1 << place % 8
        assert not is_sealed(bytes(broken)), place


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9)))
def test_any_record_can_be_sealed(more: dict[str, object]) -> None:
    record = {"more": more, "record_sha256": UNSEALED}
    assert is_sealed(seal(json.dumps(record, ensure_ascii=False)).encode())


def test_two_seals_are_none(tmp_path: Path) -> None:
    text = record_text(tmp_path)
    doubled = text.replace("{", '{"record_sha256": "' + "a" * 64 + '",', 1)
    assert not is_sealed(doubled.encode())
    assert not is_sealed(b"{}")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no table"),
        (b'{"software": {}, "settings": {}, "inputs": {}}', "'outputs' is missing"),
        (
            b'{"software": {}, "settings": {}, "inputs": {"a": "0"}, "outputs": {}}',
            "'a' has no digest",
        ),
    ],
)
def test_what_is_no_record_is_refused(
    tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / RECORD
    file.write_bytes(content)
    with pytest.raises(FileFormatError, match=words):
        read_record(file)


def test_an_absent_record_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no record"):
        read_record(tmp_path / RECORD)
