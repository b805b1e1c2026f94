"""Departures from the mean year that climate and vegetation share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.simulate.landscape import Landscape
from geosoil.simulate.noise import persistent, smooth_noise
from geosoil.simulate.relief import block_mean

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

CLIMATE_GRID = Grid.from_bounds((89.4, 31.5, 102.3, 36.3), 0.1, "EPSG:4326")
"""Grid of the climate fields; each cell holds 2 x 2 cells of the MODIS grid."""
YEARS = tuple(range(2001, 2021))
"""Years of the study."""
LINKED = (
    "air_temperature",
    "ground_temperature",
    "precipitation",
    "evapotranspiration",
    "ndvi",
)
"""Variables whose departures are tied to those of soil moisture."""
LENGTH = 6.0
"""Correlation length of the departures [cells of 0.1 degrees]."""
KNOTS = (3500.0, 4000.0, 4500.0, 5000.0, 5500.0)
"""Elevations between which chance correlations are taken out [m]."""
PATTERNS: dict[str, tuple[tuple[float, float, float, float], ...]] = {
    "air_temperature": (
        (3500, 0.75, 5300, 0.40),
        (0.0, -0.55, 1.0, -0.55),
        (3400, -0.50, 4200, 0.50),
    ),
    "ground_temperature": (
        (3500, 0.80, 5300, 0.45),
        (0.0, -0.65, 1.0, -0.65),
        (3400, -0.50, 4200, 0.50),
    ),
    "precipitation": (
        (3500, 0.50, 4300, -0.55),
        (0.0, -0.45, 1.0, -0.45),
        (4900, 0.55, 5500, -0.50),
    ),
    "evapotranspiration": (
        (0.0, -0.55, 1.0, -0.55),
        (0.0, -0.65, 1.0, -0.65),
        (0.0, -0.55, 1.0, -0.55),
    ),
    "ndvi": (
        (3500, 0.40, 5000, 0.75),
        (0.0, -0.55, 1.0, -0.55),
        (3900, -0.50, 4700, 0.50),
    ),
}
"""Correlation with soil moisture in June, August and September: up to a low elevation,
its value there, from a high elevation on, its value there; linear between."""
SEASON: dict[int, tuple[float, float, float]] = {
    5: (0.6, 0.0, 0.0),
    6: (1.0, 0.0, 0.0),
    7: (0.4, 0.6, 0.0),
    8: (0.0, 1.0, 0.0),
    9: (0.0, 0.0, 1.0),
    10: (0.0, 0.0, 0.6),
}
"""How far a calendar month follows the pattern of June, August and September."""


@dataclass(frozen=True, slots=True)
class Anomalies:
    """Standardised monthly departures, January of the first year first."""

    soil_moisture: FloatArray
    """Departure of soil moisture, shape (months, rows, columns)."""
    linked: dict[str, FloatArray]
    """Departures of the variables in :data:`LINKED`, same shape."""

    def of_month(self, name: str, month: int) -> FloatArray:
        """Return the departures of one calendar month.

        Parameters
        ----------
        name : str
            Variable, ``"soil_moisture"`` or one of :data:`LINKED`.
        month : int
            Calendar month, 1 to 12.

        Returns
        -------
        departures : array, shape (years, rows, columns)
            One field a year.
        """
        fields = self.soil_moisture if name == "soil_moisture" else self.linked[name]
        return fields[month - 1 :: 12]


def planted_correlation(name: str, month: int, elevation: FloatArray) -> FloatArray:
    """Return the correlation with soil moisture that the study plants.

    Parameters
    ----------
    name : str
        One of :data:`LINKED`.
    month : int
        Calendar month, 1 to 12; weak outside June, August and September and zero
        in winter.
    elevation : array
        Elevation [m].

    Returns
    -------
    correlation : array
        Correlation between the departures of soil moisture and of the variable.

    Raises
    ------
    InputError
        If the variable is not linked to soil moisture.

    Notes
    -----
    Signs follow section 4.1 and 4.2 of Li et al. (2024). Temperature: positive in
    June, most at low elevation, negative in August, positive in September but at low
    elevation. Precipitation: negative in June but at low elevation, negative in
    August, positive in September but at high elevation. Evapotranspiration: negative.
    NDVI: positive in June, most at high elevation, negative in August, in September
    negative at low and positive at high elevation.

    References
    ----------
    Li, Z. et al. (2024). Hydrol. Earth Syst. Sci. 28, 719. doi:10.5194/hess-28-719-2024

    Examples
    --------
    >>> planted_correlation("ndvi", 9, np.array([3600.0, 5000.0])).round(1).tolist()
    [-0.5, 0.5]
    """
    z = np.asarray(elevation, dtype=float)
    if name not in PATTERNS:
        message = f"'{name}' is not tied to soil moisture. Variables: {LINKED}."
        raise InputError(message)
    shares = SEASON.get(month, (0.0, 0.0, 0.0))
    total = np.zeros_like(z)
    for share, (low, at_low, high, at_high) in zip(shares, PATTERNS[name], strict=True):
        total += share * np.interp(z, [low, high], [at_low, at_high])
    return total


def make_anomalies(landscape: Landscape, *, seed: int) -> Anomalies:
    """Simulate the departures of every month of the study.

    Parameters
    ----------
    landscape : Landscape
        The land; elevation decides the planted correlations.
    seed : int
        Seed of the simulation; climate and NDVI made with the same seed share
        these departures.

    Returns
    -------
    anomalies : Anomalies
        Fields of mean 0 and variance 1 on :data:`CLIMATE_GRID`, smooth over about
        60 km, with a memory from month to month. Over the twenty years the planted
        correlation is met by bands of elevation; single cells scatter around it.

    Examples
    --------
    >>> from geosoil.simulate.landscape import make_landscape
    >>> anomalies = make_anomalies(make_landscape(seed=1), seed=1)
    >>> anomalies.of_month("ndvi", 6).shape
    (20, 48, 129)
    """
    rng = np.random.default_rng([seed, 111])
    elevation = climate_elevation(landscape)
    shape = (12 * len(YEARS), *CLIMATE_GRID.shape)
    moisture = persistent(smooth_noise(rng, shape, length=LENGTH), memory=0.5)
    own = {
        name: persistent(smooth_noise(rng, shape, length=LENGTH), memory=0.3)
        for name in LINKED
    }
    # the ground follows the air, and so, less, does what evaporates
    own["ground_temperature"] = _blend(own, "ground_temperature", 0.8)
    own["evapotranspiration"] = _blend(own, "evapotranspiration", 0.4)
    within = _hats(elevation), _on_climate_grid(landscape.region.values) >= 0.5
    linked = {}
    for name in LINKED:
        planted = np.stack(
            [planted_correlation(name, month, elevation) for month in range(1, 13)]
        )
        r = np.tile(planted, (len(YEARS), 1, 1))
        free = _centred(own[name], moisture, within)
        linked[name] = r * moisture + np.sqrt(1.0 - r**2) * free
    return Anomalies(moisture, linked)


def climate_elevation(landscape: Landscape) -> FloatArray:
    """Average the simulated elevation over the cells of the climate grid.

    Parameters
    ----------
    landscape : Landscape
        The land, which ends half a climate cell north of the grid's southern edge;
        the southernmost row is the mean of the half it covers.

    Returns
    -------
    elevation : array, shape (48, 129)
        Mean elevation [m].
    """
    return _on_climate_grid(landscape.elevation.values)


def _on_climate_grid(fine: npt.NDArray[np.generic]) -> FloatArray:
    """Average cells of 30 arc seconds; beyond their southern end they are mirrored."""
    missing = CLIMATE_GRID.shape[0] * 12 - fine.shape[0]
    padded = np.pad(fine.astype(np.float64), ((0, missing), (0, 0)), mode="reflect")
    return block_mean(padded, factor=12)


def _hats(elevation: FloatArray) -> FloatArray:
    """Return the weights of each knot, shape (knots, rows, columns)."""
    places = np.interp(elevation.ravel(), KNOTS, np.arange(len(KNOTS)))
    near = 1.0 - np.abs(places - np.arange(len(KNOTS))[:, np.newaxis])
    hats: FloatArray = near.clip(0.0).reshape(-1, *elevation.shape)
    return hats


def _centred(
    own: FloatArray, moisture: FloatArray, within: tuple[FloatArray, BoolArray]
) -> FloatArray:
    """Take out what twenty years happen to share with soil moisture, by elevation.

    Of each calendar month the regression on soil moisture over the region is
    subtracted, its slope linear between :data:`KNOTS`. Single cells keep their chance
    correlation, and bands of elevation have next to none beside the planted one.
    """
    hats, inside = within
    centred = own.copy()
    for month in range(12):
        wet = moisture[month::12] - moisture[month::12].mean(axis=0)
        parts = np.stack([(hat * wet)[:, inside].ravel() for hat in hats])
        free = own[month::12][:, inside].ravel()
        shared = np.linalg.solve(parts @ parts.T, parts @ free)
        centred[month::12] -= np.tensordot(shared, hats, axes=1) * wet
    return centred


def _blend(own: dict[str, FloatArray], name: str, weight: float) -> FloatArray:
    """Tie the independent part of a variable to that of air temperature."""
    air = own["air_temperature"]
    blended: FloatArray = weight * air + np.sqrt(1.0 - weight**2) * own[name]
    return blended
