"""Maps of the region: classes with legends beside them, and the ground in relief."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from textwrap import fill
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.classes import (
    MapClass,
    class_handles,
    draw_classes,
    ranked_classes,
    thinned,
)
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    map_frame,
    missing_handle,
    overlay_handles,
)
from geosoil.plotting.locator import draw_locator
from geosoil.plotting.maps import furnish
from geosoil.plotting.panel_table import (
    PanelTable,
    draw_panel_table,
    draw_table_bar,
    draw_table_legend,
    with_legend,
)
from geosoil.plotting.places import (
    Places,
    draw_places,
    place_handles,
    places_in_frame,
)
from geosoil.plotting.projection import (
    FloatArray,
    finite_points,
    lonlat_bounds,
    map_extent,
    plain_raster,
    projection_for,
)
from geosoil.plotting.relief import draw_relief
from geosoil.plotting.scales import KINDS, MapKind, colour_limits, colour_map
from geosoil.plotting.style import SCREEN, SMALL, FigurePreset, house_style

TERRAIN = MapKind("batlow", KINDS["elevation"].label)
"""Colours of elevation; the light of the relief lies upon them."""

MOST_IN_A_PANEL = 8
"""Classes that a legend beside a panel names; the rarer ones share a line."""

_LONGEST, _LETTER, _LINE, _ENTRY = 26, 0.053, 0.155, 0.5
"""Letters in a line of such a legend; width and height of it in inches."""

_LABELS, _LEAST, _TALLEST, _WIDEST = (0.34, 0.2), 0.45, 0.85, 1.4
"""Room for the locator's labels left of it and below it and its least height [inch],
its largest height by its width, and its largest width by its height."""


@dataclass(frozen=True, slots=True, eq=False)
class MapSheet:
    """What the maps of a study have in common."""

    overlays: Overlays = field(default_factory=Overlays)
    """Outlines and waters."""
    places: tuple[Places, ...] = ()
    """Stations, glaciers and the like, on maps of the region."""
    land: gpd.GeoDataFrame | None = None
    """Polygons of land for the locator."""
    note: str | None = None
    """Small text at the bottom, for instance that the data are simulated."""
    preset: FigurePreset = SCREEN
    """For whom figures are made."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassMap:
    """A map of classes."""

    codes: xr.DataArray
    """Class codes, dims y, x, NaN where there is none; CRS set."""
    classes: Mapping[int, MapClass]
    """What the codes mean, in the order of the legend."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """Classes of a map as they are drawn."""

    plane: xr.DataArray
    """The codes."""
    numbers: npt.NDArray[np.float64]
    """Ranks of the cells' classes."""
    known: list[MapClass]
    """Classes that are present, their labels in lines."""


def figure_class_maps(
    layers: Mapping[str, ClassMap],
    *,
    sheet: MapSheet | None = None,
    title: str = "",
    caption: str = "",
) -> Figure:
    """Compose maps of classes, one below the other, each legend beside its map.

    Parameters
    ----------
    layers : mapping of str to ClassMap
        Panel title and map, such as frozen ground, soil and vegetation.
    sheet : MapSheet, optional
        Outlines, places, land of the locator, note and preset.
    title, caption : str
        Words of the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One panel a map. A legend names the classes that are present; beside the map
        with the most room a small map shows where the region lies, where the sheet
        has a region.

    Raises
    ------
    InputError
        If there is no map, or nothing has a class.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> frozen = grid.raster(np.where(grid.x > 98, 2.0, 1.0) * np.ones(grid.shape))
    >>> names = {1: MapClass("permafrost", "#6a9fc4"), 2: MapClass("seasonal")}
    >>> figure = figure_class_maps({"Frozen ground": ClassMap(frozen, names)})
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['permafrost', 'seasonal']
    """
    if not layers:
        message = "No layers to map. Give one or more, by title."
        raise InputError(message)
    sheet = sheet or MapSheet()
    ranked = [_ranked(one) for one in layers.values()]
    ground = _ground([one.plane for one in ranked], sheet.overlays)
    table = PanelTable(
        tuple(layers),
        columns=1,
        title=title,
        caption=caption,
        note=sheet.note,
        bar=False,
        letters=True,
        wide=True,
        beside=_legend_width(ranked),
        preset=sheet.preset,
    )
    handles = [*_handles(sheet), *([missing_handle()] if _has_gaps(ranked) else [])]
    table = with_legend(table, handles)
    with house_style():
        figure, panels = draw_panel_table(ground.extent, ground.projection, table=table)
        for axes, one in zip(panels, ranked, strict=True):
            draw_classes(axes, one.plane, one.numbers, one.known)
            draw_overlays(axes, sheet.overlays)
            draw_places(axes, places_in_frame(axes, sheet.places), named=0)
            _draw_legend(figure, axes, class_handles(one.known))
        furnish(panels, ground.points)
        _locate(figure, panels, ranked, sheet)
        draw_table_legend(figure, handles, table=table)
    return figure


def figure_terrain(
    elevation: xr.DataArray,
    *,
    sheet: MapSheet | None = None,
    title: str = "",
    caption: str = "",
) -> Figure:
    """Map the ground in relief with basins, waters and named places.

    Parameters
    ----------
    elevation : DataArray with dims y, x
        Elevation [m], CRS set.
    sheet : MapSheet, optional
        Outlines, places, note and preset.
    title, caption : str
        Words of the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One map with its colour bar; the bar shows the colours in even light.

    Raises
    ------
    InputError
        If no cell has a value.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> ground = grid.raster(np.linspace(3000, 5500, 60).reshape(grid.shape))
    >>> figure_terrain(ground, title="Terrain").axes[-1].get_xlabel()
    'elevation [m]'
    """
    sheet = sheet or MapSheet()
    plane = plain_raster(elevation)
    ground = _ground([plane], sheet.overlays)
    table = PanelTable(
        ("",),
        columns=1,
        title=title,
        caption=caption,
        note=sheet.note,
        wide=True,
        preset=sheet.preset,
    )
    handles = _handles(sheet)
    table = with_legend(table, handles)
    limits = colour_limits([plane.to_numpy()], TERRAIN)
    colours = colour_map(TERRAIN.palette)
    with house_style():
        figure, panels = draw_panel_table(ground.extent, ground.projection, table=table)
        draw_relief(panels[0], plane, colours=colours, limits=limits)
        draw_overlays(panels[0], sheet.overlays)
        furnish(panels, ground.points)
        draw_places(panels[0], sheet.places)
        draw_table_bar(figure, table=table, kind=TERRAIN, limits=limits)
        draw_table_legend(figure, handles, table=table)
    return figure


@dataclass(frozen=True, slots=True)
class _Ground:
    """Projection and frame that the panels share."""

    projection: Any
    """Projection of cartopy."""
    points: FloatArray
    """Corners of the cells with a value [m]."""
    extent: tuple[float, float, float, float]
    """Frame of the maps [m]."""


def _ground(planes: Sequence[xr.DataArray], overlays: Overlays) -> _Ground:
    """Find projection and frame of maps."""
    grid = Grid.of(planes[0])
    projection = projection_for(lonlat_bounds(grid.bounds, grid.crs))
    points = finite_points(planes, projection)
    return _Ground(
        projection, points, map_extent(points, map_frame(overlays), projection)
    )


def _ranked(one: ClassMap) -> _Ranked:
    """Rank the classes of a map; break their labels into lines."""
    plane = thinned(plain_raster(one.codes))
    numbers, known = ranked_classes(
        plane.to_numpy().astype(float), one.classes, most=MOST_IN_A_PANEL
    )
    return _Ranked(
        plane, numbers, [replace(c, label=fill(c.label, _LONGEST)) for c in known]
    )


def _legend_width(ranked: Sequence[_Ranked]) -> float:
    """Return the room for legends right of the panels [inch]."""
    lines = [line for one in ranked for c in one.known for line in c.label.split("\n")]
    return max(_LETTER * max(map(len, lines), default=0) + _ENTRY, 1.3)


def _legend_height(known: Sequence[MapClass]) -> float:
    """Return the height of a legend beside a panel [inch]."""
    return _LINE * sum(1 + c.label.count("\n") for c in known)


def _handles(sheet: MapSheet) -> list[Artist]:
    """Return the entries of the legend below the panels."""
    return [*overlay_handles(sheet.overlays), *place_handles(sheet.places)]


def _has_gaps(ranked: Sequence[_Ranked]) -> bool:
    """Say whether cells among the classes have none."""
    return any(bool(np.isnan(one.numbers).any()) for one in ranked)


def _draw_legend(figure: Figure, axes: Axes, handles: Sequence[Artist]) -> None:
    """Draw the legend of a panel right of it, from its upper edge."""
    width = float(figure.get_size_inches()[0])
    box = axes.get_position(original=True)
    figure.legend(
        handles=list(handles),
        loc="upper left",
        bbox_to_anchor=(box.x1 + 0.05 / width, box.y1),
        fontsize=SMALL,
        handlelength=1.4,
        handletextpad=0.5,
        labelspacing=0.45,
        borderaxespad=0.0,
        borderpad=0.1,
    )


def _locate(
    figure: Figure, panels: Sequence[Axes], ranked: Sequence[_Ranked], sheet: MapSheet
) -> None:
    """Draw the small map of the continent where a legend leaves the most room."""
    region = map_frame(sheet.overlays)
    if region is None:
        return
    width, height = (float(size) for size in figure.get_size_inches())
    order = min(range(len(ranked)), key=lambda at: _legend_height(ranked[at].known))
    box = panels[order].get_position(original=True)
    left = box.x1 + (0.1 + _LABELS[0]) / width
    bottom = box.y0 + (_LABELS[1] if order < len(panels) - 1 else 0.0) / height
    free = box.y1 - (_legend_height(ranked[order].known) + 0.1) / height - bottom
    if free * height < _LEAST:
        return
    across = 1.0 - 0.1 / width - left
    free = min(free, across * width / height * _TALLEST)
    across = min(across, free * height / width * _WIDEST)
    draw_locator(figure, (left, bottom, across, free), region, land=sheet.land)
