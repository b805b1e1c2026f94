"""End members: the waters that mix, with their means, spread and number."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import MixingError
from geosoil.tracers.endmember_table import (
    check_sources,
    describe_sources,
    known_deviations,
    named_covariances,
    sample_counts,
    spread_of_means,
)
from geosoil.tracers.groups import check_columns
from geosoil.tracers.source_means import SampleMeans, row_label, source_means
from geosoil.tracers.tracer_space import tracer_values

FloatArray = npt.NDArray[np.float64]

STRATA: tuple[str, ...] = (
    "period",
    "elevation_band",
    "vegetation",
    "aspect",
    "exposure",
    "soil_layer",
)
"""Columns that make strata in a table of end members when none are named."""

WHAT = "End members"


@dataclass(frozen=True, slots=True, eq=False)
class EndMembers:
    """Means, covariances and sample numbers of sources, by stratum where given.

    Make it with `EndMembers.from_table` or `EndMembers.from_samples`.

    Examples
    --------
    >>> table = pd.DataFrame({"source": ["precipitation", "ground_ice"],
    ...                       "d18O": [-12.6, -16.2], "d2H": [-91.8, -132.6]})
    >>> EndMembers.from_table(table).sources
    ('precipitation', 'ground_ice')
    """

    table: pd.DataFrame
    """One row a source and stratum: ``source``, tracers, ``<tracer>_sd``,
    ``<a>_<b>_cov``, ``n`` and the columns of ``by``. ``spread_of``, where given, says
    whether the spread is that of single samples ("sample") or of the mean ("mean")."""
    by: tuple[str, ...] = ()
    """Columns that make the strata."""

    @classmethod
    def from_table(
        cls, table: pd.DataFrame, *, by: Sequence[str] | None = None
    ) -> EndMembers:
        """Take end members from a table of means.

        Parameters
        ----------
        table : DataFrame
            Columns ``source`` and tracers such as ``d18O``, ``d2H`` [permil];
            optional ``<tracer>_sd``, ``d18O_d2H_cov``, ``n``, and columns of strata.
            An empty cell in a stratum column means any label.
        by : sequence of str, optional
            Stratum columns; by default those of `STRATA` that the table has.

        Returns
        -------
        end_members : EndMembers
            End members.

        Raises
        ------
        MixingError
            If a source has no name, stands twice in one stratum, or has a
            ``spread_of`` that is neither sample nor mean.
        InputError
            If a column is missing.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "Cl_sd": [0.5]})
        >>> EndMembers.from_table(table).means(["Cl"]).tolist()
        [[2.0]]
        """
        check_columns(table, ["source", *(by or ())], what=WHAT)
        if by is None:
            by = [column for column in STRATA if column in table.columns]
        clean = table.reset_index(drop=True)
        for column in ("source", *by):
            labels = clean[column].astype(object)
            clean[column] = labels.where(labels.notna() & (labels != ""), None)
        check_sources(clean, by)
        return cls(clean, tuple(by))

    @classmethod
    def from_samples(
        cls,
        samples: pd.DataFrame,
        *,
        sources: Sequence[str],
        by: Sequence[str] | None = None,
        tracers: Sequence[str] = ("d18O", "d2H"),
        amount: str | None = None,
    ) -> EndMembers:
        """Take end members from the samples of their waters.

        Parameters
        ----------
        samples : DataFrame
            One row a sample, with columns ``water`` and the tracers. Rows without
            all tracers are left out.
        sources : sequence of str
            Waters that mix, in the order wanted.
        by : sequence of str, optional
            Columns that make strata, such as ``["period"]``. A source without
            samples in a stratum takes no part in its mixtures.
        tracers : sequence of str
            Tracers to average.
        amount : str, optional
            Column of precipitation amounts [mm], such as ``"precipitation"``: a
            source that has amounts is averaged by them, its samples without amount
            are left out; other sources stay unweighted.

        Returns
        -------
        end_members : EndMembers
            Means, sample standard deviations, covariances, ``n`` and ``n_effective``
            (Kish) of each source and stratum.

        Raises
        ------
        MixingError
            If a source has no sample; the message lists the waters found.

        Warns
        -----
        GeosoilWarning
            Where a source has one sample in a stratum: its spread is unknown and
            counts as none.

        Examples
        --------
        >>> samples = pd.DataFrame({
        ...     "water": ["precipitation"] * 2 + ["ground_ice"] * 2,
        ...     "d18O": [-12.0, -13.0, -16.0, -17.0],
        ...     "d2H": [-86.0, -95.0, -130.0, -137.0],
        ... })
        >>> waters = ["precipitation", "ground_ice"]
        >>> EndMembers.from_samples(samples, sources=waters).table["n"].tolist()
        [2, 2]
        """
        options = SampleMeans(tuple(by or ()), tuple(tracers), amount)
        return cls.from_table(source_means(samples, sources, options), by=options.by)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources, in the table's order."""
        return tuple(map(str, self.table["source"].drop_duplicates()))

    def select(self, **stratum: Hashable) -> EndMembers:
        """Return the end members of one stratum.

        Parameters
        ----------
        **stratum
            Label of each stratum column; all of ``by`` are needed.

        Returns
        -------
        end_members : EndMembers
            One row a source, with no strata. Of several rows that fit, the one with
            the fewest empty stratum cells is taken. A source without a fitting row
            is absent.

        Raises
        ------
        MixingError
            If a column of ``by`` is not given, no row fits, or two fit equally well.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain", "rain", "ice"], "Cl": [1., 2., 9.],
        ...                       "period": ["June", "August", None]})
        >>> EndMembers.from_table(table).select(period="August").means(["Cl"]).tolist()
        [[2.0], [9.0]]
        """
        if set(stratum) != set(self.by):
            given = ", ".join(stratum) or "nothing"
            message = f"{WHAT} are given by {', '.join(self.by)}; selected by {given}."
            raise MixingError(message)
        fits = np.ones(len(self.table), dtype=bool)
        depth = np.zeros(len(self.table), dtype=int)
        for column, label in stratum.items():
            any_label = self.table[column].isna().to_numpy()
            fits &= any_label | (self.table[column] == label).to_numpy(dtype=bool)
            depth += ~any_label
        found = self.table[fits].assign(_depth=depth[fits])
        words = ", ".join(f"{column} {label}" for column, label in stratum.items())
        if found.empty:
            message = f"No end members for {words}."
            raise MixingError(message)
        deepest = found.groupby("source")["_depth"].transform("max")
        chosen = found[found["_depth"] == deepest].drop(columns=["_depth", *self.by])
        twice = chosen["source"][chosen["source"].duplicated()]
        if len(twice):
            message = f"{words}: two rows fit equally well for {', '.join(twice)}."
            raise MixingError(message)
        return EndMembers(chosen.reset_index(drop=True))

    def keep(self, sources: Sequence[str]) -> EndMembers:
        """Return some of the sources, in the order given.

        Parameters
        ----------
        sources : sequence of str
            Names to keep.

        Returns
        -------
        end_members : EndMembers
            End members of these sources alone.

        Raises
        ------
        MixingError
            If a name is unknown.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain", "ice"], "Cl": [1.0, 9.0]})
        >>> EndMembers.from_table(table).keep(["ice"]).sources
        ('ice',)
        """
        unknown = [name for name in sources if name not in self.sources]
        if unknown:
            message = (
                f"Unknown source {', '.join(unknown)}. "
                f"End members are {', '.join(self.sources)}."
            )
            raise MixingError(message)
        rank = {name: place for place, name in enumerate(sources)}
        kept = self.table[self.table["source"].isin(rank)]
        order = np.argsort(kept["source"].map(rank).to_numpy(), kind="stable")
        return EndMembers(kept.iloc[order].reset_index(drop=True), self.by)

    def means(self, tracers: Sequence[str]) -> FloatArray:
        """Return the tracers of every row, shape (row, tracer).

        Parameters
        ----------
        tracers : sequence of str
            Tracers wanted.

        Returns
        -------
        means : array, shape (row, tracer)
            Mean of each source.

        Raises
        ------
        MixingError
            If a mean is missing; the message names the sources.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "d18O": [-10.], "d2H": [-70.]})
        >>> EndMembers.from_table(table).means(["d_excess"]).tolist()
        [[10.0]]
        """
        values = tracer_values(self.table, tracers, what=WHAT)
        missing = ~np.isfinite(values).all(axis=1)
        if missing.any():
            names = [
                row_label(row, self.by) for _, row in self.table[missing].iterrows()
            ]
            message = f"{WHAT}: no {' or '.join(tracers)} for {'; '.join(names)}."
            raise MixingError(message)
        return values

    def covariances(self, tracers: Sequence[str]) -> FloatArray:
        """Return the spread of every row as a covariance of the tracers.

        Parameters
        ----------
        tracers : sequence of str
            Tracers wanted.

        Returns
        -------
        covariances : array, shape (row, tracer, tracer)
            Covariances of single samples of each source; zero where not given.

        Raises
        ------
        MixingError
            If a spread is negative or no covariance; the message lists every source
            and stratum.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "Cl_sd": [0.5]})
        >>> EndMembers.from_table(table).covariances(["Cl"]).tolist()
        [[[0.25]]]
        """
        return named_covariances(self.table, tracers, self.by)

    def standard_errors(self, tracers: Sequence[str]) -> FloatArray:
        """Return the standard error of every mean, shape (row, tracer).

        Parameters
        ----------
        tracers : sequence of str
            Tracers wanted.

        Returns
        -------
        standard_errors : array, shape (row, tracer)
            SD / sqrt(n), see `of_means`; NaN where no SD is known.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "Cl_sd": [0.5],
        ...                       "n": [25]})
        >>> EndMembers.from_table(table).standard_errors(["Cl"]).tolist()
        [[0.1]]
        """
        of_means = self.of_means()
        spread = of_means.covariances(tracers)
        return known_deviations(of_means.table, tracers, spread)

    def describe(self, tracers: Sequence[str] = ("d18O", "d2H")) -> pd.DataFrame:
        """Tell the mean of every source, its SD and its SE apart, in words too.

        Parameters
        ----------
        tracers : sequence of str
            Tracers to tell.

        Returns
        -------
        description : DataFrame
            One row a source, stratum and tracer: columns of ``by``, ``source``,
            ``tracer``, ``mean``, ``sd`` (of samples), ``se`` (of the mean), ``n``,
            ``n_effective``, ``words``.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "Cl_sd": [0.5],
        ...                       "n": [25]})
        >>> EndMembers.from_table(table).describe(["Cl"])[["sd", "se"]].values.tolist()
        [[0.5, 0.1]]
        """
        sd = known_deviations(self.table, tracers, self.covariances(tracers))
        moments = self.means(tracers), sd, self.standard_errors(tracers)
        told = describe_sources(self.table, tracers, moments)
        return self.table[[*self.by, "source"]].join(told).reset_index(drop=True)

    def counts(self) -> FloatArray:
        """Return how many samples stand behind each mean.

        Returns
        -------
        counts : array, shape (row,)
            ``n_effective``, else ``n``; 1 where neither is given or the spread is
            that of the mean already, so that the spread counts in full.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "n": [40]})
        >>> EndMembers.from_table(table).counts().tolist()
        [40.0]
        """
        return sample_counts(self.table)

    def of_means(self) -> EndMembers:
        """Return end members whose spread is that of their means.

        Returns
        -------
        end_members : EndMembers
            SDs divided by sqrt(n), covariances by n; whole where n is not given.

        Examples
        --------
        >>> table = pd.DataFrame({"source": ["rain"], "Cl": [2.0], "Cl_sd": [0.5],
        ...                       "n": [25]})
        >>> EndMembers.from_table(table).of_means().table["Cl_sd"].tolist()
        [0.1]
        """
        return EndMembers(spread_of_means(self.table), self.by)
