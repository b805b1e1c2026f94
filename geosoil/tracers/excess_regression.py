"""Regressions of d-excess on d18O."""

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
