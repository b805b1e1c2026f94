"""Tests of the matrix of pairs of drawn source fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.plotting.posterior_matrix import figure_posterior_matrix
from geosoil.tracers.draws import FractionDraws

SOURCES = ("precipitation", "ground_ice", "snowmelt", "deep_groundwater")


def make_draws(values, *, reason=("",)) -> FractionDraws:
    table = pd.DataFrame({"period": ["June"]})
    return FractionDraws(table, SOURCES, values[:, np.newaxis], reason, "bayes")


@pytest.fixture
def values():
    return np.random.default_rng(1).dirichlet([8.0, 4.0, 4.0, 2.0], size=4000)


@pytest.fixture
def figure(values):
    return figure_posterior_matrix(
        make_draws(values), 0, title="Pairs of source fractions", note="SIMULATED data"
    )


def test_every_text_is_readable(figure, assert_readable) -> None:
    assert_readable(figure)


def test_correlations_are_those_of_all_draws(figure, values) -> None:
    panels = np.reshape(figure.axes, (4, 4))
    for down in range(4):
        for across in range(down + 1, 4):
            r = np.corrcoef(values[:, down], values[:, across])[0, 1]
            words = f"r = {r:.2f}".replace("-", "\N{MINUS SIGN}")
            assert panels[down, across].texts[0].get_text() == words


def test_dots_are_draws_and_no_more_than_fit(figure, values) -> None:
    dots = np.reshape(figure.axes, (4, 4))[2, 1].lines[0].get_xydata()
    assert len(dots) == 1334
    np.testing.assert_array_equal(dots, values[::3][:, [1, 2]])


def test_axes_at_the_edge_are_named_and_limits_shared(figure) -> None:
    panels = np.reshape(figure.axes, (4, 4))
    assert panels[3, 0].get_xlabel() == "precipitation [1]"
    assert panels[3, 0].get_ylabel() == "deep groundwater [1]"
    assert panels[1, 0].get_xlim() == panels[3, 0].get_xlim()
    assert panels[3, 0].get_ylim() == panels[3, 3].get_xlim()


def test_sources_that_do_not_vary_are_left_out(values, assert_readable) -> None:
    values[:, 2] = 0.0
    figure = figure_posterior_matrix(make_draws(values), 0)
    assert len(figure.axes) == 9
    assert figure.axes[-1].get_xlabel() == "deep groundwater [1]"
    assert_readable(figure)


def test_two_sources_mirror_each_other(values) -> None:
    values[:, 2:] = 0.0
    values[:, 1] = 1.0 - values[:, 0]
    figure = figure_posterior_matrix(make_draws(values), 0)
    assert figure.axes[1].texts[0].get_text() == "r = \N{MINUS SIGN}1.00"


def test_rows_that_cannot_be_drawn_are_refused(values) -> None:
    with pytest.raises(InputError, match="rows 0 to 0"):
        figure_posterior_matrix(make_draws(values), 1)
    fixed = np.tile([1.0, 0.0, 0.0, 0.0], (50, 1))
    with pytest.raises(InputError, match="Only 0"):
        figure_posterior_matrix(make_draws(fixed), 0)
    nothing = make_draws(np.full((50, 4), np.nan), reason=("one site",))
    with pytest.raises(InputError, match="one site"):
        figure_posterior_matrix(nothing, 0)
