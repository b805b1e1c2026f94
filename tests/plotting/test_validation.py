"""Tests of the figure of a cross-validation."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.interpolation.idw import InverseDistance
from geosoil.interpolation.kriging import Kriging
from geosoil.interpolation.validation import CrossValidation, cross_validate
from geosoil.interpolation.validation_scores import score_predictions
from geosoil.interpolation.variogram import Variogram
from geosoil.plotting.validation import figure_cross_validation, score_rows


@pytest.fixture(scope="module")
def kriged() -> CrossValidation:
    rng = np.random.default_rng(1)
    sites = rng.uniform(0, 3000, (40, 2))
    values = np.sin(sites[:, 0] / 700) + rng.normal(0, 0.1, 40)
    model = Variogram("spherical", 0.02, 0.6, 1500.0)
    return cross_validate(Kriging(model), sites, values, folds="block")


@pytest.fixture(scope="module")
def weighted() -> CrossValidation:
    rng = np.random.default_rng(2)
    sites, values = rng.uniform(0, 3000, (20, 2)), rng.normal(size=20)
    values[3] = np.nan
    return cross_validate(InverseDistance(), sites, values)


def test_dots_are_the_table_and_the_line_is_one_to_one(kriged) -> None:
    axes = figure_cross_validation(kriged).axes[0]
    dots = axes.collections[0].get_offsets()
    np.testing.assert_allclose(dots, kriged.table[["observed", "predicted"]])
    line = axes.lines[0].get_xydata()
    np.testing.assert_allclose(line[:, 0], line[:, 1])
    assert axes.get_xlim() == axes.get_ylim()
    assert axes.get_aspect() == 1.0


def test_every_standardised_residual_is_in_a_bar(kriged) -> None:
    axes = figure_cross_validation(kriged).axes[1]
    bars = axes.patches
    total = sum(bar.get_height() * bar.get_width() for bar in bars)
    assert total == pytest.approx(1.0)
    assert bars[0].get_x() < kriged.table["z"].min()
    curve = axes.lines[0].get_xydata()
    peak = curve[np.argmax(curve[:, 1])]
    np.testing.assert_allclose(peak, [0.0, 1 / np.sqrt(2 * np.pi)], atol=1e-12)
    assert axes.get_xlabel() == "standardised residual"


def test_without_a_variance_residuals_have_the_units_of_the_values(weighted) -> None:
    figure = figure_cross_validation(weighted, units="permil")
    residuals, scores = figure.axes[1:]
    assert residuals.get_xlabel().endswith("predicted [permil]")
    assert len(residuals.lines) == 1
    assert len(figure.axes[0].collections[0].get_offsets()) == 19
    assert "\N{EN DASH}" in [text.get_text() for text in scores.texts]


@pytest.mark.parametrize("name", ["kriged", "weighted"])
def test_texts_are_readable(name: str, request, assert_readable) -> None:
    found = request.getfixturevalue(name)
    figure = figure_cross_validation(
        found, title="Kriging of log zinc", note=found.note, units="log ppm"
    )
    assert_readable(figure)


def test_scores_and_folds_are_written(kriged) -> None:
    texts = [text.get_text() for text in figure_cross_validation(kriged).axes[2].texts]
    assert texts[0] == (
        f"ordinary kriging\nblocks of {kriged.block_size / 1000:.3g} km, "
        f"{kriged.n_folds} folds"
    )
    assert f"{kriged.scores.rmse:#.3g}" in texts
    assert f"{kriged.scores.picp90:#.3g}" in texts


def test_words_of_scores_have_three_digits() -> None:
    rows = score_rows(score_predictions([-100.0, 200.0, 300.0], [300.0, 500.0, 700.0]))
    assert rows[:3] == [
        ("n", "3", ""),
        ("ME", "\N{MINUS SIGN}367", "0"),
        ("RMSE", "370", "0"),
    ]


def test_equal_values_make_a_figure() -> None:
    sites = np.random.default_rng(2).uniform(0, 1e4, (5, 2))
    found = cross_validate(InverseDistance(), sites, np.full(5, 3.0))
    assert isinstance(figure_cross_validation(found), Figure)


def test_nothing_predicted_is_no_figure() -> None:
    far = InverseDistance(max_distance=1.0)
    found = cross_validate(far, [[0.0, 0.0], [9.0, 9.0]], [1.0, 2.0])
    with pytest.raises(InputError, match="nothing to draw: no data near enough"):
        figure_cross_validation(found)
