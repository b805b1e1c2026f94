"""Soil moisture's response to rain and to dry days, and its trend by decade."""

from __future__ import annotations

import xarray as xr

from geosoil.correlation.daily import USUAL_RULES, ResponseRules
from geosoil.correlation.decadal_trend import decadal_trend
from geosoil.correlation.dry_spells import dry_spell_response
from geosoil.correlation.rain_events import rain_event_response


def rain_response(
    soil_moisture: xr.DataArray,
    precipitation: xr.DataArray,
    *,
    dim: str = "time",
    ground_temperature: xr.DataArray | None = None,
    rules: ResponseRules = USUAL_RULES,
) -> xr.Dataset:
    """Find how soil moisture answers rain and dry days, and how it changes by decade.

    Parameters
    ----------
    soil_moisture : DataArray with the dims ``dim`` and any others, as depth, y, x
        Daily soil moisture with dates, in any unit that is 0 for dry soil; NaN
        missing.
    precipitation : DataArray with the dims ``dim`` and any of soil_moisture
        Daily precipitation [mm].
    dim : str
        Dimension of time.
    ground_temperature : DataArray, optional
        Daily temperature of the ground [degC], with dims as precipitation may have;
        frozen ground is left out of events and spells, not of the trend.
    rules : ResponseRules
        What counts as rain, as a dry spell and as a year.

    Returns
    -------
    response : Dataset without ``dim``
        All that :func:`~geosoil.correlation.rain_events.rain_event_response`,
        :func:`~geosoil.correlation.dry_spells.dry_spell_response` and
        :func:`~geosoil.correlation.decadal_trend.decadal_trend` find, each with its
        reason.

    Raises
    ------
    InputError
        If the series are not daily, have no dates, or their times or dims differ.
    GridMismatchError
        If they lie on different grids.

    Notes
    -----
    Rain and dry days are told in per cent of the soil moisture itself, so that its
    unit does not matter; the trend in its unit and in per cent of its mean.

    Examples
    --------
    >>> days = xr.date_range("2001-01-01", "2010-12-31")
    >>> day = xr.DataArray(range(len(days)), dims="time", coords={"time": days})
    >>> rain = 3.0 * (day % 8 == 1) + 6.0 * (day % 16 == 1)
    >>> soil = 0.3 * 0.98 ** ((day - 2) % 8)
    >>> found = rain_response(soil, rain)
    >>> round(float(found.dry_response), 2), int(found.n_dry_spells)
    (-2.0, 456)
    """
    events = rain_event_response(
        soil_moisture,
        precipitation,
        dim=dim,
        ground_temperature=ground_temperature,
        rules=rules,
    )
    spells = dry_spell_response(
        soil_moisture,
        precipitation,
        dim=dim,
        ground_temperature=ground_temperature,
        rules=rules,
    )
    trend = decadal_trend(soil_moisture, dim=dim, rules=rules)
    return xr.merge([events, spells, trend], combine_attrs="no_conflicts")
