"""What each tracer alone says of the source fractions, and how far they disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from geosoil.errors import InputError, MixingError
from geosoil.tracers.concentration import tracer_concentrations
from geosoil.tracers.concentration_solver import Blend, mix_by_concentration
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.groups import check_columns, sample_groups
from geosoil.tracers.mixing import allowed_sources
from geosoil.tracers.mixing_solver import MISSING, NO_SOURCE, SINGLE
from geosoil.tracers.mixing_space import check_mixing_space
from geosoil.tracers.tracer_space import tracer_covariances, tracer_values

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
Subset = tuple[int, ...]

JUST_DETERMINED = "just determined: no tracer can be left out"
"""Reason: the sources need every tracer there is."""
TOO_FEW = "fewer tracers than the sources need"
"""Reason: even all tracers together do not tell the sources apart."""
SEPARATION = 1.0
"""Pooled standard deviations that a source must lie off the others to be told apart.

At one, the fraction of a single water has a standard deviation of 0.7 and more: no
value from 0 to 1 could be told from another.
"""


def single_tracer_fractions(
    mixtures: pd.DataFrame,
    end_members: EndMembers,
    *,
    tracers: Sequence[str] = ("d18O", "d2H"),
) -> pd.DataFrame:
    """Solve the fractions from each tracer alone, and how far the answers differ.

    Parameters
    ----------
    mixtures : DataFrame
        One row a mixture, as for `source_fractions`.
    end_members : EndMembers
        Sources, as for `source_fractions`.
    tracers : sequence of str
        Tracers to use. K sources need K - 1 of them: every such subset is solved by
        itself, with two sources every single tracer.

    Returns
    -------
    answers : DataFrame
        Index of the mixtures. For each subset of tracers, whose name is theirs joined
        by "+": ``<source>_by_<subset>``, the fraction without the sign rule, and
        ``<source>_by_<subset>_sd``. For each two subsets of one size:
        ``<source>_<first>_minus_<second>``, the same with ``_sd``, ``_z`` and
        ``_p_value`` (two-sided, normal). ``reason``, "" where fine. Without any
        spread there are fractions and differences, but no sd, z and p.

    Raises
    ------
    MixingError
        If the spread or the concentrations of end members are impossible.
    InputError
        If a column is missing or fewer than two tracers are given.

    Notes
    -----
    Tracers that only mix agree within their spread. Evaporation moves d18O and d2H
    along a line of low slope: the fractions by d18O and by d_excess then part, and
    the difference is its signal. The answers share the mixture and the sources, so
    that with G_a = df_a / dm, var(f_a - f_b) = var f_a + var f_b - 2 G_a (Sigma_m +
    sum_k w_k,a w_k,b Sigma_k) G_b', where w is the fraction (with concentrations the
    share of the tracer).

    A subset answers only where every source lies at least one pooled standard
    deviation off the line or plane of the others; else its columns are missing and
    the reason names it. First order is good to about twice that.

    References
    ----------
    Phillips and Gregg (2001), Oecologia 127, 171-179, doi:10.1007/s004420000578.

    Examples
    --------
    >>> ends = EndMembers.from_table(pd.DataFrame({
    ...     "source": ["precipitation", "ground_ice"], "d18O": [-12.6, -16.2],
    ...     "d_excess": [9.0, -3.0], "d18O_sd": [0.6, 0.6], "d_excess_sd": [1.5, 1.5]}))
    >>> soil = pd.DataFrame({"d18O": [-13.04], "d_excess": [6.21]})
    >>> pair = ("d18O", "d_excess")
    >>> answer = single_tracer_fractions(soil, ends, tracers=pair)
    >>> answer[["precipitation_by_d18O", "precipitation_by_d_excess",
    ...         "precipitation_d18O_minus_d_excess"]].round(3).values.tolist()
    [[0.878, 0.768, 0.11]]
    """
    names = list(tracers)
    if len(names) < 2:
        message = f"{len(names)} tracer given; comparing tracers takes two or more."
        raise InputError(message)
    check_columns(mixtures, end_members.by, what="Mixtures")
    end_members.covariances(names)
    tracer_concentrations(end_members, names)
    answers = _Answers(
        names,
        end_members.sources,
        # One by one, so that a missing tracer leaves the others their values.
        np.column_stack(
            [tracer_values(mixtures, [name], what="Mixtures") for name in names]
        ),
        tracer_covariances(mixtures, names, what="Mixtures"),
        np.full(len(mixtures), "", dtype=object),
    )
    allowed = allowed_sources(mixtures, end_members.sources)
    for group in sample_groups(mixtures, end_members.by):
        try:
            stratum = end_members.select(**group.key)
        except MixingError as error:
            answers.reason[group.rows] = str(error)
            continue
        present = np.isin(end_members.sources, stratum.sources)
        taking = allowed[group.rows] & present
        codes = taking @ (1 << np.arange(taking.shape[1]))
        for code in np.unique(codes):
            inside = np.flatnonzero(codes == code)
            columns = np.flatnonzero(taking[inside[0]])
            kept = stratum.keep([end_members.sources[column] for column in columns])
            _solve_pattern(answers, kept, group.rows[inside], columns)
    return answers.table(mixtures.index)


@dataclass(frozen=True, slots=True)
class _Answers:
    """Answers of every subset of tracers, filled stratum by stratum."""

    tracers: list[str]
    sources: tuple[str, ...]
    compositions: FloatArray
    covariances: FloatArray
    reason: npt.NDArray[np.object_]
    values: dict[tuple[Subset, ...], tuple[FloatArray, FloatArray]] = field(
        default_factory=dict
    )
    """By one subset, or by two whose difference it is: value and sd (n, source)."""

    def at(self, key: tuple[Subset, ...]) -> tuple[FloatArray, FloatArray]:
        """Give the arrays of a subset or a difference, empty ones at first."""
        shape = len(self.compositions), len(self.sources)
        if key not in self.values:
            self.values[key] = np.full(shape, np.nan), np.full(shape, np.nan)
        return self.values[key]

    def say(self, rows: IntArray, words: str) -> None:
        """Add words to the reason of rows."""
        told = self.reason[rows]
        self.reason[rows] = [f"{old}; {words}" if old else words for old in told]

    def name(self, subset: Subset) -> str:
        """Name a subset by its tracers."""
        return "+".join(self.tracers[place] for place in subset)

    def table(self, index: pd.Index) -> pd.DataFrame:
        """Lay out the answers as columns."""
        usual = max(min(len(self.sources), len(self.tracers)) - 1, 1)
        sizes = {usual, *(len(key[0]) for key in self.values)}
        columns: dict[str, npt.NDArray[np.generic]] = {}
        for size in sorted(sizes):
            subsets = list(combinations(range(len(self.tracers)), size))
            for subset in subsets:
                columns |= self._columns((subset,), f"by_{self.name(subset)}")
            for first, second in combinations(subsets, 2):
                words = f"{self.name(first)}_minus_{self.name(second)}"
                columns |= self._columns((first, second), words)
        return pd.DataFrame({**columns, "reason": self.reason}, index=index)

    def _columns(
        self, key: tuple[Subset, ...], words: str
    ) -> dict[str, npt.NDArray[np.generic]]:
        columns: dict[str, npt.NDArray[np.generic]] = {}
        value, sd = self.at(key)
        for place, source in enumerate(self.sources):
            head = f"{source}_{words}"
            columns[head], columns[f"{head}_sd"] = value[:, place], sd[:, place]
            if len(key) == 2:
                z = np.full(len(value), np.nan)
                np.divide(value[:, place], sd[:, place], out=z, where=sd[:, place] > 0)
                columns[f"{head}_z"] = z
                columns[f"{head}_p_value"] = 2.0 * special.ndtr(-np.abs(z))
        return columns


@dataclass(frozen=True, slots=True)
class _Alone:
    """Answer of one subset of tracers for some rows; NaN where there is none."""

    raw: FloatArray
    """Fractions, shape (n, K)."""
    gain: FloatArray
    """Derivative by the mixture's tracers, shape (n, K, tracer)."""
    shares: FloatArray
    """Share of each tracer that comes from a source, shape (n, K, tracer)."""


def _solve_pattern(
    answers: _Answers, kept: EndMembers, rows: IntArray, columns: IntArray
) -> None:
    """Solve rows that have the same sources by every subset of tracers."""
    n_tracers, size = len(answers.tracers), len(columns) - 1
    reasons = {-1: NO_SOURCE, 0: SINGLE, n_tracers: JUST_DETERMINED}
    if size < 1 or size >= n_tracers:
        answers.say(rows, reasons.get(size, TOO_FEW))
        return
    missing = ~np.isfinite(answers.compositions[rows]).all(axis=1)
    answers.say(rows[missing], MISSING)
    own = answers.covariances[rows]
    spread = kept.covariances(answers.tracers)
    known = bool(own.any() or spread.any())
    alone = {
        subset: _solve_subset(answers, kept, rows, subset)
        for subset in combinations(range(n_tracers), size)
    }
    place = np.ix_(rows, columns)
    variances: dict[Subset, FloatArray] = {}
    for subset, one in alone.items():
        value, sd = _absent(answers.at((subset,)), rows)
        variances[subset] = _covariance((subset, one), (subset, one), own, spread)
        value[place] = one.raw
        sd[place] = np.sqrt(np.maximum(variances[subset], 0.0)) if known else np.nan
    for first, second in combinations(alone, 2):
        value, sd = _absent(answers.at((first, second)), rows)
        both = (first, alone[first]), (second, alone[second])
        shared = _covariance(*both, own, spread)
        variance = variances[first] + variances[second] - 2.0 * shared
        value[place] = alone[first].raw - alone[second].raw
        sd[place] = np.sqrt(np.maximum(variance, 0.0)) if known else np.nan


def _absent(
    arrays: tuple[FloatArray, FloatArray], rows: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Set rows to 0: a source that takes no part has fraction 0 for certain."""
    for array in arrays:
        array[rows] = 0.0
    return arrays


def _solve_subset(
    answers: _Answers, kept: EndMembers, rows: IntArray, subset: Subset
) -> _Alone:
    """Solve rows by as many tracers as their sources need."""
    names = [answers.tracers[place] for place in subset]
    size = len(kept.sources)
    alone = _Alone(
        np.full((len(rows), size), np.nan),
        np.full((len(rows), size, len(subset)), np.nan),
        np.full((len(rows), size, len(subset)), np.nan),
    )
    words = f"{answers.name(subset)} does not tell {' and '.join(kept.sources)} apart"
    try:
        check_mixing_space(kept, tracers=names)
    except MixingError:
        answers.say(rows, words)
        return alone
    means = kept.means(names)
    unit = means.std(axis=0)
    blend = Blend(
        means / unit,
        np.zeros((size, len(subset), len(subset))),
        tracer_concentrations(kept, names),
    )
    points = answers.compositions[rows][:, list(subset)] / unit
    sound = np.flatnonzero(np.isfinite(points).all(axis=1))
    none = np.zeros((1, len(subset), len(subset)))
    found = mix_by_concentration(points[sound], none, blend, weighted=False)
    gain = found.gain / unit
    apart = _told_apart(gain, kept.covariances(names).mean(axis=0))
    apart &= np.isfinite(found.raw).all(axis=1)
    answers.say(rows[sound[~apart]], words)
    fine = sound[apart]
    alone.raw[fine], alone.gain[fine] = found.raw[apart], gain[apart]
    shares = blend.shares(np.ascontiguousarray(found.raw[apart].T))
    alone.shares[fine] = np.moveaxis(shares, -1, 0)
    return alone


def _told_apart(gain: FloatArray, pooled: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether every source lies off the others, by derivatives (n, K, tracer)."""
    # A fraction rises from 0 to 1 between the others and its source, so that its
    # standard deviation with pooled covariance is one over their distance.
    inverse2 = np.einsum("nki,ij,nkj->nk", gain, pooled, gain).max(axis=1)
    return np.asarray(inverse2 <= SEPARATION**-2, dtype=bool)


def _covariance(
    first: tuple[Subset, _Alone],
    second: tuple[Subset, _Alone],
    own: FloatArray,
    spread: FloatArray,
) -> FloatArray:
    """Covariance (n, K) of the fractions by two subsets of tracers."""
    (rows, one), (columns, other) = first, second
    total = own[:, rows][:, :, columns]
    total = total + np.einsum(
        "kij,nki,nkj->nij",
        spread[:, rows][:, :, columns],
        one.shares,
        other.shares,
    )
    covariance = np.einsum("nki,nij,nkj->nk", one.gain, total, other.gain)
    return np.asarray(covariance, dtype=float)
