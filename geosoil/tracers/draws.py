"""Draws of source fractions: what Monte Carlo, bootstrap and Bayes hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.tracers import draw_summary as summaries
from geosoil.tracers.aggregate import (
    GroupWeights,
    combined_sources,
    group_weights,
)
from geosoil.tracers.groups import Group, check_columns, sample_groups

FloatArray = npt.NDArray[np.float64]

QUANTILES: tuple[float, ...] = summaries.QUANTILES
"""Quantiles that summaries give."""

NO_WEIGHT = "no row with an answer has a weight above 0"
"""Reason: a group has nothing to average."""


@dataclass(frozen=True, slots=True, eq=False)
class FractionDraws:
    """Joint draws of the fractions of several mixtures or groups.

    One draw holds one state of everything uncertain, such as the end members, for all
    rows at once: what rows share stays shared in their means and differences.

    Raises
    ------
    InputError
        If the shapes of table, sources, values and reasons do not fit.

    Examples
    --------
    >>> table = pd.DataFrame({"period": ["June"]})
    >>> values = np.array([[[0.7, 0.3]], [[0.5, 0.5]]])
    >>> draws = FractionDraws(table, ("rain", "ice"), values, ("",), "monte_carlo")
    >>> draws.n_draws
    2
    """

    table: pd.DataFrame
    """One row a mixture or group: its labels, ``n``, ``n_sites`` where known."""
    sources: tuple[str, ...]
    """Names of the sources."""
    values: FloatArray
    """Fractions, shape (draw, row, source); NaN in rows without an answer."""
    reason: tuple[str, ...]
    """Why a row has no answer or a doubtful one; "" where fine."""
    method: str
    """What made the draws: "monte_carlo", "bootstrap" or "bayes"."""

    def __post_init__(self) -> None:
        """Check that the parts fit together."""
        wanted = (len(self.table), len(self.sources))
        if self.values.ndim != 3 or self.values.shape[1:] != wanted:
            message = (
                f"Draws have the shape {self.values.shape}; (draw, {wanted[0]}, "
                f"{wanted[1]}) is needed: a row of the table and a source each."
            )
            raise InputError(message)
        if len(self.reason) != len(self.table):
            message = f"{len(self.reason)} reasons for {len(self.table)} rows."
            raise InputError(message)

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.values.shape[0])

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        """Rows that have an answer in some draw, shape (row,).

        Examples
        --------
        >>> table = pd.DataFrame({"period": ["June", "August"]})
        >>> values = np.array([[[0.7, 0.3], [np.nan, np.nan]]])
        >>> FractionDraws(table, ("a", "b"), values, ("", "?"), "bayes").answered
        array([ True, False])
        """
        return np.asarray(np.isfinite(self.values).all(axis=2).any(axis=0))

    def summary(
        self,
        *,
        quantiles: Sequence[float] = QUANTILES,
        above: float | None = None,
    ) -> pd.DataFrame:
        """Tell mean, standard deviation and quantiles of every fraction.

        Parameters
        ----------
        quantiles : sequence of float
            Probabilities of the quantiles.
        above : float, optional
            Also tell ``prob_above``, the probability of a share above this value.

        Returns
        -------
        summary : DataFrame
            One line a row and source: columns of the table (but its own ``reason``
            and ``method``, if any), ``source``, ``mean``, ``sd``, ``q05`` and so on,
            ``n_draws`` that have an answer, ``reason``, ``method``.

        Raises
        ------
        InputError
            If a quantile lies outside 0 to 1.

        Examples
        --------
        >>> table = pd.DataFrame({"period": ["June"]})
        >>> values = np.array([[[0.7, 0.3]], [[0.5, 0.5]]])
        >>> draws = FractionDraws(table, ("rain", "ice"), values, ("",), "bayes")
        >>> draws.summary()[["source", "mean", "q05"]].values.tolist()
        [['rain', 0.6, 0.51], ['ice', 0.4, 0.31]]
        """
        numbers = summaries.describe_draws(
            self.values, quantiles=quantiles, above=above
        )
        own = [name for name in ("reason", "method", "source") if name in self.table]
        tidy = summaries.tidy_draws(self.table.drop(columns=own), self.sources, numbers)
        tidy["reason"] = np.repeat(np.array(self.reason, object), len(self.sources))
        tidy["method"] = self.method
        return tidy

    def select(self, rows: npt.ArrayLike) -> FractionDraws:
        """Keep some rows, in all draws.

        Parameters
        ----------
        rows : array
            Positions, or one bool a row, such as ``draws.table["period"] == "June"``.

        Returns
        -------
        draws : FractionDraws
            The rows, numbered anew.

        Raises
        ------
        InputError
            If there is no such row.

        Examples
        --------
        >>> table = pd.DataFrame({"period": ["June", "August"]})
        >>> draws = FractionDraws(
        ...     table, ("rain",), np.ones((3, 2, 1)), ("", ""), "bayes"
        ... )
        >>> draws.select(table["period"] == "August").table["period"].tolist()
        ['August']
        """
        wanted = np.asarray(rows)
        size = len(self.table)
        if wanted.dtype == bool:
            if wanted.shape != (size,):
                message = f"{wanted.size} choices for {size} rows. Give one each."
                raise InputError(message)
            wanted = np.flatnonzero(wanted)
        places = wanted.astype(np.intp).reshape(-1)
        if np.any((places < 0) | (places >= size)):
            message = f"Rows {places.tolist()} chosen; there are rows 0 to {size - 1}."
            raise InputError(message)
        return FractionDraws(
            self.table.iloc[places].reset_index(drop=True),
            self.sources,
            self.values[:, places],
            tuple(self.reason[place] for place in places),
            self.method,
        )

    def combine_sources(self, parts: Mapping[str, Sequence[str]]) -> FractionDraws:
        """Add the shares of sources up, draw by draw.

        Parameters
        ----------
        parts : mapping of str to sequence of str
            Name of each new source, and the sources that it is made of.

        Returns
        -------
        draws : FractionDraws
            A new source stands where the first of its parts stood; sources that are
            not named stay.

        Raises
        ------
        MixingError
            If a source is unknown or used twice, or a name is taken or has no part.

        Notes
        -----
        Shares of two sources that are alike are known badly each and well together:
        their draws go against each other, so the sum's spread is smaller than either.

        References
        ----------
        Phillips, Newsome and Gregg (2005), Oecologia 144, 520-527,
        doi:10.1007/s00442-004-1816-8.

        Examples
        --------
        >>> values = np.array([[[0.5, 0.2, 0.3]], [[0.5, 0.4, 0.1]]])
        >>> draws = FractionDraws(pd.DataFrame(index=[0]), ("rain", "ice", "snow"),
        ...                       values, ("",), "bayes")
        >>> frozen = draws.combine_sources({"frozen": ["ice", "snow"]})
        >>> frozen.sources, frozen.values.round(3).tolist()
        (('rain', 'frozen'), [[[0.5, 0.5]], [[0.5, 0.5]]])
        """
        columns = combined_sources(self.sources, parts)
        sums = [self.values[:, :, own].sum(axis=2) for own in columns.values()]
        return replace(self, sources=tuple(columns), values=np.stack(sums, axis=-1))

    def aggregate(
        self,
        by: Sequence[str],
        *,
        weights: pd.Series | npt.ArrayLike | None = None,
        weighting: str,
        on: Sequence[str] = (),
    ) -> FractionDraws:
        """Average rows within groups, draw by draw.

        Parameters
        ----------
        by : sequence of str
            Columns of the table that make the groups; empty for all rows together.
        weights : Series or array, optional
            Weight of each row; or with ``on`` a Series indexed by strata, which may
            hold strata that have no row. None gives every row the same weight. A
            weight that is not known is NaN: its row takes no part, and is told of.
        weighting : str
            What the weights are, such as "area".
        on : sequence of str
            Columns that name the stratum, in the order of the levels of the index of
            ``weights``.

        Returns
        -------
        draws : FractionDraws
            One row a group: labels; ``n``, summed over the rows used, if the table
            has it; ``n_rows`` used; ``n_unanswered`` rows; ``n_unweighted`` rows and
            strata without a known weight; ``covered``, share of the known weight
            that rows with an answer hold; ``weighting``. Doubts of rows, and what is
            left out, stand in ``reason``.

        Raises
        ------
        InputError
            If a column is missing, the weights are negative or do not fit, or a
            stratum stands twice in a group.

        Notes
        -----
        F = sum w f / sum w in each draw. What rows share, such as an error of an end
        member, is not averaged away, as it would be if the rows' standard deviations
        were combined as independent. A draw in which a row used is missing has no F.

        Examples
        --------
        >>> table = pd.DataFrame({"band": ["low", "high"], "n": [30, 10]})
        >>> values = np.array([[[0.8, 0.2], [0.4, 0.6]], [[0.6, 0.4], [0.2, 0.8]]])
        >>> draws = FractionDraws(table, ("rain", "ice"), values, ("", ""), "bayes")
        >>> whole = draws.aggregate([], weights=table["n"], weighting="samples")
        >>> whole.values[:, 0, 0].round(3).tolist()
        [0.7, 0.5]
        """
        check_columns(self.table, list(by), what="Draws")
        groups = sample_groups(self.table, by)
        weight = group_weights(self.table, groups, weights, on=on)
        parts = [
            self._average(group, weight, place) for place, group in enumerate(groups)
        ]
        table = pd.DataFrame([row for row, _, _ in parts])
        table["weighting"] = weighting
        values = np.full((self.n_draws, len(groups), len(self.sources)), np.nan)
        for place, (_, mean, _) in enumerate(parts):
            values[:, place] = mean
        reason = tuple(words for _, _, words in parts)
        return FractionDraws(table, self.sources, values, reason, self.method)

    def compare(
        self,
        within: Sequence[str] = (),
        *,
        pairs: Sequence[tuple[int, int]] | None = None,
        quantiles: Sequence[float] = QUANTILES,
    ) -> pd.DataFrame:
        """Compare rows with each other, draw by draw.

        Parameters
        ----------
        within : sequence of str
            Rows are compared in pairs where these columns agree, such as ``period``.
        pairs : sequence of (int, int), optional
            Positions of the rows to compare instead of all pairs.
        quantiles : sequence of float
            Probabilities of the quantiles of the difference.

        Returns
        -------
        differences : DataFrame
            One line a pair and source: ``<column>_1`` and ``<column>_2`` of every
            label that differs between rows, the labels of ``within``, ``row_1``,
            ``row_2``, ``source``; ``mean``, ``sd`` and quantiles of the first less
            the second share; ``prob_above``, the probability that the first is the
            larger; ``n_draws``; ``p_value`` (two-sided) and ``p_holm``, adjusted for
            all lines of this table; ``reason`` of either row.

        Raises
        ------
        InputError
            If a column is missing or a pair names a row that is not there.

        Examples
        --------
        >>> table = pd.DataFrame({"vegetation": ["meadow", "forest"]})
        >>> values = np.array([[[0.8], [0.4]], [[0.6], [0.3]], [[0.5], [0.6]]])
        >>> draws = FractionDraws(table, ("rain",), values, ("", ""), "bayes")
        >>> pair = draws.compare().iloc[0]
        >>> pair["vegetation_1"], pair["vegetation_2"], f"{pair['prob_above']:.2f}"
        ('meadow', 'forest', '0.67')
        """
        check_columns(self.table, list(within), what="Draws")
        if pairs is None:
            groups = sample_groups(self.table, within)
            pairs = [pair for g in groups for pair in combinations(g.rows.tolist(), 2)]
        places = np.array(pairs, dtype=np.intp).reshape(-1, 2)
        first, second = self.select(places[:, 0]), self.select(places[:, 1])
        away = self.values[:, places[:, 0]] - self.values[:, places[:, 1]]
        numbers = summaries.describe_draws(away, quantiles=quantiles, above=0.0)
        numbers["p_value"] = summaries.draw_p_value(away)
        labels = summaries.pair_labels(self.table, places, within)
        tidy = summaries.tidy_draws(labels, self.sources, numbers)
        tidy["p_holm"] = summaries.adjusted_p_values(tidy["p_value"])
        both = zip(first.reason, second.reason, strict=True)
        words = ["; ".join(dict.fromkeys(filter(None, pair))) for pair in both]
        tidy["reason"] = np.repeat(np.array(words, object), len(self.sources))
        return tidy

    def _average(
        self, group: Group, weights: GroupWeights, place: int
    ) -> tuple[dict[str, object], FloatArray, str]:
        """Labels, mean in every draw and reason of one group."""
        weight = np.nan_to_num(weights.rows[group.rows])
        answered = self.answered[group.rows]
        used = group.rows[answered & (weight > 0)]
        held = float(weights.rows[used].sum())
        total, unknown = weights.total[place], int(weights.n_unknown[place])
        row: dict[str, object] = {**group.key}
        if "n" in self.table:
            row["n"] = int(self.table["n"].iloc[used].fillna(0).sum())
        row["n_rows"] = used.size
        row["n_unanswered"] = int((~answered).sum())
        row["n_unweighted"] = unknown
        row["covered"] = held / total if total > 0 else np.nan
        doubtful = sum(bool(self.reason[place]) for place in used)
        notes = [
            (row["n_unanswered"], f"of {group.rows.size} rows without an answer"),
            (unknown, "without a known weight"),
            (doubtful, f"of {used.size} rows used doubtful"),
        ]
        words = [f"{count} {what}" for count, what in notes if count]
        if not used.size:
            nothing = np.full((self.n_draws, len(self.sources)), np.nan)
            return row, nothing, "; ".join([NO_WEIGHT, *words])
        share = weights.rows[used] / held
        mean = np.einsum("r,drk->dk", share, self.values[:, used])
        return row, mean, "; ".join(words)
