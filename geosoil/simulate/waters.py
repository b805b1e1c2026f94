"""Ground ice, snowmelt, river and supra-permafrost water of a period."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from geosoil.simulate.inputs import read_glaciers
from geosoil.simulate.sites import Ground, place_waters
from geosoil.simulate.soil_water import MEASUREMENT_SD, PeriodSources

FloatArray = npt.NDArray[np.float64]

_ICE_RANGE = {
    "June": (3500.0, 5100.0),
    "August": (3500.0, 5100.0),
    "September": (4000.0, 5100.0),
}
"""Elevations at which ground ice is found [m]."""


@dataclass(frozen=True, slots=True)
class MixedWater:
    """How a surface or ground water is mixed from the sources of soil water."""

    shares: dict[str, tuple[float, float, float]]
    """Mean shares of precipitation, ground ice and snowmelt by period (invented)."""
    evaporation: float
    """Mean enrichment by evaporation [permil d18O]."""


RIVER = MixedWater(
    {
        "June": (0.66, 0.20, 0.14),
        "August": (0.80, 0.14, 0.06),
        "September": (0.82, 0.13, 0.05),
    },
    evaporation=0.4,
)
SUPRA_PERMAFROST = MixedWater(
    {
        "June": (0.60, 0.34, 0.06),
        "August": (0.74, 0.26, 0.0),
        "September": (0.78, 0.22, 0.0),
    },
    evaporation=0.7,
)


def ground_ice_samples(
    n: int,
    period: str,
    sources: PeriodSources,
    ground: Ground,
    *,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Simulate ground ice from the bottom of pits one metre deep.

    Parameters
    ----------
    n : int
        Number of samples, one a pit.
    period : str
        June, August or September.
    sources : PeriodSources
        Gives the end member that the samples' mean is.
    ground : Ground
        Where pits may be dug.
    rng : Generator
        Source of randomness.

    Returns
    -------
    samples : DataFrame
        Places, depths, d18O, d2H.

    Examples
    --------
    >>> cells = pd.DataFrame({"longitude": 98.0, "latitude": 34.0, "elevation": 4600.0,
    ...     "slope": 5.0, "aspect_degrees": 10.0, "aspect": "N", "vegetation": "meadow",
    ...     "above_valley": 20.0, "access": 1.0}, index=range(40))
    >>> waters = np.array([[-12.0, -82.0], [-14.0, -108.0], [-17.5, -128.0]])
    >>> ice = ground_ice_samples(40, "August", PeriodSources(*waters, 3.5, 1.0, 7.9),
    ...     Ground(cells, {}, (0.01, 0.01)), rng=np.random.default_rng(1))
    >>> round(float(ice["d18O"].mean()), 2)
    -14.0
    """
    sites = place_waters(
        n, ground, between=_ICE_RANGE[period], valley_height=250.0, rng=rng
    )
    top = rng.choice([60.0, 70.0, 80.0], n)
    deltas = _scattered(sources.ground_ice, n, slope=7.3, rng=rng)
    return sites.assign(
        depth_top=top, depth_bottom=top + 20.0, d18O=deltas[0], d2H=deltas[1]
    )


def snowmelt_samples(
    n: int, sources: PeriodSources, *, rng: np.random.Generator
) -> pd.DataFrame:
    """Simulate meltwater at the fronts of the five glaciers.

    Parameters
    ----------
    n : int
        Number of samples.
    sources : PeriodSources
        Gives the end member that the samples' mean is.
    rng : Generator
        Source of randomness.

    Returns
    -------
    samples : DataFrame
        site_id (the glacier), places, d18O, d2H.

    Examples
    --------
    >>> waters = np.array([[-12.0, -82.0], [-14.0, -108.0], [-17.5, -128.0]])
    >>> melt = snowmelt_samples(27, PeriodSources(*waters, 3.5, 1.0, 7.9),
    ...                         rng=np.random.default_rng(1))
    >>> melt["site_id"].nunique(), round(float(melt["d18O"].mean()), 2)
    (5, -17.5)
    """
    glaciers = read_glaciers()
    turn = np.sort(rng.permutation(np.arange(n) % len(glaciers)))
    places = glaciers.iloc[turn].reset_index(drop=True)
    own = 0.5 * rng.standard_normal(len(glaciers))[turn]
    deltas = _scattered(sources.snowmelt, n, slope=7.8, rng=rng, shift=own)
    return pd.DataFrame(
        {
            "site_id": places["name"],
            "longitude": places["longitude"],
            "latitude": places["latitude"],
            "elevation": places["elevation"],
            "d18O": deltas[0],
            "d2H": deltas[1],
        }
    )


def mixed_samples(
    sites: pd.DataFrame,
    period: str,
    water: MixedWater,
    sources: PeriodSources,
    *,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Simulate river or supra-permafrost water as a mixture of the same sources.

    Parameters
    ----------
    sites : DataFrame
        One row a sample, with its place.
    period : str
        June, August or September.
    water : MixedWater
        Mean shares and evaporation.
    sources : PeriodSources
        Rain, ice and snow of the period.
    rng : Generator
        Source of randomness.

    Returns
    -------
    samples : DataFrame
        The sites with d18O and d2H.

    Notes
    -----
    Shares vary by exp(0.35 N(0, 1)) and are closed to 1; rain varies with elevation
    and by 1.2 permil along and 2 permil d2H off the meteoric line, less than in soil,
    as rivers and thawed ground average over places and events.

    Examples
    --------
    >>> waters = np.array([[-12.0, -82.4], [-14.0, -108.0], [-17.5, -128.0]])
    >>> sites = pd.DataFrame({"elevation": np.full(200, 4000.0)})
    >>> river = mixed_samples(sites, "June", RIVER, PeriodSources(*waters, 3.5, 1.0,
    ...                       7.9), rng=np.random.default_rng(1))
    >>> bool(abs(river["d18O"].mean() + 12.8) < 0.5)
    True
    """
    n = len(sites)
    shares = np.array(water.shares[period]) * np.exp(0.35 * rng.standard_normal((n, 3)))
    shares /= shares.sum(axis=1, keepdims=True)
    height = sites["elevation"].to_numpy(dtype=float) - 4100.0
    shift = -0.075 * height / 100.0 + 1.2 * rng.standard_normal(n)
    evaporation = rng.gamma(2.0, water.evaporation / 2.0, n)
    waters = np.stack([sources.rain, sources.ground_ice, sources.snowmelt])
    deltas = (shares @ waters).T
    deltas[0] += shares[:, 0] * shift + evaporation
    off_line = sources.meteoric_slope * shift + 2.0 * rng.standard_normal(n)
    deltas[1] += shares[:, 0] * off_line + sources.evaporation_slope * evaporation
    deltas += np.array(MEASUREMENT_SD)[:, None] * rng.standard_normal((2, n))
    return sites.assign(d18O=np.round(deltas[0], 2), d2H=np.round(deltas[1], 2))


def _scattered(
    centre: FloatArray,
    n: int,
    *,
    slope: float,
    rng: np.random.Generator,
    shift: FloatArray | float = 0.0,
) -> FloatArray:
    """Deltas about a centre, which is exactly their mean before rounding, (2, n)."""
    d18O = shift + rng.standard_normal(n)
    d2H = slope * d18O + 1.5 * rng.standard_normal(n)
    deltas = np.stack([d18O - d18O.mean(), d2H - d2H.mean()]) + centre[:, None]
    rounded: FloatArray = np.round(deltas, 2)
    return rounded
