"""Draw the vegetation and the climate of a study's months in its year."""

from __future__ import annotations

import calendar
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import xarray as xr

from geosoil.grids.grid import Grid
from geosoil.grids.zones import polygon_mask
from geosoil.plotting.month_maps import figure_month_maps, kind_of
from geosoil.plotting.picture import Draw
from geosoil.plotting.region_maps import MapSheet
from geosoil.plotting.scales import MapKind
from geosoil.workflow.inputs import StudyInputs, matching_files
from geosoil.workflow.series import open_study_climate, open_study_ndvi

NDVI = "ndvi"
"""Name of the vegetation index."""

CAPTION = (
    "Monthly fields on their own grid within the region; grey cells have no value."
)

SUMS = "mm"
"""Unit of what is summed over a month."""


Fields = dict[tuple[str, str], xr.DataArray]


def month_figures(inputs: StudyInputs, sheet: MapSheet) -> Iterator[tuple[str, Draw]]:
    """Name the figures of the study's months, and say how each is drawn.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    sheet : MapSheet
        What its maps have in common.

    Yields
    ------
    name, draw : str, callable
        ``ndvi_by_month`` and ``climate_by_month``, of the months and the year of the
        settings' correlation; without a year, of the last that has all months. A study
        without such fields leaves the figure out.
    """
    ndvi = _months(_ndvi_series(inputs), inputs)
    if ndvi:
        title = f"Vegetation index by month, {_year_words(ndvi)}"
        yield "ndvi_by_month", _drawing(ndvi, {}, sheet, title)
    climate = {name: open_study_climate(inputs, name) for name in inputs.config.climate}
    fields = _months(climate, inputs)
    if fields:
        kinds = {name: monthly_kind(name, series) for name, series in climate.items()}
        title = f"Climate by month, {_year_words(fields)}"
        # The narrow panels of a table have no room for the year that all share.
        plain = {(name, key.split()[0]): field for (name, key), field in fields.items()}
        yield "climate_by_month", _drawing(plain, kinds, sheet, title)


def _drawing(
    fields: Fields,
    kinds: dict[str, MapKind],
    sheet: MapSheet,
    title: str,
) -> Draw:
    """Say how fields by month are drawn."""
    return lambda preset: figure_month_maps(
        fields,
        kinds=kinds,
        sheet=replace(sheet, preset=preset),
        title=title,
        caption=CAPTION,
    )


def _ndvi_series(inputs: StudyInputs) -> dict[str, xr.DataArray]:
    """Open the vegetation index of the year that is shown, where the study has one."""
    if inputs.config.ndvi.monthly is None:
        return {}
    files = matching_files(inputs.config.ndvi.monthly, "ndvi.monthly")
    return {NDVI: open_study_ndvi(inputs, _last_year(files, inputs))}


def _last_year(files: list[Path], inputs: StudyInputs) -> list[Path]:
    """Return the MODIS files of the year that is shown; all where names do not tell.

    Opening a year takes a twentieth of the time of twenty years.
    """
    year = inputs.config.correlation.year
    dated = {file: part for file in files for part in file.name.split(".")[1:2]}
    years = sorted({int(part[1:5]) for part in dated.values() if _is_date(part)})
    least = len(inputs.config.correlation.months)
    for wanted in [year] if year is not None else reversed(years):
        own = [file for file, part in dated.items() if part[1:5] == str(wanted)]
        if len(own) >= least:
            return own
    return files


def _is_date(part: str) -> bool:
    """Say whether a part of a file's name is a MODIS date, as A2020153."""
    return len(part) == 8 and part[0] == "A" and part[1:].isdigit()


def _months(all_series: dict[str, xr.DataArray], inputs: StudyInputs) -> Fields:
    """Return the study's months of the year that most series share."""
    settings = inputs.config.correlation
    known = {
        name: whole_years(series, settings.months)
        for name, series in all_series.items()
    }
    counts = Counter(year for years in known.values() for year in years)
    if settings.year is not None:
        counts = Counter({settings.year: counts[settings.year]})
    year, shared = max(
        counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0)
    )
    fields: Fields = {}
    for name, series in all_series.items() if shared else ():
        mask = _mask(series, inputs)
        own = series.sel(time=series["time"].dt.year == year)
        for month in settings.months if year in known[name] else ():
            field = own.sel(time=own["time"].dt.month == month).isel(time=0, drop=True)
            key = (name, f"{calendar.month_name[month]} {year}")
            fields[key] = field.where(mask).load()
    return fields


def whole_years(series: xr.DataArray, months: Sequence[int]) -> list[int]:
    """Return the years in which a series has one field of each of some months.

    Parameters
    ----------
    series : DataArray with dim time
        Fields over time.
    months : sequence of int
        Calendar months.

    Returns
    -------
    years : list of int
        In order.

    Examples
    --------
    >>> import pandas as pd
    >>> time = pd.to_datetime(["2019-06-01", "2019-08-01", "2020-06-01"])
    >>> fields = xr.DataArray([1.0, 2.0, 3.0], coords={"time": time}, dims="time")
    >>> whole_years(fields, [6, 8]), whole_years(fields, [6])
    ([2019], [2019, 2020])
    """
    time = series["time"].dt
    found = Counter(
        zip(time.year.to_numpy().tolist(), time.month.to_numpy().tolist(), strict=True)
    )
    years = sorted({year for year, _ in found})
    return [y for y in years if all(found[y, month] == 1 for month in months)]


def _mask(series: xr.DataArray, inputs: StudyInputs) -> xr.DataArray | bool:
    """Return the cells of a series' own grid that lie in the region."""
    if inputs.region is None:
        return True
    return polygon_mask(inputs.region, Grid.of(series))


def _year_words(fields: Fields) -> str:
    """Return the years of fields in words."""
    return " and ".join(dict.fromkeys(month.split()[-1] for _, month in fields))


def monthly_kind(name: str, series: xr.DataArray) -> MapKind:
    """Return the scale of a monthly variable, sums told as such.

    Parameters
    ----------
    name : str
        Its name.
    series : DataArray
        The variable with its units.

    Returns
    -------
    kind : MapKind
        Colours and words.

    Examples
    --------
    >>> rain = xr.DataArray([1.0], attrs={"units": "mm"})
    >>> monthly_kind("precipitation", rain).label
    'precipitation [mm month⁻¹]'
    """
    units = str(series.attrs.get("units", "1"))
    kind = kind_of(name, units)
    if units != SUMS:
        return kind
    return replace(kind, label=kind.label.replace("[mm]", "[mm month⁻¹]"))
