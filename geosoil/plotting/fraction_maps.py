"""Maps of source fractions by period, their standard deviation beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.grids.points import point_coordinates
from geosoil.plotting.hatching import hatch_cells, hatch_handle
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    draw_raster,
    map_frame,
    overlay_handles,
)
from geosoil.plotting.maps import furnish
from geosoil.plotting.panel_table import (
    PanelTable,
    draw_panel_table,
    draw_table_bar,
    draw_table_legend,
    with_legend,
)
from geosoil.plotting.projection import (
    finite_points,
    lonlat_bounds,
    map_extent,
    map_projection,
    plain_raster,
    projection_for,
)
from geosoil.plotting.scales import KINDS, MapKind, colour_limits, colour_map
from geosoil.plotting.style import INK, SCREEN, FigurePreset, house_style

UNSUPPORTED = "not supported by the sites"
"""Words for hatched cells."""

SD = MapKind(KINDS["sd"].palette, KINDS["sd"].label, (0.0, 0.5))
"""Scale of standard deviations: those of fractions never pass 0.5."""

_SITE = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 2.4,
    "markerfacecolor": "white",
    "markeredgecolor": INK,
    "markeredgewidth": 0.5,
}


@dataclass(frozen=True, slots=True, eq=False)
class FractionMap:
    """The map of one source in one period."""

    fraction: xr.DataArray
    """Fractions, dims (y, x), CRS set."""
    sd: xr.DataArray
    """Their standard deviation on the same grid."""
    sites: gpd.GeoDataFrame | gpd.GeoSeries | None = None
    """Sites of the period, CRS set."""
    unsupported: xr.DataArray | None = None
    """True in cells that the sites do not support; they are hatched."""
    words: str = ""
    """Small words above the fractions, such as the method."""


def figure_fraction_maps(
    periods: Mapping[str, FractionMap],
    *,
    overlays: Overlays | None = None,
    title: str = "",
    caption: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Compose the maps of one source: a row a period, its standard deviation beside it.

    Parameters
    ----------
    periods : mapping of str to FractionMap
        Period and its map.
    overlays : Overlays, optional
        Region, basins, rivers and lakes.
    title : str
        Title of the figure.
    caption : str
        Paragraphs below the panels.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is made.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Fractions share one colour bar, standard deviations another; sites are drawn
        on both, unsupported cells are hatched and stand in the legend.

    Raises
    ------
    InputError
        If there is no map, or nothing has a value.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> june = FractionMap(*[grid.raster(np.full(grid.shape, f)) for f in (0.7, 0.1)])
    >>> figure = figure_fraction_maps({"June": june}, title="Share of precipitation")
    >>> [axes.get_xlabel() for axes in figure.axes[2:]]
    ['source fraction [1]', 'standard deviation [1]']
    """
    if not periods:
        message = "No maps to draw. Give one or more, by period."
        raise InputError(message)
    overlays = overlays or Overlays()
    pairs = [(plain_raster(m.fraction), plain_raster(m.sd)) for m in periods.values()]
    first = Grid.of(pairs[0][0])
    projection = projection_for(lonlat_bounds(first.bounds, first.crs))
    points = finite_points([fraction for fraction, _ in pairs], projection)
    handles = _handles(periods, overlays)
    table = PanelTable(
        ("fraction", "standard deviation", *[""] * (2 * len(periods) - 2)),
        columns=2,
        rows=tuple(periods),
        remarks=tuple(w for one in periods.values() for w in (one.words, "")),
        title=title,
        caption=caption,
        note=note,
        letters=True,
        preset=preset,
    )
    table = with_legend(table, handles)
    with house_style():
        extent = map_extent(points, map_frame(overlays), projection)
        figure, panels = draw_panel_table(extent, projection, table=table)
        _draw_columns(figure, panels, pairs, table)
        for order, one in enumerate(periods.values()):
            for axes in panels[2 * order : 2 * order + 2]:
                _draw_above(axes, one, overlays)
        furnish(panels, points)
        draw_table_legend(figure, handles, table=table)
    return figure


def _handles(periods: Mapping[str, FractionMap], overlays: Overlays) -> list[Artist]:
    """Return the entries of the legend."""
    handles: list[Artist] = []
    if any(one.sites is not None for one in periods.values()):
        handles.append(Line2D([], [], label="sites", **_SITE))  # type: ignore[arg-type]  # kinds differ
    hatched = [one.unsupported for one in periods.values()]
    if any(one is not None and bool(one.any()) for one in hatched):
        handles.append(hatch_handle(UNSUPPORTED))
    return [*handles, *overlay_handles(overlays)]


def _draw_columns(
    figure: Figure,
    panels: list[Axes],
    pairs: list[tuple[xr.DataArray, xr.DataArray]],
    table: PanelTable,
) -> None:
    """Draw fractions and standard deviations, each column with one scale and bar."""
    for column, kind in enumerate((KINDS["fraction"], SD)):
        own = [pair[column] for pair in pairs]
        limits = colour_limits([plane.to_numpy() for plane in own], kind)
        under = panels[column::2]
        for axes, plane in zip(under, own, strict=True):
            draw_raster(axes, plane, colours=colour_map(kind.palette), limits=limits)
        slack = 1e-6 * (limits[1] - limits[0])
        beyond = (
            any(bool((plane < limits[0] - slack).any()) for plane in own),
            any(bool((plane > limits[1] + slack).any()) for plane in own),
        )
        draw_table_bar(
            figure, table=table, kind=kind, limits=limits, beyond=beyond, under=under
        )


def _draw_above(axes: Axes, one: FractionMap, overlays: Overlays) -> None:
    """Draw hatching, outlines and sites over a map."""
    if one.unsupported is not None:
        there = np.isfinite(one.fraction.to_numpy())
        marked = plain_raster(one.unsupported).astype(bool)
        hatch_cells(axes, marked.copy(data=marked.to_numpy() & there))
    draw_overlays(axes, overlays)
    if one.sites is not None:
        x, y = point_coordinates(one.sites, map_projection(axes))
        axes.plot(x, y, zorder=3, scalex=False, scaley=False, **_SITE)  # type: ignore[arg-type]  # kinds differ
