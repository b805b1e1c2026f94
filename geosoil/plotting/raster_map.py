"""One map of one raster: a quantity with a colour bar or classes with a legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import cartopy.crs as ccrs
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.classes import (
    MOST_CLASSES,
    MapClass,
    class_handles,
    draw_classes,
    ranked_classes,
    thinned,
)
from geosoil.plotting.furniture import draw_graticule
from geosoil.plotting.layers import (
    MOST_CELLS,
    Overlays,
    draw_overlays,
    draw_raster,
    map_frame,
    overlay_handles,
)
from geosoil.plotting.maps import furnish
from geosoil.plotting.page import title_lines
from geosoil.plotting.panels import MapFrame, draw_colour_bar, draw_legend, map_panels
from geosoil.plotting.projection import (
    Extent,
    FloatArray,
    drawable,
    finite_points,
    lonlat_bounds,
    map_extent,
    plain_raster,
    projection_for,
    transformer,
)
from geosoil.plotting.scales import MapKind, colour_limits, colour_map
from geosoil.plotting.style import HESS, LARGE, PresetName, house_style

BoolArray = npt.NDArray[np.bool_]
Preset = PresetName

__all__ = [
    "MOST_CLASSES",
    "MapClass",
    "Preset",
    "RasterPage",
    "figure_classes",
    "figure_quantity",
]

_INCH = 2.54
_WIDE = 1.4
_COLUMN, _HIGHEST, _BESIDE = 8.3, 15.0, 1.7
"""Narrowest figure, highest panel on a screen, and labels beside a panel [cm]."""

_WORLD = 120.0
"""Degrees beyond which one equal-area projection bends a map too far."""


@dataclass(frozen=True, slots=True)
class RasterPage:
    """What surrounds the map of one raster."""

    title: str = ""
    """Title of the figure."""
    note: str | None = None
    """Small text at the bottom."""
    overlays: Overlays = field(default_factory=Overlays)
    """Outlines and waters; the map is framed by the region where there is one."""
    preset: Preset = "screen"
    """"screen" is 18 cm wide, less where the map is high; "hess" is one column of
    8.3 cm, or 12 cm where the map is wider than high."""


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where the cells of a raster lie, and the frame around them."""

    projection: Any
    """Projection of cartopy."""
    points: FloatArray
    """Corners of the cells with a value [m]."""
    extent: Extent
    """Frame of the map [m]."""
    width: float
    """Width of the figure [inch]."""


def figure_quantity(
    raster: xr.DataArray,
    *,
    kind: MapKind,
    limits: tuple[float, float] | None = None,
    page: RasterPage | None = None,
) -> Figure:
    """Draw one map of a quantity with its colour bar.

    Parameters
    ----------
    raster : DataArray with dims y, x
        Values, NaN where missing; its CRS must be set.
    kind : MapKind
        Colours and words of the scale.
    limits : tuple = (smallest, largest), optional
        Ends of the scale; by default those of the kind, else of the data.
    page : RasterPage, optional
        Title, note, outlines and size.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The map with graticule and colour bar; less than the world also has scale
        bar and north arrow.

    Raises
    ------
    InputError
        If no cell in the frame has a value.
    MissingCRSError
        If the raster or a layer has no CRS.

    Examples
    --------
    >>> from geosoil.plotting.scales import KINDS
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> dem = grid.raster(np.full(grid.shape, 4200.0))
    >>> figure = figure_quantity(dem, kind=KINDS["elevation"])
    >>> figure.axes[-1].get_xlabel()
    'elevation [m]'
    """
    page = page or RasterPage()
    values, grid = drawable(plain_raster(raster), most_cells=MOST_CELLS)
    shown = grid.raster(values)
    ground = _ground(shown, page)
    inside = _inside(shown, ground)
    ends = limits or colour_limits([inside], kind)
    handles = overlay_handles(page.overlays)
    frame = MapFrame(note=page.note, legend_rows=1 if handles else 0)
    with house_style():
        figure, axes = _empty_map(ground, page, frame)
        draw_raster(axes, shown, colours=colour_map(kind.palette), limits=ends)
        draw_overlays(axes, page.overlays)
        _furnish(axes, ground)
        beyond = _beyond(inside, ends)
        draw_colour_bar(figure, kind=kind, limits=ends, frame=frame, beyond=beyond)
        draw_legend(figure, handles, frame=frame, columns=len(handles))
    return figure


def figure_classes(
    codes: xr.DataArray,
    *,
    classes: Mapping[int, MapClass],
    page: RasterPage | None = None,
) -> Figure:
    """Draw one map of classes with a legend of those that are present.

    Parameters
    ----------
    codes : DataArray with dims y, x
        Class codes, NaN where there is none; its CRS must be set.
    classes : mapping of int to MapClass
        What the codes mean, in the order of the legend; a code that is not in it is
        named by its number.
    page : RasterPage, optional
        Title, note, outlines and size.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The map with graticule and legend; less than the world also has scale bar and
        north arrow.

    Raises
    ------
    InputError
        If no cell in the frame has a class.
    MissingCRSError
        If the raster or a layer has no CRS.

    Notes
    -----
    More than :data:`geosoil.plotting.layers.MOST_CELLS` rows or columns are thinned
    to every second, third and so on: a mean of codes is no class.

    Examples
    --------
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> soil = grid.raster(np.where(grid.x > 95, 1.0, 3.0) * np.ones(grid.shape))
    >>> figure = figure_classes(soil, classes={1: MapClass("meadow", "#7fb86b")})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['meadow', '3']
    """
    page = page or RasterPage()
    thin = thinned(plain_raster(codes))
    ground = _ground(thin, page)
    numbers, known = ranked_classes(thin.to_numpy(), classes)
    handles = class_handles(known) + overlay_handles(page.overlays)
    columns = _legend_columns(handles, ground.width)
    rows = -(-len(handles) // columns)
    frame = MapFrame(note=page.note, legend_rows=rows, colour_bar=False)
    with house_style():
        figure, axes = _empty_map(ground, page, frame)
        draw_classes(axes, thin, numbers, known)
        draw_overlays(axes, page.overlays)
        _furnish(axes, ground)
        draw_legend(figure, handles, frame=frame, columns=columns)
    return figure


def _ground(shown: xr.DataArray, page: RasterPage) -> _Ground:
    """Find projection and frame of a raster; refuse a frame without a value."""
    grid = Grid.of(shown)
    west, south, east, north = lonlat_bounds(grid.bounds, grid.crs)
    projection = (
        ccrs.PlateCarree()
        if east - west > _WORLD or not west < east
        else projection_for((west, south, east, north))
    )
    points = finite_points([shown], projection)
    extent = map_extent(points, map_frame(page.overlays), projection)
    if not _in_frame(points[:, 0], points[:, 1], extent).any():
        message = (
            "Nothing to map: no cell inside the region has a value. Check that the "
            "raster overlaps the region."
        )
        raise InputError(message)
    return _Ground(projection, points, extent, _page_width(page.preset, extent))


def _in_frame(x: FloatArray, y: FloatArray, extent: Extent) -> BoolArray:
    """Return which places the frame holds."""
    left, right, bottom, top = extent
    return (x >= left) & (x <= right) & (y >= bottom) & (y <= top)


def _empty_map(
    ground: _Ground, page: RasterPage, frame: MapFrame
) -> tuple[Figure, Axes]:
    """Make the empty map, its title close above it.

    A single panel has no title of its own, whose room the first line of the figure's
    title takes.
    """
    words = title_lines(page.title, width=ground.width) if page.title else ""
    further = words.partition("\n")[2]
    sized = replace(frame, title=further, width=ground.width)
    figure, panels = map_panels(1, ground.extent, ground.projection, frame=sized)
    if words:
        height = float(figure.get_size_inches()[1])
        place = {"x": 0.1 / ground.width, "y": 1.0 - 0.06 / height}
        figure.suptitle(words, fontsize=LARGE, ha="left", va="top", **place)
    return figure, panels[0]


def _page_width(preset: Preset, extent: Extent) -> float:
    """Return the width of the figure, so that a high map fits a screen [inch]."""
    aspect = (extent[1] - extent[0]) / (extent[3] - extent[2])
    if preset == "hess":
        return HESS.page if aspect > _WIDE else HESS.column
    return min(18.0, max(_COLUMN, _HIGHEST * aspect + _BESIDE)) / _INCH


def _furnish(axes: Axes, ground: _Ground) -> None:
    """Give the map its furniture; a map of the world has no one scale to show."""
    if isinstance(ground.projection, ccrs.PlateCarree):
        draw_graticule(axes)
    else:
        furnish([axes], ground.points)


def _inside(shown: xr.DataArray, ground: _Ground) -> FloatArray:
    """Return the values of the cells whose centre the frame holds."""
    grid = Grid.of(shown)
    to_map = transformer(grid.crs, ground.projection)
    x, y = to_map.transform(*np.meshgrid(grid.x, grid.y))
    values: FloatArray = shown.to_numpy()[_in_frame(x, y, ground.extent)]
    return values


def _beyond(values: FloatArray, limits: tuple[float, float]) -> tuple[bool, bool]:
    """Say whether values lie below and above the scale."""
    slack = 1e-6 * (limits[1] - limits[0])
    low, high = values < limits[0] - slack, values > limits[1] + slack
    return bool(low.any()), bool(high.any())


def _legend_columns(handles: Sequence[Artist], width: float) -> int:
    """Return how many columns of the longest entry fit, in rows of even length."""
    longest = max(len(str(handle.get_label())) for handle in handles)
    fitting = int((width - 0.3) / (0.058 * longest + 0.55))
    rows = -(-len(handles) // min(max(fitting, 1), 6))
    return -(-len(handles) // rows)
