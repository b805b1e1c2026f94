"""Open what the command on correlations names: the same dates, the same grid."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import xarray as xr

from geosoil.errors import GeosoilError, GeosoilWarning, InputError
from geosoil.grids.common_grid import common_grid
from geosoil.grids.common_times import CommonTimes, common_times
from geosoil.grids.grid import Grid
from geosoil.io._window import bounds_in_degrees
from geosoil.io.raster_series import MODIS, SeriesPlace, open_series
from geosoil.workflow.correlate_request import CorrelateRequest
from geosoil.workflow.faults import raise_all


@dataclass(frozen=True, slots=True, eq=False)
class OpenedSeries:
    """Series on one grid, each still with its own dates."""

    x: xr.DataArray
    """First series, dims (time, y, x) or (y, x)."""
    y: xr.DataArray
    """Second series."""
    controls: tuple[xr.DataArray, ...]
    """Series held fixed."""
    words: tuple[str, ...]
    """What was done to bring them onto one grid, and what was changed in reading."""
    files: tuple[Path, ...]
    """Files read."""

    @property
    def has_time(self) -> bool:
        """Whether both are series and not maps."""
        return "time" in self.x.dims and "time" in self.y.dims

    @property
    def names(self) -> tuple[str, str]:
        """Names of x and y."""
        return str(self.x.name), str(self.y.name)


def open_all(request: CorrelateRequest, report: Callable[[str], None]) -> OpenedSeries:
    """Open every series that is named and bring them onto one grid.

    Parameters
    ----------
    request : CorrelateRequest
        What is asked.
    report : callable
        Called with a line a series.

    Returns
    -------
    opened : OpenedSeries
        The series.

    Raises
    ------
    GeosoilError
        If one cannot be used; all faults are told at once.
    """
    places = (request.x, request.y, *request.controls)
    found: dict[str, xr.DataArray] = {}
    faults: list[GeosoilError] = []
    bbox = request.bbox
    # Global tiles last: they are read where the others lie.
    for place in sorted(dict.fromkeys(places), key=_is_global):
        report(f"reading {place}")
        try:
            found[place] = open_series(
                place,
                bbox=bbox,
                time=request.time,
                lazy=request.scheduler is not None,
            )
            bbox = bbox or bounds_in_degrees(Grid.of(found[place]))
        except GeosoilError as error:
            faults.append(error)
    raise_all(faults)
    named = _distinct([found[place] for place in places])
    files = tuple(file for place in places for file in SeriesPlace.of(place).files())
    return _on_one_grid(named, request, files)


def _is_global(place: str) -> bool:
    """Return whether a place holds MODIS files, which often are of the whole Earth."""
    return Path(SeriesPlace.of(place).pattern).suffix.lower() in MODIS


def _distinct(series: list[xr.DataArray]) -> list[xr.DataArray]:
    """Give series of one name a number each, so that outputs tell them apart."""
    names = [str(one.name) for one in series]
    if len(set(names)) == len(names):
        return series
    return [
        one.rename(f"{name}_{place}" if names.count(name) > 1 else name)
        for place, (one, name) in enumerate(zip(series, names, strict=True), start=1)
    ]


def _on_one_grid(
    series: list[xr.DataArray], request: CorrelateRequest, files: tuple[Path, ...]
) -> OpenedSeries:
    """Bring y and the controls onto the grid of x, or all onto the coarser one."""
    words = [
        f"{one.name}: {change}"
        for one in series
        for change in one.attrs.get("changes", [])
    ]
    common = common_grid(series[0], series[1], rule=request.align)
    words += common.words
    held = []
    for control in series[2:]:
        placed = common_grid(common.first, control, rule="first")
        held.append(placed.second)
        words += placed.words
    return OpenedSeries(
        common.first, common.second, tuple(held), tuple(dict.fromkeys(words)), files
    )


def same_dates(opened: OpenedSeries, month: int | None) -> CommonTimes:
    """Cut the series to the dates that all have, of one calendar month where named.

    Parameters
    ----------
    opened : OpenedSeries
        The series.
    month : int or None
        Calendar month, 1 to 12; None for all.

    Returns
    -------
    common : CommonTimes
        x, y and controls.

    Raises
    ------
    InputError
        If a series has no field of the month, or they share no date.

    Warns
    -----
    GeosoilWarning
        Where dates of a series are left out, since another one has them not.
    """
    series = [opened.x, opened.y, *opened.controls]
    if month is not None:
        series = [_of_month(one, month) for one in series]
    common = common_times(series)
    for one, dates in zip(series, common.left_out, strict=True):
        if dates:
            shown = ", ".join(dates[:6])
            more = f" and {len(dates) - 6} more" if len(dates) > 6 else ""
            words = (
                f"'{one.name}' has {len(dates)} dates that another series has not; "
                f"they are left out: {shown}{more}."
            )
            warnings.warn(words, GeosoilWarning, stacklevel=2)
    return common


def _of_month(series: xr.DataArray, month: int) -> xr.DataArray:
    """Take the fields of a calendar month."""
    chosen = series.sel(time=series["time"].dt.month == month)
    if chosen.sizes["time"] == 0:
        months = sorted(set(series["time"].dt.month.to_numpy().tolist()))
        message = (
            f"'{series.name}' has no field of month {month}; it has months {months}. "
            "Mend --months."
        )
        raise InputError(message)
    return chosen
