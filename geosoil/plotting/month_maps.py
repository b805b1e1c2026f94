"""Maps of quantities by month: one variable, or several with a bar to each row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.grids.grid import Grid
from geosoil.plotting.arrangement import arranged
from geosoil.plotting.correlation_captions import in_words
from geosoil.plotting.layers import (
    Overlays,
    draw_overlays,
    draw_raster,
    map_frame,
    missing_handle,
    overlay_handles,
)
from geosoil.plotting.maps import furnish
from geosoil.plotting.panel_table import (
    PanelTable,
    draw_panel_table,
    draw_row_bar,
    draw_table_bar,
    draw_table_legend,
    with_legend,
)
from geosoil.plotting.projection import (
    finite_points,
    lonlat_bounds,
    map_extent,
    plain_raster,
    projection_for,
)
from geosoil.plotting.region_maps import MapSheet
from geosoil.plotting.scales import KINDS, MapKind, colour_limits, colour_map
from geosoil.plotting.style import house_style

_BESIDE = 0.62
"""Room for the colour bars right of the rows [inch]."""

Planes = Mapping[tuple[str, str], xr.DataArray]


class _Scale(TypedDict):
    """Ends of a colour scale, and whether values lie beyond them."""

    limits: tuple[float, float]
    beyond: tuple[bool, bool]


def figure_month_maps(
    planes: Planes,
    *,
    kinds: Mapping[str, MapKind] | None = None,
    sheet: MapSheet | None = None,
    title: str = "",
    caption: str = "",
) -> Figure:
    """Compose maps of quantities by month.

    Parameters
    ----------
    planes : mapping of (variable, month) to DataArray with dims y, x
        The fields, CRS set; each variable on one grid.
    kinds : mapping of str to MapKind, optional
        Scale of each variable; by default that of its name, else colours of batlow.
    sheet : MapSheet, optional
        Outlines, note and preset.
    title, caption : str
        Words of the figure.

    Returns
    -------
    figure : matplotlib.figure.Figure
        Of one variable the months stand one below the other above one colour bar. Of
        several each has a row with its own bar, and a column is a month.

    Raises
    ------
    InputError
        If there is no field, or nothing has a value.
    MissingCRSError
        If a raster or a layer has no CRS.

    Examples
    --------
    >>> import numpy as np
    >>> grid = Grid.from_bounds((90, 31, 102, 36), 1, "EPSG:4326")
    >>> june = grid.raster(np.full(grid.shape, 0.4))
    >>> figure = figure_month_maps({("ndvi", "June"): june, ("ndvi", "May"): june})
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['(a) June', '(b) May', '']
    """
    if not planes:
        message = "No fields to map. Give one or more, by variable and month."
        raise InputError(message)
    sheet = sheet or MapSheet()
    names = list(dict.fromkeys(name for name, _ in planes))
    months = list(dict.fromkeys(month for _, month in planes))
    several = len(names) > 1
    table = PanelTable(
        title=title,
        caption=caption,
        note=sheet.note,
        bar=not several,
        beside=_BESIDE if several else 0.0,
        letters=True,
        preset=sheet.preset,
        **arranged(months, [in_words(name) for name in names] if several else []),
    )
    handles = [*overlay_handles(sheet.overlays), missing_handle()]
    table = with_legend(table, handles)
    plain = {key: plain_raster(plane) for key, plane in planes.items()}
    with house_style():
        figure, panels = _open(plain, sheet.overlays, table)
        for row, name in enumerate(names):
            own = panels[row * len(months) : (row + 1) * len(months)]
            kind = (kinds or {}).get(name) or kind_of(name)
            fields = [plain.get((name, month)) for month in months]
            scale = _draw_row(own, fields, kind, sheet.overlays)
            if several:
                draw_row_bar(figure, own, kind=_unit_alone(kind), **scale)
            else:
                draw_table_bar(figure, table=table, kind=kind, **scale)
        draw_table_legend(figure, handles, table=table)
    return figure


def kind_of(name: str, units: str = "1") -> MapKind:
    """Return the scale of a variable.

    Parameters
    ----------
    name : str
        Its name.
    units : str
        Its units, where the name has no scale of its own.

    Returns
    -------
    kind : MapKind
        Colours and words.

    Examples
    --------
    >>> kind_of("snow_depth", "m").label
    'snow depth [m]'
    """
    known = KINDS.get(name)
    return known or MapKind("batlow", f"{in_words(name)} [{units}]")


def _unit_alone(kind: MapKind) -> MapKind:
    """Return a scale whose words are its unit; its name stands at the row."""
    unit = kind.label.rpartition(" [")[2].removesuffix("]")
    return MapKind(kind.palette, unit)


def _open(
    plain: Planes, overlays: Overlays, table: PanelTable
) -> tuple[Figure, list[Axes]]:
    """Make the figure with its graticules."""
    first = Grid.of(next(iter(plain.values())))
    projection = projection_for(lonlat_bounds(first.bounds, first.crs))
    points = finite_points(list(plain.values()), projection)
    extent = map_extent(points, map_frame(overlays), projection)
    figure, panels = draw_panel_table(extent, projection, table=table)
    furnish(panels, points)
    return figure, panels


def _draw_row(
    panels: Sequence[Axes],
    fields: Sequence[xr.DataArray | None],
    kind: MapKind,
    overlays: Overlays,
) -> _Scale:
    """Draw the months of a variable; return its scale and whether values leave it."""
    known = [field.to_numpy() for field in fields if field is not None]
    limits = colour_limits(known, kind)
    for axes, field in zip(panels, fields, strict=True):
        if field is not None:
            draw_raster(axes, field, colours=colour_map(kind.palette), limits=limits)
        draw_overlays(axes, overlays)
    slack = 1e-6 * (limits[1] - limits[0])
    low = any(bool((values < limits[0] - slack).any()) for values in known)
    high = any(bool((values > limits[1] + slack).any()) for values in known)
    return {"limits": limits, "beyond": (low, high)}
