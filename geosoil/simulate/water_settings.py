"""The invented side of the simulated waters: end members, evaporation, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from geosoil.errors import InputError
from geosoil.strata import PERIODS

SOURCES: tuple[str, ...] = ("precipitation", "ground_ice", "snowmelt")
"""End members of soil water, in the order of every share and fraction."""

MAX_EVAPORATION = 6.0
"""Largest enrichment of a soil water by evaporation [permil d18O]."""


@dataclass(frozen=True, slots=True)
class SourceWater:
    """One water of known composition.

    Examples
    --------
    >>> SourceWater(-14.0, 4.0).d2H
    -108.0
    """

    d18O: float
    """delta-18O [permil, VSMOW]."""
    d_excess: float
    """Deuterium excess [permil]."""

    @property
    def d2H(self) -> float:
        """delta-2H [permil, VSMOW]: 8 d18O + d_excess."""
        return 8.0 * self.d18O + self.d_excess

    @property
    def deltas(self) -> tuple[float, float]:
        """delta-18O and delta-2H [permil, VSMOW]."""
        return self.d18O, self.d2H


def _ground_ice() -> dict[str, SourceWater]:
    return {
        "June": SourceWater(-14.5, 3.0),
        "August": SourceWater(-14.0, 4.0),
        "September": SourceWater(-14.0, 4.0),
    }


def _evaporation_slope() -> dict[str, float]:
    return {"June": 3.4, "August": 3.7, "September": 3.3}


def _soil_samples() -> dict[str, int]:
    return {"June": 226, "August": 252, "September": 263}


@dataclass(frozen=True, slots=True)
class WaterSettings:
    """What the paper does not publish and a simulation must choose.

    Every value is invented. Rain is not set here: it is the point of the meteoric
    line, and evaporation the length, that close the regional balance.

    Notes
    -----
    The evaporation slopes lie in the Craig-Gordon range 2.6 to 4.0 of soil at 2 to
    14 degC (Gonfiantini 1986; Benettin et al. 2018). Soil samples: the paper gives 741
    in all and 79, 70 and 93 profiles; the split over the periods is chosen so that the
    layers' mean waters and the mean of all samples agree.

    References
    ----------
    Benettin, P. et al., 2018. Effects of climatic seasonality on the isotopic
    composition of evaporating soil waters. Hydrol. Earth Syst. Sci. 22, 2881-2890.
    doi:10.5194/hess-22-2881-2018

    Examples
    --------
    >>> WaterSettings().snowmelt.d2H
    -128.0
    """

    ground_ice: Mapping[str, SourceWater] = field(default_factory=_ground_ice)
    """Ground ice of each period."""
    snowmelt: SourceWater = SourceWater(-17.5, 12.0)
    """Glacier snow meltwater, the same in every period."""
    evaporation_slope: Mapping[str, float] = field(default_factory=_evaporation_slope)
    """Slope of evaporation in d18O-d2H space, by period."""
    shares: Mapping[str, tuple[float, float, float]] | None = None
    """Regional shares by period in the order of SOURCES; None takes the paper's."""
    soil_samples: Mapping[str, int] = field(default_factory=_soil_samples)
    """Number of soil samples of each period."""

    def __post_init__(self) -> None:
        """Check that every period has its values and that they are possible."""
        faults = [*self._missing(), *self._impossible()]
        if faults:
            message = f"Invalid water settings: {'; '.join(faults)}."
            raise InputError(message)

    def _missing(self) -> list[str]:
        tables: dict[str, Mapping[str, object]] = {
            "ground_ice": self.ground_ice,
            "evaporation_slope": self.evaporation_slope,
            "soil_samples": self.soil_samples,
        }
        if self.shares is not None:
            tables["shares"] = self.shares
        return [
            f"{name} lacks {period}; give June, August and September"
            for name, table in tables.items()
            for period in PERIODS
            if period not in table
        ]

    def _impossible(self) -> list[str]:
        faults = [
            f"evaporation_slope of {period} is {slope}; it must lie within 1 to 7"
            for period, slope in self.evaporation_slope.items()
            if not 1.0 <= slope <= 7.0
        ]
        for period, shares in (self.shares or {}).items():
            if min(shares) < 0.0 or abs(sum(shares) - 1.0) > 1e-9:
                faults.append(f"shares of {period} are {shares}; give shares of sum 1")
            elif period != "June" and shares[2] > 0.0:
                faults.append(
                    f"snowmelt share of {period} is {shares[2]}; it must be 0"
                )
        return faults
