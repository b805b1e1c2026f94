"""Frozen ground from temperature: freezing and thawing indices, frost number, zones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd
import rioxarray  # noqa: F401  registers the accessor .rio
import xarray as xr

from geosoil.errors import GridMismatchError, InputError

PERMAFROST_ZONES: dict[str, float] = {
    "sporadic": 0.5,
    "discontinuous": 0.6,
    "continuous": 0.67,
}
"""Least frost number of each zone, as is usual since Nelson and Outcalt (1987)."""

NO_PERMAFROST = "seasonally_frozen"
"""Label of ground below the first zone."""

MEAN_DAYS: tuple[float, ...] = (31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of the calendar months of a mean year."""

_CELSIUS = ("degC", "celsius", "degree_Celsius", "degrees_Celsius", "°C", "C")
_HOTTEST = 90.0
_DAY = np.timedelta64(1, "D")


def freezing_thawing_indices(
    temperature: xr.DataArray, *, dim: str = "time"
) -> xr.Dataset:
    r"""Sum the degree-days of frost and of thaw of a mean year.

    Parameters
    ----------
    temperature : DataArray with dimension ``dim``
        Daily or monthly mean temperature of the air or of the ground surface [degC]
        over whole years without a gap.
    dim : str
        Dimension of time; its coordinate holds dates, or the months 1 to 12 of a mean
        year.

    Returns
    -------
    indices : Dataset without ``dim``
        ``freezing_index`` and ``thawing_index`` [degC d], both positive, a year. NaN
        where a temperature is missing.

    Raises
    ------
    InputError
        If the temperatures are not in degC, the coordinate holds no days or months in
        unbroken order, or they are no whole years; the message names the first gap.

    Notes
    -----
    With the temperatures :math:`T_i` of periods of :math:`d_i` days over n years,

    .. math:: DDF = \frac{1}{n} \sum_{T_i < 0} -T_i d_i, \quad
              DDT = \frac{1}{n} \sum_{T_i > 0} T_i d_i

    A monthly mean hides the frost of a month that is warm on the whole: monthly
    temperatures give smaller indices than daily ones. A "year" may begin in any month.

    Examples
    --------
    >>> cold = xr.DataArray([-10.0] * 6 + [5.0] * 6, dims="month",
    ...                     coords={"month": range(1, 13)})
    >>> indices = freezing_thawing_indices(cold, dim="month")
    >>> float(indices.freezing_index), float(indices.thawing_index)
    (1812.5, 920.0)
    """
    if dim not in temperature.dims or dim not in temperature.coords:
        message = (
            f"The temperature has no dimension '{dim}' with a coordinate; its dims are "
            f"{temperature.dims}. Name the dimension of time with dim=."
        )
        raise InputError(message)
    _check_celsius(temperature)
    days, years = _durations(temperature[dim])
    lengths = xr.DataArray(days / years, dims=dim)
    values = temperature.astype(float)
    frost = ((-values).clip(min=0.0) * lengths).sum(dim, skipna=False)
    thaw = (values.clip(min=0.0) * lengths).sum(dim, skipna=False)
    return xr.Dataset(
        {
            "freezing_index": frost.assign_attrs(
                units="degC d", long_name="freezing index of a mean year"
            ),
            "thawing_index": thaw.assign_attrs(
                units="degC d", long_name="thawing index of a mean year"
            ),
        }
    )


def frost_number(
    freezing: xr.DataArray,
    thawing: xr.DataArray,
    *,
    soil_factor: float | xr.DataArray = 1.0,
) -> xr.DataArray:
    r"""Compute the frost number from freezing and thawing indices.

    Parameters
    ----------
    freezing, thawing : DataArray of one shape
        Freezing and thawing index [degC d], both positive.
    soil_factor : float or DataArray
        Factor E of the soil and of its cover, above 0; 1 gives the frost number of
        the surface that the indices belong to.

    Returns
    -------
    frost_number : DataArray
        0 where it never freezes, 1 where it never thaws; NaN where an index or the
        factor is missing, or both indices are 0.

    Raises
    ------
    InputError
        If an index is negative or a factor is not above 0.
    GridMismatchError
        If the arrays lie on different coordinates.

    Notes
    -----
    .. math:: F = \frac{\sqrt{DDF}}{\sqrt{DDF} + E \sqrt{DDT}}

    Where permafrost is just in balance, E = sqrt(DDF / DDT) and F = 0.5: E holds what
    snow, water and the conductivities of frozen and thawed soil change.

    References
    ----------
    Nelson, F. E. and Outcalt, S. I. (1987). A computational method for prediction and
    regionalization of permafrost. Arctic and Alpine Research 19(3), 279-288.
    doi:10.2307/1551363

    Hu, J., Zhao, S., Nan, Z., Wu, X. and Sun, X. (2020). A novel approach for mapping
    permafrost in a large area using subregion maps and satellite data. Permafrost and
    Periglacial Processes 31(4), 548-560. doi:10.1002/ppp.2068

    Examples
    --------
    >>> frost, thaw = xr.DataArray([1600.0, 900.0]), xr.DataArray([400.0, 900.0])
    >>> frost_number(frost, thaw).round(3).values.tolist()
    [0.667, 0.5]
    """
    factor = xr.DataArray(soil_factor)
    for name, other in (("thawing index", thawing), ("soil factor", factor)):
        _check_same_place(freezing, other, name)
    below_zero = float(np.nextafter(0.0, -1.0))
    _check_sign(freezing, "freezing index", above=below_zero)
    _check_sign(thawing, "thawing index", above=below_zero)
    _check_sign(factor, "soil factor", above=0.0)
    frost: xr.DataArray = freezing.astype(float) ** 0.5
    both = frost + factor * thawing.astype(float) ** 0.5
    number: xr.DataArray = (frost / both.where(both > 0)).rename("frost_number")
    number.attrs = {"units": "1", "long_name": "frost number"}
    return number


def permafrost_zones(
    number: xr.DataArray, *, zones: Mapping[str, float] = PERMAFROST_ZONES
) -> xr.DataArray:
    """Divide frost numbers into zones of permafrost.

    Parameters
    ----------
    number : DataArray
        Frost number, 0 to 1.
    zones : mapping of str to float
        Least frost number of each zone, rising within 0 to 1;
        ``{"permafrost": 0.5}`` tells permafrost from seasonally frozen ground.

    Returns
    -------
    codes : DataArray of uint8
        1 below the first zone, 2, 3, ... in the zones; 0, also in ``attrs["nodata"]``,
        where the number is missing. ``attrs`` hold the CF ``flag_values`` and
        ``flag_meanings``.

    Raises
    ------
    InputError
        If the limits do not rise within 0 to 1, or a number lies beyond.

    References
    ----------
    Nelson, F. E. and Outcalt, S. I. (1987). A computational method for prediction and
    regionalization of permafrost. Arctic and Alpine Research 19(3), 279-288.
    doi:10.2307/1551363

    Examples
    --------
    >>> codes = permafrost_zones(xr.DataArray([0.3, 0.5, 0.67, np.nan]))
    >>> codes.values.tolist(), codes.flag_meanings
    ([1, 2, 4, 0], 'seasonally_frozen sporadic discontinuous continuous')
    """
    limits = [float(limit) for limit in zones.values()]
    rising = all(low < high for low, high in pairwise(limits))
    if not limits or not rising or not 0.0 < limits[0] <= limits[-1] < 1.0:
        message = f"Invalid zones {dict(zones)}. Give limits that rise within 0 to 1."
        raise InputError(message)
    values = np.asarray(number.values, dtype=float)
    known = np.isfinite(values)
    if ((values[known] < 0.0) | (values[known] > 1.0)).any():
        message = (
            f"Frost numbers lie from 0 to 1; found {np.nanmin(values):g} to "
            f"{np.nanmax(values):g}."
        )
        raise InputError(message)
    codes = np.where(known, np.searchsorted(limits, values, side="right") + 1, 0)
    result = number.copy(data=codes.astype(np.uint8)).rename("permafrost")
    result.attrs = {
        "units": "1",
        "long_name": "zone of permafrost by the frost number",
        "nodata": 0,
        "flag_values": np.arange(1, len(limits) + 2, dtype=np.uint8),
        "flag_meanings": " ".join(
            (NO_PERMAFROST, *(z.replace(" ", "_") for z in zones))
        ),
    }
    return result


def _check_celsius(temperature: xr.DataArray) -> None:
    units = temperature.attrs.get("units")
    hottest = float(temperature.max())
    if (units is not None and units not in _CELSIUS) or hottest > _HOTTEST:
        message = (
            f"The temperature is in '{units or 'no stated unit'}' and at most "
            f"{hottest:g}; indices need degC. Convert it (from kelvin subtract 273.15)."
        )
        raise InputError(message)


def _durations(time: xr.DataArray) -> tuple[npt.NDArray[np.float64], float]:
    """Return the days of each period, and the number of years they make."""
    values = time.to_numpy()
    if np.issubdtype(values.dtype, np.integer):
        if values.tolist() != list(range(1, 13)):
            message = (
                f"'{time.name}' holds {values.tolist()[:14]}. Give dates, or the "
                "months 1 to 12 of a mean year."
            )
            raise InputError(message)
        return np.array(MEAN_DAYS, dtype=float), 1.0
    if not np.issubdtype(values.dtype, np.datetime64) or np.isnat(values).any():
        message = (
            f"'{time.name}' holds {values.dtype} or missing dates. Give dates of the "
            "standard calendar, for instance by .convert_calendar('standard')."
        )
        raise InputError(message)
    dates = pd.DatetimeIndex(values)
    if len(dates) > 1 and (np.diff(values) <= _DAY).any():
        return _daily(dates), _whole_years(dates)
    return _monthly(dates)


def _daily(dates: pd.DatetimeIndex) -> npt.NDArray[np.float64]:
    steps = np.diff(dates.to_numpy())
    odd = np.flatnonzero(steps != _DAY)
    if odd.size:
        at = int(odd[0])
        message = (
            f"Days do not follow one another: {dates[at]} comes before "
            f"{dates[at + 1]}. Give daily means without a gap, in order."
        )
        raise InputError(message)
    return np.ones(len(dates))


def _whole_years(dates: pd.DatetimeIndex) -> float:
    """Return the number of years that daily dates make."""
    end = dates[-1] + pd.Timedelta(days=1)
    years = end.year - dates[0].year
    if years < 1 or dates[0] + pd.DateOffset(years=years) != end:
        message = (
            f"The days from {dates[0].date()} to {dates[-1].date()} are no whole "
            "years. Indices need whole years, from any day to the day before it."
        )
        raise InputError(message)
    return float(years)


def _monthly(dates: pd.DatetimeIndex) -> tuple[npt.NDArray[np.float64], float]:
    months = dates.year.to_numpy() * 12 + dates.month.to_numpy()
    odd = np.flatnonzero(np.diff(months) != 1)
    if odd.size:
        at = int(odd[0])
        message = (
            f"Months do not follow one another: {dates[at].date()} comes before "
            f"{dates[at + 1].date()}. Give daily or monthly means without a gap."
        )
        raise InputError(message)
    if len(months) % 12:
        message = (
            f"{len(months)} months from {dates[0].date()} to {dates[-1].date()} are no "
            "whole years. Give 12, 24, 36 ... months."
        )
        raise InputError(message)
    return dates.days_in_month.to_numpy(dtype=float), len(months) / 12


def _check_same_place(first: xr.DataArray, second: xr.DataArray, name: str) -> None:
    """Refuse arrays whose coordinates or coordinate systems differ."""
    try:
        xr.align(first, second, join="exact")
    except ValueError as error:
        message = (
            f"The freezing index and the {name} lie on different coordinates. Bring "
            "one onto the other with geosoil.align."
        )
        raise GridMismatchError(message) from error
    systems = [array.rio.crs for array in (first, second)]
    if None not in systems and systems[0] != systems[1]:
        message = (
            f"The freezing index is in {systems[0]}, the {name} in {systems[1]}. Bring "
            "one onto the other with geosoil.align."
        )
        raise GridMismatchError(message)


def _check_sign(array: xr.DataArray, name: str, *, above: float) -> None:
    """Refuse values that are not above a limit."""
    count = int((array <= above).sum())
    if count:
        message = (
            f"The {name} cannot be as low as {float(array.min()):g} (too low: {count} "
            "values). Degree-days of frost and of thaw are 0 or more, factors above 0; "
            "read nodata as missing."
        )
        raise InputError(message)
