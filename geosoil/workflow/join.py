"""Join each water sample to the rasters of its place and month."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

from geosoil.grids.composites import monthly_composite
from geosoil.grids.points import values_at_points
from geosoil.io.climate import open_climate
from geosoil.io.modis import open_modis
from geosoil.workflow.inputs import ClassLayer, StudyInputs, matching_files


def join_samples(inputs: StudyInputs, report: Callable[[str], None]) -> pd.DataFrame:
    """Give every located sample the value of each raster in its cell.

    Parameters
    ----------
    inputs : StudyInputs
        Opened study.
    report : callable
        Called with a line a stage.

    Returns
    -------
    joined : DataFrame
        The samples' columns, then ``row``, ``column`` and ``on_edge`` of the study
        grid, the class labels, ``elevation_grid``, and for samples with a date the
        NDVI (month by composite overlap, with its coverage) and the climate of their
        own month. What a raster does not cover is NaN.
    """
    points = inputs.samples
    located = points[~points.geometry.is_empty & points.geometry.notna()]
    joined = pd.DataFrame(located.drop(columns="geometry"))
    in_crs = located.to_crs(inputs.grid.crs)
    joined["row"], joined["column"], joined["on_edge"] = inputs.grid.cells(
        in_crs.geometry.x, in_crs.geometry.y
    )
    for name, layer in inputs.layers.items():
        joined[f"{name}_class"] = _labels(layer, located)
    if inputs.elevation is not None:
        joined["elevation_grid"] = _values(inputs.elevation, located)
    if "date" not in joined:
        return joined
    months = pd.to_datetime(joined["date"]).dt.to_period("M")
    for name, series in _series(inputs, report):
        joined[name] = _values_of_month(series, located, months)
    return joined


def _series(
    inputs: StudyInputs, report: Callable[[str], None]
) -> list[tuple[str, xr.DataArray]]:
    """Monthly rasters of the study, each with the name of its column."""
    config = inputs.config
    found = []
    if config.ndvi.composites:
        report("averaging 16-day NDVI composites to months")
        composites = open_modis(
            matching_files(config.ndvi.composites, "ndvi.composites"),
            "ndvi",
            bbox=inputs.bounds_degrees,
            quality=config.ndvi.quality,
        )
        months = monthly_composite(composites)
        found += [("ndvi", months["ndvi"]), ("ndvi_coverage", months["coverage"])]
    for name, path in config.climate.items():
        found.append((f"{name}_month", open_climate(path, name)))
    return found


def _labels(layer: ClassLayer, points: gpd.GeoDataFrame) -> pd.Series:
    """Class label of each point; missing where the layer has none."""
    codes = _values(layer.codes, points)
    return codes.map(lambda code: layer.labels.get(int(code)), na_action="ignore")


def _values(raster: xr.DataArray, points: gpd.GeoDataFrame) -> pd.Series:
    """Value of the cell that contains each point."""
    named = raster.rename("value")
    values: pd.Series = values_at_points(named, points)["value"]
    return values


def _values_of_month(
    series: xr.DataArray, points: gpd.GeoDataFrame, months: pd.Series
) -> pd.Series:
    """Value of each point in its own month; NaN where the series lacks the month."""
    available = pd.DatetimeIndex(series["time"].to_numpy()).to_period("M")
    values = pd.Series(np.nan, index=points.index, dtype=float)
    for month in sorted(set(months.dropna()) & set(available)):
        chosen = points[months == month]
        field = series.isel(time=int(np.flatnonzero(available == month)[0]))
        values.loc[chosen.index] = _values(field.drop_vars("time"), chosen)
    return values
