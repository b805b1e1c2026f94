"""Tests of graticule, scale bar and north arrow."""

from __future__ import annotations

import cartopy.crs as ccrs
import numpy as np
import pytest
from cartopy.geodesic import Geodesic
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from geosoil.plotting.furniture import (
    draw_graticule,
    draw_north_arrow,
    draw_scale_bar,
    emptiest_corner,
    geographic_bounds,
)
from geosoil.plotting.projection import projection_for

STUDY = (89.4, 31.55, 102.3, 36.3)


@pytest.fixture
def panel() -> Axes:
    axes = Figure(figsize=(6.0, 3.0)).add_subplot(projection=projection_for(STUDY))
    axes.set_extent((89.4, 102.3, 31.55, 36.3), crs=ccrs.PlateCarree())
    return axes


def degrees(panel: Axes, x: list[float], y: list[float]) -> np.ndarray:
    points = ccrs.PlateCarree().transform_points(
        panel.projection, np.array(x), np.array(y)
    )
    return points[:, :2]


def test_labels_stand_upright_where_the_lines_meet_the_frame(panel: Axes):
    draw_graticule(panel)
    FigureCanvasAgg(panel.figure).draw()
    (left, _), (bottom, _) = panel.get_xlim(), panel.get_ylim()
    across = [text.get_text() for text in panel.get_xticklabels()]
    along = [text.get_text() for text in panel.get_yticklabels()]
    assert across == ["90°E", "92°E", "94°E", "96°E", "98°E", "100°E", "102°E"]
    assert along == ["32°N", "33°N", "34°N", "35°N", "36°N"]
    ticks = panel.get_xticks()
    found = degrees(panel, list(ticks), [bottom] * len(ticks))[:, 0]
    np.testing.assert_allclose(found, np.arange(90, 103, 2), atol=1e-3)
    ticks = panel.get_yticks()
    found = degrees(panel, [left] * len(ticks), list(ticks))[:, 1]
    np.testing.assert_allclose(found, np.arange(32, 37), atol=1e-3)
    for label in [*panel.get_xticklabels(), *panel.get_yticklabels()]:
        assert label.get_rotation() == 0.0


def test_a_graticule_leaves_the_extent_as_it_was(panel: Axes):
    before = panel.get_xlim(), panel.get_ylim()
    draw_graticule(panel)
    assert (panel.get_xlim(), panel.get_ylim()) == before


def test_inner_panels_have_lines_without_labels(panel: Axes):
    draw_graticule(panel, left=False, bottom=False)
    assert len(panel.collections) == 1
    assert panel.get_xticks().size == panel.get_yticks().size == 0


def test_southern_and_western_degrees_have_their_letters():
    axes = Figure().add_subplot(projection=ccrs.PlateCarree())
    axes.set_extent((-2.2, 2.2, -1.2, 1.2), crs=ccrs.PlateCarree())
    draw_graticule(axes)
    assert [t.get_text() for t in axes.get_yticklabels()] == [
        "1°S",
        "0.5°S",
        "0°",
        "0.5°N",
        "1°N",
    ]
    assert axes.get_xticklabels()[0].get_text() == "2°W"


def test_geographic_bounds_hold_the_corners_of_the_panel(panel: Axes):
    west, east, south, north = geographic_bounds(panel)
    x, y = panel.get_xlim(), panel.get_ylim()
    corners = degrees(panel, [x[0], x[1], x[0], x[1]], [y[0], y[0], y[1], y[1]])
    np.testing.assert_allclose(west, corners[:, 0].min(), atol=1e-6)
    np.testing.assert_allclose(east, corners[:, 0].max(), atol=1e-6)
    assert south <= corners[:, 1].min() + 1e-9
    assert north >= corners[:, 1].max() - 1e-9


@pytest.mark.parametrize(
    "corner", ["lower left", "lower right", "upper left", "upper right"]
)
def test_the_scale_bar_is_true_along_the_ellipsoid(panel: Axes, corner: str):
    draw_scale_bar(panel, corner=corner, length=250.0)
    first, second = (p for p in panel.patches if p.get_gid() == "scale bar")
    start, end = first.get_x(), second.get_x() + second.get_width()
    ends = degrees(panel, [start, end], [first.get_y()] * 2)
    distance = float(Geodesic().inverse(ends[0], ends[1])[0, 0])
    assert distance == pytest.approx(250e3, rel=1e-6)
    x, y = panel.get_xlim(), panel.get_ylim()
    assert x[0] < start < end < x[1]
    assert y[0] < first.get_y() < y[1]
    assert panel.texts[-1].get_text() == "250 km"


def test_the_scale_bar_takes_a_round_length_by_itself(panel: Axes):
    draw_scale_bar(panel)
    assert panel.texts[-1].get_text() == "200 km"


@pytest.mark.parametrize(("corner", "sign"), [("upper left", 1), ("upper right", -1)])
def test_the_arrow_points_along_the_meridian(panel: Axes, corner: str, sign: int):
    draw_north_arrow(panel, corner=corner)
    (arrow,) = (patch for patch in panel.patches if patch.get_gid() == "north")
    tip, _, notch = arrow.get_xy()[:3]
    places = degrees(panel, [tip[0], notch[0]], [tip[1], notch[1]])
    assert places[0, 0] == pytest.approx(places[1, 0], abs=1e-3)
    assert places[0, 1] > places[1, 1]
    assert np.sign(tip[0] - notch[0]) == sign, "meridians meet in the north"


def test_the_emptiest_corner_holds_the_fewest_points():
    axes = Figure().subplots()
    points = np.array([[0.1, 0.1], [0.9, 0.1], [0.9, 0.1]])
    assert (
        emptiest_corner(axes, points, among=("lower right", "lower left"))
        == "lower left"
    )
    assert (
        emptiest_corner(axes, points, among=("lower right", "upper left"))
        == "upper left"
    )
    nothing = np.empty((0, 2))
    assert emptiest_corner(axes, nothing, among=("upper left",)) == "upper left"
