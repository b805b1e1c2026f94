"""Parallel measurements of one water: averaged before they can count as samples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.groups import check_columns

UNIT: tuple[str, ...] = (
    "water",
    "period",
    "date",
    "site_id",
    "depth_top",
    "depth_bottom",
)
"""Columns that tell one water from another where the table has them."""


def average_parallels(
    samples: pd.DataFrame, *, unit: Sequence[str] | None = None
) -> pd.DataFrame:
    """Average the parallel measurements of each water to one row.

    Parameters
    ----------
    samples : DataFrame
        One row a measurement, with ``parallel`` (its number; missing for a sample
        without parallels), d18O and d2H [permil].
    unit : sequence of str, optional
        Columns that tell one water from another; those of :data:`UNIT` that the table
        has, without it.

    Returns
    -------
    averaged : DataFrame
        One row a water in order of first appearance: means of d18O and d2H over its
        measurements with both, every other column from its first row, without
        ``parallel``; ``n_parallels``; ``d18O_parallel_sd`` and ``d2H_parallel_sd``,
        the spread of its measurements; ``d18O_sd`` and ``d2H_sd``, where present, over
        the square root of ``n_parallels``.

    Raises
    ------
    InputError
        If a column is missing, no column of the unit is there, or a water has a
        parallel number twice.

    Notes
    -----
    Three parallels of one water are not three samples: taken as such they make the
    standard error of a mean too small by up to sqrt(3).

    Examples
    --------
    >>> bottles = pd.DataFrame({"site_id": ["a", "a", "b"], "parallel": [1, 2, 1],
    ...     "d18O": [-12.0, -12.2, -10.0], "d2H": [-90.0, -91.0, -80.0]})
    >>> average_parallels(bottles)[["d18O", "n_parallels"]].values.tolist()
    [[-12.1, 2.0], [-10.0, 1.0]]
    """
    names = [name for name in UNIT if name in samples] if unit is None else list(unit)
    check_columns(samples, ["parallel", "d18O", "d2H", *names], what="Samples")
    if not names:
        message = (
            "Parallels need columns that tell one water from another, such as "
            f"{', '.join(UNIT)}. Name them with 'unit'."
        )
        raise InputError(message)
    alone = samples["parallel"].isna().to_numpy()
    codes = _codes(samples[names], alone)
    _check_once(samples, codes, alone)
    pair = samples[["d18O", "d2H"]].astype(float)
    pair = pair.where(pair.notna().all(axis=1))
    grouped = pair.groupby(codes, sort=False)
    _, first = np.unique(codes, return_index=True)
    averaged = samples.iloc[first].drop(columns="parallel").reset_index(drop=True)
    means, spread = grouped.mean(), grouped.std(ddof=1)
    count = grouped["d18O"].count().to_numpy()
    averaged["n_parallels"] = np.where(alone[first], 1, count)
    for name in ("d18O", "d2H"):
        averaged[name] = means[name].to_numpy()
        averaged[f"{name}_parallel_sd"] = spread[name].to_numpy()
        if f"{name}_sd" in averaged:
            averaged[f"{name}_sd"] /= np.sqrt(np.maximum(count, 1))
    return averaged


def _codes(unit: pd.DataFrame, alone: np.ndarray) -> np.ndarray:
    """Give each water a number, from 0 in order of appearance."""
    codes = unit.groupby(list(unit), sort=False, dropna=False).ngroup().to_numpy()
    mixed = np.where(alone, codes.max(initial=0) + 1 + np.arange(len(unit)), codes)
    return np.asarray(pd.factorize(mixed)[0])


def _check_once(samples: pd.DataFrame, codes: np.ndarray, alone: np.ndarray) -> None:
    keys = pd.DataFrame({"water": codes, "parallel": samples["parallel"].to_numpy()})
    twice = keys.duplicated(keep=False).to_numpy() & ~alone
    if twice.any():
        rows = np.flatnonzero(twice)
        message = (
            f"{rows.size} measurements share their water and parallel number, the "
            f"first in row {rows[0]} (parallel {samples['parallel'].iloc[rows[0]]}). "
            "Number the parallels of a water apart, or name more columns in 'unit'."
        )
        raise InputError(message)
