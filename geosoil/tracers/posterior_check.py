"""Whether samples drawn from a fitted model look like the samples observed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

FEWEST_DRAWS = 40
"""Draws below which no two-sided p value can be less than 0.05."""
WHOLE = "all"
"""Name of the group of all samples."""
COVERAGES: dict[str, tuple[float, float]] = {
    "coverage_50": (0.25, 0.75),
    "coverage_90": (0.05, 0.95),
}
"""Quantiles that bound the predictive interval of each sample."""

NO_SAMPLE = "no sample with this tracer"
"""Reason: nothing was observed."""
ONE_SAMPLE = "one sample: no SD"
"""Reason: scatter needs two samples."""
NOT_FINITE = "replicated samples that are not finite"
"""Reason: the model gave NaN or infinite values for observed samples."""

_WORDS = {
    "mean": ("samples lie above the model", "samples lie below the model"),
    "sd": ("samples scatter more than the model", "samples scatter less"),
    "minimum": ("lowest sample is not as low", "lowest sample is too low"),
    "maximum": ("highest sample is too high", "highest sample is not as high"),
    "coverage_50": ("50 % intervals are too wide", "50 % intervals are too narrow"),
    "coverage_90": ("90 % intervals are too wide", "90 % intervals are too narrow"),
}


def predictive_check(
    observed: npt.ArrayLike,
    replicated: npt.ArrayLike,
    names: Sequence[str],
    *,
    groups: npt.ArrayLike | None = None,
    level: float = 0.05,
) -> pd.DataFrame:
    """Compare observed samples with samples drawn from the fitted model.

    Parameters
    ----------
    observed : array, shape (n, tracer)
        Samples; a missing value is left out with its replicates.
    replicated : array, shape (draw, n, tracer)
        The same samples drawn anew at each posterior draw, with all their scatter.
    names : sequence of str
        Names of the tracers.
    groups : array, shape (n,), optional
        Group of each sample; each group is checked after all samples together.
    level : float
        p value below which the model is said to fail.

    Returns
    -------
    check : DataFrame
        One row a tracer, group and statistic: ``tracer``; ``group``; ``statistic``,
        mean, sd (n - 1), minimum, maximum, coverage_50 or coverage_90 (share of the
        samples inside their own predictive interval); ``n``; ``observed``;
        ``replicated``, ``lower``, ``upper``, mean and 90 % interval over the draws;
        ``p_value``; ``fails``; ``reason``, which says how the model fails or why there
        is no answer.

    Raises
    ------
    InputError
        If the shapes do not fit, the draws are fewer than 40, or the level is not
        between 0 and 1.

    Notes
    -----
    p = 2 min(1 + #(T_rep >= T), 1 + #(T_rep <= T)) / (S + 1), 1 at most, of S draws.
    Samples that the model was fitted to are used twice, so p of the mean is seldom
    small; SD, extremes and coverage see more. Of many rows some fail by chance: read
    them together.

    References
    ----------
    Gelman, Meng and Stern (1996), Statistica Sinica 6, 733-760.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> samples = rng.normal(-12.0, 2.0, size=(60, 1))
    >>> drawn = rng.normal(-12.0, 1.0, size=(500, 60, 1))
    >>> check = predictive_check(samples, drawn, ["d18O"]).set_index("statistic")
    >>> check.loc["sd", "reason"]
    'samples scatter more than the model'
    >>> check.loc["coverage_90", "reason"]
    '90 % intervals are too narrow'
    """
    samples = np.asarray(observed, dtype=float)
    draws = np.asarray(replicated, dtype=float)
    draws = np.where(np.isfinite(draws), draws, np.nan)
    _check_shapes(samples, draws, names, level)
    members = list(_members(groups, len(samples)))
    rows = []
    for order, tracer in enumerate(names):
        pair = _with_coverage(samples[:, order], draws[:, :, order])
        for group, rows_in in members:
            for answer in _statistics(pair, rows_in, level):
                rows.append({"tracer": tracer, "group": group, **answer})
    return pd.DataFrame(rows)


class _Pair(NamedTuple):
    """One tracer: what was observed, drawn, and lies inside the intervals."""

    observed: FloatArray
    replicated: FloatArray
    observed_inside: dict[str, BoolArray]
    replicated_inside: dict[str, BoolArray]


def _with_coverage(observed: FloatArray, replicated: FloatArray) -> _Pair:
    seen, drawn = {}, {}
    for name, levels in COVERAGES.items():
        lower, upper = np.quantile(replicated, levels, axis=0)
        seen[name] = (observed >= lower) & (observed <= upper)
        drawn[name] = (replicated >= lower) & (replicated <= upper)
    return _Pair(observed, replicated, seen, drawn)


def _statistics(
    pair: _Pair, rows_in: BoolArray, level: float
) -> Iterator[dict[str, object]]:
    keep = rows_in & np.isfinite(pair.observed)
    observed, drawn = pair.observed[keep], pair.replicated[:, keep]
    n = int(keep.sum())
    missing = "" if n else NO_SAMPLE
    if n and not np.isfinite(drawn).all():
        missing = NOT_FINITE
    for name in _WORDS:
        reason = missing or (ONE_SAMPLE if name == "sd" and n < 2 else "")
        if reason:
            yield _row(name, n, _Answer(reason=reason))
        elif name in COVERAGES:
            inside = pair.observed_inside[name][keep].astype(float)
            shares = pair.replicated_inside[name][:, keep].mean(axis=1)
            yield _row(name, n, _compare(name, inside.mean(), shares, level))
        else:
            value, values = _statistic(name, observed), _statistic(name, drawn)
            yield _row(name, n, _compare(name, float(value), values, level))


class _Answer(NamedTuple):
    observed: float = np.nan
    replicated: float = np.nan
    lower: float = np.nan
    upper: float = np.nan
    p_value: float = np.nan
    fails: bool = False
    reason: str = ""


def _row(statistic: str, n: int, answer: _Answer) -> dict[str, object]:
    return {"statistic": statistic, "n": n, **answer._asdict()}


def _statistic(name: str, values: FloatArray) -> FloatArray:
    if name == "mean":
        return np.asarray(values.mean(axis=-1))
    if name == "sd":
        return np.asarray(values.std(axis=-1, ddof=1))
    if name == "minimum":
        return np.asarray(values.min(axis=-1))
    return np.asarray(values.max(axis=-1))


def _compare(name: str, value: float, values: FloatArray, level: float) -> _Answer:
    # Rounding in a sum must not make equal shares unequal.
    slack = 1e-12 * max(abs(value), float(np.abs(values).max()))
    above = 1 + int((values >= value - slack).sum())
    below = 1 + int((values <= value + slack).sum())
    p_value = min(2.0 * min(above, below) / (len(values) + 1), 1.0)
    fails = p_value < level
    lower, upper = np.quantile(values, [0.05, 0.95])
    middle = float(values.mean())
    words = _WORDS[name][0 if above < below else 1] if fails else ""
    return _Answer(
        float(value), middle, float(lower), float(upper), p_value, fails, words
    )


def _members(
    groups: npt.ArrayLike | None, n: int
) -> Iterator[tuple[object, BoolArray]]:
    yield WHOLE, np.ones(n, dtype=bool)
    if groups is None:
        return
    labels = np.asarray(groups, dtype=object)
    if labels.shape != (n,):
        message = f"{labels.shape} labels of groups for {n} samples. Give one each."
        raise InputError(message)
    for label in pd.unique(pd.Series(labels).dropna()):
        yield label, np.asarray(labels == label, dtype=bool)


def _check_shapes(
    samples: FloatArray, draws: FloatArray, names: Sequence[str], level: float
) -> None:
    faults = []
    if samples.ndim != 2 or samples.shape[1] != len(names):
        faults.append(
            f"Observed samples have the shape {samples.shape}; (n, {len(names)}) is "
            "needed for the names given."
        )
    if draws.ndim != 3 or draws.shape[1:] != samples.shape:
        faults.append(
            f"Replicated samples have the shape {draws.shape}; (draw, n, tracer) with "
            f"the shape {samples.shape} of the observed ones is needed."
        )
    elif len(draws) < FEWEST_DRAWS:
        faults.append(f"{len(draws)} draws; {FEWEST_DRAWS} or more are needed.")
    if not 0.0 < level < 1.0:
        faults.append(f"Invalid level {level}. It lies above 0 and below 1.")
    if faults:
        raise InputError(" ".join(faults))
