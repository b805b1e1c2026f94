"""Trend of a daily series by decade, from the means of its years."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from scipy import stats

from geosoil.correlation.daily import USUAL_RULES, ResponseRules, daily_series
from geosoil.correlation.effective import effective_pairs
from geosoil.correlation.temporal import correlate
from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

_WORDS = {
    "mean": "mean of the years",
    "trend": "median slope of the yearly means by decade (Theil and Sen)",
    "trend_percent": "trend by decade in per cent of the mean of the years",
    "trend_p_value": "two-sided p of Mann and Kendall's test, persistence counted",
    "trend_p_value_independent": "its p value if years were independent",
    "n_years": "years with enough days",
    "n_effective_years": "years that independent ones would need to say as much",
}


def decadal_trend(
    series: xr.DataArray, *, dim: str = "time", rules: ResponseRules = USUAL_RULES
) -> xr.Dataset:
    """Find the trend of a daily series by decade.

    Parameters
    ----------
    series : DataArray with the dims ``dim`` and any others
        Daily values with dates; NaN missing.
    dim : str
        Dimension of time.
    rules : ResponseRules
        ``months``, ``coverage`` and ``min_years``.

    Returns
    -------
    trend : Dataset without ``dim``
        ``mean``; ``trend`` in units of the series per decade, and ``trend_percent``
        of the mean; ``trend_p_value``; ``trend_p_value_independent``, were years
        independent; ``n_years``, ``n_effective_years`` and ``trend_reason``: 0 ok,
        1 few years, 3 constant_y, 4 all_missing (no year counts). What has a reason
        is NaN, but for the mean, which stands for one year or more.

    Raises
    ------
    InputError
        If the series is not daily or has no dates.

    Notes
    -----
    A year stands for the mean of its days, or of the days of ``months``, and counts
    if at least ``coverage`` of them have a value. The trend is ten times Theil and
    Sen's slope, the median of (v_i - v_j) / (i - j) over all pairs of years i > j.
    The p value of independent years is that of Kendall's tau of the means and the
    years, exact up to 33 years without ties. Years that follow each other are alike:
    with b the correlation of neighbours among the residuals from the line,
    n_effective = n (1 - b) / (1 + b), 2 to n, by
    :func:`~geosoil.correlation.effective.effective_pairs` with time itself, whose
    own correlation is 1. The variance of Kendall's sum grows by n / n_effective, so
    that the normal deviate of the p value shrinks by sqrt(n_effective / n). In short
    series b is biased towards 0, and p with it.

    References
    ----------
    Sen (1968), Estimates of the regression coefficient based on Kendall's tau,
    Journal of the American Statistical Association 63,
    doi:10.1080/01621459.1968.10480934.
    Yue and Wang (2004), The Mann-Kendall test modified by effective sample size to
    detect trend in serially correlated hydrological series, Water Resources
    Management 18, doi:10.1023/B:WARM.0000043140.61082.60.

    Examples
    --------
    >>> days = pd.date_range("2001-01-01", "2012-12-31")
    >>> soil = xr.DataArray(20 + 0.05 * (days.year - 2001), dims="time",
    ...                     coords={"time": days})
    >>> found = decadal_trend(soil)
    >>> round(float(found.trend), 3), round(float(found["mean"]), 2), int(found.n_years)
    (0.5, 20.28, 12)
    """
    years = _yearly_means(series, dim, rules)
    axis = years["year"].astype(np.float64).broadcast_like(years).transpose(*years.dims)
    line = correlate(
        axis,
        years,
        dim="year",
        method="kendall",
        min_pairs=rules.min_years,
        statistics=("theil_sen_slope",),
    )
    answered = line["reason"] == 0
    slope, n, p = line["theil_sen_slope"], line["n"], line["p_value"]
    persistence = effective_pairs(axis, years - slope * (axis - axis[0]), dim="year")
    # Residuals that are all the same show no persistence.
    worth = persistence.fillna(n).where(answered)
    mean = years.mean("year").where(n > 0)
    found = {
        "mean": mean,
        "trend": 10 * slope.where(answered),
        "trend_percent": (1000 * slope / abs(mean.where(mean != 0))).where(answered),
        "trend_p_value": xr.apply_ufunc(
            _tempered, p, worth / n.where(n > 0), dask="parallelized"
        ),
        "trend_p_value_independent": p,
        "n_years": n,
        "n_effective_years": worth,
    }
    units = str(series.attrs.get("units", "1"))
    result = xr.Dataset(found)
    special = {"mean": units, "trend": f"({units}) / (10 years)", "trend_percent": "%"}
    for name, words in _WORDS.items():
        result[name].attrs = {"units": special.get(name, "1"), "long_name": words}
    result["trend_reason"] = line["reason"]
    result.attrs = {
        "months": ", ".join(str(month) for month in rules.months) or "all",
        "coverage": rules.coverage,
    }
    return result


def _yearly_means(series: xr.DataArray, dim: str, rules: ResponseRules) -> xr.DataArray:
    """Return the means of the years along "year", NaN where a year does not count."""
    if dim not in series.coords or series[dim].dtype.kind != "M":
        message = (
            f"The series '{series.name}' has no dates along '{dim}', so its years are "
            "unknown. Give a coordinate of dates."
        )
        raise InputError(message)
    daily = daily_series(series, {}, dim)[0]
    days = pd.date_range(
        series[dim].to_index()[0].normalize(), periods=daily.sizes[dim]
    )
    first, last = days[0].year, days[-1].year
    whole = pd.date_range(f"{first}-01-01", f"{last}-12-31")
    months = rules.months or tuple(range(1, 13))
    needed = whole[whole.month.isin(months)].year.value_counts().astype(float)
    chosen = daily.isel({dim: np.flatnonzero(days.month.isin(months))})
    year = xr.DataArray(days.year[days.month.isin(months)], dims=dim, name="year")
    chosen = chosen.where(np.isfinite(chosen))
    # Years of one value must have one mean: without this, rounding would part them.
    lowest = chosen.min(dim)
    grouped = (chosen - lowest).groupby(year)
    # As many years as a trend needs, so that a short record is answered with "few".
    span = np.arange(first, first + max(last - first + 1, rules.min_years))
    count = grouped.count().reindex(year=span, fill_value=0)
    total = grouped.sum().reindex(year=span)
    enough = count >= rules.coverage * xr.DataArray(
        needed.reindex(span).to_numpy(), dims="year"
    )
    means = (lowest + total / count.where(count > 0)).where(enough)
    means = means.transpose("year", ...).rename(series.name)
    return means.chunk({"year": -1}) if means.chunks is not None else means


def _tempered(p: FloatArray, share: FloatArray) -> FloatArray:
    """Return p with its normal deviate shrunk to a share of the years."""
    deviate = stats.norm.isf(np.asarray(p) / 2)
    return np.asarray(2 * stats.norm.sf(deviate * np.sqrt(share)), dtype=np.float64)
