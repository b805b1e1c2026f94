"""Answers of kriging: what is found at targets, and why some have no answer."""

from __future__ import annotations

import numpy as np

from geosoil.interpolation.base import FloatArray
from geosoil.interpolation.kriging_system import DRIFT, FEW, NEGATIVE, StatusArray


class Answers(dict[str, FloatArray]):
    """Arrays by name, with the counts of targets that have no answer by reason."""

    def __init__(
        self, names: tuple[str, ...], rows: FloatArray, *, sill: float
    ) -> None:
        """Take the rows; a variance below 0 is rounding, or else unknown.

        Parameters
        ----------
        names : tuple of str
            Name of each row: the estimate, then variances.
        rows : array, shape (len(names), m)
            The answers; changed in place.
        sill : float
            Variance of the field.

        Examples
        --------
        >>> rows = np.array([[1.0, 2.0], [-1e-20, -0.5]])
        >>> answers = Answers(("estimate", "kriging_variance"), rows, sill=1.0)
        >>> answers["kriging_variance"].tolist(), answers.notes
        ([0.0, nan], {'n_negative_variance': 1})
        """
        variances = rows[1:]
        with np.errstate(invalid="ignore"):
            wrong = (variances[:1] < -NEGATIVE * sill).any(axis=0)
            np.maximum(variances, 0.0, out=variances)
            variances[:, wrong] = np.nan
        super().__init__(zip(names, [rows[0], *variances], strict=True))
        self.notes: dict[str, int] = {}
        if wrong.any():
            self.notes["n_negative_variance"] = int(wrong.sum())

    def count(self, status: StatusArray) -> None:
        """Note how many targets their neighbours could not answer.

        Parameters
        ----------
        status : array of int, shape (m,)
            Status of each target.
        """
        self.notes["n_few_neighbors"] = int((status == FEW).sum())
        self.notes["n_singular_drift"] = int((status == DRIFT).sum())
