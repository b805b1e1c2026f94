"""Fraction maps: a row a period, the standard deviation beside, sites and hatching."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.fraction_maps import (
    UNSUPPORTED,
    FractionMap,
    figure_fraction_maps,
)
from geosoil.plotting.style import HESS, render

GRID = Grid.from_bounds((90, 31, 102, 36), 0.5, "EPSG:4326")


def one(level: float, *, hatched: bool = True, sites: int = 4) -> FractionMap:
    fraction = np.full(GRID.shape, level)
    fraction[:, :6] = np.nan
    bad = np.zeros(GRID.shape, dtype=bool)
    bad[:2] = hatched
    points = gpd.GeoSeries.from_xy(
        np.linspace(94, 101, sites), np.full(sites, 33.0), crs=4326
    )
    return FractionMap(
        GRID.raster(fraction),
        GRID.raster(fraction * 0.3),
        points,
        GRID.raster(bad),
        "inverse distances",
    )


def test_each_period_has_a_row_of_fraction_and_deviation() -> None:
    figure = figure_fraction_maps(
        {"June": one(0.2), "August": one(0.6)}, title="Share", note="SIMULATED"
    )
    panels, bars = figure.axes[:4], figure.axes[4:]
    assert [axes.get_title(loc="left") for axes in panels] == [
        "(a) fraction",
        "(b) standard deviation",
        "(c)",
        "(d)",
    ]
    assert panels[0].get_title(loc="right") == "inverse distances"
    assert [bar.get_xlabel() for bar in bars] == [
        "source fraction [1]",
        "standard deviation [1]",
    ]
    limits = [axes.collections[0].get_clim() for axes in panels]
    # The periods share their colours, and no deviation of a fraction passes 0.5.
    assert limits[0] == limits[2]
    assert limits[1] == limits[3] == (0.0, 0.5)
    assert render(figure, dpi=40).startswith(b"\x89PNG")


def test_sites_of_the_own_period_are_drawn_on_both_maps() -> None:
    figure = figure_fraction_maps({"June": one(0.2, sites=3), "August": one(0.6)})
    counts = [
        max(len(line.get_xdata()) for line in axes.lines) for axes in figure.axes[:4]
    ]
    assert counts == [3, 3, 4, 4]


def test_unsupported_cells_are_hatched_and_stand_in_the_legend() -> None:
    figure = figure_fraction_maps({"June": one(0.2), "May": one(0.3, hatched=False)})
    hatched = [
        any(patch.get_hatch() for patch in axes.patches) for axes in figure.axes[:4]
    ]
    assert hatched == [True, True, False, False]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["sites", UNSUPPORTED]
    plain = figure_fraction_maps({"June": one(0.2, hatched=False)})
    assert [text.get_text() for text in plain.legends[0].get_texts()] == ["sites"]


def test_a_journals_page_is_12_cm_wide_and_readable(assert_readable) -> None:
    figure = figure_fraction_maps(
        {"June": one(0.2), "August": one(0.6)},
        title="Share",
        caption="How it was made.",
        note="SIMULATED data: no value on this figure was measured",
        preset=HESS,
    )
    assert figure.get_size_inches()[0] * 2.54 == pytest.approx(12.0)
    assert_readable(figure)
    assert not any(text.get_gid() == "caption" for text in figure.texts)


def test_strokes_are_light_on_dark_ground_and_dark_on_light() -> None:
    drawn = {}
    for name, hatched in (("with", True), ("without", False)):
        maps = {n: one(f, hatched=hatched) for n, f in (("May", 0.0), ("June", 1.0))}
        figure = figure_fraction_maps(maps)
        figure.set_dpi(160.0)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        shown = np.asarray(canvas.buffer_rgba())[::-1, :, :3].astype(int).sum(axis=-1)
        boxes = [axes.get_window_extent().extents for axes in (figure.axes[0::2])]
        drawn[name] = [
            shown[int(y0) + 2 : int(y1) - 2, int((x0 + x1) / 2) :][:, :60]
            for x0, y0, x1, y1 in boxes[:2]
        ]
    dark, light = (
        own - plain for own, plain in zip(drawn["with"], drawn["without"], strict=True)
    )
    assert dark.max() > 200
    assert light.min() < -200


def test_no_map_is_an_error() -> None:
    with pytest.raises(InputError, match="No maps to draw"):
        figure_fraction_maps({})
