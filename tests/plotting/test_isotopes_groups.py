"""Tests of bands, trajectories and the figure of groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy import stats

from geosoil.errors import InputError
from geosoil.plotting.corners import corner_boxes, drawn_points
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.isotope_groups import figure_isotope_groups
from geosoil.plotting.line_drawing import LineLook, draw_water_line
from geosoil.plotting.strata_looks import group_colours
from geosoil.plotting.style import PRESETS
from geosoil.plotting.trajectories import draw_trajectories, figure_trajectories
from geosoil.tracers.group_table import LineChoice, group_table
from geosoil.tracers.lines import GMWL, WaterLine, fit_water_line

LMWL = WaterLine.stated(7.9, 12.43)


@pytest.fixture(scope="module")
def soil(samples) -> pd.DataFrame:
    own = pd.DataFrame(samples[samples["water"] == "soil"].drop(columns="geometry"))
    own["site_id"] = np.arange(len(own))
    own["vegetation"] = np.where(own["site_id"] % 3 == 0, "forest", "meadow")
    return own


@pytest.fixture(scope="module", params=PRESETS.values(), ids=list(PRESETS))
def figure(soil, request) -> Figure:
    lines = group_table(soil, ["all", "vegetation"], line=LineChoice(LMWL))
    page = DiagramPage("Groups", "note", request.param)
    return figure_isotope_groups(
        soil, lines, by=["all", "vegetation"], lmwl=LMWL, page=page
    )


def test_a_row_a_kind_and_a_column_a_period(figure: Figure) -> None:
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) June, all samples",
        "(b) August, all samples",
        "(c) September, all samples",
        "(d) June, vegetation",
        "(e) August, vegetation",
        "(f) September, vegetation",
    ]
    assert len({axes.get_xlim() for axes in figure.axes}) == 1


def test_each_group_has_its_samples_and_its_line(figure: Figure, soil) -> None:
    june = soil[soil["period"] == "June"]
    axes = figure.axes[3]
    for name, cloud in zip(("meadow", "forest"), axes.collections, strict=True):
        own = june[june["vegetation"] == name]
        np.testing.assert_allclose(cloud.get_offsets(), own[["d18O", "d2H"]])
    meadow = axes.lines[2]
    own = june[june["vegetation"] == "meadow"]
    slope, intercept = np.polyfit(own["d18O"], own["d2H"], 1)
    x = np.array([own["d18O"].min(), own["d18O"].max()])
    np.testing.assert_allclose(meadow.get_xdata(), x)
    np.testing.assert_allclose(meadow.get_ydata(), slope * x + intercept)
    words = axes.get_legend().get_texts()[0].get_text()
    assert words.startswith(f"meadow: {slope:.2f} ")


def test_the_line_of_all_samples_stands_in_every_panel(figure: Figure, soil) -> None:
    for axes, period in zip(
        figure.axes[3:], ("June", "August", "September"), strict=True
    ):
        own = soil[soil["period"] == period]
        slope = np.polyfit(own["d18O"], own["d2H"], 1)[0]
        (words,) = (text.get_text() for text in axes.texts)
        assert words.startswith(f"LEL: δ²H = {slope:.2f} δ¹⁸O")
        r = np.corrcoef(own["d18O"], own["d2H"])[0, 1]
        assert words.endswith(f"R² = {r**2:.2f}, n = {len(own)}")


def test_legends_and_words_hide_no_data(figure: Figure) -> None:
    figure.draw_without_rendering()
    for axes in figure.axes:
        shown = axes.transAxes.inverted().transform(
            axes.transData.transform(drawn_points(axes))
        )
        boxes = corner_boxes(axes)
        assert len(boxes) == 1 + bool(axes.texts)
        for box in boxes:
            assert not any(box.contains(*point) for point in shown)


def test_a_group_without_a_line_says_so(soil) -> None:
    few = soil.groupby("vegetation").head(2)
    lines = group_table(few, ["vegetation"], line=LineChoice(LMWL))
    figure = figure_isotope_groups(few, lines, by=["vegetation"], lmwl=LMWL)
    words = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert words == ["meadow: no line", "forest: no line"]


def test_colours_of_groups_are_told_apart() -> None:
    assert len(set(group_colours(["N", "E", "S", "W", "flat"]))) == 5
    assert len(set(group_colours(["0-20", "20-40", "40-60", "60-80"]))) == 4


def test_texts_of_the_groups_are_readable(figure: Figure, assert_readable) -> None:
    assert_readable(figure)


def test_the_band_is_the_closed_form_of_least_squares(soil) -> None:
    x, y = soil["d18O"].to_numpy(), soil["d2H"].to_numpy()
    axes = Figure().subplots()
    line = fit_water_line(x, y)
    draw_water_line(axes, line, reach=(-20.0, -5.0), look=LineLook("LEL", "#000000"))
    corners = axes.collections[0].get_paths()[0].vertices
    at = np.linspace(-20.0, -5.0, 60)
    spread = np.sqrt(1 / x.size + (at - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2))
    half = stats.t.ppf(0.975, x.size - 2) * line.rmse * spread
    expected = line.slope * at + line.intercept + half
    for place in (0, 30, 59):
        near = corners[np.isclose(corners[:, 0], at[place])]
        np.testing.assert_allclose(near[:, 1].max(), expected[place], rtol=1e-9)


def test_lines_of_unknown_error_have_no_band() -> None:
    axes = Figure().subplots()
    for line in (GMWL, LMWL):
        draw_water_line(axes, line, reach=(-20.0, 0.0), look=LineLook("", "#000000"))
    assert not axes.collections


def test_arrows_end_on_the_meteoric_line_along_the_slope(soil) -> None:
    axes = draw_trajectories(Figure().subplots(), soil, lmwl=LMWL, slope=3.2)
    start = np.asarray(axes.collections[-1].get_offsets())
    np.testing.assert_allclose(start[:, 1], 7.9 * start[:, 0] + 12.43)
    excess = soil["d2H"] - 7.9 * soil["d18O"] - 12.43
    below = soil[excess < 0][["d18O", "d2H"]].to_numpy()
    assert len(start) == len(below) < len(soil)
    rise = below - start
    np.testing.assert_allclose(rise[:, 1] / rise[:, 0], 3.2)


def test_a_slope_not_below_the_meteoric_line_is_refused(soil) -> None:
    with pytest.raises(InputError, match=r"slope of evaporation 8"):
        draw_trajectories(Figure().subplots(), soil, lmwl=LMWL, slope=8.0)


def test_texts_of_the_trajectories_are_readable(soil, assert_readable) -> None:
    slopes = {"June": 3.2, "August": 3.1}
    figure = figure_trajectories(soil, lmwl=LMWL, slopes=slopes, title="Traced back")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["(a) June, slope 3.20", "(b) August, slope 3.10", "(c) September"]
    assert_readable(figure)
