"""Read the files of a MODIS stack, at once or date by date when they are used."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from xarray.backends import BackendArray
from xarray.core import indexing

from geosoil.errors import (
    FileFormatError,
    GeosoilError,
    InputError,
    MissingFileError,
)
from geosoil.io._modis_stack import Block, Plan
from geosoil.io._worker_pool import most_workers

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Done = TypeVar("Done")


def each(
    items: Sequence[Item], action: Callable[[Item], Done], *, allowed: type[Exception]
) -> list[Done | Exception]:
    """Do something with each item on as many threads as there are workers.

    Parameters
    ----------
    items : sequence
        For instance files.
    action : callable
        What is done with one; :class:`GeosoilError` is collected, all else raised.
    allowed : type
        Errors that are returned in the place of a result instead of raised.

    Returns
    -------
    results : list
        In the order of the items.

    Raises
    ------
    GeosoilError
        One for all that failed.
    """

    def attempt(item: Item) -> Done | GeosoilError:
        try:
            return action(item)
        except GeosoilError as error:
            return error

    threads = min(len(items), most_workers())
    if threads > 1:
        with ThreadPoolExecutor(threads) as pool:
            results: list[Done | GeosoilError] = list(pool.map(attempt, items))
    else:
        results = [attempt(item) for item in items]
    faults = [
        result
        for result in results
        if isinstance(result, GeosoilError) and not isinstance(result, allowed)
    ]
    raise_together(faults, len(items))
    return list(results)


def raise_together(faults: list[GeosoilError], count: int) -> None:
    """Raise one error for many: of their own kind where they share it.

    Parameters
    ----------
    faults : list of GeosoilError
        What went wrong; nothing is raised where it is empty.
    count : int
        Number of files that were tried.

    Raises
    ------
    GeosoilError
        The fault itself where there was one file.
    """
    if not faults:
        return
    if len(faults) == 1 and count == 1:
        raise faults[0]
    kinds = {type(fault) for fault in faults}
    kind: type[GeosoilError] = kinds.pop() if len(kinds) == 1 else FileFormatError
    if any(isinstance(fault, MissingFileError) for fault in faults):
        kind = MissingFileError
    lines = "\n".join(f"- {fault}" for fault in faults)
    message = f"{len(faults)} of {count} files cannot be used:\n{lines}"
    raise kind(message)


def lazy_stack(plan: Plan, budget: int) -> indexing.LazilyIndexedArray:
    """Return an array that reads a date of a plan when its values are first used.

    Parameters
    ----------
    plan : Plan
        What goes where.
    budget : int
        Bytes within which dates are kept once they were read; one is always kept.

    Returns
    -------
    stack : array, shape (dates, rows, columns)
        For a DataArray, which selects parts of it without reading.
    """
    return indexing.LazilyIndexedArray(LazyStack(plan, budget))


def read_stack(plan: Plan) -> npt.NDArray[Any]:
    """Read every file of a plan into one array.

    Parameters
    ----------
    plan : Plan
        What goes where.

    Returns
    -------
    stack : array, shape (dates, rows, columns)
        Quantities, NaN where missing and where no tile lies.

    Raises
    ------
    GeosoilError
        If files cannot be read, or tiles contradict each other where they overlap.
    """
    stack = np.empty(plan.shape, plan.dtype)
    _fill(stack, list(plan.blocks), {place: place for place in range(len(plan.dates))})
    return stack


class LazyStack(BackendArray):
    """An array over time that reads a date when it is first used.

    Notes
    -----
    A compressed layer of a MODIS file unpacks from its beginning; reading it tile by
    tile costs many passes. A whole date is read instead and kept, the last dates
    within a budget, so that tiles in any order cost one pass.
    """

    def __init__(self, plan: Plan, budget: int) -> None:
        self.plan = plan
        self.shape, self.dtype = plan.shape, plan.dtype
        field = self.shape[1] * self.shape[2] * self.dtype.itemsize
        self._kept_dates = max(budget // max(field, 1), 1)
        self._kept: OrderedDict[int, npt.NDArray[Any]] = OrderedDict()
        self._reading: dict[int, threading.Lock] = {}
        self._guard = threading.Lock()

    def __getitem__(self, key: indexing.ExplicitIndexer) -> npt.NDArray[Any]:
        """Return a part of the stack."""
        found: npt.NDArray[Any] = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.BASIC, self._part
        )
        return found

    def _part(self, index: tuple[Any, ...]) -> npt.NDArray[Any]:
        """Return the part that an index or a slice for each dimension means."""
        times, *cells = index
        chosen = np.arange(self.shape[0])[times]
        if chosen.ndim == 0:
            field: npt.NDArray[Any] = self._date(int(chosen))[tuple(cells)].copy()
            return field
        parts = [self._date(int(place))[tuple(cells)] for place in chosen]
        empty = np.empty((0, *self.shape[1:]), self.dtype)
        return np.stack(parts) if parts else empty[(slice(None), *cells)]

    def _date(self, place: int) -> npt.NDArray[Any]:
        """Return a whole date, from memory where it is kept."""
        with self._guard:
            reading = self._reading.setdefault(place, threading.Lock())
        # One thread reads a date, others read other dates meanwhile.
        with reading:
            with self._guard:
                if place in self._kept:
                    self._kept.move_to_end(place)
                    known: npt.NDArray[Any] = self._kept[place]
                    return known
            field = np.empty((1, *self.shape[1:]), self.dtype)
            blocks = [b for b in self.plan.blocks if place in b.places]
            _fill(field, blocks, {place: 0})
            with self._guard:
                while len(self._kept) >= self._kept_dates:
                    self._kept.popitem(last=False)
                self._kept[place] = field[0]
            whole: npt.NDArray[Any] = field[0]
            return whole


def _fill(stack: npt.NDArray[Any], blocks: list[Block], places: dict[int, int]) -> None:
    """Read files into a stack; ``places`` maps times to positions in it."""
    if any(block.source.grid.shape != stack.shape[1:] for block in blocks):
        stack[:] = np.nan
    covered = np.zeros(stack.shape, bool) if _overlap(blocks) else None
    guard = threading.Lock()

    def read(block: Block) -> None:
        logger.info("reading %s", block.source.path)
        fields = block.source.read()
        for field, time in zip(fields, block.places, strict=True):
            if time not in places:
                continue
            target = (places[time], *block.part)
            if covered is None:
                stack[target] = field
                continue
            with guard:
                _check_equal(stack[target], field, covered[target], block)
                stack[target] = np.where(covered[target], stack[target], field)
                covered[target] = True

    each(blocks, read, allowed=_Never)


class _Never(Exception):  # noqa: N818  stands for no error at all
    """Raised by nothing."""


def _overlap(blocks: list[Block]) -> bool:
    """Whether two files of one date share cells."""
    for number, first in enumerate(blocks):
        for second in blocks[number + 1 :]:
            if set(first.places).isdisjoint(second.places):
                continue
            apart = any(
                a.stop <= b.start or b.stop <= a.start
                for a, b in zip(first.part, second.part, strict=True)
            )
            if not apart:
                return True
    return False


def _check_equal(
    old: npt.NDArray[Any],
    new: npt.NDArray[Any],
    both: npt.NDArray[np.bool_],
    block: Block,
) -> None:
    """Raise where two files of one date give different values for a cell."""
    wrong = both & ~((old == new) | (np.isnan(old) & np.isnan(new)))
    if wrong.any():
        message = (
            f"'{block.source.path}': {int(wrong.sum())} cells differ from another file "
            "of the same date that covers them too. Give each cell one file a date."
        )
        raise InputError(message)
