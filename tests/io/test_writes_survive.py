"""Whatever kills a writer or fills the disk, a name holds the old file or the new."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from geosoil.io._atomic import sweep_leftovers

SCRIPTS = Path(__file__).parent
KINDS = ["GeoTIFF", "GeoTIFF of classes", "NetCDF", "GeoPackage", "CSV", "HTML", "PNG"]
MOMENTS = 200


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_kills_leave_whole_files_alone(tmp_path: Path, kind: str) -> None:
    command = [sys.executable, str(SCRIPTS / "writers.py"), kind, str(tmp_path)]
    found = subprocess.run(
        [*command, str(MOMENTS)],
        capture_output=True,
        check=True,
        timeout=600,
        cwd=Path(__file__).parents[2],
    )
    told = json.loads(found.stdout)
    assert len(told["seen"]) == MOMENTS
    whole = set(told["whole"])
    assert len(whole) == 2
    # The file of before the first kill is there, so that none may ever be absent.
    assert set(told["seen"]) <= whole
    # The moments meet writers at work: both contents and half-written parts are seen.
    assert set(told["seen"]) == whole
    assert told["leftovers"] > MOMENTS // 10
    sweep_leftovers(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names <= {told["name"], f"{told['name']}.aux.xml"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None:
        pytest.skip("there is no mount command")
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"mounting a small disk is refused: {made.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_leaves_the_old_file_or_the_new(
    small_disk: Path, tmp_path: Path, kind: str
) -> None:
    command = [sys.executable, str(SCRIPTS / "writers.py"), kind, str(tmp_path)]
    found = subprocess.run(
        [*command, str(small_disk), "40"],
        capture_output=True,
        check=True,
        timeout=600,
        cwd=Path(__file__).parents[2],
    )
    told = json.loads(found.stdout)
    old, new = told["whole"]
    answers = told["answers"]
    assert len(answers) == 40
    # An error keeps the old file, no error means the new one; no part is left.
    assert {tuple(answer) for answer in answers} == {
        ("GeosoilError", old, False),
        ("", new, False),
    }
    failed = sum(answer[0] != "" for answer in answers)
    assert 2 < failed < 38
