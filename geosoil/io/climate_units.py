"""Units of climate files turned into geosoil's: degC, mm a month, m3 m-3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.variables import VARIABLES

FloatArray = npt.NDArray[np.float64]
Step = Literal["amount", "day", "second", "month"]

_SECONDS_A_DAY = 86_400.0
_TEMPERATURES = ("air_temperature", "ground_temperature")
_WATER_DEPTHS = ("precipitation", "evapotranspiration")
_CELSIUS = ("degc", "c", "celsius", "degreec", "degreescelsius", "degreecelsius", "°c")
_DEPTHS: dict[str, tuple[float, Step]] = {
    "mm": (1.0, "amount"),
    "kgm-2": (1.0, "amount"),
    "cm": (10.0, "amount"),
    "m": (1000.0, "amount"),
    "mofwaterequivalent": (1000.0, "amount"),
    "mm/month": (1.0, "month"),
    "mmmonth-1": (1.0, "month"),
    "mmmon-1": (1.0, "month"),
    "mm/mon": (1.0, "month"),
    "mm/m": (1.0, "month"),
    "mm/d": (1.0, "day"),
    "mm/day": (1.0, "day"),
    "mmday-1": (1.0, "day"),
    "mmd-1": (1.0, "day"),
    "m/day": (1000.0, "day"),
    "mday-1": (1000.0, "day"),
    "md-1": (1000.0, "day"),
    "mm/s": (1.0, "second"),
    "mms-1": (1.0, "second"),
    "kgm-2s-1": (1.0, "second"),
    "kg/m2/s": (1.0, "second"),
    "ms-1": (1000.0, "second"),
    "m/s": (1000.0, "second"),
}
_SHARES = {"m3m-3": 1.0, "m3/m3": 1.0, "cm3cm-3": 1.0, "cm3/cm3": 1.0, "1": 1.0}
_SHARES |= {"fraction": 1.0, "%": 0.01, "percent": 0.01}
_ACCUMULATED_A_DAY = frozenset(("tp", "e", "ro", "sro", "pev", "sf", "smlt"))
"""ERA5 names whose monthly means are in metres a day, though the file says m."""


@dataclass(frozen=True, slots=True)
class Converted:
    """Values in geosoil's unit, and what was done to them."""

    values: FloatArray
    """Shape (time, y, x)."""
    units: str
    """Unit of the values."""
    changes: tuple[str, ...]
    """Words for each change."""


def convert(raster: xr.DataArray, canonical: str | None, *, where: str) -> Converted:
    """Turn the values of a climate variable into geosoil's unit.

    Parameters
    ----------
    raster : DataArray (time, y, x)
        Values as the file holds them, with its ``units``.
    canonical : str or None
        Name in ``geosoil.variables``; None leaves the values as they are.
    where : str
        File and variable, for messages.

    Returns
    -------
    converted : Converted
        Values, unit, changes.

    Raises
    ------
    FileFormatError
        If the unit is missing or not understood for this variable.
    """
    values = np.asarray(raster.values, dtype=float)
    written = str(raster.attrs.get("units", "")).strip()
    if canonical is None or canonical not in VARIABLES:
        return Converted(values, written, ())
    target = VARIABLES[canonical].units
    unit = _plain(written)
    if canonical in _TEMPERATURES:
        done = _temperature(values, unit)
    elif canonical in _WATER_DEPTHS:
        done = _depth(values, unit, raster)
    else:
        done = _share(values, unit)
    if done is None:
        found = f"has unit '{written}'" if written else "has no unit"
        message = (
            f"{where} {found}, which cannot be turned into {target} for {canonical}. "
            "Correct the attribute 'units' of the variable; rates (a day, a second) "
            "need monthly dates as well."
        )
        raise FileFormatError(message)
    values, change = done
    prefix = f"{written} to {target}: "
    return Converted(values, target, tuple(prefix + text for text in change))


def _plain(units: str) -> str:
    return re.sub(r"(\*\*|[\s^_*.])", "", units.casefold()).replace("\u2212", "-")


def _temperature(values: FloatArray, unit: str) -> tuple[FloatArray, list[str]] | None:
    if unit in ("k", "kelvin", "degk", "degreesk"):
        return values - 273.15, ["273.15 subtracted"]
    return (values, []) if unit in _CELSIUS else None


def _share(values: FloatArray, unit: str) -> tuple[FloatArray, list[str]] | None:
    factor = _SHARES.get(unit)
    if factor is None:
        return None
    return values * factor, [] if factor == 1.0 else [f"times {factor:g}"]


def _depth(
    values: FloatArray, unit: str, raster: xr.DataArray
) -> tuple[FloatArray, list[str]] | None:
    if unit not in _DEPTHS:
        return None
    factor, step = _DEPTHS[unit]
    changes: list[str] = [] if factor == 1.0 else [f"times {factor:g}"]
    monthly = is_monthly(raster)
    daily_mean = str(raster.name) in _ACCUMULATED_A_DAY and unit.startswith("m")
    if step == "amount" and daily_mean and monthly and not unit.startswith("mm"):
        step = "day"
        changes.append("monthly mean of daily amounts (ERA5)")
    if step in ("day", "second"):
        if not monthly:
            return None
        days = raster["time"].dt.days_in_month.to_numpy().astype(float)
        seconds = _SECONDS_A_DAY if step == "second" else 1.0
        values = values * (days * seconds)[:, None, None]
        changes.append("times the days of each month")
        if step == "second":
            changes.append("times 86400 seconds a day")
    elif step == "amount" and not monthly:
        changes.append("time steps are not months: amounts are per time step")
    if str(raster.name) == "e" and np.nanmean(np.sign(values)) < 0:
        values = -values
        changes.append("sign turned: the file counts upward water as negative")
    return values * factor, changes


def is_monthly(raster: xr.DataArray) -> bool:
    """Tell whether a raster has one value a month; a single date counts as a month.

    Parameters
    ----------
    raster : DataArray with dim time
        Its time coordinate is looked at.

    Returns
    -------
    monthly : bool
        True where no two dates lie in the same month.
    """
    time = raster["time"]
    if not np.issubdtype(time.dtype, np.datetime64):
        return False
    months = time.dt.year.to_numpy() * 12 + time.dt.month.to_numpy()
    return bool((np.diff(np.sort(months)) >= 1).all())
