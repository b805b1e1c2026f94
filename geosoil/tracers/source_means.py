"""Mean, spread and number of samples of each source."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

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
        weight = _weights(own, options.amount)
        kept = np.isfinite(values).all(axis=1) & (weight > 0)
        groups = sample_groups(own[kept], options.by) if kept.any() else []
        empty += [] if groups else [source]
        for group in groups:
            inside = values[kept][group.rows]
            row = _moments(inside, weight[kept][group.rows], options.tracers)
            rows.append({**group.key, "source": source, **row})
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


def _weights(samples: pd.DataFrame, amount: str | None) -> FloatArray:
    equal = np.ones(len(samples))
    if amount is None:
        return equal
    values = samples[amount].to_numpy(dtype=float, na_value=np.nan)
    if np.any(values < 0):
        message = f"Samples: {int(np.sum(values < 0))} negative values in '{amount}'."
        raise MixingError(message)
    return np.nan_to_num(values) if np.any(values > 0) else equal


def _moments(
    values: FloatArray, weight: FloatArray, tracers: Sequence[str]
) -> dict[str, object]:
    n = len(values)
    share = weight / weight.sum()
    effective = float(weight.sum() ** 2 / (weight**2).sum())
    mean = share @ values
    row: dict[str, object] = dict(zip(tracers, map(float, mean), strict=True))
    away = values - mean
    spread = np.full((len(tracers), len(tracers)), np.nan)
    if effective > 1.0 + 1e-12:
        spread = (share[:, None] * away).T @ away * effective / (effective - 1.0)
    for i, first in enumerate(tracers):
        row[f"{first}_sd"] = float(np.sqrt(spread[i, i]))
        for j, second in enumerate(tracers[:i]):
            row[f"{second}_{first}_cov"] = float(spread[i, j])
    return {**row, "n": n, "n_effective": effective}


def _warn_single(rows: list[dict[str, object]], by: Sequence[str]) -> None:
    single = [row_label(pd.Series(row), by) for row in rows if row["n"] == 1]
    if single:
        message = (
            f"One sample only for {'; '.join(single)}: "
            "the spread is unknown and counts as none."
        )
        warnings.warn(message, GeosoilWarning, stacklevel=4)
