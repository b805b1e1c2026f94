"""How fractions are mapped by log-ratios: the settings, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from geosoil.errors import InputError
from geosoil.interpolation.base import Interpolator

BackTransform = Literal["mean", "simulation", "centre"]


@dataclass(frozen=True, slots=True)
class LogRatioOptions:
    """How fractions are mapped by log-ratios.

    Raises
    ------
    InputError
        If a setting is unknown or out of range; all faults at once.

    Examples
    --------
    >>> LogRatioOptions(back_transform="centre").sites
    'coherent'
    """

    back_transform: BackTransform = "mean"
    """What a map shows: ``mean``, the arithmetic mean of the fraction by Gauss-Hermite
    quadrature (by draws where there are more than three balances); ``simulation``, the
    same mean by draws; ``centre``, the composition of the kriged balances, which is
    the geometric centre and needs no variance."""
    sites: Literal["coherent", "own"] = "coherent"
    """Who speaks in a domain: all sites that have its sources, with their closed
    sub-composition, or only those with exactly these sources."""
    presence: Literal["rule", "indicator"] = "rule"
    """What a zero is that no rule explains: one of rounding, which is replaced, or an
    absence, whose indicator is interpolated."""
    threshold: float = 0.5
    """Probability of presence from which a source is there."""
    presence_interpolator: Interpolator | None = None
    """Interpolator of the indicators of presence."""
    blend: float = 0.0
    """Elevation over which a source fades in beyond the limit of its rule [m]."""
    delta: float | Mapping[str, float] | None = None
    """What stands for a zero of rounding: a number, or one a source; None takes it from
    the variance of the fractions."""
    n_draws: int = 500
    """Draws of the balances of each cell."""
    seed: int = 0
    """Seed of the draws."""

    def __post_init__(self) -> None:
        """Raise on what cannot be."""
        deltas = self.delta
        if not isinstance(deltas, Mapping):
            deltas = {} if deltas is None else {"all sources": deltas}
        odd = {name: value for name, value in deltas.items() if not 0 < value < 1}
        faults = [
            (self.back_transform not in get_args(BackTransform), "back_transform"),
            (self.sites not in ("coherent", "own"), "sites"),
            (self.presence not in ("rule", "indicator"), "presence"),
            (not 0 < self.threshold <= 1, "threshold"),
            (not 0 <= self.blend < np.inf, "blend"),
            (self.n_draws < 2, "n_draws"),
        ]
        words = [f"{name} {getattr(self, name)!r}" for bad, name in faults if bad]
        words += [f"delta {value!r} of {name}" for name, value in odd.items()]
        if words:
            message = (
                f"Invalid settings of log-ratios: {', '.join(words)}. back_transform "
                f"is one of {get_args(BackTransform)}, sites 'coherent' or 'own', "
                "presence 'rule' or 'indicator'; threshold and delta lie above 0 and "
                "below 1, blend is 0 m or more, n_draws 2 or more."
            )
            raise InputError(message)
