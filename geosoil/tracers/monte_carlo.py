"""Monte Carlo draws of source fractions from the errors of mixtures and sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.fraction_drawing import (
    Drawing,
    MixingRow,
    drawn_fractions,
    mixing_rows,
)
from geosoil.tracers.group_fractions import ONE_SITE, group_means
from geosoil.tracers.groups import Group, check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MixingTask, solve_mixtures
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]

METHOD = "monte_carlo"


def monte_carlo_fractions(
    samples: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str] | None,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
    drawing: Drawing | None = None,
    rng: np.random.Generator,
) -> FractionDraws:
    """Draw the source fractions of groups, or of single mixtures.

    Parameters
    ----------
    samples : DataFrame
        One row a sample, with the tracers, the columns of ``by`` and
        ``end_members.by``, that of the site, and optionally ``<source>_allowed``.
        Without groups also ``<tracer>_sd`` and ``<a>_<b>_cov``, the measurement.
    end_members : EndMembers
        Sources.
    by : sequence of str or None
        Columns that make the groups (empty for one group); None to solve each row
        on its own.
    tracers : sequence of str
        Tracers to use.
    drawing : Drawing, optional
        Number of draws (10 000), column of the site, constraint.
    rng : Generator
        Source of chance.

    Returns
    -------
    draws : FractionDraws
        One row a group with ``n`` and ``n_sites``, or one row a sample with its
        columns. Rows of one site, without a stratum or without any spread are NaN.

    Raises
    ------
    MixingError
        If end members are equal, collinear or more than the tracers can tell apart.
    InputError
        If a column is missing or there is no sample.

    Warns
    -----
    GeosoilWarning
        Where end members are nearly collinear, or no water has a spread.

    Notes
    -----
    A group's mean water is drawn from a multivariate t with the covariance of
    `geosoil.tracers.group_fractions.clustered_mean` and sites less one degrees of
    freedom. An end member is drawn once a draw, for all groups that use its row, from
    a t with covariance Sigma / n and n - 1 degrees of freedom (at least 1); without n
    from the normal distribution with the whole Sigma. Each drawn set of waters is
    then unmixed exactly; the tracers' weights are those of the point estimate.

    Without groups each mixture is one sample of each source: it is drawn with its
    measurement's covariance, and its sources with Sigma in all, of which Sigma / n,
    the error of the mean, is shared by all mixtures; ``Drawing(error="shared")`` draws
    that part alone. Two sites give Cauchy tails:
    read quantiles there, no standard deviation.

    References
    ----------
    Joint Committee for Guides in Metrology (2008), JCGM 101: Propagation of
    distributions using a Monte Carlo method.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
    ...     "Cl": [1.0, 9.0], "Cl_sd": [0.4, 0.4], "n": [16, 16]}))
    >>> soil = pd.DataFrame({"site_id": ["a", "b", "c"], "Cl": [2.0, 3.0, 4.0]})
    >>> draws = monte_carlo_fractions(
    ...     soil, ends, [], tracers=["Cl"], rng=np.random.default_rng(1))
    >>> draws.values.shape, round(float(np.median(draws.values[:, 0, 0])), 2)
    ((10000, 1, 2), 0.75)
    """
    plan = Drawing() if drawing is None else drawing
    if by is None:
        return _single_draws(samples, end_members, tracers, plan, rng)
    return _group_draws(samples, end_members, (by, tracers), plan, rng)


def _group_draws(
    samples: pd.DataFrame,
    end_members: EndMembers,
    names: tuple[Sequence[str], Sequence[str]],
    plan: Drawing,
    rng: np.random.Generator,
) -> FractionDraws:
    by, tracers = names
    found = group_means(samples, end_members, by, tracers=tracers, cluster=plan.cluster)
    answer = solve_mixtures(found.task, end_members, found.strata)
    rows, unfit = mixing_rows(found.task, end_members, found.strata, answer)
    counts = end_members.counts()
    spread = end_members.covariances(tracers) / counts[:, None, None]
    scale = _student_scales(counts - 1.0, plan.n_draws, rng)
    means = end_members.means(tracers)[:, :, None]
    sources = means + _normals(spread, plan.n_draws, rng) * scale[:, None]
    values = np.full((plan.n_draws, *answer.raw.shape), np.nan)
    for part in rows:
        mean = found.means[part.row]
        if mean.n_clusters < 2:
            continue
        away = _normals(mean.covariance[None], plan.n_draws, rng)[0]
        freedom = np.array([mean.n_clusters - 1.0])
        away = away * _student_scales(freedom, plan.n_draws, rng)
        water = mean.mean[:, None] + away
        _solve(values, part, (water, sources[part.rows]), plan)
    alone = [ONE_SITE if mean.n_clusters == 1 else "" for mean in found.means]
    parts = zip(found.reasons, answer.reason, alone, unfit, strict=True)
    reason = tuple("; ".join(filter(None, words)) for words in parts)
    return FractionDraws(found.table, end_members.sources, values, reason, METHOD)


def _single_draws(
    samples: pd.DataFrame,
    end_members: EndMembers,
    tracers: Sequence[str],
    plan: Drawing,
    rng: np.random.Generator,
) -> FractionDraws:
    check_columns(samples, end_members.by, what="Samples")
    task = MixingTask(
        list(tracers),
        tracer_values(samples, tracers, what="Samples"),
        tracer_covariances(samples, tracers, what="Samples"),
        allowed_sources(samples, end_members.sources),
        "gls",
    )
    strata: list[Group] = sample_groups(samples, end_members.by)
    answer = solve_mixtures(task, end_members, strata)
    rows, unfit = mixing_rows(task, end_members, strata, answer)
    counts = end_members.counts()
    spread = end_members.covariances(tracers)
    shared = spread / counts[:, None, None]
    scale = _student_scales(counts - 1.0, plan.n_draws, rng)
    means = end_members.means(tracers)[:, :, None]
    sources = means + _normals(shared, plan.n_draws, rng) * scale[:, None]
    values = np.full((plan.n_draws, *answer.raw.shape), np.nan)
    for part in rows:
        water = np.repeat(task.compositions[part.row][:, None], plan.n_draws, axis=1)
        ends = sources[part.rows]
        if plan.error == "all":
            own = (spread - shared)[part.rows]
            away = _normals(own, plan.n_draws, rng) * scale[part.rows][:, None]
            covariance = task.covariances[part.row][None]
            water = water + _normals(covariance, plan.n_draws, rng)[0]
            ends = ends + away
        _solve(values, part, (water, ends), plan)
    parts = zip(answer.reason, unfit, strict=True)
    reason = tuple("; ".join(filter(None, words)) for words in parts)
    table = pd.DataFrame(samples)
    return FractionDraws(table, end_members.sources, values, reason, METHOD)


def _solve(
    values: FloatArray,
    part: MixingRow,
    waters: tuple[FloatArray, FloatArray],
    plan: Drawing,
) -> None:
    """Write the fractions of one row; sources that take no part have 0."""
    found = drawn_fractions(*waters, part, constraint=plan.constraint)
    values[:, part.row] = 0.0
    values[:, part.row, part.places] = found


def _normals(
    covariances: FloatArray, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """Draw normal errors (k, tracer, draw) with covariances (k, tracer, tracer)."""
    size, vectors = np.linalg.eigh(covariances)
    root = vectors * np.sqrt(np.maximum(size, 0.0))[:, None, :]
    drawn: FloatArray = root @ rng.standard_normal((*size.shape, n_draws))
    return drawn


def _student_scales(
    freedom: FloatArray, n_draws: int, rng: np.random.Generator
) -> FloatArray:
    """Factors (k, draw) that make normal draws t; 1 where the spread is known."""
    scale = np.ones((len(freedom), n_draws))
    for place in np.flatnonzero(freedom > 0):
        df = max(float(freedom[place]), 1.0)
        drawn = np.maximum(rng.chisquare(df, n_draws), np.finfo(float).tiny)
        scale[place] = np.sqrt(df / drawn)
    return scale
