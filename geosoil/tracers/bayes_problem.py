"""Posterior of several groups of mixtures, and its parameters in their own units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.tracers._bayes_density import log_density
from geosoil.tracers._kernels_bayes import (
    Batch,
    Layout,
    evaporation_of,
    log_shares,
    product_factor,
)
from geosoil.tracers.bayes_model import MixingModel

FloatArray = npt.NDArray[np.float64]

FLAT = np.array([0.0, np.inf])
"""Prior of an evaporation of which nothing is known."""


class Problem(NamedTuple):
    """Posterior of groups that have as many sources."""

    model: MixingModel
    """Prior and errors."""
    layout: Layout
    """Parameters."""
    batch: Batch
    """Data."""
    names: Sequence[tuple[str, ...]]
    """Sources of each group."""
    labels: Sequence[str]
    """Name of each group for messages."""

    def density(self, states: FloatArray) -> FloatArray:
        """Log posterior (group, walker) of states (parameter, group, walker)."""
        return log_density(states, self.layout, self.batch)


def shown_parameters(
    states: FloatArray, layout: Layout, prior: FloatArray = FLAT
) -> FloatArray:
    """Return fractions and parameters in their own units.

    Parameters
    ----------
    states : array, shape (parameter, ...)
        Unconstrained parameters.
    layout : Layout
        Their order.
    prior : array, shape (2,)
        Mean and standard deviation of evaporation.

    Returns
    -------
    values : array, shape (value, ...)
        Fractions of the K sources, residual standard deviations or factors,
        correlations, and evaporation.

    Examples
    --------
    >>> layout = MixingModel().layout(2)
    >>> shown_parameters(np.zeros((4, 1)), layout)[:, 0].tolist()
    [0.5, 0.5, 1.0, 1.0, 0.0]
    """
    parts = layout.parts
    values = [np.exp(log_shares(states[parts["ratios"]]))]
    if layout.residual == "product":
        values.append(product_factor(states, layout))
    elif layout.residual != "none":
        values.append(np.exp(states[parts["residual"]]))
    values.append(np.tanh(states[parts["correlation"]]))
    if layout.evaporated:
        values.append(evaporation_of(states, layout, prior)[None])
    return np.concatenate(values)


def take_groups(batch: Batch, groups: Sequence[int]) -> Batch:
    """Return the data of some groups.

    Parameters
    ----------
    batch : Batch
        Groups.
    groups : sequence of int
        Places of those wanted.

    Returns
    -------
    batch : Batch
        These groups alone.
    """
    shared = ("residual_scale", "evaporation", "direction", "slope_error")
    own = {
        name: value[..., list(groups), :]
        for name, value in batch._asdict().items()
        if value is not None and name not in shared
    }
    return batch._replace(**own)
