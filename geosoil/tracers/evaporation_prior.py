"""What is known beforehand of the evaporation of a mixture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geosoil.errors import InputError


@dataclass(frozen=True, slots=True)
class EvaporationPrior:
    """Knowledge of evaporation E, an enrichment in d18O of 0 or above [permil].

    d2H gains slope E. E is normal with mean ``shift`` and ``shift_sd``, cut at 0; an
    infinite ``shift_sd`` says that nothing is known of its amount.

    Raises
    ------
    InputError
        If a number is missing, or a standard deviation is negative.

    Examples
    --------
    >>> EvaporationPrior(slope=3.5, slope_sd=0.4).is_informative
    False
    >>> EvaporationPrior(3.5, 0.4, shift=1.2, shift_sd=0.5).is_informative
    True
    """

    slope: float
    """Slope of evaporation [permil d2H per permil d18O]."""
    slope_sd: float = 0.0
    """Standard deviation of the slope."""
    shift: float = 0.0
    """Mean of E before it is cut at 0 [permil]."""
    shift_sd: float = np.inf
    """Standard deviation of E before it is cut at 0 [permil]; infinite if unknown."""

    def __post_init__(self) -> None:
        """Check the numbers."""
        numbers = np.array([self.slope, self.slope_sd, self.shift])
        if not np.isfinite(numbers).all() or np.isnan(self.shift_sd):
            message = f"{self}: slope, slope_sd and shift are finite numbers."
            raise InputError(message)
        if self.slope_sd < 0 or self.shift_sd <= 0:
            message = (
                f"{self}: slope_sd is 0 or above and shift_sd above 0; leave shift_sd "
                "out where nothing is known of the amount."
            )
            raise InputError(message)

    @property
    def is_informative(self) -> bool:
        """Whether anything is said of the amount of evaporation."""
        return bool(np.isfinite(self.shift_sd))
