"""A file holds its old content or its new one, whatever happens in between."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from geosoil.errors import GeosoilError, InputError
from geosoil.io import _atomic
from geosoil.io._atomic import (
    atomic_path,
    sweep_leftovers,
    write_bytes,
    write_csv,
    write_text,
)
from geosoil.io._leftovers import own_token


def files(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_the_part_lies_in_a_hidden_private_folder_under_the_name_of_the_target(
    tmp_path,
):
    with atomic_path(tmp_path / "map.tif") as part:
        room = part.parent
        assert room.parent == tmp_path
        assert room.name.startswith(".map.tif.")
        assert room.name.endswith(".part")
        assert stat.S_IMODE(room.stat().st_mode) == 0o700
        assert part.name == "map.tif"
        assert not part.exists()
        assert list(tmp_path.glob("*.tif")) == []
        pattern = f"{tmp_path}/**/*.tif"
        assert glob.glob(pattern, recursive=True) == []  # noqa: PTH207
        part.write_bytes(b"new")
    assert files(tmp_path) == ["map.tif"]


def test_what_libraries_leave_beside_the_part_goes_with_it(tmp_path):
    with atomic_path(tmp_path / "map.gpkg") as part:
        for ending in ("", "-shm", ".aux.xml", ".ovr.tmp"):
            part.with_name(part.name + ending).write_bytes(b"x")
    assert files(tmp_path) == ["map.gpkg"]


def test_a_database_that_was_not_closed_is_no_result(tmp_path):
    target = write_bytes(b"old", tmp_path / "map.gpkg")

    def leave_open(ending):
        with atomic_path(target) as part:
            part.write_bytes(b"half")
            part.with_name(part.name + ending).write_bytes(b"the rest")

    for ending in ("-wal", "-journal"):
        with pytest.raises(GeosoilError, match=r"map\.gpkg' was not closed"):
            leave_open(ending)
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == ["map.gpkg"]


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_files_have_the_mode_that_the_user_asks_for(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        file = write_bytes(b"x", tmp_path / "a.bin")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == mode


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
        (leftover,) = tmp_path.glob(f".a?1?.tif.*-{writer.pid}-*.part")
        assert sweep_leftovers(tmp_path) == []
        writer.send_signal(signal.SIGKILL)
    assert target.read_text() == "mine"
    assert leftover.exists()
    write_text("again", target)
    assert not leftover.exists()


def leave(folder: Path, token: str, *, days: float = 0.0) -> Path:
    """Leave a folder as a killed writer does."""
    room = folder / f".map.tif.{token}-0.part"
    room.mkdir(parents=True)
    half = room / "map.tif"
    half.write_bytes(b"half")
    then = time.time() - 86_400 * days
    for place in (half, room):
        os.utime(place, (then, then))
    return room


def test_a_leftover_goes_when_nobody_can_be_writing_it(tmp_path):
    place, process, start = own_token().split("-")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    kept = [
        leave(tmp_path, f"0badcafe-{process}-{start}"),
        leave(tmp_path, f"0badcafe-{process}-7", days=0.9),
        leave(tmp_path, f"{place}-{os.getppid()}-0"),
    ]
    abandoned = [
        leave(tmp_path / "figures", f"{place}-{gone.pid}-{start}"),
        leave(tmp_path / "tables" / "more", f"{place}-{os.getppid()}-1"),
        leave(tmp_path, f"{place}-{process}-{start}"),
        leave(tmp_path, "0badcafe-1-1", days=1.1),
    ]
    (tmp_path / ".map.tif.part").mkdir()
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    linked = leave(outside, f"{place}-{gone.pid}-{start}")
    (tmp_path / "link").symlink_to(outside)
    assert sorted(sweep_leftovers(tmp_path)) == sorted(abandoned)
    assert all(room.is_dir() for room in [*kept, linked, tmp_path / ".map.tif.part"])
    assert sweep_leftovers(tmp_path) == []
    assert sweep_leftovers(tmp_path / "absent") == []


def test_the_next_write_to_a_folder_sweeps_it(tmp_path):
    place, *_ = own_token().split("-")
    leave(tmp_path, f"{place}-{os.getppid()}-1")
    write_text("new", tmp_path / "other.txt")
    assert files(tmp_path) == ["other.txt"]


def test_a_write_under_way_in_this_process_is_spared(tmp_path):
    with atomic_path(tmp_path / "a.bin") as part:
        write_bytes(b"b", tmp_path / "b.bin")
        write_bytes(b"other", tmp_path / "a.bin")
        assert sweep_leftovers(tmp_path) == []
        part.write_bytes(b"a")
    assert (tmp_path / "a.bin").read_bytes() == b"a"
    assert files(tmp_path) == ["a.bin", "b.bin"]


@pytest.mark.parametrize("planted", ["link", "folder"])
def test_nothing_is_written_through_what_another_put_in_the_way(
    tmp_path, monkeypatch, planted
):
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "a.bin").write_bytes(b"precious")
    monkeypatch.setattr(_atomic, "_numbers", iter([4]))
    room = tmp_path / f".a.bin.{own_token()}-4.part"
    if planted == "link":
        room.symlink_to(victim)
    else:
        room.mkdir()
    monkeypatch.setattr(_atomic, "sweep_folder", lambda _: ([], []))
    with pytest.raises(GeosoilError, match=r"File exists.*in the way"):
        write_bytes(b"new", tmp_path / "a.bin")
    assert (victim / "a.bin").read_bytes() == b"precious"
    assert not (tmp_path / "a.bin").exists()
    assert room.is_symlink() == (planted == "link")


def test_a_part_that_is_a_link_is_no_result(tmp_path):
    treasure = tmp_path / "treasure.txt"
    treasure.write_text("precious")

    def link():
        with atomic_path(tmp_path / "a.txt") as part:
            part.symlink_to(treasure)

    with pytest.raises(GeosoilError, match="Cannot write"):
        link()
    assert files(tmp_path) == ["treasure.txt"]


@pytest.mark.parametrize(
    "name", ["n" * 255, "n" * 251 + ".tif", "西" * 85, "a." + "s" * 253, "a.b"]
)
def test_every_name_that_a_folder_takes_can_be_written(tmp_path, name):
    with atomic_path(tmp_path / name) as part:
        beside = part.with_name(part.name + "-journal")
        beside.touch()
        part.write_bytes(b"x")
    assert files(tmp_path) == [name]
    assert part.suffix == (tmp_path / name).suffix[: len(part.suffix)]


@pytest.mark.parametrize("name", ["n" * 256, "a\0b", ""])
def test_names_that_no_folder_takes_are_an_error(tmp_path, name):
    with pytest.raises(GeosoilError, match="Cannot write"):
        write_bytes(b"x", f"{tmp_path}/{name}" if name else "")
    assert files(tmp_path) == []


CALLS = ["open", "write", "read", "close", "fsync", "fstat", "mkdir", "replace"]
CALLS += ["scandir", "unlink", "rmdir", "lstat", "stat"]


class FailingSystem:
    """Let the n-th call of the system fail."""

    def __init__(self, monkeypatch, number: int, code: int) -> None:
        self.seen, self.number, self.code = 0, number, code
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name, real):
        def call(*args, **kwargs):
            self.seen += 1
            if self.seen != self.number:
                return real(*args, **kwargs)
            if name == "close":
                real(*args, **kwargs)
            raise OSError(self.code, os.strerror(self.code))

        return call


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("folder", [".", "new/folder"])
def test_a_failure_of_any_call_of_the_system_leaves_old_or_new(tmp_path, code, folder):
    target = tmp_path / folder / "a.bin"
    answers = set()
    for number in range(1, 200):
        if folder == ".":
            target.write_bytes(b"old")
        else:
            shutil.rmtree(tmp_path / "new", ignore_errors=True)
        error = None
        with pytest.MonkeyPatch.context() as patch:
            system = FailingSystem(patch, number, code)
            try:
                write_bytes(b"new content", target)
            except GeosoilError as found:
                error = found
        content = target.read_bytes() if target.exists() else None
        answers.add((content, error is None))
        if error is None or "holds its new content" in str(error):
            assert content == b"new content"
        else:
            assert content == (b"old" if folder == "." else None)
            assert "unchanged" in str(error)
            assert str(target) in str(error)
            assert os.strerror(code) in str(error)
        write_text("next", target.with_name("next.txt"))
        assert set(files(target.parent)) <= {"a.bin", "next.txt"}
        if system.seen < number:
            break
    else:
        pytest.fail("writing one file takes more than 200 calls")
    assert number > 15
    assert len(answers) == 3


def test_a_short_write_goes_on_until_all_is_written(tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: real(handle, data[:7]))
    data = bytes(range(256)) * 3
    assert write_bytes(data, tmp_path / "a.bin").read_bytes() == data


def test_a_disk_that_keeps_other_bytes_is_found_out(tmp_path, monkeypatch):
    target = write_bytes(b"old", tmp_path / "a.bin")
    real = os.write
    for spoil in (
        lambda handle, data: real(handle, bytes(data).replace(b"e", b"E")),
        lambda handle, data: real(handle, data[:-1]) + 1,
        lambda handle, data: real(handle, bytes(data) + b"!") - 1,
    ):
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", spoil)
            with pytest.raises(GeosoilError, match="read again, it differs"):
                write_bytes(b"new", target)
    assert target.read_bytes() == b"old"
    assert files(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_without_syncing_is_written_all_the_same(
    tmp_path, monkeypatch, code
):
    def refuse(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    assert write_bytes(b"x", tmp_path / "a.bin").read_bytes() == b"x"


def test_tables_keep_full_precision_and_only_named_indexes(tmp_path):
    frame = pd.DataFrame({"id": ["001", "西"], "d18O": [0.1 + 0.2, None]})
    file = write_csv(frame, tmp_path / "a.csv")
    assert file.read_bytes().decode() == "id,d18O\n001,0.30000000000000004\n西,\n"
    named = write_csv(frame.set_index("id"), tmp_path / "b.csv")
    assert named.read_text("utf-8").splitlines()[0] == "id,d18O"
