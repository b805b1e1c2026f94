"""Read HDF4 in a process of its own, because damaged files kill the process."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from pyhdf.HDF import ishdf
from pyhdf.SD import SD, SDC

from geosoil.io._pipe import receive, send

MEMORY_LIMIT = 4 * 2**30
"""Bytes of address space that a read may add."""

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
_Reply = tuple[dict[str, Any], bytes | memoryview]
_Tell = Callable[[str], None]


def _describe(request: dict[str, Any], tell: _Tell) -> _Reply:
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
    return {"attributes": attributes, "datasets": datasets}, b""


def _read(request: dict[str, Any], tell: _Tell) -> _Reply:
    """Read one window of one dataset."""
    tell(request["name"])
    with _Opened(request["path"]) as file:
        dataset = file.select(request["index"])
        if dataset.info()[0] != request["name"]:
            message = "the datasets are not those that were listed before"
            raise ValueError(message)
        values = dataset.get(start=request["start"], count=request["count"])
        dataset.endaccess()
    values = np.ascontiguousarray(values).reshape(request["count"])
    return {"dtype": values.dtype.str, "shape": values.shape}, values.data.cast("B")


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


def main() -> None:
    """Answer requests from standard input until it is closed."""
    # An interrupt goes to the whole process group: the caller decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = sys.stdin.buffer
    # What the C library prints must not run into the answers.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_memory()
    actions = {"describe": _describe, "read": _read}

    def tell(place: str) -> None:
        send(replies, {"at": place}, b"")

    send(replies, {"ready": True}, b"")
    while True:
        try:
            request, _ = receive(requests)
        except EOFError:
            return
        try:
            header, payload = actions[request["action"]](request, tell)
        except MemoryError:
            header, payload = {"error": "it asks for more memory than allowed"}, b""
        except Exception as error:
            header, payload = {"error": f"{error}" or type(error).__name__}, b""
        send(replies, header, payload)


if __name__ == "__main__":
    main()
