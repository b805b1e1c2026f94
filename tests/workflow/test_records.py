"""The files that a run reads, and what its results rest on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from geosoil.config import StudyConfig, read_config
from geosoil.errors import FileFormatError, MissingFileError
from geosoil.io.class_sidecar import with_sidecars
from geosoil.io.provenance import RECORD, file_entry
from geosoil.workflow import records
from geosoil.workflow.records import (
    check_unchanged,
    input_files,
    run_key,
    take_digests,
    write_command_record,
    write_study_record,
)
from geosoil.workflow.verify import verify_folder

SETTINGS = """
[samples]
path = "samples.csv"
[climate]
rain = "rain/soil.nc"
[layers]
soil = { path = "layers/soil.nc" }
"""


@pytest.fixture
def config(tmp_path: Path) -> StudyConfig:
    """Settings of a study whose inputs are only looked at."""
    folder = tmp_path / "study"
    for name in ("samples.csv", "rain/soil.nc", "layers/soil.nc"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "geosoil.toml").write_text(SETTINGS)
    return read_config(folder / "geosoil.toml")


def touched(path: Path, words: str) -> None:
    """Write a file, and let its time be another whatever the clock's steps."""
    path.write_text(words)
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 10**9))


def test_inputs_are_named_from_the_settings_file(config: StudyConfig) -> None:
    assert sorted(input_files(config)) == [
        "layers/soil.nc",
        "rain/soil.nc",
        "samples.csv",
    ]
    (config.samples.path.parent / "rain/soil.nc").unlink()
    with pytest.raises(MissingFileError):
        input_files(config)


def test_an_input_that_changes_under_way_is_told(config: StudyConfig) -> None:
    files = take_digests(config)
    check_unchanged(files)
    folder = config.samples.path.parent
    touched(folder / "samples.csv", "samples.csv")
    check_unchanged(files)
    touched(folder / "samples.csv", "changed")
    (folder / "layers/soil.nc").unlink()
    with pytest.raises(FileFormatError) as caught:
        check_unchanged(files)
    for words in ("2 inputs", "samples.csv has other", "layers/soil.nc is gone"):
        assert words in str(caught.value)


def test_the_key_counts_settings_inputs_and_software(
    config: StudyConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [run_key(config, take_digests(config))]
    elsewhere = config.output.model_copy(update={"folder": tmp_path / "x"})
    moved = config.model_copy(update={"output": elsewhere})
    assert run_key(moved, take_digests(moved)) == keys[0]
    strict = config.correlation.model_copy(update={"fdr": 0.05})
    other = config.model_copy(update={"correlation": strict})
    keys.append(run_key(other, take_digests(other)))
    (config.samples.path.parent / "rain/soil.nc").write_text("other rain")
    keys.append(run_key(config, take_digests(config)))
    monkeypatch.setattr(records, "software_versions", lambda: {"gdal": "1.0"})
    keys.append(run_key(config, take_digests(config)))
    assert len(set(keys)) == 4


def test_records_are_equal_wherever_the_results_lie(
    config: StudyConfig, tmp_path: Path
) -> None:
    texts = []
    for place in ("here", "far/away"):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text("1")
        path = write_study_record(
            config, take_digests(config), [folder / "a.csv"], folder
        )
        texts.append(path.read_bytes())
        assert verify_folder(folder, inputs=True, base=tmp_path / "study").is_whole
    assert texts[0] == texts[1]
    assert b'"geosoil run geosoil.toml"' in texts[0]


def test_a_command_records_its_files_without_folders_of_the_machine(
    config: StudyConfig, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "r.tif").write_text("r")
    (folder / "r.tif.aux.xml").write_text("classes")
    read = [config.samples.path, config.samples.path.parent / "rain/soil.nc"]
    settings = {"points": str(read[0]), "others": [str(read[1])], "power": 2.0}
    path = write_command_record(
        settings, read, with_sidecars([folder / "r.tif"]), folder
    )
    record = json.loads(path.read_text())
    assert str(tmp_path) not in path.read_text()
    assert record["settings"] == {
        "points": "samples.csv",
        "others": ["rain/soil.nc"],
        "power": 2.0,
    }
    assert record["inputs"]["rain/soil.nc"] == file_entry(read[1])
    found = verify_folder(folder)
    assert found.is_whole
    assert set(found.same) == {"r.tif", "r.tif.aux.xml", RECORD}
