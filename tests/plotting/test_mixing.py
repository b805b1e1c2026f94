"""Tests of the mixing diagram."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from geosoil.errors import InputError
from geosoil.plotting.mixing import figure_mixing_diagram
from geosoil.plotting.mixing_space import draw_mixing_space

JUNE = {
    "precipitation": (-11.0, 8.0),
    "ground_ice": (-15.0, 2.0),
    "snowmelt": (-18.0, 12.0),
}


@pytest.fixture
def end_members() -> pd.DataFrame:
    rows = []
    for period in ("June", "August", "September"):
        for treatment, shift in (("rain as fallen", -3.0), ("rain as evaporated", 0.0)):
            for source, (d18O, d_excess) in JUNE.items():
                if period == "June" or source != "snowmelt":
                    move = shift if source == "precipitation" else 0.0
                    rows.append(
                        (
                            period,
                            treatment,
                            source,
                            d18O + move,
                            d_excess - move,
                            1.0,
                            2.0,
                        )
                    )
    columns = [
        "period",
        "treatment",
        "source",
        "d18O",
        "d_excess",
        "d18O_sd",
        "d_excess_sd",
    ]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def group_means(samples) -> pd.DataFrame:
    soil = samples[samples["water"] == "soil"].copy()
    bands = ["3000-3500", "3500-4000", "4000-4500", "4500-5100"]
    soil["band"] = np.resize(bands, len(soil))
    soil["vegetation"] = np.resize(["meadow", "grassland", "forest"], len(soil))
    tables = []
    for kind, column in (("elevation", "band"), ("vegetation", "vegetation")):
        means = soil.groupby(["period", column])[["d18O", "d_excess"]].mean()
        tables.append(
            means.reset_index().rename(columns={column: "group"}).assign(kind=kind)
        )
    return pd.concat(tables, ignore_index=True)


@pytest.fixture
def figure(samples, end_members, group_means) -> Figure:
    return figure_mixing_diagram(
        samples,
        end_members=end_members,
        group_means=group_means,
        title="Soil water between its sources",
        note="simulated data: not measured",
    )


def spans(axes) -> list[np.ndarray]:
    return [p.get_xy()[:-1] for p in axes.patches if isinstance(p, Polygon)]


def test_three_sources_make_a_triangle_and_two_a_line(figure: Figure):
    june, august, _ = figure.axes
    fallen, evaporated = spans(june)
    for corners, rain in ((fallen, (-14.0, 11.0)), (evaporated, JUNE["precipitation"])):
        wanted = {rain, JUNE["ground_ice"], JUNE["snowmelt"]}
        assert {tuple(corner) for corner in corners} == wanted
    assert spans(august) == []
    ends = [line.get_xydata() for line in august.lines if len(line.get_xydata()) == 2]
    assert any(np.allclose(end, [(-14.0, 11.0), (-15.0, 2.0)]) for end in ends)
    assert any(np.allclose(end, [(-11.0, 8.0), (-15.0, 2.0)]) for end in ends)


def test_bars_are_one_standard_deviation(end_members):
    axes = draw_mixing_space(
        Figure().subplots(), end_members[end_members.period == "June"]
    )
    lengths = [
        np.abs(np.diff(container.lines[2][place].get_segments()[0], axis=0)).max()
        for container in axes.containers
        for place in (0, 1)
    ]
    assert lengths == pytest.approx([2.0, 4.0] * 6)


def test_end_members_without_spread_have_no_bars(end_members):
    bare = end_members.drop(columns=["d18O_sd", "d_excess_sd"])
    axes = draw_mixing_space(Figure().subplots(), bare[bare.period == "June"])
    assert not any(container.has_xerr for container in axes.containers)


def test_crossed_corners_are_put_in_turn():
    square = pd.DataFrame(
        {
            "source": list("abcd"),
            "d18O": [0.0, 1.0, 1.0, 0.0],
            "d_excess": [0.0, 1.0, 0.0, 1.0],
        }
    )
    (corners,) = spans(draw_mixing_space(Figure().subplots(), square))
    x, y = corners.T
    area = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    assert area == pytest.approx(1.0)


def test_only_soil_is_drawn_and_what_lies_beyond_is_counted(figure: Figure, samples):
    june = samples[(samples["period"] == "June") & (samples["water"] == "soil")]
    axes = figure.axes[0]
    np.testing.assert_allclose(
        axes.collections[0].get_offsets(), june[["d18O", "d_excess"]]
    )
    inside = june["d18O"].between(*axes.get_xlim())
    inside &= june["d_excess"].between(*axes.get_ylim())
    beyond = int((~inside).sum())
    words = f"(a) June, n = 30{f' ({beyond} beyond axes)' * (beyond > 0)}"
    assert axes.get_title(loc="left") == words


def test_end_members_and_means_lie_inside_the_axes(
    figure: Figure, end_members, group_means
):
    (left, right), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    for table in (end_members, group_means):
        assert table["d18O"].between(left, right).all()
        assert table["d_excess"].between(bottom, top).all()


def test_the_legend_names_treatments_and_groups_in_order(figure: Figure):
    words = [text.get_text().strip() for text in figure.legends[0].get_texts()]
    assert "mixing space, rain as fallen (open)" in words
    assert "mixing space, rain as evaporated" in words
    assert words.index("grassland") < words.index("meadow") < words.index("forest")
    assert "precipitation (mean ± sd)" in words


def test_incomplete_tables_are_refused(samples, end_members, group_means):
    with pytest.raises(InputError, match=r"sample table lacks column\(s\) d_excess"):
        figure_mixing_diagram(samples.drop(columns="d_excess"), end_members=end_members)
    with pytest.raises(InputError, match=r"end members lacks column\(s\) source"):
        figure_mixing_diagram(samples, end_members=end_members.drop(columns="source"))
    with pytest.raises(InputError, match=r"group means lacks column\(s\) kind"):
        figure_mixing_diagram(
            samples,
            end_members=end_members,
            group_means=group_means.drop(columns="kind"),
        )


def test_texts_of_the_mixing_diagram_are_readable(figure: Figure, assert_readable):
    assert_readable(figure)
