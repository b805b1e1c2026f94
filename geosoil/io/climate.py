"""Monthly climate fields from CF NetCDF files, in geosoil's units and orientation."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.io._sniff import check_kind
from geosoil.io.climate_axes import place
from geosoil.io.climate_units import convert
from geosoil.io.vocabulary import words
from geosoil.variables import VARIABLES

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
_FILLS = (-9999.0, -999.0, -32768.0, -99999.0, 1e20, 9.96921e36)


def open_climate(path: str | os.PathLike[str], variable: str) -> xr.DataArray:
    """Open one variable of a CF NetCDF climate file.

    Parameters
    ----------
    path : path
        NetCDF file, classic or NetCDF-4, on a regular grid.
    variable : str
        Name in geosoil (``air_temperature``, ``ground_temperature``,
        ``precipitation``, ``evapotranspiration``, ``soil_moisture``), looked for by
        name, standard name and long name; or the variable's own name in the file.

    Returns
    -------
    raster : DataArray (time, y, x)
        Rows north to south, longitudes -180 to 180, CRS and exact transform set, NaN
        where missing, in degC, mm a month or m3 m-3; ``attrs["changes"]`` lists what
        was changed. A variable that is none of geosoil's keeps its unit.

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FileFormatError
        If it is no NetCDF file, damaged, without the variable, on an uneven grid, or
        in a unit that is not understood.
    MissingCRSError
        If nothing in it tells what its coordinates are.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> field = xr.DataArray(
    ...     np.full((1, 2, 2), 273.15),
    ...     dims=("time", "lat", "lon"),
    ...     coords={
    ...         "time": np.array(["2020-06-01"], dtype="datetime64[ns]"),
    ...         "lat": ("lat", [34.05, 34.15], {"units": "degrees_north"}),
    ...         "lon": ("lon", [92.05, 92.15], {"units": "degrees_east"}),
    ...     },
    ...     attrs={"units": "K"},
    ... )
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "t.nc"
    ...     _ = field.to_dataset(name="t2m").to_netcdf(file, engine="netcdf4")
    ...     air = open_climate(file, "air_temperature")
    >>> air.dims, air.attrs["units"], float(air.y[0]), float(air.mean())
    (('time', 'y', 'x'), 'degC', 34.15, 0.0)
    """
    file = Path(path)
    check_kind(file, "hdf5", "netcdf3", needed="a NetCDF file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xr.SerializationWarning)
            with xr.open_dataset(file, engine="netcdf4") as dataset:
                return _open(dataset, file, variable)
    except FileFormatError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        _raise_if_ours(error)
        message = (
            f"'{file}' cannot be read as NetCDF: {error}. The file may be damaged; "
            "download it again."
        )
        raise FileFormatError(message) from error


def _raise_if_ours(error: Exception) -> None:
    if type(error).__module__.startswith("geosoil"):
        raise error


def _open(dataset: xr.Dataset, file: Path, variable: str) -> xr.DataArray:
    name, canonical = _find(dataset, file, variable)
    where = f"'{file}', variable '{name}'"
    found = dataset[name].load()
    placed = place(found, dataset, where=where)
    changes = list(placed.changes)
    if name != variable:
        changes.insert(0, f"variable '{name}' taken for {variable}")
    raster = placed.raster
    filled = _without_fills(raster, changes)
    converted = convert(filled, canonical, where=where)
    changes += converted.changes
    result = raster.copy(data=converted.values)
    result = placed.grid.georeference(result)
    result.name = canonical or name
    result.attrs = {"units": converted.units, "source_variable": name}
    long_name = found.attrs.get("long_name", name)
    if canonical is None:
        result.attrs["long_name"] = str(long_name)
    else:
        entry = VARIABLES[canonical]
        result.attrs["long_name"] = entry.long_name
        if entry.standard_name:
            result.attrs["standard_name"] = entry.standard_name
        _check_range(converted.values, canonical, where, changes)
    result.attrs["changes"] = changes
    return result


def _find(dataset: xr.Dataset, file: Path, variable: str) -> tuple[str, str | None]:
    """Name in the file of a variable, and geosoil's name for it."""
    data = [str(name) for name in dataset.data_vars if dataset[name].ndim >= 2]
    if variable in data:
        return variable, _canonical(dataset[variable])
    for rank in range(3):
        hits = [name for name in data if _ranks(dataset[name], variable)[rank]]
        if len(hits) == 1:
            return hits[0], variable
        if hits:
            message = (
                f"'{file}' has several variables that may be {variable}: "
                f"{', '.join(hits)}. Name the one you mean."
            )
            raise FileFormatError(message)
    listed = [f"{name} ({_described(dataset[name])})" for name in data]
    message = (
        f"'{file}' has no variable '{variable}'. It has: "
        f"{', '.join(listed) or 'none'}. Name one of them."
    )
    raise FileFormatError(message)


def _described(raster: xr.DataArray) -> str:
    text = raster.attrs.get("long_name") or raster.attrs.get("standard_name") or "-"
    return f"{text}, {raster.attrs.get('units', 'no unit')}"


def _ranks(raster: xr.DataArray, variable: str) -> tuple[bool, bool, bool]:
    """Whether name, standard name or long name says that this is the variable."""
    name = str(raster.name).casefold()
    long_name = str(raster.attrs.get("long_name", "")).casefold()
    return (
        name == variable or name in _NAMES.get(variable, ()),
        raster.attrs.get("standard_name") in _STANDARD_NAMES.get(variable, ()),
        any(text in long_name for text in _LONG_NAMES.get(variable, ())),
    )


def _canonical(raster: xr.DataArray) -> str | None:
    for rank in range(2):
        for name in _NAMES:
            if _ranks(raster, name)[rank]:
                return name
    return None


def _without_fills(raster: xr.DataArray, changes: list[str]) -> xr.DataArray:
    """Take values such as -9999, not declared as missing, for missing."""
    values = np.asarray(raster.values, dtype=float)
    values = np.where(np.isinf(values), np.nan, values)
    for fill in _FILLS:
        hit = np.isclose(values, fill, rtol=1e-6, atol=0)
        if hit.any():
            values = np.where(hit, np.nan, values)
            changes.append(f"{int(hit.sum())} values of {fill:g} taken for missing")
    return raster.copy(data=values)


def _check_range(
    values: npt.NDArray[np.float64], canonical: str, where: str, changes: list[str]
) -> None:
    entry = VARIABLES[canonical]
    low, high = entry.valid_range
    known = values[np.isfinite(values)]
    if known.size == 0:
        changes.append("no value that is not missing")
        return
    outside = (known < low) | (known > high)
    if not outside.any():
        return
    if outside.mean() > 0.5:
        message = (
            f"{where}: most values lie outside {low:g} to {high:g} {entry.units} "
            f"(median {np.median(known):g}) once read as {canonical}. The attribute "
            "'units' of the variable is probably wrong."
        )
        raise FileFormatError(message)
    changes.append(
        f"{int(outside.sum())} values outside {low:g} to {high:g} {entry.units} kept"
    )
