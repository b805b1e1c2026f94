"""Whether the files of a run are still what it wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from geosoil.cli.main import main
from geosoil.errors import GeosoilError, InputError, MissingFileError
from geosoil.io.provenance import RECORD, run_provenance, seal
from geosoil.workflow.verify import verify_folder

INPUTS = ("samples.csv", "layers/soil.tif", "climate/soil.tif")
OUTPUTS = ("r.tif", "tables/a.csv", "figures/a.png")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Folder of results of a little run, beside its inputs."""
    rng = np.random.default_rng(1)
    folder = tmp_path / "study" / "maps"
    for place, names in ((tmp_path / "study", INPUTS), (folder, OUTPUTS)):
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(rng.bytes(200))
    write_record(folder)
    return folder


def write_record(folder: Path, outputs: tuple[str, ...] = OUTPUTS) -> None:
    record = run_provenance(
        settings={"seed": 1},
        inputs={name: folder.parent / name for name in INPUTS},
        outputs=[folder / name for name in outputs],
        folder=folder,
    )
    (folder / RECORD).write_text(seal(json.dumps(record, indent=1)))


def test_an_untouched_folder_is_whole(results: Path) -> None:
    found = verify_folder(results)
    assert found.is_whole
    assert set(found.same) == {*OUTPUTS, RECORD}
    assert found.unlisted == ()
    assert "4 of 4 files" in found.text
    assert verify_folder(results / RECORD) == found


def flips_found(folder: Path, names: list[str], *, n: int, seed: int) -> int:
    """Count the bit flips in random places of files that are found."""
    rng = np.random.default_rng(seed)
    sizes = np.array([(folder / name).stat().st_size for name in names])
    found = 0
    for place in rng.integers(sizes.sum(), size=n):
        number = int(np.searchsorted(np.cumsum(sizes), place, side="right"))
        path = folder / names[number]
        whole = path.read_bytes()
        at = int(place - sizes[:number].sum())
        broken = bytearray(whole)
        broken[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(broken)
        try:
            changed = verify_folder(folder).changed
            # A changed digest in the record makes two of it: the record and the file.
            own = names[number] == RECORD
            found += names[number] in changed if own else changed == (names[number],)
        except GeosoilError:
            # The record itself, which cannot even be read any more.
            found += names[number] == RECORD
        path.write_bytes(whole)
    return found


def test_a_flipped_bit_in_any_file_is_found(results: Path) -> None:
    assert flips_found(results, [*OUTPUTS, RECORD], n=300, seed=1) == 300


@pytest.mark.slow
def test_a_thousand_flipped_bits_in_the_files_of_a_study_are_all_found(
    built_study, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    shutil.copytree(built_study.result.folder, folder)
    whole = verify_folder(folder)
    assert whole.is_whole
    assert flips_found(folder, list(whole.same), n=1000, seed=2020) == 1000


def test_a_changed_record_is_found(results: Path) -> None:
    path = results / RECORD
    path.write_text(path.read_text().replace('"seed": 1', '"seed": 2'))
    assert verify_folder(results).changed == (RECORD,)


def test_lost_and_added_files_are_named(results: Path) -> None:
    (results / "r.tif").unlink()
    (results / "notes.txt").write_text("mine")
    (results / ".geosoil").mkdir()
    (results / ".geosoil" / "journal.json").write_text("{}")
    found = verify_folder(results)
    assert found.missing == ("r.tif",)
    assert found.unlisted == ("notes.txt",)
    assert not found.is_whole


def test_own_files_beside_the_results_do_no_harm(results: Path) -> None:
    (results / "notes.txt").write_text("mine")
    assert verify_folder(results).is_whole


def test_inputs_are_found_above_the_results(results: Path) -> None:
    found = verify_folder(results, inputs=True)
    assert dict(found.inputs) == dict.fromkeys(sorted(INPUTS), "same")
    (results.parent / "samples.csv").write_text("other")
    (results.parent / "layers/soil.tif").unlink()
    found = verify_folder(results, inputs=True, base=results.parent)
    assert found.inputs["samples.csv"] == "changed"
    assert found.inputs["layers/soil.tif"] == "not found"
    assert not found.is_whole
    assert "input changed: samples.csv" in found.text


def test_inputs_apart_from_the_study_are_found_where_they_are_said_to_be(
    results: Path, tmp_path: Path
) -> None:
    path = results / RECORD
    path.write_text(path.read_text().replace('"climate/soil.tif"', '"<outside-1>/s"'))
    store = tmp_path / "store"
    store.mkdir()
    (results.parent / "climate/soil.tif").rename(store / "s")
    assert verify_folder(results, inputs=True).inputs["<outside-1>/s"] == "not found"
    found = verify_folder(results, inputs=True, outside=[store])
    assert found.inputs["<outside-1>/s"] == "same"


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd"])
def test_a_record_that_names_files_elsewhere_is_refused(
    results: Path, name: str
) -> None:
    path = results / RECORD
    path.write_text(path.read_text().replace('"r.tif"', json.dumps(name)))
    with pytest.raises(InputError, match="outside of"):
        verify_folder(results)


def test_a_folder_without_record_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="no record"):
        verify_folder(tmp_path)


def test_the_command_tells_and_exits(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(results)]) == 0
    assert "4 of 4 files" in capsys.readouterr().out
    (results / "tables/a.csv").write_text("edited")
    assert main(["verify", str(results)]) == 1
    said = capsys.readouterr()
    assert "changed: tables/a.csv" in said.out
    assert "run the study again" in said.err
    assert main(["verify", str(results), "--json", "--inputs"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["results"][0]["changed"] == ["tables/a.csv"]
    assert answer["results"][0]["inputs"]["samples.csv"] == "same"
    assert main(["verify", str(results / "figures")]) == 3
