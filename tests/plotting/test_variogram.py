"""Tests of the figure of a variogram."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geosoil.errors import InputError
from geosoil.interpolation.anisotropy import Anisotropy
from geosoil.interpolation.variogram import NestedVariogram, Variogram
from geosoil.plotting.variogram import figure_variogram, model_words

MODEL = Variogram(
    "spherical", 0.1, 0.9, 9000.0, flag="the variance still rises at the cutoff"
)


@pytest.fixture
def classes() -> pd.DataFrame:
    h = np.linspace(500.0, 12000.0, 12)
    return pd.DataFrame(
        {"n": np.arange(10, 130, 10), "distance": h, "gamma": MODEL.gamma(h)}
    )


@pytest.fixture
def directions(classes: pd.DataFrame) -> pd.DataFrame:
    parts = [classes.assign(direction=angle) for angle in (0.0, 45.0, 90.0, 135.0)]
    return pd.concat(parts, ignore_index=True)


def test_points_stand_at_the_classes_and_grow_with_their_pairs(
    classes: pd.DataFrame, assert_readable
) -> None:
    figure = figure_variogram(classes, MODEL, title="Ground ice, June", note="note")
    points = figure.axes[0].collections[0]
    expected = np.column_stack([classes["distance"] / 1000, classes["gamma"]])
    np.testing.assert_allclose(points.get_offsets(), expected)
    assert (np.diff(points.get_sizes()) > 0).all()
    counts = [text.get_text() for text in figure.axes[0].texts]
    assert counts == [str(n) for n in classes["n"]]
    assert_readable(figure)


def test_the_line_is_the_model_and_the_legend_names_its_parameters(
    classes: pd.DataFrame,
) -> None:
    figure = figure_variogram(classes, MODEL)
    h, gamma = figure.axes[0].lines[0].get_data()
    np.testing.assert_allclose(gamma, MODEL.gamma(1000 * np.asarray(h)))
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words[0] == (
        "spherical: nugget 0.1, sill 1, range 9 km\n"
        "the variance still rises at the cutoff"
    )
    assert "10 to 120" in words[-1]


def test_directions_have_colours_and_lines_of_their_own(
    directions: pd.DataFrame, assert_readable
) -> None:
    stretched = Variogram(
        "spherical", 0.1, 0.9, 9000.0, anisotropy=Anisotropy(45.0, 0.3)
    )
    figure = figure_variogram(directions, stretched, title="By direction")
    axes = figure.axes[0]
    colours = {tuple(points.get_facecolor()[0]) for points in axes.collections}
    assert len(colours) == len(axes.lines) == 4
    assert not axes.texts
    ends = [float(line.get_ydata()[150]) for line in axes.lines]
    assert np.argmin(ends) == 1
    assert_readable(figure)
    plain = figure_variogram(directions, MODEL)
    assert len(plain.axes[0].lines) == 1


def test_words_name_every_structure_and_leave_out_what_is_not() -> None:
    nested = NestedVariogram(
        (MODEL, Variogram("matern", 0.0, 1.0, 40000.0, smoothness=1.5))
    )
    assert model_words(nested) == (
        "spherical + matern: nugget 0.1, sill 2, range 9 km, range 40 km, "
        "smoothness 1.5"
    )
    assert model_words(Variogram("nugget", 0.4, 0.0, 1.0)) == (
        "nugget: nugget 0.4, sill 0.4"
    )
    assert model_words(Variogram("power", 0.4, 1.0, 1.2)) == (
        "power: nugget 0.4, exponent 1.2"
    )


def test_a_table_without_classes_or_columns_is_refused(classes: pd.DataFrame) -> None:
    with pytest.raises(InputError, match="no class of distance"):
        figure_variogram(classes.iloc[:0])
    with pytest.raises(InputError, match=r"lacks column\(s\) gamma"):
        figure_variogram(classes.drop(columns="gamma"))


@pytest.mark.parametrize("directions", [1, 4])
def test_the_legend_lies_within_the_figure(directions):
    rows = [
        {"n": 400 + k, "distance": 100.0 * k, "gamma": 0.05 * k, "direction": 45.0 * d}
        for d in range(directions)
        for k in range(1, 12)
    ]
    table = pd.DataFrame(rows)
    if directions == 1:
        table = table.drop(columns="direction")
    variogram = Variogram("spherical", 0.0507, 0.5907, 897.0)
    figure = figure_variogram(table, variogram, title="log zinc", note="155 sites")
    figure.canvas.draw()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1
