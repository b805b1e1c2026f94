"""What interpolators that know no uncertainty share: units, checks and blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geosoil.errors import InputError
from geosoil.interpolation.base import FittedPoints, FloatArray

FLAT = 1e-9
"""Smallest over largest singular value of places, at which they lie on one line."""


@dataclass(frozen=True, slots=True)
class PlaceUnit:
    """A centre and a length, so that no answer depends on the unit of the places.

    Examples
    --------
    >>> unit = PlaceUnit.of(np.array([[1e6, 0.0], [1e6, 200.0]]))
    >>> unit.length, unit.scaled(np.array([[1e6, 300.0]])).tolist()
    (100.0, [[0.0, 2.0]])
    """

    centre: tuple[float, float]
    """Mean of the places [m]."""
    length: float
    """Root mean square distance of the places from their centre [m]; 1 for one."""

    @classmethod
    def of(cls, xy: FloatArray) -> PlaceUnit:
        """Return the unit of places.

        Parameters
        ----------
        xy : array, shape (n, 2)
            Places [m].

        Returns
        -------
        unit : PlaceUnit
            One length for both axes, so that directions are kept.
        """
        centre = xy.mean(axis=0)
        length = float(np.sqrt(np.square(xy - centre).sum(axis=1).mean()))
        return cls((float(centre[0]), float(centre[1])), length or 1.0)

    def scaled(self, xy: FloatArray) -> FloatArray:
        """Return places in this unit.

        Parameters
        ----------
        xy : array, shape (m, 2)
            Places [m].

        Returns
        -------
        scaled : array, shape (m, 2)
            Distance from the centre in lengths.
        """
        scaled: FloatArray = (xy - np.asarray(self.centre)) / self.length
        return scaled


def refuse_variance(points: FittedPoints, name: str) -> None:
    """Raise where the variance of measurements is given to a method without noise.

    Parameters
    ----------
    points : FittedPoints
        What was fitted.
    name : str
        Name of the interpolator, for the message.

    Raises
    ------
    InputError
        If there is a variance.
    """
    if points.variance is not None:
        message = (
            f"{name} cannot use the variance of the measurements. Leave it out, or use "
            "Kriging."
        )
        raise InputError(message)


def answer_in_blocks(
    targets: FloatArray,
    answer: Callable[[FloatArray], FloatArray],
    *,
    step: int,
    outputs: int = 1,
) -> FloatArray:
    """Answer for some targets at a time, and NaN where a target has no place.

    Parameters
    ----------
    targets : array, shape (m, k)
        Places, or all that is known of them; NaN missing.
    answer : callable
        Takes targets (j, k) without gaps and returns the answers (outputs, j) or (j,).
    step : int
        Targets at a time.
    outputs : int
        Answers a target.

    Returns
    -------
    answers : array, shape (outputs, m)
        What was answered.

    Examples
    --------
    >>> places = np.array([[1.0, 2.0], [np.nan, 0.0], [3.0, 4.0]])
    >>> answer_in_blocks(places, lambda xy: xy.sum(axis=1), step=1).tolist()
    [[3.0, nan, 7.0]]
    """
    answers = np.full((outputs, len(targets)), np.nan)
    placed = np.flatnonzero(np.isfinite(targets).all(axis=1))
    for start in range(0, len(placed), step):
        part = placed[start : start + step]
        answers[:, part] = answer(targets[part])
    return answers
