"""Tests of the mixing diagram."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Polygon

from geosoil.errors import InputError
from geosoil.plotting.ellipses import confidence_radius
from geosoil.plotting.mixing import figure_mixing_diagram
from geosoil.plotting.mixing_space import draw_mixing_space
from geosoil.plotting.style import HESS

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
    june, august, *_ = figure.axes
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
    assert "precipitation (mean ± sd)" in words
    elevation, vegetation = (figure.axes[place].get_legend() for place in (5, 8))
    assert elevation.get_title().get_text() == "elevation [m]"
    names = [text.get_text() for text in vegetation.get_texts()]
    assert names == ["grassland", "meadow", "forest"]


def test_each_kind_of_group_has_a_row_of_panels_in_one_frame(figure, group_means):
    assert len(figure.axes) == 3 * (1 + 2)
    titles = [axes.get_title(loc="left") for axes in figure.axes[3:]]
    assert titles[0] == "(d) June"
    assert titles[-1] == "(i) September"
    frames = {(axes.get_xlim(), axes.get_ylim()) for axes in figure.axes[3:]}
    assert len(frames) == 1
    rows = group_means.query("kind == 'vegetation' and period == 'August'")
    marks = {
        line.get_label(): tuple(line.get_xydata()[0])
        for line in figure.axes[7].lines
        if line.get_label() in set(rows["group"])
    }
    wanted = rows.set_index("group")[["d18O", "d_excess"]]
    assert marks == {group: tuple(row) for group, row in wanted.iterrows()}
    looks = {
        (line.get_marker(), line.get_color())
        for line in figure.axes[7].lines
        if line.get_label() in set(rows["group"])
    }
    assert len(looks) == 3


def with_covariance(end_members: pd.DataFrame) -> pd.DataFrame:
    return end_members.assign(d2H_sd=8.0, d18O_d2H_cov=7.0, n=16)


def with_errors(group_means: pd.DataFrame, n_sites: int = 12) -> pd.DataFrame:
    whole = group_means.groupby("period")[["d18O", "d_excess"]].mean().reset_index()
    whole = whole.assign(kind="all", group="all samples")
    means = pd.concat([whole, group_means], ignore_index=True)
    return means.assign(d18O_se=0.4, d2H_se=3.0, d_excess_se=1.0, n_sites=n_sites)


def ellipses(axes, start: str) -> list[Ellipse]:
    return [
        patch
        for patch in axes.patches
        if isinstance(patch, Ellipse) and patch.get_gid().startswith(start)
    ]


def outline(patch: Ellipse) -> np.ndarray:
    turn = np.linspace(0.0, 2.0 * np.pi, 720, endpoint=False)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    return patch.get_patch_transform().transform(circle)


@pytest.fixture
def full(samples, end_members, group_means) -> Figure:
    return figure_mixing_diagram(
        samples,
        end_members=with_covariance(end_members),
        group_means=with_errors(group_means),
        title="Soil water between its sources",
        note="simulated data: not measured",
    )


def test_ellipses_of_samples_reach_one_standard_deviation(full: Figure):
    june, august, *_ = full.axes
    assert len(ellipses(june, "samples")) == 6
    assert len(ellipses(august, "samples")) == 4
    assert not any(container.has_xerr for container in june.containers)
    (ice, _) = ellipses(june, "samples ground_ice")
    corners = outline(ice)
    np.testing.assert_allclose(corners.mean(axis=0), (-15.0, 2.0), rtol=1e-9)
    assert np.ptp(corners[:, 0]) == pytest.approx(2.0, rel=1e-4)
    excess_sd = np.sqrt(64.0 + 64.0 - 16.0 * 7.0)
    assert np.ptp(corners[:, 1]) == pytest.approx(2.0 * excess_sd, rel=1e-4)


def test_thick_ellipses_are_those_of_the_mean(full: Figure):
    (wide, _) = ellipses(full.axes[0], "samples ground_ice")
    (mean, _) = ellipses(full.axes[0], "mean ground_ice")
    wanted = confidence_radius(0.95, n_units=16) / np.sqrt(16)
    assert mean.width / wide.width == pytest.approx(wanted)
    assert mean.get_linewidth() > 2 * wide.get_linewidth()
    assert ellipses(full.axes[3], "samples") == []
    assert len(ellipses(full.axes[3], "mean")) == 6


def test_every_group_mean_has_its_ellipse_in_its_colour(full: Figure):
    assert len(ellipses(full.axes[0], "group all samples")) == 1
    axes = full.axes[6]
    for patch in ellipses(axes, "group"):
        name = patch.get_gid().removeprefix("group ")
        (mark,) = (line for line in axes.lines if line.get_label() == name)
        assert tuple(mark.get_xydata()[0]) == patch.get_center()
        assert to_rgba(mark.get_color()) == patch.get_edgecolor()
    assert len(ellipses(axes, "group")) == 3


def test_ellipses_of_groups_lie_within_their_frame(full: Figure):
    for axes in full.axes[3:]:
        (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
        for patch in ellipses(axes, "group"):
            edge = outline(patch)
            assert left < edge[:, 0].min() < edge[:, 0].max() < right
            assert bottom < edge[:, 1].min() < edge[:, 1].max() < top


def test_means_of_two_sites_have_a_mark_but_no_ellipse(
    samples, end_members, group_means
):
    figure = figure_mixing_diagram(
        samples,
        end_members=end_members,
        group_means=with_errors(group_means, n_sites=2),
    )
    assert all(ellipses(axes, "group") == [] for axes in figure.axes)
    assert len(figure.axes[3].lines) > 4


def test_the_legend_explains_the_ellipses_that_are_drawn(full: Figure, figure: Figure):
    words = [text.get_text() for text in full.legends[0].get_texts()]
    for entry in (
        "precipitation (mean)",
        "source: 1 sd of its samples",
        "source: 95 % of its mean",
        "mean of all soil samples",
        "soil: 95 % of its mean (by site)",
    ):
        assert entry in words
    bare = [text.get_text() for text in figure.legends[0].get_texts()]
    assert not any("95 %" in entry for entry in bare)


def test_texts_of_the_full_diagram_are_readable(full: Figure, assert_readable):
    assert_readable(full)


def test_without_groups_there_is_one_row(samples, end_members, assert_readable):
    figure = figure_mixing_diagram(samples, end_members=with_covariance(end_members))
    assert len(figure.axes) == 3
    assert_readable(figure)


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


def test_texts_of_the_mixing_diagram_are_readable_in_a_journal(
    samples, end_members, group_means, assert_readable
):
    many = group_means.assign(group=group_means["group"] + " of a long name")
    figure = figure_mixing_diagram(
        samples,
        end_members=with_covariance(end_members),
        group_means=with_errors(many),
        note="simulated data",
        preset=HESS,
    )
    assert figure.get_size_inches()[0] == pytest.approx(HESS.page)
    assert_readable(figure)
