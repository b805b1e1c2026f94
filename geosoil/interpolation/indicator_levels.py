"""The levels of indicators: rising thresholds, or categories."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.errors import InputError
from geosoil.interpolation.base import FittedPoints, FloatArray, merge_points

Kind = Literal["threshold", "category"]

MOST_NAMED = 10
"""Unknown categories that a message names."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What indicators ask of a value: to be at most a threshold, or in a category."""

    kind: Kind
    """Thresholds or categories."""
    names: tuple[Hashable, ...]
    """The thresholds in rising order, or the categories."""

    @classmethod
    def of(
        cls,
        thresholds: Sequence[float] | npt.ArrayLike | None,
        categories: Sequence[Hashable] | npt.ArrayLike | None,
    ) -> Levels:
        """Return the levels that are given.

        Parameters
        ----------
        thresholds : sequence of float, or None
            Rising thresholds.
        categories : sequence, or None
            Categories.

        Returns
        -------
        levels : Levels
            The one that is given.

        Raises
        ------
        InputError
            If both or none are given, thresholds do not rise, or categories repeat.

        Examples
        --------
        >>> Levels.of([1, 2.5], None)
        Levels(kind='threshold', names=(1.0, 2.5))
        """
        if (thresholds is None) == (categories is None):
            message = "Give either thresholds or categories."
            raise InputError(message)
        if thresholds is not None:
            rising = np.asarray(thresholds, dtype=np.float64)
            good = rising.ndim == 1 and rising.size and np.isfinite(rising).all()
            if not good or (np.diff(rising) <= 0).any():
                message = (
                    f"Invalid thresholds {thresholds}. Give finite, rising numbers."
                )
                raise InputError(message)
            return cls("threshold", tuple(rising.tolist()))
        names = tuple(np.asarray(categories, dtype=object).tolist())
        if len(names) < 2 or len(set(names)) < len(names):
            message = f"Invalid categories {list(names)}. Give two or more, none twice."
            raise InputError(message)
        return cls("category", names)

    def indicators(
        self, xy: FloatArray, values: npt.ArrayLike
    ) -> tuple[FittedPoints, FloatArray]:
        """Return the places of values and their indicators.

        Parameters
        ----------
        xy : array, shape (n, 2)
            Places [m].
        values : array, shape (n,)
            Numbers, or categories; missing ones are dropped.

        Returns
        -------
        places : FittedPoints
            Different places, with the mean value where the levels are thresholds, else
            with the first indicator.
        indicators : array, shape (m, k)
            1 where the value is at most the threshold, or in the category; where
            several categories were found at one place, their shares.

        Raises
        ------
        InputError
            If lengths differ, a category is unknown, or nothing is left.

        Examples
        --------
        >>> xy = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
        >>> Levels.of(None, ["ice", "none"]).indicators(xy, ["ice", "ice", "none"])[1]
        array([[1. , 0. ],
               [0.5, 0.5]])
        """
        if self.kind == "threshold":
            places = merge_points(xy, values)
            limits = np.array(self.names, dtype=np.float64)
            below = places.values[:, None] <= limits  # noqa: PD011  a plain array
            return places, below.astype(np.float64)
        found = np.asarray(values, dtype=object)
        missing = np.asarray(pd.isna(found), dtype=bool)
        known = set(self.names)
        unknown = sorted({str(one) for one in found[~missing] if one not in known})
        if unknown:
            more = ", ..." if len(unknown) > MOST_NAMED else ""
            message = (
                f"Unknown categories {', '.join(unknown[:MOST_NAMED])}{more}. Known "
                f"are {', '.join(map(str, self.names))}: name all, or mask the others."
            )
            raise InputError(message)
        columns = [
            merge_points(xy, np.where(missing, np.nan, found == name))
            for name in self.names
        ]
        values_of = [column.values for column in columns]  # noqa: PD011  plain arrays
        return columns[0], np.column_stack(values_of)

    def labels(self) -> npt.NDArray[np.generic]:
        """Return the names as a coordinate.

        Returns
        -------
        labels : array, shape (k,)
            Numbers, or words where categories are of several kinds.
        """
        return np.asarray(self.names)
