"""Correlation over space: every cell with the cells of a window around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.map_pair import (
    ONE_AT_A_TIME,
    as_float,
    check_same_map,
    describe_reason,
)
from geosoil.correlation.significance import p_value
from geosoil.correlation.threads import in_parts
from geosoil.errors import InputError
from geosoil.variables import variable

Method = Literal["pearson", "spearman"]
METHODS: tuple[Method, ...] = ("pearson", "spearman")

Shape = Literal["square", "circle", "gaussian"]
SHAPES: tuple[Shape, ...] = ("square", "circle", "gaussian")

FEWEST_PAIRS = 3
"""Two pairs always lie on a line: their r is 1 and says nothing."""

SIDES = 6
"""A Gaussian window is cut at three standard deviations on each side."""

BLOCK = 1 << 17
"""Cells whose p values are made at once, so that no copy of a map is needed."""

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]


def window_correlation(
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    size: int,
    method: Method = "pearson",
    shape: Shape = "square",
    min_pairs: int = 4,
) -> xr.Dataset:
    """Correlate two maps over space, in a window around each cell.

    Parameters
    ----------
    x, y : DataArray with dims (y, x) and any others before them
        Maps on the same grid; NaN missing. Dask arrays stay lazy; their chunks in
        space are joined, those of other dims run one by one.
    size : int
        Side or diameter of the window in cells, odd, from 3 to the shorter side of
        the map.
    method : {"pearson", "spearman"}
        Kind of correlation; Spearman ranks the pairs of each window, ties in the
        middle.
    shape : {"square", "circle", "gaussian"}
        Which cells count: all; those whose centre is within size / 2 cells; all, with
        weights exp(-d**2 / (2 s**2)) and s = size / 6.
    min_pairs : int
        Fewest pairs that give an answer, at least 3.

    Returns
    -------
    correlation : Dataset with the dims of the maps
        ``r``, float32 if both maps are, NaN unless ``reason`` is 0; ``n``, the pairs
        in the window; ``reason``: 0 ok, 1 few, 2 constant_x, 3 constant_y,
        4 all_missing; in a Gaussian window ``n_effective``, the pairs that count as
        much with equal weights.

    Raises
    ------
    GridMismatchError
        If the maps lie on different grids.
    InputError
        If size is even, too small or too large, or a setting cannot be.

    Notes
    -----
    A window is cut off at the edge of the map, and takes the pairs where both maps are
    finite; the cell in its middle need not be. A map is constant in a window when its
    smallest valid value there equals its largest one. In squares the sums run from
    window to window, around a local centre, so that the cost does not grow with the
    size; where such a variance might have lost digits, the window is summed anew.

    Neighbouring cells resemble each other, so a p value that takes them as independent
    is too small; :func:`window_p_values` gives it where it is wanted.

    Examples
    --------
    >>> x = xr.DataArray(np.arange(9.0).reshape(3, 3), dims=("y", "x"))
    >>> found = window_correlation(x, x**2, size=3)
    >>> float(found.r[1, 1].round(3)), int(found.n[0, 0])
    (0.962, 4)
    """
    check_same_map(x, y)
    _check_settings(x, size, method, shape, min_pairs)
    weighted = method == "spearman" or shape != "square"
    names = ["r", "n", "reason"] + ["n_effective"] * weighted
    kind = _result_type(x, y)
    types = dict(zip(names, (kind, np.int32, np.int8, kind), strict=False))
    kept = dict(x.coords)
    first, second = (
        _whole_maps(array.drop_vars(list(array.coords))) for array in (x, y)
    )
    answers = xr.apply_ufunc(
        _correlate,
        first,
        second.transpose(*first.dims),
        input_core_dims=[["y", "x"], ["y", "x"]],
        output_core_dims=[["y", "x"] for _ in names],
        kwargs={"run": _kernel(size, method, shape, min_pairs), "types": types},
        dask="parallelized",
        output_dtypes=list(types.values()),
    )
    result = xr.Dataset(dict(zip(names, answers, strict=True))).assign_coords(kept)
    if shape != "gaussian":
        result = result.drop_vars("n_effective", errors="ignore")
    settings: dict[str, str | int] = {
        "method": method, "window": size, "shape": shape, "min_pairs": min_pairs,
    }  # fmt: skip
    return _describe(result, f"{x.name or 'x'} and {y.name or 'y'}", settings)


def window_p_values(correlation: xr.Dataset) -> xr.DataArray:
    """Return the two-sided p value of each window, its pairs taken as independent.

    Parameters
    ----------
    correlation : Dataset
        What :func:`window_correlation` gave.

    Returns
    -------
    p : DataArray like ``r``
        From Student's t with ``n_effective`` or ``n`` pairs; NaN where r is. The cells
        of a window resemble each other, so the true p is larger.

    Examples
    --------
    >>> x = xr.DataArray(np.arange(9.0).reshape(3, 3), dims=("y", "x"))
    >>> found = window_correlation(x, np.sin(x / 3), size=3)
    >>> float(window_p_values(found)[1, 1].round(2))
    0.16
    """
    pairs = correlation.get("n_effective", correlation["n"])
    p: xr.DataArray = xr.apply_ufunc(
        _blockwise_p,
        correlation["r"],
        pairs,
        dask="parallelized",
        output_dtypes=[correlation["r"].dtype],
    ).rename("p_value")
    entry = variable("p_value")
    p.attrs = {
        "units": entry.units,
        "long_name": f"{entry.long_name}, cells of a window taken as independent",
    }
    return p


def _blockwise_p(r: Array, n: Array) -> Array:
    """Fill p block by block."""
    p = np.empty(r.shape, r.dtype)
    flat_p, flat_r, flat_n = p.reshape(-1), np.ravel(r), np.ravel(n)
    for start in range(0, flat_p.size, BLOCK):
        block = slice(start, start + BLOCK)
        flat_p[block] = p_value(flat_r[block], flat_n[block])
    return p


def _whole_maps(array: xr.DataArray) -> xr.DataArray:
    """Put y and x last, and join the chunks of a dask array along them."""
    ordered = array.transpose(..., "y", "x")
    return ordered if array.chunks is None else ordered.chunk({"y": -1, "x": -1})


def _result_type(x: xr.DataArray, y: xr.DataArray) -> np.dtype[Any]:
    """Return float32 where both maps are, otherwise float64."""
    both = x.dtype == np.float32 and y.dtype == np.float32
    return np.dtype(np.float32 if both else np.float64)


def window_weights(size: int, shape: Shape) -> FloatArray:
    """Return the weights of a window's cells.

    Parameters
    ----------
    size : int
        Side or diameter in cells, odd.
    shape : {"square", "circle", "gaussian"}
        As in :func:`window_correlation`.

    Returns
    -------
    weights : array, shape (size, size)
        1 or 0, or the Gaussian of the distance from the middle, where it is 1.

    Examples
    --------
    >>> window_weights(3, "circle").astype(int)
    array([[1, 1, 1],
           [1, 1, 1],
           [1, 1, 1]])
    """
    offsets = np.arange(size, dtype=np.float64) - size // 2
    squares = np.add.outer(offsets**2, offsets**2)
    if shape == "square":
        return np.ones((size, size))
    if shape == "circle":
        return (squares <= (size / 2) ** 2).astype(np.float64)
    return np.asarray(np.exp(-squares / (2 * (size / SIDES) ** 2)))


def _kernel(
    size: int, method: Method, shape: Shape, min_pairs: int
) -> Callable[[Array, Array], tuple[Array, ...]]:
    """Return the function of two maps that answers these settings."""
    weights = window_weights(size, shape)

    def run(x: Array, y: Array) -> tuple[Array, ...]:
        if method != "spearman" and shape == "square":
            return _squares(x, y, size, min_pairs)
        from geosoil.correlation import _kernels_pairs  # noqa: PLC0415  numba is slow

        with ONE_AT_A_TIME:
            return _kernels_pairs.weighted_windows(
                x, y, weights, min_pairs, method == "spearman"
            )

    return run


def _squares(x: Array, y: Array, size: int, min_pairs: int) -> tuple[Array, ...]:
    """Correlate in square windows, tiles at once, and those in doubt again."""
    from geosoil._compiled import THREADS  # noqa: PLC0415  numba is slow
    from geosoil.correlation import _kernels_pairs, _kernels_window  # noqa: PLC0415

    maps = np.ascontiguousarray(x), np.ascontiguousarray(y)
    found = _kernels_window.unanswered(*maps)
    tile, count = _kernels_window.tile_of(size, x.shape)
    rules = _kernels_window.TRUST[found.r.dtype], float(min_pairs)
    doubtful = []

    def answer(start: int, stop: int) -> None:
        doubtful.append(
            _kernels_window.square_windows(
                maps, tile, (start, stop), size, rules, found
            )
        )

    with ONE_AT_A_TIME:
        in_parts(answer, count, THREADS, least=1)
        if any(doubtful):
            _kernels_pairs.mend_windows(x, y, size, found.r, found.reason)
    return found


def _correlate(
    x: Array,
    y: Array,
    *,
    run: Callable[[Array, Array], tuple[Array, ...]],
    types: dict[str, Any],
) -> tuple[Array, ...]:
    """Correlate one pair of maps after the other, of arrays (..., rows, columns)."""
    first, second = as_float(x), as_float(y)
    if first.ndim == 2:
        return tuple(run(first, second))
    answers = tuple(np.empty(first.shape, kind) for kind in types.values())
    for index in np.ndindex(*first.shape[:-2]):
        for answer, values in zip(
            answers, run(first[index], second[index]), strict=True
        ):
            answer[index] = values
    return answers


def _check_settings(
    x: xr.DataArray, size: int, method: str, shape: str, min_pairs: int
) -> None:
    """Raise on a window that cannot be, listing every fault."""
    faults = []
    missing = {"y", "x"} - set(x.dims)
    if missing:
        faults.append(f"a map has dims {x.dims}, no {sorted(missing)}")
    if method not in METHODS:
        faults.append(f"unknown method '{method}', known are: {', '.join(METHODS)}")
    if shape not in SHAPES:
        faults.append(f"unknown shape '{shape}', known are: {', '.join(SHAPES)}")
    sides = [x.sizes[dim] for dim in ("y", "x") if dim in x.dims]
    if not isinstance(size, int | np.integer) or size < 3 or size % 2 == 0:
        faults.append(f"size is {size}, it must be odd and at least 3")
    elif sides and size > min(sides):
        faults.append(
            f"size is {size}, larger than the map of {' x '.join(map(str, sides))} "
            "cells"
        )
    if min_pairs < FEWEST_PAIRS:
        faults.append(f"min_pairs is {min_pairs}, the fewest that can be is 3")
    elif isinstance(size, int | np.integer) and min_pairs > size**2:
        faults.append(f"min_pairs is {min_pairs}, a window has {size**2} cells")
    if faults:
        message = f"Cannot correlate in windows: {'; '.join(faults)}."
        raise InputError(message)


def _describe(
    result: xr.Dataset, pair: str, settings: dict[str, str | int]
) -> xr.Dataset:
    """Write what each variable is."""
    for name in ("r", "n"):
        entry = variable(name)
        words = f"{entry.long_name} in a window, {pair}"
        result[name].attrs = {"units": entry.units, "long_name": words, **settings}
    if "n_effective" in result:
        words = f"pairs of equal weight that count as much, {pair}"
        result["n_effective"].attrs = {"units": "1", "long_name": words, **settings}
    describe_reason(result["reason"], pair)
    result.attrs = dict(settings)
    return result
