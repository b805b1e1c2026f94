"""Tables of group means: whether the regressions printed beside them can be theirs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.delta import d_excess
from geosoil.tracers.groups import check_columns
from geosoil.tracers.quality_printed import (
    D_EXCESS_SLOPE,
    FloatArray,
    half_units,
    printed_decimals,
)

Verdict = Literal[
    "fits", "intercept sign turned", "slope sign turned", "misses", "missing"
]
_LEAST_MEANS = 2
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class MeansCheck:
    """Whether a regression passes through a mixture of the means of its parts."""

    misfit: float
    """Least distance of the line, as printed, from any mixture of the means; positive
    where the means lie above it, 0 where it passes between them."""
    misfit_intercept_turned: float
    """The same with the sign of the intercept turned."""
    misfit_slope_turned: float
    """The same with the sign of the slope turned."""
    tolerance: float
    """Distance that rounding allows the mean nearest to the line."""
    n: int
    """Means used."""
    verdict: Verdict
    """"fits" as printed; which single turned sign makes it fit; "misses" if none
    does; "missing" without a line or with fewer than two means."""
    reason: str
    """The verdict in words."""


def check_regression_through_means(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    slope: float,
    intercept: float,
    weights: npt.ArrayLike | None = None,
    tolerance: npt.ArrayLike = 0.0,
) -> MeansCheck:
    """Test a pooled regression against the means of the groups it was pooled from.

    Parameters
    ----------
    x, y : array, shape (n,)
        Means of the parts, for instance of three periods; pairs with NaN are dropped.
    slope, intercept : float
        The regression as printed.
    weights : array, shape (n,), optional
        Samples behind each mean; without them any mixture is allowed.
    tolerance : float or array, shape (n,)
        Distance from the line that rounding allows each mean [unit of y].

    Returns
    -------
    check : MeansCheck
        Distances as printed and with either sign turned, and the verdict.

    Raises
    ------
    InputError
        If x, y and weights differ in length, or a weight is negative.

    Notes
    -----
    Least squares pass through the mean of all samples, which is the mixture of the
    parts' means with weights w >= 0, sum w = 1. With e_i = y_i - slope x_i -
    intercept, sum w_i e_i = 0 needs min e <= 0 <= max e. This can refute a printed
    line, never prove one; a turned sign is a suggestion.

    Examples
    --------
    >>> check = check_regression_through_means(
    ...     [-12.15, -13.45, -12.82], [6.84, 5.66, 6.00], slope=-0.6067,
    ...     intercept=0.8133,
    ... )
    >>> round(check.misfit, 2), check.verdict
    (-1.34, 'intercept sign turned')
    """
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    shares = (
        np.full(xs.shape, np.nan) if weights is None else np.asarray(weights, float)
    )
    if not (xs.ndim == 1 and xs.shape == ys.shape == shares.shape):
        message = (
            f"Means of shapes {xs.shape} and {ys.shape}, weights {shares.shape}: give "
            "one x, one y and, if any, one weight for each part."
        )
        raise InputError(message)
    if (shares < 0).any():
        message = f"Negative weight {np.nanmin(shares):g}. Weights are sample counts."
        raise InputError(message)
    known = np.isfinite(xs) & np.isfinite(ys)
    if weights is not None:
        known &= shares > 0
    slack = np.broadcast_to(np.asarray(tolerance, dtype=float), xs.shape)[known]
    part = _Means(
        xs[known], ys[known], slack, None if weights is None else shares[known]
    )
    signs = ((slope, intercept), (slope, -intercept), (-slope, intercept))
    answers = [_misfit(part, a, b) for a, b in signs]
    verdict: Verdict = "missing"
    if len(part.x) >= _LEAST_MEANS and np.isfinite([slope, intercept]).all():
        passing = (v for (_, _, fits), v in zip(answers, _BY_SIGN, strict=True) if fits)
        verdict = next(passing, "misses")
    printed, turned, tilted = (answer[0] for answer in answers)
    check = MeansCheck(printed, turned, tilted, answers[0][1], len(part.x), verdict, "")
    return replace(check, reason=_words(check))


_BY_SIGN: tuple[Verdict, ...] = ("fits", "intercept sign turned", "slope sign turned")


class _Means(NamedTuple):
    """Means of the parts, with their rounding and their samples."""

    x: FloatArray
    y: FloatArray
    slack: FloatArray
    weights: FloatArray | None


def _misfit(means: _Means, slope: float, intercept: float) -> tuple[float, float, bool]:
    """Return the least distance from a mixture, what rounding allows there, verdict."""
    residual = means.y - slope * means.x - intercept
    if len(residual) == 0 or not np.isfinite(residual).all():
        return float("nan"), float("nan"), False
    if means.weights is not None:
        mean = float(np.average(residual, weights=means.weights))
        slack = float(np.average(means.slack, weights=means.weights))
        return mean, slack, abs(mean) <= slack + _SLACK
    nearest = int(np.argmin(np.abs(residual)))
    slack = float(means.slack[nearest])
    low, high = residual - means.slack - _SLACK, residual + means.slack + _SLACK
    between = residual.min() <= 0 <= residual.max()
    distance = 0.0 if between else float(residual[nearest])
    return distance, slack, bool(low.min() <= 0 <= high.max())


def _words(check: MeansCheck) -> str:
    if check.verdict == "missing":
        return "no line, or fewer than two means to hold it against"
    if check.verdict == "fits":
        return ""
    fault = (
        f"the regression as printed passes {abs(check.misfit):.2f} "
        f"{'below' if check.misfit > 0 else 'above'} every mixture of its "
        f"{check.n} means (rounding allows {check.tolerance:.2f})"
    )
    if check.verdict == "misses":
        return f"{fault}; no turned sign mends it"
    which = check.verdict.removesuffix(" sign turned")
    return f"{fault}; with the sign of the {which} turned it passes among them"


def check_group_regressions(
    means: pd.DataFrame,
    regressions: pd.DataFrame,
    *,
    by: str = "group",
    x: str = "d18O",
    y: str = "d_excess",
    weights: str | None = None,
) -> pd.DataFrame:
    """Test each group's printed regression against the means of the group's parts.

    Parameters
    ----------
    means : DataFrame
        One row a group and part (period), with columns ``by``, ``x``, ``y``.
    regressions : DataFrame
        One row a group, with columns ``by``, slope, intercept.
    by : str
        Column that names the group.
    x, y : str
        Columns of the means. Where d_excess is asked for and absent it is computed
        from d18O and d2H, and their rounding carried on.
    weights : str, optional
        Column of the means with the samples behind each.

    Returns
    -------
    table : DataFrame
        One row a regression, in their order: ``by``, slope, intercept and the fields
        of `MeansCheck`. Groups without a line or means stay, with verdict "missing".

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> means = pd.DataFrame({
    ...     "group": ["grassland"] * 3,
    ...     "d18O": [-10.39, -12.13, -9.62], "d_excess": [5.46, 7.76, 5.09],
    ... })
    >>> lines = pd.DataFrame(
    ...     {"group": ["grassland"], "slope": [-0.4921], "intercept": [-0.5722]}
    ... )
    >>> table = check_group_regressions(means, lines)
    >>> table[["misfit", "verdict"]].round(2).to_numpy().tolist()
    [[0.92, 'intercept sign turned']]
    """
    recomputed = y == "d_excess" and x == "d18O" and y not in means.columns
    columns = [by, x, "d2H" if recomputed else y, *([weights] if weights else [])]
    check_columns(means, columns, what="Table of means")
    check_columns(regressions, [by, "slope", "intercept"], what="Table of regressions")
    values, half_x = means[x].astype(float), _half(means[x])
    if recomputed:
        heights = pd.Series(d_excess(values, means["d2H"]), means.index)
        half_y, lever = _half(means["d2H"]), D_EXCESS_SLOPE
    else:
        heights, half_y, lever = means[y].astype(float), _half(means[y]), 0.0
    half_slope, half_intercept = (
        _half(regressions[name]).to_numpy() for name in ("slope", "intercept")
    )
    rows = []
    for position, (_, line) in enumerate(regressions.iterrows()):
        part = means.index[(means[by] == line[by]).to_numpy()]
        slope, intercept = float(line["slope"]), float(line["intercept"])
        slack = half_y[part] + abs(lever + slope) * half_x[part]
        slack += half_slope[position] * values[part].abs() + half_intercept[position]
        check = check_regression_through_means(
            values[part],
            heights[part],
            slope=slope,
            intercept=intercept,
            weights=None if weights is None else means.loc[part, weights],
            tolerance=slack.fillna(0.0),
        )
        fields = {name: getattr(check, name) for name in MeansCheck.__slots__}
        rows.append({by: line[by], "slope": slope, "intercept": intercept, **fields})
    names = [by, "slope", "intercept", *MeansCheck.__slots__]
    return pd.DataFrame(rows, columns=names, index=regressions.index)


def _half(column: pd.Series) -> pd.Series:
    return pd.Series(half_units(printed_decimals(column)), column.index)
