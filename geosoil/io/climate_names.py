"""Find a variable of geosoil's vocabulary among those of a climate file."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.io.vocabulary import words

_NAMES: dict[str, tuple[str, ...]] = {
    "air_temperature": words(
        "t2m tas temp tmp tmean ta tair temperature 2m_temperature 2t trefht tavg"
    ),
    "ground_temperature": words(
        "stl1 skt ts lst gst tsl tg soil_temperature ground_temperature "
        "surface_temperature soil_temperature_level_1 skin_temperature"
    ),
    "precipitation": words(
        "tp pr pre prec precip ppt prcp rain rainfall total_precipitation"
    ),
    "evapotranspiration": words(
        "e et aet evap evaporation evspsbl actual_evapotranspiration eta "
        "total_evaporation"
    ),
    "soil_moisture": words(
        "swvl1 sm smc swc vwc soilmoisture soil_water volumetric_soil_water_layer_1"
    ),
    "ndvi": words("ndvi"),
}
_DEEPER: dict[str, tuple[str, ...]] = {
    "ground_temperature": words(
        "stl2 stl3 stl4 soil_temperature_level_2 soil_temperature_level_3 "
        "soil_temperature_level_4"
    ),
    "soil_moisture": words(
        "swvl2 swvl3 swvl4 volumetric_soil_water_layer_2 "
        "volumetric_soil_water_layer_3 volumetric_soil_water_layer_4"
    ),
}
"""Names taken when asked for by themselves, never for the topmost layer."""
_STANDARD_NAMES: dict[str, tuple[str, ...]] = {
    "air_temperature": ("air_temperature",),
    "ground_temperature": ("surface_temperature", "soil_temperature"),
    "precipitation": words(
        "lwe_thickness_of_precipitation_amount precipitation_amount precipitation_flux "
        "lwe_precipitation_rate rainfall_amount rainfall_flux"
    ),
    "evapotranspiration": words(
        "lwe_thickness_of_water_evapotranspiration_amount "
        "water_evapotranspiration_flux lwe_thickness_of_water_evaporation_amount "
        "water_evaporation_flux lwe_water_evaporation_rate "
        "water_evapotranspiration_amount"
    ),
    "soil_moisture": words(
        "volume_fraction_of_condensed_water_in_soil volume_fraction_of_water_in_soil"
    ),
    "ndvi": words("normalized_difference_vegetation_index"),
}
_LONG_NAMES: dict[str, tuple[str, ...]] = {
    "air_temperature": ("air temperature", "2 metre temperature", "2m temperature"),
    "ground_temperature": ("ground temperature", "soil temperature"),
    "precipitation": ("precipitation", "rainfall"),
    "evapotranspiration": ("evapotranspiration", "evaporation"),
    "soil_moisture": ("soil moisture", "soil water"),
    "ndvi": ("ndvi",),
}
_DEPTHS = {"1": "0-7 cm", "2": "7-28 cm", "3": "28-100 cm", "4": "100-289 cm"}


def find_variable(
    variables: Mapping[str, xr.DataArray], variable: str, *, file: str
) -> tuple[str, str | None]:
    """Return the name in the file of a variable, and geosoil's name for it.

    Parameters
    ----------
    variables : mapping of name to DataArray
        The fields of the file.
    variable : str
        Name in geosoil, or in the file; "" for the only one there is.
    file : str
        Name of the file, for messages.

    Returns
    -------
    name : str
        Name in the file.
    canonical : str or None
        Name in geosoil; None for a variable that geosoil does not know.

    Raises
    ------
    FileFormatError
        If none, or more than one, may be meant; the message lists what there is.

    Examples
    --------
    >>> field = xr.DataArray([[1.0]], name="swvl2")
    >>> find_variable({"swvl2": field}, "swvl2", file="era5.nc")
    ('swvl2', 'soil_moisture')
    """
    if not variable and len(variables) == 1:
        variable = next(iter(variables))
    if variable in variables:
        return variable, _canonical(variables[variable])
    for rank in range(3):
        hits = [
            key for key, found in variables.items() if _ranks(found, variable)[rank]
        ]
        if len(hits) == 1:
            return hits[0], variable
        if hits:
            message = (
                f"'{file}' has several variables that may be {variable}: "
                f"{', '.join(hits)}. Name the one you mean."
            )
            raise FileFormatError(message)
    listed = [f"{name} ({_described(found)})" for name, found in variables.items()]
    fault = f"no variable '{variable}'" if variable else "several variables"
    close = get_close_matches(variable, variables, n=3)
    nearest = f" Nearest: {', '.join(close)}." if close else ""
    message = (
        f"'{file}' has {fault if variables else 'no variable'}. It has: "
        f"{', '.join(listed) or 'none'}.{nearest} Name one of them."
    )
    raise FileFormatError(message)


def soil_depth(name: str) -> str | None:
    """Return the depth of a soil layer of ERA5 and ERA5-Land.

    Parameters
    ----------
    name : str
        Name in the file.

    Returns
    -------
    depth : str or None
        Depth below the surface; None for other names.

    Examples
    --------
    >>> soil_depth("swvl2")
    '7-28 cm'
    """
    lower = name.casefold()
    layered = lower.startswith(
        ("swvl", "stl", "volumetric_soil_water_layer_", "soil_temperature_level_")
    )
    return _DEPTHS.get(lower[-1]) if layered else None


def _described(raster: xr.DataArray) -> str:
    text = raster.attrs.get("long_name") or raster.attrs.get("standard_name") or "-"
    return f"{text}, {raster.attrs.get('units', 'no unit')}"


def _ranks(raster: xr.DataArray, variable: str) -> tuple[bool, bool, bool]:
    """Whether name, standard name or long name says that this is the variable."""
    name = str(raster.name).casefold().partition(":")[0]
    long_name = str(raster.attrs.get("long_name", "")).casefold()
    return (
        name == variable or name in _NAMES.get(variable, ()),
        raster.attrs.get("standard_name") in _STANDARD_NAMES.get(variable, ()),
        any(text in long_name for text in _LONG_NAMES.get(variable, ())),
    )


def _canonical(raster: xr.DataArray) -> str | None:
    for name, deeper in _DEEPER.items():
        if str(raster.name).casefold().partition(":")[0] in deeper:
            return name
    for rank in range(2):
        for name in _NAMES:
            if _ranks(raster, name)[rank]:
                return name
    return None
