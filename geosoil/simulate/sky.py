"""What a satellite sees of the ground: clouds, snow, noise and quality flags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.simulate.climatology import annual_precipitation, annual_temperature
from geosoil.simulate.landscape import (
    SNOW,
    STUDY_GRID,
    WATER,
    Landscape,
    study_land_cover,
)
from geosoil.simulate.noise import smooth_noise
from geosoil.simulate.relief import block_mean

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
Layers = tuple[npt.NDArray[np.int16], npt.NDArray[np.uint16], npt.NDArray[np.int8]]

GOOD, MARGINAL, SNOWY, CLOUDY, ESTIMATED = 0, 1, 2, 3, 4
"""Ranks of the layer pixel reliability."""
CLOUDS = {16: 0.09, 30: 0.04}
"""Mean share of cloudy cells by the number of days in a composite."""
SEASON_WARMTH = {5: 7.0, 6: 10.5, 7: 12.5, 8: 12.0, 9: 8.0, 10: 3.0}
"""How much warmer than the year a month is [K]."""
NOISE = 0.012
"""Standard deviation of the error of a good value."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What the quality of a view depends on, on the study grid."""

    region: BoolArray
    """Inside the region."""
    water: BoolArray
    """Inland water."""
    ice: BoolArray
    """Snow and ice all year."""
    temperature: FloatArray
    """Mean annual air temperature [degC]."""
    rain: FloatArray
    """Mean annual precipitation [mm]."""

    @classmethod
    def of(cls, landscape: Landscape) -> Surface:
        """Derive the surface from the land.

        Parameters
        ----------
        landscape : Landscape
            The land.

        Returns
        -------
        surface : Surface
            Arrays of 95 x 258 cells; a cell is inside the region when more than half
            of it is.
        """
        inside = block_mean(landscape.region.values.astype(float), factor=6) > 0.5
        elevation = block_mean(landscape.elevation.values, factor=6)
        cover = study_land_cover()
        place = np.meshgrid(STUDY_GRID.x, STUDY_GRID.y)
        return cls(
            region=inside,
            water=cover == WATER,
            ice=cover == SNOW,
            temperature=annual_temperature(*place, elevation),
            rain=annual_precipitation(*place),
        )


def observe(
    truth: FloatArray,
    surface: Surface,
    *,
    month: int,
    days: int,
    rng: np.random.Generator,
) -> Layers:
    """Look at the ground through the sky of one composite.

    Parameters
    ----------
    truth : array, shape (95, 258)
        NDVI of the ground.
    surface : Surface
        Where it is wet, cold and outside the region.
    month : int
        Calendar month, 5 to 10.
    days : int
        Days in the composite, 16 or 30; the longer, the clearer.
    rng : Generator
        Source of randomness.

    Returns
    -------
    ndvi, quality, reliability : array, shape (95, 258)
        Packed values as the products hold them; -3000, 65535 and -1 outside the
        region. Clouds and snow lower NDVI; marginal values are noisier.

    Examples
    --------
    >>> from geosoil.simulate.landscape import make_landscape
    >>> surface = Surface.of(make_landscape(seed=1))
    >>> rng = np.random.default_rng(1)
    >>> ndvi, quality, reliability = observe(
    ...     np.full((95, 258), 0.5), surface, month=8, days=16, rng=rng
    ... )
    >>> round(float(ndvi[reliability == 0].mean()), -2)
    4900.0
    """
    shape = truth.shape
    haze = smooth_noise(rng, shape, length=3.0) + (surface.rain - 450.0) / 500.0
    reliability = np.full(shape, GOOD, dtype=np.int8)
    cloudy, marginal, old = (
        haze > np.quantile(haze, 1.0 - share * CLOUDS[days])
        for share in (1.0, 3.5, 0.15)
    )
    chill = surface.temperature + SEASON_WARMTH[month]
    chill = chill + 2.0 * smooth_noise(rng, shape, length=5.0)
    reliability[marginal] = MARGINAL
    reliability[(chill < -1.5) | surface.ice] = SNOWY
    reliability[cloudy] = CLOUDY
    reliability[old] = ESTIMATED
    error = NOISE * rng.standard_normal(shape)
    ndvi = np.where(surface.water, -0.05, truth) + error
    ndvi[reliability == MARGINAL] += 2.0 * error[reliability == MARGINAL] - 0.01
    ndvi[reliability == SNOWY] = 0.02 + 0.2 * ndvi[reliability == SNOWY]
    ndvi[reliability == CLOUDY] *= rng.uniform(0.3, 0.7, int(cloudy.sum() - old.sum()))
    packed = np.round(np.clip(ndvi, -0.2, 1.0) * 10000.0).astype(np.int16)
    quality = _quality_bits(reliability, surface.water, marginal & ~cloudy, rng)
    outside = ~surface.region
    packed[outside], quality[outside], reliability[outside] = -3000, 65535, -1
    return packed, quality, reliability


def _quality_bits(
    reliability: npt.NDArray[np.int8],
    water: BoolArray,
    near_cloud: BoolArray,
    rng: np.random.Generator,
) -> npt.NDArray[np.uint16]:
    """Return the bit field VI Quality that goes with the reliability."""
    # by reliability 0 ... 4: MODLAND in bits 0-1, usefulness in bits 2-5
    modland = np.array([0, 1, 1, 2, 1])[reliability]
    worst = np.array([2, 5, 6, 10, 12])[reliability]
    usefulness = worst - rng.integers(0, 3, reliability.shape)
    aerosol = np.where(reliability == GOOD, 1, 2)
    bits = modland | usefulness << 2 | aerosol << 6
    bits |= np.where(near_cloud, 1, 0) << 8
    bits |= np.where(reliability == CLOUDY, 1, 0) << 10
    bits |= np.where(water, 3, 1) << 11
    bits |= np.where(reliability == SNOWY, 1, 0) << 14
    shadow = (rng.random(reliability.shape) < 0.01) & (reliability == MARGINAL)
    bits |= np.where(shadow, 1, 0) << 15
    field: npt.NDArray[np.uint16] = bits.astype(np.uint16)
    return field
