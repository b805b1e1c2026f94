"""Correlate June soil moisture with NDVI over the years, cell by cell."""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import xarray as xr

import geosoil as gs
from geosoil.plotting.correlation_maps import figure_correlation
from geosoil.plotting.layers import Overlays
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
    path = options.study / "climate" / "soil_moisture.nc"
    moisture = june(gs.open_climate(path, "soil_moisture"))
    files = sorted((options.study / "ndvi").glob("MOD13C2.A*15[23].*.hdf"))
    ndvi = gs.open_modis(files, "ndvi", bbox=BOUNDS)
    # The coarser grid: finer cells would count a value of soil moisture four times.
    ndvi = june(gs.align(ndvi, gs.Grid.of(moisture), method="average"))
    result = gs.correlate(ndvi, moisture, min_pairs=8)
    field = gs.field_significance(result["p_value"], alpha=0.05)
    told = {"method": "pearson", "years": "2001-2020", "y": "soil_moisture"}
    result = result.merge(field[["significant"]]).assign_attrs({**field.attrs, **told})
    options.output.mkdir(parents=True, exist_ok=True)
    raster = options.output / "03_r_ndvi_soil_moisture_June.tif"
    print(gs.write_geotiff(result["r"].astype("float32"), raster))
    print(f"median r {float(result['r'].median()):.2f}")
    share = field.attrs["n_significant"] / field.attrs["n_valid"]
    print(f"significant after the false discovery rate: {100 * share:.0f} % of cells")
    region = gpd.read_file(options.study / "region" / "trhr_basins.geojson")
    figure = figure_correlation(
        result,
        overlays=Overlays(region=region),
        title="NDVI and soil moisture over 20 Junes",
        note="SIMULATED data",
    )
    (options.output / "03_ndvi_correlation.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
