"""Spread, concentrations and numbers of all end members, read from their table once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.tracers.concentration import tracer_concentrations
from geosoil.tracers.endmembers import EndMembers
from geosoil.tracers.mixing_solver import MixingTask

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]

ROW = "_row"
"""Column that carries the rows of a table of end members through a selection."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceArrays:
    """End members as arrays, one row of their table each.

    Examples
    --------
    >>> import pandas as pd
    >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["rain", "rain", "ice"],
    ...     "Cl": [1.0, 2.0, 9.0], "period": ["June", "August", None]}))
    >>> task = MixingTask(["Cl"], np.array([[3.0]]), np.zeros((1, 1, 1)),
    ...                   np.ones((1, 2), dtype=bool), "gls")
    >>> arrays = SourceArrays.of(ends, task)
    >>> arrays.rows({"period": "August"}).tolist(), arrays.places.tolist()
    ([1, 2], [0, 0, 1])
    """

    marked: EndMembers
    """The end members, with the number of each row."""
    places: IntArray
    """Place of each row's source among all sources, shape (row,)."""
    spread: FloatArray
    """Covariance of each row as the task counts it, shape (row, tracer, tracer)."""
    concentrations: FloatArray
    """Concentrations, shape (row, tracer)."""
    counts: FloatArray
    """Samples behind each mean; 1 where not known, shape (row,)."""

    @classmethod
    def of(cls, end_members: EndMembers, task: MixingTask) -> SourceArrays:
        """Read end members.

        Parameters
        ----------
        end_members : EndMembers
            Sources of all strata.
        task : MixingTask
            Says which tracers, and whether spreads are those of means.

        Returns
        -------
        arrays : SourceArrays
            Arrays in the order of the table.

        Raises
        ------
        MixingError
            If a spread or a concentration is impossible.

        Examples
        --------
        >>> import pandas as pd
        >>> ends = EndMembers.from_table(pd.DataFrame(
        ...     {"source": ["rain"], "Cl": [1.0], "Cl_sd": [0.5], "n": [25]}))
        >>> task = MixingTask(["Cl"], np.array([[3.0]]), np.zeros((1, 1, 1)),
        ...                   np.ones((1, 1), dtype=bool), "gls", of_means=True)
        >>> SourceArrays.of(ends, task).spread.tolist()
        [[[0.01]]]
        """
        table = end_members.table
        place = {source: k for k, source in enumerate(end_members.sources)}
        return cls(
            EndMembers(table.assign(**{ROW: np.arange(len(table))}), end_members.by),
            np.array([place[str(source)] for source in table["source"]], dtype=np.intp),
            task.spread(end_members),
            tracer_concentrations(end_members, task.tracers),
            end_members.counts(),
        )

    def rows(self, key: Mapping[str, Hashable]) -> IntArray:
        """Give the rows of one stratum.

        Parameters
        ----------
        key : mapping of str to label
            Label of each stratum column.

        Returns
        -------
        rows : array of int
            One row a source that the stratum has.

        Raises
        ------
        MixingError
            If there is no such stratum.

        Examples
        --------
        >>> import pandas as pd
        >>> ends = EndMembers.from_table(pd.DataFrame({"source": ["a"], "Cl": [1.0]}))
        >>> task = MixingTask(["Cl"], np.array([[3.0]]), np.zeros((1, 1, 1)),
        ...                   np.ones((1, 1), dtype=bool), "gls")
        >>> SourceArrays.of(ends, task).rows({}).tolist()
        [0]
        """
        chosen = self.marked.select(**key)
        return np.asarray(chosen.table[ROW].to_numpy(), dtype=np.intp)
