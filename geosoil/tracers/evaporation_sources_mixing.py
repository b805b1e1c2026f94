"""End members as evaporated: a source moved along its evaporation, with the errors."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_prior import EvaporationPrior
from geosoil.tracers.source_means import row_label

FloatArray = npt.NDArray[np.float64]

Pairs = list[tuple[pd.Series, EvaporationPrior | None, float]]

ISOTOPES = ("d18O", "d2H", "d_excess")


def evaporated_end_members(
    end_members: EndMembers,
    prior: EvaporationPrior | Mapping[Hashable, EvaporationPrior],
    *,
    source: str = "precipitation",
    prior_by: str = "period",
) -> EndMembers:
    """Give a source as evaporated where end members hold it as fallen.

    Parameters
    ----------
    end_members : EndMembers
        Sources as fallen.
    prior : EvaporationPrior or mapping of label to EvaporationPrior
        Evaporation of the source: one for all, or one for each label of the column
        ``prior_by``. A row of the source that holds for any label is split.
    source : str
        Source that evaporates before it mixes.
    prior_by : str
        Column of the labels of a mapping.

    Returns
    -------
    evaporated : EndMembers
        The other sources unchanged, strata kept.

    Raises
    ------
    MixingError
        If the source is unknown, has no prior in a stratum or no isotope.
    InputError
        If a prior says nothing of the amount.

    Notes
    -----
    Mean + E g, g = (1, s) in (d18O, d2H) and s - 8 in d-excess. Covariance + var(E) g
    g' + (E^2 + var(E)) var(s) along d2H, with the moments of E once cut at 0. This
    error is shared by all samples of the source and does not shrink with their number:
    where ``n`` is given, ``n_effective`` falls so that the spread of the mean keeps
    it in full. Mix these end members without evaporation, `source_fractions`, if
    rain alone evaporates; `evaporated_fractions` lets the mixture evaporate.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["precipitation", "ground_ice"], "d18O": [-12.0, -15.0],
    ...     "d2H": [-86.0, -117.0], "d18O_sd": [0.3, 0.4], "d2H_sd": [2.4, 3.0]}))
    >>> known = EvaporationPrior(4.0, 0.5, shift=2.0, shift_sd=0.4)
    >>> rain = evaporated_end_members(ends, known).table.iloc[0]
    >>> [round(float(rain[name]), 2) for name in ("d18O", "d2H", "d18O_sd", "d2H_sd")]
    [-10.0, -78.0, 0.5, 3.06]
    """
    table, by = end_members.table, end_members.by
    if source not in end_members.sources:
        found = ", ".join(end_members.sources)
        message = f"Unknown source {source}. End members are {found}."
        raise MixingError(message)
    names = [name for name in ISOTOPES if name in table.columns]
    if not names:
        message = f"End members hold none of {', '.join(ISOTOPES)}: nothing evaporates."
        raise MixingError(message)
    if isinstance(prior, EvaporationPrior):
        own = table["source"] == source
        rows = zip(table.iterrows(), own, end_members.counts(), strict=True)
        pairs: Pairs = [
            (row, prior if mine else None, float(count))
            for (_, row), mine, count in rows
        ]
    else:
        by = by if prior_by in by else (*by, prior_by)
        pairs = _by_label(end_members, prior, source, prior_by)
    moved = [
        row if known is None else _evaporate(row, known, names, count)
        for row, known, count in pairs
    ]
    return EndMembers.from_table(pd.DataFrame(moved), by=by)


def _by_label(
    end_members: EndMembers,
    priors: Mapping[Hashable, EvaporationPrior],
    source: str,
    prior_by: str,
) -> Pairs:
    """Pair each row with its prior; split the source's rows that fit any label."""
    pairs: Pairs = []
    lacking = []
    table = end_members.table
    table = table.assign(**{prior_by: table.get(prior_by)})
    for (_, row), count in zip(table.iterrows(), end_members.counts(), strict=True):
        label = row[prior_by]
        if row["source"] != source:
            pairs.append((row, None, count))
        elif pd.isna(label):
            for each, known in priors.items():
                split = row.copy()
                split[prior_by] = each
                pairs.append((split, known, count))
        elif label in priors:
            pairs.append((row, priors[label], count))
        else:
            lacking.append(row_label(row, end_members.by))
    if lacking:
        found = ", ".join(map(str, priors)) or "none"
        message = (
            f"No prior of evaporation for {'; '.join(lacking)}. Priors are given for "
            f"{prior_by} {found}."
        )
        raise MixingError(message)
    return pairs


def _evaporate(
    row: pd.Series, prior: EvaporationPrior, names: list[str], count: float
) -> pd.Series:
    amount, amount_sd = prior.moments
    direction, bend = prior.direction(names), prior.bend(names)
    added: FloatArray = amount_sd**2 * np.outer(direction, direction)
    added += (amount**2 + amount_sd**2) * prior.slope_sd**2 * np.outer(bend, bend)
    moved = row.copy()
    kept = [1.0]
    for i, j in combinations_with_replacement(range(len(names)), 2):
        first, second = names[i], names[j]
        if i == j:
            moved[first] = row[first] + amount * direction[i]
            before = _number(row, f"{first}_sd") ** 2
            moved[f"{first}_sd"] = np.sqrt(before + added[i, i])
            if before + added[i, i] > 0:
                kept.append((before + added[i, i]) / (before / count + added[i, i]))
        else:
            forms = (f"{first}_{second}_cov", f"{second}_{first}_cov")
            column = forms[0] if forms[0] in row.index else forms[1]
            column = column if column in row.index else forms[0]
            moved[column] = _number(row, column) + added[i, j]
    if count > 1:
        moved["n_effective"] = max(min(kept[1:]), 1.0)
    return moved


def _number(row: pd.Series, column: str) -> float:
    """Value of an optional column; missing counts as 0, as everywhere in mixing."""
    value = float(row.get(column, 0.0))
    return 0.0 if np.isnan(value) else value
