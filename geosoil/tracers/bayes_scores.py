"""Normal scores of the fractions' prior: coordinates in which tails are short."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from geosoil.tracers._bayes_density import log_density, ratio_prior
from geosoil.tracers._kernels_bayes import Batch, Layout, contrasts, log_shares

FloatArray = npt.NDArray[np.float64]

REACH = 9.0
"""Largest score; the prior holds 1e-19 beyond it."""
LADDER = np.linspace(-REACH, REACH, 4001)
"""Scores at which the sticks are tabulated."""


class PriorScores(NamedTuple):
    """Scores of one group: under the prior, without caps, they are N(0, I).

    A Dirichlet is broken into K - 1 independent sticks, the first fraction, the second
    as a share of the rest, and so on; each is beta distributed and has a normal score.
    The log-ratios of a softmax prior are normal themselves and stay as they are.
    """

    layout: Layout
    """Parameters; the scales of sources left out."""
    batch: Batch
    """The group, its caps left out."""
    sticks: tuple[tuple[FloatArray, FloatArray, FloatArray], ...]
    """Concentrations, log of the stick and log of the rest at `LADDER`."""

    @classmethod
    def of(cls, layout: Layout, batch: Batch) -> PriorScores:
        """Make the scores of a group.

        Parameters
        ----------
        layout : Layout
            Parameters.
        batch : Batch
            One group.

        Returns
        -------
        scores : PriorScores
            Change of coordinates.
        """
        plain = layout._replace(scaled=False)
        free = batch._replace(caps=np.ones_like(batch.caps))
        sticks = []
        if batch.ratio_precision is None:
            alpha = batch.dirichlet[:, 0, 0]
            below, above = special.ndtr(LADDER), special.ndtr(-LADDER)
            for k in range(len(alpha) - 1):
                own, rest = float(alpha[k]), float(alpha[k + 1 :].sum())
                stick = np.log(special.betaincinv(own, rest, below))
                left = np.log(special.betaincinv(rest, own, above))
                sticks.append((np.array([own, rest]), stick, left))
        return cls(plain, free, tuple(sticks))

    def states(self, place: FloatArray) -> FloatArray:
        """Return the states (parameter, n) at coordinates (parameter, n).

        Parameters
        ----------
        place : array, shape (parameter, n)
            Coordinates.

        Returns
        -------
        states : array, shape (parameter, n)
            States.
        """
        if not self.sticks:
            return place
        rest = np.zeros(place.shape[1])
        logs = []
        for score, (_, stick, left) in zip(place, self.sticks, strict=False):
            logs.append(rest + np.interp(score, LADDER, stick))
            rest = rest + np.interp(score, LADDER, left)
        size = len(self.sticks)
        ratios = contrasts(size + 1).T @ np.array([*logs, rest])
        return np.concatenate([ratios, place[size:]])

    def place(self, states: FloatArray) -> FloatArray:
        """Return the coordinates (parameter, n) of states (parameter, n).

        Parameters
        ----------
        states : array, shape (parameter, n)
            States.

        Returns
        -------
        place : array, shape (parameter, n)
            Coordinates.
        """
        if not self.sticks:
            return states
        size = len(self.sticks)
        logs = log_shares(states[:size])
        rest = np.zeros(states.shape[1])
        scores = []
        for log_share, (alpha, _, left) in zip(logs, self.sticks, strict=False):
            stick = np.exp(np.minimum(log_share - rest, 0.0))
            level = special.betainc(alpha[0], alpha[1], stick)
            scores.append(special.ndtri(np.clip(level, 1e-15, 1.0 - 1e-15)))
            rest = rest + np.interp(scores[-1], LADDER, left)
        return np.concatenate([np.array(scores), states[size:]])

    def density(self, place: FloatArray) -> FloatArray:
        """Return the log posterior density of coordinates, without caps.

        Parameters
        ----------
        place : array, shape (parameter, n)
            Coordinates.

        Returns
        -------
        density : array, shape (n,)
            Log density with respect to the coordinates, up to a constant.
        """
        states = self.states(place)[:, None]
        out = log_density(states, self.layout, self.batch)[0]
        if not self.sticks:
            return np.asarray(out)
        size = len(self.sticks)
        scores = place[:size]
        out = out - ratio_prior(states[:size], self.batch)[0]
        out = out - 0.5 * (scores**2).sum(axis=0)
        inside = (np.abs(scores) < REACH).all(axis=0)
        cut: FloatArray = np.where(inside, out, -np.inf)
        return cut
