"""Monthly climate of 2001 to 2020, simulated, as CF NetCDF files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from geosoil.simulate._climate_file import write_monthly
from geosoil.simulate.anomalies import (
    CLIMATE_GRID,
    YEARS,
    Anomalies,
    climate_elevation,
    make_anomalies,
)
from geosoil.simulate.climatology import annual_precipitation, annual_temperature
from geosoil.simulate.landscape import Landscape
from geosoil.simulate.noise import smooth_noise

FloatArray = npt.NDArray[np.float64]

MONTH = np.arange(12)[:, np.newaxis, np.newaxis]
"""Calendar months 0 to 11, as the first axis of a field."""
MONSOON = np.array([3, 5, 9, 20, 55, 95, 115, 100, 68, 22, 5, 3]) / 500.0
"""Share of the year's precipitation that falls in each month."""
THIRST = np.array([5, 7, 12, 25, 48, 68, 80, 72, 45, 22, 9, 5]) / 398.0
"""Share of the year's evapotranspiration in each month."""
GAPS = 0.03
"""Share of values that are missing, in patches."""


def write_climate(landscape: Landscape, folder: str | Path, *, seed: int) -> list[Path]:
    """Simulate and write the monthly climate of the study.

    Parameters
    ----------
    landscape : Landscape
        The land; air cools by 6.5 K/km.
    folder : path
        Folder to write to; made when absent.
    seed : int
        Seed of the simulation.

    Returns
    -------
    paths : list of Path
        ``air_temperature.nc``, ``ground_temperature.nc`` [degC],
        ``precipitation.nc``, ``evapotranspiration.nc`` [mm] and
        ``soil_moisture.nc`` [m3 m-3], each 240 months x 48 x 129 cells of 0.1
        degrees, with patches of missing values.

    Raises
    ------
    GeosoilError
        If a file cannot be written.
    """
    anomalies = make_anomalies(landscape, seed=seed)
    rng = np.random.default_rng([seed, 112])
    paths = []
    for name, field in simulate_climate(landscape, anomalies).items():
        holes = smooth_noise(rng, field.shape, length=3.0)
        field[holes > np.quantile(holes, 1.0 - GAPS)] = np.nan
        path = Path(folder) / f"{name}.nc"
        paths.append(write_monthly(field, path, name=name, seed=seed))
    return paths


def simulate_climate(
    landscape: Landscape, anomalies: Anomalies
) -> dict[str, FloatArray]:
    """Simulate the complete monthly fields.

    Parameters
    ----------
    landscape : Landscape
        The land.
    anomalies : Anomalies
        Departures from the mean year.

    Returns
    -------
    fields : dict of array, shape (240, 48, 129)
        Fields by the name of the variable, January 2001 first, y north to south.

    Notes
    -----
    Departures are added to temperatures (standard deviation 1.1 K in summer, 1.8 K in
    winter) and multiply precipitation (35 %), evapotranspiration (15 %) and soil
    moisture (14 %). The ground is warmer than the air, most in early summer. Liquid
    soil moisture is low while the ground is frozen.

    Examples
    --------
    >>> from geosoil.simulate.landscape import make_landscape
    >>> landscape = make_landscape(seed=1)
    >>> fields = simulate_climate(landscape, make_anomalies(landscape, seed=1))
    >>> fields["precipitation"].shape
    (240, 48, 129)
    """
    longitude, latitude = np.meshgrid(CLIMATE_GRID.x, CLIMATE_GRID.y)
    elevation = climate_elevation(landscape)
    air = _season_of_air(annual_temperature(longitude, latitude, elevation))
    rain = annual_precipitation(longitude, latitude)
    ground = _ground(air)
    lost = 0.72 * rain * (1.0 + 0.015 * (air.mean(axis=0) + 4.0))
    thawed = 1.0 / (1.0 + np.exp(-(ground - 1.0) / 1.5))
    capacity = 0.18 + 0.18 * (rain - 250.0) / 525.0
    wet = capacity * (0.35 + 0.65 * thawed) * (1.0 + 0.10 * (MONSOON * 6 - 0.5)[MONTH])
    swing = 1.45 + 0.35 * np.cos(2 * np.pi * MONTH / 12)
    linked = anomalies.linked
    return {
        "air_temperature": _years(air) + _years(swing) * linked["air_temperature"],
        "ground_temperature": _years(ground)
        + _years(swing) * linked["ground_temperature"],
        "precipitation": _scaled(MONSOON[MONTH] * rain, linked["precipitation"], 0.35),
        "evapotranspiration": _scaled(
            THIRST[MONTH] * lost, linked["evapotranspiration"], 0.15
        ),
        "soil_moisture": _scaled(wet, anomalies.soil_moisture, 0.14),
    }


def monthly_ground_temperature(
    longitude: npt.ArrayLike, latitude: npt.ArrayLike, elevation: npt.ArrayLike
) -> FloatArray:
    """Return the mean ground surface temperature of each calendar month.

    Parameters
    ----------
    longitude, latitude, elevation : array, shape (rows, columns)
        Place [degree] and elevation [m].

    Returns
    -------
    temperature : array, shape (12, rows, columns)
        Mean temperature, January first [degC].

    Examples
    --------
    >>> year = monthly_ground_temperature([[96.0]], [[34.0]], [[4500.0]])[:, 0, 0]
    >>> int(year.argmax()), int(year.argmin())
    (6, 0)
    """
    return _ground(_season_of_air(annual_temperature(longitude, latitude, elevation)))


def _season_of_air(annual: FloatArray) -> FloatArray:
    """Add the yearly wave, warmest in July."""
    wave: FloatArray = annual - 10.8 * np.cos(2 * np.pi * (MONTH - 0.3) / 12)
    return wave


def _ground(air: FloatArray) -> FloatArray:
    """Warm the ground above the air, most in June."""
    ground: FloatArray = air + 2.2 + 1.6 * np.cos(2 * np.pi * (MONTH - 5) / 12)
    return ground


def _years(field: FloatArray) -> FloatArray:
    """Repeat twelve months for every year."""
    return np.tile(field, (len(YEARS), 1, 1))


def _scaled(mean: FloatArray, departure: FloatArray, spread: float) -> FloatArray:
    """Multiply a mean year by lognormal departures of mean 1."""
    factor = np.exp(spread * departure - 0.5 * spread**2)
    result: FloatArray = _years(mean) * factor
    return result
