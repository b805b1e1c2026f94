"""Ask a process that reads HDF4, and turn its death into an error message."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from geosoil.errors import FileFormatError
from geosoil.io._sniff import check_kind
from geosoil.io._worker_pool import POOL

TIMEOUT = 8.0
"""Seconds that one read may take, so that a caller knows within 10 s."""
READ_RATE = 20e6
"""Bytes a second that a large read gets on top of the timeout."""
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


def _ask(
    request: dict[str, Any], path: str, dataset: str, timeout: float
) -> tuple[dict[str, Any], memoryview]:
    """Send a request to a worker; every failure becomes a FileFormatError."""
    with POOL.borrowed() as worker:
        try:
            reply, payload = worker.answer(request, timeout)
        except (EOFError, OSError, ValueError) as error:
            cause = worker.cause_of_death(timeout)
            raise _failure(path, dataset or worker.place, cause) from error
        if "error" in reply:
            # After a library error its memory may be spoilt: the worker is not kept.
            cause = f"the library says: {reply['error']}"
            raise _failure(path, dataset or worker.place, cause)
    return reply, payload


def _failure(path: str, dataset: str, cause: str) -> FileFormatError:
    place = f"dataset '{dataset}'" if dataset else "its list of datasets"
    message = (
        f"'{path}', {place}: {cause}. The file is damaged or cut short; download it "
        "again and compare its size and checksum."
    )
    return FileFormatError(message)
