"""All source fractions on a grid that explain a mixture within a tolerance."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers import _kernels_isosource
from geosoil.tracers.draws import QUANTILES
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.tolerance_box import (
    BoxedMixtures,
    boxed_mixtures,
    tolerances,
    too_narrow,
    widening,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

MOST_COMBINATIONS = 1_000_000_000
"""Most combinations of one mixture that are gone through."""


def isosource(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    tolerance: float | Sequence[float],
    increment: float = 0.01,
) -> pd.DataFrame:
    """Find the range of fractions where there are more sources than tracers tell.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with the tracers, the columns of ``end_members.by`` and
        optionally ``<source>_allowed``.
    end_members : EndMembers
        Sources, of any number.
    tracers : sequence of str
        Tracers to use.
    tolerance : float or sequence of float
        Largest distance of a mixed water from the mixture, inclusive; one for all
        tracers, or one each [units of the tracer].
    increment : float
        Step of the fractions; 1 is a whole number of steps.

    Returns
    -------
    fractions : DataFrame
        One row a mixture and source: ``mixture`` (index label), ``source``;
        ``n_feasible`` of ``n_combinations``; ``min``, ``max``, ``mean``, ``sd``
        (divisor n) and quantiles ``q05`` to ``q95`` of the fraction over the feasible
        combinations; ``reason``. Without a feasible combination the numbers are NaN,
        and the reason names the smallest tolerance, in the same proportions, that
        has one.

    Raises
    ------
    InputError
        If there are too many combinations, or a column, the tolerance or the
        increment is not as it should be.
    MixingError
        If sources carry their tracers in unlike concentrations.

    Notes
    -----
    All f = i increment with sum f = 1 count where |S'f - m| <= tolerance; of
    K sources and N steps there are C(N + K - 1, K - 1) combinations. They are counted
    without being listed: the last two sources share what the others leave, and the
    residuals are linear in their shares. A quantile is the smallest fraction that at
    least this part of the combinations does not exceed. The spread over combinations
    is what the tracers leave open, and no probability; see
    `geosoil.tracers.fraction_bounds.fraction_bounds` for the exact range.

    References
    ----------
    Phillips and Gregg (2003), Oecologia 136, 261-269, doi:10.1007/s00442-003-1218-3.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice", "snow"], "Cl": [1.0, 9.0, 5.0]}))
    >>> found = isosource(pd.DataFrame({"Cl": [5.0]}), ends, tracers=["Cl"],
    ...                   tolerance=0.01, increment=0.1)
    >>> found[["source", "n_feasible", "min", "max"]].values.tolist()
    [['rain', 6, 0.0, 0.5], ['ice', 6, 0.0, 0.5], ['snow', 6, 0.0, 1.0]]
    """
    steps = _steps(increment)
    limits = tolerances(tolerance, tracers)
    boxes, reasons = boxed_mixtures(mixtures, end_members, tracers)
    _check_count(boxes, end_members.sources, steps)
    n, n_sources = len(mixtures), len(end_members.sources)
    counts = np.zeros((n, n_sources, steps + 1), dtype=np.intp)
    combinations = np.zeros(n, dtype=np.intp)
    for box in boxes:
        combinations[box.rows] = comb(steps + len(box.places) - 1, len(box.places) - 1)
        held, words = _count_box(box, steps, limits, list(tracers))
        reasons[box.rows] = words
        # A source that takes no part has fraction 0 in every combination.
        counts[box.rows, :, 0] = held[:, 0].sum(axis=1)[:, None]
        counts[np.ix_(box.rows, box.places)] = held
    labels = {
        "mixture": np.repeat(mixtures.index.to_numpy(), n_sources),
        "source": list(end_members.sources) * n,
    }
    numbers = _describe(counts.reshape(n * n_sources, steps + 1))
    numbers["n_combinations"] = np.repeat(combinations, n_sources)
    order = ["n_feasible", "n_combinations", *list(numbers)[1:-1]]
    table = pd.DataFrame({**labels, **{name: numbers[name] for name in order}})
    return table.assign(reason=np.repeat(reasons, n_sources))


def _steps(increment: float) -> int:
    if not 0.0 < increment <= 1.0 or abs(1.0 / increment % 1.0 - 0.5) < 0.5 - 1e-9:
        message = (
            f"Invalid increment {increment}. It divides 1 into whole steps, as 0.01, "
            "0.02 or 0.05."
        )
        raise InputError(message)
    return round(1.0 / increment)


def _check_count(
    boxes: Sequence[BoxedMixtures], sources: Sequence[str], steps: int
) -> None:
    most = max((len(box.places) for box in boxes), default=1)
    count = comb(steps + most - 1, most - 1)
    if count > MOST_COMBINATIONS:
        message = (
            f"{most} of the sources {', '.join(sources)} in {steps} steps make "
            f"{count:,} combinations a mixture; {MOST_COMBINATIONS:,} are gone "
            "through at most. Take a larger increment, join or rule out sources, or "
            "ask fraction_bounds for the exact range."
        )
        raise InputError(message)


def _count_box(
    box: BoxedMixtures, steps: int, limits: FloatArray, tracers: list[str]
) -> tuple[IntArray, list[str]]:
    """Count the steps of all sources, shape (n, source, step), and say where none."""
    rounded = _kernels_isosource.rounded_tolerance(box.mixtures, box.sources, limits)
    grid = _kernels_isosource.Grid(box.mixtures, box.sources, steps, rounded)
    held = _kernels_isosource.feasible_counts(grid)
    none = np.flatnonzero(~held[:, 0].any(axis=1))
    words = [""] * len(box.rows)
    if none.size:
        grid = grid._replace(mixtures=box.mixtures[none], tolerance=limits)
        excess = _kernels_isosource.least_excess(grid, widening(limits))
        for row, value in zip(none, excess, strict=True):
            words[row] = too_narrow(tracers, limits + value * widening(limits))
    return held, words


def _describe(counts: IntArray) -> dict[str, npt.NDArray[np.generic]]:
    """Describe counts (row, step): number, range, moments and quantiles."""
    steps = counts.shape[1] - 1
    fraction = np.arange(steps + 1) / steps
    total = counts.sum(axis=1)
    some = np.flatnonzero(total)
    columns = ["min", "max", "mean", "sd", *(f"q{100 * q:02.0f}" for q in QUANTILES)]
    numbers = {name: np.full(len(counts), np.nan) for name in columns}
    held, number = counts[some], total[some]
    below = np.cumsum(held, axis=1)
    numbers["min"][some] = fraction[(held > 0).argmax(axis=1)]
    numbers["max"][some] = fraction[steps - (held[:, ::-1] > 0).argmax(axis=1)]
    mean = held @ fraction / number
    numbers["mean"][some] = mean
    squares = (held * (fraction - mean[:, None]) ** 2).sum(axis=1)
    numbers["sd"][some] = np.sqrt(squares / number)
    for name, q in zip(columns[4:], QUANTILES, strict=True):
        # The rank is whole where q times the number is, but for rounding.
        rank = np.ceil(q * number - 1e-9)
        numbers[name][some] = fraction[(below >= rank[:, None]).argmax(axis=1)]
    return {"n_feasible": total, **numbers}
