"""Krige soil temperature with elevation, and draw fields that the data allow."""

from __future__ import annotations

import argparse
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import geosoil as gs
from geosoil.grids.zones import cell_area
from geosoil.plotting.hatching import hatch_cells, hatch_handle
from geosoil.plotting.interpolation import draw_points
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    draw_raster,
    overlay_handles,
)
from geosoil.plotting.maps import furnish
from geosoil.plotting.panel_table import (
    PanelTable,
    draw_panel_table,
    draw_table_bar,
    draw_table_legend,
)
from geosoil.plotting.projection import (
    finite_points,
    lonlat_bounds,
    map_extent,
    projection_for,
)
from geosoil.plotting.scales import MapKind, colour_limits, colour_map
from geosoil.plotting.style import INK, house_style, render

PERIOD, COLUMN, FROST = "June", "soil_temperature", 0.0
N_FIELDS, SEED = 200, 2020
TEMPERATURE = MapKind("vik", "soil temperature [°C], (a) to (e)", centre=0.0)
CHANCE = MapKind("devon_r", "probability [1], (f)", (0.0, 1.0))
NAMES = {
    "estimate": "(a) kriging estimate",
    "p05": "(b) 5 % quantile",
    "p95": "(c) 95 % quantile",
    "first": "(d) a realisation",
    "second": "(e) another realisation",
    "frost": f"(f) P(below {FROST:g} °C)",
}


def top_soil(study: Path) -> gpd.GeoDataFrame:
    """Return the uppermost sample of each profile of one period."""
    samples = gs.read_samples(study / "samples.csv")
    chosen = (samples["water"] == "soil") & (samples["period"] == PERIOD)
    chosen &= (samples["depth_top"] == 0) & samples[COLUMN].notna()
    return samples[chosen]


def krige(sites: gpd.GeoDataFrame, elevation: xr.DataArray) -> gs.Kriging:
    """Fit kriging with elevation as its drift, on the variogram of the residuals."""
    height = gs.values_at_points(elevation, sites, method="bilinear")["elevation"]
    variogram = gs.fit_variogram(sites, sites[COLUMN], drift=height)
    return gs.Kriging(variogram, drift=elevation).fit(sites, sites[COLUMN])


def what_maps_tell(estimate: xr.DataArray, fields: xr.DataArray) -> xr.Dataset:
    """Return the six maps of the figure."""
    summary = gs.summarise_realizations(
        fields, quantiles=(0.05, 0.95), thresholds=(FROST,)
    )
    maps = summary[["p05", "p95"]].assign(
        estimate=estimate,
        first=fields.isel(realization=0, drop=True),
        second=fields.isel(realization=1, drop=True),
        frost=1.0 - summary[f"probability_above_{FROST:g}"],
    )
    return maps[list(NAMES)]


def frozen_area(maps: xr.DataArray) -> xr.DataArray:
    """Return the share of the region that is below the frost threshold [%]."""
    area = cell_area(gs.Grid.of(maps)).where(np.isfinite(maps))
    frozen = area.where(maps < FROST).sum(["y", "x"])
    return 100.0 * frozen / area.sum(["y", "x"])


def numbers(
    estimate: xr.DataArray, fields: xr.DataArray, unsupported: xr.DataArray
) -> pd.Series:
    """Return spread and frost of the estimate, beside those of the realisations."""
    share = frozen_area(fields)
    # A cell at the threshold is not below it, and counts as ground all the same.
    known = frozen_area(fields.where(~unsupported, FROST))
    low, middle, high = np.quantile(share, (0.05, 0.5, 0.95))
    return pd.Series(
        {
            "sd over the region, estimate": float(estimate.std()),
            "sd over the region, realisations": float(fields.std(["y", "x"]).mean()),
            "area below 0 degC [%], estimate": float(frozen_area(estimate)),
            "area below 0 degC [%], realisations": middle,
            "  5 % of them below": low,
            "  5 % of them above": high,
            "share of it on ground without support [%]": float(
                100.0 * (1.0 - known.sum() / share.sum())
            ),
        }
    )


def caption(kriging: gs.Kriging, found: pd.Series, within: float) -> str:
    """Tell how the maps were made and what they say."""
    model = kriging.variogram_
    smooth, rough, frost, middle, low, high, hatched = found
    return (
        f"Soil of 0 to 20 cm in {PERIOD}; {kriging.method}, {len(kriging.points_.xy)} "
        f"profiles; {model.model} variogram of the residuals, nugget "
        f"{model.nugget:.1f} and sill {model.nugget + model.partial_sill:.1f} °C². "
        f"{100 * within:.0f} % of the profiles lie within their 90 % interval when "
        "their block of 100 km is left out.\n"
        f"(b), (c) and (f) from {N_FIELDS} conditional realisations at the cells' "
        "centres, as rough as the variogram and true to the profiles; (d) and (e) are "
        f"two of them. The estimate is smoother: its standard deviation over the "
        f"region is {smooth:.1f} °C, that of realisations {rough:.1f} °C.\n"
        f"So the area below 0 °C is {frost:.1f} % of the region by the estimate, but "
        f"{middle:.1f} % by the realisations (median; 90 % of them: {low:.1f} to "
        f"{high:.1f} %, with the variogram taken as known). {hatched:.0f} % of that "
        "area is hatched ground, beyond the sampled elevations or over 150 km from a "
        "profile, where the line with elevation is prolonged: no profile tells of "
        "frost there."
    )


def beyond_scale(maps: xr.Dataset, limits: tuple[float, float]) -> tuple[bool, bool]:
    """Say whether temperatures lie below and above the colour scale."""
    every = maps.to_array()
    return bool((every < limits[0]).any()), bool((every > limits[1]).any())


def draw(
    maps: xr.Dataset,
    unsupported: xr.DataArray,
    layers: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame],
    words: str,
) -> Figure:
    """Draw the temperatures with one scale, and the probability with its own."""
    sites, region = layers
    grid, overlays = gs.Grid.of(maps), Overlays(region=region)
    projection = projection_for(lonlat_bounds(grid.bounds, grid.crs))
    points = finite_points([maps["estimate"]], projection)
    table = PanelTable(
        tuple(NAMES.values()),
        title=f"Soil temperature, {PERIOD}: the estimate, and how far it may be off",
        caption=words,
        note="SIMULATED data",
    )
    warm = [name for name in NAMES if name != "frost"]
    limits = colour_limits([maps[name].to_numpy() for name in warm], TEMPERATURE)
    with house_style():
        extent = map_extent(points, region, projection)
        figure, panels = draw_panel_table(extent, projection, table=table)
        for panel, name in zip(panels, NAMES, strict=True):
            kind, ends = (
                (CHANCE, (0.0, 1.0)) if name == "frost" else (TEMPERATURE, limits)
            )
            draw_raster(
                panel, maps[name], colours=colour_map(kind.palette), limits=ends
            )
            draw_overlays(panel, overlays)
        # Quantiles and realisations are left free: strokes would hide their grain.
        hatch_cells(panels[0], unsupported)
        hatch_cells(panels[-1], unsupported)
        draw_points(panels[0], sites)
        furnish(panels, points)
        draw_table_bar(
            figure, table=table, kind=TEMPERATURE, limits=limits,
            beyond=beyond_scale(maps[warm], limits), under=panels[3:5],
        )  # fmt: skip
        draw_table_bar(
            figure, table=table, kind=CHANCE, limits=(0.0, 1.0), under=panels[5:]
        )
        mark = Line2D(
            [], [], ls="none", marker="o", ms=3, mfc="white", mec=INK, mew=0.5,
            label="soil profiles",
        )  # fmt: skip
        hatched = hatch_handle("not supported by the profiles")
        handles = [mark, hatched, *overlay_handles(overlays)]
        draw_table_legend(figure, handles, table=table)
    return figure


def main() -> None:
    """Print what the estimate hides, and draw it beside two realisations."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    sites = top_soil(options.study)
    elevation = gs.read_geotiff(options.study / "layers" / "elevation.tif")
    elevation = elevation.astype(float).rename("elevation")
    grid = gs.Grid.of(elevation)
    region = gpd.read_file(options.study / "region" / "trhr_basins.geojson")
    zones = gs.classes_on_grid(region.assign(code=1), grid, overlap="first")
    inside = zones["code"] == 1
    kriging = krige(sites, elevation)
    folds = gs.Folds("block", block_size=100_000.0)
    tested = gs.cross_validate(kriging, sites, sites[COLUMN], folds=folds)
    estimate = kriging.grid(grid)["estimate"].where(inside)
    fields = gs.conditional_simulation(
        kriging, grid, n_realizations=N_FIELDS, seed=SEED
    ).where(inside)
    rules = gs.SupportRules(max_distance=150_000.0)
    support = gs.map_support(sites, grid, elevation=elevation, rules=rules)
    unsupported = (support["reason"] > 0) & inside
    found = numbers(estimate, fields, unsupported)
    print(found.round(2).to_string())
    within = tested.scores.picp90
    print(f"profiles left out that lie in their 90 % interval: {100 * within:.0f} %")
    figure = draw(
        what_maps_tell(estimate, fields),
        unsupported,
        (sites, region),
        caption(kriging, found, within),
    )
    options.output.mkdir(parents=True, exist_ok=True)
    picture = options.output / "09_kriging_with_uncertainty.png"
    picture.write_bytes(render(figure))


if __name__ == "__main__":
    main()
