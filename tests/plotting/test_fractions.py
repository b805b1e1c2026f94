"""Tests of the bars of source fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from geosoil.errors import InputError
from geosoil.plotting.fraction_intervals import (
    figure_fraction_intervals,
    wide_fractions,
)
from geosoil.plotting.fractions import (
    draw_fractions,
    figure_fractions_by_group,
    fraction_sources,
    structural_zeros,
)
from geosoil.plotting.style import HESS

GROUPS = {
    "vegetation": ["meadow", "grassland", "forest"],
    "all": ["all"],
    "aspect": ["E", "N", "S", "W", "flat"],
    "elevation": ["3000-3500", "3500-4000", "4000-4500", "4500-5100"],
}
SOURCES = ["precipitation", "ground_ice", "snowmelt"]


@pytest.fixture
def fractions() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for period in ("August", "June", "September"):
        for kind, names in GROUPS.items():
            for order, group in enumerate(names):
                snow = 0.1 if period == "June" and order > 1 else 0.0
                ice = float(rng.uniform(0.05, 0.3))
                shares = dict(zip(SOURCES, (1 - ice - snow, ice, snow), strict=True))
                row = {"period": period, "kind": kind, "group": group, "n": 10 + order}
                for source, share in shares.items():
                    row[source] = share
                    row[f"{source}_lower"] = max(share - 0.05, 0.0)
                    row[f"{source}_upper"] = min(share + 0.08, 1.0) if share else 0.0
                rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture
def figure(fractions) -> Figure:
    return figure_fractions_by_group(
        fractions, title="Sources of soil water by group", note="simulated data"
    )


def bars(axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def test_bars_of_every_group_reach_one(figure: Figure):
    for axes in figure.axes:
        assert len(bars(axes)) == 13 * 3
        tops: dict[float, float] = {}
        for bar in bars(axes):
            tops[round(bar.get_x(), 6)] = (
                tops.get(round(bar.get_x(), 6), 0) + bar.get_height()
            )
        np.testing.assert_allclose(list(tops.values()), 1.0)


def test_panels_follow_the_season_and_groups_the_strata(figure: Figure):
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "(a) June",
        "(b) August",
        "(c) September",
    ]
    words = [text.get_text() for text in figure.axes[-1].texts]
    assert words[0] == "all samples"
    assert words[5:8] == ["grassland", "meadow", "forest"]
    assert words[8:13] == ["N", "E", "S", "W", "flat"]
    assert words[13:] == ["elevation [m]", "vegetation", "aspect"]


def test_n_stands_under_its_own_bar(figure: Figure, fractions):
    axes = figure.axes[0]
    ticks = dict(zip(axes.get_xticks(), axes.get_xticklabels(), strict=True))
    names = {text.get_text(): text.xy[0] for text in figure.axes[-1].texts}
    june = fractions[fractions["period"] == "June"]
    for row in june[june["kind"] != "all"].to_dict("records"):
        place = names[row["group"].replace("-", "\N{EN DASH}")]
        assert ticks[place].get_text() == f"n={row['n']}"


def test_dots_and_whiskers_show_each_share_on_the_axis_scale(fractions):
    june = fractions[(fractions["period"] == "June") & (fractions["kind"] == "aspect")]
    axes = draw_fractions(Figure().subplots(), june, sources=SOURCES)
    for source, container in zip(SOURCES, axes.containers[1::2], strict=True):
        shown = june[june[source] > 0]
        ends = np.array([s[:, 1] for s in container.lines[2][0].get_segments()])
        wanted = shown[[f"{source}_lower", f"{source}_upper"]]
        np.testing.assert_allclose(ends, wanted)
        (dots,) = (line for line in axes.lines if line.get_gid() == f"share {source}")
        np.testing.assert_allclose(dots.get_ydata(), shown[source])


def test_structural_zeros_are_marked_in_the_colour_of_their_source(figure, fractions):
    june, august, _ = figure.axes
    table = fractions[fractions["period"] == "June"]
    marks = {
        line.get_gid(): len(line.get_xdata())
        for line in june.lines
        if (line.get_gid() or "").startswith("zero")
    }
    assert marks["zero snowmelt"] == int(structural_zeros(table, "snowmelt").sum())
    assert marks["zero ground_ice"] == 0
    (snow,) = (line for line in august.lines if line.get_gid() == "zero snowmelt")
    assert len(snow.get_xdata()) == 13
    colours = {bar.get_facecolor() for bar in bars(august)}
    assert to_rgba(snow.get_color()) in colours


def test_a_share_of_zero_with_an_interval_is_no_structural_zero():
    table = pd.DataFrame({"s": [0.0, 0.0, np.nan], "s_upper": [0.2, 0.0, np.nan]})
    assert structural_zeros(table, "s").tolist() == [False, True, True]


def test_the_legend_explains_sources_whiskers_and_zeros(figure: Figure):
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        "precipitation",
        "ground ice",
        "snowmelt",
        "share and its 95 % interval, from 0",
        "structural zero (colour of the source)",
    ]


def test_sources_of_other_names_are_known_by_their_intervals():
    table = pd.DataFrame(
        {
            "period": ["June"],
            "kind": ["all"],
            "group": ["all"],
            "n": [5],
            "fog": [1.0],
            "fog_lower": [0.9],
            "fog_upper": [1.0],
        }
    )
    assert fraction_sources(table) == ["fog"]
    assert len(figure_fractions_by_group(table).axes) == 1


def test_tables_that_are_no_fractions_are_refused(fractions):
    with pytest.raises(InputError, match=r"lacks column\(s\) kind, n"):
        figure_fractions_by_group(fractions.drop(columns=["kind", "n"]))
    with pytest.raises(InputError, match="no source column"):
        figure_fractions_by_group(fractions[["period", "kind", "group", "n"]])
    with pytest.raises(InputError, match=r"rows \[0, .*Give fractions, not percent"):
        figure_fractions_by_group(fractions.assign(precipitation=72.0))


def test_a_group_without_an_answer_says_so_and_has_no_zeros(fractions):
    lost = fractions.copy()
    where = (lost["kind"] == "aspect") & (lost["group"] == "S")
    lost.loc[where, SOURCES] = np.nan
    axes = figure_fractions_by_group(lost).axes[1]
    (words,) = (text for text in axes.texts if text.get_gid() == "no answer")
    assert words.get_text() == "no answer"
    near = [
        line
        for line in axes.lines
        if (line.get_gid() or "").startswith("zero")
        and np.any(np.abs(line.get_xdata() - words.get_position()[0]) < 0.5)
    ]
    assert near == []


def summary_of(fractions: pd.DataFrame) -> pd.DataFrame:
    rows = [
        {
            "period": row["period"],
            "by": row["kind"],
            "stratum": row["group"],
            "n": row["n"],
            "source": source,
            "mean": row[source],
            "q05": row[f"{source}_lower"],
            "q95": row[f"{source}_upper"],
        }
        for row in fractions.to_dict("records")
        for source in SOURCES
    ]
    return pd.DataFrame(rows)


def test_a_summary_of_draws_gives_the_same_bars(figure, fractions, assert_readable):
    drawn = figure_fraction_intervals(summary_of(fractions), title="Sources")
    for one, other in zip(figure.axes, drawn.axes, strict=True):
        for ours, theirs in zip(bars(one), bars(other), strict=True):
            assert ours.get_bbox().bounds == theirs.get_bbox().bounds
    words = [text.get_text() for text in drawn.legends[0].get_texts()]
    assert "share and its 5 to 95 % interval, from 0" in words
    assert_readable(drawn)


def test_a_summary_in_any_order_gives_the_same_table(fractions):
    summary = summary_of(fractions)
    keys = ["period", "kind", "group"]
    wide = wide_fractions(summary).sort_values(keys, ignore_index=True)
    mixed = wide_fractions(summary.sample(frac=1.0, random_state=1))
    mixed = mixed.sort_values(keys, ignore_index=True)[wide.columns]
    pd.testing.assert_frame_equal(wide, mixed)
    wanted = fractions.sort_values(keys, ignore_index=True)[wide.columns]
    pd.testing.assert_frame_equal(wide, wanted)


def test_weightings_stand_side_by_side_and_fit_a_narrow_page(assert_readable):
    summary = pd.DataFrame(
        {
            "weighting": np.repeat(["samples", "area", "storage"], 3),
            "source": SOURCES * 3,
            "n_rows": 4,
            "mean": [0.7, 0.2, 0.1, 0.6, 0.2, 0.2, 0.8, 0.2, 0.0],
            "q05": [0.6, 0.1, 0.0, 0.5, 0.1, 0.1, 0.7, 0.1, 0.0],
            "q95": [0.8, 0.3, 0.2, 0.7, 0.3, 0.3, 0.9, 0.3, 0.0],
        }
    )
    figure = figure_fraction_intervals(summary, "weighting", note="simulated data")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["samples", "area", "storage", "weighted by"]
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["n=4"] * 3
    assert_readable(figure)


def test_groups_that_a_summary_does_not_tell_apart_are_refused(fractions):
    summary = summary_of(fractions).rename(columns={"stratum": "group"})
    with pytest.raises(InputError, match="stand twice, such as"):
        wide_fractions(summary, "by")
    with pytest.raises(InputError, match=r"lacks column\(s\) q25, vegetation"):
        wide_fractions(summary, "vegetation", bounds=("q25", "q95"))


def test_texts_of_the_bars_are_readable(figure: Figure, assert_readable):
    assert_readable(figure)


def test_texts_of_the_bars_are_readable_in_a_journal(fractions, assert_readable):
    drawn = figure_fractions_by_group(fractions, note="simulated data", preset=HESS)
    assert drawn.get_size_inches()[0] == pytest.approx(HESS.page)
    assert_readable(drawn)
