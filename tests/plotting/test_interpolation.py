"""Figures of interpolated maps: rows, colours, hatching and sites."""

from __future__ import annotations

import cartopy.crs
import geopandas as gpd
import numpy as np
import pytest
import xarray as xr
from matplotlib.collections import QuadMesh
from matplotlib.patches import PathPatch

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.plotting.interpolation import (
    InterpolatedMap,
    MapWords,
    figure_interpolation,
)
from geosoil.plotting.scales import KINDS
from geosoil.plotting.style import render

GRID = Grid.from_bounds((90.0, 32.0, 94.0, 34.0), 0.25, "EPSG:4326")
SITES = gpd.GeoSeries.from_xy([91.0, 92.5], [32.6, 33.2], crs=4326)


def field(low, high):
    values = np.linspace(low, high, GRID.shape[0] * GRID.shape[1])
    return GRID.raster(values.reshape(GRID.shape))


def meshes(axes):
    return [artist for artist in axes.collections if isinstance(artist, QuadMesh)]


def hatches(axes):
    found = [a for a in axes.get_children() if isinstance(a, PathPatch)]
    return [patch for patch in found if patch.get_hatch()]


def test_the_standard_deviation_stands_beside_the_estimate():
    pair = InterpolatedMap(field(100, 900), field(10, 60))
    words = MapWords(title="Zinc", units="ppm")
    figure = figure_interpolation({"zinc": pair}, words=words)
    left, right = figure.axes[:2]
    assert left.get_title(loc="left") == "estimate"
    assert right.get_title(loc="left") == "standard deviation"
    assert left.get_position().x0 < right.get_position().x0
    assert meshes(right)[0].get_clim()[0] == 0.0
    labels = [axes.get_xlabel() for axes in figure.axes[2:]]
    assert labels == ["zinc [ppm]", "standard deviation of zinc [ppm]"]


def test_deviations_that_are_nearly_alike_have_a_scale_of_their_own():
    figure = figure_interpolation({"z": InterpolatedMap(field(1, 2), field(2.1, 2.2))})
    low, high = meshes(figure.axes[1])[0].get_clim()
    assert low == pytest.approx(2.1)
    assert high == pytest.approx(2.2)


def test_without_a_deviation_there_is_one_panel():
    figure = figure_interpolation({"zinc": InterpolatedMap(field(1, 2))})
    assert len(figure.axes) == 2
    assert figure.axes[0].get_title(loc="left") == ""


def test_rows_share_their_colours():
    maps = {
        "rain": InterpolatedMap(field(0.5, 0.9), field(0.0, 0.1)),
        "ice": InterpolatedMap(field(0.1, 0.5), field(0.1, 0.2)),
    }
    figure = figure_interpolation(maps, words=MapWords(kind=KINDS["fraction"]))
    panels = figure.axes[:4]
    limits = [meshes(panel)[0].get_clim() for panel in panels]
    assert limits[0] == limits[2]
    assert limits[1] == limits[3]
    assert {"rain", "ice"} <= {text.get_text() for text in figure.texts}


def test_a_row_without_a_deviation_leaves_its_panel_empty():
    maps = {
        "a": InterpolatedMap(field(1, 2), field(0, 1)),
        "b": InterpolatedMap(field(1, 2)),
    }
    figure = figure_interpolation(maps)
    assert [len(meshes(panel)) for panel in figure.axes[:4]] == [1, 1, 1, 0]


def test_unsupported_cells_with_an_estimate_are_hatched_in_the_estimate():
    estimate = field(1, 2)
    estimate = estimate.where(estimate["x"] < 93.0)
    marked = xr.zeros_like(field(0, 1), dtype=bool)
    marked[:, 6:] = True
    figure = figure_interpolation(
        {"zinc": InterpolatedMap(estimate, field(0, 1))}, unsupported=marked
    )
    left, right = figure.axes[:2]
    (patch,) = hatches(left)
    assert not hatches(right)
    vertices = patch.get_path().vertices
    # The cells are 91.5 to 93 E: what has no estimate is left free.
    share = np.ptp(vertices[:, 0]) / np.ptp(left.get_xlim())
    assert share == pytest.approx(1.5 / 4.0, abs=0.08)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["not supported by the samples"]


def test_sites_are_marked_on_every_panel():
    pair = InterpolatedMap(field(1, 2), field(0, 1))
    words = MapWords(sites="2 places")
    figure = figure_interpolation({"zinc": pair}, sites=SITES, words=words)
    for panel in figure.axes[:2]:
        (marks,) = [line for line in panel.lines if line.get_marker() == "o"]
        assert len(marks.get_xdata()) == 2
    assert figure.legends[0].get_texts()[0].get_text() == "2 places"


def test_a_whole_world_is_drawn_in_degrees():
    grid = Grid.from_bounds((-180, -90, 180, 90), 10, "EPSG:4326")
    world = grid.raster(np.ones(grid.shape))
    figure = figure_interpolation({"rain": InterpolatedMap(world)})
    assert isinstance(figure.axes[0].projection, cartopy.crs.PlateCarree)


def test_a_constant_map_is_drawn():
    assert render(figure_interpolation({"mean": InterpolatedMap(field(3, 3))}))[:4] == (
        b"\x89PNG"
    )


def test_nothing_to_draw_is_an_error():
    with pytest.raises(InputError, match="No maps to draw"):
        figure_interpolation({})
    empty = InterpolatedMap(field(1, 2).where(False))
    with pytest.raises(InputError, match="Nothing to map"):
        figure_interpolation({"zinc": empty})
    bare = gpd.GeoSeries.from_xy([91.0], [32.6])
    with pytest.raises(MissingCRSError, match="sites"):
        figure_interpolation({"z": InterpolatedMap(field(1, 2))}, sites=bare)
