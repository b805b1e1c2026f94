"""Tests of limits that give way to legends and words."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from geosoil.plotting.corners import (
    clear_corners,
    corner_boxes,
    drawn_points,
    say_empty,
    write_corner,
)


def hidden(axes) -> int:
    """Count data behind the corners of a panel."""
    to_share = axes.transData + axes.transAxes.inverted()
    shown = to_share.transform(drawn_points(axes))
    inside = [box.contains(*point) for box in corner_boxes(axes) for point in shown]
    return int(np.sum(inside))


@settings(max_examples=8, deadline=None)
@given(
    st.floats(-9.0, 9.0), st.floats(-100.0, 100.0), st.integers(1, 3), st.integers(0, 9)
)
def test_no_datum_lies_behind_a_legend_or_words(slope, start, entries, seed):
    rng = np.random.default_rng(seed)
    panels = Figure((5.0, 3.0), layout="constrained").subplots(1, 2, sharey=True)
    for axes in panels:
        x = rng.normal(-12.0, 3.0, 20)
        axes.scatter(x, slope * x + start + rng.normal(0.0, 4.0, 20), s=4.0)
        for order in range(entries):
            axes.plot(x[:2], slope * x[:2] + start, label=f"0-20 cm, line {order}")
        axes.legend(loc="lower right")
        write_corner(axes, "LEL: a line\nn = 20")
    before = [axes.dataLim.get_points() for axes in panels]
    clear_corners(panels[0].figure)
    panels[0].figure.draw_without_rendering()
    for axes, (low, high) in zip(panels, before, strict=True):
        assert hidden(axes) == 0
        bottom, top = axes.get_ylim()
        assert bottom <= low[1]
        assert top >= high[1]


def test_limits_stay_where_corners_hide_nothing():
    axes = Figure().subplots()
    axes.scatter([0.0, 1.0], [0.0, 1.0])
    axes.set(xlim=(-1.0, 2.0), ylim=(-9.0, 9.0))
    write_corner(axes, "n = 2")
    clear_corners(axes.figure)
    assert axes.get_ylim() == (-9.0, 9.0)


def test_lines_are_followed_between_their_corners():
    axes = Figure().subplots()
    axes.plot([0.0, 1.0, 1.0], [0.0, 0.0, 2.0])
    points = drawn_points(axes)
    assert np.isclose(np.diff(points, axis=0), 0.0).any(axis=1).all()
    assert len(points) == 82


def test_an_empty_panel_says_so_in_its_corner():
    axes = say_empty(Figure().subplots(), "no slope")
    assert [text.get_text() for text in axes.texts] == ["no slope"]
    assert clear_corners(axes.figure).axes == [axes]
