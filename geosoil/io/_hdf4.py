"""Ask the HDF4 worker process, and turn its death into an error message."""

from __future__ import annotations

import atexit
import math
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError, GeosoilError
from geosoil.io._pipe import receive, send
from geosoil.io._sniff import check_kind

TIMEOUT = 8.0
"""Seconds that one read may take, so that a caller knows within 10 s."""
READ_RATE = 20e6
"""Bytes a second that a large read gets on top of the timeout."""
START_TIMEOUT = 60.0
"""Seconds that the worker may take to start."""
LARGEST_READ = 2**31
"""Bytes that one read may ask for."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One array (SDS) in an HDF4 file."""

    index: int
    """Position in the file; names need not be unique."""
    name: str
    """Name in the file."""
    shape: tuple[int, ...]
    """Length of each dimension."""
    dtype: str
    """NumPy name of the type; "char" for text."""
    dimensions: tuple[str, ...]
    """Name of each dimension, in HDF-EOS "YDim:GridName"."""
    attributes: dict[str, Any]
    """Attributes as numbers, text and lists."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What an HDF4 file holds, without the values."""

    attributes: dict[str, Any]
    """Global attributes."""
    datasets: tuple[Dataset, ...]
    """All arrays, in the order of the file."""


def describe(
    path: str | os.PathLike[str], *, dataset: str = "", timeout: float = TIMEOUT
) -> Contents:
    """List the attributes and arrays of an HDF4 file.

    Parameters
    ----------
    path : path
        An HDF4 file.
    dataset : str
        Name of the array that is looked for, for the error message.
    timeout : float
        Seconds after which the read is given up.

    Returns
    -------
    contents : Contents
        Global attributes, and name, shape, type and attributes of each array.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FileFormatError
        If the file is of another format, or so damaged that the HDF4 library fails,
        crashes or hangs.
    """
    check_kind(path, "hdf4", needed="an HDF4 file")
    request = {"action": "describe", "path": str(Path(path).resolve())}
    reply, _ = _ask(request, str(path), dataset, timeout)
    datasets = tuple(
        Dataset(
            index=item["index"],
            name=item["name"],
            shape=tuple(item["shape"]),
            dtype=item["dtype"],
            dimensions=tuple(item["dimensions"]),
            attributes=item["attributes"],
        )
        for item in reply["datasets"]
    )
    return Contents(reply["attributes"], datasets)


def read_window(
    path: str | os.PathLike[str],
    dataset: Dataset,
    *,
    start: Sequence[int] | None = None,
    count: Sequence[int] | None = None,
    timeout: float | None = None,
) -> npt.NDArray[Any]:
    """Read a window of an array as it is stored.

    Parameters
    ----------
    path : path
        An HDF4 file.
    dataset : Dataset
        One of :func:`describe`'s arrays.
    start : sequence of int, optional
        First index along each dimension; 0 by default.
    count : sequence of int, optional
        Length along each dimension; all that is left by default.
    timeout : float, optional
        Seconds after which the read is given up; 8 by default, and more for windows
        of more than 100 MB.

    Returns
    -------
    values : array, shape = count
        Stored numbers, neither scaled nor masked.

    Raises
    ------
    FileFormatError
        If the array is text, too large, outside the file, or cannot be read.
    """
    first = [0] * len(dataset.shape) if start is None else [int(n) for n in start]
    left = [size - begin for size, begin in zip(dataset.shape, first, strict=True)]
    wanted = left if count is None else [int(n) for n in count]
    fault = ""
    if dataset.dtype == "char":
        fault = "it holds text, not numbers"
    elif any(
        begin < 0 or n < 1 or n > rest
        for begin, n, rest in zip(first, wanted, left, strict=True)
    ):
        fault = f"no window {wanted} at {first} in its shape {list(dataset.shape)}"
    elif (size := _size(wanted, dataset)) > LARGEST_READ:
        fault = f"{wanted} values are more than 2 GiB; read a part, for instance a bbox"
    if fault:
        message = f"'{path}', dataset '{dataset.name}': {fault}."
        raise FileFormatError(message)
    request = {
        "action": "read",
        "path": str(Path(path).resolve()),
        "index": dataset.index,
        "name": dataset.name,
        "start": first,
        "count": wanted,
    }
    if timeout is None:
        timeout = TIMEOUT + max(size - 100e6, 0) / READ_RATE
    reply, payload = _ask(request, str(path), dataset.name, timeout)
    return np.frombuffer(payload, dtype=reply["dtype"]).reshape(reply["shape"])


def _size(count: Sequence[int], dataset: Dataset) -> int:
    """Return the bytes of a window."""
    return math.prod(count) * np.dtype(dataset.dtype).itemsize


def close_worker() -> None:
    """End the worker process; the next read starts another."""
    with _lock:
        _drop()


class _Worker:
    """A running worker process and the last place it reported."""

    def __init__(self) -> None:
        if not sys.executable:
            message = (
                "HDF4 files are read in a process of their own, and this Python does "
                "not know its own program (sys.executable is empty). Run geosoil with "
                "an ordinary Python."
            )
            raise GeosoilError(message)
        self.owner = os.getpid()
        self.place = ""
        self.timed_out = False
        self.process = subprocess.Popen(
            [sys.executable, "-m", "geosoil.io._hdf4_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self.requests = cast("BinaryIO", self.process.stdin)
        self.replies = cast("BinaryIO", self.process.stdout)
        _widen(self.replies)

    def answer(
        self, request: dict[str, Any] | None, timeout: float
    ) -> tuple[dict[str, Any], bytearray]:
        """Send a request and wait for the answer; EOFError if the worker dies."""
        self.place = ""
        timer = threading.Timer(timeout, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            if request is not None:
                send(self.requests, request, b"")
            while True:
                header, payload = receive(self.replies)
                if "at" not in header:
                    return header, payload
                self.place = str(header["at"])
        finally:
            timer.cancel()

    def _time_out(self) -> None:
        self.timed_out = True
        self.process.kill()

    def end(self) -> None:
        """Kill the process, close the pipes and take its exit status."""
        self.process.kill()
        for pipe in (self.requests, self.replies):
            try:
                pipe.close()
            except OSError:
                # A request that the dead worker never took is flushed in vain.
                continue
        self.process.wait()


_lock = threading.RLock()
_current: list[_Worker] = []
_inherited: list[_Worker] = []


def _ask(
    request: dict[str, Any], path: str, dataset: str, timeout: float
) -> tuple[dict[str, Any], bytearray]:
    """Send a request to the worker; every failure becomes a FileFormatError."""
    with _lock:
        worker = _running()
        try:
            reply, payload = worker.answer(request, timeout)
        except (EOFError, OSError, ValueError) as error:
            worker.end()
            place, cause = worker.place, _cause_of_death(worker, timeout)
            _drop()
            raise _failure(path, dataset or place, cause) from error
        except BaseException:
            _drop()
            raise
        if worker.timed_out:
            # The answer came in time, the kill a moment later.
            _drop()
        if "error" in reply:
            place = worker.place
            # After a library error its memory may be spoilt: read on in a fresh one.
            _drop()
            raise _failure(
                path, dataset or place, f"the library says: {reply['error']}"
            )
    return reply, payload


def _running() -> _Worker:
    """Return a living worker, started where there is none."""
    if _current and _current[0].process.poll() is None:
        return _current[0]
    _drop()
    worker = _Worker()
    try:
        worker.answer(None, START_TIMEOUT)
    except (EOFError, OSError, ValueError) as error:
        worker.end()
        message = (
            "The process that reads HDF4 files did not start "
            f"({_cause_of_death(worker, START_TIMEOUT)}). Check that "
            f"'{sys.executable} -m geosoil.io._hdf4_worker' runs and that pyhdf is "
            "installed."
        )
        raise GeosoilError(message) from error
    except BaseException:
        worker.end()
        raise
    _current.append(worker)
    return worker


def _drop() -> None:
    """End the current worker, if any."""
    while _current:
        _current.pop().end()


def _forget() -> None:
    """Leave the parent's worker alone in a forked child."""
    global _lock  # noqa: PLW0603  the parent's lock may be held by a lost thread
    _lock = threading.RLock()
    for worker in _current:
        worker.process.returncode = 0
    _inherited.extend(_current)
    _current.clear()


def _widen(pipe: BinaryIO) -> None:
    """Let a pipe hold 1 MiB, so that whole layers cross it in few turns."""
    try:
        import fcntl  # noqa: PLC0415  absent on Windows

        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 2**20)
    except (ImportError, AttributeError, OSError):
        # Only a matter of speed.
        return


def _environment() -> dict[str, str]:
    """Return an environment in which the worker finds geosoil and its needs."""
    package = str(Path(__file__).resolve().parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([package, inherited] if inherited else [package]),
        "PYTHONSAFEPATH": "1",
        "PYTHONWARNINGS": "ignore",
        "OPENBLAS_NUM_THREADS": "1",
    }


def _cause_of_death(worker: _Worker, timeout: float) -> str:
    """Say in words why the worker ended."""
    if worker.timed_out:
        return f"the HDF4 library did not answer within {timeout:g} s"
    code = worker.process.returncode
    if code is not None and code < 0:
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        return f"the HDF4 library crashed ({name})"
    return f"the HDF4 library ended its process (exit code {code})"


def _failure(path: str, dataset: str, cause: str) -> FileFormatError:
    place = f"dataset '{dataset}'" if dataset else "its list of datasets"
    message = (
        f"'{path}', {place}: {cause}. The file is damaged or cut short; download it "
        "again and compare its size and checksum."
    )
    return FileFormatError(message)


atexit.register(close_worker)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
