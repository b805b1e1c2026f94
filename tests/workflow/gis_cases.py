"""Small rasters with the words of every kind of raster that geosoil writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geosoil.grids.grid import Grid
from geosoil.io.geotiff import write_geotiff

GRID = Grid.from_bounds((90.0, 31.0, 93.0, 33.0), 0.5, "EPSG:4326")
MIXED = {"method": "the mean of the sites", "period": "June", "simulated": "yes: none"}
OVER_TIME = {
    "method": "pearson r over time, the Junes of 2001-2020, cell by cell",
    "variables": "ndvi, soil_moisture",
    "support_x": "cells",
    "support_y": "cells",
}
TWO_SERIES = {
    "method": "pearson over time, 20 dates of June",
    "dates": "2001 to 2020",
    "period": "June",
    "variables": "precipitation, soil_moisture",
    "support_x": "cell of 0.1 degree",
    "support_y": "cell of 0.1 degree",
}
POINTS = {"method": "ordinary kriging", "chosen_by": "the user", "period": "June"}
MODIS = {"product": "MOD13C2", "layer": "CMG 0.05 Deg Monthly NDVI"}
YEARS = "2001\N{EN DASH}2020"
UNIT, BELOW_ZERO = (0.0, 1.0), (-0.9, 0.7)


@dataclass(frozen=True, slots=True)
class Case:
    """A raster and what is said of it."""

    stem: str
    name: str
    words: str
    title: str
    group: tuple[str, ...]
    style: str
    tags: dict[str, str]
    ends: tuple[float, float] = UNIT
    units: str = "1"


MAPS = ("Source fractions", "June")
SPREAD = (*MAPS, "Uncertainty")
PAIR = ("Correlation over time", "NDVI and soil moisture", "June")
SPACE = ("Correlation over space", "NDVI and soil moisture", "June")
SERIES = ("Correlation over time", "precipitation and soil moisture", "June")
MADE = ("Interpolation", "June")

CASES = (
    Case(
        "fraction_ground_ice_June",
        "ground_ice",
        "fraction of ground ice in soil water, June",
        "Source fraction of ground ice, June",
        MAPS,
        "fraction",
        MIXED,
        (0.3, 0.8),
    ),
    Case(
        "fraction_ground_ice_sd_June",
        "ground_ice_sd",
        "standard deviation of the fraction of ground ice, mixing and interpolation in "
        "soil water, June",
        "Standard deviation of the source fraction of ground ice, June",
        SPREAD,
        "sd",
        MIXED,
        (0.05, 0.2),
    ),
    Case(
        "fraction_ground_ice_p05_June",
        "ground_ice_p05",
        "5 % quantile of the fraction of ground ice in soil water, June",
        "5 % quantile of the source fraction of ground ice, June",
        SPREAD,
        "fraction",
        MIXED,
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_r",
        "r",
        "r of ndvi and soil_moisture over time, June 2001-2020",
        f"Correlation r of NDVI and soil moisture, June {YEARS}",
        PAIR,
        "correlation",
        OVER_TIME,
        BELOW_ZERO,
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_p_value",
        "p_value",
        "p_value of ndvi and soil_moisture over time, June 2001-2020",
        f"p value of r of NDVI and soil moisture, June {YEARS}",
        PAIR,
        "p_value",
        OVER_TIME,
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_q_value",
        "q_value",
        "q_value of ndvi and soil_moisture over time, June 2001-2020",
        f"q value of r of NDVI and soil moisture, June {YEARS}",
        PAIR,
        "p_value",
        OVER_TIME,
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_n",
        "n",
        "n of ndvi and soil_moisture over time, June 2001-2020",
        f"Number of pairs of NDVI and soil moisture, June {YEARS}",
        PAIR,
        "n",
        OVER_TIME,
        (8, 20),
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_n_effective",
        "n_effective",
        "n_effective of ndvi and soil_moisture over time, June 2001-2020",
        f"Effective number of pairs of NDVI and soil moisture, June {YEARS}",
        PAIR,
        "n",
        OVER_TIME,
        (6.5, 20),
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_window_r",
        "r",
        "r of ndvi and soil_moisture in a window of 9 cells, June 2020",
        "Correlation r of NDVI and soil moisture in a window of 9 cells, June 2020",
        SPACE,
        "correlation",
        OVER_TIME,
        BELOW_ZERO,
    ),
    Case(
        "correlation_ndvi_soil_moisture_June_window_n",
        "n",
        "n of ndvi and soil_moisture in a window of 9 cells, June 2020",
        "Number of pairs of NDVI and soil moisture in a window of 9 cells, June 2020",
        SPACE,
        "n",
        OVER_TIME,
        (3, 81),
    ),
    Case(
        "correlation_precipitation_soil_moisture_June_theil_sen_slope",
        "theil_sen_slope",
        "median slope of y on x (Theil and Sen), precipitation and soil_moisture June",
        f"Median slope of soil moisture on precipitation, June {YEARS}",
        SERIES,
        "difference",
        TWO_SERIES,
        (-0.002, 0.001),
        "(m3 m-3) / (mm)",
    ),
    Case(
        "d18O_estimate",
        "d18O",
        "estimate of d18O",
        "Estimate of d18O, June",
        MADE,
        "plain",
        POINTS,
        (-19.0, -7.0),
        "permil",
    ),
    Case(
        "d18O_sd",
        "d18O_sd",
        "standard deviation of d18O",
        "Standard deviation of d18O, June",
        MADE,
        "sd",
        POINTS,
        (0.4, 2.1),
        "permil",
    ),
    Case(
        "difference",
        "ndvi_difference",
        "difference of ndvi, 2020 and 2001",
        "Difference of NDVI, 2020 and 2001",
        ("Other rasters",),
        "difference",
        {},
        (-0.2, 0.1),
    ),
    Case(
        "elevation",
        "elevation",
        "elevation",
        "Elevation",
        ("Other rasters",),
        "elevation",
        {},
        (3400.0, 5600.0),
        "m",
    ),
)
"""Quantities."""

SUPPORT = "1 far_from_data, 2 variance_near_sill, 4 elevation_beyond_samples"


def write_case(case: Case, folder: Path) -> Path:
    """Write a raster that runs from the lower to the upper end; a corner is missing."""
    cells = np.linspace(*case.ends, GRID.shape[0] * GRID.shape[1])
    raster = GRID.raster(cells.reshape(GRID.shape).astype(np.float32), name=case.name)
    raster[0, 0] = np.nan
    raster.attrs = {"units": case.units, "long_name": case.words}
    path = folder / f"{case.stem}.tif"
    return write_geotiff(raster, path, description=case.words, tags=case.tags)


def write_support(folder: Path, codes: tuple[int, ...] = (0, 1, 5)) -> Path:
    """Write why cells are not supported; 255 is outside of the region."""
    cells = np.resize(np.array([*codes, 255], dtype=np.uint8), GRID.shape)
    raster = GRID.raster(cells, name="support")
    raster.attrs = {"units": "1", "nodata": 255}
    return write_geotiff(
        raster,
        folder / "fraction_support_June.tif",
        description="why the sites support no fraction, June",
        tags={**MIXED, "bits": SUPPORT},
    )


def write_reason(folder: Path) -> Path:
    """Write why a correlation of two series gives no answer."""
    cells = np.resize(np.array([0, 1, 4], dtype=np.uint8), GRID.shape)
    raster = GRID.raster(cells, name="reason")
    raster.attrs = {
        "flag_values": np.arange(5, dtype=np.int8),
        "flag_meanings": "ok few constant_x constant_y all_missing",
    }
    return write_geotiff(
        raster,
        folder / "correlation_precipitation_soil_moisture_June_reason.tif",
        description="why there is no r, precipitation and soil_moisture June",
        tags=TWO_SERIES,
    )


def write_ndvi(folder: Path) -> Path:
    """Write a series with a band a date."""
    planes = np.linspace(-0.1, 0.8, 2 * GRID.shape[0] * GRID.shape[1])
    raster = GRID.raster(planes.reshape(2, *GRID.shape)[0], name="ndvi")
    raster = raster.expand_dims(time=np.array(["2020-06-09", "2020-06-25"], "M8[ns]"))
    raster.attrs = {"units": "1", "long_name": "NDVI"}
    return write_geotiff(raster, folder / "ndvi.tif", tags=MODIS)


def write_all(folder: Path) -> list[Path]:
    """Write one raster of each kind."""
    return [
        *(write_case(case, folder) for case in CASES),
        write_support(folder),
        write_reason(folder),
        write_ndvi(folder),
    ]
