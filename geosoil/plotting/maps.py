"""Figures of maps: rasters of one kind side by side, with one colour bar."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.furniture import (
    Corner,
    draw_graticule,
    draw_north_arrow,
    draw_scale_bar,
    emptiest_corner,
)
from geosoil.plotting.hatching import draw_hatching, hatch_handle
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    draw_raster,
    map_frame,
    overlay_handles,
)
from geosoil.plotting.page import panel_title
from geosoil.plotting.panels import (
    MapFrame,
    draw_colour_bar,
    draw_legend,
    map_panels,
    outer_panels,
)
from geosoil.plotting.projection import (
    FloatArray,
    finite_points,
    lonlat_bounds,
    map_extent,
    plain_raster,
    projection_for,
)
from geosoil.plotting.scales import MapKind, colour_limits, colour_map, map_kind
from geosoil.plotting.style import house_style

_ARROW_CORNERS: tuple[Corner, ...] = (
    "upper right",
    "upper left",
    "lower right",
    "lower left",
)


def figure_maps(
    rasters: Mapping[str, xr.DataArray],
    *,
    overlays: Overlays | None = None,
    kind: str | MapKind = "fraction",
    p_values: Mapping[str, xr.DataArray] | None = None,
    title: str = "",
    note: str | None = None,
) -> Figure:
    """Compose a figure of maps of one kind, one panel a raster, one colour bar.

    Parameters
    ----------
    rasters : mapping of str to DataArray with dims y, x
        Panel title and raster; each CRS must be set.
    overlays : Overlays, optional
        Region, basins, rivers and lakes.
    kind : str or MapKind
        Kind of raster: "fraction", "correlation", "sd", "ndvi", "elevation" and so
        on (:data:`geosoil.plotting.scales.KINDS`), or a scale of your own.
    p_values : mapping of str to DataArray with dims y, x, optional
        p values by panel title; cells with p >= 0.05 are hatched.
    title : str
        Title of the figure.
    note : str, optional
        Small text at the bottom, for instance that the data are simulated.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure, in an equal-area projection, with graticule, scale bar and north
        arrow.

    Raises
    ------
    InputError
        If there is no raster, a kind or panel title is unknown, or nothing has a
        value.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> import numpy as np
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> june = grid.raster(np.full(grid.shape, 0.7))
    >>> figure = figure_maps({"June": june}, title="Share of precipitation")
    >>> len(figure.axes)
    2
    """
    overlays = overlays or Overlays()
    p_values = p_values or {}
    scale = map_kind(kind)
    _check_titles(rasters, p_values)
    planes = {name: plain_raster(raster) for name, raster in rasters.items()}
    first = Grid.of(next(iter(planes.values())))
    projection = projection_for(lonlat_bounds(first.bounds, first.crs))
    points = finite_points(list(planes.values()), projection)
    handles = overlay_handles(overlays) + ([hatch_handle()] if p_values else [])
    frame = MapFrame(title=title, note=note, legend_rows=1 if handles else 0)
    limits = colour_limits([plane.to_numpy() for plane in planes.values()], scale)
    with house_style():
        extent = map_extent(points, map_frame(overlays), projection)
        figure, panels = map_panels(len(planes), extent, projection, frame=frame)
        for order, (name, plane) in enumerate(planes.items()):
            axes = panels[order]
            draw_raster(axes, plane, colours=colour_map(scale.palette), limits=limits)
            if name in p_values:
                draw_hatching(axes, plane, p_values=p_values[name])
            draw_overlays(axes, overlays)
            panel_title(axes, name, order=order, panels=len(planes))
        furnish(panels, points)
        beyond = _beyond(list(planes.values()), limits)
        draw_colour_bar(figure, kind=scale, limits=limits, frame=frame, beyond=beyond)
        draw_legend(figure, handles, frame=frame, columns=len(handles))
    return figure


def furnish(panels: list[Axes], points: FloatArray) -> list[Axes]:
    """Give map panels their graticules, the first one scale bar and north arrow.

    Parameters
    ----------
    panels : list of cartopy.mpl.geoaxes.GeoAxes
        Panels of one extent.
    points : array, shape (n, 2)
        Places with data in map coordinates, kept free where possible [m].

    Returns
    -------
    panels : list of cartopy.mpl.geoaxes.GeoAxes
        The same panels.

    Examples
    --------
    >>> import numpy as np
    >>> projection = projection_for((90.0, 31.0, 102.0, 36.0))
    >>> extent = (-5e5, 5e5, 3.2e6, 3.7e6)
    >>> _, panels = map_panels(1, extent, projection, frame=MapFrame())
    >>> len(furnish(panels, np.empty((0, 2)))[0].texts)
    4
    """
    outer = outer_panels(panels)
    for axes, (left, bottom) in zip(panels, outer, strict=True):
        draw_graticule(axes, left=left, bottom=bottom)
    first = panels[0]
    lower = emptiest_corner(first, points, among=("lower left", "lower right"))
    free = [corner for corner in _ARROW_CORNERS if corner != lower]
    draw_scale_bar(first, corner=lower)
    draw_north_arrow(first, corner=emptiest_corner(first, points, among=free))
    return panels


def _check_titles(
    rasters: Mapping[str, xr.DataArray], p_values: Mapping[str, xr.DataArray]
) -> None:
    """Raise when p values belong to no panel, or there is no panel."""
    if not rasters:
        message = "No rasters to map. Give one or more, by title."
        raise InputError(message)
    unknown = [name for name in p_values if name not in rasters]
    if unknown:
        message = (
            f"p values for {unknown}, but the panels are {list(rasters)}. Give p "
            "values under the titles of their panels."
        )
        raise InputError(message)


def _beyond(
    planes: list[xr.DataArray], limits: tuple[float, float]
) -> tuple[bool, bool]:
    """Say whether values lie below and above the limits of a scale."""
    slack = 1e-6 * (limits[1] - limits[0])
    low = any(bool((plane < limits[0] - slack).any()) for plane in planes)
    high = any(bool((plane > limits[1] + slack).any()) for plane in planes)
    return low, high
