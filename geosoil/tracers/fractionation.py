"""Isotope fractionation when water evaporates: equilibrium and kinetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError

FloatArray = npt.NDArray[np.float64]
KineticScheme = Literal["merlivat", "gibson"]
Surface = Literal["water", "ice"]

RANGES: dict[str, tuple[float, float]] = {"water": (0.0, 374.0), "ice": (-40.0, 0.0)}
"""Temperatures [degC] that each law of equilibrium holds for."""

DIFFUSION: dict[str, tuple[float, float]] = {
    "merlivat": (1e3 * (1.0 - 0.9723), 1e3 * (1.0 - 0.9755)),
    "gibson": (28.6, 25.0),
}
"""Kinetic enrichment (d18O, d2H) at n = 1 in dry air [permil]: the diffusivity ratios
of Merlivat (1978), or the wind-tunnel constants that Gibson and others use."""


class IsotopePair(NamedTuple):
    """One quantity for both isotopes."""

    d18O: FloatArray
    """Value for oxygen."""
    d2H: FloatArray
    """Value for hydrogen."""


@dataclass(frozen=True, slots=True)
class EvaporationClimate:
    """Conditions under which water evaporates; numbers or arrays of one shape.

    Raises
    ------
    InputError
        If a value lies outside its range; the message lists every fault.

    Examples
    --------
    >>> EvaporationClimate(temperature=8.0, humidity=0.55).turbulence
    0.75
    """

    temperature: npt.ArrayLike
    """Temperature of the evaporating surface [degC], 0 to 374; -40 to 0 over ice."""
    humidity: npt.ArrayLike
    """Relative humidity at the surface's temperature, 0 to below 1."""
    turbulence: npt.ArrayLike = 0.75
    """n of the kinetic term: 0.5 open water, 1 dry soil."""
    vapour: npt.ArrayLike = 1.0
    """k: share of equilibrium between air vapour and precipitation, 0 to 1."""
    scheme: KineticScheme = "merlivat"
    """Kinetic constants, see `DIFFUSION`."""
    over: Surface = "water"
    """Surface that loses vapour; ``"ice"`` for frozen soil, see
    `equilibrium_fractionation`."""

    def __post_init__(self) -> None:
        """Check every value against its range."""
        humidity = np.asarray(self.humidity, dtype=float)
        low, high = RANGES.get(self.over, (-np.inf, np.inf))
        rules = (
            (
                _within(self.temperature, low, high),
                f"temperature is {low:g} to {high:g} degC over {self.over}",
            ),
            (
                (humidity >= 0) & (humidity < 1),
                "humidity is a share, 0 to below 1 (55 % is 0.55)",
            ),
            (_within(self.turbulence, 0.0, 1.0), "turbulence n is 0 to 1"),
            (_within(self.vapour, 0.0, 1.0), "vapour k is 0 to 1"),
        )
        faults = [words for fine, words in rules if not np.all(fine)]
        if self.scheme not in DIFFUSION:
            faults.append(f"scheme is one of {', '.join(DIFFUSION)}")
        if self.over not in RANGES:
            faults.append(f"over is one of {', '.join(RANGES)}")
        if faults:
            message = f"Invalid {self}: {'; '.join(faults)}."
            raise InputError(message)


def equilibrium_fractionation(
    temperature: npt.ArrayLike, *, over: Surface = "water"
) -> IsotopePair:
    """Return alpha of the liquid, or the ice, against vapour.

    Parameters
    ----------
    temperature : array, shape (n,)
        Temperature [degC], 0 to 374 over water, -40 to 0 over ice; NaN gives NaN.
    over : {"water", "ice"}
        Surface that loses vapour. Ice that sublimes hardly mixes inside, so that the
        law over ice is a bound for frozen soil rather than its description.

    Returns
    -------
    alpha : IsotopePair
        Fractionation factors above 1.

    Raises
    ------
    InputError
        If a temperature lies outside the law's range, or the surface is unknown.

    Notes
    -----
    Water, with T in kelvin: 1000 ln alpha(18O) = -7.685 + 6.7123e3 / T - 1.6664e6 /
    T^2 + 0.35041e9 / T^3; 1000 ln alpha(2H) = 1158.8e-9 T^3 - 1620.1e-6 T^2 +
    794.84e-3 T - 161.04 + 2.9992e9 / T^3. Ice: ln alpha(18O) = 11.839 / T - 0.028224;
    ln alpha(2H) = 16289 / T^2 - 0.0945.

    References
    ----------
    Horita and Wesolowski (1994), Geochim. Cosmochim. Acta 58, 3425-3437,
    doi:10.1016/0016-7037(94)90096-5; over ice Majoube (1970), Nature 226, 1242,
    doi:10.1038/2261242a0 and Merlivat and Nief (1967), Tellus 19, 122-127,
    doi:10.3402/tellusa.v19i1.9756.

    Examples
    --------
    >>> alpha = equilibrium_fractionation(25.0)
    >>> round(float(alpha.d18O), 5), round(float(alpha.d2H), 5)
    (1.00935, 1.07875)
    >>> alpha = equilibrium_fractionation(-10.0, over="ice")
    >>> round(float(alpha.d18O), 5), round(float(alpha.d2H), 5)
    (1.01691, 1.15111)
    """
    if over not in RANGES:
        message = f"Unknown surface '{over}'. Choose one of {', '.join(RANGES)}."
        raise InputError(message)
    celsius = np.asarray(temperature, dtype=float)
    low, high = RANGES[over]
    outside = ~(_within(celsius, low, high) | np.isnan(celsius))
    if np.any(outside):
        advice = "Set over='ice' below 0 degC." if over == "water" else ""
        message = (
            f"{int(outside.sum())} temperatures outside {low:g} to {high:g} degC, for "
            f"instance {float(celsius[outside].flat[0]):g}. The law holds for "
            f"{'liquid water' if over == 'water' else 'ice'} only. {advice}"
        ).rstrip()
        raise InputError(message)
    kelvin = celsius + 273.15
    return _over_water(kelvin) if over == "water" else _over_ice(kelvin)


def kinetic_enrichment(climate: EvaporationClimate) -> IsotopePair:
    """Return the kinetic enrichment of evaporation.

    Parameters
    ----------
    climate : EvaporationClimate
        Humidity, turbulence and scheme are used.

    Returns
    -------
    enrichment : IsotopePair
        eps_k [permil].

    Notes
    -----
    eps_k = n (1 - h) C, C from `DIFFUSION`.

    References
    ----------
    Merlivat (1978), J. Chem. Phys. 69, 2864-2871, doi:10.1063/1.436884; Gibson et
    al. (2016), Quat. Sci. Rev. 131, 316-328, doi:10.1016/j.quascirev.2015.04.013.

    Examples
    --------
    >>> dry = EvaporationClimate(temperature=8.0, humidity=0.55, turbulence=1.0)
    >>> [round(float(value), 3) for value in kinetic_enrichment(dry)]
    [12.465, 11.025]
    """
    factor = np.asarray(climate.turbulence) * (1.0 - np.asarray(climate.humidity))
    oxygen, hydrogen = DIFFUSION[climate.scheme]
    return IsotopePair(np.asarray(factor * oxygen), np.asarray(factor * hydrogen))


def _over_water(kelvin: FloatArray) -> IsotopePair:
    oxygen = -7.685 + 6712.3 / kelvin - 1.6664e6 / kelvin**2 + 0.35041e9 / kelvin**3
    hydrogen = (
        1158.8e-9 * kelvin**3
        - 1620.1e-6 * kelvin**2
        + 794.84e-3 * kelvin
        - 161.04
        + 2.9992e9 / kelvin**3
    )
    return IsotopePair(np.exp(oxygen / 1e3), np.exp(hydrogen / 1e3))


def _over_ice(kelvin: FloatArray) -> IsotopePair:
    oxygen = 11.839 / kelvin - 0.028224
    return IsotopePair(np.exp(oxygen), np.exp(16289.0 / kelvin**2 - 0.0945))


def _within(values: npt.ArrayLike, low: float, high: float) -> npt.NDArray[np.bool_]:
    numbers = np.asarray(values, dtype=float)
    return (numbers >= low) & (numbers <= high)
