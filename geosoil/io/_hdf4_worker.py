"""Read HDF4 in a process of its own, because damaged files kill the process."""

from __future__ import annotations

import math
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from pyhdf.HDF import getlibversion, ishdf
from pyhdf.SD import SD, SDC

from geosoil.io._pipe import receive, send
from geosoil.io._worker_process import NUMBER

MEMORY_LIMIT = 4 * 2**30
"""Bytes of address space that a read may add."""
PART = 2**21
"""Bytes that are read and sent at a time."""
RUNNING = 10**6
"""Stands for the exit code of a process that runs."""

_DTYPES = {
    SDC.INT8: "int8",
    SDC.UINT8: "uint8",
    SDC.INT16: "int16",
    SDC.UINT16: "uint16",
    SDC.INT32: "int32",
    SDC.UINT32: "uint32",
    SDC.FLOAT32: "float32",
    SDC.FLOAT64: "float64",
}
_Tell = Callable[[str], None]


def library_version() -> str:
    """Return the version of the HDF4 library.

    Returns
    -------
    version : str
        Such as "4.2.14".
    """
    return ".".join(str(part) for part in getlibversion()[:3])


def _describe(request: dict[str, Any], tell: _Tell) -> dict[str, Any]:
    """List global attributes and all datasets of a file."""
    with _Opened(request["path"]) as file:
        count, _ = file.info()
        tell("global attributes")
        attributes = _plain(file.attributes())
        datasets = []
        for index in range(count):
            tell(f"number {index + 1} of {count}")
            dataset = file.select(index)
            name, rank, shape, kind, _ = dataset.info()
            tell(str(name))
            datasets.append(
                {
                    "index": index,
                    "name": name,
                    "shape": [int(n) for n in np.atleast_1d(shape)],
                    "dtype": _DTYPES.get(kind, "char"),
                    "dimensions": [dataset.dim(i).info()[0] for i in range(rank)],
                    "attributes": _plain(dataset.attributes()),
                }
            )
            dataset.endaccess()
    return {"attributes": attributes, "datasets": datasets}


def _read(request: dict[str, Any], tell: _Tell, replies: BinaryIO) -> None:
    """Read one window of one dataset and send it in parts, from its first row on.

    A compressed layer unpacks from its first byte: rows in rising order on one handle
    cost one pass, and the caller takes one part while the next is unpacked.
    """
    tell(request["name"])
    start, count = request["start"], request["count"]
    with _Opened(request["path"]) as file:
        dataset = file.select(request["index"])
        name, _, _, kind, _ = dataset.info()
        if name != request["name"]:
            message = "the datasets are not those that were listed before"
            raise ValueError(message)
        dtype = np.dtype(_DTYPES[kind])
        row = math.prod(count[1:]) * dtype.itemsize
        size = row * count[0]
        send(replies, {"dtype": dtype.str, "shape": count, "size": size}, b"")
        strip = max(PART // max(row, 1), 1)
        for first in range(0, count[0], strip):
            rows = min(strip, count[0] - first)
            values = dataset.get(
                start=[start[0] + first, *start[1:]], count=[rows, *count[1:]]
            )
            values = np.ascontiguousarray(values, dtype)
            if values.size * dtype.itemsize != rows * row:
                message = "the library gave another number of values"
                raise ValueError(message)
            part = values.reshape(-1).data.cast("B")
            send(replies, {"part": first}, part)
        dataset.endaccess()
    send(replies, {"end": True}, b"")


class _Opened:
    """An open SD interface that is closed whatever happens."""

    def __init__(self, path: str) -> None:
        # The library takes UTF-8 alone; a name of other bytes goes by its number.
        self.handle = None if _is_utf8(path) else os.open(path, os.O_RDONLY)
        name = path if self.handle is None else f"/dev/fd/{self.handle}"
        if not ishdf(name):
            self.close()
            message = "the file has no HDF4 structure"
            raise ValueError(message)
        self.file = SD(name)

    def __enter__(self) -> Any:  # noqa: ANN401
        return self.file

    def __exit__(self, *error: object) -> None:
        self.file.end()
        self.close()

    def close(self) -> None:
        """Close the handle of a file that goes by its number."""
        if self.handle is not None:
            os.close(self.handle)


def _is_utf8(path: str) -> bool:
    """Whether a path can be handed to the library."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _plain(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return attributes as what JSON can hold."""
    return {str(key): _plain_value(value) for key, value in attributes.items()}


def _plain_value(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, list | tuple):
        return [_plain_value(item) for item in value]
    return value if isinstance(value, str | int | float) else str(value)


def _limit_memory() -> None:
    """Keep a file that declares huge arrays from taking the machine."""
    try:
        import resource  # noqa: PLC0415  absent on Windows
    except ImportError:
        return
    try:
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
            used = int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        used = 0
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = used + MEMORY_LIMIT
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    try:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests until the pipe is closed.

    Parameters
    ----------
    requests, replies : binary file
        Pipes from and to the caller.
    """
    _limit_memory()

    def tell(place: str) -> None:
        send(replies, {"at": place}, b"")

    while True:
        try:
            request, _ = receive(requests)
        except EOFError:
            return
        try:
            if request["action"] == "describe":
                send(replies, _describe(request, tell), b"")
            else:
                _read(request, tell, replies)
        except MemoryError:
            send(replies, {"error": "it asks for more memory than allowed"}, b"")
        except BrokenPipeError:
            return
        except Exception as error:
            send(replies, {"error": f"{error}" or type(error).__name__}, b"")


def fork_when_told(control: socket.socket) -> None:
    """Fork a worker for each pair of pipes that arrives, until the caller is gone.

    Parameters
    ----------
    control : socket
        Socket to the caller. Orders are one letter: f (fork, with two pipes), and
        with the number of a worker a (alive?), k (kill) and e (end, say its code).
    """
    control.sendall(NUMBER.pack(0))
    codes: dict[int, int] = {}
    while True:
        order, pipes, _, _ = socket.recv_fds(control, 1, 2)
        if not order:
            return
        if order == b"f":
            pid = os.fork()
            if pid == 0:
                control.close()
                with os.fdopen(pipes[0], "rb") as requests:
                    serve(requests, os.fdopen(pipes[1], "wb"))
                os._exit(0)
            for pipe in pipes:
                os.close(pipe)
            codes[pid] = RUNNING
            control.sendall(NUMBER.pack(pid))
            continue
        (pid,) = NUMBER.unpack(control.recv(NUMBER.size, socket.MSG_WAITALL))
        control.sendall(NUMBER.pack(_obey(order, pid, codes)))


def _obey(order: bytes, pid: int, codes: dict[int, int]) -> int:
    """Look after one worker; return whether it lives, or its exit code."""
    if codes.get(pid) == RUNNING:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            codes[pid] = os.waitstatus_to_exitcode(status)
    if codes.get(pid) == RUNNING and order in (b"k", b"e"):
        os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        codes[pid] = os.waitstatus_to_exitcode(status)
    code = codes.get(pid, 0)
    if order == b"e":
        codes.pop(pid, None)
        return code
    return int(code == RUNNING)


def main() -> None:
    """Serve one caller by pipes, or fork workers for it by a socket."""
    # An interrupt goes to the whole process group: the caller decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if len(sys.argv) > 1:
        with socket.socket(fileno=int(sys.argv[1])) as control:
            fork_when_told(control)
        return
    requests = sys.stdin.buffer
    # What the C library prints must not run into the answers.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    send(replies, {"ready": True}, b"")
    serve(requests, replies)


if __name__ == "__main__":
    main()
