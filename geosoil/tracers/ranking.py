"""Groups ranked by their distance to the local meteoric water line."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers._kernels_permutation import codes_of, holm
from geosoil.tracers.delta import Line, lc_excess
from geosoil.tracers.group_fractions import ONE_SITE, ClusteredMean, clustered_mean
from geosoil.tracers.groups import Group, check_columns, sample_groups
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]

NO_SAMPLE = "no sample with both isotopes"
"""Reason: no sample of the group has both isotopes."""


@dataclass(frozen=True, slots=True)
class LcExcessRanking:
    """Groups ranked by distance to a line, and which ranks can be told apart."""

    groups: pd.DataFrame
    """One row a group: its labels, ``n``, ``n_sites``, ``lc_excess``, ``lower``,
    ``upper`` [permil], ``rank`` (1 lies closest to the line), ``reason``."""
    pairs: pd.DataFrame
    """One row a pair of groups: labels of ``within``, ``first``, ``second``,
    ``difference`` of the distances [permil], its ``standard_error``, ``freedom``,
    ``p_value``, ``p_holm``, ``distinguishable``, ``reason``."""


def rank_by_lc_excess(
    samples: pd.DataFrame,
    by: str | Sequence[str],
    *,
    lmwl: Line,
    within: Sequence[str] = (),
    cluster: str = "site_id",
    confidence: float = 0.95,
) -> LcExcessRanking:
    """Rank groups of samples by their distance to the local meteoric water line.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with d18O and d2H [permil], ``by``, ``within``, ``cluster``.
    by : str or sequence of str
        Columns that make the groups to rank.
    lmwl : Line
        Local meteoric water line, with a slope and an intercept.
    within : sequence of str
        Columns whose every combination has a ranking of its own, such as the period.
    cluster : str
        Column of the unit of error, the site; a sample without a label is a site
        alone.
    confidence : float
        Confidence of the intervals; pairs are told apart at 1 less this.

    Returns
    -------
    ranking : LcExcessRanking
        Table of groups and table of pairs. A group without an answer keeps its row,
        with a reason.

    Raises
    ------
    InputError
        If a column is missing, there is no sample, or the confidence is not between
        0 and 1.

    Notes
    -----
    lc = d2H - a d18O - b, with the line's slope a and intercept b, taken as known.
    The mean's variance V is clustered by site (`clustered_mean`); the interval is the
    mean plus and minus t sqrt(V) with sites less one degrees of freedom. The distance
    is the absolute mean. Two distances differ by D = |m1| - |m2| with the variance
    V1 + V2 - 2 cov, cov from the sites that both groups share; t = D / sqrt(var) has
    Welch-Satterthwaite degrees of freedom, or those of the group with fewer sites
    where sites are shared. p values are adjusted by Holm within each ranking.

    References
    ----------
    Landwehr and Coplen (2006), in: Isotopes in Environmental Studies, IAEA-CSP-26,
    132-135; Liang and Zeger (1986), Biometrika 73, 13-22,
    doi:10.1093/biomet/73.1.13; Holm (1979), Scand. J. Stat. 6, 65-70.

    Examples
    --------
    >>> from geosoil.tracers.lines import GMWL
    >>> soil = pd.DataFrame({"site_id": list("abcd"), "d18O": [-12.0] * 4,
    ...     "d2H": [-87.0, -88.0, -96.0, -97.0], "vegetation": ["forest"] * 2
    ...     + ["meadow"] * 2})
    >>> ranking = rank_by_lc_excess(soil, "vegetation", lmwl=GMWL)
    >>> ranking.groups[["vegetation", "lc_excess", "rank"]].values.tolist()
    [['meadow', -10.5, 2.0], ['forest', -1.5, 1.0]]
    """
    names = [by] if isinstance(by, str) else list(by)
    outer = list(within)
    _check(samples, [cluster, *names, *outer], confidence)
    values = tracer_values(samples, ["d18O", "d2H"], what="Samples")
    excess = lc_excess(values[:, 0], values[:, 1], lmwl)[:, None]
    sites = codes_of(pd.factorize(samples[cluster])[0])
    groups, pairs = [], []
    for part in sample_groups(samples, outer):
        inner = sample_groups(samples.iloc[part.rows], names)
        found = [_GroupMean.of(group, part, excess, sites) for group in inner]
        groups.append(_group_rows(part.key, found, confidence))
        pairs.append(_pair_rows(part.key, found, confidence))
    return LcExcessRanking(
        pd.concat(groups, ignore_index=True), pd.concat(pairs, ignore_index=True)
    )


def _check(samples: pd.DataFrame, columns: list[str], confidence: float) -> None:
    check_columns(samples, columns, what="Samples")
    if samples.empty:
        message = "No samples to rank: the table is empty."
        raise InputError(message)
    if not 0 < confidence < 1:
        message = f"Invalid confidence '{confidence}'. Must be above 0 and below 1."
        raise InputError(message)


class _GroupMean(NamedTuple):
    """Mean lc-excess of one group, with the residual sum of each site."""

    key: dict[str, Hashable]
    name: str
    mean: ClusteredMean
    site_sums: FloatArray

    @classmethod
    def of(
        cls,
        group: Group,
        part: Group,
        excess: FloatArray,
        sites: npt.NDArray[np.intp],
    ) -> _GroupMean:
        rows = part.rows[group.rows]
        rows = rows[np.isfinite(excess[rows, 0])]
        mean = clustered_mean(excess[rows], sites[rows])
        residual = excess[rows, 0] - mean.mean[0]
        counted = np.bincount(sites[rows], residual, int(sites.max()) + 1)
        sums = np.asarray(counted, dtype=float)
        # A site that the group does not visit must not count as shared.
        sums[np.bincount(sites[rows], minlength=sums.size) == 0] = np.nan
        name = ", ".join(str(label) for label in group.key.values())
        return cls(group.key, name, mean, sums)

    @property
    def value(self) -> float:
        return float(self.mean.mean[0])

    @property
    def variance(self) -> float:
        return float(self.mean.covariance[0, 0])

    @property
    def reason(self) -> str:
        if not self.mean.n:
            return NO_SAMPLE
        return ONE_SITE if self.mean.n_clusters == 1 else ""


def _group_rows(
    outer: dict[str, Hashable], found: list[_GroupMean], confidence: float
) -> pd.DataFrame:
    rows = []
    for group in found:
        freedom = group.mean.n_clusters - 1
        t = stats.t.ppf(0.5 + confidence / 2.0, freedom) if freedom > 0 else np.nan
        half = float(t) * np.sqrt(group.variance)
        cells = {
            "n": group.mean.n,
            "n_sites": group.mean.n_clusters,
            "lc_excess": group.value,
            "lower": group.value - half,
            "upper": group.value + half,
        }
        rows.append({**outer, **group.key, **cells})
    table = pd.DataFrame(rows)
    table["rank"] = table["lc_excess"].abs().rank(method="min")
    table["reason"] = [group.reason for group in found]
    return table


def _pair_rows(
    outer: dict[str, Hashable], found: list[_GroupMean], confidence: float
) -> pd.DataFrame:
    names = ("difference", "standard_error", "freedom", "p_value")
    pairs = list(combinations(found, 2))
    rows = []
    for first, second in pairs:
        cells = dict(zip(names, _difference(first, second), strict=True))
        rows.append({**outer, "first": first.name, "second": second.name, **cells})
    table = pd.DataFrame(rows, columns=[*outer, "first", "second", *names])
    adjusted = holm(table["p_value"].to_numpy(dtype=float))
    table["p_holm"] = adjusted
    table["distinguishable"] = adjusted < 1.0 - confidence
    table["reason"] = [
        "; ".join(f"{group.name}: {group.reason}" for group in pair if group.reason)
        for pair in pairs
    ]
    return table


def _difference(
    first: _GroupMean, second: _GroupMean
) -> tuple[float, float, float, float]:
    """Difference of two distances, its error, degrees of freedom and p value."""
    signs = np.sign(first.value), np.sign(second.value)
    difference = abs(first.value) - abs(second.value)
    if first.reason or second.reason:
        return difference, np.nan, np.nan, np.nan
    shared = first.site_sums * second.site_sums
    both = np.isfinite(shared)
    sites = np.array([first.mean.n_clusters, second.mean.n_clusters])
    own = np.array([first.variance, second.variance])
    factor = np.sqrt(np.prod(sites / (sites - 1)))
    covariance = factor * shared[both].sum() / (first.mean.n * second.mean.n)
    variance = own.sum() - 2.0 * signs[0] * signs[1] * covariance
    error = float(np.sqrt(max(variance, 0.0)))
    welch = own.sum() ** 2 / (own**2 / (sites - 1)).sum() if own.sum() > 0 else 1.0
    freedom = float(sites.min() - 1 if both.any() else welch)
    if error == 0:
        return difference, error, freedom, float(difference == 0)
    p_value = 2.0 * float(stats.t.sf(abs(difference) / error, freedom))
    return difference, error, freedom, p_value
