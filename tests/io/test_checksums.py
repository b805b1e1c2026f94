"""Damage is found by every kind of published checksum, and absence is said."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geosoil.errors import FileFormatError, InputError, MissingFileError
from geosoil.io.checksums import check_inputs, posix_cksum, verify_inputs

DATA = b"\x0e\x03\x13\x01" + bytes(range(256)) * 40
NAME = "MOD13C1.A2020161.061.2020999000000.hdf"

XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE GranuleMetaDataFile SYSTEM "http://example.org/ScienceGranule.dtd">
<GranuleMetaDataFile><GranuleURMetaData><DataFiles>
<DataFileContainer><DistributedFileName>BROWSE.{name}.jpg</DistributedFileName>
<FileSize>5</FileSize><ChecksumType>CKSUM</ChecksumType><Checksum>1</Checksum>
</DataFileContainer>
<DataFileContainer><DistributedFileName>{name}</DistributedFileName>
<FileSize>{size}</FileSize><ChecksumType>{kind}</ChecksumType>
<Checksum>{value}</Checksum><ChecksumOrigin>DCADS</ChecksumOrigin>
</DataFileContainer></DataFiles></GranuleURMetaData></GranuleMetaDataFile>
"""
CMR = """<Granule><GranuleUR>x</GranuleUR><DataGranule>
<SizeMBDataGranule>1</SizeMBDataGranule>
<Checksum><Value>{value}</Value><Algorithm>{kind}</Algorithm></Checksum>
</DataGranule></Granule>
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / NAME
    path.write_bytes(DATA)
    return path


def digests():
    return {
        "CKSUM": "1234567890",
        "MD5": hashlib.md5(DATA, usedforsecurity=False).hexdigest(),
        "SHA256": hashlib.sha256(DATA).hexdigest(),
        "SHA-256": hashlib.sha256(DATA).hexdigest().upper(),
    }


def row(path):
    found = verify_inputs([path]).iloc[0]
    return found["method"], found["verified"], found["reason"]


@pytest.mark.skipif(shutil.which("cksum") is None, reason="no coreutils here")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    start=st.binary(max_size=300), size=st.sampled_from([0, 1, 255, 256, 65535, 2**20])
)
def test_the_posix_checksum_is_that_of_coreutils(tmp_path, start, size):
    path = tmp_path / "data.bin"
    path.write_bytes(start + b"\xa5" * size)
    said = subprocess.run(["cksum", path], capture_output=True, check=True).stdout
    assert posix_cksum(path) == int(said.split()[0])


def test_checksums_known_from_the_standard(tmp_path):
    path = tmp_path / "data.bin"
    for data, expected in ((b"", 4294967295), (b"123456789", 930766865)):
        path.write_bytes(data)
        assert posix_cksum(path) == expected


@pytest.mark.parametrize("kind", ["CKSUM", "MD5", "SHA256", "SHA-256"])
@pytest.mark.parametrize("name", [f"{NAME}.xml", NAME.replace(".hdf", ".xml")])
def test_metadata_of_nasa_verify_a_file_and_find_every_flipped_bit(file, kind, name):
    value = digests()[kind] if kind != "CKSUM" else f"0{posix_cksum(file)}"
    text = XML.format(name=NAME, size=len(DATA), kind=kind, value=value)
    file.with_name(name).write_text(text)
    method, verified, reason = row(file)
    assert (method, verified) == ("xml", True)
    assert f"agrees with '{name}'" in reason
    for position in (0, 5000, len(DATA) - 1):
        damaged = bytearray(DATA)
        damaged[position] ^= 1
        file.write_bytes(damaged)
        method, verified, reason = row(file)
        assert (method, verified) == ("xml", False)
        assert "damaged or changed" in reason
    file.write_bytes(DATA[:-1])
    assert row(file)[1] is False
    assert f"{len(DATA) - 1} bytes" in row(file)[2]


def test_metadata_of_cmr_verify_a_file(file):
    text = CMR.format(value=digests()["MD5"], kind="MD5")
    file.with_name(f"{NAME}.cmr.xml").write_text(text)
    assert row(file)[:2] == ("xml", True)


@pytest.mark.parametrize("kind", ["sha256", "md5"])
@pytest.mark.parametrize(
    "template", ["{value}\n", "{value}  {name}\n", "{value} *{name}\n"]
)
def test_lists_of_sha256sum_and_md5sum_are_read(file, kind, template):
    value = digests()[kind.upper()]
    text = template.format(value=value, name=NAME)
    file.with_name(f"{NAME}.{kind}").write_text(text)
    assert row(file)[:2] == (kind, True)
    file.write_bytes(DATA + b"x")
    assert row(file)[:2] == (kind, False)


def test_one_list_may_serve_a_whole_folder(file):
    lines = f"{'0' * 64}  other.hdf\n{digests()['SHA256']}  ./{NAME}\n"
    file.with_name("SHA256SUMS").write_text(lines)
    assert row(file)[:2] == ("sha256", True)


def test_a_cksum_file_is_read(file):
    line = f"{posix_cksum(file)} {len(DATA)} /data/{NAME}\n"
    file.with_name(f"{NAME}.cksum").write_text(line)
    assert row(file)[:2] == ("cksum", True)
    file.with_name(f"{NAME}.cksum").write_text(f"12 {len(DATA)} {NAME}")
    assert row(file)[:2] == ("cksum", False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html><title>Earthdata Login</title>", "login page"),
        ("<a><b></a>", "damaged XML"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "declares entities"),
        ("<GranuleMetaDataFile/>", "holds no checksum"),
        (CMR.format(value="abc", kind="ROT13"), "unknown kind"),
        (XML.format(name="other.hdf", size=1, kind="CKSUM", value="1"), "describes"),
        ("x" * (2**22 + 1), "too large"),
    ],
    ids=["login", "damaged", "entities", "empty", "unknown", "other", "large"],
)
def test_sidecars_that_cannot_be_used_verify_nothing_and_say_why(file, text, words):
    file.with_name(f"{NAME}.xml").write_text(text)
    method, verified, reason = row(file)
    assert (method, verified) == ("none", None)
    assert words in reason


def test_without_a_checksum_nothing_is_claimed(file):
    method, verified, reason = row(file)
    assert (method, verified) == ("none", None)
    assert "no checksum lies beside it" in reason
    assert check_inputs([file]) is False


def test_all_files_that_differ_are_told_at_once(file, tmp_path):
    files = [file]
    for name in ("a.hdf", "b.hdf"):
        (tmp_path / name).write_bytes(b"x")
        (tmp_path / f"{name}.cksum").write_text("1 1")
        files.append(tmp_path / name)
    with pytest.raises(
        FileFormatError, match=r"(?s)mismatch, 2 of 3.*a\.hdf'.*b\.hdf'.*Download"
    ):
        check_inputs(files)
    table = verify_inputs(files)
    assert table["verified"].tolist() == [None, False, False]
    with pytest.raises(MissingFileError, match=r"none\.hdf"):
        verify_inputs([tmp_path / "none.hdf"])
    with pytest.raises(InputError, match="No files"):
        verify_inputs([])
