"""Correlation over time, pixel by pixel, with p value, number of pairs and reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
import xarray as xr

from geosoil.correlation.blocks import Method, PairsTested, Request, answer_block
from geosoil.correlation.chunked import answer_pieces, has_pieces
from geosoil.correlation.effective import FORMULAS, Formula, longest_lag
from geosoil.correlation.map_pair import REASONS
from geosoil.correlation.series import (
    check_same_place,
    check_same_times,
    on_regular_axis,
    regular_steps,
    time_values,
)
from geosoil.errors import InputError
from geosoil.variables import variable

METHODS: tuple[Method, ...] = get_args(Method)

Statistic = Literal[
    "n_effective", "slope", "intercept", "theil_sen_slope", "r_lower", "r_upper"
]
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
"""What can be asked beside r, p_value, n and reason."""

STANDARD: tuple[Statistic, ...] = (
    "n_effective",
    "slope",
    "intercept",
    "r_lower",
    "r_upper",
)
"""What is answered unless asked otherwise: all but the costly median slope."""

FEWEST_PAIRS = 3
"""Two pairs always lie on a line: their r is 1 and says nothing."""

_WORDS = {
    "n_effective": "effective number of pairs",
    "slope": "least-squares slope of y on x",
    "intercept": "least-squares intercept of y on x",
    "theil_sen_slope": "median slope of y on x (Theil and Sen)",
    "r_lower": "lower end of the confidence interval of r",
    "r_upper": "upper end of the confidence interval of r",
}


@dataclass(frozen=True, slots=True)
class Significance:
    """How p and the confidence interval are found.

    Examples
    --------
    >>> Significance(p_from="n_effective").formula
    'lag1'
    """

    p_from: PairsTested = "n"
    """``"n"``: pairs as independent (Student's t; Kendall's tau exact for 33 untied
    pairs or fewer, else by the normal); ``"n_effective"``: the effective number;
    ``"exact"``: all orders of up to 9 untied pairs for Spearman's rho, else as n."""
    formula: Formula = "lag1"
    """Of the effective number: ``"lag1"`` or ``"full"``."""
    confidence: float = 0.95
    """Of the interval."""


def correlate(  # noqa: PLR0913  the face of the room
    x: xr.DataArray,
    y: xr.DataArray,
    *,
    dim: str = "time",
    method: Method = "pearson",
    controls: xr.DataArray | Sequence[xr.DataArray] | None = None,
    weights: xr.DataArray | None = None,
    lag: int = 0,
    detrend: bool = False,
    min_pairs: int = 4,
    statistics: Sequence[Statistic] = STANDARD,
    significance: Significance = Significance(),
) -> xr.Dataset:
    """Correlate two rasters over time, pixel by pixel.

    Parameters
    ----------
    x, y : DataArray with the dims ``dim`` and any others, usually (time, y, x)
        Series on the same grid and the same times; NaN missing. Dask arrays stay
        lazy and may be chunked in space; for Pearson's r they may be chunked in time
        too, all else asks for one chunk of time.
    dim : str
        Dimension to correlate over.
    method : {"pearson", "spearman", "kendall"}
        Kind of correlation: Pearson's r, Spearman's rho (mid-ranks of the complete
        pairs), Kendall's tau-b.
    controls : DataArray or several, optional
        Series held fixed (partial correlation; Pearson and Spearman), with ``dim``
        and any dims of x, at the steps of x.
    weights : DataArray, optional
        Weights of the steps, with ``dim`` and any dims of x (Pearson). A step counts
        where its weight is above 0.
    lag : int
        Steps by which y follows x: r of x[t] and y[t + lag]. Negative: y leads.
    detrend : bool
        Hold time itself fixed: both series lose their line over the pairs' times.
    min_pairs : int
        Fewest pairs, beside the number of controls, that give an answer, at least 3.
        Three pairs need |r| > 0.997 to be significant at 5 %, so three are answered
        only if asked for.
    statistics : sequence of str
        What to answer beside r, p_value, n and reason: any of "n_effective", "slope",
        "intercept", "r_lower", "r_upper" (the default, two to four times the cost of
        ``()``) and "theil_sen_slope", whose cost grows with the square of the steps.
    significance : Significance
        How p and the interval are found.

    Returns
    -------
    correlation : Dataset without ``dim``
        ``r`` and ``p_value`` (two-sided), NaN unless ``reason`` is 0; ``n``, the
        pairs used; the statistics asked for; ``reason``: 0 ok, 1 few, 2 constant_x,
        3 constant_y, 4 all_missing. A series that its controls explain to the last
        digit is constant.

    Raises
    ------
    GridMismatchError
        If the inputs lie on different grids.
    InputError
        If the times differ, or a setting cannot be; all faults at once.

    Notes
    -----
    Over the n pairs where both are finite,
    r = sum(dx dy) / sqrt(sum(dx**2) sum(dy**2)), with dx, dy the departures from
    the means of these pairs, in float64 whatever the input. A series is constant when
    its smallest valid value equals its largest one. With k controls (time counts as
    one) r is of the residuals, Student's t has n - 2 - k degrees of freedom, and slope
    and intercept are those of the regression of y on x and the controls. Weights w
    put w dx dy for dx dy; t keeps n - 2 degrees of freedom, as in weighted least
    squares. Slopes are of the values for rank methods too. Kendall's p does not know
    of detrending.

    p takes the pairs as independent unless ``significance`` says otherwise. Lags and
    n_effective count steps on the regular axis: dates left out are gaps that no pair
    of neighbours spans (see :func:`~geosoil.correlation.effective.effective_pairs`).
    Maps of p want a false discovery rate
    (:func:`~geosoil.correlation.field_significance.field_significance`).

    References
    ----------
    Kendall (1945), The treatment of ties in ranking problems, Biometrika 33,
    doi:10.1093/biomet/33.3.239.

    Examples
    --------
    >>> x = xr.DataArray([1.0, 2.0, 3.0, 4.0, np.nan], dims="time")
    >>> y = xr.DataArray([2.0, 1.0, 4.0, 3.0, 9.0], dims="time")
    >>> answer = correlate(x, y)
    >>> round(float(answer.r), 3), round(float(answer.p_value), 3), int(answer.n)
    (0.6, 0.4, 4)
    >>> round(float(correlate(x, y, method="kendall").r), 3)
    0.333
    """
    others = _others(controls, weights)
    request = Request(
        method=method,
        lag=lag,
        min_pairs=min_pairs,
        controls=len(others) - (weights is not None),
        weighted=weights is not None,
        times=(0.0,) if detrend else (),
        statistics=tuple(name for name in STATISTICS if name in statistics),
        p_from=significance.p_from,
        longest_lag=0,
        confidence=significance.confidence,
    )
    _check(x, y, others, dim, request, (tuple(statistics), significance))
    ready, request = _on_axis([x, y, *others], dim, request, significance)
    if has_pieces(ready[:2], dim):
        result = answer_pieces(ready[0], ready[1], dim, request)
    else:
        answers = xr.apply_ufunc(
            answer_block,
            *ready,
            input_core_dims=[[dim] for _ in ready],
            output_core_dims=[[] for _ in request.outputs],
            kwargs={"request": request},
            dask="parallelized",
            output_dtypes=list(request.outputs.values()),
        )
        result = xr.Dataset(dict(zip(request.outputs, answers, strict=True)))
    # The coordinates were found equal within a millionth of a cell.
    kept = {key: c for key, c in x.coords.items() if dim not in c.dims}
    return _describe(result.assign_coords(kept), x, y, request)


def _others(
    controls: xr.DataArray | Sequence[xr.DataArray] | None,
    weights: xr.DataArray | None,
) -> list[xr.DataArray]:
    """Return controls and weights in one list."""
    held = [controls] if isinstance(controls, xr.DataArray) else list(controls or ())
    return held if weights is None else [*held, weights]


def _on_axis(
    series: list[xr.DataArray], dim: str, request: Request, significance: Significance
) -> tuple[list[xr.DataArray], Request]:
    """Put all series on the regular axis and settle what depends on it."""
    values = time_values(series[0], dim)
    longest = longest_lag(values.size, significance.formula)
    # Only lags and neighbours care where a step is missing.
    neighbours = "n_effective" in request.outputs or request.p_from == "n_effective"
    farthest = max(abs(request.lag), longest or 1 if neighbours else 0)
    places = np.arange(values.size)
    if farthest:
        places = regular_steps(values, farthest)
    times: tuple[float, ...] = ()
    if request.times:
        times = tuple(np.interp(np.arange(places[-1] + 1), places, values).tolist())
    settled = replace(request, longest_lag=longest, times=times)
    return [on_regular_axis(array, dim, places) for array in series], settled


def _check(
    x: xr.DataArray,
    y: xr.DataArray,
    others: list[xr.DataArray],
    dim: str,
    request: Request,
    asked: tuple[tuple[str, ...], Significance],
) -> None:
    """Raise on settings that cannot be, all at once; then on times and grids."""
    faults = [
        *_unknown(request, *asked),
        *_unfit(request),
        *(
            f"{role} '{array.name}' has dims {array.dims}, no '{dim}'"
            for role, array in [("x", x), ("y", y), *(("control", o) for o in others)]
            if dim not in array.dims
        ),
        *(
            f"control or weight '{array.name}' has dims {sorted(extra)} that x has not"
            for array in others
            if (extra := {str(d) for d in array.dims} - {str(d) for d in x.dims})
        ),
    ]
    if not faults:
        faults += _too_short((x, y), dim, request) + _in_pieces(
            [x, y, *others], dim, request
        )
    if not faults and request.weighted and others[-1].chunks is None:
        lowest = float(others[-1].min())
        faults += [f"the lowest weight is {lowest}, the rule is 0 or above"] * (
            lowest < 0
        )
    if faults:
        message = f"Cannot correlate: {'; '.join(faults)}."
        raise InputError(message)
    check_same_times(x, y, dim)
    check_same_place(x, y, dim)
    for array in others:
        check_same_times(x, array, dim)
        here = {d: 0 for d in x.dims if d not in array.dims}
        check_same_place(x.isel(here, drop=True), array, dim)


def _unknown(
    request: Request, statistics: tuple[str, ...], significance: Significance
) -> list[str]:
    """Name settings that are not among the known ones."""
    choices = [
        ("method", request.method, METHODS),
        ("p_from", request.p_from, get_args(PairsTested)),
        ("formula", significance.formula, FORMULAS),
        *(("statistic", name, STATISTICS) for name in statistics),
    ]
    faults = [
        f"unknown {what} '{given}', known are: {', '.join(known)}"
        for what, given, known in choices
        if given not in known
    ]
    if not 0 < significance.confidence < 1:
        faults.append(f"confidence is {significance.confidence}, not between 0 and 1")
    return faults


def _unfit(request: Request) -> list[str]:
    """Name settings that do not go together."""
    faults = []
    if request.min_pairs < FEWEST_PAIRS:
        faults.append(f"min_pairs is {request.min_pairs}, the fewest that can be is 3")
    if request.controls and request.method == "kendall":
        faults.append("Kendall's tau takes no controls; use pearson or spearman")
    if request.weighted and request.method != "pearson":
        faults.append(f"method '{request.method}' takes no weights; use pearson")
    if request.p_from == "exact" and (request.method == "pearson" or request.careful):
        faults.append(
            "an exact p is known for plain Spearman and Kendall; use p_from='n'"
        )
    return faults


def _too_short(
    arrays: tuple[xr.DataArray, xr.DataArray], dim: str, request: Request
) -> list[str]:
    """Say when the axis leaves fewer pairs than an answer takes."""
    steps = min(array.sizes[dim] for array in arrays)
    left = max(steps - abs(request.lag), 0)
    needed = request.min_pairs + request.held
    if left >= needed:
        return []
    beside = f" and {request.held} held fixed" if request.held else ""
    return [
        f"{steps} steps of '{dim}' with lag {request.lag} leave {left} "
        f"pairs, fewer than min_pairs = {request.min_pairs}{beside}: a correlation "
        "over time is not testable (three pairs are significant at 5 % only above "
        "|r| = 0.997). Give a longer series (daily or 8-day steps, more years), "
        "correlate over space (window_correlation, weighted_correlation), or force "
        "three pairs with min_pairs=3"
    ]


def _in_pieces(series: list[xr.DataArray], dim: str, request: Request) -> list[str]:
    """Ask for one chunk of time where co-moments are not enough."""
    simple = (
        request.method == "pearson"
        and not request.careful
        and request.p_from == "n"
        and "theil_sen_slope" not in request.statistics
    )
    if simple or not has_pieces(series, dim):
        return []
    return [
        f"the series lie in several chunks of '{dim}', and only Pearson's plain r is "
        f"merged from pieces; ranks, controls, weights, trends and median slopes need "
        f"whole series: use .chunk({{'{dim}': -1}}) and smaller chunks in space"
    ]


def _describe(
    result: xr.Dataset, x: xr.DataArray, y: xr.DataArray, request: Request
) -> xr.Dataset:
    """Write what each variable is and how it was made."""
    pair = f"{x.name or 'x'} and {y.name or 'y'}"
    settings: dict[str, str | int] = {
        "method": request.method,
        "lag": request.lag,
        "min_pairs": request.min_pairs,
    }
    if request.controls:
        settings["controls"] = request.controls
    if request.weighted:
        settings["weights"] = "given"
    if request.times:
        settings["detrended"] = "linear"
    if request.p_from != "n":
        settings["p_from"] = request.p_from
    for name in (key for key in request.outputs if key != "reason"):
        words = _WORDS.get(name) or variable(name).long_name
        slope = name in ("slope", "intercept", "theil_sen_slope")
        units = "1" if not slope else _slope_units(x, y, name)
        result[name].attrs = {
            "units": units,
            "long_name": f"{words}, {pair}",
            **settings,
        }
    for name in {"r_lower", "r_upper"} & set(request.outputs):
        result[name].attrs["confidence"] = request.confidence
    result["reason"].attrs = {
        "long_name": f"why there is no r, {pair}",
        "flag_values": np.arange(len(REASONS), dtype=np.int8),
        "flag_meanings": " ".join(REASONS),
    }
    result.attrs = dict(settings)
    return result


def _slope_units(x: xr.DataArray, y: xr.DataArray, name: str) -> str:
    """Return the units of y, or of y by x."""
    of_y, of_x = (str(array.attrs.get("units", "1")) for array in (y, x))
    return of_y if name == "intercept" or of_x == "1" else f"({of_y}) / ({of_x})"
