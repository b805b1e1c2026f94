"""Correlation over time, pixel by pixel, with p value, number of pairs and reason."""

from __future__ import annotations

import threading
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.correlation.significance import p_value
from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import SNAP, Grid, check_same_grid
from geosoil.variables import variable

Method = Literal["pearson"]
METHODS: tuple[Method, ...] = ("pearson",)

REASONS = ("ok", "few", "constant_x", "constant_y", "all_missing")
"""Meaning of the codes 0, 1, 2 ... in ``reason``."""

FEWEST_PAIRS = 3
"""Two pairs always lie on a line: their r is 1 and says nothing."""

TAIL = 1e-8
"""Below this the kernel's p has lost relative digits, and the exact one is taken."""

_OUTPUTS = {"r": np.float64, "p_value": np.float64, "n": np.int32, "reason": np.int8}

# Not every threading layer of numba bears two parallel kernels at once, as dask's
# threads would start them; each kernel uses all cores by itself.
_ONE_AT_A_TIME = threading.Lock()


def correlate(
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    dim: str = "time",
    method: Method = "pearson",
    lag: int = 0,
    min_pairs: int = 4,
) -> xr.Dataset:
    """Correlate two rasters over time, pixel by pixel.

    Parameters
    ----------
    x, y : DataArray with the dims ``dim`` and any others, usually (time, y, x)
        Series on the same grid and the same times; NaN missing. Dask arrays stay
        lazy and may be chunked in space; chunks in time are joined.
    dim : str
        Dimension to correlate over.
    method : {"pearson"}
        Kind of correlation.
    lag : int
        Steps by which y follows x: r of x[t] and y[t + lag]. Negative: y leads.
    min_pairs : int
        Fewest pairs that give an answer, at least 3. Three pairs need |r| > 0.997 to
        be significant at 5 %, so three are answered only if asked for.

    Returns
    -------
    correlation : Dataset without ``dim``
        ``r`` and ``p_value`` (two-sided), NaN unless ``reason`` is 0; ``n``, the
        pairs used; ``reason``: 0 ok, 1 few, 2 constant_x, 3 constant_y,
        4 all_missing.

    Raises
    ------
    GridMismatchError
        If the inputs lie on different grids.
    InputError
        If the times differ, or dim, method, lag or min_pairs cannot be.

    Notes
    -----
    Over the n pairs where both are finite,
    r = sum(dx dy) / sqrt(sum(dx**2) sum(dy**2)), with dx, dy the departures from
    the means of these pairs, in float64 whatever the input. A series is constant when
    its smallest valid value equals its largest one. p takes the pairs as independent;
    series that resemble their own past need an effective number of pairs.

    Examples
    --------
    >>> x = xr.DataArray([1.0, 2.0, 3.0, 4.0, np.nan], dims="time")
    >>> y = xr.DataArray([2.0, 1.0, 4.0, 3.0, 9.0], dims="time")
    >>> answer = correlate(x, y)
    >>> round(float(answer.r), 3), round(float(answer.p_value), 3), int(answer.n)
    (0.6, 0.4, 4)
    """
    _check_settings((x, y), dim, method, lag, min_pairs)
    _check_times(x, y, dim)
    _check_grids(x, y, dim)
    # The coordinates were found equal within a millionth of a cell.
    kept = {key: c for key, c in x.coords.items() if dim not in c.dims}
    first, second = (array.drop_vars(list(array.coords)) for array in (x, y))
    answers = xr.apply_ufunc(
        _pearson,
        *(_whole_series(array, dim) for array in (first, second)),
        input_core_dims=[[dim], [dim]],
        output_core_dims=[[] for _ in _OUTPUTS],
        kwargs={"lag": lag, "min_pairs": min_pairs},
        dask="parallelized",
        output_dtypes=list(_OUTPUTS.values()),
    )
    result = xr.Dataset(dict(zip(_OUTPUTS, answers, strict=True)))
    return _describe(
        result.assign_coords(kept), x, y, _settings(method, lag, min_pairs)
    )


def _pearson(
    x: npt.NDArray[np.generic], y: npt.NDArray[np.generic], *, lag: int, min_pairs: int
) -> tuple[npt.NDArray[np.generic], ...]:
    """Call the compiled kernel, loaded with the first use; mend the smallest p."""
    from geosoil.correlation import _kernels  # noqa: PLC0415  numba loads slowly

    with _ONE_AT_A_TIME:
        found = _kernels.pearson(_as_float(x), _as_float(y), lag, min_pairs)
    tail = found.p_value < TAIL
    found.p_value[tail] = p_value(found.r[tail], found.n[tail])
    return found


def _as_float(values: npt.NDArray[np.generic]) -> npt.NDArray[np.floating[Any]]:
    """Return float32 and float64 as they are, all else as float64."""
    if values.dtype in (np.float32, np.float64):
        return values  # type: ignore[return-value]
    return values.astype(np.float64)


def _whole_series(array: xr.DataArray, dim: str) -> xr.DataArray:
    """Join the chunks of a dask array along the dimension to correlate over."""
    return array if array.chunks is None else array.chunk({dim: -1})


def _check_settings(
    arrays: tuple[xr.DataArray, xr.DataArray],
    dim: str,
    method: str,
    lag: int,
    min_pairs: int,
) -> None:
    """Raise on an unknown method or dim, or a lag and min_pairs that cannot be."""
    faults = []
    if method not in METHODS:
        faults.append(f"unknown method '{method}', known are: {', '.join(METHODS)}")
    for role, array in zip("xy", arrays, strict=True):
        if dim not in array.dims:
            faults.append(f"{role} '{array.name}' has dims {array.dims}, no '{dim}'")
    if min_pairs < FEWEST_PAIRS:
        faults.append(f"min_pairs is {min_pairs}, the fewest that can be is 3")
    steps = min(array.sizes.get(dim, 0) for array in arrays)
    if not faults and steps - abs(lag) < min_pairs:
        faults.append(
            f"{steps} steps of '{dim}' with lag {lag} leave {max(steps - abs(lag), 0)} "
            f"pairs, fewer than min_pairs = {min_pairs}: a correlation over time is "
            "not testable; give a longer series, or correlate over space"
        )
    if faults:
        message = f"Cannot correlate: {'; '.join(faults)}."
        raise InputError(message)


def _check_times(x: xr.DataArray, y: xr.DataArray, dim: str) -> None:
    """Raise unless both series have the same coordinate along the dimension."""
    if x.sizes[dim] == y.sizes[dim] and not {dim} & (set(x.coords) & set(y.coords)):
        return
    first, second = x[dim].to_index(), y[dim].to_index()
    if first.equals(second):
        return
    sides = [
        f"only in {role} '{array.name}': {_some([str(step) for step in steps])}"
        for role, array, steps in (
            ("x", x, first.difference(second)),
            ("y", y, second.difference(first)),
        )
        if len(steps)
    ]
    message = (
        f"Series of different '{dim}': {'; '.join(sides) or 'the order differs'}. "
        f"Select the same steps from both with .sel({dim}=...) before."
    )
    raise InputError(message)


def _some(labels: list[str], *, shown: int = 6) -> str:
    """List the first labels, and say how many more there are."""
    rest = len(labels) - shown
    return ", ".join(labels[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _check_grids(x: xr.DataArray, y: xr.DataArray, dim: str) -> None:
    """Raise unless all other dims, coordinates and the CRS are the same."""
    what = f"series '{x.name}' and '{y.name}'"
    sizes = [{d: n for d, n in a.sizes.items() if d != dim} for a in (x, y)]
    if sizes[0] != sizes[1]:
        message = (
            f"The {what} differ in shape: {sizes[0]} and {sizes[1]}. Bring one onto "
            "the other's grid with geosoil.align."
        )
        raise GridMismatchError(message)
    spatial = {"y", "x"} <= set(sizes[0])
    if spatial and (x.rio.crs is not None or y.rio.crs is not None):
        check_same_grid(Grid.of(x), Grid.of(y), what=what)
    for name in sizes[0]:
        if name in x.coords and name in y.coords and not _same(x[name], y[name]):
            message = (
                f"The {what} have different coordinates '{name}'. Bring one onto the "
                "other's grid with geosoil.align."
            )
            raise GridMismatchError(message)


def _same(first: xr.DataArray, second: xr.DataArray) -> bool:
    """Return whether coordinates agree, numbers within a millionth of a step."""
    a, b = first.to_numpy(), second.to_numpy()
    if a.dtype.kind not in "iuf" or b.dtype.kind not in "iuf":
        return bool(np.array_equal(a, b))
    step = float(np.abs(np.diff(a)).min()) if len(a) > 1 else 1.0
    return bool(np.all(np.abs(a - b) <= SNAP * step))


def _settings(method: str, lag: int, min_pairs: int) -> dict[str, str | int]:
    """Return the attributes that say how the answer was made."""
    return {"method": method, "lag": lag, "min_pairs": min_pairs}


def _describe(
    result: xr.Dataset, x: xr.DataArray, y: xr.DataArray, settings: dict[str, str | int]
) -> xr.Dataset:
    """Write what each variable is."""
    pair = f"{x.name or 'x'} and {y.name or 'y'}"
    for name in ("r", "p_value", "n"):
        entry = variable(name)
        result[name].attrs = {
            "units": entry.units,
            "long_name": f"{entry.long_name}, {pair}",
            **settings,
        }
    result["reason"].attrs = {
        "long_name": f"why there is no r, {pair}",
        "flag_values": np.arange(len(REASONS), dtype=np.int8),
        "flag_meanings": " ".join(REASONS),
    }
    result.attrs = dict(settings)
    return result
