"""Tests of the concept map of soil water's sources."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.concept import figure_source_concept
from geosoil.plotting.diagram_page import DiagramPage
from geosoil.plotting.style import DASH, HESS, PRESETS, WATER_STYLES

SOURCES = ["precipitation", "ground_ice", "snowmelt"]
GROUPS = {
    "vegetation": ["meadow", "forest"],
    "all": ["all"],
    "elevation": ["3000-3500", "3500-4000", "4000-4500"],
}


@pytest.fixture(scope="module")
def fractions() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    rows = []
    for period in ("September", "June", "August"):
        for kind, names in GROUPS.items():
            for group in names:
                shares = rng.dirichlet([9.0, 2.0, 1.0])
                if period != "June" or group == "3000-3500":
                    shares = np.array([shares[0] + shares[2], shares[1], 0.0])
                row = {"period": period, "kind": kind, "group": group, "n": 9}
                for source, share in zip(SOURCES, shares, strict=True):
                    row[source] = share
                    row[f"{source}_lower"] = max(share - 0.1, 0.0)
                    row[f"{source}_upper"] = min(share + 0.2, 1.0) if share else 0.0
                rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture(scope="module", params=PRESETS.values(), ids=list(PRESETS))
def figure(fractions, request) -> Figure:
    page = DiagramPage("Contributions", "SIMULATED data", request.param)
    return figure_source_concept(fractions, page=page)


def row_of(axes, group: str) -> float:
    """Place of a stratum's row."""
    names = {
        label.get_text(): place
        for label, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
    }
    return names[group]


def of_row(axes, gid: str, place: float):
    """Lines of a kind in a row."""
    return [
        line
        for line in axes.lines
        if line.get_gid() == gid and abs(line.get_ydata()[0] - place) < 0.5
    ]


def bars(axes, place: float) -> dict[str, tuple[float, float]]:
    """Start and width of each bar of a row, by source."""
    return {
        patch.get_gid().removeprefix("bar "): (patch.get_x(), patch.get_width())
        for patch in axes.patches
        if abs(patch.get_y() + 0.4 - place) < 0.2
    }


def test_a_panel_a_period_with_the_region_first_and_high_ground_on_top(figure: Figure):
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["(a) June", "(b) August", "(c) September"]
    axes = figure.axes[0]
    order = sorted(
        zip(axes.get_yticks(), axes.get_yticklabels(), strict=True),
        key=lambda pair: pair[0],
    )
    assert [label.get_text() for _, label in order] == [
        "whole region",
        "elevation [m]",
        f"4000{DASH}4500",
        f"3500{DASH}4000",
        f"3000{DASH}3500",
        "vegetation",
        "meadow",
        "forest",
    ]
    bottom, top = axes.get_ylim()
    assert bottom > top, "the region's row stands at the top"


def test_bars_and_intervals_are_those_of_the_table(figure: Figure, fractions):
    for axes, period in zip(figure.axes, ("June", "August", "September"), strict=True):
        for row in fractions[fractions["period"] == period].to_dict("records"):
            name = row["group"].replace("-", DASH).replace("all", "whole region")
            place = row_of(figure.axes[0], name)
            drawn, start = bars(axes, place), 0.0
            for source in SOURCES:
                if row[source] == 0:
                    assert source not in drawn
                    continue
                assert drawn[source] == pytest.approx((start, 100.0 * row[source]))
                start += 100.0 * row[source]
                (whisker,) = of_row(axes, f"interval {source}", place)
                ends = [100.0 * row[f"{source}_{end}"] for end in ("lower", "upper")]
                np.testing.assert_allclose(whisker.get_xdata(), ends)
                (dot,) = of_row(axes, f"share {source}", place)
                assert dot.get_xdata()[0] == pytest.approx(100.0 * row[source])
            assert start == pytest.approx(100.0)


def test_numbers_are_the_percentages_in_the_order_of_the_sources(figure, fractions):
    june = fractions[fractions["period"] == "June"]
    axes = figure.axes[0]
    for row in june.to_dict("records"):
        name = row["group"].replace("-", DASH).replace("all", "whole region")
        place = row_of(axes, name)
        words = [
            text
            for text in axes.texts
            if abs(
                (text.xy if text.get_gid() == "behind" else text.get_position())[1]
                - place
                + 0.17
            )
            < 0.1
        ]
        wanted = [f"{100.0 * row[s]:.0f}" for s in SOURCES if row[s] > 0]
        assert sorted(text.get_text() for text in words) == sorted(wanted)


def test_sources_have_their_colours_everywhere(figure: Figure):
    for axes in figure.axes:
        for patch in axes.patches:
            source = patch.get_gid().removeprefix("bar ")
            assert to_hex(patch.get_facecolor()) == WATER_STYLES[source].colour
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        "precipitation",
        "ground ice",
        "snowmelt",
        "share and its 95 % interval, from 0",
    ]


def test_numbers_lie_within_their_bars_or_behind_them(figure: Figure):
    figure.draw_without_rendering()
    for axes in figure.axes:
        boxes = [patch.get_window_extent() for patch in axes.patches]
        for text in axes.texts:
            box = text.get_window_extent()
            if text.get_gid() == "behind":
                assert box.x0 > max(bar.x1 for bar in boxes)
            else:
                assert any(bar.x0 <= box.x0 and box.x1 <= bar.x1 for bar in boxes)


def test_texts_of_the_concept_map_are_readable(
    figure: Figure, assert_readable: Callable[[Figure], None]
):
    assert_readable(figure)


def test_a_share_of_nothing_is_told_but_an_absent_source_is_not(fractions):
    table = fractions[fractions["group"] == "forest"].copy()
    june = table["period"] == "June"
    table.loc[june, ["precipitation", "ground_ice", "snowmelt"]] = [1.0, 0.0, 0.0]
    table.loc[june, "snowmelt_upper"] = 0.0
    table.loc[june, "ground_ice_upper"] = 0.4
    axes = figure_source_concept(table).axes[0]
    place = row_of(axes, "forest")
    assert [text.get_text() for text in axes.texts] == ["100", "0"]
    assert of_row(axes, "interval ground_ice", place)
    assert not of_row(axes, "interval snowmelt", place)


def test_strata_without_samples_or_answers_say_so(fractions):
    table = fractions[
        ~((fractions["period"] == "August") & (fractions["group"] == "forest"))
    ]
    table = table.copy()
    lost = (table["period"] == "September") & (table["group"] == "meadow")
    table.loc[lost, SOURCES] = np.nan
    _, august, september = figure_source_concept(table).axes
    assert [t.get_text() for t in august.texts if t.get_gid() == "no samples"]
    assert [t.get_text() for t in september.texts if t.get_gid() == "no answer"]


def test_many_strata_of_long_names_stay_readable(assert_readable):
    rng = np.random.default_rng(1)
    rows = [
        {
            "period": period,
            "kind": "vegetation",
            "n": 3,
            "group": f"alpine_meadow of the class {order} with a long name",
            "precipitation": share,
            "ground_ice": 1.0 - share,
        }
        for period in ("May", "June", "July", "September")
        for order, share in enumerate(rng.uniform(0.0, 1.0, 12))
    ]
    page = DiagramPage("Many", "SIMULATED data", HESS)
    figure = figure_source_concept(pd.DataFrame(rows), page=page)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["(a) May", "(b) June", "(c) July", "(d) September"]
    assert_readable(figure)


def test_tables_that_are_no_fractions_are_refused(fractions):
    with pytest.raises(InputError, match=r"Give fractions, not percent"):
        figure_source_concept(fractions.assign(precipitation=72.0))
