"""Tests of the end-element diagrams."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.contribution_labels import STEPS, drawn_marks
from geosoil.plotting.contributions import draw_contributions, figure_contributions
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.style import PRESETS

JUNE = {
    "precipitation": (-11.0, 8.0),
    "ground_ice": (-15.0, -2.0),
    "snowmelt": (-18.0, 12.0),
}


def table_of(period: str, sources) -> pd.DataFrame:
    rows = [
        {"period": period, "source": source, "d18O": x, "d_excess": y}
        for source, (x, y) in sources.items()
    ]
    return pd.DataFrame(rows)


@pytest.fixture(scope="module")
def ends() -> pd.DataFrame:
    two = {name: JUNE[name] for name in ("precipitation", "ground_ice")}
    tables = [
        table_of("June", JUNE),
        table_of("August", two),
        table_of("September", two),
    ]
    found = pd.concat(tables, ignore_index=True)
    return found.assign(d18O_se=0.3, d2H_se=2.0, d_excess_se=0.5)


@pytest.fixture(scope="module")
def means() -> pd.DataFrame:
    groups = {"all": ["all"], "vegetation": ["meadow", "forest"], "aspect": ["N", "S"]}
    rng = np.random.default_rng(8)
    rows = [
        (period, kind, group, *rng.normal((-13.0, 4.0), (1.0, 3.0)), 0.4, 1.1)
        for period in ("June", "August", "September")
        for kind, names in groups.items()
        for group in names
    ]
    names = ["period", "kind", "group", "d18O", "d_excess", "d18O_se", "d_excess_se"]
    return pd.DataFrame(rows, columns=names)


@pytest.fixture(scope="module", params=PRESETS.values(), ids=list(PRESETS))
def figure(means, ends, request) -> Figure:
    page = DiagramPage("End elements", "SIMULATED data", request.param)
    return figure_contributions(means, end_members=ends, page=page)


def lines(axes, start: str):
    return [line for line in axes.lines if (line.get_gid() or "").startswith(start)]


def test_june_has_three_end_elements_and_later_months_two(figure: Figure):
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) June: three end elements",
        "(b) August: two end elements",
        "(c) September: two end elements",
    ]
    assert [len(axes.patches) for axes in figure.axes] == [1, 0, 0]
    assert [len(lines(axes, "share")) for axes in figure.axes] == [12, 1, 1]


CORNER = st.tuples(st.floats(-30.0, 0.0), st.floats(-40.0, 20.0))


@settings(max_examples=15, deadline=None)
@given(st.lists(CORNER, min_size=3, max_size=3))
def test_lines_of_a_source_have_its_share(corners):
    places = np.vstack([np.transpose(corners), np.ones(3)])
    if abs(np.linalg.det(places)) < 1.0:
        return
    axes = Figure().subplots()
    draw_contributions(axes, table_of("June", dict(zip(JUNE, corners, strict=True))))
    for order, source in enumerate(JUNE):
        for share, line in zip(STEPS, lines(axes, f"share {source}"), strict=True):
            ends = np.vstack([np.transpose(line.get_xydata()), np.ones(2)])
            found = np.linalg.solve(places, ends)
            np.testing.assert_allclose(found[order], share, atol=1e-9)
            assert found.min() > -1e-9


def test_ticks_divide_the_line_of_two_sources(figure: Figure):
    (ticks,) = lines(figure.axes[1], "share ground_ice")
    rain, ice = (np.array(JUNE[name]) for name in ("precipitation", "ground_ice"))
    expected = [rain + share * (ice - rain) for share in STEPS]
    np.testing.assert_allclose(ticks.get_xydata(), expected, atol=1e-12)


def test_bars_are_the_standard_errors_of_the_tables(figure: Figure, means):
    for axes, period in zip(figure.axes, ("June", "August", "September"), strict=True):
        drawn = {c.lines[0].get_gid(): c.lines for c in axes.containers}
        for row in means[means["period"] == period].to_dict("records"):
            mark, _, (across, along) = drawn[f"{row['kind']} {row['group']}"]
            np.testing.assert_allclose(
                mark.get_xydata()[0], (row["d18O"], row["d_excess"])
            )
            (x,), (y,) = across.get_segments(), along.get_segments()
            assert np.ptp(x[:, 0]) == pytest.approx(2.0 * row["d18O_se"])
            assert np.ptp(y[:, 1]) == pytest.approx(2.0 * row["d_excess_se"])
        (y,) = drawn["source precipitation"][2][1].get_segments()
        assert np.ptp(y[:, 1]) == pytest.approx(2.0 * 0.5)


def test_every_mean_and_source_lies_within_its_panel(figure: Figure):
    for axes in figure.axes:
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        marks = drawn_marks(axes)
        assert left < marks[:, 0].min() < marks[:, 0].max() < right
        assert bottom < marks[:, 1].min() < marks[:, 1].max() < top


def test_numbers_stand_clear_of_marks_and_name_the_steps(figure: Figure):
    figure.draw_without_rendering()
    for axes in figure.axes:
        numbers = [text for text in axes.texts if text.get_gid() == "share"]
        assert {text.get_text() for text in numbers} <= {"20", "40", "60", "80"}
        marks = axes.transData.transform(drawn_marks(axes))
        for text in numbers:
            box = text.get_window_extent()
            assert not any(box.contains(*mark) for mark in marks)
    assert any(text.get_gid() == "share" for text in figure.axes[1].texts)


def test_the_legend_names_sources_bars_and_strata(figure: Figure):
    words = {text.get_text().strip() for text in figure.legends[0].get_texts()} - {""}
    assert words == {
        "precipitation",
        "ground ice",
        "snowmelt",
        "mean of all soil water",
        "bars: ± 1 standard error",
        "lines: 20 % steps of a source",
        "meadow",
        "forest",
        "N",
        "S",
    }


def test_texts_of_the_end_elements_are_readable(
    figure: Figure, assert_readable: Callable[[Figure], None]
):
    assert_readable(figure)


def test_other_numbers_of_sources_are_drawn_without_steps(means):
    four = table_of("June", JUNE | {"deep_groundwater": (-14.0, -30.0)})
    one = table_of("August", {"precipitation": JUNE["precipitation"]})
    both = pd.concat([four, one])
    june, august = figure_contributions(means, end_members=both).axes
    assert june.get_title(loc="left") == "(a) June: 4 end elements"
    assert august.get_title(loc="left") == "(b) August: one end element"
    assert lines(june, "share") == lines(august, "share") == []
    assert june.get_ylim()[0] < -30.0


def test_a_period_without_means_says_so(means, ends):
    june = means[means["period"] == "June"]
    figure = figure_contributions(june, end_members=ends)
    words = [text.get_text() for text in figure.axes[1].texts]
    assert "no samples" in words


def test_tables_without_their_columns_are_refused(means, ends):
    with pytest.raises(InputError, match=r"means lacks column\(s\) kind"):
        figure_contributions(means.drop(columns="kind"), end_members=ends)
    with pytest.raises(InputError, match=r"end members lacks column\(s\) d_excess"):
        figure_contributions(means, end_members=ends.drop(columns="d_excess"))
