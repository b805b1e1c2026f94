"""Correlate the variables of a study month by month: over the years, and over space."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geosoil.config import StudyConfig
from geosoil.correlation.field_significance import with_discoveries
from geosoil.correlation.temporal import correlate
from geosoil.correlation.zone_shares import zone_shares
from geosoil.errors import ConfigError, InputError
from geosoil.grids.common_grid import CommonGrid, common_grid
from geosoil.workflow.compute import computing, in_blocks
from geosoil.workflow.correlation_output import write_over_time, write_window
from geosoil.workflow.correlation_space import SpaceMap, correlate_in_space, space_table
from geosoil.workflow.correlation_zones import StudyZones, study_zones, zone_table
from geosoil.workflow.inputs import StudyInputs, matching_files
from geosoil.workflow.journal import Keeper, KeepsNothing
from geosoil.workflow.series import open_study_climate, open_study_ndvi
from geosoil.workflow.simulated import simulated_tag

SIGNIFICANT = 0.05
"""Level at which the summary counts a cell as significant by itself."""

SUPPORT = ("support_x", "support_y")
"""What ground a value of either variable stands for."""

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class CorrelationResult:
    """Correlations of a study, cell by cell."""

    maps: dict[Key, xr.Dataset]
    """Over the years: r, p_value, q_value, n, n_effective and significant by (x, month
    name)."""
    windows: dict[Key, xr.Dataset]
    """Over space in a moving window of one year: r, n and reason, by the same keys;
    empty where the settings ask for none."""
    summary: pd.DataFrame
    """One row a map over time: cells, years, median r, shares of the area by sign."""
    space: pd.DataFrame
    """One row a pair and month: r over all cells with Dutilleul's p."""
    zones: pd.DataFrame
    """Shares of the area by sign and significance, by zone."""
    paths: tuple[Path, ...]
    """Rasters written."""


@dataclass(frozen=True, slots=True, eq=False)
class DriverMaps:
    """Correlations of one variable with the one that is explained, by month name."""

    maps: dict[str, xr.Dataset]
    """Over the years."""
    spaces: dict[str, SpaceMap]
    """Over space."""
    zones: StudyZones
    """Region and zones on the grid of the pair."""


def correlate_study(
    inputs: StudyInputs,
    folder: Path,
    report: Callable[[str], None],
    keeper: Keeper | None = None,
) -> CorrelationResult | None:
    """Correlate the study's variables month by month and write the maps.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    folder : Path
        Where rasters go.
    report : callable
        Called with a line a variable.
    keeper : Keeper, optional
        Keeps the maps of each variable for a run that goes on.

    Returns
    -------
    result : CorrelationResult or None
        None when the settings name no series to correlate.

    Raises
    ------
    ConfigError
        If a variable to correlate has no file in the settings.
    InputError
        If two series share no year in a month.
    """
    settings = inputs.config.correlation
    names = correlated_names(inputs.config)
    if not names:
        return None
    keeper = keeper or KeepsNothing()
    explained = cache(partial(open_series, inputs, settings.y))
    found: dict[str, DriverMaps] = {}
    paths: list[Path] = []
    for name in names:
        report(f"correlating {settings.y} with {name}")
        make = partial(_correlate_driver, inputs, name, explained)
        found[name] = keeper.value(f"correlation with {name}", make)
        write = partial(_write_driver, found[name], folder, name, inputs.config)
        paths += keeper.files(f"rasters of the correlation with {name}", write)
    maps = {(x, m): r for x, one in found.items() for m, r in one.maps.items()}
    spaces = {(x, m): s for x, one in found.items() for m, s in one.spaces.items()}
    zones = {name: one.zones for name, one in found.items()}
    return CorrelationResult(
        maps=maps,
        windows={key: s.window for key, s in spaces.items() if s.window is not None},
        summary=_summarise(maps, zones, settings.y),
        space=space_table(spaces, settings.y),
        zones=zone_table(maps, zones, settings.y),
        paths=tuple(paths),
    )


def correlated_names(config: StudyConfig) -> tuple[str, ...]:
    """Return the variables that a study correlates with the one that is explained.

    Parameters
    ----------
    config : StudyConfig
        Settings.

    Returns
    -------
    names : tuple of str
        Empty when the settings name no series.

    Raises
    ------
    ConfigError
        If a variable to correlate has no file in the settings.
    """
    settings = config.correlation
    if not config.climate:
        return ()
    names = tuple(name for name in settings.x if name != settings.y)
    _check_named(config, (*names, settings.y))
    return names


def _correlate_driver(
    inputs: StudyInputs, name: str, explained: Callable[[], xr.DataArray]
) -> DriverMaps:
    """Correlate one variable with the one that is explained, month by month."""
    settings = inputs.config.correlation
    pair = common_grid(open_series(inputs, name), explained())
    zones = study_zones(inputs, pair.grid)
    maps, spaces = {}, {}
    for month in settings.months:
        x, y = same_years(pair, month)
        label = calendar.month_name[month]
        maps[label] = _over_years(x, y, inputs, zones.mask)
        spaces[label] = correlate_in_space(
            x, y, settings, zones.mask, simulated=inputs.config.study.simulated
        )
    return DriverMaps(maps, spaces, zones)


def _write_driver(
    found: DriverMaps, folder: Path, name: str, config: StudyConfig
) -> list[Path]:
    """Write the rasters of one variable."""
    paths = []
    for month, result in found.maps.items():
        paths += write_over_time(result, folder, (name, month), config)
        paths += write_window(found.spaces[month], folder, (name, month), config)
    return paths


def open_series(inputs: StudyInputs, name: str) -> xr.DataArray:
    """Open one variable's time series on its own grid.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    name : str
        ``"ndvi"`` or a key of the settings' [climate].

    Returns
    -------
    series : DataArray with dims time, y, x
        Values of every cell that the study's bounds touch.
    """
    if name == "ndvi":
        files = matching_files(inputs.config.ndvi.monthly, "ndvi.monthly")
        return open_study_ndvi(inputs, files).rename(name)
    return open_study_climate(inputs, name).rename(name)


def same_years(pair: CommonGrid, month: int) -> tuple[xr.DataArray, xr.DataArray]:
    """Take a calendar month of the years that two series share.

    Parameters
    ----------
    pair : CommonGrid
        Monthly series on one grid.
    month : int
        Calendar month.

    Returns
    -------
    x, y : DataArray with dims time, y, x
        One field a year; the labels of time are the years.

    Raises
    ------
    InputError
        If a year has several fields of the month, or no year is shared.
    """
    x, y = _years(pair.first, month), _years(pair.second, month)
    common = np.intersect1d(x["time"], y["time"])
    if common.size == 0:
        message = (
            f"'{x.name}' ({_span(x)}) and '{y.name}' ({_span(y)}) share no year in "
            f"{calendar.month_name[month]}. Give files that overlap in time."
        )
        raise InputError(message)
    # One type of number, so that the kernels are compiled once.
    first, second = (one.sel(time=common).astype(np.float64) for one in (x, y))
    return first, second


def _check_named(config: StudyConfig, names: tuple[str, ...]) -> None:
    """Raise when a variable to correlate has no file."""
    given = {*config.climate, *(("ndvi",) if config.ndvi.monthly else ())}
    missing = [name for name in names if name not in given]
    if missing:
        message = (
            f"Settings [correlation] name {', '.join(missing)}, but no file is given. "
            "Add them under [climate] (ndvi: [ndvi] monthly) or take them out of x."
        )
        raise ConfigError(message)


def _over_years(
    x: xr.DataArray, y: xr.DataArray, inputs: StudyInputs, mask: xr.DataArray
) -> xr.Dataset:
    """Correlate one calendar month over the years, within the region."""
    settings = inputs.config.correlation
    scheduler = inputs.config.compute.scheduler
    if scheduler:
        x, y = (in_blocks(one) for one in (x, y))
    lazy = correlate(
        x,
        y,
        method=settings.method,
        detrend=settings.detrend,
        min_pairs=settings.min_pairs,
        statistics=("n_effective",),
    )
    with computing(scheduler):
        result = lazy.compute()
    inside = result.where(mask)
    years = x["time"].to_numpy()
    return with_discoveries(inside, rate=settings.fdr).assign_attrs(
        method=settings.method,
        detrended="linear" if settings.detrend else "no",
        years=f"{years.min()}-{years.max()}",
        n_years=int(years.size),
        alpha=SIGNIFICANT,
        support_x=x.attrs["support"],
        support_y=y.attrs["support"],
        simulated=simulated_tag(inputs.config.study.simulated),
    )


def _years(series: xr.DataArray, month: int) -> xr.DataArray:
    """One calendar month of a series with the year as its time."""
    chosen = series.sel(time=series["time"].dt.month == month)
    years = chosen["time"].dt.year.to_numpy()
    if len(np.unique(years)) != len(years):
        message = (
            f"'{series.name}' holds several fields a year in "
            f"{calendar.month_name[month]}. Give monthly fields, one a month."
        )
        raise InputError(message)
    return chosen.assign_coords(time=years)


def _span(series: xr.DataArray) -> str:
    """First and last year of a series in words."""
    years = series["time"].to_numpy()
    return f"{years.min()}-{years.max()}" if years.size else "no field"


def _summarise(
    maps: dict[Key, xr.Dataset], zones: dict[str, StudyZones], y: str
) -> pd.DataFrame:
    """Medians and shares of the region's area by sign, one row a map."""
    rows = []
    for (x, month), result in maps.items():
        whole = zones[x].mask.astype(np.uint8)
        shares = zone_shares(result, whole, labels={1: "all"}, alpha=SIGNIFICANT)
        answered = np.isfinite(result["r"])
        row: dict[str, object] = {"x": x, "y": y, "month": month, "kind": "over time"}
        row |= {key: result.attrs[key] for key in ("method", "detrended", "years")}
        row["cells"] = int(answered.sum())
        for name in ("n", "n_effective"):
            row[f"median_{name}"] = float(result[name].where(answered).median())
        found = shares.iloc[0].drop(["zone", "cells"])
        row |= {str(name): value for name, value in found.items()}
        row |= {key: result.attrs[key] for key in ("fdr", "p_star", *SUPPORT)}
        rows.append(row)
    return pd.DataFrame(rows)
