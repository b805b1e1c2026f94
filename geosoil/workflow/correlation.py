"""Correlate two variables month by month over the years, pixel by pixel."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from geosoil import __version__
from geosoil.config import StudyConfig
from geosoil.correlation.field_significance import field_significance
from geosoil.correlation.temporal import correlate
from geosoil.errors import ConfigError, InputError
from geosoil.grids.align import align
from geosoil.io.geotiff import write_geotiff
from geosoil.workflow.inputs import StudyInputs, matching_files
from geosoil.workflow.series import open_study_climate, open_study_ndvi

WRITTEN = ("r", "p_value", "q_value", "n")
"""Results of a correlation that are written as rasters."""

SIGNIFICANT = 0.05
"""Level at which the summary counts a pixel as significant."""


@dataclass(frozen=True, slots=True)
class CorrelationResult:
    """Pixelwise correlations of a study."""

    maps: dict[tuple[str, str], xr.Dataset]
    """Dataset r, p_value, q_value, n by (x, month name)."""
    summary: pd.DataFrame
    """One row a pair and month: pixels, years, median r, shares by sign."""
    paths: tuple[Path, ...]
    """Rasters written."""


def correlate_study(
    inputs: StudyInputs, folder: Path, report: Callable[[str], None]
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

    Returns
    -------
    result : CorrelationResult or None
        None when the settings name no series to correlate.

    Raises
    ------
    ConfigError
        If a variable to correlate has no file in the settings.
    """
    settings = inputs.config.correlation
    if not inputs.config.climate:
        return None
    names = tuple(name for name in settings.x if name != settings.y)
    _check_named(inputs.config, (*names, settings.y))
    explained = open_series(inputs, settings.y)
    maps: dict[tuple[str, str], xr.Dataset] = {}
    paths: list[Path] = []
    for name in names:
        report(f"correlating {settings.y} with {name}")
        series = open_series(inputs, name)
        for month in settings.months:
            result = _month(series, explained, month, inputs)
            label = calendar.month_name[month]
            maps[name, label] = result
            simulated = inputs.config.study.simulated
            result.attrs["simulated"] = "yes: no measured data" if simulated else "no"
            paths += _write(result, folder, (name, settings.y, label))
    return CorrelationResult(maps, _summarise(maps, settings.y), tuple(paths))


def open_series(inputs: StudyInputs, name: str) -> xr.DataArray:
    """Open one variable's time series on the study grid.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    name : str
        ``"ndvi"`` or a key of the settings' [climate].

    Returns
    -------
    series : DataArray with dims time, y, x
        Values on the study grid; a cell takes the value of the source cell that
        contains its centre.
    """
    config, grid = inputs.config, inputs.grid
    if name == "ndvi":
        files = matching_files(config.ndvi.monthly, "ndvi.monthly")
        raster = open_study_ndvi(inputs, files)
    else:
        raster = open_study_climate(inputs, name)
    return align(raster, grid, method="nearest")


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


def _month(
    first: xr.DataArray, second: xr.DataArray, month: int, inputs: StudyInputs
) -> xr.Dataset:
    """Correlate one calendar month of two series over their common years."""
    x, y = _years(first, month), _years(second, month)
    common = np.intersect1d(x["time"], y["time"])
    if common.size == 0:
        message = (
            f"'{first.name}' ({_span(x)}) and '{second.name}' ({_span(y)}) share no "
            f"year in {calendar.month_name[month]}. Give files that overlap in time."
        )
        raise InputError(message)
    settings = inputs.config.correlation
    result = correlate(
        x.sel(time=common),
        y.sel(time=common),
        method=settings.method,
        min_pairs=settings.min_pairs,
    )
    inside = result.where(inputs.mask)
    field = field_significance(inside["p_value"], alpha=SIGNIFICANT)
    return inside.assign(q_value=field["q_value"]).assign_attrs(
        years=f"{common.min()}-{common.max()}",
        n_years=int(common.size),
        method=settings.method,
        p_star=field.attrs["p_star"],
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


def _write(result: xr.Dataset, folder: Path, pair: tuple[str, str, str]) -> list[Path]:
    """Write r, p, q and n of one pair and month."""
    x, y, month = pair
    tags = {
        "method": f"{result.attrs['method']} r over the {month}s of "
        f"{result.attrs['years']}, pixel by pixel in time",
        "variables": f"{x}, {y}",
        "simulated": result.attrs["simulated"],
        "software": f"geosoil {__version__}",
    }
    paths = []
    for name in WRITTEN:
        description = f"{name} of {x} and {y}, {month} {result.attrs['years']}"
        path = folder / f"correlation_{x}_{y}_{month}_{name}.tif"
        layer = result[name].astype("float32")
        layer.attrs = {"units": "1", "long_name": description}
        paths.append(write_geotiff(layer, path, description=description, tags=tags))
    return paths


def _summarise(maps: dict[tuple[str, str], xr.Dataset], y: str) -> pd.DataFrame:
    """Medians and shares of pixels by sign, one row a map."""
    rows = [
        {"x": x, "y": y, "month": month, **_shares(result)}
        for (x, month), result in maps.items()
    ]
    return pd.DataFrame(rows)


def _shares(result: xr.Dataset) -> dict[str, float | str]:
    """Medians of r and n, and shares of pixels by sign and significance."""
    r = result["r"].to_numpy()
    valid = np.isfinite(r)
    r, n = r[valid], result["n"].to_numpy()[valid]
    significant = result["p_value"].to_numpy()[valid] < SIGNIFICANT
    discovered = result["p_value"].to_numpy()[valid] <= result.attrs["p_star"]
    empty = not r.size
    return {
        "years": result.attrs["years"],
        "pixels": int(r.size),
        "median_n": np.nan if empty else float(np.median(n)),
        "median_r": np.nan if empty else float(np.median(r)),
        "share_positive": np.nan if empty else float(np.mean(r > 0)),
        "share_significant_positive": np.nan
        if empty
        else float(np.mean(significant & (r > 0))),
        "share_significant_negative": np.nan
        if empty
        else float(np.mean(significant & (r < 0))),
        "p_star": float(result.attrs["p_star"]),
        "share_after_fdr": np.nan if empty else float(np.mean(discovered)),
    }
