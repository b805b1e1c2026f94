"""Files of an earlier run that the new one does not write."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geosoil.errors import GeosoilWarning
from geosoil.io.provenance import RECORD, run_provenance, seal
from geosoil.workflow.stale_files import remove_stale, written_before


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of an earlier run of three files, and a file of the user's."""
    names = ("a.tif", "old/b.tif", "c.csv")
    for name in (*names, "own.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    record = run_provenance(
        settings={}, inputs={}, outputs=[tmp_path / n for n in names], folder=tmp_path
    )
    (tmp_path / RECORD).write_text(seal(json.dumps(record)))
    return tmp_path


def test_only_files_of_the_earlier_run_are_removed(folder: Path) -> None:
    lines: list[str] = []
    removed = remove_stale(folder, [folder / "a.tif"], lines.append)
    assert removed == [folder / "c.csv", folder / "old" / "b.tif"]
    assert lines == ["removed 2 files of an earlier run: c.csv, old/b.tif"]
    left = {path.name for path in folder.iterdir()}
    assert left == {"a.tif", "own.txt", RECORD}


def test_a_file_that_was_changed_since_stays_and_is_told(folder: Path) -> None:
    (folder / "c.csv").write_text("edited")
    with pytest.warns(GeosoilWarning, match=r"1 files .* changed since.*: c\.csv"):
        removed = remove_stale(folder, [folder / "a.tif"], lambda _: None)
    assert removed == [folder / "old" / "b.tif"]
    assert (folder / "c.csv").read_text() == "edited"


def test_without_a_whole_record_nothing_is_removed(folder: Path) -> None:
    text = (folder / RECORD).read_text()
    (folder / RECORD).write_text(text.replace("c.csv", "d.csv"))
    assert written_before(folder) == {}
    assert remove_stale(folder, [], lambda _: None) == []
    (folder / RECORD).unlink()
    assert remove_stale(folder, [], lambda _: None) == []


def test_a_record_removes_nothing_outside_of_its_folder(folder: Path) -> None:
    victim = folder.parent / "victim.txt"
    victim.write_text("c.csv")
    record = json.loads((folder / RECORD).read_text())
    record["outputs"][f"../{victim.name}"] = record["outputs"]["c.csv"]
    record["record_sha256"] = "0" * 64
    (folder / RECORD).write_text(seal(json.dumps(record)))
    remove_stale(folder, [], lambda _: None)
    assert victim.is_file()
    victim.unlink()
