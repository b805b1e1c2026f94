"""Where lazy arrays are computed: threads of this machine, or a dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import dask
import xarray as xr

from geosoil import __version__
from geosoil.config.compute import is_scheduler_address
from geosoil.errors import GeosoilError, InputError

ROWS_A_BLOCK = 16
"""Rows of a block that a worker of a cluster is handed."""

SECONDS = 5.0
"""How long a cluster has to answer."""


@contextmanager
def computing(scheduler: str | None) -> Iterator[None]:
    """Run the dask graphs of a block of code on threads or on a cluster.

    Parameters
    ----------
    scheduler : str or None
        Address of a dask scheduler, as ``tcp://host:port``; None or "" is the threads
        of this machine. The connection ends with the block, the cluster goes on.

    Yields
    ------
    None
        Arrays are computed there until the block ends.

    Raises
    ------
    InputError
        If the address is malformed.
    GeosoilError
        If ``distributed`` is not installed, no scheduler answers, it has no workers, or
        workers lack this version of geosoil.

    Notes
    -----
    The graph is the same on both, and so is the answer; small blocks of Pearson's r may
    round differently where one process has loaded the compiled code and another has
    not. What a lost worker held is computed anew on the others.

    Examples
    --------
    >>> import dask.array as da
    >>> with computing(None):
    ...     int(da.arange(4, chunks=2).sum().compute())
    6
    """
    if not scheduler:
        with dask.config.set(scheduler="threads"):
            yield
        return
    _check_possible(scheduler)
    with _connected(scheduler) as client:
        _check_workers(client, scheduler)
        yield


def in_blocks(series: xr.DataArray) -> xr.DataArray:
    """Return a series in blocks of space, each with all its dates.

    Parameters
    ----------
    series : DataArray with dims (time, y, x)
        A dask array keeps its blocks in space.

    Returns
    -------
    series : DataArray of a dask array
        One chunk of time.

    Examples
    --------
    >>> in_blocks(xr.DataArray([[[1.0]], [[2.0]]], dims=("time", "y", "x"))).chunks
    ((2,), (1,), (1,))
    """
    if series.chunks is None:
        return series.chunk({"time": -1, "y": ROWS_A_BLOCK})
    return series.chunk({"time": -1})


def _check_possible(scheduler: str) -> None:
    """Raise on an address that is none, and where no cluster can be spoken to."""
    if not is_scheduler_address(scheduler):
        message = (
            f"Invalid scheduler '{scheduler}'. Give the address of a running dask "
            "scheduler as tcp://host:port, for instance tcp://127.0.0.1:8786."
        )
        raise InputError(message)
    if find_spec("distributed") is None:
        message = (
            f"Computing on '{scheduler}' needs the package distributed, which is not "
            'installed. Install it with: pip install "geosoil[cluster]".'
        )
        raise GeosoilError(message)


def _connected(scheduler: str) -> Any:  # noqa: ANN401  distributed is optional
    """Return a client of the scheduler, which graphs then go to until it is closed."""
    import distributed  # noqa: PLC0415  an optional extra

    client: Any = distributed.Client
    try:
        return client(scheduler, timeout=SECONDS, name="geosoil")
    except (OSError, ValueError, RuntimeError) as error:
        message = (
            f"No dask scheduler answers at '{scheduler}' within {SECONDS:g} s: "
            f"{error}. Start one with 'dask scheduler' and workers with 'dask worker "
            f"{scheduler}', check host and port, or leave the scheduler out to use "
            "the threads of this machine."
        )
        raise GeosoilError(message) from error


def _check_workers(client: Any, scheduler: str) -> None:  # noqa: ANN401  optional
    """Raise unless every worker has this version of geosoil."""
    try:
        client.wait_for_workers(1, timeout=SECONDS)
    except TimeoutError as error:
        message = (
            f"The dask scheduler at '{scheduler}' has no workers. Start some with "
            f"'dask worker {scheduler}'."
        )
        raise GeosoilError(message) from error

    def version() -> str:
        # Sent by value: a worker without geosoil must be able to say so.
        from geosoil import __version__ as found  # noqa: PLC0415

        return found

    answers = client.run(version, on_error="return")
    faults = [
        f"{worker} has {answer if isinstance(answer, str) else f'none ({answer})'}"
        for worker, answer in sorted(answers.items())
        if answer != __version__
    ]
    if faults:
        message = (
            f"Workers of '{scheduler}' lack geosoil {__version__}, which runs here: "
            f"{'; '.join(faults)}. Install the same version on all of them."
        )
        raise GeosoilError(message)
