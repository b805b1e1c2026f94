"""Correlate June soil moisture with NDVI over the years, pixel by pixel."""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import xarray as xr

import geosoil as gs
from geosoil.plotting.layers import Overlays
from geosoil.plotting.maps import figure_maps
from geosoil.plotting.style import render

BOUNDS = (89.40, 31.55, 102.30, 36.30)


def june(series: xr.DataArray) -> xr.DataArray:
    """Take the Junes of a monthly series, with the year as time."""
    chosen = series.sel(time=series["time"].dt.month == 6)
    return chosen.assign_coords(time=chosen["time"].dt.year.to_numpy())


def main() -> None:
    """Write r as a GeoTIFF and draw it, hatched where it is not significant."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    grid = gs.Grid.from_bounds(BOUNDS, 0.05, "EPSG:4326")
    files = sorted((options.study / "ndvi").glob("MOD13C2.A*153.*.hdf"))
    files += sorted((options.study / "ndvi").glob("MOD13C2.A*152.*.hdf"))
    ndvi = gs.align(gs.open_modis(files, "ndvi", bbox=BOUNDS), grid, method="nearest")
    path = options.study / "climate" / "soil_moisture.nc"
    moisture = gs.open_climate(path, "soil_moisture")
    moisture = gs.align(moisture, grid, method="nearest")
    result = gs.correlate(june(ndvi), june(moisture), min_pairs=8)
    options.output.mkdir(parents=True, exist_ok=True)
    raster = options.output / "03_r_ndvi_soil_moisture_June.tif"
    print(gs.write_geotiff(result["r"].astype("float32"), raster))
    print(f"median r {float(result['r'].median()):.2f}")
    region = gpd.read_file(options.study / "region" / "trhr_basins.geojson")
    figure = figure_maps(
        {"June": result["r"]},
        overlays=Overlays(region=region),
        kind="correlation",
        p_values={"June": result["p_value"]},
        title="NDVI and soil moisture over 20 Junes",
        note="SIMULATED data",
    )
    (options.output / "03_ndvi_correlation.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
