"""Source fractions of the mean water of groups, with sites as the unit of error."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import Group, check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MixingAnswer, MixingTask, solve_mixtures
from geosoil.tracers.source_arrays import SourceArrays
from geosoil.tracers.tracer_space import tracer_values
from geosoil.tracers.uncertainty import (
    satterthwaite_df,
    student_t,
    tracer_shares,
    variance_parts,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

ONE_SITE = "one site: no standard error"
"""Reason: the group's samples come from one site."""


class ClusteredMean(NamedTuple):
    """Mean of samples that come in clusters."""

    mean: FloatArray
    """Mean of the samples, shape (tracer,)."""
    covariance: FloatArray
    """Covariance of the mean, shape (tracer, tracer); NaN with one cluster."""
    n: int
    """Samples with all tracers."""
    n_clusters: int
    """Clusters that these come from."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupMeans:
    """Mean waters of groups, ready to be unmixed; made by `group_means`."""

    table: pd.DataFrame
    """One row a group: columns of ``by``, ``n`` samples, ``n_sites``."""
    groups: list[Group]
    """Key and samples of each group."""
    means: list[ClusteredMean]
    """Mean of each group with its covariance by site."""
    task: MixingTask
    """The means as mixtures; sources enter with the covariance of their mean."""
    strata: list[Group]
    """Stratum of the end members of each group that lies in one."""
    reasons: list[str]
    """Why a group lies in no stratum; "" where it lies in one."""


def cluster_codes(clusters: npt.ArrayLike) -> IntArray:
    """Give the clusters of samples numbers from 0.

    Parameters
    ----------
    clusters : array, shape (n,)
        Cluster of each sample; a missing label is a cluster alone.

    Returns
    -------
    codes : array of int, shape (n,)
        Number of each sample's cluster, in order of appearance; those without a
        label come last.

    Examples
    --------
    >>> cluster_codes(["a", None, "b", "a", None]).tolist()
    [0, 2, 1, 0, 3]
    """
    codes = pd.factorize(pd.Series(np.asarray(clusters, dtype=object)))[0]
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    return np.asarray(codes, dtype=np.intp)


def clustered_mean(values: FloatArray, clusters: npt.ArrayLike) -> ClusteredMean:
    """Average samples whose errors are shared within clusters.

    Parameters
    ----------
    values : array, shape (n, tracer)
        Samples; rows with a missing tracer are left out.
    clusters : array, shape (n,)
        Cluster of each sample, such as its site; a missing label is a cluster alone.

    Returns
    -------
    mean : ClusteredMean
        Mean with its covariance.

    Notes
    -----
    var = C / (C - 1) sum_c r_c r_c' / n^2, where r_c is the sum of the residuals in
    cluster c of C. Soil layers of one profile are not independent samples; with one
    sample a cluster this is s^2 / n.

    References
    ----------
    Liang and Zeger (1986), Biometrika 73, 13-22, doi:10.1093/biomet/73.1.13.

    Examples
    --------
    >>> values = np.array([[1.0], [1.0], [3.0], [3.0]])
    >>> clustered_mean(values, ["a", "a", "b", "b"]).covariance.tolist()
    [[1.0]]
    """
    whole = np.isfinite(values).all(axis=1)
    n, size = int(whole.sum()), values.shape[1]
    if not n:
        nothing = np.full((size, size), np.nan)
        return ClusteredMean(np.full(size, np.nan), nothing, 0, 0)
    codes = cluster_codes(np.asarray(clusters, dtype=object)[whole])
    count = int(codes.max()) + 1
    mean = values[whole].mean(axis=0)
    sums = np.zeros((count, size))
    np.add.at(sums, codes, values[whole] - mean)
    factor = count / (count - 1) if count > 1 else np.nan
    return ClusteredMean(mean, factor * (sums.T @ sums) / n**2, n, count)


def fractions_of_means(
    samples: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str],
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    cluster: str = "site_id",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Solve the source fractions of each group's mean water.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with the tracers, the columns of ``by``, ``cluster`` and
        ``end_members.by``, and optionally ``<source>_allowed``: a source takes part
        in a group where any of its samples allows it.
    end_members : EndMembers
        Sources; each group must lie in one of their strata.
    by : sequence of str
        Columns that make the groups.
    tracers : sequence of str
        Tracers to use.
    cluster : str
        Column of the unit of error, the site.
    confidence : float
        Confidence of the interval.

    Returns
    -------
    fractions : DataFrame
        One row a group: columns of ``by``; ``n`` samples; ``n_sites``; for each source
        ``<source>``, ``<source>_sd`` (standard error), ``<source>_raw``,
        ``<source>_lower``, ``<source>_upper``; ``chi2``; ``reason``.

    Raises
    ------
    MixingError
        If end members cannot be told apart.
    InputError
        If a column is missing or there is no sample.

    Notes
    -----
    The mean's covariance is clustered by site (`clustered_mean`); an end member has
    the covariance of its mean, Sigma / n (Sigma where n is not given). Both go through
    first-order propagation. The interval is the raw fraction plus and minus t times
    the standard error, cut to 0 and 1 and widened to hold the constrained fraction;
    t has Welch-Satterthwaite degrees of freedom, sites less one for the mixture and
    n less one for a source.

    References
    ----------
    Phillips and Gregg (2001), Oecologia 127, 171-179, doi:10.1007/s004420000578.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
    ...     "Cl": [1.0, 9.0], "Cl_sd": [0.4, 0.4], "n": [16, 16]}))
    >>> soil = pd.DataFrame({"site_id": ["a", "b", "c"], "Cl": [2.0, 3.0, 4.0]})
    >>> answer = fractions_of_means(soil, ends, [], tracers=["Cl"])
    >>> answer[["rain", "n_sites"]].values.tolist()
    [[0.75, 3.0]]
    """
    found = group_means(samples, end_members, by, tracers=tracers, cluster=cluster)
    answer = solve_mixtures(found.task, end_members, found.strata)
    table = found.table
    half = _half_width(found, end_members, answer, confidence)
    for place, source in enumerate(end_members.sources):
        table = table.assign(**_columns(answer, half, source, place))
    table["chi2"] = answer.chi2
    alone = [ONE_SITE if mean.n_clusters == 1 else "" for mean in found.means]
    parts = zip(found.reasons, answer.reason, alone, strict=True)
    table["reason"] = ["; ".join(filter(None, words)) for words in parts]
    return table


def group_means(
    samples: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str],
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    cluster: str = "site_id",
) -> GroupMeans:
    """Average the samples of each group and find its end members.

    Parameters
    ----------
    samples, end_members, by, tracers, cluster
        As in `fractions_of_means`.

    Returns
    -------
    means : GroupMeans
        Mean waters with covariances clustered by site, and their strata.

    Raises
    ------
    InputError
        If a column is missing or there is no sample.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0]}))
    >>> soil = pd.DataFrame({"site_id": ["a", "b"], "Cl": [2.0, 4.0]})
    >>> group_means(soil, ends, [], tracers=["Cl"]).task.compositions.tolist()
    [[3.0]]
    """
    names = list(tracers)
    check_columns(samples, [cluster, *by, *end_members.by], what="Samples")
    groups = _filled_groups(samples, by)
    values = tracer_values(samples, names, what="Samples")
    sites = samples[cluster].to_numpy()
    means = [clustered_mean(values[g.rows], sites[g.rows]) for g in groups]
    allowed = allowed_sources(samples, end_members.sources)
    task = MixingTask(
        names,
        np.array([mean.mean for mean in means]),
        np.nan_to_num([mean.covariance for mean in means]),
        np.array([allowed[group.rows].any(axis=0) for group in groups]),
        "gls",
        of_means=True,
    )
    strata, reasons = _strata(samples, end_members, groups)
    table = pd.DataFrame([group.key for group in groups], index=range(len(groups)))
    table["n"] = [mean.n for mean in means]
    table["n_sites"] = [mean.n_clusters for mean in means]
    return GroupMeans(table, groups, means, task, strata, reasons)


def _filled_groups(samples: pd.DataFrame, by: Sequence[str]) -> list[Group]:
    if samples.empty:
        message = "No samples to average: the table is empty."
        raise InputError(message)
    return sample_groups(samples, by)


def _strata(
    samples: pd.DataFrame, end_members: EndMembers, groups: Sequence[Group]
) -> tuple[list[Group], list[str]]:
    """Find the stratum of each group; say where a group spans several."""
    strata, reasons = [], []
    for place, group in enumerate(groups):
        labels = samples.iloc[group.rows]
        found = {column: labels[column].unique() for column in end_members.by}
        mixed = [column for column, values in found.items() if len(values) != 1]
        reasons.append(f"group spans several {', '.join(mixed)}" if mixed else "")
        if not mixed:
            key: dict[str, Hashable] = {
                column: values[0] for column, values in found.items()
            }
            strata.append(Group(key, np.array([place])))
    return strata, reasons


def _half_width(
    found: GroupMeans,
    end_members: EndMembers,
    answer: MixingAnswer,
    confidence: float,
) -> FloatArray:
    """Half width of the interval of each raw fraction, shape (group, source)."""
    half = np.full(answer.raw.shape, np.nan)
    arrays = SourceArrays.of(end_members, found.task)
    for group in found.strata:
        row = int(group.rows[0])
        sites = found.means[row].n_clusters
        if sites < 2 or np.isnan(answer.sd[row]).all():
            answer.sd[row] = np.nan
            continue
        rows = arrays.rows(group.key)
        raw = answer.raw[row, arrays.places[rows]]
        shares = tracer_shares(raw, arrays.concentrations[rows])
        own, spread = found.task.covariances[row], arrays.spread[rows]
        parts = variance_parts(own, spread, shares, answer.gain[row])
        counts = arrays.counts[rows]
        freedom = np.r_[sites - 1, np.where(counts > 1, counts - 1, np.inf)]
        t = student_t(satterthwaite_df(parts, freedom), confidence)
        half[row] = t * answer.sd[row]
    return half


def _columns(
    answer: MixingAnswer, half: FloatArray, source: str, place: int
) -> dict[str, FloatArray]:
    raw, fraction = answer.raw[:, place], answer.fractions[:, place]
    lower = np.minimum(np.clip(raw - half[:, place], 0.0, 1.0), fraction)
    upper = np.maximum(np.clip(raw + half[:, place], 0.0, 1.0), fraction)
    return {
        source: fraction,
        f"{source}_sd": answer.sd[:, place],
        f"{source}_raw": raw,
        f"{source}_lower": lower,
        f"{source}_upper": upper,
    }
