"""Tests of the curves of drawn source fractions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from scipy import stats

from geosoil.errors import InputError
from geosoil.plotting.posterior import (
    draw_posterior_density,
    figure_posterior_densities,
    fraction_density,
)
from geosoil.plotting.style import WATER_STYLES
from geosoil.tracers.draws import FractionDraws

SOURCES = ("precipitation", "ground_ice", "snowmelt")
WEIGHTS = [(60, 20, 10), (30, 8, 0), (20, 20, 3), (8, 4, 4), (300, 2, 1), (0, 0, 0)]


def make_draws(weights, table, *, reason=None) -> FractionDraws:
    rng = np.random.default_rng(1)
    values = np.zeros((1500, len(weights), len(SOURCES)))
    for row, weight in enumerate(np.array(weights, dtype=float)):
        if weight.any():
            known = weight > 0
            values[:, row, known] = rng.dirichlet(weight[known], size=1500)
        else:
            values[:, row] = np.nan
    words = reason or ("",) * len(weights)
    return FractionDraws(pd.DataFrame(table), SOURCES, values, words, "bayes")


@pytest.fixture(scope="module")
def draws() -> FractionDraws:
    table = {
        "period": ["June"] * 6,
        "kind": ["all"] + ["elevation"] * 3 + ["vegetation"] * 2,
        "group": ["all", "3000-3500", "3500-4000", "4000-4500", "forest", "meadow"],
        "n": [226, 40, 60, 80, 9, 3],
    }
    reason = ("",) * 5 + ("no end member in September",)
    return make_draws(WEIGHTS, table, reason=reason)


@pytest.fixture(scope="module")
def prior() -> FractionDraws:
    return make_draws([(1, 1, 1)], {"name": ["prior"]})


@pytest.fixture
def figure(draws, prior) -> Figure:
    return figure_posterior_densities(
        draws, prior=prior, title="Sources of soil water", note="SIMULATED data"
    )


def test_every_text_is_readable(figure, assert_readable) -> None:
    assert_readable(figure)


def test_one_panel_is_readable(draws, prior, assert_readable) -> None:
    one = make_draws(WEIGHTS[:1], {"period": ["June"]})
    assert_readable(figure_posterior_densities(one, prior=prior, note="SIMULATED"))


@pytest.mark.slow
def test_forty_panels_are_readable(assert_readable) -> None:
    table = {
        "period": ["September"] * 40,
        "group": ["alpine meadow"] * 40,
        "n": range(40),
    }
    figure = figure_posterior_densities(make_draws([(4, 4, 1)] * 40, table), title="x")
    assert len(figure.axes) == 40
    assert "(" not in figure.axes[0].get_title(loc="left").split("(n=")[0]
    assert_readable(figure)


def test_panels_are_named_by_their_groups(figure) -> None:
    titles = [axes.get_title(loc="left").replace("\n", " ") for axes in figure.axes]
    assert titles[0] == "(a) June (n=226)"
    assert titles[1] == "(b) June, 3000\N{EN DASH}3500 (n=40)"
    assert titles[5] == "(f) June, meadow (n=3)"


def test_columns_of_names_can_be_chosen(draws) -> None:
    figure = figure_posterior_densities(draws, labels=["group"])
    assert figure.axes[4].get_title(loc="left") == "(e) forest (n=9)"
    with pytest.raises(InputError, match="aspect"):
        figure_posterior_densities(draws, labels=["aspect"])


def test_curves_have_the_colours_of_the_waters(figure) -> None:
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    colours = [to_rgba(line.get_color()) for line in lines]
    assert colours == [to_rgba(WATER_STYLES[source].colour) for source in SOURCES]


def test_curves_peak_near_the_mean_of_the_draws(figure, draws) -> None:
    lines = [line for line in figure.axes[0].lines if line.get_linestyle() == "-"]
    means = draws.values[:, 0].mean(axis=0)  # noqa: PD011  a plain array
    for order, line in enumerate(lines):
        peak = line.get_xdata()[np.argmax(line.get_ydata())]
        assert peak == pytest.approx(means[order], abs=0.03)


def test_prior_is_dashed_and_in_the_legend(figure, draws) -> None:
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() != "-"]
    assert [line.get_label() for line in dashed] == [
        f"prior of {WATER_STYLES[source].label}" for source in SOURCES
    ]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "prior (colour of the source)" in words
    bare = figure_posterior_densities(draws)
    assert all(line.get_linestyle() in ("-", "None") for line in bare.axes[0].lines)


def test_a_structural_zero_is_a_cross_and_no_curve(figure, draws) -> None:
    marks = [line.get_gid() for line in figure.axes[1].lines if line.get_gid()]
    assert marks == ["zero snowmelt"]
    assert "snowmelt" not in [line.get_label() for line in figure.axes[1].lines]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "structural zero (colour of the source)" in words


def test_a_row_without_an_answer_says_why_and_is_no_zero(draws, figure) -> None:
    words = figure.axes[5].texts[0].get_text().replace("\n", " ")
    assert words == "no answer: no end member in September"
    whole = make_draws([(4, 2, 1), (0, 0, 0)], {"period": ["June", "August"]})
    legend = figure_posterior_densities(whole).legends[0].get_texts()
    assert not any("zero" in text.get_text() for text in legend)


def test_a_far_higher_curve_does_not_flatten_the_others() -> None:
    rng = np.random.default_rng(2)
    broad = rng.uniform(0.2, 0.6, size=2000)
    narrow = np.full(2000, 0.05) + rng.normal(0.0, 1e-4, size=2000)
    values = np.column_stack([broad, narrow, 1.0 - broad - narrow])[:, np.newaxis]
    table = pd.DataFrame({"period": ["June"]})
    draws = FractionDraws(table, SOURCES, values, ("",), "bayes")
    axes = draw_posterior_density(Figure().subplots(), draws, 0)
    peaks = [line.get_ydata().max() for line in axes.lines]
    assert peaks[1] > 15 * peaks[0]
    assert axes.get_ylim()[1] == pytest.approx(1.08 * 5.0 * min(peaks))


@pytest.mark.parametrize("shape", [(2.0, 5.0), (1.0, 1.0), (1.0, 4.0), (30.0, 60.0)])
def test_density_is_that_of_the_distribution(shape) -> None:
    share = np.random.default_rng(3).beta(*shape, size=100_000)
    x, density = fraction_density(share)
    wanted = stats.beta.pdf(x, *shape)
    assert density.mean() == pytest.approx(1.0, abs=1e-9)
    assert np.abs(density - wanted).mean() < 0.04


def test_density_of_equal_draws_is_a_narrow_peak() -> None:
    for value in (0.0, 0.3, 1.0):
        x, density = fraction_density(np.full(50, value))
        assert density.mean() == pytest.approx(1.0)
        assert x[density.argmax()] == pytest.approx(value, abs=0.003)


def test_wrong_draws_are_refused(draws, prior) -> None:
    table = pd.DataFrame({"period": ["June"]})
    percent = FractionDraws(table, SOURCES, np.full((3, 1, 3), 33.0), ("",), "bayes")
    with pytest.raises(InputError, match=r"outside 0\.\.1"):
        figure_posterior_densities(percent)
    empty = FractionDraws(table[:0], SOURCES, np.zeros((3, 0, 3)), (), "bayes")
    with pytest.raises(InputError, match="no row"):
        figure_posterior_densities(empty)
    other = FractionDraws(
        prior.table, ("a", "b", "c"), prior.values, prior.reason, "bayes"
    )
    with pytest.raises(InputError, match="sources a, b, c"):
        figure_posterior_densities(draws, prior=other)
