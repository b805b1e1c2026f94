"""Mean, spread and number of samples of each source."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import GeosoilWarning, MixingError
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SampleMeans:
    """How samples of sources are averaged."""

    by: tuple[str, ...] = ()
    """Columns that make strata."""
    tracers: tuple[str, ...] = ("d18O", "d2H")
    """Tracers to average."""
    amount: str | None = None
    """Column of precipitation amounts that weight a source which has them."""


class Moments(NamedTuple):
    """Mean and spread of the samples of one source."""

    mean: FloatArray
    """Mean, shape (tracer,)."""
    covariance: FloatArray
    """Covariance of single samples, shape (tracer, tracer); NaN with one sample."""
    n_effective: float
    """Number of samples that equal weights would need (Kish)."""


def source_means(
    samples: pd.DataFrame, sources: Sequence[str], options: SampleMeans
) -> pd.DataFrame:
    """Average the samples of each source in each stratum.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with column ``water`` and the tracers.
    sources : sequence of str
        Waters to average, in the order wanted.
    options : SampleMeans
        Strata, tracers and weights.

    Returns
    -------
    means : DataFrame
        One row a source and stratum: strata, ``source``, means, ``<tracer>_sd``,
        ``<a>_<b>_cov``, ``n``, ``n_effective``.

    Raises
    ------
    MixingError
        If a source has no sample, or an amount is negative.

    Notes
    -----
    With weights w that sum to one, n_effective = 1 / sum w^2 and the covariance is
    sum w (x - mean)(x - mean)' n_effective / (n_effective - 1).

    Examples
    --------
    >>> samples = pd.DataFrame({"water": ["rain"] * 2, "Cl": [1.0, 3.0]})
    >>> means = source_means(samples, ["rain"], SampleMeans(tracers=("Cl",)))
    >>> means["Cl"].tolist(), means["n"].tolist()
    ([2.0], [2])
    """
    check_columns(
        samples,
        ["water", *([options.amount] if options.amount else [])],
        what="Samples",
    )
    rows: list[dict[str, object]] = []
    empty = []
    for source in sources:
        own = samples[(samples["water"] == source).to_numpy(dtype=bool)]
        values = tracer_values(own, options.tracers, what="Samples")
        weight = sample_weights(own, options.amount)
        kept = np.isfinite(values).all(axis=1) & (weight > 0)
        groups = sample_groups(own[kept], options.by) if kept.any() else []
        empty += [] if groups else [source]
        for group in groups:
            inside = values[kept][group.rows]
            moments = weighted_moments(inside, weight[kept][group.rows])
            row = moments_row(options.tracers, moments)
            rows.append({**group.key, "source": source, **row, "n": len(inside)})
            rows[-1]["n_effective"] = moments.n_effective
    if empty:
        found = ", ".join(sorted(map(str, samples["water"].dropna().unique())))
        message = (
            f"No usable sample of source {', '.join(empty)}. "
            f"Waters found: {found or 'none'}. Drop the source or add its samples."
        )
        raise MixingError(message)
    _warn_single(rows, options.by)
    return pd.DataFrame(rows)


def row_label(row: pd.Series, by: Sequence[str]) -> str:
    """Name a source with its stratum, for messages.

    Parameters
    ----------
    row : Series
        Row of a table of end members.
    by : sequence of str
        Stratum columns.

    Returns
    -------
    label : str
        Source, and stratum in brackets.

    Examples
    --------
    >>> row_label(pd.Series({"source": "ice", "period": "June"}), ["period"])
    'ice (period June)'
    """
    strata = ", ".join(f"{column} {row[column]}" for column in by)
    return f"{row['source']} ({strata})" if strata else str(row["source"])


def sample_weights(samples: pd.DataFrame, amount: str | None) -> FloatArray:
    """Return the weight of each sample of one source.

    Parameters
    ----------
    samples : DataFrame
        Samples of one source.
    amount : str or None
        Column of precipitation amounts [mm].

    Returns
    -------
    weights : array, shape (n,)
        Amounts where the source has any, a missing one 0; otherwise one each.

    Raises
    ------
    MixingError
        If an amount is negative.

    Examples
    --------
    >>> samples = pd.DataFrame({"precipitation": [2.0, np.nan]})
    >>> sample_weights(samples, "precipitation").tolist()
    [2.0, 0.0]
    """
    equal = np.ones(len(samples))
    if amount is None:
        return equal
    values = samples[amount].to_numpy(dtype=float, na_value=np.nan)
    if np.any(values < 0):
        message = f"Samples: {int(np.sum(values < 0))} negative values in '{amount}'."
        raise MixingError(message)
    return np.nan_to_num(values) if np.any(values > 0) else equal


def weighted_moments(values: FloatArray, weight: FloatArray) -> Moments:
    """Return the mean, covariance and effective number of weighted samples.

    Parameters
    ----------
    values : array, shape (n, tracer)
        Samples.
    weight : array, shape (n,)
        Weights above 0.

    Returns
    -------
    moments : Moments
        See `source_means`; the covariance is NaN with one sample.

    Examples
    --------
    >>> weighted_moments(np.array([[1.0], [3.0]]), np.ones(2)).covariance.tolist()
    [[2.0]]
    """
    share = weight / weight.sum()
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    mean = share @ values
    away = values - mean
    spread = np.full((values.shape[1], values.shape[1]), np.nan)
    if effective > 1.0 + 1e-12:
        spread = (share[:, None] * away).T @ away * effective / (effective - 1.0)
    return Moments(mean, spread, effective)


def moments_row(tracers: Sequence[str], moments: Moments) -> dict[str, object]:
    """Lay out a mean and its covariance as columns of a table of end members.

    Parameters
    ----------
    tracers : sequence of str
        Names of the tracers.
    moments : Moments
        Mean and covariance.

    Returns
    -------
    row : dict
        ``<tracer>``, ``<tracer>_sd`` and ``<a>_<b>_cov``.

    Examples
    --------
    >>> moments_row(["Cl"], Moments(np.array([2.0]), np.array([[0.25]]), 4.0))
    {'Cl': 2.0, 'Cl_sd': 0.5}
    """
    spread = moments.covariance
    mean = map(float, moments.mean)
    row: dict[str, object] = dict(zip(tracers, mean, strict=True))
    for i, first in enumerate(tracers):
        row[f"{first}_sd"] = float(np.sqrt(spread[i, i]))
        for j, second in enumerate(tracers[:i]):
            row[f"{second}_{first}_cov"] = float(spread[i, j])
    return row


def _warn_single(rows: list[dict[str, object]], by: Sequence[str]) -> None:
    single = [row_label(pd.Series(row), by) for row in rows if row["n"] == 1]
    if single:
        message = (
            f"One sample only for {'; '.join(single)}: "
            "the spread is unknown and counts as none."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=4)
