"""Figures of what fraction maps rest on: a panel a source and period."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.interpolation.variogram import Variogram, fit_variogram
from geosoil.plotting.fraction_checks import (
    figure_fraction_validation,
    figure_fraction_variants,
    figure_fraction_variograms,
)
from geosoil.plotting.style import DASH, render

PREDICTIONS = pd.DataFrame(
    {
        "period": ["June"] * 4 + ["August"] * 2,
        "source": ["rain", "rain", "snow", "snow", "rain", "rain"],
        "observed": [1.4, 0.2, -0.4, 0.8, 0.3, np.nan],
        "predicted": [0.7, 0.6, 0.3, 0.4, 0.5, 0.4],
    }
)


def test_there_is_a_panel_a_source_and_period_that_occurs() -> None:
    figure = figure_fraction_validation(
        PREDICTIONS, remarks={("June", "rain"): "RMSE 0.6"}, title="check"
    )
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["(a) rain, June", "(b) rain, August", "(c) snow, June"]
    places = figure.axes[0].collections[-1].get_offsets()
    np.testing.assert_allclose(places, [[1.4, 0.7], [0.2, 0.6]])
    # A site without an observation has no mark.
    assert len(figure.axes[1].collections[-1].get_offsets()) == 1
    assert [text.get_text() for text in figure.axes[0].texts] == ["RMSE 0.6"]
    low, high = figure.axes[2].get_xlim()
    assert low < -0.4
    assert high > 1.0
    assert render(figure, dpi=40).startswith(b"\x89PNG")


def test_variograms_show_classes_and_the_model_with_its_noise() -> None:
    x = np.arange(40.0) * 1000.0
    fitted = fit_variogram(np.column_stack([x, 0 * x]), np.sin(x / 6000.0))
    bare = Variogram("nugget", 0.5, 0.0, 20_000.0)
    figure = figure_fraction_variograms(
        [
            ("June", "rain", "rain, ice", fitted, 0.3),
            ("June", "rain", "rain, ice, snow", bare, 0.0),
            ("August", "rain", "rain, ice", fitted, 0.0),
        ]
    )
    assert len(figure.axes) == 2
    first = figure.axes[0]
    assert len(first.lines) == 2
    distance = first.lines[0].get_xdata() * 1000.0
    np.testing.assert_allclose(
        first.lines[0].get_ydata(), fitted.gamma(distance) + 0.3, rtol=1e-9
    )
    assert len(first.collections[0].get_offsets()) == len(fitted.fit.classes)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["where rain, ice can be", "where rain, ice, snow can be"]


def test_variants_are_lines_over_the_bands_and_the_region_apart() -> None:
    rows = [
        ("June", variant, band, "ice", level + 0.1 * step)
        for variant, level in (("as mapped", 0.1), ("without zero rules", 0.3))
        for step, band in enumerate(("all", "3000-4000", "4000-5000"))
    ]
    names = ["period", "variant", "elevation_band", "source", "fraction"]
    figure = figure_fraction_variants(pd.DataFrame(rows, columns=names))
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == [f"3000{DASH}4000", f"4000{DASH}5000", "region"]
    drawn = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 2]
    np.testing.assert_allclose(drawn[0], [0.2, 0.3])
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["as mapped", "without zero rules"]


def test_tables_without_rows_or_columns_are_refused() -> None:
    with pytest.raises(InputError, match="no row"):
        figure_fraction_validation(PREDICTIONS.iloc[:0])
    with pytest.raises(InputError, match="predicted"):
        figure_fraction_validation(PREDICTIONS.drop(columns="predicted"))
    with pytest.raises(InputError, match="No variograms"):
        figure_fraction_variograms([])
    with pytest.raises(InputError, match="variant"):
        figure_fraction_variants(PREDICTIONS)
