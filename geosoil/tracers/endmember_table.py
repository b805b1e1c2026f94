"""Tables of end members: what they may not hold, and their spread in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers.source_means import row_label
from geosoil.tracers.tracer_space import tracer_basis, tracer_covariances

FloatArray = npt.NDArray[np.float64]

WHAT = "End members"
SPREADS: tuple[str, ...] = ("sample", "mean")
"""What a standard deviation of an end member may be that of."""
ROUNDING = 1e-9
"""Share by which a covariance may pass its limit through rounding."""


def check_sources(table: pd.DataFrame, by: Sequence[str]) -> None:
    """Raise where a row has no source, stands twice or has an unknown spread.

    Parameters
    ----------
    table : DataFrame
        End members, with column ``source`` and those of ``by``; ``spread_of`` where
        the spread is stated.
    by : sequence of str
        Columns that make the strata.

    Raises
    ------
    MixingError
        If a source has no name or stands twice in one stratum, or ``spread_of`` is
        neither sample nor mean.

    Examples
    --------
    >>> check_sources(pd.DataFrame({"source": ["rain", "ice"]}), [])
    """
    if table.empty or table["source"].isna().any():
        nameless = int(table["source"].isna().sum())
        message = (
            f"{WHAT}: {nameless} of {len(table)} rows have no source. "
            "Give a name in column 'source' of every row."
        )
        raise MixingError(message)
    twice = table[table.duplicated(["source", *by], keep=False)]
    if len(twice):
        names = "; ".join(row_label(row, by) for _, row in twice.iterrows())
        message = (
            f"{WHAT}: given more than once: {names}. Keep one row a source and "
            "stratum, or name the column that tells them apart in 'by'."
        )
        raise MixingError(message)
    if "spread_of" in table.columns:
        strange = table[~table["spread_of"].isin(SPREADS) & table["spread_of"].notna()]
        if len(strange):
            names = "; ".join(
                f"{row_label(row, by)} has {row['spread_of']!r}"
                for _, row in strange.iterrows()
            )
            message = f"{WHAT}: spread_of is sample or mean: {names}."
            raise MixingError(message)


def named_covariances(
    table: pd.DataFrame, tracers: Sequence[str], by: Sequence[str]
) -> FloatArray:
    """Return the covariance of every end member; name those that cannot be one.

    Parameters
    ----------
    table : DataFrame
        End members, see `EndMembers.table`.
    tracers : sequence of str
        Tracers wanted.
    by : sequence of str
        Columns that make the strata.

    Returns
    -------
    covariances : array, shape (row, tracer, tracer)
        Covariances; zero where not given.

    Raises
    ------
    MixingError
        If a standard deviation is negative, or a covariance is not positive; the
        message lists every source and stratum.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "Cl_sd": [0.5]})
    >>> named_covariances(table, ["Cl"], []).tolist()
    [[[0.25]]]
    """
    measured, _ = tracer_basis(list(table.columns), tracers)
    try:
        covariances = tracer_covariances(table, tracers, what=WHAT)
    except InputError as error:
        faults = _spread_faults(table, measured, by)
        if not faults:
            raise
        raise MixingError(_spread_message(faults)) from error
    # With three tracers and more, pairs may pass and the whole still fail.
    plain = tracer_covariances(table, measured, what=WHAT)
    sd = np.sqrt(np.einsum("kjj->kj", plain))
    scale = np.where(sd > 0, sd, 1.0)
    correlation = plain / (scale[:, :, None] * scale[:, None, :])
    bad = np.linalg.eigvalsh(correlation).min(axis=1) < -ROUNDING
    if bad.any():
        pairs = ", ".join(measured)
        faults = [
            f"the covariances of {pairs} are not positive together for "
            f"{row_label(row, by)}"
            for _, row in table[bad].iterrows()
        ]
        raise MixingError(_spread_message(faults))
    return covariances


def known_deviations(
    table: pd.DataFrame, tracers: Sequence[str], covariances: FloatArray
) -> FloatArray:
    """Return standard deviations, missing where the table does not tell them.

    Parameters
    ----------
    table : DataFrame
        End members, see `EndMembers.table`.
    tracers : sequence of str
        Tracers wanted.
    covariances : array, shape (row, tracer, tracer)
        Covariances, see `named_covariances`.

    Returns
    -------
    deviations : array, shape (row, tracer)
        Standard deviations; NaN where one behind the tracer is not given.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0]})
    >>> known_deviations(table, ["Cl"], np.zeros((1, 1, 1))).tolist()
    [[nan]]
    """
    deviations = np.sqrt(np.einsum("kjj->kj", covariances))
    measured, matrix = tracer_basis(list(table.columns), tracers)
    known = table.reindex(columns=[f"{name}_sd" for name in measured]).notna()
    lacking = (matrix != 0) @ (~known.to_numpy()).T
    return np.where(lacking.T, np.nan, deviations)


def sample_counts(table: pd.DataFrame) -> FloatArray:
    """Return how many samples stand behind each mean.

    Parameters
    ----------
    table : DataFrame
        End members, see `EndMembers.table`.

    Returns
    -------
    counts : array, shape (row,)
        See `EndMembers.counts`.

    Examples
    --------
    >>> sample_counts(pd.DataFrame({"source": ["rain"], "n": [40]})).tolist()
    [40.0]
    """
    numbers = pd.Series(np.nan, index=table.index)
    for column in ("n_effective", "n"):
        if column in table.columns:
            numbers = numbers.fillna(table[column].astype(float))
    if "spread_of" in table.columns:
        numbers = numbers.where(table["spread_of"] != "mean")
    return np.maximum(numbers.fillna(1.0).to_numpy(dtype=float), 1.0)


def spread_of_means(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose spread is that of the means.

    Parameters
    ----------
    table : DataFrame
        End members, see `EndMembers.table`.

    Returns
    -------
    table : DataFrame
        SDs divided by sqrt(n), covariances by n.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["rain"], "Cl_sd": [0.5], "n": [25]})
    >>> spread_of_means(table)["Cl_sd"].tolist()
    [0.1]
    """
    counts = sample_counts(table)
    table = table.copy()
    for column in map(str, table.columns):
        if column.endswith("_sd"):
            table[column] = table[column] / np.sqrt(counts)
        elif column.endswith("_cov"):
            table[column] = table[column] / counts
    if "spread_of" in table.columns:
        table["spread_of"] = "mean"
    return table


def describe_sources(
    table: pd.DataFrame, tracers: Sequence[str], moments: tuple[FloatArray, ...]
) -> pd.DataFrame:
    """Tell the mean, SD and SE of every end member, row by row.

    Parameters
    ----------
    table : DataFrame
        End members, see `EndMembers.table`.
    tracers : sequence of str
        Tracers to tell.
    moments : tuple of array, shape (row, tracer)
        Means, standard deviations and standard errors.

    Returns
    -------
    description : DataFrame
        One row an end member and tracer: ``tracer``, ``mean``, ``sd``, ``se``, ``n``,
        ``n_effective``, ``words``.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["rain"], "n": [4]})
    >>> parts = tuple(np.array([[value]]) for value in (2.0, 0.5, 0.25))
    >>> describe_sources(table, ["Cl"], parts)["words"].item()
    'mean of 4 samples; SD 0.5 is the spread of samples, SE 0.25 that of the mean'
    """
    rows = []
    for place in range(len(table)):
        n, effective = (
            float(table[column].iloc[place]) if column in table.columns else np.nan
            for column in ("n", "n_effective")
        )
        of_mean = (
            "spread_of" in table.columns and table["spread_of"].iloc[place] == "mean"
        )
        for at, tracer in enumerate(tracers):
            mean, sd, se = (float(part[place, at]) for part in moments)
            rows.append(
                {
                    "row": place,
                    "tracer": tracer,
                    "mean": mean,
                    "sd": sd,
                    "se": se,
                    "n": n,
                    "n_effective": effective,
                    "words": _words(n, effective, sd, "mean" if of_mean else se),
                }
            )
    return pd.DataFrame(rows).set_index("row")


def _words(n: float, effective: float, sd: float, se: float | str) -> str:
    if np.isnan(n):
        number = "n not given"
    elif n == 1:
        number = "one sample"
    else:
        number = f"mean of {n:.0f} samples"
    if effective < n - ROUNDING:
        number += f" (as good as {effective:.3g})"
    if np.isnan(sd):
        return f"{number}; SD and SE unknown"
    if se == "mean":
        return f"{number}; {sd:.3g} is the spread of the mean (SE)"
    if np.isnan(n) and np.isnan(effective):
        return f"{number}; SD {sd:.3g} counts in full, for samples and for the mean"
    return (
        f"{number}; SD {sd:.3g} is the spread of samples, SE {se:.3g} that of the mean"
    )


def _spread_message(faults: Sequence[str]) -> str:
    return (
        f"{WHAT}: {'; '.join(faults)}. Give standard deviations of 0 or more, and "
        "covariances within the product of both."
    )


def _spread_faults(
    table: pd.DataFrame, measured: Sequence[str], by: Sequence[str]
) -> list[str]:
    """List negative deviations and covariances too large, with their sources."""
    faults = []
    columns = list(map(str, table.columns))
    for _, row in table.iterrows():
        sd = {name: _number(row, f"{name}_sd", columns) for name in measured}
        label = row_label(row, by)
        faults += [
            f"{name}_sd of {label} is {value:g}"
            for name, value in sd.items()
            if value < 0
        ]
        for place, first in enumerate(measured):
            for second in measured[:place]:
                names = f"{second}_{first}_cov", f"{first}_{second}_cov"
                column = names[0] if names[0] in columns else names[1]
                both = _number(row, column, columns)
                limit = abs(sd[first] * sd[second])
                if both**2 > limit**2 * (1 + ROUNDING):
                    faults.append(
                        f"the covariance of {first} and {second} is larger than "
                        f"their standard deviations allow for {label}: {both:g}, "
                        f"at most {limit:g}"
                    )
    return faults


def _number(row: pd.Series, column: str, columns: Sequence[str]) -> float:
    value = pd.to_numeric(row[column], errors="coerce") if column in columns else 0.0
    return float(np.nan_to_num(value))
