"""Every statistic of one block of pixels: which kernels run, and in what order."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from geosoil.correlation.effective import effective_of_pixels, effective_p
from geosoil.correlation.intervals import fisher_interval, fisher_widths
from geosoil.correlation.map_pair import ONE_AT_A_TIME, as_float
from geosoil.correlation.plain import Answer
from geosoil.correlation.plain import pearson as plain_pearson
from geosoil.correlation.significance import student_p
from geosoil.correlation.small_sample import (
    MOST_SPEARMAN,
    kendall_table,
    spearman_exact_p,
)
from geosoil.correlation.threads import in_parts

Method = Literal["pearson", "spearman", "kendall"]
PairsTested = Literal["n", "n_effective", "exact"]
FloatArray = npt.NDArray[np.float64]
Cube = npt.NDArray[np.floating[Any]]
Planes = dict[str, npt.NDArray[Any]]

SMALL = 10**6
"""Values below which numpy is done before a compiler would be loaded."""

COLUMNS = 2**14
"""Pixels that are held at once where series must be copied."""

SLAB = 2**17
"""Pixels of the answers that are held twice at once."""

FIXED = {"r": np.float64, "p_value": np.float64, "n": np.int32, "reason": np.int8}
"""What is always answered, and its dtype."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of a block."""

    method: Method
    """Kind of correlation."""
    lag: int
    """Steps by which y follows x."""
    min_pairs: int
    """Fewest pairs beside the controls."""
    controls: int
    """Series held fixed."""
    weighted: bool
    """Whether the last series is of weights."""
    times: tuple[float, ...]
    """Times of the steps to detrend by; empty: no detrending."""
    statistics: tuple[str, ...]
    """What is asked beside r, p_value, n and reason."""
    p_from: PairsTested
    """Where p and the interval come from."""
    longest_lag: int
    """Longest lag of the effective number of pairs; 0 is the lag-1 formula."""
    confidence: float
    """Of the interval."""

    @property
    def held(self) -> int:
        """Degrees of freedom that controls and trend take."""
        return self.controls + bool(self.times)

    @property
    def outputs(self) -> dict[str, Any]:
        """Names and dtypes of the planes, in order."""
        return {**FIXED, **dict.fromkeys(self.statistics, np.float64)}

    @property
    def careful(self) -> bool:
        """Whether series must be copied: controls, weights or a trend."""
        return self.held > 0 or self.weighted


def answer_block(
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    *others: npt.NDArray[Any],
    request: Request,
) -> tuple[npt.NDArray[Any], ...]:
    """Answer a block of arrays (..., time), controls and weights last.

    Parameters
    ----------
    x, y : array, shape (..., time)
        The series.
    *others : array that broadcasts with x
        Controls, then weights, at the steps of x.
    request : Request
        What to answer.

    Returns
    -------
    planes : tuple of arrays, shape (...)
        In the order of ``request.outputs``.

    Examples
    --------
    >>> asked = Request("pearson", 0, 4, 0, False, (), (), "n", 0, 0.95)
    >>> x = np.array([1.0, 2.0, 3.0, 4.0])
    >>> [plane.item() for plane in answer_block(x, x, request=asked)]
    [1.0, 0.0, 4, 0]
    """
    shape = x.shape[:-1]
    steps = x.shape[-1] - abs(request.lag)
    ahead, behind = max(-request.lag, 0), max(request.lag, 0)
    first = _time_first(x)[ahead : ahead + steps]
    second = _time_first(y)[behind : behind + steps]
    if first.dtype != second.dtype:
        first, second = first.astype(np.float64), second.astype(np.float64)
    if request.careful:
        moved = [np.moveaxis(np.broadcast_to(a, x.shape), -1, 0) for a in others]
        rest = [a[ahead : ahead + steps].reshape(steps, -1) for a in moved]
        times = np.asarray(request.times[ahead : ahead + steps])
        planes = _in_columns([first, second, *rest], times, request)
    else:
        planes = _straight(first, second, request)
    return tuple(planes[name].reshape(shape) for name in request.outputs)


def _time_first(values: npt.NDArray[Any]) -> Cube:
    """Return (time, pixels) of (..., time): a raster's own order in memory."""
    moved = np.moveaxis(as_float(values), -1, 0)
    return np.ascontiguousarray(moved).reshape(len(moved), -1)


def _in_columns(series: list[Cube], times: FloatArray, request: Request) -> Planes:
    """Answer a few pixels at a time, so that copies of the series stay small."""
    pixels = series[0].shape[1]
    parts = [
        _careful(
            np.stack([a[:, k : k + COLUMNS] for a in series]).astype(np.float64),
            times,
            request,
        )
        for k in range(0, max(pixels, 1), COLUMNS)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _straight(x: Cube, y: Cube, request: Request) -> Planes:
    """Answer two series as they lie in memory."""
    lined = bool({"slope", "intercept"} & set(request.statistics))
    if request.method == "pearson":
        planes = _pearson(x, y, request)
    else:
        planes = _ranked(x, y, request)
        if lined:
            line = _pearson(x, y, request)
            planes.update(slope=line["slope"], intercept=line["intercept"])
    _finish(planes, x, y, request)
    return planes


def load_kernels() -> None:
    """Load the compiled kernels, so that small cubes are left to them as well.

    Notes
    -----
    Numpy and the kernels differ in the last digits. Work whose results must not depend
    on what was computed before it in the same process loads the kernels first.

    Examples
    --------
    >>> load_kernels()
    """
    from geosoil.correlation import _kernels  # noqa: F401, PLC0415  numba


def _pearson(x: Cube, y: Cube, request: Request) -> Planes:
    """Pearson's r with its line; by numpy where a compiler would take longer."""
    lined = bool(set(request.statistics) - {"n_effective", "theil_sen_slope"})
    widths = fisher_widths(len(x), confidence=request.confidence) if lined else None
    loaded = "geosoil.correlation._kernels" in sys.modules
    if x.size < SMALL and not loaded:
        r, p, n, reason, line = plain_pearson(x, y, request.min_pairs, widths)
    else:
        r, p, n, reason, line = _compiled_pearson(x, y, request.min_pairs, widths)
    planes: Planes = {"r": r, "p_value": p, "n": n, "reason": reason}
    if lined:
        planes.update(
            zip(("slope", "intercept", "r_lower", "r_upper"), line, strict=True)
        )
    return planes


def _compiled_pearson(
    x: Cube, y: Cube, min_pairs: int, widths: FloatArray | None
) -> Answer:
    """Pearson's r, p, n, reason and line of many pixels at once."""
    # numba loads slowly.
    from geosoil._compiled import THREADS  # noqa: PLC0415
    from geosoil.correlation import _kernels, _kernels_student  # noqa: PLC0415

    found = _kernels.unanswered(x.shape[1], lined=widths is not None)
    table = np.empty(0) if widths is None else widths
    terms = _kernels_student.series(len(x))

    def answer(start: int, stop: int) -> None:
        _kernels.pearson(x, y, (start, stop), min_pairs, table, found)
        part = slice(start, stop)
        r, p, n = found.r[part], found.p[part], found.n[part]
        _kernels_student.student_p(r, n, 2, terms, p)

    with ONE_AT_A_TIME:
        in_parts(answer, found.r.size, THREADS)
    return found


def _ranked(x: Cube, y: Cube, request: Request) -> Planes:
    """Rank correlation of two series, trend already taken out."""
    from geosoil.correlation import _kernels_rank  # noqa: PLC0415  numba is slow

    with ONE_AT_A_TIME:
        if request.method == "kendall":
            found = _kernels_rank.kendall(x, y, request.min_pairs, kendall_table())
            return found._asdict()
        found = _kernels_rank.spearman(x, y, request.min_pairs)
    planes: Planes = found._asdict()
    planes["p_value"] = student_p(found.r, found.n, len(x), request.held)
    if request.p_from == "exact":
        _exact_spearman(planes, x, y)
    return planes


def _exact_spearman(planes: Planes, x: Cube, y: Cube) -> None:
    """Replace p where the pairs are few and none of them tied."""
    few = np.flatnonzero((planes["n"] <= MOST_SPEARMAN) & (planes["reason"] == 0))
    valid = np.isfinite(x[:, few]) & np.isfinite(y[:, few])
    tied = np.zeros(few.size, dtype=bool)
    for values in (x[:, few], y[:, few]):
        ordered = np.sort(np.where(valid, values, np.nan), axis=0)
        tied |= (np.diff(ordered, axis=0) == 0).any(axis=0)
    few = few[~tied]
    for n in np.unique(planes["n"][few]):
        those = few[planes["n"][few] == n]
        planes["p_value"][those] = spearman_exact_p(planes["r"][those], int(n))


def _careful(series: FloatArray, times: FloatArray, request: Request) -> Planes:
    """Answer (variable, time, pixels) with controls, weights or a trend."""
    from geosoil.correlation import _kernels_partial  # noqa: PLC0415  numba is slow

    used = series[: 2 + request.controls]
    weights = np.ascontiguousarray(series[-1]) if request.weighted else np.empty((0, 0))
    fewest = request.min_pairs + request.held
    ordered = np.ascontiguousarray(np.concatenate([used[2:], used[:2]]))
    with ONE_AT_A_TIME:
        plain = _kernels_partial.partial(ordered, weights, times, fewest)
    x, y = used[0], used[1]
    if times.size and request.method == "pearson":
        x, y = _without_trend(used[:2], times)
    if request.method == "pearson":
        r, n, reason, line = plain
    else:
        freed = _without_trend(used, times) if times.size else used
        x, y = freed[0], freed[1]
        if request.method == "kendall":
            planes = _ranked(x, y, replace(request, min_pairs=fewest))
            r, n, reason, line = planes["r"], planes["n"], planes["reason"], plain.line
        else:
            r, n, reason, _ = _partial_ranks(freed, fewest)
            line = plain.line
    if request.method != "kendall":
        planes = {"p_value": student_p(r, n, len(x), request.held)}
    planes.update(r=r, n=n, reason=reason, slope=line[0], intercept=line[1])
    _finish(planes, np.ascontiguousarray(x), np.ascontiguousarray(y), request)
    return planes


def _partial_ranks(series: FloatArray, fewest: int) -> Any:  # noqa: ANN401
    """Partial correlation of the mid-ranks of the steps where all is finite."""
    from geosoil.correlation import _kernels_partial, _kernels_rank  # noqa: PLC0415

    valid = np.asarray(np.isfinite(series).all(axis=0))
    with ONE_AT_A_TIME:
        ranked = [_kernels_rank.ranks(a, valid) for a in [*series[2:], *series[:2]]]
        return _kernels_partial.partial(
            np.stack(ranked), np.empty((0, 0)), np.empty(0), fewest
        )


def _without_trend(series: FloatArray, times: FloatArray) -> FloatArray:
    """Return departures from each series' line over time, steps with all finite."""
    valid = np.isfinite(series).all(axis=0)
    n = np.maximum(valid.sum(axis=0), 1)
    t = np.where(valid, times[:, None], 0.0)
    t = np.where(valid, t - t.sum(axis=0) / n, 0.0)
    tt = (t * t).sum(axis=0)
    left = np.where(valid, series, 0.0)
    left = np.where(valid, left - left.sum(axis=1)[:, None] / n, 0.0)
    slope = (left * t).sum(axis=1) / np.where(tt > 0, tt, 1.0)
    rest = left - slope[:, None] * t
    # A line exactly leaves rounding behind, which is no signal.
    scale = np.abs(left).max(axis=1)[:, None] * len(times) * np.finfo(float).eps
    rest = np.where((np.abs(rest) <= scale).all(axis=1)[:, None], 0.0, rest)
    return np.where(valid, rest, np.nan)


def _finish(planes: Planes, x: Cube, y: Cube, request: Request) -> None:
    """Add effective pairs, median slope, and p and interval that rest on them."""
    asked = set(request.statistics)
    if "n_effective" in asked or request.p_from == "n_effective":
        planes["n_effective"] = effective_of_pixels(
            x, y, longest_lag=request.longest_lag
        )
        planes["n_effective"][planes["reason"] != 0] = np.nan
    if "theil_sen_slope" in asked:
        from geosoil.correlation import _kernels_slope  # noqa: PLC0415

        with ONE_AT_A_TIME:
            planes["theil_sen_slope"] = _kernels_slope.theil_sen(x, y)
        planes["theil_sen_slope"][planes["reason"] != 0] = np.nan
    interval = bool({"r_lower", "r_upper"} & asked)
    if request.p_from == "n_effective":
        _test_effective(planes, request, interval=interval)
    elif interval and "r_lower" not in planes:
        _fill_interval(planes, planes["n"], request)


def _test_effective(planes: Planes, request: Request, *, interval: bool) -> None:
    """Take p and interval from the effective number of pairs."""
    pairs = planes["n_effective"]
    for k in range(0, pairs.size, SLAB):
        part = slice(k, k + SLAB)
        planes["p_value"][part] = effective_p(
            planes["r"][part], pairs[part] - request.held
        )
    if interval:
        _fill_interval(planes, pairs, request)


def _fill_interval(planes: Planes, pairs: npt.NDArray[Any], request: Request) -> None:
    """Write the ends of the interval, a slab at a time."""
    planes["r_lower"] = np.empty(pairs.size)
    planes["r_upper"] = np.empty(pairs.size)
    for k in range(0, pairs.size, SLAB):
        part = slice(k, k + SLAB)
        planes["r_lower"][part], planes["r_upper"][part] = fisher_interval(
            planes["r"][part],
            pairs[part],
            method=request.method,
            controls=request.held,
            confidence=request.confidence,
        )
