"""Tell which cells of a map of correlation are significant when all are tested."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

import geosoil as gs
from geosoil.plotting.hatching import hatch_cells, hatch_handle
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
from geosoil.plotting.scales import KINDS, colour_map
from geosoil.plotting.style import house_style, render

BOUNDS = (89.40, 31.55, 102.30, 36.30)
LEVEL, N_SHUFFLES, SEED = 0.05, 50, 2020
TRUE_YEARS, SHUFFLED = "the same years", "shuffled years"
COLUMNS = {
    ("n", "raw"): f"each cell alone, p < {LEVEL:g}",
    ("n", "fdr"): f"all cells, false discovery rate {LEVEL:g}",
    ("n_effective", "fdr"): "the same, effective number of pairs",
}
SHARES = {"raw": "share_significant_", "fdr": "share_fdr_"}


def june(series: xr.DataArray) -> xr.DataArray:
    """Take the Junes of a monthly series, with the year as time."""
    chosen = series.sel(time=series["time"].dt.month == 6)
    return chosen.assign_coords(time=chosen["time"].dt.year.to_numpy())


def open_pair(study: Path) -> tuple[xr.DataArray, xr.DataArray]:
    """Open NDVI and soil moisture of twenty Junes on the coarser grid of the two."""
    path = study / "climate" / "soil_moisture.nc"
    moisture = june(gs.open_climate(path, "soil_moisture"))
    files = sorted((study / "ndvi").glob("MOD13C2.A*15[23].*.hdf"))
    ndvi = gs.open_modis(files, "ndvi", bbox=BOUNDS)
    return june(gs.align(ndvi, gs.Grid.of(moisture), method="average")), moisture


def tested(
    ndvi: xr.DataArray, moisture: xr.DataArray, pairs: gs.Significance
) -> xr.Dataset:
    """Correlate cell by cell, and test all cells of the map at once."""
    found = gs.correlate(
        ndvi, moisture, min_pairs=8, statistics=["n_effective"], significance=pairs
    )
    # Its rate is twice alpha: here a rate as low as the level of the single cells.
    field = gs.field_significance(found["p_value"], alpha=LEVEL / 2)
    return found.merge(field["significant"])


def both_tests(ndvi: xr.DataArray, moisture: xr.DataArray) -> dict[str, xr.Dataset]:
    """Test by the number of pairs, and by the number that is independent."""
    return {
        "n": tested(ndvi, moisture, gs.Significance()),
        "n_effective": tested(ndvi, moisture, gs.Significance(p_from="n_effective")),
    }


def shares(found: xr.Dataset) -> pd.Series:
    """Return the shares of area that are significant, alone and as a field [%]."""
    # One zone: the shares are of the cells in it that have an r.
    zone = xr.ones_like(found["r"], dtype=int)
    row = gs.zone_shares(found, zone, labels={1: "region"}, alpha=LEVEL).iloc[0]
    return pd.Series(
        {
            name: 100.0 * float(row[f"{start}positive"] + row[f"{start}negative"])
            for name, start in SHARES.items()
        }
    )


def shuffled(ndvi: xr.DataArray, rng: np.random.Generator) -> xr.DataArray:
    """Shuffle the years of whole maps of NDVI: what is left of r is chance."""
    return ndvi.copy(data=ndvi.to_numpy()[rng.permutation(ndvi.sizes["time"])])


def caption(measured: xr.Dataset, chance: pd.DataFrame) -> str:
    """Tell what was tested and what chance alone claims."""
    there = np.isfinite(measured["r"])
    n, effective = (
        float(measured[name].where(there).median()) for name in ("n", "n_effective")
    )
    return (
        f"Pearson's r over the Junes of 2001 to 2020 in {int(there.sum())} cells, "
        f"{n:.0f} pairs, of which {effective:.1f} effective (medians). Above the "
        "panels: significant share of the area with a value. False discovery rate of "
        f"Benjamini and Hochberg: of the cells that stay, {100 * LEVEL:.0f} % are "
        "expected to be false at most. It costs few cells where most have a relation, "
        "and nearly all where none has.\n"
        "Below, the years of the maps of NDVI are shuffled, so that chance alone is "
        f"left; the first of {N_SHUFFLES} shuffles is drawn. Over all of them "
        f"p < {LEVEL:g} claims {chance['raw'].mean():.0f} % of the area on average and "
        f"{chance['raw'].max():.0f} % at most; after the false discovery rate "
        f"{int((chance['fdr'] > 0).sum())} of {N_SHUFFLES} have any cell left."
    )


def draw(
    rows: Mapping[str, Mapping[str, xr.Dataset]], region: gpd.GeoDataFrame, words: str
) -> Figure:
    """Draw r by years and tests, hatched where it is not significant."""
    cells = [(tests[pairs], how) for tests in rows.values() for pairs, how in COLUMNS]
    first, overlays = cells[0][0]["r"], Overlays(region=region)
    grid, kind = gs.Grid.of(first), KINDS["correlation"]
    projection = projection_for(lonlat_bounds(grid.bounds, grid.crs))
    points = finite_points([first], projection)
    table = PanelTable(
        (*COLUMNS.values(), *[""] * len(COLUMNS)),
        rows=tuple(rows),
        remarks=tuple(
            f"{shares(found)[how]:.0f} % of the area" for found, how in cells
        ),
        title="NDVI and soil moisture over 20 Junes: what stays of significance",
        caption=words,
        note="SIMULATED data",
    )
    with house_style():
        extent = map_extent(points, region, projection)
        figure, panels = draw_panel_table(extent, projection, table=table)
        for panel, (found, how) in zip(panels, cells, strict=True):
            r, alone = found["r"], found["p_value"] < LEVEL
            draw_raster(panel, r, colours=colour_map(kind.palette), limits=(-1.0, 1.0))
            weak = ~(alone if how == "raw" else found["significant"].astype(bool))
            hatch_cells(panel, r.copy(data=weak & np.isfinite(r)))
            draw_overlays(panel, overlays)
        furnish(panels, points)
        draw_table_bar(figure, table=table, kind=kind, limits=(-1.0, 1.0))
        handles = [hatch_handle("not significant"), *overlay_handles(overlays)]
        draw_table_legend(figure, handles, table=table)
    return figure


def main() -> None:
    """Print shares of the area, and draw the maps with true and with shuffled years."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, nargs="?", default=Path("data/trhr"))
    parser.add_argument("--output", type=Path, default=Path("maps/gallery"))
    options = parser.parse_args()
    ndvi, moisture = open_pair(options.study)
    region = gpd.read_file(options.study / "region" / "trhr_basins.geojson")
    zones = gs.classes_on_grid(
        region.assign(code=1), gs.Grid.of(moisture), overlap="first"
    )
    moisture = moisture.where(zones["code"] == 1)
    rng = np.random.default_rng(SEED)
    mixed = [shuffled(ndvi, rng) for _ in range(N_SHUFFLES)]
    rows = {
        TRUE_YEARS: both_tests(ndvi, moisture),
        SHUFFLED: both_tests(mixed[0], moisture),
    }
    table = pd.DataFrame(
        {
            (years, pairs): shares(found)
            for years, tests in rows.items()
            for pairs, found in tests.items()
        }
    )
    print(f"Significant share of the area [%] at {LEVEL:g}, alone and as a field")
    print(table.T.round(1).to_string())
    plain = gs.Significance()
    chance = pd.DataFrame([shares(tested(one, moisture, plain)) for one in mixed])
    print(f"\n{N_SHUFFLES} shuffles of the years")
    print(chance.agg(["mean", "max"]).round(1).to_string())
    figure = draw(rows, region, caption(rows[TRUE_YEARS]["n"], chance))
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "10_field_significance.png").write_bytes(render(figure))


if __name__ == "__main__":
    main()
