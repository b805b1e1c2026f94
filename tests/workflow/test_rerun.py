"""A run made again from its record."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geosoil.cli.main import main
from geosoil.errors import FileFormatError, GeosoilWarning, InputError, MissingFileError
from geosoil.io.provenance import RECORD, UNSEALED, seal
from geosoil.workflow import rerun as again
from geosoil.workflow.rerun import rerun


def changed_record(built_study, folder: Path, change) -> Path:
    """Write a changed and sealed copy of the record of the built-in study."""
    record = json.loads((built_study.result.folder / RECORD).read_text())
    change(record)
    record["record_sha256"] = UNSEALED
    folder.mkdir(exist_ok=True)
    path = folder / RECORD
    path.write_text(seal(json.dumps(record)))
    return path


def no_run(*_, **__) -> None:
    message = "nothing is run before the checks"
    raise AssertionError(message)


@pytest.fixture
def unrun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no study be run."""
    monkeypatch.setattr(again, "run", no_run)


@pytest.mark.usefixtures("unrun")
def test_all_inputs_that_differ_are_told_before_anything_runs(
    built_study, tmp_path: Path
) -> None:
    def change(record) -> None:
        record["inputs"]["samples.csv"]["sha256"] = "0" * 64
        record["inputs"]["climate/none.nc"] = {"sha256": "0" * 64, "bytes": 1}

    path = changed_record(built_study, tmp_path / "maps", change)
    with pytest.raises(FileFormatError) as caught:
        rerun(path, base=built_study.folder)
    assert "2 of 95 inputs" in str(caught.value)
    assert "changed: samples.csv" in str(caught.value)
    assert "not found: climate/none.nc" in str(caught.value)


@pytest.mark.usefixtures("unrun")
def test_absent_inputs_exit_3(built_study, tmp_path: Path) -> None:
    path = changed_record(built_study, tmp_path / "maps", lambda _: None)
    with pytest.raises(MissingFileError, match="94 of 94 inputs"):
        rerun(path, base=tmp_path)
    assert main(["rerun", str(path), "--base", str(tmp_path)]) == 3


@pytest.mark.usefixtures("unrun")
def test_a_damaged_record_is_not_run(built_study, tmp_path: Path) -> None:
    path = changed_record(built_study, tmp_path, lambda _: None)
    path.write_text(path.read_text().replace("2020", "2021", 1))
    with pytest.raises(FileFormatError, match="its own digest"):
        rerun(path)


@pytest.mark.usefixtures("unrun")
def test_results_are_never_overwritten(built_study) -> None:
    folder = built_study.result.folder
    with pytest.raises(InputError, match="another folder"):
        rerun(folder, output=folder / ".." / folder.name)


@pytest.mark.usefixtures("unrun")
def test_the_record_of_another_command_is_told(built_study, tmp_path: Path) -> None:
    path = changed_record(built_study, tmp_path, lambda r: r.pop("config_hash"))
    with pytest.raises(InputError, match="another command"):
        rerun(path)


@pytest.mark.usefixtures("unrun")
def test_other_software_is_warned_of(built_study, tmp_path: Path) -> None:
    def change(record) -> None:
        record["software"]["gdal"] = "1.0"

    path = changed_record(built_study, tmp_path / "maps", change)
    with (
        pytest.warns(GeosoilWarning, match=r"gdal 1\.0 then, "),
        pytest.raises(AssertionError, match="before the checks"),
    ):
        rerun(path, base=built_study.folder)


@pytest.mark.slow
def test_a_run_from_its_record_gives_the_same_files(
    built_study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = built_study.result.folder / RECORD
    words = ["-q", "rerun", str(record), "-o", str(tmp_path / "new"), "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)["results"][0]
    assert found["rasters_same"] is True
    assert found["different"] == found["absent"] == found["added"] == []
    assert found["software"] == []
    assert (tmp_path / "new" / RECORD).read_bytes() == record.read_bytes()
