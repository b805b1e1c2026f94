"""How much memory a surface takes, told before the work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Literal, get_args

import dask
import numpy as np
from dask.system import CPU_COUNT
from dask.utils import format_bytes, parse_bytes

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.interpolation.base import Interpolator
from geosoil.interpolation.working_memory import working_bytes

SIDE = 256
"""Rows and columns of a block by default."""

BYTES_A_CELL = 48
"""Places of a block in the grid's CRS and in metres, and what is known of them; labels
of cells are shared."""

COPIES = 3
"""How often a block holds its answers: bare, labelled, and together."""

NO_HOLDERS = (
    str,
    bytes,
    int,
    float,
    type,
    type(None),
    FunctionType,
    BuiltinFunctionType,
    ModuleType,
)
"""What holds no arrays."""

Result = Literal["in memory", "by block"]


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """Bytes that a surface takes while it is computed, beside the libraries.

    Examples
    --------
    >>> print(MemoryNeed((2000, 3000), 1, (256, 256), 2, 10**5, 8 * 10**6))
    6,000,000 cells in 96 blocks of 256 x 256: 106.91 MiB of memory (surface 45.78 MiB,
    held twice while its blocks are joined; 2 workers with 7.63 MiB each; data
    97.66 kiB)
    """

    shape: tuple[int, int]
    """Rows and columns of the grid."""
    planes: int
    """Numbers a cell: variables of the surface, or their layers."""
    chunks: tuple[int, int]
    """Rows and columns of a block."""
    workers: int
    """Blocks that are computed at a time."""
    interpolator: int
    """What was fitted: data, systems and rasters [bytes]; a cluster holds it once a
    process."""
    per_worker: int
    """Work on one block [bytes]."""
    result: Result = "in memory"
    """Whether the whole surface is kept, or each block is written and let go."""

    @property
    def cells(self) -> int:
        """Number of cells."""
        return self.shape[0] * self.shape[1]

    @property
    def n_blocks(self) -> int:
        """Number of blocks."""
        pairs = zip(self.shape, self.chunks, strict=True)
        return int(np.prod([-(-size // side) for size, side in pairs]))

    @property
    def outputs(self) -> int:
        """The surface with all its variables [bytes]."""
        return 8 * self.planes * self.cells

    @property
    def kept(self) -> int:
        """What is held of the surface: twice where its blocks are joined [bytes]."""
        return (2 if self.n_blocks > 1 else 1) * self.outputs * self._in_memory

    @property
    def total(self) -> int:
        """All of it on one machine [bytes]."""
        busy = min(self.workers, self.n_blocks)
        return self.interpolator + busy * self.per_worker + self.kept

    @property
    def _in_memory(self) -> int:
        """1 where the whole surface is kept, else 0."""
        return int(self.result == "in memory")

    def __str__(self) -> str:
        """Say in words what is needed and for what."""
        rows, columns = self.chunks
        surface = f"surface {format_bytes(self.outputs)}"
        if not self._in_memory:
            surface += " written by block"
        elif self.kept > self.outputs:
            surface += ", held twice while its blocks are joined"
        return (
            f"{self.cells:,} cells in {self.n_blocks} blocks of {rows} x {columns}: "
            f"{format_bytes(self.total)} of memory ({surface}; {self.workers} workers "
            f"with {format_bytes(self.per_worker)} each; data "
            f"{format_bytes(self.interpolator)})"
        )


def predicted_memory(
    interpolator: Interpolator,
    grid: Grid,
    *,
    chunks: tuple[int, int] | None = None,
    workers: int | None = None,
    result: Result = "in memory",
) -> MemoryNeed:
    """Tell, before the work, how much memory a surface takes.

    Parameters
    ----------
    interpolator : Interpolator
        Fitted.
    grid : Grid
        Target grid.
    chunks : tuple = (rows, columns), optional
        Cells of a block; 256 x 256 by default.
    workers : int, optional
        Blocks at a time; as many as dask has threads by default.
    result : {"in memory", "by block"}
        Whether the whole surface will be kept, or each block written and let go.

    Returns
    -------
    need : MemoryNeed
        In bytes; printed, it says so in words. The libraries themselves are not in it.

    Raises
    ------
    InputError
        If it is not fitted, or a setting is not possible.

    Examples
    --------
    >>> from geosoil.interpolation.idw import InverseDistance
    >>> fitted = InverseDistance().fit([[0.0, 0.0], [800.0, 0.0]], [1.0, 3.0])
    >>> grid = Grid.from_bounds((0, 0, 100_000, 100_000), 100, "EPSG:32647")
    >>> need = predicted_memory(fitted, grid, workers=2)
    >>> need.cells, need.n_blocks, need.outputs
    (1000000, 16, 8000000)
    """
    sides = chunks or (SIDE, SIDE)
    count = workers or int(dask.config.get("num_workers", None) or CPU_COUNT)
    _check_settings(sides, count, result)
    rows, columns = (min(side, n) for side, n in zip(sides, grid.shape, strict=True))
    cell = interpolator.grid(grid.part(0, 0, (1, 1)))
    planes = sum(variable.size for variable in cell.data_vars.values())
    a_cell = BYTES_A_CELL + 8 * COPIES * planes
    return MemoryNeed(
        shape=grid.shape,
        planes=planes,
        chunks=(rows, columns),
        workers=count,
        interpolator=_held_bytes(interpolator),
        per_worker=rows * columns * a_cell
        + working_bytes(interpolator, rows * columns),
        result=result,
    )


def check_memory(need: MemoryNeed, grid: Grid, *, limit: int | str) -> None:
    """Raise where a surface takes more memory than it may.

    Parameters
    ----------
    need : MemoryNeed
        What is needed.
    grid : Grid
        Target grid, for the mend.
    limit : int or str
        Bytes, or words as "4 GiB".

    Raises
    ------
    InputError
        If the limit is no number of bytes, or less than what is needed; with what
        makes it fit.
    """
    try:
        allowed = int(parse_bytes(limit))
    except ValueError as error:
        message = f"Invalid memory_limit '{limit}'. Give bytes, or words as '4 GiB'."
        raise InputError(message) from error
    if need.total <= allowed:
        return
    message = (
        f"{need}: more than the limit of {format_bytes(allowed)}. "
        f"{' or '.join(_mends(need, grid, allowed))}."
    )
    raise InputError(message)


def _mends(need: MemoryNeed, grid: Grid, allowed: int) -> list[str]:
    """Say what would make a surface fit."""
    busy = min(need.workers, need.n_blocks) * need.per_worker
    left = allowed - need.interpolator - busy
    mends = []
    if need.kept and left > 0:
        wider = float(np.sqrt(need.kept / left)) * max(grid.resolution)
        mends.append(f"give a grid of cells of {wider:.3g} or wider")
    if need.kept and left >= 0:
        mends.append("write it block by block (result='by block')")
    if busy > allowed / 4:
        mends.append("give smaller chunks or fewer workers")
    if need.interpolator > allowed / 4:
        mends.append("give n_neighbors, so that no system of all data is held")
    mends.append("raise memory_limit")
    return [mends[0].capitalize(), *mends[1:]]


def _check_settings(sides: tuple[int, int], workers: int, result: str) -> None:
    """Raise on settings that cannot be; all faults at once."""
    faults = []
    if len(sides) != 2 or not all(side >= 1 for side in sides):
        faults.append(f"Invalid chunks '{sides}'. Give (rows, columns), 1 or more.")
    if workers < 1:
        faults.append(f"Invalid workers '{workers}'. Give 1 or more.")
    if result not in get_args(Result):
        faults.append(f"Unknown result '{result}'. Give one of {get_args(Result)}.")
    if faults:
        raise InputError(" ".join(faults))


def _held_bytes(thing: object) -> int:
    """Return the bytes of all arrays that an object holds, each counted once."""
    total, waiting = 0, [thing]
    # The objects themselves are kept, else their identity passes to new ones.
    seen: dict[int, object] = {}
    while waiting:
        one = waiting.pop()
        if id(one) in seen or isinstance(one, NO_HOLDERS):
            continue
        seen[id(one)] = one
        size = getattr(one, "nbytes", None)
        if isinstance(size, int):
            total += size
        elif isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, list | tuple):
            waiting.extend(one)
        else:
            # What an object says of its state, also one with slots or in C.
            waiting.append(one.__getstate__())
    return total
