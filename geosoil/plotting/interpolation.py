"""Figures of interpolated maps: estimates beside their standard deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import cartopy.crs as ccrs
import geopandas as gpd
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geosoil.errors import InputError, MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.grids.points import point_coordinates
from geosoil.plotting.furniture import draw_graticule
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
)
from geosoil.plotting.panels import outer_panels
from geosoil.plotting.projection import (
    FloatArray,
    finite_points,
    lonlat_bounds,
    map_extent,
    map_projection,
    plain_raster,
    projection_for,
)
from geosoil.plotting.scales import KINDS, MapKind, colour_limits, colour_map
from geosoil.plotting.style import INK, house_style

SITE_COLOUR = "#ffffff"
"""Inside of the marks of sites, which have a dark rim."""

_MARK_SIZES = ((50, 3.2), (300, 2.4), (1500, 1.6))
"""Number of sites up to which marks have a size [pt]; 1 above."""

NEARLY_ALIKE = 0.5
"""Part of the largest deviation above which all would get one dark colour."""

WORLD = 120.0
"""Degrees beyond which a map shows degrees as they are."""

WIDEST, TALLEST = 4.0, 0.6
"""Bounds of width by height of a panel; a narrower ground gets room around it."""


@dataclass(frozen=True, slots=True, eq=False)
class InterpolatedMap:
    """A map to draw: one row of a figure."""

    estimate: xr.DataArray
    """Estimates, dims (y, x), CRS set."""
    sd: xr.DataArray | None = None
    """Standard deviations on the same grid; None where the method has none."""


@dataclass(frozen=True, slots=True, eq=False)
class MapWords:
    """What stands around interpolated maps."""

    title: str = ""
    """Title of the figure."""
    caption: str = ""
    """Paragraphs below the panels."""
    note: str | None = None
    """Small text at the bottom."""
    units: str = ""
    """Unit of the values; "" for none."""
    kind: MapKind | None = None
    """Colours of the estimate; by default a scale that the values set."""
    sites: str = "sites"
    """Word for the points in the legend."""
    unsupported: str = "not supported by the samples"
    """Word for hatched cells in the legend."""
    overlays: Overlays = field(default_factory=Overlays)
    """Region, basins, rivers and lakes."""


def figure_interpolation(
    maps: Mapping[str, InterpolatedMap],
    *,
    sites: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
    unsupported: xr.DataArray | None = None,
    words: MapWords | None = None,
) -> Figure:
    """Compose maps of estimates, each with its standard deviation beside it.

    Parameters
    ----------
    maps : mapping of str to InterpolatedMap
        Name and map, a row each; all of one quantity, since they share their colours.
    sites : GeoDataFrame or GeoSeries, optional
        Points of the data, CRS set.
    unsupported : DataArray of bool with dims y, x, optional
        Cells that are hatched in the estimates.
    words : MapWords, optional
        Title, caption, units and layers.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One row a map; a column of standard deviations where any has one. Estimates
        share one colour bar, and so do standard deviations.

    Raises
    ------
    InputError
        If there is no map, or nothing has a value.
    MissingCRSError
        If a raster or the sites have no CRS.

    Examples
    --------
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> zinc = grid.raster(np.linspace(100, 900, 60).reshape(grid.shape))
    >>> figure = figure_interpolation({"zinc": InterpolatedMap(zinc, zinc * 0.1)})
    >>> [axes.get_xlabel() for axes in figure.axes[2:]]
    ['zinc', 'standard deviation of zinc']
    """
    if not maps:
        message = "No maps to draw. Give one or more, by name."
        raise InputError(message)
    words = words or MapWords()
    if sites is not None and sites.crs is None:
        message = "The sites have no coordinate reference system. Use .set_crs."
        raise MissingCRSError(message)
    pairs = any(one.sd is not None for one in maps.values())
    planes = _planes(maps, pairs)
    handles = _handles(words, sites, unsupported)
    table = _table(maps, pairs, words, legend=bool(handles))
    with house_style():
        figure, axes = _open(planes, words, table)
        _draw_columns(figure, axes, planes, (maps, words, table))
        for order, (panel, plane) in enumerate(zip(axes, planes, strict=True)):
            # Strokes on the dark colours of a large spread would not be seen.
            hatched = order % table.columns == 0
            if unsupported is not None and plane is not None and hatched:
                there = np.isfinite(plane.to_numpy())
                marked = plain_raster(unsupported).to_numpy().astype(bool) & there
                hatch_cells(panel, plane.copy(data=marked))
            draw_overlays(panel, words.overlays)
            if sites is not None:
                draw_points(panel, sites)
        draw_table_legend(figure, handles, table=table)
    return figure


def draw_points(axes: Axes, sites: gpd.GeoDataFrame | gpd.GeoSeries) -> Axes:
    """Draw a small mark at each place.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    sites : GeoDataFrame or GeoSeries
        Points, CRS set.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> from geosoil.plotting.panels import map_panel
    >>> projection = projection_for((90.0, 31.0, 102.0, 36.0))
    >>> panel = map_panel(Figure(), (0, 0, 1, 1), (-1e5, 1e5, 3e6, 4e6), projection)
    >>> draw_points(panel, gpd.GeoSeries.from_xy([95.0], [33.0], crs=4326)).lines[
    ...     0].get_marker()
    'o'
    """
    x, y = point_coordinates(sites, map_projection(axes))
    size = _mark_size(len(x))
    axes.plot(
        x,
        y,
        zorder=3,
        scalex=False,
        scaley=False,
        **_site_look(size),
    )
    return axes


def _site_look(size: float) -> dict[str, Any]:
    """Return how sites are marked."""
    return {
        "linestyle": "none",
        "marker": "o",
        "markersize": size,
        "markerfacecolor": SITE_COLOUR,
        "markeredgecolor": INK,
        "markeredgewidth": 0.15 * size,
    }


def _mark_size(count: int) -> float:
    """Return the size of marks: the more there are, the smaller."""
    return next((size for most, size in _MARK_SIZES if count <= most), 1.0)


def _planes(
    maps: Mapping[str, InterpolatedMap], pairs: bool
) -> list[xr.DataArray | None]:
    """Return the rasters panel by panel."""
    planes: list[xr.DataArray | None] = []
    for one in maps.values():
        planes.append(plain_raster(one.estimate))
        if pairs:
            planes.append(None if one.sd is None else plain_raster(one.sd))
    return planes


def _handles(
    words: MapWords,
    sites: gpd.GeoDataFrame | gpd.GeoSeries | None,
    unsupported: xr.DataArray | None,
) -> list[Artist]:
    """Return the entries of the legend."""
    handles: list[Artist] = []
    if sites is not None:
        handles.append(Line2D([], [], label=words.sites, **_site_look(3.2)))
    if unsupported is not None and bool(unsupported.any()):
        handles.append(hatch_handle(words.unsupported))
    return [*handles, *overlay_handles(words.overlays)]


def _table(
    maps: Mapping[str, InterpolatedMap], pairs: bool, words: MapWords, *, legend: bool
) -> PanelTable:
    """Return what surrounds the panels."""
    names = list(maps)
    titles = ["estimate", "standard deviation"] if pairs else [""]
    titles += [""] * (len(titles) * (len(names) - 1))
    return PanelTable(
        tuple(titles),
        columns=2 if pairs else 1,
        rows=tuple(names) if len(names) > 1 else (),
        title=words.title,
        caption=words.caption,
        note=words.note,
        legend=legend,
    )


def _draw_columns(
    figure: Figure,
    axes: Sequence[Axes],
    planes: Sequence[xr.DataArray | None],
    how: tuple[Mapping[str, InterpolatedMap], MapWords, PanelTable],
) -> None:
    """Draw the rasters, each column with one scale and its bar."""
    maps, words, table = how
    name = next(iter(maps)) if len(maps) == 1 else ""
    for column in range(table.columns):
        part = list(zip(axes, planes, strict=True))[column :: table.columns]
        shown = [plane for _, plane in part if plane is not None]
        kind = _kind(words, name) if column == 0 else _sd_kind(words, name, shown)
        limits = colour_limits([plane.to_numpy() for plane in shown], kind)
        for panel, plane in part:
            if plane is not None:
                colours = colour_map(kind.palette)
                draw_raster(panel, plane, colours=colours, limits=limits)
        draw_table_bar(
            figure,
            table=table,
            kind=kind,
            limits=limits,
            beyond=_beyond(shown, limits),
            under=[panel for panel, _ in part],
        )


def _kind(words: MapWords, name: str) -> MapKind:
    """Return the scale of the estimates."""
    unit = f" [{words.units}]" if words.units else ""
    return words.kind or MapKind("batlow", f"{name or 'estimate'}{unit}")


def _sd_kind(words: MapWords, name: str, planes: Sequence[xr.DataArray]) -> MapKind:
    """Return the scale of standard deviations: from 0, unless all are nearly alike."""
    unit = f" [{words.units}]" if words.units else ""
    of = f" of {name}" if name else ""
    least = min(float(plane.min()) for plane in planes)
    most = max(float(plane.max()) for plane in planes)
    return MapKind(
        KINDS["sd"].palette,
        f"standard deviation{of}{unit}",
        from_zero=not least > NEARLY_ALIKE * most,
    )


def _beyond(
    planes: Sequence[xr.DataArray], limits: tuple[float, float]
) -> tuple[bool, bool]:
    """Say whether values lie below and above the limits of a scale."""
    slack = 1e-6 * (limits[1] - limits[0])
    low = any(bool((plane < limits[0] - slack).any()) for plane in planes)
    high = any(bool((plane > limits[1] + slack).any()) for plane in planes)
    return low, high


def _open(
    planes: Sequence[xr.DataArray | None], words: MapWords, table: PanelTable
) -> tuple[Figure, list[Axes]]:
    """Make the figure with graticules, scale bar and north arrow."""
    given = [plane for plane in planes if plane is not None]
    first = Grid.of(given[0])
    west, south, east, north = lonlat_bounds(first.bounds, first.crs)
    wide = max(east - west, north - south) > WORLD
    projection = (
        ccrs.PlateCarree(central_longitude=(west + east) / 2.0)
        if wide
        else projection_for((west, south, east, north))
    )
    points: FloatArray = finite_points(given, projection)
    extent = _shaped(map_extent(points, map_frame(words.overlays), projection))
    figure, axes = draw_panel_table(extent, projection, table=table)
    if wide:
        for panel, (left, bottom) in zip(axes, outer_panels(axes), strict=True):
            draw_graticule(panel, left=left, bottom=bottom)
    else:
        furnish(axes, points)
    return figure, axes


def _shaped(
    extent: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    """Widen a frame that is much longer one way than the other."""
    left, right, bottom, top = extent
    width, height = right - left, top - bottom
    across = max(TALLEST * height - width, 0.0) / 2.0
    along = max(width / WIDEST - height, 0.0) / 2.0
    return left - across, right + across, bottom - along, top + along
