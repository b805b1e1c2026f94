"""The mean year of NDVI, from vegetation, elevation and rain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.simulate.climatology import annual_precipitation
from geosoil.simulate.landscape import STUDY_GRID, Landscape
from geosoil.simulate.relief import block_mean

FloatArray = npt.NDArray[np.float64]

PEAK = {0: 0.03, 1: 0.34, 2: 0.60, 3: 0.78, 4: 0.66, 5: 0.13}
"""NDVI in summer of each vegetation class."""
BARE = {0: 0.02, 1: 0.12, 2: 0.15, 3: 0.32, 4: 0.20, 5: 0.08}
"""NDVI in winter of each vegetation class."""
SUMMIT_DAY, EARLY, LATE = 217.0, 46.0, 52.0
"""Day of the greenest vegetation, and days of rise and of decline."""


@dataclass(frozen=True, slots=True)
class MeanYear:
    """The yearly course of NDVI in each cell of the study grid."""

    bare: FloatArray
    """NDVI in winter."""
    peak: FloatArray
    """NDVI at its highest."""
    delay: FloatArray
    """Days by which the spring comes later than at 4000 m."""


def mean_ndvi(landscape: Landscape) -> MeanYear:
    """Derive the mean year of NDVI from the land.

    Parameters
    ----------
    landscape : Landscape
        Vegetation and elevation in cells of 30 arc seconds.

    Returns
    -------
    year : MeanYear
        Arrays of 95 x 258 cells: means of the classes' values in each cell, up to a
        quarter more where it rains more than 500 mm, and a later, weaker summer
        higher up.

    Examples
    --------
    >>> from geosoil.simulate.landscape import make_landscape
    >>> mean_ndvi(make_landscape(seed=1)).peak.shape
    (95, 258)
    """
    codes = landscape.vegetation.values
    elevation = block_mean(landscape.elevation.values, factor=6)
    rain = annual_precipitation(*np.meshgrid(STUDY_GRID.x, STUDY_GRID.y))
    vigour = np.clip(1.0 + (rain - 500.0) / 1100.0, 0.75, 1.2)
    vigour *= np.clip(1.0 - (elevation - 4400.0) / 4000.0, 0.6, 1.1)
    bare, peak = (
        block_mean(np.array([values[k] for k in range(6)])[codes], factor=6)
        for values in (BARE, PEAK)
    )
    green = np.clip(bare + (peak - bare) * vigour, 0.0, 0.88)
    return MeanYear(bare, green, (elevation - 4000.0) / 1000.0 * 8.0)


def seasonal_ndvi(year: MeanYear, day: int) -> FloatArray:
    """Return the mean NDVI of a day of the year.

    Parameters
    ----------
    year : MeanYear
        The yearly course.
    day : int
        Day of the year, counted from 1.

    Returns
    -------
    ndvi : array, shape (95, 258)
        NDVI without clouds and snow.

    Examples
    --------
    >>> year = MeanYear(np.array([0.1]), np.array([0.6]), np.array([0.0]))
    >>> [round(float(seasonal_ndvi(year, day)[0]), 2) for day in (152, 217, 259)]
    [0.17, 0.6, 0.36]
    """
    shift = day - SUMMIT_DAY - 0.3 * year.delay
    width = np.where(shift < 0, EARLY - 0.6 * year.delay, LATE)
    course = np.exp(-((shift / width) ** 2))
    ndvi: FloatArray = year.bare + (year.peak - year.bare) * course
    return ndvi
