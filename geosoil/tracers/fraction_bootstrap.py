"""Bootstrap of source fractions: sites of mixtures and samples of sources redrawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_drawing import Drawing, drawn_fractions, mixing_rows
from geosoil.tracers.group_fractions import GroupMeans, cluster_codes, group_means
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing_solver import solve_mixtures
from geosoil.tracers.source_means import sample_weights
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

METHOD = "bootstrap"
FEWEST_UNITS = 3
"""Fewest sites of a group, and samples or clusters of a source, to draw from."""
DRAWS = 2000
"""Draws where none are asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceSamples:
    """Samples of the sources, and how they are averaged and redrawn.

    Examples
    --------
    >>> table = pd.DataFrame({"water": ["rain"] * 2 + ["ice"] * 2,
    ...                       "Cl": [1.0, 3.0, 8.0, 10.0]})
    >>> SourceSamples(table, ("rain", "ice")).end_members(["Cl"]).sources
    ('rain', 'ice')
    """

    table: pd.DataFrame
    """One row a sample, with ``water`` and the tracers."""
    sources: tuple[str, ...]
    """Waters that mix, in the order wanted."""
    by: tuple[str, ...] = ()
    """Columns that make strata, such as ``("period",)``."""
    amount: str | None = None
    """Column of precipitation amounts [mm] that weight a source which has them."""
    cluster: str | None = None
    """Column of units that are drawn whole, such as events or sites; None draws
    single samples."""

    def end_members(self, tracers: Sequence[str]) -> EndMembers:
        """Average the samples of each source and stratum.

        Parameters
        ----------
        tracers : sequence of str
            Tracers to average.

        Returns
        -------
        end_members : EndMembers
            As from `EndMembers.from_samples`.

        Raises
        ------
        MixingError
            If a source has no sample.
        InputError
            If a column is missing.

        Examples
        --------
        >>> table = pd.DataFrame({"water": ["rain"] * 2, "Cl": [1.0, 3.0]})
        >>> SourceSamples(table, ("rain",)).end_members(["Cl"]).means(["Cl"]).tolist()
        [[2.0]]
        """
        if self.cluster is not None:
            check_columns(self.table, [self.cluster], what="Samples of sources")
        return EndMembers.from_samples(
            self.table,
            sources=self.sources,
            by=self.by,
            tracers=tracers,
            amount=self.amount,
        )


def bootstrap_fractions(
    samples: pd.DataFrame,
    sources: SourceSamples,
    by: Sequence[str],
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    drawing: Drawing | None = None,
    rng: np.random.Generator,
) -> FractionDraws:
    """Redraw sites and source samples, and solve each group's fractions anew.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with the tracers, the columns of ``by`` and
        ``sources.by``, that of the site, and optionally ``<source>_allowed``.
    sources : SourceSamples
        Samples of the sources.
    by : sequence of str
        Columns that make the groups; empty for one group.
    tracers : sequence of str
        Tracers to use.
    drawing : Drawing, optional
        Number of draws (2000), column of the site, constraint.
    rng : Generator
        Source of chance.

    Returns
    -------
    draws : FractionDraws
        One row a group with ``n`` and ``n_sites``. Groups of fewer than 3 sites are
        NaN; ``reason`` also names sources with fewer than 3 samples or clusters,
        whose error the draws hardly hold.

    Raises
    ------
    MixingError
        If a source has no sample, or end members cannot be told apart.
    InputError
        If a column is missing or there is no sample.

    Warns
    -----
    GeosoilWarning
        Where a source has one sample in a stratum, or end members are nearly
        collinear.

    Notes
    -----
    Of C sites C - 1 are drawn with replacement, each with all its samples, which
    makes the variance of the drawn mean that of the mean (C of C would give
    (C - 1) / C of it); so too for a source's samples, or its clusters. A draw needs
    only the sums of each unit times how often it was drawn, so that all draws are
    one product of matrices. A source's mean is drawn once a draw, for all groups of
    its stratum. The tracers' weights are those of the point estimate.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap,
    doi:10.1201/9780429246593; Rao and Wu (1988), J. Am. Stat. Assoc. 83, 231-241,
    doi:10.1080/01621459.1988.10478591.

    Examples
    --------
    >>> table = pd.DataFrame({"water": ["rain"] * 3 + ["ice"] * 3,
    ...                       "Cl": [0.8, 1.0, 1.2, 8.5, 9.0, 9.5]})
    >>> soil = pd.DataFrame({"site_id": ["a", "b", "c"], "Cl": [2.0, 3.0, 4.0]})
    >>> draws = bootstrap_fractions(
    ...     soil, SourceSamples(table, ("rain", "ice")), [], tracers=["Cl"],
    ...     rng=np.random.default_rng(1))
    >>> draws.values.shape, round(float(draws.values[:, 0, 0].mean()), 2)
    ((2000, 1, 2), 0.75)
    """
    plan = Drawing(n_draws=DRAWS) if drawing is None else drawing
    ends = sources.end_members(tracers)
    found = group_means(samples, ends, by, tracers=tracers, cluster=plan.cluster)
    answer = solve_mixtures(found.task, ends, found.strata)
    rows, unfit = mixing_rows(found.task, ends, found.strata, answer)
    waters, scarce = _source_draws(sources, tracers, plan, rng)
    values = np.full((plan.n_draws, *answer.raw.shape), np.nan)
    compositions = tracer_values(samples, tracers, what="Samples")
    codes = cluster_codes(samples[plan.cluster].to_numpy())
    cautions = [""] * len(found.groups)
    for part in rows:
        if found.means[part.row].n_clusters < FEWEST_UNITS:
            continue
        inside = found.groups[part.row].rows
        inside = inside[np.isfinite(compositions[inside]).all(axis=1)]
        water = _drawn_means(
            compositions[inside], np.ones(len(inside)), codes[inside], plan, rng
        )
        values[:, part.row] = 0.0
        values[:, part.row, part.places] = drawn_fractions(
            water, waters[part.rows], part, constraint=plan.constraint
        )
        cautions[part.row] = "; ".join(filter(None, (scarce[i] for i in part.rows)))
    parts = zip(found.reasons, answer.reason, _few(found), unfit, cautions, strict=True)
    reason = tuple("; ".join(filter(None, words)) for words in parts)
    return FractionDraws(found.table, ends.sources, values, reason, METHOD)


def _few(found: GroupMeans) -> list[str]:
    counts = [mean.n_clusters for mean in found.means]
    return [
        f"{count} of {FEWEST_UNITS} sites needed to draw from"
        if 0 < count < FEWEST_UNITS
        else ""
        for count in counts
    ]


def _source_draws(
    sources: SourceSamples,
    tracers: Sequence[str],
    plan: Drawing,
    rng: np.random.Generator,
) -> tuple[FloatArray, list[str]]:
    """Drawn means (row of end members, tracer, draw), and which rows are scarce."""
    table = sources.table
    drawn, scarce = [], []
    for source in sources.sources:
        own = table[(table["water"] == source).to_numpy(dtype=bool)]
        values = tracer_values(own, tracers, what="Samples")
        weight = sample_weights(own, sources.amount)
        kept = np.isfinite(values).all(axis=1) & (weight > 0)
        own, values, weight = own[kept], values[kept], weight[kept]
        codes = np.arange(len(own))
        if sources.cluster is not None:
            codes = cluster_codes(own[sources.cluster].to_numpy())
        for group in sample_groups(own, sources.by):
            rows = group.rows
            means = _drawn_means(values[rows], weight[rows], codes[rows], plan, rng)
            drawn.append(means)
            units = len(np.unique(codes[rows]))
            few = units < FEWEST_UNITS
            scarce.append(f"only {units} of {source} to draw from" if few else "")
    return np.stack(drawn), scarce


def _drawn_means(
    values: FloatArray,
    weight: FloatArray,
    clusters: IntArray,
    plan: Drawing,
    rng: np.random.Generator,
) -> FloatArray:
    """Means (tracer, draw) of clusters drawn with replacement; one has no error."""
    labels, codes = np.unique(clusters, return_inverse=True)
    size = len(labels)
    centre = np.average(values, axis=0, weights=weight)
    sums = np.zeros((size, values.shape[1]))
    np.add.at(sums, codes, weight[:, None] * (values - centre))
    weights = np.bincount(codes, weights=weight, minlength=size)
    drawn = rng.integers(size, size=(plan.n_draws, max(size - 1, 1)))
    drawn += size * np.arange(plan.n_draws)[:, None]
    counts = np.bincount(drawn.ravel(), minlength=size * plan.n_draws)
    counts = counts.reshape(plan.n_draws, size).astype(float)
    means = (counts @ sums) / (counts @ weights)[:, None] + centre
    return np.asarray(means.T)
