"""Mixing with evaporation, rows by rows: who takes part, and what can be known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from geosoil.errors import MixingError
from geosoil.tracers._kernels_evaporation_mixing import Ridge, share_ranges
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.evaporation_solver_mixing import (
    Evaporated,
    EvaporationRows,
    SourceArrays,
    mix_evaporated,
)
from geosoil.tracers.groups import Group
from geosoil.tracers.mixing_solver import (
    MISFIT,
    OUTSIDE,
    ROUNDING,
    MixingAnswer,
    MixingTask,
)
from geosoil.tracers.mixing_space import UNUSABLE

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
ObjectArray = npt.NDArray[np.object_]

CONDENSED = "evaporation below 0 fits best"
"""Reason: the mixture lies on the side of its sources that no evaporation leads to."""
NO_RANGE = "no E of 0 or above gives fractions within 0 and 1"
"""Reason: the whole line along the slope of evaporation misses the mixing space."""
ALONG = "the sources differ along the slope of evaporation itself"
"""Why counts may suffice and the answer not."""
FAINT = "the prior of E is too wide to hold it"
"""Why a prior may be there and the answer not."""
NO_PRIOR = "no prior of evaporation for this label"
"""Reason: nothing is said of the row's evaporation, not even its slope."""


class Identifiability(NamedTuple):
    """Whether fractions and evaporation can be told apart, and why."""

    identifiable: bool
    """Whether there is one best answer."""
    words: str
    """The counts and what follows from them."""


def evaporation_identifiability(
    n_sources: int, n_tracers: int, *, informative: bool
) -> Identifiability:
    """Tell whether K sources and an unknown evaporation E have one best answer.

    Parameters
    ----------
    n_sources : int
        Sources that take part.
    n_tracers : int
        Tracers at hand.
    informative : bool
        Whether something is known of E beforehand.

    Returns
    -------
    identifiability : Identifiability
        Answer and words.

    Notes
    -----
    K - 1 free shares and E are K unknowns, so that they need K tracers, or K - 1 and a
    prior of E. By counts alone: sources that differ along the slope of evaporation
    cannot be told from it by any number of tracers that follow the slope.

    Examples
    --------
    >>> print(evaporation_identifiability(3, 2, informative=False).words)
    not identifiable: 3 sources and E against 2 tracers leave a ridge of equal fits
    >>> evaporation_identifiability(3, 2, informative=True).identifiable
    True
    """
    noun = "source" if n_sources == 1 else "sources"
    against = "tracer" if n_tracers == 1 else "tracers"
    counts = f"{n_sources} {noun} and E against {n_tracers} {against}"
    spare = n_tracers - n_sources
    if spare + informative < 0:
        return Identifiability(
            identifiable=False,
            words=f"not identifiable: {counts} leave a ridge of equal fits",
        )
    if not informative:
        check = "just determined" if spare == 0 else f"{spare} left to check"
        return Identifiability(identifiable=True, words=f"{counts}: {check}")
    if spare < 0:
        return Identifiability(
            identifiable=True,
            words=f"{counts}: E is its prior's, with nothing to check",
        )
    return Identifiability(
        identifiable=True, words=f"{counts} and its prior: {spare + 1} left to check"
    )


@dataclass(frozen=True, slots=True, eq=False)
class EvaporationState:
    """Answers of all mixtures, filled in as the rows are solved.

    Make it with `EvaporationState.start`.
    """

    answer: Evaporated
    """Fractions and E; NaN where not known."""
    change: FloatArray
    """Change of each share per permil of E, shape (n, source)."""
    ridge: Ridge
    """Ranges of the shares along E."""
    freedom: FloatArray
    """Degrees of freedom of the misfit, shape (n,); NaN where not solved."""
    identifiable: BoolArray
    """Whether there is one best answer, shape (n,)."""
    words: ObjectArray
    """Counts of unknowns and tracers in words, shape (n,)."""
    reason: ObjectArray
    """Why a row has no answer or a doubtful one, shape (n,)."""
    answerable: BoolArray
    """Rows that mixing can be asked of at all, shape (n,)."""

    @classmethod
    def start(
        cls, dry: MixingAnswer, known: EvaporationRows, unknown: BoolArray
    ) -> EvaporationState:
        """Begin with change and range, which need no prior of the amount.

        Parameters
        ----------
        dry : MixingAnswer
            Mixing with E = 0.
        known : EvaporationRows
            Evaporation beforehand.
        unknown : array of bool, shape (n,)
            Rows without even a slope.

        Returns
        -------
        state : EvaporationState
            Answers still missing.

        Examples
        --------
        >>> import pandas as pd
        >>> from geosoil.tracers.mixing_solver import solve_mixtures
        >>> ends = EndMembers.from_table(pd.DataFrame(
        ...     {"source": ["rain", "ice"], "x": [1.0, 9.0], "x_sd": [0.1, 0.1]}))
        >>> task = MixingTask(["x"], np.array([[3.0]]), np.zeros((1, 1, 1)),
        ...                   np.ones((1, 2), dtype=bool), "gls")
        >>> dry = solve_mixtures(task, ends, [Group({}, np.array([0]))])
        >>> known = EvaporationRows(np.ones((1, 1)), np.zeros(1), *np.zeros((3, 1)))
        >>> state = EvaporationState.start(dry, known, np.array([False]))
        >>> state.ridge.lower.round(2).tolist()
        [[0.75, 0.0]]
        """
        n, n_sources = dry.raw.shape
        answerable = np.isfinite(dry.raw).all(axis=1)
        # What mixing without evaporation finds doubtful in an answer is not asked here.
        reason = np.where(answerable, "", dry.reason)
        reason[answerable & unknown] = NO_PRIOR
        answerable &= ~unknown
        change = -np.einsum("nkj,nj->nk", dry.gain, known.direction)
        change[~answerable] = np.nan
        raw = np.where(answerable[:, None], dry.raw, np.nan)
        return cls(
            Evaporated(
                *(np.full((n, n_sources), np.nan) for _ in range(3)),
                *(np.full(n, np.nan) for _ in range(4)),
            ),
            change,
            share_ranges(raw, change),
            np.full(n, np.nan),
            np.zeros(n, dtype=bool),
            np.full(n, "", dtype=object),
            reason,
            answerable,
        )


class _Pattern(NamedTuple):
    """Rows that have the same sources and the same kind of prior."""

    rows: IntArray
    columns: IntArray
    ends: EndMembers
    informative: bool


def solve_rows(
    task: MixingTask,
    end_members: EndMembers,
    groups: Sequence[Group],
    *,
    known: EvaporationRows,
    state: EvaporationState,
) -> None:
    """Solve all rows that can be answered, in place of ``state``.

    Parameters
    ----------
    task : MixingTask
        Mixtures.
    end_members : EndMembers
        Sources.
    groups : sequence of Group
        Mixtures of each stratum.
    known : EvaporationRows
        Evaporation beforehand.
    state : EvaporationState
        Answers, changed in place.

    Raises
    ------
    MixingError
        If an informative prior meets waters without any spread.

    Examples
    --------
    >>> import pandas as pd
    >>> from geosoil.tracers.mixing_solver import solve_mixtures
    >>> ends = EndMembers.from_table(pd.DataFrame(
    ...     {"source": ["rain", "ice"], "x": [1.0, 9.0], "x_sd": [0.1, 0.1]}))
    >>> task = MixingTask(["x"], np.array([[4.0]]), np.zeros((1, 1, 1)),
    ...                   np.ones((1, 2), dtype=bool), "gls")
    >>> known = EvaporationRows(np.ones((1, 1)), np.zeros(1), np.zeros(1),
    ...                         np.ones(1), np.ones(1))
    >>> groups = [Group({}, np.array([0]))]
    >>> dry = solve_mixtures(task, ends, groups)
    >>> state = EvaporationState.start(dry, known, np.array([False]))
    >>> solve_rows(task, ends, groups, known=known, state=state)
    >>> state.answer.fractions.round(3).tolist()
    [[0.75, 0.25]]
    """
    informative = known.weight > 0
    for group in groups:
        rows = group.rows[state.answerable[group.rows]]
        if rows.size:
            stratum = end_members.select(**group.key)
            for pattern in _patterns(task, rows, stratum, informative, end_members):
                _solve_pattern(task, pattern, known, state)


def _patterns(
    task: MixingTask,
    rows: IntArray,
    stratum: EndMembers,
    informative: BoolArray,
    end_members: EndMembers,
) -> Iterator[_Pattern]:
    """Split the rows of a stratum by their sources and the kind of their prior."""
    allowed = task.allowed[rows] & np.isin(end_members.sources, stratum.sources)
    marks = np.column_stack([allowed, informative[rows]])
    kinds, place = np.unique(marks, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        columns = np.flatnonzero(kind[:-1])
        ends = stratum.keep([end_members.sources[column] for column in columns])
        inside = rows[place.ravel() == number]
        yield _Pattern(inside, columns, ends, bool(kind[-1]))


def _solve_pattern(
    task: MixingTask,
    pattern: _Pattern,
    known: EvaporationRows,
    state: EvaporationState,
) -> None:
    rows, columns, ends, informative = pattern
    counts = evaporation_identifiability(
        len(columns), len(task.tracers), informative=informative
    )
    state.words[rows] = counts.words
    if not counts.identifiable:
        _leave_open(state, rows, counts.words)
        return
    sources = SourceArrays(ends.means(task.tracers), task.spread(ends))
    own = task.covariances[rows]
    weighted = bool(own.any() or sources.spread.any())
    if informative and not weighted:
        raise MixingError(_no_spread(ends))
    part = known.take(rows)
    found = mix_evaporated(
        task.compositions[rows], own, sources, part, weighted=weighted
    )
    solved = np.asarray(np.isfinite(found.raw).all(axis=1))
    if not informative:
        solved &= _apart(sources.means, part.direction)
    why = FAINT if informative else ALONG
    words = f"not identifiable: {why} ({counts.words})"
    _leave_open(state, rows[~solved], words)
    _fill(state, pattern, found, solved)
    freedom = len(task.tracers) - len(columns) + informative
    if weighted:
        state.freedom[rows[solved]] = freedom
        if not freedom:
            # Exact fractions leave no misfit but rounding.
            state.answer.chi2[rows[solved]] = 0.0
    else:
        _without_errors(state, rows)
    _say_doubts(state, rows[solved], freedom)


def _fill(
    state: EvaporationState, pattern: _Pattern, found: Evaporated, solved: BoolArray
) -> None:
    rows = pattern.rows[solved]
    state.identifiable[rows] = True
    place = np.ix_(rows, pattern.columns)
    for target, values in zip(state.answer, found, strict=True):
        if target.ndim == 1:
            target[rows] = values[solved]
        else:
            target[rows] = 0.0
            target[place] = values[solved]


def _no_spread(ends: EndMembers) -> str:
    return (
        f"No spread is given for {', '.join(ends.sources)} or their mixtures: a prior "
        "of E has nothing to be weighed against. Give <tracer>_sd."
    )


def _without_errors(state: EvaporationState, rows: IntArray) -> None:
    for array in (
        state.answer.variance,
        state.answer.shift_variance,
        state.answer.chi2,
    ):
        array[rows] = np.nan


def _say_doubts(state: EvaporationState, rows: IntArray, freedom: int) -> None:
    answer = state.answer
    misfit = np.zeros(len(rows), dtype=bool)
    if freedom:
        misfit = answer.chi2[rows] > stats.chi2.isf(0.01, freedom)
    doubts = (
        ((answer.raw[rows] < -ROUNDING).any(axis=1), OUTSIDE),
        (answer.shift_raw[rows] < -ROUNDING, CONDENSED),
        (misfit, MISFIT),
    )
    for where, word in doubts:
        for row in rows[where]:
            before = state.reason[row]
            state.reason[row] = f"{before}; {word}" if before else word


def _leave_open(state: EvaporationState, rows: IntArray, words: str) -> None:
    """Say that rows have a range at best."""
    state.words[rows] = state.reason[rows] = words
    empty = rows[np.isnan(state.ridge.shift_lower[rows])]
    state.reason[empty] = f"{words}; {NO_RANGE}"


def _apart(means: FloatArray, directions: FloatArray) -> BoolArray:
    """Whether the sources differ otherwise than along evaporation."""
    slopes, place = np.unique(directions, axis=0, return_inverse=True)
    edges = np.broadcast_to(
        (means[:-1] - means[-1]).T, (len(slopes), means.shape[1], len(means) - 1)
    )
    matrices = np.concatenate([edges, slopes[:, :, None]], axis=2)
    sizes = np.linalg.norm(matrices, axis=1, keepdims=True)
    apart: BoolArray = np.linalg.cond(matrices / sizes) <= UNUSABLE
    return apart[place.ravel()]
