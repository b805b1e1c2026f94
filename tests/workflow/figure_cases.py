"""A small study whose inputs are made by hand, for what draws its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import xarray as xr

from geosoil.config import StudyConfig
from geosoil.grids.grid import Grid
from geosoil.workflow.class_inputs import ClassLayer
from geosoil.workflow.inputs import StudyInputs

GRID = Grid.from_bounds((96.0, 33.0, 99.0, 35.0), 0.25, "EPSG:4326")
REGION = gpd.GeoDataFrame(geometry=[shapely.box(96.5, 33.25, 98.5, 34.75)], crs=4326)


def samples() -> gpd.GeoDataFrame:
    rows = [
        ("soil", "June", "s1", 97.0, 34.0),
        ("soil", "August", "s2", 97.5, 34.2),
        ("precipitation", "May", "Maduo", 98.2, 34.5),
        ("precipitation", "June", "Maduo", 98.2, 34.5),
        ("snowmelt", "June", "Halong", 97.8, 34.4),
    ]
    table = pd.DataFrame(rows, columns=["water", "period", "site_id", "x", "y"])
    places = gpd.points_from_xy(table.pop("x"), table.pop("y"))
    return gpd.GeoDataFrame(table, geometry=places, crs="EPSG:4326")


def inputs(
    *,
    layers: tuple[str, ...] = (),
    elevation: bool = False,
    **settings: Any,
) -> StudyInputs:
    """Return opened inputs; class layers have the codes 1 and 2."""
    codes = GRID.raster(np.where(GRID.x < 97.5, 1.0, 2.0) * np.ones(GRID.shape))
    labels = {1: "meadow", 2: "forest", 3: "desert"}
    config = StudyConfig(
        samples={"path": "samples.csv"},  # type: ignore[arg-type]
        layers={name: {"path": Path(f"{name}.tif")} for name in layers},
        tracers={"sources": {"June": ["precipitation"], "August": ["precipitation"]}},
        **settings,
    )
    inside = (GRID.x > 96.5) & (GRID.x < 98.5)
    ground = GRID.raster(np.linspace(3000, 5000, GRID.shape[1]) * np.ones(GRID.shape))
    return StudyInputs(
        config=config,
        samples=samples(),
        end_members=None,
        grid=GRID,
        region=REGION,
        mask=GRID.raster(inside & np.ones(GRID.shape, dtype=bool)),
        elevation=ground if elevation else None,
        layers={name: ClassLayer(codes, labels) for name in layers},
    )


def series(first: str, months: int, *, step: float = 1.0) -> xr.DataArray:
    """Monthly fields that count their months from 0."""
    time = pd.date_range(first, periods=months, freq="MS")
    field = GRID.raster(np.zeros(GRID.shape))
    count = xr.DataArray(step * np.arange(months), dims="time", coords={"time": time})
    found = (field + count).transpose("time", "y", "x")
    found.attrs["units"] = "mm"
    crs = GRID.crs
    placed: xr.DataArray = found.rio.write_crs(crs)
    return placed
