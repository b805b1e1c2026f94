"""Mixing stratum by stratum: joins mixtures to end members and tells what fails."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from geosoil.errors import GeosoilWarning, InputError, MixingError
from geosoil.tracers._kernels_mixing import Mixed
from geosoil.tracers.concentration import (
    concentration_columns,
    tracer_concentrations,
)
from geosoil.tracers.concentration_solver import Blend, mix_by_concentration
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import Group
from geosoil.tracers.mixing_space import ILL_CONDITIONED, check_mixing_space

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
Weighting = Literal["gls", "unweighted"]

OUTSIDE = "outside mixing space"
"""Reason: a raw fraction is below 0, so that the mixture lies beyond its sources."""
MISFIT = "misfit"
"""Reason: no fractions, not even negative ones, explain all tracers (99 %)."""
MISSING = "missing tracer"
"""Reason: a tracer of the mixture has no value."""
NO_SOURCE = "no source allowed"
"""Reason: every source is ruled out for the mixture."""
SINGLE = "fewer than two end members"
"""Reason: the stratum has one end member, which is no mixing."""
UNSETTLED = "fractions do not settle"
"""Reason: with unlike concentrations no fractions were found."""

MISFIT_LEVEL = 0.01
"""p value below which a misfit is told."""
ROUNDING = 1e-9
"""Negative fraction that counts as zero."""


@dataclass(frozen=True, slots=True)
class MixingTask:
    """Mixtures to solve and how."""

    tracers: list[str]
    """Names of the tracers."""
    compositions: FloatArray
    """Tracers of the mixtures, shape (n, tracer)."""
    covariances: FloatArray
    """Covariances of the mixtures, shape (1 or n, tracer, tracer)."""
    allowed: BoolArray
    """Which sources may take part, shape (n, source)."""
    weighting: Weighting
    """Weights of the tracers."""
    of_means: bool = False
    """Whether sources enter with the covariance of their mean, not of a sample."""

    def __post_init__(self) -> None:
        """Check the weighting."""
        if self.weighting not in ("gls", "unweighted"):
            message = f"Unknown weighting '{self.weighting}'. Choose gls or unweighted."
            raise InputError(message)

    def spread(self, stratum: EndMembers) -> FloatArray:
        """Give the covariances of the sources, shape (source, tracer, tracer)."""
        covariances = stratum.covariances(self.tracers)
        if self.of_means:
            covariances = covariances / stratum.counts()[:, None, None]
        return covariances


@dataclass(frozen=True, slots=True)
class MixingAnswer:
    """Fractions of all mixtures; rows that cannot be answered are NaN."""

    raw: FloatArray
    """Fractions without the sign rule, shape (n, source)."""
    fractions: FloatArray
    """Fractions within 0 and 1, shape (n, source)."""
    sd: FloatArray
    """First-order standard deviation of the raw fractions, shape (n, source)."""
    gain: FloatArray
    """Derivative of the raw fractions by the tracers, shape (n, source, tracer)."""
    chi2: FloatArray
    """Misfit of the raw fractions, shape (n,)."""
    distance: FloatArray
    """Distance to the mixing polygon in standard deviations, shape (n,)."""
    reason: npt.NDArray[np.object_]
    """Why a row has no answer or a doubtful one; "" where fine."""
    p_value: FloatArray
    """Probability of a larger chi2 by chance, shape (n,); NaN where none is left."""
    condition_number: FloatArray
    """Condition of the end members that took part, shape (n,)."""


def solve_mixtures(
    task: MixingTask, end_members: EndMembers, groups: Sequence[Group]
) -> MixingAnswer:
    """Solve mixtures group by group, each from the end members of its stratum.

    Parameters
    ----------
    task : MixingTask
        Mixtures.
    end_members : EndMembers
        Sources.
    groups : sequence of Group
        Mixtures of each stratum; keys are labels of ``end_members.by``.

    Returns
    -------
    answer : MixingAnswer
        Fractions in the order of ``end_members.sources``.

    Raises
    ------
    MixingError
        If end members are equal, collinear or too many, or their spread or their
        concentrations are impossible; the message names every stratum at fault.

    Warns
    -----
    GeosoilWarning
        Where end members are nearly collinear, no spread is given, or the spread of
        concentrations is left out.

    Examples
    --------
    >>> import pandas as pd
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "Cl": [1.0, 9.0], "Cl_sd": [0.1, 0.1]}))
    >>> task = MixingTask(["Cl"], np.array([[3.0]]), np.zeros((1, 1, 1)),
    ...                   np.ones((1, 2), dtype=bool), "gls")
    >>> solve_mixtures(task, ends, [Group({}, np.array([0]))]).fractions.tolist()
    [[0.75, 0.25]]
    """
    # Both read the whole table, so that faults of all strata are told together.
    end_members.covariances(task.tracers)
    tracer_concentrations(end_members, task.tracers)
    answer = _no_answer(task)
    cautions, faults = _concentration_spread(end_members), []
    for group in groups:
        try:
            stratum = end_members.select(**group.key)
        except MixingError as error:
            answer.reason[group.rows] = str(error)
            continue
        present = np.isin(end_members.sources, stratum.sources)
        for rows, columns in _patterns(task, group.rows, present, answer):
            kept = stratum.keep([end_members.sources[place] for place in columns])
            try:
                cautions += _solve_pattern(task, kept, (rows, columns), answer)
            except MixingError as error:
                place = ", ".join(f"{name} {key}" for name, key in group.key.items())
                faults.append(f"{place}: {error}" if place else str(error))
    if faults:
        raise MixingError("\n".join(dict.fromkeys(faults)))
    for caution in dict.fromkeys(cautions):
        warnings.warn(caution, GeosoilWarning, stacklevel=3)
    return answer


def _no_answer(task: MixingTask) -> MixingAnswer:
    n, n_sources = task.allowed.shape
    return MixingAnswer(
        raw=np.full((n, n_sources), np.nan),
        fractions=np.full((n, n_sources), np.nan),
        sd=np.full((n, n_sources), np.nan),
        gain=np.zeros((n, n_sources, len(task.tracers))),
        chi2=np.full(n, np.nan),
        distance=np.full(n, np.nan),
        reason=np.full(n, "", dtype=object),
        p_value=np.full(n, np.nan),
        condition_number=np.full(n, np.nan),
    )


def _concentration_spread(end_members: EndMembers) -> list[str]:
    """Say which spread of concentrations is given and not used."""
    spread = [f"{name}_sd" for name in concentration_columns(end_members)]
    found = [name for name in spread if name in end_members.table.columns]
    if not found:
        return []
    return [f"Concentrations count as exact: {', '.join(found)} is not used."]


def _patterns(
    task: MixingTask, rows: IntArray, present: BoolArray, answer: MixingAnswer
) -> list[tuple[IntArray, IntArray]]:
    """Split the rows of a stratum by the sources that may take part."""
    if present.sum() < 2:
        answer.reason[rows] = SINGLE
        return []
    sound = np.isfinite(task.compositions[rows]).all(axis=1)
    answer.reason[rows[~sound]] = MISSING
    rows = rows[sound]
    allowed = task.allowed[rows] & present
    answer.reason[rows[~allowed.any(axis=1)]] = NO_SOURCE
    codes = allowed @ (1 << np.arange(allowed.shape[1]))
    kinds, first = np.unique(codes, return_index=True)
    return [
        (rows[codes == kind], np.flatnonzero(allowed[place]))
        for kind, place in zip(kinds, first, strict=True)
        if kind
    ]


def _solve_pattern(
    task: MixingTask,
    kept: EndMembers,
    where: tuple[IntArray, IntArray],
    answer: MixingAnswer,
) -> list[str]:
    """Solve rows that have the same sources; return what calls for caution."""
    rows, columns = where
    own = task.covariances[rows] if len(task.covariances) > 1 else task.covariances
    spread = task.spread(kept)
    space = check_mixing_space(kept, tracers=task.tracers)
    known = _variance_known(task.tracers, own, spread)
    amount = tracer_concentrations(kept, task.tracers)
    found = mix_by_concentration(
        task.compositions[rows],
        own,
        Blend(kept.means(task.tracers), spread, amount),
        weighted=known and task.weighting == "gls",
    )
    for target in (answer.raw, answer.fractions, answer.sd):
        target[rows] = 0.0
    place = np.ix_(rows, columns)
    answer.raw[place] = found.raw
    answer.fractions[place] = found.fractions
    answer.gain[place] = found.gain
    answer.sd[place] = np.sqrt(found.variance) if known else np.nan
    answer.condition_number[rows] = space.condition_number
    if known:
        _tell_misfit(found, rows, len(task.tracers) - len(columns) + 1, answer)
    answer.reason[rows[_outside(found)]] = OUTSIDE
    lost = ~np.isfinite(found.fractions).all(axis=1)
    answer.reason[rows[lost]] = UNSETTLED
    return _cautions(kept, space.condition_number, known=known)


def _outside(found: Mixed) -> BoolArray:
    return np.asarray((found.raw < -ROUNDING).any(axis=1), dtype=bool)


def _tell_misfit(
    found: Mixed, rows: IntArray, freedom: int, answer: MixingAnswer
) -> None:
    """Fill in chi2, p and the distance of rows that have a spread."""
    # Exact fractions leave no misfit but rounding.
    answer.chi2[rows] = found.chi2 if freedom else 0.0
    distance = np.sqrt(found.distance2)
    answer.distance[rows] = distance if freedom else distance * _outside(found)
    if freedom:
        p_value = special.chdtrc(freedom, found.chi2)
        answer.p_value[rows] = p_value
        answer.reason[rows[p_value < MISFIT_LEVEL]] = MISFIT


def _cautions(kept: EndMembers, condition: float, *, known: bool) -> list[str]:
    cautions = []
    if condition > ILL_CONDITIONED:
        cautions.append(
            f"End members {', '.join(kept.sources)} are nearly collinear (condition "
            f"number {condition:.0f}): their fractions hang on small differences."
        )
    if not known:
        cautions.append(
            "No spread is given for mixtures or end members: the tracers weigh one "
            "each in their own units, and sd, chi2, p_value and distance are missing."
        )
    return cautions


def _variance_known(
    tracers: Sequence[str], own: FloatArray, spread: FloatArray
) -> bool:
    variance = np.diagonal(own.mean(axis=0) + spread.mean(axis=0))
    if not variance.any():
        return False
    pairs = zip(tracers, variance, strict=True)
    lacking = [name for name, value in pairs if not value > 0]
    if lacking:
        message = (
            f"No spread for tracer {', '.join(lacking)}, though other tracers have "
            f"one. Give {lacking[0]}_sd of the mixtures or of the end members."
        )
        raise MixingError(message)
    return True
