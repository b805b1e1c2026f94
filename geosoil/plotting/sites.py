"""The map of where water was sampled: sites by kind of water over the terrain."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import geopandas as gpd
import numpy as np
import xarray as xr
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LightSource
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
from geosoil.plotting.page import legend_columns, panel_title
from geosoil.plotting.panels import (
    MapFrame,
    draw_legend,
    map_panels,
)
from geosoil.plotting.projection import (
    FloatArray,
    cell_corners,
    drawable,
    finite_points,
    lonlat_bounds,
    map_extent,
    map_projection,
    plain_raster,
    projection_for,
)
from geosoil.plotting.style import (
    DASH,
    WATER_STYLES,
    WaterStyle,
    house_style,
    water_style,
)
from geosoil.plotting.tables import check_columns, panel_periods, rows_of
from geosoil.strata import ELEVATION_EDGES

_BAND_GREYS = (1.0, 0.96, 0.91, 0.85, 0.78, 0.69)
"""Grey of the ground below, between and above the edges of the elevation bands."""

_MOST_CELLS = 400
_LEGEND_ROWS = 4
_SIZES = {"snowmelt": 7.5, "precipitation": 6.0, "river": 2.8, "supra_permafrost": 3.4}
_DRAWN_FIRST = ("river", "supra_permafrost", "soil", "ground_ice")


def figure_sampling_sites(
    samples: gpd.GeoDataFrame,
    *,
    elevation: xr.DataArray,
    overlays: Overlays | None = None,
    title: str = "",
    note: str | None = None,
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
    waters = [w for w in WATER_STYLES if w in set(samples["water"])]
    groups = [_water_handles(waters), _band_handles(), overlay_handles(overlays)]
    handles = legend_columns(groups, rows=_LEGEND_ROWS)
    frame = MapFrame(title=title, note=note, legend_rows=_LEGEND_ROWS, colour_bar=False)
    with house_style():
        figure, panels = map_panels(len(periods), extent, projection, frame=frame)
        for order, period in enumerate(periods):
            axes = panels[order]
            here = samples[rows_of(samples, period)]
            draw_terrain(axes, plane)
            draw_overlays(axes, overlays)
            draw_sites(axes, here)
            panel_title(axes, _count(period, here), order=order, panels=len(periods))
        furnish(panels, _map_points(samples, projection))
        draw_legend(figure, handles, frame=frame, columns=len(handles) // _LEGEND_ROWS)
    return figure


def draw_terrain(axes: Axes, elevation: xr.DataArray) -> Axes:
    """Draw elevation bands in grey, with the shading of the relief.

    Parameters
    ----------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The panel.
    elevation : DataArray with dims y, x
        Elevation [m], CRS set; rasters of many cells are drawn coarser.

    Returns
    -------
    axes : cartopy.mpl.geoaxes.GeoAxes
        The same panel.

    Examples
    --------
    >>> projection = projection_for((90.0, 31.0, 102.0, 36.0))
    >>> panel = Figure().add_subplot(projection=projection)
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> panel = draw_terrain(panel, grid.raster(np.full(grid.shape, 4200.0)))
    >>> len(panel.collections)
    1
    """
    values, grid = drawable(plain_raster(elevation), most_cells=_MOST_CELLS)
    x, y = cell_corners(grid, map_projection(axes))
    known = np.isfinite(values)
    filled = np.where(known, values, np.mean(values[known]) if known.any() else 0.0)
    width = float(np.hypot(np.diff(x, axis=1), np.diff(y, axis=1)).mean())
    height = float(np.hypot(np.diff(x, axis=0), np.diff(y, axis=0)).mean())
    relief = LightSource(315, 45).hillshade(filled, vert_exag=12, dx=width, dy=height)
    bands = np.searchsorted(ELEVATION_EDGES, filled, side="right")
    grey = np.asarray(_BAND_GREYS)[bands] * (0.7 + 0.42 * relief)
    shown = np.where(known, np.clip(grey, 0.0, 1.0), np.nan)
    axes.pcolormesh(
        x,
        y,
        np.ma.masked_invalid(shown),
        cmap="gray",
        vmin=0.0,
        vmax=1.0,
        shading="flat",
        rasterized=True,
        zorder=1,
    )
    return axes


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
        for grey, label in zip(_BAND_GREYS, labels, strict=True)
    ]
