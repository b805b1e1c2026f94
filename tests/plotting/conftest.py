"""Small maps and tables, and the texts that a reader sees on a figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from geosoil.grids.grid import Grid
from geosoil.plotting.layers import Overlays

BOUNDS = (89.4, 31.55, 102.3, 36.3)


def _seen(axis) -> Iterator[Text]:
    low, high = sorted(axis.get_view_interval())
    if axis.get_visible():
        yield axis.label
        for tick in axis.get_major_ticks():
            if low <= tick.get_loc() <= high:
                yield tick.label1


def _of_axes(axes: Axes) -> Iterator[Text]:
    yield from axes.texts
    yield from (axes.title, axes._left_title, axes._right_title)
    yield from _seen(axes.xaxis)
    yield from _seen(axes.yaxis)
    if axes.get_legend() is not None:
        yield from axes.get_legend().get_texts()


def visible_texts(figure: Figure) -> list[tuple[str, object]]:
    """Return each visible text with its box in dots, after drawing."""
    FigureCanvasAgg(figure).draw()
    texts = list(figure.texts)
    if figure._suptitle is not None and figure._suptitle not in texts:
        texts.append(figure._suptitle)
    for legend in figure.legends:
        texts.extend(legend.get_texts())
    for axes in figure.axes:
        texts.extend(_of_axes(axes))
    return [
        (text.get_text(), text.get_window_extent())
        for text in texts
        if text.get_visible() and text.get_text().strip()
    ]


@pytest.fixture
def assert_readable() -> Callable[[Figure], None]:
    """Check that no text is cut, too small, or lies over another text."""

    def check(figure: Figure) -> None:
        found = visible_texts(figure)
        frame = figure.bbox
        for words, box in found:
            cut = box.x0 < frame.x0 - 0.5 or box.x1 > frame.x1 + 0.5
            cut |= box.y0 < frame.y0 - 0.5 or box.y1 > frame.y1 + 0.5
            assert not cut, f"'{words}' is cut: {box} in {frame}"
        for order, (first, one) in enumerate(found):
            for second, other in found[order + 1 :]:
                across = min(one.x1, other.x1) - max(one.x0, other.x0)
                along = min(one.y1, other.y1) - max(one.y0, other.y0)
                assert min(across, along) < 1.0, f"'{first}' lies over '{second}'"
        for text in figure.findobj(Text):
            assert text.get_fontsize() >= 7.0, text

    return check


@pytest.fixture(scope="session")
def grid() -> Grid:
    return Grid.from_bounds(BOUNDS, 0.05, "EPSG:4326")


@pytest.fixture(scope="session")
def inside(grid: Grid) -> np.ndarray:
    x, y = np.meshgrid(grid.x, grid.y)
    return ((x - 95.8) / 6.2) ** 2 + ((y - 33.9) / 2.2) ** 2 < 1.0


@pytest.fixture(scope="session")
def make_raster(grid: Grid, inside: np.ndarray) -> Callable[[float], xr.DataArray]:
    x, y = np.meshgrid(grid.x, grid.y)

    def make(phase: float) -> xr.DataArray:
        values = 0.5 + 0.45 * np.sin(x + phase) * np.cos(2.0 * y)
        return grid.raster(np.where(inside, values, np.nan), name="fraction")

    return make


@pytest.fixture(scope="session")
def overlays() -> Overlays:
    turn = np.linspace(0.0, 2.0 * np.pi, 200)
    outline = np.column_stack([95.8 + 6.2 * np.cos(turn), 33.9 + 2.2 * np.sin(turn)])
    region = shapely.Polygon(outline)
    parts = [
        region.intersection(shapely.box(85, 30, 96, 40)),
        region.intersection(shapely.box(96, 30, 105, 40)),
    ]
    river = shapely.LineString([(90.0, 34.0), (95.0, 33.0), (101.0, 34.5)])
    lake = shapely.Polygon(
        [(97.5, 34.8), (98.0, 34.8), (98.0, 35.1), (97.5, 35.1)],
        [[(97.6, 34.9), (97.7, 34.9), (97.7, 35.0)]],
    )

    def layer(*shapes: object) -> gpd.GeoDataFrame:
        return gpd.GeoDataFrame(geometry=list(shapes), crs="EPSG:4326")

    return Overlays(layer(region), layer(*parts), layer(river), layer(lake))


@pytest.fixture(scope="session")
def samples() -> gpd.GeoDataFrame:
    rng = np.random.default_rng(1)
    tables = []
    for period in ("September", "June", "August"):
        for water in ("soil", "precipitation", "ground_ice", "snowmelt", "river"):
            d18O = rng.normal(-13.0, 2.0, 30)
            tables.append(
                pd.DataFrame(
                    {
                        "water": water,
                        "period": period,
                        "d18O": d18O,
                        "d2H": 7.0 * d18O - 6.0 + rng.normal(0.0, 3.0, 30),
                        "longitude": rng.uniform(91.0, 101.0, 30).round(2),
                        "latitude": rng.uniform(33.0, 35.0, 30).round(2),
                    }
                )
            )
    table = pd.concat(tables, ignore_index=True)
    table["d_excess"] = table["d2H"] - 8.0 * table["d18O"]
    places = gpd.points_from_xy(table["longitude"], table["latitude"])
    return gpd.GeoDataFrame(table, geometry=places, crs="EPSG:4326")


@pytest.fixture
def line() -> Callable[[float, float], SimpleNamespace]:
    return lambda slope, intercept: SimpleNamespace(slope=slope, intercept=intercept)
