"""Source fractions of groups of mixtures by Bayes, without a compiler."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers._kernels_bayes import mixture_terms
from geosoil.tracers.bayes_data import GroupTask, GroupTasks, batch_of, group_tasks
from geosoil.tracers.bayes_groups import GroupPool, Joint, join_groups
from geosoil.tracers.bayes_model import MixingModel, SamplerSettings
from geosoil.tracers.bayes_pooling import CANDIDATES, Pooled, pool_groups
from geosoil.tracers.bayes_posterior import FractionPosterior, MixtureFit
from geosoil.tracers.bayes_problem import Problem, shown_parameters, take_groups
from geosoil.tracers.bayes_quadrature import MOST_PARAMETERS
from geosoil.tracers.bayes_sampling import (
    sample_groups_by_ensemble,
    sample_groups_by_quadrature,
)
from geosoil.tracers.draws import FractionDraws
from geosoil.tracers.endmembers import EndMembers

FloatArray = npt.NDArray[np.float64]

GRID_SOURCES = 3
"""Most sources that "auto" does by quadrature."""
DEFAULT_MODEL = MixingModel()
DEFAULT_SAMPLER = SamplerSettings()


def bayes_fractions(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    by: Sequence[str] = (),
    model: MixingModel = DEFAULT_MODEL,
    sampler: SamplerSettings = DEFAULT_SAMPLER,
    rng: np.random.Generator,
) -> FractionPosterior:
    """Draw the source fractions of groups of mixtures from their posterior.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, with the tracers, the columns of ``by`` and of
        ``end_members.by``, and optionally ``<tracer>_sd`` (measurement), a column of
        sites and ``<source>_allowed``: a source takes part in a group where any of
        its mixtures allows it, and else has fraction 0 in all draws.
    end_members : EndMembers
        Sources; each group must lie in one of their strata. Optional columns
        ``<tracer>_concentration`` (1 where absent), ``<tracer>_correction`` and
        ``<tracer>_correction_sd``, which are added to the tracers of a source.
    by : sequence of str
        Columns that make the groups; each group has fractions of its own.
    model : MixingModel
        Prior and errors.
    sampler : SamplerSettings
        Method, number of draws and limits of convergence.
    rng : Generator
        Source of randomness.

    Returns
    -------
    posterior : FractionPosterior
        Draws with diagnostics, prior, parameters and checks. Groups without an answer
        keep their row, NaN with a reason.

    Raises
    ------
    MixingError
        If the posterior has not converged (no numbers are given then), caps leave
        nothing, or evaporation is not identifiable: nothing is known of its amount
        and there are more sources than tracers.
    InputError
        If a column is missing or the table is empty.

    Warns
    -----
    GeosoilWarning
        If few states of the end members carry the joint draws of the groups.

    Notes
    -----
    Mixtures enter through n, mean and scatter, so that the cost does not depend on
    their number. Sites in a group are averaged first (`MixingModel.cluster`); layers
    of one profile are then one mixture. A group of up to 3 sources is done by
    quadrature, others by a differential-evolution ensemble.

    References
    ----------
    Parnell et al. (2013), Environmetrics 24, 387-399, doi:10.1002/env.2221; ter Braak
    (2006), Statistics and Computing 16, 239-249, doi:10.1007/s11222-006-8769-1.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "ice"],
    ...     "d18O": [-11.0, -16.0], "d2H": [-78.0, -130.0], "d18O_sd": [1.0, 0.8],
    ...     "d2H_sd": [8.0, 6.0], "n": [40, 20]}))
    >>> soil = pd.DataFrame({"d18O": [-12.2, -12.6, -11.9, -12.4],
    ...                      "d2H": [-91.0, -95.0, -88.0, -92.0]})
    >>> answer = bayes_fractions(soil, ends, rng=np.random.default_rng(1))
    >>> answer.draws.values.mean(axis=0).round(1).tolist()
    [[0.7, 0.3]]
    """
    found = group_tasks(mixtures, end_members, by, model)
    _check_identifiable(found, model)
    pools: dict[int, GroupPool] = {}
    tables: dict[int, pd.DataFrame] = {}
    for problem, tasks in _problems(found, model):
        method = _method(problem, sampler)
        sample = (
            sample_groups_by_quadrature
            if method == "quadrature"
            else sample_groups_by_ensemble
        )
        drawn = sample(problem, sampler, rng)
        for place, task in enumerate(tasks):
            batch = take_groups(problem.batch, [place])
            states = drawn.states[:, :, place]
            pools[task.row] = GroupPool(task, problem.layout, batch, states)
            tables[task.row] = drawn.diagnostics[place]
    ordered = [pools[task.row] for task in found.tasks]
    joint = pooled = None
    if ordered:
        partial = model.pooling == "partial"
        candidates = CANDIDATES if partial else 1
        joint = join_groups(ordered, sampler.n_draws, rng, candidates=candidates)
        if partial:
            pooled = pool_groups(ordered, joint, model.prior, rng)
    outcome = _Outcome(found, ordered, joint, pooled, sampler.n_draws)
    return FractionPosterior(
        draws=outcome.draws(),
        diagnostics=_labelled(found, tables),
        prior=_labelled(found, _priors(found, model, rng)),
        parameters=outcome.parameters(model),
        tracers=tuple(model.tracers),
        fit=outcome.fit(mixtures, len(model.tracers)),
        shared_effective=joint.effective if joint else np.inf,
    )


class _Outcome:
    """Draws of all groups, put together."""

    def __init__(
        self,
        found: GroupTasks,
        pools: Sequence[GroupPool],
        joint: Joint | None,
        pooled: Pooled | None,
        n_draws: int,
    ) -> None:
        self.found, self.pools, self.joint = found, pools, joint
        self.pooled, self.n_draws = pooled, n_draws
        self.rows = len(found.table)
        self.states: list[FloatArray] = []
        if joint is not None:
            index = joint.local[:, :, 0] if pooled is None else pooled.chosen
            self.states = [
                pool.states[index[:, place]].T for place, pool in enumerate(pools)
            ]

    def draws(self) -> FractionDraws:
        """Fractions of all groups."""
        values = np.full((self.n_draws, self.rows, len(self.found.sources)), np.nan)
        for pool, states in zip(self.pools, self.states, strict=True):
            shares = shown_parameters(states, pool.layout, pool.batch.evaporation)
            values[:, pool.task.row] = 0.0
            size = pool.layout.n_sources
            values[:, pool.task.row, pool.task.places] = shares[:size].T
        found = self.found
        return FractionDraws(found.table, found.sources, values, found.reasons, "bayes")

    def parameters(self, model: MixingModel) -> dict[str, FloatArray]:
        """Parameters other than fractions, by name."""
        out: dict[str, FloatArray] = {}
        for pool, states in zip(self.pools, self.states, strict=True):
            shown = shown_parameters(states, pool.layout, pool.batch.evaporation)
            names = model.parameter_names(pool.layout)
            values = shown[pool.layout.n_sources :]
            for name, value in zip(names, values, strict=True):
                empty = np.full((self.n_draws, self.rows), np.nan)
                out.setdefault(name, empty)[:, pool.task.row] = value
        if self.pooled is not None:
            spread = np.full((self.n_draws, self.rows), np.nan)
            spread[:, [pool.task.row for pool in self.pools]] = self.pooled.spread
            out["pooling_sd"] = spread
        return out

    def fit(self, mixtures: pd.DataFrame, size: int) -> MixtureFit:
        """Mixtures, and what each draw expects of them."""
        expected = np.full((self.n_draws, self.rows, size), np.nan)
        covariance = np.full((self.n_draws, self.rows, size, size), np.nan)
        labels, values, own = [], [np.empty((0, size))], [np.empty((0, size, size))]
        for place, (pool, states) in enumerate(
            zip(self.pools, self.states, strict=True)
        ):
            terms = mixture_terms(states[:, None], pool.layout, pool.batch)
            row = pool.task.row
            expected[:, row] = terms.expected[:, 0].T
            if self.joint is not None:
                expected[:, row] += self.joint.shift[:, place]
            covariance[:, row] = np.moveaxis(terms.covariance[:, :, 0], -1, 0)
            values.append(pool.task.values)
            own.append(pool.task.own)
            labels += [(row, mixtures.index[at]) for at in pool.task.rows]
        return MixtureFit(
            pd.DataFrame(labels, columns=["row", "mixture"]),
            np.concatenate(values),
            np.concatenate(own),
            expected,
            covariance,
        )


def _check_identifiable(found: GroupTasks, model: MixingModel) -> None:
    """Raise where nothing tells evaporation from the sources."""
    known = model.evaporation
    if known is None:
        return
    if not {"d18O", "d2H", "d_excess"} & set(model.tracers):
        message = (
            f"Evaporation changes none of the tracers {', '.join(model.tracers)}. "
            "Use d18O and d2H, or leave evaporation out."
        )
        raise MixingError(message)
    if known.is_informative:
        return
    many = [
        _label(found, task)
        for task in found.tasks
        if len(task.names) > len(model.tracers)
    ]
    if many:
        message = (
            f"Evaporation is not identifiable in {'; '.join(many)}: nothing is known "
            f"of its amount, and there are more sources than the {len(model.tracers)} "
            "tracers. Give shift and shift_sd in EvaporationPrior, or drop a source."
        )
        raise MixingError(message)


def _problems(
    found: GroupTasks, model: MixingModel
) -> list[tuple[Problem, list[GroupTask]]]:
    """Stack groups by their number of sources."""
    kinds: dict[tuple[int, bool], list[GroupTask]] = {}
    for task in found.tasks:
        scaled = task.is_scaled and model.sources == "means"
        kinds.setdefault((len(task.names), scaled), []).append(task)
    problems = []
    for (size, scaled), tasks in kinds.items():
        problem = Problem(
            model,
            model.layout(size, scaled=scaled),
            batch_of(tasks, model, found.residual_scale),
            [task.names for task in tasks],
            [_label(found, task) for task in tasks],
        )
        _check_spread(problem)
        problems.append((problem, tasks))
    return problems


def _check_spread(problem: Problem) -> None:
    """Raise where a mixture has no error at all, so that no density exists."""
    layout, batch = problem.layout, problem.batch
    if layout.residual not in ("product", "none"):
        return
    size = np.arange(layout.n_tracers)
    lacking = np.asarray(~(batch.own[:, size, size] > 0).all(axis=0))
    lacking &= batch.n.sum(axis=0) > 0
    if layout.process:
        lacking = np.asarray(~(batch.spread[:, size, size] > 0).all(axis=0))
    names = [
        name
        for name, missing in zip(problem.model.tracers, lacking, strict=True)
        if missing.any()
    ]
    if names:
        message = (
            f"No error is left in {', '.join(names)}: the model has no residual. Give "
            "the spread of every source or measurement, or a residual."
        )
        raise MixingError(message)


def _method(problem: Problem, sampler: SamplerSettings) -> str:
    if sampler.method != "auto":
        return sampler.method
    size = problem.layout._replace(scaled=False).size
    by_walk = problem.layout.process and problem.layout.scaled
    few = problem.layout.n_sources <= GRID_SOURCES and size <= MOST_PARAMETERS
    return "quadrature" if few and not by_walk else "ensemble"


def _label(found: GroupTasks, task: GroupTask) -> str:
    keys = found.table.drop(columns=["n", "n_sites"]).iloc[task.row]
    return ", ".join(f"{name} {value}" for name, value in keys.items()) or "all"


def _priors(
    found: GroupTasks, model: MixingModel, rng: np.random.Generator
) -> dict[int, pd.DataFrame]:
    """Tell what the prior says of each group's fractions."""
    shown: dict[tuple[str, ...], pd.DataFrame] = {}
    for task in found.tasks:
        if task.names not in shown:
            shown[task.names] = model.prior.describe(task.names, rng)
    return {task.row: shown[task.names] for task in found.tasks}


def _labelled(found: GroupTasks, tables: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Tables of groups below each other, with the groups' labels before them."""
    keys = found.table.drop(columns=["n", "n_sites"])
    parts = []
    for row, table in sorted(tables.items()):
        labels = pd.DataFrame([keys.iloc[row]] * len(table), index=table.index)
        parts.append(pd.concat([labels, table], axis=1))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
