"""Tests of the dual-isotope diagram."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.isotopes import draw_dual_isotope, figure_dual_isotope
from geosoil.plotting.line_drawing import equation, line_words
from geosoil.plotting.style import MINUS, PRESETS
from geosoil.tracers.lines import WaterLine, fit_water_line


@pytest.fixture(scope="module", params=PRESETS.values(), ids=list(PRESETS))
def figure(samples, request) -> Figure:
    stated = WaterLine.stated
    lel = {"June": stated(5.7, -21.18), "August": stated(6.8, -7.83)}
    return figure_dual_isotope(
        samples,
        lmwl=stated(7.9, 12.43),
        lines_by_period=lel,
        title="Waters and their lines",
        note="simulated data: not measured",
        preset=request.param,
    )


def test_each_period_has_a_panel_with_its_lines_and_equations(figure: Figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [
        "(a) June, n = 150",
        "(b) August, n = 150",
        "(c) September, n = 150",
    ]
    words = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert words[0] == [f"LEL: δ²H = 5.70 δ¹⁸O {MINUS} 21.18"]
    assert words[2] == [], "September has no evaporation line here"
    assert [len(axes.lines) for axes in figure.axes] == [3, 3, 2]


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
        "GMWL: δ²H = 8.00 δ¹⁸O + 10.00",
        "LMWL: δ²H = 7.90 δ¹⁸O + 12.43",
    ]
    soil = samples[(samples["period"] == "June") & (samples["water"] == "soil")]
    clouds = {c.get_label(): c.get_offsets() for c in figure.axes[0].collections}
    np.testing.assert_allclose(clouds["soil water"], soil[["d18O", "d2H"]])
    assert set(clouds) == set(words[:5])


def test_axes_are_shared_and_name_their_units(figure: Figure):
    assert len({axes.get_xlim() for axes in figure.axes}) == 1
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert figure.axes[0].get_ylabel() == "δ²H [‰ VSMOW]"
    assert figure.axes[-1].get_xlabel() == "δ¹⁸O [‰ VSMOW]"


def test_every_sample_lies_within_the_axes(figure: Figure, samples):
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    assert samples["d18O"].between(left, right).all()
    assert samples["d2H"].between(bottom, top).all()


def test_a_fitted_line_tells_r_squared_and_n(samples):
    soil = samples[samples["water"] == "soil"]
    fitted = fit_water_line(soil["d18O"], soil["d2H"])
    r = np.corrcoef(soil["d18O"], soil["d2H"])[0, 1]
    assert line_words("LEL", fitted).splitlines()[1] == f"R² = {r**2:.2f}, n = 90"


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
