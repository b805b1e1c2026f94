"""Tests of figures of maps: panels, scales, hatching, overlays."""

from __future__ import annotations

from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pytest
import shapely
import xarray as xr
from matplotlib.collections import LineCollection, QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from geosoil.errors import GridMismatchError, InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.plotting.hatching import draw_hatching
from geosoil.plotting.layers import Overlays, draw_overlays
from geosoil.plotting.maps import figure_maps
from geosoil.plotting.panels import MapFrame, map_panels, outer_panels
from geosoil.plotting.projection import cell_corners, projection_for

PERIODS = ("June", "August", "September")
Make = Callable[[float], xr.DataArray]


def meshes(figure: Figure) -> list[QuadMesh]:
    return [
        artist
        for axes in figure.axes
        if axes.get_label() != "colour bar"
        for artist in axes.collections
        if isinstance(artist, QuadMesh)
    ]


def bars(figure: Figure) -> list:
    return [axes for axes in figure.axes if axes.get_label() == "colour bar"]


def test_panels_share_one_colour_bar_and_one_scale(
    make_raster: Make, overlays: Overlays
):
    rasters = {period: make_raster(i) for i, period in enumerate(PERIODS)}
    figure = figure_maps(rasters, overlays=overlays, kind="fraction")
    titles = [axes.get_title(loc="left") for axes in figure.axes[:3]]
    assert titles == ["(a) June", "(b) August", "(c) September"]
    assert len(figure.axes) == 4
    (limits,) = {mesh.get_clim() for mesh in meshes(figure)}
    (bar,) = bars(figure)
    assert bar.get_xlabel() == "source fraction [1]"
    assert bar.get_xlim() == limits
    assert 0.0 <= limits[0] < limits[1] <= 1.0


def test_a_scale_from_the_data_is_shared_too(make_raster: Make):
    rasters = {"a": make_raster(0.0) * 0.1, "b": make_raster(0.0) * 0.3}
    limits = {mesh.get_clim() for mesh in meshes(figure_maps(rasters, kind="sd"))}
    assert len(limits) == 1
    assert limits.pop()[0] == 0.0


def test_cells_are_drawn_at_their_true_corners(make_raster: Make, grid: Grid):
    (mesh,) = meshes(figure_maps({"June": make_raster(0.0)}))
    x, y = cell_corners(grid, projection_for(grid.bounds))
    np.testing.assert_allclose(mesh.get_coordinates(), np.dstack([x, y]))
    drawn = np.ma.getmaskarray(mesh.get_array())
    assert np.array_equal(drawn, np.isnan(make_raster(0.0).to_numpy()))


def test_panels_fit_their_extent_without_bands(make_raster: Make, overlays: Overlays):
    figure = figure_maps({"a": make_raster(0), "b": make_raster(1)}, overlays=overlays)
    width, height = figure.get_size_inches()
    for axes in figure.axes[:2]:
        box = axes.get_position()
        shape = (box.width * width) / (box.height * height)
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        assert shape == pytest.approx((right - left) / (top - bottom), rel=1e-6)
        frame = overlays.region.to_crs(axes.projection).total_bounds
        assert left < frame[0] < frame[2] < right
        assert (frame[2] - frame[0]) / (right - left) > 0.95


def test_cells_that_are_not_significant_are_hatched(make_raster: Make, grid: Grid):
    r = make_raster(0.0)
    p = grid.raster(
        np.where(np.arange(258) % 7 < 3, 0.05, 0.0499) * np.ones(grid.shape)
    )
    figure = figure_maps({"June": r}, kind="correlation", p_values={"June": p})
    (patch,) = (
        patch
        for patch in figure.axes[0].patches
        if isinstance(patch, PathPatch) and patch.get_hatch()
    )
    x, y = cell_corners(grid, projection_for(grid.bounds))
    rings = [[c[:-1, :-1], c[:-1, 1:], c[1:, 1:], c[1:, :-1]] for c in (x, y)]
    cells = shapely.polygons(np.moveaxis(np.array(rings), (0, 1), (-1, -2)))
    weak = (p.to_numpy() >= 0.05) & np.isfinite(r.to_numpy())
    hatched = shapely.polygons(
        [shapely.linearrings(ring) for ring in patch.get_path().to_polygons()]
    )
    assert shapely.area(hatched).sum() == pytest.approx(shapely.area(cells[weak]).sum())
    assert figure.legends[0].get_texts()[-1].get_text() == "not significant (p ≥ 0.05)"


def test_nothing_is_hatched_where_all_is_significant(make_raster: Make, grid: Grid):
    p = grid.raster(np.full(grid.shape, 0.001))
    figure = figure_maps({"r": make_raster(0.0)}, kind="correlation", p_values={"r": p})
    assert not [patch for patch in figure.axes[0].patches if patch.get_hatch()]


def test_p_values_of_another_shape_or_title_are_refused(make_raster: Make, grid: Grid):
    figure = figure_maps({"r": make_raster(0.0)})
    small = Grid.from_bounds((90, 32, 91, 33), 0.5, "EPSG:4326").raster(np.ones((2, 2)))
    with pytest.raises(GridMismatchError, match="p values of shape"):
        draw_hatching(figure.axes[0], make_raster(0.0), p_values=small)
    with pytest.raises(InputError, match="p values for \\['July'\\]"):
        figure_maps({"June": make_raster(0.0)}, p_values={"July": small})


def test_only_the_first_panel_has_scale_bar_and_arrow(make_raster: Make):
    figure = figure_maps({"a": make_raster(0.0), "b": make_raster(1.0)})
    words = [[text.get_text() for text in axes.texts] for axes in figure.axes[:2]]
    assert "200 km" in words[0]
    assert "N" in words[0]
    assert words[1] == []


def test_legend_names_the_overlays_that_are_present(
    make_raster: Make, overlays: Overlays
):
    figure = figure_maps({"June": make_raster(0.0)}, overlays=overlays)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["region", "basins", "rivers", "lakes"]
    bare = figure_maps({"June": make_raster(0.0)})
    assert bare.legends == []


def test_overlays_lie_where_their_coordinates_are(
    make_raster: Make, overlays: Overlays
):
    figure = figure_maps({"June": make_raster(0.0)}, overlays=overlays)
    axes = figure.axes[0]
    lines = [c for c in axes.collections if isinstance(c, LineCollection)]
    ends = [np.vstack(c.get_segments()) for c in lines]
    river = shapely.get_coordinates(overlays.rivers.to_crs(axes.projection).geometry[0])
    assert any(np.allclose(e, river) for e in ends if e.shape == river.shape)
    lakes = [p for p in axes.patches if p.get_zorder() == 2]
    assert len(lakes) == 1
    assert len(lakes[0].get_path().to_polygons()) == 2, "an island stays open"


def test_values_beyond_the_scale_give_it_pointed_ends(grid: Grid):
    values = np.full(grid.shape, 0.5)
    values[0, 0] = 1.4
    (bar,) = bars(figure_maps({"a": grid.raster(values)}, kind="ndvi"))
    assert len([p for p in bar.patches if isinstance(p, PathPatch)]) == 1


def test_layers_and_rasters_without_a_crs_are_refused(make_raster: Make):
    bare = gpd.GeoDataFrame(geometry=[shapely.box(90, 32, 91, 33)])
    figure = figure_maps({"June": make_raster(0.0)})
    with pytest.raises(MissingCRSError, match="'rivers' has no coordinate"):
        draw_overlays(figure.axes[0], Overlays(rivers=bare))
    with pytest.raises(MissingCRSError, match="no coordinate reference system"):
        figure_maps({"a": xr.DataArray(np.ones((2, 2)), dims=("y", "x"))})


def test_no_rasters_or_empty_rasters_are_refused(grid: Grid):
    with pytest.raises(InputError, match="No rasters"):
        figure_maps({})
    with pytest.raises(InputError, match="Nothing to map"):
        figure_maps({"a": grid.raster(np.full(grid.shape, np.nan))})


@pytest.mark.parametrize(
    ("count", "extent", "columns"),
    [(1, 2.0, 1), (3, 2.0, 1), (3, 0.8, 3), (4, 2.0, 2), (6, 2.0, 2), (9, 2.0, 3)],
)
def test_wide_panels_are_stacked_and_tall_ones_stand(count, extent, columns):
    projection = projection_for((89.4, 31.55, 102.3, 36.3))
    _, panels = map_panels(
        count, (0.0, extent, 0.0, 1.0), projection, frame=MapFrame(legend_rows=0)
    )
    assert len({round(axes.get_position().x0, 6) for axes in panels}) == columns
    outer = outer_panels(panels)
    assert sum(left for left, _ in outer) == -(-count // columns)
    assert sum(bottom for _, bottom in outer) == columns


def test_no_panels_are_refused():
    projection = projection_for((89.4, 31.55, 102.3, 36.3))
    with pytest.raises(InputError, match="No rasters"):
        map_panels(0, (0.0, 1.0, 0.0, 1.0), projection, frame=MapFrame())


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9])
def test_texts_of_maps_are_readable(
    make_raster: Make, overlays, grid, assert_readable, count
):
    rasters = {f"panel {i}, snowmelt": make_raster(i) for i in range(count)}
    p = {name: grid.raster(np.full(grid.shape, 0.5)) for name in rasters}
    figure = figure_maps(
        rasters,
        overlays=overlays,
        kind="correlation",
        p_values=p,
        title="Correlation of soil moisture with air temperature",
        note="simulated data: not measured",
    )
    assert_readable(figure)
