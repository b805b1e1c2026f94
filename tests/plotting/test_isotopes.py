"""Tests of the dual-isotope diagram."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.isotopes import draw_dual_isotope, equation, figure_dual_isotope
from geosoil.plotting.style import MINUS


@pytest.fixture
def figure(samples, line) -> Figure:
    lel = {"June": line(5.7, -21.18), "August": line(6.8, -7.83)}
    return figure_dual_isotope(
        samples,
        lmwl=line(7.9, 12.43),
        gmwl=line(8.0, 10.0),
        lines_by_period=lel,
        title="Waters and their lines",
        note="simulated data: not measured",
    )


def test_each_period_has_a_panel_with_its_lines_and_equations(figure: Figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "(a) June, n = 150",
        "(b) August, n = 150",
        "(c) September, n = 150",
    ]
    words = [
        [text.get_text() for text in axes.get_legend().get_texts()]
        for axes in figure.axes
    ]
    assert words[0] == [
        "GMWL: δ²H = 8.00 δ¹⁸O + 10.00",
        "LMWL: δ²H = 7.90 δ¹⁸O + 12.43",
        f"LEL: δ²H = 5.70 δ¹⁸O {MINUS} 21.18",
    ]
    assert len(words[2]) == 2, "September has no evaporation line here"


def test_lines_are_drawn_where_their_equations_say(figure: Figure):
    lel = figure.axes[1].lines[2]
    x, y = lel.get_xdata(), lel.get_ydata()
    np.testing.assert_allclose(y, 6.8 * np.asarray(x) - 7.83)


def test_every_water_is_drawn_and_named_once(figure: Figure, samples):
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        "soil water",
        "precipitation",
        "ground ice",
        "snowmelt",
        "river water",
    ]
    soil = samples[(samples["period"] == "June") & (samples["water"] == "soil")]
    clouds = {c.get_label(): c.get_offsets() for c in figure.axes[0].collections}
    np.testing.assert_allclose(clouds["soil water"], soil[["d18O", "d2H"]])
    assert set(clouds) == set(words)


def test_axes_are_shared_and_name_their_units(figure: Figure):
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert figure.axes[0].get_ylabel() == "δ²H [‰ VSMOW]"
    assert [axes.get_xlabel() for axes in figure.axes] == ["δ¹⁸O [‰ VSMOW]"] * 3


def test_negative_numbers_have_minus_signs(line):
    words = equation("X", line(-1.5, -2.0))
    assert words == f"X: δ²H = {MINUS}1.50 δ¹⁸O {MINUS} 2.00"


def test_missing_columns_are_all_named(samples, line):
    with pytest.raises(InputError, match=r"lacks column\(s\) d18O, d2H"):
        draw_dual_isotope(Figure().subplots(), samples[["water"]], lines={})


def test_a_table_without_values_still_shows_the_lines(line):
    table = pd.DataFrame({"water": ["soil"], "d18O": [np.nan], "d2H": [np.nan]})
    axes = draw_dual_isotope(
        Figure().subplots(), table, lines={"GMWL": line(8.0, 10.0)}
    )
    assert len(axes.lines) == 1


def test_texts_of_the_dual_isotope_diagram_are_readable(
    figure: Figure, assert_readable
):
    assert_readable(figure)
