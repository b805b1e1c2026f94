"""How uncertain the slope of evaporation is, for the climate is not known exactly."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import stats

from geosoil.errors import InputError
from geosoil.tracers.evaporation import evaporation_slope
from geosoil.tracers.fractionation import RANGES, EvaporationClimate

FloatArray = npt.NDArray[np.float64]

MOIST = 0.99
"""Highest humidity that is drawn."""


@dataclass(frozen=True, slots=True)
class ClimateSpread:
    """Standard deviations of the conditions of evaporation over a month.

    Raises
    ------
    InputError
        If a deviation is negative.

    Examples
    --------
    >>> ClimateSpread(temperature=3.0).humidity
    0.1
    """

    temperature: float = 2.0
    """Of the surface's temperature [degC]."""
    humidity: float = 0.1
    """Of relative humidity, a share."""
    turbulence: float = 0.1
    """Of n of the kinetic term."""
    vapour: float = 0.1
    """Of k, the share of equilibrium between air vapour and precipitation."""

    def __post_init__(self) -> None:
        """Check the signs."""
        bad = [
            name for name in self.__dataclass_fields__ if not getattr(self, name) >= 0
        ]
        if bad:
            message = f"Invalid {self}: {', '.join(bad)} is not 0 or above."
            raise InputError(message)


ASSUMED_CLIMATE = EvaporationClimate(10.0, 0.6)
"""Conditions that stand in where none are stated: a cool soil in summer."""

ASSUMED_SPREAD = ClimateSpread(5.0, 0.2, 0.2, 0.2)
"""How little is known of conditions that nobody stated."""

ASSUMED_WORDS = "climate not stated: 10 +- 5 degC and humidity 0.6 +- 0.2 assumed"
"""The assumption in words."""


@dataclass(frozen=True, slots=True)
class SlopeUncertainty:
    """Slope of evaporation with what an uncertain climate leaves open."""

    slope: float
    """Slope under the stated climate."""
    standard_deviation: float
    """Standard deviation of the draws."""
    lower: float
    """2.5 % of the draws lie below."""
    upper: float
    """97.5 % of the draws lie below."""
    draws: FloatArray = field(repr=False, compare=False)
    """Slopes drawn, shape (n_draws,)."""


def draw_climates(
    climate: EvaporationClimate,
    *,
    spread: ClimateSpread,
    rng: np.random.Generator,
    n_draws: int = 2000,
) -> EvaporationClimate:
    """Draw conditions of evaporation around the stated ones.

    Parameters
    ----------
    climate : EvaporationClimate
        Stated conditions, one number each.
    spread : ClimateSpread
        Standard deviations.
    rng : Generator
        Source of randomness.
    n_draws : int
        Number of draws.

    Returns
    -------
    climates : EvaporationClimate
        Arrays of shape (n_draws,), normal draws cut at the allowed ranges.

    Raises
    ------
    InputError
        If the stated conditions are arrays.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> stated = EvaporationClimate(8.0, 0.55)
    >>> drawn = draw_climates(stated, spread=ClimateSpread(), rng=rng, n_draws=50)
    >>> drawn.temperature.shape
    (50,)
    """
    names = ("temperature", "humidity", "turbulence", "vapour")
    if any(np.ndim(getattr(climate, name)) for name in names):
        message = "Give one climate, one number each, not arrays; call once a month."
        raise InputError(message)
    limits = (RANGES[climate.over], (0.0, MOIST), (0.0, 1.0), (0.0, 1.0))
    temperature, humidity, turbulence, vapour = (
        _cut_normal(
            rng,
            n_draws,
            mean=float(getattr(climate, name)),
            sd=float(getattr(spread, name)),
            limits=limit,
        )
        for name, limit in zip(names, limits, strict=True)
    )
    return EvaporationClimate(
        temperature,
        humidity,
        turbulence,
        vapour,
        scheme=climate.scheme,
        over=climate.over,
    )


def evaporation_slope_uncertainty(
    d18O: float,
    d2H: float,
    *,
    climate: EvaporationClimate,
    spread: ClimateSpread,
    rng: np.random.Generator,
) -> SlopeUncertainty:
    """Return the slope of evaporation and its uncertainty by 2,000 draws.

    Parameters
    ----------
    d18O, d2H : float
        Water before evaporation [permil].
    climate : EvaporationClimate
        Stated conditions, one number each.
    spread : ClimateSpread
        Standard deviations of the conditions.
    rng : Generator
        Source of randomness.

    Returns
    -------
    uncertainty : SlopeUncertainty
        Its ``standard_deviation`` is what `slope_artefact` takes as
        ``theory_standard_error``.

    Notes
    -----
    The slope of each draw is that of `evaporation_slope`. Temperature, n and k tell;
    humidity tells only where k is below 1.

    Examples
    --------
    >>> found = evaporation_slope_uncertainty(
    ...     -12.5, -90.0, climate=EvaporationClimate(8.0, 0.55),
    ...     spread=ClimateSpread(), rng=np.random.default_rng(1),
    ... )
    >>> round(found.slope, 2), 0.1 < found.standard_deviation < 0.6
    (3.19, True)
    """
    drawn = draw_climates(climate, spread=spread, rng=rng)
    slopes = np.asarray(evaporation_slope(d18O, d2H, climate=drawn), dtype=float)
    low, high = np.quantile(slopes, (0.025, 0.975))
    return SlopeUncertainty(
        float(evaporation_slope(d18O, d2H, climate=climate)),
        float(slopes.std(ddof=1)),
        float(low),
        float(high),
        slopes,
    )


def _cut_normal(
    rng: np.random.Generator,
    size: int,
    *,
    mean: float,
    sd: float,
    limits: tuple[float, float],
) -> FloatArray:
    if sd == 0:
        return np.full(size, mean)
    low, high = ((limit - mean) / sd for limit in limits)
    drawn = stats.truncnorm.rvs(low, high, size=size, random_state=rng)
    return np.clip(mean + sd * np.asarray(drawn, dtype=float), *limits)
