"""Figures of EMMA: the artists say what the numbers say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.plotting.emma import figure_emma_space, figure_hooper_residuals
from geosoil.tracers.emma import emma
from geosoil.tracers.emma_residuals import residual_diagnostics
from geosoil.tracers.endmembers import EndMembers

TRACERS = ["Ca", "Mg", "Na", "Cl"]
SOURCES = ["precipitation", "ground_ice", "snowmelt", "deep_groundwater"]
ENDS = np.array([[9.0, 1, 2, 5], [1, 8, 2, 4], [2, 2, 7, 9], [6, 6, 6, 1]])


def ends(count: int) -> EndMembers:
    table = pd.DataFrame(ENDS[:count], columns=TRACERS)
    return EndMembers.from_table(table.assign(source=SOURCES[:count]))


def space_of(n_components: int):
    rng = np.random.default_rng(0)
    values = rng.dirichlet(np.ones(n_components + 1), 50) @ ENDS[: n_components + 1]
    values += 0.25 * rng.standard_normal(values.shape)
    values[4, 2] = np.nan
    table = pd.DataFrame(values, columns=TRACERS)
    return emma(table, tracers=TRACERS, n_components=n_components)


def test_points_are_full_inside_and_open_outside(assert_readable) -> None:
    space = space_of(2)
    answer = space.fractions(ends(3))
    figure = figure_emma_space(space, ends(3), title="Six tracers", note="SIMULATED")
    axes = figure.axes[0]
    inside, outside = axes.collections
    kept = (answer["reason"] == "").to_numpy()
    beyond = (answer["reason"] == "outside mixing space").to_numpy()
    assert kept.sum() + beyond.sum() == 49
    np.testing.assert_allclose(inside.get_offsets(), space.scores[kept])
    np.testing.assert_allclose(outside.get_offsets(), space.scores[beyond])
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[0] == f"mixtures inside, n = {kept.sum()}"
    assert words[1] == f"mixtures outside, n = {beyond.sum()}"
    assert words[2:] == ["precipitation", "ground ice", "snowmelt"]
    assert_readable(figure)


def test_the_triangle_has_the_projected_end_members_for_corners() -> None:
    space = space_of(2)
    axes = figure_emma_space(space, ends(3)).axes[0]
    corners = axes.patches[0].get_xy()[:3]
    wanted = space.project(ends(3))[["U1", "U2"]]
    np.testing.assert_allclose(corners, wanted)
    share = 100 * space.explained["U1"]
    assert axes.get_xlabel() == f"U1 ({share:.1f} % of variance)"


def test_three_components_have_a_panel_a_pair(assert_readable) -> None:
    space = space_of(3)
    others = space.observed.iloc[[0]].assign(source="spring")
    candidates = EndMembers.from_table(others)
    figure = figure_emma_space(space, ends(4), candidates=candidates, title="Three")
    names = [axes.get_title(loc="left") for axes in figure.axes]
    assert names == ["(a) U1 and U2", "(b) U1 and U3", "(c) U2 and U3"]
    assert not figure.axes[0].patches
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[-1] == "spring (candidate)"
    assert_readable(figure)


def test_one_component_has_no_plane() -> None:
    with pytest.raises(InputError, match="One component is kept"):
        figure_emma_space(space_of(1), ends(2))


def test_residual_panels_hold_the_residuals_of_their_rank(assert_readable) -> None:
    space = space_of(2)
    table = space.residuals()
    figure = figure_hooper_residuals(table, title="Residuals", note="SIMULATED")
    assert len(figure.axes) == 12
    found = residual_diagnostics(table).to_dict("records")
    sd = table[table["rank"] == 1].groupby("tracer")["observed"].std()
    for axes, row in zip(figure.axes, found, strict=True):
        assert f"r² = {row['r'] ** 2:.2f}" in axes.get_title(loc="left")
        chosen = (table["rank"] == row["rank"]) & (table["tracer"] == row["tracer"])
        rows = table[chosen].dropna()
        wanted = np.c_[rows["observed"], rows["residual"] / sd[row["tracer"]]]
        np.testing.assert_allclose(axes.collections[0].get_offsets(), wanted)
    assert figure.axes[0].get_title(loc="left").startswith("Ca\n")
    assert figure.axes[4].get_ylabel() == "2 components"
    assert_readable(figure)


def test_a_rank_without_residuals_says_so() -> None:
    figure = figure_hooper_residuals(space_of(2).residuals(4))
    assert all("no residual" in a.get_title(loc="left") for a in figure.axes)


def test_tables_without_residuals_are_refused() -> None:
    table = space_of(2).residuals(1)
    with pytest.raises(InputError, match="lacks column"):
        figure_hooper_residuals(table.drop(columns="residual"))
    with pytest.raises(InputError, match="No row"):
        figure_hooper_residuals(table.assign(residual=np.nan))
