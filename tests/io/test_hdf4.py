"""No HDF4 file, however damaged, kills or hangs the process that asks for it."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhdf.SD import SD, SDC

from geosoil.errors import FileFormatError, GeosoilError, MissingFileError
from geosoil.io import _worker_process
from geosoil.io._hdf4 import describe, read_window
from geosoil.io._worker_pool import POOL, WorkerPool, close_workers, most_workers

CRASHERS = sorted((Path(__file__).parents[1] / "data" / "crashers").glob("*.hdf"))
ROOT = Path(__file__).parents[2]
KINDS = {
    "int8": SDC.INT8,
    "uint8": SDC.UINT8,
    "int16": SDC.INT16,
    "uint16": SDC.UINT16,
    "int32": SDC.INT32,
    "uint32": SDC.UINT32,
    "float32": SDC.FLOAT32,
    "float64": SDC.FLOAT64,
}


def array(name):
    dtype = np.dtype(name)
    if dtype.kind == "f":
        return np.linspace(-1e30, 1e30, 30).reshape(5, 6).astype(dtype)
    limits = np.iinfo(dtype)
    return np.linspace(limits.min, limits.max, 30).round().reshape(5, 6).astype(dtype)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("hdf") / "生态 data.hdf"
    sd = SD(str(path), SDC.WRITE | SDC.CREATE)
    sd.attr("Title").set(SDC.CHAR, "a file of every type")
    for name, kind in KINDS.items():
        sds = sd.create(name, kind, (5, 6))
        sds.attr("valid_range").set(SDC.INT32, [-3, 5])
        sds.attr("scale_factor").set(SDC.FLOAT64, 0.1)
        sds.attr("units").set(SDC.CHAR, "K")
        sds.dim(0).setname("YDim:G")
        sds.dim(1).setname("XDim:G")
        sds[:] = array(name)
        sds.endaccess()
    huge = sd.create("huge", SDC.FLOAT64, (60_000, 60_000))
    huge.endaccess()
    text = sd.create("text", SDC.CHAR, (4,))
    text.endaccess()
    sd.end()
    return path


def test_everything_in_a_file_is_listed(file):
    contents = describe(file)
    assert contents.attributes == {"Title": "a file of every type"}
    names = [dataset.name for dataset in contents.datasets]
    assert names == [*KINDS, "huge", "text"]
    for dataset in contents.datasets[: len(KINDS)]:
        assert dataset.dtype == dataset.name
        assert dataset.shape == (5, 6)
        assert dataset.dimensions == ("YDim:G", "XDim:G")
        assert dataset.attributes == {
            "valid_range": [-3, 5], "scale_factor": 0.1, "units": "K",
        }  # fmt: skip
    assert contents.datasets[-1].dtype == "char"


@pytest.mark.parametrize("index", range(len(KINDS)), ids=list(KINDS))
def test_values_of_every_type_cross_the_pipe_unchanged(file, index):
    dataset = describe(file).datasets[index]
    values = read_window(file, dataset)
    assert values.dtype == np.dtype(dataset.name)
    np.testing.assert_array_equal(values, array(dataset.name))


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_window_equals_the_slice_of_the_whole(file, data):
    dataset = describe(file).datasets[2]
    row, column = data.draw(st.integers(0, 4)), data.draw(st.integers(0, 5))
    rows, columns = (
        data.draw(st.integers(1, 5 - row)),
        data.draw(st.integers(1, 6 - column)),
    )
    values = read_window(file, dataset, start=(row, column), count=(rows, columns))
    expected = array("int16")[row : row + rows, column : column + columns]
    np.testing.assert_array_equal(values, expected)


def test_windows_outside_text_and_bombs_are_refused_by_name(file):
    datasets = {dataset.name: dataset for dataset in describe(file).datasets}
    with pytest.raises(FileFormatError, match=r"data\.hdf', dataset 'int8'.*no window"):
        read_window(file, datasets["int8"], start=(0, 0), count=(6, 6))
    with pytest.raises(FileFormatError, match="'text': it holds text"):
        read_window(file, datasets["text"])
    with pytest.raises(FileFormatError, match=r"'huge'.*more than 2 GiB"):
        read_window(file, datasets["huge"])


def test_a_listing_that_went_stale_is_refused(file, tmp_path):
    dataset = describe(file).datasets[0]
    other = tmp_path / "other.hdf"
    sd = SD(str(other), SDC.WRITE | SDC.CREATE)
    sd.create("another", SDC.INT8, (5, 6)).endaccess()
    sd.end()
    with pytest.raises(FileFormatError, match=r"other\.hdf', dataset 'int8'"):
        read_window(other, dataset)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"\n<!DOCTYPE HTML>\n<html><title>Earthdata Login</title>", "login page"),
        (b"<?xml version='1.0'?><!DOCTYPE x><html>", "login page"),
        (b"\x89HDF\r\n\x1a\n" + b"0" * 90, "HDF5"),
        (b"CDF\x01", "NetCDF"),
        (b"PK\x03\x04", "ZIP"),
        (b"plain text", "unknown format"),
    ],
)
def test_other_formats_are_refused_by_their_first_bytes(tmp_path, content, words):
    path = tmp_path / "MOD13C1.A2020161.hdf"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=rf"MOD13C1\.A2020161\.hdf.*{words}"):
        describe(path)


def test_an_absent_file_is_its_own_error(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.hdf"):
        describe(tmp_path / "none.hdf")


@pytest.mark.parametrize("size", [4, 12, 300, 5_000, 60_000])
def test_a_truncated_file_is_refused_with_its_name(tmp_path, size):
    source = Path(__file__).parents[1] / "golden" / "modis"
    whole = next(source.glob("MOD13C1*.hdf")).read_bytes()
    path = tmp_path / "cut.hdf"
    path.write_bytes(whole[:size])

    def read_all():
        for dataset in describe(path, dataset="ndvi").datasets:
            read_window(path, dataset)

    with pytest.raises(
        FileFormatError, match=r"cut\.hdf', dataset '.*download it again"
    ):
        read_all()


@pytest.mark.parametrize("path", CRASHERS, ids=lambda path: path.stem)
def test_a_file_that_crashes_the_library_is_read_or_refused_in_time(path):
    began = time.monotonic()
    try:
        for dataset in describe(path, dataset="ndvi").datasets:
            read_window(path, dataset)
    except GeosoilError as error:
        assert path.name in str(error)  # noqa: PT017  both answers are right
        assert "dataset '" in str(error)  # noqa: PT017
        assert "download it again" in str(error)  # noqa: PT017
    assert time.monotonic() - began < 10


def test_the_eleven_crashers_are_here_and_some_are_refused():
    assert len(CRASHERS) == 11
    refused = 0
    for path in CRASHERS:
        try:
            describe(path)
        except FileFormatError:
            refused += 1
    assert refused > 0


def test_a_good_file_is_read_right_after_a_crash(file):
    for path in CRASHERS[:2]:
        with contextlib.suppress(FileFormatError):
            describe(path)
        values = read_window(file, describe(file).datasets[0])
        np.testing.assert_array_equal(values, array("int8"))


def test_one_worker_serves_many_reads_and_another_follows_its_death(file):
    close_workers()
    describe(file)
    first = POOL.idle[0].process.pid
    read_window(file, describe(file).datasets[1])
    assert [worker.process.pid for worker in POOL.idle] == [first]
    os.kill(first, signal.SIGKILL)
    for _ in range(200):
        if not POOL.idle[0].process.is_alive():
            break
        time.sleep(0.01)
    assert describe(file).datasets
    assert POOL.idle[0].process.pid != first


def test_a_read_that_hangs_is_given_up_and_the_worker_replaced(file):
    close_workers()
    dataset = describe(file).datasets[0]
    stuck = POOL.idle[0].process
    os.kill(stuck.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(
        FileFormatError, match=r"data\.hdf', dataset 'int8'.*not answer within 0\.3 s"
    ):
        read_window(file, dataset, timeout=0.3)
    assert time.monotonic() - began < 5
    assert stuck.code == -signal.SIGKILL
    np.testing.assert_array_equal(read_window(file, dataset), array("int8"))


def test_a_dead_starter_is_replaced(file):
    describe(file)
    starter = _worker_process._starters[0].popen
    starter.kill()
    starter.wait()
    close_workers()
    assert describe(file).datasets
    assert _worker_process._starters[0].popen.pid != starter.pid
    _worker_process._starters[0].popen.kill()
    np.testing.assert_array_equal(
        read_window(file, describe(file).datasets[0]), array("int8")
    )


def test_closing_leaves_no_process_behind(file):
    describe(file)
    process, starter = POOL.idle[0].process, _worker_process._starters[0].popen
    close_workers()
    assert starter.returncode is not None
    assert process.requests.closed
    assert process.replies.closed
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)
    close_workers()


def test_threads_share_the_workers_safely(file):
    datasets = describe(file).datasets[: len(KINDS)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda d: read_window(file, d), datasets * 5))
    for dataset, values in zip(datasets * 5, answers, strict=True):
        np.testing.assert_array_equal(values, array(dataset.name))
    assert 1 <= len(POOL.idle) <= most_workers()
    assert not POOL.busy


def test_a_pool_starts_no_more_workers_than_its_limit(file):
    pool = WorkerPool(limit=2)
    most = 0

    def hold(_):
        nonlocal most
        with pool.borrowed():
            most = max(most, len(pool.busy))
            time.sleep(0.02)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(hold, range(16)))
    assert most == 2
    assert len(pool.idle) == 2
    pool.close()


def test_a_layer_that_crosses_in_many_parts_is_whole(tmp_path):
    path = tmp_path / "large.hdf"
    values = np.random.default_rng(0).integers(-(2**15), 2**15, (1500, 2100), "int16")
    sd = SD(str(path), SDC.WRITE | SDC.CREATE)
    sds = sd.create("large", SDC.INT16, values.shape)
    sds.setcompress(SDC.COMP_DEFLATE, 1)
    sds[:] = values
    sds.endaccess()
    sd.end()
    (dataset,) = describe(path).datasets
    np.testing.assert_array_equal(read_window(path, dataset), values)
    part = read_window(path, dataset, start=(7, 11), count=(1490, 2000))
    np.testing.assert_array_equal(part, values[7:1497, 11:2011])


def test_without_fork_workers_are_started_one_by_one(file, monkeypatch):
    close_workers()
    monkeypatch.setattr(_worker_process, "CAN_FORK", False)
    dataset = describe(file).datasets[0]
    np.testing.assert_array_equal(read_window(file, dataset), array("int8"))
    worker = POOL.idle[0].process
    assert worker.popen is not None
    for path in CRASHERS[:2]:
        with contextlib.suppress(FileFormatError):
            describe(path)
    worker = POOL.idle[0].process if POOL.idle else None
    if worker is not None:
        os.kill(worker.pid, signal.SIGSTOP)
        with pytest.raises(FileFormatError, match=r"not answer within 0\.2 s"):
            read_window(file, dataset, timeout=0.2)
    np.testing.assert_array_equal(read_window(file, dataset), array("int8"))
    close_workers()


@pytest.mark.parametrize("can_fork", [True, False])
def test_a_library_that_cannot_be_loaded_is_said(file, monkeypatch, can_fork):
    close_workers()
    monkeypatch.setattr(_worker_process, "CAN_FORK", can_fork)
    monkeypatch.setattr(_worker_process, "MODULE", "geosoil.io.no_such_module")
    with pytest.raises(GeosoilError, match=r"did not start \(exit code"):
        describe(file)
    monkeypatch.undo()
    assert describe(file).datasets


def test_a_python_that_does_not_know_itself_is_said(file, monkeypatch):
    close_workers()
    monkeypatch.setattr(sys, "executable", "")
    with pytest.raises(GeosoilError, match=r"sys\.executable is empty"):
        describe(file)
    monkeypatch.undo()
    assert describe(file).datasets


READ = """
import sys
from geosoil.io._hdf4 import describe, read_window
path = {path!r}
print(read_window(path, describe(path).datasets[0]).sum())
"""


def run(arguments, code=None, cwd=None, **environment):
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", *arguments],
        input=code,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.mark.parametrize("way", ["script", "stdin", "command"])
def test_unguarded_scripts_work_and_end_without_a_word(file, tmp_path, way):
    code = READ.format(path=str(file))
    script = tmp_path / "script.py"
    script.write_text(code, encoding="utf-8")
    arguments = {"script": [str(script)], "stdin": ["-"], "command": ["-c", code]}
    done = run(arguments[way], code if way == "stdin" else None)
    assert done.stdout.strip() == str(array("int8").sum())
    assert (done.returncode, done.stderr) == (0, "")


def test_a_chinese_path_works_in_the_c_locale(file):
    code = READ.format(path="PATH").replace("'PATH'", "sys.argv[1]")
    done = run(["-c", code, str(file)], LC_ALL="C", PYTHONUTF8="0")
    assert done.stdout.strip() == str(array("int8").sum()), done.stderr


def test_modules_of_the_same_name_in_the_working_folder_do_no_harm(file, tmp_path):
    for name in ("numpy.py", "json.py", "struct.py"):
        (tmp_path / name).write_text("raise SystemExit('wrong module')")
    script = tmp_path / "scripts" / "script.py"
    script.parent.mkdir()
    script.write_text(READ.format(path=str(file)), encoding="utf-8")
    done = run([str(script)], cwd=tmp_path, PYTHONWARNINGS="error")
    assert done.stdout.strip() == str(array("int8").sum()), done.stderr


def test_a_forked_child_reads_with_a_worker_of_its_own(file):
    code = textwrap.dedent(
        """
        import os
        from geosoil.io import _hdf4, _worker_pool
        def total():
            return _hdf4.read_window(path, _hdf4.describe(path).datasets[0]).sum()
        path = {path!r}
        total()
        child = os.fork()
        if not child:
            total()
            _worker_pool.close_workers()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(total())
        """
    ).format(path=str(file))
    done = run(["-W", "ignore::DeprecationWarning", "-c", code])
    assert done.stdout.strip() == str(array("int8").sum()), done.stderr


def test_the_worker_ends_with_its_caller(file):
    code = READ.format(path=str(file)) + textwrap.dedent(
        """
        import os, signal
        from geosoil.io import _worker_pool, _worker_process
        print(_worker_pool.POOL.idle[0].process.pid, flush=True)
        print(_worker_process._starters[0].popen.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = run(["-c", code])
    for process in (int(word) for word in done.stdout.split()[-2:]):
        for _ in range(100):
            status = Path(f"/proc/{process}/stat")
            if not status.exists() or status.read_text().split(") ")[1][0] == "Z":
                break
            time.sleep(0.05)
        else:
            pytest.fail("the process outlived its caller by 5 s")


def test_the_worker_imports_little(file):
    code = (
        "import sys, geosoil.io._hdf4_worker; "
        "print(sorted({'xarray', 'pandas', 'rasterio', 'scipy'} & set(sys.modules)))"
    )
    assert run(["-W", "ignore", "-c", code]).stdout.strip() == "[]"
