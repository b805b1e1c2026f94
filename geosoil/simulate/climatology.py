"""The mean climate of the region: how temperature and rain depend on place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LAPSE_RATE = 6.5
"""Cooling with elevation [K/km]."""
DRIEST, WETTEST = 262.2, 772.8
"""Annual precipitation at the dry and the wet end of the region [mm]."""


def annual_temperature(
    longitude: npt.ArrayLike, latitude: npt.ArrayLike, elevation: npt.ArrayLike
) -> FloatArray:
    """Return the mean annual air temperature.

    Parameters
    ----------
    longitude, latitude : array
        Place [degree].
    elevation : array
        Elevation [m].

    Returns
    -------
    temperature : array
        Annual mean at 2 m [degC]: 6.5 K cooler a kilometre up, 0.7 K cooler a
        degree north; -5 to 4 degC at the elevations of the weather stations.

    Examples
    --------
    >>> bool(-5.4 < annual_temperature(92.43, 34.22, 4533.0) < 4.2)
    True
    """
    east = np.asarray(longitude, dtype=float) - 96.0
    north = np.asarray(latitude, dtype=float) - 33.0
    height = (np.asarray(elevation, dtype=float) - 3700.0) / 1000.0
    temperature: FloatArray = 3.3 - LAPSE_RATE * height - 0.7 * north - 0.05 * east
    return temperature


def annual_precipitation(
    longitude: npt.ArrayLike, latitude: npt.ArrayLike
) -> FloatArray:
    """Return the mean annual precipitation.

    Parameters
    ----------
    longitude, latitude : array
        Place [degree].

    Returns
    -------
    precipitation : array
        Annual mean [mm], from 262 in the north-west to 773 in the south-east.

    Examples
    --------
    >>> annual_precipitation([89.4, 102.3], [36.3, 31.55]).round(1).tolist()
    [262.2, 772.8]
    """
    east = (np.asarray(longitude, dtype=float) - 89.4) / 12.9
    south = (36.3 - np.asarray(latitude, dtype=float)) / 4.75
    wetness = np.clip((0.45 * east + 0.55 * south) / 0.8, 0.0, 1.0)
    precipitation: FloatArray = DRIEST + (WETTEST - DRIEST) * wetness**3
    return precipitation
