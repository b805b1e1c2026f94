"""A run that was killed goes on, and ends byte by byte as if nothing had happened."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from geosoil.io.provenance import RECORD, file_digest
from geosoil.workflow.journal import FOLDER, INDEX
from geosoil.workflow.run import run, stage_names

RUN = (
    "import os, signal, sys, warnings\n"
    "from geosoil.workflow.run import run\n"
    "warnings.simplefilter('ignore')\n"
    "last = int(sys.argv[3])\n"
    "seen = 0\n"
    "def report(words):\n"
    "    global seen\n"
    "    seen += 1\n"
    "    print(words, flush=True)\n"
    "    if seen == last:\n"
    "        os.kill(os.getpid(), signal.SIGKILL)\n"
    "run(sys.argv[1], output=sys.argv[2], progress=report)\n"
)
KILLED = -signal.SIGKILL


def started(config: Path, folder: Path, last: int = 0) -> subprocess.Popen[str]:
    """Start a run that kills itself at a line of its progress; 0 for never."""
    words = [sys.executable, "-c", RUN, str(config), str(folder), str(last)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def finished(config: Path, folder: Path, last: int = 0) -> tuple[int, list[str]]:
    """Run to the end, or to the line at which the run kills itself."""
    process = started(config, folder, last)
    said, _ = process.communicate()
    return process.returncode, said.splitlines()


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of every file of a folder, hidden ones as well."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def test_ctrl_c_exits_130_and_tells_how_to_go_on(built_study, tmp_path: Path) -> None:
    folder = tmp_path / "maps"
    process = subprocess.Popen(
        [sys.executable, "-m", "geosoil", "run", built_study.config, "-o", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")
    lines = [next(line for line in said if line.startswith("[4/"))]
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert lines == [f"[4/{len(stage_names())}] {stage_names()[3]}\n"]
    assert out == ""
    assert "the same command goes on" in rest
    assert f"geosoil run {built_study.config} -o {folder}" in rest
    kept = json.loads((folder / FOLDER / INDEX).read_text())["results"]
    assert list(kept) == ["fractions"]
    assert not (folder / RECORD).exists()


@pytest.fixture(scope="module")
def whole(built_study, tmp_path_factory) -> dict[str, str]:
    """Digests of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole")
    code, said = finished(built_study.config, folder)
    assert code == 0
    assert said[-1] == stage_names()[-1]
    found = digests(folder)
    assert not any(name.startswith(FOLDER) for name in found)
    return found


@pytest.mark.slow
def test_a_run_killed_at_every_stage_ends_as_a_whole_one(
    built_study, whole, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    seen: set[str] = set()
    last, lines = 1, 0
    while True:
        code, said = finished(built_study.config, folder, last)
        if code == 0:
            break
        assert code == KILLED
        lines = max(lines, len(said))
        fresh = said[-1] not in seen
        seen.add(said[-1])
        # Figures are drawn again each time, so not each of them is a place to die.
        last += 1 if fresh and not said[-1].startswith("drawing ") else 4
    assert len(seen) > len(stage_names())
    assert digests(folder) == whole


@pytest.mark.slow
def test_a_run_killed_at_random_moments_ends_as_a_whole_one(
    built_study, whole, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    chance = random.Random(2020)
    for _ in range(12):
        process = started(built_study.config, folder)
        try:
            process.communicate(timeout=chance.uniform(1.0, 12.0))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    assert finished(built_study.config, folder)[0] == 0
    assert digests(folder) == whole


@pytest.mark.slow
def test_damage_and_changes_make_a_run_begin_anew(
    built_study, whole, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    other = built_study.folder / "other.toml"
    text = built_study.config.read_text()
    other.write_text(text.replace("seed = 2020", "seed = 2021", 1))
    assert finished(other, folder, last=9)[0] == KILLED
    other.unlink()
    code, said = finished(built_study.config, folder, last=18)
    assert code == KILLED
    assert said[2].startswith("an interrupted run lies there, of other settings")
    for path in (folder / FOLDER).glob("*.npz"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    lines: list[str] = []
    with pytest.warns(match="is not used"):
        run(built_study.config, output=folder, progress=lines.append)
    assert any(line.startswith("going on with the interrupted") for line in lines)
    assert digests(folder) == whole


@pytest.mark.slow
def test_files_of_an_earlier_run_go_unless_they_were_changed(
    built_study, tmp_path: Path
) -> None:
    folder = tmp_path / "maps"
    assert finished(built_study.config, folder)[0] == 0
    (folder / "notes.txt").write_text("mine")
    names = [f"correlation_ndvi_soil_moisture_June_{what}.tif" for what in ("r", "n")]
    (folder / names[0]).write_bytes(b"mine now")
    fewer = built_study.folder / "fewer.toml"
    text = built_study.config.read_text()
    fewer.write_text(text.replace(', "ndvi"]', "]", 1))
    with pytest.warns(match=f"1 files .* were changed since.*{names[0]}"):
        result = run(fewer, output=folder)
    fewer.unlink()
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / names[0]).read_bytes() == b"mine now"
    assert not (folder / names[1]).exists()
    removed = {path.name for path in result.removed}
    assert names[1] in removed
    assert names[0] not in removed
    assert not any(
        "ndvi" in path.name for path in result.paths if path.suffix == ".tif"
    )
