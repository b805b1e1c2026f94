"""A few processes that read HDF4, so that a crash of the library ends one of them."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from geosoil.io._pipe import receive_header, receive_into, send
from geosoil.io._worker_process import Process, end_starter, forget_starter, start

Answer = tuple[dict[str, Any], memoryview]


def most_workers() -> int:
    """Return the largest number of workers: one for each core of this process.

    Returns
    -------
    count : int
        At least 1.

    Examples
    --------
    >>> most_workers() >= 1
    True
    """
    try:
        return max(len(os.sched_getaffinity(0)), 1)
    except (AttributeError, OSError):
        return os.cpu_count() or 1


class Worker:
    """A running process and the last place in a file that it reported."""

    def __init__(self) -> None:
        self.process: Process = start()
        self.place = ""
        self.timed_out = False

    def answer(self, request: dict[str, Any], timeout: float) -> Answer:
        """Send a request and wait for the answer.

        Parameters
        ----------
        request : dict
            What JSON can hold.
        timeout : float
            Seconds after which the process is killed.

        Returns
        -------
        header : dict
            The answer.
        payload : memoryview
            Raw bytes of the answer.

        Raises
        ------
        EOFError, OSError, ValueError
            If the process dies or talks nonsense.
        """
        self.place = ""
        timer = threading.Timer(timeout, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            send(self.process.requests, request, b"")
            return self._gathered()
        finally:
            timer.cancel()

    def _gathered(self) -> Answer:
        """Take messages up to the last one; parts go straight to their place."""
        replies = self.process.replies
        answer, payload, filled = {"error": "no answer"}, memoryview(b""), 0
        while True:
            header, size = receive_header(replies)
            if "at" in header:
                self.place = str(header["at"])
            elif "size" in header:
                answer = header
                # An empty array is not zeroed: the bytes arrive soon enough.
                payload = np.empty(int(header["size"]), np.uint8).data
            elif "part" in header:
                if filled + size > len(payload):
                    message = "more bytes than announced"
                    raise ValueError(message)
                receive_into(replies, payload[filled : filled + size])
                filled += size
            elif "end" in header:
                if filled != len(payload):
                    message = "fewer bytes than announced"
                    raise ValueError(message)
                return answer, payload
            else:
                return header, memoryview(b"")

    def _time_out(self) -> None:
        self.timed_out = True
        self.process.kill()

    def cause_of_death(self, timeout: float) -> str:
        """Say in words why the process ended; it is ended first if it is not.

        Parameters
        ----------
        timeout : float
            Seconds that it was given.

        Returns
        -------
        cause : str
            Words for an error message.
        """
        code = self.process.end()
        if self.timed_out:
            return f"the HDF4 library did not answer within {timeout:g} s"
        if code is not None and code < 0:
            try:
                name = signal.Signals(-code).name
            except ValueError:
                name = f"signal {-code}"
            return f"the HDF4 library crashed ({name})"
        return f"the HDF4 library ended its process (exit code {code})"


class WorkerPool:
    """Workers that wait for requests, at most one for each core.

    Notes
    -----
    A worker is started when all others are busy, and kept. The library that it loads
    is loaded once, by a process that the workers are forked from where the system has
    fork; a worker that died is replaced in milliseconds.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit or most_workers()
        self.idle: list[Worker] = []
        self.busy: list[Worker] = []
        self._change = threading.Condition()
        self._starting = 0

    @contextlib.contextmanager
    def borrowed(self) -> Iterator[Worker]:
        """Lend a worker; it comes back unless an error leaves the block.

        Yields
        ------
        worker : Worker
            A living process that nobody else uses.

        Raises
        ------
        GeosoilError
            If no process can be started.
        """
        worker = self._take()
        try:
            yield worker
        except BaseException:
            self._give(worker, keep=False)
            raise
        self._give(worker, keep=not worker.timed_out)

    def _take(self) -> Worker:
        """Return an idle worker, a new one, or wait for one."""
        with self._change:
            while True:
                while self.idle:
                    worker = self.idle.pop()
                    if worker.process.is_alive():
                        self.busy.append(worker)
                        return worker
                    worker.process.end()
                if len(self.busy) + self._starting < self.limit:
                    self._starting += 1
                    break
                self._change.wait()
        try:
            worker = Worker()
        except BaseException:
            with self._change:
                self._starting -= 1
                self._change.notify()
            raise
        with self._change:
            self._starting -= 1
            self.busy.append(worker)
        return worker

    def _give(self, worker: Worker, *, keep: bool) -> None:
        """Take a worker back, or end it."""
        if not keep:
            worker.process.end()
        with self._change:
            if worker in self.busy:
                self.busy.remove(worker)
                if keep:
                    self.idle.append(worker)
            self._change.notify()

    def close(self) -> None:
        """End all processes; the next request starts others."""
        with self._change:
            workers = [*self.idle, *self.busy]
            self.idle, self.busy = [], []
        for worker in workers:
            worker.process.end()
        with self._change:
            self._change.notify_all()

    def forget(self) -> None:
        """Leave the parent's processes alone in a forked child."""
        self._change = threading.Condition()
        _inherited.extend([*self.idle, *self.busy])
        for worker in _inherited:
            worker.process.disown()
        self.idle, self.busy, self._starting = [], [], 0


_inherited: list[Worker] = []
POOL = WorkerPool()
"""The pool that all readers share."""


def close_workers() -> None:
    """End all processes that read HDF4; the next read starts others.

    Examples
    --------
    >>> close_workers()
    >>> POOL.idle
    []
    """
    POOL.close()
    end_starter()


def _in_child() -> None:
    POOL.forget()
    forget_starter()


_REGISTER: Callable[..., None] | None = getattr(os, "register_at_fork", None)
atexit.register(close_workers)
if _REGISTER is not None:
    _REGISTER(after_in_child=_in_child)
