"""Map how soil moisture goes with its drivers, over the years and over space."""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import pandas as pd
import xarray as xr

import geosoil as gs
from geosoil.correlation.zone_shares import zone_shares
from geosoil.plotting.correlation_maps import figure_correlation_maps
from geosoil.plotting.layers import Overlays
from geosoil.plotting.style import render
from geosoil.strata import ELEVATION_EDGES

DRIVERS = ("ground_temperature", "precipitation", "evapotranspiration")
MONTH, YEAR, WINDOW = 6, 2020, 9
OVER_TIME, OVER_SPACE = "Junes of 2001 to 2020", f"June {YEAR}"
SHOWN = ["share_positive", "share_negative", "share_fdr_positive", "share_fdr_negative"]


def open_month(study: Path, name: str) -> xr.DataArray:
    """Open one calendar month of a climate variable, with the year as time."""
    series = gs.open_climate(study / "climate" / f"{name}.nc", name)
    chosen = series.sel(time=series["time"].dt.month == MONTH)
    return chosen.assign_coords(time=chosen["time"].dt.year.to_numpy())


def over_time(x: xr.DataArray, y: xr.DataArray, inside: xr.DataArray) -> xr.Dataset:
    """Correlate cell by cell over the years, with a false discovery rate of 0.1."""
    result = gs.correlate(x, y, min_pairs=8).where(inside)
    field = gs.field_significance(result["p_value"], alpha=0.05)
    told = {"method": "pearson", "years": "2001-2020", "y": "soil_moisture"}
    return result.merge(field[["significant"]]).assign_attrs({**field.attrs, **told})


def over_space(x: xr.DataArray, y: xr.DataArray, inside: xr.DataArray) -> xr.Dataset:
    """Correlate one year in a moving window, and all cells of it together."""
    first, second = (one.sel(time=YEAR, drop=True).where(inside) for one in (x, y))
    found = gs.window_correlation(first, second, size=WINDOW).where(inside)
    test = gs.dutilleul_test(first, second, gs.Grid.of(first))
    told = {"year": YEAR, "region_r": test.r, "region_p_value": test.p_value}
    return found.assign_attrs({**found.attrs, **told, "y": "soil_moisture"})


def shares(maps: dict[str, xr.Dataset], height: xr.DataArray) -> pd.DataFrame:
    """Return shares of the area by sign and significance, below and above 4000 m."""
    middle = ELEVATION_EDGES[2]
    zones = (height >= middle).astype(int)
    labels = {0: f"below {middle:.0f} m", 1: f"above {middle:.0f} m"}
    tables = [
        zone_shares(found, zones, labels=labels).assign(driver=name)
        for name, found in maps.items()
    ]
    table = pd.concat(tables).set_index(["driver", "zone"])
    return (100 * table[SHOWN]).round(0).astype(int).join(table["median_r"].round(2))


def main() -> None:
    """Print shares of the area, and draw both kinds of map side by side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    moisture = open_month(options.study, "soil_moisture")
    grid = gs.Grid.of(moisture)
    region = gpd.read_file(options.study / "region" / "trhr_basins.geojson")
    zones = gs.classes_on_grid(region.assign(code=1), grid, overlap="first")
    inside = zones["code"] == 1
    elevation = gs.read_geotiff(options.study / "layers" / "elevation.tif")
    height = gs.align(elevation, grid, method="average")
    maps, panels = {}, {}
    for name in DRIVERS:
        x = open_month(options.study, name)
        maps[name] = over_time(x, moisture, inside)
        panels[name, OVER_TIME] = maps[name]
        panels[name, OVER_SPACE] = over_space(x, moisture, inside)
    print("Area with a correlation over time of each sign, and after FDR [%]")
    print(shares(maps, height).to_string())
    figure = figure_correlation_maps(
        panels,
        overlays=Overlays(region=region),
        title="Soil moisture and its drivers: over time, and over space",
        note="SIMULATED data",
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "07_correlation_maps.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
