"""Tests of the map of sampling sites."""

from __future__ import annotations

import cartopy.crs as ccrs
import geopandas as gpd
import numpy as np
import pytest
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.plotting.layers import Overlays
from geosoil.plotting.projection import projection_for
from geosoil.plotting.sites import draw_sites, draw_terrain, figure_sampling_sites

STUDY = (89.4, 31.55, 102.3, 36.3)


@pytest.fixture(scope="module")
def elevation(grid: Grid):
    x, y = np.meshgrid(grid.x, grid.y)
    return grid.raster(4300.0 + 700.0 * np.sin(x) * np.cos(3.0 * y), name="elevation")


@pytest.fixture
def panel():
    return Figure(figsize=(5.0, 3.0)).add_subplot(projection=projection_for(STUDY))


def test_panels_follow_the_season_and_count_samples_and_sites(
    samples, elevation, overlays: Overlays
):
    figure = figure_sampling_sites(samples, elevation=elevation, overlays=overlays)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title.split(":")[0] for title in titles] == [
        "(a) June",
        "(b) August",
        "(c) September",
    ]
    june = samples[samples["period"] == "June"]
    sites = len(june[["longitude", "latitude"]].drop_duplicates())
    assert titles[0] == f"(a) June: 150 samples at {sites} sites"


def test_sites_are_drawn_once_each_at_their_places(samples, panel):
    june = samples[samples["period"] == "June"]
    draw_sites(panel, june.loc[june.index.repeat(2)])
    drawn = {line.get_label(): line.get_xydata() for line in panel.lines}
    assert set(drawn) == {
        "soil water",
        "precipitation",
        "ground ice",
        "snowmelt",
        "river water",
    }
    soil = june[june["water"] == "soil"]
    places = panel.projection.transform_points(
        ccrs.PlateCarree(), soil["longitude"].to_numpy(), soil["latitude"].to_numpy()
    )
    wanted = np.unique(np.round(places[:, :2]), axis=0)
    np.testing.assert_allclose(drawn["soil water"], wanted, atol=1.1)


def test_samples_without_a_period_are_in_every_panel(samples, elevation):
    rain = samples[samples["water"] == "precipitation"].assign(period=None)
    soil = samples[samples["water"] == "soil"]
    table = gpd.GeoDataFrame(
        {
            "water": [*soil["water"], *rain["water"]],
            "period": [*soil["period"], *rain["period"]],
        },
        geometry=[*soil.geometry, *rain.geometry],
        crs="EPSG:4326",
    )
    figure = figure_sampling_sites(table, elevation=elevation)
    assert len(figure.axes) == 3
    for axes in figure.axes:
        assert "precipitation" in {line.get_label() for line in axes.lines}


def test_rain_of_other_months_makes_no_panel(samples, elevation):
    table = samples.copy()
    table.loc[table.index[table["water"] == "precipitation"][:9], "period"] = "May"
    assert len(figure_sampling_sites(table, elevation=elevation).axes) == 3
    rain = table[table["water"] == "precipitation"]
    assert len(figure_sampling_sites(rain, elevation=elevation).axes) == 4


def test_the_legend_names_waters_bands_and_overlays(samples, elevation, overlays):
    figure = figure_sampling_sites(samples, elevation=elevation, overlays=overlays)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    for word in ("soil water", "< 3000 m", "≥ 5100 m", "lakes"):
        assert word in words
    assert len([word for word in words if word.endswith(" m")]) == 6


def test_higher_bands_are_darker_and_unknown_ground_is_left_out(panel, grid: Grid):
    heights = np.repeat([2500.0, 3200.0, 3700.0, 4200.0, 4800.0], 19)[:, None]
    flat = grid.raster(np.broadcast_to(heights, grid.shape).copy())
    flat[:, 100] = np.nan
    draw_terrain(panel, flat)
    (mesh,) = (c for c in panel.collections if isinstance(c, QuadMesh))
    grey = mesh.get_array()[9::19, 50]
    assert np.all(np.diff(grey) < 0)
    assert np.ma.getmaskarray(mesh.get_array())[:, 100].all()


def test_fine_terrain_is_drawn_in_block_means(panel):
    fine = Grid.from_bounds(STUDY, 1 / 120, "EPSG:4326")
    draw_terrain(panel, fine.raster(np.full(fine.shape, 4200.0)))
    (mesh,) = panel.collections
    assert mesh.get_array().shape == (143, 387)
    corner = panel.projection.transform_point(89.4, 36.3, ccrs.PlateCarree())
    np.testing.assert_allclose(mesh.get_coordinates()[0, 0], corner, atol=0.01)
    corner = panel.projection.transform_point(102.3, 36.3, ccrs.PlateCarree())
    np.testing.assert_allclose(mesh.get_coordinates()[0, -1], corner, atol=0.01)


def test_tables_that_cannot_be_mapped_are_refused(samples, elevation):
    with pytest.raises(InputError, match=r"lacks column\(s\) water, period"):
        figure_sampling_sites(samples[["geometry"]], elevation=elevation)
    with pytest.raises(InputError, match="No row of the sample table has a period"):
        figure_sampling_sites(samples.assign(period=None), elevation=elevation)
    bare = gpd.GeoDataFrame(samples.drop(columns="geometry"), geometry=samples.geometry)
    bare = bare.set_crs(None, allow_override=True)
    with pytest.raises(MissingCRSError, match="no CRS"):
        figure_sampling_sites(bare, elevation=elevation)


def test_texts_of_the_site_map_are_readable(
    samples, elevation, overlays, assert_readable
):
    extra = samples.copy()
    extra.loc[extra["water"] == "river", "water"] = "supra_permafrost"
    both = gpd.GeoDataFrame(
        {
            "water": [*samples["water"], *extra["water"]],
            "period": [*samples["period"], *extra["period"]],
        },
        geometry=[*samples.geometry, *extra.geometry],
        crs="EPSG:4326",
    )
    figure = figure_sampling_sites(
        both, elevation=elevation, overlays=overlays, title="Sampling sites", note="n"
    )
    assert_readable(figure)
