"""The samples that a water line is fitted to, once rows without an answer are out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]

WEIGHTED: dict[str, str] = {"pwlsr": "ols", "pwrma": "rma", "pwma": "ma"}
"""Amount-weighted methods and the plain method each one weights."""

FEWEST = 3
"""Fewest samples a line is fitted to."""


@dataclass(frozen=True, slots=True)
class LineSamples:
    """Usable rows of one fit."""

    x: FloatArray
    """d18O of the rows used [permil]."""
    y: FloatArray
    """d2H of the rows used [permil]."""
    weight: FloatArray
    """Precipitation amount of the rows used; 1 for methods without weights."""
    kept: npt.NDArray[np.bool_]
    """Which of the rows given are used."""
    n_unweighted: int
    """Complete rows left out because their amount is zero or missing."""

    @property
    def n_missing(self) -> int:
        """Rows left out because d18O or d2H is missing."""
        return self.kept.size - self.x.size - self.n_unweighted

    @classmethod
    def of(
        cls,
        d18O: npt.ArrayLike,
        d2H: npt.ArrayLike,
        *,
        method: str,
        amount: npt.ArrayLike | None,
    ) -> LineSamples:
        """Choose the rows a method can use.

        Parameters
        ----------
        d18O, d2H : array, shape (n,)
            Isotope values [permil, VSMOW].
        method : str
            Method of the fit, see `geosoil.tracers.lines.fit_water_line`.
        amount : array, shape (n,), optional
            Precipitation amounts [mm], for the weighted methods.

        Returns
        -------
        samples : LineSamples
            At least 3 rows whose d18O differ.

        Raises
        ------
        InputError
            If shapes disagree, amounts are absent, superfluous or negative, or no
            line goes through what is left.

        Examples
        --------
        >>> rows = LineSamples.of(
        ...     [-9.0, -12.0, np.nan, -15.0], [-62.0, -86.0, -99.0, -110.0],
        ...     method="ols", amount=None,
        ... )
        >>> rows.x.size, rows.n_missing
        (3, 1)
        """
        x, y = np.asarray(d18O, dtype=float), np.asarray(d2H, dtype=float)
        if x.ndim != 1 or x.shape != y.shape:
            message = (
                f"d18O has shape {x.shape}, d2H {y.shape}. "
                "Give two one-dimensional arrays of one length."
            )
            raise InputError(message)
        weight = _amounts(amount, x.size, method)
        complete = np.isfinite(x) & np.isfinite(y)
        kept = complete & (weight > 0)
        dry = int(np.sum(complete & ~kept))
        rows = cls(x[kept], y[kept], weight[kept], kept, dry)
        problem = rows.problem()
        if problem:
            message = f"No {method} line: {problem}. Join groups or add samples."
            raise InputError(message)
        return rows

    def problem(self) -> str:
        """Why no line goes through the rows; empty where one does."""
        if self.x.size < FEWEST:
            words = f"{self.x.size} samples found, {FEWEST} needed for a line"
            if self.n_unweighted:
                words += f" ({self.n_unweighted} have an amount of zero or none)"
            return words
        if np.ptp(self.x) <= 1e-12 * max(1.0, float(np.abs(self.x).max())):
            return (
                f"all {self.x.size} samples have the same d18O ({self.x[0]:g} permil), "
                "so that the line is vertical"
            )
        return ""


def _amounts(amount: npt.ArrayLike | None, size: int, method: str) -> FloatArray:
    if method not in WEIGHTED:
        if amount is not None:
            message = (
                f"Method '{method}' takes no amount. "
                f"For weighted lines use {', '.join(WEIGHTED)}."
            )
            raise InputError(message)
        return np.ones(size)
    if amount is None:
        message = f"Method '{method}' needs the precipitation amount of each sample."
        raise InputError(message)
    weight = np.asarray(amount, dtype=float)
    if weight.shape != (size,):
        message = f"{weight.size} amounts for {size} samples. Give one each."
        raise InputError(message)
    negative = np.flatnonzero(weight < 0)
    if negative.size:
        message = (
            f"{negative.size} negative precipitation amounts, the first in row "
            f"{negative[0]} ({weight[negative[0]]:g}). Amounts are 0 or above."
        )
        raise InputError(message)
    return np.where(np.isfinite(weight), weight, 0.0)
