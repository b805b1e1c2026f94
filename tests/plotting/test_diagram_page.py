"""Tests of the page of a diagram: widths, panels, legends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.plotting.diagram_page import (
    DiagramPage,
    add_panels,
    open_diagram,
    panel_rows,
    share_frame,
)
from geosoil.plotting.legends import (
    labels_height,
    legend_below,
    plan_legend,
    text_width,
    wrapped,
)
from geosoil.plotting.picture import figure_words
from geosoil.plotting.style import HESS, SCREEN, SMALL, house_style

NAMES = st.lists(st.sampled_from(["N", "meadow", "supra-permafrost water", "a" * 70]))


def entries(names) -> list[Line2D]:
    return [Line2D([], [], marker="o", label=name) for name in names]


@settings(max_examples=8, deadline=None)
@given(NAMES.filter(bool), NAMES, st.sampled_from([3.27, 4.72, 9.0]))
def test_legends_lie_within_the_page_and_are_as_high_as_planned(one, two, width):
    groups = [entries(one), entries(two)]
    plan = plan_legend(groups, width=width)
    with house_style():
        page = DiagramPage()
        figure = open_diagram(page, width=width, height=2.0 + plan.height)
        figure.subplots()
        legend = legend_below(figure, *groups)
        FigureCanvasAgg(figure).draw()
    box = legend.get_window_extent()
    assert box.x0 >= 0.0
    assert box.x1 <= figure.bbox.x1
    assert box.height / figure.dpi <= plan.height + 0.12
    assert {t.get_text() for t in legend.get_texts()} >= {
        str(handle.get_label()) for handle in plan.handles
    }


@pytest.mark.parametrize("words", ["δ²H = 6.82 δ¹⁸O", "alpine meadow", "September"])
def test_widths_are_those_of_the_drawn_text(words):
    with house_style():
        figure = Figure((6.0, 2.0), dpi=720)
        text = figure.text(0.0, 0.5, words, fontsize=SMALL)
        FigureCanvasAgg(figure).draw()
    drawn = text.get_window_extent().width / 10.0
    assert text_width(words) == pytest.approx(drawn, abs=1.0)


@given(st.text("ab c", min_size=1, max_size=40), st.floats(20.0, 90.0))
def test_wrapped_words_fit_and_lose_no_letter(words, width):
    lines = wrapped(words, width=width).split("\n")
    assert all(text_width(line) <= width or len(line) == 1 for line in lines)
    assert "".join(lines).replace(" ", "") == words.replace(" ", "")


def test_lines_that_stand_apart_stay_apart():
    assert wrapped("a model\na flag", width=500.0) == "a model\na flag"


@pytest.mark.parametrize(
    ("count", "preset", "rows"), [(3, SCREEN, 1), (3, HESS, 3), (4, HESS, 2)]
)
def test_narrow_pages_stack_panels(count, preset, rows):
    page = DiagramPage(preset=preset)
    assert panel_rows(count, page) == rows
    panels = add_panels(Figure(), count, page)
    assert len(panels) == count
    assert panels[0].get_gridspec().nrows == rows


def test_shared_frames_hold_the_data_of_every_panel():
    panels = list(Figure().subplots(2, 2).flat)
    rng = np.random.default_rng(4)
    for place, axes in enumerate(panels):
        axes.plot(rng.normal(10.0 * place, 1.0, 9), rng.normal(-place, 1.0, 9))
        axes.set_xlabel("x")
        axes.set_ylabel("y")
    share_frame(panels)
    for axes in panels:
        low, high = axes.dataLim.get_points()
        assert axes.get_xlim()[0] < low[0] < high[0] < axes.get_xlim()[1]
        assert axes.get_ylim()[0] < low[1] < high[1] < axes.get_ylim()[1]
    assert [axes.get_xlabel() for axes in panels] == ["", "", "x", "x"]
    assert [axes.get_ylabel() for axes in panels] == ["y", "", "y", ""]


def test_journals_get_no_drawn_title_but_keep_the_words():
    for preset, drawn in ((SCREEN, "Waters"), (HESS, "")):
        page = DiagramPage("Waters", "simulated", preset, "How to read it.")
        figure = open_diagram(page, width=20.0, height=2.0)
        assert figure.get_suptitle() == drawn
        words = figure_words(figure)
        assert (words.title, words.caption) == ("Waters", "How to read it.")
        assert words.note == "simulated"
        assert figure.get_size_inches()[0] == pytest.approx(preset.page)


def test_higher_labels_make_higher_legends():
    assert labels_height(entries(["a\nb"])) > labels_height(entries(["a"]))
