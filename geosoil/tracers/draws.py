"""Draws of source fractions: what Monte Carlo, bootstrap and Bayes hand on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

QUANTILES: tuple[float, ...] = (0.05, 0.25, 0.50, 0.75, 0.95)
"""Quantiles that summaries give."""


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
