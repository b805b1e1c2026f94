"""Bootstrap intervals of correlations over time, pixel by pixel."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr
from scipy import special

from geosoil.correlation.blocks import Request, answer_block
from geosoil.correlation.chunked import has_pieces
from geosoil.correlation.map_pair import ONE_AT_A_TIME, REASONS, as_float
from geosoil.correlation.resampling import Resampling, block_length, resampling
from geosoil.correlation.series import (
    check_same_place,
    check_same_times,
    on_regular_axis,
    regular_steps,
    time_values,
)
from geosoil.correlation.temporal import FEWEST_PAIRS
from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

BootstrapMethod = Literal["pearson", "spearman"]
Kind = Literal["bca", "percentile"]

INTERVAL_REASONS = (*REASONS, "no_interval")
"""Meaning of the codes 0, 1, 2 ... in ``reason``."""

OK, NO_INTERVAL = 0, len(REASONS)

MOST_CONSTANT = 0.05
"""Largest share of draws without r that leaves an interval."""

STRIP_VALUES = 2**22
"""Correlations of draws that are held at once."""

OUTPUTS: dict[str, Any] = {
    "r": np.float64,
    "r_lower": np.float64,
    "r_upper": np.float64,
    "n": np.int32,
    "reason": np.int8,
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The settings, as they are also written into the attributes."""

    method: BootstrapMethod
    kind: Kind
    n_draws: int
    block: int | Literal["auto"]
    confidence: float
    min_pairs: int


def bootstrap_interval(  # noqa: PLR0913  as many as correlate takes
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    rng: np.random.Generator,
    dim: str = "time",
    method: BootstrapMethod = "pearson",
    n_draws: int = 999,
    block: int | Literal["auto"] = 1,
    confidence: float = 0.95,
    kind: Kind = "bca",
    min_pairs: int = 4,
) -> xr.Dataset:
    """Correlate two rasters over time, with intervals that assume no distribution.

    Parameters
    ----------
    x, y : DataArray with the dims ``dim`` and any others, usually (time, y, x)
        Series on the same grid and the same times; NaN missing. Dask arrays stay
        lazy; they may be chunked in space.
    rng : Generator
        Draws the steps, once and for all pixels.
    dim : str
        Dimension to correlate over.
    method : {"pearson", "spearman"}
        Pearson's r, or Spearman's rho with mid-ranks within each resample.
    n_draws : int
        Resamples.
    block : int or "auto"
        Neighbouring steps that are drawn together; "auto" is the cube root of the
        number of steps, rounded up.
    confidence : float
        Of the interval, above 0 and below 1.
    kind : {"bca", "percentile"}
        Bias-corrected and accelerated, or plain quantiles of the draws.
    min_pairs : int
        Fewest pairs that give an answer, at least 3.

    Returns
    -------
    interval : Dataset without ``dim``
        ``r``, NaN unless ``reason`` is 0 or 5; ``r_lower`` and ``r_upper``, NaN
        unless it is 0; ``n``, the pairs used; ``reason``: 0 ok, 1 few, 2 constant_x,
        3 constant_y, 4 all_missing, 5 no_interval.

    Raises
    ------
    GridMismatchError
        If the inputs lie on different grids.
    InputError
        If the times differ, or a setting cannot be; all faults at once.

    Notes
    -----
    Whole steps are drawn with replacement, so that x and y stay together, and the
    same steps in all pixels, so that the maps stay coherent and do not depend on
    chunks. Steps missing at a pixel drop out of its resamples. A resample that is
    constant in x or y has no r; a pixel where more than 5 % are such has no interval
    (reason 5), nor one where all draws lie to one side of r, which BCa cannot mend.

    BCa takes the quantiles Phi(z0 + (z0 + z) / (1 - a (z0 + z))) of the draws, with
    z = Phi^-1((1 -+ confidence) / 2), z0 = Phi^-1(share of draws below r, ties half),
    a = sum u**3 / (6 (sum u**2)**1.5), u the mean less each r without one block.

    ``block=1`` takes the pairs as independent. Where both series remember their past
    such an interval is too narrow: give a block about as long as the memory. Blocks
    lie on the regular axis, and none spans a gap as if it were not there.

    Short series make intervals too narrow. Measured: of 30 independent normal pairs,
    r = 0.6, 90 % intervals hold r in 87 % (percentile) and 88 % (bca) of cases. Of
    unrelated autoregressive series with lag-1 r of 0.7 they hold 0 in 65 % with
    ``block=1``, and in 82 % (200 steps) or 76 % (60 steps) with "auto". BCa gains
    nothing over plain quantiles there.

    The cost grows with draws, steps and pixels; each worker holds some 100 MB beside
    the series.

    References
    ----------
    Efron (1987), Better bootstrap confidence intervals, Journal of the American
    Statistical Association 82, doi:10.1080/01621459.1987.10478410.
    Künsch (1989), The jackknife and the bootstrap for general stationary
    observations, Annals of Statistics 17, doi:10.1214/aos/1176347265.

    Examples
    --------
    >>> x = xr.DataArray(np.arange(12.0), dims="time")
    >>> y = x + xr.DataArray([0.0, 3, -2, 4, 1, -3, 2, 0, -1, 3, -2, 1], dims="time")
    >>> found = bootstrap_interval(x, y, rng=np.random.default_rng(1))
    >>> [round(float(found[name]), 2) for name in ("r_lower", "r", "r_upper")]
    [0.58, 0.83, 0.93]
    """
    asked = _Asked(method, kind, n_draws, block, confidence, min_pairs)
    _check(x, y, dim, asked)
    length = block_length(x.sizes[dim]) if block == "auto" else block
    places = np.arange(x.sizes[dim])
    if length > 1:
        places = regular_steps(time_values(x, dim), length)
    ready = [on_regular_axis(array, dim, places) for array in (x, y)]
    plan = resampling(ready[0].sizes[dim], length, n_draws=n_draws, rng=rng)
    answers = xr.apply_ufunc(
        _answer,
        *ready,
        input_core_dims=[[dim], [dim]],
        output_core_dims=[[] for _ in OUTPUTS],
        kwargs={"plan": plan, "asked": asked},
        dask="parallelized",
        output_dtypes=list(OUTPUTS.values()),
    )
    kept = {key: c for key, c in x.coords.items() if dim not in c.dims}
    result = xr.Dataset(dict(zip(OUTPUTS, answers, strict=True))).assign_coords(kept)
    pair = f"{x.name or 'x'} and {y.name or 'y'}"
    return _describe(result, pair, {**asdict(asked), "block": length})


def _answer(
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    *,
    plan: Resampling,
    asked: _Asked,
) -> tuple[npt.NDArray[Any], ...]:
    """Answer a block of arrays (..., time), a strip of its pixels at a time."""
    shape = x.shape[:-1]
    request = Request(asked.method, 0, asked.min_pairs, 0, False, (), (), "n", 0, 0.95)
    r, _, n, reason = (a.ravel() for a in answer_block(x, y, request=request))
    series = [np.moveaxis(as_float(a), -1, 0).reshape(a.shape[-1], -1) for a in (x, y)]
    answered = np.flatnonzero(reason == OK)
    ends = np.full((2, r.size), np.nan)
    strip = max(STRIP_VALUES // len(plan.weights), 1)
    for first in range(0, answered.size, strip):
        some = answered[first : first + strip]
        pairs = np.stack([a[:, some].astype(np.float64) for a in series])
        ends[:, some] = _interval(pairs, plan, asked)
    reason[(reason == OK) & np.isnan(ends).any(axis=0)] = NO_INTERVAL
    planes = (r, ends[0], ends[1], n, reason)
    return tuple(plane.reshape(shape) for plane in planes)


def _interval(pairs: FloatArray, plan: Resampling, asked: _Asked) -> FloatArray:
    """Return the ends (2, pixels) of the intervals of pairs (2, time, pixels)."""
    from geosoil.correlation import _kernels_bootstrap as kernels  # noqa: PLC0415

    found = np.empty((pairs.shape[2], len(plan.weights)))
    with ONE_AT_A_TIME:
        if asked.method == "pearson":
            kernels.pearson_resampled(pairs[0], pairs[1], plan.weights, found)
        else:
            kernels.spearman_resampled(pairs[0], pairs[1], plan.weights, found)
    draws, whole, jackknife = np.split(found, [plan.n_draws, plan.n_draws + 1], axis=1)
    open_ = np.isnan(draws).mean(axis=1) > MOST_CONSTANT
    tails = (1 + asked.confidence * np.array([[-1.0], [1.0]])) / 2
    levels = np.broadcast_to(tails, (2, len(draws)))
    if asked.kind == "bca":
        valid = np.isfinite(pairs[0]) & np.isfinite(pairs[1])
        starts = np.arange(0, len(valid), plan.block)
        counted = np.add.reduceat(valid, starts, axis=0).T > 0
        levels = _corrected(tails, draws, whole, _acceleration(jackknife, counted))
    levels = np.where(open_, np.nan, levels)
    with ONE_AT_A_TIME:
        return kernels.quantiles(np.ascontiguousarray(draws), levels)


def _acceleration(jackknife: FloatArray, counted: BoolArray) -> FloatArray:
    """Return a of (pixels, blocks), blocks without a pair of the pixel left out."""
    known = np.where(counted, jackknife, 0.0)
    mean = known.sum(axis=1, keepdims=True) / counted.sum(axis=1, keepdims=True)
    u = np.where(counted, mean - known, 0.0)
    squares = np.sum(u**2, axis=1)
    flat = squares == 0
    return np.asarray(np.sum(u**3, axis=1) / (6 * np.where(flat, 1.0, squares) ** 1.5))


def _corrected(
    tails: FloatArray, draws: FloatArray, whole: FloatArray, acceleration: FloatArray
) -> FloatArray:
    """Return the levels (2, pixels) of BCa; NaN where there are none."""
    answered = np.maximum(np.sum(~np.isnan(draws), axis=1), 1)
    below = np.sum(draws < whole, axis=1) + np.sum(draws <= whole, axis=1)
    bias = special.ndtri(below / (2 * answered))
    beyond = np.isinf(bias)
    shifted = np.where(beyond, 0.0, bias) + special.ndtri(tails)
    share = 1 - acceleration * shifted
    levels = special.ndtr(bias + shifted / np.where(share > 0, share, 1.0))
    return np.asarray(np.where(beyond | ~(share > 0), np.nan, levels))


def _check(x: xr.DataArray, y: xr.DataArray, dim: str, asked: _Asked) -> None:
    """Raise on settings that cannot be, all at once; then on times and grids."""
    faults = [
        f"unknown {name} '{given}', known are: {', '.join(get_args(known))}"
        for name, given, known in (
            ("method", asked.method, BootstrapMethod),
            ("kind", asked.kind, Kind),
        )
        if given not in get_args(known)
    ]
    faults += _unfit(asked)
    faults += [
        f"{role} '{array.name}' has dims {array.dims}, no '{dim}'"
        for role, array in (("x", x), ("y", y))
        if dim not in array.dims
    ]
    if not faults:
        faults = _unfit_axis(x, y, dim, asked)
    if faults:
        message = f"Cannot make bootstrap intervals: {'; '.join(faults)}."
        raise InputError(message)
    check_same_times(x, y, dim)
    check_same_place(x, y, dim)


def _unfit(asked: _Asked) -> list[str]:
    """Name numbers that cannot be."""
    confidence, n_draws = asked.confidence, asked.n_draws
    faults = []
    if asked.min_pairs < FEWEST_PAIRS:
        faults.append(f"min_pairs is {asked.min_pairs}, the fewest that can be is 3")
    if not 0 < confidence < 1:
        faults.append(f"confidence is {confidence}, not between 0 and 1")
    elif n_draws * (1 - confidence) < 2:
        needed = int(np.ceil(2 / (1 - confidence)))
        faults.append(
            f"n_draws is {n_draws}, and confidence {confidence} needs {needed} or more "
            "for a draw in each tail"
        )
    return faults


def _unfit_axis(x: xr.DataArray, y: xr.DataArray, dim: str, asked: _Asked) -> list[str]:
    """Say when the axis has too few steps or the wrong chunks."""
    steps, block = min(a.sizes[dim] for a in (x, y)), asked.block
    faults = []
    if steps < asked.min_pairs:
        faults.append(
            f"{steps} steps of '{dim}' are fewer than min_pairs = "
            f"{asked.min_pairs}; give a longer series"
        )
    if block != "auto" and not (
        isinstance(block, int | np.integer) and 1 <= block <= max(steps // 2, 1)
    ):
        faults.append(
            f"block is {block!r}, with {steps} steps give 'auto' or a whole number "
            f"from 1 to {max(steps // 2, 1)}"
        )
    if has_pieces([x, y], dim):
        faults.append(
            f"the series lie in several chunks of '{dim}' and are drawn whole: use "
            f".chunk({{'{dim}': -1}}) and smaller chunks in space"
        )
    return faults


def _describe(result: xr.Dataset, pair: str, settings: dict[str, Any]) -> xr.Dataset:
    """Write what each variable is and how it was made."""
    words = {
        "r": "correlation coefficient",
        "r_lower": "lower end of the bootstrap interval of r",
        "r_upper": "upper end of the bootstrap interval of r",
        "n": "pairs used",
    }
    for name, long_name in words.items():
        result[name].attrs = {"units": "1", "long_name": f"{long_name}, {pair}"}
        result[name].attrs.update(settings)
    result["reason"].attrs = {
        "long_name": f"why there is no r, or no interval, {pair}",
        "flag_values": np.arange(len(INTERVAL_REASONS), dtype=np.int8),
        "flag_meanings": " ".join(INTERVAL_REASONS),
    }
    result.attrs = dict(settings)
    return result
