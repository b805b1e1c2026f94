"""The vocabulary: each variable's name, unit, long name, CF name and valid range."""

from __future__ import annotations

from dataclasses import dataclass

from geosoil.errors import InputError


@dataclass(frozen=True, slots=True)
class Variable:
    """One quantity that geosoil reads, computes or writes."""

    name: str
    """Name used in code, columns and files."""
    units: str
    """Unit in UDUNITS notation; "1" for a pure number."""
    long_name: str
    """Words for axes and legends."""
    valid_range: tuple[float, float]
    """Smallest and largest value that is physically possible."""
    standard_name: str | None = None
    """CF standard name, where one exists."""


_ALL = (
    Variable("d18O", "permil", "delta-18O of water (VSMOW)", (-100.0, 50.0)),
    Variable("d2H", "permil", "delta-2H of water (VSMOW)", (-600.0, 300.0)),
    Variable("d_excess", "permil", "deuterium excess", (-200.0, 100.0)),
    Variable("lc_excess", "permil", "line-conditioned excess", (-200.0, 100.0)),
    Variable("elevation", "m", "elevation", (-500.0, 9000.0), "surface_altitude"),
    Variable("slope", "degree", "terrain slope", (0.0, 90.0)),
    Variable("aspect", "degree", "terrain aspect, clockwise from north", (0.0, 360.0)),
    Variable(
        "ndvi", "1", "NDVI", (-0.2, 1.0), "normalized_difference_vegetation_index"
    ),
    Variable(
        "air_temperature",
        "degC",
        "air temperature at 2 m",
        (-90.0, 60.0),
        "air_temperature",
    ),
    Variable(
        "ground_temperature",
        "degC",
        "ground surface temperature",
        (-90.0, 80.0),
        "surface_temperature",
    ),
    Variable(
        "precipitation",
        "mm",
        "monthly precipitation",
        (0.0, 3000.0),
        "lwe_thickness_of_precipitation_amount",
    ),
    Variable(
        "evapotranspiration",
        "mm",
        "monthly evapotranspiration",
        (-50.0, 1000.0),
        "lwe_thickness_of_water_evapotranspiration_amount",
    ),
    Variable(
        "soil_moisture",
        "m3 m-3",
        "volumetric soil moisture",
        (0.0, 1.0),
        "volume_fraction_of_condensed_water_in_soil",
    ),
    Variable(
        "relative_humidity", "%", "relative humidity", (0.0, 100.0), "relative_humidity"
    ),
    Variable("wind_speed", "m s-1", "wind speed", (0.0, 120.0), "wind_speed"),
    Variable(
        "sunshine_duration",
        "h",
        "sunshine duration",
        (0.0, 744.0),
        "duration_of_sunshine",
    ),
    Variable("pan_evaporation", "mm", "evaporation from a pan", (0.0, 1000.0)),
    Variable("air_pressure", "hPa", "air pressure", (300.0, 1100.0), "air_pressure"),
    Variable("fraction", "1", "source fraction", (0.0, 1.0)),
    Variable("r", "1", "correlation coefficient", (-1.0, 1.0)),
    Variable("p_value", "1", "two-sided p value", (0.0, 1.0)),
    Variable("n", "1", "number of pairs", (0.0, 1e6)),
)

VARIABLES: dict[str, Variable] = {variable.name: variable for variable in _ALL}
"""Every known variable by its name."""


def variable(name: str) -> Variable:
    """Return the vocabulary entry of a variable.

    Parameters
    ----------
    name : str
        Name as in :data:`VARIABLES`.

    Returns
    -------
    entry : Variable
        Its unit, long name, valid range and CF name.

    Raises
    ------
    InputError
        If the name is not in the vocabulary.

    Examples
    --------
    >>> variable("ndvi").valid_range
    (-0.2, 1.0)
    """
    try:
        return VARIABLES[name]
    except KeyError:
        message = f"Unknown variable '{name}'. Known variables: {', '.join(VARIABLES)}."
        raise InputError(message) from None
