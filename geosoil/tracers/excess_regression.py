"""Regressions of d-excess on d18O, and whether printed ones can have their means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.delta import d_excess

FloatArray = npt.NDArray[np.float64]

FEWEST = 3
"""Fewest samples that are regressed."""


@dataclass(frozen=True, slots=True)
class ExcessRegression:
    """Least-squares line d_excess = slope d18O + intercept."""

    slope: float
    """Slope [permil per permil]."""
    intercept: float
    """Intercept [permil]."""
    slope_standard_error: float
    """Standard error of the slope."""
    intercept_standard_error: float
    """Standard error of the intercept [permil]."""
    r_squared: float
    """Squared correlation."""
    p_value: float
    """Two-sided probability of such a slope if d-excess did not hang on d18O."""
    n: int
    """Samples with both isotopes."""
    mean_d18O: float
    """Mean d18O [permil]: the line passes through the two means."""
    mean_d_excess: float
    """Mean d-excess [permil]."""


@dataclass(frozen=True, slots=True)
class PooledMeansCheck:
    """Whether a pooled regression can go with the means of its parts."""

    possible: bool
    """Whether some weights of the parts put their joint mean on the line."""
    miss: float
    """Least distance of a joint mean from the line in d-excess [permil]; 0 if
    possible; positive above the line."""
    miss_with_sign_turned: float
    """The same with the sign of the intercept turned [permil]."""
    words: str
    """The finding in one sentence."""


def d_excess_regression(d18O: npt.ArrayLike, d2H: npt.ArrayLike) -> ExcessRegression:
    """Regress d-excess on d18O.

    Parameters
    ----------
    d18O, d2H : array, shape (n,)
        Isotope values [permil, VSMOW]. Rows with a missing value are dropped.

    Returns
    -------
    regression : ExcessRegression
        Line with errors.

    Raises
    ------
    InputError
        With fewer than 3 samples or equal d18O.

    Notes
    -----
    d = d2H - 8 d18O, so that the slope is that of d2H on d18O less 8, and the
    intercept is the same. r_squared differs, and errors in d18O alone give a
    negative slope.

    Examples
    --------
    >>> found = d_excess_regression([-10.0, -12.0, -14.0], [-75.0, -88.0, -101.0])
    >>> round(found.slope, 2), round(found.intercept, 2)
    (-1.5, -10.0)
    """
    x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
    if x.ndim != 1 or x.shape != y.shape:
        message = f"d18O has shape {x.shape}, d2H {y.shape}. Give two equal columns."
        raise InputError(message)
    whole = np.isfinite(x) & np.isfinite(y)
    x, excess = x[whole], d_excess(x[whole], y[whole])
    problem = _problem(x)
    if problem:
        message = f"No regression of d-excess on d18O: {problem}. Join groups."
        raise InputError(message)
    mean_x, mean_d = float(x.mean()), float(excess.mean())
    off_x, off_d = x - mean_x, excess - mean_d
    sxx, sdd = float(off_x @ off_x), float(off_d @ off_d)
    slope = float(off_x @ off_d) / sxx
    left = max(sdd - slope**2 * sxx, 0.0)
    error = float(np.sqrt(left / (x.size - 2) / sxx))
    probability = float("nan") if sdd == 0 else 0.0
    if error > 0:
        probability = float(2 * stats.t.sf(abs(slope) / error, x.size - 2))
    return ExcessRegression(
        slope,
        mean_d - slope * mean_x,
        error,
        error * float(np.sqrt(np.mean(x**2))),
        slope**2 * sxx / sdd if sdd > 0 else float("nan"),
        probability,
        x.size,
        mean_x,
        mean_d,
    )


def d_excess_regressions(samples: pd.DataFrame, *, by: list[str]) -> pd.DataFrame:
    """Regress d-excess on d18O in every group, pooled over whatever is not in `by`.

    Parameters
    ----------
    samples : DataFrame
        Columns d18O and d2H [permil] and those of `by`.
    by : list of str
        Columns of the groups; an empty list pools all samples.

    Returns
    -------
    table : DataFrame
        One row a group (rows without a group under a missing label): `by`, the fields
        of `ExcessRegression` and ``reason``; a group without answer keeps its row.

    Raises
    ------
    InputError
        If a column is missing.

    Examples
    --------
    >>> table = pd.DataFrame({"d18O": [-10.0, -12, -14], "d2H": [-75.0, -88, -101]})
    >>> d_excess_regressions(table, by=[])[["slope", "n"]].values.tolist()
    [[-1.5, 3.0]]
    """
    missing = [name for name in ("d18O", "d2H", *by) if name not in samples]
    if missing:
        message = f"Sample table lacks the columns {', '.join(missing)}."
        raise InputError(message)
    groups: list[tuple[tuple[object, ...], pd.DataFrame]] = [((), samples)]
    if by:
        grouped = samples.groupby(by, sort=False, dropna=False, observed=True)
        groups = [(tuple(label), part) for label, part in grouped]
    return pd.DataFrame(
        [_row(part) | dict(zip(by, label, strict=True)) for label, part in groups],
        columns=[*by, *ExcessRegression.__dataclass_fields__, "reason"],
    )


def pooled_means_check(
    slope: float,
    intercept: float,
    *,
    d18O: npt.ArrayLike,
    d_excess: npt.ArrayLike,
    tolerance: float = 0.05,
) -> PooledMeansCheck:
    """Tell whether a pooled regression can go with the means of its parts.

    Parameters
    ----------
    slope, intercept : float
        Stated regression of d-excess on d18O, pooled over the parts.
    d18O, d_excess : array, shape (k,)
        Mean of each part, for instance of each period [permil].
    tolerance : float
        Miss that rounding of the printed figures explains [permil].

    Returns
    -------
    check : PooledMeansCheck
        Verdict.

    Raises
    ------
    InputError
        If a value is missing.

    Notes
    -----
    A least-squares line passes through the mean of its data. Whatever the sample
    counts, that mean is a convex combination of the means of the parts, so its
    residual r is the same combination of r_k = d_k - slope x_k - intercept. It can be
    0 if and only if the r_k do not all have one sign; else the miss is at least
    min abs(r_k).

    Examples
    --------
    >>> means = {"d18O": [-12.15, -13.45, -12.82], "d_excess": [6.84, 5.66, 6.0]}
    >>> check = pooled_means_check(-0.6067, 0.8133, **means)
    >>> check.possible, round(check.miss, 2), check.miss_with_sign_turned
    (False, -1.34, 0.0)
    """
    x, d = np.asarray(d18O, dtype=float), np.asarray(d_excess, dtype=float)
    if not (np.isfinite([slope, intercept]).all() and np.isfinite([x, d]).all()):
        message = "A pooled regression and the means of its parts are finite numbers."
        raise InputError(message)
    miss = _least(d - slope * x - intercept)
    turned = _least(d - slope * x + intercept)
    possible = abs(miss) <= tolerance
    return PooledMeansCheck(possible, miss, turned, _words(miss, turned, tolerance))


def _least(residual: FloatArray) -> float:
    low, high = float(residual.min()), float(residual.max())
    if low > 0:
        return low
    return min(high, 0.0)


def _words(miss: float, turned: float, tolerance: float) -> str:
    if abs(miss) <= tolerance:
        return "The pooled line can pass through a joint mean of the parts."
    side = "above" if miss > 0 else "below"
    words = (
        "A regression passes through the mean of its data, but every part's mean "
        f"lies {abs(miss):.2f} permil or more {side} the line: line and means are not "
        "of the same samples"
    )
    if abs(turned) <= tolerance:
        return f"{words}; with the sign of the intercept turned they agree."
    return f"{words}."


def _row(part: pd.DataFrame) -> dict[str, object]:
    try:
        found = d_excess_regression(
            part["d18O"].to_numpy(float), part["d2H"].to_numpy(float)
        )
    except InputError as error:
        n = int((part["d18O"].notna() & part["d2H"].notna()).sum())
        return {"n": n, "reason": str(error)}
    fields = ExcessRegression.__dataclass_fields__
    return {name: getattr(found, name) for name in fields} | {"reason": ""}


def _problem(d18O: FloatArray) -> str:
    if d18O.size < FEWEST:
        return f"{d18O.size} samples found, {FEWEST} needed"
    if np.ptp(d18O) <= 1e-12 * max(1.0, float(np.abs(d18O).max())):
        return f"all {d18O.size} samples have the same d18O ({d18O[0]:g} permil)"
    return ""
