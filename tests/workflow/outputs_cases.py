"""A small study with results of every kind, made without a run."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from shapely.geometry import MultiPolygon, box

from geosoil.config import StudyConfig
from geosoil.correlation.field_significance import with_discoveries
from geosoil.grids.grid import Grid
from geosoil.grids.sample_join import JoinResult, join_samples_to
from geosoil.workflow.class_inputs import ClassLayer
from geosoil.workflow.correlation import CorrelationResult
from geosoil.workflow.figures import StudyResults
from geosoil.workflow.inputs import StudyInputs
from geosoil.workflow.mapping import FractionMaps

GRID = Grid.from_bounds((95.0, 33.0, 96.0, 33.5), 0.1, "EPSG:4326")
COARSE = Grid.from_bounds((95.0, 33.0, 96.0, 33.4), 0.2, "EPSG:4326")
METRES = Grid.from_bounds((500000.0, 3650000.0, 510000.0, 3655000.0), 1000.0, 32646)
SOURCES = {"June": ("precipitation", "snowmelt"), "August": ("precipitation",)}
WATERS = ("soil", "soil", "precipitation", "river", "deep_groundwater")


def small_samples(years: tuple[int, ...] = (2020,)) -> gpd.GeoDataFrame:
    """Five waters in each period of each year; the last has no position."""
    rows = [
        {
            "sample_id": f"{water}-{period}-{year}-{number}",
            "water": water,
            "period": period,
            "date": pd.Timestamp(year, {"June": 6, "August": 8}[period], 3 + number),
            "site_id": f"{water}-{number}",
            "elevation": 4000.0 + number,
            "d18O": -12.0 - number,
            "d2H": -86.0 - 8.0 * number,
            "simulated": True,
            "note": "=1+1" if number else None,
        }
        for year in years
        for period in SOURCES
        for number, water in enumerate(WATERS)
    ]
    table = pd.DataFrame(rows)
    places = gpd.points_from_xy(
        95.05 + 0.15 * (np.arange(len(table)) % 5), np.full(len(table), 33.25), crs=4326
    )
    samples = gpd.GeoDataFrame(table, geometry=places)
    samples.loc[len(samples) - 1, "geometry"] = None
    samples.attrs["issues"] = [
        {
            "row": 3,
            "column": "period",
            "found": "",
            "read_as": "June",
            "rule": "period empty: taken from the month of the date",
            "severity": "change",
        }
    ]
    return samples


def small_inputs(
    samples: gpd.GeoDataFrame, *, grid: Grid = GRID, simulated: bool = True
) -> StudyInputs:
    """Inputs of a study on a grid, without files."""
    config = StudyConfig(
        study=cast("Any", {"name": "Small study", "simulated": simulated}),
        samples=cast("Any", {"path": Path("samples.csv")}),
        tracers=cast("Any", {"sources": {k: list(v) for k, v in SOURCES.items()}}),
    )
    number = np.arange(np.prod(grid.shape), dtype=float).reshape(grid.shape)
    codes = np.where(number % 3 == 0, np.nan, number % 3)
    layer = ClassLayer(grid.raster(codes), {1: "alpine meadow", 2: "steppe (dry)"})
    west = MultiPolygon([box(95.0, 33.0, 95.3, 33.5), box(95.4, 33.4, 95.5, 33.5)])
    region = gpd.GeoDataFrame(
        {"name": ["west", "east"], "area_km2": [1.0, 2.0]},
        geometry=[west, box(95.5, 33.0, 96.0, 33.5)],
        crs=4326,
    )
    mask = grid.raster(np.ones(grid.shape, dtype=bool))
    return StudyInputs(
        config,
        samples,
        None,
        grid,
        region,
        mask,
        grid.raster(4000.0 + number),
        {"soil": layer},
    )


def small_maps(grid: Grid = GRID) -> FractionMaps:
    """Maps of two periods of which one has a single source."""
    periods = {}
    for name, sources in SOURCES.items():
        maps = xr.Dataset()
        rising = np.linspace(0.0, 1.0, int(np.prod(grid.shape))).reshape(grid.shape)
        rising[0, 0] = np.nan
        for order, source in enumerate(sources):
            share = np.abs(order - rising)
            for end in ("", "_sd", "_p05", "_p95"):
                maps[f"{source}{end}"] = grid.raster(share)
        reason = np.where(np.isnan(rising), 255, 0).astype(np.uint8)
        reason[1, 1] = 9
        maps["support"] = grid.raster(reason)
        maps["support"].attrs = {
            "long_name": "why the sites do not support a fraction (0: they do)",
            "flag_masks": np.array([1, 8], dtype=np.uint8),
            "flag_meanings": "far_from_data variance_near_sill",
        }
        maps.attrs = {"method": "mean of the sites", "choice": "the simplest"}
        sites = SimpleNamespace(sources=sources)
        periods[name] = SimpleNamespace(sites=sites, maps=maps)
    return FractionMaps(cast("Any", periods), {}, ())


def small_correlation(grid: Grid = COARSE) -> CorrelationResult:
    """Correlations of one variable in two months, over time and in windows."""
    maps, windows = {}, {}
    rng = np.random.default_rng(5)
    reasons = {"flag_values": np.arange(5, dtype=np.int8)}
    reasons["flag_meanings"] = "ok few constant_x constant_y all_missing"
    for month in SOURCES:
        found = xr.Dataset(
            {
                name: grid.raster(rng.uniform(0.0, 1.0, grid.shape))
                for name in ("r", "p_value", "n", "n_effective", "reason")
            }
        )
        found["r"][0, 0] = np.nan
        found["p_value"][0, 0] = np.nan
        found["reason"] = grid.raster(np.isnan(found["r"].to_numpy()).astype(float))
        found["reason"].attrs = dict(reasons)
        maps["ndvi", month] = with_discoveries(found, rate=0.1).assign_attrs(
            method="pearson", years="2001-2020"
        )
        windows["ndvi", month] = found[["r", "n", "reason"]].assign_attrs(
            method="pearson", window=9, year=2020
        )
    empty = pd.DataFrame()
    return CorrelationResult(maps, windows, empty, empty, empty, ())


def small_results(
    *, maps: FractionMaps | None = None, correlation: CorrelationResult | None = None
) -> StudyResults:
    """Results that the writers of files read."""
    sites = pd.DataFrame(
        {
            "site_id": ["a", "b", "c"],
            "period": ["June", "June", "August"],
            "longitude": [95.05, 95.95, 95.5],
            "latitude": [33.05, 33.45, 33.25],
            "elevation_band": pd.Categorical(["low", None, "high"]),
            "snowmelt_allowed": [True, False, False],
            "fraction_precipitation": [0.25, 1.0, np.nan],
            "fraction_precipitation_sd": [0.1, 0.2, np.nan],
            "fraction_precipitation_raw": [0.25, 1.5, np.nan],
            "reason": ["", "outside mixing space", "no answer"],
        }
    )
    lines = pd.DataFrame({"period": ["June"], "slope": [6.9], "reason": [""]})
    regional = pd.DataFrame({"source": ["precipitation"], "fraction": [0.7]})
    ends = pd.DataFrame({"source": ["precipitation", "snowmelt", "precipitation"]})
    fractions = SimpleNamespace(
        sites=sites, lines=lines, regional=regional, end_members=ends
    )
    return StudyResults(
        cast("Any", fractions),
        cast("Any", None),
        maps if maps is not None else FractionMaps({}, {"June": "too few sites"}, ()),
        correlation,
    )


def small_joined(samples: gpd.GeoDataFrame, grid: Grid = GRID) -> JoinResult:
    """Samples joined to one raster."""
    raster = grid.raster(
        np.arange(np.prod(grid.shape), dtype=float).reshape(grid.shape)
    )
    return join_samples_to(samples, {"ndvi": raster}, grid=grid)
