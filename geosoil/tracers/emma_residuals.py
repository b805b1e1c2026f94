"""Residuals of mixtures that fewer components leave, and what they tell of the rank."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.groups import check_columns

FloatArray = npt.NDArray[np.float64]

NO_RESIDUAL = "no residual"
"""Reason: the components give the tracer back to rounding."""
FEW = "fewer than four mixtures"
"""Reason: too few residuals to tell of their pattern."""

ROUNDING = 1e-10
"""Share of a tracer's standard deviation below which a residual is rounding."""


class ResidualStatistics(NamedTuple):
    """What residuals of one tracer say."""

    n: int
    """Number of mixtures."""
    relative_bias: float = np.nan
    """Sum of the residuals by the size of the sum observed."""
    rmse: float = np.nan
    """Root mean square of the residuals [unit of the tracer]."""
    rrmse_hooper: float = np.nan
    """sqrt(sum residual^2) / (n mean observed)."""
    rrmse_standard: float = np.nan
    """sqrt(sum residual^2 / n) / mean observed."""
    r_squared: float = np.nan
    """Share of the tracer's variance that the components give back."""
    r: float = np.nan
    """Correlation of residual and observed."""
    slope: float = np.nan
    """Slope of residual on observed."""
    p_value: float = np.nan
    """Two-sided p of r and of the slope."""
    curvature_p_value: float = np.nan
    """Two-sided p of the square in residual = a + b projected + c projected^2."""
    reason: str = ""
    """Why there is no correlation; "" where there is."""


def residual_diagnostics(residuals: pd.DataFrame) -> pd.DataFrame:
    """Sum up residuals by rank and tracer.

    Parameters
    ----------
    residuals : DataFrame
        Columns ``rank``, ``tracer``, ``observed``, ``projected``, as `Emma.residuals`
        gives them. Rows with a missing value are left out.

    Returns
    -------
    diagnostics : DataFrame
        One row a rank and tracer: ``n``; ``relative_bias``; ``rmse`` [unit of the
        tracer]; ``rrmse_hooper`` = sqrt(sum e^2) / (n mean) and ``rrmse_standard`` =
        sqrt(sum e^2 / n) / mean, two measures in use under one name, of which the
        first is smaller by sqrt(n); ``r_squared``; ``r``, ``slope`` and ``p_value``
        of the residual on the observed; ``curvature_p_value``; ``reason``.

    Raises
    ------
    InputError
        If a column is missing.

    Notes
    -----
    The residual e is projected - observed. Hooper (2003) calls a rank enough where e
    against observed is random. Components of their own data leave e and projected
    uncorrelated, so that r^2 = -slope = 1 - r_squared exactly: a straight pattern
    tells how much of a tracer is left and nothing else, and with many mixtures a
    small rest is "significant" (n = 900: 0.5 % of the variance). A bend against the
    projected is not bound so; ``curvature_p_value`` tests it. The relative measures
    divide by the size of the mean, and mean little for delta values, whose zero is
    that of a standard; they are missing where the mean is 0.

    References
    ----------
    Hooper (2003), Water Resour. Res. 39, 1055, doi:10.1029/2002WR001528.

    Examples
    --------
    >>> table = pd.DataFrame({"rank": 1, "tracer": "Ca",
    ...     "observed": [1.0, 2.0, 3.0, 6.0], "projected": [1.5, 2.0, 2.5, 6.0]})
    >>> found = residual_diagnostics(table)
    >>> found[["rrmse_hooper", "rrmse_standard"]].round(4).to_numpy().tolist()
    [[0.0589, 0.1179]]
    """
    check_columns(
        residuals, ["rank", "tracer", "observed", "projected"], what="Residuals"
    )
    rows = []
    for (rank, tracer), part in residuals.groupby(["rank", "tracer"], sort=False):
        pair = part[["observed", "projected"]].to_numpy(dtype=float)
        pair = pair[np.isfinite(pair).all(axis=1)]
        found = residual_statistics(pair[:, 0], pair[:, 1])
        rows.append({"rank": rank, "tracer": tracer, **found._asdict()})
    return pd.DataFrame(rows, columns=["rank", "tracer", *ResidualStatistics._fields])


def prediction_fit(observed: pd.DataFrame, predicted: pd.DataFrame) -> pd.DataFrame:
    """Hold predicted tracers against observed ones.

    Parameters
    ----------
    observed : DataFrame
        One row a mixture, with the tracers' columns.
    predicted : DataFrame
        The same rows in the same order, a column a tracer, as `Emma.predict` gives.

    Returns
    -------
    fit : DataFrame
        Index ``tracer``; ``n`` mixtures with both; ``r_squared``, squared
        correlation; ``efficiency``, 1 - sum (predicted - observed)^2 / sum (observed
        - mean)^2 (Nash and Sutcliffe), which a bias lowers too; ``bias`` and ``rmse``
        [unit of the tracer]; ``slope`` and ``intercept`` of predicted on observed.
        Missing where a tracer has fewer than three pairs or does not vary.

    Raises
    ------
    InputError
        If a tracer has no observed column, or the rows differ.

    References
    ----------
    Nash and Sutcliffe (1970), J. Hydrol. 10, 282-290,
    doi:10.1016/0022-1694(70)90255-6.

    Examples
    --------
    >>> observed = pd.DataFrame({"Ca": [1.0, 2.0, 3.0]})
    >>> prediction_fit(observed, 2.0 * observed)[["r_squared", "slope", "bias"]]
            r_squared  slope  bias
    tracer
    Ca            1.0    2.0   2.0
    """
    names = list(predicted.columns)
    check_columns(observed, names, what="Observed")
    if not observed.index.equals(predicted.index):
        message = (
            f"Observed ({len(observed)} rows) and predicted ({len(predicted)}) differ "
            "in their index. Give the same mixtures in the same order."
        )
        raise InputError(message)
    rows = []
    for name in names:
        pair = np.c_[observed[name], predicted[name]].astype(float)
        x, y = pair[np.isfinite(pair).all(axis=1)].T
        rows.append({"tracer": name, "n": len(x), **_fit(x, y)})
    return pd.DataFrame(rows).set_index("tracer")


def _fit(x: FloatArray, y: FloatArray) -> dict[str, float]:
    keys = ("r_squared", "efficiency", "bias", "rmse", "slope", "intercept")
    if len(x) < 3 or x.std() == 0:
        return dict.fromkeys(keys, np.nan)
    error = y - x
    r = _correlation(x - x.mean(), y - y.mean())
    slope = float(((x - x.mean()) * y).sum() / ((x - x.mean()) ** 2).sum())
    values = (
        r**2,
        1.0 - float((error**2).mean() / x.var()),
        float(error.mean()),
        float(np.sqrt((error**2).mean())),
        slope,
        float(y.mean() - slope * x.mean()),
    )
    return dict(zip(keys, values, strict=True))


def residual_statistics(
    observed: FloatArray, projected: FloatArray
) -> ResidualStatistics:
    """Sum up the residuals of one tracer, see `residual_diagnostics`.

    Parameters
    ----------
    observed, projected : array, shape (n,)
        Values without gaps.

    Returns
    -------
    statistics : ResidualStatistics
        Bias, two relative errors, and the pattern of the residuals.

    Examples
    --------
    >>> observed = np.array([1.0, 2.0, 3.0, 6.0])
    >>> residual_statistics(observed, observed).reason
    'no residual'
    """
    n = len(observed)
    if n < 4:
        return ResidualStatistics(n, reason=FEW)
    residual = projected - observed
    mean = abs(observed.mean())
    total = float(np.sqrt((residual**2).sum()))
    # Without a mean to divide by, a relative measure says nothing.
    scale = 1.0 / mean if mean > ROUNDING * np.abs(observed).max() else np.nan
    sd = observed.std()
    centred = residual - residual.mean()
    part = ResidualStatistics(
        n,
        relative_bias=float(residual.mean() * scale),
        rmse=total / float(np.sqrt(n)),
        rrmse_hooper=total * scale / n,
        rrmse_standard=total * scale / float(np.sqrt(n)),
    )
    if sd == 0 or centred.std() <= ROUNDING * sd:
        fit = 1.0 if sd > 0 else np.nan
        return part._replace(r_squared=fit, reason=NO_RESIDUAL)
    r = float((centred * (observed - observed.mean())).mean() / (centred.std() * sd))
    bend = projected**2
    base = np.c_[np.ones(n), projected - projected.mean()]
    bend = bend - base @ np.linalg.lstsq(base, bend, rcond=None)[0]
    left = centred - base @ np.linalg.lstsq(base, centred, rcond=None)[0]
    return part._replace(
        r_squared=1.0 - float((residual**2).mean() / sd**2),
        r=r,
        slope=r * float(centred.std() / sd),
        p_value=_p_value(r, n - 2),
        curvature_p_value=_p_value(_correlation(bend, left), n - 3),
    )


def _correlation(x: FloatArray, y: FloatArray) -> float:
    size = float(np.sqrt((x**2).sum() * (y**2).sum()))
    return float((x * y).sum()) / size if size > 0 else np.nan


def _p_value(r: float, freedom: int) -> float:
    rest = 1.0 - r**2
    if rest <= 0:
        return 0.0
    return float(2.0 * stats.t.sf(abs(r) * np.sqrt(freedom / rest), freedom))
