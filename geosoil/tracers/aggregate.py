"""Fractions of a region: means over samples or strata with weights that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers.groups import Group, check_columns

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


def combined_sources(
    sources: Sequence[str], parts: Mapping[str, Sequence[str]]
) -> dict[str, list[int]]:
    """Say which columns are added up when sources are combined.

    Parameters
    ----------
    sources : sequence of str
        Names of the sources.
    parts : mapping of str to sequence of str
        Name of each new source, and the sources that it is made of.

    Returns
    -------
    columns : dict of str to list of int
        Positions in ``sources`` of the parts of each source afterwards. A new source
        stands where the first of its parts stood; sources not named stay.

    Raises
    ------
    MixingError
        If a source is unknown or used twice, or a name is taken or has no part.

    Examples
    --------
    >>> combined_sources(["rain", "ice", "snow"], {"frozen": ["snow", "ice"]})
    {'rain': [0], 'frozen': [2, 1]}
    """
    used = [name for names in parts.values() for name in names]
    faults = {
        "unknown": [name for name in used if name not in sources],
        "used more than once": [name for name in used if used.count(name) > 1],
        "a source that stays has the name": [
            new for new in parts if new in sources and new not in used
        ],
        "made of nothing": [new for new, names in parts.items() if not names],
    }
    found = [
        f"{fault}: {', '.join(dict.fromkeys(names))}"
        for fault, names in faults.items()
        if names
    ]
    if found:
        message = (
            f"Sources cannot be combined. {'; '.join(found)}. Sources are "
            f"{', '.join(sources)}; use each at most once."
        )
        raise MixingError(message)
    home = {name: new for new, names in parts.items() for name in names}
    order = dict.fromkeys(home.get(name, name) for name in sources)
    places = {name: place for place, name in enumerate(sources)}
    return {new: [places[name] for name in parts.get(new, (new,))] for new in order}


@dataclass(frozen=True, slots=True, eq=False)
class GroupWeights:
    """Weights of rows within their groups, and what the groups weigh in all."""

    rows: FloatArray
    """Weight of each row; NaN where it is unknown."""
    total: FloatArray
    """Known weight of each group, with that of strata that have no row."""
    n_unknown: npt.NDArray[np.intp]
    """Rows and strata of each group whose weight is unknown."""


def group_weights(
    table: pd.DataFrame,
    groups: Sequence[Group],
    weights: pd.Series | npt.ArrayLike | None,
    *,
    on: Sequence[str] = (),
) -> GroupWeights:
    """Give each row its weight, and each group the weight of all that belongs to it.

    Parameters
    ----------
    table : DataFrame
        Labels of the rows.
    groups : sequence of Group
        Groups of rows to average within.
    weights : Series or array or None
        Weight of each row, or with ``on`` a Series indexed by strata, which may hold
        strata that have no row; none gives each row the weight 1. A weight that is
        not known is NaN.
    on : sequence of str
        Columns of ``table`` that name the stratum, in the order of the index' levels.

    Returns
    -------
    weights : GroupWeights
        A row whose stratum has no weight counts as one of unknown weight.

    Raises
    ------
    InputError
        If a weight is negative or infinite, there is not one a row, or a stratum
        stands twice in a group.

    Notes
    -----
    A stratum belongs to every group that it does not contradict: areas by elevation
    band hold in each period.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["June", "June"], "band": ["low", "high"]})
    >>> area = pd.Series({"low": 100.0, "high": 200.0, "top": 300.0})
    >>> group = Group({"period": "June"}, np.array([0, 1]))
    >>> found = group_weights(table, [group], area, on=["band"])
    >>> found.rows.tolist(), found.total.tolist()
    ([100.0, 200.0], [600.0])
    """
    given = np.ones(len(table)) if weights is None else np.asarray(weights, float)
    if np.any(given < 0) or np.any(np.isinf(given)):
        message = (
            "Invalid weights: every weight is a finite number of 0 or above, or "
            "missing where it is not known."
        )
        raise InputError(message)
    if on:
        return _stratum_weights(table, groups, _indexed(weights, on), list(on))
    if given.shape != (len(table),):
        message = f"{given.size} weights for {len(table)} rows. Give one each."
        raise InputError(message)
    total = [float(np.nansum(given[group.rows])) for group in groups]
    unknown = [int(np.isnan(given[group.rows]).sum()) for group in groups]
    return GroupWeights(given, np.array(total), np.array(unknown, dtype=np.intp))


def _indexed(
    weights: pd.Series | npt.ArrayLike | None, on: Sequence[str]
) -> pd.DataFrame:
    """Strata with their weights, one row each: columns of ``on`` and ``weight``."""
    words = ", ".join(on)
    if not isinstance(weights, pd.Series) or weights.index.nlevels != len(on):
        message = f"Weights by {words} are a Series indexed by these labels."
        raise InputError(message)
    if weights.index.has_duplicates:
        message = f"Weights by {words}: a stratum stands twice."
        raise InputError(message)
    strata = weights.index.to_frame(index=False).astype(object)
    strata.columns = pd.Index(on)
    return strata.assign(weight=weights.to_numpy(dtype=float))


def _stratum_weights(
    table: pd.DataFrame,
    groups: Sequence[Group],
    strata: pd.DataFrame,
    on: list[str],
) -> GroupWeights:
    check_columns(table, on, what="Fractions")
    labels = table[on].astype(object)
    keys = list(strata[on].itertuples(index=False, name=None))
    known = dict(zip(keys, strata["weight"], strict=True))
    names = list(labels.itertuples(index=False, name=None))
    rows = np.array([known.get(name, np.nan) for name in names], dtype=float)
    total, unknown, twice = [], [], []
    for group in groups:
        inside = [names[row] for row in group.rows]
        if len(set(inside)) < len(inside):
            twice.append(", ".join(map(str, group.key.values())) or "all rows")
        fits = np.ones(len(strata), dtype=bool)
        for column in set(on) & set(group.key):
            fits &= (strata[column] == group.key[column]).to_numpy(dtype=bool)
        held = strata.loc[fits, "weight"].to_numpy(dtype=float)
        strange = sum(name not in known for name in inside)
        total.append(float(np.nansum(held)))
        unknown.append(int(np.isnan(held).sum()) + strange)
    if twice:
        message = (
            f"A stratum of {', '.join(on)} stands twice in {'; '.join(twice)}. Average "
            "the rows of each stratum first, by weights of their own, then the strata."
        )
        raise InputError(message)
    return GroupWeights(rows, np.array(total), np.array(unknown, dtype=np.intp))


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
