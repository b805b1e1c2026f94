"""Tests of the depth profiles."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.profiles import figure_depth_profiles


@pytest.fixture
def layers() -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "period": ["June"] * 3 + ["August"] * 3,
            "stratum": ["0-20", "20-40", "outside"] * 2,
            "d18O": [-12.0, -12.4, -1.0, -13.0, np.nan, -1.0],
            "d2H": [-90.0, -92.7, -1.0, -100.0, np.nan, -1.0],
            "d_excess": [6.0, 6.6, 7.0, 4.0, np.nan, 7.0],
        }
    )
    return table.assign(d18O_se=0.2, d2H_se=1.5, d_excess_se=[0.4] * 3 + [np.nan] * 3)


@pytest.fixture
def figure(layers) -> Figure:
    return figure_depth_profiles(layers, title="Soil water by depth", note="note")


def test_the_surface_is_at_the_top_and_layers_are_named(figure: Figure) -> None:
    bottom, top = figure.axes[0].get_ylim()
    assert bottom > top
    words = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert words == ["0\N{EN DASH}20 cm", "20\N{EN DASH}40 cm"]


def test_means_and_standard_errors_are_drawn(figure: Figure) -> None:
    june, august = figure.axes[0].containers
    np.testing.assert_allclose(june.lines[0].get_xdata(), [-12.0, -12.4])
    np.testing.assert_allclose(august.lines[0].get_xdata(), [-13.0])
    bars = june.lines[2][0].get_segments()
    np.testing.assert_allclose(
        np.array(bars)[:, :, 0], [[-12.2, -11.8], [-12.6, -12.2]]
    )


def test_texts_of_the_profiles_are_readable(figure: Figure, assert_readable) -> None:
    assert_readable(figure)


def test_missing_columns_are_named(layers) -> None:
    with pytest.raises(InputError, match=r"lacks column\(s\) d2H_se"):
        figure_depth_profiles(layers.drop(columns="d2H_se"))
