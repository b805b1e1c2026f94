"""Two time series on one grid: the checks and the regular axis they share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import GridMismatchError, InputError
from geosoil.grids.grid import SNAP, Grid, check_same_grid, has_crs

FloatArray = npt.NDArray[np.float64]

GAP = 1.5
"""A step this many times the usual one has left out others."""


def check_same_times(x: xr.DataArray, y: xr.DataArray, dim: str) -> None:
    """Raise unless both series have the same coordinate along the dimension.

    Parameters
    ----------
    x, y : DataArray with the dimension ``dim``
        The series.
    dim : str
        Dimension to correlate over.

    Raises
    ------
    InputError
        If steps are only in one of them, or their order differs; it names them.

    Examples
    --------
    >>> x = xr.DataArray([1.0, 2.0], dims="time", coords={"time": [2001, 2002]})
    >>> check_same_times(x, x + 1, "time")
    """
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


def check_same_place(x: xr.DataArray, y: xr.DataArray, dim: str) -> None:
    """Raise unless all other dims, coordinates and the CRS are the same.

    Parameters
    ----------
    x, y : DataArray
        The series.
    dim : str
        Dimension to correlate over, which is not compared.

    Raises
    ------
    GridMismatchError
        If the grids differ.

    Examples
    --------
    >>> x = xr.DataArray(np.zeros((3, 2)), dims=("time", "site"))
    >>> check_same_place(x, x, "time")
    """
    what = f"series '{x.name}' and '{y.name}'"
    sizes = [{d: n for d, n in a.sizes.items() if d != dim} for a in (x, y)]
    if sizes[0] != sizes[1]:
        message = (
            f"The {what} differ in shape: {sizes[0]} and {sizes[1]}. Bring one onto "
            "the other's grid with geosoil.align."
        )
        raise GridMismatchError(message)
    spatial = {"y", "x"} <= set(sizes[0])
    if spatial and (has_crs(x) or has_crs(y)):
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


def time_values(series: xr.DataArray, dim: str) -> FloatArray:
    """Return the axis as numbers that rise in one direction.

    Parameters
    ----------
    series : DataArray
        Any series with the dimension.
    dim : str
        Its name.

    Returns
    -------
    values : array, shape (steps,)
        Days since the first date, the numbers of the coordinate, or else 0, 1, 2 ...

    Examples
    --------
    >>> dates = np.array(["2001-01-01", "2001-01-03"], dtype="datetime64[ns]")
    >>> time_values(xr.DataArray([1, 2], dims="time", coords={"time": dates}), "time")
    array([0., 2.])
    """
    if dim in series.coords:
        labels = series[dim].to_numpy()
        if labels.dtype.kind == "M":
            return np.asarray((labels - labels[:1]) / np.timedelta64(1, "D"), float)
        if labels.dtype.kind in "iuf":
            return np.asarray(labels - labels[:1], dtype=np.float64)
    return np.arange(series.sizes[dim], dtype=np.float64)


def regular_steps(values: FloatArray, longest_gap: int) -> npt.NDArray[np.intp]:
    """Return each step's place on a regular axis, where left-out steps have places.

    Parameters
    ----------
    values : array, shape (steps,)
        The axis in numbers.
    longest_gap : int
        Most places that one gap is given: a gap longer than the longest lag parts
        the series as well as any longer one.

    Returns
    -------
    places : array of int, shape (steps,)
        0 first and rising; 0, 1, 2 ... where no step is left out.

    Notes
    -----
    The usual step is the median one. Steps are counted one by one, so that months of
    28 to 31 days and composites that start anew each year do not add up to a gap.

    Examples
    --------
    >>> regular_steps(np.array([0.0, 31.0, 59.0, 151.0]), 5)
    array([0, 1, 2, 5])
    """
    steps = np.diff(values)
    usual = float(np.sort(steps)[(steps.size - 1) // 2]) if steps.size else 1.0
    if not (usual > 0 and (steps > 0).all()):
        return np.arange(values.size)
    counts = np.where(steps > GAP * usual, np.rint(steps / usual), 1)
    counts = np.minimum(counts, longest_gap + 1).astype(np.intp)
    return np.concatenate([[0], np.cumsum(counts)])


def on_regular_axis(
    series: xr.DataArray, dim: str, places: npt.NDArray[np.intp]
) -> xr.DataArray:
    """Return a series without labels on a regular axis, NaN where steps were left out.

    Parameters
    ----------
    series : DataArray
        The series.
    dim : str
        Its dimension of time.
    places : array of int
        As from :func:`regular_steps`.

    Returns
    -------
    series : DataArray
        The same array where no step was left out.

    Examples
    --------
    >>> series = xr.DataArray([1.0, 2.0], dims="time")
    >>> on_regular_axis(series, "time", np.array([0, 2])).values
    array([ 1., nan,  2.])
    """
    bare = series.drop_vars(list(series.coords))
    if not places.size or places[-1] == places.size - 1:
        return bare
    whole = bare.assign_coords({dim: places}).reindex({dim: np.arange(places[-1] + 1)})
    return whole.drop_vars(dim)
