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
from geosoil.io import _hdf4
from geosoil.io._hdf4 import close_worker, describe, read_window

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
    describe(file)
    first = _hdf4._current[0].process.pid
    read_window(file, describe(file).datasets[1])
    assert _hdf4._current[0].process.pid == first
    os.kill(first, signal.SIGKILL)
    _hdf4._current[0].process.wait()
    assert describe(file).datasets
    assert _hdf4._current[0].process.pid != first


def test_a_read_that_hangs_is_given_up_and_the_worker_replaced(file):
    dataset = describe(file).datasets[0]
    stuck = _hdf4._current[0].process
    os.kill(stuck.pid, signal.SIGSTOP)
    began = time.monotonic()
    with pytest.raises(
        FileFormatError, match=r"data\.hdf', dataset 'int8'.*not answer within 0\.3 s"
    ):
        read_window(file, dataset, timeout=0.3)
    assert time.monotonic() - began < 5
    assert stuck.returncode == -signal.SIGKILL
    np.testing.assert_array_equal(read_window(file, dataset), array("int8"))


def test_closing_leaves_no_process_behind(file):
    describe(file)
    process = _hdf4._current[0].process
    close_worker()
    assert process.returncode is not None
    assert process.stdin.closed
    assert process.stdout.closed
    close_worker()


def test_threads_share_the_worker_safely(file):
    datasets = describe(file).datasets[: len(KINDS)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda d: read_window(file, d), datasets * 5))
    for dataset, values in zip(datasets * 5, answers, strict=True):
        np.testing.assert_array_equal(values, array(dataset.name))


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
        from geosoil.io import _hdf4
        def total():
            return _hdf4.read_window(path, _hdf4.describe(path).datasets[0]).sum()
        path = {path!r}
        total()
        child = os.fork()
        if not child:
            total()
            _hdf4.close_worker()
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
        from geosoil.io import _hdf4
        print(_hdf4._current[0].process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    done = run(["-c", code])
    worker = int(done.stdout.split()[-1])
    for _ in range(100):
        status = Path(f"/proc/{worker}/stat")
        if not status.exists() or status.read_text().split(") ")[1][0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its caller by 5 s")


def test_the_worker_imports_little(file):
    code = (
        "import sys, geosoil.io._hdf4_worker; "
        "print(sorted({'xarray', 'pandas', 'rasterio', 'scipy'} & set(sys.modules)))"
    )
    assert run(["-W", "ignore", "-c", code]).stdout.strip() == "[]"
