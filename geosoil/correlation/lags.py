"""The lag at which two series agree best, with a p value that knows of the search."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np
import xarray as xr

from geosoil.correlation.blocks import Method
from geosoil.correlation.temporal import correlate
from geosoil.errors import InputError

Correction = Literal["bonferroni", "permutation"]


def best_lag(  # noqa: PLR0913  as many as correlate takes
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    lags: Sequence[int] = tuple(range(7)),
    dim: str = "time",
    method: Method = "pearson",
    detrend: bool = False,
    min_pairs: int = 4,
    correction: Correction = "bonferroni",
    n_draws: int = 999,
    rng: np.random.Generator | None = None,
) -> xr.Dataset:
    """Find the lag of the smallest p value, pixel by pixel.

    Parameters
    ----------
    x, y : DataArray with the dims ``dim`` and any others
        As in :func:`~geosoil.correlation.temporal.correlate`.
    lags : sequence of int
        Lags that are tried: r of x[t] and y[t + lag].
    dim, method, detrend, min_pairs
        As in :func:`~geosoil.correlation.temporal.correlate`.
    correction : {"bonferroni", "permutation"}
        How the p value pays for the search: times the number of lags, or by the
        largest of all lags in series whose order in time is drawn anew.
    n_draws : int
        Draws of the permutation.
    rng : Generator
        Needed by the permutation.

    Returns
    -------
    best : Dataset without ``dim``
        ``lag`` (NaN where no lag has an r), ``r``, ``n``, ``p_value`` (corrected)
        and ``p_value_single``, the p value of that lag had it been the only one.

    Raises
    ------
    InputError
        If lags are none or given twice, or the permutation has no rng.

    Notes
    -----
    The smallest p stands for the largest |r|: n falls with the lag. The permutation
    orders the steps of y alike in all pixels: it keeps the pattern in space and breaks
    the autocorrelation, so that its p is for series without memory; Bonferroni's
    holds for any dependence among the lags. The best r of many is biased away from 0.

    References
    ----------
    Westfall and Young (1993), Resampling-Based Multiple Testing, Wiley.

    Examples
    --------
    >>> rain = xr.DataArray([3.0, 1, 4, 1, 5, 9, 2, 6, 5, 3], dims="time")
    >>> soil = rain.shift(time=2)
    >>> found = best_lag(rain, soil, lags=range(4))
    >>> float(found.lag), float(found.r)
    (2.0, 1.0)
    """
    tried = list(lags)
    _check_search(tried, correction, n_draws if rng is not None else 0)
    answer = partial(
        correlate,
        x,
        dim=dim,
        method=method,
        detrend=detrend,
        min_pairs=min_pairs,
        statistics=(),
    )
    best = _smallest(_of_lags(answer, y, tried), len(tried), correction)
    if correction == "permutation" and rng is not None:
        lowest = best["p_value_single"]
        reached = xr.zeros_like(lowest)
        for _ in range(n_draws):
            drawn = y.isel({dim: rng.permutation(y.sizes[dim])})
            if dim in y.coords:
                drawn = drawn.assign_coords({dim: y[dim]})
            smallest = _of_lags(answer, drawn, tried)["p_value"].min("lag")
            reached = reached + (smallest <= lowest * (1 + 1e-9))
        best["p_value"] = ((reached + 1) / (n_draws + 1)).where(lowest.notnull())
    best["p_value"].attrs["long_name"] = "two-sided p value, corrected for the lags"
    return best


def _check_search(tried: list[int], correction: str, draws: int) -> None:
    """Raise on lags, a correction or draws that cannot be."""
    faults = []
    if not tried or len(set(tried)) < len(tried):
        faults.append(f"lags are {tried}, give each lag once and at least one")
    if correction not in ("bonferroni", "permutation"):
        faults.append(f"unknown correction '{correction}': bonferroni or permutation")
    if correction == "permutation" and draws < 1:
        faults.append(
            "a permutation needs rng=numpy.random.default_rng(seed) and draws"
        )
    if faults:
        message = f"Cannot search the best lag: {'; '.join(faults)}."
        raise InputError(message)


def _of_lags(
    answer: Callable[..., xr.Dataset], y: xr.DataArray, lags: list[int]
) -> xr.Dataset:
    """Return the answers of all lags along a dimension of their own."""
    return xr.concat(
        [answer(y, lag=lag) for lag in lags],
        xr.DataArray(lags, dims="lag", name="lag"),
        combine_attrs="drop_conflicts",
    )


def _smallest(found: xr.Dataset, n_lags: int, correction: str) -> xr.Dataset:
    """Return the answers at the smallest p, and p times the number of lags."""
    p = found["p_value"].fillna(np.inf)
    # Of lags that tie, as p of 0 do, the one of the largest |r| and the first wins.
    strength = abs(found["r"]).where(p == p.min("lag")).fillna(-1.0)
    index = strength.argmax("lag")
    at_best = found.isel(lag=index.compute() if index.chunks else index)
    lag = at_best["lag"].astype(np.float64)
    at_best = at_best.drop_vars("lag")
    answered = at_best["r"].notnull()
    single = at_best["p_value"]
    best = xr.Dataset(
        {
            "lag": lag.drop_vars("lag", errors="ignore").where(answered),
            "r": at_best["r"],
            "p_value": (single * n_lags).clip(max=1.0),
            "p_value_single": single,
            "n": at_best["n"],
        }
    )
    best["lag"].attrs = {"units": "1", "long_name": "lag of the smallest p value"}
    best.attrs = {**found.attrs, "lags_tried": n_lags, "correction": correction}
    return best
