"""Units of climate files turned into geosoil's: degC, mm a month, m3 m-3."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from geosoil.errors import FileFormatError
from geosoil.io.climate_amounts import (
    amounts_of_steps,
    is_since_midnight,
    is_sub_daily,
)
from geosoil.io.climate_time import Dates
from geosoil.io.vocabulary import words
from geosoil.variables import VARIABLES

FloatArray = npt.NDArray[np.float64]
Step = Literal["amount", "hour", "day", "second", "month"]

_STEPS_A_DAY = {"hour": 24.0, "day": 1.0, "second": 86_400.0}
_TEMPERATURES = ("air_temperature", "ground_temperature")
_WATER_DEPTHS = ("precipitation", "evapotranspiration")
_CELSIUS = words(
    "degc c celsius degreec degreesc degreescelsius degreecelsius degcelsius °c"
)
_KELVIN = words("k kelvin degk degreesk degreek")
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
    "kgm-2mon-1": (1.0, "month"),
    "kgm-2month-1": (1.0, "month"),
    "mm/h": (1.0, "hour"),
    "mm/hr": (1.0, "hour"),
    "mm/hour": (1.0, "hour"),
    "mmh-1": (1.0, "hour"),
    "mmhr-1": (1.0, "hour"),
    "mmhour-1": (1.0, "hour"),
    "mm/d": (1.0, "day"),
    "kgm-2d-1": (1.0, "day"),
    "kgm-2day-1": (1.0, "day"),
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
_ERA5_AMOUNTS = frozenset(("tp", "e", "total_precipitation", "total_evaporation"))
"""ERA5 names whose monthly means are in metres a day, though the file says m."""
_FACTOR = re.compile(r"^(\d*\.?\d+(?:e[+-]?\d+)?)[x*]?(\D.*)$")
_WATER_METRES = "mofwaterequivalent"
_DRIZZLE = 1e-5
"""Negative rain that rounding in the file explains [m]."""


@dataclass(frozen=True, slots=True)
class Converted:
    """The unit of values that were converted in place, and what was done to them."""

    units: str
    """Unit of the values."""
    step: str
    """"month" where water is an amount of a month, else "time step"."""
    changes: tuple[str, ...]
    """Words for each change."""


def needs_whole_days(raster: xr.DataArray, canonical: str | None, dates: Dates) -> bool:
    """Tell whether amounts can be understood by whole days alone.

    Parameters
    ----------
    raster : DataArray
        Variable of the file with its name and ``units``.
    canonical : str or None
        Name in ``geosoil.variables``.
    dates : Dates
        All dates of the file.

    Returns
    -------
    needed : bool
        True for ERA5 amounts several times a day: they may be sums since 00 UTC.
    """
    metres = _plain(str(raster.attrs.get("units", "")))[1] in ("m", _WATER_METRES)
    era5 = str(raster.name).casefold().partition(":")[0] in _ERA5_AMOUNTS and metres
    return canonical in _WATER_DEPTHS and era5 and is_sub_daily(dates.times)


def convert(
    values: FloatArray,
    raster: xr.DataArray,
    canonical: str | None,
    *,
    dates: Dates,
    where: str,
) -> Converted:
    """Turn the values of a climate variable into geosoil's unit, in place.

    Parameters
    ----------
    values : array, shape (time, y, x)
        Values as the file means them; changed.
    raster : DataArray
        The variable of the file, for its name, ``units`` and attributes.
    canonical : str or None
        Name in ``geosoil.variables``; None leaves the values as they are.
    dates : Dates
        Date of each field.
    where : str
        File and variable, for messages.

    Returns
    -------
    converted : Converted
        Unit and changes.

    Raises
    ------
    FileFormatError
        If the unit is missing or not understood for this variable.

    Examples
    --------
    >>> kelvin = np.array([[[273.15]]])
    >>> t2m = xr.DataArray(kelvin, name="t2m", attrs={"units": "K"})
    >>> june = np.array(["2020-06-01"], dtype="datetime64[ns]")
    >>> dates = Dates(june, np.array([0]), np.array([30.0]), ())
    >>> convert(kelvin, t2m, "air_temperature", dates=dates, where="era5.nc").units
    'degC'
    >>> kelvin.item()
    0.0
    """
    written = str(raster.attrs.get("units", "")).strip()
    step = "month" if dates.is_monthly else "time step"
    if canonical is None or canonical not in VARIABLES:
        return Converted(written, step, ())
    target = VARIABLES[canonical].units
    factor, unit = _plain(written)
    if canonical in _TEMPERATURES:
        change = _temperature(values, factor, unit)
    elif canonical in _WATER_DEPTHS:
        change = _depth(values, raster, (factor, unit), dates, where)
    else:
        change = _share(values, factor, unit)
    if change is None:
        found = f"has unit '{written}'" if written else "has no unit"
        message = (
            f"{where} {found}, which cannot be turned into {target} for {canonical}. "
            "Correct the attribute 'units' of the variable; rates (a day, a second) "
            "need monthly dates as well."
        )
        raise FileFormatError(message)
    changes = [f"{written} to {target}: {text}" for text in change]
    if canonical == "precipitation":
        changes += _without_rounding(values)
    elif canonical == "evapotranspiration":
        changes += _upward_positive(values)
    return Converted(target, step, tuple(changes))


def _plain(units: str) -> tuple[float, str]:
    """Factor and unit without blanks, powers and points: "0.1 mm" is (0.1, "mm")."""
    text = unicodedata.normalize("NFKC", units).casefold().replace("\u2212", "-")
    text = text.strip()
    match = _FACTOR.match(text.replace(" ", ""))
    factor = 1.0
    if match and not match[2].startswith(("/", ".")):
        factor, text = float(match[1]), match[2]
    return factor, re.sub(r"(\*\*|[\s^_*.])", "", text)


def _temperature(values: FloatArray, factor: float, unit: str) -> list[str] | None:
    if unit not in (*_KELVIN, *_CELSIUS):
        return None
    changes = _times(values, factor)
    if unit in _KELVIN:
        values -= 273.15
        changes.append("273.15 subtracted")
    return changes


def _share(values: FloatArray, factor: float, unit: str) -> list[str] | None:
    share = _SHARES.get(unit)
    return None if share is None else _times(values, factor * share)


def _times(values: FloatArray, factor: float) -> list[str]:
    if factor == 1.0:
        return []
    values *= factor
    return [f"times {factor:g}"]


def _depth(
    values: FloatArray,
    raster: xr.DataArray,
    unit: tuple[float, str],
    dates: Dates,
    where: str,
) -> list[str] | None:
    """Turn amounts and rates of water into mm, of a month where dates are monthly."""
    if unit[1] not in _DEPTHS:
        return None
    factor, step = _DEPTHS[unit[1]]
    changes: list[str] = []
    if needs_whole_days(raster, "precipitation", dates):
        if is_since_midnight(values, dates.times, where=where):
            changes += amounts_of_steps(values, dates.times)
        else:
            changes.append("amounts taken as those of each time step, not sums")
    elif step == "amount" and _is_mean_of_days(raster, unit[1], dates):
        step = "day"
        changes.append("monthly mean of daily amounts (ERA5)")
    if step in _STEPS_A_DAY:
        if not dates.is_monthly:
            return None
        values *= (dates.days_in_month * _STEPS_A_DAY[step])[:, None, None]
        changes.append("times the days of each month")
        if step != "day":
            changes.append(f"times {_STEPS_A_DAY[step]:g} {step}s a day")
    elif step == "amount" and not dates.is_monthly:
        changes.append("time steps are not months: amounts are per time step")
    return _times(values, factor * unit[0]) + changes


def _is_mean_of_days(raster: xr.DataArray, unit: str, dates: Dates) -> bool:
    """Tell whether amounts are ERA5's monthly means of metres a day.

    They bear the first day of the month. A lone field of a later day or hour is no
    monthly mean.
    """
    if (
        str(raster.name).casefold().partition(":")[0] not in _ERA5_AMOUNTS
        or not dates.is_monthly
    ):
        return False
    if unit not in ("m", _WATER_METRES):
        return False
    since = dates.times - dates.times.astype("datetime64[M]").astype("datetime64[ns]")
    limit = np.timedelta64(1 if dates.times.size == 1 else 24, "h")
    return bool((since < limit).all())


def _without_rounding(values: FloatArray) -> list[str]:
    """Set tiny negative rain, left by packing, to 0."""
    count = 0
    for layer in values:
        tiny = (layer < 0) & (layer >= -1000 * _DRIZZLE)
        layer[tiny] = 0.0
        count += int(tiny.sum())
    return [f"{count} values just below 0 set to 0 (rounding)"] if count else []


def _upward_positive(values: FloatArray) -> list[str]:
    """Turn the sign where the large values are negative: evaporation is large."""
    balance = sum(float(np.nansum(layer * np.abs(layer))) for layer in values)
    if balance >= 0:
        return []
    np.negative(values, out=values)
    return ["sign turned: the file counts upward water as negative"]
