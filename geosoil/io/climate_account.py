"""What a climate raster says of itself: attributes, doubtful values, versions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.io.climate_names import soil_depth
from geosoil.io.climate_units import Converted
from geosoil.variables import VARIABLES

FloatArray = npt.NDArray[np.float64]


def preliminary_dates(found: xr.DataArray, time: str | None) -> list[str]:
    """Say how many dates of ERA5 are of its preliminary version, ERA5T.

    Parameters
    ----------
    found : DataArray
        Variable as it stands in the file.
    time : str or None
        Its dimension of time.

    Returns
    -------
    changes : list of str
        One entry, or none.
    """
    if "expver" not in found.coords or found["expver"].dims != (time,):
        return []
    versions = found["expver"].to_numpy().astype(str).astype(int)
    count = int((versions == 5).sum())
    return (
        [f"{count} of {versions.size} dates are preliminary (ERA5T)"] if count else []
    )


def climate_attributes(
    found: xr.DataArray, name: str, canonical: str | None, converted: Converted
) -> dict[str, object]:
    """Return the attributes of a raster.

    Parameters
    ----------
    found : DataArray
        Variable as it stands in the file.
    name : str
        Its name there.
    canonical : str or None
        Its name in geosoil.
    converted : Converted
        Unit and step.

    Returns
    -------
    attrs : dict
        Unit, names, step and depth.
    """
    long_name = str(found.attrs.get("long_name", name))
    attrs: dict[str, object] = {"units": converted.units, "source_variable": name}
    depth = soil_depth(name)
    if depth is not None:
        attrs["depth"] = depth
    if canonical is None:
        return attrs | {"long_name": long_name}
    entry = VARIABLES[canonical]
    attrs["long_name"] = entry.long_name
    attrs["step"] = converted.step
    if converted.step != "month":
        attrs["long_name"] = entry.long_name.replace("monthly ", "")
    if entry.standard_name:
        attrs["standard_name"] = entry.standard_name
    return attrs


def check_range(
    values: FloatArray, canonical: str, where: str, *, step: str
) -> list[str]:
    """Count values that cannot be; raise where most of them cannot.

    Parameters
    ----------
    values : array, shape (time, rows, columns)
        Values in geosoil's unit; NaN missing.
    canonical : str
        Variable.
    where : str
        File and variable, for messages.
    step : str
        What amounts are of.

    Returns
    -------
    changes : list of str
        Words on values outside the range; none where there are none.

    Raises
    ------
    FileFormatError
        If most values lie outside.
    """
    entry = VARIABLES[canonical]
    low, high = entry.valid_range
    outside = known = 0
    for layer in values:
        there = np.isfinite(layer)
        known += int(there.sum())
        outside += int((there & ((layer < low) | (layer > high))).sum())
    if known == 0:
        return ["no value that is not missing"]
    if outside > 0.5 * known:
        message = (
            f"{where}: most values lie outside {low:g} to {high:g} {entry.units} "
            f"(median {np.nanmedian(values):g}) once read as {canonical} a {step}. The "
            "attribute 'units' of the variable is probably wrong."
        )
        raise FileFormatError(message)
    if outside == 0:
        return []
    return [f"{outside} values outside {low:g} to {high:g} {entry.units} kept"]
