"""Fractions of a region: means over samples or strata with weights that are named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.groups import check_columns

FloatArray = npt.NDArray[np.float64]


def weighted_fractions(
    fractions: pd.DataFrame,
    weights: pd.Series | npt.ArrayLike | None = None,
    *,
    on: Sequence[str] = (),
) -> pd.DataFrame:
    """Average source fractions over samples or strata.

    Parameters
    ----------
    fractions : DataFrame
        Output of `source_fractions` or `fractions_of_means`.
    weights : Series or array, optional
        Weight of each row, such as the area of a stratum [km2] or its number of
        samples; none gives the plain mean. With ``on``, a Series indexed by the
        strata, which may hold strata that ``fractions`` has no row for.
    on : sequence of str
        Columns of ``fractions`` that name the stratum, in the order of the levels of
        ``weights``' index.

    Returns
    -------
    mean : DataFrame
        One row a source: ``source``; ``fraction``; ``sd_independent``, standard
        deviation if the rows' errors were independent; ``sd_shared``, if they were
        wholly shared, as errors of common end members are: the truth lies between;
        ``covered``, share of all weight that rows with an answer hold; ``n`` rows
        used.

    Raises
    ------
    InputError
        If weights are negative, not one a row, or give nothing to average.

    Notes
    -----
    F = sum w f / sum w over the rows with an answer. sd_independent = sqrt(sum
    (w sd)^2) / sum w; sd_shared = sum (w sd) / sum w.

    Examples
    --------
    >>> table = pd.DataFrame({"band": ["low", "high"], "ice": [0.0, 0.3],
    ...                       "ice_sd": [0.0, 0.1], "ice_raw": [0.0, 0.3]})
    >>> area = pd.Series({"low": 100.0, "high": 200.0, "top": 300.0})
    >>> mean = weighted_fractions(table, area, on=["band"])
    >>> mean[["fraction", "covered"]].round(3).values.tolist()
    [[0.2, 0.5]]
    """
    weight, total = _row_weights(fractions, weights, on)
    rows = []
    for source in fraction_sources(fractions):
        value = fractions[source].to_numpy(dtype=float)
        sd = fractions[f"{source}_sd"].to_numpy(dtype=float)
        used = np.isfinite(value) & (weight > 0)
        held = float(weight[used].sum())
        if not held > 0:
            message = f"No row with a fraction of {source} has a weight above 0."
            raise InputError(message)
        share = weight[used] / held
        rows.append(
            {
                "source": source,
                "fraction": float(share @ value[used]),
                "sd_independent": float(np.sqrt(share**2 @ sd[used] ** 2)),
                "sd_shared": float(share @ sd[used]),
                "covered": held / total,
                "n": int(used.sum()),
            }
        )
    return pd.DataFrame(rows)


def fraction_sources(fractions: pd.DataFrame) -> list[str]:
    """Return the sources of a table of fractions.

    Parameters
    ----------
    fractions : DataFrame
        Output of `source_fractions` or `fractions_of_means`.

    Returns
    -------
    sources : list of str
        Names of the columns that have ``_sd`` and ``_raw`` beside them.

    Raises
    ------
    InputError
        If the table has no fractions.

    Examples
    --------
    >>> fraction_sources(pd.DataFrame(columns=["n", "ice", "ice_sd", "ice_raw"]))
    ['ice']
    """
    names = set(fractions.columns)
    sources = [
        str(name)
        for name in fractions.columns
        if {f"{name}_sd", f"{name}_raw"} <= names
    ]
    if not sources:
        found = ", ".join(map(str, fractions.columns))
        message = f"No fractions in the table. Columns found: {found}."
        raise InputError(message)
    return sources


def _row_weights(
    fractions: pd.DataFrame,
    weights: pd.Series | npt.ArrayLike | None,
    on: Sequence[str],
) -> tuple[FloatArray, float]:
    """Weight of each row, and the sum of all weights given."""
    if weights is None:
        equal = np.ones(len(fractions))
        return equal, float(len(fractions))
    given = np.asarray(weights, dtype=float)
    if np.any(given < 0) or not np.all(np.isfinite(given)):
        message = "Invalid weights: every weight is a finite number of 0 or above."
        raise InputError(message)
    if not on:
        if given.shape != (len(fractions),):
            message = f"{given.size} weights for {len(fractions)} rows. Give one each."
            raise InputError(message)
        return given, float(given.sum())
    if not isinstance(weights, pd.Series) or weights.index.nlevels != len(on):
        message = f"Weights by {', '.join(on)} are a Series indexed by these labels."
        raise InputError(message)
    check_columns(fractions, on, what="Fractions")
    if fractions.duplicated(list(on)).any() or weights.index.has_duplicates:
        message = f"A stratum of {', '.join(on)} stands twice; average it first."
        raise InputError(message)
    labels = fractions[list(on)]
    wanted = pd.MultiIndex.from_frame(labels) if len(on) > 1 else labels[on[0]]
    found = weights.reindex(wanted).to_numpy(dtype=float)
    return np.nan_to_num(found), float(given.sum())
