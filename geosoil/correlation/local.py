"""Geographically weighted correlation: near pairs count more than far ones."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from geosoil.correlation.map_pair import (
    ONE_AT_A_TIME,
    REASONS,
    check_same_map,
    describe_reason,
    positions,
    valid_pairs,
)
from geosoil.errors import InputError
from geosoil.variables import variable

Kernel = Literal["bisquare", "gaussian"]
KERNELS: tuple[Kernel, ...] = ("bisquare", "gaussian")

Method = Literal["pearson", "spearman"]
METHODS: tuple[Method, ...] = ("pearson", "spearman")

MIN_PAIRS = 4
"""Fewest pairs of a weight above 0 that give an answer."""

FloatArray = npt.NDArray[np.float64]


def weighted_correlation(
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    bandwidth: float,
    kernel: Kernel = "bisquare",
    adaptive: bool = True,
    method: Method = "pearson",
) -> xr.Dataset:
    """Correlate two maps around each cell, with weights that fall with distance.

    Parameters
    ----------
    x, y : DataArray with dims (y, x), or with one dim and coordinates x, y along it
        Maps on the same grid, or values at points; NaN missing. Distances are in
        units of the coordinates; on longitude and latitude in metres, straight through
        the sphere (0.1 % less than along it at 1000 km).
    bandwidth : float
        With ``adaptive`` the number of nearest valid pairs, the cell's own counted,
        whose farthest one sets the width; otherwise the width itself.
    kernel : {"bisquare", "gaussian"}
        (1 - (d / h)**2)**2 within the width h and 0 beyond; or exp(-d**2 / (2 h**2)).
    adaptive : bool
        Whether the bandwidth is a number of pairs or a distance.
    method : {"pearson", "spearman"}
        Kind of correlation; Spearman ranks all pairs of the map once.

    Returns
    -------
    correlation : Dataset with the dims of the maps
        ``r``, NaN unless ``reason`` is 0; ``n``, the pairs of a weight above 0;
        ``n_effective``, the pairs of equal weight that count as much; ``bandwidth``,
        the width at each cell; ``reason``: 0 ok, 1 few, 2 constant_x, 3 constant_y,
        4 all_missing, where the cell's own pair is missing.

    Raises
    ------
    GridMismatchError
        If the maps lie on different grids.
    InputError
        If there are no coordinates, or the bandwidth or another setting cannot be.

    Notes
    -----
    r = sum(w dx dy) / sqrt(sum(w dx**2) sum(w dy**2)), with dx and dy the departures
    from the weighted means. In an adaptive bisquare the farthest of the pairs has a
    weight of 0.

    References
    ----------
    Brunsdon, Fotheringham and Charlton (2002), Geographically weighted summary
    statistics, Computers, Environment and Urban Systems 26,
    doi:10.1016/S0198-9715(01)00009-6.

    Examples
    --------
    >>> at = {"x": ("point", np.arange(8.0)), "y": ("point", np.zeros(8))}
    >>> x = xr.DataArray(np.arange(8.0), dims="point", coords=at)
    >>> found = weighted_correlation(x, x**2, bandwidth=6)
    >>> found.r.round(3).values[:3]
    array([0.938, 0.942, 0.954])
    >>> found.n.values[:3]
    array([5, 5, 5], dtype=int32)
    """
    check_same_map(x, y)
    places = positions(x)
    valid, first, second = valid_pairs(x, y)
    _check_settings(bandwidth, kernel, adaptive, method, len(first))
    places = places[valid.ravel()]
    widths = _widths(places, bandwidth, adaptive)
    if method == "spearman":
        first, second = rankdata(first), rankdata(second)
    found = _compute(places, np.stack([first, second]), widths, kernel)
    fields = {
        "r": (found[0], np.nan),
        "n": (found[1].astype(np.int32), 0),
        "n_effective": (found[2], np.nan),
        "bandwidth": (widths, np.nan),
        "reason": (found[3].astype(np.int8), REASONS.index("all_missing")),
    }
    result = xr.Dataset(coords=x.coords)
    for name, (values, absent) in fields.items():
        field = np.full(valid.shape, absent, values.dtype)
        field[valid] = values
        result[name] = (x.dims, field)
    settings = {
        "method": method,
        "kernel": kernel,
        "bandwidth": bandwidth,
        "bandwidth_is": "nearest pairs" if adaptive else "distance",
    }
    return _describe(result, f"{x.name or 'x'} and {y.name or 'y'}", settings)


def _widths(places: FloatArray, bandwidth: float, adaptive: bool) -> FloatArray:
    """Return the width at each place: the same, or the distance to the k-th pair."""
    if not adaptive:
        return np.full(len(places), float(bandwidth))
    distances, _ = cKDTree(places).query(places, k=[int(bandwidth)], workers=-1)
    return np.asarray(distances, dtype=np.float64)[:, 0]


def _compute(
    places: FloatArray, pairs: FloatArray, widths: FloatArray, kernel: Kernel
) -> tuple[npt.NDArray[np.generic], ...]:
    """Call the compiled kernel, loaded with the first use."""
    from geosoil.correlation import _kernels_local as kernels  # noqa: PLC0415  numba

    shape = kernels.BISQUARE if kernel == "bisquare" else kernels.GAUSSIAN
    with ONE_AT_A_TIME:
        return kernels.local_correlations(places, pairs, widths, shape, MIN_PAIRS)


def _check_settings(
    bandwidth: float, kernel: str, adaptive: bool, method: str, n: int
) -> None:
    """Raise on settings that cannot be, listing every fault."""
    faults = []
    if kernel not in KERNELS:
        faults.append(f"unknown kernel '{kernel}', known are: {', '.join(KERNELS)}")
    if method not in METHODS:
        faults.append(f"unknown method '{method}', known are: {', '.join(METHODS)}")
    if n < MIN_PAIRS:
        faults.append(f"{n} valid pairs, at least {MIN_PAIRS} are needed")
    elif adaptive and not (bandwidth == int(bandwidth) and MIN_PAIRS < bandwidth <= n):
        faults.append(
            f"bandwidth is {bandwidth}, an adaptive one is a whole number of pairs "
            f"from {MIN_PAIRS + 1} to the {n} valid ones"
        )
    if not adaptive and not 0 < bandwidth < np.inf:
        faults.append(f"bandwidth is {bandwidth}, a distance must be above 0")
    if faults:
        message = f"Cannot correlate with weights: {'; '.join(faults)}."
        raise InputError(message)


def _describe(
    result: xr.Dataset, pair: str, settings: dict[str, str | float]
) -> xr.Dataset:
    """Write what each variable is."""
    for name in ("r", "n"):
        entry = variable(name)
        words = f"{entry.long_name}, geographically weighted, {pair}"
        result[name].attrs = {"units": entry.units, "long_name": words, **settings}
    words = f"pairs of equal weight that count as much, {pair}"
    result["n_effective"].attrs = {"units": "1", "long_name": words}
    result["bandwidth"].attrs = {"long_name": "width of the weights, as distances"}
    describe_reason(result["reason"], pair)
    result.attrs = dict(settings)
    return result
