"""Start a process that reads HDF4: forked from one that loaded the library."""

from __future__ import annotations

import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, cast

from geosoil.errors import GeosoilError
from geosoil.io._pipe import receive

START_TIMEOUT = 60.0
"""Seconds that loading the library may take."""
MODULE = "geosoil.io._hdf4_worker"
NUMBER = struct.Struct(">q")
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")


@dataclass(slots=True)
class Process:
    """A worker process and the two pipes to it."""

    pid: int
    """Its number."""
    requests: BinaryIO
    """Pipe to it."""
    replies: BinaryIO
    """Pipe from it."""
    popen: subprocess.Popen[bytes] | None = None
    """The process where it is a child of this one, not of the starter."""
    code: int | None = field(default=None)
    """Exit code, minus the signal, once it ended."""
    ended: bool = False
    """Whether it was ended and its pipes closed."""

    def is_alive(self) -> bool:
        """Whether the process can take a request."""
        if self.ended:
            return False
        if self.popen is not None:
            return self.popen.poll() is None
        return _starter_says(b"a", self.pid) == 1

    def kill(self) -> None:
        """Kill the process, without waiting for it."""
        if self.ended:
            return
        if self.popen is not None:
            self.popen.kill()
            return
        # The starter kills: it alone knows that the number is still this process.
        _starter_says(b"k", self.pid)

    def end(self) -> int | None:
        """Kill the process, close its pipes and return its exit code."""
        if self.ended:
            return self.code
        self.ended = True
        if self.popen is not None:
            self.popen.kill()
            self.code = self.popen.wait()
        else:
            self.code = _starter_says(b"e", self.pid)
        for pipe in (self.requests, self.replies):
            try:
                pipe.close()
            except OSError:
                # A request that the dead worker never took is flushed in vain.
                continue
        return self.code

    def disown(self) -> None:
        """Forget a process that belongs to the parent of a fork."""
        self.ended = True
        if self.popen is not None:
            self.popen.returncode = 0


def start() -> Process:
    """Start a worker process.

    Returns
    -------
    process : Process
        Ready for requests.

    Raises
    ------
    GeosoilError
        If none can be started.
    """
    if not sys.executable:
        message = (
            "HDF4 files are read in a process of their own, and this Python does not "
            "know its own program (sys.executable is empty). Run geosoil with an "
            "ordinary Python."
        )
        raise GeosoilError(message)
    return _forked() if CAN_FORK else _spawned()


def end_starter() -> None:
    """End the process that the workers are forked from."""
    with _lock:
        while _starters:
            _starters.pop().end()


def forget_starter() -> None:
    """Leave the parent's starter alone in a forked child."""
    global _lock  # noqa: PLW0603  the parent's lock may be held by a lost thread
    _lock = threading.RLock()
    for starter in _starters:
        starter.popen.returncode = 0
    _inherited.extend(_starters)
    _starters.clear()


class _Starter:
    """A process that loaded the library and forks workers when it is told."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=_environment(),
            )
        self.control.settimeout(START_TIMEOUT)
        try:
            self.number()
        except OSError as error:
            self.end()
            raise _exited(self.popen.returncode) from error

    def number(self) -> int:
        """Read the next number that the starter says."""
        data = b""
        while len(data) < NUMBER.size:
            part = self.control.recv(NUMBER.size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return int(NUMBER.unpack(data)[0])

    def end(self) -> None:
        self.control.close()
        self.popen.kill()
        self.popen.wait()


_lock = threading.RLock()
_starters: list[_Starter] = []
_inherited: list[_Starter] = []


def _starter() -> _Starter:
    """Return the living starter, made where there is none."""
    if _starters and _starters[0].popen.poll() is not None:
        _starters.pop().end()
    if not _starters:
        _starters.append(_Starter())
    return _starters[0]


def _forked() -> Process:
    """Let the starter fork a worker that listens to two new pipes."""
    theirs_in, requests = os.pipe()
    replies, theirs_out = os.pipe()
    try:
        with _lock:
            starter = _starter()
            socket.send_fds(starter.control, [b"f"], [theirs_in, theirs_out])
            pid = starter.number()
    except BaseException as error:
        os.close(requests)
        os.close(replies)
        end_starter()
        if isinstance(error, OSError) and not isinstance(error, GeosoilError):
            raise _not_started(str(error) or type(error).__name__) from error
        raise
    finally:
        os.close(theirs_in)
        os.close(theirs_out)
    _widen(replies)
    return Process(pid, os.fdopen(requests, "wb"), os.fdopen(replies, "rb"))


def _spawned() -> Process:
    """Start a worker of its own, where the system has no fork."""
    popen = subprocess.Popen(
        [sys.executable, "-m", MODULE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    )
    requests = cast("BinaryIO", popen.stdin)
    replies = cast("BinaryIO", popen.stdout)
    process = Process(popen.pid, requests, replies, popen)
    timer = threading.Timer(START_TIMEOUT, popen.kill)
    timer.start()
    try:
        receive(replies)
    except (EOFError, OSError, ValueError) as error:
        raise _exited(process.end()) from error
    except BaseException:
        process.end()
        raise
    finally:
        timer.cancel()
    return process


def _starter_says(order: bytes, pid: int) -> int | None:
    """Ask the starter about one of its workers; None where it is gone."""
    with _lock:
        if not _starters:
            return None
        try:
            _starters[0].control.sendall(order + NUMBER.pack(pid))
            return _starters[0].number()
        except OSError:
            end_starter()
            return -signal.SIGKILL


def _exited(code: int | None) -> GeosoilError:
    return _not_started(f"exit code {code}")


def _not_started(cause: str) -> GeosoilError:
    message = (
        f"The process that reads HDF4 files did not start ({cause}). Check that "
        f"'{sys.executable} -m {MODULE}' runs and that pyhdf is installed."
    )
    return GeosoilError(message)


def _widen(pipe: int) -> None:
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
