"""The frame of a map figure: projection, extent, and panels without white bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from geosoil.errors import InputError
from geosoil.plotting.page import title_lines, write_note
from geosoil.plotting.projection import Extent
from geosoil.plotting.scales import MapKind, colour_map, map_kind
from geosoil.plotting.style import LARGE, MISSING, NORMAL, SMALL

FloatArray = npt.NDArray[np.float64]

_LEFT, _RIGHT, _TITLE, _TICKS, _GAP = 0.5, 0.15, 0.25, 0.2, 0.15
_SUPTITLE, _BAR, _LEGEND, _NOTE = 0.24, 0.52, 0.155, 0.2


@dataclass(frozen=True, slots=True)
class MapFrame:
    """What surrounds the panels of a map figure."""

    title: str = ""
    """Title of the figure."""
    note: str | None = None
    """Small text at the bottom."""
    legend_rows: int = 1
    """Rows of the legend below the panels; 0 for no legend."""
    colour_bar: bool = True
    """Whether a colour bar lies below the panels."""
    columns: int | None = None
    """Number of columns; None stacks up to three wide panels."""
    width: float | None = None
    """Width of the figure [inch]; None takes 5.5, 8.5 or 11 by its columns."""


def map_panels(
    n_panels: int,
    extent: Extent,
    projection: Any,  # noqa: ANN401  cartopy has no types
    *,
    frame: MapFrame,
) -> tuple[Figure, list[Axes]]:
    """Make a figure of equal map panels that fit their extent without bands.

    Parameters
    ----------
    n_panels : int
        Number of panels, row by row.
    extent : tuple = (left, right, bottom, top)
        Frame of every panel in map coordinates [m].
    projection : cartopy.crs.Projection
        Projection of the panels.
    frame : MapFrame
        Title, note, columns and width.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The figure, with room for a colour bar and a legend below the panels.
    panels : list of cartopy.mpl.geoaxes.GeoAxes
        Its panels.

    Raises
    ------
    InputError
        If no panel is asked for.

    Examples
    --------
    >>> from geosoil.plotting.projection import projection_for
    >>> projection = projection_for((89.4, 31.55, 102.3, 36.3))
    >>> figure, panels = map_panels(
    ...     3, (0.0, 2.0, 0.0, 1.0), projection, frame=MapFrame()
    ... )
    >>> len(panels), float(figure.get_size_inches()[0])
    (3, 5.5)
    """
    if n_panels < 1:
        message = "No rasters to map. Give one or more, by title."
        raise InputError(message)
    aspect = (extent[1] - extent[0]) / (extent[3] - extent[2])
    columns = min(frame.columns or _columns(n_panels, aspect), n_panels)
    rows = -(-n_panels // columns)
    width = frame.width or {1: 5.5, 2: 8.5}.get(columns, 11.0)
    panel_width = (width - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns
    panel_height = panel_width / aspect
    below = footer_height(frame)
    step = panel_height + _TITLE + 0.04
    title = title_lines(frame.title, width=width)
    top = _SUPTITLE + 0.17 * title.count("\n") if title else 0.06
    height = top + rows * step + _TICKS + below
    figure = Figure(figsize=(width, height))
    panels: list[Axes] = []
    for order in range(n_panels):
        row, column = divmod(order, columns)
        left = _LEFT + column * (panel_width + _GAP)
        bottom = height - top - _TITLE - row * step - panel_height
        box = (
            left / width,
            bottom / height,
            panel_width / width,
            panel_height / height,
        )
        panels.append(map_panel(figure, box, extent, projection))
    if title:
        place = {"x": 0.1 / width, "y": 1.0 - 0.06 / height, "ha": "left", "va": "top"}
        figure.suptitle(title, fontsize=LARGE, **place)
    write_note(figure, frame.note)
    return figure, panels


def _columns(n_panels: int, aspect: float) -> int:
    """Return the number of columns: wide panels are stacked, tall ones stand."""
    if n_panels <= 3:
        return 1 if aspect > 1.4 else n_panels
    return 2 if n_panels in (4, 6) and aspect > 1.4 else 3


def map_panel(
    figure: Figure,
    box: tuple[float, float, float, float],
    extent: Extent,
    projection: Any,  # noqa: ANN401  cartopy has no types
) -> Axes:
    """Add one map panel whose frame is the extent.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure to draw in.
    box : tuple = (left, bottom, width, height)
        Place of the panel in parts of the figure.
    extent : tuple = (left, right, bottom, top)
        Frame in map coordinates [m].
    projection : cartopy.crs.Projection
        Projection of the panel.

    Returns
    -------
    panel : cartopy.mpl.geoaxes.GeoAxes
        The panel, grey where nothing is drawn.
    """
    axes = figure.add_axes(box, projection=projection)
    axes.set_xlim(extent[0], extent[1])
    axes.set_ylim(extent[2], extent[3])
    axes.set_facecolor(MISSING)
    axes.spines["geo"].set_linewidth(0.6)
    return axes


def outer_panels(panels: Sequence[Axes]) -> list[tuple[bool, bool]]:
    """Return which panels are the first of their row and the last of their column.

    Parameters
    ----------
    panels : sequence of Axes
        Panels of one figure.

    Returns
    -------
    outer : list of (bool, bool)
        Whether latitudes and longitudes are written at each panel.

    Examples
    --------
    >>> figure = Figure()
    >>> outer_panels(figure.subplots(2, 1).tolist())
    [(True, False), (True, True)]
    """
    boxes = [axes.get_position() for axes in panels]
    corners = [(round(box.x0, 6), round(box.y0, 6)) for box in boxes]
    return [
        (
            not any(other_y == y and other_x < x for other_x, other_y in corners),
            not any(other_x == x and other_y < y for other_x, other_y in corners),
        )
        for x, y in corners
    ]


def footer_height(frame: MapFrame) -> float:
    """Return the room below the panels for colour bar, legend and note [inch].

    Parameters
    ----------
    frame : MapFrame
        What surrounds the panels.

    Returns
    -------
    height : float
        Height [inch].

    Examples
    --------
    >>> footer_height(MapFrame(legend_rows=0))
    0.57
    """
    note = _NOTE if frame.note else 0.05
    bar = _BAR if frame.colour_bar else 0.08
    return bar + frame.legend_rows * _LEGEND + note


def draw_colour_bar(
    figure: Figure,
    *,
    kind: str | MapKind,
    limits: tuple[float, float],
    frame: MapFrame,
    beyond: tuple[bool, bool] = (False, False),
) -> Figure:
    """Draw the one colour bar that the panels of a map figure share.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure made by :func:`map_panels`.
    kind : str or MapKind
        Kind of raster: colours and words.
    limits : tuple = (smallest, largest)
        Ends of the scale.
    frame : MapFrame
        What surrounds the panels.
    beyond : tuple of bool
        Whether values lie below and above the scale; draws pointed ends.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> frame = MapFrame()
    >>> figure = Figure(figsize=(5.0, 5.0))
    >>> figure = draw_colour_bar(figure, kind="ndvi", limits=(0.0, 1.0), frame=frame)
    >>> figure.axes[0].get_xlabel()
    'NDVI [1]'
    """
    scale = map_kind(kind)
    width, height = (float(size) for size in figure.get_size_inches())
    bottom = footer_height(frame) - 0.13
    length = min(4.0, 0.7 * width)
    box = ((width - length) / 2 / width, bottom / height, length / width, 0.11 / height)
    axes = figure.add_axes(box, label="colour bar")
    mappable = ScalarMappable(Normalize(*limits), colour_map(scale.palette))
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}
    bar = figure.colorbar(
        mappable,
        cax=axes,
        orientation="horizontal",
        extend=extend.get(beyond, "neither"),
    )
    bar.set_label(scale.label, fontsize=NORMAL, labelpad=1.5)
    bar.ax.tick_params(labelsize=SMALL, pad=1.5)
    return figure


def draw_legend(
    figure: Figure, handles: Sequence[Artist], *, frame: MapFrame, columns: int
) -> Figure:
    """Draw the legend of a map figure below its colour bar.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Figure made by :func:`map_panels`.
    handles : sequence of Artist
        Labelled artists; none draws nothing.
    frame : MapFrame
        What surrounds the panels.
    columns : int
        Number of columns.

    Returns
    -------
    figure : matplotlib.figure.Figure
        The same figure.

    Examples
    --------
    >>> from matplotlib.lines import Line2D
    >>> line = Line2D([], [], label="rivers")
    >>> figure = draw_legend(Figure(), [line], frame=MapFrame(), columns=1)
    >>> figure.legends[0].get_texts()[0].get_text()
    'rivers'
    """
    if handles:
        height = float(figure.get_size_inches()[1])
        bottom = (_NOTE if frame.note else 0.05) / height
        figure.legend(
            handles=list(handles),
            loc="lower center",
            bbox_to_anchor=(0.5, bottom),
            ncols=columns,
            fontsize=SMALL,
            handletextpad=0.5,
            columnspacing=1.4,
            borderaxespad=0.0,
            borderpad=0.1,
        )
    return figure
