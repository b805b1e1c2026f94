"""The map of where water was sampled: sites by kind of water over the terrain."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from geosoil.errors import MissingCRSError
from geosoil.grids.grid import Grid
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    map_frame,
    overlay_handles,
)
from geosoil.plotting.maps import furnish
from geosoil.plotting.page import legend_columns, legend_width
from geosoil.plotting.panel_table import PanelTable, draw_panel_table
from geosoil.plotting.panels import MapFrame, draw_legend
from geosoil.plotting.projection import (
    FloatArray,
    finite_points,
    lonlat_bounds,
    map_extent,
    map_projection,
    plain_raster,
    projection_for,
)
from geosoil.plotting.relief import BAND_GREYS, draw_terrain
from geosoil.plotting.style import (
    DASH,
    SCREEN,
    WATER_STYLES,
    FigurePreset,
    WaterStyle,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, panel_periods, rows_of
from geosoil.strata import ELEVATION_EDGES

_FEWEST_ROWS, _MOST_ROWS = 4, 8
"""Rows of the legend: as few as let its columns fit the figure."""

_SIZES = {"snowmelt": 7.5, "precipitation": 6.0, "river": 2.8, "supra_permafrost": 3.4}
_DRAWN_FIRST = ("river", "supra_permafrost", "soil", "ground_ice")


def figure_sampling_sites(
    samples: gpd.GeoDataFrame,
    *,
    elevation: xr.DataArray,
    overlays: Overlays | None = None,
    title: str = "",
    note: str | None = None,
    preset: FigurePreset = SCREEN,
) -> Figure:
    """Map the sampling sites of each period over elevation bands.

    Parameters
    ----------
    samples : GeoDataFrame
        One row a sample, columns ``water`` and ``period``; point geometry, CRS set.
        Rows without a period are drawn in every panel.
    elevation : DataArray with dims y, x
        Elevation [m], CRS set.
    overlays : Overlays, optional
        Region, basins, rivers and lakes.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.
    preset : FigurePreset
        For whom the figure is made.

    Returns
    -------
    figure : matplotlib.figure.Figure
        One panel a period in the order of the season, one legend.

    Raises
    ------
    InputError
        If a column is missing or no sample has a period.
    MissingCRSError
        If samples or elevation have no CRS.

    Examples
    --------
    >>> import shapely
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> samples = gpd.GeoDataFrame(
    ...     {"water": ["soil"], "period": ["June"]},
    ...     geometry=[shapely.Point(95, 34)],
    ...     crs="EPSG:4326",
    ... )
    >>> height = grid.raster(np.full(grid.shape, 4200.0))
    >>> figure = figure_sampling_sites(samples, elevation=height)
    >>> figure.axes[0].get_title(loc="left")
    'June: 1 sample at 1 site'
    """
    check_columns(list(samples.columns), ["water", "period"], "sample table")
    if samples.crs is None:
        message = "The samples have no CRS. Set it with .set_crs('EPSG:4326')."
        raise MissingCRSError(message)
    overlays = overlays or Overlays()
    periods = panel_periods(samples)
    plane = plain_raster(elevation)
    grid = Grid.of(plane)
    projection = projection_for(lonlat_bounds(grid.bounds, grid.crs))
    points = finite_points([plane], projection)
    extent = map_extent(points, map_frame(overlays), projection)
    here = [samples[rows_of(samples, period)] for period in periods]
    table = PanelTable(
        tuple(_count(name, own) for name, own in zip(periods, here, strict=True)),
        columns=1, title=title, note=note, bar=False, letters=True,
        wide=not preset.titled, preset=preset,
    )  # fmt: skip
    handles, rows = _legend(samples, overlays, table.width)
    with house_style():
        table = replace(table, legend_rows=rows)
        figure, panels = draw_panel_table(extent, projection, table=table)
        for axes, own in zip(panels, here, strict=True):
            draw_terrain(axes, plane)
            draw_overlays(axes, overlays)
            draw_sites(axes, own)
        furnish(panels, _map_points(samples, projection))
        frame = MapFrame(note=note)
        draw_legend(figure, handles, frame=frame, columns=len(handles) // rows)
    return figure


def _legend(
    samples: gpd.GeoDataFrame, overlays: Overlays, width: float
) -> tuple[list[Artist], int]:
    """Return the entries of the legend in columns that fit, and its rows."""
    waters = [w for w in WATER_STYLES if w in set(samples["water"])]
    groups = [_water_handles(waters), _band_handles(), overlay_handles(overlays)]
    for rows in range(_FEWEST_ROWS, _MOST_ROWS + 1):
        handles = legend_columns(groups, rows=rows)
        if legend_width(handles, rows=rows) <= width - 0.1:
            break
    return handles, rows


def draw_sites(axes: Axes, samples: gpd.GeoDataFrame) -> Axes:
    """Draw one marker for each kind of water at each place.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    samples : GeoDataFrame
        Column ``water``; point geometry, CRS set.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> import shapely
    >>> projection = projection_for((90.0, 31.0, 102.0, 36.0))
    >>> panel = Figure().add_subplot(projection=projection)
    >>> samples = gpd.GeoDataFrame(
    ...     {"water": ["soil"]}, geometry=[shapely.Point(95, 34)], crs="EPSG:4326"
    ... )
    >>> draw_sites(panel, samples).lines[0].get_label()
    'soil water'
    """
    projection = map_projection(axes)
    waters = list(dict.fromkeys(samples["water"]))
    ordered = [w for w in _DRAWN_FIRST if w in waters]
    ordered += [w for w in waters if w not in ordered]
    for order, water in enumerate(ordered):
        points = _map_points(samples[samples["water"] == water], projection)
        places = np.unique(np.round(points), axis=0)
        style = water_style(water, order=order)
        axes.plot(
            places[:, 0],
            places[:, 1],
            scalex=False,
            scaley=False,
            zorder=3 + 0.1 * order,
            **_site_look(water, style),
        )
    return axes


def _site_look(water: str, style: WaterStyle) -> dict[str, Any]:
    """Return how the sites of one kind of water are marked."""
    return {
        "linestyle": "none",
        "marker": style.marker,
        "markersize": _SIZES.get(water, 3.6),
        "markerfacecolor": style.colour,
        "markeredgecolor": "white" if water != "snowmelt" else "black",
        "markeredgewidth": 0.4,
        "label": style.label,
    }


def _map_points(samples: gpd.GeoDataFrame, projection: Any) -> FloatArray:  # noqa: ANN401
    """Return the places of samples in map coordinates."""
    places = samples.geometry.to_crs(projection)
    return np.column_stack([places.x.to_numpy(), places.y.to_numpy()])


def _count(period: str, samples: gpd.GeoDataFrame) -> str:
    """Write a period with the numbers of its samples and sites."""
    sites = samples.geometry.drop_duplicates().size
    return (
        f"{period}: {len(samples)} sample{'s' * (len(samples) != 1)} "
        f"at {sites} site{'s' * (sites != 1)}"
    )


def _water_handles(waters: list[str]) -> list[Artist]:
    """Return legend entries for kinds of water."""
    return [
        Line2D([], [], **_site_look(water, water_style(water, order=order)))
        for order, water in enumerate(waters)
    ]


def _band_handles() -> list[Artist]:
    """Return legend entries for the elevation bands."""
    edges = [f"{edge:g}" for edge in ELEVATION_EDGES]
    labels = [
        f"< {edges[0]} m",
        *(f"{low}{DASH}{high} m" for low, high in pairwise(edges)),
        f"≥ {edges[-1]} m",
    ]
    return [
        Patch(facecolor=str(grey), edgecolor="#777777", linewidth=0.4, label=label)
        for grey, label in zip(BAND_GREYS, labels, strict=True)
    ]
