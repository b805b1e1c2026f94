"""Krige soil temperature over the mountains: what predicts it, and where it may."""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr

import geosoil as gs
from geosoil.plotting.interpolation import (
    InterpolatedMap,
    MapWords,
    figure_interpolation,
)
from geosoil.plotting.layers import Overlays
from geosoil.plotting.style import render

PERIOD, COLUMN = "June", "soil_temperature"
SHOWN = ["method", "rmse", "nse", "msdr", "picp90", "verdict", "beats_mean"]


def soil_profiles(study: Path) -> gpd.GeoDataFrame:
    """Return the samples of soil of one period that have a temperature."""
    samples = gs.read_samples(study / "samples.csv")
    chosen = (samples["water"] == "soil") & (samples["period"] == PERIOD)
    return samples[chosen & samples[COLUMN].notna()]


def candidates(
    profiles: gpd.GeoDataFrame, elevation: xr.DataArray
) -> dict[str, gs.InverseDistance | gs.Kriging]:
    """Return what may make the map; the variogram of each is fitted to the data."""
    height = gs.values_at_points(elevation, profiles, method="bilinear")["elevation"]
    plain = gs.fit_variogram(profiles, profiles[COLUMN])
    residual = gs.fit_variogram(profiles, profiles[COLUMN], drift=height)
    return {
        "inverse distance": gs.InverseDistance(),
        "ordinary kriging": gs.Kriging(plain),
        "external drift": gs.Kriging(residual, drift=elevation),
    }


def unsupported(
    profiles: gpd.GeoDataFrame, surface: xr.Dataset, how: tuple[xr.DataArray, float]
) -> xr.Dataset:
    """Say where the map is beyond what the profiles tell."""
    elevation, sill = how
    return gs.map_support(
        profiles,
        gs.Grid.of(elevation),
        elevation=elevation,
        kriging_variance=surface["kriging_variance"],
        rules=gs.SupportRules(max_distance=150_000.0, sill=sill),
    )


def told(areas: pd.DataFrame) -> str:
    """Return the areas without support as a table."""
    shown = areas.dropna()
    return shown.round({"area_km2": 0, "share": 3}).to_string()


def main() -> None:
    """Print scores and areas, and draw the best map with its standard deviation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    profiles = soil_profiles(options.study)
    elevation = gs.read_geotiff(options.study / "layers" / "elevation.tif")
    elevation = elevation.astype(float).rename("elevation")
    grid = gs.Grid.of(elevation)
    region = gpd.read_file(options.study / "region" / "trhr_basins.geojson")
    inside = gs.classes_on_grid(region.assign(code=1), grid, overlap="first")
    methods = candidates(profiles, elevation)
    folds = gs.Folds("block", block_size=100_000.0)
    ranking = gs.compare_interpolators(methods, profiles, profiles[COLUMN], folds=folds)
    print(f"{COLUMN} of {PERIOD}, blocks of 100 km left out")
    print(ranking[SHOWN].round(2).to_string())
    best = methods[next(name for name in ranking.index if name in methods)]
    fitted = best.fit(profiles, profiles[COLUMN])
    surface = fitted.grid(grid).where(inside["code"] == 1)
    # Beside the variance of the values: the drift explains part of it.
    spread = float(profiles[COLUMN].var())
    support = unsupported(profiles, surface, (elevation, spread))
    print(told(gs.support_area(support, mask=inside["code"] == 1)))
    figure = figure_interpolation(
        {
            "soil temperature": InterpolatedMap(
                surface["estimate"], np.sqrt(surface["kriging_variance"])
            )
        },
        sites=profiles,
        unsupported=support["reason"] > 0,
        words=MapWords(
            title=f"Soil temperature, {PERIOD}: {fitted.method}",
            note="SIMULATED data",
            units="°C",
            sites="soil profiles",
            overlays=Overlays(region=region),
        ),
    )
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "08_interpolate.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
