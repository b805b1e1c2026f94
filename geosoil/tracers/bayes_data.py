"""Groups of mixtures and their sources, as the Bayesian model reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError, MixingError
from geosoil.tracers._kernels_bayes import Batch, contrasts
from geosoil.tracers.bayes_model import MixingModel, typical_scale
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import Group, check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MISSING, NO_SOURCE, SINGLE
from geosoil.tracers.tracer_space import (
    tracer_basis,
    tracer_covariances,
    tracer_values,
)

FloatArray = npt.NDArray[np.float64]

CLASSES = 6
"""Most sizes of measurement error told apart within a group."""
CERTAIN = 1e4
"""Degrees of freedom of a covariance whose n is not given."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupTask:
    """Mixtures of one group and the sources that may take part."""

    row: int
    """Row of the table of groups."""
    places: npt.NDArray[np.intp]
    """Positions of the sources among all, shape (K,)."""
    names: tuple[str, ...]
    """Names of the sources."""
    means: FloatArray
    """Means of the sources, corrections added, shape (K, tracer)."""
    spread: FloatArray
    """Covariances of single samples, those of corrections added (K, J, J)."""
    mean_spread: FloatArray
    """Covariances of the means, shape (K, J, J)."""
    freedom: FloatArray
    """Degrees of freedom of the covariances, shape (K,)."""
    concentration: FloatArray
    """Concentrations of the tracers, shape (K, tracer)."""
    keys: tuple[bytes, ...]
    """What tells rows of end members apart: groups with the same key share them."""
    values: FloatArray
    """Mixtures, or means of sites, shape (n, tracer)."""
    own: FloatArray
    """Measurement covariance of each, shape (n, tracer, tracer)."""
    rows: tuple[int, ...]
    """First row of the mixtures that each of ``values`` comes from."""

    @property
    def is_scaled(self) -> bool:
        """Whether so few samples stand behind a source that its spread is unsure."""
        return bool((self.freedom < 100).any() and self.mean_spread.any())


@dataclass(frozen=True, slots=True, eq=False)
class GroupTasks:
    """All groups: those that can be answered and why others cannot."""

    table: pd.DataFrame
    """Labels, ``n`` and ``n_sites``, one row a group."""
    tasks: tuple[GroupTask, ...]
    """Groups with an answer."""
    reasons: tuple[str, ...]
    """Why a group has none; "" where fine."""
    sources: tuple[str, ...]
    """All sources."""
    residual_scale: FloatArray
    """Scale of the residual's prior, shape (tracer,)."""


def group_tasks(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    by: Sequence[str],
    model: MixingModel,
) -> GroupTasks:
    """Split mixtures into groups and join each to its end members.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture.
    end_members : EndMembers
        Sources.
    by : sequence of str
        Columns that make the groups.
    model : MixingModel
        Tracers, sites and errors.

    Returns
    -------
    tasks : GroupTasks
        Groups in their order.

    Raises
    ------
    InputError
        If the table is empty or lacks a column.
    MixingError
        If the prior names unknown sources, or no spread of a residual is known.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.1, 0.1]}))
    >>> soil = pd.DataFrame({"site_id": ["a", "a", "b"], "Cl": [2.0, 4.0, 5.0]})
    >>> found = group_tasks(soil, ends, [], MixingModel(tracers=("Cl",)))
    >>> found.tasks[0].values.tolist()
    [[3.0], [5.0]]
    """
    if mixtures.empty:
        message = "No mixtures: the table is empty."
        raise InputError(message)
    check_columns(mixtures, end_members.by, what="Mixtures")
    model.prior.check_sources(end_members.sources)
    values = tracer_values(mixtures, model.tracers, what="Mixtures")
    own = tracer_covariances(mixtures, model.tracers, what="Mixtures")
    allowed = allowed_sources(mixtures, end_members.sources)
    groups = sample_groups(mixtures, by)
    table = pd.DataFrame([group.key for group in groups], index=range(len(groups)))
    tasks, reasons, counts = [], [], []
    for row, group in enumerate(groups):
        rows = group.rows[np.isfinite(values[group.rows]).all(axis=1)]
        averaged = _site_means(mixtures, (values, own), rows, model.cluster)
        counts.append((len(rows), len(averaged[0])))
        found = _stratum(mixtures, end_members, group)
        if isinstance(found, str) or not len(rows):
            reasons.append(found if isinstance(found, str) else MISSING)
            continue
        free = allowed[group.rows].any(axis=0) & np.isin(
            end_members.sources, found.sources
        )
        reasons.append("" if free.sum() > 1 else SINGLE if free.any() else NO_SOURCE)
        if free.sum() > 1:
            places = np.flatnonzero(free)
            tasks.append(_task(row, found, (end_members, places), averaged, model))
    table["n"] = [n for n, _ in counts]
    table["n_sites"] = [n for _, n in counts]
    scale = _residual_scale(values, tasks, model)
    return GroupTasks(table, tuple(tasks), tuple(reasons), end_members.sources, scale)


def batch_of(
    tasks: Sequence[GroupTask], model: MixingModel, residual_scale: FloatArray
) -> Batch:
    """Stack groups with as many sources each for the kernels.

    Parameters
    ----------
    tasks : sequence of GroupTask
        Groups.
    model : MixingModel
        Prior and errors.
    residual_scale : array, shape (tracer,)
        Scale of the residual's prior.

    Returns
    -------
    batch : Batch
        Arrays with the groups before the last axis.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.1, 0.1]}))
    >>> model = MixingModel(tracers=("Cl",))
    >>> found = group_tasks(pd.DataFrame({"Cl": [2.0, 4.0]}), ends, [], model)
    >>> batch_of(found.tasks, model, found.residual_scale).scatter.ravel().tolist()
    [2.0]
    """
    n, centre, scatter, own = _stacked_classes(tasks)
    numbers = [model.prior.numbers(task.names) for task in tasks]
    concentration = _last([task.concentration for task in tasks])
    basis = contrasts(len(tasks[0].names))
    softmax = model.prior.kind == "softmax"
    precision = [
        np.asarray(np.linalg.inv(basis.T * number["sd"] ** 2 @ basis), dtype=float)
        for number in numbers
    ]
    direction, error = _evaporation(model)
    known = model.evaporation
    return Batch(
        means=_last([task.means for task in tasks]),
        spread=_last([task.spread for task in tasks]),
        mean_spread=_last(
            [
                task.mean_spread * typical_scale(task.freedom)[:, None, None]
                for task in tasks
            ]
        ),
        freedom=_last([task.freedom for task in tasks]),
        typical=_last([typical_scale(task.freedom) for task in tasks]),
        concentration=None if (concentration == 1).all() else concentration,
        n=n,
        centre=centre,
        scatter=scatter,
        own=own,
        ratio_mean=_last([basis.T @ number["mean"] for number in numbers]),
        ratio_precision=_last(precision) if softmax else None,
        dirichlet=_last([number["concentration"] for number in numbers]),
        caps=_last([number["cap"] for number in numbers]),
        residual_scale=residual_scale[:, None, None],
        evaporation=np.array([known.shift, known.shift_sd] if known else [0.0, 1.0]),
        direction=direction,
        slope_error=error,
    )


def _stacked_classes(tasks: Sequence[GroupTask]) -> list[FloatArray]:
    """n, mean, scatter and measurement error of classes, padded with empty ones."""
    classes = [_classes(task) for task in tasks]
    depth = max(len(parts[0]) for parts in classes)
    padded = [
        [np.concatenate([p, np.zeros((depth - len(p), *p.shape[1:]))]) for p in parts]
        for parts in classes
    ]
    return [_last([p[i] for p in padded]) for i in range(4)]


def _last(parts: Sequence[FloatArray]) -> FloatArray:
    """Stack groups, and move them before a last axis of one walker."""
    return np.moveaxis(np.array(parts), 0, -1)[..., None]


def _evaporation(model: MixingModel) -> tuple[FloatArray, FloatArray]:
    """Change of the tracers by 1 permil of evaporation, and by an error of slope."""
    size = len(model.tracers)
    if model.evaporation is None:
        return np.zeros(size), np.zeros(size)
    measured, matrix = tracer_basis(["d18O", "d2H"], model.tracers)
    step = {"d18O": 1.0, "d2H": model.evaporation.slope}
    error = {"d2H": model.evaporation.slope_sd}
    first = matrix @ np.array([step.get(name, 0.0) for name in measured])
    second = matrix @ np.array([error.get(name, 0.0) for name in measured])
    return first, second


def _site_means(
    mixtures: pd.DataFrame,
    data: tuple[FloatArray, FloatArray],
    rows: npt.NDArray[np.intp],
    cluster: str | None,
) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """Means of sites, their measurement covariance, and the first row of each."""
    values, own = data
    if cluster is None or cluster not in mixtures.columns:
        return values[rows], own[rows], tuple(map(int, rows))
    codes = pd.factorize(mixtures[cluster].to_numpy()[rows])[0]
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(int(alone.sum()))
    members = [rows[codes == code] for code in range(codes.max(initial=-1) + 1)]
    means = np.array([values[part].mean(axis=0) for part in members])
    errors = np.array([own[part].mean(axis=0) / len(part) for part in members])
    size = values.shape[1]
    return (
        means.reshape(-1, size),
        errors.reshape(-1, size, size),
        tuple(int(part[0]) for part in members),
    )


def _stratum(
    mixtures: pd.DataFrame, end_members: EndMembers, group: Group
) -> EndMembers | str:
    """End members of a group, or why it has none."""
    labels = mixtures.iloc[group.rows]
    found = {column: labels[column].unique() for column in end_members.by}
    mixed = [column for column, values in found.items() if len(values) != 1]
    if mixed:
        return f"group spans several {', '.join(mixed)}"
    try:
        return end_members.select(**{name: found[name][0] for name in end_members.by})
    except MixingError as error:
        return str(error)


def _task(
    row: int,
    stratum: EndMembers,
    chosen: tuple[EndMembers, npt.NDArray[np.intp]],
    averaged: tuple[FloatArray, FloatArray, tuple[int, ...]],
    model: MixingModel,
) -> GroupTask:
    whole, places = chosen
    kept = stratum.keep([whole.sources[place] for place in places])
    means = kept.means(model.tracers)
    spread = kept.covariances(model.tracers)
    counts = kept.counts()
    own = averaged[1]
    if model.covariance == "diagonal":
        only = np.eye(len(model.tracers))
        spread, own = spread * only, own * only
    correction, correction_sd, concentration = (
        _optional(kept.table, model.tracers, ending, value)
        for ending, value in (
            ("correction", 0.0),
            ("correction_sd", 0.0),
            ("concentration", 1.0),
        )
    )
    keys = tuple(
        name.encode() + means[k].tobytes() + spread[k].tobytes() + counts[k].tobytes()
        for k, name in enumerate(kept.sources)
    )
    return GroupTask(
        row=row,
        places=places,
        names=kept.sources,
        means=means + correction,
        spread=spread + correction_sd[:, :, None] ** 2 * np.eye(len(model.tracers)),
        mean_spread=spread / counts[:, None, None],
        freedom=np.where(counts > 1.0, np.maximum(counts - 1.0, 1.0), CERTAIN),
        concentration=concentration,
        keys=keys,
        values=averaged[0],
        own=own,
        rows=averaged[2],
    )


def _optional(
    table: pd.DataFrame, tracers: Sequence[str], ending: str, default: float
) -> FloatArray:
    """Columns ``<tracer>_<ending>`` of the end members, shape (K, tracer)."""
    out = np.full((len(table), len(tracers)), default)
    for place, tracer in enumerate(tracers):
        column = f"{tracer}_{ending}"
        if column in table.columns:
            out[:, place] = table[column].astype(float).fillna(default)
    if (ending != "correction") and (out < 0).any():
        message = f"End members: a negative value in a column <tracer>_{ending}."
        raise InputError(message)
    return out


def _residual_scale(
    values: FloatArray, tasks: Sequence[GroupTask], model: MixingModel
) -> FloatArray:
    """Scale of the half-normal prior of each tracer."""
    size = len(model.tracers)
    if model.residual_scale is not None:
        given = [model.residual_scale.get(name, np.nan) for name in model.tracers]
        scale = np.array(given, dtype=float)
    else:
        whole = values[np.isfinite(values).all(axis=1)]
        scale = whole.std(axis=0, ddof=1) if len(whole) > 1 else np.zeros(size)
        single = [np.einsum("kjj->j", task.spread) / len(task.spread) for task in tasks]
        spare = np.sqrt(np.mean(single, axis=0)) if single else np.ones(size)
        scale = np.where(scale > 0, scale, spare)
    lacking = [
        name for name, value in zip(model.tracers, scale, strict=True) if not value > 0
    ]
    if lacking and model.residual == "half_normal":
        message = (
            f"No scale for the residual of {', '.join(lacking)}: the mixtures do not "
            "vary and the sources have no spread. Give a residual_scale above 0 for "
            "each tracer."
        )
        raise MixingError(message)
    return np.where(scale > 0, scale, 1.0)


def _classes(task: GroupTask) -> tuple[FloatArray, ...]:
    """n, mean, scatter and measurement covariance of each class of mixtures."""
    points, own = task.values, task.own  # noqa: PD011
    kinds, code = np.unique(own, axis=0, return_inverse=True)
    code = np.asarray(code).ravel()
    if len(kinds) > CLASSES:
        size = np.einsum("njj->n", own / own.mean(axis=0).max())
        code = np.argsort(np.argsort(size, kind="stable")) * CLASSES // len(size)
    parts = [np.flatnonzero(code == c) for c in np.unique(code)]
    means = np.array([points[part].mean(axis=0) for part in parts])
    away = [points[part] - means[c] for c, part in enumerate(parts)]
    return (
        np.array([float(len(part)) for part in parts]),
        means,
        np.array([rest.T @ rest for rest in away]),
        np.array([own[part].mean(axis=0) for part in parts]),
    )
