"""A file holds its old content or its new one, whatever happens in between."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from geosoil.errors import GeosoilError, InputError
from geosoil.io._atomic import atomic_path, write_bytes, write_csv, write_text


def test_the_temporary_name_is_hidden_and_keeps_the_suffix(tmp_path):
    with atomic_path(tmp_path / "map.tif") as part:
        assert part.parent == tmp_path
        assert part.name == f".map.tif.{os.getpid()}.part.tif"
        part.write_bytes(b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["map.tif"]


def test_missing_folders_are_made(tmp_path):
    target = write_bytes(b"x", tmp_path / "a" / "b" / "c.bin")
    assert target.read_bytes() == b"x"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, InputError])
def test_an_error_in_the_block_leaves_the_old_content_and_no_leftover(tmp_path, error):
    target = tmp_path / "table.csv"
    target.write_text("old")

    def write_half():
        text = "half-way"
        with atomic_path(target) as part:
            part.write_text("half of the n")
            raise error(text)

    with pytest.raises(error, match="half-way"):
        write_half()
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_a_full_disk_is_a_geosoil_error_that_names_the_target(tmp_path):
    target = tmp_path / "map.tif"
    target.write_bytes(b"old")

    def write_to_a_full_disk():
        with atomic_path(target) as part:
            part.symlink_to("/dev/full")
            part.write_bytes(b"new")

    with pytest.raises(GeosoilError, match=r"map\.tif.*No space left.*unchanged"):
        write_to_a_full_disk()
    assert target.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_writing_nothing_is_an_error(tmp_path):
    with (
        pytest.raises(GeosoilError, match="No such file"),
        atomic_path(tmp_path / "empty.bin"),
    ):
        pass
    assert not (tmp_path / "empty.bin").exists()


def test_a_folder_in_the_way_is_an_error(tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(GeosoilError, match=r"out.*directory"):
        write_bytes(b"x", tmp_path / "out")
    with pytest.raises(GeosoilError, match="Cannot write"):
        write_bytes(b"x", write_bytes(b"y", tmp_path / "file") / "below.bin")


def test_a_symbolic_link_is_replaced_and_its_target_kept(tmp_path):
    treasure = tmp_path / "treasure.txt"
    treasure.write_text("precious")
    link = tmp_path / "link.txt"
    link.symlink_to(treasure)
    write_text("new", link)
    assert not link.is_symlink()
    assert (link.read_text(), treasure.read_text()) == ("new", "precious")


def test_what_a_killed_process_left_is_swept_and_a_living_one_spared(tmp_path):
    target = tmp_path / "a[1].tif"
    script = (
        "import sys, time\n"
        "from geosoil.io._atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as part:\n"
        "    part.write_text('half'); print('ready', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", script, str(target)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        write_text("mine", target)
        leftover = tmp_path / f".a[1].tif.{writer.pid}.part.tif"
        assert leftover.exists()
        writer.send_signal(signal.SIGKILL)
    assert target.read_text() == "mine"
    assert leftover.exists()
    write_text("again", target)
    assert not leftover.exists()


def test_kill_at_any_moment_leaves_old_or_new(tmp_path):
    target = tmp_path / "big.bin"
    old, new = b"old" * 300_000, b"new" * 300_000
    target.write_bytes(old)
    script = (
        "import sys\n"
        "from geosoil.io._atomic import write_bytes\n"
        "print('ready', flush=True)\n"
        "while True:\n"
        "    write_bytes(b'new' * 300_000, sys.argv[1])\n"
        "    write_bytes(b'old' * 300_000, sys.argv[1])\n"
    )
    command = [sys.executable, "-c", script, str(target)]
    root = Path(__file__).parents[2]
    for pause in (0.0, 0.004, 0.011):
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(pause)
            writer.kill()
        assert target.read_bytes() in (old, new)


def test_tables_keep_full_precision_and_only_named_indexes(tmp_path):
    frame = pd.DataFrame({"id": ["001", "西"], "d18O": [0.1 + 0.2, None]})
    file = write_csv(frame, tmp_path / "a.csv")
    assert file.read_bytes().decode() == "id,d18O\n001,0.30000000000000004\n西,\n"
    named = write_csv(frame.set_index("id"), tmp_path / "b.csv")
    assert named.read_text("utf-8").splitlines()[0] == "id,d18O"
