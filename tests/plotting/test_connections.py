"""Tests of soil water beside the other waters of its region."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.connections import figure_connections
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.style import PRESETS
from geosoil.tracers.group_table import LineChoice, group_table
from geosoil.tracers.lines import WaterLine

LMWL = WaterLine.stated(7.9, 12.43)
BY = ["all", "vegetation"]


@pytest.fixture(scope="module")
def waters(samples) -> pd.DataFrame:
    table = pd.DataFrame(samples.drop(columns="geometry"))
    table["site_id"] = np.arange(len(table)) // 2
    table["vegetation"] = np.where(table["site_id"] % 3 == 0, "forest", "meadow")
    return table


@pytest.fixture(scope="module")
def soil(waters) -> pd.DataFrame:
    return waters[waters["water"] == "soil"]


@pytest.fixture(scope="module")
def strata(soil) -> pd.DataFrame:
    return group_table(soil, BY, line=LineChoice(LMWL))


@pytest.fixture(scope="module")
def others(waters) -> pd.DataFrame:
    other = waters[waters["water"] != "soil"]
    return group_table(other, ["water"], line=LineChoice(LMWL))


@pytest.fixture(scope="module", params=PRESETS.values(), ids=list(PRESETS))
def figure(soil, strata, others, request) -> Figure:
    page = DiagramPage("Connections", "SIMULATED data", request.param)
    return figure_connections(soil, strata, others, lmwl=LMWL, page=page)


def bars(axes) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Place, and ends of the bars along x and y, of each mean."""
    found = {}
    for container in axes.containers:
        mark, _, ends = container.lines
        segments = [bar.get_segments()[0] for bar in ends]
        found[mark.get_gid()] = (mark.get_xydata()[0], *segments)
    return found


def test_a_row_a_period_and_a_column_a_kind(figure: Figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title.partition(",")[0] for title in titles] == [
        "(a) June",
        "(b) June",
        "(c) August",
        "(d) August",
        "(e) September",
        "(f) September",
    ]
    named = [axes.get_legend().get_title().get_text() for axes in figure.axes[-2:]]
    assert named == ["", "vegetation"]


def test_bars_are_the_standard_errors_of_the_tables(figure: Figure, strata, others):
    for place, period in enumerate(("June", "August", "September")):
        rows = strata[(strata["period"] == period) & (strata["by"] == "vegetation")]
        tables = [("soil", rows), ("water", others[others["period"] == period])]
        drawn = bars(figure.axes[2 * place + 1])
        assert len(drawn) == 2 + 4
        for word, table in tables:
            for row in table.to_dict("records"):
                mean, across, along = drawn[f"{word} {row['stratum']}"]
                np.testing.assert_allclose(mean, (row["d18O"], row["d2H"]))
                x = row["d18O"] + row["d18O_se"] * np.array([-1.0, 1.0])
                y = row["d2H"] + row["d2H_se"] * np.array([-1.0, 1.0])
                np.testing.assert_allclose(across[:, 0], x)
                np.testing.assert_allclose(along[:, 1], y)


def test_the_frame_holds_every_mean_with_its_bars(figure: Figure):
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    for axes in figure.axes:
        assert axes.get_xlim() == (left, right)
        assert axes.get_ylim() == (bottom, top)
        for mean, across, along in bars(axes).values():
            assert left < across[:, 0].min() <= mean[0] <= across[:, 0].max() < right
            assert bottom < along[:, 1].min() <= mean[1] <= along[:, 1].max() < top


def test_lines_of_evaporation_are_those_of_the_strata(figure: Figure, strata):
    row = strata[(strata["period"] == "June") & (strata["stratum"] == "meadow")].iloc[0]
    dashed = [line for line in figure.axes[1].lines if line.get_linestyle() == "--"]
    rises = [np.diff(line.get_xydata(), axis=0)[0] for line in dashed]
    slopes = [rise[1] / rise[0] for rise in rises]
    assert len(slopes) == 2
    assert np.isclose(slopes, row["slope"]).sum() == 1


def test_the_legends_name_waters_lines_and_strata(figure: Figure):
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        "precipitation",
        "ground ice",
        "snowmelt",
        "river water",
        "GMWL: δ²H = 8.00 δ¹⁸O + 10.00",
        "LMWL: δ²H = 7.90 δ¹⁸O + 12.43",
        "LEL of soil water",
        "mean ± SE (by site)",
    ]
    strata = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert strata == ["meadow", "forest"]


def test_texts_of_the_connections_are_readable(
    figure: Figure, assert_readable: Callable[[Figure], None]
):
    assert_readable(figure)


def test_a_month_without_soil_says_so_and_one_sample_has_no_bars(soil, others):
    one = soil[soil["period"] == "June"].head(1)
    strata = group_table(
        pd.concat([one, soil[soil["period"] == "August"]]), BY, line=LineChoice(LMWL)
    )
    strata = pd.concat(
        [strata, strata[strata["period"] == "June"].assign(period="May", d18O=np.nan)]
    )
    figure = figure_connections(soil, strata, others, lmwl=LMWL)
    assert figure.axes[0].get_title(loc="left") == "(a) May"
    for axes in figure.axes[:2]:
        assert [text.get_text() for text in axes.texts] == ["no soil samples"]
    single = next(
        c for c in figure.axes[2].containers if "soil" in c.lines[0].get_gid()
    )
    assert single.lines[2] == ()


def test_tables_without_their_columns_are_refused(soil, strata, others):
    with pytest.raises(InputError, match=r"strata lacks column\(s\) slope"):
        figure_connections(soil, strata.drop(columns="slope"), others, lmwl=LMWL)
    with pytest.raises(InputError, match=r"waters lacks column\(s\) d2H_se"):
        figure_connections(soil, strata, others.drop(columns="d2H_se"), lmwl=LMWL)
    with pytest.raises(InputError, match=r"sample table lacks column\(s\) vegetation"):
        figure_connections(soil.drop(columns="vegetation"), strata, others, lmwl=LMWL)
